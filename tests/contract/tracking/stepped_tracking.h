#ifndef WAYBILL_TESTS_CONTRACT_TRACKING_STEPPED_TRACKING_H
#define WAYBILL_TESTS_CONTRACT_TRACKING_STEPPED_TRACKING_H

#include "tests/support/fake_clock.h"
#include "tests/support/temporary_directory.h"
#include "tests/support/tracking/tracking_call.h"
#include "tracking/infrastructure/embedded/embedded_tracking.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * The embedded store in a directory of its own, stepped by the test on a fake clock: what it does
 * by itself in days, it does in a moment. Failures fail the test (cmocka).
 */
struct stepped_tracking {
    struct fake_clock clock;
    struct random_seeded random;
    struct temporary_directory directory;
    struct embedded_tracking_options options;
    struct tracking_repository *repository;
    struct tracking_caller caller;
};

/* Those of a store so small that segments, batches and flushes end often. */
struct embedded_tracking_options small_tracking_options(const struct temporary_directory *directory,
                                                        struct clock *clock, struct random *random);

/* Directory and options; these may be changed before it is opened. */
void stepped_tracking_init(struct stepped_tracking *stepped, int64_t start_us);
void stepped_tracking_open(struct stepped_tracking *stepped);
void stepped_tracking_restart(struct stepped_tracking *stepped, bool killed);
void stepped_tracking_deinit(struct stepped_tracking *stepped);

/* Time goes by, minute by minute at its end, and the store works as it would by itself. */
void stepped_tracking_pass(struct stepped_tracking *stepped, int64_t duration_us);

/* An event of UPS, now. */
void stepped_tracking_record(struct stepped_tracking *stepped, const char *number, const char *id,
                             enum tracking_event_type type);

#endif
