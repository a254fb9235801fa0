#ifndef WAYBILL_TRACKING_INFRASTRUCTURE_EMBEDDED_TRACKING_ANNOUNCEMENT_READER_H
#define WAYBILL_TRACKING_INFRASTRUCTURE_EMBEDDED_TRACKING_ANNOUNCEMENT_READER_H

#include "platform/base/random.h"
#include "platform/storage/file_system.h"
#include "platform/storage/log_identity.h"
#include "platform/storage/record_log.h"
#include "platform/storage/record_log_reader_pool.h"
#include "tracking/domain/tracking_announcement.h"

#include <pthread.h>

/*
 * What the embedded store announces: its record log, decoded on reading; nothing is written twice.
 * An announcement's sequence is its record's position, that of a delivery one more: a record is
 * longer than that. Thread: reading, any; the log must outlive it.
 */
struct tracking_announcement_reader {
    struct tracking_announcement_source base;
    struct record_log *log;
    struct record_log_reader_pool readers; /* keyed by the sequence they stand behind */
    char identity[log_identity_bytes];
    pthread_mutex_t mutex; /* guards wake and held */
    tracking_announcement_wake *wake;
    void *wake_context;
    uint64_t (*held)(void *context);
    void *held_context;
};

/* Reads or makes the log's identity. DAMAGED, INPUT_OUTPUT, DISK_FULL, OUT_OF_MEMORY. */
struct error tracking_announcement_reader_init(struct tracking_announcement_reader *reader,
                                               struct record_log *log,
                                               struct file_system *file_system,
                                               const char *directory, struct random *random);
/* Nobody reads any more. Only after a successful _init. */
void tracking_announcement_reader_deinit(struct tracking_announcement_reader *reader);

/* Records were committed: wakes whoever waits. */
void tracking_announcement_reader_committed(struct tracking_announcement_reader *reader);

/* The position behind which everything must stay; UINT64_MAX if nobody holds anything. */
uint64_t tracking_announcement_reader_held(struct tracking_announcement_reader *reader);

#endif
