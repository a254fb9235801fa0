/*
 * Goal: a label is voided by its carrier's rules, the wish is durable before the carrier is asked,
 * and it is asked until it has answered. Method: each verdict in each state, on fake carriers.
 */
#include "tests/support/shipping/shipping_desk.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include <string.h>

static const int64_t minute_us = INT64_C(60) * 1000000;

static void create(struct shipping_desk *desk, enum carrier_verdict verdict)
{
    desk->alpha.create = (struct fake_orders){.verdict = verdict, .count = 1};
    desk_call_destroy(desk_ask(desk, desk_create_shipment("a")));
}

/* The refusal; the state that was answered where there is none. */
static enum shipping_refusal cancel(struct shipping_desk *desk, enum shipment_state *answered)
{
    struct desk_call *call = desk_call_create(CALL_CANCEL_SHIPMENT);
    call->as.cancel.shipment_id = text_of("a");
    call->as.cancel.reason = text_of("the customer changed their mind");
    desk_ask(desk, call);
    assert_true(call->is_done);
    assert_false(error_is(call->error));
    enum shipping_refusal refusal = call->call->refusal;
    *answered = refusal == REFUSAL_NONE ? call->as.cancel.shipment.state : 0;
    desk_call_destroy(call);
    return refusal;
}

static void assert_cancel(struct shipping_desk *desk, enum shipping_refusal expected)
{
    enum shipment_state answered;
    assert_int_equal(cancel(desk, &answered), expected);
    if (expected == REFUSAL_NONE)
        assert_int_equal(answered, SHIPMENT_CANCELLED);
}

static void a_label_is_voided_and_told_of(void **state)
{
    struct shipping_desk *desk = *state;
    create(desk, CARRIER_ANSWERED);
    assert_cancel(desk, REFUSAL_NONE);
    assert_int_equal(fake_carrier_sold(&desk->alpha, "a"), 0);
    assert_int_equal(shipping_model_event_count(desk->model), 2);
    assert_int_equal(shipping_model_event(desk->model, 1)->type, EVENT_SHIPMENT_CANCELLED);
}

static void the_same_again_answers_the_record(void **state)
{
    struct shipping_desk *desk = *state;
    create(desk, CARRIER_ANSWERED);
    assert_cancel(desk, REFUSAL_NONE);
    assert_cancel(desk, REFUSAL_NONE);
    assert_int_equal(desk->alpha.cancels, 1);
    struct desk_call *call = desk_ask(desk, desk_create_shipment("a"));
    assert_int_equal(call->as.create.shipment.state, SHIPMENT_CANCELLED);
    assert_int_equal(desk->alpha.creates, 1);
    desk_call_destroy(call);
}

static void a_carrier_without_a_void_says_so_and_nothing_is_noted(void **state)
{
    struct shipping_desk *desk = *state;
    desk->alpha.base.capabilities.cancel = false;
    create(desk, CARRIER_ANSWERED);
    assert_cancel(desk, REFUSAL_CANCEL_UNSUPPORTED);
    shipping_desk_pass(desk, 60 * minute_us);
    assert_int_equal(desk->alpha.cancels, 0);
    assert_int_equal(desk_state(desk, "a"), SHIPMENT_CREATED);
}

static void a_carrier_that_will_not_is_not_asked_again(void **state)
{
    struct shipping_desk *desk = *state;
    create(desk, CARRIER_ANSWERED);
    desk->alpha.cancel = (struct fake_orders){.verdict = CARRIER_REFUSED, .count = SIZE_MAX};
    assert_cancel(desk, REFUSAL_CANCEL_REFUSED);
    shipping_desk_pass(desk, 60 * minute_us);
    assert_int_equal(desk->alpha.cancels, 1);
    assert_int_equal(desk_state(desk, "a"), SHIPMENT_CREATED);
}

static void a_void_without_an_answer_is_asked_for_until_there_is_one(void **state)
{
    struct shipping_desk *desk = *state;
    static const enum carrier_verdict verdicts[] = {CARRIER_UNKNOWN, CARRIER_UNAVAILABLE,
                                                    CARRIER_THROTTLED, CARRIER_NOT_FOUND};
    for (size_t i = 0; i < 4; i++) {
        shipping_desk_deinit(desk);
        shipping_desk_init(desk);
        shipping_desk_start(desk);
        create(desk, CARRIER_ANSWERED);
        desk->alpha.cancel = (struct fake_orders){.verdict = verdicts[i], .count = 3};
        assert_cancel(desk, REFUSAL_CARRIER_UNAVAILABLE);
        assert_int_equal(desk_state(desk, "a"), SHIPMENT_CREATED);
        shipping_desk_pass(desk, 3 * 60 * minute_us);
        assert_int_equal(desk_state(desk, "a"), SHIPMENT_CANCELLED);
        assert_int_equal(desk->alpha.cancels, 4);
    }
}

static void a_label_that_is_not_found_is_for_a_person(void **state)
{
    struct shipping_desk *desk = *state;
    create(desk, CARRIER_ANSWERED);
    desk->alpha.cancel = (struct fake_orders){.verdict = CARRIER_NOT_FOUND, .count = SIZE_MAX};
    assert_cancel(desk, REFUSAL_CARRIER_UNAVAILABLE);
    shipping_desk_pass(desk, 10 * minute_us);
    assert_int_equal(desk_state(desk, "a"), SHIPMENT_NEEDS_ATTENTION);
    assert_int_equal(desk->alpha.cancels, 4);
    assert_cancel(desk, REFUSAL_CANCEL_REFUSED);
    shipping_desk_pass(desk, 60 * minute_us);
    assert_int_equal(desk->alpha.cancels, 4);
    struct desk_call *call = desk_call_create(CALL_RESOLVE_SHIPMENT);
    call->as.resolve.shipment_id = text_of("a");
    call->as.resolve.resolution = SHIPMENT_VOID;
    call->as.resolve.note = text_of("the portal does not have it either");
    desk_ask(desk, call);
    assert_int_equal(call->call->refusal, REFUSAL_NONE);
    assert_int_equal(call->as.resolve.shipment.state, SHIPMENT_CANCELLED);
    desk_call_destroy(call);
    assert_cancel(desk, REFUSAL_NONE);
}

/* Long after it was bought, the resolver asks no more rarely than soon after. */
static void an_old_label_is_asked_for_as_soon(void **state)
{
    struct shipping_desk *desk = *state;
    create(desk, CARRIER_ANSWERED);
    shipping_desk_pass(desk, 48 * 60 * minute_us);
    desk->alpha.cancel = (struct fake_orders){.verdict = CARRIER_NOT_FOUND, .count = SIZE_MAX};
    assert_cancel(desk, REFUSAL_CARRIER_UNAVAILABLE);
    shipping_desk_pass(desk, 10 * minute_us);
    assert_int_equal(desk_state(desk, "a"), SHIPMENT_NEEDS_ATTENTION);
}

static void a_wish_survives_the_end_of_the_process(void **state)
{
    struct shipping_desk *desk = *state;
    create(desk, CARRIER_ANSWERED);
    desk->alpha.cancel = (struct fake_orders){.verdict = CARRIER_UNKNOWN, .count = 1};
    assert_cancel(desk, REFUSAL_CARRIER_UNAVAILABLE);
    shipping_desk_kill(desk);
    shipping_desk_start(desk);
    shipping_desk_pass(desk, 5 * minute_us);
    assert_int_equal(desk_state(desk, "a"), SHIPMENT_CANCELLED);
}

static void what_nobody_knows_of_cannot_be_cancelled(void **state)
{
    struct shipping_desk *desk = *state;
    desk->alpha.create = (struct fake_orders){.held = true, .count = 1};
    struct desk_call *call = desk_ask(desk, desk_create_shipment("a"));
    assert_cancel(desk, REFUSAL_SHIPMENT_UNRESOLVED); /* SENT */
    fake_carrier_release(&desk->alpha);
    shipping_desk_run(desk);
    assert_true(call->is_done);
    desk_call_destroy(call);
}

static void neither_can_what_was_refused_or_never_was(void **state)
{
    struct shipping_desk *desk = *state;
    assert_cancel(desk, REFUSAL_SHIPMENT_NOT_FOUND);
    create(desk, CARRIER_UNKNOWN);
    assert_cancel(desk, REFUSAL_SHIPMENT_UNRESOLVED);
    shipping_desk_deinit(desk);
    shipping_desk_init(desk);
    shipping_desk_start(desk);
    create(desk, CARRIER_REFUSED);
    assert_cancel(desk, REFUSAL_SHIPMENT_FAILED);
    assert_int_equal(desk->alpha.cancels, 0);
}

static void what_was_never_sent_is_cancelled_without_the_carrier(void **state)
{
    struct shipping_desk *desk = *state;
    create(desk, CARRIER_UNAVAILABLE);
    assert_int_equal(desk_state(desk, "a"), SHIPMENT_INTENT);
    assert_cancel(desk, REFUSAL_NONE);
    assert_int_equal(desk->alpha.cancels, 0);
    struct desk_call *call = desk_ask(desk, desk_create_shipment("a"));
    assert_int_equal(call->as.create.shipment.state, SHIPMENT_CANCELLED);
    assert_int_equal(desk->alpha.creates, 1);
    desk_call_destroy(call);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_label_is_voided_and_told_of, shipping_desk_set_up,
                                        shipping_desk_tear_down),
        cmocka_unit_test_setup_teardown(the_same_again_answers_the_record, shipping_desk_set_up,
                                        shipping_desk_tear_down),
        cmocka_unit_test_setup_teardown(a_carrier_without_a_void_says_so_and_nothing_is_noted,
                                        shipping_desk_set_up, shipping_desk_tear_down),
        cmocka_unit_test_setup_teardown(a_carrier_that_will_not_is_not_asked_again,
                                        shipping_desk_set_up, shipping_desk_tear_down),
        cmocka_unit_test_setup_teardown(a_void_without_an_answer_is_asked_for_until_there_is_one,
                                        shipping_desk_set_up, shipping_desk_tear_down),
        cmocka_unit_test_setup_teardown(a_label_that_is_not_found_is_for_a_person,
                                        shipping_desk_set_up, shipping_desk_tear_down),
        cmocka_unit_test_setup_teardown(an_old_label_is_asked_for_as_soon, shipping_desk_set_up,
                                        shipping_desk_tear_down),
        cmocka_unit_test_setup_teardown(a_wish_survives_the_end_of_the_process,
                                        shipping_desk_set_up, shipping_desk_tear_down),
        cmocka_unit_test_setup_teardown(what_nobody_knows_of_cannot_be_cancelled,
                                        shipping_desk_set_up, shipping_desk_tear_down),
        cmocka_unit_test_setup_teardown(neither_can_what_was_refused_or_never_was,
                                        shipping_desk_set_up, shipping_desk_tear_down),
        cmocka_unit_test_setup_teardown(what_was_never_sent_is_cancelled_without_the_carrier,
                                        shipping_desk_set_up, shipping_desk_tear_down),
    };
    return cmocka_run_group_tests_name("shipping_cancellation", tests, NULL, NULL);
}
