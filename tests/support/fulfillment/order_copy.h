#ifndef WAYBILL_TESTS_SUPPORT_FULFILLMENT_ORDER_COPY_H
#define WAYBILL_TESTS_SUPPORT_FULFILLMENT_ORDER_COPY_H

#include "fulfillment/domain/order_process.h"

/*
 * Orders and signals copied to the last byte onto another arena, and compared field by field; by
 * hand, so that a field which a store forgets is found. Without memory they abort.
 */

/* What a store keeps of it: not must_save, not the refusal. */
struct order *order_copy(struct arena *arena, const struct order *order);
struct order_signal order_copy_signal(struct arena *arena, const struct order_signal *signal);

/* Whether two callers of PromiseOrder asked for the same. */
bool order_same_request(const struct order *a, const struct order *b);

/* The first field in which the orders differ, NULL if none; the process and all parts included. */
const char *order_difference(const struct order *a, const struct order *b, bool with_times);

#endif
