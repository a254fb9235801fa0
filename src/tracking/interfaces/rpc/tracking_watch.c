/*
 * The hub's thread sleeps while nobody watches. With watchers it reads batch after batch and posts
 * each to every loop that has watchers; the batch lives until the last loop has gone through it.
 *
 * A loop knows how far batches have come to it (`delivered`). A watcher that stands there is live
 * and gets its part of each batch; one that stands further back has the hub read for it alone, a
 * batch at a time, until it stands there, too. Whether a watcher stands at `delivered` is only
 * looked at on the loop's thread, so nothing is missed and nothing sent twice.
 *
 * A watcher whose queue is full gets no more until it has room, and then catches up from where it
 * was: memory is bounded by queues, however slow a client is. A failed read ends the watchers that
 * depend on it with its status; they come again with their cursor.
 */
#include "tracking/interfaces/rpc/tracking_watch.h"

#include "platform/base/check.h"
#include "platform/base/hash_map.h"
#include "platform/base/log.h"
#include "platform/base/memory.h"
#include "tracking/domain/limits.h"
#include "tracking/interfaces/rpc/tracking_answers.h"
#include "tracking/interfaces/rpc/tracking_messages.h"
#include "tracking/interfaces/rpc/tracking_rpc.h"
#include "tracking/interfaces/rpc/tracking_watch_state.h"

#include <string.h>

/* --- batches --- */

static struct watch_batch *batch_create(struct tracking_watch *watch)
{
    struct watch_batch *batch = memory_allocate_zero(1, sizeof *batch);
    if (batch == NULL)
        return NULL;
    arena_init(&batch->arena, watch_batch_bytes_max);
    batch->watch = watch;
    atomic_init(&batch->uses, 1);
    return batch;
}

static void batch_release(struct watch_batch *batch)
{
    if (atomic_fetch_sub(&batch->uses, 1) > 1)
        return;
    arena_deinit(&batch->arena);
    memory_release(batch);
}

/* Reads what is behind `after`. The error, if there is one, is in the batch. */
static struct watch_batch *batch_read(struct tracking_watch *watch, uint64_t after)
{
    struct watch_batch *batch = batch_create(watch);
    if (batch == NULL)
        return NULL;
    batch->from = after;
    batch->error = tracking_announcement_source_read(
        watch->announcements, after, watch_batch_count_max, &batch->arena, &batch->read);
    batch->to = error_is(batch->error) ? after : batch->read.next;
    return batch;
}

/* Has it run on a loop's thread; `watcher` NULL = for all there. */
static void deliver_later(struct watch_batch *batch, struct watch_loop *loop,
                          struct watcher *watcher)
{
    struct watch_delivery *delivery = memory_allocate(sizeof *delivery);
    CHECK(delivery != NULL); /* a few bytes; without them a watcher would miss something */
    *delivery = (struct watch_delivery){
        .task.run = watch_deliver,
        .batch = batch,
        .loop = loop,
        .watcher = watcher,
    };
    atomic_fetch_add(&batch->uses, 1);
    atomic_fetch_add(&batch->watch->outstanding, 1);
    executor_post(loop->executor, &delivery->task);
}

void watch_delivery_done(struct watch_delivery *delivery)
{
    struct tracking_watch *watch = delivery->batch->watch;
    batch_release(delivery->batch);
    memory_release(delivery);
    pthread_mutex_lock(&watch->mutex);
    if (atomic_fetch_sub(&watch->outstanding, 1) == 1)
        pthread_cond_broadcast(&watch->changed);
    pthread_mutex_unlock(&watch->mutex);
}

/* --- the hub's thread --- */

static void wake(void *context)
{
    struct tracking_watch *watch = context;
    pthread_mutex_lock(&watch->mutex);
    watch->woken = true;
    pthread_cond_broadcast(&watch->changed);
    pthread_mutex_unlock(&watch->mutex);
}

/* Under the mutex: what there is to do, or NULL when it is to end. */
static bool wait_for_work(struct tracking_watch *watch)
{
    while (!watch->stopping && watch->catching_up == NULL &&
           !(watch->woken && watch->watcher_count > 0))
        pthread_cond_wait(&watch->changed, &watch->mutex);
    return !watch->stopping;
}

/* Reads for all, and hands it to every loop with watchers. */
static void read_for_all(struct tracking_watch *watch)
{
    uint64_t after = watch->position;
    watch->woken = false;
    pthread_mutex_unlock(&watch->mutex);
    struct watch_batch *batch = batch_read(watch, after);
    pthread_mutex_lock(&watch->mutex);
    if (batch == NULL)
        return;
    if (error_is(batch->error))
        log_error("tracking: announcements cannot be read", &batch->error);
    watch->woken = watch->woken || batch->read.count == watch_batch_count_max;
    watch->position = batch->to;
    for (struct watch_loop *loop = watch->loops; loop != NULL; loop = loop->next) {
        if (loop->watcher_count > 0 && (batch->to > batch->from || error_is(batch->error)))
            deliver_later(batch, loop, NULL);
    }
    batch_release(batch);
}

/* Reads for the first of those that catch up. */
static void read_for_one(struct tracking_watch *watch)
{
    struct watcher *watcher = watch->catching_up;
    watch->catching_up = watcher->catch_up_next;
    if (watch->catching_up == NULL)
        watch->catching_up_end = &watch->catching_up;
    uint64_t after = watcher->position;
    pthread_mutex_unlock(&watch->mutex);
    struct watch_batch *batch = batch_read(watch, after);
    pthread_mutex_lock(&watch->mutex);
    if (batch == NULL) { /* again later */
        watcher->catch_up_next = NULL;
        *watch->catching_up_end = watcher;
        watch->catching_up_end = &watcher->catch_up_next;
        return;
    }
    deliver_later(batch, watcher->loop, watcher);
    batch_release(batch);
}

static void *run_hub(void *context)
{
    struct tracking_watch *watch = context;
    pthread_mutex_lock(&watch->mutex);
    while (wait_for_work(watch)) {
        if (watch->woken && watch->watcher_count > 0)
            read_for_all(watch);
        if (watch->catching_up != NULL)
            read_for_one(watch);
    }
    pthread_mutex_unlock(&watch->mutex);
    return NULL;
}

/* --- its life --- */

struct error tracking_watch_open(struct tracking_watch **watch, struct tracking_service *service,
                                 struct tracking_announcement_source *announcements,
                                 struct event_feed *feed)
{
    struct tracking_watch *made = memory_allocate_zero(1, sizeof *made);
    if (made == NULL)
        return error_make(ERROR_OUT_OF_MEMORY, "tracking: watchers");
    made->service = service;
    made->announcements = announcements;
    made->feed = feed;
    made->catching_up_end = &made->catching_up;
    pthread_mutex_init(&made->mutex, NULL);
    pthread_cond_init(&made->changed, NULL);
    made->feed_watcher = (struct event_feed_watcher){.wake = wake, .context = made};
    if (pthread_create(&made->thread, NULL, run_hub, made) != 0) {
        pthread_mutex_destroy(&made->mutex);
        pthread_cond_destroy(&made->changed);
        memory_release(made);
        return error_make(ERROR_OUT_OF_MEMORY, "tracking: the watchers' thread");
    }
    event_feed_watch(feed, &made->feed_watcher);
    *watch = made;
    return error_none();
}

void tracking_watch_stop(struct tracking_watch *watch)
{
    if (watch->stopped)
        return;
    watch->stopped = true;
    event_feed_unwatch(watch->feed, &watch->feed_watcher);
    pthread_mutex_lock(&watch->mutex);
    watch->stopping = true;
    pthread_cond_broadcast(&watch->changed);
    pthread_mutex_unlock(&watch->mutex);
    pthread_join(watch->thread, NULL);
    struct watch_batch *last = batch_create(watch);
    if (last == NULL)
        return; /* the server ends the calls when their time to drain is over */
    last->error = error_make(ERROR_STORE_UNAVAILABLE, "the server stops: watch another one");
    pthread_mutex_lock(&watch->mutex);
    for (struct watch_loop *loop = watch->loops; loop != NULL; loop = loop->next)
        deliver_later(last, loop, NULL);
    pthread_mutex_unlock(&watch->mutex);
    batch_release(last);
}

void tracking_watch_close(struct tracking_watch *watch)
{
    if (watch == NULL)
        return;
    tracking_watch_stop(watch);
    pthread_mutex_lock(&watch->mutex);
    while (atomic_load(&watch->outstanding) > 0)
        pthread_cond_wait(&watch->changed, &watch->mutex);
    pthread_mutex_unlock(&watch->mutex);
    while (watch->catching_up != NULL) { /* their calls were over before their turn came */
        struct watcher *watcher = watch->catching_up;
        watch->catching_up = watcher->catch_up_next;
        memory_release(watcher->interests);
        memory_release(watcher);
    }
    while (watch->loops != NULL) {
        struct watch_loop *loop = watch->loops;
        watch->loops = loop->next;
        hash_map_deinit(&loop->topics);
        memory_release(loop);
    }
    pthread_mutex_destroy(&watch->mutex);
    pthread_cond_destroy(&watch->changed);
    memory_release(watch);
}

uint64_t tracking_watch_count(struct tracking_watch *watch)
{
    pthread_mutex_lock(&watch->mutex);
    uint64_t count = watch->watcher_count;
    pthread_mutex_unlock(&watch->mutex);
    return count;
}

/* --- what loops ask of the hub --- */

struct watch_loop *watch_find_loop(struct tracking_watch *watch, struct executor *executor)
{
    pthread_mutex_lock(&watch->mutex);
    struct watch_loop *loop = watch->loops;
    while (loop != NULL && loop->executor != executor)
        loop = loop->next;
    if (loop == NULL) {
        loop = memory_allocate_zero(1, sizeof *loop);
        if (loop != NULL) {
            loop->watch = watch;
            loop->executor = executor;
            hash_map_init(&loop->topics);
            loop->next = watch->loops;
            watch->loops = loop;
        }
    }
    pthread_mutex_unlock(&watch->mutex);
    return loop;
}

bool watch_join(struct watch_loop *loop)
{
    struct tracking_watch *watch = loop->watch;
    pthread_mutex_lock(&watch->mutex);
    bool joined = !watch->stopping;
    if (joined && watch->watcher_count == 0) {
        watch->position = tracking_announcement_source_newest(watch->announcements);
        watch->woken = true; /* something may have come since */
        pthread_cond_broadcast(&watch->changed);
    }
    if (joined && loop->watcher_count == 0 && loop->delivered < watch->position)
        loop->delivered = watch->position;
    loop->watcher_count += joined;
    watch->watcher_count += joined;
    pthread_mutex_unlock(&watch->mutex);
    return joined;
}

void watch_leave(struct watch_loop *loop)
{
    pthread_mutex_lock(&loop->watch->mutex);
    loop->watcher_count--;
    loop->watch->watcher_count--;
    pthread_mutex_unlock(&loop->watch->mutex);
}

void watch_catch_up(struct watcher *watcher)
{
    struct tracking_watch *watch = watcher->loop->watch;
    pthread_mutex_lock(&watch->mutex);
    watcher->catch_up_next = NULL;
    *watch->catching_up_end = watcher;
    watch->catching_up_end = &watcher->catch_up_next;
    pthread_cond_broadcast(&watch->changed);
    pthread_mutex_unlock(&watch->mutex);
}
