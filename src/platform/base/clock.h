#ifndef WAYBILL_PLATFORM_BASE_CLOCK_H
#define WAYBILL_PLATFORM_BASE_CLOCK_H

#include <stdint.h>

/*
 * Time is a port (DESIGN section 3 rule 9). An adapter has `struct clock` as its first member.
 * Thread: any, for all adapters.
 */
struct clock;

struct clock_table {
    int64_t (*now_us)(struct clock *clock);
    int64_t (*monotonic_us)(struct clock *clock);
};

struct clock {
    const struct clock_table *table;
};

/* Microseconds since 1970-01-01 UTC. May run back: whoever stores times keeps the highest. */
static inline int64_t clock_now_us(struct clock *clock)
{
    return clock->table->now_us(clock);
}

/* Microseconds since some instant; never runs back. For durations. */
static inline int64_t clock_monotonic_us(struct clock *clock)
{
    return clock->table->monotonic_us(clock);
}

/* The machine's clocks (CLOCK_REALTIME, CLOCK_MONOTONIC). One object for the process. */
struct clock *clock_system(void);

#endif
