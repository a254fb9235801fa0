/*
 * The window is the piece of the file in memory. A batch that lies in it whole is verified in
 * place; else the window moves to the batch's start and grows to its size, which the segment header
 * bounds (a batch is at most a quarter of its segment).
 *
 * A file may grow while it is read (`waybill verify` beside a running server, a scan beside the
 * engine): what does not verify is read once more before it is called wrong.
 */
#include "platform/storage/segment_reader.h"

#include "platform/base/memory.h"

#include <string.h>

enum { window_bytes_min = 1024 * 1024 };

void segment_reader_init(struct segment_reader *reader, struct chain_hasher *hasher)
{
    *reader = (struct segment_reader){.hasher = hasher};
}

void segment_reader_deinit(struct segment_reader *reader)
{
    memory_release(reader->window);
    reader->window = NULL;
}

struct error segment_reader_damaged(const struct segment_reader *reader, uint64_t offset,
                                    const char *what)
{
    return error_make(ERROR_DAMAGED, "%s at byte %llu: %s", reader->path,
                      (unsigned long long)offset, what);
}

static bool window_holds(const struct segment_reader *reader, uint64_t offset, size_t size)
{
    return offset >= reader->window_offset &&
           offset + size <= reader->window_offset + reader->window_size;
}

static char *window_at(const struct segment_reader *reader, uint64_t offset)
{
    return reader->window + (offset - reader->window_offset);
}

/* Reads the window anew from `offset`, with at least `size` bytes, which the file is known to have.
 */
static struct error move_window(struct segment_reader *reader, uint64_t offset, size_t size)
{
    size_t wanted = size < window_bytes_min ? window_bytes_min : size;
    if (wanted > reader->header.bytes - offset)
        wanted = (size_t)(reader->header.bytes - offset);
    if (wanted > reader->window_capacity) {
        char *window = memory_reallocate(reader->window, wanted);
        if (window == NULL)
            return error_make(ERROR_OUT_OF_MEMORY, "%s: cannot read", reader->path);
        reader->window = window;
        reader->window_capacity = wanted;
    }
    reader->window_offset = offset;
    reader->window_size = 0;
    struct error error =
        file_read(reader->file, offset, reader->window, wanted, &reader->window_size);
    if (!error_is(error) && reader->window_size < size)
        error = segment_reader_damaged(reader, offset, "the file ends too early");
    return error;
}

struct error segment_reader_start(struct segment_reader *reader, struct file *file,
                                  const char *path, uint64_t base)
{
    char sector[segment_header_bytes] = {0};
    size_t got = 0;
    uint64_t size = 0;
    reader->file = file;
    reader->window_size = 0;
    memcpy(reader->path, path, strlen(path) + 1);
    struct error error = file_read(file, 0, sector, sizeof sector, &got);
    if (!error_is(error))
        error = file_size(file, &size);
    if (error_is(error))
        return error;
    if (got < sizeof sector)
        return segment_reader_damaged(reader, got, "the file ends within its header");
    const char *wrong = segment_header_decode(sector, &reader->header);
    if (wrong != NULL)
        return segment_reader_damaged(reader, 0, wrong);
    if (reader->header.base != base)
        return segment_reader_damaged(reader, 0, "the segment belongs at another position");
    if (size != reader->header.bytes)
        return segment_reader_damaged(reader, size, "the file has not the size of its segment");
    reader->offset = segment_header_bytes;
    memcpy(reader->chain, reader->header.chain_before, chain_bytes);
    return error_none();
}

/* The largest batch that may stand at `offset`. */
static uint64_t batch_size_max(const struct segment_reader *reader, uint64_t offset)
{
    uint64_t left = reader->header.bytes - offset;
    uint64_t quarter = reader->header.bytes / 4;
    return left < quarter ? left : quarter;
}

/* A batch at `offset` whose checksum holds, from the window as it is or once moved. */
static struct error batch_at(struct segment_reader *reader, uint64_t offset,
                             struct segment_batch *batch, const char **wrong)
{
    uint64_t size_max = batch_size_max(reader, offset);
    *wrong = "the segment ends here";
    if (size_max < batch_header_bytes)
        return error_none();
    if (!window_holds(reader, offset, batch_header_bytes)) {
        struct error error = move_window(reader, offset, batch_header_bytes);
        if (error_is(error))
            return error;
    }
    *wrong = batch_header_decode(window_at(reader, offset), reader->header.base + offset, size_max,
                                 &batch->header);
    if (*wrong != NULL)
        return error_none();
    size_t size = (size_t)whole_sectors(batch->header.size);
    if (!window_holds(reader, offset, size)) {
        struct error error = move_window(reader, offset, size);
        if (error_is(error))
            return error;
    }
    batch->bytes = window_at(reader, offset);
    *wrong = batch_verify(&batch->header, batch->bytes);
    return error_none();
}

/* The next record of a batch at *at, which moves behind it; *wrong as everywhere. */
static struct text next_record(const struct segment_batch *batch, size_t *at, const char **wrong)
{
    const char *frame = batch->bytes + *at;
    size_t left = batch->header.size - *at;
    uint32_t size = 0;
    *wrong = "a record's frame is cut off";
    if (left < record_frame_bytes)
        return (struct text){0};
    *wrong = record_frame_decode(frame, left - record_frame_bytes, &size);
    if (*wrong != NULL)
        return (struct text){0};
    struct text record = text_make(frame + record_frame_bytes, size);
    *wrong = record_verify(frame, batch->header.position + *at, record);
    *at += record_frame_bytes + size;
    return record;
}

/* What a batch whose checksum holds must also fulfil: it is ours, and nobody tore it. */
static struct error check_batch(struct segment_reader *reader, const struct segment_batch *batch)
{
    size_t at = batch_header_bytes;
    if (memcmp(batch->header.chain_before, reader->chain, chain_bytes) != 0)
        return segment_reader_damaged(reader, reader->offset,
                                      "the batch does not continue the chain");
    for (uint32_t i = 0; i < batch->header.record_count; i++) {
        size_t frame = at;
        const char *wrong;
        (void)next_record(batch, &at, &wrong);
        if (wrong != NULL)
            return segment_reader_damaged(reader, reader->offset + frame, wrong);
    }
    if (at != batch->header.size || batch->header.record_count == 0)
        return segment_reader_damaged(reader, reader->offset + at,
                                      "the batch has not the records that its header tells");
    return error_none();
}

struct error segment_reader_next(struct segment_reader *reader, struct segment_batch *batch,
                                 const char **wrong)
{
    struct error error = batch_at(reader, reader->offset, batch, wrong);
    if (!error_is(error) && *wrong != NULL && reader->window_offset != reader->offset) {
        segment_reader_refresh(reader);
        error = batch_at(reader, reader->offset, batch, wrong);
    }
    if (error_is(error) || *wrong != NULL)
        return error;
    error = check_batch(reader, batch);
    if (error_is(error))
        return error;
    size_t size = (size_t)whole_sectors(batch->header.size);
    error = chain_hasher_after(reader->hasher, text_make(batch->bytes, size), reader->chain);
    reader->offset += size;
    return error;
}

void segment_reader_refresh(struct segment_reader *reader)
{
    reader->window_size = 0;
}

struct error segment_batch_replay(const struct segment_batch *batch, uint64_t end,
                                  record_log_replay_function *each, void *context)
{
    size_t at = batch_header_bytes;
    while (at < batch->header.size && batch->header.position + at < end) {
        uint64_t position = batch->header.position + at;
        const char *wrong;
        struct text record = next_record(batch, &at, &wrong);
        if (wrong != NULL)
            return error_make(ERROR_DAMAGED, "record at position %llu: %s",
                              (unsigned long long)position, wrong);
        struct error error = each(context, position, record);
        if (error_is(error))
            return error;
    }
    return error_none();
}

static bool all_zero(const char *bytes, size_t size)
{
    return size == 0 || (bytes[0] == 0 && memcmp(bytes, bytes + 1, size - 1) == 0);
}

struct error segment_reader_examine_tail(struct segment_reader *reader, struct segment_tail *tail)
{
    *tail = (struct segment_tail){0};
    for (uint64_t offset = reader->offset; offset < reader->header.bytes;
         offset += log_sector_bytes) {
        struct segment_batch batch;
        const char *wrong;
        uint64_t left = reader->header.bytes - offset;
        size_t size = left < log_sector_bytes ? (size_t)left : log_sector_bytes;
        if (!window_holds(reader, offset, size)) {
            struct error error = move_window(reader, offset, size);
            if (error_is(error))
                return error;
        }
        if (all_zero(window_at(reader, offset), size))
            continue;
        if (tail->first_used == 0)
            tail->first_used = offset;
        tail->used_end = offset + size;
        struct error error = batch_at(reader, offset, &batch, &wrong);
        if (error_is(error))
            return error;
        if (wrong == NULL && tail->later_batch == 0)
            tail->later_batch = offset;
    }
    return error_none();
}
