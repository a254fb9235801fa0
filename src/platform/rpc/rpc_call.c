/*
 * The gRPC side of a stream (grpc/doc/PROTOCOL-HTTP2.md). In: headers, then length-prefixed
 * messages, each checked against its descriptor and unpacked; a unary call is handed to its handler
 * when the caller has finished. Out: a queue of framed messages that nghttp2 pulls, then the
 * trailers; a status before the first message is a trailers-only response.
 *
 * Failures before the handler sees the call are answered here. After a deadline or a lost stream
 * the call stays until its handler answers, and that answer goes nowhere. The loop does not
 * allocate on the call's arena while an answer is awaited: the store may be doing so on its own
 * thread. That is why status texts live on the heap.
 */
#include "platform/rpc/rpc_call.h"

#include "platform/base/check.h"
#include "platform/base/memory.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

enum {
    idle_calls_max = 8192,
    stream_messages_max = 8192,
    connection_queued_bytes_max = 64 * 1024 * 1024,
    status_message_bytes_max = 1024,
};

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

static void release_output(struct rpc_call *call)
{
    while (call->output != NULL) {
        struct outgoing *next = call->output->next;
        if (call->method != NULL && call->method->method->stream != NULL)
            memory_release(call->output);
        call->output = next;
    }
}

static void destroy(struct rpc_call *call)
{
    arena_deinit(&call->arena);
    buffer_deinit(&call->input);
    memory_release(call);
}

/* The call is over and its handler is done with it. */
static void recycle(struct rpc_call *call)
{
    struct server_loop *loop = call->loop;
    server_loop_remove_deadline(loop, call);
    release_output(call);
    memory_release(call->status_message);
    memory_release(call->status_details);
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

void rpc_call_release_idle(struct server_loop *loop)
{
    while (loop->idle_calls != NULL) {
        struct rpc_call *next = loop->idle_calls->next;
        destroy(loop->idle_calls);
        loop->idle_calls = next;
    }
}

static bool is_stream(const struct rpc_call *call)
{
    return call->method != NULL && call->method->method->stream != NULL;
}

void rpc_call_stream_closed(struct rpc_call *call)
{
    call->connection = NULL;
    call->previous = NULL;
    call->next = NULL;
    server_loop_remove_deadline(call->loop, call);
    if (call->dispatched && is_stream(call)) {
        const struct rpc_stream_handler *handler = call->method->method->stream;
        call->answered = true;
        if (handler->closed != NULL)
            handler->closed(call->stream_context, call);
    }
    if (!call->dispatched || call->answered)
        recycle(call);
}

/* --- what goes out --- */

static nghttp2_nv header(const char *name, const char *value)
{
    return (nghttp2_nv){
        .name = (uint8_t *)(uintptr_t)name,
        .value = (uint8_t *)(uintptr_t)value,
        .namelen = strlen(name),
        .valuelen = strlen(value),
        .flags = NGHTTP2_NV_FLAG_NONE,
    };
}

/* grpc-status, grpc-message, grpc-status-details-bin. */
static size_t trailers_of(const struct rpc_call *call, char number[4], nghttp2_nv *out)
{
    size_t count = 0;
    snprintf(number, 4, "%d", (int)call->status);
    out[count++] = header("grpc-status", number);
    if (call->status_message != NULL)
        out[count++] = header("grpc-message", call->status_message);
    if (call->status_details != NULL)
        out[count++] = header("grpc-status-details-bin", call->status_details);
    return count;
}

static void reset(struct rpc_call *call, uint32_t code)
{
    if (call->connection == NULL)
        return;
    nghttp2_submit_rst_stream(call->connection->session, NGHTTP2_FLAG_NONE, call->stream_id, code);
    server_loop_flush_later(call->loop, call->connection);
}

static void drop_first_output(struct rpc_call *call)
{
    struct outgoing *first = call->output;
    call->output = first->next;
    if (call->output == NULL)
        call->output_last = NULL;
    call->output_sent = 0;
    call->output_count--;
    call->output_bytes -= first->size;
    call->connection->queued_bytes -= first->size;
    if (is_stream(call))
        memory_release(first);
}

static void tell_writable(struct rpc_call *call)
{
    const struct rpc_stream_handler *handler = call->method->method->stream;
    if (!call->was_full || call->output_count > stream_messages_max / 2)
        return;
    call->was_full = false;
    if (!call->answered && handler->writable != NULL)
        handler->writable(call->stream_context, call);
}

/* nghttp2 pulls the body: queued messages, then the end with trailers behind it. */
static ssize_t read_body(nghttp2_session *session, int32_t stream_id, uint8_t *out, size_t room,
                         uint32_t *flags, nghttp2_data_source *source, void *context)
{
    struct rpc_call *call = source->ptr;
    size_t filled = 0;
    (void)context;
    while (call->output != NULL && filled < room) {
        size_t left = call->output->size - call->output_sent;
        size_t part = left < room - filled ? left : room - filled;
        memcpy(out + filled, call->output->data + call->output_sent, part);
        filled += part;
        call->output_sent += part;
        if (call->output_sent == call->output->size)
            drop_first_output(call);
    }
    if (is_stream(call) && filled > 0)
        tell_writable(call);
    if (call->output == NULL && call->finishing) {
        char number[4];
        nghttp2_nv trailers[3];
        *flags |= NGHTTP2_DATA_FLAG_EOF | NGHTTP2_DATA_FLAG_NO_END_STREAM;
        nghttp2_submit_trailer(session, stream_id, trailers, trailers_of(call, number, trailers));
        return (ssize_t)filled;
    }
    if (filled == 0) {
        call->body_deferred = true;
        return NGHTTP2_ERR_DEFERRED;
    }
    return (ssize_t)filled;
}

static const char grpc_content_type[] = "application/grpc";

static void send_headers(struct rpc_call *call)
{
    nghttp2_nv headers[] = {
        header(":status", "200"),
        header("content-type", grpc_content_type),
    };
    nghttp2_data_provider body = {.source.ptr = call, .read_callback = read_body};
    call->headers_sent = true;
    if (nghttp2_submit_response(call->connection->session, call->stream_id, headers, 2, &body) != 0)
        reset(call, NGHTTP2_INTERNAL_ERROR);
}

static void send_trailers_only(struct rpc_call *call)
{
    char number[4];
    nghttp2_nv headers[6] = {
        header(":status", "200"),
        header("content-type", grpc_content_type),
    };
    size_t count = 2 + trailers_of(call, number, headers + 2);
    if (call->status == GRPC_STATUS_UNIMPLEMENTED)
        headers[count++] = header("grpc-accept-encoding", "identity");
    call->headers_sent = true;
    if (nghttp2_submit_response(call->connection->session, call->stream_id, headers, count, NULL) !=
        0)
        reset(call, NGHTTP2_INTERNAL_ERROR);
}

/* Has nghttp2 pull again, and the connection flush. */
static void wake_body(struct rpc_call *call)
{
    if (call->body_deferred) {
        call->body_deferred = false;
        nghttp2_session_resume_data(call->connection->session, call->stream_id);
    }
    server_loop_flush_later(call->loop, call->connection);
}

static void queue_output(struct rpc_call *call, struct outgoing *message)
{
    message->next = NULL;
    if (call->output_last == NULL)
        call->output = message;
    else
        call->output_last->next = message;
    call->output_last = message;
    call->output_count++;
    call->output_bytes += message->size;
    call->connection->queued_bytes += message->size;
    if (!call->headers_sent)
        send_headers(call);
    wake_body(call);
}

static void frame_message(struct outgoing *outgoing, const ProtobufCMessage *message, size_t size)
{
    outgoing->size = message_prefix_bytes + size;
    outgoing->data[0] = 0;
    outgoing->data[1] = (char)(size >> 24);
    outgoing->data[2] = (char)(size >> 16);
    outgoing->data[3] = (char)(size >> 8);
    outgoing->data[4] = (char)size;
    protobuf_c_message_pack(message, (uint8_t *)outgoing->data + message_prefix_bytes);
}

/* Percent-encoding of grpc-message: all but printable ASCII, and '%' itself. */
static char *encode_message(struct text message)
{
    size_t kept = message.size < status_message_bytes_max ? message.size : status_message_bytes_max;
    char *encoded = memory_allocate(3 * kept + 1);
    size_t used = 0;
    if (encoded == NULL)
        return NULL;
    for (size_t i = 0; i < kept; i++) {
        unsigned char c = (unsigned char)message.data[i];
        if (c >= 0x20 && c <= 0x7E && c != '%') {
            encoded[used++] = (char)c;
        } else {
            encoded[used++] = '%';
            encoded[used++] = "0123456789ABCDEF"[c >> 4];
            encoded[used++] = "0123456789ABCDEF"[c & 15];
        }
    }
    encoded[used] = '\0';
    return encoded;
}

static char *encode_details(struct text packed)
{
    char *encoded = memory_allocate((packed.size + 2) / 3 * 4 + 1);
    if (encoded == NULL)
        return NULL;
    int size = EVP_EncodeBlock((unsigned char *)encoded, (const unsigned char *)packed.data,
                               (int)packed.size);
    while (size > 0 && encoded[size - 1] == '=')
        encoded[--size] = '\0';
    return encoded;
}

/* Ends the response with call->status. */
static void end_response(struct rpc_call *call)
{
    if (call->connection == NULL)
        return;
    call->finishing = true;
    if (call->headers_sent) {
        wake_body(call);
        return;
    }
    send_trailers_only(call);
    server_loop_flush_later(call->loop, call->connection);
}

/* Ends the call with a status of the server's own; no arena is touched. */
static void end_with(struct rpc_call *call, enum grpc_status status, const char *message)
{
    if (call->finishing || call->connection == NULL)
        return;
    call->status = status;
    call->status_message = encode_message(text_of(message));
    end_response(call);
}

static void end_with_status(struct rpc_call *call, const struct rpc_status *status)
{
    if (call->finishing || call->connection == NULL)
        return;
    struct text packed = rpc_status_pack(status, &call->arena);
    call->status = status->code;
    if (status->message.size > 0)
        call->status_message = encode_message(status->message);
    if (packed.size > 0)
        call->status_details = encode_details(packed);
    end_response(call);
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

static void refuse_content_type(struct rpc_call *call)
{
    nghttp2_nv headers[] = {header(":status", "415")};
    call->headers_sent = true;
    call->finishing = true;
    if (nghttp2_submit_response(call->connection->session, call->stream_id, headers, 1, NULL) != 0)
        reset(call, NGHTTP2_INTERNAL_ERROR);
    server_loop_flush_later(call->loop, call->connection);
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
        refuse_content_type(call);
        return;
    }
    if (call->method == NULL) {
        end_with(call, GRPC_STATUS_UNIMPLEMENTED, "there is no such method here");
        return;
    }
    if (call->is_compressed) {
        end_with(call, GRPC_STATUS_UNIMPLEMENTED, "messages are taken uncompressed only");
        return;
    }
    if (call->timeout_is_bad) {
        end_with(call, GRPC_STATUS_INVALID_ARGUMENT, "grpc-timeout is malformed");
        return;
    }
    if (call->timeout_us != INT64_MAX) {
        call->deadline_us = server_loop_now_us(call->loop) + call->timeout_us;
        if (!server_loop_add_deadline(call->loop, call)) {
            end_with(call, GRPC_STATUS_RESOURCE_EXHAUSTED, "not enough memory for this call");
            return;
        }
    }
    if (is_stream(call))
        open_stream_handler(call);
}

void rpc_call_deadline_passed(struct rpc_call *call)
{
    end_with(call, GRPC_STATUS_DEADLINE_EXCEEDED,
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
        end_with_status(call, &status);
        return NULL;
    }
    ProtobufCMessage *message = protobuf_c_message_unpack(
        call->method->descriptor->input, &allocator, bytes.size, (const uint8_t *)bytes.data);
    if (message == NULL)
        end_with(call, GRPC_STATUS_RESOURCE_EXHAUSTED, "the message takes too much memory");
    return message;
}

/* One whole message. */
static void take_message(struct rpc_call *call, struct text bytes)
{
    if (!is_stream(call)) {
        if (call->request != NULL)
            end_with(call, GRPC_STATUS_INTERNAL, "a unary call takes one message");
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
        end_with(call, GRPC_STATUS_INTERNAL, "a compressed message without grpc-encoding");
        return false;
    }
    if (*size > call->loop->options->message_bytes_max) {
        struct rpc_status status =
            rpc_status_make(&call->arena, GRPC_STATUS_RESOURCE_EXHAUSTED, "MESSAGE_TOO_LARGE",
                            "a message of %zu bytes is larger than the limit of %zu", *size,
                            call->loop->options->message_bytes_max);
        end_with_status(call, &status);
        return false;
    }
    return true;
}

static bool may_deliver(const struct rpc_call *call)
{
    return !call->finishing && !call->answered && (!is_stream(call) || call->handler_reading);
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
        end_with(call, GRPC_STATUS_RESOURCE_EXHAUSTED, "not enough memory for this call");
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
        end_with(call, GRPC_STATUS_INTERNAL,
                 call->input.size > 0 ? "the message is cut" : "a unary call takes one message");
        return;
    }
    call->dispatched = true;
    call->method->method->unary(call->method->service->context, call, call->request);
}

void rpc_call_response_ended(struct rpc_call *call)
{
    /* RFC 9113 section 8.1: the answer is complete, the rest of the request is not needed. */
    if (!call->half_closed)
        reset(call, NGHTTP2_NO_ERROR);
}

void rpc_call_half_closed(struct rpc_call *call)
{
    call->half_closed = true;
    if (call->method == NULL)
        return;
    if (!is_stream(call)) {
        dispatch_unary(call);
        return;
    }
    if (call->dispatched && call->handler_reading && call->input.size > 0)
        end_with(call, GRPC_STATUS_INTERNAL, "the message is cut");
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

void rpc_call_answer(struct rpc_call *call, const ProtobufCMessage *response)
{
    CHECK(!is_stream(call) && !call->answered);
    call->answered = true;
    if (call->connection == NULL) {
        recycle(call);
        return;
    }
    if (call->finishing)
        return; /* the deadline answered before */
    size_t size = protobuf_c_message_get_packed_size(response);
    struct outgoing *outgoing =
        arena_allocate(&call->arena, sizeof *outgoing + message_prefix_bytes + size);
    if (outgoing == NULL) {
        end_with(call, GRPC_STATUS_RESOURCE_EXHAUSTED, "not enough memory for the answer");
        return;
    }
    frame_message(outgoing, response, size);
    call->status = GRPC_STATUS_OK;
    call->finishing = true;
    queue_output(call, outgoing);
}

void rpc_call_fail(struct rpc_call *call, const struct rpc_status *status)
{
    CHECK(!call->answered);
    call->answered = true;
    if (call->connection != NULL)
        end_with_status(call, status);
    else if (!is_stream(call))
        recycle(call);
}

bool rpc_call_send(struct rpc_call *call, const ProtobufCMessage *message)
{
    CHECK(is_stream(call));
    if (call->connection == NULL || call->finishing)
        return false;
    size_t size = protobuf_c_message_get_packed_size(message);
    struct outgoing *outgoing = memory_allocate(sizeof *outgoing + message_prefix_bytes + size);
    if (outgoing == NULL || call->output_count >= stream_messages_max ||
        call->connection->queued_bytes + size > connection_queued_bytes_max) {
        memory_release(outgoing);
        end_with(call, GRPC_STATUS_RESOURCE_EXHAUSTED, "the stream is read too slowly");
        return false;
    }
    frame_message(outgoing, message, size);
    queue_output(call, outgoing);
    call->was_full = call->output_count >= stream_messages_max / 2 ||
                     call->connection->queued_bytes > connection_queued_bytes_max / 2;
    return !call->was_full;
}

void rpc_call_read_next(struct rpc_call *call)
{
    CHECK(is_stream(call));
    if (call->connection == NULL || call->finishing)
        return;
    call->handler_reading = true;
    if (call->delivering)
        return; /* asked for within `message`: the loop there goes on */
    pump(call);
    if (call->connection != NULL)
        tell_half_closed(call);
}

void rpc_call_finish(struct rpc_call *call)
{
    CHECK(is_stream(call));
    call->answered = true;
    if (call->connection == NULL || call->finishing)
        return;
    call->status = GRPC_STATUS_OK;
    if (!call->headers_sent)
        send_headers(call);
    end_response(call);
}
