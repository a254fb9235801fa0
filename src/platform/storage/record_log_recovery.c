/*
 * A batch is written only after the one before was synced, and a segment is named only after all
 * batches before it were. So a crash can have torn only the very last batch, and whatever else does
 * not verify is damage. What does not verify is a torn batch if
 *   - it stands in the last segment,
 *   - no whole batch follows it, and
 *   - it is not below the watermark: nobody was told that it is safe.
 * It is then overwritten with zeros, synced, before anything new is written: remains of it must not
 * be taken for a batch one day. All of this comes after the replay, so that a refusal changes
 * nothing.
 *
 * The last batch may be whole and yet never have been synced (the process was killed in between).
 * Opening the file for writing has synced it (file_system.h), and so has the directory before
 * anything is appended: whoever learns of a recovered record can rely on it.
 */
#include "platform/storage/record_log_recovery.h"

#include "platform/base/log.h"
#include "platform/base/memory.h"
#include "platform/storage/oldest_segment_file.h"
#include "platform/storage/segment_reader.h"

#include <stdio.h>
#include <string.h>

struct recovery_walk {
    struct record_log_recovery *recovery;
    struct segment_reader reader;
    uint64_t *bases; /* of the segments found */
    size_t count;
    size_t capacity;
    bool out_of_memory;
    bool watermark_met;
    const char *wrong;        /* what stands where the last segment's batches end */
    struct segment_tail tail; /* what stands behind that */
};

static void collect_segment(void *context, const char *name)
{
    struct recovery_walk *walk = context;
    uint64_t base;
    if (!segment_base_of_name(name, &base) || walk->out_of_memory)
        return;
    if (base < walk->recovery->oldest.end)
        return; /* removed, but for its file */
    if (walk->count == walk->capacity) {
        size_t capacity = walk->capacity == 0 ? 16 : 2 * walk->capacity;
        uint64_t *bases = memory_reallocate(walk->bases, capacity * sizeof *bases);
        walk->out_of_memory = bases == NULL;
        if (walk->out_of_memory)
            return;
        walk->bases = bases;
        walk->capacity = capacity;
    }
    walk->bases[walk->count++] = base;
}

/* Whether the log has come to the watermark's position, and with its chain. */
static struct error compare_watermark(struct recovery_walk *walk)
{
    const struct watermark *watermark = &walk->recovery->watermark;
    const struct segment_reader *reader = &walk->reader;
    if (reader->header.base + reader->offset != watermark->end)
        return error_none();
    walk->watermark_met = true;
    if (memcmp(reader->chain, watermark->chain, chain_bytes) != 0)
        return segment_reader_damaged(reader, reader->offset,
                                      "the batches before are not those that were acknowledged");
    return error_none();
}

/* Opens a segment and checks that it continues the log. */
static struct error start_segment(struct recovery_walk *walk, size_t index, struct file **file)
{
    struct record_log_recovery *recovery = walk->recovery;
    struct segment_reader *reader = &walk->reader;
    const struct record_log_options *options = recovery->options;
    char path[log_path_bytes];
    uint8_t chain[chain_bytes];
    uint64_t expected =
        index == 0 ? recovery->oldest.end : reader->header.base + reader->header.bytes;
    bool last = index + 1 == walk->count;
    if (walk->bases[index] > expected) {
        segment_path(path, options->directory, expected);
        return error_make(ERROR_DAMAGED, "%s at byte 0: the file is missing", path);
    }
    committed_log_end(recovery->committed, chain);
    segment_path(path, options->directory, walk->bases[index]);
    struct error error =
        file_system_open(recovery->fs, path,
                         last && !options->read_only ? FILE_OPEN_READ_WRITE : FILE_OPEN_READ, file);
    if (!error_is(error))
        error = segment_reader_start(reader, *file, path, walk->bases[index]);
    if (error_is(error))
        return error;
    if (walk->bases[index] < expected)
        return segment_reader_damaged(reader, 0, "the segment overlaps the one before");
    if (strcmp(reader->header.kind, options->kind) != 0)
        return error_make(ERROR_DAMAGED, "%s at byte 0: this is a log of kind \"%s\", not \"%s\"",
                          path, reader->header.kind, options->kind);
    if (reader->header.record_version > options->record_version)
        return error_make(ERROR_DAMAGED,
                          "%s at byte 0: its records have version %u, this program knows %u", path,
                          reader->header.record_version, options->record_version);
    if (memcmp(reader->chain, chain, chain_bytes) != 0)
        return segment_reader_damaged(
            reader, 0, "the segment does not continue the chain: batches before it are missing");
    return error_none();
}

/* There is no whole batch at the reader's offset: is that the end of the segment, or damage? */
static struct error end_segment(const struct recovery_walk *walk, bool last)
{
    const struct segment_reader *reader = &walk->reader;
    if (walk->tail.later_batch != 0)
        return segment_reader_damaged(reader, reader->offset, walk->wrong);
    if (!last && walk->tail.first_used != 0)
        return segment_reader_damaged(reader, walk->tail.first_used,
                                      "the rest of a full segment must be zero");
    return error_none();
}

static struct error accept_batch(struct recovery_walk *walk, const struct segment_batch *batch)
{
    struct record_log_recovery *recovery = walk->recovery;
    const struct segment_reader *reader = &walk->reader;
    struct error error = compare_watermark(walk);
    if (error_is(error))
        return error;
    committed_log_advance(recovery->committed, reader->header.base + reader->offset, reader->chain);
    return segment_batch_replay(batch, UINT64_MAX, recovery->replay, recovery->context);
}

/* The batches of one segment, up to where there is none. */
static struct error replay_segment(struct recovery_walk *walk, bool last)
{
    struct record_log_recovery *recovery = walk->recovery;
    struct segment_reader *reader = &walk->reader;
    uint64_t doubted = 0; /* offset at which the tail was examined */
    if (!committed_log_reserve(recovery->committed))
        return error_make(ERROR_OUT_OF_MEMORY, "%s", reader->path);
    committed_log_add(recovery->committed, reader->header.base);
    struct error error = compare_watermark(walk);
    while (!error_is(error)) {
        struct segment_batch batch;
        error = segment_reader_next(reader, &batch, &walk->wrong);
        if (!error_is(error) && walk->wrong == NULL) {
            error = accept_batch(walk, &batch);
        } else if (!error_is(error) && doubted != reader->offset) {
            /* With read_only a server may write beside us: what was half there may be whole by now.
             */
            doubted = reader->offset;
            error = segment_reader_examine_tail(reader, &walk->tail);
            segment_reader_refresh(reader);
        } else if (!error_is(error)) {
            return end_segment(walk, last);
        }
    }
    return error;
}

/* Whether all that was acknowledged is there. */
static struct error check_end(const struct recovery_walk *walk)
{
    const struct segment_reader *reader = &walk->reader;
    const struct watermark *watermark = &walk->recovery->watermark;
    char path[log_path_bytes];
    if (walk->count == 0 && walk->recovery->oldest.end > 0) {
        segment_path(path, walk->recovery->options->directory, walk->recovery->oldest.end);
        return error_make(ERROR_DAMAGED, "%.150s at byte 0: the file is missing", path);
    }
    /* One below what is kept is from before the removal: it outlives its process unsynced. */
    if (watermark->end <= walk->recovery->oldest.end || walk->watermark_met)
        return error_none();
    if (walk->count > 0)
        return error_make(ERROR_DAMAGED, "%s at byte %llu: %s, but position %llu was acknowledged",
                          reader->path, (unsigned long long)reader->offset, walk->wrong,
                          (unsigned long long)watermark->end);
    segment_path(path, walk->recovery->options->directory, 0);
    return error_make(ERROR_DAMAGED, "%s at byte 0: the file is missing", path);
}

/* Overwrites what a torn batch left. */
static struct error cut_tail(struct recovery_walk *walk)
{
    static const char zeros[64 * 1024];
    const struct segment_tail *tail = &walk->tail;
    struct file *file = walk->recovery->last_file;
    struct error error = error_none();
    if (tail->first_used == 0)
        return error;
    struct log_field fields[] = {
        log_string("file", walk->reader.path),
        log_number("offset", (int64_t)walk->reader.offset),
        log_number("bytes", (int64_t)(tail->used_end - walk->reader.offset)),
    };
    log_event(LOG_LEVEL_WARNING, "record log: cut a torn batch that was never acknowledged", fields,
              sizeof fields / sizeof fields[0]);
    for (uint64_t offset = tail->first_used; !error_is(error) && offset < tail->used_end;) {
        uint64_t left = tail->used_end - offset;
        size_t size = left < sizeof zeros ? (size_t)left : sizeof zeros;
        error = file_write(file, offset, zeros, size);
        offset += size;
    }
    if (!error_is(error))
        error = file_sync(file);
    return error;
}

static struct error walk_segments(struct recovery_walk *walk)
{
    struct record_log_recovery *recovery = walk->recovery;
    struct error error = error_none();
    for (size_t i = 0; i < walk->count && !error_is(error); i++) {
        bool last = i + 1 == walk->count;
        struct file *file = NULL;
        error = start_segment(walk, i, &file);
        if (!error_is(error)) {
            recovery->has_segments = true;
            error = replay_segment(walk, last);
        }
        if (last && !error_is(error) && !recovery->options->read_only)
            recovery->last_file = file;
        else
            file_close(file);
    }
    recovery->last_header = walk->reader.header;
    return error;
}

struct error record_log_recover(struct record_log_recovery *recovery)
{
    struct recovery_walk walk = {.recovery = recovery};
    segment_reader_init(&walk.reader, recovery->hasher);
    committed_log_begin(recovery->committed, recovery->oldest.chain);
    struct error error =
        file_system_list(recovery->fs, recovery->options->directory, collect_segment, &walk);
    if (!error_is(error) && walk.out_of_memory)
        error =
            error_make(ERROR_OUT_OF_MEMORY, "%s: list of segments", recovery->options->directory);
    if (!error_is(error))
        error = walk_segments(&walk);
    if (!error_is(error))
        error = check_end(&walk);
    if (!error_is(error) && recovery->last_file != NULL)
        error = cut_tail(&walk);
    if (!error_is(error) && recovery->last_file != NULL)
        error = oldest_segment_file_sweep(recovery->fs, recovery->options->directory,
                                          &recovery->oldest);
    if (error_is(error)) {
        file_close(recovery->last_file);
        recovery->last_file = NULL;
    }
    segment_reader_deinit(&walk.reader);
    memory_release(walk.bases);
    return error;
}
