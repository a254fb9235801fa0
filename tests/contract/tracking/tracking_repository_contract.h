#ifndef WAYBILL_TESTS_CONTRACT_TRACKING_TRACKING_REPOSITORY_CONTRACT_H
#define WAYBILL_TESTS_CONTRACT_TRACKING_TRACKING_REPOSITORY_CONTRACT_H

#include "tests/support/tracking/tracking_call.h"
#include "tracking/domain/tracking_repository.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * One suite of behaviours for every tracking store there will ever be, told against the port alone.
 * A store takes part with a fixture that opens, restarts and closes it and lets time pass.
 */
struct tracking_store_fixture;

/* Each function ends the running test (cmocka's fail) if it cannot do what it is asked. */
struct tracking_store_fixture_table {
    const char *name;
    /* An empty store, with a generation gap of 90 days and pings kept for 30. */
    struct tracking_repository *(*open)(struct tracking_store_fixture *fixture);
    /* Ends it and opens what it left; NULL = it keeps nothing. */
    struct tracking_repository *(*restart)(struct tracking_store_fixture *fixture, bool killed);
    void (*close)(struct tracking_store_fixture *fixture);
    /* Lets it work until something is answered; NULL = it does by itself. */
    void (*work)(void *fixture);
    /* Time passes; and what it shows. */
    void (*pass)(struct tracking_store_fixture *fixture, int64_t duration_us);
    int64_t (*now_us)(struct tracking_store_fixture *fixture);
};

struct tracking_store_fixture {
    const struct tracking_store_fixture_table *table;
};

/* Runs every case on a store of its own each; gives the number of failures, as cmocka does. */
int tracking_repository_contract_run(struct tracking_store_fixture *fixture);

#endif
