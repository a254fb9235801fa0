/* The names of events, as shipping_events.proto has them. */
#include "shipping/domain/shipping_event.h"

const char *shipping_event_name(enum shipping_event_type type)
{
    switch (type) {
    case EVENT_SHIPMENT_CREATED:
        return "ShipmentCreated";
    case EVENT_SHIPMENT_CANCELLED:
        return "ShipmentCancelled";
    case EVENT_SHIPMENT_FAILED:
        return "ShipmentFailed";
    case EVENT_CARRIER_EVENT_RECEIVED:
        return "CarrierEventReceived";
    }
    return "";
}
