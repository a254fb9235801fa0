/*
 * Pushes of unknown shape: a person reads them, and after an upgrade they are read once more. A
 * body may be large, so a page is read in parts and ends early.
 */
#include "shipping/infrastructure/sql/step.h"

enum { part_rows = 4 };

enum sql_verdict list_unread_pushes_script(struct step *step)
{
    static const struct sql_statement list = {
        .text = "SELECT position, carrier, body, receive_time_us, why FROM shipping_webhooks"
                " WHERE state = 2 AND position > $1 AND (carrier = $2 OR $2 = '')"
                " ORDER BY position LIMIT $3"};
    struct list_unread_pushes_command *command = (struct list_unread_pushes_command *)step->command;
    size_t used_before = arena_used(step->arena);
    uint64_t after = command->after;
    bool has_more = true;
    command->push_count = 0;
    command->next = 0;
    command->pushes = shipping_step_allocate(step, command->page_size + 1, sizeof *command->pushes);
    if (command->pushes == NULL)
        return SQL_FAIL;
    while (has_more) {
        size_t left = command->page_size - command->push_count;
        bool is_full = left == 0 || (command->push_count > 0 &&
                                     arena_used(step->arena) - used_before > page_memory_bytes);
        size_t part = is_full ? 1 : left < part_rows ? left : part_rows;
        struct sql_rows rows;
        if (!sql_query(step->session, &list,
                       BOUND(sql_integer((int64_t)after), sql_text(command->carrier),
                             sql_integer((int64_t)part)),
                       &rows))
            return SQL_FAIL;
        if (is_full) {
            command->next = rows.count > 0 ? after : 0;
            break;
        }
        has_more = rows.count == part;
        for (size_t i = 0; i < rows.count; i++) {
            after = (uint64_t)sql_rows_integer(&rows, i, 0);
            command->pushes[command->push_count++] = (struct shipping_unread_push){
                .push = {.webhook_id = after,
                         .carrier = sql_rows_text(&rows, i, 1),
                         .body = sql_rows_blob(&rows, i, 2),
                         .receive_time_us = sql_rows_integer(&rows, i, 3)},
                .why = sql_rows_text(&rows, i, 4),
            };
        }
    }
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
