/* Dates to numbers and back over four hundred years; first open days by hand. */
#include "warehouse/domain/calendar.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <time.h>

#include <cmocka.h>

static int64_t day(const char *date)
{
    int64_t number;
    if (!calendar_date_parse(text_of(date), &number))
        fail_msg("%s is no date", date);
    return number;
}

static void every_day_comes_back_as_libc_has_it(void **state)
{
    (void)state;
    for (int64_t number = day("2000-01-01"); number <= day("2400-12-31"); number++) {
        char date[civil_date_size];
        char expected[16];
        time_t seconds = (time_t)number * 86400;
        struct tm parts;
        int64_t again;
        assert_non_null(gmtime_r(&seconds, &parts));
        strftime(expected, sizeof expected, "%Y-%m-%d", &parts);
        calendar_date_format(number, date);
        assert_string_equal(date, expected);
        assert_true(calendar_date_parse(text_of(date), &again));
        assert_int_equal(again, number);
        assert_int_equal(civil_weekday(number), parts.tm_wday);
    }
}

static void what_is_no_date_is_refused(void **state)
{
    static const char *const wrong[] = {"",           "2027-02-29", "2026-13-01", "2026-00-10",
                                        "2026-04-31", "1999-12-31", "2026-1-01",  "2026-01-01x",
                                        "2026/01/01", "20260-1-01", "2026-01-32"};
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        int64_t number;
        if (calendar_date_parse(text_of(wrong[i]), &number))
            fail_msg("%s is taken for a date", wrong[i]);
    }
    assert_int_equal(day("2028-02-29") + 1, day("2028-03-01"));
}

static int64_t first_open(const struct working_days *days, const char *today, int64_t minutes,
                          int64_t within)
{
    int64_t open = -1;
    return working_days_first_open(days, day(today), minutes, within, &open) ? open : -1;
}

static void today_until_the_cutoff_then_the_next_open_day(void **state)
{
    const int64_t closed[] = {day("2027-01-18")};
    const struct working_days days = {
        .cutoff_minutes = 14 * 60,
        .closed_weekdays = 1u << 0 | 1u << 6, /* the weekend */
        .closed_dates = closed,
        .closed_date_count = 1,
    };
    (void)state; /* 2027-01-15 is a Friday */
    assert_int_equal(first_open(&days, "2027-01-15", 14 * 60 - 1, 7), day("2027-01-15"));
    assert_int_equal(first_open(&days, "2027-01-15", 14 * 60, 7), day("2027-01-19"));
    assert_int_equal(first_open(&days, "2027-01-15", 14 * 60, 4), day("2027-01-19"));
    assert_int_equal(first_open(&days, "2027-01-15", 14 * 60, 3), -1);
    assert_int_equal(first_open(&days, "2027-01-16", 0, 7), day("2027-01-19"));
}

static void without_a_cutoff_a_day_lasts_until_midnight(void **state)
{
    const struct working_days days = {.cutoff_minutes = 1440};
    (void)state;
    assert_int_equal(first_open(&days, "2027-01-15", 1439, 0), day("2027-01-15"));
}

static void times_are_of_a_day(void **state)
{
    int64_t minutes;
    (void)state;
    assert_true(calendar_time_parse(text_of("23:59"), &minutes));
    assert_int_equal(minutes, 1439);
    assert_false(calendar_time_parse(text_of("24:00"), &minutes));
    assert_false(calendar_time_parse(text_of("9:00"), &minutes));
    assert_false(calendar_time_parse(text_of("12:60"), &minutes));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_day_comes_back_as_libc_has_it),
        cmocka_unit_test(what_is_no_date_is_refused),
        cmocka_unit_test(today_until_the_cutoff_then_the_next_open_day),
        cmocka_unit_test(without_a_cutoff_a_day_lasts_until_midnight),
        cmocka_unit_test(times_are_of_a_day),
    };
    return cmocka_run_group_tests_name("calendar", tests, NULL, NULL);
}
