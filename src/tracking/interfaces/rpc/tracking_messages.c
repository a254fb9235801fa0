/*
 * Records to messages and back. protobuf-c wants NUL-terminated strings: every text is copied with
 * a NUL behind it; texts hold none (the message check refused it at the door). Enum values are
 * those of the interface.
 */
#include "tracking/interfaces/rpc/tracking_messages.h"

Google__Protobuf__Timestamp *tracking_time_message(struct arena *arena, int64_t time_us)
{
    Google__Protobuf__Timestamp *message = arena_allocate(arena, sizeof *message);
    if (message == NULL)
        return NULL;
    google__protobuf__timestamp__init(message);
    message->seconds = time_us / 1000000;
    message->nanos = (int32_t)(time_us % 1000000) * 1000;
    return message;
}

bool tracking_set_time(struct arena *arena, int64_t time_us, Google__Protobuf__Timestamp **field)
{
    if (time_us == 0)
        return true;
    *field = tracking_time_message(arena, time_us);
    return *field != NULL;
}

static bool set_string(struct arena *arena, struct text text, char **field)
{
    if (text.size == 0)
        return true;
    *field = arena_copy_string(arena, text);
    return *field != NULL;
}

static bool set_point(struct arena *arena, const struct tracking_location *location,
                      Waybill__Common__V1__GeoPoint **field)
{
    if (!location->has_point)
        return true;
    Waybill__Common__V1__GeoPoint *message = arena_allocate(arena, sizeof *message);
    *field = message;
    if (message == NULL)
        return false;
    waybill__common__v1__geo_point__init(message);
    message->latitude_e7 = location->latitude_e7;
    message->longitude_e7 = location->longitude_e7;
    return true;
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
    bool filled = set_string(arena, event->event_id, &message->event_id) &&
                  set_string(arena, event->carrier, &message->carrier) &&
                  set_string(arena, event->tracking_number, &message->tracking_number) &&
                  set_string(arena, location->facility, &message->facility) &&
                  set_string(arena, location->city, &message->city) &&
                  set_string(arena, location->country_code, &message->country_code) &&
                  set_string(arena, event->carrier_code, &message->carrier_code) &&
                  set_string(arena, event->description, &message->description) &&
                  set_string(arena, event->source, &message->source) &&
                  set_string(arena, event->corrects_event_id, &message->corrects_event_id) &&
                  set_string(arena, text_of(tracking_sub_status_text(event->sub_status)),
                             &message->sub_status) &&
                  set_string(arena, tracking_service_reason(service, event), &message->reason) &&
                  tracking_set_time(arena, event->occurred_time_us, &message->occurred_time) &&
                  tracking_set_time(arena, event->expected_delivery_time_us,
                                    &message->expected_delivery_time) &&
                  tracking_set_time(arena, event->record_time_us, &message->record_time) &&
                  set_point(arena, location, &message->point) &&
                  set_offset(arena, event, message) && set_payload(arena, event->payload, message);
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
           set_string(arena, location->facility, &message->facility) &&
           set_string(arena, location->city, &message->city) &&
           set_string(arena, location->country_code, &message->country_code);
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
    bool filled = set_string(arena, tracking->carrier, &message->carrier) &&
                  set_string(arena, tracking->tracking_number, &message->tracking_number) &&
                  set_string(arena, text_of(tracking_sub_status_text(tracking->sub_status)),
                             &message->sub_status) &&
                  set_string(arena, tracking->shipment_id, &message->shipment_id) &&
                  set_string(arena, tracking->order_id, &message->order_id) &&
                  tracking_set_time(arena, tracking->expected_delivery_time_us,
                                    &message->expected_delivery_time) &&
                  tracking_set_time(arena, tracking->original_expected_delivery_time_us,
                                    &message->original_expected_delivery_time) &&
                  tracking_set_time(arena, tracking->delivered_time_us, &message->delivered_time) &&
                  tracking_set_time(arena, tracking->start_time_us, &message->start_time) &&
                  set_location(arena, &tracking->location, &message->location);
    if (filled && tracking->has_last_event) {
        message->last_event = tracking_event_message(arena, service, &tracking->last_event);
        filled = message->last_event != NULL;
    }
    return filled ? message : NULL;
}

/* --- the other way --- */

int64_t tracking_time_of(const Google__Protobuf__Timestamp *message)
{
    if (message == NULL)
        return 0;
    if (message->seconds < 0 || message->seconds > INT64_C(253402300799) || message->nanos < 0 ||
        message->nanos > 999999999)
        return -1;
    return message->seconds * 1000000 + message->nanos / 1000;
}

struct tracking_event tracking_event_of(const Waybill__Tracking__V1__TrackingEvent *message)
{
    struct tracking_event event = {
        .event_id = text_of(message->event_id),
        .carrier = text_of(message->carrier),
        .tracking_number = text_of(message->tracking_number),
        .type = (enum tracking_event_type)message->type,
        .occurred_time_us = tracking_time_of(message->occurred_time),
        .utc_offset_source = (enum utc_offset_source)message->utc_offset_source,
        .location.facility = text_of(message->facility),
        .location.city = text_of(message->city),
        .location.country_code = text_of(message->country_code),
        .carrier_code = text_of(message->carrier_code),
        .description = text_of(message->description),
        .source = text_of(message->source),
        .corrects_event_id = text_of(message->corrects_event_id),
        .payload = text_make(message->payload.data, message->payload.len),
        .expected_delivery_time_us = tracking_time_of(message->expected_delivery_time),
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
