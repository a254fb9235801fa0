/*
 * Goal: list_idle_trackings lists just those on their way, by activity, in pages, of a time range.
 * Method: a dozen parcels by hand; ListTrackings before it brings an index that lags up to date.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/contract/tracking/tracking_idle_behaviour.h"

#include <stdio.h>

enum { parcels = 12 };

static const int64_t hour_us = INT64_C(3600) * 1000000;

static void run(struct tracking_caller *caller, struct tracking_call *call)
{
    tracking_call_run(caller, call);
    assert_string_equal(caller->error.detail, "");
    assert_int_equal(call->base.outcome, TRACKING_DONE);
}

static void record(struct tracking_caller *caller, int number, const char *id,
                   enum tracking_event_type type, int64_t time_us)
{
    char name[16];
    struct tracking_call call = {.kind = TRACKING_CALL_RECORD_EVENT};
    snprintf(name, sizeof name, "N%02d", number);
    call.record_event.event = (struct tracking_event){
        .event_id = text_of(id),
        .carrier = text_of("ups"),
        .tracking_number = text_of(name),
        .type = type,
        .occurred_time_us = time_us,
        .source = text_of("contract"),
    };
    run(caller, &call);
}

/* The numbers between two times in pages of `page_size`, as a bit each, checked for their order. */
static uint32_t list(struct tracking_caller *caller, int64_t from_us, int64_t to_us,
                     size_t page_size)
{
    struct tracking_call settle = {.kind = TRACKING_CALL_LIST_TRACKINGS};
    struct tracking_call call = {.kind = TRACKING_CALL_LIST_IDLE};
    char after[16] = "";
    uint32_t found = 0;
    int64_t last_us = 0;
    settle.list_trackings.status = TRACKING_STATUS_PICKED_UP;
    settle.list_trackings.page_size = 1;
    run(caller, &settle);
    do {
        struct tracking_key key = {text_of("ups"), text_of(after), 1};
        call.list_idle = (struct list_idle_trackings_command){
            .from_us = from_us, .to_us = to_us, .page_size = page_size, .after_us = last_us};
        if (after[0] != '\0')
            call.list_idle.after = key;
        run(caller, &call);
        for (size_t i = 0; i < call.list_idle.tracking_count; i++) {
            const struct idle_tracking *idle = &call.list_idle.trackings[i];
            assert_true(idle->activity_us >= last_us);
            assert_true(idle->activity_us >= from_us && idle->activity_us < to_us);
            last_us = idle->activity_us;
            snprintf(after, sizeof after, "%.*s", (int)idle->key.tracking_number.size,
                     idle->key.tracking_number.data);
            uint32_t bit = UINT32_C(1) << ((after[1] - '0') * 10 + after[2] - '0');
            assert_int_equal(found & bit, 0);
            found |= bit;
        }
        assert_true(call.list_idle.tracking_count <= page_size);
    } while (call.list_idle.more);
    return found;
}

void tracking_idle_behaviour(struct tracking_caller *caller, int64_t now_us)
{
    struct tracking_call create = {.kind = TRACKING_CALL_CREATE};
    for (int i = 0; i < parcels; i++) /* two at each hour */
        record(caller, i, "e1", TRACKING_EVENT_IN_TRANSIT, now_us - (i / 2 + 1) * hour_us);
    assert_int_equal(list(caller, 0, now_us, 100), (1 << parcels) - 1);
    assert_int_equal(list(caller, 0, now_us, 1), (1 << parcels) - 1);
    assert_int_equal(list(caller, 0, now_us, 5), (1 << parcels) - 1);
    assert_int_equal(list(caller, now_us - 2 * hour_us, now_us - hour_us, 1), 0x00C);
    assert_int_equal(list(caller, now_us, now_us + hour_us, 10), 0);
    /* One is told of later, one has arrived, one was heard of again, one begins. */
    record(caller, 2, "e2", TRACKING_EVENT_OUT_FOR_DELIVERY, now_us - 5 * hour_us / 2);
    record(caller, 3, "e2", TRACKING_EVENT_DELIVERED, now_us - hour_us / 2);
    record(caller, 4, "e2", TRACKING_EVENT_IN_TRANSIT, now_us - hour_us / 2);
    create.create.carrier = text_of("ups");
    create.create.tracking_number = text_of("N12");
    run(caller, &create);
    assert_int_equal(list(caller, 0, now_us - 1, 2), 0xFF7);
    assert_int_equal(list(caller, now_us - hour_us / 2, now_us - 1, 2), 0x010);
    assert_int_equal(list(caller, now_us - 2 * hour_us, now_us - hour_us, 2), 0x004);
    assert_int_equal(list(caller, 0, INT64_MAX, 3), 0x1FF7);
}
