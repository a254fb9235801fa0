#ifndef WAYBILL_SHIPPING_INTERFACES_RPC_SHIPPING_CALLS_H
#define WAYBILL_SHIPPING_INTERFACES_RPC_SHIPPING_CALLS_H

#include "shipping/application/shipping_service.h"

#include "waybill/common/v1/common.pb-c.h"
#include "waybill/shipping/v1/shipping.pb-c.h"

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>

/*
 * Each method of the service as a row: how its request becomes a call of the application, and how
 * that becomes the response.
 */
struct call_reading {
    struct arena *arena;
    struct violations *violations; /* of the call: for what cannot even be said in it */
    struct text filter;            /* lists: all that the page token is bound to */
    bool page_token_invalid;
    bool failed; /* no memory */
};

struct call_row {
    const char *method;
    enum shipping_call_kind kind;
    size_t call_size;
    bool is_read; /* no effect: may be repeated by anybody at will */
    const ProtobufCMessageDescriptor *response;
    void (*read)(struct call_reading *reading, struct shipping_call *call,
                 const ProtobufCMessage *request);
    /* False without memory. */
    bool (*write)(struct arena *arena, const struct shipping_call *call, struct text filter,
                  ProtobufCMessage *response);
};

extern const struct call_row shipping_call_rows[];
extern const size_t shipping_call_row_count;

/* --- reading: what does not fit is a violation below `path`; NULL is absent --- */

void *request_allocate(struct call_reading *reading, size_t count, size_t size);

/* `path` is that of the currency, a format with its arguments. */
__attribute__((format(printf, 3, 4))) struct shipping_money request_money(
    struct call_reading *reading, const Waybill__Common__V1__Money *message, const char *path, ...);

void request_address(struct call_reading *reading, const Waybill__Common__V1__Address *message,
                     const char *path, struct shipping_address *address);

const struct shipping_parcel *request_parcels(struct call_reading *reading,
                                              Waybill__Shipping__V1__Parcel *const *messages,
                                              size_t count);

const struct shipping_customs *request_customs(struct call_reading *reading,
                                               const Waybill__Shipping__V1__Customs *message);

void request_options(struct call_reading *reading,
                     const Waybill__Shipping__V1__ShipmentOptions *message,
                     struct shipping_options *options);

/* Unspecified is OUTBOUND. */
enum shipping_direction request_direction(struct call_reading *reading,
                                          Waybill__Shipping__V1__ShipmentDirection direction);

/* Unspecified is PDF. */
enum shipping_label_format request_label_format(struct call_reading *reading,
                                                Waybill__Shipping__V1__LabelFormat format,
                                                const char *path);

#endif
