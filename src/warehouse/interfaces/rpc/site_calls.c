/* Items, warehouses, cost cards and bins: requests to commands, commands to responses. */
#include "warehouse/interfaces/rpc/common_readings.h"
#include "warehouse/interfaces/rpc/warehouse_messages.h"

#include <stdio.h>
#include <string.h>

static void must_be_given(struct rpc_reading *reading, const char *path)
{
    violations_add(reading->violations, "must be given", "%s", path);
}

/* --- PutItem --- */

static void read_put_item(struct rpc_reading *reading, void *base, const ProtobufCMessage *message)
{
    struct item_command *command = base;
    const Waybill__Warehouse__V1__PutItemRequest *request = (const void *)message;
    const Waybill__Warehouse__V1__Item *item = request->item;
    if (item == NULL) {
        must_be_given(reading, "item");
        return;
    }
    command->item = (struct item){
        .sku = text_of(item->sku),
        .name = text_of(item->name),
        .weight_grams = item->weight_grams,
        .length_mm = item->length_mm,
        .width_mm = item->width_mm,
        .height_mm = item->height_mm,
        .hazard_class = text_of(item->hazard_class),
        .hs_code = text_of(item->hs_code),
        .origin_country = text_of(item->origin_country),
    };
}

static bool write_put_item(struct arena *arena, const void *base, struct text filter,
                           ProtobufCMessage *message)
{
    const struct item_command *command = base;
    Waybill__Warehouse__V1__PutItemResponse *response = (void *)message;
    (void)filter;
    response->item = item_message(arena, &command->item);
    return response->item != NULL;
}

/* --- GetItem --- */

static void read_get_item(struct rpc_reading *reading, void *base, const ProtobufCMessage *message)
{
    struct item_command *command = base;
    const Waybill__Warehouse__V1__GetItemRequest *request = (const void *)message;
    (void)reading;
    command->item.sku = text_of(request->sku);
}

static bool write_get_item(struct arena *arena, const void *base, struct text filter,
                           ProtobufCMessage *message)
{
    const struct item_command *command = base;
    Waybill__Warehouse__V1__GetItemResponse *response = (void *)message;
    (void)filter;
    response->item = item_message(arena, &command->item);
    return response->item != NULL;
}

/* --- ListItems --- */

static void read_list_items(struct rpc_reading *reading, void *base,
                            const ProtobufCMessage *message)
{
    struct list_items_command *command = base;
    const Waybill__Warehouse__V1__ListItemsRequest *request = (const void *)message;
    reading_page(reading, &command->page,
                 (struct page_request){"ListItems", request->page_size, request->page_token}, NULL,
                 0);
}

static bool write_list_items(struct arena *arena, const void *base, struct text filter,
                             ProtobufCMessage *message)
{
    const struct list_items_command *command = base;
    Waybill__Warehouse__V1__ListItemsResponse *response = (void *)message;
    response->next_page_token = next_page_token(arena, "ListItems", filter, &command->page);
    response->items = arena_allocate_zero(arena, command->item_count + 1, sizeof *response->items);
    if (response->items == NULL || response->next_page_token == NULL)
        return false;
    for (size_t i = 0; i < command->item_count; i++) {
        response->items[i] = item_message(arena, &command->items[i]);
        if (response->items[i] == NULL)
            return false;
    }
    response->n_items = command->item_count;
    return true;
}

static void read_warehouse(struct rpc_reading *reading, struct warehouse *out,
                           const Waybill__Warehouse__V1__Warehouse *warehouse)
{
    if (warehouse == NULL) {
        must_be_given(reading, "warehouse");
        return;
    }
    *out = (struct warehouse){
        .warehouse_id = text_of(warehouse->warehouse_id),
        .name = text_of(warehouse->name),
        .priority = warehouse->priority,
        .active = warehouse->active != 0,
        .address = reading_address(reading, warehouse->address),
        .handling_cost =
            reading_money(reading, warehouse->handling_cost, "warehouse.handling_cost"),
        .cutoff_local_time = text_of(warehouse->cutoff_local_time),
        .time_zone = text_of(warehouse->time_zone),
        .closed_days = reading_texts(reading, warehouse->closed_days, warehouse->n_closed_days),
        .closed_day_count = warehouse->n_closed_days,
        .capacity_per_day = warehouse->capacity_per_day,
    };
}

/* --- CreateWarehouse --- */

static void read_create_warehouse(struct rpc_reading *reading, void *base,
                                  const ProtobufCMessage *message)
{
    struct warehouse_record_command *command = base;
    const Waybill__Warehouse__V1__CreateWarehouseRequest *request = (const void *)message;
    read_warehouse(reading, &command->warehouse, request->warehouse);
}

static bool write_create_warehouse(struct arena *arena, const void *base, struct text filter,
                                   ProtobufCMessage *message)
{
    const struct warehouse_record_command *command = base;
    Waybill__Warehouse__V1__CreateWarehouseResponse *response = (void *)message;
    (void)filter;
    response->warehouse = warehouse_message(arena, &command->record);
    return response->warehouse != NULL;
}

/* --- UpdateWarehouse --- */

static void read_update_warehouse(struct rpc_reading *reading, void *base,
                                  const ProtobufCMessage *message)
{
    struct warehouse_record_command *command = base;
    const Waybill__Warehouse__V1__UpdateWarehouseRequest *request = (const void *)message;
    read_warehouse(reading, &command->warehouse, request->warehouse);
    command->expected_revision = request->expected_revision;
    command->fields = request->update_mask == NULL || request->update_mask->n_paths == 0
                          ? WAREHOUSE_ALL_FIELDS
                          : 0;
    for (size_t i = 0; request->update_mask != NULL && i < request->update_mask->n_paths; i++) {
        unsigned field = warehouse_field_of(text_of(request->update_mask->paths[i]));
        command->fields |= field;
        if (field == 0)
            violations_add(reading->violations, "must name a field of Warehouse that may change",
                           "update_mask.paths[%zu]", i);
    }
}

static bool write_update_warehouse(struct arena *arena, const void *base, struct text filter,
                                   ProtobufCMessage *message)
{
    const struct warehouse_record_command *command = base;
    Waybill__Warehouse__V1__UpdateWarehouseResponse *response = (void *)message;
    (void)filter;
    response->warehouse = warehouse_message(arena, &command->record);
    return response->warehouse != NULL;
}

/* --- GetWarehouse --- */

static void read_get_warehouse(struct rpc_reading *reading, void *base,
                               const ProtobufCMessage *message)
{
    struct warehouse_record_command *command = base;
    const Waybill__Warehouse__V1__GetWarehouseRequest *request = (const void *)message;
    (void)reading;
    command->warehouse.warehouse_id = text_of(request->warehouse_id);
}

static bool write_get_warehouse(struct arena *arena, const void *base, struct text filter,
                                ProtobufCMessage *message)
{
    const struct warehouse_record_command *command = base;
    Waybill__Warehouse__V1__GetWarehouseResponse *response = (void *)message;
    (void)filter;
    response->warehouse = warehouse_message(arena, &command->record);
    return response->warehouse != NULL;
}

/* --- ListWarehouses --- */

static void read_list_warehouses(struct rpc_reading *reading, void *base,
                                 const ProtobufCMessage *message)
{
    struct list_warehouses_command *command = base;
    const Waybill__Warehouse__V1__ListWarehousesRequest *request = (const void *)message;
    reading_page(reading, &command->page,
                 (struct page_request){"ListWarehouses", request->page_size, request->page_token},
                 NULL, 0);
}

static bool write_list_warehouses(struct arena *arena, const void *base, struct text filter,
                                  ProtobufCMessage *message)
{
    const struct list_warehouses_command *command = base;
    Waybill__Warehouse__V1__ListWarehousesResponse *response = (void *)message;
    response->next_page_token = next_page_token(arena, "ListWarehouses", filter, &command->page);
    response->warehouses =
        arena_allocate_zero(arena, command->warehouse_count + 1, sizeof *response->warehouses);
    if (response->warehouses == NULL || response->next_page_token == NULL)
        return false;
    for (size_t i = 0; i < command->warehouse_count; i++) {
        response->warehouses[i] = warehouse_message(arena, &command->warehouses[i]);
        if (response->warehouses[i] == NULL)
            return false;
    }
    response->n_warehouses = command->warehouse_count;
    return true;
}

/* Both amounts of a band must be given, in the card's one currency. */
static int64_t read_band_amount(struct rpc_reading *reading, char currency[4],
                                const Waybill__Common__V1__Money *message, const char *name,
                                size_t band)
{
    char path[96];
    snprintf(path, sizeof path, "cost_card.bands[%zu].%s", band, name);
    if (message == NULL) {
        must_be_given(reading, path);
        return 0;
    }
    size_t found = reading->violations->count;
    struct money money = reading_money(reading, message, path);
    if (reading->violations->count == found && currency[0] == '\0')
        memcpy(currency, money.currency, sizeof money.currency);
    else if (reading->violations->count == found &&
             memcmp(currency, money.currency, sizeof money.currency) != 0)
        violations_add(reading->violations, "must be the same in all amounts of the card",
                       "%s.currency_code", path);
    return money.amount_minor;
}

/* --- SetCostCard --- */

static void read_set_cost_card(struct rpc_reading *reading, void *base,
                               const ProtobufCMessage *message)
{
    struct cost_card_command *command = base;
    const Waybill__Warehouse__V1__SetCostCardRequest *request = (const void *)message;
    const Waybill__Warehouse__V1__CostCard *card = request->cost_card;
    if (card == NULL) {
        must_be_given(reading, "cost_card");
        return;
    }
    struct cost_band *bands = rpc_reading_allocate(reading, card->n_bands, sizeof *bands);
    if (bands == NULL)
        return;
    command->cost_card = (struct cost_card){
        .warehouse_id = text_of(card->warehouse_id),
        .valid_from_day = reading_date(reading, card->valid_from, "cost_card.valid_from"),
        .parcel_grams_max = card->parcel_grams_max,
        .bands = bands,
        .band_count = card->n_bands,
    };
    if (card->valid_from[0] == '\0')
        must_be_given(reading, "cost_card.valid_from");
    for (size_t i = 0; i < card->n_bands; i++) {
        char *currency = command->cost_card.currency;
        bands[i].distance_metres_max = card->bands[i]->distance_metres_max;
        bands[i].base_minor = read_band_amount(reading, currency, card->bands[i]->base, "base", i);
        bands[i].per_kilogram_minor =
            read_band_amount(reading, currency, card->bands[i]->per_kilogram, "per_kilogram", i);
    }
}

static bool write_set_cost_card(struct arena *arena, const void *base, struct text filter,
                                ProtobufCMessage *message)
{
    const struct cost_card_command *command = base;
    Waybill__Warehouse__V1__SetCostCardResponse *response = (void *)message;
    (void)filter;
    response->cost_card = cost_card_message(arena, &command->cost_card);
    return response->cost_card != NULL;
}

/* --- ListCostCards --- */

static void read_list_cost_cards(struct rpc_reading *reading, void *base,
                                 const ProtobufCMessage *message)
{
    struct list_cost_cards_command *command = base;
    const Waybill__Warehouse__V1__ListCostCardsRequest *request = (const void *)message;
    command->warehouse_id = text_of(request->warehouse_id);
    const struct text filter[] = {command->warehouse_id};
    reading_page(reading, &command->page,
                 (struct page_request){"ListCostCards", request->page_size, request->page_token},
                 filter, sizeof filter / sizeof filter[0]);
}

static bool write_list_cost_cards(struct arena *arena, const void *base, struct text filter,
                                  ProtobufCMessage *message)
{
    const struct list_cost_cards_command *command = base;
    Waybill__Warehouse__V1__ListCostCardsResponse *response = (void *)message;
    response->next_page_token = next_page_token(arena, "ListCostCards", filter, &command->page);
    response->cost_cards =
        arena_allocate_zero(arena, command->cost_card_count + 1, sizeof *response->cost_cards);
    if (response->cost_cards == NULL || response->next_page_token == NULL)
        return false;
    for (size_t i = 0; i < command->cost_card_count; i++) {
        response->cost_cards[i] = cost_card_message(arena, &command->cost_cards[i]);
        if (response->cost_cards[i] == NULL)
            return false;
    }
    response->n_cost_cards = command->cost_card_count;
    return true;
}

/* --- CreateBin --- */

static void read_create_bin(struct rpc_reading *reading, void *base,
                            const ProtobufCMessage *message)
{
    struct bin_command *command = base;
    const Waybill__Warehouse__V1__CreateBinRequest *request = (const void *)message;
    (void)reading;
    command->bin = (struct bin){
        .warehouse_id = text_of(request->warehouse_id),
        .zone = text_of(request->zone),
        .bin = text_of(request->bin),
    };
}

static bool write_create_bin(struct arena *arena, const void *base, struct text filter,
                             ProtobufCMessage *message)
{
    const struct bin_command *command = base;
    Waybill__Warehouse__V1__CreateBinResponse *response = (void *)message;
    (void)filter;
    response->bin = bin_message(arena, &command->bin);
    return response->bin != NULL;
}

/* --- ListBins --- */

static void read_list_bins(struct rpc_reading *reading, void *base, const ProtobufCMessage *message)
{
    struct list_bins_command *command = base;
    const Waybill__Warehouse__V1__ListBinsRequest *request = (const void *)message;
    command->warehouse_id = text_of(request->warehouse_id);
    command->zone = text_of(request->zone);
    const struct text filter[] = {command->warehouse_id, command->zone};
    reading_page(reading, &command->page,
                 (struct page_request){"ListBins", request->page_size, request->page_token}, filter,
                 sizeof filter / sizeof filter[0]);
}

static bool write_list_bins(struct arena *arena, const void *base, struct text filter,
                            ProtobufCMessage *message)
{
    const struct list_bins_command *command = base;
    Waybill__Warehouse__V1__ListBinsResponse *response = (void *)message;
    response->next_page_token = next_page_token(arena, "ListBins", filter, &command->page);
    response->bins = arena_allocate_zero(arena, command->bin_count + 1, sizeof *response->bins);
    if (response->bins == NULL || response->next_page_token == NULL)
        return false;
    for (size_t i = 0; i < command->bin_count; i++) {
        response->bins[i] = bin_message(arena, &command->bins[i]);
        if (response->bins[i] == NULL)
            return false;
    }
    response->n_bins = command->bin_count;
    return true;
}

/* --- the rows --- */

const struct rpc_command_row site_call_rows[] = {
    {"PutItem", COMMAND_PUT_ITEM, sizeof(struct item_command), false,
     &waybill__warehouse__v1__put_item_response__descriptor, read_put_item, write_put_item},
    {"GetItem", COMMAND_GET_ITEM, sizeof(struct item_command), true,
     &waybill__warehouse__v1__get_item_response__descriptor, read_get_item, write_get_item},
    {"ListItems", COMMAND_LIST_ITEMS, sizeof(struct list_items_command), true,
     &waybill__warehouse__v1__list_items_response__descriptor, read_list_items, write_list_items},
    {"CreateWarehouse", COMMAND_CREATE_WAREHOUSE, sizeof(struct warehouse_record_command), false,
     &waybill__warehouse__v1__create_warehouse_response__descriptor, read_create_warehouse,
     write_create_warehouse},
    {"UpdateWarehouse", COMMAND_UPDATE_WAREHOUSE, sizeof(struct warehouse_record_command), false,
     &waybill__warehouse__v1__update_warehouse_response__descriptor, read_update_warehouse,
     write_update_warehouse},
    {"GetWarehouse", COMMAND_GET_WAREHOUSE, sizeof(struct warehouse_record_command), true,
     &waybill__warehouse__v1__get_warehouse_response__descriptor, read_get_warehouse,
     write_get_warehouse},
    {"ListWarehouses", COMMAND_LIST_WAREHOUSES, sizeof(struct list_warehouses_command), true,
     &waybill__warehouse__v1__list_warehouses_response__descriptor, read_list_warehouses,
     write_list_warehouses},
    {"SetCostCard", COMMAND_SET_COST_CARD, sizeof(struct cost_card_command), false,
     &waybill__warehouse__v1__set_cost_card_response__descriptor, read_set_cost_card,
     write_set_cost_card},
    {"ListCostCards", COMMAND_LIST_COST_CARDS, sizeof(struct list_cost_cards_command), true,
     &waybill__warehouse__v1__list_cost_cards_response__descriptor, read_list_cost_cards,
     write_list_cost_cards},
    {"CreateBin", COMMAND_CREATE_BIN, sizeof(struct bin_command), false,
     &waybill__warehouse__v1__create_bin_response__descriptor, read_create_bin, write_create_bin},
    {"ListBins", COMMAND_LIST_BINS, sizeof(struct list_bins_command), true,
     &waybill__warehouse__v1__list_bins_response__descriptor, read_list_bins, write_list_bins},
};
const size_t site_call_row_count = sizeof site_call_rows / sizeof site_call_rows[0];
