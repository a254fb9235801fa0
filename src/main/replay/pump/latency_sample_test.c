/*
 * Goal: percentiles are nearest ranks of all latencies. Method: known samples in any order.
 */
#include "main/replay/pump/latency_sample.h"

#include "platform/base/memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void expect(struct latency_percentiles is, int64_t p50, int64_t p95, int64_t p99,
                   int64_t max)
{
    assert_int_equal(is.p50_us, p50);
    assert_int_equal(is.p95_us, p95);
    assert_int_equal(is.p99_us, p99);
    assert_int_equal(is.max_us, max);
}

static void empty_sample_has_zeros(void **state)
{
    struct latency_sample sample;
    (void)state;
    latency_sample_init(&sample);
    expect(latency_sample_percentiles(&sample), 0, 0, 0, 0);
    latency_sample_deinit(&sample);
}

static void single_latency_is_every_percentile(void **state)
{
    struct latency_sample sample;
    (void)state;
    latency_sample_init(&sample);
    assert_true(latency_sample_add(&sample, 7));
    expect(latency_sample_percentiles(&sample), 7, 7, 7, 7);
    latency_sample_deinit(&sample);
}

static void percentiles_are_nearest_ranks(void **state)
{
    struct latency_sample sample;
    (void)state;
    latency_sample_init(&sample);
    for (int64_t i = 0; i < 3000; i++)
        assert_true(latency_sample_add(&sample, (i * 7 + 3) % 3000 + 1)); /* 1 … 3000 shuffled */
    expect(latency_sample_percentiles(&sample), 1500, 2850, 2970, 3000);
    latency_sample_deinit(&sample);
}

static void latencies_out_of_range_are_clamped(void **state)
{
    struct latency_sample sample;
    (void)state;
    latency_sample_init(&sample);
    assert_true(latency_sample_add(&sample, -1));
    assert_true(latency_sample_add(&sample, INT64_MAX));
    expect(latency_sample_percentiles(&sample), 0, UINT32_MAX, UINT32_MAX, UINT32_MAX);
    latency_sample_deinit(&sample);
}

static void without_memory_the_sample_stays(void **state)
{
    struct latency_sample sample;
    (void)state;
    latency_sample_init(&sample);
    memory_fail_after(0, 1);
    bool added = latency_sample_add(&sample, 1);
    memory_fail_after(UINT64_MAX, 0);
    assert_false(added);
    assert_int_equal(sample.count, 0);
    latency_sample_deinit(&sample);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(empty_sample_has_zeros),
        cmocka_unit_test(single_latency_is_every_percentile),
        cmocka_unit_test(percentiles_are_nearest_ranks),
        cmocka_unit_test(latencies_out_of_range_are_clamped),
        cmocka_unit_test(without_memory_the_sample_stays),
    };
    return cmocka_run_group_tests_name("latency_sample", tests, NULL, NULL);
}
