/*
 * Cancelling, and what a person decides. That a cancellation is wanted is written down before the
 * carrier is asked, so that it is not forgotten when the process ends in between.
 */
#include "shipping/infrastructure/sql/purchases.h"

enum sql_verdict begin_cancel_script(struct step *step)
{
    struct cancel_shipment_command *command = (struct cancel_shipment_command *)step->command;
    struct text reason = command->reason;
    struct shipment_row row;
    struct shipment *shipment = &row.shipment;
    enum sql_verdict verdict;
    if (!shipment_row_lock(step, command->shipment_id, &row, &verdict))
        return verdict;
    verdict = SQL_COMMIT;
    if (!shipping_step_copy(step, &reason))
        return SQL_FAIL;
    if (shipment->state == SHIPMENT_INTENT) {
        if (!purchase_cancel(step, &row, reason, "CANCELLED"))
            return SQL_FAIL;
    } else if (shipment->state == SHIPMENT_CREATED && !shipment->cancel_wanted) {
        shipment->cancel_wanted = true;
        shipment->cancel_reason = reason;
        shipment->failure = (struct text){0};
        shipment->lookup_time_us = shipment_next_lookup(row.now_us, 0, row.now_us);
        shipment->lookups = 0;
        if (!shipment_row_change(step, &row, shipment->attempt, "CANCEL WANTED", reason))
            return SQL_FAIL;
    } else if (shipment->state != SHIPMENT_CREATED && shipment->state != SHIPMENT_CANCELLED) {
        verdict = shipping_step_refuse(step, SHIPPING_STATE_DIFFERS);
    }
    command->shipment = row.shipment;
    return verdict;
}

static bool keep_refusal(struct step *step, struct shipment_row *row,
                         const struct cancel_shipment_command *command)
{
    struct shipment *shipment = &row->shipment;
    struct text failure = command->failure;
    if (!shipping_step_copy(step, &failure))
        return false;
    shipment->cancel_wanted = false;
    shipment->failure = failure;
    shipment->lookup_time_us = 0;
    if (command->is_lost &&
        shipment_next_state(shipment->state, SHIPMENT_CHANGE_VOID_LOST, &shipment->state))
        return shipment_row_change(step, row, shipment->attempt, "CANCEL LOST", failure);
    shipment->cancel_reason = (struct text){0};
    return shipment_row_change(step, row, shipment->attempt, "CANCEL REFUSED", failure);
}

enum sql_verdict end_cancel_script(struct step *step)
{
    struct cancel_shipment_command *command = (struct cancel_shipment_command *)step->command;
    struct shipment_row row;
    struct shipment *shipment = &row.shipment;
    enum sql_verdict verdict;
    if (!shipment_row_lock(step, command->shipment_id, &row, &verdict))
        return verdict;
    bool is_bought = shipment->state == SHIPMENT_CREATED || shipment_has_lost_void(shipment);
    verdict = SQL_COMMIT;
    if (is_bought && command->voided) {
        shipment->failure = (struct text){0};
        if (!purchase_cancel(step, &row, shipment->cancel_reason, "CANCELLED"))
            return SQL_FAIL;
    } else if (shipment->state == SHIPMENT_CREATED && shipment->cancel_wanted) {
        if (!keep_refusal(step, &row, command))
            return SQL_FAIL;
    } else if (!is_bought && !(shipment->state == SHIPMENT_CANCELLED && command->voided)) {
        verdict = shipping_step_refuse(step, SHIPPING_STATE_DIFFERS);
    }
    command->shipment = row.shipment;
    return verdict;
}

/* --- a person's decision --- */

static bool adopt(struct step *step, const struct resolve_shipment_command *command,
                  struct shipment_row *row, struct text note)
{
    bool was_bought = shipment_has_lost_void(&row->shipment);
    const struct shipment *shipment = &row->shipment;
    if (was_bought) { /* numbers and labels are kept */
        row->shipment.state = SHIPMENT_CREATED;
        row->shipment.failure = (struct text){0};
        row->shipment.cancel_reason = (struct text){0};
        row->shipment.lookups = 0;
    } else if (!purchase_take(step, row, command->tracking_number, command->bought)) {
        return false;
    }
    return shipment_row_change(step, row, shipment->attempt, "RESOLVE ADOPT", note) &&
           (was_bought || shipment_row_emit(step, row, EVENT_SHIPMENT_CREATED, (struct text){0}));
}

static bool resolve(struct step *step, const struct resolve_shipment_command *command,
                    struct shipment_row *row)
{
    struct text note = command->note;
    uint32_t attempt = row->shipment.attempt;
    if (!shipping_step_copy(step, &note))
        return false;
    row->resolution = command->resolution;
    switch (command->resolution) {
    case SHIPMENT_ADOPT:
        return adopt(step, command, row, note);
    case SHIPMENT_VOID:
        return purchase_cancel(step, row, note, "RESOLVE VOID");
    case SHIPMENT_BUY_AGAIN:
        purchase_begin_again(row, (struct text){0});
        return shipment_row_change(step, row, attempt, "RESOLVE BUY_AGAIN", note);
    }
    return false;
}

enum sql_verdict resolve_shipment_script(struct step *step)
{
    struct resolve_shipment_command *command = (struct resolve_shipment_command *)step->command;
    struct shipment_row row;
    enum sql_verdict verdict;
    enum shipment_state next;
    if (!shipment_row_lock(step, command->shipment_id, &row, &verdict))
        return verdict;
    verdict = SQL_COMMIT;
    switch (shipment_judge_resolution(&row.shipment, command->resolution, command->tracking_number,
                                      row.resolution, &next)) {
    case SHIPMENT_NEWS_MOVES:
        if (!resolve(step, command, &row))
            return SQL_FAIL;
        break;
    case SHIPMENT_NEWS_REPEATS:
        break;
    case SHIPMENT_NEWS_DIFFERS:
        verdict = shipping_step_refuse(step, SHIPPING_STATE_DIFFERS);
        break;
    }
    command->shipment = row.shipment;
    return verdict;
}
