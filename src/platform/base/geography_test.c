/* Distances that are known, and laws that hold for all. */
#include "platform/base/geography.h"

#include "platform/base/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static struct geo_point point(double latitude, double longitude)
{
    return (struct geo_point){(int32_t)(latitude * 1e7), (int32_t)(longitude * 1e7)};
}

static void known_distances(void **state)
{
    (void)state;
    /* One degree along a meridian: radius × π / 180. */
    assert_int_equal(geography_distance_metres(point(0, 0), point(1, 0)), 111195);
    assert_int_equal(geography_distance_metres(point(0, 0), point(0, 180)), 20015114);
    assert_int_equal(geography_distance_metres(point(90, 0), point(-90, 77)), 20015114);
    /* Across the date line. */
    assert_int_equal(geography_distance_metres(point(0, 179.5), point(0, -179.5)), 111195);
}

static void distances_are_symmetric_and_never_more_than_half_round(void **state)
{
    struct random_seeded random;
    (void)state;
    random_seeded_init(&random, 1);
    for (int i = 0; i < 100000; i++) {
        struct geo_point points[2];
        for (int k = 0; k < 2; k++) {
            points[k].latitude_e7 = (int32_t)random_below(&random.base, 1800000001) - 900000000;
            points[k].longitude_e7 =
                (int32_t)((int64_t)random_below(&random.base, 3600000001) - 1800000000);
        }
        int64_t distance = geography_distance_metres(points[0], points[1]);
        assert_int_equal(distance, geography_distance_metres(points[1], points[0]));
        assert_true(distance >= 0 && distance <= 20015114);
        assert_int_equal(geography_distance_metres(points[0], points[0]), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_distances),
        cmocka_unit_test(distances_are_symmetric_and_never_more_than_half_round),
    };
    return cmocka_run_group_tests_name("geography", tests, NULL, NULL);
}
