/* One counter that never passes its maximum, whoever comes at the same time. */
#include "platform/resilience/bulkhead.h"

#include "platform/base/check.h"

void bulkhead_init(struct bulkhead *bulkhead, uint32_t inside_max)
{
    CHECK(inside_max > 0);
    atomic_init(&bulkhead->inside, 0);
    bulkhead->inside_max = inside_max;
}

bool bulkhead_enter(struct bulkhead *bulkhead)
{
    uint32_t inside = atomic_load_explicit(&bulkhead->inside, memory_order_relaxed);
    do {
        if (inside >= bulkhead->inside_max)
            return false;
    } while (!atomic_compare_exchange_weak(&bulkhead->inside, &inside, inside + 1));
    return true;
}

void bulkhead_leave(struct bulkhead *bulkhead)
{
    uint32_t before = atomic_fetch_sub(&bulkhead->inside, 1);
    CHECK(before > 0);
}

uint32_t bulkhead_inside(const struct bulkhead *bulkhead)
{
    return atomic_load_explicit(&bulkhead->inside, memory_order_relaxed);
}
