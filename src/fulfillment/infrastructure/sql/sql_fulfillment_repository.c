/*
 * Commands become executions of the store (platform/sql/sql_execution.h): one script each, and a
 * step that expires promises where a script meets some that are due. There is no sweeping thread:
 * who drives orders asks for what is due twice a second (LIST_DUE), and that expires promises
 * first.
 */
#include "fulfillment/infrastructure/sql/sql_fulfillment_repository.h"

#include "fulfillment/infrastructure/sql/order_step.h"
#include "platform/base/memory.h"
#include "platform/sql/sql_execution.h"

enum { expired_at_once_max = 100, arena_bytes_max = 1024 * 1024 };

struct script_row {
    order_script_function *script;
    enum sql_access access;
};

static const struct script_row scripts[fulfillment_command_count] = {
    [COMMAND_BEGIN_ORDER] = {begin_order_script, SQL_WRITE},
    [COMMAND_CLAIM_ORDER] = {claim_order_script, SQL_WRITE},
    [COMMAND_SAVE_ORDER] = {save_order_script, SQL_WRITE},
    [COMMAND_GET_ORDER] = {get_order_script, SQL_READ},
    [COMMAND_LIST_ORDERS] = {list_orders_script, SQL_READ},
    [COMMAND_LIST_DUE] = {list_due_script, SQL_READ},
    [COMMAND_FOLLOW_EVENTS] = {follow_events_script, SQL_WRITE},
    [COMMAND_GET_PLACE] = {get_place_script, SQL_READ},
};

static enum sql_verdict run_script(struct sql_session *session, void *context, struct error *error)
{
    struct sql_execution *execution = context;
    struct fulfillment_command *command = execution->command;
    struct order_script script = {
        .repository = execution->repository,
        .session = session,
        .arena = sql_session_arena(session),
        .error = error,
        .command = command,
    };
    command->outcome = FULFILLMENT_DONE;
    enum sql_verdict verdict = scripts[command->kind].script(&script);
    execution->is_due = script.is_due;
    return verdict;
}

static enum sql_verdict run_expiry(struct sql_session *session, void *context, struct error *error)
{
    struct sql_execution *execution = context;
    size_t expired;
    struct order_script script = {
        .repository = execution->repository,
        .session = session,
        .arena = sql_session_arena(session),
        .error = error,
    };
    return expire_orders_script(&script, expired_at_once_max, &expired);
}

static void execution_done(struct sql_execution *execution, const struct error *error)
{
    struct fulfillment_command *command = execution->command;
    command->done(command, error);
}

static const struct sql_execution_table execution_table = {
    .script = run_script,
    .expire = run_expiry,
    .done = execution_done,
};

static void fail_without_memory(struct task *task)
{
    struct fulfillment_command *command =
        (struct fulfillment_command *)(void *)((char *)task -
                                               offsetof(struct fulfillment_command, task));
    struct error error = error_make(ERROR_OUT_OF_MEMORY, "no room for a command");
    command->done(command, &error);
}

/* Without memory for the execution the answer comes by the command's own task. */
static void execute(struct fulfillment_repository *base, struct fulfillment_command *command)
{
    struct sql_fulfillment_repository *repository = (struct sql_fulfillment_repository *)base;
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
    execution->access = scripts[command->kind].access;
    execution->repository = repository;
    execution->command = command;
    sql_execution_start(execution);
}

/* --- claims of a process that is gone --- */

static enum sql_verdict release_claims(struct sql_session *session, void *context,
                                       struct error *error)
{
    static const struct sql_statement release = {
        .text = "UPDATE fulfillment_orders SET lease_until_us = 0, next_time_us = update_time_us"
                " WHERE lease_until_us > 0"};
    (void)context;
    (void)error;
    return sql_execute(session, &release, NULL, 0, NULL) ? SQL_COMMIT : SQL_FAIL;
}

struct error sql_fulfillment_release_claims(struct fulfillment_repository *base)
{
    struct sql_fulfillment_repository *repository = (struct sql_fulfillment_repository *)base;
    struct arena arena;
    arena_init(&arena, arena_bytes_max);
    struct sql_job job = {.arena = &arena, .access = SQL_WRITE, .script = release_claims};
    struct error error = sql_store_run(repository->options.store, &job);
    arena_deinit(&arena);
    return error;
}

struct error sql_fulfillment_repository_open(struct fulfillment_repository **repository,
                                             const struct sql_fulfillment_options *options)
{
    static const struct fulfillment_repository_table table = {.execute = execute};
    struct sql_fulfillment_repository *opened = memory_allocate_zero(1, sizeof *opened);
    *repository = NULL;
    if (opened == NULL)
        return error_make(ERROR_OUT_OF_MEMORY, "fulfillment's repository");
    opened->base.table = &table;
    opened->options = *options;
    *repository = &opened->base;
    return error_none();
}

void sql_fulfillment_repository_close(struct fulfillment_repository *repository)
{
    memory_release(repository);
}
