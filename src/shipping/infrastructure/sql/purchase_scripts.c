/*
 * How a shipment is written down, sent and bought. The row is locked before anything is decided,
 * so of two callers with the same attempt one sees what the other has done.
 */
#include "shipping/infrastructure/sql/consignment_codec.h"
#include "shipping/infrastructure/sql/purchases.h"
#include "shipping/infrastructure/sql/unwanted_labels.h"

#include <string.h>

/* --- BEGIN --- */

/* The record as it will be read: its texts are of the arena, not of the caller. */
static bool make_record(struct step *step, const struct begin_shipment_command *command,
                        struct text consignment, struct shipment_row *row)
{
    const struct shipment_request *request = command->request;
    *row = (struct shipment_row){.shipment = {.shipment_id = request->shipment_id,
                                              .order_id = request->order_id,
                                              .reference = request->reference,
                                              .state = SHIPMENT_INTENT,
                                              .carrier = command->carrier,
                                              .service_code = command->service_code,
                                              .label_format = request->label_format,
                                              .amount = command->amount,
                                              .attempt = 1,
                                              .revision = 1}};
    struct shipment *shipment = &row->shipment;
    memcpy(shipment->content_hash, command->content_hash, sizeof shipment->content_hash);
    if (!shipping_step_copy(step, &shipment->shipment_id) ||
        !shipping_step_copy(step, &shipment->order_id) ||
        !shipping_step_copy(step, &shipment->reference) ||
        !shipping_step_copy(step, &shipment->carrier) ||
        !shipping_step_copy(step, &shipment->service_code))
        return false;
    if (consignment_decode(consignment, step->arena, &shipment->consignment) != CONSIGNMENT_READ) {
        (void)shipping_step_fail_memory(step);
        return false;
    }
    size_t count = shipment->consignment.parcel_count;
    struct shipment_parcel *parcels = shipping_step_allocate(step, count + 1, sizeof *parcels);
    if (parcels == NULL)
        return false;
    for (size_t i = 0; i < count; i++)
        parcels[i].parcel = shipment->consignment.parcels[i];
    shipment->parcels = parcels;
    return true;
}

static enum sql_verdict begin_new(struct step *step, struct begin_shipment_command *command)
{
    struct consignment consignment = command->request->consignment;
    struct shipment_row row;
    memcpy(consignment.ship_date, command->ship_date, sizeof consignment.ship_date);
    struct text bytes = consignment_encode(step->arena, &consignment);
    if (bytes.data == NULL)
        return shipping_step_fail_memory(step);
    if (!make_record(step, command, bytes, &row) ||
        !sql_session_now_us(step->session, 0, &row.now_us))
        return SQL_FAIL;
    row.shipment.create_time_us = row.now_us;
    if (!shipment_row_insert(step, &row, bytes))
        return SQL_FAIL;
    command->shipment = row.shipment;
    command->is_new = true;
    return SQL_COMMIT;
}

enum sql_verdict begin_shipment_script(struct step *step)
{
    struct begin_shipment_command *command = (struct begin_shipment_command *)step->command;
    struct shipment_row row;
    enum sql_verdict verdict;
    command->is_new = false;
    if (shipment_row_find(step, command->request->shipment_id, &row, &verdict)) {
        if (memcmp(row.shipment.content_hash, command->content_hash, 32) != 0)
            return shipping_step_refuse(step, SHIPPING_ID_REUSED);
        command->shipment = row.shipment;
        return SQL_COMMIT;
    }
    if (verdict == SQL_FAIL)
        return verdict;
    step->command->outcome = SHIPPING_DONE; /* that it was not found is no refusal here */
    return begin_new(step, command);
}

/* --- MARK_SENT --- */

/* A purchase that could not be recorded must not be made. */
static bool outbox_has_room(struct step *step)
{
    if (sql_outbox_bytes(step->outbox) < step->outbox->bytes_max)
        return true;
    *step->error = error_make(ERROR_OUTBOX_FULL, "shipping: nothing is bought while the events "
                                                 "waiting for the relay are at their bound");
    return false;
}

enum sql_verdict mark_sent_script(struct step *step)
{
    struct mark_sent_command *command = (struct mark_sent_command *)step->command;
    struct shipment_row row;
    struct shipment *shipment = &row.shipment;
    enum sql_verdict verdict;
    if (!shipment_row_lock(step, command->shipment_id, &row, &verdict))
        return verdict;
    enum shipment_state next;
    bool fits = shipment->attempt == command->attempt &&
                shipment_next_state(shipment->state, SHIPMENT_CHANGE_SEND, &next);
    if (!fits) {
        command->shipment = row.shipment;
        return shipping_step_refuse(step, SHIPPING_STATE_DIFFERS);
    }
    if (!outbox_has_room(step))
        return SQL_FAIL;
    shipment->state = next;
    shipment->sent_time_us = row.now_us;
    shipment->failure = (struct text){0};
    if (!shipment_row_change(step, &row, command->attempt, "SENT", (struct text){0}))
        return SQL_FAIL;
    command->shipment = row.shipment;
    return SQL_COMMIT;
}

/* --- RECORD_PURCHASE --- */

/* Makes the change that the domain has allowed. */
static bool move(struct step *step, const struct record_purchase_command *command,
                 struct shipment_row *row, enum shipment_state next)
{
    struct text failure = command->failure;
    struct text note = command->change == SHIPMENT_CHANGE_BOUGHT ? (struct text){0} : failure;
    enum shipping_event_type type = EVENT_SHIPMENT_FAILED;
    if (!shipping_step_copy(step, &failure))
        return false;
    if (command->change == SHIPMENT_CHANGE_NOT_DONE) {
        purchase_begin_again(row, failure);
    } else if (command->change == SHIPMENT_CHANGE_LOST) {
        purchase_lose(row, failure);
    } else if (command->change == SHIPMENT_CHANGE_BOUGHT) {
        type = EVENT_SHIPMENT_CREATED;
        if (!purchase_take(step, row, command->bought->tracking_number, command->bought))
            return false;
    } else {
        row->shipment.state = next;
        row->shipment.failure = failure;
        row->shipment.lookup_time_us = 0;
    }
    if (!shipment_row_change(step, row, command->attempt, shipment_state_name(next), note))
        return false;
    if (next != SHIPMENT_CREATED && next != SHIPMENT_FAILED)
        return true;
    return shipment_row_emit(step, row, type, (struct text){0});
}

/* What is known already, and perhaps labels that are not. */
static bool repeat(struct step *step, const struct record_purchase_command *command,
                   struct shipment_row *row)
{
    bool is_new;
    if (command->change != SHIPMENT_CHANGE_BOUGHT)
        return true;
    return purchase_complete(step, row, command->bought, &is_new) &&
           (!is_new ||
            shipment_row_change(step, row, command->attempt, "LABELS", (struct text){0}));
}

/* The attempt is over. If a label was bought for it, that is written down, though nothing else is.
 */
static enum sql_verdict refuse(struct step *step, const struct record_purchase_command *command,
                               const struct shipment_row *row)
{
    if (command->change != SHIPMENT_CHANGE_BOUGHT)
        return shipping_step_refuse(step, SHIPPING_STATE_DIFFERS);
    step->command->outcome = SHIPPING_STATE_DIFFERS;
    return unwanted_label_insert(step, row, command->attempt, command->bought->tracking_number)
               ? SQL_COMMIT
               : SQL_FAIL;
}

enum sql_verdict record_purchase_script(struct step *step)
{
    struct record_purchase_command *command = (struct record_purchase_command *)step->command;
    struct shipment_row row;
    enum sql_verdict verdict;
    enum shipment_state next;
    if (!shipment_row_lock(step, command->shipment_id, &row, &verdict))
        return verdict;
    verdict = SQL_COMMIT;
    switch (shipment_judge_end(&row.shipment, command->attempt, command->change, command->bought,
                               &next)) {
    case SHIPMENT_NEWS_MOVES:
        if (!move(step, command, &row, next))
            return SQL_FAIL;
        break;
    case SHIPMENT_NEWS_REPEATS:
        if (!repeat(step, command, &row))
            return SQL_FAIL;
        break;
    case SHIPMENT_NEWS_DIFFERS:
        verdict = refuse(step, command, &row);
        break;
    }
    command->shipment = row.shipment;
    return verdict;
}

/* --- RECORD_LOOKUP --- */

enum sql_verdict record_lookup_script(struct step *step)
{
    struct record_lookup_command *command = (struct record_lookup_command *)step->command;
    struct shipment_row row;
    struct shipment *shipment = &row.shipment;
    enum sql_verdict verdict;
    if (!shipment_row_lock(step, command->shipment_id, &row, &verdict))
        return verdict;
    bool waits = shipment->state == SHIPMENT_UNKNOWN || shipment->cancel_wanted;
    if (!waits || shipment->attempt != command->attempt) {
        command->shipment = row.shipment;
        return shipping_step_refuse(step, SHIPPING_STATE_DIFFERS);
    }
    shipment->lookup_time_us = command->lookup_time_us;
    shipment->lookups++;
    shipment->failure = command->failure;
    if (!shipping_step_copy(step, &shipment->failure) ||
        !shipment_row_change(step, &row, command->attempt, NULL, (struct text){0}))
        return SQL_FAIL;
    command->shipment = row.shipment;
    return SQL_COMMIT;
}
