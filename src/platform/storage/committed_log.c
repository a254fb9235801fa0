/*
 * The list of segments is under a mutex that is held only for looking up, never for reading: a
 * reader marks its segment, so that the file stays open until it is done. Committed bytes never
 * change, so reading them needs no lock at all.
 *
 * A scan opens files of its own and knows from the list where each segment's batches end: whatever
 * does not verify before that is damage.
 */
#include "platform/storage/committed_log.h"

#include "platform/base/check.h"
#include "platform/base/memory.h"
#include "platform/storage/segment_reader.h"

#include <string.h>

enum {
    open_files_max = 64,
    read_ahead_bytes = 512, /* most records come with one read */
    mark_distance_bytes = 256 * 1024,
};

void committed_log_init(struct committed_log *log, struct file_system *fs, const char *directory)
{
    *log = (struct committed_log){.fs = fs, .directory = directory};
    pthread_mutex_init(&log->mutex, NULL);
}

void committed_log_deinit(struct committed_log *log)
{
    for (size_t i = 0; i < log->count; i++)
        file_close(log->segments[i].file);
    memory_release(log->segments);
    memory_release(log->marks);
    pthread_mutex_destroy(&log->mutex);
}

void committed_log_begin(struct committed_log *log, const uint8_t chain[chain_bytes])
{
    memcpy(log->first_chain, chain, chain_bytes);
    memcpy(log->chain, chain, chain_bytes);
}

bool committed_log_reserve(struct committed_log *log)
{
    bool reserved = true;
    pthread_mutex_lock(&log->mutex);
    if (log->count == log->capacity) {
        size_t capacity = log->capacity == 0 ? 16 : 2 * log->capacity;
        struct committed_segment *segments =
            memory_reallocate(log->segments, capacity * sizeof *segments);
        reserved = segments != NULL;
        if (reserved) {
            log->segments = segments;
            log->capacity = capacity;
        }
    }
    pthread_mutex_unlock(&log->mutex);
    return reserved;
}

void committed_log_add(struct committed_log *log, uint64_t base)
{
    pthread_mutex_lock(&log->mutex);
    CHECK(log->count < log->capacity);
    log->segments[log->count++] =
        (struct committed_segment){.base = base, .end = base + segment_header_bytes};
    pthread_mutex_unlock(&log->mutex);
}

/* Remembers a batch now and then; without memory a seek begins further back. Under the mutex. */
static void mark(struct committed_log *log, uint64_t batch)
{
    if (log->mark_count > 0 && batch - log->marks[log->mark_count - 1] < mark_distance_bytes)
        return;
    if (log->mark_count == log->mark_capacity) {
        size_t capacity = log->mark_capacity == 0 ? 64 : 2 * log->mark_capacity;
        uint64_t *marks = memory_reallocate(log->marks, capacity * sizeof *marks);
        if (marks == NULL)
            return;
        log->marks = marks;
        log->mark_capacity = capacity;
    }
    log->marks[log->mark_count++] = batch;
}

void committed_log_advance(struct committed_log *log, uint64_t end,
                           const uint8_t chain[chain_bytes])
{
    pthread_mutex_lock(&log->mutex);
    if (end > log->segments[log->count - 1].end)
        mark(log, log->segments[log->count - 1].end);
    log->segments[log->count - 1].end = end;
    memcpy(log->chain, chain, chain_bytes);
    pthread_mutex_unlock(&log->mutex);
}

uint64_t committed_log_end(struct committed_log *log, uint8_t chain[chain_bytes])
{
    pthread_mutex_lock(&log->mutex);
    uint64_t end = log->count == 0 ? 0 : log->segments[log->count - 1].end;
    if (chain != NULL)
        memcpy(chain, log->chain, chain_bytes);
    pthread_mutex_unlock(&log->mutex);
    return end;
}

/* --- places --- */

uint64_t committed_log_oldest(struct committed_log *log)
{
    pthread_mutex_lock(&log->mutex);
    uint64_t base = log->count == 0 ? 0 : log->segments[0].base;
    pthread_mutex_unlock(&log->mutex);
    return base;
}

/* The last segment with base ≤ position; there is one. Under the mutex. */
static size_t segment_from(const struct committed_log *log, uint64_t position)
{
    size_t low = 0;
    size_t high = log->count;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (log->segments[middle].base <= position)
            low = middle;
        else
            high = middle;
    }
    return low;
}

/* How many marks are ≤ position. Under the mutex. */
static size_t marks_until(const struct committed_log *log, uint64_t position)
{
    size_t low = 0;
    size_t high = log->mark_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (log->marks[middle] <= position)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct error committed_log_seek(struct committed_log *log, uint64_t after,
                                struct committed_place *place)
{
    struct error error = error_none();
    *place = (struct committed_place){0};
    pthread_mutex_lock(&log->mutex);
    if (log->count == 0 || after < log->segments[0].base ||
        after > log->segments[log->count - 1].end) {
        error = error_make(ERROR_CURSOR_EXPIRED, "%s: position %llu is not in what is kept",
                           log->directory, (unsigned long long)after);
    } else {
        const struct committed_segment *segment = &log->segments[segment_from(log, after)];
        size_t marks = marks_until(log, after);
        place->base = segment->base;
        place->batch = segment->base + segment_header_bytes;
        if (marks > 0 && log->marks[marks - 1] > place->batch)
            place->batch = log->marks[marks - 1];
    }
    pthread_mutex_unlock(&log->mutex);
    return error;
}

bool committed_log_segment(struct committed_log *log, uint64_t base, uint64_t *end,
                           uint64_t *next_base)
{
    pthread_mutex_lock(&log->mutex);
    size_t index = log->count == 0 ? 0 : segment_from(log, base);
    bool there = index < log->count && log->segments[index].base == base;
    if (there) {
        *end = log->segments[index].end;
        *next_base = index + 1 < log->count ? log->segments[index + 1].base : 0;
    }
    pthread_mutex_unlock(&log->mutex);
    return there;
}

uint64_t committed_log_removable(struct committed_log *log, uint64_t position)
{
    pthread_mutex_lock(&log->mutex);
    uint64_t base = log->count == 0 ? 0 : log->segments[segment_from(log, position)].base;
    pthread_mutex_unlock(&log->mutex);
    return base;
}

bool committed_log_remove_below(struct committed_log *log, uint64_t base,
                                const uint8_t chain[chain_bytes])
{
    bool is_read = false;
    pthread_mutex_lock(&log->mutex);
    size_t count = segment_from(log, base);
    for (size_t i = 0; i < count; i++)
        is_read = is_read || log->segments[i].readers > 0;
    if (!is_read && count > 0) {
        for (size_t i = 0; i < count; i++) {
            log->open_files -= log->segments[i].file != NULL;
            file_close(log->segments[i].file);
        }
        log->count -= count;
        memmove(log->segments, log->segments + count, log->count * sizeof *log->segments);
        size_t marks = marks_until(log, base);
        log->mark_count -= marks;
        if (log->mark_count > 0)
            memmove(log->marks, log->marks + marks, log->mark_count * sizeof *log->marks);
        memcpy(log->first_chain, chain, chain_bytes);
    }
    pthread_mutex_unlock(&log->mutex);
    return !is_read;
}

/* --- reading one record --- */

/* Index of the segment in which the position lies; count if there is none. Under the mutex. */
static size_t find_segment(const struct committed_log *log, uint64_t position)
{
    size_t low = 0;
    size_t high = log->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (log->segments[middle].end <= position)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Closes the file that nobody has read for the longest time, if there are too many. Under the
 * mutex. */
static void close_idle_file(struct committed_log *log)
{
    struct committed_segment *idle = NULL;
    if (log->open_files < open_files_max)
        return;
    for (size_t i = 0; i < log->count; i++) {
        struct committed_segment *segment = &log->segments[i];
        if (segment->file != NULL && segment->readers == 0 &&
            (idle == NULL || segment->last_use < idle->last_use))
            idle = segment;
    }
    if (idle == NULL)
        return;
    file_close(idle->file);
    idle->file = NULL;
    log->open_files--;
}

/* The open file in which a record may be read, until release_file. */
struct segment_use {
    struct file *file;
    uint64_t base;
    uint64_t end;
};

static struct error acquire_file(struct committed_log *log, uint64_t position,
                                 struct segment_use *use)
{
    char path[log_path_bytes];
    struct error error = error_none();
    pthread_mutex_lock(&log->mutex);
    size_t index = find_segment(log, position);
    struct committed_segment *segment = &log->segments[index];
    if (index == log->count ||
        position < segment->base + segment_header_bytes + batch_header_bytes) {
        error = error_make(ERROR_DAMAGED, "%s: no record has the position %llu", log->directory,
                           (unsigned long long)position);
        goto cleanup;
    }
    if (segment->file == NULL) {
        close_idle_file(log);
        segment_path(path, log->directory, segment->base);
        error = file_system_open(log->fs, path, FILE_OPEN_READ, &segment->file);
        if (error_is(error))
            goto cleanup;
        log->open_files++;
    }
    segment->readers++;
    segment->last_use = ++log->uses;
    use->file = segment->file;
    use->base = segment->base;
    use->end = segment->end;
cleanup:
    pthread_mutex_unlock(&log->mutex);
    return error;
}

static void release_file(struct committed_log *log, const struct segment_use *use)
{
    pthread_mutex_lock(&log->mutex);
    log->segments[segment_from(log, use->base)].readers--; /* not removed while it is read */
    pthread_mutex_unlock(&log->mutex);
}

static struct error damaged_record(struct committed_log *log, const struct segment_use *use,
                                   uint64_t position, const char *what)
{
    char path[log_path_bytes];
    segment_path(path, log->directory, use->base);
    return error_make(ERROR_DAMAGED, "%s at byte %llu: %s", path,
                      (unsigned long long)(position - use->base), what);
}

static struct error read_record(struct committed_log *log, const struct segment_use *use,
                                uint64_t position, struct buffer *record)
{
    char ahead[read_ahead_bytes];
    uint64_t left = use->end - position;
    size_t wanted = left < sizeof ahead ? (size_t)left : sizeof ahead;
    size_t got = 0;
    uint32_t size = 0;
    struct error error = file_read(use->file, position - use->base, ahead, wanted, &got);
    if (error_is(error))
        return error;
    if (got < record_frame_bytes)
        return damaged_record(log, use, position, "the file ends too early");
    const char *wrong = record_frame_decode(ahead, left - record_frame_bytes, &size);
    if (wrong != NULL)
        return damaged_record(log, use, position, wrong);
    buffer_clear(record);
    if (!buffer_reserve(record, size))
        return error_make(size > record->size_max ? ERROR_LIMIT : ERROR_OUT_OF_MEMORY,
                          "record of %u bytes", size);
    size_t here = got - record_frame_bytes < size ? got - record_frame_bytes : size;
    memcpy(record->data, ahead + record_frame_bytes, here);
    if (here < size) {
        error = file_read(use->file, position - use->base + record_frame_bytes + here,
                          record->data + here, size - here, &got);
        if (error_is(error))
            return error;
        if (got < size - here)
            return damaged_record(log, use, position, "the file ends too early");
    }
    record->size = size;
    wrong = record_verify(ahead, position, buffer_text(record));
    if (wrong != NULL) {
        buffer_clear(record);
        return damaged_record(log, use, position, wrong);
    }
    return error_none();
}

struct error committed_log_read(struct committed_log *log, uint64_t position, struct buffer *record)
{
    struct segment_use use = {0};
    struct error error = acquire_file(log, position, &use);
    if (error_is(error))
        return error;
    error = read_record(log, &use, position, record);
    release_file(log, &use);
    return error;
}

/* --- scanning --- */

/* Walks one segment's batches up to `limit`, a boundary of batches or the end of the scan. */
static struct error scan_segment(struct segment_reader *reader, uint64_t limit,
                                 record_log_replay_function *each, void *context)
{
    while (reader->header.base + reader->offset < limit) {
        struct segment_batch batch;
        const char *wrong = NULL;
        struct error error = segment_reader_next(reader, &batch, &wrong);
        if (!error_is(error) && wrong != NULL)
            error = segment_reader_damaged(reader, reader->offset, wrong);
        if (!error_is(error))
            error = segment_batch_replay(&batch, limit, each, context);
        if (error_is(error))
            return error;
    }
    return error_none();
}

/* The first segment with a base ≥ `base`, and the chain's value before the log's first one. */
static bool segment_at(struct committed_log *log, uint64_t base, struct committed_segment *segment,
                       uint8_t first_chain[chain_bytes])
{
    pthread_mutex_lock(&log->mutex);
    size_t index = 0;
    while (index < log->count && log->segments[index].base < base)
        index++;
    bool there = index < log->count;
    if (there)
        *segment = log->segments[index];
    memcpy(first_chain, log->first_chain, chain_bytes);
    pthread_mutex_unlock(&log->mutex);
    return there;
}

struct error committed_log_scan(struct committed_log *log, uint64_t end,
                                record_log_replay_function *each, void *context,
                                uint8_t chain_head[chain_bytes])
{
    struct chain_hasher hasher;
    struct segment_reader reader;
    struct committed_segment segment;
    uint8_t chain[chain_bytes] = {0};
    uint8_t first_chain[chain_bytes];
    uint64_t next_base = 0;
    uint64_t committed_end = committed_log_end(log, NULL);
    struct error error = chain_hasher_init(&hasher);
    segment_reader_init(&reader, &hasher);
    if (end > committed_end)
        end = committed_end;
    while (!error_is(error) && segment_at(log, next_base, &segment, first_chain)) {
        char path[log_path_bytes];
        struct file *file = NULL;
        if (next_base == 0)
            memcpy(chain, first_chain, chain_bytes);
        next_base = segment.base + 1;
        if (segment.base >= end)
            break;
        segment_path(path, log->directory, segment.base);
        error = file_system_open(log->fs, path, FILE_OPEN_READ, &file);
        if (!error_is(error))
            error = segment_reader_start(&reader, file, path, segment.base);
        if (!error_is(error) && memcmp(reader.chain, chain, chain_bytes) != 0)
            error = segment_reader_damaged(&reader, 0, "the segment does not continue the chain");
        if (!error_is(error))
            error = scan_segment(&reader, segment.end < end ? segment.end : end, each, context);
        memcpy(chain, reader.chain, chain_bytes);
        file_close(file);
    }
    memcpy(chain_head, chain, chain_bytes);
    segment_reader_deinit(&reader);
    chain_hasher_deinit(&hasher);
    return error;
}
