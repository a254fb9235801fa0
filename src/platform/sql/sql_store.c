/*
 * The store in front of its driver: finds the driver by the URL, answers jobs on their executors,
 * counts. sql_store_run lends the job an executor that wakes the waiting thread.
 */
#include "platform/sql/sql.h"

#include "platform/base/check.h"
#include "platform/base/memory.h"
#include "platform/base/waiting_executor.h"
#include "platform/sql/sql_driver.h"

#include <stdio.h>
#include <string.h>

static const char sqlite_scheme[] = "sqlite:";
static const char *const postgresql_schemes[] = {"postgresql://", "postgres://"};

struct sql_store_options sql_store_options_default(void)
{
    struct circuit_breaker_settings breaker = circuit_breaker_settings_default();
    breaker.open_us = 250000;
    breaker.open_us_max = 1000000; /* an idle worker probes: a look costs a connection, no call */
    return (struct sql_store_options){
        .breaker = breaker,
        .clock = clock_system(),
        .random = random_system(),
        .migrate = SQL_MIGRATE_AUTO,
        .thread_count = 8,
        .queue_length_max = 8192,
        .batch_max = 512,
        .statement_timeout_us = 3000000,
        .connect_timeout_us = 3000000,
        .run_max = 8,
        .threaded = true,
    };
}

static bool starts_with(const char *url, const char *scheme)
{
    return strncmp(url, scheme, strlen(scheme)) == 0 && url[strlen(scheme)] != '\0';
}

static bool is_postgresql(const char *url)
{
    return starts_with(url, postgresql_schemes[0]) || starts_with(url, postgresql_schemes[1]);
}

bool sql_url_is_known(const char *url)
{
    return starts_with(url, sqlite_scheme) || is_postgresql(url);
}

/* The URL itself may hold a password: it is not shown. */
static struct error no_database(void)
{
    return error_make(ERROR_INVALID_SETTING,
                      "this is no database; use sqlite:FILE or postgresql://USER@HOST/NAME");
}

struct error sql_store_open(struct sql_store **store, const struct sql_store_options *options)
{
    struct error error = no_database();
    if (starts_with(options->url, sqlite_scheme))
        error = sqlite_store_open(store, options);
    else if (is_postgresql(options->url))
        error = postgresql_store_open(store, options);
    return error_is(error) ? error_prefix(error, "%.60s", options->name) : error;
}

struct error sql_look(const struct sql_store_options *options, struct arena *arena,
                      sql_script *script, void *context)
{
    struct error error = no_database();
    if (starts_with(options->url, sqlite_scheme))
        error = sqlite_look(options, arena, script, context);
    else if (is_postgresql(options->url))
        error = postgresql_look(options, arena, script, context);
    return error_is(error) ? error_prefix(error, "%.60s", options->name) : error;
}

/* --- what drivers share --- */

static char *copy_string(const char *string)
{
    size_t size = strlen(string) + 1;
    char *copy = memory_allocate(size);
    if (copy != NULL)
        memcpy(copy, string, size);
    return copy;
}

bool sql_store_init(struct sql_store *store, const struct sql_store_table *table,
                    enum sql_dialect dialect, const struct sql_store_options *options)
{
    store->table = table;
    store->dialect = dialect;
    store->options = *options;
    store->url = copy_string(options->url);
    store->name = copy_string(options->name);
    store->options.url = store->url;
    store->options.name = store->name;
    if (store->url == NULL || store->name == NULL)
        return false;
    snprintf(store->dependency_name, sizeof store->dependency_name, "%.60s.sql", store->name);
    store->dependency = &store->own_dependency;
    store->has_dependency = true;
    dependency_init(store->dependency, store->dependency_name, true, &options->breaker,
                    options->clock, options->random);
    if (options->dependencies != NULL)
        dependency_list_add(options->dependencies, store->dependency);
    return true;
}

void sql_store_deinit(struct sql_store *store)
{
    if (store->has_dependency && store->options.dependencies != NULL)
        dependency_list_remove(store->options.dependencies, store->dependency);
    if (store->has_dependency)
        dependency_deinit(store->dependency);
    memory_release(store->url);
    memory_release(store->name);
}

static void run_done(struct task *task)
{
    struct sql_job *job = sql_job_of(task);
    job->done(job, error_is(job->error) ? &job->error : NULL);
}

/* Jobs of one executor in a row travel as one chain. A job posted is not ours any more. */
void sql_store_answer(struct sql_store *store, struct sql_job *first)
{
    struct completion_run run = {0};
    uint64_t count = 0;
    while (first != NULL) {
        struct sql_job *next = sql_job_of(first->task.next);
        first->task.run = run_done;
        completion_run_add(&run, first->executor, &first->task);
        first = next;
        count++;
    }
    completion_run_post(&run);
    atomic_fetch_add_explicit(&store->jobs, count, memory_order_relaxed);
}

bool sql_store_is_late(struct sql_store *store, struct sql_job *job)
{
    if (job->deadline_us == 0 || clock_monotonic_us(store->options.clock) < job->deadline_us)
        return false;
    atomic_fetch_add_explicit(&store->deadlines_passed, 1, memory_order_relaxed);
    job->error =
        error_make(ERROR_DEADLINE, "the %.60s store was too busy to begin in time", store->name);
    return true;
}

void sql_store_tell_committed(struct sql_store *store)
{
    if (store->committed != NULL)
        store->committed(store->committed_context);
}

/* --- the port --- */

void sql_store_submit(struct sql_store *store, struct sql_job *job, sql_job_done *done)
{
    job->done = done;
    job->verdict = SQL_FAIL;
    job->error = error_none();
    job->run_count = 0;
    store->table->submit(store, job);
}

void sql_store_set_committed(struct sql_store *store, void (*committed)(void *context),
                             void *context)
{
    store->committed = committed;
    store->committed_context = context;
}

struct error sql_store_step(struct sql_store *store)
{
    CHECK(!store->options.threaded);
    return store->table->step(store);
}

void sql_store_close(struct sql_store *store)
{
    if (store != NULL)
        store->table->close(store);
}

enum sql_dialect sql_store_dialect(const struct sql_store *store)
{
    return store->dialect;
}

const char *sql_store_degraded(const struct sql_store *store)
{
    return store->degraded[0] == '\0' ? NULL : store->degraded;
}

struct sql_store_usage sql_store_usage(struct sql_store *store)
{
    return (struct sql_store_usage){
        .queued_jobs = store->table->queued(store),
        .busy_threads = atomic_load_explicit(&store->busy_threads, memory_order_relaxed),
        .thread_count = store->options.thread_count,
        .jobs = atomic_load_explicit(&store->jobs, memory_order_relaxed),
        .commits = atomic_load_explicit(&store->commits, memory_order_relaxed),
        .batched_jobs = atomic_load_explicit(&store->batched_jobs, memory_order_relaxed),
        .repeated_runs = atomic_load_explicit(&store->repeated_runs, memory_order_relaxed),
        .reconnects = atomic_load_explicit(&store->reconnects, memory_order_relaxed),
        .deadlines_passed = atomic_load_explicit(&store->deadlines_passed, memory_order_relaxed),
        .available = !atomic_load(&store->has_failed) && dependency_is_available(store->dependency),
    };
}

struct metric {
    const char *name;
    const char *type;
    const char *help;
    uint64_t value;
};

bool sql_store_write_metrics(struct sql_store *store, struct buffer *out)
{
    const struct sql_store_usage usage = sql_store_usage(store);
    const struct metric metrics[] = {
        {"queued_jobs", "gauge", "Transactions waiting for a thread.", usage.queued_jobs},
        {"busy_threads", "gauge", "Threads at work.", usage.busy_threads},
        {"threads", "gauge", "Threads there are.", usage.thread_count},
        {"available", "gauge", "1 unless the circuit breaker is open.", usage.available},
        {"jobs_total", "counter", "Transactions answered.", usage.jobs},
        {"commits_total", "counter", "Commits of writes.", usage.commits},
        {"committed_jobs_total", "counter", "Transactions in those commits.", usage.batched_jobs},
        {"repeats_total", "counter", "Scripts run again after a conflict or a lost connection.",
         usage.repeated_runs},
        {"reconnects_total", "counter", "Connections made anew.", usage.reconnects},
        {"deadlines_total", "counter", "Transactions whose time was over.", usage.deadlines_passed},
    };
    for (size_t i = 0; i < sizeof metrics / sizeof metrics[0]; i++) {
        const struct metric *metric = &metrics[i];
        if (!buffer_append_format(out, "# HELP waybill_%s_sql_%s %s\n# TYPE waybill_%s_sql_%s %s\n",
                                  store->name, metric->name, metric->help, store->name,
                                  metric->name, metric->type) ||
            !buffer_append_format(out, "waybill_%s_sql_%s %llu\n", store->name, metric->name,
                                  (unsigned long long)metric->value))
            return false;
    }
    return true;
}

/* --- waiting for one job --- */

static void nothing_done(struct sql_job *job, const struct error *error)
{
    (void)job;
    (void)error;
}

struct error sql_store_run(struct sql_store *store, struct sql_job *job)
{
    struct waiting_executor waiting;
    struct error error = error_none();
    waiting_executor_init(&waiting);
    job->executor = &waiting.base;
    sql_store_submit(store, job, nothing_done);
    if (!store->options.threaded)
        error = sql_store_step(store);
    if (!error_is(error))
        waiting_executor_run_one(&waiting);
    waiting_executor_deinit(&waiting);
    return error_is(error) ? error : job->error;
}
