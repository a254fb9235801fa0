/*
 * The SQLite store: one writer thread with group commit, some readers, one process a file.
 *
 * Happy path of a batch: BEGIN IMMEDIATE; a savepoint a job; the scripts one after the other; the
 * highest time given; COMMIT with one sync; all answers. A refusal goes back to its savepoint. A
 * statement that fails undoes the batch, and its jobs run again one by one, each in a transaction
 * of its own: who failed gets his error, nobody else notices.
 *
 * Checkpoints run on the writer's thread after the answers; so an error of theirs is seen. Without
 * space a job gets DISK_FULL and nothing was done; the write-ahead log keeps what was committed.
 * A write or sync that fails otherwise is fatal: `failed` is called, nothing is answered any more.
 */
#include "platform/base/check.h"
#include "platform/base/log.h"
#include "platform/base/memory.h"
#include "platform/sql/sql_jobs.h"
#include "platform/sql/sql_migrations.h"
#include "platform/sql/sqlite_connection.h"
#include "platform/storage/file_system.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    reader_count_max = 4,
    path_bytes_max = 4096,
    checkpoint_pages = 1000,      /* of the write-ahead log: as SQLite's own default */
    checkpoint_pages_max = 16384, /* then readers are waited for, a moment */
    checkpoint_patience_ms = 100,
    busy_patience_ms = 5000,
    open_arena_bytes_max = 16 * 1024 * 1024,
};

struct sqlite_store;

struct sqlite_reader {
    struct sqlite_store *store;
    struct sqlite_connection connection;
    pthread_t thread;
    bool opened;
};

struct sqlite_store {
    struct sql_store base;
    char path[path_bytes_max];
    struct file *lock;
    struct sqlite_connection writer;
    bool writer_opened;
    struct sqlite_reader readers[reader_count_max];
    size_t reader_count;
    size_t reader_thread_count;
    struct sql_jobs writes;
    struct sql_jobs reads;
    pthread_t writer_thread;
    bool writer_started;
    int wal_pages;
    _Atomic int64_t time_max_us; /* the highest time given */
    int64_t time_stored_us;      /* the highest time committed */
    int64_t time_taken_us;       /* by jobs of this transaction that commit */
    int64_t changes_before;      /* of this transaction */
    bool has_failed;
    struct error failure;
};

static const struct sql_statement begin_write = {.text = "BEGIN IMMEDIATE"};
static const struct sql_statement begin_read = {.text = "BEGIN"};
static const struct sql_statement commit = {.text = "COMMIT"};
static const struct sql_statement savepoint = {.text = "SAVEPOINT job"};
static const struct sql_statement release_savepoint = {.text = "RELEASE job"};
static const struct sql_statement back_to_savepoint = {.text = "ROLLBACK TO job"};
static const struct sql_statement store_time = {.text = "UPDATE sql_clock SET time_us = $1"};
static const struct sql_statement load_time = {.text = "SELECT time_us FROM sql_clock"};

static const char own_tables[] =
    "CREATE TABLE IF NOT EXISTS sql_clock (id INTEGER PRIMARY KEY CHECK (id = 1),"
    " time_us INTEGER NOT NULL) STRICT;"
    "INSERT OR IGNORE INTO sql_clock (id, time_us) VALUES (1, 0)";

static struct sqlite_store *store_of(struct sql_store *store)
{
    return (struct sqlite_store *)store;
}

static _Noreturn void stop_process(void *context, const struct error *error)
{
    (void)context;
    log_error("sql: the store failed, the process stops", error);
    abort();
}

/* --- one transaction on the writer --- */

static bool begin_transaction(struct sqlite_store *store)
{
    store->time_taken_us = 0;
    store->changes_before = sqlite3_total_changes64(store->writer.database);
    return sqlite_connection_begin(&store->writer, NULL, &begin_write);
}

/*
 * Stores the time that was given to jobs which changed something: refusals and reads give it, too,
 * but leave nothing behind that could be older later.
 */
static bool commit_transaction(struct sqlite_store *store)
{
    const struct sql_value time = sql_integer(store->time_taken_us);
    sql_session_begin(&store->writer.base, NULL);
    bool changed = sqlite3_total_changes64(store->writer.database) != store->changes_before;
    if (changed && store->time_taken_us > store->time_stored_us &&
        !sql_execute(&store->writer.base, &store_time, &time, 1, NULL))
        return false;
    if (!sqlite_connection_control(&store->writer, &commit))
        return false;
    if (changed && store->time_taken_us > store->time_stored_us)
        store->time_stored_us = store->time_taken_us;
    return true;
}

/* The script's part; false after a failed statement. */
static bool run_script(struct sqlite_store *store, struct sql_job *job)
{
    struct sql_session *session = &store->writer.base;
    sql_session_begin(session, job->arena);
    job->run_count++;
    job->error = error_none();
    job->verdict = sql_session_run_script(session, job->script, job->context, &job->error);
    if (job->verdict == SQL_COMMIT && session->has_now && session->now_us > store->time_taken_us)
        store->time_taken_us = session->now_us;
    return !sql_session_has_failed(session);
}

static void fail_store(struct sqlite_store *store)
{
    store->has_failed = true;
    store->failure = sql_failure_error(store->writer.base.failure, store->writer.base.error);
    store->failure = error_prefix(store->failure, "%.60s", store->base.name);
    atomic_store(&store->base.has_failed, true);
    if (store->base.options.threaded)
        store->base.options.failed(store->base.options.failed_context, &store->failure);
}

/* One job, one transaction, once. False: the session has the reason, nothing was done. */
static bool run_alone_once(struct sqlite_store *store, struct sql_job *job)
{
    bool good = begin_transaction(store) && run_script(store, job);
    if (good && job->verdict == SQL_COMMIT)
        good = commit_transaction(store);
    if (!good && store->writer.base.failure == SQL_FAILURE_FATAL)
        fail_store(store);
    sqlite_connection_roll_back(&store->writer);
    return good;
}

static void count_repeats(struct sqlite_store *store, uint64_t count)
{
    atomic_fetch_add_explicit(&store->base.repeated_runs, count, memory_order_relaxed);
}

static void run_alone(struct sqlite_store *store, struct sql_job *job)
{
    const struct sql_session *session = &store->writer.base;
    uint32_t run_max = job->run_count + store->base.options.run_max;
    while (!run_alone_once(store, job)) {
        if (store->has_failed)
            return;
        if (session->failure != SQL_FAILURE_RETRY || job->run_count >= run_max) {
            job->verdict = SQL_FAIL;
            job->error = sql_failure_error(session->failure, session->error);
            return;
        }
        count_repeats(store, 1);
    }
    if (job->verdict != SQL_COMMIT)
        return;
    atomic_fetch_add_explicit(&store->base.commits, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&store->base.batched_jobs, 1, memory_order_relaxed);
}

/* --- a batch --- */

static bool run_in_savepoint(struct sqlite_store *store, struct sql_job *job)
{
    sql_session_begin(&store->writer.base, NULL);
    if (!sqlite_connection_control(&store->writer, &savepoint) || !run_script(store, job))
        return false;
    sql_session_begin(&store->writer.base, NULL);
    if (job->verdict != SQL_COMMIT &&
        !sqlite_connection_control(&store->writer, &back_to_savepoint))
        return false;
    return sqlite_connection_control(&store->writer, &release_savepoint);
}

/* All jobs in one transaction. False: nothing was done. */
static bool run_together(struct sqlite_store *store, struct sql_job *first)
{
    uint64_t count = 0;
    bool good = begin_transaction(store);
    for (struct sql_job *job = first; good && job != NULL; job = sql_job_of(job->task.next)) {
        good = run_in_savepoint(store, job);
        count++;
    }
    good = good && commit_transaction(store);
    if (!good && store->writer.base.failure == SQL_FAILURE_FATAL)
        fail_store(store);
    sqlite_connection_roll_back(&store->writer);
    if (good) {
        atomic_fetch_add_explicit(&store->base.commits, 1, memory_order_relaxed);
        atomic_fetch_add_explicit(&store->base.batched_jobs, count, memory_order_relaxed);
    } else {
        count_repeats(store, count);
    }
    return good;
}

/* Answers those whose time is over before they began; the rest. */
static struct sql_job *drop_late(struct sqlite_store *store, struct sql_job *first)
{
    struct sql_job *kept = NULL;
    struct sql_job *kept_last = NULL;
    while (first != NULL) {
        struct sql_job *job = first;
        first = sql_job_of(job->task.next);
        job->task.next = NULL;
        if (sql_store_is_late(&store->base, job)) {
            sql_store_answer(&store->base, job);
        } else {
            if (kept == NULL)
                kept = job;
            else
                kept_last->task.next = &job->task;
            kept_last = job;
        }
    }
    return kept;
}

/*
 * Moves committed pages into the file. Without space, or with readers in the way, the log keeps
 * them; the next time does it.
 */
static void checkpoint(struct sqlite_store *store)
{
    sqlite3 *database = store->writer.database;
    bool insist = store->wal_pages >= checkpoint_pages_max;
    if (store->wal_pages < checkpoint_pages)
        return;
    if (insist)
        sqlite3_busy_timeout(database, checkpoint_patience_ms);
    int code = sqlite3_wal_checkpoint_v2(
        database, NULL, insist ? SQLITE_CHECKPOINT_RESTART : SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
    sqlite3_busy_timeout(database, busy_patience_ms);
    if (sqlite_failure_of(code) != SQL_FAILURE_FATAL)
        return;
    sql_session_begin(&store->writer.base, NULL);
    (void)sql_session_fail(&store->writer.base, SQL_FAILURE_FATAL,
                           sqlite_error(database, code, "checkpoint"));
    fail_store(store);
}

static void run_batch(struct sqlite_store *store, struct sql_job *first)
{
    first = drop_late(store, first);
    if (first == NULL)
        return;
    bool together = first->task.next != NULL && run_together(store, first);
    for (struct sql_job *job = first; !together && !store->has_failed && job != NULL;
         job = sql_job_of(job->task.next))
        run_alone(store, job);
    if (store->has_failed)
        return; /* it cannot be told what is durable: nobody is answered */
    sql_store_tell_committed(&store->base);
    sql_store_answer(&store->base, first);
    checkpoint(store);
}

static int on_committed(void *context, sqlite3 *database, const char *name, int pages)
{
    struct sqlite_store *store = context;
    (void)database;
    (void)name;
    store->wal_pages = pages;
    return SQLITE_OK;
}

static void *run_writer(void *context)
{
    struct sqlite_store *store = context;
    while (!store->has_failed && !sql_jobs_is_finished(&store->writes)) {
        struct sql_job *first = sql_jobs_take(&store->writes, store->base.options.batch_max, -1);
        atomic_fetch_add_explicit(&store->base.busy_threads, 1, memory_order_relaxed);
        run_batch(store, first);
        atomic_fetch_sub_explicit(&store->base.busy_threads, 1, memory_order_relaxed);
    }
    return NULL;
}

/* --- readers --- */

static bool read_once(struct sqlite_connection *connection, struct sql_job *job)
{
    job->run_count++;
    job->error = error_none();
    bool good = sqlite_connection_begin(connection, job->arena, &begin_read);
    if (good) {
        job->verdict =
            sql_session_run_script(&connection->base, job->script, job->context, &job->error);
        good = !sql_session_has_failed(&connection->base);
    }
    sqlite_connection_roll_back(connection);
    return good;
}

static void run_read(struct sqlite_reader *reader, struct sql_job *job)
{
    struct sqlite_store *store = reader->store;
    const struct sql_session *session = &reader->connection.base;
    bool good = sql_store_is_late(&store->base, job) || read_once(&reader->connection, job);
    while (!good && session->failure == SQL_FAILURE_RETRY &&
           job->run_count < store->base.options.run_max) {
        count_repeats(store, 1);
        good = read_once(&reader->connection, job);
    }
    if (!good) {
        job->verdict = SQL_FAIL;
        job->error = sql_failure_error(session->failure, session->error);
    }
    sql_store_answer(&store->base, job);
}

static void *run_reader(void *context)
{
    struct sqlite_reader *reader = context;
    struct sqlite_store *store = reader->store;
    while (!sql_jobs_is_finished(&store->reads)) {
        struct sql_job *job = sql_jobs_take(&store->reads, 1, -1);
        if (job == NULL)
            continue;
        atomic_fetch_add_explicit(&store->base.busy_threads, 1, memory_order_relaxed);
        run_read(reader, job);
        atomic_fetch_sub_explicit(&store->base.busy_threads, 1, memory_order_relaxed);
    }
    return NULL;
}

/* --- the port --- */

static void sqlite_submit(struct sql_store *base, struct sql_job *job)
{
    struct sqlite_store *store = store_of(base);
    if (sql_jobs_put(job->access == SQL_WRITE ? &store->writes : &store->reads, job))
        return;
    job->error = error_make(ERROR_OVERLOADED,
                            "the %.60s store has as many jobs waiting as it takes; try again later",
                            base->name);
    job->task.next = NULL;
    sql_store_answer(base, job);
}

static struct error sqlite_step(struct sql_store *base)
{
    struct sqlite_store *store = store_of(base);
    struct sql_job *job;
    if (!store->has_failed)
        run_batch(store, sql_jobs_take(&store->writes, base->options.batch_max, 0));
    if (store->has_failed)
        return store->failure;
    job = sql_jobs_take(&store->reads, 1, 0);
    while (job != NULL) {
        run_read(&store->readers[0], job);
        job = sql_jobs_take(&store->reads, 1, 0);
    }
    return error_none();
}

static uint64_t sqlite_queued(struct sql_store *base)
{
    struct sqlite_store *store = store_of(base);
    return sql_jobs_count(&store->writes) + sql_jobs_count(&store->reads);
}

/* --- its life --- */

static void stop_threads(struct sqlite_store *store)
{
    sql_jobs_close(&store->writes);
    sql_jobs_close(&store->reads);
    if (store->writer_started)
        pthread_join(store->writer_thread, NULL);
    for (size_t i = 0; i < store->reader_thread_count; i++)
        pthread_join(store->readers[i].thread, NULL);
}

static void sqlite_close(struct sql_store *base)
{
    struct sqlite_store *store = store_of(base);
    stop_threads(store);
    for (size_t i = 0; i < reader_count_max; i++) {
        if (store->readers[i].opened)
            sqlite_connection_close(&store->readers[i].connection);
    }
    if (store->writer_opened)
        sqlite_connection_close(&store->writer);
    if (store->lock != NULL)
        file_close(store->lock);
    sql_jobs_deinit(&store->writes);
    sql_jobs_deinit(&store->reads);
    sql_store_deinit(base);
    memory_release(store);
}

static const struct sql_store_table sqlite_store_table = {
    .submit = sqlite_submit,
    .step = sqlite_step,
    .close = sqlite_close,
    .queued = sqlite_queued,
};

/* The file's directory exists, and the file is ours alone. */
static struct error claim_file(struct sqlite_store *store)
{
    char name[path_bytes_max + 8];
    const char *path = store->base.url + strlen("sqlite:");
    if (strlen(path) >= sizeof store->path)
        return error_make(ERROR_INVALID_SETTING, "the file's name is too long");
    memcpy(store->path, path, strlen(path) + 1);
    const char *slash = strrchr(path, '/');
    struct error error = error_none();
    if (slash != NULL && slash != path) {
        snprintf(name, sizeof name, "%.*s", (int)(slash - path), path);
        error = file_system_create_directory(file_system_posix(), name);
    }
    if (error_is(error))
        return error;
    snprintf(name, sizeof name, "%s-lock", path);
    error = file_system_lock(file_system_posix(), name, &store->lock);
    /* SQLite alone would let everybody read it; its -wal and -shm have the rights it has. */
    int made = error_is(error) ? -1 : open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0640);
    if (made >= 0)
        close(made); /* what cannot be opened, SQLite says */
    return error;
}

static struct error run_on_writer(void *context, sql_script *script, void *script_context)
{
    struct sqlite_store *store = context;
    struct arena arena;
    struct sql_job job = {.arena = &arena, .script = script, .context = script_context};
    arena_init(&arena, open_arena_bytes_max);
    if (!run_alone_once(store, &job))
        job.error = sql_failure_error(store->writer.base.failure, store->writer.base.error);
    arena_deinit(&arena);
    return job.error;
}

static enum sql_verdict prepare_own_tables(struct sql_session *session, void *context,
                                           struct error *error)
{
    struct sqlite_store *store = context;
    struct sql_rows rows;
    (void)error;
    if (!sql_session_run_text(session, own_tables) ||
        !sql_query(session, &load_time, NULL, 0, &rows) || rows.count != 1)
        return SQL_FAIL;
    store->time_stored_us = sql_rows_integer(&rows, 0, 0);
    atomic_store(&store->time_max_us, store->time_stored_us);
    return SQL_COMMIT;
}

static struct error open_writer(struct sqlite_store *store)
{
    struct error error = sqlite_connection_open(&store->writer, store->path, false,
                                                store->base.options.clock, &store->time_max_us);
    if (error_is(error))
        return error;
    store->writer_opened = true;
    sqlite3_wal_hook(store->writer.database, on_committed, store);
    error = run_on_writer(store, prepare_own_tables, store);
    if (!error_is(error))
        error = sql_migrations_apply(&store->base.options, run_on_writer, store);
    return error;
}

static struct error open_readers(struct sqlite_store *store)
{
    uint32_t wanted = store->base.options.threaded ? store->base.options.thread_count : 1;
    store->reader_count = wanted < reader_count_max ? wanted : reader_count_max;
    for (size_t i = 0; i < store->reader_count; i++) {
        struct sqlite_reader *reader = &store->readers[i];
        reader->store = store;
        struct error error = sqlite_connection_open(&reader->connection, store->path, true,
                                                    store->base.options.clock, &store->time_max_us);
        if (error_is(error))
            return error;
        reader->opened = true;
    }
    return error_none();
}

static struct error start_threads(struct sqlite_store *store)
{
    if (pthread_create(&store->writer_thread, NULL, run_writer, store) != 0)
        return error_make(ERROR_OUT_OF_MEMORY, "cannot start the writer's thread");
    store->writer_started = true;
    for (size_t i = 0; i < store->reader_count; i++) {
        if (pthread_create(&store->readers[i].thread, NULL, run_reader, &store->readers[i]) != 0)
            return error_make(ERROR_OUT_OF_MEMORY, "cannot start a reader's thread");
        store->reader_thread_count++;
    }
    return error_none();
}

struct error sqlite_store_open(struct sql_store **store, const struct sql_store_options *options)
{
    CHECK(options->thread_count > 0 && options->batch_max > 0 && options->run_max > 0);
    sqlite_memory_use();
    struct sqlite_store *made = memory_allocate_zero(1, sizeof *made);
    if (made == NULL)
        return error_make(ERROR_OUT_OF_MEMORY, "SQLite store");
    sql_jobs_init(&made->writes, options->queue_length_max);
    sql_jobs_init(&made->reads, options->queue_length_max);
    bool fits = sql_store_init(&made->base, &sqlite_store_table, SQL_DIALECT_SQLITE, options);
    if (made->base.options.failed == NULL)
        made->base.options.failed = stop_process;
    struct error error = fits ? claim_file(made) : error_make(ERROR_OUT_OF_MEMORY, "SQLite store");
    if (!error_is(error))
        error = open_writer(made);
    if (!error_is(error))
        error = open_readers(made);
    made->base.options.thread_count = (uint32_t)made->reader_count + 1;
    if (!error_is(error) && options->threaded)
        error = start_threads(made);
    if (error_is(error)) {
        sqlite_close(&made->base);
        return error;
    }
    *store = &made->base;
    return error_none();
}

struct error sqlite_look(const struct sql_store_options *options, struct arena *arena,
                         sql_script *script, void *context)
{
    struct sqlite_connection connection;
    _Atomic int64_t time_max_us = 0;
    const char *path = options->url + strlen("sqlite:");
    struct sql_job job = {.arena = arena, .script = script, .context = context};
    sqlite_memory_use();
    if (access(path, F_OK) != 0)
        path = sqlite_no_file;
    struct error error =
        sqlite_connection_open(&connection, path, true, options->clock, &time_max_us);
    if (error_is(error))
        return error;
    if (!read_once(&connection, &job))
        job.error = sql_failure_error(connection.base.failure, connection.base.error);
    sqlite_connection_close(&connection);
    return job.error;
}
