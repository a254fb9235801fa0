/*
 * Written under another name, synced, renamed: the file is the old or the new one, never half.
 * A leftover of the other name means nothing and is removed before the next one.
 */
#include "platform/storage/oldest_segment_file.h"

#include <stdio.h>

static struct error path_of(char path[log_path_bytes], const char *directory, const char *name)
{
    int size = snprintf(path, log_path_bytes, "%s/%s", directory, name);
    if (size <= 0 || size >= log_path_bytes)
        return error_make(ERROR_INVALID_SETTING, "the directory's name is too long");
    return error_none();
}

struct error oldest_segment_file_load(struct file_system *fs, const char *directory,
                                      struct watermark *oldest)
{
    char path[log_path_bytes];
    char sector[watermark_slot_bytes] = {0};
    struct file *file = NULL;
    size_t got = 0;
    *oldest = (struct watermark){0};
    struct error error = path_of(path, directory, "oldest");
    if (!error_is(error))
        error = file_system_open(fs, path, FILE_OPEN_READ, &file);
    if (error.code == ERROR_NOT_FOUND)
        return error_none();
    if (error_is(error))
        return error;
    error = file_read(file, 0, sector, sizeof sector, &got);
    file_close(file);
    if (!error_is(error) && watermark_decode(sector, oldest) != NULL)
        error =
            error_make(ERROR_DAMAGED, "%s at byte 0: where the log begins does not verify", path);
    return error;
}

struct error oldest_segment_file_store(struct file_system *fs, const char *directory,
                                       const struct watermark *oldest)
{
    char path[log_path_bytes];
    char temporary[log_path_bytes];
    char sector[watermark_slot_bytes];
    struct file *file = NULL;
    struct error error = path_of(path, directory, "oldest");
    if (!error_is(error))
        error = path_of(temporary, directory, "oldest.tmp");
    if (error_is(error))
        return error;
    watermark_encode(oldest, sector);
    error = file_system_remove(fs, temporary);
    if (!error_is(error) || error.code == ERROR_NOT_FOUND)
        error = file_system_open(fs, temporary, FILE_OPEN_CREATE, &file);
    if (!error_is(error))
        error = file_write(file, 0, sector, sizeof sector);
    if (!error_is(error))
        error = file_sync(file);
    file_close(file);
    if (!error_is(error))
        error = file_system_rename(fs, temporary, path);
    if (!error_is(error))
        error = file_system_sync_directory(fs, directory);
    return error;
}

struct lowest_search {
    uint64_t below;
    uint64_t lowest;
    bool found;
};

static void look_for_lowest(void *context, const char *name)
{
    struct lowest_search *search = context;
    uint64_t base;
    if (!segment_base_of_name(name, &base) || base >= search->below)
        return;
    if (!search->found || base < search->lowest)
        search->lowest = base;
    search->found = true;
}

struct error oldest_segment_file_sweep(struct file_system *fs, const char *directory,
                                       const struct watermark *oldest)
{
    bool removed = false;
    for (;;) {
        char path[log_path_bytes];
        struct lowest_search search = {.below = oldest->end};
        struct error error = file_system_list(fs, directory, look_for_lowest, &search);
        if (error_is(error))
            return error;
        if (!search.found)
            break;
        if (!removed) /* the name of `oldest` may not be durable yet: then nothing may go */
            error = file_system_sync_directory(fs, directory);
        segment_path(path, directory, search.lowest);
        if (!error_is(error))
            error = file_system_remove(fs, path);
        if (error_is(error))
            return error;
        removed = true;
    }
    return removed ? file_system_sync_directory(fs, directory) : error_none();
}
