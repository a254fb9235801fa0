/* Look-ups, in the order in which reasons are told. */
#include "warehouse/domain/site_offer.h"

#include <string.h>

static const int64_t cost_minor_max = INT64_C(1000000000000000); /* 10^15 */
static const int64_t weight_grams_max = INT64_C(1000000000000000);

struct local_moment local_moment_of(int64_t now_us, int64_t offset_seconds)
{
    int64_t seconds = now_us / 1000000 + offset_seconds;
    int64_t day = seconds / 86400;
    if (seconds % 86400 < 0)
        day--;
    return (struct local_moment){.day = day, .minutes = (seconds - day * 86400) / 60};
}

/* The prices, or why there are none. */
static enum allocation_reason_code price(const struct site *site, struct site_offer *offer)
{
    const struct cost_card *card = cost_card_on(site->cards, site->card_count, offer->ship_day);
    if (card == NULL)
        return REASON_NO_COST_CARD;
    const struct cost_band *band = cost_card_band(card, offer->site.distance_metres);
    if (band == NULL)
        return REASON_TOO_FAR;
    offer->mixes_currencies = money_is(site->handling_cost) &&
                              memcmp(site->handling_cost.currency, card->currency, 4) != 0;
    memcpy(offer->currency, card->currency, sizeof offer->currency);
    offer->site.has_cost = true;
    offer->site.handling_minor = site->handling_cost.amount_minor;
    offer->site.base_minor = band->base_minor;
    offer->site.per_kilogram_minor = band->per_kilogram_minor;
    offer->site.parcel_grams_max = card->parcel_grams_max;
    return (enum allocation_reason_code)0;
}

struct site_offer site_offer_make(const struct site *site, struct geo_point destination,
                                  struct local_moment now, int64_t ship_within_days,
                                  enum allocation_strategy strategy)
{
    struct site_offer offer = {.site.priority = site->priority};
    enum allocation_reason_code why = (enum allocation_reason_code)0;
    if (site->has_point) {
        offer.site.has_distance = true;
        offer.site.distance_metres = geography_distance_metres(site->point, destination);
    }
    if (!site->active) {
        offer.site.excluded = REASON_INACTIVE;
        return offer;
    }
    if (!site->has_point) {
        offer.site.excluded = REASON_NO_POINT;
        return offer;
    }
    if (!working_days_first_open(&site->working_days, now.day, now.minutes, ship_within_days,
                                 &offer.ship_day))
        why = REASON_CLOSED;
    else
        why = price(site, &offer);
    if (strategy != STRATEGY_PRIORITY)
        offer.site.excluded = why;
    return offer;
}

/* ceil(weight / unit) × price, without overflow. */
static bool price_fits(int64_t weight, int64_t unit, int64_t amount, int64_t *sum)
{
    __int128 units = ((__int128)weight + unit - 1) / unit;
    __int128 total = units * amount + *sum;
    if (total > cost_minor_max)
        return false;
    *sum = (int64_t)total;
    return true;
}

static bool cost_fits(const struct allocation_site *site, int64_t weight)
{
    int64_t sum = site->handling_minor;
    return price_fits(weight, site->parcel_grams_max, site->base_minor, &sum) &&
           price_fits(weight, 1000, site->per_kilogram_minor, &sum);
}

static bool weigh(const struct allocation_demand *lines, size_t count, int64_t *weight)
{
    __int128 sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += (__int128)lines[i].quantity * lines[i].weight_grams;
    *weight = sum > weight_grams_max ? 0 : (int64_t)sum;
    return sum <= weight_grams_max;
}

static bool takes_part(const struct site_offer *offer, bool has_stock)
{
    return (int)offer->site.excluded == 0 && offer->site.has_cost && has_stock;
}

static enum offers_outcome compare(const struct site_offer *offers, const bool *has_stock,
                                   size_t count, struct money split_cost,
                                   const struct allocation_demand *lines, size_t line_count,
                                   char currency[4])
{
    int64_t weight;
    memcpy(currency, split_cost.currency, 4);
    if (!weigh(lines, line_count, &weight))
        return OFFERS_TOO_COSTLY;
    for (size_t i = 0; i < count; i++) {
        const struct site_offer *offer = &offers[i];
        if (!takes_part(offer, has_stock[i]))
            continue;
        if (currency[0] == '\0')
            memcpy(currency, offer->currency, 4);
        if (offer->mixes_currencies || memcmp(currency, offer->currency, 4) != 0)
            return OFFERS_MIX_CURRENCIES;
        if (!cost_fits(&offer->site, weight))
            return OFFERS_TOO_COSTLY;
    }
    return OFFERS_GOOD;
}

enum offers_outcome site_offers_compare(struct site_offer *offers, const bool *has_stock,
                                        size_t count, struct money split_cost,
                                        const struct allocation_demand *lines, size_t line_count,
                                        enum allocation_strategy strategy, char currency[4])
{
    enum offers_outcome outcome =
        compare(offers, has_stock, count, split_cost, lines, line_count, currency);
    bool weighed = true;
    for (size_t i = 0; i < line_count; i++)
        weighed = weighed && lines[i].weight_grams > 0;
    if (strategy != STRATEGY_PRIORITY)
        return outcome;
    for (size_t i = 0; i < count && (outcome != OFFERS_GOOD || !weighed); i++)
        offers[i].site.has_cost = false;
    return OFFERS_GOOD;
}
