/*
 * Goal: what a server says about when to come again is understood in each form that RFC 9110 has
 * for it, and nothing else is. Method: by hand, around one instant.
 */
#include "platform/http_client/retry_after.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static const int64_t second = 1000000;
static const int64_t noon = INT64_C(1767268800) * 1000000; /* 2026-01-01 12:00:00 UTC, a Thursday */

static int64_t wait_of(const char *retry_after, const char *date)
{
    return http_retry_after_us(text_of(retry_after), text_of(date), noon);
}

static void seconds_are_waited(void **state)
{
    (void)state;
    assert_int_equal(wait_of("2", ""), 2 * second);
    assert_int_equal(wait_of(" 120 \t", ""), 120 * second);
    assert_int_equal(wait_of("0", ""), 0);
    assert_int_equal(wait_of("007", ""), 7 * second);
}

static void nobody_is_believed_for_longer_than_a_day(void **state)
{
    (void)state;
    assert_int_equal(wait_of("86400", ""), HTTP_RETRY_AFTER_US_MAX);
    assert_int_equal(wait_of("86399", ""), 86399 * second);
    assert_int_equal(wait_of("99999999999999999999999999", ""), HTTP_RETRY_AFTER_US_MAX);
    assert_int_equal(wait_of("Fri, 31 Dec 9999 23:59:59 GMT", ""), HTTP_RETRY_AFTER_US_MAX);
}

static void each_form_of_a_date_is_read(void **state)
{
    static const char *const forms[] = {
        "Thu, 01 Jan 2026 12:00:30 GMT",
        "Thursday, 01-Jan-26 12:00:30 GMT",
        "Thu Jan  1 12:00:30 2026",
        "Thu Jan 01 12:00:30 2026",
    };
    (void)state;
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++)
        assert_int_equal(wait_of(forms[i], ""), 30 * second);
    assert_int_equal(wait_of("Fri, 02 Jan 2026 00:00:00 GMT", ""), 43200 * second);
}

static void a_moment_that_is_past_asks_for_nothing(void **state)
{
    (void)state;
    assert_int_equal(wait_of("Thu, 01 Jan 2026 12:00:00 GMT", ""), 0);
    assert_int_equal(wait_of("Sun, 06 Nov 1994 08:49:37 GMT", ""), 0);
    assert_int_equal(wait_of("Sunday, 06-Nov-94 08:49:37 GMT", ""), 0); /* not 2094 */
}

static void a_moment_is_counted_from_the_servers_own_clock(void **state)
{
    (void)state;
    assert_int_equal(wait_of("Thu, 01 Jan 2026 09:00:05 GMT", "Thu, 01 Jan 2026 09:00:00 GMT"),
                     5 * second);
    assert_int_equal(wait_of("Thu, 01 Jan 2026 12:00:05 GMT", "yesterday"), 5 * second);
    assert_int_equal(wait_of("5", "Thu, 01 Jan 2026 09:00:00 GMT"), 5 * second);
}

static void what_is_neither_asks_for_nothing(void **state)
{
    static const char *const wrong[] = {
        "",
        "soon",
        "-1",
        "+1",
        "1.5",
        "1 s",
        "0x10",
        "Thu, 01 Jan 2026 12:00:30",
        "Thu, 01 Jan 2026 12:00:30 UTC",
        "Thu, 01 Jan 2026 12:00:30 GMT.",
        "Thu, 31 Feb 2026 12:00:30 GMT",
        "Thu, 01 Foo 2026 12:00:30 GMT",
        "Thu, 01 Jan 2026 24:00:30 GMT",
        "Thu, 01 Jan 2026 12:61:30 GMT",
        "Thu, 1 Jan 2026 12:00:30 GMT",
        "Thursday, 01-Jan-2026 12:00:30 GMT",
        "Thu Jan  1 12:00:30 26",
        "2026-01-01T12:00:30Z",
        ",",
    };
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_int_equal(wait_of(wrong[i], ""), 0);
    assert_int_equal(http_retry_after_us((struct text){0}, (struct text){0}, noon), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(seconds_are_waited),
        cmocka_unit_test(nobody_is_believed_for_longer_than_a_day),
        cmocka_unit_test(each_form_of_a_date_is_read),
        cmocka_unit_test(a_moment_that_is_past_asks_for_nothing),
        cmocka_unit_test(a_moment_is_counted_from_the_servers_own_clock),
        cmocka_unit_test(what_is_neither_asks_for_nothing),
    };
    return cmocka_run_group_tests_name("retry_after", tests, NULL, NULL);
}
