#ifndef WAYBILL_PLATFORM_HTTP_CLIENT_HTTP_CLIENT_H
#define WAYBILL_PLATFORM_HTTP_CLIENT_HTTP_CLIENT_H

#include "platform/base/error.h"
#include "platform/base/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

/*
 * HTTP/1.1 requests to other people's servers (RFC 9110, 9112), without blocking the loop: libcurl
 * does the protocol, the caller's libuv loop the waiting. Connections are kept and used again; TLS
 * certificates are verified; proxies are not used, redirects not followed, cookies not kept.
 * Thread: the loop's, for everything.
 */
struct http_client;

struct http_client_options {
    size_t connections_max; /* of the whole client; further requests wait */
    size_t connections_per_host_max;
    int64_t idle_us_max;                 /* an unused connection is closed after so long */
    const char *certificate_authorities; /* a PEM file; NULL = the machine's */
};

/* 64 connections, 16 a host, 55 s idle. */
struct http_client_options http_client_options_default(void);

struct http_client_header {
    struct text name;
    struct text value;
};

struct http_client_request {
    struct text method; /* "GET", "POST", "PUT", "DELETE" */
    struct text url;    /* http or https */
    const struct http_client_header *headers;
    size_t header_count;
    struct text body;
    int64_t connect_us_max;  /* > 0: name, connection, TLS */
    int64_t total_us_max;    /* > 0: all of it */
    size_t answer_bytes_max; /* of the body */
    /*
     * The request leaves on a connection of its own. libcurl sends a request again by itself when a
     * kept connection turns out to be dead, although the server may have read it; what must not be
     * done twice sets this.
     */
    bool at_most_once;
};

enum http_client_verdict {
    HTTP_CLIENT_ANSWERED, /* a whole answer, whatever its status */
    HTTP_CLIENT_NOT_SENT, /* not a byte of the request left: nothing was done */
    HTTP_CLIENT_UNKNOWN,  /* it may have arrived: cut, too slow, too long, no HTTP */
};

/* Lives until `done` returns. */
struct http_client_answer {
    enum http_client_verdict verdict;
    struct error error; /* unless ANSWERED: NETWORK, DEADLINE, LIMIT, PROTOCOL, CANCELLED, … */
    unsigned status;    /* 0 unless ANSWERED */
    struct text body;
    const struct http_client_header *headers; /* names as they came */
    size_t header_count;
};

typedef void http_client_done(void *context, const struct http_client_answer *answer);

/* Errors: OUT_OF_MEMORY, INTERNAL. The loop must outlive the client. */
struct error http_client_create(struct http_client **client, uv_loop_t *loop,
                                const struct http_client_options *options);

/*
 * Starts a request; it is copied. `done` comes exactly once, and never before this returns. Errors,
 * where nothing was started and `done` will not come: OUT_OF_MEMORY, INVALID_INPUT (no such URL),
 * CANCELLED (being closed).
 */
__attribute__((warn_unused_result)) struct error http_client_send(
    struct http_client *client, const struct http_client_request *request, http_client_done *done,
    void *context);

/* Value of a header of the answer, any case; empty if it has none. */
struct text http_client_answer_header(const struct http_client_answer *answer, const char *name);

/* Requests that have not been answered yet. */
size_t http_client_pending(const struct http_client *client);

/*
 * Ends all requests (their `done` comes from here, CANCELLED), closes the connections, and releases
 * the client in later turns of the loop; then `closed`, which may be NULL. Not from within `done`.
 */
void http_client_close(struct http_client *client, void (*closed)(void *context), void *context);

#endif
