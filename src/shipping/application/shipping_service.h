#ifndef WAYBILL_SHIPPING_APPLICATION_SHIPPING_SERVICE_H
#define WAYBILL_SHIPPING_APPLICATION_SHIPPING_SERVICE_H

#include "platform/base/buffer.h"
#include "platform/base/clock.h"
#include "platform/base/executor.h"
#include "platform/base/random.h"
#include "platform/base/violations.h"
#include "shipping/domain/carrier.h"
#include "shipping/domain/label.h"
#include "shipping/domain/shipping_repository.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The use cases of shipping (DESIGN section 4): rates, shipments, labels, and what goes on behind
 * them: looking up what was lost, asking again for cancellations, reading pushes, the audit trail.
 *
 * Thread: one, the carriers' ("the service's"): all but shipping_service_submit, _keep_webhook and
 * _write_metrics, which any thread may call. It never blocks.
 *
 * A label is bought once: SENT is durable before the carrier is called, one caller alone is told to
 * send, and no answer, or none that can be used, is for the resolver, never for a second purchase.
 * A purchase that has begun goes on whatever becomes of its caller; a call for a shipment_id that
 * is being bought here waits for the end of that.
 */
struct shipping_service;

enum { shipping_carriers_max = 8, shipping_rate_key_size = 32 };

struct shipping_service_options {
    struct shipping_repository *repository;
    struct carrier *const *carriers; /* at most shipping_carriers_max; names differ */
    size_t carrier_count;
    struct clock *clock;
    struct random *random;
    struct executor *executor;   /* the service's thread */
    struct label_drawer *drawer; /* of the tariff's labels; NULL = they cannot be had */
    struct executor *drawing;    /* where it draws; its own thread, or the service's */
    /* shipping_service_alarm is to be called at that instant; it replaces the one before. */
    void (*set_alarm)(void *context, int64_t monotonic_us);
    /* After shipping_service_close: nothing goes on any more. From within the last task. */
    void (*closed)(void *context);
    void *context;                         /* of both */
    char rate_key[shipping_rate_key_size]; /* seals rate_id; the same in all processes */
    int64_t rates_us_max;                  /* how long carriers may rate where the caller has no
                                              deadline */
    int64_t rate_lifetime_us;              /* of a rate_id */
    int64_t purchase_us_max; /* how long a carrier may take over a purchase or a void */
    int64_t question_us_max; /* … over tracking or a look-up */
    int64_t lookup_us_max;   /* a lost purchase is looked up for so long */
    int64_t first_lookup_us; /* a lost purchase is looked up so long after it was sent */
};

/* 5 s for rates, an hour for a rate_id, 60 s for purchases, 15 s for questions, 60 s; no ports. */
struct shipping_service_options shipping_service_options_default(void);

/* Errors: OUT_OF_MEMORY. What the options point to must outlive it. Any thread. */
__attribute__((warn_unused_result)) struct error shipping_service_create(
    struct shipping_service **service, const struct shipping_service_options *options);

/* The resolver and the reader of pushes begin: what was SENT before is UNKNOWN now. */
void shipping_service_start(struct shipping_service *service);

/* The instant asked for by set_alarm has come (too early does no harm). */
void shipping_service_alarm(struct shipping_service *service);

/*
 * Nothing new begins; what is with carriers or store goes to its end. The carriers are closed next:
 * their last answers are recorded. What the store does not take now stays SENT, for the next start.
 */
void shipping_service_close(struct shipping_service *service);

/* After `closed`, or if it was never started. NULL is allowed. Any thread. */
void shipping_service_destroy(struct shipping_service *service);

/* ----------------------------------------------------------------------------------------- calls
 */

enum shipping_call_kind {
    CALL_GET_RATES,
    CALL_CREATE_SHIPMENT,
    CALL_GET_SHIPMENT,
    CALL_LIST_SHIPMENTS,
    CALL_CANCEL_SHIPMENT,
    CALL_RESOLVE_SHIPMENT,
    CALL_GET_LABEL,
    CALL_GET_TRACKING_INFO,
    CALL_LIST_CARRIERS,
    CALL_LIST_UNREAD_PUSHES,
    CALL_REPLAY_UNREAD_PUSHES,
    CALL_LIST_UNWANTED_LABELS,
    CALL_RESOLVE_UNWANTED_LABEL,
};
enum { shipping_call_count = CALL_RESOLVE_UNWANTED_LABEL + 1 };

/* Why a call is refused. Each is an outcome, with words in `why`. */
enum shipping_refusal {
    REFUSAL_NONE,
    REFUSAL_SHIPMENT_NOT_FOUND,
    REFUSAL_LABEL_NOT_FOUND,
    REFUSAL_NUMBER_MALFORMED, /* no number of that carrier looks like this */
    REFUSAL_NUMBER_NOT_FOUND, /* the carrier does not know the tracking number */
    REFUSAL_ID_REUSED,        /* for other content */
    REFUSAL_RATE_MISMATCH,    /* not our seal, or the facts are others */
    REFUSAL_RATE_EXPIRED,
    REFUSAL_NO_SERVICE,          /* all carriers say no */
    REFUSAL_CARRIER_UNAVAILABLE, /* nothing was done; again after retry_after_us */
    REFUSAL_CARRIER_REFUSED,
    REFUSAL_CANCEL_UNSUPPORTED,       /* the carrier has no void */
    REFUSAL_CANCEL_REFUSED,           /* the carrier will not */
    REFUSAL_SHIPMENT_UNRESOLVED,      /* nobody knows yet whether there is a label */
    REFUSAL_SHIPMENT_NEEDS_ATTENTION, /* … and a person must say */
    REFUSAL_SHIPMENT_RESOLVED,        /* there is nothing to decide */
    REFUSAL_SHIPMENT_NOT_CREATED,     /* there are no numbers and labels yet */
    REFUSAL_SHIPMENT_FAILED,          /* there never will be */
    REFUSAL_SHIPMENT_CANCELLED,
    REFUSAL_NUMBER_MISMATCH, /* the carrier has other numbers under our reference */
    REFUSAL_LABEL_FORMAT_UNAVAILABLE,
    REFUSAL_TRACKING_UNSUPPORTED,
    REFUSAL_UNWANTED_LABEL_NOT_FOUND,
    REFUSAL_UNWANTED_LABEL_VOIDED, /* there is nothing to decide any more */
};
enum { shipping_refusal_count = REFUSAL_UNWANTED_LABEL_VOIDED + 1 };

/*
 * Completion of every call. `error` is NULL when there is an answer: read the refusal, then the
 * results. Errors are the repository's, and DEADLINE where it had passed before anything was done.
 */
struct shipping_call;
typedef void shipping_call_done(struct shipping_call *call, const struct error *error);

/*
 * First member of every call. The caller sets the first part, fills the request as it came and
 * begins the violations, perhaps with what could not even be read. All of it, and the arena, is the
 * service's from an accepted submit until `done`, which runs on the call's executor.
 */
struct shipping_call {
    enum shipping_call_kind kind;
    struct executor *executor;
    struct arena *arena;
    int64_t deadline_us; /* of the service's clock, monotonic; 0 = none */
    struct violations violations;

    enum shipping_refusal refusal; /* results */
    struct text why;
    int64_t retry_after_us;

    struct shipping_service *service; /* the service's */
    struct shipping_call *next;
    shipping_call_done *done;
    struct error error;
    struct task task;
};

struct shipping_rate {
    struct text rate_id; /* with a NUL behind it */
    const char *carrier;
    struct carrier_rate rate;
    int64_t expire_time_us;
};

struct shipping_rate_failure {
    const char *carrier;
    struct text reason;
};

struct get_rates_call {
    struct shipping_call base;
    struct consignment consignment; /* ship_date: "" = today at the origin */
    struct text ship_date;          /* as it came */
    struct text *carriers;          /* none = all */
    size_t carrier_count;
    struct shipping_rate *rates; /* results: the cheapest first, currency by currency */
    size_t rate_count;
    struct shipping_rate_failure *failures;
    size_t failure_count;
};

enum rate_rule { RATE_RULE_CHEAPEST = 1, RATE_RULE_FASTEST };

/* The shipment in state FAILED or UNKNOWN is an answer, too. */
struct create_shipment_call {
    struct shipping_call base;
    struct shipment_request request;
    bool any_format; /* label_format is PDF, but where the carrier has none, another will do */
    char content_hash[32]; /* the service's */
    struct shipment shipment;
};

struct get_shipment_call {
    struct shipping_call base;
    struct text shipment_id;
    struct shipment shipment;
};

struct list_shipments_call {
    struct shipping_call base;
    struct text order_id;
    enum shipment_state state;
    size_t page_size; /* 0 = the default */
    uint64_t after;
    struct shipment *shipments;
    size_t shipment_count;
    uint64_t next;
};

struct cancel_shipment_call {
    struct shipping_call base;
    struct text shipment_id;
    struct text reason;
    struct shipment shipment;
};

/* BUY_AGAIN buys; the answer is as CreateShipment's. */
struct resolve_shipment_call {
    struct shipping_call base;
    struct text shipment_id;
    enum shipment_resolution resolution;
    struct text tracking_number;
    struct text note;
    struct shipment shipment;
};

struct get_label_call {
    struct shipping_call base;
    struct text shipment_id;
    int64_t parcel; /* from 1; 0 = the first */
    bool any_format;
    enum shipping_label_format format; /* also a result */
    struct text content;
};

struct get_tracking_info_call {
    struct shipping_call base;
    struct text shipment_id; /* or: */
    struct text carrier;
    struct text tracking_number;
    struct carrier_tracking tracking;
};

struct shipping_carrier_view {
    const char *name;
    const struct carrier_capabilities *capabilities;
    struct carrier_state state;
};

struct list_carriers_call {
    struct shipping_call base;
    struct shipping_carrier_view *carriers;
    size_t carrier_count;
};

struct list_unread_pushes_call {
    struct shipping_call base;
    struct text carrier; /* empty = any; it need not be configured any more */
    size_t page_size;    /* 0 = the default */
    uint64_t after;
    const struct shipping_unread_push *pushes;
    size_t push_count;
    uint64_t next;
};

enum { shipping_replayed_max = 1000 };

struct replay_unread_pushes_call {
    struct shipping_call base;
    struct text carrier; /* empty = any */
    size_t push_count;   /* at most shipping_replayed_max; they are read after the answer */
    bool has_more;
};

struct list_unwanted_labels_call {
    struct shipping_call base;
    enum unwanted_label_state state; /* 0 = any */
    size_t page_size;
    uint64_t after;
    const struct unwanted_label *labels;
    size_t label_count;
    uint64_t next;
};

/* By VOIDED or TRY_AGAIN alone. */
struct resolve_unwanted_label_call {
    struct shipping_call base;
    int64_t label_id;
    enum unwanted_label_change change;
    struct text note;
    struct unwanted_label label;
};

/*
 * True: the service has it and `done` follows. False: nothing was done, `done` is never called, and
 * call->violations tells all that is wrong. Any thread.
 */
bool shipping_service_submit(struct shipping_service *service, struct shipping_call *call,
                             shipping_call_done *done);

/* ---------------------------------------------------------------------------------------- pushes
 */

enum shipping_push_verdict {
    SHIPPING_PUSH_KEPT,        /* durable, or it was before */
    SHIPPING_PUSH_REFUSED,     /* not authentic, or of no carrier of ours */
    SHIPPING_PUSH_UNAVAILABLE, /* nothing was kept: the carrier is to send it again */
};

/*
 * A carrier's push: authenticated at once, kept by the store, read afterwards. The caller's: the
 * first part, and all it points to until `done`, which is on `executor`, never before the return.
 */
struct shipping_push {
    struct executor *executor;
    struct arena *arena;
    struct text carrier;
    struct carrier_webhook webhook;
    void (*done)(struct shipping_push *push);

    enum shipping_push_verdict verdict;
    struct shipping_service *service;
    struct keep_webhook_command command;
    struct task task;
};
void shipping_service_keep_push(struct shipping_service *service, struct shipping_push *push);

/* ------------------------------------------------------------------------------- audit, metrics */

/*
 * A call to a carrier about a shipment, for the audit trail: `shipment_id` is the reference it was
 * called with. Copied; what is too long is cut and says so. An entry that the store does not take
 * is logged and lost.
 */
void shipping_service_keep_audit(struct shipping_service *service,
                                 const struct shipping_audit *audit);

/* Prometheus text. False: the buffer's limit or memory. Any thread. */
bool shipping_service_write_metrics(struct shipping_service *service, struct buffer *out);

/* Purchases that have not ended. Any thread. */
size_t shipping_service_purchases(struct shipping_service *service);

#endif
