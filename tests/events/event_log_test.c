/*
 * Goal: the event log keeps what it acknowledged in order and without gaps, whatever happens to the
 * machine; a reader gets every event behind its place once; what is old goes, unless somebody here
 * still needs it. Method: the crash file system, a power failure at every change, several outcomes;
 * a fake clock for the retention.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "platform/base/log.h"
#include "platform/base/memory.h"
#include "platform/events/event_log.h"
#include "platform/events/event_record.h"
#include "tests/support/event_kit.h"
#include "tests/support/fake_clock.h"
#include "tests/support/storage/crash_file_system.h"

#include <stdlib.h>
#include <string.h>

enum { batches = 24, outcomes = 8, arena_bytes = 8 * 1024 * 1024 };

static const int64_t day_us = INT64_C(86400) * 1000000;
static uint64_t seed;

struct world {
    struct crash_file_system *disk;
    struct fake_clock clock;
    struct random_seeded random;
    struct event_log *log;
    struct arena arena;
    uint64_t acknowledged; /* events 0 … acknowledged − 1 */
    uint64_t attempted;
};

static void assert_good(struct error error)
{
    if (error_is(error))
        fail_msg("%s: %s (seed %llu)", error_text(error.code), error.detail,
                 (unsigned long long)seed);
}

static struct error open_log(struct world *world)
{
    struct event_log_options options = event_log_options_default();
    options.directory = "events";
    options.source = "test";
    options.file_system = crash_file_system_port(world->disk);
    options.clock = &world->clock.base;
    options.random = &world->random.base;
    options.segment_bytes = 4 * 1024 * 1024;
    options.background_prepare = false;
    return event_log_open(&world->log, &options);
}

static void begin(struct world *world, struct crash_file_system *disk)
{
    *world = (struct world){.disk = disk};
    fake_clock_init(&world->clock, 1000 * day_us);
    random_seeded_init(&world->random, seed);
    arena_init(&world->arena, arena_bytes);
}

static void end(struct world *world)
{
    event_log_close(world->log);
    arena_deinit(&world->arena);
    crash_file_system_destroy(world->disk);
}

/* The next `count` events. */
static struct error append(struct world *world, size_t count)
{
    struct event events[64];
    size_t appended = 0;
    arena_reset(&world->arena);
    for (size_t i = 0; i < count; i++)
        events[i] = kit_event(&world->arena, world->acknowledged + i);
    world->attempted = world->acknowledged + count;
    struct error error = event_sink_append(event_log_sink(world->log), events, count, &appended);
    if (!error_is(error))
        world->acknowledged += appended;
    return error;
}

/* A run: batches until the power goes. */
static void run(struct world *world)
{
    struct error error = open_log(world);
    for (int i = 0; i < batches && !error_is(error); i++)
        error = append(world, 1 + (size_t)i % 5);
}

/* Reads everything behind `after` and checks numbers, sequences, source; gives how many. */
static uint64_t read_all(struct world *world, uint64_t after, size_t at_once)
{
    struct event_feed *feed = event_log_feed(world->log);
    uint64_t position = after;
    for (;;) {
        struct event_batch batch;
        arena_reset(&world->arena);
        assert_good(event_feed_read(feed, position, at_once, &world->arena, &batch));
        if (batch.event_count == 0) {
            assert_int_equal(batch.next, position);
            return position - after;
        }
        assert_true(batch.event_count <= at_once);
        for (size_t i = 0; i < batch.event_count; i++) {
            position++;
            assert_int_equal(batch.events[i].sequence, position);
            assert_int_equal(kit_event_number(&batch.events[i]), position - 1);
            assert_true(text_equals_string(batch.events[i].source, "test"));
        }
        assert_int_equal(batch.next, position);
    }
}

static void events_come_back_in_order_from_any_place(void **state)
{
    (void)state;
    struct world world;
    begin(&world, crash_file_system_create(seed));
    run(&world);
    assert_true(world.acknowledged > 50);
    for (uint64_t after = 0; after <= world.acknowledged; after++)
        assert_int_equal(read_all(&world, after, 1 + after % 7), world.acknowledged - after);
    struct event_batch batch;
    struct event_feed *feed = event_log_feed(world.log);
    struct error error = event_feed_read(feed, world.acknowledged + 1, 1, &world.arena, &batch);
    assert_int_equal(error.code, ERROR_CURSOR_EXPIRED);
    end(&world);
}

static void a_power_failure_at_any_change_loses_nothing_acknowledged(void **state)
{
    (void)state;
    struct world whole;
    begin(&whole, crash_file_system_create(seed));
    run(&whole);
    uint64_t changes = crash_file_system_changes(whole.disk);
    end(&whole);
    for (uint64_t at = 1; at <= changes; at++) {
        struct world world;
        begin(&world, crash_file_system_create(seed));
        crash_file_system_cut_power(world.disk, at);
        run(&world);
        char identity[event_log_identity_bytes_max] = "";
        if (world.log != NULL)
            strcpy(identity, event_feed_identity(event_log_feed(world.log)));
        for (unsigned outcome = 0; outcome < outcomes; outcome++) {
            struct world after;
            begin(&after, crash_file_system_after_power_failure(world.disk,
                                                                outcome == 0   ? UNSYNCED_LOST
                                                                : outcome == 1 ? UNSYNCED_KEPT
                                                                               : UNSYNCED_RANDOM,
                                                                seed + at * outcomes + outcome));
            assert_good(open_log(&after));
            uint64_t kept = read_all(&after, 0, 16);
            assert_in_range(kept, world.acknowledged, world.attempted);
            if (identity[0] != '\0')
                assert_string_equal(identity, event_feed_identity(event_log_feed(after.log)));
            /* It goes on with the next number, and knows what it has. */
            after.acknowledged = kept;
            if (kept > 0) {
                struct event last = kit_event(&after.arena, kept - 1);
                assert_true(event_sink_has_recent(event_log_sink(after.log), last.event_id));
            }
            struct event next = kit_event(&after.arena, kept);
            assert_false(event_sink_has_recent(event_log_sink(after.log), next.event_id));
            assert_good(append(&after, 3));
            assert_int_equal(read_all(&after, 0, 16), kept + 3);
            end(&after);
        }
        end(&world);
    }
}

static void wake_up(void *context)
{
    ++*(unsigned *)context;
}

static void old_segments_go_unless_a_consumer_holds_them(void **state)
{
    (void)state;
    struct world world;
    unsigned woken = 0;
    struct event_feed_watcher watcher = {.wake = wake_up, .context = &woken, .holds = true};
    begin(&world, crash_file_system_create(seed));
    assert_good(open_log(&world));
    struct event_sink *sink = event_log_sink(world.log);
    struct event_feed *feed = event_log_feed(world.log);
    event_feed_watch(feed, &watcher);
    for (int day = 0; day < 3; day++) {
        for (int i = 0; i < 700; i++)
            assert_good(append(&world, 64));
        fake_clock_advance(&world.clock, day_us);
        assert_good(event_sink_tidy(sink));
        assert_int_equal(event_feed_oldest(feed), 0); /* held */
    }
    assert_true(woken > 1000);
    atomic_store(&watcher.position, world.acknowledged);
    assert_good(event_sink_tidy(sink));
    assert_int_equal(event_feed_oldest(feed), 0); /* not old enough yet */
    fake_clock_advance(&world.clock, 6 * day_us);
    assert_good(event_sink_tidy(sink));
    uint64_t oldest = event_feed_oldest(feed);
    assert_in_range(oldest, 1, world.acknowledged - 1);
    struct event_batch batch;
    assert_int_equal(event_feed_read(feed, oldest - 1, 1, &world.arena, &batch).code,
                     ERROR_CURSOR_EXPIRED);
    assert_int_equal(read_all(&world, oldest, 500), world.acknowledged - oldest);
    event_feed_unwatch(feed, &watcher);
    /* Opened again it is the same, and goes on. */
    event_log_close(world.log);
    assert_good(open_log(&world));
    assert_int_equal(event_feed_oldest(event_log_feed(world.log)), oldest);
    assert_int_equal(event_feed_newest(event_log_feed(world.log)), world.acknowledged);
    assert_good(append(&world, 5));
    assert_int_equal(read_all(&world, oldest, 500), world.acknowledged - oldest);
    end(&world);
}

static void a_full_disk_refuses_and_loses_nothing(void **state)
{
    (void)state;
    struct world world;
    begin(&world, crash_file_system_create(seed));
    assert_good(open_log(&world));
    crash_file_system_set_room(world.disk, 0);
    struct error error = error_none();
    while (!error_is(error))
        error = append(&world, 64);
    assert_int_equal(error.code, ERROR_DISK_FULL);
    assert_int_equal(read_all(&world, 0, 500), world.acknowledged);
    crash_file_system_set_room(world.disk, UINT64_MAX);
    assert_good(append(&world, 64));
    assert_int_equal(read_all(&world, 0, 500), world.acknowledged);
    end(&world);
}

static void another_contexts_log_is_refused(void **state)
{
    (void)state;
    struct world world;
    struct event_log *log;
    begin(&world, crash_file_system_create(seed));
    assert_good(open_log(&world));
    event_log_close(world.log);
    world.log = NULL;
    struct event_log_options options = event_log_options_default();
    options.directory = "events";
    options.source = "other";
    options.file_system = crash_file_system_port(world.disk);
    options.background_prepare = false;
    assert_int_equal(event_log_open(&log, &options).code, ERROR_DAMAGED);
    end(&world);
}

static void the_largest_event_fits_a_batch(void **state)
{
    (void)state;
    struct world world;
    size_t appended = 0;
    begin(&world, crash_file_system_create(seed));
    assert_good(open_log(&world));
    char *data = calloc(1, event_data_bytes_max);
    struct event event = kit_event(&world.arena, 0);
    event.data = text_make(data, event_data_bytes_max);
    struct event events[8] = {event, event, event, event, event, event, event, event};
    assert_good(event_sink_append(event_log_sink(world.log), events, 8, &appended));
    assert_in_range(appended, 1, 7); /* what fits; the relay gives the rest again */
    struct event_batch batch;
    assert_good(event_feed_read(event_log_feed(world.log), 0, 8, &world.arena, &batch));
    assert_int_equal(batch.event_count, appended);
    assert_int_equal(batch.events[0].data.size, event_data_bytes_max);
    free(data);
    end(&world);
}

/* The n-th allocation fails, for every n until none is asked for any more. */
static void a_failed_allocation_loses_nothing(void **state)
{
    (void)state;
    struct event_batch batch;
    bool hit = true;
    for (uint64_t n = 0; hit; n++) {
        struct world world;
        begin(&world, crash_file_system_create(seed));
        (void)kit_event(&world.arena, 0); /* the events' own memory is there */
        memory_fail_after(n, 0);
        struct error error = open_log(&world);
        for (int i = 0; i < 3 && !error_is(error); i++)
            error = append(&world, 3);
        if (!error_is(error))
            error = event_feed_read(event_log_feed(world.log), 0, 100, &world.arena, &batch);
        memory_fail_after(UINT64_MAX, 0);
        hit = error_is(error);
        assert_true(!hit || error.code == ERROR_OUT_OF_MEMORY);
        if (world.log == NULL)
            assert_good(open_log(&world));
        assert_int_equal(read_all(&world, 0, 16), world.acknowledged);
        assert_good(append(&world, 3));
        assert_int_equal(read_all(&world, 0, 16), world.acknowledged);
        end(&world);
    }
}

static void a_record_beyond_the_limits_is_no_event(void **state)
{
    (void)state;
    struct arena arena;
    struct event decoded;
    int64_t logged_us;
    char bytes[1024];
    arena_init(&arena, arena_bytes);
    struct event event = kit_event(&arena, 7);
    event.sequence = 9;
    size_t size = event_record_encode(&event, 5, bytes);
    assert_true(event_record_decode(text_make(bytes, size), &decoded, &logged_us));
    assert_int_equal(logged_us, 5);
    for (size_t cut = 0; cut < size; cut++)
        assert_false(event_record_decode(text_make(bytes, cut), &decoded, &logged_us));
    event.sequence = 0;
    size = event_record_encode(&event, 5, bytes);
    assert_false(event_record_decode(text_make(bytes, size), &decoded, &logged_us));
    char long_id[event_id_bytes_max + 1];
    memset(long_id, 'x', sizeof long_id);
    event.sequence = 1;
    event.event_id = text_make(long_id, sizeof long_id);
    size = event_record_encode(&event, 5, bytes);
    assert_false(event_record_decode(text_make(bytes, size), &decoded, &logged_us));
    arena_deinit(&arena);
}

int main(void)
{
    const char *text = getenv("WAYBILL_SEED");
    seed = text == NULL ? 20261125 : strtoull(text, NULL, 10);
    print_message("# seed %llu; WAYBILL_SEED replays another\n", (unsigned long long)seed);
    log_configure(LOG_LEVEL_OFF, false);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(events_come_back_in_order_from_any_place),
        cmocka_unit_test(a_power_failure_at_any_change_loses_nothing_acknowledged),
        cmocka_unit_test(old_segments_go_unless_a_consumer_holds_them),
        cmocka_unit_test(a_full_disk_refuses_and_loses_nothing),
        cmocka_unit_test(another_contexts_log_is_refused),
        cmocka_unit_test(the_largest_event_fits_a_batch),
        cmocka_unit_test(a_failed_allocation_loses_nothing),
        cmocka_unit_test(a_record_beyond_the_limits_is_no_event),
    };
    return cmocka_run_group_tests_name("event_log", tests, NULL, NULL);
}
