#ifndef WAYBILL_FULFILLMENT_DOMAIN_FULFILLMENT_EVENT_H
#define WAYBILL_FULFILLMENT_DOMAIN_FULFILLMENT_EVENT_H

#include "fulfillment/domain/order_process.h"

/* An event to be told: its type and the order as it is behind the change. */
struct fulfillment_event {
    enum order_event_type type;
    const struct order *order;
};

/* The event as the bytes the world gets, on the arena. False without memory. Any thread. */
typedef bool fulfillment_event_encode(const struct fulfillment_event *event, struct arena *arena,
                                      struct text *data);

#endif
