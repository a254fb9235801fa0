/*
 * The arithmetic of stock. Sums cannot overflow: each change is at most 10^12 (limits.h), on hand
 * at most 10^15, and 2^63 / 10^12 changes of one SKU do not happen.
 */
#include "inventory/domain/stock.h"

#include "inventory/domain/limits.h"

int64_t stock_on_hand(const struct stock *stock)
{
    return stock->received + stock->returned + stock->adjusted - stock->committed;
}

int64_t stock_available(const struct stock *stock)
{
    return stock_on_hand(stock) - stock->reserved;
}

enum stock_state stock_state(const struct stock *stock)
{
    return stock_available(stock) <= 0 ? STOCK_STATE_OUT_OF_STOCK : STOCK_STATE_IN_STOCK;
}

static void changed(const struct stock *before, int64_t now_us, struct stock *after)
{
    *after = *before;
    after->revision++;
    after->update_time_us = now_us;
}

enum stock_outcome stock_receive(const struct stock *before, int64_t quantity, int64_t now_us,
                                 struct stock *after)
{
    if (stock_on_hand(before) > inventory_on_hand_max - quantity)
        return STOCK_ABOVE_LIMIT;
    changed(before, now_us, after);
    after->received += quantity;
    return STOCK_CHANGED;
}

enum stock_outcome stock_adjust(const struct stock *before, int64_t delta,
                                int64_t expected_revision, int64_t now_us, struct stock *after)
{
    int64_t on_hand = stock_on_hand(before);
    if (expected_revision != 0 && expected_revision != before->revision)
        return STOCK_REVISION_DIFFERENT;
    if (delta < 0 && on_hand + delta < 0)
        return STOCK_INSUFFICIENT;
    if (on_hand + delta > inventory_on_hand_max)
        return STOCK_ABOVE_LIMIT;
    changed(before, now_us, after);
    after->adjusted += delta;
    return STOCK_CHANGED;
}

enum stock_outcome stock_hold(const struct stock *before, int64_t quantity, int64_t now_us,
                              struct stock *after)
{
    if (quantity > stock_available(before))
        return STOCK_INSUFFICIENT;
    changed(before, now_us, after);
    after->reserved += quantity;
    return STOCK_CHANGED;
}

void stock_settle(const struct stock *before, int64_t quantity, int64_t committed, int64_t now_us,
                  struct stock *after)
{
    changed(before, now_us, after);
    after->reserved -= quantity;
    after->committed += committed;
}
