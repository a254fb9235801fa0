/* Who pays late: an expired hold is committed all the same if its stock is free, in one step. */
#include "tests/contract/inventory/contract_call.h"

/* 10 A and 5 B; "h1" held A 4 and B 2 and has expired. */
static struct contract *begin(void **state)
{
    struct contract *contract = *state;
    contract_needs(contract, CONTRACT_CLOCK);
    assert_int_equal(call_receive(contract, "r1", "A", 10), INVENTORY_DONE);
    assert_int_equal(call_receive(contract, "r2", "B", 5), INVENTORY_DONE);
    assert_int_equal(call_reserve(contract, "h1", "A=4 B=2"), INVENTORY_DONE);
    contract_pass(contract, contract_ttl_us);
    return contract;
}

static void without_the_word_it_stays_expired(void **state)
{
    struct contract *contract = begin(state);
    assert_int_equal(call_commit(contract, "h1", NULL), INVENTORY_RESERVATION_EXPIRED);
    assert_stock(contract, "A", 10, 0);
}

static void retake_commits_in_one_step(void **state)
{
    struct contract *contract = begin(state);
    int64_t revision = revision_of(contract, "A");
    contract_pass(contract, 7);
    assert_int_equal(call_retake(contract, "h1", NULL), INVENTORY_DONE);
    const struct reservation *reservation = answered_reservation(contract);
    assert_int_equal(reservation->state, RESERVATION_COMMITTED);
    assert_int_equal(reservation->resolve_time_us, contract_now_us(contract));
    assert_int_equal(reservation->lines[0].committed_quantity, 4);
    assert_int_equal(reservation->lines[0].stock_revision, revision + 1);
    assert_int_equal(revision_of(contract, "A"), revision + 1);
    assert_stock(contract, "A", 6, 0);
    assert_stock(contract, "B", 3, 0);
    assert_ledger_matches(contract, "A");
    assert_ledger_matches(contract, "B");
}

static void retake_of_some_lines_takes_those(void **state)
{
    struct contract *contract = begin(state);
    assert_int_equal(call_reserve(contract, "h2", "B=5"), INVENTORY_DONE);
    assert_int_equal(call_retake(contract, "h1", "A=3"), INVENTORY_DONE); /* B is not asked for */
    assert_int_equal(answered_reservation(contract)->lines[1].committed_quantity, 0);
    assert_stock(contract, "A", 7, 0);
    assert_stock(contract, "B", 5, 5);
    contract_restart(contract);
    assert_reservation(contract, "h1", RESERVATION_COMMITTED);
    assert_int_equal(answered_reservation(contract)->lines[0].committed_quantity, 3);
}

static void what_is_not_free_is_told_and_nothing_changes(void **state)
{
    struct contract *contract = begin(state);
    assert_int_equal(call_reserve(contract, "h2", "A=7 B=4"), INVENTORY_DONE);
    struct stock before = stock_of(contract, "A");
    assert_int_equal(call_retake(contract, "h1", NULL), INVENTORY_INSUFFICIENT_STOCK);
    const struct commit_command *answer = &contract->call.command.commit;
    assert_int_equal(answer->shortage_count, 2);
    assert_true(text_equals_string(answer->shortages[0].sku, "A"));
    assert_int_equal(answer->shortages[0].requested_quantity, 4);
    assert_int_equal(answer->shortages[0].available_quantity, 3);
    assert_int_equal(answer->shortages[1].available_quantity, 1);
    assert_reservation(contract, "h1", RESERVATION_EXPIRED);
    struct stock after = stock_of(contract, "A");
    assert_stocks_equal(&before, &after);
    assert_int_equal(call_rollback(contract, "h2"), INVENTORY_DONE);
    assert_int_equal(call_retake(contract, "h1", NULL), INVENTORY_DONE); /* decided anew */
}

static void one_line_that_is_short_keeps_all(void **state)
{
    struct contract *contract = begin(state);
    assert_int_equal(call_reserve(contract, "h2", "B=4"), INVENTORY_DONE);
    assert_int_equal(call_retake(contract, "h1", NULL), INVENTORY_INSUFFICIENT_STOCK);
    assert_int_equal(contract->call.command.commit.shortage_count, 1);
    assert_stock(contract, "A", 10, 0);
}

static void retake_may_use_the_backorder_limit(void **state)
{
    struct contract *contract = begin(state);
    const struct stock_policy policy = {.backorder_limit = 1};
    assert_int_equal(call_set_policy(contract, "A", policy), INVENTORY_DONE);
    assert_int_equal(call_reserve(contract, "h2", "A=7"), INVENTORY_DONE);
    assert_int_equal(call_retake(contract, "h1", NULL), INVENTORY_DONE);
    assert_int_equal(answered_reservation(contract)->lines[0].backordered_quantity, 1);
    assert_int_equal(available_of(contract, "A"), -1);
}

static void retake_sent_again_is_a_repeat(void **state)
{
    struct contract *contract = begin(state);
    assert_int_equal(call_retake(contract, "h1", "A=4"), INVENTORY_DONE);
    assert_int_equal(call_retake(contract, "h1", "A=4"), INVENTORY_DONE);
    assert_int_equal(call_commit(contract, "h1", "A=4"), INVENTORY_DONE); /* no part of content */
    assert_int_equal(call_retake(contract, "h1", "A=3"), INVENTORY_RESERVATION_COMMITTED);
    assert_stock(contract, "A", 6, 0);
}

static void retake_of_what_was_never_held_is_refused(void **state)
{
    struct contract *contract = begin(state);
    assert_int_equal(call_retake(contract, "h1", "A=5"), INVENTORY_LINES_NOT_HELD);
    assert_int_equal(call_retake(contract, "h0", NULL), INVENTORY_RESERVATION_NOT_FOUND);
    assert_int_equal(call_reserve(contract, "h2", "A=1"), INVENTORY_DONE);
    assert_int_equal(call_rollback(contract, "h2"), INVENTORY_DONE);
    assert_int_equal(call_retake(contract, "h2", NULL), INVENTORY_RESERVATION_ROLLED_BACK);
}

static void with_the_word_a_pending_one_is_committed_as_ever(void **state)
{
    struct contract *contract = begin(state);
    assert_int_equal(call_reserve(contract, "h2", "A=10"), INVENTORY_DONE);
    assert_int_equal(call_retake(contract, "h2", NULL),
                     INVENTORY_DONE); /* none is free beside it */
    assert_stock(contract, "A", 0, 0);
}

static void retaken_is_terminal(void **state)
{
    struct contract *contract = begin(state);
    assert_int_equal(call_retake(contract, "h1", NULL), INVENTORY_DONE);
    assert_int_equal(call_rollback(contract, "h1"), INVENTORY_RESERVATION_COMMITTED);
    assert_int_equal(call_extend(contract, "h1", contract_ttl_us), INVENTORY_RESERVATION_COMMITTED);
}

static void retaken_is_kept_as_long_as_committed_ones(void **state)
{
    struct contract *contract = *state;
    const struct contract_settings settings = {
        .retention_us = 10 * contract_second_us,
        .committed_retention_us = 100 * contract_second_us,
        .ids_max = 1000,
    };
    contract_needs(contract, CONTRACT_CLOCK);
    contract_reopen(contract, &settings);
    contract = begin(state);
    contract_pass(contract, 9 * contract_second_us);
    assert_int_equal(call_retake(contract, "h1", NULL), INVENTORY_DONE);
    contract_pass(contract, contract_second_us); /* the expired one would be forgotten now */
    assert_reservation(contract, "h1", RESERVATION_COMMITTED);
    contract_restart(contract);
    assert_reservation(contract, "h1", RESERVATION_COMMITTED);
    contract_pass(contract, 99 * contract_second_us - 1);
    assert_reservation(contract, "h1", RESERVATION_COMMITTED);
    contract_restart(contract);
    assert_reservation(contract, "h1", RESERVATION_COMMITTED);
    contract_pass(contract, 1);
    assert_int_equal(call_get_reservation(contract, "h1"), INVENTORY_RESERVATION_NOT_FOUND);
    contract_restart(contract);
    assert_int_equal(call_get_reservation(contract, "h1"), INVENTORY_RESERVATION_NOT_FOUND);
    assert_ledger_matches(contract, "A");
}

static const struct CMUnitTest cases[] = {
    cmocka_unit_test(without_the_word_it_stays_expired),
    cmocka_unit_test(retake_commits_in_one_step),
    cmocka_unit_test(retake_of_some_lines_takes_those),
    cmocka_unit_test(what_is_not_free_is_told_and_nothing_changes),
    cmocka_unit_test(one_line_that_is_short_keeps_all),
    cmocka_unit_test(retake_may_use_the_backorder_limit),
    cmocka_unit_test(retake_sent_again_is_a_repeat),
    cmocka_unit_test(retake_of_what_was_never_held_is_refused),
    cmocka_unit_test(with_the_word_a_pending_one_is_committed_as_ever),
    cmocka_unit_test(retaken_is_terminal),
    cmocka_unit_test(retaken_is_kept_as_long_as_committed_ones),
};

const struct contract_cases retake_cases = {cases, sizeof cases / sizeof cases[0]};
