/*
 * Reads of lists, as of a snapshot: on threads of their own, so that a disk that has to be asked
 * holds up no write. Everything given goes to the command's arena.
 */
#include "tracking/domain/limits.h"
#include "tracking/infrastructure/embedded/tracking_engine.h"

#include <string.h>

/* False without memory: the text is then empty. */
static bool copy(struct arena *arena, struct text *text)
{
    if (text->size == 0)
        return true;
    *text = arena_copy_text(arena, *text);
    return text->data != NULL;
}

bool tracking_event_copy(struct arena *arena, struct tracking_event *event)
{
    struct tracking_location *location = &event->location;
    return copy(arena, &event->event_id) && copy(arena, &location->facility) &&
           copy(arena, &location->city) && copy(arena, &location->country_code) &&
           copy(arena, &event->carrier_code) && copy(arena, &event->description) &&
           copy(arena, &event->source) && copy(arena, &event->corrects_event_id) &&
           copy(arena, &event->payload);
}

static struct error no_memory(void)
{
    return error_make(ERROR_OUT_OF_MEMORY, "reading trackings");
}

static struct error decode_event(struct text value, struct arena *arena,
                                 struct tracking_event *event)
{
    struct byte_reader reader = byte_reader_of(value);
    tracking_event_decode(&reader, event);
    if (reader.failed || reader.at != reader.end)
        return error_make(ERROR_DAMAGED, "an event in rocksdb is none");
    return tracking_event_copy(arena, event) ? error_none() : no_memory();
}

struct error tracking_read_event(struct tracking_store *store,
                                 const struct tracking_store_snapshot *snapshot, struct text parcel,
                                 int64_t time_us, uint64_t id_hash, struct arena *arena,
                                 struct tracking_event *event, bool *found)
{
    struct text key;
    struct text value;
    struct text none = text_make("", 0);
    struct error error = error_none();
    struct tracking_store_key from = tracking_key_event(parcel, time_us, none);
    struct tracking_store_key to = tracking_key_event(parcel, time_us + 1, none);
    struct tracking_store_iterator *iterator =
        tracking_store_iterate(store, snapshot, &from, &to, false);
    *found = false;
    if (iterator == NULL)
        return no_memory();
    while (!*found && !error_is(error) && tracking_store_iterator_next(iterator, &key, &value)) {
        struct text id = text_make(key.data + from.size, key.size - from.size);
        if (tracking_id_hash(id) != id_hash)
            continue;
        *event = (struct tracking_event){0};
        error = decode_event(value, arena, event);
        *found = true;
    }
    struct error ended = tracking_store_iterator_end(iterator);
    return error_is(error) ? error : ended;
}

/* The latest ping, where it says more than the latest event with a place. */
static void consider_ping(const struct parcel *parcel, size_t index, int64_t ping_oldest_us,
                          int64_t located_us, struct tracking_location *location)
{
    if (parcel->has_ping && parcel->ping_time_us > located_us &&
        parcel->ping_time_us > ping_oldest_us &&
        tracking_generation_of(parcel->generations, parcel->generation_count,
                               parcel->ping_time_us) == index)
        *location = (struct tracking_location){
            .has_point = true,
            .latitude_e7 = parcel->ping_latitude_e7,
            .longitude_e7 = parcel->ping_longitude_e7,
        };
}

struct error tracking_describe(const struct parcel *parcel, size_t index, int64_t ping_oldest_us,
                               struct arena *arena, tracking_fetch_function *fetch, void *context,
                               const struct tracking_event *event, size_t known,
                               struct tracking *tracking)
{
    struct tracking_verdict verdict = parcel_decide(parcel, index);
    struct tracking_event located = {0};
    struct error error = error_none();
    parcel_describe(parcel, index, &verdict, tracking);
    if (!copy(arena, &tracking->carrier) || !copy(arena, &tracking->tracking_number) ||
        !copy(arena, &tracking->shipment_id) || !copy(arena, &tracking->order_id))
        return no_memory();
    tracking->has_last_event = verdict.last_fact != tracking_no_fact;
    if (tracking->has_last_event && verdict.last_fact == known)
        tracking->last_event = *event;
    else if (tracking->has_last_event)
        error = fetch(context, parcel, verdict.last_fact, arena, &tracking->last_event);
    if (verdict.located_fact == verdict.last_fact)
        located = tracking->last_event;
    else if (verdict.located_fact != tracking_no_fact && !error_is(error))
        error = fetch(context, parcel, verdict.located_fact, arena, &located);
    tracking->location = located.location;
    tracking->last_event.carrier = tracking->carrier;
    tracking->last_event.tracking_number = tracking->tracking_number;
    consider_ping(parcel, index, ping_oldest_us,
                  verdict.located_fact == tracking_no_fact ? 0 : located.occurred_time_us,
                  &tracking->location);
    return error;
}

/* Whether another event might be more than a page's payloads may be. */
static bool is_full(size_t payload_bytes)
{
    return payload_bytes > tracking_page_payload_bytes_max - tracking_payload_bytes_max;
}

/* --- ListEvents --- */

static bool is_corrected(const struct tracking_read *read, struct text event_id)
{
    uint64_t hash = read->corrected_count == 0 ? 0 : tracking_id_hash(event_id);
    for (size_t i = 0; i < read->corrected_count; i++) {
        if (read->corrected[i] == hash)
            return true;
    }
    return false;
}

static bool is_before(const struct tracking_store_key *a, const struct tracking_store_key *b)
{
    return text_compare(text_make(a->bytes, a->size), text_make(b->bytes, b->size)) < 0;
}

/* The keys between which events are to be given. */
static void set_bounds(const struct tracking_read *read, const struct list_events_command *command,
                       struct text parcel, struct tracking_store_key *from,
                       struct tracking_store_key *to)
{
    struct text none = text_make("", 0);
    int64_t from_us = read->from_us < 0 ? 0 : read->from_us;
    *from = tracking_key_event(parcel, from_us, none);
    *to = tracking_key_event(parcel, read->to_us, none);
    if (!command->has_after)
        return;
    struct tracking_store_key after =
        tracking_key_event(parcel, command->after_time_us, command->after_event_id);
    if (command->newest_first) {
        if (is_before(&after, to))
            *to = after;
        return;
    }
    after.bytes[after.size++] = '\0'; /* the next key there can be */
    if (is_before(from, &after))
        *from = after;
}

static struct error read_events(struct tracking_read *read, struct list_events_command *command)
{
    char name[parcel_key_bytes_max];
    struct tracking_store_key from;
    struct tracking_store_key to;
    struct text key;
    struct text value;
    struct arena *arena = command->base.arena;
    struct error error = error_none();
    size_t payload_bytes = 0;
    size_t name_size = parcel_key_write(name, command->carrier, command->tracking_number);
    command->events = arena_allocate_zero(arena, command->page_size, sizeof *command->events);
    if (command->events == NULL)
        return no_memory();
    set_bounds(read, command, text_make(name, name_size), &from, &to);
    if (!is_before(&from, &to))
        return error;
    struct tracking_store_iterator *iterator =
        tracking_store_iterate(read->store, read->snapshot, &from, &to, command->newest_first);
    if (iterator == NULL)
        return no_memory();
    while (!error_is(error) && tracking_store_iterator_next(iterator, &key, &value)) {
        if (command->event_count == command->page_size || is_full(payload_bytes)) {
            command->more = true;
            break;
        }
        struct tracking_event *event = &command->events[command->event_count];
        error = decode_event(value, arena, event);
        event->carrier = command->carrier;
        event->tracking_number = command->tracking_number;
        event->withdrawn = is_corrected(read, event->event_id);
        payload_bytes += event->payload.size;
        command->event_count++;
    }
    struct error ended = tracking_store_iterator_end(iterator);
    return error_is(error) ? error : ended;
}

/* --- ListTrackings --- */

static struct error read_fact(void *context, const struct parcel *parcel, size_t fact,
                              struct arena *arena, struct tracking_event *event)
{
    const struct tracking_read *read = context;
    bool found;
    struct error error = tracking_read_event(read->store, read->snapshot, parcel->key,
                                             parcel->facts[fact].occurred_time_us,
                                             parcel->facts[fact].id_hash, arena, event, &found);
    if (!error_is(error) && !found)
        error = error_make(ERROR_DAMAGED, "an event in rocksdb is missing");
    return error;
}

/* The parcel that an index entry names, which is the caller's. */
static struct error read_indexed(struct tracking_read *read, struct text entry, size_t skip,
                                 struct buffer *value, struct parcel **parcel, int32_t *generation)
{
    struct text name;
    bool found = false;
    if (!tracking_key_read_parcel(entry, skip, &name, generation))
        return error_make(ERROR_DAMAGED, "an index entry in rocksdb is none");
    struct tracking_store_key key = tracking_key_parcel(name);
    struct error error = tracking_store_get(read->store, read->snapshot, &key, value, &found);
    if (!error_is(error) && found)
        error = parcel_decode(name, buffer_text(value), parcel);
    if (error_is(error))
        return error;
    if (found && (size_t)*generation <= (*parcel)->generation_count)
        return error;
    if (found)
        parcel_destroy(*parcel);
    return error_make(ERROR_DAMAGED, "an index entry in rocksdb names what is not there");
}

/* One entry of an index: its parcel is read and described. */
static struct error read_entry(struct tracking_read *read, struct text entry, size_t skip,
                               struct buffer *value, struct tracking *tracking)
{
    int32_t generation;
    struct parcel *parcel;
    struct error error = read_indexed(read, entry, skip, value, &parcel, &generation);
    if (error_is(error))
        return error;
    error =
        tracking_describe(parcel, (size_t)generation - 1, read->ping_oldest_us,
                          read->command->arena, read_fact, read, NULL, tracking_no_fact, tracking);
    parcel_destroy(parcel);
    return error;
}

static struct error read_trackings(struct tracking_read *read,
                                   struct list_trackings_command *command, struct buffer *value)
{
    char name[parcel_key_bytes_max];
    struct text none = text_make("", 0);
    struct text key;
    struct text nothing;
    struct error error = error_none();
    size_t payload_bytes = 0;
    bool by_order = command->order_id.size > 0;
    struct tracking_store_key from = by_order
                                         ? tracking_key_order(command->order_id, none, 0)
                                         : tracking_key_status((uint8_t)command->status, none, 0);
    struct tracking_store_key to = tracking_key_end(from);
    size_t skip = from.size;
    if (command->after.carrier.size > 0) {
        struct text after = text_make(
            name, parcel_key_write(name, command->after.carrier, command->after.tracking_number));
        int32_t next = command->after.generation + 1;
        from = by_order ? tracking_key_order(command->order_id, after, next)
                        : tracking_key_status((uint8_t)command->status, after, next);
    }
    command->trackings =
        arena_allocate_zero(command->base.arena, command->page_size, sizeof *command->trackings);
    struct tracking_store_iterator *iterator =
        command->trackings == NULL
            ? NULL
            : tracking_store_iterate(read->store, read->snapshot, &from, &to, false);
    if (iterator == NULL)
        return no_memory();
    while (!error_is(error) && tracking_store_iterator_next(iterator, &key, &nothing)) {
        if (command->tracking_count == command->page_size || is_full(payload_bytes)) {
            command->more = true;
            break;
        }
        struct tracking *tracking = &command->trackings[command->tracking_count];
        error = read_entry(read, key, skip, value, tracking);
        payload_bytes += tracking->last_event.payload.size;
        command->tracking_count++;
    }
    struct error ended = tracking_store_iterator_end(iterator);
    return error_is(error) ? error : ended;
}

/* --- those on their way, by their latest activity --- */

enum { activity_key_skip = 1 + 8 };

static struct error read_idle_entry(struct tracking_read *read, struct text entry,
                                    struct buffer *value, struct idle_tracking *idle)
{
    struct arena *arena = read->command->arena;
    struct parcel *parcel;
    struct error error =
        read_indexed(read, entry, activity_key_skip, value, &parcel, &idle->key.generation);
    if (error_is(error))
        return error;
    struct tracking_verdict verdict = parcel_decide(parcel, (size_t)idle->key.generation - 1);
    idle->key.carrier = arena_copy_text(arena, parcel->carrier);
    idle->key.tracking_number = arena_copy_text(arena, parcel->tracking_number);
    idle->status = verdict.status;
    idle->expected_delivery_time_us = verdict.expected_delivery_time_us;
    for (size_t i = 1; i < activity_key_skip; i++)
        idle->activity_us = idle->activity_us << 8 | (uint8_t)entry.data[i];
    parcel_destroy(parcel);
    return idle->key.carrier.data == NULL || idle->key.tracking_number.data == NULL ? no_memory()
                                                                                    : error;
}

static struct error read_idle(struct tracking_read *read,
                              struct list_idle_trackings_command *command, struct buffer *value)
{
    char name[parcel_key_bytes_max];
    struct text none = text_make("", 0);
    struct text key;
    struct text nothing;
    struct error error = error_none();
    struct tracking_store_key from =
        tracking_key_activity(command->told, command->from_us, none, 0);
    struct tracking_store_key to = tracking_key_activity(command->told, command->to_us, none, 0);
    if (command->after.carrier.size > 0) {
        struct text after = text_make(
            name, parcel_key_write(name, command->after.carrier, command->after.tracking_number));
        from = tracking_key_activity(command->told, command->after_us, after,
                                     command->after.generation + 1);
    }
    if (!is_before(&from, &to))
        return error;
    command->trackings =
        arena_allocate_zero(command->base.arena, command->page_size, sizeof *command->trackings);
    struct tracking_store_iterator *iterator =
        command->trackings == NULL
            ? NULL
            : tracking_store_iterate(read->store, read->snapshot, &from, &to, false);
    if (iterator == NULL)
        return no_memory();
    while (!error_is(error) && tracking_store_iterator_next(iterator, &key, &nothing)) {
        command->more = command->tracking_count == command->page_size;
        if (command->more)
            break;
        error = read_idle_entry(read, key, value, &command->trackings[command->tracking_count]);
        command->tracking_count++;
    }
    struct error ended = tracking_store_iterator_end(iterator);
    return error_is(error) ? error : ended;
}

/* --- notes --- */

static struct error read_notes(struct tracking_read *read, struct list_notes_command *command)
{
    struct text key;
    struct text value;
    struct arena *arena = command->base.arena;
    struct error error = error_none();
    struct tracking_store_key from = tracking_key_note(command->prefix);
    struct tracking_store_key to = tracking_key_end(from);
    if (command->after.size > 0) {
        from = tracking_key_note(command->after);
        from.bytes[from.size++] = '\0';
    }
    command->notes = arena_allocate_zero(arena, command->page_size, sizeof *command->notes);
    struct tracking_store_iterator *iterator =
        command->notes == NULL || !is_before(&from, &to)
            ? NULL
            : tracking_store_iterate(read->store, read->snapshot, &from, &to, false);
    if (iterator == NULL)
        return command->notes == NULL || is_before(&from, &to) ? no_memory() : error;
    while (!error_is(error) && tracking_store_iterator_next(iterator, &key, &value)) {
        if (command->note_count == command->page_size) {
            command->more = true;
            break;
        }
        struct tracking_note *note = &command->notes[command->note_count++];
        note->name = arena_copy_text(arena, text_make(key.data + 1, key.size - 1));
        note->value = arena_copy_text(arena, value);
        if (note->name.data == NULL || note->value.data == NULL)
            error = no_memory();
    }
    struct error ended = tracking_store_iterator_end(iterator);
    return error_is(error) ? error : ended;
}

void tracking_read_run(struct tracking_read *read, struct buffer *value)
{
    struct tracking_command *command = read->command;
    struct error error;
    if (command->kind == TRACKING_COMMAND_LIST_EVENTS)
        error = read_events(read, (struct list_events_command *)command);
    else if (command->kind == TRACKING_COMMAND_LIST_IDLE)
        error = read_idle(read, (struct list_idle_trackings_command *)command, value);
    else if (command->kind == TRACKING_COMMAND_LIST_NOTES)
        error = read_notes(read, (struct list_notes_command *)command);
    else
        error = read_trackings(read, (struct list_trackings_command *)command, value);
    tracking_store_snapshot_release(read->store, read->snapshot);
    if (error_is(error))
        tracking_engine_fail(command, error);
}
