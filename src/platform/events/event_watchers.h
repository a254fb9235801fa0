#ifndef WAYBILL_PLATFORM_EVENTS_EVENT_WATCHERS_H
#define WAYBILL_PLATFORM_EVENTS_EVENT_WATCHERS_H

#include "platform/events/event_feed.h"

#include <pthread.h>
#include <stdint.h>

/* The watchers of one feed: what adapters of event_feed share. Thread: any. */
struct event_watchers {
    pthread_mutex_t mutex;
    struct event_feed_watcher *first;
};

void event_watchers_init(struct event_watchers *watchers);

/* All have left. */
void event_watchers_deinit(struct event_watchers *watchers);

/* As event_feed_watch and event_feed_unwatch. */
void event_watchers_add(struct event_watchers *watchers, struct event_feed_watcher *watcher);
void event_watchers_remove(struct event_watchers *watchers, struct event_feed_watcher *watcher);

/* Wakes all: something new is durable. */
void event_watchers_wake(struct event_watchers *watchers);

/* The lowest position that a watcher holds; UINT64_MAX if none does. */
uint64_t event_watchers_held(struct event_watchers *watchers);

#endif
