#ifndef WAYBILL_TRACKING_INFRASTRUCTURE_EMBEDDED_EMBEDDED_TRACKING_H
#define WAYBILL_TRACKING_INFRASTRUCTURE_EMBEDDED_EMBEDDED_TRACKING_H

#include "platform/base/clock.h"
#include "platform/base/error.h"
#include "platform/base/random.h"
#include "platform/storage/file_system.h"
#include "tracking/domain/tracking_announcement.h"
#include "tracking/domain/tracking_repository.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The tracking repository on this machine alone: a record log (DIR/log) that is synced before any
 * answer, RocksDB behind it (DIR/rocksdb), one engine thread that decides, two threads that read
 * lists, one that flushes. `embedded:DIR`; docs/internals/tracking_store.md.
 */
struct embedded_tracking_options {
    const char *directory;           /* made if missing; one process at a time */
    struct file_system *file_system; /* of the record log */
    struct clock *clock;
    struct random *random;   /* seeds the hash table */
    size_t queue_length_max; /* commands waiting; beyond it OVERLOADED */
    uint64_t segment_bytes;  /* of the record log's files */
    size_t batch_bytes_max;  /* of records synced at once */
    /*
     * What the store may take, about: a half for summaries in memory, a quarter for RocksDB's
     * memory tables, a quarter for its blocks.
     */
    size_t memory_bytes_max;
    uint64_t checkpoint_bytes;      /* of log, between two checkpoints: what a restart replays */
    uint64_t free_bytes_min;        /* of the disk; with less writes answer DISK_FULL */
    int64_t checkpoint_interval_us; /* at the latest, when something has changed */
    int64_t log_retention_us;       /* how long the log is kept for those who read events from it */
    int64_t ping_retention_us;
    int64_t generation_gap_us; /* without an event for so long a number may be another parcel's */
    int64_t silence_us; /* without an event for so long a parcel on its way is told; 0 = never */
    /*
     * True: threads of its own. False, for tests: everything happens within embedded_tracking_step,
     * on the caller's thread.
     */
    bool threaded;
    /*
     * Threaded only: the store can no longer tell what is durable. Called once; nothing is answered
     * any more; the process must stop within a second. NULL = print and abort.
     */
    void (*failed)(void *context, const struct error *error);
    void *failed_context;
};

/* What users get if they set nothing; directory is left NULL. */
struct embedded_tracking_options embedded_tracking_options_default(void);

/* Errors: LOCKED, DAMAGED (with file and offset), INPUT_OUTPUT, DISK_FULL, OUT_OF_MEMORY. */
struct error embedded_tracking_open(struct tracking_repository **repository,
                                    const struct embedded_tracking_options *options);

/* Not threaded: takes what is queued, decides, syncs, posts the completions. An error is final. */
struct error embedded_tracking_step(struct tracking_repository *repository);

/*
 * Answers what is queued, writes a checkpoint, stops and closes. NULL is allowed. Commands given to
 * it afterwards are a programmer's mistake.
 */
void embedded_tracking_close(struct tracking_repository *repository);

/* For tests: as if the process had been killed now. Not threaded. */
void embedded_tracking_abandon(struct tracking_repository *repository);

/* What it announces, read from its log. Lives as long as it. */
struct tracking_announcement_source *embedded_tracking_announcements(
    struct tracking_repository *repository);

/* How much it holds, as of its last step. Any thread. */
struct embedded_tracking_usage {
    uint64_t events_recorded;   /* since it was opened */
    uint64_t hot_trackings;     /* in memory */
    uint64_t changed_trackings; /* of those, not yet written behind the log */
    uint64_t memory_bytes;      /* of those in memory */
    uint64_t log_bytes;         /* end of the record log */
    uint64_t replay_bytes;      /* of log that a restart would replay */
    uint64_t checkpoints;
    uint64_t store_bytes;              /* RocksDB's files */
    uint64_t pending_compaction_bytes; /* what RocksDB has yet to do */
    bool disk_full;
};
struct embedded_tracking_usage embedded_tracking_usage(struct tracking_repository *repository);

#endif
