/*
 * One handler and one completion a method. A handler puts the command on the call's arena, so that
 * it lives until the store has answered, whatever becomes of the caller; the completion turns
 * outcome or error into the answer.
 */
#include "inventory/interfaces/rpc/inventory_rpc.h"

#include "inventory/domain/limits.h"
#include "inventory/interfaces/rpc/inventory_messages.h"
#include "platform/base/page_token.h"

#include <string.h>

static const char list_stock_entries_name[] = "inventory.ListStockEntries";

/* --- what every method needs --- */

static void fail_without_memory(struct rpc_call *call)
{
    struct error error = error_make(ERROR_OUT_OF_MEMORY, "not enough memory for this call");
    struct rpc_status status = rpc_status_of_error(rpc_call_arena(call), &error);
    rpc_call_fail(call, &status);
}

/* Memory for a command, all zero; without any the call has failed and NULL is given. */
static void *command_create(struct rpc_call *call, size_t size)
{
    struct inventory_command *command = arena_allocate_zero(rpc_call_arena(call), 1, size);
    if (command == NULL) {
        fail_without_memory(call);
        return NULL;
    }
    command->executor = rpc_call_executor(call);
    command->arena = rpc_call_arena(call);
    return command;
}

static void fail_with_violations(struct rpc_call *call, const struct violations *violations)
{
    struct rpc_status status =
        rpc_status_invalid(rpc_call_arena(call), violations->items, violations_kept(violations));
    rpc_call_fail(call, &status);
}

static void fail_with_violation(struct rpc_call *call, const char *field, const char *description)
{
    struct violations violations;
    violations_init(&violations, rpc_call_arena(call));
    violations_add(&violations, description, "%s", field);
    fail_with_violations(call, &violations);
}

/* Sends the response if everything in it found memory. */
static void answer(struct rpc_call *call, const ProtobufCMessage *response, bool filled)
{
    if (filled)
        rpc_call_answer(call, response);
    else
        fail_without_memory(call);
}

struct refusal {
    enum grpc_status status;
    const char *reason;
    const char *message;
};

/* DESIGN section 3, Errors. DONE is never refused; LINES_NOT_HELD and ON_HAND_LIMIT name a field.
 */
static const struct refusal refusals[] = {
    [INVENTORY_DONE] = {GRPC_STATUS_OK, "", ""},
    [INVENTORY_SKU_NOT_FOUND] = {GRPC_STATUS_NOT_FOUND, "SKU_NOT_FOUND",
                                 "this SKU has never been received"},
    [INVENTORY_RESERVATION_NOT_FOUND] = {GRPC_STATUS_NOT_FOUND, "RESERVATION_NOT_FOUND",
                                         "no reservation has this id"},
    [INVENTORY_INSUFFICIENT_STOCK] = {GRPC_STATUS_FAILED_PRECONDITION, "INSUFFICIENT_STOCK",
                                      "not enough stock"},
    [INVENTORY_ID_REUSED] = {GRPC_STATUS_ALREADY_EXISTS, "ID_REUSED",
                             "this id was used before for other content"},
    [INVENTORY_REVISION_MISMATCH] = {GRPC_STATUS_ABORTED, "REVISION_MISMATCH",
                                     "the stock has changed since expected_revision"},
    [INVENTORY_ON_HAND_LIMIT] = {GRPC_STATUS_INVALID_ARGUMENT, "INVALID_FIELD", ""},
    [INVENTORY_LINES_NOT_HELD] = {GRPC_STATUS_INVALID_ARGUMENT, "INVALID_FIELD", ""},
    [INVENTORY_RESERVATION_COMMITTED] = {GRPC_STATUS_FAILED_PRECONDITION, "RESERVATION_COMMITTED",
                                         "the reservation is committed already"},
    [INVENTORY_RESERVATION_ROLLED_BACK] = {GRPC_STATUS_FAILED_PRECONDITION,
                                           "RESERVATION_ROLLED_BACK",
                                           "the reservation was rolled back"},
    [INVENTORY_RESERVATION_EXPIRED] = {GRPC_STATUS_FAILED_PRECONDITION, "RESERVATION_EXPIRED",
                                       "the reservation has expired"},
    [INVENTORY_PAGE_TOKEN_INVALID] = {GRPC_STATUS_INVALID_ARGUMENT, "PAGE_TOKEN_INVALID",
                                      "page_token is not one of this list"},
};

/* Answers a command that was not done. False if it was. */
static bool fail_unless_done(struct rpc_call *call, const struct inventory_command *command,
                             const struct error *error)
{
    struct arena *arena = rpc_call_arena(call);
    struct rpc_status status;
    if (error == NULL && command->outcome == INVENTORY_DONE)
        return false;
    if (error != NULL) {
        status = rpc_status_of_error(arena, error);
    } else {
        const struct refusal *refusal = &refusals[command->outcome];
        status = rpc_status_make(arena, refusal->status, refusal->reason, "%s", refusal->message);
        if (command->failed_sku.size > 0)
            rpc_status_add_metadata(&status, "sku", command->failed_sku);
    }
    rpc_call_fail(call, &status);
    return true;
}

/* Not enough stock: the message names the first SKU, the detail all of them. */
static void fail_with_shortages(struct rpc_call *call, const struct shortage *shortages,
                                size_t count)
{
    struct arena *arena = rpc_call_arena(call);
    const struct refusal *refusal = &refusals[INVENTORY_INSUFFICIENT_STOCK];
    struct rpc_status status = rpc_status_make(
        arena, refusal->status, refusal->reason, "not enough stock: %.*s has %lld, %lld asked",
        (int)shortages[0].sku.size, shortages[0].sku.data,
        (long long)shortages[0].available_quantity, (long long)shortages[0].requested_quantity);
    Waybill__Inventory__V1__InsufficientStock *detail =
        insufficient_stock_message(arena, shortages, count);
    if (detail != NULL)
        rpc_status_add_detail(&status, &detail->base);
    rpc_call_fail(call, &status);
}

static const char on_hand_rule[] = "on hand may not exceed 1000000000000000";

/* --- ReceiveStock --- */

struct receive_stock_call {
    struct receive_stock_command command;
    struct rpc_call *call;
};

static void receive_stock_done(void *context, const struct error *error)
{
    struct receive_stock_call *state = context;
    struct receive_stock_command *command = &state->command;
    Waybill__Inventory__V1__ReceiveStockResponse response;
    if (error == NULL && command->base.outcome == INVENTORY_ON_HAND_LIMIT) {
        fail_with_violation(state->call, "quantity", on_hand_rule);
        return;
    }
    if (fail_unless_done(state->call, &command->base, error))
        return;
    waybill__inventory__v1__receive_stock_response__init(&response);
    response.stock = stock_message(rpc_call_arena(state->call), command->sku, &command->stock);
    answer(state->call, &response.base, response.stock != NULL);
}

static void handle_receive_stock(void *context, struct rpc_call *call,
                                 const ProtobufCMessage *message)
{
    const Waybill__Inventory__V1__ReceiveStockRequest *request = (const void *)message;
    struct violations violations;
    struct receive_stock_call *state = command_create(call, sizeof *state);
    if (state == NULL)
        return;
    violations_init(&violations, rpc_call_arena(call));
    state->call = call;
    state->command.receipt_id = text_of(request->receipt_id);
    state->command.sku = text_of(request->sku);
    state->command.quantity = request->quantity;
    if (!inventory_service_receive_stock(context, &state->command, &violations, receive_stock_done,
                                         state))
        fail_with_violations(call, &violations);
}

/* --- AdjustStock --- */

struct adjust_stock_call {
    struct adjust_stock_command command;
    struct rpc_call *call;
};

static void adjust_stock_done(void *context, const struct error *error)
{
    struct adjust_stock_call *state = context;
    struct adjust_stock_command *command = &state->command;
    Waybill__Inventory__V1__AdjustStockResponse response;
    if (error == NULL && command->base.outcome == INVENTORY_ON_HAND_LIMIT) {
        fail_with_violation(state->call, "delta", on_hand_rule);
        return;
    }
    if (error == NULL && command->base.outcome == INVENTORY_INSUFFICIENT_STOCK) {
        fail_with_shortages(state->call, &command->shortage, 1);
        return;
    }
    if (fail_unless_done(state->call, &command->base, error))
        return;
    waybill__inventory__v1__adjust_stock_response__init(&response);
    response.stock = stock_message(rpc_call_arena(state->call), command->sku, &command->stock);
    answer(state->call, &response.base, response.stock != NULL);
}

static void handle_adjust_stock(void *context, struct rpc_call *call,
                                const ProtobufCMessage *message)
{
    const Waybill__Inventory__V1__AdjustStockRequest *request = (const void *)message;
    struct violations violations;
    struct adjust_stock_call *state = command_create(call, sizeof *state);
    if (state == NULL)
        return;
    violations_init(&violations, rpc_call_arena(call));
    state->call = call;
    state->command.adjustment_id = text_of(request->adjustment_id);
    state->command.sku = text_of(request->sku);
    state->command.delta = request->delta;
    state->command.reason = (enum adjustment_reason)request->reason;
    state->command.note = text_of(request->note);
    state->command.expected_revision = request->expected_revision;
    if (!inventory_service_adjust_stock(context, &state->command, &violations, adjust_stock_done,
                                        state))
        fail_with_violations(call, &violations);
}

/* --- GetStock --- */

struct get_stock_call {
    struct get_stock_command command;
    struct rpc_call *call;
};

static void get_stock_done(void *context, const struct error *error)
{
    struct get_stock_call *state = context;
    struct get_stock_command *command = &state->command;
    Waybill__Inventory__V1__GetStockResponse response;
    if (fail_unless_done(state->call, &command->base, error))
        return;
    waybill__inventory__v1__get_stock_response__init(&response);
    response.stock = stock_message(rpc_call_arena(state->call), command->sku, &command->stock);
    answer(state->call, &response.base, response.stock != NULL);
}

static void handle_get_stock(void *context, struct rpc_call *call, const ProtobufCMessage *message)
{
    const Waybill__Inventory__V1__GetStockRequest *request = (const void *)message;
    struct violations violations;
    struct get_stock_call *state = command_create(call, sizeof *state);
    if (state == NULL)
        return;
    violations_init(&violations, rpc_call_arena(call));
    state->call = call;
    state->command.sku = text_of(request->sku);
    if (!inventory_service_get_stock(context, &state->command, &violations, get_stock_done, state))
        fail_with_violations(call, &violations);
}

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
        fail_with_shortages(state->call, command->shortages, command->shortage_count);
        return;
    }
    if (fail_unless_done(state->call, &state->command.base, error))
        return;
    waybill__inventory__v1__reserve_response__init(&response);
    response.reservation =
        reservation_message(rpc_call_arena(state->call), &state->command.reservation);
    answer(state->call, &response.base, response.reservation != NULL);
}

/* A Duration in microseconds; what is out of any range comes out as 0, which is refused. */
static int64_t duration_us(const Google__Protobuf__Duration *duration)
{
    if (duration->seconds < 0 || duration->seconds > inventory_ttl_us_max / 1000000 ||
        duration->nanos < 0 || duration->nanos > 999999999)
        return 0;
    return duration->seconds * 1000000 + duration->nanos / 1000;
}

static void handle_reserve(void *context, struct rpc_call *call, const ProtobufCMessage *message)
{
    const Waybill__Inventory__V1__ReserveRequest *request = (const void *)message;
    struct violations violations;
    struct reserve_call *state = command_create(call, sizeof *state);
    if (state == NULL)
        return;
    struct quantity_line *lines =
        arena_allocate(rpc_call_arena(call), request->n_lines * sizeof *lines);
    if (lines == NULL) {
        fail_without_memory(call);
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
    state->command.ttl_us =
        request->ttl == NULL ? inventory_ttl_us_default : duration_us(request->ttl);
    if (!inventory_service_reserve(context, &state->command, lines, request->n_lines, &violations,
                                   reserve_done, state))
        fail_with_violations(call, &violations);
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
    fail_with_violations(state->call, &violations);
}

static void commit_done(void *context, const struct error *error)
{
    struct commit_call *state = context;
    Waybill__Inventory__V1__CommitResponse response;
    if (error == NULL && state->command.base.outcome == INVENTORY_LINES_NOT_HELD) {
        fail_with_lines_not_held(state);
        return;
    }
    if (fail_unless_done(state->call, &state->command.base, error))
        return;
    waybill__inventory__v1__commit_response__init(&response);
    response.reservation =
        reservation_message(rpc_call_arena(state->call), &state->command.reservation);
    answer(state->call, &response.base, response.reservation != NULL);
}

static void handle_commit(void *context, struct rpc_call *call, const ProtobufCMessage *message)
{
    const Waybill__Inventory__V1__CommitRequest *request = (const void *)message;
    struct violations violations;
    struct commit_call *state = command_create(call, sizeof *state);
    if (state == NULL)
        return;
    struct quantity_line *lines =
        arena_allocate(rpc_call_arena(call), request->n_lines * sizeof *lines);
    if (lines == NULL) {
        fail_without_memory(call);
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
        fail_with_violations(call, &violations);
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
    if (fail_unless_done(state->call, &state->command.base, error))
        return;
    waybill__inventory__v1__rollback_response__init(&response);
    response.reservation =
        reservation_message(rpc_call_arena(state->call), &state->command.reservation);
    answer(state->call, &response.base, response.reservation != NULL);
}

static void handle_rollback(void *context, struct rpc_call *call, const ProtobufCMessage *message)
{
    const Waybill__Inventory__V1__RollbackRequest *request = (const void *)message;
    struct violations violations;
    struct rollback_call *state = command_create(call, sizeof *state);
    if (state == NULL)
        return;
    violations_init(&violations, rpc_call_arena(call));
    state->call = call;
    state->command.reservation_id = text_of(request->reservation_id);
    if (!inventory_service_rollback(context, &state->command, &violations, rollback_done, state))
        fail_with_violations(call, &violations);
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
    if (fail_unless_done(state->call, &state->command.base, error))
        return;
    waybill__inventory__v1__get_reservation_response__init(&response);
    response.reservation =
        reservation_message(rpc_call_arena(state->call), &state->command.reservation);
    answer(state->call, &response.base, response.reservation != NULL);
}

static void handle_get_reservation(void *context, struct rpc_call *call,
                                   const ProtobufCMessage *message)
{
    const Waybill__Inventory__V1__GetReservationRequest *request = (const void *)message;
    struct violations violations;
    struct get_reservation_call *state = command_create(call, sizeof *state);
    if (state == NULL)
        return;
    violations_init(&violations, rpc_call_arena(call));
    state->call = call;
    state->command.reservation_id = text_of(request->reservation_id);
    if (!inventory_service_get_reservation(context, &state->command, &violations,
                                           get_reservation_done, state))
        fail_with_violations(call, &violations);
}

/* --- ListStockEntries --- */

struct list_stock_entries_call {
    struct list_stock_entries_command command;
    struct rpc_call *call;
};

static bool fill_entries(struct arena *arena, const struct list_stock_entries_command *command,
                         Waybill__Inventory__V1__ListStockEntriesResponse *response)
{
    response->entries = arena_allocate(arena, command->entry_count * sizeof *response->entries);
    if (response->entries == NULL)
        return false;
    for (size_t i = 0; i < command->entry_count; i++) {
        response->entries[i] = stock_entry_message(arena, &command->entries[i]);
        if (response->entries[i] == NULL)
            return false;
    }
    response->n_entries = command->entry_count;
    if (command->next == 0)
        return true;
    response->next_page_token =
        (char *)page_token_make(arena, list_stock_entries_name, command->sku, command->next).data;
    return response->next_page_token != NULL;
}

static void list_stock_entries_done(void *context, const struct error *error)
{
    struct list_stock_entries_call *state = context;
    Waybill__Inventory__V1__ListStockEntriesResponse response;
    if (fail_unless_done(state->call, &state->command.base, error))
        return;
    waybill__inventory__v1__list_stock_entries_response__init(&response);
    bool filled = fill_entries(rpc_call_arena(state->call), &state->command, &response);
    answer(state->call, &response.base, filled);
}

static void handle_list_stock_entries(void *context, struct rpc_call *call,
                                      const ProtobufCMessage *message)
{
    const Waybill__Inventory__V1__ListStockEntriesRequest *request = (const void *)message;
    struct violations violations;
    struct list_stock_entries_call *state = command_create(call, sizeof *state);
    if (state == NULL)
        return;
    violations_init(&violations, rpc_call_arena(call));
    state->call = call;
    state->command.sku = text_of(request->sku);
    if (!page_token_read(text_of(request->page_token), list_stock_entries_name, state->command.sku,
                         &state->command.after)) {
        state->command.base.outcome = INVENTORY_PAGE_TOKEN_INVALID;
        fail_unless_done(call, &state->command.base, NULL);
        return;
    }
    if (!inventory_service_list_stock_entries(context, &state->command, request->page_size,
                                              &violations, list_stock_entries_done, state))
        fail_with_violations(call, &violations);
}

/* --- VerifyLedger --- */

struct verify_ledger_call {
    struct verify_ledger_command command;
    struct rpc_call *call;
};

static char *hexadecimal(struct arena *arena, const uint8_t bytes[32])
{
    char *digits = arena_allocate(arena, 65);
    if (digits == NULL)
        return NULL;
    for (size_t i = 0; i < 32; i++) {
        digits[2 * i] = "0123456789abcdef"[bytes[i] >> 4];
        digits[2 * i + 1] = "0123456789abcdef"[bytes[i] & 15];
    }
    digits[64] = '\0';
    return digits;
}

static bool fill_verification(struct arena *arena, const struct verify_ledger_command *command,
                              Waybill__Inventory__V1__VerifyLedgerResponse *response)
{
    response->entries = (int64_t)command->entries;
    response->skus = (int64_t)command->skus;
    response->reservations = (int64_t)command->reservations;
    response->chain_head = hexadecimal(arena, command->chain_head);
    response->mismatches =
        arena_allocate(arena, command->mismatch_count * sizeof *response->mismatches);
    if (response->chain_head == NULL || response->mismatches == NULL)
        return false;
    for (size_t i = 0; i < command->mismatch_count; i++) {
        response->mismatches[i] = ledger_mismatch_message(arena, &command->mismatches[i]);
        if (response->mismatches[i] == NULL)
            return false;
    }
    response->n_mismatches = command->mismatch_count;
    return true;
}

static void verify_ledger_done(void *context, const struct error *error)
{
    struct verify_ledger_call *state = context;
    Waybill__Inventory__V1__VerifyLedgerResponse response;
    if (fail_unless_done(state->call, &state->command.base, error))
        return;
    waybill__inventory__v1__verify_ledger_response__init(&response);
    bool filled = fill_verification(rpc_call_arena(state->call), &state->command, &response);
    answer(state->call, &response.base, filled);
}

static void handle_verify_ledger(void *context, struct rpc_call *call,
                                 const ProtobufCMessage *message)
{
    struct verify_ledger_call *state = command_create(call, sizeof *state);
    (void)message;
    if (state == NULL)
        return;
    state->call = call;
    inventory_service_verify_ledger(context, &state->command, verify_ledger_done, state);
}

/* --- the table --- */

struct rpc_service inventory_rpc_service(struct inventory_service *service)
{
    static const struct rpc_method methods[] = {
        {.name = "ReceiveStock", .unary = handle_receive_stock},
        {.name = "AdjustStock", .unary = handle_adjust_stock},
        {.name = "GetStock", .unary = handle_get_stock, .idempotent = true},
        {.name = "Reserve", .unary = handle_reserve},
        {.name = "Commit", .unary = handle_commit},
        {.name = "Rollback", .unary = handle_rollback},
        {.name = "GetReservation", .unary = handle_get_reservation, .idempotent = true},
        {.name = "ListStockEntries", .unary = handle_list_stock_entries, .idempotent = true},
        {.name = "VerifyLedger", .unary = handle_verify_ledger, .idempotent = true},
    };
    static const struct rpc_field_limit field_limits[] = {
        {&waybill__inventory__v1__reserve_request__descriptor, "lines", inventory_lines_max},
        {&waybill__inventory__v1__commit_request__descriptor, "lines", inventory_lines_max},
    };
    return (struct rpc_service){
        .descriptor = &waybill__inventory__v1__inventory_service__descriptor,
        .methods = methods,
        .method_count = sizeof methods / sizeof methods[0],
        .field_limits = field_limits,
        .field_limit_count = sizeof field_limits / sizeof field_limits[0],
        .context = service,
    };
}
