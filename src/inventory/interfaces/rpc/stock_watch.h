#ifndef WAYBILL_INVENTORY_INTERFACES_RPC_STOCK_WATCH_H
#define WAYBILL_INVENTORY_INTERFACES_RPC_STOCK_WATCH_H

#include "inventory/application/inventory_service.h"
#include "platform/base/clock.h"
#include "platform/base/error.h"
#include "platform/events/event_feed.h"
#include "platform/events/event_hub.h"
#include "platform/rpc/server.h"

/*
 * WatchStock: who watches gets the present stock of each SKU, then the stock of each SKU that
 * inventory's events say has changed. Between two messages the changes of one SKU become one, so
 * who is slow gets the latest, and costs no more than a page of memory.
 */
struct stock_watch;

/* `feed` is inventory's own. OUT_OF_MEMORY. Both and the clock must outlive it. */
__attribute__((warn_unused_result)) struct error stock_watch_open(struct stock_watch **watch,
                                                                  struct inventory_service *service,
                                                                  struct event_feed *feed,
                                                                  struct clock *clock);

/* Ends all streams, UNAVAILABLE; no new ones are taken. Loops still run. */
void stock_watch_stop(struct stock_watch *watch);

/* After stop, and when all streams are closed: the server has drained. NULL is allowed. */
void stock_watch_close(struct stock_watch *watch);

struct event_hub_usage stock_watch_usage(struct stock_watch *watch);

/* The method; its context is a struct inventory_door. */
extern const struct rpc_stream_handler inventory_rpc_watch_stock_stream;

#endif
