#ifndef WAYBILL_FULFILLMENT_DOMAIN_ORDER_PROCESS_H
#define WAYBILL_FULFILLMENT_DOMAIN_ORDER_PROCESS_H

#include "fulfillment/domain/order_services.h"

/*
 * The process of an order as a pure state machine: a table of steps, each with the call it makes,
 * what it is when it goes wrong, and what undoes it (DESIGN section 4, fulfillment).
 *
 *   promise   DESCRIBE, RESERVE, ALLOCATE, LOCATE, RATE
 *   confirm   EXTEND, FIRM, COMMIT | LABEL, TRACK, RETURN_SHORT       | is the pivot
 *   undo      ROLL_BACK, RELEASE before the pivot; RELEASE, VOID, RETURN behind it
 *
 * Before the pivot whatever goes wrong is undone; behind it a step is repeated until it is done, by
 * another carrier if need be, or waits for a person. A hold that was lost before the pivot is made
 * anew under the next attempt's id (REPLACE gives the one before back first).
 *
 * A crash between two steps costs nothing: ids are made of what is kept, and a step is called again
 * under the same id. So what is called under an id not kept yet is kept first (must_save). Whether
 * an unknown COMMIT has passed the pivot is never guessed: it is repeated until it is known, and
 * undoing begins with ROLL_BACK, which a committed reservation refuses.
 *
 * Everything is pure: time is handed in, memory is the arena's.
 */

/* When in the process a step has its place. */
enum order_phase { PHASE_BEFORE, PHASE_PIVOT, PHASE_BEHIND, PHASE_UNDO };

/* What a step's outcome leads to. */
enum order_reaction {
    REACT_UNDO,          /* before the pivot: everything is given back */
    REACT_NEXT,          /* it is done */
    REACT_AGAIN,         /* later, the same call */
    REACT_ASK_LATER,     /* as AGAIN, but nothing is wrong: something is on its way */
    REACT_NEW_HOLD,      /* the reservation, and with it the allocation, anew */
    REACT_RETAKE,        /* the allocation anew; COMMIT takes the expired reservation */
    REACT_PIVOT,         /* it turns out to be committed: go on behind the pivot */
    REACT_OTHER_CARRIER, /* nothing was bought: the next best rate */
    REACT_ABANDON,   /* a few times AGAIN; then make sure that nothing is bought, and as above */
    REACT_LABEL,     /* it was bought all the same: back to LABEL */
    REACT_NOTE,      /* it cannot be given back: a note for people, and go on */
    REACT_SHIPPED,   /* the goods have left: the cancellation is refused */
    REACT_ATTENTION, /* a person must look */
};

struct order_step_row {
    const char *name;
    enum order_phase phase;
    enum order_call_kind call;
    enum order_step next;         /* NONE = the goal is reached */
    enum order_step compensation; /* what gives back what it took; NONE = it takes nothing */
    enum order_reaction reactions[order_call_outcome_count];
};
extern const struct order_step_row order_steps[order_step_count];

enum order_action_kind {
    ACTION_CALL, /* make `call` for `part` and `item` */
    ACTION_SAVE, /* keep the order, clear must_save, ask again */
    ACTION_WAIT, /* keep it, go on in delay_us */
    ACTION_REST, /* keep it; it rests until somebody asks for something */
};

struct order_action {
    enum order_action_kind kind;
    enum order_call_kind call;
    size_t part;
    size_t item;
    int64_t delay_us; /* WAIT: an upper bound, a random part of its second half may be left out */
};

/*
 * What to do now. `result` is what the last ACTION_CALL brought, NULL after a load or a save. The
 * order is moved on; texts of the result must live as long as it. When it came to rest or waits,
 * order->refusal says why what was asked for is refused (NONE: it is not, or not yet known).
 */
struct order_action order_next_step(struct order *order, const struct order_call *result,
                                    struct arena *arena, int64_t now_us);

/* --- what is asked of an order --- */

enum order_request_outcome {
    REQUEST_STARTED,  /* go on with order_next_step */
    REQUEST_ANSWERED, /* nothing to do: the record is the answer */
    REQUEST_REFUSED,  /* order->refusal */
};

/* Of a PROMISING order: its promise is made. */
void order_begin_promise(struct order *order);

/* Somebody else's promise that was left half way: it is undone. */
void order_abandon_promise(struct order *order);

/*
 * A cancellation that is started is kept: from then on the order is CONFIRMING until it is
 * CANCELLED, needs a person, or turns out to have left. It may be asked for again; the first reason
 * stays.
 */
enum order_request_outcome order_confirm(struct order *order, int64_t now_us);
enum order_request_outcome order_cancel(struct order *order, struct text reason);

/* A person has seen to it: of NEEDS_ATTENTION, the order goes on, and the reason for it is over. */
void order_leave_attention(struct order *order);

/* --- what other services' events say of it --- */

enum order_signal_kind {
    SIGNAL_PART_SHIPPED = 1,  /* warehouse_id; lines with what was shipped */
    SIGNAL_SHIPMENT_CHANGED,  /* look again */
    SIGNAL_PARCEL_ON_ITS_WAY, /* carrier, tracking_number: not delivered or returned after all */
    SIGNAL_PARCEL_DELIVERED,
    SIGNAL_PARCEL_RETURNED,
};

struct order_signal {
    uint64_t signal_id; /* the store's */
    enum order_signal_kind kind;
    struct text order_id;
    struct text allocation_id; /* PART_SHIPPED */
    struct text warehouse_id;
    const struct order_part_line *lines;
    size_t line_count;
    struct text carrier;
    struct text tracking_number;
    int64_t time_us;
};

/* Puts it into the record; the process goes on by order_next_step. What does not fit is nothing. */
void order_take_signal(struct order *order, const struct order_signal *signal, struct arena *arena);

/* --- what the world is told --- */

enum order_event_type {
    EVENT_ORDER_PROMISED,
    EVENT_ORDER_CONFIRMED,
    EVENT_ORDER_SHIPPED,
    EVENT_ORDER_DELIVERED,
    EVENT_ORDER_RETURNED,
    EVENT_ORDER_CANCELLED,
    EVENT_ORDER_EXPIRED,
    EVENT_ORDER_NEEDS_ATTENTION,
};
enum { order_events_max = 4 };

const char *order_event_name(enum order_event_type type); /* "OrderPromised" */

/*
 * The events of a change from `before` to the order's state, in order; marks milestones. Confirmed,
 * shipped and delivered are told once each, also when an order goes past them at once.
 */
size_t order_events(enum order_state before, struct order *order,
                    enum order_event_type events[order_events_max]);

#endif
