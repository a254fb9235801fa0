/* A hold may be given more time, never less, and only while it is one. */
#include "tests/contract/inventory/contract_call.h"

static struct contract *begin(void **state)
{
    struct contract *contract = *state;
    assert_int_equal(call_receive(contract, "r1", "A", 10), INVENTORY_DONE);
    assert_int_equal(call_reserve(contract, "h1", "A=4"), INVENTORY_DONE);
    return contract;
}

static int64_t expire_time_of(struct contract *contract, const char *id)
{
    assert_int_equal(call_get_reservation(contract, id), INVENTORY_DONE);
    return answered_reservation(contract)->expire_time_us;
}

static void extension_ends_the_hold_later(void **state)
{
    struct contract *contract = begin(state);
    contract_needs(contract, CONTRACT_CLOCK);
    int64_t start_us = contract_now_us(contract);
    contract_pass(contract, contract_second_us);
    assert_int_equal(call_extend(contract, "h1", contract_ttl_us), INVENTORY_DONE);
    assert_int_equal(answered_reservation(contract)->expire_time_us,
                     start_us + contract_second_us + contract_ttl_us);
    assert_int_equal(answered_reservation(contract)->state, RESERVATION_PENDING);
    contract_pass(contract, contract_ttl_us - 1);
    assert_stock(contract, "A", 10, 4);
    contract_pass(contract, 1);
    assert_stock(contract, "A", 10, 0);
    assert_reservation(contract, "h1", RESERVATION_EXPIRED);
    assert_int_equal(answered_reservation(contract)->resolve_time_us,
                     start_us + contract_second_us + contract_ttl_us);
}

static void extension_never_shortens(void **state)
{
    struct contract *contract = begin(state);
    int64_t before_us = expire_time_of(contract, "h1");
    assert_int_equal(call_extend(contract, "h1", contract_second_us), INVENTORY_DONE);
    assert_int_equal(answered_reservation(contract)->expire_time_us, before_us);
    assert_int_equal(expire_time_of(contract, "h1"), before_us);
}

static void extension_changes_no_stock(void **state)
{
    struct contract *contract = begin(state);
    struct stock before = stock_of(contract, "A");
    size_t entries = entry_count_of(contract, "A");
    assert_int_equal(call_extend(contract, "h1", 2 * contract_ttl_us), INVENTORY_DONE);
    struct stock after = stock_of(contract, "A");
    assert_stocks_equal(&before, &after);
    assert_int_equal(entry_count_of(contract, "A"), entries);
    assert_int_equal(call_get_reservation(contract, "h1"), INVENTORY_DONE);
    assert_int_equal(answered_reservation(contract)->lines[0].stock_revision, before.revision);
}

static void extended_hold_is_committed_and_rolled_back_as_any(void **state)
{
    struct contract *contract = begin(state);
    assert_int_equal(call_reserve(contract, "h2", "A=1"), INVENTORY_DONE);
    assert_int_equal(call_extend(contract, "h1", 2 * contract_ttl_us), INVENTORY_DONE);
    assert_int_equal(call_extend(contract, "h2", 2 * contract_ttl_us), INVENTORY_DONE);
    assert_int_equal(call_extend(contract, "h2", 3 * contract_ttl_us), INVENTORY_DONE);
    assert_int_equal(call_commit(contract, "h1", "A=3"), INVENTORY_DONE);
    assert_int_equal(call_rollback(contract, "h2"), INVENTORY_DONE);
    assert_stock(contract, "A", 7, 0);
    assert_ledger_matches(contract, "A");
}

static void reserve_sent_again_knows_the_extended_hold(void **state)
{
    struct contract *contract = begin(state);
    assert_int_equal(call_extend(contract, "h1", 2 * contract_ttl_us), INVENTORY_DONE);
    int64_t expire_us = expire_time_of(contract, "h1");
    assert_int_equal(call_reserve(contract, "h1", "A=4"), INVENTORY_DONE);
    assert_int_equal(answered_reservation(contract)->expire_time_us, expire_us);
    assert_int_equal(call_reserve_for(contract, "h1", 2 * contract_ttl_us, "A=4"),
                     INVENTORY_ID_REUSED);
}

static void only_a_pending_hold_is_extended(void **state)
{
    struct contract *contract = begin(state);
    contract_needs(contract, CONTRACT_CLOCK);
    assert_int_equal(call_extend(contract, "h0", contract_ttl_us), INVENTORY_RESERVATION_NOT_FOUND);
    assert_int_equal(call_commit(contract, "h1", NULL), INVENTORY_DONE);
    assert_int_equal(call_extend(contract, "h1", contract_ttl_us), INVENTORY_RESERVATION_COMMITTED);
    assert_int_equal(call_reserve(contract, "h2", "A=1"), INVENTORY_DONE);
    assert_int_equal(call_rollback(contract, "h2"), INVENTORY_DONE);
    assert_int_equal(call_extend(contract, "h2", contract_ttl_us),
                     INVENTORY_RESERVATION_ROLLED_BACK);
    assert_int_equal(call_reserve_for(contract, "h3", contract_second_us, "A=1"), INVENTORY_DONE);
    contract_pass(contract, contract_second_us); /* at this very instant it is over */
    assert_int_equal(call_extend(contract, "h3", contract_ttl_us), INVENTORY_RESERVATION_EXPIRED);
}

static void extension_survives_a_restart(void **state)
{
    struct contract *contract = begin(state);
    contract_needs(contract, CONTRACT_CLOCK);
    assert_int_equal(call_reserve(contract, "h2", "A=1"), INVENTORY_DONE);
    assert_int_equal(call_extend(contract, "h1", 2 * contract_ttl_us), INVENTORY_DONE);
    contract_restart(contract);
    contract_pass(contract, contract_ttl_us);
    assert_stock(contract, "A", 10, 4);
    contract_restart(contract);
    assert_stock(contract, "A", 10, 4);
    contract_pass(contract, contract_ttl_us);
    contract_restart(contract);
    assert_stock(contract, "A", 10, 0);
    assert_int_equal(call_verify(contract), INVENTORY_DONE);
    assert_int_equal(contract->call.command.verify_ledger.mismatch_count, 0);
    assert_int_equal(contract->call.command.verify_ledger.reservations, 2);
}

static void bad_times_are_refused(void **state)
{
    struct contract *contract = begin(state);
    struct inventory_question question = {
        .kind = CALL_EXTEND_RESERVATION,
        .id = text_of("h1"),
        .ttl_us = inventory_ttl_us_min - 1,
    };
    assert_true(call_is_invalid(contract, &question));
    question.ttl_us = inventory_ttl_us_max + 1;
    assert_true(call_is_invalid(contract, &question));
    question.ttl_us = contract_ttl_us;
    question.id = text_of("h 1");
    assert_true(call_is_invalid(contract, &question));
}

static const struct CMUnitTest cases[] = {
    cmocka_unit_test(extension_ends_the_hold_later),
    cmocka_unit_test(extension_never_shortens),
    cmocka_unit_test(extension_changes_no_stock),
    cmocka_unit_test(extended_hold_is_committed_and_rolled_back_as_any),
    cmocka_unit_test(reserve_sent_again_knows_the_extended_hold),
    cmocka_unit_test(only_a_pending_hold_is_extended),
    cmocka_unit_test(extension_survives_a_restart),
    cmocka_unit_test(bad_times_are_refused),
};

const struct contract_cases extension_cases = {cases, sizeof cases / sizeof cases[0]};
