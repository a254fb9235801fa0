#ifndef WAYBILL_TRACKING_INTERFACES_POLLING_TRACKING_POLLS_H
#define WAYBILL_TRACKING_INTERFACES_POLLING_TRACKING_POLLS_H

#include "platform/base/error.h"
#include "platform/base/random.h"
#include "platform/rpc/client.h"
#include "tracking/application/tracking_service.h"
#include "tracking/domain/polling.h"

#include <stdint.h>

/*
 * Asks the carriers, through shipping's GetTrackingInfo, about parcels on their way of which they
 * tell nothing (domain/polling.h says when). What they answer is recorded like the scans that they
 * push, by content: what was known changes nothing. An expected delivery that is another one than
 * before becomes an INFO_RECEIVED of the instant of the answer.
 *
 * It goes in rounds: everything that has become due since the last one is listed, as far as each
 * carrier's quota has room; then it is asked about, spread at random over the time until the next
 * round. A carrier that is overloaded or away (RESOURCE_EXHAUSTED, UNAVAILABLE, DEADLINE_EXCEEDED)
 * is left alone for as long as it says, or for a growing time; one that cannot be asked at all
 * (UNIMPLEMENTED, FAILED_PRECONDITION) for a day. What is passed over comes again at the parcel's
 * next time.
 *
 * How far it has got and what each carrier's quota has left is a note of the repository, written
 * before the first question of a round: a crash asks some questions twice, and never beyond a
 * quota.
 *
 * It has a thread of its own. Opened, stopped and closed by the main thread.
 */
struct tracking_polls;

struct tracking_polls_options {
    struct tracking_service *service;
    struct random *random;
    struct rpc_client_options shipping; /* where shipping is; texts live as long */
    int64_t interval_us;                /* at least 8 s */
    struct polling_quotas quotas;
};

/* OUT_OF_MEMORY, INTERNAL, INVALID_SETTING (shipping's address). */
struct error tracking_polls_open(struct tracking_polls **polls,
                                 const struct tracking_polls_options *options);

/* Ends: what was under way is asked again by the next start. The repository still answers. */
void tracking_polls_stop(struct tracking_polls *polls);

/* Once stopped. NULL is allowed. */
void tracking_polls_close(struct tracking_polls *polls);

/* Since the start. Any thread. */
struct tracking_polls_usage {
    uint64_t rounds;
    uint64_t asked;
    uint64_t failed;  /* of those */
    uint64_t skipped; /* due, but beyond a quota or a carrier that is left alone */
    uint64_t events;  /* learnt that were not known */
};
struct tracking_polls_usage tracking_polls_usage(struct tracking_polls *polls);

#endif
