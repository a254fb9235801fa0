#ifndef WAYBILL_PLATFORM_BASE_WAITING_EXECUTOR_H
#define WAYBILL_PLATFORM_BASE_WAITING_EXECUTOR_H

#include "platform/base/executor.h"

#include <pthread.h>

/*
 * An executor for a thread that asks something and sleeps until it is answered: completions are
 * run by whoever waits. Thread: any may post, one waits.
 */
struct waiting_executor {
    struct executor base;
    pthread_mutex_t mutex;
    pthread_cond_t posted;
    struct task *first;
    struct task *last;
};

void waiting_executor_init(struct waiting_executor *executor);

/* Nothing is posted any more. */
void waiting_executor_deinit(struct waiting_executor *executor);

/* Sleeps until a task is there, and runs it. */
void waiting_executor_run_one(struct waiting_executor *executor);

#endif
