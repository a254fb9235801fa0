#ifndef WAYBILL_TRACKING_INFRASTRUCTURE_EMBEDDED_PARCEL_CACHE_H
#define WAYBILL_TRACKING_INFRASTRUCTURE_EMBEDDED_PARCEL_CACHE_H

#include "platform/base/hash_map.h"
#include "tracking/infrastructure/embedded/parcel.h"

/*
 * The parcels in memory: by key, in the order of use, and those changed since they were written in
 * the order of their first change. It owns its parcels. Thread: one.
 */
struct parcel_cache {
    uint64_t seed;
    struct hash_map by_key;
    struct parcel *newest;
    struct parcel *oldest;
    struct parcel *dirty_first;
    struct parcel *dirty_last;
    size_t count;
    size_t dirty_count;
    size_t bytes; /* of the parcels, as far as changes were told */
};

/* `seed` is random, so that nobody can choose colliding keys. Takes no memory yet. */
void parcel_cache_init(struct parcel_cache *cache, uint64_t seed);
void parcel_cache_deinit(struct parcel_cache *cache);

/* The parcel, now the newest in use, or NULL. */
struct parcel *parcel_cache_find(struct parcel_cache *cache, struct text key);

/* Makes room for one more: after it parcel_cache_add cannot fail. False without memory. */
__attribute__((warn_unused_result)) bool parcel_cache_reserve(struct parcel_cache *cache);
void parcel_cache_add(struct parcel_cache *cache, struct parcel *parcel);

/* Takes it out and destroys it. */
void parcel_cache_drop(struct parcel_cache *cache, struct parcel *parcel);

/* After a change by the record at `position`: since then it is dirty, if it was not. */
void parcel_cache_changed(struct parcel_cache *cache, struct parcel *parcel, uint64_t position);

/* It is written: not dirty any more. */
void parcel_cache_written(struct parcel_cache *cache, struct parcel *parcel);

#endif
