/* A store that was closed and opened again answers every question as before. */
#include "tests/contract/inventory/contract_call.h"

enum { questions_max = 16 };

static void make_history(struct contract *contract)
{
    struct quantity_line lines[] = {{text_of("A"), 2}, {text_of("B"), 1}};
    struct inventory_question full = reserve_question("full", lines, 2);
    struct inventory_question adjust = adjust_question("a1", "A", -3);
    full.order_id = text_of("order");
    full.customer_id = text_of("customer");
    adjust.reason = ADJUSTMENT_DAMAGE;
    adjust.note = text_of("fell off the shelf");
    assert_int_equal(call_receive(contract, "r1", "A", 100), INVENTORY_DONE);
    assert_int_equal(call_receive(contract, "r2", "B", 50), INVENTORY_DONE);
    assert_int_equal(call_ask(contract, &adjust), INVENTORY_DONE);
    assert_int_equal(call_ask(contract, &full), INVENTORY_DONE);
    assert_int_equal(call_reserve(contract, "committed", "A=5 B=5"), INVENTORY_DONE);
    assert_int_equal(call_commit(contract, "committed", "B=4"), INVENTORY_DONE);
    assert_int_equal(call_reserve(contract, "rolled-back", "B=7"), INVENTORY_DONE);
    assert_int_equal(call_rollback(contract, "rolled-back"), INVENTORY_DONE);
    assert_int_equal(call_reserve_for(contract, "expired", contract_second_us, "A=1"),
                     INVENTORY_DONE);
    contract_pass(contract, contract_second_us);
    assert_reservation(contract, "expired", RESERVATION_EXPIRED);
}

static size_t questions_about_everything(struct inventory_question *questions)
{
    static const char *const ids[] = {"full", "committed", "rolled-back", "expired", "unknown"};
    static const char *const skus[] = {"A", "B", "UNKNOWN"};
    size_t count = 0;
    for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++)
        questions[count++] =
            (struct inventory_question){.kind = CALL_GET_RESERVATION, .id = text_of(ids[i])};
    for (size_t i = 0; i < sizeof skus / sizeof skus[0]; i++) {
        questions[count++] =
            (struct inventory_question){.kind = CALL_GET_STOCK, .sku = text_of(skus[i])};
        questions[count++] = list_question(skus[i], 0, 1000);
    }
    questions[count++] = (struct inventory_question){.kind = CALL_VERIFY_LEDGER};
    return count;
}

/* Takes the answer of the latest call out of the contract. */
static void keep_answer(struct contract *contract, struct inventory_call *kept)
{
    *kept = contract->call;
    contract->has_call = false;
}

static void restart_keeps_everything(void **state)
{
    struct contract *contract = *state;
    struct inventory_question questions[questions_max];
    struct inventory_call before[questions_max];
    struct buffer difference;
    size_t count = questions_about_everything(questions);
    make_history(contract);
    buffer_init(&difference, 256);
    for (size_t i = 0; i < count; i++) {
        call_ask(contract, &questions[i]);
        keep_answer(contract, &before[i]);
    }
    for (int restart = 0; restart < 2; restart++) {
        contract_restart(contract);
        for (size_t i = 0; i < count; i++) {
            call_ask(contract, &questions[i]);
            if (!inventory_call_answers_equal(&before[i], &contract->call, &difference))
                fail_msg("question %zu: %.*s", i, (int)difference.size, difference.data);
        }
    }
    for (size_t i = 0; i < count; i++)
        inventory_call_deinit(&before[i]);
    buffer_deinit(&difference);
}

static void work_goes_on_after_a_restart(void **state)
{
    struct contract *contract = *state;
    make_history(contract);
    int64_t revision = revision_of(contract, "A");
    contract_restart(contract);
    assert_int_equal(call_commit(contract, "full", "A=2"), INVENTORY_DONE);
    assert_int_equal(revision_of(contract, "A"), revision + 1);
    assert_int_equal(call_reserve(contract, "new", "A=95"), INVENTORY_DONE);
    assert_int_equal(call_reserve(contract, "newer", "A=1"), INVENTORY_INSUFFICIENT_STOCK);
    assert_stock(contract, "A", 95, 95);
    assert_ledger_matches(contract, "A");
    contract_restart(contract);
    assert_stock(contract, "A", 95, 95);
    assert_ledger_matches(contract, "A");
    assert_ledger_matches(contract, "B");
}

static void empty_store_can_be_restarted(void **state)
{
    struct contract *contract = *state;
    contract_restart(contract);
    assert_int_equal(call_get_stock(contract, "A"), INVENTORY_SKU_NOT_FOUND);
    assert_int_equal(call_receive(contract, "r1", "A", 1), INVENTORY_DONE);
}

static void pending_hold_lives_through_a_restart_and_expires_in_time(void **state)
{
    struct contract *contract = *state;
    contract_needs(contract, CONTRACT_CLOCK);
    assert_int_equal(call_receive(contract, "r1", "A", 10), INVENTORY_DONE);
    assert_int_equal(call_reserve(contract, "h1", "A=4"), INVENTORY_DONE);
    contract_pass(contract, contract_ttl_us - 1);
    contract_restart(contract);
    assert_stock(contract, "A", 10, 4);
    contract_pass(contract, 1);
    assert_stock(contract, "A", 10, 0);
}

static const struct CMUnitTest cases[] = {
    cmocka_unit_test(restart_keeps_everything),
    cmocka_unit_test(work_goes_on_after_a_restart),
    cmocka_unit_test(empty_store_can_be_restarted),
    cmocka_unit_test(pending_hold_lives_through_a_restart_and_expires_in_time),
};

const struct contract_cases restart_cases = {cases, sizeof cases / sizeof cases[0]};
