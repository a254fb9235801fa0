#ifndef WAYBILL_TRACKING_APPLICATION_TRACKING_SUBSCRIPTION_H
#define WAYBILL_TRACKING_APPLICATION_TRACKING_SUBSCRIPTION_H

#include "platform/base/arena.h"
#include "platform/base/violations.h"
#include "tracking/domain/limits.h"
#include "tracking/domain/tracking_repository.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Who has what happens sent to a URL. The repository keeps subscriptions as notes
 * (tracking_repository.h), named "subscription/" and the id. Beside each, "delivery/" and the id
 * says how far it has got; "dead/", the id, "/" and the sequence is what was given up, "again/" the
 * same when somebody wants it sent once more. Those name the subscription's create_time: what an
 * earlier one of that id has left is not this one's. All functions are pure.
 */
enum {
    subscription_url_bytes_max = 512,
    subscription_secret_bytes_min = 16,
    subscription_secret_bytes_max = 64,
    subscription_type_count = 3,
    subscription_value_bytes_max = 1024,
    delivery_place_bytes_max = 32,
    dead_letter_reason_bytes_max = 127,
    dead_letter_event_id_bytes_max = 96,
    dead_letter_bytes_max = 256,
};

static const char subscription_prefix[] = "subscription/";
static const char delivery_prefix[] = "delivery/";
static const char dead_letter_prefix[] = "dead/";
static const char again_prefix[] = "again/";

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

/* --- beside a subscription --- */

struct delivery_place {
    int64_t create_time_us; /* of the subscription */
    uint64_t position;      /* of the log: up to there nothing is left to send */
};

/* In `bytes`. */
struct text delivery_place_encode(const struct delivery_place *place,
                                  char bytes[delivery_place_bytes_max]);
bool delivery_place_decode(struct text value, struct delivery_place *place);

struct dead_letter {
    int64_t create_time_us; /* of the subscription */
    uint64_t sequence;      /* in the log; in the name, not in the value */
    int64_t time_us;        /* when it was given up */
    struct text event_id;
    struct text reason; /* why the last attempt failed */
};

/* In `bytes`. */
struct text dead_letter_encode(const struct dead_letter *letter, char bytes[dead_letter_bytes_max]);

/* Texts view the value. */
bool dead_letter_decode(struct text value, struct dead_letter *letter);

void dead_letter_write_name(const char *prefix, const char *subscription_id, uint64_t sequence,
                            char name[tracking_note_name_bytes_max]);
bool dead_letter_read_name(struct text name, const char *prefix, struct text *subscription_id,
                           uint64_t *sequence);

#endif
