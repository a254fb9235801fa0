#ifndef WAYBILL_PLATFORM_RPC_SERVER_RPC_PROTOCOL_H
#define WAYBILL_PLATFORM_RPC_SERVER_RPC_PROTOCOL_H

#include "platform/rpc/server/rpc_call.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * How one of the protocols puts a call into HTTP: what its messages stand in, and how its response
 * begins and ends. gRPC (grpc/doc/PROTOCOL-HTTP2.md), gRPC-Web (grpc/doc/PROTOCOL-WEB.md) and
 * Connect (connectrpc.com/docs/protocol) differ in this alone; all else is shared.
 * Thread: the loop's.
 */
struct rpc_protocol {
    const char *name;
    bool is_enveloped; /* messages have the 5-byte prefix; otherwise the body is the message */
    bool is_text;      /* the body is Base64 of that */
    bool in_trailers;  /* the status comes as HTTP trailers */
    /* The response's head, before the first message. NULL: it waits for the end. */
    void (*begin)(struct rpc_call *call);
    /* What is queued is all; call->status is set. Says so, with the details of `status`. */
    void (*end)(struct rpc_call *call, const struct rpc_status *status);
    /* in_trailers: the response's last part, when the queue has left. */
    void (*send_trailers)(struct rpc_call *call);
};

extern const struct rpc_protocol grpc_protocol;
extern const struct rpc_protocol grpc_web_protocol;
extern const struct rpc_protocol grpc_web_text_protocol;
extern const struct rpc_protocol connect_unary_protocol;
extern const struct rpc_protocol connect_stream_protocol;

/* The protocol and codec of a content type; NULL if it is none of ours. */
const struct rpc_protocol *rpc_protocol_of(struct text content_type, enum rpc_codec *codec);

/* The content type of a response. */
const char *rpc_content_type(const struct rpc_call *call);

/* Flags of an envelope. */
enum {
    envelope_compressed = 0x01,
    envelope_end_stream = 0x02,  /* Connect */
    envelope_web_trailers = 0x80 /* gRPC-Web */
};

/* Whether messages of the response are compressed. */
bool rpc_response_compresses(const struct rpc_call *call);

/*
 * A response's headers under way, with room for a call's metadata.
 */
enum { response_headers_max = 96, header_value_bytes_max = 8192 };
struct response_headers {
    struct rpc_call *call;
    struct http_header all[response_headers_max];
    size_t count;
};
/* Begins with what the browser of a page that calls must be told (fetch.spec.whatwg.org, CORS). */
void response_headers_init(struct response_headers *headers, struct rpc_call *call);
void response_headers_add(struct response_headers *headers, const char *name, struct text value);
/* The same for two literals, which are not copied on their way. */
void response_headers_add_constant(struct response_headers *headers, const char *name,
                                   const char *value);
/* Each pair, binary ones in Base64, with `prefix` before its name. */
void response_headers_add_metadata(struct response_headers *headers,
                                   const struct metadata_list *list, const char *prefix);

/* Queues an envelope of the protocol's own making. Without memory it is left out. */
void rpc_response_queue_envelope(struct rpc_call *call, unsigned flags, struct text bytes);
/* Queues a whole body. */
void rpc_response_queue_body(struct rpc_call *call, struct text bytes);

/* Percent-encoding of grpc-message: all but printable ASCII, and '%' itself. Heap, NULL without
 * memory. */
char *grpc_message_encode(struct text message);

/* Connect's {"code": …, "message": …, "details": […]}. False: limit or memory. */
bool connect_error_write(const struct rpc_status *status, struct buffer *out);

/* The HTTP status of a code in Connect's unary protocol. */
unsigned connect_http_status(enum grpc_status status);

#endif
