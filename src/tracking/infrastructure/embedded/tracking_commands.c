/*
 * One function a command. Each has the same shape: find the parcel, let the domain decide, ask for
 * all memory, then change: append the record, put the event, apply. After the first change only
 * the filling in of the answer may fail; the caller then sends the same again.
 */
#include "tracking/infrastructure/embedded/tracking_engine.h"

#include <string.h>

static bool fail_if(struct tracking_command *command, struct error error)
{
    if (error_is(error))
        tracking_engine_fail(command, error);
    return error_is(error);
}

static void fail_without_memory(struct tracking_command *command)
{
    tracking_engine_fail(command, error_make(ERROR_OUT_OF_MEMORY, "tracking engine"));
}

/* --- answers --- */

static struct error fetch(void *context, const struct parcel *parcel, size_t fact,
                          struct arena *arena, struct tracking_event *event)
{
    return tracking_engine_event(context, parcel, fact, arena, event);
}

/* Fills in a tracking on the command's arena; `event` is the content of fact `known`, if given. */
static struct error describe(struct tracking_engine *engine, const struct parcel *parcel,
                             size_t index, struct arena *arena, const struct tracking_event *event,
                             size_t known, struct tracking *tracking)
{
    return tracking_describe(parcel, index, engine->now_us - engine->options.ping_retention_us,
                             arena, fetch, engine, event, known, tracking);
}

/* --- RecordEvent --- */

/* The id is known: the same event answers with the record, another one is refused. */
static void repeat_event(struct tracking_engine *engine, struct record_event_command *command,
                         struct parcel *parcel, size_t fact)
{
    struct tracking_event kept = {0};
    if (fail_if(&command->base,
                tracking_engine_event(engine, parcel, fact, command->base.arena, &kept)))
        return;
    kept.carrier = command->event.carrier;
    kept.tracking_number = command->event.tracking_number;
    if (!text_equal(kept.event_id, command->event.event_id) ||
        !tracking_event_same_content(&kept, &command->event)) {
        command->base.outcome = TRACKING_ID_REUSED;
        return;
    }
    size_t index = tracking_generation_of(parcel->generations, parcel->generation_count,
                                          kept.occurred_time_us);
    command->event = kept;
    command->is_new = false;
    if (command->wants_tracking)
        fail_if(&command->base, describe(engine, parcel, index, command->base.arena, &kept, fact,
                                         &command->tracking));
}

/* A parcel that an event alone makes: one generation that nobody created. */
static struct parcel *make_parcel(struct tracking_engine *engine, struct text carrier,
                                  struct text tracking_number)
{
    struct tracking_generation generation = {.create_time_us = engine->now_us};
    struct parcel *parcel = tracking_engine_add(engine, carrier, tracking_number);
    if (parcel == NULL)
        return NULL;
    char *texts = parcel_reserve_generation(parcel, &generation, 0);
    if (texts == NULL) {
        parcel_cache_drop(&engine->cache, parcel);
        return NULL;
    }
    parcel_set_generation(parcel, 0, &generation, texts);
    return parcel;
}

/* How the tracking stands before a change. */
static void change_begin(const struct parcel *parcel, size_t index, struct tracking_change *change)
{
    struct tracking_verdict verdict = parcel_decide(parcel, index);
    *change = (struct tracking_change){
        .previous_status = verdict.status,
        .previous_expected_delivery_time_us = verdict.expected_delivery_time_us,
    };
}

/* How it stands after it; `fact` is the event's, or tracking_no_fact. */
static void change_end(struct parcel *parcel, size_t index, size_t fact,
                       struct tracking_change *change)
{
    struct tracking_verdict verdict = parcel_decide(parcel, index);
    parcel->revision++;
    parcel_describe(parcel, index, &verdict, &change->after);
    change->last_is_event = fact != tracking_no_fact && verdict.last_fact == fact;
    change->location_is_event = fact != tracking_no_fact && verdict.located_fact == fact;
    change->is_delivered_now = verdict.status == TRACKING_STATUS_DELIVERED &&
                               change->previous_status != TRACKING_STATUS_DELIVERED;
}

static void begin_record(struct tracking_engine *engine, enum tracking_record_type type,
                         const struct parcel *parcel)
{
    engine->record = (struct tracking_record){
        .type = type,
        .time_us = engine->now_us,
        .carrier = parcel->carrier,
        .tracking_number = parcel->tracking_number,
    };
}

static void end_record(struct tracking_engine *engine, struct parcel *parcel)
{
    parcel->last_position = tracking_engine_append(engine, &engine->record);
    parcel_cache_changed(&engine->cache, parcel, parcel->last_position);
}

/* Appends and applies a new event. Cannot fail. */
static void add_event(struct tracking_engine *engine, struct parcel *parcel,
                      struct tracking_event *event)
{
    size_t index = tracking_generation_of(parcel->generations, parcel->generation_count,
                                          event->occurred_time_us);
    size_t fact = parcel->fact_count;
    event->record_time_us = engine->now_us;
    begin_record(engine, TRACKING_RECORD_EVENT, parcel);
    change_begin(parcel, index, &engine->record.change);
    parcel_add_fact(parcel, tracking_fact_of(event));
    event->withdrawn = parcel->facts[fact].withdrawn;
    change_end(parcel, index, fact, &engine->record.change);
    engine->record.event = *event;
    end_record(engine, parcel);
    tracking_engine_put_event(engine, parcel, event);
    engine->pending[engine->pending_count++] = (struct tracking_pending_event){
        .parcel = parcel, .fact = fact, .position = parcel->last_position};
    engine->events_recorded++;
}

static void record_event(struct tracking_engine *engine, struct record_event_command *command)
{
    struct parcel *parcel;
    struct tracking_event *event = &command->event;
    if (fail_if(&command->base,
                tracking_engine_find(engine, event->carrier, event->tracking_number, &parcel)))
        return;
    size_t fact = parcel == NULL ? tracking_no_fact
                                 : parcel_find_fact(parcel, tracking_id_hash(event->event_id));
    if (fact != tracking_no_fact) {
        repeat_event(engine, command, parcel, fact);
        return;
    }
    if (parcel != NULL && parcel->fact_count == tracking_events_max) {
        command->base.outcome = TRACKING_EVENT_LIMIT;
        return;
    }
    if (!tracking_engine_may_write(engine, &command->base))
        return;
    bool made = parcel == NULL;
    if (made)
        parcel = make_parcel(engine, event->carrier, event->tracking_number);
    if (parcel == NULL || !parcel_reserve_fact(parcel)) {
        if (made && parcel != NULL)
            parcel_cache_drop(&engine->cache, parcel);
        fail_without_memory(&command->base);
        return;
    }
    add_event(engine, parcel, event);
    command->is_new = true;
    fact = parcel->fact_count - 1;
    if (command->wants_tracking)
        fail_if(&command->base,
                describe(engine, parcel, (size_t)(engine->record.change.after.generation - 1),
                         command->base.arena, event, fact, &command->tracking));
}

/* --- CreateTracking --- */

static void create_tracking(struct tracking_engine *engine, struct create_tracking_command *command)
{
    struct parcel *parcel;
    size_t index = 0;
    char *texts = NULL;
    struct tracking_generation wanted = {
        .start_time_us = command->start_time_us == 0 ? engine->now_us : command->start_time_us,
        .create_time_us = engine->now_us,
        .expected_delivery_time_us = command->expected_delivery_time_us,
        .shipment_id = command->shipment_id,
        .order_id = command->order_id,
        .is_created = true,
    };
    if (fail_if(&command->base,
                tracking_engine_find(engine, command->carrier, command->tracking_number, &parcel)))
        return;
    enum tracking_creation creation = TRACKING_CREATION_OPEN;
    if (parcel != NULL)
        creation = tracking_decide_creation(parcel->facts, parcel->fact_count, parcel->generations,
                                            parcel->generation_count, &wanted, engine->now_us,
                                            engine->options.generation_gap_us, &index);
    if (creation == TRACKING_CREATION_REUSED || creation == TRACKING_CREATION_TOO_MANY) {
        command->base.outcome =
            creation == TRACKING_CREATION_REUSED ? TRACKING_ID_REUSED : TRACKING_GENERATION_LIMIT;
        return;
    }
    if (creation != TRACKING_CREATION_EXISTS) {
        if (!tracking_engine_may_write(engine, &command->base))
            return;
        bool made = parcel == NULL;
        if (made)
            parcel = tracking_engine_add(engine, command->carrier, command->tracking_number);
        if (creation == TRACKING_CREATION_COMPLETE)
            wanted = tracking_generation_complete(&parcel->generations[index], &wanted);
        if (parcel != NULL)
            texts = parcel_reserve_generation(parcel, &wanted, index);
        if (texts == NULL) {
            if (made && parcel != NULL)
                parcel_cache_drop(&engine->cache, parcel);
            fail_without_memory(&command->base);
            return;
        }
        begin_record(engine, TRACKING_RECORD_GENERATION, parcel);
        engine->record.change.previous_status = TRACKING_STATUS_UNKNOWN;
        if (index < parcel->generation_count)
            change_begin(parcel, index, &engine->record.change);
        parcel_set_generation(parcel, index, &wanted, texts);
        change_end(parcel, index, tracking_no_fact, &engine->record.change);
        engine->record.generation_index = index;
        engine->record.generation = parcel->generations[index];
        end_record(engine, parcel);
    }
    fail_if(&command->base, describe(engine, parcel, index, command->base.arena, NULL,
                                     tracking_no_fact, &command->tracking));
}

/* --- GetTracking, RecordPing, EraseTracking --- */

static void get_tracking(struct tracking_engine *engine, struct get_tracking_command *command)
{
    struct parcel *parcel;
    if (fail_if(&command->base,
                tracking_engine_find(engine, command->carrier, command->tracking_number, &parcel)))
        return;
    if (parcel == NULL || (size_t)command->generation > parcel->generation_count) {
        command->base.outcome = TRACKING_NOT_FOUND;
        return;
    }
    size_t index =
        command->generation == 0 ? parcel->generation_count - 1 : (size_t)command->generation - 1;
    fail_if(&command->base, describe(engine, parcel, index, command->base.arena, NULL,
                                     tracking_no_fact, &command->tracking));
}

static void record_ping(struct tracking_engine *engine, struct record_ping_command *command)
{
    struct parcel *parcel;
    if (fail_if(&command->base,
                tracking_engine_find(engine, command->carrier, command->tracking_number, &parcel)))
        return;
    if (parcel == NULL) {
        command->base.outcome = TRACKING_NOT_FOUND;
        return;
    }
    /* Too old to be kept: nobody would be shown it, and an erasure looks only where some are. */
    if (command->time_us <= engine->now_us - engine->options.ping_retention_us)
        return;
    if (!tracking_engine_may_write(engine, &command->base))
        return;
    begin_record(engine, TRACKING_RECORD_PING, parcel);
    engine->record.ping_time_us = command->time_us;
    engine->record.latitude_e7 = command->latitude_e7;
    engine->record.longitude_e7 = command->longitude_e7;
    end_record(engine, parcel);
    tracking_engine_put_ping(engine, parcel, &engine->record);
}

static void erase_tracking(struct tracking_engine *engine, struct erase_tracking_command *command)
{
    struct parcel *parcel;
    if (fail_if(&command->base,
                tracking_engine_find(engine, command->carrier, command->tracking_number, &parcel)))
        return;
    if (parcel == NULL) {
        command->base.outcome = TRACKING_NOT_FOUND;
        return;
    }
    if (!tracking_engine_may_write(engine, &command->base) ||
        fail_if(&command->base, tracking_engine_count_pings(engine, parcel, &command->pings)))
        return;
    command->generations = (int64_t)parcel->generation_count;
    command->events = (int64_t)parcel->fact_count;
    begin_record(engine, TRACKING_RECORD_ERASE, parcel);
    tracking_engine_note_erasure(engine, tracking_engine_append(engine, &engine->record));
    tracking_engine_erase(engine, parcel);
    engine->end_of_batch = true;
}

/* --- lists: prepared here, read after the commit --- */

static struct tracking_read *add_read(struct tracking_engine *engine,
                                      struct tracking_read_queue *queue,
                                      struct tracking_command *command)
{
    struct tracking_read *read = arena_allocate_zero(command->arena, 1, sizeof *read);
    if (read == NULL) {
        fail_without_memory(command);
        return NULL;
    }
    read->command = command;
    read->store = engine->store;
    read->now_us = engine->now_us;
    read->ping_oldest_us = engine->now_us - engine->options.ping_retention_us;
    *queue->end = read;
    queue->end = &read->next;
    return read;
}

/* The hashes of the ids that other events of the parcel correct. */
static bool list_corrected(const struct parcel *parcel, struct arena *arena,
                           struct tracking_read *read)
{
    size_t count = 0;
    for (size_t i = 0; i < parcel->fact_count; i++)
        count += parcel->facts[i].corrects_hash != 0;
    uint64_t *hashes = arena_allocate(arena, (count + 1) * sizeof *hashes);
    if (hashes == NULL)
        return false;
    for (size_t i = 0; i < parcel->fact_count; i++) {
        if (parcel->facts[i].corrects_hash != 0)
            hashes[read->corrected_count++] = parcel->facts[i].corrects_hash;
    }
    read->corrected = hashes;
    return true;
}

static void list_events(struct tracking_engine *engine, struct list_events_command *command)
{
    struct parcel *parcel;
    struct tracking_span span = {.from_us = 0, .to_us = INT64_MAX};
    if (fail_if(&command->base,
                tracking_engine_find(engine, command->carrier, command->tracking_number, &parcel)))
        return;
    if (parcel == NULL || (size_t)command->generation > parcel->generation_count) {
        command->base.outcome = TRACKING_NOT_FOUND;
        return;
    }
    if (command->generation > 0)
        span = tracking_generation_span(parcel->generations, parcel->generation_count,
                                        (size_t)command->generation - 1);
    struct tracking_read prepared = {0};
    if (!list_corrected(parcel, command->base.arena, &prepared)) {
        fail_without_memory(&command->base);
        return;
    }
    struct tracking_read *read = add_read(engine, &engine->reads, &command->base);
    if (read == NULL)
        return;
    read->corrected = prepared.corrected;
    read->corrected_count = prepared.corrected_count;
    read->from_us = command->from_us > span.from_us ? command->from_us : span.from_us;
    read->to_us = command->to_us < span.to_us ? command->to_us : span.to_us;
}

static void list_trackings(struct tracking_engine *engine, struct list_trackings_command *command)
{
    (void)add_read(engine, &engine->to_settle, &command->base);
}

static void remap_trackings(struct tracking_engine *engine, struct remap_trackings_command *command)
{
    if (!tracking_engine_may_write(engine, &command->base))
        return;
    command->base.task.next = NULL;
    *engine->remaps_end = &command->base.task;
    engine->remaps_end = &command->base.task.next;
}

/* --- notes --- */

bool tracking_engine_must_wait(const struct tracking_engine *engine,
                               const struct tracking_command *command)
{
    if (command->kind != TRACKING_COMMAND_PUT_NOTE || engine->pending_note_count == 0)
        return false;
    const struct put_note_command *put = (const struct put_note_command *)command;
    uint64_t hash = tracking_id_hash(put->name);
    bool waits = put->count_max > 0 || engine->pending_note_count == tracking_notes_per_batch_max;
    for (size_t i = 0; i < engine->pending_note_count && !waits; i++)
        waits = engine->pending_notes[i] == hash;
    return waits;
}

/* Whether as many names begin with the prefix as the command allows. */
static struct error notes_are_full(struct tracking_engine *engine,
                                   const struct put_note_command *command, bool *full)
{
    struct text key;
    struct text value;
    size_t count = 0;
    struct tracking_store_key from = tracking_key_note(command->limited_prefix);
    struct tracking_store_key to = tracking_key_end(from);
    struct tracking_store_iterator *iterator =
        tracking_store_iterate(engine->store, NULL, &from, &to, false);
    if (iterator == NULL)
        return error_make(ERROR_OUT_OF_MEMORY, "tracking engine");
    while (count < command->count_max && tracking_store_iterator_next(iterator, &key, &value))
        count++;
    *full = count == command->count_max;
    return tracking_store_iterator_end(iterator);
}

static void put_note(struct tracking_engine *engine, struct put_note_command *command)
{
    bool found = false;
    bool full = false;
    struct tracking_store_key key = tracking_key_note(command->name);
    if (fail_if(&command->base,
                tracking_store_get(engine->store, NULL, &key, &engine->value, &found)))
        return;
    if (found && command->only_if_absent) {
        command->value = arena_copy_text(command->base.arena, buffer_text(&engine->value));
        if (command->value.data == NULL)
            fail_without_memory(&command->base);
        return;
    }
    if (!found && command->value.size == 0) {
        command->base.outcome = TRACKING_NOT_FOUND;
        return;
    }
    if (!found && command->count_max > 0 &&
        fail_if(&command->base, notes_are_full(engine, command, &full)))
        return;
    if (full) {
        command->base.outcome = TRACKING_NOTE_LIMIT;
        return;
    }
    if (!tracking_engine_may_write(engine, &command->base))
        return;
    engine->record = (struct tracking_record){
        .type = TRACKING_RECORD_NOTE,
        .time_us = engine->now_us,
        .note = {.name = command->name, .value = command->value},
    };
    (void)tracking_engine_append(engine, &engine->record);
    tracking_engine_put_note(engine, &engine->record.note);
    engine->pending_notes[engine->pending_note_count++] = tracking_id_hash(command->name);
}

void tracking_engine_execute(struct tracking_engine *engine, struct tracking_command *command)
{
    switch ((enum tracking_command_kind)command->kind) {
    case TRACKING_COMMAND_CREATE:
        create_tracking(engine, (struct create_tracking_command *)command);
        break;
    case TRACKING_COMMAND_GET:
        get_tracking(engine, (struct get_tracking_command *)command);
        break;
    case TRACKING_COMMAND_LIST_TRACKINGS:
        list_trackings(engine, (struct list_trackings_command *)command);
        break;
    case TRACKING_COMMAND_RECORD_EVENT:
        record_event(engine, (struct record_event_command *)command);
        break;
    case TRACKING_COMMAND_RECORD_PING:
        record_ping(engine, (struct record_ping_command *)command);
        break;
    case TRACKING_COMMAND_LIST_EVENTS:
        list_events(engine, (struct list_events_command *)command);
        break;
    case TRACKING_COMMAND_REMAP:
        remap_trackings(engine, (struct remap_trackings_command *)command);
        break;
    case TRACKING_COMMAND_ERASE:
        erase_tracking(engine, (struct erase_tracking_command *)command);
        break;
    case TRACKING_COMMAND_PUT_NOTE:
        put_note(engine, (struct put_note_command *)command);
        break;
    case TRACKING_COMMAND_LIST_NOTES:
    case TRACKING_COMMAND_LIST_IDLE:
        (void)add_read(engine, &engine->reads, command);
        break;
    }
}
