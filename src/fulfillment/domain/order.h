#ifndef WAYBILL_FULFILLMENT_DOMAIN_ORDER_H
#define WAYBILL_FULFILLMENT_DOMAIN_ORDER_H

#include "fulfillment/domain/limits.h"
#include "platform/base/arena.h"
#include "platform/base/text.h"
#include "platform/base/violations.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * An order and what is known of it. Amounts are minor units of the order's currency unless they
 * carry their own. Texts and arrays are views of whoever made the order. What happens next is the
 * business of order_process.h.
 */

/* As the interface has it, and two states that nobody outside sees. */
enum order_state {
    ORDER_PROMISED = 1,
    ORDER_CONFIRMING,
    ORDER_CONFIRMED,
    ORDER_SHIPPED,
    ORDER_DELIVERED,
    ORDER_RETURNED,
    ORDER_EXPIRED,
    ORDER_CANCELLED,
    ORDER_NEEDS_ATTENTION,
    ORDER_PROMISING, /* being promised: to everybody else it does not exist yet */
    ORDER_REFUSED,   /* could not be promised: kept for its attempts' numbers alone */
};
enum { order_state_count = ORDER_REFUSED + 1 };

static inline bool order_state_is_hidden(enum order_state state)
{
    return state == ORDER_PROMISING || state == ORDER_REFUSED;
}

const char *order_state_name(enum order_state state); /* "PROMISED" */

enum order_rule { ORDER_CHEAPEST = 1, ORDER_FASTEST };

struct order_money {
    char currency[4]; /* "" = absent */
    int64_t amount_minor;
};

struct order_address {
    struct text name;
    struct text company;
    struct text phone;
    struct text email;
    const struct text *lines;
    size_t line_count;
    struct text city;
    struct text region;
    struct text postal_code;
    struct text country_code;
    bool has_point;
    int32_t latitude_e7;
    int32_t longitude_e7;
};

/* A line, and what the warehouse says of its item. */
struct order_line {
    struct text sku;
    int64_t quantity;
    int64_t unit_value_minor;
    bool is_described;
    struct text name;
    int64_t weight_grams; /* of one */
    struct text hs_code;
    struct text origin_country;
};

struct order_part_line {
    struct text sku;
    int64_t quantity;
    int64_t shipped_quantity; /* once the part is shipped */
};

enum order_parcel_status { PARCEL_ON_ITS_WAY, PARCEL_DELIVERED, PARCEL_RETURNED };

struct order_parcel {
    struct text tracking_number;
    bool is_registered; /* tracking knows it */
    enum order_parcel_status status;
    int64_t delivered_time_us;
};

/* How far the label of a part is. */
enum order_label { LABEL_WANTED, LABEL_BOUGHT, LABEL_VOIDED, LABEL_LOST };

/* What one warehouse sends, as one shipment. */
struct order_part {
    struct text warehouse_id;
    struct order_part_line *lines;
    size_t line_count;
    bool is_located; /* origin and handling are known */
    struct order_address origin;
    int64_t handling_minor;
    uint32_t shipment_attempt; /* what its shipment_id is made of */
    struct text carrier;       /* empty = not chosen yet */
    struct text service_code;
    int64_t amount_minor; /* as rated */
    int64_t estimated_delivery_time_us;
    struct text *tried_carriers; /* that would not take it */
    size_t tried_count;
    enum order_label label;
    struct order_money charged;
    struct order_parcel *parcels;
    size_t parcel_count;
    bool is_shipped;       /* it has left */
    bool shorts_are_given; /* back to inventory: what a short pick lacked */
};

enum order_goal {
    GOAL_NONE, /* it rests */
    GOAL_PROMISE,
    GOAL_CONFIRM,
    GOAL_REFUSE, /* undo a promise that could not be made */
    GOAL_EXPIRE, /* undo a confirmation that could not be made */
    GOAL_CANCEL,
};

/* Of order_process.c's table. */
enum order_step {
    STEP_NONE,
    STEP_DESCRIBE,
    STEP_RESERVE,
    STEP_ALLOCATE,
    STEP_LOCATE,
    STEP_RATE,
    STEP_EXTEND,
    STEP_REPLACE,
    STEP_FIRM,
    STEP_COMMIT, /* the pivot */
    STEP_LABEL,
    STEP_ABANDON,
    STEP_TRACK,
    STEP_RETURN_SHORT,
    STEP_ROLL_BACK,
    STEP_RELEASE,
    STEP_VOID,
    STEP_RETURN,
};
enum { order_step_count = STEP_RETURN + 1 };

/* What has been told to the world once already. */
enum order_milestone { MILESTONE_CONFIRMED = 1, MILESTONE_SHIPPED = 2, MILESTONE_DELIVERED = 4 };

struct order_shortage {
    struct text sku;
    int64_t requested_quantity;
    int64_t available_quantity;
};

/* Why something was refused, for whoever asked. Not kept. */
enum order_refusal_kind {
    REFUSAL_NONE,
    REFUSAL_INSUFFICIENT_STOCK,
    REFUSAL_NOT_FOUND, /* `reason` names what */
    REFUSAL_INVALID,   /* `violations` names what was given wrongly */
    REFUSAL_PRECONDITION,
    REFUSAL_UNAVAILABLE, /* ask again */
};
struct order_refusal {
    enum order_refusal_kind kind;
    struct text reason;  /* "SKU_NOT_FOUND" */
    struct text message; /* for people */
    const struct order_shortage *shortages;
    size_t shortage_count;
    const struct violation *violations; /* paths of PromiseOrder, carriers by their sorted place */
    size_t violation_count;
};

struct order {
    struct text order_id;
    struct text customer_id;
    enum order_state state;
    struct order_line *lines; /* one a SKU, sorted by SKU */
    size_t line_count;
    struct order_address destination;
    char currency[4];
    enum order_rule rule;
    struct text *carriers; /* none = all */
    size_t carrier_count;
    struct text incoterm;
    int64_t ttl_us;
    struct order_part *parts;
    size_t part_count;
    int64_t splits_minor; /* of the allocation */
    int64_t goods_minor;
    int64_t shipping_minor;
    int64_t handling_minor;
    int64_t landed_minor;
    int64_t create_time_us;
    int64_t expire_time_us; /* of the promise */
    struct text attention_reason;
    struct text cancel_reason;
    int64_t revision;

    /* the process */
    enum order_goal goal;
    enum order_step step;
    uint32_t tries; /* of this step, that came to nothing */
    bool pivot_is_passed;
    bool must_reserve; /* the reservation before is of no use */
    uint32_t reservation_attempt;
    uint32_t allocation_attempt;
    uint32_t shipment_attempts; /* given to parts so far */
    int64_t hold_until_us;      /* of the holds being made */
    int64_t give_up_time_us;    /* a confirmation before the pivot */
    uint32_t milestones;

    /* not kept */
    bool must_save;      /* before anything else is called */
    uint32_t lost_holds; /* made anew since the order was loaded */
    struct order_refusal refusal;
};

/*
 * An id of ours in another service: the first 40 hex digits of SHA-256(order_id, step, attempt),
 * the three joined by line feeds, the attempt in decimal (DESIGN section 4). Data is NULL without
 * memory.
 */
struct text order_made_id(struct arena *arena, struct text order_id, const char *step,
                          uint32_t attempt);
struct text order_reservation_id(struct arena *arena, const struct order *order);
struct text order_allocation_id(struct arena *arena, const struct order *order);
struct text order_shipment_id(struct arena *arena, const struct order *order,
                              const struct order_part *part);

/* The line of that SKU, or NULL. */
struct order_line *order_find_line(const struct order *order, struct text sku);

/* What lines are together. */
enum order_lines {
    ORDER_LINES_NORMAL,
    ORDER_LINES_TWO_VALUES, /* one SKU has two unit values */
    ORDER_LINES_TOO_MANY,   /* of one SKU, beyond fulfillment_quantity_max */
};

/*
 * Sums the lines, each within its limits, by SKU and sorts them. Not NORMAL: *failed is the line,
 * by its place before.
 */
enum order_lines order_normalize_lines(struct order_line *lines, size_t *line_count,
                                       size_t *failed);

/* Σ quantity × unit value; false beyond fulfillment_amount_max. */
bool order_goods_value(const struct order_line *lines, size_t line_count, int64_t *goods_minor);

/*
 * Sums up the parts: shipping, handling with splits, and landed cost = goods + shipping + handling.
 * Duties and taxes are not in it. False beyond fulfillment_amount_max; nothing is changed then.
 */
bool order_sum_costs(struct order *order);

/* Grams of what a part holds. */
int64_t order_part_weight_grams(const struct order *order, const struct order_part *part);

/*
 * Into how many parcels of at most parcel_grams_max a part goes; all weigh the same, but for a
 * gram. What is more than fulfillment_parcels_max such parcels is one piece of freight, and so is a
 * part with a unit that is too heavy for a parcel.
 */
size_t order_parcel_count(const struct order *order, const struct order_part *part,
                          int64_t parcel_grams_max);

/* A share of `total` in `count` equal whole parts: the first ones get the rest. */
int64_t order_share(int64_t total, size_t count, size_t index);

/* What a part's goods are worth. */
int64_t order_part_value_minor(const struct order *order, const struct order_part *part);

/* Whether any part of it has left. */
bool order_has_shipped_part(const struct order *order);

/* When the last parcel of the part was delivered; 0 = not all are. */
int64_t order_part_delivered_time_us(const struct order_part *part);

/* The state that its parcels and its parts make, once it is confirmed. */
enum order_state order_settled_state(const struct order *order);

#endif
