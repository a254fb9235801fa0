/*
 * One request an exchange: head and body are collected, the simulator decides at once, and the
 * answer leaves when the carrier's time is over and as the fault of this request wants it: whole,
 * in pieces with pauses, never, or not at all because the connection is cut.
 */
#include "carrier_simulator/simulator_server.h"

#include "carrier_simulator/simulator.h"
#include "carrier_simulator/simulator_pushes.h"
#include "platform/base/memory.h"
#include "platform/http/http_loop.h"
#include "platform/http/http_server.h"
#include "platform/http_client/http_client.h"
#include "platform/json/json_tree.h"

#include <signal.h>
#include <string.h>

enum {
    request_bytes_max = 4 * 1024 * 1024,
    answer_bytes_max = 16 * 1024 * 1024,
    arena_bytes_max = 256 * 1024 * 1024,
    slow_pause_ms = 40,
    slow_pieces = 10,
    path_size = 2048,
};

struct simulated_exchange {
    struct http_exchange *exchange; /* NULL = it is over */
    struct simulator *simulator;
    char path[path_size];
    char sample[128];
    bool authorized;
    bool too_long;
    int64_t begin_us; /* monotonic: the head was here */
    struct buffer body;
    struct simulator_answer answer;
    size_t sent;
    size_t allowed; /* bytes of the answer that may leave by now */
    uv_timer_t pause;
    bool has_pause;
};

static void *open_exchange(void *context, struct http_exchange *exchange, struct text path)
{
    struct simulated_exchange *made = memory_allocate_zero(1, sizeof *made);
    if (made == NULL)
        return NULL;
    made->exchange = exchange;
    made->simulator = context;
    made->begin_us = simulator_monotonic_us(context);
    made->too_long = path.size >= sizeof made->path;
    simulator_copy(made->path, sizeof made->path, path);
    buffer_init(&made->body, request_bytes_max);
    buffer_init(&made->answer.body, answer_bytes_max);
    return made;
}

static void take_header(void *consumer, struct text name, struct text value)
{
    struct simulated_exchange *one = consumer;
    if (text_equals_string(name, "authorization") || text_equals_string(name, "dhl-api-key"))
        one->authorized = one->authorized || value.size > 0;
    if (text_equals_string(name, "x-sample"))
        simulator_copy(one->sample, sizeof one->sample, value);
}

static void do_nothing(void *consumer)
{
    (void)consumer;
}

static void take_body(void *consumer, struct text bytes)
{
    struct simulated_exchange *one = consumer;
    if (!buffer_append_text(&one->body, bytes))
        one->too_long = true;
    http_consume(one->exchange, bytes.size);
}

/* ----------------------------------------------------------------------------------- the answer */

static struct text without_prefix(struct text path)
{
    static const char *const prefixes[] = {"/ups/", "/fedex/", "/dhl/"};
    for (size_t i = 0; i < 3; i++) {
        size_t size = strlen(prefixes[i]) - 1;
        if (text_starts_with(path, text_of(prefixes[i])))
            return text_make(path.data + size, path.size - size);
    }
    return path;
}

static void ask(struct simulated_exchange *one)
{
    struct arena arena;
    struct text whole = text_of(one->path);
    const char *question = strchr(one->path, '?');
    size_t size = question == NULL ? whole.size : (size_t)(question - one->path);
    struct simulator_request request = {
        .method = one->exchange->method,
        .path = without_prefix(text_make(one->path, size)),
        .query = question == NULL ? (struct text){0} : text_of(question + 1),
        .body = buffer_text(&one->body),
        .sample = text_of(one->sample),
        .authorized = one->authorized,
        .arena = &arena,
    };
    arena_init(&arena, arena_bytes_max);
    if (request.body.size > 0 && one->body.data[0] == '{' &&
        error_is(json_tree_parse(request.body, &arena, &request.root)))
        request.root = NULL;
    simulator_answer(one->simulator, &request, &one->answer);
    arena_deinit(&arena);
}

static void let_more_go(uv_timer_t *timer)
{
    struct simulated_exchange *one = timer->data;
    one->allowed += one->answer.body.size / slow_pieces + 1;
    if (one->allowed >= one->answer.body.size)
        uv_timer_stop(timer);
    http_resume(one->exchange);
}

static void pause_then(struct simulated_exchange *one, uv_timer_cb then, uint64_t after_ms,
                       uint64_t every_ms)
{
    if (!one->has_pause)
        uv_timer_init(&one->exchange->loop->io.loop, &one->pause);
    one->has_pause = true;
    one->pause.data = one;
    uv_timer_start(&one->pause, then, after_ms, every_ms);
}

static void respond(struct simulated_exchange *one)
{
    struct http_header headers[3] = {{text_of("content-type"), text_of("application/json")}};
    size_t count = 1;
    if (one->answer.media_type != NULL)
        headers[0].value = text_of(one->answer.media_type);
    if (one->answer.retry_after_seconds > 0)
        headers[count++] = (struct http_header){text_of("retry-after"), text_of("1")};
    if (one->answer.sample[0] != '\0')
        headers[count++] = (struct http_header){text_of("x-sample"), text_of(one->answer.sample)};
    one->allowed = one->answer.body.size;
    if (one->answer.fault == SIMULATOR_FAULT_SLOW) {
        one->allowed = 0;
        pause_then(one, let_more_go, slow_pause_ms, slow_pause_ms);
    }
    http_respond(one->exchange, one->answer.status, headers, count, (int64_t)one->answer.body.size);
}

static void respond_late(uv_timer_t *timer)
{
    respond(timer->data);
}

/* The loop's time may be as old as its last turn. */
static void respond_in_time(struct simulated_exchange *one)
{
    int64_t wait_ms = one->answer.after_ms;
    uv_update_time(&one->exchange->loop->io.loop);
    if (wait_ms == 0)
        respond(one);
    else
        pause_then(one, respond_late, (uint64_t)wait_ms, 0);
}

static void answer(void *consumer)
{
    struct simulated_exchange *one = consumer;
    if (one->too_long)
        one->answer.status = 413;
    else
        ask(one);
    switch (one->answer.fault) {
    case SIMULATOR_FAULT_HANG_UP:
    case SIMULATOR_FAULT_HANG_UP_AFTER:
        http_reset(one->exchange, 2);
        return;
    case SIMULATOR_FAULT_SILENT_AFTER:
        return; /* until the client has enough */
    case SIMULATOR_FAULT_NONE:
    case SIMULATOR_FAULT_THROTTLED:
    case SIMULATOR_FAULT_ERROR_BEFORE:
    case SIMULATOR_FAULT_ERROR_AFTER:
    case SIMULATOR_FAULT_NULL_FIELD:
    case SIMULATOR_FAULT_MALFORMED:
    case SIMULATOR_FAULT_SLOW:
        respond_in_time(one);
    }
}

static size_t read_answer(void *consumer, char *out, size_t room, enum http_body_state *state)
{
    struct simulated_exchange *one = consumer;
    size_t end = one->allowed < one->answer.body.size ? one->allowed : one->answer.body.size;
    size_t part = end - one->sent < room ? end - one->sent : room;
    if (part > 0)
        memcpy(out, one->answer.body.data + one->sent, part);
    one->sent += part;
    *state = one->sent == one->answer.body.size ? HTTP_BODY_END
             : one->sent == end                 ? HTTP_BODY_PENDING
                                                : HTTP_BODY_MORE;
    if (*state == HTTP_BODY_END)
        simulator_note_time(one->simulator, text_of(one->path), one->begin_us);
    return part;
}

static void release(struct simulated_exchange *one)
{
    buffer_deinit(&one->body);
    buffer_deinit(&one->answer.body);
    memory_release(one);
}

static void pause_closed(uv_handle_t *handle)
{
    release(handle->data);
}

static void close_exchange(void *consumer)
{
    struct simulated_exchange *one = consumer;
    one->exchange = NULL;
    if (!one->has_pause) {
        release(one);
        return;
    }
    uv_timer_stop(&one->pause);
    uv_close((uv_handle_t *)&one->pause, pause_closed);
}

static const struct http_handler handler = {
    .open = open_exchange,
    .header = take_header,
    .headers_complete = do_nothing,
    .body = take_body,
    .body_complete = answer,
    .read = read_answer,
    .closed = close_exchange,
};

/* ---------------------------------------------------------------------------------------- life */

static void on_signal(uv_signal_t *signal, int number)
{
    (void)number;
    uv_stop(signal->loop);
}

static void run(struct http_server *server, struct simulator *simulator, struct http_client *client,
                void (*ready)(const char *address))
{
    uv_loop_t *loop = &http_server_loop(server, 0)->io.loop;
    struct simulator_pushes pushes;
    uv_signal_t signals[2];
    static const int numbers[2] = {SIGTERM, SIGINT};
    simulator_pushes_open(&pushes, simulator, client, loop);
    for (int i = 0; i < 2; i++) {
        uv_signal_init(loop, &signals[i]);
        uv_signal_start(&signals[i], on_signal, numbers[i]);
    }
    ready(http_server_address(server));
    uv_run(loop, UV_RUN_DEFAULT);
    pushes.closing = true;
    http_client_close(client, NULL, NULL);
    simulator_pushes_close(&pushes);
    for (int i = 0; i < 2; i++)
        uv_close((uv_handle_t *)&signals[i], NULL);
    http_server_drain(server); /* runs the loop until all of it is closed */
}

struct error simulator_serve(const struct simulator_options *options, const char *listen,
                             void (*ready)(const char *address))
{
    struct http_server_options server_options = http_server_options_default();
    struct http_client_options client_options = http_client_options_default();
    struct http_server *server = NULL;
    struct http_client *client = NULL;
    struct simulator simulator;
    struct error error = simulator_init(&simulator, options);
    server_options.listen = listen;
    server_options.io_threads = 1;
    server_options.threaded = false;
    server_options.connections_per_peer_max = 0;
    server_options.drain_us_max = 1000000;
    if (!error_is(error))
        error = http_server_create(&server, &server_options, &handler);
    if (!error_is(error)) {
        http_server_set_context(server, 0, &simulator);
        error = http_client_create(&client, &http_server_loop(server, 0)->io.loop, &client_options);
        if (error_is(error))
            http_server_drain(server);
        else
            run(server, &simulator, client, ready);
    }
    http_server_stop(server);
    http_server_destroy(server);
    simulator_deinit(&simulator);
    return error;
}
