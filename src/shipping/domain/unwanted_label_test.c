/*
 * Goal: a label that nobody wants is asked for until it is voided or a person sees to it, and the
 * end is the end. Method: every change of every state against a table said once more; the days of
 * asking played through.
 */
#include "shipping/domain/unwanted_label.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static const int64_t minute_us = INT64_C(60) * 1000000;

static void every_change_of_every_state_is_as_told(void **state)
{
    static const char *const told[unwanted_label_state_count] = {
        [UNWANTED_LABEL_TO_VOID] = "1231",         /* in vain, voided, given up, try again */
        [UNWANTED_LABEL_VOIDED] = "----",          /* final */
        [UNWANTED_LABEL_NEEDS_ATTENTION] = "-2-1", /* a person alone */
    };
    (void)state;
    for (int from = 1; from < unwanted_label_state_count; from++) {
        for (int change = 0; change < unwanted_label_change_count; change++) {
            enum unwanted_label_state next = 0;
            bool fits = unwanted_label_next_state((enum unwanted_label_state)from,
                                                  (enum unwanted_label_change)change, &next);
            assert_int_equal(fits, told[from][change] != '-');
            assert_int_equal(next, fits ? told[from][change] - '0' : 0);
        }
    }
    assert_string_equal(unwanted_label_state_name(UNWANTED_LABEL_TO_VOID), "TO_VOID");
    assert_string_equal(unwanted_label_state_name(UNWANTED_LABEL_VOIDED), "VOIDED");
    assert_string_equal(unwanted_label_state_name(UNWANTED_LABEL_NEEDS_ATTENTION),
                        "NEEDS_ATTENTION");
}

static void asking_takes_longer_and_longer_and_ends_after_a_day(void **state)
{
    static const int64_t distances[] = {2, 4, 8, 16, 32, 60, 60};
    int64_t now_us = 7 * minute_us, next_us = now_us;
    uint32_t asks = 0;
    (void)state;
    while (next_us != 0) {
        now_us = next_us;
        next_us = unwanted_label_next_time(7 * minute_us, ++asks, now_us);
        if (asks <= sizeof distances / sizeof distances[0])
            assert_int_equal(next_us - now_us, distances[asks - 1] * minute_us);
    }
    assert_int_equal(now_us, (24 * 60 + 7) * minute_us);
    assert_true(asks > 24 && asks < 40);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_change_of_every_state_is_as_told),
        cmocka_unit_test(asking_takes_longer_and_longer_and_ends_after_a_day),
    };
    return cmocka_run_group_tests_name("unwanted_label", tests, NULL, NULL);
}
