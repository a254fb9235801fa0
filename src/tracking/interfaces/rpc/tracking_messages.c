/* Records to messages and back. Enum values are those of the interface. */
#include "tracking/interfaces/rpc/tracking_messages.h"

static bool set_point(struct arena *arena, const struct tracking_location *location,
                      Waybill__Common__V1__GeoPoint **field)
{
    if (!location->has_point)
        return true;
    return message_put_point(arena, field, location->latitude_e7, location->longitude_e7);
}

static bool set_offset(struct arena *arena, const struct tracking_event *event,
                       Waybill__Tracking__V1__TrackingEvent *message)
{
    if (!event->has_utc_offset)
        return true;
    message->utc_offset_minutes = arena_allocate(arena, sizeof *message->utc_offset_minutes);
    if (message->utc_offset_minutes == NULL)
        return false;
    google__protobuf__int32_value__init(message->utc_offset_minutes);
    message->utc_offset_minutes->value = event->utc_offset_minutes;
    message->utc_offset_source = (Waybill__Tracking__V1__UtcOffsetSource)event->utc_offset_source;
    return true;
}

static bool set_payload(struct arena *arena, struct text payload,
                        Waybill__Tracking__V1__TrackingEvent *message)
{
    message->payload.len = payload.size;
    if (payload.size > 0)
        message->payload.data = (uint8_t *)arena_copy_string(arena, payload);
    return payload.size == 0 || message->payload.data != NULL;
}

Waybill__Tracking__V1__TrackingEvent *tracking_event_message(struct arena *arena,
                                                             const struct tracking_service *service,
                                                             const struct tracking_event *event)
{
    Waybill__Tracking__V1__TrackingEvent *message = arena_allocate(arena, sizeof *message);
    const struct tracking_location *location = &event->location;
    if (message == NULL)
        return NULL;
    waybill__tracking__v1__tracking_event__init(message);
    message->type = (Waybill__Tracking__V1__TrackingEventType)event->type;
    message->map_version = event->map_version;
    message->withdrawn = event->withdrawn;
    bool filled =
        message_put_text(arena, &message->event_id, event->event_id) &&
        message_put_text(arena, &message->carrier, event->carrier) &&
        message_put_text(arena, &message->tracking_number, event->tracking_number) &&
        message_put_text(arena, &message->facility, location->facility) &&
        message_put_text(arena, &message->city, location->city) &&
        message_put_text(arena, &message->country_code, location->country_code) &&
        message_put_text(arena, &message->carrier_code, event->carrier_code) &&
        message_put_text(arena, &message->description, event->description) &&
        message_put_text(arena, &message->source, event->source) &&
        message_put_text(arena, &message->corrects_event_id, event->corrects_event_id) &&
        message_put_text(arena, &message->sub_status,
                         text_of(tracking_sub_status_text(event->sub_status))) &&
        message_put_text(arena, &message->reason, tracking_service_reason(service, event)) &&
        message_put_time(arena, &message->occurred_time, event->occurred_time_us) &&
        message_put_time(arena, &message->expected_delivery_time,
                         event->expected_delivery_time_us) &&
        message_put_time(arena, &message->record_time, event->record_time_us) &&
        set_point(arena, location, &message->point) && set_offset(arena, event, message) &&
        set_payload(arena, event->payload, message);
    return filled ? message : NULL;
}

Waybill__Tracking__V1__TrackingStatus tracking_status_value(enum tracking_status status)
{
    return (Waybill__Tracking__V1__TrackingStatus)status;
}

static bool set_location(struct arena *arena, const struct tracking_location *location,
                         Waybill__Tracking__V1__TrackingLocation **field)
{
    if (!tracking_location_is_known(location))
        return true;
    Waybill__Tracking__V1__TrackingLocation *message = arena_allocate(arena, sizeof *message);
    *field = message;
    if (message == NULL)
        return false;
    waybill__tracking__v1__tracking_location__init(message);
    return set_point(arena, location, &message->point) &&
           message_put_text(arena, &message->facility, location->facility) &&
           message_put_text(arena, &message->city, location->city) &&
           message_put_text(arena, &message->country_code, location->country_code);
}

Waybill__Tracking__V1__Tracking *tracking_message(struct arena *arena,
                                                  const struct tracking_service *service,
                                                  const struct tracking *tracking)
{
    Waybill__Tracking__V1__Tracking *message = arena_allocate(arena, sizeof *message);
    if (message == NULL)
        return NULL;
    waybill__tracking__v1__tracking__init(message);
    message->generation = tracking->generation;
    message->status = tracking_status_value(tracking->status);
    message->event_count = (int32_t)tracking->event_count;
    message->revision = tracking->revision;
    bool filled = message_put_text(arena, &message->carrier, tracking->carrier) &&
                  message_put_text(arena, &message->tracking_number, tracking->tracking_number) &&
                  message_put_text(arena, &message->sub_status,
                                   text_of(tracking_sub_status_text(tracking->sub_status))) &&
                  message_put_text(arena, &message->shipment_id, tracking->shipment_id) &&
                  message_put_text(arena, &message->order_id, tracking->order_id) &&
                  message_put_time(arena, &message->expected_delivery_time,
                                   tracking->expected_delivery_time_us) &&
                  message_put_time(arena, &message->original_expected_delivery_time,
                                   tracking->original_expected_delivery_time_us) &&
                  message_put_time(arena, &message->delivered_time, tracking->delivered_time_us) &&
                  message_put_time(arena, &message->start_time, tracking->start_time_us) &&
                  set_location(arena, &tracking->location, &message->location);
    if (filled && tracking->has_last_event) {
        message->last_event = tracking_event_message(arena, service, &tracking->last_event);
        filled = message->last_event != NULL;
    }
    return filled ? message : NULL;
}

/* --- the other way --- */

struct tracking_event tracking_event_of(const Waybill__Tracking__V1__TrackingEvent *message)
{
    struct tracking_event event = {
        .event_id = text_of(message->event_id),
        .carrier = text_of(message->carrier),
        .tracking_number = text_of(message->tracking_number),
        .type = (enum tracking_event_type)message->type,
        .occurred_time_us = message_time_us(message->occurred_time),
        .utc_offset_source = (enum utc_offset_source)message->utc_offset_source,
        .location.facility = text_of(message->facility),
        .location.city = text_of(message->city),
        .location.country_code = text_of(message->country_code),
        .carrier_code = text_of(message->carrier_code),
        .description = text_of(message->description),
        .source = text_of(message->source),
        .corrects_event_id = text_of(message->corrects_event_id),
        .payload = text_make(message->payload.data, message->payload.len),
        .expected_delivery_time_us = message_time_us(message->expected_delivery_time),
    };
    if (message->utc_offset_minutes != NULL) {
        event.has_utc_offset = true;
        event.utc_offset_minutes = message->utc_offset_minutes->value;
    }
    if (message->point != NULL) {
        event.location.has_point = true;
        event.location.latitude_e7 = message->point->latitude_e7;
        event.location.longitude_e7 = message->point->longitude_e7;
    }
    return event;
}
