/*
 * Records to bytes and back. Encoding cannot fail; decoding trusts nothing: an enum, a count or a
 * length that cannot be is "no record", which recovery reports as damage with its place.
 */
#include "tracking/infrastructure/embedded/tracking_record.h"

/* --- parts --- */

static uint64_t zigzag(int64_t value)
{
    return (uint64_t)value << 1 ^ (uint64_t)(value >> 63);
}

static void write_signed(struct byte_writer *writer, int64_t value)
{
    write_varint(writer, zigzag(value));
}

static int32_t read_int32(struct byte_reader *reader, int32_t limit)
{
    uint64_t value = read_varint(reader);
    int64_t number = (int64_t)(value >> 1) ^ -(int64_t)(value & 1);
    if (number < -limit || number > limit) {
        reader->failed = true;
        return 0;
    }
    return (int32_t)number;
}

/* A time: 0 = none. */
static int64_t read_time(struct byte_reader *reader)
{
    int64_t time_us = read_quantity(reader);
    reader->failed |= time_us > tracking_time_us_max;
    return time_us;
}

static struct text read_limited(struct byte_reader *reader, size_t size_min, size_t size_max)
{
    struct text text = read_text(reader);
    reader->failed |= text.size < size_min || text.size > size_max;
    return text;
}

static uint8_t read_enum(struct byte_reader *reader, uint8_t first, unsigned end)
{
    uint8_t value = read_uint8(reader);
    if (value < first || value >= end) {
        reader->failed = true;
        return first;
    }
    return value;
}

static bool read_flag(struct byte_reader *reader)
{
    return read_enum(reader, 0, 2) == 1;
}

enum event_flag {
    EVENT_IS_MAPPED = 1,
    EVENT_HAS_OFFSET = 2,
    EVENT_HAS_POINT = 4,
    EVENT_HAS_EXPECTED = 8,
    EVENT_HAS_PAYLOAD = 16,
    EVENT_FLAGS_END = 32,
};

void tracking_event_encode(const struct tracking_event *event, struct byte_writer *writer)
{
    const struct tracking_location *location = &event->location;
    int flags = (event->type_is_mapped ? EVENT_IS_MAPPED : 0) |
                (event->has_utc_offset ? EVENT_HAS_OFFSET : 0) |
                (location->has_point ? EVENT_HAS_POINT : 0) |
                (event->expected_delivery_time_us != 0 ? EVENT_HAS_EXPECTED : 0) |
                (event->payload.size > 0 ? EVENT_HAS_PAYLOAD : 0);
    write_text(writer, event->event_id);
    write_varint(writer, (uint64_t)event->occurred_time_us);
    write_varint(writer, (uint64_t)event->record_time_us);
    write_uint8(writer, (uint8_t)event->type);
    write_uint8(writer, (uint8_t)flags);
    write_uint8(writer, (uint8_t)event->sub_status);
    write_varint(writer, (uint64_t)event->map_version);
    if (event->has_utc_offset) {
        write_signed(writer, event->utc_offset_minutes);
        write_uint8(writer, (uint8_t)event->utc_offset_source);
    }
    if (location->has_point) {
        write_signed(writer, location->latitude_e7);
        write_signed(writer, location->longitude_e7);
    }
    if (event->expected_delivery_time_us != 0)
        write_varint(writer, (uint64_t)event->expected_delivery_time_us);
    write_text(writer, location->facility);
    write_text(writer, location->city);
    write_text(writer, location->country_code);
    write_text(writer, event->carrier_code);
    write_text(writer, event->description);
    write_text(writer, event->source);
    write_text(writer, event->corrects_event_id);
    if (event->payload.size > 0)
        write_text(writer, event->payload);
}

void tracking_event_decode(struct byte_reader *reader, struct tracking_event *event)
{
    struct tracking_location *location = &event->location;
    event->event_id = read_limited(reader, 1, tracking_id_bytes_max);
    event->occurred_time_us = read_time(reader);
    event->record_time_us = read_time(reader);
    event->type = (enum tracking_event_type)read_enum(reader, 0, tracking_event_type_count);
    int flags = read_enum(reader, 0, EVENT_FLAGS_END);
    event->sub_status = (enum tracking_sub_status)read_enum(reader, 0, tracking_sub_status_count);
    uint64_t version = read_varint(reader);
    reader->failed |= version > INT32_MAX;
    event->map_version = (int32_t)version;
    event->type_is_mapped = (flags & EVENT_IS_MAPPED) != 0;
    event->has_utc_offset = (flags & EVENT_HAS_OFFSET) != 0;
    if (event->has_utc_offset) {
        event->utc_offset_minutes = read_int32(reader, tracking_utc_offset_minutes_max);
        event->utc_offset_source =
            (enum utc_offset_source)read_enum(reader, 0, utc_offset_source_count);
    }
    location->has_point = (flags & EVENT_HAS_POINT) != 0;
    if (location->has_point) {
        location->latitude_e7 = read_int32(reader, tracking_latitude_e7_max);
        location->longitude_e7 = read_int32(reader, tracking_longitude_e7_max);
    }
    if ((flags & EVENT_HAS_EXPECTED) != 0)
        event->expected_delivery_time_us = read_time(reader);
    location->facility = read_limited(reader, 0, tracking_facility_bytes_max);
    location->city = read_limited(reader, 0, tracking_city_bytes_max);
    location->country_code = read_limited(reader, 0, tracking_country_bytes);
    event->carrier_code = read_limited(reader, 0, tracking_carrier_code_bytes_max);
    event->description = read_limited(reader, 0, tracking_description_bytes_max);
    event->source = read_limited(reader, 0, tracking_source_bytes_max);
    event->corrects_event_id = read_limited(reader, 0, tracking_id_bytes_max);
    if ((flags & EVENT_HAS_PAYLOAD) != 0)
        event->payload = read_limited(reader, 1, tracking_payload_bytes_max);
}

void tracking_generation_encode(const struct tracking_generation *generation,
                                struct byte_writer *writer)
{
    write_varint(writer, (uint64_t)generation->start_time_us);
    write_varint(writer, (uint64_t)generation->create_time_us);
    write_varint(writer, (uint64_t)generation->expected_delivery_time_us);
    write_uint8(writer, generation->is_created);
    write_text(writer, generation->shipment_id);
    write_text(writer, generation->order_id);
}

void tracking_generation_decode(struct byte_reader *reader, struct tracking_generation *generation)
{
    generation->start_time_us = read_time(reader);
    generation->create_time_us = read_time(reader);
    generation->expected_delivery_time_us = read_time(reader);
    generation->is_created = read_flag(reader);
    generation->shipment_id = read_limited(reader, 0, tracking_id_bytes_max);
    generation->order_id = read_limited(reader, 0, tracking_id_bytes_max);
}

static void encode_change(const struct tracking_change *change, struct byte_writer *writer)
{
    const struct tracking *after = &change->after;
    write_varint(writer, (uint64_t)after->generation);
    write_uint8(writer, (uint8_t)after->status);
    write_uint8(writer, (uint8_t)after->sub_status);
    write_uint8(writer, (uint8_t)change->previous_status);
    write_uint8(writer, change->last_is_event);
    write_uint8(writer, change->location_is_event);
    write_uint8(writer, change->is_delivered_now);
    write_varint(writer, (uint64_t)after->expected_delivery_time_us);
    write_varint(writer, (uint64_t)after->original_expected_delivery_time_us);
    write_varint(writer, (uint64_t)change->previous_expected_delivery_time_us);
    write_varint(writer, (uint64_t)after->delivered_time_us);
    write_varint(writer, (uint64_t)after->event_count);
    write_varint(writer, (uint64_t)after->revision);
    write_varint(writer, (uint64_t)after->start_time_us);
    write_text(writer, after->shipment_id);
    write_text(writer, after->order_id);
}

static enum tracking_status read_status(struct byte_reader *reader)
{
    return (enum tracking_status)read_enum(reader, TRACKING_STATUS_INFO_RECEIVED,
                                           TRACKING_STATUS_UNKNOWN + 1);
}

static void decode_change(struct byte_reader *reader, struct tracking_record *record)
{
    struct tracking_change *change = &record->change;
    struct tracking *after = &change->after;
    after->carrier = record->carrier;
    after->tracking_number = record->tracking_number;
    uint64_t generation = read_varint(reader);
    reader->failed |= generation < 1 || generation > tracking_generations_max;
    after->generation = (int32_t)generation;
    after->status = read_status(reader);
    after->sub_status = (enum tracking_sub_status)read_enum(reader, 0, tracking_sub_status_count);
    change->previous_status = read_status(reader);
    change->last_is_event = read_flag(reader);
    change->location_is_event = read_flag(reader);
    change->is_delivered_now = read_flag(reader);
    after->expected_delivery_time_us = read_time(reader);
    after->original_expected_delivery_time_us = read_time(reader);
    change->previous_expected_delivery_time_us = read_time(reader);
    after->delivered_time_us = read_time(reader);
    after->event_count = read_quantity(reader);
    after->revision = read_quantity(reader);
    after->start_time_us = read_time(reader);
    after->shipment_id = read_limited(reader, 0, tracking_id_bytes_max);
    after->order_id = read_limited(reader, 0, tracking_id_bytes_max);
}

/* --- kinds of records --- */

static void encode_remap(const struct tracking_record *record, struct byte_writer *writer)
{
    write_varint(writer, (uint64_t)record->map_version);
    write_varint(writer, record->remapped_count);
    for (size_t i = 0; i < record->remapped_count; i++) {
        const struct tracking_remapped_event *remapped = &record->remapped[i];
        write_varint(writer, (uint64_t)remapped->occurred_time_us);
        write_text(writer, remapped->event_id);
        write_uint8(writer, (uint8_t)remapped->type);
        write_uint8(writer, (uint8_t)remapped->sub_status);
    }
}

static void decode_remap(struct byte_reader *reader, struct tracking_record_lists *lists,
                         struct tracking_record *record)
{
    uint64_t version = read_varint(reader);
    uint64_t count = read_varint(reader);
    reader->failed |= version > INT32_MAX || count > tracking_remapped_events_max;
    record->map_version = (int32_t)version;
    record->remapped = lists->remapped;
    for (size_t i = 0; i < count && !reader->failed; i++) {
        struct tracking_remapped_event *remapped = &lists->remapped[record->remapped_count++];
        remapped->occurred_time_us = read_time(reader);
        remapped->event_id = read_limited(reader, 1, tracking_id_bytes_max);
        remapped->type = (enum tracking_event_type)read_enum(reader, 0, tracking_event_type_count);
        remapped->sub_status =
            (enum tracking_sub_status)read_enum(reader, 0, tracking_sub_status_count);
    }
}

static void encode_silence(const struct tracking_record *record, struct byte_writer *writer)
{
    write_varint(writer, (uint64_t)record->silent_generation);
    write_varint(writer, (uint64_t)record->silent_since_us);
    write_uint8(writer, (uint8_t)record->silent_status);
    write_text(writer, record->silent_shipment_id);
    write_text(writer, record->silent_order_id);
}

static void decode_silence(struct byte_reader *reader, struct tracking_record *record)
{
    uint64_t generation = read_varint(reader);
    reader->failed |= generation < 1 || generation > tracking_generations_max;
    record->silent_generation = (int32_t)generation;
    record->silent_since_us = read_time(reader);
    record->silent_status = read_status(reader);
    record->silent_shipment_id = read_limited(reader, 0, tracking_id_bytes_max);
    record->silent_order_id = read_limited(reader, 0, tracking_id_bytes_max);
}

size_t tracking_record_encode(const struct tracking_record *record, char *bytes)
{
    struct byte_writer writer = {.at = bytes};
    write_uint8(&writer, (uint8_t)record->type);
    write_uint64(&writer, (uint64_t)record->time_us);
    write_text(&writer, record->carrier);
    write_text(&writer, record->tracking_number);
    switch (record->type) {
    case TRACKING_RECORD_EVENT:
        encode_change(&record->change, &writer);
        tracking_event_encode(&record->event, &writer);
        break;
    case TRACKING_RECORD_GENERATION:
        encode_change(&record->change, &writer);
        write_varint(&writer, record->generation_index);
        tracking_generation_encode(&record->generation, &writer);
        break;
    case TRACKING_RECORD_REMAP:
        encode_change(&record->change, &writer);
        encode_remap(record, &writer);
        break;
    case TRACKING_RECORD_PING:
        write_varint(&writer, (uint64_t)record->ping_time_us);
        write_signed(&writer, record->latitude_e7);
        write_signed(&writer, record->longitude_e7);
        break;
    case TRACKING_RECORD_SILENCE:
        encode_silence(record, &writer);
        break;
    case TRACKING_RECORD_NOTE:
        write_text(&writer, record->note.name);
        write_text(&writer, record->note.value);
        break;
    case TRACKING_RECORD_ERASE:
        break;
    }
    return (size_t)(writer.at - bytes);
}

static void decode_body(struct byte_reader *reader, struct tracking_record_lists *lists,
                        struct tracking_record *record)
{
    uint64_t index;
    switch (record->type) {
    case TRACKING_RECORD_EVENT:
        decode_change(reader, record);
        tracking_event_decode(reader, &record->event);
        record->event.carrier = record->carrier;
        record->event.tracking_number = record->tracking_number;
        break;
    case TRACKING_RECORD_GENERATION:
        decode_change(reader, record);
        index = read_varint(reader);
        reader->failed |= index >= tracking_generations_max;
        record->generation_index = (size_t)index;
        tracking_generation_decode(reader, &record->generation);
        break;
    case TRACKING_RECORD_REMAP:
        decode_change(reader, record);
        decode_remap(reader, lists, record);
        break;
    case TRACKING_RECORD_PING:
        record->ping_time_us = read_time(reader);
        record->latitude_e7 = read_int32(reader, tracking_latitude_e7_max);
        record->longitude_e7 = read_int32(reader, tracking_longitude_e7_max);
        break;
    case TRACKING_RECORD_SILENCE:
        decode_silence(reader, record);
        break;
    case TRACKING_RECORD_NOTE:
        record->note.name = read_limited(reader, 1, tracking_note_name_bytes_max);
        record->note.value = read_limited(reader, 0, tracking_note_bytes_max);
        break;
    case TRACKING_RECORD_ERASE:
        break;
    }
}

bool tracking_record_decode(struct text bytes, struct tracking_record_lists *lists,
                            struct tracking_record *record)
{
    struct byte_reader reader = byte_reader_of(bytes);
    *record = (struct tracking_record){0};
    record->type = (enum tracking_record_type)read_enum(&reader, TRACKING_RECORD_EVENT,
                                                        TRACKING_RECORD_NOTE + 1);
    record->time_us = (int64_t)read_uint64(&reader);
    reader.failed |= record->time_us < 0 || record->time_us > tracking_time_us_max;
    size_t least = record->type == TRACKING_RECORD_NOTE ? 0 : 1;
    record->carrier = read_limited(&reader, least, tracking_carrier_bytes_max);
    record->tracking_number = read_limited(&reader, least, tracking_id_bytes_max);
    if (!reader.failed)
        decode_body(&reader, lists, record);
    return !reader.failed && reader.at == reader.end;
}
