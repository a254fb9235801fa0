#ifndef WAYBILL_TESTS_SUPPORT_FAKE_CLOCK_H
#define WAYBILL_TESTS_SUPPORT_FAKE_CLOCK_H

#include "platform/base/clock.h"

#include <stdatomic.h>
#include <stdint.h>

/*
 * A clock that stands still until a test moves it. Thread: any, as every clock.
 */
struct fake_clock {
    struct clock base;
    _Atomic int64_t now_us;
    _Atomic int64_t monotonic_us;
};

/* Both clocks; the monotonic one starts at 0. */
void fake_clock_init(struct fake_clock *clock, int64_t now_us);

/* Time passes: both clocks go on by `duration_us` ≥ 0. */
void fake_clock_advance(struct fake_clock *clock, int64_t duration_us);

/* Somebody set the wall clock, maybe back; the monotonic one does not see it. */
void fake_clock_step(struct fake_clock *clock, int64_t difference_us);

#endif
