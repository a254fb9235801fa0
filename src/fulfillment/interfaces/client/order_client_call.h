#ifndef WAYBILL_FULFILLMENT_INTERFACES_CLIENT_ORDER_CLIENT_CALL_H
#define WAYBILL_FULFILLMENT_INTERFACES_CLIENT_ORDER_CLIENT_CALL_H

#include "fulfillment/interfaces/client/order_clients.h"
#include "platform/rpc/status.h"

#include <protobuf-c/protobuf-c.h>

/*
 * What order_clients.c and its rows share: each kind of call is a row that says whom it asks, how
 * the request is made of the order, and what the answer means.
 */
struct order_client_row {
    enum order_service service;
    const char *path;
    const ProtobufCMessageDescriptor *request;
    const ProtobufCMessageDescriptor *response;
    int64_t timeout_us;
    /* Fills the message, which is initialised. False without memory. */
    bool (*write)(const struct order_call *call, int64_t parcel_grams_max,
                  ProtobufCMessage *request);
    /* Sets outcome and results; texts are copied. False without memory. */
    bool (*read)(struct order_call *call, const ProtobufCMessage *response);
};

/* By kind. */
extern const struct order_client_row order_client_rows[order_call_kind_count];

/* Sets the outcome with its refusal; texts are copied. */
void order_call_refuse(struct order_call *call, enum order_call_outcome outcome,
                       enum order_refusal_kind kind, const char *reason, const char *message);

/* An id of ours (order_made_id) into a message. False: there was no memory for it, or is none. */
bool order_call_put_id(const struct order_call *call, char **out, struct text id);

/* What a refusal by the service means to the order. */
void order_call_take_status(struct order_call *call, const struct rpc_status *status);

#endif
