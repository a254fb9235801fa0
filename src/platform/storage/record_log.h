#ifndef WAYBILL_PLATFORM_STORAGE_RECORD_LOG_H
#define WAYBILL_PLATFORM_STORAGE_RECORD_LOG_H

#include "platform/base/buffer.h"
#include "platform/base/error.h"
#include "platform/base/text.h"
#include "platform/storage/file_system.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * An append-only log of records in batches: the redo log and outbox of the embedded stores. What is
 * in a record is the caller's business. A batch is durable as a whole or not at all; each is
 * covered by a checksum and by a SHA-256 chain over all batches before it.
 * docs/internals/record_log.md describes the files byte by byte.
 *
 * A *position* names a record for ever: a number that grows from record to record, never 0.
 *
 * Thread: one owner, except record_log_read, record_log_scan and record_log_reader.h for what is
 * already committed, which any thread may call.
 */
struct record_log;

struct record_log_options {
    const char *directory;   /* created if missing; one log alone in it */
    const char *kind;        /* at most 15 bytes, e.g. "inventory"; another kind's log is refused */
    uint32_t record_version; /* of the caller's records; a log of a higher one is refused */
    /*
     * Size of a segment file, filled with zeros beforehand; at most 4 GiB. A young log begins with
     * smaller ones, each twice the one before.
     */
    uint64_t segment_bytes;
    /* Room claimed before a batch, framing included; 512 to segment_bytes / 4. */
    size_t batch_bytes_max;
    bool read_only;          /* for verification: takes no lock, cuts nothing, writes nothing */
    bool background_prepare; /* the next segment is made by a thread of the log's own */
};

/* Called for every record in order; an error from it ends the walk and is passed on. */
typedef struct error record_log_replay_function(void *context, uint64_t position,
                                                struct text record);

/*
 * Opens or creates the log and replays every record to `replay`. A last batch that was never
 * acknowledged and was torn by a crash is cut (logged as a warning); any other damage is refused
 * with ERROR_DAMAGED and "FILE at byte OFFSET: what is wrong", and nothing is changed. During the
 * replay *log is set already, for record_log_read of what was replayed before. Errors: LOCKED,
 * DAMAGED (also: another kind, a newer format), INPUT_OUTPUT, DISK_FULL, OUT_OF_MEMORY,
 * INVALID_SETTING (sizes), NOT_FOUND (read_only and no log there), and what `replay` returned; then
 * *log is NULL.
 */
struct error record_log_open(struct record_log **log, struct file_system *fs,
                             const struct record_log_options *options,
                             record_log_replay_function *replay, void *context);

/* Marks the log as closed in good order and releases all. NULL is allowed. */
void record_log_close(struct record_log *log);

/*
 * Claims room on disk for one largest batch, before the first decision of a step. DISK_FULL:
 * nothing has changed, reads may go on, call again later. Cheap when the room is there already.
 */
struct error record_log_claim(struct record_log *log);

/*
 * When record_log_claim said DISK_FULL: opens the batch all the same, with what every claim before
 * left untouched (batch_bytes_max at first), for records that must not wait for space.
 * record_log_room may then be small, or 0 when the reserve is used up; the next successful claim
 * fills it again.
 */
void record_log_claim_reserve(struct record_log *log);

/*
 * Has the next claim begin a new segment, however much room the last one has left, so that what is
 * there by now can be removed some day (record_log_remove_before). Only a wish: where there is no
 * room for a segment the log goes on in the last one; look at record_log_newest_segment.
 */
void record_log_seal(struct record_log *log);

/* How many more bytes of records the open batch can take. 0 before a successful record_log_claim.
 */
size_t record_log_room(const struct record_log *log);

/*
 * Where to write a record of at most `size_max` bytes (≤ record_log_room), and its position.
 * Nothing is in the batch until record_log_append_end gives the real size (> 0).
 */
char *record_log_append_begin(struct record_log *log, size_t size_max, uint64_t *position);
void record_log_append_end(struct record_log *log, size_t size);

/*
 * Writes the batch and syncs it; an empty batch is nothing. Any error here is final: what is on
 * disk is not known, nothing of the batch may be answered, the process must stop.
 */
struct error record_log_commit(struct record_log *log);

/*
 * A copy of the record at a position that append gave, committed or still in the open batch (then
 * the owner only), replaces what is in `record`. DAMAGED if its checksum or framing does not hold;
 * LIMIT if it is larger than the buffer may grow.
 */
struct error record_log_read(struct record_log *log, uint64_t position, struct buffer *record);

/* The position that the next record gets. */
uint64_t record_log_end(const struct record_log *log);

/* Where the last segment begins: the records at and behind it cannot be removed. Owner only. */
uint64_t record_log_newest_segment(const struct record_log *log);

/* The end of what is committed: every record below it is durable. */
uint64_t record_log_committed_end(const struct record_log *log);

/*
 * Walks all committed records with position < `end`, checking checksums and chain on the way, and
 * gives the chain's value after the last batch walked. Any thread, while the owner appends.
 */
struct error record_log_scan(struct record_log *log, uint64_t end, record_log_replay_function *each,
                             void *context, uint8_t chain_head[32]);

/*
 * The position after which everything is kept: 0 until segments were removed. Any thread.
 */
uint64_t record_log_oldest(struct record_log *log);

/*
 * Removes whole segments in which every record stands before `position`; the last segment stays.
 * One that somebody reads at this moment stays for the next time, with all behind it. The rest of
 * the log is unharmed by an error (INPUT_OUTPUT, DISK_FULL, OUT_OF_MEMORY): try again later. What
 * is removed is removed for good: replay, scan and chain begin behind it.
 */
struct error record_log_remove_before(struct record_log *log, uint64_t position);

/* The chain's value after the last committed batch. */
void record_log_chain_head(const struct record_log *log, uint8_t chain_head[32]);

#endif
