/* Two look-ups in short sorted lists. */
#include "warehouse/domain/cost_card.h"

const struct cost_card *cost_card_on(const struct cost_card *cards, size_t count, int64_t day)
{
    const struct cost_card *found = NULL;
    for (size_t i = 0; i < count && cards[i].valid_from_day <= day; i++)
        found = &cards[i];
    return found;
}

const struct cost_band *cost_card_band(const struct cost_card *card, int64_t distance_metres)
{
    for (size_t i = 0; i < card->band_count; i++) {
        if (card->bands[i].distance_metres_max >= distance_metres)
            return &card->bands[i];
    }
    return NULL;
}
