/*
 * The receiving half of a call and its life (grpc/doc/PROTOCOL-HTTP2.md): headers, then
 * length-prefixed messages, each checked against its descriptor and unpacked; a unary call is
 * handed to its handler when the caller has finished.
 *
 * Failures before the handler sees the call are answered here. After a deadline or a lost stream
 * the call stays until its handler answers, and that answer goes nowhere.
 */
#include "platform/rpc/rpc_call.h"

#include "platform/base/check.h"
#include "platform/base/memory.h"
#include "platform/rpc/rpc_response.h"

#include <string.h>

enum { idle_calls_max = 8192 };

static const char grpc_content_type[] = "application/grpc";

/* --- its life --- */

struct rpc_call *rpc_call_open(struct server_loop *loop, struct http2_connection *connection,
                               int32_t stream_id)
{
    struct rpc_call *call = loop->idle_calls;
    if (call != NULL) {
        loop->idle_calls = call->next;
        loop->idle_call_count--;
    } else {
        call = memory_allocate_zero(1, sizeof *call);
        if (call == NULL)
            return NULL;
        arena_init(&call->arena, loop->options->call_memory_bytes_max);
        buffer_init(&call->input, loop->options->message_bytes_max + message_prefix_bytes);
    }
    call->loop = loop;
    call->connection = connection;
    call->stream_id = stream_id;
    call->deadline_us = INT64_MAX;
    call->deadline_index = SIZE_MAX;
    call->timeout_us = INT64_MAX;
    return call;
}

static void destroy(struct rpc_call *call)
{
    arena_deinit(&call->arena);
    buffer_deinit(&call->input);
    memory_release(call);
}

void rpc_call_recycle(struct rpc_call *call)
{
    struct server_loop *loop = call->loop;
    server_loop_remove_deadline(loop, call);
    rpc_response_release(call);
    arena_reset(&call->arena);
    if (call->input.capacity > 4096)
        buffer_deinit(&call->input);
    if (loop->idle_call_count == idle_calls_max) {
        destroy(call);
        return;
    }
    struct rpc_call kept = {.arena = call->arena, .input = call->input, .next = loop->idle_calls};
    *call = kept;
    buffer_clear(&call->input);
    loop->idle_calls = call;
    loop->idle_call_count++;
}

bool rpc_call_is_stream(const struct rpc_call *call)
{
    return call->method != NULL && call->method->method->stream != NULL;
}

void rpc_call_release_idle(struct server_loop *loop)
{
    while (loop->idle_calls != NULL) {
        struct rpc_call *next = loop->idle_calls->next;
        destroy(loop->idle_calls);
        loop->idle_calls = next;
    }
}

void rpc_call_stream_closed(struct rpc_call *call)
{
    call->connection = NULL;
    call->previous = NULL;
    call->next = NULL;
    server_loop_remove_deadline(call->loop, call);
    if (call->dispatched && rpc_call_is_stream(call)) {
        const struct rpc_stream_handler *handler = call->method->method->stream;
        call->answered = true;
        if (handler->closed != NULL)
            handler->closed(call->stream_context, call);
    }
    if (!call->dispatched || call->answered)
        rpc_call_recycle(call);
}

/* --- headers --- */

/* RFC 9113 and grpc: TimeoutValue is at most 8 digits, then a unit. */
static bool read_timeout(struct text value, int64_t *timeout_us)
{
    int64_t number;
    if (value.size < 2 || value.size > 9 || value.data[0] == '-' ||
        !text_to_int64(text_make(value.data, value.size - 1), &number))
        return false;
    switch (value.data[value.size - 1]) {
    case 'H':
        *timeout_us = number * 3600 * 1000000;
        return true;
    case 'M':
        *timeout_us = number * 60 * 1000000;
        return true;
    case 'S':
        *timeout_us = number * 1000000;
        return true;
    case 'm':
        *timeout_us = number * 1000;
        return true;
    case 'u':
        *timeout_us = number;
        return true;
    case 'n':
        *timeout_us = number / 1000;
        return true;
    default:
        return false;
    }
}

/* application/grpc, alone or followed by "+proto" or ";…". */
static bool is_grpc_type(struct text type)
{
    size_t size = sizeof grpc_content_type - 1;
    if (!text_starts_with(type, text_of(grpc_content_type)))
        return false;
    struct text rest = text_make(type.data + size, type.size - size);
    return rest.size == 0 || rest.data[0] == ';' || text_starts_with(rest, text_of("+proto"));
}

void rpc_call_header(struct rpc_call *call, struct text name, struct text value)
{
    if (text_equals_string(name, ":path")) {
        call->has_path = true;
        call->method = method_table_find(call->loop->methods, value);
    } else if (text_equals_string(name, "content-type")) {
        call->is_grpc = is_grpc_type(value);
    } else if (text_equals_string(name, "grpc-timeout")) {
        call->timeout_is_bad = !read_timeout(value, &call->timeout_us);
    } else if (text_equals_string(name, "grpc-encoding")) {
        call->is_compressed = !text_equals_string(value, "identity");
    }
}

static void open_stream_handler(struct rpc_call *call)
{
    call->dispatched = true;
    call->handler_reading = true;
    call->method->method->stream->opened(call->method->service->context, call,
                                         &call->stream_context);
}

void rpc_call_headers_complete(struct rpc_call *call)
{
    if (!call->is_grpc) {
        rpc_response_unsupported_media_type(call);
        return;
    }
    if (call->method == NULL) {
        rpc_response_end(call, GRPC_STATUS_UNIMPLEMENTED, "there is no such method here");
        return;
    }
    if (call->is_compressed) {
        rpc_response_end(call, GRPC_STATUS_UNIMPLEMENTED, "messages are taken uncompressed only");
        return;
    }
    if (call->timeout_is_bad) {
        rpc_response_end(call, GRPC_STATUS_INVALID_ARGUMENT, "grpc-timeout is malformed");
        return;
    }
    if (call->timeout_us != INT64_MAX) {
        call->deadline_us = server_loop_now_us(call->loop) + call->timeout_us;
        if (!server_loop_add_deadline(call->loop, call)) {
            rpc_response_end(call, GRPC_STATUS_RESOURCE_EXHAUSTED,
                             "not enough memory for this call");
            return;
        }
    }
    if (rpc_call_is_stream(call))
        open_stream_handler(call);
}

void rpc_call_deadline_passed(struct rpc_call *call)
{
    rpc_response_end(
        call, GRPC_STATUS_DEADLINE_EXCEEDED,
        "the deadline passed before the outcome was known: ask again with the same id");
}

/* --- messages --- */

static void *arena_for_protobuf(void *arena, size_t size)
{
    return arena_allocate(arena, size);
}

static void keep_for_protobuf(void *arena, void *block)
{
    (void)arena;
    (void)block;
}

/* Checks and unpacks; NULL if the call was ended. */
static ProtobufCMessage *unpack(struct rpc_call *call, struct text bytes)
{
    struct rpc_status status;
    ProtobufCAllocator allocator = {
        .alloc = arena_for_protobuf,
        .free = keep_for_protobuf,
        .allocator_data = &call->arena,
    };
    if (!message_check_run(call->method->check, bytes, &call->arena, &status)) {
        rpc_response_end_with(call, &status);
        return NULL;
    }
    ProtobufCMessage *message = protobuf_c_message_unpack(
        call->method->descriptor->input, &allocator, bytes.size, (const uint8_t *)bytes.data);
    if (message == NULL)
        rpc_response_end(call, GRPC_STATUS_RESOURCE_EXHAUSTED, "the message takes too much memory");
    return message;
}

/* One whole message. */
static void take_message(struct rpc_call *call, struct text bytes)
{
    if (!rpc_call_is_stream(call)) {
        if (call->request != NULL)
            rpc_response_end(call, GRPC_STATUS_INTERNAL, "a unary call takes one message");
        else
            call->request = unpack(call, bytes);
        return;
    }
    call->handler_reading = false;
    ProtobufCMessage *message = unpack(call, bytes);
    if (message != NULL)
        call->method->method->stream->message(call->stream_context, call, message);
    arena_reset(&call->arena);
}

/* The size in a message's prefix; false if the call was ended. */
static bool read_prefix(struct rpc_call *call, const char *prefix, size_t *size)
{
    const unsigned char *bytes = (const unsigned char *)prefix;
    *size = (size_t)bytes[1] << 24 | (size_t)bytes[2] << 16 | (size_t)bytes[3] << 8 | bytes[4];
    if (bytes[0] != 0) {
        rpc_response_end(call, GRPC_STATUS_INTERNAL, "a compressed message without grpc-encoding");
        return false;
    }
    if (*size > call->loop->options->message_bytes_max) {
        struct rpc_status status =
            rpc_status_make(&call->arena, GRPC_STATUS_RESOURCE_EXHAUSTED, "MESSAGE_TOO_LARGE",
                            "a message of %zu bytes is larger than the limit of %zu", *size,
                            call->loop->options->message_bytes_max);
        rpc_response_end_with(call, &status);
        return false;
    }
    return true;
}

static bool may_deliver(const struct rpc_call *call)
{
    return !call->finishing && !call->answered &&
           (!rpc_call_is_stream(call) || call->handler_reading);
}

static void consume(struct rpc_call *call, size_t size)
{
    if (call->connection == NULL)
        return;
    nghttp2_session_consume_stream(call->connection->session, call->stream_id, size);
    server_loop_flush_later(call->loop, call->connection);
}

/* Delivers whole messages from `bytes` and tells how much was used. */
static size_t deliver(struct rpc_call *call, struct text bytes)
{
    size_t used = 0;
    call->delivering = true;
    while (may_deliver(call) && bytes.size - used >= message_prefix_bytes) {
        size_t size;
        if (!read_prefix(call, bytes.data + used, &size) ||
            bytes.size - used - message_prefix_bytes < size)
            break;
        take_message(call, text_make(bytes.data + used + message_prefix_bytes, size));
        used += message_prefix_bytes + size;
    }
    call->delivering = false;
    return used;
}

static void tell_half_closed(struct rpc_call *call)
{
    const struct rpc_stream_handler *handler = call->method->method->stream;
    if (!call->half_closed || call->half_close_told || call->input.size > 0 || call->finishing)
        return;
    call->half_close_told = true;
    if (handler->half_closed != NULL)
        handler->half_closed(call->stream_context, call);
}

/* Delivers from the buffer what can be delivered now. */
static void pump(struct rpc_call *call)
{
    size_t used = deliver(call, buffer_text(&call->input));
    buffer_consume(&call->input, used);
    if (call->finishing || call->answered) {
        used += call->input.size;
        buffer_clear(&call->input);
    }
    consume(call, used);
}

void rpc_call_input(struct rpc_call *call, struct text bytes)
{
    size_t used = 0;
    if (call->finishing || call->method == NULL) {
        consume(call, bytes.size); /* nobody wants it any more */
        return;
    }
    if (call->input.size == 0) {
        used = deliver(call, bytes);
        consume(call, used);
    }
    if (call->finishing) {
        consume(call, bytes.size - used);
        return;
    }
    if (!buffer_append(&call->input, bytes.data + used, bytes.size - used)) {
        rpc_response_end(call, GRPC_STATUS_RESOURCE_EXHAUSTED, "not enough memory for this call");
        consume(call, bytes.size - used);
        return;
    }
    if (call->input.size > 0)
        pump(call);
}

static void dispatch_unary(struct rpc_call *call)
{
    if (call->finishing)
        return;
    if (call->request == NULL) {
        rpc_response_end(call, GRPC_STATUS_INTERNAL,
                         call->input.size > 0 ? "the message is cut"
                                              : "a unary call takes one message");
        return;
    }
    call->dispatched = true;
    call->method->method->unary(call->method->service->context, call, call->request);
}

void rpc_call_half_closed(struct rpc_call *call)
{
    call->half_closed = true;
    if (call->method == NULL)
        return;
    if (!rpc_call_is_stream(call)) {
        dispatch_unary(call);
        return;
    }
    if (call->dispatched && call->handler_reading && call->input.size > 0)
        rpc_response_end(call, GRPC_STATUS_INTERNAL, "the message is cut");
    else if (call->dispatched)
        tell_half_closed(call);
}

/* --- for handlers --- */

struct arena *rpc_call_arena(struct rpc_call *call)
{
    return &call->arena;
}

struct executor *rpc_call_executor(struct rpc_call *call)
{
    return &call->loop->io.base;
}

int64_t rpc_call_deadline_us(const struct rpc_call *call)
{
    return call->deadline_us;
}

const ProtobufCMethodDescriptor *rpc_call_method(const struct rpc_call *call)
{
    return call->method->descriptor;
}

void rpc_call_read_next(struct rpc_call *call)
{
    CHECK(rpc_call_is_stream(call));
    if (call->connection == NULL || call->finishing)
        return;
    call->handler_reading = true;
    if (call->delivering)
        return; /* asked for within `message`: the loop there goes on */
    pump(call);
    if (call->connection != NULL)
        tell_half_closed(call);
}
