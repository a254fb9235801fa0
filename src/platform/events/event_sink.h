#ifndef WAYBILL_PLATFORM_EVENTS_EVENT_SINK_H
#define WAYBILL_PLATFORM_EVENTS_EVENT_SINK_H

#include "platform/base/error.h"
#include "platform/base/text.h"
#include "platform/events/event.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * The port through which the relay hands on the events of a SQL context: the built-in event log, or
 * a broker. A sink keeps the order it is given and numbers the events without gaps; it has one
 * relay at a time. Thread: the relay's; calls may block.
 */
struct event_sink;

struct event_sink_table {
    struct error (*append)(struct event_sink *sink, const struct event *events, size_t count,
                           size_t *appended);
    bool (*has_recent)(struct event_sink *sink, struct text event_id);
    const char *(*identity)(struct event_sink *sink);
    struct error (*tidy)(struct event_sink *sink);
};

struct event_sink {
    const struct event_sink_table *table;
};

/* The most events given to one append, and so the least that has_recent must know. */
enum { event_sink_batch_max = 512 };

/*
 * Appends the first *appended of the events, at least one, durably and all or none; event_id, type,
 * key, time_us and data are looked at. Errors: DISK_FULL, OUT_OF_MEMORY, NETWORK: nothing was
 * appended, or nobody knows; the relay tries again with the same events after asking has_recent.
 * Anything else is final: the sink cannot go on.
 */
static inline struct error event_sink_append(struct event_sink *sink, const struct event *events,
                                             size_t count, size_t *appended)
{
    return sink->table->append(sink, events, count, appended);
}

/*
 * Whether the event is among the last event_sink_batch_max that were appended, whoever did it and
 * however often the process was started since: so that a row which was appended but not yet deleted
 * is not appended twice.
 */
static inline bool event_sink_has_recent(struct event_sink *sink, struct text event_id)
{
    return sink->table->has_recent(sink, event_id);
}

/* What the events of one store go into, for ever; at most 31 characters. */
static inline const char *event_sink_identity(struct event_sink *sink)
{
    return sink->table->identity(sink);
}

/* Now and then: gives back what is past its time. An error is logged and tried again. */
static inline struct error event_sink_tidy(struct event_sink *sink)
{
    return sink->table->tidy(sink);
}

#endif
