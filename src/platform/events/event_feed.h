#ifndef WAYBILL_PLATFORM_EVENTS_EVENT_FEED_H
#define WAYBILL_PLATFORM_EVENTS_EVENT_FEED_H

#include "platform/base/arena.h"
#include "platform/base/error.h"
#include "platform/events/event.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The port through which a context's events are read: one feed a context, whatever store is behind
 * it. Embedded stores decode their record log; SQL contexts read the event log that the relay
 * fills; another process is read through its EventService.
 *
 * Reading blocks (it may touch the disk or the network): only threads made for that call it, never
 * an I/O loop. Thread: any one at a time per reader position; a feed allows several readers.
 */
struct event_feed;

/* What one read gave; texts live on the arena handed in. */
struct event_batch {
    const struct event *events;
    size_t event_count;
    uint64_t next; /* read on after this: ≥ the last event's sequence, also when none was given */
};

/* Called when something new can be read; any thread, must not block, must not call the feed. */
typedef void event_feed_wake(void *context);

struct event_feed_watcher {
    event_feed_wake *wake;
    void *context;
    /*
     * While `holds`, what comes after `position` is not removed, however old it is: for consumers
     * whose place is known here. The watcher moves it on as it likes, on any thread.
     */
    bool holds;
    _Atomic uint64_t position;
    struct event_feed_watcher *next; /* the feed's */
    struct event_feed_watcher *previous;
};

enum {
    event_batch_events_max = 1024,
    event_log_identity_bytes_max = 32, /* with the NUL */
};

struct event_feed_table {
    struct error (*read)(struct event_feed *feed, uint64_t after, size_t event_count_max,
                         struct arena *arena, struct event_batch *batch);
    uint64_t (*oldest)(struct event_feed *feed);
    uint64_t (*newest)(struct event_feed *feed);
    const char *(*identity)(struct event_feed *feed);
    void (*watch)(struct event_feed *feed, struct event_feed_watcher *watcher);
    void (*unwatch)(struct event_feed *feed, struct event_feed_watcher *watcher);
};

struct event_feed {
    const struct event_feed_table *table;
    const char *source; /* the context: "inventory" */
};

/*
 * The events with sequence > `after`, in order, at most event_count_max; none is no error. Only
 * what is durable is given. Errors: CURSOR_EXPIRED (`after` is older than what is kept, or beyond
 * the log's end: the place is of no use any more), DAMAGED, INPUT_OUTPUT, OUT_OF_MEMORY (also: the
 * arena is too small for one event), NETWORK and STORE_UNAVAILABLE (a feed of another process).
 */
static inline struct error event_feed_read(struct event_feed *feed, uint64_t after,
                                           size_t event_count_max, struct arena *arena,
                                           struct event_batch *batch)
{
    return feed->table->read(feed, after, event_count_max, arena, batch);
}

/* `after` for the oldest event kept: 0 if nothing was ever removed. */
static inline uint64_t event_feed_oldest(struct event_feed *feed)
{
    return feed->table->oldest(feed);
}

/* `after` for what comes from now on: the position of the last durable event. */
static inline uint64_t event_feed_newest(struct event_feed *feed)
{
    return feed->table->newest(feed);
}

/*
 * Which log this is (at most 31 characters, fixed at its making): a place in another log is of no
 * use. "" = cannot be told now (another process that does not answer).
 */
static inline const char *event_feed_identity(struct event_feed *feed)
{
    return feed->table->identity(feed);
}

/* From now on `wake` is called after each commit with events, until unwatch has returned. */
static inline void event_feed_watch(struct event_feed *feed, struct event_feed_watcher *watcher)
{
    feed->table->watch(feed, watcher);
}

static inline void event_feed_unwatch(struct event_feed *feed, struct event_feed_watcher *watcher)
{
    feed->table->unwatch(feed, watcher);
}

#endif
