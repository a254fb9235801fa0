/*
 * The simulator (RELIABILITY row 1): the real domain, use cases and embedded engine, on a fake
 * clock and a disk in memory that fails, all from one seed. Clients send everything 1 to 5 times
 * over a network that loses, doubles and reorders; power fails at random moments, syncs and writes
 * fail, the process is killed, disks run full, clocks are set back, allocations fail. An auditor
 * checks every answer.
 *
 *     inventory_simulation [--seed N] [--seeds M] [--operations K] [--trace] [--replay]
 *
 * WAYBILL_SEED sets the first seed too. With --replay each seed runs twice and both histories must
 * be the same, byte for byte.
 */
#include "inventory/application/inventory_service.h"
#include "inventory/infrastructure/embedded/embedded_repository.h"
#include "inventory/infrastructure/embedded/inventory_record.h"
#include "platform/base/check.h"
#include "platform/base/log.h"
#include "platform/base/memory.h"
#include "tests/simulation/inventory/auditor.h"
#include "tests/simulation/inventory/log_audit.h"
#include "tests/simulation/inventory/simulated_network.h"
#include "tests/simulation/inventory/simulation_options.h"
#include "tests/support/fake_clock.h"
#include "tests/support/storage/crash_file_system.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static const int64_t start_us = INT64_C(1800000000) * 1000000;
static const int64_t second_us = INT64_C(1000000);
static const int64_t hour_us = INT64_C(3600) * 1000000;

/* What went wrong so far, so that a reader of the output sees that it did. */
struct fault_counts {
    uint64_t power_failures;
    uint64_t failed_steps;
    uint64_t kills;
    uint64_t restarts;
    uint64_t full_disks;
    uint64_t clock_steps;
    uint64_t allocation_failures;
};

struct world {
    uint64_t seed;
    struct random_seeded random;
    struct random_seeded store_random;
    struct fake_clock clock;
    struct test_executor executor;
    struct crash_file_system *disk;
    uint64_t disk_full_rounds; /* left; 0 = there is room */
    struct embedded_repository_options options;
    struct inventory_repository *store;
    struct auditor *auditor;
    struct inventory_service service;
    struct inventory_workload workload;
    struct simulated_network network;
    unsigned faults_per_mille; /* of rounds; the seed's temper */
    struct fault_counts counts;
    bool traces;
    bool violated;
};

static uint64_t below(struct world *world, uint64_t bound)
{
    return random_below(&world->random.base, bound);
}

static bool chance(struct world *world, unsigned percent)
{
    return below(world, 100) < percent;
}

static void trace(struct world *world, const char *what)
{
    if (world->traces)
        printf("# %" PRId64 " --- %s\n", clock_now_us(&world->clock.base), what);
}

/* --- a world's beginning and end --- */

static void draw_store_options(struct world *world)
{
    static const int64_t retentions_us[] = {INT64_C(1000000), INT64_C(10000000),
                                            INT64_C(86400000000)};
    static const int64_t committed_retentions_us[] = {INT64_C(5000000), INT64_C(60000000),
                                                      INT64_C(7776000000000)};
    struct embedded_repository_options *options = &world->options;
    *options = embedded_repository_options_default();
    options->directory = "store";
    options->clock = &world->clock.base;
    options->random = &world->store_random.base;
    options->retention_us = retentions_us[below(world, 3)];
    options->committed_retention_us = committed_retentions_us[below(world, 3)];
    if (chance(world, 20)) {
        options->ids_max = 30 + below(world, 200);
        options->committed_retention_us = committed_retentions_us[below(world, 2)];
    }
    options->queue_length_max = chance(world, 20) ? 2 + (size_t)below(world, 8) : 1000;
    options->batch_bytes_max = 2 * inventory_record_bytes_max + (size_t)below(world, 1 << 14);
    options->segment_bytes = 4 * options->batch_bytes_max + below(world, 1 << 17);
    options->list_buckets = 1 + (uint32_t)below(world, 64);
    options->list_examined_max = UINT64_MAX; /* the model knows no such bound */
    options->threaded = false;
}

static struct world *world_create(uint64_t seed)
{
    struct world *world = calloc(1, sizeof *world);
    CHECK(world != NULL);
    world->seed = seed;
    random_seeded_init(&world->random, seed);
    random_seeded_init(&world->store_random, ~seed);
    fake_clock_init(&world->clock, start_us);
    test_executor_init(&world->executor);
    world->disk = crash_file_system_create(seed);
    draw_store_options(world);
    inventory_workload_init(&world->workload, &world->random.base);
    world->options.on_hand_source = world->workload.is_fed ? ON_HAND_WAREHOUSE : ON_HAND_OWN;
    struct auditor_options options = {
        .clock = &world->clock.base,
        .executor = &world->executor,
        .retention_us = world->options.retention_us,
        .committed_retention_us = world->options.committed_retention_us,
        .ids_max = world->options.ids_max,
        .is_fed = world->workload.is_fed,
    };
    world->auditor = auditor_create(&options);
    world->service.repository = auditor_repository(world->auditor);
    simulated_network_init(&world->network, &world->random.base, &world->workload,
                           &world->executor.base);
    world->faults_per_mille = chance(world, 15) ? 0 : 1 + (unsigned)below(world, 40);
    return world;
}

static void world_destroy(struct world *world)
{
    auditor_destroy(world->auditor);
    embedded_repository_close(world->store);
    simulated_network_deinit(&world->network);
    crash_file_system_destroy(world->disk);
    test_executor_deinit(&world->executor);
    free(world);
}

/* --- the process's ends and beginnings --- */

static void replace_disk(struct world *world, struct crash_file_system *disk)
{
    crash_file_system_destroy(world->disk);
    world->disk = disk;
}

/* The process is gone; what it had open is released on the disk that it leaves behind. */
static void bury_process(struct world *world)
{
    auditor_detach(world->auditor);
    embedded_repository_close(world->store);
    world->store = NULL;
    simulated_network_break(&world->network);
}

static struct error try_to_open(struct world *world)
{
    world->options.file_system = crash_file_system_port(world->disk);
    if (chance(world, 10))
        memory_fail_after(below(world, 200), chance(world, 50));
    struct error error = embedded_repository_open(&world->store, &world->options);
    memory_fail_after(UINT64_MAX, 0);
    return error;
}

/*
 * Starts the process on the disk there is. Memory may fail it, or power again; then it is started
 * again. Nothing moves the clock meanwhile.
 */
static void start_process(struct world *world)
{
    world->disk_full_rounds = 0;
    crash_file_system_set_room(world->disk, UINT64_MAX);
    if (chance(world, 10))
        crash_file_system_cut_power(world->disk, 1 + below(world, 20));
    struct error error = try_to_open(world);
    while (error.code == ERROR_OUT_OF_MEMORY || error.code == ERROR_INPUT_OUTPUT) {
        replace_disk(world, crash_file_system_after_power_failure(world->disk, UNSYNCED_RANDOM,
                                                                  below(world, UINT64_MAX)));
        error = try_to_open(world);
    }
    crash_file_system_cut_power(world->disk, 0);
    if (error_is(error)) {
        printf("# the store does not open: %s: %s\n", error_text(error.code), error.detail);
        world->violated = true;
        return;
    }
    trace(world, "open");
    if (!auditor_attach(world->auditor, world->store) ||
        (chance(world, 20) && !auditor_compare_everything(world->auditor)))
        world->violated = true;
}

static void maybe_set_clock(struct world *world)
{
    if (!chance(world, 20))
        return;
    world->counts.clock_steps++;
    fake_clock_step(&world->clock, chance(world, 50)
                                       ? -hour_us
                                       : (int64_t)below(world, (uint64_t)(2 * hour_us)) - hour_us);
}

static void fail_power(struct world *world)
{
    struct crash_file_system *after = crash_file_system_after_power_failure(
        world->disk, UNSYNCED_RANDOM, below(world, UINT64_MAX));
    world->counts.power_failures++;
    trace(world, "power failure");
    bury_process(world);
    replace_disk(world, after);
    maybe_set_clock(world);
    start_process(world);
}

static void kill_process(struct world *world)
{
    struct crash_file_system *after = crash_file_system_after_kill(world->disk);
    world->counts.kills++;
    trace(world, "kill");
    bury_process(world);
    replace_disk(world, after);
    maybe_set_clock(world);
    start_process(world);
}

/* --- a round --- */

/* Faults to come are taken back. */
static void mend_disk(struct world *world)
{
    for (int operation = 0; operation < CRASH_OPERATIONS; operation++) {
        struct crash_fault none = {.operation = (enum crash_operation)operation};
        crash_file_system_set_fault(world->disk, &none);
    }
    crash_file_system_cut_power(world->disk, 0);
}

static void step_store(struct world *world)
{
    bool died = false;
    uint64_t successes = UINT64_MAX;
    if (below(world, 1000) < world->faults_per_mille) {
        successes = below(world, 60);
        mend_disk(world);
        world->counts.allocation_failures++;
        trace(world, "allocations fail");
    }
    if (!auditor_step(world->auditor, successes, chance(world, 50), &died)) {
        world->violated = true;
        return;
    }
    simulated_network_answer(&world->network);
    if (!died)
        return;
    world->counts.failed_steps++;
    trace(world, "the step died");
    if (chance(world, 50))
        fail_power(world);
    else
        kill_process(world);
}

static void restart_in_good_order(struct world *world)
{
    world->counts.restarts++;
    trace(world, "restart");
    step_store(world); /* what waits is answered */
    if (world->violated)
        return;
    bury_process(world);
    replace_disk(world, crash_file_system_after_kill(world->disk));
    maybe_set_clock(world);
    start_process(world);
}

static void set_disk_fault(struct world *world, enum crash_operation operation)
{
    struct crash_fault fault = {
        .operation = operation,
        .at = 1 + below(world, 4),
        .code = ERROR_INPUT_OUTPUT,
        .partly = chance(world, 50),
    };
    crash_file_system_set_fault(world->disk, &fault);
}

static void fill_disk(struct world *world)
{
    world->counts.full_disks++;
    trace(world, "disk full");
    world->disk_full_rounds = 1 + below(world, chance(world, 10) ? 1000 : 60);
    crash_file_system_set_room(world->disk, below(world, 3 * world->options.segment_bytes));
}

static void something_happens(struct world *world)
{
    switch (below(world, 9)) {
    case 0:
        fail_power(world);
        return;
    case 1:
        crash_file_system_cut_power(world->disk, 1 + below(world, 20));
        return;
    case 2:
        kill_process(world);
        return;
    case 3:
        set_disk_fault(world, CRASH_OPERATION_SYNC);
        return;
    case 4:
        set_disk_fault(world, CRASH_OPERATION_WRITE);
        return;
    case 5:
        set_disk_fault(world, CRASH_OPERATION_NAME);
        set_disk_fault(world, CRASH_OPERATION_SYNC_DIRECTORY);
        return;
    case 6:
        fill_disk(world);
        return;
    case 7:
        restart_in_good_order(world);
        return;
    default:
        maybe_set_clock(world);
        return;
    }
}

static void let_time_pass(struct world *world)
{
    const int64_t jumps_us[] = {
        1,
        second_us - 1,
        second_us,
        world->workload.ttl_us_typical - 1,
        world->workload.ttl_us_typical,
        world->options.retention_us - 1,
        world->options.retention_us,
        world->options.committed_retention_us,
        inventory_ttl_us_max,
    };
    uint64_t dice = below(world, 1000);
    if (dice < 600)
        fake_clock_advance(&world->clock, (int64_t)below(world, 50000));
    else if (dice < 640)
        fake_clock_advance(&world->clock, jumps_us[below(world, 5)]);
    else if (dice < 645)
        fake_clock_advance(&world->clock,
                           jumps_us[below(world, sizeof jumps_us / sizeof jumps_us[0])]);
}

static void run_round(struct world *world)
{
    let_time_pass(world);
    if (world->disk_full_rounds > 0 && --world->disk_full_rounds == 0)
        crash_file_system_set_room(world->disk, UINT64_MAX);
    simulated_network_send(&world->network);
    simulated_network_deliver(&world->network, &world->service);
    if (below(world, 1000) < world->faults_per_mille)
        something_happens(world);
    if (!world->violated)
        step_store(world);
}

/* --- seeds --- */

static void report_violation(struct world *world, uint64_t operations)
{
    struct text violation = auditor_violation(world->auditor);
    printf("# seed %" PRIu64 ", operation %" PRIu64 ": %.*s\n", world->seed,
           auditor_commands(world->auditor), (int)violation.size, violation.data);
    printf("# to replay: inventory_simulation --seed %" PRIu64 " --seeds 1 --operations %" PRIu64
           "\n",
           world->seed, operations);
}

static void add_counts(struct fault_counts *sum, const struct fault_counts *counts)
{
    sum->power_failures += counts->power_failures;
    sum->failed_steps += counts->failed_steps;
    sum->kills += counts->kills;
    sum->restarts += counts->restarts;
    sum->full_disks += counts->full_disks;
    sum->clock_steps += counts->clock_steps;
    sum->allocation_failures += counts->allocation_failures;
}

/* What the store's log says that no answer tells. */
static bool log_is_right(struct world *world)
{
    struct buffer violation;
    buffer_init(&violation, 1 << 16);
    bool right = log_audit(&world->options, &violation);
    if (!right)
        printf("# %.*s\n", (int)violation.size, violation.data);
    buffer_deinit(&violation);
    return right;
}

/* False: a violation. */
static bool run_seed(uint64_t seed, const struct simulation_options *options,
                     struct fault_counts *counts, uint64_t *digest)
{
    struct world *world = world_create(seed);
    world->traces = options->trace;
    if (options->trace)
        auditor_trace(world->auditor);
    if (digest != NULL)
        auditor_keep_digest(world->auditor);
    start_process(world);
    while (!world->violated && auditor_commands(world->auditor) < options->operations)
        run_round(world);
    if (!world->violated) {
        restart_in_good_order(world);
        world->violated =
            world->violated || !auditor_compare_everything(world->auditor) || !log_is_right(world);
    }
    if (world->violated)
        report_violation(world, options->operations);
    if (digest != NULL)
        *digest = auditor_digest(world->auditor);
    add_counts(counts, &world->counts);
    bool passed = !world->violated;
    world_destroy(world);
    return passed;
}

static bool run_seed_twice(uint64_t seed, const struct simulation_options *options,
                           struct fault_counts *counts)
{
    uint64_t first = 0;
    uint64_t second = 0;
    if (!run_seed(seed, options, counts, &first) || !run_seed(seed, options, counts, &second))
        return false;
    printf("# seed %" PRIu64 ": history %016" PRIx64 "\n", seed, first);
    if (first != second)
        printf("# seed %" PRIu64 ": another history %016" PRIx64 "\n", seed, second);
    return first == second;
}

int main(int argument_count, char **arguments)
{
    struct simulation_options options = {.seed = 1, .seeds = 50, .operations = 10000};
    struct fault_counts counts = {0};
    uint64_t failures = 0;
    if (!simulation_options_parse(&options, argument_count, arguments))
        return EXIT_FAILURE;
    log_configure(LOG_LEVEL_OFF, false);
    setvbuf(stdout, NULL, _IOLBF, 0);
    printf("TAP version 13\n1..1\n");
    for (uint64_t seed = options.seed; seed < options.seed + options.seeds; seed++) {
        bool passed = options.replay ? run_seed_twice(seed, &options, &counts)
                                     : run_seed(seed, &options, &counts, NULL);
        failures += !passed;
    }
    printf("# %" PRIu64 " power failures, %" PRIu64 " steps that died, %" PRIu64 " kills, %" PRIu64
           " restarts, %" PRIu64 " full disks, %" PRIu64 " clock steps, %" PRIu64
           " steps with failing allocations\n",
           counts.power_failures, counts.failed_steps, counts.kills, counts.restarts,
           counts.full_disks, counts.clock_steps, counts.allocation_failures);
    printf("%sok 1 - %s_seeds_%" PRIu64 "_to_%" PRIu64 "\n", failures == 0 ? "" : "not ",
           options.replay ? "same_seed_same_history" : "no_answer_contradicts_the_model",
           options.seed, options.seed + options.seeds - 1);
    return failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
