/*
 * The watchers of one I/O thread: who wants what, what was sent, who is behind. Only that thread is
 * here; tracking_watch.c says how the two halves work together.
 */
#include "tracking/interfaces/rpc/tracking_watch_state.h"

#include "platform/base/memory.h"
#include "platform/events/log_cursor.h"
#include "tracking/domain/limits.h"
#include "tracking/interfaces/rpc/tracking_answers.h"
#include "tracking/interfaces/rpc/tracking_messages.h"
#include "tracking/interfaces/rpc/tracking_rpc.h"

#include <string.h>

enum {
    topic_key_bytes_max = 1 + tracking_carrier_bytes_max + 1 + tracking_id_bytes_max,
    message_bytes_max = 64 * 1024,
};

/* --- topics --- */

static struct text number_key(char key[topic_key_bytes_max], struct text carrier,
                              struct text tracking_number)
{
    key[0] = 'n';
    memcpy(key + 1, carrier.data, carrier.size);
    key[1 + carrier.size] = '/';
    memcpy(key + 2 + carrier.size, tracking_number.data, tracking_number.size);
    return text_make(key, 2 + carrier.size + tracking_number.size);
}

static struct text order_key(char key[topic_key_bytes_max], struct text order_id)
{
    key[0] = 'o';
    memcpy(key + 1, order_id.data, order_id.size);
    return text_make(key, 1 + order_id.size);
}

static bool has_key(void *context, uint64_t value)
{
    const struct watch_topic *topic = (const struct watch_topic *)(uintptr_t)value;
    return text_equal(topic->key, *(const struct text *)context);
}

static struct watch_topic *find_topic(const struct watch_loop *loop, struct text key)
{
    uint64_t value;
    if (!hash_map_find(&loop->topics, hash_text((uint64_t)(uintptr_t)loop, key), has_key, &key,
                       &value))
        return NULL;
    return (struct watch_topic *)(uintptr_t)value;
}

static struct watch_topic *make_topic(struct watch_loop *loop, struct text key)
{
    struct watch_topic *topic = find_topic(loop, key);
    if (topic != NULL)
        return topic;
    if (!hash_map_reserve(&loop->topics, 1))
        return NULL;
    topic = memory_allocate_zero(1, sizeof *topic + key.size);
    if (topic == NULL)
        return NULL;
    memcpy((char *)(topic + 1), key.data, key.size);
    topic->key = text_make(topic + 1, key.size);
    hash_map_add(&loop->topics, hash_text((uint64_t)(uintptr_t)loop, key),
                 (uint64_t)(uintptr_t)topic);
    return topic;
}

static bool add_interest(struct watcher *watcher, struct text key)
{
    struct watch_topic *topic = make_topic(watcher->loop, key);
    if (topic == NULL)
        return false;
    struct watch_interest *interest = &watcher->interests[watcher->interest_count++];
    *interest = (struct watch_interest){.topic = topic, .watcher = watcher, .next = topic->first};
    if (topic->first != NULL)
        topic->first->previous = interest;
    topic->first = interest;
    return true;
}

static void drop_interests(struct watcher *watcher)
{
    struct watch_loop *loop = watcher->loop;
    for (size_t i = 0; i < watcher->interest_count; i++) {
        struct watch_interest *interest = &watcher->interests[i];
        struct watch_topic *topic = interest->topic;
        if (interest->previous != NULL)
            interest->previous->next = interest->next;
        else
            topic->first = interest->next;
        if (interest->next != NULL)
            interest->next->previous = interest->previous;
        if (topic->first != NULL)
            continue;
        hash_map_remove(&loop->topics, hash_text((uint64_t)(uintptr_t)loop, topic->key),
                        (uint64_t)(uintptr_t)topic);
        memory_release(topic);
    }
    watcher->interest_count = 0;
}

/* --- a watcher's life --- */

static void destroy(struct watcher *watcher)
{
    if (watcher->call != NULL || watcher->is_catching_up)
        return; /* whoever still has it comes here again */
    memory_release(watcher->interests);
    memory_release(watcher);
}

/* The call is over: nothing more is sent. */
static void leave(struct watcher *watcher)
{
    struct watch_loop *loop = watcher->loop;
    drop_interests(watcher);
    if (watcher->previous != NULL)
        watcher->previous->next = watcher->next;
    else
        loop->watchers = watcher->next;
    if (watcher->next != NULL)
        watcher->next->previous = watcher->previous;
    watch_leave(loop);
}

static void catch_up(struct watcher *watcher)
{
    watcher->is_live = watcher->position >= watcher->loop->delivered;
    if (watcher->is_live || watcher->is_catching_up)
        return;
    watcher->is_catching_up = true;
    watch_catch_up(watcher);
}

static void fail(struct watcher *watcher, const struct error *error)
{
    struct rpc_call *call = watcher->call;
    if (call == NULL || watcher->has_failed)
        return;
    watcher->has_failed = true;
    rpc_call_end_with_error(call, error);
}

/* --- sending --- */

/* The message, packed for nobody in particular; built once for all watchers of a loop. */
struct prepared {
    struct arena arena;
    Waybill__Tracking__V1__WatchTrackingResponse response;
    char cursor[log_cursor_bytes_max];
    bool good;
};

static void prepare(struct prepared *prepared, const struct tracking_watch *watch,
                    const struct tracking_announcement *announcement)
{
    Waybill__Tracking__V1__WatchTrackingResponse *response = &prepared->response;
    arena_init(&prepared->arena, message_bytes_max);
    waybill__tracking__v1__watch_tracking_response__init(response);
    log_cursor_write(tracking_announcement_source_identity(watch->announcements),
                     announcement->sequence, prepared->cursor);
    response->cursor = prepared->cursor;
    response->tracking =
        tracking_message(&prepared->arena, watch->service, &announcement->change.after);
    prepared->good = response->tracking != NULL;
    if (!announcement->has_event)
        return;
    response->event =
        tracking_event_message(&prepared->arena, watch->service, &announcement->event);
    prepared->good = prepared->good && response->event != NULL;
}

static void send(struct watcher *watcher, const struct tracking_announcement *announcement,
                 const struct prepared *prepared)
{
    if (watcher->is_full || watcher->has_failed || watcher->call == NULL ||
        watcher->position >= announcement->sequence)
        return;
    if (!prepared->good) {
        struct error error = error_make(ERROR_OUT_OF_MEMORY, "no memory to tell a watcher");
        fail(watcher, &error);
        return;
    }
    watcher->position = announcement->sequence;
    if (!rpc_call_send(watcher->call, &prepared->response.base)) {
        watcher->is_full = true;
        watcher->is_live = false;
    }
}

/* Everybody who is live and wants it. */
static void send_to_topic(struct watch_loop *loop, struct text key,
                          const struct tracking_announcement *announcement,
                          struct prepared *prepared, bool *is_prepared)
{
    struct watch_topic *topic = find_topic(loop, key);
    struct watch_interest *next;
    for (struct watch_interest *one = topic == NULL ? NULL : topic->first; one != NULL;
         one = next) {
        next = one->next;
        if (!one->watcher->is_live)
            continue;
        if (!*is_prepared)
            prepare(prepared, loop->watch, announcement);
        *is_prepared = true;
        send(one->watcher, announcement, prepared);
    }
}

static void deliver_to_all(struct watch_loop *loop, const struct watch_batch *batch)
{
    char key[topic_key_bytes_max];
    for (size_t i = 0; i < batch->read.count; i++) {
        const struct tracking_announcement *announcement = &batch->read.announcements[i];
        struct text order_id = announcement->change.after.order_id;
        struct prepared prepared;
        bool is_prepared = false;
        if (announcement->type != TRACKING_ANNOUNCES_UPDATE)
            continue;
        send_to_topic(loop, number_key(key, announcement->carrier, announcement->tracking_number),
                      announcement, &prepared, &is_prepared);
        if (order_id.size > 0)
            send_to_topic(loop, order_key(key, order_id), announcement, &prepared, &is_prepared);
        if (is_prepared)
            arena_deinit(&prepared.arena);
    }
    loop->delivered = batch->to;
    for (struct watcher *watcher = loop->watchers; watcher != NULL; watcher = watcher->next) {
        if (watcher->is_live && watcher->position < batch->to)
            watcher->position = batch->to;
    }
}

static bool wants(const struct watcher *watcher, const struct tracking_announcement *announcement)
{
    char key[topic_key_bytes_max];
    char order[topic_key_bytes_max];
    struct text by_number = number_key(key, announcement->carrier, announcement->tracking_number);
    struct text by_order = order_key(order, announcement->change.after.order_id);
    for (size_t i = 0; i < watcher->interest_count; i++) {
        struct text topic = watcher->interests[i].topic->key;
        if (text_equal(topic, by_number) || (by_order.size > 1 && text_equal(topic, by_order)))
            return true;
    }
    return false;
}

static void deliver_to_one(struct watcher *watcher, const struct watch_batch *batch)
{
    watcher->is_catching_up = false;
    if (watcher->call == NULL || watcher->has_failed) {
        destroy(watcher);
        return;
    }
    if (error_is(batch->error)) {
        fail(watcher, &batch->error);
        return;
    }
    for (size_t i = 0; i < batch->read.count && !watcher->is_full; i++) {
        const struct tracking_announcement *announcement = &batch->read.announcements[i];
        struct prepared prepared;
        if (announcement->type != TRACKING_ANNOUNCES_UPDATE || !wants(watcher, announcement))
            continue;
        prepare(&prepared, watcher->loop->watch, announcement);
        send(watcher, announcement, &prepared);
        arena_deinit(&prepared.arena);
    }
    if (watcher->is_full || watcher->has_failed)
        return;
    if (watcher->position < batch->to)
        watcher->position = batch->to;
    catch_up(watcher);
}

/* What was put off while the lists had to stay as they were. */
static void bury(struct watch_loop *loop)
{
    while (loop->gone != NULL) {
        struct watcher *watcher = loop->gone;
        loop->gone = watcher->gone_next;
        if (watcher->has_begun)
            leave(watcher);
        destroy(watcher);
    }
}

void watch_deliver(struct task *task)
{
    struct watch_delivery *delivery = (struct watch_delivery *)task;
    const struct watch_batch *batch = delivery->batch;
    struct watch_loop *loop = delivery->loop;
    loop->is_delivering = true;
    if (delivery->watcher != NULL) {
        deliver_to_one(delivery->watcher, batch);
    } else if (error_is(batch->error)) {
        for (struct watcher *watcher = loop->watchers; watcher != NULL; watcher = watcher->next)
            fail(watcher, &batch->error);
    } else if (batch->to > loop->delivered) {
        deliver_to_all(loop, batch);
    }
    loop->is_delivering = false;
    bury(loop);
    watch_delivery_done(delivery);
}

/* --- the handler --- */

static void opened(void *context, struct rpc_call *call, void **stream_context)
{
    struct tracking_door *door = context;
    struct watcher *watcher = memory_allocate_zero(1, sizeof *watcher);
    struct watch_loop *loop = watch_find_loop(door->watch, rpc_call_executor(call));
    *stream_context = NULL;
    if (watcher == NULL || loop == NULL) {
        memory_release(watcher);
        rpc_call_end_without_memory(call);
        return;
    }
    watcher->call = call;
    watcher->loop = loop;
    watcher->is_full = true; /* until it is said what is wanted */
    *stream_context = watcher;
}

static bool set_interests(struct watcher *watcher, const struct tracking_key *keys, size_t count,
                          struct text order_id)
{
    char key[topic_key_bytes_max];
    watcher->interests = memory_allocate_zero(count + 1, sizeof *watcher->interests);
    if (watcher->interests == NULL)
        return false;
    for (size_t i = 0; i < count; i++) {
        if (!add_interest(watcher, number_key(key, keys[i].carrier, keys[i].tracking_number)))
            return false;
    }
    return order_id.size == 0 || add_interest(watcher, order_key(key, order_id));
}

static void fail_cursor(struct rpc_call *call)
{
    struct rpc_status status =
        rpc_status_make(rpc_call_arena(call), GRPC_STATUS_OUT_OF_RANGE, "CURSOR_EXPIRED",
                        "cursor is too old, of another log, or of nobody's making");
    rpc_call_fail(call, &status);
}

static bool find_start(struct watcher *watcher, struct text cursor)
{
    struct tracking_announcement_source *source = watcher->loop->watch->announcements;
    if (cursor.size == 0) {
        watcher->position = tracking_announcement_source_newest(source);
        return true;
    }
    return log_cursor_read(cursor, tracking_announcement_source_identity(source),
                           &watcher->position) &&
           watcher->position >= tracking_announcement_source_oldest(source) &&
           watcher->position <= tracking_announcement_source_newest(source);
}

/* Puts the watcher among those of its loop. False: the call has failed. */
static bool join(struct watcher *watcher, const struct tracking_key *keys, size_t count,
                 struct text order_id)
{
    struct watch_loop *loop = watcher->loop;
    if (!watch_join(loop)) {
        struct error error = error_make(ERROR_STORE_UNAVAILABLE, "the server stops");
        fail(watcher, &error);
        return false;
    }
    watcher->next = loop->watchers;
    if (loop->watchers != NULL)
        loop->watchers->previous = watcher;
    loop->watchers = watcher;
    watcher->has_begun = true;
    if (set_interests(watcher, keys, count, order_id))
        return true;
    watcher->has_failed = true;
    rpc_call_end_without_memory(watcher->call);
    return false;
}

static void message_came(void *stream_context, struct rpc_call *call,
                         const ProtobufCMessage *message)
{
    const Waybill__Tracking__V1__WatchTrackingRequest *request = (const void *)message;
    struct watcher *watcher = stream_context;
    struct violations violations;
    if (watcher == NULL)
        return;
    struct tracking_key *keys =
        arena_allocate(rpc_call_arena(call), request->n_trackings * sizeof *keys);
    if (keys == NULL) {
        rpc_call_end_without_memory(call);
        return;
    }
    for (size_t i = 0; i < request->n_trackings; i++)
        keys[i] = (struct tracking_key){
            .carrier = text_of(request->trackings[i]->carrier),
            .tracking_number = text_of(request->trackings[i]->tracking_number),
        };
    violations_init(&violations, rpc_call_arena(call));
    if (!tracking_service_check_watch(keys, request->n_trackings, text_of(request->order_id),
                                      &violations)) {
        rpc_call_end_with_violations(call, &violations);
    } else if (!find_start(watcher, text_of(request->cursor))) {
        fail_cursor(call);
    } else if (join(watcher, keys, request->n_trackings, text_of(request->order_id))) {
        watcher->is_full = false;
        rpc_call_send_headers(call);
        catch_up(watcher);
    }
}

static void writable(void *stream_context, struct rpc_call *call)
{
    struct watcher *watcher = stream_context;
    (void)call;
    if (watcher == NULL || watcher->has_failed)
        return;
    watcher->is_full = false;
    catch_up(watcher);
}

static void closed(void *stream_context, struct rpc_call *call)
{
    struct watcher *watcher = stream_context;
    (void)call;
    if (watcher == NULL)
        return;
    watcher->call = NULL;
    watcher->gone_next = watcher->loop->gone;
    watcher->loop->gone = watcher;
    if (!watcher->loop->is_delivering)
        bury(watcher->loop);
}

const struct rpc_stream_handler tracking_watch_stream = {
    .opened = opened,
    .message = message_came,
    .writable = writable,
    .closed = closed,
};
