/*
 * The sending half of a call: a queue of messages that the HTTP exchange pulls, framed as the
 * call's protocol wants them, and the end. Status texts live on the heap, not on the call's arena,
 * which a store may be using on its own thread while the loop ends the call for its deadline.
 *
 * Without memory for a message or a text the call still ends with its status; a stream that is read
 * too slowly ends with RESOURCE_EXHAUSTED.
 */
#include "platform/rpc/server/rpc_response.h"

#include "platform/base/base64.h"
#include "platform/base/check.h"
#include "platform/base/memory.h"
#include "platform/compression/gzip.h"
#include "platform/rpc/server/rpc_codec.h"
#include "platform/rpc/server/rpc_protocol.h"

#include <string.h>

enum { stream_messages_max = 8192, compressed_bytes_min = 1024 };

/* --- headers --- */

void response_headers_init(struct response_headers *headers, struct rpc_call *call)
{
    headers->call = call;
    headers->count = 0;
    if (call->origin.size == 0)
        return;
    response_headers_add(headers, "access-control-allow-origin", call->origin);
    response_headers_add(headers, "vary", text_of("origin"));
    response_headers_add(headers, "access-control-expose-headers",
                         text_of("grpc-status, grpc-message, grpc-status-details-bin, "
                                 "grpc-encoding, connect-content-encoding"));
}

void response_headers_add(struct response_headers *headers, const char *name, struct text value)
{
    if (headers->count < response_headers_max)
        headers->all[headers->count++] = (struct http_header){text_of(name), value, false};
}

void response_headers_add_constant(struct response_headers *headers, const char *name,
                                   const char *value)
{
    if (headers->count < response_headers_max)
        headers->all[headers->count++] = (struct http_header){text_of(name), text_of(value), true};
}

static struct text metadata_value(struct rpc_call *call, const struct rpc_metadata *pair)
{
    size_t size = pair->key.size;
    if (size <= 4 || memcmp(pair->key.data + size - 4, "-bin", 4) != 0)
        return pair->value;
    char *encoded = arena_allocate(&call->head_arena, base64_room(pair->value.size));
    if (encoded == NULL)
        return text_of("");
    return text_make(encoded, base64_encode(pair->value, false, encoded));
}

void response_headers_add_metadata(struct response_headers *headers,
                                   const struct metadata_list *list, const char *prefix)
{
    struct rpc_call *call = headers->call;
    for (const struct rpc_metadata *pair = list->first; pair != NULL; pair = pair->next) {
        const char *name = pair->key.data;
        if (prefix[0] != '\0')
            name = arena_format(&call->head_arena, "%s%s", prefix, pair->key.data);
        if (name != NULL)
            response_headers_add(headers, name, metadata_value(call, pair));
    }
}

/* --- the queue --- */

void rpc_response_release(struct rpc_call *call)
{
    while (call->output != NULL) {
        struct outgoing *next = call->output->next;
        if (!call->output->on_arena)
            memory_release(call->output);
        call->output = next;
    }
    memory_release(call->status_message);
    memory_release(call->status_details);
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
    http_add_queued(call->exchange, -(int64_t)first->size);
    if (!first->on_arena)
        memory_release(first);
}

static void tell_writable(struct rpc_call *call)
{
    const struct rpc_stream_handler *handler = call->method->method->stream;
    if (!call->was_full || call->output_count > stream_messages_max / 2)
        return;
    if (call->output_bytes_max != 0 && call->output_bytes > call->output_bytes_max / 2)
        return;
    call->was_full = false;
    if (!call->answered && handler->writable != NULL)
        handler->writable(call->stream_context, call);
}

size_t rpc_response_read(struct rpc_call *call, char *out, size_t room, enum http_body_state *state)
{
    size_t filled = 0;
    while (call->output != NULL && filled < room) {
        size_t left = call->output->size - call->output_sent;
        size_t part = left < room - filled ? left : room - filled;
        memcpy(out + filled, call->output->data + call->output_sent, part);
        filled += part;
        call->output_sent += part;
        if (call->output_sent == call->output->size)
            drop_first_output(call);
    }
    if (rpc_call_is_stream(call) && filled > 0)
        tell_writable(call);
    if (call->output != NULL) {
        *state = HTTP_BODY_MORE;
    } else if (!call->finishing) {
        *state = HTTP_BODY_PENDING;
    } else {
        *state = HTTP_BODY_END;
        if (call->protocol != NULL && call->protocol->in_trailers)
            call->protocol->send_trailers(call);
    }
    return filled;
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
    http_add_queued(call->exchange, (int64_t)message->size);
}

/* The head, if it may go out now, and what is queued. */
static void push_output(struct rpc_call *call)
{
    if (!call->headers_sent && call->protocol->begin != NULL) {
        call->headers_sent = true;
        call->protocol->begin(call);
    }
    if (call->headers_sent)
        http_resume(call->exchange);
}

static void write_prefix(char *at, unsigned flags, size_t size)
{
    at[0] = (char)flags;
    at[1] = (char)(size >> 24);
    at[2] = (char)(size >> 16);
    at[3] = (char)(size >> 8);
    at[4] = (char)size;
}

/* Room for `size` bytes on the arena of a unary call, or on the heap. */
static struct outgoing *outgoing_make(struct rpc_call *call, size_t size, bool on_arena)
{
    struct outgoing *made = on_arena ? arena_allocate(&call->arena, sizeof *made + size)
                                     : memory_allocate(sizeof *made + size);
    if (made != NULL) {
        made->size = size;
        made->on_arena = on_arena;
    }
    return made;
}

/* Bytes in the protocol's form: with an envelope or without, in Base64 or not. NULL: memory. */
static struct outgoing *frame(struct rpc_call *call, struct text bytes, unsigned flags,
                              bool on_arena)
{
    size_t prefix = call->protocol->is_enveloped ? message_prefix_bytes : 0;
    struct outgoing *made = outgoing_make(call, prefix + bytes.size, on_arena);
    if (made == NULL)
        return NULL;
    if (prefix > 0)
        write_prefix(made->data, flags, bytes.size);
    if (bytes.size > 0)
        memcpy(made->data + prefix, bytes.data, bytes.size);
    if (!call->protocol->is_text)
        return made;
    struct outgoing *text = outgoing_make(call, base64_room(made->size), on_arena);
    if (text != NULL)
        text->size = base64_encode(text_make(made->data, made->size), true, text->data);
    if (!on_arena)
        memory_release(made);
    return text;
}

void rpc_response_queue_envelope(struct rpc_call *call, unsigned flags, struct text bytes)
{
    struct outgoing *made = frame(call, bytes, flags, false);
    if (made != NULL)
        queue_output(call, made);
}

void rpc_response_queue_body(struct rpc_call *call, struct text bytes)
{
    struct outgoing *made = outgoing_make(call, bytes.size, false);
    if (made == NULL)
        return;
    if (bytes.size > 0)
        memcpy(made->data, bytes.data, bytes.size);
    queue_output(call, made);
}

/* --- messages --- */

bool rpc_response_compresses(const struct rpc_call *call)
{
    return call->protocol->is_enveloped ? call->accepts_gzip : call->accepts_gzip_body;
}

/* The usual case, packed in place: Protocol Buffers, small or not to be compressed. */
static struct outgoing *frame_packed(struct rpc_call *call, const ProtobufCMessage *message,
                                     size_t size, bool on_arena)
{
    size_t prefix = call->protocol->is_enveloped ? message_prefix_bytes : 0;
    struct outgoing *made = outgoing_make(call, prefix + size, on_arena);
    if (made == NULL)
        return NULL;
    if (prefix > 0)
        write_prefix(made->data, 0, size);
    protobuf_c_message_pack(message, (uint8_t *)made->data + prefix);
    return made;
}

/* A message in the call's codec, compression and framing. NULL: memory or limit. */
static struct outgoing *frame_message(struct rpc_call *call, const ProtobufCMessage *message,
                                      bool on_arena)
{
    struct buffer *encoded = &call->loop->encoded;
    struct buffer *deflated = &call->loop->deflated;
    bool may_compress = rpc_response_compresses(call);
    if (call->codec == RPC_CODEC_PROTO && !call->protocol->is_text) {
        size_t size = protobuf_c_message_get_packed_size(message);
        if (!may_compress || size < compressed_bytes_min)
            return frame_packed(call, message, size, on_arena);
    }
    buffer_clear(encoded);
    if (!rpc_codec_encode(call, message, encoded))
        return NULL;
    if (!may_compress || encoded->size < compressed_bytes_min)
        return frame(call, buffer_text(encoded), 0, on_arena);
    buffer_clear(deflated);
    if (error_is(gzip_compress(buffer_text(encoded), deflated)))
        return NULL;
    call->body_compressed = true;
    return frame(call, buffer_text(deflated), envelope_compressed, on_arena);
}

/* --- the end --- */

static void end_response(struct rpc_call *call, const struct rpc_status *status)
{
    call->finishing = true;
    call->status = status->code;
    call->protocol->end(call, status);
    http_resume(call->exchange);
}

void rpc_response_end(struct rpc_call *call, enum grpc_status code, const char *message)
{
    struct rpc_status status = {.code = code, .message = text_of(message)};
    if (!call->finishing && call->exchange != NULL)
        end_response(call, &status);
}

void rpc_response_end_with(struct rpc_call *call, const struct rpc_status *status)
{
    if (!call->finishing && call->exchange != NULL)
        end_response(call, status);
}

void rpc_call_answer(struct rpc_call *call, const ProtobufCMessage *response)
{
    CHECK(!rpc_call_is_stream(call) && !call->answered);
    call->answered = true;
    if (call->exchange == NULL) {
        rpc_call_recycle(call);
        return;
    }
    if (call->finishing)
        return; /* the deadline answered before */
    struct outgoing *message = frame_message(call, response, true);
    if (message == NULL) {
        rpc_response_end(call, GRPC_STATUS_RESOURCE_EXHAUSTED, "not enough memory for the answer");
        return;
    }
    queue_output(call, message);
    if (call->protocol->begin != NULL) {
        call->headers_sent = true;
        call->protocol->begin(call);
    }
    rpc_response_end(call, GRPC_STATUS_OK, "");
}

void rpc_call_fail(struct rpc_call *call, const struct rpc_status *status)
{
    CHECK(!call->answered);
    call->answered = true;
    if (call->exchange != NULL)
        rpc_response_end_with(call, status);
    else if (!rpc_call_is_stream(call))
        rpc_call_recycle(call);
}

bool rpc_call_send(struct rpc_call *call, const ProtobufCMessage *message)
{
    CHECK(rpc_call_is_stream(call));
    if (call->exchange == NULL || call->finishing)
        return false;
    struct outgoing *outgoing = NULL;
    if (call->output_count < stream_messages_max &&
        http_queued(call->exchange) < http_queued_bytes_max)
        outgoing = frame_message(call, message, false);
    if (outgoing == NULL) {
        rpc_response_end(call, GRPC_STATUS_RESOURCE_EXHAUSTED, "the stream is read too slowly");
        return false;
    }
    queue_output(call, outgoing);
    push_output(call);
    call->was_full = call->output_count >= stream_messages_max / 2 ||
                     http_queued(call->exchange) > http_queued_bytes_max / 2 ||
                     (call->output_bytes_max != 0 && call->output_bytes > call->output_bytes_max);
    return !call->was_full;
}

void rpc_call_limit_queue(struct rpc_call *call, size_t bytes)
{
    CHECK(rpc_call_is_stream(call));
    call->output_bytes_max = bytes;
}

void rpc_call_send_headers(struct rpc_call *call)
{
    CHECK(rpc_call_is_stream(call));
    if (call->exchange != NULL && !call->finishing)
        push_output(call);
}

void rpc_call_finish(struct rpc_call *call)
{
    CHECK(rpc_call_is_stream(call));
    call->answered = true;
    if (call->exchange == NULL || call->finishing)
        return;
    push_output(call);
    rpc_response_end(call, GRPC_STATUS_OK, "");
}
