#ifndef WAYBILL_PLATFORM_STORAGE_SEGMENT_READER_H
#define WAYBILL_PLATFORM_STORAGE_SEGMENT_READER_H

#include "platform/storage/file_system.h"
#include "platform/storage/record_log.h"
#include "platform/storage/record_log_format.h"

/*
 * Walks the batches of one segment file and verifies each: checksum, framing, chain. It reads in
 * large pieces and keeps its memory from one segment to the next. Thread: one at a time.
 */
struct segment_reader {
    struct chain_hasher *hasher;
    struct file *file; /* not owned */
    char path[log_path_bytes];
    struct segment_header header;
    uint64_t offset;            /* in the file, of the next batch */
    uint8_t chain[chain_bytes]; /* after the batches read so far */
    char *window;               /* a piece of the file */
    size_t window_capacity;
    size_t window_size;
    uint64_t window_offset;
};

/* A batch that verified. Its bytes live until the next call to the reader. */
struct segment_batch {
    struct batch_header header;
    const char *bytes;
};

void segment_reader_init(struct segment_reader *reader, struct chain_hasher *hasher);
void segment_reader_deinit(struct segment_reader *reader);

/*
 * Starts on another segment and checks its header: magic, format, base position, size of the file.
 * The file stays the caller's. Errors: DAMAGED, INPUT_OUTPUT, OUT_OF_MEMORY.
 */
struct error segment_reader_start(struct segment_reader *reader, struct file *file,
                                  const char *path, uint64_t base);

/*
 * The next batch, with *wrong NULL; or nothing, and *wrong says what is there instead of one.
 * Errors: DAMAGED if the batch is whole but contradicts itself or the chain; INPUT_OUTPUT,
 * OUT_OF_MEMORY.
 */
struct error segment_reader_next(struct segment_reader *reader, struct segment_batch *batch,
                                 const char **wrong);

/* Forgets what was read ahead, so that the next call reads it again. */
void segment_reader_refresh(struct segment_reader *reader);

/* Gives the batch's records below `end` to `each`. */
struct error segment_batch_replay(const struct segment_batch *batch, uint64_t end,
                                  record_log_replay_function *each, void *context);

/* What stands in a segment behind its last batch. Offsets in the file, 0 = there is none. */
struct segment_tail {
    uint64_t first_used;  /* sector that is not all zero */
    uint64_t used_end;    /* end of the last such sector */
    uint64_t later_batch; /* a whole batch */
};

/* Looks at everything from the next batch's offset on. */
struct error segment_reader_examine_tail(struct segment_reader *reader, struct segment_tail *tail);

/* ERROR_DAMAGED with "FILE at byte OFFSET: what". */
struct error segment_reader_damaged(const struct segment_reader *reader, uint64_t offset,
                                    const char *what);

#endif
