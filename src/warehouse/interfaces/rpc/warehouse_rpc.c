/*
 * One handler and one completion for all methods: the row of the method knows how its request is
 * read and its response written. The command is on the call's arena, so that it lives until the
 * store has answered, whatever becomes of the caller.
 */
#include "warehouse/interfaces/rpc/warehouse_rpc.h"

#include "platform/base/check.h"
#include "warehouse/domain/limits.h"
#include "warehouse/interfaces/rpc/warehouse_calls.h"
#include "warehouse/interfaces/rpc/warehouse_messages.h"

#include <stddef.h>
#include <string.h>

/* --- refusals --- */

static void fail_without_memory(struct rpc_call *call)
{
    struct error error = error_make(ERROR_OUT_OF_MEMORY, "not enough memory for this call");
    struct rpc_status status = rpc_status_of_error(rpc_call_arena(call), &error);
    rpc_call_fail(call, &status);
}

static void fail_with_violations(struct rpc_call *call, const struct violations *violations)
{
    struct rpc_status status =
        rpc_status_invalid(rpc_call_arena(call), violations->items, violations_kept(violations));
    rpc_call_fail(call, &status);
}

struct refusal {
    enum grpc_status status;
    const char *reason;
    const char *message;
    const char *named; /* what `failed` is, in the metadata of the ErrorInfo; "" = nothing */
};

/* DESIGN section 3, Errors. DONE and INVALID_FIELD are answered otherwise. */
static const struct refusal refusals[] = {
    [WAREHOUSE_SKU_NOT_FOUND] = {GRPC_STATUS_NOT_FOUND, "SKU_NOT_FOUND",
                                 "there is no item of this SKU, and no stock of it", "sku"},
    [WAREHOUSE_WAREHOUSE_NOT_FOUND] = {GRPC_STATUS_NOT_FOUND, "WAREHOUSE_NOT_FOUND",
                                       "no warehouse has this id", "warehouse_id"},
    [WAREHOUSE_BIN_NOT_FOUND] = {GRPC_STATUS_NOT_FOUND, "BIN_NOT_FOUND",
                                 "the warehouse has no such bin; CreateBin makes one", "bin"},
    [WAREHOUSE_TRANSFER_NOT_FOUND] = {GRPC_STATUS_NOT_FOUND, "TRANSFER_NOT_FOUND",
                                      "no transfer has this id", "transfer_id"},
    [WAREHOUSE_COUNT_NOT_FOUND] = {GRPC_STATUS_NOT_FOUND, "COUNT_NOT_FOUND", "no count has this id",
                                   "count_id"},
    [WAREHOUSE_ALLOCATION_NOT_FOUND] = {GRPC_STATUS_NOT_FOUND, "ALLOCATION_NOT_FOUND",
                                        "no allocation has this id", "allocation_id"},
    [WAREHOUSE_PART_NOT_FOUND] = {GRPC_STATUS_NOT_FOUND, "ALLOCATION_PART_NOT_FOUND",
                                  "the allocation has no part at this warehouse", "warehouse_id"},
    [WAREHOUSE_INSUFFICIENT_STOCK] = {GRPC_STATUS_FAILED_PRECONDITION, "INSUFFICIENT_STOCK",
                                      "not enough stock", ""},
    [WAREHOUSE_ID_REUSED] = {GRPC_STATUS_ALREADY_EXISTS, "ID_REUSED",
                             "this id was used before for other content", "id"},
    [WAREHOUSE_REVISION_MISMATCH] = {GRPC_STATUS_ABORTED, "REVISION_MISMATCH",
                                     "the warehouse has changed since expected_revision",
                                     "warehouse_id"},
    [WAREHOUSE_INACTIVE] = {GRPC_STATUS_FAILED_PRECONDITION, "WAREHOUSE_INACTIVE",
                            "the warehouse is not active and takes no goods", "warehouse_id"},
    [WAREHOUSE_ON_HAND_LIMIT] = {GRPC_STATUS_FAILED_PRECONDITION, "QUANTITY_LIMIT",
                                 "on hand may not exceed 1000000000000000", "sku"},
    [WAREHOUSE_PLACES_LIMIT] = {GRPC_STATUS_FAILED_PRECONDITION, "PLACES_LIMIT",
                                "a SKU may lie in at most 1000 places of a warehouse", "sku"},
    [WAREHOUSE_SITES_LIMIT] = {GRPC_STATUS_FAILED_PRECONDITION, "WAREHOUSES_LIMIT",
                               "there may be at most 1000 warehouses", "warehouse_id"},
    [WAREHOUSE_CARDS_LIMIT] = {GRPC_STATUS_FAILED_PRECONDITION, "COST_CARDS_LIMIT",
                               "a warehouse may have at most 1000 cost cards", "warehouse_id"},
    [WAREHOUSE_LOT_MISMATCH] = {GRPC_STATUS_FAILED_PRECONDITION, "LOT_EXPIRY_MISMATCH",
                                "the lot is known with another expiry date", "lot"},
    [WAREHOUSE_TRANSFER_RECEIVED] = {GRPC_STATUS_FAILED_PRECONDITION, "TRANSFER_RECEIVED",
                                     "the transfer was received", "transfer_id"},
    [WAREHOUSE_TRANSFER_CANCELLED] = {GRPC_STATUS_FAILED_PRECONDITION, "TRANSFER_CANCELLED",
                                      "the transfer was cancelled", "transfer_id"},
    [WAREHOUSE_COUNT_OPEN] = {GRPC_STATUS_FAILED_PRECONDITION, "COUNT_OPEN",
                              "nothing is recorded yet", "count_id"},
    [WAREHOUSE_COUNT_APPROVED] = {GRPC_STATUS_FAILED_PRECONDITION, "COUNT_APPROVED",
                                  "the count was approved", "count_id"},
    [WAREHOUSE_COUNT_CANCELLED] = {GRPC_STATUS_FAILED_PRECONDITION, "COUNT_CANCELLED",
                                   "the count was cancelled", "count_id"},
    [WAREHOUSE_COUNT_TOO_LARGE] = {GRPC_STATUS_FAILED_PRECONDITION, "COUNT_TOO_LARGE",
                                   "a count may have at most 1000 lines; count zone by zone",
                                   "count_id"},
    [WAREHOUSE_ALLOCATION_TENTATIVE] = {GRPC_STATUS_FAILED_PRECONDITION, "ALLOCATION_TENTATIVE",
                                        "the allocation is not confirmed yet", ""},
    [WAREHOUSE_ALLOCATION_SHIPPED] = {GRPC_STATUS_FAILED_PRECONDITION, "ALLOCATION_SHIPPED",
                                      "it was shipped already", ""},
    [WAREHOUSE_ALLOCATION_RELEASED] = {GRPC_STATUS_FAILED_PRECONDITION, "ALLOCATION_RELEASED",
                                       "it was released", ""},
    [WAREHOUSE_ALLOCATION_EXPIRED] = {GRPC_STATUS_FAILED_PRECONDITION, "ALLOCATION_EXPIRED",
                                      "the allocation has expired", ""},
};

/* Not enough stock: the message names the first SKU, the detail all of them. */
static void fail_with_shortages(struct rpc_call *call, const struct warehouse_command *command)
{
    struct arena *arena = rpc_call_arena(call);
    const struct shortage *first = &command->shortages[0];
    struct rpc_status status = rpc_status_make(
        arena, GRPC_STATUS_FAILED_PRECONDITION, "INSUFFICIENT_STOCK",
        "not enough stock: %.*s has %lld, %lld asked", (int)first->sku.size, first->sku.data,
        (long long)first->available_quantity, (long long)first->requested_quantity);
    Waybill__Warehouse__V1__InsufficientStock *detail =
        warehouse_shortages_message(arena, command->shortages, command->shortage_count);
    if (detail != NULL)
        rpc_status_add_detail(&status, &detail->base);
    rpc_call_fail(call, &status);
}

static void refuse(struct rpc_call *call, const struct warehouse_command *command)
{
    if (command->outcome == WAREHOUSE_INVALID_FIELD) {
        fail_with_violations(call, &command->violations);
        return;
    }
    if (command->outcome == WAREHOUSE_INSUFFICIENT_STOCK && command->shortage_count > 0) {
        fail_with_shortages(call, command);
        return;
    }
    const struct refusal *refusal = &refusals[command->outcome];
    struct rpc_status status = rpc_status_make(rpc_call_arena(call), refusal->status,
                                               refusal->reason, "%s", refusal->message);
    if (command->failed.size > 0 && refusal->named[0] != '\0')
        rpc_status_add_metadata(&status, refusal->named, command->failed);
    rpc_call_fail(call, &status);
}

static void refuse_page_token(struct rpc_call *call)
{
    struct rpc_status status =
        rpc_status_make(rpc_call_arena(call), GRPC_STATUS_INVALID_ARGUMENT, "PAGE_TOKEN_INVALID",
                        "page_token is not one of this list with this filter");
    rpc_call_fail(call, &status);
}

/* --- the life of a call --- */

/* In front of each command, on the call's arena. */
struct command_call {
    struct rpc_call *call;
    const struct call_row *row;
    struct text filter;
    max_align_t command[];
};

static struct command_call *call_of(struct warehouse_command *command)
{
    return (struct command_call *)(void *)((char *)command -
                                           offsetof(struct command_call, command));
}

static void answer(struct command_call *state, const struct warehouse_command *command)
{
    struct arena *arena = rpc_call_arena(state->call);
    ProtobufCMessage *response = arena_allocate(arena, state->row->response->sizeof_message);
    if (response == NULL) {
        fail_without_memory(state->call);
        return;
    }
    protobuf_c_message_init(state->row->response, response);
    if (state->row->write(arena, command, state->filter, response))
        rpc_call_answer(state->call, response);
    else
        fail_without_memory(state->call);
}

static void command_done(struct warehouse_command *command, const struct error *error)
{
    struct command_call *state = call_of(command);
    if (error != NULL) {
        struct rpc_status status = rpc_status_of_error(rpc_call_arena(state->call), error);
        rpc_call_fail(state->call, &status);
    } else if (command->outcome != WAREHOUSE_DONE) {
        refuse(state->call, command);
    } else {
        answer(state, command);
    }
}

static const struct call_row *find_row(const char *method)
{
    const struct {
        const struct call_row *rows;
        size_t count;
    } tables[] = {
        {site_call_rows, site_call_row_count},
        {stock_call_rows, stock_call_row_count},
        {allocation_call_rows, allocation_call_row_count},
    };
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++) {
        for (size_t k = 0; k < tables[i].count; k++) {
            if (strcmp(tables[i].rows[k].method, method) == 0)
                return &tables[i].rows[k];
        }
    }
    return NULL;
}

/* The rows by the place of the method in the service. Filled before the first call. */
static const struct call_row *rows_by_method[warehouse_command_count];

static void handle(void *context, struct rpc_call *call, const ProtobufCMessage *request)
{
    const ProtobufCServiceDescriptor *service =
        &waybill__warehouse__v1__warehouse_service__descriptor;
    const struct call_row *row = rows_by_method[rpc_call_method(call) - service->methods];
    struct arena *arena = rpc_call_arena(call);
    struct command_call *state = arena_allocate_zero(arena, 1, sizeof *state + row->command_size);
    if (state == NULL) {
        fail_without_memory(call);
        return;
    }
    struct warehouse_command *command = (struct warehouse_command *)(void *)state->command;
    struct call_reading reading = {.arena = arena, .violations = &command->violations};
    state->call = call;
    state->row = row;
    command->kind = row->kind;
    command->executor = rpc_call_executor(call);
    command->arena = arena;
    command->deadline_us = rpc_call_deadline_us(call) == INT64_MAX ? 0 : rpc_call_deadline_us(call);
    violations_init(&command->violations, arena);
    row->read(&reading, command, request);
    state->filter = reading.filter;
    if (reading.failed)
        fail_without_memory(call);
    else if (reading.page_token_invalid)
        refuse_page_token(call);
    else if (!warehouse_service_submit(context, command, command_done))
        fail_with_violations(call, &command->violations);
}

/* --- the table --- */

static const struct rpc_field_limit field_limits[] = {
    {&waybill__common__v1__address__descriptor, "lines", warehouse_address_lines_max},
    {&waybill__warehouse__v1__warehouse__descriptor, "closed_days", warehouse_closed_days_max},
    {&google__protobuf__field_mask__descriptor, "paths", warehouse_mask_paths_max},
    {&waybill__warehouse__v1__cost_card__descriptor, "bands", warehouse_bands_max},
    {&waybill__warehouse__v1__create_transfer_request__descriptor, "lines", warehouse_lines_max},
    {&waybill__warehouse__v1__receive_transfer_request__descriptor, "lines", warehouse_lines_max},
    {&waybill__warehouse__v1__start_count_request__descriptor, "skus", warehouse_lines_max},
    {&waybill__warehouse__v1__record_count_request__descriptor, "lines", warehouse_count_lines_max},
    {&waybill__warehouse__v1__plan_allocation_request__descriptor, "lines", warehouse_lines_max},
    {&waybill__warehouse__v1__allocate_request__descriptor, "lines", warehouse_lines_max},
    {&waybill__warehouse__v1__ship_allocation_request__descriptor, "lines", warehouse_lines_max},
};

struct rpc_service warehouse_rpc_service(struct warehouse_service *service)
{
    static struct rpc_method methods[warehouse_command_count];
    const ProtobufCServiceDescriptor *descriptor =
        &waybill__warehouse__v1__warehouse_service__descriptor;
    CHECK(descriptor->n_methods == warehouse_command_count);
    for (unsigned i = 0; i < descriptor->n_methods; i++) {
        const struct call_row *row = find_row(descriptor->methods[i].name);
        CHECK(row != NULL);
        rows_by_method[i] = row;
        methods[i] =
            (struct rpc_method){.name = row->method, .unary = handle, .idempotent = row->is_read};
    }
    return (struct rpc_service){
        .descriptor = descriptor,
        .methods = methods,
        .method_count = descriptor->n_methods,
        .field_limits = field_limits,
        .field_limit_count = sizeof field_limits / sizeof field_limits[0],
        .context = service,
    };
}
