#ifndef WAYBILL_SHIPPING_INFRASTRUCTURE_TARIFF_TARIFF_NUMBER_H
#define WAYBILL_SHIPPING_INFRASTRUCTURE_TARIFF_TARIFF_NUMBER_H

#include "platform/base/text.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * Tracking numbers of `tariff`: "WB", 20 digits of the SHA-256 of the shipment_id, 2 digits of the
 * parcel (01 …), and two check digits by ISO/IEC 7064 MOD 97-10 over all before them (letters as in
 * an IBAN: A = 10 … Z = 35), which notice each wrong character and each pair exchanged. A pure
 * function of its arguments: the same shipment always has the same numbers. No carrier's number
 * has this form (tracking_number.h). Two of 100 million shipments share a number with a chance of
 * 1 in 20,000. Any thread.
 */
enum { tariff_number_size = 27 }; /* with NUL */

/* `parcel` is 1 to 99; 1 is also the number of the whole. False without memory for the digest. */
__attribute__((warn_unused_result)) bool tariff_number_make(struct text shipment_id, size_t parcel,
                                                            char number[tariff_number_size]);

/* Whether it has the form and its check digits are right. */
bool tariff_number_is(struct text number);

#endif
