/* Each record is decoded where it was copied: the texts view that. */
#include "tracking/infrastructure/embedded/tracking_announcement_reader.h"

#include "tracking/infrastructure/embedded/tracking_record.h"

static struct tracking_announcement_reader *reader_of(struct tracking_announcement_source *source)
{
    return (struct tracking_announcement_reader *)source;
}

static bool add(struct decoded_batch *batch, const struct tracking_announcement *announcement)
{
    return decoded_batch_add(batch, announcement, announcement->sequence);
}

static bool add_change(struct decoded_batch *batch, const struct tracking_record *record,
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
    if (!add(batch, announcement))
        return false;
    if (!record->change.is_delivered_now)
        return true;
    announcement->type = TRACKING_ANNOUNCES_DELIVERY;
    announcement->sequence++;
    return add(batch, announcement);
}

static bool add_silence(struct decoded_batch *batch, const struct tracking_record *record,
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
    return add(batch, announcement);
}

/* All that a record announces. False: the batch is full. */
static bool add_all(struct decoded_batch *batch, const struct tracking_record *record,
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
        return add_change(batch, record, &announcement);
    case TRACKING_RECORD_SILENCE:
        return add_silence(batch, record, &announcement);
    case TRACKING_RECORD_NOTE:
    case TRACKING_RECORD_ERASE:
    case TRACKING_RECORD_PING:
        return true;
    }
    return true;
}

static bool take_record(struct decoded_batch *batch, uint64_t position, struct text bytes)
{
    struct tracking_record record;
    if (!tracking_record_decode(bytes, batch->context, &record))
        return decoded_batch_fail_damaged(batch, position);
    return add_all(batch, &record, position);
}

/* --- the source --- */

static struct error read_announcements(struct tracking_announcement_source *source, uint64_t after,
                                       size_t count_max, struct arena *arena,
                                       struct tracking_announcement_batch *batch)
{
    struct tracking_record_lists *lists = arena_allocate(arena, sizeof *lists);
    struct decoded_batch read = {
        .after = after,
        .count_max = count_max,
        .arena = arena,
        .item_size = sizeof(struct tracking_announcement),
        .name = "tracking",
        .take = take_record,
        .context = lists, /* where a record is decoded first */
    };
    *batch = (struct tracking_announcement_batch){.next = after};
    if (lists == NULL)
        return error_make(ERROR_OUT_OF_MEMORY, "reading what tracking announces");
    struct error error = decoded_log_read(&reader_of(source)->decoded, &read);
    if (error_is(error))
        return error;
    batch->announcements = read.items;
    batch->count = read.count;
    batch->next = read.next;
    return error;
}

static uint64_t oldest(struct tracking_announcement_source *source)
{
    return decoded_log_oldest(&reader_of(source)->decoded);
}

static uint64_t newest(struct tracking_announcement_source *source)
{
    return decoded_log_newest(&reader_of(source)->decoded);
}

static const char *identity(struct tracking_announcement_source *source)
{
    return reader_of(source)->decoded.identity;
}

static void set_wake(struct tracking_announcement_source *source, tracking_announcement_wake *wake,
                     void *context)
{
    decoded_log_set_wake(&reader_of(source)->decoded, wake, context);
}

static void set_held(struct tracking_announcement_source *source, uint64_t (*held)(void *context),
                     void *context)
{
    decoded_log_set_held(&reader_of(source)->decoded, held, context);
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
    reader->base.table = &table;
    return decoded_log_init(&reader->decoded, log, file_system, directory, random);
}

void tracking_announcement_reader_deinit(struct tracking_announcement_reader *reader)
{
    decoded_log_deinit(&reader->decoded);
}
