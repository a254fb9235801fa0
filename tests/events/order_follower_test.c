/*
 * Goal: fulfillment's follower turns events into signals of orders, each batch in one step with its
 * place; one that is no message of its type is set aside and holds up no other order.
 *
 * Method: the feed is a real event log on disk, the repository one of the test's own that keeps
 * what it is given.
 */
#include "fulfillment/interfaces/events/order_follower.h"
#include "platform/base/memory.h"
#include "platform/events/event_log.h"
#include "platform/rpc/message_pack.h"
#include "tests/support/temporary_directory.h"
#include "tests/support/test_executor.h"
#include "waybill/tracking/v1/tracking.pb-c.h"
#include "waybill/warehouse/v1/warehouse_events.pb-c.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

enum { data_bytes_max = 4096, kept_max = 128, wait_ms_max = 60000, pause_ms = 5 };

struct fixture {
    struct fulfillment_repository repository; /* first */
    struct temporary_directory directory;
    char path[300];
    struct event_log *log;
    struct test_executor executor;
    struct random_seeded random;
    struct order_driver *driver;
    struct order_follower *follower;
    uint64_t told;
    pthread_mutex_t mutex;
    char kept[kept_max][16]; /* the orders that something was told of */
    size_t kept_count;
};

static void assert_good(struct error error)
{
    assert_string_equal(error.detail, "");
}

/* --- the repository --- */

static void finish(struct task *task)
{
    struct fulfillment_command *command =
        (struct fulfillment_command *)(void *)((char *)task -
                                               offsetof(struct fulfillment_command, task));
    command->done(command, NULL);
}

static void execute(struct fulfillment_repository *repository, struct fulfillment_command *command)
{
    struct fixture *fixture = (struct fixture *)repository;
    pthread_mutex_lock(&fixture->mutex);
    if (command->kind == COMMAND_FOLLOW_EVENTS) {
        const struct follow_events_command *follow = (struct follow_events_command *)command;
        for (size_t i = 0; i < follow->signal_count && fixture->kept_count < kept_max; i++)
            snprintf(fixture->kept[fixture->kept_count++], sizeof fixture->kept[0], "%.*s",
                     (int)follow->signals[i].order_id.size, follow->signals[i].order_id.data);
    }
    pthread_mutex_unlock(&fixture->mutex);
    command->outcome = FULFILLMENT_DONE;
    command->task.run = finish;
    executor_post(command->executor, &command->task);
}

/* --- a deployment --- */

static void follow(struct fixture *fixture)
{
    const struct order_follower_options options = {
        .source = "tracking",
        .repository = &fixture->repository,
        .driver = fixture->driver,
        .feed = event_log_feed(fixture->log),
        .clock = clock_system(),
    };
    assert_good(order_follower_start(&fixture->follower, &options));
}

static int set_up(void **state)
{
    static const struct fulfillment_repository_table table = {.execute = execute};
    struct fixture *fixture = memory_allocate_zero(1, sizeof *fixture);
    struct event_log_options log = event_log_options_default();
    struct order_driver_options driver = order_driver_options_default();
    assert_non_null(fixture);
    fixture->repository.table = &table;
    pthread_mutex_init(&fixture->mutex, NULL);
    temporary_directory_create(&fixture->directory);
    snprintf(fixture->path, sizeof fixture->path, "%s/tracking", fixture->directory.path);
    log.directory = fixture->path;
    log.source = "tracking";
    assert_good(event_log_open(&fixture->log, &log));
    test_executor_init(&fixture->executor);
    random_seeded_init(&fixture->random, 1);
    driver.repository = &fixture->repository;
    driver.executor = &fixture->executor.base;
    driver.clock = clock_system();
    driver.random = &fixture->random.base;
    fixture->driver = order_driver_create(&driver);
    assert_non_null(fixture->driver);
    follow(fixture);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    order_follower_stop(fixture->follower);
    order_driver_destroy(fixture->driver);
    test_executor_deinit(&fixture->executor);
    event_log_close(fixture->log);
    temporary_directory_remove(&fixture->directory);
    pthread_mutex_destroy(&fixture->mutex);
    memory_release(fixture);
    return 0;
}

/* --- what tracking tells --- */

static void tell(struct fixture *fixture, const char *type, struct text data)
{
    char id[32];
    size_t appended = 0;
    snprintf(id, sizeof id, "tracking-%llu", (unsigned long long)++fixture->told);
    struct event event = {
        .event_id = text_of(id),
        .type = text_of(type),
        .source = text_of("tracking"),
        .key = text_of("ups/1"),
        .time_us = 1,
        .data = data,
    };
    assert_good(event_sink_append(event_log_sink(fixture->log), &event, 1, &appended));
    assert_int_equal(appended, 1);
}

static const char delivered_type[] = "waybill.tracking.v1.ShipmentDelivered";

static void tell_delivered(struct fixture *fixture, const char *order_id)
{
    uint8_t data[data_bytes_max];
    Waybill__Tracking__V1__ShipmentDelivered message =
        WAYBILL__TRACKING__V1__SHIPMENT_DELIVERED__INIT;
    message.order_id = (char *)(uintptr_t)order_id;
    message.carrier = (char *)(uintptr_t) "ups";
    message.tracking_number = (char *)(uintptr_t) "1";
    size_t size = protobuf_c_message_pack(&message.base, data);
    tell(fixture, delivered_type, text_make(data, size));
}

static struct event_subscription_status wait_until_followed(struct fixture *fixture)
{
    const struct timespec pause = {.tv_nsec = pause_ms * 1000000L};
    struct event_feed *feed = event_log_feed(fixture->log);
    for (int waited_ms = 0; waited_ms < wait_ms_max; waited_ms += pause_ms) {
        struct event_subscription_status status = order_follower_status(fixture->follower);
        if (status.place.position == event_feed_newest(feed) && status.events == fixture->told)
            return status;
        (void)nanosleep(&pause, NULL);
    }
    fail_msg("it does not follow: %s", order_follower_status(fixture->follower).last_error.detail);
    return order_follower_status(fixture->follower);
}

static void what_is_told_of_orders_is_kept(void **state)
{
    struct fixture *fixture = *state;
    tell_delivered(fixture, "o1");
    tell_delivered(fixture, ""); /* of nobody's order */
    tell(fixture, "waybill.tracking.v1.SomethingElse", text_of("?"));
    tell_delivered(fixture, "o2");
    struct event_subscription_status status = wait_until_followed(fixture);
    assert_int_equal(status.failures, 0);
    assert_int_equal(status.set_aside, 0);
    assert_int_equal(fixture->kept_count, 2);
    assert_string_equal(fixture->kept[0], "o1");
    assert_string_equal(fixture->kept[1], "o2");
}

/* What is small on the wire is larger as signals: it is kept piece by piece. */
static void a_batch_too_large_for_its_room_is_kept_in_pieces(void **state)
{
    enum { lines = 10000, events = 64 };
    static Waybill__Warehouse__V1__AllocationLine line =
        WAYBILL__WAREHOUSE__V1__ALLOCATION_LINE__INIT;
    static Waybill__Warehouse__V1__AllocationLine *all[lines];
    struct fixture *fixture = *state;
    Waybill__Warehouse__V1__AllocationShipped shipped =
        WAYBILL__WAREHOUSE__V1__ALLOCATION_SHIPPED__INIT;
    Waybill__Warehouse__V1__Allocation allocation = WAYBILL__WAREHOUSE__V1__ALLOCATION__INIT;
    Waybill__Warehouse__V1__AllocationPart part = WAYBILL__WAREHOUSE__V1__ALLOCATION_PART__INIT;
    Waybill__Warehouse__V1__AllocationPart *parts[] = {&part};
    line.sku = (char *)(uintptr_t) "A";
    for (size_t i = 0; i < lines; i++)
        all[i] = &line;
    part.state = WAYBILL__WAREHOUSE__V1__ALLOCATION_STATE__ALLOCATION_STATE_SHIPPED;
    part.lines = all;
    part.n_lines = lines;
    allocation.order_id = (char *)(uintptr_t) "large";
    allocation.parts = parts;
    allocation.n_parts = 1;
    shipped.allocation = &allocation;
    size_t size = protobuf_c_message_get_packed_size(&shipped.base);
    uint8_t *data = memory_allocate(size);
    assert_non_null(data);
    (void)protobuf_c_message_pack(&shipped.base, data);
    order_follower_stop(fixture->follower); /* they shall come together */
    for (int i = 0; i < events; i++)
        tell(fixture, shipped.base.descriptor->name, text_make(data, size));
    memory_release(data);
    follow(fixture);
    struct event_subscription_status status = wait_until_followed(fixture);
    assert_int_equal(status.failures, 0);
    assert_int_equal(fixture->kept_count, events);
}

static void what_is_no_message_is_set_aside_and_orders_behind_it_go_on(void **state)
{
    struct fixture *fixture = *state;
    tell_delivered(fixture, "o1");
    tell(fixture, delivered_type, text_of("\x0a\x7f:"));
    tell(fixture, "waybill.tracking.v1.TrackingUpdated", text_of("\xff"));
    tell_delivered(fixture, "o2");
    struct event_subscription_status status = wait_until_followed(fixture);
    assert_int_equal(status.failures, 0);
    assert_int_equal(status.set_aside, 2);
    assert_int_equal(fixture->kept_count, 2);
    assert_string_equal(fixture->kept[1], "o2");
}

/* What unpacking tells apart: the same bytes are good as soon as there is memory. */
static void want_of_memory_is_no_damage(void **state)
{
    uint8_t data[data_bytes_max];
    Waybill__Tracking__V1__ShipmentDelivered message =
        WAYBILL__TRACKING__V1__SHIPMENT_DELIVERED__INIT;
    ProtobufCMessage *read = NULL;
    struct error error = error_make(ERROR_OUT_OF_MEMORY, "not yet");
    uint64_t successes = 0;
    (void)state;
    message.order_id = (char *)(uintptr_t) "o1";
    message.carrier = (char *)(uintptr_t) "ups";
    struct text bytes = text_make(data, protobuf_c_message_pack(&message.base, data));
    for (; error_is(error); successes++) {
        memory_fail_after(successes, 1);
        error = message_unpack(message.base.descriptor, bytes, &read);
        memory_fail_after(UINT64_MAX, 0);
        assert_true(!error_is(error) || error.code == ERROR_OUT_OF_MEMORY);
        assert_int_equal(read == NULL, error_is(error));
    }
    assert_true(successes > 2);
    assert_string_equal(((Waybill__Tracking__V1__ShipmentDelivered *)read)->order_id, "o1");
    message_release(read);
    error = message_unpack(message.base.descriptor, text_of("\x0a\x7f"), &read);
    assert_int_equal(error.code, ERROR_DAMAGED);
    assert_null(read);
    message_release(read);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(what_is_told_of_orders_is_kept),
        CASE(a_batch_too_large_for_its_room_is_kept_in_pieces),
        CASE(what_is_no_message_is_set_aside_and_orders_behind_it_go_on),
        CASE(want_of_memory_is_no_damage),
    };
    return cmocka_run_group_tests_name("order_follower", tests, NULL, NULL);
}
