/*
 * HTTP/2 on nghttp2 (RFC 9113). One read goes through nghttp2_session_mem_recv, whose callbacks
 * hand headers, data and the end of streams to the handler; nghttp2 pulls the bodies of responses.
 *
 * Failures: a protocol error makes nghttp2 queue GOAWAY; missing memory for a stream resets it
 * alone. Resets, pings, settings, priorities and empty frames cost of the connection's budget, and
 * so do frames that make us reset a stream (CVE-2025-8671), which nghttp2's own limiter for rapid
 * resets does not count.
 */
#include "platform/base/log.h"
#include "platform/base/memory.h"
#include "platform/http/http2_memory.h"
#include "platform/http/http_connection.h"

#include <nghttp2/nghttp2.h>
#include <stdio.h>
#include <string.h>

enum {
    connection_window_bytes = 16 * 1024 * 1024,
    outbound_ack_max = 1000,
    idle_exchanges_max = 8192,
    response_headers_max = 128,
    header_overhead_bytes = 32,
    oversized_head_cost = 100,
    unconsumed_bytes_max = 16 * 1024, /* told to nghttp2 together; windows are far larger */
    drain_answer_us_max = 1000000,
    held_bytes_max = 48 * 1024 * 1024, /* beyond it the connection's window stays shut, so that
                                          with that window 64 MiB are held at most */
};

struct http2_session {
    nghttp2_session *session;
    struct http_exchange *last; /* found last: the next callback is mostly about it, too */
    size_t unconsumed_bytes;    /* of the connection's window */
    size_t held_bytes;          /* of bodies that wait for their consumers */
    bool draining;
    int64_t drain_time_us;
    bool last_stream_told; /* the second GOAWAY */
};

static nghttp2_session *session_of(const struct http_connection *connection)
{
    return ((struct http2_session *)connection->session)->session;
}

/* --- exchanges --- */

static struct http_exchange *exchange_take(struct http_loop *loop)
{
    struct http_exchange *exchange = loop->idle_exchanges;
    if (exchange == NULL)
        return memory_allocate_zero(1, sizeof *exchange);
    loop->idle_exchanges = exchange->next;
    loop->idle_exchange_count--;
    *exchange = (struct http_exchange){0};
    return exchange;
}

static void exchange_give_back(struct http_loop *loop, struct http_exchange *exchange)
{
    if (loop->idle_exchange_count == idle_exchanges_max) {
        memory_release(exchange);
        return;
    }
    exchange->next = loop->idle_exchanges;
    loop->idle_exchanges = exchange;
    loop->idle_exchange_count++;
}

static struct http_exchange *exchange_of(struct http_connection *connection, int32_t stream_id)
{
    struct http2_session *own = connection->session;
    if (own->last != NULL && own->last->stream_id == stream_id)
        return own->last;
    struct http_exchange *found = nghttp2_session_get_stream_user_data(own->session, stream_id);
    if (found != NULL)
        own->last = found;
    return found;
}

/* --- what the peer sends --- */

static int on_begin_headers(nghttp2_session *session, const nghttp2_frame *frame, void *context)
{
    struct http_connection *connection = context;
    if (frame->hd.type != NGHTTP2_HEADERS || frame->headers.cat != NGHTTP2_HCAT_REQUEST)
        return 0;
    struct http_exchange *exchange = exchange_take(connection->loop);
    if (exchange == NULL)
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE; /* resets this stream */
    exchange->stream_id = frame->hd.stream_id;
    exchange->version = 2;
    http_connection_add(connection, exchange);
    nghttp2_session_set_stream_user_data(session, frame->hd.stream_id, exchange);
    return 0;
}

static enum http_request_method method_of(struct text value)
{
    if (text_equals_string(value, "POST"))
        return HTTP_METHOD_POST;
    if (text_equals_string(value, "PUT"))
        return HTTP_METHOD_PUT;
    if (text_equals_string(value, "DELETE"))
        return HTTP_METHOD_DELETE;
    if (text_equals_string(value, "GET"))
        return HTTP_METHOD_GET;
    if (text_equals_string(value, "HEAD"))
        return HTTP_METHOD_HEAD;
    if (text_equals_string(value, "OPTIONS"))
        return HTTP_METHOD_OPTIONS;
    return HTTP_METHOD_OTHER;
}

/*
 * The head is longer than SETTINGS_MAX_HEADER_LIST_SIZE, which nghttp2 leaves to us. gRPC takes the
 * code for RESOURCE_EXHAUSTED. It may be a bomb (a few bytes that stand for many), so it costs.
 */
static int refuse_head(struct http_connection *connection, struct http_exchange *exchange)
{
    void *consumer = exchange->consumer;
    exchange->consumer = NULL;
    if (consumer == NULL)
        return 0; /* refused already */
    exchange->handler->closed(consumer);
    http_count(&connection->loop->counters.heads_refused, 1);
    http_connection_charge(connection, oversized_head_cost);
    http_reset(exchange, NGHTTP2_ENHANCE_YOUR_CALM);
    return 0;
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name_data,
                     size_t name_size, const uint8_t *value_data, size_t value_size, uint8_t flags,
                     void *context)
{
    struct http_connection *connection = context;
    struct http_loop *loop = connection->loop;
    struct http_exchange *exchange = exchange_of(connection, frame->hd.stream_id);
    struct text name = text_make(name_data, name_size);
    struct text value = text_make(value_data, value_size);
    (void)session;
    (void)flags;
    if (exchange == NULL || frame->headers.cat != NGHTTP2_HCAT_REQUEST)
        return 0;
    exchange->head_bytes += name_size + value_size + header_overhead_bytes;
    if (exchange->head_bytes > loop->options->header_bytes_max)
        return refuse_head(connection, exchange);
    if (name_size == 0 || name_data[0] != ':') {
        if (exchange->consumer != NULL)
            exchange->handler->header(exchange->consumer, name, value);
        return 0;
    }
    if (text_equals_string(name, ":method"))
        exchange->method = method_of(value);
    if (!text_equals_string(name, ":path"))
        return 0;
    exchange->consumer = loop->handler->open(loop->handler_context, exchange, value);
    return exchange->consumer == NULL ? NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE : 0;
}

/*
 * The connection's window opens again at once, so that a stream whose consumer waits stalls only
 * itself; unless all of them together hold too much.
 */
static void consume_connection(struct http2_session *own, size_t size)
{
    own->unconsumed_bytes += size;
    if (own->unconsumed_bytes < unconsumed_bytes_max || own->held_bytes > held_bytes_max)
        return;
    nghttp2_session_consume_connection(own->session, own->unconsumed_bytes);
    own->unconsumed_bytes = 0;
}

/* Bytes of a body are held no longer. */
static void let_go(struct http_connection *connection, struct http_exchange *exchange, size_t size)
{
    struct http2_session *own = connection->session;
    size_t held = size < exchange->held_bytes ? size : exchange->held_bytes;
    exchange->held_bytes -= held;
    own->held_bytes -= held;
    consume_connection(own, 0);
}

static int on_data_chunk(nghttp2_session *session, uint8_t flags, int32_t stream_id,
                         const uint8_t *data, size_t size, void *context)
{
    struct http_connection *connection = context;
    struct http2_session *own = connection->session;
    struct http_exchange *exchange = exchange_of(connection, stream_id);
    (void)session;
    (void)flags;
    if (exchange != NULL && exchange->consumer != NULL) {
        exchange->held_bytes += size;
        own->held_bytes += size;
        exchange->handler->body(exchange->consumer, text_make(data, size));
    }
    consume_connection(own, size);
    return 0;
}

/* The second GOAWAY of a drain, once. */
static void tell_last_stream(struct http2_session *own)
{
    if (!own->draining || own->last_stream_told)
        return;
    own->last_stream_told = true;
    nghttp2_submit_goaway(own->session, NGHTTP2_FLAG_NONE,
                          nghttp2_session_get_last_proc_stream_id(own->session), NGHTTP2_NO_ERROR,
                          NULL, 0);
}

/* What a frame costs of the connection's budget. */
static int32_t cost_of(const nghttp2_frame *frame)
{
    switch (frame->hd.type) {
    case NGHTTP2_RST_STREAM:
        return 2;
    case NGHTTP2_PING:
    case NGHTTP2_SETTINGS:
    case NGHTTP2_PRIORITY:
        return frame->hd.flags & NGHTTP2_FLAG_ACK ? 0 : 1;
    case NGHTTP2_DATA:
        return frame->hd.length == 0 && !(frame->hd.flags & NGHTTP2_FLAG_END_STREAM) ? 1 : 0;
    default:
        return 0;
    }
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *context)
{
    struct http_connection *connection = context;
    struct http_exchange *exchange = exchange_of(connection, frame->hd.stream_id);
    int32_t cost = cost_of(frame);
    bool greeting = frame->hd.type == NGHTTP2_SETTINGS && !connection->greeted;
    (void)session;
    if (greeting)
        connection->greeted = true;
    else if (cost > 0)
        http_connection_charge(connection, cost);
    if (frame->hd.type == NGHTTP2_PING && (frame->hd.flags & NGHTTP2_FLAG_ACK) != 0)
        tell_last_stream(connection->session);
    if (exchange == NULL || exchange->consumer == NULL ||
        (frame->hd.type != NGHTTP2_HEADERS && frame->hd.type != NGHTTP2_DATA))
        return 0;
    if (frame->hd.flags & NGHTTP2_FLAG_END_STREAM)
        exchange->request_complete = true;
    if (frame->hd.type == NGHTTP2_HEADERS && frame->headers.cat == NGHTTP2_HCAT_REQUEST)
        exchange->handler->headers_complete(exchange->consumer);
    if (frame->hd.flags & NGHTTP2_FLAG_END_STREAM && exchange->consumer != NULL)
        exchange->handler->body_complete(exchange->consumer);
    return 0;
}

/* The notice of a drain is on its way: now the PING, which nghttp2 would send before it. */
static void follow_notice(struct http2_session *own)
{
    if (own->draining && !own->last_stream_told &&
        nghttp2_submit_ping(own->session, NGHTTP2_FLAG_NONE, NULL) != 0)
        tell_last_stream(own);
}

/*
 * RFC 9113 section 8.1: the answer is complete, the rest of the request is not needed. A GOAWAY for
 * an error is nghttp2's answer to a peer that breaks the rules.
 */
static int on_frame_sent(nghttp2_session *session, const nghttp2_frame *frame, void *context)
{
    struct http_connection *connection = context;
    if (frame->hd.type == NGHTTP2_GOAWAY)
        follow_notice(connection->session);
    if (frame->hd.type == NGHTTP2_GOAWAY && frame->goaway.error_code != NGHTTP2_NO_ERROR)
        http_connection_broken(connection);
    if (!(frame->hd.flags & NGHTTP2_FLAG_END_STREAM) ||
        (frame->hd.type != NGHTTP2_HEADERS && frame->hd.type != NGHTTP2_DATA))
        return 0;
    struct http_exchange *exchange = exchange_of(connection, frame->hd.stream_id);
    if (exchange != NULL && !exchange->request_complete)
        nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, frame->hd.stream_id,
                                  NGHTTP2_NO_ERROR);
    return 0;
}

static int on_stream_close(nghttp2_session *session, int32_t stream_id, uint32_t error_code,
                           void *context)
{
    struct http_connection *connection = context;
    struct http_exchange *exchange = exchange_of(connection, stream_id);
    (void)session;
    if (exchange == NULL)
        return 0;
    ((struct http2_session *)connection->session)->last = NULL;
    let_go(connection, exchange, exchange->held_bytes);
    http_connection_remove(connection, exchange);
    if (error_code == NGHTTP2_NO_ERROR)
        http_connection_earn(connection);
    if (exchange->consumer != NULL)
        exchange->handler->closed(exchange->consumer);
    exchange_give_back(connection->loop, exchange);
    return 0;
}

/* A frame that the peer should not have sent. */
static int on_invalid_frame(nghttp2_session *session, const nghttp2_frame *frame, int code,
                            void *context)
{
    (void)session;
    (void)frame;
    (void)code;
    http_connection_charge(context, 2);
    return 0;
}

/* --- what goes out --- */

/* Fills nghttp2's form; it copies names and values itself, those that last apart. Gives how many.
 */
static size_t convert(const struct http_header *headers, size_t count, nghttp2_nv *out)
{
    size_t kept = 0;
    for (size_t i = 0; i < count && kept < response_headers_max; i++) {
        out[kept++] = (nghttp2_nv){
            .name = (uint8_t *)(uintptr_t)headers[i].name.data,
            .value = (uint8_t *)(uintptr_t)headers[i].value.data,
            .namelen = headers[i].name.size,
            .valuelen = headers[i].value.size,
            .flags = headers[i].lasting
                         ? NGHTTP2_NV_FLAG_NO_COPY_NAME | NGHTTP2_NV_FLAG_NO_COPY_VALUE
                         : NGHTTP2_NV_FLAG_NONE,
        };
    }
    return kept;
}

static ssize_t read_body(nghttp2_session *session, int32_t stream_id, uint8_t *out, size_t room,
                         uint32_t *flags, nghttp2_data_source *source, void *context)
{
    struct http_exchange *exchange = source->ptr;
    enum http_body_state state = HTTP_BODY_END;
    size_t size = 0;
    (void)session;
    (void)stream_id;
    (void)context;
    exchange->trailers_follow = false;
    if (exchange->consumer != NULL)
        size = exchange->handler->read(exchange->consumer, (char *)out, room, &state);
    if (size > 0 && exchange->body_sent)
        http_connection_earn(exchange->connection); /* clients ping to measure what they get */
    exchange->body_sent = exchange->body_sent || size > 0;
    if (exchange->broken)
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE; /* resets this stream */
    switch (state) {
    case HTTP_BODY_MORE:
        break;
    case HTTP_BODY_PENDING:
        if (size == 0) {
            exchange->body_pending = true;
            return NGHTTP2_ERR_DEFERRED;
        }
        break;
    case HTTP_BODY_END:
        *flags |= NGHTTP2_DATA_FLAG_EOF;
        if (exchange->trailers_follow)
            *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
        break;
    }
    return (ssize_t)size;
}

static void reset(struct http_exchange *exchange, uint32_t code)
{
    nghttp2_submit_rst_stream(session_of(exchange->connection), NGHTTP2_FLAG_NONE,
                              exchange->stream_id, code);
}

static void respond(struct http_exchange *exchange, unsigned status,
                    const struct http_header *headers, size_t count, int64_t body_size)
{
    nghttp2_nv converted[response_headers_max + 2];
    char number[4] = {(char)('0' + status / 100), (char)('0' + status / 10 % 10),
                      (char)('0' + status % 10), '\0'};
    char length[24];
    nghttp2_data_provider body = {.source.ptr = exchange, .read_callback = read_body};
    struct http_header own = {text_of(":status"), text_make(number, 3), false};
    if (status == 200)
        own = (struct http_header){text_of(":status"), text_of("200"), true};
    size_t size = convert(&own, 1, converted);
    size += convert(headers, count, converted + size);
    if (body_size > 0) {
        snprintf(length, sizeof length, "%lld", (long long)body_size);
        own = (struct http_header){text_of("content-length"), text_of(length), false};
        size += convert(&own, 1, converted + size);
    }
    if (nghttp2_submit_response(session_of(exchange->connection), exchange->stream_id, converted,
                                size, body_size == HTTP_BODY_NONE ? NULL : &body) != 0)
        reset(exchange, NGHTTP2_INTERNAL_ERROR);
}

static void set_trailers(struct http_exchange *exchange, const struct http_header *trailers,
                         size_t count)
{
    nghttp2_nv converted[response_headers_max];
    size_t size = convert(trailers, count, converted);
    exchange->trailers_follow = nghttp2_submit_trailer(session_of(exchange->connection),
                                                       exchange->stream_id, converted, size) == 0;
    exchange->broken = !exchange->trailers_follow;
}

static void resume(struct http_exchange *exchange)
{
    nghttp2_session_resume_data(session_of(exchange->connection), exchange->stream_id);
}

static void consume(struct http_exchange *exchange, size_t size)
{
    let_go(exchange->connection, exchange, size);
    exchange->unconsumed_bytes += size;
    if (exchange->unconsumed_bytes < unconsumed_bytes_max)
        return;
    nghttp2_session_consume_stream(session_of(exchange->connection), exchange->stream_id,
                                   exchange->unconsumed_bytes);
    exchange->unconsumed_bytes = 0;
}

/* --- the connection --- */

static int make_session(struct http_connection *connection, nghttp2_session **session)
{
    nghttp2_session_callbacks *callbacks;
    nghttp2_option *option;
    int result = nghttp2_session_callbacks_new(&callbacks);
    if (result != 0)
        return result;
    nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, on_begin_headers);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data_chunk);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
    nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, on_frame_sent);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_stream_close);
    nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(callbacks, on_invalid_frame);
    result = nghttp2_option_new(&option);
    if (result == 0) {
        nghttp2_option_set_no_auto_window_update(option, 1);
        nghttp2_option_set_max_outbound_ack(option, outbound_ack_max);
        result =
            nghttp2_session_server_new3(session, callbacks, connection, option, http2_memory());
        nghttp2_option_del(option);
    }
    nghttp2_session_callbacks_del(callbacks);
    return result;
}

static bool open_session(struct http_connection *connection)
{
    const struct http_server_options *options = connection->loop->options;
    const nghttp2_settings_entry settings[] = {
        {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, options->streams_per_connection},
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, (uint32_t)options->window_bytes},
        {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, (uint32_t)options->header_bytes_max},
    };
    struct http2_session *made = memory_allocate_zero(1, sizeof *made);
    connection->session = made;
    return made != NULL && make_session(connection, &made->session) == 0 &&
           nghttp2_submit_settings(made->session, NGHTTP2_FLAG_NONE, settings,
                                   sizeof settings / sizeof settings[0]) == 0 &&
           nghttp2_session_set_local_window_size(made->session, NGHTTP2_FLAG_NONE, 0,
                                                 connection_window_bytes) == 0;
}

static bool receive(struct http_connection *connection, struct text bytes)
{
    return nghttp2_session_mem_recv(session_of(connection), (const uint8_t *)bytes.data,
                                    bytes.size) >= 0;
}

static bool serialize(struct http_connection *connection, struct buffer *out, size_t target)
{
    while (out->size < target) {
        const uint8_t *data;
        ssize_t size = nghttp2_session_mem_send(session_of(connection), &data);
        if (size == 0)
            return true;
        if (size < 0 || !buffer_append(out, data, (size_t)size))
            return false;
    }
    return true;
}

static bool is_over(const struct http_connection *connection)
{
    return nghttp2_session_want_read(session_of(connection)) == 0 &&
           nghttp2_session_want_write(session_of(connection)) == 0;
}

/*
 * Two GOAWAYs (RFC 9113 section 6.8): first the notice, then the last stream. Between them a PING
 * goes there and back: what the peer had asked before it read the notice is served as well, so no
 * call is refused because of a drain.
 */
static void drain(struct http_connection *connection)
{
    struct http2_session *own = connection->session;
    if (own->draining)
        return;
    own->draining = true;
    own->drain_time_us = http_loop_now_us(connection->loop);
    nghttp2_submit_shutdown_notice(own->session);
}

/* A peer that does not answer the PING is not waited for. */
static void look_after(struct http_connection *connection, int64_t now_us)
{
    struct http2_session *own = connection->session;
    if (!own->draining || now_us - own->drain_time_us < drain_answer_us_max)
        return;
    tell_last_stream(own);
    http_loop_flush_later(connection->loop, connection);
}

static void punish(struct http_connection *connection)
{
    nghttp2_session_terminate_session(session_of(connection), NGHTTP2_ENHANCE_YOUR_CALM);
}

static void release(struct http_connection *connection)
{
    struct http2_session *own = connection->session;
    struct http_exchange *exchange = connection->exchanges;
    while (exchange != NULL) {
        struct http_exchange *next = exchange->next;
        http_connection_remove(connection, exchange);
        exchange_give_back(connection->loop, exchange);
        exchange = next;
    }
    nghttp2_session_del(own->session);
    memory_release(own);
}

const struct http_version http_version_2 = {
    .open = open_session,
    .receive = receive,
    .serialize = serialize,
    .is_over = is_over,
    .drain = drain,
    .look_after = look_after,
    .punish = punish,
    .release = release,
    .respond = respond,
    .set_trailers = set_trailers,
    .resume = resume,
    .consume = consume,
    .reset = reset,
};
