/*
 * Goal: inventory's feed tells every change once, in order, packed as the interface says, the same
 * on every read and after a restart, from any place. Method: the embedded store on the crash disk,
 * stepped by hand; a short history whose events are known.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "inventory/infrastructure/embedded/embedded_repository.h"
#include "inventory/interfaces/events/inventory_events.h"
#include "platform/base/log.h"
#include "tests/support/fake_clock.h"
#include "tests/support/inventory/inventory_call.h"
#include "tests/support/storage/crash_file_system.h"

#include "waybill/inventory/v1/inventory_events.pb-c.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { arena_bytes = 8 * 1024 * 1024, seen_max = 64 };

static const int64_t start_us = INT64_C(1800000000) * 1000000;
static const int64_t minute_us = INT64_C(60) * 1000000;

struct world {
    struct crash_file_system *disk;
    struct fake_clock clock;
    struct random_seeded random;
    struct test_executor executor;
    struct inventory_repository *repository;
    struct inventory_events *events;
    struct event_feed *feed;
    struct arena arena;
    unsigned woken;
    struct event_feed_watcher watcher;
};

static void assert_good(struct error error)
{
    if (error_is(error))
        fail_msg("%s: %s", error_text(error.code), error.detail);
}

static void wake(void *context)
{
    ++*(unsigned *)context;
}

static void open_store(struct world *world)
{
    struct embedded_repository_options options = embedded_repository_options_default();
    options.directory = "inventory";
    options.file_system = crash_file_system_port(world->disk);
    options.clock = &world->clock.base;
    options.random = &world->random.base;
    options.segment_bytes = 1 << 20;
    options.batch_bytes_max = 1 << 18;
    options.threaded = false;
    assert_good(embedded_repository_open(&world->repository, &options));
    assert_good(
        inventory_events_open(&world->events, embedded_repository_events(world->repository)));
    world->feed = inventory_events_feed(world->events);
    world->watcher = (struct event_feed_watcher){.wake = wake, .context = &world->woken};
    event_feed_watch(world->feed, &world->watcher);
}

static void close_store(struct world *world)
{
    event_feed_unwatch(world->feed, &world->watcher);
    inventory_events_close(world->events);
    embedded_repository_close(world->repository);
}

static int set_up(void **state)
{
    struct world *world = calloc(1, sizeof *world);
    world->disk = crash_file_system_create(1);
    fake_clock_init(&world->clock, start_us);
    random_seeded_init(&world->random, 1);
    test_executor_init(&world->executor);
    arena_init(&world->arena, arena_bytes);
    open_store(world);
    *state = world;
    return 0;
}

static int tear_down(void **state)
{
    struct world *world = *state;
    close_store(world);
    arena_deinit(&world->arena);
    test_executor_deinit(&world->executor);
    crash_file_system_destroy(world->disk);
    free(world);
    return 0;
}

static void ask(struct world *world, struct inventory_question question)
{
    struct inventory_call call;
    inventory_call_init(&call, &question);
    inventory_call_start(&call, world->repository, &world->executor.base);
    assert_good(embedded_repository_step(world->repository));
    test_executor_run_all(&world->executor);
    assert_true(call.is_answered);
    inventory_call_deinit(&call);
}

static void receive(struct world *world, const char *id, const char *sku, int64_t quantity)
{
    ask(world, (struct inventory_question){
                   .kind = CALL_RECEIVE_STOCK,
                   .id = text_of(id),
                   .sku = text_of(sku),
                   .quantity = quantity,
               });
}

static void reserve(struct world *world, const char *id, const char *sku, int64_t quantity)
{
    struct quantity_line line = {.sku = text_of(sku), .quantity = quantity};
    ask(world, (struct inventory_question){
                   .kind = CALL_RESERVE,
                   .id = text_of(id),
                   .ttl_us = minute_us,
                   .lines = &line,
                   .line_count = 1,
               });
}

static void resolve(struct world *world, enum inventory_call_kind kind, const char *id)
{
    ask(world, (struct inventory_question){.kind = kind, .id = text_of(id)});
}

/* The history; what has no effect makes no event. */
static void run_history(struct world *world)
{
    receive(world, "r-1", "apple", 10);
    receive(world, "r-2", "pear", 5);
    receive(world, "r-1", "apple", 10); /* a repeat */
    ask(world, (struct inventory_question){
                   .kind = CALL_ADJUST_STOCK,
                   .id = text_of("a-1"),
                   .sku = text_of("apple"),
                   .quantity = -1,
                   .reason = ADJUSTMENT_DAMAGE,
                   .note = text_of("dropped"),
               });
    ask(world, (struct inventory_question){
                   .kind = CALL_SET_STOCK_POLICY,
                   .sku = text_of("apple"),
                   .policy = {.low_stock_threshold = 7},
               });
    reserve(world, "hold-1", "apple", 2); /* 7 are left: low */
    reserve(world, "hold-2", "apple", 3);
    reserve(world, "hold-3", "pear", 99); /* refused */
    reserve(world, "hold-4", "pear", 1);
    ask(world, (struct inventory_question){
                   .kind = CALL_EXTEND_RESERVATION,
                   .id = text_of("hold-1"),
                   .ttl_us = 2 * minute_us,
               });
    resolve(world, CALL_COMMIT, "hold-1");
    struct quantity_line back = {.sku = text_of("apple"), .quantity = 1};
    ask(world, (struct inventory_question){
                   .kind = CALL_RETURN_STOCK,
                   .id = text_of("return-1"),
                   .reservation_id = text_of("hold-1"),
                   .return_reason = RETURN_CUSTOMER,
                   .lines = &back,
                   .line_count = 1,
               });
    ask(world, (struct inventory_question){
                   .kind = CALL_ADJUST_STOCK,
                   .id = text_of("a-2"),
                   .sku = text_of("apple"),
                   .quantity = -6,
                   .reason = ADJUSTMENT_COUNT,
               }); /* 3 − 1 are there, 3 are promised: out, and short */
    resolve(world, CALL_ROLLBACK, "hold-2");
    fake_clock_advance(&world->clock, 2 * minute_us); /* hold-4 expires */
    assert_good(embedded_repository_step(world->repository));
}

static const char *const expected[][2] = {
    {"waybill.inventory.v1.StockReceived", "apple"},
    {"waybill.inventory.v1.StockReceived", "pear"},
    {"waybill.inventory.v1.StockAdjusted", "apple"},
    {"waybill.inventory.v1.StockReserved", "hold-1"},
    {"waybill.inventory.v1.StockAlert", "apple"},
    {"waybill.inventory.v1.StockReserved", "hold-2"},
    {"waybill.inventory.v1.StockReserved", "hold-4"},
    {"waybill.inventory.v1.ReservationExtended", "hold-1"},
    {"waybill.inventory.v1.StockCommitted", "hold-1"},
    {"waybill.inventory.v1.StockReturned", "hold-1"},
    {"waybill.inventory.v1.StockAdjusted", "apple"},
    {"waybill.inventory.v1.StockAlert", "apple"},
    {"waybill.inventory.v1.StockShortage", "apple"},
    {"waybill.inventory.v1.ReservationRolledBack", "hold-2"},
    {"waybill.inventory.v1.StockAlert", "apple"},
    {"waybill.inventory.v1.ReservationExpired", "hold-4"},
};
enum { expected_count = sizeof expected / sizeof expected[0] };

/* What is seen from `after` on, read so many at once; texts on the arena. */
static size_t look(struct world *world, uint64_t after, size_t at_once, struct event *seen)
{
    size_t count = 0;
    for (;;) {
        struct event_batch batch;
        assert_good(event_feed_read(world->feed, after, at_once, &world->arena, &batch));
        if (batch.next == after)
            return count;
        assert_true(batch.next > after && batch.event_count <= at_once);
        for (size_t i = 0; i < batch.event_count; i++) {
            assert_true(batch.events[i].sequence > after);
            after = batch.events[i].sequence;
            assert_true(count < seen_max);
            seen[count++] = batch.events[i];
        }
        after = batch.next;
    }
}

static void assert_same(const struct event *a, const struct event *b)
{
    assert_true(text_equal(a->event_id, b->event_id) && text_equal(a->type, b->type));
    assert_true(text_equal(a->key, b->key) && text_equal(a->data, b->data));
    assert_int_equal(a->sequence, b->sequence);
    assert_int_equal(a->time_us, b->time_us);
}

static void every_change_is_told_once_in_order(void **state)
{
    struct world *world = *state;
    struct event seen[seen_max];
    run_history(world);
    assert_int_equal(look(world, 0, 100, seen), expected_count);
    for (size_t i = 0; i < expected_count; i++) {
        assert_true(text_equals_string(seen[i].type, expected[i][0]));
        assert_true(text_equals_string(seen[i].key, expected[i][1]));
        assert_true(text_equals_string(seen[i].source, "inventory"));
    }
    assert_true(world->woken >= 9);
    assert_int_equal(seen[expected_count - 1].time_us, start_us + minute_us);
}

static void it_is_the_same_on_every_read_and_after_a_restart(void **state)
{
    struct world *world = *state;
    struct event first[seen_max];
    struct event again[seen_max];
    run_history(world);
    size_t count = look(world, 0, 100, first);
    for (size_t from = 0; from < count; from++) {
        size_t left = look(world, first[from].sequence, 1 + from % 3, again);
        assert_int_equal(left, count - from - 1);
        for (size_t i = 0; i < left; i++)
            assert_same(&again[i], &first[from + 1 + i]);
    }
    char identity[event_log_identity_bytes_max];
    snprintf(identity, sizeof identity, "%s", event_feed_identity(world->feed));
    uint64_t newest = event_feed_newest(world->feed);
    close_store(world);
    open_store(world);
    assert_string_equal(identity, event_feed_identity(world->feed));
    assert_int_equal(look(world, 0, 2, again), count);
    for (size_t i = 0; i < count; i++)
        assert_same(&again[i], &first[i]);
    /* What comes from now on, seen from before the restart. */
    receive(world, "r-3", "apple", 1);
    assert_int_equal(look(world, newest, 10, again), 1);
    assert_true(text_equals_string(again[0].key, "apple"));
}

static void messages_say_what_happened(void **state)
{
    struct world *world = *state;
    struct event seen[seen_max];
    run_history(world);
    assert_int_equal(look(world, 0, 100, seen), expected_count);
    Waybill__Inventory__V1__StockAdjusted *adjusted =
        waybill__inventory__v1__stock_adjusted__unpack(NULL, seen[2].data.size,
                                                       (const uint8_t *)seen[2].data.data);
    assert_non_null(adjusted);
    assert_string_equal(adjusted->adjustment_id, "a-1");
    assert_int_equal(adjusted->delta, -1);
    assert_int_equal(adjusted->reason,
                     WAYBILL__INVENTORY__V1__ADJUSTMENT_REASON__ADJUSTMENT_REASON_DAMAGE);
    assert_string_equal(adjusted->note, "dropped");
    assert_int_equal(adjusted->stock_revision, 2);
    waybill__inventory__v1__stock_adjusted__free_unpacked(adjusted, NULL);
    Waybill__Inventory__V1__StockCommitted *committed =
        waybill__inventory__v1__stock_committed__unpack(NULL, seen[8].data.size,
                                                        (const uint8_t *)seen[8].data.data);
    assert_non_null(committed);
    assert_string_equal(committed->reservation->reservation_id, "hold-1");
    assert_int_equal(committed->reservation->n_lines, 1);
    assert_int_equal(committed->reservation->lines[0]->committed_quantity, 2);
    waybill__inventory__v1__stock_committed__free_unpacked(committed, NULL);
    Waybill__Inventory__V1__StockReturned *returned =
        waybill__inventory__v1__stock_returned__unpack(NULL, seen[9].data.size,
                                                       (const uint8_t *)seen[9].data.data);
    assert_non_null(returned);
    assert_string_equal(returned->return_id, "return-1");
    assert_int_equal(returned->n_lines, 1);
    assert_int_equal(returned->lines[0]->quantity, 1);
    assert_int_equal(returned->reason,
                     WAYBILL__INVENTORY__V1__RETURN_REASON__RETURN_REASON_CUSTOMER);
    waybill__inventory__v1__stock_returned__free_unpacked(returned, NULL);
    Waybill__Inventory__V1__StockAlert *alert = waybill__inventory__v1__stock_alert__unpack(
        NULL, seen[4].data.size, (const uint8_t *)seen[4].data.data);
    assert_non_null(alert);
    assert_int_equal(alert->previous_state,
                     WAYBILL__INVENTORY__V1__STOCK_STATE__STOCK_STATE_IN_STOCK);
    assert_int_equal(alert->state, WAYBILL__INVENTORY__V1__STOCK_STATE__STOCK_STATE_LOW_STOCK);
    assert_int_equal(alert->available, 7);
    assert_int_equal(alert->low_stock_threshold, 7);
    waybill__inventory__v1__stock_alert__free_unpacked(alert, NULL);
}

static void a_place_beyond_the_end_has_expired(void **state)
{
    struct world *world = *state;
    struct event_batch batch;
    run_history(world);
    struct error error =
        event_feed_read(world->feed, event_feed_newest(world->feed) + 1, 1, &world->arena, &batch);
    assert_int_equal(error.code, ERROR_CURSOR_EXPIRED);
}

int main(void)
{
    log_configure(LOG_LEVEL_OFF, false);
#define BEHAVIOUR(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        BEHAVIOUR(every_change_is_told_once_in_order),
        BEHAVIOUR(it_is_the_same_on_every_read_and_after_a_restart),
        BEHAVIOUR(messages_say_what_happened),
        BEHAVIOUR(a_place_beyond_the_end_has_expired),
    };
    return cmocka_run_group_tests_name("inventory_events", tests, NULL, NULL);
}
