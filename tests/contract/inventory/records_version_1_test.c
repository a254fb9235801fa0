/*
 * Goal: a store written before records had their version 2 opens, answers as it did, and works on.
 *
 * Method: records_version_1 holds the log that the last program of version 1 left after this
 * history, without the zeros at its end: received 100 A and 50 B; adjusted A by -3; "taken-in-part"
 * (A 2, B 3) committed with A 1; "held" (A 5, order o1); "given-back" (A 5) rolled back; "lapsed"
 * (B 4, 1 s) expired; "taken" (A 2, B 3) committed; "held-too" (B 4).
 *
 *     records_version_1_test DIRECTORY
 */
#include "inventory/infrastructure/embedded/embedded_repository.h"
#include "inventory/infrastructure/embedded/inventory_record.h"
#include "platform/base/check.h"
#include "tests/contract/inventory/contract_call.h"
#include "tests/support/fake_clock.h"
#include "tests/support/temporary_directory.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const int64_t end_us = INT64_C(1800000002014000); /* of the history */
static const char segment_name[] = "00000000000000000000.log";
enum { segment_bytes = 96256, segment_bytes_max = 1 << 20 };

static const char *fixture;

struct old_store {
    struct contract contract;
    struct contract_store store;
    struct fake_clock clock;
    struct random_seeded random;
    struct temporary_directory directory;
    struct embedded_repository_options options;
};

static struct old_store *running; /* one at a time, for the words of contract_call.h */

static void copy_fixture(const char *directory)
{
    static char bytes[segment_bytes_max];
    char path[512];
    snprintf(path, sizeof path, "%s/%s", fixture, segment_name);
    FILE *from = fopen(path, "rb");
    assert_non_null(from);
    size_t size = fread(bytes, 1, sizeof bytes, from);
    fclose(from);
    snprintf(path, sizeof path, "%s/%s", directory, segment_name);
    FILE *to = fopen(path, "wb");
    assert_non_null(to);
    assert_int_equal(fwrite(bytes, 1, size, to), size);
    fclose(to);
    assert_int_equal(truncate(path, segment_bytes), 0); /* the zeros again */
}

static void open_store(struct old_store *old)
{
    struct error error = embedded_repository_open(&old->contract.repository, &old->options);
    if (error_is(error))
        fail_msg("%s: %s", error_text(error.code), error.detail);
}

static void work(struct contract_store *store, struct test_executor *executor)
{
    (void)store;
    struct error error = embedded_repository_step(running->contract.repository);
    assert_false(error_is(error));
    CHECK(test_executor_wait(executor, 0));
}

static struct inventory_repository *restart(struct contract_store *store)
{
    (void)store;
    embedded_repository_close(running->contract.repository);
    open_store(running);
    return running->contract.repository;
}

static void pass(struct contract_store *store, int64_t duration_us)
{
    (void)store;
    fake_clock_advance(&running->clock, duration_us);
}

static int open_old(void **state)
{
    static const struct contract_store_table table = {
        .name = "records_version_1",
        .restart = restart,
        .work = work,
        .pass = pass,
    };
    struct old_store *old = calloc(1, sizeof *old);
    CHECK(old != NULL);
    running = old;
    old->store.table = &table;
    old->contract.store = &old->store;
    test_executor_init(&old->contract.executor);
    fake_clock_init(&old->clock, end_us);
    random_seeded_init(&old->random, 7);
    temporary_directory_create(&old->directory);
    copy_fixture(old->directory.path);
    old->options = embedded_repository_options_default();
    old->options.directory = old->directory.path;
    old->options.clock = &old->clock.base;
    old->options.random = &old->random.base;
    old->options.batch_bytes_max = 2 * inventory_record_bytes_max;
    old->options.segment_bytes = 8 * old->options.batch_bytes_max;
    old->options.threaded = false;
    open_store(old);
    *state = &old->contract;
    return 0;
}

static int close_old(void **state)
{
    struct old_store *old = running;
    (void)state;
    embedded_repository_close(old->contract.repository);
    if (old->contract.has_call)
        inventory_call_deinit(&old->contract.call);
    test_executor_deinit(&old->contract.executor);
    temporary_directory_remove(&old->directory);
    free(old);
    return 0;
}

static void stocks_are_as_they_were(void **state)
{
    struct contract *contract = *state;
    const struct stock a = {.received = 100,
                            .adjusted = -3,
                            .committed = 3,
                            .reserved = 5,
                            .revision = 9,
                            .update_time_us = INT64_C(1800000002011000)};
    const struct stock b = {.received = 50,
                            .committed = 3,
                            .reserved = 4,
                            .revision = 8,
                            .update_time_us = INT64_C(1800000002012000)};
    struct stock stock = stock_of(contract, "A");
    assert_stocks_equal(&a, &stock);
    stock = stock_of(contract, "B");
    assert_stocks_equal(&b, &stock);
    assert_ledger_matches(contract, "A");
    assert_ledger_matches(contract, "B");
    assert_int_equal(call_verify(contract), INVENTORY_DONE);
    assert_int_equal(contract->call.command.verify_ledger.mismatch_count, 0);
    assert_int_equal(contract->call.command.verify_ledger.reservations, 6);
}

static void reservations_are_as_they_were(void **state)
{
    struct contract *contract = *state;
    assert_reservation(contract, "taken-in-part", RESERVATION_COMMITTED);
    const struct reservation *reservation = answered_reservation(contract);
    assert_true(text_equals_string(reservation->order_id, "o1"));
    assert_int_equal(reservation->lines[0].committed_quantity, 1);
    assert_int_equal(reservation->lines[0].stock_revision, 4);
    assert_int_equal(reservation->lines[1].committed_quantity, 0);
    assert_reservation(contract, "held", RESERVATION_PENDING);
    assert_reservation(contract, "given-back", RESERVATION_ROLLED_BACK);
    assert_reservation(contract, "lapsed", RESERVATION_EXPIRED);
    assert_reservation(contract, "taken", RESERVATION_COMMITTED);
    assert_reservation(contract, "held-too", RESERVATION_PENDING);
}

static void calls_sent_again_are_repeats(void **state)
{
    struct contract *contract = *state;
    struct inventory_question adjust = adjust_question("a1", "A", -3);
    adjust.reason = ADJUSTMENT_DAMAGE;
    adjust.note = text_of("fell from the shelf");
    assert_int_equal(call_receive(contract, "r1", "A", 100), INVENTORY_DONE);
    assert_int_equal(call_receive(contract, "r1", "A", 99), INVENTORY_ID_REUSED);
    assert_int_equal(call_ask(contract, &adjust), INVENTORY_DONE);
    assert_int_equal(call_commit(contract, "taken-in-part", "A=1"), INVENTORY_DONE);
    assert_int_equal(call_commit(contract, "taken", NULL), INVENTORY_DONE);
    assert_int_equal(call_rollback(contract, "given-back"), INVENTORY_DONE);
    assert_int_equal(revision_of(contract, "A"), 9);
}

static void it_works_on_and_opens_again(void **state)
{
    struct contract *contract = *state;
    const struct stock_policy policy = {.low_stock_threshold = 95, .safety_stock = 1};
    assert_int_equal(call_set_policy(contract, "A", policy), INVENTORY_DONE);
    assert_int_equal(call_commit(contract, "held", "A=2"), INVENTORY_DONE);
    assert_int_equal(call_reserve_partly(contract, "new", "A=1000"), INVENTORY_DONE);
    contract_pass(contract, INT64_C(3600000000)); /* "held-too" expires, and "new" */
    contract_restart(contract);
    assert_reservation(contract, "held-too", RESERVATION_EXPIRED);
    assert_reservation(contract, "new", RESERVATION_EXPIRED);
    assert_stock(contract, "A", 92, 0);
    assert_stock(contract, "B", 47, 0);
    contract_restart(contract);
    assert_stock(contract, "A", 92, 0);
    assert_ledger_matches(contract, "A");
    assert_ledger_matches(contract, "B");
    assert_int_equal(call_verify(contract), INVENTORY_DONE);
    assert_int_equal(contract->call.command.verify_ledger.mismatch_count, 0);
}

int main(int argument_count, char **arguments)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(stocks_are_as_they_were, open_old, close_old),
        cmocka_unit_test_setup_teardown(reservations_are_as_they_were, open_old, close_old),
        cmocka_unit_test_setup_teardown(calls_sent_again_are_repeats, open_old, close_old),
        cmocka_unit_test_setup_teardown(it_works_on_and_opens_again, open_old, close_old),
    };
    CHECK(argument_count == 2);
    fixture = arguments[1];
    return cmocka_run_group_tests(tests, NULL, NULL);
}
