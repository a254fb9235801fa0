#ifndef WAYBILL_PLATFORM_EVENTS_EVENT_BATCH_CACHE_H
#define WAYBILL_PLATFORM_EVENTS_EVENT_BATCH_CACHE_H

#include "platform/base/error.h"
#include "platform/events/event_feed.h"

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The batches of one feed that were read last, so that many readers at nearly the same place cost
 * one read. Thread: any.
 */
struct cached_batch {
    struct arena arena;
    struct event_batch batch;
    uint64_t after; /* it holds what follows this, up to batch.next */
    size_t users;
    uint64_t last_use;
};

struct event_batch_cache {
    struct event_feed *feed;
    pthread_mutex_t mutex;
    struct cached_batch **batches;
    size_t count;
    size_t count_max;
    uint64_t uses;
    uint64_t reads;
};

/* False without memory. */
__attribute__((warn_unused_result)) bool event_batch_cache_init(struct event_batch_cache *cache,
                                                                struct event_feed *feed,
                                                                size_t count_max);
/* Nobody uses a batch any more. */
void event_batch_cache_deinit(struct event_batch_cache *cache);

/*
 * A batch in which the events behind `after` stand (earlier ones, too, perhaps), read if need be,
 * the caller's to look at until release; *found is NULL if there is nothing behind `after`.
 * Errors: as event_feed_read.
 */
__attribute__((warn_unused_result)) struct error event_batch_cache_read(
    struct event_batch_cache *cache, uint64_t after, struct cached_batch **found);
void event_batch_cache_release(struct event_batch_cache *cache, struct cached_batch *batch);

/* How many reads of the feed there were. */
uint64_t event_batch_cache_reads(struct event_batch_cache *cache);

#endif
