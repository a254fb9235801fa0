#ifndef WAYBILL_INVENTORY_INFRASTRUCTURE_EMBEDDED_ENGINE_H
#define WAYBILL_INVENTORY_INFRASTRUCTURE_EMBEDDED_ENGINE_H

#include "inventory/domain/inventory_repository.h"
#include "inventory/infrastructure/embedded/embedded_repository.h"
#include "inventory/infrastructure/embedded/engine_state.h"
#include "inventory/infrastructure/embedded/inventory_record.h"
#include "inventory/infrastructure/embedded/ledger_verification.h"
#include "platform/base/buffer.h"
#include "platform/storage/record_log.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The engine: takes a batch of commands, decides each with the domain's pure functions on the state
 * in memory, appends the records, syncs once, answers all. One thread at a time;
 * embedded_repository.c gives it one, or a test steps it.
 */
enum inventory_command_kind {
    COMMAND_RECEIVE_STOCK,
    COMMAND_ADJUST_STOCK,
    COMMAND_SET_STOCK_POLICY,
    COMMAND_GET_STOCK,
    COMMAND_BATCH_GET_STOCK,
    COMMAND_LIST_STOCK,
    COMMAND_RESERVE,
    COMMAND_COMMIT,
    COMMAND_ROLLBACK,
    COMMAND_EXTEND_RESERVATION,
    COMMAND_RETURN_STOCK,
    COMMAND_LIST_RESERVATIONS,
    COMMAND_GET_RESERVATION,
    COMMAND_LIST_STOCK_ENTRIES,
    COMMAND_VERIFY_LEDGER,
    COMMAND_FOLLOW_SHELF,
    COMMAND_GET_SHELF_PLACE,
};

/* Where a ledger verification runs: a thread of the repository's, or at once. */
typedef void engine_verify_function(void *context, struct ledger_verification *verification);

struct engine {
    struct embedded_repository_options options;
    struct record_log *log;
    struct engine_state state;
    int64_t now_us; /* of the step; never runs back, never below a time stored */
    struct error
        claimed; /* of room on disk for the largest batch: an error = this step writes nothing */
    int64_t oldest_until_us[retention_class_count]; /* when the oldest retained id goes; 0 = look */
    bool has_source;                                /* the log says where on hand comes from */
    enum on_hand_source source;
    char shelf_log[shelf_log_bytes_max + 1]; /* how far the shelf was followed */
    uint64_t shelf_position;
    struct buffer record;                /* a record read from the log */
    struct inventory_record_lines lines; /* … and decoded */
    struct task *verifications;          /* VerifyLedger commands of this batch */
    engine_verify_function *verify;
    void *verify_context;
};

/* As embedded_repository_open. */
struct error engine_open(struct engine **engine, const struct embedded_repository_options *options,
                         engine_verify_function *verify, void *verify_context);
/* The same for looking only: takes no lock, changes nothing; it cannot be stepped. */
struct error engine_open_read_only(struct engine **engine,
                                   const struct embedded_repository_options *options);

/* NULL is allowed. */
void engine_close(struct engine *engine);

/*
 * One step: expires and forgets what is due, decides all commands, syncs, posts the completions. An
 * error is final: what is on disk is not known and nothing of the rest was answered.
 */
struct error engine_step(struct engine *engine, struct inventory_command **commands, size_t count);

/* When the next reservation expires; INT64_MAX if none is pending. */
int64_t engine_next_due_us(const struct engine *engine);

/* Whether the last step found no room on disk. */
bool engine_is_disk_full(const struct engine *engine);

/* --- within the engine --- */

/* Forgets the ids whose retention is over now. */
void engine_forget_due(struct engine *engine);

/* The shelf was followed to this place. */
void engine_set_shelf_place(struct engine *engine, struct shelf_place place);

/* Whether this step may append records; if not, the command has failed with why. */
bool engine_may_write(struct engine *engine, struct inventory_command *command);

/* Decides one command (engine_commands.c). If engine_may_write, the batch has room for its record.
 */
void engine_execute(struct engine *engine, struct inventory_command *command);

/* The command that a task belongs to. */
struct inventory_command *engine_command_of(struct task *task);

/* The command ends with an error instead of an outcome. */
void engine_fail(struct inventory_command *command, struct error error);

/* Where the record of an id is. It leaves engine->lines alone, but for ID_SPACE_RETURN. */
struct error engine_find_place(struct engine *engine, enum id_space space, struct text id,
                               struct id_place *place, bool *found);

/*
 * The record of a reservation, receipt, adjustment or return, decoded into engine->lines; it lives
 * until the next call of this or engine_record_at. *found is false if the id is unknown.
 */
struct error engine_find_record(struct engine *engine, enum id_space space, struct text id,
                                struct id_place *place, struct inventory_record *record,
                                bool *found);

/* The record at a position, decoded likewise. */
struct error engine_record_at(struct engine *engine, uint64_t position,
                              struct inventory_record *record);

/* Appends the record to the open batch, which has room for it, and gives its position. */
uint64_t engine_append(struct engine *engine, const struct inventory_record *record,
                       struct text *bytes);

/*
 * Resolves a pending reservation: `record` is its present one, decoded; `committed` has a quantity
 * a line, or is NULL for none. Writes the record of the state after it and changes every stock.
 * `record` is then the new one. Cannot fail: there is room in the batch and in memory.
 */
void engine_resolve(struct engine *engine, struct held_reservation *held,
                    struct inventory_record *record, enum reservation_state after,
                    int64_t resolve_time_us, const int64_t *committed);

/* Replays one record at start: record_log_replay_function (engine_recovery.c). */
struct error engine_replay(void *engine, uint64_t position, struct text bytes);

#endif
