#ifndef WAYBILL_MAIN_REPLAY_REPLAY_PLAN_H
#define WAYBILL_MAIN_REPLAY_REPLAY_PLAN_H

#include "main/replay/data_set.h"
#include "platform/base/error.h"
#include "platform/base/text.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * What becomes of each order, and the names of all that a replay creates. Both follow from the data
 * set and the seed alone, so a second run of the same replay wants the same and calls it the same.
 *
 *     receipt       replay:RUN:SKU            one a product
 *     reservation   replay:RUN:ORDER:ATTEMPT  from 1; a hold that ran out while the order was to be
 *                                             paid or cancelled is followed by the next attempt
 *
 * RUN is 12 hex digits of SHA-256(data set's digest, seed). Read only after the making; any thread.
 */
enum order_outcome {
    ORDER_PAID,      /* nine in ten: committed */
    ORDER_CANCELLED, /* the rest: rolled back */
    ORDER_LAPSED, /* one in twenty: held for a short time and never asked about until it is over */
};
enum { order_outcome_count = ORDER_LAPSED + 1 };

enum {
    replay_id_bytes_max = 64,
    replay_attempts_max = 99,
};

static const int64_t replay_lapse_ttl_us = INT64_C(2) * 1000000;

/* Orders and what is in them. */
struct order_totals {
    uint32_t orders;
    uint32_t lines; /* after summing */
    int64_t packs;
};

struct replay_plan {
    const struct data_set *data_set;
    uint64_t seed;
    char prefix[32];   /* "replay:RUN:" */
    uint8_t *outcomes; /* enum order_outcome of each order */
    struct order_totals totals[order_outcome_count];
};

/* A NUL-terminated id. */
struct replay_id {
    char string[replay_id_bytes_max + 1];
};

/* The data set lives as long as the plan. Error: OUT_OF_MEMORY, then there is nothing to release.
 */
struct error replay_plan_init(struct replay_plan *plan, const struct data_set *data_set,
                              uint64_t seed);
void replay_plan_deinit(struct replay_plan *plan);

/* Of one order: a pure function of seed and id, whatever else is in the data set. */
enum order_outcome replay_plan_outcome_of(uint64_t seed, struct text order_id);

static inline enum order_outcome replay_plan_outcome(const struct replay_plan *plan, uint32_t order)
{
    return (enum order_outcome)plan->outcomes[order];
}

struct replay_id replay_plan_receipt_id(const struct replay_plan *plan, uint32_t product);

/* `attempt` is 1 to replay_attempts_max. */
struct replay_id replay_plan_reservation_id(const struct replay_plan *plan, uint32_t order,
                                            uint32_t attempt);

/* Whether the id is that of one of our reservations, and of which. */
bool replay_plan_find_reservation(const struct replay_plan *plan, struct text id, uint32_t *order,
                                  uint32_t *attempt);

#endif
