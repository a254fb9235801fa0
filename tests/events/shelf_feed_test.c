/*
 * Goal: inventory follows the warehouse's movements, each exactly once, whatever is read again, and
 * counts just those that concern on hand.
 *
 * Method: the feed is a list in memory, the store the embedded one with its threads, closed and
 * opened again in between.
 */
#include "inventory/infrastructure/embedded/embedded_repository.h"
#include "inventory/interfaces/events/shelf_feed.h"
#include "platform/base/memory.h"
#include "tests/support/inventory/inventory_call.h"
#include "tests/support/temporary_directory.h"
#include "waybill/warehouse/v1/warehouse_events.pb-c.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { movements_max = 64, data_bytes_max = 512 };

/* A log of movements; sequences are 10, 20, … */
struct shelf {
    struct event_feed base;
    const char *identity;
    uint8_t data[movements_max][data_bytes_max];
    struct event events[movements_max];
    size_t count;
};

static struct error read_shelf(struct event_feed *base, uint64_t after, size_t event_count_max,
                               struct arena *arena, struct event_batch *batch)
{
    struct shelf *shelf = (struct shelf *)base;
    struct event *events = arena_allocate(arena, shelf->count * sizeof *events);
    *batch = (struct event_batch){.next = after};
    for (size_t i = 0; i < shelf->count && batch->event_count < event_count_max; i++) {
        if (shelf->events[i].sequence <= after)
            continue;
        events[batch->event_count++] = shelf->events[i];
        batch->next = shelf->events[i].sequence;
    }
    batch->events = events;
    return error_none();
}

static uint64_t oldest_of(struct event_feed *base)
{
    (void)base;
    return 0;
}

static uint64_t newest_of(struct event_feed *base)
{
    return ((struct shelf *)base)->count * 10;
}

static const char *identity_of(struct event_feed *base)
{
    return ((struct shelf *)base)->identity;
}

static void watch_nothing(struct event_feed *base, struct event_feed_watcher *watcher)
{
    (void)base;
    (void)watcher;
}

static const struct event_feed_table shelf_table = {
    .read = read_shelf,
    .oldest = oldest_of,
    .newest = newest_of,
    .identity = identity_of,
    .watch = watch_nothing,
    .unwatch = watch_nothing,
};

struct fixture {
    struct shelf shelf;
    struct temporary_directory directory;
    struct test_executor executor;
    struct inventory_repository *store;
};

static void open_store(struct fixture *fixture)
{
    struct embedded_repository_options options = embedded_repository_options_default();
    options.directory = fixture->directory.path;
    options.on_hand_source = ON_HAND_WAREHOUSE;
    options.list_buckets = 8;
    options.segment_bytes = 1 << 20;
    options.batch_bytes_max = 1 << 18;
    struct error error = embedded_repository_open(&fixture->store, &options);
    if (error_is(error))
        fail_msg("%s", error.detail);
}

static int setup(void **state)
{
    struct fixture *fixture = memory_allocate_zero(1, sizeof *fixture);
    assert_non_null(fixture);
    fixture->shelf.base = (struct event_feed){.table = &shelf_table, .source = "warehouse"};
    fixture->shelf.identity = "0123456789abcdef";
    test_executor_init(&fixture->executor);
    temporary_directory_create(&fixture->directory);
    open_store(fixture);
    *state = fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;
    embedded_repository_close(fixture->store);
    temporary_directory_remove(&fixture->directory);
    test_executor_deinit(&fixture->executor);
    memory_release(fixture);
    return 0;
}

static void add_event(struct fixture *fixture, const char *type, size_t size)
{
    struct shelf *shelf = &fixture->shelf;
    shelf->events[shelf->count] = (struct event){
        .event_id = text_of("some-event"),
        .type = text_of(type),
        .source = text_of("warehouse"),
        .key = text_of("key"),
        .sequence = (shelf->count + 1) * 10,
        .data = text_make(shelf->data[shelf->count], size),
    };
    shelf->count++;
}

static void move(struct fixture *fixture, const char *id, Waybill__Warehouse__V1__MovementType type,
                 const char *sku, int64_t quantity, const char *reservation_id)
{
    Waybill__Warehouse__V1__Movement movement = WAYBILL__WAREHOUSE__V1__MOVEMENT__INIT;
    Waybill__Warehouse__V1__MovementRecorded recorded =
        WAYBILL__WAREHOUSE__V1__MOVEMENT_RECORDED__INIT;
    movement.movement_id = (char *)(uintptr_t)id;
    movement.type = type;
    movement.sku = (char *)(uintptr_t)sku;
    movement.quantity = quantity;
    movement.reservation_id = (char *)(uintptr_t)reservation_id;
    recorded.movement = &movement;
    size_t size = waybill__warehouse__v1__movement_recorded__pack(
        &recorded, fixture->shelf.data[fixture->shelf.count]);
    add_event(fixture, "waybill.warehouse.v1.MovementRecorded", size);
}

#define TYPE(name) WAYBILL__WAREHOUSE__V1__MOVEMENT_TYPE__MOVEMENT_TYPE_##name

static void follow(struct fixture *fixture)
{
    struct shelf_feed *feed;
    bool idle = false;
    const struct shelf_feed_options options = {
        .repository = fixture->store,
        .feed = &fixture->shelf.base,
        .clock = clock_system(),
    };
    assert_false(error_is(shelf_feed_start(&feed, &options)));
    while (!idle)
        assert_false(error_is(shelf_feed_step(feed, &idle)));
    shelf_feed_stop(feed);
}

static void reopen(struct fixture *fixture)
{
    embedded_repository_close(fixture->store);
    open_store(fixture);
}

static void ask(struct fixture *fixture, const struct inventory_question *question,
                struct inventory_call *call)
{
    inventory_call_init(call, question);
    inventory_call_start(call, fixture->store, &fixture->executor.base);
    while (!call->is_answered) {
        assert_true(test_executor_wait(&fixture->executor, 60000000));
        test_executor_run_all(&fixture->executor);
    }
    assert_false(error_is(call->error));
}

static void assert_on_hand(struct fixture *fixture, const char *sku, int64_t on_hand)
{
    const struct inventory_question question = {.kind = CALL_GET_STOCK, .sku = text_of(sku)};
    struct inventory_call call;
    ask(fixture, &question, &call);
    assert_int_equal(call.command.base.outcome, INVENTORY_DONE);
    assert_int_equal(stock_on_hand(&call.command.get_stock.stock), on_hand);
    inventory_call_deinit(&call);
}

static void assert_place(struct fixture *fixture, uint64_t position)
{
    const struct inventory_question question = {.kind = CALL_GET_SHELF_PLACE};
    struct inventory_call call;
    ask(fixture, &question, &call);
    assert_true(text_equals_string(call.command.get_shelf_place.place.log,
                                   position == 0 ? "" : fixture->shelf.identity));
    assert_int_equal(call.command.get_shelf_place.place.position, position);
    inventory_call_deinit(&call);
}

static void each_type_of_movement_means_what_it_should(void **state)
{
    struct fixture *fixture = *state;
    move(fixture, "m1", TYPE(INBOUND), "A", 100, "");
    move(fixture, "m2", TYPE(RETURN), "A", 5, "");
    move(fixture, "m3", TYPE(ADJUSTMENT), "A", -7, "");
    move(fixture, "m4", TYPE(ADJUSTMENT), "A", 2, "");
    move(fixture, "m5", TYPE(OUTBOUND), "A", -10, "");
    move(fixture, "m6", TYPE(OUTBOUND), "A", -20, "reservation-1"); /* Commit took it */
    move(fixture, "m7", TYPE(TRANSFER), "A", -30, "");
    follow(fixture);
    assert_on_hand(fixture, "A", 90);
    assert_place(fixture, 70);
}

static void nothing_is_counted_twice_after_a_restart(void **state)
{
    struct fixture *fixture = *state;
    move(fixture, "m1", TYPE(INBOUND), "A", 100, "");
    follow(fixture);
    reopen(fixture);
    follow(fixture);
    assert_on_hand(fixture, "A", 100);
    move(fixture, "m2", TYPE(INBOUND), "B", 1, "");
    follow(fixture);
    follow(fixture);
    assert_on_hand(fixture, "A", 100);
    assert_on_hand(fixture, "B", 1);
    assert_place(fixture, 20);
}

static void other_events_are_passed_over_for_good(void **state)
{
    struct fixture *fixture = *state;
    add_event(fixture, "waybill.warehouse.v1.StockAllocated", 0);
    add_event(fixture, "waybill.warehouse.v1.AllocationReleased", 0);
    follow(fixture);
    assert_place(fixture, 20);
    reopen(fixture);
    assert_place(fixture, 20);
}

static void an_event_that_is_none_stops_the_feed_before_it(void **state)
{
    struct fixture *fixture = *state;
    struct shelf_feed *feed;
    bool idle;
    const struct shelf_feed_options options = {
        .repository = fixture->store,
        .feed = &fixture->shelf.base,
        .clock = clock_system(),
    };
    move(fixture, "m1", TYPE(INBOUND), "A", 100, "");
    move(fixture, "m2", TYPE(INBOUND), "A", -1, ""); /* cannot be */
    move(fixture, "m3", TYPE(INBOUND), "A", 1, "");
    assert_false(error_is(shelf_feed_start(&feed, &options)));
    struct error error = shelf_feed_step(feed, &idle);
    assert_int_equal(error.code, ERROR_DAMAGED);
    shelf_feed_stop(feed);
    assert_on_hand(fixture, "A", 100);
    assert_place(fixture, 10);
}

static void a_store_keeps_the_source_it_began_with(void **state)
{
    struct fixture *fixture = *state;
    struct embedded_repository_options options = embedded_repository_options_default();
    struct inventory_repository *other = NULL;
    move(fixture, "m1", TYPE(INBOUND), "A", 100, "");
    follow(fixture);
    embedded_repository_close(fixture->store);
    options.directory = fixture->directory.path;
    options.segment_bytes = 1 << 20;
    options.batch_bytes_max = 1 << 18;
    struct error error = embedded_repository_open(&other, &options);
    assert_int_equal(error.code, ERROR_INVALID_SETTING);
    assert_non_null(strstr(error.detail, "to convert"));
    open_store(fixture);
    assert_on_hand(fixture, "A", 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_type_of_movement_means_what_it_should, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(nothing_is_counted_twice_after_a_restart, setup, teardown),
        cmocka_unit_test_setup_teardown(other_events_are_passed_over_for_good, setup, teardown),
        cmocka_unit_test_setup_teardown(an_event_that_is_none_stops_the_feed_before_it, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_store_keeps_the_source_it_began_with, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
