/* Inventory's and warehouse's calls, and the table of all. Shipping's and tracking's: parcels. */
#include "fulfillment/interfaces/client/order_client_parcels.h"
#include "fulfillment/interfaces/rpc/order_messages.h"

#include "waybill/inventory/v1/inventory.pb-c.h"
#include "waybill/shipping/v1/shipping.pb-c.h"
#include "waybill/tracking/v1/tracking.pb-c.h"
#include "waybill/warehouse/v1/warehouse.pb-c.h"

#define INVENTORY "/waybill.inventory.v1.InventoryService/"
#define WAREHOUSE "/waybill.warehouse.v1.WarehouseService/"
#define SHIPPING  "/waybill.shipping.v1.ShippingService/"
#define TRACKING  "/waybill.tracking.v1.TrackingService/"

static const int64_t quick_us = 5000000;
static const int64_t carrier_us = 20000000; /* a carrier is asked; rates come by the deadline */
const int64_t order_clients_call_us_max = 6000000;
const int64_t order_clients_carrier_call_us_max = 21000000;

static struct order_money money_of(const Waybill__Common__V1__Money *message)
{
    struct order_money money = {0};
    size_t size = message == NULL ? 0 : strlen(message->currency_code);
    if (size == 0 || size > 3)
        return money;
    memcpy(money.currency, message->currency_code, size);
    money.amount_minor = message->amount_minor;
    return money;
}

static bool copy_text(struct order_call *call, struct text *out, const char *string)
{
    *out = arena_copy_text(call->arena, text_of(string));
    return out->data != NULL;
}

/* --- inventory --- */

bool order_call_put_id(const struct order_call *call, char **out, struct text id)
{
    return id.data != NULL && message_put_text(call->arena, out, id);
}

static bool put_reservation_id(const struct order_call *call, char **out)
{
    return order_call_put_id(call, out, order_reservation_id(call->arena, call->order));
}

static Google__Protobuf__Duration *ttl_message(const struct order_call *call)
{
    Google__Protobuf__Duration *ttl =
        message_create(call->arena, &google__protobuf__duration__descriptor);
    if (ttl != NULL) {
        ttl->seconds = call->order->ttl_us / 1000000;
        ttl->nanos = (int32_t)(call->order->ttl_us % 1000000) * 1000;
    }
    return ttl;
}

static bool write_reserve(const struct order_call *call, int64_t parcel_grams_max,
                          ProtobufCMessage *message)
{
    Waybill__Inventory__V1__ReserveRequest *request = (void *)message;
    const struct order *order = call->order;
    (void)parcel_grams_max;
    request->ttl = ttl_message(call);
    request->lines = arena_allocate_zero(call->arena, order->line_count + 1, sizeof(void *));
    if (request->ttl == NULL || request->lines == NULL ||
        !put_reservation_id(call, &request->reservation_id) ||
        !message_put_text(call->arena, &request->order_id, order->order_id) ||
        !message_put_text(call->arena, &request->customer_id, order->customer_id))
        return false;
    for (size_t i = 0; i < order->line_count; i++) {
        Waybill__Inventory__V1__ReserveLine *line =
            message_create(call->arena, &waybill__inventory__v1__reserve_line__descriptor);
        if (line == NULL || !message_put_text(call->arena, &line->sku, order->lines[i].sku))
            return false;
        line->quantity = order->lines[i].quantity;
        request->lines[i] = line;
    }
    request->n_lines = order->line_count;
    return true;
}

/* What a reservation as it is now means for who wants it PENDING. */
static void take_reservation(struct order_call *call,
                             const Waybill__Inventory__V1__Reservation *reservation)
{
    if (reservation == NULL) {
        order_call_refuse(call, CALL_UNAVAILABLE, REFUSAL_UNAVAILABLE, "", "an empty answer");
        return;
    }
    call->expire_time_us = message_time_us(reservation->expire_time);
    switch (reservation->state) {
    case WAYBILL__INVENTORY__V1__RESERVATION_STATE__RESERVATION_STATE_PENDING:
        call->outcome = CALL_DONE;
        return;
    case WAYBILL__INVENTORY__V1__RESERVATION_STATE__RESERVATION_STATE_COMMITTED:
        order_call_refuse(call, CALL_HOLD_USED, REFUSAL_PRECONDITION, "RESERVATION_COMMITTED",
                          "the reservation is committed");
        return;
    case WAYBILL__INVENTORY__V1__RESERVATION_STATE__RESERVATION_STATE_ROLLED_BACK:
        order_call_refuse(call, CALL_HOLD_GONE, REFUSAL_PRECONDITION, "RESERVATION_ROLLED_BACK",
                          "the reservation was rolled back");
        return;
    case WAYBILL__INVENTORY__V1__RESERVATION_STATE__RESERVATION_STATE_EXPIRED:
        order_call_refuse(call, CALL_HOLD_EXPIRED, REFUSAL_PRECONDITION, "RESERVATION_EXPIRED",
                          "the reservation has expired");
        return;
    case WAYBILL__INVENTORY__V1__RESERVATION_STATE__RESERVATION_STATE_UNSPECIFIED:
    case _WAYBILL__INVENTORY__V1__RESERVATION_STATE_IS_INT_SIZE:
        break;
    }
    order_call_refuse(call, CALL_UNAVAILABLE, REFUSAL_UNAVAILABLE, "", "an unknown state");
}

static bool read_reserve(struct order_call *call, const ProtobufCMessage *response)
{
    take_reservation(call,
                     ((const Waybill__Inventory__V1__ReserveResponse *)response)->reservation);
    return true;
}

static bool write_extend(const struct order_call *call, int64_t parcel_grams_max,
                         ProtobufCMessage *message)
{
    Waybill__Inventory__V1__ExtendReservationRequest *request = (void *)message;
    (void)parcel_grams_max;
    request->ttl = ttl_message(call);
    return request->ttl != NULL && put_reservation_id(call, &request->reservation_id);
}

static bool read_extend(struct order_call *call, const ProtobufCMessage *response)
{
    take_reservation(
        call, ((const Waybill__Inventory__V1__ExtendReservationResponse *)response)->reservation);
    return true;
}

static bool write_commit(const struct order_call *call, int64_t parcel_grams_max,
                         ProtobufCMessage *message)
{
    Waybill__Inventory__V1__CommitRequest *request = (void *)message;
    (void)parcel_grams_max;
    request->retake_if_expired = true;
    return put_reservation_id(call, &request->reservation_id);
}

/* The status says all. */
static bool read_nothing(struct order_call *call, const ProtobufCMessage *response)
{
    (void)response;
    call->outcome = CALL_DONE;
    return true;
}

static bool write_rollback(const struct order_call *call, int64_t parcel_grams_max,
                           ProtobufCMessage *message)
{
    (void)parcel_grams_max;
    return put_reservation_id(
        call, &((Waybill__Inventory__V1__RollbackRequest *)(void *)message)->reservation_id);
}

static bool add_return_line(const struct order_call *call,
                            Waybill__Inventory__V1__ReturnStockRequest *request, struct text sku,
                            int64_t quantity)
{
    for (size_t i = 0; i < request->n_lines; i++) {
        if (text_equals_string(sku, request->lines[i]->sku)) {
            request->lines[i]->quantity += quantity;
            return true;
        }
    }
    Waybill__Inventory__V1__ReturnLine *line =
        message_create(call->arena, &waybill__inventory__v1__return_line__descriptor);
    if (line == NULL || !message_put_text(call->arena, &line->sku, sku))
        return false;
    line->quantity = quantity;
    request->lines[request->n_lines++] = line;
    return true;
}

static bool begin_return(const struct order_call *call,
                         Waybill__Inventory__V1__ReturnStockRequest *request, struct text id)
{
    request->lines = arena_allocate_zero(call->arena, call->order->line_count + 1, sizeof(void *));
    return request->lines != NULL && id.data != NULL &&
           message_put_text(call->arena, &request->return_id, id) &&
           put_reservation_id(call, &request->reservation_id);
}

static bool write_return(const struct order_call *call, int64_t parcel_grams_max,
                         ProtobufCMessage *message)
{
    Waybill__Inventory__V1__ReturnStockRequest *request = (void *)message;
    const struct order *order = call->order;
    (void)parcel_grams_max;
    request->reason = WAYBILL__INVENTORY__V1__RETURN_REASON__RETURN_REASON_CANCELLED;
    if (!begin_return(call, request, order_made_id(call->arena, order->order_id, "return", 1)))
        return false;
    for (size_t i = 0; i < order->part_count; i++) {
        const struct order_part *part = &order->parts[i];
        for (size_t k = 0; k < part->line_count && !part->is_shipped; k++) {
            if (!add_return_line(call, request, part->lines[k].sku, part->lines[k].quantity))
                return false;
        }
    }
    return true;
}

static bool write_return_short(const struct order_call *call, int64_t parcel_grams_max,
                               ProtobufCMessage *message)
{
    Waybill__Inventory__V1__ReturnStockRequest *request = (void *)message;
    const struct order_part *part = &call->order->parts[call->part];
    (void)parcel_grams_max;
    request->reason = WAYBILL__INVENTORY__V1__RETURN_REASON__RETURN_REASON_SHORT_PICK;
    if (!begin_return(call, request,
                      order_made_id(call->arena, call->order->order_id, "short_pick",
                                    part->shipment_attempt)))
        return false;
    for (size_t i = 0; i < part->line_count; i++) {
        int64_t lacking = part->lines[i].quantity - part->lines[i].shipped_quantity;
        if (lacking > 0 && !add_return_line(call, request, part->lines[i].sku, lacking))
            return false;
    }
    return true;
}

/* --- warehouse --- */

static bool write_get_item(const struct order_call *call, int64_t parcel_grams_max,
                           ProtobufCMessage *message)
{
    (void)parcel_grams_max;
    return message_put_text(call->arena,
                            &((Waybill__Warehouse__V1__GetItemRequest *)(void *)message)->sku,
                            call->order->lines[call->item].sku);
}

static bool read_get_item(struct order_call *call, const ProtobufCMessage *response)
{
    const Waybill__Warehouse__V1__Item *item =
        ((const Waybill__Warehouse__V1__GetItemResponse *)response)->item;
    if (item == NULL)
        return false;
    call->outcome = CALL_DONE;
    call->weight_grams = item->weight_grams;
    return copy_text(call, &call->item_name, item->name) &&
           copy_text(call, &call->hs_code, item->hs_code) &&
           copy_text(call, &call->origin_country, item->origin_country);
}

static bool put_allocation_id(const struct order_call *call, char **out)
{
    return order_call_put_id(call, out, order_allocation_id(call->arena, call->order));
}

static bool write_allocate(const struct order_call *call, int64_t parcel_grams_max,
                           ProtobufCMessage *message)
{
    Waybill__Warehouse__V1__AllocateRequest *request = (void *)message;
    const struct order *order = call->order;
    (void)parcel_grams_max;
    request->lines = arena_allocate_zero(call->arena, order->line_count + 1, sizeof(void *));
    if (request->lines == NULL || !put_allocation_id(call, &request->allocation_id) ||
        !message_put_text(call->arena, &request->order_id, order->order_id) ||
        !put_reservation_id(call, &request->reservation_id) ||
        !order_put_address(call->arena, &request->destination, &order->destination) ||
        !message_put_time(call->arena, &request->expire_time, order->hold_until_us))
        return false;
    for (size_t i = 0; i < order->line_count; i++) {
        Waybill__Warehouse__V1__ItemLine *line =
            message_create(call->arena, &waybill__warehouse__v1__item_line__descriptor);
        if (line == NULL || !message_put_text(call->arena, &line->sku, order->lines[i].sku))
            return false;
        line->quantity = order->lines[i].quantity;
        request->lines[i] = line;
    }
    request->n_lines = order->line_count;
    return true;
}

static bool read_part(struct order_call *call,
                      const Waybill__Warehouse__V1__AllocationPart *message,
                      struct order_allocated_part *part)
{
    part->lines = arena_allocate_zero(call->arena, message->n_lines + 1, sizeof *part->lines);
    part->cost_minor = message->cost == NULL ? 0 : message->cost->amount_minor;
    part->is_shipped =
        message->state == WAYBILL__WAREHOUSE__V1__ALLOCATION_STATE__ALLOCATION_STATE_SHIPPED;
    if (part->lines == NULL || !copy_text(call, &part->warehouse_id, message->warehouse_id))
        return false;
    for (size_t i = 0; i < message->n_lines; i++) {
        part->lines[i].quantity = message->lines[i]->quantity;
        part->lines[i].shipped_quantity =
            part->is_shipped ? message->lines[i]->shipped_quantity : 0;
        if (!copy_text(call, &part->lines[i].sku, message->lines[i]->sku))
            return false;
    }
    part->line_count = message->n_lines;
    return true;
}

static bool read_allocation(struct order_call *call,
                            const Waybill__Warehouse__V1__Allocation *message)
{
    if (message == NULL)
        return false;
    call->total_cost = money_of(message->total_cost);
    call->allocated =
        arena_allocate_zero(call->arena, message->n_parts + 1, sizeof *call->allocated);
    if (call->allocated == NULL)
        return false;
    for (size_t i = 0; i < message->n_parts; i++) {
        if (!read_part(call, message->parts[i], &call->allocated[i]))
            return false;
    }
    call->allocated_count = message->n_parts;
    call->outcome = CALL_DONE;
    return true;
}

/* The record as it is now: it may have been made long ago. */
static bool read_allocate(struct order_call *call, const ProtobufCMessage *response)
{
    const Waybill__Warehouse__V1__Allocation *allocation =
        ((const Waybill__Warehouse__V1__AllocateResponse *)response)->allocation;
    if (!read_allocation(call, allocation))
        return false;
    if (allocation->state == WAYBILL__WAREHOUSE__V1__ALLOCATION_STATE__ALLOCATION_STATE_EXPIRED)
        order_call_refuse(call, CALL_HOLD_EXPIRED, REFUSAL_PRECONDITION, "ALLOCATION_EXPIRED",
                          "the allocation has expired");
    if (allocation->state == WAYBILL__WAREHOUSE__V1__ALLOCATION_STATE__ALLOCATION_STATE_RELEASED)
        order_call_refuse(call, CALL_HOLD_GONE, REFUSAL_PRECONDITION, "ALLOCATION_RELEASED",
                          "the allocation was released");
    return true;
}

static bool write_confirm(const struct order_call *call, int64_t parcel_grams_max,
                          ProtobufCMessage *message)
{
    (void)parcel_grams_max;
    return put_allocation_id(
        call,
        &((Waybill__Warehouse__V1__ConfirmAllocationRequest *)(void *)message)->allocation_id);
}

static bool write_release(const struct order_call *call, int64_t parcel_grams_max,
                          ProtobufCMessage *message)
{
    (void)parcel_grams_max;
    return put_allocation_id(
        call,
        &((Waybill__Warehouse__V1__ReleaseAllocationRequest *)(void *)message)->allocation_id);
}

static bool read_release(struct order_call *call, const ProtobufCMessage *response)
{
    return read_allocation(
        call, ((const Waybill__Warehouse__V1__ReleaseAllocationResponse *)response)->allocation);
}

static bool write_get_warehouse(const struct order_call *call, int64_t parcel_grams_max,
                                ProtobufCMessage *message)
{
    (void)parcel_grams_max;
    return message_put_text(
        call->arena,
        &((Waybill__Warehouse__V1__GetWarehouseRequest *)(void *)message)->warehouse_id,
        call->order->parts[call->part].warehouse_id);
}

static bool read_address(struct order_call *call, const Waybill__Common__V1__Address *message,
                         struct order_address *address)
{
    *address = (struct order_address){0};
    if (message == NULL)
        return true;
    struct text *lines = arena_allocate_zero(call->arena, message->n_lines + 1, sizeof *lines);
    if (lines == NULL || !copy_text(call, &address->name, message->name) ||
        !copy_text(call, &address->company, message->company) ||
        !copy_text(call, &address->phone, message->phone) ||
        !copy_text(call, &address->email, message->email) ||
        !copy_text(call, &address->city, message->city) ||
        !copy_text(call, &address->region, message->region) ||
        !copy_text(call, &address->postal_code, message->postal_code) ||
        !copy_text(call, &address->country_code, message->country_code))
        return false;
    for (size_t i = 0; i < message->n_lines; i++) {
        if (!copy_text(call, &lines[i], message->lines[i]))
            return false;
    }
    address->lines = lines;
    address->line_count = message->n_lines;
    address->has_point = message->point != NULL;
    if (message->point != NULL) {
        address->latitude_e7 = message->point->latitude_e7;
        address->longitude_e7 = message->point->longitude_e7;
    }
    return true;
}

/*
 * A label wants a name and one to four lines; a warehouse whose address has none is found by its
 * own name.
 */
static bool name_origin(struct order_call *call, const Waybill__Warehouse__V1__Warehouse *warehouse)
{
    struct order_address *origin = &call->origin;
    struct text *line = arena_allocate_zero(call->arena, 1, sizeof *line);
    const char *name = warehouse->name[0] != '\0' ? warehouse->name : warehouse->warehouse_id;
    if (line == NULL || !copy_text(call, line, name))
        return false;
    if (origin->name.size == 0 && origin->company.size == 0)
        origin->name = *line;
    if (origin->line_count > fulfillment_address_lines_max)
        origin->line_count = fulfillment_address_lines_max;
    if (origin->line_count == 0) {
        origin->lines = line;
        origin->line_count = 1;
    }
    return true;
}

static bool read_get_warehouse(struct order_call *call, const ProtobufCMessage *response)
{
    const Waybill__Warehouse__V1__Warehouse *warehouse =
        ((const Waybill__Warehouse__V1__GetWarehouseResponse *)response)->warehouse;
    if (warehouse == NULL)
        return false;
    call->outcome = CALL_DONE;
    call->handling = money_of(warehouse->handling_cost);
    return read_address(call, warehouse->address, &call->origin) && name_origin(call, warehouse);
}

/* --- the table --- */

#define MESSAGES(package, name)                                                                    \
    &waybill__##package##__v1__##name##_request__descriptor,                                       \
        &waybill__##package##__v1__##name##_response__descriptor

const struct order_client_row order_client_rows[order_call_kind_count] = {
    [CALL_GET_ITEM] = {ORDER_SERVICE_WAREHOUSE, WAREHOUSE "GetItem", MESSAGES(warehouse, get_item),
                       quick_us, write_get_item, read_get_item},
    [CALL_RESERVE] = {ORDER_SERVICE_INVENTORY, INVENTORY "Reserve", MESSAGES(inventory, reserve),
                      quick_us, write_reserve, read_reserve},
    [CALL_ALLOCATE] = {ORDER_SERVICE_WAREHOUSE, WAREHOUSE "Allocate", MESSAGES(warehouse, allocate),
                       quick_us, write_allocate, read_allocate},
    [CALL_GET_WAREHOUSE] = {ORDER_SERVICE_WAREHOUSE, WAREHOUSE "GetWarehouse",
                            MESSAGES(warehouse, get_warehouse), quick_us, write_get_warehouse,
                            read_get_warehouse},
    [CALL_GET_RATES] = {ORDER_SERVICE_SHIPPING, SHIPPING "GetRates", MESSAGES(shipping, get_rates),
                        quick_us, order_write_get_rates, order_read_get_rates},
    [CALL_EXTEND_RESERVATION] = {ORDER_SERVICE_INVENTORY, INVENTORY "ExtendReservation",
                                 MESSAGES(inventory, extend_reservation), quick_us, write_extend,
                                 read_extend},
    [CALL_CONFIRM_ALLOCATION] = {ORDER_SERVICE_WAREHOUSE, WAREHOUSE "ConfirmAllocation",
                                 MESSAGES(warehouse, confirm_allocation), quick_us, write_confirm,
                                 read_nothing},
    [CALL_COMMIT] = {ORDER_SERVICE_INVENTORY, INVENTORY "Commit", MESSAGES(inventory, commit),
                     quick_us, write_commit, read_nothing},
    [CALL_CREATE_SHIPMENT] = {ORDER_SERVICE_SHIPPING, SHIPPING "CreateShipment",
                              MESSAGES(shipping, create_shipment), carrier_us,
                              order_write_create_shipment, order_read_create_shipment},
    [CALL_CREATE_TRACKING] = {ORDER_SERVICE_TRACKING, TRACKING "CreateTracking",
                              MESSAGES(tracking, create_tracking), quick_us,
                              order_write_create_tracking, read_nothing},
    [CALL_RETURN_STOCK] = {ORDER_SERVICE_INVENTORY, INVENTORY "ReturnStock",
                           MESSAGES(inventory, return_stock), quick_us, write_return, read_nothing},
    [CALL_RETURN_SHORT] = {ORDER_SERVICE_INVENTORY, INVENTORY "ReturnStock",
                           MESSAGES(inventory, return_stock), quick_us, write_return_short,
                           read_nothing},
    [CALL_ROLL_BACK] = {ORDER_SERVICE_INVENTORY, INVENTORY "Rollback",
                        MESSAGES(inventory, rollback), quick_us, write_rollback, read_nothing},
    [CALL_RELEASE_ALLOCATION] = {ORDER_SERVICE_WAREHOUSE, WAREHOUSE "ReleaseAllocation",
                                 MESSAGES(warehouse, release_allocation), quick_us, write_release,
                                 read_release},
    [CALL_CANCEL_SHIPMENT] = {ORDER_SERVICE_SHIPPING, SHIPPING "CancelShipment",
                              MESSAGES(shipping, cancel_shipment), carrier_us,
                              order_write_cancel_shipment, order_read_cancel_shipment},
};
