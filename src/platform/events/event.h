#ifndef WAYBILL_PLATFORM_EVENTS_EVENT_H
#define WAYBILL_PLATFORM_EVENTS_EVENT_H

#include "platform/base/text.h"

#include <stdint.h>

/*
 * The envelope in which contexts tell each other, and the world, what has happened (DESIGN section
 * 4, events.v1; CloudEvents 1.0 has the same parts). It knows nothing of what is inside: `data` is
 * a packed protobuf message of the type named.
 *
 * Order holds per key: of two events with one key the later has the higher sequence. An event may
 * be seen more than once; then event_id and sequence are the same.
 */
struct event {
    struct text event_id; /* unique for ever, at most event_id_bytes_max */
    struct text type;     /* "waybill.inventory.v1.StockReserved" */
    struct text source;   /* the context: "inventory" */
    struct text key;      /* what order holds for: a SKU, an order_id, … */
    uint64_t sequence;    /* position in its context's log: grows, never 0, may have gaps */
    int64_t time_us;      /* when it happened, UTC */
    struct text data;
};

enum {
    event_id_bytes_max = 96,
    event_type_bytes_max = 96,
    event_source_bytes_max = 16,
    event_key_bytes_max = 160,
    event_data_bytes_max = 256 * 1024,
};

#endif
