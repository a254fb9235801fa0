/*
 * The happy path: claim makes sure that the last segment has room for two largest batches, one of
 * them in reserve for a full disk; records are encoded in place in the one batch buffer; commit
 * fills in the batch's header, hashes it once, writes and syncs it, tells the readers, and writes
 * the watermark.
 *
 * Failures: a full disk shows in claim, where nothing has happened yet, because segments are filled
 * with zeros before use. Any failure in commit leaves the disk in a state that nobody knows: it is
 * kept in `failed` and answered for ever; the next opening finds out what survived. Without memory
 * claim may be repeated, as with a full disk.
 *
 * A young log starts with small segments, each twice the one before, up to the size asked for: a
 * new log opens in milliseconds and takes little room, a busy one soon has large files.
 */
#include "platform/storage/record_log.h"

#include "platform/base/check.h"
#include "platform/base/memory.h"
#include "platform/storage/committed_log.h"
#include "platform/storage/oldest_segment_file.h"
#include "platform/storage/record_log_format.h"
#include "platform/storage/record_log_recovery.h"
#include "platform/storage/segment_preparation.h"
#include "platform/storage/watermark_file.h"

#include <stdio.h>
#include <string.h>

static const uint64_t segment_bytes_max = UINT64_C(1) << 32; /* keeps a batch's size in 32 bits */

struct record_log {
    struct file_system *fs;
    struct record_log_options options; /* its directory is ours */
    struct file *lock;
    struct chain_hasher hasher;
    struct committed_log committed;
    struct watermark_file watermarks;
    struct segment_preparation preparation;
    struct error failed; /* the first final error */

    struct file *segment_file; /* the last segment */
    struct segment_header segment;
    bool segment_is_old; /* made for records of an older version */
    bool sealing;        /* the next batch is to begin a new one */

    /* The open batch. */
    char *batch;
    size_t batch_capacity;
    size_t batch_size;
    uint32_t record_count;
    uint64_t batch_position;
    uint8_t chain[chain_bytes]; /* before it */
    size_t record_size_max;     /* of the record begun; 0 = none */
    size_t batch_limit;         /* how large it may grow */
    bool claimed;               /* batch_limit is by record_log_claim, not from the reserve */
};

/* --- opening --- */

static struct error check_options(const struct record_log_options *options)
{
    CHECK(strlen(options->kind) < segment_kind_bytes);
    if (strlen(options->directory) + 32 > log_path_bytes)
        return error_make(ERROR_INVALID_SETTING, "record log: the directory's name is too long");
    if (options->segment_bytes > segment_bytes_max ||
        options->batch_bytes_max > options->segment_bytes / 4 ||
        options->batch_bytes_max < log_sector_bytes)
        return error_make(
            ERROR_INVALID_SETTING,
            "record log: segments are at most 4 GiB, and a batch is at least %d bytes "
            "and at most a quarter of a segment",
            log_sector_bytes);
    return error_none();
}

static void begin_batch(struct record_log *log)
{
    log->batch_size = batch_header_bytes;
    log->record_count = 0;
    log->record_size_max = 0;
    log->batch_limit = 0;
    log->claimed = false;
    log->batch_position = committed_log_end(&log->committed, log->chain);
}

/* Allocates what the log always needs. */
static struct error create(struct record_log **log, struct file_system *fs,
                           const struct record_log_options *options)
{
    size_t directory_bytes = strlen(options->directory) + 1;
    size_t capacity = (size_t)whole_sectors(options->batch_bytes_max);
    struct record_log *made = memory_allocate_zero(1, sizeof *made);
    char *directory = memory_allocate(directory_bytes);
    char *batch = options->read_only ? NULL : memory_allocate(capacity);
    if (made == NULL || directory == NULL || (batch == NULL && !options->read_only)) {
        memory_release(made);
        memory_release(directory);
        memory_release(batch);
        return error_make(ERROR_OUT_OF_MEMORY, "record log %s", options->directory);
    }
    memcpy(directory, options->directory, directory_bytes);
    made->fs = fs;
    made->options = *options;
    made->options.directory = directory;
    made->options.segment_bytes = whole_sectors(options->segment_bytes);
    made->batch = batch;
    made->batch_capacity = capacity;
    made->failed = error_none();
    committed_log_init(&made->committed, fs, directory);
    segment_preparation_init(&made->preparation, fs, directory);
    *log = made;
    return chain_hasher_init(&made->hasher);
}

static void destroy(struct record_log *log)
{
    segment_preparation_deinit(&log->preparation);
    watermark_file_close(&log->watermarks);
    file_close(log->segment_file);
    committed_log_deinit(&log->committed);
    chain_hasher_deinit(&log->hasher);
    file_close(log->lock);
    memory_release(log->batch);
    memory_release((char *)log->options.directory);
    memory_release(log);
}

static struct error lock_directory(struct record_log *log)
{
    char path[log_path_bytes];
    struct error error = file_system_create_directory(log->fs, log->options.directory);
    if (error_is(error))
        return error;
    snprintf(path, sizeof path, "%s/lock", log->options.directory);
    return file_system_lock(log->fs, path, &log->lock);
}

static struct error recover(struct record_log *log, record_log_replay_function *replay,
                            void *context)
{
    struct error error = watermark_file_load(&log->watermarks, log->fs, log->options.directory);
    struct watermark oldest = {0};
    if (!error_is(error))
        error = oldest_segment_file_load(log->fs, log->options.directory, &oldest);
    if (error_is(error))
        return error;
    struct record_log_recovery recovery = {
        .fs = log->fs,
        .oldest = oldest,
        .options = &log->options,
        .hasher = &log->hasher,
        .watermark = log->watermarks.newest,
        .committed = &log->committed,
        .replay = replay,
        .context = context,
    };
    error = record_log_recover(&recovery);
    log->segment_file = recovery.last_file;
    log->segment = recovery.last_header;
    log->segment_is_old =
        recovery.has_segments && recovery.last_header.record_version < log->options.record_version;
    if (!error_is(error) && log->options.read_only && !recovery.has_segments)
        error = error_make(ERROR_NOT_FOUND, "%s: there is no record log", log->options.directory);
    return error;
}

static uint64_t next_segment_bytes(const struct record_log *log)
{
    uint64_t least = 4 * (uint64_t)log->batch_capacity;
    uint64_t bytes = 2 * log->segment.bytes;
    if (bytes > log->options.segment_bytes)
        bytes = log->options.segment_bytes;
    return bytes < least ? least : bytes;
}

/* Goes on in a new segment. */
static struct error add_segment(struct record_log *log)
{
    struct file *file = NULL;
    struct segment_header header = {
        .record_version = log->options.record_version,
        .base = log->segment.base + log->segment.bytes,
    };
    memcpy(header.kind, log->options.kind, strlen(log->options.kind));
    memcpy(header.chain_before, log->chain, chain_bytes);
    if (!committed_log_reserve(&log->committed))
        return error_make(ERROR_OUT_OF_MEMORY, "record log: list of segments");
    struct error error =
        segment_preparation_take(&log->preparation, next_segment_bytes(log), &header, &file);
    if (error_is(error))
        return error;
    file_close(log->segment_file);
    log->segment_file = file;
    log->segment = header;
    log->segment_is_old = false;
    committed_log_add(&log->committed, header.base);
    begin_batch(log);
    if (log->options.background_prepare)
        segment_preparation_request(&log->preparation, next_segment_bytes(log));
    return error_none();
}

static struct error write_watermark(struct record_log *log)
{
    struct watermark watermark = {.end = log->batch_position};
    memcpy(watermark.chain, log->chain, chain_bytes);
    return watermark_file_write(&log->watermarks, &watermark);
}

/* After the replay: makes the log ready for appending. */
static struct error begin_writing(struct record_log *log)
{
    struct error error = error_none();
    begin_batch(log);
    if (log->options.background_prepare)
        error = segment_preparation_start_thread(&log->preparation);
    if (!error_is(error) && log->segment_file == NULL)
        error = add_segment(log);
    else if (!error_is(error) && log->options.background_prepare)
        segment_preparation_request(&log->preparation, next_segment_bytes(log));
    if (!error_is(error))
        error = watermark_file_open(&log->watermarks, log->fs);
    if (!error_is(error))
        error = file_system_sync_directory(log->fs, log->options.directory);
    /* What was recovered will be relied on, as what is committed. */
    if (!error_is(error) && log->watermarks.newest.end < log->batch_position)
        error = write_watermark(log);
    return error;
}

struct error record_log_open(struct record_log **log, struct file_system *fs,
                             const struct record_log_options *options,
                             record_log_replay_function *replay, void *context)
{
    *log = NULL;
    struct error error = check_options(options);
    if (error_is(error))
        return error;
    error = create(log, fs, options);
    if (!error_is(error) && !options->read_only)
        error = lock_directory(*log);
    if (!error_is(error))
        error = recover(*log, replay, context);
    if (!error_is(error) && !options->read_only)
        error = begin_writing(*log);
    if (error_is(error) && *log != NULL) {
        destroy(*log);
        *log = NULL;
    }
    return error;
}

void record_log_close(struct record_log *log)
{
    if (log == NULL)
        return;
    if (!log->options.read_only && !error_is(log->failed)) {
        /* All data is durable already; without this only the proof may be lost. */
        struct error error = watermark_file_sync(&log->watermarks);
        (void)error;
    }
    destroy(log);
}

/* --- appending --- */

/* What is left of the last segment. */
static uint64_t segment_room(const struct record_log *log)
{
    return log->segment.base + log->segment.bytes - log->batch_position;
}

/* Whether the last segment takes a largest batch and leaves another one in reserve. */
static bool segment_suffices(const struct record_log *log)
{
    return !log->segment_is_old && log->batch_capacity <= log->segment.bytes / 4 &&
           2 * (uint64_t)log->batch_capacity <= segment_room(log);
}

/* Whether a failed claim may be tried again. */
static bool claim_may_repeat(struct error error)
{
    return error.code == ERROR_DISK_FULL || error.code == ERROR_OUT_OF_MEMORY;
}

/* An error that is the last word: nothing more is appended. */
static void fail(struct record_log *log, struct error error)
{
    log->failed = error;
    log->batch_limit = 0;
}

/* Sees to it that the batch has a segment to go to; one that is only wished for may fail. */
static struct error find_segment(struct record_log *log)
{
    bool suffices = segment_suffices(log);
    if (suffices && !log->sealing)
        return error_none();
    log->sealing = false;
    struct error error = add_segment(log);
    return suffices && claim_may_repeat(error) ? error_none() : error;
}

struct error record_log_claim(struct record_log *log)
{
    bool seals_now = log->sealing && log->record_count == 0;
    CHECK(!log->options.read_only);
    if (error_is(log->failed))
        return log->failed;
    if (log->claimed && !seals_now)
        return error_none();
    struct error error = chain_hasher_begin(&log->hasher);
    if (!error_is(error))
        error = find_segment(log);
    if (error_is(error)) {
        if (!claim_may_repeat(error))
            fail(log, error);
        return error;
    }
    log->batch_limit = log->batch_capacity;
    log->claimed = true;
    return error_none();
}

void record_log_seal(struct record_log *log)
{
    CHECK(!log->options.read_only);
    log->sealing = true;
}

void record_log_claim_reserve(struct record_log *log)
{
    uint64_t limit = segment_room(log);
    CHECK(!log->options.read_only);
    if (limit > log->segment.bytes / 4)
        limit = log->segment.bytes / 4;
    if (limit > log->batch_capacity)
        limit = log->batch_capacity;
    if (log->segment_is_old || error_is(log->failed) || error_is(chain_hasher_begin(&log->hasher)))
        limit = 0;
    log->batch_limit = (size_t)limit;
}

size_t record_log_room(const struct record_log *log)
{
    size_t used = log->batch_size + record_frame_bytes;
    return log->batch_limit < used ? 0 : log->batch_limit - used;
}

char *record_log_append_begin(struct record_log *log, size_t size_max, uint64_t *position)
{
    CHECK(size_max > 0 && size_max <= record_log_room(log));
    log->record_size_max = size_max;
    *position = log->batch_position + log->batch_size;
    return log->batch + log->batch_size + record_frame_bytes;
}

void record_log_append_end(struct record_log *log, size_t size)
{
    CHECK(size > 0 && size <= log->record_size_max);
    record_frame_encode(log->batch + log->batch_size, log->batch_position + log->batch_size,
                        (uint32_t)size);
    log->batch_size += record_frame_bytes + size;
    log->record_size_max = 0;
    log->record_count++;
}

/* Puts the batch on the disk; `chain` becomes the chain's value after it. */
static struct error write_batch(struct record_log *log, size_t size, uint8_t chain[chain_bytes])
{
    struct batch_header header = {
        .position = log->batch_position,
        .size = (uint32_t)log->batch_size,
        .record_count = log->record_count,
    };
    memcpy(header.chain_before, log->chain, chain_bytes);
    memset(log->batch + log->batch_size, 0, size - log->batch_size);
    batch_header_encode(&header, log->batch);
    struct error error = chain_hasher_after(&log->hasher, text_make(log->batch, size), chain);
    if (!error_is(error))
        error = file_write(log->segment_file, log->batch_position - log->segment.base, log->batch,
                           size);
    if (!error_is(error))
        error = file_sync(log->segment_file);
    return error;
}

struct error record_log_commit(struct record_log *log)
{
    uint8_t chain[chain_bytes];
    size_t size = (size_t)whole_sectors(log->batch_size);
    CHECK(log->record_size_max == 0);
    if (error_is(log->failed))
        return log->failed;
    if (log->record_count == 0)
        return error_none();
    struct error error = write_batch(log, size, chain);
    if (!error_is(error)) {
        committed_log_advance(&log->committed, log->batch_position + size, chain);
        begin_batch(log);
        error = write_watermark(log);
    }
    if (error_is(error))
        fail(log, error);
    return error;
}

/* --- removing --- */

/* The chain's value before a segment's first batch, from its header. */
static struct error chain_before_segment(struct record_log *log, uint64_t base,
                                         struct watermark *oldest)
{
    char path[log_path_bytes];
    char sector[segment_header_bytes] = {0};
    struct segment_header header;
    struct file *file = NULL;
    size_t got = 0;
    segment_path(path, log->options.directory, base);
    struct error error = file_system_open(log->fs, path, FILE_OPEN_READ, &file);
    if (!error_is(error))
        error = file_read(file, 0, sector, sizeof sector, &got);
    file_close(file);
    if (error_is(error))
        return error;
    const char *wrong = segment_header_decode(sector, &header);
    if (wrong != NULL)
        return error_make(ERROR_DAMAGED, "%.150s at byte 0: %s", path, wrong);
    oldest->end = base;
    memcpy(oldest->chain, header.chain_before, chain_bytes);
    return error_none();
}

struct error record_log_remove_before(struct record_log *log, uint64_t position)
{
    struct watermark oldest;
    CHECK(!log->options.read_only);
    uint64_t first = committed_log_oldest(&log->committed);
    uint64_t keep = committed_log_removable(&log->committed, position);
    if (error_is(log->failed) || keep <= first)
        return log->failed;
    struct error error = chain_before_segment(log, keep, &oldest);
    if (!error_is(error))
        error = oldest_segment_file_store(log->fs, log->options.directory, &oldest);
    if (!error_is(error) && committed_log_remove_below(&log->committed, keep, oldest.chain))
        error = oldest_segment_file_sweep(log->fs, log->options.directory, &oldest);
    return error;
}

uint64_t record_log_oldest(struct record_log *log)
{
    return committed_log_oldest(&log->committed);
}

/* --- reading --- */

struct committed_log *record_log_committed(struct record_log *log)
{
    return &log->committed;
}

/* A record of the open batch. */
static struct error read_open_batch(const struct record_log *log, uint64_t position,
                                    struct buffer *record)
{
    uint64_t offset = position - log->batch_position;
    uint32_t size = 0;
    if (offset < batch_header_bytes || offset + record_frame_bytes > log->batch_size)
        return error_make(ERROR_DAMAGED, "%s: no record has the position %llu",
                          log->options.directory, (unsigned long long)position);
    const char *frame = log->batch + offset;
    const char *wrong =
        record_frame_decode(frame, log->batch_size - offset - record_frame_bytes, &size);
    struct text bytes = text_make(frame + record_frame_bytes, size);
    if (wrong == NULL)
        wrong = record_verify(frame, position, bytes);
    if (wrong != NULL)
        return error_make(ERROR_DAMAGED, "%s: position %llu: %s", log->options.directory,
                          (unsigned long long)position, wrong);
    buffer_clear(record);
    if (!buffer_append_text(record, bytes))
        return error_make(size > record->size_max ? ERROR_LIMIT : ERROR_OUT_OF_MEMORY,
                          "record of %u bytes", size);
    return error_none();
}

struct error record_log_read(struct record_log *log, uint64_t position, struct buffer *record)
{
    if (position >= committed_log_end(&log->committed, NULL) && log->batch != NULL)
        return read_open_batch(log, position, record);
    return committed_log_read(&log->committed, position, record);
}

uint64_t record_log_end(const struct record_log *log)
{
    return log->batch_position + log->batch_size;
}

uint64_t record_log_newest_segment(const struct record_log *log)
{
    return log->segment.base;
}

uint64_t record_log_committed_end(const struct record_log *log)
{
    return committed_log_end((struct committed_log *)&log->committed, NULL);
}

struct error record_log_scan(struct record_log *log, uint64_t end, record_log_replay_function *each,
                             void *context, uint8_t chain_head[chain_bytes])
{
    return committed_log_scan(&log->committed, end, each, context, chain_head);
}

void record_log_chain_head(const struct record_log *log, uint8_t chain_head[chain_bytes])
{
    (void)committed_log_end((struct committed_log *)&log->committed, chain_head);
}
