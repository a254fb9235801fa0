/*
 * One loop thread. A tick four times a second, and each wake-up of the feed, looks at every hook
 * that has nothing under way and whose time has come: it reads the feed behind the hook's place,
 * finds the first announcement that is wanted, signs and sends it.
 *
 * The list of hooks is read from the repository's notes at the start and after each change of
 * subscriptions; a hook whose subscription is gone ends when its request has. Places are written
 * after each delivery; a write that fails means that after a restart something is sent twice.
 */
#include "tracking/interfaces/webhooks/tracking_webhooks.h"

#include "google/protobuf/timestamp.pb-c.h"
#include "platform/base/clock.h"
#include "platform/base/codec.h"
#include "platform/base/log.h"
#include "platform/base/memory.h"
#include "platform/http_client/http_client.h"
#include "platform/io/io_loop.h"
#include "platform/json/json_message.h"
#include "waybill/tracking/v1/tracking.pb-c.h"

#include <openssl/hmac.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

enum {
    attempts_max = 10,
    subscriptions_max = 1000,
    read_count = 64,
    read_bytes_max = 8 * 1024 * 1024,
    body_bytes_max = 256 * 1024,
    tick_ms = 250,
    note_name_bytes_max = 128,
};

static const int64_t connect_us_max = INT64_C(5) * 1000000;
static const int64_t total_us_max = INT64_C(15) * 1000000;
static const int64_t backoff_us_max = INT64_C(300) * 1000000;

/* One subscription as it is served. Strings are owned. */
struct hook {
    struct hook *next;
    struct tracking_webhooks *webhooks;
    char id[tracking_id_bytes_max + 1];
    char url[subscription_url_bytes_max + 1];
    char secret[subscription_secret_bytes_max];
    size_t secret_size;
    uint32_t types;
    int64_t create_time_us;
    int64_t replay_from_us;
    uint64_t position; /* everything up to here has been sent or is not wanted */
    uint64_t dead_letters;
    bool seen;    /* by the reload under way */
    bool sending; /* its request is under way */
    bool gone;    /* its subscription is no more */
    unsigned attempts;
    int64_t due_us;    /* by the monotonic clock; 0 = at once */
    uint64_t sequence; /* of what is in the body; 0 = nothing is */
    char event_id[event_id_bytes_max + 1];
    struct buffer body;
};

struct tracking_webhooks {
    struct tracking_webhooks_options options;
    struct io_loop loop;
    struct http_client *client;
    uv_timer_t timer;
    struct event_feed_watcher watcher;
    struct task reload_task;
    struct task pump_task;
    struct task stop_task;
    _Atomic bool reload_posted;
    _Atomic bool pump_posted;
    bool stopping;
    bool client_closed;
    bool stopped; /* under the mutex: nobody posts to the loop any more */
    bool drained; /* under the mutex */
    pthread_cond_t changed;
    bool reloading;
    bool reload_again;
    size_t outstanding;    /* commands of ours in the repository */
    struct arena arena;    /* of one read of the feed */
    pthread_mutex_t mutex; /* guards the hooks' list and figures against other threads */
    struct hook *hooks;
    struct tracking_webhooks_usage usage;
};

static int64_t now_us(void)
{
    return clock_monotonic_us(clock_system());
}

/* --- notes --- */

/* A note being written; nobody waits for it. */
struct note_write {
    struct put_note_command command;
    struct arena arena;
    struct tracking_webhooks *webhooks;
};

static void note_written(void *context, const struct error *error)
{
    struct note_write *write = context;
    if (error != NULL)
        log_error("tracking: how far a subscription has got could not be noted", error);
    write->webhooks->outstanding--;
    arena_deinit(&write->arena);
    memory_release(write);
}

static void write_note(struct tracking_webhooks *webhooks, const char *name, struct text value)
{
    struct note_write *write = memory_allocate_zero(1, sizeof *write);
    if (write == NULL)
        return;
    arena_init(&write->arena, 64 * 1024);
    write->webhooks = webhooks;
    write->command.base.executor = &webhooks->loop.base;
    write->command.base.arena = &write->arena;
    write->command.name = arena_copy_text(&write->arena, text_of(name));
    write->command.value = arena_copy_text(&write->arena, value);
    webhooks->outstanding++;
    tracking_repository_put_note(webhooks->options.repository, &write->command, note_written,
                                 write);
}

static void save_place(struct hook *hook)
{
    char name[note_name_bytes_max];
    char bytes[2 * varint_bytes_max];
    struct byte_writer writer = {.at = bytes};
    write_varint(&writer, hook->position);
    write_varint(&writer, hook->dead_letters);
    snprintf(name, sizeof name, "%s%s", delivery_prefix, hook->id);
    write_note(hook->webhooks, name, text_make(bytes, (size_t)(writer.at - bytes)));
}

/* --- what is sent --- */

static const ProtobufCMessageDescriptor *descriptor_of(struct text type)
{
    static const ProtobufCMessageDescriptor *const all[subscription_type_count] = {
        &waybill__tracking__v1__tracking_updated__descriptor,
        &waybill__tracking__v1__shipment_delivered__descriptor,
        &waybill__tracking__v1__tracking_silent__descriptor,
    };
    for (size_t i = 0; i < subscription_type_count; i++) {
        if (text_equals_string(type, all[i]->name))
            return all[i];
    }
    return NULL;
}

static bool is_wanted(const struct hook *hook, const struct event *event)
{
    const ProtobufCMessageDescriptor *descriptor = descriptor_of(event->type);
    uint32_t bit = 0;
    return descriptor != NULL && event->time_us >= hook->replay_from_us &&
           subscription_type_find(text_of(descriptor->short_name), &bit) &&
           (hook->types == 0 || (hook->types & bit) != 0);
}

static bool write_body(struct hook *hook, const struct event *event)
{
    Google__Protobuf__Timestamp time = GOOGLE__PROTOBUF__TIMESTAMP__INIT;
    struct buffer *body = &hook->body;
    const ProtobufCMessageDescriptor *descriptor = descriptor_of(event->type);
    ProtobufCMessage *message = protobuf_c_message_unpack(descriptor, NULL, event->data.size,
                                                          (const uint8_t *)event->data.data);
    buffer_clear(body);
    time.seconds = event->time_us / 1000000;
    time.nanos = (int32_t)(event->time_us % 1000000) * 1000;
    bool good = message != NULL && buffer_append_string(body, "{\"eventId\":") &&
                json_string_write(event->event_id, body) &&
                buffer_append_format(body, ",\"type\":\"%s\",\"sequence\":\"%llu\",\"time\":",
                                     descriptor->short_name, (unsigned long long)event->sequence) &&
                !error_is(json_message_write(&time.base, 0, body)) &&
                buffer_append_string(body, ",\"key\":") && json_string_write(event->key, body) &&
                buffer_append_string(body, ",\"data\":") &&
                !error_is(json_message_write(message, 0, body)) && buffer_append_string(body, "}");
    if (message != NULL)
        protobuf_c_message_free_unpacked(message, NULL);
    snprintf(hook->event_id, sizeof hook->event_id, "%.*s", (int)event->event_id.size,
             event->event_id.data);
    return good;
}

/* Finds and writes what is to be sent next. False: there is nothing, or no memory for it now. */
static bool prepare(struct hook *hook)
{
    struct tracking_webhooks *webhooks = hook->webhooks;
    struct event_batch batch;
    while (hook->sequence == 0) {
        arena_reset(&webhooks->arena);
        struct error error = event_feed_read(webhooks->options.feed, hook->position, read_count,
                                             &webhooks->arena, &batch);
        if (error.code == ERROR_CURSOR_EXPIRED) {
            log_error("tracking: a subscription was behind what is kept; it goes on from there",
                      &error);
            hook->position = event_feed_oldest(webhooks->options.feed);
            return false;
        }
        if (error_is(error)) {
            log_error("tracking: what is to be sent cannot be read", &error);
            return false;
        }
        for (size_t i = 0; i < batch.event_count && hook->sequence == 0; i++) {
            if (is_wanted(hook, &batch.events[i])) {
                if (!write_body(hook, &batch.events[i]))
                    return false;
                hook->sequence = batch.events[i].sequence;
            } else {
                hook->position = batch.events[i].sequence;
            }
        }
        if (hook->sequence != 0)
            break;
        if (batch.next <= hook->position || batch.event_count == 0) {
            hook->position = batch.next > hook->position ? batch.next : hook->position;
            return false;
        }
        hook->position = batch.next;
    }
    return true;
}

static void hexadecimal(const uint8_t *bytes, size_t count, char *digits)
{
    for (size_t i = 0; i < count; i++)
        snprintf(digits + 2 * i, 3, "%02x", bytes[i]);
}

/* timestamp "." nonce "." body, signed. False without memory. */
static bool sign(const struct hook *hook, const char *timestamp, const char *nonce,
                 char signature[3 + 64 + 1])
{
    struct buffer signed_text;
    uint8_t digest[32];
    unsigned size = sizeof digest;
    buffer_init(&signed_text, body_bytes_max + 128);
    bool good =
        buffer_append_format(&signed_text, "%s.%s.", timestamp, nonce) &&
        buffer_append_text(&signed_text, buffer_text(&hook->body)) &&
        HMAC(EVP_sha256(), hook->secret, (int)hook->secret_size,
             (const unsigned char *)signed_text.data, signed_text.size, digest, &size) != NULL;
    buffer_deinit(&signed_text);
    memcpy(signature, "v1=", 4);
    if (good)
        hexadecimal(digest, sizeof digest, signature + 3);
    return good;
}

/* --- sending --- */

static void destroy(struct hook *hook)
{
    buffer_deinit(&hook->body);
    OPENSSL_cleanse(hook->secret, sizeof hook->secret);
    memory_release(hook);
}

static void done_with(struct hook *hook)
{
    hook->position = hook->sequence;
    hook->sequence = 0;
    hook->attempts = 0;
    hook->due_us = 0;
    save_place(hook);
}

static void put_aside(struct hook *hook, const char *reason)
{
    char name[note_name_bytes_max];
    struct log_field fields[] = {log_string("subscription", hook->id),
                                 log_string("event", hook->event_id), log_string("reason", reason)};
    log_event(LOG_LEVEL_WARNING, "tracking: a subscriber did not take an event; it is put aside",
              fields, sizeof fields / sizeof fields[0]);
    snprintf(name, sizeof name, "%s%s/%016llx", dead_letter_prefix, hook->id,
             (unsigned long long)hook->sequence);
    write_note(hook->webhooks, name, text_of(reason));
    pthread_mutex_lock(&hook->webhooks->mutex);
    hook->dead_letters++;
    hook->webhooks->usage.dead_letters++;
    pthread_mutex_unlock(&hook->webhooks->mutex);
    done_with(hook);
}

static void try_later(struct hook *hook, const char *reason)
{
    struct tracking_webhooks *webhooks = hook->webhooks;
    int64_t wait_us = INT64_C(1000000) << (hook->attempts > 9 ? 9 : hook->attempts);
    hook->attempts++;
    webhooks->usage.failed++;
    if (hook->attempts >= attempts_max) {
        put_aside(hook, reason);
        return;
    }
    if (wait_us > backoff_us_max)
        wait_us = backoff_us_max;
    wait_us += (int64_t)random_below(webhooks->options.random, (uint64_t)wait_us / 4);
    hook->due_us = now_us() + wait_us;
}

static void request_done(void *context, const struct http_client_answer *answer)
{
    struct hook *hook = context;
    struct tracking_webhooks *webhooks = hook->webhooks;
    char reason[128];
    hook->sending = false;
    if (hook->gone) {
        destroy(hook);
        return;
    }
    if (webhooks->stopping)
        return;
    if (answer->verdict == HTTP_CLIENT_ANSWERED && answer->status / 100 == 2) {
        webhooks->usage.delivered++;
        done_with(hook);
        if (!atomic_exchange(&webhooks->pump_posted, true))
            executor_post(&webhooks->loop.base, &webhooks->pump_task);
        return;
    }
    if (answer->verdict == HTTP_CLIENT_ANSWERED)
        snprintf(reason, sizeof reason, "status %u", answer->status);
    else
        snprintf(reason, sizeof reason, "%.100s", answer->error.detail);
    try_later(hook, reason);
}

static void send_body(struct hook *hook)
{
    struct tracking_webhooks *webhooks = hook->webhooks;
    uint8_t random[16];
    char timestamp[24];
    char nonce[33];
    char signature[3 + 64 + 1];
    random_fill(webhooks->options.random, random, sizeof random);
    hexadecimal(random, sizeof random, nonce);
    snprintf(timestamp, sizeof timestamp, "%lld",
             (long long)(clock_now_us(clock_system()) / 1000000));
    if (!sign(hook, timestamp, nonce, signature))
        return;
    const struct http_client_header headers[] = {
        {text_of("content-type"), text_of("application/json")},
        {text_of("user-agent"), text_of("waybill")},
        {text_of("waybill-event-id"), text_of(hook->event_id)},
        {text_of("waybill-timestamp"), text_of(timestamp)},
        {text_of("waybill-nonce"), text_of(nonce)},
        {text_of("waybill-signature"), text_of(signature)},
    };
    struct http_client_request request = {
        .method = text_of("POST"),
        .url = text_of(hook->url),
        .headers = headers,
        .header_count = sizeof headers / sizeof headers[0],
        .body = buffer_text(&hook->body),
        .connect_us_max = connect_us_max,
        .total_us_max = total_us_max,
        .answer_bytes_max = 64 * 1024,
    };
    struct error error = http_client_send(webhooks->client, &request, request_done, hook);
    hook->sending = !error_is(error);
    if (error_is(error))
        try_later(hook, error.detail);
}

static void pump(struct tracking_webhooks *webhooks)
{
    int64_t now = now_us();
    for (struct hook *hook = webhooks->hooks; hook != NULL && !webhooks->stopping;
         hook = hook->next) {
        if (!hook->sending && hook->due_us <= now && prepare(hook))
            send_body(hook);
    }
}

/* --- the list of hooks --- */

/* Subscriptions as they are noted, then how far each has got. */
struct reload {
    struct list_notes_command subscriptions;
    struct list_notes_command deliveries;
    struct arena arena;
    struct tracking_webhooks *webhooks;
};

static struct hook *find_hook(struct tracking_webhooks *webhooks, struct text id)
{
    for (struct hook *hook = webhooks->hooks; hook != NULL; hook = hook->next) {
        if (text_equals_string(id, hook->id))
            return hook;
    }
    return NULL;
}

/* What is noted of its deliveries, if it is. */
static void find_place(const struct reload *reload, struct hook *hook)
{
    const struct list_notes_command *command = &reload->deliveries;
    for (size_t i = 0; i < command->note_count; i++) {
        struct text name = command->notes[i].name;
        struct text id =
            text_make(name.data + strlen(delivery_prefix), name.size - strlen(delivery_prefix));
        struct byte_reader reader = byte_reader_of(command->notes[i].value);
        if (!text_equals_string(id, hook->id))
            continue;
        uint64_t position = read_varint(&reader);
        uint64_t dead_letters = read_varint(&reader);
        if (reader.failed)
            continue;
        hook->position = position;
        hook->dead_letters = dead_letters;
    }
}

static void add_hook(struct reload *reload, struct text id,
                     const struct tracking_subscription *subscription)
{
    struct tracking_webhooks *webhooks = reload->webhooks;
    struct hook *hook = memory_allocate_zero(1, sizeof *hook);
    if (hook == NULL)
        return; /* with the next change, or the next start */
    hook->webhooks = webhooks;
    hook->seen = true;
    snprintf(hook->id, sizeof hook->id, "%.*s", (int)id.size, id.data);
    snprintf(hook->url, sizeof hook->url, "%.*s", (int)subscription->url.size,
             subscription->url.data);
    memcpy(hook->secret, subscription->secret.data, subscription->secret.size);
    hook->secret_size = subscription->secret.size;
    hook->types = subscription->types;
    hook->create_time_us = subscription->create_time_us;
    hook->replay_from_us = subscription->replay_from_us;
    hook->position = subscription->start_position;
    buffer_init(&hook->body, body_bytes_max);
    find_place(reload, hook);
    pthread_mutex_lock(&webhooks->mutex);
    hook->next = webhooks->hooks;
    webhooks->hooks = hook;
    pthread_mutex_unlock(&webhooks->mutex);
}

/* Takes out those whose subscription is gone. */
static void drop_unseen(struct tracking_webhooks *webhooks)
{
    pthread_mutex_lock(&webhooks->mutex);
    struct hook **link = &webhooks->hooks;
    webhooks->usage.subscriptions = 0;
    while (*link != NULL) {
        struct hook *hook = *link;
        if (hook->seen) {
            hook->seen = false;
            webhooks->usage.subscriptions++;
            link = &hook->next;
            continue;
        }
        *link = hook->next;
        hook->gone = true;
        if (!hook->sending)
            destroy(hook);
    }
    pthread_mutex_unlock(&webhooks->mutex);
}

static void reload_done(void *context, const struct error *error)
{
    struct reload *reload = context;
    struct tracking_webhooks *webhooks = reload->webhooks;
    const struct list_notes_command *command = &reload->subscriptions;
    webhooks->outstanding--;
    webhooks->reloading = false;
    if (error != NULL)
        log_error("tracking: subscriptions cannot be read", error);
    for (size_t i = 0; i < command->note_count && error == NULL && !webhooks->stopping; i++) {
        struct tracking_subscription subscription;
        struct text name = command->notes[i].name;
        struct text id = text_make(name.data + strlen(subscription_prefix),
                                   name.size - strlen(subscription_prefix));
        struct hook *hook = find_hook(webhooks, id);
        if (!tracking_subscription_decode(command->notes[i].value, &subscription))
            continue;
        if (hook != NULL && hook->create_time_us == subscription.create_time_us)
            hook->seen = true;
        else
            add_hook(reload, id, &subscription); /* one of that name and before goes */
    }
    if (error == NULL && !webhooks->stopping)
        drop_unseen(webhooks);
    arena_deinit(&reload->arena);
    memory_release(reload);
    if (webhooks->reload_again)
        executor_post(&webhooks->loop.base, &webhooks->reload_task);
    if (!webhooks->stopping)
        pump(webhooks);
}

static void subscriptions_read(void *context, const struct error *error)
{
    struct reload *reload = context;
    if (error != NULL) {
        reload_done(reload, error);
        return;
    }
    tracking_repository_list_notes(reload->webhooks->options.repository, &reload->deliveries,
                                   reload_done, reload);
}

static void run_reload(struct task *task)
{
    struct tracking_webhooks *webhooks =
        (struct tracking_webhooks *)((char *)task -
                                     offsetof(struct tracking_webhooks, reload_task));
    webhooks->reload_again = webhooks->reloading; /* once more after this one */
    if (webhooks->stopping || webhooks->reloading)
        return;
    webhooks->reload_posted = false;
    struct reload *reload = memory_allocate_zero(1, sizeof *reload);
    if (reload == NULL)
        return;
    arena_init(&reload->arena, (size_t)16 * 1024 * 1024);
    reload->webhooks = webhooks;
    struct list_notes_command *lists[] = {&reload->subscriptions, &reload->deliveries};
    const char *prefixes[] = {subscription_prefix, delivery_prefix};
    for (size_t i = 0; i < 2; i++) {
        lists[i]->base.executor = &webhooks->loop.base;
        lists[i]->base.arena = &reload->arena;
        lists[i]->prefix = text_of(prefixes[i]);
        lists[i]->page_size = subscriptions_max;
    }
    webhooks->reloading = true;
    webhooks->outstanding++;
    tracking_repository_list_notes(webhooks->options.repository, &reload->subscriptions,
                                   subscriptions_read, reload);
}

/* --- its life --- */

static void run_pump(struct task *task)
{
    struct tracking_webhooks *webhooks =
        (struct tracking_webhooks *)((char *)task - offsetof(struct tracking_webhooks, pump_task));
    webhooks->pump_posted = false;
    if (!webhooks->stopping)
        pump(webhooks);
}

static void wake(void *context)
{
    struct tracking_webhooks *webhooks = context;
    if (!atomic_exchange(&webhooks->pump_posted, true))
        executor_post(&webhooks->loop.base, &webhooks->pump_task);
}

/* Nothing is on its way to the loop any more: it may be stopped. */
static void is_drained(uv_handle_t *timer)
{
    struct tracking_webhooks *webhooks = timer->data;
    pthread_mutex_lock(&webhooks->mutex);
    webhooks->drained = true;
    pthread_cond_signal(&webhooks->changed);
    pthread_mutex_unlock(&webhooks->mutex);
}

static void tick(uv_timer_t *timer)
{
    struct tracking_webhooks *webhooks = timer->data;
    if (!webhooks->stopping)
        pump(webhooks);
    else if (webhooks->outstanding == 0 && webhooks->client_closed &&
             !uv_is_closing((uv_handle_t *)timer))
        uv_close((uv_handle_t *)timer, is_drained);
}

static void client_closed(void *context)
{
    ((struct tracking_webhooks *)context)->client_closed = true;
}

static void run_stop(struct task *task)
{
    struct tracking_webhooks *webhooks =
        (struct tracking_webhooks *)((char *)task - offsetof(struct tracking_webhooks, stop_task));
    webhooks->stopping = true;
    http_client_close(webhooks->client, client_closed, webhooks);
}

struct error tracking_webhooks_open(struct tracking_webhooks **webhooks,
                                    const struct tracking_webhooks_options *options)
{
    struct http_client_options client_options = http_client_options_default();
    struct tracking_webhooks *made = memory_allocate_zero(1, sizeof *made);
    if (made == NULL)
        return error_make(ERROR_OUT_OF_MEMORY, "tracking: subscriptions");
    made->options = *options;
    made->reload_task.run = run_reload;
    made->pump_task.run = run_pump;
    made->stop_task.run = run_stop;
    client_options.certificate_authorities = options->certificate_authorities;
    arena_init(&made->arena, read_bytes_max);
    pthread_mutex_init(&made->mutex, NULL);
    pthread_cond_init(&made->changed, NULL);
    struct error error = io_loop_init(&made->loop);
    if (!error_is(error))
        error = http_client_create(&made->client, &made->loop.loop, &client_options);
    if (error_is(error)) {
        memory_release(made);
        return error;
    }
    uv_timer_init(&made->loop.loop, &made->timer);
    made->timer.data = made;
    uv_timer_start(&made->timer, tick, tick_ms, tick_ms);
    error = io_loop_start(&made->loop);
    if (error_is(error)) {
        memory_release(made);
        return error;
    }
    made->watcher = (struct event_feed_watcher){.wake = wake, .context = made};
    event_feed_watch(options->feed, &made->watcher);
    tracking_webhooks_changed(made);
    *webhooks = made;
    return error;
}

void tracking_webhooks_changed(struct tracking_webhooks *webhooks)
{
    pthread_mutex_lock(&webhooks->mutex);
    if (!webhooks->stopped && !atomic_exchange(&webhooks->reload_posted, true))
        executor_post(&webhooks->loop.base, &webhooks->reload_task);
    pthread_mutex_unlock(&webhooks->mutex);
}

void tracking_webhooks_stop(struct tracking_webhooks *webhooks)
{
    if (webhooks == NULL || webhooks->stopped)
        return;
    pthread_mutex_lock(&webhooks->mutex);
    webhooks->stopped = true;
    pthread_mutex_unlock(&webhooks->mutex);
    event_feed_unwatch(webhooks->options.feed, &webhooks->watcher);
    executor_post(&webhooks->loop.base, &webhooks->stop_task);
    pthread_mutex_lock(&webhooks->mutex);
    while (!webhooks->drained) /* the store's answers need the loop until the last has come */
        pthread_cond_wait(&webhooks->changed, &webhooks->mutex);
    pthread_mutex_unlock(&webhooks->mutex);
    io_loop_stop(&webhooks->loop);
}

void tracking_webhooks_close(struct tracking_webhooks *webhooks)
{
    if (webhooks == NULL)
        return;
    tracking_webhooks_stop(webhooks);
    io_loop_deinit(&webhooks->loop);
    while (webhooks->hooks != NULL) {
        struct hook *hook = webhooks->hooks;
        webhooks->hooks = hook->next;
        destroy(hook);
    }
    arena_deinit(&webhooks->arena);
    pthread_mutex_destroy(&webhooks->mutex);
    pthread_cond_destroy(&webhooks->changed);
    memory_release(webhooks);
}

uint64_t tracking_webhooks_dead_letters(struct tracking_webhooks *webhooks,
                                        struct text subscription_id)
{
    pthread_mutex_lock(&webhooks->mutex);
    const struct hook *hook = find_hook(webhooks, subscription_id);
    uint64_t dead_letters = hook == NULL ? 0 : hook->dead_letters;
    pthread_mutex_unlock(&webhooks->mutex);
    return dead_letters;
}

struct tracking_webhooks_usage tracking_webhooks_usage(struct tracking_webhooks *webhooks)
{
    pthread_mutex_lock(&webhooks->mutex);
    struct tracking_webhooks_usage usage = webhooks->usage;
    pthread_mutex_unlock(&webhooks->mutex);
    return usage;
}
