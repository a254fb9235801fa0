/*
 * The happy path of a step: read the clock, claim room on disk for the largest batch, expire what
 * is due, decide the commands, commit the log (one write, one sync), post the answers. A batch that
 * fills up is committed and the step goes on with the next one, under the same `now`.
 *
 * Failures: no room on disk: writes answer DISK_FULL, reads go on, and what falls due is expired in
 * the log's reserve; when that is used up and something is due, reads answer DISK_FULL too. No
 * memory: that command answers OUT_OF_MEMORY and nothing of it has happened, because whatever may
 * fail is done before the first change. A failed write or sync ends the step with an error, and the
 * process with it.
 */
#include "inventory/infrastructure/embedded/engine.h"

#include "platform/base/check.h"
#include "platform/base/log.h"
#include "platform/base/memory.h"

#include <string.h>

static const char log_kind[] = "inventory";

void engine_set_shelf_place(struct engine *engine, struct shelf_place place)
{
    CHECK(place.log.size < sizeof engine->shelf_log);
    memcpy(engine->shelf_log, place.log.data, place.log.size);
    engine->shelf_log[place.log.size] = '\0';
    engine->shelf_position = place.position;
}

/* On hand has one source for the life of a store. */
static struct error other_source(const struct engine *engine)
{
    if (engine->source == ON_HAND_OWN)
        return error_make(
            ERROR_INVALID_SETTING,
            "%.120s has receipts of its own, but on_hand_source is warehouse; keep it "
            "as own, or to convert move the directory away, start, and let the "
            "warehouse's movements fill a new one",
            engine->options.directory);
    return error_make(ERROR_INVALID_SETTING,
                      "%.120s follows the warehouse, but on_hand_source is own; keep it as "
                      "warehouse, or to convert move the directory away, start, and receive what "
                      "is on the shelves into a new one",
                      engine->options.directory);
}

static struct error open_engine(struct engine **engine,
                                const struct embedded_repository_options *options, bool read_only)
{
    struct engine *made = memory_allocate_zero(1, sizeof *made);
    if (made == NULL)
        return error_make(ERROR_OUT_OF_MEMORY, "inventory engine");
    made->options = *options;
    buffer_init(&made->record, inventory_record_bytes_max);
    engine_state_init(&made->state, random_uint64(options->random));
    struct record_log_options log_options = {
        .directory = options->directory,
        .kind = log_kind,
        .record_version = inventory_record_version,
        .segment_bytes = options->segment_bytes,
        .batch_bytes_max = options->batch_bytes_max,
        .read_only = read_only,
        .background_prepare = options->threaded && !read_only,
    };
    CHECK(options->batch_bytes_max >= 2 * inventory_record_bytes_max);
    struct error error = error_make(ERROR_OUT_OF_MEMORY, "inventory engine");
    /* All its room at once: forgetting an id in time must not depend on memory at that time. */
    if (buffer_reserve(&made->record, inventory_record_bytes_max) &&
        reservation_lists_open(&made->state.lists, options->list_buckets))
        error =
            record_log_open(&made->log, options->file_system, &log_options, engine_replay, made);
    if (error_is(error)) {
        engine_close(made);
        return error;
    }
    *engine = made;
    return error_none();
}

struct error engine_open(struct engine **engine, const struct embedded_repository_options *options,
                         engine_verify_function *verify, void *verify_context)
{
    struct error error = open_engine(engine, options, false);
    if (error_is(error))
        return error;
    if ((*engine)->has_source && (*engine)->source != options->on_hand_source) {
        error = other_source(*engine);
        engine_close(*engine);
        *engine = NULL;
        return error;
    }
    (*engine)->verify = verify;
    (*engine)->verify_context = verify_context;
    return error_none();
}

struct error engine_open_read_only(struct engine **engine,
                                   const struct embedded_repository_options *options)
{
    return open_engine(engine, options, true);
}

void engine_close(struct engine *engine)
{
    if (engine == NULL)
        return;
    record_log_close(engine->log);
    engine_state_deinit(&engine->state);
    buffer_deinit(&engine->record);
    memory_release(engine);
}

int64_t engine_next_due_us(const struct engine *engine)
{
    const struct held_reservation *held = engine_state_next_due(&engine->state);
    return held == NULL ? INT64_MAX : held->expire_time_us;
}

void engine_fail(struct inventory_command *command, struct error error)
{
    static struct error out_of_memory = {.code = ERROR_OUT_OF_MEMORY, .detail = "inventory engine"};
    command->error = arena_allocate(command->arena, sizeof *command->error);
    if (command->error == NULL)
        command->error = &out_of_memory;
    else
        *command->error = error;
}

/* --- records --- */

static struct error decode(struct engine *engine, struct text bytes, uint64_t position,
                           struct inventory_record *record)
{
    if (!inventory_record_decode(bytes, &engine->lines, record))
        return error_make(ERROR_DAMAGED, "record at position %llu is no inventory record",
                          (unsigned long long)position);
    return error_none();
}

struct error engine_record_at(struct engine *engine, uint64_t position,
                              struct inventory_record *record)
{
    struct error error = record_log_read(engine->log, position, &engine->record);
    if (error_is(error))
        return error;
    return decode(engine, buffer_text(&engine->record), position, record);
}

struct id_lookup {
    struct engine *engine;
    enum id_space space;
    struct text id;
    struct error error;
};

/* The id that a record has in the space; the return's stands behind the reservation's. */
static bool identity_in(struct id_lookup *lookup, struct text bytes, struct text *id)
{
    enum inventory_record_type type;
    struct inventory_record record;
    if (lookup->space != ID_SPACE_RETURN)
        return inventory_record_identity(bytes, &type, id);
    if (!inventory_record_decode(bytes, &lookup->engine->lines, &record))
        return false;
    *id = record.return_id;
    return true;
}

/* Compares the id looked for with the one in the record at a place. */
static bool place_has_id(void *context, struct id_place place)
{
    struct id_lookup *lookup = context;
    struct buffer *read = &lookup->engine->record;
    struct text id;
    struct text bytes;
    if (place.held != NULL) {
        bytes = text_make(place.held->record, place.held->record_size);
    } else {
        struct error error = record_log_read(lookup->engine->log, place.position, read);
        if (error_is(error)) {
            lookup->error = error;
            return false;
        }
        bytes = buffer_text(read);
    }
    return identity_in(lookup, bytes, &id) && text_equal(id, lookup->id);
}

struct error engine_find_place(struct engine *engine, enum id_space space, struct text id,
                               struct id_place *place, bool *found)
{
    struct id_lookup lookup = {
        .engine = engine,
        .space = space,
        .id = id,
        .error = error_none(),
    };
    *found = engine_state_find_id(&engine->state, space, engine_state_id_hash(&engine->state, id),
                                  place_has_id, &lookup, place);
    return lookup.error;
}

struct error engine_find_record(struct engine *engine, enum id_space space, struct text id,
                                struct id_place *place, struct inventory_record *record,
                                bool *found)
{
    struct error error = engine_find_place(engine, space, id, place, found);
    if (error_is(error) || !*found)
        return error;
    if (place->held != NULL)
        return decode(engine, text_make(place->held->record, place->held->record_size),
                      place->held->position, record);
    return decode(engine, buffer_text(&engine->record), place->position, record);
}

uint64_t engine_append(struct engine *engine, const struct inventory_record *record,
                       struct text *bytes)
{
    uint64_t position;
    char *at = record_log_append_begin(engine->log, inventory_record_bytes_max, &position);
    size_t size = inventory_record_encode(record, at);
    CHECK(size <= inventory_record_bytes_max);
    record_log_append_end(engine->log, size);
    *bytes = text_make(at, size);
    return position;
}

static enum retention_class retention_of(enum reservation_state state)
{
    return state == RESERVATION_COMMITTED ? RETENTION_LONG : RETENTION_SHORT;
}

void engine_resolve(struct engine *engine, struct held_reservation *held,
                    struct inventory_record *record, enum reservation_state after,
                    int64_t resolve_time_us, const int64_t *committed)
{
    struct sku *skus[inventory_lines_max];
    struct stock stocks[inventory_lines_max];
    struct stock_entry entries[2];
    struct text bytes;
    static const enum reservation_change changes[] = {
        [RESERVATION_PENDING] = CHANGE_RESERVED,
        [RESERVATION_COMMITTED] = CHANGE_COMMITTED,
        [RESERVATION_ROLLED_BACK] = CHANGE_ROLLED_BACK,
        [RESERVATION_EXPIRED] = CHANGE_EXPIRED,
    };
    struct reservation *reservation = &record->reservation;
    reservation->state = after;
    reservation->resolve_time_us = resolve_time_us;
    record->change = changes[after];
    record->time_us = resolve_time_us;
    for (size_t i = 0; i < reservation->line_count; i++) {
        struct reservation_line *line = &reservation->lines[i];
        skus[i] = engine_state_sku(&engine->state, line->sku);
        CHECK(skus[i] != NULL);
        line->committed_quantity = committed == NULL ? 0 : committed[i];
        stock_settle(&skus[i]->stock, line->quantity, line->committed_quantity, resolve_time_us,
                     &stocks[i]);
        line->stock_revision = stocks[i].revision;
        record->links[i] = sku_next_link(skus[i]);
        record->crossings[i] = stock_crossing(&skus[i]->stock, &stocks[i], false);
    }
    uint64_t position = engine_append(engine, record, &bytes);
    for (size_t i = 0; i < reservation->line_count; i++)
        sku_changed(skus[i], &stocks[i], position, inventory_record_entries(record, i, entries));
    engine_state_resolve(&engine->state, engine_state_id_hash(&engine->state, record->id), held,
                         position, retention_of(after));
}

/* --- the step --- */

static bool batch_has_room(const struct engine *engine)
{
    return record_log_room(engine->log) >= inventory_record_bytes_max;
}

/*
 * Expires what is due, in the order of time, as far as this batch has room; *expired tells whether
 * there was any. `record` views the held
 * record, which engine_resolve releases last.
 */
static struct error expire_due(struct engine *engine, bool *expired)
{
    struct held_reservation *held = engine_state_next_due(&engine->state);
    *expired = false;
    while (held != NULL && reservation_is_due(held->expire_time_us, engine->now_us) &&
           batch_has_room(engine)) {
        struct inventory_record record;
        struct error error =
            decode(engine, text_make(held->record, held->record_size), held->position, &record);
        if (error_is(error))
            return error;
        engine_resolve(engine, held, &record, RESERVATION_EXPIRED, held->expire_time_us, NULL);
        *expired = true;
        held = engine_state_next_due(&engine->state);
    }
    return error_none();
}

static bool nothing_is_due(const struct engine *engine)
{
    return engine_next_due_us(engine) > engine->now_us;
}

/* Forgets the ids that a retained record stands for, as far as no later record does. */
static void forget_ids(struct engine *engine, const struct inventory_record *record,
                       uint64_t position)
{
    static const enum id_space space_of_type[] = {
        [RECORD_STOCK_RECEIVED] = ID_SPACE_RECEIPT,
        [RECORD_STOCK_ADJUSTED] = ID_SPACE_ADJUSTMENT,
        [RECORD_RESERVATION] = ID_SPACE_RESERVATION,
    };
    struct engine_state *state = &engine->state;
    engine_state_forget(state, space_of_type[record->type], engine_state_id_hash(state, record->id),
                        position);
    if (record->type == RECORD_RESERVATION && record->change == CHANGE_RETURNED)
        engine_state_forget(state, ID_SPACE_RETURN, engine_state_id_hash(state, record->return_id),
                            position);
}

/* Forgets ids whose retention is over. One that cannot be read now is tried again in the next step.
 */
static void forget_retained(struct engine *engine, enum retention_class retention,
                            int64_t retention_us)
{
    uint64_t position;
    while (engine_state_oldest(&engine->state, retention, &position) &&
           engine->oldest_until_us[retention] <= engine->now_us) {
        struct inventory_record record;
        struct error error = engine_record_at(engine, position, &record);
        if (error_is(error)) {
            log_error("inventory: an id past its retention cannot be read", &error);
            return;
        }
        engine->oldest_until_us[retention] = record.time_us + retention_us;
        if (engine->oldest_until_us[retention] > engine->now_us)
            return;
        engine_state_pop_oldest(&engine->state, retention);
        forget_ids(engine, &record, position);
        engine->oldest_until_us[retention] = 0;
    }
}

void engine_forget_due(struct engine *engine)
{
    forget_retained(engine, RETENTION_SHORT, engine->options.retention_us);
    forget_retained(engine, RETENTION_LONG, engine->options.committed_retention_us);
}

/* After a commit: hands the verifications asked for to whoever runs them. */
static void start_verifications(struct engine *engine)
{
    while (engine->verifications != NULL) {
        struct verify_ledger_command *command =
            (struct verify_ledger_command *)engine_command_of(engine->verifications);
        engine->verifications = engine->verifications->next;
        struct ledger_verification *verification =
            ledger_verification_create(command, engine->log, &engine->state);
        if (verification == NULL) {
            engine_fail(&command->base,
                        error_make(ERROR_OUT_OF_MEMORY, "no memory to verify the ledger"));
            executor_post(command->base.executor, &command->base.task);
            continue;
        }
        engine->verify(engine->verify_context, verification);
    }
}

/* A verification that has begun is answered by whoever runs it. */
static bool is_answered(const struct inventory_command *command)
{
    return command->kind != COMMAND_VERIFY_LEDGER || command->error != NULL;
}

/* Posts the answers, one chain for each run of commands of the same executor. */
static void post_completions(struct inventory_command **commands, size_t count)
{
    struct completion_run run = {0};
    for (size_t i = 0; i < count; i++) {
        struct inventory_command *command = commands[i];
        if (is_answered(command))
            completion_run_add(&run, command->executor, &command->task);
    }
    completion_run_post(&run);
}

struct inventory_command *engine_command_of(struct task *task)
{
    return (struct inventory_command *)((char *)task - offsetof(struct inventory_command, task));
}

static void run_completion(struct task *task)
{
    struct inventory_command *command = engine_command_of(task);
    command->done(command->context, command->error);
}

bool engine_may_write(struct engine *engine, struct inventory_command *command)
{
    if (!error_is(engine->claimed))
        return true;
    engine_fail(command, engine->claimed);
    return false;
}

bool engine_is_disk_full(const struct engine *engine)
{
    return error_is(engine->claimed);
}

/* Decides commands as long as the batch has room, and tells how many. */
static size_t decide(struct engine *engine, struct inventory_command **commands, size_t count)
{
    bool may_write = !error_is(engine->claimed);
    bool may_read =
        nothing_is_due(engine); /* what is due and cannot be expired must not be counted */
    size_t decided = 0;
    while (decided < count && (!may_write || batch_has_room(engine))) {
        struct inventory_command *command = commands[decided++];
        command->error = NULL;
        command->outcome = INVENTORY_DONE;
        command->task.run = run_completion;
        if (may_write || may_read)
            engine_execute(engine, command);
        else
            engine_fail(command, engine->claimed);
    }
    return decided;
}

struct error engine_step(struct engine *engine, struct inventory_command **commands, size_t count)
{
    int64_t clock_us = clock_now_us(engine->options.clock);
    size_t answered = 0;
    bool expired;
    if (clock_us > engine->now_us)
        engine->now_us = clock_us;
    do {
        engine->claimed = record_log_claim(engine->log);
        if (error_is(engine->claimed))
            record_log_claim_reserve(engine->log);
        struct error error = expire_due(engine, &expired);
        if (error_is(error))
            return error;
        engine_forget_due(engine);
        size_t decided = 0;
        if (nothing_is_due(engine) || !expired) /* what is left comes before any command */
            decided = decide(engine, commands + answered, count - answered);
        error = record_log_commit(engine->log);
        if (error_is(error))
            return error;
        post_completions(commands + answered, decided);
        answered += decided;
        start_verifications(engine);
        if (error_is(engine->claimed) && answered == count)
            break; /* what is due waits for space */
    } while (answered < count || !nothing_is_due(engine));
    return error_none();
}
