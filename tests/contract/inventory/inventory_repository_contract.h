#ifndef WAYBILL_TESTS_CONTRACT_INVENTORY_INVENTORY_REPOSITORY_CONTRACT_H
#define WAYBILL_TESTS_CONTRACT_INVENTORY_INVENTORY_REPOSITORY_CONTRACT_H

#include "inventory/domain/inventory_repository.h"
#include "tests/support/test_executor.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * One suite of behaviours for every inventory store there will ever be, told against the port
 * alone. A store takes part with a fixture that opens, restarts and closes it and lets time pass.
 */
struct contract_settings {
    int64_t retention_us;
    int64_t committed_retention_us;
    uint64_t ids_max;
    bool is_fed; /* on hand follows the warehouse */
};

/* What a store's fixture can do; cases that need more are skipped for it. */
enum contract_ability {
    CONTRACT_CLOCK = 1,     /* time stands still unless the suite moves it; it can be set back */
    CONTRACT_IDS_BOUND = 2, /* contract_settings.ids_max is obeyed */
};

struct contract_store;

/* Each function ends the running test (cmocka's fail) if it cannot do what it is asked. */
struct contract_store_table {
    const char *name;
    unsigned abilities; /* of enum contract_ability */
    /* An empty store. */
    struct inventory_repository *(*open)(struct contract_store *store,
                                         const struct contract_settings *settings);
    /* Ends it in good order and opens what it left, with the same settings. */
    struct inventory_repository *(*restart)(struct contract_store *store);
    void (*close)(struct contract_store *store);
    /* Lets it work until at least one of the calls in flight is answered on the executor. */
    void (*work)(struct contract_store *store, struct test_executor *executor);
    /* Time passes, at least so long. */
    void (*pass)(struct contract_store *store, int64_t duration_us);
    /* With CONTRACT_CLOCK: the store's clock is set, and what it shows. */
    void (*set_clock)(struct contract_store *store, int64_t difference_us);
    int64_t (*now_us)(struct contract_store *store);
};

struct contract_store {
    const struct contract_store_table *table;
};

/* Runs every case on a store of its own each; gives the number of failures, as cmocka does. */
int inventory_repository_contract_run(struct contract_store *store);

#endif
