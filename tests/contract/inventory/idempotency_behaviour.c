/* Every write may be sent again, and an id means one thing only. */
#include "tests/contract/inventory/contract_call.h"

static struct contract *begin(void **state)
{
    struct contract *contract = *state;
    assert_int_equal(call_receive(contract, "r1", "A", 10), INVENTORY_DONE);
    assert_int_equal(call_receive(contract, "r2", "B", 5), INVENTORY_DONE);
    return contract;
}

static void receipt_sent_again_gives_the_stock_as_it_is_now(void **state)
{
    struct contract *contract = begin(state);
    assert_int_equal(call_adjust(contract, "a1", "A", -3), INVENTORY_DONE);
    struct stock present = stock_of(contract, "A");
    assert_int_equal(call_receive(contract, "r1", "A", 10), INVENTORY_DONE);
    assert_stocks_equal(&present, &contract->call.command.receive_stock.stock);
    assert_stock(contract, "A", 7, 0);
}

static void receipt_of_other_content_is_refused(void **state)
{
    struct contract *contract = begin(state);
    assert_int_equal(call_receive(contract, "r1", "A", 9), INVENTORY_ID_REUSED);
    assert_int_equal(call_receive(contract, "r1", "B", 10), INVENTORY_ID_REUSED);
    assert_int_equal(call_receive(contract, "r1", "NEW", 10), INVENTORY_ID_REUSED);
    assert_int_equal(call_get_stock(contract, "NEW"), INVENTORY_SKU_NOT_FOUND);
    assert_stock(contract, "A", 10, 0);
    assert_stock(contract, "B", 5, 0);
}

static void adjustment_sent_again_gives_the_stock_as_it_is_now(void **state)
{
    struct contract *contract = begin(state);
    assert_int_equal(call_adjust(contract, "a1", "A", -3), INVENTORY_DONE);
    assert_int_equal(call_receive(contract, "r3", "A", 1), INVENTORY_DONE);
    struct stock present = stock_of(contract, "A");
    assert_int_equal(call_adjust(contract, "a1", "A", -3), INVENTORY_DONE);
    assert_stocks_equal(&present, &contract->call.command.adjust_stock.stock);
    assert_stock(contract, "A", 8, 0);
}

static void adjustment_sent_again_is_no_new_decision(void **state)
{
    struct contract *contract = begin(state);
    assert_int_equal(call_adjust(contract, "a1", "A", -10), INVENTORY_DONE);
    assert_int_equal(call_adjust(contract, "a1", "A", -10), INVENTORY_DONE); /* 0 are there */
    assert_stock(contract, "A", 0, 0);
}

static void adjustment_of_other_content_is_refused(void **state)
{
    struct contract *contract = begin(state);
    struct inventory_question question = adjust_question("a1", "A", -3);
    question.note = text_of("rack 7");
    assert_int_equal(call_ask(contract, &question), INVENTORY_DONE);
    question.quantity = 3;
    assert_int_equal(call_ask(contract, &question), INVENTORY_ID_REUSED);
    question.quantity = -3;
    question.sku = text_of("B");
    assert_int_equal(call_ask(contract, &question), INVENTORY_ID_REUSED);
    question.sku = text_of("UNKNOWN");
    assert_int_equal(call_ask(contract, &question), INVENTORY_ID_REUSED);
    question.sku = text_of("A");
    question.reason = ADJUSTMENT_LOSS;
    assert_int_equal(call_ask(contract, &question), INVENTORY_ID_REUSED);
    question.reason = ADJUSTMENT_COUNT;
    question.note = text_of("rack 8");
    assert_int_equal(call_ask(contract, &question), INVENTORY_ID_REUSED);
    question.note = text_of("");
    assert_int_equal(call_ask(contract, &question), INVENTORY_ID_REUSED);
    question.note = text_of("rack 7");
    assert_int_equal(call_ask(contract, &question), INVENTORY_DONE);
    assert_stock(contract, "A", 7, 0);
}

/* h1 with everything set. */
static struct inventory_question full_reserve(struct quantity_line lines[3])
{
    lines[0] = (struct quantity_line){text_of("A"), 2};
    lines[1] = (struct quantity_line){text_of("B"), 1};
    lines[2] = (struct quantity_line){text_of("C"), 1};
    struct inventory_question question = reserve_question("h1", lines, 2);
    question.order_id = text_of("order");
    question.customer_id = text_of("customer");
    return question;
}

static void reservation_of_other_content_is_refused(void **state)
{
    struct contract *contract = begin(state);
    struct quantity_line lines[3];
    struct inventory_question same = full_reserve(lines);
    assert_int_equal(call_ask(contract, &same), INVENTORY_DONE);
    struct inventory_question other = same;
    other.order_id = text_of("");
    assert_int_equal(call_ask(contract, &other), INVENTORY_ID_REUSED);
    other = same;
    other.customer_id = text_of("customer2");
    assert_int_equal(call_ask(contract, &other), INVENTORY_ID_REUSED);
    other = same;
    other.ttl_us += 1;
    assert_int_equal(call_ask(contract, &other), INVENTORY_ID_REUSED);
    other = same;
    other.line_count = 1; /* a line less */
    assert_int_equal(call_ask(contract, &other), INVENTORY_ID_REUSED);
    other.line_count = 3; /* a line more, of an unknown SKU */
    assert_int_equal(call_ask(contract, &other), INVENTORY_ID_REUSED);
    other.line_count = 2;
    lines[1].quantity = 2;
    assert_int_equal(call_ask(contract, &other), INVENTORY_ID_REUSED);
    lines[1] = (struct quantity_line){text_of("C"), 1};
    assert_int_equal(call_ask(contract, &other), INVENTORY_ID_REUSED);
    same = full_reserve(lines);
    assert_int_equal(call_ask(contract, &same), INVENTORY_DONE);
    assert_stock(contract, "A", 10, 2);
    assert_stock(contract, "B", 5, 1);
}

static void reserve_sent_again_tells_what_became_of_it(void **state)
{
    struct contract *contract = begin(state);
    contract_needs(contract, CONTRACT_CLOCK);
    assert_int_equal(call_reserve(contract, "h1", "A=1"), INVENTORY_DONE);
    assert_int_equal(call_reserve(contract, "h2", "A=1"), INVENTORY_DONE);
    assert_int_equal(call_reserve(contract, "h3", "A=1"), INVENTORY_DONE);
    assert_int_equal(call_commit(contract, "h1", NULL), INVENTORY_DONE);
    assert_int_equal(call_rollback(contract, "h2"), INVENTORY_DONE);
    contract_pass(contract, contract_ttl_us);
    assert_int_equal(call_reserve(contract, "h1", "A=1"), INVENTORY_DONE);
    assert_int_equal(answered_reservation(contract)->state, RESERVATION_COMMITTED);
    assert_int_equal(answered_reservation(contract)->lines[0].committed_quantity, 1);
    assert_int_equal(call_reserve(contract, "h2", "A=1"), INVENTORY_DONE);
    assert_int_equal(answered_reservation(contract)->state, RESERVATION_ROLLED_BACK);
    assert_int_equal(call_reserve(contract, "h3", "A=1"), INVENTORY_DONE);
    assert_int_equal(answered_reservation(contract)->state, RESERVATION_EXPIRED);
    assert_int_equal(call_reserve(contract, "h1", "A=2"), INVENTORY_ID_REUSED);
    assert_int_equal(call_reserve(contract, "h2", "A=2"), INVENTORY_ID_REUSED);
    assert_int_equal(call_reserve(contract, "h3", "A=2"), INVENTORY_ID_REUSED);
    assert_stock(contract, "A", 9, 0);
}

static void refused_reserve_is_decided_anew(void **state)
{
    struct contract *contract = begin(state);
    assert_int_equal(call_reserve(contract, "h1", "A=11"), INVENTORY_INSUFFICIENT_STOCK);
    assert_int_equal(call_receive(contract, "r3", "A", 1), INVENTORY_DONE);
    assert_int_equal(call_reserve(contract, "h1", "A=11"), INVENTORY_DONE);
    assert_stock(contract, "A", 11, 11);
}

static void refused_id_is_free_for_other_content(void **state)
{
    struct contract *contract = begin(state);
    assert_int_equal(call_reserve(contract, "h1", "A=11"), INVENTORY_INSUFFICIENT_STOCK);
    assert_int_equal(call_reserve(contract, "h1", "A=3"), INVENTORY_DONE);
    assert_int_equal(call_adjust(contract, "a1", "A", -11), INVENTORY_INSUFFICIENT_STOCK);
    assert_int_equal(call_adjust(contract, "a1", "A", -1), INVENTORY_DONE);
    assert_int_equal(call_adjust(contract, "a2", "UNKNOWN", 1), INVENTORY_SKU_NOT_FOUND);
    assert_int_equal(call_adjust(contract, "a2", "A", 1), INVENTORY_DONE);
    assert_stock(contract, "A", 10, 3);
}

static void ids_of_different_things_never_meet(void **state)
{
    struct contract *contract = begin(state);
    assert_int_equal(call_receive(contract, "x", "A", 10), INVENTORY_DONE);
    assert_int_equal(call_adjust(contract, "x", "A", -1), INVENTORY_DONE);
    assert_int_equal(call_reserve(contract, "x", "A=4"), INVENTORY_DONE);
    assert_stock(contract, "A", 19, 4);
    assert_int_equal(call_get_reservation(contract, "r1"), INVENTORY_RESERVATION_NOT_FOUND);
}

static void ids_differ_by_any_byte(void **state)
{
    struct contract *contract = begin(state);
    assert_int_equal(call_reserve(contract, "a.b:c_d-1", "A=1"), INVENTORY_DONE);
    assert_int_equal(call_reserve(contract, "A.b:c_d-1", "A=1"), INVENTORY_DONE);
    assert_int_equal(call_reserve(contract, "a.b:c_d-", "A=1"), INVENTORY_DONE);
    assert_stock(contract, "A", 10, 3);
}

static void repeats_are_known_after_a_restart(void **state)
{
    struct contract *contract = begin(state);
    assert_int_equal(call_adjust(contract, "a1", "A", -3), INVENTORY_DONE);
    assert_int_equal(call_reserve(contract, "h1", "A=1"), INVENTORY_DONE);
    assert_int_equal(call_reserve(contract, "h2", "A=1"), INVENTORY_DONE);
    assert_int_equal(call_reserve(contract, "h3", "A=2"), INVENTORY_DONE);
    assert_int_equal(call_rollback(contract, "h2"), INVENTORY_DONE);
    assert_int_equal(call_commit(contract, "h3", "A=1"), INVENTORY_DONE);
    struct stock before = stock_of(contract, "A");
    contract_restart(contract);
    assert_int_equal(call_receive(contract, "r1", "A", 10), INVENTORY_DONE);
    assert_int_equal(call_adjust(contract, "a1", "A", -3), INVENTORY_DONE);
    assert_int_equal(call_reserve(contract, "h1", "A=1"), INVENTORY_DONE);
    assert_int_equal(answered_reservation(contract)->state, RESERVATION_PENDING);
    assert_int_equal(call_reserve(contract, "h2", "A=1"), INVENTORY_DONE);
    assert_int_equal(answered_reservation(contract)->state, RESERVATION_ROLLED_BACK);
    assert_int_equal(call_rollback(contract, "h2"), INVENTORY_DONE);
    assert_int_equal(call_commit(contract, "h3", "A=1"), INVENTORY_DONE);
    assert_int_equal(call_commit(contract, "h3", NULL), INVENTORY_RESERVATION_COMMITTED);
    struct stock after = stock_of(contract, "A");
    assert_stocks_equal(&before, &after);
}

static void reused_ids_are_refused_after_a_restart(void **state)
{
    struct contract *contract = begin(state);
    assert_int_equal(call_adjust(contract, "a1", "A", -3), INVENTORY_DONE);
    assert_int_equal(call_reserve(contract, "h1", "A=1"), INVENTORY_DONE);
    assert_int_equal(call_reserve(contract, "h2", "A=1"), INVENTORY_DONE);
    assert_int_equal(call_rollback(contract, "h2"), INVENTORY_DONE);
    contract_restart(contract);
    assert_int_equal(call_receive(contract, "r1", "A", 9), INVENTORY_ID_REUSED);
    assert_int_equal(call_adjust(contract, "a1", "A", -2), INVENTORY_ID_REUSED);
    assert_int_equal(call_reserve(contract, "h1", "A=2"), INVENTORY_ID_REUSED);
    assert_int_equal(call_reserve(contract, "h2", "A=2"), INVENTORY_ID_REUSED);
}

static const struct CMUnitTest cases[] = {
    cmocka_unit_test(receipt_sent_again_gives_the_stock_as_it_is_now),
    cmocka_unit_test(receipt_of_other_content_is_refused),
    cmocka_unit_test(adjustment_sent_again_gives_the_stock_as_it_is_now),
    cmocka_unit_test(adjustment_sent_again_is_no_new_decision),
    cmocka_unit_test(adjustment_of_other_content_is_refused),
    cmocka_unit_test(reservation_of_other_content_is_refused),
    cmocka_unit_test(reserve_sent_again_tells_what_became_of_it),
    cmocka_unit_test(refused_reserve_is_decided_anew),
    cmocka_unit_test(refused_id_is_free_for_other_content),
    cmocka_unit_test(ids_of_different_things_never_meet),
    cmocka_unit_test(ids_differ_by_any_byte),
    cmocka_unit_test(repeats_are_known_after_a_restart),
    cmocka_unit_test(reused_ids_are_refused_after_a_restart),
};

const struct contract_cases idempotency_cases = {cases, sizeof cases / sizeof cases[0]};
