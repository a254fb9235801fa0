#ifndef WAYBILL_PLATFORM_EVENTS_EVENT_HUB_H
#define WAYBILL_PLATFORM_EVENTS_EVENT_HUB_H

#include "platform/base/clock.h"
#include "platform/base/error.h"
#include "platform/events/event_feed.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Many subscribers of a few feeds. Each stands at a position of its own in every feed; a few
 * threads take subscribers in turn, read on for each and hand over what it wants. Who has been
 * handed something is left alone until it asks for more: so a slow one costs nothing and holds
 * nobody up, and one that waits costs its own memory only. What was read is kept for a moment, so
 * that a thousand subscribers at the present cost one read.
 *
 * Ownership of a subscriber goes to and fro: it is the hub's from event_hub_add and
 * event_hub_resume until `returned`, and its owner's otherwise.
 */
struct event_hub;
struct event_hub_subscriber;

enum { event_hub_feeds_max = 16 };

/* Why a subscriber comes back. */
enum event_hub_return {
    EVENT_HUB_DELIVERED, /* it has taken events: resume it when they are dealt with */
    EVENT_HUB_FAILED,    /* `error` says why; CURSOR_EXPIRED: it stood too far back */
    EVENT_HUB_REMOVED,   /* by event_hub_remove */
    EVENT_HUB_STOPPING,  /* the hub ends; it may have taken events before */
};

/* Both are called on a thread of the hub's, one at a time a subscriber; they must not block. */
struct event_hub_subscriber_table {
    /*
     * An event of feed `feed`; subscriber->positions are behind it already. Copies what it wants.
     * TAKEN and PASSED go on; FULL: it was not taken and comes again after the next resume.
     */
    enum event_hub_take {
        EVENT_HUB_TAKEN,
        EVENT_HUB_PASSED,
        EVENT_HUB_FULL
    } (*take)(struct event_hub_subscriber *subscriber, size_t feed, const struct event *event);
    /* The hub does not touch the subscriber any more. `error` is set with FAILED. */
    void (*returned)(struct event_hub_subscriber *subscriber, enum event_hub_return reason,
                     const struct error *error);
};

struct event_hub_subscriber {
    const struct event_hub_subscriber_table *table;
    uint64_t positions[event_hub_feeds_max]; /* in each feed, behind what was looked at */
    bool wants[event_hub_feeds_max];         /* feeds that are read for it */

    struct event_hub_subscriber *next; /* the hub's from here */
    struct event_hub_subscriber *previous;
    int state;
    bool removing;
    uint64_t wakes; /* of the hub when its turn began */
};

struct event_hub_options {
    struct event_feed *const *feeds; /* at most event_hub_feeds_max; they outlive the hub */
    size_t feed_count;
    struct clock *clock;
    size_t thread_count;
    size_t subscribers_max;
    size_t turn_events_max;  /* looked at for one subscriber before the next has its turn */
    size_t kept_batches_max; /* a feed; of what was read last */
    int64_t gather_us;       /* between looks at what is new */
    int64_t retry_us;        /* after a failed read that may go well later */
    /* Called by a thread of the hub's once a second or so. May be NULL. */
    void (*tick)(void *context);
    void *tick_context;
};

/* 2 threads, 10,000 subscribers, 1,024 events a turn, 64 batches, 2 ms, 1 s. */
struct event_hub_options event_hub_options_default(void);

__attribute__((warn_unused_result)) struct error event_hub_open(
    struct event_hub **hub, const struct event_hub_options *options);

/* Reading for the subscriber begins; its table, positions and wants are set. False: there are as
 * many as may be, or the hub is stopping. Any thread. */
__attribute__((warn_unused_result)) bool event_hub_add(struct event_hub *hub,
                                                       struct event_hub_subscriber *subscriber);

/* It has dealt with what it took. Only after it came back with DELIVERED. Any thread. */
void event_hub_resume(struct event_hub *hub, struct event_hub_subscriber *subscriber);

/*
 * Takes back a subscriber that is the hub's. True: it is the caller's at once, `returned` will not
 * be called. False: `returned` is on its way, with whatever reason.
 */
__attribute__((warn_unused_result)) bool event_hub_remove(struct event_hub *hub,
                                                          struct event_hub_subscriber *subscriber);

/* The subscriber, the owner's now, does not come back: it is not counted any more. */
void event_hub_leave(struct event_hub *hub);

/* Sends all subscribers that are the hub's back with STOPPING; no more are taken. */
void event_hub_stop(struct event_hub *hub);

/* After event_hub_stop, and when every subscriber has left. NULL is allowed. */
void event_hub_close(struct event_hub *hub);

/* How it goes. Any thread. */
struct event_hub_usage {
    uint64_t subscribers;
    uint64_t delivered; /* events taken */
    uint64_t reads;     /* of feeds; the rest came from what was kept */
};
struct event_hub_usage event_hub_usage(struct event_hub *hub);

#endif
