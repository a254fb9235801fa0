/*
 * Fuzz target: any bytes as what a server says to our client, which has a unary call, a stream of
 * answers and a stream both ways under way on that connection (streams 1, 3 and 5). Nothing may
 * crash, leak or hang; each call ends exactly once, and one that ended well has its response.
 *
 * The first byte of the input says in pieces of how many bytes the rest arrives, 0 = at once.
 */
#include "platform/rpc/client.h"

#include "grpc/health/v1/health.pb-c.h"
#include "grpc/reflection/v1/reflection.pb-c.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { patience_ms = 5000, streams = 2, turns_max = 20 };

struct trial {
    uv_loop_t *loop;
    struct rpc_client *client;
    int server;                              /* our end, the server's */
    bool connected;                          /* once; there is no second connection */
    unsigned ended;                          /* calls */
    struct rpc_client_call *paused[streams]; /* to be read on */
    bool client_closed;
};

struct stream {
    struct trial *trial;
    struct rpc_client_call *call; /* NULL = ended */
    unsigned messages;
    unsigned number;
};

static void require(bool good)
{
    if (!good)
        abort();
}

static int connect_once(void *context)
{
    struct trial *trial = context;
    int pair[2];
    if (trial->connected)
        return -ECONNREFUSED;
    trial->connected = true;
    require(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) == 0);
    trial->server = pair[1];
    return pair[0];
}

static void on_answer(void *context, const struct rpc_client_result *result)
{
    struct trial *trial = context;
    require((result->status.code == GRPC_STATUS_OK) == (result->response != NULL));
    trial->ended++;
}

/* Every other message finds a reader that needs a pause. */
static void on_message(void *context, struct rpc_client_call *call, const ProtobufCMessage *message)
{
    struct stream *stream = context;
    require(message != NULL && stream->call == call);
    if (stream->messages++ % 2 == 1)
        return;
    rpc_client_stream_read(call, false);
    stream->trial->paused[stream->number] = call;
}

static void on_closed(void *context, const struct rpc_status *status)
{
    struct stream *stream = context;
    (void)status;
    require(stream->call != NULL);
    stream->call = NULL;
    stream->trial->paused[stream->number] = NULL;
    stream->trial->ended++;
}

static const struct rpc_client_stream_handler handler = {
    .message = on_message,
    .closed = on_closed,
};

static void on_client_closed(void *context)
{
    ((struct trial *)context)->client_closed = true;
}

static void on_patience_ends(uv_timer_t *timer)
{
    (void)timer;
    abort(); /* it hangs */
}

static void turn(struct trial *trial, uv_run_mode mode)
{
    for (unsigned i = 0; i < streams; i++) {
        struct rpc_client_call *call = trial->paused[i];
        trial->paused[i] = NULL;
        if (call != NULL)
            rpc_client_stream_read(call, true);
    }
    uv_run(trial->loop, mode);
}

static void begin_calls(struct trial *trial, struct stream *both)
{
    Grpc__Health__V1__HealthCheckRequest check = GRPC__HEALTH__V1__HEALTH_CHECK_REQUEST__INIT;
    Grpc__Reflection__V1__ServerReflectionRequest ask =
        GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__INIT;
    const struct rpc_client_call_options usual = {0};
    char all[] = "";
    rpc_client_call_with(trial->client, "/grpc.health.v1.Health/Check", &check.base,
                         &grpc__health__v1__health_check_response__descriptor, &usual, on_answer,
                         trial);
    both[0].call = rpc_client_stream_open(trial->client, "/grpc.health.v1.Health/Watch",
                                          &grpc__health__v1__health_check_response__descriptor,
                                          &usual, &handler, &both[0]);
    require(both[0].call != NULL);
    rpc_client_stream_send(both[0].call, &check.base);
    rpc_client_stream_finish(both[0].call);
    ask.message_request_case =
        GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST_LIST_SERVICES;
    ask.list_services = all;
    both[1].call = rpc_client_stream_open(
        trial->client, "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
        &grpc__reflection__v1__server_reflection_response__descriptor, &usual, &handler, &both[1]);
    require(both[1].call != NULL);
    rpc_client_stream_send(both[1].call, &ask.base);
}

/* Whether the client has said something, which it does before it listens. */
static bool has_spoken(const struct trial *trial)
{
    struct pollfd ready = {.fd = trial->server, .events = POLLIN};
    return trial->connected && poll(&ready, 1, 0) == 1;
}

static void say(struct trial *trial, const uint8_t *data, size_t size, size_t piece)
{
    while (size > 0 && trial->ended < 1 + streams) {
        char heard[4096];
        size_t part = piece == 0 || piece > size ? size : piece;
        ssize_t sent = send(trial->server, data, part, MSG_NOSIGNAL);
        if (sent < 0 && errno != EAGAIN)
            break; /* the client has had enough */
        data += sent < 0 ? 0 : sent;
        size -= sent < 0 ? 0 : (size_t)sent;
        while (recv(trial->server, heard, sizeof heard, 0) > 0)
            continue;
        turn(trial, UV_RUN_NOWAIT);
    }
    shutdown(trial->server, SHUT_WR);
}

static void try(uv_loop_t *loop, const uint8_t *data, size_t size)
{
    struct trial trial = {.loop = loop, .server = -1};
    struct stream both[streams] = {{.trial = &trial}, {.trial = &trial, .number = 1}};
    struct rpc_client_options options = rpc_client_options_default();
    options.server = "fuzzer";
    options.connect = connect_once;
    options.connect_context = &trial;
    options.connections_max = 1;
    options.attempts_max = 1;
    options.response_bytes_max = 4096;
    require(!error_is(rpc_client_create(&trial.client, loop, &options)));
    begin_calls(&trial, both);
    for (int i = 0; i < turns_max && !has_spoken(&trial); i++)
        turn(&trial, UV_RUN_NOWAIT);
    require(has_spoken(&trial));
    say(&trial, data + 1, size - 1, data[0]);
    while (trial.ended < 1 + streams)
        turn(&trial, UV_RUN_ONCE);
    rpc_client_close(trial.client, on_client_closed, &trial);
    while (!trial.client_closed)
        turn(&trial, UV_RUN_ONCE);
    require(trial.ended == 1 + streams);
    close(trial.server);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uv_loop_t loop;
    static uv_timer_t patience;
    if (patience.data == NULL) {
        (void)signal(SIGPIPE, SIG_IGN);
        require(uv_loop_init(&loop) == 0 && uv_timer_init(&loop, &patience) == 0);
        patience.data = &loop;
    }
    if (size == 0)
        return 0;
    uv_update_time(&loop);
    require(uv_timer_start(&patience, on_patience_ends, patience_ms, 0) == 0);
    try(&loop, data, size);
    uv_timer_stop(&patience);
    return 0;
}
