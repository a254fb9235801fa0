/*
 * Goal: a list of the indexes, for which all changed summaries have to be written, holds up nothing
 * else however many there are; it misses nothing that was answered before it, and those that come
 * while it waits are answered, too. Method: the embedded store stepped by the test; what is
 * answered by which step.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "platform/base/log.h"
#include "tests/contract/tracking/stepped_tracking.h"

#include <stdio.h>
#include <string.h>

static const int64_t start_us = INT64_C(1800000000) * 1000000;

enum { parcels = 12000, calls_at_once = 1000, steps_max = 100 };

static struct stepped_tracking stepped;
static size_t waiting[steps_max]; /* how many calls were unanswered before each step */
static size_t steps;

static int set_up(void **state)
{
    (void)state;
    stepped_tracking_init(&stepped, start_us);
    stepped.options.memory_bytes_max = 64 << 20;
    stepped_tracking_open(&stepped);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    stepped_tracking_deinit(&stepped);
    return 0;
}

static void step(void *context)
{
    (void)context;
    assert_true(steps < steps_max);
    waiting[steps++] = stepped.caller.under_way;
    struct error error = embedded_tracking_step(stepped.repository);
    assert_string_equal(error.detail, "");
}

static void watch_steps(void)
{
    steps = 0;
    stepped.caller.work = step;
}

static struct tracking_call event_of(const char *number)
{
    struct tracking_call call = {.kind = TRACKING_CALL_RECORD_EVENT};
    call.record_event.event = (struct tracking_event){
        .event_id = text_of("e"),
        .carrier = text_of("ups"),
        .tracking_number = text_of(number),
        .type = TRACKING_EVENT_IN_TRANSIT,
        .occurred_time_us = start_us,
        .source = text_of("test"),
    };
    return call;
}

static struct tracking_call list_of(size_t page_size)
{
    struct tracking_call call = {.kind = TRACKING_CALL_LIST_TRACKINGS};
    call.list_trackings.status = TRACKING_STATUS_IN_TRANSIT;
    call.list_trackings.page_size = page_size;
    return call;
}

/* So many parcels, none of them in RocksDB's indexes. */
static void record_parcels(void)
{
    static struct tracking_call calls[calls_at_once];
    static char numbers[calls_at_once][16];
    for (int i = 0; i < parcels; i += calls_at_once) {
        for (int j = 0; j < calls_at_once; j++) {
            snprintf(numbers[j], sizeof numbers[j], "N%05d", i + j);
            calls[j] = event_of(numbers[j]);
        }
        tracking_call_run_all(&stepped.caller, calls, calls_at_once);
        assert_string_equal(stepped.caller.error.detail, "");
    }
}

static size_t count_all(void)
{
    char after[16] = "";
    size_t count = 0;
    struct tracking_call call;
    do {
        call = list_of(1000);
        if (after[0] != '\0')
            call.list_trackings.after = (struct tracking_key){text_of("ups"), text_of(after), 1};
        tracking_call_run(&stepped.caller, &call);
        assert_string_equal(stepped.caller.error.detail, "");
        size_t listed = call.list_trackings.tracking_count;
        struct text last = call.list_trackings.trackings[listed - 1].tracking_number;
        snprintf(after, sizeof after, "%.*s", (int)last.size, last.data);
        count += listed;
    } while (call.list_trackings.more);
    return count;
}

static void others_are_answered_while_a_list_waits(void **state)
{
    (void)state;
    struct tracking_call calls[] = {list_of(1), event_of("A")};
    record_parcels();
    watch_steps();
    tracking_call_run_all(&stepped.caller, calls, 2);
    assert_string_equal(stepped.caller.error.detail, "");
    assert_true(steps > 2);
    assert_int_equal(waiting[0], 2);
    assert_int_equal(waiting[1], 1); /* the event did not wait for it */
    assert_int_equal(calls[0].list_trackings.tracking_count, 1);
    assert_int_equal(count_all(), parcels + 1);
}

static void lists_that_come_while_one_waits_are_answered_with_all_before_them(void **state)
{
    (void)state;
    struct tracking_call calls[3];
    record_parcels();
    for (int i = 0; i < 3; i++)
        calls[i] = list_of(1);
    tracking_call_run_all(&stepped.caller, calls, 3);
    assert_string_equal(stepped.caller.error.detail, "");
    for (int i = 0; i < 3; i++)
        assert_true(calls[i].list_trackings.tracking_count == 1 && calls[i].list_trackings.more);
    struct tracking_call event = event_of("A"); /* the first by name */
    tracking_call_run(&stepped.caller, &event);
    struct tracking_call list = list_of(1);
    tracking_call_run(&stepped.caller, &list);
    assert_true(text_equals_string(list.list_trackings.trackings[0].tracking_number, "A"));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(others_are_answered_while_a_list_waits),
        CASE(lists_that_come_while_one_waits_are_answered_with_all_before_them),
    };
    log_configure(LOG_LEVEL_ERROR, false);
    return cmocka_run_group_tests_name("tracking_lists", tests, NULL, NULL);
}
