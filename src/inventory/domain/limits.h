#ifndef WAYBILL_INVENTORY_DOMAIN_LIMITS_H
#define WAYBILL_INVENTORY_DOMAIN_LIMITS_H

#include <stdint.h>

/* Everything has a limit (DESIGN section 3 rule 8). */
enum {
    inventory_id_bytes_max = 64,
    inventory_sku_bytes_max = 64,
    inventory_note_bytes_max = 256,
    inventory_lines_max = 100,
    inventory_page_size_max = 1000,
    inventory_page_size_default = 100,
    inventory_batch_skus_max = 1000,     /* of BatchGetStock */
    inventory_batch_reserves_max = 1000, /* of BatchReserve */
    inventory_batch_lines_max = 20000,   /* of all its reserves */
};

static const int64_t inventory_quantity_max =
    INT64_C(1000000000000); /* 10^12, of a line or delta */
static const int64_t inventory_on_hand_max = INT64_C(1000000000000000); /* 10^15 */
static const int64_t inventory_ttl_us_min = INT64_C(1000000);
static const int64_t inventory_ttl_us_max = INT64_C(31) * 86400 * 1000000;
static const int64_t inventory_ttl_us_default = INT64_C(15) * 60 * 1000000;

#endif
