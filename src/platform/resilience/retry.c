/* Retry decisions. Nothing can fail; whatever is doubtful is no retry. */
#include "platform/resilience/retry.h"

#include <stddef.h>

enum { parts_per_retry = 1000 };

struct retry_policy retry_policy_default(void)
{
    return (struct retry_policy){
        .attempt_max =
            {
                [RETRY_CLASS_NEVER] = 1,
                [RETRY_CLASS_NOT_DONE] = 3,
                [RETRY_CLASS_UNKNOWN] = 3,
                [RETRY_CLASS_CONFLICT] = 8,
                [RETRY_CLASS_THROTTLED] = 2,
            },
        .delay_us = 50000,
        .delay_us_max = 2000000,
    };
}

void retry_budget_init(struct retry_budget *budget, uint32_t percent, uint32_t burst)
{
    budget->parts_per_call = percent * (parts_per_retry / 100);
    budget->parts_max = burst * parts_per_retry;
    budget->parts = budget->parts_max;
}

void retry_budget_pay(struct retry_budget *budget)
{
    uint32_t room = budget->parts_max - budget->parts;
    budget->parts += budget->parts_per_call < room ? budget->parts_per_call : room;
}

enum retry_class retry_class_of(enum error_code code)
{
    static const enum retry_class classes[] = {
        /* what is not named: RETRY_CLASS_NEVER */
        [ERROR_OVERLOADED] = RETRY_CLASS_THROTTLED,
        [ERROR_OUT_OF_MEMORY] = RETRY_CLASS_THROTTLED,
        [ERROR_STORE_UNAVAILABLE] = RETRY_CLASS_UNKNOWN,
        [ERROR_NETWORK] = RETRY_CLASS_UNKNOWN,
        [ERROR_DEADLINE] = RETRY_CLASS_UNKNOWN,
        [ERROR_CANCELLED] = RETRY_CLASS_UNKNOWN,
        [ERROR_INPUT_OUTPUT] = RETRY_CLASS_UNKNOWN,
        [ERROR_LOCKED] = RETRY_CLASS_NOT_DONE,
    };
    size_t index = (size_t)code;
    return index < sizeof classes / sizeof classes[0] ? classes[index] : RETRY_CLASS_NEVER;
}

/* The bound of the delay before attempt number `attempts` + 1. */
static int64_t delay_bound_us(const struct retry_policy *policy, uint32_t attempts)
{
    int64_t bound_us = policy->delay_us;
    for (uint32_t i = 1; i < attempts && bound_us < policy->delay_us_max; i++)
        bound_us *= 2;
    return bound_us < policy->delay_us_max ? bound_us : policy->delay_us_max;
}

bool retry_after_failure(struct retry *retry, const struct retry_policy *policy,
                         struct retry_budget *budget, enum retry_class class, int64_t remaining_us,
                         int64_t after_us, struct random *random, int64_t *delay_us)
{
    retry->attempts++;
    *delay_us = 0;
    if (class == RETRY_CLASS_NEVER || retry->attempts >= policy->attempt_max[class])
        return false;
    int64_t bound_us = delay_bound_us(policy, retry->attempts);
    int64_t wanted_us = after_us + (int64_t)random_below(random, (uint64_t)bound_us + 1);
    if (wanted_us >= remaining_us)
        return false;
    if (budget != NULL && budget->parts < parts_per_retry)
        return false;
    if (budget != NULL)
        budget->parts -= parts_per_retry;
    *delay_us = wanted_us;
    return true;
}
