#ifndef WAYBILL_WAREHOUSE_DOMAIN_COST_CARD_H
#define WAYBILL_WAREHOUSE_DOMAIN_COST_CARD_H

#include "platform/base/text.h"

#include <stddef.h>
#include <stdint.h>

/*
 * What shipping from a warehouse costs, from a day on until the next card's day: parcels of at
 * most parcel_grams_max, a base price each and a price a kilogram begun, by distance. Amounts in
 * minor units of the card's currency.
 */
struct cost_band {
    int64_t distance_metres_max; /* ascending */
    int64_t base_minor;
    int64_t per_kilogram_minor;
};

struct cost_card {
    struct text warehouse_id;
    int64_t valid_from_day; /* calendar.h */
    int64_t parcel_grams_max;
    char currency[4];
    const struct cost_band *bands;
    size_t band_count;
};

/* The card valid on a day, of cards sorted by valid_from_day, or NULL. Pure. */
const struct cost_card *cost_card_on(const struct cost_card *cards, size_t count, int64_t day);

/* The first band that reaches so far, or NULL beyond the last. Pure. */
const struct cost_band *cost_card_band(const struct cost_card *card, int64_t distance_metres);

#endif
