/* On hand that follows the warehouse's shelves: each movement once, whatever is sent again. */
#include "tests/contract/inventory/contract_call.h"

static const char log_one[] = "log-one";

static struct contract *begin(void **state)
{
    struct contract *contract = *state;
    const struct contract_settings settings = {
        .retention_us = 10 * contract_second_us,
        .committed_retention_us = 100 * contract_second_us,
        .ids_max = 1000,
        .is_fed = true,
    };
    contract_reopen(contract, &settings);
    return contract;
}

static void follow(struct contract *contract, const char *log, uint64_t position, const char *id,
                   const char *sku, int64_t quantity)
{
    struct inventory_question question = {
        .kind = CALL_FOLLOW_SHELF,
        .id = text_of(id),
        .sku = text_of(sku),
        .quantity = quantity,
        .is_receipt = id[0] == 'i',
        .note = text_of(id[0] == 'i' ? "" : "ADJUSTMENT"),
        .shelf_log = text_of(log),
        .shelf_position = position,
    };
    assert_int_equal(call_ask(contract, &question), INVENTORY_DONE);
}

static void assert_place(struct contract *contract, const char *log, uint64_t position)
{
    const struct inventory_question question = {.kind = CALL_GET_SHELF_PLACE};
    assert_int_equal(call_ask(contract, &question), INVENTORY_DONE);
    const struct shelf_place *place = &contract->call.command.get_shelf_place.place;
    assert_true(text_equals_string(place->log, log));
    assert_int_equal(place->position, position);
}

static void own_receipts_and_adjustments_are_refused(void **state)
{
    struct contract *contract = begin(state);
    assert_int_equal(call_receive(contract, "r1", "A", 10), INVENTORY_FED_BY_WAREHOUSE);
    assert_int_equal(call_get_stock(contract, "A"), INVENTORY_SKU_NOT_FOUND);
    follow(contract, log_one, 5, "i1", "A", 10);
    assert_int_equal(call_adjust(contract, "a1", "A", -1), INVENTORY_FED_BY_WAREHOUSE);
    assert_stock(contract, "A", 10, 0);
}

static void only_what_never_left_comes_back_by_a_return(void **state)
{
    struct contract *contract = begin(state);
    static const enum return_reason left[] = {RETURN_CUSTOMER, RETURN_OTHER};
    static const enum return_reason never_left[] = {RETURN_CANCELLED, RETURN_SHORT_PICK};
    follow(contract, log_one, 5, "i1", "A", 10);
    assert_int_equal(call_reserve(contract, "h1", "A=2"), INVENTORY_DONE);
    assert_int_equal(call_commit(contract, "h1", NULL), INVENTORY_DONE);
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(call_return_because(contract, "b1", "h1", "A=1", left[i]),
                         INVENTORY_FED_BY_WAREHOUSE);
    assert_stock(contract, "A", 8, 0);
    for (size_t i = 0; i < 2; i++) /* the refusals left no trace of b1 */
        assert_int_equal(
            call_return_because(contract, i == 0 ? "b1" : "b2", "h1", "A=1", never_left[i]),
            INVENTORY_DONE);
    assert_int_equal(call_return_because(contract, "b2", "h1", "A=1", RETURN_CUSTOMER),
                     INVENTORY_ID_REUSED);
    assert_stock(contract, "A", 10, 0);
    contract_restart(contract);
    assert_stock(contract, "A", 10, 0);
    assert_ledger_matches(contract, "A");
}

static void movements_change_on_hand(void **state)
{
    struct contract *contract = begin(state);
    assert_place(contract, "", 0);
    follow(contract, log_one, 5, "i1", "A", 10);
    follow(contract, log_one, 9, "o1", "A", -3);
    follow(contract, log_one, 12, "a1", "B", 2); /* found, of a SKU that never came */
    assert_stock(contract, "A", 7, 0);
    assert_stock(contract, "B", 2, 0);
    assert_int_equal(stock_of(contract, "A").received, 10);
    assert_int_equal(stock_of(contract, "A").adjusted, -3);
    assert_place(contract, log_one, 12);
    assert_ledger_matches(contract, "A");
    assert_int_equal(call_reserve(contract, "h1", "A=7"), INVENTORY_DONE);
    assert_int_equal(call_commit(contract, "h1", NULL), INVENTORY_DONE);
    assert_int_equal(call_return(contract, "b1", "h1", "A=1"), INVENTORY_DONE);
    assert_stock(contract, "A", 1, 0);
}

static void movements_sent_again_have_one_effect(void **state)
{
    struct contract *contract = begin(state);
    follow(contract, log_one, 5, "i1", "A", 10);
    follow(contract, log_one, 9, "o1", "A", -3);
    follow(contract, log_one, 5, "i1", "A", 10);
    follow(contract, log_one, 9, "o1", "A", -3);
    assert_stock(contract, "A", 7, 0);
    contract_restart(contract);
    assert_place(contract, log_one, 9);
    follow(contract, log_one, 9, "o1", "A", -3);
    assert_stock(contract, "A", 7, 0);
    assert_int_equal(revision_of(contract, "A"), 2);
}

static void movement_known_by_its_id_only_moves_the_place(void **state)
{
    struct contract *contract = begin(state);
    follow(contract, log_one, 5, "i1", "A", 10);
    follow(contract, "log-two", 2, "i1", "A", 10); /* the log was made anew */
    assert_stock(contract, "A", 10, 0);
    assert_place(contract, "log-two", 2);
    follow(contract, "log-two", 3, "i2", "A", 1);
    assert_stock(contract, "A", 11, 0);
}

static void place_moves_on_where_nothing_happened(void **state)
{
    struct contract *contract = begin(state);
    follow(contract, log_one, 5, "i1", "A", 10);
    follow(contract, log_one, 700, "", "", 0);
    assert_place(contract, log_one, 700);
    contract_restart(contract);
    assert_place(contract, log_one, 700);
    follow(contract, log_one, 600, "i2", "A", 1); /* before the place */
    assert_stock(contract, "A", 10, 0);
    assert_int_equal(call_verify(contract), INVENTORY_DONE);
    assert_int_equal(contract->call.command.verify_ledger.mismatch_count, 0);
}

static void the_shelf_is_the_truth_below_zero_too(void **state)
{
    struct contract *contract = begin(state);
    follow(contract, log_one, 5, "i1", "A", 10);
    assert_int_equal(call_reserve(contract, "h1", "A=10"), INVENTORY_DONE);
    assert_int_equal(call_commit(contract, "h1", NULL), INVENTORY_DONE);
    follow(contract, log_one, 6, "a1", "A", -2); /* of what is still on the shelf */
    assert_stock(contract, "A", -2, 0);
    contract_restart(contract);
    assert_stock(contract, "A", -2, 0);
    assert_ledger_matches(contract, "A");
}

static void the_reconciler_may_post_corrections(void **state)
{
    struct contract *contract = begin(state);
    struct inventory_question question = adjust_question("reconcile:1", "A", 4);
    follow(contract, log_one, 5, "i1", "A", 10);
    assert_int_equal(call_ask(contract, &question), INVENTORY_FED_BY_WAREHOUSE); /* no correction */
    question.reason = ADJUSTMENT_CORRECTION;
    question.expected_revision = 2;
    assert_int_equal(call_ask(contract, &question), INVENTORY_REVISION_MISMATCH);
    question.expected_revision = 1;
    assert_int_equal(call_ask(contract, &question), INVENTORY_DONE);
    assert_int_equal(call_ask(contract, &question), INVENTORY_DONE);
    assert_stock(contract, "A", 14, 0);
    contract_restart(contract);
    assert_stock(contract, "A", 14, 0);
}

static const struct CMUnitTest cases[] = {
    cmocka_unit_test(own_receipts_and_adjustments_are_refused),
    cmocka_unit_test(only_what_never_left_comes_back_by_a_return),
    cmocka_unit_test(movements_change_on_hand),
    cmocka_unit_test(movements_sent_again_have_one_effect),
    cmocka_unit_test(movement_known_by_its_id_only_moves_the_place),
    cmocka_unit_test(place_moves_on_where_nothing_happened),
    cmocka_unit_test(the_shelf_is_the_truth_below_zero_too),
    cmocka_unit_test(the_reconciler_may_post_corrections),
};

const struct contract_cases shelf_cases = {cases, sizeof cases / sizeof cases[0]};
