/*
 * The orders by way of fulfillment: promise the extra ones, cancel some, wait until the others have
 * expired; then promise and confirm every order, and once it was shipped have its parcels delivered
 * on the day on which its last line really was.
 *
 * Every call is idempotent for ever (fulfillment keeps its orders), so what is not known to be done
 * is simply done again. An order stands where its hold would (HOLD_PENDING = promised,
 * HOLD_COMMITTED = confirmed); a promise that ran out before its turn came is confirmed all the
 * same, late, and taken if it can be.
 */
#include "main/replay/stages/replay_stage.h"

#include "main/replay/messages/order_messages.h"
#include "main/replay/messages/parcel_messages.h"
#include "main/replay/pump/answer_details.h"
#include "platform/base/memory.h"

#include <string.h>

enum { delivery_bytes_max = 256 * 1024 };
static const int64_t look_up_pause_us = INT64_C(100) * 1000;
static const int64_t order_timeout_us = INT64_C(60) * 1000000;
static const int64_t settle_patience_us = INT64_C(300) * 1000000;

static size_t hold_count(void *context)
{
    const struct replay *replay = context;
    return replay->plan->hold_count;
}

static size_t order_count(void *context)
{
    const struct replay *replay = context;
    return replay->data_set->order_count;
}

static enum hold_outcome outcome_of(const struct replay *replay, size_t hold)
{
    return replay_plan_outcome(replay->plan, (uint32_t)hold);
}

static struct error refused(const struct replay *replay, size_t hold,
                            const struct rpc_client_result *result, const char *method)
{
    struct replay_id id = replay_plan_order_id(replay->plan, (uint32_t)hold);
    return error_prefix(answer_error(&result->status), "order %s: %s", id.string, method);
}

/* --- answers --- */

static struct error take_order(struct replay *replay, size_t hold,
                               const Waybill__Fulfillment__V1__Order *order)
{
    struct replay_id id = replay_plan_order_id(replay->plan, (uint32_t)hold);
    if (order == NULL || strcmp(order->order_id, id.string) != 0)
        return error_make(ERROR_PROTOCOL, "order %s: the answer holds another", id.string);
    order_message_take(replay, (uint32_t)hold, order);
    return error_none();
}

static bool is_being_confirmed(const Waybill__Fulfillment__V1__Order *order)
{
    return order->state == WAYBILL__FULFILLMENT__V1__ORDER_STATE__ORDER_STATE_CONFIRMING;
}

/* --- promise --- */

/* The order's own hold has its number. */
static bool promise_is_due(void *context, size_t order)
{
    const struct replay *replay = context;
    return replay->holds[order].state == HOLD_NONE;
}

static bool extra_is_due(void *context, size_t hold)
{
    const struct replay *replay = context;
    return replay->holds[hold].state == HOLD_NONE && outcome_of(replay, hold) != HOLD_PAID;
}

static bool promise_prepare(void *context, size_t hold, struct arena *arena, struct pump_call *call)
{
    Waybill__Fulfillment__V1__PromiseOrderRequest *request =
        order_message_promise(context, (uint32_t)hold, arena);
    call->path = "/waybill.fulfillment.v1.FulfillmentService/PromiseOrder";
    call->request = (const ProtobufCMessage *)request;
    call->response = &waybill__fulfillment__v1__promise_order_response__descriptor;
    call->timeout_us = order_timeout_us;
    return request != NULL;
}

static struct error promise_answered(void *context, size_t hold,
                                     const struct rpc_client_result *result, bool *again)
{
    struct replay *replay = context;
    int64_t lapsed_us = clock_monotonic_us(replay->options.clock) + replay_lapse_ttl_us;
    const Waybill__Fulfillment__V1__PromiseOrderResponse *response =
        (const Waybill__Fulfillment__V1__PromiseOrderResponse *)result->response;
    *again = false;
    if (result->status.code != GRPC_STATUS_OK)
        return refused(replay, hold, result, "PromiseOrder");
    replay->look_up_us[hold] = lapsed_us;
    replay->lapse_give_up_us = lapsed_us + replay_lapse_grace_us;
    return take_order(replay, hold, response->order);
}

/* --- cancel --- */

static bool cancel_is_due(void *context, size_t hold)
{
    const struct replay *replay = context;
    return replay->holds[hold].state == HOLD_PENDING && outcome_of(replay, hold) == HOLD_CANCELLED;
}

static bool cancel_prepare(void *context, size_t hold, struct arena *arena, struct pump_call *call)
{
    const struct replay *replay = context;
    struct replay_id id = replay_plan_order_id(replay->plan, (uint32_t)hold);
    Waybill__Fulfillment__V1__CancelOrderRequest *request = arena_allocate(arena, sizeof *request);
    if (request == NULL)
        return false;
    waybill__fulfillment__v1__cancel_order_request__init(request);
    request->order_id = arena_format(arena, "%s", id.string);
    request->reason = "the customer changed her mind";
    call->path = "/waybill.fulfillment.v1.FulfillmentService/CancelOrder";
    call->request = &request->base;
    call->response = &waybill__fulfillment__v1__cancel_order_response__descriptor;
    call->timeout_us = order_timeout_us;
    return request->order_id != NULL;
}

/* --- lapse --- */

static bool lapse_is_due(void *context, size_t hold)
{
    const struct replay *replay = context;
    return replay->holds[hold].state == HOLD_PENDING && outcome_of(replay, hold) == HOLD_LAPSED;
}

static int64_t look_up_wait_us(void *context, size_t hold)
{
    const struct replay *replay = context;
    return replay->look_up_us[hold] - clock_monotonic_us(replay->options.clock);
}

static bool look_up_prepare(const struct replay *replay, size_t hold, struct arena *arena,
                            struct pump_call *call)
{
    struct replay_id id = replay_plan_order_id(replay->plan, (uint32_t)hold);
    Waybill__Fulfillment__V1__GetOrderRequest *request = arena_allocate(arena, sizeof *request);
    if (request == NULL)
        return false;
    waybill__fulfillment__v1__get_order_request__init(request);
    request->order_id = arena_format(arena, "%s", id.string);
    call->path = "/waybill.fulfillment.v1.FulfillmentService/GetOrder";
    call->request = &request->base;
    call->response = &waybill__fulfillment__v1__get_order_response__descriptor;
    return request->order_id != NULL;
}

static bool lapse_prepare(void *context, size_t hold, struct arena *arena, struct pump_call *call)
{
    return look_up_prepare(context, hold, arena, call);
}

/* The order that GetOrder found; NULL and *error otherwise. */
static const Waybill__Fulfillment__V1__Order *looked_up(struct replay *replay, size_t hold,
                                                        const struct rpc_client_result *result,
                                                        struct error *error)
{
    const Waybill__Fulfillment__V1__GetOrderResponse *response =
        (const Waybill__Fulfillment__V1__GetOrderResponse *)result->response;
    *error = result->status.code == GRPC_STATUS_OK ? take_order(replay, hold, response->order)
                                                   : refused(replay, hold, result, "GetOrder");
    return error_is(*error) ? NULL : response->order;
}

/* Again a little later, unless it has lasted too long. */
static struct error look_again(struct replay *replay, size_t hold, int64_t give_up_us,
                               const char *what, bool *again)
{
    int64_t now_us = clock_monotonic_us(replay->options.clock);
    struct replay_id id = replay_plan_order_id(replay->plan, (uint32_t)hold);
    if (now_us > give_up_us)
        return error_make(ERROR_INTERNAL, "order %s: %s", id.string, what);
    *again = true;
    replay->look_up_us[hold] = now_us + look_up_pause_us;
    return error_none();
}

/* What is cancelled but not yet given back is asked for again. */
static struct error cancel_answered(void *context, size_t hold,
                                    const struct rpc_client_result *result, bool *again)
{
    struct replay *replay = context;
    const Waybill__Fulfillment__V1__CancelOrderResponse *response =
        (const Waybill__Fulfillment__V1__CancelOrderResponse *)result->response;
    *again = false;
    if (result->status.code != GRPC_STATUS_OK)
        return refused(replay, hold, result, "CancelOrder");
    struct error error = take_order(replay, hold, response->order);
    if (error_is(error))
        return error;
    if (response->order->cancelling && !replay->confirming[hold])
        replay->settle_give_up_us = clock_monotonic_us(replay->options.clock) + settle_patience_us;
    replay->confirming[hold] = response->order->cancelling;
    return replay->confirming[hold] ? look_again(replay, hold, replay->settle_give_up_us,
                                                 "it is still being cancelled", again)
                                    : error_none();
}

static struct error lapse_answered(void *context, size_t hold,
                                   const struct rpc_client_result *result, bool *again)
{
    struct replay *replay = context;
    struct error error;
    *again = false;
    if (looked_up(replay, hold, result, &error) == NULL || !lapse_is_due(replay, hold))
        return error;
    return look_again(replay, hold, replay->lapse_give_up_us,
                      "its promise of 2 s has still not expired", again);
}

/* --- confirm --- */

static bool confirm_is_due(void *context, size_t hold)
{
    const struct replay *replay = context;
    return outcome_of(replay, hold) == HOLD_PAID &&
           (replay->holds[hold].state == HOLD_PENDING || replay->confirming[hold]);
}

static bool confirm_prepare(void *context, size_t hold, struct arena *arena, struct pump_call *call)
{
    const struct replay *replay = context;
    struct replay_id id = replay_plan_order_id(replay->plan, (uint32_t)hold);
    if (replay->confirming[hold])
        return look_up_prepare(replay, hold, arena, call);
    Waybill__Fulfillment__V1__ConfirmOrderRequest *request = arena_allocate(arena, sizeof *request);
    if (request == NULL)
        return false;
    waybill__fulfillment__v1__confirm_order_request__init(request);
    request->order_id = arena_format(arena, "%s", id.string);
    call->path = "/waybill.fulfillment.v1.FulfillmentService/ConfirmOrder";
    call->request = &request->base;
    call->response = &waybill__fulfillment__v1__confirm_order_response__descriptor;
    call->timeout_us = order_timeout_us;
    return request->order_id != NULL;
}

static int64_t settle_wait_us(void *context, size_t hold)
{
    const struct replay *replay = context;
    return replay->confirming[hold] ? look_up_wait_us(context, hold) : 0;
}

static struct error confirm_answered(void *context, size_t hold,
                                     const struct rpc_client_result *result, bool *again)
{
    struct replay *replay = context;
    const Waybill__Fulfillment__V1__Order *order = NULL;
    struct error error = error_none();
    *again = false;
    if (replay->confirming[hold]) {
        order = looked_up(replay, hold, result, &error);
    } else if (result->status.code != GRPC_STATUS_OK) {
        error = refused(replay, hold, result, "ConfirmOrder");
    } else {
        order = ((const Waybill__Fulfillment__V1__ConfirmOrderResponse *)result->response)->order;
        error = take_order(replay, hold, order);
        replay->settle_give_up_us = clock_monotonic_us(replay->options.clock) + settle_patience_us;
    }
    if (error_is(error))
        return error;
    replay->confirming[hold] = is_being_confirmed(order);
    if (!replay->confirming[hold])
        return error_none();
    return look_again(replay, hold, replay->settle_give_up_us, "it is still being confirmed",
                      again);
}

/* --- deliver --- */

/* An order whose parcels are being told of, one by one. */
struct order_delivery {
    struct arena arena;
    char **carriers; /* of each parcel */
    char **numbers;
    size_t parcel_count;
    size_t told;
    bool is_listed; /* the parcels are known */
};

void replay_release_delivery(struct replay *replay, uint32_t order)
{
    struct order_delivery *delivery = replay->deliveries[order];
    if (delivery == NULL)
        return;
    arena_deinit(&delivery->arena);
    memory_release(delivery);
    replay->deliveries[order] = NULL;
}

static bool deliver_is_due(void *context, size_t order)
{
    const struct replay *replay = context;
    return replay->allocations[order] == ALLOCATION_SHIPPED && !replay->delivered[order];
}

static int64_t deliver_wait_us(void *context, size_t order)
{
    const struct replay *replay = context;
    const struct order_delivery *delivery = replay->deliveries[order];
    bool is_waiting =
        delivery == NULL || !delivery->is_listed || delivery->told == delivery->parcel_count;
    return is_waiting ? look_up_wait_us(context, order) : 0;
}

static bool deliver_prepare(void *context, size_t order, struct arena *arena,
                            struct pump_call *call)
{
    struct replay *replay = context;
    struct order_delivery *delivery = replay->deliveries[order];
    if (delivery == NULL) {
        delivery = memory_allocate_zero(1, sizeof *delivery);
        if (delivery == NULL)
            return false;
        arena_init(&delivery->arena, delivery_bytes_max);
        replay->deliveries[order] = delivery;
    }
    if (!delivery->is_listed || delivery->told == delivery->parcel_count)
        return look_up_prepare(replay, order, arena, call);
    Waybill__Tracking__V1__RecordEventRequest *request =
        parcel_message_delivery(replay, (uint32_t)order, delivery->carriers[delivery->told],
                                delivery->numbers[delivery->told], arena);
    call->path = "/waybill.tracking.v1.TrackingService/RecordEvent";
    call->request = (const ProtobufCMessage *)request;
    call->response = &waybill__tracking__v1__record_event_response__descriptor;
    return request != NULL;
}

static size_t count_parcels(const Waybill__Fulfillment__V1__Order *order)
{
    size_t count = 0;
    for (size_t i = 0; i < order->n_parts; i++)
        count += order->parts[i]->n_tracking_numbers;
    return count;
}

/* Copies the parcels' names. False without memory. */
static bool list_parcels(struct order_delivery *delivery,
                         const Waybill__Fulfillment__V1__Order *order)
{
    size_t count = count_parcels(order);
    delivery->carriers = arena_allocate(&delivery->arena, (count + 1) * sizeof(char *));
    delivery->numbers = arena_allocate(&delivery->arena, (count + 1) * sizeof(char *));
    if (delivery->carriers == NULL || delivery->numbers == NULL)
        return false;
    for (size_t i = 0; i < order->n_parts; i++) {
        const Waybill__Fulfillment__V1__OrderPart *part = order->parts[i];
        for (size_t j = 0; j < part->n_tracking_numbers; j++) {
            size_t at = delivery->parcel_count++;
            delivery->carriers[at] = arena_format(&delivery->arena, "%s", part->carrier);
            delivery->numbers[at] = arena_format(&delivery->arena, "%s", part->tracking_numbers[j]);
            if (delivery->carriers[at] == NULL || delivery->numbers[at] == NULL)
                return false;
        }
    }
    delivery->is_listed = true;
    return true;
}

/* Fulfillment hears of deliveries by tracking's events: soon, not at once. */
static struct error take_settled(struct replay *replay, size_t order,
                                 const Waybill__Fulfillment__V1__Order *record, bool *again)
{
    struct order_delivery *delivery = replay->deliveries[order];
    if (replay->delivered[order]) {
        replay_release_delivery(replay, (uint32_t)order);
        return error_none();
    }
    if (!delivery->is_listed) {
        replay->settle_give_up_us = clock_monotonic_us(replay->options.clock) + settle_patience_us;
        if (!list_parcels(delivery, record))
            return error_make(ERROR_OUT_OF_MEMORY, "deliveries");
        if (delivery->parcel_count > 0) {
            *again = true;
            return error_none();
        }
    }
    return look_again(replay, order, replay->settle_give_up_us,
                      "fulfillment has not heard of its delivery", again);
}

static struct error deliver_answered(void *context, size_t order,
                                     const struct rpc_client_result *result, bool *again)
{
    struct replay *replay = context;
    struct order_delivery *delivery = replay->deliveries[order];
    struct error error;
    *again = false;
    if (!delivery->is_listed || delivery->told == delivery->parcel_count) {
        const Waybill__Fulfillment__V1__Order *record = looked_up(replay, order, result, &error);
        return record == NULL ? error : take_settled(replay, order, record, again);
    }
    if (result->status.code != GRPC_STATUS_OK)
        return refused(replay, order, result, "RecordEvent");
    delivery->told++;
    replay->look_up_us[order] = clock_monotonic_us(replay->options.clock);
    *again = true;
    return error_none();
}

const struct replay_stage promise_stages[] = {
    {
        .name = "promise_some",
        .title = "Promising for a while",
        .work = {.item_count = hold_count,
                 .is_due = extra_is_due,
                 .prepare = promise_prepare,
                 .answered = promise_answered},
    },
    {
        .name = "cancel",
        .title = "Cancelling",
        .work = {.item_count = hold_count,
                 .is_due = cancel_is_due,
                 .wait_us = settle_wait_us,
                 .prepare = cancel_prepare,
                 .answered = cancel_answered},
    },
    {
        .name = "lapse",
        .title = "Letting promises lapse",
        .work = {.item_count = hold_count,
                 .is_due = lapse_is_due,
                 .wait_us = look_up_wait_us,
                 .prepare = lapse_prepare,
                 .answered = lapse_answered},
    },
    {
        .name = "promise",
        .title = "Promising",
        .work = {.item_count = order_count,
                 .turns = replay_turns,
                 .is_due = promise_is_due,
                 .prepare = promise_prepare,
                 .answered = promise_answered},
    },
    {
        .name = "confirm",
        .title = "Confirming",
        .work = {.item_count = hold_count,
                 .is_due = confirm_is_due,
                 .wait_us = settle_wait_us,
                 .prepare = confirm_prepare,
                 .answered = confirm_answered},
    },
};
const size_t promise_stage_count = sizeof promise_stages / sizeof promise_stages[0];

const struct replay_stage deliver_stage = {
    .name = "deliver",
    .title = "Delivering",
    .work = {.item_count = order_count,
             .is_due = deliver_is_due,
             .wait_us = deliver_wait_us,
             .prepare = deliver_prepare,
             .answered = deliver_answered},
};
