#ifndef WAYBILL_SHIPPING_INFRASTRUCTURE_CARRIERS_CARRIER_ADDRESS_H
#define WAYBILL_SHIPPING_INFRASTRUCTURE_CARRIERS_CARRIER_ADDRESS_H

#include "platform/base/text.h"
#include "platform/json/json_writer.h"
#include "shipping/domain/consignment.h"

#include <stddef.h>

/*
 * Addresses within what a carrier takes (UPS Shipping.yaml, FedEx ship, MyDHL 3.1.1: three lines of
 * 35 or 45). Nothing is cut that would then mean something else: a house number at the end of a
 * line, the end of a telephone number, an e-mail address. Thread: any; no heap.
 */
enum { carrier_lines_max = 3, carrier_lines_room = 4 * 129, carrier_phone_digits_max = 15 };

struct carrier_lines {
    struct text lines[carrier_lines_max];
    size_t count;
    char room[carrier_lines_room];
};

/*
 * The lines of the address, as they are if they fit; else broken between words, each by itself, or
 * all as one text if that takes fewer lines. Only what three lines cannot hold is lost. The texts
 * view the address or `out`.
 */
void carrier_lines(const struct shipping_address *address, size_t width, struct carrier_lines *out);

/*
 * The digits of a telephone number, at most 15 (ITU-T E.164), without an extension ("x 12") and
 * without the "(0)" of "+49 (0) 40".
 */
struct text carrier_phone(struct text phone, char digits[carrier_phone_digits_max]);

/* A postal code that is too long loses its hyphens and spaces: "21093-1234" as "210931234". */
struct text carrier_postal_code(struct text code, size_t size, char room[16]);

/* A member that is left out when it is longer: half of it would be another region, or person. */
void carrier_put_whole(struct json_writer *json, const char *key, struct text text, size_t size);

#endif
