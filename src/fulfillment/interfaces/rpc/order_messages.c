/*
 * Records to messages. protobuf-c wants NUL-terminated strings: every text is copied with a NUL
 * behind it. A part without memory makes the whole NULL.
 */
#include "fulfillment/interfaces/rpc/order_messages.h"

void *order_message_create(struct arena *arena, const ProtobufCMessageDescriptor *descriptor)
{
    ProtobufCMessage *message = arena_allocate(arena, descriptor->sizeof_message);
    if (message != NULL)
        protobuf_c_message_init(descriptor, message);
    return message;
}

/* Room for `count` pointers to messages or texts. */
static void *pointers(struct arena *arena, size_t count)
{
    return arena_allocate_zero(arena, count + 1, sizeof(void *));
}

bool order_put_text(struct arena *arena, char **out, struct text text)
{
    *out = arena_copy_string(arena, text);
    return *out != NULL;
}

bool order_put_texts(struct arena *arena, char ***out, size_t *out_count, const struct text *texts,
                     size_t count)
{
    *out = pointers(arena, count);
    *out_count = count;
    if (*out == NULL)
        return false;
    for (size_t i = 0; i < count; i++) {
        if (!order_put_text(arena, &(*out)[i], texts[i]))
            return false;
    }
    return true;
}

bool order_put_time(struct arena *arena, Google__Protobuf__Timestamp **out, int64_t time_us)
{
    *out = NULL;
    if (time_us == 0)
        return true;
    *out = order_message_create(arena, &google__protobuf__timestamp__descriptor);
    if (*out == NULL)
        return false;
    (*out)->seconds = time_us / 1000000;
    (*out)->nanos = (int32_t)(time_us % 1000000) * 1000;
    return true;
}

bool order_put_money(struct arena *arena, Waybill__Common__V1__Money **out, const char *currency,
                     int64_t amount_minor)
{
    *out = NULL;
    if (currency[0] == '\0')
        return true;
    *out = order_message_create(arena, &waybill__common__v1__money__descriptor);
    if (*out == NULL)
        return false;
    (*out)->amount_minor = amount_minor;
    return order_put_text(arena, &(*out)->currency_code, text_of(currency));
}

bool order_put_address(struct arena *arena, Waybill__Common__V1__Address **out,
                       const struct order_address *address)
{
    Waybill__Common__V1__Address *message =
        order_message_create(arena, &waybill__common__v1__address__descriptor);
    *out = message;
    if (message == NULL || !order_put_text(arena, &message->name, address->name) ||
        !order_put_text(arena, &message->company, address->company) ||
        !order_put_text(arena, &message->phone, address->phone) ||
        !order_put_text(arena, &message->email, address->email) ||
        !order_put_texts(arena, &message->lines, &message->n_lines, address->lines,
                         address->line_count) ||
        !order_put_text(arena, &message->city, address->city) ||
        !order_put_text(arena, &message->region, address->region) ||
        !order_put_text(arena, &message->postal_code, address->postal_code) ||
        !order_put_text(arena, &message->country_code, address->country_code))
        return false;
    if (!address->has_point)
        return true;
    message->point = order_message_create(arena, &waybill__common__v1__geo_point__descriptor);
    if (message->point == NULL)
        return false;
    message->point->latitude_e7 = address->latitude_e7;
    message->point->longitude_e7 = address->longitude_e7;
    return true;
}

/* --- the order --- */

static Waybill__Fulfillment__V1__OrderLine *line_message(struct arena *arena,
                                                         const struct order *order,
                                                         const struct order_line *line)
{
    Waybill__Fulfillment__V1__OrderLine *message =
        order_message_create(arena, &waybill__fulfillment__v1__order_line__descriptor);
    if (message == NULL || !order_put_text(arena, &message->sku, line->sku) ||
        !order_put_money(arena, &message->unit_value, order->currency, line->unit_value_minor))
        return NULL;
    message->quantity = line->quantity;
    return message;
}

static bool put_part_lines(struct arena *arena, Waybill__Fulfillment__V1__OrderPart *message,
                           const struct order_part *part)
{
    message->lines = pointers(arena, part->line_count);
    if (message->lines == NULL)
        return false;
    for (size_t i = 0; i < part->line_count; i++) {
        Waybill__Fulfillment__V1__OrderPartLine *line =
            order_message_create(arena, &waybill__fulfillment__v1__order_part_line__descriptor);
        if (line == NULL || !order_put_text(arena, &line->sku, part->lines[i].sku))
            return false;
        line->quantity = part->lines[i].quantity;
        message->lines[i] = line;
    }
    message->n_lines = part->line_count;
    return true;
}

static bool put_tracking_numbers(struct arena *arena, Waybill__Fulfillment__V1__OrderPart *message,
                                 const struct order_part *part)
{
    message->tracking_numbers = pointers(arena, part->parcel_count);
    if (message->tracking_numbers == NULL)
        return false;
    for (size_t i = 0; i < part->parcel_count; i++) {
        if (!order_put_text(arena, &message->tracking_numbers[i], part->parcels[i].tracking_number))
            return false;
    }
    message->n_tracking_numbers = part->parcel_count;
    return true;
}

/* The shipment has an id from the promise on, but there is one only once labels are wanted. */
static bool put_ids(struct arena *arena, Waybill__Fulfillment__V1__OrderPart *message,
                    const struct order *order, const struct order_part *part)
{
    struct text allocation_id = order_allocation_id(arena, order);
    struct text shipment_id = {0};
    if (order->pivot_is_passed)
        shipment_id = order_shipment_id(arena, order, part);
    return allocation_id.data != NULL &&
           order_put_text(arena, &message->allocation_id, allocation_id) &&
           order_put_text(arena, &message->shipment_id, shipment_id);
}

static Waybill__Fulfillment__V1__OrderPart *part_message(struct arena *arena,
                                                         const struct order *order,
                                                         const struct order_part *part)
{
    Waybill__Fulfillment__V1__OrderPart *message =
        order_message_create(arena, &waybill__fulfillment__v1__order_part__descriptor);
    if (message == NULL || !order_put_text(arena, &message->warehouse_id, part->warehouse_id) ||
        !put_part_lines(arena, message, part) || !put_ids(arena, message, order, part) ||
        !order_put_text(arena, &message->carrier, part->carrier) ||
        !order_put_text(arena, &message->service_code, part->service_code) ||
        !put_tracking_numbers(arena, message, part) ||
        !order_put_money(arena, &message->amount, order->currency, part->amount_minor) ||
        !order_put_money(arena, &message->charged, part->charged.currency,
                         part->charged.amount_minor) ||
        !order_put_time(arena, &message->estimated_delivery_time,
                        part->estimated_delivery_time_us) ||
        !order_put_time(arena, &message->delivered_time, order_part_delivered_time_us(part)))
        return NULL;
    return message;
}

static bool put_lines_and_parts(struct arena *arena, Waybill__Fulfillment__V1__Order *message,
                                const struct order *order)
{
    message->lines = pointers(arena, order->line_count);
    message->parts = pointers(arena, order->part_count);
    if (message->lines == NULL || message->parts == NULL)
        return false;
    for (size_t i = 0; i < order->line_count; i++) {
        message->lines[i] = line_message(arena, order, &order->lines[i]);
        if (message->lines[i] == NULL)
            return false;
    }
    for (size_t i = 0; i < order->part_count; i++) {
        message->parts[i] = part_message(arena, order, &order->parts[i]);
        if (message->parts[i] == NULL)
            return false;
    }
    message->n_lines = order->line_count;
    message->n_parts = order->part_count;
    return true;
}

static bool put_costs(struct arena *arena, Waybill__Fulfillment__V1__Order *message,
                      const struct order *order)
{
    return order_put_money(arena, &message->goods_value, order->currency, order->goods_minor) &&
           order_put_money(arena, &message->shipping_cost, order->currency,
                           order->shipping_minor) &&
           order_put_money(arena, &message->handling_cost, order->currency,
                           order->handling_minor) &&
           order_put_money(arena, &message->landed_cost, order->currency, order->landed_minor);
}

Waybill__Fulfillment__V1__Order *order_message(struct arena *arena, const struct order *order)
{
    Waybill__Fulfillment__V1__Order *message =
        order_message_create(arena, &waybill__fulfillment__v1__order__descriptor);
    struct text reservation_id = order_reservation_id(arena, order);
    if (message == NULL || reservation_id.data == NULL ||
        !order_put_text(arena, &message->order_id, order->order_id) ||
        !order_put_text(arena, &message->customer_id, order->customer_id) ||
        !put_lines_and_parts(arena, message, order) ||
        !order_put_address(arena, &message->destination, &order->destination) ||
        !order_put_text(arena, &message->reservation_id, reservation_id) ||
        !put_costs(arena, message, order) ||
        !order_put_time(arena, &message->expire_time, order->expire_time_us) ||
        !order_put_text(arena, &message->attention_reason, order->attention_reason) ||
        !order_put_text(arena, &message->cancel_reason, order->cancel_reason) ||
        !order_put_time(arena, &message->create_time, order->create_time_us))
        return NULL;
    message->state = (Waybill__Fulfillment__V1__OrderState)order->state;
    message->revision = order->revision;
    message->cancelling = order->goal == GOAL_CANCEL;
    return message;
}

Waybill__Fulfillment__V1__InsufficientStock *order_shortages_message(
    struct arena *arena, const struct order_shortage *shortages, size_t count)
{
    Waybill__Fulfillment__V1__InsufficientStock *message =
        order_message_create(arena, &waybill__fulfillment__v1__insufficient_stock__descriptor);
    if (message == NULL)
        return NULL;
    message->lines = pointers(arena, count);
    if (message->lines == NULL)
        return NULL;
    for (size_t i = 0; i < count; i++) {
        Waybill__Fulfillment__V1__InsufficientStock__Line *line = order_message_create(
            arena, &waybill__fulfillment__v1__insufficient_stock__line__descriptor);
        if (line == NULL || !order_put_text(arena, &line->sku, shortages[i].sku))
            return NULL;
        line->requested_quantity = shortages[i].requested_quantity;
        line->available_quantity = shortages[i].available_quantity;
        message->lines[i] = line;
    }
    message->n_lines = count;
    return message;
}
