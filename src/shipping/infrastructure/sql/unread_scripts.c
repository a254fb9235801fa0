/*
 * Pushes of unknown shape: a person reads them, and after an upgrade they are read once more. A
 * body may be large, so a page is read in parts and ends early.
 */
#include "shipping/infrastructure/sql/step.h"

static void take_unread(struct step *step, const struct sql_rows *rows, size_t row)
{
    struct list_unread_pushes_command *command = (struct list_unread_pushes_command *)step->command;
    command->pushes[command->push_count++] = (struct shipping_unread_push){
        .push = {.webhook_id = (uint64_t)sql_rows_integer(rows, row, 0),
                 .carrier = sql_rows_text(rows, row, 1),
                 .body = sql_rows_blob(rows, row, 2),
                 .receive_time_us = sql_rows_integer(rows, row, 3)},
        .why = sql_rows_text(rows, row, 4),
    };
}

enum sql_verdict list_unread_pushes_script(struct step *step)
{
    static const struct sql_statement list = {
        .text = "SELECT position, carrier, body, receive_time_us, why FROM shipping_webhooks"
                " WHERE state = 2 AND (carrier = $1 OR $1 = '') AND position > $2"
                " ORDER BY position LIMIT $3"};
    struct list_unread_pushes_command *command = (struct list_unread_pushes_command *)step->command;
    const struct step_page page = {.list = &list,
                                   .of = command->carrier,
                                   .after = command->after,
                                   .size = command->page_size,
                                   .part_rows = 4,
                                   .used_before = arena_used(step->arena),
                                   .take = take_unread};
    command->push_count = 0;
    command->pushes = shipping_step_allocate(step, command->page_size + 1, sizeof *command->pushes);
    if (command->pushes == NULL || !shipping_step_read_page(step, &page, &command->next))
        return SQL_FAIL;
    return SQL_COMMIT;
}

/* The turn: two at once would choose the same rows. */
enum sql_verdict replay_pushes_script(struct step *step)
{
    static const struct sql_statement replay = {
        .text = "UPDATE shipping_webhooks SET state = 0, why = '' WHERE position IN"
                " (SELECT position FROM shipping_webhooks"
                " WHERE state = 2 AND (carrier = $1 OR $1 = '') ORDER BY position LIMIT $2)"};
    static const struct sql_statement more = {
        .text = "SELECT position FROM shipping_webhooks"
                " WHERE state = 2 AND (carrier = $1 OR $1 = '') LIMIT 1"};
    struct replay_pushes_command *command = (struct replay_pushes_command *)step->command;
    struct sql_rows rows;
    int64_t affected;
    if (!step_take_turn(step) ||
        !sql_execute(step->session, &replay,
                     BOUND(sql_text(command->carrier), sql_integer((int64_t)command->count_max)),
                     &affected) ||
        !sql_query(step->session, &more, BOUND(sql_text(command->carrier)), &rows))
        return SQL_FAIL;
    command->count = (size_t)affected;
    command->has_more = rows.count > 0;
    return SQL_COMMIT;
}
