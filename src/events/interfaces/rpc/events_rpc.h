#ifndef WAYBILL_EVENTS_INTERFACES_RPC_EVENTS_RPC_H
#define WAYBILL_EVENTS_INTERFACES_RPC_EVENTS_RPC_H

#include "events/application/subscribe.h"
#include "platform/base/clock.h"
#include "platform/base/error.h"
#include "platform/events/event_feed.h"
#include "platform/events/event_hub.h"
#include "platform/rpc/server.h"

#include <stddef.h>
#include <stdint.h>

/*
 * EventService (events.v1): the doors to the feeds of this process. Reading happens on the threads
 * of its hub; a stream's loop thread only sends what was handed over. Memory of a stream: one hand
 * of events (a few dozen) and what its connection has queued.
 */
struct events_service;

struct events_service_options {
    struct event_feed *const *feeds; /* they outlive the service */
    size_t feed_count;
    struct event_types types; /* that may be asked for */
    struct clock *clock;
    size_t subscribers_max;
    int64_t slow_us; /* a subscriber that takes nothing for so long is ended */
};

/* OUT_OF_MEMORY. */
struct error events_service_open(struct events_service **service,
                                 const struct events_service_options *options);

/* Ends all streams, UNAVAILABLE with their cursors; no new ones are taken. Loops still run. */
void events_service_stop(struct events_service *service);

/* After stop, and when all streams are closed: the server has drained. NULL is allowed. */
void events_service_close(struct events_service *service);

/* Its table of methods; lives as long as the service. */
const struct rpc_service *events_service_rpc(struct events_service *service);

struct event_hub_usage events_service_usage(struct events_service *service);

#endif
