/* What receipts and adjustments do to the stock of a SKU, and what they may not do. */
#include "tests/contract/inventory/contract_call.h"

#include "platform/base/memory.h"

#include <stdio.h>
#include <string.h>

static void first_receipt_creates_the_sku(void **state)
{
    struct contract *contract = *state;
    assert_int_equal(call_get_stock(contract, "A"), INVENTORY_SKU_NOT_FOUND);
    assert_int_equal(call_receive(contract, "r1", "A", 10), INVENTORY_DONE);
    struct stock answered = contract->call.command.receive_stock.stock;
    struct stock read = stock_of(contract, "A");
    assert_stocks_equal(&read, &answered);
    assert_int_equal(read.received, 10);
    assert_int_equal(read.returned, 0);
    assert_int_equal(read.adjusted, 0);
    assert_int_equal(read.committed, 0);
    assert_int_equal(read.reserved, 0);
    assert_int_equal(read.revision, 1);
}

static void receipts_add_up(void **state)
{
    struct contract *contract = *state;
    assert_int_equal(call_receive(contract, "r1", "A", 10), INVENTORY_DONE);
    assert_int_equal(call_receive(contract, "r2", "A", 1), INVENTORY_DONE);
    assert_int_equal(contract->call.command.receive_stock.stock.received, 11);
    assert_stock(contract, "A", 11, 0);
}

static void update_time_is_the_time_of_the_change(void **state)
{
    struct contract *contract = *state;
    contract_needs(contract, CONTRACT_CLOCK);
    int64_t start_us = contract_now_us(contract);
    assert_int_equal(call_receive(contract, "r1", "A", 10), INVENTORY_DONE);
    assert_int_equal(stock_of(contract, "A").update_time_us, start_us);
    contract_pass(contract, 7);
    assert_int_equal(stock_of(contract, "A").update_time_us, start_us);
    assert_int_equal(call_adjust(contract, "a1", "A", 1), INVENTORY_DONE);
    assert_int_equal(stock_of(contract, "A").update_time_us, start_us + 7);
}

static void unknown_sku_is_not_found_by_any_call(void **state)
{
    struct contract *contract = *state;
    assert_int_equal(call_get_stock(contract, "A"), INVENTORY_SKU_NOT_FOUND);
    assert_true(text_equals_string(contract->call.command.base.failed_sku, "A"));
    assert_int_equal(call_adjust(contract, "a1", "A", 1), INVENTORY_SKU_NOT_FOUND);
    assert_true(text_equals_string(contract->call.command.base.failed_sku, "A"));
    assert_int_equal(call_list(contract, "A", 0, 10), INVENTORY_SKU_NOT_FOUND);
    assert_true(text_equals_string(contract->call.command.base.failed_sku, "A"));
}

static void skus_differ_by_any_byte(void **state)
{
    struct contract *contract = *state;
    assert_int_equal(call_receive(contract, "r1", "sku", 1), INVENTORY_DONE);
    assert_int_equal(call_receive(contract, "r2", "SKU", 2), INVENTORY_DONE);
    assert_int_equal(call_receive(contract, "r3", "sk", 3), INVENTORY_DONE);
    assert_int_equal(call_receive(contract, "r4", "Schraube M8 × 20", 4), INVENTORY_DONE);
    assert_stock(contract, "sku", 1, 0);
    assert_stock(contract, "SKU", 2, 0);
    assert_stock(contract, "sk", 3, 0);
    assert_stock(contract, "Schraube M8 × 20", 4, 0);
}

static void longest_names_are_kept_whole(void **state)
{
    struct contract *contract = *state;
    char name[inventory_sku_bytes_max + 1];
    char lines[inventory_sku_bytes_max + 3];
    memset(name, 'x', inventory_sku_bytes_max);
    name[inventory_sku_bytes_max] = '\0';
    snprintf(lines, sizeof lines, "%s=1", name);
    assert_int_equal(call_receive(contract, name, name, 1), INVENTORY_DONE);
    name[inventory_sku_bytes_max - 1] = 'y'; /* differs in the last byte only */
    assert_int_equal(call_get_stock(contract, name), INVENTORY_SKU_NOT_FOUND);
    assert_int_equal(call_reserve(contract, name, lines), INVENTORY_DONE);
    assert_reservation(contract, name, RESERVATION_PENDING);
    name[inventory_sku_bytes_max - 1] = 'x';
    assert_int_equal(call_get_reservation(contract, name), INVENTORY_RESERVATION_NOT_FOUND);
    assert_stock(contract, name, 1, 1);
}

static void adjustment_corrects_on_hand_both_ways(void **state)
{
    struct contract *contract = *state;
    assert_int_equal(call_receive(contract, "r1", "A", 10), INVENTORY_DONE);
    assert_int_equal(call_adjust(contract, "a1", "A", -4), INVENTORY_DONE);
    assert_int_equal(contract->call.command.adjust_stock.stock.adjusted, -4);
    assert_stock(contract, "A", 6, 0);
    assert_int_equal(call_adjust(contract, "a2", "A", 9), INVENTORY_DONE);
    assert_int_equal(stock_of(contract, "A").adjusted, 5);
    assert_stock(contract, "A", 15, 0);
}

static void adjustment_never_takes_on_hand_below_zero(void **state)
{
    struct contract *contract = *state;
    assert_int_equal(call_receive(contract, "r1", "A", 10), INVENTORY_DONE);
    assert_int_equal(call_adjust(contract, "a1", "A", -11), INVENTORY_INSUFFICIENT_STOCK);
    const struct shortage *shortage = &contract->call.command.adjust_stock.shortage;
    assert_true(text_equals_string(shortage->sku, "A"));
    assert_int_equal(shortage->requested_quantity, 11);
    assert_int_equal(shortage->available_quantity, 10);
    assert_stock(contract, "A", 10, 0);
    assert_int_equal(call_adjust(contract, "a1", "A", -10), INVENTORY_DONE);
    assert_stock(contract, "A", 0, 0);
}

static void adjustment_may_go_below_what_is_reserved(void **state)
{
    struct contract *contract = *state;
    assert_int_equal(call_receive(contract, "r1", "A", 10), INVENTORY_DONE);
    assert_int_equal(call_reserve(contract, "h1", "A=8"), INVENTORY_DONE);
    assert_int_equal(call_adjust(contract, "a1", "A", -7), INVENTORY_DONE);
    assert_stock(contract, "A", 3, 8);
    assert_int_equal(call_reserve(contract, "h2", "A=1"), INVENTORY_INSUFFICIENT_STOCK);
    assert_int_equal(contract->call.command.reserve.shortages[0].available_quantity, -5);
}

static void commit_is_taken_though_on_hand_goes_below_zero(void **state)
{
    struct contract *contract = *state;
    assert_int_equal(call_receive(contract, "r1", "A", 10), INVENTORY_DONE);
    assert_int_equal(call_reserve(contract, "h1", "A=8"), INVENTORY_DONE);
    assert_int_equal(call_adjust(contract, "a1", "A", -10), INVENTORY_DONE);
    assert_int_equal(call_commit(contract, "h1", NULL), INVENTORY_DONE);
    assert_stock(contract, "A", -8, 0);
    assert_int_equal(call_adjust(contract, "a2", "A", -1), INVENTORY_INSUFFICIENT_STOCK);
    assert_int_equal(contract->call.command.adjust_stock.shortage.available_quantity, -8);
    assert_int_equal(call_adjust(contract, "a3", "A", 3), INVENTORY_DONE);
    assert_int_equal(call_receive(contract, "r2", "A", 6), INVENTORY_DONE);
    assert_stock(contract, "A", 1, 0);
}

/* Sends all receipts at once, for a store that syncs every answer would take its time. */
static void receive_up_to_the_limit(struct contract *contract, const char *sku)
{
    enum { receipt_count = 1000 };
    struct inventory_call *calls = memory_allocate_zero(receipt_count, sizeof *calls);
    assert_non_null(calls);
    for (int i = 0; i < receipt_count; i++) {
        char id[24];
        snprintf(id, sizeof id, "fill%d", i);
        struct inventory_question question = receive_question(id, sku, inventory_quantity_max);
        inventory_call_init(&calls[i], &question);
        inventory_call_start(&calls[i], contract->repository, &contract->executor.base);
    }
    for (int i = 0; i < receipt_count; i++) {
        while (!calls[i].is_answered) {
            contract->store->table->work(contract->store, &contract->executor);
            test_executor_run_all(&contract->executor);
        }
        assert_false(error_is(calls[i].error));
        assert_int_equal(calls[i].command.base.outcome, INVENTORY_DONE);
        inventory_call_deinit(&calls[i]);
    }
    memory_release(calls);
}

static void on_hand_is_limited_to_ten_to_the_fifteenth(void **state)
{
    struct contract *contract = *state;
    receive_up_to_the_limit(contract, "A");
    assert_stock(contract, "A", inventory_on_hand_max, 0);
    assert_int_equal(call_receive(contract, "r1", "A", 1), INVENTORY_ON_HAND_LIMIT);
    assert_int_equal(call_adjust(contract, "a1", "A", 1), INVENTORY_ON_HAND_LIMIT);
    assert_stock(contract, "A", inventory_on_hand_max, 0);
    assert_int_equal(call_adjust(contract, "a2", "A", -5), INVENTORY_DONE);
    assert_int_equal(call_receive(contract, "r1", "A", 6), INVENTORY_ON_HAND_LIMIT);
    assert_int_equal(call_receive(contract, "r1", "A", 5), INVENTORY_DONE);
    assert_stock(contract, "A", inventory_on_hand_max, 0);
    /* The limit is for what is there, not for what ever came. */
    assert_int_equal(call_reserve(contract, "h1", "A=1000000000000"), INVENTORY_DONE);
    assert_int_equal(call_receive(contract, "r2", "A", 1), INVENTORY_ON_HAND_LIMIT);
    assert_int_equal(call_commit(contract, "h1", NULL), INVENTORY_DONE);
    assert_int_equal(call_receive(contract, "r2", "A", inventory_quantity_max), INVENTORY_DONE);
    assert_stock(contract, "A", inventory_on_hand_max, 0);
}

static struct inventory_question adjust_if(const char *id, int64_t delta, int64_t revision)
{
    struct inventory_question question = adjust_question(id, "A", delta);
    question.expected_revision = revision;
    return question;
}

static void adjustment_asks_for_the_revision_it_expects(void **state)
{
    struct contract *contract = *state;
    assert_int_equal(call_receive(contract, "r1", "A", 10), INVENTORY_DONE);
    assert_int_equal(call_receive(contract, "r2", "A", 10), INVENTORY_DONE);
    struct stock present = stock_of(contract, "A");
    assert_int_equal(present.revision, 2);
    struct inventory_question question = adjust_if("a1", -1, 1);
    assert_int_equal(call_ask(contract, &question), INVENTORY_REVISION_MISMATCH);
    assert_stocks_equal(&present, &contract->call.command.adjust_stock.stock);
    question.expected_revision = 3;
    assert_int_equal(call_ask(contract, &question), INVENTORY_REVISION_MISMATCH);
    assert_stock(contract, "A", 20, 0);
    question.expected_revision = 2;
    assert_int_equal(call_ask(contract, &question), INVENTORY_DONE);
    assert_stock(contract, "A", 19, 0);
}

static void expected_revision_is_no_part_of_the_content(void **state)
{
    struct contract *contract = *state;
    assert_int_equal(call_receive(contract, "r1", "A", 10), INVENTORY_DONE);
    struct inventory_question question = adjust_if("a1", -1, 1);
    assert_int_equal(call_ask(contract, &question), INVENTORY_DONE);
    assert_int_equal(call_ask(contract, &question), INVENTORY_DONE); /* though it is 2 now */
    question.expected_revision = 0;
    assert_int_equal(call_ask(contract, &question), INVENTORY_DONE);
    assert_stock(contract, "A", 9, 0);
}

static void each_change_raises_the_revision_by_one(void **state)
{
    struct contract *contract = *state;
    contract_needs(contract, CONTRACT_CLOCK);
    assert_int_equal(call_receive(contract, "r1", "A", 10), INVENTORY_DONE);
    assert_int_equal(call_receive(contract, "r2", "B", 10), INVENTORY_DONE);
    assert_int_equal(call_adjust(contract, "a1", "A", 1), INVENTORY_DONE);
    assert_int_equal(revision_of(contract, "A"), 2);
    assert_int_equal(call_reserve(contract, "h1", "A=2 B=1"), INVENTORY_DONE);
    assert_int_equal(revision_of(contract, "A"), 3);
    assert_int_equal(call_commit(contract, "h1", "A=1"), INVENTORY_DONE);
    assert_int_equal(revision_of(contract, "A"), 4);
    assert_int_equal(call_reserve(contract, "h2", "A=2"), INVENTORY_DONE);
    assert_int_equal(call_rollback(contract, "h2"), INVENTORY_DONE);
    assert_int_equal(revision_of(contract, "A"), 6);
    assert_int_equal(call_reserve(contract, "h3", "A=2"), INVENTORY_DONE);
    contract_pass(contract, contract_ttl_us);
    assert_int_equal(revision_of(contract, "A"), 8);
    assert_int_equal(revision_of(contract, "B"), 3); /* received, held, freed */
}

static void reads_repeats_and_refusals_leave_the_stock_as_it_is(void **state)
{
    struct contract *contract = *state;
    assert_int_equal(call_receive(contract, "r1", "A", 10), INVENTORY_DONE);
    assert_int_equal(call_reserve(contract, "h1", "A=2"), INVENTORY_DONE);
    assert_int_equal(call_rollback(contract, "h1"), INVENTORY_DONE);
    struct stock before = stock_of(contract, "A");
    size_t entries = entry_count_of(contract, "A");
    contract_pass(contract, 1);
    assert_int_equal(call_receive(contract, "r1", "A", 10), INVENTORY_DONE);
    assert_int_equal(call_receive(contract, "r1", "A", 9), INVENTORY_ID_REUSED);
    assert_int_equal(call_adjust(contract, "a1", "A", -11), INVENTORY_INSUFFICIENT_STOCK);
    assert_int_equal(call_reserve(contract, "h1", "A=2"), INVENTORY_DONE);
    assert_int_equal(call_reserve(contract, "h2", "A=11"), INVENTORY_INSUFFICIENT_STOCK);
    assert_int_equal(call_reserve(contract, "h3", "A=1 X=1"), INVENTORY_SKU_NOT_FOUND);
    assert_int_equal(call_commit(contract, "h1", NULL), INVENTORY_RESERVATION_ROLLED_BACK);
    assert_int_equal(call_rollback(contract, "h1"), INVENTORY_DONE);
    struct stock after = stock_of(contract, "A");
    assert_stocks_equal(&before, &after);
    assert_int_equal(entry_count_of(contract, "A"), entries);
}

static const struct CMUnitTest cases[] = {
    cmocka_unit_test(first_receipt_creates_the_sku),
    cmocka_unit_test(receipts_add_up),
    cmocka_unit_test(update_time_is_the_time_of_the_change),
    cmocka_unit_test(unknown_sku_is_not_found_by_any_call),
    cmocka_unit_test(skus_differ_by_any_byte),
    cmocka_unit_test(longest_names_are_kept_whole),
    cmocka_unit_test(adjustment_corrects_on_hand_both_ways),
    cmocka_unit_test(adjustment_never_takes_on_hand_below_zero),
    cmocka_unit_test(adjustment_may_go_below_what_is_reserved),
    cmocka_unit_test(commit_is_taken_though_on_hand_goes_below_zero),
    cmocka_unit_test(on_hand_is_limited_to_ten_to_the_fifteenth),
    cmocka_unit_test(adjustment_asks_for_the_revision_it_expects),
    cmocka_unit_test(expected_revision_is_no_part_of_the_content),
    cmocka_unit_test(each_change_raises_the_revision_by_one),
    cmocka_unit_test(reads_repeats_and_refusals_leave_the_stock_as_it_is),
};

const struct contract_cases stock_cases = {cases, sizeof cases / sizeof cases[0]};
