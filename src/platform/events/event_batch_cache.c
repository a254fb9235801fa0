/*
 * A small array under a mutex, which is not held while the feed is read: two threads may read the
 * same batch, then the second one's is used and thrown away. A batch in use is never evicted; if
 * all are, what was read is used by its reader alone.
 */
#include "platform/events/event_batch_cache.h"

#include "platform/base/check.h"
#include "platform/base/memory.h"

enum {
    batch_events_max = 256,
    arena_bytes_max = 4 * 1024 * 1024, /* far more than the largest event as a feed makes it */
};

bool event_batch_cache_init(struct event_batch_cache *cache, struct event_feed *feed,
                            size_t count_max)
{
    *cache = (struct event_batch_cache){.feed = feed, .count_max = count_max};
    pthread_mutex_init(&cache->mutex, NULL);
    cache->batches = memory_allocate_zero(count_max, sizeof *cache->batches);
    return cache->batches != NULL;
}

static void destroy_batch(struct cached_batch *batch)
{
    arena_deinit(&batch->arena);
    memory_release(batch);
}

void event_batch_cache_deinit(struct event_batch_cache *cache)
{
    for (size_t i = 0; i < cache->count; i++) {
        CHECK(cache->batches[i]->users == 0);
        destroy_batch(cache->batches[i]);
    }
    memory_release(cache->batches);
    pthread_mutex_destroy(&cache->mutex);
}

/* The mutex is held. */
static struct cached_batch *find(struct event_batch_cache *cache, uint64_t after)
{
    for (size_t i = cache->count; i-- > 0;) {
        struct cached_batch *batch = cache->batches[i];
        if (batch->after <= after && after < batch->batch.next) {
            batch->users++;
            batch->last_use = ++cache->uses;
            return batch;
        }
    }
    return NULL;
}

/* Puts it in, for another one if need be. The mutex is held. Gives the one to destroy, or NULL. */
static struct cached_batch *insert(struct event_batch_cache *cache, struct cached_batch *batch)
{
    size_t oldest = cache->count;
    batch->last_use = ++cache->uses;
    if (cache->count < cache->count_max) {
        cache->batches[cache->count++] = batch;
        return NULL;
    }
    for (size_t i = 0; i < cache->count; i++) {
        if (cache->batches[i]->users == 0 &&
            (oldest == cache->count ||
             cache->batches[i]->last_use < cache->batches[oldest]->last_use))
            oldest = i;
    }
    if (oldest == cache->count) {
        batch->last_use = 0; /* not in the cache: its only user destroys it */
        return NULL;
    }
    struct cached_batch *evicted = cache->batches[oldest];
    cache->batches[oldest] = batch;
    return evicted;
}

struct error event_batch_cache_read(struct event_batch_cache *cache, uint64_t after,
                                    struct cached_batch **found)
{
    pthread_mutex_lock(&cache->mutex);
    *found = find(cache, after);
    pthread_mutex_unlock(&cache->mutex);
    if (*found != NULL)
        return error_none();
    struct cached_batch *made = memory_allocate_zero(1, sizeof *made);
    if (made == NULL)
        return error_make(ERROR_OUT_OF_MEMORY, "reading events");
    arena_init(&made->arena, arena_bytes_max);
    made->after = after;
    made->users = 1;
    struct error error =
        event_feed_read(cache->feed, after, batch_events_max, &made->arena, &made->batch);
    if (error_is(error) || made->batch.next == after) {
        destroy_batch(made);
        return error;
    }
    pthread_mutex_lock(&cache->mutex);
    cache->reads++;
    struct cached_batch *evicted = insert(cache, made);
    pthread_mutex_unlock(&cache->mutex);
    if (evicted != NULL)
        destroy_batch(evicted);
    *found = made;
    return error;
}

void event_batch_cache_release(struct event_batch_cache *cache, struct cached_batch *batch)
{
    pthread_mutex_lock(&cache->mutex);
    batch->users--;
    bool is_alone = batch->last_use == 0;
    pthread_mutex_unlock(&cache->mutex);
    if (is_alone)
        destroy_batch(batch);
}

uint64_t event_batch_cache_reads(struct event_batch_cache *cache)
{
    pthread_mutex_lock(&cache->mutex);
    uint64_t reads = cache->reads;
    pthread_mutex_unlock(&cache->mutex);
    return reads;
}
