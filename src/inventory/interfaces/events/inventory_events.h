#ifndef WAYBILL_INVENTORY_INTERFACES_EVENTS_INVENTORY_EVENTS_H
#define WAYBILL_INVENTORY_INTERFACES_EVENTS_INVENTORY_EVENTS_H

#include "inventory/domain/inventory_event.h"
#include "platform/base/error.h"
#include "platform/events/event_feed.h"

/*
 * Inventory's events as the world reads them: the domain's, packed as the messages of
 * waybill/inventory/v1/inventory_events.proto. event_id is the log's identity and the sequence, so
 * it is the same on every read. The source must outlive it. Thread: as event_feed.
 */
struct inventory_events;

/* OUT_OF_MEMORY. */
struct error inventory_events_open(struct inventory_events **events,
                                   struct inventory_event_source *source);

/* All watchers have left. NULL is allowed. */
void inventory_events_close(struct inventory_events *events);

/* Lives as long as it. */
struct event_feed *inventory_events_feed(struct inventory_events *events);

#endif
