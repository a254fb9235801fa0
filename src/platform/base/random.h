#ifndef WAYBILL_PLATFORM_BASE_RANDOM_H
#define WAYBILL_PLATFORM_BASE_RANDOM_H

#include <stddef.h>
#include <stdint.h>

/*
 * Randomness is a port (DESIGN section 3 rule 9): the kernel's, or a sequence from a seed that a
 * test can repeat.
 */
struct random;

struct random_table {
    void (*fill)(struct random *random, void *data, size_t size);
};

struct random {
    const struct random_table *table;
};

/* Fills `data` with random bytes. */
static inline void random_fill(struct random *random, void *data, size_t size)
{
    random->table->fill(random, data, size);
}

uint64_t random_uint64(struct random *random);

/* Uniform in 0 .. bound − 1; bound > 0. */
uint64_t random_below(struct random *random, uint64_t bound);

/* The kernel's generator. Thread: any. */
struct random *random_system(void);

/* SplitMix64 from a seed: the same seed gives the same bytes on every machine. Thread: one. */
struct random_seeded {
    struct random base;
    uint64_t state;
};

void random_seeded_init(struct random_seeded *random, uint64_t seed);

#endif
