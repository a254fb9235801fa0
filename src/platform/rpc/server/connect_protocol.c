/*
 * Connect (connectrpc.com/docs/protocol). Unary: the body is the message, the HTTP status and a
 * JSON body tell an error, trailers are headers with a prefix; so nothing goes out before all is
 * known. Streams: envelopes, the last of which is JSON with error and trailers.
 */
#include "platform/base/base64.h"
#include "platform/base/memory.h"
#include "platform/json/json_message.h"
#include "platform/rpc/server/rpc_protocol.h"

#include <string.h>

enum {
    error_bytes_max = 256 * 1024,
    enhance_your_calm = 0xb, /* RFC 9113 section 7; means resource_exhausted in Connect */
};

unsigned connect_http_status(enum grpc_status status)
{
    static const unsigned short by_code[] = {
        [GRPC_STATUS_OK] = 200,
        [GRPC_STATUS_CANCELLED] = 499,
        [GRPC_STATUS_UNKNOWN] = 500,
        [GRPC_STATUS_INVALID_ARGUMENT] = 400,
        [GRPC_STATUS_DEADLINE_EXCEEDED] = 504,
        [GRPC_STATUS_NOT_FOUND] = 404,
        [GRPC_STATUS_ALREADY_EXISTS] = 409,
        [GRPC_STATUS_PERMISSION_DENIED] = 403,
        [GRPC_STATUS_RESOURCE_EXHAUSTED] = 429,
        [GRPC_STATUS_FAILED_PRECONDITION] = 400,
        [GRPC_STATUS_ABORTED] = 409,
        [GRPC_STATUS_OUT_OF_RANGE] = 400,
        [GRPC_STATUS_UNIMPLEMENTED] = 501,
        [GRPC_STATUS_INTERNAL] = 500,
        [GRPC_STATUS_UNAVAILABLE] = 503,
        [GRPC_STATUS_DATA_LOSS] = 500,
        [GRPC_STATUS_UNAUTHENTICATED] = 401,
    };
    return by_code[status];
}

/* --- JSON of errors and trailers --- */

static const char *connect_code(enum grpc_status status)
{
    static const char *const names[] = {
        "ok",
        "canceled",
        "unknown",
        "invalid_argument",
        "deadline_exceeded",
        "not_found",
        "already_exists",
        "permission_denied",
        "resource_exhausted",
        "failed_precondition",
        "aborted",
        "out_of_range",
        "unimplemented",
        "internal",
        "unavailable",
        "data_loss",
        "unauthenticated",
    };
    return names[status];
}

/* {"type": …, "value": Base64, "debug": the message as JSON, if its type is known} */
static bool write_detail(const struct rpc_detail *detail, struct buffer *out)
{
    if (!buffer_append_string(out, "{\"type\":") ||
        !json_string_write(text_of(detail->type_name), out) ||
        !buffer_append_string(out, ",\"value\":\"") ||
        !buffer_reserve(out, base64_room(detail->value.size)))
        return false;
    out->size += base64_encode(detail->value, false, out->data + out->size);
    if (!buffer_append_string(out, "\""))
        return false;
    const ProtobufCMessageDescriptor *type = json_message_type(text_of(detail->type_name));
    ProtobufCMessage *message =
        type == NULL ? NULL
                     : protobuf_c_message_unpack(type, NULL, detail->value.size,
                                                 (const uint8_t *)detail->value.data);
    if (message != NULL) {
        size_t before = out->size;
        bool written = buffer_append_string(out, ",\"debug\":") &&
                       !error_is(json_message_write(message, 0, out));
        if (!written)
            out->size = before; /* it is only for people */
        protobuf_c_message_free_unpacked(message, NULL);
    }
    return buffer_append_string(out, "}");
}

bool connect_error_write(const struct rpc_status *status, struct buffer *out)
{
    bool fits = buffer_append_format(out, "{\"code\":\"%s\"", connect_code(status->code));
    if (fits && status->message.size > 0)
        fits =
            buffer_append_string(out, ",\"message\":") && json_string_write(status->message, out);
    for (const struct rpc_detail *detail = status->details; fits && detail != NULL;
         detail = detail->next)
        fits = buffer_append_string(out, detail == status->details ? ",\"details\":[" : ",") &&
               write_detail(detail, out);
    if (fits && status->details != NULL)
        fits = buffer_append_string(out, "]");
    return fits && buffer_append_string(out, "}");
}

static bool is_first_of_name(const struct response_headers *headers, size_t at)
{
    for (size_t i = 0; i < at; i++) {
        if (text_equal(headers->all[i].name, headers->all[at].name))
            return false;
    }
    return true;
}

/* {"name": ["value", …], …} */
static bool write_metadata(const struct response_headers *headers, struct buffer *out)
{
    bool fits = buffer_append_string(out, "{");
    for (size_t i = 0; fits && i < headers->count; i++) {
        if (!is_first_of_name(headers, i))
            continue;
        fits = buffer_append_string(out, i == 0 ? "" : ",") &&
               json_string_write(headers->all[i].name, out) && buffer_append_string(out, ":[");
        for (size_t j = i; fits && j < headers->count; j++) {
            if (text_equal(headers->all[j].name, headers->all[i].name))
                fits = buffer_append_string(out, j == i ? "" : ",") &&
                       json_string_write(headers->all[j].value, out);
        }
        fits = fits && buffer_append_string(out, "]");
    }
    return fits && buffer_append_string(out, "}");
}

/* --- unary --- */

/* False without memory. The HTTP status alone would be taken for another code. */
static bool queue_error(struct rpc_call *call, const struct rpc_status *status)
{
    struct buffer error;
    buffer_init(&error, error_bytes_max);
    if (connect_error_write(status, &error))
        rpc_response_queue_body(call, buffer_text(&error));
    buffer_deinit(&error);
    return call->output_bytes > 0;
}

static void end_unary(struct rpc_call *call, const struct rpc_status *status)
{
    struct response_headers headers;
    response_headers_init(&headers, call);
    bool is_ok = status->code == GRPC_STATUS_OK;
    response_headers_add(&headers, "content-type",
                         text_of(is_ok ? rpc_content_type(call) : "application/json"));
    if (is_ok && call->body_compressed)
        response_headers_add(&headers, "content-encoding", text_of("gzip"));
    if (!is_ok && call->body_coding == MESSAGE_CODING_UNKNOWN)
        response_headers_add(&headers, "accept-encoding", text_of("gzip, identity"));
    response_headers_add_metadata(&headers, &call->headers, "");
    response_headers_add_metadata(&headers, &call->trailers, "trailer-");
    call->headers_sent = true;
    if (!is_ok && !queue_error(call, status)) {
        http_reset(call->exchange, enhance_your_calm);
        return;
    }
    http_respond(call->exchange, connect_http_status(status->code), headers.all, headers.count,
                 (int64_t)call->output_bytes);
}

const struct rpc_protocol connect_unary_protocol = {
    .name = "connect",
    .end = end_unary,
};

/* --- streams --- */

static void begin_stream(struct rpc_call *call)
{
    struct response_headers headers;
    response_headers_init(&headers, call);
    response_headers_add(&headers, "content-type", text_of(rpc_content_type(call)));
    if (rpc_response_compresses(call))
        response_headers_add(&headers, "connect-content-encoding", text_of("gzip"));
    if (call->stream_coding == MESSAGE_CODING_UNKNOWN)
        response_headers_add(&headers, "connect-accept-encoding", text_of("gzip, identity"));
    response_headers_add_metadata(&headers, &call->headers, "");
    http_respond(call->exchange, 200, headers.all, headers.count, HTTP_BODY_UNKNOWN);
}

static void end_stream(struct rpc_call *call, const struct rpc_status *status)
{
    struct response_headers trailers;
    struct buffer last;
    trailers.call = call;
    trailers.count = 0;
    response_headers_add_metadata(&trailers, &call->trailers, "");
    if (!call->headers_sent) {
        call->headers_sent = true;
        begin_stream(call);
    }
    buffer_init(&last, error_bytes_max);
    bool fits = buffer_append_string(&last, "{");
    if (fits && status->code != GRPC_STATUS_OK)
        fits = buffer_append_string(&last, "\"error\":") && connect_error_write(status, &last);
    if (fits && trailers.count > 0)
        fits = buffer_append_string(&last, last.size > 1 ? ",\"metadata\":" : "\"metadata\":") &&
               write_metadata(&trailers, &last);
    if (fits && buffer_append_string(&last, "}"))
        rpc_response_queue_envelope(call, envelope_end_stream, buffer_text(&last));
    buffer_deinit(&last);
}

const struct rpc_protocol connect_stream_protocol = {
    .name = "connect-stream",
    .is_enveloped = true,
    .begin = begin_stream,
    .end = end_stream,
};
