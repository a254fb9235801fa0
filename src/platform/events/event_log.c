/*
 * A record log of kind "ev:CONTEXT" with one record an event. In memory there is only a mark every
 * some hundred events (sequence, position, time), which says where a sequence is found and what is
 * past its time, and the ids of the last events, for the relay's question whether it has been here
 * before.
 *
 * Appending fails before anything happened (no room, no memory), or for good: then what is on disk
 * is not known and the process must stop, as with every record log.
 *
 * Readers: one that comes back for what follows its last read gets the same record_log_reader,
 * which stands there; a few are kept, others are made for one read.
 */
#include "platform/events/event_log.h"

#include "platform/base/check.h"
#include "platform/base/memory.h"
#include "platform/events/event_record.h"
#include "platform/events/event_watchers.h"
#include "platform/storage/log_identity.h"
#include "platform/storage/record_log.h"
#include "platform/storage/record_log_reader_pool.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

enum {
    mark_distance = 256,
    batch_bytes_max = 1024 * 1024, /* more than one largest event */
    recent_max = 4 * event_sink_batch_max,
    kind_bytes_max = 16,
};

/* The event with this sequence stands at this position, and was logged at this time. */
struct log_mark {
    uint64_t sequence;
    uint64_t position;
    int64_t logged_us;
};

struct recent_id {
    uint8_t size;
    char bytes[event_id_bytes_max];
};

struct event_log {
    struct event_feed feed;
    struct event_sink sink;
    struct event_log_options options;
    struct record_log *log;
    char kind[kind_bytes_max];
    char identity[log_identity_bytes];
    struct event_watchers watchers;
    struct record_log_reader_pool readers; /* keyed by the sequence they stand behind */
    /* The owner's. */
    uint64_t next_sequence;
    int64_t logged_us_max;
    struct recent_id recent[recent_max]; /* a ring */
    size_t recent_count;                 /* ever */
    /* Under the mutex. */
    pthread_mutex_t mutex;
    struct log_mark *marks;
    size_t mark_count;
    size_t mark_capacity;
    uint64_t oldest; /* sequence before the first one kept */
    uint64_t newest; /* of the last durable event */
};

struct event_log_options event_log_options_default(void)
{
    return (struct event_log_options){
        .file_system = file_system_posix(),
        .clock = clock_system(),
        .random = random_system(),
        .retention_us = INT64_C(7) * 86400 * 1000000,
        .segment_bytes = UINT64_C(64) << 20,
        .background_prepare = true,
    };
}

static struct event_log *log_of_feed(struct event_feed *feed)
{
    return (struct event_log *)feed;
}

static struct event_log *log_of_sink(struct event_sink *sink)
{
    return (struct event_log *)((char *)sink - offsetof(struct event_log, sink));
}

/* --- what is kept in memory --- */

/* Room for one more mark. Under the mutex. */
static bool reserve_mark(struct event_log *log)
{
    if (log->mark_count < log->mark_capacity)
        return true;
    size_t capacity = log->mark_capacity == 0 ? 64 : 2 * log->mark_capacity;
    struct log_mark *marks = memory_reallocate(log->marks, capacity * sizeof *marks);
    if (marks == NULL)
        return false;
    log->marks = marks;
    log->mark_capacity = capacity;
    return true;
}

static void remember_id(struct event_log *log, struct text event_id)
{
    struct recent_id *recent = &log->recent[log->recent_count++ % recent_max];
    recent->size = (uint8_t)event_id.size;
    memcpy(recent->bytes, event_id.data, event_id.size);
}

/* A record is in the log: what memory needs of it. There is room for a mark. */
static void note_event(struct event_log *log, const struct event *event, uint64_t position,
                       int64_t logged_us)
{
    if (log->mark_count == 0 || event->sequence % mark_distance == 0)
        log->marks[log->mark_count++] = (struct log_mark){
            .sequence = event->sequence,
            .position = position,
            .logged_us = logged_us,
        };
    if (logged_us > log->logged_us_max)
        log->logged_us_max = logged_us;
    log->next_sequence = event->sequence + 1;
    remember_id(log, event->event_id);
}

static struct error replay(void *context, uint64_t position, struct text record)
{
    struct event_log *log = context;
    struct event event;
    int64_t logged_us;
    if (!event_record_decode(record, &event, &logged_us))
        return error_make(ERROR_DAMAGED, "%.120s: the record at position %llu is no event",
                          log->options.directory, (unsigned long long)position);
    if (log->next_sequence != 0 && event.sequence != log->next_sequence)
        return error_make(ERROR_DAMAGED, "%.120s: event %llu follows event %llu",
                          log->options.directory, (unsigned long long)event.sequence,
                          (unsigned long long)log->next_sequence - 1);
    if (log->next_sequence == 0)
        log->oldest = event.sequence - 1;
    if (!reserve_mark(log))
        return error_make(ERROR_OUT_OF_MEMORY, "opening an event log");
    note_event(log, &event, position, logged_us);
    return error_none();
}

/* --- the sink --- */

/* Puts into the open batch what fits, and tells how many that were. Under the mutex: marks. */
static size_t fill_batch(struct event_log *log, const struct event *events, size_t count)
{
    int64_t now_us = clock_now_us(log->options.clock);
    size_t taken = 0;
    if (now_us < log->logged_us_max)
        now_us = log->logged_us_max;
    for (; taken < count && taken < event_sink_batch_max; taken++) {
        struct event event = events[taken];
        size_t size_max = event_record_overhead_bytes + event.data.size;
        uint64_t position;
        CHECK(event_is_within_limits(&event));
        if (record_log_room(log->log) < size_max || !reserve_mark(log))
            break;
        event.sequence = log->next_sequence;
        char *at = record_log_append_begin(log->log, size_max, &position);
        record_log_append_end(log->log, event_record_encode(&event, now_us, at));
        note_event(log, &event, position, now_us);
    }
    return taken;
}

static struct error append(struct event_sink *sink, const struct event *events, size_t count,
                           size_t *appended)
{
    struct event_log *log = log_of_sink(sink);
    *appended = 0;
    struct error error = record_log_claim(log->log);
    if (error_is(error) || count == 0)
        return error;
    pthread_mutex_lock(&log->mutex);
    size_t taken = fill_batch(log, events, count);
    pthread_mutex_unlock(&log->mutex);
    if (taken == 0)
        return error_make(ERROR_OUT_OF_MEMORY, "%s: appending to the event log", log->feed.source);
    error = record_log_commit(log->log);
    if (error_is(error)) /* nothing is known of the disk: no caller may try again */
        return error_make(ERROR_INTERNAL, "event log: %.200s", error.detail);
    pthread_mutex_lock(&log->mutex);
    log->newest = log->next_sequence - 1;
    pthread_mutex_unlock(&log->mutex);
    *appended = taken;
    event_watchers_wake(&log->watchers);
    return error;
}

static bool has_recent(struct event_sink *sink, struct text event_id)
{
    const struct event_log *log = log_of_sink(sink);
    size_t count = log->recent_count < recent_max ? log->recent_count : recent_max;
    for (size_t i = 0; i < count; i++) {
        const struct recent_id *recent = &log->recent[i];
        if (text_equal(event_id, text_make(recent->bytes, recent->size)))
            return true;
    }
    return false;
}

static const char *sink_identity(struct event_sink *sink)
{
    return log_of_sink(sink)->identity;
}

/* --- retention --- */

/* The last mark that is past its time and held by nobody. Under the mutex. */
static const struct log_mark *removable_mark(struct event_log *log, uint64_t held)
{
    int64_t until_us = clock_now_us(log->options.clock) - log->options.retention_us;
    const struct log_mark *found = NULL;
    for (size_t i = 0; i < log->mark_count; i++) {
        const struct log_mark *mark = &log->marks[i];
        if (mark->logged_us > until_us || mark->sequence > held)
            break;
        found = mark;
    }
    return found;
}

static bool first_sequence(void *context, uint64_t position, uint64_t end, struct text record)
{
    uint64_t *sequence = context;
    struct event event;
    int64_t logged_us;
    (void)position;
    (void)end;
    if (event_record_decode(record, &event, &logged_us))
        *sequence = event.sequence;
    return false;
}

/* Which event is the first now, and the marks from there on. */
static struct error forget_removed(struct event_log *log)
{
    struct record_log_reader *reader;
    uint64_t sequence = 0;
    uint64_t from = record_log_oldest(log->log);
    struct error error = record_log_reader_create(&reader, log->log);
    if (error_is(error))
        return error;
    error = record_log_reader_read(reader, from, first_sequence, &sequence);
    record_log_reader_destroy(reader);
    if (error_is(error) || sequence == 0)
        return error;
    pthread_mutex_lock(&log->mutex);
    size_t gone = 0;
    log->oldest = sequence - 1;
    while (gone < log->mark_count && log->marks[gone].position < from)
        gone++;
    if (gone > 0) { /* its place becomes the mark of the first event kept */
        gone--;
        memmove(log->marks, log->marks + gone, (log->mark_count - gone) * sizeof *log->marks);
        log->mark_count -= gone;
        log->marks[0].sequence = sequence;
        log->marks[0].position = from;
    }
    pthread_mutex_unlock(&log->mutex);
    return error;
}

static struct error tidy(struct event_sink *sink)
{
    struct event_log *log = log_of_sink(sink);
    uint64_t held = event_watchers_held(&log->watchers);
    uint64_t before = record_log_oldest(log->log);
    pthread_mutex_lock(&log->mutex);
    const struct log_mark *mark = removable_mark(log, held);
    uint64_t position = mark == NULL ? 0 : mark->position;
    pthread_mutex_unlock(&log->mutex);
    if (position == 0)
        return error_none();
    struct error error = record_log_remove_before(log->log, position);
    if (record_log_oldest(log->log) != before) {
        struct error second = forget_removed(log);
        if (!error_is(error))
            error = second;
    }
    return error;
}

/* --- the feed --- */

/* Where reading behind `after` can begin at the latest. */
static struct error find_place(struct event_log *log, uint64_t after, uint64_t *position)
{
    pthread_mutex_lock(&log->mutex);
    bool expired = after < log->oldest || after > log->newest;
    size_t low = 0;
    size_t high = log->mark_count;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (log->marks[middle].sequence <= after + 1)
            low = middle;
        else
            high = middle;
    }
    *position = log->mark_count == 0 ? 0 : log->marks[low].position;
    pthread_mutex_unlock(&log->mutex);
    if (expired)
        return error_make(ERROR_CURSOR_EXPIRED, "%s: event %llu is not in what is kept",
                          log->feed.source, (unsigned long long)after);
    return error_none();
}

struct feed_read {
    struct event_log *log;
    uint64_t after;
    uint64_t newest;
    struct event *events;
    size_t count;
    size_t count_max;
    struct arena *arena;
    struct error error;
    struct pooled_reader *place;
};

static bool take_record(void *context, uint64_t position, uint64_t end, struct text record)
{
    struct feed_read *read = context;
    struct event *event = &read->events[read->count];
    int64_t logged_us;
    if (!event_record_decode(record, event, &logged_us)) {
        read->error = error_make(ERROR_DAMAGED, "%s: the record at position %llu is no event",
                                 read->log->feed.source, (unsigned long long)position);
        return false;
    }
    if (event->sequence > read->newest)
        return false;
    if (event->sequence > read->after) {
        struct text copy = arena_copy_text(read->arena, record);
        if (copy.data == NULL || !event_record_decode(copy, event, &logged_us)) {
            if (read->count == 0)
                read->error = error_make(ERROR_OUT_OF_MEMORY, "reading an event");
            return false;
        }
        event->source = text_of(read->log->feed.source);
        read->count++;
    }
    read->place->key = event->sequence;
    read->place->position = end;
    return read->count < read->count_max;
}

static struct error feed_read(struct event_feed *feed, uint64_t after, size_t event_count_max,
                              struct arena *arena, struct event_batch *batch)
{
    struct event_log *log = log_of_feed(feed);
    struct pooled_reader place;
    *batch = (struct event_batch){.next = after};
    pthread_mutex_lock(&log->mutex);
    uint64_t newest = log->newest;
    pthread_mutex_unlock(&log->mutex);
    if (after == newest)
        return error_none();
    struct feed_read read = {
        .log = log,
        .after = after,
        .newest = newest,
        .events = arena_allocate(arena, event_count_max * sizeof *read.events),
        .count_max = event_count_max,
        .arena = arena,
        .error = error_none(),
        .place = &place,
    };
    if (read.events == NULL)
        return error_make(ERROR_OUT_OF_MEMORY, "reading events");
    uint64_t position;
    struct error error = find_place(log, after, &position);
    if (!error_is(error))
        error = record_log_reader_pool_take(&log->readers, after, position, &place);
    if (error_is(error))
        return error;
    error = record_log_reader_read(place.reader, place.position, take_record, &read);
    if (!error_is(error))
        error = read.error;
    if (error_is(error)) {
        record_log_reader_destroy(place.reader);
        return error;
    }
    if (read.count > 0)
        batch->next = place.key;
    batch->events = read.events;
    batch->event_count = read.count;
    record_log_reader_pool_give(&log->readers, &place);
    return error;
}

static uint64_t feed_oldest(struct event_feed *feed)
{
    return event_log_usage(log_of_feed(feed)).oldest;
}

static uint64_t feed_newest(struct event_feed *feed)
{
    return event_log_usage(log_of_feed(feed)).newest;
}

static const char *feed_identity(struct event_feed *feed)
{
    return log_of_feed(feed)->identity;
}

static void feed_watch(struct event_feed *feed, struct event_feed_watcher *watcher)
{
    event_watchers_add(&log_of_feed(feed)->watchers, watcher);
}

static void feed_unwatch(struct event_feed *feed, struct event_feed_watcher *watcher)
{
    event_watchers_remove(&log_of_feed(feed)->watchers, watcher);
}

/* --- its life --- */

static const struct event_feed_table feed_table = {
    .read = feed_read,
    .oldest = feed_oldest,
    .newest = feed_newest,
    .identity = feed_identity,
    .watch = feed_watch,
    .unwatch = feed_unwatch,
};

static const struct event_sink_table sink_table = {
    .append = append,
    .has_recent = has_recent,
    .identity = sink_identity,
    .tidy = tidy,
};

struct error event_log_open(struct event_log **log, const struct event_log_options *options)
{
    *log = NULL;
    struct event_log *made = memory_allocate_zero(1, sizeof *made);
    if (made == NULL)
        return error_make(ERROR_OUT_OF_MEMORY, "opening an event log");
    made->feed = (struct event_feed){.table = &feed_table, .source = options->source};
    made->sink.table = &sink_table;
    int size = snprintf(made->kind, sizeof made->kind, "ev:%s", options->source);
    CHECK(size > 0 && size < kind_bytes_max);
    made->options = *options;
    pthread_mutex_init(&made->mutex, NULL);
    event_watchers_init(&made->watchers);
    struct record_log_options log_options = {
        .directory = options->directory,
        .kind = made->kind,
        .record_version = event_record_version,
        .segment_bytes = options->segment_bytes,
        .batch_bytes_max = batch_bytes_max,
        .background_prepare = options->background_prepare,
    };
    struct error error =
        record_log_open(&made->log, options->file_system, &log_options, replay, made);
    record_log_reader_pool_init(&made->readers, made->log);
    if (!error_is(error))
        error = log_identity_open(options->file_system, options->directory, options->random,
                                  made->identity);
    if (error_is(error)) {
        event_log_close(made);
        return error_prefix(error, "events of %s", options->source);
    }
    if (made->next_sequence == 0)
        made->next_sequence = 1;
    made->newest = made->next_sequence - 1;
    made->options.directory = NULL; /* the caller's; not needed any more */
    *log = made;
    return error;
}

void event_log_close(struct event_log *log)
{
    if (log == NULL)
        return;
    record_log_reader_pool_deinit(&log->readers);
    record_log_close(log->log);
    event_watchers_deinit(&log->watchers);
    pthread_mutex_destroy(&log->mutex);
    memory_release(log->marks);
    memory_release(log);
}

struct event_sink *event_log_sink(struct event_log *log)
{
    return &log->sink;
}

struct event_feed *event_log_feed(struct event_log *log)
{
    return &log->feed;
}

struct event_log_usage event_log_usage(struct event_log *log)
{
    pthread_mutex_lock(&log->mutex);
    struct event_log_usage usage = {.oldest = log->oldest, .newest = log->newest};
    pthread_mutex_unlock(&log->mutex);
    usage.bytes = record_log_committed_end(log->log) - record_log_oldest(log->log);
    return usage;
}
