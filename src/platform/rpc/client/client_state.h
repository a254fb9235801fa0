#ifndef WAYBILL_PLATFORM_RPC_CLIENT_CLIENT_STATE_H
#define WAYBILL_PLATFORM_RPC_CLIENT_CLIENT_STATE_H

#include "platform/base/buffer.h"
#include "platform/base/random.h"
#include "platform/io/stream_socket.h"
#include "platform/rpc/client.h"

#include <nghttp2/nghttp2.h>

/*
 * What the client's files share: client.c has the public functions, the pool and the clock;
 * client_connection.c a socket and HTTP/2 on it; client_stream.c what goes over one stream of it;
 * client_call.c turns the end of a stream into a result, or into another attempt. Nobody else
 * includes this. Thread: the loop's.
 */
enum {
    client_prefix_bytes = 5, /* before each message: compressed flag and size */
    client_connection_window_bytes = 16 * 1024 * 1024,
    client_stream_window_bytes = 1024 * 1024,
    client_call_memory_bytes_max = 64 * 1024 * 1024,
    client_address_bytes_max = 280,
    client_queue_bytes_max = 1024 * 1024, /* of a stream's messages not yet sent */
};

/* A framed message on its way out; on the heap. */
struct client_message {
    struct client_message *next;
    size_t size;
    size_t sent;
    char bytes[];
};

struct rpc_client_call {
    struct rpc_client_call *previous;
    struct rpc_client_call *next;
    struct rpc_client *client;
    struct client_connection *connection; /* NULL = waits for one */
    int32_t stream_id;                    /* 0 = not submitted */
    char *path;
    struct arena arena; /* path, metadata; responses of a unary call */
    const char *const *metadata;
    size_t metadata_count;
    const ProtobufCMessageDescriptor *response_descriptor;
    rpc_client_done *done;                           /* unary */
    const struct rpc_client_stream_handler *handler; /* streams */
    void *context;
    uint64_t deadline_ms; /* by uv_now; 0 = none */
    uint64_t repeat_ms;   /* not to be submitted before */
    uint32_t attempts;
    bool may_repeat;
    bool compress;
    bool has_left; /* its request's head: the server may know of it */
    bool ended;    /* completed; goes when nobody stands in its code any more */

    /* out */
    struct client_message *output; /* unary: kept until the end, for another attempt */
    struct client_message *output_last;
    struct client_message *output_next; /* the one being sent */
    size_t output_bytes;                /* not sent */
    bool half_closed;
    bool deferred; /* nghttp2 asks again only after a resume */
    bool was_full;
    bool is_writable; /* to be told at the end of the turn */

    /* in */
    struct buffer input; /* bytes not yet a whole message */
    ProtobufCMessage *response;
    uint64_t message_count;
    size_t unconsumed_bytes; /* while paused */
    bool paused;
    bool to_deliver; /* stands in the client's list of that name */
    struct rpc_client_call *next_to_deliver;
    bool compressed;          /* grpc-encoding: gzip */
    bool is_over;             /* the stream ended while messages wait to be delivered */
    enum grpc_status failure; /* of our own making; OK = none */
    const char *failure_message;

    bool is_other_type; /* its content-type is not one of gRPC */
    /* what the trailers said */
    bool has_status;
    int64_t status;
    int64_t http_status;
    struct text message;
    struct text details;
};

enum connection_state { CONNECTION_RESOLVING, CONNECTION_OPENING, CONNECTION_OPEN };

struct client_connection {
    struct stream_socket socket; /* first */
    struct rpc_client *client;
    struct client_connection *next;
    enum connection_state state;
    uv_getaddrinfo_t resolve;
    nghttp2_session *session;
    uint32_t call_count;
    uint64_t connect_until_ms;
    uint64_t heard_ms;
    bool has_heard;   /* anything at all, and it may be HTTP/2 */
    uint64_t ping_ms; /* when the unanswered PING was sent; 0 = none */
    bool socket_open;
    bool resolving;
    bool dirty;
    bool lost; /* to be given up at the next turn */
    bool gone; /* given up; waits for its handles */
    char lost_reason[512];
};

/* A call that could not even be made. */
struct refusal {
    enum error_code code;
    rpc_client_done *done;
    void *context;
};

struct rpc_client {
    struct rpc_client_options options;
    uv_loop_t *loop;
    char address[client_address_bytes_max];
    char name[client_address_bytes_max];
    char *host; /* within `name` */
    char *port;
    char server_name[client_address_bytes_max];
    struct tls_identity *identity; /* NULL = plain */
    uv_timer_t timer;              /* deadlines, pauses, the connect time-out, keepalive */
    uv_prepare_t before_poll;
    uv_check_t after_poll;
    struct client_connection *connections;
    struct rpc_client_call *calls;
    struct rpc_client_call *calls_last; /* the oldest stands first */
    struct rpc_client_call *ended_calls;
    struct rpc_client_call *to_deliver; /* streams wanted again */
    uint32_t call_count;
    uint32_t waiting_count;   /* calls without a connection */
    struct refusal *refusals; /* room for calls_max */
    uint32_t refusal_count;
    int32_t repeat_tokens; /* in tenths (gRFC A6) */
    struct random_seeded random;
    bool has_writable; /* calls to be told that they are writable */
    bool closing;
    bool close_pending; /* rpc_client_close was called from within a completion */
    int busy;           /* how deep in code that still needs the sessions */
    int handles;        /* to be closed before the client is gone */
    void (*closed)(void *context);
    void *closed_context;
    struct buffer output; /* one connection's at a time */
    char scratch[64 * 1024];
};

/* --- client.c --- */

/* Completions run between these two; a close asked for there waits for the last one. */
void client_begin_busy(struct rpc_client *client);
void client_end_busy(struct rpc_client *client);

/* One of the handles that keep the client is gone. */
void client_handle_closed(struct rpc_client *client);

/* Gives waiting calls to connections, makes connections where there are too few. */
void client_place_calls(struct rpc_client *client);

/* Connections that take calls, or will. */
uint32_t client_usable_connections(const struct rpc_client *client, bool *is_connecting);

/* Takes the call out of the client's list. */
void client_unlink_call(struct rpc_client_call *call);

/* --- client_connection.c --- */

/* Begins to connect. Without memory nothing happens, and the next turn tries again. */
void client_connection_open(struct rpc_client *client);

/* Whether a call may be put there. */
bool client_connection_takes_calls(const struct client_connection *connection);

/* Sends what is pending, gives a lost connection up. Its memory may be gone afterwards. */
void client_connection_flush(struct client_connection *connection);

void client_connection_lose(struct client_connection *connection, const char *reason);

/* Time-outs and keepalive. */
void client_connection_look_after(struct client_connection *connection, uint64_t now_ms);

/* Ends it now, for a client that closes; its calls are gone already. */
void client_connection_close(struct client_connection *connection);

/* --- client_stream.c --- */

/* Makes connection->session. 0, or nghttp2's error. */
int client_session_make(struct client_connection *connection);

/* Puts the call on the connection. False without memory. */
__attribute__((warn_unused_result)) bool client_call_submit(struct rpc_client_call *call,
                                                            struct client_connection *connection);

/* Has what was queued sent. */
void client_call_resume(struct rpc_client_call *call);

/* --- client_call.c --- */

/* Frames a message and queues it. False without memory. */
__attribute__((warn_unused_result)) bool client_call_queue(struct rpc_client_call *call,
                                                           const ProtobufCMessage *message);

/* One header or trailer of the response; both live until it returns. */
void client_call_header(struct rpc_client_call *call, struct text name, struct text value);

/* Bytes of the response's body. */
void client_call_data(struct rpc_client_call *call, struct text bytes);

/* Delivers whole messages that wait in `input`, as far as they are wanted. */
void client_call_deliver(struct rpc_client_call *call);

/*
 * Its stream is over: in good order (completes by trailers), or not: UNAVAILABLE with the reason,
 * or another attempt. `untouched`: the server surely did not look at it.
 */
void client_call_stream_ended(struct rpc_client_call *call, bool in_good_order, bool untouched,
                              const char *reason);

/* Completes the call with a status of our own making; its stream, if any, is reset. */
void client_call_complete_with(struct rpc_client_call *call, enum grpc_status code,
                               const char *message);

/* Its memory, once nobody uses it. */
void client_call_release(struct rpc_client_call *call);

#endif
