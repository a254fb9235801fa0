#ifndef WAYBILL_TRACKING_DOMAIN_TRACKING_STATE_H
#define WAYBILL_TRACKING_DOMAIN_TRACKING_STATE_H

#include "platform/base/text.h"
#include "tracking/domain/tracking_event.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * How the state of a parcel follows from the set of its events and the generations of its number.
 * All functions are pure, and none depends on the order in which events came.
 *
 *  - An event that another one of its number corrects is withdrawn: it counts no more, for ever.
 *  - Events without a type (TRACKING_EVENT_UNSPECIFIED) are kept, but say nothing of the status.
 *  - DELIVERED goes before all others, RETURNED before all but that. Among the others the latest by
 *    occurred_time decides, INFO_RECEIVED only if there is nothing else. One instant: by rank, then
 *    by a fixed hash of the event_id.
 *  - A delivery after a return began is one to the sender: sub-status RETURNED_TO_SENDER.
 */
enum tracking_status {
    TRACKING_STATUS_INFO_RECEIVED = TRACKING_EVENT_INFO_RECEIVED,
    TRACKING_STATUS_PICKED_UP = TRACKING_EVENT_PICKED_UP,
    TRACKING_STATUS_IN_TRANSIT = TRACKING_EVENT_IN_TRANSIT,
    TRACKING_STATUS_AT_FACILITY = TRACKING_EVENT_AT_FACILITY,
    TRACKING_STATUS_OUT_FOR_DELIVERY = TRACKING_EVENT_OUT_FOR_DELIVERY,
    TRACKING_STATUS_DELIVERED = TRACKING_EVENT_DELIVERED,
    TRACKING_STATUS_EXCEPTION = TRACKING_EVENT_EXCEPTION,
    TRACKING_STATUS_RETURNED = TRACKING_EVENT_RETURNED,
    TRACKING_STATUS_CANCELLED = TRACKING_EVENT_CANCELLED,
    TRACKING_STATUS_UNKNOWN,
};

/* DELIVERED, RETURNED, CANCELLED: the parcel's road has ended. */
bool tracking_status_is_terminal(enum tracking_status status);

/* What the state needs of an event. */
struct tracking_fact {
    int64_t occurred_time_us;
    uint64_t id_hash;                  /* tracking_id_hash of its event_id */
    uint64_t corrects_hash;            /* of the event it corrects; 0 = none */
    int64_t expected_delivery_time_us; /* 0 = it says nothing */
    uint8_t type;                      /* enum tracking_event_type */
    uint8_t sub_status;                /* enum tracking_sub_status */
    bool type_is_mapped;
    bool has_location;
    bool withdrawn;
};

/* A fixed hash, never 0: the same in every process and for ever. */
uint64_t tracking_id_hash(struct text event_id);

struct tracking_fact tracking_fact_of(const struct tracking_event *event);

/* Adds what a new fact means for the others and they for it: who is withdrawn. */
void tracking_fact_relate(struct tracking_fact *facts, size_t count, struct tracking_fact *added);

/* --- generations: carriers use numbers again --- */

struct tracking_generation {
    int64_t start_time_us; /* from when the number means this parcel; 0 = nobody said */
    int64_t create_time_us;
    int64_t expected_delivery_time_us; /* at its creation; 0 = nobody said */
    struct text shipment_id;
    struct text order_id;
    bool is_created; /* by CreateTracking; else by an event alone */
};

/* Times from `from_us` on and before `to_us`. */
struct tracking_span {
    int64_t from_us;
    int64_t to_us;
};

/* An event belongs to the last generation that began at most this much after it occurred. */
static const int64_t tracking_generation_lead_us = INT64_C(7) * 86400 * 1000000;

/* After so long without an event a number may be another parcel's. */
static const int64_t tracking_generation_gap_us_default = INT64_C(90) * 86400 * 1000000;

/* The generation that an event of this time belongs to; count > 0. */
size_t tracking_generation_of(const struct tracking_generation *generations, size_t count,
                              int64_t occurred_time_us);

/* The times of the events that belong to it; empty if from_us ≥ to_us. */
struct tracking_span tracking_generation_span(const struct tracking_generation *generations,
                                              size_t count, size_t index);

/* --- the state --- */

static const size_t tracking_no_fact = SIZE_MAX;

struct tracking_verdict {
    enum tracking_status status;
    enum tracking_sub_status sub_status;
    size_t last_fact;    /* index of the latest that occurred, or tracking_no_fact */
    size_t located_fact; /* index of the latest with a location */
    int64_t last_time_us;
    int64_t expected_delivery_time_us; /* 0 = nobody said */
    int64_t original_expected_delivery_time_us;
    int64_t delivered_time_us; /* 0 = not delivered */
    size_t event_count;        /* withdrawn ones included */
};

/* The state of one generation. */
struct tracking_verdict tracking_decide(const struct tracking_fact *facts, size_t count,
                                        const struct tracking_generation *generations,
                                        size_t generation_count, size_t index);

/* --- CreateTracking --- */

enum tracking_creation {
    TRACKING_CREATION_OPEN,     /* a new generation */
    TRACKING_CREATION_COMPLETE, /* `index` is it; it gets what it lacks */
    TRACKING_CREATION_EXISTS,   /* `index` is it, as it is */
    TRACKING_CREATION_REUSED,   /* the number is another shipment's, and that is on its way */
    TRACKING_CREATION_TOO_MANY, /* generations */
};

/* What becomes of CreateTracking for `wanted` (ids and times; start_time_us is set) at `now_us`. */
enum tracking_creation tracking_decide_creation(const struct tracking_fact *facts, size_t count,
                                                const struct tracking_generation *generations,
                                                size_t generation_count,
                                                const struct tracking_generation *wanted,
                                                int64_t now_us, int64_t generation_gap_us,
                                                size_t *index);

/* What a generation becomes that gets what it lacks. */
struct tracking_generation tracking_generation_complete(const struct tracking_generation *present,
                                                        const struct tracking_generation *wanted);

#endif
