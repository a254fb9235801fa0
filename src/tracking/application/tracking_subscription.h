#ifndef WAYBILL_TRACKING_APPLICATION_TRACKING_SUBSCRIPTION_H
#define WAYBILL_TRACKING_APPLICATION_TRACKING_SUBSCRIPTION_H

#include "platform/base/arena.h"
#include "platform/base/violations.h"
#include "tracking/domain/limits.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Who has what happens sent to a URL. The repository keeps subscriptions as notes
 * (tracking_repository.h), named "subscription/" and the id; beside each, "delivery/" and the id
 * says how far it has got. All functions are pure.
 */
enum {
    subscription_url_bytes_max = 512,
    subscription_secret_bytes_min = 16,
    subscription_secret_bytes_max = 64,
    subscription_type_count = 3,
    subscription_value_bytes_max = 1024,
};

static const char subscription_prefix[] = "subscription/";
static const char delivery_prefix[] = "delivery/";
static const char dead_letter_prefix[] = "dead/";

/* "TrackingUpdated", "ShipmentDelivered", "TrackingSilent": bit i of `types`. */
extern const char *const subscription_type_names[subscription_type_count];

struct tracking_subscription {
    struct text subscription_id;
    struct text url;
    struct text secret;
    uint32_t types; /* 0 = all */
    int64_t create_time_us;
    int64_t replay_from_us;  /* events recorded before are not sent; 0 = only new ones are */
    uint64_t start_position; /* of the log, behind which it begins */
};

/* Adds what is wrong with a subscription that somebody wants. */
void tracking_subscription_check(const struct tracking_subscription *subscription,
                                 struct violations *violations);

/* False for a name that is none. */
bool subscription_type_find(struct text name, uint32_t *bit);

/* Its value as a note, id apart; data NULL without memory. */
struct text tracking_subscription_encode(struct arena *arena,
                                         const struct tracking_subscription *subscription);

/* Texts view the value. False if it is none. */
bool tracking_subscription_decode(struct text value, struct tracking_subscription *subscription);

/* Whether the same was asked for: what the caller gives. */
bool tracking_subscription_same(const struct tracking_subscription *a,
                                const struct tracking_subscription *b);

#endif
