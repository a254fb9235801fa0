/*
 * Local time of known places at known instants, in every part of a zone's file: before its first
 * change, between changes, and beyond the last, where the rule decides; compared with libc's own
 * reading of the same database at thousands of instants.
 */
#include "platform/base/time_zone.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

static int64_t offset_at(const char *name, int64_t utc_seconds)
{
    struct time_zone *zone;
    struct error error = time_zone_create(&zone, text_of(name));
    if (error_is(error))
        fail_msg("%s: %s", name, error.detail);
    int64_t offset = time_zone_offset_seconds(zone, utc_seconds);
    time_zone_destroy(zone);
    return offset;
}

static void no_name_is_utc(void **state)
{
    (void)state;
    assert_int_equal(offset_at("", 1800000000), 0);
    assert_int_equal(offset_at("UTC", 1800000000), 0);
}

static void summer_begins_to_the_second(void **state)
{
    (void)state;
    /* 2026-03-29 01:00 UTC */
    assert_int_equal(offset_at("Europe/Berlin", 1774746000 - 1), 3600);
    assert_int_equal(offset_at("Europe/Berlin", 1774746000), 7200);
}

static void zones_agree_with_libc(void **state)
{
    static const char *const names[] = {
        "Europe/Berlin",       "America/New_York",  "Australia/Sydney", "Asia/Kolkata",
        "Africa/Johannesburg", "America/Sao_Paulo", "Europe/Dublin",    "Asia/Tehran",
        "Africa/Lagos",        "Pacific/Auckland",  "America/Nuuk",     "Etc/GMT+5",
    };
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct time_zone *zone;
        struct error error = time_zone_create(&zone, text_of(names[i]));
        if (error_is(error))
            fail_msg("%s: %s", names[i], error.detail);
        setenv("TZ", names[i], 1);
        tzset();
        for (int64_t at = -2000000000; at < 5000000000; at += 1234567) {
            time_t time = (time_t)at;
            struct tm local;
            assert_non_null(localtime_r(&time, &local));
            if (time_zone_offset_seconds(zone, at) != local.tm_gmtoff)
                fail_msg("%s at %lld: %lld, libc %ld", names[i], (long long)at,
                         (long long)time_zone_offset_seconds(zone, at), local.tm_gmtoff);
        }
        time_zone_destroy(zone);
    }
}

static void names_lead_nowhere_else(void **state)
{
    static const char *const names[] = {"../../../etc/passwd", "/etc/passwd", "Europe",  "Europe/",
                                        "Europe//Berlin",      "No/Such",     "zone.tab"};
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (time_zone_is_known(text_of(names[i])))
            fail_msg("%s is known", names[i]);
    }
    assert_true(time_zone_is_known(text_of("Europe/Berlin")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_name_is_utc),
        cmocka_unit_test(summer_begins_to_the_second),
        cmocka_unit_test(zones_agree_with_libc),
        cmocka_unit_test(names_lead_nowhere_else),
    };
    return cmocka_run_group_tests_name("time_zone", tests, NULL, NULL);
}
