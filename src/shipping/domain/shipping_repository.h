#ifndef WAYBILL_SHIPPING_DOMAIN_SHIPPING_REPOSITORY_H
#define WAYBILL_SHIPPING_DOMAIN_SHIPPING_REPOSITORY_H

#include "platform/base/arena.h"
#include "platform/base/error.h"
#include "platform/base/executor.h"
#include "platform/base/text.h"
#include "shipping/domain/carrier.h"
#include "shipping/domain/shipment.h"
#include "shipping/domain/unwanted_label.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Where shipments, labels, pushes and the audit trail are kept. A repository takes whole decisions,
 * each one atomic, durable step: state, id, event and audit entry together, durable before the
 * answer (DESIGN section 3 rules 2 and 3). That is what makes a label be bought once: SENT is
 * durable before the carrier is called, and only one caller ever gets an attempt to send.
 *
 * Time is the store's own and never runs back.
 *
 * A command belongs to the store from the call until `done`; texts in it must live as long. Results
 * are written into the command, memory for them comes from its arena. `done` is called exactly
 * once, never before the call returned, on the command's executor.
 * Thread: any that may post to that executor's owner, normally the executor's own.
 *
 * Inputs are valid (application/ has checked them) and in normal form.
 */
struct shipping_repository;

/* What the store decided. Every refusal is a result, not an error. */
enum shipping_outcome {
    SHIPPING_DONE,
    SHIPPING_SHIPMENT_NOT_FOUND,
    SHIPPING_LABEL_NOT_FOUND, /* no such parcel, or not in that format; no such unwanted label */
    SHIPPING_ID_REUSED,       /* the id was used for other content */
    SHIPPING_STATE_DIFFERS,   /* the change does not fit; `shipment` is the record as it is now */
};

enum shipping_command_kind {
    COMMAND_BEGIN_SHIPMENT,
    COMMAND_MARK_SENT,
    COMMAND_RECORD_PURCHASE,
    COMMAND_RECORD_LOOKUP,
    COMMAND_BEGIN_CANCEL,
    COMMAND_END_CANCEL,
    COMMAND_RESOLVE_SHIPMENT,
    COMMAND_GET_SHIPMENT,
    COMMAND_FIND_SHIPMENT,
    COMMAND_LIST_SHIPMENTS,
    COMMAND_LIST_UNFINISHED,
    COMMAND_GET_SHIPMENT_LABEL,
    COMMAND_KEEP_AUDIT,
    COMMAND_LIST_AUDIT,
    COMMAND_KEEP_WEBHOOK,
    COMMAND_LIST_WEBHOOKS,
    COMMAND_RECORD_SCANS,
    COMMAND_LIST_UNREAD_PUSHES,
    COMMAND_REPLAY_PUSHES,
    COMMAND_LIST_UNWANTED_LABELS,
    COMMAND_CHANGE_UNWANTED_LABEL,
};
enum { shipping_command_count = COMMAND_CHANGE_UNWANTED_LABEL + 1 };

/*
 * Completion of every command. `error` is NULL when the store decided: read the outcome.
 * Errors: STORE_UNAVAILABLE (outcome unknown: ask again with the same id); OVERLOADED, DISK_FULL,
 * OUTBOX_FULL, OUT_OF_MEMORY, DEADLINE (nothing was done, or it is unknown and may be asked again).
 * It lives until this returns.
 */
struct shipping_command;
typedef void shipping_done(struct shipping_command *command, const struct error *error);

/* First member of every command. The caller sets the first part; the rest is the store's. */
struct shipping_command {
    enum shipping_command_kind kind;
    struct executor *executor;
    struct arena *arena;
    int64_t deadline_us; /* of the store's clock, monotonic; 0 = none */

    enum shipping_outcome outcome; /* results */
    struct task task;
    shipping_done *done;
};

/*
 * --- BEGIN: writes the INTENT. ID_REUSED by content_hash. The same content: DONE and the record as
 * it is now, with its own carrier, service and amount, whatever is given here. ---
 */
struct begin_shipment_command {
    struct shipping_command base;
    const struct shipment_request *request;
    char content_hash[32];
    struct text carrier; /* as chosen */
    struct text service_code;
    struct shipping_money amount;
    char ship_date[11];
    struct shipment shipment; /* result */
    bool is_new;
};

/*
 * --- MARK_SENT: INTENT → SENT of that attempt. DONE for exactly one caller: who gets it sends,
 * now. STATE_DIFFERS: somebody else has it. SHIPMENT_NOT_FOUND. ---
 */
struct mark_sent_command {
    struct shipping_command base;
    struct text shipment_id;
    uint32_t attempt;
    struct shipment shipment; /* result */
};

/*
 * --- RECORD_PURCHASE: how that attempt ended (NOT_DONE, BOUGHT, REFUSED, LOST) or ABANDONED, by
 * shipment_judge_end. Of BOUGHT: numbers, charge and labels are kept, ShipmentCreated goes out; of
 * REFUSED, ShipmentFailed. The same again gives DONE; a purchase told again with labels that were
 * not known (a look-up had brought the number alone) adds them. STATE_DIFFERS: that attempt is
 * over; if it was BOUGHT, there is a label that nobody wants: this step has put it among the
 * unwanted ones, once by attempt and number, with an audit entry. SHIPMENT_NOT_FOUND. ---
 */
struct record_purchase_command {
    struct shipping_command base;
    struct text shipment_id;
    uint32_t attempt;
    enum shipment_change change;
    const struct carrier_shipment *bought; /* BOUGHT */
    struct text failure;                   /* the others */
    struct shipment shipment;              /* result */
};

/*
 * --- RECORD_LOOKUP: of UNKNOWN, it was not found, or nobody answered; of cancel_wanted, nobody
 * answered. Ask again then. STATE_DIFFERS: neither, or another attempt. SHIPMENT_NOT_FOUND. ---
 */
struct record_lookup_command {
    struct shipping_command base;
    struct text shipment_id;
    uint32_t attempt;
    int64_t lookup_time_us;
    struct text failure;      /* what the last look-up said */
    struct shipment shipment; /* result */
};

/*
 * --- cancelling. BEGIN: of INTENT, CANCELLED at once, with ShipmentCancelled; of CREATED, it is
 * noted that this is wanted (cancel_wanted), the caller asks the carrier now, and if nothing comes
 * of that the resolver in a minute; of CANCELLED, DONE; STATE_DIFFERS of the others. END: the
 * carrier has voided it (CANCELLED, ShipmentCancelled), or will not (`voided` false: it stays
 * CREATED, `failure` says why), or does not find it (`is_lost`, not voided: NEEDS_ATTENTION with
 * its number, `failure` says why); STATE_DIFFERS where it is neither CREATED nor a lost void nor,
 * voided, CANCELLED. SHIPMENT_NOT_FOUND. Both may be repeated. ---
 */
struct cancel_shipment_command { /* BEGIN_CANCEL, END_CANCEL */
    struct shipping_command base;
    struct text shipment_id;
    struct text reason;  /* BEGIN */
    bool voided;         /* END */
    bool is_lost;        /* END, not voided */
    struct text failure; /* END, not voided */
    struct shipment shipment;
};

/*
 * --- RESOLVE: a person decides about UNKNOWN or NEEDS_ATTENTION, by shipment_judge_resolution.
 * ADOPT: CREATED with that number (and what a look-up brought, if anything), ShipmentCreated if it
 * was not bought before. VOID: CANCELLED.
 * BUY_AGAIN: INTENT, next attempt; from NEEDS_ATTENTION alone. What has been decided before, the
 * same way, gives DONE. STATE_DIFFERS. SHIPMENT_NOT_FOUND. ---
 */
struct resolve_shipment_command {
    struct shipping_command base;
    struct text shipment_id;
    enum shipment_resolution resolution;
    struct text tracking_number;           /* ADOPT */
    const struct carrier_shipment *bought; /* ADOPT: NULL = the number is all we know */
    struct text note;
    struct shipment shipment;
};

struct get_shipment_command { /* GET */
    struct shipping_command base;
    struct text shipment_id;
    struct shipment shipment;
};

/*
 * --- FIND: whose number is it: of the whole or of one parcel; the latest shipment's, where a
 * carrier has given a number twice. SHIPMENT_NOT_FOUND. ---
 */
struct find_shipment_command {
    struct shipping_command base;
    struct text carrier;
    struct text tracking_number;
    struct shipment shipment;
};

/* By create_time and id. A page whose records are large ends early, with `next` not 0. */
struct list_shipments_command {
    struct shipping_command base;
    struct text order_id;      /* empty = any */
    enum shipment_state state; /* 0 = any */
    size_t page_size;
    uint64_t after; /* 0 = from the beginning, or `next` of the page before */
    struct shipment *shipments;
    size_t shipment_count;
    uint64_t next; /* 0 = this is the last */
};

/*
 * --- UNFINISHED: what the resolver has to do: UNKNOWN, and cancellations that the carrier has not
 * confirmed, whose lookup_time has come; the longest waiting first. `sent_before_us` > 0: besides,
 * SENT of before then become UNKNOWN in this step, the oldest 1,000 at most (at start: everything;
 * later: what no carrier may still be answering). A page whose records are large ends early.
 * Besides, what is open is counted, each up to shipping_open_count_max. ---
 */
enum { shipping_open_count_max = 10000 };

struct shipping_open_counts {
    uint64_t shipments_need_attention;
    uint64_t shipments_cancelling; /* bought, and the carrier has not confirmed the void */
    uint64_t labels_to_void;       /* unwanted ones */
    uint64_t labels_need_attention;
    uint64_t unread_pushes;
};

struct list_unfinished_command {
    struct shipping_command base;
    int64_t now_us;
    int64_t sent_before_us;
    size_t page_size;
    struct shipment *shipments;
    size_t shipment_count;
    struct shipping_open_counts open;
};

/*
 * --- LABEL, as the carrier gave it: the parcel's own, else the one of the whole shipment.
 * LABEL_NOT_FOUND, SHIPMENT_NOT_FOUND. ---
 */
struct get_label_command {
    struct shipping_command base;
    struct text shipment_id;
    size_t parcel; /* from 0 */
    enum shipping_label_format format;
    struct shipment shipment; /* also with LABEL_NOT_FOUND */
    struct text content;
};

/*
 * --- the audit trail: each call of a carrier about a shipment, each change of its state (kept by
 * the step that makes it), each decision of a person. Append only. ---
 */
struct shipping_audit {
    int64_t time_us;
    struct text shipment_id;
    uint32_t attempt;
    struct text what;    /* "create_shipment", "SENT", "RESOLVE BUY_AGAIN", … */
    struct text note;    /* the person's, or the failure */
    struct text url;     /* of calls from here */
    struct text request; /* secrets removed */
    int64_t status;      /* 0 = no answer */
    struct text answer;
    int64_t duration_us;
};

struct keep_audit_command {
    struct shipping_command base;
    const struct shipping_audit *entries;
    size_t entry_count;
};

struct list_audit_command {
    struct shipping_command base;
    struct text shipment_id;
    size_t page_size;
    uint64_t after;
    struct shipping_audit *entries;
    size_t entry_count;
    uint64_t next;
};

/*
 * --- pushes. KEEP: durable before the carrier is answered; `is_new` false: the same body of that
 * carrier came before, and nothing changes. LIST: those not processed yet, the oldest first. SCANS:
 * what one push said; each scan once for ever, by its content; CarrierEventReceived for each new
 * one, with the shipment that has its number; the push is processed thereby, or kept as of unknown
 * shape for a person (`why`). webhook_id 0: the scans came by a poll. Pages end early as above. ---
 */
struct shipping_webhook {
    uint64_t webhook_id; /* the store's */
    struct text carrier;
    struct text body;
    int64_t receive_time_us;
};

struct keep_webhook_command {
    struct shipping_command base;
    struct text carrier;
    struct text body;
    uint64_t webhook_id; /* results */
    bool is_new;
};

struct list_webhooks_command {
    struct shipping_command base;
    size_t page_size;
    struct shipping_webhook *webhooks;
    size_t webhook_count;
};

struct record_scans_command {
    struct shipping_command base;
    uint64_t webhook_id;
    struct text carrier;
    int64_t receive_time_us;
    const struct shipping_scan *scans;
    size_t scan_count;
    bool is_unknown_shape;
    struct text why;
    size_t new_count; /* result: scans that were not known */
};

/*
 * --- pushes of unknown shape. LIST: in the order they came, of one carrier or of all. REPLAY: so
 * many of them, the oldest first, wait to be read once more. ---
 */
struct shipping_unread_push {
    struct shipping_webhook push;
    struct text why;
};

struct list_unread_pushes_command {
    struct shipping_command base;
    struct text carrier; /* empty = any */
    size_t page_size;
    uint64_t after; /* 0, or `next` of the page before */
    struct shipping_unread_push *pushes;
    size_t push_count;
    uint64_t next; /* 0 = this is the last */
};

struct replay_pushes_command {
    struct shipping_command base;
    struct text carrier; /* empty = any */
    size_t count_max;
    size_t count; /* results */
    bool has_more;
};

/*
 * --- labels that nobody wants. LIST: in the order they came, of one state or of all; `due_by_us` >
 * 0: instead those TO_VOID whose time has come by then, the longest waiting first. CHANGE: by
 * unwanted_label_next_state, with an audit entry but for IN_VAIN; VOIDED again gives DONE; after
 * TRY_AGAIN it is due at once. LABEL_NOT_FOUND; STATE_DIFFERS. ---
 */
struct list_unwanted_labels_command {
    struct shipping_command base;
    enum unwanted_label_state state; /* 0 = any */
    int64_t due_by_us;
    size_t page_size;
    uint64_t after; /* 0, or `next` of the page before; not with due_by_us */
    struct unwanted_label *labels;
    size_t label_count;
    uint64_t next; /* 0 = this is the last */
};

struct change_unwanted_label_command {
    struct shipping_command base;
    uint64_t label_id;
    enum unwanted_label_change change;
    int64_t next_time_us;        /* IN_VAIN */
    struct text note;            /* what the carrier said, or the person */
    struct unwanted_label label; /* result, also with STATE_DIFFERS */
};

struct shipping_repository_table {
    void (*execute)(struct shipping_repository *, struct shipping_command *);
};

struct shipping_repository {
    const struct shipping_repository_table *table;
};

/* Takes the decision that command->kind names; it is the base of the struct that belongs to it. */
static inline void shipping_repository_execute(struct shipping_repository *repository,
                                               struct shipping_command *command,
                                               shipping_done *done)
{
    command->done = done;
    repository->table->execute(repository, command);
}

#endif
