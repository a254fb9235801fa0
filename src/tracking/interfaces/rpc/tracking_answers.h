#ifndef WAYBILL_TRACKING_INTERFACES_RPC_TRACKING_ANSWERS_H
#define WAYBILL_TRACKING_INTERFACES_RPC_TRACKING_ANSWERS_H

#include "platform/rpc/rpc_call_end.h"
#include "tracking/application/tracking_service.h"

/* How tracking's methods refuse beside rpc_call_end.h; what all of their files need. */

/* Memory for a command, all zero; without any the call has failed and NULL is given. */
void *tracking_command_create(struct rpc_call *call, size_t size);

/* The status of a command that was not done, on the arena. False if it was. */
bool tracking_refusal(struct arena *arena, const struct tracking_command *command,
                      const struct error *error, struct rpc_status *status);

/* Answers a command that was not done. False if it was. */
bool tracking_fail_unless_done(struct rpc_call *call, const struct tracking_command *command,
                               const struct error *error);

#endif
