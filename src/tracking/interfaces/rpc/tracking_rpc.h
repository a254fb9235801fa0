#ifndef WAYBILL_TRACKING_INTERFACES_RPC_TRACKING_RPC_H
#define WAYBILL_TRACKING_INTERFACES_RPC_TRACKING_RPC_H

#include "platform/rpc/server.h"
#include "tracking/application/tracking_service.h"
#include "tracking/interfaces/rpc/tracking_watch.h"

/*
 * waybill.tracking.v1.TrackingService at the door: messages to commands, outcomes to messages and
 * statuses (DESIGN section 3, Errors).
 */
struct tracking_webhooks;

struct tracking_door {
    struct tracking_service *service;
    struct tracking_watch *watch;
    struct tracking_announcement_source *announcements;
    struct tracking_webhooks *webhooks;
    size_t subscriptions_max; /* at one time; 0 = no limit */
};

/* The service's table; the door and what it names must outlive the server that serves it. */
struct rpc_service tracking_rpc_service(struct tracking_door *door);

#endif
