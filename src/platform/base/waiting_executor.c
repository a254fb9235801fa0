/* A list under a mutex, and a condition for who waits. */
#include "platform/base/waiting_executor.h"

#include <stddef.h>

static void post(struct executor *base, struct task *first, struct task *last)
{
    struct waiting_executor *executor = (struct waiting_executor *)base;
    last->next = NULL;
    pthread_mutex_lock(&executor->mutex);
    if (executor->first == NULL)
        executor->first = first;
    else
        executor->last->next = first;
    executor->last = last;
    pthread_cond_signal(&executor->posted);
    pthread_mutex_unlock(&executor->mutex);
}

void waiting_executor_init(struct waiting_executor *executor)
{
    static const struct executor_table table = {.post = post};
    *executor = (struct waiting_executor){.base = {.table = &table}};
    pthread_mutex_init(&executor->mutex, NULL);
    pthread_cond_init(&executor->posted, NULL);
}

void waiting_executor_deinit(struct waiting_executor *executor)
{
    pthread_cond_destroy(&executor->posted);
    pthread_mutex_destroy(&executor->mutex);
}

void waiting_executor_run_one(struct waiting_executor *executor)
{
    pthread_mutex_lock(&executor->mutex);
    while (executor->first == NULL)
        pthread_cond_wait(&executor->posted, &executor->mutex);
    struct task *task = executor->first;
    executor->first = task->next;
    pthread_mutex_unlock(&executor->mutex);
    task->run(task);
}
