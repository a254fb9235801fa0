/*
 * The source document's own scripts break its promise in the ways of the table in RELIABILITY. Each
 * row is a case here: on hand 10, available 10, reserved 0 at the start. Row 8, a quantity that is
 * not a number, has none: in C, as in the interface, it cannot be said.
 */
#include "tests/contract/inventory/contract_call.h"

static struct contract *begin(void **state)
{
    struct contract *contract = *state;
    assert_int_equal(call_receive(contract, "start", "SKU", 10), INVENTORY_DONE);
    return contract;
}

static void row_01_expired_hold_returns_at_the_instant_of_expiry(void **state)
{
    struct contract *contract = begin(state);
    contract_needs(contract, CONTRACT_CLOCK);
    assert_int_equal(call_reserve(contract, "hold", "SKU=4"), INVENTORY_DONE);
    contract_pass(contract, contract_ttl_us - 1);
    assert_stock(contract, "SKU", 10, 4);
    contract_pass(contract, 1);
    assert_stock(contract, "SKU", 10, 0);
}

static void row_02_commit_after_the_ttl_is_refused(void **state)
{
    struct contract *contract = begin(state);
    assert_int_equal(call_reserve_for(contract, "hold", contract_second_us, "SKU=4"),
                     INVENTORY_DONE);
    contract_pass(contract, contract_second_us);
    assert_int_equal(call_commit(contract, "hold", NULL), INVENTORY_RESERVATION_EXPIRED);
    assert_stock(contract, "SKU", 10, 0);
    assert_reservation(contract, "hold", RESERVATION_EXPIRED);
}

static void row_03_second_rollback_repeats_the_first_answer(void **state)
{
    struct contract *contract = begin(state);
    assert_int_equal(call_reserve(contract, "hold", "SKU=4"), INVENTORY_DONE);
    assert_int_equal(call_rollback(contract, "hold"), INVENTORY_DONE);
    int64_t resolve_time_us = answered_reservation(contract)->resolve_time_us;
    contract_pass(contract, 1);
    assert_int_equal(call_rollback(contract, "hold"), INVENTORY_DONE);
    assert_int_equal(answered_reservation(contract)->state, RESERVATION_ROLLED_BACK);
    assert_int_equal(answered_reservation(contract)->resolve_time_us, resolve_time_us);
    assert_stock(contract, "SKU", 10, 0);
}

static void row_04_rollback_after_commit_is_refused(void **state)
{
    struct contract *contract = begin(state);
    assert_int_equal(call_reserve(contract, "hold", "SKU=4"), INVENTORY_DONE);
    assert_int_equal(call_commit(contract, "hold", NULL), INVENTORY_DONE);
    assert_int_equal(call_rollback(contract, "hold"), INVENTORY_RESERVATION_COMMITTED);
    assert_stock(contract, "SKU", 6, 0);
}

static void row_05_reserve_sent_again_holds_once(void **state)
{
    struct contract *contract = begin(state);
    assert_int_equal(call_reserve(contract, "hold", "SKU=4"), INVENTORY_DONE);
    int64_t expire_time_us = answered_reservation(contract)->expire_time_us;
    contract_pass(contract, 1);
    assert_int_equal(call_reserve(contract, "hold", "SKU=4"), INVENTORY_DONE);
    assert_int_equal(answered_reservation(contract)->expire_time_us, expire_time_us);
    assert_stock(contract, "SKU", 10, 4);
}

static void row_06_negative_quantity_is_refused(void **state)
{
    struct contract *contract = begin(state);
    struct quantity_line line = {text_of("SKU"), -5};
    struct inventory_question question = reserve_question("hold", &line, 1);
    assert_true(call_is_invalid(contract, &question));
    line.quantity = 0;
    assert_true(call_is_invalid(contract, &question));
    assert_stock(contract, "SKU", 10, 0);
    assert_int_equal(call_get_reservation(contract, "hold"), INVENTORY_RESERVATION_NOT_FOUND);
}

static void row_07_rollback_takes_the_quantity_from_the_record(void **state)
{
    struct contract *contract = begin(state);
    assert_int_equal(call_reserve(contract, "hold", "SKU=4"), INVENTORY_DONE);
    assert_int_equal(call_reserve(contract, "other", "SKU=3"), INVENTORY_DONE);
    assert_int_equal(call_commit(contract, "hold", "SKU=9"), INVENTORY_LINES_NOT_HELD);
    assert_stock(contract, "SKU", 10, 7);
    assert_int_equal(call_rollback(contract, "hold"), INVENTORY_DONE);
    assert_stock(contract, "SKU", 10, 3);
}

static void row_09_zero_ttl_is_refused_before_anything_moves(void **state)
{
    struct contract *contract = begin(state);
    struct quantity_line line = {text_of("SKU"), 4};
    struct inventory_question question = reserve_question("hold", &line, 1);
    question.ttl_us = 0;
    assert_true(call_is_invalid(contract, &question));
    question.ttl_us = inventory_ttl_us_max + 1;
    assert_true(call_is_invalid(contract, &question));
    assert_stock(contract, "SKU", 10, 0);
    assert_int_equal(call_get_reservation(contract, "hold"), INVENTORY_RESERVATION_NOT_FOUND);
}

static void row_10_unknown_sku_is_not_found(void **state)
{
    struct contract *contract = begin(state);
    assert_int_equal(call_reserve(contract, "hold", "NONE=1"), INVENTORY_SKU_NOT_FOUND);
    assert_true(text_equals_string(contract->call.command.base.failed_sku, "NONE"));
    assert_int_equal(call_get_reservation(contract, "hold"), INVENTORY_RESERVATION_NOT_FOUND);
}

static const struct CMUnitTest cases[] = {
    cmocka_unit_test(row_01_expired_hold_returns_at_the_instant_of_expiry),
    cmocka_unit_test(row_02_commit_after_the_ttl_is_refused),
    cmocka_unit_test(row_03_second_rollback_repeats_the_first_answer),
    cmocka_unit_test(row_04_rollback_after_commit_is_refused),
    cmocka_unit_test(row_05_reserve_sent_again_holds_once),
    cmocka_unit_test(row_06_negative_quantity_is_refused),
    cmocka_unit_test(row_07_rollback_takes_the_quantity_from_the_record),
    cmocka_unit_test(row_09_zero_ttl_is_refused_before_anything_moves),
    cmocka_unit_test(row_10_unknown_sku_is_not_found),
};

const struct contract_cases broken_promises_cases = {cases, sizeof cases / sizeof cases[0]};
