#ifndef WAYBILL_PLATFORM_HTTP_HTTP_ROUTES_H
#define WAYBILL_PLATFORM_HTTP_HTTP_ROUTES_H

#include "platform/base/arena.h"
#include "platform/base/buffer.h"
#include "platform/base/executor.h"
#include "platform/http/http_exchange.h"

#include <stddef.h>

/*
 * A handler for a table of paths: what is simply read by GET and HEAD (metrics, health, documents),
 * and what others POST to us (webhooks). Everything else is 404 or 405. Thread: the loops'.
 */

/*
 * Fills `body` and gives the HTTP status. On a loop's thread; must not block. Missing memory or a
 * full body (1 MiB) becomes 500.
 */
typedef unsigned http_route_function(void *context, struct buffer *body);

/* A whole POST. It lives until it is answered, whatever becomes of the connection. */
struct http_post {
    struct executor *executor; /* of its loop: where it must be answered */
    struct arena arena;        /* to be used by one thread at a time */
    const struct http_header *headers;
    size_t header_count;
    struct text body;
};

/* Takes a POST; http_post_answer follows, now or later. On a loop's thread; must not block. */
typedef void http_post_function(void *context, struct http_post *post);

/* The status, and a line for people (a literal); the post is gone. On its executor's thread. */
void http_post_answer(struct http_post *post, unsigned status, const char *words);

struct http_route {
    const char *path; /* without '?' and what stands behind it */
    const char *content_type;
    http_route_function *fill; /* one of: read … */
    void *context;
    http_post_function *take; /* … or posted; then: */
    size_t body_bytes_max;    /* a longer body is 413 */
};

struct http_routes {
    const struct http_route *all;
    size_t count;
};

/* Whether a route has that path. */
bool http_routes_has(const struct http_routes *routes, struct text path);

/* Its context is a `struct http_routes`, which must outlive the loops. */
extern const struct http_handler http_routes_handler;

#endif
