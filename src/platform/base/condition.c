/* The one place that says which clock a timed wait goes by. */
#include "platform/base/condition.h"

#include "platform/base/check.h"

void condition_init(pthread_cond_t *condition)
{
    pthread_condattr_t monotonic;
    CHECK(pthread_condattr_init(&monotonic) == 0);
    CHECK(pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC) == 0);
    CHECK(pthread_cond_init(condition, &monotonic) == 0);
    pthread_condattr_destroy(&monotonic);
}

struct timespec condition_deadline(int64_t delay_us)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    int64_t nanoseconds = time.tv_nsec + delay_us % 1000000 * 1000;
    time.tv_sec += (time_t)(delay_us / 1000000 + nanoseconds / 1000000000);
    time.tv_nsec = (long)(nanoseconds % 1000000000);
    return time;
}
