/*
 * Summaries on their way from memory into RocksDB. A checkpoint takes the position P that the log
 * has now; writes, some in each step, every summary that was changed below P; writes P itself as
 * the last; has another thread flush; and only then is P durable: a restart replays from there.
 *
 * A summary may be written again before that, by a list that needs the indexes or to make room in
 * memory: it knows the last record that it has seen, so replay passes over what it has.
 */
#include "tracking/infrastructure/embedded/tracking_engine.h"

#include "platform/base/log.h"

#include <string.h>

enum {
    summaries_per_step_min = 512,
    settled_per_step_max = 4096, /* for lists: some 15 ms in which nothing else is decided */
    commands_per_summary = 4,    /* of a large step: a checkpoint ends though the load does not */
    batch_bytes_max = 4 * 1024 * 1024, /* of RocksDB's, before it is written */
};

/* What the index entries of a generation should be. */
static struct parcel_index index_of(const struct parcel *parcel, size_t i)
{
    struct tracking_verdict verdict = parcel_decide(parcel, i);
    const struct tracking_generation *generation = &parcel->generations[i];
    struct parcel_index index = {
        .status = (uint8_t)verdict.status,
        .order = generation->order_id.size > 0,
    };
    if (i + 1 == parcel->generation_count && !tracking_status_is_terminal(verdict.status))
        index.activity_us =
            verdict.last_time_us > 0 ? verdict.last_time_us : generation->create_time_us;
    index.told = index.activity_us != 0 && index.activity_us == parcel->silence_told_us;
    return index;
}

static bool is_other_activity(const struct parcel_index *a, const struct parcel_index *b)
{
    return a->activity_us != b->activity_us || a->told != b->told;
}

/* Takes back what was written and should not be any more. */
static void unwrite_index(struct tracking_engine *engine, const struct parcel *parcel, size_t i,
                          const struct parcel_index *wanted)
{
    const struct parcel_index *written = &parcel->extras[i].index;
    int32_t generation = (int32_t)i + 1;
    struct tracking_store_key key;
    if (written->status != 0 && written->status != wanted->status) {
        key = tracking_key_status(written->status, parcel->key, generation);
        tracking_store_delete(engine->store, &key);
    }
    if (written->activity_us != 0 && is_other_activity(written, wanted)) {
        key = tracking_key_activity(written->told, written->activity_us, parcel->key, generation);
        tracking_store_delete(engine->store, &key);
    }
    if (written->order && !wanted->order) {
        key = tracking_key_order(parcel->generations[i].order_id, parcel->key, generation);
        tracking_store_delete(engine->store, &key);
    }
}

static void write_index(struct tracking_engine *engine, const struct parcel *parcel, size_t i,
                        const struct parcel_index *wanted)
{
    const struct parcel_index *written = &parcel->extras[i].index;
    int32_t generation = (int32_t)i + 1;
    struct text nothing = text_make("", 0);
    struct tracking_store_key key;
    if (wanted->status != written->status) {
        key = tracking_key_status(wanted->status, parcel->key, generation);
        tracking_store_put(engine->store, &key, nothing);
    }
    if (wanted->activity_us != 0 && is_other_activity(written, wanted)) {
        key = tracking_key_activity(wanted->told, wanted->activity_us, parcel->key, generation);
        tracking_store_put(engine->store, &key, nothing);
    }
    if (wanted->order && !written->order) {
        key = tracking_key_order(parcel->generations[i].order_id, parcel->key, generation);
        tracking_store_put(engine->store, &key, nothing);
    }
}

struct error tracking_engine_write_parcel(struct tracking_engine *engine, struct parcel *parcel)
{
    struct tracking_store_key key = tracking_key_parcel(parcel->key);
    for (size_t i = 0; i < parcel->generation_count; i++) {
        struct parcel_index wanted = index_of(parcel, i);
        unwrite_index(engine, parcel, i, &wanted);
        write_index(engine, parcel, i, &wanted);
        parcel->extras[i].index = wanted;
    }
    buffer_clear(&engine->summary);
    if (!parcel_encode(parcel, &engine->summary))
        return error_make(ERROR_OUT_OF_MEMORY, "tracking: a summary cannot be written");
    tracking_store_put(engine->store, &key, buffer_text(&engine->summary));
    parcel_cache_written(&engine->cache, parcel);
    if (tracking_store_batch_bytes(engine->store) < batch_bytes_max)
        return error_none();
    return tracking_store_write(engine->store);
}

void tracking_engine_erase(struct tracking_engine *engine, struct parcel *parcel)
{
    static const struct parcel_index nothing = {0};
    struct tracking_store_key from = tracking_key_event(parcel->key, 0, text_make("", 0));
    struct tracking_store_key key = tracking_key_parcel(parcel->key);
    from.size -= 8; /* without the time: the prefix of them all */
    struct tracking_store_key to = tracking_key_end(from);
    tracking_store_delete_range(engine->store, &from, &to);
    for (size_t i = 0; i < parcel->generation_count; i++)
        unwrite_index(engine, parcel, i, &nothing);
    int64_t today = tracking_day_of(engine->now_us);
    int64_t oldest = tracking_day_of(engine->now_us - engine->options.ping_retention_us) - 1;
    for (int64_t day = oldest < 0 ? 0 : oldest; parcel->has_ping && day <= today + 1; day++) {
        from = tracking_key_ping_of_day(day, parcel->key);
        to = tracking_key_end(from);
        tracking_store_delete_range(engine->store, &from, &to);
    }
    tracking_store_delete(engine->store, &key);
    parcel_cache_drop(&engine->cache, parcel);
}

/* Writes some summaries; *finished: none is left that was changed below the position. */
static struct error write_changed(struct tracking_engine *engine, uint64_t position,
                                  size_t count_max, bool *finished)
{
    struct error error = error_none();
    *finished = false;
    for (size_t i = 0; i < count_max && !error_is(error); i++) {
        struct parcel *parcel = engine->cache.dirty_first;
        *finished = parcel == NULL || parcel->dirty_position >= position;
        if (*finished)
            break;
        error = tracking_engine_write_parcel(engine, parcel);
    }
    return error;
}

struct error tracking_engine_settle_some(struct tracking_engine *engine, uint64_t position,
                                         bool *finished)
{
    struct error error = write_changed(engine, position, settled_per_step_max, finished);
    if (!error_is(error))
        error = tracking_store_write(engine->store);
    return error;
}

struct error tracking_engine_trim(struct tracking_engine *engine)
{
    struct error error = error_none();
    while (engine->cache.bytes > engine->cache_bytes_max && engine->cache.oldest != NULL &&
           !error_is(error)) {
        struct parcel *parcel = engine->cache.oldest;
        if (parcel->is_dirty)
            error = tracking_engine_write_parcel(engine, parcel);
        if (!error_is(error))
            parcel_cache_drop(&engine->cache, parcel);
    }
    if (!error_is(error))
        error = tracking_store_write(engine->store);
    return error;
}

/* --- checkpoints --- */

static bool is_time(const struct tracking_engine *engine)
{
    uint64_t end = record_log_committed_end(engine->log);
    const struct tracking_checkpoint *checkpoint = &engine->checkpoint;
    if (end <= checkpoint->durable_position || error_is(engine->claimed))
        return false; /* nothing to do, or no room to do it */
    return end - checkpoint->durable_position >= engine->options.checkpoint_bytes ||
           engine->now_us - checkpoint->last_time_us >= engine->options.checkpoint_interval_us;
}

static void begin(struct tracking_engine *engine)
{
    engine->checkpoint.state = CHECKPOINT_WRITING;
    engine->checkpoint.position = record_log_committed_end(engine->log);
    engine->checkpoint.last_time_us = engine->now_us;
}

/* Writes some summaries of a checkpoint, and behind the last of them its position. */
static struct error write_some(struct tracking_engine *engine, size_t count_max, bool *finished)
{
    struct error error = write_changed(engine, engine->checkpoint.position, count_max, finished);
    if (*finished && !error_is(error)) {
        char bytes[8];
        struct byte_writer writer = {.at = bytes};
        struct tracking_store_key key = tracking_key_meta("position");
        struct tracking_store_key mark = tracking_key_mark(engine->now_us);
        write_uint64(&writer, engine->checkpoint.position);
        tracking_store_put(engine->store, &key, text_make(bytes, sizeof bytes));
        tracking_store_put(engine->store, &mark, text_make(bytes, sizeof bytes));
    }
    if (!error_is(error))
        error = tracking_store_write(engine->store);
    return error;
}

/* Where the log stood so long ago that nobody may count on it; 0 = that was not noted. */
static struct error find_old_end(struct tracking_engine *engine, int64_t until_us, uint64_t *end)
{
    struct text key;
    struct text value;
    struct tracking_store_key from = tracking_key_mark(0);
    struct tracking_store_key to = tracking_key_mark(until_us);
    struct tracking_store_iterator *iterator =
        tracking_store_iterate(engine->store, NULL, &from, &to, true);
    *end = 0;
    if (iterator == NULL)
        return error_make(ERROR_OUT_OF_MEMORY, "tracking engine");
    if (tracking_store_iterator_next(iterator, &key, &value)) {
        struct byte_reader reader = byte_reader_of(value);
        *end = read_uint64(&reader);
        /* The mark itself stays, as the newest that is old enough. */
        memcpy(to.bytes, key.data, key.size);
        tracking_store_delete_range(engine->store, &from, &to);
    }
    return tracking_store_iterator_end(iterator);
}

/*
 * Removes what the log has no use for any more: in a checkpoint, older than the retention, held by
 * nobody. A failure is told and tried again later.
 */
static void shorten_log(struct tracking_engine *engine)
{
    uint64_t end = 0;
    engine->checkpoint.shortened_us = engine->now_us;
    int64_t until_us = engine->now_us - engine->options.log_retention_us;
    struct error error = error_none();
    if (until_us > 0)
        error = find_old_end(engine, until_us, &end);
    if (!error_is(error))
        error = tracking_store_write(engine->store);
    uint64_t held = engine->held == NULL ? UINT64_MAX : engine->held(engine->held_context);
    if (held < end)
        end = held;
    if (!error_is(error) && end > 0)
        error = record_log_remove_before(engine->log, end);
    if (error_is(error))
        log_error("tracking: old parts of the log could not be removed", &error);
}

static bool is_time_to_shorten(const struct tracking_engine *engine)
{
    return !error_is(engine->claimed) && engine->now_us - engine->checkpoint.shortened_us >=
                                             engine->options.checkpoint_interval_us;
}

static void finish(struct tracking_engine *engine)
{
    engine->checkpoint.state = CHECKPOINT_IDLE;
    engine->checkpoint.durable_position = engine->checkpoint.position;
    engine->checkpoint.count++;
    shorten_log(engine);
}

struct error tracking_engine_checkpoint(struct tracking_engine *engine)
{
    struct error error = error_none();
    bool finished = false;
    switch (engine->checkpoint.state) {
    case CHECKPOINT_IDLE:
        if (is_time(engine))
            begin(engine);
        else if (is_time_to_shorten(engine))
            shorten_log(engine); /* time alone makes parts of it old */
        break;
    case CHECKPOINT_WRITING:
        error = write_some(engine,
                           summaries_per_step_min + engine->step_commands / commands_per_summary,
                           &finished);
        if (error_is(error) || !finished)
            break;
        engine->flushed = 0;
        engine->checkpoint.state = CHECKPOINT_FLUSHING;
        if (engine->flush_later != NULL && engine->flush_later(engine->later_context))
            break;
        error = tracking_store_flush(engine->store);
        if (!error_is(error))
            finish(engine);
        break;
    case CHECKPOINT_FLUSHING:
        if (engine->flushed == 1)
            finish(engine);
        break;
    }
    return error;
}

struct error tracking_engine_checkpoint_now(struct tracking_engine *engine)
{
    bool finished = false;
    begin(engine);
    struct error error = write_some(engine, SIZE_MAX, &finished);
    if (!error_is(error))
        error = tracking_store_flush(engine->store);
    if (!error_is(error))
        finish(engine);
    return error;
}
