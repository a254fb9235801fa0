/* What was committed and never left comes back, at most once. */
#include "tests/contract/inventory/contract_call.h"

/* 10 A and 5 B; "h1" took A 4 of 6 and B 2. */
static struct contract *begin(void **state)
{
    struct contract *contract = *state;
    assert_int_equal(call_receive(contract, "r1", "A", 10), INVENTORY_DONE);
    assert_int_equal(call_receive(contract, "r2", "B", 5), INVENTORY_DONE);
    assert_int_equal(call_reserve(contract, "h1", "A=6 B=2"), INVENTORY_DONE);
    assert_int_equal(call_commit(contract, "h1", "A=4 B=2"), INVENTORY_DONE);
    return contract;
}

static void return_puts_goods_on_hand_again(void **state)
{
    struct contract *contract = begin(state);
    assert_int_equal(call_return(contract, "b1", "h1", "A=3"), INVENTORY_DONE);
    const struct return_stock_command *answer = &contract->call.command.return_stock;
    assert_int_equal(answer->line_count, 1);
    assert_true(text_equals_string(answer->stocks[0].sku, "A"));
    struct stock answered = answer->stocks[0].stock;
    struct stock read = stock_of(contract, "A");
    assert_stocks_equal(&answered, &read);
    assert_int_equal(read.returned, 3);
    assert_int_equal(read.committed, 4);
    assert_stock(contract, "A", 9, 0);
    assert_stock(contract, "B", 3, 0);
    assert_ledger_matches(contract, "A");
    assert_reservation(contract, "h1", RESERVATION_COMMITTED);
}

static void at_most_what_was_committed_comes_back(void **state)
{
    struct contract *contract = begin(state);
    assert_int_equal(call_return(contract, "b1", "h1", "A=5"), INVENTORY_LINES_NOT_HELD);
    assert_true(text_equals_string(contract->call.command.base.failed_sku, "A"));
    assert_int_equal(call_return(contract, "b1", "h1", "A=3 B=1"), INVENTORY_DONE);
    assert_int_equal(call_return(contract, "b2", "h1", "A=2"), INVENTORY_LINES_NOT_HELD);
    assert_int_equal(call_return(contract, "b2", "h1", "A=1 B=1"), INVENTORY_DONE);
    assert_int_equal(call_return(contract, "b3", "h1", "B=1"), INVENTORY_LINES_NOT_HELD);
    assert_int_equal(call_return(contract, "b3", "h1", "C=1"), INVENTORY_LINES_NOT_HELD);
    assert_stock(contract, "A", 10, 0);
    assert_stock(contract, "B", 5, 0);
    contract_restart(contract);
    assert_int_equal(call_return(contract, "b3", "h1", "B=1"), INVENTORY_LINES_NOT_HELD);
}

static void return_sent_again_has_one_effect(void **state)
{
    struct contract *contract = begin(state);
    assert_int_equal(call_return(contract, "b1", "h1", "A=4"), INVENTORY_DONE);
    assert_int_equal(call_receive(contract, "r3", "A", 1), INVENTORY_DONE);
    assert_int_equal(call_return(contract, "b1", "h1", "A=4"), INVENTORY_DONE);
    assert_int_equal(contract->call.command.return_stock.stocks[0].stock.received, 11);
    contract_restart(contract);
    assert_int_equal(call_return(contract, "b1", "h1", "A=4"), INVENTORY_DONE);
    assert_stock(contract, "A", 11, 0);
}

static void return_of_other_content_is_refused(void **state)
{
    struct contract *contract = begin(state);
    assert_int_equal(call_return_because(contract, "b1", "h1", "A=1", RETURN_SHORT_PICK),
                     INVENTORY_DONE);
    assert_int_equal(call_return_because(contract, "b1", "h1", "A=1", RETURN_CUSTOMER),
                     INVENTORY_ID_REUSED);
    assert_int_equal(call_return_because(contract, "b1", "h2", "A=1", RETURN_SHORT_PICK),
                     INVENTORY_ID_REUSED);
    assert_int_equal(call_return(contract, "b1", "h1", "A=2"), INVENTORY_ID_REUSED);
    assert_int_equal(call_return(contract, "b1", "h1", "A=1 B=1"), INVENTORY_ID_REUSED);
    assert_stock(contract, "A", 7, 0);
}

static void return_ids_have_a_space_of_their_own(void **state)
{
    struct contract *contract = begin(state);
    assert_int_equal(call_return(contract, "h1", "h1", "A=1"), INVENTORY_DONE);
    assert_int_equal(call_return(contract, "r1", "h1", "A=1"), INVENTORY_DONE);
    assert_reservation(contract, "h1", RESERVATION_COMMITTED);
    assert_int_equal(call_receive(contract, "r1", "A", 10), INVENTORY_DONE);
    assert_stock(contract, "A", 8, 0);
}

static void only_committed_goods_come_back(void **state)
{
    struct contract *contract = begin(state);
    contract_needs(contract, CONTRACT_CLOCK);
    assert_int_equal(call_return(contract, "b1", "h0", "A=1"), INVENTORY_RESERVATION_NOT_FOUND);
    assert_int_equal(call_reserve(contract, "h2", "A=1"), INVENTORY_DONE);
    assert_int_equal(call_return(contract, "b1", "h2", "A=1"), INVENTORY_RESERVATION_PENDING);
    assert_int_equal(call_rollback(contract, "h2"), INVENTORY_DONE);
    assert_int_equal(call_return(contract, "b1", "h2", "A=1"), INVENTORY_RESERVATION_ROLLED_BACK);
    assert_int_equal(call_reserve(contract, "h3", "A=1"), INVENTORY_DONE);
    contract_pass(contract, contract_ttl_us);
    assert_int_equal(call_return(contract, "b1", "h3", "A=1"), INVENTORY_RESERVATION_EXPIRED);
}

static void commit_sent_again_after_a_return_is_a_repeat(void **state)
{
    struct contract *contract = begin(state);
    assert_int_equal(call_return(contract, "b1", "h1", "A=4"), INVENTORY_DONE);
    assert_int_equal(call_commit(contract, "h1", "A=4 B=2"), INVENTORY_DONE);
    assert_int_equal(answered_reservation(contract)->lines[0].committed_quantity, 4);
    assert_int_equal(answered_reservation(contract)->lines[0].returned_quantity, 4);
    assert_stock(contract, "A", 10, 0);
}

static void retaken_goods_come_back_too(void **state)
{
    struct contract *contract = begin(state);
    contract_needs(contract, CONTRACT_CLOCK);
    assert_int_equal(call_reserve(contract, "h2", "A=5"), INVENTORY_DONE);
    contract_pass(contract, contract_ttl_us);
    assert_int_equal(call_retake(contract, "h2", NULL), INVENTORY_DONE);
    assert_int_equal(call_return(contract, "b1", "h2", "A=5"), INVENTORY_DONE);
    contract_restart(contract);
    assert_stock(contract, "A", 6, 0);
    assert_ledger_matches(contract, "A");
}

static void returned_goods_can_be_promised_again(void **state)
{
    struct contract *contract = begin(state);
    assert_int_equal(call_reserve(contract, "h2", "A=7"), INVENTORY_INSUFFICIENT_STOCK);
    assert_int_equal(call_return(contract, "b1", "h1", "A=1"), INVENTORY_DONE);
    assert_int_equal(call_reserve(contract, "h2", "A=7"), INVENTORY_DONE);
}

static void ids_of_returns_are_kept_as_long_as_promised(void **state)
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
    contract_pass(contract, 60 * contract_second_us);
    assert_int_equal(call_return(contract, "b1", "h1", "A=1"), INVENTORY_DONE);
    contract_pass(contract, 60 * contract_second_us); /* longer after the commit than it is kept */
    assert_reservation(contract, "h1", RESERVATION_COMMITTED);
    contract_restart(contract);
    assert_reservation(contract, "h1", RESERVATION_COMMITTED);
    assert_int_equal(call_return(contract, "b1", "h1", "A=1"), INVENTORY_DONE);
    assert_stock(contract, "A", 7, 0);
    contract_pass(contract, 40 * contract_second_us);
    assert_int_equal(call_get_reservation(contract, "h1"), INVENTORY_RESERVATION_NOT_FOUND);
    assert_int_equal(call_return(contract, "b1", "h1", "A=1"), INVENTORY_RESERVATION_NOT_FOUND);
    contract_restart(contract);
    assert_int_equal(call_return(contract, "b1", "h1", "A=1"), INVENTORY_RESERVATION_NOT_FOUND);
}

static void restart_does_not_mistake_a_reservation_for_one_that_had_its_id(void **state)
{
    struct contract *contract = *state;
    const struct contract_settings settings = {
        .retention_us = 10 * contract_second_us,
        .committed_retention_us = 100 * contract_second_us,
        .ids_max = 4,
    };
    contract_needs(contract, CONTRACT_CLOCK);
    contract_needs(contract, CONTRACT_IDS_BOUND);
    contract_reopen(contract, &settings);
    contract = begin(state); /* three ids */
    contract_pass(contract, 100 * contract_second_us);
    assert_int_equal(call_reserve(contract, "h1", "A=2"), INVENTORY_DONE);
    assert_int_equal(call_commit(contract, "h1", NULL), INVENTORY_DONE);
    assert_int_equal(call_return(contract, "b1", "h1", "A=2"), INVENTORY_DONE);
    contract_set_clock(contract, -3600 * contract_second_us);
    contract_restart(contract); /* by the clock the first h1 would be known still */
    assert_int_equal(call_return(contract, "b2", "h1", "A=1"), INVENTORY_LINES_NOT_HELD);
    assert_int_equal(call_reserve(contract, "h2", "A=1"), INVENTORY_DONE);
    assert_int_equal(call_reserve(contract, "h3", "A=1"), INVENTORY_DONE); /* ids are 4 with it */
}

static void bad_returns_are_refused(void **state)
{
    struct contract *contract = begin(state);
    struct quantity_line lines[] = {{text_of("A"), 1}};
    struct inventory_question question = {
        .kind = CALL_RETURN_STOCK,
        .id = text_of("b1"),
        .reservation_id = text_of("h1"),
        .lines = lines,
        .return_reason = RETURN_OTHER,
    };
    assert_true(call_is_invalid(contract, &question)); /* no lines */
    question.line_count = 1;
    question.return_reason = (enum return_reason)0;
    assert_true(call_is_invalid(contract, &question));
    question.return_reason = (enum return_reason)(RETURN_OTHER + 1);
    assert_true(call_is_invalid(contract, &question));
    question.return_reason = RETURN_OTHER;
    lines[0].quantity = 0;
    assert_true(call_is_invalid(contract, &question));
    lines[0].quantity = 1;
    question.reservation_id = text_of("");
    assert_true(call_is_invalid(contract, &question));
}

static const struct CMUnitTest cases[] = {
    cmocka_unit_test(return_puts_goods_on_hand_again),
    cmocka_unit_test(at_most_what_was_committed_comes_back),
    cmocka_unit_test(return_sent_again_has_one_effect),
    cmocka_unit_test(return_of_other_content_is_refused),
    cmocka_unit_test(return_ids_have_a_space_of_their_own),
    cmocka_unit_test(only_committed_goods_come_back),
    cmocka_unit_test(commit_sent_again_after_a_return_is_a_repeat),
    cmocka_unit_test(retaken_goods_come_back_too),
    cmocka_unit_test(returned_goods_can_be_promised_again),
    cmocka_unit_test(ids_of_returns_are_kept_as_long_as_promised),
    cmocka_unit_test(restart_does_not_mistake_a_reservation_for_one_that_had_its_id),
    cmocka_unit_test(bad_returns_are_refused),
};

const struct contract_cases return_cases = {cases, sizeof cases / sizeof cases[0]};
