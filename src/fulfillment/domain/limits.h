#ifndef WAYBILL_FULFILLMENT_DOMAIN_LIMITS_H
#define WAYBILL_FULFILLMENT_DOMAIN_LIMITS_H

#include <stdint.h>

/* Everything has a limit (DESIGN section 3 rule 8). */
enum {
    fulfillment_id_bytes_max = 64,
    fulfillment_sku_bytes_max = 64,
    fulfillment_made_id_bytes = 40, /* ids made for other services */
    fulfillment_lines_max = 100,
    fulfillment_carriers_max = 16,
    fulfillment_carrier_bytes_max = 64,
    fulfillment_address_lines_max = 4, /* as labels have */
    fulfillment_text_bytes_max = 128,  /* names, cities, lines of an address */
    fulfillment_note_bytes_max = 256,  /* reasons */
    fulfillment_parcels_max = 20,      /* of one part; what is more goes as one piece of freight */
    fulfillment_parts_max = 100,
    fulfillment_page_size_max = 1000,
    fulfillment_page_size_default = 100,
    fulfillment_lost_holds_max = 8, /* holds that end before they are of use, in one go */
    fulfillment_signals_max = 256,  /* taken into account at once; the rest follows */
};

static const int64_t fulfillment_quantity_max = INT64_C(1000000000000);
static const int64_t fulfillment_unit_value_max = INT64_C(1000000000000);
static const int64_t fulfillment_amount_max = INT64_C(1000000000000000); /* of a whole order */
static const int64_t fulfillment_ttl_us_default = INT64_C(900) * 1000000;
static const int64_t fulfillment_ttl_us_max = INT64_C(31) * 86400 * 1000000;

#endif
