#ifndef WAYBILL_PLATFORM_HTTP_HTTP_CONNECTION_H
#define WAYBILL_PLATFORM_HTTP_HTTP_CONNECTION_H

#include "platform/base/buffer.h"
#include "platform/http/http_exchange.h"
#include "platform/http/http_loop.h"
#include "platform/io/stream_socket.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * One connection: a socket, plain or in TLS, and the version of HTTP spoken over it, which is found
 * out by ALPN or by the client's first bytes (RFC 9113 section 3.3). It keeps a budget against
 * abuse: resets, pings, settings and empty frames cost, answers earn; at zero it is ended. The same
 * goes into its address's account (http_peers.h), and while that is overspent any further cost ends
 * it.
 * Thread: its loop's.
 */
struct http_version {
    /* Makes connection->session. False without memory. */
    bool (*open)(struct http_connection *connection);
    /* False: what came is no HTTP; the connection is closed when what is queued has left. */
    bool (*receive)(struct http_connection *connection, struct text bytes);
    /* Appends what is to be sent, about `target` bytes. False: it cannot go on. */
    bool (*serialize)(struct http_connection *connection, struct buffer *out, size_t target);
    /* Nothing to read or to write is left: it may be closed. */
    bool (*is_over)(const struct http_connection *connection);
    /* No further requests; those there are may finish. */
    void (*drain)(struct http_connection *connection);
    /* Once a second: what takes too long is ended. */
    void (*look_after)(struct http_connection *connection, int64_t now_us);
    /* Ends it politely for an exhausted budget. */
    void (*punish)(struct http_connection *connection);
    void (*release)(struct http_connection *connection);

    /* http_exchange.h */
    void (*respond)(struct http_exchange *exchange, unsigned status,
                    const struct http_header *headers, size_t count, int64_t body_size);
    void (*set_trailers)(struct http_exchange *exchange, const struct http_header *trailers,
                         size_t count);
    void (*resume)(struct http_exchange *exchange);
    void (*consume)(struct http_exchange *exchange, size_t size);
    void (*reset)(struct http_exchange *exchange, uint32_t code);
};

extern const struct http_version http_version_1;
extern const struct http_version http_version_2;

enum { http_preface_bytes = 4 }; /* "PRI " tells version 2 from any method of version 1 */

struct http_connection {
    struct stream_socket socket; /* first */
    struct http_loop *loop;
    struct http_connection *previous; /* of the loop's */
    struct http_connection *next;
    struct http_connection *next_unflushed;
    const struct http_version *version; /* NULL until known */
    void *session;                      /* the version's */
    struct http_exchange *exchanges;    /* those that are not over */
    struct http_peer *peer;             /* its address's account; NULL = has none */
    size_t queued_bytes;
    int64_t open_time_us;
    int64_t active_time_us; /* when something of use came last */
    int64_t stuck_since_us; /* while in_write: when the socket took no more */
    int64_t finish_time_us; /* when we ended it and began to wait for the peer's end; 0 = not yet */
    int32_t budget;
    int32_t points_untold; /* of abuse, for its address's account; negative = what went well */
    char preface[http_preface_bytes];
    uint8_t preface_size;
    bool unflushed;
    bool is_local; /* of this process */
    bool greeted;  /* the peer has shown that it speaks HTTP */
    bool over;     /* finish when what is queued has left */
    bool failed;   /* close then */
    bool closing;
};

/* Takes a connection from the listener, which becomes its own. Failure closes it quietly. */
void http_connection_accept(struct http_loop *loop, int descriptor,
                            const struct sockaddr_storage *peer);

/*
 * Takes a connected socket from within this process, plain whatever the server's TLS. It becomes
 * the connection's; failure closes it.
 */
void http_connection_adopt(struct http_loop *loop, int descriptor);

/* Serializes and writes what is pending. */
void http_connection_flush(struct http_connection *connection);

/*
 * No further requests; closes when those there are have been answered. While the whole loop drains
 * a peer that has connected and said nothing yet gets http_drain_grace_us to do so.
 */
void http_connection_drain(struct http_connection *connection);

/* Ends it now: its exchanges are closed. */
void http_connection_close(struct http_connection *connection);

/* The same for a peer that is too slow, which is counted. */
void http_connection_close_slow(struct http_connection *connection);

/* Requests that do not come whole in time are answered; once a second. */
void http_connection_end_late(struct http_connection *connection, int64_t now_us);

/* Something the peer did costs of its budget. */
void http_connection_charge(struct http_connection *connection, int32_t cost);

/* It is no HTTP, or against its rules, and about to be ended for that. */
void http_connection_broken(struct http_connection *connection);

/* Something went well: earns a little, up to where it started. */
void http_connection_earn(struct http_connection *connection);

/* Enters the exchange into the connection's list, takes it out. */
void http_connection_add(struct http_connection *connection, struct http_exchange *exchange);
void http_connection_remove(struct http_connection *connection, struct http_exchange *exchange);

#endif
