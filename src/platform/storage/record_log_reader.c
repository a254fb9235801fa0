/*
 * The reader stands at the boundary of a batch. From there it goes from header to header; a batch
 * that ends before the position asked for is stepped over by its header alone. Committed bytes
 * never change, so whatever does not verify below the committed end is damage.
 *
 * The window is a piece of the segment file in memory; it is read anew where it ends, also because
 * the batches behind its end may not have been written when it was read.
 */
#include "platform/storage/record_log_reader.h"

#include "platform/base/memory.h"
#include "platform/storage/committed_log.h"
#include "platform/storage/record_log_format.h"

enum { window_bytes = 256 * 1024 };

struct record_log_reader {
    struct committed_log *log;
    struct file *file; /* NULL = it stands nowhere */
    uint64_t base;     /* of the file's segment */
    uint64_t batch;    /* position of the next batch */
    uint64_t end;      /* of the segment's committed batches, when last looked at */
    char *window;
    size_t window_capacity;
    uint64_t window_position;
    size_t window_size;
};

struct error record_log_reader_create(struct record_log_reader **reader, struct record_log *log)
{
    struct record_log_reader *made = memory_allocate_zero(1, sizeof *made);
    *reader = made;
    if (made == NULL)
        return error_make(ERROR_OUT_OF_MEMORY, "a reader of the record log");
    made->log = record_log_committed(log);
    return error_none();
}

static void leave_segment(struct record_log_reader *reader)
{
    file_close(reader->file);
    reader->file = NULL;
    reader->window_size = 0;
}

void record_log_reader_destroy(struct record_log_reader *reader)
{
    if (reader == NULL)
        return;
    leave_segment(reader);
    memory_release(reader->window);
    memory_release(reader);
}

static struct error damaged(const struct record_log_reader *reader, const char *what)
{
    char path[log_path_bytes];
    segment_path(path, reader->log->directory, reader->base);
    return error_make(ERROR_DAMAGED, "%.150s at byte %llu: %s", path,
                      (unsigned long long)(reader->batch - reader->base), what);
}

static struct error enter_segment(struct record_log_reader *reader, uint64_t base, uint64_t batch)
{
    char path[log_path_bytes];
    leave_segment(reader);
    segment_path(path, reader->log->directory, base);
    struct error error = file_system_open(reader->log->fs, path, FILE_OPEN_READ, &reader->file);
    if (error.code == ERROR_NOT_FOUND && committed_log_oldest(reader->log) > base)
        return error_make(ERROR_CURSOR_EXPIRED, "position %llu was removed meanwhile",
                          (unsigned long long)batch);
    reader->base = base;
    reader->batch = batch;
    reader->end = batch;
    return error;
}

/* Has `size` committed bytes from reader->batch on in the window. */
static struct error fill_window(struct record_log_reader *reader, size_t size)
{
    if (reader->batch >= reader->window_position &&
        reader->batch + size <= reader->window_position + reader->window_size)
        return error_none();
    uint64_t left = reader->end - reader->batch;
    size_t wanted = left < window_bytes ? (size_t)left : window_bytes;
    if (wanted < size)
        wanted = size;
    if (wanted > left)
        return damaged(reader, "the batch goes beyond the committed end");
    if (wanted > reader->window_capacity) {
        char *window = memory_reallocate(reader->window, wanted);
        if (window == NULL)
            return error_make(ERROR_OUT_OF_MEMORY, "reading the record log");
        reader->window = window;
        reader->window_capacity = wanted;
    }
    reader->window_position = reader->batch;
    reader->window_size = 0;
    struct error error = file_read(reader->file, reader->batch - reader->base, reader->window,
                                   wanted, &reader->window_size);
    if (!error_is(error) && reader->window_size < size)
        error = damaged(reader, "the file ends too early");
    return error;
}

static const char *window_at_batch(const struct record_log_reader *reader)
{
    return reader->window + (reader->batch - reader->window_position);
}

/* Gives the records of the batch in the window that end behind `after`. */
static struct error visit_batch(struct record_log_reader *reader, const struct batch_header *header,
                                uint64_t after, record_log_visit_function *visit, void *context,
                                bool *goes_on)
{
    const char *batch = window_at_batch(reader);
    size_t at = batch_header_bytes;
    while (at < header->size && *goes_on) {
        uint32_t size = 0;
        size_t left = header->size - at;
        if (left < record_frame_bytes)
            return damaged(reader, "a record's frame is cut off");
        const char *wrong = record_frame_decode(batch + at, left - record_frame_bytes, &size);
        struct text record = text_make(batch + at + record_frame_bytes, size);
        uint64_t position = header->position + at;
        if (wrong == NULL)
            wrong = record_verify(batch + at, position, record);
        if (wrong != NULL)
            return damaged(reader, wrong);
        at += record_frame_bytes + size;
        if (header->position + at > after)
            *goes_on = visit(context, position, header->position + at, record);
    }
    return error_none();
}

/* The next batch: stepped over, or its records given. */
static struct error read_batch(struct record_log_reader *reader, uint64_t after,
                               record_log_visit_function *visit, void *context, bool *goes_on)
{
    struct batch_header header;
    struct error error = fill_window(reader, batch_header_bytes);
    if (error_is(error))
        return error;
    const char *wrong = batch_header_decode(window_at_batch(reader), reader->batch,
                                            reader->end - reader->batch, &header);
    if (wrong != NULL)
        return damaged(reader, wrong);
    uint64_t size = whole_sectors(header.size);
    if (header.position + header.size > after) {
        error = fill_window(reader, (size_t)size);
        if (error_is(error))
            return error;
        wrong = batch_verify(&header, window_at_batch(reader));
        if (wrong != NULL)
            return damaged(reader, wrong);
        error = visit_batch(reader, &header, after, visit, context, goes_on);
    }
    if (!error_is(error) && *goes_on)
        reader->batch += size;
    return error;
}

/* Stands where reading from `after` on can begin. */
static struct error seek(struct record_log_reader *reader, uint64_t after)
{
    struct committed_place place;
    struct error error = committed_log_seek(reader->log, after, &place);
    if (error_is(error))
        return error;
    if (reader->file != NULL && reader->base == place.base && reader->batch >= place.batch &&
        reader->batch <= after)
        return error_none();
    if (reader->file != NULL && reader->base == place.base) {
        reader->batch = place.batch;
        return error_none();
    }
    return enter_segment(reader, place.base, place.batch);
}

struct error record_log_reader_read(struct record_log_reader *reader, uint64_t after,
                                    record_log_visit_function *visit, void *context)
{
    bool goes_on = true;
    struct error error = seek(reader, after);
    while (!error_is(error) && goes_on) {
        uint64_t next_base = 0;
        if (reader->batch < reader->end) {
            error = read_batch(reader, after, visit, context, &goes_on);
        } else if (!committed_log_segment(reader->log, reader->base, &reader->end, &next_base)) {
            error = error_make(ERROR_CURSOR_EXPIRED, "position %llu was removed meanwhile",
                               (unsigned long long)reader->batch);
        } else if (reader->batch == reader->end && next_base == 0) {
            goes_on = false;
        } else if (reader->batch == reader->end) {
            error = enter_segment(reader, next_base, next_base + segment_header_bytes);
        }
    }
    if (error_is(error))
        leave_segment(reader);
    return error;
}
