#ifndef WAYBILL_PLATFORM_STORAGE_RECORD_LOG_READER_POOL_H
#define WAYBILL_PLATFORM_STORAGE_RECORD_LOG_READER_POOL_H

#include "platform/storage/record_log_reader.h"

#include <pthread.h>
#include <stdint.h>

/*
 * Some readers of one log, each where its last user left it: who comes back for what follows gets
 * the one that stands there. Thread: any.
 */
enum { pooled_readers_max = 8 };

/* Where a reader stands: in the caller's numbers, and in the log's. */
struct pooled_reader {
    struct record_log_reader *reader; /* NULL = none */
    uint64_t key;
    uint64_t position;
};

struct record_log_reader_pool {
    struct record_log *log;
    pthread_mutex_t mutex;
    struct pooled_reader readers[pooled_readers_max];
};

void record_log_reader_pool_init(struct record_log_reader_pool *pool, struct record_log *log);
void record_log_reader_pool_deinit(struct record_log_reader_pool *pool);

/* The reader that was given back with `key`, or a new one with that key and `position`. The
 * caller's until it gives it back or destroys it. OUT_OF_MEMORY. */
struct error record_log_reader_pool_take(struct record_log_reader_pool *pool, uint64_t key,
                                         uint64_t position, struct pooled_reader *taken);

/* Keeps it; if there are enough, the one that stands the furthest back is closed. */
void record_log_reader_pool_give(struct record_log_reader_pool *pool,
                                 const struct pooled_reader *given);

#endif
