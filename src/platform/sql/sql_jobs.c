/* A mutex, a condition, a list through the jobs. Nothing can fail but being full. */
#include "platform/sql/sql_jobs.h"

#include "platform/base/check.h"
#include "platform/base/condition.h"

#include <errno.h>

void sql_jobs_init(struct sql_jobs *jobs, size_t count_max)
{
    *jobs = (struct sql_jobs){.count_max = count_max};
    CHECK(pthread_mutex_init(&jobs->mutex, NULL) == 0);
    condition_init(&jobs->filled);
}

void sql_jobs_deinit(struct sql_jobs *jobs)
{
    pthread_cond_destroy(&jobs->filled);
    pthread_mutex_destroy(&jobs->mutex);
}

bool sql_jobs_put(struct sql_jobs *jobs, struct sql_job *job)
{
    pthread_mutex_lock(&jobs->mutex);
    CHECK(!jobs->closed);
    bool fits = jobs->count < jobs->count_max;
    if (fits) {
        job->task.next = NULL;
        if (jobs->first == NULL)
            jobs->first = job;
        else
            jobs->last->task.next = &job->task;
        jobs->last = job;
        jobs->count++;
        pthread_cond_signal(&jobs->filled);
    }
    pthread_mutex_unlock(&jobs->mutex);
    return fits;
}

struct sql_job *sql_jobs_take(struct sql_jobs *jobs, size_t job_max, int64_t timeout_us)
{
    struct timespec until = {0};
    int outcome = 0;
    if (timeout_us > 0)
        until = condition_deadline(timeout_us);
    pthread_mutex_lock(&jobs->mutex);
    while (jobs->first == NULL && !jobs->closed && timeout_us != 0 && outcome != ETIMEDOUT) {
        if (timeout_us < 0)
            outcome = pthread_cond_wait(&jobs->filled, &jobs->mutex);
        else
            outcome = pthread_cond_timedwait(&jobs->filled, &jobs->mutex, &until);
    }
    struct sql_job *first = jobs->first;
    struct sql_job *last = NULL;
    for (size_t i = 0; i < job_max && jobs->first != NULL; i++) {
        last = jobs->first;
        jobs->first = (struct sql_job *)last->task.next;
        jobs->count--;
    }
    if (last != NULL)
        last->task.next = NULL;
    pthread_mutex_unlock(&jobs->mutex);
    return first;
}

void sql_jobs_close(struct sql_jobs *jobs)
{
    pthread_mutex_lock(&jobs->mutex);
    jobs->closed = true;
    pthread_mutex_unlock(&jobs->mutex);
    pthread_cond_broadcast(&jobs->filled);
}

bool sql_jobs_is_finished(struct sql_jobs *jobs)
{
    pthread_mutex_lock(&jobs->mutex);
    bool finished = jobs->closed && jobs->first == NULL;
    pthread_mutex_unlock(&jobs->mutex);
    return finished;
}

size_t sql_jobs_count(struct sql_jobs *jobs)
{
    pthread_mutex_lock(&jobs->mutex);
    size_t count = jobs->count;
    pthread_mutex_unlock(&jobs->mutex);
    return count;
}
