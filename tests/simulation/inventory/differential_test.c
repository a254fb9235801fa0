/*
 * The random differential test: the model and the embedded store get the same questions, batch by
 * batch, through time jumps, clocks set back, restarts and retentions; every answer must be equal
 * in every field, and so must the whole ledger at each restart and at the end.
 *
 *     differential_test [--seed N] [--seeds M] [--operations K]
 *
 * WAYBILL_SEED sets the first seed too. A difference prints the questions of its batch, both
 * answers and the one line that replays it.
 */
#include "inventory/infrastructure/embedded/embedded_repository.h"
#include "inventory/infrastructure/embedded/inventory_record.h"
#include "platform/base/check.h"
#include "tests/simulation/inventory/inventory_workload.h"
#include "tests/simulation/inventory/log_audit.h"
#include "tests/simulation/inventory/simulation_options.h"
#include "tests/support/fake_clock.h"
#include "tests/support/inventory/inventory_model.h"
#include "tests/support/temporary_directory.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { batch_max = 12, line_bytes_max = 1 << 20, seeds_default = 40 };

static const int64_t start_us = INT64_C(1800000000) * 1000000;
static const int64_t second_us = INT64_C(1000000);

/* How often each kind of question ended how: a suite that never meets a refusal proves little. */
enum { endings_max = INVENTORY_QUANTITY_LIMIT + 2, ending_retention_full = endings_max - 1 };
static uint64_t endings[inventory_call_kind_count][endings_max];

static void count_ending(const struct inventory_call *call)
{
    if (call->error.code == ERROR_NONE)
        endings[call->question.kind][call->command.base.outcome]++;
    else if (call->error.code == ERROR_RETENTION_FULL)
        endings[call->question.kind][ending_retention_full]++;
}

/* Prints what was met; false if some ending never was. */
static bool report_endings(void)
{
    bool all = true;
    for (int ending = 0; ending < endings_max; ending++) {
        uint64_t sum = 0;
        printf("# %-22s", ending == ending_retention_full
                              ? "RETENTION_FULL"
                              : inventory_outcome_name((enum inventory_outcome)ending));
        for (int kind = 0; kind < inventory_call_kind_count; kind++) {
            printf(" %7" PRIu64, endings[kind][ending]);
            sum += endings[kind][ending];
        }
        printf("\n");
        all = all && sum > 0;
    }
    return all;
}

struct trial {
    uint64_t seed;
    uint64_t operation;
    struct random_seeded random; /* of the trial */
    struct random_seeded store_random;
    struct fake_clock clock;
    struct test_executor executor;
    struct inventory_workload workload;
    struct inventory_model *model;
    struct inventory_repository *store;
    struct embedded_repository_options options;
    struct temporary_directory directory;
    struct buffer line;
    bool failed;
};

static uint64_t below(struct trial *trial, uint64_t bound)
{
    return random_below(&trial->random.base, bound);
}

static void print_line(struct trial *trial, const char *title)
{
    printf("# %s%.*s\n", title, (int)trial->line.size, trial->line.data);
    buffer_clear(&trial->line);
}

static void report(struct trial *trial, const struct inventory_call *expected,
                   const struct inventory_call *actual)
{
    trial->failed = true;
    print_line(trial, "difference: ");
    inventory_question_print(&expected->question, &trial->line);
    print_line(trial, "question:   ");
    inventory_answer_print(expected, &trial->line);
    print_line(trial, "model:      ");
    inventory_answer_print(actual, &trial->line);
    print_line(trial, "store:      ");
    printf("# operation %" PRIu64 ", now %" PRId64 "; to replay:\n", trial->operation,
           clock_now_us(&trial->clock.base));
    printf("#     differential_test --seed %" PRIu64 " --seeds 1 --operations %" PRIu64 "\n",
           trial->seed, trial->operation + batch_max);
}

static void expect_no_error(struct trial *trial, struct error error, const char *what)
{
    if (!error_is(error))
        return;
    trial->failed = true;
    printf("# seed %" PRIu64 ", operation %" PRIu64 ": %s: %s: %s\n", trial->seed, trial->operation,
           what, error_text(error.code), error.detail);
}

/* Asks both all questions at once; the model one after the other, the store in one step. */
static void ask_both(struct trial *trial, struct inventory_call *expected,
                     struct inventory_call *actual, size_t count)
{
    struct inventory_repository *model = inventory_model_repository(trial->model);
    for (size_t i = 0; i < count; i++)
        inventory_call_start(&actual[i], trial->store, &trial->executor.base);
    expect_no_error(trial, embedded_repository_step(trial->store), "step");
    for (size_t i = 0; i < count; i++)
        inventory_call_start(&expected[i], model, &trial->executor.base);
    test_executor_run_all(&trial->executor);
    for (size_t i = 0; i < count && !trial->failed; i++) {
        if (!actual[i].is_answered ||
            !inventory_call_answers_equal(&expected[i], &actual[i], &trial->line))
            report(trial, &expected[i], &actual[i]);
        inventory_workload_observe(&trial->workload, &actual[i]);
        count_ending(&actual[i]);
    }
}

static void run_batch(struct trial *trial)
{
    struct inventory_call expected[batch_max];
    struct inventory_call actual[batch_max];
    size_t count_max = 1 + (size_t)below(trial, batch_max);
    size_t count = 0;
    bool verifies = false; /* VerifyLedger sees the whole batch, so it must come last */
    while (count < count_max && !verifies) {
        const struct inventory_question *question = inventory_workload_next(&trial->workload, true);
        inventory_call_init(&expected[count], question);
        inventory_call_init(&actual[count], question);
        verifies = question->kind == CALL_VERIFY_LEDGER;
        count++;
    }
    ask_both(trial, expected, actual, count);
    trial->operation += count;
    for (size_t i = 0; i < count; i++) {
        inventory_call_deinit(&expected[i]);
        inventory_call_deinit(&actual[i]);
    }
}

static void compare_one(struct trial *trial, const struct inventory_question *question,
                        uint64_t *next)
{
    struct inventory_call expected;
    struct inventory_call actual;
    inventory_call_init(&expected, question);
    inventory_call_init(&actual, question);
    ask_both(trial, &expected, &actual, 1);
    *next = trial->failed ? 0 : actual.command.list_stock_entries.next;
    inventory_call_deinit(&expected);
    inventory_call_deinit(&actual);
}

/* Every stock, the whole ledger and what verification counts. */
static void compare_everything(struct trial *trial)
{
    uint64_t next = 0;
    struct inventory_question question = {.kind = CALL_VERIFY_LEDGER};
    compare_one(trial, &question, &next);
    question.kind = CALL_GET_SHELF_PLACE;
    if (!trial->failed)
        compare_one(trial, &question, &next);
    for (size_t i = 0; i < workload_skus_max && !trial->failed; i++) {
        question = (struct inventory_question){
            .kind = CALL_GET_STOCK,
            .sku = text_of(inventory_workload_sku(i)),
        };
        compare_one(trial, &question, &next);
        question.kind = CALL_LIST_STOCK_ENTRIES;
        question.page_size = 1 + below(trial, inventory_page_size_max);
        next = 0;
        do {
            question.after = next;
            if (!trial->failed)
                compare_one(trial, &question, &next);
        } while (next != 0 && !trial->failed);
    }
}

/* All pages of a list of reservations, from either. */
static void list_all(struct trial *trial, struct inventory_repository *repository,
                     struct inventory_question question, struct buffer *all)
{
    buffer_clear(all);
    do {
        struct inventory_call call;
        inventory_call_init(&call, &question);
        inventory_call_start(&call, repository, &trial->executor.base);
        if (repository == trial->store)
            expect_no_error(trial, embedded_repository_step(trial->store), "step");
        test_executor_run_all(&trial->executor);
        if (error_is(call.error) || call.command.base.outcome != INVENTORY_DONE) {
            inventory_answer_print(&call, all);
            question.after = 0;
        } else {
            const struct list_reservations_command *page = &call.command.list_reservations;
            for (size_t i = 0; i < page->reservation_count; i++) {
                CHECK(buffer_append(all, page->reservations[i].reservation_id.data,
                                    page->reservations[i].reservation_id.size));
                CHECK(buffer_append_format(all, "@%" PRId64 " %d ",
                                           page->reservations[i].create_time_us,
                                           (int)page->reservations[i].state));
            }
            question.after = page->next;
        }
        inventory_call_deinit(&call);
    } while (question.after != 0 && !trial->failed);
}

/* Lists of every kind, page by page, are what the model's are. */
static void compare_reservations(struct trial *trial)
{
    struct buffer expected;
    struct buffer actual;
    buffer_init(&expected, line_bytes_max);
    buffer_init(&actual, line_bytes_max);
    for (unsigned kind = 0; kind < 32 && !trial->failed; kind++) {
        struct inventory_question question = {
            .kind = CALL_LIST_RESERVATIONS,
            .order_id = text_of(kind & 1 ? "order-7" : ""),
            .customer_id = text_of(kind & 2 ? "c3" : ""),
            .sku = text_of(kind & 4 ? "A" : ""),
            .has_state = (kind & 24) != 0,
            .reservation_state = (enum reservation_state)((kind >> 3) - (kind >= 8 ? 1 : 0)),
            .page_size = 1 + below(trial, 40),
        };
        list_all(trial, inventory_model_repository(trial->model), question, &expected);
        list_all(trial, trial->store, question, &actual);
        if (trial->failed || text_equal(buffer_text(&expected), buffer_text(&actual)))
            continue;
        trial->failed = true;
        inventory_question_print(&question, &trial->line);
        print_line(trial, "list:  ");
        printf("# model: %.*s\n# store: %.*s\n", (int)expected.size, expected.data,
               (int)actual.size, actual.data);
    }
    buffer_deinit(&expected);
    buffer_deinit(&actual);
}

static void audit_log(struct trial *trial)
{
    buffer_clear(&trial->line);
    if (log_audit(&trial->options, &trial->line))
        return;
    trial->failed = true;
    print_line(trial, "the log: ");
}

static void restart(struct trial *trial)
{
    embedded_repository_close(trial->store);
    trial->store = NULL;
    expect_no_error(trial, embedded_repository_open(&trial->store, &trial->options), "open");
    inventory_model_restart(trial->model);
    if (!trial->failed && below(trial, 4) == 0)
        compare_everything(trial);
    if (!trial->failed && below(trial, 4) == 0)
        compare_reservations(trial);
}

static void let_time_pass(struct trial *trial)
{
    const int64_t jumps_us[] = {
        1,
        second_us - 1,
        second_us,
        trial->workload.ttl_us_typical - 1,
        trial->workload.ttl_us_typical,
        trial->options.retention_us,
        trial->options.retention_us - 1,
        trial->options.committed_retention_us,
        inventory_ttl_us_max,
    };
    uint64_t dice = below(trial, 1000);
    if (dice < 600)
        fake_clock_advance(&trial->clock, (int64_t)below(trial, 50000));
    else if (dice < 610)
        fake_clock_advance(&trial->clock,
                           jumps_us[below(trial, sizeof jumps_us / sizeof jumps_us[0])]);
    else if (dice < 640)
        fake_clock_advance(&trial->clock, jumps_us[below(trial, 5)]);
    else if (dice < 645)
        fake_clock_step(&trial->clock, -3600 * second_us);
    else if (dice < 650)
        fake_clock_step(&trial->clock,
                        (int64_t)below(trial, (uint64_t)(7200 * second_us)) - 3600 * second_us);
}

static void open_both(struct trial *trial)
{
    static const int64_t retentions_us[] = {INT64_C(1000000), INT64_C(10000000),
                                            INT64_C(86400000000)};
    static const int64_t committed_retentions_us[] = {INT64_C(5000000), INT64_C(60000000),
                                                      INT64_C(7776000000000)};
    static const uint64_t ids_max[] = {40, 400, 1000000};
    trial->options = embedded_repository_options_default();
    trial->options.directory = trial->directory.path;
    trial->options.clock = &trial->clock.base;
    trial->options.random = &trial->store_random.base;
    trial->options.retention_us = retentions_us[below(trial, 3)];
    trial->options.committed_retention_us = committed_retentions_us[below(trial, 3)];
    trial->options.ids_max = ids_max[below(trial, 3)];
    if (trial->workload.fill_left > 0) /* else the bound ends the filling */
        trial->options.ids_max = ids_max[2];
    if (trial->options.ids_max != ids_max[2]) /* and else the store is full for good */
        trial->options.committed_retention_us = committed_retentions_us[below(trial, 2)];
    trial->options.batch_bytes_max = 2 * inventory_record_bytes_max + below(trial, 1 << 16);
    trial->options.segment_bytes = 4 * trial->options.batch_bytes_max + below(trial, 1 << 18);
    trial->options.list_buckets = 1 + (uint32_t)below(trial, 5); /* so that strangers meet */
    trial->options.list_examined_max = UINT64_MAX;
    trial->options.on_hand_source = trial->workload.is_fed ? ON_HAND_WAREHOUSE : ON_HAND_OWN;
    trial->options.threaded = false;
    struct inventory_model_options options = {
        .clock = &trial->clock.base,
        .retention_us = trial->options.retention_us,
        .committed_retention_us = trial->options.committed_retention_us,
        .ids_max = trial->options.ids_max,
        .is_fed = trial->workload.is_fed,
    };
    trial->model = inventory_model_create(&options);
    expect_no_error(trial, embedded_repository_open(&trial->store, &trial->options), "open");
}

static bool run_trial(uint64_t seed, uint64_t operations)
{
    struct trial *trial = calloc(1, sizeof *trial);
    CHECK(trial != NULL);
    trial->seed = seed;
    random_seeded_init(&trial->random, seed);
    random_seeded_init(&trial->store_random, seed + 1);
    fake_clock_init(&trial->clock, start_us);
    test_executor_init(&trial->executor);
    inventory_workload_init(&trial->workload, &trial->random.base);
    buffer_init(&trial->line, line_bytes_max);
    temporary_directory_create(&trial->directory);
    open_both(trial);
    while (!trial->failed && trial->operation < operations) {
        let_time_pass(trial);
        if (below(trial, 200) == 0)
            restart(trial);
        if (!trial->failed)
            run_batch(trial);
    }
    if (!trial->failed)
        compare_everything(trial);
    if (!trial->failed)
        compare_reservations(trial);
    if (!trial->failed)
        audit_log(trial);
    bool passed = !trial->failed;
    embedded_repository_close(trial->store);
    inventory_model_destroy(trial->model);
    temporary_directory_remove(&trial->directory);
    buffer_deinit(&trial->line);
    test_executor_deinit(&trial->executor);
    free(trial);
    return passed;
}

int main(int argument_count, char **arguments)
{
    struct simulation_options options = {.seed = 1, .seeds = seeds_default, .operations = 4000};
    bool passed = true;
    if (!simulation_options_parse(&options, argument_count, arguments))
        return EXIT_FAILURE;
    printf("TAP version 13\n1..%" PRIu64 "\n", options.seeds + 1);
    for (uint64_t i = 0; i < options.seeds; i++) {
        uint64_t seed = options.seed + i;
        bool same = run_trial(seed, options.operations);
        printf("%sok %" PRIu64 " - store_answers_as_the_model_does_seed_%" PRIu64 "\n",
               same ? "" : "not ", i + 1, seed);
        passed = passed && same;
    }
    bool complete = report_endings();
    printf("%sok %" PRIu64 " - every_ending_was_met%s\n",
           complete || options.seeds < seeds_default ? "" : "not ", options.seeds + 1,
           options.seeds < seeds_default ? " # SKIP too few seeds" : "");
    passed = passed && (complete || options.seeds < seeds_default);
    return passed ? EXIT_SUCCESS : EXIT_FAILURE;
}
