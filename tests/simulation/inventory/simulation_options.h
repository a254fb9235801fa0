#ifndef WAYBILL_TESTS_SIMULATION_INVENTORY_SIMULATION_OPTIONS_H
#define WAYBILL_TESTS_SIMULATION_INVENTORY_SIMULATION_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

/* What the random suites take: seeds seed .. seed + seeds − 1, so many operations each. */
struct simulation_options {
    uint64_t seed;
    uint64_t seeds;
    uint64_t operations;
    bool trace;  /* --trace: print everything that happens */
    bool replay; /* --replay: run each seed twice and compare the digests of both histories */
};

/*
 * Reads --seed, --seeds, --operations, --trace and --replay over what `options` holds, and
 * WAYBILL_SEED for the seed where --seed is not given. False, and a line on standard error, for
 * anything else.
 */
bool simulation_options_parse(struct simulation_options *options, int argument_count,
                              char **arguments);

#endif
