#ifndef WAYBILL_EVENTS_INTERFACES_CLIENT_REMOTE_EVENT_FEED_H
#define WAYBILL_EVENTS_INTERFACES_CLIENT_REMOTE_EVENT_FEED_H

#include "platform/base/error.h"
#include "platform/events/event_feed.h"
#include "platform/io/tls.h"

#include <stddef.h>
#include <stdint.h>

/*
 * The feed of a context that runs in another process, read through its EventService: one stream,
 * kept open from where the reader stands, opened again when it ends. Meant for one consumer
 * (event_subscription): a read at another place than the last one's end begins a new stream.
 *
 * It has a thread of its own. Reading never waits for the network: what has come is given, and the
 * watchers are woken when more comes. While the other process has not been reached identity is ""
 * and reading is an error (NETWORK).
 */
struct remote_event_feed;

struct remote_event_feed_options {
    const char *source;             /* the context: "warehouse"; a literal */
    const char *server;             /* "HOST:PORT" */
    const struct tls_settings *tls; /* NULL = plain; read at opening */
    /* The events of that context: "waybill.warehouse.v1.MovementRecorded", … Literals. */
    const char *const *types;
    size_t type_count; /* 1 to 64 */
    size_t events_max; /* received and not yet read */
};

/* 1,024 events; the rest is left empty. */
struct remote_event_feed_options remote_event_feed_options_default(void);

/* Errors: INVALID_SETTING (address, TLS files), OUT_OF_MEMORY. The other side need not be there. */
__attribute__((warn_unused_result)) struct error remote_event_feed_open(
    struct remote_event_feed **feed, const struct remote_event_feed_options *options);

/* All watchers have left, nobody reads. NULL is allowed. */
void remote_event_feed_close(struct remote_event_feed *feed);

/* Lives as long as it. */
struct event_feed *remote_event_feed_port(struct remote_event_feed *feed);

#endif
