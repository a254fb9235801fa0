/*
 * Replays the log behind the last checkpoint. The records say what happened; nothing is decided
 * again. A parcel's summary may have been written after the checkpoint: it knows the last record it
 * has seen, and those up to it are passed over; so are all below the checkpoint itself.
 *
 * A number that is erased further on may be met in the middle of its life, its beginning gone with
 * the summary: it is filled in as far as need be, and erased again.
 */
#include "tracking/infrastructure/embedded/tracking_engine.h"

enum { batch_bytes_max = 1024 * 1024 };

static struct error damaged(uint64_t position, const char *what)
{
    return error_make(ERROR_DAMAGED, "record at position %llu: %s", (unsigned long long)position,
                      what);
}

static struct error no_memory(void)
{
    return error_make(ERROR_OUT_OF_MEMORY, "replaying the tracking log");
}

/* Sets a generation; those before it that are missing stay empty. */
static struct error set_generation(struct parcel *parcel, size_t index,
                                   const struct tracking_generation *generation)
{
    static const struct tracking_generation unknown = {0};
    while (parcel->generation_count < index) {
        struct error error = set_generation(parcel, parcel->generation_count, &unknown);
        if (error_is(error))
            return error;
    }
    char *texts = parcel_reserve_generation(parcel, generation, index);
    if (texts == NULL)
        return no_memory();
    parcel_set_generation(parcel, index, generation, texts);
    return error_none();
}

static struct error replay_event(struct tracking_engine *engine, struct parcel *parcel,
                                 const struct tracking_record *record)
{
    const struct tracking_generation made = {.create_time_us = record->time_us};
    struct error error = error_none();
    if (parcel->generation_count == 0)
        error = set_generation(parcel, 0, &made);
    if (error_is(error))
        return error;
    if (parcel_find_fact(parcel, tracking_id_hash(record->event.event_id)) != tracking_no_fact)
        return error_make(ERROR_DAMAGED, "an event is recorded twice");
    if (!parcel_reserve_fact(parcel))
        return no_memory();
    parcel_add_fact(parcel, tracking_fact_of(&record->event));
    tracking_engine_put_event(engine, parcel, &record->event);
    return error;
}

static struct error replay_remap(struct tracking_engine *engine, struct parcel *parcel,
                                 const struct tracking_record *record)
{
    struct error error = tracking_store_write(engine->store); /* its events are read back */
    struct arena arena;
    arena_init(&arena, (size_t)1024 * 1024);
    for (size_t i = 0; i < record->remapped_count && !error_is(error); i++) {
        const struct tracking_remapped_event *remapped = &record->remapped[i];
        struct tracking_event event = {0};
        size_t index = parcel_find_fact(parcel, tracking_id_hash(remapped->event_id));
        if (index == tracking_no_fact)
            continue; /* of a number that is erased further on */
        error = tracking_engine_event(engine, parcel, index, &arena, &event);
        if (error_is(error))
            break;
        event.type = remapped->type;
        event.sub_status = remapped->sub_status;
        event.map_version = record->map_version;
        parcel->facts[index].type = (uint8_t)remapped->type;
        parcel->facts[index].sub_status = (uint8_t)remapped->sub_status;
        tracking_engine_put_event(engine, parcel, &event);
    }
    arena_deinit(&arena);
    return error;
}

/* The parcel of a record, made if it is the first of it. */
static struct error find_or_add(struct tracking_engine *engine,
                                const struct tracking_record *record, struct parcel **parcel)
{
    struct error error =
        tracking_engine_find(engine, record->carrier, record->tracking_number, parcel);
    if (error_is(error) || *parcel != NULL)
        return error;
    *parcel = tracking_engine_add(engine, record->carrier, record->tracking_number);
    return *parcel == NULL ? no_memory() : error;
}

static struct error apply(struct tracking_engine *engine, struct parcel *parcel, uint64_t position,
                          const struct tracking_record *record)
{
    struct error error = error_none();
    static const struct tracking_generation unknown = {0};
    switch (record->type) {
    case TRACKING_RECORD_EVENT:
        error = replay_event(engine, parcel, record);
        break;
    case TRACKING_RECORD_GENERATION:
        error = set_generation(parcel, record->generation_index, &record->generation);
        break;
    case TRACKING_RECORD_REMAP:
        error = replay_remap(engine, parcel, record);
        break;
    case TRACKING_RECORD_PING:
        tracking_engine_put_ping(engine, parcel, record);
        break;
    case TRACKING_RECORD_SILENCE:
        parcel->silence_told_us = record->silent_since_us;
        break;
    case TRACKING_RECORD_NOTE:
        return error; /* no parcel's */
    case TRACKING_RECORD_ERASE:
        tracking_engine_erase(engine, parcel);
        return tracking_store_write(engine->store);
    }
    if (error_is(error))
        return error_prefix(error, "record at position %llu", (unsigned long long)position);
    if (parcel->generation_count == 0)
        error = set_generation(parcel, 0, &unknown);
    if (record->change.after.revision > 0)
        parcel->revision = record->change.after.revision;
    parcel->last_position = position;
    parcel_cache_changed(&engine->cache, parcel, position);
    return error;
}

struct error tracking_engine_replay(void *context, uint64_t position, struct text bytes)
{
    struct tracking_engine *engine = context;
    struct tracking_record *record = &engine->record;
    struct parcel *parcel;
    if (!tracking_record_decode(bytes, &engine->lists, record))
        return damaged(position, "is no tracking record");
    if (record->time_us > engine->now_us)
        engine->now_us = record->time_us;
    if (record->type == TRACKING_RECORD_ERASE)
        engine->erased_position = position;
    if (position < engine->replay_from)
        return error_none();
    if (record->type == TRACKING_RECORD_NOTE) {
        tracking_engine_put_note(engine, &record->note);
        return error_none();
    }
    struct error error = find_or_add(engine, record, &parcel);
    if (error_is(error) || position <= parcel->last_position)
        return error;
    error = apply(engine, parcel, position, record);
    if (!error_is(error) && tracking_store_batch_bytes(engine->store) > batch_bytes_max)
        error = tracking_store_write(engine->store);
    if (!error_is(error))
        error = tracking_engine_trim(engine);
    return error;
}
