/*
 * A read walks records from the one that holds `after` and gives the events behind it, so a batch
 * may end in the middle of a record. Each record is copied onto the arena, then decoded: the
 * events' texts and reservations view that copy.
 */
#include "inventory/infrastructure/embedded/inventory_event_reader.h"

#include "inventory/infrastructure/embedded/inventory_record.h"

#include <string.h>

static struct inventory_event_reader *reader_of(struct inventory_event_source *source)
{
    return (struct inventory_event_reader *)source;
}

/* --- the events of a record --- */

/* One read; `lines` is where a record is decoded first. */
struct event_read {
    uint64_t after;
    struct arena *arena;
    struct inventory_record_lines *lines;
    struct inventory_event *events;
    size_t count;
    size_t count_max;
    struct pooled_reader *place;
    struct error error;
};

static enum inventory_event_type reservation_event_type(enum reservation_change change)
{
    static const enum inventory_event_type types[] = {
        [CHANGE_RESERVED] = INVENTORY_EVENT_STOCK_RESERVED,
        [CHANGE_COMMITTED] = INVENTORY_EVENT_STOCK_COMMITTED,
        [CHANGE_ROLLED_BACK] = INVENTORY_EVENT_RESERVATION_ROLLED_BACK,
        [CHANGE_EXPIRED] = INVENTORY_EVENT_RESERVATION_EXPIRED,
        [CHANGE_EXTENDED] = INVENTORY_EVENT_RESERVATION_EXTENDED,
        [CHANGE_RETAKEN] = INVENTORY_EVENT_STOCK_COMMITTED,
        [CHANGE_RETURNED] = INVENTORY_EVENT_STOCK_RETURNED,
    };
    return types[change];
}

/* The event that the change itself is, without its sequence. False: it is none. */
static bool main_event(const struct inventory_record *record, const struct reservation *reservation,
                       struct inventory_event *event)
{
    *event = (struct inventory_event){
        .time_us = record->time_us,
        .id = record->id,
        .sku = record->sku,
        .quantity = record->quantity,
        .stock_revision = record->stock_revision,
        .reason = record->reason,
        .note = record->note,
        .reservation = reservation,
    };
    switch (record->type) {
    case RECORD_STOCK_RECEIVED:
        event->type = INVENTORY_EVENT_STOCK_RECEIVED;
        return true;
    case RECORD_STOCK_ADJUSTED:
        event->type = INVENTORY_EVENT_STOCK_ADJUSTED;
        return true;
    case RECORD_RESERVATION:
        event->type = reservation_event_type(record->change);
        event->return_reason = record->return_reason;
        event->returned = record->returned_now;
        if (record->change == CHANGE_RETURNED)
            event->id = record->return_id;
        return true;
    case RECORD_STOCK_POLICY:
    case RECORD_SHELF_PLACE:
        return false;
    }
    return false;
}

/* What one line's stock crossed; its type is still to be set. */
static struct inventory_event crossing_event(const struct inventory_record *record, size_t line)
{
    struct stock_crossing crossing = inventory_record_crossing(record, line);
    return (struct inventory_event){
        .time_us = record->time_us,
        .sku = inventory_record_sku(record, line),
        .stock_revision = record->type == RECORD_RESERVATION
                              ? record->reservation.lines[line].stock_revision
                              : record->stock_revision,
        .state_before = crossing.before,
        .state_after = crossing.after,
        .available = crossing.available,
        .low_stock_threshold = crossing.low_stock_threshold,
    };
}

/*
 * The reservation of a decoded record with its lines, on the arena, and the record's own view of
 * what was returned, too. NULL without memory.
 */
static const struct reservation *copy_reservation(struct inventory_record *record,
                                                  struct arena *arena)
{
    size_t count = record->reservation.line_count;
    struct reservation *copy = arena_allocate(arena, sizeof *copy);
    struct reservation_line *lines = arena_allocate(arena, count * sizeof *lines);
    int64_t *returned = arena_allocate(arena, count * sizeof *returned);
    if (copy == NULL || lines == NULL || returned == NULL)
        return NULL;
    *copy = record->reservation;
    memcpy(lines, record->reservation.lines, count * sizeof *lines);
    copy->lines = lines;
    copy->requested = NULL; /* no event tells it */
    copy->requested_count = 0;
    if (record->change == CHANGE_RETURNED) {
        memcpy(returned, record->returned_now, count * sizeof *returned);
        record->returned_now = returned;
    }
    return copy;
}

/* Adds the event if it is behind `after`. False: the batch is full, it was not taken. */
static bool add_event(struct event_read *read, const struct inventory_event *event,
                      uint64_t sequence)
{
    if (sequence <= read->after)
        return true;
    if (read->count == read->count_max)
        return false;
    read->events[read->count] = *event;
    read->events[read->count++].sequence = sequence;
    read->place->key = sequence;
    return true;
}

/*
 * All events of a record: the change at its position, then two places a line, for what the line's
 * stock crossed. False: the batch is full.
 */
static bool add_events(struct event_read *read, const struct inventory_record *record,
                       const struct reservation *reservation, uint64_t position)
{
    struct inventory_event event;
    if (main_event(record, reservation, &event) && !add_event(read, &event, position))
        return false;
    for (size_t line = 0; line < inventory_record_line_count(record); line++) {
        uint64_t sequence = position + 1 + 2 * line;
        struct stock_crossing crossing = inventory_record_crossing(record, line);
        event = crossing_event(record, line);
        event.type = INVENTORY_EVENT_STOCK_ALERT;
        if (crossing.before != crossing.after && !add_event(read, &event, sequence))
            return false;
        event.type = INVENTORY_EVENT_STOCK_SHORTAGE;
        if (crossing.shortage && !add_event(read, &event, sequence + 1))
            return false;
    }
    return true;
}

static bool out_of_memory(struct event_read *read)
{
    if (read->count == 0)
        read->error = error_make(ERROR_OUT_OF_MEMORY, "reading inventory's events");
    return false;
}

static bool visit_record(void *context, uint64_t position, uint64_t end, struct text bytes)
{
    struct event_read *read = context;
    struct inventory_record record;
    const struct reservation *reservation = NULL;
    struct text copy = arena_copy_text(read->arena, bytes);
    if (copy.data == NULL)
        return out_of_memory(read);
    if (!inventory_record_decode(copy, read->lines, &record)) {
        read->error = error_make(ERROR_DAMAGED, "record at position %llu is no inventory record",
                                 (unsigned long long)position);
        return false;
    }
    if (record.type == RECORD_RESERVATION) {
        reservation = copy_reservation(&record, read->arena);
        if (reservation == NULL)
            return out_of_memory(read);
    }
    if (!add_events(read, &record, reservation, position))
        return false;
    read->place->key = end - 1;
    read->place->position = end;
    return read->count < read->count_max;
}

/* --- the source --- */

static struct error read_events(struct inventory_event_source *source, uint64_t after,
                                size_t event_count_max, struct arena *arena,
                                struct inventory_event_batch *batch)
{
    struct inventory_event_reader *reader = reader_of(source);
    struct pooled_reader place;
    struct event_read read = {
        .after = after,
        .arena = arena,
        .lines = arena_allocate(arena, sizeof *read.lines),
        .events = arena_allocate(arena, event_count_max * sizeof *read.events),
        .count_max = event_count_max,
        .place = &place,
        .error = error_none(),
    };
    *batch = (struct inventory_event_batch){.next = after};
    if (read.lines == NULL || read.events == NULL)
        return error_make(ERROR_OUT_OF_MEMORY, "reading inventory's events");
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
    batch->events = read.events;
    batch->event_count = read.count;
    batch->next = place.key;
    record_log_reader_pool_give(&reader->readers, &place);
    return error;
}

static uint64_t oldest(struct inventory_event_source *source)
{
    return record_log_oldest(reader_of(source)->log);
}

static uint64_t newest(struct inventory_event_source *source)
{
    return record_log_committed_end(reader_of(source)->log);
}

static const char *identity(struct inventory_event_source *source)
{
    return reader_of(source)->identity;
}

static void set_wake(struct inventory_event_source *source, inventory_event_wake *wake,
                     void *context)
{
    struct inventory_event_reader *reader = reader_of(source);
    pthread_mutex_lock(&reader->mutex);
    reader->wake = wake;
    reader->wake_context = context;
    pthread_mutex_unlock(&reader->mutex);
}

void inventory_event_reader_committed(struct inventory_event_reader *reader)
{
    pthread_mutex_lock(&reader->mutex);
    if (reader->wake != NULL)
        reader->wake(reader->wake_context);
    pthread_mutex_unlock(&reader->mutex);
}

struct error inventory_event_reader_init(struct inventory_event_reader *reader,
                                         struct record_log *log, struct file_system *file_system,
                                         const char *directory, struct random *random)
{
    static const struct inventory_event_source_table table = {
        .read = read_events,
        .oldest = oldest,
        .newest = newest,
        .identity = identity,
        .set_wake = set_wake,
    };
    *reader = (struct inventory_event_reader){.base = {.table = &table}, .log = log};
    struct error error = log_identity_open(file_system, directory, random, reader->identity);
    if (error_is(error))
        return error;
    record_log_reader_pool_init(&reader->readers, log);
    pthread_mutex_init(&reader->mutex, NULL);
    return error;
}

void inventory_event_reader_deinit(struct inventory_event_reader *reader)
{
    record_log_reader_pool_deinit(&reader->readers);
    pthread_mutex_destroy(&reader->mutex);
}
