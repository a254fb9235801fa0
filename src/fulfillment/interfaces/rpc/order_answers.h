#ifndef WAYBILL_FULFILLMENT_INTERFACES_RPC_ORDER_ANSWERS_H
#define WAYBILL_FULFILLMENT_INTERFACES_RPC_ORDER_ANSWERS_H

#include "fulfillment/application/order_driver.h"
#include "platform/rpc/rpc_call_end.h"

/* How calls end beside rpc_call_end.h (DESIGN section 3, Errors). Each ends the call. Thread: the
 * call's. */
void order_fail_not_found(struct rpc_call *call);

/* What a job's answer is beside the order: a refusal, busy, … */
void order_fail_with_answer(struct rpc_call *call, const struct order_job *job);

#endif
