/*
 * One function a message: it fills the message on the arena; then it is packed there. A failed
 * allocation ends the batch before that event; the first event of a batch has the whole arena.
 */
#include "tracking/interfaces/events/tracking_events.h"

#include "platform/base/memory.h"
#include "platform/events/event_watchers.h"
#include "platform/rpc/message_pack.h"
#include "tracking/interfaces/rpc/tracking_messages.h"

static const char source_name[] = "tracking";

struct tracking_events {
    struct event_feed base;
    const struct tracking_service *service;
    struct tracking_announcement_source *source;
    struct event_watchers watchers;
};

static struct tracking_events *events_of(struct event_feed *feed)
{
    return (struct tracking_events *)feed;
}

/* --- messages --- */

static ProtobufCMessage *tracking_updated(const struct tracking_events *events, struct arena *arena,
                                          const struct tracking_announcement *announcement)
{
    const struct tracking_change *change = &announcement->change;
    Waybill__Tracking__V1__TrackingUpdated *message = arena_allocate(arena, sizeof *message);
    if (message == NULL)
        return NULL;
    waybill__tracking__v1__tracking_updated__init(message);
    message->tracking = tracking_message(arena, events->service, &change->after);
    message->previous_status = tracking_status_value(change->previous_status);
    if (message->tracking == NULL ||
        !message_put_time(arena, &message->previous_expected_delivery_time,
                          change->previous_expected_delivery_time_us))
        return NULL;
    if (!announcement->has_event)
        return &message->base;
    message->event = tracking_event_message(arena, events->service, &announcement->event);
    return message->event == NULL ? NULL : &message->base;
}

static ProtobufCMessage *shipment_delivered(const struct tracking_events *events,
                                            struct arena *arena,
                                            const struct tracking_announcement *announcement)
{
    const struct tracking *after = &announcement->change.after;
    Waybill__Tracking__V1__ShipmentDelivered *message = arena_allocate(arena, sizeof *message);
    (void)events;
    if (message == NULL)
        return NULL;
    waybill__tracking__v1__shipment_delivered__init(message);
    message->carrier = arena_copy_string(arena, announcement->carrier);
    message->tracking_number = arena_copy_string(arena, announcement->tracking_number);
    message->generation = after->generation;
    message->shipment_id = arena_copy_string(arena, after->shipment_id);
    message->order_id = arena_copy_string(arena, after->order_id);
    bool filled = message->carrier != NULL && message->tracking_number != NULL &&
                  message->shipment_id != NULL && message->order_id != NULL &&
                  message_put_time(arena, &message->delivered_time, after->delivered_time_us) &&
                  message_put_time(arena, &message->expected_delivery_time,
                                   after->expected_delivery_time_us) &&
                  message_put_time(arena, &message->original_expected_delivery_time,
                                   after->original_expected_delivery_time_us);
    return filled ? &message->base : NULL;
}

static ProtobufCMessage *tracking_silent(const struct tracking_events *events, struct arena *arena,
                                         const struct tracking_announcement *announcement)
{
    const struct tracking *after = &announcement->change.after;
    Waybill__Tracking__V1__TrackingSilent *message = arena_allocate(arena, sizeof *message);
    (void)events;
    if (message == NULL)
        return NULL;
    waybill__tracking__v1__tracking_silent__init(message);
    message->carrier = arena_copy_string(arena, announcement->carrier);
    message->tracking_number = arena_copy_string(arena, announcement->tracking_number);
    message->generation = after->generation;
    message->shipment_id = arena_copy_string(arena, after->shipment_id);
    message->order_id = arena_copy_string(arena, after->order_id);
    message->status = tracking_status_value(after->status);
    bool filled = message->carrier != NULL && message->tracking_number != NULL &&
                  message->shipment_id != NULL && message->order_id != NULL &&
                  message_put_time(arena, &message->silent_since, announcement->silent_since_us);
    return filled ? &message->base : NULL;
}

typedef ProtobufCMessage *fill_function(const struct tracking_events *events, struct arena *arena,
                                        const struct tracking_announcement *announcement);

static fill_function *const fill_functions[] = {
    [TRACKING_ANNOUNCES_UPDATE] = tracking_updated,
    [TRACKING_ANNOUNCES_DELIVERY] = shipment_delivered,
    [TRACKING_ANNOUNCES_SILENCE] = tracking_silent,
};

/* False without memory. */
static bool pack(const struct tracking_events *events,
                 const struct tracking_announcement *announcement, struct arena *arena,
                 struct event *packed)
{
    ProtobufCMessage *message = fill_functions[announcement->type](events, arena, announcement);
    struct text data;
    if (message == NULL || !message_pack(message, arena, &data))
        return false;
    char *event_id = arena_format(arena, "tracking-%s-%llu",
                                  tracking_announcement_source_identity(events->source),
                                  (unsigned long long)announcement->sequence);
    char *key = arena_format(arena, "%.*s/%.*s", (int)announcement->carrier.size,
                             announcement->carrier.data, (int)announcement->tracking_number.size,
                             announcement->tracking_number.data);
    if (event_id == NULL || key == NULL)
        return false;
    *packed = (struct event){
        .event_id = text_of(event_id),
        .type = text_of(message->descriptor->name),
        .source = text_of(source_name),
        .key = text_of(key),
        .sequence = announcement->sequence,
        .time_us = announcement->time_us,
        .data = data,
    };
    return true;
}

/* --- the feed --- */

static struct error read_feed(struct event_feed *feed, uint64_t after, size_t event_count_max,
                              struct arena *arena, struct event_batch *batch)
{
    struct tracking_events *events = events_of(feed);
    struct tracking_announcement_batch read;
    *batch = (struct event_batch){.next = after};
    struct error error =
        tracking_announcement_source_read(events->source, after, event_count_max, arena, &read);
    if (error_is(error))
        return error;
    struct event *packed = arena_allocate(arena, (read.count + 1) * sizeof *packed);
    size_t count = 0;
    while (packed != NULL && count < read.count &&
           pack(events, &read.announcements[count], arena, &packed[count]))
        count++;
    if (count < read.count && count == 0)
        return error_make(ERROR_OUT_OF_MEMORY, "packing what tracking announces");
    batch->events = packed;
    batch->event_count = count;
    batch->next = count == read.count ? read.next : packed[count - 1].sequence;
    return error;
}

static uint64_t oldest(struct event_feed *feed)
{
    return tracking_announcement_source_oldest(events_of(feed)->source);
}

static uint64_t newest(struct event_feed *feed)
{
    return tracking_announcement_source_newest(events_of(feed)->source);
}

static const char *identity(struct event_feed *feed)
{
    return tracking_announcement_source_identity(events_of(feed)->source);
}

static void watch(struct event_feed *feed, struct event_feed_watcher *watcher)
{
    event_watchers_add(&events_of(feed)->watchers, watcher);
}

static void unwatch(struct event_feed *feed, struct event_feed_watcher *watcher)
{
    event_watchers_remove(&events_of(feed)->watchers, watcher);
}

static void wake(void *context)
{
    struct tracking_events *events = context;
    event_watchers_wake(&events->watchers);
}

static uint64_t held(void *context)
{
    struct tracking_events *events = context;
    return event_watchers_held(&events->watchers);
}

struct error tracking_events_open(struct tracking_events **events,
                                  const struct tracking_service *service,
                                  struct tracking_announcement_source *source)
{
    static const struct event_feed_table table = {
        .read = read_feed,
        .oldest = oldest,
        .newest = newest,
        .identity = identity,
        .watch = watch,
        .unwatch = unwatch,
    };
    struct tracking_events *made = memory_allocate_zero(1, sizeof *made);
    *events = made;
    if (made == NULL)
        return error_make(ERROR_OUT_OF_MEMORY, "what tracking announces");
    made->base = (struct event_feed){.table = &table, .source = source_name};
    made->service = service;
    made->source = source;
    event_watchers_init(&made->watchers);
    tracking_announcement_source_set_wake(source, wake, made);
    tracking_announcement_source_set_held(source, held, made);
    return error_none();
}

void tracking_events_close(struct tracking_events *events)
{
    if (events == NULL)
        return;
    tracking_announcement_source_set_wake(events->source, NULL, NULL);
    tracking_announcement_source_set_held(events->source, NULL, NULL);
    event_watchers_deinit(&events->watchers);
    memory_release(events);
}

struct event_feed *tracking_events_feed(struct tracking_events *events)
{
    return &events->base;
}
