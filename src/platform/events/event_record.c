/* A kind, three numbers, four texts. What does not fit the limits of event.h is no record. */
#include "platform/events/event_record.h"

enum { record_kind_event = 1 };

bool event_is_within_limits(const struct event *event)
{
    return event->event_id.size > 0 && event->event_id.size <= event_id_bytes_max &&
           event->type.size > 0 && event->type.size <= event_type_bytes_max &&
           event->key.size <= event_key_bytes_max && event->data.size <= event_data_bytes_max;
}

size_t event_record_encode(const struct event *event, int64_t logged_us, char *bytes)
{
    struct byte_writer writer = {.at = bytes};
    write_uint8(&writer, record_kind_event);
    write_varint(&writer, event->sequence);
    write_varint(&writer, (uint64_t)logged_us);
    write_varint(&writer, (uint64_t)event->time_us);
    write_text(&writer, event->event_id);
    write_text(&writer, event->type);
    write_text(&writer, event->key);
    write_text(&writer, event->data);
    return (size_t)(writer.at - bytes);
}

bool event_record_decode(struct text bytes, struct event *event, int64_t *logged_us)
{
    struct byte_reader reader = byte_reader_of(bytes);
    *event = (struct event){0};
    uint8_t kind = read_uint8(&reader);
    event->sequence = read_varint(&reader);
    *logged_us = (int64_t)read_varint(&reader);
    event->time_us = (int64_t)read_varint(&reader);
    event->event_id = read_text(&reader);
    event->type = read_text(&reader);
    event->key = read_text(&reader);
    event->data = read_text(&reader);
    return !reader.failed && reader.at == reader.end && kind == record_kind_event &&
           event->sequence > 0 && event_is_within_limits(event);
}
