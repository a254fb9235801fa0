#ifndef WAYBILL_PLATFORM_BASE_BUFFER_H
#define WAYBILL_PLATFORM_BASE_BUFFER_H

#include "platform/base/text.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * Bytes that grow, never beyond the limit given at the start. Thread: one at a time.
 */
struct buffer {
    char *data;
    size_t size;
    size_t capacity;
    size_t size_max;
};

/* Takes no memory yet. There is no buffer without a limit. */
void buffer_init(struct buffer *buffer, size_t size_max);
void buffer_deinit(struct buffer *buffer);

/* Empties it and keeps its memory. */
void buffer_clear(struct buffer *buffer);

/* Makes room for `size` more bytes; false at the limit or without memory, then nothing changed. */
__attribute__((warn_unused_result)) bool buffer_reserve(struct buffer *buffer, size_t size);

/* Appends all or nothing; false as above. */
__attribute__((warn_unused_result)) bool buffer_append(struct buffer *buffer, const void *data,
                                                       size_t size);
__attribute__((warn_unused_result)) bool buffer_append_text(struct buffer *buffer,
                                                            struct text text);
__attribute__((warn_unused_result)) bool buffer_append_string(struct buffer *buffer,
                                                              const char *string);
__attribute__((format(printf, 2, 3), warn_unused_result)) bool buffer_append_format(
    struct buffer *buffer, const char *format, ...);

/* Drops the first `size` bytes and moves the rest to the front. `size` is at most buffer->size. */
void buffer_consume(struct buffer *buffer, size_t size);

/* A view that lives until the next change. */
struct text buffer_text(const struct buffer *buffer);

#endif
