#ifndef WAYBILL_INVENTORY_INFRASTRUCTURE_EMBEDDED_INVENTORY_EVENT_READER_H
#define WAYBILL_INVENTORY_INFRASTRUCTURE_EMBEDDED_INVENTORY_EVENT_READER_H

#include "inventory/domain/inventory_event.h"
#include "platform/base/random.h"
#include "platform/storage/file_system.h"
#include "platform/storage/log_identity.h"
#include "platform/storage/record_log.h"
#include "platform/storage/record_log_reader_pool.h"

#include <pthread.h>

/*
 * The events of the embedded store: its record log, decoded on reading; nothing is written twice. A
 * record makes its events always in the same way, so they are the same on every read. An
 * event's sequence is the record's position, plus 1 + 2 × line for a StockAlert of that line and
 * one more for a StockShortage: a record is longer than that.
 *
 * Thread: reading, any; the log must outlive it.
 */
struct inventory_event_reader {
    struct inventory_event_source base;
    struct record_log *log;
    struct record_log_reader_pool readers; /* keyed by the sequence they stand behind */
    char identity[log_identity_bytes];
    pthread_mutex_t mutex; /* guards the wake */
    inventory_event_wake *wake;
    void *wake_context;
};

/* Reads or makes the log's identity. DAMAGED, INPUT_OUTPUT, DISK_FULL, OUT_OF_MEMORY. */
struct error inventory_event_reader_init(struct inventory_event_reader *reader,
                                         struct record_log *log, struct file_system *file_system,
                                         const char *directory, struct random *random);
/* Nobody reads any more. Only after a successful _init. */
void inventory_event_reader_deinit(struct inventory_event_reader *reader);

/* Records were committed: wakes whoever waits. */
void inventory_event_reader_committed(struct inventory_event_reader *reader);

#endif
