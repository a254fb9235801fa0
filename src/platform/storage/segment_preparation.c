/*
 * Filling goes on where it stopped: when the disk is full and the segment is needed, a repeat costs
 * one refused write and not the whole file again. Ahead of need the room is given back at once:
 * others may need it more. A file whose sync failed is thrown away, since nothing is known about
 * it.
 *
 * The thread takes no part in naming: that needs the chain's value at the end of the segment
 * before, which only the owner knows, when it is full.
 */
#include "platform/storage/segment_preparation.h"

#include "platform/base/check.h"
#include "platform/base/log.h"

#include <stdio.h>
#include <string.h>

/*
 * Written and synced at once: a commit's sync waits behind at most one such piece. (Measured at 80
 * MiB/s of commits: p99 1 to 2 ms; with 1 MiB a piece 2 to 4.)
 */
enum { fill_bytes = 256 * 1024 };

void segment_preparation_init(struct segment_preparation *preparation, struct file_system *fs,
                              const char *directory)
{
    *preparation = (struct segment_preparation){.fs = fs, .directory = directory};
    int size = snprintf(preparation->path, sizeof preparation->path, "%s/next.tmp", directory);
    CHECK(size > 0 && size < log_path_bytes);
    pthread_mutex_init(&preparation->mutex, NULL);
    pthread_cond_init(&preparation->changed, NULL);
}

/* The file is worth nothing any more. */
static void discard(struct segment_preparation *preparation)
{
    file_close(preparation->file);
    preparation->file = NULL;
    preparation->filled = 0;
}

/* Gives its room back; a leftover would be removed by the next preparation. */
static void remove_file(struct segment_preparation *preparation)
{
    discard(preparation);
    struct error error = file_system_remove(preparation->fs, preparation->path);
    (void)error;
}

static struct error create(struct segment_preparation *preparation)
{
    struct error error = file_system_remove(preparation->fs, preparation->path);
    if (error_is(error) && error.code != ERROR_NOT_FOUND)
        return error;
    preparation->filled = 0;
    return file_system_open(preparation->fs, preparation->path, FILE_OPEN_CREATE,
                            &preparation->file);
}

static struct error sync_or_discard(struct segment_preparation *preparation)
{
    struct error error = file_sync(preparation->file);
    if (error_is(error))
        discard(preparation);
    return error;
}

static struct error fill(struct segment_preparation *preparation)
{
    static char zeros[fill_bytes];
    struct error error = error_none();
    if (preparation->file == NULL)
        error = create(preparation);
    while (!error_is(error) && preparation->filled < preparation->bytes &&
           !atomic_load(&preparation->stopping)) {
        uint64_t left = preparation->bytes - preparation->filled;
        size_t size = left < sizeof zeros ? (size_t)left : sizeof zeros;
        error = file_write(preparation->file, preparation->filled, zeros, size);
        if (error_is(error))
            break;
        preparation->filled += size;
        error = sync_or_discard(preparation);
    }
    return error;
}

static void *run_thread(void *context)
{
    struct segment_preparation *preparation = context;
    pthread_mutex_lock(&preparation->mutex);
    while (!atomic_load(&preparation->stopping)) {
        if (preparation->state != PREPARATION_WANTED) {
            pthread_cond_wait(&preparation->changed, &preparation->mutex);
            continue;
        }
        pthread_mutex_unlock(&preparation->mutex);
        struct error error = fill(preparation);
        pthread_mutex_lock(&preparation->mutex);
        if (error_is(error) && !preparation->is_needed) {
            log_error("record log: the next segment could not be prepared", &error);
            remove_file(preparation);
        }
        preparation->error = error;
        preparation->state = error_is(error) ? PREPARATION_FAILED : PREPARATION_READY;
        pthread_cond_broadcast(&preparation->changed);
    }
    pthread_mutex_unlock(&preparation->mutex);
    return NULL;
}

struct error segment_preparation_start_thread(struct segment_preparation *preparation)
{
    int result = pthread_create(&preparation->thread, NULL, run_thread, preparation);
    if (result != 0)
        return error_make(ERROR_OUT_OF_MEMORY, "record log: cannot start a thread");
    preparation->has_thread = true;
    return error_none();
}

void segment_preparation_deinit(struct segment_preparation *preparation)
{
    if (preparation->has_thread) {
        pthread_mutex_lock(&preparation->mutex);
        atomic_store(&preparation->stopping, true);
        pthread_cond_broadcast(&preparation->changed);
        pthread_mutex_unlock(&preparation->mutex);
        pthread_join(preparation->thread, NULL);
    }
    if (preparation->file != NULL)
        remove_file(preparation);
    pthread_cond_destroy(&preparation->changed);
    pthread_mutex_destroy(&preparation->mutex);
}

void segment_preparation_request(struct segment_preparation *preparation, uint64_t bytes)
{
    pthread_mutex_lock(&preparation->mutex);
    if (preparation->state == PREPARATION_IDLE) {
        preparation->bytes = bytes;
        preparation->state = PREPARATION_WANTED;
        pthread_cond_broadcast(&preparation->changed);
    }
    pthread_mutex_unlock(&preparation->mutex);
}

/* Until the segment is full. A failure of earlier is forgotten: it is tried again first. */
static struct error make_ready(struct segment_preparation *preparation, uint64_t bytes)
{
    struct error error = error_none();
    segment_preparation_request(preparation, bytes);
    pthread_mutex_lock(&preparation->mutex);
    if (preparation->state == PREPARATION_FAILED)
        preparation->state = PREPARATION_WANTED;
    preparation->is_needed = true;
    if (preparation->has_thread) {
        pthread_cond_broadcast(&preparation->changed);
        while (preparation->state == PREPARATION_WANTED)
            pthread_cond_wait(&preparation->changed, &preparation->mutex);
    } else if (preparation->state == PREPARATION_WANTED) {
        preparation->error = fill(preparation);
        preparation->state = error_is(preparation->error) ? PREPARATION_FAILED : PREPARATION_READY;
    }
    if (preparation->state == PREPARATION_FAILED)
        error = preparation->error;
    preparation->is_needed = false;
    pthread_mutex_unlock(&preparation->mutex);
    return error;
}

/* Back to the start: the file was taken, or has to be made again. */
static void become_idle(struct segment_preparation *preparation)
{
    pthread_mutex_lock(&preparation->mutex);
    preparation->file = NULL;
    preparation->filled = 0;
    preparation->renamed = false;
    preparation->state = PREPARATION_IDLE;
    pthread_mutex_unlock(&preparation->mutex);
}

static struct error write_header(struct segment_preparation *preparation,
                                 const struct segment_header *header)
{
    char sector[segment_header_bytes];
    segment_header_encode(header, sector);
    struct error error = file_write(preparation->file, 0, sector, sizeof sector);
    if (error_is(error))
        return error;
    error = sync_or_discard(preparation);
    if (error_is(error))
        become_idle(preparation);
    return error;
}

struct error segment_preparation_take(struct segment_preparation *preparation, uint64_t bytes,
                                      struct segment_header *header, struct file **file)
{
    char path[log_path_bytes];
    struct error error = make_ready(preparation, bytes);
    if (error_is(error))
        return error;
    header->bytes = preparation->bytes;
    if (!preparation->renamed) {
        error = write_header(preparation, header);
        if (error_is(error))
            return error;
        segment_path(path, preparation->directory, header->base);
        error = file_system_rename(preparation->fs, preparation->path, path);
        if (error_is(error))
            return error;
        preparation->renamed = true;
    }
    error = file_system_sync_directory(preparation->fs, preparation->directory);
    if (error_is(error))
        return error;
    *file = preparation->file;
    become_idle(preparation);
    return error_none();
}
