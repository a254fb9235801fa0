/*
 * Movements, stock, transfers and counts: requests to commands, commands to responses. Enums of the
 * domain have the interface's numbers.
 */
#include "warehouse/interfaces/rpc/common_readings.h"
#include "warehouse/interfaces/rpc/warehouse_messages.h"

#include <stdio.h>

/* A number as text, for a filter. */
static struct text number_text(struct rpc_reading *reading, int64_t number)
{
    char *out = rpc_reading_allocate(reading, 24, 1);
    if (out == NULL)
        return (struct text){0};
    snprintf(out, 24, "%lld", (long long)number);
    return text_of(out);
}

/* --- ReceiveStock --- */

static void read_receive_stock(struct rpc_reading *reading, void *base,
                               const ProtobufCMessage *message)
{
    struct movement_command *command = base;
    const Waybill__Warehouse__V1__ReceiveStockRequest *request = (const void *)message;
    command->movement_id = text_of(request->movement_id);
    command->warehouse_id = text_of(request->warehouse_id);
    command->zone = text_of(request->zone);
    command->bin = text_of(request->bin);
    command->sku = text_of(request->sku);
    command->lot = text_of(request->lot);
    command->expiry_day = reading_date(reading, request->expiry_date, "expiry_date");
    command->quantity = request->quantity;
    command->reason = text_of(request->reason);
    command->reference = text_of(request->reference);
    command->note = text_of(request->note);
}

static bool write_receive_stock(struct arena *arena, const void *base, struct text filter,
                                ProtobufCMessage *message)
{
    const struct movement_command *command = base;
    Waybill__Warehouse__V1__ReceiveStockResponse *response = (void *)message;
    (void)filter;
    response->movement = movement_message(arena, &command->movement);
    response->stock = warehouse_stock_message(arena, &command->stock);
    return response->movement != NULL && response->stock != NULL;
}

/* --- ShipStock --- */

static void read_ship_stock(struct rpc_reading *reading, void *base,
                            const ProtobufCMessage *message)
{
    struct movement_command *command = base;
    const Waybill__Warehouse__V1__ShipStockRequest *request = (const void *)message;
    command->movement_id = text_of(request->movement_id);
    command->warehouse_id = text_of(request->warehouse_id);
    command->zone = text_of(request->zone);
    command->bin = text_of(request->bin);
    command->sku = text_of(request->sku);
    command->lot = text_of(request->lot);
    command->expiry_day = reading_date(reading, request->expiry_date, "expiry_date");
    command->quantity = request->quantity;
    command->reason = text_of(request->reason);
    command->reference = text_of(request->reference);
    command->note = text_of(request->note);
}

static bool write_ship_stock(struct arena *arena, const void *base, struct text filter,
                             ProtobufCMessage *message)
{
    const struct movement_command *command = base;
    Waybill__Warehouse__V1__ShipStockResponse *response = (void *)message;
    (void)filter;
    response->movement = movement_message(arena, &command->movement);
    response->stock = warehouse_stock_message(arena, &command->stock);
    return response->movement != NULL && response->stock != NULL;
}

/* --- ReturnStock --- */

static void read_return_stock(struct rpc_reading *reading, void *base,
                              const ProtobufCMessage *message)
{
    struct movement_command *command = base;
    const Waybill__Warehouse__V1__ReturnStockRequest *request = (const void *)message;
    command->movement_id = text_of(request->movement_id);
    command->warehouse_id = text_of(request->warehouse_id);
    command->zone = text_of(request->zone);
    command->bin = text_of(request->bin);
    command->sku = text_of(request->sku);
    command->lot = text_of(request->lot);
    command->expiry_day = reading_date(reading, request->expiry_date, "expiry_date");
    command->quantity = request->quantity;
    command->reason = return_reason_text((enum return_reason)request->reason);
    if (request->reason != 0 && command->reason.size == 0)
        violations_add(reading->violations, "must be one of the ReturnReason values", "reason");
    command->reference = text_of(request->reference);
    command->note = text_of(request->note);
}

static bool write_return_stock(struct arena *arena, const void *base, struct text filter,
                               ProtobufCMessage *message)
{
    const struct movement_command *command = base;
    Waybill__Warehouse__V1__ReturnStockResponse *response = (void *)message;
    (void)filter;
    response->movement = movement_message(arena, &command->movement);
    response->stock = warehouse_stock_message(arena, &command->stock);
    return response->movement != NULL && response->stock != NULL;
}

/* --- AdjustStock --- */

static void read_adjust_stock(struct rpc_reading *reading, void *base,
                              const ProtobufCMessage *message)
{
    struct movement_command *command = base;
    const Waybill__Warehouse__V1__AdjustStockRequest *request = (const void *)message;
    command->movement_id = text_of(request->movement_id);
    command->warehouse_id = text_of(request->warehouse_id);
    command->zone = text_of(request->zone);
    command->bin = text_of(request->bin);
    command->sku = text_of(request->sku);
    command->lot = text_of(request->lot);
    command->expiry_day = reading_date(reading, request->expiry_date, "expiry_date");
    command->quantity = request->delta;
    command->reason = adjustment_reason_text((enum adjustment_reason)request->reason);
    if (request->reason != 0 && command->reason.size == 0)
        violations_add(reading->violations, "must be one of the AdjustmentReason values", "reason");
    command->reference = text_of(request->reference);
    command->note = text_of(request->note);
}

static bool write_adjust_stock(struct arena *arena, const void *base, struct text filter,
                               ProtobufCMessage *message)
{
    const struct movement_command *command = base;
    Waybill__Warehouse__V1__AdjustStockResponse *response = (void *)message;
    (void)filter;
    response->movement = movement_message(arena, &command->movement);
    response->stock = warehouse_stock_message(arena, &command->stock);
    return response->movement != NULL && response->stock != NULL;
}

/* --- MoveStock --- */

static void read_move_stock(struct rpc_reading *reading, void *base,
                            const ProtobufCMessage *message)
{
    struct movement_command *command = base;
    const Waybill__Warehouse__V1__MoveStockRequest *request = (const void *)message;
    (void)reading;
    command->movement_id = text_of(request->movement_id);
    command->warehouse_id = text_of(request->warehouse_id);
    command->zone = text_of(request->from_zone);
    command->bin = text_of(request->from_bin);
    command->to_zone = text_of(request->to_zone);
    command->to_bin = text_of(request->to_bin);
    command->sku = text_of(request->sku);
    command->lot = text_of(request->lot);
    command->quantity = request->quantity;
}

static bool write_move_stock(struct arena *arena, const void *base, struct text filter,
                             ProtobufCMessage *message)
{
    const struct movement_command *command = base;
    Waybill__Warehouse__V1__MoveStockResponse *response = (void *)message;
    (void)filter;
    response->movement = movement_message(arena, &command->movement);
    response->stock = warehouse_stock_message(arena, &command->stock);
    return response->movement != NULL && response->stock != NULL;
}

/* --- ListMovements --- */

static void read_list_movements(struct rpc_reading *reading, void *base,
                                const ProtobufCMessage *message)
{
    struct list_movements_command *command = base;
    const Waybill__Warehouse__V1__ListMovementsRequest *request = (const void *)message;
    command->warehouse_id = text_of(request->warehouse_id);
    command->sku = text_of(request->sku);
    command->type = (enum movement_type)request->type;
    command->reference = text_of(request->reference);
    command->start_time_us = reading_time(reading, request->start_time, "start_time");
    command->end_time_us = reading_time(reading, request->end_time, "end_time");
    const struct text filter[] = {command->warehouse_id,
                                  command->sku,
                                  number_text(reading, request->type),
                                  command->reference,
                                  number_text(reading, command->start_time_us),
                                  number_text(reading, command->end_time_us)};
    reading_page(reading, &command->page,
                 (struct page_request){"ListMovements", request->page_size, request->page_token},
                 filter, sizeof filter / sizeof filter[0]);
}

static bool write_list_movements(struct arena *arena, const void *base, struct text filter,
                                 ProtobufCMessage *message)
{
    const struct list_movements_command *command = base;
    Waybill__Warehouse__V1__ListMovementsResponse *response = (void *)message;
    response->next_page_token = next_page_token(arena, "ListMovements", filter, &command->page);
    response->movements =
        arena_allocate_zero(arena, command->movement_count + 1, sizeof *response->movements);
    if (response->movements == NULL || response->next_page_token == NULL)
        return false;
    for (size_t i = 0; i < command->movement_count; i++) {
        response->movements[i] = movement_message(arena, &command->movements[i]);
        if (response->movements[i] == NULL)
            return false;
    }
    response->n_movements = command->movement_count;
    return true;
}

/* --- VerifyMovements --- */

static void read_verify_movements(struct rpc_reading *reading, void *base,
                                  const ProtobufCMessage *message)
{
    struct verify_movements_command *command = base;
    const Waybill__Warehouse__V1__VerifyMovementsRequest *request = (const void *)message;
    (void)reading;
    (void)command;
    (void)request;
}

static bool write_verify_movements(struct arena *arena, const void *base, struct text filter,
                                   ProtobufCMessage *message)
{
    const struct verify_movements_command *command = base;
    Waybill__Warehouse__V1__VerifyMovementsResponse *response = (void *)message;
    (void)filter;
    response->movements = command->movements;
    response->balances = command->balances;
    response->mismatches =
        arena_allocate_zero(arena, command->mismatch_count + 1, sizeof *response->mismatches);
    if (response->mismatches == NULL)
        return false;
    for (size_t i = 0; i < command->mismatch_count; i++) {
        response->mismatches[i] = mismatch_message(arena, &command->mismatches[i]);
        if (response->mismatches[i] == NULL)
            return false;
    }
    response->n_mismatches = command->mismatch_count;
    return true;
}

/* --- GetWarehouseStock --- */

static void read_get_warehouse_stock(struct rpc_reading *reading, void *base,
                                     const ProtobufCMessage *message)
{
    struct stock_command *command = base;
    const Waybill__Warehouse__V1__GetWarehouseStockRequest *request = (const void *)message;
    (void)reading;
    command->warehouse_id = text_of(request->warehouse_id);
    command->sku = text_of(request->sku);
}

static bool write_get_warehouse_stock(struct arena *arena, const void *base, struct text filter,
                                      ProtobufCMessage *message)
{
    const struct stock_command *command = base;
    Waybill__Warehouse__V1__GetWarehouseStockResponse *response = (void *)message;
    (void)filter;
    response->stock = warehouse_stock_message(arena, &command->stock);
    return response->stock != NULL;
}

/* --- ListWarehouseStock --- */

static void read_list_warehouse_stock(struct rpc_reading *reading, void *base,
                                      const ProtobufCMessage *message)
{
    struct list_stock_command *command = base;
    const Waybill__Warehouse__V1__ListWarehouseStockRequest *request = (const void *)message;
    command->sku = text_of(request->sku);
    command->warehouse_id = text_of(request->warehouse_id);
    const struct text filter[] = {command->sku, command->warehouse_id};
    reading_page(
        reading, &command->page,
        (struct page_request){"ListWarehouseStock", request->page_size, request->page_token},
        filter, sizeof filter / sizeof filter[0]);
}

static bool write_list_warehouse_stock(struct arena *arena, const void *base, struct text filter,
                                       ProtobufCMessage *message)
{
    const struct list_stock_command *command = base;
    Waybill__Warehouse__V1__ListWarehouseStockResponse *response = (void *)message;
    response->next_page_token =
        next_page_token(arena, "ListWarehouseStock", filter, &command->page);
    response->stocks =
        arena_allocate_zero(arena, command->stock_count + 1, sizeof *response->stocks);
    if (response->stocks == NULL || response->next_page_token == NULL)
        return false;
    for (size_t i = 0; i < command->stock_count; i++) {
        response->stocks[i] = warehouse_stock_message(arena, &command->stocks[i]);
        if (response->stocks[i] == NULL)
            return false;
    }
    response->n_stocks = command->stock_count;
    return true;
}

/* --- CreateTransfer --- */

static void read_create_transfer(struct rpc_reading *reading, void *base,
                                 const ProtobufCMessage *message)
{
    struct create_transfer_command *command = base;
    const Waybill__Warehouse__V1__CreateTransferRequest *request = (const void *)message;
    command->transfer_id = text_of(request->transfer_id);
    command->from_warehouse_id = text_of(request->from_warehouse_id);
    command->to_warehouse_id = text_of(request->to_warehouse_id);
    command->lines = rpc_reading_allocate(reading, request->n_lines, sizeof *command->lines);
    for (size_t i = 0; command->lines != NULL && i < request->n_lines; i++)
        command->lines[i] = (struct transfer_request_line){
            .sku = text_of(request->lines[i]->sku),
            .lot = text_of(request->lines[i]->lot),
            .quantity = request->lines[i]->quantity,
        };
    command->line_count = request->n_lines;
}

static bool write_create_transfer(struct arena *arena, const void *base, struct text filter,
                                  ProtobufCMessage *message)
{
    const struct create_transfer_command *command = base;
    Waybill__Warehouse__V1__CreateTransferResponse *response = (void *)message;
    (void)filter;
    response->transfer = transfer_message(arena, &command->transfer);
    return response->transfer != NULL;
}

/* --- ReceiveTransfer --- */

static void read_receive_transfer(struct rpc_reading *reading, void *base,
                                  const ProtobufCMessage *message)
{
    struct transfer_command *command = base;
    const Waybill__Warehouse__V1__ReceiveTransferRequest *request = (const void *)message;
    struct reception_line *lines = rpc_reading_allocate(reading, request->n_lines, sizeof *lines);
    command->transfer_id = text_of(request->transfer_id);
    for (size_t i = 0; lines != NULL && i < request->n_lines; i++)
        lines[i] = (struct reception_line){
            .sku = text_of(request->lines[i]->sku),
            .lot = text_of(request->lines[i]->lot),
            .quantity = request->lines[i]->quantity,
            .zone = text_of(request->lines[i]->zone),
            .bin = text_of(request->lines[i]->bin),
        };
    command->lines = lines;
    command->line_count = request->n_lines;
}

static bool write_receive_transfer(struct arena *arena, const void *base, struct text filter,
                                   ProtobufCMessage *message)
{
    const struct transfer_command *command = base;
    Waybill__Warehouse__V1__ReceiveTransferResponse *response = (void *)message;
    (void)filter;
    response->transfer = transfer_message(arena, &command->transfer);
    return response->transfer != NULL;
}

/* --- CancelTransfer --- */

static void read_cancel_transfer(struct rpc_reading *reading, void *base,
                                 const ProtobufCMessage *message)
{
    struct transfer_command *command = base;
    const Waybill__Warehouse__V1__CancelTransferRequest *request = (const void *)message;
    (void)reading;
    command->transfer_id = text_of(request->transfer_id);
}

static bool write_cancel_transfer(struct arena *arena, const void *base, struct text filter,
                                  ProtobufCMessage *message)
{
    const struct transfer_command *command = base;
    Waybill__Warehouse__V1__CancelTransferResponse *response = (void *)message;
    (void)filter;
    response->transfer = transfer_message(arena, &command->transfer);
    return response->transfer != NULL;
}

/* --- GetTransfer --- */

static void read_get_transfer(struct rpc_reading *reading, void *base,
                              const ProtobufCMessage *message)
{
    struct transfer_command *command = base;
    const Waybill__Warehouse__V1__GetTransferRequest *request = (const void *)message;
    (void)reading;
    command->transfer_id = text_of(request->transfer_id);
}

static bool write_get_transfer(struct arena *arena, const void *base, struct text filter,
                               ProtobufCMessage *message)
{
    const struct transfer_command *command = base;
    Waybill__Warehouse__V1__GetTransferResponse *response = (void *)message;
    (void)filter;
    response->transfer = transfer_message(arena, &command->transfer);
    return response->transfer != NULL;
}

/* --- ListTransfers --- */

static void read_list_transfers(struct rpc_reading *reading, void *base,
                                const ProtobufCMessage *message)
{
    struct list_transfers_command *command = base;
    const Waybill__Warehouse__V1__ListTransfersRequest *request = (const void *)message;
    command->warehouse_id = text_of(request->warehouse_id);
    command->state = (enum transfer_state)request->state;
    const struct text filter[] = {command->warehouse_id, number_text(reading, request->state)};
    reading_page(reading, &command->page,
                 (struct page_request){"ListTransfers", request->page_size, request->page_token},
                 filter, sizeof filter / sizeof filter[0]);
}

static bool write_list_transfers(struct arena *arena, const void *base, struct text filter,
                                 ProtobufCMessage *message)
{
    const struct list_transfers_command *command = base;
    Waybill__Warehouse__V1__ListTransfersResponse *response = (void *)message;
    response->next_page_token = next_page_token(arena, "ListTransfers", filter, &command->page);
    response->transfers =
        arena_allocate_zero(arena, command->transfer_count + 1, sizeof *response->transfers);
    if (response->transfers == NULL || response->next_page_token == NULL)
        return false;
    for (size_t i = 0; i < command->transfer_count; i++) {
        response->transfers[i] = transfer_message(arena, &command->transfers[i]);
        if (response->transfers[i] == NULL)
            return false;
    }
    response->n_transfers = command->transfer_count;
    return true;
}

/* --- StartCount --- */

static void read_start_count(struct rpc_reading *reading, void *base,
                             const ProtobufCMessage *message)
{
    struct start_count_command *command = base;
    const Waybill__Warehouse__V1__StartCountRequest *request = (const void *)message;
    command->count_id = text_of(request->count_id);
    command->warehouse_id = text_of(request->warehouse_id);
    command->zone = text_of(request->zone);
    command->skus = reading_texts(reading, request->skus, request->n_skus);
    command->sku_count = request->n_skus;
}

static bool write_start_count(struct arena *arena, const void *base, struct text filter,
                              ProtobufCMessage *message)
{
    const struct start_count_command *command = base;
    Waybill__Warehouse__V1__StartCountResponse *response = (void *)message;
    (void)filter;
    response->count = count_message(arena, &command->count);
    return response->count != NULL;
}

/* --- RecordCount --- */

static void read_record_count(struct rpc_reading *reading, void *base,
                              const ProtobufCMessage *message)
{
    struct count_command *command = base;
    const Waybill__Warehouse__V1__RecordCountRequest *request = (const void *)message;
    char path[64];
    command->count_id = text_of(request->count_id);
    command->lines = rpc_reading_allocate(reading, request->n_lines, sizeof *command->lines);
    for (size_t i = 0; command->lines != NULL && i < request->n_lines; i++) {
        const Waybill__Warehouse__V1__RecordCountLine *line = request->lines[i];
        snprintf(path, sizeof path, "lines[%zu].expiry_date", i);
        command->lines[i] = (struct count_line){
            .sku = text_of(line->sku),
            .zone = text_of(line->zone),
            .bin = text_of(line->bin),
            .lot = text_of(line->lot),
            .expiry_day = reading_date(reading, line->expiry_date, path),
            .counted = line->counted,
        };
    }
    command->line_count = request->n_lines;
}

static bool write_record_count(struct arena *arena, const void *base, struct text filter,
                               ProtobufCMessage *message)
{
    const struct count_command *command = base;
    Waybill__Warehouse__V1__RecordCountResponse *response = (void *)message;
    (void)filter;
    response->count = count_message(arena, &command->count);
    return response->count != NULL;
}

/* --- ApproveCount --- */

static void read_approve_count(struct rpc_reading *reading, void *base,
                               const ProtobufCMessage *message)
{
    struct count_command *command = base;
    const Waybill__Warehouse__V1__ApproveCountRequest *request = (const void *)message;
    (void)reading;
    command->count_id = text_of(request->count_id);
}

static bool write_approve_count(struct arena *arena, const void *base, struct text filter,
                                ProtobufCMessage *message)
{
    const struct count_command *command = base;
    Waybill__Warehouse__V1__ApproveCountResponse *response = (void *)message;
    (void)filter;
    response->count = count_message(arena, &command->count);
    return response->count != NULL;
}

/* --- CancelCount --- */

static void read_cancel_count(struct rpc_reading *reading, void *base,
                              const ProtobufCMessage *message)
{
    struct count_command *command = base;
    const Waybill__Warehouse__V1__CancelCountRequest *request = (const void *)message;
    (void)reading;
    command->count_id = text_of(request->count_id);
}

static bool write_cancel_count(struct arena *arena, const void *base, struct text filter,
                               ProtobufCMessage *message)
{
    const struct count_command *command = base;
    Waybill__Warehouse__V1__CancelCountResponse *response = (void *)message;
    (void)filter;
    response->count = count_message(arena, &command->count);
    return response->count != NULL;
}

/* --- GetCount --- */

static void read_get_count(struct rpc_reading *reading, void *base, const ProtobufCMessage *message)
{
    struct count_command *command = base;
    const Waybill__Warehouse__V1__GetCountRequest *request = (const void *)message;
    (void)reading;
    command->count_id = text_of(request->count_id);
}

static bool write_get_count(struct arena *arena, const void *base, struct text filter,
                            ProtobufCMessage *message)
{
    const struct count_command *command = base;
    Waybill__Warehouse__V1__GetCountResponse *response = (void *)message;
    (void)filter;
    response->count = count_message(arena, &command->count);
    return response->count != NULL;
}

/* --- ListCounts --- */

static void read_list_counts(struct rpc_reading *reading, void *base,
                             const ProtobufCMessage *message)
{
    struct list_counts_command *command = base;
    const Waybill__Warehouse__V1__ListCountsRequest *request = (const void *)message;
    command->warehouse_id = text_of(request->warehouse_id);
    command->state = (enum count_state)request->state;
    const struct text filter[] = {command->warehouse_id, number_text(reading, request->state)};
    reading_page(reading, &command->page,
                 (struct page_request){"ListCounts", request->page_size, request->page_token},
                 filter, sizeof filter / sizeof filter[0]);
}

static bool write_list_counts(struct arena *arena, const void *base, struct text filter,
                              ProtobufCMessage *message)
{
    const struct list_counts_command *command = base;
    Waybill__Warehouse__V1__ListCountsResponse *response = (void *)message;
    response->next_page_token = next_page_token(arena, "ListCounts", filter, &command->page);
    response->counts =
        arena_allocate_zero(arena, command->count_count + 1, sizeof *response->counts);
    if (response->counts == NULL || response->next_page_token == NULL)
        return false;
    for (size_t i = 0; i < command->count_count; i++) {
        response->counts[i] = count_message(arena, &command->counts[i]);
        if (response->counts[i] == NULL)
            return false;
    }
    response->n_counts = command->count_count;
    return true;
}

/* --- the rows --- */

const struct rpc_command_row stock_call_rows[] = {
    {"ReceiveStock", COMMAND_RECEIVE_STOCK, sizeof(struct movement_command), false,
     &waybill__warehouse__v1__receive_stock_response__descriptor, read_receive_stock,
     write_receive_stock},
    {"ShipStock", COMMAND_SHIP_STOCK, sizeof(struct movement_command), false,
     &waybill__warehouse__v1__ship_stock_response__descriptor, read_ship_stock, write_ship_stock},
    {"ReturnStock", COMMAND_RETURN_STOCK, sizeof(struct movement_command), false,
     &waybill__warehouse__v1__return_stock_response__descriptor, read_return_stock,
     write_return_stock},
    {"AdjustStock", COMMAND_ADJUST_STOCK, sizeof(struct movement_command), false,
     &waybill__warehouse__v1__adjust_stock_response__descriptor, read_adjust_stock,
     write_adjust_stock},
    {"MoveStock", COMMAND_MOVE_STOCK, sizeof(struct movement_command), false,
     &waybill__warehouse__v1__move_stock_response__descriptor, read_move_stock, write_move_stock},
    {"ListMovements", COMMAND_LIST_MOVEMENTS, sizeof(struct list_movements_command), true,
     &waybill__warehouse__v1__list_movements_response__descriptor, read_list_movements,
     write_list_movements},
    {"VerifyMovements", COMMAND_VERIFY_MOVEMENTS, sizeof(struct verify_movements_command), true,
     &waybill__warehouse__v1__verify_movements_response__descriptor, read_verify_movements,
     write_verify_movements},
    {"GetWarehouseStock", COMMAND_GET_WAREHOUSE_STOCK, sizeof(struct stock_command), true,
     &waybill__warehouse__v1__get_warehouse_stock_response__descriptor, read_get_warehouse_stock,
     write_get_warehouse_stock},
    {"ListWarehouseStock", COMMAND_LIST_WAREHOUSE_STOCK, sizeof(struct list_stock_command), true,
     &waybill__warehouse__v1__list_warehouse_stock_response__descriptor, read_list_warehouse_stock,
     write_list_warehouse_stock},
    {"CreateTransfer", COMMAND_CREATE_TRANSFER, sizeof(struct create_transfer_command), false,
     &waybill__warehouse__v1__create_transfer_response__descriptor, read_create_transfer,
     write_create_transfer},
    {"ReceiveTransfer", COMMAND_RECEIVE_TRANSFER, sizeof(struct transfer_command), false,
     &waybill__warehouse__v1__receive_transfer_response__descriptor, read_receive_transfer,
     write_receive_transfer},
    {"CancelTransfer", COMMAND_CANCEL_TRANSFER, sizeof(struct transfer_command), false,
     &waybill__warehouse__v1__cancel_transfer_response__descriptor, read_cancel_transfer,
     write_cancel_transfer},
    {"GetTransfer", COMMAND_GET_TRANSFER, sizeof(struct transfer_command), true,
     &waybill__warehouse__v1__get_transfer_response__descriptor, read_get_transfer,
     write_get_transfer},
    {"ListTransfers", COMMAND_LIST_TRANSFERS, sizeof(struct list_transfers_command), true,
     &waybill__warehouse__v1__list_transfers_response__descriptor, read_list_transfers,
     write_list_transfers},
    {"StartCount", COMMAND_START_COUNT, sizeof(struct start_count_command), false,
     &waybill__warehouse__v1__start_count_response__descriptor, read_start_count,
     write_start_count},
    {"RecordCount", COMMAND_RECORD_COUNT, sizeof(struct count_command), false,
     &waybill__warehouse__v1__record_count_response__descriptor, read_record_count,
     write_record_count},
    {"ApproveCount", COMMAND_APPROVE_COUNT, sizeof(struct count_command), false,
     &waybill__warehouse__v1__approve_count_response__descriptor, read_approve_count,
     write_approve_count},
    {"CancelCount", COMMAND_CANCEL_COUNT, sizeof(struct count_command), false,
     &waybill__warehouse__v1__cancel_count_response__descriptor, read_cancel_count,
     write_cancel_count},
    {"GetCount", COMMAND_GET_COUNT, sizeof(struct count_command), true,
     &waybill__warehouse__v1__get_count_response__descriptor, read_get_count, write_get_count},
    {"ListCounts", COMMAND_LIST_COUNTS, sizeof(struct list_counts_command), true,
     &waybill__warehouse__v1__list_counts_response__descriptor, read_list_counts,
     write_list_counts},
};
const size_t stock_call_row_count = sizeof stock_call_rows / sizeof stock_call_rows[0];
