#ifndef WAYBILL_INVENTORY_INFRASTRUCTURE_EMBEDDED_EMBEDDED_REPOSITORY_H
#define WAYBILL_INVENTORY_INFRASTRUCTURE_EMBEDDED_EMBEDDED_REPOSITORY_H

#include "inventory/domain/inventory_event.h"
#include "inventory/domain/inventory_repository.h"
#include "platform/base/clock.h"
#include "platform/base/error.h"
#include "platform/base/random.h"
#include "platform/storage/file_system.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The inventory repository on this machine alone: state in memory, a record log on disk, one engine
 * thread that takes commands in batches, decides them one after the other, syncs once and answers
 * all (DESIGN section 5). `embedded:DIR`.
 */
struct embedded_repository_options {
    const char *directory; /* made if missing; one process at a time */
    struct file_system *file_system;
    struct clock *clock;
    struct random *random;          /* seeds the hash tables */
    int64_t retention_us;           /* of ids rolled back and expired, from their resolution */
    int64_t committed_retention_us; /* of ids committed, received and adjusted */
    uint64_t ids_max;        /* pending and retained; beyond it new ones are RETENTION_FULL */
    size_t queue_length_max; /* commands waiting; beyond it OVERLOADED */
    uint64_t segment_bytes;  /* of the record log's files */
    size_t batch_bytes_max;  /* of records synced at once */
    enum on_hand_source on_hand_source; /* a store of the other is refused */
    uint32_t list_buckets;      /* of orders and customers; the same for the life of a store */
    uint64_t list_examined_max; /* what one page of a list looks at, so that it ends */
    /*
     * True: the engine runs on a thread of its own. False, for tests and the simulator: everything
     * happens within embedded_repository_step, on the caller's thread.
     */
    bool threaded;
    /*
     * Threaded only: the store can no longer tell what is durable (a failed write or sync). Called
     * once, on the engine's thread; nothing is answered any more; the process must stop within a
     * second. NULL = print and abort.
     */
    void (*failed)(void *context, const struct error *error);
    void *failed_context;
};

/* What users get if they set nothing; directory is left NULL. */
struct embedded_repository_options embedded_repository_options_default(void);

/*
 * Opens the store, replays its log, expires what fell due meanwhile.
 * Errors: LOCKED, DAMAGED (with file and offset), INPUT_OUTPUT, DISK_FULL, OUT_OF_MEMORY.
 */
struct error embedded_repository_open(struct inventory_repository **repository,
                                      const struct embedded_repository_options *options);

/*
 * Not threaded: takes what is queued, decides, syncs, posts the completions. An error is final (as
 * `failed` above): nothing of the step is answered. With nothing queued it still expires what is
 * due and forgets ids past their retention.
 */
struct error embedded_repository_step(struct inventory_repository *repository);

/*
 * Answers what is queued, then stops and closes the log. NULL is allowed. Commands given to it
 * afterwards are a programmer's mistake.
 */
void embedded_repository_close(struct inventory_repository *repository);

/* Its events (inventory_event_reader.h); they live as long as the repository. */
struct inventory_event_source *embedded_repository_events(struct inventory_repository *repository);

/* How much it holds, as of its last step. Any thread. */
struct embedded_repository_usage {
    uint64_t skus;
    uint64_t pending_reservations;
    uint64_t ids; /* pending and retained */
    uint64_t log_bytes;
};
struct embedded_repository_usage embedded_repository_usage(struct inventory_repository *repository);

#endif
