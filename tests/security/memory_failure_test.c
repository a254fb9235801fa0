/*
 * Goal: every allocation of a whole call fails once, ours, nghttp2's, protobuf-c's, jansson's and
 * OpenSSL's, over HTTP/1.1 in JSON and over TLS; server_test.c does the same for plain gRPC. It
 * costs that call at most, by an error or its connection; never a wrong answer, a hang or a crash,
 * and the next call is answered (RELIABILITY row 9). Method: server and peer in one thread on one
 * loop that the test runs itself; each trial has a connection of its own.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "grpc/health/v1/health.pb-c.h"
#include "platform/base/log.h"
#include "platform/base/memory.h"
#include "platform/http/http_loop.h"
#include "platform/rpc/client.h"
#include "platform/rpc/server.h"
#include "tests/support/temporary_directory.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { patience_ms = 30000, answer_bytes_max = 8192, path_bytes_max = 300 };

struct fixture {
    struct rpc_server *server;
    uv_loop_t *loop;
    struct temporary_directory directory;
    char certificate[path_bytes_max + 16];
    char key[path_bytes_max + 16];
    unsigned done;
    enum grpc_status status;
    bool serving;
    bool client_closed;
};

static void open_server(struct fixture *fixture, bool secure)
{
    struct rpc_server_options options = rpc_server_options_default();
    options.http.listen = "127.0.0.1:0";
    options.http.threaded = false;
    options.http.drain_us_max = 2000000;
    options.http.peer_abuse_points_per_second = 0; /* handshakes fail by the thousand */
    if (secure)
        options.http.tls =
            (struct tls_settings){.certificate = fixture->certificate, .key = fixture->key};
    struct error error = rpc_server_open(&fixture->server, &options, NULL, 0);
    assert_string_equal(error.detail, "");
    fixture->loop = &http_server_loop(rpc_server_http(fixture->server), 0)->io.loop;
}

static void close_server(struct fixture *fixture)
{
    rpc_server_drain(fixture->server);
    rpc_server_destroy(fixture->server);
}

static uint64_t now_ms(void)
{
    return uv_hrtime() / 1000000;
}

/* --- HTTP/1.1 --- */

static int connect_peer(struct fixture *fixture)
{
    const char *colon = strrchr(rpc_server_address(fixture->server), ':');
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)atoi(colon + 1)),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int peer = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(peer, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(fcntl(peer, F_SETFL, O_NONBLOCK), 0);
    return peer;
}

/* One request on a connection that ends behind it; what came until then, with a NUL,
 * others as '.'. */
static void ask(struct fixture *fixture, const char *request, char *answer)
{
    size_t size = 0;
    ssize_t got;
    uint64_t until_ms = now_ms() + patience_ms;
    int peer = connect_peer(fixture);
    assert_int_equal(send(peer, request, strlen(request), MSG_NOSIGNAL), strlen(request));
    do {
        assert_true(now_ms() < until_ms);
        uv_run(fixture->loop, UV_RUN_NOWAIT);
        got = recv(peer, answer + size, answer_bytes_max - 1 - size, 0);
        size += got > 0 ? (size_t)got : 0;
    } while (got > 0 || (got < 0 && errno == EAGAIN));
    for (size_t i = 0; i < size; i++)
        answer[i] = (char)(answer[i] == '\0' ? '.' : answer[i]);
    answer[size] = '\0';
    close(peer);
}

/* Whether the body is as long as was announced. */
static bool is_whole(const char *answer)
{
    const char *length = strstr(answer, "content-length: ");
    const char *body = strstr(answer, "\r\n\r\n");
    if (body == NULL)
        return false;
    if (length != NULL && length < body)
        return strlen(body + 4) == strtoul(length + 16, NULL, 10);
    return strstr(body + 4, "\r\n0\r\n\r\n") != NULL;
}

struct sample {
    const char *request;
    const char *status;
    const char *part; /* of a good answer */
};

#define POST(kind, more, body, size)                                                               \
    "POST /grpc.health.v1.Health/Check HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"               \
    "Content-Type: " kind "\r\n" more "Content-Length: " size "\r\n\r\n" body

static const struct sample samples[] = {
    {POST("application/json", "", "{}", "2"), "HTTP/1.1 200 ", "{\"status\":\"SERVING\"}"},
    {POST("application/json", "Connect-Timeout-Ms: 20000\r\nX-Id: 7\r\n", "{\"service\":\"no\"}",
          "16"),
     "HTTP/1.1 404 ", "\"code\":\"not_found\""},
    {POST("application/json", "", "{\"service\":7}", "13"), "HTTP/1.1 400 ",
     "\"code\":\"invalid_argument\""},
    {POST("application/proto", "Accept-Encoding: gzip\r\n", "", "0"), "HTTP/1.1 200 ", ""},
    {POST("application/grpc-web+json", "", "", "0"), "HTTP/1.1 200 ", "grpc-status:"},
    {"GET /grpc.health.v1.Health/Check?connect=v1&encoding=json&message=%7B%7D HTTP/1.1\r\n"
     "Host: x\r\nConnection: close\r\n\r\n",
     "HTTP/1.1 200 ", "{\"status\":\"SERVING\"}"},
    {"GET /openapi.json HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "HTTP/1.1 200 ",
     "\"openapi\":\"3.1.0\""},
};

static bool is_right(const struct sample *sample, const char *answer)
{
    return strncmp(answer, sample->status, strlen(sample->status)) == 0 && is_whole(answer) &&
           strstr(answer, sample->part) != NULL;
}

/* Refused for want of memory, or cut. */
static bool is_excused(const char *answer)
{
    return !is_whole(answer) || strncmp(answer, "HTTP/1.1 429 ", 13) == 0 ||
           strncmp(answer, "HTTP/1.1 500 ", 13) == 0 || strncmp(answer, "HTTP/1.1 503 ", 13) == 0 ||
           strstr(answer, "grpc-status: 8") != NULL || strstr(answer, "grpc-status: 13") != NULL;
}

static void every_allocation_of_a_json_call_fails_once(void **state)
{
    struct fixture fixture = {0};
    char answer[answer_bytes_max];
    unsigned failures = 0;
    (void)state;
    open_server(&fixture, false);
    for (size_t i = 0; i < sizeof samples / sizeof samples[0]; i++) {
        for (int repeat = 0; repeat < 2; repeat++) {
            bool failed = true;
            for (uint64_t n = 0; failed; n++) {
                uint64_t before = memory_allocation_count();
                memory_fail_after(n, repeat);
                ask(&fixture, samples[i].request, answer);
                memory_fail_after(UINT64_MAX, 0);
                failed = memory_allocation_count() - before > n;
                failures += failed;
                if (!is_right(&samples[i], answer) && !(failed && is_excused(answer)))
                    fail_msg("sample %zu, allocation %llu%s: %s", i, (unsigned long long)n,
                             repeat ? " and all later ones" : "", answer);
                ask(&fixture, samples[i].request, answer);
                if (!is_right(&samples[i], answer))
                    fail_msg("sample %zu after allocation %llu: %s", i, (unsigned long long)n,
                             answer);
            }
        }
    }
    close_server(&fixture);
    print_message("# %u allocations failed\n", failures);
    assert_true(failures > 100);
}

/* --- TLS --- */

static void write_pem(const char *path, X509 *certificate, EVP_PKEY *key)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    if (certificate != NULL)
        assert_int_equal(PEM_write_X509(file, certificate), 1);
    else
        assert_int_equal(PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL), 1);
    assert_int_equal(fclose(file), 0);
}

/* A certificate for 127.0.0.1 that is its own authority. */
static void make_certificate(struct fixture *fixture)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *certificate = X509_new();
    X509_NAME *name = X509_get_subject_name(certificate);
    X509V3_CTX context;
    static const unsigned char common_name[] = "server";
    X509_set_version(certificate, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate), -3600);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 86400);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, common_name, -1, -1, 0);
    X509_set_issuer_name(certificate, name);
    X509_set_pubkey(certificate, key);
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, certificate, certificate, NULL, NULL, 0);
    X509_EXTENSION *names =
        X509V3_EXT_conf_nid(NULL, &context, NID_subject_alt_name, "IP:127.0.0.1");
    assert_non_null(names);
    X509_add_ext(certificate, names, -1);
    assert_true(X509_sign(certificate, key, EVP_sha256()) > 0);
    snprintf(fixture->certificate, sizeof fixture->certificate, "%s/server.pem",
             fixture->directory.path);
    snprintf(fixture->key, sizeof fixture->key, "%s/server.key", fixture->directory.path);
    write_pem(fixture->certificate, certificate, NULL);
    write_pem(fixture->key, NULL, key);
    X509_EXTENSION_free(names);
    X509_free(certificate);
    EVP_PKEY_free(key);
}

static struct rpc_client *open_client(struct fixture *fixture)
{
    struct rpc_client_options options = rpc_client_options_default();
    const struct tls_settings tls = {.authorities = fixture->certificate};
    struct rpc_client *client = NULL;
    options.server = rpc_server_address(fixture->server);
    options.tls = &tls;
    options.attempts_max = 1;
    struct error error = rpc_client_create(&client, fixture->loop, &options);
    assert_string_equal(error.detail, "");
    return client;
}

static void on_client_closed(void *context)
{
    ((struct fixture *)context)->client_closed = true;
}

static void close_client(struct fixture *fixture, struct rpc_client *client)
{
    fixture->client_closed = false;
    rpc_client_close(client, on_client_closed, fixture);
    while (!fixture->client_closed)
        uv_run(fixture->loop, UV_RUN_ONCE);
}

static void on_done(void *context, const struct rpc_client_result *result)
{
    struct fixture *fixture = context;
    const Grpc__Health__V1__HealthCheckResponse *response = (const void *)result->response;
    fixture->done++;
    fixture->status = result->status.code;
    fixture->serving =
        response != NULL &&
        response->status == GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__SERVING;
}

static void check(struct fixture *fixture, struct rpc_client *client, int64_t timeout_us)
{
    Grpc__Health__V1__HealthCheckRequest request = GRPC__HEALTH__V1__HEALTH_CHECK_REQUEST__INIT;
    unsigned before = fixture->done;
    uint64_t until_ms = now_ms() + patience_ms;
    rpc_client_call(client, "/grpc.health.v1.Health/Check", &request.base,
                    &grpc__health__v1__health_check_response__descriptor, timeout_us, on_done,
                    fixture);
    while (fixture->done == before) {
        assert_true(now_ms() < until_ms);
        uv_run(fixture->loop, UV_RUN_NOWAIT);
    }
}

static void assert_served(struct fixture *fixture, struct rpc_client *client)
{
    check(fixture, client, 0);
    if (fixture->status == GRPC_STATUS_UNAVAILABLE) /* the connection was lost: then a new one */
        check(fixture, client, 0);
    assert_int_equal(fixture->status, GRPC_STATUS_OK);
    assert_true(fixture->serving);
}

/* The n-th allocation of one call fails; whether there was one. */
static bool try(struct fixture *fixture, struct rpc_client *client, uint64_t n, int repeat)
{
    uint64_t before = memory_allocation_count();
    memory_fail_after(n, repeat);
    check(fixture, client, repeat ? 50000 : 0); /* without any memory only the deadline ends it */
    for (int i = 0; i < 3; i++)
        uv_run(fixture->loop, UV_RUN_NOWAIT);
    memory_fail_after(UINT64_MAX, 0);
    bool failed = memory_allocation_count() - before > n;
    bool good = fixture->status == GRPC_STATUS_OK;
    assert_true(good == fixture->serving);
    if (!good && !failed)
        fail_msg("no allocation failed, and the call did: %d", (int)fixture->status);
    assert_true(good || fixture->status == GRPC_STATUS_UNAVAILABLE ||
                fixture->status == GRPC_STATUS_RESOURCE_EXHAUSTED ||
                fixture->status == GRPC_STATUS_INTERNAL ||
                (repeat && fixture->status == GRPC_STATUS_DEADLINE_EXCEEDED));
    return failed;
}

static int set_up_tls(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    *state = fixture;
    temporary_directory_create(&fixture->directory);
    make_certificate(fixture);
    open_server(fixture, true);
    return 0;
}

static int tear_down_tls(void **state)
{
    struct fixture *fixture = *state;
    close_server(fixture);
    temporary_directory_remove(&fixture->directory);
    free(fixture);
    return 0;
}

static void every_allocation_of_a_call_in_tls_fails_once(void **state)
{
    struct fixture *fixture = *state;
    struct rpc_client *client = open_client(fixture);
    unsigned failures = 0;
    assert_served(fixture, client);
    for (int repeat = 0; repeat < 2; repeat++) {
        bool failed = true;
        for (uint64_t n = 0; failed; n++) {
            failed = try(fixture, client, n, repeat);
            failures += failed;
            assert_served(fixture, client);
        }
    }
    close_client(fixture, client);
    print_message("# %u allocations failed\n", failures);
    assert_true(failures > 10);
}

static void every_allocation_of_a_handshake_fails_once(void **state)
{
    struct fixture *fixture = *state;
    unsigned failures = 0;
    bool failed = true;
    for (uint64_t n = 0; failed; n++) {
        struct rpc_client *client = open_client(fixture);
        failed = try(fixture, client, n, 0);
        failures += failed;
        if (n % 16 == 0)
            assert_served(fixture, client);
        close_client(fixture, client);
    }
    print_message("# %u allocations failed\n", failures);
    assert_true(failures > 100);
}

static void *crypto_allocate(size_t size, const char *file, int line)
{
    (void)file;
    (void)line;
    return memory_allocate(size);
}

static void *crypto_reallocate(void *block, size_t size, const char *file, int line)
{
    (void)file;
    (void)line;
    return memory_reallocate(block, size);
}

static void crypto_release(void *block, const char *file, int line)
{
    (void)file;
    (void)line;
    memory_release(block);
}

int main(void)
{
    (void)signal(SIGPIPE, SIG_IGN);
    log_configure(LOG_LEVEL_OFF, false);
    if (CRYPTO_set_mem_functions(crypto_allocate, crypto_reallocate, crypto_release) != 1)
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_allocation_of_a_json_call_fails_once),
        cmocka_unit_test_setup_teardown(every_allocation_of_a_call_in_tls_fails_once, set_up_tls,
                                        tear_down_tls),
        cmocka_unit_test_setup_teardown(every_allocation_of_a_handshake_fails_once, set_up_tls,
                                        tear_down_tls),
    };
    return cmocka_run_group_tests_name("memory_failure", tests, NULL, NULL);
}
