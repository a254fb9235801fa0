/*
 * What the replay does in the warehouses: describe items, warehouses and cost cards; shelve what
 * all orders need; wait until inventory has been fed with it; and, once an order is paid, allocate
 * and ship it.
 *
 * Every call here is idempotent for ever (the warehouse keeps ids as long as the row), so what is
 * not known to be done is simply done again.
 */
#include "main/replay/stages/replay_stage.h"

#include "main/replay/data/item_weights.h"
#include "main/replay/messages/shelf_messages.h"
#include "main/replay/pump/answer_details.h"

static const int64_t feed_pause_us = INT64_C(20) * 1000;
static const int64_t feed_patience_us = INT64_C(60) * 1000000;

static struct error refused(const struct rpc_client_result *result, const char *method,
                            const char *what)
{
    return error_prefix(answer_error(&result->status), "%s: %s", what, method);
}

/* --- items --- */

static size_t product_count(void *context)
{
    const struct replay *replay = context;
    return replay->data_set->product_count;
}

static bool shelves_are_due(const struct replay *replay)
{
    return replay->received_count < replay->data_set->product_count;
}

static bool is_due_before_shelving(void *context, size_t item)
{
    (void)item;
    return shelves_are_due(context);
}

static bool item_prepare(void *context, size_t product, struct arena *arena, struct pump_call *call)
{
    const struct replay *replay = context;
    const struct data_set_product *of = &replay->data_set->products[product];
    Waybill__Warehouse__V1__PutItemRequest *request = arena_allocate(arena, sizeof *request);
    Waybill__Warehouse__V1__Item *item = arena_allocate(arena, sizeof *item);
    if (request == NULL || item == NULL)
        return false;
    waybill__warehouse__v1__put_item_request__init(request);
    waybill__warehouse__v1__item__init(item);
    request->item = item;
    item->sku = (char *)of->sku.data;
    item->name = (char *)of->description.data;
    item->weight_grams = of->weight_grams;
    item->length_mm = item_edge_mm(of->weight_grams);
    item->width_mm = item->length_mm;
    item->height_mm = item->length_mm;
    call->path = "/waybill.warehouse.v1.WarehouseService/PutItem";
    call->request = &request->base;
    call->response = &waybill__warehouse__v1__put_item_response__descriptor;
    return true;
}

static struct error item_answered(void *context, size_t product,
                                  const struct rpc_client_result *result, bool *again)
{
    const struct replay *replay = context;
    *again = false;
    return result->status.code == GRPC_STATUS_OK
               ? error_none()
               : refused(result, "PutItem", replay->data_set->products[product].sku.data);
}

/* --- warehouses and their cost cards --- */

static size_t warehouse_count(void *context)
{
    const struct replay *replay = context;
    return replay->places->warehouse_count;
}

static bool warehouse_prepare(void *context, size_t warehouse, struct arena *arena,
                              struct pump_call *call)
{
    const struct replay *replay = context;
    Waybill__Warehouse__V1__CreateWarehouseRequest *request =
        arena_allocate(arena, sizeof *request);
    if (request == NULL)
        return false;
    waybill__warehouse__v1__create_warehouse_request__init(request);
    request->warehouse = shelf_message_warehouse(replay->places, warehouse, arena);
    call->path = "/waybill.warehouse.v1.WarehouseService/CreateWarehouse";
    call->request = &request->base;
    call->response = &waybill__warehouse__v1__create_warehouse_response__descriptor;
    return request->warehouse != NULL;
}

static struct error warehouse_answered(void *context, size_t warehouse,
                                       const struct rpc_client_result *result, bool *again)
{
    const struct replay *replay = context;
    *again = false;
    return result->status.code == GRPC_STATUS_OK
               ? error_none()
               : refused(result, "CreateWarehouse",
                         replay->places->warehouses[warehouse].warehouse_id);
}

static bool card_prepare(void *context, size_t warehouse, struct arena *arena,
                         struct pump_call *call)
{
    const struct replay *replay = context;
    Waybill__Warehouse__V1__SetCostCardRequest *request = arena_allocate(arena, sizeof *request);
    if (request == NULL)
        return false;
    waybill__warehouse__v1__set_cost_card_request__init(request);
    request->cost_card = shelf_message_cost_card(replay->places, warehouse, arena);
    call->path = "/waybill.warehouse.v1.WarehouseService/SetCostCard";
    call->request = &request->base;
    call->response = &waybill__warehouse__v1__set_cost_card_response__descriptor;
    return request->cost_card != NULL;
}

static struct error card_answered(void *context, size_t warehouse,
                                  const struct rpc_client_result *result, bool *again)
{
    const struct replay *replay = context;
    *again = false;
    return result->status.code == GRPC_STATUS_OK
               ? error_none()
               : refused(result, "SetCostCard", replay->places->warehouses[warehouse].warehouse_id);
}

/* --- shelving, and the feed to inventory --- */

static size_t delivery_count(void *context)
{
    const struct replay *replay = context;
    return replay->supply.delivery_count;
}

static bool shelve_is_due(void *context, size_t delivery)
{
    const struct replay *replay = context;
    return !replay->received[replay->supply.deliveries[delivery].product];
}

static bool shelve_prepare(void *context, size_t delivery, struct arena *arena,
                           struct pump_call *call)
{
    const struct replay *replay = context;
    const struct replay_delivery *of = &replay->supply.deliveries[delivery];
    const char *warehouse_id = replay->places->warehouses[of->warehouse].warehouse_id;
    struct replay_id id = replay_plan_delivery_id(replay->plan, warehouse_id, of->product);
    Waybill__Warehouse__V1__ReceiveStockRequest *request = arena_allocate(arena, sizeof *request);
    if (request == NULL)
        return false;
    waybill__warehouse__v1__receive_stock_request__init(request);
    request->movement_id = arena_format(arena, "%s", id.string);
    request->warehouse_id = (char *)warehouse_id;
    request->sku = (char *)replay->data_set->products[of->product].sku.data;
    request->quantity = of->packs;
    call->path = "/waybill.warehouse.v1.WarehouseService/ReceiveStock";
    call->request = &request->base;
    call->response = &waybill__warehouse__v1__receive_stock_response__descriptor;
    return request->movement_id != NULL;
}

static struct error shelve_answered(void *context, size_t delivery,
                                    const struct rpc_client_result *result, bool *again)
{
    struct replay *replay = context;
    const struct replay_delivery *of = &replay->supply.deliveries[delivery];
    *again = false;
    replay->feed_give_up_us = clock_monotonic_us(replay->options.clock) + feed_patience_us;
    return result->status.code == GRPC_STATUS_OK
               ? error_none()
               : refused(result, "ReceiveStock",
                         replay->places->warehouses[of->warehouse].warehouse_id);
}

static bool feed_is_due(void *context, size_t product)
{
    const struct replay *replay = context;
    return !replay->received[product];
}

static int64_t feed_wait_us(void *context, size_t product)
{
    (void)context;
    (void)product;
    return feed_pause_us;
}

static bool feed_prepare(void *context, size_t product, struct arena *arena, struct pump_call *call)
{
    const struct replay *replay = context;
    Waybill__Inventory__V1__GetStockRequest *request = arena_allocate(arena, sizeof *request);
    if (request == NULL)
        return false;
    waybill__inventory__v1__get_stock_request__init(request);
    request->sku = (char *)replay->data_set->products[product].sku.data;
    call->path = "/waybill.inventory.v1.InventoryService/GetStock";
    call->request = &request->base;
    call->response = &waybill__inventory__v1__get_stock_response__descriptor;
    return true;
}

/* Inventory hears of the shelves by events: soon, not at once. */
static struct error feed_answered(void *context, size_t product,
                                  const struct rpc_client_result *result, bool *again)
{
    struct replay *replay = context;
    const struct data_set_product *of = &replay->data_set->products[product];
    const Waybill__Inventory__V1__GetStockResponse *response =
        (const Waybill__Inventory__V1__GetStockResponse *)result->response;
    *again = true;
    if (result->status.code != GRPC_STATUS_OK &&
        !answer_has_reason(&result->status, "SKU_NOT_FOUND"))
        return refused(result, "GetStock", of->sku.data);
    if (result->status.code == GRPC_STATUS_OK && response->stock->received >= of->packs) {
        *again = false;
        replay->received[product] = true;
        replay->received_count++;
        return error_none();
    }
    if (clock_monotonic_us(replay->options.clock) < replay->feed_give_up_us)
        return error_none();
    return error_make(ERROR_INTERNAL,
                      "%s: inventory has not heard of the warehouses' receipts within a minute; is "
                      "inventory.on_hand_source = warehouse?",
                      of->sku.data);
}

/* --- allocating and shipping --- */

static size_t order_count(void *context)
{
    const struct replay *replay = context;
    return replay->data_set->order_count;
}

static const char *order_name(const struct replay *replay, size_t order)
{
    return replay->data_set->orders[order].order_id.data;
}

/* Only what is paid leaves; the order's own hold has its number. */
static bool allocate_is_due(void *context, size_t order)
{
    const struct replay *replay = context;
    return replay->holds[order].state == HOLD_COMMITTED &&
           replay->allocations[order] == ALLOCATION_NONE;
}

static bool allocate_prepare(void *context, size_t order, struct arena *arena,
                             struct pump_call *call)
{
    const struct replay *replay = context;
    struct replay_id reservation_id =
        replay_plan_reservation_id(replay->plan, (uint32_t)order, replay->holds[order].attempt);
    struct replay_id id = replay_plan_allocation_id(replay->plan, (uint32_t)order);
    Waybill__Warehouse__V1__AllocateRequest *request = arena_allocate(arena, sizeof *request);
    if (request == NULL)
        return false;
    waybill__warehouse__v1__allocate_request__init(request);
    request->allocation_id = arena_format(arena, "%s", id.string);
    request->order_id = (char *)order_name(replay, order);
    request->reservation_id = arena_format(arena, "%s", reservation_id.string);
    request->destination = shelf_message_destination(replay, (uint32_t)order, arena);
    request->lines = shelf_message_lines(replay, (uint32_t)order, arena, &request->n_lines);
    request->strategy =
        WAYBILL__WAREHOUSE__V1__ALLOCATION_STRATEGY__ALLOCATION_STRATEGY_LOWEST_COST;
    call->path = "/waybill.warehouse.v1.WarehouseService/Allocate";
    call->request = &request->base;
    call->response = &waybill__warehouse__v1__allocate_response__descriptor;
    return request->allocation_id != NULL && request->reservation_id != NULL &&
           request->destination != NULL && request->lines != NULL;
}

static struct error take_allocation(struct replay *replay, size_t order, const char *method,
                                    const Waybill__Warehouse__V1__Allocation *allocation)
{
    enum allocation_progress progress =
        allocation == NULL ? ALLOCATION_NONE : shelf_message_progress(allocation);
    if (progress == ALLOCATION_NONE)
        return error_make(ERROR_PROTOCOL, "order %s: %s answered with another allocation",
                          order_name(replay, order), method);
    replay->part_counts[order] = (uint16_t)allocation->n_parts;
    replay_set_allocation(replay, (uint32_t)order, progress);
    return error_none();
}

static struct error allocate_answered(void *context, size_t order,
                                      const struct rpc_client_result *result, bool *again)
{
    const Waybill__Warehouse__V1__AllocateResponse *response =
        (const Waybill__Warehouse__V1__AllocateResponse *)result->response;
    *again = false;
    if (result->status.code != GRPC_STATUS_OK)
        return refused(result, "Allocate", order_name(context, order));
    return take_allocation(context, order, "Allocate", response->allocation);
}

static bool ship_is_due(void *context, size_t order)
{
    const struct replay *replay = context;
    return replay->allocations[order] == ALLOCATION_FIRM;
}

static bool ship_prepare(void *context, size_t order, struct arena *arena, struct pump_call *call)
{
    const struct replay *replay = context;
    struct replay_id id = replay_allocation_id(replay, (uint32_t)order);
    Waybill__Warehouse__V1__ShipAllocationRequest *request = arena_allocate(arena, sizeof *request);
    if (request == NULL)
        return false;
    waybill__warehouse__v1__ship_allocation_request__init(request);
    request->allocation_id = arena_format(arena, "%s", id.string);
    call->path = "/waybill.warehouse.v1.WarehouseService/ShipAllocation";
    call->request = &request->base;
    call->response = &waybill__warehouse__v1__ship_allocation_response__descriptor;
    return request->allocation_id != NULL;
}

static struct error ship_answered(void *context, size_t order,
                                  const struct rpc_client_result *result, bool *again)
{
    const Waybill__Warehouse__V1__ShipAllocationResponse *response =
        (const Waybill__Warehouse__V1__ShipAllocationResponse *)result->response;
    *again = false;
    if (result->status.code != GRPC_STATUS_OK)
        return refused(result, "ShipAllocation", order_name(context, order));
    return take_allocation(context, order, "ShipAllocation", response->allocation);
}

const struct replay_stage supply_stages[] = {
    {
        .name = "items",
        .title = "Describing items",
        .work = {.item_count = product_count,
                 .is_due = is_due_before_shelving,
                 .prepare = item_prepare,
                 .answered = item_answered},
    },
    {
        .name = "warehouses",
        .title = "Opening warehouses",
        .work = {.item_count = warehouse_count,
                 .is_due = is_due_before_shelving,
                 .prepare = warehouse_prepare,
                 .answered = warehouse_answered},
    },
    {
        .name = "cost_cards",
        .title = "Setting cost cards",
        .work = {.item_count = warehouse_count,
                 .is_due = is_due_before_shelving,
                 .prepare = card_prepare,
                 .answered = card_answered},
    },
    {
        .name = "shelve",
        .title = "Receiving stock",
        .work = {.item_count = delivery_count,
                 .is_due = shelve_is_due,
                 .prepare = shelve_prepare,
                 .answered = shelve_answered},
    },
    {
        .name = "feed",
        .title = "Feeding inventory",
        .work = {.item_count = product_count,
                 .is_due = feed_is_due,
                 .wait_us = feed_wait_us,
                 .prepare = feed_prepare,
                 .answered = feed_answered},
    },
};
const size_t supply_stage_count = sizeof supply_stages / sizeof supply_stages[0];

const struct replay_stage allocate_stage = {
    .name = "allocate",
    .title = "Allocating",
    .work = {.item_count = order_count,
             .turns = replay_turns,
             .is_due = allocate_is_due,
             .prepare = allocate_prepare,
             .answered = allocate_answered},
};

const struct replay_stage dispatch_stage = {
    .name = "ship",
    .title = "Shipping",
    .work = {.item_count = order_count,
             .is_due = ship_is_due,
             .prepare = ship_prepare,
             .answered = ship_answered},
};
