/*
 * The subscription's thread makes signals of a batch and asks the repository to keep them; it
 * sleeps until that is durable. Events that say nothing of orders only move the place on, which is
 * kept now and then, not with every batch that has none.
 */
#include "fulfillment/interfaces/events/order_follower.h"

#include "platform/base/log.h"
#include "platform/base/memory.h"
#include "platform/base/waiting_executor.h"
#include "platform/rpc/message_fields.h"
#include "platform/rpc/message_pack.h"

#include "waybill/shipping/v1/shipping_events.pb-c.h"
#include "waybill/tracking/v1/tracking.pb-c.h"
#include "waybill/warehouse/v1/warehouse_events.pb-c.h"

#include <string.h>

enum { batch_bytes_max = 16 * 1024 * 1024, idle_positions_max = 1024 };

static const char *const warehouse_types[] = {"waybill.warehouse.v1.AllocationShipped"};
static const char *const shipping_types[] = {"waybill.shipping.v1.ShipmentCreated",
                                             "waybill.shipping.v1.ShipmentCancelled",
                                             "waybill.shipping.v1.ShipmentFailed"};
static const char *const tracking_types[] = {"waybill.tracking.v1.ShipmentDelivered",
                                             "waybill.tracking.v1.TrackingUpdated"};

const struct order_follower_types order_follower_types[order_follower_source_count] = {
    {"warehouse", warehouse_types, sizeof warehouse_types / sizeof warehouse_types[0]},
    {"shipping", shipping_types, sizeof shipping_types / sizeof shipping_types[0]},
    {"tracking", tracking_types, sizeof tracking_types / sizeof tracking_types[0]},
};

struct order_follower {
    struct order_follower_options options;
    struct event_subscription *subscription;
    struct waiting_executor executor;
    bool is_answered;
    struct error error;
    struct arena arena; /* of the batch */
    uint64_t kept;      /* position of the place kept */
    struct order_signal *signals;
    size_t signal_count;
    size_t signal_capacity;
};

/* --- asking the repository --- */

static void answered(struct fulfillment_command *command, const struct error *error);

/* Commands are alone: the follower they belong to stands in front. */
struct follower_question {
    struct order_follower *follower;
    union {
        struct fulfillment_command base;
        struct follow_events_command follow;
        struct get_place_command get;
    } command;
};

static void answered(struct fulfillment_command *command, const struct error *error)
{
    struct follower_question *question =
        (struct follower_question *)(void *)((char *)command -
                                             offsetof(struct follower_question, command));
    question->follower->is_answered = true;
    question->follower->error = error == NULL ? error_none() : *error;
}

static struct error ask(struct follower_question *question, enum fulfillment_command_kind kind)
{
    struct order_follower *follower = question->follower;
    question->command.base.kind = kind;
    question->command.base.executor = &follower->executor.base;
    question->command.base.arena = &follower->arena;
    follower->is_answered = false;
    fulfillment_repository_execute(follower->options.repository, &question->command.base, answered);
    while (!follower->is_answered)
        waiting_executor_run_one(&follower->executor);
    return follower->error;
}

static struct error load(void *context, struct event_place *place)
{
    struct order_follower *follower = context;
    struct follower_question question = {.follower = follower};
    arena_reset(&follower->arena);
    question.command.get.source = text_of(follower->options.source);
    struct error error = ask(&question, COMMAND_GET_PLACE);
    *place = (struct event_place){0};
    if (error_is(error))
        return error;
    struct text log = question.command.get.place.log;
    place->position = question.command.get.place.position;
    if (log.size < sizeof place->identity && log.size > 0)
        memcpy(place->identity, log.data, log.size);
    follower->kept = place->position;
    return error;
}

/* --- signals --- */

/* Room for one more; NULL without memory. */
static struct order_signal *add_signal(struct order_follower *follower, enum order_signal_kind kind,
                                       const char *order_id)
{
    if (follower->signal_count == follower->signal_capacity) {
        size_t capacity = 2 * follower->signal_capacity + 64;
        struct order_signal *larger =
            arena_allocate_zero(&follower->arena, capacity, sizeof *larger);
        if (larger == NULL)
            return NULL;
        for (size_t i = 0; i < follower->signal_count; i++)
            larger[i] = follower->signals[i];
        follower->signals = larger;
        follower->signal_capacity = capacity;
    }
    struct order_signal *signal = &follower->signals[follower->signal_count];
    *signal = (struct order_signal){
        .kind = kind, .order_id = arena_copy_text(&follower->arena, text_of(order_id))};
    if (signal->order_id.data == NULL)
        return NULL;
    follower->signal_count++;
    return signal;
}

static struct text kept_text(struct order_follower *follower, const char *string)
{
    return arena_copy_text(&follower->arena, text_of(string));
}

static bool tell_of_part(struct order_follower *follower,
                         const Waybill__Warehouse__V1__Allocation *allocation,
                         const Waybill__Warehouse__V1__AllocationPart *part)
{
    struct order_part_line *lines =
        arena_allocate_zero(&follower->arena, part->n_lines + 1, sizeof *lines);
    struct order_signal *signal = add_signal(follower, SIGNAL_PART_SHIPPED, allocation->order_id);
    if (lines == NULL || signal == NULL)
        return false;
    signal->allocation_id = kept_text(follower, allocation->allocation_id);
    signal->warehouse_id = kept_text(follower, part->warehouse_id);
    for (size_t i = 0; i < part->n_lines; i++) {
        lines[i].sku = kept_text(follower, part->lines[i]->sku);
        lines[i].quantity = part->lines[i]->quantity;
        lines[i].shipped_quantity = part->lines[i]->shipped_quantity;
    }
    signal->lines = lines;
    signal->line_count = part->n_lines;
    return true;
}

/* All parts that have left by now: what was told before is told again, and changes nothing. */
static bool take_shipped(struct order_follower *follower, const ProtobufCMessage *message)
{
    const Waybill__Warehouse__V1__Allocation *allocation =
        ((const Waybill__Warehouse__V1__AllocationShipped *)message)->allocation;
    bool good = true;
    for (size_t i = 0; allocation != NULL && i < allocation->n_parts && good; i++) {
        if (allocation->parts[i]->state ==
                WAYBILL__WAREHOUSE__V1__ALLOCATION_STATE__ALLOCATION_STATE_SHIPPED &&
            allocation->order_id[0] != '\0')
            good = tell_of_part(follower, allocation, allocation->parts[i]);
    }
    return good;
}

/* All three have the shipment in the same field. */
static bool take_shipment(struct order_follower *follower, const ProtobufCMessage *message)
{
    const Waybill__Shipping__V1__Shipment *shipment =
        ((const Waybill__Shipping__V1__ShipmentCreated *)message)->shipment;
    return shipment == NULL || shipment->order_id[0] == '\0' ||
           add_signal(follower, SIGNAL_SHIPMENT_CHANGED, shipment->order_id) != NULL;
}

static bool tell_of_parcel(struct order_follower *follower, enum order_signal_kind kind,
                           const char *order_id, const char *carrier, const char *number,
                           const Google__Protobuf__Timestamp *time)
{
    if (order_id[0] == '\0')
        return true;
    struct order_signal *signal = add_signal(follower, kind, order_id);
    if (signal == NULL)
        return false;
    signal->carrier = kept_text(follower, carrier);
    signal->tracking_number = kept_text(follower, number);
    signal->time_us = message_time_us(time);
    return true;
}

static bool take_delivered(struct order_follower *follower, const ProtobufCMessage *base)
{
    const Waybill__Tracking__V1__ShipmentDelivered *message = (const void *)base;
    return tell_of_parcel(follower, SIGNAL_PARCEL_DELIVERED, message->order_id, message->carrier,
                          message->tracking_number, message->delivered_time);
}

static bool is_end(Waybill__Tracking__V1__TrackingStatus status)
{
    return status == WAYBILL__TRACKING__V1__TRACKING_STATUS__TRACKING_STATUS_DELIVERED ||
           status == WAYBILL__TRACKING__V1__TRACKING_STATUS__TRACKING_STATUS_RETURNED;
}

/* It came back; or what was told before is withdrawn by a correction. */
static bool take_updated(struct order_follower *follower, const ProtobufCMessage *base)
{
    const Waybill__Tracking__V1__TrackingUpdated *message = (const void *)base;
    const Waybill__Tracking__V1__Tracking *tracking = message->tracking;
    bool is_returned =
        tracking != NULL &&
        tracking->status == WAYBILL__TRACKING__V1__TRACKING_STATUS__TRACKING_STATUS_RETURNED;
    bool is_withdrawn =
        tracking != NULL && is_end(message->previous_status) && !is_end(tracking->status);
    return (!is_returned && !is_withdrawn) ||
           tell_of_parcel(follower, is_returned ? SIGNAL_PARCEL_RETURNED : SIGNAL_PARCEL_ON_ITS_WAY,
                          tracking->order_id, tracking->carrier, tracking->tracking_number, NULL);
}

static const struct {
    const ProtobufCMessageDescriptor *type;
    bool (*take)(struct order_follower *follower, const ProtobufCMessage *message);
} readers[] = {
    {&waybill__warehouse__v1__allocation_shipped__descriptor, take_shipped},
    {&waybill__shipping__v1__shipment_created__descriptor, take_shipment},
    {&waybill__shipping__v1__shipment_cancelled__descriptor, take_shipment},
    {&waybill__shipping__v1__shipment_failed__descriptor, take_shipment},
    {&waybill__tracking__v1__shipment_delivered__descriptor, take_delivered},
    {&waybill__tracking__v1__tracking_updated__descriptor, take_updated},
};

/* What is no message is set aside: other orders go on, and a later event may tell the same. */
static struct error take_event(struct order_follower *follower, const struct event *event)
{
    size_t i = 0;
    ProtobufCMessage *message;
    while (i < sizeof readers / sizeof readers[0] &&
           !text_equals_string(event->type, readers[i].type->name))
        i++;
    if (i == sizeof readers / sizeof readers[0])
        return error_none();
    struct error error = message_unpack(readers[i].type, event->data, &message);
    if (error.code == ERROR_DAMAGED) {
        event_subscription_set_aside(follower->subscription, event, &error);
        return error_none();
    }
    if (message != NULL && !readers[i].take(follower, message))
        error = error_make(ERROR_OUT_OF_MEMORY, "no room for what is told of orders");
    message_release(message);
    return error;
}

/* --- batches --- */

static struct error keep(struct order_follower *follower, const struct event_place *place)
{
    struct follower_question question = {.follower = follower};
    question.command.follow = (struct follow_events_command){
        .source = text_of(follower->options.source),
        .place = {.log = text_of(place->identity), .position = place->position},
        .signals = follower->signals,
        .signal_count = follower->signal_count,
    };
    struct error error = ask(&question, COMMAND_FOLLOW_EVENTS);
    if (error_is(error))
        return error;
    follower->kept = place->position;
    if (question.command.follow.kept_count > 0)
        order_driver_wake(follower->options.driver);
    return error;
}

static void begin(struct order_follower *follower)
{
    arena_reset(&follower->arena);
    follower->signal_count = 0;
    follower->signal_capacity = 0;
    follower->signals = NULL;
}

/* The part of a batch that has been taken: large ones would find no room as a whole, ever. */
static struct error keep_up_to(struct order_follower *follower, const struct event_place *batch,
                               uint64_t position)
{
    struct event_place place = *batch;
    place.position = position;
    if (follower->arena.refused)
        return error_make(ERROR_OUT_OF_MEMORY, "no room for what is told of orders");
    return keep(follower, &place);
}

static struct error handle(void *context, const struct event_batch *batch,
                           const struct event_place *place)
{
    struct order_follower *follower = context;
    begin(follower);
    for (size_t i = 0; i < batch->event_count; i++) {
        struct error error = take_event(follower, &batch->events[i]);
        if (!error_is(error) && arena_used(&follower->arena) > batch_bytes_max / 2) {
            error = keep_up_to(follower, place, batch->events[i].sequence);
            begin(follower);
        }
        if (error_is(error))
            return error;
    }
    if (follower->arena.refused) /* a signal may lack a text, and would be nobody's */
        return error_make(ERROR_OUT_OF_MEMORY, "no room for what is told of orders");
    bool is_idle =
        follower->signal_count == 0 && place->position - follower->kept < idle_positions_max;
    return is_idle ? error_none() : keep(follower, place);
}

static enum event_place_lost lost(void *context, const struct error *error)
{
    (void)context;
    log_error("fulfillment goes on with the oldest event kept", error);
    return EVENT_PLACE_OLDEST;
}

/* --- its life --- */

static void destroy(struct order_follower *follower)
{
    waiting_executor_deinit(&follower->executor);
    arena_deinit(&follower->arena);
    memory_release(follower);
}

struct error order_follower_start(struct order_follower **follower,
                                  const struct order_follower_options *options)
{
    struct order_follower *made = memory_allocate_zero(1, sizeof *made);
    *follower = NULL;
    if (made == NULL)
        return error_make(ERROR_OUT_OF_MEMORY, "fulfillment: a follower of events");
    made->options = *options;
    waiting_executor_init(&made->executor);
    arena_init(&made->arena, batch_bytes_max);
    struct event_subscription_options subscription = event_subscription_options_default();
    subscription.name = options->source;
    subscription.feed = options->feed;
    subscription.clock = options->clock;
    subscription.consumer =
        (struct event_consumer){.load = load, .handle = handle, .lost = lost, .context = made};
    struct error error = event_subscription_start(&made->subscription, &subscription);
    if (error_is(error)) {
        destroy(made);
        return error;
    }
    *follower = made;
    return error;
}

void order_follower_stop(struct order_follower *follower)
{
    if (follower == NULL)
        return;
    event_subscription_stop(follower->subscription);
    destroy(follower);
}

struct event_subscription_status order_follower_status(struct order_follower *follower)
{
    return event_subscription_status(follower->subscription);
}
