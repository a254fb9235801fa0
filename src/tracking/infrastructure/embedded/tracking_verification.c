/*
 * Log and RocksDB are opened for reading only, one after the other. A summary and the events of its
 * parcel stand far apart, so all events are counted by a walk beside the walk over the summaries:
 * both are sorted by parcel.
 */
#include "tracking/infrastructure/embedded/tracking_verification.h"

#include "platform/storage/record_log.h"
#include "tracking/infrastructure/embedded/parcel.h"
#include "tracking/infrastructure/embedded/tracking_record.h"
#include "tracking/infrastructure/embedded/tracking_store.h"

#include <stdio.h>

enum { path_bytes_max = 1024 };

struct log_walk {
    struct tracking_verification *verification;
    struct tracking_record_lists lists;
};

static struct error visit_record(void *context, uint64_t position, struct text bytes)
{
    struct log_walk *walk = context;
    struct tracking_record record;
    walk->verification->records++;
    if (tracking_record_decode(bytes, &walk->lists, &record))
        return error_none();
    return error_make(ERROR_DAMAGED, "record at position %llu is no tracking record",
                      (unsigned long long)position);
}

static struct error verify_log(const struct embedded_tracking_options *options,
                               struct tracking_verification *verification, uint64_t *end)
{
    char path[path_bytes_max];
    struct record_log *log;
    static struct log_walk walk; /* large; one verification at a time */
    walk.verification = verification;
    snprintf(path, sizeof path, "%s/log", options->directory);
    struct record_log_options log_options = {
        .directory = path,
        .kind = "tracking",
        .record_version = tracking_record_version,
        .segment_bytes = options->segment_bytes,
        .batch_bytes_max = options->batch_bytes_max,
        .read_only = true,
    };
    struct error error =
        record_log_open(&log, options->file_system, &log_options, visit_record, &walk);
    if (error_is(error))
        return error;
    *end = record_log_committed_end(log);
    record_log_chain_head(log, verification->chain_head);
    record_log_close(log);
    return error;
}

/* The walk over the events, one ahead. */
struct event_walk {
    struct tracking_store_iterator *rows;
    struct text key;
    bool there;
};

static void next_event(struct event_walk *walk)
{
    struct text value;
    walk->there = tracking_store_iterator_next(walk->rows, &walk->key, &value);
}

/* How many events stand there for this parcel; those of parcels before it belong to none. */
static uint64_t count_events(struct event_walk *walk, struct text parcel,
                             struct tracking_verification *verification)
{
    uint64_t count = 0;
    while (walk->there) {
        struct text name = text_make(walk->key.data + 1, walk->key.size - 1);
        bool own = text_starts_with(name, parcel);
        if (!own && text_compare(name, parcel) > 0)
            break;
        verification->events++;
        verification->mismatches += !own;
        count += own;
        next_event(walk);
    }
    return count;
}

static struct error verify_summaries(struct tracking_store *store,
                                     struct tracking_verification *verification)
{
    struct text key;
    struct text value;
    struct error error = error_none();
    struct tracking_store_key from = tracking_key_parcel(text_make("", 0));
    struct tracking_store_key to = tracking_key_end(from);
    struct tracking_store_key first = {.bytes = "e", .size = 1};
    struct tracking_store_key last = tracking_key_end(first);
    struct tracking_store_iterator *rows = tracking_store_iterate(store, NULL, &from, &to, false);
    struct event_walk events = {.rows = tracking_store_iterate(store, NULL, &first, &last, false)};
    if (rows == NULL || events.rows == NULL)
        return error_make(ERROR_OUT_OF_MEMORY, "verifying trackings");
    next_event(&events);
    while (!error_is(error) && tracking_store_iterator_next(rows, &key, &value)) {
        struct parcel *parcel;
        struct text name = text_make(key.data + 1, key.size - 1);
        error = parcel_decode(name, value, &parcel);
        if (error_is(error))
            break;
        verification->trackings++;
        verification->mismatches += count_events(&events, name, verification) != parcel->fact_count;
        parcel_destroy(parcel);
    }
    while (events.there) {
        verification->events++;
        verification->mismatches++;
        next_event(&events);
    }
    struct error ended = tracking_store_iterator_end(rows);
    struct error other = tracking_store_iterator_end(events.rows);
    if (!error_is(error))
        error = error_is(ended) ? ended : other;
    return error;
}

static struct error verify_store(const struct embedded_tracking_options *options, uint64_t end,
                                 struct tracking_verification *verification)
{
    char path[path_bytes_max];
    struct tracking_store *store;
    struct buffer value;
    bool found = false;
    uint64_t position = 0;
    struct tracking_store_key key = tracking_key_meta("position");
    snprintf(path, sizeof path, "%s/rocksdb", options->directory);
    struct tracking_store_options store_options = {
        .directory = path,
        .memory_table_bytes = (size_t)1 << 22,
        .block_cache_bytes = (size_t)32 << 20,
        .background_jobs = 1,
        .read_only = true,
    };
    struct error error = tracking_store_open(&store, &store_options);
    if (error_is(error))
        return error;
    buffer_init(&value, 64);
    error = tracking_store_get(store, NULL, &key, &value, &found);
    if (!error_is(error) && found) {
        struct byte_reader reader = byte_reader_of(buffer_text(&value));
        position = read_uint64(&reader);
    }
    verification->replay_pending = position < end && verification->records > 0;
    if (!error_is(error) && position > end)
        error =
            error_make(ERROR_DAMAGED, "%.200s: the log ends before what rocksdb has of it", path);
    if (!error_is(error))
        error = verify_summaries(store, verification);
    if (verification->replay_pending)
        verification->mismatches = 0;
    buffer_deinit(&value);
    tracking_store_close(store);
    return error;
}

struct error embedded_tracking_verify(const struct embedded_tracking_options *options,
                                      struct tracking_verification *verification)
{
    uint64_t end = 0;
    *verification = (struct tracking_verification){0};
    struct error error = verify_log(options, verification, &end);
    if (!error_is(error))
        error = verify_store(options, end, verification);
    return error;
}
