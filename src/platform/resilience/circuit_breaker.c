/*
 * The breaker as three short reactions. The last 64 outcomes are bits of a word, so the share of
 * failures is a population count. A call admitted in one state may end in another: an outcome that
 * comes late, while open, is ignored.
 */
#include "platform/resilience/circuit_breaker.h"

#include "platform/base/check.h"

struct circuit_breaker_settings circuit_breaker_settings_default(void)
{
    return (struct circuit_breaker_settings){
        .consecutive_failures_max = 5,
        .window_count = 20,
        .window_failures_max = 10,
        .open_us = 500000,
        .open_us_max = 4000000,
        .probe_count_max = 1,
        .probe_successes = 1,
    };
}

void circuit_breaker_init(struct circuit_breaker *breaker,
                          const struct circuit_breaker_settings *settings)
{
    CHECK(settings->window_count >= 1 && settings->window_count <= 64);
    CHECK(settings->consecutive_failures_max >= 1 && settings->window_failures_max >= 1);
    CHECK(settings->probe_count_max >= 1 && settings->probe_successes >= 1);
    CHECK(settings->open_us > 0 && settings->open_us_max >= settings->open_us);
    *breaker = (struct circuit_breaker){.settings = *settings, .state = CIRCUIT_CLOSED};
}

bool circuit_breaker_admit(struct circuit_breaker *breaker, int64_t now_us)
{
    if (breaker->state == CIRCUIT_OPEN && now_us >= breaker->open_until_us) {
        breaker->state = CIRCUIT_HALF_OPEN;
        breaker->probes = 0;
        breaker->successes = 0;
    }
    switch (breaker->state) {
    case CIRCUIT_CLOSED:
        return true;
    case CIRCUIT_OPEN:
        return false;
    case CIRCUIT_HALF_OPEN:
        break;
    }
    if (breaker->probes >= breaker->settings.probe_count_max)
        return false;
    breaker->probes++;
    return true;
}

static void close_circuit(struct circuit_breaker *breaker)
{
    breaker->state = CIRCUIT_CLOSED;
    breaker->outcomes = 0;
    breaker->outcome_count = 0;
    breaker->consecutive_failures = 0;
    breaker->openings = 0;
}

static void remember(struct circuit_breaker *breaker, bool failed)
{
    breaker->outcomes = breaker->outcomes << 1 | (failed ? 1 : 0);
    if (breaker->outcome_count < breaker->settings.window_count)
        breaker->outcome_count++;
    breaker->consecutive_failures = failed ? breaker->consecutive_failures + 1 : 0;
}

static bool is_too_much(const struct circuit_breaker *breaker)
{
    uint32_t count = breaker->outcome_count;
    uint64_t mask = count == 64 ? UINT64_MAX : (UINT64_C(1) << count) - 1;
    uint32_t failures = (uint32_t)__builtin_popcountll(breaker->outcomes & mask);
    return breaker->consecutive_failures >= breaker->settings.consecutive_failures_max ||
           failures >= breaker->settings.window_failures_max;
}

void circuit_breaker_trip(struct circuit_breaker *breaker, int64_t now_us, struct random *random)
{
    int64_t open_us = breaker->settings.open_us;
    if (breaker->state == CIRCUIT_OPEN)
        return;
    for (uint32_t i = 0; i < breaker->openings && open_us < breaker->settings.open_us_max; i++)
        open_us *= 2;
    if (open_us > breaker->settings.open_us_max)
        open_us = breaker->settings.open_us_max;
    int64_t half_us = open_us / 2;
    breaker->state = CIRCUIT_OPEN;
    breaker->openings++;
    breaker->open_until_us =
        now_us + half_us + (int64_t)random_below(random, (uint64_t)half_us + 1);
}

void circuit_breaker_succeeded(struct circuit_breaker *breaker)
{
    switch (breaker->state) {
    case CIRCUIT_CLOSED:
        remember(breaker, false);
        return;
    case CIRCUIT_OPEN:
        return;
    case CIRCUIT_HALF_OPEN:
        break;
    }
    if (breaker->probes > 0)
        breaker->probes--;
    if (++breaker->successes >= breaker->settings.probe_successes)
        close_circuit(breaker);
}

void circuit_breaker_failed(struct circuit_breaker *breaker, int64_t now_us, struct random *random)
{
    switch (breaker->state) {
    case CIRCUIT_CLOSED:
        remember(breaker, true);
        if (is_too_much(breaker))
            circuit_breaker_trip(breaker, now_us, random);
        return;
    case CIRCUIT_OPEN:
        return;
    case CIRCUIT_HALF_OPEN:
        circuit_breaker_trip(breaker, now_us, random);
        return;
    }
}

void circuit_breaker_abandoned(struct circuit_breaker *breaker)
{
    if (breaker->state == CIRCUIT_HALF_OPEN && breaker->probes > 0)
        breaker->probes--;
}

const char *circuit_state_name(enum circuit_state state)
{
    switch (state) {
    case CIRCUIT_CLOSED:
        return "closed";
    case CIRCUIT_OPEN:
        return "open";
    case CIRCUIT_HALF_OPEN:
        return "half_open";
    }
    return "unknown";
}
