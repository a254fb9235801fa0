/*
 * The repository port in front of the engine: a bounded queue, the engine's thread, and a second
 * thread for ledger verifications, which may take seconds and must not hold up the engine.
 *
 * A full queue answers OVERLOADED at once, on the caller's executor like every answer. When a step
 * fails, the store can no longer tell what is durable: `failed` is called, nothing is answered any
 * more, and the process is expected to end.
 */
#include "inventory/infrastructure/embedded/embedded_repository.h"

#include "inventory/infrastructure/embedded/engine.h"
#include "inventory/infrastructure/embedded/inventory_event_reader.h"
#include "platform/base/log.h"
#include "platform/base/memory.h"
#include "platform/base/queue.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

enum { commands_per_step_max = 8192, verifications_max = 64 };

/* How long the engine sleeps at most: due holds are swept within this, asked for or not. */
static const int64_t sweep_interval_us = 500000;

/* How often it looks for space while there is none and nobody asks. */
static const int64_t disk_full_interval_us = 100000;

struct embedded_repository {
    struct inventory_repository base;
    struct embedded_repository_options options;
    struct engine *engine;
    struct inventory_event_reader events;
    bool has_events; /* opened */
    struct queue commands;
    struct queue verifications;
    struct inventory_command *batch[commands_per_step_max];
    pthread_t engine_thread;
    pthread_t verification_thread;
    /* embedded_repository_usage: written by the engine's thread, read by any. */
    _Atomic uint64_t skus;
    _Atomic uint64_t pending_reservations;
    _Atomic uint64_t ids;
    _Atomic uint64_t log_bytes;
};

static struct embedded_repository *repository_of(struct inventory_repository *repository)
{
    return (struct embedded_repository *)repository;
}

struct embedded_repository_options embedded_repository_options_default(void)
{
    return (struct embedded_repository_options){
        .file_system = file_system_posix(),
        .clock = clock_system(),
        .random = random_system(),
        .retention_us = INT64_C(24) * 3600 * 1000000,
        .committed_retention_us = INT64_C(90) * 86400 * 1000000,
        .ids_max = 50000000,
        .queue_length_max = 65536,
        .segment_bytes = UINT64_C(64) << 20,
        .batch_bytes_max = (size_t)4 << 20,
        .list_buckets = 1 << 20,
        .list_examined_max = 2000,
        .threaded = true,
    };
}

/* --- the port --- */

static void refused_done(struct task *task)
{
    struct inventory_command *command = engine_command_of(task);
    static struct error overloaded = {
        .code = ERROR_OVERLOADED,
        .detail = "the inventory store has as many commands waiting as it takes; try again later",
    };
    command->done(command->context, &overloaded);
}

static void submit(struct inventory_repository *repository, struct inventory_command *command,
                   enum inventory_command_kind kind)
{
    command->kind = (int)kind;
    if (queue_put(&repository_of(repository)->commands, command))
        return;
    command->task.run = refused_done;
    executor_post(command->executor, &command->task);
}

static void submit_receive_stock(struct inventory_repository *repository,
                                 struct receive_stock_command *command)
{
    submit(repository, &command->base, COMMAND_RECEIVE_STOCK);
}

static void submit_adjust_stock(struct inventory_repository *repository,
                                struct adjust_stock_command *command)
{
    submit(repository, &command->base, COMMAND_ADJUST_STOCK);
}

static void submit_get_stock(struct inventory_repository *repository,
                             struct get_stock_command *command)
{
    submit(repository, &command->base, COMMAND_GET_STOCK);
}

static void submit_set_stock_policy(struct inventory_repository *repository,
                                    struct set_stock_policy_command *command)
{
    submit(repository, &command->base, COMMAND_SET_STOCK_POLICY);
}

static void submit_batch_get_stock(struct inventory_repository *repository,
                                   struct batch_get_stock_command *command)
{
    submit(repository, &command->base, COMMAND_BATCH_GET_STOCK);
}

static void submit_list_stock(struct inventory_repository *repository,
                              struct list_stock_command *command)
{
    submit(repository, &command->base, COMMAND_LIST_STOCK);
}

static void submit_reserve(struct inventory_repository *repository, struct reserve_command *command)
{
    submit(repository, &command->base, COMMAND_RESERVE);
}

static void submit_commit(struct inventory_repository *repository, struct commit_command *command)
{
    submit(repository, &command->base, COMMAND_COMMIT);
}

static void submit_rollback(struct inventory_repository *repository,
                            struct rollback_command *command)
{
    submit(repository, &command->base, COMMAND_ROLLBACK);
}

static void submit_extend_reservation(struct inventory_repository *repository,
                                      struct extend_reservation_command *command)
{
    submit(repository, &command->base, COMMAND_EXTEND_RESERVATION);
}

static void submit_return_stock(struct inventory_repository *repository,
                                struct return_stock_command *command)
{
    submit(repository, &command->base, COMMAND_RETURN_STOCK);
}

static void submit_list_reservations(struct inventory_repository *repository,
                                     struct list_reservations_command *command)
{
    submit(repository, &command->base, COMMAND_LIST_RESERVATIONS);
}

static void submit_get_reservation(struct inventory_repository *repository,
                                   struct get_reservation_command *command)
{
    submit(repository, &command->base, COMMAND_GET_RESERVATION);
}

static void submit_list_stock_entries(struct inventory_repository *repository,
                                      struct list_stock_entries_command *command)
{
    submit(repository, &command->base, COMMAND_LIST_STOCK_ENTRIES);
}

static void submit_verify_ledger(struct inventory_repository *repository,
                                 struct verify_ledger_command *command)
{
    submit(repository, &command->base, COMMAND_VERIFY_LEDGER);
}

static void submit_follow_shelf(struct inventory_repository *repository,
                                struct follow_shelf_command *command)
{
    submit(repository, &command->base, COMMAND_FOLLOW_SHELF);
}

static void submit_get_shelf_place(struct inventory_repository *repository,
                                   struct get_shelf_place_command *command)
{
    submit(repository, &command->base, COMMAND_GET_SHELF_PLACE);
}

static const struct inventory_repository_table embedded_repository_table = {
    .receive_stock = submit_receive_stock,
    .adjust_stock = submit_adjust_stock,
    .get_stock = submit_get_stock,
    .set_stock_policy = submit_set_stock_policy,
    .batch_get_stock = submit_batch_get_stock,
    .list_stock = submit_list_stock,
    .reserve = submit_reserve,
    .commit = submit_commit,
    .rollback = submit_rollback,
    .extend_reservation = submit_extend_reservation,
    .return_stock = submit_return_stock,
    .list_reservations = submit_list_reservations,
    .get_reservation = submit_get_reservation,
    .list_stock_entries = submit_list_stock_entries,
    .verify_ledger = submit_verify_ledger,
    .get_shelf_place = submit_get_shelf_place,
    .follow_shelf = submit_follow_shelf,
};

/* --- the engine's thread --- */

static _Noreturn void stop_process(void *context, const struct error *error)
{
    (void)context;
    log_error("inventory: the store failed, the process stops", error);
    abort();
}

static int64_t sleep_us(struct embedded_repository *repository)
{
    int64_t due_us = engine_next_due_us(repository->engine);
    int64_t now_us = clock_now_us(repository->options.clock);
    if (engine_is_disk_full(repository->engine))
        return disk_full_interval_us;
    if (due_us <= now_us)
        return 0;
    return due_us - now_us < sweep_interval_us ? due_us - now_us : sweep_interval_us;
}

static struct error step(struct embedded_repository *repository, size_t count)
{
    const struct engine *engine = repository->engine;
    uint64_t committed = record_log_committed_end(engine->log);
    struct error error = engine_step(repository->engine, repository->batch, count);
    if (record_log_committed_end(engine->log) != committed)
        decoded_log_committed(&repository->events.decoded);
    atomic_store_explicit(&repository->skus, engine->state.skus.count, memory_order_relaxed);
    atomic_store_explicit(&repository->pending_reservations, engine->state.due_count,
                          memory_order_relaxed);
    atomic_store_explicit(&repository->ids, engine_state_id_count(&engine->state),
                          memory_order_relaxed);
    atomic_store_explicit(&repository->log_bytes, record_log_end(engine->log),
                          memory_order_relaxed);
    return error;
}

static void *run_engine(void *context)
{
    struct embedded_repository *repository = context;
    while (!queue_is_finished(&repository->commands)) {
        size_t count = queue_take(&repository->commands, (void **)repository->batch,
                                  commands_per_step_max, sleep_us(repository));
        struct error error = step(repository, count);
        if (error_is(error)) {
            repository->options.failed(repository->options.failed_context, &error);
            break;
        }
    }
    return NULL;
}

/* --- ledger verifications --- */

static void *run_verifications(void *context)
{
    struct embedded_repository *repository = context;
    void *verification;
    while (!queue_is_finished(&repository->verifications)) {
        if (queue_take(&repository->verifications, &verification, 1, -1) == 1)
            ledger_verification_run(verification);
    }
    return NULL;
}

static void verify_later(void *context, struct ledger_verification *verification)
{
    struct embedded_repository *repository = context;
    if (queue_put(&repository->verifications, verification))
        return;
    struct inventory_command *command = &verification->command->base;
    memory_release(verification);
    engine_fail(command, error_make(ERROR_OVERLOADED, "%d ledger verifications are waiting already",
                                    verifications_max));
    executor_post(command->executor, &command->task);
}

static void verify_now(void *context, struct ledger_verification *verification)
{
    (void)context;
    ledger_verification_run(verification);
}

/* --- its life --- */

static struct error start_threads(struct embedded_repository *repository)
{
    if (pthread_create(&repository->verification_thread, NULL, run_verifications, repository) != 0)
        return error_make(ERROR_OUT_OF_MEMORY, "cannot start the verification thread");
    if (pthread_create(&repository->engine_thread, NULL, run_engine, repository) != 0) {
        queue_close(&repository->verifications);
        pthread_join(repository->verification_thread, NULL);
        return error_make(ERROR_OUT_OF_MEMORY, "cannot start the engine thread");
    }
    return error_none();
}

static void release(struct embedded_repository *repository)
{
    if (repository->has_events)
        inventory_event_reader_deinit(&repository->events);
    engine_close(repository->engine);
    queue_deinit(&repository->commands);
    queue_deinit(&repository->verifications);
    memory_release(repository);
}

struct error embedded_repository_open(struct inventory_repository **repository,
                                      const struct embedded_repository_options *options)
{
    struct embedded_repository *made = memory_allocate_zero(1, sizeof *made);
    if (made == NULL)
        return error_make(ERROR_OUT_OF_MEMORY, "inventory repository");
    made->base.table = &embedded_repository_table;
    made->options = *options;
    if (made->options.failed == NULL)
        made->options.failed = stop_process;
    struct error error = error_make(ERROR_OUT_OF_MEMORY, "inventory repository's queues");
    if (queue_init(&made->commands, options->queue_length_max) &&
        queue_init(&made->verifications, verifications_max))
        error = engine_open(&made->engine, options, options->threaded ? verify_later : verify_now,
                            made);
    if (!error_is(error))
        error = inventory_event_reader_init(&made->events, made->engine->log, options->file_system,
                                            options->directory, options->random);
    made->has_events = !error_is(error);
    if (!error_is(error))
        error = step(made, 0); /* what fell due while it was closed */
    if (!error_is(error) && options->threaded)
        error = start_threads(made);
    if (error_is(error)) {
        release(made);
        return error;
    }
    *repository = &made->base;
    return error_none();
}

struct error embedded_repository_step(struct inventory_repository *repository)
{
    struct embedded_repository *embedded = repository_of(repository);
    size_t count =
        queue_take(&embedded->commands, (void **)embedded->batch, commands_per_step_max, 0);
    return step(embedded, count);
}

void embedded_repository_close(struct inventory_repository *repository)
{
    struct embedded_repository *embedded = repository_of(repository);
    if (repository == NULL)
        return;
    if (embedded->options.threaded) {
        queue_close(&embedded->commands);
        pthread_join(embedded->engine_thread, NULL);
        queue_close(&embedded->verifications);
        pthread_join(embedded->verification_thread, NULL);
    }
    release(embedded);
}

struct embedded_repository_usage embedded_repository_usage(struct inventory_repository *repository)
{
    struct embedded_repository *embedded = repository_of(repository);
    return (struct embedded_repository_usage){
        .skus = atomic_load_explicit(&embedded->skus, memory_order_relaxed),
        .pending_reservations =
            atomic_load_explicit(&embedded->pending_reservations, memory_order_relaxed),
        .ids = atomic_load_explicit(&embedded->ids, memory_order_relaxed),
        .log_bytes = atomic_load_explicit(&embedded->log_bytes, memory_order_relaxed),
    };
}

struct inventory_event_source *embedded_repository_events(struct inventory_repository *repository)
{
    return &repository_of(repository)->events.base;
}
