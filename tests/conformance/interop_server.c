/*
 * grpc.testing.TestService for the interop cases of other gRPC implementations
 * (github.com/grpc/grpc, doc/interop-test-descriptions.md), and for benchmarks of the RPC layer
 * alone: UnaryCall without anything asked is an echo of nothing.
 *
 *     interop_server [HOST:PORT [IO_THREADS [CERTIFICATE KEY]]]
 *
 * Prints the address and serves until SIGTERM.
 */
#include "grpc/testing/test.pb-c.h"
#include "platform/base/log.h"
#include "platform/rpc/server.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { payload_bytes_max = 4 * 1024 * 1024 };

static uint8_t zeros[payload_bytes_max];

/* Both echo headers come back as they went (custom_metadata). */
static void echo_metadata(struct rpc_call *call)
{
    for (const struct rpc_metadata *at = rpc_call_metadata(call); at != NULL; at = at->next) {
        if (text_equals_string(at->key, "x-grpc-test-echo-initial"))
            rpc_call_add_header(call, at->key, at->value);
        if (text_equals_string(at->key, "x-grpc-test-echo-trailing-bin"))
            rpc_call_add_trailer(call, at->key, at->value);
    }
}

/* Fails the call if the request asks for a status. */
static bool fail_as_asked(struct rpc_call *call, const Grpc__Testing__EchoStatus *asked)
{
    if (asked == NULL || asked->code == 0)
        return false;
    struct rpc_status status = rpc_status_make(rpc_call_arena(call), (enum grpc_status)asked->code,
                                               "", "%s", asked->message);
    rpc_call_fail(call, &status);
    return true;
}

static Grpc__Testing__Payload zeros_of(int32_t size)
{
    Grpc__Testing__Payload payload = GRPC__TESTING__PAYLOAD__INIT;
    payload.body.data = zeros;
    payload.body.len = size < 0 ? 0 : size > payload_bytes_max ? payload_bytes_max : (size_t)size;
    return payload;
}

static void empty_call(void *context, struct rpc_call *call, const ProtobufCMessage *request)
{
    Grpc__Testing__Empty answer = GRPC__TESTING__EMPTY__INIT;
    (void)context;
    (void)request;
    rpc_call_answer(call, &answer.base);
}

static void unary_call(void *context, struct rpc_call *call, const ProtobufCMessage *message)
{
    const Grpc__Testing__SimpleRequest *request = (const void *)message;
    Grpc__Testing__SimpleResponse response = GRPC__TESTING__SIMPLE_RESPONSE__INIT;
    Grpc__Testing__Payload payload = zeros_of(request->response_size);
    (void)context;
    echo_metadata(call);
    if (fail_as_asked(call, request->response_status))
        return;
    response.payload = &payload;
    rpc_call_answer(call, &response.base);
}

static void unimplemented_call(void *context, struct rpc_call *call,
                               const ProtobufCMessage *request)
{
    struct rpc_status status =
        rpc_status_make(rpc_call_arena(call), GRPC_STATUS_UNIMPLEMENTED, "", "not here");
    (void)context;
    (void)request;
    rpc_call_fail(call, &status);
}

/* --- streams; their context is the sum of what came in --- */

static void opened(void *context, struct rpc_call *call, void **stream_context)
{
    (void)context;
    *stream_context = calloc(1, sizeof(int32_t));
    echo_metadata(call);
}

static void closed(void *stream_context, struct rpc_call *call)
{
    (void)call;
    free(stream_context);
}

static void finish(void *stream_context, struct rpc_call *call)
{
    (void)stream_context;
    rpc_call_finish(call);
}

static void output_message(void *stream_context, struct rpc_call *call,
                           const ProtobufCMessage *message)
{
    const Grpc__Testing__StreamingOutputCallRequest *request = (const void *)message;
    (void)stream_context;
    for (size_t i = 0; i < request->n_response_parameters; i++) {
        Grpc__Testing__StreamingOutputCallResponse response =
            GRPC__TESTING__STREAMING_OUTPUT_CALL_RESPONSE__INIT;
        Grpc__Testing__Payload payload = zeros_of(request->response_parameters[i]->size);
        response.payload = &payload;
        rpc_call_send(call, &response.base);
    }
    if (!fail_as_asked(call, request->response_status))
        rpc_call_read_next(call);
}

static void input_message(void *stream_context, struct rpc_call *call,
                          const ProtobufCMessage *message)
{
    const Grpc__Testing__StreamingInputCallRequest *request = (const void *)message;
    if (request->payload != NULL)
        *(int32_t *)stream_context += (int32_t)request->payload->body.len;
    rpc_call_read_next(call);
}

static void answer_input(void *stream_context, struct rpc_call *call)
{
    Grpc__Testing__StreamingInputCallResponse response =
        GRPC__TESTING__STREAMING_INPUT_CALL_RESPONSE__INIT;
    response.aggregated_payload_size = *(int32_t *)stream_context;
    rpc_call_send(call, &response.base);
    rpc_call_finish(call);
}

static struct rpc_service test_service(void)
{
    static const struct rpc_stream_handler output = {
        .opened = opened, .message = output_message, .half_closed = finish, .closed = closed};
    static const struct rpc_stream_handler input = {
        .opened = opened, .message = input_message, .half_closed = answer_input, .closed = closed};
    static const struct rpc_method methods[] = {
        {.name = "EmptyCall", .unary = empty_call, .idempotent = true},
        {.name = "UnaryCall", .unary = unary_call, .idempotent = true},
        {.name = "UnimplementedCall", .unary = unimplemented_call},
        {.name = "StreamingOutputCall", .kind = RPC_SERVER_STREAM, .stream = &output},
        {.name = "StreamingInputCall", .kind = RPC_CLIENT_STREAM, .stream = &input},
        {.name = "FullDuplexCall", .kind = RPC_BIDI_STREAM, .stream = &output},
    };
    static const struct rpc_field_limit limits[] = {
        {&grpc__testing__streaming_output_call_request__descriptor, "response_parameters", 1000},
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
    struct rpc_service service = test_service();
    const struct rpc_service *services[] = {&service};
    struct rpc_server *server;
    sigset_t signals;
    int number;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    signal(SIGPIPE, SIG_IGN);
    log_configure(LOG_LEVEL_ERROR, false);
    options.http.listen = argc > 1 ? argv[1] : "127.0.0.1:0";
    options.http.io_threads = argc > 2 ? (uint32_t)atoi(argv[2]) : 1;
    if (argc > 4)
        options.http.tls = (struct tls_settings){.certificate = argv[3], .key = argv[4]};
    options.http.drain_us_max = 1000000;
    struct error error = rpc_server_open(&server, &options, services, 1);
    if (error_is(error)) {
        fprintf(stderr, "interop_server: %s\n", error.detail);
        return 1;
    }
    printf("%s\n", rpc_server_address(server));
    fflush(stdout);
    sigwait(&signals, &number);
    rpc_server_drain(server);
    rpc_server_destroy(server);
    return 0;
}
