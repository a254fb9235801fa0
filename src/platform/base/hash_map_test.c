/*
 * Goal: the map holds exactly what was put in, whatever the hashes.
 * Method: a random walk of adds, replaces and removes beside a plain array, with hashes drawn from
 * few values so that runs collide; and failure of its one allocation.
 */
#include "platform/base/hash_map.h"
#include "platform/base/memory.h"
#include "platform/base/random.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { keys_max = 600 };

static bool is_same_key(void *context, uint64_t value)
{
    return *(uint64_t *)context == value >> 8; /* the key is the value without its version */
}

static uint64_t hash_of(uint64_t key)
{
    return key % 37 * UINT64_C(0x9E3779B97F4A7C15); /* 37 hashes, 0 among them */
}

static void check_all(const struct hash_map *map, const uint64_t *values)
{
    size_t count = 0;
    size_t cursor = 0;
    uint64_t value;
    for (uint64_t key = 0; key < keys_max; key++) {
        bool found = hash_map_find(map, hash_of(key), is_same_key, &key, &value);
        assert_int_equal(found, values[key] != 0);
        if (found)
            assert_true(value == values[key]);
        count += found;
    }
    assert_int_equal(map->count, count);
    while (hash_map_next(map, &cursor, &value))
        count--;
    assert_int_equal(count, 0);
}

static void a_random_walk_agrees_with_an_array(void **state)
{
    struct hash_map map;
    struct random_seeded random;
    uint64_t values[keys_max] = {0};
    const char *seed = getenv("WAYBILL_SEED");
    (void)state;
    random_seeded_init(&random, seed == NULL ? 1 : strtoull(seed, NULL, 10));
    hash_map_init(&map);
    for (uint64_t step = 1; step < 20000; step++) {
        uint64_t key = random_below(&random.base, keys_max);
        uint64_t value = key << 8 | (step & 0x7F) | 0x80;
        if (values[key] == 0) {
            assert_true(hash_map_reserve(&map, 1));
            hash_map_add(&map, hash_of(key), value);
            values[key] = value;
        } else if (random_below(&random.base, 3) == 0) {
            hash_map_replace(&map, hash_of(key), values[key], value);
            values[key] = value;
        } else {
            hash_map_remove(&map, hash_of(key), values[key]);
            values[key] = 0;
        }
        if (step % 97 == 0)
            check_all(&map, values);
    }
    check_all(&map, values);
    hash_map_deinit(&map);
}

static void growth_without_memory_changes_nothing(void **state)
{
    struct hash_map map;
    uint64_t values[keys_max] = {0};
    (void)state;
    hash_map_init(&map);
    assert_true(hash_map_reserve(&map, 10));
    for (uint64_t key = 0; key < 10; key++) {
        values[key] = key << 8 | 1;
        hash_map_add(&map, hash_of(key), values[key]);
    }
    memory_fail_after(0, 0);
    assert_false(hash_map_reserve(&map, 1000));
    check_all(&map, values);
    assert_true(hash_map_reserve(&map, 1000));
    check_all(&map, values);
    hash_map_deinit(&map);
}

static void an_empty_map_finds_nothing(void **state)
{
    struct hash_map map;
    uint64_t key = 1;
    uint64_t value;
    (void)state;
    hash_map_init(&map);
    assert_false(hash_map_find(&map, 1, is_same_key, &key, &value));
    hash_map_deinit(&map);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_random_walk_agrees_with_an_array),
        cmocka_unit_test(growth_without_memory_changes_nothing),
        cmocka_unit_test(an_empty_map_finds_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
