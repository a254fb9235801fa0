/*
 * A chain of blocks, each twice as large as what was taken before, at least 1 KiB. A piece that
 * does not fit opens a new block; failure to get one, or the limit, is told by NULL and changes
 * nothing.
 */
#include "platform/base/arena.h"

#include "platform/base/memory.h"

#include <stdalign.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

struct arena_block {
    struct arena_block *older;
    size_t size; /* with this header */
    alignas(max_align_t) char data[];
};

static const size_t arena_block_size_min = 1024; /* what a small call needs; more costs cache */
static const size_t arena_kept_size_max = (size_t)64 * 1024;

void arena_init(struct arena *arena, size_t bytes_max)
{
    *arena = (struct arena){.taken_max = bytes_max};
}

static void arena_release_older_than(struct arena_block *block)
{
    while (block != NULL) {
        struct arena_block *older = block->older;
        memory_release(block);
        block = older;
    }
}

void arena_deinit(struct arena *arena)
{
    arena_release_older_than(arena->blocks);
    *arena = (struct arena){.taken_max = arena->taken_max};
}

void arena_reset(struct arena *arena)
{
    struct arena_block *keep = arena->blocks;
    arena->refused = false;
    if (keep == NULL)
        return;
    if (keep->size > arena_kept_size_max) {
        arena_deinit(arena);
        return;
    }
    arena_release_older_than(keep->older);
    keep->older = NULL;
    arena->taken = keep->size;
    arena->at = keep->data;
    arena->end = (char *)keep + keep->size;
}

static bool arena_grow(struct arena *arena, size_t size)
{
    size_t needed = sizeof(struct arena_block) + size;
    size_t block_size = arena->taken > arena_block_size_min ? arena->taken : arena_block_size_min;
    if (needed < size || arena->taken > arena->taken_max)
        return false;
    if (block_size < needed)
        block_size = needed;
    if (block_size > arena->taken_max - arena->taken)
        block_size = arena->taken_max - arena->taken;
    if (block_size < needed)
        return false;
    struct arena_block *block = memory_allocate(block_size);
    if (block == NULL)
        return false;
    block->older = arena->blocks;
    block->size = block_size;
    arena->blocks = block;
    arena->taken += block_size;
    arena->at = block->data;
    arena->end = (char *)block + block_size;
    return true;
}

bool arena_is_full(const struct arena *arena, size_t size)
{
    size_t left = arena->taken > arena->taken_max ? 0 : arena->taken_max - arena->taken;
    return left < sizeof(struct arena_block) || left - sizeof(struct arena_block) < size;
}

void *arena_allocate(struct arena *arena, size_t size)
{
    size_t rounded = (size + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
    size_t wanted = rounded == 0 && arena->at == NULL ? 1 : rounded;
    if (rounded < size ||
        (wanted > (size_t)(arena->end - arena->at) && !arena_grow(arena, wanted))) {
        arena->refused = true;
        return NULL;
    }
    void *piece = arena->at;
    arena->at += rounded;
    return piece;
}

void *arena_allocate_zero(struct arena *arena, size_t count, size_t size)
{
    if (size != 0 && count > SIZE_MAX / size)
        return NULL;
    void *piece = arena_allocate(arena, count * size);
    if (piece != NULL)
        memset(piece, 0, count * size);
    return piece;
}

struct text arena_copy_text(struct arena *arena, struct text text)
{
    char *copy = arena_allocate(arena, text.size + 1);
    if (copy == NULL)
        return (struct text){0};
    if (text.size > 0)
        memcpy(copy, text.data, text.size);
    copy[text.size] = '\0';
    return text_make(copy, text.size);
}

char *arena_format(struct arena *arena, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    char *string = size < 0 ? NULL : arena_allocate(arena, (size_t)size + 1);
    if (string == NULL)
        return NULL;
    va_start(arguments, format);
    vsnprintf(string, (size_t)size + 1, format, arguments);
    va_end(arguments);
    return string;
}
