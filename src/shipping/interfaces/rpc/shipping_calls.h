#ifndef WAYBILL_SHIPPING_INTERFACES_RPC_SHIPPING_CALLS_H
#define WAYBILL_SHIPPING_INTERFACES_RPC_SHIPPING_CALLS_H

#include "platform/rpc/rpc_commands.h"
#include "shipping/application/shipping_service.h"

#include "waybill/common/v1/common.pb-c.h"
#include "waybill/shipping/v1/shipping.pb-c.h"

#include <stddef.h>

/* The methods of the service: how requests become calls of the application, and back. */
extern const struct rpc_command_row shipping_call_rows[];
extern const size_t shipping_call_row_count;

/* Those about what waits for a person (attention_calls.c). */
extern const struct rpc_command_row attention_call_rows[];
extern const size_t attention_call_row_count;

/* --- reading: what does not fit is a violation below `path`; NULL is absent --- */

/* `path` is that of the currency, a format with its arguments. */
__attribute__((format(printf, 3, 4))) struct shipping_money request_money(
    struct rpc_reading *reading, const Waybill__Common__V1__Money *message, const char *path, ...);

void request_address(struct rpc_reading *reading, const Waybill__Common__V1__Address *message,
                     const char *path, struct shipping_address *address);

const struct shipping_parcel *request_parcels(struct rpc_reading *reading,
                                              Waybill__Shipping__V1__Parcel *const *messages,
                                              size_t count);

const struct shipping_customs *request_customs(struct rpc_reading *reading,
                                               const Waybill__Shipping__V1__Customs *message);

void request_options(struct rpc_reading *reading,
                     const Waybill__Shipping__V1__ShipmentOptions *message,
                     struct shipping_options *options);

/* Unspecified is OUTBOUND. */
enum shipping_direction request_direction(struct rpc_reading *reading,
                                          Waybill__Shipping__V1__ShipmentDirection direction);

/* Unspecified is PDF. */
enum shipping_label_format request_label_format(struct rpc_reading *reading,
                                                Waybill__Shipping__V1__LabelFormat format,
                                                const char *path);

#endif
