#ifndef WAYBILL_TESTS_SUPPORT_STORAGE_CRASH_FILE_IMAGE_H
#define WAYBILL_TESTS_SUPPORT_STORAGE_CRASH_FILE_IMAGE_H

#include "platform/base/random.h"
#include "tests/support/storage/crash_file_system.h"

/*
 * The content of one file of the crash file system: what readers see, what is on the disk, and the
 * writes between the two. Its memory is malloc's and never fails. Thread: one at a time.
 */
struct crash_bytes {
    char *data;
    uint64_t size;
    uint64_t capacity;
};

struct crash_file_image {
    struct crash_bytes visible;
    struct crash_bytes durable;
    struct pending_change *pending; /* in order */
    size_t pending_count;
    size_t pending_capacity;
};

/* malloc, realloc and calloc that stop the test rather than return NULL. */
void *crash_allocate(size_t size);
void *crash_reallocate(void *block, size_t size);

void crash_file_image_init(struct crash_file_image *image);
void crash_file_image_deinit(struct crash_file_image *image);
void crash_file_image_copy(struct crash_file_image *to, const struct crash_file_image *from);

void crash_file_image_write(struct crash_file_image *image, uint64_t offset, const void *data,
                            size_t size);
void crash_file_image_truncate(struct crash_file_image *image, uint64_t size);

/* All pending changes reach the disk. */
void crash_file_image_sync(struct crash_file_image *image);

/* Each pending change reaches the disk or not, as `fate` says; none is pending any more. */
void crash_file_image_settle(struct crash_file_image *image, enum unsynced_fate fate,
                             struct random *random);

/* Readers see what is on the disk. Nothing must be pending. */
void crash_file_image_reload(struct crash_file_image *image);

#endif
