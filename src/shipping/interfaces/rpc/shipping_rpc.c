/*
 * One handler and one completion for all methods: the row of the method knows how its request is
 * read and its response written. The call is on the RPC's arena, so that it lives until the service
 * has answered, whatever becomes of the caller.
 */
#include "shipping/interfaces/rpc/shipping_rpc.h"

#include "google/protobuf/duration.pb-c.h"
#include "google/rpc/error_details.pb-c.h"
#include "platform/base/check.h"
#include "shipping/interfaces/rpc/shipping_calls.h"

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

static const struct {
    enum grpc_status status;
    const char *reason;
} refusals[shipping_refusal_count] = {
    [REFUSAL_SHIPMENT_NOT_FOUND] = {GRPC_STATUS_NOT_FOUND, "SHIPMENT_NOT_FOUND"},
    [REFUSAL_LABEL_NOT_FOUND] = {GRPC_STATUS_NOT_FOUND, "LABEL_NOT_FOUND"},
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
    struct text why = answer->why.data == NULL ? text_of("refused") : answer->why;
    struct rpc_status status =
        rpc_status_make(rpc_call_arena(call), refusals[answer->refusal].status,
                        refusals[answer->refusal].reason, "%.*s", (int)why.size, why.data);
    if (answer->refusal == REFUSAL_CARRIER_UNAVAILABLE)
        add_retry(&status, answer->retry_after_us);
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

/* In front of each call of the application, on the RPC's arena. */
struct pending_call {
    struct rpc_call *call;
    const struct call_row *row;
    struct text filter;
    max_align_t application[];
};

static void answer(struct pending_call *pending, const struct shipping_call *from)
{
    struct arena *arena = rpc_call_arena(pending->call);
    ProtobufCMessage *response = arena_allocate(arena, pending->row->response->sizeof_message);
    if (response == NULL) {
        fail_without_memory(pending->call);
        return;
    }
    protobuf_c_message_init(pending->row->response, response);
    if (pending->row->write(arena, from, pending->filter, response))
        rpc_call_answer(pending->call, response);
    else
        fail_without_memory(pending->call);
}

static void call_done(struct shipping_call *from, const struct error *error)
{
    struct pending_call *pending =
        (struct pending_call *)(void *)((char *)from - offsetof(struct pending_call, application));
    if (error != NULL) {
        struct rpc_status status = rpc_status_of_error(rpc_call_arena(pending->call), error);
        rpc_call_fail(pending->call, &status);
    } else if (from->refusal != REFUSAL_NONE) {
        refuse(pending->call, from);
    } else {
        answer(pending, from);
    }
}

/* The rows by the place of the method in the service. Filled before the first call. */
static const struct call_row *rows_by_method[shipping_call_count];

static void handle(void *context, struct rpc_call *call, const ProtobufCMessage *request)
{
    const ProtobufCServiceDescriptor *service =
        &waybill__shipping__v1__shipping_service__descriptor;
    const struct call_row *row = rows_by_method[rpc_call_method(call) - service->methods];
    struct arena *arena = rpc_call_arena(call);
    struct pending_call *pending = arena_allocate_zero(arena, 1, sizeof *pending + row->call_size);
    if (pending == NULL) {
        fail_without_memory(call);
        return;
    }
    struct shipping_call *to = (struct shipping_call *)(void *)pending->application;
    struct call_reading reading = {.arena = arena, .violations = &to->violations};
    pending->call = call;
    pending->row = row;
    to->kind = row->kind;
    to->executor = rpc_call_executor(call);
    to->arena = arena;
    to->deadline_us = rpc_call_deadline_us(call) == INT64_MAX ? 0 : rpc_call_deadline_us(call);
    violations_init(&to->violations, arena);
    row->read(&reading, to, request);
    pending->filter = reading.filter;
    if (reading.failed)
        fail_without_memory(call);
    else if (reading.page_token_invalid)
        refuse_page_token(call);
    else if (!shipping_service_submit(context, to, call_done))
        fail_with_violations(call, &to->violations);
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
    const ProtobufCServiceDescriptor *descriptor =
        &waybill__shipping__v1__shipping_service__descriptor;
    CHECK(descriptor->n_methods == shipping_call_count &&
          shipping_call_row_count == shipping_call_count);
    for (unsigned i = 0; i < descriptor->n_methods; i++) {
        for (size_t k = 0; k < shipping_call_row_count; k++) {
            if (strcmp(shipping_call_rows[k].method, descriptor->methods[i].name) == 0)
                rows_by_method[i] = &shipping_call_rows[k];
        }
        CHECK(rows_by_method[i] != NULL);
        methods[i] = (struct rpc_method){.name = rows_by_method[i]->method,
                                         .unary = handle,
                                         .idempotent = rows_by_method[i]->is_read};
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
