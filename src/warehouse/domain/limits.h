#ifndef WAYBILL_WAREHOUSE_DOMAIN_LIMITS_H
#define WAYBILL_WAREHOUSE_DOMAIN_LIMITS_H

#include <stdint.h>

/* Everything has a limit (DESIGN section 3 rule 8). */
enum {
    warehouse_id_bytes_max = 64,
    warehouse_sku_bytes_max = 64, /* also of lots, zones and bins */
    warehouse_name_bytes_max = 256,
    warehouse_note_bytes_max = 256,
    warehouse_reason_bytes_max = 64,
    warehouse_lines_max = 100,
    warehouse_count_lines_max = 1000,
    warehouse_places_max = 1000, /* of one SKU in one warehouse */
    warehouse_page_size_max = 1000,
    warehouse_page_size_default = 100,
    warehouse_sites_max = 1000, /* warehouses of one deployment */
    warehouse_address_lines_max = 8,
    warehouse_closed_days_max = 400,
    warehouse_bands_max = 64,
    warehouse_cards_max = 1000, /* of one warehouse */
    warehouse_priority_max = 1000000,
    warehouse_mask_paths_max = 64,
    warehouse_mismatches_max = 1000,
};

static const int64_t warehouse_quantity_max =
    INT64_C(1000000000000); /* 10^12, of a line or delta */
static const int64_t warehouse_on_hand_max = INT64_C(1000000000000000); /* 10^15, of one SKU */
static const int64_t warehouse_weight_grams_max = INT64_C(1000000000);  /* of one piece, a parcel */
static const int64_t warehouse_length_mm_max = 1000000;
static const int64_t warehouse_amount_minor_max = INT64_C(1000000000000);
static const int64_t warehouse_distance_metres_max = 100000000;
static const int64_t warehouse_capacity_max = 1000000000;
static const int64_t warehouse_hold_us_max = INT64_C(31) * 86400 * 1000000;

#endif
