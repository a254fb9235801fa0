/*
 * A watcher is a subscriber of the hub and goes to and fro, as the streams of EventService do: on a
 * thread of the hub it takes one event of its order (copied); on its loop's thread that is sent,
 * and when the connection takes more it goes back. One at a time is enough: an order has a handful
 * of events in its life.
 *
 * Its memory goes when the call is closed *and* the hub has given it back *and* the repository has
 * answered; whatever comes last releases it, always on the loop's thread.
 *
 * A cursor names the place in the log and the revision that was sent last. The place alone would
 * not do: an order is read from the database, which may be ahead of the log by what the relay has
 * not moved yet, and one change may be told by several events. What is not newer than that revision
 * is not sent, in this stream or the next one.
 */
#include "fulfillment/interfaces/rpc/order_watch.h"

#include "fulfillment/interfaces/rpc/fulfillment_rpc.h"
#include "fulfillment/interfaces/rpc/order_answers.h"
#include "fulfillment/interfaces/rpc/order_messages.h"
#include "platform/base/memory.h"
#include "platform/base/page_token.h"
#include "platform/events/event_hub.h"

#include "waybill/fulfillment/v1/fulfillment_events.pb-c.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { watcher_arena_bytes_max = 4 * 1024 * 1024, queue_bytes_max = 1024 * 1024 };

static const char cursor_name[] = "fulfillment.WatchOrder";

struct order_watch {
    struct order_watch_options options;
    struct event_hub *hub;
};

struct watcher {
    struct event_hub_subscriber subscriber; /* first */
    struct order_watch *watch;
    struct rpc_call *call; /* NULL when it is over */
    struct executor *executor;
    struct task returned_task;
    struct get_order_command get;
    struct arena arena;      /* the order asked for, and its id */
    struct arena hand_arena; /* the event in hand */
    struct text order_id;
    bool wants_present;
    bool is_asking;
    bool has_begun;
    bool is_in_hub;
    bool has_ended;
    bool is_stalled; /* the connection takes no more */
    int64_t last_revision;
    bool has_event;
    struct text event_data;
    enum event_hub_return reason;
    struct error error;
};

/* --- on the hub's threads --- */

static enum event_hub_take take(struct event_hub_subscriber *subscriber, size_t feed,
                                const struct event *event)
{
    struct watcher *watcher = (struct watcher *)subscriber;
    (void)feed;
    if (!text_equal(event->key, watcher->order_id))
        return EVENT_HUB_PASSED;
    if (watcher->has_event)
        return EVENT_HUB_FULL;
    watcher->event_data = arena_copy_text(&watcher->hand_arena, event->data);
    watcher->has_event = watcher->event_data.data != NULL;
    return watcher->has_event ? EVENT_HUB_TAKEN : EVENT_HUB_FULL;
}

static void returned(struct event_hub_subscriber *subscriber, enum event_hub_return reason,
                     const struct error *error)
{
    struct watcher *watcher = (struct watcher *)subscriber;
    watcher->reason = reason;
    watcher->error = error == NULL ? error_none() : *error;
    executor_post(watcher->executor, &watcher->returned_task);
}

/* --- the end; from here on, its loop's thread --- */

static void release_if_over(struct watcher *watcher)
{
    if (watcher->call != NULL || watcher->is_in_hub || watcher->is_asking)
        return;
    if (watcher->has_begun)
        event_hub_leave(watcher->watch->hub);
    arena_deinit(&watcher->arena);
    arena_deinit(&watcher->hand_arena);
    memory_release(watcher);
}

static void end_with(struct watcher *watcher, const struct rpc_status *status)
{
    watcher->has_ended = true;
    rpc_call_fail(watcher->call, status);
}

static void end_with_error(struct watcher *watcher, const struct error *error)
{
    watcher->has_ended = true;
    rpc_call_end_with_error(watcher->call, error);
}

/* --- cursors --- */

/* "LOG/POSITION/REVISION", sealed for this order; NULL without memory. */
static char *cursor_at(struct watcher *watcher, struct arena *arena, uint64_t position,
                       int64_t revision)
{
    char *key =
        arena_format(arena, "%s/%llu/%lld", event_feed_identity(watcher->watch->options.feed),
                     (unsigned long long)position, (long long)revision);
    if (key == NULL)
        return NULL;
    return (char *)page_token_make_key(arena, cursor_name, watcher->order_id, text_of(key)).data;
}

/* Cuts off what is in front of the next slash. */
static struct text cut_part(struct text *rest)
{
    const char *slash = rest->size == 0 ? NULL : memchr(rest->data, '/', rest->size);
    struct text part = *rest;
    if (slash != NULL)
        part.size = (size_t)(slash - rest->data);
    *rest = text_make(rest->data + part.size, rest->size - part.size);
    if (slash != NULL)
        *rest = text_make(slash + 1, rest->size - 1);
    return part;
}

/*
 * False: it is of another log, of another order, or not kept; or there is no memory. One without a
 * revision is of a release that gave none: what it had sent last may come again.
 */
static bool read_cursor(struct watcher *watcher, const char *cursor)
{
    struct event_feed *feed = watcher->watch->options.feed;
    struct text rest;
    int64_t position = -1;
    int64_t revision = 0;
    if (!page_token_read_key(&watcher->arena, text_of(cursor), cursor_name, watcher->order_id,
                             &rest))
        return false;
    struct text log = cut_part(&rest);
    if (!text_equals_string(log, event_feed_identity(feed)) ||
        !text_to_int64(cut_part(&rest), &position) ||
        (rest.size > 0 && !text_to_int64(rest, &revision)) || position < 0 || revision < 0)
        return false;
    watcher->subscriber.positions[0] = (uint64_t)position;
    watcher->last_revision = revision;
    return (uint64_t)position >= event_feed_oldest(feed) &&
           (uint64_t)position <= event_feed_newest(feed);
}

/* --- sending --- */

static bool send_order(struct watcher *watcher, struct arena *arena,
                       Waybill__Fulfillment__V1__Order *order)
{
    Waybill__Fulfillment__V1__WatchOrderResponse response;
    waybill__fulfillment__v1__watch_order_response__init(&response);
    response.order = order;
    response.cursor = cursor_at(watcher, arena, watcher->subscriber.positions[0], order->revision);
    if (response.cursor == NULL) {
        rpc_call_end_without_memory(watcher->call);
        watcher->has_ended = true;
        return false;
    }
    watcher->last_revision = order->revision;
    return rpc_call_send(watcher->call, &response.base);
}

/* All events have the order in the same field. */
static void send_event(struct watcher *watcher)
{
    Waybill__Fulfillment__V1__OrderPromised *event =
        waybill__fulfillment__v1__order_promised__unpack(NULL, watcher->event_data.size,
                                                         (const uint8_t *)watcher->event_data.data);
    if (event == NULL) { /* it is our own, so there was no memory: the cursor leads back to it */
        watcher->has_ended = true;
        rpc_call_end_without_memory(watcher->call);
        return;
    }
    if (event->order != NULL && event->order->revision > watcher->last_revision)
        watcher->is_stalled = !send_order(watcher, &watcher->hand_arena, event->order);
    waybill__fulfillment__v1__order_promised__free_unpacked(event, NULL);
}

static void resume(struct watcher *watcher)
{
    arena_reset(&watcher->hand_arena);
    watcher->has_event = false;
    watcher->is_in_hub = true;
    event_hub_resume(watcher->watch->hub, &watcher->subscriber);
}

static void run_returned(struct task *task)
{
    struct watcher *watcher =
        (struct watcher *)(void *)((char *)task - offsetof(struct watcher, returned_task));
    watcher->is_in_hub = false;
    if (watcher->call != NULL && !watcher->has_ended && watcher->has_event)
        send_event(watcher);
    if (watcher->call == NULL || watcher->has_ended) {
        release_if_over(watcher);
        return;
    }
    if (watcher->reason == EVENT_HUB_DELIVERED) {
        if (!watcher->is_stalled)
            resume(watcher);
        return;
    }
    if (watcher->reason == EVENT_HUB_FAILED) {
        end_with_error(watcher, &watcher->error);
        return;
    }
    struct rpc_status status =
        rpc_status_make(rpc_call_arena(watcher->call), GRPC_STATUS_UNAVAILABLE, "SERVER_STOPPING",
                        "the server stops; go on with the cursor");
    end_with(watcher, &status);
}

/* --- the beginning --- */

static void join_hub(struct watcher *watcher)
{
    watcher->subscriber.wants[0] = true;
    watcher->is_in_hub = true;
    watcher->has_begun = event_hub_add(watcher->watch->hub, &watcher->subscriber);
    if (watcher->has_begun)
        return;
    watcher->is_in_hub = false;
    struct error error = error_make(ERROR_OVERLOADED, "there are as many watchers as may be");
    end_with_error(watcher, &error);
}

static void got_order(struct fulfillment_command *command, const struct error *error)
{
    struct watcher *watcher =
        (struct watcher *)(void *)((char *)command - offsetof(struct watcher, get));
    watcher->is_asking = false;
    if (watcher->call == NULL) {
        release_if_over(watcher);
        return;
    }
    if (error != NULL) {
        end_with_error(watcher, error);
        return;
    }
    if (command->outcome != FULFILLMENT_DONE) {
        watcher->has_ended = true;
        order_fail_not_found(watcher->call);
        return;
    }
    rpc_call_limit_queue(watcher->call, queue_bytes_max);
    rpc_call_send_headers(watcher->call);
    if (watcher->wants_present) {
        Waybill__Fulfillment__V1__Order *order =
            order_message(&watcher->arena, &watcher->get.order);
        if (order == NULL) {
            watcher->has_ended = true;
            rpc_call_end_without_memory(watcher->call);
            return;
        }
        (void)send_order(watcher, &watcher->arena, order);
    }
    if (!watcher->has_ended)
        join_hub(watcher);
}

static void opened(void *context, struct rpc_call *call, void **stream_context)
{
    static const struct event_hub_subscriber_table table = {.take = take, .returned = returned};
    struct watcher *watcher = memory_allocate_zero(1, sizeof *watcher);
    *stream_context = watcher;
    if (watcher == NULL) {
        rpc_call_end_without_memory(call);
        return;
    }
    watcher->subscriber.table = &table;
    watcher->watch = ((struct fulfillment_door *)context)->watch;
    watcher->call = call;
    watcher->executor = rpc_call_executor(call);
    watcher->returned_task.run = run_returned;
    watcher->error = error_none();
    arena_init(&watcher->arena, watcher_arena_bytes_max);
    arena_init(&watcher->hand_arena, watcher_arena_bytes_max);
}

/* Where to begin; false: the call has ended. */
static bool take_request(struct watcher *watcher,
                         const Waybill__Fulfillment__V1__WatchOrderRequest *request)
{
    struct violations violations;
    violations_init(&violations, rpc_call_arena(watcher->call));
    watcher->has_ended = true; /* unless all is well */
    watcher->order_id = arena_copy_text(&watcher->arena, text_of(request->order_id));
    watcher->wants_present = request->cursor[0] == '\0';
    if (watcher->order_id.data == NULL) {
        rpc_call_end_without_memory(watcher->call);
        return false;
    }
    if (!fulfillment_check_order_id(&violations, watcher->order_id)) {
        rpc_call_end_with_violations(watcher->call, &violations);
        return false;
    }
    if (watcher->wants_present) {
        watcher->subscriber.positions[0] = event_feed_newest(watcher->watch->options.feed);
    } else if (!read_cursor(watcher, request->cursor)) {
        struct error error =
            watcher->arena.refused
                ? error_make(ERROR_OUT_OF_MEMORY, "no memory for a cursor")
                : error_make(ERROR_CURSOR_EXPIRED,
                             "the cursor is not kept any more, or none of this order's");
        end_with_error(watcher, &error);
        return false;
    }
    watcher->has_ended = false;
    return true;
}

static void message(void *stream_context, struct rpc_call *call, const ProtobufCMessage *generic)
{
    struct watcher *watcher = stream_context;
    struct violations violations;
    if (watcher == NULL || watcher->has_ended || watcher->is_asking || watcher->has_begun ||
        !take_request(watcher, (const void *)generic))
        return;
    violations_init(&violations, rpc_call_arena(call));
    watcher->get.base.executor = watcher->executor;
    watcher->get.base.arena = &watcher->arena;
    watcher->get.order_id = watcher->order_id;
    watcher->is_asking = true;
    if (!fulfillment_service_get(watcher->watch->options.service, &watcher->get, &violations,
                                 got_order)) {
        watcher->is_asking = false;
        watcher->has_ended = true;
        rpc_call_end_with_violations(call, &violations);
    }
}

static void writable(void *stream_context, struct rpc_call *call)
{
    struct watcher *watcher = stream_context;
    (void)call;
    if (watcher == NULL || watcher->has_ended || !watcher->is_stalled)
        return;
    watcher->is_stalled = false;
    if (!watcher->is_in_hub && watcher->has_begun)
        resume(watcher);
}

static void closed(void *stream_context, struct rpc_call *call)
{
    struct watcher *watcher = stream_context;
    (void)call;
    if (watcher == NULL)
        return;
    watcher->call = NULL;
    if (watcher->is_in_hub && event_hub_remove(watcher->watch->hub, &watcher->subscriber))
        watcher->is_in_hub = false;
    release_if_over(watcher);
}

const struct rpc_stream_handler order_watch_stream = {
    .opened = opened,
    .message = message,
    .writable = writable,
    .closed = closed,
};

/* --- its life --- */

struct error order_watch_open(struct order_watch **watch, const struct order_watch_options *options)
{
    struct order_watch *made = memory_allocate_zero(1, sizeof *made);
    *watch = NULL;
    if (made == NULL)
        return error_make(ERROR_OUT_OF_MEMORY, "fulfillment: watchers");
    made->options = *options;
    struct event_hub_options hub = event_hub_options_default();
    hub.feeds = &made->options.feed;
    hub.feed_count = 1;
    hub.clock = options->clock;
    hub.subscribers_max = options->watchers_max;
    struct error error = event_hub_open(&made->hub, &hub);
    if (error_is(error)) {
        memory_release(made);
        return error;
    }
    *watch = made;
    return error;
}

void order_watch_stop(struct order_watch *watch)
{
    event_hub_stop(watch->hub);
}

void order_watch_close(struct order_watch *watch)
{
    if (watch == NULL)
        return;
    event_hub_close(watch->hub);
    memory_release(watch);
}

uint64_t order_watch_count(struct order_watch *watch)
{
    return event_hub_usage(watch->hub).subscribers;
}
