#ifndef WAYBILL_PLATFORM_RPC_HTTP2_CONNECTION_H
#define WAYBILL_PLATFORM_RPC_HTTP2_CONNECTION_H

#include "platform/base/buffer.h"
#include "platform/rpc/server_loop.h"

#include <nghttp2/nghttp2.h>
#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

/*
 * One connection: a TCP socket, an nghttp2 session (RFC 9113), and the calls on its streams. It
 * keeps a budget against abuse: resets, pings, settings and empty frames cost, answers earn; at
 * zero the connection is ended with ENHANCE_YOUR_CALM. Thread: its loop's.
 */
struct http2_connection {
    struct server_loop *loop;
    struct http2_connection *previous;
    struct http2_connection *next;
    struct http2_connection *next_unflushed;
    uv_tcp_t socket;
    uv_write_t write;
    nghttp2_session *session;
    struct rpc_call *calls;
    struct buffer output;  /* serialized, not yet given to the socket */
    struct buffer writing; /* being written by libuv */
    int64_t open_time_us;
    int32_t budget;
    size_t queued_bytes; /* of all calls' output */
    bool unflushed;
    bool in_write;
    bool greeted; /* the peer's SETTINGS have come */
    bool closing;
};

/* Takes a connection from the listener. Failure closes it quietly. */
void http2_connection_accept(struct server_loop *loop);

/* Serializes and writes what is pending. */
void http2_connection_flush(struct http2_connection *connection);

/* Two GOAWAYs: first the notice, then the last stream. */
void http2_connection_drain(struct http2_connection *connection);

/* Ends it now: its calls lose their streams. */
void http2_connection_close(struct http2_connection *connection);

/* Something the peer did costs, or earns if negative. */
void http2_connection_charge(struct http2_connection *connection, int32_t cost);

#endif
