#ifndef WAYBILL_PLATFORM_STORAGE_WATERMARK_FILE_H
#define WAYBILL_PLATFORM_STORAGE_WATERMARK_FILE_H

#include "platform/storage/file_system.h"
#include "platform/storage/record_log_format.h"

#include <stdbool.h>

/*
 * The file `synced` of a record log: up to where its batches are known to be durable. It is written
 * after each commit, and not synced: it outlives the process but not a power failure. So an old,
 * damaged or missing one proves nothing, and what it says was always true. Thread: one.
 */
struct watermark_file {
    struct file *file; /* NULL until it is opened for writing */
    char path[log_path_bytes];
    unsigned slot;           /* where the newest one stands */
    struct watermark newest; /* end 0 = none was found */
};

/* Reads the newest watermark, if there is one that verifies. INPUT_OUTPUT, OUT_OF_MEMORY. */
struct error watermark_file_load(struct watermark_file *watermarks, struct file_system *fs,
                                 const char *directory);

/* Opens it for writing; makes it if need be, then its name is not durable yet. */
struct error watermark_file_open(struct watermark_file *watermarks, struct file_system *fs);

/* Writes a newer watermark over the older of the two. Any error is final. */
struct error watermark_file_write(struct watermark_file *watermarks,
                                  const struct watermark *watermark);

/* Syncs what was written. */
struct error watermark_file_sync(struct watermark_file *watermarks);

void watermark_file_close(struct watermark_file *watermarks);

#endif
