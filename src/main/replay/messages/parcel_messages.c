/*
 * Plain filling in. A line that came from a distribution centre has no place of origin: the data
 * does not say from which.
 */
#include "main/replay/messages/parcel_messages.h"

#include "main/replay/plan/parcel_life.h"
#include "platform/rpc/message_fields.h"

static const char source[] = "replay";

static char *tracking_number(const struct replay *replay, uint32_t line, struct arena *arena)
{
    struct replay_id id = replay_plan_tracking_number(replay->plan, line);
    return arena_format(arena, "%s", id.string);
}

Waybill__Tracking__V1__CreateTrackingRequest *parcel_message_creation(const struct replay *replay,
                                                                      uint32_t line,
                                                                      struct arena *arena)
{
    const struct data_set_line *of = &replay->data_set->lines[line];
    uint32_t order = data_set_order_of_line(replay->data_set, line);
    Waybill__Tracking__V1__CreateTrackingRequest *request = arena_allocate(arena, sizeof *request);
    if (request == NULL)
        return NULL;
    waybill__tracking__v1__create_tracking_request__init(request);
    request->carrier = (char *)parcel_carrier;
    request->tracking_number = tracking_number(replay, line, arena);
    request->order_id = (char *)replay->data_set->orders[order].order_id.data;
    request->expected_delivery_time = message_create_time(arena, parcel_promised_time_us(of));
    request->start_time = message_create_time(arena, parcel_start_time_us(of));
    return request->tracking_number == NULL || request->expected_delivery_time == NULL ||
                   request->start_time == NULL
               ? NULL
               : request;
}

/* Where the line comes from; NULL = a centre, nobody knows which. */
static const struct replay_warehouse *origin_of(const struct replay *replay,
                                                const struct data_set_line *line)
{
    if (line->site == data_set_nowhere)
        return NULL;
    return &replay->places->warehouses[replay->places->warehouse_of_site[line->site]];
}

static bool set_place(Waybill__Tracking__V1__TrackingEvent *event, const struct replay_place *place,
                      struct arena *arena)
{
    event->city = (char *)place->place;
    event->country_code = (char *)place->country_code;
    event->point = arena_allocate(arena, sizeof *event->point);
    if (event->point == NULL)
        return false;
    waybill__common__v1__geo_point__init(event->point);
    event->point->latitude_e7 = place->latitude_e7;
    event->point->longitude_e7 = place->longitude_e7;
    return true;
}

static bool set_location(const struct replay *replay, uint32_t line, const struct parcel_step *step,
                         Waybill__Tracking__V1__TrackingEvent *event, struct arena *arena)
{
    const struct replay_warehouse *origin = origin_of(replay, &replay->data_set->lines[line]);
    uint32_t order = data_set_order_of_line(replay->data_set, line);
    uint32_t country = replay->data_set->orders[order].country;
    if (!step->is_at_origin)
        return set_place(
            event, &replay->places->countries[replay->places->country_of_country[country]].place,
            arena);
    if (origin == NULL)
        return true;
    event->facility = (char *)origin->site.data;
    return set_place(event, &origin->place, arena);
}

Waybill__Tracking__V1__RecordEventRequest *parcel_message_event(const struct replay *replay,
                                                                uint32_t line, uint32_t index,
                                                                struct arena *arena)
{
    static const struct {
        Waybill__Tracking__V1__TrackingEventType type;
        const char *description;
    } kinds[] = {
        [PARCEL_PICKED_UP] =
            {WAYBILL__TRACKING__V1__TRACKING_EVENT_TYPE__TRACKING_EVENT_TYPE_PICKED_UP,
             "Picked up"},
        [PARCEL_IN_TRANSIT] =
            {WAYBILL__TRACKING__V1__TRACKING_EVENT_TYPE__TRACKING_EVENT_TYPE_IN_TRANSIT,
             "Left the country of origin"},
        [PARCEL_ARRIVED] =
            {WAYBILL__TRACKING__V1__TRACKING_EVENT_TYPE__TRACKING_EVENT_TYPE_AT_FACILITY,
             "Arrived in the country of destination"},
        [PARCEL_DELAYED] =
            {WAYBILL__TRACKING__V1__TRACKING_EVENT_TYPE__TRACKING_EVENT_TYPE_EXCEPTION, "Delayed"},
        [PARCEL_OUT_FOR_DELIVERY] =
            {WAYBILL__TRACKING__V1__TRACKING_EVENT_TYPE__TRACKING_EVENT_TYPE_OUT_FOR_DELIVERY,
             "Out for delivery"},
        [PARCEL_DELIVERED] =
            {WAYBILL__TRACKING__V1__TRACKING_EVENT_TYPE__TRACKING_EVENT_TYPE_DELIVERED,
             "Delivered to client"},
    };
    struct parcel_step step = parcel_step_at(&replay->data_set->lines[line], index);
    Waybill__Tracking__V1__RecordEventRequest *request = arena_allocate(arena, sizeof *request);
    Waybill__Tracking__V1__TrackingEvent *event = arena_allocate(arena, sizeof *event);
    if (request == NULL || event == NULL)
        return NULL;
    waybill__tracking__v1__record_event_request__init(request);
    waybill__tracking__v1__tracking_event__init(event);
    request->event = event;
    event->carrier = (char *)parcel_carrier;
    event->tracking_number = tracking_number(replay, line, arena);
    event->type = kinds[step.type].type;
    event->description = (char *)kinds[step.type].description;
    event->source = (char *)source;
    event->occurred_time = message_create_time(arena, step.occurred_time_us);
    if (step.expected_delivery_time_us != 0)
        event->expected_delivery_time = message_create_time(arena, step.expected_delivery_time_us);
    bool is_filled =
        event->tracking_number != NULL && event->occurred_time != NULL &&
        (step.expected_delivery_time_us == 0 || event->expected_delivery_time != NULL) &&
        set_location(replay, line, &step, event, arena);
    return is_filled ? request : NULL;
}

Waybill__Tracking__V1__RecordEventRequest *parcel_message_delivery(const struct replay *replay,
                                                                   uint32_t order,
                                                                   const char *carrier,
                                                                   const char *number,
                                                                   struct arena *arena)
{
    const struct data_set_order *of = &replay->data_set->orders[order];
    Waybill__Tracking__V1__RecordEventRequest *request = arena_allocate(arena, sizeof *request);
    Waybill__Tracking__V1__TrackingEvent *event = arena_allocate(arena, sizeof *event);
    int64_t delivered_us = 0;
    if (request == NULL || event == NULL)
        return NULL;
    for (uint32_t i = 0; i < of->line_count; i++) {
        const struct data_set_line *line = &replay->data_set->lines[of->first_line + i];
        int64_t time_us = parcel_step_at(line, parcel_step_count(line) - 1).occurred_time_us;
        if (time_us > delivered_us)
            delivered_us = time_us;
    }
    waybill__tracking__v1__record_event_request__init(request);
    waybill__tracking__v1__tracking_event__init(event);
    request->event = event;
    event->carrier = (char *)carrier;
    event->tracking_number = (char *)number;
    event->type = WAYBILL__TRACKING__V1__TRACKING_EVENT_TYPE__TRACKING_EVENT_TYPE_DELIVERED;
    event->description = "Delivered to client";
    event->source = (char *)source;
    event->occurred_time = message_create_time(arena, delivered_us);
    return event->occurred_time == NULL ? NULL : request;
}
