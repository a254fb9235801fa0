#ifndef WAYBILL_PLATFORM_STORAGE_SEGMENT_PREPARATION_H
#define WAYBILL_PLATFORM_STORAGE_SEGMENT_PREPARATION_H

#include "platform/storage/file_system.h"
#include "platform/storage/record_log_format.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

/*
 * Makes the next segment of a log before it is needed: a file full of zeros and synced, because
 * overwriting such a file and syncing it costs less than half of what growing one does, and cannot
 * run out of room. It has a temporary name until it gets its header.
 *
 * Thread: the owner of the log; with a thread of its own, the filling happens there.
 */
enum preparation_state {
    PREPARATION_IDLE,   /* nobody has asked for a segment */
    PREPARATION_WANTED, /* being filled, or about to be */
    PREPARATION_READY,  /* full and synced */
    PREPARATION_FAILED, /* see `error` */
};

struct segment_preparation {
    struct file_system *fs;
    const char *directory;
    char path[log_path_bytes];
    /* Whoever fills: the thread between WANTED and READY or FAILED, else the owner. */
    struct file *file;
    uint64_t bytes;
    uint64_t filled;
    bool renamed; /* has its name already, but perhaps not durably */
    /* Between owner and thread. */
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    enum preparation_state state;
    struct error error;
    bool is_needed; /* the owner waits for it */
    bool has_thread;
    atomic_bool stopping;
    pthread_t thread;
};

/* `directory` must outlive it. */
void segment_preparation_init(struct segment_preparation *preparation, struct file_system *fs,
                              const char *directory);

/* Stops the thread and removes what was not used. */
void segment_preparation_deinit(struct segment_preparation *preparation);

/* Has a thread do the filling from now on. OUT_OF_MEMORY. */
struct error segment_preparation_start_thread(struct segment_preparation *preparation);

/* Asks for a segment of `bytes`, if none is asked for. Without a thread it is made when needed. */
void segment_preparation_request(struct segment_preparation *preparation, uint64_t bytes);

/*
 * Gives the segment its header and its name, both durably, and opens it as *file; made first or
 * waited for if need be, with `bytes` unless one was requested before. header->bytes is set.
 * DISK_FULL, OUT_OF_MEMORY: may be called again later, with the same header. Others are final.
 */
struct error segment_preparation_take(struct segment_preparation *preparation, uint64_t bytes,
                                      struct segment_header *header, struct file **file);

#endif
