#ifndef WAYBILL_TRACKING_INTERFACES_RPC_TRACKING_WATCH_STATE_H
#define WAYBILL_TRACKING_INTERFACES_RPC_TRACKING_WATCH_STATE_H

#include "platform/base/hash_map.h"
#include "tracking/interfaces/rpc/tracking_watch.h"

#include <pthread.h>
#include <stdatomic.h>

/*
 * What the two halves of WatchTracking share: the hub (tracking_watch.c), whose thread reads, and
 * the watchers (tracking_watchers.c), each on its loop's thread.
 */
enum {
    watch_batch_count_max = 256,
    watch_batch_bytes_max = 8 * 1024 * 1024,
};

struct watcher;

/* A number or an order that somebody on the loop watches; those who do. */
struct watch_topic {
    struct text key;
    struct watch_interest *first;
};

/* One watcher's interest in one topic. */
struct watch_interest {
    struct watch_interest *next; /* of the topic */
    struct watch_interest *previous;
    struct watch_topic *topic;
    struct watcher *watcher;
};

/* An I/O thread with watchers. */
struct watch_loop {
    struct watch_loop *next;
    struct tracking_watch *watch;
    struct executor *executor;
    size_t watcher_count;   /* under the hub's mutex */
    uint64_t delivered;     /* how far batches have come; this thread's, as all below */
    struct hash_map topics; /* by key */
    struct watcher *watchers;
    bool is_delivering;   /* the lists must stay as they are */
    struct watcher *gone; /* those whose calls were over meanwhile */
};

/* One call of WatchTracking. */
struct watcher {
    struct watcher *next; /* of the loop */
    struct watcher *previous;
    struct watcher *catch_up_next; /* under the hub's mutex */
    struct watch_loop *loop;
    struct rpc_call *call; /* NULL when it is over */
    uint64_t position;     /* everything up to here was sent or was not its own */
    bool is_live;          /* it stands where the loop does */
    bool is_catching_up;   /* the hub reads for it */
    bool is_full;          /* its queue has no room */
    bool has_begun;        /* it is among its loop's */
    bool has_failed;       /* its call was ended with an error */
    struct watcher *gone_next;
    struct watch_interest *interests;
    size_t interest_count;
};

/* A batch as it was read; several loops may go through it at once. */
struct watch_batch {
    struct tracking_watch *watch;
    _Atomic unsigned uses;
    struct arena arena;
    struct tracking_announcement_batch read;
    uint64_t from;
    uint64_t to;
    struct error error;
};

/* A batch on its way to a loop. */
struct watch_delivery {
    struct task task;
    struct watch_batch *batch;
    struct watch_loop *loop;
    struct watcher *watcher; /* NULL = for all who are live */
};

struct tracking_watch {
    struct tracking_service *service;
    struct tracking_announcement_source *announcements;
    struct event_feed *feed;
    struct event_feed_watcher feed_watcher;
    pthread_t thread;
    pthread_mutex_t mutex; /* guards all below */
    pthread_cond_t changed;
    bool woken; /* there may be something new */
    bool stopping;
    bool stopped;      /* the main thread's */
    uint64_t position; /* how far it was read for all */
    size_t watcher_count;
    struct watch_loop *loops;
    struct watcher *catching_up; /* first in, first out */
    struct watcher **catching_up_end;
    _Atomic uint64_t outstanding; /* deliveries on their way */
};

/* --- the hub, for loops; on the loop's thread --- */

/* The loop of that thread, made if need be; NULL without memory. */
struct watch_loop *watch_find_loop(struct tracking_watch *watch, struct executor *executor);

/* One more watcher, one less. False: the hub has stopped. */
bool watch_join(struct watch_loop *loop);
void watch_leave(struct watch_loop *loop);

/* Has the hub read a batch for this watcher, once. */
void watch_catch_up(struct watcher *watcher);

void watch_delivery_done(struct watch_delivery *delivery);

/* --- the watchers, for the hub: on the loop's thread --- */
void watch_deliver(struct task *task);

#endif
