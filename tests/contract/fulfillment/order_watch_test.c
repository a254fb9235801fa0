/*
 * Goal: a watcher sees each state of its order once, also when it comes back with a cursor,
 * whatever the log lacked when the cursor was made.
 *
 * Method: all of fulfillment behind its door on one thread (tests/support/fulfillment_door.h),
 * where the test says when the outbox is moved into the log: the instant at which a process is
 * killed.
 */
#include "tests/support/fulfillment_door.h"
#include "tests/support/order_requests.h"
#include "tests/support/rpc_memory_kit.h"

#include "platform/base/check.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

struct setting {
    struct rpc_memory_kit rpc; /* first */
    struct fulfillment_door_kit door;
    struct arena arena;
    char cursor[512]; /* of the latest message */
};

static void work(void *context)
{
    fulfillment_door_work(&((struct setting *)context)->door);
}

static int set_up(void **state)
{
    static struct setting setting;
    memset(&setting, 0, sizeof setting);
    fulfillment_door_open(&setting.door);
    arena_init(&setting.arena, 1024 * 1024);
    setting.rpc = (struct rpc_memory_kit){.service = fulfillment_rpc_service(&setting.door.door),
                                          .work = work,
                                          .clock = &setting.door.books.clock.base,
                                          .context = &setting};
    rpc_memory_kit_open(&setting.rpc);
    *state = &setting;
    return 0;
}

static int tear_down(void **state)
{
    struct setting *setting = *state;
    order_watch_stop(setting->door.watch);
    rpc_memory_kit_close(&setting->rpc);
    fulfillment_door_close(&setting->door);
    arena_deinit(&setting->arena);
    return 0;
}

/* --- words --- */

static void ask(struct setting *setting, const char *method, const ProtobufCMessage *request)
{
    const struct rpc_memory_trial call = {.name = method, .method = method};
    rpc_memory_kit_call(&setting->rpc, &call, request, 0);
    if (setting->rpc.status != GRPC_STATUS_OK)
        fail_msg("%s: %s", method, setting->rpc.message);
}

static void promise(struct setting *setting)
{
    ask(setting, "PromiseOrder", &order_request_promise(&setting->arena, "o1", "ann")->base);
}

static void confirm(struct setting *setting)
{
    ask(setting, "ConfirmOrder", order_request_confirm(&setting->arena, "o1"));
}

static void cancel(struct setting *setting)
{
    ask(setting, "CancelOrder", order_request_cancel(&setting->arena, "o1"));
}

/* The next message from that cursor on; the cursor behind it is kept. */
static Waybill__Fulfillment__V1__OrderState watch(struct setting *setting, const char *cursor)
{
    const struct rpc_memory_trial call = {
        .name = "watch", .method = "WatchOrder", .messages_until_cancelled = 1};
    rpc_memory_kit_call(&setting->rpc, &call, order_request_watch(&setting->arena, "o1", cursor),
                        0);
    if (setting->rpc.response == NULL)
        fail_msg("nothing was told: %s", setting->rpc.message);
    const Waybill__Fulfillment__V1__WatchOrderResponse *response =
        (const void *)setting->rpc.response;
    snprintf(setting->cursor, sizeof setting->cursor, "%s", response->cursor);
    return response->order->state;
}

/* What is told from that cursor on, each message with the cursor of the one before. */
static void assert_told(struct setting *setting, const char *cursor,
                        const Waybill__Fulfillment__V1__OrderState *states, size_t count)
{
    char from[sizeof setting->cursor];
    snprintf(from, sizeof from, "%s", cursor);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(watch(setting, from), states[i]);
        snprintf(from, sizeof from, "%s", setting->cursor);
    }
}

#define STATE(name) WAYBILL__FULFILLMENT__V1__ORDER_STATE__ORDER_STATE_##name

static void tell(struct setting *setting, enum order_signal_kind kind)
{
    struct fulfillment_kit *books = &setting->door.books;
    struct get_order_command *get = fulfillment_kit_command(books, COMMAND_GET_ORDER, sizeof *get);
    struct follow_events_command *follow =
        fulfillment_kit_command(books, COMMAND_FOLLOW_EVENTS, sizeof *follow);
    struct order_signal signals[2] = {{0}};
    get->order_id = text_of("o1");
    assert_int_equal(fulfillment_kit_ask(books, &get->base), FULFILLMENT_DONE);
    assert_int_equal(get->order.part_count, 2);
    for (size_t i = 0; i < 2; i++) {
        const struct order_part *part = &get->order.parts[i];
        signals[i] = (struct order_signal){
            .kind = kind,
            .order_id = text_of("o1"),
            .allocation_id = order_allocation_id(&setting->arena, &get->order),
            .warehouse_id = part->warehouse_id,
            .carrier = part->carrier,
            .tracking_number = part->parcels[0].tracking_number,
            .time_us = 77,
        };
    }
    follow->source = text_of("test");
    follow->place = (struct order_place){.log = text_of("log"), .position = 1};
    follow->signals = signals;
    follow->signal_count = 2;
    assert_int_equal(fulfillment_kit_ask(books, &follow->base), FULFILLMENT_DONE);
    fulfillment_kit_reset(books);
}

/* --- the tests --- */

static void a_state_that_the_log_lacked_is_not_told_again(void **state)
{
    struct setting *setting = *state;
    char first[sizeof setting->cursor];
    promise(setting);
    assert_int_equal(watch(setting, ""), STATE(PROMISED)); /* from the database; the log is empty */
    snprintf(first, sizeof first, "%s", setting->cursor);
    fulfillment_door_relay(&setting->door);
    confirm(setting);
    fulfillment_door_relay(&setting->door);
    assert_told(setting, first, (const Waybill__Fulfillment__V1__OrderState[]){STATE(CONFIRMED)},
                1);
    cancel(setting);
    fulfillment_door_relay(&setting->door);
    assert_told(setting, first,
                (const Waybill__Fulfillment__V1__OrderState[]){STATE(CONFIRMED), STATE(CANCELLED)},
                2);
}

static void the_present_is_told_once_though_its_event_comes_later(void **state)
{
    struct setting *setting = *state;
    promise(setting);
    fulfillment_door_relay(&setting->door);
    confirm(setting); /* the log is behind */
    assert_int_equal(watch(setting, ""), STATE(CONFIRMED));
    cancel(setting);
    fulfillment_door_relay(&setting->door);
    assert_int_equal(watch(setting, setting->cursor), STATE(CANCELLED));
}

/* One change, told by several events: SHIPPED and DELIVERED at once. */
static void one_change_is_one_message(void **state)
{
    struct setting *setting = *state;
    char first[sizeof setting->cursor];
    promise(setting);
    confirm(setting);
    fulfillment_door_relay(&setting->door);
    assert_int_equal(watch(setting, ""), STATE(CONFIRMED));
    snprintf(first, sizeof first, "%s", setting->cursor);
    tell(setting, SIGNAL_PART_SHIPPED);
    tell(setting, SIGNAL_PARCEL_DELIVERED);
    fulfillment_door_settle(&setting->door);
    tell(setting, SIGNAL_PARCEL_RETURNED);
    fulfillment_door_settle(&setting->door);
    fulfillment_door_relay(&setting->door);
    assert_int_equal(event_log_usage(setting->door.log).newest, 5);
    assert_told(setting, first,
                (const Waybill__Fulfillment__V1__OrderState[]){STATE(DELIVERED), STATE(RETURNED)},
                2);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    (void)signal(SIGPIPE, SIG_IGN); /* as every program of ours does */
    const struct CMUnitTest tests[] = {
        CASE(a_state_that_the_log_lacked_is_not_told_again),
        CASE(the_present_is_told_once_though_its_event_comes_later),
        CASE(one_change_is_one_message),
    };
    return cmocka_run_group_tests_name("order_watch", tests, NULL, NULL);
}
