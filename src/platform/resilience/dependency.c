/* A lock around a breaker, counters, and text for the operations port. Nothing can fail. */
#include "platform/resilience/dependency.h"

#include "platform/base/check.h"

#include <stdio.h>
#include <string.h>

void dependency_init(struct dependency *dependency, const char *name, bool needed_to_serve,
                     const struct circuit_breaker_settings *settings, struct clock *clock,
                     struct random *random)
{
    *dependency = (struct dependency){
        .name = name,
        .needed_to_serve = needed_to_serve,
        .clock = clock,
        .random = random,
    };
    CHECK(pthread_mutex_init(&dependency->mutex, NULL) == 0);
    circuit_breaker_init(&dependency->breaker, settings);
}

void dependency_deinit(struct dependency *dependency)
{
    pthread_mutex_destroy(&dependency->mutex);
}

bool dependency_admit(struct dependency *dependency)
{
    pthread_mutex_lock(&dependency->mutex);
    bool admitted =
        circuit_breaker_admit(&dependency->breaker, clock_monotonic_us(dependency->clock));
    if (!admitted)
        dependency->refusals++;
    pthread_mutex_unlock(&dependency->mutex);
    return admitted;
}

void dependency_succeeded(struct dependency *dependency)
{
    pthread_mutex_lock(&dependency->mutex);
    dependency->successes++;
    circuit_breaker_succeeded(&dependency->breaker);
    pthread_mutex_unlock(&dependency->mutex);
}

/* The lock is held. */
static void remember(struct dependency *dependency, const struct error *error)
{
    dependency->failures++;
    dependency->last_error = *error;
    dependency->last_error_time_us = clock_now_us(dependency->clock);
}

void dependency_failed(struct dependency *dependency, const struct error *error)
{
    pthread_mutex_lock(&dependency->mutex);
    remember(dependency, error);
    circuit_breaker_failed(&dependency->breaker, clock_monotonic_us(dependency->clock),
                           dependency->random);
    pthread_mutex_unlock(&dependency->mutex);
}

void dependency_is_away(struct dependency *dependency, const struct error *error)
{
    pthread_mutex_lock(&dependency->mutex);
    remember(dependency, error);
    circuit_breaker_trip(&dependency->breaker, clock_monotonic_us(dependency->clock),
                         dependency->random);
    pthread_mutex_unlock(&dependency->mutex);
}

void dependency_abandoned(struct dependency *dependency)
{
    pthread_mutex_lock(&dependency->mutex);
    circuit_breaker_abandoned(&dependency->breaker);
    pthread_mutex_unlock(&dependency->mutex);
}

bool dependency_is_available(struct dependency *dependency)
{
    pthread_mutex_lock(&dependency->mutex);
    bool available = dependency->breaker.state == CIRCUIT_CLOSED;
    pthread_mutex_unlock(&dependency->mutex);
    return available;
}

void dependency_set_degraded(struct dependency *dependency, const char *reason)
{
    pthread_mutex_lock(&dependency->mutex);
    snprintf(dependency->degraded, sizeof dependency->degraded, "%s", reason == NULL ? "" : reason);
    pthread_mutex_unlock(&dependency->mutex);
}

void dependency_leave_alone(struct dependency *dependency, int64_t until_us)
{
    pthread_mutex_lock(&dependency->mutex);
    if (dependency->left_alone_until_us < until_us)
        dependency->left_alone_until_us = until_us;
    pthread_mutex_unlock(&dependency->mutex);
}

void dependency_delayed(struct dependency *dependency)
{
    pthread_mutex_lock(&dependency->mutex);
    dependency->delayed++;
    pthread_mutex_unlock(&dependency->mutex);
}

void dependency_held_back(struct dependency *dependency)
{
    pthread_mutex_lock(&dependency->mutex);
    dependency->held_back++;
    pthread_mutex_unlock(&dependency->mutex);
}

struct dependency_state dependency_state(struct dependency *dependency)
{
    int64_t now_us = clock_monotonic_us(dependency->clock);
    pthread_mutex_lock(&dependency->mutex);
    int64_t left_alone_us = dependency->left_alone_until_us - now_us;
    struct dependency_state state = {
        .circuit = dependency->breaker.state,
        .successes = dependency->successes,
        .failures = dependency->failures,
        .refusals = dependency->refusals,
        .delayed = dependency->delayed,
        .held_back = dependency->held_back,
        .left_alone_us = left_alone_us > 0 ? left_alone_us : 0,
        .last_error = dependency->last_error,
        .last_error_time_us = dependency->last_error_time_us,
    };
    pthread_mutex_unlock(&dependency->mutex);
    return state;
}

/* --- the list --- */

void dependency_list_init(struct dependency_list *list)
{
    list->first = NULL;
    CHECK(pthread_mutex_init(&list->mutex, NULL) == 0);
}

void dependency_list_deinit(struct dependency_list *list)
{
    pthread_mutex_destroy(&list->mutex);
}

void dependency_list_add(struct dependency_list *list, struct dependency *dependency)
{
    pthread_mutex_lock(&list->mutex);
    struct dependency **at = &list->first;
    while (*at != NULL)
        at = &(*at)->next;
    dependency->next = NULL;
    *at = dependency;
    pthread_mutex_unlock(&list->mutex);
}

void dependency_list_remove(struct dependency_list *list, struct dependency *dependency)
{
    pthread_mutex_lock(&list->mutex);
    struct dependency **at = &list->first;
    while (*at != NULL && *at != dependency)
        at = &(*at)->next;
    if (*at == dependency)
        *at = dependency->next;
    pthread_mutex_unlock(&list->mutex);
}

/* --- text --- */

static bool head(struct buffer *out, const char *name, const char *type, const char *help)
{
    return buffer_append_format(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static bool write_states(const struct dependency_list *list, struct buffer *out)
{
    static const enum circuit_state states[] = {CIRCUIT_CLOSED, CIRCUIT_OPEN, CIRCUIT_HALF_OPEN};
    bool fits = head(out, "waybill_dependency_circuit", "gauge",
                     "1 for the state that the dependency's circuit breaker is in.");
    for (struct dependency *at = list->first; fits && at != NULL; at = at->next) {
        enum circuit_state now = dependency_state(at).circuit;
        for (size_t i = 0; fits && i < sizeof states / sizeof states[0]; i++)
            fits = buffer_append_format(
                out, "waybill_dependency_circuit{dependency=\"%s\",state=\"%s\"} %d\n", at->name,
                circuit_state_name(states[i]), now == states[i]);
    }
    return fits;
}

static bool write_calls(const struct dependency_list *list, struct buffer *out)
{
    bool fits =
        head(out, "waybill_dependency_calls_total", "counter",
             "Calls to the dependency by outcome; refused = not made, the breaker was open; "
             "held_back = not made, it asked to be left alone; delayed = waited for that.");
    for (struct dependency *at = list->first; fits && at != NULL; at = at->next) {
        struct dependency_state state = dependency_state(at);
        const struct {
            const char *outcome;
            uint64_t count;
        } rows[] = {{"succeeded", state.successes},
                    {"failed", state.failures},
                    {"refused", state.refusals},
                    {"held_back", state.held_back},
                    {"delayed", state.delayed}};
        for (size_t i = 0; fits && i < sizeof rows / sizeof rows[0]; i++)
            fits = buffer_append_format(
                out, "waybill_dependency_calls_total{dependency=\"%s\",outcome=\"%s\"} %llu\n",
                at->name, rows[i].outcome, (unsigned long long)rows[i].count);
    }
    return fits;
}

static bool is_degraded(struct dependency *dependency)
{
    pthread_mutex_lock(&dependency->mutex);
    bool degraded = dependency->degraded[0] != '\0';
    pthread_mutex_unlock(&dependency->mutex);
    return degraded;
}

static bool write_degraded(const struct dependency_list *list, struct buffer *out)
{
    bool fits = head(out, "waybill_dependency_degraded", "gauge",
                     "1 if the dependency's settings promise less than they should.");
    for (struct dependency *at = list->first; fits && at != NULL; at = at->next)
        fits = buffer_append_format(out, "waybill_dependency_degraded{dependency=\"%s\"} %d\n",
                                    at->name, is_degraded(at));
    return fits;
}

/* Whole seconds, rounded up: 0 = it is not left alone. */
static int64_t left_alone_seconds(const struct dependency_state *state)
{
    return (state->left_alone_us + 999999) / 1000000;
}

static bool write_left_alone(const struct dependency_list *list, struct buffer *out)
{
    bool fits = head(out, "waybill_dependency_left_alone_seconds", "gauge",
                     "For how much longer the dependency asked to be left alone.");
    for (struct dependency *at = list->first; fits && at != NULL; at = at->next) {
        struct dependency_state state = dependency_state(at);
        fits = buffer_append_format(out,
                                    "waybill_dependency_left_alone_seconds{dependency=\"%s\"} "
                                    "%lld\n",
                                    at->name, (long long)left_alone_seconds(&state));
    }
    return fits;
}

bool dependency_list_write_metrics(struct dependency_list *list, struct buffer *out)
{
    pthread_mutex_lock(&list->mutex);
    bool fits = list->first == NULL || (write_states(list, out) && write_calls(list, out) &&
                                        write_degraded(list, out) && write_left_alone(list, out));
    pthread_mutex_unlock(&list->mutex);
    return fits;
}

static bool write_line(struct dependency *dependency, struct buffer *out, bool *ready)
{
    struct dependency_state state = dependency_state(dependency);
    char degraded[sizeof dependency->degraded];
    bool away = state.circuit != CIRCUIT_CLOSED;
    pthread_mutex_lock(&dependency->mutex);
    snprintf(degraded, sizeof degraded, "%s", dependency->degraded);
    pthread_mutex_unlock(&dependency->mutex);
    if (away && dependency->needed_to_serve)
        *ready = false;
    if (away && !buffer_append_format(out, "%s: away (%s): %s\n", dependency->name,
                                      error_text(state.last_error.code), state.last_error.detail))
        return false;
    if (state.left_alone_us > 0 &&
        !buffer_append_format(out, "%s: asked to be left alone for another %lld s\n",
                              dependency->name, (long long)left_alone_seconds(&state)))
        return false;
    return degraded[0] == '\0' ||
           buffer_append_format(out, "%s: degraded: %s\n", dependency->name, degraded);
}

bool dependency_list_write_readiness(struct dependency_list *list, struct buffer *out, bool *ready)
{
    bool fits = true;
    *ready = true;
    pthread_mutex_lock(&list->mutex);
    for (struct dependency *at = list->first; fits && at != NULL; at = at->next)
        fits = write_line(at, out, ready);
    pthread_mutex_unlock(&list->mutex);
    return fits;
}

bool dependency_list_serves(struct dependency_list *list, const char *context)
{
    bool serves = true;
    size_t size = strlen(context);
    pthread_mutex_lock(&list->mutex);
    for (struct dependency *at = list->first; at != NULL; at = at->next) {
        bool is_of_context = strncmp(at->name, context, size) == 0 && at->name[size] == '.';
        if (is_of_context && at->needed_to_serve && !dependency_is_available(at))
            serves = false;
    }
    pthread_mutex_unlock(&list->mutex);
    return serves;
}
