/* The end of a reservation by its caller: Commit, whole or in part, and Rollback. */
#include "tests/contract/inventory/contract_call.h"

static struct contract *begin(void **state)
{
    struct contract *contract = *state;
    assert_int_equal(call_receive(contract, "start-a", "A", 10), INVENTORY_DONE);
    assert_int_equal(call_receive(contract, "start-b", "B", 5), INVENTORY_DONE);
    assert_int_equal(call_reserve(contract, "h1", "A=4 B=2"), INVENTORY_DONE);
    return contract;
}

static void commit_takes_every_line(void **state)
{
    struct contract *contract = begin(state);
    assert_int_equal(call_commit(contract, "h1", NULL), INVENTORY_DONE);
    const struct reservation *reservation = answered_reservation(contract);
    assert_int_equal(reservation->state, RESERVATION_COMMITTED);
    assert_int_equal(reservation->lines[0].committed_quantity, 4);
    assert_int_equal(reservation->lines[1].committed_quantity, 2);
    assert_stock(contract, "A", 6, 0);
    assert_stock(contract, "B", 3, 0);
    assert_int_equal(stock_of(contract, "A").committed, 4);
}

static void commit_with_lines_takes_those_and_frees_the_rest(void **state)
{
    struct contract *contract = begin(state);
    assert_int_equal(call_commit(contract, "h1", "A=1"), INVENTORY_DONE);
    const struct reservation *reservation = answered_reservation(contract);
    assert_int_equal(reservation->state, RESERVATION_COMMITTED);
    assert_int_equal(reservation->lines[0].quantity, 4);
    assert_int_equal(reservation->lines[0].committed_quantity, 1);
    assert_int_equal(reservation->lines[1].quantity, 2);
    assert_int_equal(reservation->lines[1].committed_quantity, 0);
    assert_stock(contract, "A", 9, 0);
    assert_stock(contract, "B", 5, 0);
}

static void resolution_is_dated_and_tells_the_new_revisions(void **state)
{
    struct contract *contract = begin(state);
    contract_needs(contract, CONTRACT_CLOCK);
    contract_pass(contract, 5);
    assert_int_equal(call_commit(contract, "h1", "A=1"), INVENTORY_DONE);
    assert_int_equal(answered_reservation(contract)->resolve_time_us, contract_now_us(contract));
    assert_int_equal(answered_reservation(contract)->lines[0].stock_revision, 3);
    assert_int_equal(answered_reservation(contract)->lines[1].stock_revision, 3);
    assert_int_equal(stock_of(contract, "B").update_time_us, contract_now_us(contract));
}

static void same_commit_again_gives_the_record(void **state)
{
    struct contract *contract = begin(state);
    assert_int_equal(call_commit(contract, "h1", "A=1 B=2"), INVENTORY_DONE);
    int64_t resolve_time_us = answered_reservation(contract)->resolve_time_us;
    contract_pass(contract, 5);
    assert_int_equal(call_commit(contract, "h1", "A=1 B=2"), INVENTORY_DONE);
    assert_int_equal(answered_reservation(contract)->resolve_time_us, resolve_time_us);
    assert_stock(contract, "A", 9, 0);
}

static void lines_that_name_everything_are_no_lines(void **state)
{
    struct contract *contract = begin(state);
    assert_int_equal(call_commit(contract, "h1", NULL), INVENTORY_DONE);
    assert_int_equal(call_commit(contract, "h1", "A=4 B=2"), INVENTORY_DONE);
    assert_int_equal(call_reserve(contract, "h2", "A=1"), INVENTORY_DONE);
    assert_int_equal(call_commit(contract, "h2", "A=1"), INVENTORY_DONE);
    assert_int_equal(call_commit(contract, "h2", NULL), INVENTORY_DONE);
    assert_stock(contract, "A", 5, 0);
}

static void another_commit_comes_too_late(void **state)
{
    struct contract *contract = begin(state);
    assert_int_equal(call_commit(contract, "h1", "A=1"), INVENTORY_DONE);
    assert_int_equal(call_commit(contract, "h1", NULL), INVENTORY_RESERVATION_COMMITTED);
    assert_int_equal(call_commit(contract, "h1", "A=2"), INVENTORY_RESERVATION_COMMITTED);
    assert_int_equal(call_commit(contract, "h1", "A=1 B=1"), INVENTORY_RESERVATION_COMMITTED);
    assert_int_equal(call_commit(contract, "h1", "A=99"), INVENTORY_RESERVATION_COMMITTED);
    assert_stock(contract, "A", 9, 0);
    assert_stock(contract, "B", 5, 0);
}

static void lines_that_are_not_held_are_refused(void **state)
{
    struct contract *contract = begin(state);
    assert_int_equal(call_commit(contract, "h1", "A=5"), INVENTORY_LINES_NOT_HELD);
    assert_true(text_equals_string(contract->call.command.base.failed_sku, "A"));
    assert_int_equal(call_commit(contract, "h1", "A=4 C=1"), INVENTORY_LINES_NOT_HELD);
    assert_true(text_equals_string(contract->call.command.base.failed_sku, "C"));
    assert_int_equal(call_commit(contract, "h1", "A=1 B=3"), INVENTORY_LINES_NOT_HELD);
    assert_true(text_equals_string(contract->call.command.base.failed_sku, "B"));
    assert_reservation(contract, "h1", RESERVATION_PENDING);
    assert_stock(contract, "A", 10, 4);
    assert_int_equal(call_commit(contract, "h1", NULL), INVENTORY_DONE);
}

static void rollback_frees_every_line(void **state)
{
    struct contract *contract = begin(state);
    assert_int_equal(call_rollback(contract, "h1"), INVENTORY_DONE);
    const struct reservation *reservation = answered_reservation(contract);
    assert_int_equal(reservation->state, RESERVATION_ROLLED_BACK);
    assert_int_equal(reservation->lines[0].quantity, 4);
    assert_int_equal(reservation->lines[0].committed_quantity, 0);
    assert_int_equal(reservation->lines[0].stock_revision, 3);
    assert_stock(contract, "A", 10, 0);
    assert_stock(contract, "B", 5, 0);
}

static void commit_after_rollback_is_refused(void **state)
{
    struct contract *contract = begin(state);
    assert_int_equal(call_rollback(contract, "h1"), INVENTORY_DONE);
    assert_int_equal(call_commit(contract, "h1", NULL), INVENTORY_RESERVATION_ROLLED_BACK);
    assert_int_equal(call_commit(contract, "h1", "A=99"), INVENTORY_RESERVATION_ROLLED_BACK);
    assert_stock(contract, "A", 10, 0);
}

static void unknown_reservation_is_not_found_by_any_call(void **state)
{
    struct contract *contract = begin(state);
    assert_int_equal(call_commit(contract, "h2", NULL), INVENTORY_RESERVATION_NOT_FOUND);
    assert_int_equal(call_commit(contract, "h2", "A=1"), INVENTORY_RESERVATION_NOT_FOUND);
    assert_int_equal(call_rollback(contract, "h2"), INVENTORY_RESERVATION_NOT_FOUND);
    assert_int_equal(call_get_reservation(contract, "h2"), INVENTORY_RESERVATION_NOT_FOUND);
}

static void record_read_later_is_the_one_answered(void **state)
{
    struct contract *contract = begin(state);
    assert_int_equal(call_commit(contract, "h1", "A=3"), INVENTORY_DONE);
    struct reservation answered = *answered_reservation(contract);
    struct reservation_line lines[2] = {answered.lines[0], answered.lines[1]};
    assert_reservation(contract, "h1", RESERVATION_COMMITTED);
    const struct reservation *read = answered_reservation(contract);
    assert_int_equal(read->create_time_us, answered.create_time_us);
    assert_int_equal(read->expire_time_us, answered.expire_time_us);
    assert_int_equal(read->resolve_time_us, answered.resolve_time_us);
    assert_int_equal(read->line_count, 2);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(read->lines[i].quantity, lines[i].quantity);
        assert_int_equal(read->lines[i].committed_quantity, lines[i].committed_quantity);
        assert_int_equal(read->lines[i].stock_revision, lines[i].stock_revision);
    }
}

static void stock_freed_can_be_promised_again(void **state)
{
    struct contract *contract = begin(state);
    assert_int_equal(call_reserve(contract, "h2", "A=7"), INVENTORY_INSUFFICIENT_STOCK);
    assert_int_equal(call_commit(contract, "h1", "A=1"), INVENTORY_DONE);
    assert_int_equal(call_reserve(contract, "h2", "A=10"), INVENTORY_INSUFFICIENT_STOCK);
    assert_int_equal(call_reserve(contract, "h2", "A=9"), INVENTORY_DONE);
    assert_stock(contract, "A", 9, 9);
}

static const struct CMUnitTest cases[] = {
    cmocka_unit_test(commit_takes_every_line),
    cmocka_unit_test(commit_with_lines_takes_those_and_frees_the_rest),
    cmocka_unit_test(resolution_is_dated_and_tells_the_new_revisions),
    cmocka_unit_test(same_commit_again_gives_the_record),
    cmocka_unit_test(lines_that_name_everything_are_no_lines),
    cmocka_unit_test(another_commit_comes_too_late),
    cmocka_unit_test(lines_that_are_not_held_are_refused),
    cmocka_unit_test(rollback_frees_every_line),
    cmocka_unit_test(commit_after_rollback_is_refused),
    cmocka_unit_test(unknown_reservation_is_not_found_by_any_call),
    cmocka_unit_test(record_read_later_is_the_one_answered),
    cmocka_unit_test(stock_freed_can_be_promised_again),
};

const struct contract_cases commit_cases = {cases, sizeof cases / sizeof cases[0]};
