/* Runs the cases: each gets a store of its own, empty, and gives it back whatever happened. */
#include "tests/contract/shipping/shipping_contract.h"

#include "platform/base/check.h"
#include "platform/base/memory.h"

#include <string.h>

static const struct shipping_cases *const all_cases[] = {
    &purchase_cases, &cancel_cases, &list_cases,      &label_cases,
    &webhook_cases,  &race_cases,   &attention_cases,
};
enum { table_count = sizeof all_cases / sizeof all_cases[0], cases_max = 256 };

static enum shipping_kit_store kind = SHIPPING_KIT_SQL;

static int setup(void **state)
{
    struct shipping_kit *kit = memory_allocate_zero(1, sizeof *kit);
    CHECK(kit != NULL);
    shipping_kit_init(kit, kind);
    *state = kit;
    return 0;
}

static int teardown(void **state)
{
    struct shipping_kit *kit = *state;
    kit->waiting = 0; /* of a case that failed */
    shipping_kit_deinit(kit);
    memory_release(kit);
    return 0;
}

int main(int argument_count, char **arguments)
{
    struct CMUnitTest tests[cases_max];
    size_t count = 0;
    if (argument_count > 1 && strcmp(arguments[1], "model") == 0)
        kind = SHIPPING_KIT_MODEL;
    for (size_t i = 0; i < table_count; i++) {
        for (size_t k = 0; k < all_cases[i]->count; k++) {
            CHECK(count < cases_max);
            tests[count] = all_cases[i]->cases[k];
            tests[count].setup_func = setup;
            tests[count].teardown_func = teardown;
            count++;
        }
    }
    return _cmocka_run_group_tests(kind == SHIPPING_KIT_MODEL     ? "shipping: model"
                                   : sql_kit_runs_on_postgresql() ? "shipping: postgresql"
                                                                  : "shipping: sqlite",
                                   tests, count, NULL, NULL);
}
