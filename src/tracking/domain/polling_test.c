/*
 * Goal: carriers are asked at growing distances and within their quotas. Method: by hand, and a day
 * minute by minute.
 */
#include "tracking/domain/polling.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const int64_t minute_us = INT64_C(60) * 1000000;

static void offsets_double(void **state)
{
    const int64_t interval_us = 240 * minute_us;
    (void)state;
    assert_int_equal(polling_offset_us(interval_us, 0), 30 * minute_us);
    assert_int_equal(polling_offset_us(interval_us, polling_short_offsets), interval_us);
    for (size_t i = 1; i < polling_offset_count; i++)
        assert_int_equal(polling_offset_us(interval_us, i),
                         2 * polling_offset_us(interval_us, i - 1));
}

static void only_parcels_on_their_way_are_asked_about(void **state)
{
    (void)state;
    for (size_t i = 0; i < polling_offset_count; i++) {
        bool is_short = i < polling_short_offsets;
        assert_true(polling_applies(TRACKING_STATUS_OUT_FOR_DELIVERY, i));
        assert_int_equal(polling_applies(TRACKING_STATUS_IN_TRANSIT, i), !is_short);
        assert_int_equal(polling_applies(TRACKING_STATUS_UNKNOWN, i), !is_short);
        assert_false(polling_applies(TRACKING_STATUS_DELIVERED, i));
        assert_false(polling_applies(TRACKING_STATUS_CANCELLED, i));
        assert_false(polling_applies(TRACKING_STATUS_RETURNED, i));
    }
}

static void quotas_are_read(void **state)
{
    struct polling_quotas quotas;
    (void)state;
    assert_true(polling_quotas_read(text_of(" 1000, dhl=250 , tariff = 0"), &quotas));
    assert_int_equal(polling_quota_of(&quotas, text_of("ups")), 1000);
    assert_int_equal(polling_quota_of(&quotas, text_of("dhl")), 250);
    assert_int_equal(polling_quota_of(&quotas, text_of("tariff")), 0);
    assert_true(polling_quotas_read(text_of("ups=5"), &quotas));
    assert_int_equal(polling_quota_of(&quotas, text_of("dhl")), 0);
    assert_true(polling_quotas_read(text_of(""), &quotas));
    assert_int_equal(polling_quota_of(&quotas, text_of("ups")), 0);
}

static void quotas_that_are_none_are_refused(void **state)
{
    static const char *const wrong[] = {"x",
                                        "1,",
                                        ",1",
                                        "ups=",
                                        "=5",
                                        "ups=-1",
                                        "-1",
                                        "1 2",
                                        "ups=5 dhl=5",
                                        "1000000001",
                                        "ups=1,",
                                        "1,2",
                                        "ups=1, ups =1",
                                        "a=b=1",
                                        "ups",
                                        "ups=99999999999999999999",
                                        "a-name-of-more-than-thirty-two-bytes=1"};
    struct polling_quotas quotas;
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_false(polling_quotas_read(text_of(wrong[i]), &quotas));
}

static void allowance_grows_through_the_day_and_ends_at_the_quota(void **state)
{
    static const int64_t quotas[] = {0, 1, 10, 250, 1000, 1000000000};
    const int64_t midnight_us = INT64_C(20000) * 1440 * minute_us;
    (void)state;
    for (size_t i = 0; i < sizeof quotas / sizeof quotas[0]; i++) {
        int64_t before = 0;
        for (int minute = 0; minute < 1440; minute++) {
            int64_t allowance = polling_allowance(quotas[i], midnight_us + minute * minute_us);
            assert_true(allowance >= before && allowance <= quotas[i]);
            before = allowance;
        }
        assert_int_equal(before, quotas[i]);
    }
    assert_int_equal(polling_allowance(2400, midnight_us), 100);
    assert_int_equal(polling_allowance(2400, midnight_us + 12 * 60 * minute_us), 1300);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(offsets_double),
        cmocka_unit_test(only_parcels_on_their_way_are_asked_about),
        cmocka_unit_test(quotas_are_read),
        cmocka_unit_test(quotas_that_are_none_are_refused),
        cmocka_unit_test(allowance_grows_through_the_day_and_ends_at_the_quota),
    };
    return cmocka_run_group_tests_name("polling", tests, NULL, NULL);
}
