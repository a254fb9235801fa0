#ifndef WAYBILL_WAREHOUSE_DOMAIN_WAREHOUSE_EVENT_H
#define WAYBILL_WAREHOUSE_DOMAIN_WAREHOUSE_EVENT_H

#include "platform/base/arena.h"
#include "platform/base/text.h"
#include "warehouse/domain/allocation.h"
#include "warehouse/domain/movement.h"
#include "warehouse/domain/transfer.h"

#include <stdbool.h>
#include <stddef.h>

/* What warehouse tells the world, stored in the same step as the change (DESIGN section 4). */
enum warehouse_event_type {
    EVENT_MOVEMENT_RECORDED,
    EVENT_STOCK_ALLOCATED,     /* made, or made firm */
    EVENT_ALLOCATION_RELEASED, /* by a call, or expired */
    EVENT_ALLOCATION_SHIPPED,
    EVENT_STOCK_TRANSFERRED,
    EVENT_TRANSFER_RECEIVED,
    EVENT_TRANSFER_CANCELLED,
};

/* The record it is about, by its type; the others are NULL. */
struct warehouse_event {
    enum warehouse_event_type type;
    const struct movement *movement;
    const struct allocation *allocation;
    const struct transfer *transfer;
    const struct text *warehouse_ids; /* ALLOCATION_SHIPPED: of the parts shipped by this step */
    size_t warehouse_id_count;
    const struct short_line *short_lines;
    size_t short_line_count;
};

/* "StockAllocated". Pure. */
const char *warehouse_event_name(enum warehouse_event_type type);

/*
 * Writes the event's message. A port, because stores know no messages. Gives the bytes on the
 * arena; false without memory. Thread: a store's, any.
 */
typedef bool warehouse_event_encode(const struct warehouse_event *event, struct arena *arena,
                                    struct text *data);

#endif
