#ifndef WAYBILL_TRACKING_INTERFACES_RPC_TRACKING_ANSWERS_H
#define WAYBILL_TRACKING_INTERFACES_RPC_TRACKING_ANSWERS_H

#include "platform/rpc/server.h"
#include "tracking/application/tracking_service.h"

/* How tracking's methods refuse; what all of their files need. */
void tracking_fail_without_memory(struct rpc_call *call);

/* Memory for a command, all zero; without any the call has failed and NULL is given. */
void *tracking_command_create(struct rpc_call *call, size_t size);

void tracking_fail_with_violations(struct rpc_call *call, const struct violations *violations);

/* Sends the response if everything in it found memory. */
void tracking_answer(struct rpc_call *call, const ProtobufCMessage *response, bool filled);

/* The status of a command that was not done, on the arena. False if it was. */
bool tracking_refusal(struct arena *arena, const struct tracking_command *command,
                      const struct error *error, struct rpc_status *status);

/* Answers a command that was not done. False if it was. */
bool tracking_fail_unless_done(struct rpc_call *call, const struct tracking_command *command,
                               const struct error *error);

/* INVALID_ARGUMENT PAGE_TOKEN_INVALID. */
void tracking_fail_page_token(struct rpc_call *call);

#endif
