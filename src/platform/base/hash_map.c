/*
 * Open addressing with linear probing; at most 7/8 full; removal shifts the run back, so there are
 * no tombstones and lookups stay short for ever. It grows by doubling, in one go.
 */
#include "platform/base/hash_map.h"

#include "platform/base/check.h"
#include "platform/base/memory.h"

#include <xxhash.h>

static const size_t slot_count_min = 16;

uint64_t hash_text(uint64_t seed, struct text text)
{
    return XXH3_64bits_withSeed(text.data, text.size, seed);
}

/* 0 marks a free slot, so the one key in 2^64 that hashes to it shares the place of 1. */
static uint64_t slot_hash(uint64_t hash)
{
    return hash == 0 ? 1 : hash;
}

void hash_map_init(struct hash_map *map)
{
    *map = (struct hash_map){0};
}

void hash_map_deinit(struct hash_map *map)
{
    memory_release(map->slots);
    *map = (struct hash_map){0};
}

bool hash_map_find(const struct hash_map *map, uint64_t hash, hash_map_equal_function *equal,
                   void *context, uint64_t *value)
{
    if (map->slot_count == 0)
        return false;
    hash = slot_hash(hash);
    size_t mask = map->slot_count - 1;
    for (size_t at = hash & mask; map->slots[at].hash != 0; at = (at + 1) & mask) {
        if (map->slots[at].hash == hash && equal(context, map->slots[at].value)) {
            *value = map->slots[at].value;
            return true;
        }
    }
    return false;
}

static void insert(struct hash_map *map, uint64_t hash, uint64_t value)
{
    size_t mask = map->slot_count - 1;
    size_t at = hash & mask;
    while (map->slots[at].hash != 0)
        at = (at + 1) & mask;
    map->slots[at] = (struct hash_map_slot){.hash = hash, .value = value};
}

bool hash_map_reserve(struct hash_map *map, size_t more)
{
    size_t wanted = map->count + more;
    size_t slot_count = map->slot_count == 0 ? slot_count_min : map->slot_count;
    while (wanted > slot_count - slot_count / 8)
        slot_count *= 2;
    if (slot_count == map->slot_count)
        return true;
    struct hash_map larger = {.slot_count = slot_count, .count = map->count};
    larger.slots = memory_allocate_zero(slot_count, sizeof *larger.slots);
    if (larger.slots == NULL)
        return false;
    for (size_t at = 0; at < map->slot_count; at++) {
        if (map->slots[at].hash != 0)
            insert(&larger, map->slots[at].hash, map->slots[at].value);
    }
    memory_release(map->slots);
    *map = larger;
    return true;
}

void hash_map_add(struct hash_map *map, uint64_t hash, uint64_t value)
{
    CHECK(map->count < map->slot_count - map->slot_count / 8);
    insert(map, slot_hash(hash), value);
    map->count++;
}

static size_t slot_of(const struct hash_map *map, uint64_t hash, uint64_t value)
{
    CHECK(map->slot_count > 0);
    hash = slot_hash(hash);
    size_t mask = map->slot_count - 1;
    size_t at = hash & mask;
    while (map->slots[at].hash != hash || map->slots[at].value != value) {
        CHECK(map->slots[at].hash != 0);
        at = (at + 1) & mask;
    }
    return at;
}

void hash_map_replace(struct hash_map *map, uint64_t hash, uint64_t value, uint64_t new_value)
{
    map->slots[slot_of(map, hash, value)].value = new_value;
}

void hash_map_remove(struct hash_map *map, uint64_t hash, uint64_t value)
{
    size_t mask = map->slot_count - 1;
    size_t hole = slot_of(map, hash, value);
    for (size_t at = (hole + 1) & mask; map->slots[at].hash != 0; at = (at + 1) & mask) {
        /* A slot may move back into the hole unless its own place lies between the two. */
        size_t home = map->slots[at].hash & mask;
        if (((at - home) & mask) >= ((at - hole) & mask)) {
            map->slots[hole] = map->slots[at];
            hole = at;
        }
    }
    map->slots[hole] = (struct hash_map_slot){0};
    map->count--;
}

bool hash_map_next(const struct hash_map *map, size_t *cursor, uint64_t *value)
{
    for (; *cursor < map->slot_count; (*cursor)++) {
        if (map->slots[*cursor].hash != 0) {
            *value = map->slots[(*cursor)++].value;
            return true;
        }
    }
    return false;
}
