/*
 * One function a command. Each has the same shape: look the id up (a repeat answers with the
 * record), find the stock, let the domain decide, ask for all memory, then change: append the
 * record and apply it. After the first change nothing can fail.
 */
#include "inventory/infrastructure/embedded/engine.h"

#include "platform/base/memory.h"

#include <string.h>

static void refuse(struct inventory_command *command, enum inventory_outcome outcome)
{
    command->outcome = outcome;
}

static void refuse_sku(struct inventory_command *command, enum inventory_outcome outcome,
                       struct text sku)
{
    command->outcome = outcome;
    command->failed_sku = sku;
}

static bool out_of_memory(struct inventory_command *command)
{
    engine_fail(command, error_make(ERROR_OUT_OF_MEMORY, "inventory engine"));
    return false;
}

/* Room for one more id, in memory and within the bound that retention promises. */
static bool reserve_id(struct engine *engine, struct inventory_command *command)
{
    if (engine_state_id_count(&engine->state) >= engine->options.ids_max) {
        engine_fail(command, error_make(ERROR_RETENTION_FULL,
                                        "%llu ids are kept for their retention; none is forgotten "
                                        "early: try later or raise inventory ids_max",
                                        (unsigned long long)engine->options.ids_max));
        return false;
    }
    return engine_state_reserve_id(&engine->state) || out_of_memory(command);
}

/* --- receipts and adjustments --- */

/* Appends and applies a change of one stock that is final at once. Cannot fail. */
static void change_stock(struct engine *engine, struct sku *sku, enum id_space space,
                         struct inventory_record *record, const struct stock *after)
{
    struct text bytes;
    struct stock_entry entries[2];
    record->time_us = engine->now_us;
    record->stock_revision = after->revision;
    record->link = sku_next_link(sku);
    uint64_t position = engine_append(engine, record, &bytes);
    sku_changed(sku, after, position, inventory_record_entries(record, 0, entries));
    engine_state_add_final(&engine->state, space, engine_state_id_hash(&engine->state, record->id),
                           position, RETENTION_LONG);
}

/*
 * Whether the id is known already; then the command is answered: with the stock as it is now if the
 * content is the same. An error answers it too.
 */
static bool is_repeated_change(struct engine *engine, struct inventory_command *command,
                               enum id_space space, const struct inventory_record *wanted,
                               struct stock *stock)
{
    struct id_place place;
    struct inventory_record present;
    bool found;
    struct error error = engine_find_record(engine, space, wanted->id, &place, &present, &found);
    if (error_is(error)) {
        engine_fail(command, error);
        return true;
    }
    if (!found)
        return false;
    bool same = text_equal(present.sku, wanted->sku) && present.quantity == wanted->quantity &&
                present.reason == wanted->reason && text_equal(present.note, wanted->note);
    if (same)
        *stock = engine_state_sku(&engine->state, wanted->sku)->stock;
    else
        refuse(command, INVENTORY_ID_REUSED);
    return true;
}

static void receive_stock(struct engine *engine, struct receive_stock_command *command)
{
    struct inventory_record record = {
        .type = RECORD_STOCK_RECEIVED,
        .id = command->receipt_id,
        .sku = command->sku,
        .quantity = command->quantity,
    };
    struct stock nothing = {0};
    struct stock after;
    if (is_repeated_change(engine, &command->base, ID_SPACE_RECEIPT, &record, &command->stock))
        return;
    struct sku *sku = engine_state_sku(&engine->state, command->sku);
    if (stock_receive(sku == NULL ? &nothing : &sku->stock, command->quantity, engine->now_us,
                      &after) != STOCK_CHANGED) {
        refuse_sku(&command->base, INVENTORY_ON_HAND_LIMIT, command->sku);
        return;
    }
    if (!engine_may_write(engine, &command->base) || !reserve_id(engine, &command->base))
        return;
    if (sku == NULL) {
        sku = engine_state_sku_create(&engine->state, command->sku);
        if (sku == NULL) {
            out_of_memory(&command->base);
            return;
        }
        engine_state_sku_add(&engine->state, sku);
    }
    change_stock(engine, sku, ID_SPACE_RECEIPT, &record, &after);
    command->stock = after;
}

static void adjust_stock(struct engine *engine, struct adjust_stock_command *command)
{
    struct inventory_record record = {
        .type = RECORD_STOCK_ADJUSTED,
        .id = command->adjustment_id,
        .sku = command->sku,
        .quantity = command->delta,
        .reason = command->reason,
        .note = command->note,
    };
    struct stock after;
    if (is_repeated_change(engine, &command->base, ID_SPACE_ADJUSTMENT, &record, &command->stock))
        return;
    struct sku *sku = engine_state_sku(&engine->state, command->sku);
    if (sku == NULL) {
        refuse_sku(&command->base, INVENTORY_SKU_NOT_FOUND, command->sku);
        return;
    }
    command->stock = sku->stock;
    switch (stock_adjust(&sku->stock, command->delta, command->expected_revision, engine->now_us,
                         &after)) {
    case STOCK_CHANGED:
        break;
    case STOCK_INSUFFICIENT:
        command->shortage = (struct shortage){
            .sku = command->sku,
            .requested_quantity = -command->delta,
            .available_quantity = stock_on_hand(&sku->stock),
        };
        refuse_sku(&command->base, INVENTORY_INSUFFICIENT_STOCK, command->sku);
        return;
    case STOCK_ABOVE_LIMIT:
        refuse_sku(&command->base, INVENTORY_ON_HAND_LIMIT, command->sku);
        return;
    case STOCK_REVISION_DIFFERENT:
        refuse_sku(&command->base, INVENTORY_REVISION_MISMATCH, command->sku);
        return;
    }
    if (!engine_may_write(engine, &command->base) || !reserve_id(engine, &command->base))
        return;
    change_stock(engine, sku, ID_SPACE_ADJUSTMENT, &record, &after);
    command->stock = after;
}

static void get_stock(struct engine *engine, struct get_stock_command *command)
{
    const struct sku *sku = engine_state_sku(&engine->state, command->sku);
    if (sku == NULL)
        refuse_sku(&command->base, INVENTORY_SKU_NOT_FOUND, command->sku);
    else
        command->stock = sku->stock;
}

/* --- reservations --- */

/* A copy that lives with the command. */
static bool copy_reservation(struct inventory_command *command, const struct reservation *from,
                             struct reservation *to)
{
    struct arena *arena = command->arena;
    *to = *from;
    to->reservation_id = arena_copy_text(arena, from->reservation_id);
    to->order_id = arena_copy_text(arena, from->order_id);
    to->customer_id = arena_copy_text(arena, from->customer_id);
    to->lines = arena_allocate(arena, from->line_count * sizeof *to->lines);
    bool copied = to->reservation_id.data != NULL && to->order_id.data != NULL &&
                  to->customer_id.data != NULL && to->lines != NULL;
    for (size_t i = 0; copied && i < from->line_count; i++) {
        to->lines[i] = from->lines[i];
        to->lines[i].sku = arena_copy_text(arena, from->lines[i].sku);
        copied = to->lines[i].sku.data != NULL;
    }
    return copied || out_of_memory(command);
}

/* What the store answers when nothing changes and it is no error. */
static void answer_reservation(struct inventory_command *command, const struct reservation *from,
                               struct reservation *to)
{
    (void)copy_reservation(command, from, to);
}

/*
 * Finds every line's stock and what it would be after the hold. False if the command is answered:
 * an unknown SKU goes before a shortage.
 */
static bool decide_holds(struct engine *engine, struct reserve_command *command, struct sku **skus,
                         struct stock *after)
{
    for (size_t i = 0; i < command->line_count; i++) {
        skus[i] = engine_state_sku(&engine->state, command->lines[i].sku);
        if (skus[i] == NULL) {
            refuse_sku(&command->base, INVENTORY_SKU_NOT_FOUND, command->lines[i].sku);
            return false;
        }
    }
    command->shortage_count = 0;
    for (size_t i = 0; i < command->line_count; i++) {
        if (stock_hold(&skus[i]->stock, command->lines[i].quantity, engine->now_us, &after[i]) ==
            STOCK_CHANGED)
            continue;
        if (command->shortage_count == 0)
            command->shortages = arena_allocate(
                command->base.arena, (command->line_count - i) * sizeof *command->shortages);
        if (command->shortages == NULL)
            return out_of_memory(&command->base);
        command->shortages[command->shortage_count++] = (struct shortage){
            .sku = command->lines[i].sku,
            .requested_quantity = command->lines[i].quantity,
            .available_quantity = stock_available(&skus[i]->stock),
        };
    }
    if (command->shortage_count > 0)
        refuse(&command->base, INVENTORY_INSUFFICIENT_STOCK);
    return command->shortage_count == 0;
}

/* The new reservation; its lines on the command's arena, texts are the command's. */
static bool make_reservation(struct engine *engine, struct reserve_command *command,
                             const struct stock *after)
{
    struct reservation_line *lines =
        arena_allocate(command->base.arena, command->line_count * sizeof *lines);
    if (lines == NULL)
        return out_of_memory(&command->base);
    for (size_t i = 0; i < command->line_count; i++) {
        lines[i] = (struct reservation_line){
            .sku = command->lines[i].sku,
            .quantity = command->lines[i].quantity,
            .stock_revision = after[i].revision,
        };
    }
    command->reservation = (struct reservation){
        .reservation_id = command->reservation_id,
        .order_id = command->order_id,
        .customer_id = command->customer_id,
        .state = RESERVATION_PENDING,
        .ttl_us = command->ttl_us,
        .create_time_us = engine->now_us,
        .expire_time_us = engine->now_us + command->ttl_us,
        .line_count = command->line_count,
        .lines = lines,
    };
    return true;
}

/* Appends and applies a decided reservation. Fails only before the first change. */
static void hold(struct engine *engine, struct reserve_command *command, struct sku **skus,
                 const struct stock *after)
{
    struct sku_link links[inventory_lines_max];
    struct stock_entry entries[2];
    char bytes[inventory_record_bytes_max];
    struct inventory_record record = {
        .type = RECORD_RESERVATION,
        .id = command->reservation_id,
        .time_us = engine->now_us,
        .reservation = command->reservation,
        .links = links,
    };
    for (size_t i = 0; i < command->line_count; i++)
        links[i] = sku_next_link(skus[i]);
    size_t size = inventory_record_encode(&record, bytes);
    struct held_reservation *held = held_reservation_create(text_make(bytes, size));
    if (held == NULL) {
        out_of_memory(&command->base);
        return;
    }
    char *at = record_log_append_begin(engine->log, size, &held->position);
    memcpy(at, bytes, size);
    record_log_append_end(engine->log, size);
    for (size_t i = 0; i < command->line_count; i++)
        sku_changed(skus[i], &after[i], held->position,
                    inventory_record_entries(&record, i, entries));
    held->expire_time_us = command->reservation.expire_time_us;
    engine_state_hold(&engine->state, engine_state_id_hash(&engine->state, record.id), held);
}

static void reserve(struct engine *engine, struct reserve_command *command)
{
    struct sku *skus[inventory_lines_max];
    struct stock after[inventory_lines_max];
    struct inventory_record present;
    struct id_place place;
    bool found;
    struct error error = engine_find_record(engine, ID_SPACE_RESERVATION, command->reservation_id,
                                            &place, &present, &found);
    if (error_is(error)) {
        engine_fail(&command->base, error);
        return;
    }
    if (found) {
        if (reservation_has_content(&present.reservation, command->order_id, command->customer_id,
                                    command->ttl_us, command->lines, command->line_count))
            answer_reservation(&command->base, &present.reservation, &command->reservation);
        else
            refuse(&command->base, INVENTORY_ID_REUSED);
        return;
    }
    if (decide_holds(engine, command, skus, after) && engine_may_write(engine, &command->base) &&
        reserve_id(engine, &command->base) && make_reservation(engine, command, after))
        hold(engine, command, skus, after);
}

/*
 * Finds the reservation of a commit, rollback or read; its texts view the store. False if the
 * command is answered.
 */
static bool find_reservation(struct engine *engine, struct inventory_command *command,
                             struct text id, struct id_place *place,
                             struct inventory_record *record)
{
    bool found;
    struct error error =
        engine_find_record(engine, ID_SPACE_RESERVATION, id, place, record, &found);
    if (error_is(error))
        engine_fail(command, error);
    else if (!found)
        refuse(command, INVENTORY_RESERVATION_NOT_FOUND);
    return !error_is(error) && found;
}

static void refuse_by_state(struct inventory_command *command, enum reservation_state state)
{
    static const enum inventory_outcome outcomes[] = {
        [RESERVATION_PENDING] = INVENTORY_DONE,
        [RESERVATION_COMMITTED] = INVENTORY_RESERVATION_COMMITTED,
        [RESERVATION_ROLLED_BACK] = INVENTORY_RESERVATION_ROLLED_BACK,
        [RESERVATION_EXPIRED] = INVENTORY_RESERVATION_EXPIRED,
    };
    refuse(command, outcomes[state]);
}

/* Moves a pending reservation to its end and answers with what it then is. */
static void resolve(struct engine *engine, struct inventory_command *command, struct id_place place,
                    struct inventory_record *record, enum reservation_state after,
                    const int64_t *committed, struct reservation *answer)
{
    if (!engine_may_write(engine, command) ||
        !copy_reservation(command, &record->reservation, answer))
        return;
    engine_resolve(engine, place.held, record, after, engine->now_us, committed);
    answer->state = after;
    answer->resolve_time_us = engine->now_us;
    for (size_t i = 0; i < answer->line_count; i++) {
        answer->lines[i].committed_quantity = engine->lines.lines[i].committed_quantity;
        answer->lines[i].stock_revision = engine->lines.lines[i].stock_revision;
    }
}

/* A commit of what is committed: the same lines are a repeat, others come too late. */
static void repeat_commit(struct commit_command *command, const struct reservation *present,
                          const int64_t *committed, bool held)
{
    bool same = held;
    for (size_t i = 0; same && i < present->line_count; i++)
        same = present->lines[i].committed_quantity == committed[i];
    if (same)
        answer_reservation(&command->base, present, &command->reservation);
    else
        refuse(&command->base, INVENTORY_RESERVATION_COMMITTED);
}

static void commit(struct engine *engine, struct commit_command *command)
{
    int64_t committed[inventory_lines_max];
    struct inventory_record record;
    struct id_place place;
    enum reservation_state after;
    size_t failed;
    if (!find_reservation(engine, &command->base, command->reservation_id, &place, &record))
        return;
    bool held = reservation_committed_quantities(&record.reservation, command->lines,
                                                 command->line_count, committed, &failed);
    switch (reservation_transition(record.reservation.state, RESERVATION_COMMIT, &after)) {
    case RESERVATION_MOVES:
        if (held)
            resolve(engine, &command->base, place, &record, after, committed,
                    &command->reservation);
        else
            refuse_sku(&command->base, INVENTORY_LINES_NOT_HELD, command->lines[failed].sku);
        return;
    case RESERVATION_STAYS:
        repeat_commit(command, &record.reservation, committed, held);
        return;
    case RESERVATION_REFUSES:
        refuse_by_state(&command->base, after);
        return;
    }
}

static void rollback(struct engine *engine, struct rollback_command *command)
{
    struct inventory_record record;
    struct id_place place;
    enum reservation_state after;
    if (!find_reservation(engine, &command->base, command->reservation_id, &place, &record))
        return;
    switch (reservation_transition(record.reservation.state, RESERVATION_ROLLBACK, &after)) {
    case RESERVATION_MOVES:
        resolve(engine, &command->base, place, &record, after, NULL, &command->reservation);
        return;
    case RESERVATION_STAYS:
        answer_reservation(&command->base, &record.reservation, &command->reservation);
        return;
    case RESERVATION_REFUSES:
        refuse_by_state(&command->base, after);
        return;
    }
}

static void get_reservation(struct engine *engine, struct get_reservation_command *command)
{
    struct inventory_record record;
    struct id_place place;
    if (find_reservation(engine, &command->base, command->reservation_id, &place, &record))
        answer_reservation(&command->base, &record.reservation, &command->reservation);
}

static void verify_ledger(struct engine *engine, struct verify_ledger_command *command)
{
    command->base.task.next = engine->verifications;
    engine->verifications = &command->base.task;
}

void engine_execute(struct engine *engine, struct inventory_command *command)
{
    switch ((enum inventory_command_kind)command->kind) {
    case COMMAND_RECEIVE_STOCK:
        receive_stock(engine, (struct receive_stock_command *)command);
        return;
    case COMMAND_ADJUST_STOCK:
        adjust_stock(engine, (struct adjust_stock_command *)command);
        return;
    case COMMAND_GET_STOCK:
        get_stock(engine, (struct get_stock_command *)command);
        return;
    case COMMAND_RESERVE:
        reserve(engine, (struct reserve_command *)command);
        return;
    case COMMAND_COMMIT:
        commit(engine, (struct commit_command *)command);
        return;
    case COMMAND_ROLLBACK:
        rollback(engine, (struct rollback_command *)command);
        return;
    case COMMAND_GET_RESERVATION:
        get_reservation(engine, (struct get_reservation_command *)command);
        return;
    case COMMAND_LIST_STOCK_ENTRIES:
        engine_list_stock_entries(engine, (struct list_stock_entries_command *)command);
        return;
    case COMMAND_VERIFY_LEDGER:
        verify_ledger(engine, (struct verify_ledger_command *)command);
        return;
    }
}
