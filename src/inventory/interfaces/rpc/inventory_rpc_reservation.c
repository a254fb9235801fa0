/* The methods about reservations. */
#include "inventory/domain/limits.h"
#include "inventory/interfaces/rpc/inventory_messages.h"
#include "inventory/interfaces/rpc/inventory_rpc_call.h"

/* --- Reserve --- */

struct reserve_call {
    struct reserve_command command;
    struct rpc_call *call;
};

static void reserve_done(void *context, const struct error *error)
{
    struct reserve_call *state = context;
    struct reserve_command *command = &state->command;
    Waybill__Inventory__V1__ReserveResponse response;
    if (error == NULL && command->base.outcome == INVENTORY_INSUFFICIENT_STOCK) {
        inventory_rpc_fail_with_shortages(state->call, command->shortages, command->shortage_count);
        return;
    }
    if (inventory_rpc_failed(state->call, &state->command.base, error))
        return;
    waybill__inventory__v1__reserve_response__init(&response);
    response.reservation =
        reservation_message(rpc_call_arena(state->call), &state->command.reservation);
    inventory_rpc_answer(state->call, &response.base, response.reservation != NULL);
}

/* A Duration in microseconds; what is out of any range comes out as 0, which is refused. */
static int64_t duration_us(const Google__Protobuf__Duration *duration)
{
    if (duration->seconds < 0 || duration->seconds > inventory_ttl_us_max / 1000000 ||
        duration->nanos < 0 || duration->nanos > 999999999)
        return 0;
    return duration->seconds * 1000000 + duration->nanos / 1000;
}

void inventory_rpc_reserve(void *context, struct rpc_call *call, const ProtobufCMessage *message)
{
    const Waybill__Inventory__V1__ReserveRequest *request = (const void *)message;
    struct violations violations;
    struct reserve_call *state = inventory_rpc_command(call, sizeof *state);
    if (state == NULL)
        return;
    struct quantity_line *lines =
        arena_allocate(rpc_call_arena(call), request->n_lines * sizeof *lines);
    if (lines == NULL) {
        inventory_rpc_fail_without_memory(call);
        return;
    }
    for (size_t i = 0; i < request->n_lines; i++) {
        lines[i].sku = text_of(request->lines[i]->sku);
        lines[i].quantity = request->lines[i]->quantity;
    }
    violations_init(&violations, rpc_call_arena(call));
    state->call = call;
    state->command.reservation_id = text_of(request->reservation_id);
    state->command.order_id = text_of(request->order_id);
    state->command.customer_id = text_of(request->customer_id);
    state->command.allow_partial = request->allow_partial;
    state->command.ttl_us =
        request->ttl == NULL ? inventory_ttl_us_default : duration_us(request->ttl);
    if (!inventory_service_reserve(context, &state->command, lines, request->n_lines, &violations,
                                   reserve_done, state))
        inventory_rpc_fail_with_violations(call, &violations);
}

/* --- Commit --- */

struct commit_call {
    struct commit_command command;
    struct rpc_call *call;
    const Waybill__Inventory__V1__CommitRequest *request;
};

/* The refused line by its place in the request, before lines were sorted and summed. */
static void fail_with_lines_not_held(struct commit_call *state)
{
    struct violations violations;
    size_t at = 0;
    while (at + 1 < state->request->n_lines &&
           !text_equals_string(state->command.base.failed_sku, state->request->lines[at]->sku))
        at++;
    violations_init(&violations, rpc_call_arena(state->call));
    violations_add(&violations, "the reservation does not hold this SKU in this quantity",
                   "lines[%zu]", at);
    inventory_rpc_fail_with_violations(state->call, &violations);
}

static void commit_done(void *context, const struct error *error)
{
    struct commit_call *state = context;
    Waybill__Inventory__V1__CommitResponse response;
    if (error == NULL && state->command.base.outcome == INVENTORY_LINES_NOT_HELD) {
        fail_with_lines_not_held(state);
        return;
    }
    if (inventory_rpc_failed(state->call, &state->command.base, error))
        return;
    waybill__inventory__v1__commit_response__init(&response);
    response.reservation =
        reservation_message(rpc_call_arena(state->call), &state->command.reservation);
    inventory_rpc_answer(state->call, &response.base, response.reservation != NULL);
}

void inventory_rpc_commit(void *context, struct rpc_call *call, const ProtobufCMessage *message)
{
    const Waybill__Inventory__V1__CommitRequest *request = (const void *)message;
    struct violations violations;
    struct commit_call *state = inventory_rpc_command(call, sizeof *state);
    if (state == NULL)
        return;
    struct quantity_line *lines =
        arena_allocate(rpc_call_arena(call), request->n_lines * sizeof *lines);
    if (lines == NULL) {
        inventory_rpc_fail_without_memory(call);
        return;
    }
    for (size_t i = 0; i < request->n_lines; i++) {
        lines[i].sku = text_of(request->lines[i]->sku);
        lines[i].quantity = request->lines[i]->quantity;
    }
    violations_init(&violations, rpc_call_arena(call));
    state->call = call;
    state->request = request;
    state->command.reservation_id = text_of(request->reservation_id);
    if (!inventory_service_commit(context, &state->command, lines, request->n_lines, &violations,
                                  commit_done, state))
        inventory_rpc_fail_with_violations(call, &violations);
}

/* --- Rollback --- */

struct rollback_call {
    struct rollback_command command;
    struct rpc_call *call;
};

static void rollback_done(void *context, const struct error *error)
{
    struct rollback_call *state = context;
    Waybill__Inventory__V1__RollbackResponse response;
    if (inventory_rpc_failed(state->call, &state->command.base, error))
        return;
    waybill__inventory__v1__rollback_response__init(&response);
    response.reservation =
        reservation_message(rpc_call_arena(state->call), &state->command.reservation);
    inventory_rpc_answer(state->call, &response.base, response.reservation != NULL);
}

void inventory_rpc_rollback(void *context, struct rpc_call *call, const ProtobufCMessage *message)
{
    const Waybill__Inventory__V1__RollbackRequest *request = (const void *)message;
    struct violations violations;
    struct rollback_call *state = inventory_rpc_command(call, sizeof *state);
    if (state == NULL)
        return;
    violations_init(&violations, rpc_call_arena(call));
    state->call = call;
    state->command.reservation_id = text_of(request->reservation_id);
    if (!inventory_service_rollback(context, &state->command, &violations, rollback_done, state))
        inventory_rpc_fail_with_violations(call, &violations);
}

/* --- GetReservation --- */

struct get_reservation_call {
    struct get_reservation_command command;
    struct rpc_call *call;
};

static void get_reservation_done(void *context, const struct error *error)
{
    struct get_reservation_call *state = context;
    Waybill__Inventory__V1__GetReservationResponse response;
    if (inventory_rpc_failed(state->call, &state->command.base, error))
        return;
    waybill__inventory__v1__get_reservation_response__init(&response);
    response.reservation =
        reservation_message(rpc_call_arena(state->call), &state->command.reservation);
    inventory_rpc_answer(state->call, &response.base, response.reservation != NULL);
}

void inventory_rpc_get_reservation(void *context, struct rpc_call *call,
                                   const ProtobufCMessage *message)
{
    const Waybill__Inventory__V1__GetReservationRequest *request = (const void *)message;
    struct violations violations;
    struct get_reservation_call *state = inventory_rpc_command(call, sizeof *state);
    if (state == NULL)
        return;
    violations_init(&violations, rpc_call_arena(call));
    state->call = call;
    state->command.reservation_id = text_of(request->reservation_id);
    if (!inventory_service_get_reservation(context, &state->command, &violations,
                                           get_reservation_done, state))
        inventory_rpc_fail_with_violations(call, &violations);
}
