/* Refusals in the words of the interface. A refusal by another service is passed on with its
 * reason. */
#include "fulfillment/interfaces/rpc/order_answers.h"

#include "fulfillment/interfaces/rpc/order_messages.h"

void order_fail_not_found(struct rpc_call *call)
{
    struct rpc_status status = rpc_status_make(rpc_call_arena(call), GRPC_STATUS_NOT_FOUND,
                                               "ORDER_NOT_FOUND", "no order has this id");
    rpc_call_fail(call, &status);
}

static enum grpc_status status_of(enum order_refusal_kind kind)
{
    switch (kind) {
    case REFUSAL_NOT_FOUND:
        return GRPC_STATUS_NOT_FOUND;
    case REFUSAL_INVALID:
        return GRPC_STATUS_INVALID_ARGUMENT;
    case REFUSAL_UNAVAILABLE:
        return GRPC_STATUS_UNAVAILABLE;
    case REFUSAL_NONE:
    case REFUSAL_INSUFFICIENT_STOCK:
    case REFUSAL_PRECONDITION:
        break;
    }
    return GRPC_STATUS_FAILED_PRECONDITION;
}

static void fail_with_refusal(struct rpc_call *call, const struct order_refusal *refusal)
{
    struct arena *arena = rpc_call_arena(call);
    if (refusal->kind == REFUSAL_INVALID) {
        struct rpc_status invalid =
            rpc_status_invalid(arena, refusal->violations, refusal->violation_count);
        rpc_call_fail(call, &invalid);
        return;
    }
    const char *reason = arena_copy_string(arena, refusal->reason);
    struct rpc_status status = rpc_status_make(
        arena, status_of(refusal->kind), reason == NULL ? "" : reason, "%.*s",
        (int)refusal->message.size, refusal->message.size == 0 ? "" : refusal->message.data);
    if (refusal->kind == REFUSAL_INSUFFICIENT_STOCK && refusal->shortage_count > 0) {
        Waybill__Fulfillment__V1__InsufficientStock *detail =
            order_shortages_message(arena, refusal->shortages, refusal->shortage_count);
        if (detail != NULL)
            rpc_status_add_detail(&status, &detail->base);
    }
    rpc_call_fail(call, &status);
}

void order_fail_with_answer(struct rpc_call *call, const struct order_job *job)
{
    struct arena *arena = rpc_call_arena(call);
    struct rpc_status status;
    switch (job->answer) {
    case ORDER_ANSWER_NOT_FOUND:
        order_fail_not_found(call);
        return;
    case ORDER_ANSWER_REFUSED:
    case ORDER_ANSWER_ORDER:
        fail_with_refusal(call, &job->order.refusal);
        return;
    case ORDER_ANSWER_ID_REUSED:
        status = rpc_status_make(arena, GRPC_STATUS_ALREADY_EXISTS, "ID_REUSED",
                                 "this order_id was used before for other content");
        break;
    case ORDER_ANSWER_BUSY:
        status = rpc_status_make(arena, GRPC_STATUS_ABORTED, "ORDER_BUSY",
                                 "the order is being changed just now; ask again");
        break;
    }
    rpc_call_fail(call, &status);
}
