#ifndef WAYBILL_FULFILLMENT_INFRASTRUCTURE_SQL_ORDER_RECORD_H
#define WAYBILL_FULFILLMENT_INFRASTRUCTURE_SQL_ORDER_RECORD_H

#include "fulfillment/domain/order_process.h"

/*
 * An order and its process as bytes, and a signal; a version in front. Nothing is trusted on
 * reading: what does not fit is false. What the row has in columns of its own (customer_id, state,
 * times, revision) is in the bytes, too, and the columns win.
 */

/* Data is NULL without memory. */
struct text order_record_pack(struct arena *arena, struct order *order);

/* Texts are views into the bytes, arrays on the arena. False: damaged, or no memory. */
__attribute__((warn_unused_result)) bool order_record_unpack(struct arena *arena, struct text bytes,
                                                             struct order *order);

/* SHA-256 of what the caller of PromiseOrder gave, 32 bytes; data is NULL without memory. */
struct text order_request_digest(struct arena *arena, const struct order *request);

struct text order_signal_pack(struct arena *arena, const struct order_signal *signal);
__attribute__((warn_unused_result)) bool order_signal_unpack(struct arena *arena, struct text bytes,
                                                             struct order_signal *signal);

#endif
