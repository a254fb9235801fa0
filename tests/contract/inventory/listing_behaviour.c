/* Many stocks at once: by name, and by state, page by page. */
#include "tests/contract/inventory/contract_call.h"

#include <stdio.h>
#include <string.h>

enum { many = 57 };

static void receive_many(struct contract *contract)
{
    for (int i = 0; i < many; i++) {
        char name[16];
        snprintf(name, sizeof name, "S%03d", i * 37 % many); /* in no order */
        assert_int_equal(call_receive(contract, name, name, 1 + i % 5), INVENTORY_DONE);
    }
}

static enum inventory_outcome batch(struct contract *contract, const char *skus)
{
    struct quantity_line lines[inventory_lines_max];
    struct inventory_question question = {
        .kind = CALL_BATCH_GET_STOCK,
        .lines = lines,
        .line_count = parse_lines(skus, lines),
    };
    return call_ask(contract, &question);
}

static void batch_answers_each_sku_once(void **state)
{
    struct contract *contract = *state;
    assert_int_equal(call_receive(contract, "r1", "A", 10), INVENTORY_DONE);
    assert_int_equal(call_receive(contract, "r2", "C", 3), INVENTORY_DONE);
    assert_int_equal(batch(contract, "A=1 B=1 C=1 D=1"), INVENTORY_DONE);
    const struct batch_get_stock_command *answer = &contract->call.command.batch_get_stock;
    assert_int_equal(answer->stock_count, 2);
    assert_true(text_equals_string(answer->stocks[0].sku, "A"));
    assert_int_equal(answer->stocks[0].stock.received, 10);
    assert_true(text_equals_string(answer->stocks[1].sku, "C"));
    assert_int_equal(answer->missing_count, 2);
    assert_true(text_equals_string(answer->missing[0], "B"));
    assert_true(text_equals_string(answer->missing[1], "D"));
}

static void batch_names_a_sku_twice_and_is_answered_once(void **state)
{
    struct contract *contract = *state;
    struct quantity_line lines[] = {{text_of("B"), 1}, {text_of("A"), 1}, {text_of("B"), 1}};
    struct inventory_question question = {
        .kind = CALL_BATCH_GET_STOCK,
        .lines = lines,
        .line_count = 3,
    };
    struct inventory_service service = {.repository = contract->repository};
    assert_int_equal(call_receive(contract, "r1", "B", 10), INVENTORY_DONE);
    inventory_call_deinit(&contract->call);
    inventory_call_init(&contract->call, &question);
    assert_true(inventory_call_submit(&contract->call, &service, &contract->executor.base));
    while (!contract->call.is_answered) {
        contract->store->table->work(contract->store, &contract->executor);
        test_executor_run_all(&contract->executor);
    }
    assert_int_equal(contract->call.command.batch_get_stock.stock_count, 1);
    assert_int_equal(contract->call.command.batch_get_stock.missing_count, 1);
}

static void batch_of_nothing_or_of_a_bad_sku_is_refused(void **state)
{
    struct contract *contract = *state;
    struct quantity_line lines[] = {{text_of("A"), 1}, {text_of(" "), 1}};
    struct inventory_question question = {
        .kind = CALL_BATCH_GET_STOCK,
        .lines = lines,
        .line_count = 0,
    };
    assert_true(call_is_invalid(contract, &question));
    question.line_count = 2;
    assert_true(call_is_invalid(contract, &question));
}

static void batch_counts_no_expired_hold(void **state)
{
    struct contract *contract = *state;
    contract_needs(contract, CONTRACT_CLOCK);
    assert_int_equal(call_receive(contract, "r1", "A", 10), INVENTORY_DONE);
    assert_int_equal(call_reserve(contract, "h1", "A=4"), INVENTORY_DONE);
    contract_pass(contract, contract_ttl_us - 1);
    assert_int_equal(batch(contract, "A=1"), INVENTORY_DONE);
    assert_int_equal(contract->call.command.batch_get_stock.stocks[0].stock.reserved, 4);
    contract_pass(contract, 1);
    assert_int_equal(batch(contract, "A=1"), INVENTORY_DONE);
    assert_int_equal(contract->call.command.batch_get_stock.stocks[0].stock.reserved, 0);
}

/* One page; *after becomes that of the next one, and is emptied behind the last. */
static size_t list_page(struct contract *contract, int state, size_t page_size,
                        char after[inventory_sku_bytes_max + 1])
{
    struct inventory_question question = {
        .kind = CALL_LIST_STOCK,
        .has_state = state >= 0,
        .state = (enum stock_state)(state < 0 ? 0 : state),
        .page_size = page_size,
        .after_sku = text_of(after),
    };
    assert_int_equal(call_ask(contract, &question), INVENTORY_DONE);
    const struct list_stock_command *answer = &contract->call.command.list_stock;
    assert_true(answer->stock_count <= page_size);
    snprintf(after, inventory_sku_bytes_max + 1, "%.*s", (int)answer->next.size, answer->next.data);
    return answer->stock_count;
}

static size_t count_listed(struct contract *contract, int state, size_t page_size)
{
    char after[inventory_sku_bytes_max + 1] = "";
    size_t count = 0;
    do {
        count += list_page(contract, state, page_size, after);
    } while (after[0] != '\0');
    return count;
}

static void every_sku_is_listed_once_in_order(void **state)
{
    struct contract *contract = *state;
    receive_many(contract);
    for (size_t page_size = 1; page_size <= many + 1; page_size += 7) {
        char after[inventory_sku_bytes_max + 1] = "";
        int next = 0;
        do {
            size_t count = list_page(contract, -1, page_size, after);
            for (size_t i = 0; i < count; i++) {
                char name[16];
                snprintf(name, sizeof name, "S%03d", next++);
                assert_true(
                    text_equals_string(contract->call.command.list_stock.stocks[i].sku, name));
            }
        } while (after[0] != '\0');
        assert_int_equal(next, many);
    }
}

static void an_empty_store_lists_nothing(void **state)
{
    struct contract *contract = *state;
    assert_int_equal(count_listed(contract, -1, 10), 0);
    assert_int_equal(count_listed(contract, STOCK_STATE_LOW_STOCK, 10), 0);
}

static void skus_are_listed_by_their_state(void **state)
{
    struct contract *contract = *state;
    const struct stock_policy policy = {.low_stock_threshold = 3, .safety_stock = 1};
    receive_many(contract); /* 1 to 5 of each: 12 have 1, 12 have 2, 11 have 3, 4 and 5 each */
    assert_int_equal(count_listed(contract, STOCK_STATE_IN_STOCK, 10), many);
    for (int i = 0; i < many; i++) {
        char name[16];
        snprintf(name, sizeof name, "S%03d", i);
        assert_int_equal(call_set_policy(contract, name, policy), INVENTORY_DONE);
    }
    assert_int_equal(count_listed(contract, STOCK_STATE_OUT_OF_STOCK, 10), 12);
    assert_int_equal(count_listed(contract, STOCK_STATE_LOW_STOCK, 10), 12 + 11 + 11);
    assert_int_equal(count_listed(contract, STOCK_STATE_IN_STOCK, 10), 11);
}

static void states_change_at_their_thresholds(void **state)
{
    struct contract *contract = *state;
    const struct stock_policy policy = {.low_stock_threshold = 3};
    assert_int_equal(call_receive(contract, "r1", "A", 4), INVENTORY_DONE);
    assert_int_equal(call_set_policy(contract, "A", policy), INVENTORY_DONE);
    assert_int_equal(count_listed(contract, STOCK_STATE_IN_STOCK, 10), 1);
    assert_int_equal(call_reserve(contract, "h1", "A=1"), INVENTORY_DONE);
    assert_int_equal(count_listed(contract, STOCK_STATE_LOW_STOCK, 10), 1);
    assert_int_equal(call_reserve(contract, "h2", "A=3"), INVENTORY_DONE);
    assert_int_equal(count_listed(contract, STOCK_STATE_OUT_OF_STOCK, 10), 1);
    assert_int_equal(call_rollback(contract, "h2"), INVENTORY_DONE);
    assert_int_equal(count_listed(contract, STOCK_STATE_LOW_STOCK, 10), 1);
    assert_int_equal(call_rollback(contract, "h1"), INVENTORY_DONE);
    assert_int_equal(count_listed(contract, STOCK_STATE_IN_STOCK, 10), 1);
}

static void what_is_added_meanwhile_disturbs_no_listing(void **state)
{
    struct contract *contract = *state;
    char after[inventory_sku_bytes_max + 1] = "";
    size_t count = 0;
    receive_many(contract);
    do {
        size_t listed = list_page(contract, -1, 10, after);
        for (size_t i = 0; i < listed; i++)
            count += contract->call.command.list_stock.stocks[i].sku.data[0] == 'S';
        char name[24];
        snprintf(name, sizeof name, "%s-%zu", after[0] == '\0' ? "Z" : "A", count);
        assert_int_equal(call_receive(contract, name, name, 1), INVENTORY_DONE);
    } while (after[0] != '\0');
    assert_int_equal(count, many);
}

static void a_listing_goes_on_behind_any_name(void **state)
{
    struct contract *contract = *state;
    char after[inventory_sku_bytes_max + 1] = "S010~";
    receive_many(contract);
    assert_int_equal(list_page(contract, -1, 1, after), 1);
    assert_true(text_equals_string(contract->call.command.list_stock.stocks[0].sku, "S011"));
    assert_string_equal(after, "S011");
}

static const struct CMUnitTest cases[] = {
    cmocka_unit_test(batch_answers_each_sku_once),
    cmocka_unit_test(batch_names_a_sku_twice_and_is_answered_once),
    cmocka_unit_test(batch_of_nothing_or_of_a_bad_sku_is_refused),
    cmocka_unit_test(batch_counts_no_expired_hold),
    cmocka_unit_test(every_sku_is_listed_once_in_order),
    cmocka_unit_test(an_empty_store_lists_nothing),
    cmocka_unit_test(skus_are_listed_by_their_state),
    cmocka_unit_test(states_change_at_their_thresholds),
    cmocka_unit_test(what_is_added_meanwhile_disturbs_no_listing),
    cmocka_unit_test(a_listing_goes_on_behind_any_name),
};

const struct contract_cases listing_cases = {cases, sizeof cases / sizeof cases[0]};
