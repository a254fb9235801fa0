/* What every method needs: memory, refusals, the answer. */
#include "inventory/interfaces/rpc/inventory_rpc_call.h"

#include "inventory/interfaces/rpc/inventory_messages.h"

void *inventory_rpc_command(struct rpc_call *call, size_t size)
{
    struct inventory_command *command = arena_allocate_zero(rpc_call_arena(call), 1, size);
    if (command == NULL) {
        rpc_call_end_without_memory(call);
        return NULL;
    }
    command->executor = rpc_call_executor(call);
    command->arena = rpc_call_arena(call);
    return command;
}

void inventory_rpc_fail_with_violation(struct rpc_call *call, const char *field,
                                       const char *description)
{
    struct violations violations;
    violations_init(&violations, rpc_call_arena(call));
    violations_add(&violations, description, "%s", field);
    rpc_call_end_with_violations(call, &violations);
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
    [INVENTORY_RESERVATION_PENDING] = {GRPC_STATUS_FAILED_PRECONDITION, "RESERVATION_PENDING",
                                       "the reservation is not committed"},
    [INVENTORY_FED_BY_WAREHOUSE] = {GRPC_STATUS_FAILED_PRECONDITION, "FED_BY_WAREHOUSE",
                                    "on hand follows the warehouse: post the movement there"},
    [INVENTORY_QUANTITY_LIMIT] = {GRPC_STATUS_FAILED_PRECONDITION, "QUANTITY_LIMIT",
                                  "one reservation may not have so much of this SKU"},
    [INVENTORY_PAGE_TOKEN_INVALID] = {GRPC_STATUS_INVALID_ARGUMENT, "PAGE_TOKEN_INVALID",
                                      "page_token is not one of this list"},
};

struct rpc_status inventory_rpc_shortage_status(struct arena *arena,
                                                const struct shortage *shortages, size_t count)
{
    const struct refusal *refusal = &refusals[INVENTORY_INSUFFICIENT_STOCK];
    struct rpc_status status = rpc_status_make(
        arena, refusal->status, refusal->reason, "not enough stock: %.*s has %lld, %lld asked",
        (int)shortages[0].sku.size, shortages[0].sku.data,
        (long long)shortages[0].available_quantity, (long long)shortages[0].requested_quantity);
    Waybill__Inventory__V1__InsufficientStock *detail =
        insufficient_stock_message(arena, shortages, count);
    if (detail != NULL)
        rpc_status_add_detail(&status, &detail->base);
    return status;
}

bool inventory_rpc_refusal(struct arena *arena, const struct inventory_command *command,
                           const struct error *error, struct rpc_status *status)
{
    if (error == NULL && command->outcome == INVENTORY_DONE)
        return false;
    if (error != NULL) {
        *status = rpc_status_of_error(arena, error);
    } else {
        const struct refusal *refusal = &refusals[command->outcome];
        *status = rpc_status_make(arena, refusal->status, refusal->reason, "%s", refusal->message);
        if (command->failed_sku.size > 0)
            rpc_status_add_metadata(status, "sku", command->failed_sku);
    }
    return true;
}

bool inventory_rpc_failed(struct rpc_call *call, const struct inventory_command *command,
                          const struct error *error)
{
    struct rpc_status status;
    if (!inventory_rpc_refusal(rpc_call_arena(call), command, error, &status))
        return false;
    rpc_call_fail(call, &status);
    return true;
}

void inventory_rpc_fail_with_shortages(struct rpc_call *call, const struct shortage *shortages,
                                       size_t count)
{
    struct rpc_status status =
        inventory_rpc_shortage_status(rpc_call_arena(call), shortages, count);
    rpc_call_fail(call, &status);
}

void inventory_rpc_fail_with_line(struct rpc_call *call, size_t line, const char *description)
{
    struct violations violations;
    violations_init(&violations, rpc_call_arena(call));
    violations_add(&violations, description, "lines[%zu]", line);
    rpc_call_end_with_violations(call, &violations);
}
