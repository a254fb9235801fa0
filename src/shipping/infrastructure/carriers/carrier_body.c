/*
 * A gzip file tells at its end how long its content is (modulo 2^32): so much room is taken at
 * once, and the content must fill it, neither more nor less. Several members in a row are not
 * taken.
 */
#include "shipping/infrastructure/carriers/carrier_body.h"

#include "platform/base/memory.h"

#include <stdint.h>
#include <zlib.h>

enum { gzip_window_bits = 15 + 16, gzip_bytes_min = 18 };

struct text carrier_body_without_mark(struct text body)
{
    static const char mark[] = "\xEF\xBB\xBF";
    return text_starts_with(body, text_of(mark)) ? text_make(body.data + 3, body.size - 3) : body;
}

static void *allocate(void *context, unsigned count, unsigned size)
{
    (void)context;
    return memory_allocate((size_t)count * size);
}

static void release(void *context, void *block)
{
    (void)context;
    memory_release(block);
}

static size_t size_at_end(struct text body)
{
    const unsigned char *end = (const unsigned char *)body.data + body.size - 4;
    return (size_t)end[0] | (size_t)end[1] << 8 | (size_t)end[2] << 16 | (size_t)end[3] << 24;
}

struct error carrier_body_inflate(struct text body, struct arena *arena, struct text *plain)
{
    *plain = body;
    if (!text_starts_with(body, text_of("\x1F\x8B")))
        return error_none();
    if (body.size < gzip_bytes_min)
        return error_make(ERROR_INVALID_INPUT, "gzip that is cut");
    size_t size = size_at_end(body);
    if (size > carrier_body_plain_bytes_max)
        return error_make(ERROR_INVALID_INPUT, "gzip of more than %d bytes",
                          carrier_body_plain_bytes_max);
    char *out = arena_allocate(arena, size + 1);
    z_stream stream = {
        .next_in = (Bytef *)(uintptr_t)body.data,
        .avail_in = (uInt)body.size,
        .next_out = (Bytef *)out,
        .avail_out = (uInt)size + 1,
        .zalloc = allocate,
        .zfree = release,
    };
    if (out == NULL || inflateInit2(&stream, gzip_window_bits) != Z_OK)
        return error_make(ERROR_OUT_OF_MEMORY, "inflating a body");
    int result = inflate(&stream, Z_FINISH);
    bool is_whole = result == Z_STREAM_END && stream.total_out == size && stream.avail_in == 0;
    inflateEnd(&stream);
    if (result == Z_MEM_ERROR)
        return error_make(ERROR_OUT_OF_MEMORY, "inflating a body");
    if (!is_whole)
        return error_make(ERROR_INVALID_INPUT, "gzip that is damaged");
    *plain = text_make(out, size);
    return error_none();
}
