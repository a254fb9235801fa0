#ifndef WAYBILL_MAIN_REPLAY_STATE_REPLAY_STATE_H
#define WAYBILL_MAIN_REPLAY_STATE_REPLAY_STATE_H

#include "main/replay/data/replay_places.h"
#include "main/replay/findings/ledger_survey.h"
#include "main/replay/findings/on_time_survey.h"
#include "main/replay/plan/order_turns.h"
#include "main/replay/plan/replay_plan.h"
#include "main/replay/plan/replay_supply.h"
#include "main/replay/pump/call_pump.h"
#include "main/replay/pump/latency_sample.h"
#include "main/replay/state/replay_options.h"
#include "main/replay/state/replay_progress.h"
#include "main/replay/state/replay_result.h"
#include "platform/base/buffer.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

struct replay_stage;

/*
 * What a replay knows. Stages act on it, surveys put right what it says; counts follow only through
 * the functions below. Thread: the loop's.
 */
enum { replay_parcel_carriers_max = 3 };

/* Where an order stands in the warehouses. */
enum allocation_progress { ALLOCATION_NONE, ALLOCATION_FIRM, ALLOCATION_SHIPPED };

/* How long after its end, by our clock, a hold may still be found pending. */
static const int64_t replay_lapse_grace_us = INT64_C(10) * 1000000;

/* The state that stages share. */
struct replay {
    struct replay_options options;
    const struct replay_plan *plan;
    const struct data_set *data_set;
    struct call_pump *pump;
    struct replay_progress_file *file;
    struct replay_progress progress;
    uv_timer_t save_timer;
    bool save_timer_is_open;
    struct error save_error; /* of a save by the timer */

    struct hold_status *holds;
    int64_t *look_up_us; /* when a hold that is to lapse is looked up next, monotonic */
    bool *received;      /* by product */
    const struct replay_places *places; /* NULL: only inventory takes part */
    struct replay_supply supply;
    struct order_turns turns; /* in which goods are allocated */
    uint8_t *allocations;     /* enum allocation_progress of each order */
    uint32_t allocation_counts[ALLOCATION_SHIPPED + 1];
    bool has_fulfillment;   /* the server runs it: it holds, allocates and buys labels */
    bool orders_are_listed; /* the survey under way has read a page */
    bool *confirming;       /* of each hold: asked for, and not yet done; or cancelled */
    bool *delivered;        /* of each order */
    uint32_t delivered_count;
    int64_t settle_give_up_us; /* monotonic; what fulfillment has not done by then it never will */
    struct replay_id *allocation_ids;   /* of each order, as fulfillment says */
    struct order_delivery **deliveries; /* of each order: at work, or NULL */
    uint16_t *part_counts;              /* of each order's allocation, as far as it is known */
    bool has_shipping;                  /* the server runs it */
    const char *parcel_carriers[replay_parcel_carriers_max]; /* that it has; none = the tariff */
    size_t parcel_carrier_count;
    bool *consigned; /* of each order: all its labels are there */
    uint32_t consigned_count;
    uint16_t *shipment_counts;                /* of each order, by the latest survey */
    struct order_consignments **consignments; /* of each order: at work, or NULL */
    uint32_t rates_offered;
    uint32_t labels_fetched;
    uint64_t label_bytes;
    bool has_tracking;             /* the server runs it */
    uint8_t *parcels;              /* of each line: its calls that are known to be answered */
    uint32_t parcels_arrived;      /* lines of which all are */
    uint64_t parcel_calls;         /* of all lines together */
    uint64_t parcel_calls_total;   /* when all have arrived */
    struct on_time_survey on_time; /* by the latest survey */
    int64_t feed_give_up_us; /* monotonic; inventory should have heard of the shelves by then */
    struct strategy_totals strategies[replay_strategy_count];
    uint32_t plans_made;      /* of orders, by all strategies */
    struct buffer page_token; /* of the list being read, with its NUL; empty = the first page */
    int64_t lapse_give_up_us; /* monotonic; a hold that should have lapsed by then never will */
    uint32_t received_count;
    uint32_t state_counts[hold_state_count];

    const struct replay_stage *stage; /* NULL = surveying */
    uint64_t stage_calls;             /* answered in stages */
    uint64_t stage_repeated;
    int64_t stage_busy_us; /* with calls in flight, in stages */
    struct latency_sample latencies;
    struct ledger_survey *survey; /* the latest */
    bool counts_are_true;         /* a survey has shown that the server is the file's */
    struct replay_result *result;
};

/*
 * The lists of a replay that nothing is known of yet. Error: OUT_OF_MEMORY; then deinit, too.
 * What stages keep of an order at work is theirs to release before.
 */
__attribute__((warn_unused_result)) struct error replay_state_init(
    struct replay *replay, const struct replay_options *options);
void replay_state_deinit(struct replay *replay);

/* For the stages that allocate goods. */
struct order_turns *replay_turns(void *context);

/* Changes a hold's state and the counts. */
void replay_set_hold(struct replay *replay, uint32_t hold, struct hold_status status);

/* Changes an order's progress and the counts. */
void replay_set_allocation(struct replay *replay, uint32_t order,
                           enum allocation_progress progress);

/* Changes whether fulfillment says that an order is delivered, and the count. */
void replay_set_delivered(struct replay *replay, uint32_t order, bool is_delivered);

/* What the order's allocation is called. */
struct replay_id replay_allocation_id(const struct replay *replay, uint32_t order);

/* Changes whether all labels of an order are there, and the count. */
void replay_set_consigned(struct replay *replay, uint32_t order, bool is_consigned);

/* How many calls a line's life takes: one to open it and one an event. */
uint32_t replay_parcel_calls(const struct replay *replay, uint32_t line);

/* Changes how many of them are done, and the counts. */
void replay_set_parcel(struct replay *replay, uint32_t line, uint32_t calls);

#endif
