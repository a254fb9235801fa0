#ifndef WAYBILL_TESTS_SUPPORT_STORAGE_CRASH_NAMES_H
#define WAYBILL_TESTS_SUPPORT_STORAGE_CRASH_NAMES_H

#include "platform/base/random.h"
#include "tests/support/storage/crash_file_image.h"

#include <stdbool.h>

/*
 * The names of the crash file system: as its readers see them, as the disk holds them, and the
 * changes between the two. A file lives as long as a name, a change or a handle refers to it.
 * Thread: one at a time.
 */
enum { crash_path_bytes = 1024 };

struct crash_inode {
    struct crash_file_image image;
    unsigned references; /* names, changes, handles */
    unsigned users;      /* visible names and handles: while there are any, it takes room */
    bool locked;
};

struct crash_name {
    char path[crash_path_bytes];
    struct crash_inode *inode; /* NULL for a directory */
};

struct crash_name_table {
    struct crash_name *names;
    size_t count;
    size_t capacity;
};

struct crash_names {
    struct crash_name_table visible; /* directories too */
    struct crash_name_table durable;
    struct crash_name_change *pending; /* in order */
    size_t pending_count;
    size_t pending_capacity;
    uint64_t room; /* by which files can grow; UINT64_MAX = no end */
};

void crash_names_init(struct crash_names *names);
void crash_names_deinit(struct crash_names *names);

/* A copy, files and pending changes included, with room without end. */
void crash_names_copy(struct crash_names *to, const struct crash_names *from);

/* The name as readers see it, or NULL; until the next change. */
const struct crash_name *crash_names_find(const struct crash_names *names, const char *path);

/* Whether the path lies directly in the directory ("." = the working directory). */
bool crash_path_lies_in(const char *path, const char *directory);

/* The path's last part. */
const char *crash_path_name(const char *path);

/* Whether the directory is there in which the path lies. */
bool crash_names_parent_exists(const struct crash_names *names, const char *path);

/* Adds a directory, durably. */
void crash_names_add_directory(struct crash_names *names, const char *path);

/* A new file; it goes with its last reference. */
struct crash_inode *crash_names_add_file(struct crash_names *names, const char *path);

/* Seen at once, durable with the directory. */
void crash_names_rename(struct crash_names *names, const char *from, const char *to);
void crash_names_remove(struct crash_names *names, const char *path);

/* All changes in the directory become durable. */
void crash_names_sync(struct crash_names *names, const char *directory);

/*
 * The power fails: each pending change of names and of files reaches the disk or not, and what
 * readers see is what the disk holds. No handle must be open.
 */
void crash_names_settle(struct crash_names *names, enum unsynced_fate fate, struct random *random);

/* For handles. */
void crash_inode_open(struct crash_names *names, struct crash_inode *inode);
void crash_inode_close(struct crash_names *names, struct crash_inode *inode);

/* How much of a write at `offset` there is room for; takes the room. */
size_t crash_inode_take_room(struct crash_names *names, const struct crash_inode *inode,
                             uint64_t offset, size_t size);

#endif
