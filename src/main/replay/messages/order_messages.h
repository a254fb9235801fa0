#ifndef WAYBILL_MAIN_REPLAY_MESSAGES_ORDER_MESSAGES_H
#define WAYBILL_MAIN_REPLAY_MESSAGES_ORDER_MESSAGES_H

#include "main/replay/state/replay_state.h"
#include "platform/base/arena.h"
#include "waybill/fulfillment/v1/fulfillment.pb-c.h"

#include <stdbool.h>
#include <stdint.h>

/* Orders of the data set as messages to the fulfillment service, and back. Thread: the loop's. */

/* On the arena; NULL without memory. */
Waybill__Fulfillment__V1__PromiseOrderRequest *order_message_promise(const struct replay *replay,
                                                                     uint32_t hold,
                                                                     struct arena *arena);

/* What is to lapse is held for a short time only; others have no ttl. False without memory. */
bool order_message_ttl(const struct replay *replay, uint32_t hold, struct arena *arena,
                       Google__Protobuf__Duration **ttl);

/*
 * Takes over where the order of that hold stands: the hold's state, and of an order's own how far
 * its allocation, labels and delivery are. What no replay leads to becomes a difference.
 */
void order_message_take(struct replay *replay, uint32_t hold,
                        const Waybill__Fulfillment__V1__Order *order);

#endif
