/*
 * Goal: what the carrier owes us is found out, by look-ups at growing distances, or handed to a
 * person; and a person's decisions are kept. Method: lost answers at fake carriers, a clock that a
 * test moves by minutes and days.
 */
#include "tests/support/shipping/shipping_desk.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

static const int64_t minute_us = INT64_C(60) * 1000000;
static const int64_t hour_us = INT64_C(3600) * 1000000;

/* Shipment "a" is UNKNOWN; bought at the carrier or not. */
static void lose(struct shipping_desk *desk, bool bought)
{
    desk->alpha.create =
        (struct fake_orders){.verdict = CARRIER_UNKNOWN, .done_before = bought, .count = 1};
    struct desk_call *call = desk_ask(desk, desk_create_shipment("a"));
    assert_int_equal(call->as.create.shipment.state, SHIPMENT_UNKNOWN);
    desk_call_destroy(call);
}

static void assert_number(struct shipping_desk *desk, const char *number)
{
    struct desk_call *call = desk_get(desk, "a");
    assert_true(text_equals_string(call->as.get.shipment.tracking_number, number));
    desk_call_destroy(call);
}

static void assert_failure(struct shipping_desk *desk, const char *start)
{
    struct desk_call *call = desk_get(desk, "a");
    struct text failure = call->as.get.shipment.failure;
    if (!text_starts_with(failure, text_of(start)))
        fail_msg("failure: %.*s", (int)failure.size, failure.data);
    desk_call_destroy(call);
}

static struct desk_call *resolve(struct shipping_desk *desk, enum shipment_resolution resolution,
                                 const char *number)
{
    struct desk_call *call = desk_call_create(CALL_RESOLVE_SHIPMENT);
    call->as.resolve.shipment_id = text_of("a");
    call->as.resolve.resolution = resolution;
    call->as.resolve.tracking_number = text_of(number);
    call->as.resolve.note = text_of("as the portal says");
    return desk_ask(desk, call);
}

static void what_was_bought_is_adopted_a_minute_later(void **state)
{
    struct shipping_desk *desk = *state;
    lose(desk, true);
    shipping_desk_pass(desk, minute_us / 2);
    assert_int_equal(desk->alpha.finds, 0);
    shipping_desk_pass(desk, minute_us);
    assert_int_equal(desk_state(desk, "a"), SHIPMENT_CREATED);
    assert_number(desk, "N1");
    assert_int_equal(desk->alpha.creates, 1);
    struct desk_call *label = desk_call_create(CALL_GET_LABEL);
    label->as.label.shipment_id = text_of("a");
    label->as.label.any_format = true;
    desk_ask(desk, label);
    assert_int_equal(label->call->refusal, REFUSAL_NONE);
    assert_true(label->as.label.content.size > 0);
    desk_call_destroy(label);
}

static void a_search_that_lags_is_asked_again(void **state)
{
    struct shipping_desk *desk = *state;
    lose(desk, true);
    desk->alpha.find = (struct fake_orders){.verdict = CARRIER_NOT_FOUND, .count = 3};
    shipping_desk_pass(desk, 10 * minute_us);
    assert_int_equal(desk_state(desk, "a"), SHIPMENT_UNKNOWN);
    assert_int_equal(desk->alpha.finds, 3);
    shipping_desk_pass(desk, 10 * minute_us);
    assert_int_equal(desk_state(desk, "a"), SHIPMENT_CREATED);
    assert_int_equal(desk->alpha.finds, 4);
}

static void what_is_not_found_in_a_day_is_for_a_person(void **state)
{
    struct shipping_desk *desk = *state;
    lose(desk, false);
    shipping_desk_leap(desk, 23 * hour_us);
    assert_int_equal(desk_state(desk, "a"), SHIPMENT_UNKNOWN);
    assert_in_range(desk->alpha.finds, 20, 40);
    shipping_desk_leap(desk, 2 * hour_us);
    assert_int_equal(desk_state(desk, "a"), SHIPMENT_NEEDS_ATTENTION);
    assert_failure(desk, "not found in the time for look-ups");
    size_t finds = desk->alpha.finds;
    shipping_desk_leap(desk, 48 * hour_us);
    assert_int_equal(desk->alpha.finds, finds);
    assert_int_equal(desk->alpha.creates, 1);
}

static void a_carrier_that_is_away_is_asked_for_a_day_too(void **state)
{
    struct shipping_desk *desk = *state;
    lose(desk, true);
    desk->alpha.find = (struct fake_orders){.verdict = CARRIER_UNAVAILABLE, .count = SIZE_MAX};
    shipping_desk_leap(desk, 20 * hour_us);
    assert_int_equal(desk_state(desk, "a"), SHIPMENT_UNKNOWN);
    assert_failure(desk, "not available");
    desk->alpha.find.count = 0;
    shipping_desk_leap(desk, 2 * hour_us);
    assert_int_equal(desk_state(desk, "a"), SHIPMENT_CREATED);
}

static void what_the_carrier_has_voided_is_cancelled(void **state)
{
    struct shipping_desk *desk = *state;
    lose(desk, true);
    desk->alpha.sales[0].voided = true;
    shipping_desk_pass(desk, 2 * minute_us);
    assert_int_equal(desk_state(desk, "a"), SHIPMENT_CANCELLED);
}

static void two_labels_are_for_a_person_with_their_numbers(void **state)
{
    struct shipping_desk *desk = *state;
    lose(desk, true);
    desk->alpha.finds_twice = true;
    shipping_desk_pass(desk, 2 * minute_us);
    assert_int_equal(desk_state(desk, "a"), SHIPMENT_NEEDS_ATTENTION);
    assert_failure(desk, "bought more than once: N1 T1");
}

static void a_carrier_without_search_is_for_a_person_at_once(void **state)
{
    struct shipping_desk *desk = *state;
    desk->alpha.base.capabilities.find_by_reference = false;
    lose(desk, true);
    shipping_desk_pass(desk, 2 * minute_us);
    assert_int_equal(desk_state(desk, "a"), SHIPMENT_NEEDS_ATTENTION);
    assert_failure(desk, "this carrier cannot be asked");
    assert_int_equal(desk->alpha.finds, 0);
}

static void sent_found_at_the_start_is_looked_up(void **state)
{
    struct shipping_desk *desk = *state;
    desk->alpha.create = (struct fake_orders){.held = true, .done_before = true, .count = 1};
    struct desk_call *call = desk_ask(desk, desk_create_shipment("a"));
    desk->fuel = 0; /* the books hear nothing any more */
    shipping_desk_kill(desk);
    desk_call_destroy(call);
    shipping_desk_start(desk);
    assert_int_equal(desk_state(desk, "a"), SHIPMENT_UNKNOWN);
    shipping_desk_pass(desk, 2 * minute_us);
    assert_int_equal(desk_state(desk, "a"), SHIPMENT_CREATED);
    assert_int_equal(desk->alpha.creates, 1);
}

static void a_found_label_is_kept_when_the_store_is_back(void **state)
{
    struct shipping_desk *desk = *state;
    lose(desk, true);
    shipping_model_fail_next(desk->model, COMMAND_RECORD_PURCHASE, ERROR_STORE_UNAVAILABLE, false);
    shipping_desk_pass(desk, 3 * minute_us);
    assert_int_equal(desk_state(desk, "a"), SHIPMENT_CREATED);
    assert_int_equal(desk->alpha.finds, 2);
}

static void a_person_adopts_what_the_carrier_confirms(void **state)
{
    struct shipping_desk *desk = *state;
    lose(desk, true);
    struct desk_call *call = resolve(desk, SHIPMENT_ADOPT, "N1");
    assert_int_equal(call->call->refusal, REFUSAL_NONE);
    assert_int_equal(call->as.resolve.shipment.state, SHIPMENT_CREATED);
    assert_int_equal(call->as.resolve.shipment.charged.amount_minor, 1000);
    desk_call_destroy(call);
}

static void a_number_that_the_carrier_does_not_have_is_not_adopted(void **state)
{
    struct shipping_desk *desk = *state;
    lose(desk, true);
    struct desk_call *call = resolve(desk, SHIPMENT_ADOPT, "N2");
    assert_int_equal(call->call->refusal, REFUSAL_NUMBER_MISMATCH);
    desk_call_destroy(call);
    assert_int_equal(desk_state(desk, "a"), SHIPMENT_UNKNOWN);
}

/* Mistyped or cut off: it is refused before anybody is asked. */
static void what_cannot_be_a_number_of_the_carrier_is_not_adopted(void **state)
{
    struct shipping_desk *desk = *state;
    snprintf(desk->alpha.base.name, sizeof desk->alpha.base.name, "ups");
    desk->alpha.create = (struct fake_orders){.verdict = CARRIER_UNKNOWN, .count = 1};
    struct desk_call *call = desk_create_shipment("a");
    call->as.create.request.carrier = text_of("ups");
    desk_ask(desk, call);
    assert_int_equal(call->as.create.shipment.state, SHIPMENT_UNKNOWN);
    desk_call_destroy(call);
    desk->alpha.find = (struct fake_orders){.verdict = CARRIER_UNAVAILABLE, .count = SIZE_MAX};
    call = resolve(desk, SHIPMENT_ADOPT, "1Z999");
    assert_int_equal(call->call->refusal, REFUSAL_NUMBER_MALFORMED);
    assert_int_equal(call->call->violations.count, 1);
    assert_true(text_equals_string(call->call->violations.items[0].field, "tracking_number"));
    desk_call_destroy(call);
    assert_int_equal(desk->alpha.finds, 0);
    call = resolve(desk, SHIPMENT_ADOPT, "1Z5R89390357567127");
    assert_int_equal(call->as.resolve.shipment.state, SHIPMENT_CREATED);
    desk_call_destroy(call);
}

static void the_number_of_another_shipment_is_not_adopted(void **state)
{
    struct shipping_desk *desk = *state;
    desk_call_destroy(desk_ask(desk, desk_create_shipment("b"))); /* has N1 */
    assert_int_equal(desk_state(desk, "b"), SHIPMENT_CREATED);
    lose(desk, false);
    desk->alpha.find = (struct fake_orders){.verdict = CARRIER_UNAVAILABLE, .count = SIZE_MAX};
    struct desk_call *call = resolve(desk, SHIPMENT_ADOPT, "N1");
    assert_int_equal(call->call->refusal, REFUSAL_NUMBER_MISMATCH);
    desk_call_destroy(call);
    assert_int_equal(desk_state(desk, "a"), SHIPMENT_UNKNOWN);
}

static void where_the_carrier_cannot_say_the_persons_word_counts(void **state)
{
    struct shipping_desk *desk = *state;
    lose(desk, true);
    desk->alpha.find = (struct fake_orders){.verdict = CARRIER_UNAVAILABLE, .count = SIZE_MAX};
    struct desk_call *call = resolve(desk, SHIPMENT_ADOPT, "X9");
    assert_int_equal(call->as.resolve.shipment.state, SHIPMENT_CREATED);
    desk_call_destroy(call);
    assert_number(desk, "X9");
}

static void buying_again_needs_the_end_of_the_look_ups(void **state)
{
    struct shipping_desk *desk = *state;
    lose(desk, false);
    struct desk_call *call = resolve(desk, SHIPMENT_BUY_AGAIN, "");
    assert_int_equal(call->call->refusal, REFUSAL_SHIPMENT_UNRESOLVED);
    desk_call_destroy(call);
    shipping_desk_leap(desk, 26 * hour_us);
    call = resolve(desk, SHIPMENT_BUY_AGAIN, "");
    assert_int_equal(call->call->refusal, REFUSAL_NONE);
    assert_int_equal(call->as.resolve.shipment.state, SHIPMENT_CREATED);
    assert_int_equal(call->as.resolve.shipment.attempt, 2);
    desk_call_destroy(call);
    assert_int_equal(fake_carrier_sold(&desk->alpha, "a~2"), 1);
    call = desk_ask(desk, desk_create_shipment("a"));
    assert_int_equal(call->as.create.shipment.state, SHIPMENT_CREATED);
    assert_int_equal(desk->alpha.creates, 2);
    desk_call_destroy(call);
}

static void what_is_settled_cannot_be_resolved(void **state)
{
    struct shipping_desk *desk = *state;
    desk_call_destroy(desk_ask(desk, desk_create_shipment("a")));
    struct desk_call *call = resolve(desk, SHIPMENT_VOID, "");
    assert_int_equal(call->call->refusal, REFUSAL_SHIPMENT_RESOLVED);
    desk_call_destroy(call);
    call = resolve(desk, SHIPMENT_ADOPT, "N1"); /* that is a repeat of what is known */
    assert_int_equal(call->call->refusal, REFUSAL_NONE);
    desk_call_destroy(call);
}

static void six_hundred_lost_purchases_are_all_closed(void **state)
{
    struct shipping_desk *desk = *state;
    char id[16];
    desk->alpha.create =
        (struct fake_orders){.verdict = CARRIER_UNKNOWN, .done_before = true, .count = SIZE_MAX};
    for (int i = 0; i < 600; i++) {
        snprintf(id, sizeof id, "s%d", i);
        desk_call_destroy(desk_ask(desk, desk_create_shipment(id)));
    }
    shipping_desk_pass(desk, 3 * minute_us);
    for (int i = 0; i < 600; i++) {
        snprintf(id, sizeof id, "s%d", i);
        assert_int_equal(desk_state(desk, id), SHIPMENT_CREATED);
    }
    assert_int_equal(desk->alpha.creates, 600);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_was_bought_is_adopted_a_minute_later,
                                        shipping_desk_set_up, shipping_desk_tear_down),
        cmocka_unit_test_setup_teardown(a_search_that_lags_is_asked_again, shipping_desk_set_up,
                                        shipping_desk_tear_down),
        cmocka_unit_test_setup_teardown(what_is_not_found_in_a_day_is_for_a_person,
                                        shipping_desk_set_up, shipping_desk_tear_down),
        cmocka_unit_test_setup_teardown(a_carrier_that_is_away_is_asked_for_a_day_too,
                                        shipping_desk_set_up, shipping_desk_tear_down),
        cmocka_unit_test_setup_teardown(what_the_carrier_has_voided_is_cancelled,
                                        shipping_desk_set_up, shipping_desk_tear_down),
        cmocka_unit_test_setup_teardown(two_labels_are_for_a_person_with_their_numbers,
                                        shipping_desk_set_up, shipping_desk_tear_down),
        cmocka_unit_test_setup_teardown(a_carrier_without_search_is_for_a_person_at_once,
                                        shipping_desk_set_up, shipping_desk_tear_down),
        cmocka_unit_test_setup_teardown(sent_found_at_the_start_is_looked_up, shipping_desk_set_up,
                                        shipping_desk_tear_down),
        cmocka_unit_test_setup_teardown(a_found_label_is_kept_when_the_store_is_back,
                                        shipping_desk_set_up, shipping_desk_tear_down),
        cmocka_unit_test_setup_teardown(a_person_adopts_what_the_carrier_confirms,
                                        shipping_desk_set_up, shipping_desk_tear_down),
        cmocka_unit_test_setup_teardown(a_number_that_the_carrier_does_not_have_is_not_adopted,
                                        shipping_desk_set_up, shipping_desk_tear_down),
        cmocka_unit_test_setup_teardown(what_cannot_be_a_number_of_the_carrier_is_not_adopted,
                                        shipping_desk_set_up, shipping_desk_tear_down),
        cmocka_unit_test_setup_teardown(the_number_of_another_shipment_is_not_adopted,
                                        shipping_desk_set_up, shipping_desk_tear_down),
        cmocka_unit_test_setup_teardown(where_the_carrier_cannot_say_the_persons_word_counts,
                                        shipping_desk_set_up, shipping_desk_tear_down),
        cmocka_unit_test_setup_teardown(buying_again_needs_the_end_of_the_look_ups,
                                        shipping_desk_set_up, shipping_desk_tear_down),
        cmocka_unit_test_setup_teardown(what_is_settled_cannot_be_resolved, shipping_desk_set_up,
                                        shipping_desk_tear_down),
        cmocka_unit_test_setup_teardown(six_hundred_lost_purchases_are_all_closed,
                                        shipping_desk_set_up, shipping_desk_tear_down),
    };
    return cmocka_run_group_tests_name("shipping_resolver", tests, NULL, NULL);
}
