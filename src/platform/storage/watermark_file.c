/*
 * Two slots of a sector each, written in turn, so that a write that was cut off leaves the one
 * before. The file is made with its full size: later writes need no room on the disk.
 */
#include "platform/storage/watermark_file.h"

#include "platform/base/check.h"

#include <stdio.h>
#include <string.h>

enum { file_bytes = watermark_slots * watermark_slot_bytes };

struct error watermark_file_load(struct watermark_file *watermarks, struct file_system *fs,
                                 const char *directory)
{
    char bytes[file_bytes] = {0};
    struct file *file = NULL;
    size_t got = 0;
    *watermarks = (struct watermark_file){0};
    int size = snprintf(watermarks->path, sizeof watermarks->path, "%s/synced", directory);
    CHECK(size > 0 && size < log_path_bytes);
    struct error error = file_system_open(fs, watermarks->path, FILE_OPEN_READ, &file);
    if (error.code == ERROR_NOT_FOUND)
        return error_none();
    if (error_is(error))
        return error;
    error = file_read(file, 0, bytes, sizeof bytes, &got);
    file_close(file);
    for (unsigned i = 0; i < watermark_slots; i++) {
        struct watermark watermark;
        if (watermark_decode(bytes + i * watermark_slot_bytes, &watermark) == NULL &&
            watermark.end > watermarks->newest.end) {
            watermarks->newest = watermark;
            watermarks->slot = i;
        }
    }
    return error;
}

struct error watermark_file_open(struct watermark_file *watermarks, struct file_system *fs)
{
    static const char zeros[file_bytes];
    uint64_t size = 0;
    struct error error =
        file_system_open(fs, watermarks->path, FILE_OPEN_READ_WRITE, &watermarks->file);
    if (error.code == ERROR_NOT_FOUND)
        error = file_system_open(fs, watermarks->path, FILE_OPEN_CREATE, &watermarks->file);
    if (!error_is(error))
        error = file_size(watermarks->file, &size);
    if (!error_is(error) && size < file_bytes)
        error = file_write(watermarks->file, size, zeros, (size_t)(file_bytes - size));
    return error;
}

struct error watermark_file_write(struct watermark_file *watermarks,
                                  const struct watermark *watermark)
{
    char slot[watermark_slot_bytes];
    unsigned next = (watermarks->slot + 1) % watermark_slots;
    watermark_encode(watermark, slot);
    struct error error =
        file_write(watermarks->file, (uint64_t)next * watermark_slot_bytes, slot, sizeof slot);
    if (!error_is(error)) {
        watermarks->slot = next;
        watermarks->newest = *watermark;
    }
    return error;
}

struct error watermark_file_sync(struct watermark_file *watermarks)
{
    return file_sync(watermarks->file);
}

void watermark_file_close(struct watermark_file *watermarks)
{
    file_close(watermarks->file);
    watermarks->file = NULL;
}
