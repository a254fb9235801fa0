#ifndef WAYBILL_FULFILLMENT_INTERFACES_RPC_ORDER_MESSAGES_H
#define WAYBILL_FULFILLMENT_INTERFACES_RPC_ORDER_MESSAGES_H

#include "fulfillment/domain/order_process.h"
#include "platform/base/arena.h"

#include "waybill/fulfillment/v1/fulfillment.pb-c.h"

#include <stdbool.h>

/*
 * Orders as messages on the arena, and what other messages share with them. NULL or false: no
 * memory. Thread: the arena's.
 */
Waybill__Fulfillment__V1__Order *order_message(struct arena *arena, const struct order *order);

Waybill__Fulfillment__V1__InsufficientStock *order_shortages_message(
    struct arena *arena, const struct order_shortage *shortages, size_t count);

/* A message of that type with all fields absent. */
void *order_message_create(struct arena *arena, const ProtobufCMessageDescriptor *descriptor);

/* Sets *out to a copy with a NUL behind it. */
bool order_put_text(struct arena *arena, char **out, struct text text);
bool order_put_texts(struct arena *arena, char ***out, size_t *out_count, const struct text *texts,
                     size_t count);

/* 0 is absent. */
bool order_put_time(struct arena *arena, Google__Protobuf__Timestamp **out, int64_t time_us);

/* A currency "" is absent. */
bool order_put_money(struct arena *arena, Waybill__Common__V1__Money **out, const char *currency,
                     int64_t amount_minor);

bool order_put_address(struct arena *arena, Waybill__Common__V1__Address **out,
                       const struct order_address *address);

#endif
