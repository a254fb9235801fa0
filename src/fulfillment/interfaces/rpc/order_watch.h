#ifndef WAYBILL_FULFILLMENT_INTERFACES_RPC_ORDER_WATCH_H
#define WAYBILL_FULFILLMENT_INTERFACES_RPC_ORDER_WATCH_H

#include "fulfillment/application/fulfillment_service.h"
#include "platform/base/clock.h"
#include "platform/base/error.h"
#include "platform/events/event_feed.h"
#include "platform/rpc/server.h"

/*
 * WatchOrder: the order as it is, then the order in each event about it, read from fulfillment's
 * own log (event_hub.h). A cursor names log and position, so it is good after a restart, as long as
 * the log is kept. Who reads slowly waits for his own events only.
 *
 * The handler's context is the door. Thread: opened, stopped, closed by the main thread.
 */
struct order_watch;

struct order_watch_options {
    struct fulfillment_service *service;
    struct event_feed *feed; /* fulfillment's; outlives it */
    struct clock *clock;
    size_t watchers_max;
};

/* OUT_OF_MEMORY. */
__attribute__((warn_unused_result)) struct error order_watch_open(
    struct order_watch **watch, const struct order_watch_options *options);

/* Ends all watchers' calls with UNAVAILABLE; the I/O threads still run. */
void order_watch_stop(struct order_watch *watch);

/* All calls are over. NULL is allowed. */
void order_watch_close(struct order_watch *watch);

/* Calls that watch now. Any thread. */
uint64_t order_watch_count(struct order_watch *watch);

extern const struct rpc_stream_handler order_watch_stream;

#endif
