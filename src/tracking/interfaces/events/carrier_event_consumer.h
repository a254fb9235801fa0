#ifndef WAYBILL_TRACKING_INTERFACES_EVENTS_CARRIER_EVENT_CONSUMER_H
#define WAYBILL_TRACKING_INTERFACES_EVENTS_CARRIER_EVENT_CONSUMER_H

#include "platform/base/error.h"
#include "platform/events/event_feed.h"
#include "platform/events/event_subscription.h"
#include "tracking/application/tracking_service.h"

#include <stddef.h>
#include <stdint.h>

/*
 * Follows shipping's events:
 *
 *   ShipmentCreated       each of its parcels is opened, with its shipment and order; the whole
 *                         alone where no parcel has its number, as with DHL Express
 *   CarrierEventReceived  the scan becomes an event of its number (scan_event.h); a number whose
 *                         shipment is known is opened for it first
 *   ShipmentCancelled     each of its parcels gets an event CANCELLED
 *
 * How far it has got is a note of the repository; all it does is idempotent, so an event that comes
 * twice after a crash changes nothing. What tracking refuses (a field out of bounds, a number that
 * is another shipment's) is told in the log and passed over.
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

/* The events it wants, by name, for a feed that can choose. */
extern const char *const carrier_event_types[];
extern const size_t carrier_event_type_count;

/* How it goes. Any thread. */
struct carrier_event_consumer_status {
    struct event_subscription_status subscription;
    uint64_t events; /* recorded since the start */
};
struct carrier_event_consumer_status carrier_event_consumer_status(
    struct carrier_event_consumer *consumer);

#endif
