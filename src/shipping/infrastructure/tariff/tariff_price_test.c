/*
 * Goal: prices are those of the cards, to the minor unit. Method: prices worked out by hand from
 * the source document's formulas and from small cards; properties on random consignments (seed
 * printed, WAYBILL_SEED replays): lines add up, no line is off by a whole unit, more weight never
 * costs less.
 */
#include "shipping/infrastructure/tariff/tariff_price.h"

#include "platform/base/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct shipping_parcel parcels[shipping_parcels_max];

static struct consignment consignment_on(const char *day)
{
    struct consignment made = {
        .origin = {.country_code = text_of("US")},
        .destination = {.country_code = text_of("US"), .company = text_of("A shop")},
        .parcels = parcels,
        .parcel_count = 1,
    };
    memset(parcels, 0, sizeof parcels);
    snprintf(made.ship_date, sizeof made.ship_date, "%s", day);
    return made;
}

static enum tariff_verdict price_of(const struct tariff *tariff, const char *code,
                                    const struct consignment *consignment,
                                    struct tariff_price *price)
{
    struct tariff_facts facts;
    assert_true(tariff_facts_of(consignment, &facts));
    for (size_t i = 0; i < tariff_service_count(tariff); i++) {
        const struct tariff_service *service = tariff_service_on(tariff, i, facts.day);
        if (service != NULL && text_equals_string(service->code, code))
            return tariff_price_of(service, &facts, price);
    }
    fail_msg("no service %s", code);
    return TARIFF_NO_ZONE;
}

static struct tariff *built_in(void)
{
    struct tariff *tariff;
    struct error error = tariff_create_built_in(&tariff);
    if (error_is(error))
        fail_msg("%s", error.detail);
    return tariff;
}

static struct tariff *card_of(const char *text)
{
    struct tariff_file file = {.name = "card.ini", .text = text_of(text)};
    struct tariff *tariff;
    struct error error = tariff_create(&tariff, &file, 1);
    if (error_is(error))
        fail_msg("%s", error.detail);
    return tariff;
}

/* Of one parcel. */
static void costs(const struct tariff *tariff, const char *code, int64_t grams, int64_t minor)
{
    struct consignment consignment = consignment_on("2026-11-25");
    struct tariff_price price;
    parcels[0].weight_grams = grams;
    assert_int_equal(price_of(tariff, code, &consignment, &price), TARIFF_OFFERED);
    if (price.amount.amount_minor != minor || strcmp(price.amount.currency_code, "USD") != 0)
        fail_msg("%s, %lld g: %lld, not %lld", code, (long long)grams,
                 (long long)price.amount.amount_minor, (long long)minor);
}

static void the_source_documents_formulas_are_exact(void **state)
{
    struct tariff *tariff = built_in();
    (void)state;
    costs(tariff, "DHL", 2000, 1100);   /* 5.00 + 2 × 3.00 */
    costs(tariff, "FEDEX", 2000, 1084); /* 6.00 + 2 × 2.42 */
    costs(tariff, "UPS", 2000, 950);    /* 5.50 + 2 × 2.00 */
    costs(tariff, "DHL", 1, 500);       /* 5.003 */
    costs(tariff, "DHL", 2, 501);       /* 5.006 */
    costs(tariff, "DHL", 500, 650);     /* 6.50 */
    costs(tariff, "DHL", 1235, 871);    /* 8.705: half a cent goes up */
    costs(tariff, "FEDEX", 1000, 842);
    costs(tariff, "FEDEX", 10250, 3081); /* 30.805: half a cent again, in binary it is below */
    costs(tariff, "FEDEX", 777, 788);    /* 7.88034 */
    costs(tariff, "UPS", 2, 550);        /* 5.504 */
    costs(tariff, "UPS", 3, 551);        /* 5.506 */
    costs(tariff, "UPS", 70000, 14550);
    tariff_destroy(tariff);
}

static void parcels_are_summed_before_the_rounding(void **state)
{
    struct tariff *tariff = built_in();
    struct consignment consignment = consignment_on("2026-11-25");
    struct tariff_price price;
    (void)state;
    consignment.parcel_count = 3;
    parcels[0].weight_grams = parcels[1].weight_grams = parcels[2].weight_grams = 1;
    assert_int_equal(price_of(tariff, "DHL", &consignment, &price), TARIFF_OFFERED);
    assert_int_equal(price.amount.amount_minor, 1501); /* 3 × 5.003 = 15.009, not 3 × 5.00 */
    assert_int_equal(price.charge_count, 2);
    assert_int_equal(price.charges[0].amount.amount_minor, 1500);
    assert_int_equal(price.charges[1].amount.amount_minor, 1);
    tariff_destroy(tariff);
}

static const char zones_card[] =
    "[card]\nname = Test\nvalid_from = 2020-01-01\ncurrency = USD\n"
    "[fuel]\n2019-12-30 = 10.00\n2020-01-06 = 12.50\n"
    "[remote]\nUS = 995 996\n"
    "[service Z]\nparcel_grams_max = 70000\ndivisor = 5000\nstep_grams = 500\nfuel = yes\n"
    "length_mm_max = 2000\ngirth_mm_max = 3000\n"
    "signature = 5.00\nsaturday = 7.00\nresidential = 3.00\nremote = 20.00\noversize = 9.00\n"
    "oversize_mm = 1000\ninsurance_percent = 1.25\ninsurance_minimum = 2.00\n"
    "[zone Z home]\nsame_country = yes\nbase = 4.00\nminimum = 6.00\nper_kilogram = 1.00\n"
    "transit_days = 1\n"
    "[zone Z named]\nfrom_countries = US\nto_countries = MX CA\nbase = 10.00\n"
    "per_kilogram = 2.00\ntransit_days = 3\n"
    "[zone Z near]\ndistance_kilometres_max = 1000\nbase = 12.00\nper_kilogram = 3.00\n"
    "transit_days = 4\n"
    "[service F]\nby_consignment = yes\nbeyond_parcel_grams = 70000\n"
    "beyond_consignment_grams = 100000\nbeyond_length_mm = 2000\ndivisor = 6000\n"
    "[zone F all]\nbase = 50.00\nminimum = 80.00\nper_kilogram = 1.50\n"
    "per_kilogram above 200 = 1.00\nper_kilogram above 1000 = 0.25\ntransit_days = 10\n";

static int64_t amount_of(const struct tariff *tariff, const char *code,
                         const struct consignment *consignment)
{
    struct tariff_price price;
    enum tariff_verdict verdict = price_of(tariff, code, consignment, &price);
    if (verdict != TARIFF_OFFERED)
        fail_msg("%s", tariff_verdict_text(verdict));
    return price.amount.amount_minor;
}

static void weight_is_the_larger_of_two_in_steps(void **state)
{
    struct tariff *tariff = card_of(zones_card);
    struct consignment consignment = consignment_on("2020-01-06");
    (void)state;
    consignment.destination.country_code = text_of("CA");
    parcels[0].weight_grams = 2001; /* 2.5 kg: 10 + 5 = 15.00, fuel 12.5 % = 1.875 */
    assert_int_equal(amount_of(tariff, "Z", &consignment), 1688);
    parcels[0].length_mm = 500; /* 500 × 400 × 250 / 5000 = 10,000 g: 30.00 × 1.125 */
    parcels[0].width_mm = 400;
    parcels[0].height_mm = 250;
    assert_int_equal(amount_of(tariff, "Z", &consignment), 3375);
    parcels[0].height_mm = 251; /* 10,040 g, so 10.5 kg: 31.00 × 1.125 = 34.875 */
    assert_int_equal(amount_of(tariff, "Z", &consignment), 3488);
    tariff_destroy(tariff);
}

static void the_first_zone_that_fits_is_taken(void **state)
{
    struct tariff *tariff = card_of(zones_card);
    struct consignment consignment = consignment_on("2020-01-01");
    struct tariff_price price;
    (void)state;
    parcels[0].weight_grams = 1000;
    assert_int_equal(amount_of(tariff, "Z", &consignment), 660); /* the minimum, + 10 % */
    consignment.destination.country_code = text_of("MX");
    assert_int_equal(amount_of(tariff, "Z", &consignment), 1320);
    consignment.destination.country_code = text_of("M");
    assert_int_equal(price_of(tariff, "Z", &consignment, &price), TARIFF_NO_ZONE);
    consignment.destination.country_code = text_of("CU");
    assert_int_equal(price_of(tariff, "Z", &consignment, &price), TARIFF_NO_ZONE);
    /* Miami and Havana are 370 km apart; Oslo is farther than 1,000. */
    consignment.origin.has_point = consignment.destination.has_point = true;
    consignment.origin.latitude_e7 = 257617000;
    consignment.origin.longitude_e7 = -801918000;
    consignment.destination.latitude_e7 = 231136000;
    consignment.destination.longitude_e7 = -823666000;
    assert_int_equal(amount_of(tariff, "Z", &consignment), 1650);
    consignment.destination.latitude_e7 = 599139000;
    assert_int_equal(price_of(tariff, "Z", &consignment, &price), TARIFF_NO_ZONE);
    tariff_destroy(tariff);
}

static void line_is(const struct tariff_price *price, size_t at, const char *description,
                    int64_t minor)
{
    assert_true(at < price->charge_count);
    if (!text_equals_string(price->charges[at].description, description) ||
        price->charges[at].amount.amount_minor != minor)
        fail_msg("%.*s %lld", (int)price->charges[at].description.size,
                 price->charges[at].description.data,
                 (long long)price->charges[at].amount.amount_minor);
}

static void every_surcharge_has_its_line(void **state)
{
    struct tariff *tariff = card_of(zones_card);
    struct consignment consignment = consignment_on("2020-01-06");
    struct tariff_price price;
    (void)state;
    consignment.destination.company = text_of("");
    consignment.destination.postal_code = text_of("99501");
    consignment.options.signature = consignment.options.saturday = true;
    consignment.options.insured_value = (struct shipping_money){"USD", 20020};
    parcels[0].weight_grams = 1000;
    parcels[0].length_mm = 1001;
    assert_int_equal(price_of(tariff, "Z", &consignment, &price), TARIFF_OFFERED);
    line_is(&price, 0, "Base", 400);
    line_is(&price, 1, "Weight", 100);
    line_is(&price, 2, "To the minimum", 100);
    line_is(&price, 3, "Oversize", 900);
    line_is(&price, 4, "Remote area", 2000);
    line_is(&price, 5, "Residential", 300);
    line_is(&price, 6, "Saturday", 700);
    line_is(&price, 7, "Signature", 500);
    line_is(&price, 8, "Fuel", 625);      /* 12.5 % of 50.00 */
    line_is(&price, 9, "Insurance", 250); /* 1.25 % of 200.20 = 2.5025 */
    assert_int_equal(price.charge_count, 10);
    assert_int_equal(price.amount.amount_minor, 5875);
    consignment.options.insured_value.amount_minor = 100;
    assert_int_equal(amount_of(tariff, "Z", &consignment), 5825); /* the least premium */
    tariff_destroy(tariff);
}

static void what_cannot_be_done_is_not_offered(void **state)
{
    struct tariff *tariff = card_of(zones_card);
    struct consignment consignment = consignment_on("2020-01-06");
    struct tariff_price price;
    (void)state;
    parcels[0].weight_grams = 70001;
    assert_int_equal(price_of(tariff, "Z", &consignment, &price), TARIFF_TOO_HEAVY);
    parcels[0].weight_grams = 70000;
    assert_int_equal(price_of(tariff, "Z", &consignment, &price), TARIFF_OFFERED);
    assert_int_equal(price_of(tariff, "F", &consignment, &price), TARIFF_NOT_BEYOND);
    parcels[0].length_mm = 2001;
    assert_int_equal(price_of(tariff, "Z", &consignment, &price), TARIFF_TOO_LARGE);
    assert_int_equal(price_of(tariff, "F", &consignment, &price), TARIFF_OFFERED);
    parcels[0].length_mm = 1000;
    parcels[0].width_mm = parcels[0].height_mm = 501; /* 1,000 + 2 × 1,002 */
    assert_int_equal(price_of(tariff, "Z", &consignment, &price), TARIFF_TOO_LARGE);
    parcels[0].length_mm = 0;
    consignment.options.saturday = true;
    parcels[0].weight_grams = 70001;
    assert_int_equal(price_of(tariff, "F", &consignment, &price), TARIFF_NO_SATURDAY);
    consignment.options.saturday = false;
    consignment.options.signature = true;
    assert_int_equal(price_of(tariff, "F", &consignment, &price), TARIFF_NO_SIGNATURE);
    consignment.options.signature = false;
    consignment.options.insured_value = (struct shipping_money){"USD", 1};
    assert_int_equal(price_of(tariff, "F", &consignment, &price), TARIFF_NO_INSURANCE);
    parcels[0].weight_grams = 1000;
    parcels[0].width_mm = parcels[0].height_mm = 0;
    consignment.options.insured_value = (struct shipping_money){"EUR", 1};
    assert_int_equal(price_of(tariff, "Z", &consignment, &price), TARIFF_NO_INSURANCE);
    tariff_destroy(tariff);
}

static void freight_is_priced_as_one_piece_in_steps(void **state)
{
    struct tariff *tariff = card_of(zones_card);
    struct consignment consignment = consignment_on("2020-01-06");
    (void)state;
    consignment.parcel_count = 2;
    parcels[0].weight_grams = parcels[1].weight_grams = 50001; /* 50.00 + 100.002 × 1.50 */
    assert_int_equal(amount_of(tariff, "F", &consignment), 20000);
    parcels[0].weight_grams = 1500000;
    parcels[1].weight_grams = 500000; /* 50 + 200 × 1.50 + 800 × 1.00 + 1,000 × 0.25 */
    assert_int_equal(amount_of(tariff, "F", &consignment), 140000);
    consignment.parcel_count = 1;
    parcels[0] = (struct shipping_parcel){.weight_grams = 1000, .length_mm = 2001};
    assert_int_equal(amount_of(tariff, "F", &consignment), 8000); /* the minimum */
    tariff_destroy(tariff);
}

static void delivery_counts_monday_to_friday(void **state)
{
    struct tariff *tariff = card_of(zones_card);
    struct consignment consignment = consignment_on("2020-01-09"); /* a Thursday */
    struct tariff_price price;
    const int64_t day_us = INT64_C(86400000000), six_pm_us = INT64_C(64800000000);
    (void)state;
    parcels[0].weight_grams = 1000;
    assert_int_equal(price_of(tariff, "Z", &consignment, &price), TARIFF_OFFERED);
    assert_int_equal(price.estimated_delivery_time_us, 18271 * day_us + six_pm_us); /* Friday */
    consignment.destination.country_code = text_of("CA");
    assert_int_equal(price_of(tariff, "Z", &consignment, &price), TARIFF_OFFERED);
    assert_int_equal(price.estimated_delivery_time_us, 18275 * day_us + six_pm_us); /* Tuesday */
    consignment.options.saturday = true;
    assert_int_equal(price_of(tariff, "Z", &consignment, &price), TARIFF_OFFERED);
    assert_int_equal(price.estimated_delivery_time_us, 18274 * day_us + six_pm_us); /* Monday */
    tariff_destroy(tariff);
}

static void a_price_beyond_all_amounts_is_not_offered(void **state)
{
    struct tariff *tariff = card_of(
        "[card]\nname = Dear\nvalid_from = 2020-01-01\ncurrency = USD\n[fuel]\n2019-12-30 = 1000\n"
        "[service D]\nfuel = yes\ndivisor = 100\n[zone D all]\nbase = 1.00\n"
        "per_kilogram = 1000000000\ntransit_days = 0\n");
    struct consignment consignment = consignment_on("2020-01-06");
    struct tariff_price price;
    (void)state;
    consignment.parcel_count = shipping_parcels_max;
    for (size_t i = 0; i < shipping_parcels_max; i++)
        parcels[i] = (struct shipping_parcel){1000000000, 100000, 100000, 100000, {""}, {0}};
    assert_int_equal(price_of(tariff, "D", &consignment, &price), TARIFF_BEYOND_AMOUNT);
    consignment.parcel_count = 1;
    parcels[0] = (struct shipping_parcel){.weight_grams = 900};
    /* 1.00 + 900,000,000.00, and ten times as much for fuel: still below 10^12 cents. */
    assert_int_equal(price_of(tariff, "D", &consignment, &price), TARIFF_OFFERED);
    assert_int_equal(price.amount.amount_minor, INT64_C(990000001100));
    parcels[0].weight_grams = 910;
    assert_int_equal(price_of(tariff, "D", &consignment, &price), TARIFF_BEYOND_AMOUNT);
    tariff_destroy(tariff);
}

static uint64_t seed_of_the_run(void)
{
    const char *given = getenv("WAYBILL_SEED");
    uint64_t seed = given != NULL ? strtoull(given, NULL, 0) : random_uint64(random_system());
    print_message("# WAYBILL_SEED=%llu\n", (unsigned long long)seed);
    return seed;
}

static void randomise(struct random *random, struct consignment *consignment)
{
    static const char *const days[] = {"2005-01-01", "2006-05-02", "2015-09-14", "2026-01-04",
                                       "2026-01-05", "2026-11-25", "2031-02-28"};
    static const char *const countries[] = {"US", "DE", "GH", "ZA", "KE", "VN"};
    *consignment = consignment_on(days[random_below(random, 7)]);
    consignment->origin.country_code = text_of(countries[random_below(random, 6)]);
    consignment->destination.country_code = text_of(countries[random_below(random, 6)]);
    consignment->destination.postal_code = text_of(random_below(random, 2) ? "99501" : "10115");
    consignment->destination.company = text_of(random_below(random, 2) ? "" : "A shop");
    struct shipping_address *ends[] = {&consignment->origin, &consignment->destination};
    for (size_t i = 0; i < 2; i++) {
        ends[i]->has_point = random_below(random, 3) > 0;
        ends[i]->latitude_e7 = (int32_t)random_below(random, 1800000001) - 900000000;
        ends[i]->longitude_e7 = (int32_t)((int64_t)random_below(random, 3600000001) - 1800000000);
    }
    consignment->parcel_count = 1 + random_below(random, shipping_parcels_max);
    for (size_t i = 0; i < consignment->parcel_count; i++) {
        uint64_t most = random_below(random, 4) ? 70000 : 1000000000;
        parcels[i].weight_grams = 1 + (int64_t)random_below(random, most);
        if (random_below(random, 2)) {
            parcels[i].length_mm = 1 + (int32_t)random_below(random, 3000);
            parcels[i].width_mm = 1 + (int32_t)random_below(random, 800);
            parcels[i].height_mm = 1 + (int32_t)random_below(random, 800);
        }
    }
    consignment->options.signature = random_below(random, 3) == 0;
    consignment->options.saturday = random_below(random, 4) == 0;
    if (random_below(random, 3) == 0)
        consignment->options.insured_value =
            (struct shipping_money){"USD", (int64_t)random_below(random, 10000000)};
}

static void lines_add_up_and_weight_never_saves(void **state)
{
    struct tariff *tariff = built_in();
    struct random_seeded random;
    size_t offered = 0, compared = 0;
    (void)state;
    random_seeded_init(&random, seed_of_the_run());
    for (size_t run = 0; run < 20000; run++) {
        struct consignment consignment;
        struct tariff_facts facts;
        randomise(&random.base, &consignment);
        size_t heavier = random_below(&random.base, consignment.parcel_count);
        int64_t more = 1 + (int64_t)random_below(&random.base, 5000);
        for (size_t i = 0; i < tariff_service_count(tariff); i++) {
            struct tariff_price price, dearer;
            int64_t sum = 0;
            assert_true(tariff_facts_of(&consignment, &facts));
            const struct tariff_service *service = tariff_service_on(tariff, i, facts.day);
            if (service == NULL || tariff_price_of(service, &facts, &price) != TARIFF_OFFERED)
                continue;
            offered++;
            for (size_t line = 0; line < price.charge_count; line++) {
                assert_true(price.charges[line].amount.amount_minor > 0);
                sum += price.charges[line].amount.amount_minor;
            }
            assert_int_equal(sum, price.amount.amount_minor);
            assert_true(price.estimated_delivery_time_us > facts.day * INT64_C(86400000000));
            parcels[heavier].weight_grams += more;
            assert_true(tariff_facts_of(&consignment, &facts));
            if (tariff_price_of(service, &facts, &dearer) == TARIFF_OFFERED) {
                compared++;
                assert_true(dearer.amount.amount_minor >= price.amount.amount_minor);
            }
            parcels[heavier].weight_grams -= more;
        }
    }
    assert_true(offered > 5000 && compared > 5000);
    tariff_destroy(tariff);
}

/* The formulas once more, as one fraction: (base × 1000 + rate × grams) / 1000, half up. */
static void the_formulas_agree_with_a_second_calculation(void **state)
{
    static const struct {
        const char *code;
        int64_t base;
        int64_t rate;
    } formulas[] = {{"DHL", 500, 300}, {"FEDEX", 600, 242}, {"UPS", 550, 200}};
    struct tariff *tariff = built_in();
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        for (int64_t grams = 1; grams <= 70000; grams += 1 + grams % 7)
            costs(tariff, formulas[i].code, grams,
                  (formulas[i].base * 1000 + formulas[i].rate * grams + 500) / 1000);
    }
    tariff_destroy(tariff);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_source_documents_formulas_are_exact),
        cmocka_unit_test(parcels_are_summed_before_the_rounding),
        cmocka_unit_test(weight_is_the_larger_of_two_in_steps),
        cmocka_unit_test(the_first_zone_that_fits_is_taken),
        cmocka_unit_test(every_surcharge_has_its_line),
        cmocka_unit_test(what_cannot_be_done_is_not_offered),
        cmocka_unit_test(freight_is_priced_as_one_piece_in_steps),
        cmocka_unit_test(delivery_counts_monday_to_friday),
        cmocka_unit_test(a_price_beyond_all_amounts_is_not_offered),
        cmocka_unit_test(lines_add_up_and_weight_never_saves),
        cmocka_unit_test(the_formulas_agree_with_a_second_calculation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
