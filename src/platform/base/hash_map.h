#ifndef WAYBILL_PLATFORM_BASE_HASH_MAP_H
#define WAYBILL_PLATFORM_BASE_HASH_MAP_H

#include "platform/base/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * From a 64-bit hash to 64-bit values: a pointer, an index, a position in a file. Keys live with
 * the values, so a slot costs 16 bytes whatever the key; two keys may have one hash, and `equal`
 * tells them apart. Thread: one at a time.
 */
struct hash_map_slot {
    uint64_t hash; /* 0 = free */
    uint64_t value;
};

struct hash_map {
    struct hash_map_slot *slots;
    size_t slot_count; /* 0 or a power of two */
    size_t count;
};

/* Whether the key looked for is the one of `value`. */
typedef bool hash_map_equal_function(void *context, uint64_t value);

/* XXH3 of the bytes. Give each process a random seed, so that nobody can choose colliding keys. */
uint64_t hash_text(uint64_t seed, struct text text);

/* Takes no memory yet. */
void hash_map_init(struct hash_map *map);
void hash_map_deinit(struct hash_map *map);

/* The value of the key, if it is there. */
bool hash_map_find(const struct hash_map *map, uint64_t hash, hash_map_equal_function *equal,
                   void *context, uint64_t *value);

/* Makes room for `more` further keys; false without memory, then nothing changed. */
__attribute__((warn_unused_result)) bool hash_map_reserve(struct hash_map *map, size_t more);

/* Adds a key that is not there; there must be room (hash_map_reserve). */
void hash_map_add(struct hash_map *map, uint64_t hash, uint64_t value);

/* Changes or drops the pair, which must be there. */
void hash_map_replace(struct hash_map *map, uint64_t hash, uint64_t value, uint64_t new_value);
void hash_map_remove(struct hash_map *map, uint64_t hash, uint64_t value);

/*
 * Walks all values in no special order: start with *cursor = 0; false at the end. No change in
 * between.
 */
bool hash_map_next(const struct hash_map *map, size_t *cursor, uint64_t *value);

#endif
