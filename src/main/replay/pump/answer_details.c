/* What the replay makes of refusals. */
#include "main/replay/pump/answer_details.h"

#include "platform/rpc/status_details.h"

bool answer_has_reason(const struct rpc_status *status, const char *reason)
{
    return rpc_status_has_reason(status, reason);
}

int64_t answer_retry_delay_us(const struct rpc_status *status)
{
    return rpc_status_retry_delay_us(status);
}

bool answer_may_be_repeated(const struct rpc_status *status)
{
    if (status->code == GRPC_STATUS_RESOURCE_EXHAUSTED)
        return !answer_has_reason(status, error_reason(ERROR_LIMIT));
    return status->code == GRPC_STATUS_UNAVAILABLE ||
           status->code == GRPC_STATUS_DEADLINE_EXCEEDED || answer_has_reason(status, "ORDER_BUSY");
}

struct error answer_error(const struct rpc_status *status)
{
    return error_make(ERROR_INTERNAL, "%s: %.*s", grpc_status_name(status->code),
                      (int)status->message.size, status->message.data);
}
