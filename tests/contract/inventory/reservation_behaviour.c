/* Reserve: all lines or none, what a refusal says, and what the record holds. */
#include "tests/contract/inventory/contract_call.h"

#include <stdio.h>

static struct contract *begin(void **state)
{
    struct contract *contract = *state;
    assert_int_equal(call_receive(contract, "start-a", "A", 10), INVENTORY_DONE);
    assert_int_equal(call_receive(contract, "start-b", "B", 5), INVENTORY_DONE);
    return contract;
}

static void reserve_holds_every_line(void **state)
{
    struct contract *contract = begin(state);
    assert_int_equal(call_reserve(contract, "h1", "A=4 B=5"), INVENTORY_DONE);
    assert_stock(contract, "A", 10, 4);
    assert_stock(contract, "B", 5, 5);
}

static void one_short_line_holds_nothing(void **state)
{
    struct contract *contract = begin(state);
    struct stock before = stock_of(contract, "A");
    assert_int_equal(call_reserve(contract, "h1", "A=4 B=6"), INVENTORY_INSUFFICIENT_STOCK);
    struct stock after = stock_of(contract, "A");
    assert_stocks_equal(&before, &after);
    assert_int_equal(call_get_reservation(contract, "h1"), INVENTORY_RESERVATION_NOT_FOUND);
}

static void refusal_names_every_short_line_in_order(void **state)
{
    struct contract *contract = begin(state);
    assert_int_equal(call_receive(contract, "start-c", "C", 7), INVENTORY_DONE);
    assert_int_equal(call_reserve(contract, "h1", "A=1"), INVENTORY_DONE);
    assert_int_equal(call_reserve(contract, "h2", "A=10 B=5 C=8"), INVENTORY_INSUFFICIENT_STOCK);
    const struct reserve_command *refused = &contract->call.command.reserve;
    assert_int_equal(refused->shortage_count, 2);
    assert_true(text_equals_string(refused->shortages[0].sku, "A"));
    assert_int_equal(refused->shortages[0].requested_quantity, 10);
    assert_int_equal(refused->shortages[0].available_quantity, 9);
    assert_true(text_equals_string(refused->shortages[1].sku, "C"));
    assert_int_equal(refused->shortages[1].requested_quantity, 8);
    assert_int_equal(refused->shortages[1].available_quantity, 7);
}

static void unknown_sku_goes_before_a_shortage(void **state)
{
    struct contract *contract = begin(state);
    assert_int_equal(call_reserve(contract, "h1", "A=11 X=1"), INVENTORY_SKU_NOT_FOUND);
    assert_true(text_equals_string(contract->call.command.base.failed_sku, "X"));
    assert_stock(contract, "A", 10, 0);
}

static void all_that_is_available_can_be_held_and_no_more(void **state)
{
    struct contract *contract = begin(state);
    assert_int_equal(call_reserve(contract, "h1", "A=9"), INVENTORY_DONE);
    assert_int_equal(call_reserve(contract, "h2", "A=1"), INVENTORY_DONE);
    assert_int_equal(call_reserve(contract, "h3", "A=1"), INVENTORY_INSUFFICIENT_STOCK);
    assert_int_equal(call_rollback(contract, "h2"), INVENTORY_DONE);
    assert_int_equal(call_reserve(contract, "h3", "A=2"), INVENTORY_INSUFFICIENT_STOCK);
    assert_int_equal(call_reserve(contract, "h3", "A=1"), INVENTORY_DONE);
    assert_stock(contract, "A", 10, 10);
}

static void record_holds_all_that_was_asked(void **state)
{
    struct contract *contract = begin(state);
    contract_needs(contract, CONTRACT_CLOCK);
    struct quantity_line lines[] = {{text_of("A"), 4}, {text_of("B"), 1}};
    struct inventory_question question = reserve_question("h1", lines, 2);
    question.order_id = text_of("order-7");
    question.customer_id = text_of("customer-9");
    question.ttl_us = 61 * contract_second_us;
    assert_int_equal(call_ask(contract, &question), INVENTORY_DONE);
    assert_reservation(contract, "h1", RESERVATION_PENDING);
    const struct reservation *reservation = answered_reservation(contract);
    int64_t now_us = contract_now_us(contract);
    assert_true(text_equals_string(reservation->reservation_id, "h1"));
    assert_true(text_equals_string(reservation->order_id, "order-7"));
    assert_true(text_equals_string(reservation->customer_id, "customer-9"));
    assert_int_equal(reservation->ttl_us, 61 * contract_second_us);
    assert_int_equal(reservation->create_time_us, now_us);
    assert_int_equal(reservation->expire_time_us, now_us + 61 * contract_second_us);
    assert_int_equal(reservation->resolve_time_us, 0);
    assert_int_equal(reservation->line_count, 2);
    assert_true(text_equals_string(reservation->lines[0].sku, "A"));
    assert_int_equal(reservation->lines[0].quantity, 4);
    assert_int_equal(reservation->lines[0].committed_quantity, 0);
    assert_int_equal(reservation->lines[0].stock_revision, 2);
    assert_true(text_equals_string(reservation->lines[1].sku, "B"));
    assert_int_equal(reservation->lines[1].quantity, 1);
}

static void answer_of_reserve_is_the_record(void **state)
{
    struct contract *contract = begin(state);
    struct quantity_line lines[] = {{text_of("A"), 4}, {text_of("B"), 1}};
    struct inventory_question question = reserve_question("h1", lines, 2);
    struct buffer difference;
    struct inventory_call made;
    buffer_init(&difference, 256);
    assert_int_equal(call_ask(contract, &question), INVENTORY_DONE);
    made = contract->call;
    contract->has_call = false; /* it is ours now */
    assert_int_equal(call_ask(contract, &question), INVENTORY_DONE);
    if (!inventory_call_answers_equal(&made, &contract->call, &difference))
        fail_msg("%.*s", (int)difference.size, difference.data);
    buffer_deinit(&difference);
    inventory_call_deinit(&made);
}

static void hundred_lines_are_one_reservation(void **state)
{
    struct contract *contract = *state;
    char lines[inventory_lines_max * 8];
    size_t size = 0;
    for (int i = 0; i < inventory_lines_max; i++) {
        char sku[16];
        snprintf(sku, sizeof sku, "S%03d", i);
        assert_int_equal(call_receive(contract, sku, sku, 2), INVENTORY_DONE);
        size += (size_t)snprintf(lines + size, sizeof lines - size, "%s=2 ", sku);
    }
    assert_int_equal(call_reserve(contract, "h1", lines), INVENTORY_DONE);
    assert_int_equal(answered_reservation(contract)->line_count, inventory_lines_max);
    assert_stock(contract, "S000", 2, 2);
    assert_stock(contract, "S099", 2, 2);
    assert_int_equal(call_commit(contract, "h1", "S050=1"), INVENTORY_DONE);
    assert_stock(contract, "S000", 2, 0);
    assert_stock(contract, "S050", 1, 0);
    assert_int_equal(call_verify(contract), INVENTORY_DONE);
    assert_int_equal(contract->call.command.verify_ledger.mismatch_count, 0);
}

static void largest_quantity_can_be_held(void **state)
{
    struct contract *contract = *state;
    assert_int_equal(call_receive(contract, "r1", "A", inventory_quantity_max), INVENTORY_DONE);
    assert_int_equal(call_reserve(contract, "h1", "A=1000000000000"), INVENTORY_DONE);
    assert_stock(contract, "A", inventory_quantity_max, inventory_quantity_max);
    assert_int_equal(call_reserve(contract, "h2", "A=1"), INVENTORY_INSUFFICIENT_STOCK);
}

static void last_piece_goes_to_one_of_many_at_once(void **state)
{
    struct contract *contract = *state;
    enum { callers = 16 };
    struct inventory_call calls[callers];
    int granted = 0;
    assert_int_equal(call_receive(contract, "r1", "A", 1), INVENTORY_DONE);
    for (int i = 0; i < callers; i++) {
        char id[16];
        struct quantity_line line = {text_of("A"), 1};
        snprintf(id, sizeof id, "h%d", i);
        struct inventory_question question = reserve_question(id, &line, 1);
        inventory_call_init(&calls[i], &question);
        inventory_call_start(&calls[i], contract->repository, &contract->executor.base);
    }
    for (int i = 0; i < callers; i++) {
        while (!calls[i].is_answered) {
            contract->store->table->work(contract->store, &contract->executor);
            test_executor_run_all(&contract->executor);
        }
        assert_false(error_is(calls[i].error));
        granted += calls[i].command.base.outcome == INVENTORY_DONE;
        inventory_call_deinit(&calls[i]);
    }
    assert_int_equal(granted, 1);
    assert_stock(contract, "A", 1, 1);
}

static const struct CMUnitTest cases[] = {
    cmocka_unit_test(reserve_holds_every_line),
    cmocka_unit_test(one_short_line_holds_nothing),
    cmocka_unit_test(refusal_names_every_short_line_in_order),
    cmocka_unit_test(unknown_sku_goes_before_a_shortage),
    cmocka_unit_test(all_that_is_available_can_be_held_and_no_more),
    cmocka_unit_test(record_holds_all_that_was_asked),
    cmocka_unit_test(answer_of_reserve_is_the_record),
    cmocka_unit_test(hundred_lines_are_one_reservation),
    cmocka_unit_test(largest_quantity_can_be_held),
    cmocka_unit_test(last_piece_goes_to_one_of_many_at_once),
};

const struct contract_cases reservation_cases = {cases, sizeof cases / sizeof cases[0]};
