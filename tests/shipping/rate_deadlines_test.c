/*
 * Goal: GetRates answers by the deadline with what has come and a reason for each that has not,
 * whatever becomes of a carrier. Method: a carrier that is asked and never answers; a clock that
 * the test moves.
 */
#include "tests/support/shipping/shipping_desk.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static const int64_t second_us = 1000000;

/* beta hears the question and says nothing, ever: no time-out of its own ends that. */
static void let_beta_be_stuck(struct shipping_desk *desk)
{
    desk->beta.rate = (struct fake_orders){.verdict = CARRIER_ANSWERED, .held = true, .count = 1};
}

static void a_stuck_carrier_has_a_reason_when_the_time_for_rates_is_over(void **state)
{
    struct shipping_desk *desk = *state;
    let_beta_be_stuck(desk);
    struct desk_call *call = desk_ask(desk, desk_get_rates());
    shipping_desk_pass(desk, 5 * second_us); /* rates_us_max: the carriers' own time */
    assert_false(call->is_done);
    shipping_desk_pass(desk, second_us / 5);
    assert_true(call->is_done);
    assert_int_equal(call->as.rates.rate_count, 1);
    assert_string_equal(call->as.rates.rates[0].carrier, "alpha");
    assert_int_equal(call->as.rates.failure_count, 1);
    assert_string_equal(call->as.rates.failures[0].carrier, "beta");
    assert_true(text_equals_string(call->as.rates.failures[0].reason,
                                   "no usable answer: none came in time"));
    desk_call_destroy(call);
    fake_carrier_release(&desk->beta); /* an answer that nobody takes any more */
    shipping_desk_run(desk);
    call = desk_ask(desk, desk_get_rates());
    assert_int_equal(call->as.rates.rate_count, 2);
    desk_call_destroy(call);
}

static void the_answer_is_there_before_the_callers_deadline(void **state)
{
    static const int64_t times_us[] = {100000, 700000, INT64_C(10000000), INT64_C(50000000)};
    struct shipping_desk *desk = *state;
    for (size_t i = 0; i < sizeof times_us / sizeof times_us[0]; i++) {
        struct desk_call *call = desk_get_rates();
        int64_t now_us = clock_monotonic_us(&desk->clock.base);
        let_beta_be_stuck(desk);
        call->call->deadline_us = now_us + times_us[i];
        desk_ask(desk, call);
        shipping_desk_pass(desk, times_us[i] - times_us[i] / 20); /* what carriers may have */
        shipping_desk_pass(desk, times_us[i] / 20 - 1);
        assert_true(call->is_done);
        assert_int_equal(call->as.rates.rate_count, 1);
        assert_int_equal(call->as.rates.failure_count, 1);
        desk_call_destroy(call);
        fake_carrier_release(&desk->beta);
        shipping_desk_run(desk);
    }
}

static void a_far_deadline_does_not_keep_the_answer_back(void **state)
{
    struct shipping_desk *desk = *state;
    struct desk_call *call = desk_get_rates();
    let_beta_be_stuck(desk);
    call->call->deadline_us = clock_monotonic_us(&desk->clock.base) + 3600 * second_us;
    desk_ask(desk, call);
    shipping_desk_pass(desk, 61 * second_us);
    assert_true(call->is_done);
    assert_int_equal(call->as.rates.failure_count, 1);
    desk_call_destroy(call);
    fake_carrier_release(&desk->beta);
    shipping_desk_run(desk);
}

static void many_calls_wait_for_their_own_time_each(void **state)
{
    enum { call_count = 40 };
    struct shipping_desk *desk = *state;
    struct desk_call *calls[call_count];
    int64_t start_us = clock_monotonic_us(&desk->clock.base);
    desk->beta.rate =
        (struct fake_orders){.verdict = CARRIER_ANSWERED, .held = true, .count = SIZE_MAX};
    for (size_t i = 0; i < call_count; i++) { /* 1 to 40 s, in no order */
        calls[i] = desk_get_rates();
        calls[i]->call->deadline_us = start_us + (int64_t)(1 + i * 17 % call_count) * second_us;
        desk_ask(desk, calls[i]);
    }
    for (size_t passed = 0; passed <= call_count; passed++) {
        for (size_t i = 0; i < call_count; i++)
            assert_int_equal(calls[i]->is_done, 1 + i * 17 % call_count <= passed);
        shipping_desk_pass(desk, second_us);
    }
    desk->beta.rate.count = 0;
    fake_carrier_release(&desk->beta);
    shipping_desk_run(desk);
    for (size_t i = 0; i < call_count; i++)
        desk_call_destroy(calls[i]);
}

static void an_orderly_end_does_not_wait_for_a_stuck_carrier(void **state)
{
    struct shipping_desk *desk = *state;
    let_beta_be_stuck(desk);
    struct desk_call *call = desk_ask(desk, desk_get_rates());
    shipping_service_close(desk->service);
    shipping_desk_run(desk);
    assert_true(call->is_done);
    assert_true(text_equals_string(call->as.rates.failures[0].reason,
                                   "not available: the service is stopping"));
    assert_false(desk->closed); /* the carrier still has the question */
    desk_call_destroy(call);
    fake_carrier_release(&desk->beta);
    shipping_desk_run(desk);
    assert_true(desk->closed);
    shipping_service_destroy(desk->service);
    desk->service = NULL;
}

static void a_purchase_by_rule_does_not_wait_for_a_stuck_carrier(void **state)
{
    struct shipping_desk *desk = *state;
    struct desk_call *call = desk_create_shipment("a");
    let_beta_be_stuck(desk);
    call->as.create.request.carrier = call->as.create.request.service_code = (struct text){0};
    call->as.create.request.rule = RATE_RULE_CHEAPEST;
    desk_ask(desk, call);
    shipping_desk_pass(desk, 6 * second_us);
    assert_true(call->is_done);
    assert_true(text_equals_string(call->as.create.shipment.carrier, "alpha"));
    desk_call_destroy(call);
    fake_carrier_release(&desk->beta);
    shipping_desk_run(desk);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            a_stuck_carrier_has_a_reason_when_the_time_for_rates_is_over, shipping_desk_set_up,
            shipping_desk_tear_down),
        cmocka_unit_test_setup_teardown(the_answer_is_there_before_the_callers_deadline,
                                        shipping_desk_set_up, shipping_desk_tear_down),
        cmocka_unit_test_setup_teardown(a_far_deadline_does_not_keep_the_answer_back,
                                        shipping_desk_set_up, shipping_desk_tear_down),
        cmocka_unit_test_setup_teardown(many_calls_wait_for_their_own_time_each,
                                        shipping_desk_set_up, shipping_desk_tear_down),
        cmocka_unit_test_setup_teardown(an_orderly_end_does_not_wait_for_a_stuck_carrier,
                                        shipping_desk_set_up, shipping_desk_tear_down),
        cmocka_unit_test_setup_teardown(a_purchase_by_rule_does_not_wait_for_a_stuck_carrier,
                                        shipping_desk_set_up, shipping_desk_tear_down),
    };
    return cmocka_run_group_tests_name("shipping_rate_deadlines", tests, NULL, NULL);
}
