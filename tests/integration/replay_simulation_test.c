/*
 * Goal: a replay doubles and loses nothing, whatever is lost on the way, whenever it is cut,
 * however long it lies and whatever became of its progress file (RELIABILITY row 3).
 *
 * Method: the real replay against a simulated server (simulated_server.h), a fake clock and a disk
 * in memory. A seed decides on a small data set, on faults, on when the client is killed, how long
 * it stays away (minutes, in which holds run out; a day and months, in which ids are forgotten),
 * and whether the progress file is whole, old or gone. At the end the model's own stock must be
 * what the plan says, to the pack: this check shares nothing with the survey by which the replay
 * judges itself.
 *
 *     replay_simulation_test [SEEDS [FIRST]]     a seed alone: replay_simulation_test 1 SEED
 */
#include "main/replay/replay.h"
#include "platform/base/buffer.h"
#include "platform/base/check.h"
#include "tests/integration/simulated_server.h"
#include "tests/support/storage/crash_file_system.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { runs_max = 40, orders_max = 60, products_max = 8 };

static uint64_t first_seed = 1;
static uint64_t seed_count = 200;
static uint64_t cuts_seen;

struct simulation {
    uint64_t seed;
    struct random_seeded random;
    struct data_set data_set;
    struct replay_plan plan;
    struct simulated_server *server;
    struct crash_file_system *disk;
};

static uint64_t draw(struct simulation *simulation, uint64_t bound)
{
    return random_below(&simulation->random.base, bound);
}

static void make_data_set(struct simulation *simulation)
{
    struct buffer table;
    uint64_t orders = 1 + draw(simulation, orders_max);
    uint64_t products = 1 + draw(simulation, products_max);
    buffer_init(&table, 1 << 20);
    CHECK(buffer_append_string(&table, "ASN/DN #,Item Description,Line Item Quantity\n"));
    for (uint64_t i = 0; i < orders * 2; i++) {
        CHECK(buffer_append_format(&table, "O-%llu,product %llu,%llu\n",
                                   (unsigned long long)(i < orders ? i : draw(simulation, orders)),
                                   (unsigned long long)draw(simulation, products),
                                   (unsigned long long)(1 + draw(simulation, 1000))));
    }
    struct error error = data_set_read_bytes(&simulation->data_set, "t.csv", buffer_text(&table));
    CHECK(!error_is(error));
    buffer_deinit(&table);
}

static void simulation_init(struct simulation *simulation, uint64_t seed)
{
    *simulation = (struct simulation){.seed = seed};
    random_seeded_init(&simulation->random, seed);
    make_data_set(simulation);
    struct error error = replay_plan_init(&simulation->plan, &simulation->data_set, seed);
    CHECK(!error_is(error));
    struct simulated_server_options options = {
        .seed = seed,
        .fault_percent = (uint32_t)draw(simulation, 20),
        .gap_per_mille = draw(simulation, 4) == 0 ? 5 : 0,
    };
    simulation->server = simulated_server_create(&options);
    simulation->disk = crash_file_system_create(seed);
}

static void simulation_deinit(struct simulation *simulation)
{
    simulated_server_destroy(simulation->server);
    crash_file_system_destroy(simulation->disk);
    replay_plan_deinit(&simulation->plan);
    data_set_deinit(&simulation->data_set);
}

/* One run from start to its end or cut. */
static struct error run_once(struct simulation *simulation, struct replay_result *result)
{
    uv_loop_t loop;
    struct replay *replay;
    CHECK(uv_loop_init(&loop) == 0);
    struct replay_options options = {
        .loop = &loop,
        .clock = simulated_server_clock(simulation->server),
        .file_system = crash_file_system_port(simulation->disk),
        .plan = &simulation->plan,
        .server = "simulated",
        .progress_path = "progress/replay.json",
    };
    struct error error = replay_create(&replay, &options);
    if (!error_is(error)) {
        error = replay_run(replay, result);
        replay_destroy(replay);
    }
    CHECK(uv_loop_close(&loop) == 0);
    return error;
}

/* What becomes of the disk between two runs. */
static void change_disk(struct simulation *simulation)
{
    struct crash_file_system *before = simulation->disk;
    uint64_t lot = draw(simulation, 4);
    if (lot == 0)
        simulation->disk = crash_file_system_create(draw(simulation, UINT64_MAX)); /* all gone */
    else if (lot == 1)
        simulation->disk = crash_file_system_after_power_failure(before, UNSYNCED_RANDOM,
                                                                 draw(simulation, UINT64_MAX));
    else
        simulation->disk = crash_file_system_after_kill(before);
    crash_file_system_destroy(before);
}

static void stay_away(struct simulation *simulation)
{
    static const int64_t second_us = 1000000;
    const int64_t durations_us[] = {
        0,
        second_us,
        20 * 60 * second_us,              /* holds run out */
        25 * 3600 * second_us,            /* what was rolled back and expired is forgotten */
        31 * 86400 * second_us,           /* a month */
        INT64_C(100) * 86400 * second_us, /* everything is forgotten */
    };
    simulated_server_pass_time(
        simulation->server,
        durations_us[draw(simulation, sizeof durations_us / sizeof durations_us[0])]);
}

/* What the plan leaves committed of that product. */
static int64_t planned_packs(const struct simulation *simulation, uint32_t product)
{
    const struct data_set *data_set = &simulation->data_set;
    int64_t packs = 0;
    for (uint32_t i = 0; i < data_set->order_count; i++) {
        const struct data_set_order *order = &data_set->orders[i];
        for (uint32_t j = 0; j < order->line_count; j++) {
            const struct data_set_line *line = &data_set->lines[order->first_line + j];
            packs += line->product == product ? line->packs : 0;
        }
    }
    return packs;
}

/* The model's stock against the plan. */
static void check_stock(const struct simulation *simulation)
{
    const struct data_set *data_set = &simulation->data_set;
    const struct inventory_model *model = simulated_server_model(simulation->server);
    assert_int_equal(inventory_model_sku_count(model), data_set->product_count);
    for (size_t i = 0; i < inventory_model_sku_count(model); i++) {
        const struct stock *stock = inventory_model_stock(model, i);
        uint32_t product = 0;
        while (!text_equal(data_set->products[product].sku, inventory_model_sku(model, i)))
            product++;
        assert_int_equal(stock->received, data_set->products[product].packs);
        assert_int_equal(stock->committed, planned_packs(simulation, product));
        assert_int_equal(stock->reserved, 0);
    }
}

static void check_result(const struct simulation *simulation, const struct replay_result *result)
{
    for (int i = 0; i < hold_outcome_count; i++) {
        const struct hold_totals *planned = &simulation->plan.totals[i];
        const struct hold_totals *found =
            &result->totals.holds[hold_state_wanted((enum hold_outcome)i)];
        assert_memory_equal(found, planned, sizeof *planned);
    }
    assert_int_equal(result->ledger_mismatches, 0);
    check_stock(simulation);
}

/* What a run told that should have been cut or complete. */
static void fail_with(const struct simulation *simulation, const struct replay_result *result,
                      const struct error *error)
{
    for (size_t i = 0; i < difference_list_kept(&result->differences); i++)
        print_error("%s\n", result->differences.items[i]);
    fail_msg("seed %llu: %s", (unsigned long long)simulation->seed, error->detail);
}

/* Runs and cuts until a run comes to its end. */
static void run_until_done(struct simulation *simulation, struct replay_result *result)
{
    for (int run = 0; run < runs_max; run++) {
        bool is_cut = run < runs_max / 2 && draw(simulation, 4) > 0;
        simulated_server_kill_client_after(simulation->server,
                                           is_cut ? draw(simulation, 300) : UINT64_MAX);
        struct error error = run_once(simulation, result);
        if (!error_is(error) && result->differences.count == 0)
            return;
        /* The death of the client, a gap that no call is repeated over, or holds that ran out again
           and again (then something differs without an error). What heals never, ends here. */
        if (error_is(error) && error.code != ERROR_INTERNAL && error.code != ERROR_NETWORK)
            fail_with(simulation, result, &error);
        cuts_seen++;
        change_disk(simulation);
        stay_away(simulation);
    }
    struct error error = error_make(ERROR_INTERNAL, "%d runs were not enough", runs_max);
    fail_with(simulation, result, &error);
}

static void replay_acts_once_whatever_happens(void **state)
{
    (void)state;
    for (uint64_t seed = first_seed; seed < first_seed + seed_count; seed++) {
        struct simulation simulation;
        struct replay_result result;
        simulation_init(&simulation, seed);
        run_until_done(&simulation, &result);
        check_result(&simulation, &result);
        simulation_deinit(&simulation);
    }
    if (seed_count >= 100)
        assert_true(cuts_seen > seed_count / 4); /* or the simulation does not simulate */
}

static void complete_replay_sends_nothing_but_reads(void **state)
{
    (void)state;
    for (uint64_t seed = first_seed; seed < first_seed + 10; seed++) {
        struct simulation simulation;
        struct replay_result result;
        simulation_init(&simulation, seed);
        run_until_done(&simulation, &result);
        const struct inventory_model *model = simulated_server_model(simulation.server);
        size_t ids = inventory_model_id_count(model);
        size_t entries = inventory_model_entry_count(model, 0);
        simulated_server_kill_client_after(simulation.server, UINT64_MAX);
        struct error error = run_once(&simulation, &result);
        assert_true(!error_is(error) || error.code == ERROR_NETWORK);
        assert_int_equal(inventory_model_id_count(model), ids);
        assert_int_equal(inventory_model_entry_count(model, 0), entries);
        if (!error_is(error))
            assert_true(result.was_complete);
        simulation_deinit(&simulation);
    }
}

static void server_without_the_data_is_refused(void **state)
{
    struct simulation simulation;
    struct replay_result result;
    (void)state;
    simulation_init(&simulation, first_seed);
    run_until_done(&simulation, &result);
    simulated_server_destroy(simulation.server);
    struct simulated_server_options options = {.seed = 1};
    simulation.server = simulated_server_create(&options);
    struct error error = run_once(&simulation, &result);
    assert_int_equal(error.code, ERROR_INVALID_INPUT);
    assert_int_equal(inventory_model_sku_count(simulated_server_model(simulation.server)), 0);
    simulation_deinit(&simulation);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(replay_acts_once_whatever_happens),
        cmocka_unit_test(complete_replay_sends_nothing_but_reads),
        cmocka_unit_test(server_without_the_data_is_refused),
    };
    const char *seed = getenv("WAYBILL_SEED");
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (argc > 1)
        seed_count = strtoull(argv[1], NULL, 10);
    if (seed != NULL)
        first_seed = strtoull(seed, NULL, 10);
    if (argc > 2)
        first_seed = strtoull(argv[2], NULL, 10);
    return cmocka_run_group_tests_name("replay_simulation", tests, NULL, NULL);
}
