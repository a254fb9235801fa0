/*
 * Goal: the small server of the operations port answers what it has and refuses everything else as
 * RFC 9110 and RFC 9112 say, whatever the peer's manners. Method: a real server on a free port of
 * the loopback, and raw sockets as peers. Random cuts print their seed; WAYBILL_SEED repeats them.
 */
#include "platform/http/http_server.h"

#include "platform/base/memory.h"
#include "platform/base/random.h"
#include "platform/http/http_routes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

enum { answer_bytes_max = 4 * 1024 * 1024, large_bytes = 600 * 1024, patience_ms = 20000 };

static _Atomic int64_t allocations_until_failure = -1;

static unsigned fill_small(void *context, struct buffer *body)
{
    (void)context;
    return buffer_append_string(body, "small\n") ? 200 : 500;
}

static unsigned fill_large(void *context, struct buffer *body)
{
    (void)context;
    for (int i = 0; i < large_bytes / 10; i++) {
        if (!buffer_append_string(body, "0123456789"))
            return 500;
    }
    return 200;
}

static unsigned fill_unready(void *context, struct buffer *body)
{
    (void)context;
    return buffer_append_string(body, "not yet\n") ? 503 : 500;
}

/* Makes an allocation of the server's own thread fail later. */
static unsigned fill_armed(void *context, struct buffer *body)
{
    (void)context;
    (void)body;
    int64_t left = allocations_until_failure;
    memory_fail_after(left < 0 ? UINT64_MAX : (uint64_t)left, 0);
    return 200;
}

static const struct http_route all_routes[] = {
    {"/small", "text/plain; charset=utf-8", fill_small, NULL},
    {"/large", "text/plain", fill_large, NULL},
    {"/unready", "text/plain", fill_unready, NULL},
    {"/arm", "text/plain", fill_armed, NULL},
};
static struct http_routes routes = {.all = all_routes,
                                    .count = sizeof all_routes / sizeof all_routes[0]};

static struct http_server *start(const struct http_server_options *options)
{
    struct http_server *server;
    struct error error = http_server_create(&server, options, &http_routes_handler);
    if (error_is(error))
        fail_msg("%s", error.detail);
    http_server_set_context(server, 0, &routes);
    error = http_server_start(server);
    assert_false(error_is(error));
    return server;
}

static struct http_server_options default_options(void)
{
    struct http_server_options options = http_server_options_default();
    options.listen = "127.0.0.1:0";
    options.drain_us_max = 1000000;
    return options;
}

static struct http_server *start_default(void)
{
    struct http_server_options options = default_options();
    return start(&options);
}

static void stop(struct http_server *server)
{
    http_server_drain(server);
    http_server_destroy(server);
}

/* --- peers --- */

static int connect_to(const struct http_server *server)
{
    const char *colon = strrchr(http_server_address(server), ':');
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)atoi(colon + 1)),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int peer = socket(AF_INET, SOCK_STREAM, 0);
    int on = 1;
    assert_true(peer >= 0);
    setsockopt(peer, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    assert_int_equal(connect(peer, (struct sockaddr *)&address, sizeof address), 0);
    return peer;
}

static void say_bytes(int peer, const char *bytes, size_t size)
{
    while (size > 0) {
        ssize_t sent = send(peer, bytes, size, MSG_NOSIGNAL);
        if (sent < 0)
            return; /* the server has ended: what it said tells */
        bytes += sent;
        size -= (size_t)sent;
    }
}

static void say(int peer, const char *string)
{
    say_bytes(peer, string, strlen(string));
}

/* Some bytes; 0 at the end of the connection; -1 if nothing came for so long. */
static ssize_t hear(int peer, char *out, size_t room, int wait_ms)
{
    struct pollfd wanted = {.fd = peer, .events = POLLIN};
    if (poll(&wanted, 1, wait_ms) == 0)
        return -1;
    ssize_t got = recv(peer, out, room, 0);
    return got < 0 ? 0 : got;
}

/* All until the server closes. The caller's to free. */
static char *hear_to_the_end(int peer)
{
    char *answer = calloc(1, answer_bytes_max);
    size_t size = 0;
    ssize_t got = 1;
    while (got > 0 && size < answer_bytes_max - 1) {
        got = hear(peer, answer + size, answer_bytes_max - 1 - size, patience_ms);
        if (got < 0)
            fail_msg("the server neither answers nor closes; so far: %s", answer);
        size += (size_t)got;
    }
    close(peer);
    return answer;
}

/* What the server says to one connection's bytes until it closes. */
static char *answer_to(const struct http_server *server, const char *request)
{
    int peer = connect_to(server);
    say(peer, request);
    return hear_to_the_end(peer);
}

static void assert_starts(const char *answer, const char *start)
{
    if (strncmp(answer, start, strlen(start)) != 0)
        fail_msg("expected \"%s\", got \"%.200s\"", start, answer);
}

/* The status line of the only answer. */
static void expect_status(const struct http_server *server, const char *request, const char *status)
{
    char *answer = answer_to(server, request);
    assert_starts(answer, status);
    assert_null(strstr(answer + 1, "HTTP/1.1 "));
    free(answer);
}

static size_t count(const char *text, const char *part)
{
    size_t found = 0;
    for (const char *at = strstr(text, part); at != NULL; at = strstr(at + 1, part))
        found++;
    return found;
}

static void assert_large_body(const char *answer)
{
    const char *body = strstr(answer, "\r\n\r\n") + 4;
    assert_int_equal(strlen(body), large_bytes);
    for (size_t i = 0; i < large_bytes; i += 10)
        assert_memory_equal(body + i, "0123456789", 10);
}

#define GET(path)  "GET " path " HTTP/1.1\r\nHost: x\r\n\r\n"
#define LAST(path) "GET " path " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"

/* --- what is there --- */

static void route_answers_with_its_type_and_size(void **state)
{
    (void)state;
    struct http_server *server = start_default();
    char *answer = answer_to(server, LAST("/small"));
    assert_string_equal(answer, "HTTP/1.1 200 OK\r\ncontent-type: text/plain; charset=utf-8\r\n"
                                "cache-control: no-store\r\ncontent-length: 6\r\n"
                                "connection: close\r\n\r\nsmall\n");
    free(answer);
    expect_status(server, LAST("/small?x=/unready"), "HTTP/1.1 200 OK\r\n");
    expect_status(server, LAST("http://host/small"), "HTTP/1.1 200 OK\r\n");
    expect_status(server, LAST("/unready"), "HTTP/1.1 503 Service Unavailable\r\n");
    stop(server);
}

static void head_has_the_size_and_no_body(void **state)
{
    (void)state;
    struct http_server *server = start_default();
    char *answer =
        answer_to(server, "HEAD /small HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    assert_non_null(strstr(answer, "content-length: 6\r\n"));
    assert_string_equal(strstr(answer, "\r\n\r\n"), "\r\n\r\n");
    free(answer);
    stop(server);
}

static void large_body_arrives_whole_at_a_slow_reader(void **state)
{
    (void)state;
    struct http_server *server = start_default();
    int peer = connect_to(server);
    int small = 64 * 1024;
    setsockopt(peer, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    say(peer, LAST("/large"));
    usleep(200000);
    char *answer = hear_to_the_end(peer);
    assert_large_body(answer);
    free(answer);
    stop(server);
}

static void unknown_path_is_404(void **state)
{
    (void)state;
    struct http_server *server = start_default();
    static const char *const requests[] = {LAST("/"),      LAST("/smal"),   LAST("/small/"),
                                           LAST("/SMALL"), LAST("//small"), LAST("/%73mall")};
    for (size_t i = 0; i < sizeof requests / sizeof requests[0]; i++)
        expect_status(server, requests[i], "HTTP/1.1 404 Not Found\r\n");
    stop(server);
}

static void other_methods_are_405(void **state)
{
    (void)state;
    struct http_server *server = start_default();
    static const char *const methods[] = {"POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH"};
    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++) {
        char request[128];
        snprintf(request, sizeof request,
                 "%s /small HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
                 methods[i]);
        char *answer = answer_to(server, request);
        assert_starts(answer, "HTTP/1.1 405 Method Not Allowed\r\n");
        assert_non_null(strstr(answer, "\r\nallow: GET, HEAD\r\n"));
        free(answer);
    }
    stop(server);
}

/* --- connections --- */

static void connection_is_kept_for_the_next_request(void **state)
{
    (void)state;
    struct http_server *server = start_default();
    struct http_counters counters;
    int peer = connect_to(server);
    for (int i = 0; i < 20; i++) {
        char answer[1024] = "";
        say(peer, GET("/small"));
        size_t size = 0;
        while (strstr(answer, "small\n") == NULL) {
            ssize_t got = hear(peer, answer + size, sizeof answer - 1 - size, patience_ms);
            assert_true(got > 0);
            size += (size_t)got;
        }
        assert_null(strstr(answer, "connection: close"));
    }
    http_server_count(server, &counters);
    assert_int_equal(counters.connections_accepted, 1);
    say(peer, "POST /small HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello" LAST("/small"));
    char *answer = hear_to_the_end(peer);
    assert_starts(answer, "HTTP/1.1 405 ");
    assert_int_equal(count(answer, "HTTP/1.1 200 OK"),
                     1); /* the body was not taken for a request */
    free(answer);
    stop(server);
}

static void old_clients_are_closed_unless_they_ask(void **state)
{
    (void)state;
    struct http_server *server = start_default();
    expect_status(server, "GET /small HTTP/1.0\r\n\r\n", "HTTP/1.1 200 OK\r\n");
    char *answer = answer_to(server, "GET /small HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"
                                     "GET /small HTTP/1.0\r\n\r\n");
    assert_int_equal(count(answer, "HTTP/1.1 200 OK"), 2);
    free(answer);
    stop(server);
}

static void pipelined_requests_are_answered_in_order(void **state)
{
    (void)state;
    struct http_server *server = start_default();
    char request[64 * 1024] = "";
    for (int i = 0; i < 300; i++)
        strcat(request, i % 3 == 0 ? GET("/small") : i % 3 == 1 ? GET("/none") : GET("/unready"));
    strcat(request, LAST("/small"));
    char *answer = answer_to(server, request);
    assert_int_equal(count(answer, "HTTP/1.1 200 "), 101);
    assert_int_equal(count(answer, "HTTP/1.1 404 "), 100);
    assert_int_equal(count(answer, "HTTP/1.1 503 "), 100);
    const char *at = answer;
    for (int i = 0; i < 300; i++) {
        assert_starts(at, i % 3 == 0   ? "HTTP/1.1 200"
                          : i % 3 == 1 ? "HTTP/1.1 404"
                                       : "HTTP/1.1 503");
        at = strstr(at + 1, "HTTP/1.1 ");
        assert_non_null(at);
    }
    free(answer);
    stop(server);
}

static void bodies_in_any_form_are_read_over(void **state)
{
    (void)state;
    struct http_server *server = start_default();
    char *answer =
        answer_to(server, "POST /none HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
                          "5;a=b\r\nGET /\r\n3\r\nabc\r\n0\r\nTrailer: x\r\n\r\n" LAST("/small"));
    assert_starts(answer, "HTTP/1.1 404 ");
    assert_int_equal(count(answer, "HTTP/1.1 "), 2);
    free(answer);
    answer = answer_to(server, "POST /none HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n"
                               "Content-Length: 3\r\n\r\nabc" LAST("/small"));
    assert_starts(answer, "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 404 ");
    free(answer);
    stop(server);
}

/* --- bad manners --- */

static void what_is_no_request_is_400(void **state)
{
    (void)state;
    struct http_server *server = start_default();
    static const char *const requests[] = {
        "nonsense\r\n\r\n",
        "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", /* TLS at a plain port */
        "GET /small HTTP/1.1\r\n\r\n", /* RFC 9112 section 3.2: Host is needed, once */
        "GET /small HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n",
        "GET /small HTTP/1.1\r\nHost: x\r\nbad header\r\n\r\n",
        "GET /small HTTP/1.1\r\nHost: x\r\nspace before : colon\r\n\r\n",
        "GET /small HTTP/1.1\r\nHost : x\r\n\r\n",
        "GET /small HTTP/1.1\r\nHost: x\r\nContent-Length: x\r\n\r\n",
        "GET /small HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        "POST /small HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        "POST /small HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n",
        /* RFC 9112 section 6.1: two ways to say the size are an attack */
        ("POST /small HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n"
         "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
        "POST /none HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
    };
    for (size_t i = 0; i < sizeof requests / sizeof requests[0]; i++) {
        char *answer = answer_to(server, requests[i]);
        if (strncmp(answer, "HTTP/1.1 400 Bad Request\r\n", 26) != 0)
            fail_msg("request %zu was answered: %s", i, answer);
        assert_non_null(strstr(answer, "connection: close\r\n"));
        free(answer);
    }
    expect_status(server, LAST("/small"), "HTTP/1.1 200 OK\r\n");
    stop(server);
}

static void other_versions_are_505(void **state)
{
    (void)state;
    struct http_server *server = start_default();
    static const char *const requests[] = {
        "GET /small\r\n\r\n",
        "GET /small HTTP/0.9\r\n\r\n",
        "GET /small HTTP/2.0\r\nHost: x\r\n\r\n",
        "GET /small HTTP/9.9\r\nHost: x\r\n\r\n",
    };
    for (size_t i = 0; i < sizeof requests / sizeof requests[0]; i++)
        expect_status(server, requests[i], "HTTP/1.1 505 HTTP Version Not Supported\r\n");
    stop(server);
}

/* A request whose path or header has that many letters. */
static char *long_request(const char *before, size_t letters, const char *after)
{
    char *request = malloc(strlen(before) + letters + strlen(after) + 1);
    char *at = stpcpy(request, before);
    memset(at, 'a', letters);
    strcpy(at + letters, after);
    return request;
}

static void head_that_is_too_long_is_431(void **state)
{
    (void)state;
    struct http_server *server = start_default();
    static const char *const shapes[][2] = {
        {"GET /", " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"},
        {"GET /none HTTP/1.1\r\nHost: x\r\nConnection: close\r\nx: ", "\r\n\r\n"},
        {"GET /none HTTP/1.1\r\nHost: x\r\nConnection: close\r\n", ": x\r\n\r\n"},
    };
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
        char *request = long_request(shapes[i][0], 15 * 1024, shapes[i][1]);
        expect_status(server, request, "HTTP/1.1 404 ");
        free(request);
        request = long_request(shapes[i][0], 17 * 1024, shapes[i][1]);
        char *refusal = answer_to(server, request);
        assert_starts(refusal, "HTTP/1.1 431 ");
        assert_non_null(strstr(refusal, "\r\ncontent-type: application/json\r\n"));
        assert_non_null(strstr(refusal, "\"resource_exhausted\""));
        free(refusal);
        free(request);
        int peer = connect_to(server); /* without end: it must not wait for one */
        request = long_request(shapes[i][0], 1024 * 1024, "");
        say(peer, request);
        free(request);
        char *answer = hear_to_the_end(peer);
        assert_true(answer[0] == '\0' || strncmp(answer, "HTTP/1.1 431 ", 13) == 0);
        free(answer);
    }
    stop(server);
}

static void request_may_come_in_any_pieces(void **state)
{
    (void)state;
    static const char request[] =
        GET("/small") "POST /none HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
                      "5\r\nhello\r\n0\r\n\r\n" LAST("/unready");
    struct http_server *server = start_default();
    const char *given = getenv("WAYBILL_SEED");
    uint64_t seed = given == NULL ? (uint64_t)time(NULL) : strtoull(given, NULL, 10);
    struct random_seeded random;
    random_seeded_init(&random, seed);
    printf("# WAYBILL_SEED=%llu\n", (unsigned long long)seed);
    char *expected = answer_to(server, request);
    for (int round = 0; round < 30; round++) {
        int peer = connect_to(server);
        for (size_t at = 0; at < sizeof request - 1;) {
            size_t left = sizeof request - 1 - at;
            size_t piece = round == 0 ? 1 : 1 + (size_t)random_below(&random.base, 40);
            piece = piece < left ? piece : left;
            say_bytes(peer, request + at, piece);
            at += piece;
            if (round % 2 == 0)
                usleep(100);
        }
        char *answer = hear_to_the_end(peer);
        assert_string_equal(answer, expected);
        free(answer);
    }
    free(expected);
    stop(server);
}

static void slow_peer_is_closed(void **state)
{
    (void)state;
    struct http_server_options options = default_options();
    options.greeting_us_max = 300000;
    options.body_pause_us_max = 300000;
    options.idle_us_max = 300000;
    struct http_server *server = start(&options);
    static const char *const beginnings[] = {
        "",                                                              /* says nothing */
        "GET /sma",                                                      /* no head */
        GET("/small") "GET /small HTTP/1.1\r\nHo",                       /* no second head */
        "POST /none HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhe", /* no body */
        GET("/small"),                                                   /* no second request */
    };
    enum { peers = sizeof beginnings / sizeof beginnings[0] };
    int all[peers];
    for (size_t i = 0; i < peers; i++) {
        all[i] = connect_to(server);
        say(all[i], beginnings[i]);
    }
    for (size_t i = 0; i < peers; i++) {
        char *answer = hear_to_the_end(all[i]);
        assert_int_equal(count(answer, "HTTP/1.1 200 "), i == 2 || i == 4);
        free(answer);
    }
    expect_status(server, LAST("/small"), "HTTP/1.1 200 OK\r\n");
    stop(server);
}

static void peer_that_goes_away_in_the_middle_leaves_nothing(void **state)
{
    (void)state;
    struct http_server *server = start_default();
    struct http_counters counters;
    static const char *const beginnings[] = {"", "GET /s", GET("/large"), GET("/small") "GET"};
    for (int i = 0; i < 40; i++) {
        int peer = connect_to(server);
        struct linger reset = {.l_onoff = 1, .l_linger = 0};
        say(peer, beginnings[i % 4]);
        if (i % 8 < 4) /* in every other round with a reset */
            setsockopt(peer, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
        close(peer);
    }
    for (int i = 0; i < patience_ms; i++) {
        http_server_count(server, &counters);
        if (counters.connections_accepted == 40 && counters.connections_open == 0)
            break;
        usleep(1000);
    }
    assert_int_equal(counters.connections_open, 0);
    assert_int_equal(counters.exchanges_open, 0);
    stop(server);
}

/* --- limits --- */

/* Whether the server keeps the connection: it answers a request. */
static bool is_taken(int peer)
{
    char answer[512];
    say(peer, GET("/small"));
    return hear(peer, answer, sizeof answer, patience_ms) > 0;
}

static void connections_beyond_the_limit_are_closed(bool by_peer)
{
    struct http_server_options options = default_options();
    struct http_counters counters;
    options.connections_max = by_peer ? 100 : 3;
    options.connections_per_peer_max = by_peer ? 3 : 0;
    struct http_server *server = start(&options);
    int taken[3];
    for (int i = 0; i < 3; i++) {
        taken[i] = connect_to(server);
        assert_true(is_taken(taken[i]));
    }
    for (int i = 0; i < 5; i++) {
        int peer = connect_to(server);
        assert_false(is_taken(peer));
        close(peer);
    }
    http_server_count(server, &counters);
    assert_int_equal(counters.connections_refused, 5);
    close(taken[0]);
    for (int i = 0; i < patience_ms; i++) { /* until the server has seen the end */
        http_server_count(server, &counters);
        if (counters.connections_open == 2)
            break;
        usleep(1000);
    }
    taken[0] = connect_to(server);
    for (int i = 0; i < 3; i++) {
        assert_true(is_taken(taken[i]));
        close(taken[i]);
    }
    stop(server);
}

static void connections_beyond_the_servers_limit_are_closed(void **state)
{
    (void)state;
    connections_beyond_the_limit_are_closed(false);
}

static void connections_beyond_one_addresss_limit_are_closed(void **state)
{
    (void)state;
    connections_beyond_the_limit_are_closed(true);
}

static void port_of_another_server_is_refused(void **state)
{
    (void)state;
    struct http_server *server = start_default();
    struct http_server *second;
    struct http_server_options options = default_options();
    options.listen = http_server_address(server);
    options.io_threads = 2;
    struct error error = http_server_create(&second, &options, &http_routes_handler);
    assert_int_equal(error.code, ERROR_NETWORK);
    assert_non_null(strstr(error.detail, "address already in use"));
    expect_status(server, LAST("/small"), "HTTP/1.1 200 OK\r\n");
    stop(server);
}

static void bad_address_is_refused(void **state)
{
    (void)state;
    static const char *const addresses[] = {"",           "127.0.0.1",       "127.0.0.1:",
                                            ":80",        "127.0.0.1:65536", "127.0.0.1:-1",
                                            "[::1:80",    "127.0.0.1:http",  "300.0.0.1:80",
                                            "no host:80", "[zz]:80"};
    for (size_t i = 0; i < sizeof addresses / sizeof addresses[0]; i++) {
        struct http_server *server;
        struct http_server_options options = default_options();
        options.listen = addresses[i];
        struct error error = http_server_create(&server, &options, &http_routes_handler);
        if (error.code != ERROR_INVALID_SETTING)
            fail_msg("%s: %s", addresses[i], error_text(error.code));
    }
}

static void drain_closes_idle_connections(void **state)
{
    (void)state;
    struct http_server *server = start_default();
    int peer = connect_to(server);
    int silent = connect_to(server);
    assert_true(is_taken(peer));
    http_server_drain(server);
    free(hear_to_the_end(peer));
    free(hear_to_the_end(silent));
    http_server_destroy(server);
}

static void failed_allocation_costs_one_connection_at_most(void **state)
{
    (void)state;
    struct http_server *server = start_default();
    size_t served = 0;
    for (allocations_until_failure = 0; allocations_until_failure < 40;
         allocations_until_failure++) {
        free(answer_to(server, LAST("/arm")));
        char *answer = answer_to(server, LAST("/large"));
        if (strncmp(answer, "HTTP/1.1 200 ", 13) == 0) {
            assert_large_body(answer);
            served++;
        } else if (answer[0] != '\0' && strncmp(answer, "HTTP/1.1 5", 10) != 0) {
            fail_msg("after %lld allocations: %.200s", (long long)allocations_until_failure,
                     answer);
        }
        free(answer);
    }
    assert_true(served > 0 && served < 40);
    allocations_until_failure = -1;
    free(answer_to(server, LAST("/arm")));
    expect_status(server, LAST("/small"), "HTTP/1.1 200 OK\r\n");
    stop(server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(route_answers_with_its_type_and_size),
        cmocka_unit_test(head_has_the_size_and_no_body),
        cmocka_unit_test(large_body_arrives_whole_at_a_slow_reader),
        cmocka_unit_test(unknown_path_is_404),
        cmocka_unit_test(other_methods_are_405),
        cmocka_unit_test(connection_is_kept_for_the_next_request),
        cmocka_unit_test(old_clients_are_closed_unless_they_ask),
        cmocka_unit_test(pipelined_requests_are_answered_in_order),
        cmocka_unit_test(bodies_in_any_form_are_read_over),
        cmocka_unit_test(what_is_no_request_is_400),
        cmocka_unit_test(other_versions_are_505),
        cmocka_unit_test(head_that_is_too_long_is_431),
        cmocka_unit_test(request_may_come_in_any_pieces),
        cmocka_unit_test(slow_peer_is_closed),
        cmocka_unit_test(peer_that_goes_away_in_the_middle_leaves_nothing),
        cmocka_unit_test(connections_beyond_the_servers_limit_are_closed),
        cmocka_unit_test(connections_beyond_one_addresss_limit_are_closed),
        cmocka_unit_test(port_of_another_server_is_refused),
        cmocka_unit_test(bad_address_is_refused),
        cmocka_unit_test(drain_closes_idle_connections),
        cmocka_unit_test(failed_allocation_costs_one_connection_at_most),
    };
    signal(SIGPIPE, SIG_IGN); /* as the program does */
    return cmocka_run_group_tests_name("http_server", tests, NULL, NULL);
}
