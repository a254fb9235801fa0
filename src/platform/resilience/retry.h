#ifndef WAYBILL_PLATFORM_RESILIENCE_RETRY_H
#define WAYBILL_PLATFORM_RESILIENCE_RETRY_H

#include "platform/base/error.h"
#include "platform/base/random.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * Whether and when a failed call is made again: by the class of its error, with full jitter (a
 * random delay between 0 and a bound that doubles: Brooker, "Exponential Backoff And Jitter"),
 * never past the caller's deadline, and only as long as the dependency's budget lasts, so that
 * retries do not multiply the load on something that is down. Pure; time is handed in, randomness
 * is a port.
 */

/* What an error says about sending the same call again. */
enum retry_class {
    RETRY_CLASS_NEVER,     /* the answer will be the same */
    RETRY_CLASS_NOT_DONE,  /* nothing was done: again is always right */
    RETRY_CLASS_UNKNOWN,   /* it may have been done: only with an idempotency key */
    RETRY_CLASS_CONFLICT,  /* somebody was faster: again soon */
    RETRY_CLASS_THROTTLED, /* told to come later */
};
enum { retry_class_count = RETRY_CLASS_THROTTLED + 1 };

struct retry_policy {
    uint32_t attempt_max[retry_class_count]; /* the first one included; 0 and 1 = no retry */
    int64_t delay_us;                        /* bound of the first delay */
    int64_t delay_us_max;
};

/* 3 attempts for what was not done or is unknown, 8 for conflicts, 2 when throttled; 50 ms to 2 s.
 */
struct retry_policy retry_policy_default(void);

/*
 * Shared by all calls to one dependency: each first attempt pays in, each retry takes 1,000 parts.
 * Thread: one at a time.
 */
struct retry_budget {
    uint32_t parts;
    uint32_t parts_max;
    uint32_t parts_per_call;
};

/* Retries may be `percent` of calls; `burst` retries are there at the start. */
void retry_budget_init(struct retry_budget *budget, uint32_t percent, uint32_t burst);
void retry_budget_pay(struct retry_budget *budget);

/* One call's attempts so far. Zeroed = none. */
struct retry {
    uint32_t attempts; /* that have failed */
};

/* From ERROR_MAP's codes: what a call of ours that ended so says about a repeat. */
enum retry_class retry_class_of(enum error_code code);

/*
 * After a failed attempt: true = again after *delay_us. `remaining_us` is the time to the caller's
 * deadline; `after_us` what the dependency asked for (Retry-After), 0 = nothing. `budget` may be
 * NULL.
 */
bool retry_after_failure(struct retry *retry, const struct retry_policy *policy,
                         struct retry_budget *budget, enum retry_class class, int64_t remaining_us,
                         int64_t after_us, struct random *random, int64_t *delay_us);

#endif
