/* One order and one walk. */
#include "warehouse/domain/shelf.h"

#include <stdlib.h>

static int compare_numbers(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

static int compare_shelves(const void *left, const void *right)
{
    const struct shelf *a = left;
    const struct shelf *b = right;
    if ((a->expiry_day == 0) != (b->expiry_day == 0))
        return a->expiry_day == 0 ? 1 : -1;
    int order = compare_numbers(a->expiry_day, b->expiry_day);
    if (order == 0)
        order = compare_numbers(a->first_in_us, b->first_in_us);
    if (order == 0)
        order = text_compare(a->zone, b->zone);
    if (order == 0)
        order = text_compare(a->bin, b->bin);
    return order == 0 ? text_compare(a->lot, b->lot) : order;
}

void shelves_sort(struct shelf *shelves, size_t count)
{
    if (count > 1)
        qsort(shelves, count, sizeof *shelves, compare_shelves);
}

bool place_equal(struct text zone_a, struct text bin_a, struct text zone_b, struct text bin_b)
{
    return text_equal(zone_a, zone_b) && text_equal(bin_a, bin_b);
}

static bool fits(const struct shelf *shelf, const struct pick_filter *filter)
{
    return (filter->any_place || place_equal(shelf->zone, shelf->bin, filter->zone, filter->bin)) &&
           (filter->lot.size == 0 || text_equal(shelf->lot, filter->lot)) &&
           (filter->expiry_day == 0 || shelf->expiry_day == filter->expiry_day);
}

size_t shelves_pick(struct shelf *shelves, size_t count, const struct pick_filter *filter,
                    int64_t quantity, struct pick *picks, int64_t *picked)
{
    size_t pick_count = 0;
    *picked = 0;
    for (size_t i = 0; i < count && *picked < quantity; i++) {
        struct shelf *shelf = &shelves[i];
        if (shelf->quantity == 0 || !fits(shelf, filter))
            continue;
        int64_t taken = quantity - *picked;
        if (taken > shelf->quantity)
            taken = shelf->quantity;
        picks[pick_count++] = (struct pick){
            .zone = shelf->zone,
            .bin = shelf->bin,
            .lot = shelf->lot,
            .expiry_day = shelf->expiry_day,
            .first_in_us = shelf->first_in_us,
            .quantity = taken,
        };
        shelf->quantity -= taken;
        *picked += taken;
    }
    return pick_count;
}
