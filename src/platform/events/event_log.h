#ifndef WAYBILL_PLATFORM_EVENTS_EVENT_LOG_H
#define WAYBILL_PLATFORM_EVENTS_EVENT_LOG_H

#include "platform/base/clock.h"
#include "platform/base/random.h"
#include "platform/events/event_feed.h"
#include "platform/events/event_sink.h"
#include "platform/storage/file_system.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The built-in event log of a SQL context: what the relay takes out of the outbox stands here, in
 * the record log's format, until it is older than the retention time and behind every consumer in
 * this process. Sequences are 1, 2, 3, … without gaps.
 *
 * Thread: one owner (the relay's thread, through the sink); the feed is for any.
 */
struct event_log;

struct event_log_options {
    const char *directory; /* made if missing; one process at a time */
    const char *source;    /* the context, at most 12 bytes; another context's log is refused */
    struct file_system *file_system;
    struct clock *clock;
    struct random *random;
    int64_t retention_us;
    uint64_t segment_bytes;  /* as record_log_options */
    bool background_prepare; /* the next segment is made by a thread of the log's own */
};

/* What users get if they set nothing: 7 days, 64 MiB a segment; directory and source are NULL. */
struct event_log_options event_log_options_default(void);

/* Errors: as record_log_open. */
__attribute__((warn_unused_result)) struct error event_log_open(
    struct event_log **log, const struct event_log_options *options);

/* Nobody reads, watches or appends any more. NULL is allowed. */
void event_log_close(struct event_log *log);

/* Its two sides; they live as long as the log. */
struct event_sink *event_log_sink(struct event_log *log);
struct event_feed *event_log_feed(struct event_log *log);

/* How much it holds. Any thread. */
struct event_log_usage {
    uint64_t oldest; /* sequence before the first event kept */
    uint64_t newest; /* of the last event; oldest == newest: none is kept */
    uint64_t bytes;  /* from the first segment kept to the end */
};
struct event_log_usage event_log_usage(struct event_log *log);

#endif
