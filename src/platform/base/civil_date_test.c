/*
 * Goal: dates and day numbers are those of the Gregorian calendar.
 * Method: every day from year 1 to 9999 against libc; dates that are none.
 */
#include "platform/base/civil_date.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <time.h>

#include <cmocka.h>

static int64_t day(const char *date)
{
    int64_t number;
    if (!civil_date_parse(text_of(date), &number))
        fail_msg("%s is no date", date);
    return number;
}

static void every_day_is_as_libc_has_it(void **state)
{
    (void)state;
    assert_int_equal(day("1970-01-01"), 0);
    for (int64_t number = day("0001-01-01"); number <= day("9999-12-31"); number++) {
        time_t seconds = (time_t)number * 86400;
        struct tm parts;
        struct civil_date date = civil_date_of_day(number);
        char text[civil_date_size];
        assert_non_null(gmtime_r(&seconds, &parts));
        assert_true(date.year == parts.tm_year + 1900 && date.month == parts.tm_mon + 1 &&
                    date.day == parts.tm_mday && civil_weekday(number) == parts.tm_wday);
        civil_date_format(number, text);
        assert_int_equal(day(text), number);
    }
}

static void what_is_no_date_is_refused(void **state)
{
    static const char *const wrong[] = {"",           "2027-02-29", "2026-13-01", "2026-00-10",
                                        "2026-04-31", "0000-12-31", "2026-1-01",  "2026-01-01x",
                                        "2026/01/01", "20260-1-01", "2026-01-32", "2026-01-00",
                                        "1900-02-29", "+026-01-01"};
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        int64_t number;
        if (civil_date_parse(text_of(wrong[i]), &number))
            fail_msg("%s is taken for a date", wrong[i]);
    }
    assert_int_equal(day("2000-02-29") + 1, day("2000-03-01"));
    assert_false(civil_date_exists((struct civil_date){10000, 1, 1}));
    assert_false(civil_date_exists((struct civil_date){2026, INT64_MAX, INT64_MIN}));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_day_is_as_libc_has_it),
        cmocka_unit_test(what_is_no_date_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
