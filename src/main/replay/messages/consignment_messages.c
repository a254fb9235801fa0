/*
 * Plain filling in. The data names no consignee and no street: the programme's stores in the city
 * of data/places.csv stand for them. The codes of the Harmonized System are those of the two kinds
 * of goods in the data: medicaments in doses (3004.90) and diagnostic reagents (3822.00).
 */
#include "main/replay/messages/consignment_messages.h"

#include "main/replay/data/item_weights.h"
#include "main/replay/messages/shelf_messages.h"
#include "platform/rpc/message_fields.h"

#include <string.h>

static const char currency[] = "USD";
static const char test_group[] = "HRDT"; /* HIV rapid diagnostic tests; so MRDT, of malaria */
static const char malaria_test_group[] = "MRDT";
static char *const freight_carriers[] = {"tariff"};

/* --- what it is --- */

static bool find_warehouse(const struct replay *replay, const char *warehouse_id, uint32_t *found)
{
    for (size_t i = 0; i < replay->places->warehouse_count; i++) {
        if (strcmp(replay->places->warehouses[i].warehouse_id, warehouse_id) == 0) {
            *found = (uint32_t)i;
            return true;
        }
    }
    return false;
}

int64_t consignment_pack_value_minor(const struct replay *replay, uint32_t order, uint32_t product)
{
    const struct data_set_order *of = &replay->data_set->orders[order];
    int64_t packs = 0;
    int64_t value_minor = 0;
    for (uint32_t i = 0; i < of->line_count; i++) {
        const struct data_set_line *line = &replay->data_set->lines[of->first_line + i];
        if (line->product != product)
            continue;
        packs += line->packs;
        value_minor += line->value_minor;
    }
    int64_t value = packs == 0 ? 0 : (value_minor + packs / 2) / packs;
    return value == 0 ? 1 : value;
}

/* The product of that SKU among the order's lines. */
static bool find_product(const struct replay *replay, uint32_t order, const char *sku,
                         uint32_t *product)
{
    const struct data_set_order *of = &replay->data_set->orders[order];
    for (uint32_t i = 0; i < of->line_count; i++) {
        *product = replay->data_set->lines[of->first_line + i].product;
        if (text_equals_string(replay->data_set->products[*product].sku, sku))
            return true;
    }
    return false;
}

struct error replay_consignment_read(const struct replay *replay, uint32_t order, uint32_t part,
                                     const Waybill__Warehouse__V1__Allocation *allocation,
                                     struct arena *arena, struct replay_consignment *consignment)
{
    const Waybill__Warehouse__V1__AllocationPart *of = allocation->parts[part];
    *consignment = (struct replay_consignment){.order = order, .part = part};
    consignment->lines = arena_allocate(arena, (of->n_lines + 1) * sizeof *consignment->lines);
    if (consignment->lines == NULL)
        return error_make(ERROR_OUT_OF_MEMORY, "consignment");
    bool is_known = find_warehouse(replay, of->warehouse_id, &consignment->warehouse);
    for (size_t i = 0; i < of->n_lines && is_known; i++) {
        struct consignment_line *line = &consignment->lines[consignment->line_count++];
        is_known = find_product(replay, order, of->lines[i]->sku, &line->product);
        if (!is_known)
            break;
        line->packs = of->lines[i]->quantity;
        line->pack_value_minor = consignment_pack_value_minor(replay, order, line->product);
        consignment->grams += line->packs * replay->data_set->products[line->product].weight_grams;
        consignment->value_minor += line->packs * line->pack_value_minor;
    }
    return is_known ? error_none()
                    : error_make(ERROR_PROTOCOL,
                                 "allocation %.64s holds what this replay did not ask for",
                                 allocation->allocation_id);
}

static bool is_freight(int64_t grams)
{
    return grams > consignment_parcels_max * consignment_parcel_grams_max;
}

bool replay_consignment_is_freight(const struct replay_consignment *consignment)
{
    return is_freight(consignment->grams);
}

char **consignment_message_carriers(const struct replay *replay, int64_t grams, size_t *count)
{
    bool by_tariff = is_freight(grams) || replay->parcel_carrier_count == 0;
    *count = by_tariff ? 1 : replay->parcel_carrier_count;
    return by_tariff ? (char **)freight_carriers : (char **)replay->parcel_carriers;
}

int64_t consignment_order_grams(const struct replay *replay, uint32_t order)
{
    const struct data_set_order *of = &replay->data_set->orders[order];
    int64_t grams = 0;
    for (uint32_t i = 0; i < of->line_count; i++) {
        const struct data_set_line *line = &replay->data_set->lines[of->first_line + i];
        grams += line->packs * replay->data_set->products[line->product].weight_grams;
    }
    return grams;
}

size_t replay_consignment_parcels(const struct replay_consignment *consignment)
{
    if (replay_consignment_is_freight(consignment))
        return 1;
    return (size_t)((consignment->grams + consignment_parcel_grams_max - 1) /
                    consignment_parcel_grams_max);
}

/* --- messages --- */

/* Who sends, who receives: in that city. NULL without memory. */
static Waybill__Common__V1__Address *with_name(Waybill__Common__V1__Address *address,
                                               const char *name, const char *street,
                                               struct arena *arena)
{
    if (address == NULL)
        return NULL;
    address->lines = arena_allocate(arena, sizeof *address->lines);
    if (address->lines == NULL)
        return NULL;
    address->lines[0] = (char *)street;
    address->n_lines = 1;
    address->name = (char *)name;
    address->company = (char *)name;
    address->phone = "+1 202 555 0100";
    return address;
}

static Waybill__Common__V1__Address *origin(const struct replay *replay,
                                            const struct replay_consignment *consignment,
                                            struct arena *arena)
{
    const struct replay_warehouse *of = &replay->places->warehouses[consignment->warehouse];
    return with_name(shelf_message_place(&of->place, arena), "Supply Chain Management System",
                     of->is_centre ? "Regional Distribution Centre" : of->site.data, arena);
}

Waybill__Common__V1__Address *consignment_message_destination(const struct replay *replay,
                                                              uint32_t order, struct arena *arena)
{
    return with_name(shelf_message_destination(replay, order, arena), "Central Medical Stores",
                     "Main Gate", arena);
}

/* Equal parcels; what does not divide goes into the first. NULL without memory. */
static Waybill__Shipping__V1__Parcel **parcels(const struct replay_consignment *consignment,
                                               struct arena *arena, size_t *count)
{
    size_t parcel_count = replay_consignment_parcels(consignment);
    int64_t divisor = (int64_t)parcel_count;
    Waybill__Shipping__V1__Parcel *all = arena_allocate(arena, parcel_count * sizeof *all);
    Waybill__Shipping__V1__Parcel **pointers =
        arena_allocate(arena, parcel_count * sizeof *pointers);
    *count = parcel_count;
    if (all == NULL || pointers == NULL)
        return NULL;
    for (size_t i = 0; i < parcel_count; i++) {
        Waybill__Shipping__V1__Parcel *parcel = &all[i];
        int64_t rest = i == 0 ? consignment->value_minor % divisor : 0;
        int64_t grams = consignment->grams / divisor;
        waybill__shipping__v1__parcel__init(parcel);
        if ((int64_t)i < consignment->grams % divisor)
            grams++;
        parcel->weight_grams = grams;
        parcel->length_mm = (int32_t)item_edge_mm(grams);
        parcel->width_mm = parcel->length_mm;
        parcel->height_mm = parcel->length_mm;
        if (!message_put_money(arena, &parcel->value, currency,
                               consignment->value_minor / divisor + rest))
            return NULL;
        pointers[i] = parcel;
    }
    return pointers;
}

static bool is_test(const struct replay *replay, const struct data_set_product *product)
{
    struct text group = replay->data_set->groups[product->group];
    return text_equals_string(group, test_group) || text_equals_string(group, malaria_test_group);
}

static Waybill__Shipping__V1__CustomsItem *customs_item(
    const struct replay *replay, const struct replay_consignment *consignment,
    const struct consignment_line *line, struct arena *arena)
{
    const struct data_set_product *product = &replay->data_set->products[line->product];
    Waybill__Shipping__V1__CustomsItem *item = arena_allocate(arena, sizeof *item);
    if (item == NULL)
        return NULL;
    waybill__shipping__v1__customs_item__init(item);
    item->description = (char *)product->description.data;
    item->quantity = line->packs;
    item->weight_grams = product->weight_grams;
    item->hs_code = is_test(replay, product) ? "382200" : "300490";
    item->origin_country =
        (char *)replay->places->warehouses[consignment->warehouse].place.country_code;
    return message_put_money(arena, &item->value, currency, line->pack_value_minor) ? item : NULL;
}

/* Always given: nearly everything crosses a border, and it is ignored elsewhere. */
static Waybill__Shipping__V1__Customs *customs(const struct replay *replay,
                                               const struct replay_consignment *consignment,
                                               struct arena *arena)
{
    Waybill__Shipping__V1__Customs *message = arena_allocate(arena, sizeof *message);
    if (message == NULL)
        return NULL;
    waybill__shipping__v1__customs__init(message);
    message->items = arena_allocate(arena, consignment->line_count * sizeof *message->items);
    if (message->items == NULL)
        return NULL;
    for (; message->n_items < consignment->line_count; message->n_items++) {
        message->items[message->n_items] =
            customs_item(replay, consignment, &consignment->lines[message->n_items], arena);
        if (message->items[message->n_items] == NULL)
            return NULL;
    }
    return message;
}

Waybill__Shipping__V1__GetRatesRequest *consignment_message_rates(
    const struct replay *replay, const struct replay_consignment *consignment, struct arena *arena)
{
    Waybill__Shipping__V1__GetRatesRequest *request = arena_allocate(arena, sizeof *request);
    if (request == NULL)
        return NULL;
    waybill__shipping__v1__get_rates_request__init(request);
    request->origin = origin(replay, consignment, arena);
    request->destination = consignment_message_destination(replay, consignment->order, arena);
    request->parcels = parcels(consignment, arena, &request->n_parcels);
    request->customs = customs(replay, consignment, arena);
    request->carriers =
        consignment_message_carriers(replay, consignment->grams, &request->n_carriers);
    return request->origin == NULL || request->destination == NULL || request->parcels == NULL ||
                   request->customs == NULL
               ? NULL
               : request;
}

Waybill__Shipping__V1__CreateShipmentRequest *consignment_message_shipment(
    const struct replay *replay, const struct replay_consignment *consignment, const char *carrier,
    const char *service_code, struct arena *arena)
{
    struct replay_id id =
        replay_plan_shipment_id(replay->plan, consignment->order, consignment->part);
    Waybill__Shipping__V1__CreateShipmentRequest *request = arena_allocate(arena, sizeof *request);
    if (request == NULL)
        return NULL;
    waybill__shipping__v1__create_shipment_request__init(request);
    request->shipment_id = arena_format(arena, "%s", id.string);
    request->order_id = (char *)replay->data_set->orders[consignment->order].order_id.data;
    request->carrier = (char *)carrier;
    request->service_code = (char *)service_code;
    request->origin = origin(replay, consignment, arena);
    request->destination = consignment_message_destination(replay, consignment->order, arena);
    request->parcels = parcels(consignment, arena, &request->n_parcels);
    request->customs = customs(replay, consignment, arena);
    request->direction = WAYBILL__SHIPPING__V1__SHIPMENT_DIRECTION__SHIPMENT_DIRECTION_OUTBOUND;
    request->label_format = WAYBILL__SHIPPING__V1__LABEL_FORMAT__LABEL_FORMAT_ZPL;
    return request->shipment_id == NULL || request->origin == NULL ||
                   request->destination == NULL || request->parcels == NULL ||
                   request->customs == NULL
               ? NULL
               : request;
}
