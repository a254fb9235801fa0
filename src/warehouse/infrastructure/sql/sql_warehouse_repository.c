/*
 * Commands become executions of the store (platform/sql/sql_execution.h): one script each, and a
 * step that expires holds where a script meets some that are due.
 *
 * A thread wakes twice a second and expires what nobody asked about. A store that is away makes it
 * fail; it tries again half a second later.
 */
#include "warehouse/infrastructure/sql/sql_warehouse_repository.h"

#include "platform/base/check.h"
#include "platform/base/condition.h"
#include "platform/base/log.h"
#include "platform/base/memory.h"
#include "platform/sql/sql_execution.h"
#include "warehouse/infrastructure/sql/sql_warehouse_state.h"
#include "warehouse/infrastructure/sql/step.h"

#include <errno.h>

enum {
    expired_at_once_max = 100,
    sweep_arena_bytes_max = 64 * 1024 * 1024,
    sweep_us = 500000,
};

struct script_row {
    step_script *script;
    enum sql_access access;
};

static const struct script_row scripts[warehouse_command_count] = {
    [COMMAND_PUT_ITEM] = {put_item_script, SQL_WRITE},
    [COMMAND_GET_ITEM] = {get_item_script, SQL_READ},
    [COMMAND_LIST_ITEMS] = {list_items_script, SQL_READ},
    [COMMAND_CREATE_WAREHOUSE] = {create_warehouse_script, SQL_WRITE},
    [COMMAND_UPDATE_WAREHOUSE] = {update_warehouse_script, SQL_WRITE},
    [COMMAND_GET_WAREHOUSE] = {get_warehouse_script, SQL_READ},
    [COMMAND_LIST_WAREHOUSES] = {list_warehouses_script, SQL_READ},
    [COMMAND_SET_COST_CARD] = {set_cost_card_script, SQL_WRITE},
    [COMMAND_LIST_COST_CARDS] = {list_cost_cards_script, SQL_READ},
    [COMMAND_CREATE_BIN] = {create_bin_script, SQL_WRITE},
    [COMMAND_LIST_BINS] = {list_bins_script, SQL_READ},
    [COMMAND_RECEIVE_STOCK] = {post_movement_script, SQL_WRITE},
    [COMMAND_SHIP_STOCK] = {post_movement_script, SQL_WRITE},
    [COMMAND_RETURN_STOCK] = {post_movement_script, SQL_WRITE},
    [COMMAND_ADJUST_STOCK] = {post_movement_script, SQL_WRITE},
    [COMMAND_MOVE_STOCK] = {post_movement_script, SQL_WRITE},
    [COMMAND_CREATE_TRANSFER] = {create_transfer_script, SQL_WRITE},
    [COMMAND_RECEIVE_TRANSFER] = {receive_transfer_script, SQL_WRITE},
    [COMMAND_CANCEL_TRANSFER] = {cancel_transfer_script, SQL_WRITE},
    [COMMAND_GET_TRANSFER] = {get_transfer_script, SQL_READ},
    [COMMAND_LIST_TRANSFERS] = {list_transfers_script, SQL_READ},
    [COMMAND_START_COUNT] = {start_count_script, SQL_WRITE},
    [COMMAND_RECORD_COUNT] = {record_count_script, SQL_WRITE},
    [COMMAND_APPROVE_COUNT] = {approve_count_script, SQL_WRITE},
    [COMMAND_CANCEL_COUNT] = {cancel_count_script, SQL_WRITE},
    [COMMAND_GET_COUNT] = {get_count_script, SQL_READ},
    [COMMAND_LIST_COUNTS] = {list_counts_script, SQL_READ},
    [COMMAND_GET_WAREHOUSE_STOCK] = {get_stock_script, SQL_READ},
    [COMMAND_LIST_WAREHOUSE_STOCK] = {list_stock_script, SQL_READ},
    [COMMAND_PLAN_ALLOCATION] = {plan_allocation_script, SQL_READ},
    [COMMAND_ALLOCATE] = {allocate_script, SQL_WRITE},
    [COMMAND_CONFIRM_ALLOCATION] = {confirm_allocation_script, SQL_WRITE},
    [COMMAND_RELEASE_ALLOCATION] = {release_allocation_script, SQL_WRITE},
    [COMMAND_GET_ALLOCATION] = {get_allocation_script, SQL_READ},
    [COMMAND_LIST_ALLOCATIONS] = {list_allocations_script, SQL_READ},
    [COMMAND_SHIP_ALLOCATION] = {ship_allocation_script, SQL_WRITE},
    [COMMAND_LIST_MOVEMENTS] = {list_movements_script, SQL_READ},
    [COMMAND_VERIFY_MOVEMENTS] = {verify_movements_script, SQL_READ},
};

static enum sql_verdict run_script(struct sql_session *session, void *context, struct error *error)
{
    struct sql_execution *execution = context;
    struct warehouse_command *command = execution->command;
    struct step step = {
        .repository = execution->repository,
        .session = session,
        .arena = sql_session_arena(session),
        .error = error,
        .command = command,
    };
    step_begin(&step);
    enum sql_verdict verdict = scripts[command->kind].script(&step);
    execution->is_due = step.is_due;
    execution->due_at_us = step.due_at_us;
    return verdict;
}

static enum sql_verdict run_expiry(struct sql_session *session, void *context, struct error *error)
{
    struct sql_execution *execution = context;
    size_t expired;
    struct step step = {
        .repository = execution->repository,
        .session = session,
        .arena = sql_session_arena(session),
        .error = error,
    };
    return expire_script(&step, execution->due_at_us, expired_at_once_max, &expired);
}

static void execution_done(struct sql_execution *execution, const struct error *error)
{
    struct warehouse_command *command = execution->command;
    command->done(command, error);
}

static const struct sql_execution_table execution_table = {
    .script = run_script,
    .expire = run_expiry,
    .done = execution_done,
};

static void fail_without_memory(struct task *task)
{
    struct warehouse_command *command =
        (struct warehouse_command *)(void *)((char *)task -
                                             offsetof(struct warehouse_command, task));
    struct error error = error_make(ERROR_OUT_OF_MEMORY, "no room for a command");
    command->done(command, &error);
}

/* Without memory for the execution the answer comes by the command's own task. */
static void execute(struct warehouse_repository *base, struct warehouse_command *command)
{
    struct sql_warehouse_repository *repository = (struct sql_warehouse_repository *)base;
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
    execution->store = repository->store;
    execution->access = scripts[command->kind].access;
    execution->repository = repository;
    execution->command = command;
    sql_execution_start(execution);
}

/* --- the sweep --- */

struct sweep {
    struct sql_warehouse_repository *repository;
    size_t expired;
};

static enum sql_verdict run_sweep(struct sql_session *session, void *context, struct error *error)
{
    struct sweep *sweep = context;
    struct step step = {
        .repository = sweep->repository,
        .session = session,
        .arena = sql_session_arena(session),
        .error = error,
    };
    return expire_script(&step, 0, expired_at_once_max, &sweep->expired);
}

struct error sql_warehouse_sweep(struct warehouse_repository *base)
{
    struct sweep sweep = {.repository = (struct sql_warehouse_repository *)base};
    struct arena arena;
    struct error error;
    arena_init(&arena, sweep_arena_bytes_max);
    do {
        struct sql_job job = {
            .arena = &arena, .access = SQL_WRITE, .script = run_sweep, .context = &sweep};
        sweep.expired = 0;
        error = sql_store_run(sweep.repository->store, &job);
        arena_reset(&arena);
    } while (!error_is(error) && sweep.expired == expired_at_once_max);
    arena_deinit(&arena);
    return error;
}

static void *sweep_until_stopped(void *context)
{
    struct sql_warehouse_repository *repository = context;
    pthread_mutex_lock(&repository->mutex);
    while (!repository->stopping) {
        struct timespec until = condition_deadline(sweep_us);
        while (!repository->stopping &&
               pthread_cond_timedwait(&repository->wake, &repository->mutex, &until) == 0)
            continue;
        if (repository->stopping)
            break;
        pthread_mutex_unlock(&repository->mutex);
        struct error error = sql_warehouse_sweep(&repository->base);
        if (error_is(error) && error.code != ERROR_OVERLOADED)
            log_error("warehouse: holds that are due were not expired; next try soon", &error);
        pthread_mutex_lock(&repository->mutex);
    }
    pthread_mutex_unlock(&repository->mutex);
    return NULL;
}

/* --- its life --- */

struct sql_warehouse_options sql_warehouse_options_default(void)
{
    return (struct sql_warehouse_options){
        .ship_within_days = 7,
        .allocation_work_max = 200000,
        .sweep = true,
    };
}

static const struct warehouse_repository_table repository_table = {.execute = execute};

struct error sql_warehouse_repository_open(struct warehouse_repository **repository,
                                           const struct sql_warehouse_options *options)
{
    struct sql_warehouse_repository *opened = memory_allocate_zero(1, sizeof *opened);
    *repository = NULL;
    if (opened == NULL)
        return error_make(ERROR_OUT_OF_MEMORY, "warehouse's repository");
    opened->base.table = &repository_table;
    opened->options = *options;
    opened->store = options->store;
    opened->encode = options->encode;
    opened->outbox = options->outbox;
    site_directory_cache_init(&opened->directory);
    pthread_mutex_init(&opened->mutex, NULL);
    condition_init(&opened->wake);
    if (options->sweep) {
        int failed = pthread_create(&opened->sweeper, NULL, sweep_until_stopped, opened);
        if (failed != 0) {
            sql_warehouse_repository_close(&opened->base);
            return error_from_errno(failed, "warehouse: a thread to expire holds");
        }
        opened->is_sweeping = true;
    }
    *repository = &opened->base;
    return error_none();
}

void sql_warehouse_repository_close(struct warehouse_repository *base)
{
    struct sql_warehouse_repository *repository = (struct sql_warehouse_repository *)base;
    if (repository == NULL)
        return;
    if (repository->is_sweeping) {
        pthread_mutex_lock(&repository->mutex);
        repository->stopping = true;
        pthread_cond_signal(&repository->wake);
        pthread_mutex_unlock(&repository->mutex);
        pthread_join(repository->sweeper, NULL);
    }
    site_directory_cache_deinit(&repository->directory);
    pthread_cond_destroy(&repository->wake);
    pthread_mutex_destroy(&repository->mutex);
    memory_release(repository);
}
