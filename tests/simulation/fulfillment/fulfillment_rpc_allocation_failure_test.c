/*
 * Goal: every allocation of each call of FulfillmentService fails once, from the caller's request
 * to the answer: ours, nghttp2's, protobuf-c's and SQLite's (RELIABILITY row 9). It costs that call
 * at most; nothing is held, taken or bought twice, nothing is left; asked again the answer is
 * right.
 *
 * Method: all of fulfillment in one thread (tests/support/fulfillment/fulfillment_door.h) at a real
 * door (rpc_memory_kit.h), against services that count what they hold. What a failed allocation
 * leaves half way is driven on, as it would be by itself, before the call is made again.
 */
#include "platform/base/check.h"
#include "platform/rpc/message_fields.h"
#include "tests/support/fulfillment/fulfillment_rpc_kit.h"
#include "tests/support/fulfillment/order_requests.h"

#include "waybill/fulfillment/v1/fulfillment.pb-c.h"

#include <stdio.h>

static void settle(void *context, unsigned number)
{
    (void)number;
    fulfillment_door_settle(&((struct fulfillment_rpc_kit *)context)->door);
}

/* --- requests; the arena has all the memory that they want --- */

static char *id_of(struct arena *arena, unsigned number)
{
    char *id = arena_format(arena, "o-%06u", number);
    CHECK(id != NULL);
    return id;
}

/* The shelves are full again, whatever the trial before has left. */
static ProtobufCMessage *make_promise(void *context, struct arena *arena, unsigned number)
{
    fulfillment_door_restock(&((struct fulfillment_rpc_kit *)context)->door);
    return &order_request_promise(arena, id_of(arena, number), "ann")->base;
}

static ProtobufCMessage *make_promise_without_stock(void *context, struct arena *arena,
                                                    unsigned number)
{
    struct fulfillment_rpc_kit *kit = context;
    ProtobufCMessage *request = make_promise(context, arena, number);
    kit->door.world.shelf[1] = 0; /* reserved, but not to be allocated */
    return request;
}

static ProtobufCMessage *make_wrong(void *context, struct arena *arena, unsigned number)
{
    Waybill__Fulfillment__V1__PromiseOrderRequest *request =
        (Waybill__Fulfillment__V1__PromiseOrderRequest *)make_promise(context, arena, number);
    request->incoterm = "ZZZ";
    request->lines[1]->quantity = -1;
    request->destination->point = NULL;
    return &request->base;
}

/* Through the door, with all the memory there is. */
static void ask(struct fulfillment_rpc_kit *kit, const char *method,
                const ProtobufCMessage *request, unsigned messages)
{
    const struct rpc_memory_trial plain = {
        .name = "before", .method = method, .messages_until_cancelled = messages};
    rpc_memory_kit_call(&kit->rpc, &plain, request, 0);
    if (messages == 0 && kit->rpc.status != GRPC_STATUS_OK)
        fail_msg("%s: %s", method, kit->rpc.message);
    rpc_memory_kit_run(&kit->rpc);
}

static char *promised(struct fulfillment_rpc_kit *kit, struct arena *arena, unsigned number)
{
    ask(kit, "PromiseOrder", make_promise(kit, arena, number), 0);
    return id_of(arena, number);
}

static ProtobufCMessage *make_confirm(void *context, struct arena *arena, unsigned number)
{
    return order_request_confirm(arena, promised(context, arena, number));
}

static ProtobufCMessage *make_cancel(void *context, struct arena *arena, unsigned number)
{
    return order_request_cancel(arena, promised(context, arena, number));
}

static ProtobufCMessage *make_cancel_of_confirmed(void *context, struct arena *arena,
                                                  unsigned number)
{
    char *order_id = promised(context, arena, number);
    ask(context, "ConfirmOrder", order_request_confirm(arena, order_id), 0);
    return order_request_cancel(arena, order_id);
}

static ProtobufCMessage *make_get(void *context, struct arena *arena, unsigned number)
{
    return order_request_get(arena, number == 0 ? promised(context, arena, 0) : id_of(arena, 0));
}

static ProtobufCMessage *make_get_of_none(void *context, struct arena *arena, unsigned number)
{
    (void)context;
    return order_request_get(arena, id_of(arena, number));
}

/* One a page, of two. */
static ProtobufCMessage *make_list(void *context, struct arena *arena, unsigned number)
{
    Waybill__Fulfillment__V1__ListOrdersRequest *request =
        message_create(arena, &waybill__fulfillment__v1__list_orders_request__descriptor);
    CHECK(request != NULL);
    for (unsigned i = 0; i < 2 && number == 0; i++)
        (void)promised(context, arena, i);
    request->customer_id = "ann";
    request->page_size = 1;
    return &request->base;
}

static ProtobufCMessage *make_watch(void *context, struct arena *arena, unsigned number)
{
    char *order_id = number == 0 ? promised(context, arena, 0) : id_of(arena, 0);
    return order_request_watch(arena, order_id, "");
}

/* From before its cancellation, which is in the log. */
static ProtobufCMessage *make_watch_on(void *context, struct arena *arena, unsigned number)
{
    struct fulfillment_rpc_kit *kit = context;
    char *order_id = id_of(arena, 0);
    if (number == 0) {
        (void)promised(kit, arena, 0);
        ask(kit, "WatchOrder", order_request_watch(arena, order_id, ""), 1);
        const Waybill__Fulfillment__V1__WatchOrderResponse *response =
            (const void *)kit->rpc.response;
        snprintf(kit->cursor, sizeof kit->cursor, "%s", response->cursor);
        ask(kit, "CancelOrder", order_request_cancel(arena, order_id), 0);
        fulfillment_door_relay(&kit->door);
    }
    return order_request_watch(arena, order_id, kit->cursor);
}

/* --- what has become of it --- */

/* PromiseOrder, ConfirmOrder, CancelOrder, GetOrder alike: the order is the first field of all. */
static void check_state(unsigned number, const ProtobufCMessage *response,
                        Waybill__Fulfillment__V1__OrderState state)
{
    const Waybill__Fulfillment__V1__GetOrderResponse *answer = (const void *)response;
    char id[24];
    snprintf(id, sizeof id, "o-%06u", number);
    assert_non_null(answer);
    assert_string_equal(answer->order->order_id, id);
    assert_int_equal(answer->order->state, state);
    assert_string_equal(answer->order->attention_reason, "");
}

static void check_held(struct fulfillment_rpc_kit *kit, size_t pending, size_t committed,
                       size_t allocations, size_t labels)
{
    const struct order_world *world = &kit->door.world;
    assert_int_equal(order_world_pending(world), pending);
    assert_int_equal(order_world_committed(world), committed);
    assert_int_equal(order_world_allocations(world), allocations);
    assert_int_equal(order_world_labels(world), labels);
}

static void check_promised(void *context, unsigned number, const ProtobufCMessage *response)
{
    check_state(number, response, WAYBILL__FULFILLMENT__V1__ORDER_STATE__ORDER_STATE_PROMISED);
    check_held(context, 1, 0, 1, 0);
}

static void check_nothing_held(void *context, unsigned number, const ProtobufCMessage *response)
{
    (void)number;
    (void)response;
    check_held(context, 0, 0, 0, 0);
}

static void check_confirmed(void *context, unsigned number, const ProtobufCMessage *response)
{
    struct fulfillment_rpc_kit *kit = context;
    check_state(number, response, WAYBILL__FULFILLMENT__V1__ORDER_STATE__ORDER_STATE_CONFIRMED);
    check_held(kit, 0, 1, 1, 2);
    assert_int_equal(kit->door.world.tracking_count, 2);
}

static void check_cancelled(void *context, unsigned number, const ProtobufCMessage *response)
{
    const Waybill__Fulfillment__V1__CancelOrderResponse *answer = (const void *)response;
    check_state(number, response, WAYBILL__FULFILLMENT__V1__ORDER_STATE__ORDER_STATE_CANCELLED);
    assert_string_equal(answer->order->cancel_reason, "changed her mind");
    check_held(context, 0, 0, 0, 0);
}

static void check_first(void *context, unsigned number, const ProtobufCMessage *response)
{
    const Waybill__Fulfillment__V1__GetOrderResponse *answer = (const void *)response;
    (void)context;
    (void)number;
    assert_string_equal(answer->order->order_id, "o-000000");
    assert_int_equal(answer->order->n_parts, 2);
}

static void check_list(void *context, unsigned number, const ProtobufCMessage *response)
{
    const Waybill__Fulfillment__V1__ListOrdersResponse *answer = (const void *)response;
    (void)context;
    (void)number;
    assert_int_equal(answer->n_orders, 1);
    assert_string_equal(answer->orders[0]->order_id, "o-000000");
    assert_true(answer->next_page_token[0] != '\0');
}

static void check_watch(void *context, unsigned number, const ProtobufCMessage *response)
{
    const Waybill__Fulfillment__V1__WatchOrderResponse *answer = (const void *)response;
    (void)context;
    (void)number;
    assert_true(answer->cursor[0] != '\0');
    assert_int_equal(answer->order->state,
                     WAYBILL__FULFILLMENT__V1__ORDER_STATE__ORDER_STATE_PROMISED);
}

static void check_watch_on(void *context, unsigned number, const ProtobufCMessage *response)
{
    const Waybill__Fulfillment__V1__WatchOrderResponse *answer = (const void *)response;
    (void)context;
    (void)number;
    assert_true(answer->cursor[0] != '\0');
    assert_int_equal(answer->order->state,
                     WAYBILL__FULFILLMENT__V1__ORDER_STATE__ORDER_STATE_CANCELLED);
}

/* --- all of them --- */

static const struct rpc_memory_trial trials[] = {
    {"promise_order", "PromiseOrder", make_promise, settle, check_promised},
    {"promise_order_without_stock", "PromiseOrder", make_promise_without_stock, settle,
     check_nothing_held, GRPC_STATUS_FAILED_PRECONDITION},
    {"promise_order_with_bad_fields", "PromiseOrder", make_wrong, NULL, check_nothing_held,
     GRPC_STATUS_INVALID_ARGUMENT},
    {"confirm_order", "ConfirmOrder", make_confirm, settle, check_confirmed},
    {"cancel_order", "CancelOrder", make_cancel, settle, check_cancelled},
    {"cancel_order_confirmed", "CancelOrder", make_cancel_of_confirmed, settle, check_cancelled},
    {"get_order", "GetOrder", make_get, NULL, check_first},
    {"get_order_of_none", "GetOrder", make_get_of_none, NULL, NULL, GRPC_STATUS_NOT_FOUND},
    {"list_orders", "ListOrders", make_list, NULL, check_list},
    {.name = "watch_order",
     .method = "WatchOrder",
     .make = make_watch,
     .check = check_watch,
     .messages_until_cancelled = 1},
    {.name = "watch_order_from_a_cursor",
     .method = "WatchOrder",
     .make = make_watch_on,
     .check = check_watch_on,
     .messages_until_cancelled = 1},
};
enum { trial_count = sizeof trials / sizeof trials[0], failures_min = 20 };

int main(void)
{
    return rpc_memory_kit_main("fulfillment_rpc_allocation_failure", trials, trial_count,
                               failures_min, fulfillment_rpc_kit_set_up,
                               fulfillment_rpc_kit_tear_down);
}
