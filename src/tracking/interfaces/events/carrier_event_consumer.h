#ifndef WAYBILL_TRACKING_INTERFACES_EVENTS_CARRIER_EVENT_CONSUMER_H
#define WAYBILL_TRACKING_INTERFACES_EVENTS_CARRIER_EVENT_CONSUMER_H

#include "platform/base/error.h"
#include "platform/events/event_feed.h"
#include "tracking/application/tracking_service.h"

#include <stdint.h>

/*
 * Follows shipping's events: each CarrierEventReceived becomes an event of its number, its type by
 * the carrier's code map, its id by its content, so that a scan that came by push and again by poll
 * is one. A number whose shipment is known is opened for it first. How far it has got is a note of
 * the repository; events are idempotent, so one that comes twice after a crash changes nothing.
 * What tracking refuses (a field out of bounds) is told in the log and passed over.
 *
 * It has a thread of its own. Opened and closed by the main thread.
 */
struct carrier_event_consumer;

/* OUT_OF_MEMORY. Service and feed must outlive it. */
struct error carrier_event_consumer_open(struct carrier_event_consumer **consumer,
                                         struct tracking_service *service,
                                         struct event_feed *shipping);

/* Ends after the batch in hand. The repository still answers. NULL is allowed. */
void carrier_event_consumer_close(struct carrier_event_consumer *consumer);

/* Events recorded since the start. Any thread. */
uint64_t carrier_event_consumer_count(struct carrier_event_consumer *consumer);

#endif
