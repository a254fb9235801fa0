/*
 * A stream is a subscriber of the hub. On a thread of the hub it notes which SKUs the events
 * concern; back on its loop's thread it asks the store for their stock, sends it, and goes back for
 * more. An event noted twice before that is one question and one message. The present stock at the
 * beginning is asked for in the same way, a page at a time, and then the hub goes on from where the
 * log stood before the first page.
 *
 * A cursor is good for everything before it: so only the last message of a step has the new one,
 * and none while the present stock is still being told.
 *
 * A stream's memory goes when the call is closed *and* the hub has given it back *and* the store
 * has answered; whatever comes last releases it, always on the loop's thread.
 */
#include "inventory/interfaces/rpc/stock_watch.h"

#include "inventory/domain/limits.h"
#include "inventory/interfaces/rpc/inventory_messages.h"
#include "inventory/interfaces/rpc/inventory_rpc.h"
#include "inventory/interfaces/rpc/inventory_rpc_call.h"
#include "platform/base/memory.h"
#include "platform/events/log_cursor.h"

#include "waybill/inventory/v1/inventory_events.pb-c.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum {
    changes_max = 256, /* of a step; more than an event has lines */
    page_skus_max = 256,
    wanted_bytes_max = 256 * 1024,
    step_bytes_max = 4 * 1024 * 1024,
    queue_bytes_max = 64 * 1024, /* what a stream's connection may have queued */
    watchers_max = 10000,
};

struct stock_watch {
    struct inventory_service *service;
    struct event_feed *feed;
    struct event_hub *hub;
    _Atomic bool stopping;
};

struct change {
    struct text sku;
    struct text cause; /* "StockReserved" */
};

struct stream {
    struct event_hub_subscriber subscriber;
    struct stock_watch *watch;
    struct rpc_call *call; /* NULL when it is closed */
    struct executor *executor;
    struct task returned_task;
    bool has_begun;
    bool is_in_hub; /* as its loop's thread knows */
    bool is_asking; /* the store has the question */
    bool is_sending;
    bool is_listing; /* the present stock, first */
    bool is_full;
    bool has_ended;    /* the call has its status */
    uint64_t position; /* in the log: all before it is told */
    struct arena arena;
    struct text *wanted; /* sorted; none = all */
    size_t wanted_count;
    size_t wanted_listed;
    struct buffer list_after; /* the SKU behind which listing goes on */
    bool list_is_over;
    /* One step: filled by the hub's thread, then the loop's. */
    struct arena step;
    struct change changes[changes_max];
    size_t change_count;
    struct text skus[changes_max]; /* of the question, sorted */
    struct list_stock_command list;
    struct batch_get_stock_command get;
    const struct sku_stock *stocks;
    size_t stock_count;
    size_t stock_sent;
    enum event_hub_return reason;
    struct error error;
};

static void go_on(struct stream *stream);

/* --- which SKUs an event concerns: on the hub's threads --- */

static int compare_with_text(const void *key, const void *element)
{
    return text_compare(*(const struct text *)key, *(const struct text *)element);
}

static bool is_wanted(const struct stream *stream, struct text sku)
{
    return stream->wanted_count == 0 || bsearch(&sku, stream->wanted, stream->wanted_count,
                                                sizeof *stream->wanted, compare_with_text) != NULL;
}

/* Notes it, with the latest cause. False: there is no room. */
static bool note_change(struct stream *stream, struct text sku, struct text cause)
{
    for (size_t i = 0; i < stream->change_count; i++) {
        if (text_equal(stream->changes[i].sku, sku)) {
            stream->changes[i].cause = cause;
            return true;
        }
    }
    struct text copy = arena_copy_text(&stream->step, sku);
    if (stream->change_count == changes_max || copy.data == NULL)
        return false;
    stream->changes[stream->change_count++] = (struct change){.sku = copy, .cause = cause};
    return true;
}

/* The lines of the reservation in the event; all such messages have it, by one of two numbers. */
static enum event_hub_take take_lines(struct stream *stream,
                                      const Waybill__Inventory__V1__Reservation *reservation,
                                      struct text cause)
{
    size_t count = stream->change_count;
    bool concerns = false;
    for (size_t i = 0; reservation != NULL && i < reservation->n_lines; i++) {
        struct text sku = text_of(reservation->lines[i]->sku);
        if (!is_wanted(stream, sku))
            continue;
        concerns = true;
        if (!note_change(stream, sku, cause)) {
            stream->change_count = count;
            return EVENT_HUB_FULL;
        }
    }
    return concerns ? EVENT_HUB_TAKEN : EVENT_HUB_PASSED;
}

static enum event_hub_take take_reservation(struct stream *stream, const struct event *event,
                                            struct text cause)
{
    const uint8_t *data = (const uint8_t *)event->data.data;
    enum event_hub_take take = EVENT_HUB_FULL; /* without memory: again later */
    if (text_equals_string(cause, "StockReturned")) {
        Waybill__Inventory__V1__StockReturned *message =
            waybill__inventory__v1__stock_returned__unpack(NULL, event->data.size, data);
        if (message != NULL) {
            take = take_lines(stream, message->reservation, cause);
            waybill__inventory__v1__stock_returned__free_unpacked(message, NULL);
        }
        return take;
    }
    Waybill__Inventory__V1__StockReserved *message = /* the others have its shape */
        waybill__inventory__v1__stock_reserved__unpack(NULL, event->data.size, data);
    if (message != NULL) {
        take = take_lines(stream, message->reservation, cause);
        waybill__inventory__v1__stock_reserved__free_unpacked(message, NULL);
    }
    return take;
}

/* The event's name behind the package, on the step's arena. */
static struct text cause_of(struct stream *stream, const struct event *event)
{
    static const char package[] = "waybill.inventory.v1.";
    size_t skip = sizeof package - 1;
    struct text name = text_make(event->type.data + skip, event->type.size - skip);
    for (size_t i = stream->change_count; i > 0; i--) {
        if (text_equal(stream->changes[i - 1].cause, name))
            return stream->changes[i - 1].cause;
    }
    return arena_copy_text(&stream->step, name);
}

static enum event_hub_take take(struct event_hub_subscriber *subscriber, size_t feed,
                                const struct event *event)
{
    static const char *const sku_events[] = {
        "waybill.inventory.v1.StockReceived",
        "waybill.inventory.v1.StockAdjusted",
        "waybill.inventory.v1.StockAlert",
        "waybill.inventory.v1.StockShortage",
    };
    struct stream *stream = (struct stream *)subscriber;
    struct text cause = cause_of(stream, event);
    (void)feed;
    if (cause.data == NULL)
        return EVENT_HUB_FULL;
    if (text_equals_string(cause, "ReservationExtended"))
        return EVENT_HUB_PASSED; /* touches no stock */
    for (size_t i = 0; i < sizeof sku_events / sizeof sku_events[0]; i++) {
        if (!text_equals_string(event->type, sku_events[i]))
            continue;
        if (!is_wanted(stream, event->key))
            return EVENT_HUB_PASSED;
        return note_change(stream, event->key, cause) ? EVENT_HUB_TAKEN : EVENT_HUB_FULL;
    }
    return take_reservation(stream, event, cause);
}

static void returned(struct event_hub_subscriber *subscriber, enum event_hub_return reason,
                     const struct error *error)
{
    struct stream *stream = (struct stream *)subscriber;
    stream->reason = reason;
    stream->error = error == NULL ? error_none() : *error;
    executor_post(stream->executor, &stream->returned_task);
}

/* --- the end of a stream; from here on, its loop's thread --- */

static void release_if_over(struct stream *stream)
{
    if (stream->call != NULL || stream->is_in_hub || stream->is_asking || stream->is_sending)
        return;
    if (stream->has_begun)
        event_hub_leave(stream->watch->hub);
    arena_deinit(&stream->arena);
    arena_deinit(&stream->step);
    buffer_deinit(&stream->list_after);
    memory_release(stream);
}

static void end_with(struct stream *stream, struct rpc_status *status)
{
    stream->has_ended = true;
    rpc_call_fail(stream->call, status);
}

static void end_with_error(struct stream *stream, const struct error *error)
{
    stream->has_ended = true;
    rpc_call_end_with_error(stream->call, error);
}

static void end_for_stop(struct stream *stream)
{
    const struct error stops =
        error_make(ERROR_STORE_UNAVAILABLE, "the server stops; go on with the cursor elsewhere");
    end_with_error(stream, &stops);
}

static void end_without_memory(struct stream *stream)
{
    stream->has_ended = true;
    rpc_call_end_without_memory(stream->call);
}

/* --- sending --- */

static struct text find_cause(const struct stream *stream, struct text sku)
{
    for (size_t i = 0; i < stream->change_count; i++) {
        if (text_equal(stream->changes[i].sku, sku))
            return stream->changes[i].cause;
    }
    return text_of("");
}

/* The place that is safe to go on from behind this message; empty = from the beginning. */
static void write_cursor(const struct stream *stream, char cursor[log_cursor_bytes_max])
{
    bool is_last = stream->stock_sent == stream->stock_count;
    const char *identity = event_feed_identity(stream->watch->feed);
    cursor[0] = '\0';
    if (!stream->is_listing)
        log_cursor_write(identity, is_last ? stream->subscriber.positions[0] : stream->position,
                         cursor);
    else if (is_last && stream->list_is_over)
        log_cursor_write(identity, stream->position, cursor);
}

static void send_stock(struct stream *stream)
{
    Waybill__Inventory__V1__WatchStockResponse response =
        WAYBILL__INVENTORY__V1__WATCH_STOCK_RESPONSE__INIT;
    char cursor[log_cursor_bytes_max];
    struct arena arena;
    const struct sku_stock *stock = &stream->stocks[stream->stock_sent++];
    arena_init(&arena, 16 * 1024);
    write_cursor(stream, cursor);
    response.cursor = cursor;
    response.stock = stock_message(&arena, stock->sku, &stock->stock);
    response.cause = arena_copy_string(&arena, find_cause(stream, stock->sku));
    if (response.stock == NULL || response.cause == NULL)
        end_without_memory(stream);
    else
        stream->is_full = !rpc_call_send(stream->call, &response.base);
    arena_deinit(&arena);
}

/* Sends what the store has answered, as far as the connection takes it; then the next step. */
static void send_stocks(struct stream *stream)
{
    stream->is_sending = true;
    while (stream->call != NULL && !stream->has_ended && !stream->is_full &&
           stream->stock_sent < stream->stock_count)
        send_stock(stream);
    if (stream->call != NULL && !stream->has_ended && !stream->is_full)
        go_on(stream);
    stream->is_sending = false;
    release_if_over(stream);
}

/* --- asking the store --- */

static void stocks_came(struct stream *stream, const struct inventory_command *command,
                        const struct error *error)
{
    stream->is_asking = false;
    if (stream->call == NULL || stream->has_ended) {
        release_if_over(stream);
        return;
    }
    if (inventory_rpc_failed(stream->call, command, error)) {
        stream->has_ended = true;
        release_if_over(stream);
        return;
    }
    stream->stock_sent = 0;
    send_stocks(stream);
}

static void get_done(void *context, const struct error *error)
{
    struct stream *stream = context;
    stream->stocks = stream->get.stocks;
    stream->stock_count = stream->get.stock_count;
    stocks_came(stream, &stream->get.base, error);
}

static void list_done(void *context, const struct error *error)
{
    struct stream *stream = context;
    stream->stocks = stream->list.stocks;
    stream->stock_count = stream->list.stock_count;
    if (error == NULL) {
        stream->list_is_over = stream->list.next.size == 0;
        buffer_clear(&stream->list_after);
        if (!buffer_append(&stream->list_after, stream->list.next.data, stream->list.next.size)) {
            const struct error lost = error_make(ERROR_OUT_OF_MEMORY, "no memory to go on");
            stocks_came(stream, &stream->list.base, &lost);
            return;
        }
    }
    stocks_came(stream, &stream->list.base, error);
}

static void ask_for(struct stream *stream, const struct text *skus, size_t count)
{
    struct violations violations;
    stream->get = (struct batch_get_stock_command){
        .base = {.executor = stream->executor, .arena = &stream->step},
    };
    memcpy(stream->skus, skus, count * sizeof *skus);
    violations_init(&violations, &stream->step);
    stream->is_asking = true;
    if (!inventory_service_batch_get_stock(stream->watch->service, &stream->get, stream->skus,
                                           count, &violations, get_done, stream)) {
        stream->is_asking = false;
        stream->has_ended = true;
        rpc_call_end_with_violations(stream->call, &violations);
    }
}

static void ask_for_changes(struct stream *stream)
{
    struct text skus[changes_max];
    for (size_t i = 0; i < stream->change_count; i++)
        skus[i] = stream->changes[i].sku;
    ask_for(stream, skus, stream->change_count);
}

/* The next page of the present stock: of the SKUs wanted, or of all. */
static void ask_for_page(struct stream *stream)
{
    struct violations violations;
    if (stream->wanted_count > 0) {
        size_t count = stream->wanted_count - stream->wanted_listed;
        if (count > page_skus_max)
            count = page_skus_max;
        const struct text *skus = stream->wanted + stream->wanted_listed;
        stream->wanted_listed += count;
        stream->list_is_over = stream->wanted_listed == stream->wanted_count;
        ask_for(stream, skus, count);
        return;
    }
    stream->list = (struct list_stock_command){
        .base = {.executor = stream->executor, .arena = &stream->step},
        .after = arena_copy_text(&stream->step, buffer_text(&stream->list_after)),
    };
    violations_init(&violations, &stream->step);
    stream->is_asking = true;
    if (!inventory_service_list_stock(stream->watch->service, &stream->list, page_skus_max,
                                      &violations, list_done, stream))
        stream->is_asking = false; /* a page of fixed size is never refused */
}

static void begin_step(struct stream *stream)
{
    arena_reset(&stream->step);
    stream->change_count = 0;
    stream->stock_count = 0;
    stream->stock_sent = 0;
}

static void follow(struct stream *stream)
{
    stream->is_in_hub = true;
    if (stream->has_begun) {
        event_hub_resume(stream->watch->hub, &stream->subscriber);
        return;
    }
    stream->has_begun = event_hub_add(stream->watch->hub, &stream->subscriber);
    if (stream->has_begun)
        return;
    stream->is_in_hub = false;
    if (atomic_load(&stream->watch->stopping)) {
        end_for_stop(stream);
        return;
    }
    struct rpc_status status =
        rpc_status_make(rpc_call_arena(stream->call), GRPC_STATUS_RESOURCE_EXHAUSTED, "OVERLOADED",
                        "there are as many watchers as may be; try again later");
    end_with(stream, &status);
}

/* Everything in hand is told. */
static void go_on(struct stream *stream)
{
    begin_step(stream);
    if (stream->is_listing && !stream->list_is_over) {
        ask_for_page(stream);
        return;
    }
    if (stream->is_listing)
        stream->is_listing = false;
    else
        stream->position = stream->subscriber.positions[0];
    follow(stream);
}

static void run_returned(struct task *task)
{
    struct stream *stream =
        (struct stream *)((char *)task - offsetof(struct stream, returned_task));
    stream->is_in_hub = false;
    if (stream->call != NULL && !stream->has_ended) {
        stream->is_sending = true; /* not released meanwhile */
        if (stream->reason == EVENT_HUB_FAILED) {
            end_with_error(stream, &stream->error);
        } else if (stream->reason == EVENT_HUB_DELIVERED && stream->change_count == 0) {
            end_without_memory(stream); /* for as little as one event */
        } else if (stream->reason == EVENT_HUB_DELIVERED) {
            ask_for_changes(stream);
        } else {
            end_for_stop(stream);
        }
        stream->is_sending = false;
    }
    release_if_over(stream);
}

/* --- the call --- */

static void opened(void *context, struct rpc_call *call, void **stream_context)
{
    static const struct event_hub_subscriber_table table = {.take = take, .returned = returned};
    struct inventory_door *door = context;
    *stream_context = NULL;
    if (door->watch == NULL) {
        struct rpc_status status =
            rpc_status_make(rpc_call_arena(call), GRPC_STATUS_UNAVAILABLE, "STORE_UNAVAILABLE",
                            "this server keeps no events to watch");
        rpc_call_fail(call, &status);
        return;
    }
    struct stream *stream = memory_allocate_zero(1, sizeof *stream);
    if (stream == NULL) {
        rpc_call_end_without_memory(call);
        return;
    }
    stream->subscriber.table = &table;
    stream->subscriber.wants[0] = true;
    stream->watch = door->watch;
    stream->call = call;
    stream->executor = rpc_call_executor(call);
    stream->returned_task.run = run_returned;
    stream->error = error_none();
    arena_init(&stream->arena, wanted_bytes_max);
    arena_init(&stream->step, step_bytes_max);
    buffer_init(&stream->list_after, inventory_sku_bytes_max);
    *stream_context = stream;
}

/* The SKUs wanted, copied and sorted. False: the call has failed. */
static bool read_wanted(struct stream *stream,
                        const Waybill__Inventory__V1__WatchStockRequest *request)
{
    struct violations violations;
    stream->wanted = arena_allocate(&stream->arena, (request->n_skus + 1) * sizeof(struct text));
    bool has_memory = stream->wanted != NULL;
    for (size_t i = 0; i < request->n_skus && has_memory; i++) {
        stream->wanted[i] = arena_copy_text(&stream->arena, text_of(request->skus[i]));
        has_memory = stream->wanted[i].data != NULL;
    }
    if (!has_memory) {
        end_without_memory(stream);
        return false;
    }
    stream->wanted_count = request->n_skus;
    violations_init(&violations, rpc_call_arena(stream->call));
    if (inventory_service_check_watch(stream->wanted, &stream->wanted_count, &violations))
        return true;
    stream->has_ended = true;
    rpc_call_end_with_violations(stream->call, &violations);
    return false;
}

/* Where to begin. False: the call has failed. */
static bool find_start(struct stream *stream, struct text cursor)
{
    struct event_feed *feed = stream->watch->feed;
    stream->is_listing = cursor.size == 0;
    if (stream->is_listing)
        stream->position = event_feed_newest(feed);
    bool good = stream->is_listing ||
                (log_cursor_read(cursor, event_feed_identity(feed), &stream->position) &&
                 stream->position >= event_feed_oldest(feed) &&
                 stream->position <= event_feed_newest(feed));
    stream->subscriber.positions[0] = stream->position;
    if (good)
        return true;
    struct rpc_status status =
        rpc_status_make(rpc_call_arena(stream->call), GRPC_STATUS_OUT_OF_RANGE, "CURSOR_EXPIRED",
                        "cursor is too old, of another log, or of nobody's making");
    end_with(stream, &status);
    return false;
}

static void message_came(void *stream_context, struct rpc_call *call,
                         const ProtobufCMessage *message)
{
    const Waybill__Inventory__V1__WatchStockRequest *request = (const void *)message;
    struct stream *stream = stream_context;
    if (stream == NULL || stream->has_ended || !read_wanted(stream, request) ||
        !find_start(stream, text_of(request->cursor)))
        return;
    rpc_call_limit_queue(call, queue_bytes_max);
    rpc_call_send_headers(call); /* what happens from now on is seen */
    begin_step(stream);
    if (stream->is_listing)
        ask_for_page(stream);
    else
        follow(stream);
}

static void writable(void *stream_context, struct rpc_call *call)
{
    struct stream *stream = stream_context;
    (void)call;
    if (stream == NULL || stream->has_ended || !stream->is_full)
        return;
    stream->is_full = false;
    send_stocks(stream);
}

static void closed(void *stream_context, struct rpc_call *call)
{
    struct stream *stream = stream_context;
    (void)call;
    if (stream == NULL)
        return;
    stream->call = NULL;
    if (stream->is_in_hub && event_hub_remove(stream->watch->hub, &stream->subscriber))
        stream->is_in_hub = false;
    release_if_over(stream);
}

const struct rpc_stream_handler inventory_rpc_watch_stock_stream = {
    .opened = opened,
    .message = message_came,
    .writable = writable,
    .closed = closed,
};

/* --- its life --- */

struct error stock_watch_open(struct stock_watch **watch, struct inventory_service *service,
                              struct event_feed *feed, struct clock *clock)
{
    struct stock_watch *made = memory_allocate_zero(1, sizeof *made);
    *watch = NULL;
    if (made == NULL)
        return error_make(ERROR_OUT_OF_MEMORY, "inventory: watchers");
    made->service = service;
    made->feed = feed;
    struct event_hub_options options = event_hub_options_default();
    options.feeds = &made->feed;
    options.feed_count = 1;
    options.clock = clock;
    options.thread_count = 1;
    options.subscribers_max = watchers_max;
    struct error error = event_hub_open(&made->hub, &options);
    if (error_is(error)) {
        memory_release(made);
        return error;
    }
    *watch = made;
    return error;
}

void stock_watch_stop(struct stock_watch *watch)
{
    atomic_store(&watch->stopping, true);
    event_hub_stop(watch->hub);
}

void stock_watch_close(struct stock_watch *watch)
{
    if (watch == NULL)
        return;
    event_hub_close(watch->hub);
    memory_release(watch);
}

struct event_hub_usage stock_watch_usage(struct stock_watch *watch)
{
    return event_hub_usage(watch->hub);
}
