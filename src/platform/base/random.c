/*
 * Two sources: getrandom(2), which blocks only before the machine has any entropy, and SplitMix64
 * (Steele, Lea, Flood: Fast splittable pseudorandom number generators, OOPSLA 2014) for tests.
 */
#include "platform/base/random.h"

#include "platform/base/check.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>
#include <sys/types.h>

static void system_fill(struct random *random, void *data, size_t size)
{
    (void)random;
    char *at = data;
    while (size > 0) {
        ssize_t got = getrandom(at, size, 0);
        CHECK(got > 0 || errno == EINTR);
        if (got > 0) {
            at += got;
            size -= (size_t)got;
        }
    }
}

struct random *random_system(void)
{
    static const struct random_table table = {.fill = system_fill};
    static struct random random = {.table = &table};
    return &random;
}

static uint64_t seeded_next(struct random_seeded *random)
{
    random->state += UINT64_C(0x9E3779B97F4A7C15);
    uint64_t mixed = random->state;
    mixed = (mixed ^ (mixed >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    mixed = (mixed ^ (mixed >> 27)) * UINT64_C(0x94D049BB133111EB);
    return mixed ^ (mixed >> 31);
}

static void seeded_fill(struct random *random, void *data, size_t size)
{
    char *at = data;
    while (size > 0) {
        uint64_t word = seeded_next((struct random_seeded *)random);
        size_t part = size < sizeof word ? size : sizeof word;
        memcpy(at, &word, part);
        at += part;
        size -= part;
    }
}

void random_seeded_init(struct random_seeded *random, uint64_t seed)
{
    static const struct random_table table = {.fill = seeded_fill};
    *random = (struct random_seeded){.base = {.table = &table}, .state = seed};
}

uint64_t random_uint64(struct random *random)
{
    uint64_t word;
    random_fill(random, &word, sizeof word);
    return word;
}

uint64_t random_below(struct random *random, uint64_t bound)
{
    CHECK(bound > 0);
    /* Words below 2^64 mod bound would make small results likelier: draw again. */
    uint64_t unfair = (0 - bound) % bound;
    uint64_t word = random_uint64(random);
    while (word < unfair)
        word = random_uint64(random);
    return word % bound;
}
