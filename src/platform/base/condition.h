#ifndef WAYBILL_PLATFORM_BASE_CONDITION_H
#define WAYBILL_PLATFORM_BASE_CONDITION_H

#include <pthread.h>
#include <stdint.h>
#include <time.h>

/*
 * Conditions that are waited for with a limit: by the monotonic clock, so that a clock that is set
 * neither cuts nor stretches a wait. Thread: any.
 */

/* Ends with pthread_cond_destroy. */
void condition_init(pthread_cond_t *condition);

/* `delay_us` (0 or more) from now, for pthread_cond_timedwait on such a condition. */
struct timespec condition_deadline(int64_t delay_us);

#endif
