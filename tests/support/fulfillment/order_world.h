#ifndef WAYBILL_TESTS_SUPPORT_FULFILLMENT_ORDER_WORLD_H
#define WAYBILL_TESTS_SUPPORT_FULFILLMENT_ORDER_WORLD_H

#include "fulfillment/domain/order_process.h"
#include "platform/base/random.h"

/*
 * The four services as an order sees them, in memory: each call has its effect once for its id, and
 * the answer is the record as it is now, as the real ones promise. Faults are dealt from a seed:
 * a request that gets lost, an answer that gets lost, a carrier that refuses, is away, or does not
 * say. What is held and bought is counted, so that a test can say: nothing is held twice, nothing
 * is left.
 *
 * Two SKUs: "A" and "B"; two warehouses: "W1" has A, "W2" has B. Three carriers: "c1" is cheapest,
 * "c2" next, "c3" last; "c3" is the fastest.
 */
enum { world_records_max = 64 };

enum world_reservation_state {
    WORLD_PENDING = 1,
    WORLD_COMMITTED,
    WORLD_ROLLED_BACK,
    WORLD_EXPIRED
};
enum world_allocation_state {
    WORLD_TENTATIVE = 1,
    WORLD_FIRM,
    WORLD_SHIPPED,
    WORLD_RELEASED,
    WORLD_OVER
};
enum world_shipment_state {
    WORLD_CREATED = 1,
    WORLD_FAILED,
    WORLD_UNKNOWN,
    WORLD_CANCELLED,
    WORLD_STUCK /* a person must decide: a test puts it there, and takes it away */
};

struct world_reservation {
    char id[65];
    enum world_reservation_state state;
    int64_t quantity[2];
    int64_t expire_time_us;
    bool is_returned;
};

struct world_allocation {
    char id[65];
    enum world_allocation_state state;
    int64_t quantity[2];
    int64_t expire_time_us;
};

struct world_shipment {
    char id[65];
    enum world_shipment_state state;
    char carrier[8];
    unsigned asked; /* of an unknown one */
};

struct order_world {
    struct order_services base;
    struct random *random;
    int64_t now_us;
    int64_t on_hand[2]; /* inventory's */
    int64_t reserved[2];
    int64_t shelf[2]; /* the warehouses' */
    int64_t allocated[2];
    struct world_reservation reservations[world_records_max];
    size_t reservation_count;
    struct world_allocation allocations[world_records_max];
    size_t allocation_count;
    struct world_shipment shipments[world_records_max];
    size_t shipment_count;
    size_t tracking_count; /* opened, each number once */
    char trackings[world_records_max][80];

    unsigned lost_requests_percent;
    unsigned lost_answers_percent;
    unsigned carrier_trouble_percent; /* refuses, is away, does not say */
    bool never_answers[order_call_kind_count];
    unsigned calls[order_call_kind_count];

    /* how answers come: NULL = at once, from within (never for the application) */
    void (*answer_later)(struct order_world *world, struct order_call *call);
};

void order_world_init(struct order_world *world, struct random *random, int64_t now_us);

/* Time passes; what is due expires. */
void order_world_pass(struct order_world *world, int64_t duration_us);

/* Effect and answer of one call, without its `done`. */
void order_world_answer(struct order_world *world, struct order_call *call);

/* A picker ships the allocation whole. False: it is not FIRM. */
bool order_world_ship(struct order_world *world, const char *allocation_id);

/* What is alive: pending, committed and not returned; tentative and firm; bought labels. */
size_t order_world_pending(const struct order_world *world);
size_t order_world_committed(const struct order_world *world);
size_t order_world_allocations(const struct order_world *world);
size_t order_world_labels(const struct order_world *world);

/* An order of 2 A and 1 B, as PromiseOrder would begin it. On the arena. */
struct order *order_world_order(struct arena *arena, const char *order_id);

/* The order as a store would give it back: nothing shared that changes, nothing not kept. */
struct order *order_world_copy(struct arena *arena, const struct order *order);

#endif
