#ifndef WAYBILL_INVENTORY_INFRASTRUCTURE_EMBEDDED_INVENTORY_EVENT_READER_H
#define WAYBILL_INVENTORY_INFRASTRUCTURE_EMBEDDED_INVENTORY_EVENT_READER_H

#include "inventory/domain/inventory_event.h"
#include "platform/storage/decoded_log.h"

/*
 * The events of the embedded store: its record log, decoded on reading. An event's sequence is the
 * record's position, plus 1 + 2 × line for a StockAlert of that line and one more for a
 * StockShortage: a record is longer than that.
 *
 * Thread: reading, any; the log must outlive it. After each commit: decoded_log_committed.
 */
struct inventory_event_reader {
    struct inventory_event_source base;
    struct decoded_log decoded;
};

/* Reads or makes the log's identity. DAMAGED, INPUT_OUTPUT, DISK_FULL, OUT_OF_MEMORY. */
struct error inventory_event_reader_init(struct inventory_event_reader *reader,
                                         struct record_log *log, struct file_system *file_system,
                                         const char *directory, struct random *random);
/* Nobody reads any more. Only after a successful _init. */
void inventory_event_reader_deinit(struct inventory_event_reader *reader);

#endif
