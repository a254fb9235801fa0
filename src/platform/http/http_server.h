#ifndef WAYBILL_PLATFORM_HTTP_HTTP_SERVER_H
#define WAYBILL_PLATFORM_HTTP_HTTP_SERVER_H

#include "platform/base/buffer.h"
#include "platform/base/error.h"

#include <stddef.h>

/*
 * A small HTTP/1.1 server (RFC 9112) for the operations port: GET and HEAD of a table of paths,
 * keep-alive, on one thread of its own. Requests with a body, long heads and slow peers are
 * refused.
 */
struct http_server;

/*
 * Fills `body` and gives the HTTP status. On the server's thread; must not block. False memory or a
 * full body becomes 500.
 */
typedef int http_route_handler(void *context, struct buffer *body);

struct http_route {
    const char *path;
    const char *content_type;
    http_route_handler *handler;
    void *context;
};

/* `routes` must outlive the server. Errors: INVALID_SETTING, NETWORK, OUT_OF_MEMORY. */
struct error http_server_open(struct http_server **server, const char *listen,
                              const struct http_route *routes, size_t route_count);

/* The address really listened on. Lives with the server. */
const char *http_server_address(const struct http_server *server);

/* Ends all connections and stops the thread. NULL is allowed. Any thread but its own. */
void http_server_close(struct http_server *server);

#endif
