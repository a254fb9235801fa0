/*
 * Each event is one message with the order in its first field, so one shape serves for all; a
 * cancellation has its reason besides.
 */
#include "fulfillment/interfaces/events/fulfillment_events.h"

#include "fulfillment/interfaces/rpc/order_messages.h"
#include "platform/rpc/message_pack.h"

#include "waybill/fulfillment/v1/fulfillment_events.pb-c.h"

static bool encode_cancelled(const struct order *order, Waybill__Fulfillment__V1__Order *message,
                             struct arena *arena, struct text *data)
{
    Waybill__Fulfillment__V1__OrderCancelled event =
        WAYBILL__FULFILLMENT__V1__ORDER_CANCELLED__INIT;
    event.order = message;
    return message_put_text(arena, &event.reason, order->cancel_reason) &&
           message_pack(&event.base, arena, data);
}

bool fulfillment_events_encode(const struct fulfillment_event *event, struct arena *arena,
                               struct text *data)
{
    static const ProtobufCMessageDescriptor *const descriptors[] = {
        [EVENT_ORDER_PROMISED] = &waybill__fulfillment__v1__order_promised__descriptor,
        [EVENT_ORDER_CONFIRMED] = &waybill__fulfillment__v1__order_confirmed__descriptor,
        [EVENT_ORDER_SHIPPED] = &waybill__fulfillment__v1__order_shipped__descriptor,
        [EVENT_ORDER_DELIVERED] = &waybill__fulfillment__v1__order_delivered__descriptor,
        [EVENT_ORDER_RETURNED] = &waybill__fulfillment__v1__order_returned__descriptor,
        [EVENT_ORDER_EXPIRED] = &waybill__fulfillment__v1__order_expired__descriptor,
        [EVENT_ORDER_NEEDS_ATTENTION] =
            &waybill__fulfillment__v1__order_needs_attention__descriptor,
    };
    /* All of them have this shape: a head, and the order. */
    _Static_assert(sizeof(Waybill__Fulfillment__V1__OrderPromised) ==
                           sizeof(Waybill__Fulfillment__V1__OrderNeedsAttention) &&
                       sizeof(Waybill__Fulfillment__V1__OrderPromised) ==
                           sizeof(Waybill__Fulfillment__V1__OrderExpired),
                   "one shape");
    Waybill__Fulfillment__V1__Order *message = order_message(arena, event->order);
    Waybill__Fulfillment__V1__OrderPromised envelope;
    if (message == NULL)
        return false;
    if (event->type == EVENT_ORDER_CANCELLED)
        return encode_cancelled(event->order, message, arena, data);
    protobuf_c_message_init(descriptors[event->type], &envelope);
    envelope.order = message;
    return message_pack(&envelope.base, arena, data);
}
