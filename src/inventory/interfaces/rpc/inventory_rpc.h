#ifndef WAYBILL_INVENTORY_INTERFACES_RPC_INVENTORY_RPC_H
#define WAYBILL_INVENTORY_INTERFACES_RPC_INVENTORY_RPC_H

#include "inventory/application/inventory_service.h"
#include "platform/rpc/server.h"

/*
 * waybill.inventory.v1.InventoryService at the door: messages to commands, outcomes to messages and
 * statuses (DESIGN section 3, Errors). Keeps no state of its own.
 */

/* The service's table; `service` must outlive the server that serves it. */
struct rpc_service inventory_rpc_service(struct inventory_service *service);

#endif
