/*
 * A step: claim room on disk for the largest batch; decide command after command, appending a
 * record for each change and putting its events into RocksDB's batch; sync the log; only then write
 * into RocksDB, so that nothing is ever there that is not in the log; then give memory back, go on
 * with a checkpoint, start the reads of lists, answer all.
 *
 * Failures. No room (of the log's disk, or less free than RocksDB may need for its next flushes):
 * writes answer DISK_FULL, reads go on, the next step looks again. No memory: that command answers
 * OUT_OF_MEMORY and nothing of it has happened. A failed write or sync of the log, any error of
 * RocksDB's writing, flushing or compacting ends the step with an error, and the process with it.
 */
#include "tracking/infrastructure/embedded/tracking_engine.h"

#include "platform/base/check.h"
#include "platform/base/log.h"
#include "platform/base/memory.h"

#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>

static const char log_kind[] = "tracking";

enum { path_bytes_max = 1024 };

/* --- opening --- */

static struct error open_store(struct tracking_engine *engine, bool read_only)
{
    char path[path_bytes_max];
    bool found = false;
    const struct embedded_tracking_options *options = &engine->options;
    snprintf(path, sizeof path, "%s/rocksdb", options->directory);
    struct tracking_store_options store_options = {
        .directory = path,
        .memory_table_bytes = options->memory_bytes_max / 4,
        .block_cache_bytes = options->memory_bytes_max / 4,
        .background_jobs = 2,
        .read_only = read_only,
    };
    struct error error = error_none();
    if (!read_only)
        error = file_system_create_directory(file_system_posix(), path);
    if (!error_is(error))
        error = tracking_store_open(&engine->store, &store_options);
    if (error_is(error))
        return error;
    struct tracking_store_key key = tracking_key_meta("position");
    error = tracking_store_get(engine->store, NULL, &key, &engine->value, &found);
    if (error_is(error) || !found)
        return error;
    struct byte_reader reader = byte_reader_of(buffer_text(&engine->value));
    engine->replay_from = read_uint64(&reader);
    if (reader.failed || reader.at != reader.end)
        return error_make(ERROR_DAMAGED, "%.200s: the position of the log is none", path);
    return error;
}

static struct error open_log(struct tracking_engine *engine, bool read_only)
{
    char path[path_bytes_max];
    const struct embedded_tracking_options *options = &engine->options;
    snprintf(path, sizeof path, "%s/log", options->directory);
    struct record_log_options log_options = {
        .directory = path,
        .kind = log_kind,
        .record_version = tracking_record_version,
        .segment_bytes = options->segment_bytes,
        .batch_bytes_max = options->batch_bytes_max,
        .read_only = read_only,
        .background_prepare = options->threaded && !read_only,
    };
    CHECK(options->batch_bytes_max >= 2 * tracking_record_bytes_max);
    struct error error = record_log_open(&engine->log, options->file_system, &log_options,
                                         tracking_engine_replay, engine);
    if (!error_is(error))
        error = tracking_store_write(engine->store);
    if (!error_is(error) && engine->replay_from > record_log_end(engine->log))
        error =
            error_make(ERROR_DAMAGED, "%.200s: the log ends before what rocksdb has of it", path);
    return error;
}

struct error tracking_engine_open(struct tracking_engine **engine,
                                  const struct embedded_tracking_options *options, bool read_only)
{
    if (strlen(options->directory) > tracking_directory_bytes_max - 64)
        return error_make(ERROR_INVALID_SETTING, "tracking: the directory's name is too long");
    struct tracking_engine *made = memory_allocate_zero(1, sizeof *made);
    if (made == NULL)
        return error_make(ERROR_OUT_OF_MEMORY, "tracking engine");
    made->options = *options;
    snprintf(made->directory, sizeof made->directory, "%s", options->directory);
    made->options.directory = made->directory;
    made->cache_bytes_max = options->memory_bytes_max / 2;
    made->reads.end = &made->reads.first;
    made->settling.end = &made->settling.first;
    made->to_settle.end = &made->to_settle.first;
    made->remaps_end = &made->remaps;
    buffer_init(&made->value, tracking_value_bytes_max);
    buffer_init(&made->summary, tracking_value_bytes_max);
    parcel_cache_init(&made->cache, random_uint64(options->random));
    struct error error = error_none();
    /* A summary that finds no memory ends the process: it has all it will ever need. */
    if (!buffer_reserve(&made->summary, tracking_value_bytes_max))
        error = error_make(ERROR_OUT_OF_MEMORY, "tracking engine");
    if (!error_is(error))
        error = open_store(made, read_only);
    if (!error_is(error))
        error = open_log(made, read_only);
    if (error_is(error)) {
        tracking_engine_close(made);
        return error;
    }
    /* Since when is not known: its time has come. */
    if (made->erased_position > 0)
        made->erased_since_us = 1;
    made->checkpoint.position = made->replay_from;
    made->checkpoint.durable_position = made->replay_from;
    made->checkpoint.last_time_us = clock_now_us(options->clock);
    *engine = made;
    return error;
}

/* Less free than RocksDB may soon need: writes wait, before anything of it fails. */
static struct error check_free_space(const struct tracking_engine *engine)
{
    struct statvfs disk;
    const struct embedded_tracking_options *options = &engine->options;
    if (statvfs(options->directory, &disk) != 0)
        return error_none();
    uint64_t free_bytes = (uint64_t)disk.f_bavail * disk.f_frsize;
    if (free_bytes >= options->free_bytes_min)
        return error_none();
    return error_make(ERROR_DISK_FULL, "%.150s: %llu bytes are free, %llu are kept for RocksDB",
                      options->directory, (unsigned long long)free_bytes,
                      (unsigned long long)options->free_bytes_min);
}

struct error tracking_engine_finish(struct tracking_engine *engine)
{
    struct error error = check_free_space(engine);
    if (!error_is(error))
        error = tracking_engine_checkpoint_now(engine);
    return error;
}

void tracking_engine_close(struct tracking_engine *engine)
{
    if (engine == NULL)
        return;
    record_log_close(engine->log);
    tracking_store_close(engine->store);
    parcel_cache_deinit(&engine->cache);
    buffer_deinit(&engine->value);
    buffer_deinit(&engine->summary);
    memory_release(engine);
}

/* --- commands --- */

struct tracking_command *tracking_command_of(struct task *task)
{
    return (struct tracking_command *)((char *)task - offsetof(struct tracking_command, task));
}

void tracking_engine_fail(struct tracking_command *command, struct error error)
{
    static struct error out_of_memory = {.code = ERROR_OUT_OF_MEMORY, .detail = "tracking engine"};
    command->error = arena_allocate(command->arena, sizeof *command->error);
    if (command->error == NULL)
        command->error = &out_of_memory;
    else
        *command->error = error;
}

bool tracking_engine_may_write(struct tracking_engine *engine, struct tracking_command *command)
{
    if (!error_is(engine->claimed))
        return true;
    tracking_engine_fail(command, engine->claimed);
    return false;
}

/* --- parcels --- */

static struct error load(struct tracking_engine *engine, struct text key, struct parcel **parcel)
{
    bool found = false;
    struct tracking_store_key stored = tracking_key_parcel(key);
    struct error error = tracking_store_get(engine->store, NULL, &stored, &engine->value, &found);
    if (error_is(error) || !found)
        return error;
    if (!parcel_cache_reserve(&engine->cache))
        return error_make(ERROR_OUT_OF_MEMORY, "tracking engine");
    error = parcel_decode(key, buffer_text(&engine->value), parcel);
    if (!error_is(error))
        parcel_cache_add(&engine->cache, *parcel);
    return error;
}

struct error tracking_engine_find(struct tracking_engine *engine, struct text carrier,
                                  struct text tracking_number, struct parcel **parcel)
{
    char key[parcel_key_bytes_max];
    struct text name = text_make(key, parcel_key_write(key, carrier, tracking_number));
    *parcel = parcel_cache_find(&engine->cache, name);
    return *parcel == NULL ? load(engine, name, parcel) : error_none();
}

struct parcel *tracking_engine_add(struct tracking_engine *engine, struct text carrier,
                                   struct text tracking_number)
{
    if (!parcel_cache_reserve(&engine->cache))
        return NULL;
    struct parcel *parcel = parcel_create(carrier, tracking_number);
    if (parcel != NULL)
        parcel_cache_add(&engine->cache, parcel);
    return parcel;
}

uint64_t tracking_engine_append(struct tracking_engine *engine,
                                const struct tracking_record *record)
{
    uint64_t position;
    char *at = record_log_append_begin(engine->log, tracking_record_bytes_max, &position);
    size_t size = tracking_record_encode(record, at);
    CHECK(size <= tracking_record_bytes_max);
    record_log_append_end(engine->log, size);
    return position;
}

void tracking_engine_put_event(struct tracking_engine *engine, const struct parcel *parcel,
                               const struct tracking_event *event)
{
    char bytes[tracking_record_bytes_max];
    struct byte_writer writer = {.at = bytes};
    struct tracking_store_key key =
        tracking_key_event(parcel->key, event->occurred_time_us, event->event_id);
    tracking_event_encode(event, &writer);
    tracking_store_put(engine->store, &key, text_make(bytes, (size_t)(writer.at - bytes)));
}

void tracking_engine_put_note(struct tracking_engine *engine, const struct tracking_note *note)
{
    struct tracking_store_key key = tracking_key_note(note->name);
    if (note->value.size == 0)
        tracking_store_delete(engine->store, &key);
    else
        tracking_store_put(engine->store, &key, note->value);
}

/* The position of an event of this step; 0 if it is in RocksDB already. */
static uint64_t pending_position(const struct tracking_engine *engine, const struct parcel *parcel,
                                 size_t fact)
{
    for (size_t i = engine->pending_count; i-- > 0;) {
        const struct tracking_pending_event *pending = &engine->pending[i];
        if (pending->parcel == parcel && pending->fact == fact)
            return pending->position;
    }
    return 0;
}

struct error tracking_engine_event(struct tracking_engine *engine, const struct parcel *parcel,
                                   size_t fact, struct arena *arena, struct tracking_event *event)
{
    bool found = false;
    const struct tracking_fact *wanted = &parcel->facts[fact];
    uint64_t position = pending_position(engine, parcel, fact);
    struct error error;
    if (position != 0) {
        struct tracking_record record;
        error = record_log_read(engine->log, position, &engine->value);
        if (error_is(error))
            return error;
        if (!tracking_record_decode(buffer_text(&engine->value), &engine->lists, &record))
            return error_make(ERROR_DAMAGED, "record at position %llu is no tracking record",
                              (unsigned long long)position);
        *event = record.event;
        found = true;
        if (!tracking_event_copy(arena, event))
            error = error_make(ERROR_OUT_OF_MEMORY, "tracking event");
    } else {
        error = tracking_read_event(engine->store, NULL, parcel->key, wanted->occurred_time_us,
                                    wanted->id_hash, arena, event, &found);
    }
    event->carrier = parcel->carrier;
    event->tracking_number = parcel->tracking_number;
    event->withdrawn = wanted->withdrawn;
    if (!error_is(error) && !found)
        error = error_make(ERROR_DAMAGED, "an event of %.*s/%.*s is missing",
                           (int)parcel->carrier.size, parcel->carrier.data,
                           (int)parcel->tracking_number.size, parcel->tracking_number.data);
    return error;
}

/* --- the step --- */

static void claim(struct tracking_engine *engine)
{
    engine->claimed = check_free_space(engine);
    if (!error_is(engine->claimed))
        engine->claimed = record_log_claim(engine->log);
}

static bool batch_has_room(const struct tracking_engine *engine)
{
    return record_log_room(engine->log) >= tracking_record_bytes_max &&
           engine->pending_count < tracking_commands_per_step_max;
}

static void run_completion(struct task *task)
{
    struct tracking_command *command = tracking_command_of(task);
    command->done(command->context, command->error);
}

/* Decides commands as long as the batch has room, and tells how many. */
static size_t decide(struct tracking_engine *engine, struct tracking_command **commands,
                     size_t count)
{
    bool may_write = !error_is(engine->claimed);
    size_t decided = 0;
    engine->end_of_batch = false;
    while (decided < count && !engine->end_of_batch && (!may_write || batch_has_room(engine))) {
        struct tracking_command *command = commands[decided];
        if (tracking_engine_must_wait(engine, command))
            break;
        decided++;
        command->error = NULL;
        command->outcome = TRACKING_DONE;
        command->task.run = run_completion;
        tracking_engine_execute(engine, command);
    }
    return decided;
}

/* Syncs the log, then writes into RocksDB what it has. */
static struct error commit(struct tracking_engine *engine)
{
    struct error error = record_log_commit(engine->log);
    if (!error_is(error))
        error = tracking_store_write(engine->store);
    if (!error_is(error))
        error = tracking_store_background_error(engine->store);
    engine->pending_count = 0;
    engine->pending_note_count = 0;
    return error;
}

/* Whether the engine itself answers it after the step: lists and maps are answered by others. */
static bool is_answered(const struct tracking_command *command)
{
    bool later = command->kind == TRACKING_COMMAND_LIST_EVENTS ||
                 command->kind == TRACKING_COMMAND_LIST_TRACKINGS ||
                 command->kind == TRACKING_COMMAND_LIST_IDLE ||
                 command->kind == TRACKING_COMMAND_LIST_NOTES ||
                 command->kind == TRACKING_COMMAND_REMAP;
    return !later || command->error != NULL || command->outcome != TRACKING_DONE;
}

/* Posts the answers, one chain for each run of commands of the same executor. */
static void post_completions(struct tracking_command **commands, size_t count)
{
    struct completion_run run = {0};
    for (size_t i = 0; i < count; i++) {
        struct tracking_command *command = commands[i];
        if (is_answered(command))
            completion_run_add(&run, command->executor, &command->task);
    }
    completion_run_post(&run);
}

/* Appends what `from` holds to `to`. */
static void move_reads(struct tracking_read_queue *from, struct tracking_read_queue *to)
{
    if (from->first == NULL)
        return;
    *to->end = from->first;
    to->end = from->end;
    *from = (struct tracking_read_queue){.end = &from->first};
}

/*
 * Lists of the indexes wait, a wave at a time, until what was changed before them is in RocksDB.
 * There may be hundreds of thousands of summaries: others go on between two shares of them.
 */
static struct error settle_lists(struct tracking_engine *engine)
{
    bool finished = false;
    if (engine->settling.first == NULL) {
        move_reads(&engine->to_settle, &engine->settling);
        engine->settling_position = record_log_committed_end(engine->log);
    }
    if (engine->settling.first == NULL)
        return error_none();
    struct error error = tracking_engine_settle_some(engine, engine->settling_position, &finished);
    if (!error_is(error) && finished)
        move_reads(&engine->settling, &engine->reads);
    return error;
}

/* The same before RemapTrackings walks over RocksDB's summaries. */
static struct error settle_remap(struct tracking_engine *engine)
{
    if (engine->remaps == NULL || engine->remap_settled)
        return error_none();
    if (engine->remap_position == 0)
        engine->remap_position = record_log_committed_end(engine->log);
    return tracking_engine_settle_some(engine, engine->remap_position, &engine->remap_settled);
}

bool tracking_engine_has_lists(const struct tracking_engine *engine)
{
    return engine->settling.first != NULL || engine->to_settle.first != NULL;
}

/* Has the lists whose turn it is read, as of now. */
static struct error start_reads(struct tracking_engine *engine)
{
    struct error error = settle_lists(engine);
    if (!error_is(error))
        error = settle_remap(engine);
    while (engine->reads.first != NULL && !error_is(error)) {
        struct tracking_read *read = engine->reads.first;
        struct tracking_command *command = read->command;
        engine->reads.first = read->next;
        read->snapshot = tracking_store_snapshot_take(engine->store);
        command->task.run = run_completion;
        if (engine->read_later == NULL) {
            tracking_read_run(read, &engine->value);
        } else if (engine->read_later(engine->later_context, read)) {
            continue;
        } else {
            tracking_store_snapshot_release(engine->store, read->snapshot);
            tracking_engine_fail(
                command, error_make(ERROR_OVERLOADED, "too many lists are being read already"));
        }
        executor_post(command->executor, &command->task);
    }
    engine->reads.end = &engine->reads.first;
    return error;
}

/* What the engine does on its own account: one batch of its own, if there is anything to do. */
static struct error work(struct tracking_engine *engine)
{
    struct task *finished = NULL;
    struct error error = error_none();
    claim(engine);
    if (error_is(engine->claimed))
        return error;
    if (engine->remap_settled)
        error = tracking_engine_remap_some(engine, &finished);
    if (!error_is(error) && engine->now_us >= engine->next_sweep_us)
        error = tracking_engine_sweep(engine);
    if (!error_is(error))
        error = commit(engine);
    if (!error_is(error) && finished != NULL) {
        finished->run = run_completion;
        executor_post(tracking_command_of(finished)->executor, finished);
    }
    return error;
}

bool tracking_engine_is_busy(const struct tracking_engine *engine)
{
    return engine->checkpoint.state == CHECKPOINT_WRITING || tracking_engine_has_lists(engine) ||
           (engine->remaps != NULL && !error_is(engine->claimed));
}

struct error tracking_engine_step(struct tracking_engine *engine,
                                  struct tracking_command **commands, size_t count)
{
    int64_t clock_us = clock_now_us(engine->options.clock);
    size_t answered = 0;
    struct error error = error_none();
    engine->step_commands = count;
    if (clock_us > engine->now_us)
        engine->now_us = clock_us;
    do {
        claim(engine);
        size_t decided = decide(engine, commands + answered, count - answered);
        error = commit(engine);
        if (error_is(error))
            return error;
        post_completions(commands + answered, decided);
        answered += decided;
        error = start_reads(engine); /* from here on others may answer them */
        if (!error_is(error))
            error = tracking_engine_trim(engine);
    } while (!error_is(error) && answered < count);
    if (!error_is(error) && (engine->remaps != NULL || engine->now_us >= engine->next_sweep_us))
        error = work(engine);
    if (!error_is(error))
        error = tracking_engine_checkpoint(engine);
    return error;
}
