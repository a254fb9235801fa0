#ifndef WAYBILL_SHIPPING_INFRASTRUCTURE_SQL_CONSIGNMENT_CODEC_H
#define WAYBILL_SHIPPING_INFRASTRUCTURE_SQL_CONSIGNMENT_CODEC_H

#include "platform/base/arena.h"
#include "platform/base/text.h"
#include "shipping/domain/consignment.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * A consignment as bytes, so that it can be sent again exactly (docs/internals/shipping.md); and a
 * list of numbers. The first byte is the version, 1. Thread: any.
 */

/* On the arena; data is NULL without memory. */
struct text consignment_encode(struct arena *arena, const struct consignment *consignment);

enum consignment_decoded { CONSIGNMENT_READ, CONSIGNMENT_DAMAGED, CONSIGNMENT_NO_MEMORY };

/* Texts are views of `bytes`, parcels and customs on the arena. DAMAGED: not what we write. */
enum consignment_decoded consignment_decode(struct text bytes, struct arena *arena,
                                            struct consignment *consignment);

/* `count` texts, one after the other; data is NULL without memory. */
struct text numbers_encode(struct arena *arena, const struct text *numbers, size_t count);

/* The first `count` of them; those that are not there are empty. False: damaged. */
bool numbers_decode(struct text bytes, struct text *numbers, size_t count);

#endif
