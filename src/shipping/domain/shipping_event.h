#ifndef WAYBILL_SHIPPING_DOMAIN_SHIPPING_EVENT_H
#define WAYBILL_SHIPPING_DOMAIN_SHIPPING_EVENT_H

#include "shipping/domain/shipment.h"

/* What shipping tells the world, stored in the same step as the change (DESIGN section 4). */
enum shipping_event_type {
    EVENT_SHIPMENT_CREATED,
    EVENT_SHIPMENT_CANCELLED,
    EVENT_SHIPMENT_FAILED,
    EVENT_CARRIER_EVENT_RECEIVED,
};

struct shipping_event {
    enum shipping_event_type type;
    const struct shipment *shipment; /* of the first three */
    struct text reason;              /* CANCELLED */
    struct text carrier;             /* CARRIER_EVENT_RECEIVED from here */
    struct text shipment_id;         /* both empty where the number is of no shipment of ours */
    struct text order_id;
    const struct shipping_scan *scan;
    int64_t receive_time_us;
};

/* "ShipmentCreated". Pure. */
const char *shipping_event_name(enum shipping_event_type type);

/*
 * Writes the event's message. A port, because stores know no messages. Gives the bytes on the
 * arena; false without memory. Thread: a store's, any.
 */
typedef bool shipping_event_encode(const struct shipping_event *event, struct arena *arena,
                                   struct text *data);

#endif
