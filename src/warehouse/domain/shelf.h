#ifndef WAYBILL_WAREHOUSE_DOMAIN_SHELF_H
#define WAYBILL_WAREHOUSE_DOMAIN_SHELF_H

#include "platform/base/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * What lies where. A place is a bin (zone and bin) of a warehouse, or, with both empty, wherever
 * goods without a bin are. In a place each lot lies for itself, and within a lot each expiry date.
 */
struct shelf {
    struct text zone;
    struct text bin;
    struct text lot;     /* may be empty */
    int64_t expiry_day;  /* calendar.h; 0 = does not expire */
    int64_t first_in_us; /* when the oldest of it came into this warehouse */
    int64_t quantity;    /* > 0 */
};

/* One SKU in one warehouse. */
struct warehouse_stock {
    struct text warehouse_id;
    struct text sku;
    int64_t on_hand; /* the sum of its shelves */
    int64_t allocated;
    int64_t shipped_for_reservations;
    int64_t update_time_us;
    struct shelf *shelves; /* in picking order */
    size_t shelf_count;
};

/* May be negative, when a count found less than is allocated. */
static inline int64_t warehouse_stock_available(const struct warehouse_stock *stock)
{
    return stock->on_hand - stock->allocated;
}

/* A quantity of what lies in one place; a shelf's remaining parts tell what exactly. */
struct pick {
    struct text zone;
    struct text bin;
    struct text lot;
    int64_t expiry_day;
    int64_t first_in_us;
    int64_t quantity; /* > 0 */
};

/* Which shelves may be picked from. */
struct pick_filter {
    bool any_place; /* else exactly `zone` and `bin`, also where both are empty */
    struct text zone;
    struct text bin;
    struct text lot;    /* empty = any */
    int64_t expiry_day; /* 0 = any */
};

/*
 * Picking order: first expired first out (what does not expire comes last), then first in first
 * out, then by place and lot, so that it is the same everywhere.
 */
void shelves_sort(struct shelf *shelves, size_t count);

/*
 * Picks up to `quantity` from shelves in picking order, and takes it off them (a shelf may be left
 * at 0). `picks` has room for one each shelf. Gives the number of picks; *picked is the sum.
 */
size_t shelves_pick(struct shelf *shelves, size_t count, const struct pick_filter *filter,
                    int64_t quantity, struct pick *picks, int64_t *picked);

/* Whether two places are the same; lot and expiry are not looked at. */
bool place_equal(struct text zone_a, struct text bin_a, struct text zone_b, struct text bin_b);

#endif
