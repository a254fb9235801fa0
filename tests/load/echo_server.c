/*
 * An echo through the whole RPC layer: checked, unpacked, a handler, packed. What it costs beside
 * echo_bare is what the layer costs. Benchmarks only (tests/load/door_figures.py); the service is
 * grpc.testing's, with UnaryCall alone.
 *
 *     echo_server [CERTIFICATE KEY]
 *
 * Prints the address, listens on loopback with one I/O thread, serves until SIGTERM.
 */
#include "grpc/testing/test.pb-c.h"
#include "platform/base/log.h"
#include "platform/rpc/server.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

static void echo(void *context, struct rpc_call *call, const ProtobufCMessage *message)
{
    const Grpc__Testing__SimpleRequest *request = (const void *)message;
    Grpc__Testing__SimpleResponse response = GRPC__TESTING__SIMPLE_RESPONSE__INIT;
    (void)context;
    response.payload = request->payload;
    rpc_call_answer(call, &response.base);
}

static void refuse(void *context, struct rpc_call *call, const ProtobufCMessage *request)
{
    struct rpc_status status =
        rpc_status_make(rpc_call_arena(call), GRPC_STATUS_UNIMPLEMENTED, "", "not here");
    (void)context;
    (void)request;
    rpc_call_fail(call, &status);
}

static void refuse_stream(void *context, struct rpc_call *call, void **stream_context)
{
    *stream_context = NULL;
    refuse(context, call, NULL);
}

static struct rpc_service echo_service(void)
{
    static const struct rpc_stream_handler refused = {.opened = refuse_stream};
    static const struct rpc_method methods[] = {
        {.name = "EmptyCall", .unary = refuse},
        {.name = "UnaryCall", .unary = echo, .idempotent = true},
        {.name = "UnimplementedCall", .unary = refuse},
        {.name = "StreamingOutputCall", .kind = RPC_SERVER_STREAM, .stream = &refused},
        {.name = "StreamingInputCall", .kind = RPC_CLIENT_STREAM, .stream = &refused},
        {.name = "FullDuplexCall", .kind = RPC_BIDI_STREAM, .stream = &refused},
    };
    static const struct rpc_field_limit limits[] = {
        {&grpc__testing__streaming_output_call_request__descriptor, "response_parameters", 1},
    };
    return (struct rpc_service){
        .descriptor = &grpc__testing__test_service__descriptor,
        .methods = methods,
        .method_count = sizeof methods / sizeof methods[0],
        .field_limits = limits,
        .field_limit_count = 1,
    };
}

int main(int argc, char **argv)
{
    struct rpc_server_options options = rpc_server_options_default();
    struct rpc_service service = echo_service();
    const struct rpc_service *services[] = {&service};
    struct rpc_server *server;
    sigset_t signals;
    int number;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    signal(SIGPIPE, SIG_IGN);
    log_configure(LOG_LEVEL_ERROR, false);
    options.http.listen = "127.0.0.1:0";
    options.http.io_threads = 1;
    options.http.drain_us_max = 1000000;
    if (argc > 2)
        options.http.tls = (struct tls_settings){.certificate = argv[1], .key = argv[2]};
    struct error error = rpc_server_open(&server, &options, services, 1);
    if (error_is(error)) {
        fprintf(stderr, "echo_server: %s\n", error.detail);
        return 1;
    }
    printf("%s\n", rpc_server_address(server));
    fflush(stdout);
    sigwait(&signals, &number);
    rpc_server_drain(server);
    rpc_server_destroy(server);
    return 0;
}
