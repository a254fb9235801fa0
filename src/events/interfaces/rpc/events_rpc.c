/*
 * A stream is a subscriber of the hub. It goes to and fro: on a thread of the hub it takes a hand
 * of events (copied, with the cursor behind each); on its loop's thread they are sent; when all
 * have gone out it goes back for more. While its connection takes no more (rpc_call_send said
 * false) it stays here, and the hub's tick looks how long already.
 *
 * A stream's memory goes when the call is closed *and* the hub has given it back *and* no task of
 * it is on its way; whatever comes last releases it, always on the loop's thread.
 */
#include "events/interfaces/rpc/events_rpc.h"

#include "platform/base/arena.h"
#include "platform/base/check.h"
#include "platform/base/memory.h"
#include "platform/rpc/message_fields.h"
#include "platform/rpc/rpc_call_end.h"

#include "google/protobuf/any.pb-c.h"
#include "google/protobuf/timestamp.pb-c.h"
#include "waybill/events/v1/events.pb-c.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

enum {
    hand_events_max = 32,
    hand_bytes_max = 32 * 1024,             /* taking stops behind this */
    hand_arena_bytes_max = 2 * 1024 * 1024, /* more than that and one largest event */
    stream_arena_bytes_max = 64 * 1024,
    queue_bytes_max = 64 * 1024, /* what a stream's connection may have queued */
};

static const char type_url_prefix[] = "type.googleapis.com/";

struct events_service {
    struct events_service_options options;
    struct event_feed *feeds[event_hub_feeds_max];
    struct event_hub *hub;
    struct rpc_service rpc;
    pthread_mutex_t mutex; /* guards the list of streams and their is_slow_posted */
    struct stream *streams;
};

/* An event on its way, its texts on hand_arena. */
struct handed_event {
    struct event event;
    const char *type_url;
    struct text cursor; /* behind it */
};

struct stream {
    struct event_hub_subscriber subscriber;
    struct events_service *service;
    struct rpc_call *call; /* NULL when it is closed */
    struct executor *executor;
    struct task returned_task;
    struct task slow_task;
    struct stream *next; /* the service's */
    struct stream *previous;
    bool has_begun;
    bool is_in_hub; /* as its loop's thread knows */
    bool is_sending;
    bool has_ended; /* the call has its status */
    bool is_slow_posted;
    _Atomic int64_t stalled_since_us; /* 0 = its connection takes more */
    struct arena arena;               /* the filter */
    struct event_filter filter;
    char last_cursor[event_cursor_text_bytes_max]; /* behind what was sent */
    /* Filled by the hub's thread, emptied by the loop's. */
    struct arena hand_arena;
    struct handed_event hand[hand_events_max];
    size_t hand_count;
    size_t hand_sent;
    size_t hand_bytes;
    enum event_hub_return reason;
    struct error error;
};

/* --- cursors --- */

/* The cursor at these positions; data is NULL without memory. */
static struct text cursor_at(const struct events_service *service, const uint64_t *positions,
                             struct arena *arena)
{
    struct event_cursor cursor = {.count = service->options.feed_count};
    for (size_t i = 0; i < cursor.count; i++) {
        cursor.places[i] = (struct event_cursor_place){
            .source = text_of(service->feeds[i]->source),
            .identity = text_of(event_feed_identity(service->feeds[i])),
            .position = positions[i],
        };
    }
    return event_cursor_encode(&cursor, arena);
}

static void remember_cursor(struct stream *stream, struct text cursor)
{
    if (cursor.data == NULL || cursor.size >= sizeof stream->last_cursor)
        return;
    memcpy(stream->last_cursor, cursor.data, cursor.size);
    stream->last_cursor[cursor.size] = '\0';
}

/* --- on the hub's threads --- */

static struct stream *stream_of(struct event_hub_subscriber *subscriber)
{
    return (struct stream *)subscriber;
}

static bool copy_event(struct stream *stream, const struct event *event,
                       struct handed_event *handed)
{
    struct arena *arena = &stream->hand_arena;
    handed->event = *event;
    handed->event.event_id = arena_copy_text(arena, event->event_id);
    handed->event.type = arena_copy_text(arena, event->type);
    handed->event.source = arena_copy_text(arena, event->source);
    handed->event.key = arena_copy_text(arena, event->key);
    handed->event.data = arena_copy_text(arena, event->data);
    handed->type_url =
        arena_format(arena, "%s%.*s", type_url_prefix, (int)event->type.size, event->type.data);
    handed->cursor = cursor_at(stream->service, stream->subscriber.positions, arena);
    return handed->event.event_id.data != NULL && handed->event.type.data != NULL &&
           handed->event.source.data != NULL && handed->event.key.data != NULL &&
           handed->event.data.data != NULL && handed->type_url != NULL &&
           handed->cursor.data != NULL;
}

static enum event_hub_take take(struct event_hub_subscriber *subscriber, size_t feed,
                                const struct event *event)
{
    struct stream *stream = stream_of(subscriber);
    (void)feed;
    if (!event_filter_matches(&stream->filter, event->type, event->key))
        return EVENT_HUB_PASSED;
    if (stream->hand_count == hand_events_max || stream->hand_bytes >= hand_bytes_max ||
        !copy_event(stream, event, &stream->hand[stream->hand_count]))
        return EVENT_HUB_FULL;
    stream->hand_count++;
    stream->hand_bytes += event->data.size + event->key.size + event->event_id.size;
    return EVENT_HUB_TAKEN;
}

static void returned(struct event_hub_subscriber *subscriber, enum event_hub_return reason,
                     const struct error *error)
{
    struct stream *stream = stream_of(subscriber);
    stream->reason = reason;
    stream->error = error == NULL ? error_none() : *error;
    executor_post(stream->executor, &stream->returned_task);
}

/* --- the end of a stream; from here on, its loop's thread --- */

static void release_if_over(struct stream *stream)
{
    struct events_service *service = stream->service;
    pthread_mutex_lock(&service->mutex);
    bool is_over = stream->call == NULL && !stream->is_in_hub && !stream->is_sending &&
                   !stream->is_slow_posted;
    pthread_mutex_unlock(&service->mutex);
    if (!is_over)
        return;
    if (stream->has_begun)
        event_hub_leave(service->hub);
    arena_deinit(&stream->arena);
    arena_deinit(&stream->hand_arena);
    memory_release(stream);
}

/* Ends the call; the cursor to go on with is in the status. */
static void end_with(struct stream *stream, struct rpc_status *status)
{
    stream->has_ended = true;
    atomic_store(&stream->stalled_since_us, 0);
    if (stream->last_cursor[0] != '\0')
        rpc_status_add_metadata(status, "cursor", text_of(stream->last_cursor));
    rpc_call_fail(stream->call, status);
}

/* What the hub said when it gave the stream back, and all it had taken has been sent. */
static void go_on(struct stream *stream)
{
    struct arena *arena = rpc_call_arena(stream->call);
    struct rpc_status status;
    if (stream->reason == EVENT_HUB_DELIVERED) {
        arena_reset(&stream->hand_arena);
        stream->hand_count = 0;
        stream->hand_sent = 0;
        stream->hand_bytes = 0;
        stream->is_in_hub = true;
        event_hub_resume(stream->service->hub, &stream->subscriber);
        return;
    }
    remember_cursor(stream, cursor_at(stream->service, stream->subscriber.positions, arena));
    if (stream->reason == EVENT_HUB_FAILED)
        status = rpc_status_of_error(arena, &stream->error);
    else
        status = rpc_status_make(arena, GRPC_STATUS_UNAVAILABLE, "SERVER_STOPPING",
                                 "the server stops; go on with the cursor");
    end_with(stream, &status);
}

static bool send_event(struct stream *stream, const struct handed_event *handed)
{
    const struct event *event = &handed->event;
    Google__Protobuf__Timestamp time = message_of_time(event->time_us);
    Google__Protobuf__Any data = GOOGLE__PROTOBUF__ANY__INIT;
    Waybill__Events__V1__Event message = WAYBILL__EVENTS__V1__EVENT__INIT;
    Waybill__Events__V1__SubscribeResponse response = WAYBILL__EVENTS__V1__SUBSCRIBE_RESPONSE__INIT;
    data.type_url = (char *)handed->type_url;
    data.value = (ProtobufCBinaryData){event->data.size, (uint8_t *)event->data.data};
    message.cursor = (char *)handed->cursor.data;
    message.event_id = (char *)event->event_id.data;
    message.type = (char *)event->type.data;
    message.source = (char *)event->source.data;
    message.key = (char *)event->key.data;
    message.sequence = event->sequence;
    message.time = &time;
    message.data = &data;
    response.event = &message;
    bool has_room = rpc_call_send(stream->call, &response.base);
    remember_cursor(stream, handed->cursor);
    return has_room;
}

/* Sends what is in hand, as far as the connection takes it. */
static void send_hand(struct stream *stream)
{
    bool has_room = true;
    stream->is_sending = true;
    while (stream->call != NULL && !stream->has_ended && has_room &&
           stream->hand_sent < stream->hand_count)
        has_room = send_event(stream, &stream->hand[stream->hand_sent++]);
    if (stream->call != NULL && !stream->has_ended) {
        if (!has_room)
            atomic_store(&stream->stalled_since_us,
                         clock_monotonic_us(stream->service->options.clock));
        else
            go_on(stream);
    }
    stream->is_sending = false;
    release_if_over(stream);
}

static void run_returned(struct task *task)
{
    struct stream *stream =
        (struct stream *)((char *)task - offsetof(struct stream, returned_task));
    stream->is_in_hub = false;
    send_hand(stream);
}

/* --- slow subscribers --- */

static void run_slow(struct task *task)
{
    struct stream *stream = (struct stream *)((char *)task - offsetof(struct stream, slow_task));
    pthread_mutex_lock(&stream->service->mutex);
    stream->is_slow_posted = false;
    pthread_mutex_unlock(&stream->service->mutex);
    if (stream->call != NULL && !stream->has_ended && atomic_load(&stream->stalled_since_us) != 0) {
        struct rpc_status status = rpc_status_make(
            rpc_call_arena(stream->call), GRPC_STATUS_RESOURCE_EXHAUSTED, "SUBSCRIBER_SLOW",
            "nothing was taken for %lld seconds; go on with the cursor",
            (long long)(stream->service->options.slow_us / 1000000));
        end_with(stream, &status);
    }
    release_if_over(stream);
}

/* The hub's tick: who has been stalled for too long. */
static void look_for_slow(void *context)
{
    struct events_service *service = context;
    int64_t now_us = clock_monotonic_us(service->options.clock);
    pthread_mutex_lock(&service->mutex);
    for (struct stream *stream = service->streams; stream != NULL; stream = stream->next) {
        int64_t since_us = atomic_load(&stream->stalled_since_us);
        if (since_us == 0 || now_us - since_us < service->options.slow_us || stream->is_slow_posted)
            continue;
        stream->is_slow_posted = true;
        executor_post(stream->executor, &stream->slow_task);
    }
    pthread_mutex_unlock(&service->mutex);
}

/* --- the call --- */

static void opened(void *context, struct rpc_call *call, void **stream_context)
{
    static const struct event_hub_subscriber_table table = {.take = take, .returned = returned};
    struct events_service *service = context;
    struct stream *stream = memory_allocate_zero(1, sizeof *stream);
    *stream_context = stream;
    if (stream == NULL) {
        struct rpc_status status =
            rpc_status_make(rpc_call_arena(call), GRPC_STATUS_RESOURCE_EXHAUSTED, "OVERLOADED",
                            "no memory for another subscriber");
        rpc_call_fail(call, &status);
        return;
    }
    stream->subscriber.table = &table;
    stream->service = service;
    stream->call = call;
    stream->executor = rpc_call_executor(call);
    stream->returned_task.run = run_returned;
    stream->slow_task.run = run_slow;
    stream->error = error_none();
    arena_init(&stream->arena, stream_arena_bytes_max);
    arena_init(&stream->hand_arena, hand_arena_bytes_max);
    pthread_mutex_lock(&service->mutex);
    stream->next = service->streams;
    if (stream->next != NULL)
        stream->next->previous = stream;
    service->streams = stream;
    pthread_mutex_unlock(&service->mutex);
}

static void fail(struct stream *stream, enum grpc_status code, const char *reason,
                 const char *message)
{
    struct rpc_status status =
        rpc_status_make(rpc_call_arena(stream->call), code, reason, "%s", message);
    stream->has_ended = true;
    rpc_call_fail(stream->call, &status);
}

/* The filter, its texts copied: it outlives the request. False without memory. */
static bool copy_filter(struct stream *stream, const Waybill__Events__V1__SubscribeRequest *request)
{
    struct text *types = arena_allocate(&stream->arena, (request->n_types + 1) * sizeof *types);
    if (types == NULL)
        return false;
    for (size_t i = 0; i < request->n_types; i++) {
        types[i] = arena_copy_text(&stream->arena, text_of(request->types[i]));
        if (types[i].data == NULL)
            return false;
    }
    stream->filter = (struct event_filter){
        .types = types,
        .type_count = request->n_types,
        .key = arena_copy_text(&stream->arena, text_of(request->key)),
    };
    return stream->filter.key.data != NULL;
}

static void read_logs(const struct events_service *service, struct event_log_state *logs)
{
    for (size_t i = 0; i < service->options.feed_count; i++) {
        struct event_feed *feed = service->feeds[i];
        logs[i] = (struct event_log_state){
            .source = text_of(feed->source),
            .identity = text_of(event_feed_identity(feed)),
            .oldest = event_feed_oldest(feed),
            .newest = event_feed_newest(feed),
        };
    }
}

static void fail_cursor(struct stream *stream, enum subscription_start start, struct text source)
{
    struct arena *arena = rpc_call_arena(stream->call);
    const char *why = start == SUBSCRIPTION_CURSOR_UNREADABLE ? "this is no cursor of ours"
                      : start == SUBSCRIPTION_CURSOR_OTHER_LOG
                          ? "the cursor is of another log, or of one that is not here"
                          : "the cursor's place is not kept any more, or not there";
    struct rpc_status status =
        rpc_status_make(arena, GRPC_STATUS_OUT_OF_RANGE, "CURSOR_EXPIRED",
                        "cursor: %s%s%.*s; begin with \"oldest\", or leave it out for the present",
                        why, source.size == 0 ? "" : ": ", (int)source.size, source.data);
    stream->has_ended = true;
    rpc_call_fail(stream->call, &status);
}

static void begin(struct stream *stream)
{
    struct events_service *service = stream->service;
    struct text start = cursor_at(service, stream->subscriber.positions, &stream->arena);
    remember_cursor(stream, start);
    for (size_t i = 0; i < service->options.feed_count; i++)
        stream->subscriber.wants[i] =
            event_filter_concerns(&stream->filter, text_of(service->feeds[i]->source));
    rpc_call_limit_queue(stream->call, queue_bytes_max);
    rpc_call_send_headers(stream->call); /* what happens from now on is seen */
    stream->is_in_hub = true;
    stream->has_begun = event_hub_add(service->hub, &stream->subscriber);
    if (!stream->has_begun) {
        stream->is_in_hub = false;
        fail(stream, GRPC_STATUS_RESOURCE_EXHAUSTED, "OVERLOADED",
             "there are as many subscribers as may be, or the server stops; try again later");
    }
}

static void message(void *stream_context, struct rpc_call *call, const ProtobufCMessage *generic)
{
    struct stream *stream = stream_context;
    const Waybill__Events__V1__SubscribeRequest *request = (const void *)generic;
    struct event_log_state logs[event_hub_feeds_max];
    struct violations violations;
    struct text source;
    if (stream == NULL || stream->has_ended || stream->has_begun)
        return;
    size_t log_count = stream->service->options.feed_count;
    violations_init(&violations, rpc_call_arena(call));
    read_logs(stream->service, logs);
    if (!copy_filter(stream, request)) {
        fail(stream, GRPC_STATUS_RESOURCE_EXHAUSTED, "OVERLOADED", "no memory for the filter");
        return;
    }
    if (!subscribe_check(&stream->filter, &stream->service->options.types, logs, log_count,
                         &violations)) {
        stream->has_ended = true;
        rpc_call_end_with_violations(call, &violations);
        return;
    }
    enum subscription_start start =
        subscription_start(text_of(request->cursor), logs, log_count, rpc_call_arena(call),
                           stream->subscriber.positions, &source);
    if (start != SUBSCRIPTION_STARTS)
        fail_cursor(stream, start, source);
    else
        begin(stream);
}

static void writable(void *stream_context, struct rpc_call *call)
{
    struct stream *stream = stream_context;
    (void)call;
    if (stream == NULL || stream->has_ended || atomic_load(&stream->stalled_since_us) == 0)
        return;
    atomic_store(&stream->stalled_since_us, 0);
    send_hand(stream);
}

static void closed(void *stream_context, struct rpc_call *call)
{
    struct stream *stream = stream_context;
    (void)call;
    if (stream == NULL)
        return;
    struct events_service *service = stream->service;
    stream->call = NULL;
    pthread_mutex_lock(&service->mutex);
    if (stream->previous != NULL)
        stream->previous->next = stream->next;
    else
        service->streams = stream->next;
    if (stream->next != NULL)
        stream->next->previous = stream->previous;
    pthread_mutex_unlock(&service->mutex);
    if (stream->is_in_hub && event_hub_remove(service->hub, &stream->subscriber))
        stream->is_in_hub = false;
    release_if_over(stream);
}

/* --- ListEventLogs --- */

static Waybill__Events__V1__EventLog *log_message(const struct event_log_state *log,
                                                  struct arena *arena)
{
    Waybill__Events__V1__EventLog *message = arena_allocate(arena, sizeof *message);
    if (message == NULL)
        return NULL;
    struct event_cursor cursor = {
        .count = 1,
        .places = {{.source = log->source, .identity = log->identity, .position = log->oldest}},
    };
    waybill__events__v1__event_log__init(message);
    message->source = (char *)log->source.data;
    message->identity = arena_copy_string(arena, log->identity);
    message->oldest_sequence = log->oldest;
    message->newest_sequence = log->newest;
    message->oldest_cursor = (char *)event_cursor_encode(&cursor, arena).data;
    cursor.places[0].position = log->newest;
    message->newest_cursor = (char *)event_cursor_encode(&cursor, arena).data;
    return message->identity == NULL || message->oldest_cursor == NULL ||
                   message->newest_cursor == NULL
               ? NULL
               : message;
}

static void fail_for_memory(struct rpc_call *call)
{
    struct rpc_status status = rpc_status_make(rpc_call_arena(call), GRPC_STATUS_RESOURCE_EXHAUSTED,
                                               "OVERLOADED", "no memory for the answer");
    rpc_call_fail(call, &status);
}

static void list_event_logs(void *context, struct rpc_call *call, const ProtobufCMessage *request)
{
    const struct events_service *service = context;
    struct event_log_state logs[event_hub_feeds_max];
    Waybill__Events__V1__EventLog *messages[event_hub_feeds_max];
    uint64_t positions[event_hub_feeds_max];
    Waybill__Events__V1__ListEventLogsResponse response =
        WAYBILL__EVENTS__V1__LIST_EVENT_LOGS_RESPONSE__INIT;
    (void)request;
    read_logs(service, logs);
    for (size_t i = 0; i < service->options.feed_count; i++) {
        messages[i] = log_message(&logs[i], rpc_call_arena(call));
        positions[i] = logs[i].newest;
        if (messages[i] == NULL) {
            fail_for_memory(call);
            return;
        }
    }
    response.present_cursor = (char *)cursor_at(service, positions, rpc_call_arena(call)).data;
    if (response.present_cursor == NULL) {
        fail_for_memory(call);
        return;
    }
    response.n_logs = service->options.feed_count;
    response.logs = messages;
    rpc_call_answer(call, &response.base);
}

/* --- the service --- */

struct error events_service_open(struct events_service **service,
                                 const struct events_service_options *options)
{
    static const struct rpc_stream_handler subscribe = {
        .opened = opened,
        .message = message,
        .writable = writable,
        .closed = closed,
    };
    static const struct rpc_method methods[] = {
        {.name = "Subscribe", .kind = RPC_SERVER_STREAM, .stream = &subscribe, .idempotent = true},
        {.name = "ListEventLogs", .kind = RPC_UNARY, .unary = list_event_logs, .idempotent = true},
    };
    static const struct rpc_field_limit limits[] = {
        {&waybill__events__v1__subscribe_request__descriptor, "types", subscription_types_max},
    };
    CHECK(options->feed_count <= event_hub_feeds_max);
    struct events_service *made = memory_allocate_zero(1, sizeof *made);
    *service = NULL;
    if (made == NULL)
        return error_make(ERROR_OUT_OF_MEMORY, "the event service");
    made->options = *options;
    if (options->feed_count > 0)
        memcpy(made->feeds, options->feeds, options->feed_count * sizeof made->feeds[0]);
    made->options.feeds = made->feeds;
    pthread_mutex_init(&made->mutex, NULL);
    made->rpc = (struct rpc_service){
        .descriptor = &waybill__events__v1__event_service__descriptor,
        .methods = methods,
        .method_count = sizeof methods / sizeof methods[0],
        .field_limits = limits,
        .field_limit_count = sizeof limits / sizeof limits[0],
        .context = made,
    };
    struct event_hub_options hub_options = event_hub_options_default();
    hub_options.feeds = made->feeds;
    hub_options.feed_count = options->feed_count;
    hub_options.clock = options->clock;
    hub_options.subscribers_max = options->subscribers_max;
    hub_options.tick = look_for_slow;
    hub_options.tick_context = made;
    struct error error = event_hub_open(&made->hub, &hub_options);
    if (error_is(error)) {
        events_service_close(made);
        return error;
    }
    *service = made;
    return error;
}

void events_service_stop(struct events_service *service)
{
    event_hub_stop(service->hub);
}

void events_service_close(struct events_service *service)
{
    if (service == NULL)
        return;
    event_hub_close(service->hub);
    pthread_mutex_destroy(&service->mutex);
    memory_release(service);
}

const struct rpc_service *events_service_rpc(struct events_service *service)
{
    return &service->rpc;
}

struct event_hub_usage events_service_usage(struct events_service *service)
{
    return event_hub_usage(service->hub);
}
