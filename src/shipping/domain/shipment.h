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
 * A shipment and its life. An attempt is one permission to call the carrier, ever: its number is in
 * the reference that the carrier gets, and an answer counts for its own attempt alone.
 *
 *   INTENT           written down; of this attempt surely nothing was sent
 *   SENT             written before the first byte leaves for the carrier
 *   CREATED          the carrier has made it; numbers and labels are kept
 *   FAILED           the carrier refused; final
 *   UNKNOWN          sent, no usable answer, or found SENT at start: the resolver looks it up by
 *                    our reference and never buys again
 *   NEEDS_ATTENTION  not found in 24 hours of look-ups, or found more than once; or bought (it has
 *                    a number), and not found by its carrier when it was to be voided
 *   CANCELLED        voided, or never sent; final
 *
 *               NOT_DONE  BOUGHT   REFUSED  LOST     ABANDONED  VOIDED     other
 *   INTENT                                                      CANCELLED  SEND: SENT
 *   SENT        INTENT    CREATED  FAILED   UNKNOWN
 *   UNKNOWN     INTENT    CREATED  FAILED            NEEDS_ATT. CANCELLED
 *   NEEDS_ATT.            CREATED                               CANCELLED  BUY_AGAIN: INTENT
 *   CREATED                                                     CANCELLED  VOID_LOST: NEEDS_ATT.
 *
 * Both ways to INTENT begin the next attempt: NOT_DONE, since the carrier surely did nothing (not
 * connected, throttled; the caller is told so and may ask again), BUY_AGAIN by a person's decision.
 * What was bought and needs attention is bought no more: of it a person says that its label is void
 * (VOID), or that it stands (ADOPT of its own number).
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
    SHIPMENT_CHANGE_VOID_LOST, /* its carrier does not find it to void */
};
enum { shipment_change_count = SHIPMENT_CHANGE_VOID_LOST + 1 };

/* The table above. False: that change does not fit that state; *next is untouched. */
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
    uint32_t attempt;                   /* 1, + 1 each time it is INTENT again */
    int64_t sent_time_us;               /* of this attempt; 0 = not sent */
    int64_t lookup_time_us;             /* UNKNOWN, cancel_wanted: when to ask the carrier next */
    uint32_t lookups;                   /* how often that was in vain */
    struct text cancel_reason;          /* a cancellation is wanted or done; see cancel_wanted */
    bool cancel_wanted;                 /* CREATED: the carrier has not confirmed it yet */
    int64_t create_time_us;
    int64_t revision;      /* + 1 a change */
    char content_hash[32]; /* shipment_content_hash of what the caller asked */
};

/* NEEDS_ATTENTION since its carrier does not find it to void: there may be a label. */
bool shipment_has_lost_void(const struct shipment *shipment);

/*
 * What the carrier is told to find it by: the shipment_id; of a later attempt with "~2" and so on
 * behind it, so that a look-up never takes one purchase for another. Gives its size; `reference`
 * has room for shipment_reference_bytes_max.
 */
enum { shipment_reference_bytes_max = shipping_id_bytes_max + 11 };
size_t shipment_reference(struct text shipment_id, uint32_t attempt, char *reference);

/*
 * When a lost purchase is looked up next, `lookups` having been in vain: the first time a minute
 * after it was sent (the carrier's search lags), then with doubled distances up to an hour, the
 * last time shipping_lookup_us_max after it was sent. 0: that was the last, a person is asked.
 */
int64_t shipment_next_lookup(int64_t sent_time_us, uint32_t lookups, int64_t now_us);

/* What is to be done with news about a shipment. */
enum shipment_news {
    SHIPMENT_NEWS_MOVES,   /* the change happens; *next is the new state */
    SHIPMENT_NEWS_REPEATS, /* that is known already: nothing happens */
    SHIPMENT_NEWS_DIFFERS, /* it does not fit */
};

/*
 * How an attempt ended (NOT_DONE, BOUGHT, REFUSED, LOST) or ABANDONED; `bought` of BOUGHT, else
 * NULL. Of an attempt that is over, NOT_DONE alone is a repeat. A purchase, of whichever attempt,
 * is a repeat as long as it and the record have one number in common, whichever: a look-up may name
 * the parcels in another order than the answer did, a person may have adopted the number of an
 * earlier attempt, and who takes that for a second label voids the only one.
 */
enum shipment_news shipment_judge_end(const struct shipment *shipment, uint32_t attempt,
                                      enum shipment_change change,
                                      const struct carrier_shipment *bought,
                                      enum shipment_state *next);

/*
 * A person's decisions about UNKNOWN and NEEDS_ATTENTION. Of a lost void, VOID, or ADOPT of a
 * number that it has.
 */
enum shipment_resolution { SHIPMENT_ADOPT = 1, SHIPMENT_VOID, SHIPMENT_BUY_AGAIN };

/* `number` of ADOPT; `latest` is what was decided about it before, 0 = nothing. */
enum shipment_news shipment_judge_resolution(const struct shipment *shipment,
                                             enum shipment_resolution resolution,
                                             struct text number, enum shipment_resolution latest,
                                             enum shipment_state *next);

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

/* SHA-256 over carrier and scan: the same thing told again, by push or poll, has the same. */
void shipping_scan_hash(struct text carrier, const struct shipping_scan *scan, char hash[32]);

/* What a price depends on, in the parts that a caller knows. */
enum consignment_part {
    CONSIGNMENT_ORIGIN,
    CONSIGNMENT_DESTINATION,
    CONSIGNMENT_PARCELS,
    CONSIGNMENT_CUSTOMS,
    CONSIGNMENT_DIRECTION,
    CONSIGNMENT_SIGNATURE,
    CONSIGNMENT_SATURDAY,
    CONSIGNMENT_INSURED_VALUE,
};
enum { consignment_part_count = CONSIGNMENT_INSURED_VALUE + 1 };

/* "parcels", "options.signature": as the interface has it. */
const char *consignment_part_name(enum consignment_part part);

/*
 * The facts of a price: SHA-256 over all parts, which decides whether two consignments are the
 * same, and a few bytes of each part, which only tell where they are not. The day of shipping is no
 * fact.
 */
struct consignment_facts {
    char hash[32];
    uint32_t parts[consignment_part_count];
};
void consignment_facts_of(const struct consignment *consignment, struct consignment_facts *facts);

/*
 * Whether the border between these two countries asks for customs: not inside one country, nor
 * inside the customs union of the EU (with Monaco; not the United Kingdom).
 */
bool customs_needed(struct text origin_country, struct text destination_country);

#endif
