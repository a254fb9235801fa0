/*
 * Changes apply to the visible table at once and are remembered; syncing the directory repeats them
 * on the durable one, and a crash repeats some of them.
 */
#include "tests/support/storage/crash_names.h"

#include "platform/base/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* `path` refers to `inode` from now on, or with NULL to nothing; `from` is the old name of a
 * rename. */
struct crash_name_change {
    char path[crash_path_bytes];
    char from[crash_path_bytes];
    struct crash_inode *inode;
};

/* --- paths --- */

/* The length of the directory's part; 0 = the working directory. */
static size_t parent_size(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash == NULL ? 0 : (size_t)(slash - path);
}

bool crash_path_lies_in(const char *path, const char *directory)
{
    size_t size = parent_size(path);
    if (strcmp(directory, ".") == 0)
        return size == 0;
    return size == strlen(directory) && strncmp(path, directory, size) == 0;
}

const char *crash_path_name(const char *path)
{
    size_t size = parent_size(path);
    return path[size] == '/' ? path + size + 1 : path;
}

static void copy_path(char to[crash_path_bytes], const char *path)
{
    int size = snprintf(to, crash_path_bytes, "%s", path);
    CHECK(size >= 0 && size < crash_path_bytes);
}

/* --- files --- */

static struct crash_inode *retain(struct crash_inode *inode)
{
    if (inode != NULL)
        inode->references++;
    return inode;
}

static void release(struct crash_inode *inode)
{
    if (inode == NULL || --inode->references > 0)
        return;
    crash_file_image_deinit(&inode->image);
    free(inode);
}

static void begin_use(struct crash_names *names, struct crash_inode *inode)
{
    if (inode != NULL && inode->users++ == 0 && names->room != UINT64_MAX)
        names->room -= inode->image.visible.size;
}

static void end_use(struct crash_names *names, struct crash_inode *inode)
{
    if (inode != NULL && --inode->users == 0 && names->room != UINT64_MAX)
        names->room += inode->image.visible.size;
}

void crash_inode_open(struct crash_names *names, struct crash_inode *inode)
{
    begin_use(names, retain(inode));
}

void crash_inode_close(struct crash_names *names, struct crash_inode *inode)
{
    end_use(names, inode);
    release(inode);
}

size_t crash_inode_take_room(struct crash_names *names, const struct crash_inode *inode,
                             uint64_t offset, size_t size)
{
    uint64_t present = inode->image.visible.size;
    if (names->room == UINT64_MAX || offset + size <= present)
        return size;
    uint64_t growth = offset + size - present;
    if (growth <= names->room) {
        names->room -= growth;
        return size;
    }
    uint64_t end = present + names->room;
    if (end <= offset)
        return 0;
    names->room = 0;
    return (size_t)(end - offset);
}

/* --- tables --- */

static struct crash_name *find(const struct crash_name_table *table, const char *path)
{
    for (size_t i = 0; i < table->count; i++) {
        if (strcmp(table->names[i].path, path) == 0)
            return &table->names[i];
    }
    return NULL;
}

static void remove_name(struct crash_names *names, struct crash_name_table *table, const char *path)
{
    struct crash_name *name = find(table, path);
    if (name == NULL)
        return;
    if (table == &names->visible)
        end_use(names, name->inode);
    release(name->inode);
    *name = table->names[--table->count];
}

static void set_name(struct crash_names *names, struct crash_name_table *table, const char *path,
                     struct crash_inode *inode)
{
    retain(inode);
    remove_name(names, table, path);
    if (table == &names->visible)
        begin_use(names, inode);
    if (table->count == table->capacity) {
        table->capacity = table->capacity == 0 ? 16 : 2 * table->capacity;
        table->names = crash_reallocate(table->names, table->capacity * sizeof *table->names);
    }
    struct crash_name *name = &table->names[table->count++];
    copy_path(name->path, path);
    name->inode = inode;
}

static void forget_names(struct crash_names *names, struct crash_name_table *table)
{
    while (table->count > 0)
        remove_name(names, table, table->names[table->count - 1].path);
}

/* --- changes --- */

static void apply(struct crash_names *names, struct crash_name_table *table,
                  const struct crash_name_change *change)
{
    const struct crash_name *old = find(table, change->from);
    if (old != NULL && old->inode == change->inode)
        remove_name(names, table, change->from);
    if (change->inode == NULL)
        remove_name(names, table, change->path);
    else
        set_name(names, table, change->path, change->inode);
}

/* Applies a change to what is visible and remembers it. */
static void change_name(struct crash_names *names, const char *path, const char *from,
                        struct crash_inode *inode)
{
    if (names->pending_count == names->pending_capacity) {
        names->pending_capacity = names->pending_capacity == 0 ? 8 : 2 * names->pending_capacity;
        names->pending =
            crash_reallocate(names->pending, names->pending_capacity * sizeof *names->pending);
    }
    struct crash_name_change *change = &names->pending[names->pending_count++];
    copy_path(change->path, path);
    copy_path(change->from, from);
    change->inode = retain(inode);
    apply(names, &names->visible, change);
}

static void forget_pending(struct crash_names *names)
{
    for (size_t i = 0; i < names->pending_count; i++)
        release(names->pending[i].inode);
    names->pending_count = 0;
}

/* --- the whole --- */

void crash_names_init(struct crash_names *names)
{
    *names = (struct crash_names){.room = UINT64_MAX};
}

void crash_names_deinit(struct crash_names *names)
{
    forget_pending(names);
    forget_names(names, &names->visible);
    forget_names(names, &names->durable);
    free(names->pending);
    free(names->visible.names);
    free(names->durable.names);
}

const struct crash_name *crash_names_find(const struct crash_names *names, const char *path)
{
    return find(&names->visible, path);
}

bool crash_names_parent_exists(const struct crash_names *names, const char *path)
{
    char parent[crash_path_bytes];
    copy_path(parent, path);
    parent[parent_size(path)] = '\0';
    const struct crash_name *name = find(&names->visible, parent);
    return parent[0] == '\0' || (name != NULL && name->inode == NULL);
}

void crash_names_add_directory(struct crash_names *names, const char *path)
{
    set_name(names, &names->visible, path, NULL);
    set_name(names, &names->durable, path, NULL);
}

struct crash_inode *crash_names_add_file(struct crash_names *names, const char *path)
{
    struct crash_inode *inode = crash_allocate(sizeof *inode);
    *inode = (struct crash_inode){0};
    crash_file_image_init(&inode->image);
    change_name(names, path, "", inode);
    return inode;
}

void crash_names_rename(struct crash_names *names, const char *from, const char *to)
{
    change_name(names, to, from, find(&names->visible, from)->inode);
}

void crash_names_remove(struct crash_names *names, const char *path)
{
    change_name(names, path, "", NULL);
}

void crash_names_sync(struct crash_names *names, const char *directory)
{
    size_t kept = 0;
    for (size_t i = 0; i < names->pending_count; i++) {
        if (!crash_path_lies_in(names->pending[i].path, directory)) {
            names->pending[kept++] = names->pending[i];
            continue;
        }
        apply(names, &names->durable, &names->pending[i]);
        release(names->pending[i].inode);
    }
    names->pending_count = kept;
}

void crash_names_settle(struct crash_names *names, enum unsynced_fate fate, struct random *random)
{
    for (size_t i = 0; i < names->pending_count; i++) {
        bool kept =
            fate == UNSYNCED_KEPT || (fate == UNSYNCED_RANDOM && random_below(random, 2) == 0);
        if (kept)
            apply(names, &names->durable, &names->pending[i]);
    }
    forget_pending(names);
    forget_names(names, &names->visible);
    for (size_t i = 0; i < names->durable.count; i++) {
        const struct crash_name *name = &names->durable.names[i];
        set_name(names, &names->visible, name->path, name->inode);
        if (name->inode == NULL)
            continue;
        crash_file_image_settle(&name->inode->image, fate, random);
        crash_file_image_reload(&name->inode->image);
    }
}

/* --- copying --- */

/* Files copied so far: one file may have several names and changes. */
struct inode_copies {
    struct crash_inode **from;
    struct crash_inode **to;
    size_t count;
};

static struct crash_inode *copy_inode(struct inode_copies *copies, struct crash_inode *inode)
{
    if (inode == NULL)
        return NULL;
    for (size_t i = 0; i < copies->count; i++) {
        if (copies->from[i] == inode)
            return copies->to[i];
    }
    struct crash_inode *copy = crash_allocate(sizeof *copy);
    *copy = (struct crash_inode){0};
    crash_file_image_copy(&copy->image, &inode->image);
    copies->from[copies->count] = inode;
    copies->to[copies->count++] = copy;
    return copy;
}

void crash_names_copy(struct crash_names *to, const struct crash_names *from)
{
    struct inode_copies copies = {0};
    size_t inodes_max = from->durable.count + from->pending_count;
    copies.from = crash_allocate(inodes_max * sizeof *copies.from);
    copies.to = crash_allocate(inodes_max * sizeof *copies.to);
    crash_names_init(to);
    for (size_t i = 0; i < from->durable.count; i++) {
        const struct crash_name *name = &from->durable.names[i];
        struct crash_inode *inode = copy_inode(&copies, name->inode);
        set_name(to, &to->durable, name->path, inode);
        set_name(to, &to->visible, name->path, inode);
    }
    for (size_t i = 0; i < from->pending_count; i++) {
        const struct crash_name_change *change = &from->pending[i];
        change_name(to, change->path, change->from, copy_inode(&copies, change->inode));
    }
    free(copies.from);
    free(copies.to);
}
