/*
 * malloc with a tap for tests. The happy path is one thread-local decrement and malloc itself; a
 * failure is told by NULL, exactly as malloc tells it.
 */
#include "platform/base/memory.h"

#include <stdbool.h>
#include <stdlib.h>

/* Of the program itself, never of a library that is loaded later: one access, not a call. */
#define MEMORY_THREAD_LOCAL static _Thread_local __attribute__((tls_model("initial-exec")))
MEMORY_THREAD_LOCAL uint64_t allocations;
MEMORY_THREAD_LOCAL uint64_t successes_left = UINT64_MAX;
MEMORY_THREAD_LOCAL bool fail_repeatedly;

static bool memory_must_fail(void)
{
    allocations++;
    if (successes_left == UINT64_MAX)
        return false;
    if (successes_left > 0) {
        successes_left--;
        return false;
    }
    if (!fail_repeatedly)
        successes_left = UINT64_MAX;
    return true;
}

void *memory_allocate(size_t size)
{
    if (memory_must_fail())
        return NULL;
    return malloc(size == 0 ? 1 : size);
}

void *memory_allocate_zero(size_t count, size_t size)
{
    if (memory_must_fail())
        return NULL;
    return calloc(count == 0 ? 1 : count, size == 0 ? 1 : size);
}

void *memory_reallocate(void *block, size_t size)
{
    if (memory_must_fail())
        return NULL;
    return realloc(block, size == 0 ? 1 : size);
}

void memory_release(void *block)
{
    free(block);
}

void memory_fail_after(uint64_t successes, int repeat)
{
    successes_left = successes;
    fail_repeatedly = repeat != 0;
}

uint64_t memory_allocation_count(void)
{
    return allocations;
}
