/*
 * The two scripts take turns in one job. A script that is run again begins anew: what it found due
 * the last time is forgotten.
 */
#include "platform/sql/sql_execution.h"

enum { runs_max = 100 };

static void expire_done(struct sql_job *job, const struct error *error)
{
    struct sql_execution *execution = (struct sql_execution *)job;
    if (error != NULL)
        execution->table->done(execution, error);
    else
        sql_execution_start(execution);
}

static void script_done(struct sql_job *job, const struct error *error)
{
    struct sql_execution *execution = (struct sql_execution *)job;
    bool expires = execution->is_due && job->verdict == SQL_ROLL_BACK;
    if (error != NULL || !expires || execution->table->expire == NULL) {
        execution->table->done(execution, error);
        return;
    }
    if (++execution->runs >= runs_max) {
        struct error busy = error_make(ERROR_OVERLOADED, "more falls due than can be expired");
        execution->table->done(execution, &busy);
        return;
    }
    job->access = SQL_WRITE;
    job->script = execution->table->expire;
    sql_store_submit(execution->store, job, expire_done);
}

void sql_execution_start(struct sql_execution *execution)
{
    execution->is_due = false;
    execution->job.access = execution->access;
    execution->job.script = execution->table->script;
    execution->job.context = execution;
    sql_store_submit(execution->store, &execution->job, script_done);
}
