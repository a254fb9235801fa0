/*
 * Goal: a watcher sees each state of its order once, also when it comes back with a cursor,
 * whatever the log lacked when the cursor was made.
 *
 * Method: all of fulfillment behind its door on one thread
 * (tests/support/fulfillment/fulfillment_door.h), where the test says when the outbox is moved into
 * the log: the instant at which a process is killed.
 */
#include "tests/support/fulfillment/fulfillment_rpc_kit.h"
#include "tests/support/fulfillment/order_requests.h"

#include "platform/base/check.h"

#include <signal.h>
#include <stdio.h>

/* --- words --- */

static void ask(struct fulfillment_rpc_kit *kit, const char *method,
                const ProtobufCMessage *request)
{
    const struct rpc_memory_trial call = {.name = method, .method = method};
    rpc_memory_kit_call(&kit->rpc, &call, request, 0);
    if (kit->rpc.status != GRPC_STATUS_OK)
        fail_msg("%s: %s", method, kit->rpc.message);
}

static void promise(struct fulfillment_rpc_kit *kit)
{
    ask(kit, "PromiseOrder", &order_request_promise(&kit->arena, "o1", "ann")->base);
}

static void confirm(struct fulfillment_rpc_kit *kit)
{
    ask(kit, "ConfirmOrder", order_request_confirm(&kit->arena, "o1"));
}

static void cancel(struct fulfillment_rpc_kit *kit)
{
    ask(kit, "CancelOrder", order_request_cancel(&kit->arena, "o1"));
}

/* The next message from that cursor on; the cursor behind it is kept. */
static Waybill__Fulfillment__V1__OrderState watch(struct fulfillment_rpc_kit *kit,
                                                  const char *cursor)
{
    const struct rpc_memory_trial call = {
        .name = "watch", .method = "WatchOrder", .messages_until_cancelled = 1};
    rpc_memory_kit_call(&kit->rpc, &call, order_request_watch(&kit->arena, "o1", cursor), 0);
    if (kit->rpc.response == NULL)
        fail_msg("nothing was told: %s", kit->rpc.message);
    const Waybill__Fulfillment__V1__WatchOrderResponse *response = (const void *)kit->rpc.response;
    snprintf(kit->cursor, sizeof kit->cursor, "%s", response->cursor);
    return response->order->state;
}

/* What is told from that cursor on, each message with the cursor of the one before. */
static void assert_told(struct fulfillment_rpc_kit *kit, const char *cursor,
                        const Waybill__Fulfillment__V1__OrderState *states, size_t count)
{
    char from[sizeof kit->cursor];
    snprintf(from, sizeof from, "%s", cursor);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(watch(kit, from), states[i]);
        snprintf(from, sizeof from, "%s", kit->cursor);
    }
}

#define STATE(name) WAYBILL__FULFILLMENT__V1__ORDER_STATE__ORDER_STATE_##name

static void tell(struct fulfillment_rpc_kit *kit, enum order_signal_kind kind)
{
    struct fulfillment_kit *books = &kit->door.books;
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
            .allocation_id = order_allocation_id(&kit->arena, &get->order),
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
    struct fulfillment_rpc_kit *kit = *state;
    char first[sizeof kit->cursor];
    promise(kit);
    assert_int_equal(watch(kit, ""), STATE(PROMISED)); /* from the database; the log is empty */
    snprintf(first, sizeof first, "%s", kit->cursor);
    fulfillment_door_relay(&kit->door);
    confirm(kit);
    fulfillment_door_relay(&kit->door);
    assert_told(kit, first, (const Waybill__Fulfillment__V1__OrderState[]){STATE(CONFIRMED)}, 1);
    cancel(kit);
    fulfillment_door_relay(&kit->door);
    assert_told(kit, first,
                (const Waybill__Fulfillment__V1__OrderState[]){STATE(CONFIRMED), STATE(CANCELLED)},
                2);
}

static void the_present_is_told_once_though_its_event_comes_later(void **state)
{
    struct fulfillment_rpc_kit *kit = *state;
    promise(kit);
    fulfillment_door_relay(&kit->door);
    confirm(kit); /* the log is behind */
    assert_int_equal(watch(kit, ""), STATE(CONFIRMED));
    cancel(kit);
    fulfillment_door_relay(&kit->door);
    assert_int_equal(watch(kit, kit->cursor), STATE(CANCELLED));
}

/* One change, told by several events: SHIPPED and DELIVERED at once. */
static void one_change_is_one_message(void **state)
{
    struct fulfillment_rpc_kit *kit = *state;
    char first[sizeof kit->cursor];
    promise(kit);
    confirm(kit);
    fulfillment_door_relay(&kit->door);
    assert_int_equal(watch(kit, ""), STATE(CONFIRMED));
    snprintf(first, sizeof first, "%s", kit->cursor);
    tell(kit, SIGNAL_PART_SHIPPED);
    tell(kit, SIGNAL_PARCEL_DELIVERED);
    fulfillment_door_settle(&kit->door);
    tell(kit, SIGNAL_PARCEL_RETURNED);
    fulfillment_door_settle(&kit->door);
    fulfillment_door_relay(&kit->door);
    assert_int_equal(event_log_usage(kit->door.log).newest, 5);
    assert_told(kit, first,
                (const Waybill__Fulfillment__V1__OrderState[]){STATE(DELIVERED), STATE(RETURNED)},
                2);
}

#define CASE(name)                                                                                 \
    cmocka_unit_test_setup_teardown(name, fulfillment_rpc_kit_set_up, fulfillment_rpc_kit_tear_down)

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
