#ifndef WAYBILL_SHIPPING_APPLICATION_SERVICE_STATE_H
#define WAYBILL_SHIPPING_APPLICATION_SERVICE_STATE_H

#include "platform/base/hash_map.h"
#include "shipping/application/rate_id.h"
#include "shipping/application/shipping_service.h"

#include <stdatomic.h>

/*
 * What the use cases share. Everything here belongs to the service's thread but the counters and
 * what is fixed from the start: options, sealer and the list of carriers.
 */

/* Runs once, at or after its instant. Zeroed = not set. */
struct service_timer {
    struct service_timer *previous;
    struct service_timer *next;
    int64_t at_us; /* monotonic */
    bool is_set;
    void (*run)(struct service_timer *timer);
};

/* What is asked of carriers, for the counters. */
enum carrier_question {
    QUESTION_RATE,
    QUESTION_CREATE,
    QUESTION_CANCEL,
    QUESTION_TRACK,
    QUESTION_FIND,
};
enum { carrier_question_count = QUESTION_FIND + 1 };
enum { carrier_verdict_count = CARRIER_UNSUPPORTED + 1 };

struct service_counters {
    _Atomic uint64_t answers[shipping_carriers_max][carrier_question_count][carrier_verdict_count];
    _Atomic uint64_t ended[shipment_state_count]; /* purchases and look-ups, by the new state */
    _Atomic uint64_t purchases;                   /* now */
    _Atomic uint64_t pushes[SHIPPING_PUSH_UNAVAILABLE + 1];
    _Atomic uint64_t scans; /* new ones */
    _Atomic uint64_t unread_shapes;
    _Atomic uint64_t audits_lost;
    _Atomic uint64_t unwanted_labels; /* bought for an attempt that was over */
    /* As last counted by the store, each up to shipping_open_count_max. */
    _Atomic uint64_t shipments_need_attention, shipments_cancelling, labels_to_void,
        labels_need_attention, unread_pushes;
};

struct resolver {
    struct service_timer timer;
    bool runs;    /* a page is being worked through */
    bool has_run; /* once since the start */
};

struct voider {
    struct service_timer timer;
    bool runs;
    bool again; /* a label was found while it ran */
};

struct push_reader {
    struct service_timer timer;
    bool runs;
    bool again; /* something came while it ran */
};

struct shipping_service {
    struct shipping_service_options options;
    struct rate_sealer sealer; /* fixed */
    struct carrier *carriers[shipping_carriers_max];
    struct service_timer *timers; /* by instant */
    struct service_timer *last_timer;
    struct hash_map flights; /* shipment_id → struct flight */
    uint64_t hash_seed;
    size_t jobs; /* calls and background work that have not ended */
    bool closing;
    struct resolver resolver;
    struct voider voider;
    struct push_reader pushes;
    size_t audits; /* being kept */
    struct service_counters counters;
};

/* --- life of work --- */

void service_job_begin(struct shipping_service *service);
/* May end the service: nothing of it must be touched afterwards if it is closing. */
void service_job_end(struct shipping_service *service);

/* Calls back with the results that are set; the call is gone. */
void call_finish(struct shipping_call *call);
void call_fail(struct shipping_call *call, const struct error *error);
/* `why` is formatted onto the call's arena. */
__attribute__((format(printf, 3, 4))) void call_refuse(struct shipping_call *call,
                                                       enum shipping_refusal refusal,
                                                       const char *format, ...);
void call_fail_without_memory(struct shipping_call *call);

/* Whether the caller's deadline has passed. */
bool call_is_late(const struct shipping_call *call);

/* How long a carrier may take: until the caller's deadline, less a margin, at most `limit_us`. */
int64_t call_time_left_us(const struct shipping_call *call, int64_t limit_us);

/* --- time --- */

int64_t service_now_us(struct shipping_service *service); /* UTC */
int64_t service_monotonic_us(struct shipping_service *service);
void service_timer_set(struct shipping_service *service, struct service_timer *timer,
                       int64_t delay_us, void (*run)(struct service_timer *timer));
/* It does not run any more; nothing happens if it is not set. */
void service_timer_clear(struct shipping_service *service, struct service_timer *timer);

/* How often what is due is looked for: often enough for the first look-up to be on time. */
int64_t service_pause_us(const struct shipping_service *service);

/* --- carriers --- */

/* NULL = no carrier of that name; *index where it stands. */
struct carrier *service_carrier(struct shipping_service *service, struct text name, size_t *index);
void service_count(struct shipping_service *service, size_t carrier, enum carrier_question question,
                   enum carrier_verdict verdict);

/* That the carrier has no call to void a label, and what to do then. */
struct text no_void_words(struct arena *arena, const struct carrier *carrier);

/* "the carrier refused (111210): words" on the arena; a literal without memory. */
struct text outcome_words(struct arena *arena, const struct carrier_outcome *outcome);

/* --- commands --- */

/* Fills the base of a zeroed command. Without deadline: what is asked must be answered. */
void command_begin(struct shipping_service *service, struct shipping_command *base,
                   enum shipping_command_kind kind, struct arena *arena);
void command_run(struct shipping_service *service, struct shipping_command *command,
                 shipping_done *done);

/* The use cases. */
typedef void shipping_use_case(struct shipping_call *call);
shipping_use_case run_get_rates, run_create_shipment, run_get_shipment, run_list_shipments,
    run_cancel_shipment, run_resolve_shipment, run_get_label, run_get_tracking_info,
    run_list_carriers, run_list_unread_pushes, run_replay_unread_pushes, run_list_unwanted_labels,
    run_resolve_unwanted_label;

#endif
