#ifndef WAYBILL_TRACKING_INFRASTRUCTURE_EMBEDDED_TRACKING_STORE_H
#define WAYBILL_TRACKING_INFRASTRUCTURE_EMBEDDED_TRACKING_STORE_H

#include "platform/base/buffer.h"
#include "platform/base/error.h"
#include "platform/base/text.h"
#include "tracking/infrastructure/embedded/parcel.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * What lies behind the record log: a RocksDB without a log of its own. What was written into it is
 * durable after a flush, and always up to some point of the order of writing, everything before and
 * nothing behind it (one column family: memory tables are flushed in their order). So whoever
 * writes "everything up to log position P is in here" as the last thing may, after any crash,
 * replay from the P found.
 *
 * Keys (P = carrier, NUL, number, NUL; times and counts big-endian, so that they sort):
 *
 *     a time P generation     the latest activity of a tracking that is on its way
 *     b time P generation     the same where silence was told of that activity
 *     e P time event_id       an event
 *     g day P time            a ping
 *     m name                  the store's own
 *     t time                  where the log ended at that time
 *     n name                  a note
 *     o order NUL P generation    index by order
 *     p P                     a parcel's summary
 *     s status P generation   index by status
 *
 * Errors: RocksDB tells them as texts. "No space" becomes DISK_FULL, "Corruption" DAMAGED, all
 * others INPUT_OUTPUT. Any error of writing or flushing is final: the process must stop.
 *
 * Thread: writing and the batch belong to one thread; reading, snapshots, flushing and compacting
 * to any.
 */
struct tracking_store;
struct tracking_store_snapshot;
struct tracking_store_iterator;

struct tracking_store_options {
    const char *directory;     /* made if missing */
    size_t memory_table_bytes; /* of all memory tables together */
    size_t block_cache_bytes;  /* index and filter blocks included */
    int background_jobs;       /* flushes and compactions at once */
    bool read_only;
};

struct error tracking_store_open(struct tracking_store **store,
                                 const struct tracking_store_options *options);

/* NULL is allowed. */
void tracking_store_close(struct tracking_store *store);

/* --- keys --- */

enum { tracking_store_key_bytes_max = 320 };

struct tracking_store_key {
    char bytes[tracking_store_key_bytes_max];
    size_t size;
};

struct tracking_store_key tracking_key_event(struct text parcel, int64_t time_us, struct text id);
struct tracking_store_key tracking_key_ping(struct text parcel, int64_t time_us);
struct tracking_store_key tracking_key_ping_day(int64_t day); /* before all pings of that day */
struct tracking_store_key tracking_key_ping_of_day(int64_t day, struct text parcel);
struct tracking_store_key tracking_key_parcel(struct text parcel);
struct tracking_store_key tracking_key_order(struct text order_id, struct text parcel,
                                             int32_t generation);
struct tracking_store_key tracking_key_status(uint8_t status, struct text parcel,
                                              int32_t generation);
struct tracking_store_key tracking_key_activity(bool told, int64_t time_us, struct text parcel,
                                                int32_t generation);
struct tracking_store_key tracking_key_meta(const char *name);
struct tracking_store_key tracking_key_mark(int64_t time_us);
struct tracking_store_key tracking_key_note(struct text name);

/* The first key behind all that begin with this one. */
struct tracking_store_key tracking_key_end(struct tracking_store_key prefix);

/* The days since 1970 of a time. */
int64_t tracking_day_of(int64_t time_us);

/* Reads back what an index key names behind its first `skip` bytes; false if it is none. */
bool tracking_key_read_parcel(struct text key, size_t skip, struct text *parcel,
                              int32_t *generation);

/* --- writing: into a batch in memory, then all at once --- */

/* Called once by the thread that writes: RocksDB then counts nothing of what it does there. */
void tracking_store_writer_begins(void);

void tracking_store_put(struct tracking_store *store, const struct tracking_store_key *key,
                        struct text value);
void tracking_store_delete(struct tracking_store *store, const struct tracking_store_key *key);
void tracking_store_delete_range(struct tracking_store *store,
                                 const struct tracking_store_key *from,
                                 const struct tracking_store_key *to);
size_t tracking_store_batch_bytes(const struct tracking_store *store);

/* Applies the batch and empties it. It can be read then, and is durable after a flush. */
struct error tracking_store_write(struct tracking_store *store);

/* Makes durable what was written. Blocks; not the writer's thread. */
struct error tracking_store_flush(struct tracking_store *store);

/* Has what was deleted between the keys leave the files, too. Blocks. */
void tracking_store_compact(struct tracking_store *store, const struct tracking_store_key *from,
                            const struct tracking_store_key *to);

/* An error that a flush or compaction met in the background. */
struct error tracking_store_background_error(struct tracking_store *store);

/* --- reading --- */

/* The value, copied in place of what is in `value`. *found false: there is none. */
struct error tracking_store_get(struct tracking_store *store,
                                const struct tracking_store_snapshot *snapshot,
                                const struct tracking_store_key *key, struct buffer *value,
                                bool *found);

/* What has been written so far, as long as it is held. */
struct tracking_store_snapshot *tracking_store_snapshot_take(struct tracking_store *store);
void tracking_store_snapshot_release(struct tracking_store *store,
                                     struct tracking_store_snapshot *snapshot);

/*
 * Walks the keys from `from` on, before `to`, or backwards from before `to` to `from`. snapshot
 * NULL = as it is now. NULL without memory. Keys and values live until the next step.
 */
struct tracking_store_iterator *tracking_store_iterate(
    struct tracking_store *store, const struct tracking_store_snapshot *snapshot,
    const struct tracking_store_key *from, const struct tracking_store_key *to, bool backwards);
bool tracking_store_iterator_next(struct tracking_store_iterator *iterator, struct text *key,
                                  struct text *value);

/* Whether the walk ended because of an error; releases it. */
struct error tracking_store_iterator_end(struct tracking_store_iterator *iterator);

/* --- figures --- */

/* A property of RocksDB's by name; 0 if it does not tell. */
uint64_t tracking_store_property(struct tracking_store *store, const char *name);

/* What an error text of RocksDB's means; pinned by a test. */
enum error_code tracking_store_error_code(const char *text);

/* Leaves of RocksDB's file names in a text what stands behind the directory: so they are not cut.
 */
void tracking_store_shorten_error(const char *directory, char *text);

#endif
