/*
 * A reader over the bytes with one check of the bounds, the variable-length LZW of GIF, and a
 * writer of the four chunks that a PNG with a palette needs. Every count is checked against the
 * bytes that are there; whatever does not fit ends in false, and nothing is kept.
 */
#include "shipping/infrastructure/carriers/gif_image.h"

#include <stdint.h>
#include <string.h>
#include <zlib.h>

enum {
    pixels_max = 16 * 1024 * 1024,
    codes_max = 4096,
    colours_max = 256,
    palette_bytes = 3 * colours_max,
    chunk_frame_bytes = 12, /* length, name, check sum */
    header_bytes = 13,
};

struct reader {
    const unsigned char *bytes;
    size_t size;
    size_t at;
    bool failed;
};

struct image {
    uint32_t width;
    uint32_t height;
    bool interlaced;
    unsigned char palette[palette_bytes];
    unsigned char *pixels; /* width × height places in the palette */
};

bool gif_is(struct text bytes)
{
    return text_starts_with(bytes, text_of("GIF87a")) || text_starts_with(bytes, text_of("GIF89a"));
}

/* ------------------------------------------------------------------------------------ the parts */

/* The next bytes; NULL if there are not so many. */
static const unsigned char *take(struct reader *reader, size_t count)
{
    if (reader->failed || count > reader->size - reader->at) {
        reader->failed = true;
        return NULL;
    }
    const unsigned char *taken = reader->bytes + reader->at;
    reader->at += count;
    return taken;
}

static unsigned take_byte(struct reader *reader)
{
    const unsigned char *byte = take(reader, 1);
    return byte == NULL ? 0 : byte[0];
}

static uint32_t take_number(struct reader *reader)
{
    const unsigned char *bytes = take(reader, 2);
    return bytes == NULL ? 0 : (uint32_t)(bytes[0] | bytes[1] << 8);
}

/* Where the flags say that there is one. */
static void take_palette(struct reader *reader, unsigned flags, struct image *image)
{
    size_t size = 3 * ((size_t)2 << (flags & 7));
    const unsigned char *colours = (flags & 0x80) == 0 ? NULL : take(reader, size);
    if (colours != NULL)
        memcpy(image->palette, colours, size);
}

static void skip_blocks(struct reader *reader)
{
    while (!reader->failed) {
        unsigned size = take_byte(reader);
        if (size == 0)
            return;
        take(reader, size);
    }
}

/* ------------------------------------------------------------------------------------------ LZW */

struct lzw {
    struct reader *reader;
    size_t block_left;
    uint32_t bits;
    unsigned bit_count;
    uint16_t prefix[codes_max];
    unsigned char last[codes_max];
    unsigned char stack[codes_max];
};

/* The next code of that many bits; -1 at the end of the blocks. */
static int next_code(struct lzw *lzw, unsigned width)
{
    while (lzw->bit_count < width) {
        if (lzw->block_left == 0)
            lzw->block_left = take_byte(lzw->reader);
        if (lzw->block_left == 0 || lzw->reader->failed)
            return -1;
        lzw->bits |= (uint32_t)take_byte(lzw->reader) << lzw->bit_count;
        lzw->bit_count += 8;
        lzw->block_left--;
    }
    int code = (int)(lzw->bits & ((1u << width) - 1));
    lzw->bits >>= width;
    lzw->bit_count -= width;
    return code;
}

/* All pixels of the image; false if they end early or a code stands for nothing. */
static bool unpack(struct lzw *lzw, unsigned code_bits, unsigned char *pixels, size_t count)
{
    const int clear = 1 << code_bits, end = clear + 1;
    int next = end + 1, before = -1;
    unsigned width = code_bits + 1;
    unsigned char first = 0;
    size_t done = 0;
    while (done < count) {
        int code = next_code(lzw, width), at = code;
        size_t depth = 0;
        if (code < 0 || code == end)
            return false;
        if (code == clear) {
            next = end + 1;
            width = code_bits + 1;
            before = -1;
            continue;
        }
        if (code > next || (code == next && before < 0) || (before < 0 && code >= clear))
            return false;
        if (code == next) { /* the one that is being made: what was before, and its first again */
            lzw->stack[depth++] = first;
            at = before;
        }
        while (at > end) {
            lzw->stack[depth++] = lzw->last[at];
            at = lzw->prefix[at];
        }
        first = (unsigned char)at;
        lzw->stack[depth++] = first;
        while (depth > 0 && done < count)
            pixels[done++] = lzw->stack[--depth];
        if (before >= 0 && next < codes_max) {
            lzw->prefix[next] = (uint16_t)before;
            lzw->last[next++] = first;
            if (next == 1 << width && width < 12)
                width++;
        }
        before = code;
    }
    return true;
}

static bool take_image(struct reader *reader, struct arena *arena, struct image *image)
{
    take(reader, 4); /* where it stands on the screen */
    image->width = take_number(reader);
    image->height = take_number(reader);
    unsigned flags = take_byte(reader);
    image->interlaced = (flags & 0x40) != 0;
    take_palette(reader, flags, image);
    unsigned code_bits = take_byte(reader);
    size_t count = (size_t)image->width * image->height;
    if (reader->failed || count == 0 || count > pixels_max || code_bits < 2 || code_bits > 8)
        return false;
    struct lzw *lzw = arena_allocate_zero(arena, 1, sizeof *lzw);
    image->pixels = arena_allocate_zero(arena, count, 1);
    if (lzw == NULL || image->pixels == NULL)
        return false;
    lzw->reader = reader;
    return unpack(lzw, code_bits, image->pixels, count);
}

/* ---------------------------------------------------------------------------------- the picture */

/* Which row of the picture the n-th row of an interlaced image is. */
static size_t row_of(const struct image *image, size_t n)
{
    static const struct {
        size_t first;
        size_t step;
    } passes[] = {{0, 8}, {4, 8}, {2, 4}, {1, 2}};
    if (!image->interlaced)
        return n;
    for (size_t i = 0; i < 4; i++) {
        size_t rows = image->height <= passes[i].first
                          ? 0
                          : (image->height - passes[i].first + passes[i].step - 1) / passes[i].step;
        if (n < rows)
            return passes[i].first + n * passes[i].step;
        n -= rows;
    }
    return 0;
}

static void put_number(unsigned char *out, uint32_t number)
{
    for (int i = 0; i < 4; i++)
        out[i] = (unsigned char)(number >> (24 - 8 * i));
}

static unsigned char *put_chunk(unsigned char *out, const char *name, const unsigned char *data,
                                size_t size)
{
    put_number(out, (uint32_t)size);
    memcpy(out + 4, name, 4);
    if (size > 0 && data != out + 8)
        memcpy(out + 8, data, size);
    put_number(out + 8 + size, (uint32_t)crc32(0, out + 4, (uInt)(size + 4)));
    return out + size + chunk_frame_bytes;
}

static bool write_png(const struct image *image, struct arena *arena, struct text *png)
{
    static const unsigned char mark[8] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1A, '\n'};
    size_t row_bytes = (size_t)image->width + 1, rows_bytes = row_bytes * image->height;
    uLongf packed_bytes = compressBound((uLong)rows_bytes);
    unsigned char header[header_bytes] = {[8] = 8, [9] = 3}; /* 8 bits, places in a palette */
    unsigned char *rows = arena_allocate_zero(arena, rows_bytes, 1); /* filter 0 before each */
    unsigned char *bytes = arena_allocate(arena, sizeof mark + 4 * chunk_frame_bytes +
                                                     header_bytes + palette_bytes + packed_bytes);
    if (rows == NULL || bytes == NULL)
        return false;
    for (size_t n = 0; n < image->height; n++)
        memcpy(rows + row_of(image, n) * row_bytes + 1, image->pixels + n * image->width,
               image->width);
    put_number(header, image->width);
    put_number(header + 4, image->height);
    memcpy(bytes, mark, sizeof mark);
    unsigned char *at = put_chunk(bytes + sizeof mark, "IHDR", header, header_bytes);
    at = put_chunk(at, "PLTE", image->palette, palette_bytes);
    if (compress(at + 8, &packed_bytes, rows, (uLong)rows_bytes) != Z_OK)
        return false;
    at = put_chunk(at, "IDAT", at + 8, packed_bytes);
    at = put_chunk(at, "IEND", NULL, 0);
    *png = text_make((const char *)bytes, (size_t)(at - bytes));
    return true;
}

bool gif_to_png(struct text gif, struct arena *arena, struct text *png)
{
    struct reader reader = {.bytes = (const unsigned char *)gif.data, .size = gif.size, .at = 6};
    struct image image = {0};
    if (!gif_is(gif))
        return false;
    take(&reader, 4); /* the screen's size */
    unsigned flags = take_byte(&reader);
    take(&reader, 2);
    take_palette(&reader, flags, &image);
    while (!reader.failed) {
        unsigned kind = take_byte(&reader);
        if (kind == 0x2C)
            return take_image(&reader, arena, &image) && write_png(&image, arena, png);
        if (kind != 0x21)
            return false;
        take_byte(&reader); /* an extension: comments, transparency */
        skip_blocks(&reader);
    }
    return false;
}
