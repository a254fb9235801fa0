/*
 * Goal: customs where the border asks for them, and only such as every carrier can declare: one
 * currency, a sum that can be written, the words and numbers of the trade. Method: one field of a
 * good GetRates and CreateShipment changed at a time; what is wrong is named by its path.
 */
#include "tests/support/shipping/shipping_desk.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include <string.h>

enum { items_max = 4 };

/* A call across a border with two good items, which the test may change before it asks. */
struct border {
    struct desk_call *call;
    struct consignment *consignment;
    struct shipping_customs customs;
    struct shipping_customs_item items[items_max];
};

static void set_border(struct border *border, enum shipping_call_kind kind)
{
    *border = (struct border){0};
    if (kind == CALL_GET_RATES) {
        border->call = desk_get_rates();
        border->consignment = &border->call->as.rates.consignment;
    } else {
        border->call = desk_create_shipment("a");
        border->consignment = &border->call->as.create.request.consignment;
    }
    for (size_t i = 0; i < items_max; i++)
        border->items[i] = (struct shipping_customs_item){
            .description = text_of("A shirt"),
            .quantity = 2,
            .value = {"USD", 1999},
            .weight_grams = 200,
            .hs_code = text_of("6109.10"),
            .origin_country = text_of("BD"),
        };
    border->customs = (struct shipping_customs){.items = border->items, .item_count = 2};
    border->consignment->destination.country_code = text_of("CA");
    border->consignment->customs = &border->customs;
}

/* Whether nothing is wrong; the call is gone. */
static bool is_accepted(struct shipping_desk *desk, struct border *border)
{
    bool accepted = desk_call_submit(desk, border->call);
    shipping_desk_run(desk);
    desk_call_destroy(border->call);
    return accepted;
}

/* That this field is wrong, and no other; the call is gone. */
static void expect_violation(struct shipping_desk *desk, struct border *border, const char *field)
{
    const struct violations *violations = &border->call->call->violations;
    assert_false(desk_call_submit(desk, border->call));
    if (violations->count != 1 || !text_equals_string(violations->items[0].field, field))
        fail_msg("%zu violations, the first at %.*s, not %s", violations->count,
                 (int)violations->items[0].field.size, violations->items[0].field.data, field);
    desk_call_destroy(border->call);
}

static void a_border_without_customs_is_a_violation_for_both_calls(void **state)
{
    static const enum shipping_call_kind kinds[] = {CALL_GET_RATES, CALL_CREATE_SHIPMENT};
    for (size_t i = 0; i < 2; i++) {
        struct border border;
        set_border(&border, kinds[i]);
        border.consignment->customs = NULL;
        expect_violation(*state, &border, "customs");
        set_border(&border, kinds[i]);
        assert_true(is_accepted(*state, &border));
    }
}

static void inside_the_customs_union_none_are_asked_for(void **state)
{
    static const struct {
        const char *from, *to;
        bool needed;
    } borders[] = {
        {"US", "US", false}, {"DE", "FR", false}, {"IE", "MC", false},
        {"DE", "CH", true},  {"GB", "IE", true},  {"US", "PR", true},
    };
    for (size_t i = 0; i < sizeof borders / sizeof borders[0]; i++) {
        struct border border;
        set_border(&border, CALL_CREATE_SHIPMENT);
        border.consignment->origin.country_code = text_of(borders[i].from);
        border.consignment->destination.country_code = text_of(borders[i].to);
        border.consignment->customs = NULL;
        if (borders[i].needed)
            expect_violation(*state, &border, "customs");
        else
            assert_true(is_accepted(*state, &border));
    }
}

/* Who gives them where nobody asks is not refused, but they must be good. */
static void customs_that_nobody_asks_for_are_checked_all_the_same(void **state)
{
    struct border border;
    set_border(&border, CALL_GET_RATES);
    border.consignment->destination.country_code = text_of("US");
    assert_true(is_accepted(*state, &border));
    set_border(&border, CALL_GET_RATES);
    border.consignment->destination.country_code = text_of("US");
    border.items[1].quantity = 0;
    expect_violation(*state, &border, "customs.items[1].quantity");
}

static void all_items_are_in_one_currency(void **state)
{
    struct border border;
    set_border(&border, CALL_CREATE_SHIPMENT);
    memcpy(border.items[1].value.currency_code, "CAD", 4);
    expect_violation(*state, &border, "customs.items[1].value.currency_code");
    set_border(&border, CALL_CREATE_SHIPMENT);
    memcpy(border.items[0].value.currency_code, "JPY", 4);
    memcpy(border.items[1].value.currency_code, "JPY", 4);
    assert_true(is_accepted(*state, &border));
}

static void an_item_has_a_value(void **state)
{
    struct border border;
    set_border(&border, CALL_GET_RATES);
    border.customs.item_count = 1;
    border.items[0].value = (struct shipping_money){0};
    expect_violation(*state, &border, "customs.items[0].value");
}

static void the_sum_of_all_items_can_be_written(void **state)
{
    struct border border;
    set_border(&border, CALL_GET_RATES); /* 10^12 x 500, twice: the greatest sum */
    for (size_t i = 0; i < 2; i++) {
        border.items[i].value.amount_minor = shipping_amount_minor_max;
        border.items[i].quantity = 500;
    }
    assert_true(is_accepted(*state, &border));
    set_border(&border, CALL_GET_RATES);
    for (size_t i = 0; i < 2; i++) {
        border.items[i].value.amount_minor = shipping_amount_minor_max;
        border.items[i].quantity = 500 + (int64_t)i;
    }
    expect_violation(*state, &border, "customs.items");
    set_border(&border, CALL_GET_RATES); /* as much as a field may say, in every item */
    border.customs.item_count = items_max;
    for (size_t i = 0; i < items_max; i++) {
        border.items[i].value.amount_minor = shipping_amount_minor_max;
        border.items[i].quantity = shipping_quantity_max;
    }
    expect_violation(*state, &border, "customs.items");
}

/* The products of such numbers would leave any integer that the machine has. */
static void numbers_out_of_range_are_named_and_not_added(void **state)
{
    static const int64_t numbers[] = {INT64_MIN, INT64_MAX};
    for (size_t n = 0; n < 2; n++) {
        struct border border;
        set_border(&border, CALL_GET_RATES);
        border.customs.item_count = items_max;
        for (size_t i = 0; i < items_max; i++) {
            border.items[i].value.amount_minor = numbers[n];
            border.items[i].quantity = numbers[n];
        }
        const struct violations *violations = &border.call->call->violations;
        assert_false(desk_call_submit(*state, border.call));
        assert_int_equal(violations->count, 2 * items_max);
        assert_true(text_equals_string(violations->items[0].field, "customs.items[0].quantity"));
        assert_true(
            text_equals_string(violations->items[1].field, "customs.items[0].value.amount_minor"));
        desk_call_destroy(border.call);
    }
}

static void incoterms_are_those_of_2020(void **state)
{
    static const char *const known[] = {"EXW", "FCA", "FAS", "FOB", "CFR", "CIF",
                                        "CPT", "CIP", "DAP", "DPU", "DDP", ""};
    static const char *const unknown[] = {"DAT", "DAF", "dap", "DAP ", "D", "DDP2020"};
    struct border border;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        set_border(&border, CALL_GET_RATES);
        border.customs.incoterm = text_of(known[i]);
        assert_true(is_accepted(*state, &border));
    }
    for (size_t i = 0; i < sizeof unknown / sizeof unknown[0]; i++) {
        set_border(&border, CALL_GET_RATES);
        border.customs.incoterm = text_of(unknown[i]);
        expect_violation(*state, &border, "customs.incoterm");
    }
}

static void contents_are_one_of_five_kinds(void **state)
{
    static const char *const known[] = {"MERCHANDISE", "DOCUMENTS", "GIFT", "SAMPLE", "RETURN", ""};
    static const char *const unknown[] = {"merchandise", "OTHER", "GIFTS"};
    struct border border;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        set_border(&border, CALL_CREATE_SHIPMENT);
        border.customs.contents_type = text_of(known[i]);
        assert_true(is_accepted(*state, &border));
    }
    for (size_t i = 0; i < sizeof unknown / sizeof unknown[0]; i++) {
        set_border(&border, CALL_CREATE_SHIPMENT);
        border.customs.contents_type = text_of(unknown[i]);
        expect_violation(*state, &border, "customs.contents_type");
    }
}

/* What is left out is the same as its default: the same shipment, the same rate. */
static void what_is_left_out_is_the_default(void **state)
{
    struct border border;
    set_border(&border, CALL_CREATE_SHIPMENT);
    assert_true(is_accepted(*state, &border));
    set_border(&border, CALL_CREATE_SHIPMENT);
    border.customs.incoterm = text_of("DAP");
    border.customs.contents_type = text_of("MERCHANDISE");
    desk_ask(*state, border.call);
    assert_int_equal(border.call->call->refusal, REFUSAL_NONE);
    desk_call_destroy(border.call);
    set_border(&border, CALL_CREATE_SHIPMENT);
    border.customs.incoterm = text_of("DDP");
    desk_ask(*state, border.call);
    assert_int_equal(border.call->call->refusal, REFUSAL_ID_REUSED);
    desk_call_destroy(border.call);
}

static void an_hs_code_is_digits_and_points(void **state)
{
    static const char *const known[] = {"",        "6109",         "610910",
                                        "6109.10", "6109.10.0012", "1234567890123456"};
    static const char *const unknown[] = {"61 09",   "6109-10", "HS6109",
                                          "6109.1O", "6109,10", "12345678901234567"};
    struct border border;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        set_border(&border, CALL_GET_RATES);
        border.items[0].hs_code = text_of(known[i]);
        assert_true(is_accepted(*state, &border));
    }
    for (size_t i = 0; i < sizeof unknown / sizeof unknown[0]; i++) {
        set_border(&border, CALL_GET_RATES);
        border.items[0].hs_code = text_of(unknown[i]);
        expect_violation(*state, &border, "customs.items[0].hs_code");
    }
}

static void every_other_field_of_an_item_has_its_rule(void **state)
{
    struct border border;
    set_border(&border, CALL_GET_RATES);
    border.customs.item_count = 0;
    expect_violation(*state, &border, "customs.items");
    set_border(&border, CALL_GET_RATES);
    border.items[1].description = (struct text){0};
    expect_violation(*state, &border, "customs.items[1].description");
    set_border(&border, CALL_GET_RATES);
    border.items[1].description = text_of("two\nlines");
    expect_violation(*state, &border, "customs.items[1].description");
    set_border(&border, CALL_GET_RATES);
    border.items[1].weight_grams = -1;
    expect_violation(*state, &border, "customs.items[1].weight_grams");
    set_border(&border, CALL_GET_RATES);
    border.items[1].origin_country = text_of("Bangladesh");
    expect_violation(*state, &border, "customs.items[1].origin_country");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_border_without_customs_is_a_violation_for_both_calls,
                                        shipping_desk_set_up, shipping_desk_tear_down),
        cmocka_unit_test_setup_teardown(inside_the_customs_union_none_are_asked_for,
                                        shipping_desk_set_up, shipping_desk_tear_down),
        cmocka_unit_test_setup_teardown(customs_that_nobody_asks_for_are_checked_all_the_same,
                                        shipping_desk_set_up, shipping_desk_tear_down),
        cmocka_unit_test_setup_teardown(all_items_are_in_one_currency, shipping_desk_set_up,
                                        shipping_desk_tear_down),
        cmocka_unit_test_setup_teardown(an_item_has_a_value, shipping_desk_set_up,
                                        shipping_desk_tear_down),
        cmocka_unit_test_setup_teardown(the_sum_of_all_items_can_be_written, shipping_desk_set_up,
                                        shipping_desk_tear_down),
        cmocka_unit_test_setup_teardown(numbers_out_of_range_are_named_and_not_added,
                                        shipping_desk_set_up, shipping_desk_tear_down),
        cmocka_unit_test_setup_teardown(incoterms_are_those_of_2020, shipping_desk_set_up,
                                        shipping_desk_tear_down),
        cmocka_unit_test_setup_teardown(contents_are_one_of_five_kinds, shipping_desk_set_up,
                                        shipping_desk_tear_down),
        cmocka_unit_test_setup_teardown(what_is_left_out_is_the_default, shipping_desk_set_up,
                                        shipping_desk_tear_down),
        cmocka_unit_test_setup_teardown(an_hs_code_is_digits_and_points, shipping_desk_set_up,
                                        shipping_desk_tear_down),
        cmocka_unit_test_setup_teardown(every_other_field_of_an_item_has_its_rule,
                                        shipping_desk_set_up, shipping_desk_tear_down),
    };
    return cmocka_run_group_tests_name("shipping_customs", tests, NULL, NULL);
}
