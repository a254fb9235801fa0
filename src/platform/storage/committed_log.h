#ifndef WAYBILL_PLATFORM_STORAGE_COMMITTED_LOG_H
#define WAYBILL_PLATFORM_STORAGE_COMMITTED_LOG_H

#include "platform/base/buffer.h"
#include "platform/storage/file_system.h"
#include "platform/storage/record_log.h"
#include "platform/storage/record_log_format.h"

#include <pthread.h>
#include <stdbool.h>

/*
 * The part of a record log that is committed, as its readers see it: which segments there are, up
 * to where batches stand in each, the chain's value at the end. The owner of the log adds to it;
 * any thread reads.
 *
 * Files are opened when they are first read; of those at most `open_files_max` stay open.
 *
 * Segments go at the front when the owner removes them; a reader that is in one keeps it.
 */
struct committed_segment {
    uint64_t base;
    uint64_t end;      /* position behind its last committed batch */
    struct file *file; /* NULL while it is not open */
    uint32_t readers;  /* in the file at this moment */
    uint64_t last_use;
};

struct committed_log {
    struct file_system *fs;
    const char *directory;
    pthread_mutex_t mutex;              /* guards all below */
    struct committed_segment *segments; /* in the order of their bases */
    size_t count;
    size_t capacity;
    size_t open_files;
    uint64_t uses;
    uint8_t first_chain[chain_bytes]; /* before the first segment */
    uint8_t chain[chain_bytes];
    uint64_t *marks; /* positions of some batches, in order: where a seek may begin */
    size_t mark_count;
    size_t mark_capacity;
};

/* Where reading on can begin: a batch of a segment. */
struct committed_place {
    uint64_t base;  /* of the segment */
    uint64_t batch; /* a batch's position, or the segment's end */
};

/* `directory` must outlive it. */
void committed_log_init(struct committed_log *log, struct file_system *fs, const char *directory);
void committed_log_deinit(struct committed_log *log);

/* While it is empty: the chain's value before the first segment, if that is not the first ever. */
void committed_log_begin(struct committed_log *log, const uint8_t chain[chain_bytes]);

/* Makes room for one more segment: after it the next committed_log_add cannot fail. */
__attribute__((warn_unused_result)) bool committed_log_reserve(struct committed_log *log);

/* Adds a segment without batches behind the others. */
void committed_log_add(struct committed_log *log, uint64_t base);

/* The last segment's batches now end at `end`, with this value of the chain. */
void committed_log_advance(struct committed_log *log, uint64_t end,
                           const uint8_t chain[chain_bytes]);

/* Where the committed batches end (0 = there is no segment), and the chain's value there. */
uint64_t committed_log_end(struct committed_log *log, uint8_t chain[chain_bytes]);

/* The base of the oldest segment; 0 if there is none. */
uint64_t committed_log_oldest(struct committed_log *log);

/*
 * A place at or before which no committed record ends behind `after`, near the first that does.
 * CURSOR_EXPIRED if `after` is below the oldest segment or beyond the end.
 */
struct error committed_log_seek(struct committed_log *log, uint64_t after,
                                struct committed_place *place);

/* The end of the segment's batches, and the base of the next one (0 = it is the last). False if it
 * was removed. */
bool committed_log_segment(struct committed_log *log, uint64_t base, uint64_t *end,
                           uint64_t *next_base);

/*
 * The base of the last segment that may become the oldest so that every record at `position` or
 * behind it stays.
 */
uint64_t committed_log_removable(struct committed_log *log, uint64_t position);

/*
 * Drops the segments below `base`, the base of one of them; `chain` is the chain's value before
 * that one. False, and nothing is changed: one of them is being read.
 */
bool committed_log_remove_below(struct committed_log *log, uint64_t base,
                                const uint8_t chain[chain_bytes]);

/* The committed part of a log, which lives as long as the log (record_log.c). */
struct committed_log *record_log_committed(struct record_log *log);

/* As record_log_read, for committed records. */
struct error committed_log_read(struct committed_log *log, uint64_t position,
                                struct buffer *record);

/* As record_log_scan. */
struct error committed_log_scan(struct committed_log *log, uint64_t end,
                                record_log_replay_function *each, void *context,
                                uint8_t chain_head[chain_bytes]);

#endif
