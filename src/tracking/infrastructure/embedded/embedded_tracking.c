/*
 * The repository port in front of the engine: a bounded queue and the engine's thread, two threads
 * that read lists, one that flushes.
 *
 * A full queue answers OVERLOADED at once, on the caller's executor like every answer. When a step
 * or a flush fails, the store can no longer tell what is durable: `failed` is called, nothing is
 * answered any more, and the process is expected to end.
 */
#include "tracking/infrastructure/embedded/embedded_tracking.h"

#include "platform/base/log.h"
#include "platform/base/memory.h"
#include "platform/base/queue.h"
#include "tracking/infrastructure/embedded/tracking_announcement_reader.h"
#include "tracking/infrastructure/embedded/tracking_engine.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

enum { readers = 2, reads_waiting_max = 2048 };

/* How long the engine sleeps at most. */
static const int64_t sleep_us_max = 500000;

/* How often it looks for space while there is none and nobody asks. */
static const int64_t disk_full_interval_us = 100000;

struct embedded_tracking {
    struct tracking_repository base;
    struct embedded_tracking_options options;
    struct tracking_engine *engine;
    struct tracking_announcement_reader announcements;
    bool announces; /* it is initialised */
    uint64_t announced_end;
    struct queue commands;
    struct reader {
        struct queue reads;
        pthread_t thread;
    } readers[readers];
    size_t next_reader; /* they take turns */
    struct queue flushes;
    struct tracking_command *batch[tracking_commands_per_step_max];
    pthread_t engine_thread;
    pthread_t flush_thread;
    size_t reader_count; /* started */
    bool engine_started;
    bool flush_started;
    /* embedded_tracking_usage: written by the engine's thread, read by any. */
    _Atomic uint64_t events_recorded;
    _Atomic uint64_t hot_trackings;
    _Atomic uint64_t changed_trackings;
    _Atomic uint64_t memory_bytes;
    _Atomic uint64_t log_bytes;
    _Atomic uint64_t replay_bytes;
    _Atomic uint64_t checkpoints;
    atomic_bool disk_full;
};

static struct embedded_tracking *embedded_of(struct tracking_repository *repository)
{
    return (struct embedded_tracking *)repository;
}

struct embedded_tracking_options embedded_tracking_options_default(void)
{
    return (struct embedded_tracking_options){
        .file_system = file_system_posix(),
        .clock = clock_system(),
        .random = random_system(),
        .queue_length_max = 65536,
        .segment_bytes = UINT64_C(64) << 20,
        .batch_bytes_max = (size_t)4 << 20,
        .memory_bytes_max = (size_t)512 << 20,
        .checkpoint_bytes = UINT64_C(512) << 20,
        .free_bytes_min = UINT64_C(512) << 20,
        .checkpoint_interval_us = INT64_C(300) * 1000000,
        .log_retention_us = INT64_C(7) * 86400 * 1000000,
        .ping_retention_us = INT64_C(30) * 86400 * 1000000,
        .generation_gap_us = tracking_generation_gap_us_default,
        .threaded = true,
    };
}

/* --- the port --- */

static void refused_done(struct task *task)
{
    struct tracking_command *command = tracking_command_of(task);
    static struct error overloaded = {
        .code = ERROR_OVERLOADED,
        .detail = "the tracking store has as many commands waiting as it takes; try again later",
    };
    command->done(command->context, &overloaded);
}

static void submit(struct tracking_repository *repository, struct tracking_command *command,
                   enum tracking_command_kind kind)
{
    command->kind = (int)kind;
    if (queue_put(&embedded_of(repository)->commands, command))
        return;
    command->task.run = refused_done;
    executor_post(command->executor, &command->task);
}

static void submit_create(struct tracking_repository *repository,
                          struct create_tracking_command *command)
{
    submit(repository, &command->base, TRACKING_COMMAND_CREATE);
}

static void submit_get(struct tracking_repository *repository, struct get_tracking_command *command)
{
    submit(repository, &command->base, TRACKING_COMMAND_GET);
}

static void submit_list_trackings(struct tracking_repository *repository,
                                  struct list_trackings_command *command)
{
    submit(repository, &command->base, TRACKING_COMMAND_LIST_TRACKINGS);
}

static void submit_list_idle(struct tracking_repository *repository,
                             struct list_idle_trackings_command *command)
{
    submit(repository, &command->base, TRACKING_COMMAND_LIST_IDLE);
}

static void submit_record_event(struct tracking_repository *repository,
                                struct record_event_command *command)
{
    submit(repository, &command->base, TRACKING_COMMAND_RECORD_EVENT);
}

static void submit_record_ping(struct tracking_repository *repository,
                               struct record_ping_command *command)
{
    submit(repository, &command->base, TRACKING_COMMAND_RECORD_PING);
}

static void submit_list_events(struct tracking_repository *repository,
                               struct list_events_command *command)
{
    submit(repository, &command->base, TRACKING_COMMAND_LIST_EVENTS);
}

static void submit_remap(struct tracking_repository *repository,
                         struct remap_trackings_command *command)
{
    submit(repository, &command->base, TRACKING_COMMAND_REMAP);
}

static void submit_erase(struct tracking_repository *repository,
                         struct erase_tracking_command *command)
{
    submit(repository, &command->base, TRACKING_COMMAND_ERASE);
}

static void submit_put_note(struct tracking_repository *repository,
                            struct put_note_command *command)
{
    submit(repository, &command->base, TRACKING_COMMAND_PUT_NOTE);
}

static void submit_list_notes(struct tracking_repository *repository,
                              struct list_notes_command *command)
{
    submit(repository, &command->base, TRACKING_COMMAND_LIST_NOTES);
}

static const struct tracking_repository_table embedded_tracking_table = {
    .create_tracking = submit_create,
    .get_tracking = submit_get,
    .list_trackings = submit_list_trackings,
    .list_idle_trackings = submit_list_idle,
    .record_event = submit_record_event,
    .record_ping = submit_record_ping,
    .list_events = submit_list_events,
    .remap_trackings = submit_remap,
    .erase_tracking = submit_erase,
    .put_note = submit_put_note,
    .list_notes = submit_list_notes,
};

/* --- threads --- */

static _Noreturn void stop_process(void *context, const struct error *error)
{
    (void)context;
    log_error("tracking: the store failed, the process stops", error);
    abort();
}

static int64_t sleep_us(const struct embedded_tracking *embedded)
{
    if (tracking_engine_is_busy(embedded->engine))
        return 0;
    return error_is(embedded->engine->claimed) ? disk_full_interval_us : sleep_us_max;
}

static void publish(struct embedded_tracking *embedded)
{
    const struct tracking_engine *engine = embedded->engine;
    uint64_t end = record_log_end(engine->log);
    atomic_store_explicit(&embedded->events_recorded, engine->events_recorded,
                          memory_order_relaxed);
    atomic_store_explicit(&embedded->hot_trackings, engine->cache.count, memory_order_relaxed);
    atomic_store_explicit(&embedded->changed_trackings, engine->cache.dirty_count,
                          memory_order_relaxed);
    atomic_store_explicit(&embedded->memory_bytes, engine->cache.bytes, memory_order_relaxed);
    atomic_store_explicit(&embedded->log_bytes, end, memory_order_relaxed);
    atomic_store_explicit(&embedded->replay_bytes, end - engine->checkpoint.durable_position,
                          memory_order_relaxed);
    atomic_store_explicit(&embedded->checkpoints, engine->checkpoint.count, memory_order_relaxed);
    atomic_store_explicit(&embedded->disk_full, error_is(engine->claimed), memory_order_relaxed);
}

static struct error step(struct embedded_tracking *embedded, size_t count)
{
    struct error error = tracking_engine_step(embedded->engine, embedded->batch, count);
    uint64_t end = record_log_committed_end(embedded->engine->log);
    if (!error_is(error) && end != embedded->announced_end) {
        embedded->announced_end = end;
        decoded_log_committed(&embedded->announcements.decoded);
    }
    publish(embedded);
    return error;
}

static void *run_engine(void *context)
{
    struct embedded_tracking *embedded = context;
    tracking_store_writer_begins();
    while (!queue_is_finished(&embedded->commands) || tracking_engine_has_lists(embedded->engine)) {
        size_t count = queue_take(&embedded->commands, (void **)embedded->batch,
                                  tracking_commands_per_step_max, sleep_us(embedded));
        struct error error = step(embedded, count);
        if (error_is(error)) {
            embedded->options.failed(embedded->options.failed_context, &error);
            break;
        }
    }
    return NULL;
}

static void *run_reads(void *context)
{
    struct reader *reader = context;
    struct buffer value;
    void *item;
    buffer_init(&value, tracking_value_bytes_max);
    while (!queue_is_finished(&reader->reads)) {
        if (queue_take(&reader->reads, &item, 1, -1) != 1)
            continue;
        struct tracking_read *read = item;
        struct tracking_command *command = read->command;
        tracking_read_run(read, &value);
        executor_post(command->executor, &command->task);
    }
    buffer_deinit(&value);
    return NULL;
}

static void *run_flushes(void *context)
{
    struct embedded_tracking *embedded = context;
    void *item;
    while (!queue_is_finished(&embedded->flushes)) {
        if (queue_take(&embedded->flushes, &item, 1, -1) != 1)
            continue;
        struct error error = tracking_store_flush(embedded->engine->store);
        if (error_is(error)) {
            embedded->options.failed(embedded->options.failed_context, &error);
            break;
        }
        embedded->engine->flushed = 1;
        queue_wake(&embedded->commands);
    }
    return NULL;
}

static bool read_later(void *context, struct tracking_read *read)
{
    struct embedded_tracking *embedded = context;
    embedded->next_reader = (embedded->next_reader + 1) % readers;
    return queue_put(&embedded->readers[embedded->next_reader].reads, read);
}

static bool flush_later(void *context)
{
    struct embedded_tracking *embedded = context;
    return queue_put(&embedded->flushes, embedded);
}

/* --- its life --- */

/* Answers what is queued and ends the threads that were started, in the order of the work. */
static void stop_threads(struct embedded_tracking *embedded)
{
    queue_close(&embedded->commands);
    if (embedded->engine_started)
        pthread_join(embedded->engine_thread, NULL);
    for (size_t i = 0; i < embedded->reader_count; i++) {
        queue_close(&embedded->readers[i].reads);
        pthread_join(embedded->readers[i].thread, NULL);
    }
    queue_close(&embedded->flushes);
    if (embedded->flush_started)
        pthread_join(embedded->flush_thread, NULL);
}

static struct error start_threads(struct embedded_tracking *embedded)
{
    bool good = true;
    embedded->engine->read_later = read_later;
    embedded->engine->flush_later = flush_later;
    embedded->engine->later_context = embedded;
    while (good && embedded->reader_count < readers) {
        struct reader *reader = &embedded->readers[embedded->reader_count];
        good = pthread_create(&reader->thread, NULL, run_reads, reader) == 0;
        embedded->reader_count += good;
    }
    if (good)
        embedded->flush_started = good =
            pthread_create(&embedded->flush_thread, NULL, run_flushes, embedded) == 0;
    if (good)
        embedded->engine_started = good =
            pthread_create(&embedded->engine_thread, NULL, run_engine, embedded) == 0;
    return good ? error_none() : error_make(ERROR_OUT_OF_MEMORY, "cannot start the threads");
}

static void release(struct embedded_tracking *embedded, bool orderly)
{
    if (embedded->options.threaded)
        stop_threads(embedded);
    struct error error = orderly ? tracking_engine_finish(embedded->engine) : error_none();
    if (error_is(error))
        log_error("tracking: no checkpoint at the end; the next start replays more", &error);
    if (embedded->announces)
        tracking_announcement_reader_deinit(&embedded->announcements);
    tracking_engine_close(embedded->engine);
    queue_deinit(&embedded->commands);
    for (size_t i = 0; i < readers; i++)
        queue_deinit(&embedded->readers[i].reads);
    queue_deinit(&embedded->flushes);
    memory_release(embedded);
}

static uint64_t held(void *context)
{
    struct embedded_tracking *embedded = context;
    return decoded_log_held(&embedded->announcements.decoded);
}

static struct error open_announcements(struct embedded_tracking *embedded)
{
    char path[1024];
    const struct embedded_tracking_options *options = &embedded->options;
    snprintf(path, sizeof path, "%s/log", options->directory);
    struct error error =
        tracking_announcement_reader_init(&embedded->announcements, embedded->engine->log,
                                          options->file_system, path, options->random);
    embedded->announces = !error_is(error);
    embedded->engine->held = held;
    embedded->engine->held_context = embedded;
    return error;
}

static bool init_queues(struct embedded_tracking *embedded)
{
    bool good = queue_init(&embedded->commands, embedded->options.queue_length_max) &&
                queue_init(&embedded->flushes, 4);
    for (size_t i = 0; i < readers; i++)
        good = good && queue_init(&embedded->readers[i].reads, reads_waiting_max);
    return good;
}

struct error embedded_tracking_open(struct tracking_repository **repository,
                                    const struct embedded_tracking_options *options)
{
    struct embedded_tracking *made = memory_allocate_zero(1, sizeof *made);
    if (made == NULL)
        return error_make(ERROR_OUT_OF_MEMORY, "tracking repository");
    made->base.table = &embedded_tracking_table;
    made->options = *options;
    if (made->options.failed == NULL)
        made->options.failed = stop_process;
    struct error error = error_make(ERROR_OUT_OF_MEMORY, "tracking repository's queues");
    if (init_queues(made))
        error = tracking_engine_open(&made->engine, options, false);
    if (!error_is(error))
        error = open_announcements(made);
    if (!error_is(error))
        error = step(made, 0);
    if (!error_is(error) && options->threaded)
        error = start_threads(made);
    if (error_is(error)) {
        release(made, false);
        return error;
    }
    *repository = &made->base;
    return error;
}

struct error embedded_tracking_step(struct tracking_repository *repository)
{
    struct embedded_tracking *embedded = embedded_of(repository);
    size_t count = queue_take(&embedded->commands, (void **)embedded->batch,
                              tracking_commands_per_step_max, 0);
    return step(embedded, count);
}

void embedded_tracking_close(struct tracking_repository *repository)
{
    if (repository != NULL)
        release(embedded_of(repository), true);
}

void embedded_tracking_abandon(struct tracking_repository *repository)
{
    release(embedded_of(repository), false);
}

struct tracking_announcement_source *embedded_tracking_announcements(
    struct tracking_repository *repository)
{
    return &embedded_of(repository)->announcements.base;
}

struct embedded_tracking_usage embedded_tracking_usage(struct tracking_repository *repository)
{
    struct embedded_tracking *embedded = embedded_of(repository);
    struct tracking_store *store = embedded->engine->store;
    return (struct embedded_tracking_usage){
        .events_recorded = atomic_load_explicit(&embedded->events_recorded, memory_order_relaxed),
        .hot_trackings = atomic_load_explicit(&embedded->hot_trackings, memory_order_relaxed),
        .changed_trackings =
            atomic_load_explicit(&embedded->changed_trackings, memory_order_relaxed),
        .memory_bytes = atomic_load_explicit(&embedded->memory_bytes, memory_order_relaxed),
        .log_bytes = atomic_load_explicit(&embedded->log_bytes, memory_order_relaxed),
        .replay_bytes = atomic_load_explicit(&embedded->replay_bytes, memory_order_relaxed),
        .checkpoints = atomic_load_explicit(&embedded->checkpoints, memory_order_relaxed),
        .store_bytes = tracking_store_property(store, "rocksdb.live-sst-files-size"),
        .pending_compaction_bytes =
            tracking_store_property(store, "rocksdb.estimate-pending-compaction-bytes"),
        .disk_full = atomic_load_explicit(&embedded->disk_full, memory_order_relaxed),
    };
}
