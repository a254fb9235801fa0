#ifndef WAYBILL_SHIPPING_INFRASTRUCTURE_CARRIERS_CARRIER_BODY_H
#define WAYBILL_SHIPPING_INFRASTRUCTURE_CARRIERS_CARRIER_BODY_H

#include "platform/base/arena.h"
#include "platform/base/error.h"
#include "platform/base/text.h"

/* What stands around the JSON that carriers and the servers before them send. Thread: any. */

enum { carrier_body_plain_bytes_max = 1024 * 1024 };

/* Without a byte order mark, which RFC 8259 (section 8.1) lets a reader pass over. */
struct text carrier_body_without_mark(struct text body);

/*
 * A body that begins as gzip (RFC 1952), inflated in the arena; any other as it is. What it was
 * sent as does not matter: JSON begins otherwise. Error: INVALID_INPUT if it is damaged, or longer
 * than carrier_body_plain_bytes_max; OUT_OF_MEMORY.
 */
struct error carrier_body_inflate(struct text body, struct arena *arena, struct text *plain);

#endif
