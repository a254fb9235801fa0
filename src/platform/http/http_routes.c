/* One allocation a request; its body is filled when the request is complete. */
#include "platform/http/http_routes.h"

#include "platform/base/memory.h"
#include "platform/http/http_server.h"

#include <string.h>

enum { body_bytes_max = 1024 * 1024 };

struct route_request {
    struct http_exchange *exchange;
    const struct http_route *route; /* NULL = there is none */
    struct buffer body;
    size_t sent;
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

static void *open_request(void *context, struct http_exchange *exchange, struct text path)
{
    struct route_request *request = memory_allocate_zero(1, sizeof *request);
    if (request == NULL)
        return NULL;
    request->exchange = exchange;
    request->route = find(context, path);
    buffer_init(&request->body, body_bytes_max);
    return request;
}

static void ignore_header(void *consumer, struct text name, struct text value)
{
    (void)consumer;
    (void)name;
    (void)value;
}

static void answer(void *consumer)
{
    struct route_request *request = consumer;
    enum http_request_method method = request->exchange->method;
    const char *type = "text/plain; charset=utf-8";
    const char *refusal = NULL;
    unsigned status = 200;
    if (request->route == NULL) {
        status = 404;
        refusal = "there is nothing here\n";
    } else if (method != HTTP_METHOD_GET && method != HTTP_METHOD_HEAD) {
        status = 405;
        refusal = "only GET and HEAD\n";
    } else {
        type = request->route->content_type;
        status = request->route->fill(request->route->context, &request->body);
    }
    if (refusal != NULL && !buffer_append_string(&request->body, refusal))
        status = 500;
    const struct http_header headers[] = {
        {text_of("content-type"), text_of(type)},
        {text_of("cache-control"), text_of("no-store")},
        {text_of("allow"), text_of("GET, HEAD")},
    };
    http_respond(request->exchange, status, headers, status == 405 ? 3 : 2,
                 (int64_t)request->body.size);
}

static void take_body(void *consumer, struct text bytes)
{
    struct route_request *request = consumer;
    http_consume(request->exchange, bytes.size); /* of no use here */
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
    buffer_deinit(&request->body);
    memory_release(request);
}

const struct http_handler http_routes_handler = {
    .open = open_request,
    .header = ignore_header,
    .headers_complete = wait_for_end,
    .body = take_body,
    .body_complete = answer,
    .read = read_answer,
    .closed = close_request,
};
