/*
 * The decision of the carrier `tariff` alone: rates of all services for one consignment, from the
 * call to `done`. Not a test: nothing is asserted.
 *
 *   tariff_load [calls] [parcels]
 */
#include "platform/base/check.h"
#include "shipping/infrastructure/tariff/tariff_carrier.h"
#include "tests/support/test_executor.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static size_t rates_heard;

static void on_rates(void *context, const struct carrier_outcome *outcome,
                     const struct carrier_rates *rates)
{
    (void)context;
    CHECK(outcome->verdict == CARRIER_ANSWERED);
    rates_heard += rates->rate_count;
}

static int64_t nanoseconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int main(int count, char **arguments)
{
    size_t calls = count > 1 ? strtoull(arguments[1], NULL, 10) : 1000000;
    size_t parcel_count = count > 2 ? strtoull(arguments[2], NULL, 10) : 1;
    struct shipping_parcel parcels[shipping_parcels_max];
    struct test_executor executor;
    struct tariff *tariff;
    struct carrier *carrier;
    CHECK(parcel_count >= 1 && parcel_count <= shipping_parcels_max);
    for (size_t i = 0; i < parcel_count; i++)
        parcels[i] = (struct shipping_parcel){
            .weight_grams = 2000, .length_mm = 300, .width_mm = 200, .height_mm = 150};
    struct consignment consignment = {
        .origin = {.country_code = text_of("DE"),
                   .has_point = true,
                   .latitude_e7 = 525200000,
                   .longitude_e7 = 134050000},
        .destination = {.country_code = text_of("FR"),
                        .postal_code = text_of("75001"),
                        .has_point = true,
                        .latitude_e7 = 488566000,
                        .longitude_e7 = 23522000},
        .parcels = parcels,
        .parcel_count = parcel_count,
        .ship_date = "2026-11-25",
    };
    struct carrier_rate_request request = {.consignment = &consignment, .timeout_us = 1000000};
    test_executor_init(&executor);
    CHECK(!error_is(tariff_create_built_in(&tariff)));
    CHECK(!error_is(tariff_carrier_create(&carrier, tariff, &executor.base)));
    int64_t begin = nanoseconds();
    for (size_t i = 0; i < calls; i++) {
        CHECK(!error_is(carrier_calculate_rate(carrier, &request, on_rates, NULL)));
        test_executor_run_all(&executor);
    }
    int64_t took = nanoseconds() - begin;
    printf("%zu calls, %zu parcels, %.1f rates each: %.0f ns a call\n", calls, parcel_count,
           (double)rates_heard / (double)calls, (double)took / (double)calls);
    tariff_carrier_close(carrier);
    tariff_destroy(tariff);
    test_executor_deinit(&executor);
    return 0;
}
