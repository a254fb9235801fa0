#ifndef WAYBILL_SHIPPING_INTERFACES_RPC_SHIPPING_MESSAGES_H
#define WAYBILL_SHIPPING_INTERFACES_RPC_SHIPPING_MESSAGES_H

#include "platform/base/arena.h"
#include "shipping/domain/shipment.h"

#include "waybill/shipping/v1/shipping.pb-c.h"

/*
 * The domain's records as the interface's messages. Each gives a message on the arena that keeps
 * nothing of the record, or NULL without memory. Thread: the arena's owner.
 */
Waybill__Shipping__V1__Shipment *shipment_message(struct arena *arena,
                                                  const struct shipment *shipment);
Waybill__Shipping__V1__Scan *scan_message(struct arena *arena, const struct shipping_scan *scan);

#endif
