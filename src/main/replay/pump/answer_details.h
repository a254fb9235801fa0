#ifndef WAYBILL_MAIN_REPLAY_PUMP_ANSWER_DETAILS_H
#define WAYBILL_MAIN_REPLAY_PUMP_ANSWER_DETAILS_H

#include "platform/base/error.h"
#include "platform/rpc/status.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * What a refusal says beyond its code (AIP-193), read from the details of a status. Thread: any.
 */

/* Whether its ErrorInfo gives that reason ("INSUFFICIENT_STOCK"). */
bool answer_has_reason(const struct rpc_status *status, const char *reason);

/* How long its RetryInfo asks to wait; 0 if it has none. */
int64_t answer_retry_delay_us(const struct rpc_status *status);

/*
 * Whether the same call may be sent again: nothing is known to be wrong with it (UNAVAILABLE,
 * DEADLINE_EXCEEDED, RESOURCE_EXHAUSTED but for its size, ABORTED because of somebody else's call).
 */
bool answer_may_be_repeated(const struct rpc_status *status);

/* The refusal as an error for people: "ALREADY_EXISTS: this id was used before". */
struct error answer_error(const struct rpc_status *status);

#endif
