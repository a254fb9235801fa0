#ifndef WAYBILL_FULFILLMENT_INTERFACES_RPC_ORDER_MESSAGES_H
#define WAYBILL_FULFILLMENT_INTERFACES_RPC_ORDER_MESSAGES_H

#include "fulfillment/domain/order_process.h"
#include "platform/base/arena.h"
#include "platform/rpc/message_fields.h"

#include "waybill/fulfillment/v1/fulfillment.pb-c.h"

#include <stdbool.h>

/*
 * Orders as messages on the arena, and the address that other messages share with them. NULL or
 * false: no memory. Thread: the arena's.
 */
Waybill__Fulfillment__V1__Order *order_message(struct arena *arena, const struct order *order);

Waybill__Fulfillment__V1__InsufficientStock *order_shortages_message(
    struct arena *arena, const struct order_shortage *shortages, size_t count);

bool order_put_address(struct arena *arena, Waybill__Common__V1__Address **out,
                       const struct order_address *address);

#endif
