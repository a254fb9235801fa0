#ifndef WAYBILL_WAREHOUSE_INTERFACES_RPC_WAREHOUSE_RPC_H
#define WAYBILL_WAREHOUSE_INTERFACES_RPC_WAREHOUSE_RPC_H

#include "platform/rpc/server.h"
#include "warehouse/application/warehouse_service.h"

/*
 * waybill.warehouse.v1.WarehouseService at the door: messages to commands, outcomes to messages and
 * statuses (DESIGN section 3, Errors). Keeps no state of its own.
 */

/* The service's table; `service` must outlive the server that serves it. */
struct rpc_service warehouse_rpc_service(struct warehouse_service *service);

#endif
