/*
 * Cards of any bytes: read or refused, never more. What was read prices a consignment on a few days
 * without a fault, and its lines add up.
 */
#include "shipping/infrastructure/tariff/tariff_card.h"
#include "shipping/infrastructure/tariff/tariff_price.h"

#include "platform/base/check.h"

#include <stdio.h>

static void price_on(const struct tariff *tariff, const struct consignment *consignment)
{
    struct tariff_facts facts;
    struct tariff_price price;
    CHECK(tariff_facts_of(consignment, &facts));
    for (size_t i = 0; i < tariff_service_count(tariff); i++) {
        const struct tariff_service *service = tariff_service_on(tariff, i, facts.day);
        int64_t sum = 0;
        if (service == NULL || tariff_price_of(service, &facts, &price) != TARIFF_OFFERED)
            continue;
        for (size_t line = 0; line < price.charge_count; line++)
            sum += price.charges[line].amount.amount_minor;
        CHECK(sum == price.amount.amount_minor && sum >= 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const days[] = {"1999-12-31", "2006-05-02", "2026-11-25", "2199-01-01"};
    struct tariff_file file = {.name = "card.ini", .text = text_make(data, size)};
    struct shipping_parcel parcels[2] = {
        {.weight_grams = 1, .length_mm = 1},
        {.weight_grams = 1000000000, .length_mm = 100000, .width_mm = 100000, .height_mm = 100000}};
    struct consignment consignment = {
        .origin = {.country_code = text_of("DE"), .has_point = true},
        .destination = {.country_code = text_of("US"), .postal_code = text_of("99501")},
        .parcels = parcels,
        .parcel_count = 2,
        .options = {.signature = true, .insured_value = {"USD", INT64_C(1000000000000)}},
    };
    struct tariff *tariff;
    if (error_is(tariff_create(&tariff, &file, 1)))
        return 0;
    for (size_t i = 0; i < sizeof days / sizeof days[0]; i++) {
        snprintf(consignment.ship_date, sizeof consignment.ship_date, "%s", days[i]);
        price_on(tariff, &consignment);
    }
    tariff_destroy(tariff);
    return 0;
}
