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

int64_t stock_unreserved(const struct stock *stock)
{
    return stock_on_hand(stock) - stock->reserved;
}

int64_t stock_available(const struct stock *stock)
{
    return stock_unreserved(stock) - stock->policy.safety_stock;
}

int64_t stock_grantable(const struct stock *stock)
{
    return stock_available(stock) + stock->policy.backorder_limit;
}

int64_t stock_backordered(const struct stock *stock, int64_t quantity)
{
    int64_t available = stock_available(stock);
    int64_t there = available > 0 ? available : 0;
    return quantity > there ? quantity - there : 0;
}

enum stock_state stock_state(const struct stock *stock)
{
    int64_t available = stock_available(stock);
    if (available <= 0)
        return STOCK_STATE_OUT_OF_STOCK;
    return available <= stock->policy.low_stock_threshold ? STOCK_STATE_LOW_STOCK
                                                          : STOCK_STATE_IN_STOCK;
}

bool stock_allows_quantity(const struct stock *stock, int64_t quantity)
{
    int64_t quantity_max = stock->policy.reservation_quantity_max;
    return quantity_max == 0 || quantity <= quantity_max;
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

void stock_follow(const struct stock *before, int64_t delta, bool is_receipt, int64_t now_us,
                  struct stock *after)
{
    changed(before, now_us, after);
    if (is_receipt)
        after->received += delta;
    else
        after->adjusted += delta;
}

enum stock_outcome stock_hold(const struct stock *before, int64_t quantity, int64_t now_us,
                              struct stock *after)
{
    if (!stock_allows_quantity(before, quantity))
        return STOCK_ABOVE_QUANTITY;
    if (quantity > stock_grantable(before))
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

enum stock_outcome stock_take(const struct stock *before, int64_t quantity, int64_t now_us,
                              struct stock *after)
{
    if (quantity > stock_grantable(before))
        return STOCK_INSUFFICIENT;
    changed(before, now_us, after);
    after->committed += quantity;
    return STOCK_CHANGED;
}

enum stock_outcome stock_return(const struct stock *before, int64_t quantity, int64_t now_us,
                                struct stock *after)
{
    if (stock_on_hand(before) > inventory_on_hand_max - quantity)
        return STOCK_ABOVE_LIMIT;
    changed(before, now_us, after);
    after->returned += quantity;
    return STOCK_CHANGED;
}

static bool is_same_policy(const struct stock_policy *a, const struct stock_policy *b)
{
    return a->low_stock_threshold == b->low_stock_threshold && a->safety_stock == b->safety_stock &&
           a->backorder_limit == b->backorder_limit &&
           a->reservation_quantity_max == b->reservation_quantity_max;
}

enum stock_outcome stock_set_policy(const struct stock *before, const struct stock_policy *policy,
                                    int64_t expected_revision, int64_t now_us, struct stock *after)
{
    if (is_same_policy(&before->policy, policy))
        return STOCK_UNCHANGED;
    if (expected_revision != 0 && expected_revision != before->revision)
        return STOCK_REVISION_DIFFERENT;
    changed(before, now_us, after);
    after->policy = *policy;
    return STOCK_CHANGED;
}

struct stock_crossing stock_crossing(const struct stock *before, const struct stock *after,
                                     bool is_count)
{
    struct stock_crossing crossing = {.after = stock_state(after)};
    crossing.before = before->revision == 0 ? crossing.after : stock_state(before);
    crossing.shortage = is_count && stock_available(before) >= 0 && stock_available(after) < 0;
    if (crossing.before != crossing.after || crossing.shortage) {
        crossing.available = stock_available(after);
        crossing.low_stock_threshold = after->policy.low_stock_threshold;
    }
    return crossing;
}
