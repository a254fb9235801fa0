#ifndef WAYBILL_TESTS_SUPPORT_STORAGE_RECORD_LOG_KIT_H
#define WAYBILL_TESTS_SUPPORT_STORAGE_RECORD_LOG_KIT_H

#include "platform/storage/record_log.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * Record logs for tests: the n-th record has a length and bytes that follow from n, so that a
 * replay can tell whether it got exactly the records 0, 1, 2, … and each of them whole.
 */
enum { kit_record_bytes_max = 300 };

struct record_log_kit {
    struct record_log_options options;
    struct record_log *log; /* NULL while it is not open */
    uint64_t replayed;      /* how many records the last opening gave */
    bool replay_is_wrong;   /* one of them was not the next one, or not as it was written */
    uint64_t appended;      /* records in the log by our own count, uncommitted too */
    uint64_t committed;     /* of those, how many a commit has acknowledged */
    uint64_t last_position; /* of the last record appended or replayed */
    record_log_replay_function *watcher; /* also gets the replayed records; NULL = nobody */
    void *watcher_context;
};

/* Small segments (4 KiB, batches of 1 KiB) in directory "log", nothing in the background. */
struct record_log_kit record_log_kit_make(void);

/* The bytes of record `number`, and how many. */
size_t kit_record_encode(uint64_t number, char bytes[kit_record_bytes_max]);

/* Opens kit->log and checks what is replayed. `appended` and `committed` start from there. */
struct error record_log_kit_open(struct record_log_kit *kit, struct file_system *fs);

void record_log_kit_close(struct record_log_kit *kit);

/* Puts the next record into the open batch; there must be room. */
void record_log_kit_append(struct record_log_kit *kit);

/* One batch of the next `count` records: claim, append, commit. */
struct error record_log_kit_commit(struct record_log_kit *kit, unsigned count);

/* The lot: `batches` batches of 1, 2, 3, 1, 2, 3, … records, until an error. */
struct error record_log_kit_fill(struct record_log_kit *kit, unsigned batches);

#endif
