/* The model keeps the contract itself: else comparing stores with it would prove nothing. */
#include "platform/base/check.h"
#include "tests/contract/inventory/inventory_repository_contract.h"
#include "tests/support/fake_clock.h"
#include "tests/support/inventory/inventory_model.h"

static const int64_t start_us = INT64_C(1800000000) * 1000000;

struct model_store {
    struct contract_store base;
    struct fake_clock clock;
    struct inventory_model *model;
};

static struct inventory_repository *model_open(struct contract_store *base,
                                               const struct contract_settings *settings)
{
    struct model_store *store = (struct model_store *)base;
    struct inventory_model_options options = {
        .clock = &store->clock.base,
        .retention_us = settings->retention_us,
        .committed_retention_us = settings->committed_retention_us,
        .ids_max = settings->ids_max,
        .is_fed = settings->is_fed,
    };
    fake_clock_init(&store->clock, start_us);
    store->model = inventory_model_create(&options);
    return inventory_model_repository(store->model);
}

static struct inventory_repository *model_restart(struct contract_store *base)
{
    struct model_store *store = (struct model_store *)base;
    inventory_model_restart(store->model);
    return inventory_model_repository(store->model);
}

static void model_close(struct contract_store *base)
{
    inventory_model_destroy(((struct model_store *)base)->model);
}

static void model_work(struct contract_store *base, struct test_executor *executor)
{
    (void)base;
    CHECK(test_executor_wait(executor, 0)); /* it answers at once */
}

static void model_pass(struct contract_store *base, int64_t duration_us)
{
    fake_clock_advance(&((struct model_store *)base)->clock, duration_us);
}

static void model_set_clock(struct contract_store *base, int64_t difference_us)
{
    fake_clock_step(&((struct model_store *)base)->clock, difference_us);
}

static int64_t model_now_us(struct contract_store *base)
{
    return clock_now_us(&((struct model_store *)base)->clock.base);
}

int main(void)
{
    static const struct contract_store_table table = {
        .name = "inventory_repository_contract: model",
        .abilities = CONTRACT_CLOCK | CONTRACT_IDS_BOUND,
        .open = model_open,
        .restart = model_restart,
        .close = model_close,
        .work = model_work,
        .pass = model_pass,
        .set_clock = model_set_clock,
        .now_us = model_now_us,
    };
    struct model_store store = {.base.table = &table};
    return inventory_repository_contract_run(&store.base);
}
