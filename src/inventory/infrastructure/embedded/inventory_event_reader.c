/* Each record is decoded where it was copied: the events' texts and reservations view that. */
#include "inventory/infrastructure/embedded/inventory_event_reader.h"

#include "inventory/infrastructure/embedded/inventory_record.h"

#include <string.h>

static struct inventory_event_reader *reader_of(struct inventory_event_source *source)
{
    return (struct inventory_event_reader *)source;
}

/* --- the events of a record --- */

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

static bool add_event(struct decoded_batch *batch, struct inventory_event *event, uint64_t sequence)
{
    event->sequence = sequence;
    return decoded_batch_add(batch, event, sequence);
}

/*
 * All events of a record: the change at its position, then two places a line, for what the line's
 * stock crossed. False: the batch is full.
 */
static bool add_events(struct decoded_batch *batch, const struct inventory_record *record,
                       const struct reservation *reservation, uint64_t position)
{
    struct inventory_event event;
    if (main_event(record, reservation, &event) && !add_event(batch, &event, position))
        return false;
    for (size_t line = 0; line < inventory_record_line_count(record); line++) {
        uint64_t sequence = position + 1 + 2 * line;
        struct stock_crossing crossing = inventory_record_crossing(record, line);
        event = crossing_event(record, line);
        event.type = INVENTORY_EVENT_STOCK_ALERT;
        if (crossing.before != crossing.after && !add_event(batch, &event, sequence))
            return false;
        event.type = INVENTORY_EVENT_STOCK_SHORTAGE;
        if (crossing.shortage && !add_event(batch, &event, sequence + 1))
            return false;
    }
    return true;
}

static bool take_record(struct decoded_batch *batch, uint64_t position, struct text bytes)
{
    struct inventory_record record;
    const struct reservation *reservation = NULL;
    if (!inventory_record_decode(bytes, batch->context, &record))
        return decoded_batch_fail_damaged(batch, position);
    if (record.type == RECORD_RESERVATION) {
        reservation = copy_reservation(&record, batch->arena);
        if (reservation == NULL)
            return decoded_batch_fail_memory(batch);
    }
    return add_events(batch, &record, reservation, position);
}

/* --- the source --- */

static struct error read_events(struct inventory_event_source *source, uint64_t after,
                                size_t event_count_max, struct arena *arena,
                                struct inventory_event_batch *batch)
{
    struct inventory_record_lines *lines = arena_allocate(arena, sizeof *lines);
    struct decoded_batch read = {
        .after = after,
        .count_max = event_count_max,
        .arena = arena,
        .item_size = sizeof(struct inventory_event),
        .name = "inventory",
        .take = take_record,
        .context = lines, /* where a record is decoded first */
    };
    *batch = (struct inventory_event_batch){.next = after};
    if (lines == NULL)
        return error_make(ERROR_OUT_OF_MEMORY, "reading inventory's events");
    struct error error = decoded_log_read(&reader_of(source)->decoded, &read);
    if (error_is(error))
        return error;
    batch->events = read.items;
    batch->event_count = read.count;
    batch->next = read.next;
    return error;
}

static uint64_t oldest(struct inventory_event_source *source)
{
    return decoded_log_oldest(&reader_of(source)->decoded);
}

static uint64_t newest(struct inventory_event_source *source)
{
    return decoded_log_newest(&reader_of(source)->decoded);
}

static const char *identity(struct inventory_event_source *source)
{
    return reader_of(source)->decoded.identity;
}

static void set_wake(struct inventory_event_source *source, inventory_event_wake *wake,
                     void *context)
{
    decoded_log_set_wake(&reader_of(source)->decoded, wake, context);
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
    reader->base.table = &table;
    return decoded_log_init(&reader->decoded, log, file_system, directory, random);
}

void inventory_event_reader_deinit(struct inventory_event_reader *reader)
{
    decoded_log_deinit(&reader->decoded);
}
