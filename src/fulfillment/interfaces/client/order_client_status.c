/*
 * From statuses to outcomes. The reasons that the process tells apart have a row each; of all other
 * answers it is only asked whether the same call could be answered otherwise later. A refusal
 * without a reason is none of our services': its details were lost on the way, for want of memory
 * perhaps. What it was is not guessed (a shipment that waits for its carrier must not be taken for
 * one that was not bought): the call is made again.
 *
 * Six calls create under an id of ours, and a repeat may find ALREADY_EXISTS where what is asked
 * for is made otherwise now (a setting, an upgrade):
 *   Reserve, Allocate       nothing is held under that id: the next attempt's is taken
 *   CreateShipment          for a person: another carrier's label beside a bought one is money lost
 *   CreateTracking          refused, behind the pivot: for a person, who is told what to do
 *   ReturnStock (both)      it was given back: a note, or a person, never once more
 * NOT_FOUND of what was made (retention is over) and FAILED_PRECONDITION of what ended have rows.
 */
#include "fulfillment/interfaces/client/order_client_call.h"

#include "platform/rpc/status_details.h"

#include "google/rpc/error_details.pb-c.h"
#include "waybill/inventory/v1/inventory.pb-c.h"
#include "waybill/warehouse/v1/warehouse.pb-c.h"

#include <string.h>

static const struct {
    const char *reason;
    enum order_call_outcome outcome;
    enum order_call_kind kind; /* of that call alone; NONE = of any */
} outcomes[] = {
    {"INSUFFICIENT_STOCK", CALL_INSUFFICIENT_STOCK},
    {"RESERVATION_EXPIRED", CALL_HOLD_EXPIRED},
    {"ALLOCATION_EXPIRED", CALL_HOLD_EXPIRED},
    {"RESERVATION_ROLLED_BACK", CALL_HOLD_GONE},
    {"RESERVATION_NOT_FOUND", CALL_HOLD_GONE},
    {"ALLOCATION_RELEASED", CALL_HOLD_GONE},
    {"ALLOCATION_NOT_FOUND", CALL_HOLD_GONE},
    {"SHIPMENT_NOT_FOUND", CALL_HOLD_GONE},
    {"SHIPMENT_CANCELLED", CALL_HOLD_GONE},
    {"SHIPMENT_FAILED", CALL_HOLD_GONE},
    {"RESERVATION_COMMITTED", CALL_HOLD_USED},
    {"ALLOCATION_SHIPPED", CALL_HOLD_USED},
    {"CARRIER_UNAVAILABLE", CALL_CARRIER_AWAY},
    {"SHIPMENT_UNRESOLVED", CALL_PENDING},
    {"SHIPMENT_NEEDS_ATTENTION", CALL_STUCK},
    /* Asked for otherwise before, under other settings perhaps: a label may have been bought. */
    {"ID_REUSED", CALL_STUCK, CALL_CREATE_SHIPMENT},
    /* Of an earlier life of the order, refused and forgotten since: nothing is held under it. */
    {"ID_REUSED", CALL_HOLD_GONE, CALL_RESERVE},
    {"ID_REUSED", CALL_HOLD_GONE, CALL_ALLOCATE},
};

void order_call_refuse(struct order_call *call, enum order_call_outcome outcome,
                       enum order_refusal_kind kind, const char *reason, const char *message)
{
    call->outcome = outcome;
    call->refusal = (struct order_refusal){
        .kind = kind,
        .reason = arena_copy_text(call->arena, text_of(reason)),
        .message = arena_copy_text(call->arena, text_of(message)),
    };
}

/* "" if there is none, or no memory for it. */
static const char *reason_of(const struct rpc_status *status, struct arena *arena)
{
    struct text packed = rpc_status_detail(status, "google.rpc.ErrorInfo");
    Google__Rpc__ErrorInfo *info =
        google__rpc__error_info__unpack(NULL, packed.size, (const uint8_t *)packed.data);
    const char *reason = info == NULL ? "" : arena_copy_string(arena, text_of(info->reason));
    google__rpc__error_info__free_unpacked(info, NULL);
    return reason == NULL ? "" : reason;
}

static bool may_be_otherwise_later(enum grpc_status code)
{
    switch (code) {
    case GRPC_STATUS_OK:
    case GRPC_STATUS_INVALID_ARGUMENT:
    case GRPC_STATUS_NOT_FOUND:
    case GRPC_STATUS_ALREADY_EXISTS:
    case GRPC_STATUS_FAILED_PRECONDITION:
    case GRPC_STATUS_OUT_OF_RANGE:
    case GRPC_STATUS_DATA_LOSS:
        return false;
    case GRPC_STATUS_CANCELLED:
    case GRPC_STATUS_UNKNOWN:
    case GRPC_STATUS_DEADLINE_EXCEEDED:
    case GRPC_STATUS_PERMISSION_DENIED:
    case GRPC_STATUS_RESOURCE_EXHAUSTED:
    case GRPC_STATUS_ABORTED:
    case GRPC_STATUS_UNIMPLEMENTED:
    case GRPC_STATUS_INTERNAL:
    case GRPC_STATUS_UNAVAILABLE:
    case GRPC_STATUS_UNAUTHENTICATED:
        break;
    }
    return true;
}

static enum order_refusal_kind kind_of(enum grpc_status code)
{
    if (code == GRPC_STATUS_NOT_FOUND)
        return REFUSAL_NOT_FOUND;
    if (code == GRPC_STATUS_INVALID_ARGUMENT)
        return REFUSAL_INVALID;
    return may_be_otherwise_later(code) ? REFUSAL_UNAVAILABLE : REFUSAL_PRECONDITION;
}

/* --- what is short; inventory and warehouse say it in the same form --- */

static void add_shortage(struct order_call *call, struct order_shortage *shortages, size_t index,
                         const char *sku, int64_t requested, int64_t available)
{
    shortages[index] = (struct order_shortage){
        .sku = arena_copy_text(call->arena, text_of(sku)),
        .requested_quantity = requested,
        .available_quantity = available,
    };
    if (shortages[index].sku.data != NULL)
        call->refusal.shortage_count = index + 1;
}

static void take_inventory_shortages(struct order_call *call, struct text packed)
{
    Waybill__Inventory__V1__InsufficientStock *detail =
        waybill__inventory__v1__insufficient_stock__unpack(NULL, packed.size,
                                                           (const uint8_t *)packed.data);
    size_t count = detail == NULL ? 0 : detail->n_lines;
    struct order_shortage *shortages =
        arena_allocate_zero(call->arena, count + 1, sizeof *shortages);
    call->refusal.shortages = shortages;
    for (size_t i = 0; shortages != NULL && i < count; i++)
        add_shortage(call, shortages, i, detail->lines[i]->sku,
                     detail->lines[i]->requested_quantity, detail->lines[i]->available_quantity);
    waybill__inventory__v1__insufficient_stock__free_unpacked(detail, NULL);
}

static void take_warehouse_shortages(struct order_call *call, struct text packed)
{
    Waybill__Warehouse__V1__InsufficientStock *detail =
        waybill__warehouse__v1__insufficient_stock__unpack(NULL, packed.size,
                                                           (const uint8_t *)packed.data);
    size_t count = detail == NULL ? 0 : detail->n_lines;
    struct order_shortage *shortages =
        arena_allocate_zero(call->arena, count + 1, sizeof *shortages);
    call->refusal.shortages = shortages;
    for (size_t i = 0; shortages != NULL && i < count; i++)
        add_shortage(call, shortages, i, detail->lines[i]->sku,
                     detail->lines[i]->requested_quantity, detail->lines[i]->available_quantity);
    waybill__warehouse__v1__insufficient_stock__free_unpacked(detail, NULL);
}

static void take_shortages(struct order_call *call, const struct rpc_status *status)
{
    struct text inventory = rpc_status_detail(status, "waybill.inventory.v1.InsufficientStock");
    struct text warehouse = rpc_status_detail(status, "waybill.warehouse.v1.InsufficientStock");
    call->refusal.kind = REFUSAL_INSUFFICIENT_STOCK;
    if (inventory.size > 0)
        take_inventory_shortages(call, inventory);
    else if (warehouse.size > 0)
        take_warehouse_shortages(call, warehouse);
}

/* --- what was given wrongly --- */

/*
 * Of the fields that another service finds wrong, those that PromiseOrder was given, by its paths.
 * All others are made by us of what the order and the warehouse's facts are.
 */
static struct text path_of(struct arena *arena, const char *field)
{
    static const struct {
        const char *theirs;
        const char *ours;
    } fields[] = {
        {"carriers", "carriers"},
        {"customs.incoterm", "incoterm"},
        {"destination", "destination"},
    };
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        size_t size = strlen(fields[i].theirs);
        bool is_it = strncmp(field, fields[i].theirs, size) == 0 &&
                     (field[size] == '\0' || field[size] == '.' || field[size] == '[');
        char *path = is_it ? arena_format(arena, "%s%s", fields[i].ours, field + size) : NULL;
        if (is_it)
            return text_of(path);
    }
    return (struct text){0};
}

static void take_violations(struct order_call *call, const struct rpc_status *status)
{
    struct text packed = rpc_status_detail(status, "google.rpc.BadRequest");
    Google__Rpc__BadRequest *bad =
        google__rpc__bad_request__unpack(NULL, packed.size, (const uint8_t *)packed.data);
    size_t count = bad == NULL ? 0 : bad->n_field_violations;
    bool is_late = false;
    struct violation *violations = arena_allocate_zero(call->arena, count + 1, sizeof *violations);
    call->refusal.violations = violations;
    for (size_t i = 0; violations != NULL && i < count; i++) {
        const Google__Rpc__BadRequest__FieldViolation *one = bad->field_violations[i];
        struct violation *violation = &violations[call->refusal.violation_count];
        is_late = is_late || strcmp(one->field, "expire_time") == 0;
        violation->field = path_of(call->arena, one->field);
        violation->description = arena_copy_text(call->arena, text_of(one->description));
        call->refusal.violation_count +=
            violation->field.size > 0 && violation->description.data != NULL;
    }
    google__rpc__bad_request__free_unpacked(bad, NULL);
    if (call->refusal.violation_count > 0)
        return;
    call->refusal.kind = REFUSAL_PRECONDITION; /* nothing of it was given */
    call->refusal.reason = text_of("ORDER_UNSUITABLE");
    if (is_late && call->kind == CALL_ALLOCATE) { /* the hold was over when it was asked for */
        call->outcome = CALL_HOLD_EXPIRED;
        call->refusal.reason = text_of("ALLOCATION_EXPIRED");
    }
}

void order_call_take_status(struct order_call *call, const struct rpc_status *status)
{
    const char *reason = reason_of(status, call->arena);
    const char *message = arena_copy_string(call->arena, status->message);
    bool is_open = may_be_otherwise_later(status->code) || reason[0] == '\0';
    enum order_call_outcome outcome = is_open ? CALL_UNAVAILABLE : CALL_REFUSED;
    for (size_t i = 0; i < sizeof outcomes / sizeof outcomes[0]; i++) {
        bool is_for_it = outcomes[i].kind == CALL_NONE || outcomes[i].kind == call->kind;
        if (is_for_it && strcmp(outcomes[i].reason, reason) == 0)
            outcome = outcomes[i].outcome;
    }
    if (reason[0] == '\0' && outcome == CALL_UNAVAILABLE)
        reason = error_reason(ERROR_STORE_UNAVAILABLE);
    order_call_refuse(call, outcome, is_open ? REFUSAL_UNAVAILABLE : kind_of(status->code), reason,
                      message == NULL ? "" : message);
    if (outcome == CALL_INSUFFICIENT_STOCK)
        take_shortages(call, status);
    else if (call->refusal.kind == REFUSAL_INVALID)
        take_violations(call, status);
}
