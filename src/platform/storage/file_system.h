#ifndef WAYBILL_PLATFORM_STORAGE_FILE_SYSTEM_H
#define WAYBILL_PLATFORM_STORAGE_FILE_SYSTEM_H

#include "platform/base/error.h"
#include "platform/base/text.h"

#include <stddef.h>
#include <stdint.h>

/*
 * Files are a port (DESIGN section 3 rule 9): the machine's, or one in memory that crashes, tears
 * and runs full when a test says so (tests/support/storage/crash_file_system.h). Paths are
 * NUL-terminated and relative to the working directory or absolute. All calls block. Thread: a file
 * belongs to one thread at a time, except file_read, which any thread may call while another one
 * writes elsewhere in the file; a file system may be used by any. Errors: INPUT_OUTPUT, NOT_FOUND,
 * DISK_FULL, LOCKED, OUT_OF_MEMORY, with the path in the detail.
 */
struct file_system;
struct file;

enum file_open_mode {
    FILE_OPEN_READ,       /* must exist */
    FILE_OPEN_READ_WRITE, /* must exist; what dead processes left unsynced is synced first, and what
                             is read afterwards is what the disk holds */
    FILE_OPEN_CREATE,     /* must not exist; read and write */
};

/* Called once a name, in ascending order of bytes; "." and ".." are left out. */
typedef void file_system_list_function(void *context, const char *name);

struct file_system_table {
    struct error (*create_directory)(struct file_system *fs, const char *path);
    struct error (*list)(struct file_system *fs, const char *path, file_system_list_function *each,
                         void *context);
    struct error (*sync_directory)(struct file_system *fs, const char *path);
    struct error (*rename)(struct file_system *fs, const char *from, const char *to);
    struct error (*remove)(struct file_system *fs, const char *path);
    struct error (*lock)(struct file_system *fs, const char *path, struct file **file);
    struct error (*open)(struct file_system *fs, const char *path, enum file_open_mode mode,
                         struct file **file);
};

struct file_table {
    struct error (*read)(struct file *file, uint64_t offset, void *data, size_t size, size_t *got);
    struct error (*write)(struct file *file, uint64_t offset, const void *data, size_t size);
    struct error (*sync)(struct file *file);
    struct error (*truncate)(struct file *file, uint64_t size);
    struct error (*size)(struct file *file, uint64_t *size);
    void (*close)(struct file *file);
};

struct file_system {
    const struct file_system_table *table;
};

struct file {
    const struct file_table *table;
};

/* Creates `path` and its parents, durably; no error if it is there. */
static inline struct error file_system_create_directory(struct file_system *fs, const char *path)
{
    return fs->table->create_directory(fs, path);
}

static inline struct error file_system_list(struct file_system *fs, const char *path,
                                            file_system_list_function *each, void *context)
{
    return fs->table->list(fs, path, each, context);
}

/* Makes names created, renamed and removed in the directory durable. */
static inline struct error file_system_sync_directory(struct file_system *fs, const char *path)
{
    return fs->table->sync_directory(fs, path);
}

/* Atomic; replaces `to`. */
static inline struct error file_system_rename(struct file_system *fs, const char *from,
                                              const char *to)
{
    return fs->table->rename(fs, from, to);
}

static inline struct error file_system_remove(struct file_system *fs, const char *path)
{
    return fs->table->remove(fs, path);
}

/*
 * Creates `path` if needed and holds an exclusive lock until file_close or the end of the process.
 * LOCKED if another process (or another holder in this one) has it.
 */
static inline struct error file_system_lock(struct file_system *fs, const char *path,
                                            struct file **file)
{
    return fs->table->lock(fs, path, file);
}

static inline struct error file_system_open(struct file_system *fs, const char *path,
                                            enum file_open_mode mode, struct file **file)
{
    return fs->table->open(fs, path, mode, file);
}

/* Reads up to `size` bytes; *got is less only at the end of the file. */
static inline struct error file_read(struct file *file, uint64_t offset, void *data, size_t size,
                                     size_t *got)
{
    return file->table->read(file, offset, data, size, got);
}

/* Writes all; on an error any part of it may have been written. Not durable before file_sync. */
static inline struct error file_write(struct file *file, uint64_t offset, const void *data,
                                      size_t size)
{
    return file->table->write(file, offset, data, size);
}

/*
 * Makes all bytes written so far durable (fdatasync). After an error nothing is known about any of
 * them and a repeat proves nothing (Rebello, ATC 2020): the caller must stop.
 */
static inline struct error file_sync(struct file *file)
{
    return file->table->sync(file);
}

static inline struct error file_truncate(struct file *file, uint64_t size)
{
    return file->table->truncate(file, size);
}

static inline struct error file_size(struct file *file, uint64_t *size)
{
    return file->table->size(file, size);
}

/* NULL is allowed. */
static inline void file_close(struct file *file)
{
    if (file != NULL)
        file->table->close(file);
}

/* The machine's file system. One object for the process. */
struct file_system *file_system_posix(void);

#endif
