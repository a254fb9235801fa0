#ifndef WAYBILL_MAIN_REPLAY_PLAN_REPLAY_PLAN_H
#define WAYBILL_MAIN_REPLAY_PLAN_REPLAY_PLAN_H

#include "main/replay/data/data_set.h"
#include "platform/base/error.h"
#include "platform/base/text.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * What is held for the orders and what becomes of it, and the names of all that a replay creates.
 * Both follow from the data set and the seed alone, so a second run of the same replay wants the
 * same and calls it the same.
 *
 * Every order is held and paid. One in twenty is held before and abandoned, one in twenty is held
 * before and cancelled, by a customer who then comes back. So there are more holds than orders:
 * hold i is order i's own for i below the data set's order_count; behind them come the extra ones.
 *
 *     receipt       replay:RUN:SKU             one a product, where there are no warehouses
 *     movement      replay:RUN:in:WAREHOUSE:SKU
 *     allocation    replay:RUN:a:ORDER
 *     order         replay:RUN:o:ORDER:1       where fulfillment takes part; 2 = the extra one
 *     shipment      replay:RUN:s:ORDER:PART    PART from 1: of the order's allocation
 *     parcel        replay:RUN:p:ORDER:LINE    its tracking number; LINE from 1 within the order
 *     reservation   replay:RUN:ORDER:ATTEMPT   from 1; a hold that ran out while it was to be paid
 *                                              or cancelled is followed by the next attempt
 *                   replay:RUN:ORDER:ATTEMPTx  of the extra hold
 *
 * RUN is 12 hex digits of SHA-256(data set's digest, seed). Read only after the making; any thread.
 */
enum hold_outcome {
    HOLD_PAID,      /* committed */
    HOLD_CANCELLED, /* rolled back */
    HOLD_LAPSED,    /* held for a short time and never asked about until it is over */
};
enum { hold_outcome_count = HOLD_LAPSED + 1 };

enum {
    replay_id_bytes_max = 64,
    replay_attempts_max = 99,
};

static const int64_t replay_lapse_ttl_us = INT64_C(2) * 1000000;

/* Holds and what is in them. */
struct hold_totals {
    uint32_t holds;
    uint32_t lines; /* after summing */
    int64_t packs;
};

struct replay_hold {
    uint32_t order; /* of the data set */
    enum hold_outcome outcome;
};

struct replay_plan {
    const struct data_set *data_set;
    uint64_t seed;
    char prefix[32]; /* "replay:RUN:" */
    struct replay_hold *holds;
    uint32_t hold_count;
    uint32_t *extra_holds; /* of each order; data_set_nowhere = none */
    struct hold_totals totals[hold_outcome_count];
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

/*
 * What becomes of the order's extra hold, HOLD_PAID = it has none: a pure function of seed and id,
 * whatever else is in the data set.
 */
enum hold_outcome replay_plan_extra_of(uint64_t seed, struct text order_id);

static inline enum hold_outcome replay_plan_outcome(const struct replay_plan *plan, uint32_t hold)
{
    return plan->holds[hold].outcome;
}

/* The order for which it is held. */
static inline const struct data_set_order *replay_plan_order(const struct replay_plan *plan,
                                                             uint32_t hold)
{
    return &plan->data_set->orders[plan->holds[hold].order];
}

struct replay_id replay_plan_receipt_id(const struct replay_plan *plan, uint32_t product);

/* warehouse_id has at most replay_warehouse_id_bytes_max bytes. */
struct replay_id replay_plan_delivery_id(const struct replay_plan *plan, const char *warehouse_id,
                                         uint32_t product);

/* Whether the id is one of the product's two kinds of receipts. */
bool replay_plan_is_receipt(const struct replay_plan *plan, struct text id, uint32_t product);

struct replay_id replay_plan_allocation_id(const struct replay_plan *plan, uint32_t order);

/* Whether the id is that of one of our allocations, and of which. */
bool replay_plan_find_allocation(const struct replay_plan *plan, struct text id, uint32_t *order);

/* What fulfillment knows the hold's order by. */
struct replay_id replay_plan_order_id(const struct replay_plan *plan, uint32_t hold);

/* Whether the id is that of one of our orders, and of which. */
bool replay_plan_find_order_id(const struct replay_plan *plan, struct text id, uint32_t *hold);

/* The same for the orders of the data set alone, by their place there. */
bool replay_plan_find_own_order(const struct replay_plan *plan, struct text id, uint32_t *order);

/* `part` is from 0. */
struct replay_id replay_plan_shipment_id(const struct replay_plan *plan, uint32_t order,
                                         uint32_t part);

/* Whether the id is that of one of our shipments, and of which. */
bool replay_plan_find_shipment(const struct replay_plan *plan, struct text id, uint32_t *order,
                               uint32_t *part);

/* The tracking number of a line of the data set. */
struct replay_id replay_plan_tracking_number(const struct replay_plan *plan, uint32_t line);

/* Whether the number is that of one of our lines, and of which. */
bool replay_plan_find_parcel(const struct replay_plan *plan, struct text number, uint32_t *line);

/* `attempt` is 1 to replay_attempts_max. */
struct replay_id replay_plan_reservation_id(const struct replay_plan *plan, uint32_t hold,
                                            uint32_t attempt);

/* Whether the id is that of one of our reservations, and of which. */
bool replay_plan_find_reservation(const struct replay_plan *plan, struct text id, uint32_t *hold,
                                  uint32_t *attempt);

#endif
