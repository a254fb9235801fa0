#ifndef WAYBILL_SHIPPING_DOMAIN_TRACKING_NUMBER_H
#define WAYBILL_SHIPPING_DOMAIN_TRACKING_NUMBER_H

#include "platform/base/text.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * What carriers' numbers look like, and their check digits (facts of the open collection
 * jkeen/tracking_number_data, MIT, and UPU standard S10). A number that fails its check digit may
 * still be one in a carrier's test system: UPS's own test numbers do. Pure; any thread.
 */
enum tracking_number_kind {
    TRACKING_NUMBER_UNKNOWN, /* none of the forms below, or its check digit is wrong */
    TRACKING_NUMBER_UPS,     /* 1Z, 18 characters */
    TRACKING_NUMBER_UPS_WAYBILL,
    TRACKING_NUMBER_FEDEX_12,        /* Express */
    TRACKING_NUMBER_FEDEX_34,        /* the bar code of an Express label */
    TRACKING_NUMBER_FEDEX_ASTRA,     /* the older bar code, 32 */
    TRACKING_NUMBER_FEDEX_GROUND,    /* 15 */
    TRACKING_NUMBER_FEDEX_GROUND_18, /* SSCC-18; 20 with the application identifier 00 */
    TRACKING_NUMBER_FEDEX_GROUND_96, /* 22 */
    TRACKING_NUMBER_FEDEX_GSN,       /* the bar code of a Ground label, 34 */
    TRACKING_NUMBER_DHL_EXPRESS,     /* air waybill, 10 or 11 */
    TRACKING_NUMBER_DHL_PIECE,       /* JD and its like; no check digit */
    TRACKING_NUMBER_DHL_ECOMMERCE,   /* no check digit */
    TRACKING_NUMBER_S10,             /* postal services, RB123456785GB */
};

/* Spaces anywhere are ignored; capitals matter. */
enum tracking_number_kind tracking_number_kind_of(struct text number);

/*
 * What a number of that carrier ("ups", …) looks like, where this one cannot be one: mistyped, cut
 * off, another carrier's. NULL: it may be one, or nothing is known of that carrier's. Wider than
 * the forms above: check digits do not count, and there are more services than those.
 */
const char *tracking_number_form_missed(struct text carrier, struct text number);

/* "ups", "fedex", "dhl", "post"; NULL for UNKNOWN. */
const char *tracking_number_carrier(enum tracking_number_kind kind);

/*
 * Numbers with right check digits, each NUL-terminated. `serial` is taken modulo what there is room
 * for. UPS: 6 characters of the shipper's number, 2 of the service, 7 digits.
 */
void tracking_number_make_ups(const char shipper[6], const char service[2], uint64_t serial,
                              char number[19]);
void tracking_number_make_fedex(uint64_t serial, char number[13]);
void tracking_number_make_fedex_ground(uint64_t serial, char number[16]);
void tracking_number_make_dhl(uint64_t serial, char number[11]);
void tracking_number_make_dhl_piece(uint64_t serial, char number[21]); /* JD + 18 digits */

#endif
