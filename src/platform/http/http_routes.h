#ifndef WAYBILL_PLATFORM_HTTP_HTTP_ROUTES_H
#define WAYBILL_PLATFORM_HTTP_HTTP_ROUTES_H

#include "platform/base/buffer.h"
#include "platform/http/http_exchange.h"

#include <stddef.h>

/*
 * A handler for what is simply read: GET and HEAD of a table of paths (metrics, health, documents).
 * Everything else is 404 or 405. Thread: the loops'.
 */

/*
 * Fills `body` and gives the HTTP status. On a loop's thread; must not block. Missing memory or a
 * full body (1 MiB) becomes 500.
 */
typedef unsigned http_route_function(void *context, struct buffer *body);

struct http_route {
    const char *path; /* without '?' and what stands behind it */
    const char *content_type;
    http_route_function *fill;
    void *context;
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
