/* Pure but for the arena. */
#include "tracking/interfaces/events/scan_event.h"

#include "tracking/domain/limits.h"
#include "tracking/interfaces/rpc/tracking_messages.h"

/* Control characters, those of two bytes (U+0080 to U+009F) too, become spaces. */
static void without_controls(char *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        unsigned char byte = (unsigned char)bytes[i];
        bool is_wide = byte == 0xC2 && i + 1 < size && (unsigned char)bytes[i + 1] < 0xA0;
        if (byte < 0x20 || byte == 0x7F || is_wide)
            bytes[i] = ' ';
        if (is_wide)
            bytes[++i] = ' ';
    }
}

/* Within bytes_max, cut between characters. */
static struct text cleaned(struct arena *arena, const char *string, size_t bytes_max)
{
    struct text copy = arena_copy_text(arena, text_of(string));
    if (copy.data == NULL)
        return text_make("", 0);
    without_controls((char *)(uintptr_t)copy.data, copy.size);
    if (copy.size > bytes_max)
        copy.size = bytes_max;
    while (copy.size > 0 && !text_is_utf8(copy))
        copy.size--;
    return text_trim(copy);
}

static struct text country_of(struct arena *arena, const char *string)
{
    struct text code = text_of(string);
    bool is_code = code.size == tracking_country_bytes;
    for (size_t i = 0; i < code.size && is_code; i++)
        is_code = code.data[i] >= 'A' && code.data[i] <= 'Z';
    struct text copy = is_code ? arena_copy_text(arena, code) : text_make("", 0);
    return copy.data == NULL ? text_make("", 0) : copy;
}

struct tracking_event scan_event_of(struct arena *arena, struct text carrier,
                                    const Waybill__Shipping__V1__Scan *scan, const char *source)
{
    struct tracking_event event = {
        .carrier = arena_copy_text(arena, carrier),
        .tracking_number = arena_copy_text(arena, text_of(scan->tracking_number)),
        .occurred_time_us = message_time_us(scan->occurred_time),
        .carrier_code = cleaned(arena, scan->carrier_code, tracking_carrier_code_bytes_max),
        .description = cleaned(arena, scan->description, tracking_description_bytes_max),
        .location.facility = cleaned(arena, scan->facility, tracking_facility_bytes_max),
        .location.city = cleaned(arena, scan->city, tracking_city_bytes_max),
        .location.country_code = country_of(arena, scan->country_code),
        .source = text_of(source),
    };
    if (scan->utc_offset_minutes != NULL) {
        event.has_utc_offset = true;
        event.utc_offset_minutes = scan->utc_offset_minutes->value;
        event.utc_offset_source = UTC_OFFSET_CARRIER;
    }
    if (scan->point != NULL) {
        event.location.has_point = true;
        event.location.latitude_e7 = scan->point->latitude_e7;
        event.location.longitude_e7 = scan->point->longitude_e7;
    }
    return event;
}
