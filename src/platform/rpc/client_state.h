#ifndef WAYBILL_PLATFORM_RPC_CLIENT_STATE_H
#define WAYBILL_PLATFORM_RPC_CLIENT_STATE_H

#include "platform/base/buffer.h"
#include "platform/rpc/client.h"

#include <nghttp2/nghttp2.h>

/*
 * What the client's three files share: client.c has the connection and the public functions,
 * client_session.c speaks HTTP/2, client_call.c turns the end of a stream into a result. Nobody
 * else includes this. Thread: the loop's.
 */
enum {
    client_prefix_bytes = 5, /* before each message: compressed flag and size */
    client_window_bytes = 16 * 1024 * 1024,
    client_call_memory_bytes_max = 64 * 1024 * 1024,
    client_address_bytes_max = 280,
};

struct rpc_client_call {
    struct rpc_client_call *previous;
    struct rpc_client_call *next;
    struct rpc_client *client;
    int32_t stream_id; /* 0 = not submitted yet */
    struct arena arena;
    char *path;
    const ProtobufCMessageDescriptor *response_descriptor;
    rpc_client_done *done;
    void *context;
    uint64_t deadline_ms; /* by uv_now; 0 = none */
    struct text request;  /* framed */
    size_t request_sent;
    struct buffer response;
    bool too_large;
    /* what the trailers said */
    bool has_status;
    int64_t status;
    int64_t http_status;
    struct text message;
    struct text details;
};

/* A call that could not even be made. */
struct refusal {
    enum error_code code;
    rpc_client_done *done;
    void *context;
};

enum connection_state {
    CONNECTION_NONE,
    CONNECTION_RESOLVING,
    CONNECTION_OPENING,
    CONNECTION_OPEN
};

struct rpc_client {
    struct rpc_client_options options;
    uv_loop_t *loop;
    char address[client_address_bytes_max];
    char *host; /* within `name` */
    char *port;
    char name[client_address_bytes_max];
    enum connection_state state;
    uv_getaddrinfo_t resolve;
    uv_connect_t connect;
    uv_tcp_t socket;
    uv_write_t write;
    uv_timer_t timer; /* deadlines, the connect time-out, failures to be told */
    uv_prepare_t before_poll;
    uv_check_t after_poll;
    nghttp2_session *session;
    struct rpc_client_call *calls;
    uint32_t call_count;
    struct refusal *refusals; /* room for calls_max */
    uint32_t refusal_count;
    uint64_t connect_until_ms;
    struct buffer output;
    struct buffer writing;
    bool in_write;
    bool socket_open;
    bool resolving;
    bool dirty;
    bool lost; /* the connection is to be given up at the next turn */
    char lost_reason[512];
    bool closing;
    bool close_pending; /* rpc_client_close was called from within a completion */
    int busy;           /* how deep in code that still needs the session */
    int handles;        /* to be closed before the client is gone */
    void (*closed)(void *context);
    void *closed_context;
    char input[64 * 1024];
};

/* Completes and releases the call, which leaves the client's list. */
void client_call_complete_with(struct rpc_client_call *call, enum grpc_status code,
                               const char *message);

/* One header or trailer of the response; both live until it returns. */
void client_call_header(struct rpc_client_call *call, struct text name, struct text value);

/* The stream has ended in good order: completes by status, trailers and message. */
void client_call_complete_by_trailers(struct rpc_client_call *call);

void client_call_release(struct rpc_client_call *call);

/* Makes client->session. 0, or nghttp2's error. */
int client_session_make(struct rpc_client *client);

/* Puts the call on the open connection. False without memory, or when it has no streams left. */
__attribute__((warn_unused_result)) bool client_call_submit(struct rpc_client_call *call);

#endif
