#ifndef WAYBILL_PLATFORM_STORAGE_OLDEST_SEGMENT_FILE_H
#define WAYBILL_PLATFORM_STORAGE_OLDEST_SEGMENT_FILE_H

#include "platform/storage/file_system.h"
#include "platform/storage/record_log_format.h"

/*
 * The file `oldest` of a record log from which segments were removed: the position at which what is
 * kept begins, and the chain's value there. It is made durable before the first segment file goes,
 * so that a missing segment is either below it, and was removed, or damage. One sector in the
 * watermark's format. Thread: the log's owner.
 */

/* end 0 = the file is not there: nothing was ever removed. DAMAGED, INPUT_OUTPUT, OUT_OF_MEMORY. */
struct error oldest_segment_file_load(struct file_system *fs, const char *directory,
                                      struct watermark *oldest);

/* Replaces the file, atomically and durably. After an error either of the two may be there. */
struct error oldest_segment_file_store(struct file_system *fs, const char *directory,
                                       const struct watermark *oldest);

/* Removes the segment files below it. After an error some may be left, for the next time. */
struct error oldest_segment_file_sweep(struct file_system *fs, const char *directory,
                                       const struct watermark *oldest);

#endif
