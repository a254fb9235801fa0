/*
 * Labels that nobody wants. A row is added by the step that finds the purchase's attempt over, so
 * no crash lies between what the carrier sold and the intent to void it; it is never deleted.
 */
#include "shipping/infrastructure/sql/unwanted_labels.h"

#define LABEL_COLUMNS                                                                              \
    "position, carrier, tracking_number, shipment_id, attempt, country_code, state, note,"         \
    " create_time_us, next_time_us, asks"

static const char audit_name[] = "unwanted label";

/* "1Z…: VOIDED: words" */
static bool add_audit(struct step *step, const struct unwanted_label *label, int64_t now_us)
{
    char *note = arena_format(step->arena, "%.*s: %s%s%.*s", (int)label->tracking_number.size,
                              label->tracking_number.data, unwanted_label_state_name(label->state),
                              label->note.size > 0 ? ": " : "", (int)label->note.size,
                              label->note.size > 0 ? label->note.data : "");
    if (note == NULL) {
        (void)shipping_step_fail_memory(step);
        return false;
    }
    shipping_step_audit(step, now_us, label->shipment_id, label->attempt, audit_name,
                        text_of(note));
    return !sql_session_has_failed(step->session);
}

bool unwanted_label_insert(struct step *step, const struct shipment_row *row, uint32_t attempt,
                           struct text tracking_number)
{
    static const struct sql_statement insert = {
        .text = "INSERT INTO shipping_unwanted_labels (carrier, tracking_number, shipment_id,"
                " attempt, country_code, state, note, create_time_us, next_time_us, asks)"
                " VALUES ($1, $2, $3, $4, $5, 1, '', $6, $6, 0) ON CONFLICT DO NOTHING"};
    const struct shipment *shipment = &row->shipment;
    struct unwanted_label label = {
        .carrier = shipment->carrier,
        .tracking_number = tracking_number,
        .shipment_id = shipment->shipment_id,
        .attempt = attempt,
        .country_code = shipment->consignment.origin.country_code,
        .state = UNWANTED_LABEL_TO_VOID,
        .note = text_of("bought for an attempt that was over"),
    };
    int64_t affected;
    if (!sql_execute(step->session, &insert,
                     BOUND(sql_text(label.carrier), sql_text(tracking_number),
                           sql_text(label.shipment_id), sql_integer(attempt),
                           sql_text(label.country_code), sql_integer(row->now_us)),
                     &affected))
        return false;
    return affected == 0 || add_audit(step, &label, row->now_us);
}

static struct unwanted_label label_of(const struct sql_rows *rows, size_t row)
{
    return (struct unwanted_label){
        .label_id = (uint64_t)sql_rows_integer(rows, row, 0),
        .carrier = sql_rows_text(rows, row, 1),
        .tracking_number = sql_rows_text(rows, row, 2),
        .shipment_id = sql_rows_text(rows, row, 3),
        .attempt = (uint32_t)sql_rows_integer(rows, row, 4),
        .country_code = sql_rows_text(rows, row, 5),
        .state = (enum unwanted_label_state)sql_rows_integer(rows, row, 6),
        .note = sql_rows_text(rows, row, 7),
        .create_time_us = sql_rows_integer(rows, row, 8),
        .next_time_us = sql_rows_integer(rows, row, 9),
        .asks = (uint32_t)sql_rows_integer(rows, row, 10),
    };
}

/* A label is small: a page of the largest is a few hundred KiB, and is read at once. */
enum sql_verdict list_unwanted_labels_script(struct step *step)
{
    static const struct sql_statement all = {
        .text = "SELECT " LABEL_COLUMNS " FROM shipping_unwanted_labels"
                " WHERE position > $1 ORDER BY position LIMIT $2"};
    static const struct sql_statement of_state = {
        .text = "SELECT " LABEL_COLUMNS " FROM shipping_unwanted_labels"
                " WHERE position > $1 AND state = $3 ORDER BY position LIMIT $2"};
    static const struct sql_statement due = {
        .text = "SELECT " LABEL_COLUMNS " FROM shipping_unwanted_labels"
                " WHERE position > $1 AND state = 1 AND next_time_us <= $3"
                " ORDER BY next_time_us, position LIMIT $2"};
    struct list_unwanted_labels_command *command =
        (struct list_unwanted_labels_command *)step->command;
    bool by_time = command->due_by_us > 0, by_state = command->state != 0;
    struct sql_rows rows;
    struct sql_value values[] = {
        sql_integer((int64_t)command->after),
        sql_integer((int64_t)command->page_size + 1),
        sql_integer(by_time ? command->due_by_us : (int64_t)command->state),
    };
    command->label_count = 0;
    command->next = 0;
    command->labels = shipping_step_allocate(step, command->page_size + 1, sizeof *command->labels);
    if (command->labels == NULL || !sql_query(step->session,
                                              by_time    ? &due
                                              : by_state ? &of_state
                                                         : &all,
                                              values, by_time || by_state ? 3 : 2, &rows))
        return SQL_FAIL;
    for (size_t i = 0; i < rows.count && i < command->page_size; i++)
        command->labels[command->label_count++] = label_of(&rows, i);
    if (rows.count > command->page_size)
        command->next = (uint64_t)sql_rows_integer(&rows, command->page_size - 1, 0);
    return SQL_COMMIT;
}

static void write_label(struct step *step, const struct unwanted_label *label)
{
    static const struct sql_statement update = {
        .text = "UPDATE shipping_unwanted_labels SET state = $2, note = $3, next_time_us = $4,"
                " asks = $5 WHERE position = $1"};
    sql_enqueue(step->session, &update,
                BOUND(sql_integer((int64_t)label->label_id), sql_integer(label->state),
                      sql_text(label->note), sql_integer(label->next_time_us),
                      sql_integer(label->asks)),
                1);
}

/* Makes the change that the domain has allowed. */
static bool change(struct step *step, struct change_unwanted_label_command *command,
                   enum unwanted_label_state next, int64_t now_us)
{
    struct unwanted_label label = command->label;
    bool is_in_vain = command->change == UNWANTED_LABEL_CHANGE_IN_VAIN;
    label.state = next;
    label.note = command->note;
    label.asks += is_in_vain;
    label.next_time_us = next != UNWANTED_LABEL_TO_VOID ? 0
                         : is_in_vain                   ? command->next_time_us
                                                        : now_us;
    if (!shipping_step_copy(step, &label.note))
        return false;
    write_label(step, &label);
    command->label = label;
    return is_in_vain ? !sql_session_has_failed(step->session) : add_audit(step, &label, now_us);
}

enum sql_verdict change_unwanted_label_script(struct step *step)
{
    static const struct sql_statement find = {.text = "SELECT " LABEL_COLUMNS
                                                      " FROM shipping_unwanted_labels"
                                                      " WHERE position = $1",
                                              .for_update = true};
    struct change_unwanted_label_command *command =
        (struct change_unwanted_label_command *)step->command;
    enum unwanted_label_state next;
    struct sql_rows rows;
    int64_t now_us;
    if (!sql_query(step->session, &find, BOUND(sql_integer((int64_t)command->label_id)), &rows))
        return SQL_FAIL;
    if (rows.count == 0)
        return shipping_step_refuse(step, SHIPPING_LABEL_NOT_FOUND);
    command->label = label_of(&rows, 0);
    if (!unwanted_label_next_state(command->label.state, command->change, &next)) {
        bool is_known = command->change == UNWANTED_LABEL_CHANGE_VOIDED &&
                        command->label.state == UNWANTED_LABEL_VOIDED;
        return is_known ? SQL_COMMIT : shipping_step_refuse(step, SHIPPING_STATE_DIFFERS);
    }
    if (!sql_session_now_us(step->session, command->label.create_time_us, &now_us) ||
        !change(step, command, next, now_us))
        return SQL_FAIL;
    return SQL_COMMIT;
}
