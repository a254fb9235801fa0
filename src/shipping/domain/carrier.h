#ifndef WAYBILL_SHIPPING_DOMAIN_CARRIER_H
#define WAYBILL_SHIPPING_DOMAIN_CARRIER_H

#include "platform/base/arena.h"
#include "platform/base/error.h"
#include "platform/base/text.h"
#include "shipping/domain/consignment.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The carrier port (DESIGN section 4): rates, labels, cancellation, tracking, look-up by our
 * reference, and what a carrier pushes to us. Adapters: ups, fedex, dhl (HTTP), tariff (offline).
 *
 * Thread: everything on the one thread that the carrier was made for, but carrier_decide_rates;
 * `done` too, exactly once, and never before the call returns. A request and all that it points to
 * must live until `done`; a result lives until `done` returns. A call that returns an error
 * (OUT_OF_MEMORY alone) was not started: nothing was done, and `done` will not come.
 *
 * An adapter keeps the carrier's limits (calls at once, calls a second, daily quota), its breaker
 * and its token to itself, repeats by itself only what surely was not done, and never repeats
 * create_shipment after a byte of it may have left.
 */
struct carrier;

/* How a call ended. What the caller may do next depends on nothing else. */
enum carrier_verdict {
    CARRIER_ANSWERED,    /* the result is filled */
    CARRIER_REFUSED,     /* the carrier says no; nothing was done, the same again gives the same */
    CARRIER_NOT_FOUND,   /* it does not know the number or reference (it may later) */
    CARRIER_THROTTLED,   /* nothing was done: too many calls; come back after retry_after_us */
    CARRIER_UNAVAILABLE, /* nothing was done: not connected, breaker open, no token, local queue
                            full */
    CARRIER_UNKNOWN,     /* sent, no usable answer: for create and cancel it may have been done */
    CARRIER_UNSUPPORTED, /* this carrier has no such call; see its capabilities */
};

struct carrier_outcome {
    enum carrier_verdict verdict;
    unsigned http_status; /* 0 = no answer */
    struct text code;    /* the carrier's own ("111210", "SHIPMENT.NOTFOUND.ERROR"); may be empty */
    struct text message; /* for people; may be empty */
    int64_t retry_after_us; /* 0 = not said */
};

struct carrier_capabilities {
    bool rates;
    bool shipments;
    bool cancel; /* false for DHL Express: it has no void */
    bool tracking;
    bool find_by_reference;
    bool label_recovery; /* find_by_reference can bring the labels, too */
    bool webhooks;
    bool webhook_body_signed; /* FedEx only: the others' bodies are not authenticated */
    bool saturday;
    bool insurance;
    bool returns;
    int64_t parcel_grams_max;
    size_t parcels_max;
    unsigned label_formats; /* bit 1 << enum shipping_label_format */
};

/* "ups" and so on, at most 31 bytes. */
enum { carrier_name_size = 32 };

/* ------------------------------------------------------------------------------------- rates */

struct carrier_rate_request {
    const struct consignment *consignment;
    int64_t timeout_us; /* > 0 */
};

struct carrier_charge {
    struct text description;
    struct shipping_money amount;
};

/* One service for the whole consignment. */
struct carrier_rate {
    struct text service_code;
    struct text service_name;
    struct shipping_money amount; /* what we pay: negotiated or account rate where there is one */
    int64_t estimated_delivery_time_us; /* 0 = not said; local times of the carrier as UTC where it
                                           gives no offset */
    const struct carrier_charge *breakdown;
    size_t charge_count;
};

struct carrier_rates {
    const struct carrier_rate *rates;
    size_t rate_count;
};

/* `rates` is NULL unless ANSWERED, where there is at least one. */
typedef void carrier_rate_done(void *context, const struct carrier_outcome *outcome,
                               const struct carrier_rates *rates);

/* --------------------------------------------------------------------------------- shipments */

struct carrier_shipment_request {
    struct text shipment_id; /* the carrier gets carrier_reference() of it, to find it by */
    struct text service_code;
    const struct consignment *consignment;
    enum shipping_label_format label_format;
    int64_t timeout_us;
};

struct carrier_label {
    enum shipping_label_format format; /* as delivered, whatever was asked */
    struct text content;               /* decoded bytes */
};

struct carrier_parcel {
    struct text tracking_number;
    const struct carrier_label *labels; /* of this parcel; 0 = see the shipment's */
    size_t label_count;
};

/* What the carrier holds: from create_shipment and find_by_reference. */
struct carrier_shipment {
    struct text tracking_number;          /* of the whole: what cancel_shipment takes */
    struct shipping_money charged;        /* currency empty = not said */
    const struct carrier_parcel *parcels; /* in the request's order where the carrier keeps it */
    size_t parcel_count;
    const struct carrier_label *labels; /* of the whole shipment, where not by parcel */
    size_t label_count;
    int64_t estimated_delivery_time_us;    /* 0 = not said */
    bool voided;                           /* found, but cancelled before */
    const struct carrier_charge *warnings; /* descriptions only: what it says beside the answer */
    size_t warning_count;
};

/* `shipment` is NULL unless ANSWERED. */
typedef void carrier_shipment_done(void *context, const struct carrier_outcome *outcome,
                                   const struct carrier_shipment *shipment);

struct carrier_cancel_request {
    struct text shipment_id;
    struct text tracking_number; /* carrier_shipment.tracking_number */
    struct text country_code;    /* of the sender */
    int64_t timeout_us;
};

/* ANSWERED: it is cancelled now, or was before. REFUSED: it cannot be (already on its way). */
typedef void carrier_cancel_done(void *context, const struct carrier_outcome *outcome);

struct carrier_find_request {
    struct text shipment_id;
    int64_t sent_time_us; /* when create_shipment was sent; the search window opens a day before */
    int64_t timeout_us;
    /*
     * What was sent, for a carrier whose shipments are a function of it (tariff). NULL and empty =
     * not known: such a carrier then answers with the number of the whole alone.
     */
    const struct consignment *consignment;
    struct text service_code;
};

/*
 * The shipments that the carrier knows under our reference, newest first; more than one would be a
 * duplicate. `shipments` is NULL unless ANSWERED, where there is at least one.
 */
struct carrier_matches {
    const struct carrier_shipment *shipments;
    size_t shipment_count;
};
typedef void carrier_find_done(void *context, const struct carrier_outcome *outcome,
                               const struct carrier_matches *matches);

/* ---------------------------------------------------------------------------------- tracking */

struct carrier_tracking_request {
    struct text tracking_number;
    int64_t timeout_us;
};

struct carrier_tracking {
    const struct shipping_scan *scans; /* as the carrier orders them; may be none */
    size_t scan_count;
    int64_t expected_delivery_time_us; /* 0 = not said */
    int64_t delivered_time_us;         /* 0 = not delivered */
};

typedef void carrier_tracking_done(void *context, const struct carrier_outcome *outcome,
                                   const struct carrier_tracking *tracking);

/* ---------------------------------------------------------------------------------- webhooks */

struct carrier_header {
    struct text name; /* any case */
    struct text value;
};

struct carrier_webhook {
    const struct carrier_header *headers;
    size_t header_count;
    struct text body; /* the raw bytes */
    /* It was judged when it came, and comes from our own store now, without its headers. */
    bool is_authenticated;
};

enum carrier_webhook_verdict {
    CARRIER_WEBHOOK_SCANS,         /* authentic, understood */
    CARRIER_WEBHOOK_NOTICE,        /* authentic, about the subscription: no scan in it */
    CARRIER_WEBHOOK_UNKNOWN_SHAPE, /* authentic, not understood, whole or in part: keep the body */
    CARRIER_WEBHOOK_REFUSED,       /* not authentic: nothing of it was parsed */
};

struct carrier_webhook_result {
    enum carrier_webhook_verdict verdict;
    const struct shipping_scan *scans; /* also of UNKNOWN_SHAPE: the part that was understood */
    size_t scan_count;
    struct text why; /* for REFUSED and UNKNOWN_SHAPE */
};

/* -------------------------------------------------------------------------------------- port */

enum carrier_circuit { CARRIER_CIRCUIT_CLOSED, CARRIER_CIRCUIT_OPEN, CARRIER_CIRCUIT_HALF_OPEN };

/* For ListCarriers. */
struct carrier_state {
    enum carrier_circuit circuit;
    struct error last_error;
    int64_t last_error_time_us; /* 0 = never */
};

struct carrier_table {
    struct error (*calculate_rate)(struct carrier *carrier,
                                   const struct carrier_rate_request *request,
                                   carrier_rate_done *done, void *context);
    bool (*decide_rates)(struct carrier *carrier, const struct carrier_rate_request *request,
                         struct arena *arena, struct carrier_outcome *outcome,
                         struct carrier_rates *rates); /* NULL = it has to be asked */
    struct error (*create_shipment)(struct carrier *carrier,
                                    const struct carrier_shipment_request *request,
                                    carrier_shipment_done *done, void *context);
    struct error (*cancel_shipment)(struct carrier *carrier,
                                    const struct carrier_cancel_request *request,
                                    carrier_cancel_done *done, void *context);
    struct error (*get_tracking_info)(struct carrier *carrier,
                                      const struct carrier_tracking_request *request,
                                      carrier_tracking_done *done, void *context);
    struct error (*find_by_reference)(struct carrier *carrier,
                                      const struct carrier_find_request *request,
                                      carrier_find_done *done, void *context);
    struct error (*read_webhook)(struct carrier *carrier, const struct carrier_webhook *webhook,
                                 struct arena *arena, struct carrier_webhook_result *result);
    struct carrier_state (*state)(struct carrier *carrier);
};

/* An adapter has it as its first member. */
struct carrier {
    const struct carrier_table *table;
    char name[carrier_name_size];
    struct carrier_capabilities capabilities; /* fixed for its life */
};

/*
 * Rates of all services for the whole consignment. The consignment is read before this returns: who
 * asked may go when it has waited long enough; the request itself stays until `done`.
 */
__attribute__((warn_unused_result)) static inline struct error carrier_calculate_rate(
    struct carrier *carrier, const struct carrier_rate_request *request, carrier_rate_done *done,
    void *context)
{
    return carrier->table->calculate_rate(carrier, request, done, context);
}

/* Whether its rates are a decision of the request alone. */
static inline bool carrier_decides_rates(const struct carrier *carrier)
{
    return carrier->table->decide_rates != NULL;
}

/*
 * The rates of a carrier that decides them: the same as carrier_calculate_rate tells, at once. Any
 * thread, and several at a time. Results are on the arena or the carrier's for its life; the
 * verdict is ANSWERED or REFUSED. False without memory.
 */
__attribute__((warn_unused_result)) static inline bool carrier_decide_rates(
    struct carrier *carrier, const struct carrier_rate_request *request, struct arena *arena,
    struct carrier_outcome *outcome, struct carrier_rates *rates)
{
    return carrier->table->decide_rates(carrier, request, arena, outcome, rates);
}

/*
 * Buys labels for all parcels as one shipment. Sent at most once, whatever happens; UNKNOWN is for
 * the resolver (find_by_reference), never for a repeat.
 */
__attribute__((warn_unused_result)) static inline struct error carrier_create_shipment(
    struct carrier *carrier, const struct carrier_shipment_request *request,
    carrier_shipment_done *done, void *context)
{
    return carrier->table->create_shipment(carrier, request, done, context);
}

/* Voids the whole shipment. Safe to repeat. */
__attribute__((warn_unused_result)) static inline struct error carrier_cancel_shipment(
    struct carrier *carrier, const struct carrier_cancel_request *request,
    carrier_cancel_done *done, void *context)
{
    return carrier->table->cancel_shipment(carrier, request, done, context);
}

__attribute__((warn_unused_result)) static inline struct error carrier_get_tracking_info(
    struct carrier *carrier, const struct carrier_tracking_request *request,
    carrier_tracking_done *done, void *context)
{
    return carrier->table->get_tracking_info(carrier, request, done, context);
}

/* A carrier's search lags: NOT_FOUND soon after a purchase does not mean that there was none. */
__attribute__((warn_unused_result)) static inline struct error carrier_find_by_reference(
    struct carrier *carrier, const struct carrier_find_request *request, carrier_find_done *done,
    void *context)
{
    return carrier->table->find_by_reference(carrier, request, done, context);
}

/*
 * Authenticates, then parses, at once; any thread. The result lives in the arena or views the
 * body. The body is authentic for FedEx alone (an HMAC over the raw bytes); UPS and DHL present a
 * shared credential, which says who speaks, not that the bytes are theirs. Errors: OUT_OF_MEMORY,
 * LIMIT (of the arena): answer 503, the carrier sends it again.
 */
__attribute__((warn_unused_result)) static inline struct error carrier_read_webhook(
    struct carrier *carrier, const struct carrier_webhook *webhook, struct arena *arena,
    struct carrier_webhook_result *result)
{
    return carrier->table->read_webhook(carrier, webhook, arena, result);
}

/* Any thread. */
static inline struct carrier_state carrier_state(struct carrier *carrier)
{
    return carrier->table->state(carrier);
}

#endif
