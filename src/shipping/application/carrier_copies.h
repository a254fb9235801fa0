#ifndef WAYBILL_SHIPPING_APPLICATION_CARRIER_COPIES_H
#define WAYBILL_SHIPPING_APPLICATION_CARRIER_COPIES_H

#include "platform/base/arena.h"
#include "shipping/domain/carrier.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * What a carrier answers lives until its `done` returns; these keep it longer: deep copies on the
 * arena. False or NULL: no memory. Thread: the arena's.
 */
bool copy_carrier_shipment(struct arena *arena, const struct carrier_shipment *from,
                           struct carrier_shipment *to);
struct carrier_rate *copy_carrier_rates(struct arena *arena, const struct carrier_rates *from);
struct shipping_scan *copy_scans(struct arena *arena, const struct shipping_scan *from,
                                 size_t count);

/*
 * What carriers send may be of any length; a store must not stumble over it for ever. The scans
 * with texts cut to their limits; those whose number is empty or too long are left out, and
 * *left_out tells how many. NULL: no memory.
 */
struct shipping_scan *bound_scans(struct arena *arena, const struct shipping_scan *from,
                                  size_t count, size_t *left_out);

/* Whether all numbers of a purchase are of a length that can be kept; the whole has one. */
bool carrier_numbers_fit(const struct carrier_shipment *shipment);

/* The same text on the arena; *failed is set without memory. */
struct text copy_text(struct arena *arena, struct text text, bool *failed);

#endif
