#ifndef WAYBILL_PLATFORM_STORAGE_RECORD_LOG_READER_H
#define WAYBILL_PLATFORM_STORAGE_RECORD_LOG_READER_H

#include "platform/base/error.h"
#include "platform/storage/record_log.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * Reads the committed records of a log in order from any position, while the owner appends: for
 * feeds. Where it stopped it goes on without looking anything up. It holds one file and a piece of
 * it in memory. Each batch's checksum is verified, the chain is not (record_log_scan does).
 *
 * Thread: any, one at a time; the log must outlive it.
 */
struct record_log_reader;

/* OUT_OF_MEMORY. */
struct error record_log_reader_create(struct record_log_reader **reader, struct record_log *log);
void record_log_reader_destroy(struct record_log_reader *reader);

/*
 * One record and the position right behind it (below which every number from `position` on is
 * this record's alone). False ends the reading, with this record given. `record` lives until it
 * returns.
 */
typedef bool record_log_visit_function(void *context, uint64_t position, uint64_t end,
                                       struct text record);

/*
 * Gives the records that end behind `after`: the one in which `after` lies, too. Ends at the
 * visitor's word or with the last committed record.
 * Errors: CURSOR_EXPIRED (`after` is older than what is kept, or beyond the end), DAMAGED,
 * INPUT_OUTPUT, OUT_OF_MEMORY.
 */
struct error record_log_reader_read(struct record_log_reader *reader, uint64_t after,
                                    record_log_visit_function *visit, void *context);

#endif
