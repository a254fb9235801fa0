/*
 * What still happens to a reservation after its end: an expired one is taken again, what was
 * committed comes back. Each appends the whole reservation anew; its id then stands for that
 * record, and the old one's place in its retention queue for nothing. The shape is that of all
 * commands: find, decide, ask for all memory, then change.
 */
#include "inventory/infrastructure/embedded/engine_commands.h"

/* The stocks that a change of a resolved reservation touches, before and after; one a line. */
struct touched {
    struct sku *skus[inventory_lines_max]; /* NULL = not touched */
    struct stock after[inventory_lines_max];
};

/* Appends the record of such a change and applies it to the stocks. Cannot fail. */
static uint64_t append_touching(struct engine *engine, struct inventory_record *record,
                                const struct touched *touched)
{
    struct text bytes;
    struct stock_entry entries[2];
    struct reservation *reservation = &record->reservation;
    record->time_us = engine->now_us;
    for (size_t i = 0; i < reservation->line_count; i++) {
        record->links[i] = (struct sku_link){0};
        record->crossings[i] = (struct stock_crossing){0};
        if (touched->skus[i] == NULL)
            continue;
        reservation->lines[i].stock_revision = touched->after[i].revision;
        record->links[i] = sku_next_link(touched->skus[i]);
        record->crossings[i] = stock_crossing(&touched->skus[i]->stock, &touched->after[i], false);
    }
    uint64_t position = engine_append(engine, record, &bytes);
    for (size_t i = 0; i < reservation->line_count; i++) {
        if (touched->skus[i] != NULL)
            sku_changed(touched->skus[i], &touched->after[i], position,
                        inventory_record_entries(record, i, entries));
    }
    return position;
}

/* --- Commit with retake_if_expired --- */

static bool add_shortage(struct commit_command *command, const struct reservation_line *line,
                         int64_t quantity, const struct stock *stock)
{
    if (command->shortage_count == 0)
        command->shortages =
            arena_allocate(command->base.arena, inventory_lines_max * sizeof *command->shortages);
    struct text sku = arena_copy_text(command->base.arena, line->sku);
    if (command->shortages == NULL || sku.data == NULL)
        return engine_out_of_memory(&command->base);
    command->shortages[command->shortage_count++] = (struct shortage){
        .sku = sku,
        .requested_quantity = quantity,
        .available_quantity = stock_available(stock),
    };
    return true;
}

/* False if the command is answered: not all of it is free, or there is no memory to say so. */
static bool decide_retake(struct engine *engine, struct commit_command *command,
                          const struct inventory_record *record, const int64_t *committed,
                          struct touched *touched)
{
    command->shortage_count = 0;
    for (size_t i = 0; i < record->reservation.line_count; i++) {
        struct reservation_line *line = &record->reservation.lines[i];
        struct sku *sku = engine_state_sku(&engine->state, line->sku);
        touched->skus[i] = committed[i] == 0 ? NULL : sku;
        if (committed[i] == 0)
            continue;
        if (stock_take(&sku->stock, committed[i], engine->now_us, &touched->after[i]) !=
                STOCK_CHANGED &&
            !add_shortage(command, line, committed[i], &sku->stock))
            return false;
    }
    if (command->shortage_count > 0)
        engine_refuse(&command->base, INVENTORY_INSUFFICIENT_STOCK);
    return command->shortage_count == 0;
}

void engine_retake(struct engine *engine, struct commit_command *command, uint64_t position,
                   struct inventory_record *record, const int64_t *committed)
{
    struct touched touched;
    struct reservation *reservation = &record->reservation;
    if (!decide_retake(engine, command, record, committed, &touched) ||
        !engine_may_write(engine, &command->base))
        return;
    if (!engine_state_reserve_id(&engine->state)) { /* its new place in a queue */
        engine_out_of_memory(&command->base);
        return;
    }
    reservation->state = RESERVATION_COMMITTED;
    reservation->resolve_time_us = engine->now_us;
    record->change = CHANGE_RETAKEN;
    for (size_t i = 0; i < reservation->line_count; i++) {
        struct reservation_line *line = &reservation->lines[i];
        line->committed_quantity = committed[i];
        if (touched.skus[i] == NULL)
            continue;
        line->backordered_quantity = stock_backordered(&touched.skus[i]->stock, committed[i]);
        line->stock_revision = touched.after[i].revision;
    }
    if (!engine_copy_reservation(&command->base, reservation, &command->reservation))
        return;
    uint64_t retaken = append_touching(engine, record, &touched);
    engine_state_replace(&engine->state, engine_state_id_hash(&engine->state, record->id), position,
                         retaken);
    engine_state_retain(&engine->state, retaken, RETENTION_LONG);
}

/* --- ReturnStock --- */

static bool is_same_return(const struct inventory_record *present,
                           const struct return_stock_command *command)
{
    size_t asked = 0;
    if (!text_equal(present->id, command->reservation_id) ||
        present->return_reason != command->reason)
        return false;
    for (size_t i = 0; i < present->reservation.line_count; i++) {
        if (present->returned_now[i] == 0)
            continue;
        if (asked == command->line_count ||
            !text_equal(present->reservation.lines[i].sku, command->lines[asked].sku) ||
            present->returned_now[i] != command->lines[asked].quantity)
            return false;
        asked++;
    }
    return asked == command->line_count;
}

/* The stocks of the command's lines, as they are now; there is room for them. */
static void fill_stocks(struct engine *engine, struct return_stock_command *command)
{
    for (size_t i = 0; i < command->line_count; i++)
        command->stocks[i] = (struct sku_stock){
            .sku = command->lines[i].sku,
            .stock = engine_state_sku(&engine->state, command->lines[i].sku)->stock,
        };
}

/* Whether the id is known already; then the command is answered. An error answers it too. */
static bool is_repeated_return(struct engine *engine, struct return_stock_command *command)
{
    struct inventory_record present;
    struct id_place place;
    bool found;
    struct error error =
        engine_find_record(engine, ID_SPACE_RETURN, command->return_id, &place, &present, &found);
    if (error_is(error))
        engine_fail(&command->base, error);
    else if (found && is_same_return(&present, command))
        fill_stocks(engine, command);
    else if (found)
        engine_refuse(&command->base, INVENTORY_ID_REUSED);
    return error_is(error) || found;
}

/* False if the command is answered. */
static bool decide_return(struct engine *engine, struct return_stock_command *command,
                          const struct inventory_record *record, struct touched *touched)
{
    size_t failed;
    if (!reservation_returned_quantities(&record->reservation, command->lines, command->line_count,
                                         record->returned_now, &failed)) {
        engine_refuse_sku(&command->base, INVENTORY_LINES_NOT_HELD, command->lines[failed].sku);
        return false;
    }
    for (size_t i = 0; i < record->reservation.line_count; i++) {
        touched->skus[i] = NULL;
        if (record->returned_now[i] == 0)
            continue;
        struct sku *sku = engine_state_sku(&engine->state, record->reservation.lines[i].sku);
        touched->skus[i] = sku;
        if (stock_return(&sku->stock, record->returned_now[i], engine->now_us,
                         &touched->after[i]) != STOCK_CHANGED) {
            engine_refuse_sku(&command->base, INVENTORY_ON_HAND_LIMIT, sku_name(sku));
            return false;
        }
    }
    return true;
}

static void apply_return(struct engine *engine, struct return_stock_command *command,
                         uint64_t position, struct inventory_record *record,
                         const struct touched *touched)
{
    struct engine_state *state = &engine->state;
    record->change = CHANGE_RETURNED;
    record->return_id = command->return_id;
    record->return_reason = command->reason;
    for (size_t i = 0; i < record->reservation.line_count; i++)
        record->reservation.lines[i].returned_quantity += record->returned_now[i];
    uint64_t returned = append_touching(engine, record, touched);
    engine_state_replace(state, engine_state_id_hash(state, record->id), position, returned);
    engine_state_add_final(state, ID_SPACE_RETURN, engine_state_id_hash(state, command->return_id),
                           returned, RETENTION_LONG);
}

void engine_return_stock(struct engine *engine, struct return_stock_command *command)
{
    struct touched touched;
    struct inventory_record record;
    struct id_place place;
    enum reservation_state after;
    command->stocks =
        arena_allocate(command->base.arena, command->line_count * sizeof *command->stocks);
    if (command->stocks == NULL) {
        engine_out_of_memory(&command->base);
        return;
    }
    if (is_repeated_return(engine, command))
        return;
    if (engine->options.on_hand_source == ON_HAND_WAREHOUSE &&
        !inventory_return_never_left(command->reason)) {
        engine_refuse(&command->base, INVENTORY_FED_BY_WAREHOUSE);
        return;
    }
    if (!engine_find_reservation(engine, &command->base, command->reservation_id, &place, &record))
        return;
    if (reservation_transition(record.reservation.state, RESERVATION_RETURN, &after) !=
        RESERVATION_MOVES) {
        engine_refuse_by_state(&command->base, after);
        return;
    }
    if (!decide_return(engine, command, &record, &touched) ||
        !engine_may_write(engine, &command->base) || !engine_reserve_id(engine, &command->base))
        return;
    apply_return(engine, command, place.position, &record, &touched);
    fill_stocks(engine, command);
}
