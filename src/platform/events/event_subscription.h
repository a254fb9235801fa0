#ifndef WAYBILL_PLATFORM_EVENTS_EVENT_SUBSCRIPTION_H
#define WAYBILL_PLATFORM_EVENTS_EVENT_SUBSCRIPTION_H

#include "platform/base/clock.h"
#include "platform/events/event_feed.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * How one context follows another: a thread that reads a feed from where its consumer stands and
 * hands over one batch after the other, for ever; what fails is tried again, later and later.
 *
 * The consumer stores its place (the log's identity and the position batch->next) in the same
 * atomic step as the change that the batch makes, and skips events whose sequence is not above the
 * place stored: so each event has its effect exactly once, whatever crashes where.
 *
 * An event that is no message of its type will never be one (decision 0012). A consumer to which
 * each event is a fact of its own sets it aside; one that keeps a running sum of all answers
 * DAMAGED, and the subscription stands before it, says so, and looks again now and then.
 */
struct event_subscription;

/* Where a consumer stands. */
struct event_place {
    char identity[event_log_identity_bytes_max]; /* of the log; "" = it has not begun */
    uint64_t position;                           /* everything up to here has had its effect */
};

/* What to do when the place is of no use: another log, or older than what is kept. */
enum event_place_lost {
    EVENT_PLACE_STOP,   /* a human must decide; the subscription stays stopped and says so */
    EVENT_PLACE_OLDEST, /* go on with the oldest event kept: the consumer makes up for the gap */
};

/* What the consumer gives; all are called on the subscription's thread, one at a time. */
struct event_consumer {
    /* Reads the place stored. An error: tried again later. */
    struct error (*load)(void *context, struct event_place *place);
    /*
     * Takes a batch, which may be empty when only the position moved on, and stores `place`, which
     * is behind it. Returns when that is durable. An error: the same events come again later, then
     * perhaps in a batch of another size.
     */
    struct error (*handle)(void *context, const struct event_batch *batch,
                           const struct event_place *place);
    /* NULL = EVENT_PLACE_STOP. `error` says what is wrong. */
    enum event_place_lost (*lost)(void *context, const struct error *error);
    void *context;
};

struct event_subscription_options {
    const char *name; /* for the log: "shelf feed" */
    struct event_feed *feed;
    struct event_consumer consumer;
    struct clock *clock;
    size_t batch_events_max; /* ≤ event_batch_events_max */
    int64_t retry_us_min;    /* after the first failure; doubled with each, */
    int64_t retry_us_max;    /* up to this */
    bool from_present;       /* a consumer without a place begins with what comes from now on,
                                instead of with the oldest event kept */
    /* False, for tests: no thread; event_subscription_step does what there is to do. */
    bool threaded;
};

/* 256 events a batch, 100 ms to 10 s, from the oldest, threaded; the rest is left empty. */
struct event_subscription_options event_subscription_options_default(void);

/* OUT_OF_MEMORY. The feed and the consumer must outlive it. */
__attribute__((warn_unused_result)) struct error event_subscription_start(
    struct event_subscription **subscription, const struct event_subscription_options *options);

/* Not threaded: one read and, if it gave something, one handle. *idle: there was nothing. */
__attribute__((warn_unused_result)) struct error event_subscription_step(
    struct event_subscription *subscription, bool *idle);

/*
 * Within `handle`: the event is of no use and never will be, `why` says it, and the consumer goes
 * on without it. Logged as an error with its place, where it stays in its source's log; counted.
 */
void event_subscription_set_aside(struct event_subscription *subscription,
                                  const struct event *event, const struct error *why);

/* Ends after the batch in hand. NULL is allowed. */
void event_subscription_stop(struct event_subscription *subscription);

/* How it goes. Any thread. */
struct event_subscription_status {
    struct event_place place; /* as handled */
    uint64_t newest;          /* where the feed's log ended when last looked at */
    uint64_t events;          /* handed over since the start */
    uint64_t failures;
    uint64_t set_aside;      /* events of no use, since the start */
    bool stopped;            /* the place was lost: nothing more comes */
    struct error last_error; /* of the attempt before, or none; DAMAGED: it will hardly go on */
};
struct event_subscription_status event_subscription_status(struct event_subscription *subscription);

#endif
