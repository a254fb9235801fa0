/*
 * The receiving half of a call: the head, which tells protocol, codec, codings, deadline and
 * metadata; then messages, each checked against its descriptor and unpacked. A unary call is handed
 * to its handler when the caller has finished.
 *
 * Failures before the handler sees the call are answered here: by plain HTTP as long as it is not
 * known which protocol would understand more, afterwards by the protocol's own status.
 */
#include "platform/rpc/server/rpc_request.h"
#include "platform/base/base64.h"
#include "platform/base/check.h"
#include "platform/compression/gzip.h"
#include "platform/rpc/server/rpc_call.h"
#include "platform/rpc/server/rpc_codec.h"
#include "platform/rpc/server/rpc_protocol.h"
#include "platform/rpc/server/rpc_query.h"
#include "platform/rpc/server/rpc_response.h"

#include <string.h>

enum { refusal_bytes_max = 1024 };

/* --- the head --- */

/* grpc-timeout: at most 8 digits, then a unit. */
static bool read_grpc_timeout(struct text value, int64_t *timeout_us)
{
    static const struct {
        char unit;
        int64_t us;
    } units[] = {
        {'H', INT64_C(3600000000)}, {'M', 60000000}, {'S', 1000000}, {'m', 1000}, {'u', 1}};
    int64_t number;
    if (value.size < 2 || value.size > 9 || value.data[0] == '-' ||
        !text_to_int64(text_make(value.data, value.size - 1), &number))
        return false;
    char unit = value.data[value.size - 1];
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        if (unit == units[i].unit) {
            *timeout_us = number * units[i].us;
            return true;
        }
    }
    *timeout_us = number / 1000;
    return unit == 'n';
}

/* connect-timeout-ms: at most 10 digits. */
static bool read_connect_timeout(struct text value, int64_t *timeout_us)
{
    int64_t number;
    if (value.size > 10 || !text_to_int64(value, &number) || number < 0)
        return false;
    *timeout_us = number * 1000;
    return true;
}

static void read_timeout(struct rpc_call *call, struct text value,
                         bool (*read)(struct text, int64_t *))
{
    call->timeout_is_bad = !read(value, &call->timeout_us);
}

static void read_content_type(struct rpc_call *call, struct text value)
{
    call->has_type = true;
    call->type_protocol = rpc_protocol_of(value, &call->codec);
}

/* Custom metadata; the bytes of "-bin" keys are decoded, and left out if they are no Base64. */
static void take_metadata(struct rpc_call *call, struct text name, struct text value)
{
    char decoded[8192];
    size_t size;
    bool is_binary = name.size > 4 && memcmp(name.data + name.size - 4, "-bin", 4) == 0;
    if (!is_binary)
        rpc_call_add_metadata(call, &call->metadata, name, value);
    else if (value.size + 4 <= sizeof decoded && base64_decode(value, decoded, &size))
        rpc_call_add_metadata(call, &call->metadata, name, text_make(decoded, size));
}

/* The headers that the protocols themselves use. False: it is none. */
static bool take_protocol_header(struct rpc_call *call, struct text name, struct text value)
{
    if (text_equals_string(name, "content-type"))
        read_content_type(call, value);
    else if (text_equals_string(name, "te") || text_equals_string(name, "content-length") ||
             text_equals_string(name, "host") || text_equals_string(name, "transfer-encoding"))
        return true;
    else if (text_equals_string(name, "grpc-timeout"))
        read_timeout(call, value, read_grpc_timeout);
    else if (text_equals_string(name, "connect-timeout-ms"))
        read_timeout(call, value, read_connect_timeout);
    else if (text_equals_string(name, "grpc-encoding") ||
             text_equals_string(name, "connect-content-encoding"))
        call->stream_coding = message_coding_of(value);
    else if (text_equals_string(name, "content-encoding"))
        call->body_coding = message_coding_of(value);
    else if (text_equals_string(name, "grpc-accept-encoding") ||
             text_equals_string(name, "connect-accept-encoding"))
        call->accepts_gzip = message_coding_accepts_gzip(value);
    else if (text_equals_string(name, "accept-encoding"))
        call->accepts_gzip_body = message_coding_accepts_gzip(value);
    else if (text_equals_string(name, "connect-protocol-version"))
        call->connect_version_is_bad = !text_equals_string(value, "1");
    else
        return false;
    return true;
}

/* Whether pages of that origin may call. */
static bool origin_may_call(struct text allowed, struct text origin)
{
    if (text_equals_string(allowed, "*"))
        return true;
    while (allowed.size > 0) {
        const char *comma = memchr(allowed.data, ',', allowed.size);
        size_t size = comma == NULL ? allowed.size : (size_t)(comma - allowed.data);
        if (text_equal(text_trim(text_make(allowed.data, size)), origin))
            return true;
        size += comma != NULL;
        allowed = text_make(allowed.data + size, allowed.size - size);
    }
    return false;
}

/* What browsers say of the page that calls. False: it is none of that. */
static bool take_cors_header(struct rpc_call *call, struct text name, struct text value)
{
    struct text allowed = call->loop->options->cors_origins;
    if (allowed.size == 0)
        return false;
    if (text_equals_string(name, "origin") && origin_may_call(allowed, value))
        call->origin = arena_copy_text(&call->head_arena, value);
    else if (text_equals_string(name, "access-control-request-method"))
        call->preflight = true;
    else
        return false;
    return true;
}

void rpc_request_header(struct rpc_call *call, struct text name, struct text value)
{
    if (!take_protocol_header(call, name, value) && !take_cors_header(call, name, value))
        take_metadata(call, name, value);
}

/*
 * Answers without a protocol, as soon as the request is complete: a client that is still sending
 * might not look at an answer before.
 */
static void refuse(struct rpc_call *call, unsigned http_status, const char *message,
                   const char *name, const char *value)
{
    call->protocol = NULL;
    call->refusal = http_status;
    call->refusal_message = message;
    call->refusal_header = (struct http_header){text_of(name), text_of(value)};
}

/*
 * The code that Connect's clients would make of the HTTP status anyway, with a reason for people;
 * as plain text for who does not speak Connect.
 */
static void answer_refused(struct rpc_call *call)
{
    struct response_headers headers;
    struct buffer body;
    bool in_json = !call->has_type || call->type_protocol == &connect_unary_protocol ||
                   call->type_protocol == &connect_stream_protocol;
    struct rpc_status status = {
        .code = call->refusal == 404 ? GRPC_STATUS_UNIMPLEMENTED : GRPC_STATUS_UNKNOWN,
        .message = text_of(call->refusal_message),
    };
    response_headers_init(&headers, call);
    response_headers_add(&headers, "content-type",
                         text_of(in_json ? "application/json" : "text/plain; charset=utf-8"));
    if (call->refusal_header.name.size > 0)
        response_headers_add(&headers, call->refusal_header.name.data, call->refusal_header.value);
    buffer_init(&body, refusal_bytes_max);
    if (in_json ? connect_error_write(&status, &body)
                : buffer_append_format(&body, "%s\n", call->refusal_message))
        rpc_response_queue_body(call, buffer_text(&body));
    buffer_deinit(&body);
    call->headers_sent = true;
    call->finishing = true;
    call->status = status.code;
    http_respond(call->exchange, call->refusal, headers.all, headers.count,
                 (int64_t)call->output_bytes);
}

/* Tells a browser what its page may send: all that the protocols need, and metadata. */
static void answer_preflight(struct rpc_call *call)
{
    struct response_headers headers;
    response_headers_init(&headers, call);
    response_headers_add(&headers, "access-control-allow-methods", text_of("GET, POST"));
    response_headers_add(&headers, "access-control-allow-headers", text_of("*"));
    response_headers_add(&headers, "access-control-max-age", text_of("7200"));
    call->headers_sent = true;
    call->finishing = true;
    call->status = GRPC_STATUS_OK;
    http_respond(call->exchange, 204, headers.all, headers.count, HTTP_BODY_NONE);
}

static void refuse_type(struct rpc_call *call)
{
    refuse(call, 415,
           "the content type must be one of those in accept-post, such as "
           "content-type: application/json",
           "accept-post",
           "application/grpc, application/grpc+proto, application/grpc+json, application/grpc-web, "
           "application/grpc-web+proto, application/grpc-web+json, application/grpc-web-text, "
           "application/proto, application/json, application/connect+proto, "
           "application/connect+json");
}

/* Finds the protocol. False: the call was refused. */
static bool choose_protocol(struct rpc_call *call)
{
    enum http_request_method method = call->exchange->method;
    bool is_get = method == HTTP_METHOD_GET;
    if (is_get && call->method != NULL && call->method->method->kind == RPC_UNARY &&
        call->method->method->idempotent) {
        call->protocol = &connect_unary_protocol;
        return true;
    }
    if (method == HTTP_METHOD_OPTIONS && call->origin.size > 0 && call->preflight) {
        answer_preflight(call);
        return false;
    }
    if (method != HTTP_METHOD_POST) {
        if (call->method == NULL)
            refuse(call, 404, "there is no such method here", "", "");
        else
            refuse(call, 405, "the method must be one of those in allow", "allow",
                   call->method->method->idempotent ? "GET, POST" : "POST");
        return false;
    }
    call->protocol = call->type_protocol;
    if (call->protocol == NULL) {
        refuse_type(call);
        return false;
    }
    if (call->method == NULL) {
        if (call->protocol->in_trailers || call->protocol->is_text ||
            call->protocol == &grpc_web_protocol)
            return true; /* gRPC has a status of its own for that */
        refuse(call, 404, "there is no such method here", "", "");
        return false;
    }
    bool is_unary = call->method->method->kind == RPC_UNARY;
    if ((call->protocol == &connect_unary_protocol && !is_unary) ||
        (call->protocol == &connect_stream_protocol && is_unary)) {
        refuse_type(call);
        return false;
    }
    if (call->exchange->version == 1 &&
        (call->protocol == &grpc_protocol || call->method->method->kind == RPC_BIDI_STREAM)) {
        refuse(call, 505, "this call needs HTTP/2", "", ""); /* needs what HTTP/1.1 does not have */
        return false;
    }
    return true;
}

static bool coding_is_unknown(const struct rpc_call *call)
{
    return call->protocol->is_enveloped ? call->stream_coding == MESSAGE_CODING_UNKNOWN
                                        : call->body_coding == MESSAGE_CODING_UNKNOWN;
}

static void open_stream_handler(struct rpc_call *call)
{
    call->dispatched = true;
    call->handler_reading = true;
    call->method->method->stream->opened(call->method->service->context, call,
                                         &call->stream_context);
}

void rpc_request_headers_complete(struct rpc_call *call)
{
    if (!choose_protocol(call))
        return;
    if (call->method == NULL) {
        rpc_response_end(call, GRPC_STATUS_UNIMPLEMENTED, "there is no such method here");
        return;
    }
    if (call->connect_version_is_bad) {
        rpc_response_end(call, GRPC_STATUS_INVALID_ARGUMENT, "connect-protocol-version must be 1");
        return;
    }
    if (coding_is_unknown(call)) {
        rpc_response_end(call, GRPC_STATUS_UNIMPLEMENTED,
                         "this compression is not known; gzip and identity are");
        return;
    }
    if (call->timeout_is_bad) {
        rpc_response_end(call, GRPC_STATUS_INVALID_ARGUMENT, "the timeout is malformed");
        return;
    }
    call->exchange->streams = !rpc_call_takes_one(call);
    if (call->timeout_us != INT64_MAX) {
        call->deadline_us = rpc_loop_now_us(call->loop) + call->timeout_us;
        if (!rpc_loop_add_deadline(call->loop, call)) {
            rpc_response_end(call, GRPC_STATUS_RESOURCE_EXHAUSTED,
                             "not enough memory for this call");
            return;
        }
    }
    if (rpc_call_is_stream(call))
        open_stream_handler(call);
}

/* --- messages --- */

/* The server's own refusals carry ErrorInfo only if there is a domain for it. */
static const char *own_reason(const struct rpc_call *call, const char *reason)
{
    return call->loop->options->own_reasons ? reason : "";
}

static struct rpc_status too_large(struct rpc_call *call, size_t size)
{
    return rpc_status_make(&call->arena, GRPC_STATUS_RESOURCE_EXHAUSTED,
                           own_reason(call, "MESSAGE_TOO_LARGE"),
                           "a message of %zu bytes is larger than the limit of %zu", size,
                           call->loop->options->message_bytes_max);
}

static void end_with(struct rpc_call *call, const struct rpc_status *status)
{
    rpc_response_end_with(call, status);
}

/* Opens the compressed bytes in the loop's scratch memory. False: the call was ended. */
static bool inflate_message(struct rpc_call *call, struct text *bytes)
{
    struct buffer *inflated = &call->loop->inflated;
    size_t bytes_max = call->loop->options->message_bytes_max;
    buffer_clear(inflated);
    struct error error = gzip_decompress(*bytes, inflated);
    if (error.code == ERROR_LIMIT || inflated->size > bytes_max) {
        struct rpc_status status =
            too_large(call, inflated->size > bytes_max ? inflated->size : bytes_max + 1);
        end_with(call, &status);
        return false;
    }
    if (error_is(error)) {
        struct rpc_status status = rpc_status_make(&call->arena, GRPC_STATUS_INVALID_ARGUMENT,
                                                   "MALFORMED_MESSAGE", "%s", error.detail);
        end_with(call, &status);
        return false;
    }
    *bytes = buffer_text(inflated);
    return true;
}

/* One whole message. */
static void take_message(struct rpc_call *call, struct text bytes, bool compressed)
{
    struct rpc_status status;
    bool is_stream = rpc_call_is_stream(call);
    if (rpc_call_takes_one(call) && call->message_count++ > 0) {
        rpc_response_end(call, GRPC_STATUS_UNIMPLEMENTED, "this call takes one message");
        return;
    }
    if (compressed && bytes.size > 0 && !inflate_message(call, &bytes))
        return;
    if (is_stream)
        call->handler_reading = rpc_call_takes_one(call); /* a second one is ours to refuse */
    ProtobufCMessage *message = rpc_codec_decode(call, bytes, &status);
    if (message == NULL)
        end_with(call, &status);
    else if (is_stream)
        call->method->method->stream->message(call->stream_context, call, message);
    else
        call->request = message;
    if (is_stream)
        arena_reset(&call->arena);
}

/* What an envelope says. False: the call was ended. */
static bool read_envelope(struct rpc_call *call, const char *prefix, size_t *size, bool *compressed)
{
    const unsigned char *bytes = (const unsigned char *)prefix;
    *size = (size_t)bytes[1] << 24 | (size_t)bytes[2] << 16 | (size_t)bytes[3] << 8 | bytes[4];
    *compressed = bytes[0] == envelope_compressed;
    if (bytes[0] > envelope_compressed) {
        rpc_response_end(call, GRPC_STATUS_INVALID_ARGUMENT, "the message has unknown flags");
        return false;
    }
    if (*compressed && call->stream_coding != MESSAGE_GZIP) {
        rpc_response_end(call, GRPC_STATUS_INTERNAL,
                         "a compressed message without a header that names the compression");
        return false;
    }
    if (*size > call->loop->options->message_bytes_max) {
        struct rpc_status status = too_large(call, *size);
        end_with(call, &status);
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
    if (call->exchange != NULL)
        http_consume(call->exchange, size);
}

/* Delivers whole messages from `bytes` and tells how much was used. */
static size_t deliver(struct rpc_call *call, struct text bytes)
{
    size_t used = 0;
    call->delivering = true;
    while (may_deliver(call) && bytes.size - used >= message_prefix_bytes) {
        size_t size;
        bool compressed;
        if (!read_envelope(call, bytes.data + used, &size, &compressed) ||
            bytes.size - used - message_prefix_bytes < size)
            break;
        take_message(call, text_make(bytes.data + used + message_prefix_bytes, size), compressed);
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
    if (rpc_call_takes_one(call) && call->message_count == 0) {
        rpc_response_end(call, GRPC_STATUS_UNIMPLEMENTED, "this call takes one message");
        return;
    }
    call->half_close_told = true;
    if (handler->half_closed != NULL)
        handler->half_closed(call->stream_context, call);
}

static void drop_used(struct rpc_call *call)
{
    buffer_consume(&call->input, call->input_at);
    call->input_at = 0;
}

/*
 * Delivers from the buffer what can be delivered now. What is left is moved up when more was used
 * than is left: a stream that reads message by message moves no byte often.
 */
static void pump(struct rpc_call *call)
{
    struct text left =
        text_make(call->input.data + call->input_at, call->input.size - call->input_at);
    size_t used = deliver(call, left);
    if (call->finishing || call->answered)
        used = left.size;
    call->input_at += used;
    if (2 * call->input_at >= call->input.size)
        drop_used(call);
    consume(call, used);
}

static void keep(struct rpc_call *call, struct text bytes)
{
    if (buffer_append_text(&call->input, bytes))
        return;
    drop_used(call);
    if (buffer_append_text(&call->input, bytes))
        return;
    rpc_response_end(call, GRPC_STATUS_RESOURCE_EXHAUSTED, "not enough memory for this call");
    consume(call, bytes.size);
}

/* A body that is one message, or Base64: it is looked at when it is complete. */
static void collect_body(struct rpc_call *call, struct text bytes)
{
    size_t bytes_max = call->loop->options->message_bytes_max;
    size_t limit = call->protocol->is_text ? bytes_max / 3 * 4 + 16 : bytes_max;
    if (call->input.size + bytes.size > limit) {
        struct rpc_status status = too_large(call, call->input.size + bytes.size);
        end_with(call, &status);
        consume(call, bytes.size);
        return;
    }
    keep(call, bytes);
    consume(call, bytes.size);
}

void rpc_request_body(struct rpc_call *call, struct text bytes)
{
    size_t used = 0;
    if (call->finishing || call->method == NULL || call->protocol == NULL) {
        consume(call, bytes.size); /* nobody wants it any more */
        return;
    }
    if (!call->protocol->is_enveloped || call->protocol->is_text) {
        collect_body(call, bytes);
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
    if (used < bytes.size)
        keep(call, text_make(bytes.data + used, bytes.size - used));
    if (call->input.size > 0)
        pump(call);
}

/* --- the end of the request --- */

/* Base64 in the buffer becomes what it stands for. False: the call was ended. */
static bool decode_text_body(struct rpc_call *call)
{
    size_t size;
    if (call->input.size == 0)
        return true;
    if (buffer_reserve(&call->input, 4) &&
        base64_decode(buffer_text(&call->input), call->input.data, &size)) {
        call->input.size = size;
        return true;
    }
    rpc_response_end(call, GRPC_STATUS_INVALID_ARGUMENT, "the body is no Base64");
    return false;
}

/* The message of a GET stands in its query. */
static bool take_query(struct rpc_call *call)
{
    const char *wrong = rpc_query_read(call, &call->input);
    if (wrong == NULL)
        return true;
    rpc_response_end(call, GRPC_STATUS_INVALID_ARGUMENT, wrong);
    return false;
}

static void dispatch_unary(struct rpc_call *call)
{
    if (call->finishing)
        return;
    if (call->request == NULL) {
        rpc_response_end(call, GRPC_STATUS_UNIMPLEMENTED,
                         call->input.size > 0 ? "the message is cut"
                                              : "this call takes one message");
        return;
    }
    call->dispatched = true;
    call->method->method->unary(call->method->service->context, call, call->request);
}

void rpc_request_late(struct rpc_call *call)
{
    if (call->refusal != 0 && !call->finishing)
        answer_refused(call);
    else if (!call->finishing && !call->answered)
        rpc_response_end(call, GRPC_STATUS_DEADLINE_EXCEEDED,
                         "the request did not come whole in time");
}

/* The body was collected whole; what is in it is delivered now. False: the call was ended. */
static bool open_collected(struct rpc_call *call)
{
    if (call->exchange->method == HTTP_METHOD_GET && !take_query(call))
        return false;
    if (call->protocol->is_text && !decode_text_body(call))
        return false;
    if (call->protocol->is_enveloped) {
        pump(call);
    } else {
        take_message(call, buffer_text(&call->input), call->body_coding == MESSAGE_GZIP);
        buffer_clear(&call->input);
    }
    return !call->finishing;
}

void rpc_request_complete(struct rpc_call *call)
{
    call->half_closed = true;
    if (call->refusal != 0) {
        answer_refused(call);
        return;
    }
    if (call->method == NULL || call->finishing || call->protocol == NULL)
        return;
    if ((!call->protocol->is_enveloped || call->protocol->is_text) && !open_collected(call))
        return;
    if (!rpc_call_is_stream(call)) {
        dispatch_unary(call);
        return;
    }
    if (call->dispatched && call->handler_reading && call->input.size > 0)
        rpc_response_end(call, GRPC_STATUS_INVALID_ARGUMENT, "the message is cut");
    else if (call->dispatched)
        tell_half_closed(call);
}

void rpc_call_read_next(struct rpc_call *call)
{
    CHECK(rpc_call_is_stream(call));
    if (call->exchange == NULL || call->finishing)
        return;
    call->handler_reading = true;
    if (call->delivering)
        return; /* asked for within `message`: the loop there goes on */
    pump(call);
    if (call->exchange != NULL)
        tell_half_closed(call);
}
