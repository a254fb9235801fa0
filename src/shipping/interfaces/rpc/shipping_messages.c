/*
 * Records to messages. protobuf-c wants NUL-terminated strings: every text is copied with a NUL
 * behind it. A part without memory makes the whole NULL.
 */
#include "shipping/interfaces/rpc/shipping_messages.h"

/* A message of that type with all fields absent, or NULL. */
static void *create(struct arena *arena, const ProtobufCMessageDescriptor *descriptor)
{
    ProtobufCMessage *message = arena_allocate(arena, descriptor->sizeof_message);
    if (message != NULL)
        protobuf_c_message_init(descriptor, message);
    return message;
}

/* Sets *out; false without memory. */
static bool put(struct arena *arena, char **out, struct text text)
{
    *out = arena_copy_string(arena, text);
    return *out != NULL;
}

bool timestamp_message(struct arena *arena, int64_t time_us, Google__Protobuf__Timestamp **out)
{
    int64_t seconds = time_us / 1000000;
    int64_t rest_us = time_us % 1000000;
    *out = NULL;
    if (time_us == 0)
        return true;
    *out = create(arena, &google__protobuf__timestamp__descriptor);
    if (*out == NULL)
        return false;
    if (rest_us < 0) { /* before 1970: nanos count forwards all the same */
        seconds--;
        rest_us += 1000000;
    }
    (*out)->seconds = seconds;
    (*out)->nanos = (int32_t)rest_us * 1000;
    return true;
}

bool money_message(struct arena *arena, struct shipping_money money,
                   Waybill__Common__V1__Money **out)
{
    *out = NULL;
    if (money.currency_code[0] == '\0')
        return true;
    *out = create(arena, &waybill__common__v1__money__descriptor);
    if (*out == NULL)
        return false;
    (*out)->amount_minor = money.amount_minor;
    return put(arena, &(*out)->currency_code, text_of(money.currency_code));
}

static bool put_point(struct arena *arena, bool has_point, int32_t latitude_e7,
                      int32_t longitude_e7, Waybill__Common__V1__GeoPoint **out)
{
    *out = NULL;
    if (!has_point)
        return true;
    *out = create(arena, &waybill__common__v1__geo_point__descriptor);
    if (*out == NULL)
        return false;
    (*out)->latitude_e7 = latitude_e7;
    (*out)->longitude_e7 = longitude_e7;
    return true;
}

static Waybill__Common__V1__Address *address_message(struct arena *arena,
                                                     const struct shipping_address *address)
{
    Waybill__Common__V1__Address *message =
        create(arena, &waybill__common__v1__address__descriptor);
    if (message == NULL || !put(arena, &message->name, address->name) ||
        !put(arena, &message->company, address->company) ||
        !put(arena, &message->phone, address->phone) ||
        !put(arena, &message->email, address->email) ||
        !put(arena, &message->city, address->city) ||
        !put(arena, &message->region, address->region) ||
        !put(arena, &message->postal_code, address->postal_code) ||
        !put(arena, &message->country_code, address->country_code) ||
        !put_point(arena, address->has_point, address->latitude_e7, address->longitude_e7,
                   &message->point))
        return NULL;
    message->lines = arena_allocate_zero(arena, address->line_count + 1, sizeof *message->lines);
    if (message->lines == NULL)
        return NULL;
    for (size_t i = 0; i < address->line_count; i++) {
        if (!put(arena, &message->lines[i], address->lines[i]))
            return NULL;
    }
    message->n_lines = address->line_count;
    return message;
}

static Waybill__Shipping__V1__ShipmentParcel *parcel_message(struct arena *arena,
                                                             const struct shipment_parcel *parcel)
{
    Waybill__Shipping__V1__ShipmentParcel *message =
        create(arena, &waybill__shipping__v1__shipment_parcel__descriptor);
    if (message == NULL || !put(arena, &message->tracking_number, parcel->tracking_number) ||
        !put(arena, &message->reference, parcel->parcel.reference) ||
        !money_message(arena, parcel->parcel.value, &message->value))
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
        create(arena, &waybill__shipping__v1__shipment__descriptor);
    if (message == NULL || !put(arena, &message->shipment_id, shipment->shipment_id) ||
        !put(arena, &message->order_id, shipment->order_id) ||
        !put(arena, &message->carrier, shipment->carrier) ||
        !put(arena, &message->service_code, shipment->service_code) ||
        !put(arena, &message->reference, shipment->reference) ||
        !put(arena, &message->tracking_number, shipment->tracking_number) ||
        !put(arena, &message->failure, shipment->failure) ||
        !money_message(arena, shipment->amount, &message->amount) ||
        !money_message(arena, shipment->charged, &message->charged) ||
        !timestamp_message(arena, shipment->create_time_us, &message->create_time) ||
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
    Waybill__Shipping__V1__Scan *message = create(arena, &waybill__shipping__v1__scan__descriptor);
    if (message == NULL || !put(arena, &message->tracking_number, scan->tracking_number) ||
        !put(arena, &message->carrier_code, scan->carrier_code) ||
        !put(arena, &message->description, scan->description) ||
        !put(arena, &message->facility, scan->facility) ||
        !put(arena, &message->city, scan->city) ||
        !put(arena, &message->country_code, scan->country_code) ||
        !timestamp_message(arena, scan->occurred_time_us, &message->occurred_time) ||
        !put_point(arena, scan->has_point, scan->latitude_e7, scan->longitude_e7, &message->point))
        return NULL;
    if (scan->has_utc_offset) {
        message->utc_offset_minutes = create(arena, &google__protobuf__int32_value__descriptor);
        if (message->utc_offset_minutes == NULL)
            return NULL;
        message->utc_offset_minutes->value = scan->utc_offset_minutes;
    }
    return message;
}
