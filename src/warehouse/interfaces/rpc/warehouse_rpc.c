/*
 * All methods are rows (platform/rpc/rpc_commands.h); here is what they share: the head of a
 * command, and what each outcome of the store is at the door.
 */
#include "warehouse/interfaces/rpc/warehouse_rpc.h"

#include "platform/base/check.h"
#include "platform/rpc/rpc_call_end.h"
#include "warehouse/domain/limits.h"
#include "warehouse/interfaces/rpc/warehouse_calls.h"
#include "warehouse/interfaces/rpc/warehouse_messages.h"

#include <stddef.h>

/* --- refusals --- */

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

/* What a shop that has just begun forgets, and then finds its stock unseen. */
static const char *who_counts(const struct warehouse_command *command)
{
    const struct allocate_command *allocate = (const struct allocate_command *)command;
    if (command->kind != COMMAND_ALLOCATE || allocate->strategy == STRATEGY_PRIORITY)
        return "";
    return "; a warehouse counts if it is active, has a point, and a cost card that reaches so far";
}

/* Not enough stock: the message names the first SKU, the detail all of them. */
static void fail_with_shortages(struct rpc_call *call, const struct warehouse_command *command)
{
    struct arena *arena = rpc_call_arena(call);
    const struct shortage *first = &command->shortages[0];
    struct rpc_status status =
        rpc_status_make(arena, GRPC_STATUS_FAILED_PRECONDITION, "INSUFFICIENT_STOCK",
                        "not enough stock: %.*s has %lld, %lld asked%s", (int)first->sku.size,
                        first->sku.data, (long long)first->available_quantity,
                        (long long)first->requested_quantity, who_counts(command));
    Waybill__Warehouse__V1__InsufficientStock *detail =
        warehouse_shortages_message(arena, command->shortages, command->shortage_count);
    if (detail != NULL)
        rpc_status_add_detail(&status, &detail->base);
    rpc_call_fail(call, &status);
}

static void refuse(struct rpc_call *call, const struct warehouse_command *command)
{
    if (command->outcome == WAREHOUSE_INVALID_FIELD) {
        rpc_call_end_with_violations(call, &command->violations);
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

/* --- the life of a call --- */

static struct violations *begin(struct rpc_call *call, int kind, void *to)
{
    struct warehouse_command *command = to;
    command->kind = (enum warehouse_command_kind)kind;
    command->executor = rpc_call_executor(call);
    command->arena = rpc_call_arena(call);
    command->deadline_us = rpc_call_command_deadline_us(call);
    violations_init(&command->violations, command->arena);
    return &command->violations;
}

static void command_done(struct warehouse_command *command, const struct error *error)
{
    if (error == NULL && command->outcome != WAREHOUSE_DONE)
        refuse(rpc_command_call(command), command);
    else
        rpc_command_done(command, error);
}

static bool submit(void *context, void *command)
{
    return warehouse_service_submit(context, command, command_done);
}

/* The rows by the place of the method in the service. Filled before the first call. */
static const struct rpc_command_row *rows_by_method[warehouse_command_count];

static const struct rpc_commands commands = {
    .service = &waybill__warehouse__v1__warehouse_service__descriptor,
    .rows = rows_by_method,
    .begin = begin,
    .submit = submit,
};

static void handle(void *context, struct rpc_call *call, const ProtobufCMessage *request)
{
    rpc_commands_handle(&commands, context, call, request);
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
    CHECK(commands.service->n_methods == warehouse_command_count &&
          site_call_row_count + stock_call_row_count + allocation_call_row_count ==
              warehouse_command_count);
    rpc_commands_add(&commands, site_call_rows, site_call_row_count, handle, methods);
    rpc_commands_add(&commands, stock_call_rows, stock_call_row_count, handle, methods);
    rpc_commands_add(&commands, allocation_call_rows, allocation_call_row_count, handle, methods);
    return (struct rpc_service){
        .descriptor = commands.service,
        .methods = methods,
        .method_count = warehouse_command_count,
        .field_limits = field_limits,
        .field_limit_count = sizeof field_limits / sizeof field_limits[0],
        .context = service,
    };
}
