#ifndef WAYBILL_SHIPPING_INFRASTRUCTURE_CARRIERS_GIF_IMAGE_H
#define WAYBILL_SHIPPING_INFRASTRUCTURE_CARRIERS_GIF_IMAGE_H

#include "platform/base/arena.h"
#include "platform/base/text.h"

#include <stdbool.h>

/*
 * UPS gives labels as GIF where nothing else was asked for (its own samples are all of them), and
 * our labels are PDF, ZPL and PNG. The first image of a GIF (GIF89a specification, 1990) becomes a
 * PNG (RFC 2083) of the same pixels and colours: without loss. Pure; any thread.
 */
bool gif_is(struct text bytes);

/*
 * The PNG lives on the arena. False: no such image, cut or damaged, more than 16 million pixels,
 * or no memory.
 */
bool gif_to_png(struct text gif, struct arena *arena, struct text *png);

#endif
