/*
 * Subscribers are in one of three lists: idle (nothing behind their positions when last looked at),
 * queued (to be looked at), or none (in a thread's hands, or their owner's). A feed's wake-up only
 * sets a flag; the next thread that looks moves the idle subscribers of that feed to the queue. So
 * a store's thread never waits for us.
 *
 * A thread takes the first of the queue, reads on in every feed it wants, at most turn_events_max
 * events, and then gives it back (it has taken something), queues it again (there is more), or
 * makes it idle. Wake-ups are counted, so that one which came meanwhile is noticed.
 *
 * Failed reads: what may go well later (network, memory) puts the subscriber aside for a moment by
 * making it idle and waking its feed after retry_us; anything else sends it back with the error.
 */
#include "platform/events/event_hub.h"

#include "platform/base/check.h"
#include "platform/base/condition.h"
#include "platform/base/log.h"
#include "platform/base/memory.h"
#include "platform/events/event_batch_cache.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

enum { hub_threads_max = 16 };

enum subscriber_state {
    SUBSCRIBER_OUTSIDE, /* its owner's */
    SUBSCRIBER_IDLE,
    SUBSCRIBER_QUEUED,
    SUBSCRIBER_RUNNING,
};

/* Doubly linked, a ring without a head: first and last. */
struct subscriber_list {
    struct event_hub_subscriber *first;
    struct event_hub_subscriber *last;
};

struct hub_feed {
    struct event_hub *hub;
    struct event_feed *feed;
    struct event_feed_watcher watcher;
    struct event_batch_cache cache;
    bool has_cache;
    atomic_bool is_woken;
};

struct event_hub {
    struct event_hub_options options;
    struct hub_feed feeds[event_hub_feeds_max];
    pthread_t threads[hub_threads_max];
    size_t thread_count;
    /* For sleeping alone, held for a moment only: a store's thread must not wait for the lists. */
    pthread_mutex_t signal_mutex;
    pthread_cond_t signal;
    bool is_signalled;
    pthread_mutex_t mutex; /* guards all below */
    struct subscriber_list idle;
    struct subscriber_list queued;
    size_t subscriber_count;
    uint64_t wakes; /* how often feeds had something new */
    bool is_stopping;
    bool is_closing;
    int64_t next_tick_us;
    int64_t retry_at_us; /* 0 = no feed is to be tried again */
    _Atomic uint64_t delivered;
};

struct event_hub_options event_hub_options_default(void)
{
    return (struct event_hub_options){
        .clock = clock_system(),
        .thread_count = 2,
        .subscribers_max = 10000,
        .turn_events_max = 1024,
        .kept_batches_max = 64,
        .gather_us = 2000,
        .retry_us = 1000000,
    };
}

/* --- lists; the mutex is held --- */

static void list_append(struct subscriber_list *list, struct event_hub_subscriber *subscriber)
{
    subscriber->next = NULL;
    subscriber->previous = list->last;
    if (list->last != NULL)
        list->last->next = subscriber;
    else
        list->first = subscriber;
    list->last = subscriber;
}

static void list_remove(struct subscriber_list *list, struct event_hub_subscriber *subscriber)
{
    if (subscriber->previous != NULL)
        subscriber->previous->next = subscriber->next;
    else
        list->first = subscriber->next;
    if (subscriber->next != NULL)
        subscriber->next->previous = subscriber->previous;
    else
        list->last = subscriber->previous;
}

static void queue_subscriber(struct event_hub *hub, struct event_hub_subscriber *subscriber)
{
    subscriber->state = SUBSCRIBER_QUEUED;
    list_append(&hub->queued, subscriber);
}

/* Idle subscribers of the feeds that were woken go to the queue. */
static void look_at_wakes(struct event_hub *hub)
{
    bool woken[event_hub_feeds_max];
    bool any = false;
    for (size_t i = 0; i < hub->options.feed_count; i++) {
        woken[i] = atomic_exchange(&hub->feeds[i].is_woken, false);
        any = any || woken[i];
    }
    if (!any)
        return;
    hub->wakes++;
    struct event_hub_subscriber *next;
    for (struct event_hub_subscriber *one = hub->idle.first; one != NULL; one = next) {
        bool is_concerned = false;
        next = one->next;
        for (size_t i = 0; i < hub->options.feed_count; i++)
            is_concerned = is_concerned || (woken[i] && one->wants[i]);
        if (is_concerned) {
            list_remove(&hub->idle, one);
            queue_subscriber(hub, one);
        }
    }
}

/* --- a turn --- */

/* What became of reading on in one feed. */
enum read_on { READ_ALL, READ_MORE, READ_FULL, READ_LATER, READ_FAILED };

/* Gives the events of a batch; true if the subscriber is full. */
static bool give_batch(struct event_hub_subscriber *subscriber, size_t feed,
                       const struct event_batch *batch, size_t *taken, size_t *looked_at)
{
    for (size_t i = 0; i < batch->event_count; i++) {
        const struct event *event = &batch->events[i];
        uint64_t before = subscriber->positions[feed];
        if (event->sequence <= before)
            continue;
        subscriber->positions[feed] = event->sequence;
        ++*looked_at;
        enum event_hub_take take = subscriber->table->take(subscriber, feed, event);
        if (take == EVENT_HUB_FULL) {
            subscriber->positions[feed] = before;
            return true;
        }
        *taken += take == EVENT_HUB_TAKEN;
    }
    if (batch->next > subscriber->positions[feed])
        subscriber->positions[feed] = batch->next;
    return false;
}

static enum read_on read_on(struct event_hub *hub, struct event_hub_subscriber *subscriber,
                            size_t feed, size_t *taken, struct error *error)
{
    struct event_batch_cache *cache = &hub->feeds[feed].cache;
    size_t looked_at = 0;
    while (looked_at < hub->options.turn_events_max) {
        struct cached_batch *batch;
        *error = event_batch_cache_read(cache, subscriber->positions[feed], &batch);
        if (error_is(*error))
            return error_may_retry(error->code) ? READ_LATER : READ_FAILED;
        if (batch == NULL)
            return READ_ALL;
        bool full = give_batch(subscriber, feed, &batch->batch, taken, &looked_at);
        event_batch_cache_release(cache, batch);
        if (full)
            return READ_FULL;
    }
    return READ_MORE;
}

/* Reads on in all feeds. *more: there may be more at once. */
static struct error run_turn(struct event_hub *hub, struct event_hub_subscriber *subscriber,
                             size_t *taken, bool *more, bool *later)
{
    struct error error = error_none();
    for (size_t i = 0; i < hub->options.feed_count; i++) {
        if (!subscriber->wants[i])
            continue;
        switch (read_on(hub, subscriber, i, taken, &error)) {
        case READ_ALL:
            break;
        case READ_MORE:
            *more = true;
            break;
        case READ_FULL:
            *more = true;
            return error_none();
        case READ_LATER:
            *later = true;
            error = error_none();
            break;
        case READ_FAILED:
            return error;
        }
    }
    return error_none();
}

/* Takes the subscriber out of the thread's hands and tells what to say; -1 = nothing, it stays. The
 * mutex is held. */
static int end_turn(struct event_hub *hub, struct event_hub_subscriber *subscriber,
                    const struct error *error, size_t taken, bool more, bool later)
{
    int reason = -1;
    if (subscriber->removing)
        reason = EVENT_HUB_REMOVED;
    else if (hub->is_stopping)
        reason = EVENT_HUB_STOPPING;
    else if (taken > 0)
        reason = EVENT_HUB_DELIVERED;
    else if (error_is(*error))
        reason = EVENT_HUB_FAILED;
    if (reason >= 0) {
        subscriber->state = SUBSCRIBER_OUTSIDE;
        return reason;
    }
    if (more || subscriber->wakes != hub->wakes) {
        queue_subscriber(hub, subscriber);
        return reason;
    }
    subscriber->state = SUBSCRIBER_IDLE;
    list_append(&hub->idle, subscriber);
    if (later && hub->retry_at_us == 0)
        hub->retry_at_us = clock_monotonic_us(hub->options.clock) + hub->options.retry_us;
    return reason;
}

/* Something is there to do. */
static void signal_hub(struct event_hub *hub)
{
    pthread_mutex_lock(&hub->signal_mutex);
    hub->is_signalled = true;
    pthread_cond_signal(&hub->signal);
    pthread_mutex_unlock(&hub->signal_mutex);
}

/* One subscriber's turn; the mutex is held before and after, not between. */
static void serve(struct event_hub *hub, struct event_hub_subscriber *subscriber)
{
    size_t taken = 0;
    bool more = false;
    bool later = false;
    list_remove(&hub->queued, subscriber);
    subscriber->state = SUBSCRIBER_RUNNING;
    subscriber->wakes = hub->wakes;
    bool has_more = hub->queued.first != NULL;
    pthread_mutex_unlock(&hub->mutex);
    if (has_more) /* another thread may take the next one */
        signal_hub(hub);
    struct error error = run_turn(hub, subscriber, &taken, &more, &later);
    atomic_fetch_add_explicit(&hub->delivered, taken, memory_order_relaxed);
    pthread_mutex_lock(&hub->mutex);
    int reason = end_turn(hub, subscriber, &error, taken, more, later);
    if (reason < 0)
        return;
    pthread_mutex_unlock(&hub->mutex);
    subscriber->table->returned(subscriber, (enum event_hub_return)reason,
                                reason == EVENT_HUB_FAILED ? &error : NULL);
    pthread_mutex_lock(&hub->mutex);
}

/* --- threads --- */

/* Sleeps until there is something to do, at most `us`. The mutex is held, but not meanwhile. */
static void wait_for_change(struct event_hub *hub, int64_t us)
{
    struct timespec until = condition_deadline(us);
    pthread_mutex_unlock(&hub->mutex);
    pthread_mutex_lock(&hub->signal_mutex);
    while (!hub->is_signalled) {
        if (pthread_cond_timedwait(&hub->signal, &hub->signal_mutex, &until) != 0)
            break;
    }
    hub->is_signalled = false;
    pthread_mutex_unlock(&hub->signal_mutex);
    pthread_mutex_lock(&hub->mutex);
}

/* What is due by the clock: a second try of feeds that failed, and the owner's tick. */
static void look_at_clock(struct event_hub *hub)
{
    int64_t now_us = clock_monotonic_us(hub->options.clock);
    if (hub->retry_at_us != 0 && now_us >= hub->retry_at_us) {
        hub->retry_at_us = 0;
        for (size_t i = 0; i < hub->options.feed_count; i++)
            atomic_store(&hub->feeds[i].is_woken, true);
    }
    if (now_us < hub->next_tick_us || hub->options.tick == NULL)
        return;
    hub->next_tick_us = now_us + 1000000;
    pthread_mutex_unlock(&hub->mutex);
    hub->options.tick(hub->options.tick_context);
    pthread_mutex_lock(&hub->mutex);
}

static void *run(void *context)
{
    struct event_hub *hub = context;
    pthread_mutex_lock(&hub->mutex);
    while (!hub->is_closing) {
        look_at_clock(hub);
        look_at_wakes(hub);
        if (hub->queued.first != NULL) {
            serve(hub, hub->queued.first);
            continue;
        }
        wait_for_change(hub, 500000);
        if (hub->options.gather_us > 0 && hub->queued.first == NULL && !hub->is_closing) {
            struct timespec gather = {.tv_nsec = hub->options.gather_us * 1000};
            pthread_mutex_unlock(&hub->mutex);
            nanosleep(&gather, NULL);
            pthread_mutex_lock(&hub->mutex);
        }
    }
    pthread_mutex_unlock(&hub->mutex);
    signal_hub(hub); /* the next thread ends, too */
    return NULL;
}

/* A feed has something new: on a store's thread. */
static void wake(void *context)
{
    struct hub_feed *feed = context;
    if (!atomic_exchange(&feed->is_woken, true))
        signal_hub(feed->hub);
}

/* --- subscribers --- */

bool event_hub_add(struct event_hub *hub, struct event_hub_subscriber *subscriber)
{
    pthread_mutex_lock(&hub->mutex);
    bool added = !hub->is_stopping && hub->subscriber_count < hub->options.subscribers_max;
    if (added) {
        hub->subscriber_count++;
        subscriber->removing = false;
        queue_subscriber(hub, subscriber);
    }
    pthread_mutex_unlock(&hub->mutex);
    if (added)
        signal_hub(hub);
    return added;
}

void event_hub_resume(struct event_hub *hub, struct event_hub_subscriber *subscriber)
{
    pthread_mutex_lock(&hub->mutex);
    CHECK(subscriber->state == SUBSCRIBER_OUTSIDE);
    subscriber->removing = false;
    queue_subscriber(hub, subscriber);
    pthread_mutex_unlock(&hub->mutex);
    signal_hub(hub);
}

bool event_hub_remove(struct event_hub *hub, struct event_hub_subscriber *subscriber)
{
    bool removed = true;
    pthread_mutex_lock(&hub->mutex);
    switch ((enum subscriber_state)subscriber->state) {
    case SUBSCRIBER_IDLE:
        list_remove(&hub->idle, subscriber);
        break;
    case SUBSCRIBER_QUEUED:
        list_remove(&hub->queued, subscriber);
        break;
    case SUBSCRIBER_RUNNING:
        subscriber->removing = true;
        removed = false;
        break;
    case SUBSCRIBER_OUTSIDE:
        removed = false; /* `returned` is being called at this moment */
        break;
    }
    if (removed)
        subscriber->state = SUBSCRIBER_OUTSIDE;
    pthread_mutex_unlock(&hub->mutex);
    return removed;
}

void event_hub_leave(struct event_hub *hub)
{
    pthread_mutex_lock(&hub->mutex);
    hub->subscriber_count--;
    pthread_mutex_unlock(&hub->mutex);
}

/* --- its life --- */

static struct error start(struct event_hub *hub)
{
    for (size_t i = 0; i < hub->options.feed_count; i++) {
        struct hub_feed *feed = &hub->feeds[i];
        feed->hub = hub;
        feed->feed = hub->options.feeds[i];
        feed->watcher.wake = wake;
        feed->watcher.context = feed;
        feed->has_cache = true;
        if (!event_batch_cache_init(&feed->cache, feed->feed, hub->options.kept_batches_max))
            return error_make(ERROR_OUT_OF_MEMORY, "the hub of event subscribers");
        event_feed_watch(feed->feed, &feed->watcher);
    }
    for (; hub->thread_count < hub->options.thread_count; hub->thread_count++) {
        if (pthread_create(&hub->threads[hub->thread_count], NULL, run, hub) != 0)
            return error_make(ERROR_OUT_OF_MEMORY, "the threads of event subscribers");
    }
    return error_none();
}

struct error event_hub_open(struct event_hub **hub, const struct event_hub_options *options)
{
    CHECK(options->feed_count <= event_hub_feeds_max && options->thread_count <= hub_threads_max);
    struct event_hub *made = memory_allocate_zero(1, sizeof *made);
    *hub = NULL;
    if (made == NULL)
        return error_make(ERROR_OUT_OF_MEMORY, "the hub of event subscribers");
    made->options = *options;
    condition_init(&made->signal);
    pthread_mutex_init(&made->signal_mutex, NULL);
    pthread_mutex_init(&made->mutex, NULL);
    struct error error = start(made);
    made->options.feeds = NULL; /* the caller's */
    if (error_is(error)) {
        event_hub_stop(made);
        event_hub_close(made);
        return error;
    }
    *hub = made;
    return error;
}

void event_hub_stop(struct event_hub *hub)
{
    pthread_mutex_lock(&hub->mutex);
    hub->is_stopping = true;
    for (;;) {
        struct subscriber_list *list = hub->idle.first != NULL ? &hub->idle : &hub->queued;
        struct event_hub_subscriber *one = list->first;
        if (one == NULL)
            break;
        list_remove(list, one);
        one->state = SUBSCRIBER_OUTSIDE;
        pthread_mutex_unlock(&hub->mutex);
        one->table->returned(one, EVENT_HUB_STOPPING, NULL);
        pthread_mutex_lock(&hub->mutex);
    }
    pthread_mutex_unlock(&hub->mutex);
}

void event_hub_close(struct event_hub *hub)
{
    if (hub == NULL)
        return;
    pthread_mutex_lock(&hub->mutex);
    while (hub->subscriber_count > 0) {
        struct timespec moment = {.tv_nsec = 5000000};
        pthread_mutex_unlock(&hub->mutex);
        nanosleep(&moment, NULL);
        pthread_mutex_lock(&hub->mutex);
    }
    hub->is_closing = true;
    pthread_mutex_unlock(&hub->mutex);
    pthread_mutex_lock(&hub->signal_mutex);
    hub->is_signalled = true;
    pthread_cond_broadcast(&hub->signal);
    pthread_mutex_unlock(&hub->signal_mutex);
    for (size_t i = 0; i < hub->thread_count; i++)
        pthread_join(hub->threads[i], NULL);
    for (size_t i = 0; i < hub->options.feed_count && hub->feeds[i].has_cache; i++) {
        event_feed_unwatch(hub->feeds[i].feed, &hub->feeds[i].watcher);
        event_batch_cache_deinit(&hub->feeds[i].cache);
    }
    pthread_cond_destroy(&hub->signal);
    pthread_mutex_destroy(&hub->signal_mutex);
    pthread_mutex_destroy(&hub->mutex);
    memory_release(hub);
}

struct event_hub_usage event_hub_usage(struct event_hub *hub)
{
    struct event_hub_usage usage = {.delivered = atomic_load(&hub->delivered)};
    pthread_mutex_lock(&hub->mutex);
    usage.subscribers = hub->subscriber_count;
    pthread_mutex_unlock(&hub->mutex);
    for (size_t i = 0; i < hub->options.feed_count; i++)
        usage.reads += event_batch_cache_reads(&hub->feeds[i].cache);
    return usage;
}
