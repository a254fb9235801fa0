#ifndef WAYBILL_PLATFORM_STORAGE_LOG_IDENTITY_H
#define WAYBILL_PLATFORM_STORAGE_LOG_IDENTITY_H

#include "platform/base/random.h"
#include "platform/storage/file_system.h"

/*
 * The name of one log for ever: 16 hexadecimal digits by chance, in the file `identity` of its
 * directory. A reader's place names it, so that a place in another log, or in one made anew, is
 * noticed. Thread: whoever opens the log.
 */
enum { log_identity_bytes = 17 }; /* with the NUL */

/*
 * Reads the identity, or makes one durably. The directory must exist and be the caller's alone.
 * DAMAGED if the file holds something else; INPUT_OUTPUT, DISK_FULL, OUT_OF_MEMORY.
 */
struct error log_identity_open(struct file_system *fs, const char *directory, struct random *random,
                               char identity[log_identity_bytes]);

#endif
