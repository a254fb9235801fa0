/*
 * The embedded store keeps the contract, on the machine's own file system: stepped by the test, and
 * with the engine on a thread of its own ("threaded"). Each case has a directory of its own,
 * removed after it.
 */
#include "inventory/infrastructure/embedded/embedded_repository.h"
#include "platform/base/check.h"
#include "tests/contract/inventory/contract_call.h"
#include "tests/support/fake_clock.h"
#include "tests/support/temporary_directory.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static const int64_t start_us = INT64_C(1800000000) * 1000000;
static const int64_t answer_timeout_us = INT64_C(60) * 1000000;

struct embedded_store {
    struct contract_store base;
    bool threaded;
    struct fake_clock clock;
    struct random_seeded random;
    struct temporary_directory directory;
    struct embedded_repository_options options;
    struct inventory_repository *repository;
};

static void open_repository(struct embedded_store *store)
{
    struct error error = embedded_repository_open(&store->repository, &store->options);
    if (error_is(error))
        fail_msg("%s: %s", error_text(error.code), error.detail);
}

static struct inventory_repository *embedded_open(struct contract_store *base,
                                                  const struct contract_settings *settings)
{
    struct embedded_store *store = (struct embedded_store *)base;
    fake_clock_init(&store->clock, start_us);
    random_seeded_init(&store->random, 1);
    temporary_directory_create(&store->directory);
    store->options = embedded_repository_options_default();
    store->options.directory = store->directory.path;
    store->options.clock = &store->clock.base;
    store->options.random = &store->random.base;
    store->options.retention_us = settings->retention_us;
    store->options.committed_retention_us = settings->committed_retention_us;
    store->options.ids_max = settings->ids_max;
    store->options.on_hand_source = settings->is_fed ? ON_HAND_WAREHOUSE : ON_HAND_OWN;
    store->options.segment_bytes = 1 << 20;
    store->options.batch_bytes_max = 1 << 18;
    store->options.threaded = store->threaded;
    open_repository(store);
    return store->repository;
}

static struct inventory_repository *embedded_restart(struct contract_store *base)
{
    struct embedded_store *store = (struct embedded_store *)base;
    embedded_repository_close(store->repository);
    open_repository(store);
    return store->repository;
}

static void embedded_close(struct contract_store *base)
{
    struct embedded_store *store = (struct embedded_store *)base;
    embedded_repository_close(store->repository);
    temporary_directory_remove(&store->directory);
}

static void embedded_work(struct contract_store *base, struct test_executor *executor)
{
    struct embedded_store *store = (struct embedded_store *)base;
    if (!store->threaded) {
        struct error error = embedded_repository_step(store->repository);
        if (error_is(error))
            fail_msg("%s: %s", error_text(error.code), error.detail);
    }
    if (!test_executor_wait(executor, store->threaded ? answer_timeout_us : 0))
        fail_msg("the store does not answer");
}

static void embedded_pass(struct contract_store *base, int64_t duration_us)
{
    fake_clock_advance(&((struct embedded_store *)base)->clock, duration_us);
}

static void embedded_set_clock(struct contract_store *base, int64_t difference_us)
{
    fake_clock_step(&((struct embedded_store *)base)->clock, difference_us);
}

static int64_t embedded_now_us(struct contract_store *base)
{
    return clock_now_us(&((struct embedded_store *)base)->clock.base);
}

int main(int argument_count, char **arguments)
{
    static struct contract_store_table table = {
        .name = "inventory_repository_contract: embedded, stepped",
        .abilities = CONTRACT_CLOCK | CONTRACT_IDS_BOUND,
        .open = embedded_open,
        .restart = embedded_restart,
        .close = embedded_close,
        .work = embedded_work,
        .pass = embedded_pass,
        .set_clock = embedded_set_clock,
        .now_us = embedded_now_us,
    };
    struct embedded_store store = {.base.table = &table};
    store.threaded = argument_count > 1 && strcmp(arguments[1], "threaded") == 0;
    if (store.threaded)
        table.name = "inventory_repository_contract: embedded, threaded";
    return inventory_repository_contract_run(&store.base);
}
