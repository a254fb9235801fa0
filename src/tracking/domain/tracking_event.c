/* Identity and names of events: a hash over the fields one after the other, and two tables. */
#include "tracking/domain/tracking_event.h"

#include "platform/base/hash_map.h"

#include <stddef.h>

static const char *const type_names[tracking_event_type_count] = {
    [TRACKING_EVENT_UNSPECIFIED] = "UNSPECIFIED",
    [TRACKING_EVENT_INFO_RECEIVED] = "INFO_RECEIVED",
    [TRACKING_EVENT_PICKED_UP] = "PICKED_UP",
    [TRACKING_EVENT_IN_TRANSIT] = "IN_TRANSIT",
    [TRACKING_EVENT_AT_FACILITY] = "AT_FACILITY",
    [TRACKING_EVENT_OUT_FOR_DELIVERY] = "OUT_FOR_DELIVERY",
    [TRACKING_EVENT_DELIVERED] = "DELIVERED",
    [TRACKING_EVENT_EXCEPTION] = "EXCEPTION",
    [TRACKING_EVENT_RETURNED] = "RETURNED",
    [TRACKING_EVENT_CANCELLED] = "CANCELLED",
};

#define TRACKING_SUB_STATUS_TEXT(code, text) [TRACKING_SUB_STATUS_##code] = text,
static const char *const sub_status_names[tracking_sub_status_count] = {
    TRACKING_SUB_STATUS_MAP(TRACKING_SUB_STATUS_TEXT)};
#undef TRACKING_SUB_STATUS_TEXT

/* The type as it came. */
static enum tracking_event_type sent_type(const struct tracking_event *event)
{
    return event->type_is_mapped ? TRACKING_EVENT_UNSPECIFIED : event->type;
}

static uint64_t hash_number(uint64_t seed, int64_t number)
{
    return hash_text(seed, text_make(&number, sizeof number));
}

static uint64_t content_hash(uint64_t hash, const struct tracking_event *event)
{
    const struct tracking_location *location = &event->location;
    const struct text texts[] = {
        event->carrier,     event->tracking_number,   location->facility,
        location->city,     location->country_code,   event->carrier_code,
        event->description, event->corrects_event_id,
    };
    const int64_t numbers[] = {
        (int64_t)sent_type(event),
        event->occurred_time_us,
        event->has_utc_offset,
        event->has_utc_offset ? event->utc_offset_minutes : 0,
        location->has_point,
        location->has_point ? location->latitude_e7 : 0,
        location->has_point ? location->longitude_e7 : 0,
        event->expected_delivery_time_us,
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        hash = hash_text(hash_number(hash, (int64_t)texts[i].size), texts[i]);
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        hash = hash_number(hash, numbers[i]);
    return hash;
}

void tracking_event_content_id(const struct tracking_event *event,
                               char id[tracking_content_id_bytes])
{
    const uint64_t halves[2] = {content_hash(1, event), content_hash(2, event)};
    for (size_t i = 0; i < tracking_content_id_bytes; i++)
        id[i] = "0123456789abcdef"[halves[i / 16] >> (60 - 4 * (i % 16)) & 15];
}

static bool same_location(const struct tracking_location *a, const struct tracking_location *b)
{
    if (a->has_point != b->has_point)
        return false;
    if (a->has_point && (a->latitude_e7 != b->latitude_e7 || a->longitude_e7 != b->longitude_e7))
        return false;
    return text_equal(a->facility, b->facility) && text_equal(a->city, b->city) &&
           text_equal(a->country_code, b->country_code);
}

bool tracking_event_same_content(const struct tracking_event *a, const struct tracking_event *b)
{
    if (a->has_utc_offset != b->has_utc_offset ||
        (a->has_utc_offset && a->utc_offset_minutes != b->utc_offset_minutes))
        return false;
    return sent_type(a) == sent_type(b) && a->occurred_time_us == b->occurred_time_us &&
           a->expected_delivery_time_us == b->expected_delivery_time_us &&
           text_equal(a->carrier, b->carrier) &&
           text_equal(a->tracking_number, b->tracking_number) &&
           same_location(&a->location, &b->location) &&
           text_equal(a->carrier_code, b->carrier_code) &&
           text_equal(a->description, b->description) &&
           text_equal(a->corrects_event_id, b->corrects_event_id);
}

bool tracking_location_is_known(const struct tracking_location *location)
{
    return location->has_point || location->facility.size > 0 || location->city.size > 0 ||
           location->country_code.size > 0;
}

const char *tracking_sub_status_text(enum tracking_sub_status sub_status)
{
    return sub_status_names[sub_status];
}

const char *tracking_event_type_text(enum tracking_event_type type)
{
    return type_names[type];
}

bool tracking_sub_status_from_text(struct text text, enum tracking_sub_status *sub_status)
{
    for (unsigned i = 0; i < tracking_sub_status_count; i++) {
        if (text_equals_string(text, sub_status_names[i])) {
            *sub_status = (enum tracking_sub_status)i;
            return true;
        }
    }
    return false;
}

bool tracking_event_type_from_text(struct text text, enum tracking_event_type *type)
{
    for (unsigned i = 0; i < tracking_event_type_count; i++) {
        if (text_equals_string(text, type_names[i])) {
            *type = (enum tracking_event_type)i;
            return true;
        }
    }
    return false;
}
