#ifndef WAYBILL_PLATFORM_HTTP_HTTP_EXCHANGE_H
#define WAYBILL_PLATFORM_HTTP_HTTP_EXCHANGE_H

#include "platform/base/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * One request and its response (RFC 9110), whatever the version of HTTP below. The connection
 * drives a *handler*: header by header, then the body as it comes; the handler answers with
 * http_respond, and its body is then pulled from it. Thread: the loop's.
 */
struct http_loop;
struct http_connection;

enum http_request_method {
    HTTP_METHOD_OTHER,
    HTTP_METHOD_GET,
    HTTP_METHOD_HEAD,
    HTTP_METHOD_POST,
    HTTP_METHOD_PUT,
    HTTP_METHOD_DELETE,
    HTTP_METHOD_OPTIONS,
};

struct http_header {
    struct text name; /* lower case */
    struct text value;
    bool lasting; /* of a response: both outlive it, and need no copy */
};

enum http_body_state {
    HTTP_BODY_MORE,    /* there is more at once */
    HTTP_BODY_PENDING, /* more will come: http_resume */
    HTTP_BODY_END,
};

struct http_exchange;

/* Who answers. All but `open` get what it returned. */
struct http_handler {
    /*
     * A request for `path` ("/x?y", alive until this returns). What is returned gets all that
     * follows, `closed` at last; NULL without memory.
     */
    void *(*open)(void *context, struct http_exchange *exchange, struct text path);
    /* One header, alive until this returns. */
    void (*header)(void *consumer, struct text name, struct text value);
    void (*headers_complete)(void *consumer);
    /* Bytes of the body. Tell http_consume when they are done with: that opens the window again. */
    void (*body)(void *consumer, struct text bytes);
    /* The request is complete. */
    void (*body_complete)(void *consumer);
    /*
     * The request has not come whole in the server's request_us_max. It is to be answered, or has
     * been; what still comes is not wanted. NULL = it is answered with 408.
     */
    void (*late)(void *consumer);
    /* Fills `out` with up to `room` bytes of the response's body, and tells how many. */
    size_t (*read)(void *consumer, char *out, size_t room, enum http_body_state *state);
    /* The exchange is over or its connection lost; it must not be touched afterwards. */
    void (*closed)(void *consumer);
    /* The loop has no connection left and is about to end: handles of one's own on it are closed
     * now. May be NULL. Gets the loop's handler_context. */
    void (*drained)(void *context);
};

/* Embedded by the version's own; the handler looks at the first part only. */
struct http_exchange {
    struct http_loop *loop;
    struct http_connection *connection;
    const struct http_handler *handler; /* the loop's; its `open` may put another in its place */
    enum http_request_method method;    /* known at headers_complete */
    unsigned version;                   /* 1 or 2 */
    bool streams; /* the handler's word: the request may take as long as it likes */

    /* the connection's own */
    void *consumer; /* NULL = nobody: answered by the connection itself */
    struct http_exchange *previous;
    struct http_exchange *next;
    int32_t stream_id;
    size_t unconsumed_bytes; /* done with, and not told yet */
    size_t held_bytes;       /* given to `body`, and not done with */
    int64_t open_time_us;
    size_t head_bytes; /* of the request's headers, as RFC 9113 section 6.5.2 counts them */
    bool responded;
    bool body_pending;
    bool body_sent; /* some of it */
    bool request_complete;
    bool late; /* which has been told */
    bool trailers_follow;
    bool broken; /* the response cannot be completed */
};

enum { HTTP_BODY_NONE = 0, HTTP_BODY_UNKNOWN = -1 };

/*
 * The response's head; once. `body_size` bytes follow (HTTP_BODY_UNKNOWN if not known yet), which
 * are pulled with `read`. Names must not be those of hop-by-hop headers, nor content-length.
 */
void http_respond(struct http_exchange *exchange, unsigned status,
                  const struct http_header *headers, size_t count, int64_t body_size);

/* From within `read` that says HTTP_BODY_END: trailers. Version 2 only; in version 1 left out. */
void http_set_trailers(struct http_exchange *exchange, const struct http_header *trailers,
                       size_t count);

/* After HTTP_BODY_PENDING: `read` will be called again. */
void http_resume(struct http_exchange *exchange);

/* So many bytes given to `body` are done with. */
void http_consume(struct http_exchange *exchange, size_t size);

/* Breaks the exchange off: RST_STREAM with the HTTP/2 error code; version 1 closes. */
void http_reset(struct http_exchange *exchange, uint32_t code);

/*
 * What the handler keeps queued for this peer grows or shrinks by so much; together with all other
 * exchanges of the connection it must stay below http_queued_bytes_max.
 */
enum { http_queued_bytes_max = 64 * 1024 * 1024 };
void http_add_queued(struct http_exchange *exchange, int64_t bytes);
size_t http_queued(const struct http_exchange *exchange);

#endif
