#ifndef WAYBILL_PLATFORM_RESILIENCE_DEPENDENCY_H
#define WAYBILL_PLATFORM_RESILIENCE_DEPENDENCY_H

#include "platform/base/buffer.h"
#include "platform/base/clock.h"
#include "platform/base/error.h"
#include "platform/base/random.h"
#include "platform/resilience/circuit_breaker.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * Something this process needs and does not run: a database, a carrier, another service. Its
 * breaker with a lock around it, what went wrong last, and how it is going; and the list of all of
 * them, which /metrics and /readyz print. Thread: any.
 */
struct dependency {
    const char *name;     /* "warehouse.postgresql", "carrier.ups": [a-z0-9._], lives as long */
    bool needed_to_serve; /* while it is away, /readyz says so */
    struct clock *clock;
    struct random *random;
    pthread_mutex_t mutex;
    struct circuit_breaker breaker;
    uint64_t successes;
    uint64_t failures;
    uint64_t refusals;           /* calls not made, because the breaker was open */
    uint64_t delayed;            /* calls that waited, because it asked to be left alone */
    uint64_t held_back;          /* calls not made for that */
    int64_t left_alone_until_us; /* monotonic */
    struct error last_error;
    int64_t last_error_time_us; /* UTC; 0 = never */
    char degraded[252];         /* empty = no; why it works but promises less */
    struct dependency *next;    /* of the list */
};

/* As of one instant. */
struct dependency_state {
    enum circuit_state circuit;
    uint64_t successes;
    uint64_t failures;
    uint64_t refusals;
    uint64_t delayed;
    uint64_t held_back;
    int64_t left_alone_us; /* for how much longer; 0 = it is not */
    struct error last_error;
    int64_t last_error_time_us;
};

void dependency_init(struct dependency *dependency, const char *name, bool needed_to_serve,
                     const struct circuit_breaker_settings *settings, struct clock *clock,
                     struct random *random);
void dependency_deinit(struct dependency *dependency);

/* As circuit_breaker_admit: true is followed by exactly one of the next three. */
bool dependency_admit(struct dependency *dependency);
void dependency_succeeded(struct dependency *dependency);
void dependency_failed(struct dependency *dependency, const struct error *error);
void dependency_abandoned(struct dependency *dependency);

/*
 * It asked for no more calls until then (monotonic): told of, nothing else; who calls it keeps to
 * it, and says so of each call that had to wait and of each that was not made. The latest instant
 * counts.
 */
void dependency_leave_alone(struct dependency *dependency, int64_t until_us);
void dependency_delayed(struct dependency *dependency);
void dependency_held_back(struct dependency *dependency);

/* It is known to be away: opens the breaker at once. */
void dependency_is_away(struct dependency *dependency, const struct error *error);

/* Whether the breaker is closed. */
bool dependency_is_available(struct dependency *dependency);

/* Works, but promises less than it should (RELIABILITY row 11); NULL = it does not. */
void dependency_set_degraded(struct dependency *dependency, const char *reason);

struct dependency_state dependency_state(struct dependency *dependency);

/* The list of a process. */
struct dependency_list {
    pthread_mutex_t mutex;
    struct dependency *first;
};

void dependency_list_init(struct dependency_list *list);
void dependency_list_deinit(struct dependency_list *list);
void dependency_list_add(struct dependency_list *list, struct dependency *dependency);
void dependency_list_remove(struct dependency_list *list, struct dependency *dependency);

/* Prometheus text: state, calls by outcome, degraded, how long left alone. False: no room. */
bool dependency_list_write_metrics(struct dependency_list *list, struct buffer *out);

/*
 * One line a dependency that is away, degraded or left alone, for people. *ready is false if one
 * that is needed is away. False: no room.
 */
bool dependency_list_write_readiness(struct dependency_list *list, struct buffer *out, bool *ready);

/* Whether all that are needed by the context of that name ("warehouse": "warehouse.…") are there.
 */
bool dependency_list_serves(struct dependency_list *list, const char *context);

#endif
