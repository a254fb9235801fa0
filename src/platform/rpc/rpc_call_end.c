/* Statuses are made on the call's arena; one without memory for its details goes without them. */
#include "platform/rpc/rpc_call_end.h"

void rpc_call_end_with_error(struct rpc_call *call, const struct error *error)
{
    struct rpc_status status = rpc_status_of_error(rpc_call_arena(call), error);
    rpc_call_fail(call, &status);
}

void rpc_call_end_without_memory(struct rpc_call *call)
{
    struct error error = error_make(ERROR_OUT_OF_MEMORY, "not enough memory for this call");
    rpc_call_end_with_error(call, &error);
}

void rpc_call_end_with_violations(struct rpc_call *call, const struct violations *violations)
{
    struct rpc_status status =
        rpc_status_invalid_request(rpc_call_arena(call), rpc_call_request_type(call), violations);
    rpc_call_fail(call, &status);
}

void rpc_call_end_with_page_token(struct rpc_call *call)
{
    struct rpc_status status =
        rpc_status_make(rpc_call_arena(call), GRPC_STATUS_INVALID_ARGUMENT, "PAGE_TOKEN_INVALID",
                        "page_token is not one of this list with this filter");
    rpc_call_fail(call, &status);
}

void rpc_call_end_with_answer(struct rpc_call *call, const ProtobufCMessage *response,
                              bool is_filled)
{
    if (is_filled)
        rpc_call_answer(call, response);
    else
        rpc_call_end_without_memory(call);
}
