#ifndef WAYBILL_SHIPPING_DOMAIN_SHIPMENT_H
#define WAYBILL_SHIPPING_DOMAIN_SHIPMENT_H

#include "platform/base/arena.h"
#include "platform/base/text.h"
#include "shipping/domain/carrier.h"
#include "shipping/domain/consignment.h"
#include "shipping/domain/limits.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A shipment and its life. It is bought at most once an attempt, and a new attempt is a person's
 * decision:
 *
 *   INTENT           written down; surely nothing was sent.
 *   SENT             written before the first byte leaves for the carrier.
 *   CREATED          the carrier has made it; numbers and labels are kept.
 *   FAILED           the carrier refused. Final.
 *   UNKNOWN          sent, no usable answer, or found SENT at start: the resolver looks it up by
 * our reference, never buys again. NEEDS_ATTENTION  not found in 24 hours of look-ups, or found
 * more than once. CANCELLED        voided, or never sent. Final.
 *
 *   SENT → INTENT when the carrier surely did nothing (not connected, throttled): the caller is
 * told so and may ask again. UNKNOWN and NEEDS_ATTENTION → CREATED when a late answer or a look-up
 *   brings it; NEEDS_ATTENTION → INTENT with the next attempt when a person says: buy again.
 *
 * Everything here is pure. Texts are views.
 */
enum shipment_state {
    SHIPMENT_INTENT = 1,
    SHIPMENT_SENT,
    SHIPMENT_CREATED,
    SHIPMENT_FAILED,
    SHIPMENT_UNKNOWN,
    SHIPMENT_NEEDS_ATTENTION,
    SHIPMENT_CANCELLED,
};
enum { shipment_state_count = SHIPMENT_CANCELLED + 1 };

/* What moves it. */
enum shipment_change {
    SHIPMENT_CHANGE_SEND,      /* about to call the carrier */
    SHIPMENT_CHANGE_NOT_DONE,  /* the carrier surely did nothing */
    SHIPMENT_CHANGE_BOUGHT,    /* the answer, a look-up or a person brought numbers */
    SHIPMENT_CHANGE_REFUSED,   /* by the carrier */
    SHIPMENT_CHANGE_LOST,      /* no usable answer; found SENT at start */
    SHIPMENT_CHANGE_ABANDONED, /* look-ups have ended without an answer, or found several */
    SHIPMENT_CHANGE_VOIDED,    /* cancelled, or a person says: there is none */
    SHIPMENT_CHANGE_BUY_AGAIN, /* a person's decision */
};
enum { shipment_change_count = SHIPMENT_CHANGE_BUY_AGAIN + 1 };

/* The table of the life above. False: that change does not fit that state; *next is untouched. */
bool shipment_next_state(enum shipment_state state, enum shipment_change change,
                         enum shipment_state *next);

const char *shipment_state_name(enum shipment_state state); /* "INTENT" */

/* A parcel as asked for, and what the carrier calls it. */
struct shipment_parcel {
    struct shipping_parcel parcel;
    struct text tracking_number; /* empty until CREATED */
};

struct shipment {
    struct text shipment_id;
    struct text order_id;  /* may be empty */
    struct text reference; /* the caller's; may be empty */
    enum shipment_state state;
    struct text carrier;
    struct text service_code;
    struct consignment consignment;        /* its parcels are those below */
    const struct shipment_parcel *parcels; /* consignment.parcel_count */
    enum shipping_label_format label_format;
    struct shipping_money amount;       /* as rated */
    struct shipping_money charged;      /* currency empty = the carrier has not said */
    struct text tracking_number;        /* of the whole; empty until CREATED */
    int64_t estimated_delivery_time_us; /* 0 = not said */
    struct text failure;                /* why it is not CREATED; empty where there is no reason */
    uint32_t attempt;                   /* 1, then 2 after the first "buy again" */
    int64_t sent_time_us;               /* of this attempt; 0 = never */
    int64_t lookup_time_us;             /* UNKNOWN: when to look it up next */
    uint32_t lookups;                   /* of this attempt, without success */
    struct text cancel_reason;          /* a cancellation is wanted or done; see cancel_wanted */
    bool cancel_wanted;                 /* CREATED: the carrier has not confirmed it yet */
    int64_t create_time_us;
    int64_t revision;      /* + 1 a change */
    char content_hash[32]; /* shipment_content_hash of what the caller asked */
};

/*
 * What the carrier is told to find it by: the shipment_id; of a later attempt with "~2" and so on
 * behind it, so that a look-up never takes one purchase for another. Gives its size; `reference`
 * has room for shipment_reference_bytes_max.
 */
enum { shipment_reference_bytes_max = shipping_id_bytes_max + 4 };
size_t shipment_reference(struct text shipment_id, uint32_t attempt, char *reference);

/*
 * When a lost purchase is looked up next: the first time a minute after it was sent (the carrier's
 * search lags), then with doubled distances up to an hour. 0: look-ups have lasted
 * shipping_lookup_us_max since it was sent, a person is asked.
 */
int64_t shipment_next_lookup(int64_t sent_time_us, uint32_t lookups, int64_t now_us);

/* What a caller asks of CreateShipment, in normal form: defaults filled in. */
struct shipment_request {
    struct text shipment_id;
    struct text order_id;
    struct text rate_id; /* one of: rate_id, … */
    struct text carrier; /* … carrier and service_code, … */
    struct text service_code;
    int rule;                       /* … enum rate_rule; 0 = none */
    struct consignment consignment; /* parcels in order; ship_date as asked, else empty */
    enum shipping_label_format label_format;
    struct text reference;
};

/* SHA-256 over all of it, field by field with sizes: the same content, the same hash. */
void shipment_content_hash(const struct shipment_request *request, char hash[32]);

/* SHA-256 over what a price depends on: both addresses, parcels, customs, options, direction. */
void consignment_hash(const struct consignment *consignment, char hash[32]);

/*
 * Whether the border between these two countries asks for customs: not inside one country, nor
 * inside the customs union of the EU (with Monaco; not the United Kingdom).
 */
bool customs_needed(struct text origin_country, struct text destination_country);

#endif
