/*
 * Goal: a call leaves when our own limits and the carrier allow it, and what the carrier asks for
 * holds back whom it can have meant, for as long as it can be meant. Method: times by hand.
 */
#include "shipping/infrastructure/carriers/carrier_admission.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static const int64_t second = 1000000;
static const int64_t start = INT64_C(5000) * 1000000;

static struct carrier_admission made(uint32_t per_second, uint32_t per_day)
{
    struct carrier_admission admission;
    struct carrier_settings settings = carrier_settings_default();
    settings.calls_per_second_max = per_second;
    settings.calls_per_day_max = per_day;
    carrier_admission_init(&admission, &settings, start);
    return admission;
}

static int64_t pause_of(const struct carrier_admission *admission, enum carrier_api api,
                        int64_t now)
{
    return carrier_admission_pause_us(admission, api, now);
}

static void calls_keep_to_the_rate(void **state)
{
    struct carrier_admission admission = made(10, 0);
    (void)state;
    for (int i = 0; i < 10; i++) {
        assert_int_equal(carrier_admission_turn_us(&admission, start), 0);
        carrier_admission_take(&admission);
    }
    assert_int_equal(carrier_admission_turn_us(&admission, start), second / 10);
    assert_int_equal(carrier_admission_turn_us(&admission, start + second / 20), second / 20);
    assert_int_equal(carrier_admission_turn_us(&admission, start + second / 10), 0);
    assert_int_equal(carrier_admission_turn_us(&admission, start + 3600 * second), 0);
    for (int i = 0; i < 10; i++)
        carrier_admission_take(&admission); /* an hour saves up no more than a second's */
    assert_true(carrier_admission_turn_us(&admission, start + 3600 * second) > 0);
}

static void the_days_quota_ends_with_the_day(void **state)
{
    struct carrier_admission admission = made(0, 2);
    const int64_t evening = 86399 * second;
    (void)state;
    assert_int_equal(carrier_admission_turn_us(&admission, start), 0); /* no rate: no turn */
    assert_int_equal(carrier_admission_quota_us(&admission, evening), 0);
    carrier_admission_take(&admission);
    carrier_admission_take(&admission);
    assert_int_equal(carrier_admission_quota_us(&admission, evening), second);
    assert_int_equal(carrier_admission_quota_us(&admission, evening + second), 0);
}

static void nothing_is_held_back_unasked(void **state)
{
    struct carrier_admission admission = made(0, 0);
    (void)state;
    for (int api = 0; api < carrier_api_count; api++) {
        assert_int_equal(pause_of(&admission, (enum carrier_api)api, start), 0);
        assert_int_equal(pause_of(&admission, (enum carrier_api)api, INT64_MIN), 0);
    }
}

static void until_the_named_moment_no_call_of_the_account_leaves(void **state)
{
    struct carrier_admission admission = made(0, 0);
    const int64_t now = start + second;
    (void)state;
    assert_int_equal(carrier_admission_pause(&admission, CARRIER_API_RATES, start, now, 2 * second),
                     2 * second);
    for (int api = 0; api < CARRIER_API_UNIFIED_TRACKING; api++) {
        assert_int_equal(pause_of(&admission, (enum carrier_api)api, now), 2 * second);
        assert_int_equal(pause_of(&admission, (enum carrier_api)api, now + 2 * second - 1), 1);
        assert_int_equal(pause_of(&admission, (enum carrier_api)api, now + 2 * second), 0);
    }
    assert_int_equal(pause_of(&admission, CARRIER_API_UNIFIED_TRACKING, now), 0);
}

static void a_later_answer_lengthens_a_pause_and_never_shortens_it(void **state)
{
    struct carrier_admission admission = made(0, 0);
    (void)state;
    carrier_admission_pause(&admission, CARRIER_API_RATES, start, start, 10 * second);
    assert_int_equal(
        carrier_admission_pause(&admission, CARRIER_API_RATES, start, start + second, 2 * second),
        9 * second);
    assert_int_equal(
        carrier_admission_pause(&admission, CARRIER_API_RATES, start, start + second, 20 * second),
        20 * second);
    assert_int_equal(pause_of(&admission, CARRIER_API_SHIPMENTS, start + second), 20 * second);
}

static void a_quota_that_is_used_up_stops_its_own_api_alone_after_a_minute(void **state)
{
    struct carrier_admission admission = made(0, 0);
    (void)state;
    carrier_admission_pause(&admission, CARRIER_API_TRACKING, start, start, 7200 * second);
    assert_int_equal(pause_of(&admission, CARRIER_API_TRACKING, start), 7200 * second);
    assert_int_equal(pause_of(&admission, CARRIER_API_SHIPMENTS, start), 60 * second);
    assert_int_equal(pause_of(&admission, CARRIER_API_SHIPMENTS, start + 60 * second), 0);
}

static void what_counts_by_itself_holds_back_itself_alone(void **state)
{
    static const enum carrier_api apart[] = {CARRIER_API_TOKENS, CARRIER_API_UNIFIED_TRACKING};
    (void)state;
    for (size_t i = 0; i < sizeof apart / sizeof apart[0]; i++) {
        struct carrier_admission admission = made(0, 0);
        carrier_admission_pause(&admission, apart[i], start, start, 30 * second);
        for (int api = 0; api < carrier_api_count; api++)
            assert_int_equal(pause_of(&admission, (enum carrier_api)api, start),
                             (enum carrier_api)api == apart[i] ? 30 * second : 0);
    }
}

static void without_a_moment_the_pause_grows_with_each_round(void **state)
{
    struct carrier_admission admission = made(0, 0);
    int64_t now = start, expected = second;
    (void)state;
    for (int round = 0; round < 20; round++) {
        int64_t account = expected < 10 * second ? expected : 10 * second;
        assert_int_equal(carrier_admission_pause(&admission, CARRIER_API_RATES, now, now, 0),
                         expected);
        assert_int_equal(pause_of(&admission, CARRIER_API_SHIPMENTS, now), account);
        now += expected;
        assert_int_equal(pause_of(&admission, CARRIER_API_RATES, now), 0);
        expected = expected * 2 < 900 * second ? expected * 2 : 900 * second;
    }
}

static void those_that_were_under_way_are_one_round(void **state)
{
    struct carrier_admission admission = made(0, 0);
    (void)state;
    assert_int_equal(carrier_admission_pause(&admission, CARRIER_API_RATES, start, start, 0),
                     second);
    for (int i = 1; i < 16; i++)
        assert_int_equal(
            carrier_admission_pause(&admission, CARRIER_API_RATES, start - i, start + i, 0),
            second - i);
    assert_int_equal(pause_of(&admission, CARRIER_API_RATES, start + second), 0);
    assert_int_equal(
        carrier_admission_pause(&admission, CARRIER_API_RATES, start + second, start + second, 0),
        2 * second);
}

static void an_answer_ends_the_growth_if_it_came_after_the_pause(void **state)
{
    struct carrier_admission admission = made(0, 0);
    (void)state;
    carrier_admission_pause(&admission, CARRIER_API_RATES, start, start, 0);
    carrier_admission_resume(&admission, CARRIER_API_RATES, start); /* it left before */
    assert_int_equal(pause_of(&admission, CARRIER_API_RATES, start), second);
    int64_t now = start + second;
    assert_int_equal(carrier_admission_pause(&admission, CARRIER_API_RATES, now, now, 0),
                     2 * second);
    now += 2 * second;
    carrier_admission_resume(&admission, CARRIER_API_RATES, now);
    assert_int_equal(carrier_admission_pause(&admission, CARRIER_API_RATES, now, now, 0), second);
}

static void after_a_pause_calls_begin_at_the_rates_pace(void **state)
{
    struct carrier_admission admission = made(10, 0);
    int64_t now = start + 5 * second;
    (void)state;
    carrier_admission_pause(&admission, CARRIER_API_RATES, start, start, 5 * second);
    assert_int_equal(carrier_admission_turn_us(&admission, now), second / 10);
    assert_int_equal(carrier_admission_turn_us(&admission, now + second / 10), 0);
    carrier_admission_take(&admission);
    assert_true(carrier_admission_turn_us(&admission, now + second / 10) > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(calls_keep_to_the_rate),
        cmocka_unit_test(the_days_quota_ends_with_the_day),
        cmocka_unit_test(nothing_is_held_back_unasked),
        cmocka_unit_test(until_the_named_moment_no_call_of_the_account_leaves),
        cmocka_unit_test(a_later_answer_lengthens_a_pause_and_never_shortens_it),
        cmocka_unit_test(a_quota_that_is_used_up_stops_its_own_api_alone_after_a_minute),
        cmocka_unit_test(what_counts_by_itself_holds_back_itself_alone),
        cmocka_unit_test(without_a_moment_the_pause_grows_with_each_round),
        cmocka_unit_test(those_that_were_under_way_are_one_round),
        cmocka_unit_test(an_answer_ends_the_growth_if_it_came_after_the_pause),
        cmocka_unit_test(after_a_pause_calls_begin_at_the_rates_pace),
    };
    return cmocka_run_group_tests_name("carrier_admission", tests, NULL, NULL);
}
