/* A mutex, a condition and a list. Nothing can fail. */
#include "tests/support/test_executor.h"

#include "platform/base/check.h"

#include <errno.h>
#include <time.h>

static void test_executor_post(struct executor *base, struct task *first, struct task *last)
{
    struct test_executor *executor = (struct test_executor *)base;
    pthread_mutex_lock(&executor->mutex);
    last->next = NULL;
    if (executor->first == NULL)
        executor->first = first;
    else
        executor->last->next = first;
    executor->last = last;
    pthread_cond_signal(&executor->posted);
    pthread_mutex_unlock(&executor->mutex);
}

void test_executor_init(struct test_executor *executor)
{
    static const struct executor_table table = {.post = test_executor_post};
    pthread_condattr_t monotonic;
    *executor = (struct test_executor){.base.table = &table};
    CHECK(pthread_condattr_init(&monotonic) == 0);
    CHECK(pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC) == 0);
    CHECK(pthread_mutex_init(&executor->mutex, NULL) == 0);
    CHECK(pthread_cond_init(&executor->posted, &monotonic) == 0);
    pthread_condattr_destroy(&monotonic);
}

void test_executor_deinit(struct test_executor *executor)
{
    pthread_cond_destroy(&executor->posted);
    pthread_mutex_destroy(&executor->mutex);
}

static struct task *test_executor_take(struct test_executor *executor)
{
    pthread_mutex_lock(&executor->mutex);
    struct task *task = executor->first;
    if (task != NULL)
        executor->first = task->next;
    pthread_mutex_unlock(&executor->mutex);
    return task;
}

size_t test_executor_run_all(struct test_executor *executor)
{
    size_t count = 0;
    struct task *task = test_executor_take(executor);
    while (task != NULL) {
        task->run(task);
        count++;
        task = test_executor_take(executor);
    }
    return count;
}

bool test_executor_wait(struct test_executor *executor, int64_t timeout_us)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    int64_t nanoseconds = until.tv_nsec + timeout_us % 1000000 * 1000;
    until.tv_sec += timeout_us / 1000000 + nanoseconds / 1000000000;
    until.tv_nsec = nanoseconds % 1000000000;
    int result = 0;
    pthread_mutex_lock(&executor->mutex);
    while (executor->first == NULL && result != ETIMEDOUT)
        result = pthread_cond_timedwait(&executor->posted, &executor->mutex, &until);
    bool waiting = executor->first != NULL;
    pthread_mutex_unlock(&executor->mutex);
    return waiting;
}
