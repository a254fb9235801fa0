/* The machine's clock. clock_gettime cannot fail for these two clocks on Linux. */
#include "platform/base/clock.h"

#include "platform/base/check.h"

#include <time.h>

static int64_t read_us(clockid_t id)
{
    struct timespec time;
    CHECK(clock_gettime(id, &time) == 0);
    return (int64_t)time.tv_sec * 1000000 + time.tv_nsec / 1000;
}

static int64_t system_now_us(struct clock *clock)
{
    (void)clock;
    return read_us(CLOCK_REALTIME);
}

static int64_t system_monotonic_us(struct clock *clock)
{
    (void)clock;
    return read_us(CLOCK_MONOTONIC);
}

struct clock *clock_system(void)
{
    static const struct clock_table table = {
        .now_us = system_now_us,
        .monotonic_us = system_monotonic_us,
    };
    static struct clock clock = {.table = &table};
    return &clock;
}
