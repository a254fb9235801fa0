#ifndef WAYBILL_PLATFORM_BASE_ARENA_H
#define WAYBILL_PLATFORM_BASE_ARENA_H

#include "platform/base/text.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * Memory of one call: taken piece by piece, given back at once. A limit bounds what one call can
 * take (DESIGN section 5: 4 MiB of empty sub-messages become 239 MiB in protobuf-c).
 * Thread: one at a time; an arena may move between threads with the command that owns it.
 */
struct arena_block;

struct arena {
    struct arena_block *blocks; /* newest first */
    char *at;
    char *end;
    size_t taken;     /* bytes of all blocks */
    size_t taken_max; /* the limit for `taken` */
    bool refused;     /* a piece could not be had since the start or the last reset */
};

/* Takes no memory yet. `bytes_max` bounds the sum of its blocks. */
void arena_init(struct arena *arena, size_t bytes_max);

/* Gives everything back. The arena may be initialised again. */
void arena_deinit(struct arena *arena);

/* Forgets all pieces but keeps one block for the next use. */
void arena_reset(struct arena *arena);

/* `size` bytes aligned for any type, not cleared; NULL at the limit or without memory. */
void *arena_allocate(struct arena *arena, size_t size);

/* Bytes handed out since the start or the last reset, with what was left over at block ends. */
static inline size_t arena_used(const struct arena *arena)
{
    return arena->taken - (size_t)(arena->end - arena->at);
}

/* Whether a piece of this size is refused by the limit, rather than for lack of memory. */
bool arena_is_full(const struct arena *arena, size_t size);

/* As arena_allocate, count * size bytes, all zero; NULL also when the product overflows. */
void *arena_allocate_zero(struct arena *arena, size_t count, size_t size);

/* A copy with a NUL behind it, not counted in size; data is NULL when there is no memory. */
struct text arena_copy_text(struct arena *arena, struct text text);

/* The same as a C string, for a text that holds no NUL; NULL without memory. */
static inline char *arena_copy_string(struct arena *arena, struct text text)
{
    return (char *)arena_copy_text(arena, text).data;
}

/* The formatted string; NULL without memory. */
__attribute__((format(printf, 2, 3))) char *arena_format(struct arena *arena, const char *format,
                                                         ...);

#endif
