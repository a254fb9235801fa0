#ifndef WAYBILL_FULFILLMENT_INTERFACES_EVENTS_ORDER_FOLLOWER_H
#define WAYBILL_FULFILLMENT_INTERFACES_EVENTS_ORDER_FOLLOWER_H

#include "fulfillment/application/order_driver.h"
#include "platform/events/event_subscription.h"

/*
 * Follows another context's events and tells the repository what they say of orders, each batch in
 * one step with the place behind it, so that each event has its effect exactly once:
 *
 *   warehouse   AllocationShipped: parts have left, with what a short pick lacked
 *   shipping    ShipmentCreated, ShipmentCancelled, ShipmentFailed: somebody waits for that
 *   tracking    ShipmentDelivered; TrackingUpdated where a parcel came back, or neither is true
 *               any more
 *
 * What cannot be kept now is tried again. A place that is of no use any more (another log, or older
 * than what is kept) goes on with the oldest event kept: signals are facts, and coming again they
 * change nothing. Each follower has a thread of its own.
 */
struct order_follower;

/* Which types of a source are followed, for a feed of another process. Literals. */
struct order_follower_types {
    const char *source;
    const char *const *types;
    size_t type_count;
};
enum { order_follower_source_count = 3 };
extern const struct order_follower_types order_follower_types[order_follower_source_count];

struct order_follower_options {
    const char *source; /* a literal: "warehouse", "shipping", "tracking" */
    struct fulfillment_repository *repository;
    struct order_driver *driver; /* is woken when something is due */
    struct event_feed *feed;
    struct clock *clock;
};

/* OUT_OF_MEMORY. All must outlive it. */
__attribute__((warn_unused_result)) struct error order_follower_start(
    struct order_follower **follower, const struct order_follower_options *options);

/* Ends after the batch in hand; the repository still answers. NULL is allowed. */
void order_follower_stop(struct order_follower *follower);

/* How it goes. Any thread. */
struct event_subscription_status order_follower_status(struct order_follower *follower);

#endif
