/*
 * What goes out: a queue of framed messages that nghttp2 pulls, then the trailers; a status before
 * the first message is a trailers-only response. Status texts live on the heap, not on the call's
 * arena, which a store may be using on its own thread while the loop ends the call for its
 * deadline.
 *
 * Without memory for a message or a text the call still ends with its status; a stream that is read
 * too slowly ends with RESOURCE_EXHAUSTED.
 */
#include "platform/rpc/rpc_response.h"

#include "platform/base/check.h"
#include "platform/base/memory.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

enum {
    stream_messages_max = 8192,
    connection_queued_bytes_max = 64 * 1024 * 1024,
    status_message_bytes_max = 1024,
};

static const char grpc_content_type[] = "application/grpc";

void rpc_response_release(struct rpc_call *call)
{
    while (call->output != NULL) {
        struct outgoing *next = call->output->next;
        if (call->method != NULL && call->method->method->stream != NULL)
            memory_release(call->output);
        call->output = next;
    }
    memory_release(call->status_message);
    memory_release(call->status_details);
}

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
    if (rpc_call_is_stream(call))
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
    if (rpc_call_is_stream(call) && filled > 0)
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
void rpc_response_end(struct rpc_call *call, enum grpc_status status, const char *message)
{
    if (call->finishing || call->connection == NULL)
        return;
    call->status = status;
    call->status_message = encode_message(text_of(message));
    end_response(call);
}

void rpc_response_end_with(struct rpc_call *call, const struct rpc_status *status)
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

void rpc_response_unsupported_media_type(struct rpc_call *call)
{
    nghttp2_nv headers[] = {header(":status", "415")};
    call->headers_sent = true;
    call->finishing = true;
    if (nghttp2_submit_response(call->connection->session, call->stream_id, headers, 1, NULL) != 0)
        reset(call, NGHTTP2_INTERNAL_ERROR);
    server_loop_flush_later(call->loop, call->connection);
}

void rpc_call_response_ended(struct rpc_call *call)
{
    /* RFC 9113 section 8.1: the answer is complete, the rest of the request is not needed. */
    if (!call->half_closed)
        reset(call, NGHTTP2_NO_ERROR);
}

void rpc_call_answer(struct rpc_call *call, const ProtobufCMessage *response)
{
    CHECK(!rpc_call_is_stream(call) && !call->answered);
    call->answered = true;
    if (call->connection == NULL) {
        rpc_call_recycle(call);
        return;
    }
    if (call->finishing)
        return; /* the deadline answered before */
    size_t size = protobuf_c_message_get_packed_size(response);
    struct outgoing *outgoing =
        arena_allocate(&call->arena, sizeof *outgoing + message_prefix_bytes + size);
    if (outgoing == NULL) {
        rpc_response_end(call, GRPC_STATUS_RESOURCE_EXHAUSTED, "not enough memory for the answer");
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
        rpc_response_end_with(call, status);
    else if (!rpc_call_is_stream(call))
        rpc_call_recycle(call);
}

bool rpc_call_send(struct rpc_call *call, const ProtobufCMessage *message)
{
    CHECK(rpc_call_is_stream(call));
    if (call->connection == NULL || call->finishing)
        return false;
    size_t size = protobuf_c_message_get_packed_size(message);
    struct outgoing *outgoing = memory_allocate(sizeof *outgoing + message_prefix_bytes + size);
    if (outgoing == NULL || call->output_count >= stream_messages_max ||
        call->connection->queued_bytes + size > connection_queued_bytes_max) {
        memory_release(outgoing);
        rpc_response_end(call, GRPC_STATUS_RESOURCE_EXHAUSTED, "the stream is read too slowly");
        return false;
    }
    frame_message(outgoing, message, size);
    queue_output(call, outgoing);
    call->was_full = call->output_count >= stream_messages_max / 2 ||
                     call->connection->queued_bytes > connection_queued_bytes_max / 2;
    return !call->was_full;
}

void rpc_call_finish(struct rpc_call *call)
{
    CHECK(rpc_call_is_stream(call));
    call->answered = true;
    if (call->connection == NULL || call->finishing)
        return;
    call->status = GRPC_STATUS_OK;
    if (!call->headers_sent)
        send_headers(call);
    end_response(call);
}
