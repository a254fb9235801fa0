/*
 * Replays the log into memory. The records say what happened and when; nothing is decided again,
 * but everything is checked: a revision that does not follow, a chain that is cut, a resolution of
 * what was not pending means that the log was damaged in a way its checksums could not see, and is
 * refused.
 */
#include "inventory/infrastructure/embedded/engine.h"

static struct error damaged(uint64_t position, const char *what)
{
    return error_make(ERROR_DAMAGED, "record at position %llu: %s", (unsigned long long)position,
                      what);
}

static struct error no_memory(void)
{
    return error_make(ERROR_OUT_OF_MEMORY, "replaying the inventory log");
}

static bool link_follows(const struct sku *sku, struct sku_link link)
{
    struct sku_link expected = sku_next_link(sku);
    return link.previous_position == expected.previous_position &&
           link.entry_number == expected.entry_number;
}

/* Whether the record tells what the change has crossed; version 1 told nothing. */
static bool crossing_follows(const struct inventory_record *record, size_t line,
                             const struct stock *before, const struct stock *after)
{
    bool is_count = record->type == RECORD_STOCK_ADJUSTED && record->quantity < 0;
    struct stock_crossing expected = stock_crossing(before, after, is_count);
    struct stock_crossing told = inventory_record_crossing(record, line);
    return record->version == 1 ||
           (told.before == expected.before && told.after == expected.after &&
            told.shortage == expected.shortage && told.available == expected.available &&
            told.low_stock_threshold == expected.low_stock_threshold);
}

/* Whether an id resolved at that time is still to be kept. */
static bool is_retained(const struct engine *engine, int64_t time_us, int64_t retention_us)
{
    return time_us + retention_us > clock_now_us(engine->options.clock);
}

/* What the domain makes of a record about one SKU. */
static enum stock_outcome stock_after(const struct inventory_record *record,
                                      const struct stock *before, struct stock *after)
{
    switch (record->type) {
    case RECORD_STOCK_RECEIVED:
        return stock_receive(before, record->quantity, record->time_us, after);
    case RECORD_STOCK_ADJUSTED:
        return stock_adjust(before, record->quantity, 0, record->time_us, after);
    case RECORD_STOCK_POLICY:
        return stock_set_policy(before, &record->policy, 0, record->time_us, after);
    case RECORD_RESERVATION:
        break;
    }
    return STOCK_UNCHANGED;
}

/* The id of a receipt or adjustment is kept for its retention; a policy has none. */
static struct error replay_id(struct engine *engine, uint64_t position,
                              const struct inventory_record *record)
{
    if (record->type == RECORD_STOCK_POLICY ||
        !is_retained(engine, record->time_us, engine->options.committed_retention_us))
        return error_none();
    if (!engine_state_reserve_id(&engine->state))
        return no_memory();
    enum id_space space =
        record->type == RECORD_STOCK_RECEIVED ? ID_SPACE_RECEIPT : ID_SPACE_ADJUSTMENT;
    engine_state_add_final(&engine->state, space, engine_state_id_hash(&engine->state, record->id),
                           position, RETENTION_LONG);
    return error_none();
}

static struct error replay_stock_change(struct engine *engine, uint64_t position,
                                        const struct inventory_record *record)
{
    struct stock after;
    struct stock_entry entries[2];
    struct sku *sku = engine_state_sku(&engine->state, record->sku);
    if (sku == NULL) {
        if (record->type != RECORD_STOCK_RECEIVED)
            return damaged(position, "changes a SKU that was never received");
        sku = engine_state_sku_create(&engine->state, record->sku);
        if (sku == NULL)
            return no_memory();
        engine_state_sku_add(&engine->state, sku);
    }
    if (stock_after(record, &sku->stock, &after) != STOCK_CHANGED ||
        after.revision != record->stock_revision || !link_follows(sku, record->link) ||
        !crossing_follows(record, 0, &sku->stock, &after))
        return damaged(position, "does not follow from what is before it");
    struct error error = replay_id(engine, position, record);
    if (!error_is(error))
        sku_changed(sku, &after, position, inventory_record_entries(record, 0, entries));
    return error;
}

/* Changes the stock of every line as the record says. */
static struct error replay_lines(struct engine *engine, uint64_t position,
                                 const struct inventory_record *record)
{
    const struct reservation *reservation = &record->reservation;
    for (size_t i = 0; i < reservation->line_count; i++) {
        const struct reservation_line *line = &reservation->lines[i];
        struct stock after;
        struct stock_entry entries[2];
        struct sku *sku = engine_state_sku(&engine->state, line->sku);
        if (sku == NULL)
            return damaged(position, "holds a SKU that was never received");
        if (reservation->state != RESERVATION_PENDING)
            stock_settle(&sku->stock, line->quantity, line->committed_quantity, record->time_us,
                         &after);
        else if (stock_hold(&sku->stock, line->quantity, record->time_us, &after) != STOCK_CHANGED)
            return damaged(position, "holds more than was available");
        if (after.revision != line->stock_revision || !link_follows(sku, record->links[i]) ||
            !crossing_follows(record, i, &sku->stock, &after))
            return damaged(position, "does not follow from what is before it");
        sku_changed(sku, &after, position, inventory_record_entries(record, i, entries));
    }
    return error_none();
}

static struct error replay_hold(struct engine *engine, uint64_t position, struct text bytes,
                                const struct inventory_record *record)
{
    if (!engine_state_reserve_id(&engine->state))
        return no_memory();
    struct held_reservation *held = held_reservation_create(bytes);
    if (held == NULL)
        return no_memory();
    held->position = position;
    held->expire_time_us = record->reservation.expire_time_us;
    engine_state_hold(&engine->state, engine_state_id_hash(&engine->state, record->id), held);
    return error_none();
}

/* Finds the pending reservation that the record resolves. */
static bool held_has_id(void *context, struct id_place place)
{
    enum inventory_record_type type;
    struct text id;
    if (place.held == NULL)
        return false;
    return inventory_record_identity(text_make(place.held->record, place.held->record_size), &type,
                                     &id) &&
           text_equal(id, *(const struct text *)context);
}

static struct error replay_resolution(struct engine *engine, uint64_t position,
                                      const struct inventory_record *record)
{
    struct id_place place;
    struct text id = record->id;
    uint64_t hash = engine_state_id_hash(&engine->state, id);
    bool committed = record->reservation.state == RESERVATION_COMMITTED;
    int64_t retention_us =
        committed ? engine->options.committed_retention_us : engine->options.retention_us;
    if (!engine_state_find_id(&engine->state, ID_SPACE_RESERVATION, hash, held_has_id, &id, &place))
        return damaged(position, "resolves a reservation that is not pending");
    if (is_retained(engine, record->time_us, retention_us))
        engine_state_resolve(&engine->state, hash, place.held, position,
                             committed ? RETENTION_LONG : RETENTION_SHORT);
    else
        engine_state_drop(&engine->state, hash, place.held);
    return error_none();
}

struct error engine_replay(void *context, uint64_t position, struct text bytes)
{
    struct engine *engine = context;
    struct inventory_record record;
    struct error error;
    if (!inventory_record_decode(bytes, &engine->lines, &record))
        return damaged(position, "is no inventory record");
    if (record.time_us > engine->now_us)
        engine->now_us = record.time_us;
    if (record.type != RECORD_RESERVATION)
        return replay_stock_change(engine, position, &record);
    error = replay_lines(engine, position, &record);
    if (error_is(error))
        return error;
    if (record.reservation.state == RESERVATION_PENDING)
        return replay_hold(engine, position, bytes, &record);
    return replay_resolution(engine, position, &record);
}
