/*
 * gRPC over HTTP/2 (grpc/doc/PROTOCOL-HTTP2.md): the status comes in trailers, or, when there is no
 * message, in the only headers. gRPC-Web (grpc/doc/PROTOCOL-WEB.md): what would be trailers is the
 * last envelope of the body, in the binary form or wholly in Base64.
 */
#include "platform/base/base64.h"
#include "platform/base/memory.h"
#include "platform/rpc/server/rpc_protocol.h"

#include <stdio.h>
#include <string.h>

enum { status_message_bytes_max = 1024 };

char *grpc_message_encode(struct text message)
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

/* Keeps message and details of the status until they are sent. */
static void keep_status(struct rpc_call *call, const struct rpc_status *status)
{
    if (status->message.size > 0)
        call->status_message = grpc_message_encode(status->message);
    if (status->details == NULL)
        return;
    struct text packed = rpc_status_pack(status, status->arena);
    if (packed.size == 0)
        return;
    call->status_details = memory_allocate(base64_room(packed.size));
    if (call->status_details != NULL)
        base64_encode(packed, false, call->status_details);
}

/* grpc-status, grpc-message, grpc-status-details-bin, and the call's own trailers. */
static void add_trailers(struct response_headers *headers)
{
    static const char *const numbers[] = {"0", "1",  "2",  "3",  "4",  "5",  "6",  "7", "8",
                                          "9", "10", "11", "12", "13", "14", "15", "16"};
    struct rpc_call *call = headers->call;
    response_headers_add_constant(headers, "grpc-status", numbers[call->status]);
    if (call->status_message != NULL)
        response_headers_add(headers, "grpc-message", text_of(call->status_message));
    if (call->status_details != NULL)
        response_headers_add(headers, "grpc-status-details-bin", text_of(call->status_details));
    response_headers_add_metadata(headers, &call->trailers, "");
}

static void add_head(struct response_headers *headers)
{
    struct rpc_call *call = headers->call;
    response_headers_add_constant(headers, "content-type", rpc_content_type(call));
    if (rpc_response_compresses(call))
        response_headers_add(headers, "grpc-encoding", text_of("gzip"));
    response_headers_add_metadata(headers, &call->headers, "");
}

static void begin(struct rpc_call *call)
{
    struct response_headers headers;
    response_headers_init(&headers, call);
    add_head(&headers);
    http_respond(call->exchange, 200, headers.all, headers.count, HTTP_BODY_UNKNOWN);
}

/* --- gRPC --- */

static void end(struct rpc_call *call, const struct rpc_status *status)
{
    keep_status(call, status);
    if (call->headers_sent)
        return;
    struct response_headers headers;
    response_headers_init(&headers, call);
    add_head(&headers);
    if (status->code == GRPC_STATUS_UNIMPLEMENTED)
        response_headers_add(&headers, "grpc-accept-encoding", text_of("identity,gzip"));
    add_trailers(&headers);
    call->headers_sent = true;
    http_respond(call->exchange, 200, headers.all, headers.count, HTTP_BODY_NONE);
}

static void send_trailers(struct rpc_call *call)
{
    struct response_headers headers;
    headers.call = call;
    headers.count = 0;
    add_trailers(&headers);
    http_set_trailers(call->exchange, headers.all, headers.count);
}

const struct rpc_protocol grpc_protocol = {
    .name = "grpc",
    .is_enveloped = true,
    .in_trailers = true,
    .begin = begin,
    .end = end,
    .send_trailers = send_trailers,
};

/* --- gRPC-Web --- */

static void end_web(struct rpc_call *call, const struct rpc_status *status)
{
    struct response_headers headers;
    struct buffer block;
    bool fits = true;
    headers.call = call;
    headers.count = 0;
    keep_status(call, status);
    add_trailers(&headers);
    if (!call->headers_sent) {
        call->headers_sent = true;
        begin(call);
    }
    buffer_init(&block, rpc_head_bytes_max);
    for (size_t i = 0; fits && i < headers.count; i++)
        fits = buffer_append_text(&block, headers.all[i].name) &&
               buffer_append_string(&block, ": ") &&
               buffer_append_text(&block, headers.all[i].value) &&
               buffer_append_string(&block, "\r\n");
    if (fits)
        rpc_response_queue_envelope(call, envelope_web_trailers, buffer_text(&block));
    buffer_deinit(&block);
}

const struct rpc_protocol grpc_web_protocol = {
    .name = "grpc-web",
    .is_enveloped = true,
    .begin = begin,
    .end = end_web,
};

const struct rpc_protocol grpc_web_text_protocol = {
    .name = "grpc-web-text",
    .is_enveloped = true,
    .is_text = true,
    .begin = begin,
    .end = end_web,
};
