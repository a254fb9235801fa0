#ifndef WAYBILL_PLATFORM_RPC_STATUS_DETAILS_H
#define WAYBILL_PLATFORM_RPC_STATUS_DETAILS_H

#include "platform/rpc/status.h"

#include <stdbool.h>
#include <stdint.h>

/* What a client reads from the details of a refusal (AIP-193). Thread: any. */

/* The packed detail of that type ("google.rpc.ErrorInfo"); empty if there is none. */
struct text rpc_status_detail(const struct rpc_status *status, const char *type_name);

/* Whether its ErrorInfo gives that reason ("INSUFFICIENT_STOCK"). */
bool rpc_status_has_reason(const struct rpc_status *status, const char *reason);

/* How long its RetryInfo asks to wait; 0 if it has none, or one of more than a day. */
int64_t rpc_status_retry_delay_us(const struct rpc_status *status);

#endif
