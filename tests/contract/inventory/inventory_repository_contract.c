/*
 * Runs the cases: each gets a store of its own, empty, under the default settings, and gives it
 * back whatever happened.
 */
#include "tests/contract/inventory/inventory_repository_contract.h"

#include "platform/base/check.h"
#include "platform/base/memory.h"
#include "tests/contract/inventory/contract_call.h"

#include <stdio.h>

static const struct contract_cases *const all_cases[] = {
    &broken_promises_cases, &stock_cases,
    &policy_cases,          &listing_cases,
    &reservation_cases,     &extension_cases,
    &commit_cases,          &retake_cases,
    &return_cases,          &reservation_list_cases,
    &expiry_cases,          &idempotency_cases,
    &retention_cases,       &ledger_cases,
    &restart_cases,         &shelf_cases,
};
enum { table_count = sizeof all_cases / sizeof all_cases[0], cases_max = 256 };

static int setup(void **state)
{
    static const struct contract_settings settings = {
        .retention_us = INT64_C(86400) * 1000000,
        .committed_retention_us = INT64_C(90) * 86400 * 1000000,
        .ids_max = 1000000,
    };
    struct contract_store *store = *state;
    struct contract *contract = memory_allocate_zero(1, sizeof *contract);
    CHECK(contract != NULL);
    contract->store = store;
    test_executor_init(&contract->executor);
    contract->repository = store->table->open(store, &settings);
    *state = contract;
    return 0;
}

static int teardown(void **state)
{
    struct contract *contract = *state;
    contract->store->table->close(contract->store);
    if (contract->has_call)
        inventory_call_deinit(&contract->call);
    test_executor_deinit(&contract->executor);
    memory_release(contract);
    return 0;
}

int inventory_repository_contract_run(struct contract_store *store)
{
    struct CMUnitTest tests[cases_max];
    size_t count = 0;
    for (size_t i = 0; i < table_count; i++) {
        for (size_t k = 0; k < all_cases[i]->count; k++) {
            CHECK(count < cases_max);
            tests[count] = all_cases[i]->cases[k];
            tests[count].setup_func = setup;
            tests[count].teardown_func = teardown;
            tests[count].initial_state = store;
            count++;
        }
    }
    return _cmocka_run_group_tests(store->table->name, tests, count, NULL, NULL);
}
