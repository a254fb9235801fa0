/*
 * The machine's file system. Reads and writes loop until all is done, through short counts and
 * interrupted calls; file_sync is fdatasync, which includes the file's size. Names become durable
 * by syncing the directory. The lock is flock(2) on a file of its own: it goes when the process
 * goes, and a second holder in the same process is refused as well.
 *
 * What an earlier process wrote and never synced is only in the page cache; after a failed sync the
 * kernel even keeps pages as clean that never reached the disk (Rebello, ATC 2020). Opening for
 * writing therefore syncs the file and drops its cached pages, so that what is read afterwards is
 * what the disk holds.
 *
 * Failures are passed on with the path; nothing is retried but EINTR.
 */
#include "platform/base/memory.h"
#include "platform/storage/file_system.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

struct posix_file {
    struct file base;
    int descriptor;
    char path[]; /* for details of errors */
};

static struct posix_file *posix_file_of(struct file *file)
{
    return (struct posix_file *)file;
}

static struct error file_error(const struct posix_file *file, const char *what)
{
    return error_from_errno(errno, "%s: cannot %s", file->path, what);
}

static struct error posix_read(struct file *file, uint64_t offset, void *data, size_t size,
                               size_t *got)
{
    struct posix_file *own = posix_file_of(file);
    size_t done = 0;
    *got = 0;
    while (done < size) {
        ssize_t part =
            pread(own->descriptor, (char *)data + done, size - done, (off_t)(offset + done));
        if (part < 0 && errno == EINTR)
            continue;
        if (part < 0)
            return file_error(own, "read");
        if (part == 0)
            break;
        done += (size_t)part;
    }
    *got = done;
    return error_none();
}

static struct error posix_write(struct file *file, uint64_t offset, const void *data, size_t size)
{
    struct posix_file *own = posix_file_of(file);
    size_t done = 0;
    while (done < size) {
        ssize_t part =
            pwrite(own->descriptor, (const char *)data + done, size - done, (off_t)(offset + done));
        if (part < 0 && errno == EINTR)
            continue;
        if (part < 0)
            return file_error(own, "write");
        done += (size_t)part;
    }
    return error_none();
}

static struct error posix_sync(struct file *file)
{
    if (fdatasync(posix_file_of(file)->descriptor) != 0)
        return file_error(posix_file_of(file), "sync");
    return error_none();
}

static struct error posix_truncate(struct file *file, uint64_t size)
{
    int result;
    do {
        result = ftruncate(posix_file_of(file)->descriptor, (off_t)size);
    } while (result != 0 && errno == EINTR);
    return result == 0 ? error_none() : file_error(posix_file_of(file), "truncate");
}

static struct error posix_size(struct file *file, uint64_t *size)
{
    struct stat status;
    if (fstat(posix_file_of(file)->descriptor, &status) != 0)
        return file_error(posix_file_of(file), "read the size");
    *size = (uint64_t)status.st_size;
    return error_none();
}

static void posix_close(struct file *file)
{
    close(posix_file_of(file)->descriptor);
    memory_release(file);
}

static struct error open_descriptor(const char *path, int flags, struct posix_file **file)
{
    static const struct file_table table = {
        .read = posix_read,
        .write = posix_write,
        .sync = posix_sync,
        .truncate = posix_truncate,
        .size = posix_size,
        .close = posix_close,
    };
    size_t path_size = strlen(path) + 1;
    struct posix_file *made = memory_allocate_zero(1, sizeof *made + path_size);
    if (made == NULL)
        return error_make(ERROR_OUT_OF_MEMORY, "%s: cannot open", path);
    memcpy(made->path, path, path_size);
    made->base.table = &table;
    do {
        made->descriptor = open(path, flags | O_CLOEXEC, 0640);
    } while (made->descriptor < 0 && errno == EINTR);
    if (made->descriptor < 0) {
        struct error error = file_error(made, "open");
        memory_release(made);
        return error;
    }
    *file = made;
    return error_none();
}

static struct error posix_open(struct file_system *fs, const char *path, enum file_open_mode mode,
                               struct file **file)
{
    (void)fs;
    struct posix_file *made = NULL;
    int flags = O_RDONLY;
    switch (mode) {
    case FILE_OPEN_READ:
        break;
    case FILE_OPEN_READ_WRITE:
        flags = O_RDWR;
        break;
    case FILE_OPEN_CREATE:
        flags = O_RDWR | O_CREAT | O_EXCL;
        break;
    }
    struct error error = open_descriptor(path, flags, &made);
    if (error_is(error))
        return error;
    if (mode == FILE_OPEN_READ_WRITE) {
        error = posix_sync(&made->base);
        if (error_is(error)) {
            posix_close(&made->base);
            return error;
        }
        /* Only advice, but one that Linux follows for clean pages. */
        (void)posix_fadvise(made->descriptor, 0, 0, POSIX_FADV_DONTNEED);
    }
    *file = &made->base;
    return error_none();
}

static struct error posix_lock(struct file_system *fs, const char *path, struct file **file)
{
    (void)fs;
    struct posix_file *made = NULL;
    struct error error = open_descriptor(path, O_RDWR | O_CREAT, &made);
    if (error_is(error))
        return error;
    if (flock(made->descriptor, LOCK_EX | LOCK_NB) != 0) {
        error = errno == EWOULDBLOCK ? error_make(ERROR_LOCKED, "%s: somebody else holds it", path)
                                     : file_error(made, "lock");
        posix_close(&made->base);
        return error;
    }
    *file = &made->base;
    return error_none();
}

static struct error posix_sync_directory(struct file_system *fs, const char *path)
{
    (void)fs;
    struct posix_file *directory = NULL;
    struct error error = open_descriptor(path, O_RDONLY | O_DIRECTORY, &directory);
    if (error_is(error))
        return error;
    if (fsync(directory->descriptor) != 0)
        error = file_error(directory, "sync");
    posix_close(&directory->base);
    return error;
}

/* The directory that holds the last name of `path`. */
static void parent_of(const char *path, char parent[PATH_MAX])
{
    const char *slash = strrchr(path, '/');
    if (slash == NULL)
        snprintf(parent, PATH_MAX, ".");
    else if (slash == path)
        snprintf(parent, PATH_MAX, "/");
    else
        snprintf(parent, PATH_MAX, "%.*s", (int)(slash - path), path);
}

/* One level, made durable in its parent. */
static struct error create_one_directory(struct file_system *fs, const char *path)
{
    char parent[PATH_MAX];
    struct stat status;
    if (mkdir(path, 0750) == 0) {
        parent_of(path, parent);
        return posix_sync_directory(fs, parent);
    }
    if (errno != EEXIST)
        return error_from_errno(errno, "%s: cannot create the directory", path);
    if (stat(path, &status) != 0)
        return error_from_errno(errno, "%s: cannot look at it", path);
    if (!S_ISDIR(status.st_mode))
        return error_from_errno(ENOTDIR, "%s: cannot create the directory", path);
    return error_none();
}

static struct error posix_create_directory(struct file_system *fs, const char *path)
{
    char part[PATH_MAX];
    size_t size = strlen(path);
    if (size == 0 || size >= sizeof part)
        return error_from_errno(size == 0 ? ENOENT : ENAMETOOLONG,
                                "%s: cannot create the directory", path);
    while (size > 1 && path[size - 1] == '/')
        size--;
    for (size_t i = 1; i <= size; i++) {
        if (i < size && (path[i] != '/' || path[i - 1] == '/'))
            continue;
        snprintf(part, sizeof part, "%.*s", (int)i, path);
        struct error error = create_one_directory(fs, part);
        if (error_is(error))
            return error;
    }
    return error_none();
}

/* Names read from a directory, in a block that grows. */
struct name_list {
    char **names;
    size_t count;
    size_t capacity;
};

static void name_list_deinit(struct name_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        memory_release(list->names[i]);
    memory_release(list->names);
}

static bool name_list_add(struct name_list *list, const char *name)
{
    if (list->count == list->capacity) {
        size_t capacity = list->capacity == 0 ? 16 : 2 * list->capacity;
        char **names = memory_reallocate(list->names, capacity * sizeof *names);
        if (names == NULL)
            return false;
        list->names = names;
        list->capacity = capacity;
    }
    size_t size = strlen(name) + 1;
    char *copy = memory_allocate(size);
    if (copy == NULL)
        return false;
    memcpy(copy, name, size);
    list->names[list->count++] = copy;
    return true;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static struct error read_names(const char *path, struct name_list *list)
{
    DIR *directory = opendir(path);
    if (directory == NULL)
        return error_from_errno(errno, "%s: cannot list", path);
    struct error error = error_none();
    while (!error_is(error)) {
        errno = 0;
        struct dirent *entry = readdir(directory);
        if (entry == NULL) {
            if (errno != 0)
                error = error_from_errno(errno, "%s: cannot list", path);
            break;
        }
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 &&
            !name_list_add(list, entry->d_name))
            error = error_make(ERROR_OUT_OF_MEMORY, "%s: cannot list", path);
    }
    closedir(directory);
    return error;
}

static struct error posix_list(struct file_system *fs, const char *path,
                               file_system_list_function *each, void *context)
{
    (void)fs;
    struct name_list list = {0};
    struct error error = read_names(path, &list);
    if (!error_is(error) && list.count > 0)
        qsort(list.names, list.count, sizeof list.names[0], compare_names);
    for (size_t i = 0; !error_is(error) && i < list.count; i++)
        each(context, list.names[i]);
    name_list_deinit(&list);
    return error;
}

static struct error posix_rename(struct file_system *fs, const char *from, const char *to)
{
    (void)fs;
    if (rename(from, to) != 0)
        return error_from_errno(errno, "%s: cannot rename to %s", from, to);
    return error_none();
}

static struct error posix_remove(struct file_system *fs, const char *path)
{
    (void)fs;
    if (unlink(path) != 0)
        return error_from_errno(errno, "%s: cannot remove", path);
    return error_none();
}

struct file_system *file_system_posix(void)
{
    static const struct file_system_table table = {
        .create_directory = posix_create_directory,
        .list = posix_list,
        .sync_directory = posix_sync_directory,
        .rename = posix_rename,
        .remove = posix_remove,
        .lock = posix_lock,
        .open = posix_open,
    };
    static struct file_system file_system = {.table = &table};
    return &file_system;
}
