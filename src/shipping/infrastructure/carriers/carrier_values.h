#ifndef WAYBILL_SHIPPING_INFRASTRUCTURE_CARRIERS_CARRIER_VALUES_H
#define WAYBILL_SHIPPING_INFRASTRUCTURE_CARRIERS_CARRIER_VALUES_H

#include "platform/base/text.h"
#include "shipping/domain/consignment.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * Money, weights, lengths, times and our reference between our units and the carriers'. Pure; any
 * thread. No floating point: a price must not change by a rounding nobody chose.
 */

/* Digits behind the point of an ISO 4217 currency: 0 (JPY), 3 (KWD), else 2. */
int currency_minor_digits(const char *currency_code);

/*
 * A decimal ("12", "-0.5", "1234.567", ".5") as an integer of 10^-digits; what is beyond is rounded
 * half away from zero, as the carriers' own invoices do. False: no such number, or too large.
 */
bool decimal_to_integer(struct text decimal, int digits, int64_t *value);

/*
 * The currency is three capital letters. False: it is not, or the amount is no number, or one
 * beyond shipping_amount_minor_max either way.
 */
bool money_from_decimal(struct text amount, struct text currency, struct shipping_money *money);

enum { decimal_size = 32 };

/* "12.34", by the currency's digits. */
void money_to_decimal(struct shipping_money money, char decimal[decimal_size]);

/*
 * Weights for carriers, always rounded up, so that a parcel is never declared lighter than it is;
 * at least one step. Pounds are of 453.59237 g.
 */
void weight_to_pounds(int64_t grams, int digits, char decimal[decimal_size]);
void weight_to_kilograms(int64_t grams, int digits, char decimal[decimal_size]);

/* Whole units, rounded up: since August 2025 UPS and FedEx bill every started inch. */
int64_t length_to_inches(int64_t millimetres);
int64_t length_to_centimetres(int64_t millimetres);

/* Whether the carriers of the country want pounds and inches. */
bool country_is_imperial(struct text country_code);

/* A calendar day and a time of day without offset, as UTC microseconds; false: no such time. */
bool time_from_parts(int64_t year, int64_t month, int64_t day, int64_t hour, int64_t minute,
                     int64_t second, int64_t *time_us);

/* UPS: "20240423" and "095004" or "9:50:04" (empty: midnight; a leading zero may be lost). */
bool time_from_compact(struct text date, struct text time, int64_t *time_us);

/*
 * FedEx, DHL: "2024-05-02T08:11:00-05:00", "…Z", "… GMT+00:00", "… UTC", without offset, or a day
 * alone; small letters and a fraction behind a comma too, as ISO 8601 has them.
 * *time_us is UTC where an offset is there, the local time as if it were UTC where not.
 */
bool time_from_iso(struct text text, int64_t *time_us, bool *has_offset, int32_t *offset_minutes);

/*
 * When a carrier means to come, written as for time_from_iso or time_from_compact: a day alone
 * means until its end, so its last second.
 */
bool promise_from_iso(struct text text, int64_t *time_us);
bool promise_from_compact(struct text date, struct text time, int64_t *time_us);

/* "+01:00", "-0500", "-5:00", "Z", "UTC". */
bool offset_from_text(struct text text, int32_t *minutes);

/* "YYYYMMDD" of a UTC time. */
void date_to_compact(int64_t time_us, char date[9]);

/* "YYYY-MM-DD" of a UTC time. */
void date_to_iso(int64_t time_us, char date[11]);

/*
 * What a carrier gets as our reference: the shipment_id itself if it has at most 30 bytes of
 * letters, digits and '-', else "W" and 29 digits of base 32 of its SHA-256. UPS and DHL keep 35
 * bytes, FedEx 40; ids have up to 64. The same id always gives the same reference.
 */
enum { carrier_reference_size = 31 };
void carrier_reference(struct text shipment_id, char reference[carrier_reference_size]);

#endif
