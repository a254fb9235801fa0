/* A doubling array of bytes with a limit. At the limit, or without memory, it stays as it was. */
#include "platform/base/buffer.h"

#include "platform/base/check.h"
#include "platform/base/memory.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const size_t buffer_capacity_min = 256;

void buffer_init(struct buffer *buffer, size_t size_max)
{
    *buffer = (struct buffer){.size_max = size_max};
}

void buffer_deinit(struct buffer *buffer)
{
    memory_release(buffer->data);
    *buffer = (struct buffer){.size_max = buffer->size_max};
}

void buffer_clear(struct buffer *buffer)
{
    buffer->size = 0;
}

bool buffer_reserve(struct buffer *buffer, size_t size)
{
    if (size <= buffer->capacity - buffer->size)
        return true;
    if (size > buffer->size_max - buffer->size)
        return false;
    size_t needed = buffer->size + size;
    size_t capacity = buffer->capacity * 2;
    if (capacity < buffer_capacity_min)
        capacity = buffer_capacity_min;
    if (capacity < needed)
        capacity = needed;
    if (capacity > buffer->size_max)
        capacity = buffer->size_max;
    char *data = memory_reallocate(buffer->data, capacity);
    if (data == NULL)
        return false;
    buffer->data = data;
    buffer->capacity = capacity;
    return true;
}

bool buffer_append(struct buffer *buffer, const void *data, size_t size)
{
    if (!buffer_reserve(buffer, size))
        return false;
    if (size > 0)
        memcpy(buffer->data + buffer->size, data, size);
    buffer->size += size;
    return true;
}

bool buffer_append_text(struct buffer *buffer, struct text text)
{
    return buffer_append(buffer, text.data, text.size);
}

bool buffer_append_string(struct buffer *buffer, const char *string)
{
    return buffer_append(buffer, string, strlen(string));
}

bool buffer_append_format(struct buffer *buffer, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    if (size < 0 || !buffer_reserve(buffer, (size_t)size + 1))
        return false;
    va_start(arguments, format);
    vsnprintf(buffer->data + buffer->size, (size_t)size + 1, format, arguments);
    va_end(arguments);
    buffer->size += (size_t)size;
    return true;
}

void buffer_consume(struct buffer *buffer, size_t size)
{
    CHECK(size <= buffer->size);
    if (size == 0)
        return;
    memmove(buffer->data, buffer->data + size, buffer->size - size);
    buffer->size -= size;
}

struct text buffer_text(const struct buffer *buffer)
{
    return text_make(buffer->data, buffer->size);
}
