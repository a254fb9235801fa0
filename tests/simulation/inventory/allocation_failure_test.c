/*
 * Every allocation of the embedded store fails once (RELIABILITY row 9): for each question, with
 * the n-th allocation failing, alone or with all later ones, for every n there is. The answer is
 * OUT_OF_MEMORY and nothing has happened, or it is the right one; asked again it is the right one.
 *
 * Each trial has a store of its own on a disk in memory, with the same history: holds that are due
 * now, ids whose retention is over now, all kinds of reservations.
 */
#include "inventory/infrastructure/embedded/embedded_repository.h"
#include "inventory/infrastructure/embedded/inventory_record.h"
#include "platform/base/check.h"
#include "platform/base/memory.h"
#include "tests/support/fake_clock.h"
#include "tests/support/inventory/inventory_call.h"
#include "tests/support/inventory/inventory_model.h"
#include "tests/support/storage/crash_file_system.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const int64_t start_us = INT64_C(1800000000) * 1000000;
static const int64_t ttl_us = INT64_C(5000000);
static const int64_t retention_us = INT64_C(10000000);

struct pair {
    struct fake_clock clock;
    struct test_executor executor;
    struct random_seeded random;
    struct crash_file_system *disk;
    struct embedded_repository_options options;
    struct inventory_repository *store;
    struct inventory_model *model;
};

static void open_pair(struct pair *pair)
{
    *pair = (struct pair){.disk = crash_file_system_create(1)};
    fake_clock_init(&pair->clock, start_us);
    test_executor_init(&pair->executor);
    random_seeded_init(&pair->random, 1);
    pair->options = embedded_repository_options_default();
    pair->options.directory = "store";
    pair->options.file_system = crash_file_system_port(pair->disk);
    pair->options.clock = &pair->clock.base;
    pair->options.random = &pair->random.base;
    pair->options.retention_us = retention_us;
    pair->options.committed_retention_us = retention_us;
    pair->options.list_buckets = 8;
    pair->options.batch_bytes_max = 2 * inventory_record_bytes_max;
    pair->options.segment_bytes = 8 * pair->options.batch_bytes_max;
    pair->options.threaded = false;
    struct inventory_model_options options = {
        .clock = &pair->clock.base,
        .retention_us = retention_us,
        .committed_retention_us = retention_us,
        .ids_max = pair->options.ids_max,
    };
    pair->model = inventory_model_create(&options);
    struct error error = embedded_repository_open(&pair->store, &pair->options);
    assert_false(error_is(error));
}

static void close_pair(struct pair *pair)
{
    embedded_repository_close(pair->store);
    inventory_model_destroy(pair->model);
    crash_file_system_destroy(pair->disk);
    test_executor_deinit(&pair->executor);
}

/* The allocation after `successes` fails; tells whether one did. */
static bool ask_store(struct pair *pair, const struct inventory_question *question,
                      uint64_t successes, bool repeat, struct inventory_call *call)
{
    inventory_call_init(call, question);
    inventory_call_start(call, pair->store, &pair->executor.base);
    uint64_t before = memory_allocation_count();
    memory_fail_after(successes, repeat);
    struct error error = embedded_repository_step(pair->store);
    memory_fail_after(UINT64_MAX, 0);
    assert_false(error_is(error)); /* missing memory never ends the process */
    test_executor_run_all(&pair->executor);
    assert_true(call->is_answered);
    return successes != UINT64_MAX && memory_allocation_count() - before > successes;
}

static void ask_model(struct pair *pair, const struct inventory_question *question,
                      struct inventory_call *call)
{
    inventory_call_init(call, question);
    inventory_call_start(call, inventory_model_repository(pair->model), &pair->executor.base);
    test_executor_run_all(&pair->executor);
}

/* Asks both; the answers must be equal, but the store's may be OUT_OF_MEMORY. False: no one failed.
 */
static bool ask_both(struct pair *pair, const struct inventory_question *question,
                     uint64_t successes, bool repeat)
{
    struct inventory_call expected;
    struct inventory_call actual;
    struct buffer difference;
    bool failed = ask_store(pair, question, successes, repeat, &actual);
    if (actual.error.code == ERROR_OUT_OF_MEMORY && failed) {
        inventory_call_deinit(&actual);
        ask_store(pair, question, UINT64_MAX, false, &actual);
    }
    buffer_init(&difference, 4096);
    ask_model(pair, question, &expected);
    if (!inventory_call_answers_equal(&expected, &actual, &difference)) {
        inventory_question_print(question, &difference);
        fail_msg("after %llu allocations%s: %.*s", (unsigned long long)successes,
                 repeat ? " and all later ones" : "", (int)difference.size, difference.data);
    }
    buffer_deinit(&difference);
    inventory_call_deinit(&expected);
    inventory_call_deinit(&actual);
    return failed;
}

static const struct quantity_line line_a[] = {{{"A", 1}, 2}};
static const struct quantity_line line_b[] = {{{"B", 1}, 1}};
static const struct quantity_line lines_ab[] = {{{"A", 1}, 2}, {{"B", 1}, 3}};
static const struct quantity_line lines_too_many[] = {{{"A", 1}, 1000}, {{"B", 1}, 1000}};

/* A record larger than any other: whatever holds a record must have grown for it beforehand. */
static const struct quantity_line lines_long[] = {
    {{"LONG-NAME-OF-A-SKU-THAT-FILLS-THE-RECORD-NUMBER-1", 49}, 1},
    {{"LONG-NAME-OF-A-SKU-THAT-FILLS-THE-RECORD-NUMBER-2", 49}, 1},
    {{"LONG-NAME-OF-A-SKU-THAT-FILLS-THE-RECORD-NUMBER-3", 49}, 1},
    {{"LONG-NAME-OF-A-SKU-THAT-FILLS-THE-RECORD-NUMBER-4", 49}, 1},
    {{"LONG-NAME-OF-A-SKU-THAT-FILLS-THE-RECORD-NUMBER-5", 49}, 1},
    {{"LONG-NAME-OF-A-SKU-THAT-FILLS-THE-RECORD-NUMBER-6", 49}, 1},
};
enum { lines_long_count = sizeof lines_long / sizeof lines_long[0] };

static struct inventory_question receive(const char *id, const char *sku, int64_t quantity)
{
    return (struct inventory_question){
        .kind = CALL_RECEIVE_STOCK,
        .id = text_of(id),
        .sku = text_of(sku),
        .quantity = quantity,
    };
}

static struct inventory_question about(enum inventory_call_kind kind, const char *id,
                                       const struct quantity_line *lines, size_t line_count)
{
    return (struct inventory_question){
        .kind = kind,
        .id = text_of(id),
        .ttl_us = ttl_us,
        .lines = lines,
        .line_count = line_count,
    };
}

/* "old…" ids end their retention, and "due…" holds their time, at the instant at which this leaves.
 */
static void make_history(struct pair *pair)
{
    const struct inventory_question old[] = {
        receive("oldA", "A", 100),
        receive("oldB", "B", 100),
        about(CALL_RESERVE, "old-back", lines_ab, 2),
        about(CALL_ROLLBACK, "old-back", NULL, 0),
        about(CALL_RESERVE, "old-taken", lines_ab, 2),
        about(CALL_COMMIT, "old-taken", line_a, 1),
        about(CALL_RESERVE, "old-long", lines_long, lines_long_count),
        about(CALL_COMMIT, "old-long", NULL, 0),
    };
    struct inventory_question back1 = about(CALL_RETURN_STOCK, "back1", line_b, 1);
    back1.reservation_id = text_of("taken");
    back1.return_reason = RETURN_CANCELLED;
    const struct inventory_question young[] = {
        receive("young", "A", 7),
        about(CALL_RESERVE, "due1", lines_ab, 2),
        about(CALL_RESERVE, "due2", line_a, 1),
        about(CALL_RESERVE, "back", lines_ab, 2),
        about(CALL_ROLLBACK, "back", NULL, 0),
        about(CALL_RESERVE, "taken", lines_ab, 2),
        about(CALL_COMMIT, "taken", NULL, 0),
        back1,
    };
    const struct inventory_question pending = about(CALL_RESERVE, "held", lines_ab, 2);
    for (size_t i = 0; i < lines_long_count; i++) {
        struct inventory_question question = receive(lines_long[i].sku.data, "", 5);
        question.sku = lines_long[i].sku;
        ask_both(pair, &question, UINT64_MAX, false);
    }
    for (size_t i = 0; i < sizeof old / sizeof old[0]; i++)
        ask_both(pair, &old[i], UINT64_MAX, false);
    fake_clock_advance(&pair->clock, retention_us - ttl_us);
    for (size_t i = 0; i < sizeof young / sizeof young[0]; i++)
        ask_both(pair, &young[i], UINT64_MAX, false);
    fake_clock_advance(&pair->clock, 1);
    ask_both(pair, &pending, UINT64_MAX, false);
    fake_clock_advance(&pair->clock, ttl_us - 1);
}

static void check_everything_after(struct pair *pair)
{
    static const char *const skus[] = {"A", "B", "NEW"};
    const struct inventory_question verify = {.kind = CALL_VERIFY_LEDGER};
    for (size_t i = 0; i < sizeof skus / sizeof skus[0]; i++) {
        struct inventory_question question = {.kind = CALL_GET_STOCK, .sku = text_of(skus[i])};
        ask_both(pair, &question, UINT64_MAX, false);
        question.kind = CALL_LIST_STOCK_ENTRIES;
        question.page_size = inventory_page_size_max;
        ask_both(pair, &question, UINT64_MAX, false);
    }
    ask_both(pair, &verify, UINT64_MAX, false);
}

/* The question with every allocation failing in turn, until none is left to fail. */
static void fail_every_allocation(const struct inventory_question *question)
{
    for (int repeat = 0; repeat < 2; repeat++) {
        bool failed = true;
        for (uint64_t successes = 0; failed; successes++) {
            struct pair pair;
            open_pair(&pair);
            make_history(&pair);
            failed = ask_both(&pair, question, successes, repeat);
            check_everything_after(&pair);
            close_pair(&pair);
        }
    }
}

static void every_question_of_stock_survives_every_failing_allocation(void **state)
{
    (void)state;
    struct inventory_question adjust = {
        .kind = CALL_ADJUST_STOCK,
        .id = text_of("a"),
        .sku = text_of("A"),
        .quantity = -3,
        .reason = ADJUSTMENT_LOSS,
        .note = text_of("note"),
    };
    struct inventory_question adjust_too_much = adjust;
    adjust_too_much.quantity = -1000;
    struct inventory_question list = {
        .kind = CALL_LIST_STOCK_ENTRIES,
        .sku = text_of("A"),
        .page_size = 5,
    };
    struct inventory_question policy = {
        .kind = CALL_SET_STOCK_POLICY,
        .sku = text_of("A"),
        .policy = {.low_stock_threshold = 1000, .backorder_limit = 7},
    };
    struct inventory_question partial = about(CALL_RESERVE, "new", lines_too_many, 2);
    partial.allow_partial = true;
    const struct inventory_question questions[] = {
        receive("new", "A", 5),
        receive("new", "NEW", 5),
        receive("young", "A", 7),
        receive("young", "A", 8),
        receive("oldA", "A", 1), /* its id is free again */
        adjust,
        adjust_too_much,
        {.kind = CALL_GET_STOCK, .sku = text_of("A")},
        {.kind = CALL_GET_STOCK, .sku = text_of("UNKNOWN")},
        policy,
        {.kind = CALL_BATCH_GET_STOCK, .lines = lines_ab, .line_count = 2},
        {.kind = CALL_LIST_STOCK, .page_size = 2},
        partial,
        about(CALL_RESERVE, "new", lines_ab, 2),
        about(CALL_RESERVE, "new", lines_too_many, 2),
        about(CALL_RESERVE, "held", lines_ab, 2),
        about(CALL_RESERVE, "taken", lines_ab, 2),
        about(CALL_RESERVE, "taken", line_a, 1),
        about(CALL_RESERVE, "old-back", line_a, 1),
        list,
        {.kind = CALL_VERIFY_LEDGER},
    };
    for (size_t i = 0; i < sizeof questions / sizeof questions[0]; i++)
        fail_every_allocation(&questions[i]);
}

static void every_question_of_holds_survives_every_failing_allocation(void **state)
{
    (void)state;
    struct inventory_question retake = about(CALL_COMMIT, "due1", NULL, 0);
    retake.retake_if_expired = true;
    struct inventory_question retake_too_much = about(CALL_COMMIT, "lapsed", NULL, 0);
    retake_too_much.retake_if_expired = true;
    struct inventory_question bring_back = about(CALL_RETURN_STOCK, "new", line_a, 1);
    bring_back.reservation_id = text_of("taken");
    bring_back.return_reason = RETURN_CANCELLED;
    struct inventory_question bring_back_too_much =
        about(CALL_RETURN_STOCK, "new", lines_too_many, 2);
    bring_back_too_much.reservation_id = text_of("taken");
    bring_back_too_much.return_reason = RETURN_CANCELLED;
    struct inventory_question bring_back_again = about(CALL_RETURN_STOCK, "back1", line_b, 1);
    bring_back_again.reservation_id = text_of("taken");
    bring_back_again.return_reason = RETURN_CANCELLED;
    const struct inventory_question questions[] = {
        about(CALL_COMMIT, "held", NULL, 0),
        about(CALL_COMMIT, "held", line_a, 1),
        about(CALL_COMMIT, "held", lines_too_many, 2),
        about(CALL_COMMIT, "taken", NULL, 0),
        about(CALL_COMMIT, "old-taken", line_a, 1),
        about(CALL_COMMIT, "old-long", NULL, 0),
        about(CALL_COMMIT, "due1", NULL, 0),
        about(CALL_ROLLBACK, "held", NULL, 0),
        about(CALL_ROLLBACK, "due2", NULL, 0),
        about(CALL_ROLLBACK, "taken", NULL, 0),
        retake,
        retake_too_much,
        about(CALL_EXTEND_RESERVATION, "held", NULL, 0),
        bring_back,
        bring_back_too_much,
        bring_back_again,
        {.kind = CALL_LIST_RESERVATIONS, .page_size = 3},
        {.kind = CALL_LIST_RESERVATIONS, .sku = text_of("B"), .page_size = 2},
        {.kind = CALL_LIST_RESERVATIONS,
         .has_state = true,
         .reservation_state = RESERVATION_PENDING,
         .page_size = 2},
        about(CALL_GET_RESERVATION, "held", NULL, 0),
        about(CALL_GET_RESERVATION, "due1", NULL, 0),
        about(CALL_GET_RESERVATION, "back", NULL, 0),
        about(CALL_GET_RESERVATION, "old-back", NULL, 0),
    };
    for (size_t i = 0; i < sizeof questions / sizeof questions[0]; i++)
        fail_every_allocation(&questions[i]);
}

static void opening_survives_every_failing_allocation(void **state)
{
    (void)state;
    for (int repeat = 0; repeat < 2; repeat++) {
        struct pair pair;
        bool failed = true;
        open_pair(&pair);
        make_history(&pair);
        for (uint64_t successes = 0; failed; successes++) {
            embedded_repository_close(pair.store);
            pair.store = NULL;
            uint64_t before = memory_allocation_count();
            memory_fail_after(successes, repeat);
            struct error error = embedded_repository_open(&pair.store, &pair.options);
            memory_fail_after(UINT64_MAX, 0);
            failed = memory_allocation_count() - before > successes;
            if (error_is(error)) {
                assert_true(failed);
                assert_int_equal(error.code, ERROR_OUT_OF_MEMORY);
                error = embedded_repository_open(&pair.store, &pair.options);
                assert_false(error_is(error));
            }
            inventory_model_restart(pair.model);
            check_everything_after(&pair);
        }
        close_pair(&pair);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_question_of_stock_survives_every_failing_allocation),
        cmocka_unit_test(every_question_of_holds_survives_every_failing_allocation),
        cmocka_unit_test(opening_survives_every_failing_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
