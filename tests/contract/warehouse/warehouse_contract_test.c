/* Runs the cases: each gets a database of its own, empty, and gives it back whatever happened. */
#include "tests/contract/warehouse/warehouse_contract.h"

#include "platform/base/check.h"
#include "platform/base/memory.h"

static const struct warehouse_cases *const all_cases[] = {
    &site_cases,       &movement_cases, &transfer_cases, &count_cases,
    &allocation_cases, &shipping_cases, &page_cases,
};
enum { table_count = sizeof all_cases / sizeof all_cases[0], cases_max = 256 };

static int setup(void **state)
{
    struct warehouse_kit *kit = memory_allocate_zero(1, sizeof *kit);
    CHECK(kit != NULL);
    warehouse_kit_init(kit, true);
    *state = kit;
    return 0;
}

static int teardown(void **state)
{
    warehouse_kit_deinit(*state);
    memory_release(*state);
    return 0;
}

int main(void)
{
    struct CMUnitTest tests[cases_max];
    size_t count = 0;
    for (size_t i = 0; i < table_count; i++) {
        for (size_t k = 0; k < all_cases[i]->count; k++) {
            CHECK(count < cases_max);
            tests[count] = all_cases[i]->cases[k];
            tests[count].setup_func = setup;
            tests[count].teardown_func = teardown;
            count++;
        }
    }
    return _cmocka_run_group_tests(sql_kit_runs_on_postgresql() ? "warehouse: postgresql"
                                                                : "warehouse: sqlite",
                                   tests, count, NULL, NULL);
}
