#ifndef WAYBILL_PLATFORM_STORAGE_DECODED_LOG_H
#define WAYBILL_PLATFORM_STORAGE_DECODED_LOG_H

#include "platform/base/arena.h"
#include "platform/base/error.h"
#include "platform/base/random.h"
#include "platform/base/text.h"
#include "platform/storage/file_system.h"
#include "platform/storage/log_identity.h"
#include "platform/storage/record_log.h"
#include "platform/storage/record_log_reader_pool.h"

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A record log read as what its records tell (events, announcements): items decoded on reading, so
 * that nothing is written twice. A record makes its items always in the same way, so they are the
 * same on every read. An item's sequence lies from its record's position to before the record's
 * end, and they rise.
 *
 * Thread: any; the log must outlive it.
 */
struct decoded_log {
    struct record_log *log;
    struct record_log_reader_pool readers; /* keyed by the sequence they stand behind */
    char identity[log_identity_bytes];
    pthread_mutex_t mutex; /* guards wake and held */
    void (*wake)(void *context);
    void *wake_context;
    uint64_t (*held)(void *context);
    void *held_context;
};

/* Reads or makes the log's identity. DAMAGED, INPUT_OUTPUT, DISK_FULL, OUT_OF_MEMORY. */
__attribute__((warn_unused_result)) struct error decoded_log_init(struct decoded_log *decoded,
                                                                  struct record_log *log,
                                                                  struct file_system *file_system,
                                                                  const char *directory,
                                                                  struct random *random);

/* Nobody reads any more. Only after a successful _init. */
void decoded_log_deinit(struct decoded_log *decoded);

struct decoded_batch;

/*
 * Takes a record: decodes it and adds its items. The bytes are a copy on the batch's arena. False
 * ends the batch: it is full, or decoded_batch_fail… was called.
 */
typedef bool decoded_log_take(struct decoded_batch *batch, uint64_t position, struct text record);

struct decoded_batch {
    uint64_t after; /* to be set: items behind it are wanted, */
    size_t count_max;
    struct arena *arena; /* here, */
    size_t item_size;    /* of this size */
    const char *name;    /* of the records, for errors: "inventory" */
    decoded_log_take *take;
    void *context; /* of `take` */

    void *items; /* results, on the arena */
    size_t count;
    uint64_t next; /* read on after this */

    struct pooled_reader place; /* private from here */
    struct error error;
};

/*
 * Fills the batch; fewer than count_max if the arena is full. It blocks. Errors: CURSOR_EXPIRED
 * (`after` is not in what is kept), DAMAGED, INPUT_OUTPUT, OUT_OF_MEMORY (also: the arena is too
 * small for one item).
 */
__attribute__((warn_unused_result)) struct error decoded_log_read(struct decoded_log *decoded,
                                                                  struct decoded_batch *batch);

/* Copies the item into the batch if its sequence is behind `after`. False: the batch is full, it
 * was not taken. */
bool decoded_batch_add(struct decoded_batch *batch, const void *item, uint64_t sequence);

/* For `take`, which returns what they return: false. Without memory what was taken before is given
 * all the same. */
bool decoded_batch_fail_memory(struct decoded_batch *batch);
bool decoded_batch_fail_damaged(struct decoded_batch *batch, uint64_t position);

/* `after` for the oldest item kept, and for what comes from now on. */
uint64_t decoded_log_oldest(const struct decoded_log *decoded);
uint64_t decoded_log_newest(const struct decoded_log *decoded);

/* Called after each commit from now on, until it is set to NULL, which waits for a call under way.
 * One at a time. */
void decoded_log_set_wake(struct decoded_log *decoded, void (*wake)(void *context), void *context);

/* Who says behind which position everything must stay; as the wake. */
void decoded_log_set_held(struct decoded_log *decoded, uint64_t (*held)(void *context),
                          void *context);

/* Records were committed: wakes whoever waits. */
void decoded_log_committed(struct decoded_log *decoded);

/* The position behind which everything must stay; UINT64_MAX if nobody holds anything. */
uint64_t decoded_log_held(struct decoded_log *decoded);

#endif
