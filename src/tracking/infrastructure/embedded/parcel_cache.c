/* A hash map over the keys and two lists threaded through the parcels. */
#include "tracking/infrastructure/embedded/parcel_cache.h"

void parcel_cache_init(struct parcel_cache *cache, uint64_t seed)
{
    *cache = (struct parcel_cache){.seed = seed};
    hash_map_init(&cache->by_key);
}

void parcel_cache_deinit(struct parcel_cache *cache)
{
    struct parcel *parcel = cache->newest;
    while (parcel != NULL) {
        struct parcel *older = parcel->older;
        parcel_destroy(parcel);
        parcel = older;
    }
    hash_map_deinit(&cache->by_key);
}

static void use_unlink(struct parcel_cache *cache, struct parcel *parcel)
{
    if (parcel->newer != NULL)
        parcel->newer->older = parcel->older;
    else
        cache->newest = parcel->older;
    if (parcel->older != NULL)
        parcel->older->newer = parcel->newer;
    else
        cache->oldest = parcel->newer;
}

static void use_link(struct parcel_cache *cache, struct parcel *parcel)
{
    parcel->newer = NULL;
    parcel->older = cache->newest;
    if (cache->newest != NULL)
        cache->newest->newer = parcel;
    else
        cache->oldest = parcel;
    cache->newest = parcel;
}

static bool has_key(void *context, uint64_t value)
{
    const struct parcel *parcel = (const struct parcel *)(uintptr_t)value;
    return text_equal(parcel->key, *(const struct text *)context);
}

struct parcel *parcel_cache_find(struct parcel_cache *cache, struct text key)
{
    uint64_t value;
    if (!hash_map_find(&cache->by_key, hash_text(cache->seed, key), has_key, &key, &value))
        return NULL;
    struct parcel *parcel = (struct parcel *)(uintptr_t)value;
    if (cache->newest != parcel) {
        use_unlink(cache, parcel);
        use_link(cache, parcel);
    }
    return parcel;
}

bool parcel_cache_reserve(struct parcel_cache *cache)
{
    return hash_map_reserve(&cache->by_key, 1);
}

void parcel_cache_add(struct parcel_cache *cache, struct parcel *parcel)
{
    parcel->hash = hash_text(cache->seed, parcel->key);
    hash_map_add(&cache->by_key, parcel->hash, (uint64_t)(uintptr_t)parcel);
    use_link(cache, parcel);
    cache->count++;
    cache->bytes += parcel->bytes;
    parcel->bytes_told = parcel->bytes;
}

void parcel_cache_drop(struct parcel_cache *cache, struct parcel *parcel)
{
    parcel_cache_written(cache, parcel);
    hash_map_remove(&cache->by_key, parcel->hash, (uint64_t)(uintptr_t)parcel);
    use_unlink(cache, parcel);
    cache->count--;
    cache->bytes -= parcel->bytes_told;
    parcel_destroy(parcel);
}

void parcel_cache_changed(struct parcel_cache *cache, struct parcel *parcel, uint64_t position)
{
    cache->bytes += parcel->bytes - parcel->bytes_told;
    parcel->bytes_told = parcel->bytes;
    if (parcel->is_dirty)
        return;
    parcel->is_dirty = true;
    parcel->dirty_position = position;
    parcel->dirty_next = NULL;
    parcel->dirty_previous = cache->dirty_last;
    if (cache->dirty_last != NULL)
        cache->dirty_last->dirty_next = parcel;
    else
        cache->dirty_first = parcel;
    cache->dirty_last = parcel;
    cache->dirty_count++;
}

void parcel_cache_written(struct parcel_cache *cache, struct parcel *parcel)
{
    if (!parcel->is_dirty)
        return;
    if (parcel->dirty_previous != NULL)
        parcel->dirty_previous->dirty_next = parcel->dirty_next;
    else
        cache->dirty_first = parcel->dirty_next;
    if (parcel->dirty_next != NULL)
        parcel->dirty_next->dirty_previous = parcel->dirty_previous;
    else
        cache->dirty_last = parcel->dirty_previous;
    parcel->is_dirty = false;
    cache->dirty_count--;
}
