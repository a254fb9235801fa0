#ifndef WAYBILL_PLATFORM_BASE_CODEC_H
#define WAYBILL_PLATFORM_BASE_CODEC_H

#include "platform/base/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/*
 * Bytes of records: fixed integers little-endian, variable ones as LEB128 (7 bits a byte, low
 * first), texts with their length before them. The writer's room is the caller's promise; the
 * reader trusts nothing: after the first thing that does not fit it gives zeros and `failed` is
 * set.
 */
struct byte_writer {
    char *at;
};

static inline void write_uint8(struct byte_writer *writer, uint8_t value)
{
    *writer->at++ = (char)value;
}

static inline void write_uint32(struct byte_writer *writer, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        *writer->at++ = (char)(value >> (8 * i));
}

static inline void write_uint64(struct byte_writer *writer, uint64_t value)
{
    for (int i = 0; i < 8; i++)
        *writer->at++ = (char)(value >> (8 * i));
}

/* Raw bytes; their number is known to the reader. */
static inline void write_bytes(struct byte_writer *writer, const void *data, size_t size)
{
    memcpy(writer->at, data, size);
    writer->at += size;
}

enum { varint_bytes_max = 10 };

static inline void write_varint(struct byte_writer *writer, uint64_t value)
{
    while (value >= 0x80) {
        *writer->at++ = (char)(value | 0x80);
        value >>= 7;
    }
    *writer->at++ = (char)value;
}

static inline void write_text(struct byte_writer *writer, struct text text)
{
    write_varint(writer, text.size);
    if (text.size > 0)
        memcpy(writer->at, text.data, text.size);
    writer->at += text.size;
}

struct byte_reader {
    const char *at;
    const char *end;
    bool failed;
};

/* An empty text may have no address at all, and C allows no sum with that, not even + 0. */
static inline struct byte_reader byte_reader_of(struct text bytes)
{
    const char *start = bytes.data == NULL ? "" : bytes.data;
    return (struct byte_reader){.at = start, .end = start + bytes.size};
}

static inline uint8_t read_uint8(struct byte_reader *reader)
{
    if (reader->at == reader->end) {
        reader->failed = true;
        return 0;
    }
    return (uint8_t)*reader->at++;
}

static inline uint32_t read_uint32(struct byte_reader *reader)
{
    uint32_t value = 0;
    if (reader->end - reader->at < 4) {
        reader->failed = true;
        reader->at = reader->end;
        return 0;
    }
    for (int i = 0; i < 4; i++)
        value |= (uint32_t)(uint8_t)*reader->at++ << (8 * i);
    return value;
}

static inline uint64_t read_uint64(struct byte_reader *reader)
{
    uint64_t value = 0;
    if (reader->end - reader->at < 8) {
        reader->failed = true;
        reader->at = reader->end;
        return 0;
    }
    for (int i = 0; i < 8; i++)
        value |= (uint64_t)(uint8_t)*reader->at++ << (8 * i);
    return value;
}

/* Raw bytes; zeros when there are fewer. */
static inline void read_bytes(struct byte_reader *reader, void *data, size_t size)
{
    if ((size_t)(reader->end - reader->at) < size) {
        reader->failed = true;
        reader->at = reader->end;
        memset(data, 0, size);
        return;
    }
    memcpy(data, reader->at, size);
    reader->at += size;
}

static inline uint64_t read_varint(struct byte_reader *reader)
{
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        uint8_t byte = read_uint8(reader);
        if (reader->failed || (shift == 63 && byte > 1))
            break;
        value |= (uint64_t)(byte & 0x7F) << shift;
        if (byte < 0x80)
            return value;
    }
    reader->failed = true;
    return 0;
}

/* A varint that must fit a non-negative int64_t. */
static inline int64_t read_quantity(struct byte_reader *reader)
{
    uint64_t value = read_varint(reader);
    if (value > (uint64_t)INT64_MAX) {
        reader->failed = true;
        return 0;
    }
    return (int64_t)value;
}

/* A view into the bytes read. */
static inline struct text read_text(struct byte_reader *reader)
{
    uint64_t size = read_varint(reader);
    if (reader->failed || size > (uint64_t)(reader->end - reader->at)) {
        reader->failed = true;
        return (struct text){0};
    }
    struct text text = text_make(reader->at, (size_t)size);
    reader->at += size;
    return text;
}

#endif
