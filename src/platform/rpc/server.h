#ifndef WAYBILL_PLATFORM_RPC_SERVER_H
#define WAYBILL_PLATFORM_RPC_SERVER_H

#include "platform/base/arena.h"
#include "platform/base/buffer.h"
#include "platform/base/clock.h"
#include "platform/base/error.h"
#include "platform/base/executor.h"
#include "platform/http/http_routes.h"
#include "platform/http/http_server.h"
#include "platform/rpc/status.h"

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The server: one table of methods, asked by gRPC, gRPC-Web and Connect (rpc_protocol.h) over
 * HTTP/2 and HTTP/1.1, plain or in TLS, on one port (platform/http/http_server.h).
 *
 * Life of a call, all on one loop thread: request bytes → checked against the descriptor → unpacked
 * on the call's arena → handler → rpc_call_answer or rpc_call_fail, at once or later. The caller
 * may be gone by then (deadline, cancel, lost connection): answering is still required, and
 * harmless.
 */
struct rpc_server;
struct rpc_call;

/*
 * A unary request has arrived, checked and unpacked; it lives with the call. Must not block.
 * Exactly one of rpc_call_answer and rpc_call_fail follows, now or later, on this thread.
 */
typedef void rpc_unary_handler(void *context, struct rpc_call *call,
                               const ProtobufCMessage *request);

/* A method that streams; see rpc_call_send. Any member but `opened` may be NULL. */
struct rpc_stream_handler {
    /* The call is there; *stream_context is the handler's for the rest of the call. */
    void (*opened)(void *context, struct rpc_call *call, void **stream_context);
    /* One message, alive until this returns. The next comes after rpc_call_read_next. */
    void (*message)(void *stream_context, struct rpc_call *call, const ProtobufCMessage *message);
    /* The client has sent its last message. */
    void (*half_closed)(void *stream_context, struct rpc_call *call);
    /* What was sent has left; there is room again after rpc_call_send told false. */
    void (*writable)(void *stream_context, struct rpc_call *call);
    /* Last of all, always: the call is over, whoever ended it. Release stream_context. */
    void (*closed)(void *stream_context, struct rpc_call *call);
};

/* The most elements a repeated field of this message may have (DESIGN section 3 rule 8). */
struct rpc_field_limit {
    const ProtobufCMessageDescriptor *message;
    const char *field;
    uint32_t count_max;
};

/* How many messages go each way (grpc.io/docs/what-is-grpc/core-concepts). */
enum rpc_kind { RPC_UNARY, RPC_SERVER_STREAM, RPC_CLIENT_STREAM, RPC_BIDI_STREAM };

/*
 * One row of a service's table. RPC_UNARY has `unary` set, the others `stream`. The server sees to
 * it that a unary or server streaming call brings exactly one message; that a client streaming
 * handler sends exactly one is the handler's own affair.
 */
struct rpc_method {
    const char *name; /* as in the proto: "Reserve" */
    enum rpc_kind kind;
    rpc_unary_handler *unary;
    const struct rpc_stream_handler *stream;
    bool idempotent; /* no effect: may be repeated by anybody at will, and asked for by GET */
};

/*
 * A header or trailer of a call beside the protocol's own (grpc: "custom metadata"). Keys are lower
 * case; the value of a key that ends in "-bin" is the bytes themselves, on the wire Base64.
 */
struct rpc_metadata {
    const struct rpc_metadata *next;
    struct text key;
    struct text value;
};

/*
 * A service: the descriptor's methods and their handlers. Repeated fields without a row in
 * `field_limits` are refused beyond 0 elements when the server opens: every one has its own
 * maximum.
 */
struct rpc_service {
    const ProtobufCServiceDescriptor *descriptor;
    const struct rpc_method *methods;
    size_t method_count;
    const struct rpc_field_limit *field_limits;
    size_t field_limit_count;
    void *context; /* handed to the handlers */
};

struct rpc_server_options {
    struct http_server_options http;
    size_t message_bytes_max;     /* of one request: 1 MiB unary */
    size_t call_memory_bytes_max; /* the arena of one call */
    struct text descriptor_set;   /* a FileDescriptorSet, served by reflection */
    const char *title;            /* of /openapi.json */
    const char *version;
    bool own_reasons;          /* refusals of the server itself carry ErrorInfo, too */
    struct text cors_origins;  /* "https://a, https://b", "*"; empty = no page may call */
    struct http_routes routes; /* what else is read on this port; must outlive the server */
};

/* The values users get if they set nothing. */
struct rpc_server_options rpc_server_options_default(void);

/*
 * Binds, checks the tables and starts the threads; calls are taken when it returns.
 * Health (grpc.health.v1, each service and "") and reflection (grpc.reflection.v1) are added by
 * itself. Errors: INVALID_SETTING (address, a method without handler, a repeated field without
 * limit), NETWORK (cannot bind), OUT_OF_MEMORY.
 */
struct error rpc_server_open(struct rpc_server **server, const struct rpc_server_options *options,
                             const struct rpc_service *const *services, size_t service_count);

/* The address really listened on, "127.0.0.1:40001". Lives with the server. */
const char *rpc_server_address(const struct rpc_server *server);

/* The HTTP server below. Lives with the server. */
struct http_server *rpc_server_http(struct rpc_server *server);

/*
 * For rpc_client_options.connect, the server as context: calls from within this process, by the
 * same path as from anywhere, without port and TLS. As http_server_connect_local.
 */
int rpc_server_connect_local(void *server);

/* Health of one service ("" = the process); NOT_SERVING while false. Any thread. */
void rpc_server_set_serving(struct rpc_server *server, const char *service_name, bool serving);

/* Appends the metrics of all calls and connections in Prometheus' text format. False: the buffer's
 * limit or memory. Any thread. */
__attribute__((warn_unused_result)) bool rpc_server_write_metrics(struct rpc_server *server,
                                                                  struct buffer *out);

/* As http_server_drain. */
void rpc_server_drain(struct rpc_server *server);

/* Second half, when nobody can post to the loops any more: stops them. NULL is allowed. */
void rpc_server_destroy(struct rpc_server *server);

/* --- within a handler, and until the answer, on the call's loop thread --- */

/* Memory that lives until the call is over and answered. */
struct arena *rpc_call_arena(struct rpc_call *call);

/* What kind of message its requests are. */
const ProtobufCMessageDescriptor *rpc_call_request_type(const struct rpc_call *call);

/* Where completions for this call must run. */
struct executor *rpc_call_executor(struct rpc_call *call);

/* By clock_monotonic_us of the server's clock; INT64_MAX = none. */
int64_t rpc_call_deadline_us(const struct rpc_call *call);

/* The same as the contexts' commands have it: 0 = none. */
int64_t rpc_call_command_deadline_us(const struct rpc_call *call);

/* What the client allowed, by its own header; INT64_MAX = no limit. */
int64_t rpc_call_timeout_us(const struct rpc_call *call);

/* The client's metadata in the order it came, user-agent included. Lives with the call. */
const struct rpc_metadata *rpc_call_metadata(const struct rpc_call *call);

/* What stands behind '?' of a Connect GET, as it came; empty for all other calls. */
struct text rpc_call_query(const struct rpc_call *call);

/*
 * Metadata of the response, in front of its first message or behind its end. Key and value are
 * copied. Without memory, or when that part has been sent, the pair is left out.
 */
void rpc_call_add_header(struct rpc_call *call, struct text key, struct text value);
void rpc_call_add_trailer(struct rpc_call *call, struct text key, struct text value);

/* The method called. */
const ProtobufCMethodDescriptor *rpc_call_method(const struct rpc_call *call);

/*
 * Unary: packs and sends the response, status OK. The message may be released when it returns.
 * The call must not be touched afterwards.
 */
void rpc_call_answer(struct rpc_call *call, const ProtobufCMessage *response);

/* Ends the call with a status. Must not be touched afterwards (in a stream: until `closed`). */
void rpc_call_fail(struct rpc_call *call, const struct rpc_status *status);

/*
 * Streams: queues one message. False if the queue is now full: send no more until `writable`.
 * A message beyond that limit is dropped and ends the call with RESOURCE_EXHAUSTED.
 */
bool rpc_call_send(struct rpc_call *call, const ProtobufCMessage *message);

/*
 * Streams: rpc_call_send tells false when more than `bytes` are queued for this call, `writable`
 * follows at half of it. For streams of which there may be very many; without this the limit is
 * that of the connection.
 */
void rpc_call_limit_queue(struct rpc_call *call, size_t bytes);

/* Streams: sends the head of the response now, not with the first message. */
void rpc_call_send_headers(struct rpc_call *call);

/* Streams: asks for the next message (the first is asked for by the server). */
void rpc_call_read_next(struct rpc_call *call);

/* Streams: ends the call with OK after what is queued. */
void rpc_call_finish(struct rpc_call *call);

#endif
