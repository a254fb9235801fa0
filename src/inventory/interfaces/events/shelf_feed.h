#ifndef WAYBILL_INVENTORY_INTERFACES_EVENTS_SHELF_FEED_H
#define WAYBILL_INVENTORY_INTERFACES_EVENTS_SHELF_FEED_H

#include "inventory/domain/inventory_repository.h"
#include "platform/base/clock.h"
#include "platform/events/event_subscription.h"

/*
 * On hand from the shelf (DESIGN section 2, on_hand_source = warehouse): reads warehouse's
 * MovementRecorded events and has the repository follow them, one after the other, each with the
 * place in the log behind it, so that each has its effect exactly once.
 *
 *   INBOUND, RETURN       goods that came
 *   ADJUSTMENT            a correction
 *   OUTBOUND              a correction, unless it shipped a reservation: Commit took that
 *   TRANSFER              nothing: on hand does not ask where
 *
 * What cannot be taken now (a full disk, a full queue) is tried again; nothing is passed over.
 */
struct shelf_feed;

struct shelf_feed_options {
    struct inventory_repository *repository; /* fed by the warehouse; answers from its own thread */
    struct event_feed *feed;                 /* warehouse's */
    struct clock *clock;
    bool threaded; /* false, for tests: shelf_feed_step */
};

/* Begins where the repository stands. OUT_OF_MEMORY. Both must outlive it. */
__attribute__((warn_unused_result)) struct error shelf_feed_start(
    struct shelf_feed **feed, const struct shelf_feed_options *options);

/* Not threaded: one batch; *idle: there was none. */
__attribute__((warn_unused_result)) struct error shelf_feed_step(struct shelf_feed *feed,
                                                                 bool *idle);

/* Ends after the batch in hand. NULL is allowed. */
void shelf_feed_stop(struct shelf_feed *feed);

/* How it goes. Any thread. */
struct event_subscription_status shelf_feed_status(struct shelf_feed *feed);

#endif
