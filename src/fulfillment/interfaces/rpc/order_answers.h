#ifndef WAYBILL_FULFILLMENT_INTERFACES_RPC_ORDER_ANSWERS_H
#define WAYBILL_FULFILLMENT_INTERFACES_RPC_ORDER_ANSWERS_H

#include "fulfillment/application/order_driver.h"
#include "platform/base/violations.h"
#include "platform/rpc/server.h"

#include <stdbool.h>

/* How calls end (DESIGN section 3, Errors). Each ends the call. Thread: the call's. */
void order_fail_without_memory(struct rpc_call *call);
void order_fail_with_error(struct rpc_call *call, const struct error *error);
void order_fail_with_violations(struct rpc_call *call, const struct violations *violations);
void order_fail_not_found(struct rpc_call *call);

/* What a job's answer is beside the order: a refusal, busy, … */
void order_fail_with_answer(struct rpc_call *call, const struct order_job *job);

/* Answers, or says that there was no memory to fill it. */
void order_answer(struct rpc_call *call, const ProtobufCMessage *response, bool is_filled);

#endif
