#ifndef WAYBILL_MAIN_MODULES_CONTEXT_EVENTS_H
#define WAYBILL_MAIN_MODULES_CONTEXT_EVENTS_H

#include "main/modules/module.h"
#include "platform/events/sql_outbox.h"
#include "platform/sql/sql.h"

/*
 * The event side of a SQL context, for its module: the outbox that its repository appends to, the
 * relay, the event log in DATA/events/CONTEXT, the feed. In the module's life:
 *
 *   open   context_events_open before the store is, then hand context_events_outbox to the
 * repository; context_events_attach when the store is open start  context_events_start; the relay
 * runs from here stop   context_events_stop: the store must still answer close
 * context_events_close, before or after the store
 *
 * Settings: events_retention_days, outbox_bytes_max, events_adopt. Thread: the main thread, but for
 * write_metrics.
 */
struct context_events;

/* `context` is a literal. Errors: as event_log_open. */
struct error context_events_open(struct context_events **events,
                                 const struct module_environment *environment, const char *context);

/* The context's store, before its first job: the relay wakes with its commits. */
void context_events_attach(struct context_events *events, struct sql_store *store);

struct sql_outbox *context_events_outbox(struct context_events *events);
struct event_feed *context_events_feed(struct context_events *events);

struct error context_events_start(struct context_events *events);
void context_events_stop(struct context_events *events);

/* waybill_CONTEXT_events_…: relayed, waiting, waiting_bytes, lag_seconds, log_bytes, leading. */
bool context_events_write_metrics(struct context_events *events, struct buffer *out);

/* False, with a line in `why`: the outbox is full, or the relay cannot get on. */
bool context_events_is_ready(struct context_events *events, struct buffer *why);

/* NULL is allowed. */
void context_events_close(struct context_events *events);

#endif
