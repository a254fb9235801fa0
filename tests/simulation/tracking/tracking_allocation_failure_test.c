/*
 * Every allocation of tracking's embedded store fails once (RELIABILITY row 9; RocksDB's own are
 * out of scope): for each kind of command, with the n-th allocation failing, alone or with all
 * later ones, for every n there is. The answer is OUT_OF_MEMORY and nothing has happened, or it is
 * the right one; asked again it is the right one; and what is there afterwards is what a model
 * says.
 *
 * Each trial has a number of its own, with the same history, in one store: opening RocksDB anew for
 * each would take minutes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "platform/base/check.h"
#include "platform/base/log.h"
#include "platform/base/memory.h"
#include "tests/support/fake_clock.h"
#include "tests/support/temporary_directory.h"
#include "tests/support/tracking/tracking_call.h"
#include "tests/support/tracking/tracking_model.h"
#include "tracking/infrastructure/code_maps/built_in_code_maps.h"
#include "tracking/infrastructure/embedded/embedded_tracking.h"

#include <stdio.h>
#include <string.h>

static const int64_t start_us = INT64_C(1800000000) * 1000000;
static const int64_t hour_us = INT64_C(3600) * 1000000;
static const int64_t day_us = INT64_C(86400) * 1000000;

enum { text_bytes = 1 << 20, failures_max = 200 };

struct pair {
    struct fake_clock clock;
    struct random_seeded random;
    struct temporary_directory directory;
    struct embedded_tracking_options options;
    struct built_in_code_maps code_maps;
    struct tracking_repository *repository;
    struct tracking_model *model;
    struct tracking_caller store;
    struct tracking_caller said;
    char number[16]; /* of this trial */
    char order[16];
    unsigned trials;
    unsigned failures;
};

static void step(void *context)
{
    struct pair *pair = context;
    struct error error = embedded_tracking_step(pair->repository);
    assert_string_equal(error.detail, ""); /* missing memory never ends the process */
}

static void open_store(struct pair *pair)
{
    struct error error = embedded_tracking_open(&pair->repository, &pair->options);
    assert_string_equal(error.detail, "");
    pair->store.repository = pair->repository;
}

static int set_up(void **state)
{
    static struct pair pair;
    pair = (struct pair){0};
    fake_clock_init(&pair.clock, start_us);
    random_seeded_init(&pair.random, 1);
    temporary_directory_create(&pair.directory);
    pair.options = embedded_tracking_options_default();
    pair.options.directory = pair.directory.path;
    pair.options.clock = &pair.clock.base;
    pair.options.random = &pair.random.base;
    pair.options.segment_bytes = 1 << 20;
    pair.options.batch_bytes_max = 1 << 18;
    pair.options.memory_bytes_max = 4 << 20;
    pair.options.free_bytes_min = 0;
    pair.options.threaded = false;
    pair.model = tracking_model_create(&pair.clock.base, pair.options.ping_retention_us,
                                       tracking_generation_gap_us_default);
    assert_false(error_is(built_in_code_maps_init(&pair.code_maps)));
    tracking_caller_init(&pair.store, NULL);
    tracking_caller_init(&pair.said, tracking_model_port(pair.model));
    pair.store.work = step;
    pair.store.work_context = &pair;
    open_store(&pair);
    *state = &pair;
    return 0;
}

static int tear_down(void **state)
{
    struct pair *pair = *state;
    embedded_tracking_close(pair->repository);
    tracking_model_destroy(pair->model);
    tracking_caller_deinit(&pair->store);
    tracking_caller_deinit(&pair->said);
    built_in_code_maps_deinit(&pair->code_maps);
    temporary_directory_remove(&pair->directory);
    return 0;
}

/* The allocation after `successes` fails; tells whether one did. */
static bool ask_store(struct pair *pair, struct tracking_call *call, uint64_t successes,
                      bool repeat)
{
    uint64_t before = memory_allocation_count();
    memory_fail_after(successes, repeat);
    tracking_call_run(&pair->store, call);
    memory_fail_after(UINT64_MAX, 0);
    return successes != UINT64_MAX && memory_allocation_count() - before > successes;
}

/* Asks both; the answers must be equal, but the store's may be OUT_OF_MEMORY. False: none failed.
 */
static bool ask_both(struct pair *pair, const struct tracking_call *asked, uint64_t successes,
                     bool repeat)
{
    struct tracking_call actual = *asked;
    struct tracking_call expected = *asked;
    struct buffer told;
    struct buffer said;
    bool failed = ask_store(pair, &actual, successes, repeat);
    bool is_repeated = failed && pair->store.error.code == ERROR_OUT_OF_MEMORY;
    if (is_repeated) {
        actual = *asked;
        ask_store(pair, &actual, UINT64_MAX, false);
    }
    if (is_repeated && asked->kind == TRACKING_CALL_REMAP) {
        tracking_call_run(&pair->said, &expected); /* the repeat counts what was left alone */
        return failed;
    }
    tracking_call_run(&pair->said, &expected);
    buffer_init(&told, text_bytes);
    buffer_init(&said, text_bytes);
    tracking_call_print(&told, &pair->store, &actual);
    tracking_call_print(&said, &pair->said, &expected);
    if (!text_equal(buffer_text(&told), buffer_text(&said)))
        fail_msg("kind %d after %llu allocations%s: %.*s\nand not %.*s", (int)asked->kind,
                 (unsigned long long)successes, repeat ? " and all later ones" : "", (int)told.size,
                 told.data, (int)said.size, said.data);
    buffer_deinit(&told);
    buffer_deinit(&said);
    return failed;
}

/* --- the commands; each of this trial's number --- */

static struct tracking_event scan(const struct pair *pair, const char *id,
                                  enum tracking_event_type type, int64_t time_us)
{
    return (struct tracking_event){
        .event_id = text_of(id),
        .carrier = text_of("ups"),
        .tracking_number = text_of(pair->number),
        .type = type,
        .occurred_time_us = time_us,
        .location = {.city = text_of("Lagos"), .country_code = text_of("NG")},
        .description = text_of("a scan"),
        .source = text_of("test"),
    };
}

static struct tracking_call record(const struct pair *pair, const char *id,
                                   enum tracking_event_type type, int64_t time_us)
{
    struct tracking_call call = {.kind = TRACKING_CALL_RECORD_EVENT};
    call.record_event.event = scan(pair, id, type, time_us);
    call.record_event.wants_tracking = true;
    return call;
}

static struct tracking_call create_of(const struct pair *pair, const char *shipment)
{
    struct tracking_call call = {.kind = TRACKING_CALL_CREATE};
    call.create.carrier = text_of("ups");
    call.create.tracking_number = text_of(pair->number);
    call.create.shipment_id = text_of(shipment);
    call.create.order_id = text_of(pair->order);
    return call;
}

typedef struct tracking_call make_function(const struct pair *pair);

static struct tracking_call new_event(const struct pair *pair)
{
    return record(pair, "new", TRACKING_EVENT_OUT_FOR_DELIVERY, start_us + 2 * hour_us);
}

static struct tracking_call known_event(const struct pair *pair)
{
    return record(pair, "e1", TRACKING_EVENT_PICKED_UP, start_us);
}

static struct tracking_call reused_event(const struct pair *pair)
{
    return record(pair, "e1", TRACKING_EVENT_DELIVERED, start_us);
}

static struct tracking_call correcting_event(const struct pair *pair)
{
    struct tracking_call call =
        record(pair, "correction", TRACKING_EVENT_IN_TRANSIT, start_us + 3 * hour_us);
    call.record_event.event.corrects_event_id = text_of("e2");
    return call;
}

static struct tracking_call event_of_a_new_number(const struct pair *pair)
{
    struct tracking_call call = new_event(pair);
    call.record_event.event.carrier = text_of("fedex");
    return call;
}

static struct tracking_call first_creation(const struct pair *pair)
{
    struct tracking_call call = create_of(pair, "s1");
    call.create.carrier = text_of("fedex");
    return call;
}

static struct tracking_call same_creation(const struct pair *pair)
{
    return create_of(pair, "s1");
}

static struct tracking_call refused_creation(const struct pair *pair)
{
    return create_of(pair, "s2");
}

static struct tracking_call next_generation(const struct pair *pair)
{
    struct tracking_call call = create_of(pair, "s2");
    call.create.carrier = text_of("over");
    call.create.start_time_us = start_us + 30 * day_us;
    return call;
}

static struct tracking_call get(const struct pair *pair)
{
    struct tracking_call call = {.kind = TRACKING_CALL_GET};
    call.get.carrier = text_of("ups");
    call.get.tracking_number = text_of(pair->number);
    return call;
}

static struct tracking_call get_of_nobody(const struct pair *pair)
{
    struct tracking_call call = get(pair);
    call.get.carrier = text_of("nobody");
    return call;
}

static struct tracking_call list_of_the_order(const struct pair *pair)
{
    struct tracking_call call = {.kind = TRACKING_CALL_LIST_TRACKINGS};
    call.list_trackings.order_id = text_of(pair->order);
    call.list_trackings.page_size = 10;
    return call;
}

static struct tracking_call list_of_a_status(const struct pair *pair)
{
    struct tracking_call call = {.kind = TRACKING_CALL_LIST_TRACKINGS};
    (void)pair;
    call.list_trackings.status = TRACKING_STATUS_IN_TRANSIT;
    call.list_trackings.page_size = 3;
    return call;
}

static struct tracking_call list_of_the_events(const struct pair *pair)
{
    struct tracking_call call = {.kind = TRACKING_CALL_LIST_EVENTS};
    call.list_events.carrier = text_of("ups");
    call.list_events.tracking_number = text_of(pair->number);
    call.list_events.to_us = INT64_MAX;
    call.list_events.page_size = 100;
    return call;
}

static struct tracking_call ping(const struct pair *pair)
{
    struct tracking_call call = {.kind = TRACKING_CALL_RECORD_PING};
    call.record_ping.carrier = text_of("ups");
    call.record_ping.tracking_number = text_of(pair->number);
    call.record_ping.latitude_e7 = 1;
    call.record_ping.time_us = start_us + 5 * hour_us;
    return call;
}

static struct tracking_call remap(const struct pair *pair)
{
    struct tracking_call call = {.kind = TRACKING_CALL_REMAP};
    call.remap.carrier = text_of("ups");
    call.remap.maps = &pair->code_maps.all;
    call.remap.map_version = 1;
    return call;
}

static struct tracking_call erasure(const struct pair *pair)
{
    struct tracking_call call = {.kind = TRACKING_CALL_ERASE};
    call.erase.carrier = text_of("ups");
    call.erase.tracking_number = text_of(pair->number);
    return call;
}

static struct tracking_call note(const struct pair *pair)
{
    struct tracking_call call = {.kind = TRACKING_CALL_PUT_NOTE};
    call.put_note.name = text_of(pair->number);
    call.put_note.value = text_of("a note");
    return call;
}

static struct tracking_call note_if_absent(const struct pair *pair)
{
    struct tracking_call call = note(pair);
    call.put_note.name = text_of("there");
    call.put_note.only_if_absent = true;
    return call;
}

static struct tracking_call list_of_notes(const struct pair *pair)
{
    struct tracking_call call = {.kind = TRACKING_CALL_LIST_NOTES};
    (void)pair;
    call.list_notes.prefix = text_of("th");
    call.list_notes.page_size = 10;
    return call;
}

/* --- trials --- */

static void ask(struct pair *pair, struct tracking_call call)
{
    ask_both(pair, &call, UINT64_MAX, false);
}

static void make_history(struct pair *pair)
{
    snprintf(pair->number, sizeof pair->number, "N%u", pair->trials);
    snprintf(pair->order, sizeof pair->order, "o%u", pair->trials++);
    ask(pair, create_of(pair, "s1"));
    ask(pair, known_event(pair));
    ask(pair, record(pair, "e2", TRACKING_EVENT_DELIVERED, start_us + hour_us));
    struct tracking_call correction = record(pair, "e3", TRACKING_EVENT_IN_TRANSIT, start_us + 1);
    correction.record_event.event.corrects_event_id = text_of("e2");
    ask(pair, correction);
    struct tracking_call mapped = record(pair, "e4", TRACKING_EVENT_IN_TRANSIT, start_us - 2);
    mapped.record_event.event.type_is_mapped = true;
    mapped.record_event.event.carrier_code = text_of("D");
    ask(pair, mapped);
    struct tracking_call over = record(pair, "e1", TRACKING_EVENT_DELIVERED, start_us);
    over.record_event.event.carrier = text_of("over");
    ask(pair, over);
}

/* What both know of the trial's number, and that nothing else has come of it. */
static void check_everything_after(struct pair *pair)
{
    static const char *const carriers[] = {"ups", "fedex", "over"};
    for (size_t i = 0; i < sizeof carriers / sizeof carriers[0]; i++) {
        struct tracking_call one = get(pair);
        struct tracking_call events = list_of_the_events(pair);
        one.get.carrier = text_of(carriers[i]);
        events.list_events.carrier = text_of(carriers[i]);
        ask(pair, one);
        ask(pair, events);
    }
    ask(pair, list_of_the_order(pair));
}

/* What leaves the trial's number in memory; or what takes it out, so that it must be loaded. */
static void restart(struct pair *pair)
{
    embedded_tracking_close(pair->repository);
    open_store(pair);
}

static void fail_every_allocation(struct pair *pair, make_function *make, bool is_cold)
{
    for (int repeat = 0; repeat < 2; repeat++) {
        bool failed = true;
        for (uint64_t successes = 0; failed; successes++) {
            make_history(pair);
            if (is_cold)
                restart(pair);
            struct tracking_call call = make(pair);
            failed = ask_both(pair, &call, successes, repeat);
            pair->failures += failed;
            check_everything_after(pair);
            if (make == remap) /* it reads every number there is */
                ask(pair, erasure(pair));
            assert_in_range(successes, 0, failures_max);
        }
    }
}

static make_function *const all[] = {
    remap, /* first, while there are no others */
    new_event,
    known_event,
    reused_event,
    correcting_event,
    event_of_a_new_number,
    ping,
    first_creation,
    same_creation,
    refused_creation,
    next_generation,
    get,
    get_of_nobody,
    list_of_the_order,
    list_of_the_events,
    list_of_a_status,
    list_of_notes,
    note,
    note_if_absent,
    erasure,
};

static void every_command_survives_every_failing_allocation(void **state)
{
    struct pair *pair = *state;
    snprintf(pair->number, sizeof pair->number, "there");
    ask(pair, note(pair));
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        fail_every_allocation(pair, all[i], false);
    print_message("# %u failures in %u trials\n", pair->failures, pair->trials);
    assert_in_range(pair->failures, 100, UINT32_MAX); /* or nothing was tried */
}

static void so_does_what_must_first_be_loaded(void **state)
{
    static make_function *const loading[] = {new_event, correcting_event, get, same_creation,
                                             list_of_the_events};
    struct pair *pair = *state;
    for (size_t i = 0; i < sizeof loading / sizeof loading[0]; i++)
        fail_every_allocation(pair, loading[i], true);
}

static void opening_survives_every_failing_allocation(void **state)
{
    struct pair *pair = *state;
    make_history(pair);
    for (int repeat = 0; repeat < 2; repeat++) {
        bool failed = true;
        for (uint64_t successes = 0; failed; successes++) {
            embedded_tracking_abandon(pair->repository); /* the log is replayed */
            uint64_t before = memory_allocation_count();
            memory_fail_after(successes, repeat);
            struct error error = embedded_tracking_open(&pair->repository, &pair->options);
            memory_fail_after(UINT64_MAX, 0);
            failed = memory_allocation_count() - before > successes;
            if (error_is(error)) {
                assert_true(failed);
                assert_int_equal(error.code, ERROR_OUT_OF_MEMORY);
                open_store(pair);
            }
            pair->store.repository = pair->repository;
            check_everything_after(pair);
            assert_in_range(successes, 0, failures_max);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_command_survives_every_failing_allocation, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(so_does_what_must_first_be_loaded, set_up, tear_down),
        cmocka_unit_test_setup_teardown(opening_survives_every_failing_allocation, set_up,
                                        tear_down),
    };
    log_configure(LOG_LEVEL_ERROR, false);
    return cmocka_run_group_tests_name("tracking_allocation_failure", tests, NULL, NULL);
}
