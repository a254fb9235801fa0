#ifndef WAYBILL_TESTS_SUPPORT_FULFILLMENT_ORDER_REQUESTS_H
#define WAYBILL_TESTS_SUPPORT_FULFILLMENT_ORDER_REQUESTS_H

#include "platform/base/arena.h"

#include "waybill/fulfillment/v1/fulfillment.pb-c.h"

/*
 * Requests of FulfillmentService about the goods of order_world.h, on an arena that has the memory
 * for them. Ids and texts are copied.
 */

/* 2 A and 1 B to Paris, by c1 or c2. */
Waybill__Fulfillment__V1__PromiseOrderRequest *order_request_promise(struct arena *arena,
                                                                     const char *order_id,
                                                                     const char *customer_id);
ProtobufCMessage *order_request_confirm(struct arena *arena, const char *order_id);

/* "changed her mind" */
ProtobufCMessage *order_request_cancel(struct arena *arena, const char *order_id);
ProtobufCMessage *order_request_get(struct arena *arena, const char *order_id);

/* `cursor` "" = from the present. */
ProtobufCMessage *order_request_watch(struct arena *arena, const char *order_id,
                                      const char *cursor);

#endif
