#ifndef WAYBILL_TRACKING_INTERFACES_WEBHOOKS_TRACKING_WEBHOOKS_H
#define WAYBILL_TRACKING_INTERFACES_WEBHOOKS_TRACKING_WEBHOOKS_H

#include "platform/base/error.h"
#include "platform/base/random.h"
#include "platform/events/event_feed.h"
#include "tracking/application/tracking_subscription.h"
#include "tracking/domain/tracking_repository.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * Sends what tracking announces to the URLs of subscriptions. A POST a piece, JSON, signed:
 *
 *     waybill-event-id   the same on every attempt: for the receiver to drop repeats
 *     waybill-timestamp  seconds since 1970, of the attempt; older than 300 s should be refused
 *     waybill-nonce      32 hexadecimal digits, new with every attempt
 *     waybill-signature  v1= and HMAC-SHA-256 in hexadecimal, by the subscription's secret, over
 *                        timestamp "." nonce "." body
 *
 * Each subscription gets its announcements one after the other, in order, at least once; what is
 * not answered with 2xx is sent again after 1, 2, 4, … seconds, at most every 5 minutes,
 * `attempts_max` times in all. Then it is put aside as a dead letter (a note, with the reason),
 * counted, and the next one goes. What becomes a note with again_prefix is sent once more, before
 * anything else. How far a subscription has got is a note, too, so a restart goes on from there.
 *
 * It has a thread of its own. Opened, stopped and closed by the main thread.
 */
struct tracking_webhooks;

struct tracking_webhooks_options {
    struct tracking_repository *repository;
    struct event_feed *feed;
    struct random *random;
    unsigned attempts_max;    /* of one piece */
    size_t subscriptions_max; /* so many requests at a time, so that none waits for others' */
    const char *certificate_authorities; /* a PEM file; NULL = the machine's */
};

/* OUT_OF_MEMORY, INTERNAL. */
struct error tracking_webhooks_open(struct tracking_webhooks **webhooks,
                                    const struct tracking_webhooks_options *options);

/* Subscriptions have changed: they are read again. Any thread. */
void tracking_webhooks_changed(struct tracking_webhooks *webhooks);

/* Ends: what is under way is sent again by the next start. The repository still answers. */
void tracking_webhooks_stop(struct tracking_webhooks *webhooks);

/* Once stopped. NULL is allowed. */
void tracking_webhooks_close(struct tracking_webhooks *webhooks);

/* How many of a subscription's are given up. Any thread. */
uint64_t tracking_webhooks_dead_letters(struct tracking_webhooks *webhooks,
                                        struct text subscription_id);

/* Since the start. Any thread. */
struct tracking_webhooks_usage {
    uint64_t delivered;
    uint64_t failed; /* attempts */
    uint64_t given_up;
    uint64_t dead_letters; /* of all subscriptions now, from the store */
    uint64_t subscriptions;
};
struct tracking_webhooks_usage tracking_webhooks_usage(struct tracking_webhooks *webhooks);

#endif
