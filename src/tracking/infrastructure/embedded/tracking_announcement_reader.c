/*
 * A read walks records from the one that holds `after` and gives what they announce behind it. Each
 * record is copied onto the arena, then decoded: the texts view that copy.
 */
#include "tracking/infrastructure/embedded/tracking_announcement_reader.h"

#include "tracking/infrastructure/embedded/tracking_record.h"

static struct tracking_announcement_reader *reader_of(struct tracking_announcement_source *source)
{
    return (struct tracking_announcement_reader *)source;
}

/* One read; `lists` is where a record is decoded first. */
struct announcement_read {
    uint64_t after;
    struct arena *arena;
    struct tracking_record_lists *lists;
    struct tracking_announcement *announcements;
    size_t count;
    size_t count_max;
    struct pooled_reader *place;
    struct error error;
};

/* Adds it if it is behind `after`. False: the batch is full, it was not taken. */
static bool add(struct announcement_read *read, const struct tracking_announcement *announcement)
{
    if (announcement->sequence <= read->after)
        return true;
    if (read->count == read->count_max)
        return false;
    read->announcements[read->count++] = *announcement;
    read->place->key = announcement->sequence;
    return true;
}

static bool add_change(struct announcement_read *read, const struct tracking_record *record,
                       struct tracking_announcement *announcement)
{
    struct tracking *after = &announcement->change.after;
    announcement->type = TRACKING_ANNOUNCES_UPDATE;
    announcement->change = record->change;
    announcement->has_event = record->type == TRACKING_RECORD_EVENT;
    announcement->event = record->event;
    after->has_last_event = announcement->has_event && record->change.last_is_event;
    if (after->has_last_event)
        after->last_event = record->event;
    if (announcement->has_event && record->change.location_is_event)
        after->location = record->event.location;
    if (!add(read, announcement))
        return false;
    if (!record->change.is_delivered_now)
        return true;
    announcement->type = TRACKING_ANNOUNCES_DELIVERY;
    announcement->sequence++;
    return add(read, announcement);
}

static bool add_silence(struct announcement_read *read, const struct tracking_record *record,
                        struct tracking_announcement *announcement)
{
    announcement->type = TRACKING_ANNOUNCES_SILENCE;
    announcement->silent_since_us = record->silent_since_us;
    announcement->change.after = (struct tracking){
        .carrier = record->carrier,
        .tracking_number = record->tracking_number,
        .generation = record->silent_generation,
        .status = record->silent_status,
        .shipment_id = record->silent_shipment_id,
        .order_id = record->silent_order_id,
    };
    return add(read, announcement);
}

/* All that a record announces. False: the batch is full. */
static bool add_all(struct announcement_read *read, const struct tracking_record *record,
                    uint64_t position)
{
    struct tracking_announcement announcement = {
        .sequence = position,
        .time_us = record->time_us,
        .carrier = record->carrier,
        .tracking_number = record->tracking_number,
    };
    switch (record->type) {
    case TRACKING_RECORD_EVENT:
    case TRACKING_RECORD_GENERATION:
    case TRACKING_RECORD_REMAP:
        return add_change(read, record, &announcement);
    case TRACKING_RECORD_SILENCE:
        return add_silence(read, record, &announcement);
    case TRACKING_RECORD_NOTE:
    case TRACKING_RECORD_ERASE:
    case TRACKING_RECORD_PING:
        return true;
    }
    return true;
}

static bool visit_record(void *context, uint64_t position, uint64_t end, struct text bytes)
{
    struct announcement_read *read = context;
    struct tracking_record record;
    struct text copy = arena_copy_text(read->arena, bytes);
    if (copy.data == NULL) {
        if (read->count == 0)
            read->error = error_make(ERROR_OUT_OF_MEMORY, "reading what tracking announces");
        return false;
    }
    if (!tracking_record_decode(copy, read->lists, &record)) {
        read->error = error_make(ERROR_DAMAGED, "record at position %llu is no tracking record",
                                 (unsigned long long)position);
        return false;
    }
    if (!add_all(read, &record, position))
        return false;
    read->place->key = end - 1;
    read->place->position = end;
    return read->count < read->count_max;
}

/* --- the source --- */

static struct error read_announcements(struct tracking_announcement_source *source, uint64_t after,
                                       size_t count_max, struct arena *arena,
                                       struct tracking_announcement_batch *batch)
{
    struct tracking_announcement_reader *reader = reader_of(source);
    struct pooled_reader place;
    struct announcement_read read = {
        .after = after,
        .arena = arena,
        .lists = arena_allocate(arena, sizeof *read.lists),
        .announcements = arena_allocate(arena, count_max * sizeof *read.announcements),
        .count_max = count_max,
        .place = &place,
        .error = error_none(),
    };
    *batch = (struct tracking_announcement_batch){.next = after};
    if (read.lists == NULL || read.announcements == NULL)
        return error_make(ERROR_OUT_OF_MEMORY, "reading what tracking announces");
    struct error error = record_log_reader_pool_take(&reader->readers, after, after, &place);
    if (error_is(error))
        return error;
    error = record_log_reader_read(place.reader, place.position, visit_record, &read);
    if (!error_is(error))
        error = read.error;
    if (error_is(error)) {
        record_log_reader_destroy(place.reader);
        return error;
    }
    batch->announcements = read.announcements;
    batch->count = read.count;
    batch->next = place.key;
    record_log_reader_pool_give(&reader->readers, &place);
    return error;
}

static uint64_t oldest(struct tracking_announcement_source *source)
{
    return record_log_oldest(reader_of(source)->log);
}

static uint64_t newest(struct tracking_announcement_source *source)
{
    return record_log_committed_end(reader_of(source)->log);
}

static const char *identity(struct tracking_announcement_source *source)
{
    return reader_of(source)->identity;
}

static void set_wake(struct tracking_announcement_source *source, tracking_announcement_wake *wake,
                     void *context)
{
    struct tracking_announcement_reader *reader = reader_of(source);
    pthread_mutex_lock(&reader->mutex);
    reader->wake = wake;
    reader->wake_context = context;
    pthread_mutex_unlock(&reader->mutex);
}

static void set_held(struct tracking_announcement_source *source, uint64_t (*held)(void *context),
                     void *context)
{
    struct tracking_announcement_reader *reader = reader_of(source);
    pthread_mutex_lock(&reader->mutex);
    reader->held = held;
    reader->held_context = context;
    pthread_mutex_unlock(&reader->mutex);
}

void tracking_announcement_reader_committed(struct tracking_announcement_reader *reader)
{
    pthread_mutex_lock(&reader->mutex);
    if (reader->wake != NULL)
        reader->wake(reader->wake_context);
    pthread_mutex_unlock(&reader->mutex);
}

uint64_t tracking_announcement_reader_held(struct tracking_announcement_reader *reader)
{
    uint64_t held = UINT64_MAX;
    pthread_mutex_lock(&reader->mutex);
    if (reader->held != NULL)
        held = reader->held(reader->held_context);
    pthread_mutex_unlock(&reader->mutex);
    return held;
}

struct error tracking_announcement_reader_init(struct tracking_announcement_reader *reader,
                                               struct record_log *log,
                                               struct file_system *file_system,
                                               const char *directory, struct random *random)
{
    static const struct tracking_announcement_source_table table = {
        .read = read_announcements,
        .oldest = oldest,
        .newest = newest,
        .identity = identity,
        .set_wake = set_wake,
        .set_held = set_held,
    };
    *reader = (struct tracking_announcement_reader){.base = {.table = &table}, .log = log};
    struct error error = log_identity_open(file_system, directory, random, reader->identity);
    if (error_is(error))
        return error;
    record_log_reader_pool_init(&reader->readers, log);
    pthread_mutex_init(&reader->mutex, NULL);
    return error;
}

void tracking_announcement_reader_deinit(struct tracking_announcement_reader *reader)
{
    record_log_reader_pool_deinit(&reader->readers);
    pthread_mutex_destroy(&reader->mutex);
}
