/* What a warehouse can offer, by day, distance and card; and whether offers can be compared. */
#include "warehouse/domain/site_offer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static const struct cost_band near_band[] = {{100000, 5, 1}};
static const struct cost_band far_band[] = {{100000, 6, 1}, {1000000, 9, 2}};

/* At 0°, 0°; its first card from day 20000 on, another from day 20010. */
static struct site sample(struct cost_card cards[2])
{
    cards[0] = (struct cost_card){.valid_from_day = 20000,
                                  .parcel_grams_max = 1000,
                                  .currency = "USD",
                                  .bands = near_band,
                                  .band_count = 1};
    cards[1] = (struct cost_card){.valid_from_day = 20010,
                                  .parcel_grams_max = 1000,
                                  .currency = "USD",
                                  .bands = far_band,
                                  .band_count = 2};
    return (struct site){.warehouse_id = text_of("W"),
                         .active = true,
                         .has_point = true,
                         .handling_cost = {"USD", 3},
                         .working_days = {.cutoff_minutes = 720},
                         .cards = cards,
                         .card_count = 2};
}

static struct site_offer offer(const struct site *site, int64_t day, int64_t minutes,
                               int32_t longitude_e7)
{
    return site_offer_make(site, (struct geo_point){0, longitude_e7},
                           (struct local_moment){day, minutes}, 7, STRATEGY_LOWEST_COST);
}

static void the_card_is_that_of_the_day_it_leaves(void **state)
{
    struct cost_card cards[2];
    struct site site = sample(cards);
    (void)state;
    assert_int_equal(offer(&site, 20009, 719, 1000000).site.base_minor, 5);
    assert_int_equal(offer(&site, 20009, 720, 1000000).site.base_minor, 6); /* leaves tomorrow */
    assert_int_equal(offer(&site, 20009, 720, 1000000).ship_day, 20010);
    assert_int_equal(offer(&site, 19998, 0, 1000000).site.excluded, REASON_NO_COST_CARD);
}

static void the_band_is_the_first_that_reaches(void **state)
{
    struct cost_card cards[2];
    struct site site = sample(cards);
    (void)state;
    assert_int_equal(offer(&site, 20010, 0, 8990000).site.base_minor, 6); /* 99,964 m */
    assert_int_equal(offer(&site, 20010, 0, 9000000).site.base_minor, 9); /* 100,075 m */
    assert_int_equal(offer(&site, 20010, 0, 90000000).site.excluded, REASON_TOO_FAR);
    assert_int_equal(offer(&site, 20000, 0, 9000000).site.excluded, REASON_TOO_FAR);
}

static void priority_is_not_kept_out_by_days_or_cards(void **state)
{
    struct cost_card cards[2];
    struct site site = sample(cards);
    (void)state;
    site.working_days.closed_weekdays = 0x7F;
    assert_int_equal(offer(&site, 20010, 0, 0).site.excluded, REASON_CLOSED);
    struct site_offer by_priority = site_offer_make(
        &site, (struct geo_point){0, 0}, (struct local_moment){20010, 0}, 7, STRATEGY_PRIORITY);
    assert_int_equal((int)by_priority.site.excluded, 0);
    assert_false(by_priority.site.has_cost);
    site.active = false;
    assert_int_equal(offer(&site, 20010, 0, 0).site.excluded, REASON_INACTIVE);
}

static void local_time_is_its_own_day(void **state)
{
    struct local_moment moment = local_moment_of(INT64_C(86399) * 1000000, 3600);
    (void)state;
    assert_int_equal(moment.day, 1);
    assert_int_equal(moment.minutes, 59);
    moment = local_moment_of(0, -3600);
    assert_int_equal(moment.day, -1);
    assert_int_equal(moment.minutes, 23 * 60);
}

static void what_cannot_be_compared_or_counted_is_told(void **state)
{
    struct cost_card cards[2];
    struct site site = sample(cards);
    struct allocation_demand line = {.quantity = 10, .weight_grams = 500};
    bool has_stock[2] = {true, true};
    char currency[4];
    (void)state;
    struct site_offer offers[2] = {offer(&site, 20010, 0, 0), offer(&site, 20010, 0, 0)};
    assert_int_equal(site_offers_compare(offers, has_stock, 2, (struct money){{0}, 0}, &line, 1,
                                         STRATEGY_LOWEST_COST, currency),
                     OFFERS_GOOD);
    assert_string_equal(currency, "USD");
    memcpy(offers[1].currency, "EUR", 4);
    assert_int_equal(site_offers_compare(offers, has_stock, 2, (struct money){{0}, 0}, &line, 1,
                                         STRATEGY_LOWEST_COST, currency),
                     OFFERS_MIX_CURRENCIES);
    has_stock[1] = false; /* takes no part */
    assert_int_equal(site_offers_compare(offers, has_stock, 2, (struct money){"EUR", 1}, &line, 1,
                                         STRATEGY_LOWEST_COST, currency),
                     OFFERS_MIX_CURRENCIES);
    line = (struct allocation_demand){INT64_C(1000000000000), INT64_C(1000000000)};
    assert_int_equal(site_offers_compare(offers, has_stock, 2, (struct money){{0}, 0}, &line, 1,
                                         STRATEGY_LOWEST_COST, currency),
                     OFFERS_TOO_COSTLY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_card_is_that_of_the_day_it_leaves),
        cmocka_unit_test(the_band_is_the_first_that_reaches),
        cmocka_unit_test(priority_is_not_kept_out_by_days_or_cards),
        cmocka_unit_test(local_time_is_its_own_day),
        cmocka_unit_test(what_cannot_be_compared_or_counted_is_told),
    };
    return cmocka_run_group_tests_name("site_offer", tests, NULL, NULL);
}
