#ifndef WAYBILL_PLATFORM_RPC_SERVER_RPC_CALL_H
#define WAYBILL_PLATFORM_RPC_SERVER_RPC_CALL_H

#include "platform/base/arena.h"
#include "platform/base/buffer.h"
#include "platform/http/http_exchange.h"
#include "platform/rpc/messages/message_coding.h"
#include "platform/rpc/server.h"
#include "platform/rpc/server/rpc_loop.h"
#include "platform/rpc/services/method_table.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * One call at the server, whatever its framing. It lives while its HTTP exchange lives *or* its
 * handler has not answered; a handler's store may be writing into the arena at any time until then,
 * so the loop itself never allocates there while an answer is awaited. Thread: its loop's.
 */
enum {
    message_prefix_bytes = 5,
    rpc_response_bytes_max = 64 * 1024 * 1024,
    rpc_head_bytes_max = 128 * 1024, /* metadata of both directions */
};

/* How messages are written: the sub-type of the content type. */
enum rpc_codec { RPC_CODEC_PROTO, RPC_CODEC_JSON };

/* Bytes on their way out: a framed message, or the whole body of a unary answer. */
struct outgoing {
    struct outgoing *next;
    size_t size;
    bool on_arena; /* released with the call */
    char data[];
};

struct metadata_list {
    struct rpc_metadata *first;
    struct rpc_metadata *last;
    size_t count;
};

struct rpc_protocol;

struct rpc_call {
    struct rpc_loop *loop;
    struct http_exchange *exchange; /* NULL when it is gone */
    const struct method_entry *method;
    const struct rpc_protocol *protocol; /* NULL until the head is complete */
    enum rpc_codec codec;
    struct rpc_call *next; /* of the idle ones */
    struct arena arena;
    struct arena head_arena; /* metadata: lives as long as the call */
    int64_t open_time_us;
    int64_t deadline_us;
    size_t deadline_index; /* in the loop's heap; SIZE_MAX = not there */

    /* the request's head */
    const struct rpc_protocol *type_protocol; /* by the content type */
    struct text query;
    struct text origin; /* of the page that calls, if it may; otherwise empty */
    bool preflight;     /* asks what it may send */
    unsigned refusal;   /* the HTTP status it gets instead of a protocol's; 0 = none */
    const char *refusal_message;
    struct http_header refusal_header;
    struct metadata_list metadata;
    int64_t timeout_us;                /* INT64_MAX = none */
    enum message_coding stream_coding; /* of enveloped messages */
    enum message_coding body_coding;   /* of the whole body */
    bool accepts_gzip;                 /* in enveloped messages */
    bool accepts_gzip_body;
    bool has_type; /* a content type, known or not */
    bool timeout_is_bad;
    bool connect_version_is_bad;

    /* in */
    struct buffer input;       /* bytes not yet a whole message … */
    size_t input_at;           /* … behind those already used; 0 if there are none */
    ProtobufCMessage *request; /* unary */
    uint64_t message_count;    /* taken */
    bool half_closed;          /* the caller has sent everything */
    bool handler_reading;      /* streams: a message may be delivered */
    bool half_close_told;
    bool delivering;

    /* the handler */
    bool dispatched;
    bool answered; /* the handler is done; unary: answer or fail was called */
    void *stream_context;

    /* out */
    struct metadata_list headers;
    struct metadata_list trailers;
    bool headers_sent;
    bool finishing; /* the end follows what is queued */
    bool was_full;
    bool body_compressed;
    struct outgoing *output;
    struct outgoing *output_last;
    size_t output_sent; /* of the first */
    size_t output_count;
    size_t output_bytes;
    size_t
        output_bytes_max; /* streams: the handler is to wait beyond it; 0 = no limit of its own */
    enum grpc_status status;
    char *status_message; /* gRPC: percent-encoded, heap; NULL = none */
    char *status_details; /* gRPC: Base64, heap; NULL = none */
};

/* The HTTP handler that makes calls of exchanges; its loop's context is a struct rpc_loop. */
extern const struct http_handler rpc_call_handler;

/* Whether its method streams. */
static inline bool rpc_call_is_stream(const struct rpc_call *call)
{
    return call->method != NULL && call->method->method->stream != NULL;
}

/* Whether the client sends one message. */
static inline bool rpc_call_takes_one(const struct rpc_call *call)
{
    enum rpc_kind kind = call->method->method->kind;
    return kind == RPC_UNARY || kind == RPC_SERVER_STREAM;
}

/* Releases the idle calls when the loop ends. */
void rpc_call_release_idle(struct rpc_loop *loop);

/* The call is over and its handler is done with it: it may serve again. */
void rpc_call_recycle(struct rpc_call *call);

/* The deadline has passed. */
void rpc_call_deadline_passed(struct rpc_call *call);

/* Appends a copy of the pair on head_arena; nothing without memory. */
void rpc_call_add_metadata(struct rpc_call *call, struct metadata_list *list, struct text key,
                           struct text value);

#endif
