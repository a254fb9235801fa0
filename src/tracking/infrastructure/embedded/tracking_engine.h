#ifndef WAYBILL_TRACKING_INFRASTRUCTURE_EMBEDDED_TRACKING_ENGINE_H
#define WAYBILL_TRACKING_INFRASTRUCTURE_EMBEDDED_TRACKING_ENGINE_H

#include "platform/base/buffer.h"
#include "platform/storage/record_log.h"
#include "tracking/domain/tracking_repository.h"
#include "tracking/infrastructure/embedded/embedded_tracking.h"
#include "tracking/infrastructure/embedded/parcel_cache.h"
#include "tracking/infrastructure/embedded/tracking_record.h"
#include "tracking/infrastructure/embedded/tracking_store.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The engine: takes a batch of commands, decides each by the domain's pure functions on the
 * parcels' summaries, appends the records, syncs once, writes into RocksDB, answers all. One thread
 * at a time; embedded_tracking.c gives it one, or a test steps it.
 */
enum tracking_command_kind {
    TRACKING_COMMAND_CREATE,
    TRACKING_COMMAND_GET,
    TRACKING_COMMAND_LIST_TRACKINGS,
    TRACKING_COMMAND_LIST_IDLE,
    TRACKING_COMMAND_RECORD_EVENT,
    TRACKING_COMMAND_RECORD_PING,
    TRACKING_COMMAND_LIST_EVENTS,
    TRACKING_COMMAND_REMAP,
    TRACKING_COMMAND_ERASE,
    TRACKING_COMMAND_PUT_NOTE,
    TRACKING_COMMAND_LIST_NOTES,
};

enum {
    tracking_commands_per_step_max = 8192,
    tracking_keys_max = 1000,
    tracking_value_bytes_max = 2 * 1024 * 1024, /* no value in RocksDB is longer */
};

/* An event of this step: in the log's open batch, not yet in RocksDB. */
struct tracking_pending_event {
    const struct parcel *parcel;
    size_t fact;
    uint64_t position;
};

enum { tracking_notes_per_batch_max = 256 };

/* A list to be read once the step is committed: by another thread, as of that instant. */
struct tracking_read {
    struct tracking_command *command;
    struct tracking_store *store;
    struct tracking_store_snapshot *snapshot;
    int64_t now_us;
    int64_t ping_oldest_us; /* older pings tell nothing */
    int64_t from_us;        /* ListEvents: the times asked for, within the generation's */
    int64_t to_us;
    const uint64_t *corrected; /* ListEvents: hashes of the ids that were withdrawn */
    size_t corrected_count;
    struct tracking_read *next;
};

struct tracking_read_queue {
    struct tracking_read *first;
    struct tracking_read **end;
};

enum checkpoint_state {
    CHECKPOINT_IDLE,
    CHECKPOINT_WRITING,  /* changed summaries go out, some in each step */
    CHECKPOINT_FLUSHING, /* another thread flushes */
};

struct tracking_checkpoint {
    enum checkpoint_state state;
    uint64_t position;         /* everything below it will be in it */
    uint64_t durable_position; /* of the last one: replay begins there */
    int64_t last_time_us;
    int64_t shortened_us; /* when the log's old parts were last looked at */
    uint64_t count;
};

enum { tracking_directory_bytes_max = 1024 };

struct tracking_engine {
    struct embedded_tracking_options options; /* its directory is the next member */
    char directory[tracking_directory_bytes_max];
    struct record_log *log;
    struct tracking_store *store;
    struct parcel_cache cache;
    size_t cache_bytes_max;
    int64_t now_us;        /* of the step; never runs back, never below a time stored */
    struct error claimed;  /* of room for the largest batch: an error = this step writes nothing */
    uint64_t replay_from;  /* records below it are in RocksDB */
    struct buffer value;   /* read from RocksDB or the log */
    struct buffer summary; /* being written */
    struct tracking_record record;
    struct tracking_record_lists lists;
    struct tracking_pending_event pending[tracking_commands_per_step_max];
    size_t pending_count;
    uint64_t pending_notes[tracking_notes_per_batch_max]; /* hashes of names put in this batch */
    size_t pending_note_count;
    struct tracking_read_queue reads; /* to be read after this step's commit */
    /* Lists of the indexes: until the summaries changed below the position are in RocksDB. */
    struct tracking_read_queue settling;
    uint64_t settling_position;
    struct tracking_read_queue to_settle; /* they come when those before them are through */
    bool end_of_batch;   /* what comes next must see this step's writes in RocksDB */
    struct task *remaps; /* RemapTrackings that wait or are under way, the first is */
    struct task **remaps_end;
    char remap_cursor[parcel_key_bytes_max]; /* the parcel it has come to */
    size_t remap_cursor_size;
    bool remap_started;
    bool remap_settled;      /* the summaries are in RocksDB, where it walks */
    uint64_t remap_position; /* those changed below it; 0 = not begun */
    bool remap_changed;      /* something of the parcel that it is at */
    struct tracking_store_key keys[tracking_keys_max]; /* found by a walk */
    struct tracking_store_key silence_after;           /* the sweep goes on there; size 0 = anew */
    int64_t next_sweep_us;                             /* of silence and old pings */
    int64_t pings_swept_day;
    uint64_t erased_position; /* of the last EraseTracking in the log; 0 = there is none */
    int64_t erased_since_us;  /* when the newest segment got its first; 0 = it has none */
    struct tracking_checkpoint checkpoint;
    uint64_t events_recorded;
    size_t step_commands; /* of the last step */
    /* Called to have a read done, a flush or nothing of the kind done; NULL = at once, here. */
    bool (*read_later)(void *context, struct tracking_read *read);
    bool (*flush_later)(void *context);
    void *later_context;
    _Atomic int flushed; /* by the thread that flushes: 1 = it is done */
    /* The position behind which the log must stay for its readers; NULL = nobody holds any of it.
     */
    uint64_t (*held)(void *context);
    void *held_context;
};

/* As embedded_tracking_open. */
struct error tracking_engine_open(struct tracking_engine **engine,
                                  const struct embedded_tracking_options *options, bool read_only);

/* The last checkpoint of an orderly end; it still asks `held`. DISK_FULL, INPUT_OUTPUT. */
struct error tracking_engine_finish(struct tracking_engine *engine);

/* NULL is allowed. Without tracking_engine_finish the next opening replays more of the log. */
void tracking_engine_close(struct tracking_engine *engine);

/*
 * One step: decides all commands, syncs, writes, posts the completions. An error is final: what is
 * durable is not known and nothing of the rest was answered.
 */
struct error tracking_engine_step(struct tracking_engine *engine,
                                  struct tracking_command **commands, size_t count);

/* Whether lists wait for summaries to be written: further steps answer them. */
bool tracking_engine_has_lists(const struct tracking_engine *engine);

/* Whether it has work of its own to go on with at once. */
bool tracking_engine_is_busy(const struct tracking_engine *engine);

/* --- within the engine --- */

struct tracking_command *tracking_command_of(struct task *task);

/* The command ends with an error instead of an outcome. */
void tracking_engine_fail(struct tracking_command *command, struct error error);

/* Whether this step may append records; if not, the command has failed with why. */
bool tracking_engine_may_write(struct tracking_engine *engine, struct tracking_command *command);

/* Whether it has to see what this batch has not yet put into RocksDB. */
bool tracking_engine_must_wait(const struct tracking_engine *engine,
                               const struct tracking_command *command);

/* Decides one command (tracking_commands.c). */
void tracking_engine_execute(struct tracking_engine *engine, struct tracking_command *command);

/* The parcel, loaded if need be; NULL if there is none. */
struct error tracking_engine_find(struct tracking_engine *engine, struct text carrier,
                                  struct text tracking_number, struct parcel **parcel);

/* A new one in the cache, without generations; NULL without memory. */
struct parcel *tracking_engine_add(struct tracking_engine *engine, struct text carrier,
                                   struct text tracking_number);

/* Appends the record and gives its position. There is room. */
uint64_t tracking_engine_append(struct tracking_engine *engine,
                                const struct tracking_record *record);

/* Puts an event where it is read from. */
void tracking_engine_put_event(struct tracking_engine *engine, const struct parcel *parcel,
                               const struct tracking_event *event);

/* Puts a ping where it is kept, and remembers the latest. */
void tracking_engine_put_ping(struct tracking_engine *engine, struct parcel *parcel,
                              const struct tracking_record *record);

/* Puts a note where it is kept, or takes it away. */
void tracking_engine_put_note(struct tracking_engine *engine, const struct tracking_note *note);

/* The event of a fact, copied to the arena. */
struct error tracking_engine_event(struct tracking_engine *engine, const struct parcel *parcel,
                                   size_t fact, struct arena *arena, struct tracking_event *event);

/* Takes all that a parcel has out of RocksDB and memory. */
void tracking_engine_erase(struct tracking_engine *engine, struct parcel *parcel);

/* The log has an erasure at that position: some day its segment is to go. */
void tracking_engine_note_erasure(struct tracking_engine *engine, uint64_t position);

/* How many pings of it are kept. */
struct error tracking_engine_count_pings(struct tracking_engine *engine,
                                         const struct parcel *parcel, int64_t *count);

/* Replays one record at start: record_log_replay_function (tracking_recovery.c). */
struct error tracking_engine_replay(void *engine, uint64_t position, struct text bytes);

/* --- tracking_checkpoint.c --- */

/* Puts summary and index entries into the store's batch; the parcel is not dirty any more. */
struct error tracking_engine_write_parcel(struct tracking_engine *engine, struct parcel *parcel);

/* After a commit: brings memory back within its bound. */
struct error tracking_engine_trim(struct tracking_engine *engine);

/*
 * After a commit: writes some of those changed below the position. *finished: none of them is left,
 * and what was written can be read.
 */
struct error tracking_engine_settle_some(struct tracking_engine *engine, uint64_t position,
                                         bool *finished);

/* After a commit: begins a checkpoint when it is time, goes on with one. */
struct error tracking_engine_checkpoint(struct tracking_engine *engine);

/* A whole checkpoint, now. */
struct error tracking_engine_checkpoint_now(struct tracking_engine *engine);

/* --- tracking_maintenance.c --- */

/* Goes on with the first RemapTrackings; its own batch must be open. */
struct error tracking_engine_remap_some(struct tracking_engine *engine, struct task **finished);

/* Tells of parcels that have been silent for too long, forgets old pings, as far as there is room.
 */
struct error tracking_engine_sweep(struct tracking_engine *engine);

/* --- tracking_reads.c; any thread --- */

/* Reads the list and fills in the command; does not post its completion. */
void tracking_read_run(struct tracking_read *read, struct buffer *value);

/* The event of that time and hash, copied to the arena. *found false: there is none. */
struct error tracking_read_event(struct tracking_store *store,
                                 const struct tracking_store_snapshot *snapshot, struct text parcel,
                                 int64_t time_us, uint64_t id_hash, struct arena *arena,
                                 struct tracking_event *event, bool *found);

/* Gives the event of a fact, copied to the arena. */
typedef struct error tracking_fetch_function(void *context, const struct parcel *parcel,
                                             size_t fact, struct arena *arena,
                                             struct tracking_event *event);

/*
 * Fills in a generation of a parcel on the arena. `event`, if given, is the content of fact
 * `known`; what else is needed is fetched.
 */
struct error tracking_describe(const struct parcel *parcel, size_t index, int64_t ping_oldest_us,
                               struct arena *arena, tracking_fetch_function *fetch, void *context,
                               const struct tracking_event *event, size_t known,
                               struct tracking *tracking);

/* Copies all texts of an event to the arena; false without memory. */
__attribute__((warn_unused_result)) bool tracking_event_copy(struct arena *arena,
                                                             struct tracking_event *event);

#endif
