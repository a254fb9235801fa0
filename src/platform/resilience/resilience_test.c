/*
 * Breaker, bulkhead, retry, dependency as tables of events and what is expected of them; time is
 * handed in, randomness comes from a seed.
 */
#include "platform/base/clock.h"
#include "platform/resilience/bulkhead.h"
#include "platform/resilience/circuit_breaker.h"
#include "platform/resilience/dependency.h"
#include "platform/resilience/retry.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* A clock that stands where the test puts it. */
struct still_clock {
    struct clock base;
    int64_t now_us;
};

static int64_t still_now(struct clock *clock)
{
    return ((struct still_clock *)clock)->now_us;
}

static const struct clock_table still_table = {.now_us = still_now, .monotonic_us = still_now};

/* --- circuit breaker --- */

enum event {
    ADMITTED,  /* a call asks and is let through */
    REFUSED,   /* a call asks and is not */
    SUCCEEDED, /* what was admitted ended */
    FAILED,
    ABANDONED,
    TRIP,
    LATER_100_MS,
    LATER_500_MS,
    LATER_4_S,
    END,
};

enum { steps_max = 48 };

struct breaker_case {
    const char *name;
    enum event events[steps_max];
    enum circuit_state expected;
};

static const struct breaker_case breaker_cases[] = {
    {"starts closed", {ADMITTED, SUCCEEDED, END}, CIRCUIT_CLOSED},
    {"two failures in a row are not enough",
     {ADMITTED, FAILED, ADMITTED, FAILED, ADMITTED, END},
     CIRCUIT_CLOSED},
    {"three in a row open it",
     {ADMITTED, FAILED, ADMITTED, FAILED, ADMITTED, FAILED, REFUSED, END},
     CIRCUIT_OPEN},
    {"a success in between starts the row anew",
     {ADMITTED, FAILED, ADMITTED, FAILED, ADMITTED, SUCCEEDED, ADMITTED, FAILED, ADMITTED, FAILED,
      ADMITTED, END},
     CIRCUIT_CLOSED},
    {"half of the last ten open it",
     {ADMITTED,  FAILED,    ADMITTED, SUCCEEDED, ADMITTED,  FAILED,   ADMITTED,
      SUCCEEDED, ADMITTED,  FAILED,   ADMITTED,  SUCCEEDED, ADMITTED, FAILED,
      ADMITTED,  SUCCEEDED, ADMITTED, FAILED,    REFUSED,   END},
     CIRCUIT_OPEN},
    {"what is older than the window is forgotten",
     {ADMITTED,  FAILED,    ADMITTED, FAILED,    ADMITTED,  SUCCEEDED, ADMITTED,
      FAILED,    ADMITTED,  FAILED,   ADMITTED,  SUCCEEDED, ADMITTED,  SUCCEEDED,
      ADMITTED,  SUCCEEDED, ADMITTED, SUCCEEDED, ADMITTED,  SUCCEEDED, ADMITTED,
      SUCCEEDED, ADMITTED,  FAILED,   ADMITTED,  END},
     CIRCUIT_CLOSED},
    {"open for at least half its time", {ADMITTED, TRIP, LATER_100_MS, REFUSED, END}, CIRCUIT_OPEN},
    {"then one probe only",
     {ADMITTED, TRIP, LATER_500_MS, ADMITTED, REFUSED, REFUSED, END},
     CIRCUIT_HALF_OPEN},
    {"a probe that succeeds closes it",
     {ADMITTED, TRIP, LATER_500_MS, ADMITTED, SUCCEEDED, ADMITTED, ADMITTED, END},
     CIRCUIT_CLOSED},
    {"a probe that fails opens it again",
     {ADMITTED, TRIP, LATER_500_MS, ADMITTED, FAILED, REFUSED, END},
     CIRCUIT_OPEN},
    {"for longer than before",
     {ADMITTED, TRIP, LATER_500_MS, ADMITTED, FAILED, LATER_100_MS, LATER_100_MS, LATER_100_MS,
      LATER_100_MS, REFUSED, END},
     CIRCUIT_OPEN},
    {"but never beyond the maximum",
     {ADMITTED,  TRIP,      LATER_4_S, ADMITTED,  FAILED,    LATER_4_S, ADMITTED,
      FAILED,    LATER_4_S, ADMITTED,  FAILED,    LATER_4_S, ADMITTED,  FAILED,
      LATER_4_S, ADMITTED,  FAILED,    LATER_4_S, ADMITTED,  END},
     CIRCUIT_HALF_OPEN},
    {"an abandoned probe makes room for another",
     {ADMITTED, TRIP, LATER_500_MS, ADMITTED, ABANDONED, ADMITTED, REFUSED, END},
     CIRCUIT_HALF_OPEN},
    {"what comes late while open changes nothing",
     {ADMITTED, ADMITTED, TRIP, SUCCEEDED, FAILED, REFUSED, END},
     CIRCUIT_OPEN},
};

static void play(struct circuit_breaker *breaker, enum event event, int64_t *now_us,
                 struct random *random, const char *name)
{
    switch (event) {
    case ADMITTED:
    case REFUSED:
        if (circuit_breaker_admit(breaker, *now_us) != (event == ADMITTED))
            fail_msg("%s: %s", name, event == ADMITTED ? "refused" : "admitted");
        return;
    case SUCCEEDED:
        circuit_breaker_succeeded(breaker);
        return;
    case FAILED:
        circuit_breaker_failed(breaker, *now_us, random);
        return;
    case ABANDONED:
        circuit_breaker_abandoned(breaker);
        return;
    case TRIP:
        circuit_breaker_trip(breaker, *now_us, random);
        return;
    case LATER_100_MS:
        *now_us += 100000;
        return;
    case LATER_500_MS:
        *now_us += 500000;
        return;
    case LATER_4_S:
        *now_us += 4000000;
        return;
    case END:
        return;
    }
}

static void breaker_reacts_as_its_table_says(void **state)
{
    struct circuit_breaker_settings settings = circuit_breaker_settings_default();
    (void)state;
    settings.consecutive_failures_max = 3;
    settings.window_count = 10;
    settings.window_failures_max = 5;
    for (size_t i = 0; i < sizeof breaker_cases / sizeof breaker_cases[0]; i++) {
        for (uint64_t seed = 1; seed <= 20; seed++) { /* whatever the jitter */
            const struct breaker_case *row = &breaker_cases[i];
            struct circuit_breaker breaker;
            struct random_seeded random;
            int64_t now_us = 1000;
            random_seeded_init(&random, seed);
            circuit_breaker_init(&breaker, &settings);
            for (size_t step = 0; row->events[step] != END; step++)
                play(&breaker, row->events[step], &now_us, &random.base, row->name);
            if (breaker.state != row->expected)
                fail_msg("%s: ends %s (seed %llu)", row->name, circuit_state_name(breaker.state),
                         (unsigned long long)seed);
        }
    }
}

/* --- bulkhead --- */

static void bulkhead_holds_no_more_than_it_may(void **state)
{
    struct bulkhead bulkhead;
    (void)state;
    bulkhead_init(&bulkhead, 2);
    assert_true(bulkhead_enter(&bulkhead));
    assert_true(bulkhead_enter(&bulkhead));
    assert_false(bulkhead_enter(&bulkhead));
    assert_int_equal(bulkhead_inside(&bulkhead), 2);
    bulkhead_leave(&bulkhead);
    assert_true(bulkhead_enter(&bulkhead));
    bulkhead_leave(&bulkhead);
    bulkhead_leave(&bulkhead);
    assert_int_equal(bulkhead_inside(&bulkhead), 0);
}

/* --- retry --- */

struct retry_case {
    enum retry_class class;
    uint32_t failed_before;
    int64_t remaining_us;
    int64_t after_us;
    bool expected;
    int64_t delay_us_max;
};

static const struct retry_case retry_cases[] = {
    {RETRY_CLASS_NEVER, 0, 10000000, 0, false, 0},
    {RETRY_CLASS_NOT_DONE, 0, 10000000, 0, true, 50000},
    {RETRY_CLASS_NOT_DONE, 1, 10000000, 0, true, 100000},
    {RETRY_CLASS_NOT_DONE, 2, 10000000, 0, false, 0},
    {RETRY_CLASS_CONFLICT, 6, 10000000, 0, true, 2000000},
    {RETRY_CLASS_CONFLICT, 7, 10000000, 0, false, 0},
    {RETRY_CLASS_UNKNOWN, 0, 0, 0, false, 0},
    {RETRY_CLASS_THROTTLED, 0, 10000000, 300000, true, 350000},
    {RETRY_CLASS_THROTTLED, 0, 200000, 300000, false, 0},
};

static void retry_depends_on_class_attempts_and_deadline(void **state)
{
    const struct retry_policy policy = retry_policy_default();
    struct random_seeded random;
    (void)state;
    random_seeded_init(&random, 7);
    for (size_t i = 0; i < sizeof retry_cases / sizeof retry_cases[0]; i++) {
        const struct retry_case *row = &retry_cases[i];
        for (int repeat = 0; repeat < 100; repeat++) {
            struct retry retry = {.attempts = row->failed_before};
            int64_t delay_us;
            bool again = retry_after_failure(&retry, &policy, NULL, row->class, row->remaining_us,
                                             row->after_us, &random.base, &delay_us);
            if (again != row->expected)
                fail_msg("row %zu: %s", i, again ? "again" : "not again");
            assert_true(delay_us <= row->delay_us_max);
            assert_true(!again || delay_us >= row->after_us);
        }
    }
}

static void delays_are_spread_over_all_of_their_range(void **state)
{
    const struct retry_policy policy = retry_policy_default();
    struct random_seeded random;
    int low = 0;
    int high = 0;
    (void)state;
    random_seeded_init(&random, 11);
    for (int i = 0; i < 1000; i++) {
        struct retry retry = {0};
        int64_t delay_us;
        assert_true(retry_after_failure(&retry, &policy, NULL, RETRY_CLASS_NOT_DONE, 10000000, 0,
                                        &random.base, &delay_us));
        low += delay_us < 12500;
        high += delay_us > 37500;
    }
    assert_true(low > 150 && high > 150);
}

static void retries_end_with_their_budget_and_come_back_with_calls(void **state)
{
    const struct retry_policy policy = retry_policy_default();
    struct retry_budget budget;
    struct random_seeded random;
    int64_t delay_us;
    int granted = 0;
    (void)state;
    random_seeded_init(&random, 3);
    retry_budget_init(&budget, 10, 5);
    for (int i = 0; i < 20; i++) {
        struct retry retry = {0};
        granted += retry_after_failure(&retry, &policy, &budget, RETRY_CLASS_NOT_DONE, 10000000, 0,
                                       &random.base, &delay_us);
    }
    assert_int_equal(granted, 5);
    for (int i = 0; i < 20; i++)
        retry_budget_pay(&budget);
    granted = 0;
    for (int i = 0; i < 20; i++) {
        struct retry retry = {0};
        granted += retry_after_failure(&retry, &policy, &budget, RETRY_CLASS_NOT_DONE, 10000000, 0,
                                       &random.base, &delay_us);
    }
    assert_int_equal(granted, 2);
}

static void every_error_has_a_class(void **state)
{
    (void)state;
    assert_int_equal(retry_class_of(ERROR_INVALID_INPUT), RETRY_CLASS_NEVER);
    assert_int_equal(retry_class_of(ERROR_STORE_UNAVAILABLE), RETRY_CLASS_UNKNOWN);
    assert_int_equal(retry_class_of(ERROR_NETWORK), RETRY_CLASS_UNKNOWN);
    assert_int_equal(retry_class_of(ERROR_OVERLOADED), RETRY_CLASS_THROTTLED);
    assert_int_equal(retry_class_of(ERROR_DISK_FULL), RETRY_CLASS_NEVER);
    assert_int_equal(retry_class_of(ERROR_INTERNAL), RETRY_CLASS_NEVER);
}

/* --- dependencies --- */

static void dependencies_tell_how_they_are(void **state)
{
    struct circuit_breaker_settings settings = circuit_breaker_settings_default();
    struct still_clock clock = {.base.table = &still_table, .now_us = 1000000};
    struct random_seeded random;
    struct dependency_list list;
    struct dependency store;
    struct dependency carrier;
    struct buffer text;
    bool ready;
    const struct error refused = error_make(ERROR_NETWORK, "connection refused");
    (void)state;
    random_seeded_init(&random, 5);
    buffer_init(&text, 65536);
    dependency_list_init(&list);
    dependency_init(&store, "warehouse.store", true, &settings, &clock.base, &random.base);
    dependency_init(&carrier, "carrier.ups", false, &settings, &clock.base, &random.base);
    dependency_list_add(&list, &store);
    dependency_list_add(&list, &carrier);
    assert_true(dependency_list_write_readiness(&list, &text, &ready));
    assert_true(ready && text.size == 0);

    assert_true(dependency_admit(&carrier));
    dependency_is_away(&carrier, &refused);
    assert_false(dependency_admit(&carrier));
    assert_true(dependency_list_write_readiness(&list, &text, &ready));
    assert_true(ready);
    assert_true(text_equals_string(buffer_text(&text),
                                   "carrier.ups: away (network error): connection refused\n"));
    for (int i = 0; i < 5; i++) {
        assert_true(dependency_admit(&store));
        dependency_failed(&store, &refused);
    }
    assert_false(dependency_is_available(&store));
    assert_false(dependency_list_serves(&list, "warehouse"));
    assert_true(dependency_list_serves(&list, "ware"));
    assert_true(dependency_list_serves(&list, "carrier")); /* not needed to serve */
    buffer_clear(&text);
    assert_true(dependency_list_write_readiness(&list, &text, &ready));
    assert_false(ready);

    clock.now_us += 1000000;
    assert_true(dependency_admit(&store));
    dependency_succeeded(&store);
    assert_true(dependency_list_serves(&list, "warehouse"));
    dependency_set_degraded(&store, "fsync is off");
    buffer_clear(&text);
    assert_true(dependency_list_write_readiness(&list, &text, &ready));
    assert_true(ready);
    assert_true(
        text_starts_with(buffer_text(&text), text_of("warehouse.store: degraded: fsync is off\n")));
    buffer_clear(&text);
    assert_true(dependency_list_write_metrics(&list, &text));
    assert_true(buffer_append(&text, "", 1));
    assert_non_null(strstr(text.data, "waybill_dependency_circuit{dependency=\"carrier.ups\","
                                      "state=\"open\"} 1\n"));
    assert_non_null(strstr(text.data,
                           "waybill_dependency_calls_total{dependency=\"warehouse.store\""
                           ",outcome=\"failed\"} 5\n"));
    assert_non_null(strstr(text.data, "waybill_dependency_calls_total{dependency=\"carrier.ups\","
                                      "outcome=\"refused\"} 1\n"));
    assert_non_null(
        strstr(text.data, "waybill_dependency_degraded{dependency=\"warehouse.store\"} 1\n"));
    dependency_list_remove(&list, &store);
    dependency_list_remove(&list, &carrier);
    assert_null(list.first);
    dependency_deinit(&store);
    dependency_deinit(&carrier);
    dependency_list_deinit(&list);
    buffer_deinit(&text);
}

static void a_dependency_that_asked_for_it_is_told_of_as_left_alone(void **state)
{
    struct circuit_breaker_settings settings = circuit_breaker_settings_default();
    struct still_clock clock = {.base.table = &still_table, .now_us = 1000000};
    struct random_seeded random;
    struct dependency_list list;
    struct dependency carrier;
    struct buffer text;
    bool ready;
    (void)state;
    random_seeded_init(&random, 5);
    buffer_init(&text, 65536);
    dependency_list_init(&list);
    dependency_init(&carrier, "carrier.ups", false, &settings, &clock.base, &random.base);
    dependency_list_add(&list, &carrier);
    dependency_leave_alone(&carrier, clock.now_us + 1500000);
    dependency_leave_alone(&carrier, clock.now_us + 1000);
    dependency_delayed(&carrier);
    dependency_held_back(&carrier);
    dependency_held_back(&carrier);
    assert_true(dependency_list_write_readiness(&list, &text, &ready));
    assert_true(ready);
    assert_true(text_equals_string(buffer_text(&text),
                                   "carrier.ups: asked to be left alone for another 2 s\n"));
    buffer_clear(&text);
    assert_true(dependency_list_write_metrics(&list, &text));
    assert_true(buffer_append(&text, "", 1));
    assert_non_null(
        strstr(text.data, "waybill_dependency_left_alone_seconds{dependency=\"carrier.ups\"} 2\n"));
    assert_non_null(strstr(text.data, "{dependency=\"carrier.ups\",outcome=\"held_back\"} 2\n"));
    assert_non_null(strstr(text.data, "{dependency=\"carrier.ups\",outcome=\"delayed\"} 1\n"));

    clock.now_us += 1500000;
    buffer_clear(&text);
    assert_true(dependency_list_write_readiness(&list, &text, &ready));
    assert_int_equal(text.size, 0);
    dependency_list_remove(&list, &carrier);
    dependency_deinit(&carrier);
    dependency_list_deinit(&list);
    buffer_deinit(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(breaker_reacts_as_its_table_says),
        cmocka_unit_test(bulkhead_holds_no_more_than_it_may),
        cmocka_unit_test(retry_depends_on_class_attempts_and_deadline),
        cmocka_unit_test(delays_are_spread_over_all_of_their_range),
        cmocka_unit_test(retries_end_with_their_budget_and_come_back_with_calls),
        cmocka_unit_test(every_error_has_a_class),
        cmocka_unit_test(dependencies_tell_how_they_are),
        cmocka_unit_test(a_dependency_that_asked_for_it_is_told_of_as_left_alone),
    };
    return cmocka_run_group_tests_name("resilience", tests, NULL, NULL);
}
