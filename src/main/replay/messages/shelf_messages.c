/* Plain filling in. */
#include "main/replay/messages/shelf_messages.h"

#include "platform/rpc/message_fields.h"

enum { centre_priority = 10, site_priority = 20 };
static const char currency[] = "USD";

Waybill__Common__V1__Address *shelf_message_place(const struct replay_place *place,
                                                  struct arena *arena)
{
    Waybill__Common__V1__Address *message = arena_allocate(arena, sizeof *message);
    Waybill__Common__V1__GeoPoint *point = arena_allocate(arena, sizeof *point);
    if (message == NULL || point == NULL)
        return NULL;
    waybill__common__v1__address__init(message);
    waybill__common__v1__geo_point__init(point);
    message->city = (char *)place->place;
    message->country_code = (char *)place->country_code;
    message->point = point;
    point->latitude_e7 = place->latitude_e7;
    point->longitude_e7 = place->longitude_e7;
    return message;
}

Waybill__Warehouse__V1__Warehouse *shelf_message_warehouse(const struct replay_places *places,
                                                           size_t warehouse, struct arena *arena)
{
    const struct replay_warehouse *of = &places->warehouses[warehouse];
    Waybill__Warehouse__V1__Warehouse *message = arena_allocate(arena, sizeof *message);
    if (message == NULL)
        return NULL;
    waybill__warehouse__v1__warehouse__init(message);
    message->warehouse_id = (char *)of->warehouse_id;
    message->name = of->is_centre ? (char *)of->place.place : (char *)of->site.data;
    message->priority = of->is_centre ? centre_priority : site_priority;
    message->active = 1;
    message->address = shelf_message_place(&of->place, arena);
    if (message->address == NULL || !message_put_money(arena, &message->handling_cost, currency,
                                                       places->cards[of->is_centre].handling_minor))
        return NULL;
    return message;
}

static Waybill__Warehouse__V1__CostBand *band_message(const struct replay_band *band,
                                                      struct arena *arena)
{
    Waybill__Warehouse__V1__CostBand *message = arena_allocate(arena, sizeof *message);
    if (message == NULL)
        return NULL;
    waybill__warehouse__v1__cost_band__init(message);
    message->distance_metres_max = band->distance_metres_max;
    if (!message_put_money(arena, &message->base, currency, band->base_minor) ||
        !message_put_money(arena, &message->per_kilogram, currency, band->per_kilogram_minor))
        return NULL;
    return message;
}

Waybill__Warehouse__V1__CostCard *shelf_message_cost_card(const struct replay_places *places,
                                                          size_t warehouse, struct arena *arena)
{
    const struct replay_warehouse *of = &places->warehouses[warehouse];
    const struct replay_cost_card *card = &places->cards[of->is_centre];
    Waybill__Warehouse__V1__CostCard *message = arena_allocate(arena, sizeof *message);
    if (message == NULL)
        return NULL;
    waybill__warehouse__v1__cost_card__init(message);
    message->warehouse_id = (char *)of->warehouse_id;
    message->valid_from = (char *)card->valid_from;
    message->parcel_grams_max = card->parcel_grams_max;
    message->bands = arena_allocate(arena, card->band_count * sizeof(void *));
    if (message->bands == NULL)
        return NULL;
    for (; message->n_bands < card->band_count; message->n_bands++) {
        message->bands[message->n_bands] = band_message(&card->bands[message->n_bands], arena);
        if (message->bands[message->n_bands] == NULL)
            return NULL;
    }
    return message;
}

Waybill__Common__V1__Address *shelf_message_destination(const struct replay *replay, uint32_t order,
                                                        struct arena *arena)
{
    uint32_t country = replay->data_set->orders[order].country;
    return shelf_message_place(
        &replay->places->countries[replay->places->country_of_country[country]].place, arena);
}

Waybill__Warehouse__V1__ItemLine **shelf_message_lines(const struct replay *replay, uint32_t order,
                                                       struct arena *arena, size_t *count)
{
    const struct data_set_order *of = &replay->data_set->orders[order];
    Waybill__Warehouse__V1__ItemLine *lines = arena_allocate(arena, of->line_count * sizeof *lines);
    Waybill__Warehouse__V1__ItemLine **pointers =
        arena_allocate(arena, of->line_count * sizeof(void *));
    *count = of->line_count;
    if (lines == NULL || pointers == NULL)
        return NULL;
    for (uint32_t i = 0; i < of->line_count; i++) {
        const struct data_set_line *line = &replay->data_set->lines[of->first_line + i];
        waybill__warehouse__v1__item_line__init(&lines[i]);
        lines[i].sku = (char *)replay->data_set->products[line->product].sku.data;
        lines[i].quantity = line->packs;
        pointers[i] = &lines[i];
    }
    return pointers;
}

enum allocation_progress shelf_message_progress(
    const Waybill__Warehouse__V1__Allocation *allocation)
{
    if (allocation->state == WAYBILL__WAREHOUSE__V1__ALLOCATION_STATE__ALLOCATION_STATE_FIRM)
        return ALLOCATION_FIRM;
    if (allocation->state == WAYBILL__WAREHOUSE__V1__ALLOCATION_STATE__ALLOCATION_STATE_SHIPPED)
        return ALLOCATION_SHIPPED;
    return ALLOCATION_NONE;
}
