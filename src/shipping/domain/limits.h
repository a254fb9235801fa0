#ifndef WAYBILL_SHIPPING_DOMAIN_LIMITS_H
#define WAYBILL_SHIPPING_DOMAIN_LIMITS_H

#include <stdint.h>

/* Everything has a limit (DESIGN section 3 rule 8); of addresses and parcels see consignment.h. */
enum {
    shipping_id_bytes_max = 64,
    shipping_rate_id_bytes_max = 512,
    shipping_service_code_bytes_max = 64,
    shipping_text_bytes_max = 128, /* names, cities, lines of an address, references */
    shipping_description_bytes_max = 256,
    shipping_note_bytes_max = 256, /* notes and reasons */
    shipping_failure_bytes_max = 512,
    shipping_tracking_number_bytes_max = 64,
    shipping_page_size_max = 1000,
    shipping_page_size_default = 100,
    shipping_scans_max = 1000,        /* of one push */
    shipping_audit_bytes_max = 65536, /* of a request or answer; longer ones are cut and say so */
    shipping_webhook_bytes_max = 1024 * 1024,
    shipping_label_bytes_max = 4 * 1024 * 1024, /* of one parcel */
};

static const int64_t shipping_weight_grams_max = INT64_C(1000000000); /* of one parcel: 1,000 t */
static const int64_t shipping_length_mm_max = 100000;
static const int64_t shipping_amount_minor_max = INT64_C(1000000000000);
static const int64_t shipping_quantity_max = INT64_C(1000000000);

/* How long an unknown outcome is looked up before a person is asked (DESIGN section 4). */
static const int64_t shipping_lookup_us_max = INT64_C(24) * 3600 * 1000000;

/* How often the resolver hears that a carrier does not find a label to void; then a person is
 * asked.
 */
enum { shipping_lost_voids_max = 3 };

#endif
