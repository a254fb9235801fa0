#ifndef WAYBILL_TRACKING_INFRASTRUCTURE_EMBEDDED_TRACKING_ANNOUNCEMENT_READER_H
#define WAYBILL_TRACKING_INFRASTRUCTURE_EMBEDDED_TRACKING_ANNOUNCEMENT_READER_H

#include "platform/storage/decoded_log.h"
#include "tracking/domain/tracking_announcement.h"

/*
 * What the embedded store announces: its record log, decoded on reading. An announcement's sequence
 * is its record's position, that of a delivery one more: a record is longer than that.
 *
 * Thread: reading, any; the log must outlive it. After each commit: decoded_log_committed; before
 * anything is removed: decoded_log_held.
 */
struct tracking_announcement_reader {
    struct tracking_announcement_source base;
    struct decoded_log decoded;
};

/* Reads or makes the log's identity. DAMAGED, INPUT_OUTPUT, DISK_FULL, OUT_OF_MEMORY. */
struct error tracking_announcement_reader_init(struct tracking_announcement_reader *reader,
                                               struct record_log *log,
                                               struct file_system *file_system,
                                               const char *directory, struct random *random);
/* Nobody reads any more. Only after a successful _init. */
void tracking_announcement_reader_deinit(struct tracking_announcement_reader *reader);

#endif
