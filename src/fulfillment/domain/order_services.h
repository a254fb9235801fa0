#ifndef WAYBILL_FULFILLMENT_DOMAIN_ORDER_SERVICES_H
#define WAYBILL_FULFILLMENT_DOMAIN_ORDER_SERVICES_H

#include "fulfillment/domain/order.h"

/*
 * The port to the services that an order needs. A call says which of them is meant and for which
 * part; what is sent is made of the order as it is then. Every call that changes something goes
 * under an id made from the order's (order_made_id) or is absolute, so it may be made again after
 * any failure and has its effect once.
 *
 * The adapter gives each call a deadline, repeats it within that where that can help, and keeps
 * calls away from a service that fails. Thread: the one that drives orders; `done` runs there,
 * exactly once, never before the call returned.
 */
enum order_call_kind {
    CALL_NONE,
    CALL_GET_ITEM,           /* warehouse: of lines[item] */
    CALL_RESERVE,            /* inventory */
    CALL_ALLOCATE,           /* warehouse: TENTATIVE until order->hold_until_us */
    CALL_GET_WAREHOUSE,      /* warehouse: of the part */
    CALL_GET_RATES,          /* shipping: of the part */
    CALL_EXTEND_RESERVATION, /* inventory: by order->ttl_us */
    CALL_CONFIRM_ALLOCATION, /* warehouse */
    CALL_COMMIT,             /* inventory: also a reservation that has expired, if it is free */
    CALL_CREATE_SHIPMENT,    /* shipping: of the part */
    CALL_CREATE_TRACKING,    /* tracking: of the part's parcels[item] */
    CALL_RETURN_STOCK,       /* inventory: of all parts that have not left */
    CALL_RETURN_SHORT,       /* inventory: what the part's short pick lacked */
    CALL_ROLL_BACK,          /* inventory */
    CALL_RELEASE_ALLOCATION, /* warehouse */
    CALL_CANCEL_SHIPMENT,    /* shipping: of the part */
};
enum { order_call_kind_count = CALL_CANCEL_SHIPMENT + 1 };

/* What came of a call: all that the process tells apart. */
enum order_call_outcome {
    CALL_DONE,
    CALL_INSUFFICIENT_STOCK, /* `shortages` */
    CALL_HOLD_EXPIRED,       /* the reservation or allocation has */
    CALL_HOLD_GONE,          /* rolled back, released, not known (any more): it holds nothing */
    CALL_HOLD_USED,          /* the reservation is committed, the allocation shipped */
    CALL_CARRIER_REFUSED,    /* surely nothing was bought; another carrier may take it */
    CALL_CARRIER_AWAY,       /* the carrier cannot be asked now; nothing was bought */
    CALL_PENDING,            /* the carrier's answer is not known yet; shipping finds out */
    CALL_STUCK,              /* a person must decide at that service */
    CALL_REFUSED,            /* the same call would be refused again: `refusal` */
    CALL_UNAVAILABLE,        /* done or not: ask again */
};
enum { order_call_outcome_count = CALL_UNAVAILABLE + 1 };

struct order_allocated_part {
    struct text warehouse_id;
    struct order_part_line *lines;
    size_t line_count;
    int64_t cost_minor;
    bool is_shipped;
};

struct order_rate {
    struct text carrier;
    struct text service_code;
    struct order_money amount;
    int64_t estimated_delivery_time_us; /* 0 = not said */
};

struct order_call;
typedef void order_call_done(struct order_call *call);

/* The caller sets the first part and keeps all of it until `done`. */
struct order_call {
    enum order_call_kind kind;
    const struct order *order;
    size_t part;
    size_t item;
    struct arena *arena; /* results live there */

    enum order_call_outcome outcome; /* results */
    struct order_refusal refusal;    /* of all outcomes but DONE: why, as the service says it */

    struct text item_name; /* GET_ITEM */
    int64_t weight_grams;
    struct text hs_code;
    struct text origin_country;
    int64_t expire_time_us;                 /* RESERVE, EXTEND_RESERVATION */
    struct order_allocated_part *allocated; /* ALLOCATE, RELEASE_ALLOCATION */
    size_t allocated_count;
    struct order_money total_cost;
    struct order_address origin; /* GET_WAREHOUSE */
    struct order_money handling;
    struct order_rate *rates; /* GET_RATES */
    size_t rate_count;
    struct text *tracking_numbers; /* CREATE_SHIPMENT */
    size_t tracking_number_count;
    struct order_money charged;

    order_call_done *done; /* the adapter's from here */
    void *context;
    struct order_call *next;
};

struct order_services;

struct order_services_table {
    void (*call)(struct order_services *services, struct order_call *call);
};

struct order_services {
    const struct order_services_table *table;
};

static inline void order_services_call(struct order_services *services, struct order_call *call,
                                       order_call_done *done, void *context)
{
    call->done = done;
    call->context = context;
    services->table->call(services, call);
}

#endif
