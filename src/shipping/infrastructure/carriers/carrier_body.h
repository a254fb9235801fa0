#ifndef WAYBILL_SHIPPING_INFRASTRUCTURE_CARRIERS_CARRIER_BODY_H
#define WAYBILL_SHIPPING_INFRASTRUCTURE_CARRIERS_CARRIER_BODY_H

#include "platform/base/arena.h"
#include "platform/base/error.h"
#include "platform/base/text.h"

/* What carriers and the servers before them put around their JSON. Thread: any. */

enum { carrier_body_plain_bytes_max = 1024 * 1024 };

/*
 * A body that begins as gzip (RFC 1952), inflated in the arena; any other as it is. What it was
 * sent as does not matter: JSON begins otherwise. Error: INVALID_INPUT if it is damaged, or longer
 * than carrier_body_plain_bytes_max; OUT_OF_MEMORY.
 */
struct error carrier_body_inflate(struct text body, struct arena *arena, struct text *plain);

#endif
