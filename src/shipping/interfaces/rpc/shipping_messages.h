#ifndef WAYBILL_SHIPPING_INTERFACES_RPC_SHIPPING_MESSAGES_H
#define WAYBILL_SHIPPING_INTERFACES_RPC_SHIPPING_MESSAGES_H

#include "platform/base/arena.h"
#include "shipping/domain/shipment.h"

#include "waybill/shipping/v1/shipping.pb-c.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * The domain's records as the interface's messages. Each gives a message on the arena that keeps
 * nothing of the record, or NULL without memory. Thread: the arena's owner.
 */
Waybill__Shipping__V1__Shipment *shipment_message(struct arena *arena,
                                                  const struct shipment *shipment);
Waybill__Shipping__V1__Scan *scan_message(struct arena *arena, const struct shipping_scan *scan);

/* *out is NULL where there is no amount, or no time (0). False without memory. */
bool money_message(struct arena *arena, struct shipping_money money,
                   Waybill__Common__V1__Money **out);
bool timestamp_message(struct arena *arena, int64_t time_us, Google__Protobuf__Timestamp **out);

#endif
