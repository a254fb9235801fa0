/* The methods about reservations. */
#include "inventory/domain/limits.h"
#include "inventory/interfaces/rpc/inventory_messages.h"
#include "inventory/interfaces/rpc/inventory_rpc_call.h"
#include "platform/base/page_token.h"

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
    rpc_call_end_with_answer(state->call, &response.base, response.reservation != NULL);
}

/* A Duration in microseconds; what is out of any range comes out as 0, which is refused. */
static int64_t duration_us(const Google__Protobuf__Duration *duration)
{
    if (duration->seconds < 0 || duration->seconds > inventory_ttl_us_max / 1000000 ||
        duration->nanos < 0 || duration->nanos > 999999999)
        return 0;
    return duration->seconds * 1000000 + duration->nanos / 1000;
}

bool inventory_rpc_read_reserve(struct arena *arena,
                                const Waybill__Inventory__V1__ReserveRequest *request,
                                struct reserve_command *command, struct quantity_line **lines)
{
    *lines = arena_allocate(arena, request->n_lines * sizeof **lines);
    if (*lines == NULL)
        return false;
    for (size_t i = 0; i < request->n_lines; i++) {
        (*lines)[i].sku = text_of(request->lines[i]->sku);
        (*lines)[i].quantity = request->lines[i]->quantity;
    }
    command->reservation_id = text_of(request->reservation_id);
    command->order_id = text_of(request->order_id);
    command->customer_id = text_of(request->customer_id);
    command->allow_partial = request->allow_partial;
    command->ttl_us = request->ttl == NULL ? inventory_ttl_us_default : duration_us(request->ttl);
    return true;
}

void inventory_rpc_reserve(void *context, struct rpc_call *call, const ProtobufCMessage *message)
{
    const Waybill__Inventory__V1__ReserveRequest *request = (const void *)message;
    struct violations violations;
    struct quantity_line *lines;
    struct reserve_call *state = inventory_rpc_command(call, sizeof *state);
    if (state == NULL)
        return;
    if (!inventory_rpc_read_reserve(rpc_call_arena(call), request, &state->command, &lines)) {
        rpc_call_end_without_memory(call);
        return;
    }
    violations_init(&violations, rpc_call_arena(call));
    state->call = call;
    if (!inventory_service_reserve(context, &state->command, lines, request->n_lines, &violations,
                                   reserve_done, state))
        rpc_call_end_with_violations(call, &violations);
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
    size_t at = 0;
    while (at + 1 < state->request->n_lines &&
           !text_equals_string(state->command.base.failed_sku, state->request->lines[at]->sku))
        at++;
    inventory_rpc_fail_with_line(state->call, at,
                                 "the reservation does not hold this SKU in this quantity");
}

static void commit_done(void *context, const struct error *error)
{
    struct commit_call *state = context;
    Waybill__Inventory__V1__CommitResponse response;
    if (error == NULL && state->command.base.outcome == INVENTORY_LINES_NOT_HELD) {
        fail_with_lines_not_held(state);
        return;
    }
    if (error == NULL && state->command.base.outcome == INVENTORY_INSUFFICIENT_STOCK) {
        inventory_rpc_fail_with_shortages(state->call, state->command.shortages,
                                          state->command.shortage_count);
        return;
    }
    if (inventory_rpc_failed(state->call, &state->command.base, error))
        return;
    waybill__inventory__v1__commit_response__init(&response);
    response.reservation =
        reservation_message(rpc_call_arena(state->call), &state->command.reservation);
    rpc_call_end_with_answer(state->call, &response.base, response.reservation != NULL);
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
        rpc_call_end_without_memory(call);
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
    state->command.retake_if_expired = request->retake_if_expired;
    if (!inventory_service_commit(context, &state->command, lines, request->n_lines, &violations,
                                  commit_done, state))
        rpc_call_end_with_violations(call, &violations);
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
    rpc_call_end_with_answer(state->call, &response.base, response.reservation != NULL);
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
        rpc_call_end_with_violations(call, &violations);
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
    rpc_call_end_with_answer(state->call, &response.base, response.reservation != NULL);
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
        rpc_call_end_with_violations(call, &violations);
}

/* --- ExtendReservation --- */

struct extend_reservation_call {
    struct extend_reservation_command command;
    struct rpc_call *call;
};

static void extend_reservation_done(void *context, const struct error *error)
{
    struct extend_reservation_call *state = context;
    Waybill__Inventory__V1__ExtendReservationResponse response;
    if (inventory_rpc_failed(state->call, &state->command.base, error))
        return;
    waybill__inventory__v1__extend_reservation_response__init(&response);
    response.reservation =
        reservation_message(rpc_call_arena(state->call), &state->command.reservation);
    rpc_call_end_with_answer(state->call, &response.base, response.reservation != NULL);
}

void inventory_rpc_extend_reservation(void *context, struct rpc_call *call,
                                      const ProtobufCMessage *message)
{
    const Waybill__Inventory__V1__ExtendReservationRequest *request = (const void *)message;
    struct violations violations;
    struct extend_reservation_call *state = inventory_rpc_command(call, sizeof *state);
    if (state == NULL)
        return;
    violations_init(&violations, rpc_call_arena(call));
    state->call = call;
    state->command.reservation_id = text_of(request->reservation_id);
    state->command.ttl_us = request->ttl == NULL ? 0 : duration_us(request->ttl);
    if (!inventory_service_extend_reservation(context, &state->command, &violations,
                                              extend_reservation_done, state))
        rpc_call_end_with_violations(call, &violations);
}

/* --- ReturnStock --- */

struct return_stock_call {
    struct return_stock_command command;
    struct rpc_call *call;
    const Waybill__Inventory__V1__ReturnStockRequest *request;
};

/* The line of the request that names the SKU refused. */
static void fail_with_return_line(struct return_stock_call *state, const char *description)
{
    size_t at = 0;
    while (at + 1 < state->request->n_lines &&
           !text_equals_string(state->command.base.failed_sku, state->request->lines[at]->sku))
        at++;
    inventory_rpc_fail_with_line(state->call, at, description);
}

static void return_stock_done(void *context, const struct error *error)
{
    struct return_stock_call *state = context;
    struct return_stock_command *command = &state->command;
    Waybill__Inventory__V1__ReturnStockResponse response;
    if (error == NULL && command->base.outcome == INVENTORY_LINES_NOT_HELD) {
        fail_with_return_line(state, "so much of this SKU was not committed, or has been returned");
        return;
    }
    if (error == NULL && command->base.outcome == INVENTORY_ON_HAND_LIMIT) {
        fail_with_return_line(state, "on hand may not exceed 1000000000000000");
        return;
    }
    if (error == NULL && command->base.outcome == INVENTORY_FED_BY_WAREHOUSE) {
        struct rpc_status status = rpc_status_make(
            rpc_call_arena(state->call), GRPC_STATUS_FAILED_PRECONDITION, "FED_BY_WAREHOUSE",
            "goods that left come back by WarehouseService/ReturnStock; this call is for those "
            "that "
            "never left, CANCELLED or SHORT_PICK");
        rpc_call_fail(state->call, &status);
        return;
    }
    if (inventory_rpc_failed(state->call, &command->base, error))
        return;
    waybill__inventory__v1__return_stock_response__init(&response);
    response.stocks =
        stock_messages(rpc_call_arena(state->call), command->stocks, command->line_count);
    response.n_stocks = command->line_count;
    rpc_call_end_with_answer(state->call, &response.base, response.stocks != NULL);
}

void inventory_rpc_return_stock(void *context, struct rpc_call *call,
                                const ProtobufCMessage *message)
{
    const Waybill__Inventory__V1__ReturnStockRequest *request = (const void *)message;
    struct violations violations;
    struct return_stock_call *state = inventory_rpc_command(call, sizeof *state);
    if (state == NULL)
        return;
    struct quantity_line *lines =
        arena_allocate(rpc_call_arena(call), request->n_lines * sizeof *lines);
    if (lines == NULL) {
        rpc_call_end_without_memory(call);
        return;
    }
    for (size_t i = 0; i < request->n_lines; i++) {
        lines[i].sku = text_of(request->lines[i]->sku);
        lines[i].quantity = request->lines[i]->quantity;
    }
    violations_init(&violations, rpc_call_arena(call));
    state->call = call;
    state->request = request;
    state->command.return_id = text_of(request->return_id);
    state->command.reservation_id = text_of(request->reservation_id);
    state->command.reason = (enum return_reason)request->reason;
    if (!inventory_service_return_stock(context, &state->command, lines, request->n_lines,
                                        &violations, return_stock_done, state))
        rpc_call_end_with_violations(call, &violations);
}

/* --- ListReservations --- */

static const char list_reservations_name[] = "inventory.ListReservations";

struct list_reservations_call {
    struct list_reservations_command command;
    struct rpc_call *call;
    struct text filter; /* the page token is bound to it */
};

static bool fill_list(struct arena *arena, const struct list_reservations_call *state,
                      Waybill__Inventory__V1__ListReservationsResponse *response)
{
    const struct list_reservations_command *command = &state->command;
    response->reservations =
        reservation_messages(arena, command->reservations, command->reservation_count);
    if (response->reservations == NULL)
        return false;
    response->n_reservations = command->reservation_count;
    if (command->next == 0)
        return true;
    response->next_page_token =
        (char *)page_token_make(arena, list_reservations_name, state->filter, command->next).data;
    return response->next_page_token != NULL;
}

static void list_reservations_done(void *context, const struct error *error)
{
    struct list_reservations_call *state = context;
    Waybill__Inventory__V1__ListReservationsResponse response;
    if (inventory_rpc_failed(state->call, &state->command.base, error))
        return;
    waybill__inventory__v1__list_reservations_response__init(&response);
    bool filled = fill_list(rpc_call_arena(state->call), state, &response);
    rpc_call_end_with_answer(state->call, &response.base, filled);
}

/* An unknown value becomes one that the use case refuses. */
static enum reservation_state reservation_state_of(Waybill__Inventory__V1__ReservationState value)
{
    switch (value) {
    case WAYBILL__INVENTORY__V1__RESERVATION_STATE__RESERVATION_STATE_PENDING:
        return RESERVATION_PENDING;
    case WAYBILL__INVENTORY__V1__RESERVATION_STATE__RESERVATION_STATE_COMMITTED:
        return RESERVATION_COMMITTED;
    case WAYBILL__INVENTORY__V1__RESERVATION_STATE__RESERVATION_STATE_ROLLED_BACK:
        return RESERVATION_ROLLED_BACK;
    case WAYBILL__INVENTORY__V1__RESERVATION_STATE__RESERVATION_STATE_EXPIRED:
        return RESERVATION_EXPIRED;
    case WAYBILL__INVENTORY__V1__RESERVATION_STATE__RESERVATION_STATE_UNSPECIFIED:
    case _WAYBILL__INVENTORY__V1__RESERVATION_STATE_IS_INT_SIZE:
        break;
    }
    return (enum reservation_state)(RESERVATION_EXPIRED + 1);
}

void inventory_rpc_list_reservations(void *context, struct rpc_call *call,
                                     const ProtobufCMessage *message)
{
    const Waybill__Inventory__V1__ListReservationsRequest *request = (const void *)message;
    struct arena *arena = rpc_call_arena(call);
    struct violations violations;
    struct list_reservations_call *state = inventory_rpc_command(call, sizeof *state);
    if (state == NULL)
        return;
    violations_init(&violations, arena);
    state->call = call;
    state->command.order_id = text_of(request->order_id);
    state->command.customer_id = text_of(request->customer_id);
    state->command.sku = text_of(request->sku);
    state->command.has_state =
        request->state != WAYBILL__INVENTORY__V1__RESERVATION_STATE__RESERVATION_STATE_UNSPECIFIED;
    if (state->command.has_state)
        state->command.state = reservation_state_of(request->state);
    state->filter =
        text_of(arena_format(arena, "order=%s\ncustomer=%s\nsku=%s\nstate=%d", request->order_id,
                             request->customer_id, request->sku, (int)request->state));
    if (state->filter.data == NULL) {
        rpc_call_end_without_memory(call);
        return;
    }
    if (!page_token_read(text_of(request->page_token), list_reservations_name, state->filter,
                         &state->command.after)) {
        state->command.base.outcome = INVENTORY_PAGE_TOKEN_INVALID;
        inventory_rpc_failed(call, &state->command.base, NULL);
        return;
    }
    if (!inventory_service_list_reservations(context, &state->command, request->page_size,
                                             &violations, list_reservations_done, state))
        rpc_call_end_with_violations(call, &violations);
}
