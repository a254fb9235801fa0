/*
 * The file is written under another name, synced and renamed, so that it is whole or not there. A
 * power failure before the directory is synced loses it together with everybody's reason to know
 * it: nothing is handed out before.
 */
#include "platform/storage/log_identity.h"

#include "platform/storage/record_log_format.h"

#include <stdio.h>
#include <string.h>

enum { digits = log_identity_bytes - 1, file_bytes = digits + 1 }; /* a line end behind */

static bool is_identity(const char *bytes, size_t size)
{
    if (size != file_bytes || bytes[digits] != '\n')
        return false;
    for (size_t i = 0; i < digits; i++) {
        if (!((bytes[i] >= '0' && bytes[i] <= '9') || (bytes[i] >= 'a' && bytes[i] <= 'f')))
            return false;
    }
    return true;
}

static struct error make(struct file_system *fs, const char *directory, const char *path,
                         const char line[file_bytes])
{
    char temporary[log_path_bytes];
    struct file *file = NULL;
    snprintf(temporary, sizeof temporary, "%s/identity.tmp", directory);
    struct error error = file_system_remove(fs, temporary);
    if (!error_is(error) || error.code == ERROR_NOT_FOUND)
        error = file_system_open(fs, temporary, FILE_OPEN_CREATE, &file);
    if (!error_is(error))
        error = file_write(file, 0, line, file_bytes);
    if (!error_is(error))
        error = file_sync(file);
    file_close(file);
    if (!error_is(error))
        error = file_system_rename(fs, temporary, path);
    return error;
}

struct error log_identity_open(struct file_system *fs, const char *directory, struct random *random,
                               char identity[log_identity_bytes])
{
    char path[log_path_bytes];
    char line[file_bytes + 1] = {0};
    struct file *file = NULL;
    size_t got = 0;
    if (strlen(directory) + sizeof "/identity.tmp" > sizeof path)
        return error_make(ERROR_INVALID_SETTING, "the directory's name is too long");
    snprintf(path, sizeof path, "%s/identity", directory);
    struct error error = file_system_open(fs, path, FILE_OPEN_READ, &file);
    if (!error_is(error)) {
        error = file_read(file, 0, line, sizeof line, &got);
        file_close(file);
        if (!error_is(error) && !is_identity(line, got))
            error = error_make(ERROR_DAMAGED, "%.150s at byte 0: this is no log's identity", path);
    } else if (error.code == ERROR_NOT_FOUND) {
        snprintf(line, sizeof line, "%016llx\n", (unsigned long long)random_uint64(random));
        error = make(fs, directory, path, line);
    }
    if (!error_is(error)) /* found or made: it may have been renamed just before a kill */
        error = file_system_sync_directory(fs, directory);
    if (error_is(error))
        return error;
    memcpy(identity, line, digits);
    identity[digits] = '\0';
    return error;
}
