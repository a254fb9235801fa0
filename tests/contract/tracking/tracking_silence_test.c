/*
 * Goal: a parcel on its way of which nothing is heard for too long is told of once, again only
 * after another event and another silence, whatever restarts in between; one that has arrived never
 * (DESIGN section 4, "no scan since"). Method: the embedded store stepped by the test on a fake
 * clock; what it announces is read from its log.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "platform/base/log.h"
#include "tests/contract/tracking/stepped_tracking.h"

#include <stdio.h>

static const int64_t start_us = INT64_C(1800000000) * 1000000;
static const int64_t minute_us = INT64_C(60) * 1000000;
static const int64_t day_us = INT64_C(86400) * 1000000;

enum { silence_days = 5, announcements_max = 100, arena_bytes_max = 64 << 20 };

static int set_up(void **state)
{
    static struct stepped_tracking fixture;
    stepped_tracking_init(&fixture, start_us);
    fixture.options.silence_us = silence_days * day_us;
    stepped_tracking_open(&fixture);
    *state = &fixture;
    return 0;
}

static int tear_down(void **state)
{
    stepped_tracking_deinit(*state);
    return 0;
}

static void create(struct stepped_tracking *fixture, const char *number)
{
    struct tracking_call call = {.kind = TRACKING_CALL_CREATE};
    call.create.carrier = text_of("ups");
    call.create.tracking_number = text_of(number);
    call.create.shipment_id = text_of("s1");
    call.create.order_id = text_of("o1");
    tracking_call_run(&fixture->caller, &call);
    assert_int_equal(call.base.outcome, TRACKING_DONE);
}

/* How many silences have been told; the last one in `last`, if given. Its texts are gone. */
static size_t silences(struct stepped_tracking *fixture, struct tracking_announcement *last)
{
    struct tracking_announcement_source *source =
        embedded_tracking_announcements(fixture->repository);
    struct tracking_announcement_batch batch = {.next =
                                                    tracking_announcement_source_oldest(source)};
    struct arena arena;
    size_t count = 0;
    uint64_t before;
    arena_init(&arena, arena_bytes_max);
    do {
        before = batch.next;
        arena_reset(&arena);
        struct error error =
            tracking_announcement_source_read(source, before, announcements_max, &arena, &batch);
        assert_string_equal(error.detail, "");
        for (size_t i = 0; i < batch.count; i++) {
            if (batch.announcements[i].type != TRACKING_ANNOUNCES_SILENCE)
                continue;
            count++;
            if (last != NULL)
                *last = batch.announcements[i];
        }
    } while (batch.next != before);
    arena_deinit(&arena);
    return count;
}

static void silence_is_told_once_and_in_time(void **state)
{
    struct stepped_tracking *fixture = *state;
    struct tracking_announcement told;
    create(fixture, "N");
    stepped_tracking_record(fixture, "N", "e1", TRACKING_EVENT_IN_TRANSIT);
    stepped_tracking_pass(fixture, silence_days * day_us - 2 * minute_us);
    assert_int_equal(silences(fixture, NULL), 0);
    stepped_tracking_pass(fixture, 20 * minute_us);
    assert_int_equal(silences(fixture, &told), 1);
    assert_int_equal(told.silent_since_us, start_us);
    assert_int_equal(told.change.after.status, TRACKING_STATUS_IN_TRANSIT);
    assert_int_equal(told.change.after.generation, 1);
    stepped_tracking_pass(fixture, 100 * day_us);
    assert_int_equal(silences(fixture, NULL), 1);
}

static void parcel_without_any_event_is_silent_since_it_was_created(void **state)
{
    struct stepped_tracking *fixture = *state;
    struct tracking_announcement told;
    create(fixture, "N");
    stepped_tracking_pass(fixture, (silence_days + 1) * day_us);
    assert_int_equal(silences(fixture, &told), 1);
    assert_int_equal(told.silent_since_us, start_us);
    assert_int_equal(told.change.after.status, TRACKING_STATUS_UNKNOWN);
}

static void next_scan_ends_it_and_another_silence_is_told_anew(void **state)
{
    struct stepped_tracking *fixture = *state;
    struct tracking_announcement told;
    stepped_tracking_record(fixture, "N", "e1", TRACKING_EVENT_IN_TRANSIT);
    stepped_tracking_pass(fixture, (silence_days + 1) * day_us);
    assert_int_equal(silences(fixture, NULL), 1);
    int64_t second_us = clock_now_us(&fixture->clock.base);
    stepped_tracking_record(fixture, "N", "e2", TRACKING_EVENT_IN_TRANSIT);
    stepped_tracking_pass(fixture, (silence_days - 1) * day_us);
    assert_int_equal(silences(fixture, NULL), 1);
    stepped_tracking_pass(fixture, 2 * day_us);
    assert_int_equal(silences(fixture, &told), 2);
    assert_int_equal(told.silent_since_us, second_us);
}

static void parcel_that_has_arrived_is_not_silent(void **state)
{
    static const enum tracking_event_type ends[] = {
        TRACKING_EVENT_DELIVERED, TRACKING_EVENT_RETURNED, TRACKING_EVENT_CANCELLED};
    struct stepped_tracking *fixture = *state;
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        char number[8];
        snprintf(number, sizeof number, "N%zu", i);
        stepped_tracking_record(fixture, number, "e1", TRACKING_EVENT_IN_TRANSIT);
        stepped_tracking_record(fixture, number, "e2", ends[i]);
    }
    stepped_tracking_pass(fixture, 100 * day_us);
    assert_int_equal(silences(fixture, NULL), 0);
}

static void restarts_neither_forget_nor_repeat_it(void **state)
{
    struct stepped_tracking *fixture = *state;
    stepped_tracking_record(fixture, "N", "e1", TRACKING_EVENT_IN_TRANSIT);
    for (int i = 0; i < 4; i++) {
        stepped_tracking_restart(fixture, i % 2 == 0);
        stepped_tracking_pass(fixture, day_us);
        assert_int_equal(silences(fixture, NULL), 0);
    }
    stepped_tracking_pass(fixture, 2 * day_us);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(silences(fixture, NULL), 1);
        stepped_tracking_restart(fixture, i % 2 == 0);
        stepped_tracking_pass(fixture, day_us);
    }
    stepped_tracking_record(fixture, "N", "e2", TRACKING_EVENT_IN_TRANSIT);
    stepped_tracking_restart(fixture, true);
    fake_clock_advance(&fixture->clock, 30 * day_us); /* it was silent while nobody looked */
    stepped_tracking_restart(fixture, true);
    stepped_tracking_pass(fixture, 20 * minute_us);
    assert_int_equal(silences(fixture, NULL), 2);
}

static size_t idle(struct stepped_tracking *fixture, bool told)
{
    struct tracking_call settle = {.kind = TRACKING_CALL_LIST_TRACKINGS};
    struct tracking_call call = {.kind = TRACKING_CALL_LIST_IDLE};
    settle.list_trackings.status = TRACKING_STATUS_PICKED_UP;
    settle.list_trackings.page_size = 1;
    tracking_call_run(&fixture->caller, &settle);
    call.list_idle.to_us = INT64_MAX;
    call.list_idle.told = told;
    call.list_idle.page_size = 10;
    tracking_call_run(&fixture->caller, &call);
    assert_string_equal(fixture->caller.error.detail, "");
    return call.list_idle.tracking_count;
}

static void what_was_told_is_still_on_its_way_and_listed(void **state)
{
    struct stepped_tracking *fixture = *state;
    stepped_tracking_record(fixture, "N", "e1", TRACKING_EVENT_IN_TRANSIT);
    assert_int_equal(idle(fixture, false), 1);
    stepped_tracking_pass(fixture, (silence_days + 1) * day_us);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(idle(fixture, false), 0);
        assert_int_equal(idle(fixture, true), 1);
        stepped_tracking_restart(fixture, i == 1);
    }
    stepped_tracking_record(fixture, "N", "e2", TRACKING_EVENT_IN_TRANSIT);
    assert_int_equal(idle(fixture, false), 1);
    assert_int_equal(idle(fixture, true), 0);
    stepped_tracking_record(fixture, "N", "e3", TRACKING_EVENT_DELIVERED);
    assert_int_equal(idle(fixture, false) + idle(fixture, true), 0);
}

static void many_at_once_are_told_of_once_each(void **state)
{
    enum { parcels = 2500 };
    struct stepped_tracking *fixture = *state;
    for (int i = 0; i < parcels; i++) {
        char number[16];
        snprintf(number, sizeof number, "N%d", i);
        stepped_tracking_record(fixture, number, "e1", TRACKING_EVENT_IN_TRANSIT);
    }
    stepped_tracking_pass(fixture, (silence_days + 1) * day_us);
    assert_int_equal(silences(fixture, NULL), parcels);
    stepped_tracking_restart(fixture, true);
    stepped_tracking_pass(fixture, day_us);
    assert_int_equal(silences(fixture, NULL), parcels);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(silence_is_told_once_and_in_time, set_up, tear_down),
        cmocka_unit_test_setup_teardown(parcel_without_any_event_is_silent_since_it_was_created,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(next_scan_ends_it_and_another_silence_is_told_anew, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(parcel_that_has_arrived_is_not_silent, set_up, tear_down),
        cmocka_unit_test_setup_teardown(restarts_neither_forget_nor_repeat_it, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_was_told_is_still_on_its_way_and_listed, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(many_at_once_are_told_of_once_each, set_up, tear_down),
    };
    log_configure(LOG_LEVEL_ERROR, false);
    return cmocka_run_group_tests_name("tracking_silence", tests, NULL, NULL);
}
