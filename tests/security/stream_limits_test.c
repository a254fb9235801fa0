/*
 * Goal: what a stream may hold is bounded (server.h): 8,192 messages that wait to be read, 64 MiB a
 * connection, either way; who does not read, or is not read, stalls only itself. Method: the real
 * server on a thread of its own, handlers that send without regard or do not read, our client,
 * which can be told not to read.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "grpc/testing/test.pb-c.h"
#include "platform/rpc/client.h"
#include "platform/rpc/server.h"

#include <signal.h>
#include <stdatomic.h>
#include <string.h>

enum {
    patience_ms = 60000,
    messages_max = 8192,
    held_bytes_max = 64 * 1024 * 1024,
    slack_bytes = 2 * 1024 * 1024, /* frames, and what is in sockets */
    large_bytes = 1024 * 1024,
};

static uint8_t noise[large_bytes]; /* gzip makes nothing of it */

/* --- a service without manners --- */

static _Atomic uint32_t taken;      /* messages that rpc_call_send did not drop */
static _Atomic uint32_t heard;      /* messages that came */
static uint32_t wanted;             /* how many are to be sent */
static uint32_t reckless_size;      /* of each; 0 = with regard */
static _Atomic uint32_t queued_max; /* how many were sent and had not left */

struct sending {
    int32_t next;
    uint32_t queued;
};

static bool send_one(struct rpc_call *call, int32_t number, size_t size)
{
    Grpc__Testing__StreamingOutputCallResponse response =
        GRPC__TESTING__STREAMING_OUTPUT_CALL_RESPONSE__INIT;
    Grpc__Testing__Payload payload = GRPC__TESTING__PAYLOAD__INIT;
    payload.type = number;
    payload.body.data = noise;
    payload.body.len = size;
    response.payload = &payload;
    return rpc_call_send(call, &response.base);
}

static void opened(void *context, struct rpc_call *call, void **stream_context)
{
    static struct sending sending; /* one stream a test */
    (void)context;
    (void)call;
    sending = (struct sending){0};
    *stream_context = &sending;
}

static void send_with_regard(void *stream_context, struct rpc_call *call)
{
    struct sending *sending = stream_context;
    bool room = true;
    uint32_t sent = 0;
    while (room && sending->next < (int32_t)wanted) {
        room = send_one(call, sending->next++, 8);
        sent++;
    }
    if (sent > atomic_load(&queued_max))
        atomic_store(&queued_max, sent);
    if (room)
        rpc_call_finish(call);
}

static void send_recklessly(struct rpc_call *call)
{
    bool went_on = false;
    for (uint32_t i = 0; i < wanted; i++) {
        went_on = send_one(call, (int32_t)i, reckless_size);
        atomic_fetch_add(&taken, 1);
    }
    assert_false(went_on); /* long since */
}

static void output_asked(void *stream_context, struct rpc_call *call,
                         const ProtobufCMessage *message)
{
    (void)message;
    if (reckless_size > 0)
        send_recklessly(call);
    else
        send_with_regard(stream_context, call);
}

/* It takes the first message and never asks for another. */
static void hear_once(void *stream_context, struct rpc_call *call, const ProtobufCMessage *message)
{
    (void)stream_context;
    (void)call;
    (void)message;
    atomic_fetch_add(&heard, 1);
}

static void answer_empty(void *context, struct rpc_call *call, const ProtobufCMessage *request)
{
    Grpc__Testing__Empty answer = GRPC__TESTING__EMPTY__INIT;
    (void)context;
    (void)request;
    rpc_call_answer(call, &answer.base);
}

static struct rpc_service service_of_this_test(void)
{
    static const struct rpc_stream_handler output = {
        .opened = opened, .message = output_asked, .writable = send_with_regard};
    static const struct rpc_stream_handler input = {.opened = opened, .message = hear_once};
    static const struct rpc_method methods[] = {
        {.name = "EmptyCall", .unary = answer_empty},
        {.name = "UnaryCall", .unary = answer_empty},
        {.name = "UnimplementedCall", .unary = answer_empty},
        {.name = "StreamingOutputCall", .kind = RPC_SERVER_STREAM, .stream = &output},
        {.name = "StreamingInputCall", .kind = RPC_CLIENT_STREAM, .stream = &input},
        {.name = "FullDuplexCall", .kind = RPC_BIDI_STREAM, .stream = &input},
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

/* --- both sides --- */

struct fixture {
    uv_loop_t loop;
    struct rpc_service service;
    struct rpc_server *server;
    struct rpc_client *client;
    bool client_closed;
    unsigned done;
    unsigned closed;
    unsigned messages;
    bool in_order;
    enum grpc_status status;
};

static int set_up(void **state)
{
    static struct fixture fixture;
    const struct rpc_service *services[] = {&fixture.service};
    struct rpc_server_options options = rpc_server_options_default();
    struct rpc_client_options client = rpc_client_options_default();
    fixture = (struct fixture){.service = service_of_this_test(), .in_order = true};
    taken = heard = queued_max = 0;
    wanted = reckless_size = 0;
    options.http.listen = "127.0.0.1:0";
    options.message_bytes_max = 2 * large_bytes;
    if (uv_loop_init(&fixture.loop) != 0 ||
        error_is(rpc_server_open(&fixture.server, &options, services, 1)))
        return -1;
    client.server = rpc_server_address(fixture.server);
    *state = &fixture;
    return error_is(rpc_client_create(&fixture.client, &fixture.loop, &client)) ? -1 : 0;
}

static void on_client_closed(void *context)
{
    ((struct fixture *)context)->client_closed = true;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    rpc_client_close(fixture->client, on_client_closed, fixture);
    while (!fixture->client_closed)
        uv_run(&fixture->loop, UV_RUN_ONCE);
    int busy = uv_loop_close(&fixture->loop);
    rpc_server_drain(fixture->server);
    rpc_server_destroy(fixture->server);
    return busy;
}

static void wait_for(struct fixture *fixture, const unsigned *counter, unsigned until)
{
    uint64_t until_ms = uv_hrtime() / 1000000 + patience_ms;
    while (*counter < until) {
        assert_true(uv_hrtime() / 1000000 < until_ms);
        uv_run(&fixture->loop, UV_RUN_NOWAIT);
    }
}

static void on_done(void *context, const struct rpc_client_result *result)
{
    struct fixture *fixture = context;
    assert_int_equal(result->status.code, GRPC_STATUS_OK);
    fixture->done++;
}

/* Others, over the same connection, are answered. */
static void expect_answers(struct fixture *fixture, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        Grpc__Testing__Empty request = GRPC__TESTING__EMPTY__INIT;
        unsigned before = fixture->done;
        rpc_client_call(fixture->client, "/grpc.testing.TestService/EmptyCall", &request.base,
                        &grpc__testing__empty__descriptor, 0, on_done, fixture);
        wait_for(fixture, &fixture->done, before + 1);
    }
}

static void on_message(void *context, struct rpc_client_call *call, const ProtobufCMessage *message)
{
    struct fixture *fixture = context;
    const Grpc__Testing__StreamingOutputCallResponse *response = (const void *)message;
    (void)call;
    if (response->payload->type != (int32_t)fixture->messages)
        fixture->in_order = false;
    fixture->messages++;
}

static void on_closed(void *context, const struct rpc_status *status)
{
    struct fixture *fixture = context;
    fixture->status = status->code;
    fixture->closed++;
}

static const struct rpc_client_stream_handler stream_handler = {.message = on_message,
                                                                .closed = on_closed};

static struct rpc_client_call *ask_for_output(struct fixture *fixture)
{
    struct rpc_client_call_options options = {0};
    Grpc__Testing__StreamingOutputCallRequest request =
        GRPC__TESTING__STREAMING_OUTPUT_CALL_REQUEST__INIT;
    struct rpc_client_call *call =
        rpc_client_stream_open(fixture->client, "/grpc.testing.TestService/StreamingOutputCall",
                               &grpc__testing__streaming_output_call_response__descriptor, &options,
                               &stream_handler, fixture);
    assert_non_null(call);
    assert_true(rpc_client_stream_send(call, &request.base));
    rpc_client_stream_finish(call);
    return call;
}

/* --- the cases --- */

static void stream_of_more_unread_messages_than_its_limit_is_ended(void **state)
{
    struct fixture *fixture = *state;
    wanted = messages_max + 100;
    reckless_size = 1;
    ask_for_output(fixture);
    wait_for(fixture, &fixture->closed, 1);
    assert_int_equal(fixture->status, GRPC_STATUS_RESOURCE_EXHAUSTED);
    assert_int_equal(fixture->messages, messages_max); /* those before the limit still arrive */
    assert_true(fixture->in_order);
}

static void connection_that_is_owed_more_bytes_than_its_limit_loses_the_stream(void **state)
{
    struct fixture *fixture = *state;
    wanted = 100;
    reckless_size = large_bytes;
    ask_for_output(fixture);
    wait_for(fixture, &fixture->closed, 1);
    assert_int_equal(fixture->status, GRPC_STATUS_RESOURCE_EXHAUSTED);
    assert_in_range(fixture->messages, 32, held_bytes_max / large_bytes);
    expect_answers(fixture, 10);
}

static void stream_that_is_not_read_waits_and_loses_nothing(void **state)
{
    struct fixture *fixture = *state;
    wanted = 300000;
    struct rpc_client_call *call = ask_for_output(fixture);
    rpc_client_stream_read(call, false);
    expect_answers(fixture, 200);
    assert_int_equal(fixture->messages, 0);
    assert_int_equal(fixture->closed, 0);
    rpc_client_stream_read(call, true);
    wait_for(fixture, &fixture->closed, 1);
    assert_int_equal(fixture->status, GRPC_STATUS_OK);
    assert_int_equal(fixture->messages, wanted);
    assert_true(fixture->in_order);
    assert_in_range(atomic_load(&queued_max), 1, messages_max / 2);
}

/* 80 streams of 4 MiB each: more than the connection may hold. */
static void client_that_is_not_read_stalls_at_the_connections_limit(void **state)
{
    enum { streams = 80, messages_each = 4 };
    struct fixture *fixture = *state;
    struct rpc_client_call_options options = {0};
    Grpc__Testing__StreamingOutputCallRequest request =
        GRPC__TESTING__STREAMING_OUTPUT_CALL_REQUEST__INIT;
    Grpc__Testing__Payload payload = GRPC__TESTING__PAYLOAD__INIT;
    struct http_counters counters;
    payload.body.data = noise;
    payload.body.len = large_bytes;
    request.payload = &payload;
    for (unsigned i = 0; i < streams; i++) {
        struct rpc_client_call *call =
            rpc_client_stream_open(fixture->client, "/grpc.testing.TestService/FullDuplexCall",
                                   &grpc__testing__streaming_output_call_response__descriptor,
                                   &options, &stream_handler, fixture);
        for (unsigned j = 0; j < messages_each; j++)
            (void)rpc_client_stream_send(call, &request.base);
    }
    uint64_t before = UINT64_MAX;
    http_server_count(rpc_server_http(fixture->server), &counters);
    for (unsigned quiet = 0; quiet < 200; quiet++) { /* until nothing more comes */
        uv_run(&fixture->loop, UV_RUN_NOWAIT);
        uv_sleep(5);
        http_server_count(rpc_server_http(fixture->server), &counters);
        if (counters.bytes_received != before)
            quiet = 0;
        before = counters.bytes_received;
    }
    /* The first message of each stream was heard, and is held no longer. */
    uint64_t heard_bytes = (uint64_t)atomic_load(&heard) * large_bytes;
    assert_in_range(counters.bytes_received - heard_bytes, held_bytes_max / 2,
                    held_bytes_max + slack_bytes);
    assert_int_equal(fixture->closed, 0);
}

#define LIMITS_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        LIMITS_TEST(stream_of_more_unread_messages_than_its_limit_is_ended),
        LIMITS_TEST(connection_that_is_owed_more_bytes_than_its_limit_loses_the_stream),
        LIMITS_TEST(stream_that_is_not_read_waits_and_loses_nothing),
        LIMITS_TEST(client_that_is_not_read_stalls_at_the_connections_limit),
    };
    uint32_t random = 1;
    for (size_t i = 0; i < sizeof noise; i++) {
        random = random * 1664525 + 1013904223;
        noise[i] = (uint8_t)(random >> 24);
    }
    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests_name("stream_limits", tests, NULL, NULL);
}
