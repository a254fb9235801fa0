/* What a policy does to what may be promised: thresholds, safety stock, backorders, limits, parts.
 */
#include "tests/contract/inventory/contract_call.h"

static struct contract *begin(void **state)
{
    struct contract *contract = *state;
    assert_int_equal(call_receive(contract, "r1", "A", 10), INVENTORY_DONE);
    assert_int_equal(call_receive(contract, "r2", "B", 5), INVENTORY_DONE);
    return contract;
}

static struct stock_policy safety(int64_t quantity)
{
    return (struct stock_policy){.safety_stock = quantity};
}

static struct stock_policy backorder(int64_t limit)
{
    return (struct stock_policy){.backorder_limit = limit};
}

static const struct shortage *only_shortage(struct contract *contract)
{
    assert_int_equal(contract->call.command.reserve.shortage_count, 1);
    return &contract->call.command.reserve.shortages[0];
}

static void policy_is_nothing_until_it_is_set(void **state)
{
    struct contract *contract = begin(state);
    static const struct stock_policy nothing;
    struct stock stock = stock_of(contract, "A");
    assert_memory_equal(&stock.policy, &nothing, sizeof nothing);
}

static void policy_is_part_of_the_stock(void **state)
{
    struct contract *contract = begin(state);
    const struct stock_policy policy = {7, 2, 3, 4};
    struct stock before = stock_of(contract, "A");
    assert_int_equal(call_set_policy(contract, "A", policy), INVENTORY_DONE);
    struct stock answered = contract->call.command.set_stock_policy.stock;
    struct stock after = stock_of(contract, "A");
    assert_stocks_equal(&answered, &after);
    assert_memory_equal(&after.policy, &policy, sizeof policy);
    assert_int_equal(after.revision, before.revision + 1);
    assert_stock(contract, "A", 10, 0);
    assert_int_equal(available_of(contract, "A"), 8);
    assert_int_equal(available_of(contract, "B"), 5);
}

static void policy_of_an_unknown_sku_is_not_found(void **state)
{
    struct contract *contract = begin(state);
    assert_int_equal(call_set_policy(contract, "NEW", safety(1)), INVENTORY_SKU_NOT_FOUND);
    assert_true(text_equals_string(contract->call.command.base.failed_sku, "NEW"));
    assert_int_equal(call_get_stock(contract, "NEW"), INVENTORY_SKU_NOT_FOUND);
}

static void policy_set_again_changes_nothing(void **state)
{
    struct contract *contract = begin(state);
    struct inventory_question question = {
        .kind = CALL_SET_STOCK_POLICY,
        .sku = text_of("A"),
        .policy = safety(2),
        .expected_revision = 1,
    };
    assert_int_equal(call_ask(contract, &question), INVENTORY_DONE);
    struct stock present = stock_of(contract, "A");
    assert_int_equal(call_ask(contract, &question), INVENTORY_DONE); /* though it is 2 now */
    struct stock again = stock_of(contract, "A");
    assert_stocks_equal(&present, &again);
}

static void policy_asks_for_the_revision_it_expects(void **state)
{
    struct contract *contract = begin(state);
    struct inventory_question question = {
        .kind = CALL_SET_STOCK_POLICY,
        .sku = text_of("A"),
        .policy = safety(2),
        .expected_revision = 2,
    };
    struct stock present = stock_of(contract, "A");
    assert_int_equal(call_ask(contract, &question), INVENTORY_REVISION_MISMATCH);
    assert_stocks_equal(&present, &contract->call.command.set_stock_policy.stock);
    question.expected_revision = 1;
    assert_int_equal(call_ask(contract, &question), INVENTORY_DONE);
    assert_int_equal(available_of(contract, "A"), 8);
}

static void policy_replaces_the_whole_policy(void **state)
{
    struct contract *contract = begin(state);
    const struct stock_policy policy = {7, 2, 3, 4};
    assert_int_equal(call_set_policy(contract, "A", policy), INVENTORY_DONE);
    assert_int_equal(call_set_policy(contract, "A", safety(1)), INVENTORY_DONE);
    const struct stock_policy left = {0, 1, 0, 0};
    struct stock stock = stock_of(contract, "A");
    assert_memory_equal(&stock.policy, &left, sizeof left);
}

static void policy_leaves_no_ledger_entry_and_survives_a_restart(void **state)
{
    struct contract *contract = begin(state);
    assert_int_equal(call_set_policy(contract, "A", (struct stock_policy){7, 2, 3, 4}),
                     INVENTORY_DONE);
    assert_int_equal(call_reserve(contract, "h1", "A=4"), INVENTORY_DONE);
    assert_int_equal(call_set_policy(contract, "A", (struct stock_policy){7, 2, 3, 5}),
                     INVENTORY_DONE);
    assert_int_equal(entry_count_of(contract, "A"), 2);
    assert_ledger_matches(contract, "A");
    struct stock before = stock_of(contract, "A");
    contract_restart(contract);
    struct stock after = stock_of(contract, "A");
    assert_stocks_equal(&before, &after);
    assert_int_equal(call_verify(contract), INVENTORY_DONE);
    assert_int_equal(contract->call.command.verify_ledger.mismatch_count, 0);
}

static void safety_stock_is_never_promised(void **state)
{
    struct contract *contract = begin(state);
    assert_int_equal(call_set_policy(contract, "A", safety(3)), INVENTORY_DONE);
    assert_int_equal(call_reserve(contract, "h1", "A=8"), INVENTORY_INSUFFICIENT_STOCK);
    assert_int_equal(only_shortage(contract)->available_quantity, 7);
    assert_int_equal(call_reserve(contract, "h1", "A=7"), INVENTORY_DONE);
    assert_int_equal(call_reserve(contract, "h2", "A=1"), INVENTORY_INSUFFICIENT_STOCK);
    assert_int_equal(only_shortage(contract)->available_quantity, 0);
    assert_int_equal(call_commit(contract, "h1", NULL), INVENTORY_DONE);
    assert_stock(contract, "A", 3, 0);
    assert_int_equal(call_set_policy(contract, "A", safety(2)), INVENTORY_DONE);
    assert_int_equal(call_reserve(contract, "h2", "A=1"), INVENTORY_DONE);
}

static void safety_stock_may_exceed_what_is_there(void **state)
{
    struct contract *contract = begin(state);
    assert_int_equal(call_reserve(contract, "h1", "A=4"), INVENTORY_DONE);
    assert_int_equal(call_set_policy(contract, "A", safety(20)), INVENTORY_DONE);
    assert_int_equal(available_of(contract, "A"), -14);
    assert_int_equal(call_reserve(contract, "h2", "A=1"), INVENTORY_INSUFFICIENT_STOCK);
    assert_int_equal(only_shortage(contract)->available_quantity, -14);
    assert_int_equal(call_commit(contract, "h1", NULL), INVENTORY_DONE); /* a promise is kept */
}

static void backorder_is_granted_up_to_its_limit(void **state)
{
    struct contract *contract = begin(state);
    assert_int_equal(call_set_policy(contract, "A", backorder(5)), INVENTORY_DONE);
    assert_int_equal(call_reserve(contract, "h1", "A=16"), INVENTORY_INSUFFICIENT_STOCK);
    assert_int_equal(only_shortage(contract)->available_quantity, 10);
    assert_int_equal(call_reserve(contract, "h1", "A=12"), INVENTORY_DONE);
    assert_int_equal(answered_reservation(contract)->lines[0].backordered_quantity, 2);
    assert_int_equal(available_of(contract, "A"), -2);
    assert_int_equal(call_reserve(contract, "h2", "A=3"), INVENTORY_DONE);
    assert_int_equal(answered_reservation(contract)->lines[0].backordered_quantity, 3);
    assert_int_equal(call_reserve(contract, "h3", "A=1"), INVENTORY_INSUFFICIENT_STOCK);
    assert_stock(contract, "A", 10, 15);
    assert_ledger_matches(contract, "A");
}

static void backordered_quantity_stays_what_it_was_when_promised(void **state)
{
    struct contract *contract = begin(state);
    assert_int_equal(call_set_policy(contract, "A", backorder(5)), INVENTORY_DONE);
    assert_int_equal(call_reserve(contract, "h1", "A=12 B=5"), INVENTORY_DONE);
    assert_int_equal(call_receive(contract, "r3", "A", 100), INVENTORY_DONE);
    assert_int_equal(call_commit(contract, "h1", "A=12"), INVENTORY_DONE);
    contract_restart(contract);
    assert_int_equal(call_get_reservation(contract, "h1"), INVENTORY_DONE);
    assert_int_equal(answered_reservation(contract)->lines[0].backordered_quantity, 2);
    assert_int_equal(answered_reservation(contract)->lines[1].backordered_quantity, 0);
}

static void backorder_counts_behind_the_safety_stock(void **state)
{
    struct contract *contract = begin(state);
    const struct stock_policy policy = {.safety_stock = 4, .backorder_limit = 1};
    assert_int_equal(call_set_policy(contract, "A", policy), INVENTORY_DONE);
    assert_int_equal(call_reserve(contract, "h1", "A=8"), INVENTORY_INSUFFICIENT_STOCK);
    assert_int_equal(call_reserve(contract, "h1", "A=7"), INVENTORY_DONE);
    assert_int_equal(answered_reservation(contract)->lines[0].backordered_quantity, 1);
}

static void lower_backorder_limit_takes_no_promise_back(void **state)
{
    struct contract *contract = begin(state);
    assert_int_equal(call_set_policy(contract, "A", backorder(5)), INVENTORY_DONE);
    assert_int_equal(call_reserve(contract, "h1", "A=15"), INVENTORY_DONE);
    assert_int_equal(call_set_policy(contract, "A", backorder(0)), INVENTORY_DONE);
    assert_int_equal(call_commit(contract, "h1", NULL), INVENTORY_DONE);
    assert_stock(contract, "A", -5, 0);
    contract_restart(contract);
    assert_stock(contract, "A", -5, 0);
}

static void one_reservation_may_have_so_much_and_no_more(void **state)
{
    struct contract *contract = begin(state);
    const struct stock_policy policy = {.reservation_quantity_max = 3};
    assert_int_equal(call_set_policy(contract, "A", policy), INVENTORY_DONE);
    assert_int_equal(call_reserve(contract, "h1", "A=4"), INVENTORY_QUANTITY_LIMIT);
    assert_true(text_equals_string(contract->call.command.base.failed_sku, "A"));
    assert_int_equal(call_reserve_partly(contract, "h1", "A=4"), INVENTORY_QUANTITY_LIMIT);
    assert_int_equal(call_reserve(contract, "h1", "A=3"), INVENTORY_DONE);
    assert_int_equal(call_reserve(contract, "h2", "A=3"), INVENTORY_DONE);
    assert_stock(contract, "A", 10, 6);
}

static void quantity_limit_goes_between_unknown_sku_and_shortage(void **state)
{
    struct contract *contract = begin(state);
    const struct stock_policy policy = {.reservation_quantity_max = 3};
    assert_int_equal(call_set_policy(contract, "B", policy), INVENTORY_DONE);
    assert_int_equal(call_reserve(contract, "h1", "B=4 X=1"), INVENTORY_SKU_NOT_FOUND);
    assert_int_equal(call_reserve(contract, "h1", "A=11 B=4"), INVENTORY_QUANTITY_LIMIT);
    assert_true(text_equals_string(contract->call.command.base.failed_sku, "B"));
    assert_int_equal(call_reserve(contract, "h1", "A=11 B=3"), INVENTORY_INSUFFICIENT_STOCK);
}

static void refused_policies_are_told_by_field(void **state)
{
    struct contract *contract = begin(state);
    struct inventory_question question = {.kind = CALL_SET_STOCK_POLICY, .sku = text_of("A")};
    question.policy.safety_stock = -1;
    assert_true(call_is_invalid(contract, &question));
    question.policy.safety_stock = inventory_quantity_max + 1;
    assert_true(call_is_invalid(contract, &question));
    question.policy.safety_stock = 0;
    question.policy.reservation_quantity_max = INT64_MIN;
    assert_true(call_is_invalid(contract, &question));
    question.policy.reservation_quantity_max = 0;
    question.expected_revision = -1;
    assert_true(call_is_invalid(contract, &question));
    question.expected_revision = 0;
    question.sku = text_of(" A");
    assert_true(call_is_invalid(contract, &question));
}

static void partial_hold_gets_what_is_free_of_each_line(void **state)
{
    struct contract *contract = begin(state);
    assert_int_equal(call_receive(contract, "r3", "C", 1), INVENTORY_DONE);
    assert_int_equal(call_reserve(contract, "h0", "C=1"), INVENTORY_DONE);
    assert_int_equal(call_reserve_partly(contract, "h1", "A=4 B=8 C=2"), INVENTORY_DONE);
    const struct reservation *reservation = answered_reservation(contract);
    assert_int_equal(reservation->line_count, 2); /* nothing was free of C */
    assert_int_equal(reservation->lines[0].quantity, 4);
    assert_true(text_equals_string(reservation->lines[1].sku, "B"));
    assert_int_equal(reservation->lines[1].quantity, 5);
    assert_stock(contract, "A", 10, 4);
    assert_stock(contract, "B", 5, 5);
    assert_stock(contract, "C", 1, 1);
}

static void partial_hold_of_nothing_is_a_shortage_of_all(void **state)
{
    struct contract *contract = begin(state);
    assert_int_equal(call_reserve(contract, "h0", "A=10 B=5"), INVENTORY_DONE);
    assert_int_equal(call_reserve_partly(contract, "h1", "A=1 B=2"), INVENTORY_INSUFFICIENT_STOCK);
    assert_int_equal(contract->call.command.reserve.shortage_count, 2);
    assert_int_equal(call_get_reservation(contract, "h1"), INVENTORY_RESERVATION_NOT_FOUND);
}

static void partial_hold_takes_the_backorder_limit(void **state)
{
    struct contract *contract = begin(state);
    assert_int_equal(call_set_policy(contract, "A", backorder(5)), INVENTORY_DONE);
    assert_int_equal(call_reserve_partly(contract, "h1", "A=100"), INVENTORY_DONE);
    assert_int_equal(answered_reservation(contract)->lines[0].quantity, 15);
    assert_int_equal(answered_reservation(contract)->lines[0].backordered_quantity, 5);
}

static void partial_hold_sent_again_is_the_same_whatever_is_free_now(void **state)
{
    struct contract *contract = begin(state);
    assert_int_equal(call_reserve_partly(contract, "h1", "A=30 B=1"), INVENTORY_DONE);
    assert_int_equal(call_receive(contract, "r3", "A", 100), INVENTORY_DONE);
    assert_int_equal(call_reserve_partly(contract, "h1", "A=30 B=1"), INVENTORY_DONE);
    assert_int_equal(answered_reservation(contract)->lines[0].quantity, 10);
    assert_int_equal(call_reserve_partly(contract, "h1", "A=10 B=1"), INVENTORY_ID_REUSED);
    assert_int_equal(call_reserve(contract, "h1", "A=30 B=1"), INVENTORY_ID_REUSED);
    assert_int_equal(call_reserve(contract, "h1", "A=10 B=1"), INVENTORY_ID_REUSED);
    contract_restart(contract);
    assert_int_equal(call_reserve_partly(contract, "h1", "A=30 B=1"), INVENTORY_DONE);
    assert_int_equal(call_rollback(contract, "h1"), INVENTORY_DONE);
    assert_int_equal(call_reserve_partly(contract, "h1", "A=30 B=1"), INVENTORY_DONE);
    assert_int_equal(answered_reservation(contract)->state, RESERVATION_ROLLED_BACK);
    assert_stock(contract, "A", 110, 0);
}

static void partial_hold_that_got_everything_is_still_a_partial_one(void **state)
{
    struct contract *contract = begin(state);
    assert_int_equal(call_reserve_partly(contract, "h1", "A=2"), INVENTORY_DONE);
    assert_int_equal(call_reserve(contract, "h1", "A=2"), INVENTORY_ID_REUSED);
    assert_int_equal(call_reserve_partly(contract, "h1", "A=2"), INVENTORY_DONE);
}

static void commit_of_a_partial_hold_knows_the_lines_that_got_something(void **state)
{
    struct contract *contract = begin(state);
    assert_int_equal(call_reserve(contract, "h0", "B=5"), INVENTORY_DONE);
    assert_int_equal(call_reserve_partly(contract, "h1", "A=30 B=2"), INVENTORY_DONE);
    assert_int_equal(call_commit(contract, "h1", "B=1"), INVENTORY_LINES_NOT_HELD);
    assert_int_equal(call_commit(contract, "h1", "A=30"), INVENTORY_LINES_NOT_HELD);
    assert_int_equal(call_commit(contract, "h1", NULL), INVENTORY_DONE);
    assert_int_equal(answered_reservation(contract)->lines[0].committed_quantity, 10);
    assert_stock(contract, "A", 0, 0);
}

static void partial_hold_expires_as_any_other(void **state)
{
    struct contract *contract = begin(state);
    contract_needs(contract, CONTRACT_CLOCK);
    assert_int_equal(call_reserve_partly(contract, "h1", "A=30 B=30"), INVENTORY_DONE);
    contract_pass(contract, contract_ttl_us);
    assert_stock(contract, "A", 10, 0);
    assert_stock(contract, "B", 5, 0);
    assert_reservation(contract, "h1", RESERVATION_EXPIRED);
    assert_ledger_matches(contract, "B");
}

static const struct CMUnitTest cases[] = {
    cmocka_unit_test(policy_is_nothing_until_it_is_set),
    cmocka_unit_test(policy_is_part_of_the_stock),
    cmocka_unit_test(policy_of_an_unknown_sku_is_not_found),
    cmocka_unit_test(policy_set_again_changes_nothing),
    cmocka_unit_test(policy_asks_for_the_revision_it_expects),
    cmocka_unit_test(policy_replaces_the_whole_policy),
    cmocka_unit_test(policy_leaves_no_ledger_entry_and_survives_a_restart),
    cmocka_unit_test(safety_stock_is_never_promised),
    cmocka_unit_test(safety_stock_may_exceed_what_is_there),
    cmocka_unit_test(backorder_is_granted_up_to_its_limit),
    cmocka_unit_test(backordered_quantity_stays_what_it_was_when_promised),
    cmocka_unit_test(backorder_counts_behind_the_safety_stock),
    cmocka_unit_test(lower_backorder_limit_takes_no_promise_back),
    cmocka_unit_test(one_reservation_may_have_so_much_and_no_more),
    cmocka_unit_test(quantity_limit_goes_between_unknown_sku_and_shortage),
    cmocka_unit_test(refused_policies_are_told_by_field),
    cmocka_unit_test(partial_hold_gets_what_is_free_of_each_line),
    cmocka_unit_test(partial_hold_of_nothing_is_a_shortage_of_all),
    cmocka_unit_test(partial_hold_takes_the_backorder_limit),
    cmocka_unit_test(partial_hold_sent_again_is_the_same_whatever_is_free_now),
    cmocka_unit_test(partial_hold_that_got_everything_is_still_a_partial_one),
    cmocka_unit_test(commit_of_a_partial_hold_knows_the_lines_that_got_something),
    cmocka_unit_test(partial_hold_expires_as_any_other),
};

const struct contract_cases policy_cases = {cases, sizeof cases / sizeof cases[0]};
