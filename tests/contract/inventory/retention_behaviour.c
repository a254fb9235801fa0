/* Ids live exactly as long as promised; where no more can be kept, new writes wait. */
#include "tests/contract/inventory/contract_call.h"

static const int64_t day_us = INT64_C(86400) * 1000000;

static struct contract *begin(void **state)
{
    struct contract *contract = *state;
    contract_needs(contract, CONTRACT_CLOCK);
    assert_int_equal(call_receive(contract, "r1", "A", 10), INVENTORY_DONE);
    return contract;
}

static void rolled_back_id_is_known_for_the_retention_and_then_forgotten(void **state)
{
    struct contract *contract = begin(state);
    assert_int_equal(call_reserve(contract, "h1", "A=1"), INVENTORY_DONE);
    assert_int_equal(call_rollback(contract, "h1"), INVENTORY_DONE);
    contract_pass(contract, day_us - 1);
    assert_reservation(contract, "h1", RESERVATION_ROLLED_BACK);
    assert_int_equal(call_reserve(contract, "h1", "A=2"), INVENTORY_ID_REUSED);
    contract_pass(contract, 1);
    assert_int_equal(call_get_reservation(contract, "h1"), INVENTORY_RESERVATION_NOT_FOUND);
    assert_int_equal(call_reserve(contract, "h1", "A=2"), INVENTORY_DONE);
    assert_stock(contract, "A", 10, 2);
}

static void expired_id_is_kept_from_the_time_it_was_due(void **state)
{
    struct contract *contract = begin(state);
    assert_int_equal(call_reserve(contract, "h1", "A=1"), INVENTORY_DONE);
    contract_pass(contract, contract_ttl_us + day_us - 1); /* nobody asked meanwhile */
    assert_reservation(contract, "h1", RESERVATION_EXPIRED);
    contract_pass(contract, 1);
    assert_int_equal(call_get_reservation(contract, "h1"), INVENTORY_RESERVATION_NOT_FOUND);
    assert_stock(contract, "A", 10, 0);
}

static void committed_id_is_known_for_the_longer_retention(void **state)
{
    struct contract *contract = begin(state);
    assert_int_equal(call_reserve(contract, "h1", "A=1"), INVENTORY_DONE);
    assert_int_equal(call_commit(contract, "h1", NULL), INVENTORY_DONE);
    contract_pass(contract, 90 * day_us - 1);
    assert_int_equal(call_commit(contract, "h1", NULL), INVENTORY_DONE);
    contract_pass(contract, 1);
    assert_int_equal(call_commit(contract, "h1", NULL), INVENTORY_RESERVATION_NOT_FOUND);
    assert_stock(contract, "A", 9, 0);
}

static void receipts_and_adjustments_are_known_for_the_longer_retention(void **state)
{
    struct contract *contract = begin(state);
    assert_int_equal(call_adjust(contract, "a1", "A", -1), INVENTORY_DONE);
    contract_pass(contract, 90 * day_us - 1);
    assert_int_equal(call_receive(contract, "r1", "A", 10), INVENTORY_DONE);
    assert_int_equal(call_adjust(contract, "a1", "A", -1), INVENTORY_DONE);
    assert_stock(contract, "A", 9, 0);
    contract_pass(contract, 1);
    assert_int_equal(call_receive(contract, "r1", "A", 10), INVENTORY_DONE);
    assert_int_equal(call_adjust(contract, "a1", "A", -1), INVENTORY_DONE);
    assert_stock(contract, "A", 18, 0); /* they were new */
}

static void pending_id_is_never_forgotten(void **state)
{
    struct contract *contract = begin(state);
    assert_int_equal(call_reserve_for(contract, "h1", 31 * day_us, "A=1"), INVENTORY_DONE);
    contract_pass(contract, 31 * day_us - 1);
    assert_reservation(contract, "h1", RESERVATION_PENDING);
    assert_int_equal(call_reserve(contract, "h1", "A=1"), INVENTORY_ID_REUSED); /* another ttl */
}

static void forgotten_ids_leave_stock_and_ledger_as_they_are(void **state)
{
    struct contract *contract = begin(state);
    assert_int_equal(call_reserve(contract, "h1", "A=3"), INVENTORY_DONE);
    assert_int_equal(call_commit(contract, "h1", "A=2"), INVENTORY_DONE);
    struct stock before = stock_of(contract, "A");
    contract_pass(contract, 91 * day_us);
    struct stock after = stock_of(contract, "A");
    assert_stocks_equal(&before, &after);
    assert_int_equal(entry_count_of(contract, "A"), 4);
    assert_ledger_matches(contract, "A");
}

static void retention_counts_on_over_a_restart(void **state)
{
    struct contract *contract = begin(state);
    assert_int_equal(call_reserve(contract, "h1", "A=1"), INVENTORY_DONE);
    assert_int_equal(call_rollback(contract, "h1"), INVENTORY_DONE);
    contract_pass(contract, day_us / 2);
    contract_restart(contract);
    contract_pass(contract, day_us / 2 - 1);
    assert_reservation(contract, "h1", RESERVATION_ROLLED_BACK);
    contract_pass(contract, 1);
    assert_int_equal(call_get_reservation(contract, "h1"), INVENTORY_RESERVATION_NOT_FOUND);
    assert_int_equal(call_reserve(contract, "h1", "A=2"), INVENTORY_DONE);
    contract_restart(contract);
    assert_reservation(contract, "h1", RESERVATION_PENDING);
    assert_stock(contract, "A", 10, 2);
}

/* A store that keeps four ids, with A on hand by the first of them. */
static struct contract *begin_small(void **state)
{
    static const struct contract_settings settings = {
        .retention_us = INT64_C(86400) * 1000000,
        .committed_retention_us = INT64_C(90) * 86400 * 1000000,
        .ids_max = 4,
    };
    struct contract *contract = *state;
    contract_needs(contract, CONTRACT_CLOCK);
    contract_needs(contract, CONTRACT_IDS_BOUND);
    contract_reopen(contract, &settings);
    assert_int_equal(call_receive(contract, "r1", "A", 10), INVENTORY_DONE);
    return contract;
}

static void assert_full(struct contract *contract)
{
    struct quantity_line line = {text_of("A"), 1};
    struct inventory_question reserve = reserve_question("new", &line, 1);
    struct inventory_question receive = receive_question("new", "A", 1);
    struct inventory_question adjust = adjust_question("new", "A", 1);
    assert_int_equal(call_failure(contract, &reserve), ERROR_RETENTION_FULL);
    assert_int_equal(call_failure(contract, &receive), ERROR_RETENTION_FULL);
    assert_int_equal(call_failure(contract, &adjust), ERROR_RETENTION_FULL);
}

static void at_the_bound_new_ids_are_refused_and_nothing_else(void **state)
{
    struct contract *contract = begin_small(state);
    assert_int_equal(call_adjust(contract, "a1", "A", 1), INVENTORY_DONE);
    assert_int_equal(call_reserve(contract, "h1", "A=1"), INVENTORY_DONE);
    assert_int_equal(call_reserve(contract, "h2", "A=1"), INVENTORY_DONE);
    assert_full(contract);
    assert_stock(contract, "A", 11, 2);
    assert_int_equal(call_receive(contract, "r1", "A", 10), INVENTORY_DONE);
    assert_int_equal(call_adjust(contract, "a1", "A", 1), INVENTORY_DONE);
    assert_int_equal(call_reserve(contract, "h1", "A=1"), INVENTORY_DONE);
    assert_int_equal(call_commit(contract, "h1", NULL), INVENTORY_DONE);
    assert_int_equal(call_rollback(contract, "h2"), INVENTORY_DONE);
    assert_full(contract); /* resolved ids are kept like pending ones */
    assert_stock(contract, "A", 10, 0);
    assert_int_equal(call_get_reservation(contract, "new"), INVENTORY_RESERVATION_NOT_FOUND);
}

static void room_comes_back_when_a_retention_is_over_and_not_before(void **state)
{
    struct contract *contract = begin_small(state);
    assert_int_equal(call_reserve(contract, "h1", "A=1"), INVENTORY_DONE);
    assert_int_equal(call_reserve(contract, "h2", "A=1"), INVENTORY_DONE);
    assert_int_equal(call_reserve(contract, "h3", "A=1"), INVENTORY_DONE);
    assert_int_equal(call_rollback(contract, "h2"), INVENTORY_DONE);
    contract_pass(contract, 60 * contract_second_us);
    assert_int_equal(call_rollback(contract, "h1"), INVENTORY_DONE);
    contract_pass(contract, day_us - 60 * contract_second_us - 1);
    assert_full(contract);
    contract_pass(contract, 1);
    assert_int_equal(call_reserve(contract, "new", "A=1"), INVENTORY_DONE);
    assert_int_equal(call_get_reservation(contract, "h2"), INVENTORY_RESERVATION_NOT_FOUND);
    assert_reservation(contract, "h1", RESERVATION_ROLLED_BACK);
}

static void refused_ids_take_no_room(void **state)
{
    struct contract *contract = begin_small(state);
    for (int i = 0; i < 8; i++) {
        char id[] = {'x', (char)('0' + i), '\0'};
        assert_int_equal(call_reserve(contract, id, "A=11"), INVENTORY_INSUFFICIENT_STOCK);
        assert_int_equal(call_adjust(contract, id, "B", 1), INVENTORY_SKU_NOT_FOUND);
    }
    assert_int_equal(call_reserve(contract, "h1", "A=1"), INVENTORY_DONE);
    assert_int_equal(call_reserve(contract, "h2", "A=1"), INVENTORY_DONE);
    assert_int_equal(call_reserve(contract, "h3", "A=1"), INVENTORY_DONE);
    assert_full(contract);
}

static void bound_is_kept_over_a_restart(void **state)
{
    struct contract *contract = begin_small(state);
    assert_int_equal(call_reserve(contract, "h1", "A=1"), INVENTORY_DONE);
    assert_int_equal(call_reserve(contract, "h2", "A=1"), INVENTORY_DONE);
    assert_int_equal(call_adjust(contract, "a1", "A", 1), INVENTORY_DONE);
    assert_int_equal(call_commit(contract, "h1", NULL), INVENTORY_DONE);
    contract_restart(contract);
    assert_full(contract);
    assert_int_equal(call_commit(contract, "h2", NULL), INVENTORY_DONE);
}

static const struct CMUnitTest cases[] = {
    cmocka_unit_test(rolled_back_id_is_known_for_the_retention_and_then_forgotten),
    cmocka_unit_test(expired_id_is_kept_from_the_time_it_was_due),
    cmocka_unit_test(committed_id_is_known_for_the_longer_retention),
    cmocka_unit_test(receipts_and_adjustments_are_known_for_the_longer_retention),
    cmocka_unit_test(pending_id_is_never_forgotten),
    cmocka_unit_test(forgotten_ids_leave_stock_and_ledger_as_they_are),
    cmocka_unit_test(retention_counts_on_over_a_restart),
    cmocka_unit_test(at_the_bound_new_ids_are_refused_and_nothing_else),
    cmocka_unit_test(room_comes_back_when_a_retention_is_over_and_not_before),
    cmocka_unit_test(refused_ids_take_no_room),
    cmocka_unit_test(bound_is_kept_over_a_restart),
};

const struct contract_cases retention_cases = {cases, sizeof cases / sizeof cases[0]};
