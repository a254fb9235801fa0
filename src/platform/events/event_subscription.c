/*
 * A loop of read and handle. The feed's wake-up and the end are flags under one mutex; between
 * failures it sleeps, each time twice as long, up to the bound.
 *
 * What a subscription has handled is held in the feed (event_feed_watcher), so that a log in this
 * process never removes what a consumer here has not seen.
 */
#include "platform/events/event_subscription.h"

#include "platform/base/arena.h"
#include "platform/base/check.h"
#include "platform/base/condition.h"
#include "platform/base/log.h"
#include "platform/base/memory.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

enum { arena_bytes_max = 8 * 1024 * 1024 };

/* Feeds of other processes may not wake us as quickly as they should. */
static const int64_t idle_us = 1000 * 1000;

struct event_subscription {
    struct event_subscription_options options;
    struct event_feed_watcher watcher;
    struct arena arena;
    struct event_place place; /* valid once `loaded` */
    bool loaded;
    bool lost;
    pthread_t thread;
    pthread_mutex_t mutex; /* guards all below */
    pthread_cond_t changed;
    bool is_woken;
    bool is_stopping;
    struct event_subscription_status status;
};

struct event_subscription_options event_subscription_options_default(void)
{
    return (struct event_subscription_options){
        .clock = clock_system(),
        .batch_events_max = 256,
        .retry_us_min = 100 * 1000,
        .retry_us_max = 10 * 1000 * 1000,
        .threaded = true,
    };
}

static void wake(void *context)
{
    struct event_subscription *subscription = context;
    pthread_mutex_lock(&subscription->mutex);
    if (!subscription->is_woken) {
        subscription->is_woken = true;
        pthread_cond_signal(&subscription->changed);
    }
    pthread_mutex_unlock(&subscription->mutex);
}

/* --- one step --- */

static struct error keep_place(struct event_subscription *subscription,
                               const struct event_place *place, size_t events)
{
    subscription->place = *place;
    atomic_store(&subscription->watcher.position, place->position);
    pthread_mutex_lock(&subscription->mutex);
    subscription->status.place = *place;
    subscription->status.events += events;
    pthread_mutex_unlock(&subscription->mutex);
    return error_none();
}

/* The consumer's place is of no use: what now? */
static struct error place_lost(struct event_subscription *subscription, struct error error)
{
    const struct event_consumer *consumer = &subscription->options.consumer;
    struct event_feed *feed = subscription->options.feed;
    struct log_field fields[] = {
        log_string("subscription", subscription->options.name),
        log_string("detail", error.detail),
    };
    log_event(LOG_LEVEL_WARNING, "event subscription: the place is lost", fields,
              sizeof fields / sizeof fields[0]);
    if (consumer->lost == NULL || consumer->lost(consumer->context, &error) == EVENT_PLACE_STOP) {
        subscription->lost = true;
        return error;
    }
    struct event_place place = {.position = event_feed_oldest(feed)};
    snprintf(place.identity, sizeof place.identity, "%s", event_feed_identity(feed));
    return keep_place(subscription, &place, 0);
}

/* Reads the consumer's place and compares it with the log. */
static struct error load(struct event_subscription *subscription)
{
    const struct event_consumer *consumer = &subscription->options.consumer;
    struct event_feed *feed = subscription->options.feed;
    const char *identity = event_feed_identity(feed);
    struct event_place place = {0};
    if (identity[0] == '\0')
        return error_make(ERROR_NETWORK, "%s cannot be asked for its log", feed->source);
    struct error error = consumer->load(consumer->context, &place);
    if (error_is(error))
        return error;
    subscription->loaded = true;
    if (place.identity[0] == '\0') {
        place.position =
            subscription->options.from_present ? event_feed_newest(feed) : event_feed_oldest(feed);
        snprintf(place.identity, sizeof place.identity, "%s", identity);
    } else if (strcmp(place.identity, identity) != 0) {
        return place_lost(subscription, error_make(ERROR_CURSOR_EXPIRED,
                                                   "it was in log %s of %s, which is %s now",
                                                   place.identity, feed->source, identity));
    }
    return keep_place(subscription, &place, 0);
}

static struct error handle(struct event_subscription *subscription, const struct event_batch *batch)
{
    const struct event_consumer *consumer = &subscription->options.consumer;
    struct event_place place = subscription->place;
    place.position = batch->next;
    struct error error = consumer->handle(consumer->context, batch, &place);
    if (error_is(error))
        return error;
    return keep_place(subscription, &place, batch->event_count);
}

static struct error step(struct event_subscription *subscription, bool *idle)
{
    struct event_batch batch;
    struct error error = error_none();
    *idle = true;
    if (!subscription->loaded)
        error = load(subscription);
    if (error_is(error))
        return error;
    arena_reset(&subscription->arena);
    error = event_feed_read(subscription->options.feed, subscription->place.position,
                            subscription->options.batch_events_max, &subscription->arena, &batch);
    if (error.code == ERROR_CURSOR_EXPIRED)
        return place_lost(subscription, error);
    if (error_is(error))
        return error;
    *idle = batch.next == subscription->place.position;
    return *idle ? error : handle(subscription, &batch);
}

struct error event_subscription_step(struct event_subscription *subscription, bool *idle)
{
    struct error error = step(subscription, idle);
    uint64_t newest = event_feed_newest(subscription->options.feed);
    pthread_mutex_lock(&subscription->mutex);
    subscription->status.newest = newest;
    subscription->status.stopped = subscription->lost;
    subscription->status.last_error = error;
    subscription->status.failures += error_is(error);
    pthread_mutex_unlock(&subscription->mutex);
    return error;
}

void event_subscription_set_aside(struct event_subscription *subscription,
                                  const struct event *event, const struct error *why)
{
    struct log_field fields[] = {
        log_string("subscription", subscription->options.name),
        log_string("log", subscription->place.identity),
        log_number("position", (int64_t)event->sequence),
        log_text("event", event->event_id),
        log_text("type", event->type),
        log_string("detail", why->detail),
    };
    log_event(LOG_LEVEL_ERROR, "event subscription: an event is set aside", fields,
              sizeof fields / sizeof fields[0]);
    pthread_mutex_lock(&subscription->mutex);
    subscription->status.set_aside++;
    pthread_mutex_unlock(&subscription->mutex);
}

/* --- the thread --- */

/* The first of a row of failures. */
static void tell_failure(const struct event_subscription *subscription, const struct error *error)
{
    bool is_damaged = error->code == ERROR_DAMAGED;
    struct log_field fields[] = {
        log_string("subscription", subscription->options.name),
        log_string("log", subscription->place.identity),
        log_number("position", (int64_t)subscription->place.position),
        log_string("error", error_text(error->code)),
        log_string("detail", error->detail),
    };
    log_event(is_damaged ? LOG_LEVEL_ERROR : LOG_LEVEL_WARNING,
              is_damaged ? "event subscription: it stands before what it cannot read"
                         : "event subscription: it will try again",
              fields, sizeof fields / sizeof fields[0]);
}

/* False: it is to end. */
static bool sleep_for(struct event_subscription *subscription, int64_t us, bool woken_early)
{
    struct timespec until = condition_deadline(us);
    pthread_mutex_lock(&subscription->mutex);
    while (us > 0 && !subscription->is_stopping && !(woken_early && subscription->is_woken)) {
        if (pthread_cond_timedwait(&subscription->changed, &subscription->mutex, &until) != 0)
            break;
    }
    subscription->is_woken = false;
    bool goes_on = !subscription->is_stopping;
    pthread_mutex_unlock(&subscription->mutex);
    return goes_on;
}

static void *run(void *context)
{
    struct event_subscription *subscription = context;
    int64_t retry_us = 0;
    bool goes_on = true;
    while (goes_on && !subscription->lost) {
        bool idle;
        struct error error = event_subscription_step(subscription, &idle);
        if (!error_is(error)) {
            retry_us = 0;
            goes_on = sleep_for(subscription, idle ? idle_us : 0, true);
            continue;
        }
        if (retry_us == 0)
            tell_failure(subscription, &error);
        retry_us = retry_us == 0 ? subscription->options.retry_us_min : 2 * retry_us;
        if (retry_us > subscription->options.retry_us_max)
            retry_us = subscription->options.retry_us_max;
        goes_on = sleep_for(subscription, retry_us, false);
    }
    return NULL;
}

/* --- its life --- */

struct error event_subscription_start(struct event_subscription **subscription,
                                      const struct event_subscription_options *options)
{
    CHECK(options->batch_events_max > 0 && options->batch_events_max <= event_batch_events_max);
    struct event_subscription *made = memory_allocate_zero(1, sizeof *made);
    *subscription = NULL;
    if (made == NULL)
        return error_make(ERROR_OUT_OF_MEMORY, "starting the subscription %s", options->name);
    made->options = *options;
    made->status.last_error = error_none();
    arena_init(&made->arena, arena_bytes_max);
    condition_init(&made->changed);
    pthread_mutex_init(&made->mutex, NULL);
    made->watcher.wake = wake;
    made->watcher.context = made;
    made->watcher.holds = true; /* everything, until the place is known */
    event_feed_watch(options->feed, &made->watcher);
    *subscription = made;
    if (!options->threaded || pthread_create(&made->thread, NULL, run, made) == 0)
        return error_none();
    made->options.threaded = false;
    event_subscription_stop(made);
    *subscription = NULL;
    return error_make(ERROR_OUT_OF_MEMORY, "starting the thread of %s", options->name);
}

void event_subscription_stop(struct event_subscription *subscription)
{
    if (subscription == NULL)
        return;
    pthread_mutex_lock(&subscription->mutex);
    subscription->is_stopping = true;
    pthread_cond_signal(&subscription->changed);
    pthread_mutex_unlock(&subscription->mutex);
    if (subscription->options.threaded)
        pthread_join(subscription->thread, NULL);
    event_feed_unwatch(subscription->options.feed, &subscription->watcher);
    arena_deinit(&subscription->arena);
    pthread_cond_destroy(&subscription->changed);
    pthread_mutex_destroy(&subscription->mutex);
    memory_release(subscription);
}

struct event_subscription_status event_subscription_status(struct event_subscription *subscription)
{
    pthread_mutex_lock(&subscription->mutex);
    struct event_subscription_status status = subscription->status;
    pthread_mutex_unlock(&subscription->mutex);
    return status;
}
