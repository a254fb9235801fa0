/*
 * HTTP/1.1 on http-parser (RFC 9112). One exchange at a time: the parser is paused when a request
 * is complete, what is pipelined behind it waits, and parsing goes on when the response has ended.
 * A response whose size is not known beforehand is chunked.
 *
 * Failures: what is no HTTP, or a head that is too long, is answered 400 or 431 and the connection
 * closed. A response may end before its request: the rest of the body is read and dropped, up to a
 * limit, so that the peer gets to see the answer. A body that is consumed too slowly stops the
 * reading of the socket. A peer that stops in the middle is closed (look_after).
 *
 * While the server drains, a connection between two requests is kept for a moment: its peer does
 * not know of the drain and may be sending. That request is answered, with "connection: close".
 */
#include "platform/base/memory.h"
#include "platform/http/http_connection.h"

#include <http_parser.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum {
    dropped_bytes_max = 1024 * 1024,
    rest_bytes_max = 256 * 1024,
    head_bytes_max = 64 * 1024, /* of a response */
    piece_bytes = 16 * 1024,
};

struct http1_session {
    struct http_connection *connection;
    http_parser parser;
    struct http_exchange exchange;
    struct buffer path; /* of the request line */
    struct buffer name; /* of the header that is coming */
    struct buffer value;
    struct buffer rest;   /* received behind the present request */
    struct buffer head;   /* of the response, not yet taken by serialize */
    size_t request_bytes; /* of its head */
    size_t unconsumed;
    size_t dropped;
    int64_t moved_us;  /* when something of the exchange moved last */
    int64_t body_left; /* of the response, if its size is known */
    unsigned host_count;
    unsigned refusal; /* the status that this request gets from here */
    bool in_exchange;
    bool in_value;
    bool parsing;
    bool response_over;
    bool chunked;
    bool no_body;
    bool keep_alive;
    bool expects_continue;
    bool reading_stopped;
    bool draining;
};

static struct http1_session *session_of(struct http_exchange *exchange)
{
    return exchange->connection->session;
}

static const struct http_handler *handler_of(const struct http1_session *session)
{
    return session->exchange.handler;
}

/* --- the response --- */

static const char *reason_of(unsigned status)
{
    switch (status) {
#define REASON(number, name, string)                                                               \
    case number:                                                                                   \
        return #string;
        HTTP_STATUS_MAP(REASON)
#undef REASON
    default:
        return "";
    }
}

static void respond(struct http_exchange *exchange, unsigned status,
                    const struct http_header *headers, size_t count, int64_t body_size)
{
    struct http1_session *session = session_of(exchange);
    struct buffer *head = &session->head;
    bool whole = exchange->request_complete || !(session->expects_continue || exchange->late);
    session->keep_alive = session->keep_alive && whole && !session->draining;
    bool fits = status == 200
                    ? buffer_append_string(head, "HTTP/1.1 200 OK\r\n")
                    : buffer_append_format(head, "HTTP/1.1 %u %s\r\n", status, reason_of(status));
    for (size_t i = 0; fits && i < count; i++)
        fits = buffer_append_text(head, headers[i].name) && buffer_append_string(head, ": ") &&
               buffer_append_text(head, headers[i].value) && buffer_append_string(head, "\r\n");
    session->no_body = body_size == HTTP_BODY_NONE || exchange->method == HTTP_METHOD_HEAD;
    session->chunked = body_size == HTTP_BODY_UNKNOWN && session->parser.http_minor > 0;
    session->body_left = body_size;
    if (fits && session->chunked)
        fits = buffer_append_string(head, "transfer-encoding: chunked\r\n");
    else if (fits && body_size != HTTP_BODY_UNKNOWN && status != 204)
        fits = buffer_append_format(head, "content-length: %lld\r\n", (long long)body_size);
    else if (body_size == HTTP_BODY_UNKNOWN)
        session->keep_alive = false; /* HTTP/1.0: the end of the connection is the end */
    if (fits && !session->keep_alive)
        fits = buffer_append_string(head, "connection: close\r\n");
    if (!fits || !buffer_append_string(head, "\r\n"))
        session->connection->failed = true;
}

static void set_trailers(struct http_exchange *exchange, const struct http_header *trailers,
                         size_t count)
{
    (void)exchange;
    (void)trailers;
    (void)count;
}

static void resume(struct http_exchange *exchange)
{
    (void)exchange; /* serialize asks again */
}

static void reset(struct http_exchange *exchange, uint32_t code)
{
    (void)code;
    exchange->connection->failed = true;
}

/* Nobody answers to this exchange any more. */
static void close_consumer(struct http1_session *session)
{
    void *consumer = session->exchange.consumer;
    session->exchange.consumer = NULL;
    if (consumer != NULL)
        handler_of(session)->closed(consumer);
}

static bool parse(struct http1_session *session, struct text bytes);

/* Once request and response are over: the next request, or the end. */
static bool finish_exchange(struct http1_session *session)
{
    if (!session->in_exchange || !session->response_over || !session->exchange.request_complete)
        return true;
    close_consumer(session);
    http_connection_remove(session->connection, &session->exchange);
    session->in_exchange = false;
    if (!session->keep_alive) {
        session->connection->over = true;
        return true;
    }
    http_parser_pause(&session->parser, 0);
    struct buffer rest = session->rest;
    buffer_init(&session->rest, rest_bytes_max);
    bool good = rest.size == 0 || parse(session, buffer_text(&rest));
    buffer_deinit(&rest);
    return good;
}

/* Appends one piece of the body. False: limit or memory. */
static bool append_piece(struct http1_session *session, struct buffer *out, struct text piece)
{
    if (piece.size == 0)
        return true;
    if (!session->chunked)
        return buffer_append_text(out, piece);
    return buffer_append_format(out, "%zx\r\n", piece.size) && buffer_append_text(out, piece) &&
           buffer_append_string(out, "\r\n");
}

/* Pulls the body. False: the connection cannot go on. */
static bool pull_body(struct http1_session *session, struct buffer *out, size_t target)
{
    struct http_exchange *exchange = &session->exchange;
    enum http_body_state state = session->no_body ? HTTP_BODY_END : HTTP_BODY_MORE;
    char piece[piece_bytes];
    while (state == HTTP_BODY_MORE && out->size < target) {
        size_t size = handler_of(session)->read(exchange->consumer, piece, sizeof piece, &state);
        if (!append_piece(session, out, text_make(piece, size)))
            return false;
    }
    exchange->body_pending = state == HTTP_BODY_PENDING;
    if (state != HTTP_BODY_END)
        return true;
    session->response_over = true;
    if (session->chunked && !session->no_body && !buffer_append_string(out, "0\r\n\r\n"))
        return false;
    close_consumer(session);
    if (exchange->late)
        exchange->request_complete = true; /* what is missing is not waited for */
    else
        http_connection_earn(session->connection);
    return finish_exchange(session);
}

static bool serialize(struct http_connection *connection, struct buffer *out, size_t target)
{
    struct http1_session *session = connection->session;
    bool more = true;
    while (more && out->size < target) {
        if (!buffer_append_text(out, buffer_text(&session->head)))
            return false;
        buffer_deinit(&session->head);
        more = session->in_exchange && session->exchange.responded && !session->response_over &&
               !session->exchange.body_pending && !connection->failed;
        if (more && !pull_body(session, out, target))
            return false;
    }
    if (out->size > 0)
        session->moved_us = http_loop_now_us(connection->loop);
    return true;
}

/* --- the request --- */

static int begin_request(http_parser *parser)
{
    struct http1_session *session = parser->data;
    session->exchange = (struct http_exchange){.version = 1};
    session->in_exchange = true;
    session->response_over = false;
    session->in_value = false;
    session->expects_continue = false;
    session->request_bytes = 0;
    session->unconsumed = 0;
    session->dropped = 0;
    session->host_count = 0;
    session->refusal = 0;
    session->keep_alive = true;
    session->moved_us = http_loop_now_us(session->connection->loop);
    buffer_clear(&session->path);
    buffer_clear(&session->name);
    buffer_clear(&session->value);
    http_connection_add(session->connection, &session->exchange);
    return 0;
}

/* Collects a piece of the head. Not 0 stops the parser: the head is too long, or no memory. */
static int collect(struct http1_session *session, struct buffer *into, const char *at, size_t size)
{
    session->request_bytes += size;
    if (session->request_bytes > session->connection->loop->options->header_bytes_max)
        session->refusal = 431;
    else if (!buffer_append(into, at, size))
        session->refusal = 503;
    return session->refusal != 0;
}

static int on_url(http_parser *parser, const char *at, size_t size)
{
    struct http1_session *session = parser->data;
    return collect(session, &session->path, at, size);
}

static enum http_request_method method_of(unsigned method)
{
    switch (method) {
    case HTTP_POST:
        return HTTP_METHOD_POST;
    case HTTP_PUT:
        return HTTP_METHOD_PUT;
    case HTTP_DELETE:
        return HTTP_METHOD_DELETE;
    case HTTP_GET:
        return HTTP_METHOD_GET;
    case HTTP_HEAD:
        return HTTP_METHOD_HEAD;
    case HTTP_OPTIONS:
        return HTTP_METHOD_OPTIONS;
    default:
        return HTTP_METHOD_OTHER;
    }
}

/* The path of a target in origin or absolute form (RFC 9112 section 3.2). */
static struct text path_of(struct text target)
{
    const char *scheme = memmem(target.data, target.size, "://", 3);
    if (target.size == 0 || target.data[0] == '/' || scheme == NULL)
        return target;
    size_t before = (size_t)(scheme + 3 - target.data);
    const char *slash = memchr(scheme + 3, '/', target.size - before);
    if (slash == NULL)
        return text_of("/");
    return text_make(slash, target.size - (size_t)(slash - target.data));
}

/* The request line is complete. Not 0: no memory. */
static int open_exchange(struct http1_session *session)
{
    struct http_loop *loop = session->connection->loop;
    struct http_exchange *exchange = &session->exchange;
    if (exchange->consumer != NULL)
        return 0;
    exchange->method = method_of(session->parser.method);
    exchange->consumer =
        loop->handler->open(loop->handler_context, exchange, path_of(buffer_text(&session->path)));
    if (exchange->consumer == NULL)
        session->refusal = 503;
    return exchange->consumer == NULL;
}

/* A letter of a header's name (RFC 9110 section 5.6.2); the parser lets spaces pass. */
static bool is_token_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
           (c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL);
}

/* The header collected is complete. */
static int hand_over_header(struct http1_session *session)
{
    struct text name = buffer_text(&session->name);
    struct text value = text_trim(buffer_text(&session->value));
    if (open_exchange(session) != 0)
        return 1;
    if (name.size == 0)
        return 0;
    for (size_t i = 0; i < name.size; i++) {
        char c = session->name.data[i];
        if (c >= 'A' && c <= 'Z')
            session->name.data[i] = (char)(c - 'A' + 'a');
        else if (!is_token_letter(c))
            session->refusal = 400;
    }
    if (session->refusal != 0)
        return 1;
    if (text_equals_string(name, "host"))
        session->host_count++;
    if (text_equals_string(name, "expect"))
        session->expects_continue =
            value.size == 12 && strncasecmp(value.data, "100-continue", 12) == 0;
    handler_of(session)->header(session->exchange.consumer, name, value);
    buffer_clear(&session->name);
    buffer_clear(&session->value);
    session->in_value = false;
    return 0;
}

static int on_header_field(http_parser *parser, const char *at, size_t size)
{
    struct http1_session *session = parser->data;
    if ((session->in_value || session->exchange.consumer == NULL) && hand_over_header(session) != 0)
        return 1;
    return collect(session, &session->name, at, size);
}

static int on_header_value(http_parser *parser, const char *at, size_t size)
{
    struct http1_session *session = parser->data;
    session->in_value = true;
    return collect(session, &session->value, at, size);
}

static int on_headers_complete(http_parser *parser)
{
    struct http1_session *session = parser->data;
    if (hand_over_header(session) != 0)
        return -1;
    parser->upgrade = 0; /* RFC 9110 section 7.8: an offer to upgrade may be ignored */
    session->keep_alive = http_should_keep_alive(parser) != 0;
    session->connection->greeted = true;
    if (parser->http_major != 1) { /* HTTP/0.9, which has no line of status, or a later one */
        session->refusal = 505;
        return -1;
    }
    if (session->host_count != 1 && parser->http_major == 1 && parser->http_minor > 0) {
        session->refusal = 400;
        return -1;
    }
    handler_of(session)->headers_complete(session->exchange.consumer);
    if (session->expects_continue && !session->exchange.responded)
        return buffer_append_string(&session->head, "HTTP/1.1 100 Continue\r\n\r\n") ? 0 : -1;
    return 0;
}

static void consider_reading(struct http1_session *session)
{
    bool stop = session->unconsumed >= session->connection->loop->options->window_bytes ||
                session->rest.size > rest_bytes_max / 4;
    if (stop == session->reading_stopped)
        return;
    session->reading_stopped = stop;
    stream_socket_read(&session->connection->socket, !stop);
}

static int on_body(http_parser *parser, const char *at, size_t size)
{
    struct http1_session *session = parser->data;
    session->moved_us = http_loop_now_us(session->connection->loop);
    if (session->exchange.consumer == NULL) {
        session->dropped += size;
        return session->dropped > dropped_bytes_max;
    }
    session->unconsumed += size;
    handler_of(session)->body(session->exchange.consumer, text_make(at, size));
    consider_reading(session);
    return 0;
}

static void consume(struct http_exchange *exchange, size_t size)
{
    struct http1_session *session = session_of(exchange);
    session->unconsumed -= size < session->unconsumed ? size : session->unconsumed;
    consider_reading(session);
}

static int on_message_complete(http_parser *parser)
{
    struct http1_session *session = parser->data;
    session->exchange.request_complete = true;
    if (session->exchange.consumer != NULL)
        handler_of(session)->body_complete(session->exchange.consumer);
    http_parser_pause(parser, 1);
    return 0;
}

/* What is said of a request that no handler has seen, in the form of all errors in JSON here. */
static const char *words_of(unsigned status)
{
    switch (status) {
    case 431:
        return "{\"code\":\"resource_exhausted\",\"message\":\"the request's first line and "
               "headers "
               "are too long; a long message goes into the body of a POST\"}";
    case 505:
        return "{\"code\":\"unimplemented\",\"message\":\"HTTP 1.0, 1.1 and 2 are spoken here\"}";
    case 503:
        return "{\"code\":\"unavailable\",\"message\":\"there is no memory for this request\"}";
    default:
        return "{\"code\":\"invalid_argument\",\"message\":\"this is no HTTP request\"}";
    }
}

/* Answers a request that no handler can answer, and ends the connection behind it. */
static bool refuse(struct http1_session *session)
{
    enum http_errno wrong = HTTP_PARSER_ERRNO(&session->parser);
    struct http_connection *connection = session->connection;
    bool answered = session->in_exchange && session->exchange.responded;
    unsigned status = session->refusal;
    if (status == 0)
        status = wrong == HPE_HEADER_OVERFLOW ? 431 : 400;
    if (status == 431)
        http_count(&connection->loop->counters.heads_refused, 1);
    if (session->in_exchange)
        close_consumer(session);
    connection->failed = true;
    if (status != 503) /* which is for our own lack of memory */
        http_connection_broken(connection);
    const char *words = words_of(status);
    return answered || buffer_append_format(&session->head,
                                            "HTTP/1.1 %u %s\r\ncontent-type: application/json\r\n"
                                            "content-length: %zu\r\nconnection: close\r\n\r\n%s",
                                            status, reason_of(status), strlen(words),
                                            session->parser.method == HTTP_HEAD ? "" : words);
}

static bool parse(struct http1_session *session, struct text bytes)
{
    static const http_parser_settings settings = {
        .on_message_begin = begin_request,
        .on_url = on_url,
        .on_header_field = on_header_field,
        .on_header_value = on_header_value,
        .on_headers_complete = on_headers_complete,
        .on_body = on_body,
        .on_message_complete = on_message_complete,
    };
    size_t used = http_parser_execute(&session->parser, &settings, bytes.data, bytes.size);
    enum http_errno wrong = HTTP_PARSER_ERRNO(&session->parser);
    if (wrong != HPE_OK && wrong != HPE_PAUSED)
        return refuse(session);
    if (wrong != HPE_PAUSED)
        return true;
    if (!buffer_append(&session->rest, bytes.data + used, bytes.size - used))
        return false;
    consider_reading(session);
    return finish_exchange(session);
}

/* --- the connection --- */

static bool open_session(struct http_connection *connection)
{
    struct http1_session *session = memory_allocate_zero(1, sizeof *session);
    size_t head_max = connection->loop->options->header_bytes_max;
    if (session == NULL)
        return false;
    connection->session = session;
    session->connection = connection;
    session->parser.data = session;
    http_parser_init(&session->parser, HTTP_REQUEST);
    buffer_init(&session->path, head_max);
    buffer_init(&session->name, head_max);
    buffer_init(&session->value, head_max);
    buffer_init(&session->rest, rest_bytes_max);
    buffer_init(&session->head, head_bytes_max);
    return true;
}

static bool receive(struct http_connection *connection, struct text bytes)
{
    struct http1_session *session = connection->session;
    if (session->in_exchange && session->exchange.request_complete) {
        bool kept = buffer_append_text(&session->rest, bytes);
        consider_reading(session);
        return kept;
    }
    return parse(session, bytes);
}

static bool is_over(const struct http_connection *connection)
{
    const struct http1_session *session = connection->session;
    struct http_loop *loop = connection->loop;
    return session->draining && !session->in_exchange &&
           (!loop->draining || http_loop_drain_grace_is_over(loop));
}

static void drain(struct http_connection *connection)
{
    struct http1_session *session = connection->session;
    session->draining = true;
    if (!session->exchange.responded)
        session->keep_alive = false;
}

static void look_after(struct http_connection *connection, int64_t now_us)
{
    const struct http_server_options *options = connection->loop->options;
    struct http1_session *session = connection->session;
    if (!session->in_exchange) {
        if (session->draining)
            http_loop_flush_later(connection->loop, connection);
        return;
    }
    bool in_head = session->exchange.consumer == NULL && !session->response_over;
    bool waits_for_peer = !session->exchange.request_complete || connection->socket.in_write;
    int64_t still_us = now_us - session->moved_us;
    if ((in_head && still_us > options->greeting_us_max) ||
        (waits_for_peer && still_us > options->body_pause_us_max))
        http_connection_close_slow(connection);
}

static void punish(struct http_connection *connection)
{
    (void)connection; /* closed when what is queued has left */
}

static void release(struct http_connection *connection)
{
    struct http1_session *session = connection->session;
    if (session->in_exchange)
        http_connection_remove(connection, &session->exchange);
    buffer_deinit(&session->path);
    buffer_deinit(&session->name);
    buffer_deinit(&session->value);
    buffer_deinit(&session->rest);
    buffer_deinit(&session->head);
    memory_release(session);
}

const struct http_version http_version_1 = {
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
