#ifndef WAYBILL_INVENTORY_DOMAIN_STOCK_H
#define WAYBILL_INVENTORY_DOMAIN_STOCK_H

#include <stdbool.h>
#include <stdint.h>

/*
 * How a SKU may be promised; all zero until somebody sets it. Each 0 to inventory_quantity_max.
 */
struct stock_policy {
    int64_t low_stock_threshold;      /* LOW_STOCK while available ≤ this */
    int64_t safety_stock;             /* of on hand, never promised */
    int64_t backorder_limit;          /* so much may be promised beyond what is available */
    int64_t reservation_quantity_max; /* of the SKU in one reservation; 0 = any */
};

/*
 * The stock of one SKU and every way in which it may change (DESIGN section 4, inventory). Pure
 * functions: they take the stock before and give the stock after; the caller stores it, or not.
 * All quantities are units of the SKU, all times microseconds UTC.
 */
struct stock {
    int64_t received; /* running totals since the first receipt */
    int64_t returned;
    int64_t adjusted; /* the sum of signed corrections */
    int64_t committed;
    int64_t reserved; /* held by pending reservations now */
    int64_t revision; /* + 1 with each change */
    int64_t update_time_us;
    struct stock_policy policy;
};

enum stock_state { STOCK_STATE_IN_STOCK, STOCK_STATE_LOW_STOCK, STOCK_STATE_OUT_OF_STOCK };

enum stock_outcome {
    STOCK_CHANGED,
    STOCK_INSUFFICIENT,       /* less is there than the change needs */
    STOCK_ABOVE_LIMIT,        /* on hand would exceed inventory_on_hand_max */
    STOCK_REVISION_DIFFERENT, /* the caller's expected revision is not the present one */
    STOCK_ABOVE_QUANTITY,     /* more than one reservation may have */
    STOCK_UNCHANGED,          /* it is so already */
};

/* What a change did to the state: the events StockAlert and StockShortage. */
struct stock_crossing {
    enum stock_state before;
    enum stock_state after; /* other than before: StockAlert */
    bool shortage;          /* a count found less than is promised: StockShortage */
    int64_t available;      /* after the change; set with either */
    int64_t low_stock_threshold;
};

/* received + returned + adjusted − committed: what should be on the shelf. */
int64_t stock_on_hand(const struct stock *stock);

/* on hand − reserved: what no reservation holds; the ledger's account AVAILABLE. */
int64_t stock_unreserved(const struct stock *stock);

/*
 * on hand − reserved − safety stock: what may still be promised; negative when a count found less
 * than is promised, or by backorders.
 */
int64_t stock_available(const struct stock *stock);

/* available + backorder limit: the most that a reservation gets; may be negative. */
int64_t stock_grantable(const struct stock *stock);

/* What of a promise of `quantity` is not there: what exceeds max(available, 0). */
int64_t stock_backordered(const struct stock *stock, int64_t quantity);

/* OUT_OF_STOCK when available ≤ 0, LOW_STOCK when ≤ the threshold, else IN_STOCK. */
enum stock_state stock_state(const struct stock *stock);

/* Whether one reservation may have so much of it (reservation_quantity_max). */
bool stock_allows_quantity(const struct stock *stock, int64_t quantity);

/* Goods came in; quantity > 0. CHANGED or ABOVE_LIMIT. */
enum stock_outcome stock_receive(const struct stock *before, int64_t quantity, int64_t now_us,
                                 struct stock *after);

/*
 * On hand was found to differ by delta ≠ 0. It never goes below 0 (INSUFFICIENT); it may go below
 * what is reserved. expected_revision 0 = any. CHANGED, INSUFFICIENT, ABOVE_LIMIT,
 * REVISION_DIFFERENT.
 */
enum stock_outcome stock_adjust(const struct stock *before, int64_t delta,
                                int64_t expected_revision, int64_t now_us, struct stock *after);

/*
 * The shelf changed by delta ≠ 0, as goods that came (`is_receipt`) or as a correction. Always
 * taken: the shelf is the truth, also where on hand goes below 0 or beyond its limit by it.
 */
void stock_follow(const struct stock *before, int64_t delta, bool is_receipt, int64_t now_us,
                  struct stock *after);

/*
 * Promises `quantity` > 0, if it is no more than grantable. CHANGED, INSUFFICIENT, or
 * ABOVE_QUANTITY (which goes before INSUFFICIENT): more than reservation_quantity_max.
 */
enum stock_outcome stock_hold(const struct stock *before, int64_t quantity, int64_t now_us,
                              struct stock *after);

/*
 * Ends a promise of `quantity` of which `committed` (0 .. quantity) leaves for good and the rest is
 * free again. Always taken: on hand may go below 0, for a promise is kept.
 */
void stock_settle(const struct stock *before, int64_t quantity, int64_t committed, int64_t now_us,
                  struct stock *after);

/*
 * Takes `quantity` > 0 for good without a promise before it, if it is no more than grantable.
 * CHANGED or INSUFFICIENT.
 */
enum stock_outcome stock_take(const struct stock *before, int64_t quantity, int64_t now_us,
                              struct stock *after);

/* Committed goods are back, `quantity` > 0 of them. CHANGED or ABOVE_LIMIT. */
enum stock_outcome stock_return(const struct stock *before, int64_t quantity, int64_t now_us,
                                struct stock *after);

/*
 * Sets the policy as a whole. CHANGED; UNCHANGED (it is the present one, whatever revision was
 * expected: a repeat); REVISION_DIFFERENT. expected_revision 0 = any.
 */
enum stock_outcome stock_set_policy(const struct stock *before, const struct stock_policy *policy,
                                    int64_t expected_revision, int64_t now_us, struct stock *after);

/*
 * What a change from `before` to `after` has crossed, in either direction. A SKU's first receipt
 * (`before` all zero) crosses nothing. Only a count (`is_count`: an adjustment downwards) makes a
 * shortage: available was not negative and is now.
 */
struct stock_crossing stock_crossing(const struct stock *before, const struct stock *after,
                                     bool is_count);

#endif
