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
    bool received = record->type == RECORD_STOCK_RECEIVED;
    if (record->shelf.position != 0) {
        stock_follow(before, record->quantity, received, record->time_us, after);
        return STOCK_CHANGED;
    }
    switch (record->type) {
    case RECORD_STOCK_RECEIVED:
        return stock_receive(before, record->quantity, record->time_us, after);
    case RECORD_STOCK_ADJUSTED:
        return stock_adjust(before, record->quantity, 0, record->time_us, after);
    case RECORD_STOCK_POLICY:
        return stock_set_policy(before, &record->policy, 0, record->time_us, after);
    case RECORD_RESERVATION:
    case RECORD_SHELF_PLACE:
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
        if (record->type != RECORD_STOCK_RECEIVED && record->shelf.position == 0)
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

/* What the domain makes of one line of a reservation's record. */
static enum stock_outcome line_after(const struct inventory_record *record, size_t at,
                                     const struct stock *before, struct stock *after)
{
    const struct reservation_line *line = &record->reservation.lines[at];
    switch (record->change) {
    case CHANGE_RESERVED:
        return stock_hold(before, line->quantity, record->time_us, after);
    case CHANGE_COMMITTED:
    case CHANGE_ROLLED_BACK:
    case CHANGE_EXPIRED:
        stock_settle(before, line->quantity, line->committed_quantity, record->time_us, after);
        return STOCK_CHANGED;
    case CHANGE_RETAKEN:
        return stock_take(before, line->committed_quantity, record->time_us, after);
    case CHANGE_RETURNED:
        return stock_return(before, record->returned_now[at], record->time_us, after);
    case CHANGE_EXTENDED:
        break;
    }
    return STOCK_UNCHANGED;
}

/* Changes the stock of every line that the record touches. */
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
        if (!inventory_record_touches(record, i))
            continue;
        if (line_after(record, i, &sku->stock, &after) != STOCK_CHANGED)
            return damaged(position, "takes more than was available");
        if (after.revision != line->stock_revision || !link_follows(sku, record->links[i]) ||
            !crossing_follows(record, i, &sku->stock, &after))
            return damaged(position, "does not follow from what is before it");
        sku_changed(sku, &after, position, inventory_record_entries(record, i, entries));
    }
    return error_none();
}

/* Whether a reservation of that time may still be known, whatever became of it. */
static bool may_be_known(const struct engine *engine, const struct reservation *reservation)
{
    const struct embedded_repository_options *options = &engine->options;
    int64_t retention_us = options->retention_us > options->committed_retention_us
                               ? options->retention_us
                               : options->committed_retention_us;
    return is_retained(engine, reservation->expire_time_us, retention_us);
}

static struct error replay_lists(struct engine *engine, uint64_t position,
                                 const struct inventory_record *record)
{
    struct reservation_lists *lists = &engine->state.lists;
    if (record->version > 1) {
        struct reservation_links links =
            reservation_lists_links(lists, &record->reservation, position);
        bool follows = links.back_any == record->list_links.back_any &&
                       links.back_order == record->list_links.back_order &&
                       links.back_customer == record->list_links.back_customer;
        if (!follows)
            return damaged(position, "does not follow in the lists of reservations");
        reservation_lists_add(lists, &record->reservation, position);
        return error_none();
    }
    if (may_be_known(engine, &record->reservation) &&
        !reservation_lists_add_legacy(lists, &record->reservation, position))
        return no_memory();
    return error_none();
}

/* A pending reservation with its record, not yet known. */
static struct held_reservation *make_held(uint64_t position, struct text bytes,
                                          const struct inventory_record *record)
{
    struct held_reservation *held = held_reservation_create(bytes);
    if (held == NULL)
        return NULL;
    held->position = position;
    held->create_position = position;
    held->expire_time_us = record->reservation.expire_time_us;
    return held;
}

static struct error replay_hold(struct engine *engine, uint64_t position, struct text bytes,
                                const struct inventory_record *record)
{
    if (!engine_state_reserve_id(&engine->state))
        return no_memory();
    struct held_reservation *held = make_held(position, bytes, record);
    if (held == NULL)
        return no_memory();
    struct error error = replay_lists(engine, position, record);
    engine_state_hold(&engine->state, engine_state_id_hash(&engine->state, record->id), held);
    return error;
}

/* Finds the pending reservation that the record is of. */
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

static struct held_reservation *find_held(struct engine *engine,
                                          const struct inventory_record *record)
{
    struct id_place place;
    struct text id = record->id;
    if (!engine_state_find_id(&engine->state, ID_SPACE_RESERVATION,
                              engine_state_id_hash(&engine->state, id), held_has_id, &id, &place))
        return NULL;
    return place.held;
}

static struct error replay_extension(struct engine *engine, uint64_t position, struct text bytes,
                                     const struct inventory_record *record)
{
    struct held_reservation *held = find_held(engine, record);
    if (held == NULL || held->expire_time_us >= record->reservation.expire_time_us)
        return damaged(position, "extends what is not pending, or not so short");
    struct held_reservation *extended = make_held(position, bytes, record);
    if (extended == NULL)
        return no_memory();
    extended->create_position = held->create_position;
    engine_state_extend(&engine->state, engine_state_id_hash(&engine->state, record->id), held,
                        extended);
    return error_none();
}

static struct error replay_resolution(struct engine *engine, uint64_t position,
                                      const struct inventory_record *record)
{
    uint64_t hash = engine_state_id_hash(&engine->state, record->id);
    bool committed = record->reservation.state == RESERVATION_COMMITTED;
    int64_t retention_us =
        committed ? engine->options.committed_retention_us : engine->options.retention_us;
    struct held_reservation *held = find_held(engine, record);
    if (held == NULL)
        return damaged(position, "resolves a reservation that is not pending");
    if (is_retained(engine, record->time_us, retention_us))
        engine_state_resolve(&engine->state, hash, held, position,
                             committed ? RETENTION_LONG : RETENTION_SHORT);
    else
        engine_state_drop(&engine->state, hash, held);
    return error_none();
}

/*
 * A retake or a return: the reservation's record is a new one. The old one may have been passed
 * over because its own retention is over by now; of both only what is retained is kept.
 */
static struct error replay_renewal(struct engine *engine, uint64_t position,
                                   const struct inventory_record *record)
{
    struct engine_state *state = &engine->state;
    uint64_t hash = engine_state_id_hash(state, record->id);
    struct id_place place;
    bool found;
    engine_forget_due(engine); /* else it might find one that had this id before */
    struct error error =
        engine_find_place(engine, ID_SPACE_RESERVATION, record->id, &place, &found);
    if (error_is(error))
        return error;
    if (found && place.held != NULL)
        return damaged(position, "changes a reservation that is pending as if it were not");
    if (!is_retained(engine, record->time_us, engine->options.committed_retention_us)) {
        if (found)
            engine_state_forget(state, ID_SPACE_RESERVATION, hash, place.position);
        return error_none();
    }
    if (!engine_state_reserve_id(state))
        return no_memory();
    if (found)
        engine_state_replace(state, hash, place.position, position);
    else
        engine_state_add_id(state, ID_SPACE_RESERVATION, hash, position);
    engine_state_retain(state, position, RETENTION_LONG);
    if (record->change == CHANGE_RETURNED)
        engine_state_add_id(state, ID_SPACE_RETURN, engine_state_id_hash(state, record->return_id),
                            position);
    return error_none();
}

static struct error replay_reservation(struct engine *engine, uint64_t position, struct text bytes,
                                       const struct inventory_record *record)
{
    struct error error = replay_lines(engine, position, record);
    if (error_is(error))
        return error;
    switch (record->change) {
    case CHANGE_RESERVED:
        return replay_hold(engine, position, bytes, record);
    case CHANGE_EXTENDED:
        return replay_extension(engine, position, bytes, record);
    case CHANGE_COMMITTED:
    case CHANGE_ROLLED_BACK:
    case CHANGE_EXPIRED:
        return replay_resolution(engine, position, record);
    case CHANGE_RETAKEN:
    case CHANGE_RETURNED:
        return replay_renewal(engine, position, record);
    }
    return error_none();
}

struct error engine_replay(void *context, uint64_t position, struct text bytes)
{
    struct engine *engine = context;
    struct inventory_record record;
    if (!inventory_record_decode(bytes, &engine->lines, &record))
        return damaged(position, "is no inventory record");
    if (record.time_us > engine->now_us)
        engine->now_us = record.time_us;
    if (record.shelf.position != 0)
        engine_set_shelf_place(engine, record.shelf);
    if (record.shelf.position != 0 || record.type == RECORD_STOCK_RECEIVED) {
        engine->has_source = true;
        engine->source = record.shelf.position != 0 ? ON_HAND_WAREHOUSE : ON_HAND_OWN;
    }
    if (record.type == RECORD_SHELF_PLACE)
        return error_none();
    if (record.type != RECORD_RESERVATION)
        return replay_stock_change(engine, position, &record);
    return replay_reservation(engine, position, bytes, &record);
}
