#ifndef WAYBILL_PLATFORM_RPC_RPC_CALL_H
#define WAYBILL_PLATFORM_RPC_RPC_CALL_H

#include "platform/base/arena.h"
#include "platform/base/buffer.h"
#include "platform/rpc/http2_connection.h"
#include "platform/rpc/method_table.h"
#include "platform/rpc/server.h"
#include "platform/rpc/server_loop.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * One call at the server. It lives while its HTTP/2 stream lives *or* its handler has not answered;
 * a handler's store may be writing into the arena at any time until then, so the loop itself never
 * allocates there while an answer is awaited. Thread: its loop's.
 */
enum { message_prefix_bytes = 5 };

/* One framed message on its way out. */
struct outgoing {
    struct outgoing *next;
    size_t size;
    char data[];
};

struct rpc_call {
    struct server_loop *loop;
    struct http2_connection *connection; /* NULL when the stream is gone */
    int32_t stream_id;
    const struct method_entry *method;
    struct rpc_call *previous; /* of the connection's calls, or of the idle ones */
    struct rpc_call *next;
    struct arena arena;
    int64_t deadline_us;
    size_t deadline_index; /* in the loop's heap; SIZE_MAX = not there */

    /* in */
    struct buffer input;       /* bytes not yet a whole message */
    ProtobufCMessage *request; /* unary */
    bool half_closed;          /* the caller has sent everything */
    bool handler_reading;      /* streams: a message may be delivered */
    bool half_close_told;
    bool delivering;
    bool has_path;
    bool is_grpc;       /* by its content-type */
    bool is_compressed; /* by its grpc-encoding: not taken */
    bool timeout_is_bad;
    int64_t timeout_us; /* INT64_MAX = none */

    /* the handler */
    bool dispatched;
    bool answered; /* the handler is done; unary: answer or fail was called */
    void *stream_context;

    /* out */
    bool headers_sent;
    bool body_deferred;
    bool finishing; /* trailers follow what is queued */
    bool was_full;
    struct outgoing *output;
    struct outgoing *output_last;
    size_t output_sent; /* of the first */
    size_t output_count;
    size_t output_bytes;
    enum grpc_status status;
    char *status_message; /* percent-encoded, heap; NULL = none */
    char *status_details; /* Base64, heap; NULL = none */
};

/* A call for a new stream, from the idle list or the heap; NULL without memory. */
struct rpc_call *rpc_call_open(struct server_loop *loop, struct http2_connection *connection,
                               int32_t stream_id);

/* Whether its method streams. */
bool rpc_call_is_stream(const struct rpc_call *call);

/* The call is over and its handler is done with it: the call may serve again. */
void rpc_call_recycle(struct rpc_call *call);

/* Releases the idle calls when the loop ends. */
void rpc_call_release_idle(struct server_loop *loop);

/* One header of the request; name and value live until it returns. */
void rpc_call_header(struct rpc_call *call, struct text name, struct text value);

/* The header block is complete. */
void rpc_call_headers_complete(struct rpc_call *call);

/* Bytes of the request. False: the stream must be reset (out of memory). */
void rpc_call_input(struct rpc_call *call, struct text bytes);

/* The caller has sent everything. */
void rpc_call_half_closed(struct rpc_call *call);

/* The last frame of the response has been sent. */
void rpc_call_response_ended(struct rpc_call *call);

/* The stream is gone, for whatever reason. */
void rpc_call_stream_closed(struct rpc_call *call);

/* The deadline has passed. */
void rpc_call_deadline_passed(struct rpc_call *call);

#endif
