/* One message an event, around the record's own. */
#include "shipping/interfaces/events/shipping_events.h"

#include "platform/rpc/message_fields.h"
#include "platform/rpc/message_pack.h"
#include "shipping/interfaces/rpc/shipping_messages.h"

#include "waybill/shipping/v1/shipping_events.pb-c.h"

static bool encode_created(const struct shipping_event *event, struct arena *arena,
                           struct text *data)
{
    Waybill__Shipping__V1__ShipmentCreated message = WAYBILL__SHIPPING__V1__SHIPMENT_CREATED__INIT;
    message.shipment = shipment_message(arena, event->shipment);
    return message.shipment != NULL && message_pack(&message.base, arena, data);
}

static bool encode_cancelled(const struct shipping_event *event, struct arena *arena,
                             struct text *data)
{
    Waybill__Shipping__V1__ShipmentCancelled message =
        WAYBILL__SHIPPING__V1__SHIPMENT_CANCELLED__INIT;
    message.shipment = shipment_message(arena, event->shipment);
    message.reason = arena_copy_string(arena, event->reason);
    return message.shipment != NULL && message.reason != NULL &&
           message_pack(&message.base, arena, data);
}

static bool encode_failed(const struct shipping_event *event, struct arena *arena,
                          struct text *data)
{
    Waybill__Shipping__V1__ShipmentFailed message = WAYBILL__SHIPPING__V1__SHIPMENT_FAILED__INIT;
    message.shipment = shipment_message(arena, event->shipment);
    return message.shipment != NULL && message_pack(&message.base, arena, data);
}

static bool encode_received(const struct shipping_event *event, struct arena *arena,
                            struct text *data)
{
    Waybill__Shipping__V1__CarrierEventReceived message =
        WAYBILL__SHIPPING__V1__CARRIER_EVENT_RECEIVED__INIT;
    message.carrier = arena_copy_string(arena, event->carrier);
    message.shipment_id = arena_copy_string(arena, event->shipment_id);
    message.order_id = arena_copy_string(arena, event->order_id);
    message.scan = scan_message(arena, event->scan);
    return message.carrier != NULL && message.shipment_id != NULL && message.order_id != NULL &&
           message.scan != NULL &&
           message_put_time(arena, &message.receive_time, event->receive_time_us) &&
           message_pack(&message.base, arena, data);
}

bool shipping_events_encode(const struct shipping_event *event, struct arena *arena,
                            struct text *data)
{
    switch (event->type) {
    case EVENT_SHIPMENT_CREATED:
        return encode_created(event, arena, data);
    case EVENT_SHIPMENT_CANCELLED:
        return encode_cancelled(event, arena, data);
    case EVENT_SHIPMENT_FAILED:
        return encode_failed(event, arena, data);
    case EVENT_CARRIER_EVENT_RECEIVED:
        return encode_received(event, arena, data);
    }
    return false;
}
