#ifndef WAYBILL_PLATFORM_RPC_CLIENT_H
#define WAYBILL_PLATFORM_RPC_CLIENT_H

#include "platform/base/arena.h"
#include "platform/base/error.h"
#include "platform/base/text.h"
#include "platform/io/tls.h"
#include "platform/rpc/status.h"

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

/*
 * The client: gRPC over HTTP/2 to one server, over one connection or a few, many calls at once,
 * driven by the caller's libuv loop. All functions and completions: the loop's thread.
 *
 * Connections are made when calls need them and again after they were lost. They are plain, in TLS,
 * or a pair of sockets within this process: the same calls, whoever answers.
 */
struct rpc_client;
struct rpc_client_call;

struct rpc_client_options {
    const char *server; /* "HOST:PORT" */
    /*
     * Instead of connecting: gives a connected stream socket, which becomes the client's, or a
     * negative errno. `server` is then only a name for texts, :authority is "localhost".
     * rpc_server_connect_local is one. The process must ignore SIGPIPE.
     */
    int (*connect)(void *context);
    void *connect_context;
    const struct tls_settings *tls; /* NULL = plain; read when the client is created */
    const char *tls_server_name;    /* NULL = the host of `server` */
    int64_t connect_timeout_us;
    int64_t keepalive_us; /* with calls in flight and nothing heard for so long: PING; 0 = never */
    int64_t keepalive_timeout_us;  /* the PING unanswered for so long: the connection is lost */
    uint32_t connections_max;      /* a further one is made when those there are have … */
    uint32_t calls_per_connection; /* … so many calls each */
    size_t response_bytes_max;     /* of one message */
    uint32_t calls_max;            /* at once; a further call answers OVERLOADED */
    uint32_t attempts_max;         /* of a call that may be repeated */
};

struct rpc_client_options rpc_client_options_default(void);

/*
 * Parts of the messages of our own making, by which those who know a person's mistakes can give
 * advice: who answers there is not the server that is meant.
 */
extern const char rpc_client_no_grpc[];       /* HTTP, but no gRPC, is spoken there */
extern const char rpc_client_ended_at_once[]; /* connected, and ended before a byte came */
extern const char rpc_client_no_tls[];        /* plain bytes where TLS was expected */
extern const char rpc_client_untrusted[];     /* TLS, but its certificate is not believed */
extern const char rpc_client_not_in_time[];   /* no connection within connect_timeout_us */

/* How one call is made; all zero is the usual way. */
struct rpc_client_call_options {
    int64_t timeout_us; /* 0 = no deadline */
    /*
     * It has no effect, or an id that makes it act once: after UNAVAILABLE it is sent again, with
     * growing pauses and jitter, until the deadline or attempts_max. Without this only a call that
     * the server surely never looked at (REFUSED_STREAM, GOAWAY) is sent again. While more than
     * half of the recent calls fail nothing is repeated (gRFC A6, retry throttling).
     */
    bool may_repeat;
    bool compress; /* the request, by gzip */
    /*
     * Key, value, key, value, …: keys in lower case, values of printable ASCII; the value of a key
     * that ends in "-bin" is given in Base64.
     */
    const char *const *metadata;
    size_t metadata_count; /* pairs, at most 48 */
};

/*
 * What came of a call. `status.code` OK: `response` is the unpacked message. Otherwise NULL, and
 * the status is the server's, or UNAVAILABLE / DEADLINE_EXCEEDED / CANCELLED / INTERNAL of our own
 * making. Everything lives until the completion returns.
 */
struct rpc_client_result {
    struct rpc_status status;
    const ProtobufCMessage *response;
};

typedef void rpc_client_done(void *context, const struct rpc_client_result *result);

/*
 * Makes a client. Errors: INVALID_SETTING (address, TLS files), OUT_OF_MEMORY.
 */
struct error rpc_client_create(struct rpc_client **client, uv_loop_t *loop,
                               const struct rpc_client_options *options);

/* Ends all calls with CANCELLED, closes; `closed` is called when the client is gone. */
void rpc_client_close(struct rpc_client *client, void (*closed)(void *context), void *context);

/*
 * Sends one unary call. `path` is "/waybill.inventory.v1.InventoryService/Reserve"; the request is
 * packed before this returns. timeout_us 0 = no deadline. `done` is called exactly once, never
 * before this function returns. Without memory the result is RESOURCE_EXHAUSTED.
 */
void rpc_client_call(struct rpc_client *client, const char *path, const ProtobufCMessage *request,
                     const ProtobufCMessageDescriptor *response_descriptor, int64_t timeout_us,
                     rpc_client_done *done, void *context);

/*
 * The same with all options. What it gives may be cancelled until `done` runs; NULL: it could not
 * be made, and `done` will say so.
 */
struct rpc_client_call *rpc_client_call_with(struct rpc_client *client, const char *path,
                                             const ProtobufCMessage *request,
                                             const ProtobufCMessageDescriptor *response_descriptor,
                                             const struct rpc_client_call_options *options,
                                             rpc_client_done *done, void *context);

/* Ends a call, unary or a stream, with CANCELLED; its completion follows, never from within. */
void rpc_client_stream_cancel(struct rpc_client_call *call);

/* Calls and streams not yet ended. */
uint32_t rpc_client_calls_in_flight(const struct rpc_client *client);

/* --- streams: server streaming, client streaming, bidirectional --- */

/* What a stream tells. Never from within a function below. Any member but `closed` may be NULL. */
struct rpc_client_stream_handler {
    /* One message, alive until this returns. */
    void (*message)(void *context, struct rpc_client_call *call, const ProtobufCMessage *message);
    /* What was sent has left; there is room again after a send told false. */
    void (*writable)(void *context, struct rpc_client_call *call);
    /* Last of all, once, whoever ended it; the call is gone afterwards. */
    void (*closed)(void *context, const struct rpc_status *status);
};

/*
 * Opens a stream; it is never repeated. NULL: too many calls, or no memory; the handler hears
 * nothing then. `handler` lives as long as the call.
 */
struct rpc_client_call *rpc_client_stream_open(
    struct rpc_client *client, const char *path,
    const ProtobufCMessageDescriptor *response_descriptor,
    const struct rpc_client_call_options *options, const struct rpc_client_stream_handler *handler,
    void *context);

/*
 * Queues one message. False: so much waits (1 MiB) that no more should be sent until `writable`, or
 * there is no memory, and then the stream ends with RESOURCE_EXHAUSTED.
 */
bool rpc_client_stream_send(struct rpc_client_call *call, const ProtobufCMessage *message);

/* No more messages from this side. */
void rpc_client_stream_finish(struct rpc_client_call *call);

/*
 * Whether messages are wanted now; they are from the start. While they are not, at most a window
 * (1 MiB) is taken from the server, and what was taken is not delivered.
 */
void rpc_client_stream_read(struct rpc_client_call *call, bool wanted);

#endif
