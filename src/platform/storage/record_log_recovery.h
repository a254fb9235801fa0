#ifndef WAYBILL_PLATFORM_STORAGE_RECORD_LOG_RECOVERY_H
#define WAYBILL_PLATFORM_STORAGE_RECORD_LOG_RECOVERY_H

#include "platform/storage/committed_log.h"
#include "platform/storage/record_log.h"
#include "platform/storage/record_log_format.h"

/*
 * Reads the segments of a log at its opening: verifies all, replays all records, cuts a torn last
 * batch, refuses any other damage. The caller fills in the first part; the second is the result.
 */
struct record_log_recovery {
    struct file_system *fs;
    const struct record_log_options *options;
    struct chain_hasher *hasher;
    struct watermark oldest;         /* end 0 = no segment was ever removed */
    struct watermark watermark;      /* end 0 = nothing is known */
    struct committed_log *committed; /* empty; gets the segments one by one, before their replay */
    record_log_replay_function *replay;
    void *context;

    bool has_segments;
    struct file *last_file;            /* for writing, the caller's; NULL if read_only */
    struct segment_header last_header; /* of the last segment */
};

/*
 * Errors as record_log_open. After one nothing on disk has changed (but that the last segment's
 * pending writes were synced) and last_file is NULL.
 */
struct error record_log_recover(struct record_log_recovery *recovery);

#endif
