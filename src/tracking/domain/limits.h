#ifndef WAYBILL_TRACKING_DOMAIN_LIMITS_H
#define WAYBILL_TRACKING_DOMAIN_LIMITS_H

#include <stdint.h>

/* The limits of tracking (DESIGN section 3 rule 8). */
enum {
    tracking_id_bytes_max = 64, /* event, shipment and order ids, tracking numbers */
    tracking_carrier_bytes_max = 32,
    tracking_facility_bytes_max = 128,
    tracking_city_bytes_max = 128,
    tracking_country_bytes = 2, /* ISO 3166-1 alpha-2 */
    tracking_carrier_code_bytes_max = 32,
    tracking_description_bytes_max = 256,
    tracking_source_bytes_max = 64,
    tracking_payload_bytes_max = 4096,
    tracking_utc_offset_minutes_max = 18 * 60,
    tracking_latitude_e7_max = 900000000,
    tracking_longitude_e7_max = 1800000000,

    tracking_events_max = 10000, /* of one number */
    tracking_generations_max = 100,
    tracking_page_size_max = 1000,
    tracking_page_size_default = 100,
    tracking_watched_max = 1000, /* numbers of one WatchTracking */
    /* A page ends before its payloads are more: gRPC's clients take no message above 4 MiB. */
    tracking_page_payload_bytes_max = 2 * 1024 * 1024,
};

/* 9999-12-31T23:59:59.999999Z, the last instant a Timestamp may name. */
static const int64_t tracking_time_us_max = INT64_C(253402300799999999);

#endif
