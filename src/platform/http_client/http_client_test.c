/*
 * Goal: each way a request can end is told apart, above all "nothing left" from "nobody knows".
 * Method: a real server (http_client_server.py starts this program), real sockets, one loop.
 */
#include "platform/http_client/http_client.h"

#include "platform/base/memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct seen {
    int calls;
    enum http_client_verdict verdict;
    enum error_code code;
    unsigned status;
    char body[256];
    size_t body_size;
    char retry_after[32];
};

struct fixture {
    uv_loop_t loop;
    struct http_client *client;
};

static void note(void *context, const struct http_client_answer *answer)
{
    struct seen *seen = context;
    seen->calls++;
    seen->verdict = answer->verdict;
    seen->code = answer->error.code;
    seen->status = answer->status;
    seen->body_size = answer->body.size;
    snprintf(seen->body, sizeof seen->body, "%.*s", (int)answer->body.size,
             answer->body.size > 0 ? answer->body.data : "");
    struct text after = http_client_answer_header(answer, "retry-after");
    snprintf(seen->retry_after, sizeof seen->retry_after, "%.*s", (int)after.size,
             after.size > 0 ? after.data : "");
}

static void set_up(struct fixture *fixture, const char *authorities)
{
    struct http_client_options options = http_client_options_default();
    options.certificate_authorities = authorities;
    assert_int_equal(uv_loop_init(&fixture->loop), 0);
    struct error error = http_client_create(&fixture->client, &fixture->loop, &options);
    assert_false(error_is(error));
}

static void tear_down(struct fixture *fixture)
{
    http_client_close(fixture->client, NULL, NULL);
    uv_run(&fixture->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&fixture->loop), 0);
}

static struct http_client_request request_of(const char *method, const char *url)
{
    return (struct http_client_request){
        .method = text_of(method),
        .url = text_of(url),
        .connect_us_max = 10 * 1000000,
        .total_us_max = 20 * 1000000,
        .answer_bytes_max = 4096,
    };
}

static const char *url_of(const char *scheme, const char *port, const char *path)
{
    static char url[256];
    snprintf(url, sizeof url, "%s://127.0.0.1:%s%s", scheme, getenv(port), path);
    return url;
}

static struct seen run(struct fixture *fixture, const struct http_client_request *request)
{
    struct seen seen = {0};
    struct error error = http_client_send(fixture->client, request, note, &seen);
    assert_false(error_is(error));
    assert_int_equal(seen.calls, 0); /* never before it returns */
    while (seen.calls == 0)
        uv_run(&fixture->loop, UV_RUN_ONCE);
    assert_int_equal(seen.calls, 1);
    return seen;
}

static struct seen run_path(const char *method, const char *path)
{
    struct fixture fixture;
    set_up(&fixture, NULL);
    struct http_client_request request = request_of(method, url_of("http", "PLAIN_PORT", path));
    struct seen seen = run(&fixture, &request);
    tear_down(&fixture);
    return seen;
}

static void method_headers_and_body_arrive_and_the_answer_comes_back(void **state)
{
    static const char *const methods[] = {"POST", "PUT", "DELETE"};
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct fixture fixture;
        char expected[64];
        set_up(&fixture, NULL);
        struct http_client_header header = {text_of("X-Test"), text_of("yes")};
        struct http_client_request request =
            request_of(methods[i], url_of("http", "PLAIN_PORT", "/echo?a=b"));
        request.headers = &header;
        request.header_count = 1;
        request.body = text_of("{\"a\":1}");
        struct seen seen = run(&fixture, &request);
        assert_int_equal(seen.verdict, HTTP_CLIENT_ANSWERED);
        assert_int_equal(seen.status, 200);
        snprintf(expected, sizeof expected, "%s /echo?a=b yes 1 {\"a\":1}", methods[i]);
        assert_string_equal(seen.body, expected);
        tear_down(&fixture);
    }
}

static void a_connection_is_used_again(void **state)
{
    struct fixture fixture;
    (void)state;
    set_up(&fixture, NULL);
    struct http_client_request request = request_of("GET", url_of("http", "PLAIN_PORT", "/echo"));
    for (int i = 1; i <= 3; i++) {
        char expected[64];
        snprintf(expected, sizeof expected, "GET /echo - %d ", i);
        assert_string_equal(run(&fixture, &request).body, expected);
    }
    tear_down(&fixture);
}

static void what_must_happen_at_most_once_is_not_sent_on_a_kept_connection(void **state)
{
    struct fixture fixture;
    (void)state;
    set_up(&fixture, NULL);
    struct http_client_request warm = request_of("GET", url_of("http", "PLAIN_PORT", "/echo"));
    (void)run(&fixture, &warm);
    struct http_client_request request =
        request_of("POST", url_of("http", "PLAIN_PORT", "/dies-when-kept"));
    request.at_most_once = true;
    assert_string_equal(run(&fixture, &request).body, "fresh");
    struct http_client_request count =
        request_of("GET", url_of("http", "PLAIN_PORT", "/count?/dies-when-kept"));
    assert_string_equal(run(&fixture, &count).body, "1");
    tear_down(&fixture);
}

static void a_status_is_an_answer_and_its_headers_are_there(void **state)
{
    (void)state;
    struct seen seen = run_path("POST", "/throttled");
    assert_int_equal(seen.verdict, HTTP_CLIENT_ANSWERED);
    assert_int_equal(seen.status, 429);
    assert_string_equal(seen.retry_after, "7");
    assert_string_equal(seen.body, "slow down");
}

static void a_redirect_is_not_followed(void **state)
{
    (void)state;
    assert_int_equal(run_path("GET", "/redirect").status, 302);
}

static void a_slow_body_is_waited_for(void **state)
{
    (void)state;
    struct seen seen = run_path("GET", "/slow");
    assert_int_equal(seen.verdict, HTTP_CLIENT_ANSWERED);
    assert_int_equal(seen.body_size, 20);
}

static void a_huge_answer_is_cut_off_and_unknown(void **state)
{
    (void)state;
    struct seen seen = run_path("GET", "/huge");
    assert_int_equal(seen.verdict, HTTP_CLIENT_UNKNOWN);
    assert_int_equal(seen.code, ERROR_LIMIT);
}

static void a_cut_answer_silence_and_no_http_are_unknown(void **state)
{
    static const char *const paths[] = {"/cut", "/silent", "/no-http"};
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct seen seen = run_path("POST", paths[i]);
        assert_int_equal(seen.verdict, HTTP_CLIENT_UNKNOWN);
        assert_int_not_equal(seen.code, ERROR_NONE);
    }
}

static void no_answer_in_time_is_unknown(void **state)
{
    struct fixture fixture;
    (void)state;
    set_up(&fixture, NULL);
    struct http_client_request request = request_of("POST", url_of("http", "PLAIN_PORT", "/hang"));
    request.total_us_max = 300 * 1000;
    struct seen seen = run(&fixture, &request);
    assert_int_equal(seen.verdict, HTTP_CLIENT_UNKNOWN);
    assert_int_equal(seen.code, ERROR_DEADLINE);
    tear_down(&fixture);
}

static void a_refused_connection_and_an_unknown_name_are_not_sent(void **state)
{
    static const char *const urls[] = {"http://127.0.0.1:1/", "http://no-such-host.invalid/"};
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct fixture fixture;
        set_up(&fixture, NULL);
        struct http_client_request request = request_of("POST", urls[i]);
        struct seen seen = run(&fixture, &request);
        assert_int_equal(seen.verdict, HTTP_CLIENT_NOT_SENT);
        assert_int_equal(seen.code, ERROR_NETWORK);
        tear_down(&fixture);
    }
}

static void a_certificate_is_verified(void **state)
{
    struct fixture fixture;
    (void)state;
    struct http_client_request request = request_of("GET", url_of("https", "TLS_PORT", "/echo"));
    set_up(&fixture, NULL);
    assert_int_equal(run(&fixture, &request).verdict, HTTP_CLIENT_NOT_SENT);
    tear_down(&fixture);
    set_up(&fixture, getenv("TLS_CERTIFICATE"));
    assert_int_equal(run(&fixture, &request).verdict, HTTP_CLIENT_ANSWERED);
    tear_down(&fixture);
}

static void a_header_that_would_split_the_request_is_refused(void **state)
{
    struct fixture fixture;
    struct seen seen = {0};
    (void)state;
    set_up(&fixture, NULL);
    struct http_client_header header = {text_of("X-Test"), text_of("a\r\nHost: other")};
    struct http_client_request request = request_of("GET", url_of("http", "PLAIN_PORT", "/echo"));
    request.headers = &header;
    request.header_count = 1;
    struct error error = http_client_send(fixture.client, &request, note, &seen);
    assert_true(error_is(error));
    assert_int_equal(seen.calls, 0);
    tear_down(&fixture);
}

/* A carrier's token may have several KiB. */
static void a_header_of_some_kib_arrives_whole(void **state)
{
    static char value[8192];
    (void)state;
    memset(value, 't', sizeof value);
    struct fixture fixture;
    set_up(&fixture, NULL);
    struct http_client_header header = {text_of("X-Test"), text_make(value, sizeof value)};
    struct http_client_request request = request_of("GET", url_of("http", "PLAIN_PORT", "/echo"));
    request.answer_bytes_max = 2 * sizeof value;
    request.headers = &header;
    request.header_count = 1;
    struct seen seen = run(&fixture, &request);
    assert_int_equal(seen.verdict, HTTP_CLIENT_ANSWERED);
    assert_int_equal(seen.body_size, strlen("GET /echo  1 ") + sizeof value);
    tear_down(&fixture);
}

static void closing_answers_everyone_once(void **state)
{
    struct fixture fixture;
    struct seen seen[8] = {0};
    (void)state;
    set_up(&fixture, NULL);
    struct http_client_request request = request_of("POST", url_of("http", "PLAIN_PORT", "/hang"));
    for (int i = 0; i < 8; i++) {
        struct error error = http_client_send(fixture.client, &request, note, &seen[i]);
        assert_false(error_is(error));
    }
    uv_run(&fixture.loop, UV_RUN_NOWAIT);
    assert_int_equal(http_client_pending(fixture.client), 8);
    tear_down(&fixture);
    for (int i = 0; i < 8; i++) {
        assert_int_equal(seen[i].calls, 1);
        assert_int_equal(seen[i].code, ERROR_CANCELLED);
    }
}

static void without_memory_nothing_is_started_or_it_ends_once(void **state)
{
    struct fixture fixture;
    bool ended = false;
    (void)state;
    set_up(&fixture, NULL);
    struct http_client_request request = request_of("POST", url_of("http", "PLAIN_PORT", "/echo"));
    request.body = text_of("x");
    for (uint64_t successes = 0; !ended && successes < 200; successes++) {
        struct seen seen = {0};
        memory_fail_after(successes, 0);
        struct error error = http_client_send(fixture.client, &request, note, &seen);
        for (int i = 0; !error_is(error) && seen.calls == 0 && i < 100000; i++)
            uv_run(&fixture.loop, UV_RUN_ONCE);
        memory_fail_after(UINT64_MAX, 0);
        assert_int_equal(seen.calls, error_is(error) ? 0 : 1);
        ended = seen.calls == 1 && seen.verdict == HTTP_CLIENT_ANSWERED && successes > 4;
    }
    assert_true(ended);
    tear_down(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(method_headers_and_body_arrive_and_the_answer_comes_back),
        cmocka_unit_test(a_connection_is_used_again),
        cmocka_unit_test(what_must_happen_at_most_once_is_not_sent_on_a_kept_connection),
        cmocka_unit_test(a_status_is_an_answer_and_its_headers_are_there),
        cmocka_unit_test(a_redirect_is_not_followed),
        cmocka_unit_test(a_slow_body_is_waited_for),
        cmocka_unit_test(a_huge_answer_is_cut_off_and_unknown),
        cmocka_unit_test(a_cut_answer_silence_and_no_http_are_unknown),
        cmocka_unit_test(no_answer_in_time_is_unknown),
        cmocka_unit_test(a_refused_connection_and_an_unknown_name_are_not_sent),
        cmocka_unit_test(a_certificate_is_verified),
        cmocka_unit_test(a_header_that_would_split_the_request_is_refused),
        cmocka_unit_test(a_header_of_some_kib_arrives_whole),
        cmocka_unit_test(closing_answers_everyone_once),
        cmocka_unit_test(without_memory_nothing_is_started_or_it_ends_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
