#ifndef WAYBILL_FULFILLMENT_INTERFACES_RPC_FULFILLMENT_RPC_H
#define WAYBILL_FULFILLMENT_INTERFACES_RPC_FULFILLMENT_RPC_H

#include "fulfillment/application/fulfillment_service.h"
#include "fulfillment/interfaces/rpc/order_watch.h"
#include "platform/rpc/server.h"

/*
 * waybill.fulfillment.v1.FulfillmentService at the door: messages to commands and jobs, outcomes to
 * messages and statuses. Keeps no state of its own.
 */
struct fulfillment_door {
    struct fulfillment_service *service;
    struct order_watch *watch;
};

/* The service's table; `door` must outlive the server that serves it. */
struct rpc_service fulfillment_rpc_service(struct fulfillment_door *door);

#endif
