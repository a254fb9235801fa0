/*
 * Commands about reservations, in the shape of engine_stock_commands.c: find, decide, ask for all
 * memory, then change.
 */
#include "inventory/infrastructure/embedded/engine_commands.h"

#include "platform/base/memory.h"

#include <string.h>

bool engine_copy_reservation(struct inventory_command *command, const struct reservation *from,
                             struct reservation *to)
{
    struct arena *arena = command->arena;
    *to = *from;
    to->requested = NULL; /* no part of an answer */
    to->requested_count = 0;
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
    return copied || engine_out_of_memory(command);
}

/* What the store answers when nothing changes and it is no error. */
static void answer_reservation(struct inventory_command *command, const struct reservation *from,
                               struct reservation *to)
{
    (void)engine_copy_reservation(command, from, to);
}

/* What a Reserve would change: the lines that get something. */
struct holds {
    struct sku *skus[inventory_lines_max];
    struct stock after[inventory_lines_max];
    struct reservation_line *lines; /* on the command's arena; texts are the command's */
    size_t count;
};

static bool add_shortage(struct reserve_command *command, const struct quantity_line *asked,
                         const struct stock *stock)
{
    if (command->shortage_count == 0)
        command->shortages =
            arena_allocate(command->base.arena, command->line_count * sizeof *command->shortages);
    if (command->shortages == NULL)
        return engine_out_of_memory(&command->base);
    command->shortages[command->shortage_count++] = (struct shortage){
        .sku = asked->sku,
        .requested_quantity = asked->quantity,
        .available_quantity = stock_available(stock),
    };
    return true;
}

/* Every line must name a SKU and may ask no more of it than its policy gives to one. */
static bool find_skus(struct engine *engine, struct reserve_command *command, struct sku **skus)
{
    for (size_t i = 0; i < command->line_count; i++) {
        skus[i] = engine_state_sku(&engine->state, command->lines[i].sku);
        if (skus[i] == NULL) {
            engine_refuse_sku(&command->base, INVENTORY_SKU_NOT_FOUND, command->lines[i].sku);
            return false;
        }
    }
    for (size_t i = 0; i < command->line_count; i++) {
        if (!stock_allows_quantity(&skus[i]->stock, command->lines[i].quantity)) {
            engine_refuse_sku(&command->base, INVENTORY_QUANTITY_LIMIT, command->lines[i].sku);
            return false;
        }
    }
    return true;
}

/* Decides one line; what it falls short of is a shortage, also where the rest is granted. */
static bool decide_hold(struct engine *engine, struct reserve_command *command, struct sku *sku,
                        const struct quantity_line *asked, struct holds *holds)
{
    int64_t quantity = asked->quantity;
    if (command->allow_partial && stock_grantable(&sku->stock) < quantity)
        quantity = stock_grantable(&sku->stock);
    struct stock *after = &holds->after[holds->count];
    bool granted =
        quantity > 0 && stock_hold(&sku->stock, quantity, engine->now_us, after) == STOCK_CHANGED;
    if (!granted)
        return add_shortage(command, asked, &sku->stock);
    holds->skus[holds->count] = sku;
    holds->lines[holds->count++] = (struct reservation_line){
        .sku = asked->sku,
        .quantity = quantity,
        .backordered_quantity = stock_backordered(&sku->stock, quantity),
        .stock_revision = after->revision,
    };
    return true;
}

/* False if the command is answered: an unknown SKU goes before a limit, and that before a shortage.
 */
static bool decide_holds(struct engine *engine, struct reserve_command *command,
                         struct holds *holds)
{
    struct sku *skus[inventory_lines_max];
    command->shortage_count = 0;
    if (!find_skus(engine, command, skus))
        return false;
    holds->count = 0;
    holds->lines = arena_allocate(command->base.arena, command->line_count * sizeof *holds->lines);
    if (holds->lines == NULL)
        return engine_out_of_memory(&command->base);
    for (size_t i = 0; i < command->line_count; i++) {
        if (!decide_hold(engine, command, skus[i], &command->lines[i], holds))
            return false;
    }
    if (holds->count == command->line_count || (command->allow_partial && holds->count > 0))
        return true;
    engine_refuse(&command->base, INVENTORY_INSUFFICIENT_STOCK);
    return false;
}

static void make_reservation(struct engine *engine, struct reserve_command *command,
                             const struct holds *holds)
{
    command->reservation = (struct reservation){
        .reservation_id = command->reservation_id,
        .order_id = command->order_id,
        .customer_id = command->customer_id,
        .state = RESERVATION_PENDING,
        .ttl_us = command->ttl_us,
        .create_time_us = engine->now_us,
        .expire_time_us = engine->now_us + command->ttl_us,
        .line_count = holds->count,
        .lines = holds->lines,
        .allow_partial = command->allow_partial,
    };
    if (command->allow_partial) {
        command->reservation.requested_count = command->line_count;
        command->reservation.requested = command->lines;
    }
}

/* Appends and applies a decided reservation. Fails only before the first change. */
static void hold(struct engine *engine, struct reserve_command *command, struct holds *holds)
{
    struct sku_link links[inventory_lines_max];
    struct stock_crossing crossings[inventory_lines_max];
    struct stock_entry entries[2];
    char bytes[inventory_record_bytes_max];
    struct inventory_record record = {
        .type = RECORD_RESERVATION,
        .id = command->reservation_id,
        .time_us = engine->now_us,
        .list_links = reservation_lists_links(&engine->state.lists, &command->reservation,
                                              record_log_end(engine->log)),
        .reservation = command->reservation,
        .links = links,
        .crossings = crossings,
    };
    for (size_t i = 0; i < holds->count; i++) {
        links[i] = sku_next_link(holds->skus[i]);
        crossings[i] = stock_crossing(&holds->skus[i]->stock, &holds->after[i], false);
    }
    size_t size = inventory_record_encode(&record, bytes);
    struct held_reservation *held = held_reservation_create(text_make(bytes, size));
    if (held == NULL) {
        engine_out_of_memory(&command->base);
        return;
    }
    char *at = record_log_append_begin(engine->log, size, &held->position);
    memcpy(at, bytes, size);
    record_log_append_end(engine->log, size);
    for (size_t i = 0; i < holds->count; i++)
        sku_changed(holds->skus[i], &holds->after[i], held->position,
                    inventory_record_entries(&record, i, entries));
    held->create_position = held->position;
    held->expire_time_us = command->reservation.expire_time_us;
    reservation_lists_add(&engine->state.lists, &command->reservation, held->position);
    engine_state_hold(&engine->state, engine_state_id_hash(&engine->state, record.id), held);
}

void engine_reserve(struct engine *engine, struct reserve_command *command)
{
    struct holds holds;
    struct inventory_record present;
    struct id_place place;
    bool found;
    const struct reservation_content content = {
        .order_id = command->order_id,
        .customer_id = command->customer_id,
        .ttl_us = command->ttl_us,
        .allow_partial = command->allow_partial,
        .lines = command->lines,
        .line_count = command->line_count,
    };
    struct error error = engine_find_record(engine, ID_SPACE_RESERVATION, command->reservation_id,
                                            &place, &present, &found);
    if (error_is(error)) {
        engine_fail(&command->base, error);
        return;
    }
    if (found) {
        if (reservation_has_content(&present.reservation, &content))
            answer_reservation(&command->base, &present.reservation, &command->reservation);
        else
            engine_refuse(&command->base, INVENTORY_ID_REUSED);
        return;
    }
    if (decide_holds(engine, command, &holds) && engine_may_write(engine, &command->base) &&
        engine_reserve_id(engine, &command->base)) {
        make_reservation(engine, command, &holds);
        hold(engine, command, &holds);
    }
}

bool engine_find_reservation(struct engine *engine, struct inventory_command *command,
                             struct text id, struct id_place *place,
                             struct inventory_record *record)
{
    bool found;
    struct error error =
        engine_find_record(engine, ID_SPACE_RESERVATION, id, place, record, &found);
    if (error_is(error))
        engine_fail(command, error);
    else if (!found)
        engine_refuse(command, INVENTORY_RESERVATION_NOT_FOUND);
    return !error_is(error) && found;
}

void engine_refuse_by_state(struct inventory_command *command, enum reservation_state state)
{
    static const enum inventory_outcome outcomes[] = {
        [RESERVATION_PENDING] = INVENTORY_RESERVATION_PENDING,
        [RESERVATION_COMMITTED] = INVENTORY_RESERVATION_COMMITTED,
        [RESERVATION_ROLLED_BACK] = INVENTORY_RESERVATION_ROLLED_BACK,
        [RESERVATION_EXPIRED] = INVENTORY_RESERVATION_EXPIRED,
    };
    engine_refuse(command, outcomes[state]);
}

/* Moves a pending reservation to its end and answers with what it then is. */
static void resolve(struct engine *engine, struct inventory_command *command, struct id_place place,
                    struct inventory_record *record, enum reservation_state after,
                    const int64_t *committed, struct reservation *answer)
{
    if (!engine_may_write(engine, command) ||
        !engine_copy_reservation(command, &record->reservation, answer))
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
        engine_refuse(&command->base, INVENTORY_RESERVATION_COMMITTED);
}

void engine_commit(struct engine *engine, struct commit_command *command)
{
    int64_t committed[inventory_lines_max];
    struct inventory_record record;
    struct id_place place;
    enum reservation_state after;
    size_t failed;
    if (!engine_find_reservation(engine, &command->base, command->reservation_id, &place, &record))
        return;
    bool held = reservation_committed_quantities(&record.reservation, command->lines,
                                                 command->line_count, committed, &failed);
    enum reservation_event event =
        command->retake_if_expired ? RESERVATION_RETAKE : RESERVATION_COMMIT;
    switch (reservation_transition(record.reservation.state, event, &after)) {
    case RESERVATION_MOVES:
        if (held && record.reservation.state == RESERVATION_EXPIRED)
            engine_retake(engine, command, place.position, &record, committed);
        else if (held)
            resolve(engine, &command->base, place, &record, after, committed,
                    &command->reservation);
        else
            engine_refuse_sku(&command->base, INVENTORY_LINES_NOT_HELD, command->lines[failed].sku);
        return;
    case RESERVATION_STAYS:
        repeat_commit(command, &record.reservation, committed, held);
        return;
    case RESERVATION_REFUSES:
        engine_refuse_by_state(&command->base, after);
        return;
    }
}

void engine_rollback(struct engine *engine, struct rollback_command *command)
{
    struct inventory_record record;
    struct id_place place;
    enum reservation_state after;
    if (!engine_find_reservation(engine, &command->base, command->reservation_id, &place, &record))
        return;
    switch (reservation_transition(record.reservation.state, RESERVATION_ROLLBACK, &after)) {
    case RESERVATION_MOVES:
        resolve(engine, &command->base, place, &record, after, NULL, &command->reservation);
        return;
    case RESERVATION_STAYS:
        answer_reservation(&command->base, &record.reservation, &command->reservation);
        return;
    case RESERVATION_REFUSES:
        engine_refuse_by_state(&command->base, after);
        return;
    }
}

/* The record of a pending reservation with a later end takes the place of its present one. */
static void extend(struct engine *engine, struct extend_reservation_command *command,
                   struct held_reservation *held, struct inventory_record *record)
{
    char bytes[inventory_record_bytes_max];
    struct reservation *reservation = &record->reservation;
    record->change = CHANGE_EXTENDED;
    record->time_us = engine->now_us;
    reservation->expire_time_us = engine->now_us + command->ttl_us;
    for (size_t i = 0; i < reservation->line_count; i++) {
        record->links[i] = (struct sku_link){0};
        record->crossings[i] = (struct stock_crossing){0};
    }
    size_t size = inventory_record_encode(record, bytes);
    struct held_reservation *extended = held_reservation_create(text_make(bytes, size));
    if (extended == NULL ||
        !engine_copy_reservation(&command->base, reservation, &command->reservation)) {
        engine_out_of_memory(&command->base);
        memory_release(extended);
        return;
    }
    char *at = record_log_append_begin(engine->log, size, &extended->position);
    memcpy(at, bytes, size);
    record_log_append_end(engine->log, size);
    extended->create_position = held->create_position;
    extended->expire_time_us = reservation->expire_time_us;
    engine_state_extend(&engine->state, engine_state_id_hash(&engine->state, record->id), held,
                        extended);
}

void engine_extend_reservation(struct engine *engine, struct extend_reservation_command *command)
{
    struct inventory_record record;
    struct id_place place;
    enum reservation_state after;
    if (!engine_find_reservation(engine, &command->base, command->reservation_id, &place, &record))
        return;
    switch (reservation_transition(record.reservation.state, RESERVATION_EXTEND, &after)) {
    case RESERVATION_MOVES:
        if (engine->now_us + command->ttl_us <= record.reservation.expire_time_us)
            answer_reservation(&command->base, &record.reservation, &command->reservation);
        else if (engine_may_write(engine, &command->base))
            extend(engine, command, place.held, &record);
        return;
    case RESERVATION_STAYS:
        answer_reservation(&command->base, &record.reservation, &command->reservation);
        return;
    case RESERVATION_REFUSES:
        engine_refuse_by_state(&command->base, after);
        return;
    }
}

void engine_get_reservation(struct engine *engine, struct get_reservation_command *command)
{
    struct inventory_record record;
    struct id_place place;
    if (engine_find_reservation(engine, &command->base, command->reservation_id, &place, &record))
        answer_reservation(&command->base, &record.reservation, &command->reservation);
}
