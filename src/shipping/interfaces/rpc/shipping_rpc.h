#ifndef WAYBILL_SHIPPING_INTERFACES_RPC_SHIPPING_RPC_H
#define WAYBILL_SHIPPING_INTERFACES_RPC_SHIPPING_RPC_H

#include "platform/rpc/server.h"
#include "shipping/application/shipping_service.h"

/*
 * waybill.shipping.v1.ShippingService at the door: messages to calls, outcomes to messages and
 * statuses (DESIGN section 3, Errors). Keeps no state of its own.
 */

/* The service's table; `service` must outlive the server that serves it. */
struct rpc_service shipping_rpc_service(struct shipping_service *service);

#endif
