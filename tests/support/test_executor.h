#ifndef WAYBILL_TESTS_SUPPORT_TEST_EXECUTOR_H
#define WAYBILL_TESTS_SUPPORT_TEST_EXECUTOR_H

#include "platform/base/executor.h"

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * An executor that is a plain list: what is posted waits until the test runs it.
 * Thread: any may post; one, the test's, runs.
 */
struct test_executor {
    struct executor base;
    pthread_mutex_t mutex;
    pthread_cond_t posted;
    struct task *first;
    struct task *last;
};

void test_executor_init(struct test_executor *executor);

/* What still waits is dropped. */
void test_executor_deinit(struct test_executor *executor);

/* Runs all that waits, also what those tasks post meanwhile; tells how many ran. */
size_t test_executor_run_all(struct test_executor *executor);

/* Sleeps until something waits; false if nothing came within `timeout_us`. */
bool test_executor_wait(struct test_executor *executor, int64_t timeout_us);

#endif
