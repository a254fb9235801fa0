/*
 * The port over crash_names.c (which file has which name) and crash_file_image.c (what is in it),
 * with the faults in front: every call first counts itself, then fails if it was told to, then
 * acts. A call in which the power fails acts, too, but what it did is pending. One mutex guards
 * all.
 */
#include "tests/support/storage/crash_file_system.h"

#include "platform/base/check.h"
#include "platform/base/random.h"
#include "tests/support/storage/crash_names.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct crash_file_system {
    struct file_system base;
    pthread_mutex_t mutex;
    struct random_seeded random;
    struct crash_names names;
    struct crash_fault faults[CRASH_OPERATIONS];
    uint64_t counts[CRASH_OPERATIONS];
    uint64_t changes;
    uint64_t power_cut_at; /* of `changes`; 0 = never */
    bool powerless;
    unsigned open_files;
};

struct handle {
    struct file base;
    struct crash_file_system *disk;
    struct crash_inode *inode;
    bool holds_lock;
    char path[crash_path_bytes];
};

static struct crash_file_system *disk_of(struct file_system *fs)
{
    return (struct crash_file_system *)fs;
}

static struct handle *handle_of(struct file *file)
{
    return (struct handle *)file;
}

/* --- faults --- */

static struct error power_error(const char *path)
{
    return error_make(ERROR_INPUT_OUTPUT, "%s: the power is off", path);
}

/* Whether this operation, which is counted here, is the one that a fault is set for. */
static bool fault_hits(struct crash_file_system *disk, enum crash_operation operation)
{
    struct crash_fault *fault = &disk->faults[operation];
    disk->counts[operation]++;
    if (fault->at == 0)
        return false;
    if (fault->at > 1) {
        fault->at--;
        return false;
    }
    if (!fault->for_good)
        fault->at = 0;
    return true;
}

/* The error of an operation that does nothing because of a fault, or because the power is off. */
static struct error begin_operation(struct crash_file_system *disk, enum crash_operation operation,
                                    const char *path)
{
    if (disk->powerless)
        return power_error(path);
    if (fault_hits(disk, operation))
        return error_make(disk->faults[operation].code, "%s: an injected fault", path);
    return error_none();
}

/* Counts a change, which is about to be made; the error that it must answer if the power fails in
 * it. */
static struct error count_change(struct crash_file_system *disk, const char *path)
{
    disk->changes++;
    if (disk->changes == disk->power_cut_at)
        disk->powerless = true;
    return disk->powerless ? power_error(path) : error_none();
}

/* --- files --- */

static struct error crash_read(struct file *file, uint64_t offset, void *data, size_t size,
                               size_t *got)
{
    struct handle *handle = handle_of(file);
    struct crash_file_system *disk = handle->disk;
    const struct crash_bytes *bytes = &handle->inode->image.visible;
    *got = 0;
    pthread_mutex_lock(&disk->mutex);
    struct error error = begin_operation(disk, CRASH_OPERATION_READ, handle->path);
    if (!error_is(error) && offset < bytes->size) {
        *got = bytes->size - offset < size ? (size_t)(bytes->size - offset) : size;
        memcpy(data, bytes->data + offset, *got);
    }
    pthread_mutex_unlock(&disk->mutex);
    return error;
}

static struct error write_locked(struct handle *handle, uint64_t offset, const void *data,
                                 size_t size)
{
    struct crash_file_system *disk = handle->disk;
    struct crash_inode *inode = handle->inode;
    struct error error = begin_operation(disk, CRASH_OPERATION_WRITE, handle->path);
    bool partly = !disk->powerless && disk->faults[CRASH_OPERATION_WRITE].partly;
    if (error_is(error) && !partly)
        return error;
    size_t arrives = error_is(error) ? (size_t)random_below(&disk->random.base, size + 1) : size;
    size_t fits = crash_inode_take_room(&disk->names, inode, offset, arrives);
    if (!error_is(error))
        error = count_change(disk, handle->path);
    if (!error_is(error) && fits < arrives)
        error = error_make(ERROR_DISK_FULL, "%s: no room", handle->path);
    crash_file_image_write(&inode->image, offset, data, fits);
    return error;
}

static struct error crash_write(struct file *file, uint64_t offset, const void *data, size_t size)
{
    struct handle *handle = handle_of(file);
    pthread_mutex_lock(&handle->disk->mutex);
    struct error error = write_locked(handle, offset, data, size);
    pthread_mutex_unlock(&handle->disk->mutex);
    return error;
}

static struct error truncate_locked(struct handle *handle, uint64_t size)
{
    struct crash_file_system *disk = handle->disk;
    uint64_t present = handle->inode->image.visible.size;
    struct error error = begin_operation(disk, CRASH_OPERATION_WRITE, handle->path);
    if (error_is(error))
        return error;
    if (disk->names.room != UINT64_MAX) {
        if (size > present && size - present > disk->names.room)
            return error_make(ERROR_DISK_FULL, "%s: no room", handle->path);
        disk->names.room = disk->names.room + present - size;
    }
    error = count_change(disk, handle->path);
    crash_file_image_truncate(&handle->inode->image, size);
    return error;
}

static struct error crash_truncate(struct file *file, uint64_t size)
{
    struct handle *handle = handle_of(file);
    pthread_mutex_lock(&handle->disk->mutex);
    struct error error = truncate_locked(handle, size);
    pthread_mutex_unlock(&handle->disk->mutex);
    return error;
}

static struct error sync_inode(struct crash_file_system *disk, struct crash_inode *inode,
                               const char *path)
{
    bool powerless = disk->powerless;
    struct error error = begin_operation(disk, CRASH_OPERATION_SYNC, path);
    if (error_is(error)) {
        if (!powerless)
            crash_file_image_settle(&inode->image, UNSYNCED_RANDOM, &disk->random.base);
        return error;
    }
    error = count_change(disk, path);
    if (!error_is(error))
        crash_file_image_sync(&inode->image);
    return error;
}

static struct error crash_sync(struct file *file)
{
    struct handle *handle = handle_of(file);
    pthread_mutex_lock(&handle->disk->mutex);
    struct error error = sync_inode(handle->disk, handle->inode, handle->path);
    pthread_mutex_unlock(&handle->disk->mutex);
    return error;
}

static struct error crash_size(struct file *file, uint64_t *size)
{
    struct handle *handle = handle_of(file);
    pthread_mutex_lock(&handle->disk->mutex);
    struct error error = handle->disk->powerless ? power_error(handle->path) : error_none();
    *size = handle->inode->image.visible.size;
    pthread_mutex_unlock(&handle->disk->mutex);
    return error;
}

static void crash_close(struct file *file)
{
    struct handle *handle = handle_of(file);
    struct crash_file_system *disk = handle->disk;
    pthread_mutex_lock(&disk->mutex);
    if (handle->holds_lock)
        handle->inode->locked = false;
    crash_inode_close(&disk->names, handle->inode);
    disk->open_files--;
    pthread_mutex_unlock(&disk->mutex);
    free(handle);
}

static struct handle *open_handle(struct crash_file_system *disk, const char *path,
                                  struct crash_inode *inode)
{
    static const struct file_table table = {
        .read = crash_read,
        .write = crash_write,
        .sync = crash_sync,
        .truncate = crash_truncate,
        .size = crash_size,
        .close = crash_close,
    };
    struct handle *handle = crash_allocate(sizeof *handle);
    *handle = (struct handle){.base = {.table = &table}, .disk = disk, .inode = inode};
    int size = snprintf(handle->path, sizeof handle->path, "%s", path);
    CHECK(size >= 0 && size < crash_path_bytes);
    crash_inode_open(&disk->names, inode);
    disk->open_files++;
    return handle;
}

/* --- names --- */

static struct error not_found(const char *path)
{
    return error_make(ERROR_NOT_FOUND, "%s: there is no such file", path);
}

static struct error create_file(struct crash_file_system *disk, const char *path,
                                struct crash_inode **inode)
{
    if (!crash_names_parent_exists(&disk->names, path))
        return not_found(path);
    struct error error = begin_operation(disk, CRASH_OPERATION_NAME, path);
    if (error_is(error))
        return error;
    error = count_change(disk, path);
    *inode = crash_names_add_file(&disk->names, path);
    return error;
}

static struct error open_locked(struct crash_file_system *disk, const char *path,
                                enum file_open_mode mode, struct file **file)
{
    const struct crash_name *name = crash_names_find(&disk->names, path);
    struct crash_inode *inode = name == NULL ? NULL : name->inode;
    struct error error = error_none();
    if (disk->powerless)
        return power_error(path);
    if (mode == FILE_OPEN_CREATE) {
        if (name != NULL)
            return error_make(ERROR_INPUT_OUTPUT, "%s: it exists", path);
        error = create_file(disk, path, &inode);
    } else if (name == NULL) {
        error = not_found(path);
    } else if (inode == NULL) {
        error = error_make(ERROR_INPUT_OUTPUT, "%s: it is a directory", path);
    } else if (mode == FILE_OPEN_READ_WRITE) {
        error = sync_inode(disk, inode, path);
        if (!error_is(error))
            crash_file_image_reload(&inode->image);
    }
    if (!error_is(error))
        *file = &open_handle(disk, path, inode)->base;
    return error;
}

static struct error crash_open(struct file_system *fs, const char *path, enum file_open_mode mode,
                               struct file **file)
{
    struct crash_file_system *disk = disk_of(fs);
    pthread_mutex_lock(&disk->mutex);
    struct error error = open_locked(disk, path, mode, file);
    pthread_mutex_unlock(&disk->mutex);
    return error;
}

static struct error lock_locked(struct crash_file_system *disk, const char *path,
                                struct file **file)
{
    const struct crash_name *name = crash_names_find(&disk->names, path);
    struct crash_inode *inode = name == NULL ? NULL : name->inode;
    struct error error = error_none();
    if (disk->powerless)
        return power_error(path);
    if (inode == NULL)
        error = create_file(disk, path, &inode);
    else if (inode->locked)
        error = error_make(ERROR_LOCKED, "%s: somebody else holds it", path);
    if (error_is(error))
        return error;
    struct handle *handle = open_handle(disk, path, inode);
    inode->locked = true;
    handle->holds_lock = true;
    *file = &handle->base;
    return error;
}

static struct error crash_lock(struct file_system *fs, const char *path, struct file **file)
{
    struct crash_file_system *disk = disk_of(fs);
    pthread_mutex_lock(&disk->mutex);
    struct error error = lock_locked(disk, path, file);
    pthread_mutex_unlock(&disk->mutex);
    return error;
}

/* Renames a file, or with to == NULL removes it. */
static struct error change_name(struct crash_file_system *disk, const char *path, const char *to)
{
    const struct crash_name *name = crash_names_find(&disk->names, path);
    if (name == NULL || name->inode == NULL)
        return disk->powerless ? power_error(path) : not_found(path);
    struct error error = begin_operation(disk, CRASH_OPERATION_NAME, path);
    if (error_is(error))
        return error;
    error = count_change(disk, path);
    if (to == NULL)
        crash_names_remove(&disk->names, path);
    else
        crash_names_rename(&disk->names, path, to);
    return error;
}

static struct error crash_rename(struct file_system *fs, const char *from, const char *to)
{
    struct crash_file_system *disk = disk_of(fs);
    pthread_mutex_lock(&disk->mutex);
    struct error error = change_name(disk, from, to);
    pthread_mutex_unlock(&disk->mutex);
    return error;
}

static struct error crash_remove(struct file_system *fs, const char *path)
{
    struct crash_file_system *disk = disk_of(fs);
    pthread_mutex_lock(&disk->mutex);
    struct error error = change_name(disk, path, NULL);
    pthread_mutex_unlock(&disk->mutex);
    return error;
}

static struct error crash_create_directory(struct file_system *fs, const char *path)
{
    struct crash_file_system *disk = disk_of(fs);
    char part[crash_path_bytes];
    size_t path_size = strlen(path);
    CHECK(path_size > 0 && path_size < sizeof part);
    pthread_mutex_lock(&disk->mutex);
    struct error error = disk->powerless ? power_error(path) : error_none();
    for (size_t i = 1; !error_is(error) && i <= path_size; i++) {
        if (path[i] != '/' && path[i] != '\0')
            continue;
        memcpy(part, path, i);
        part[i] = '\0';
        const struct crash_name *name = crash_names_find(&disk->names, part);
        if (name == NULL)
            crash_names_add_directory(&disk->names, part);
        else if (name->inode != NULL)
            error = error_make(ERROR_INPUT_OUTPUT, "%s: it is a file", part);
    }
    pthread_mutex_unlock(&disk->mutex);
    return error;
}

static struct error crash_sync_directory(struct file_system *fs, const char *path)
{
    struct crash_file_system *disk = disk_of(fs);
    pthread_mutex_lock(&disk->mutex);
    struct error error = begin_operation(disk, CRASH_OPERATION_SYNC_DIRECTORY, path);
    if (!error_is(error))
        error = count_change(disk, path);
    if (!error_is(error))
        crash_names_sync(&disk->names, path);
    pthread_mutex_unlock(&disk->mutex);
    return error;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The callback may use the file system, so it is called without the mutex, with copies. */
static struct error crash_list(struct file_system *fs, const char *path,
                               file_system_list_function *each, void *context)
{
    struct crash_file_system *disk = disk_of(fs);
    struct error error = error_none();
    size_t count = 0;
    pthread_mutex_lock(&disk->mutex);
    const struct crash_name_table *table = &disk->names.visible;
    char **names = crash_allocate(table->count * sizeof *names);
    const struct crash_name *directory = crash_names_find(&disk->names, path);
    if (disk->powerless)
        error = power_error(path);
    else if (strcmp(path, ".") != 0 && (directory == NULL || directory->inode != NULL))
        error = not_found(path);
    for (size_t i = 0; !error_is(error) && i < table->count; i++) {
        const char *name = crash_path_name(table->names[i].path);
        if (!crash_path_lies_in(table->names[i].path, path))
            continue;
        names[count] = crash_allocate(strlen(name) + 1);
        memcpy(names[count++], name, strlen(name) + 1);
    }
    pthread_mutex_unlock(&disk->mutex);
    if (count > 0)
        qsort(names, count, sizeof names[0], compare_names);
    for (size_t i = 0; i < count; i++) {
        each(context, names[i]);
        free(names[i]);
    }
    free(names);
    return error;
}

/* --- the disk --- */

struct crash_file_system *crash_file_system_create(uint64_t seed)
{
    static const struct file_system_table table = {
        .create_directory = crash_create_directory,
        .list = crash_list,
        .sync_directory = crash_sync_directory,
        .rename = crash_rename,
        .remove = crash_remove,
        .lock = crash_lock,
        .open = crash_open,
    };
    struct crash_file_system *disk = crash_allocate(sizeof *disk);
    *disk = (struct crash_file_system){.base = {.table = &table}};
    pthread_mutex_init(&disk->mutex, NULL);
    random_seeded_init(&disk->random, seed);
    crash_names_init(&disk->names);
    return disk;
}

void crash_file_system_destroy(struct crash_file_system *disk)
{
    if (disk == NULL)
        return;
    CHECK(disk->open_files == 0);
    crash_names_deinit(&disk->names);
    pthread_mutex_destroy(&disk->mutex);
    free(disk);
}

struct file_system *crash_file_system_port(struct crash_file_system *disk)
{
    return &disk->base;
}

void crash_file_system_set_fault(struct crash_file_system *disk, const struct crash_fault *fault)
{
    pthread_mutex_lock(&disk->mutex);
    disk->faults[fault->operation] = *fault;
    pthread_mutex_unlock(&disk->mutex);
}

void crash_file_system_set_room(struct crash_file_system *disk, uint64_t bytes)
{
    pthread_mutex_lock(&disk->mutex);
    disk->names.room = bytes;
    pthread_mutex_unlock(&disk->mutex);
}

void crash_file_system_cut_power(struct crash_file_system *disk, uint64_t at)
{
    pthread_mutex_lock(&disk->mutex);
    disk->power_cut_at = at == 0 ? 0 : disk->changes + at;
    pthread_mutex_unlock(&disk->mutex);
}

uint64_t crash_file_system_count(struct crash_file_system *disk, enum crash_operation operation)
{
    pthread_mutex_lock(&disk->mutex);
    uint64_t count = disk->counts[operation];
    pthread_mutex_unlock(&disk->mutex);
    return count;
}

uint64_t crash_file_system_changes(struct crash_file_system *disk)
{
    pthread_mutex_lock(&disk->mutex);
    uint64_t changes = disk->changes;
    pthread_mutex_unlock(&disk->mutex);
    return changes;
}

struct crash_file_system *crash_file_system_after_kill(struct crash_file_system *disk)
{
    struct crash_file_system *after = crash_file_system_create(0);
    pthread_mutex_lock(&disk->mutex);
    after->random = disk->random;
    crash_names_copy(&after->names, &disk->names);
    pthread_mutex_unlock(&disk->mutex);
    return after;
}

struct crash_file_system *crash_file_system_after_power_failure(struct crash_file_system *disk,
                                                                enum unsynced_fate fate,
                                                                uint64_t outcome)
{
    struct crash_file_system *after = crash_file_system_after_kill(disk);
    random_seeded_init(&after->random, outcome);
    crash_names_settle(&after->names, fate, &after->random.base);
    return after;
}
