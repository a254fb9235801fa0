/* Reservations by order, customer, SKU and state, newest first, each exactly once. */
#include "tests/contract/inventory/contract_call.h"

#include <stdio.h>
#include <string.h>

enum { listed_max = 400, names_bytes = 4096 };

static enum inventory_outcome reserve_of(struct contract *contract, const char *id,
                                         const char *order, const char *customer, const char *lines)
{
    struct quantity_line parsed[inventory_lines_max];
    struct inventory_question question = reserve_question(id, parsed, parse_lines(lines, parsed));
    question.order_id = text_of(order);
    question.customer_id = text_of(customer);
    return call_ask(contract, &question);
}

static struct inventory_question any(size_t page_size)
{
    return (struct inventory_question){.kind = CALL_LIST_RESERVATIONS, .page_size = page_size};
}

/* The ids of all pages, with a space behind each. */
static const char *list(struct contract *contract, struct inventory_question question)
{
    static char names[names_bytes];
    names[0] = '\0';
    do {
        assert_int_equal(call_ask(contract, &question), INVENTORY_DONE);
        const struct list_reservations_command *page = &contract->call.command.list_reservations;
        assert_true(page->reservation_count <= question.page_size);
        for (size_t i = 0; i < page->reservation_count; i++) {
            struct text id = page->reservations[i].reservation_id;
            size_t size = strlen(names);
            snprintf(names + size, sizeof names - size, "%.*s ", (int)id.size, id.data);
        }
        question.after = page->next;
    } while (question.after != 0);
    return names;
}

static const char *list_of_order(struct contract *contract, const char *order)
{
    struct inventory_question question = any(2);
    question.order_id = text_of(order);
    return list(contract, question);
}

static const char *list_in_state(struct contract *contract, enum reservation_state state)
{
    struct inventory_question question = any(2);
    question.has_state = true;
    question.reservation_state = state;
    return list(contract, question);
}

static struct contract *begin(void **state)
{
    struct contract *contract = *state;
    assert_int_equal(call_receive(contract, "r1", "A", 1000), INVENTORY_DONE);
    assert_int_equal(call_receive(contract, "r2", "B", 1000), INVENTORY_DONE);
    assert_int_equal(reserve_of(contract, "h1", "o1", "c1", "A=1"), INVENTORY_DONE);
    assert_int_equal(reserve_of(contract, "h2", "o2", "c1", "B=1"), INVENTORY_DONE);
    assert_int_equal(reserve_of(contract, "h3", "o1", "c2", "A=1 B=1"), INVENTORY_DONE);
    assert_int_equal(reserve_of(contract, "h4", "", "", "A=1"), INVENTORY_DONE);
    assert_int_equal(reserve_of(contract, "h5", "", "c1", "B=1"), INVENTORY_DONE);
    return contract;
}

static void an_order_is_looked_up(void **state)
{
    struct contract *contract = begin(state);
    assert_string_equal(list_of_order(contract, "o1"), "h3 h1 ");
    assert_string_equal(list_of_order(contract, "o2"), "h2 ");
    assert_string_equal(list_of_order(contract, "o3"), "");
}

static void each_filter_narrows(void **state)
{
    struct contract *contract = begin(state);
    struct inventory_question question = any(2);
    assert_string_equal(list(contract, question), "h5 h4 h3 h2 h1 ");
    question.customer_id = text_of("c1");
    assert_string_equal(list(contract, question), "h5 h2 h1 ");
    question.sku = text_of("B");
    assert_string_equal(list(contract, question), "h5 h2 ");
    question.order_id = text_of("o2");
    assert_string_equal(list(contract, question), "h2 ");
    question.sku = text_of("A");
    assert_string_equal(list(contract, question), "");
    question = any(1);
    question.sku = text_of("A");
    assert_string_equal(list(contract, question), "h4 h3 h1 ");
    question.sku = text_of("NEVER");
    assert_string_equal(list(contract, question), "");
}

static void a_list_tells_the_present_state(void **state)
{
    struct contract *contract = begin(state);
    assert_int_equal(call_commit(contract, "h1", NULL), INVENTORY_DONE);
    assert_int_equal(call_rollback(contract, "h2"), INVENTORY_DONE);
    assert_int_equal(call_extend(contract, "h3", 2 * contract_ttl_us), INVENTORY_DONE);
    assert_string_equal(list_in_state(contract, RESERVATION_PENDING), "h5 h4 h3 ");
    assert_string_equal(list_in_state(contract, RESERVATION_COMMITTED), "h1 ");
    assert_string_equal(list_in_state(contract, RESERVATION_ROLLED_BACK), "h2 ");
    assert_string_equal(list_in_state(contract, RESERVATION_EXPIRED), "");
    assert_int_equal(call_return(contract, "b1", "h1", "A=1"), INVENTORY_DONE);
    assert_string_equal(list_of_order(contract, "o1"), "h3 h1 ");
    assert_string_equal(list(contract, any(3)), "h5 h4 h3 h2 h1 ");
    struct inventory_question question = any(10);
    question.order_id = text_of("o1");
    assert_int_equal(call_ask(contract, &question), INVENTORY_DONE);
    const struct list_reservations_command *page = &contract->call.command.list_reservations;
    assert_int_equal(page->reservations[1].state, RESERVATION_COMMITTED);
    assert_int_equal(page->reservations[1].lines[0].returned_quantity, 1);
}

static void a_list_counts_no_hold_as_pending_that_has_expired(void **state)
{
    struct contract *contract = begin(state);
    contract_needs(contract, CONTRACT_CLOCK);
    assert_int_equal(call_extend(contract, "h3", 2 * contract_ttl_us), INVENTORY_DONE);
    contract_pass(contract, contract_ttl_us);
    assert_string_equal(list_in_state(contract, RESERVATION_PENDING), "h3 ");
    assert_string_equal(list_in_state(contract, RESERVATION_EXPIRED), "h5 h4 h2 h1 ");
    assert_int_equal(call_retake(contract, "h2", NULL), INVENTORY_DONE);
    assert_string_equal(list_of_order(contract, "o2"), "h2 ");
}

static void lists_survive_a_restart(void **state)
{
    struct contract *contract = begin(state);
    assert_int_equal(call_commit(contract, "h1", NULL), INVENTORY_DONE);
    contract_restart(contract);
    assert_string_equal(list_of_order(contract, "o1"), "h3 h1 ");
    assert_int_equal(reserve_of(contract, "h6", "o1", "", "A=1"), INVENTORY_DONE);
    assert_string_equal(list_of_order(contract, "o1"), "h6 h3 h1 ");
    contract_restart(contract);
    assert_string_equal(list(contract, any(2)), "h6 h5 h4 h3 h2 h1 ");
}

static void forgotten_ones_are_not_listed_and_an_id_stands_for_its_latest(void **state)
{
    struct contract *contract = *state;
    const struct contract_settings settings = {
        .retention_us = 10 * contract_second_us,
        .committed_retention_us = 100 * contract_second_us,
        .ids_max = 1000,
    };
    contract_needs(contract, CONTRACT_CLOCK);
    contract_reopen(contract, &settings);
    contract = begin(state);
    assert_int_equal(call_rollback(contract, "h1"), INVENTORY_DONE);
    contract_pass(contract, 10 * contract_second_us);
    assert_string_equal(list_of_order(contract, "o1"), "h3 ");
    assert_int_equal(reserve_of(contract, "h1", "o1", "c9", "B=2"), INVENTORY_DONE);
    assert_string_equal(list_of_order(contract, "o1"), "h1 h3 ");
    assert_string_equal(list(contract, any(2)), "h1 h5 h4 h3 h2 ");
    contract_restart(contract);
    assert_string_equal(list(contract, any(2)), "h1 h5 h4 h3 h2 ");
}

static void each_appears_once_whatever_happens_meanwhile(void **state)
{
    struct contract *contract = *state;
    struct inventory_question question = any(7);
    bool seen[listed_max] = {false};
    int made = 0;
    assert_int_equal(call_receive(contract, "r1", "A", 100000), INVENTORY_DONE);
    for (; made < 100; made++) {
        char id[16];
        snprintf(id, sizeof id, "h%d", made);
        assert_int_equal(reserve_of(contract, id, made % 3 == 0 ? "o" : "", "c", "A=1"),
                         INVENTORY_DONE);
    }
    do {
        assert_int_equal(call_ask(contract, &question), INVENTORY_DONE);
        const struct list_reservations_command *page = &contract->call.command.list_reservations;
        question.after = page->next;
        for (size_t i = 0; i < page->reservation_count; i++) {
            int number = 0;
            sscanf(page->reservations[i].reservation_id.data + 1, "%d", &number);
            assert_false(seen[number]);
            seen[number] = true;
        }
        char id[16];
        snprintf(id, sizeof id, "h%d", made++);
        assert_int_equal(reserve_of(contract, id, "o", "c", "A=1"), INVENTORY_DONE);
        snprintf(id, sizeof id, "h%d", made % 100);
        assert_int_equal(call_commit(contract, id, NULL), INVENTORY_DONE);
        if (made % 4 == 0)
            contract_restart(contract);
    } while (question.after != 0);
    for (int i = 0; i < 100; i++)
        assert_true(seen[i]);
}

static void pending_ones_page_by_page(void **state)
{
    struct contract *contract = begin(state);
    struct inventory_question question = any(2);
    question.has_state = true;
    question.reservation_state = RESERVATION_PENDING;
    assert_int_equal(call_ask(contract, &question), INVENTORY_DONE);
    question.after = contract->call.command.list_reservations.next;
    assert_true(question.after != 0);
    assert_int_equal(call_rollback(contract, "h4"), INVENTORY_DONE); /* where the page ended */
    assert_int_equal(call_rollback(contract, "h2"), INVENTORY_DONE);
    assert_string_equal(list(contract, question), "h3 h1 ");
}

static void a_place_in_no_list_is_refused(void **state)
{
    struct contract *contract = begin(state);
    struct inventory_question question = any(2);
    question.after = UINT64_MAX / 2;
    assert_int_equal(call_ask(contract, &question), INVENTORY_PAGE_TOKEN_INVALID);
}

static void bad_filters_are_refused(void **state)
{
    struct contract *contract = begin(state);
    struct inventory_question question = any(2);
    question.order_id = text_of("o 1");
    assert_true(call_is_invalid(contract, &question));
    question.order_id = text_of("");
    question.sku = text_of(" ");
    assert_true(call_is_invalid(contract, &question));
    question.sku = text_of("");
    question.page_size = inventory_page_size_max + 1;
    assert_true(call_is_invalid(contract, &question));
}

static const struct CMUnitTest cases[] = {
    cmocka_unit_test(an_order_is_looked_up),
    cmocka_unit_test(each_filter_narrows),
    cmocka_unit_test(a_list_tells_the_present_state),
    cmocka_unit_test(a_list_counts_no_hold_as_pending_that_has_expired),
    cmocka_unit_test(lists_survive_a_restart),
    cmocka_unit_test(forgotten_ones_are_not_listed_and_an_id_stands_for_its_latest),
    cmocka_unit_test(each_appears_once_whatever_happens_meanwhile),
    cmocka_unit_test(pending_ones_page_by_page),
    cmocka_unit_test(a_place_in_no_list_is_refused),
    cmocka_unit_test(bad_filters_are_refused),
};

const struct contract_cases reservation_list_cases = {cases, sizeof cases / sizeof cases[0]};
