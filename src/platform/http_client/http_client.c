/*
 * libcurl's multi interface driven by events: libcurl tells which sockets it waits for and when it
 * wants to be woken, libuv does both, and after each step the finished transfers are read off.
 *
 * A request's bytes leave only from within a later turn of the loop, so `done` is never early. What
 * went wrong is put into one of two classes by what libcurl knows to have sent: the difference
 * between "surely nothing was done" and "nobody knows" is what a label's buyer lives on. Without
 * memory for an answer the transfer ends as UNKNOWN.
 */
#include "platform/http_client/http_client.h"

#include "platform/base/buffer.h"
#include "platform/base/check.h"
#include "platform/base/memory.h"

#include <curl/curl.h>
#include <pthread.h>
#include <string.h>
#include <strings.h>

enum {
    answer_headers_max = 100,
    header_bytes_max = 64 * 1024,
    header_line_size = 16 * 1024, /* one of the request: a token may have some KiB */
    url_bytes_max = 8 * 1024,
    /* Its own, one for the name's look-up, and both again while the last ones are being closed. */
    sockets_per_connection = 4,
};

struct client_socket {
    uv_poll_t poll;
    struct http_client *client;
    curl_socket_t socket;
    struct client_socket *next_free;
};

struct http_client {
    CURLM *multi;
    uv_loop_t *loop;
    uv_timer_t timer;
    struct http_client_options options;
    struct client_request *first;
    struct client_socket *free_sockets; /* all there will ever be: waiting must not need memory */
    struct client_socket *sockets;
    size_t pending;
    size_t handles; /* libuv's, that are not closed yet */
    bool closing;
    void (*closed)(void *context);
    void *closed_context;
};

struct client_request {
    struct http_client *client;
    struct client_request *previous;
    struct client_request *next;
    CURL *easy;
    struct curl_slist *headers;
    http_client_done *done;
    void *context;
    struct buffer body; /* of the answer */
    struct buffer head; /* names and values, as offsets below say */
    size_t offsets[answer_headers_max][4];
    size_t header_count;
    bool too_long;
    bool without_memory;
    char error[CURL_ERROR_SIZE];
    char text[]; /* URL, NUL, method, NUL, body */
};

struct http_client_options http_client_options_default(void)
{
    return (struct http_client_options){
        .connections_max = 64, .connections_per_host_max = 16, .idle_us_max = 55 * 1000000LL};
}

static CURLcode initialized;

/*
 * Its memory stays its own: 7.88 divides by zero after a failed allocation in its hash table, so
 * the n-th one cannot be made to fail (RELIABILITY row 9 leaves such libraries out).
 */
static void initialize(void)
{
    initialized = curl_global_init(CURL_GLOBAL_DEFAULT);
}

/* ------------------------------------------------------------------------------- how it ended */

/* libcurl's codes do not tell (HTTP/0.9 in answer to a POST is "unsupported protocol"); bytes do.
 */
static bool surely_not_sent(CURL *easy)
{
    long sent = 0;
    return curl_easy_getinfo(easy, CURLINFO_REQUEST_SIZE, &sent) == CURLE_OK && sent == 0;
}

static enum error_code error_code_of(CURLcode code)
{
    switch ((int)code) {
    case CURLE_OPERATION_TIMEDOUT:
        return ERROR_DEADLINE;
    case CURLE_OUT_OF_MEMORY:
        return ERROR_OUT_OF_MEMORY;
    case CURLE_URL_MALFORMAT:
        return ERROR_INVALID_INPUT;
    case CURLE_UNSUPPORTED_PROTOCOL: /* HTTP/0.9, too */
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_HTTP2:
    case CURLE_BAD_CONTENT_ENCODING:
        return ERROR_PROTOCOL;
    default:
        return ERROR_NETWORK;
    }
}

static void request_unlink(struct client_request *request)
{
    struct http_client *client = request->client;
    if (request->previous != NULL)
        request->previous->next = request->next;
    else
        client->first = request->next;
    if (request->next != NULL)
        request->next->previous = request->previous;
    client->pending--;
}

static void request_release(struct client_request *request)
{
    if (request->easy != NULL)
        curl_easy_cleanup(request->easy);
    curl_slist_free_all(request->headers);
    buffer_deinit(&request->body);
    buffer_deinit(&request->head);
    memory_release(request);
}

static struct error error_of(const struct client_request *request, CURLcode code)
{
    const char *what = request->error[0] != '\0' ? request->error : curl_easy_strerror(code);
    if (request->too_long)
        return error_make(ERROR_LIMIT, "the answer is longer than %zu bytes",
                          request->body.size_max);
    if (request->without_memory)
        return error_make(ERROR_OUT_OF_MEMORY, "no memory for the answer");
    return error_make(error_code_of(code), "%s", what);
}

/* Tells the caller; the request is gone afterwards. */
static void request_finish(struct client_request *request, struct http_client_answer *answer)
{
    struct http_client_header headers[answer_headers_max];
    const char *head = request->head.data;
    for (size_t i = 0; i < request->header_count; i++) {
        const size_t *at = request->offsets[i];
        headers[i].name = text_make(head + at[0], at[1]);
        headers[i].value = text_make(head + at[2], at[3]);
    }
    if (answer->verdict == HTTP_CLIENT_ANSWERED) {
        answer->body = buffer_text(&request->body);
        answer->headers = headers;
        answer->header_count = request->header_count;
    }
    curl_multi_remove_handle(request->client->multi, request->easy);
    request_unlink(request);
    request->done(request->context, answer);
    request_release(request);
}

static void finish_transfers(struct http_client *client)
{
    int left = 0;
    CURLMsg *message = curl_multi_info_read(client->multi, &left);
    for (; message != NULL; message = curl_multi_info_read(client->multi, &left)) {
        struct client_request *request = NULL;
        struct http_client_answer answer = {.error = error_none()};
        CURLcode code = message->data.result;
        long status = 0;
        if (message->msg != CURLMSG_DONE)
            continue;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&request);
        CHECK(request != NULL);
        if (code == CURLE_OK) {
            curl_easy_getinfo(message->easy_handle, CURLINFO_RESPONSE_CODE, &status);
            answer.status = (unsigned)status;
        } else {
            answer.verdict =
                surely_not_sent(message->easy_handle) ? HTTP_CLIENT_NOT_SENT : HTTP_CLIENT_UNKNOWN;
            answer.error = error_of(request, code);
        }
        request_finish(request, &answer);
    }
}

/* ----------------------------------------------------------------------------- events for it */

/* Ends every request there is now; what `done` starts goes on. */
static void end_all(struct http_client *client, enum error_code code, const char *why)
{
    struct client_request *request = client->first;
    while (request != NULL) {
        struct client_request *next = request->next; /* new ones come before the first */
        struct http_client_answer answer = {
            .verdict = surely_not_sent(request->easy) ? HTTP_CLIENT_NOT_SENT : HTTP_CLIENT_UNKNOWN,
            .error = error_make(code, "%s", why)};
        request_finish(request, &answer);
        request = next;
    }
}

/* libcurl that ran out of memory has lost track of sockets and times; its transfers would hang. */
static void advance(struct http_client *client, curl_socket_t socket, int events)
{
    int running = 0;
    CURLMcode code = curl_multi_socket_action(client->multi, socket, events, &running);
    finish_transfers(client);
    if (code != CURLM_OK)
        end_all(client, ERROR_OUT_OF_MEMORY, curl_multi_strerror(code));
}

static void on_socket_event(uv_poll_t *poll, int status, int events)
{
    struct client_socket *socket = poll->data;
    int action = 0;
    if (status < 0)
        action = CURL_CSELECT_ERR;
    if ((events & UV_READABLE) != 0)
        action |= CURL_CSELECT_IN;
    if ((events & UV_WRITABLE) != 0)
        action |= CURL_CSELECT_OUT;
    advance(socket->client, socket->socket, action);
}

static void on_timeout(uv_timer_t *timer)
{
    advance(timer->data, CURL_SOCKET_TIMEOUT, 0);
}

static int set_timer(CURLM *multi, long timeout_ms, void *context)
{
    struct http_client *client = context;
    (void)multi;
    if (timeout_ms < 0)
        uv_timer_stop(&client->timer);
    else
        uv_timer_start(&client->timer, on_timeout, (uint64_t)timeout_ms, 0);
    return 0;
}

static void handle_closed(struct http_client *client)
{
    client->handles--;
    if (!client->closing || client->handles > 0)
        return;
    void (*closed)(void *context) = client->closed;
    void *context = client->closed_context;
    memory_release(client->sockets);
    memory_release(client);
    if (closed != NULL)
        closed(context);
}

static void socket_closed(uv_handle_t *handle)
{
    struct client_socket *socket = handle->data;
    struct http_client *client = socket->client;
    socket->next_free = client->free_sockets;
    client->free_sockets = socket;
    handle_closed(client);
}

static struct client_socket *watch(struct http_client *client, curl_socket_t socket)
{
    struct client_socket *watched = client->free_sockets;
    if (watched == NULL || uv_poll_init_socket(client->loop, &watched->poll, socket) != 0)
        return NULL;
    client->free_sockets = watched->next_free;
    watched->client = client;
    watched->socket = socket;
    watched->poll.data = watched;
    client->handles++;
    curl_multi_assign(client->multi, socket, watched);
    return watched;
}

/* A socket that cannot be watched is left to the transfer's time-out. */
static int set_socket(CURL *easy, curl_socket_t socket, int what, void *context, void *watched)
{
    struct client_socket *known = watched;
    int events = 0;
    (void)easy;
    if (what == CURL_POLL_REMOVE) {
        if (known != NULL) {
            curl_multi_assign(known->client->multi, socket, NULL);
            uv_poll_stop(&known->poll);
            uv_close((uv_handle_t *)&known->poll, socket_closed);
        }
        return 0;
    }
    if (what == CURL_POLL_IN || what == CURL_POLL_INOUT)
        events |= UV_READABLE;
    if (what == CURL_POLL_OUT || what == CURL_POLL_INOUT)
        events |= UV_WRITABLE;
    if (known == NULL)
        known = watch(context, socket);
    if (known != NULL && events != 0)
        uv_poll_start(&known->poll, events, on_socket_event);
    return 0;
}

/* ------------------------------------------------------------------------------- its answer */

static size_t take_body(char *data, size_t size, size_t count, void *context)
{
    struct client_request *request = context;
    size_t bytes = size * count;
    if (buffer_append(&request->body, data, bytes))
        return bytes;
    if (request->body.size + bytes > request->body.size_max)
        request->too_long = true;
    else
        request->without_memory = true;
    return 0;
}

/* One header line; the head of an interim answer (1xx) makes room for the next one. */
static size_t take_header(char *data, size_t size, size_t count, void *context)
{
    struct client_request *request = context;
    size_t bytes = size * count;
    const char *colon = memchr(data, ':', bytes);
    if (bytes >= 5 && memcmp(data, "HTTP/", 5) == 0) {
        request->header_count = 0;
        buffer_clear(&request->head);
        return bytes;
    }
    if (colon == NULL || request->header_count == answer_headers_max)
        return bytes;
    struct text name = text_make(data, (size_t)(colon - data));
    struct text value = text_trim(text_make(colon + 1, bytes - name.size - 1));
    size_t *at = request->offsets[request->header_count];
    at[0] = request->head.size;
    at[1] = name.size;
    at[2] = at[0] + name.size;
    at[3] = value.size;
    if (!buffer_append_text(&request->head, name) || !buffer_append_text(&request->head, value))
        return 0;
    request->header_count++;
    return bytes;
}

/* ------------------------------------------------------------------------------- its sending */

static bool add_header(struct client_request *made, struct text name, struct text value)
{
    char line[header_line_size];
    if (name.size + value.size + 3 > sizeof line || text_has_control(name) ||
        text_has_control(value))
        return false;
    memcpy(line, name.data, name.size);
    memcpy(line + name.size, ": ", 2);
    if (value.size > 0)
        memcpy(line + name.size + 2, value.data, value.size);
    line[name.size + 2 + value.size] = '\0';
    struct curl_slist *longer = curl_slist_append(made->headers, line);
    if (longer == NULL)
        return false;
    made->headers = longer;
    return true;
}

static bool add_headers(struct client_request *made, const struct http_client_request *request)
{
    struct curl_slist *first = curl_slist_append(NULL, "Expect:"); /* no 100-continue round trip */
    if (first == NULL)
        return false;
    made->headers = first;
    for (size_t i = 0; i < request->header_count; i++) {
        if (!add_header(made, request->headers[i].name, request->headers[i].value))
            return false;
    }
    return true;
}

static bool set_options(struct client_request *made, const struct http_client_request *request)
{
    const struct http_client_options *options = &made->client->options;
    const char *url = made->text, *method = url + request->url.size + 1;
    const char *body = method + request->method.size + 1;
    bool has_body = request->body.size > 0 || text_equals_string(request->method, "POST");
    CURL *easy = made->easy;
    CURLcode wrong = CURLE_OK;
#define SET(option, value) wrong = wrong != CURLE_OK ? wrong : curl_easy_setopt(easy, option, value)
    SET(CURLOPT_PRIVATE, made);
    SET(CURLOPT_URL, url);
    SET(CURLOPT_PROTOCOLS_STR, "http,https");
    SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    SET(CURLOPT_PROXY, "");
    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_FOLLOWLOCATION, 0L);
    SET(CURLOPT_CONNECTTIMEOUT_MS, (long)((request->connect_us_max + 999) / 1000));
    SET(CURLOPT_TIMEOUT_MS, (long)((request->total_us_max + 999) / 1000));
    SET(CURLOPT_MAXAGE_CONN, (long)(options->idle_us_max / 1000000));
    SET(CURLOPT_ERRORBUFFER, made->error);
    SET(CURLOPT_WRITEFUNCTION, take_body);
    SET(CURLOPT_WRITEDATA, made);
    SET(CURLOPT_HEADERFUNCTION, take_header);
    SET(CURLOPT_HEADERDATA, made);
    SET(CURLOPT_HTTPHEADER, made->headers);
    if (has_body) {
        SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body.size);
        SET(CURLOPT_POSTFIELDS, body);
    }
    SET(CURLOPT_CUSTOMREQUEST, method);
    if (request->at_most_once)
        SET(CURLOPT_FRESH_CONNECT, 1L);
    if (options->certificate_authorities != NULL)
        SET(CURLOPT_CAINFO, options->certificate_authorities);
#undef SET
    return wrong == CURLE_OK;
}

static struct client_request *request_make(struct http_client *client,
                                           const struct http_client_request *request)
{
    size_t text_size = request->url.size + request->method.size + request->body.size + 3;
    struct client_request *made = memory_allocate(sizeof *made + text_size);
    if (made == NULL)
        return NULL;
    memset(made, 0, sizeof *made);
    made->client = client;
    char *at = made->text;
    const struct text parts[] = {request->url, request->method, request->body};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        if (parts[i].size > 0)
            memcpy(at, parts[i].data, parts[i].size);
        at += parts[i].size;
        *at++ = '\0';
    }
    buffer_init(&made->body, request->answer_bytes_max);
    buffer_init(&made->head, header_bytes_max);
    made->easy = curl_easy_init();
    if (made->easy == NULL || !add_headers(made, request) || !set_options(made, request)) {
        request_release(made);
        return NULL;
    }
    return made;
}

struct error http_client_send(struct http_client *client, const struct http_client_request *request,
                              http_client_done *done, void *context)
{
    CHECK(request->connect_us_max > 0 && request->total_us_max > 0);
    if (client->closing)
        return error_make(ERROR_CANCELLED, "the client is being closed");
    if (request->url.size == 0 || request->url.size > url_bytes_max ||
        text_has_control(request->url))
        return error_make(ERROR_INVALID_INPUT, "no URL");
    struct client_request *made = request_make(client, request);
    if (made == NULL)
        return error_make(ERROR_OUT_OF_MEMORY, "starting a request");
    made->done = done;
    made->context = context;
    made->next = client->first;
    if (client->first != NULL)
        client->first->previous = made;
    client->first = made;
    client->pending++;
    if (curl_multi_add_handle(client->multi, made->easy) != CURLM_OK) {
        request_unlink(made);
        request_release(made);
        return error_make(ERROR_OUT_OF_MEMORY, "starting a request");
    }
    return error_none();
}

struct text http_client_answer_header(const struct http_client_answer *answer, const char *name)
{
    size_t size = strlen(name);
    for (size_t i = 0; i < answer->header_count; i++) {
        if (answer->headers[i].name.size == size &&
            strncasecmp(answer->headers[i].name.data, name, size) == 0)
            return answer->headers[i].value;
    }
    return (struct text){0};
}

size_t http_client_pending(const struct http_client *client)
{
    return client->pending;
}

/* ------------------------------------------------------------------------------- its life */

struct error http_client_create(struct http_client **client, uv_loop_t *loop,
                                const struct http_client_options *options)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, initialize);
    *client = NULL;
    if (initialized != CURLE_OK)
        return error_make(ERROR_INTERNAL, "libcurl: %s", curl_easy_strerror(initialized));
    struct http_client *made = memory_allocate_zero(1, sizeof *made);
    size_t sockets = sockets_per_connection * options->connections_max;
    if (made != NULL)
        made->sockets = memory_allocate_zero(sockets, sizeof *made->sockets);
    if (made != NULL && made->sockets != NULL)
        made->multi = curl_multi_init();
    if (made == NULL || made->multi == NULL) {
        if (made != NULL)
            memory_release(made->sockets);
        memory_release(made);
        return error_make(ERROR_OUT_OF_MEMORY, "making an HTTP client");
    }
    for (size_t i = 0; i < sockets; i++) {
        made->sockets[i].next_free = made->free_sockets;
        made->free_sockets = &made->sockets[i];
    }
    made->loop = loop;
    made->options = *options;
    uv_timer_init(loop, &made->timer);
    made->timer.data = made;
    made->handles = 1;
    curl_multi_setopt(made->multi, CURLMOPT_SOCKETFUNCTION, set_socket);
    curl_multi_setopt(made->multi, CURLMOPT_SOCKETDATA, made);
    curl_multi_setopt(made->multi, CURLMOPT_TIMERFUNCTION, set_timer);
    curl_multi_setopt(made->multi, CURLMOPT_TIMERDATA, made);
    curl_multi_setopt(made->multi, CURLMOPT_PIPELINING, (long)CURLPIPE_NOTHING);
    curl_multi_setopt(made->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, (long)options->connections_max);
    curl_multi_setopt(made->multi, CURLMOPT_MAX_HOST_CONNECTIONS,
                      (long)options->connections_per_host_max);
    *client = made;
    return error_none();
}

static void timer_closed(uv_handle_t *handle)
{
    handle_closed(handle->data);
}

void http_client_close(struct http_client *client, void (*closed)(void *context), void *context)
{
    CHECK(!client->closing);
    client->closing = true;
    end_all(client, ERROR_CANCELLED, "the client is being closed");
    client->closed = closed;
    client->closed_context = context;
    curl_multi_cleanup(client->multi);
    uv_timer_stop(&client->timer);
    uv_close((uv_handle_t *)&client->timer, timer_closed);
}
