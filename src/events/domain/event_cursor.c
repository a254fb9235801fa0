/*
 * Version, number of places, each place (two texts and a number), a checksum of all that; in
 * Base64's URL alphabet without padding.
 */
#include "events/domain/event_cursor.h"

#include "platform/base/base64.h"
#include "platform/base/check.h"
#include "platform/base/codec.h"
#include "platform/base/hash_map.h"

enum {
    cursor_version = 1,
    checksum_bytes = 4,
    place_bytes_max = 2 * varint_bytes_max + varint_bytes_max + event_cursor_source_bytes_max +
                      event_cursor_identity_bytes_max,
    cursor_bytes_max = 2 + event_cursor_places_max * place_bytes_max + checksum_bytes,
};

static const uint64_t checksum_seed = UINT64_C(0x77617962696c6c31);

static uint32_t checksum(struct text bytes)
{
    return (uint32_t)hash_text(checksum_seed, bytes);
}

struct text event_cursor_encode(const struct event_cursor *cursor, struct arena *arena)
{
    char bytes[cursor_bytes_max];
    struct byte_writer writer = {.at = bytes};
    CHECK(cursor->count <= event_cursor_places_max);
    write_uint8(&writer, cursor_version);
    write_uint8(&writer, (uint8_t)cursor->count);
    for (size_t i = 0; i < cursor->count; i++) {
        const struct event_cursor_place *place = &cursor->places[i];
        CHECK(place->source.size <= event_cursor_source_bytes_max &&
              place->identity.size <= event_cursor_identity_bytes_max);
        write_text(&writer, place->source);
        write_text(&writer, place->identity);
        write_varint(&writer, place->position);
    }
    struct text content = text_make(bytes, (size_t)(writer.at - bytes));
    write_uint32(&writer, checksum(content));
    struct text whole = text_make(bytes, (size_t)(writer.at - bytes));
    char *text = arena_allocate(arena, base64_room(whole.size));
    if (text == NULL)
        return (struct text){0};
    size_t size = base64_encode(whole, false, text);
    for (size_t i = 0; i < size; i++) {
        if (text[i] == '+')
            text[i] = '-';
        else if (text[i] == '/')
            text[i] = '_';
    }
    return text_make(text, size);
}

static bool read_place(struct byte_reader *reader, struct event_cursor_place *place)
{
    place->source = read_text(reader);
    place->identity = read_text(reader);
    place->position = read_varint(reader);
    return !reader->failed && place->source.size > 0 &&
           place->source.size <= event_cursor_source_bytes_max && place->identity.size > 0 &&
           place->identity.size <= event_cursor_identity_bytes_max;
}

bool event_cursor_decode(struct text text, struct arena *arena, struct event_cursor *cursor)
{
    size_t size = 0;
    *cursor = (struct event_cursor){0};
    if (text.size == 0 || text.size > event_cursor_text_bytes_max)
        return false;
    char *bytes = arena_allocate(arena, text.size + 4);
    if (bytes == NULL || !base64_decode(text, bytes, &size) || size < 2 + checksum_bytes)
        return false;
    struct text content = text_make(bytes, size - checksum_bytes);
    struct byte_reader seal = byte_reader_of(text_make(bytes + content.size, checksum_bytes));
    if (read_uint32(&seal) != checksum(content))
        return false;
    struct byte_reader reader = byte_reader_of(content);
    uint8_t version = read_uint8(&reader);
    size_t count = read_uint8(&reader);
    if (version != cursor_version || count > event_cursor_places_max)
        return false;
    for (size_t i = 0; i < count; i++) {
        if (!read_place(&reader, &cursor->places[i]))
            return false;
    }
    cursor->count = count;
    return reader.at == reader.end;
}
