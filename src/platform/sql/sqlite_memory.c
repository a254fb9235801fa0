/*
 * SQLite's allocator: platform/base/memory with the size in front of each block, because SQLite
 * asks for it. So the test of failing allocations reaches SQLite, too (RELIABILITY row 9).
 */
#include "platform/base/check.h"
#include "platform/base/memory.h"
#include "platform/sql/sqlite_connection.h"

#include <pthread.h>
#include <stddef.h>

/* In front of each block; as large as the strictest alignment. */
union block_head {
    int size;
    max_align_t alignment;
};

static void *sqlite_allocate(int size)
{
    union block_head *head = memory_allocate(sizeof *head + (size_t)size);
    if (head == NULL)
        return NULL;
    head->size = size;
    return head + 1;
}

static void sqlite_release(void *block)
{
    if (block != NULL)
        memory_release((union block_head *)block - 1);
}

static void *sqlite_reallocate(void *block, int size)
{
    union block_head *head = block == NULL ? NULL : (union block_head *)block - 1;
    head = memory_reallocate(head, sizeof *head + (size_t)size);
    if (head == NULL)
        return NULL;
    head->size = size;
    return head + 1;
}

static int sqlite_size(void *block)
{
    return block == NULL ? 0 : ((union block_head *)block - 1)->size;
}

static int sqlite_round_up(int size)
{
    return (size + 7) & ~7;
}

static int sqlite_memory_init(void *context)
{
    (void)context;
    return SQLITE_OK;
}

static void sqlite_memory_shutdown(void *context)
{
    (void)context;
}

static void configure(void)
{
    static const sqlite3_mem_methods methods = {
        .xMalloc = sqlite_allocate,
        .xFree = sqlite_release,
        .xRealloc = sqlite_reallocate,
        .xSize = sqlite_size,
        .xRoundup = sqlite_round_up,
        .xInit = sqlite_memory_init,
        .xShutdown = sqlite_memory_shutdown,
    };
    CHECK(sqlite3_config(SQLITE_CONFIG_MALLOC, &methods) == SQLITE_OK);
    CHECK(sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0) == SQLITE_OK);
    CHECK(sqlite3_config(SQLITE_CONFIG_MULTITHREAD) == SQLITE_OK);
    CHECK(sqlite3_initialize() == SQLITE_OK);
}

void sqlite_memory_use(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    CHECK(pthread_once(&once, configure) == 0);
}
