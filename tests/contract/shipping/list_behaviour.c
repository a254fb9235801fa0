/* Lists, numbers, and what the resolver finds to do. */
#include "tests/contract/shipping/shipping_contract.h"

#include "platform/base/check.h"
#include "tests/support/shipping/shipping_copy.h"

#include <stdio.h>
#include <string.h>

static const int64_t far_us = INT64_MAX / 2;

/* All ids of a list, by pages of that size, joined. */
static const char *listed(struct shipping_kit *kit, const char *order_id, enum shipment_state state,
                          size_t page_size)
{
    char *words = arena_allocate_zero(&kit->arena, 1, 65536);
    size_t size = 0;
    uint64_t after = 0;
    CHECK(words != NULL);
    do {
        struct list_shipments_command *list =
            shipping_kit_command(kit, COMMAND_LIST_SHIPMENTS, sizeof *list);
        list->order_id = text_of(order_id);
        list->state = state;
        list->page_size = page_size;
        list->after = after;
        assert_int_equal(shipping_kit_ask(kit, &list->base), SHIPPING_DONE);
        assert_true(list->shipment_count <= page_size);
        assert_true(list->shipment_count > 0 || list->next == 0);
        for (size_t i = 0; i < list->shipment_count; i++) {
            struct text id = list->shipments[i].shipment_id;
            size += (size_t)sprintf(words + size, "%s%.*s", size == 0 ? "" : " ", (int)id.size,
                                    id.data);
        }
        after = list->next;
    } while (after != 0);
    return words;
}

static void a_list_has_everything_once_in_order(void **state)
{
    struct shipping_kit *kit = *state;
    char expected[1024] = "";
    for (unsigned i = 0; i < 25; i++) {
        char id[16];
        sprintf(id, "S%u", 99 - i); /* by time, not by name */
        kit_begin(kit, id, i % 3);
        sprintf(expected + strlen(expected), "%s%s", i == 0 ? "" : " ", id);
    }
    assert_string_equal(listed(kit, "", 0, 100), expected);
    assert_string_equal(listed(kit, "", 0, 25), expected);
    assert_string_equal(listed(kit, "", 0, 24), expected);
    assert_string_equal(listed(kit, "", 0, 8), expected);
    assert_string_equal(listed(kit, "", 0, 1), expected);
}

static void lists_are_of_an_order_and_of_a_state(void **state)
{
    struct shipping_kit *kit = *state;
    assert_string_equal(listed(kit, "", 0, 10), "");
    kit_bring(kit, "A", 1, SHIPMENT_CREATED); /* order-1 */
    kit_bring(kit, "B", 2, SHIPMENT_CREATED); /* order-2 */
    kit_begin(kit, "C", 1);
    kit_begin(kit, "D", 6); /* of no order */
    kit_bring(kit, "E", 1, SHIPMENT_CREATED);
    assert_string_equal(listed(kit, "order-1", 0, 2), "A C E");
    assert_string_equal(listed(kit, "", SHIPMENT_CREATED, 2), "A B E");
    assert_string_equal(listed(kit, "order-1", SHIPMENT_CREATED, 1), "A E");
    assert_string_equal(listed(kit, "order-1", SHIPMENT_INTENT, 1), "C");
    assert_string_equal(listed(kit, "order-9", 0, 1), "");
    assert_string_equal(listed(kit, "", SHIPMENT_UNKNOWN, 1), "");
}

static void what_is_listed_is_what_is_got(void **state)
{
    struct shipping_kit *kit = *state;
    for (int at = SHIPMENT_INTENT; at < shipment_state_count; at++) {
        char id[] = {'S', (char)('0' + at), '\0'};
        if (at != SHIPMENT_SENT)
            kit_bring(kit, id, (unsigned)at, (enum shipment_state)at);
    }
    struct list_shipments_command *list =
        shipping_kit_command(kit, COMMAND_LIST_SHIPMENTS, sizeof *list);
    list->page_size = 100;
    assert_int_equal(shipping_kit_ask(kit, &list->base), SHIPPING_DONE);
    assert_int_equal(list->shipment_count, 6);
    for (size_t i = 0; i < list->shipment_count; i++) {
        char id[65] = "";
        memcpy(id, list->shipments[i].shipment_id.data, list->shipments[i].shipment_id.size);
        assert_null(shipping_difference(kit_get(kit, id), &list->shipments[i], true));
    }
}

/* A page of records that are as large as they may be stays within its memory. */
static void a_page_of_large_records_ends_early_and_goes_on(void **state)
{
    enum { count = 60 };
    struct shipping_kit *kit = *state;
    struct shipping_customs_item items[shipping_customs_items_max];
    struct shipping_customs customs = {.items = items, .item_count = shipping_customs_items_max};
    char words[shipping_description_bytes_max];
    memset(words, 'w', sizeof words);
    for (size_t i = 0; i < shipping_customs_items_max; i++)
        items[i] = (struct shipping_customs_item){.description = text_make(words, sizeof words),
                                                  .quantity = 1,
                                                  .value = {"EUR", 1},
                                                  .origin_country = text_of("DE")};
    for (unsigned i = 0; i < count; i++) {
        char id[16];
        sprintf(id, "S%u", i);
        struct begin_shipment_command *begin = kit_begin_command(kit, id, 1);
        struct shipment_request request = *begin->request;
        request.consignment.customs = &customs;
        begin->request = &request;
        assert_int_equal(shipping_kit_ask(kit, &begin->base), SHIPPING_DONE);
        assert_int_equal(kit_send(kit, id, 1), SHIPPING_DONE);
        shipping_kit_reset(kit);
    }
    size_t seen = 0;
    uint64_t after = 0;
    do {
        struct list_shipments_command *list =
            shipping_kit_command(kit, COMMAND_LIST_SHIPMENTS, sizeof *list);
        list->page_size = 1000;
        list->after = after;
        assert_int_equal(shipping_kit_ask(kit, &list->base), SHIPPING_DONE);
        assert_true(list->shipment_count > 0);
        if (kit->kind != SHIPPING_KIT_MODEL)
            assert_true(arena_used(list->base.arena) < (size_t)4 * 1024 * 1024);
        seen += list->shipment_count;
        after = list->next;
        shipping_kit_reset(kit);
    } while (after != 0);
    assert_int_equal(seen, count);
}

/* --- whose number --- */

static enum shipping_outcome find(struct shipping_kit *kit, const char *carrier, const char *number,
                                  const char *expected_id)
{
    struct find_shipment_command *search =
        shipping_kit_command(kit, COMMAND_FIND_SHIPMENT, sizeof *search);
    search->carrier = text_of(carrier);
    search->tracking_number = text_of(number);
    enum shipping_outcome outcome = shipping_kit_ask(kit, &search->base);
    if (outcome == SHIPPING_DONE)
        assert_true(text_equals_string(search->shipment.shipment_id, expected_id));
    return outcome;
}

static void a_shipment_is_found_by_any_of_its_numbers(void **state)
{
    struct shipping_kit *kit = *state;
    kit_bring(kit, "A", 1, SHIPMENT_CREATED); /* dhl, two parcels */
    assert_int_equal(find(kit, "dhl", "N-A", "A"), SHIPPING_DONE);
    assert_int_equal(find(kit, "dhl", "N-A-0", "A"), SHIPPING_DONE);
    assert_int_equal(find(kit, "dhl", "N-A-1", "A"), SHIPPING_DONE);
    assert_int_equal(find(kit, "ups", "N-A", "A"), SHIPPING_SHIPMENT_NOT_FOUND);
    assert_int_equal(find(kit, "dhl", "N", "A"), SHIPPING_SHIPMENT_NOT_FOUND);
    assert_int_equal(find(kit, "dhl", "", "A"), SHIPPING_SHIPMENT_NOT_FOUND);
}

static void a_number_given_twice_is_the_latest_shipments(void **state)
{
    struct shipping_kit *kit = *state;
    static const char *const ids[] = {"B", "A"};
    for (size_t i = 0; i < 2; i++) {
        kit_begin(kit, ids[i], 0);
        kit_send(kit, ids[i], 1);
    }
    kit_end(kit, "A", 1, SHIPMENT_CHANGE_BOUGHT, "N");
    kit_end(kit, "B", 1, SHIPMENT_CHANGE_BOUGHT, "N");
    assert_int_equal(find(kit, "ups", "N", "A"), SHIPPING_DONE);
}

/* --- the resolver's list --- */

static struct list_unfinished_command *unfinished(struct shipping_kit *kit, int64_t now_us,
                                                  int64_t sent_before_us, size_t page_size)
{
    struct list_unfinished_command *list =
        shipping_kit_command(kit, COMMAND_LIST_UNFINISHED, sizeof *list);
    list->now_us = now_us;
    list->sent_before_us = sent_before_us;
    list->page_size = page_size;
    assert_int_equal(shipping_kit_ask(kit, &list->base), SHIPPING_DONE);
    return list;
}

static void what_is_due_is_listed_the_longest_waiting_first(void **state)
{
    struct shipping_kit *kit = *state;
    kit_bring(kit, "U2", 0, SHIPMENT_UNKNOWN);
    kit_bring(kit, "U1", 0, SHIPMENT_UNKNOWN);
    kit_bring(kit, "C", 0, SHIPMENT_CREATED);
    kit_bring(kit, "X", 0, SHIPMENT_CREATED);
    kit_bring(kit, "A", 0, SHIPMENT_NEEDS_ATTENTION);
    kit_bring(kit, "F", 0, SHIPMENT_FAILED);
    fake_clock_advance(&kit->clock, 1);
    kit_begin_cancel(kit, "C", "customer");
    struct record_lookup_command *later =
        shipping_kit_command(kit, COMMAND_RECORD_LOOKUP, sizeof *later);
    later->shipment_id = text_of("U2");
    later->attempt = 1;
    later->lookup_time_us = far_us;
    assert_int_equal(shipping_kit_ask(kit, &later->base), SHIPPING_DONE);
    assert_int_equal(unfinished(kit, kit_get(kit, "U1")->sent_time_us, 0, 10)->shipment_count, 0);
    struct list_unfinished_command *due = unfinished(kit, far_us - 1, 0, 10);
    assert_int_equal(due->shipment_count, 2);
    assert_true(text_equals_string(due->shipments[0].shipment_id, "U1"));
    assert_true(text_equals_string(due->shipments[1].shipment_id, "C"));
    assert_null(shipping_difference(&due->shipments[1], kit_get(kit, "C"), true));
    assert_int_equal(unfinished(kit, far_us, 0, 10)->shipment_count, 3);
    assert_int_equal(unfinished(kit, far_us, 0, 2)->shipment_count, 2);
}

static void many_are_listed_in_order_across_parts(void **state)
{
    enum { count = 30 };
    struct shipping_kit *kit = *state;
    for (unsigned i = 0; i < count; i++) {
        char id[16];
        sprintf(id, "S%02u", i);
        kit_bring(kit, id, 0, SHIPMENT_UNKNOWN);
        struct record_lookup_command *later =
            shipping_kit_command(kit, COMMAND_RECORD_LOOKUP, sizeof *later);
        later->shipment_id = text_of(id);
        later->attempt = 1;
        later->lookup_time_us = 1000 - i / 3; /* many at the same time */
        assert_int_equal(shipping_kit_ask(kit, &later->base), SHIPPING_DONE);
    }
    struct list_unfinished_command *due = unfinished(kit, 1000, 0, 100);
    assert_int_equal(due->shipment_count, count);
    for (size_t i = 1; i < count; i++) {
        const struct shipment *before = &due->shipments[i - 1];
        const struct shipment *after = &due->shipments[i];
        assert_true(before->lookup_time_us < after->lookup_time_us ||
                    (before->lookup_time_us == after->lookup_time_us &&
                     text_compare(before->shipment_id, after->shipment_id) < 0));
    }
}

static void what_was_found_sent_is_unknown(void **state)
{
    struct shipping_kit *kit = *state;
    kit_begin(kit, "S", 0);
    kit_send(kit, "S", 1);
    kit_begin(kit, "I", 0);
    int64_t sent_us = kit_get(kit, "S")->sent_time_us;
    assert_int_equal(unfinished(kit, far_us, 0, 10)->shipment_count, 0);
    assert_int_equal(unfinished(kit, far_us, sent_us, 10)->shipment_count, 0);
    kit_assert_state(kit, "S", SHIPMENT_SENT, 1);
    struct list_unfinished_command *due = unfinished(kit, far_us, sent_us + 1, 10);
    assert_int_equal(due->shipment_count, 1);
    assert_int_equal(due->shipments[0].state, SHIPMENT_UNKNOWN);
    assert_int_equal(due->shipments[0].lookup_time_us, sent_us + INT64_C(60) * 1000000);
    assert_null(shipping_difference(&due->shipments[0], kit_get(kit, "S"), true));
    kit_assert_state(kit, "I", SHIPMENT_INTENT, 1);
    assert_string_equal(kit_audit_words(kit, "S"), "INTENT SENT UNKNOWN");
    assert_int_equal(kit_end(kit, "S", 1, SHIPMENT_CHANGE_BOUGHT, "N"), SHIPPING_DONE);
    kit_assert_state(kit, "S", SHIPMENT_CREATED, 1);
}

static void all_that_was_under_way_is_unknown_after_a_crash(void **state)
{
    enum { count = 40 };
    struct shipping_kit *kit = *state;
    for (unsigned i = 0; i < count; i++) {
        char id[16];
        sprintf(id, "S%u", i);
        kit_begin(kit, id, 0);
        kit_send(kit, id, 1);
    }
    shipping_kit_reopen(kit);
    assert_int_equal(unfinished(kit, far_us, far_us, 1000)->shipment_count, count);
    assert_string_equal(listed(kit, "", SHIPMENT_SENT, 10), "");
}

static const struct CMUnitTest cases[] = {
    cmocka_unit_test(a_list_has_everything_once_in_order),
    cmocka_unit_test(lists_are_of_an_order_and_of_a_state),
    cmocka_unit_test(what_is_listed_is_what_is_got),
    cmocka_unit_test(a_page_of_large_records_ends_early_and_goes_on),
    cmocka_unit_test(a_shipment_is_found_by_any_of_its_numbers),
    cmocka_unit_test(a_number_given_twice_is_the_latest_shipments),
    cmocka_unit_test(what_is_due_is_listed_the_longest_waiting_first),
    cmocka_unit_test(many_are_listed_in_order_across_parts),
    cmocka_unit_test(what_was_found_sent_is_unknown),
    cmocka_unit_test(all_that_was_under_way_is_unknown_after_a_crash),
};
const struct shipping_cases list_cases = {cases, sizeof cases / sizeof cases[0]};
