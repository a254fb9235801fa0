/*
 * One subscription after the other: what is to be sent next is read from the feed behind the hook's
 * place, or, if somebody wants what was given up once more, at its own place; then it is signed and
 * sent. What fails is sent again later and later, and at last put aside.
 *
 * A place is written after each delivery, and now and then while nothing is wanted; a write that
 * fails means that after a restart something is sent twice. A dead letter is put aside only while
 * no reload counts them.
 */
#include "platform/base/clock.h"
#include "platform/base/codec.h"
#include "platform/base/hexadecimal.h"
#include "platform/base/log.h"
#include "platform/base/memory.h"
#include "platform/json/json_message.h"
#include "platform/rpc/message_fields.h"
#include "tracking/interfaces/webhooks/webhook_state.h"
#include "waybill/tracking/v1/tracking.pb-c.h"

#include <openssl/hmac.h>
#include <stdio.h>
#include <string.h>

enum {
    read_count = 64,
    reads_per_turn_max = 16, /* of one hook: others, and the end, do not wait for its whole past */
    body_bytes_max = 256 * 1024,
};

/* What is not wanted is read again after a restart as far back as this. */
static const uint64_t unsaved_max = UINT64_C(16) << 20;

static const int64_t connect_us_max = INT64_C(5) * 1000000;
static const int64_t total_us_max = INT64_C(15) * 1000000;
static const int64_t backoff_us_max = INT64_C(300) * 1000000;

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

void webhook_write_note(struct tracking_webhooks *webhooks, const char *name, struct text value)
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
    char name[tracking_note_name_bytes_max];
    char bytes[delivery_place_bytes_max];
    struct delivery_place place = {hook->create_time_us, hook->position};
    snprintf(name, sizeof name, "%s%s", delivery_prefix, hook->id);
    webhook_write_note(hook->webhooks, name, delivery_place_encode(&place, bytes));
    hook->saved = hook->position;
}

static void remove_letter(const struct hook *hook, const char *prefix)
{
    char name[tracking_note_name_bytes_max];
    dead_letter_write_name(prefix, hook->id, hook->sequence, name);
    webhook_write_note(hook->webhooks, name, text_make("", 0));
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
    Google__Protobuf__Timestamp time = message_of_time(event->time_us);
    struct buffer *body = &hook->body;
    const ProtobufCMessageDescriptor *descriptor = descriptor_of(event->type);
    ProtobufCMessage *message = protobuf_c_message_unpack(descriptor, NULL, event->data.size,
                                                          (const uint8_t *)event->data.data);
    buffer_clear(body);
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

/* Reads the feed behind a place. False: there is nothing, or it cannot be had now. */
static bool read_feed(struct hook *hook, uint64_t after, size_t count, struct event_batch *batch,
                      struct error *error)
{
    struct tracking_webhooks *webhooks = hook->webhooks;
    arena_reset(&webhooks->arena);
    *error = event_feed_read(webhooks->options.feed, after, count, &webhooks->arena, batch);
    if (error_is(*error) && error->code != ERROR_CURSOR_EXPIRED)
        log_error("tracking: what is to be sent cannot be read", error);
    return !error_is(*error);
}

/* Writes the first that is wanted. False without memory. */
static bool choose(struct hook *hook, const struct event_batch *batch)
{
    for (size_t i = 0; i < batch->event_count && hook->sequence == 0; i++) {
        if (!is_wanted(hook, &batch->events[i])) {
            hook->position = batch->events[i].sequence;
            continue;
        }
        if (!write_body(hook, &batch->events[i]))
            return false;
        hook->sequence = batch->events[i].sequence;
    }
    return true;
}

/* Finds and writes what is to be sent next. False: there is nothing, or no memory for it now. */
static bool prepare_next(struct hook *hook)
{
    struct event_batch batch;
    struct error error;
    for (int reads = 0; hook->sequence == 0; reads++) {
        if (hook->position - hook->saved > unsaved_max)
            save_place(hook);
        if (reads == reads_per_turn_max) {
            webhook_pump_later(hook->webhooks);
            return false;
        }
        uint64_t position = hook->position;
        if (!read_feed(hook, position, read_count, &batch, &error)) {
            if (error.code != ERROR_CURSOR_EXPIRED)
                return false;
            log_error("tracking: a subscription was behind what is kept; it goes on from there",
                      &error);
            hook->position = event_feed_oldest(hook->webhooks->options.feed);
            return false;
        }
        if (!choose(hook, &batch))
            return false;
        if (hook->sequence != 0)
            break;
        if (batch.next > hook->position)
            hook->position = batch.next;
        if (batch.event_count == 0 || hook->position == position)
            return false;
    }
    return true;
}

static void put_aside(struct hook *hook);

/* The same for what was given up; it stays so if the log has it no more. */
static bool prepare_again(struct hook *hook)
{
    const struct hook_again *again = &hook->again[hook->again_at];
    uint64_t sequence = again->sequence;
    struct event_batch batch = {0};
    struct error error;
    bool is_read = read_feed(hook, sequence - 1, 1, &batch, &error);
    bool is_lost = is_read ? batch.event_count == 0 || batch.events[0].sequence != sequence
                           : error.code == ERROR_CURSOR_EXPIRED;
    if (!is_read && !is_lost)
        return false;
    if (!is_lost && !write_body(hook, &batch.events[0]))
        return false;
    hook->sequence = sequence;
    hook->is_again = true;
    if (!is_lost)
        return true;
    snprintf(hook->event_id, sizeof hook->event_id, "%s", again->event_id);
    snprintf(hook->reason, sizeof hook->reason, "it is no longer kept");
    put_aside(hook);
    return false;
}

/* Whether there is something to be sent. */
static bool prepare(struct hook *hook)
{
    if (hook->sequence != 0)
        return true;
    return hook->again_at < hook->again_count ? prepare_again(hook) : prepare_next(hook);
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
        hexadecimal_write(digest, sizeof digest, signature + 3);
    return good;
}

/* --- sending --- */

void webhook_init_body(struct hook *hook)
{
    buffer_init(&hook->body, body_bytes_max);
}

void webhook_destroy(struct hook *hook)
{
    buffer_deinit(&hook->body);
    memory_release(hook->again);
    memory_release(hook->found);
    OPENSSL_cleanse(hook->secret, sizeof hook->secret);
    memory_release(hook);
}

static void done_with(struct hook *hook)
{
    if (hook->is_again) {
        remove_letter(hook, again_prefix);
        if (hook->again_at < hook->again_count &&
            hook->again[hook->again_at].sequence == hook->sequence)
            hook->again_at++;
    } else {
        hook->position = hook->sequence;
        save_place(hook);
    }
    hook->is_again = false;
    hook->gives_up = false;
    hook->sequence = 0;
    hook->attempts = 0;
    hook->due_us = 0;
}

static void put_aside(struct hook *hook)
{
    char name[tracking_note_name_bytes_max];
    char bytes[dead_letter_bytes_max];
    struct dead_letter letter = {
        .create_time_us = hook->create_time_us,
        .time_us = clock_now_us(clock_system()),
        .event_id = text_of(hook->event_id),
        .reason = text_of(hook->reason),
    };
    if (hook->webhooks->reloading) { /* which counts them */
        hook->gives_up = true;
        return;
    }
    struct log_field fields[] = {log_string("subscription", hook->id),
                                 log_string("event", hook->event_id),
                                 log_string("reason", hook->reason)};
    log_event(LOG_LEVEL_WARNING, "tracking: a subscriber did not take an event; it is put aside",
              fields, sizeof fields / sizeof fields[0]);
    dead_letter_write_name(dead_letter_prefix, hook->id, hook->sequence, name);
    webhook_write_note(hook->webhooks, name, dead_letter_encode(&letter, bytes));
    pthread_mutex_lock(&hook->webhooks->mutex);
    hook->dead_letters++;
    hook->webhooks->usage.given_up++;
    pthread_mutex_unlock(&hook->webhooks->mutex);
    done_with(hook);
}

static void try_later(struct hook *hook)
{
    struct tracking_webhooks *webhooks = hook->webhooks;
    int64_t wait_us = INT64_C(1000000) << (hook->attempts > 9 ? 9 : hook->attempts);
    hook->attempts++;
    pthread_mutex_lock(&webhooks->mutex);
    webhooks->usage.failed++;
    pthread_mutex_unlock(&webhooks->mutex);
    if (hook->attempts >= webhooks->options.attempts_max) {
        put_aside(hook);
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
    hook->sending = false;
    if (hook->gone) {
        webhook_destroy(hook);
        return;
    }
    if (webhooks->stopping)
        return;
    if (answer->verdict == HTTP_CLIENT_ANSWERED && answer->status / 100 == 2) {
        pthread_mutex_lock(&webhooks->mutex);
        webhooks->usage.delivered++;
        pthread_mutex_unlock(&webhooks->mutex);
        done_with(hook);
        webhook_pump_later(webhooks);
        return;
    }
    if (answer->verdict == HTTP_CLIENT_ANSWERED)
        snprintf(hook->reason, sizeof hook->reason, "status %u", answer->status);
    else
        snprintf(hook->reason, sizeof hook->reason, "%.100s", answer->error.detail);
    try_later(hook);
}

static void send_body(struct hook *hook)
{
    struct tracking_webhooks *webhooks = hook->webhooks;
    uint8_t random[16];
    char timestamp[24];
    char nonce[33];
    char signature[3 + 64 + 1];
    random_fill(webhooks->options.random, random, sizeof random);
    hexadecimal_write(random, sizeof random, nonce);
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
    if (!error_is(error))
        return;
    snprintf(hook->reason, sizeof hook->reason, "%.100s", error.detail);
    try_later(hook);
}

void webhook_pump(struct tracking_webhooks *webhooks)
{
    int64_t now = now_us();
    for (struct hook *hook = webhooks->hooks; hook != NULL && !webhooks->stopping;
         hook = hook->next) {
        if (!hook->loaded || hook->sending)
            continue;
        if (hook->gives_up)
            put_aside(hook);
        if (!hook->gives_up && hook->due_us <= now && prepare(hook))
            send_body(hook);
    }
}
