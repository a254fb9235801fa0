/*
 * Writes change `visible` at once and are remembered; a sync repeats them on `durable`, a crash
 * repeats some of them, or some of their sectors. Truncations are remembered likewise.
 */
#include "tests/support/storage/crash_file_image.h"

#include "platform/base/check.h"

#include <stdlib.h>
#include <string.h>

enum { sector_bytes = 512 };

/* A write, or with data == NULL a truncation to `offset`. */
struct pending_change {
    uint64_t offset;
    size_t size;
    char *data;
};

void *crash_allocate(size_t size)
{
    void *block = malloc(size == 0 ? 1 : size);
    CHECK(block != NULL);
    return block;
}

void *crash_reallocate(void *block, size_t size)
{
    void *larger = realloc(block, size == 0 ? 1 : size);
    CHECK(larger != NULL);
    return larger;
}

/* Bytes that appear by growing are zero. */
static void resize(struct crash_bytes *bytes, uint64_t size)
{
    if (size > bytes->capacity) {
        uint64_t capacity = size < 2 * bytes->capacity ? 2 * bytes->capacity : size;
        bytes->data = crash_reallocate(bytes->data, (size_t)capacity);
        bytes->capacity = capacity;
    }
    if (size > bytes->size)
        memset(bytes->data + bytes->size, 0, (size_t)(size - bytes->size));
    bytes->size = size;
}

static void put(struct crash_bytes *bytes, uint64_t offset, const char *data, size_t size)
{
    if (offset + size > bytes->size)
        resize(bytes, offset + size);
    if (size > 0)
        memcpy(bytes->data + offset, data, size);
}

static void copy_bytes(struct crash_bytes *to, const struct crash_bytes *from)
{
    resize(to, 0);
    put(to, 0, from->data, (size_t)from->size);
}

void crash_file_image_init(struct crash_file_image *image)
{
    *image = (struct crash_file_image){0};
}

static void forget_pending(struct crash_file_image *image)
{
    for (size_t i = 0; i < image->pending_count; i++)
        free(image->pending[i].data);
    image->pending_count = 0;
}

void crash_file_image_deinit(struct crash_file_image *image)
{
    forget_pending(image);
    free(image->pending);
    free(image->visible.data);
    free(image->durable.data);
}

static void remember(struct crash_file_image *image, uint64_t offset, const void *data, size_t size)
{
    if (image->pending_count == image->pending_capacity) {
        image->pending_capacity = image->pending_capacity == 0 ? 8 : 2 * image->pending_capacity;
        image->pending =
            crash_reallocate(image->pending, image->pending_capacity * sizeof *image->pending);
    }
    struct pending_change *change = &image->pending[image->pending_count++];
    *change = (struct pending_change){.offset = offset, .size = size};
    if (data != NULL) {
        change->data = crash_allocate(size);
        memcpy(change->data, data, size);
    }
}

void crash_file_image_copy(struct crash_file_image *to, const struct crash_file_image *from)
{
    crash_file_image_init(to);
    copy_bytes(&to->visible, &from->visible);
    copy_bytes(&to->durable, &from->durable);
    for (size_t i = 0; i < from->pending_count; i++)
        remember(to, from->pending[i].offset, from->pending[i].data, from->pending[i].size);
}

void crash_file_image_write(struct crash_file_image *image, uint64_t offset, const void *data,
                            size_t size)
{
    if (size == 0)
        return;
    put(&image->visible, offset, data, size);
    remember(image, offset, data, size);
}

void crash_file_image_truncate(struct crash_file_image *image, uint64_t size)
{
    resize(&image->visible, size);
    remember(image, size, NULL, 0);
}

static void keep(struct crash_bytes *disk, const struct pending_change *change)
{
    if (change->data == NULL)
        resize(disk, change->offset);
    else
        put(disk, change->offset, change->data, change->size);
}

/* A sector in which the power failed: none of it can be relied on, not even what was not written.
 */
static void garble(struct crash_bytes *disk, uint64_t offset, size_t size, struct random *random)
{
    uint64_t from = offset / sector_bytes * sector_bytes;
    uint64_t to = (offset + size + sector_bytes - 1) / sector_bytes * sector_bytes;
    if (offset + size > disk->size)
        resize(disk, offset + size);
    if (to > disk->size)
        to = disk->size;
    random_fill(random, disk->data + from, (size_t)(to - from));
}

static void settle_part(struct crash_bytes *disk, const struct pending_change *change, size_t from,
                        size_t size, struct random *random)
{
    struct pending_change part = {change->offset + from, size, change->data + from};
    switch (random_below(random, 3)) {
    case 0:
        keep(disk, &part);
        break;
    case 1:
        garble(disk, part.offset, part.size, random);
        break;
    }
}

static void settle_by_chance(struct crash_bytes *disk, const struct pending_change *change,
                             struct random *random)
{
    bool by_sector = random_below(random, 2) == 0;
    if (change->data == NULL) {
        if (by_sector)
            keep(disk, change);
        return;
    }
    if (random_below(random, 2) == 0 && change->offset + change->size > disk->size)
        resize(disk, change->offset + change->size);
    if (!by_sector) {
        settle_part(disk, change, 0, change->size, random);
        return;
    }
    for (size_t at = 0; at < change->size;) {
        size_t to_boundary = sector_bytes - (size_t)((change->offset + at) % sector_bytes);
        size_t size = change->size - at < to_boundary ? change->size - at : to_boundary;
        settle_part(disk, change, at, size, random);
        at += size;
    }
}

void crash_file_image_settle(struct crash_file_image *image, enum unsynced_fate fate,
                             struct random *random)
{
    for (size_t i = 0; i < image->pending_count; i++) {
        switch (fate) {
        case UNSYNCED_LOST:
            break;
        case UNSYNCED_KEPT:
            keep(&image->durable, &image->pending[i]);
            break;
        case UNSYNCED_RANDOM:
            settle_by_chance(&image->durable, &image->pending[i], random);
            break;
        }
    }
    forget_pending(image);
}

void crash_file_image_sync(struct crash_file_image *image)
{
    crash_file_image_settle(image, UNSYNCED_KEPT, NULL);
}

void crash_file_image_reload(struct crash_file_image *image)
{
    CHECK(image->pending_count == 0);
    copy_bytes(&image->visible, &image->durable);
}
