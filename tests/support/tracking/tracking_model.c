/*
 * Nothing is kept but what came in; every answer is worked out from it. Copies of texts live in
 * one arena as long as the model.
 */
#include "tests/support/tracking/tracking_model_state.h"

#include "platform/base/check.h"
#include "platform/base/memory.h"

#include <stdlib.h>

enum { model_bytes_max = 1 << 30 };

static const int64_t week_us = INT64_C(7) * 86400 * 1000000;

static struct text keep(struct tracking_model *model, struct text text)
{
    struct text kept = arena_copy_text(&model->arena, text);
    CHECK(kept.data != NULL);
    return kept;
}

struct tracking_model *tracking_model_of(struct tracking_repository *repository)
{
    struct tracking_model *model = (struct tracking_model *)repository;
    int64_t now_us = clock_now_us(model->clock);
    if (now_us > model->now_us)
        model->now_us = now_us;
    return model;
}

static void answered(struct task *task)
{
    struct tracking_command *command =
        (struct tracking_command *)((char *)task - offsetof(struct tracking_command, task));
    command->done(command->context, NULL);
}

void tracking_model_answer(struct tracking_command *command, enum tracking_outcome outcome)
{
    command->outcome = outcome;
    command->error = NULL;
    command->task.run = answered;
    executor_post(command->executor, &command->task);
}

struct model_number *tracking_model_find(struct tracking_model *model, struct text carrier,
                                         struct text number)
{
    for (size_t i = 0; i < model->number_count; i++) {
        struct model_number *one = model->numbers[i];
        if (one->exists && text_equal(one->carrier, carrier) && text_equal(one->number, number))
            return one;
    }
    return NULL;
}

static struct model_number *add(struct tracking_model *model, struct text carrier,
                                struct text number)
{
    struct model_number *made = memory_allocate_zero(1, sizeof *made);
    CHECK(made != NULL && model->number_count < numbers_max);
    made->exists = true;
    made->carrier = keep(model, carrier);
    made->number = keep(model, number);
    model->numbers[model->number_count++] = made;
    return made;
}

/* --- the state --- */

size_t tracking_model_generation_of(const struct model_number *number, int64_t time_us)
{
    size_t found = 0;
    for (size_t i = 1; i < number->generation_count; i++) {
        if (number->generations[i].start_time_us - week_us <= time_us)
            found = i;
    }
    return found;
}

bool tracking_model_is_withdrawn(const struct model_number *number,
                                 const struct tracking_event *event)
{
    for (size_t i = 0; i < number->event_count; i++) {
        if (text_equal(number->events[i].corrects_event_id, event->event_id))
            return true;
    }
    return false;
}

static int rank(enum tracking_event_type type)
{
    static const enum tracking_event_type order[] = {
        TRACKING_EVENT_UNSPECIFIED, TRACKING_EVENT_INFO_RECEIVED, TRACKING_EVENT_PICKED_UP,
        TRACKING_EVENT_IN_TRANSIT,  TRACKING_EVENT_AT_FACILITY,   TRACKING_EVENT_OUT_FOR_DELIVERY,
        TRACKING_EVENT_EXCEPTION,   TRACKING_EVENT_CANCELLED,     TRACKING_EVENT_RETURNED,
        TRACKING_EVENT_DELIVERED,
    };
    int found = 0;
    while (order[found] != type)
        found++;
    return found;
}

static int compare_events(const void *left, const void *right)
{
    const struct tracking_event *a = *(const struct tracking_event *const *)left;
    const struct tracking_event *b = *(const struct tracking_event *const *)right;
    uint64_t hash_a = tracking_id_hash(a->event_id);
    uint64_t hash_b = tracking_id_hash(b->event_id);
    if (a->occurred_time_us != b->occurred_time_us)
        return a->occurred_time_us < b->occurred_time_us ? -1 : 1;
    if (a->type != b->type)
        return rank(a->type) - rank(b->type);
    return hash_a < hash_b ? -1 : hash_a > hash_b;
}

/* The events of a generation that count, in order; and how many it has in all. */
static size_t sorted_events(const struct model_number *number, size_t generation,
                            const struct tracking_event **sorted, int64_t *all)
{
    size_t count = 0;
    *all = 0;
    for (size_t i = 0; i < number->event_count; i++) {
        const struct tracking_event *event = &number->events[i];
        if (tracking_model_generation_of(number, event->occurred_time_us) != generation)
            continue;
        (*all)++;
        if (!tracking_model_is_withdrawn(number, event))
            sorted[count++] = event;
    }
    qsort(sorted, count, sizeof *sorted, compare_events);
    return count;
}

static void set_status(const struct tracking_event **events, size_t count,
                       struct tracking *tracking)
{
    const struct tracking_event *info = NULL;
    const struct tracking_event *moving = NULL;
    const struct tracking_event *returned = NULL;
    const struct tracking_event *delivered = NULL;
    const struct tracking_event *first_return = NULL;
    for (size_t i = 0; i < count; i++) {
        const struct tracking_event *event = events[i];
        if (event->type == TRACKING_EVENT_DELIVERED && delivered == NULL)
            delivered = event;
        if (event->type == TRACKING_EVENT_RETURNED) {
            returned = event;
            if (delivered == NULL && first_return == NULL)
                first_return = event;
        }
        if (event->type == TRACKING_EVENT_INFO_RECEIVED)
            info = event;
        if (rank(event->type) > 1 && rank(event->type) < 8)
            moving = event;
    }
    const struct tracking_event *decisive = delivered;
    if (decisive == NULL)
        decisive = returned != NULL ? returned : moving != NULL ? moving : info;
    tracking->status = TRACKING_STATUS_UNKNOWN;
    if (decisive == NULL)
        return;
    tracking->status = (enum tracking_status)decisive->type;
    tracking->sub_status = decisive->sub_status;
    if (delivered != NULL)
        tracking->delivered_time_us = delivered->occurred_time_us;
    if (delivered != NULL && first_return != NULL)
        tracking->sub_status = TRACKING_SUB_STATUS_RETURNED_TO_SENDER;
}

static void set_location(const struct tracking_model *model, const struct model_number *number,
                         size_t generation, int64_t located_us, struct tracking *tracking)
{
    size_t latest = SIZE_MAX;
    for (size_t i = 0; i < number->ping_count; i++) {
        if (latest == SIZE_MAX || number->pings[i].time_us >= number->pings[latest].time_us)
            latest = i;
    }
    if (latest == SIZE_MAX || number->pings[latest].time_us <= located_us ||
        number->pings[latest].time_us <= model->now_us - model->ping_retention_us ||
        tracking_model_generation_of(number, number->pings[latest].time_us) != generation)
        return;
    tracking->location = (struct tracking_location){
        .has_point = true,
        .latitude_e7 = number->pings[latest].latitude_e7,
        .longitude_e7 = number->pings[latest].longitude_e7,
    };
}

void tracking_model_describe(const struct tracking_model *model, const struct model_number *number,
                             size_t index, struct tracking *tracking)
{
    const struct tracking_generation *generation = &number->generations[index];
    const struct tracking_event **events =
        memory_allocate((number->event_count + 1) * sizeof *events);
    int64_t located_us = 0;
    int64_t first_expected_us = 0;
    CHECK(events != NULL);
    *tracking = (struct tracking){
        .carrier = number->carrier,
        .tracking_number = number->number,
        .generation = (int32_t)index + 1,
        .expected_delivery_time_us = generation->expected_delivery_time_us,
        .revision = number->revision,
        .shipment_id = generation->shipment_id,
        .order_id = generation->order_id,
        .start_time_us = generation->start_time_us,
    };
    size_t count = sorted_events(number, index, events, &tracking->event_count);
    set_status(events, count, tracking);
    for (size_t i = 0; i < count; i++) {
        tracking->has_last_event = true;
        tracking->last_event = *events[i];
        if (tracking_location_is_known(&events[i]->location)) {
            tracking->location = events[i]->location;
            located_us = events[i]->occurred_time_us;
        }
        if (events[i]->expected_delivery_time_us != 0) {
            tracking->expected_delivery_time_us = events[i]->expected_delivery_time_us;
            if (first_expected_us == 0)
                first_expected_us = events[i]->expected_delivery_time_us;
        }
    }
    tracking->original_expected_delivery_time_us = generation->expected_delivery_time_us != 0
                                                       ? generation->expected_delivery_time_us
                                                       : first_expected_us;
    set_location(model, number, index, located_us, tracking);
    memory_release(events);
}

/* --- commands --- */

static void complete(struct tracking_model *model, struct tracking_generation *present,
                     const struct create_tracking_command *command, int64_t start_us, bool *changed)
{
    *changed = !present->is_created;
    if (!present->is_created)
        present->start_time_us = start_us;
    present->is_created = true;
    if (present->shipment_id.size == 0 && command->shipment_id.size > 0) {
        present->shipment_id = keep(model, command->shipment_id);
        *changed = true;
    }
    if (present->order_id.size == 0 && command->order_id.size > 0) {
        present->order_id = keep(model, command->order_id);
        *changed = true;
    }
    if (present->expected_delivery_time_us == 0 && command->expected_delivery_time_us != 0) {
        present->expected_delivery_time_us = command->expected_delivery_time_us;
        *changed = true;
    }
}

/* Whether a generation has ended or was not heard of for too long. */
static bool is_over(const struct tracking_model *model, const struct model_number *number,
                    size_t index)
{
    struct tracking tracking;
    tracking_model_describe(model, number, index, &tracking);
    int64_t last_us = tracking.has_last_event ? tracking.last_event.occurred_time_us
                                              : number->generations[index].create_time_us;
    return tracking.status == TRACKING_STATUS_DELIVERED ||
           tracking.status == TRACKING_STATUS_RETURNED ||
           tracking.status == TRACKING_STATUS_CANCELLED ||
           last_us < model->now_us - model->generation_gap_us;
}

static bool all_would_leave(const struct model_number *number, size_t index, int64_t start_us)
{
    for (size_t i = 0; i < number->event_count; i++) {
        int64_t time_us = number->events[i].occurred_time_us;
        if (tracking_model_generation_of(number, time_us) == index && time_us < start_us - week_us)
            return false;
    }
    return true;
}

/* The generation that the command means; SIZE_MAX = a new one; -2 = another shipment's. */
static size_t choose(struct tracking_model *model, struct model_number *number,
                     const struct create_tracking_command *command, int64_t start_us)
{
    size_t last = number->generation_count - 1;
    for (size_t i = last + 1; command->shipment_id.size > 0 && i-- > 0;) {
        if (text_equal(number->generations[i].shipment_id, command->shipment_id))
            return i;
    }
    if (command->shipment_id.size == 0)
        return last;
    bool over = is_over(model, number, last);
    if (number->generations[last].shipment_id.size == 0 &&
        (!over || all_would_leave(number, last, start_us)))
        return last;
    return over ? SIZE_MAX : SIZE_MAX - 1;
}

static void create_tracking(struct tracking_repository *repository,
                            struct create_tracking_command *command)
{
    struct tracking_model *model = tracking_model_of(repository);
    struct model_number *number =
        tracking_model_find(model, command->carrier, command->tracking_number);
    int64_t start_us = command->start_time_us == 0 ? model->now_us : command->start_time_us;
    size_t index = SIZE_MAX;
    bool changed = true;
    if (number != NULL)
        index = choose(model, number, command, start_us);
    if (index == SIZE_MAX - 1) {
        tracking_model_answer(&command->base, TRACKING_ID_REUSED);
        return;
    }
    if (index == SIZE_MAX && number != NULL &&
        number->generation_count == tracking_generations_max) {
        tracking_model_answer(&command->base, TRACKING_GENERATION_LIMIT);
        return;
    }
    if (number == NULL)
        number = add(model, command->carrier, command->tracking_number);
    if (index == SIZE_MAX) {
        index = number->generation_count++;
        number->generations[index] = (struct tracking_generation){.create_time_us = model->now_us};
    }
    complete(model, &number->generations[index], command, start_us, &changed);
    number->revision += changed;
    tracking_model_describe(model, number, index, &command->tracking);
    tracking_model_answer(&command->base, TRACKING_DONE);
}

static void get_tracking(struct tracking_repository *repository,
                         struct get_tracking_command *command)
{
    struct tracking_model *model = tracking_model_of(repository);
    struct model_number *number =
        tracking_model_find(model, command->carrier, command->tracking_number);
    if (number == NULL || (size_t)command->generation > number->generation_count) {
        tracking_model_answer(&command->base, TRACKING_NOT_FOUND);
        return;
    }
    tracking_model_describe(model, number,
                            command->generation == 0 ? number->generation_count - 1
                                                     : (size_t)command->generation - 1,
                            &command->tracking);
    tracking_model_answer(&command->base, TRACKING_DONE);
}

static struct tracking_event keep_event(struct tracking_model *model,
                                        const struct tracking_event *event)
{
    struct tracking_event kept = *event;
    kept.event_id = keep(model, event->event_id);
    kept.carrier = keep(model, event->carrier);
    kept.tracking_number = keep(model, event->tracking_number);
    kept.location.facility = keep(model, event->location.facility);
    kept.location.city = keep(model, event->location.city);
    kept.location.country_code = keep(model, event->location.country_code);
    kept.carrier_code = keep(model, event->carrier_code);
    kept.description = keep(model, event->description);
    kept.source = keep(model, event->source);
    kept.corrects_event_id = keep(model, event->corrects_event_id);
    kept.payload = keep(model, event->payload);
    kept.record_time_us = model->now_us;
    return kept;
}

static void record_event(struct tracking_repository *repository,
                         struct record_event_command *command)
{
    struct tracking_model *model = tracking_model_of(repository);
    struct tracking_event *event = &command->event;
    struct model_number *number =
        tracking_model_find(model, event->carrier, event->tracking_number);
    struct tracking_event *kept = NULL;
    for (size_t i = 0; number != NULL && i < number->event_count; i++) {
        if (text_equal(number->events[i].event_id, event->event_id))
            kept = &number->events[i];
    }
    if (kept != NULL && !tracking_event_same_content(kept, event)) {
        tracking_model_answer(&command->base, TRACKING_ID_REUSED);
        return;
    }
    command->is_new = kept == NULL;
    if (kept == NULL) {
        if (number == NULL) {
            number = add(model, event->carrier, event->tracking_number);
            number->generations[number->generation_count++] =
                (struct tracking_generation){.create_time_us = model->now_us};
        }
        number->events =
            memory_reallocate(number->events, (number->event_count + 1) * sizeof *number->events);
        CHECK(number->events != NULL);
        kept = &number->events[number->event_count++];
        *kept = keep_event(model, event);
        number->revision++;
    }
    *event = *kept;
    event->withdrawn = tracking_model_is_withdrawn(number, kept);
    tracking_model_describe(model, number,
                            tracking_model_generation_of(number, kept->occurred_time_us),
                            &command->tracking);
    tracking_model_answer(&command->base, TRACKING_DONE);
}

static void record_ping(struct tracking_repository *repository, struct record_ping_command *command)
{
    struct tracking_model *model = tracking_model_of(repository);
    struct model_number *number =
        tracking_model_find(model, command->carrier, command->tracking_number);
    size_t i = 0;
    if (number == NULL) {
        tracking_model_answer(&command->base, TRACKING_NOT_FOUND);
        return;
    }
    while (i < number->ping_count && number->pings[i].time_us != command->time_us)
        i++;
    if (i == number->ping_count)
        number->ping_count++;
    CHECK(number->ping_count <= 256);
    number->pings[i].time_us = command->time_us;
    number->pings[i].latitude_e7 = command->latitude_e7;
    number->pings[i].longitude_e7 = command->longitude_e7;
    tracking_model_answer(&command->base, TRACKING_DONE);
}

static void erase_tracking(struct tracking_repository *repository,
                           struct erase_tracking_command *command)
{
    struct tracking_model *model = tracking_model_of(repository);
    struct model_number *number =
        tracking_model_find(model, command->carrier, command->tracking_number);
    if (number == NULL) {
        tracking_model_answer(&command->base, TRACKING_NOT_FOUND);
        return;
    }
    command->generations = (int64_t)number->generation_count;
    command->events = (int64_t)number->event_count;
    command->pings = 0;
    for (size_t i = 0; i < number->ping_count; i++)
        command->pings += number->pings[i].time_us > model->now_us - model->ping_retention_us;
    number->exists = false;
    tracking_model_answer(&command->base, TRACKING_DONE);
}

static void remap_trackings(struct tracking_repository *repository,
                            struct remap_trackings_command *command)
{
    struct tracking_model *model = tracking_model_of(repository);
    command->trackings = command->events = command->status_changes = 0;
    for (size_t i = 0; i < model->number_count; i++) {
        struct model_number *number = model->numbers[i];
        struct tracking before;
        struct tracking after;
        int64_t changed = 0;
        if (!number->exists || !text_equal(number->carrier, command->carrier))
            continue;
        tracking_model_describe(model, number, number->generation_count - 1, &before);
        for (size_t j = 0; j < number->event_count; j++) {
            struct tracking_event mapped = number->events[j];
            if (!mapped.type_is_mapped)
                continue;
            code_maps_apply(command->maps, command->map_version, &mapped);
            if (mapped.type == number->events[j].type &&
                mapped.sub_status == number->events[j].sub_status)
                continue;
            number->events[j] = mapped;
            changed++;
        }
        number->revision += (changed + 99) / 100; /* a step has at most a hundred events */
        tracking_model_describe(model, number, number->generation_count - 1, &after);
        command->trackings += changed > 0;
        command->events += changed;
        command->status_changes += before.status != after.status;
    }
    tracking_model_answer(&command->base, TRACKING_DONE);
}

/* --- notes --- */

static int compare_notes(const void *left, const void *right)
{
    return text_compare(((const struct tracking_note *)left)->name,
                        ((const struct tracking_note *)right)->name);
}

static bool notes_are_full(const struct tracking_model *model,
                           const struct put_note_command *command)
{
    size_t count = 0;
    for (size_t i = 0; i < model->note_count; i++)
        count += text_starts_with(model->notes[i].name, command->limited_prefix);
    return command->count_max > 0 && count >= command->count_max;
}

static void put_note(struct tracking_repository *repository, struct put_note_command *command)
{
    struct tracking_model *model = tracking_model_of(repository);
    size_t i = 0;
    while (i < model->note_count && !text_equal(model->notes[i].name, command->name))
        i++;
    if (i < model->note_count && command->only_if_absent) {
        command->value = model->notes[i].value;
    } else if (i < model->note_count && command->value.size == 0) {
        model->notes[i] = model->notes[--model->note_count];
    } else if (command->value.size == 0) {
        tracking_model_answer(&command->base, TRACKING_NOT_FOUND);
        return;
    } else if (i == model->note_count && notes_are_full(model, command)) {
        tracking_model_answer(&command->base, TRACKING_NOTE_LIMIT);
        return;
    } else {
        CHECK(i < notes_max);
        model->notes[i] =
            (struct tracking_note){keep(model, command->name), keep(model, command->value)};
        model->note_count += i == model->note_count;
    }
    qsort(model->notes, model->note_count, sizeof *model->notes, compare_notes);
    tracking_model_answer(&command->base, TRACKING_DONE);
}

static void list_notes(struct tracking_repository *repository, struct list_notes_command *command)
{
    struct tracking_model *model = tracking_model_of(repository);
    command->notes = arena_allocate(command->base.arena, (notes_max + 1) * sizeof *command->notes);
    CHECK(command->notes != NULL);
    for (size_t i = 0; i < model->note_count; i++) {
        const struct tracking_note *note = &model->notes[i];
        if (!text_starts_with(note->name, command->prefix) ||
            (command->after.size > 0 && text_compare(note->name, command->after) <= 0))
            continue;
        command->more = command->note_count == command->page_size;
        if (command->more)
            break;
        command->notes[command->note_count++] = *note;
    }
    tracking_model_answer(&command->base, TRACKING_DONE);
}

static const struct tracking_repository_table model_table = {
    .create_tracking = create_tracking,
    .get_tracking = get_tracking,
    .list_trackings = tracking_model_list_trackings,
    .list_idle_trackings = tracking_model_list_idle,
    .record_event = record_event,
    .record_ping = record_ping,
    .list_events = tracking_model_list_events,
    .remap_trackings = remap_trackings,
    .erase_tracking = erase_tracking,
    .put_note = put_note,
    .list_notes = list_notes,
};

struct tracking_model *tracking_model_create(struct clock *clock, int64_t ping_retention_us,
                                             int64_t generation_gap_us)
{
    struct tracking_model *model = memory_allocate_zero(1, sizeof *model);
    CHECK(model != NULL);
    model->base.table = &model_table;
    model->clock = clock;
    model->ping_retention_us = ping_retention_us;
    model->generation_gap_us = generation_gap_us;
    arena_init(&model->arena, model_bytes_max);
    return model;
}

void tracking_model_destroy(struct tracking_model *model)
{
    for (size_t i = 0; i < model->number_count; i++) {
        memory_release(model->numbers[i]->events);
        memory_release(model->numbers[i]);
    }
    arena_deinit(&model->arena);
    memory_release(model);
}

struct tracking_repository *tracking_model_port(struct tracking_model *model)
{
    return &model->base;
}
