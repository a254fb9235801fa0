/*
 * Goal: a label is bought at most once for a shipment_id, and what is answered is what is in the
 * books. Method: the service over fake carriers and the books in memory; each verdict of the
 * carrier, each failure of the store, calls that come twice, together or late.
 */
#include "tests/support/shipping/shipping_desk.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

static const int64_t second_us = 1000000;

static void assert_answered(const struct desk_call *call, enum shipment_state expected)
{
    assert_true(call->is_done);
    assert_false(error_is(call->error));
    assert_int_equal(call->call->refusal, REFUSAL_NONE);
    assert_int_equal(call->as.create.shipment.state, expected);
}

static void assert_refused(const struct desk_call *call, enum shipping_refusal expected)
{
    assert_true(call->is_done);
    assert_false(error_is(call->error));
    assert_int_equal(call->call->refusal, expected);
    assert_true(call->call->why.size > 0);
}

/* Asks for "a" and says what came of it. */
static struct desk_call *create(struct shipping_desk *desk)
{
    return desk_ask(desk, desk_create_shipment("a"));
}

static void a_purchase_is_recorded_with_numbers_and_amounts(void **state)
{
    struct shipping_desk *desk = *state;
    struct desk_call *call = create(desk);
    const struct shipment *shipment = &call->as.create.shipment;
    assert_answered(call, SHIPMENT_CREATED);
    assert_true(text_equals_string(shipment->tracking_number, "N1"));
    assert_true(text_equals_string(shipment->parcels[0].tracking_number, "N1"));
    assert_int_equal(shipment->amount.amount_minor, 1000);
    assert_int_equal(shipment->charged.amount_minor, 1000);
    assert_string_equal(shipment->consignment.ship_date, "2026-09-21");
    assert_int_equal(shipping_model_event_count(desk->model), 1);
    assert_int_equal(fake_carrier_sold(&desk->alpha, "a"), 1);
    desk_call_destroy(call);
}

static void a_charge_below_nothing_is_not_known(void **state)
{
    struct shipping_desk *desk = *state;
    desk->alpha.price_minor = -500;
    struct desk_call *call = create(desk);
    assert_answered(call, SHIPMENT_CREATED);
    assert_string_equal(call->as.create.shipment.charged.currency_code, "");
    assert_int_equal(call->as.create.shipment.charged.amount_minor, 0);
    desk_call_destroy(call);
}

static void the_same_again_answers_the_record_and_asks_nobody(void **state)
{
    struct shipping_desk *desk = *state;
    desk_call_destroy(create(desk));
    struct desk_call *call = create(desk);
    assert_answered(call, SHIPMENT_CREATED);
    assert_true(text_equals_string(call->as.create.shipment.tracking_number, "N1"));
    assert_int_equal(desk->alpha.creates, 1);
    desk_call_destroy(call);
}

static void other_content_under_the_same_id_is_refused(void **state)
{
    struct shipping_desk *desk = *state;
    desk_call_destroy(create(desk));
    struct desk_call *call = desk_create_shipment("a");
    call->as.create.request.reference = text_of("another");
    assert_refused(desk_ask(desk, call), REFUSAL_ID_REUSED);
    assert_int_equal(desk->alpha.creates, 1);
    desk_call_destroy(call);
}

static void a_refusal_is_a_final_record_with_its_reason(void **state)
{
    struct shipping_desk *desk = *state;
    desk->alpha.create = (struct fake_orders){.verdict = CARRIER_REFUSED, .count = 1};
    struct desk_call *call = create(desk);
    assert_answered(call, SHIPMENT_FAILED);
    assert_true(text_equals_string(call->as.create.shipment.failure, "refused: no"));
    desk_call_destroy(call);
    call = create(desk);
    assert_answered(call, SHIPMENT_FAILED);
    assert_int_equal(desk->alpha.creates, 1);
    desk_call_destroy(call);
}

static void what_was_surely_not_done_may_be_asked_for_again(void **state)
{
    struct shipping_desk *desk = *state;
    static const enum carrier_verdict verdicts[] = {CARRIER_THROTTLED, CARRIER_UNAVAILABLE};
    for (size_t i = 0; i < 2; i++) {
        desk->alpha.create = (struct fake_orders){
            .verdict = verdicts[i], .retry_after_us = 7 * second_us, .count = 1};
        struct desk_call *call = create(desk);
        assert_refused(call, REFUSAL_CARRIER_UNAVAILABLE);
        assert_int_equal(call->call->retry_after_us, 7 * second_us);
        assert_int_equal(desk_state(desk, "a"), SHIPMENT_INTENT);
        desk_call_destroy(call);
    }
    struct desk_call *call = create(desk);
    assert_answered(call, SHIPMENT_CREATED);
    assert_int_equal(call->as.create.shipment.attempt, 3);
    assert_int_equal(fake_carrier_sold(&desk->alpha, "a~3"), 1);
    assert_int_equal(desk->alpha.sale_count, 1);
    desk_call_destroy(call);
}

static void a_lost_answer_is_unknown_and_never_bought_again(void **state)
{
    struct shipping_desk *desk = *state;
    desk->alpha.create =
        (struct fake_orders){.verdict = CARRIER_UNKNOWN, .done_before = true, .count = 1};
    struct desk_call *call = create(desk);
    assert_answered(call, SHIPMENT_UNKNOWN);
    desk_call_destroy(call);
    call = create(desk);
    assert_answered(call, SHIPMENT_UNKNOWN);
    assert_int_equal(desk->alpha.creates, 1);
    desk_call_destroy(call);
}

static void calls_during_a_purchase_wait_for_its_end(void **state)
{
    struct shipping_desk *desk = *state;
    struct desk_call *calls[5];
    desk->alpha.create = (struct fake_orders){.held = true, .count = 1};
    for (size_t i = 0; i < 5; i++)
        calls[i] = create(desk);
    for (size_t i = 0; i < 5; i++)
        assert_false(calls[i]->is_done);
    assert_int_equal(desk_state(desk, "a"), SHIPMENT_SENT);
    assert_int_equal(shipping_service_purchases(desk->service), 1);
    assert_int_equal(fake_carrier_release(&desk->alpha), 1);
    shipping_desk_run(desk);
    for (size_t i = 0; i < 5; i++) {
        assert_answered(calls[i], SHIPMENT_CREATED);
        desk_call_destroy(calls[i]);
    }
    assert_int_equal(desk->alpha.creates, 1);
    assert_int_equal(shipping_service_purchases(desk->service), 0);
}

static void who_waited_and_is_late_gets_deadline(void **state)
{
    struct shipping_desk *desk = *state;
    desk->alpha.create = (struct fake_orders){.held = true, .count = 1};
    struct desk_call *first = create(desk);
    struct desk_call *second = desk_create_shipment("a");
    second->call->deadline_us = clock_monotonic_us(&desk->clock.base) + second_us;
    desk_ask(desk, second);
    shipping_desk_pass(desk, 2 * second_us);
    fake_carrier_release(&desk->alpha);
    shipping_desk_run(desk);
    assert_answered(first, SHIPMENT_CREATED);
    assert_true(second->is_done);
    assert_int_equal(second->error.code, ERROR_DEADLINE);
    desk_call_destroy(first);
    desk_call_destroy(second);
}

static void a_purchase_goes_on_after_its_callers_deadline(void **state)
{
    struct shipping_desk *desk = *state;
    struct desk_call *call = desk_create_shipment("a");
    desk->alpha.create = (struct fake_orders){.held = true, .count = 1};
    call->call->deadline_us = clock_monotonic_us(&desk->clock.base) + second_us;
    desk_ask(desk, call);
    shipping_desk_pass(desk, 30 * second_us);
    fake_carrier_release(&desk->alpha);
    shipping_desk_run(desk);
    assert_answered(call, SHIPMENT_CREATED);
    desk_call_destroy(call);
}

static void an_end_that_cannot_be_stored_is_offered_until_it_is(void **state)
{
    struct shipping_desk *desk = *state;
    desk->alpha.create = (struct fake_orders){.held = true, .count = 1};
    struct desk_call *call = create(desk);
    desk->is_away = true;
    fake_carrier_release(&desk->alpha);
    shipping_desk_run(desk);
    shipping_desk_pass(desk, 60 * second_us);
    assert_false(call->is_done);
    desk->is_away = false;
    shipping_desk_pass(desk, 6 * second_us);
    assert_answered(call, SHIPMENT_CREATED);
    assert_int_equal(desk->alpha.creates, 1);
    desk_call_destroy(call);
}

static void an_end_stored_although_its_answer_was_lost_is_stored_once(void **state)
{
    struct shipping_desk *desk = *state;
    shipping_model_fail_next(desk->model, COMMAND_RECORD_PURCHASE, ERROR_STORE_UNAVAILABLE, true);
    struct desk_call *call = create(desk);
    shipping_desk_pass(desk, second_us);
    assert_answered(call, SHIPMENT_CREATED);
    assert_int_equal(desk->alpha.creates, 1);
    assert_int_equal(shipping_model_event_count(desk->model), 1);
    desk_call_destroy(call);
}

static void without_a_durable_sent_nothing_is_sent(void **state)
{
    struct shipping_desk *desk = *state;
    shipping_model_fail_next(desk->model, COMMAND_MARK_SENT, ERROR_STORE_UNAVAILABLE, true);
    struct desk_call *call = create(desk);
    assert_true(call->is_done);
    assert_int_equal(call->error.code, ERROR_STORE_UNAVAILABLE);
    assert_int_equal(desk->alpha.creates, 0);
    desk_call_destroy(call);
    call = create(desk);
    assert_answered(call, SHIPMENT_SENT); /* by whom, only a look-up can tell */
    assert_int_equal(desk->alpha.creates, 0);
    desk_call_destroy(call);
    shipping_desk_pass(desk, 10 * 60 * second_us);
    assert_int_equal(desk_state(desk, "a"), SHIPMENT_UNKNOWN);
}

static void an_orderly_end_waits_for_what_the_carrier_says(void **state)
{
    struct shipping_desk *desk = *state;
    desk->alpha.create = (struct fake_orders){.held = true, .count = 1};
    struct desk_call *call = create(desk);
    shipping_desk_stop(desk);
    assert_answered(call, SHIPMENT_CREATED);
    desk_call_destroy(call);
    shipping_desk_start(desk);
    assert_int_equal(desk_state(desk, "a"), SHIPMENT_CREATED);
}

/* Another process on the same books; its first sweep is over. */
static struct shipping_service *start_another(struct shipping_desk *desk)
{
    struct shipping_service *other = NULL;
    struct error error = shipping_service_create(&other, &desk->options);
    assert_false(error_is(error));
    shipping_service_start(other);
    shipping_desk_run(desk);
    return other;
}

static void two_processes_buy_one_label(void **state)
{
    struct shipping_desk *desk = *state;
    struct shipping_service *mine = desk->service, *other = start_another(desk);
    struct desk_call *calls[2] = {desk_create_shipment("a"), desk_create_shipment("a")};
    for (int i = 0; i < 2; i++) {
        desk->service = i == 0 ? mine : other;
        assert_true(desk_call_submit(desk, calls[i]));
    }
    shipping_desk_run(desk);
    assert_int_equal(desk->alpha.creates, 1);
    assert_int_equal(desk_state(desk, "a"), SHIPMENT_CREATED);
    for (int i = 0; i < 2; i++) {
        assert_true(calls[i]->is_done);
        assert_int_equal(calls[i]->call->refusal, REFUSAL_NONE);
        desk_call_destroy(calls[i]);
    }
    shipping_service_close(other);
    shipping_desk_run(desk);
    shipping_service_destroy(other);
    desk->service = mine;
}

static void a_label_nobody_wants_any_more_is_voided(void **state)
{
    struct shipping_desk *desk = *state;
    desk->alpha.create = (struct fake_orders){.held = true, .done_before = true, .count = 1};
    desk->alpha.find = (struct fake_orders){.verdict = CARRIER_NOT_FOUND, .count = SIZE_MAX};
    struct desk_call *call = create(desk);
    shipping_desk_pass(desk, 10 * 60 * second_us); /* SENT for longer than any carrier may take */
    assert_int_equal(desk_state(desk, "a"), SHIPMENT_UNKNOWN);
    struct desk_call *early = desk_call_create(CALL_RESOLVE_SHIPMENT);
    early->as.resolve.shipment_id = text_of("a");
    early->as.resolve.resolution = SHIPMENT_VOID;
    assert_refused(desk_ask(desk, early), REFUSAL_SHIPMENT_UNRESOLVED); /* it may be sold */
    desk_call_destroy(early);
    shipping_desk_pass(desk, 25 * 3600 * second_us);
    assert_int_equal(desk_state(desk, "a"), SHIPMENT_NEEDS_ATTENTION);
    struct desk_call *resolve = desk_call_create(CALL_RESOLVE_SHIPMENT);
    resolve->as.resolve.shipment_id = text_of("a");
    resolve->as.resolve.resolution = SHIPMENT_VOID;
    desk_ask(desk, resolve);
    assert_int_equal(resolve->as.resolve.shipment.state, SHIPMENT_CANCELLED);
    fake_carrier_release(&desk->alpha);
    shipping_desk_run(desk);
    assert_answered(call, SHIPMENT_CANCELLED);
    assert_int_equal(desk->alpha.cancels, 1);
    assert_int_equal(fake_carrier_sold(&desk->alpha, "a"), 0);
    desk_call_destroy(call);
    desk_call_destroy(resolve);
}

static void what_the_carrier_cannot_do_is_refused_before_any_trace(void **state)
{
    struct shipping_desk *desk = *state;
    desk->alpha.base.capabilities.saturday = false;
    struct desk_call *call = desk_create_shipment("a");
    call->as.create.request.consignment.options.saturday = true;
    assert_refused(desk_ask(desk, call), REFUSAL_NO_SERVICE);
    desk_call_destroy(call);
    call = desk_create_shipment("a");
    call->as.create.request.label_format = SHIPPING_LABEL_PNG;
    assert_refused(desk_ask(desk, call), REFUSAL_LABEL_FORMAT_UNAVAILABLE);
    desk_call_destroy(call);
    assert_int_equal(desk_state(desk, "a"), 0);
    assert_int_equal(desk->alpha.creates, 0);
}

static void without_a_wish_for_a_format_the_carrier_has_one(void **state)
{
    struct shipping_desk *desk = *state;
    desk->alpha.base.capabilities.label_formats = 1U << SHIPPING_LABEL_PNG;
    struct desk_call *call = desk_create_shipment("a");
    assert_refused(desk_ask(desk, call), REFUSAL_LABEL_FORMAT_UNAVAILABLE);
    desk_call_destroy(call);
    for (int i = 0; i < 2; i++) { /* the second is a repeat */
        call = desk_create_shipment("a");
        call->as.create.any_format = true;
        assert_answered(desk_ask(desk, call), SHIPMENT_CREATED);
        assert_int_equal(call->as.create.shipment.label_format, SHIPPING_LABEL_PNG);
        desk_call_destroy(call);
    }
    assert_int_equal(desk->alpha.creates, 1);
}

static void fields_are_checked_all_at_once(void **state)
{
    struct shipping_desk *desk = *state;
    struct desk_call *call = desk_call_create(CALL_CREATE_SHIPMENT);
    assert_false(desk_call_submit(desk, call));
    static const char *const paths[] = {
        "shipment_id",
        "rate_id",
        "origin.country_code",
        "origin.name",
        "origin.lines",
        "origin.city",
        "destination.country_code",
        "destination.name",
        "destination.lines",
        "destination.city",
        "parcels",
    };
    struct violations *violations = &call->call->violations;
    assert_int_equal(violations->count, sizeof paths / sizeof paths[0]);
    for (size_t i = 0; i < violations->count; i++)
        assert_true(text_equals_string(violations->items[i].field, paths[i]));
    desk_call_destroy(call);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_purchase_is_recorded_with_numbers_and_amounts,
                                        shipping_desk_set_up, shipping_desk_tear_down),
        cmocka_unit_test_setup_teardown(a_charge_below_nothing_is_not_known, shipping_desk_set_up,
                                        shipping_desk_tear_down),
        cmocka_unit_test_setup_teardown(the_same_again_answers_the_record_and_asks_nobody,
                                        shipping_desk_set_up, shipping_desk_tear_down),
        cmocka_unit_test_setup_teardown(other_content_under_the_same_id_is_refused,
                                        shipping_desk_set_up, shipping_desk_tear_down),
        cmocka_unit_test_setup_teardown(a_refusal_is_a_final_record_with_its_reason,
                                        shipping_desk_set_up, shipping_desk_tear_down),
        cmocka_unit_test_setup_teardown(what_was_surely_not_done_may_be_asked_for_again,
                                        shipping_desk_set_up, shipping_desk_tear_down),
        cmocka_unit_test_setup_teardown(a_lost_answer_is_unknown_and_never_bought_again,
                                        shipping_desk_set_up, shipping_desk_tear_down),
        cmocka_unit_test_setup_teardown(calls_during_a_purchase_wait_for_its_end,
                                        shipping_desk_set_up, shipping_desk_tear_down),
        cmocka_unit_test_setup_teardown(who_waited_and_is_late_gets_deadline, shipping_desk_set_up,
                                        shipping_desk_tear_down),
        cmocka_unit_test_setup_teardown(a_purchase_goes_on_after_its_callers_deadline,
                                        shipping_desk_set_up, shipping_desk_tear_down),
        cmocka_unit_test_setup_teardown(an_end_that_cannot_be_stored_is_offered_until_it_is,
                                        shipping_desk_set_up, shipping_desk_tear_down),
        cmocka_unit_test_setup_teardown(an_end_stored_although_its_answer_was_lost_is_stored_once,
                                        shipping_desk_set_up, shipping_desk_tear_down),
        cmocka_unit_test_setup_teardown(without_a_durable_sent_nothing_is_sent,
                                        shipping_desk_set_up, shipping_desk_tear_down),
        cmocka_unit_test_setup_teardown(an_orderly_end_waits_for_what_the_carrier_says,
                                        shipping_desk_set_up, shipping_desk_tear_down),
        cmocka_unit_test_setup_teardown(two_processes_buy_one_label, shipping_desk_set_up,
                                        shipping_desk_tear_down),
        cmocka_unit_test_setup_teardown(a_label_nobody_wants_any_more_is_voided,
                                        shipping_desk_set_up, shipping_desk_tear_down),
        cmocka_unit_test_setup_teardown(what_the_carrier_cannot_do_is_refused_before_any_trace,
                                        shipping_desk_set_up, shipping_desk_tear_down),
        cmocka_unit_test_setup_teardown(without_a_wish_for_a_format_the_carrier_has_one,
                                        shipping_desk_set_up, shipping_desk_tear_down),
        cmocka_unit_test_setup_teardown(fields_are_checked_all_at_once, shipping_desk_set_up,
                                        shipping_desk_tear_down),
    };
    return cmocka_run_group_tests_name("shipping_purchase", tests, NULL, NULL);
}
