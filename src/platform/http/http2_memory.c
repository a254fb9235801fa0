/* nghttp2 hands a context to each function; ours need none. */
#include "platform/http/http2_memory.h"

#include "platform/base/memory.h"

static void *allocate(size_t size, void *context)
{
    (void)context;
    return memory_allocate(size);
}

static void release(void *block, void *context)
{
    (void)context;
    memory_release(block);
}

static void *allocate_zero(size_t count, size_t size, void *context)
{
    (void)context;
    return memory_allocate_zero(count, size);
}

static void *reallocate(void *block, size_t size, void *context)
{
    (void)context;
    return memory_reallocate(block, size);
}

nghttp2_mem *http2_memory(void)
{
    static nghttp2_mem memory = {
        .malloc = allocate, .free = release, .calloc = allocate_zero, .realloc = reallocate};
    return &memory;
}
