/*
 * Commands become executions of the store (platform/sql/sql_execution.h): one script each, and
 * nothing that expires. Nothing runs by itself here; what is to be looked up again is asked for by
 * the resolver (LIST_UNFINISHED).
 */
#include "shipping/infrastructure/sql/sql_shipping_repository.h"

#include "platform/base/memory.h"
#include "platform/sql/sql_execution.h"
#include "shipping/infrastructure/sql/step.h"

struct script_row {
    shipping_step_script *script;
    enum sql_access access;
};

static const struct script_row scripts[shipping_command_count] = {
    [COMMAND_BEGIN_SHIPMENT] = {begin_shipment_script, SQL_WRITE},
    [COMMAND_MARK_SENT] = {mark_sent_script, SQL_WRITE},
    [COMMAND_RECORD_PURCHASE] = {record_purchase_script, SQL_WRITE},
    [COMMAND_RECORD_LOOKUP] = {record_lookup_script, SQL_WRITE},
    [COMMAND_BEGIN_CANCEL] = {begin_cancel_script, SQL_WRITE},
    [COMMAND_END_CANCEL] = {end_cancel_script, SQL_WRITE},
    [COMMAND_RESOLVE_SHIPMENT] = {resolve_shipment_script, SQL_WRITE},
    [COMMAND_GET_SHIPMENT] = {get_shipment_script, SQL_READ},
    [COMMAND_FIND_SHIPMENT] = {find_shipment_script, SQL_READ},
    [COMMAND_LIST_SHIPMENTS] = {list_shipments_script, SQL_READ},
    [COMMAND_LIST_UNFINISHED] = {list_unfinished_script, SQL_WRITE},
    [COMMAND_GET_SHIPMENT_LABEL] = {get_label_script, SQL_READ},
    [COMMAND_KEEP_AUDIT] = {keep_audit_script, SQL_WRITE},
    [COMMAND_LIST_AUDIT] = {list_audit_script, SQL_READ},
    [COMMAND_KEEP_WEBHOOK] = {keep_webhook_script, SQL_WRITE},
    [COMMAND_LIST_WEBHOOKS] = {list_webhooks_script, SQL_READ},
    [COMMAND_RECORD_SCANS] = {record_scans_script, SQL_WRITE},
    [COMMAND_LIST_UNREAD_PUSHES] = {list_unread_pushes_script, SQL_READ},
    [COMMAND_REPLAY_PUSHES] = {replay_pushes_script, SQL_WRITE},
    [COMMAND_LIST_UNWANTED_LABELS] = {list_unwanted_labels_script, SQL_READ},
    [COMMAND_CHANGE_UNWANTED_LABEL] = {change_unwanted_label_script, SQL_WRITE},
};

struct sql_shipping_repository {
    struct shipping_repository base;
    struct sql_shipping_options options;
};

static enum sql_verdict run_script(struct sql_session *session, void *context, struct error *error)
{
    struct sql_execution *execution = context;
    struct sql_shipping_repository *repository = execution->repository;
    struct shipping_command *command = execution->command;
    struct step step = {
        .session = session,
        .arena = sql_session_arena(session),
        .error = error,
        .encode = repository->options.encode,
        .outbox = repository->options.outbox,
        .command = command,
    };
    command->outcome = SHIPPING_DONE;
    return scripts[command->kind].script(&step);
}

static void execution_done(struct sql_execution *execution, const struct error *error)
{
    struct shipping_command *command = execution->command;
    command->done(command, error);
}

static const struct sql_execution_table execution_table = {
    .script = run_script,
    .done = execution_done,
};

static void fail_without_memory(struct task *task)
{
    struct shipping_command *command =
        (struct shipping_command *)(void *)((char *)task - offsetof(struct shipping_command, task));
    struct error error = error_make(ERROR_OUT_OF_MEMORY, "no room for a command");
    command->done(command, &error);
}

/* LIST_UNFINISHED writes only where it is asked to sweep. */
static enum sql_access access_of(const struct shipping_command *command)
{
    if (command->kind == COMMAND_LIST_UNFINISHED &&
        ((const struct list_unfinished_command *)command)->sent_before_us <= 0)
        return SQL_READ;
    return scripts[command->kind].access;
}

/* Without memory for the execution the answer comes by the command's own task. */
static void execute(struct shipping_repository *base, struct shipping_command *command)
{
    struct sql_shipping_repository *repository = (struct sql_shipping_repository *)base;
    struct sql_execution *execution = arena_allocate_zero(command->arena, 1, sizeof *execution);
    if (execution == NULL) {
        command->task.run = fail_without_memory;
        executor_post(command->executor, &command->task);
        return;
    }
    execution->job.executor = command->executor;
    execution->job.arena = command->arena;
    execution->job.deadline_us = command->deadline_us;
    execution->table = &execution_table;
    execution->store = repository->options.store;
    execution->access = access_of(command);
    execution->repository = repository;
    execution->command = command;
    sql_execution_start(execution);
}

static const struct shipping_repository_table repository_table = {.execute = execute};

struct error sql_shipping_repository_open(struct shipping_repository **repository,
                                          const struct sql_shipping_options *options)
{
    struct sql_shipping_repository *opened = memory_allocate_zero(1, sizeof *opened);
    *repository = NULL;
    if (opened == NULL)
        return error_make(ERROR_OUT_OF_MEMORY, "shipping's repository");
    opened->base.table = &repository_table;
    opened->options = *options;
    *repository = &opened->base;
    return error_none();
}

void sql_shipping_repository_close(struct shipping_repository *repository)
{
    memory_release(repository);
}
