/*
 * From a stream's bytes to messages and a result: messages are cut out, opened if they are
 * compressed, unpacked; the status comes from the trailers, its details decoded. What is no proper
 * answer becomes a status of our own making. An attempt that failed may be followed by another.
 */
#include "platform/rpc/client/client_state.h"

#include "platform/base/hexadecimal.h"
#include "platform/base/memory.h"
#include "platform/compression/gzip.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

enum {
    repeat_pause_ms = 50,
    repeat_pause_max_ms = 2000,
    repeat_tokens_max = 100,
    repeat_token_cost = 10,
};

void client_call_release(struct rpc_client_call *call)
{
    while (call->output != NULL) {
        struct client_message *next = call->output->next;
        memory_release(call->output);
        call->output = next;
    }
    arena_deinit(&call->arena);
    buffer_deinit(&call->input);
    memory_release(call);
}

/* --- out --- */

bool client_call_queue(struct rpc_client_call *call, const ProtobufCMessage *message)
{
    size_t size = protobuf_c_message_get_packed_size(message);
    struct client_message *framed = memory_allocate(sizeof *framed + client_prefix_bytes + size);
    if (framed == NULL)
        return false;
    protobuf_c_message_pack(message, (uint8_t *)framed->bytes + client_prefix_bytes);
    if (call->compress) {
        struct buffer smaller;
        buffer_init(&smaller, size + 4096);
        struct error error =
            gzip_compress(text_make(framed->bytes + client_prefix_bytes, size), &smaller);
        if (!error_is(error) && smaller.size < size) {
            size = smaller.size;
            memcpy(framed->bytes + client_prefix_bytes, smaller.data, size);
            framed->bytes[0] = 1;
        } else {
            framed->bytes[0] = 0;
        }
        buffer_deinit(&smaller);
    } else {
        framed->bytes[0] = 0;
    }
    framed->bytes[1] = (char)(size >> 24);
    framed->bytes[2] = (char)(size >> 16);
    framed->bytes[3] = (char)(size >> 8);
    framed->bytes[4] = (char)size;
    framed->size = client_prefix_bytes + size;
    framed->sent = 0;
    framed->next = NULL;
    if (call->output_last == NULL)
        call->output = framed;
    else
        call->output_last->next = framed;
    call->output_last = framed;
    if (call->output_next == NULL)
        call->output_next = framed;
    call->output_bytes += framed->size;
    return true;
}

/* --- its end --- */

/* Leaves its stream, which goes on without an owner or is reset. */
static void leave_stream(struct rpc_client_call *call, bool reset)
{
    struct client_connection *connection = call->connection;
    if (connection == NULL) {
        call->client->waiting_count--;
        return;
    }
    connection->call_count--;
    call->connection = NULL;
    if (connection->session == NULL)
        return;
    nghttp2_session_set_stream_user_data(connection->session, call->stream_id, NULL);
    if (reset)
        nghttp2_submit_rst_stream(connection->session, NGHTTP2_FLAG_NONE, call->stream_id,
                                  NGHTTP2_CANCEL);
    connection->dirty = true;
}

/* Takes the call out and tells its owner; its memory goes when nobody stands in its code. */
static void complete(struct rpc_client_call *call, const struct rpc_client_result *result)
{
    struct rpc_client *client = call->client;
    client_unlink_call(call);
    call->ended = true;
    if (call->handler != NULL)
        call->handler->closed(call->context, &result->status);
    else
        call->done(call->context, result);
    call->next = client->ended_calls;
    client->ended_calls = call;
}

void client_call_complete_with(struct rpc_client_call *call, enum grpc_status code,
                               const char *message)
{
    struct rpc_client_result result = {
        .status = rpc_status_make(&call->arena, code, "", "%s", message),
    };
    leave_stream(call, true);
    complete(call, &result);
}

/* --- in --- */

static void *arena_for_protobuf(void *arena, size_t size)
{
    return arena_allocate(arena, size);
}

static void keep_for_protobuf(void *arena, void *block)
{
    (void)arena;
    (void)block;
}

static ProtobufCMessage *unpack(struct rpc_client_call *call, struct arena *arena,
                                struct text bytes)
{
    ProtobufCAllocator allocator = {
        .alloc = arena_for_protobuf, .free = keep_for_protobuf, .allocator_data = arena};
    return protobuf_c_message_unpack(call->response_descriptor, &allocator, bytes.size,
                                     (const uint8_t *)bytes.data);
}

static void fail(struct rpc_client_call *call, enum grpc_status code, const char *message)
{
    if (call->failure != GRPC_STATUS_OK)
        return;
    call->failure = code;
    call->failure_message = message;
}

/* A unary call keeps the one message; a stream's owner gets each, alive while he looks. */
static void take_message(struct rpc_client_call *call, struct text bytes)
{
    if (call->handler == NULL) {
        call->response = unpack(call, &call->arena, bytes);
        if (call->response == NULL || call->message_count > 1)
            fail(call, GRPC_STATUS_INTERNAL, "the response is not one whole message");
        return;
    }
    struct arena arena;
    arena_init(&arena, client_call_memory_bytes_max);
    ProtobufCMessage *message = unpack(call, &arena, bytes);
    if (message == NULL)
        fail(call, GRPC_STATUS_INTERNAL, "a message of the response cannot be read");
    else if (call->handler->message != NULL)
        call->handler->message(call->context, call, message);
    arena_deinit(&arena);
}

static void open_message(struct rpc_client_call *call, struct text bytes)
{
    struct buffer opened;
    buffer_init(&opened, call->client->options.response_bytes_max);
    struct error error = gzip_decompress(bytes, &opened);
    if (error.code == ERROR_LIMIT)
        fail(call, GRPC_STATUS_RESOURCE_EXHAUSTED, "the response is too large");
    else if (error_is(error))
        fail(call, GRPC_STATUS_INTERNAL, "a compressed message cannot be opened");
    else
        take_message(call, buffer_text(&opened));
    buffer_deinit(&opened);
}

/* Gives the stream's window back for what has been taken in. */
static void consume(struct rpc_client_call *call)
{
    if (call->unconsumed_bytes == 0 || call->connection == NULL ||
        call->connection->session == NULL)
        return;
    (void)nghttp2_session_consume_stream(call->connection->session, call->stream_id,
                                         call->unconsumed_bytes);
    call->unconsumed_bytes = 0;
    call->connection->dirty = true;
}

void client_call_deliver(struct rpc_client_call *call)
{
    size_t used = 0;
    while (!call->paused && !call->ended && call->failure == GRPC_STATUS_OK &&
           call->input.size - used >= client_prefix_bytes) {
        const uint8_t *bytes = (const uint8_t *)call->input.data + used;
        size_t size =
            (size_t)bytes[1] << 24 | (size_t)bytes[2] << 16 | (size_t)bytes[3] << 8 | bytes[4];
        struct text message = text_make(bytes + client_prefix_bytes, size);
        if (size > call->client->options.response_bytes_max) {
            fail(call, GRPC_STATUS_RESOURCE_EXHAUSTED, "the response is too large");
            break;
        }
        if (call->input.size - used < client_prefix_bytes + size)
            break;
        used += client_prefix_bytes + size;
        call->message_count++;
        if (bytes[0] == 0)
            take_message(call, message);
        else if (bytes[0] == 1 && call->compressed)
            open_message(call, message);
        else
            fail(call, GRPC_STATUS_INTERNAL, "a message of the response is coded wrongly");
    }
    if (call->ended)
        return;
    if (used > 0)
        buffer_consume(&call->input, used);
    if (!call->paused)
        consume(call);
    if (call->is_over && !call->paused)
        client_call_stream_ended(call, true, false, "");
}

void client_call_data(struct rpc_client_call *call, struct text bytes)
{
    if (call->failure != GRPC_STATUS_OK)
        return;
    if (call->http_status != 200 || call->is_other_type) {
        consume(call); /* a page for people, or whatever it is: no messages */
        return;
    }
    if (!buffer_append(&call->input, bytes.data, bytes.size)) {
        fail(call, GRPC_STATUS_RESOURCE_EXHAUSTED, "the response is too large");
        return;
    }
    client_call_deliver(call);
}

/* Base64, with or without padding. Empty if it is none, or without memory. */
static struct text decode_details(struct arena *arena, struct text encoded)
{
    size_t padding = (4 - encoded.size % 4) % 4;
    char *padded = arena_allocate(arena, encoded.size + padding + 1);
    unsigned char *bytes = arena_allocate(arena, encoded.size + padding);
    if (padded == NULL || bytes == NULL || encoded.size == 0)
        return (struct text){0};
    memcpy(padded, encoded.data, encoded.size);
    memset(padded + encoded.size, '=', padding);
    int size = EVP_DecodeBlock(bytes, (unsigned char *)padded, (int)(encoded.size + padding));
    while (encoded.size > 0 && encoded.data[encoded.size - 1] == '=') {
        encoded.size--;
        padding++;
    }
    return size < (int)padding ? (struct text){0} : text_make(bytes, (size_t)size - padding);
}

/* grpc-message is percent-encoded; what is no escape stays as it is. */
static struct text decode_message(struct arena *arena, struct text encoded)
{
    char *decoded = arena_allocate(arena, encoded.size + 1);
    size_t size = 0;
    if (decoded == NULL)
        return (struct text){0};
    for (size_t i = 0; i < encoded.size; i++) {
        bool escaped = encoded.data[i] == '%' && i + 2 < encoded.size &&
                       hexadecimal_value(encoded.data[i + 1]) >= 0 &&
                       hexadecimal_value(encoded.data[i + 2]) >= 0;
        if (escaped) {
            decoded[size++] = (char)(hexadecimal_value(encoded.data[i + 1]) << 4 |
                                     hexadecimal_value(encoded.data[i + 2]));
            i += 2;
        } else {
            decoded[size++] = encoded.data[i];
        }
    }
    decoded[size] = '\0';
    return text_make(decoded, size);
}

void client_call_header(struct rpc_client_call *call, struct text name, struct text value)
{
    if (text_equals_string(name, ":status"))
        (void)text_to_int64(value, &call->http_status);
    else if (text_equals_string(name, "content-type"))
        call->is_other_type = !text_starts_with(value, text_of("application/grpc"));
    else if (text_equals_string(name, "grpc-status"))
        call->has_status = text_to_int64(value, &call->status);
    else if (text_equals_string(name, "grpc-message"))
        call->message = decode_message(&call->arena, value);
    else if (text_equals_string(name, "grpc-status-details-bin"))
        call->details = decode_details(&call->arena, value);
    else if (text_equals_string(name, "grpc-encoding"))
        call->compressed = text_equals_string(value, "gzip");
}

/* What an HTTP status without grpc-status means (grpc/doc/http-grpc-status-mapping.md). */
static enum grpc_status status_of_http(int64_t http_status)
{
    switch (http_status) {
    case 400:
        return GRPC_STATUS_INTERNAL;
    case 401:
        return GRPC_STATUS_UNAUTHENTICATED;
    case 403:
        return GRPC_STATUS_PERMISSION_DENIED;
    case 404:
        return GRPC_STATUS_UNIMPLEMENTED;
    case 429:
    case 502:
    case 503:
    case 504:
        return GRPC_STATUS_UNAVAILABLE;
    default:
        return GRPC_STATUS_UNKNOWN;
    }
}

/* --- another attempt --- */

/* What the attempt came to counts for the throttle (gRFC A6). */
static void count_attempt(struct rpc_client *client, bool failed)
{
    client->repeat_tokens += failed ? -repeat_token_cost : 1;
    if (client->repeat_tokens < 0)
        client->repeat_tokens = 0;
    if (client->repeat_tokens > repeat_tokens_max)
        client->repeat_tokens = repeat_tokens_max;
}

/* Has the call wait for its next attempt; false if there is none. */
static bool repeat(struct rpc_client_call *call, bool untouched)
{
    struct rpc_client *client = call->client;
    call->attempts += call->connection == NULL; /* the connection could not even be made */
    bool is_first_refusal = untouched && call->attempts <= 1;
    if (client->closing || call->handler != NULL || call->failure != GRPC_STATUS_OK)
        return false;
    if (!is_first_refusal && (!call->may_repeat || call->attempts >= client->options.attempts_max ||
                              client->repeat_tokens <= repeat_tokens_max / 2))
        return false;
    uint64_t pause_ms = (uint64_t)repeat_pause_ms << (call->attempts < 6 ? call->attempts : 6);
    if (pause_ms > repeat_pause_max_ms)
        pause_ms = repeat_pause_max_ms;
    uint64_t wait_ms = is_first_refusal ? 0 : random_below(&client->random.base, pause_ms) + 1;
    uint64_t at_ms = uv_now(client->loop) + wait_ms;
    if (call->deadline_ms != 0 && at_ms >= call->deadline_ms)
        return false;
    if (call->connection != NULL) {
        leave_stream(call, false);
        client->waiting_count++;
    }
    call->repeat_ms = at_ms;
    call->response = NULL;
    call->message_count = 0;
    return true;
}

/* --- the result --- */

static void complete_refused(struct rpc_client_call *call)
{
    struct rpc_client_result result = {.status = {.arena = &call->arena}};
    if (call->details.size > 0 && !rpc_status_unpack(&call->arena, call->details, &result.status))
        result.status = (struct rpc_status){.arena = &call->arena};
    result.status.code = call->status < 0 || call->status > 16 ? GRPC_STATUS_UNKNOWN
                                                               : (enum grpc_status)call->status;
    result.status.message = call->message;
    leave_stream(call, false);
    complete(call, &result);
}

/* Whoever answers so is no gRPC server, or something before it. */
static void complete_without_status(struct rpc_client_call *call)
{
    char message[128];
    snprintf(message, sizeof message, "the answer has no grpc-status but HTTP %lld: %s",
             (long long)call->http_status, rpc_client_no_grpc);
    client_call_complete_with(call, status_of_http(call->http_status), message);
}

static void complete_by_trailers(struct rpc_client_call *call)
{
    struct rpc_client_result result = {.status = {.arena = &call->arena},
                                       .response = call->response};
    if (call->failure != GRPC_STATUS_OK)
        client_call_complete_with(call, call->failure, call->failure_message);
    else if (!call->has_status)
        complete_without_status(call);
    else if (call->status != GRPC_STATUS_OK)
        complete_refused(call);
    else if (call->input.size > 0 || (call->handler == NULL && call->response == NULL))
        client_call_complete_with(call, GRPC_STATUS_INTERNAL,
                                  "the response is not one whole message");
    else {
        leave_stream(call, false);
        complete(call, &result);
    }
}

void client_call_stream_ended(struct rpc_client_call *call, bool in_good_order, bool untouched,
                              const char *reason)
{
    bool is_unavailable =
        !in_good_order || (call->has_status && call->status == GRPC_STATUS_UNAVAILABLE);
    if (in_good_order && call->paused && call->input.size > 0) {
        call->is_over = true; /* its end follows what has not been delivered */
        return;
    }
    count_attempt(call->client, is_unavailable);
    if (is_unavailable && repeat(call, untouched))
        return;
    if (in_good_order)
        complete_by_trailers(call);
    else if (call->failure != GRPC_STATUS_OK)
        client_call_complete_with(call, call->failure, call->failure_message);
    else
        client_call_complete_with(call, GRPC_STATUS_UNAVAILABLE, reason);
}
