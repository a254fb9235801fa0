#ifndef WAYBILL_SHIPPING_INFRASTRUCTURE_SQL_STEP_H
#define WAYBILL_SHIPPING_INFRASTRUCTURE_SQL_STEP_H

#include "platform/events/sql_outbox.h"
#include "platform/sql/sql_session.h"
#include "shipping/domain/shipping_event.h"
#include "shipping/domain/shipping_repository.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * One run of a script: a command on its way through one transaction. A script may be run again from
 * its beginning, so it sets all its results anew. Thread: the store's that runs the script.
 */
struct step {
    struct sql_session *session;
    struct arena *arena;
    struct error *error;
    shipping_event_encode *encode;
    struct sql_outbox *outbox;
    struct shipping_command *command;
};

/* A script of the table: takes the decision of its command. */
typedef enum sql_verdict shipping_step_script(struct step *step);

/* How a script ends: a refusal, which leaves no trace; no memory. */
enum sql_verdict shipping_step_refuse(struct step *step, enum shipping_outcome outcome);
enum sql_verdict shipping_step_fail_memory(struct step *step);

/* `count` values of `size` bytes, all zero; NULL sets the step's error. */
void *shipping_step_allocate(struct step *step, size_t count, size_t size);

/* A copy on the arena; false sets the step's error. */
bool shipping_step_copy(struct step *step, struct text *text);

/*
 * Adds an event to the transaction. The caller holds the lock of its key; `event_id` is unique for
 * ever. False: the script ends with SQL_FAIL.
 */
bool shipping_step_emit(struct step *step, const struct shipping_event *event, struct text key,
                        struct text event_id, int64_t time_us);

/* An entry of the audit trail that is no call of a carrier. Failures show at the script's end. */
void shipping_step_audit(struct step *step, int64_t time_us, struct text shipment_id,
                         uint32_t attempt, const char *what, struct text note);

/*
 * The turn of those who lock several shipments: one at a time, so that they cannot deadlock, with
 * each other or with those who lock one. False: failed.
 */
bool step_take_turn(struct step *step);

/* What a page of records may take of the call's arena; it ends early then, never empty. */
extern const size_t page_memory_bytes;

/* A page of records that may be large, read in parts. */
struct step_page {
    const struct sql_statement *list; /* of $1, behind position $2, $3 rows; the position first */
    struct text of;
    uint64_t after;
    size_t size;        /* records at most */
    size_t part_rows;   /* read at once */
    size_t used_before; /* of the arena, before the page took any */
    void (*take)(struct step *step, const struct sql_rows *rows, size_t row);
};

/* `next`: the position to go on behind; 0 = there is no more. False: it ends with SQL_FAIL. */
bool shipping_step_read_page(struct step *step, const struct step_page *page, uint64_t *next);

/* The scripts. */
shipping_step_script begin_shipment_script, mark_sent_script, record_purchase_script,
    record_lookup_script;
shipping_step_script begin_cancel_script, end_cancel_script, resolve_shipment_script;
shipping_step_script get_shipment_script, find_shipment_script, list_shipments_script;
shipping_step_script list_unfinished_script, get_label_script;
shipping_step_script keep_audit_script, list_audit_script;
shipping_step_script keep_webhook_script, list_webhooks_script, record_scans_script;
shipping_step_script list_unread_pushes_script, replay_pushes_script;
shipping_step_script list_unwanted_labels_script, change_unwanted_label_script;

#endif
