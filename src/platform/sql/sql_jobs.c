/* A mutex, a condition, a list through the jobs. Nothing can fail but being full. */
#include "platform/sql/sql_jobs.h"

#include "platform/base/check.h"

#include <errno.h>
#include <time.h>

void sql_jobs_init(struct sql_jobs *jobs, size_t count_max)
{
    pthread_condattr_t monotonic;
    *jobs = (struct sql_jobs){.count_max = count_max};
    CHECK(pthread_condattr_init(&monotonic) == 0);
    CHECK(pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC) == 0);
    CHECK(pthread_mutex_init(&jobs->mutex, NULL) == 0);
    CHECK(pthread_cond_init(&jobs->filled, &monotonic) == 0);
    pthread_condattr_destroy(&monotonic);
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

static struct timespec after_us(int64_t delay_us)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    int64_t nanoseconds = time.tv_nsec + delay_us % 1000000 * 1000;
    time.tv_sec += (time_t)(delay_us / 1000000 + nanoseconds / 1000000000);
    time.tv_nsec = (long)(nanoseconds % 1000000000);
    return time;
}

struct sql_job *sql_jobs_take(struct sql_jobs *jobs, size_t job_max, int64_t timeout_us)
{
    struct timespec until = {0};
    int outcome = 0;
    if (timeout_us > 0)
        until = after_us(timeout_us);
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
