/* Records to messages. A part without memory makes the whole NULL. */
#include "shipping/interfaces/rpc/shipping_messages.h"

#include "platform/rpc/message_fields.h"

static bool put_money(struct arena *arena, Waybill__Common__V1__Money **out,
                      struct shipping_money money)
{
    return message_put_money(arena, out, money.currency_code, money.amount_minor);
}

static Waybill__Common__V1__Address *address_message(struct arena *arena,
                                                     const struct shipping_address *address)
{
    Waybill__Common__V1__Address *message =
        message_create(arena, &waybill__common__v1__address__descriptor);
    if (message == NULL || !message_put_text(arena, &message->name, address->name) ||
        !message_put_text(arena, &message->company, address->company) ||
        !message_put_text(arena, &message->phone, address->phone) ||
        !message_put_text(arena, &message->email, address->email) ||
        !message_put_text(arena, &message->city, address->city) ||
        !message_put_text(arena, &message->region, address->region) ||
        !message_put_text(arena, &message->postal_code, address->postal_code) ||
        !message_put_text(arena, &message->country_code, address->country_code) ||
        !message_put_texts(arena, &message->lines, &message->n_lines, address->lines,
                           address->line_count))
        return NULL;
    if (address->has_point &&
        !message_put_point(arena, &message->point, address->latitude_e7, address->longitude_e7))
        return NULL;
    return message;
}

static Waybill__Shipping__V1__ShipmentParcel *parcel_message(struct arena *arena,
                                                             const struct shipment_parcel *parcel)
{
    Waybill__Shipping__V1__ShipmentParcel *message =
        message_create(arena, &waybill__shipping__v1__shipment_parcel__descriptor);
    if (message == NULL ||
        !message_put_text(arena, &message->tracking_number, parcel->tracking_number) ||
        !message_put_text(arena, &message->reference, parcel->parcel.reference) ||
        !put_money(arena, &message->value, parcel->parcel.value))
        return NULL;
    message->weight_grams = parcel->parcel.weight_grams;
    message->length_mm = parcel->parcel.length_mm;
    message->width_mm = parcel->parcel.width_mm;
    message->height_mm = parcel->parcel.height_mm;
    return message;
}

static bool put_parcels(struct arena *arena, const struct shipment *shipment,
                        Waybill__Shipping__V1__Shipment *message)
{
    size_t count = shipment->consignment.parcel_count;
    message->parcels = arena_allocate_zero(arena, count + 1, sizeof *message->parcels);
    if (message->parcels == NULL)
        return false;
    for (size_t i = 0; i < count; i++) {
        message->parcels[i] = parcel_message(arena, &shipment->parcels[i]);
        if (message->parcels[i] == NULL)
            return false;
    }
    message->n_parcels = count;
    return true;
}

static Waybill__Shipping__V1__LabelFormat format_of(enum shipping_label_format format)
{
    switch (format) {
    case SHIPPING_LABEL_PDF:
        return WAYBILL__SHIPPING__V1__LABEL_FORMAT__LABEL_FORMAT_PDF;
    case SHIPPING_LABEL_ZPL:
        return WAYBILL__SHIPPING__V1__LABEL_FORMAT__LABEL_FORMAT_ZPL;
    case SHIPPING_LABEL_PNG:
        return WAYBILL__SHIPPING__V1__LABEL_FORMAT__LABEL_FORMAT_PNG;
    }
    return WAYBILL__SHIPPING__V1__LABEL_FORMAT__LABEL_FORMAT_UNSPECIFIED;
}

static Waybill__Shipping__V1__ShipmentDirection direction_of(enum shipping_direction direction)
{
    switch (direction) {
    case SHIPPING_OUTBOUND:
        return WAYBILL__SHIPPING__V1__SHIPMENT_DIRECTION__SHIPMENT_DIRECTION_OUTBOUND;
    case SHIPPING_RETURN:
        return WAYBILL__SHIPPING__V1__SHIPMENT_DIRECTION__SHIPMENT_DIRECTION_RETURN;
    }
    return WAYBILL__SHIPPING__V1__SHIPMENT_DIRECTION__SHIPMENT_DIRECTION_UNSPECIFIED;
}

/* Numbers of enum shipment_state are those of the interface. */
_Static_assert((int)SHIPMENT_INTENT ==
                       (int)WAYBILL__SHIPPING__V1__SHIPMENT_STATE__SHIPMENT_STATE_INTENT &&
                   (int)SHIPMENT_CANCELLED ==
                       (int)WAYBILL__SHIPPING__V1__SHIPMENT_STATE__SHIPMENT_STATE_CANCELLED,
               "states are numbered as in the interface");

Waybill__Shipping__V1__Shipment *shipment_message(struct arena *arena,
                                                  const struct shipment *shipment)
{
    Waybill__Shipping__V1__Shipment *message =
        message_create(arena, &waybill__shipping__v1__shipment__descriptor);
    if (message == NULL || !message_put_text(arena, &message->shipment_id, shipment->shipment_id) ||
        !message_put_text(arena, &message->order_id, shipment->order_id) ||
        !message_put_text(arena, &message->carrier, shipment->carrier) ||
        !message_put_text(arena, &message->service_code, shipment->service_code) ||
        !message_put_text(arena, &message->reference, shipment->reference) ||
        !message_put_text(arena, &message->tracking_number, shipment->tracking_number) ||
        !message_put_text(arena, &message->failure, shipment->failure) ||
        !put_money(arena, &message->amount, shipment->amount) ||
        !put_money(arena, &message->charged, shipment->charged) ||
        !message_put_time(arena, &message->create_time, shipment->create_time_us) ||
        !put_parcels(arena, shipment, message))
        return NULL;
    message->origin = address_message(arena, &shipment->consignment.origin);
    message->destination = address_message(arena, &shipment->consignment.destination);
    if (message->origin == NULL || message->destination == NULL)
        return NULL;
    message->direction = direction_of(shipment->consignment.direction);
    message->state = (Waybill__Shipping__V1__ShipmentState)shipment->state;
    message->label_format = format_of(shipment->label_format);
    message->revision = shipment->revision;
    return message;
}

Waybill__Shipping__V1__Scan *scan_message(struct arena *arena, const struct shipping_scan *scan)
{
    Waybill__Shipping__V1__Scan *message =
        message_create(arena, &waybill__shipping__v1__scan__descriptor);
    if (message == NULL ||
        !message_put_text(arena, &message->tracking_number, scan->tracking_number) ||
        !message_put_text(arena, &message->carrier_code, scan->carrier_code) ||
        !message_put_text(arena, &message->description, scan->description) ||
        !message_put_text(arena, &message->facility, scan->facility) ||
        !message_put_text(arena, &message->city, scan->city) ||
        !message_put_text(arena, &message->country_code, scan->country_code) ||
        !message_put_time(arena, &message->occurred_time, scan->occurred_time_us))
        return NULL;
    if (scan->has_point &&
        !message_put_point(arena, &message->point, scan->latitude_e7, scan->longitude_e7))
        return NULL;
    if (scan->has_utc_offset) {
        message->utc_offset_minutes =
            message_create(arena, &google__protobuf__int32_value__descriptor);
        if (message->utc_offset_minutes == NULL)
            return NULL;
        message->utc_offset_minutes->value = scan->utc_offset_minutes;
    }
    return message;
}
