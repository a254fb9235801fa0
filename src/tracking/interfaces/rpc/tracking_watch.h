#ifndef WAYBILL_TRACKING_INTERFACES_RPC_TRACKING_WATCH_H
#define WAYBILL_TRACKING_INTERFACES_RPC_TRACKING_WATCH_H

#include "platform/base/error.h"
#include "platform/events/event_feed.h"
#include "platform/rpc/server.h"
#include "tracking/application/tracking_service.h"
#include "tracking/domain/tracking_announcement.h"

/*
 * WatchTracking: one thread reads what tracking announces, once for all watchers, and hands each
 * batch to the I/O threads that have any; there each watcher gets what is its own. Who begins with
 * an old cursor, or read too slowly for a while, is read to separately until it has caught up. A
 * cursor names log and position, so it is good after a restart, as long as the log is kept.
 *
 * The handler's context is the door. Thread: opened, started, stopped, closed by the main thread.
 */
struct tracking_watch;

/*
 * `announcements` is read, `feed` (the same log as the world's events) tells when something new is
 * there; all outlive it. OUT_OF_MEMORY.
 */
struct error tracking_watch_open(struct tracking_watch **watch, struct tracking_service *service,
                                 struct tracking_announcement_source *announcements,
                                 struct event_feed *feed);

/* Ends all watchers' calls with UNAVAILABLE; the I/O threads still run. */
void tracking_watch_stop(struct tracking_watch *watch);

/* All calls are over. NULL is allowed. */
void tracking_watch_close(struct tracking_watch *watch);

/* Calls that watch now. Any thread. */
uint64_t tracking_watch_count(struct tracking_watch *watch);

extern const struct rpc_stream_handler tracking_watch_stream;

#endif
