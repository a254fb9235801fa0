/* Records to messages. A part without memory makes the whole NULL. */
#include "fulfillment/interfaces/rpc/order_messages.h"

bool order_put_address(struct arena *arena, Waybill__Common__V1__Address **out,
                       const struct order_address *address)
{
    Waybill__Common__V1__Address *message =
        message_create(arena, &waybill__common__v1__address__descriptor);
    *out = message;
    if (message == NULL || !message_put_text(arena, &message->name, address->name) ||
        !message_put_text(arena, &message->company, address->company) ||
        !message_put_text(arena, &message->phone, address->phone) ||
        !message_put_text(arena, &message->email, address->email) ||
        !message_put_texts(arena, &message->lines, &message->n_lines, address->lines,
                           address->line_count) ||
        !message_put_text(arena, &message->city, address->city) ||
        !message_put_text(arena, &message->region, address->region) ||
        !message_put_text(arena, &message->postal_code, address->postal_code) ||
        !message_put_text(arena, &message->country_code, address->country_code))
        return false;
    return !address->has_point ||
           message_put_point(arena, &message->point, address->latitude_e7, address->longitude_e7);
}

/* --- the order --- */

static Waybill__Fulfillment__V1__OrderLine *line_message(struct arena *arena,
                                                         const struct order *order,
                                                         const struct order_line *line)
{
    Waybill__Fulfillment__V1__OrderLine *message =
        message_create(arena, &waybill__fulfillment__v1__order_line__descriptor);
    if (message == NULL || !message_put_text(arena, &message->sku, line->sku) ||
        !message_put_money(arena, &message->unit_value, order->currency, line->unit_value_minor))
        return NULL;
    message->quantity = line->quantity;
    return message;
}

static bool put_part_lines(struct arena *arena, Waybill__Fulfillment__V1__OrderPart *message,
                           const struct order_part *part)
{
    message->lines = message_pointers(arena, part->line_count);
    if (message->lines == NULL)
        return false;
    for (size_t i = 0; i < part->line_count; i++) {
        Waybill__Fulfillment__V1__OrderPartLine *line =
            message_create(arena, &waybill__fulfillment__v1__order_part_line__descriptor);
        if (line == NULL || !message_put_text(arena, &line->sku, part->lines[i].sku))
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
    message->tracking_numbers = message_pointers(arena, part->parcel_count);
    if (message->tracking_numbers == NULL)
        return false;
    for (size_t i = 0; i < part->parcel_count; i++) {
        if (!message_put_text(arena, &message->tracking_numbers[i],
                              part->parcels[i].tracking_number))
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
           message_put_text(arena, &message->allocation_id, allocation_id) &&
           message_put_text(arena, &message->shipment_id, shipment_id);
}

static Waybill__Fulfillment__V1__OrderPart *part_message(struct arena *arena,
                                                         const struct order *order,
                                                         const struct order_part *part)
{
    Waybill__Fulfillment__V1__OrderPart *message =
        message_create(arena, &waybill__fulfillment__v1__order_part__descriptor);
    if (message == NULL || !message_put_text(arena, &message->warehouse_id, part->warehouse_id) ||
        !put_part_lines(arena, message, part) || !put_ids(arena, message, order, part) ||
        !message_put_text(arena, &message->carrier, part->carrier) ||
        !message_put_text(arena, &message->service_code, part->service_code) ||
        !put_tracking_numbers(arena, message, part) ||
        !message_put_money(arena, &message->amount, order->currency, part->amount_minor) ||
        !message_put_money(arena, &message->charged, part->charged.currency,
                           part->charged.amount_minor) ||
        !message_put_time(arena, &message->estimated_delivery_time,
                          part->estimated_delivery_time_us) ||
        !message_put_time(arena, &message->delivered_time, order_part_delivered_time_us(part)))
        return NULL;
    return message;
}

static bool put_lines_and_parts(struct arena *arena, Waybill__Fulfillment__V1__Order *message,
                                const struct order *order)
{
    message->lines = message_pointers(arena, order->line_count);
    message->parts = message_pointers(arena, order->part_count);
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
    return message_put_money(arena, &message->goods_value, order->currency, order->goods_minor) &&
           message_put_money(arena, &message->shipping_cost, order->currency,
                             order->shipping_minor) &&
           message_put_money(arena, &message->handling_cost, order->currency,
                             order->handling_minor) &&
           message_put_money(arena, &message->landed_cost, order->currency, order->landed_minor);
}

Waybill__Fulfillment__V1__Order *order_message(struct arena *arena, const struct order *order)
{
    Waybill__Fulfillment__V1__Order *message =
        message_create(arena, &waybill__fulfillment__v1__order__descriptor);
    struct text reservation_id = order_reservation_id(arena, order);
    if (message == NULL || reservation_id.data == NULL ||
        !message_put_text(arena, &message->order_id, order->order_id) ||
        !message_put_text(arena, &message->customer_id, order->customer_id) ||
        !put_lines_and_parts(arena, message, order) ||
        !order_put_address(arena, &message->destination, &order->destination) ||
        !message_put_text(arena, &message->reservation_id, reservation_id) ||
        !put_costs(arena, message, order) ||
        !message_put_time(arena, &message->expire_time, order->expire_time_us) ||
        !message_put_text(arena, &message->attention_reason, order->attention_reason) ||
        !message_put_text(arena, &message->cancel_reason, order->cancel_reason) ||
        !message_put_time(arena, &message->create_time, order->create_time_us))
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
        message_create(arena, &waybill__fulfillment__v1__insufficient_stock__descriptor);
    if (message == NULL)
        return NULL;
    message->lines = message_pointers(arena, count);
    if (message->lines == NULL)
        return NULL;
    for (size_t i = 0; i < count; i++) {
        Waybill__Fulfillment__V1__InsufficientStock__Line *line =
            message_create(arena, &waybill__fulfillment__v1__insufficient_stock__line__descriptor);
        if (line == NULL || !message_put_text(arena, &line->sku, shortages[i].sku))
            return NULL;
        line->requested_quantity = shortages[i].requested_quantity;
        line->available_quantity = shortages[i].available_quantity;
        message->lines[i] = line;
    }
    message->n_lines = count;
    return message;
}
