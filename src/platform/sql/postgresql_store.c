/*
 * The PostgreSQL store: worker threads that each hold a connection and take jobs from one queue.
 *
 * Happy path: take a job, run its script in a transaction, commit, answer. After a deadlock, a
 * serialization failure or a unique violation the script runs again after a random pause, and after
 * several of them alone; after a connection lost before COMMIT was sent it runs again on a new one.
 * COMMIT without an answer is an unknown outcome: STORE_UNAVAILABLE.
 *
 * The server's health is a circuit breaker: connections refused or lost, and a server that does not
 * answer, open it; then jobs are refused at the door, and idle workers try to connect until one
 * succeeds. While all is quiet one of them pings, so that /readyz tells the truth.
 */
#include "platform/base/check.h"
#include "platform/base/log.h"
#include "platform/base/memory.h"
#include "platform/resilience/retry.h"
#include "platform/sql/postgresql_connection.h"
#include "platform/sql/sql_jobs.h"
#include "platform/sql/sql_migrations.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum {
    reconnects_per_job_max = 2,
    alone_after_conflicts = 4,
    open_arena_bytes_max = 16 * 1024 * 1024
};

static const int64_t idle_us = 1000000;     /* between pings */
static const int64_t away_idle_us = 100000; /* between looks at the breaker */
static const int64_t ping_timeout_us = 2000000;
static const int64_t conflict_delay_us = 1000;
static const int64_t conflict_delay_us_max = 100000;

struct postgresql_store;

struct postgresql_worker {
    struct postgresql_store *store;
    struct postgresql_connection connection;
    pthread_t thread;
    size_t number;
    bool was_open; /* a connection has been made once */
};

struct postgresql_store {
    struct sql_store base;
    struct sql_jobs jobs;
    struct postgresql_worker *workers;
    size_t worker_count;
    size_t thread_count; /* started */
    /* Shared by write transactions; one that lost too often takes it alone, and so cannot lose to
     * another one of this process. */
    pthread_rwlock_t turns;
};

static struct postgresql_store *store_of(struct sql_store *store)
{
    return (struct postgresql_store *)store;
}

/* --- connections --- */

static struct error connect(struct postgresql_worker *worker)
{
    struct sql_store *store = &worker->store->base;
    struct error error = postgresql_connection_open(&worker->connection);
    if (error_is(error)) {
        dependency_is_away(store->dependency, &error);
        return error_make(ERROR_STORE_UNAVAILABLE, "%.60s: %.180s", store->name, error.detail);
    }
    if (worker->was_open)
        atomic_fetch_add_explicit(&store->reconnects, 1, memory_order_relaxed);
    worker->was_open = true;
    return error_none();
}

/* What the transaction tells about the server. */
static void judge_server(struct postgresql_worker *worker)
{
    const struct postgresql_connection *connection = &worker->connection;
    struct dependency *dependency = worker->store->base.dependency;
    if (connection->silent)
        dependency_is_away(dependency, &connection->base.error);
    else if (connection->base.failure == SQL_FAILURE_GONE)
        dependency_failed(dependency, &connection->base.error);
    else
        dependency_succeeded(dependency);
}

/* --- one job --- */

/* Runs it once. False: the session has the reason. */
static bool run_once(struct postgresql_worker *worker, struct sql_job *job)
{
    struct postgresql_connection *connection = &worker->connection;
    struct sql_session *session = &connection->base;
    job->run_count++;
    job->error = error_none();
    job->verdict = SQL_FAIL;
    postgresql_begin(connection, job->arena, job->access, job->deadline_us);
    if (!sql_session_has_failed(session))
        job->verdict = sql_session_run_script(session, job->script, job->context, &job->error);
    bool good = !sql_session_has_failed(session);
    if (good && job->verdict == SQL_COMMIT && job->access == SQL_WRITE)
        good = postgresql_commit(connection);
    judge_server(worker);
    if (!good || job->verdict != SQL_COMMIT || job->access == SQL_READ)
        postgresql_roll_back(connection);
    return good;
}

static void pause_us(int64_t duration_us)
{
    const struct timespec time = {.tv_sec = (time_t)(duration_us / 1000000),
                                  .tv_nsec = (long)(duration_us % 1000000) * 1000};
    nanosleep(&time, NULL);
}

/* Whether a failed run is repeated; waits before a conflict is. */
static bool may_repeat(struct postgresql_worker *worker, struct sql_job *job,
                       struct retry *conflicts, uint32_t *reconnects)
{
    const struct sql_store_options *options = &worker->store->base.options;
    const struct postgresql_connection *connection = &worker->connection;
    enum sql_failure failure = connection->base.failure;
    struct retry_policy policy = retry_policy_default();
    int64_t remaining_us =
        job->deadline_us == 0 ? INT64_MAX : job->deadline_us - clock_monotonic_us(options->clock);
    int64_t delay_us;
    if (failure == SQL_FAILURE_GONE) /* not sent, not done; a silent server will stay silent */
        return !connection->commit_sent && !connection->silent && remaining_us > 0 &&
               (*reconnects)++ < reconnects_per_job_max;
    if (failure != SQL_FAILURE_RETRY && failure != SQL_FAILURE_CONFLICT)
        return false;
    policy.attempt_max[RETRY_CLASS_CONFLICT] = options->run_max;
    policy.delay_us = conflict_delay_us;
    policy.delay_us_max = conflict_delay_us_max;
    if (!retry_after_failure(conflicts, &policy, NULL, RETRY_CLASS_CONFLICT, remaining_us, 0,
                             options->random, &delay_us))
        return false;
    pause_us(delay_us);
    return true;
}

static void fail_job(struct postgresql_worker *worker, struct sql_job *job)
{
    const struct postgresql_connection *connection = &worker->connection;
    job->verdict = SQL_FAIL;
    job->error = sql_failure_error(connection->base.failure, connection->base.error);
    if (connection->base.failure == SQL_FAILURE_DEADLINE)
        atomic_fetch_add_explicit(&worker->store->base.deadlines_passed, 1, memory_order_relaxed);
    if (connection->commit_sent && (connection->base.failure == SQL_FAILURE_GONE ||
                                    connection->base.failure == SQL_FAILURE_DEADLINE))
        job->error = error_prefix(job->error, "lost during the commit, outcome unknown");
}

static void refuse(struct postgresql_store *store, struct sql_job *job)
{
    struct dependency_state state = dependency_state(store->base.dependency);
    job->verdict = SQL_FAIL;
    job->error = error_make(ERROR_STORE_UNAVAILABLE, "the %.60s database is away: %.150s",
                            store->base.name, state.last_error.detail);
}

/* PostgreSQL's victim is who has waited longest: without this it may be the same one for ever. */
static bool run_in_turn(struct postgresql_worker *worker, struct sql_job *job, bool alone)
{
    pthread_rwlock_t *turns = &worker->store->turns;
    if (job->access == SQL_READ)
        return run_once(worker, job);
    CHECK((alone ? pthread_rwlock_wrlock(turns) : pthread_rwlock_rdlock(turns)) == 0);
    bool good = run_once(worker, job);
    CHECK(pthread_rwlock_unlock(turns) == 0);
    return good;
}

static void count_commit(struct postgresql_store *store)
{
    atomic_fetch_add_explicit(&store->base.commits, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&store->base.batched_jobs, 1, memory_order_relaxed);
    sql_store_tell_committed(&store->base);
}

/* A connection, if the breaker lets us; else the job has its error. */
static bool get_connection(struct postgresql_worker *worker, struct sql_job *job)
{
    struct postgresql_store *store = worker->store;
    if (!dependency_admit(store->base.dependency)) {
        refuse(store, job);
        return false;
    }
    if (postgresql_connection_is_open(&worker->connection))
        return true;
    job->error = connect(worker);
    job->verdict = SQL_FAIL;
    return !error_is(job->error);
}

static void run_job(struct postgresql_worker *worker, struct sql_job *job)
{
    struct retry conflicts = {0};
    uint32_t reconnects = 0;
    while (get_connection(worker, job)) {
        if (run_in_turn(worker, job, conflicts.attempts >= alone_after_conflicts)) {
            if (job->verdict == SQL_COMMIT && job->access == SQL_WRITE)
                count_commit(worker->store);
            return;
        }
        fail_job(worker, job);
        if (!may_repeat(worker, job, &conflicts, &reconnects))
            return;
        atomic_fetch_add_explicit(&worker->store->base.repeated_runs, 1, memory_order_relaxed);
    }
}

/* --- workers --- */

/* Nothing to do: find out whether the server is back, or still there. */
static void look_after_server(struct postgresql_worker *worker)
{
    struct dependency *dependency = worker->store->base.dependency;
    bool available = dependency_is_available(dependency);
    if (available && worker->number != 0)
        return;
    if (!dependency_admit(dependency))
        return;
    if (!postgresql_connection_is_open(&worker->connection) && error_is(connect(worker)))
        return;
    if (postgresql_ping(&worker->connection, ping_timeout_us)) {
        dependency_succeeded(dependency);
        return;
    }
    dependency_is_away(dependency, &worker->connection.base.error);
    postgresql_connection_close(&worker->connection);
}

static void *run_worker(void *context)
{
    struct postgresql_worker *worker = context;
    struct postgresql_store *store = worker->store;
    while (!sql_jobs_is_finished(&store->jobs)) {
        bool available = dependency_is_available(store->base.dependency);
        struct sql_job *job = sql_jobs_take(&store->jobs, 1, available ? idle_us : away_idle_us);
        if (job == NULL) {
            look_after_server(worker);
            continue;
        }
        atomic_fetch_add_explicit(&store->base.busy_threads, 1, memory_order_relaxed);
        if (!sql_store_is_late(&store->base, job))
            run_job(worker, job);
        atomic_fetch_sub_explicit(&store->base.busy_threads, 1, memory_order_relaxed);
        sql_store_answer(&store->base, job);
    }
    return NULL;
}

/* --- the port --- */

static void postgresql_submit(struct sql_store *base, struct sql_job *job)
{
    struct postgresql_store *store = store_of(base);
    job->task.next = NULL;
    if (!dependency_is_available(base->dependency)) {
        refuse(store, job);
    } else if (sql_jobs_put(&store->jobs, job)) {
        return;
    } else {
        job->error = error_make(
            ERROR_OVERLOADED,
            "the %.60s store has as many jobs waiting as it takes; try again later", base->name);
    }
    sql_store_answer(base, job);
}

static struct error postgresql_step(struct sql_store *base)
{
    CHECK(base == NULL); /* PostgreSQL is always threaded: nobody may ask for a step */
    return error_none();
}

static uint64_t postgresql_queued(struct sql_store *base)
{
    return sql_jobs_count(&store_of(base)->jobs);
}

/* --- its life --- */

static void postgresql_close(struct sql_store *base)
{
    struct postgresql_store *store = store_of(base);
    sql_jobs_close(&store->jobs);
    for (size_t i = 0; i < store->thread_count; i++)
        pthread_join(store->workers[i].thread, NULL);
    for (size_t i = 0; i < store->worker_count; i++)
        postgresql_connection_deinit(&store->workers[i].connection);
    sql_jobs_deinit(&store->jobs);
    pthread_rwlock_destroy(&store->turns);
    memory_release(store->workers);
    sql_store_deinit(base);
    memory_release(store);
}

static const struct sql_store_table postgresql_store_table = {
    .submit = postgresql_submit,
    .step = postgresql_step,
    .close = postgresql_close,
    .queued = postgresql_queued,
};

static bool make_workers(struct postgresql_store *store)
{
    store->workers = memory_allocate_zero(store->base.options.thread_count, sizeof *store->workers);
    if (store->workers == NULL)
        return false;
    store->worker_count = store->base.options.thread_count;
    for (size_t i = 0; i < store->worker_count; i++) {
        store->workers[i].store = store;
        store->workers[i].number = i;
        postgresql_connection_init(&store->workers[i].connection, &store->base.options);
    }
    return true;
}

/* One script as one patient write transaction: for migrations. */
static struct error run_patiently(void *context, sql_script *script, void *script_context)
{
    struct postgresql_connection *connection = context;
    struct error own = error_none();
    struct arena arena;
    arena_init(&arena, open_arena_bytes_max);
    postgresql_begin(connection, &arena, SQL_WRITE, 0);
    enum sql_verdict verdict = SQL_FAIL;
    if (postgresql_be_patient(connection))
        verdict = sql_session_run_script(&connection->base, script, script_context, &own);
    if (verdict != SQL_COMMIT || !postgresql_commit(connection))
        postgresql_roll_back(connection);
    if (sql_session_has_failed(&connection->base))
        own = sql_failure_error(connection->base.failure, connection->base.error);
    arena_deinit(&arena);
    return own;
}

static struct error start_threads(struct postgresql_store *store)
{
    for (size_t i = 0; i < store->worker_count; i++) {
        if (pthread_create(&store->workers[i].thread, NULL, run_worker, &store->workers[i]) != 0)
            return error_make(ERROR_OUT_OF_MEMORY, "cannot start a worker's thread");
        store->thread_count++;
    }
    return error_none();
}

static struct error open_database(struct postgresql_store *store)
{
    struct postgresql_connection *connection = &store->workers[0].connection;
    struct error error = postgresql_connection_open(connection);
    if (error_is(error))
        return error;
    store->workers[0].was_open = true;
    if (connection->degraded[0] != '\0') {
        memcpy(store->base.degraded, connection->degraded, sizeof store->base.degraded);
        dependency_set_degraded(store->base.dependency, store->base.degraded);
        error = error_make(ERROR_INVALID_SETTING, "%.200s", store->base.degraded);
        log_error("sql: the database may lose acknowledged writes; started all the same", &error);
    }
    return sql_migrations_apply(&store->base.options, run_patiently, connection);
}

static void init_turns(pthread_rwlock_t *turns)
{
    pthread_rwlockattr_t attributes;
    CHECK(pthread_rwlockattr_init(&attributes) == 0);
    CHECK(pthread_rwlockattr_setkind_np(&attributes,
                                        PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP) == 0);
    CHECK(pthread_rwlock_init(turns, &attributes) == 0);
    pthread_rwlockattr_destroy(&attributes);
}

struct error postgresql_store_open(struct sql_store **store,
                                   const struct sql_store_options *options)
{
    CHECK(options->threaded && options->thread_count > 0 && options->run_max > 0);
    struct postgresql_store *made = memory_allocate_zero(1, sizeof *made);
    if (made == NULL)
        return error_make(ERROR_OUT_OF_MEMORY, "PostgreSQL store");
    sql_jobs_init(&made->jobs, options->queue_length_max);
    init_turns(&made->turns);
    bool fits =
        sql_store_init(&made->base, &postgresql_store_table, SQL_DIALECT_POSTGRESQL, options) &&
        make_workers(made);
    struct error error =
        fits ? open_database(made) : error_make(ERROR_OUT_OF_MEMORY, "PostgreSQL store");
    if (!error_is(error))
        error = start_threads(made);
    if (error_is(error)) {
        postgresql_close(&made->base);
        return error;
    }
    *store = &made->base;
    return error_none();
}

struct error postgresql_look(const struct sql_store_options *options, struct arena *arena,
                             sql_script *script, void *context)
{
    struct postgresql_connection connection;
    struct error own = error_none();
    postgresql_connection_init(&connection, options);
    struct error error = postgresql_connection_open(&connection);
    if (!error_is(error)) {
        postgresql_begin(&connection, arena, SQL_READ, 0);
        (void)sql_session_run_script(&connection.base, script, context, &own);
        if (sql_session_has_failed(&connection.base))
            own = sql_failure_error(connection.base.failure, connection.base.error);
        postgresql_roll_back(&connection);
        error = own;
    }
    postgresql_connection_deinit(&connection);
    return error;
}
