/*
 * Commands about stock. Each write has the same shape: look the id up (a repeat answers with the
 * record), find the stock, let the domain decide, ask for all memory, then change: append the
 * record and apply it. After the first change nothing can fail.
 */
#include "inventory/infrastructure/embedded/engine_commands.h"

#include "platform/base/check.h"

/* Appends and applies a change of one stock. Cannot fail. */
static uint64_t append_change(struct engine *engine, struct sku *sku,
                              struct inventory_record *record, const struct stock *after)
{
    struct text bytes;
    struct stock_entry entries[2];
    bool is_count = record->type == RECORD_STOCK_ADJUSTED && record->quantity < 0;
    record->time_us = engine->now_us;
    record->stock_revision = after->revision;
    record->link = sku_next_link(sku);
    record->crossing = stock_crossing(&sku->stock, after, is_count);
    uint64_t position = engine_append(engine, record, &bytes);
    sku_changed(sku, after, position, inventory_record_entries(record, 0, entries));
    return position;
}

/* The same for one that an id stands for, which is final at once. */
static void change_stock(struct engine *engine, struct sku *sku, enum id_space space,
                         struct inventory_record *record, const struct stock *after)
{
    uint64_t position = append_change(engine, sku, record, after);
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
        engine_refuse(command, INVENTORY_ID_REUSED);
    return true;
}

void engine_receive_stock(struct engine *engine, struct receive_stock_command *command)
{
    struct inventory_record record = {
        .type = RECORD_STOCK_RECEIVED,
        .id = command->receipt_id,
        .sku = command->sku,
        .quantity = command->quantity,
    };
    struct stock nothing = {0};
    struct stock after;
    if (engine->options.on_hand_source == ON_HAND_WAREHOUSE) {
        engine_refuse(&command->base, INVENTORY_FED_BY_WAREHOUSE);
        return;
    }
    if (is_repeated_change(engine, &command->base, ID_SPACE_RECEIPT, &record, &command->stock))
        return;
    struct sku *sku = engine_state_sku(&engine->state, command->sku);
    if (stock_receive(sku == NULL ? &nothing : &sku->stock, command->quantity, engine->now_us,
                      &after) != STOCK_CHANGED) {
        engine_refuse_sku(&command->base, INVENTORY_ON_HAND_LIMIT, command->sku);
        return;
    }
    if (!engine_may_write(engine, &command->base) || !engine_reserve_id(engine, &command->base))
        return;
    if (sku == NULL) {
        sku = engine_state_sku_create(&engine->state, command->sku);
        if (sku == NULL) {
            engine_out_of_memory(&command->base);
            return;
        }
        engine_state_sku_add(&engine->state, sku);
    }
    change_stock(engine, sku, ID_SPACE_RECEIPT, &record, &after);
    command->stock = after;
}

void engine_adjust_stock(struct engine *engine, struct adjust_stock_command *command)
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
    if (engine->options.on_hand_source == ON_HAND_WAREHOUSE &&
        !inventory_is_reconciliation(command->adjustment_id, command->reason)) {
        engine_refuse(&command->base, INVENTORY_FED_BY_WAREHOUSE);
        return;
    }
    if (is_repeated_change(engine, &command->base, ID_SPACE_ADJUSTMENT, &record, &command->stock))
        return;
    struct sku *sku = engine_state_sku(&engine->state, command->sku);
    if (sku == NULL) {
        engine_refuse_sku(&command->base, INVENTORY_SKU_NOT_FOUND, command->sku);
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
        engine_refuse_sku(&command->base, INVENTORY_INSUFFICIENT_STOCK, command->sku);
        return;
    case STOCK_ABOVE_LIMIT:
        engine_refuse_sku(&command->base, INVENTORY_ON_HAND_LIMIT, command->sku);
        return;
    case STOCK_REVISION_DIFFERENT:
        engine_refuse_sku(&command->base, INVENTORY_REVISION_MISMATCH, command->sku);
        return;
    case STOCK_ABOVE_QUANTITY: /* of holds and policies only */
    case STOCK_UNCHANGED:
        return;
    }
    if (!engine_may_write(engine, &command->base) || !engine_reserve_id(engine, &command->base))
        return;
    change_stock(engine, sku, ID_SPACE_ADJUSTMENT, &record, &after);
    command->stock = after;
}

void engine_get_stock(struct engine *engine, struct get_stock_command *command)
{
    const struct sku *sku = engine_state_sku(&engine->state, command->sku);
    if (sku == NULL)
        engine_refuse_sku(&command->base, INVENTORY_SKU_NOT_FOUND, command->sku);
    else
        command->stock = sku->stock;
}

/* --- following the shelf --- */

static bool was_followed(const struct engine *engine, struct shelf_place place)
{
    return text_equals_string(place.log, engine->shelf_log) &&
           place.position <= engine->shelf_position;
}

/* The SKU, made if need be; NULL without memory. */
static struct sku *find_or_make_sku(struct engine *engine, struct text name)
{
    struct sku *sku = engine_state_sku(&engine->state, name);
    if (sku == NULL) {
        sku = engine_state_sku_create(&engine->state, name);
        if (sku != NULL)
            engine_state_sku_add(&engine->state, sku);
    }
    return sku;
}

/* Moves the place on without any change. */
static void append_place(struct engine *engine, struct follow_shelf_command *command)
{
    struct text bytes;
    const struct inventory_record record = {
        .type = RECORD_SHELF_PLACE,
        .id = command->place.log,
        .time_us = engine->now_us,
        .shelf = command->place,
    };
    if (!engine_may_write(engine, &command->base))
        return;
    engine_append(engine, &record, &bytes);
    engine_set_shelf_place(engine, command->place);
}

void engine_follow_shelf(struct engine *engine, struct follow_shelf_command *command)
{
    struct inventory_record record = {
        .type = command->is_receipt ? RECORD_STOCK_RECEIVED : RECORD_STOCK_ADJUSTED,
        .id = command->movement_id,
        .sku = command->sku,
        .quantity = command->quantity,
        .reason = ADJUSTMENT_OTHER,
        .note = command->note,
        .shelf = command->place,
    };
    enum id_space space = command->is_receipt ? ID_SPACE_RECEIPT : ID_SPACE_ADJUSTMENT;
    struct stock after;
    struct id_place place;
    bool found = command->movement_id.size == 0;
    CHECK(engine->options.on_hand_source == ON_HAND_WAREHOUSE);
    if (was_followed(engine, command->place))
        return;
    if (!found) {
        struct error error = engine_find_place(engine, space, command->movement_id, &place, &found);
        if (error_is(error)) {
            engine_fail(&command->base, error);
            return;
        }
    }
    if (found) {
        append_place(engine, command);
        return;
    }
    if (!engine_may_write(engine, &command->base) || !engine_reserve_id(engine, &command->base))
        return;
    struct sku *sku = find_or_make_sku(engine, command->sku);
    if (sku == NULL) {
        engine_out_of_memory(&command->base);
        return;
    }
    stock_follow(&sku->stock, command->quantity, command->is_receipt, engine->now_us, &after);
    change_stock(engine, sku, space, &record, &after);
    engine_set_shelf_place(engine, command->place);
}

void engine_get_shelf_place(struct engine *engine, struct get_shelf_place_command *command)
{
    command->place.position = engine->shelf_position;
    command->place.log = arena_copy_text(command->base.arena, text_of(engine->shelf_log));
    if (command->place.log.data == NULL)
        engine_out_of_memory(&command->base);
}

void engine_set_stock_policy(struct engine *engine, struct set_stock_policy_command *command)
{
    struct inventory_record record = {
        .type = RECORD_STOCK_POLICY,
        .id = command->sku,
        .sku = command->sku,
        .policy = command->policy,
    };
    struct stock after;
    struct sku *sku = engine_state_sku(&engine->state, command->sku);
    if (sku == NULL) {
        engine_refuse_sku(&command->base, INVENTORY_SKU_NOT_FOUND, command->sku);
        return;
    }
    command->stock = sku->stock;
    enum stock_outcome outcome = stock_set_policy(
        &sku->stock, &command->policy, command->expected_revision, engine->now_us, &after);
    if (outcome == STOCK_REVISION_DIFFERENT)
        engine_refuse_sku(&command->base, INVENTORY_REVISION_MISMATCH, command->sku);
    if (outcome != STOCK_CHANGED || !engine_may_write(engine, &command->base))
        return;
    append_change(engine, sku, &record, &after);
    command->stock = after;
}

void engine_batch_get_stock(struct engine *engine, struct batch_get_stock_command *command)
{
    struct arena *arena = command->base.arena;
    command->stocks = arena_allocate(arena, command->sku_count * sizeof *command->stocks);
    command->missing = arena_allocate(arena, command->sku_count * sizeof *command->missing);
    command->stock_count = 0;
    command->missing_count = 0;
    if (command->stocks == NULL || command->missing == NULL) {
        engine_out_of_memory(&command->base);
        return;
    }
    for (size_t i = 0; i < command->sku_count; i++) {
        const struct sku *sku = engine_state_sku(&engine->state, command->skus[i]);
        if (sku == NULL)
            command->missing[command->missing_count++] = command->skus[i];
        else
            command->stocks[command->stock_count++] =
                (struct sku_stock){.sku = command->skus[i], .stock = sku->stock};
    }
}

static bool add_to_page(struct list_stock_command *command, const struct sku *sku)
{
    struct sku_stock *item = &command->stocks[command->stock_count];
    item->sku = arena_copy_text(command->base.arena, sku_name(sku));
    item->stock = sku->stock;
    if (item->sku.data == NULL)
        return engine_out_of_memory(&command->base);
    command->stock_count++;
    return true;
}

/*
 * Where few SKUs are in the state asked for, a page ends after so many were looked at: a listing
 * never holds up the engine for longer.
 */
void engine_list_stock(struct engine *engine, struct list_stock_command *command)
{
    struct arena *arena = command->base.arena;
    const struct sku *sku = engine_state_sku_after(&engine->state, command->after);
    const struct sku *last = NULL;
    command->stock_count = 0;
    command->next = (struct text){0};
    command->stocks = arena_allocate(arena, command->page_size * sizeof *command->stocks);
    if (command->stocks == NULL) {
        engine_out_of_memory(&command->base);
        return;
    }
    for (uint64_t examined = 0; sku != NULL && command->stock_count < command->page_size &&
                                examined < engine->options.list_examined_max;
         examined++) {
        bool listed = !command->has_state || stock_state(&sku->stock) == command->state;
        if (listed && !add_to_page(command, sku))
            return;
        last = sku;
        sku = engine_state_sku_after(&engine->state, sku_name(sku));
    }
    if (sku == NULL)
        return;
    command->next = arena_copy_text(arena, sku_name(last));
    if (command->next.data == NULL)
        engine_out_of_memory(&command->base);
}
