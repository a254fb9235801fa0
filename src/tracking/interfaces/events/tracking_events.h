#ifndef WAYBILL_TRACKING_INTERFACES_EVENTS_TRACKING_EVENTS_H
#define WAYBILL_TRACKING_INTERFACES_EVENTS_TRACKING_EVENTS_H

#include "platform/base/error.h"
#include "platform/events/event_feed.h"
#include "tracking/application/tracking_service.h"
#include "tracking/domain/tracking_announcement.h"

/*
 * What tracking announces, packed as TrackingUpdated, ShipmentDelivered and TrackingSilent of
 * waybill/tracking/v1/tracking.proto. event_id is the log's identity and the sequence, so it is the
 * same on every read; the key is carrier/number. Source and service (for the codes' reasons) must
 * outlive it. Thread: as event_feed.
 */
struct tracking_events;

/* OUT_OF_MEMORY. */
struct error tracking_events_open(struct tracking_events **events,
                                  const struct tracking_service *service,
                                  struct tracking_announcement_source *source);

/* All watchers have left. NULL is allowed. */
void tracking_events_close(struct tracking_events *events);

/* Lives as long as it. */
struct event_feed *tracking_events_feed(struct tracking_events *events);

#endif
