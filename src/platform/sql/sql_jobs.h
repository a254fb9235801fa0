#ifndef WAYBILL_PLATFORM_SQL_SQL_JOBS_H
#define WAYBILL_PLATFORM_SQL_SQL_JOBS_H

#include "platform/sql/sql.h"

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Jobs that wait, first in, first out: many threads put, several take. The list is made of the
 * jobs' own links, so it takes no memory. Private to platform/sql.
 */
struct sql_jobs {
    pthread_mutex_t mutex;
    pthread_cond_t filled;
    struct sql_job *first;
    struct sql_job *last;
    size_t count;
    size_t count_max;
    bool closed;
};

void sql_jobs_init(struct sql_jobs *jobs, size_t count_max);
void sql_jobs_deinit(struct sql_jobs *jobs);

/* False: full; the job was not taken. */
bool sql_jobs_put(struct sql_jobs *jobs, struct sql_job *job);

/*
 * The first jobs, at most job_max, linked by task.next. Waits for one at most timeout_us (0 = not
 * at all, negative = without end). NULL: none came, or it is closed and empty.
 */
struct sql_job *sql_jobs_take(struct sql_jobs *jobs, size_t job_max, int64_t timeout_us);

/* Takers get what is left and then NULL at once. */
void sql_jobs_close(struct sql_jobs *jobs);

/* Closed, and nothing is left. */
bool sql_jobs_is_finished(struct sql_jobs *jobs);

size_t sql_jobs_count(struct sql_jobs *jobs);

#endif
