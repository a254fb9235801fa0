/*
 * One allocation a request. What is read is filled in when the request is complete. What is posted
 * is collected, handed over whole, and then belongs to whoever answers it: it outlives its exchange
 * if that is lost meanwhile.
 */
#include "platform/http/http_routes.h"

#include "platform/base/memory.h"
#include "platform/http/http_loop.h"
#include "platform/http/http_server.h"

#include <string.h>

enum { body_bytes_max = 1024 * 1024, post_headers_max = 128, post_arena_bytes_max = 4194304 };

struct route_request {
    struct http_post post;          /* first */
    struct http_exchange *exchange; /* NULL = it is over */
    const struct http_route *route; /* NULL = there is none */
    struct buffer body;             /* of the answer */
    size_t sent;
    struct http_header *headers; /* of a post */
    struct buffer posted;
    bool failed;    /* no memory for its headers */
    bool taken;     /* handed over, not answered yet */
    bool responded; /* nothing more is done with it */
};

static const struct http_route *find(const struct http_routes *routes, struct text path)
{
    const char *question = path.size == 0 ? NULL : memchr(path.data, '?', path.size);
    if (question != NULL)
        path.size = (size_t)(question - path.data);
    for (size_t i = 0; i < routes->count; i++) {
        if (text_equals_string(path, routes->all[i].path))
            return &routes->all[i];
    }
    return NULL;
}

bool http_routes_has(const struct http_routes *routes, struct text path)
{
    return find(routes, path) != NULL;
}

static bool is_post(const struct route_request *request)
{
    return request->route != NULL && request->route->take != NULL;
}

static void *open_request(void *context, struct http_exchange *exchange, struct text path)
{
    struct route_request *request = memory_allocate_zero(1, sizeof *request);
    if (request == NULL)
        return NULL;
    request->exchange = exchange;
    request->route = find(context, path);
    buffer_init(&request->body, body_bytes_max);
    arena_init(&request->post.arena, post_arena_bytes_max);
    buffer_init(&request->posted, is_post(request) ? request->route->body_bytes_max : 1);
    return request;
}

static void take_header(void *consumer, struct text name, struct text value)
{
    struct route_request *request = consumer;
    struct arena *arena = &request->post.arena;
    if (!is_post(request) || request->post.header_count == post_headers_max)
        return;
    if (request->headers == NULL)
        request->headers = arena_allocate(arena, post_headers_max * sizeof *request->headers);
    struct http_header header = {arena_copy_text(arena, name), arena_copy_text(arena, value)};
    if (request->headers == NULL || header.name.data == NULL || header.value.data == NULL)
        request->failed = true;
    else
        request->headers[request->post.header_count++] = header;
}

/* --- answers --- */

static void respond(struct route_request *request, unsigned status, const char *type)
{
    const struct http_header headers[] = {
        {text_of("content-type"), text_of(type)},
        {text_of("cache-control"), text_of("no-store")},
        {text_of("allow"), text_of(is_post(request) ? "POST" : "GET, HEAD")},
    };
    request->responded = true;
    http_respond(request->exchange, status, headers, status == 405 ? 3 : 2,
                 (int64_t)request->body.size);
}

static void respond_in_words(struct route_request *request, unsigned status, const char *words)
{
    if (!buffer_append_string(&request->body, words))
        status = 500;
    respond(request, status, "text/plain; charset=utf-8");
}

static void release(struct route_request *request)
{
    buffer_deinit(&request->body);
    buffer_deinit(&request->posted);
    arena_deinit(&request->post.arena);
    memory_release(request);
}

void http_post_answer(struct http_post *post, unsigned status, const char *words)
{
    struct route_request *request = (struct route_request *)post;
    request->taken = false;
    if (request->exchange == NULL)
        release(request);
    else
        respond_in_words(request, status, words);
}

static void hand_over(struct route_request *request)
{
    struct http_post *post = &request->post;
    if (request->failed) {
        respond_in_words(request, 503, "not enough memory\n");
        return;
    }
    post->executor = &request->exchange->loop->io.base;
    post->headers = request->headers;
    post->body = buffer_text(&request->posted);
    request->taken = true;
    request->route->take(request->route->context, post);
}

static void answer(void *consumer)
{
    struct route_request *request = consumer;
    enum http_request_method method = request->exchange->method;
    if (request->responded)
        return;
    if (request->route == NULL) {
        respond_in_words(request, 404, "there is nothing here\n");
    } else if (is_post(request)) {
        if (method == HTTP_METHOD_POST)
            hand_over(request);
        else
            respond_in_words(request, 405, "only POST\n");
    } else if (method != HTTP_METHOD_GET && method != HTTP_METHOD_HEAD) {
        respond_in_words(request, 405, "only GET and HEAD\n");
    } else {
        unsigned status = request->route->fill(request->route->context, &request->body);
        respond(request, status, request->route->content_type);
    }
}

static void take_body(void *consumer, struct text bytes)
{
    struct route_request *request = consumer;
    bool is_wanted = is_post(request) && !request->responded;
    if (is_wanted && !buffer_append_text(&request->posted, bytes))
        respond_in_words(request,
                         request->posted.size + bytes.size > request->posted.size_max ? 413 : 503,
                         "the body is too long\n");
    http_consume(request->exchange, bytes.size);
}

static void wait_for_end(void *consumer)
{
    (void)consumer;
}

static size_t read_answer(void *consumer, char *out, size_t room, enum http_body_state *state)
{
    struct route_request *request = consumer;
    size_t left = request->body.size - request->sent;
    size_t part = left < room ? left : room;
    if (part > 0)
        memcpy(out, request->body.data + request->sent, part);
    request->sent += part;
    *state = request->sent == request->body.size ? HTTP_BODY_END : HTTP_BODY_MORE;
    return part;
}

static void close_request(void *consumer)
{
    struct route_request *request = consumer;
    request->exchange = NULL;
    if (!request->taken)
        release(request);
}

const struct http_handler http_routes_handler = {
    .open = open_request,
    .header = take_header,
    .headers_complete = wait_for_end,
    .body = take_body,
    .body_complete = answer,
    .read = read_answer,
    .closed = close_request,
};
