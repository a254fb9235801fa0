/*
 * Goal: how long a connection may live, idle and dawdle in HTTP/2, as http_server.h says, and that
 * each end is counted. Method: a real server with times of some milliseconds, raw sockets as peers,
 * frames written by hand (RFC 9113 section 4).
 */
#include "platform/http/http_server.h"

#include "platform/http/http_routes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    patience_ms = 20000,
    large_bytes = 600 * 1024,
    frame_head_bytes = 9,
    frame_goaway = 7,
    frame_headers = 1,
    frame_ping = 6,
    goaway_error_at = 4, /* of its payload: behind the last stream */
};

static unsigned fill_large(void *context, struct buffer *body)
{
    (void)context;
    for (int i = 0; i < large_bytes / 10; i++) {
        if (!buffer_append_string(body, "0123456789"))
            return 500;
    }
    return 200;
}

static const struct http_route all_routes[] = {{"/large", "text/plain", fill_large, NULL}};
static struct http_routes routes = {.all = all_routes, .count = 1};

static struct http_server_options quick_options(void)
{
    struct http_server_options options = http_server_options_default();
    options.listen = "127.0.0.1:0";
    options.drain_us_max = 1000000;
    return options;
}

static struct http_server *start(const struct http_server_options *options)
{
    struct http_server *server;
    assert_false(error_is(http_server_create(&server, options, &http_routes_handler)));
    http_server_set_context(server, 0, &routes);
    assert_false(error_is(http_server_start(server)));
    return server;
}

static void stop(struct http_server *server)
{
    http_server_drain(server);
    http_server_destroy(server);
}

/* What was counted, as plain numbers. */
struct counted {
    uint64_t slow;
    uint64_t open;
    uint64_t exchanges_open;
    uint64_t exchanges_opened;
    uint64_t heads_refused;
};

static struct counted counters_of(const struct http_server *server)
{
    struct http_counters counters;
    http_server_count(server, &counters);
    return (struct counted){
        .slow = counters.connections_slow,
        .open = counters.connections_open,
        .exchanges_open = counters.exchanges_open,
        .exchanges_opened = counters.exchanges_opened,
        .heads_refused = counters.heads_refused,
    };
}

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int connect_to(const struct http_server *server)
{
    const char *colon = strrchr(http_server_address(server), ':');
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)atoi(colon + 1)),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int peer = socket(AF_INET, SOCK_STREAM, 0);
    assert_true(peer >= 0);
    assert_int_equal(connect(peer, (struct sockaddr *)&address, sizeof address), 0);
    return peer;
}

static void say(int peer, const void *bytes, size_t size)
{
    assert_int_equal(send(peer, bytes, size, MSG_NOSIGNAL), size);
}

/* The preface, SETTINGS with the largest stream window, and the connection's as large. */
static void greet(int peer)
{
    static const char greeting[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
                                   "\0\0\6\4\0\0\0\0\0\0\4\x7f\xff\xff\xff"
                                   "\0\0\4\x8\0\0\0\0\0\x7f\x00\x00\x00";
    say(peer, greeting, sizeof greeting - 1);
}

/* GET /large, http, x (RFC 7541 appendix A for the indices), on that stream. */
static void ask(int peer, unsigned char stream)
{
    unsigned char frame[] = {0,    0,    13,  1,   5,   0,   0,   0,   stream, 0x82, 0x86,
                             0x04, 0x06, '/', 'l', 'a', 'r', 'g', 'e', 0x01,   0x01, 'x'};
    say(peer, frame, sizeof frame);
}

/* Reads one frame's type and payload; −1 at the end of the connection. */
static int read_sized_frame(int peer, unsigned char *payload, size_t room, size_t *payload_size)
{
    unsigned char head[frame_head_bytes];
    struct pollfd ready = {.fd = peer, .events = POLLIN};
    if (poll(&ready, 1, patience_ms) != 1)
        fail_msg("the server neither speaks nor closes");
    if (recv(peer, head, sizeof head, MSG_WAITALL) != (ssize_t)sizeof head)
        return -1;
    size_t size = (size_t)head[0] << 16 | (size_t)head[1] << 8 | head[2];
    assert_true(size <= room);
    *payload_size = size;
    if (size > 0 && recv(peer, payload, size, MSG_WAITALL) != (ssize_t)size)
        return -1;
    return head[3];
}

static int read_frame(int peer, unsigned char *payload, size_t room)
{
    size_t size;
    return read_sized_frame(peer, payload, room, &size);
}

/* Reads to the end. True if a GOAWAY without an error came before it; *answers are counted. */
static bool hears_goodbye(int peer, unsigned *answers)
{
    static unsigned char payload[1 << 16];
    bool goodbye = false;
    int type = read_frame(peer, payload, sizeof payload);
    while (type >= 0) {
        if (type == frame_goaway)
            goodbye = memcmp(payload + goaway_error_at, "\0\0\0\0", 4) == 0;
        *answers += type == frame_headers;
        type = read_frame(peer, payload, sizeof payload);
    }
    close(peer);
    return goodbye;
}

static void idle_connection_is_closed_with_a_goodbye(void **state)
{
    (void)state;
    struct http_server_options options = quick_options();
    unsigned answers = 0;
    options.idle_us_max = 200000;
    struct http_server *server = start(&options);
    int peer = connect_to(server);
    greet(peer);
    ask(peer, 1);
    assert_true(hears_goodbye(peer, &answers));
    assert_int_equal(answers, 1);
    stop(server);
}

static void old_connection_is_drained_though_it_is_used(void **state)
{
    (void)state;
    struct http_server_options options = quick_options();
    unsigned answers = 0;
    options.age_us_max = 200000;
    struct http_server *server = start(&options);
    int peer = connect_to(server);
    greet(peer);
    for (unsigned char stream = 1; stream < 20; stream += 2)
        ask(peer, stream);
    assert_true(hears_goodbye(peer, &answers));
    assert_int_equal(answers, 10); /* what was asked before is answered */
    stop(server);
}

static void peer_that_does_not_greet_is_closed_and_counted(void **state)
{
    (void)state;
    struct http_server_options options = quick_options();
    unsigned answers = 0;
    options.greeting_us_max = 200000;
    struct http_server *server = start(&options);
    int peer = connect_to(server);
    say(peer, "PRI * HT", 8);
    assert_false(hears_goodbye(peer, &answers));
    assert_int_equal(counters_of(server).slow, 1);
    stop(server);
}

static void peer_that_takes_nothing_is_closed_and_counted(void **state)
{
    (void)state;
    struct http_server_options options = quick_options();
    options.body_pause_us_max = 200000;
    struct http_server *server = start(&options);
    int peer = connect_to(server);
    greet(peer);
    for (unsigned char stream = 1; stream < 81; stream += 2)
        ask(peer, stream); /* 24 MB, more than sockets take */
    int64_t until_ms = now_ms() + patience_ms;
    while (counters_of(server).slow == 0) {
        assert_true(now_ms() < until_ms);
        usleep(10000);
    }
    while (counters_of(server).open > 0) {
        assert_true(now_ms() < until_ms);
        usleep(10000);
    }
    struct counted counters = counters_of(server);
    assert_int_equal(counters.exchanges_opened, 40);
    assert_int_equal(counters.exchanges_open, 0);
    close(peer);
    stop(server);
}

static void take_large_answer(int peer)
{
    static unsigned char payload[1 << 16];
    size_t taken = 0;
    while (taken < large_bytes) {
        size_t size = 0;
        int type = read_sized_frame(peer, payload, sizeof payload, &size);
        if (type < 0 || type == frame_goaway)
            fail_msg("the connection of a client that measures was ended");
        taken += type == 0 ? size : 0;
    }
}

/* As gRPC's own clients do, which measure by pings how large their windows should be. */
static void client_that_pings_while_it_gets_data_is_not_punished(void **state)
{
    (void)state;
    enum { answers = 60, pings = 36 };
    static const unsigned char ping[] = {0, 0, 8, 6, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8};
    struct http_server_options options = quick_options();
    struct http_server *server = start(&options);
    int peer = connect_to(server);
    greet(peer);
    for (int i = 0; i < answers; i++) {
        ask(peer, (unsigned char)(2 * i + 1));
        for (int j = 0; j < pings; j++)
            say(peer, ping, sizeof ping);
        take_large_answer(peer);
    }
    close(peer);
    stop(server);
}

static void request_without_end_is_answered_and_closed(void **state)
{
    (void)state;
    struct http_server_options options = quick_options();
    static const char request[] =
        "POST /large HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nhalf";
    char answer[512] = "";
    size_t size = 0;
    ssize_t got = 1;
    options.request_us_max = 200000;
    struct http_server *server = start(&options);
    int peer = connect_to(server);
    say(peer, request, sizeof request - 1);
    while (got > 0 && size < sizeof answer - 1) {
        got = recv(peer, answer + size, sizeof answer - 1 - size, 0);
        size += got > 0 ? (size_t)got : 0;
    }
    assert_memory_equal(answer, "HTTP/1.1 408 ", 13);
    assert_non_null(strstr(answer, "connection: close\r\n"));
    close(peer);
    stop(server);
}

static void refused_heads_are_counted(void **state)
{
    (void)state;
    struct http_server_options options = quick_options();
    static const char request[] = "GET /large HTTP/1.1\r\nHost: x\r\nX: ";
    char filler[2000];
    options.header_bytes_max = 1000;
    struct http_server *server = start(&options);
    int peer = connect_to(server);
    memset(filler, 'x', sizeof filler);
    say(peer, request, sizeof request - 1);
    say(peer, filler, sizeof filler);
    while (recv(peer, filler, sizeof filler, 0) > 0)
        continue;
    assert_int_equal(counters_of(server).heads_refused, 1);
    close(peer);
    stop(server);
}

static void *drain(void *server)
{
    http_server_drain(server);
    return NULL;
}

/* Reads to a frame of that type; its payload is left. */
static void hear(int peer, int wanted, unsigned char *payload, size_t room)
{
    int type = read_frame(peer, payload, room);
    while (type != wanted) {
        assert_true(type >= 0);
        type = read_frame(peer, payload, room);
    }
}

/* The notice names no stream, and a PING goes there and back before the last one is named. */
static void drain_serves_what_was_asked_before_its_notice_was_read(void **state)
{
    (void)state;
    static unsigned char payload[1 << 16];
    struct http_server_options options = quick_options();
    unsigned answers = 0;
    unsigned char pong[frame_head_bytes + 8] = {0, 0, 8, frame_ping, 1};
    pthread_t thread;
    struct http_server *server = start(&options);
    int peer = connect_to(server);
    greet(peer);
    ask(peer, 1);
    hear(peer, frame_headers, payload, sizeof payload);
    assert_int_equal(pthread_create(&thread, NULL, drain, server), 0);
    hear(peer, frame_goaway, payload, sizeof payload);
    assert_memory_equal(payload, "\x7f\xff\xff\xff\0\0\0\0", 8);
    hear(peer, frame_ping, payload, sizeof payload);
    memcpy(pong + frame_head_bytes, payload, 8);
    ask(peer, 3);
    say(peer, pong, sizeof pong);
    hear(peer, frame_headers, payload, sizeof payload);
    hear(peer, frame_goaway, payload, sizeof payload);
    assert_memory_equal(payload, "\0\0\0\3\0\0\0\0", 8);
    (void)hears_goodbye(peer, &answers);
    pthread_join(thread, NULL);
    assert_int_equal(counters_of(server).exchanges_opened, 2);
    http_server_destroy(server);
}

static void drain_waits_a_moment_for_who_does_not_answer(void **state)
{
    (void)state;
    static unsigned char payload[1 << 16];
    struct http_server_options options = quick_options();
    unsigned answers = 0;
    pthread_t thread;
    options.drain_us_max = INT64_C(3600) * 1000000;
    struct http_server *server = start(&options);
    int peer = connect_to(server);
    greet(peer);
    ask(peer, 1);
    hear(peer, frame_headers, payload, sizeof payload); /* it has been taken */
    assert_int_equal(pthread_create(&thread, NULL, drain, server), 0);
    assert_true(hears_goodbye(peer, &answers));
    pthread_join(thread, NULL);
    http_server_destroy(server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(idle_connection_is_closed_with_a_goodbye),
        cmocka_unit_test(old_connection_is_drained_though_it_is_used),
        cmocka_unit_test(peer_that_does_not_greet_is_closed_and_counted),
        cmocka_unit_test(peer_that_takes_nothing_is_closed_and_counted),
        cmocka_unit_test(client_that_pings_while_it_gets_data_is_not_punished),
        cmocka_unit_test(request_without_end_is_answered_and_closed),
        cmocka_unit_test(refused_heads_are_counted),
        cmocka_unit_test(drain_serves_what_was_asked_before_its_notice_was_read),
        cmocka_unit_test(drain_waits_a_moment_for_who_does_not_answer),
    };
    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests_name("http2_peer", tests, NULL, NULL);
}
