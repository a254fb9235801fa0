/*
 * The bytes are a GIF. What becomes of them is nothing, or a PNG whose chunks follow one another to
 * its end and whose rows unpack to the size that its header says.
 */
#include "shipping/infrastructure/carriers/gif_image.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool fine)
{
    if (!fine)
        abort();
}

static size_t number_at(struct text png, size_t at)
{
    size_t number = 0;
    require(at + 4 <= png.size);
    for (size_t i = 0; i < 4; i++)
        number = number << 8 | (unsigned char)png.data[at + i];
    return number;
}

static void check_rows(struct text packed, size_t expected, struct arena *arena)
{
    uLongf got = (uLongf)expected;
    unsigned char *rows = arena_allocate(arena, expected);
    if (rows == NULL)
        return;
    require(uncompress(rows, &got, (const unsigned char *)packed.data, (uLong)packed.size) == Z_OK);
    require(got == expected);
}

static void check(struct text png, struct arena *arena)
{
    size_t expected = 0, at = 8;
    while (at < png.size) {
        size_t size = number_at(png, at);
        require(at + 12 + size <= png.size);
        const char *name = png.data + at + 4;
        if (memcmp(name, "IHDR", 4) == 0)
            expected = (number_at(png, at + 8) + 1) * number_at(png, at + 12);
        if (memcmp(name, "IDAT", 4) == 0)
            check_rows(text_make(name + 4, size), expected, arena);
        at += 12 + size;
    }
    require(at == png.size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    struct text png;
    arena_init(&arena, 256 * 1024 * 1024);
    if (gif_to_png(text_make((const char *)data, size), &arena, &png))
        check(png, &arena);
    arena_deinit(&arena);
    return 0;
}
