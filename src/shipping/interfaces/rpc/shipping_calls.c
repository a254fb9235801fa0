/* Requests to calls, calls to responses. */
#include "shipping/interfaces/rpc/shipping_calls.h"

#include "platform/base/page_token.h"
#include "platform/rpc/message_fields.h"
#include "shipping/interfaces/rpc/shipping_messages.h"

#include <stdio.h>
#include <string.h>

static const char shipment_list[] = "shipping.ListShipments";

/* --- GetRates --- */

static void read_get_rates(struct rpc_reading *reading, void *base, const ProtobufCMessage *message)
{
    struct get_rates_call *call = base;
    const Waybill__Shipping__V1__GetRatesRequest *request = (const void *)message;
    struct consignment *consignment = &call->consignment;
    request_address(reading, request->origin, "origin", &consignment->origin);
    request_address(reading, request->destination, "destination", &consignment->destination);
    consignment->parcels = request_parcels(reading, request->parcels, request->n_parcels);
    consignment->parcel_count = request->n_parcels;
    consignment->customs = request_customs(reading, request->customs);
    consignment->direction = request_direction(reading, request->direction);
    request_options(reading, request->options, &consignment->options);
    call->ship_date = text_of(request->ship_date);
    call->carriers = rpc_reading_allocate(reading, request->n_carriers, sizeof *call->carriers);
    call->carrier_count = call->carriers == NULL ? 0 : request->n_carriers;
    for (size_t i = 0; i < call->carrier_count; i++)
        call->carriers[i] = text_of(request->carriers[i]);
}

/*
 * Of a rate's parts, so many an answer, each kind is one piece of memory; what the call has with a
 * NUL behind it is pointed to, for it lives until the answer is packed.
 */
struct charge_parts {
    Waybill__Shipping__V1__RateCharge charge;
    Waybill__Common__V1__Money amount;
};

struct rate_parts {
    Waybill__Shipping__V1__Rate rate;
    Waybill__Common__V1__Money amount;
};

static char *unchanged(const char *string)
{
    return (char *)(uintptr_t)string; /* messages are packed, never written to */
}

static void point_to_money(const struct shipping_money *money, Waybill__Common__V1__Money *message,
                           Waybill__Common__V1__Money **out)
{
    *message = (Waybill__Common__V1__Money)WAYBILL__COMMON__V1__MONEY__INIT;
    message->currency_code = unchanged(money->currency_code);
    message->amount_minor = money->amount_minor;
    if (money->currency_code[0] != '\0')
        *out = message;
}

static bool put_breakdown(struct arena *arena, const struct carrier_rate *rate,
                          Waybill__Shipping__V1__Rate *message)
{
    size_t count = rate->charge_count;
    struct charge_parts *parts = arena_allocate(arena, count * sizeof *parts);
    message->breakdown = arena_allocate(arena, count * sizeof *message->breakdown);
    if (parts == NULL || message->breakdown == NULL)
        return false;
    for (size_t i = 0; i < count; i++) {
        Waybill__Shipping__V1__RateCharge *charge = &parts[i].charge;
        *charge = (Waybill__Shipping__V1__RateCharge)WAYBILL__SHIPPING__V1__RATE_CHARGE__INIT;
        point_to_money(&rate->breakdown[i].amount, &parts[i].amount, &charge->amount);
        if (!message_put_text(arena, &charge->description, rate->breakdown[i].description))
            return false;
        message->breakdown[i] = charge;
    }
    message->n_breakdown = count;
    return true;
}

static bool put_rate(struct arena *arena, const struct shipping_rate *rate,
                     struct rate_parts *parts)
{
    Waybill__Shipping__V1__Rate *message = &parts->rate;
    *message = (Waybill__Shipping__V1__Rate)WAYBILL__SHIPPING__V1__RATE__INIT;
    message->rate_id = unchanged(rate->rate_id.data);
    message->carrier = unchanged(rate->carrier);
    point_to_money(&rate->rate.amount, &parts->amount, &message->amount);
    return message_put_text(arena, &message->service_code, rate->rate.service_code) &&
           message_put_text(arena, &message->service_name, rate->rate.service_name) &&
           message_put_time(arena, &message->estimated_delivery_time,
                            rate->rate.estimated_delivery_time_us) &&
           message_put_time(arena, &message->expire_time, rate->expire_time_us) &&
           put_breakdown(arena, &rate->rate, message);
}

static bool put_failures(struct arena *arena, const struct get_rates_call *call,
                         Waybill__Shipping__V1__GetRatesResponse *response)
{
    response->failures =
        arena_allocate_zero(arena, call->failure_count + 1, sizeof *response->failures);
    if (response->failures == NULL)
        return false;
    for (size_t i = 0; i < call->failure_count; i++) {
        Waybill__Shipping__V1__RateFailure *failure =
            message_create(arena, &waybill__shipping__v1__rate_failure__descriptor);
        if (failure == NULL ||
            !message_put_text(arena, &failure->carrier, text_of(call->failures[i].carrier)) ||
            !message_put_text(arena, &failure->reason, call->failures[i].reason))
            return false;
        response->failures[response->n_failures++] = failure;
    }
    return true;
}

static bool write_get_rates(struct arena *arena, const void *base, struct text filter,
                            ProtobufCMessage *message)
{
    const struct get_rates_call *call = base;
    Waybill__Shipping__V1__GetRatesResponse *response = (void *)message;
    (void)filter;
    struct rate_parts *parts = arena_allocate(arena, call->rate_count * sizeof *parts);
    response->rates = arena_allocate(arena, call->rate_count * sizeof *response->rates);
    if (parts == NULL || response->rates == NULL)
        return false;
    for (size_t i = 0; i < call->rate_count; i++) {
        if (!put_rate(arena, &call->rates[i], &parts[i]))
            return false;
        response->rates[i] = &parts[i].rate;
    }
    response->n_rates = call->rate_count;
    return put_failures(arena, call, response);
}

/* --- CreateShipment --- */

static void read_create_shipment(struct rpc_reading *reading, void *base,
                                 const ProtobufCMessage *message)
{
    struct create_shipment_call *call = base;
    struct shipment_request *wanted = &call->request;
    const Waybill__Shipping__V1__CreateShipmentRequest *request = (const void *)message;
    struct consignment *consignment = &wanted->consignment;
    wanted->shipment_id = text_of(request->shipment_id);
    wanted->order_id = text_of(request->order_id);
    wanted->rate_id = text_of(request->rate_id);
    wanted->carrier = text_of(request->carrier);
    wanted->service_code = text_of(request->service_code);
    wanted->rule = (int)request->rule;
    wanted->reference = text_of(request->reference);
    call->any_format =
        request->label_format == WAYBILL__SHIPPING__V1__LABEL_FORMAT__LABEL_FORMAT_UNSPECIFIED;
    wanted->label_format = request_label_format(reading, request->label_format, "label_format");
    request_address(reading, request->origin, "origin", &consignment->origin);
    request_address(reading, request->destination, "destination", &consignment->destination);
    consignment->parcels = request_parcels(reading, request->parcels, request->n_parcels);
    consignment->parcel_count = request->n_parcels;
    consignment->customs = request_customs(reading, request->customs);
    consignment->direction = request_direction(reading, request->direction);
    request_options(reading, request->options, &consignment->options);
}

static bool write_create_shipment(struct arena *arena, const void *base, struct text filter,
                                  ProtobufCMessage *message)
{
    Waybill__Shipping__V1__CreateShipmentResponse *response = (void *)message;
    (void)filter;
    response->shipment =
        shipment_message(arena, &((const struct create_shipment_call *)base)->shipment);
    return response->shipment != NULL;
}

/* --- GetShipment --- */

static void read_get_shipment(struct rpc_reading *reading, void *base,
                              const ProtobufCMessage *message)
{
    const Waybill__Shipping__V1__GetShipmentRequest *request = (const void *)message;
    (void)reading;
    ((struct get_shipment_call *)base)->shipment_id = text_of(request->shipment_id);
}

static bool write_get_shipment(struct arena *arena, const void *base, struct text filter,
                               ProtobufCMessage *message)
{
    Waybill__Shipping__V1__GetShipmentResponse *response = (void *)message;
    (void)filter;
    response->shipment =
        shipment_message(arena, &((const struct get_shipment_call *)base)->shipment);
    return response->shipment != NULL;
}

/* --- ListShipments --- */

static void read_list_shipments(struct rpc_reading *reading, void *base,
                                const ProtobufCMessage *message)
{
    struct list_shipments_call *call = base;
    const Waybill__Shipping__V1__ListShipmentsRequest *request = (const void *)message;
    char *filter = arena_format(reading->arena, "%s\n%d", request->order_id, (int)request->state);
    reading->failed = reading->failed || filter == NULL;
    reading->filter = text_of(filter);
    call->order_id = text_of(request->order_id);
    call->state = (enum shipment_state)request->state;
    call->page_size = request->page_size < 0 ? SIZE_MAX : (size_t)request->page_size;
    reading->page_token_invalid = !page_token_read(text_of(request->page_token), shipment_list,
                                                   reading->filter, &call->after);
}

static bool write_list_shipments(struct arena *arena, const void *base, struct text filter,
                                 ProtobufCMessage *message)
{
    const struct list_shipments_call *call = base;
    Waybill__Shipping__V1__ListShipmentsResponse *response = (void *)message;
    response->next_page_token =
        call->next == 0
            ? arena_copy_string(arena, text_of(""))
            : (char *)(uintptr_t)page_token_make(arena, shipment_list, filter, call->next).data;
    response->shipments =
        arena_allocate_zero(arena, call->shipment_count + 1, sizeof *response->shipments);
    if (response->next_page_token == NULL || response->shipments == NULL)
        return false;
    for (size_t i = 0; i < call->shipment_count; i++) {
        response->shipments[i] = shipment_message(arena, &call->shipments[i]);
        if (response->shipments[i] == NULL)
            return false;
    }
    response->n_shipments = call->shipment_count;
    return true;
}

/* --- CancelShipment --- */

static void read_cancel_shipment(struct rpc_reading *reading, void *base,
                                 const ProtobufCMessage *message)
{
    struct cancel_shipment_call *call = base;
    const Waybill__Shipping__V1__CancelShipmentRequest *request = (const void *)message;
    (void)reading;
    call->shipment_id = text_of(request->shipment_id);
    call->reason = text_of(request->reason);
}

static bool write_cancel_shipment(struct arena *arena, const void *base, struct text filter,
                                  ProtobufCMessage *message)
{
    Waybill__Shipping__V1__CancelShipmentResponse *response = (void *)message;
    (void)filter;
    response->shipment =
        shipment_message(arena, &((const struct cancel_shipment_call *)base)->shipment);
    return response->shipment != NULL;
}

/* --- ResolveShipment --- */

static void read_resolve_shipment(struct rpc_reading *reading, void *base,
                                  const ProtobufCMessage *message)
{
    struct resolve_shipment_call *call = base;
    const Waybill__Shipping__V1__ResolveShipmentRequest *request = (const void *)message;
    (void)reading;
    call->shipment_id = text_of(request->shipment_id);
    call->resolution = (enum shipment_resolution)request->resolution;
    call->tracking_number = text_of(request->tracking_number);
    call->note = text_of(request->note);
}

static bool write_resolve_shipment(struct arena *arena, const void *base, struct text filter,
                                   ProtobufCMessage *message)
{
    Waybill__Shipping__V1__ResolveShipmentResponse *response = (void *)message;
    (void)filter;
    response->shipment =
        shipment_message(arena, &((const struct resolve_shipment_call *)base)->shipment);
    return response->shipment != NULL;
}

/* --- GetLabel --- */

static void read_get_label(struct rpc_reading *reading, void *base, const ProtobufCMessage *message)
{
    struct get_label_call *call = base;
    const Waybill__Shipping__V1__GetLabelRequest *request = (const void *)message;
    call->shipment_id = text_of(request->shipment_id);
    call->parcel = request->parcel;
    call->any_format =
        request->format == WAYBILL__SHIPPING__V1__LABEL_FORMAT__LABEL_FORMAT_UNSPECIFIED;
    call->format = request_label_format(reading, request->format, "format");
}

static bool write_get_label(struct arena *arena, const void *base, struct text filter,
                            ProtobufCMessage *message)
{
    const struct get_label_call *call = base;
    Waybill__Shipping__V1__GetLabelResponse *response = (void *)message;
    (void)filter;
    response->content.data = (uint8_t *)(uintptr_t)call->content.data;
    response->content.len = call->content.size;
    return message_put_text(arena, &response->media_type, text_of(label_media_type(call->format)));
}

/* --- GetTrackingInfo --- */

static void read_get_tracking_info(struct rpc_reading *reading, void *base,
                                   const ProtobufCMessage *message)
{
    struct get_tracking_info_call *call = base;
    const Waybill__Shipping__V1__GetTrackingInfoRequest *request = (const void *)message;
    (void)reading;
    call->shipment_id = text_of(request->shipment_id);
    call->carrier = text_of(request->carrier);
    call->tracking_number = text_of(request->tracking_number);
}

static bool write_get_tracking_info(struct arena *arena, const void *base, struct text filter,
                                    ProtobufCMessage *message)
{
    const struct carrier_tracking *tracking =
        &((const struct get_tracking_info_call *)base)->tracking;
    Waybill__Shipping__V1__GetTrackingInfoResponse *response = (void *)message;
    (void)filter;
    response->scans = arena_allocate_zero(arena, tracking->scan_count + 1, sizeof *response->scans);
    if (response->scans == NULL)
        return false;
    for (size_t i = 0; i < tracking->scan_count; i++) {
        response->scans[i] = scan_message(arena, &tracking->scans[i]);
        if (response->scans[i] == NULL)
            return false;
    }
    response->n_scans = tracking->scan_count;
    return message_put_time(arena, &response->expected_delivery_time,
                            tracking->expected_delivery_time_us) &&
           message_put_time(arena, &response->delivered_time, tracking->delivered_time_us);
}

/* --- ListCarriers --- */

static void read_list_carriers(struct rpc_reading *reading, void *base,
                               const ProtobufCMessage *message)
{
    (void)reading;
    (void)base;
    (void)message;
}

static bool put_formats(struct arena *arena, const struct carrier_capabilities *can,
                        Waybill__Shipping__V1__CarrierCapabilities *message)
{
    static const Waybill__Shipping__V1__LabelFormat formats[] = {
        [SHIPPING_LABEL_PDF] = WAYBILL__SHIPPING__V1__LABEL_FORMAT__LABEL_FORMAT_PDF,
        [SHIPPING_LABEL_ZPL] = WAYBILL__SHIPPING__V1__LABEL_FORMAT__LABEL_FORMAT_ZPL,
        [SHIPPING_LABEL_PNG] = WAYBILL__SHIPPING__V1__LABEL_FORMAT__LABEL_FORMAT_PNG,
    };
    message->label_formats = arena_allocate_zero(arena, 3, sizeof *message->label_formats);
    if (message->label_formats == NULL)
        return false;
    for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++) {
        if ((can->label_formats & 1U << i) != 0)
            message->label_formats[message->n_label_formats++] = formats[i];
    }
    return true;
}

static Waybill__Shipping__V1__CarrierCapabilities *capabilities_message(
    struct arena *arena, const struct carrier_capabilities *can)
{
    Waybill__Shipping__V1__CarrierCapabilities *message =
        message_create(arena, &waybill__shipping__v1__carrier_capabilities__descriptor);
    if (message == NULL || !put_formats(arena, can, message))
        return NULL;
    message->rates = can->rates;
    message->shipments = can->shipments;
    message->cancel = can->cancel;
    message->tracking = can->tracking;
    message->find_by_reference = can->find_by_reference;
    message->label_recovery = can->label_recovery;
    message->webhooks = can->webhooks;
    message->webhook_body_signed = can->webhook_body_signed;
    message->saturday = can->saturday;
    message->insurance = can->insurance;
    message->returns = can->returns;
    message->parcel_grams_max = can->parcel_grams_max;
    message->parcels_max = can->parcels_max > INT32_MAX ? INT32_MAX : (int32_t)can->parcels_max;
    return message;
}

static Waybill__Shipping__V1__Carrier *carrier_message(struct arena *arena,
                                                       const struct shipping_carrier_view *view)
{
    static const Waybill__Shipping__V1__CircuitState circuits[] = {
        [CARRIER_CIRCUIT_CLOSED] = WAYBILL__SHIPPING__V1__CIRCUIT_STATE__CIRCUIT_STATE_CLOSED,
        [CARRIER_CIRCUIT_OPEN] = WAYBILL__SHIPPING__V1__CIRCUIT_STATE__CIRCUIT_STATE_OPEN,
        [CARRIER_CIRCUIT_HALF_OPEN] = WAYBILL__SHIPPING__V1__CIRCUIT_STATE__CIRCUIT_STATE_HALF_OPEN,
    };
    Waybill__Shipping__V1__Carrier *message =
        message_create(arena, &waybill__shipping__v1__carrier__descriptor);
    const struct error *last = &view->state.last_error;
    if (message == NULL || !message_put_text(arena, &message->carrier, text_of(view->name)) ||
        !message_put_time(arena, &message->last_error_time, view->state.last_error_time_us))
        return NULL;
    message->capabilities = capabilities_message(arena, view->capabilities);
    message->breaker_state = circuits[view->state.circuit];
    if (last->code == ERROR_NONE)
        return message->capabilities != NULL &&
                       message_put_text(arena, &message->last_error, text_of(""))
                   ? message
                   : NULL;
    message->last_error = arena_format(arena, "%s: %s", error_text(last->code), last->detail);
    return message->capabilities == NULL || message->last_error == NULL ? NULL : message;
}

static bool write_list_carriers(struct arena *arena, const void *base, struct text filter,
                                ProtobufCMessage *message)
{
    const struct list_carriers_call *call = base;
    Waybill__Shipping__V1__ListCarriersResponse *response = (void *)message;
    (void)filter;
    response->carriers =
        arena_allocate_zero(arena, call->carrier_count + 1, sizeof *response->carriers);
    if (response->carriers == NULL)
        return false;
    for (size_t i = 0; i < call->carrier_count; i++) {
        response->carriers[i] = carrier_message(arena, &call->carriers[i]);
        if (response->carriers[i] == NULL)
            return false;
    }
    response->n_carriers = call->carrier_count;
    return true;
}

/* --- the rows --- */

const struct rpc_command_row shipping_call_rows[] = {
    {"GetRates", CALL_GET_RATES, sizeof(struct get_rates_call), true,
     &waybill__shipping__v1__get_rates_response__descriptor, read_get_rates, write_get_rates},
    {"CreateShipment", CALL_CREATE_SHIPMENT, sizeof(struct create_shipment_call), false,
     &waybill__shipping__v1__create_shipment_response__descriptor, read_create_shipment,
     write_create_shipment},
    {"GetShipment", CALL_GET_SHIPMENT, sizeof(struct get_shipment_call), true,
     &waybill__shipping__v1__get_shipment_response__descriptor, read_get_shipment,
     write_get_shipment},
    {"ListShipments", CALL_LIST_SHIPMENTS, sizeof(struct list_shipments_call), true,
     &waybill__shipping__v1__list_shipments_response__descriptor, read_list_shipments,
     write_list_shipments},
    {"CancelShipment", CALL_CANCEL_SHIPMENT, sizeof(struct cancel_shipment_call), false,
     &waybill__shipping__v1__cancel_shipment_response__descriptor, read_cancel_shipment,
     write_cancel_shipment},
    {"ResolveShipment", CALL_RESOLVE_SHIPMENT, sizeof(struct resolve_shipment_call), false,
     &waybill__shipping__v1__resolve_shipment_response__descriptor, read_resolve_shipment,
     write_resolve_shipment},
    {"GetLabel", CALL_GET_LABEL, sizeof(struct get_label_call), true,
     &waybill__shipping__v1__get_label_response__descriptor, read_get_label, write_get_label},
    {"GetTrackingInfo", CALL_GET_TRACKING_INFO, sizeof(struct get_tracking_info_call), true,
     &waybill__shipping__v1__get_tracking_info_response__descriptor, read_get_tracking_info,
     write_get_tracking_info},
    {"ListCarriers", CALL_LIST_CARRIERS, sizeof(struct list_carriers_call), true,
     &waybill__shipping__v1__list_carriers_response__descriptor, read_list_carriers,
     write_list_carriers},
};
const size_t shipping_call_row_count = sizeof shipping_call_rows / sizeof shipping_call_rows[0];
