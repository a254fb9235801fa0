/* The audit trail: inserted and read, never changed. */
#include "shipping/infrastructure/sql/step.h"

enum sql_verdict keep_audit_script(struct step *step)
{
    static const struct sql_statement insert = {
        .text = "INSERT INTO shipping_audit (time_us, shipment_id, attempt, what, note, url,"
                " request, status, answer, duration_us)"
                " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"};
    const struct keep_audit_command *command = (const struct keep_audit_command *)step->command;
    for (size_t i = 0; i < command->entry_count; i++) {
        const struct shipping_audit *entry = &command->entries[i];
        sql_enqueue(step->session, &insert,
                    BOUND(sql_integer(entry->time_us), sql_text(entry->shipment_id),
                          sql_integer(entry->attempt), sql_text(entry->what), sql_text(entry->note),
                          sql_text(entry->url), sql_blob(entry->request),
                          sql_integer(entry->status), sql_blob(entry->answer),
                          sql_integer(entry->duration_us)),
                    sql_any_number);
    }
    return SQL_COMMIT;
}

static void take_entry(struct step *step, const struct sql_rows *rows, size_t row)
{
    struct list_audit_command *command = (struct list_audit_command *)step->command;
    command->entries[command->entry_count++] = (struct shipping_audit){
        .time_us = sql_rows_integer(rows, row, 1),
        .shipment_id = sql_rows_text(rows, row, 2),
        .attempt = (uint32_t)sql_rows_integer(rows, row, 3),
        .what = sql_rows_text(rows, row, 4),
        .note = sql_rows_text(rows, row, 5),
        .url = sql_rows_text(rows, row, 6),
        .request = sql_rows_blob(rows, row, 7),
        .status = sql_rows_integer(rows, row, 8),
        .answer = sql_rows_blob(rows, row, 9),
        .duration_us = sql_rows_integer(rows, row, 10),
    };
}

/* Requests and answers may be large. */
enum sql_verdict list_audit_script(struct step *step)
{
    static const struct sql_statement list = {
        .text = "SELECT position, time_us, shipment_id, attempt, what, note, url, request, status,"
                " answer, duration_us FROM shipping_audit"
                " WHERE shipment_id = $1 AND position > $2 ORDER BY position LIMIT $3"};
    struct list_audit_command *command = (struct list_audit_command *)step->command;
    const struct step_page page = {.list = &list,
                                   .of = command->shipment_id,
                                   .after = command->after,
                                   .size = command->page_size,
                                   .part_rows = 8,
                                   .used_before = arena_used(step->arena),
                                   .take = take_entry};
    command->entry_count = 0;
    command->entries =
        shipping_step_allocate(step, command->page_size + 1, sizeof *command->entries);
    if (command->entries == NULL || !shipping_step_read_page(step, &page, &command->next))
        return SQL_FAIL;
    return SQL_COMMIT;
}
