/*
 * Goal: what tracking_repository.h promises. Method: cases by hand on an empty store each, and a
 * thousand permutations of one parcel's life with duplicates. Where a case restarts the store it is
 * once closed in good order and once killed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "platform/base/random.h"
#include "tests/contract/tracking/tracking_idle_behaviour.h"
#include "tests/contract/tracking/tracking_note_behaviour.h"
#include "tests/contract/tracking/tracking_repository_contract.h"
#include "tracking/domain/limits.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const int64_t hour_us = INT64_C(3600) * 1000000;
static const int64_t day_us = INT64_C(86400) * 1000000;

static struct tracking_store_fixture *the_fixture;

struct suite {
    struct tracking_caller caller;
    struct tracking_call call; /* the last one */
};

static int set_up(void **state)
{
    static struct suite suite;
    tracking_caller_init(&suite.caller, the_fixture->table->open(the_fixture));
    suite.caller.work = the_fixture->table->work;
    suite.caller.work_context = the_fixture;
    *state = &suite;
    return 0;
}

static int tear_down(void **state)
{
    struct suite *suite = *state;
    the_fixture->table->close(the_fixture);
    tracking_caller_deinit(&suite->caller);
    return 0;
}

static int64_t now_us(void)
{
    return the_fixture->table->now_us(the_fixture);
}

static void pass(int64_t duration_us)
{
    the_fixture->table->pass(the_fixture, duration_us);
}

/* --- calls --- */

static enum tracking_outcome run(struct suite *suite)
{
    tracking_call_run(&suite->caller, &suite->call);
    if (error_is(suite->caller.error))
        fail_msg("%s: %s", error_text(suite->caller.error.code), suite->caller.error.detail);
    return suite->call.base.outcome;
}

static struct tracking_event event_of(const char *number, const char *id,
                                      enum tracking_event_type type, int64_t time_us)
{
    return (struct tracking_event){
        .event_id = text_of(id),
        .carrier = text_of("ups"),
        .tracking_number = text_of(number),
        .type = type,
        .occurred_time_us = time_us,
        .source = text_of("contract"),
    };
}

static enum tracking_outcome record(struct suite *suite, const struct tracking_event *event)
{
    suite->call = (struct tracking_call){.kind = TRACKING_CALL_RECORD_EVENT};
    suite->call.record_event.event = *event;
    suite->call.record_event.wants_tracking = true;
    return run(suite);
}

static enum tracking_outcome record_scan(struct suite *suite, const char *number, const char *id,
                                         enum tracking_event_type type, int64_t time_us)
{
    struct tracking_event event = event_of(number, id, type, time_us);
    return record(suite, &event);
}

static enum tracking_outcome create(struct suite *suite, const char *number, const char *shipment,
                                    const char *order)
{
    suite->call = (struct tracking_call){.kind = TRACKING_CALL_CREATE};
    suite->call.create.carrier = text_of("ups");
    suite->call.create.tracking_number = text_of(number);
    suite->call.create.shipment_id = text_of(shipment);
    suite->call.create.order_id = text_of(order);
    return run(suite);
}

static enum tracking_outcome create_from(struct suite *suite, const char *number, int64_t start_us)
{
    suite->call = (struct tracking_call){.kind = TRACKING_CALL_CREATE};
    suite->call.create.carrier = text_of("ups");
    suite->call.create.tracking_number = text_of(number);
    suite->call.create.shipment_id = text_of("s");
    suite->call.create.order_id = text_of("o");
    suite->call.create.start_time_us = start_us;
    return run(suite);
}

static enum tracking_outcome get(struct suite *suite, const char *number, int32_t generation)
{
    suite->call = (struct tracking_call){.kind = TRACKING_CALL_GET};
    suite->call.get.carrier = text_of("ups");
    suite->call.get.tracking_number = text_of(number);
    suite->call.get.generation = generation;
    return run(suite);
}

static void assert_status(struct suite *suite, const char *number, int32_t generation,
                          enum tracking_status status, int64_t event_count)
{
    assert_int_equal(get(suite, number, generation), TRACKING_DONE);
    assert_int_equal(suite->call.get.tracking.status, status);
    assert_int_equal(suite->call.get.tracking.event_count, event_count);
}

static void list_events(struct suite *suite, const char *number, int32_t generation,
                        bool newest_first, size_t page_size)
{
    suite->call = (struct tracking_call){.kind = TRACKING_CALL_LIST_EVENTS};
    suite->call.list_events.carrier = text_of("ups");
    suite->call.list_events.tracking_number = text_of(number);
    suite->call.list_events.generation = generation;
    suite->call.list_events.to_us = INT64_MAX;
    suite->call.list_events.newest_first = newest_first;
    suite->call.list_events.page_size = page_size;
    assert_int_equal(run(suite), TRACKING_DONE);
}

static size_t list_order(struct suite *suite, const char *order)
{
    suite->call = (struct tracking_call){.kind = TRACKING_CALL_LIST_TRACKINGS};
    suite->call.list_trackings.order_id = text_of(order);
    suite->call.list_trackings.page_size = 100;
    assert_int_equal(run(suite), TRACKING_DONE);
    return suite->call.list_trackings.tracking_count;
}

static size_t list_status(struct suite *suite, enum tracking_status status)
{
    suite->call = (struct tracking_call){.kind = TRACKING_CALL_LIST_TRACKINGS};
    suite->call.list_trackings.status = status;
    suite->call.list_trackings.page_size = 100;
    assert_int_equal(run(suite), TRACKING_DONE);
    return suite->call.list_trackings.tracking_count;
}

/* --- cases --- */

static void number_nobody_knows_is_not_found(void **state)
{
    struct suite *suite = *state;
    assert_int_equal(get(suite, "N1", 0), TRACKING_NOT_FOUND);
    suite->call = (struct tracking_call){.kind = TRACKING_CALL_RECORD_PING};
    suite->call.record_ping.carrier = text_of("ups");
    suite->call.record_ping.tracking_number = text_of("N1");
    suite->call.record_ping.time_us = now_us();
    assert_int_equal(run(suite), TRACKING_NOT_FOUND);
    suite->call = (struct tracking_call){.kind = TRACKING_CALL_ERASE};
    suite->call.erase.carrier = text_of("ups");
    suite->call.erase.tracking_number = text_of("N1");
    assert_int_equal(run(suite), TRACKING_NOT_FOUND);
}

static void event_of_an_unknown_number_creates_it(void **state)
{
    struct suite *suite = *state;
    assert_int_equal(record_scan(suite, "N1", "e1", TRACKING_EVENT_IN_TRANSIT, now_us()),
                     TRACKING_DONE);
    assert_true(suite->call.record_event.is_new);
    assert_int_equal(suite->call.record_event.tracking.revision, 1);
    assert_status(suite, "N1", 0, TRACKING_STATUS_IN_TRANSIT, 1);
    assert_int_equal(suite->call.get.tracking.generation, 1);
    assert_true(suite->call.get.tracking.has_last_event);
}

static void event_sent_again_changes_nothing(void **state)
{
    struct suite *suite = *state;
    struct tracking_event event = event_of("N1", "e1", TRACKING_EVENT_PICKED_UP, now_us());
    assert_int_equal(record(suite, &event), TRACKING_DONE);
    assert_int_equal(create(suite, "N1", "s1", "o1"), TRACKING_DONE);
    pass(hour_us);
    event.source = text_of("another"); /* no part of the content */
    assert_int_equal(record(suite, &event), TRACKING_DONE);
    assert_false(suite->call.record_event.is_new);
    assert_true(text_equals_string(suite->call.record_event.event.source, "contract"));
    assert_true(text_equals_string(suite->call.record_event.tracking.shipment_id, "s1"));
    assert_int_equal(suite->call.record_event.tracking.revision, 2);
    event.description = text_of("something else");
    assert_int_equal(record(suite, &event), TRACKING_ID_REUSED);
    assert_status(suite, "N1", 0, TRACKING_STATUS_PICKED_UP, 1);
    assert_int_equal(suite->call.get.tracking.revision, 2);
}

static void one_id_may_be_used_for_two_numbers(void **state)
{
    struct suite *suite = *state;
    assert_int_equal(record_scan(suite, "N1", "e1", TRACKING_EVENT_PICKED_UP, now_us()),
                     TRACKING_DONE);
    assert_int_equal(record_scan(suite, "N2", "e1", TRACKING_EVENT_DELIVERED, now_us()),
                     TRACKING_DONE);
    assert_status(suite, "N1", 0, TRACKING_STATUS_PICKED_UP, 1);
    assert_status(suite, "N2", 0, TRACKING_STATUS_DELIVERED, 1);
}

static void late_event_does_not_turn_the_parcel_back(void **state)
{
    struct suite *suite = *state;
    int64_t at_us = now_us();
    assert_int_equal(record_scan(suite, "N1", "e2", TRACKING_EVENT_DELIVERED, at_us),
                     TRACKING_DONE);
    assert_int_equal(record_scan(suite, "N1", "e1", TRACKING_EVENT_IN_TRANSIT, at_us - day_us),
                     TRACKING_DONE);
    assert_int_equal(suite->call.record_event.tracking.status, TRACKING_STATUS_DELIVERED);
    assert_true(text_equals_string(suite->call.record_event.tracking.last_event.event_id, "e2"));
    assert_int_equal(suite->call.record_event.tracking.delivered_time_us, at_us);
}

static void correction_comes_before_or_after_what_it_withdraws(void **state)
{
    struct suite *suite = *state;
    int64_t at_us = now_us();
    struct tracking_event fix = event_of("N1", "fix", TRACKING_EVENT_EXCEPTION, at_us);
    fix.corrects_event_id = text_of("wrong");
    assert_int_equal(record_scan(suite, "N1", "wrong", TRACKING_EVENT_DELIVERED, at_us - day_us),
                     TRACKING_DONE);
    assert_status(suite, "N1", 0, TRACKING_STATUS_DELIVERED, 1);
    assert_int_equal(record(suite, &fix), TRACKING_DONE);
    assert_status(suite, "N1", 0, TRACKING_STATUS_EXCEPTION, 2);
    fix.tracking_number = text_of("N2");
    assert_int_equal(record(suite, &fix), TRACKING_DONE);
    assert_int_equal(record_scan(suite, "N2", "wrong", TRACKING_EVENT_DELIVERED, at_us - day_us),
                     TRACKING_DONE);
    assert_true(suite->call.record_event.event.withdrawn);
    assert_status(suite, "N2", 0, TRACKING_STATUS_EXCEPTION, 2);
    list_events(suite, "N2", 0, false, 10);
    assert_int_equal(suite->call.list_events.event_count, 2);
    assert_true(suite->call.list_events.events[0].withdrawn);
    assert_false(suite->call.list_events.events[1].withdrawn);
}

static void expected_delivery_is_the_latest_word_and_the_first_is_kept(void **state)
{
    struct suite *suite = *state;
    int64_t at_us = now_us();
    struct tracking_event late = event_of("N1", "e2", TRACKING_EVENT_EXCEPTION, at_us);
    struct tracking_event early = event_of("N1", "e1", TRACKING_EVENT_PICKED_UP, at_us - day_us);
    late.expected_delivery_time_us = at_us + 5 * day_us;
    early.expected_delivery_time_us = at_us + day_us;
    assert_int_equal(record(suite, &late), TRACKING_DONE);
    assert_int_equal(record(suite, &early), TRACKING_DONE);
    assert_int_equal(suite->call.record_event.tracking.expected_delivery_time_us,
                     at_us + 5 * day_us);
    assert_int_equal(suite->call.record_event.tracking.original_expected_delivery_time_us,
                     at_us + day_us);
}

static void whole_event_comes_back(void **state)
{
    struct suite *suite = *state;
    struct tracking_event event = event_of("N1", "e1", TRACKING_EVENT_EXCEPTION, now_us());
    event.sub_status = TRACKING_SUB_STATUS_CUSTOMS_HOLD;
    event.type_is_mapped = true;
    event.map_version = 3;
    event.has_utc_offset = true;
    event.utc_offset_minutes = -570;
    event.utc_offset_source = UTC_OFFSET_PLACE;
    event.location = (struct tracking_location){.has_point = true,
                                                .latitude_e7 = -338688000,
                                                .longitude_e7 = 1512093000,
                                                .facility = text_of("SYD"),
                                                .city = text_of("Sydney"),
                                                .country_code = text_of("AU")};
    event.carrier_code = text_of("CD");
    event.description = text_of("Clearance delay");
    event.payload = text_of("{\"code\":\"CD\"}");
    assert_int_equal(record(suite, &event), TRACKING_DONE);
    list_events(suite, "N1", 0, false, 10);
    struct buffer said;
    struct buffer expected;
    buffer_init(&said, 65536);
    buffer_init(&expected, 65536);
    event.record_time_us = now_us();
    tracking_event_print(&expected, &event);
    tracking_event_print(&said, &suite->call.list_events.events[0]);
    assert_true(text_equal(buffer_text(&said), buffer_text(&expected)));
    buffer_deinit(&said);
    buffer_deinit(&expected);
}

static void events_are_listed_by_time_in_pages_both_ways(void **state)
{
    struct suite *suite = *state;
    char ids[7][8];
    int64_t at_us = now_us();
    for (int i = 0; i < 7; i++) {
        int place = i * 3 % 7;
        snprintf(ids[i], sizeof ids[i], "e%d", place);
        /* Two share an instant: then the id decides. */
        assert_int_equal(record_scan(suite, "N1", ids[i], TRACKING_EVENT_IN_TRANSIT,
                                     at_us + (place / 2) * hour_us),
                         TRACKING_DONE);
    }
    for (int newest = 0; newest < 2; newest++) {
        int seen = 0;
        char after[16] = "";
        int64_t after_us = 0;
        bool more = true;
        while (more) {
            suite->call = (struct tracking_call){.kind = TRACKING_CALL_LIST_EVENTS};
            struct list_events_command *command = &suite->call.list_events;
            command->carrier = text_of("ups");
            command->tracking_number = text_of("N1");
            command->to_us = INT64_MAX;
            command->newest_first = newest == 1;
            command->page_size = 2;
            command->has_after = seen > 0;
            command->after_time_us = after_us;
            command->after_event_id = text_of(after);
            assert_int_equal(run(suite), TRACKING_DONE);
            for (size_t i = 0; i < command->event_count; i++) {
                char expected[16];
                snprintf(expected, sizeof expected, "e%d", newest == 1 ? 6 - seen : seen);
                assert_true(text_equals_string(command->events[i].event_id, expected));
                memcpy(after, expected, sizeof after);
                after_us = command->events[i].occurred_time_us;
                seen++;
            }
            more = command->more;
        }
        assert_int_equal(seen, 7);
    }
}

static void events_are_listed_of_a_time_range(void **state)
{
    struct suite *suite = *state;
    int64_t at_us = now_us();
    record_scan(suite, "N1", "e1", TRACKING_EVENT_PICKED_UP, at_us);
    record_scan(suite, "N1", "e2", TRACKING_EVENT_IN_TRANSIT, at_us + hour_us);
    record_scan(suite, "N1", "e3", TRACKING_EVENT_DELIVERED, at_us + 2 * hour_us);
    suite->call = (struct tracking_call){.kind = TRACKING_CALL_LIST_EVENTS};
    suite->call.list_events.carrier = text_of("ups");
    suite->call.list_events.tracking_number = text_of("N1");
    suite->call.list_events.from_us = at_us + hour_us;
    suite->call.list_events.to_us = at_us + 2 * hour_us;
    suite->call.list_events.page_size = 10;
    assert_int_equal(run(suite), TRACKING_DONE);
    assert_int_equal(suite->call.list_events.event_count, 1);
    assert_true(text_equals_string(suite->call.list_events.events[0].event_id, "e2"));
}

static void parcels_of_an_order_are_listed(void **state)
{
    struct suite *suite = *state;
    create(suite, "N3", "s1", "o1");
    create(suite, "N1", "s1", "o1");
    create(suite, "N2", "s2", "o2");
    assert_int_equal(list_order(suite, "o1"), 2);
    assert_true(text_equals_string(suite->call.list_trackings.trackings[0].tracking_number, "N1"));
    assert_true(text_equals_string(suite->call.list_trackings.trackings[1].tracking_number, "N3"));
    assert_int_equal(list_order(suite, "o3"), 0);
    assert_int_equal(list_order(suite, "o"), 0);
}

static void trackings_are_listed_by_their_present_status(void **state)
{
    struct suite *suite = *state;
    create(suite, "N1", "s1", "");
    assert_int_equal(list_status(suite, TRACKING_STATUS_UNKNOWN), 1);
    record_scan(suite, "N1", "e1", TRACKING_EVENT_PICKED_UP, now_us());
    assert_int_equal(list_status(suite, TRACKING_STATUS_UNKNOWN), 0);
    assert_int_equal(list_status(suite, TRACKING_STATUS_PICKED_UP), 1);
    record_scan(suite, "N1", "e2", TRACKING_EVENT_DELIVERED, now_us());
    assert_int_equal(list_status(suite, TRACKING_STATUS_PICKED_UP), 0);
    assert_int_equal(list_status(suite, TRACKING_STATUS_DELIVERED), 1);
}

static void create_answers_with_what_is_there(void **state)
{
    struct suite *suite = *state;
    assert_int_equal(create(suite, "N1", "s1", "o1"), TRACKING_DONE);
    assert_int_equal(suite->call.create.tracking.revision, 1);
    assert_int_equal(create(suite, "N1", "s1", "o1"), TRACKING_DONE);
    assert_int_equal(create(suite, "N1", "", ""), TRACKING_DONE);
    assert_int_equal(suite->call.create.tracking.revision, 1);
    assert_true(text_equals_string(suite->call.create.tracking.shipment_id, "s1"));
    assert_int_equal(create(suite, "N1", "s2", "o2"), TRACKING_ID_REUSED);
}

static void recurring_number_gets_a_generation_and_events_are_dealt_out(void **state)
{
    struct suite *suite = *state;
    int64_t first_us = now_us();
    create(suite, "N1", "s1", "o1");
    record_scan(suite, "N1", "e1", TRACKING_EVENT_DELIVERED, first_us + day_us);
    pass(200 * day_us);
    /* The next parcel's first scan is here before anybody created it. */
    record_scan(suite, "N1", "e2", TRACKING_EVENT_PICKED_UP, now_us() - day_us);
    assert_status(suite, "N1", 0, TRACKING_STATUS_DELIVERED, 2);
    assert_int_equal(create(suite, "N1", "s2", "o2"), TRACKING_DONE);
    assert_int_equal(suite->call.create.tracking.generation, 2);
    assert_status(suite, "N1", 1, TRACKING_STATUS_DELIVERED, 1);
    assert_status(suite, "N1", 2, TRACKING_STATUS_PICKED_UP, 1);
    assert_status(suite, "N1", 0, TRACKING_STATUS_PICKED_UP, 1);
    record_scan(suite, "N1", "e3", TRACKING_EVENT_EXCEPTION, first_us + 2 * hour_us);
    assert_status(suite, "N1", 1, TRACKING_STATUS_DELIVERED, 2);
    list_events(suite, "N1", 1, false, 10);
    assert_int_equal(suite->call.list_events.event_count, 2);
    list_events(suite, "N1", 2, false, 10);
    assert_int_equal(suite->call.list_events.event_count, 1);
    assert_int_equal(list_order(suite, "o1"), 1);
    assert_int_equal(list_order(suite, "o2"), 1);
    assert_int_equal(get(suite, "N1", 3), TRACKING_NOT_FOUND);
    assert_int_equal(create(suite, "N1", "s1", ""), TRACKING_DONE); /* the old one's again */
    assert_int_equal(suite->call.create.tracking.generation, 1);
}

static void ping_says_where_the_parcel_is_until_it_is_too_old(void **state)
{
    struct suite *suite = *state;
    struct tracking_event event = event_of("N1", "e1", TRACKING_EVENT_IN_TRANSIT, now_us());
    event.location.city = text_of("Lagos");
    record(suite, &event);
    pass(hour_us);
    suite->call = (struct tracking_call){.kind = TRACKING_CALL_RECORD_PING};
    suite->call.record_ping.carrier = text_of("ups");
    suite->call.record_ping.tracking_number = text_of("N1");
    suite->call.record_ping.latitude_e7 = 65000000;
    suite->call.record_ping.time_us = now_us();
    assert_int_equal(run(suite), TRACKING_DONE);
    assert_status(suite, "N1", 0, TRACKING_STATUS_IN_TRANSIT, 1);
    assert_int_equal(suite->call.get.tracking.location.latitude_e7, 65000000);
    pass(31 * day_us);
    get(suite, "N1", 0);
    assert_true(text_equals_string(suite->call.get.tracking.location.city, "Lagos"));
}

static void erased_number_has_never_been(void **state)
{
    struct suite *suite = *state;
    create(suite, "N1", "s1", "o1");
    record_scan(suite, "N1", "e1", TRACKING_EVENT_DELIVERED, now_us());
    assert_int_equal(list_status(suite, TRACKING_STATUS_DELIVERED), 1);
    suite->call = (struct tracking_call){.kind = TRACKING_CALL_ERASE};
    suite->call.erase.carrier = text_of("ups");
    suite->call.erase.tracking_number = text_of("N1");
    assert_int_equal(run(suite), TRACKING_DONE);
    assert_int_equal(suite->call.erase.events, 1);
    assert_int_equal(suite->call.erase.generations, 1);
    assert_int_equal(get(suite, "N1", 0), TRACKING_NOT_FOUND);
    assert_int_equal(list_order(suite, "o1"), 0);
    assert_int_equal(list_status(suite, TRACKING_STATUS_DELIVERED), 0);
    record_scan(suite, "N1", "e9", TRACKING_EVENT_PICKED_UP, now_us());
    assert_status(suite, "N1", 0, TRACKING_STATUS_PICKED_UP, 1);
    list_events(suite, "N1", 0, false, 10);
    assert_int_equal(suite->call.list_events.event_count, 1);
}

/* --- maps --- */

static void load_map(struct arena *arena, struct code_map *map)
{
    static const char file[] = "version,code,type,sub_status,reason,provenance\n"
                               "1,A,IN_TRANSIT,,,contract\n"
                               "2,A,DELIVERED,,,contract\n";
    struct error error = code_map_parse(text_of("ups"), text_of(file), arena, map);
    assert_false(error_is(error));
}

static void remap_redoes_what_came_without_a_type(void **state)
{
    struct suite *suite = *state;
    struct arena arena;
    struct code_map map;
    struct code_maps maps = {.maps = &map, .count = 1};
    arena_init(&arena, 1 << 20);
    load_map(&arena, &map);
    struct tracking_event event = event_of("N1", "e1", TRACKING_EVENT_UNSPECIFIED, now_us());
    event.carrier_code = text_of("A");
    event.type_is_mapped = true;
    code_maps_apply(&maps, 1, &event);
    record(suite, &event);
    event.tracking_number = text_of("N2"); /* of another mind: its type came with it */
    event.type_is_mapped = false;
    event.map_version = 0;
    record(suite, &event);
    suite->call = (struct tracking_call){.kind = TRACKING_CALL_REMAP};
    suite->call.remap.carrier = text_of("ups");
    suite->call.remap.maps = &maps;
    suite->call.remap.map_version = 2;
    assert_int_equal(run(suite), TRACKING_DONE);
    assert_int_equal(suite->call.remap.trackings, 1);
    assert_int_equal(suite->call.remap.events, 1);
    assert_int_equal(suite->call.remap.status_changes, 1);
    assert_status(suite, "N1", 0, TRACKING_STATUS_DELIVERED, 1);
    assert_int_equal(suite->call.get.tracking.last_event.map_version, 2);
    assert_status(suite, "N2", 0, TRACKING_STATUS_IN_TRANSIT, 1);
    assert_int_equal(list_status(suite, TRACKING_STATUS_DELIVERED), 1);
    arena_deinit(&arena);
}

/* --- permutations --- */

enum { life_length = 24 };

static void make_life(struct tracking_event *life, char ids[life_length][8], int64_t from_us)
{
    struct random_seeded random;
    random_seeded_init(&random, 99);
    for (size_t i = 0; i < life_length; i++) {
        snprintf(ids[i], sizeof ids[i], "e%zu", i);
        life[i] = event_of("", ids[i], (enum tracking_event_type)random_below(&random.base, 6),
                           from_us + (int64_t)random_below(&random.base, 40) * hour_us);
        life[i].carrier_code = text_of("X");
        life[i].location.has_point = i % 3 == 0;
        life[i].location.latitude_e7 = i % 3 == 0 ? (int32_t)i : 0;
        if (i % 5 == 0)
            life[i].expected_delivery_time_us = from_us + (int64_t)i * day_us;
        if (i % 8 == 7)
            life[i].corrects_event_id = text_of(ids[i - 3]);
    }
    life[5].type = TRACKING_EVENT_DELIVERED;
    life[4].type = TRACKING_EVENT_DELIVERED; /* withdrawn by e7 */
    life[9].type = TRACKING_EVENT_RETURNED;
}

/* The state without what must differ: number, revision, times of recording. */
static void print_state(struct suite *suite, const char *number, struct buffer *out)
{
    buffer_clear(out);
    assert_int_equal(get(suite, number, 0), TRACKING_DONE);
    struct tracking *tracking = &suite->call.get.tracking;
    tracking->tracking_number = tracking->last_event.tracking_number = text_of("");
    tracking->last_event.record_time_us = 0;
    tracking->start_time_us = 0;
    tracking_print(out, tracking, false);
    list_events(suite, number, 0, false, 100);
    for (size_t i = 0; i < suite->call.list_events.event_count; i++) {
        suite->call.list_events.events[i].tracking_number = text_of("");
        suite->call.list_events.events[i].record_time_us = 0;
        tracking_event_print(out, &suite->call.list_events.events[i]);
    }
}

static void a_thousand_permutations_with_duplicates_end_in_one_state(void **state)
{
    static char ids[life_length][8];
    static struct tracking_call calls[2 * life_length];
    struct suite *suite = *state;
    struct tracking_event life[life_length];
    struct random_seeded random;
    struct buffer first;
    struct buffer other;
    const char *seed = getenv("WAYBILL_SEED");
    random_seeded_init(&random, seed == NULL ? 1 : strtoull(seed, NULL, 10));
    buffer_init(&first, 1 << 20);
    buffer_init(&other, 1 << 20);
    make_life(life, ids, now_us() - 30 * day_us);
    for (int permutation = 0; permutation < 1000; permutation++) {
        char number[16];
        size_t created = random_below(&random.base, 2 * life_length);
        snprintf(number, sizeof number, "P%d", permutation);
        for (size_t i = life_length; i > 1; i--) {
            size_t j = random_below(&random.base, i);
            struct tracking_event kept = life[i - 1];
            life[i - 1] = life[j];
            life[j] = kept;
        }
        for (size_t i = 0; i < 2 * life_length; i++) {
            /* Each comes once, with repeats in between. */
            size_t which = i % 2 == 0 ? i / 2 : random_below(&random.base, life_length);
            struct tracking_call *call = &calls[i];
            *call = (struct tracking_call){.kind = TRACKING_CALL_RECORD_EVENT};
            call->record_event.event = life[which];
            call->record_event.event.tracking_number = text_of(number);
            call->record_event.wants_tracking = true;
        }
        tracking_call_run_all(&suite->caller, calls, created);
        create_from(suite, number, now_us() - 30 * day_us);
        tracking_call_run_all(&suite->caller, calls + created, 2 * life_length - created);
        assert_false(error_is(suite->caller.error));
        print_state(suite, number, permutation == 0 ? &first : &other);
        if (permutation > 0 && !text_equal(buffer_text(&first), buffer_text(&other)))
            fail_msg("permutation %d: %.*s\nnot %.*s", permutation, (int)other.size, other.data,
                     (int)first.size, first.data);
    }
    buffer_deinit(&first);
    buffer_deinit(&other);
}

static void parcels_on_their_way_are_listed_by_their_last_activity(void **state)
{
    struct suite *suite = *state;
    tracking_idle_behaviour(&suite->caller, now_us());
}

static void no_more_notes_are_kept_than_a_command_allows(void **state)
{
    tracking_note_behaviour(&((struct suite *)*state)->caller);
}

/* --- restarts --- */

static void restart_and_compare(void **state, bool killed)
{
    struct suite *suite = *state;
    struct buffer before;
    struct buffer after;
    buffer_init(&before, 1 << 20);
    buffer_init(&after, 1 << 20);
    create(suite, "N1", "s1", "o1");
    record_scan(suite, "N1", "e1", TRACKING_EVENT_DELIVERED, now_us());
    record_scan(suite, "N1", "e2", TRACKING_EVENT_EXCEPTION, now_us() - day_us);
    pass(120 * day_us);
    create(suite, "N1", "s2", "o2");
    record_scan(suite, "N2", "e1", TRACKING_EVENT_PICKED_UP, now_us());
    print_state(suite, "N1", &before);
    for (int i = 0; i < 3; i++) {
        suite->caller.repository = the_fixture->table->restart(the_fixture, killed);
        print_state(suite, "N1", &after);
        assert_true(text_equal(buffer_text(&before), buffer_text(&after)));
        assert_status(suite, "N1", 1, TRACKING_STATUS_DELIVERED, 2);
        assert_int_equal(list_order(suite, "o1"), 1);
        assert_int_equal(list_status(suite, TRACKING_STATUS_PICKED_UP), 1);
        assert_int_equal(record_scan(suite, "N2", "e1", TRACKING_EVENT_PICKED_UP, now_us()),
                         TRACKING_DONE);
        assert_false(suite->call.record_event.is_new);
    }
    buffer_deinit(&before);
    buffer_deinit(&after);
}

static void all_is_there_after_a_restart(void **state)
{
    restart_and_compare(state, false);
}

static void all_is_there_after_being_killed(void **state)
{
    restart_and_compare(state, true);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int tracking_repository_contract_run(struct tracking_store_fixture *fixture)
{
    const struct CMUnitTest tests[] = {
        CASE(number_nobody_knows_is_not_found),
        CASE(event_of_an_unknown_number_creates_it),
        CASE(event_sent_again_changes_nothing),
        CASE(one_id_may_be_used_for_two_numbers),
        CASE(late_event_does_not_turn_the_parcel_back),
        CASE(correction_comes_before_or_after_what_it_withdraws),
        CASE(expected_delivery_is_the_latest_word_and_the_first_is_kept),
        CASE(whole_event_comes_back),
        CASE(events_are_listed_by_time_in_pages_both_ways),
        CASE(events_are_listed_of_a_time_range),
        CASE(parcels_of_an_order_are_listed),
        CASE(trackings_are_listed_by_their_present_status),
        CASE(create_answers_with_what_is_there),
        CASE(recurring_number_gets_a_generation_and_events_are_dealt_out),
        CASE(ping_says_where_the_parcel_is_until_it_is_too_old),
        CASE(erased_number_has_never_been),
        CASE(remap_redoes_what_came_without_a_type),
        CASE(parcels_on_their_way_are_listed_by_their_last_activity),
        CASE(no_more_notes_are_kept_than_a_command_allows),
        CASE(a_thousand_permutations_with_duplicates_end_in_one_state),
        CASE(all_is_there_after_a_restart),
        CASE(all_is_there_after_being_killed),
    };
    enum { restart_case_count = 2 }; /* the last ones; a store that forgets has none */
    size_t count = sizeof tests / sizeof tests[0];
    the_fixture = fixture;
    if (fixture->table->restart == NULL)
        count -= restart_case_count;
    return _cmocka_run_group_tests(fixture->table->name, tests, count, NULL, NULL);
}
