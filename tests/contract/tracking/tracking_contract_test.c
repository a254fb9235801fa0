/*
 * The tracking stores keep the contract: the model; the embedded store stepped by the test; the
 * same with its threads ("model", "stepped", "threaded"). Each case has a directory of its own.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "platform/base/log.h"
#include "tests/contract/tracking/stepped_tracking.h"
#include "tests/contract/tracking/tracking_repository_contract.h"
#include "tests/support/fake_clock.h"
#include "tests/support/temporary_directory.h"
#include "tests/support/tracking/tracking_model.h"
#include "tracking/infrastructure/embedded/embedded_tracking.h"

#include <string.h>

static const int64_t start_us = INT64_C(1800000000) * 1000000;

struct fixture {
    struct tracking_store_fixture base;
    bool threaded;
    struct fake_clock clock;
    struct random_seeded random;
    struct temporary_directory directory;
    struct embedded_tracking_options options;
    struct tracking_repository *repository;
    struct tracking_model *model;
};

static void open_repository(struct fixture *fixture)
{
    struct error error = embedded_tracking_open(&fixture->repository, &fixture->options);
    if (error_is(error))
        fail_msg("%s: %s", error_text(error.code), error.detail);
}

static struct tracking_repository *embedded_open(struct tracking_store_fixture *base)
{
    struct fixture *fixture = (struct fixture *)base;
    fake_clock_init(&fixture->clock, start_us);
    random_seeded_init(&fixture->random, 1);
    temporary_directory_create(&fixture->directory);
    fixture->options =
        small_tracking_options(&fixture->directory, &fixture->clock.base, &fixture->random.base);
    fixture->options.threaded = fixture->threaded;
    open_repository(fixture);
    return fixture->repository;
}

static struct tracking_repository *embedded_restart(struct tracking_store_fixture *base,
                                                    bool killed)
{
    struct fixture *fixture = (struct fixture *)base;
    if (killed)
        embedded_tracking_abandon(fixture->repository);
    else
        embedded_tracking_close(fixture->repository);
    open_repository(fixture);
    return fixture->repository;
}

static void embedded_close(struct tracking_store_fixture *base)
{
    struct fixture *fixture = (struct fixture *)base;
    embedded_tracking_close(fixture->repository);
    temporary_directory_remove(&fixture->directory);
}

static void embedded_work(void *context)
{
    struct fixture *fixture = context;
    struct error error = embedded_tracking_step(fixture->repository);
    if (error_is(error))
        fail_msg("%s: %s", error_text(error.code), error.detail);
}

static struct tracking_repository *model_open(struct tracking_store_fixture *base)
{
    struct fixture *fixture = (struct fixture *)base;
    fake_clock_init(&fixture->clock, start_us);
    fixture->model = tracking_model_create(&fixture->clock.base, INT64_C(30) * 86400 * 1000000,
                                           tracking_generation_gap_us_default);
    return tracking_model_port(fixture->model);
}

static void model_close(struct tracking_store_fixture *base)
{
    tracking_model_destroy(((struct fixture *)base)->model);
}

static void pass(struct tracking_store_fixture *base, int64_t duration_us)
{
    fake_clock_advance(&((struct fixture *)base)->clock, duration_us);
}

static int64_t now_us(struct tracking_store_fixture *base)
{
    return clock_now_us(&((struct fixture *)base)->clock.base);
}

int main(int argument_count, char **arguments)
{
    static const struct tracking_store_fixture_table model = {
        .name = "tracking_repository_contract: model",
        .open = model_open,
        .close = model_close,
        .pass = pass,
        .now_us = now_us,
    };
    static struct tracking_store_fixture_table embedded = {
        .name = "tracking_repository_contract: embedded, stepped",
        .open = embedded_open,
        .restart = embedded_restart,
        .close = embedded_close,
        .work = embedded_work,
        .pass = pass,
        .now_us = now_us,
    };
    static struct fixture fixture = {.base.table = &embedded};
    const char *which = argument_count > 1 ? arguments[1] : "stepped";
    log_configure(LOG_LEVEL_ERROR, false);
    if (strcmp(which, "model") == 0)
        fixture.base.table = &model;
    if (strcmp(which, "threaded") == 0) {
        fixture.threaded = true;
        embedded.name = "tracking_repository_contract: embedded, threaded";
        embedded.work = NULL;
    }
    return tracking_repository_contract_run(&fixture.base);
}
