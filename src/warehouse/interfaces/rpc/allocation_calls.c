/* Allocations: requests to commands, commands to responses. */
#include "warehouse/interfaces/rpc/common_readings.h"
#include "warehouse/interfaces/rpc/warehouse_messages.h"

#include <stdio.h>

static struct item_line *read_lines(struct rpc_reading *reading,
                                    Waybill__Warehouse__V1__ItemLine *const *messages, size_t count)
{
    struct item_line *lines = rpc_reading_allocate(reading, count, sizeof *lines);
    for (size_t i = 0; lines != NULL && i < count; i++)
        lines[i] =
            (struct item_line){.sku = text_of(messages[i]->sku), .quantity = messages[i]->quantity};
    return lines;
}

/* --- PlanAllocation --- */

static void read_plan_allocation(struct rpc_reading *reading, void *base,
                                 const ProtobufCMessage *message)
{
    struct allocate_command *command = base;
    const Waybill__Warehouse__V1__PlanAllocationRequest *request = (const void *)message;
    command->allocation_id = text_of(request->allocation_id);
    command->order_id = text_of(request->order_id);
    command->reservation_id = text_of(request->reservation_id);
    command->destination = reading_address(reading, request->destination);
    command->lines = read_lines(reading, request->lines, request->n_lines);
    command->line_count = request->n_lines;
    command->strategy = (enum allocation_strategy)request->strategy;
    command->allow_partial = request->allow_partial != 0;
    command->split_cost = reading_money(reading, request->split_cost, "split_cost");
    command->expire_time_us = reading_time(reading, request->expire_time, "expire_time");
}

static bool write_plan_allocation(struct arena *arena, const void *base, struct text filter,
                                  ProtobufCMessage *message)
{
    const struct allocate_command *command = base;
    Waybill__Warehouse__V1__PlanAllocationResponse *response = (void *)message;
    (void)filter;
    response->allocation = allocation_message(arena, &command->allocation);
    return response->allocation != NULL;
}

/* --- Allocate --- */

static void read_allocate(struct rpc_reading *reading, void *base, const ProtobufCMessage *message)
{
    struct allocate_command *command = base;
    const Waybill__Warehouse__V1__AllocateRequest *request = (const void *)message;
    command->allocation_id = text_of(request->allocation_id);
    command->order_id = text_of(request->order_id);
    command->reservation_id = text_of(request->reservation_id);
    command->destination = reading_address(reading, request->destination);
    command->lines = read_lines(reading, request->lines, request->n_lines);
    command->line_count = request->n_lines;
    command->strategy = (enum allocation_strategy)request->strategy;
    command->allow_partial = request->allow_partial != 0;
    command->split_cost = reading_money(reading, request->split_cost, "split_cost");
    command->expire_time_us = reading_time(reading, request->expire_time, "expire_time");
}

static bool write_allocate(struct arena *arena, const void *base, struct text filter,
                           ProtobufCMessage *message)
{
    const struct allocate_command *command = base;
    Waybill__Warehouse__V1__AllocateResponse *response = (void *)message;
    (void)filter;
    response->allocation = allocation_message(arena, &command->allocation);
    return response->allocation != NULL;
}

/* --- ConfirmAllocation --- */

static void read_confirm_allocation(struct rpc_reading *reading, void *base,
                                    const ProtobufCMessage *message)
{
    struct allocation_command *command = base;
    const Waybill__Warehouse__V1__ConfirmAllocationRequest *request = (const void *)message;
    (void)reading;
    command->allocation_id = text_of(request->allocation_id);
}

static bool write_confirm_allocation(struct arena *arena, const void *base, struct text filter,
                                     ProtobufCMessage *message)
{
    const struct allocation_command *command = base;
    Waybill__Warehouse__V1__ConfirmAllocationResponse *response = (void *)message;
    (void)filter;
    response->allocation = allocation_message(arena, &command->allocation);
    return response->allocation != NULL;
}

/* --- ReleaseAllocation --- */

static void read_release_allocation(struct rpc_reading *reading, void *base,
                                    const ProtobufCMessage *message)
{
    struct allocation_command *command = base;
    const Waybill__Warehouse__V1__ReleaseAllocationRequest *request = (const void *)message;
    (void)reading;
    command->allocation_id = text_of(request->allocation_id);
}

static bool write_release_allocation(struct arena *arena, const void *base, struct text filter,
                                     ProtobufCMessage *message)
{
    const struct allocation_command *command = base;
    Waybill__Warehouse__V1__ReleaseAllocationResponse *response = (void *)message;
    (void)filter;
    response->allocation = allocation_message(arena, &command->allocation);
    return response->allocation != NULL;
}

/* --- GetAllocation --- */

static void read_get_allocation(struct rpc_reading *reading, void *base,
                                const ProtobufCMessage *message)
{
    struct allocation_command *command = base;
    const Waybill__Warehouse__V1__GetAllocationRequest *request = (const void *)message;
    (void)reading;
    command->allocation_id = text_of(request->allocation_id);
}

static bool write_get_allocation(struct arena *arena, const void *base, struct text filter,
                                 ProtobufCMessage *message)
{
    const struct allocation_command *command = base;
    Waybill__Warehouse__V1__GetAllocationResponse *response = (void *)message;
    (void)filter;
    response->allocation = allocation_message(arena, &command->allocation);
    return response->allocation != NULL;
}

/* --- ListAllocations --- */

static void read_list_allocations(struct rpc_reading *reading, void *base,
                                  const ProtobufCMessage *message)
{
    struct list_allocations_command *command = base;
    const Waybill__Warehouse__V1__ListAllocationsRequest *request = (const void *)message;
    char state[16];
    snprintf(state, sizeof state, "%d", (int)request->state);
    command->order_id = text_of(request->order_id);
    command->warehouse_id = text_of(request->warehouse_id);
    command->state = (enum allocation_state)request->state;
    const struct text filter[] = {command->order_id, command->warehouse_id, text_of(state)};
    reading_page(reading, &command->page,
                 (struct page_request){"ListAllocations", request->page_size, request->page_token},
                 filter, sizeof filter / sizeof filter[0]);
}

static bool write_list_allocations(struct arena *arena, const void *base, struct text filter,
                                   ProtobufCMessage *message)
{
    const struct list_allocations_command *command = base;
    Waybill__Warehouse__V1__ListAllocationsResponse *response = (void *)message;
    response->next_page_token = next_page_token(arena, "ListAllocations", filter, &command->page);
    response->allocations =
        arena_allocate_zero(arena, command->allocation_count + 1, sizeof *response->allocations);
    if (response->allocations == NULL || response->next_page_token == NULL)
        return false;
    for (size_t i = 0; i < command->allocation_count; i++) {
        response->allocations[i] = allocation_message(arena, &command->allocations[i]);
        if (response->allocations[i] == NULL)
            return false;
    }
    response->n_allocations = command->allocation_count;
    return true;
}

/* --- ShipAllocation --- */

static void read_ship_allocation(struct rpc_reading *reading, void *base,
                                 const ProtobufCMessage *message)
{
    struct ship_allocation_command *command = base;
    const Waybill__Warehouse__V1__ShipAllocationRequest *request = (const void *)message;
    struct ship_line *lines = rpc_reading_allocate(reading, request->n_lines, sizeof *lines);
    command->allocation_id = text_of(request->allocation_id);
    command->warehouse_id = text_of(request->warehouse_id);
    for (size_t i = 0; lines != NULL && i < request->n_lines; i++)
        lines[i] = (struct ship_line){
            .sku = text_of(request->lines[i]->sku),
            .quantity = request->lines[i]->quantity,
            .zone = text_of(request->lines[i]->zone),
            .bin = text_of(request->lines[i]->bin),
            .lot = text_of(request->lines[i]->lot),
            .index = i,
        };
    command->lines = lines;
    command->line_count = request->n_lines;
}

static bool write_ship_allocation(struct arena *arena, const void *base, struct text filter,
                                  ProtobufCMessage *message)
{
    const struct ship_allocation_command *command = base;
    Waybill__Warehouse__V1__ShipAllocationResponse *response = (void *)message;
    (void)filter;
    response->allocation = allocation_message(arena, &command->allocation);
    return response->allocation != NULL;
}

/* --- the rows --- */

const struct rpc_command_row allocation_call_rows[] = {
    {"PlanAllocation", COMMAND_PLAN_ALLOCATION, sizeof(struct allocate_command), true,
     &waybill__warehouse__v1__plan_allocation_response__descriptor, read_plan_allocation,
     write_plan_allocation},
    {"Allocate", COMMAND_ALLOCATE, sizeof(struct allocate_command), false,
     &waybill__warehouse__v1__allocate_response__descriptor, read_allocate, write_allocate},
    {"ConfirmAllocation", COMMAND_CONFIRM_ALLOCATION, sizeof(struct allocation_command), false,
     &waybill__warehouse__v1__confirm_allocation_response__descriptor, read_confirm_allocation,
     write_confirm_allocation},
    {"ReleaseAllocation", COMMAND_RELEASE_ALLOCATION, sizeof(struct allocation_command), false,
     &waybill__warehouse__v1__release_allocation_response__descriptor, read_release_allocation,
     write_release_allocation},
    {"GetAllocation", COMMAND_GET_ALLOCATION, sizeof(struct allocation_command), true,
     &waybill__warehouse__v1__get_allocation_response__descriptor, read_get_allocation,
     write_get_allocation},
    {"ListAllocations", COMMAND_LIST_ALLOCATIONS, sizeof(struct list_allocations_command), true,
     &waybill__warehouse__v1__list_allocations_response__descriptor, read_list_allocations,
     write_list_allocations},
    {"ShipAllocation", COMMAND_SHIP_ALLOCATION, sizeof(struct ship_allocation_command), false,
     &waybill__warehouse__v1__ship_allocation_response__descriptor, read_ship_allocation,
     write_ship_allocation},
};
const size_t allocation_call_row_count =
    sizeof allocation_call_rows / sizeof allocation_call_rows[0];
