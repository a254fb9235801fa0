/* Records to messages. A part without memory makes the whole NULL. */
#include "warehouse/interfaces/rpc/warehouse_messages.h"

#include "platform/rpc/message_fields.h"

#include <stdbool.h>
#include <string.h>

static bool put_date(struct arena *arena, char **out, int64_t day)
{
    char date[civil_date_size];
    calendar_date_format(day, date);
    return message_put_text(arena, out, text_of(date));
}

static bool put_money(struct arena *arena, Waybill__Common__V1__Money **out, struct money money)
{
    return message_put_money(arena, out, money.currency, money.amount_minor);
}

Waybill__Warehouse__V1__Item *item_message(struct arena *arena, const struct item *item)
{
    Waybill__Warehouse__V1__Item *message =
        message_create(arena, &waybill__warehouse__v1__item__descriptor);
    if (message == NULL || !message_put_text(arena, &message->sku, item->sku) ||
        !message_put_text(arena, &message->name, item->name) ||
        !message_put_text(arena, &message->hazard_class, item->hazard_class) ||
        !message_put_text(arena, &message->hs_code, item->hs_code) ||
        !message_put_text(arena, &message->origin_country, item->origin_country))
        return NULL;
    message->weight_grams = item->weight_grams;
    message->length_mm = item->length_mm;
    message->width_mm = item->width_mm;
    message->height_mm = item->height_mm;
    return message;
}

static Waybill__Common__V1__Address *address_message(struct arena *arena,
                                                     const struct address *address)
{
    Waybill__Common__V1__Address *message =
        message_create(arena, &waybill__common__v1__address__descriptor);
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
        return NULL;
    if (address->has_point && !message_put_point(arena, &message->point, address->point.latitude_e7,
                                                 address->point.longitude_e7))
        return NULL;
    return message;
}

static bool address_is(const struct address *address)
{
    const struct address nothing = {0};
    return !address_equal(address, &nothing);
}

Waybill__Warehouse__V1__Warehouse *warehouse_message(struct arena *arena,
                                                     const struct warehouse *warehouse)
{
    Waybill__Warehouse__V1__Warehouse *message =
        message_create(arena, &waybill__warehouse__v1__warehouse__descriptor);
    if (message == NULL ||
        !message_put_text(arena, &message->warehouse_id, warehouse->warehouse_id) ||
        !message_put_text(arena, &message->name, warehouse->name) ||
        !put_money(arena, &message->handling_cost, warehouse->handling_cost) ||
        !message_put_text(arena, &message->cutoff_local_time, warehouse->cutoff_local_time) ||
        !message_put_text(arena, &message->time_zone, warehouse->time_zone) ||
        !message_put_texts(arena, &message->closed_days, &message->n_closed_days,
                           warehouse->closed_days, warehouse->closed_day_count))
        return NULL;
    if (address_is(&warehouse->address)) {
        message->address = address_message(arena, &warehouse->address);
        if (message->address == NULL)
            return NULL;
    }
    message->priority = warehouse->priority;
    message->active = warehouse->active;
    message->capacity_per_day = warehouse->capacity_per_day;
    message->revision = warehouse->revision;
    return message;
}

static struct money card_money(const struct cost_card *card, int64_t amount_minor)
{
    struct money money = {.amount_minor = amount_minor};
    memcpy(money.currency, card->currency, sizeof money.currency);
    return money;
}

static Waybill__Warehouse__V1__CostBand *band_message(struct arena *arena,
                                                      const struct cost_card *card,
                                                      const struct cost_band *band)
{
    Waybill__Warehouse__V1__CostBand *message =
        message_create(arena, &waybill__warehouse__v1__cost_band__descriptor);
    if (message == NULL || !put_money(arena, &message->base, card_money(card, band->base_minor)) ||
        !put_money(arena, &message->per_kilogram, card_money(card, band->per_kilogram_minor)))
        return NULL;
    message->distance_metres_max = band->distance_metres_max;
    return message;
}

Waybill__Warehouse__V1__CostCard *cost_card_message(struct arena *arena,
                                                    const struct cost_card *card)
{
    Waybill__Warehouse__V1__CostCard *message =
        message_create(arena, &waybill__warehouse__v1__cost_card__descriptor);
    if (message == NULL || !message_put_text(arena, &message->warehouse_id, card->warehouse_id) ||
        !put_date(arena, &message->valid_from, card->valid_from_day))
        return NULL;
    message->parcel_grams_max = card->parcel_grams_max;
    message->bands = message_pointers(arena, card->band_count);
    if (message->bands == NULL)
        return NULL;
    for (size_t i = 0; i < card->band_count; i++) {
        message->bands[i] = band_message(arena, card, &card->bands[i]);
        if (message->bands[i] == NULL)
            return NULL;
    }
    message->n_bands = card->band_count;
    return message;
}

Waybill__Warehouse__V1__Bin *bin_message(struct arena *arena, const struct bin *bin)
{
    Waybill__Warehouse__V1__Bin *message =
        message_create(arena, &waybill__warehouse__v1__bin__descriptor);
    if (message == NULL || !message_put_text(arena, &message->warehouse_id, bin->warehouse_id) ||
        !message_put_text(arena, &message->zone, bin->zone) ||
        !message_put_text(arena, &message->bin, bin->bin))
        return NULL;
    return message;
}

static Waybill__Warehouse__V1__BinStock *bin_stock_message(struct arena *arena,
                                                           const struct shelf *shelf)
{
    Waybill__Warehouse__V1__BinStock *message =
        message_create(arena, &waybill__warehouse__v1__bin_stock__descriptor);
    if (message == NULL || !message_put_text(arena, &message->zone, shelf->zone) ||
        !message_put_text(arena, &message->bin, shelf->bin) ||
        !message_put_text(arena, &message->lot, shelf->lot) ||
        !put_date(arena, &message->expiry_date, shelf->expiry_day))
        return NULL;
    message->quantity = shelf->quantity;
    return message;
}

Waybill__Warehouse__V1__WarehouseStock *warehouse_stock_message(struct arena *arena,
                                                                const struct warehouse_stock *stock)
{
    Waybill__Warehouse__V1__WarehouseStock *message =
        message_create(arena, &waybill__warehouse__v1__warehouse_stock__descriptor);
    if (message == NULL || !message_put_text(arena, &message->warehouse_id, stock->warehouse_id) ||
        !message_put_text(arena, &message->sku, stock->sku))
        return NULL;
    message->on_hand = stock->on_hand;
    message->allocated = stock->allocated;
    message->available = warehouse_stock_available(stock);
    message->shipped_for_reservations = stock->shipped_for_reservations;
    message->bins = message_pointers(arena, stock->shelf_count);
    if (message->bins == NULL)
        return NULL;
    for (size_t i = 0; i < stock->shelf_count; i++) {
        message->bins[i] = bin_stock_message(arena, &stock->shelves[i]);
        if (message->bins[i] == NULL)
            return NULL;
    }
    message->n_bins = stock->shelf_count;
    return message;
}

Waybill__Warehouse__V1__Movement *movement_message(struct arena *arena,
                                                   const struct movement *movement)
{
    Waybill__Warehouse__V1__Movement *message =
        message_create(arena, &waybill__warehouse__v1__movement__descriptor);
    if (message == NULL || !message_put_text(arena, &message->movement_id, movement->movement_id) ||
        !message_put_text(arena, &message->warehouse_id, movement->warehouse_id) ||
        !message_put_text(arena, &message->zone, movement->zone) ||
        !message_put_text(arena, &message->bin, movement->bin) ||
        !message_put_text(arena, &message->sku, movement->sku) ||
        !message_put_text(arena, &message->lot, movement->lot) ||
        !put_date(arena, &message->expiry_date, movement->expiry_day) ||
        !message_put_text(arena, &message->reason, movement->reason) ||
        !message_put_text(arena, &message->reference, movement->reference) ||
        !message_put_text(arena, &message->note, movement->note) ||
        !message_put_text(arena, &message->reservation_id, movement->reservation_id) ||
        !message_put_time(arena, &message->time, movement->time_us))
        return NULL;
    message->type = (Waybill__Warehouse__V1__MovementType)movement->type; /* the same numbers */
    message->quantity = movement->quantity;
    return message;
}

static Waybill__Warehouse__V1__TransferLine *transfer_line_message(struct arena *arena,
                                                                   const struct transfer_line *line)
{
    Waybill__Warehouse__V1__TransferLine *message =
        message_create(arena, &waybill__warehouse__v1__transfer_line__descriptor);
    if (message == NULL || !message_put_text(arena, &message->sku, line->sku) ||
        !message_put_text(arena, &message->lot, line->lot) ||
        !put_date(arena, &message->expiry_date, line->expiry_day))
        return NULL;
    message->quantity = line->quantity;
    message->received_quantity = line->received_quantity;
    return message;
}

Waybill__Warehouse__V1__Transfer *transfer_message(struct arena *arena,
                                                   const struct transfer *transfer)
{
    Waybill__Warehouse__V1__Transfer *message =
        message_create(arena, &waybill__warehouse__v1__transfer__descriptor);
    if (message == NULL || !message_put_text(arena, &message->transfer_id, transfer->transfer_id) ||
        !message_put_text(arena, &message->from_warehouse_id, transfer->from_warehouse_id) ||
        !message_put_text(arena, &message->to_warehouse_id, transfer->to_warehouse_id) ||
        !message_put_time(arena, &message->create_time, transfer->create_time_us) ||
        !message_put_time(arena, &message->resolve_time, transfer->resolve_time_us))
        return NULL;
    message->state = (Waybill__Warehouse__V1__TransferState)transfer->state; /* the same numbers */
    message->lines = message_pointers(arena, transfer->line_count);
    if (message->lines == NULL)
        return NULL;
    for (size_t i = 0; i < transfer->line_count; i++) {
        message->lines[i] = transfer_line_message(arena, &transfer->lines[i]);
        if (message->lines[i] == NULL)
            return NULL;
    }
    message->n_lines = transfer->line_count;
    return message;
}

static Waybill__Warehouse__V1__CountLine *count_line_message(struct arena *arena,
                                                             const struct count_line *line)
{
    Waybill__Warehouse__V1__CountLine *message =
        message_create(arena, &waybill__warehouse__v1__count_line__descriptor);
    if (message == NULL || !message_put_text(arena, &message->sku, line->sku) ||
        !message_put_text(arena, &message->zone, line->zone) ||
        !message_put_text(arena, &message->bin, line->bin) ||
        !message_put_text(arena, &message->lot, line->lot) ||
        !put_date(arena, &message->expiry_date, line->expiry_day))
        return NULL;
    message->expected = line->expected;
    if (line->is_counted) {
        message->counted = message_create(arena, &google__protobuf__int64_value__descriptor);
        if (message->counted == NULL)
            return NULL;
        message->counted->value = line->counted;
    }
    return message;
}

Waybill__Warehouse__V1__Count *count_message(struct arena *arena, const struct count *count)
{
    Waybill__Warehouse__V1__Count *message =
        message_create(arena, &waybill__warehouse__v1__count__descriptor);
    if (message == NULL || !message_put_text(arena, &message->count_id, count->count_id) ||
        !message_put_text(arena, &message->warehouse_id, count->warehouse_id) ||
        !message_put_text(arena, &message->zone, count->zone) ||
        !message_put_texts(arena, &message->skus, &message->n_skus, count->skus,
                           count->sku_count) ||
        !message_put_time(arena, &message->create_time, count->create_time_us) ||
        !message_put_time(arena, &message->resolve_time, count->resolve_time_us))
        return NULL;
    message->state = (Waybill__Warehouse__V1__CountState)count->state; /* the same numbers */
    message->lines = message_pointers(arena, count->line_count);
    if (message->lines == NULL)
        return NULL;
    for (size_t i = 0; i < count->line_count; i++) {
        message->lines[i] = count_line_message(arena, &count->lines[i]);
        if (message->lines[i] == NULL)
            return NULL;
    }
    message->n_lines = count->line_count;
    return message;
}

Waybill__Warehouse__V1__MovementMismatch *mismatch_message(struct arena *arena,
                                                           const struct movement_mismatch *mismatch)
{
    Waybill__Warehouse__V1__MovementMismatch *message =
        message_create(arena, &waybill__warehouse__v1__movement_mismatch__descriptor);
    if (message == NULL ||
        !message_put_text(arena, &message->warehouse_id, mismatch->warehouse_id) ||
        !message_put_text(arena, &message->sku, mismatch->sku) ||
        !message_put_text(arena, &message->zone, mismatch->zone) ||
        !message_put_text(arena, &message->bin, mismatch->bin) ||
        !message_put_text(arena, &message->lot, mismatch->lot) ||
        !put_date(arena, &message->expiry_date, mismatch->expiry_day) ||
        !message_put_text(arena, &message->balance, text_of(mismatch->balance)))
        return NULL;
    message->movement_quantity = mismatch->movement_quantity;
    message->balance_quantity = mismatch->balance_quantity;
    return message;
}

static Waybill__Warehouse__V1__InsufficientStock__Line *shortage_message(
    struct arena *arena, const struct shortage *shortage)
{
    Waybill__Warehouse__V1__InsufficientStock__Line *message =
        message_create(arena, &waybill__warehouse__v1__insufficient_stock__line__descriptor);
    if (message == NULL || !message_put_text(arena, &message->sku, shortage->sku))
        return NULL;
    message->requested_quantity = shortage->requested_quantity;
    message->available_quantity = shortage->available_quantity;
    return message;
}

Waybill__Warehouse__V1__InsufficientStock *warehouse_shortages_message(
    struct arena *arena, const struct shortage *shortages, size_t count)
{
    Waybill__Warehouse__V1__InsufficientStock *message =
        message_create(arena, &waybill__warehouse__v1__insufficient_stock__descriptor);
    if (message == NULL)
        return NULL;
    message->lines = message_pointers(arena, count);
    if (message->lines == NULL)
        return NULL;
    for (size_t i = 0; i < count; i++) {
        message->lines[i] = shortage_message(arena, &shortages[i]);
        if (message->lines[i] == NULL)
            return NULL;
    }
    message->n_lines = count;
    return message;
}

/* --- allocations --- */

static Waybill__Warehouse__V1__Pick *pick_message(struct arena *arena, const struct pick *pick)
{
    Waybill__Warehouse__V1__Pick *message =
        message_create(arena, &waybill__warehouse__v1__pick__descriptor);
    if (message == NULL || !message_put_text(arena, &message->zone, pick->zone) ||
        !message_put_text(arena, &message->bin, pick->bin) ||
        !message_put_text(arena, &message->lot, pick->lot) ||
        !put_date(arena, &message->expiry_date, pick->expiry_day))
        return NULL;
    message->quantity = pick->quantity;
    return message;
}

static Waybill__Warehouse__V1__AllocationLine *allocation_line_message(
    struct arena *arena, const struct allocation_line *line)
{
    Waybill__Warehouse__V1__AllocationLine *message =
        message_create(arena, &waybill__warehouse__v1__allocation_line__descriptor);
    if (message == NULL || !message_put_text(arena, &message->sku, line->sku))
        return NULL;
    message->quantity = line->quantity;
    message->shipped_quantity = line->shipped_quantity;
    message->picks = message_pointers(arena, line->pick_count);
    if (message->picks == NULL)
        return NULL;
    for (size_t i = 0; i < line->pick_count; i++) {
        message->picks[i] = pick_message(arena, &line->picks[i]);
        if (message->picks[i] == NULL)
            return NULL;
    }
    message->n_picks = line->pick_count;
    return message;
}

static Waybill__Warehouse__V1__AllocationPart *allocation_part_message(
    struct arena *arena, const struct allocation_part *part)
{
    Waybill__Warehouse__V1__AllocationPart *message =
        message_create(arena, &waybill__warehouse__v1__allocation_part__descriptor);
    if (message == NULL || !message_put_text(arena, &message->warehouse_id, part->warehouse_id) ||
        !put_money(arena, &message->cost, part->cost) ||
        !put_date(arena, &message->ship_day, part->ship_day))
        return NULL;
    message->state = (Waybill__Warehouse__V1__AllocationState)part->state; /* the same numbers */
    message->distance_metres = part->distance_metres;
    message->lines = message_pointers(arena, part->line_count);
    if (message->lines == NULL)
        return NULL;
    for (size_t i = 0; i < part->line_count; i++) {
        message->lines[i] = allocation_line_message(arena, &part->lines[i]);
        if (message->lines[i] == NULL)
            return NULL;
    }
    message->n_lines = part->line_count;
    return message;
}

static const char *reason_description(enum allocation_reason_code code)
{
    switch (code) {
    case REASON_USED:
        return "it ships a part";
    case REASON_NOT_NEEDED:
        return "the plan is better without it";
    case REASON_NO_STOCK:
        return "it has none of the SKUs free";
    case REASON_INACTIVE:
        return "it is not active";
    case REASON_NO_POINT:
        return "its address has no point";
    case REASON_NO_COST_CARD:
        return "no cost card is valid on its day";
    case REASON_TOO_FAR:
        return "the destination is beyond the last band of its cost card";
    case REASON_CLOSED:
        return "it has no open day soon enough";
    case REASON_NO_CAPACITY:
        return "its day is full";
    }
    return "";
}

static Waybill__Warehouse__V1__AllocationReason *reason_message(
    struct arena *arena, const struct allocation_reason *reason)
{
    Waybill__Warehouse__V1__AllocationReason *message =
        message_create(arena, &waybill__warehouse__v1__allocation_reason__descriptor);
    if (message == NULL || !message_put_text(arena, &message->warehouse_id, reason->warehouse_id) ||
        !message_put_text(arena, &message->description, text_of(reason_description(reason->code))))
        return NULL;
    message->code =
        (Waybill__Warehouse__V1__AllocationReasonCode)reason->code; /* the same numbers */
    return message;
}

static bool put_runner_up(struct arena *arena, Waybill__Warehouse__V1__Allocation *message,
                          const struct allocation *allocation)
{
    if (allocation->runner_up_count == 0)
        return true;
    message->runner_up =
        message_create(arena, &waybill__warehouse__v1__allocation_runner_up__descriptor);
    return message->runner_up != NULL &&
           message_put_texts(arena, &message->runner_up->warehouse_ids,
                             &message->runner_up->n_warehouse_ids,
                             allocation->runner_up_warehouse_ids, allocation->runner_up_count) &&
           put_money(arena, &message->runner_up->total_cost, allocation->runner_up_cost);
}

static bool put_parts(struct arena *arena, Waybill__Warehouse__V1__Allocation *message,
                      const struct allocation *allocation)
{
    message->parts = message_pointers(arena, allocation->part_count);
    message->reasons = message_pointers(arena, allocation->reason_count);
    if (message->parts == NULL || message->reasons == NULL)
        return false;
    for (size_t i = 0; i < allocation->part_count; i++) {
        message->parts[i] = allocation_part_message(arena, &allocation->parts[i]);
        if (message->parts[i] == NULL)
            return false;
    }
    for (size_t i = 0; i < allocation->reason_count; i++) {
        message->reasons[i] = reason_message(arena, &allocation->reasons[i]);
        if (message->reasons[i] == NULL)
            return false;
    }
    message->n_parts = allocation->part_count;
    message->n_reasons = allocation->reason_count;
    return true;
}

Waybill__Warehouse__V1__Allocation *allocation_message(struct arena *arena,
                                                       const struct allocation *allocation)
{
    Waybill__Warehouse__V1__Allocation *message =
        message_create(arena, &waybill__warehouse__v1__allocation__descriptor);
    if (message == NULL ||
        !message_put_text(arena, &message->allocation_id, allocation->allocation_id) ||
        !message_put_text(arena, &message->order_id, allocation->order_id) ||
        !message_put_text(arena, &message->reservation_id, allocation->reservation_id) ||
        !put_parts(arena, message, allocation) || !put_runner_up(arena, message, allocation) ||
        !put_money(arena, &message->total_cost, allocation->total_cost) ||
        !put_money(arena, &message->gap, allocation->gap) ||
        !message_put_time(arena, &message->expire_time, allocation->expire_time_us) ||
        !message_put_time(arena, &message->create_time, allocation->create_time_us))
        return NULL;
    message->state =
        (Waybill__Warehouse__V1__AllocationState)allocation->state; /* the same numbers */
    message->strategy = (Waybill__Warehouse__V1__AllocationStrategy)allocation->strategy;
    message->optimal = allocation->optimal;
    message->revision = allocation->revision;
    return message;
}
