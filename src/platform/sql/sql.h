#ifndef WAYBILL_PLATFORM_SQL_SQL_H
#define WAYBILL_PLATFORM_SQL_SQL_H

#include "platform/base/arena.h"
#include "platform/base/buffer.h"
#include "platform/base/clock.h"
#include "platform/base/error.h"
#include "platform/base/executor.h"
#include "platform/base/random.h"
#include "platform/resilience/dependency.h"
#include "platform/sql/sql_session.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A SQL database as a place where scripts (sql_session.h) run: store threads that each hold a
 * connection take jobs from a bounded queue. The same scripts run on
 *   sqlite:FILE           in this process; one writer with group commit, some readers
 *   postgresql://…        a server, by libpq's URI (also postgres://)
 *
 * SQLite. The writer takes all write jobs that wait (at most batch_max), runs each in a savepoint
 * of one transaction, commits once with one sync, then answers all. A domain refusal goes back to
 * its savepoint; any other failure rolls the batch back and its jobs run again one by one, so
 * nobody pays for his neighbour. Write jobs are serial: what one commits the next one sees. Readers
 * see what is committed. Nothing interrupts the writer: a deadline is checked before a job starts.
 * One process owns the file; a second one is refused. A failed commit or sync is fatal (`failed`).
 *
 * PostgreSQL. Write jobs run in parallel, READ COMMITTED: lock rows with for_update, in one order.
 * Read jobs see one snapshot (REPEATABLE READ, READ ONLY). A deadline that passes closes the
 * connection. Lost connections are made anew; while the server is away a circuit breaker refuses
 * jobs at the door.
 */
struct sql_store;

/* READ: must not write; SQLite runs it beside the writer. WRITE: everything else, also reads that
 * must expire what is due first. */
enum sql_access { SQL_READ, SQL_WRITE };

struct sql_job;

/*
 * `error` is NULL when the script's verdict stands: job->verdict is SQL_COMMIT (durable) or
 * SQL_ROLL_BACK (no trace). Otherwise nothing was done, except as said:
 *   STORE_UNAVAILABLE  the database is away, or was lost during the commit: outcome unknown, ask
 *                      again with the same id
 *   OVERLOADED         the queue is full, or conflicts went on beyond the bound of repeats
 *   DISK_FULL          no space; works again when there is
 *   DEADLINE           it did not get its turn in time, or (PostgreSQL) was cut off: if during the
 *                      commit, outcome unknown
 *   OUT_OF_MEMORY      its arena, or the heap
 *   DAMAGED            the database is not what the script was written for
 *   INTERNAL           a refused statement or constraint: a mistake of ours, with its text
 * and what the script itself reported. It lives until this returns.
 */
typedef void sql_job_done(struct sql_job *job, const struct error *error);

/*
 * One transaction to run. The caller owns it, keeps it and everything its script touches until
 * `done`; it sets the first part.
 */
struct sql_job {
    struct task task; /* first: the store's queue, later the executor's */
    struct executor *executor;
    struct arena *arena;
    enum sql_access access;
    int64_t deadline_us; /* of the clock's monotonic time; 0 = none but the store's own limits */
    sql_script *script;
    void *context;

    enum sql_verdict verdict; /* result */

    sql_job_done *done; /* the store's from here */
    struct error error;
    uint32_t run_count;
};

/* One migration of a context; applied once, in order, never changed afterwards. */
struct sql_migration {
    uint32_t number; /* 1, 2, 3, … without gaps */
    const char *name;
    const char *text; /* statements separated by ';' */
};

/* What one context keeps in this database; migrations/{sqlite,postgresql}/<context>/. */
struct sql_migration_set {
    const char *context; /* "warehouse" */
    const struct sql_migration *sqlite;
    size_t sqlite_count;
    const struct sql_migration *postgresql;
    size_t postgresql_count;
};

enum sql_migrate { SQL_MIGRATE_AUTO, SQL_MIGRATE_REFUSE };

struct sql_store_options {
    const char *url;
    const char *name; /* for texts and metrics: "warehouse" */
    struct clock *clock;
    struct random *random;
    const struct sql_migration_set *const *migrations;
    size_t migration_count;
    enum sql_migrate migrate;     /* REFUSE: pending migrations are an error of open */
    uint32_t thread_count;        /* PostgreSQL: connections; SQLite: readers */
    size_t queue_length_max;      /* jobs waiting, write and read each; beyond it OVERLOADED */
    size_t batch_max;             /* SQLite: jobs a commit */
    int64_t statement_timeout_us; /* PostgreSQL: of one statement, by the server */
    int64_t connect_timeout_us;
    uint32_t run_max; /* how often a script is run at most, by conflicts and deadlocks */
    struct circuit_breaker_settings breaker;
    struct dependency_list *dependencies; /* where it is listed as "NAME.sql"; NULL = nowhere */
    bool allow_degraded; /* PostgreSQL: start although its settings lose acknowledged writes */
    /*
     * False, SQLite only, for tests: no threads; everything happens within sql_store_step, on the
     * caller's thread, so that its n-th allocation can fail.
     */
    bool threaded;
    /*
     * SQLite: it can no longer be told what is durable. Called once, on the writer's thread;
     * nothing is answered any more; the process must stop within a second. NULL = log and abort.
     */
    void (*failed)(void *context, const struct error *error);
    void *failed_context;
};

/* What users get if they set nothing; url, name and migrations are left NULL. */
struct sql_store_options sql_store_options_default(void);

/* Whether the URL is one of ours (sqlite:…, postgresql://…, postgres://…). */
bool sql_url_is_known(const char *url);

/*
 * Opens (and for SQLite makes) the database, checks PostgreSQL's durability settings, applies what
 * is pending of the migrations. Blocks.
 * Errors: INVALID_SETTING (no such URL; a durability setting, named with its cure; pending
 * migrations with REFUSE), LOCKED (another process owns the file), DAMAGED (no database; a
 * migration was changed after it was applied; the schema is newer than this program),
 * STORE_UNAVAILABLE (the server does not answer), INPUT_OUTPUT, DISK_FULL, OUT_OF_MEMORY.
 */
__attribute__((warn_unused_result)) struct error sql_store_open(
    struct sql_store **store, const struct sql_store_options *options);

/*
 * Has the job's script run on a store thread, then `done` on its executor: exactly once, never
 * before this returns. Thread: any.
 */
void sql_store_submit(struct sql_store *store, struct sql_job *job, sql_job_done *done);

/*
 * The same, waiting for the answer here; executor and done are not used. For threads of their own
 * (a relay, a command of the command line), never for an I/O loop.
 */
__attribute__((warn_unused_result)) struct error sql_store_run(struct sql_store *store,
                                                               struct sql_job *job);

/*
 * `committed` is called on a store thread after each commit of write jobs, before their answers
 * are posted; it must not block and must not call the store. For wake-ups. One at most; set it
 * before the first job.
 */
void sql_store_set_committed(struct sql_store *store, void (*committed)(void *context),
                             void *context);

/* Not threaded: runs all that waits. An error is final, as `failed`. */
__attribute__((warn_unused_result)) struct error sql_store_step(struct sql_store *store);

/*
 * Answers what is queued, then stops. NULL is allowed. Jobs given to it afterwards are a
 * programmer's mistake.
 */
void sql_store_close(struct sql_store *store);

enum sql_dialect sql_store_dialect(const struct sql_store *store);

/* Why acknowledged writes may be lost here (allow_degraded), or NULL. */
const char *sql_store_degraded(const struct sql_store *store);

/* How it goes, since it was opened. Any thread. */
struct sql_store_usage {
    uint64_t queued_jobs; /* now */
    uint64_t busy_threads;
    uint64_t thread_count;
    uint64_t jobs;    /* answered */
    uint64_t commits; /* SQLite: batches */
    uint64_t batched_jobs;
    uint64_t repeated_runs; /* by conflict, deadlock, busy, or a failed batch */
    uint64_t reconnects;
    uint64_t deadlines_passed;
    bool available; /* false: jobs are refused at the door, the breaker is open */
};
struct sql_store_usage sql_store_usage(struct sql_store *store);

/* The same as Prometheus text, names beginning with waybill_NAME_sql_. False: no room. */
__attribute__((warn_unused_result)) bool sql_store_write_metrics(struct sql_store *store,
                                                                 struct buffer *out);

#endif
