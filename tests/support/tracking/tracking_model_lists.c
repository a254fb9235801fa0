/* The model's lists: everything is described, filtered, sorted and cut to a page. */
#include "platform/base/check.h"
#include "tests/support/tracking/tracking_model_state.h"

#include <stdlib.h>

static int compare_by_id(const void *left, const void *right)
{
    const struct tracking_event *a = left;
    const struct tracking_event *b = right;
    if (a->occurred_time_us != b->occurred_time_us)
        return a->occurred_time_us < b->occurred_time_us ? -1 : 1;
    return text_compare(a->event_id, b->event_id);
}

static int compare_newest(const void *left, const void *right)
{
    return compare_by_id(right, left);
}

void tracking_model_list_events(struct tracking_repository *repository,
                                struct list_events_command *command)
{
    struct tracking_model *model = tracking_model_of(repository);
    struct model_number *number =
        tracking_model_find(model, command->carrier, command->tracking_number);
    size_t count = 0;
    if (number == NULL || (size_t)command->generation > number->generation_count) {
        tracking_model_answer(&command->base, TRACKING_NOT_FOUND);
        return;
    }
    struct tracking_event after = {.occurred_time_us = command->after_time_us,
                                   .event_id = command->after_event_id};
    struct tracking_event *events =
        arena_allocate(command->base.arena, (number->event_count + 1) * sizeof *events);
    CHECK(events != NULL);
    for (size_t i = 0; i < number->event_count; i++) {
        const struct tracking_event *event = &number->events[i];
        int order = compare_by_id(event, &after);
        if (event->occurred_time_us < command->from_us ||
            event->occurred_time_us >= command->to_us ||
            (command->generation > 0 &&
             tracking_model_generation_of(number, event->occurred_time_us) + 1 !=
                 (size_t)command->generation) ||
            (command->has_after && (command->newest_first ? order >= 0 : order <= 0)))
            continue;
        events[count] = *event;
        events[count++].withdrawn = tracking_model_is_withdrawn(number, event);
    }
    qsort(events, count, sizeof *events, command->newest_first ? compare_newest : compare_by_id);
    command->more = count > command->page_size;
    command->events = events;
    command->event_count = command->more ? command->page_size : count;
    tracking_model_answer(&command->base, TRACKING_DONE);
}

static int compare_keys(const struct tracking *a, struct tracking_key b)
{
    int order = text_compare(a->carrier, b.carrier);
    if (order == 0)
        order = text_compare(a->tracking_number, b.tracking_number);
    return order != 0 ? order : (a->generation > b.generation) - (a->generation < b.generation);
}

static int compare_trackings(const void *left, const void *right)
{
    const struct tracking *b = right;
    return compare_keys(left, (struct tracking_key){b->carrier, b->tracking_number, b->generation});
}

void tracking_model_list_trackings(struct tracking_repository *repository,
                                   struct list_trackings_command *command)
{
    struct tracking_model *model = tracking_model_of(repository);
    size_t count = 0;
    struct tracking *trackings =
        arena_allocate(command->base.arena, (model->number_count * 8 + 1) * sizeof *trackings);
    CHECK(trackings != NULL);
    for (size_t i = 0; i < model->number_count; i++) {
        struct model_number *number = model->numbers[i];
        for (size_t j = 0; number->exists && j < number->generation_count; j++) {
            struct tracking tracking;
            tracking_model_describe(model, number, j, &tracking);
            bool fits = command->order_id.size > 0
                            ? text_equal(tracking.order_id, command->order_id)
                            : tracking.status == command->status;
            if (!fits ||
                (command->after.carrier.size > 0 && compare_keys(&tracking, command->after) <= 0))
                continue;
            CHECK(count < model->number_count * 8);
            trackings[count++] = tracking;
        }
    }
    qsort(trackings, count, sizeof *trackings, compare_trackings);
    command->more = count > command->page_size;
    command->trackings = trackings;
    command->tracking_count = command->more ? command->page_size : count;
    tracking_model_answer(&command->base, TRACKING_DONE);
}

static int compare_idle(const void *left, const void *right)
{
    const struct idle_tracking *a = left;
    const struct idle_tracking *b = right;
    int order = (a->activity_us > b->activity_us) - (a->activity_us < b->activity_us);
    if (order == 0)
        order = text_compare(a->key.carrier, b->key.carrier);
    if (order == 0)
        order = text_compare(a->key.tracking_number, b->key.tracking_number);
    return order;
}

/* The latest generation of a number, if it is on its way. */
static bool idle_of(const struct tracking_model *model, const struct model_number *number,
                    struct idle_tracking *idle)
{
    size_t last = number->generation_count - 1;
    struct tracking tracking;
    if (!number->exists)
        return false;
    tracking_model_describe(model, number, last, &tracking);
    *idle = (struct idle_tracking){
        .key = {tracking.carrier, tracking.tracking_number, tracking.generation},
        .status = tracking.status,
        .expected_delivery_time_us = tracking.expected_delivery_time_us,
        .activity_us = tracking.has_last_event ? tracking.last_event.occurred_time_us
                                               : number->generations[last].create_time_us,
    };
    return !tracking_status_is_terminal(tracking.status);
}

/* The model tells nobody of silence: nothing is told. */
void tracking_model_list_idle(struct tracking_repository *repository,
                              struct list_idle_trackings_command *command)
{
    struct tracking_model *model = tracking_model_of(repository);
    struct idle_tracking after = {.key = command->after, .activity_us = command->after_us};
    size_t count = 0;
    command->trackings =
        arena_allocate(command->base.arena, (model->number_count + 1) * sizeof *command->trackings);
    CHECK(command->trackings != NULL);
    for (size_t i = 0; i < model->number_count && !command->told; i++) {
        struct idle_tracking idle;
        if (idle_of(model, model->numbers[i], &idle) && idle.activity_us >= command->from_us &&
            idle.activity_us < command->to_us &&
            (command->after.carrier.size == 0 || compare_idle(&idle, &after) > 0))
            command->trackings[count++] = idle;
    }
    qsort(command->trackings, count, sizeof *command->trackings, compare_idle);
    command->more = count > command->page_size;
    command->tracking_count = command->more ? command->page_size : count;
    tracking_model_answer(&command->base, TRACKING_DONE);
}
