#ifndef WAYBILL_PLATFORM_SQL_SQL_EXECUTION_H
#define WAYBILL_PLATFORM_SQL_SQL_EXECUTION_H

#include "platform/base/error.h"
#include "platform/sql/sql.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * A repository's command as jobs of the store: its script, and where holds or promises run out, a
 * step of its own that expires what is due before the script runs again. As each such step ends
 * what was due, that comes to an end; runs_max is a bound nobody should ever see.
 *
 * Thread: started on any; scripts run on the store's threads, one at a time; done on the executor.
 */
struct sql_execution;

struct sql_execution_table {
    /* Their context is the execution. What the script found due is told by is_due. */
    sql_script *script;
    sql_script *expire; /* always a write; NULL = nothing is ever due */
    /*
     * Once, never before sql_execution_start returns; the execution lives until then. Errors: those
     * of a job (sql.h), from either script; OVERLOADED also beyond runs_max.
     */
    void (*done)(struct sql_execution *execution, const struct error *error);
};

/* Caller-owned, all zero but what is to be set. */
struct sql_execution {
    struct sql_job job; /* first; to be set: executor, arena, deadline_us */

    const struct sql_execution_table *table; /* to be set from here */
    struct sql_store *store;
    enum sql_access access; /* of the script */
    void *repository;       /* the scripts' own */
    void *command;          /* likewise */

    bool is_due;       /* set by the script, with the verdict SQL_ROLL_BACK */
    int64_t due_at_us; /* likewise, for `expire`, in its own terms */
    unsigned runs;     /* private */
};

void sql_execution_start(struct sql_execution *execution);

#endif
