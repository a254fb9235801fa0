/*
 * All methods are rows (platform/rpc/rpc_commands.h); here is what they share: the head of a call,
 * and what each refusal of the application is at the door.
 */
#include "shipping/interfaces/rpc/shipping_rpc.h"

#include "google/protobuf/duration.pb-c.h"
#include "google/rpc/error_details.pb-c.h"
#include "platform/base/check.h"
#include "platform/rpc/rpc_call_end.h"
#include "shipping/interfaces/rpc/shipping_calls.h"

#include <stddef.h>

/* --- refusals --- */

static const struct {
    enum grpc_status status;
    const char *reason;
} refusals[shipping_refusal_count] = {
    [REFUSAL_SHIPMENT_NOT_FOUND] = {GRPC_STATUS_NOT_FOUND, "SHIPMENT_NOT_FOUND"},
    [REFUSAL_LABEL_NOT_FOUND] = {GRPC_STATUS_NOT_FOUND, "LABEL_NOT_FOUND"},
    [REFUSAL_NUMBER_MALFORMED] = {GRPC_STATUS_INVALID_ARGUMENT, "INVALID_FIELD"},
    [REFUSAL_NUMBER_NOT_FOUND] = {GRPC_STATUS_NOT_FOUND, "TRACKING_NUMBER_NOT_FOUND"},
    [REFUSAL_ID_REUSED] = {GRPC_STATUS_ALREADY_EXISTS, "ID_REUSED"},
    [REFUSAL_RATE_MISMATCH] = {GRPC_STATUS_FAILED_PRECONDITION, "RATE_MISMATCH"},
    [REFUSAL_RATE_EXPIRED] = {GRPC_STATUS_FAILED_PRECONDITION, "RATE_EXPIRED"},
    [REFUSAL_NO_SERVICE] = {GRPC_STATUS_FAILED_PRECONDITION, "NO_SERVICE"},
    [REFUSAL_CARRIER_UNAVAILABLE] = {GRPC_STATUS_UNAVAILABLE, "CARRIER_UNAVAILABLE"},
    [REFUSAL_CARRIER_REFUSED] = {GRPC_STATUS_FAILED_PRECONDITION, "CARRIER_REFUSED"},
    [REFUSAL_CANCEL_UNSUPPORTED] = {GRPC_STATUS_FAILED_PRECONDITION, "CANCEL_UNSUPPORTED"},
    [REFUSAL_CANCEL_REFUSED] = {GRPC_STATUS_FAILED_PRECONDITION, "CANCEL_REFUSED"},
    [REFUSAL_SHIPMENT_UNRESOLVED] = {GRPC_STATUS_FAILED_PRECONDITION, "SHIPMENT_UNRESOLVED"},
    [REFUSAL_SHIPMENT_NEEDS_ATTENTION] = {GRPC_STATUS_FAILED_PRECONDITION,
                                          "SHIPMENT_NEEDS_ATTENTION"},
    [REFUSAL_SHIPMENT_RESOLVED] = {GRPC_STATUS_FAILED_PRECONDITION, "SHIPMENT_RESOLVED"},
    [REFUSAL_SHIPMENT_NOT_CREATED] = {GRPC_STATUS_FAILED_PRECONDITION, "SHIPMENT_NOT_CREATED"},
    [REFUSAL_SHIPMENT_FAILED] = {GRPC_STATUS_FAILED_PRECONDITION, "SHIPMENT_FAILED"},
    [REFUSAL_SHIPMENT_CANCELLED] = {GRPC_STATUS_FAILED_PRECONDITION, "SHIPMENT_CANCELLED"},
    [REFUSAL_NUMBER_MISMATCH] = {GRPC_STATUS_FAILED_PRECONDITION, "TRACKING_NUMBER_MISMATCH"},
    [REFUSAL_LABEL_FORMAT_UNAVAILABLE] = {GRPC_STATUS_FAILED_PRECONDITION,
                                          "LABEL_FORMAT_UNAVAILABLE"},
    [REFUSAL_TRACKING_UNSUPPORTED] = {GRPC_STATUS_FAILED_PRECONDITION, "TRACKING_UNSUPPORTED"},
    [REFUSAL_UNWANTED_LABEL_NOT_FOUND] = {GRPC_STATUS_NOT_FOUND, "UNWANTED_LABEL_NOT_FOUND"},
    [REFUSAL_UNWANTED_LABEL_VOIDED] = {GRPC_STATUS_FAILED_PRECONDITION, "UNWANTED_LABEL_VOIDED"},
};

/* When to come back: as the carrier said, else in a second. */
static void add_retry(struct rpc_status *status, int64_t retry_after_us)
{
    Google__Protobuf__Duration delay = GOOGLE__PROTOBUF__DURATION__INIT;
    Google__Rpc__RetryInfo retry = GOOGLE__RPC__RETRY_INFO__INIT;
    if (retry_after_us <= 0)
        retry_after_us = 1000000;
    delay.seconds = retry_after_us / 1000000;
    delay.nanos = (int32_t)(retry_after_us % 1000000) * 1000;
    retry.retry_delay = &delay;
    rpc_status_add_detail(status, &retry.base);
}

static void refuse(struct rpc_call *call, const struct shipping_call *answer)
{
    if (answer->violations.count > 0) { /* what only the record could tell */
        rpc_call_end_with_violations(call, &answer->violations);
        return;
    }
    struct text why = answer->why.data == NULL ? text_of("refused") : answer->why;
    struct rpc_status status =
        rpc_status_make(rpc_call_arena(call), refusals[answer->refusal].status,
                        refusals[answer->refusal].reason, "%.*s", (int)why.size, why.data);
    if (answer->refusal == REFUSAL_CARRIER_UNAVAILABLE)
        add_retry(&status, answer->retry_after_us);
    rpc_call_fail(call, &status);
}

/* --- the life of a call --- */

static struct violations *begin(struct rpc_call *call, int kind, void *command)
{
    struct shipping_call *to = command;
    to->kind = (enum shipping_call_kind)kind;
    to->executor = rpc_call_executor(call);
    to->arena = rpc_call_arena(call);
    to->deadline_us = rpc_call_command_deadline_us(call);
    violations_init(&to->violations, to->arena);
    return &to->violations;
}

static void call_done(struct shipping_call *from, const struct error *error)
{
    if (error == NULL && from->refusal != REFUSAL_NONE)
        refuse(rpc_command_call(from), from);
    else
        rpc_command_done(from, error);
}

static bool submit(void *context, void *command)
{
    return shipping_service_submit(context, command, call_done);
}

/* The rows by the place of the method in the service. Filled before the first call. */
static const struct rpc_command_row *rows_by_method[shipping_call_count];

static const struct rpc_commands commands = {
    .service = &waybill__shipping__v1__shipping_service__descriptor,
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
    {&waybill__common__v1__address__descriptor, "lines", shipping_address_lines_max},
    {&waybill__shipping__v1__customs__descriptor, "items", shipping_customs_items_max},
    {&waybill__shipping__v1__get_rates_request__descriptor, "parcels", shipping_parcels_max},
    {&waybill__shipping__v1__get_rates_request__descriptor, "carriers", shipping_carriers_max},
    {&waybill__shipping__v1__create_shipment_request__descriptor, "parcels", shipping_parcels_max},
};

struct rpc_service shipping_rpc_service(struct shipping_service *service)
{
    static struct rpc_method methods[shipping_call_count];
    CHECK(commands.service->n_methods == shipping_call_count &&
          shipping_call_row_count + attention_call_row_count == shipping_call_count);
    rpc_commands_add(&commands, shipping_call_rows, shipping_call_row_count, handle, methods);
    rpc_commands_add(&commands, attention_call_rows, attention_call_row_count, handle, methods);
    return (struct rpc_service){
        .descriptor = commands.service,
        .methods = methods,
        .method_count = shipping_call_count,
        .field_limits = field_limits,
        .field_limit_count = sizeof field_limits / sizeof field_limits[0],
        .context = service,
    };
}
