/*
 * One function a message: it fills the message on the arena; then it is packed there. The table
 * says which function and which name an event has. A failed allocation ends the batch before that
 * event; the first event of a batch has the whole arena.
 */
#include "inventory/interfaces/events/inventory_events.h"

#include "inventory/interfaces/rpc/inventory_messages.h"
#include "platform/base/memory.h"
#include "platform/events/event_watchers.h"
#include "platform/rpc/message_pack.h"

#include "waybill/inventory/v1/inventory_events.pb-c.h"

static const char source_name[] = "inventory";

struct inventory_events {
    struct event_feed base;
    struct inventory_event_source *source;
    struct event_watchers watchers;
};

static struct inventory_events *events_of(struct event_feed *feed)
{
    return (struct inventory_events *)feed;
}

/* --- messages --- */

static ProtobufCMessage *stock_received(struct arena *arena, const struct inventory_event *event)
{
    Waybill__Inventory__V1__StockReceived *message = arena_allocate(arena, sizeof *message);
    if (message == NULL)
        return NULL;
    waybill__inventory__v1__stock_received__init(message);
    message->receipt_id = arena_copy_string(arena, event->id);
    message->sku = arena_copy_string(arena, event->sku);
    message->quantity = event->quantity;
    message->stock_revision = event->stock_revision;
    return message->receipt_id == NULL || message->sku == NULL ? NULL : &message->base;
}

static ProtobufCMessage *stock_adjusted(struct arena *arena, const struct inventory_event *event)
{
    Waybill__Inventory__V1__StockAdjusted *message = arena_allocate(arena, sizeof *message);
    if (message == NULL)
        return NULL;
    waybill__inventory__v1__stock_adjusted__init(message);
    message->adjustment_id = arena_copy_string(arena, event->id);
    message->sku = arena_copy_string(arena, event->sku);
    message->note = arena_copy_string(arena, event->note);
    message->delta = event->quantity;
    message->reason = (Waybill__Inventory__V1__AdjustmentReason)event->reason;
    message->stock_revision = event->stock_revision;
    return message->adjustment_id == NULL || message->sku == NULL || message->note == NULL
               ? NULL
               : &message->base;
}

static ProtobufCMessage *stock_alert(struct arena *arena, const struct inventory_event *event)
{
    Waybill__Inventory__V1__StockAlert *message = arena_allocate(arena, sizeof *message);
    if (message == NULL)
        return NULL;
    waybill__inventory__v1__stock_alert__init(message);
    message->sku = arena_copy_string(arena, event->sku);
    message->previous_state = stock_state_value(event->state_before);
    message->state = stock_state_value(event->state_after);
    message->available = event->available;
    message->low_stock_threshold = event->low_stock_threshold;
    message->stock_revision = event->stock_revision;
    return message->sku == NULL ? NULL : &message->base;
}

static ProtobufCMessage *stock_shortage(struct arena *arena, const struct inventory_event *event)
{
    Waybill__Inventory__V1__StockShortage *message = arena_allocate(arena, sizeof *message);
    if (message == NULL)
        return NULL;
    waybill__inventory__v1__stock_shortage__init(message);
    message->sku = arena_copy_string(arena, event->sku);
    message->available = event->available;
    message->stock_revision = event->stock_revision;
    return message->sku == NULL ? NULL : &message->base;
}

/* The lines that something came back of. False without memory. */
static bool set_returned_lines(struct arena *arena, const struct inventory_event *event,
                               Waybill__Inventory__V1__StockReturned *message)
{
    const struct reservation *reservation = event->reservation;
    message->lines = arena_allocate(arena, reservation->line_count * sizeof *message->lines);
    for (size_t i = 0; message->lines != NULL && i < reservation->line_count; i++) {
        if (event->returned[i] == 0)
            continue;
        Waybill__Inventory__V1__ReturnLine *line = arena_allocate(arena, sizeof *line);
        if (line == NULL)
            return false;
        waybill__inventory__v1__return_line__init(line);
        line->sku = arena_copy_string(arena, reservation->lines[i].sku);
        line->quantity = event->returned[i];
        if (line->sku == NULL)
            return false;
        message->lines[message->n_lines++] = line;
    }
    return message->lines != NULL;
}

static ProtobufCMessage *stock_returned(struct arena *arena, const struct inventory_event *event)
{
    Waybill__Inventory__V1__StockReturned *message = arena_allocate(arena, sizeof *message);
    if (message == NULL)
        return NULL;
    waybill__inventory__v1__stock_returned__init(message);
    message->return_id = arena_copy_string(arena, event->id);
    message->reservation_id = arena_copy_string(arena, event->reservation->reservation_id);
    message->reason = (Waybill__Inventory__V1__ReturnReason)event->return_reason;
    message->reservation = reservation_message(arena, event->reservation);
    return message->return_id == NULL || message->reservation_id == NULL ||
                   message->reservation == NULL || !set_returned_lines(arena, event, message)
               ? NULL
               : &message->base;
}

/* The messages that hold a reservation and nothing else have one shape. */
static ProtobufCMessage *with_reservation(struct arena *arena, const struct inventory_event *event,
                                          const ProtobufCMessageDescriptor *descriptor)
{
    Waybill__Inventory__V1__StockReserved *message =
        arena_allocate(arena, descriptor->sizeof_message);
    if (message == NULL)
        return NULL;
    protobuf_c_message_init(descriptor, message);
    message->reservation = reservation_message(arena, event->reservation);
    return message->reservation == NULL ? NULL : &message->base;
}

/* Each type: its message, and what fills it (NULL = with_reservation). */
struct event_kind {
    const ProtobufCMessageDescriptor *descriptor;
    ProtobufCMessage *(*fill)(struct arena *arena, const struct inventory_event *event);
};

static const struct event_kind kinds[] = {
    [INVENTORY_EVENT_STOCK_RECEIVED] = {&waybill__inventory__v1__stock_received__descriptor,
                                        stock_received},
    [INVENTORY_EVENT_STOCK_ADJUSTED] = {&waybill__inventory__v1__stock_adjusted__descriptor,
                                        stock_adjusted},
    [INVENTORY_EVENT_STOCK_ALERT] = {&waybill__inventory__v1__stock_alert__descriptor, stock_alert},
    [INVENTORY_EVENT_STOCK_SHORTAGE] = {&waybill__inventory__v1__stock_shortage__descriptor,
                                        stock_shortage},
    [INVENTORY_EVENT_STOCK_RESERVED] = {&waybill__inventory__v1__stock_reserved__descriptor, NULL},
    [INVENTORY_EVENT_STOCK_COMMITTED] = {&waybill__inventory__v1__stock_committed__descriptor,
                                         NULL},
    [INVENTORY_EVENT_RESERVATION_ROLLED_BACK] =
        {&waybill__inventory__v1__reservation_rolled_back__descriptor, NULL},
    [INVENTORY_EVENT_RESERVATION_EXPIRED] =
        {&waybill__inventory__v1__reservation_expired__descriptor, NULL},
    [INVENTORY_EVENT_RESERVATION_EXTENDED] =
        {&waybill__inventory__v1__reservation_extended__descriptor, NULL},
    [INVENTORY_EVENT_STOCK_RETURNED] = {&waybill__inventory__v1__stock_returned__descriptor,
                                        stock_returned},
};

/* False without memory. */
static bool pack(const struct inventory_events *events, const struct inventory_event *event,
                 struct arena *arena, struct event *packed)
{
    const struct event_kind *kind = &kinds[event->type];
    ProtobufCMessage *message = kind->fill == NULL
                                    ? with_reservation(arena, event, kind->descriptor)
                                    : kind->fill(arena, event);
    struct text data;
    if (message == NULL || !message_pack(message, arena, &data))
        return false;
    char *event_id =
        arena_format(arena, "inventory-%s-%llu", inventory_event_source_identity(events->source),
                     (unsigned long long)event->sequence);
    if (event_id == NULL)
        return false;
    *packed = (struct event){
        .event_id = text_of(event_id),
        .type = text_of(kind->descriptor->name),
        .source = text_of(source_name),
        .key = event->reservation == NULL ? event->sku : event->reservation->reservation_id,
        .sequence = event->sequence,
        .time_us = event->time_us,
        .data = data,
    };
    return true;
}

/* --- the feed --- */

static struct error read_feed(struct event_feed *feed, uint64_t after, size_t event_count_max,
                              struct arena *arena, struct event_batch *batch)
{
    struct inventory_events *events = events_of(feed);
    struct inventory_event_batch read;
    *batch = (struct event_batch){.next = after};
    struct error error =
        inventory_event_source_read(events->source, after, event_count_max, arena, &read);
    if (error_is(error))
        return error;
    struct event *packed = arena_allocate(arena, (read.event_count + 1) * sizeof *packed);
    size_t count = 0;
    while (packed != NULL && count < read.event_count &&
           pack(events, &read.events[count], arena, &packed[count]))
        count++;
    if (count < read.event_count && count == 0)
        return error_make(ERROR_OUT_OF_MEMORY, "packing inventory's events");
    batch->events = packed;
    batch->event_count = count;
    batch->next = count == read.event_count ? read.next : packed[count - 1].sequence;
    return error;
}

static uint64_t oldest(struct event_feed *feed)
{
    return inventory_event_source_oldest(events_of(feed)->source);
}

static uint64_t newest(struct event_feed *feed)
{
    return inventory_event_source_newest(events_of(feed)->source);
}

static const char *identity(struct event_feed *feed)
{
    return inventory_event_source_identity(events_of(feed)->source);
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
    struct inventory_events *events = context;
    event_watchers_wake(&events->watchers);
}

struct error inventory_events_open(struct inventory_events **events,
                                   struct inventory_event_source *source)
{
    static const struct event_feed_table table = {
        .read = read_feed,
        .oldest = oldest,
        .newest = newest,
        .identity = identity,
        .watch = watch,
        .unwatch = unwatch,
    };
    struct inventory_events *made = memory_allocate_zero(1, sizeof *made);
    *events = made;
    if (made == NULL)
        return error_make(ERROR_OUT_OF_MEMORY, "inventory's events");
    made->base = (struct event_feed){.table = &table, .source = source_name};
    made->source = source;
    event_watchers_init(&made->watchers);
    inventory_event_source_set_wake(source, wake, made);
    return error_none();
}

void inventory_events_close(struct inventory_events *events)
{
    if (events == NULL)
        return;
    inventory_event_source_set_wake(events->source, NULL, NULL);
    event_watchers_deinit(&events->watchers);
    memory_release(events);
}

struct event_feed *inventory_events_feed(struct inventory_events *events)
{
    return &events->base;
}
