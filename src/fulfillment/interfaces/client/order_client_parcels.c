/*
 * What a part is to a carrier: parcels of equal weight, customs items from the warehouse's facts
 * and the order's unit values where the border asks for them; and what a shipment's state means.
 */
#include "fulfillment/interfaces/client/order_client_parcels.h"

#include "fulfillment/interfaces/rpc/order_messages.h"

#include "waybill/shipping/v1/shipping.pb-c.h"
#include "waybill/tracking/v1/tracking.pb-c.h"

#include <string.h>

/* --- parcels and customs --- */

static Waybill__Shipping__V1__Parcel **parcel_messages(const struct order_call *call,
                                                       int64_t parcel_grams_max, size_t *count)
{
    const struct order *order = call->order;
    const struct order_part *part = &order->parts[call->part];
    int64_t weight = order_part_weight_grams(order, part);
    int64_t value = order_part_value_minor(order, part);
    *count = order_parcel_count(order, part, parcel_grams_max);
    Waybill__Shipping__V1__Parcel **parcels =
        arena_allocate_zero(call->arena, *count + 1, sizeof *parcels);
    for (size_t i = 0; parcels != NULL && i < *count; i++) {
        Waybill__Shipping__V1__Parcel *parcel =
            message_create(call->arena, &waybill__shipping__v1__parcel__descriptor);
        if (parcel == NULL || !message_put_money(call->arena, &parcel->value, order->currency,
                                                 order_share(value, *count, i)))
            return NULL;
        parcel->weight_grams = order_share(weight, *count, i);
        parcels[i] = parcel;
    }
    return parcels;
}

/* What the warehouse knows no country of origin of is declared as of the country it leaves. */
static Waybill__Shipping__V1__CustomsItem *customs_item(const struct order_call *call,
                                                        const struct order_part_line *part_line)
{
    const struct order_line *line = order_find_line(call->order, part_line->sku);
    struct text leaves = call->order->parts[call->part].origin.country_code;
    Waybill__Shipping__V1__CustomsItem *item =
        message_create(call->arena, &waybill__shipping__v1__customs_item__descriptor);
    if (item == NULL || line == NULL ||
        !message_put_text(call->arena, &item->description,
                          line->name.size > 0 ? line->name : line->sku) ||
        !message_put_money(call->arena, &item->value, call->order->currency,
                           line->unit_value_minor) ||
        !message_put_text(call->arena, &item->hs_code, line->hs_code) ||
        !message_put_text(call->arena, &item->origin_country,
                          line->origin_country.size > 0 ? line->origin_country : leaves))
        return NULL;
    item->quantity = part_line->quantity;
    item->weight_grams = line->weight_grams;
    return item;
}

/* *out stays NULL where the border does not ask. False without memory. */
static bool put_customs(const struct order_call *call, Waybill__Shipping__V1__Customs **out)
{
    const struct order *order = call->order;
    const struct order_part *part = &order->parts[call->part];
    *out = NULL;
    if (text_equal(part->origin.country_code, order->destination.country_code))
        return true;
    Waybill__Shipping__V1__Customs *customs =
        message_create(call->arena, &waybill__shipping__v1__customs__descriptor);
    if (customs == NULL || !message_put_text(call->arena, &customs->incoterm, order->incoterm))
        return false;
    customs->items = arena_allocate_zero(call->arena, part->line_count + 1, sizeof(void *));
    if (customs->items == NULL)
        return false;
    for (size_t i = 0; i < part->line_count; i++) {
        customs->items[i] = customs_item(call, &part->lines[i]);
        if (customs->items[i] == NULL)
            return false;
    }
    customs->n_items = part->line_count;
    *out = customs;
    return true;
}

/* --- rates --- */

bool order_write_get_rates(const struct order_call *call, int64_t parcel_grams_max,
                           ProtobufCMessage *message)
{
    Waybill__Shipping__V1__GetRatesRequest *request = (void *)message;
    const struct order *order = call->order;
    request->parcels = parcel_messages(call, parcel_grams_max, &request->n_parcels);
    return request->parcels != NULL &&
           order_put_address(call->arena, &request->origin, &order->parts[call->part].origin) &&
           order_put_address(call->arena, &request->destination, &order->destination) &&
           message_put_texts(call->arena, &request->carriers, &request->n_carriers, order->carriers,
                             order->carrier_count) &&
           put_customs(call, &request->customs);
}

static struct order_money money_of(const Waybill__Common__V1__Money *message)
{
    struct order_money money = {0};
    if (message == NULL || strlen(message->currency_code) != 3)
        return money;
    memcpy(money.currency, message->currency_code, 3);
    money.amount_minor = message->amount_minor;
    return money;
}

/*
 * Which carriers have no rate and why, in their words, also beside others' rates: those may turn
 * out to be of no use. Without any rate, away if one of them is.
 */
static void take_failures(struct order_call *call,
                          const Waybill__Shipping__V1__GetRatesResponse *response)
{
    const char *words = "";
    bool is_away = false;
    for (size_t i = 0; i < response->n_failures && words != NULL; i++) {
        is_away = is_away || strstr(response->failures[i]->reason, "CARRIER_UNAVAILABLE") != NULL;
        words = arena_format(call->arena, "%s%s%.16s: %.60s", words, i == 0 ? "" : "; ",
                             response->failures[i]->carrier, response->failures[i]->reason);
    }
    if (response->n_rates > 0)
        is_away = false;
    if (response->n_rates > 0 && (words == NULL || words[0] == '\0'))
        return;
    order_call_refuse(call, is_away ? CALL_CARRIER_AWAY : CALL_DONE,
                      is_away ? REFUSAL_UNAVAILABLE : REFUSAL_PRECONDITION,
                      is_away ? "CARRIER_UNAVAILABLE" : "NO_RATE",
                      words == NULL || words[0] == '\0' ? "no carrier has a rate for this" : words);
}

bool order_read_get_rates(struct order_call *call, const ProtobufCMessage *message)
{
    const Waybill__Shipping__V1__GetRatesResponse *response = (const void *)message;
    call->rates = arena_allocate_zero(call->arena, response->n_rates + 1, sizeof *call->rates);
    if (call->rates == NULL)
        return false;
    call->outcome = CALL_DONE;
    for (size_t i = 0; i < response->n_rates; i++) {
        const Waybill__Shipping__V1__Rate *rate = response->rates[i];
        call->rates[i] = (struct order_rate){
            .carrier = arena_copy_text(call->arena, text_of(rate->carrier)),
            .service_code = arena_copy_text(call->arena, text_of(rate->service_code)),
            .amount = money_of(rate->amount),
            .estimated_delivery_time_us = message_time_us(rate->estimated_delivery_time),
        };
        if (call->rates[i].carrier.data == NULL || call->rates[i].service_code.data == NULL)
            return false;
    }
    call->rate_count = response->n_rates;
    take_failures(call, response);
    return true;
}

/* --- shipments --- */

static bool put_shipment_id(const struct order_call *call, char **out)
{
    return order_call_put_id(
        call, out, order_shipment_id(call->arena, call->order, &call->order->parts[call->part]));
}

bool order_write_create_shipment(const struct order_call *call, int64_t parcel_grams_max,
                                 ProtobufCMessage *message)
{
    Waybill__Shipping__V1__CreateShipmentRequest *request = (void *)message;
    const struct order *order = call->order;
    const struct order_part *part = &order->parts[call->part];
    request->parcels = parcel_messages(call, parcel_grams_max, &request->n_parcels);
    return request->parcels != NULL && put_shipment_id(call, &request->shipment_id) &&
           message_put_text(call->arena, &request->order_id, order->order_id) &&
           message_put_text(call->arena, &request->carrier, part->carrier) &&
           message_put_text(call->arena, &request->service_code, part->service_code) &&
           order_put_address(call->arena, &request->origin, &part->origin) &&
           order_put_address(call->arena, &request->destination, &order->destination) &&
           put_customs(call, &request->customs);
}

static const char *words_of(const Waybill__Shipping__V1__Shipment *shipment, const char *otherwise)
{
    return shipment->failure[0] == '\0' ? otherwise : shipment->failure;
}

/* Where no parcel has the shipment's own number, its carrier tells of the whole: DHL Express. */
static bool is_followed_as_one(const Waybill__Shipping__V1__Shipment *shipment)
{
    for (size_t i = 0; i < shipment->n_parcels; i++) {
        if (strcmp(shipment->parcels[i]->tracking_number, shipment->tracking_number) == 0)
            return false;
    }
    return shipment->tracking_number[0] != '\0';
}

static bool read_bought(struct order_call *call, const Waybill__Shipping__V1__Shipment *shipment)
{
    bool is_one = is_followed_as_one(shipment);
    size_t count = is_one ? 1 : shipment->n_parcels;
    call->tracking_numbers =
        arena_allocate_zero(call->arena, count + 1, sizeof *call->tracking_numbers);
    if (call->tracking_numbers == NULL)
        return false;
    for (size_t i = 0; i < count; i++) {
        const char *number =
            is_one ? shipment->tracking_number : shipment->parcels[i]->tracking_number;
        if (number[0] == '\0')
            number = shipment->tracking_number;
        call->tracking_numbers[call->tracking_number_count] =
            arena_copy_text(call->arena, text_of(number));
        if (call->tracking_numbers[call->tracking_number_count].data == NULL)
            return false;
        bool is_known = call->tracking_number_count > 0 &&
                        text_equals_string(call->tracking_numbers[0], number);
        call->tracking_number_count += !is_known; /* one number may stand for all parcels */
    }
    call->charged = money_of(shipment->charged != NULL ? shipment->charged : shipment->amount);
    call->outcome = CALL_DONE;
    return true;
}

/* Not bought, or not known: what it is for who wants a label. */
static void take_unbought(struct order_call *call, const Waybill__Shipping__V1__Shipment *shipment)
{
    switch (shipment->state) {
    case WAYBILL__SHIPPING__V1__SHIPMENT_STATE__SHIPMENT_STATE_INTENT:
        order_call_refuse(call, CALL_CARRIER_AWAY, REFUSAL_UNAVAILABLE, "CARRIER_UNAVAILABLE",
                          words_of(shipment, "the carrier was not reached"));
        return;
    case WAYBILL__SHIPPING__V1__SHIPMENT_STATE__SHIPMENT_STATE_FAILED:
        order_call_refuse(call, CALL_CARRIER_REFUSED, REFUSAL_PRECONDITION, "SHIPMENT_FAILED",
                          words_of(shipment, "the carrier refused"));
        return;
    case WAYBILL__SHIPPING__V1__SHIPMENT_STATE__SHIPMENT_STATE_NEEDS_ATTENTION:
        order_call_refuse(call, CALL_STUCK, REFUSAL_PRECONDITION, "SHIPMENT_NEEDS_ATTENTION",
                          words_of(shipment, "ResolveShipment must decide"));
        return;
    case WAYBILL__SHIPPING__V1__SHIPMENT_STATE__SHIPMENT_STATE_CANCELLED:
        order_call_refuse(call, CALL_HOLD_GONE, REFUSAL_PRECONDITION, "SHIPMENT_CANCELLED",
                          words_of(shipment, "the shipment was cancelled"));
        return;
    case WAYBILL__SHIPPING__V1__SHIPMENT_STATE__SHIPMENT_STATE_UNSPECIFIED:
    case WAYBILL__SHIPPING__V1__SHIPMENT_STATE__SHIPMENT_STATE_SENT:
    case WAYBILL__SHIPPING__V1__SHIPMENT_STATE__SHIPMENT_STATE_CREATED:
    case WAYBILL__SHIPPING__V1__SHIPMENT_STATE__SHIPMENT_STATE_UNKNOWN:
    case _WAYBILL__SHIPPING__V1__SHIPMENT_STATE_IS_INT_SIZE:
        break;
    }
    order_call_refuse(call, CALL_PENDING, REFUSAL_UNAVAILABLE, "SHIPMENT_UNKNOWN",
                      words_of(shipment, "the carrier's answer is not known yet"));
}

bool order_read_create_shipment(struct order_call *call, const ProtobufCMessage *response)
{
    const Waybill__Shipping__V1__Shipment *shipment =
        ((const Waybill__Shipping__V1__CreateShipmentResponse *)response)->shipment;
    if (shipment == NULL)
        return false;
    if (shipment->state == WAYBILL__SHIPPING__V1__SHIPMENT_STATE__SHIPMENT_STATE_CREATED)
        return read_bought(call, shipment);
    take_unbought(call, shipment);
    return true;
}

bool order_write_cancel_shipment(const struct order_call *call, int64_t parcel_grams_max,
                                 ProtobufCMessage *message)
{
    Waybill__Shipping__V1__CancelShipmentRequest *request = (void *)message;
    (void)parcel_grams_max;
    return put_shipment_id(call, &request->shipment_id) &&
           message_put_text(call->arena, &request->reason,
                            call->order->cancel_reason.size > 0 ? call->order->cancel_reason
                                                                : text_of("order"));
}

bool order_read_cancel_shipment(struct order_call *call, const ProtobufCMessage *response)
{
    const Waybill__Shipping__V1__Shipment *shipment =
        ((const Waybill__Shipping__V1__CancelShipmentResponse *)response)->shipment;
    if (shipment == NULL)
        return false;
    take_unbought(call, shipment);
    if (shipment->state == WAYBILL__SHIPPING__V1__SHIPMENT_STATE__SHIPMENT_STATE_CANCELLED ||
        shipment->state == WAYBILL__SHIPPING__V1__SHIPMENT_STATE__SHIPMENT_STATE_FAILED)
        call->outcome = CALL_DONE; /* there is no label */
    if (shipment->state == WAYBILL__SHIPPING__V1__SHIPMENT_STATE__SHIPMENT_STATE_CREATED)
        order_call_refuse(call, CALL_REFUSED, REFUSAL_PRECONDITION, "LABEL_NOT_VOIDED",
                          words_of(shipment, "the carrier does not void it"));
    return true;
}

/* --- tracking --- */

bool order_write_create_tracking(const struct order_call *call, int64_t parcel_grams_max,
                                 ProtobufCMessage *message)
{
    Waybill__Tracking__V1__CreateTrackingRequest *request = (void *)message;
    const struct order_part *part = &call->order->parts[call->part];
    (void)parcel_grams_max;
    return put_shipment_id(call, &request->shipment_id) &&
           message_put_text(call->arena, &request->order_id, call->order->order_id) &&
           message_put_text(call->arena, &request->carrier, part->carrier) &&
           message_put_text(call->arena, &request->tracking_number,
                            part->parcels[call->item].tracking_number) &&
           message_put_time(call->arena, &request->expected_delivery_time,
                            part->estimated_delivery_time_us);
}
