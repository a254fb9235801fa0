/* Puts together what platform/events has, with the settings of this process. */
#include "main/modules/context_events.h"

#include "platform/base/memory.h"
#include "platform/events/event_log.h"
#include "platform/events/event_relay.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

struct context_events {
    const char *context;
    const struct module_environment *environment;
    struct sql_store *store;
    struct sql_outbox outbox;
    struct event_log *log;
    struct event_relay *relay; /* between start and stop */
    pthread_mutex_t mutex;     /* guards `relay` against those who look at it */
};

struct error context_events_open(struct context_events **events,
                                 const struct module_environment *environment, const char *context)
{
    const struct configuration *configuration = environment->configuration;
    struct context_events *made = memory_allocate_zero(1, sizeof *made);
    char directory[2 * setting_text_bytes_max];
    *events = NULL;
    if (made == NULL)
        return error_make(ERROR_OUT_OF_MEMORY, "events of %s", context);
    made->context = context;
    made->environment = environment;
    pthread_mutex_init(&made->mutex, NULL);
    sql_outbox_init(&made->outbox, context, (uint64_t)configuration->outbox_bytes_max,
                    random_system());
    snprintf(directory, sizeof directory, "%s/events/%s", configuration->data, context);
    struct event_log_options options = event_log_options_default();
    options.directory = directory;
    options.source = context;
    options.retention_us = configuration->events_retention_days * INT64_C(86400) * 1000000;
    struct error error = event_log_open(&made->log, &options);
    if (error_is(error)) {
        context_events_close(made);
        return error;
    }
    *events = made;
    return error;
}

/* A commit, on a store's thread. */
static void committed(void *context)
{
    struct context_events *events = context;
    pthread_mutex_lock(&events->mutex);
    if (events->relay != NULL)
        event_relay_wake(events->relay);
    pthread_mutex_unlock(&events->mutex);
}

void context_events_attach(struct context_events *events, struct sql_store *store)
{
    events->store = store;
    sql_store_set_committed(store, committed, events);
}

struct sql_outbox *context_events_outbox(struct context_events *events)
{
    return &events->outbox;
}

struct event_feed *context_events_feed(struct context_events *events)
{
    return event_log_feed(events->log);
}

struct error context_events_start(struct context_events *events)
{
    struct event_relay_options options = event_relay_options_default();
    struct event_relay *relay;
    options.store = events->store;
    options.outbox = &events->outbox;
    options.sink = event_log_sink(events->log);
    options.sink_is_exclusive = true; /* its directory is locked */
    options.adopt_sink = strcmp(events->environment->configuration->events_adopt, "yes") == 0;
    options.failed = events->environment->store_failed;
    struct error error = event_relay_start(&relay, &options);
    if (error_is(error))
        return error_prefix(error, "events of %s", events->context);
    pthread_mutex_lock(&events->mutex);
    events->relay = relay;
    pthread_mutex_unlock(&events->mutex);
    return error;
}

void context_events_stop(struct context_events *events)
{
    pthread_mutex_lock(&events->mutex);
    struct event_relay *relay = events->relay;
    events->relay = NULL;
    pthread_mutex_unlock(&events->mutex);
    event_relay_stop(relay);
}

static struct event_relay_status status_of(struct context_events *events)
{
    struct event_relay_status status = {.last_error = error_none()};
    pthread_mutex_lock(&events->mutex);
    if (events->relay != NULL)
        status = event_relay_status(events->relay);
    pthread_mutex_unlock(&events->mutex);
    return status;
}

bool context_events_write_metrics(struct context_events *events, struct buffer *out)
{
    struct event_relay_status status = status_of(events);
    struct event_log_usage usage = event_log_usage(events->log);
    const struct gauge {
        const char *name;
        const char *help;
        uint64_t value;
    } gauges[] = {
        {"relayed", "Sequence of the last event in the log.", usage.newest},
        {"waiting", "Events in the outbox, not yet relayed.", status.waiting},
        {"waiting_bytes", "What they take, roughly.", status.waiting_bytes},
        {"waiting_bytes_max", "Where writes are refused.", events->outbox.bytes_max},
        {"lag_seconds", "Age of the oldest event waiting.", (uint64_t)(status.lag_us / 1000000)},
        {"log_bytes", "Of the event log on disk.", usage.bytes},
        {"relay_leading", "1 if this process relays.", status.state == EVENT_RELAY_LEADING},
    };
    for (size_t i = 0; i < sizeof gauges / sizeof gauges[0]; i++) {
        char name[96];
        snprintf(name, sizeof name, "waybill_%s_events_%s", events->context, gauges[i].name);
        if (!module_add_gauge(out, name, gauges[i].help, gauges[i].value))
            return false;
    }
    return true;
}

bool context_events_is_ready(struct context_events *events, struct buffer *why)
{
    struct event_relay_status status = status_of(events);
    bool is_full = status.waiting_bytes >= events->outbox.bytes_max;
    bool is_stuck = status.state == EVENT_RELAY_OTHER_SINK;
    if (!is_full && !is_stuck)
        return true;
    const char *reason = is_full ? "the outbox is full, writes are refused" : "not relayed";
    if (!buffer_append_format(why, "events of %s: %s: %s\n", events->context, reason,
                              status.last_error.detail))
        return false;
    return false;
}

void context_events_close(struct context_events *events)
{
    if (events == NULL)
        return;
    event_log_close(events->log);
    pthread_mutex_destroy(&events->mutex);
    memory_release(events);
}
