#ifndef WAYBILL_PLATFORM_RESILIENCE_CIRCUIT_BREAKER_H
#define WAYBILL_PLATFORM_RESILIENCE_CIRCUIT_BREAKER_H

#include "platform/base/random.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * Keeps calls from a dependency that fails, and finds out when it is back (Nygard, Release It!,
 * "Circuit Breaker"). A pure state machine: time is handed in, randomness is a port.
 *
 *   CLOSED ── too many failures ──► OPEN ── its time is over ──► HALF_OPEN ── probes succeed ──►
 * CLOSED ▲                               │ └──────── a probe fails ────────┘
 *
 * Only the dependency's own failures count (no answer, connection refused, 5xx), never its "no" to
 * a bad request. Thread: one at a time; struct dependency puts a lock around it.
 */
enum circuit_state { CIRCUIT_CLOSED, CIRCUIT_OPEN, CIRCUIT_HALF_OPEN };

struct circuit_breaker_settings {
    uint32_t consecutive_failures_max; /* opens at so many in a row */
    uint32_t window_count;             /* the last so many outcomes, 1 to 64 … */
    uint32_t window_failures_max;      /* … open it at so many failures */
    int64_t open_us;                   /* the first time; doubles with each failed probe … */
    int64_t open_us_max;               /* … up to this; the last half is random */
    uint32_t probe_count_max;          /* calls let through at once while half open */
    uint32_t probe_successes;          /* so many in a row close it */
};

struct circuit_breaker {
    struct circuit_breaker_settings settings;
    enum circuit_state state;
    uint64_t outcomes; /* bit 0 = the last one, 1 = failed */
    uint32_t outcome_count;
    uint32_t consecutive_failures;
    uint32_t openings; /* in a row, without having been closed */
    int64_t open_until_us;
    uint32_t probes;    /* on their way */
    uint32_t successes; /* of probes */
};

/* 5 in a row or half of the last 20; open 0.5 s to 4 s; one probe, one success. */
struct circuit_breaker_settings circuit_breaker_settings_default(void);

/* Starts closed. */
void circuit_breaker_init(struct circuit_breaker *breaker,
                          const struct circuit_breaker_settings *settings);

/*
 * Whether a call may go out now. Each permission is followed by exactly one of _succeeded, _failed
 * and _abandoned.
 */
bool circuit_breaker_admit(struct circuit_breaker *breaker, int64_t now_us);

void circuit_breaker_succeeded(struct circuit_breaker *breaker);
void circuit_breaker_failed(struct circuit_breaker *breaker, int64_t now_us, struct random *random);

/* The call ended without telling anything about the dependency. */
void circuit_breaker_abandoned(struct circuit_breaker *breaker);

/* Opens at once: it is known that nothing works (a connection refused, a server that froze). */
void circuit_breaker_trip(struct circuit_breaker *breaker, int64_t now_us, struct random *random);

/* "closed", "open", "half_open". */
const char *circuit_state_name(enum circuit_state state);

#endif
