#ifndef WAYBILL_SHIPPING_DOMAIN_CONSIGNMENT_H
#define WAYBILL_SHIPPING_DOMAIN_CONSIGNMENT_H

#include "platform/base/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * What is to be carried, from where to where, as every carrier is asked about it (DESIGN section 4,
 * shipping.v1). Plain values; all texts are views that the asker owns until the call is answered.
 * Units: grams, millimetres, minor units of an ISO 4217 currency, microseconds since 1970 UTC.
 */

/* An amount; currency_code empty = there is none. */
struct shipping_money {
    char currency_code[4]; /* NUL-terminated */
    int64_t amount_minor;
};

enum {
    shipping_address_lines_max = 4,
    shipping_parcels_max = 20,
    shipping_customs_items_max = 100
};

struct shipping_address {
    struct text name;
    struct text company;
    struct text phone;
    struct text email;
    struct text lines[shipping_address_lines_max];
    size_t line_count;
    struct text city;
    struct text region;
    struct text postal_code;
    struct text country_code; /* ISO 3166-1 alpha-2 */
    bool has_point;
    int32_t latitude_e7;
    int32_t longitude_e7;
};

/* Lengths of 0 mean: not measured. */
struct shipping_parcel {
    int64_t weight_grams;
    int32_t length_mm;
    int32_t width_mm;
    int32_t height_mm;
    struct shipping_money value;
    struct text reference; /* may be empty */
};

struct shipping_customs_item {
    struct text description;
    int64_t quantity;
    struct shipping_money value; /* of one unit */
    int64_t weight_grams;        /* of one unit, net */
    struct text hs_code;         /* may be empty */
    struct text origin_country;
};

struct shipping_customs {
    struct text incoterm;      /* "DAP", "DDP", …; empty = DAP */
    struct text contents_type; /* MERCHANDISE, DOCUMENTS, GIFT, SAMPLE, RETURN */
    const struct shipping_customs_item *items;
    size_t item_count;
};

enum shipping_direction { SHIPPING_OUTBOUND, SHIPPING_RETURN };

enum shipping_label_format { SHIPPING_LABEL_PDF, SHIPPING_LABEL_ZPL, SHIPPING_LABEL_PNG };

struct shipping_options {
    bool signature;
    bool saturday;
    struct shipping_money insured_value; /* currency empty = not insured */
};

struct consignment {
    struct shipping_address origin;
    struct shipping_address destination;
    const struct shipping_parcel *parcels; /* 1 to shipping_parcels_max */
    size_t parcel_count;
    const struct shipping_customs *customs; /* NULL = the border does not ask */
    enum shipping_direction direction;
    struct shipping_options options;
    char ship_date[11]; /* "YYYY-MM-DD", local to the origin, NUL-terminated; always there */
};

/* One thing that happened to a parcel, as the carrier told it; codes are not mapped. */
struct shipping_scan {
    struct text tracking_number;
    struct text carrier_code; /* as the carrier's tables have it ("011", "OD", "PU") */
    struct text description;
    int64_t occurred_time_us;   /* 0 = the carrier gave no time that can be read */
    bool has_utc_offset;        /* false: the carrier gave local time alone, taken as UTC … */
    int32_t utc_offset_minutes; /* … */
    struct text facility;
    struct text city;
    struct text country_code;
    bool has_point;
    int32_t latitude_e7;
    int32_t longitude_e7;
};

#endif
