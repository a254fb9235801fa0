/* Everything happens on the test's thread, within embedded_tracking_step. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/contract/tracking/stepped_tracking.h"

static const int64_t minute_us = INT64_C(60) * 1000000;

static void step(void *context)
{
    struct stepped_tracking *stepped = context;
    struct error error = embedded_tracking_step(stepped->repository);
    assert_string_equal(error.detail, "");
}

struct embedded_tracking_options small_tracking_options(const struct temporary_directory *directory,
                                                        struct clock *clock, struct random *random)
{
    struct embedded_tracking_options options = embedded_tracking_options_default();
    options.directory = directory->path;
    options.clock = clock;
    options.random = random;
    options.segment_bytes = 1 << 20;
    options.batch_bytes_max = 1 << 18;
    options.memory_bytes_max = 4 << 20;
    options.free_bytes_min = 0;
    return options;
}

void stepped_tracking_init(struct stepped_tracking *stepped, int64_t start_us)
{
    fake_clock_init(&stepped->clock, start_us);
    random_seeded_init(&stepped->random, 1);
    temporary_directory_create(&stepped->directory);
    stepped->options =
        small_tracking_options(&stepped->directory, &stepped->clock.base, &stepped->random.base);
    stepped->options.threaded = false;
}

void stepped_tracking_open(struct stepped_tracking *stepped)
{
    struct error error = embedded_tracking_open(&stepped->repository, &stepped->options);
    assert_string_equal(error.detail, "");
    tracking_caller_init(&stepped->caller, stepped->repository);
    stepped->caller.work = step;
    stepped->caller.work_context = stepped;
}

void stepped_tracking_restart(struct stepped_tracking *stepped, bool killed)
{
    tracking_caller_deinit(&stepped->caller);
    if (killed)
        embedded_tracking_abandon(stepped->repository);
    else
        embedded_tracking_close(stepped->repository);
    stepped_tracking_open(stepped);
}

void stepped_tracking_deinit(struct stepped_tracking *stepped)
{
    tracking_caller_deinit(&stepped->caller);
    embedded_tracking_close(stepped->repository);
    temporary_directory_remove(&stepped->directory);
}

void stepped_tracking_pass(struct stepped_tracking *stepped, int64_t duration_us)
{
    fake_clock_advance(&stepped->clock, duration_us - 10 * minute_us);
    for (int i = 0; i < 10; i++) {
        fake_clock_advance(&stepped->clock, minute_us);
        for (int j = 0; j < 4; j++)
            step(stepped);
    }
}

void stepped_tracking_record(struct stepped_tracking *stepped, const char *number, const char *id,
                             enum tracking_event_type type)
{
    struct tracking_call call = {.kind = TRACKING_CALL_RECORD_EVENT};
    call.record_event.event = (struct tracking_event){
        .event_id = text_of(id),
        .carrier = text_of("ups"),
        .tracking_number = text_of(number),
        .type = type,
        .occurred_time_us = clock_now_us(&stepped->clock.base),
        .source = text_of("test"),
    };
    tracking_call_run(&stepped->caller, &call);
    assert_string_equal(stepped->caller.error.detail, "");
    assert_int_equal(call.base.outcome, TRACKING_DONE);
}
