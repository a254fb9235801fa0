#ifndef WAYBILL_FULFILLMENT_INTERFACES_CLIENT_ORDER_CLIENT_PARCELS_H
#define WAYBILL_FULFILLMENT_INTERFACES_CLIENT_ORDER_CLIENT_PARCELS_H

#include "fulfillment/interfaces/client/order_client_call.h"

/* Shipping's and tracking's calls, for the table of order_client_rows.c. */
bool order_write_get_rates(const struct order_call *call, int64_t parcel_grams_max,
                           ProtobufCMessage *message);
bool order_read_get_rates(struct order_call *call, const ProtobufCMessage *response);
bool order_write_create_shipment(const struct order_call *call, int64_t parcel_grams_max,
                                 ProtobufCMessage *message);
bool order_read_create_shipment(struct order_call *call, const ProtobufCMessage *response);
bool order_write_cancel_shipment(const struct order_call *call, int64_t parcel_grams_max,
                                 ProtobufCMessage *message);
bool order_read_cancel_shipment(struct order_call *call, const ProtobufCMessage *response);
bool order_write_create_tracking(const struct order_call *call, int64_t parcel_grams_max,
                                 ProtobufCMessage *message);

#endif
