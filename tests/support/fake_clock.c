/* Two atomic numbers behind the clock port. Nothing can fail. */
#include "tests/support/fake_clock.h"

#include "platform/base/check.h"

static int64_t fake_now_us(struct clock *clock)
{
    return atomic_load(&((struct fake_clock *)clock)->now_us);
}

static int64_t fake_monotonic_us(struct clock *clock)
{
    return atomic_load(&((struct fake_clock *)clock)->monotonic_us);
}

void fake_clock_init(struct fake_clock *clock, int64_t now_us)
{
    static const struct clock_table table = {
        .now_us = fake_now_us,
        .monotonic_us = fake_monotonic_us,
    };
    clock->base.table = &table;
    atomic_init(&clock->now_us, now_us);
    atomic_init(&clock->monotonic_us, 0);
}

void fake_clock_advance(struct fake_clock *clock, int64_t duration_us)
{
    CHECK(duration_us >= 0);
    atomic_fetch_add(&clock->now_us, duration_us);
    atomic_fetch_add(&clock->monotonic_us, duration_us);
}

void fake_clock_step(struct fake_clock *clock, int64_t difference_us)
{
    atomic_fetch_add(&clock->now_us, difference_us);
}
