/*
 * malloc with a tap for tests, and with a few released small blocks kept by each thread: what one
 * call needs the next one needs, and malloc's own such cache holds seven of a size, where a read
 * brings a hundred calls. A kept block is one of malloc's in all respects; its size is what malloc
 * says it can hold. Sanitizers get every block back, or they would see less.
 *
 * A failure is told by NULL, exactly as malloc tells it.
 */
#include "platform/base/memory.h"

#include <malloc.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define KEEPS_BLOCKS 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define KEEPS_BLOCKS 0
#else
#define KEEPS_BLOCKS 1
#endif
#else
#define KEEPS_BLOCKS 1
#endif

/* malloc's blocks hold 24, 40, 56, … bytes on 64-bit machines; other ones are not kept. */
enum {
    block_step = 16,
    block_bytes_min = 24,
    kept_sizes = 32,
    kept_of_a_size_max = 256,
};

struct kept_block {
    struct kept_block *next;
};

struct kept_blocks {
    struct kept_block *first;
    uint32_t count;
};

/* Of the program itself, never of a library that is loaded later: one access, not a call. */
#define MEMORY_THREAD_LOCAL static _Thread_local __attribute__((tls_model("initial-exec")))
MEMORY_THREAD_LOCAL uint64_t allocations;
MEMORY_THREAD_LOCAL uint64_t successes_left = UINT64_MAX;
MEMORY_THREAD_LOCAL bool fail_repeatedly;
MEMORY_THREAD_LOCAL struct kept_blocks kept[kept_sizes];
MEMORY_THREAD_LOCAL bool keeps; /* and gives back when the thread ends */

static pthread_key_t at_thread_end;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static bool have_key;

static void give_back(void *unused)
{
    (void)unused;
    for (size_t i = 0; i < kept_sizes; i++) {
        while (kept[i].first != NULL) {
            struct kept_block *block = kept[i].first;
            kept[i].first = block->next;
            free(block);
        }
        kept[i].count = kept_of_a_size_max; /* what is released now is not kept */
    }
}

static void make_key(void)
{
    have_key = pthread_key_create(&at_thread_end, give_back) == 0;
}

/* Once a thread. Without a key there is no one to give blocks back: then none are kept. */
__attribute__((noinline, cold)) static void begin_keeping(void)
{
    keeps = true;
    (void)pthread_once(&once, make_key);
    if (have_key && pthread_setspecific(at_thread_end, kept) == 0)
        return;
    for (size_t i = 0; i < kept_sizes; i++)
        kept[i].count = kept_of_a_size_max;
}

/* One that was kept, or a new one. */
static void *take_block(size_t size)
{
    size_t index =
        size <= block_bytes_min ? 0 : (size - block_bytes_min + block_step - 1) / block_step;
    if (!KEEPS_BLOCKS || index >= kept_sizes)
        return malloc(size == 0 ? 1 : size);
    struct kept_block *block = kept[index].first;
    if (block == NULL)
        return malloc(block_bytes_min + index * block_step);
    kept[index].first = block->next;
    kept[index].count--;
    return block;
}

static void release_block(void *block)
{
    size_t index = (malloc_usable_size(block) - block_bytes_min) / block_step;
    if (KEEPS_BLOCKS && !keeps)
        begin_keeping();
    if (!KEEPS_BLOCKS || index >= kept_sizes || kept[index].count >= kept_of_a_size_max) {
        free(block);
        return;
    }
    ((struct kept_block *)block)->next = kept[index].first;
    kept[index].first = block;
    kept[index].count++;
}

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
    return take_block(size);
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
    if (block != NULL)
        release_block(block);
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
