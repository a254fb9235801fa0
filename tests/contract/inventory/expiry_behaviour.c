/* Expiry is exact at read, happens once, and time never runs back. */
#include "tests/contract/inventory/contract_call.h"

static struct contract *begin(void **state)
{
    struct contract *contract = *state;
    contract_needs(contract, CONTRACT_CLOCK);
    assert_int_equal(call_receive(contract, "start-a", "A", 10), INVENTORY_DONE);
    assert_int_equal(call_receive(contract, "start-b", "B", 5), INVENTORY_DONE);
    return contract;
}

static void hold_can_be_committed_until_its_last_microsecond(void **state)
{
    struct contract *contract = begin(state);
    assert_int_equal(call_reserve(contract, "h1", "A=4"), INVENTORY_DONE);
    contract_pass(contract, contract_ttl_us - 1);
    assert_int_equal(call_commit(contract, "h1", NULL), INVENTORY_DONE);
    assert_stock(contract, "A", 6, 0);
}

static void commit_at_the_instant_of_expiry_is_refused(void **state)
{
    struct contract *contract = begin(state);
    assert_int_equal(call_reserve(contract, "h1", "A=4"), INVENTORY_DONE);
    contract_pass(contract, contract_ttl_us);
    assert_int_equal(call_commit(contract, "h1", NULL), INVENTORY_RESERVATION_EXPIRED);
    assert_int_equal(call_commit(contract, "h1", "A=99"), INVENTORY_RESERVATION_EXPIRED);
    assert_stock(contract, "A", 10, 0);
}

static void rollback_of_an_expired_hold_is_no_error(void **state)
{
    struct contract *contract = begin(state);
    assert_int_equal(call_reserve(contract, "h1", "A=4"), INVENTORY_DONE);
    contract_pass(contract, contract_ttl_us);
    assert_int_equal(call_rollback(contract, "h1"), INVENTORY_DONE);
    assert_int_equal(answered_reservation(contract)->state, RESERVATION_EXPIRED);
    assert_int_equal(call_rollback(contract, "h1"), INVENTORY_DONE);
    assert_int_equal(answered_reservation(contract)->state, RESERVATION_EXPIRED);
    assert_stock(contract, "A", 10, 0);
}

static void expiry_is_dated_by_the_time_it_was_due(void **state)
{
    struct contract *contract = begin(state);
    int64_t due_us = contract_now_us(contract) + contract_ttl_us;
    assert_int_equal(call_reserve(contract, "h1", "A=4"), INVENTORY_DONE);
    contract_pass(contract, 3 * contract_ttl_us);
    assert_reservation(contract, "h1", RESERVATION_EXPIRED);
    assert_int_equal(answered_reservation(contract)->resolve_time_us, due_us);
    assert_int_equal(answered_reservation(contract)->lines[0].stock_revision, 3);
    assert_int_equal(stock_of(contract, "A").update_time_us, due_us);
}

static void every_line_of_an_expired_hold_is_free(void **state)
{
    struct contract *contract = begin(state);
    assert_int_equal(call_reserve(contract, "h1", "A=4 B=5"), INVENTORY_DONE);
    contract_pass(contract, contract_ttl_us);
    assert_stock(contract, "B", 5, 0);
    assert_stock(contract, "A", 10, 0);
    assert_ledger_matches(contract, "A");
    assert_ledger_matches(contract, "B");
}

static void stock_can_be_held_again_at_the_instant_of_expiry(void **state)
{
    struct contract *contract = begin(state);
    assert_int_equal(call_reserve(contract, "h1", "A=10"), INVENTORY_DONE);
    contract_pass(contract, contract_ttl_us - 1);
    assert_int_equal(call_reserve(contract, "h2", "A=10"), INVENTORY_INSUFFICIENT_STOCK);
    contract_pass(contract, 1);
    assert_int_equal(call_reserve(contract, "h2", "A=10"), INVENTORY_DONE);
    assert_stock(contract, "A", 10, 10);
}

static void adjustment_meets_the_revision_after_expiry(void **state)
{
    struct contract *contract = begin(state);
    assert_int_equal(call_reserve(contract, "h1", "A=10"), INVENTORY_DONE);
    contract_pass(contract, contract_ttl_us);
    struct inventory_question question = adjust_question("a1", "A", -1);
    question.expected_revision = 2;
    assert_int_equal(call_ask(contract, &question), INVENTORY_REVISION_MISMATCH);
    question.expected_revision = 3;
    assert_int_equal(call_ask(contract, &question), INVENTORY_DONE);
}

/* The entries of A from number `first`: each frees what `ids` says, in this order. */
static void assert_freed(struct contract *contract, uint64_t first, const char *const *ids,
                         size_t count)
{
    assert_int_equal(call_list(contract, "A", first, 100), INVENTORY_DONE);
    const struct list_stock_entries_command *page = &contract->call.command.list_stock_entries;
    assert_int_equal(page->entry_count, count);
    for (size_t i = 0; i < count; i++) {
        assert_string_equal(page->entries[i].cause, "ReservationExpired");
        assert_true(text_equals_string(page->entries[i].cause_id, ids[i]));
    }
}

static void holds_expire_in_the_order_of_their_times(void **state)
{
    static const char *const order[] = {"h2", "h3", "h1"};
    struct contract *contract = begin(state);
    assert_int_equal(call_reserve_for(contract, "h1", 3 * contract_second_us, "A=1"),
                     INVENTORY_DONE);
    assert_int_equal(call_reserve_for(contract, "h2", 1 * contract_second_us, "A=2"),
                     INVENTORY_DONE);
    assert_int_equal(call_reserve_for(contract, "h3", 2 * contract_second_us, "A=3"),
                     INVENTORY_DONE);
    contract_pass(contract, 4 * contract_second_us);
    assert_freed(contract, 4, order, 3);
}

static void holds_of_one_time_expire_in_the_order_of_creation(void **state)
{
    static const char *const order[] = {"hz", "ha", "hm", "hb"};
    struct contract *contract = begin(state);
    assert_int_equal(call_reserve(contract, "hz", "A=1"), INVENTORY_DONE);
    assert_int_equal(call_reserve(contract, "ha", "A=1"), INVENTORY_DONE);
    assert_int_equal(call_reserve(contract, "hm", "A=1"), INVENTORY_DONE);
    assert_int_equal(call_reserve(contract, "hb", "A=1"), INVENTORY_DONE);
    contract_pass(contract, contract_ttl_us);
    assert_freed(contract, 5, order, 4);
}

static void longest_ttl_is_obeyed(void **state)
{
    struct contract *contract = begin(state);
    assert_int_equal(call_reserve_for(contract, "h1", inventory_ttl_us_max, "A=4"), INVENTORY_DONE);
    contract_pass(contract, inventory_ttl_us_max - 1);
    assert_stock(contract, "A", 10, 4);
    contract_pass(contract, 1);
    assert_stock(contract, "A", 10, 0);
}

static void clock_set_back_revives_nothing(void **state)
{
    struct contract *contract = begin(state);
    assert_int_equal(call_reserve(contract, "h1", "A=4"), INVENTORY_DONE);
    contract_pass(contract, contract_ttl_us);
    assert_stock(contract, "A", 10, 0);
    contract_set_clock(contract, -3600 * contract_second_us);
    assert_stock(contract, "A", 10, 0);
    assert_int_equal(call_commit(contract, "h1", NULL), INVENTORY_RESERVATION_EXPIRED);
    assert_reservation(contract, "h1", RESERVATION_EXPIRED);
}

static void time_of_the_store_never_runs_back(void **state)
{
    struct contract *contract = begin(state);
    contract_pass(contract, 3600 * contract_second_us);
    int64_t highest_us = contract_now_us(contract);
    assert_int_equal(call_receive(contract, "r1", "A", 1), INVENTORY_DONE);
    contract_set_clock(contract, -3600 * contract_second_us);
    assert_int_equal(call_reserve(contract, "h1", "A=4"), INVENTORY_DONE);
    assert_int_equal(answered_reservation(contract)->create_time_us, highest_us);
    assert_int_equal(answered_reservation(contract)->expire_time_us, highest_us + contract_ttl_us);
    assert_int_equal(call_commit(contract, "h1", NULL), INVENTORY_DONE);
    assert_int_equal(stock_of(contract, "A").update_time_us, highest_us);
    contract_pass(contract, 3600 * contract_second_us + 1);
    assert_int_equal(call_receive(contract, "r2", "A", 1), INVENTORY_DONE);
    assert_int_equal(stock_of(contract, "A").update_time_us, highest_us + 1);
}

static void restart_under_a_clock_set_back_revives_nothing(void **state)
{
    struct contract *contract = begin(state);
    assert_int_equal(call_reserve(contract, "h1", "A=4"), INVENTORY_DONE);
    contract_pass(contract, contract_ttl_us);
    assert_stock(contract, "A", 10, 0);
    contract_set_clock(contract, -3600 * contract_second_us);
    contract_restart(contract);
    assert_stock(contract, "A", 10, 0);
    assert_reservation(contract, "h1", RESERVATION_EXPIRED);
    assert_int_equal(call_reserve(contract, "h2", "A=4"), INVENTORY_DONE);
    assert_true(answered_reservation(contract)->create_time_us >= contract_now_us(contract));
}

static void hold_that_fell_due_while_the_store_was_closed_is_expired(void **state)
{
    struct contract *contract = begin(state);
    int64_t due_us = contract_now_us(contract) + contract_ttl_us;
    assert_int_equal(call_reserve(contract, "h1", "A=4"), INVENTORY_DONE);
    contract_set_clock(contract, 2 * contract_ttl_us);
    contract_restart(contract);
    assert_stock(contract, "A", 10, 0);
    assert_reservation(contract, "h1", RESERVATION_EXPIRED);
    assert_int_equal(answered_reservation(contract)->resolve_time_us, due_us);
}

static void commit_and_expiry_of_one_hold_exclude_each_other(void **state)
{
    struct contract *contract = begin(state);
    for (int64_t at = -1; at <= 1; at++) {
        char id[] = {'h', (char)('1' + at), '\0'};
        int64_t on_hand = on_hand_of(contract, "A");
        assert_int_equal(call_reserve(contract, id, "A=1"), INVENTORY_DONE);
        contract_pass(contract, contract_ttl_us + at);
        bool taken = call_commit(contract, id, NULL) == INVENTORY_DONE;
        assert_int_equal(taken, at < 0);
        contract_pass(contract, contract_ttl_us);
        assert_stock(contract, "A", taken ? on_hand - 1 : on_hand, 0);
    }
    assert_ledger_matches(contract, "A");
}

static const struct CMUnitTest cases[] = {
    cmocka_unit_test(hold_can_be_committed_until_its_last_microsecond),
    cmocka_unit_test(commit_at_the_instant_of_expiry_is_refused),
    cmocka_unit_test(rollback_of_an_expired_hold_is_no_error),
    cmocka_unit_test(expiry_is_dated_by_the_time_it_was_due),
    cmocka_unit_test(every_line_of_an_expired_hold_is_free),
    cmocka_unit_test(stock_can_be_held_again_at_the_instant_of_expiry),
    cmocka_unit_test(adjustment_meets_the_revision_after_expiry),
    cmocka_unit_test(holds_expire_in_the_order_of_their_times),
    cmocka_unit_test(holds_of_one_time_expire_in_the_order_of_creation),
    cmocka_unit_test(longest_ttl_is_obeyed),
    cmocka_unit_test(clock_set_back_revives_nothing),
    cmocka_unit_test(time_of_the_store_never_runs_back),
    cmocka_unit_test(restart_under_a_clock_set_back_revives_nothing),
    cmocka_unit_test(hold_that_fell_due_while_the_store_was_closed_is_expired),
    cmocka_unit_test(commit_and_expiry_of_one_hold_exclude_each_other),
};

const struct contract_cases expiry_cases = {cases, sizeof cases / sizeof cases[0]};
