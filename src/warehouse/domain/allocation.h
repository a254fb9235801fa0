#ifndef WAYBILL_WAREHOUSE_DOMAIN_ALLOCATION_H
#define WAYBILL_WAREHOUSE_DOMAIN_ALLOCATION_H

#include "platform/base/arena.h"
#include "platform/base/text.h"
#include "warehouse/domain/money.h"
#include "warehouse/domain/shelf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Stock held for an order, in one part a warehouse. The allocation is TENTATIVE until it is
 * confirmed or its time is over, then FIRM; each part of a firm one is shipped or released; when no
 * part is FIRM any more the allocation is SHIPPED if one was shipped, else RELEASED. Terminal is
 * terminal. Pure functions; times in microseconds UTC.
 */
enum allocation_state {
    ALLOCATION_TENTATIVE = 1,
    ALLOCATION_FIRM,
    ALLOCATION_SHIPPED,
    ALLOCATION_RELEASED,
    ALLOCATION_EXPIRED,
};

enum allocation_event {
    ALLOCATION_CONFIRM,
    ALLOCATION_RELEASE,
    ALLOCATION_EXPIRE,
    ALLOCATION_SHIP,
};

enum allocation_strategy {
    STRATEGY_PRIORITY = 1,
    STRATEGY_FEWEST_SPLITS,
    STRATEGY_LOWEST_COST,
};

/* Why a warehouse is or is not used; in the order of the interface's values. */
enum allocation_reason_code {
    REASON_USED = 1,
    REASON_NOT_NEEDED,
    REASON_NO_STOCK,
    REASON_INACTIVE,
    REASON_NO_POINT,
    REASON_NO_COST_CARD,
    REASON_TOO_FAR,
    REASON_CLOSED,
    REASON_NO_CAPACITY,
};

struct allocation_line {
    struct text sku;
    int64_t quantity;
    int64_t shipped_quantity;
    struct pick *picks; /* made, or proposed while the part is not shipped */
    size_t pick_count;
};

struct allocation_part {
    struct text warehouse_id;
    enum allocation_state state;
    struct allocation_line *lines; /* sorted by SKU */
    size_t line_count;
    bool has_distance;
    int64_t distance_metres;
    struct money cost;   /* absent where it cannot be said */
    int64_t ship_day;    /* calendar.h; 0 = none */
    struct text shipped; /* what ShipAllocation shipped, as bytes to compare; empty until then */
};

struct allocation_reason {
    struct text warehouse_id;
    enum allocation_reason_code code;
};

struct allocation {
    struct text allocation_id;
    struct text order_id;       /* may be empty */
    struct text reservation_id; /* may be empty */
    enum allocation_state state;
    enum allocation_strategy strategy;
    struct allocation_part *parts; /* in the order of the plan: priority, then warehouse_id */
    size_t part_count;
    struct money total_cost; /* absent where a part's is */
    bool optimal;
    struct money gap; /* absent when optimal */
    struct allocation_reason *reasons;
    size_t reason_count;
    struct text *runner_up_warehouse_ids; /* none = there is no runner-up */
    size_t runner_up_count;
    struct money runner_up_cost;
    int64_t create_time_us;
    int64_t expire_time_us; /* 0 = made FIRM */
    int64_t revision;
};

/* What an event meets. */
enum allocation_transition {
    ALLOCATION_MOVES,   /* the state may change: of the parts that are open */
    ALLOCATION_STAYS,   /* a repeat: the answer is the record */
    ALLOCATION_REFUSES, /* an error, named by the present state */
};

/*
 * The table of the whole allocation. After SHIP or RELEASE of a FIRM one the state follows from its
 * parts (allocation_state_of_parts). RELEASE of one SHIPPED is a repeat if a part was released
 * before, else refused; SHIP of one SHIPPED is a question of its parts (allocation_ship_decide).
 */
enum allocation_transition allocation_transition(const struct allocation *allocation,
                                                 enum allocation_event event);

/* Whether it holds stock no more, being TENTATIVE: expire_time ≤ now. */
bool allocation_is_due(enum allocation_state state, int64_t expire_time_us, int64_t now_us);

/* FIRM while a part is; then SHIPPED if one was shipped, else RELEASED. */
enum allocation_state allocation_state_of_parts(const struct allocation *allocation);

/* Whether the part holds stock. */
static inline bool allocation_part_is_open(const struct allocation_part *part)
{
    return part->state == ALLOCATION_TENTATIVE || part->state == ALLOCATION_FIRM;
}

/* --- shipping --- */

/* A line of ShipAllocation. With neither zone, bin nor lot: by the proposed picks. */
struct ship_line {
    struct text sku;
    int64_t quantity;
    struct text zone;
    struct text bin;
    struct text lot;
    size_t index; /* in the request */
};

enum ship_outcome {
    SHIP_NOW,
    SHIP_REPEATED,       /* the same was shipped before: the answer is the record */
    SHIP_NOT_FIRM,       /* TENTATIVE, RELEASED or EXPIRED */
    SHIP_SHIPPED,        /* other lines than before */
    SHIP_PART_NOT_FOUND, /* no part at that warehouse */
    SHIP_PART_AMBIGUOUS, /* lines, and several parts not yet shipped */
    SHIP_LINES_NOT_HELD, /* `failed` is the request's line that the part does not hold */
    SHIP_OUT_OF_MEMORY,
};

struct ship_decision {
    enum ship_outcome outcome;
    size_t failed;
    enum allocation_state part_state; /* with SHIP_NOT_FIRM: whose */
    bool *parts;                      /* SHIP_NOW: which are shipped */
    struct text shipped;              /* what is kept in each of them */
};

/*
 * What a ShipAllocation does: `warehouse_id` empty = every part not yet shipped; lines none = all.
 * `lines` are brought into normal form in place (*line_count may shrink; 0 = all, also when they
 * name everything). Memory comes from the arena.
 */
struct ship_decision allocation_ship_decide(const struct allocation *allocation,
                                            struct text warehouse_id, struct ship_line *lines,
                                            size_t *line_count, struct arena *arena);

/* What a short pick lacks. */
struct short_line {
    struct text warehouse_id;
    struct text sku;
    int64_t allocated_quantity;
    int64_t shipped_quantity;
};

#endif
