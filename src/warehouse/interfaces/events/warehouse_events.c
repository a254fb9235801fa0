/* One message an event, around the record's own. */
#include "warehouse/interfaces/events/warehouse_events.h"

#include "platform/rpc/message_pack.h"
#include "warehouse/interfaces/rpc/warehouse_messages.h"

#include "waybill/warehouse/v1/warehouse_events.pb-c.h"

static bool encode_movement(const struct warehouse_event *event, struct arena *arena,
                            struct text *data)
{
    Waybill__Warehouse__V1__MovementRecorded message =
        WAYBILL__WAREHOUSE__V1__MOVEMENT_RECORDED__INIT;
    message.movement = movement_message(arena, event->movement);
    return message.movement != NULL && message_pack(&message.base, arena, data);
}

static bool encode_allocated(const struct warehouse_event *event, struct arena *arena,
                             struct text *data)
{
    Waybill__Warehouse__V1__StockAllocated message = WAYBILL__WAREHOUSE__V1__STOCK_ALLOCATED__INIT;
    message.allocation = allocation_message(arena, event->allocation);
    return message.allocation != NULL && message_pack(&message.base, arena, data);
}

static bool encode_released(const struct warehouse_event *event, struct arena *arena,
                            struct text *data)
{
    Waybill__Warehouse__V1__AllocationReleased message =
        WAYBILL__WAREHOUSE__V1__ALLOCATION_RELEASED__INIT;
    message.allocation = allocation_message(arena, event->allocation);
    return message.allocation != NULL && message_pack(&message.base, arena, data);
}

static Waybill__Warehouse__V1__ShortLine *short_line_message(struct arena *arena,
                                                             const struct short_line *line)
{
    Waybill__Warehouse__V1__ShortLine *message = arena_allocate(arena, sizeof *message);
    if (message == NULL)
        return NULL;
    waybill__warehouse__v1__short_line__init(message);
    message->warehouse_id = arena_copy_string(arena, line->warehouse_id);
    message->sku = arena_copy_string(arena, line->sku);
    message->allocated_quantity = line->allocated_quantity;
    message->shipped_quantity = line->shipped_quantity;
    return message->warehouse_id == NULL || message->sku == NULL ? NULL : message;
}

static bool encode_shipped(const struct warehouse_event *event, struct arena *arena,
                           struct text *data)
{
    Waybill__Warehouse__V1__AllocationShipped message =
        WAYBILL__WAREHOUSE__V1__ALLOCATION_SHIPPED__INIT;
    message.allocation = allocation_message(arena, event->allocation);
    message.warehouse_ids =
        arena_allocate_zero(arena, event->warehouse_id_count + 1, sizeof *message.warehouse_ids);
    message.short_lines =
        arena_allocate_zero(arena, event->short_line_count + 1, sizeof *message.short_lines);
    if (message.allocation == NULL || message.warehouse_ids == NULL || message.short_lines == NULL)
        return false;
    for (size_t i = 0; i < event->warehouse_id_count; i++) {
        message.warehouse_ids[i] = arena_copy_string(arena, event->warehouse_ids[i]);
        if (message.warehouse_ids[i] == NULL)
            return false;
    }
    for (size_t i = 0; i < event->short_line_count; i++) {
        message.short_lines[i] = short_line_message(arena, &event->short_lines[i]);
        if (message.short_lines[i] == NULL)
            return false;
    }
    message.n_warehouse_ids = event->warehouse_id_count;
    message.n_short_lines = event->short_line_count;
    return message_pack(&message.base, arena, data);
}

static bool encode_transferred(const struct warehouse_event *event, struct arena *arena,
                               struct text *data)
{
    Waybill__Warehouse__V1__StockTransferred message =
        WAYBILL__WAREHOUSE__V1__STOCK_TRANSFERRED__INIT;
    message.transfer = transfer_message(arena, event->transfer);
    return message.transfer != NULL && message_pack(&message.base, arena, data);
}

static bool encode_received(const struct warehouse_event *event, struct arena *arena,
                            struct text *data)
{
    Waybill__Warehouse__V1__TransferReceived message =
        WAYBILL__WAREHOUSE__V1__TRANSFER_RECEIVED__INIT;
    message.transfer = transfer_message(arena, event->transfer);
    return message.transfer != NULL && message_pack(&message.base, arena, data);
}

static bool encode_cancelled(const struct warehouse_event *event, struct arena *arena,
                             struct text *data)
{
    Waybill__Warehouse__V1__TransferCancelled message =
        WAYBILL__WAREHOUSE__V1__TRANSFER_CANCELLED__INIT;
    message.transfer = transfer_message(arena, event->transfer);
    return message.transfer != NULL && message_pack(&message.base, arena, data);
}

bool warehouse_events_encode(const struct warehouse_event *event, struct arena *arena,
                             struct text *data)
{
    switch (event->type) {
    case EVENT_MOVEMENT_RECORDED:
        return encode_movement(event, arena, data);
    case EVENT_STOCK_ALLOCATED:
        return encode_allocated(event, arena, data);
    case EVENT_ALLOCATION_RELEASED:
        return encode_released(event, arena, data);
    case EVENT_ALLOCATION_SHIPPED:
        return encode_shipped(event, arena, data);
    case EVENT_STOCK_TRANSFERRED:
        return encode_transferred(event, arena, data);
    case EVENT_TRANSFER_RECEIVED:
        return encode_received(event, arena, data);
    case EVENT_TRANSFER_CANCELLED:
        return encode_cancelled(event, arena, data);
    }
    return false;
}
