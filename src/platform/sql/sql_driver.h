#ifndef WAYBILL_PLATFORM_SQL_SQL_DRIVER_H
#define WAYBILL_PLATFORM_SQL_SQL_DRIVER_H

#include "platform/sql/sql.h"

#include <stdatomic.h>

/*
 * What a driver (SQLite, libpq) is to the rest of this folder: two tables of functions, one for the
 * store, one for the session of a script. Private to platform/sql.
 */

/* Why a statement failed, and so what the store does with the script. */
enum sql_failure {
    SQL_FAILURE_NONE,
    SQL_FAILURE_CONFLICT,  /* unique violation: somebody else was faster; looked at again */
    SQL_FAILURE_RETRY,     /* deadlock, serialization, busy: run again */
    SQL_FAILURE_REFUSED,   /* constraint, syntax: a mistake of ours */
    SQL_FAILURE_GONE,      /* the connection is lost */
    SQL_FAILURE_DEADLINE,  /* its time was over */
    SQL_FAILURE_DISK_FULL, /* nothing was done */
    SQL_FAILURE_MEMORY,
    SQL_FAILURE_DAMAGED,
    SQL_FAILURE_FATAL, /* it can no longer be told what is durable */
};

/* One statement's run. `row` NULL: rows are not wanted. */
struct sql_statement_run {
    const struct sql_statement *statement;
    const struct sql_value *parameters;
    size_t parameter_count;
    sql_row_function *row;
    void *row_context;
    bool streamed; /* do not hold the whole result */
    int64_t affected;
};

/*
 * Each returns false after sql_session_fail. `row` values live until row returns; a row function
 * that returns false ends the walk, the rest is thrown away.
 */
struct sql_session_table {
    bool (*run)(struct sql_session *session, struct sql_statement_run *run);
    /* As run, but its rows are given when the next `run` is over; `run` lives until then. */
    bool (*later)(struct sql_session *session, struct sql_statement_run *run);
    bool (*enqueue)(struct sql_session *session, const struct sql_statement_run *run,
                    int64_t expected_affected);
    /* The database's time; for SQLite the process's, raised to what was given before. */
    bool (*now_us)(struct sql_session *session, int64_t locked_time_max_us, int64_t *now_us);
    /* Statements separated by ';', without parameters: for migrations. */
    bool (*run_text)(struct sql_session *session, const char *text);
};

/* First member of a driver's connection. */
struct sql_session {
    const struct sql_session_table *table;
    enum sql_dialect dialect;
    struct arena *arena;
    enum sql_failure failure;
    struct error error;
    bool has_now;
    int64_t now_us;
    bool walking; /* inside sql_each */
};

/* Before each run of a script. */
void sql_session_begin(struct sql_session *session, struct arena *arena);

/* Remembers the first failure; always false. */
bool sql_session_fail(struct sql_session *session, enum sql_failure failure, struct error error);

/* Statements separated by ';' (sql_session_table.run_text). */
bool sql_session_run_text(struct sql_session *session, const char *text);

/* The error that a failure is for the job's caller. */
struct error sql_failure_error(enum sql_failure failure, struct error error);

/*
 * Runs the script; SQL_FAIL whenever a statement failed, whatever it says. `*own` is its own error
 * when it failed without one.
 */
enum sql_verdict sql_session_run_script(struct sql_session *session, sql_script *script,
                                        void *context, struct error *own);

struct sql_store_table {
    void (*submit)(struct sql_store *store, struct sql_job *job);
    struct error (*step)(struct sql_store *store);
    void (*close)(struct sql_store *store);
    uint64_t (*queued)(struct sql_store *store);
};

/* First member of a driver's store. */
struct sql_store {
    const struct sql_store_table *table;
    struct sql_store_options options; /* texts are copied */
    enum sql_dialect dialect;
    char *url;
    char *name;
    char degraded[252]; /* empty = no */
    void (*committed)(void *context);
    void *committed_context;
    _Atomic uint64_t busy_threads;
    _Atomic uint64_t jobs;
    _Atomic uint64_t commits;
    _Atomic uint64_t batched_jobs;
    _Atomic uint64_t repeated_runs;
    _Atomic uint64_t reconnects;
    _Atomic uint64_t deadlines_passed;
    struct dependency *dependency; /* own_dependency: how the database is */
    struct dependency own_dependency;
    bool has_dependency;
    char dependency_name[80];
    _Atomic bool has_failed; /* SQLite: nothing is answered any more */
};

/* Copies the options; false without memory. */
bool sql_store_init(struct sql_store *store, const struct sql_store_table *table,
                    enum sql_dialect dialect, const struct sql_store_options *options);
void sql_store_deinit(struct sql_store *store);

/* Posts `done` of each job, linked by task.next, in order; their errors and verdicts are set. */
void sql_store_answer(struct sql_store *store, struct sql_job *first);

/* Whether the job's deadline has passed; then its error is set. */
bool sql_store_is_late(struct sql_store *store, struct sql_job *job);

void sql_store_tell_committed(struct sql_store *store);

static inline struct sql_job *sql_job_of(struct task *task)
{
    return (struct sql_job *)task;
}

struct error sqlite_store_open(struct sql_store **store, const struct sql_store_options *options);

/*
 * Runs one reading script on a connection of its own, without owning the database or changing
 * anything; a SQLite file that does not exist is an empty one.
 */
struct error sql_look(const struct sql_store_options *options, struct arena *arena,
                      sql_script *script, void *context);
struct error sqlite_look(const struct sql_store_options *options, struct arena *arena,
                         sql_script *script, void *context);

struct error postgresql_store_open(struct sql_store **store,
                                   const struct sql_store_options *options);
struct error postgresql_look(const struct sql_store_options *options, struct arena *arena,
                             sql_script *script, void *context);

#endif
