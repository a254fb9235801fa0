/*
 * Goal: the client's streams, pool, deadlines, repeats, keepalive and connections within the
 * process do what client.h says, and a failed allocation ends a call, not the process. Method: the
 * real server on a thread of its own with its health and reflection services; peers that are a
 * closed or silent end of a pair of sockets.
 */
#include "platform/rpc/client.h"

#include "grpc/health/v1/health.pb-c.h"
#include "grpc/reflection/v1/reflection.pb-c.h"
#include "platform/base/memory.h"
#include "platform/rpc/server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { patience_ms = 20000, peers_max = 16 };

/* How the next connections are made. */
enum peer { PEER_SERVER, PEER_CLOSED, PEER_SILENT, PEER_NONE };

struct fixture {
    uv_loop_t loop;
    struct rpc_server *server;
    struct rpc_client *client;
    bool client_closed;
    enum peer peers[peers_max]; /* of the first connections; further ones get the server */
    int silent[peers_max];      /* the other ends of silent peers */
    size_t silent_count;
    size_t connected;

    unsigned done;
    enum grpc_status status;
    char status_message[256];
    unsigned messages;
    Grpc__Health__V1__HealthCheckResponse__ServingStatus serving;
    unsigned closed;
    unsigned writable;
};

static int connect_peer(void *context)
{
    struct fixture *fixture = context;
    enum peer peer =
        fixture->connected < peers_max ? fixture->peers[fixture->connected] : PEER_SERVER;
    int pair[2];
    fixture->connected++;
    if (peer == PEER_SERVER)
        return rpc_server_connect_local(fixture->server);
    if (peer == PEER_NONE)
        return -ECONNREFUSED;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) != 0)
        return -errno;
    if (peer == PEER_CLOSED)
        close(pair[1]);
    else
        fixture->silent[fixture->silent_count++] = pair[1];
    return pair[0];
}

static struct rpc_client_options local_options(struct fixture *fixture)
{
    struct rpc_client_options options = rpc_client_options_default();
    options.server = "the server of this test";
    options.connect = connect_peer;
    options.connect_context = fixture;
    return options;
}

static void open_client(struct fixture *fixture, const struct rpc_client_options *options)
{
    struct error error = rpc_client_create(&fixture->client, &fixture->loop, options);
    assert_string_equal(error.detail, "");
}

static int set_up(void **state)
{
    static struct fixture fixture;
    struct rpc_server_options options = rpc_server_options_default();
    fixture = (struct fixture){0};
    options.http.listen = "127.0.0.1:0";
    if (uv_loop_init(&fixture.loop) != 0 ||
        error_is(rpc_server_open(&fixture.server, &options, NULL, 0)))
        return -1;
    *state = &fixture;
    return 0;
}

static void on_client_closed(void *context)
{
    ((struct fixture *)context)->client_closed = true;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    if (fixture->client != NULL)
        rpc_client_close(fixture->client, on_client_closed, fixture);
    while (fixture->client != NULL && !fixture->client_closed)
        uv_run(&fixture->loop, UV_RUN_ONCE);
    for (size_t i = 0; i < fixture->silent_count; i++)
        close(fixture->silent[i]);
    int busy = uv_loop_close(&fixture->loop);
    rpc_server_drain(fixture->server);
    rpc_server_destroy(fixture->server);
    return busy;
}

/* Runs the loop until the counter has come that far. */
static void wait_for(struct fixture *fixture, const unsigned *counter, unsigned wanted)
{
    uint64_t until_ms = uv_hrtime() / 1000000 + patience_ms;
    while (*counter < wanted) {
        assert_true(uv_hrtime() / 1000000 < until_ms);
        uv_run(&fixture->loop, UV_RUN_NOWAIT);
    }
}

/* --- unary --- */

static void on_done(void *context, const struct rpc_client_result *result)
{
    struct fixture *fixture = context;
    fixture->status = result->status.code;
    snprintf(fixture->status_message, sizeof fixture->status_message, "%.*s",
             (int)result->status.message.size, result->status.message.data);
    fixture->done++;
}

static void check_with(struct fixture *fixture, const struct rpc_client_call_options *options)
{
    Grpc__Health__V1__HealthCheckRequest request = GRPC__HEALTH__V1__HEALTH_CHECK_REQUEST__INIT;
    rpc_client_call_with(fixture->client, "/grpc.health.v1.Health/Check", &request.base,
                         &grpc__health__v1__health_check_response__descriptor, options, on_done,
                         fixture);
}

static enum grpc_status check(struct fixture *fixture,
                              const struct rpc_client_call_options *options)
{
    unsigned before = fixture->done;
    check_with(fixture, options);
    wait_for(fixture, &fixture->done, before + 1);
    return fixture->status;
}

/* --- streams --- */

static void on_message(void *context, struct rpc_client_call *call, const ProtobufCMessage *message)
{
    struct fixture *fixture = context;
    (void)call;
    if (message->descriptor == &grpc__health__v1__health_check_response__descriptor)
        fixture->serving = ((const Grpc__Health__V1__HealthCheckResponse *)message)->status;
    fixture->messages++;
}

static void on_writable(void *context, struct rpc_client_call *call)
{
    (void)call;
    ((struct fixture *)context)->writable++;
}

static void on_closed(void *context, const struct rpc_status *status)
{
    struct fixture *fixture = context;
    fixture->status = status->code;
    fixture->closed++;
}

static const struct rpc_client_stream_handler stream_handler = {
    .message = on_message,
    .writable = on_writable,
    .closed = on_closed,
};

static struct rpc_client_call *watch(struct fixture *fixture, int64_t timeout_us)
{
    struct rpc_client_call_options options = {.timeout_us = timeout_us};
    Grpc__Health__V1__HealthCheckRequest request = GRPC__HEALTH__V1__HEALTH_CHECK_REQUEST__INIT;
    struct rpc_client_call *call = rpc_client_stream_open(
        fixture->client, "/grpc.health.v1.Health/Watch",
        &grpc__health__v1__health_check_response__descriptor, &options, &stream_handler, fixture);
    if (call == NULL)
        return NULL;
    (void)rpc_client_stream_send(call, &request.base);
    rpc_client_stream_finish(call);
    return call;
}

static struct rpc_client_call *reflect(struct fixture *fixture, bool compress)
{
    struct rpc_client_call_options options = {.compress = compress};
    return rpc_client_stream_open(fixture->client,
                                  "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
                                  &grpc__reflection__v1__server_reflection_response__descriptor,
                                  &options, &stream_handler, fixture);
}

static bool ask(struct rpc_client_call *call, const char *symbol)
{
    Grpc__Reflection__V1__ServerReflectionRequest request =
        GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__INIT;
    request.message_request_case =
        GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST_FILE_CONTAINING_SYMBOL;
    request.file_containing_symbol = (char *)symbol;
    return rpc_client_stream_send(call, &request.base);
}

static void server_stream_delivers_each_message_until_it_is_cancelled(void **state)
{
    struct fixture *fixture = *state;
    struct rpc_client_options options = local_options(fixture);
    open_client(fixture, &options);
    struct rpc_client_call *call = watch(fixture, 0);
    wait_for(fixture, &fixture->messages, 1);
    assert_int_equal(fixture->serving,
                     GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__SERVING);
    rpc_server_set_serving(fixture->server, "", false);
    wait_for(fixture, &fixture->messages, 2);
    assert_int_equal(fixture->serving,
                     GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__NOT_SERVING);
    assert_int_equal(fixture->closed, 0);
    rpc_client_stream_cancel(call);
    assert_int_equal(fixture->closed, 0); /* never from within a function of the client */
    wait_for(fixture, &fixture->closed, 1);
    assert_int_equal(fixture->status, GRPC_STATUS_CANCELLED);
    assert_int_equal(rpc_client_calls_in_flight(fixture->client), 0);
}

static void deadline_ends_a_stream(void **state)
{
    struct fixture *fixture = *state;
    struct rpc_client_options options = local_options(fixture);
    open_client(fixture, &options);
    assert_non_null(watch(fixture, 50000));
    wait_for(fixture, &fixture->closed, 1);
    assert_int_equal(fixture->status, GRPC_STATUS_DEADLINE_EXCEEDED);
}

/* 20,000 questions of 1 KiB, far more than the queue and the windows hold, either way. */
static void both_sides_of_a_stream_have_flow_control(void **state)
{
    enum { questions = 20000, symbol_bytes = 1000 };
    struct fixture *fixture = *state;
    struct rpc_client_options options = local_options(fixture);
    char symbol[symbol_bytes + 1];
    unsigned full = 0;
    memset(symbol, 'x', symbol_bytes);
    symbol[symbol_bytes] = '\0';
    open_client(fixture, &options);
    struct rpc_client_call *call = reflect(fixture, false);
    for (unsigned i = 0; i < questions; i++) {
        if (!ask(call, symbol)) {
            unsigned before = fixture->writable;
            full++;
            wait_for(fixture, &fixture->writable, before + 1);
        }
    }
    rpc_client_stream_finish(call);
    wait_for(fixture, &fixture->closed, 1);
    assert_int_equal(fixture->status, GRPC_STATUS_OK);
    assert_int_equal(fixture->messages, questions);
    assert_true(full > 0);
}

static void stream_that_is_not_read_stalls_only_itself(void **state)
{
    enum { questions = 5000 };
    struct fixture *fixture = *state;
    struct rpc_client_options options = local_options(fixture);
    struct rpc_client_call_options usual = {.timeout_us = INT64_C(10000000)};
    open_client(fixture, &options);
    struct rpc_client_call *call = reflect(fixture, true);
    rpc_client_stream_read(call, false);
    for (unsigned i = 0; i < questions; i++)
        (void)ask(call, "grpc.health.v1.Health");
    rpc_client_stream_finish(call);
    for (unsigned i = 0; i < 100; i++)
        assert_int_equal(check(fixture, &usual), GRPC_STATUS_OK);
    assert_int_equal(fixture->messages, 0);
    rpc_client_stream_read(call, true);
    assert_int_equal(fixture->messages, 0);
    wait_for(fixture, &fixture->closed, 1);
    assert_int_equal(fixture->status, GRPC_STATUS_OK);
    assert_int_equal(fixture->messages, questions);
}

/* What is consumed of the window is told late; a large message must fit in what is left. */
static void large_messages_behind_smaller_ones_arrive(void **state)
{
    static const size_t sizes[] = {500000, 1000000, 40000, 1040000, 520000, 1000000};
    struct fixture *fixture = *state;
    struct rpc_client_options options = local_options(fixture);
    static char symbol[1040001];
    open_client(fixture, &options);
    struct rpc_client_call *call = reflect(fixture, false);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        memset(symbol, 'x', sizes[i]);
        symbol[sizes[i]] = '\0';
        (void)ask(call, symbol);
    }
    rpc_client_stream_finish(call);
    wait_for(fixture, &fixture->closed, 1);
    assert_int_equal(fixture->status, GRPC_STATUS_OK);
    assert_int_equal(fixture->messages, sizeof sizes / sizeof sizes[0]);
}

static void call_that_may_be_repeated_survives_lost_connections(void **state)
{
    struct fixture *fixture = *state;
    struct rpc_client_options options = local_options(fixture);
    struct rpc_client_call_options may_repeat = {.may_repeat = true};
    fixture->peers[0] = PEER_CLOSED;
    fixture->peers[1] = PEER_NONE;
    open_client(fixture, &options);
    assert_int_equal(check(fixture, &may_repeat), GRPC_STATUS_OK);
    assert_int_equal(fixture->connected, 3);
}

static void other_call_is_told_that_the_outcome_is_unknown(void **state)
{
    struct fixture *fixture = *state;
    struct rpc_client_options options = local_options(fixture);
    struct rpc_client_call_options usual = {0};
    fixture->peers[0] = PEER_CLOSED;
    fixture->peers[1] = PEER_NONE;
    open_client(fixture, &options);
    assert_int_equal(check(fixture, &usual), GRPC_STATUS_UNAVAILABLE);
    assert_int_equal(check(fixture, &usual), GRPC_STATUS_UNAVAILABLE);
    assert_non_null(strstr(fixture->status_message, "the server of this test: "));
    assert_int_equal(check(fixture, &usual), GRPC_STATUS_OK);
}

static void repeats_end_with_their_bound_and_while_most_calls_fail(void **state)
{
    struct fixture *fixture = *state;
    struct rpc_client_options options = local_options(fixture);
    struct rpc_client_call_options may_repeat = {.may_repeat = true};
    for (size_t i = 0; i < peers_max; i++)
        fixture->peers[i] = PEER_NONE;
    options.attempts_max = 3;
    open_client(fixture, &options);
    assert_int_equal(check(fixture, &may_repeat), GRPC_STATUS_UNAVAILABLE);
    assert_int_equal(fixture->connected, 3);
    assert_int_equal(check(fixture, &may_repeat), GRPC_STATUS_UNAVAILABLE);
    assert_int_equal(check(fixture, &may_repeat), GRPC_STATUS_UNAVAILABLE);
    size_t before = fixture->connected;
    assert_int_equal(check(fixture, &may_repeat), GRPC_STATUS_UNAVAILABLE);
    assert_int_equal(fixture->connected, before + 1); /* throttled */
}

static void repeat_does_not_pass_the_deadline(void **state)
{
    struct fixture *fixture = *state;
    struct rpc_client_options options = local_options(fixture);
    struct rpc_client_call_options may_repeat = {.may_repeat = true, .timeout_us = 100000};
    options.connect_timeout_us = INT64_C(20000000);
    options.keepalive_us = 0;
    fixture->peers[0] = PEER_SILENT;
    open_client(fixture, &options);
    assert_int_equal(check(fixture, &may_repeat), GRPC_STATUS_DEADLINE_EXCEEDED);
}

static void peer_that_answers_no_ping_is_given_up(void **state)
{
    struct fixture *fixture = *state;
    struct rpc_client_options options = local_options(fixture);
    struct rpc_client_call_options usual = {0};
    options.keepalive_us = 20000;
    options.keepalive_timeout_us = 20000;
    fixture->peers[0] = PEER_SILENT;
    open_client(fixture, &options);
    assert_int_equal(check(fixture, &usual), GRPC_STATUS_UNAVAILABLE);
    assert_non_null(strstr(fixture->status_message, "PING"));
    assert_int_equal(check(fixture, &usual), GRPC_STATUS_OK);
}

static void pool_grows_with_the_calls_and_no_further_than_its_bound(void **state)
{
    struct fixture *fixture = *state;
    struct rpc_client_options options = local_options(fixture);
    options.connections_max = 4;
    options.calls_per_connection = 2;
    open_client(fixture, &options);
    for (unsigned i = 0; i < 20; i++)
        assert_non_null(watch(fixture, 0));
    wait_for(fixture, &fixture->messages, 20);
    assert_int_equal(fixture->connected, 4);
}

static void calls_over_tcp_and_with_compressed_requests_are_answered(void **state)
{
    struct fixture *fixture = *state;
    struct rpc_client_options options = rpc_client_options_default();
    struct rpc_client_call_options compressed = {.compress = true};
    options.server = rpc_server_address(fixture->server);
    open_client(fixture, &options);
    assert_int_equal(check(fixture, &compressed), GRPC_STATUS_OK);
    struct rpc_client_call *call = reflect(fixture, true);
    for (unsigned i = 0; i < 100; i++)
        (void)ask(call, "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx");
    rpc_client_stream_finish(call);
    wait_for(fixture, &fixture->closed, 1);
    assert_int_equal(fixture->status, GRPC_STATUS_OK);
    assert_int_equal(fixture->messages, 100);
}

static void call_may_be_cancelled(void **state)
{
    struct fixture *fixture = *state;
    struct rpc_client_options options = local_options(fixture);
    struct rpc_client_call_options usual = {0};
    Grpc__Health__V1__HealthCheckRequest request = GRPC__HEALTH__V1__HEALTH_CHECK_REQUEST__INIT;
    fixture->peers[0] = PEER_SILENT;
    open_client(fixture, &options);
    struct rpc_client_call *call = rpc_client_call_with(
        fixture->client, "/grpc.health.v1.Health/Check", &request.base,
        &grpc__health__v1__health_check_response__descriptor, &usual, on_done, fixture);
    assert_non_null(call);
    rpc_client_stream_cancel(call);
    assert_int_equal(fixture->done, 0);
    wait_for(fixture, &fixture->done, 1);
    assert_int_equal(fixture->status, GRPC_STATUS_CANCELLED);
}

/* The server says GOAWAY once a second; calls go on over the next connection, none fails. */
static void server_that_ends_old_connections_fails_no_call(void **state)
{
    struct fixture *fixture = *state;
    struct rpc_client_options options = rpc_client_options_default();
    struct rpc_client_call_options usual = {.timeout_us = INT64_C(10000000)};
    struct rpc_server_options aging = rpc_server_options_default();
    struct rpc_server *server;
    aging.http.listen = "127.0.0.1:0";
    aging.http.age_us_max = 1;
    assert_false(error_is(rpc_server_open(&server, &aging, NULL, 0)));
    options.server = rpc_server_address(server);
    open_client(fixture, &options);
    struct http_counters counters = {0};
    for (unsigned i = 0; counters.connections_accepted < 4; i++) {
        assert_int_equal(check(fixture, &usual), GRPC_STATUS_OK);
        http_server_count(rpc_server_http(server), &counters);
    }
    rpc_server_drain(server);
    rpc_server_destroy(server);
}

static void client_that_is_closed_ends_its_calls(void **state)
{
    struct fixture *fixture = *state;
    struct rpc_client_options options = local_options(fixture);
    struct rpc_client_call_options usual = {0};
    open_client(fixture, &options);
    assert_non_null(watch(fixture, 0));
    wait_for(fixture, &fixture->messages, 1);
    check_with(fixture, &usual);
    rpc_client_close(fixture->client, on_client_closed, fixture);
    while (!fixture->client_closed)
        uv_run(&fixture->loop, UV_RUN_ONCE);
    fixture->client = NULL;
    assert_int_equal(fixture->closed, 1);
    assert_int_equal(fixture->done, 1);
    assert_int_equal(fixture->status, GRPC_STATUS_CANCELLED);
}

/* Every allocation of the client's thread fails once; the call ends, the next one works. */
static void failed_allocation_ends_a_call_and_nothing_else(void **state)
{
    struct fixture *fixture = *state;
    struct rpc_client_options options = local_options(fixture);
    struct rpc_client_call_options usual = {.timeout_us = INT64_C(10000000)};
    open_client(fixture, &options);
    for (uint64_t n = 0; n < 200; n++) {
        unsigned ends = fixture->done + fixture->closed;
        memory_fail_after(n, 0);
        struct rpc_client_call *call = watch(fixture, 100000);
        check_with(fixture, &usual);
        uint64_t until_ms = uv_hrtime() / 1000000 + patience_ms;
        while (fixture->done + fixture->closed < ends + 1 + (call != NULL)) {
            assert_true(uv_hrtime() / 1000000 < until_ms);
            if (call != NULL)
                rpc_client_stream_cancel(call);
            call = NULL;
            uv_run(&fixture->loop, UV_RUN_NOWAIT);
        }
        memory_fail_after(UINT64_MAX, 0);
        assert_int_equal(check(fixture, &usual), GRPC_STATUS_OK);
    }
}

#define CLIENT_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    (void)signal(SIGPIPE, SIG_IGN); /* as every program of ours does */
    const struct CMUnitTest tests[] = {
        CLIENT_TEST(server_stream_delivers_each_message_until_it_is_cancelled),
        CLIENT_TEST(deadline_ends_a_stream),
        CLIENT_TEST(both_sides_of_a_stream_have_flow_control),
        CLIENT_TEST(stream_that_is_not_read_stalls_only_itself),
        CLIENT_TEST(large_messages_behind_smaller_ones_arrive),
        CLIENT_TEST(call_that_may_be_repeated_survives_lost_connections),
        CLIENT_TEST(other_call_is_told_that_the_outcome_is_unknown),
        CLIENT_TEST(repeats_end_with_their_bound_and_while_most_calls_fail),
        CLIENT_TEST(repeat_does_not_pass_the_deadline),
        CLIENT_TEST(peer_that_answers_no_ping_is_given_up),
        CLIENT_TEST(pool_grows_with_the_calls_and_no_further_than_its_bound),
        CLIENT_TEST(calls_over_tcp_and_with_compressed_requests_are_answered),
        CLIENT_TEST(call_may_be_cancelled),
        CLIENT_TEST(server_that_ends_old_connections_fails_no_call),
        CLIENT_TEST(client_that_is_closed_ends_its_calls),
        CLIENT_TEST(failed_allocation_ends_a_call_and_nothing_else),
    };
    return cmocka_run_group_tests_name("rpc_client", tests, NULL, NULL);
}
