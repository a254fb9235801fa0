#ifndef WAYBILL_INVENTORY_INTERFACES_RPC_INVENTORY_RPC_H
#define WAYBILL_INVENTORY_INTERFACES_RPC_INVENTORY_RPC_H

#include "inventory/application/inventory_service.h"
#include "platform/rpc/server.h"

/*
 * waybill.inventory.v1.InventoryService at the door: messages to commands, outcomes to messages and
 * statuses (DESIGN section 3, Errors). Keeps no state of its own.
 */

struct stock_watch;

/* What the methods work with. */
struct inventory_door {
    struct inventory_service service; /* first: all that the unary methods see */
    struct stock_watch *watch;        /* NULL: WatchStock is not to be had */
};

/* The service's table; `door` must outlive the server that serves it. */
struct rpc_service inventory_rpc_service(struct inventory_door *door);

#endif
