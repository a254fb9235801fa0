/* A table of refusals, and the few ways in which a call ends without a record. */
#include "tracking/interfaces/rpc/tracking_answers.h"

void *tracking_command_create(struct rpc_call *call, size_t size)
{
    struct tracking_command *command = arena_allocate_zero(rpc_call_arena(call), 1, size);
    if (command == NULL) {
        rpc_call_end_without_memory(call);
        return NULL;
    }
    command->executor = rpc_call_executor(call);
    command->arena = rpc_call_arena(call);
    return command;
}

struct refusal {
    enum grpc_status status;
    const char *reason;
    const char *message;
};

/* DESIGN section 3, Errors. DONE is never refused. */
static const struct refusal refusals[] = {
    [TRACKING_DONE] = {GRPC_STATUS_OK, "", ""},
    [TRACKING_NOT_FOUND] = {GRPC_STATUS_NOT_FOUND, "TRACKING_NOT_FOUND",
                            "no tracking has this carrier, number and generation"},
    [TRACKING_ID_REUSED] = {GRPC_STATUS_ALREADY_EXISTS, "ID_REUSED",
                            "this id or number was used before for something else"},
    [TRACKING_EVENT_LIMIT] = {GRPC_STATUS_FAILED_PRECONDITION, "EVENT_LIMIT",
                              "the number has as many events as one may have: 10000"},
    [TRACKING_GENERATION_LIMIT] = {GRPC_STATUS_FAILED_PRECONDITION, "GENERATION_LIMIT",
                                   "the number has as many generations as one may have: 100"},
    [TRACKING_NOTE_LIMIT] = {GRPC_STATUS_RESOURCE_EXHAUSTED, "SUBSCRIPTION_LIMIT",
                             "there are as many subscriptions as this service keeps; delete one, "
                             "or raise tracking_subscriptions_max"},
};

bool tracking_refusal(struct arena *arena, const struct tracking_command *command,
                      const struct error *error, struct rpc_status *status)
{
    if (error == NULL && command->outcome == TRACKING_DONE)
        return false;
    if (error != NULL)
        *status = rpc_status_of_error(arena, error);
    else
        *status = rpc_status_make(arena, refusals[command->outcome].status,
                                  refusals[command->outcome].reason, "%s",
                                  refusals[command->outcome].message);
    return true;
}

bool tracking_fail_unless_done(struct rpc_call *call, const struct tracking_command *command,
                               const struct error *error)
{
    struct rpc_status status;
    if (!tracking_refusal(rpc_call_arena(call), command, error, &status))
        return false;
    rpc_call_fail(call, &status);
    return true;
}
