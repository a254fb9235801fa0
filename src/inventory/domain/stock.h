#ifndef WAYBILL_INVENTORY_DOMAIN_STOCK_H
#define WAYBILL_INVENTORY_DOMAIN_STOCK_H

#include <stdint.h>

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
};

enum stock_state { STOCK_STATE_IN_STOCK, STOCK_STATE_LOW_STOCK, STOCK_STATE_OUT_OF_STOCK };

enum stock_outcome {
    STOCK_CHANGED,
    STOCK_INSUFFICIENT,       /* less is there than the change needs */
    STOCK_ABOVE_LIMIT,        /* on hand would exceed inventory_on_hand_max */
    STOCK_REVISION_DIFFERENT, /* the caller's expected revision is not the present one */
};

/* received + returned + adjusted − committed: what should be on the shelf. */
int64_t stock_on_hand(const struct stock *stock);

/* on hand − reserved: what may still be promised; negative when a count found less than is
 * promised. */
int64_t stock_available(const struct stock *stock);

/* OUT_OF_STOCK when available ≤ 0, else IN_STOCK. */
enum stock_state stock_state(const struct stock *stock);

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

/* Promises `quantity` > 0 of what is available. CHANGED or INSUFFICIENT. */
enum stock_outcome stock_hold(const struct stock *before, int64_t quantity, int64_t now_us,
                              struct stock *after);

/*
 * Ends a promise of `quantity` of which `committed` (0 .. quantity) leaves for good and the rest is
 * free again. Always taken: on hand may go below 0, for a promise is kept.
 */
void stock_settle(const struct stock *before, int64_t quantity, int64_t committed, int64_t now_us,
                  struct stock *after);

#endif
