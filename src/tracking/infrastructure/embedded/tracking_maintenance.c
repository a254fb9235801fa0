/*
 * What the engine does between commands: mapping codes anew, telling of silent parcels, forgetting
 * old pings. Each takes a share of a batch of its own; what is left goes on in the next step. Every
 * step is whole in itself, so a crash in between loses nothing: a repeat does what is left.
 */
#include "tracking/infrastructure/embedded/tracking_engine.h"

#include <stdio.h>
#include <string.h>

enum {
    parcels_per_step_max = 256,
    silences_per_step_max = tracking_keys_max,
};

static const int64_t sweep_interval_us = INT64_C(60) * 1000000;
static const int64_t erasure_seal_us = INT64_C(86400) * 1000000;

static bool batch_has_room(const struct tracking_engine *engine)
{
    return record_log_room(engine->log) >= tracking_record_bytes_max;
}

/* --- RemapTrackings --- */

/* What one parcel's events become, as far as one record takes them. */
struct remapping {
    struct tracking_event events[tracking_remapped_events_max]; /* as they will be */
    struct tracking_remapped_event changes[tracking_remapped_events_max];
    size_t facts[tracking_remapped_events_max];
    size_t count;
};

static struct error collect(struct tracking_engine *engine, const struct parcel *parcel,
                            const struct remap_trackings_command *command, size_t *next_fact,
                            struct arena *arena, struct remapping *remapping)
{
    remapping->count = 0;
    for (; *next_fact < parcel->fact_count; (*next_fact)++) {
        const struct tracking_fact *fact = &parcel->facts[*next_fact];
        struct tracking_event event = {0};
        if (!fact->type_is_mapped)
            continue;
        if (remapping->count == tracking_remapped_events_max)
            break;
        struct error error = tracking_engine_event(engine, parcel, *next_fact, arena, &event);
        if (error_is(error))
            return error;
        code_maps_apply(command->maps, command->map_version, &event);
        if ((uint8_t)event.type == fact->type && (uint8_t)event.sub_status == fact->sub_status)
            continue;
        remapping->facts[remapping->count] = *next_fact;
        remapping->events[remapping->count] = event;
        remapping->changes[remapping->count++] = (struct tracking_remapped_event){
            .occurred_time_us = event.occurred_time_us,
            .event_id = event.event_id,
            .type = event.type,
            .sub_status = event.sub_status,
        };
    }
    return error_none();
}

/* Appends and applies. Cannot fail. */
static void apply(struct tracking_engine *engine, struct parcel *parcel,
                  const struct remapping *remapping, int32_t map_version)
{
    size_t index = parcel->generation_count - 1;
    struct tracking_verdict before = parcel_decide(parcel, index);
    struct tracking_record *record = &engine->record;
    for (size_t i = 0; i < remapping->count; i++) {
        struct tracking_fact *fact = &parcel->facts[remapping->facts[i]];
        fact->type = (uint8_t)remapping->events[i].type;
        fact->sub_status = (uint8_t)remapping->events[i].sub_status;
        tracking_engine_put_event(engine, parcel, &remapping->events[i]);
    }
    struct tracking_verdict after = parcel_decide(parcel, index);
    parcel->revision++;
    *record = (struct tracking_record){
        .type = TRACKING_RECORD_REMAP,
        .time_us = engine->now_us,
        .carrier = parcel->carrier,
        .tracking_number = parcel->tracking_number,
        .map_version = map_version,
        .remapped_count = remapping->count,
        .remapped = remapping->changes,
    };
    record->change = (struct tracking_change){
        .previous_status = before.status,
        .previous_expected_delivery_time_us = before.expected_delivery_time_us,
        .is_delivered_now =
            after.status == TRACKING_STATUS_DELIVERED && before.status != TRACKING_STATUS_DELIVERED,
    };
    parcel_describe(parcel, index, &after, &record->change.after);
    parcel->last_position = tracking_engine_append(engine, record);
    parcel_cache_changed(&engine->cache, parcel, parcel->last_position);
}

/* *finished false: the batch is full; what is done stays done, and the rest comes another time. */
static struct error remap_parcel(struct tracking_engine *engine, struct parcel *parcel,
                                 struct remap_trackings_command *command, bool *finished)
{
    struct remapping remapping;
    struct tracking_verdict before = parcel_decide(parcel, parcel->generation_count - 1);
    struct error error = error_none();
    size_t next_fact = 0;
    while (next_fact < parcel->fact_count && !error_is(error) && batch_has_room(engine)) {
        struct arena arena;
        arena_init(&arena, (size_t)16 * 1024 * 1024);
        error = collect(engine, parcel, command, &next_fact, &arena, &remapping);
        if (!error_is(error) && remapping.count > 0) {
            apply(engine, parcel, &remapping, command->map_version);
            command->events += (int64_t)remapping.count;
            engine->remap_changed = true;
        }
        arena_deinit(&arena);
    }
    struct tracking_verdict after = parcel_decide(parcel, parcel->generation_count - 1);
    command->status_changes += after.status != before.status;
    *finished = next_fact == parcel->fact_count;
    if (*finished) {
        command->trackings += engine->remap_changed;
        engine->remap_changed = false;
    }
    return error;
}

/* The next parcels of the carrier, behind the cursor; their keys, one behind the other. */
static struct error next_parcels(struct tracking_engine *engine, struct text carrier,
                                 struct tracking_store_key *keys, size_t *count)
{
    struct text key;
    struct text value;
    struct tracking_store_key from = tracking_key_parcel(carrier);
    from.bytes[from.size++] = '\0';
    struct tracking_store_key to = tracking_key_end(from);
    if (engine->remap_started) {
        from = tracking_key_parcel(text_make(engine->remap_cursor, engine->remap_cursor_size));
        from.bytes[from.size++] = '\0';
    }
    struct tracking_store_iterator *iterator =
        tracking_store_iterate(engine->store, NULL, &from, &to, false);
    if (iterator == NULL)
        return error_make(ERROR_OUT_OF_MEMORY, "tracking engine");
    for (*count = 0;
         *count < parcels_per_step_max && tracking_store_iterator_next(iterator, &key, &value);
         (*count)++) {
        keys[*count].size = key.size - 1;
        memcpy(keys[*count].bytes, key.data + 1, key.size - 1);
    }
    return tracking_store_iterator_end(iterator);
}

static struct error find_by_key(struct tracking_engine *engine,
                                const struct tracking_store_key *key, struct parcel **parcel)
{
    size_t carrier_size = strlen(key->bytes); /* the key holds a NUL behind the carrier */
    return tracking_engine_find(
        engine, text_make(key->bytes, carrier_size),
        text_make(key->bytes + carrier_size + 1, key->size - carrier_size - 2), parcel);
}

static void finish_remap(struct tracking_engine *engine, struct error error, struct task **finished)
{
    struct tracking_command *command = tracking_command_of(engine->remaps);
    *finished = engine->remaps;
    engine->remaps = engine->remaps->next;
    if (engine->remaps == NULL)
        engine->remaps_end = &engine->remaps;
    engine->remap_started = false;
    engine->remap_settled = false;
    engine->remap_position = 0;
    if (error_is(error))
        tracking_engine_fail(command, error);
}

struct error tracking_engine_remap_some(struct tracking_engine *engine, struct task **finished)
{
    struct tracking_store_key *keys = engine->keys;
    struct remap_trackings_command *command =
        (struct remap_trackings_command *)tracking_command_of(engine->remaps);
    size_t count = 0;
    struct error error = next_parcels(engine, command->carrier, keys, &count);
    for (size_t i = 0; i < count && !error_is(error) && batch_has_room(engine); i++) {
        struct parcel *parcel;
        bool whole = true;
        error = find_by_key(engine, &keys[i], &parcel);
        if (!error_is(error) && parcel != NULL)
            error = remap_parcel(engine, parcel, command, &whole);
        if (!whole)
            break;
        engine->remap_cursor_size = keys[i].size;
        memcpy(engine->remap_cursor, keys[i].bytes, keys[i].size);
        engine->remap_started = true;
    }
    if (error_is(error) || count == 0)
        finish_remap(engine, error, finished);
    return error_none();
}

/* --- silence --- */

static void tell_silence(struct tracking_engine *engine, struct parcel *parcel,
                         const struct tracking_verdict *verdict, int64_t activity_us)
{
    size_t index = parcel->generation_count - 1;
    engine->record = (struct tracking_record){
        .type = TRACKING_RECORD_SILENCE,
        .time_us = engine->now_us,
        .carrier = parcel->carrier,
        .tracking_number = parcel->tracking_number,
        .silent_generation = (int32_t)index + 1,
        .silent_since_us = activity_us,
        .silent_status = verdict->status,
        .silent_shipment_id = parcel->generations[index].shipment_id,
        .silent_order_id = parcel->generations[index].order_id,
    };
    parcel->silence_told_us = activity_us;
    parcel->last_position = tracking_engine_append(engine, &engine->record);
    parcel_cache_changed(&engine->cache, parcel, parcel->last_position);
}

/* Whether the parcel is still as silent as its index entry says. */
static struct error consider_silence(struct tracking_engine *engine,
                                     const struct tracking_store_key *entry)
{
    struct tracking_store_key key;
    struct text name;
    struct parcel *parcel;
    int32_t generation;
    if (!tracking_key_read_parcel(text_make(entry->bytes, entry->size), 9, &name, &generation))
        return error_none();
    memcpy(key.bytes, name.data, name.size);
    key.size = name.size;
    struct error error = find_by_key(engine, &key, &parcel);
    if (error_is(error) || parcel == NULL)
        return error;
    size_t index = parcel->generation_count - 1;
    struct tracking_verdict verdict = parcel_decide(parcel, index);
    int64_t activity_us =
        verdict.last_time_us > 0 ? verdict.last_time_us : parcel->generations[index].create_time_us;
    if (!tracking_status_is_terminal(verdict.status) && activity_us != parcel->silence_told_us &&
        activity_us < engine->now_us - engine->options.silence_us)
        tell_silence(engine, parcel, &verdict, activity_us);
    return error;
}

/* The next entries of those that are silent by the index, behind the last one considered. */
static struct error next_silent(struct tracking_engine *engine, size_t *count)
{
    struct text key;
    struct text value;
    struct text none = text_make("", 0);
    struct tracking_store_key from = tracking_key_activity(false, 0, none, 0);
    struct tracking_store_key to =
        tracking_key_activity(false, engine->now_us - engine->options.silence_us, none, 0);
    if (engine->silence_after.size > 0)
        from = engine->silence_after;
    struct tracking_store_iterator *iterator =
        tracking_store_iterate(engine->store, NULL, &from, &to, false);
    if (iterator == NULL)
        return error_make(ERROR_OUT_OF_MEMORY, "tracking engine");
    for (*count = 0;
         *count < silences_per_step_max && tracking_store_iterator_next(iterator, &key, &value);
         (*count)++) {
        engine->keys[*count].size = key.size;
        memcpy(engine->keys[*count].bytes, key.data, key.size);
    }
    return tracking_store_iterator_end(iterator);
}

/*
 * Considers some. Index entries are written by checkpoints, so those just told of are still there:
 * the next step goes on behind them. *more: there are others.
 */
static struct error sweep_silence(struct tracking_engine *engine, bool *more)
{
    size_t count = 0;
    size_t done = 0;
    struct error error = next_silent(engine, &count);
    for (; done < count && !error_is(error) && batch_has_room(engine); done++)
        error = consider_silence(engine, &engine->keys[done]);
    *more = !error_is(error) && (done < count || count == silences_per_step_max);
    if (!*more) {
        engine->silence_after.size = 0;
    } else if (done > 0) {
        engine->silence_after = engine->keys[done - 1];
        engine->silence_after.bytes[engine->silence_after.size++] = '\0';
    }
    return error;
}

/* --- pings --- */

void tracking_engine_put_ping(struct tracking_engine *engine, struct parcel *parcel,
                              const struct tracking_record *record)
{
    char bytes[8];
    struct byte_writer writer = {.at = bytes};
    struct tracking_store_key key = tracking_key_ping(parcel->key, record->ping_time_us);
    write_uint32(&writer, (uint32_t)record->latitude_e7);
    write_uint32(&writer, (uint32_t)record->longitude_e7);
    tracking_store_put(engine->store, &key, text_make(bytes, sizeof bytes));
    if (parcel->has_ping && parcel->ping_time_us > record->ping_time_us)
        return;
    parcel->has_ping = true;
    parcel->ping_time_us = record->ping_time_us;
    parcel->ping_latitude_e7 = record->latitude_e7;
    parcel->ping_longitude_e7 = record->longitude_e7;
}

/* The time at the end of a ping's key. */
static int64_t time_of(struct text key)
{
    uint64_t time_us = 0;
    for (size_t i = key.size - 8; i < key.size; i++)
        time_us = time_us << 8 | (uint8_t)key.data[i];
    return (int64_t)time_us;
}

struct error tracking_engine_count_pings(struct tracking_engine *engine,
                                         const struct parcel *parcel, int64_t *count)
{
    struct text key;
    struct text value;
    struct error error = error_none();
    int64_t today = tracking_day_of(engine->now_us);
    int64_t oldest = tracking_day_of(engine->now_us - engine->options.ping_retention_us) - 1;
    *count = 0;
    for (int64_t day = oldest < 0 ? 0 : oldest;
         parcel->has_ping && day <= today + 1 && !error_is(error); day++) {
        struct tracking_store_key from = tracking_key_ping_of_day(day, parcel->key);
        struct tracking_store_key to = tracking_key_end(from);
        struct tracking_store_iterator *iterator =
            tracking_store_iterate(engine->store, NULL, &from, &to, false);
        if (iterator == NULL)
            return error_make(ERROR_OUT_OF_MEMORY, "tracking engine");
        while (tracking_store_iterator_next(iterator, &key, &value))
            *count += time_of(key) > engine->now_us - engine->options.ping_retention_us;
        error = tracking_store_iterator_end(iterator);
    }
    return error;
}

/* --- erasures in the log --- */

void tracking_engine_note_erasure(struct tracking_engine *engine, uint64_t position)
{
    bool is_first = engine->erased_position < record_log_newest_segment(engine->log);
    if (engine->erased_since_us == 0 || is_first)
        engine->erased_since_us = engine->now_us;
    engine->erased_position = position;
}

/*
 * A record in the segment that was begun: whoever follows the log moves on to it, where nothing
 * else happens too. It would hold the old segments back, or be told one day that its place is gone.
 */
static void open_segment(struct tracking_engine *engine)
{
    char time[24];
    int size = snprintf(time, sizeof time, "%lld", (long long)engine->now_us);
    engine->record = (struct tracking_record){
        .type = TRACKING_RECORD_NOTE,
        .time_us = engine->now_us,
        .note = {.name = text_of("log/sealed"), .value = text_make(time, (size_t)size)},
    };
    (void)tracking_engine_append(engine, &engine->record);
    tracking_engine_put_note(engine, &engine->record.note);
}

/*
 * What was announced of an erased number stays in the log until its segment is removed, and the
 * newest never is. So a segment with an erasure is not the newest for long: the next one is begun,
 * at most one a day, whatever is erased.
 */
static void seal_erasures(struct tracking_engine *engine)
{
    bool is_sealed = engine->erased_position < record_log_newest_segment(engine->log);
    if (engine->erased_since_us == 0 || (is_sealed && !batch_has_room(engine)))
        return;
    if (is_sealed) {
        open_segment(engine);
        engine->erased_since_us = 0;
    } else if (engine->now_us - engine->erased_since_us >= erasure_seal_us) {
        record_log_seal(engine->log);
    }
}

struct error tracking_engine_sweep(struct tracking_engine *engine)
{
    bool more = false;
    struct error error = error_none();
    int64_t oldest = tracking_day_of(engine->now_us - engine->options.ping_retention_us);
    struct tracking_store_key from = tracking_key_ping_day(0);
    struct tracking_store_key to = tracking_key_ping_day(oldest < 0 ? 0 : oldest);
    seal_erasures(engine);
    if (engine->options.silence_us > 0)
        error = sweep_silence(engine, &more);
    if (!more)
        engine->next_sweep_us = engine->now_us + sweep_interval_us;
    if (!error_is(error) && tracking_day_of(engine->now_us) != engine->pings_swept_day) {
        tracking_store_delete_range(engine->store, &from, &to);
        engine->pings_swept_day = tracking_day_of(engine->now_us);
    }
    return error;
}
