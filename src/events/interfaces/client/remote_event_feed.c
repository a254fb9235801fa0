/*
 * The thread's loop owns client and stream; readers and it share a queue of received events under a
 * mutex. `front` is the position behind which the queue's first event stands, `back` that of its
 * last; a reader at `front` takes from it, a reader elsewhere has the queue emptied and the stream
 * begun anew behind its place (`restart`), which the loop does when it is woken.
 *
 * Ends of the stream: a place that is of no use is told to the reader (CURSOR_EXPIRED); anything
 * else is tried again behind `back`, later and later. A full queue stops the reading of the stream,
 * and so the sending; a server that ends us as too slow is one of those tried again.
 */
#include "events/interfaces/client/remote_event_feed.h"

#include "events/domain/event_cursor.h"
#include "events/domain/subscription.h"
#include "google/protobuf/any.pb-c.h"
#include "google/protobuf/timestamp.pb-c.h"
#include "platform/base/check.h"
#include "platform/base/memory.h"
#include "platform/events/event_watchers.h"
#include "platform/rpc/client.h"
#include "platform/rpc/message_fields.h"
#include "waybill/events/v1/events.pb-c.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <uv.h>

enum {
    pause_ms_min = 100,
    pause_ms_max = 5000,
    look_ms = 5000, /* how often the log's ends are asked for */
    cursor_arena_bytes_max = 16 * 1024,
};

static const int64_t list_timeout_us = 5000000;
static const char subscribe_path[] = "/waybill.events.v1.EventService/Subscribe";
static const char list_path[] = "/waybill.events.v1.EventService/ListEventLogs";

struct received_event {
    struct received_event *next;
    struct event event; /* its texts stand behind it */
    char bytes[];
};

struct remote_event_feed {
    struct event_feed base;
    struct remote_event_feed_options options;
    char *types[subscription_types_max];
    struct event_watchers watchers;
    pthread_t thread;
    /* The loop's. */
    uv_loop_t loop;
    uv_async_t wake;
    uv_timer_t pause;
    uv_timer_t look;
    struct rpc_client *client;
    struct rpc_client_call *stream; /* NULL between two */
    uint64_t pause_ms;
    bool is_reading; /* the stream is */
    bool is_asking;  /* for the logs */
    /* Shared. */
    pthread_mutex_t mutex;
    /* Of the log: "" until it is known. A new one is written into the other place, since readers
     * look at it without the mutex. */
    char identities[2][event_log_identity_bytes_max];
    const char *identity;
    uint64_t oldest;
    uint64_t newest;
    struct received_event *first;
    struct received_event *last;
    size_t count;
    uint64_t front;
    uint64_t back;
    bool has_place; /* somebody has read: front and back are set */
    bool restart;
    bool is_stopping;
    struct error failed; /* told to the next reader at `front` */
};

struct remote_event_feed_options remote_event_feed_options_default(void)
{
    return (struct remote_event_feed_options){.events_max = 1024};
}

static struct remote_event_feed *remote_of(struct event_feed *feed)
{
    return (struct remote_event_feed *)feed;
}

/* --- the queue; the mutex is held --- */

static void clear_queue(struct remote_event_feed *remote)
{
    while (remote->first != NULL) {
        struct received_event *next = remote->first->next;
        memory_release(remote->first);
        remote->first = next;
    }
    remote->last = NULL;
    remote->count = 0;
}

/* Copies a text behind the event; NUL-terminated texts from protobuf-c. */
static struct text put_text(char **at, const char *data, size_t size)
{
    char *start = *at;
    if (size > 0)
        memcpy(start, data, size);
    *at += size;
    return text_make(start, size);
}

static struct received_event *copy_event(const struct remote_event_feed *remote,
                                         const Waybill__Events__V1__Event *message)
{
    size_t id = strlen(message->event_id);
    size_t type = strlen(message->type);
    size_t key = strlen(message->key);
    size_t data = message->data == NULL ? 0 : message->data->value.len;
    struct received_event *copy = memory_allocate(sizeof *copy + id + type + key + data + 1);
    if (copy == NULL)
        return NULL;
    char *at = copy->bytes;
    copy->next = NULL;
    copy->event = (struct event){
        .event_id = put_text(&at, message->event_id, id),
        .type = put_text(&at, message->type, type),
        .source = text_of(remote->options.source),
        .key = put_text(&at, message->key, key),
        .sequence = message->sequence,
        .time_us = message_time_us(message->time),
        .data = put_text(&at, data == 0 ? "" : (const char *)message->data->value.data, data),
    };
    return copy;
}

/* --- the loop's thread --- */

static void open_stream(struct remote_event_feed *remote);

static void on_pause(uv_timer_t *timer)
{
    open_stream(timer->data);
}

static void try_later(struct remote_event_feed *remote)
{
    uv_timer_start(&remote->pause, on_pause, remote->pause_ms, 0);
    remote->pause_ms = 2 * remote->pause_ms > pause_ms_max ? pause_ms_max : 2 * remote->pause_ms;
}

static void on_message(void *context, struct rpc_client_call *call, const ProtobufCMessage *message)
{
    struct remote_event_feed *remote = context;
    const Waybill__Events__V1__SubscribeResponse *response = (const void *)message;
    bool is_full = false;
    bool is_lost = false;
    if (response->event == NULL || call != remote->stream)
        return;
    remote->pause_ms = pause_ms_min;
    struct received_event *copy = copy_event(remote, response->event);
    pthread_mutex_lock(&remote->mutex);
    if (copy != NULL && !remote->restart && copy->event.sequence > remote->back) {
        if (remote->last == NULL)
            remote->first = copy;
        else
            remote->last->next = copy;
        remote->last = copy;
        remote->count++;
        remote->back = copy->event.sequence;
        if (remote->back > remote->newest)
            remote->newest = remote->back;
        copy = NULL;
    } else if (copy == NULL) {
        is_lost = true;
    }
    is_full = remote->count >= remote->options.events_max;
    pthread_mutex_unlock(&remote->mutex);
    memory_release(copy); /* of a place that nobody asks for any more */
    if (is_lost) {        /* no memory: the stream begins again behind what is kept */
        rpc_client_stream_cancel(call);
        return;
    }
    if (is_full && remote->is_reading) {
        remote->is_reading = false;
        rpc_client_stream_read(call, false);
    }
    event_watchers_wake(&remote->watchers);
}

static void on_closed(void *context, const struct rpc_status *status)
{
    struct remote_event_feed *remote = context;
    bool is_expired = status->code == GRPC_STATUS_OUT_OF_RANGE;
    remote->stream = NULL;
    pthread_mutex_lock(&remote->mutex);
    bool is_stopping = remote->is_stopping;
    bool restart = remote->restart;
    if (is_expired && !restart)
        remote->failed =
            error_make(ERROR_CURSOR_EXPIRED, "%s at %s: %.*s", remote->options.source,
                       remote->options.server, (int)status->message.size, status->message.data);
    pthread_mutex_unlock(&remote->mutex);
    if (is_stopping)
        return;
    if (is_expired && !restart)
        event_watchers_wake(&remote->watchers);
    else if (restart)
        open_stream(remote);
    else
        try_later(remote);
}

/* The cursor behind `back`; false: there is no place yet, or no memory. */
static bool begin_place(struct remote_event_feed *remote, struct arena *arena, struct text *cursor)
{
    pthread_mutex_lock(&remote->mutex);
    bool may_begin = remote->has_place && remote->identity[0] != '\0' && !remote->is_stopping &&
                     !error_is(remote->failed);
    struct event_cursor place = {
        .count = 1,
        .places = {{
            .source = text_of(remote->options.source),
            .identity = text_of(remote->identity),
            .position = remote->back,
        }},
    };
    if (may_begin)
        *cursor = event_cursor_encode(&place, arena);
    remote->restart = remote->restart && !may_begin;
    pthread_mutex_unlock(&remote->mutex);
    return may_begin && cursor->data != NULL;
}

static void open_stream(struct remote_event_feed *remote)
{
    static const struct rpc_client_stream_handler handler = {
        .message = on_message,
        .closed = on_closed,
    };
    Waybill__Events__V1__SubscribeRequest request = WAYBILL__EVENTS__V1__SUBSCRIBE_REQUEST__INIT;
    struct rpc_client_call_options options = {0};
    struct arena arena;
    struct text cursor = {0};
    if (remote->stream != NULL)
        return;
    arena_init(&arena, cursor_arena_bytes_max);
    if (begin_place(remote, &arena, &cursor)) {
        request.n_types = remote->options.type_count;
        request.types = remote->types;
        request.cursor = (char *)cursor.data;
        remote->is_reading = true;
        remote->stream = rpc_client_stream_open(
            remote->client, subscribe_path, &waybill__events__v1__subscribe_response__descriptor,
            &options, &handler, remote);
        if (remote->stream != NULL) {
            (void)rpc_client_stream_send(remote->stream, &request.base);
            rpc_client_stream_finish(remote->stream);
        } else {
            try_later(remote);
        }
    }
    arena_deinit(&arena);
}

/* --- the log's ends --- */

static void take_log(struct remote_event_feed *remote, const Waybill__Events__V1__EventLog *log)
{
    pthread_mutex_lock(&remote->mutex);
    if (strcmp(remote->identity, log->identity) != 0 &&
        strlen(log->identity) < event_log_identity_bytes_max) {
        char *other = remote->identities[remote->identity == remote->identities[0]];
        if (remote->identity[0] != '\0') /* it was made anew: all that is known is of no use */
            remote->failed =
                error_make(ERROR_CURSOR_EXPIRED, "%s at %s has another log than before",
                           remote->options.source, remote->options.server);
        strcpy(other, log->identity);
        remote->identity = other;
        remote->newest = 0;
    }
    remote->oldest = log->oldest_sequence;
    if (log->newest_sequence > remote->newest)
        remote->newest = log->newest_sequence;
    pthread_mutex_unlock(&remote->mutex);
}

static void on_logs(void *context, const struct rpc_client_result *result)
{
    struct remote_event_feed *remote = context;
    const Waybill__Events__V1__ListEventLogsResponse *response = (const void *)result->response;
    remote->is_asking = false;
    for (size_t i = 0; response != NULL && i < response->n_logs; i++) {
        if (strcmp(response->logs[i]->source, remote->options.source) == 0)
            take_log(remote, response->logs[i]);
    }
    event_watchers_wake(&remote->watchers);
}

static void on_look(uv_timer_t *timer)
{
    struct remote_event_feed *remote = timer->data;
    Waybill__Events__V1__ListEventLogsRequest request =
        WAYBILL__EVENTS__V1__LIST_EVENT_LOGS_REQUEST__INIT;
    pthread_mutex_lock(&remote->mutex);
    uint64_t next_ms = remote->identity[0] == '\0' ? 10 * pause_ms_min : look_ms;
    pthread_mutex_unlock(&remote->mutex);
    if (!remote->is_asking) {
        remote->is_asking = true;
        rpc_client_call(remote->client, list_path, &request.base,
                        &waybill__events__v1__list_event_logs_response__descriptor, list_timeout_us,
                        on_logs, remote);
    }
    uv_timer_start(&remote->look, on_look, next_ms, 0);
}

/* A reader has moved, has taken something, or it is the end. */
static void on_wake(uv_async_t *async)
{
    struct remote_event_feed *remote = async->data;
    pthread_mutex_lock(&remote->mutex);
    bool is_stopping = remote->is_stopping;
    bool restart = remote->restart;
    bool has_room = remote->count <= remote->options.events_max / 2;
    pthread_mutex_unlock(&remote->mutex);
    if (is_stopping) {
        if (uv_is_closing((uv_handle_t *)&remote->wake))
            return;
        uv_close((uv_handle_t *)&remote->wake, NULL);
        uv_close((uv_handle_t *)&remote->pause, NULL);
        uv_close((uv_handle_t *)&remote->look, NULL);
        rpc_client_close(remote->client, NULL, NULL);
        return;
    }
    if (restart && remote->stream != NULL) {
        rpc_client_stream_cancel(remote->stream); /* `closed` opens the new one */
    } else if (remote->stream == NULL) {
        if (restart)
            open_stream(remote);
    } else if (has_room && !remote->is_reading) {
        remote->is_reading = true;
        rpc_client_stream_read(remote->stream, true);
    }
}

static void *run(void *context)
{
    struct remote_event_feed *remote = context;
    uv_run(&remote->loop, UV_RUN_DEFAULT);
    return NULL;
}

/* --- the feed --- */

/* Moves events from the queue to the reader's arena. The mutex is held. */
static struct error take_events(struct remote_event_feed *remote, size_t event_count_max,
                                struct arena *arena, struct event_batch *batch)
{
    size_t most = remote->count < event_count_max ? remote->count : event_count_max;
    struct event *events = arena_allocate(arena, (most + 1) * sizeof *events);
    size_t count = 0;
    while (events != NULL && count < most) {
        struct received_event *first = remote->first;
        struct event *event = &events[count];
        *event = first->event;
        event->event_id = arena_copy_text(arena, first->event.event_id);
        event->type = arena_copy_text(arena, first->event.type);
        event->key = arena_copy_text(arena, first->event.key);
        event->data = arena_copy_text(arena, first->event.data);
        if (event->event_id.data == NULL || event->type.data == NULL || event->key.data == NULL ||
            event->data.data == NULL)
            break;
        count++;
        remote->front = first->event.sequence;
        remote->first = first->next;
        if (remote->first == NULL)
            remote->last = NULL;
        remote->count--;
        memory_release(first);
    }
    if (count == 0 && most > 0)
        return error_make(ERROR_OUT_OF_MEMORY, "reading events of %s", remote->options.source);
    batch->events = events;
    batch->event_count = count;
    batch->next = remote->front;
    return error_none();
}

static struct error read_feed(struct event_feed *feed, uint64_t after, size_t event_count_max,
                              struct arena *arena, struct event_batch *batch)
{
    struct remote_event_feed *remote = remote_of(feed);
    struct error error = error_none();
    *batch = (struct event_batch){.next = after};
    pthread_mutex_lock(&remote->mutex);
    if (remote->identity[0] == '\0') {
        error = error_make(ERROR_NETWORK, "%s at %s has not been reached yet",
                           remote->options.source, remote->options.server);
    } else if (!remote->has_place || after != remote->front) {
        clear_queue(remote);
        remote->front = after;
        remote->back = after;
        remote->has_place = true;
        remote->restart = true;
        remote->failed = error_none();
    } else if (remote->count == 0 && error_is(remote->failed)) {
        error = remote->failed;
        remote->has_place = false; /* the next read begins anew */
    } else if (remote->count > 0) {
        error = take_events(remote, event_count_max, arena, batch);
    }
    pthread_mutex_unlock(&remote->mutex);
    uv_async_send(&remote->wake);
    return error;
}

static uint64_t oldest(struct event_feed *feed)
{
    struct remote_event_feed *remote = remote_of(feed);
    pthread_mutex_lock(&remote->mutex);
    uint64_t position = remote->oldest;
    pthread_mutex_unlock(&remote->mutex);
    return position;
}

static uint64_t newest(struct event_feed *feed)
{
    struct remote_event_feed *remote = remote_of(feed);
    pthread_mutex_lock(&remote->mutex);
    uint64_t position = remote->newest;
    pthread_mutex_unlock(&remote->mutex);
    return position;
}

static const char *identity(struct event_feed *feed)
{
    struct remote_event_feed *remote = remote_of(feed);
    pthread_mutex_lock(&remote->mutex);
    const char *current = remote->identity;
    pthread_mutex_unlock(&remote->mutex);
    return current;
}

static void watch(struct event_feed *feed, struct event_feed_watcher *watcher)
{
    event_watchers_add(&remote_of(feed)->watchers, watcher);
}

static void unwatch(struct event_feed *feed, struct event_feed_watcher *watcher)
{
    event_watchers_remove(&remote_of(feed)->watchers, watcher);
}

/* --- its life --- */

static struct error start(struct remote_event_feed *remote)
{
    struct rpc_client_options options = rpc_client_options_default();
    options.server = remote->options.server;
    options.tls = remote->options.tls;
    struct error error = rpc_client_create(&remote->client, &remote->loop, &options);
    if (error_is(error))
        return error;
    uv_async_init(&remote->loop, &remote->wake, on_wake);
    uv_timer_init(&remote->loop, &remote->pause);
    uv_timer_init(&remote->loop, &remote->look);
    remote->wake.data = remote;
    remote->pause.data = remote;
    remote->look.data = remote;
    uv_timer_start(&remote->look, on_look, 0, 0);
    if (pthread_create(&remote->thread, NULL, run, remote) == 0)
        return error_none();
    remote->is_stopping = true;
    on_wake(&remote->wake);
    uv_run(&remote->loop, UV_RUN_DEFAULT);
    return error_make(ERROR_OUT_OF_MEMORY, "the thread of %s's events", remote->options.source);
}

static void release(struct remote_event_feed *remote)
{
    uv_loop_close(&remote->loop);
    clear_queue(remote);
    event_watchers_deinit(&remote->watchers);
    pthread_mutex_destroy(&remote->mutex);
    memory_release((char *)remote->options.server);
    memory_release(remote);
}

struct error remote_event_feed_open(struct remote_event_feed **feed,
                                    const struct remote_event_feed_options *options)
{
    static const struct event_feed_table table = {
        .read = read_feed,
        .oldest = oldest,
        .newest = newest,
        .identity = identity,
        .watch = watch,
        .unwatch = unwatch,
    };
    CHECK(options->type_count > 0 && options->type_count <= subscription_types_max);
    struct remote_event_feed *made = memory_allocate_zero(1, sizeof *made);
    char *server = memory_allocate(strlen(options->server) + 1);
    *feed = NULL;
    if (made == NULL || server == NULL || uv_loop_init(&made->loop) != 0) {
        memory_release(made);
        memory_release(server);
        return error_make(ERROR_OUT_OF_MEMORY, "the events of %s", options->source);
    }
    strcpy(server, options->server);
    made->base = (struct event_feed){.table = &table, .source = options->source};
    made->options = *options;
    made->options.server = server;
    for (size_t i = 0; i < options->type_count; i++)
        made->types[i] = (char *)options->types[i];
    made->pause_ms = pause_ms_min;
    made->identity = made->identities[0];
    made->failed = error_none();
    pthread_mutex_init(&made->mutex, NULL);
    event_watchers_init(&made->watchers);
    struct error error = start(made);
    if (error_is(error)) {
        release(made);
        return error_prefix(error, "events of %s", options->source);
    }
    *feed = made;
    return error;
}

void remote_event_feed_close(struct remote_event_feed *feed)
{
    if (feed == NULL)
        return;
    pthread_mutex_lock(&feed->mutex);
    feed->is_stopping = true;
    pthread_mutex_unlock(&feed->mutex);
    uv_async_send(&feed->wake);
    pthread_join(feed->thread, NULL);
    release(feed);
}

struct event_feed *remote_event_feed_port(struct remote_event_feed *feed)
{
    return &feed->base;
}
