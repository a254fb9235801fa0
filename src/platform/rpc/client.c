/*
 * The client. The happy path: a call is packed and submitted as a stream of the one connection; the
 * response's message is gathered, the trailers give the status, the stream's end completes the
 * call.
 *
 * Failures: without a connection the calls wait while it is made; if it cannot be made, or is lost,
 * all its calls complete with UNAVAILABLE: whether the server acted is unknown, so the caller
 * repeats with the same id. A GOAWAY does the same for the streams beyond its last one. The next
 * call connects again. A deadline completes its call and resets the stream.
 *
 * Completions never run inside rpc_client_call: a call that fails at once is completed by the loop.
 */
#include "platform/rpc/client_state.h"

#include "platform/base/check.h"
#include "platform/base/memory.h"

#include <stdio.h>
#include <string.h>

enum { output_bytes_target = 128 * 1024, output_bytes_max = 64 * 1024 * 1024 };

struct rpc_client_options rpc_client_options_default(void)
{
    return (struct rpc_client_options){
        .server = "127.0.0.1:7400",
        .connect_timeout_us = 5000000,
        .response_bytes_max = (size_t)16 * 1024 * 1024,
        .calls_max = 1024,
    };
}

static void connect_now(struct rpc_client *client);
static void begin_busy(struct rpc_client *client);
static void end_busy(struct rpc_client *client);

/* --- the connection --- */

static void lose(struct rpc_client *client, const char *reason)
{
    if (client->lost)
        return;
    client->lost = true;
    snprintf(client->lost_reason, sizeof client->lost_reason, "%s: %s", client->address, reason);
}

static void on_handle_closed(uv_handle_t *handle)
{
    struct rpc_client *client = handle->data;
    if (--client->handles > 0)
        return;
    void (*closed)(void *context) = client->closed;
    void *context = client->closed_context;
    buffer_deinit(&client->writing);
    memory_release(client->refusals);
    memory_release(client);
    if (closed != NULL)
        closed(context);
}

static void on_socket_closed(uv_handle_t *handle)
{
    struct rpc_client *client = handle->data;
    client->socket_open = false;
    client->in_write = false;
    if (client->closing) {
        on_handle_closed(handle);
        return;
    }
    client->handles--;
    client->state = CONNECTION_NONE;
    if (client->calls != NULL)
        connect_now(client);
}

/* All calls of the connection end; those made meanwhile wait for the next one. */
static void give_up(struct rpc_client *client)
{
    struct rpc_client_call *call = client->calls;
    struct rpc_client_call *last = NULL;
    client->lost = false;
    for (struct rpc_client_call *each = call; each != NULL; each = each->next)
        last = each;
    if (client->session != NULL) {
        for (struct rpc_client_call *each = call; each != NULL; each = each->next) {
            if (each->stream_id > 0)
                nghttp2_session_set_stream_user_data(client->session, each->stream_id, NULL);
            each->stream_id = 0;
        }
        nghttp2_session_del(client->session);
        client->session = NULL;
    }
    buffer_clear(&client->output);
    buffer_clear(&client->writing);
    if (client->socket_open && !uv_is_closing((uv_handle_t *)&client->socket))
        uv_close((uv_handle_t *)&client->socket, on_socket_closed);
    else if (!client->socket_open && !client->resolving)
        client->state = CONNECTION_NONE;
    bool more = call != NULL;
    while (more) { /* completions may add calls in front; those stay */
        struct rpc_client_call *earlier = last->previous;
        bool is_first = last == call;
        client_call_complete_with(last, GRPC_STATUS_UNAVAILABLE, client->lost_reason);
        more = !is_first;
        last = earlier;
    }
}

static void on_written(uv_write_t *write, int status)
{
    struct rpc_client *client = write->data;
    client->in_write = false;
    buffer_clear(&client->writing);
    if (status != 0)
        lose(client, uv_strerror(status));
    else
        client->dirty = true;
}

static bool serialize(struct rpc_client *client)
{
    while (client->output.size < output_bytes_target) {
        const uint8_t *data;
        ssize_t size = nghttp2_session_mem_send(client->session, &data);
        if (size == 0)
            return true;
        if (size < 0 || !buffer_append(&client->output, data, (size_t)size))
            return false;
    }
    return true;
}

static void write_output(struct rpc_client *client)
{
    uv_buf_t buffer = uv_buf_init(client->output.data, (unsigned)client->output.size);
    int written = uv_try_write((uv_stream_t *)&client->socket, &buffer, 1);
    if (written < 0 && written != UV_EAGAIN) {
        lose(client, uv_strerror(written));
        return;
    }
    if (written > 0)
        buffer_consume(&client->output, (size_t)written);
    if (client->output.size == 0)
        return;
    struct buffer rest = client->output;
    client->output = client->writing;
    client->writing = rest;
    buffer = uv_buf_init(rest.data, (unsigned)rest.size);
    client->in_write = true;
    if (uv_write(&client->write, (uv_stream_t *)&client->socket, &buffer, 1, on_written) != 0) {
        client->in_write = false;
        lose(client, "cannot write");
    }
}

static void tell_refusals(struct rpc_client *client)
{
    uint32_t count = client->refusal_count; /* completions may add more: those wait a turn */
    for (uint32_t i = 0; i < count; i++) {
        struct refusal refusal = client->refusals[i];
        struct error error =
            error_make(refusal.code, "the call could not be sent: %s", error_text(refusal.code));
        struct arena arena;
        arena_init(&arena, client_call_memory_bytes_max);
        struct rpc_client_result result = {.status = rpc_status_of_error(&arena, &error)};
        refusal.done(refusal.context, &result);
        arena_deinit(&arena);
    }
    client->refusal_count -= count;
    memmove(client->refusals, client->refusals + count,
            client->refusal_count * sizeof client->refusals[0]);
}

/* Sends what is pending, and gives a lost connection up. Before and after the loop sleeps. */
static void flush(struct rpc_client *client)
{
    while (client->dirty && client->state == CONNECTION_OPEN && !client->in_write &&
           !client->lost && client->session != NULL) {
        if (!serialize(client)) {
            lose(client, "not enough memory");
        } else if (client->output.size > 0) {
            write_output(client);
        } else {
            client->dirty = false;
        }
    }
    if (client->state == CONNECTION_OPEN && !client->lost && client->session != NULL &&
        nghttp2_session_want_read(client->session) == 0 &&
        nghttp2_session_want_write(client->session) == 0)
        lose(client, "the server ended the connection");
    if (client->lost)
        give_up(client);
    if (client->refusal_count > 0)
        tell_refusals(client);
}

static void flush_busy(struct rpc_client *client)
{
    begin_busy(client);
    flush(client);
    end_busy(client);
}

static void on_before_poll(uv_prepare_t *handle)
{
    flush_busy(handle->data);
}

static void on_after_poll(uv_check_t *handle)
{
    flush_busy(handle->data);
}

static void give_buffer(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
    struct rpc_client *client = handle->data;
    (void)suggested;
    *buffer = uv_buf_init(client->input, sizeof client->input);
}

static void on_read(uv_stream_t *stream, ssize_t size, const uv_buf_t *buffer)
{
    struct rpc_client *client = stream->data;
    if (size == 0 || client->session == NULL)
        return;
    if (size < 0) {
        lose(client, size == UV_EOF ? "the server closed the connection" : uv_strerror((int)size));
        return;
    }
    begin_busy(client);
    ssize_t used = nghttp2_session_mem_recv(client->session, (uint8_t *)buffer->base, (size_t)size);
    if (used < 0)
        lose(client, nghttp2_strerror((int)used));
    client->dirty = true;
    end_busy(client);
}

static void on_connected(uv_connect_t *connect, int status)
{
    struct rpc_client *client = connect->data;
    if (client->closing || client->lost)
        return;
    if (status == 0)
        status = uv_tcp_nodelay(&client->socket, 1);
    if (status == 0)
        status = uv_read_start((uv_stream_t *)&client->socket, give_buffer, on_read);
    if (status != 0) {
        lose(client, uv_strerror(status));
        return;
    }
    if (client_session_make(client) != 0) {
        lose(client, "not enough memory");
        return;
    }
    client->state = CONNECTION_OPEN;
    struct rpc_client_call *call = client->calls;
    while (call != NULL && call->next != NULL)
        call = call->next;
    bool fits = true;
    for (; fits && call != NULL; call = call->previous) /* in the order they were made */
        fits = client_call_submit(call);
    if (!fits)
        lose(client, "not enough memory");
    client->dirty = true;
}

static void on_resolved(uv_getaddrinfo_t *resolve, int status, struct addrinfo *found)
{
    struct rpc_client *client = resolve->data;
    client->resolving = false;
    if (client->closing) {
        uv_freeaddrinfo(found);
        on_handle_closed((uv_handle_t *)&client->timer); /* counts for the request */
        return;
    }
    client->handles--;
    if (status == 0)
        status = uv_tcp_init(client->loop, &client->socket);
    if (status == 0) {
        client->socket_open = true;
        client->handles++;
        client->socket.data = client;
        client->state = CONNECTION_OPENING;
        status = uv_tcp_connect(&client->connect, &client->socket, found->ai_addr, on_connected);
    }
    uv_freeaddrinfo(found);
    if (status != 0)
        lose(client, uv_strerror(status));
}

static void connect_now(struct rpc_client *client)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
    client->state = CONNECTION_RESOLVING;
    client->connect_until_ms =
        uv_now(client->loop) + (uint64_t)client->options.connect_timeout_us / 1000;
    int result = uv_getaddrinfo(client->loop, &client->resolve, on_resolved, client->host,
                                client->port, &hints);
    if (result != 0) {
        lose(client, uv_strerror(result));
        return;
    }
    client->resolving = true;
    client->handles++;
}

/* --- deadlines --- */

static void on_timer(uv_timer_t *timer)
{
    struct rpc_client *client = timer->data;
    uint64_t now_ms = uv_now(client->loop);
    struct rpc_client_call *call = client->calls;
    begin_busy(client);
    while (call != NULL) {
        struct rpc_client_call *next = call->next;
        if (call->deadline_ms != 0 && call->deadline_ms <= now_ms) {
            if (call->stream_id > 0)
                nghttp2_submit_rst_stream(client->session, NGHTTP2_FLAG_NONE, call->stream_id,
                                          NGHTTP2_CANCEL);
            client->dirty = true;
            client_call_complete_with(call, GRPC_STATUS_DEADLINE_EXCEEDED,
                                      "the deadline passed before the answer came");
        }
        call = next;
    }
    if (client->state != CONNECTION_OPEN && client->state != CONNECTION_NONE &&
        now_ms >= client->connect_until_ms)
        lose(client, "cannot connect in time");
    end_busy(client);
}

/* --- for callers --- */

static struct error split_address(struct rpc_client *client, const char *server)
{
    char *colon;
    int size = snprintf(client->address, sizeof client->address, "%s", server);
    if (size <= 0 || (size_t)size >= sizeof client->address)
        return error_make(ERROR_INVALID_SETTING, "the server's address is empty or too long");
    memcpy(client->name, client->address, sizeof client->name);
    colon = strrchr(client->name, ':');
    if (colon == NULL || colon == client->name || colon[1] == '\0')
        return error_make(ERROR_INVALID_SETTING, "%s: an address is HOST:PORT", server);
    *colon = '\0';
    client->host = client->name;
    client->port = colon + 1;
    if (client->host[0] == '[' && colon[-1] == ']') {
        colon[-1] = '\0';
        client->host++;
    }
    return error_none();
}

struct error rpc_client_create(struct rpc_client **client, uv_loop_t *loop,
                               const struct rpc_client_options *options)
{
    enum { deadline_interval_ms = 5 };
    struct rpc_client *made = memory_allocate_zero(1, sizeof *made);
    if (made == NULL)
        return error_make(ERROR_OUT_OF_MEMORY, "client");
    made->options = *options;
    made->loop = loop;
    struct error error = split_address(made, options->server);
    if (error_is(error)) {
        memory_release(made);
        return error;
    }
    made->options.server = made->address;
    made->refusals = memory_allocate_zero(options->calls_max, sizeof made->refusals[0]);
    if (made->refusals == NULL) {
        memory_release(made);
        return error_make(ERROR_OUT_OF_MEMORY, "client");
    }
    buffer_init(&made->output, output_bytes_max);
    buffer_init(&made->writing, output_bytes_max);
    uv_timer_init(loop, &made->timer);
    uv_prepare_init(loop, &made->before_poll);
    uv_check_init(loop, &made->after_poll);
    made->handles = 3;
    made->timer.data = made;
    made->before_poll.data = made;
    made->after_poll.data = made;
    made->write.data = made;
    made->connect.data = made;
    made->resolve.data = made;
    uv_timer_start(&made->timer, on_timer, deadline_interval_ms, deadline_interval_ms);
    uv_prepare_start(&made->before_poll, on_before_poll);
    uv_check_start(&made->after_poll, on_after_poll);
    *client = made;
    return error_none();
}

static void close_now(struct rpc_client *client)
{
    client->close_pending = false;
    tell_refusals(client);
    while (client->calls != NULL)
        client_call_complete_with(client->calls, GRPC_STATUS_CANCELLED, "the client was closed");
    if (client->session != NULL)
        nghttp2_session_del(client->session);
    client->session = NULL;
    buffer_deinit(&client->output);
    if (client->socket_open && !uv_is_closing((uv_handle_t *)&client->socket))
        uv_close((uv_handle_t *)&client->socket, on_socket_closed);
    if (client->resolving)
        uv_cancel((uv_req_t *)&client->resolve);
    uv_close((uv_handle_t *)&client->timer, on_handle_closed);
    uv_close((uv_handle_t *)&client->before_poll, on_handle_closed);
    uv_close((uv_handle_t *)&client->after_poll, on_handle_closed);
}

void rpc_client_close(struct rpc_client *client, void (*closed)(void *context), void *context)
{
    client->closing = true;
    client->closed = closed;
    client->closed_context = context;
    client->close_pending = true;
    if (client->busy == 0)
        close_now(client);
}

/* Completions run between these two; a close asked for there waits for the last one. */
static void begin_busy(struct rpc_client *client)
{
    client->busy++;
}

static void end_busy(struct rpc_client *client)
{
    if (--client->busy == 0 && client->close_pending)
        close_now(client);
}

/* A call with its request packed; NULL without memory. */
static struct rpc_client_call *make_call(struct rpc_client *client, const char *path,
                                         const ProtobufCMessage *request)
{
    struct rpc_client_call *call = memory_allocate_zero(1, sizeof *call);
    if (call == NULL)
        return NULL;
    size_t size = protobuf_c_message_get_packed_size(request);
    arena_init(&call->arena, client_call_memory_bytes_max);
    buffer_init(&call->response, client->options.response_bytes_max + client_prefix_bytes);
    char *framed = arena_allocate(&call->arena, client_prefix_bytes + size);
    call->path = (char *)arena_copy_text(&call->arena, text_of(path)).data;
    if (framed == NULL || call->path == NULL) {
        client_call_release(call);
        return NULL;
    }
    framed[0] = 0;
    framed[1] = (char)(size >> 24);
    framed[2] = (char)(size >> 16);
    framed[3] = (char)(size >> 8);
    framed[4] = (char)size;
    protobuf_c_message_pack(request, (uint8_t *)framed + client_prefix_bytes);
    call->request = text_make(framed, client_prefix_bytes + size);
    call->client = client;
    return call;
}

/* Told at the next turn of the loop, because `done` never runs inside rpc_client_call. */
static void refuse_later(struct rpc_client *client, enum error_code code, rpc_client_done *done,
                         void *context)
{
    CHECK(client->refusal_count < client->options.calls_max); /* that many in one turn */
    client->refusals[client->refusal_count++] =
        (struct refusal){.code = code, .done = done, .context = context};
}

void rpc_client_call(struct rpc_client *client, const char *path, const ProtobufCMessage *request,
                     const ProtobufCMessageDescriptor *response_descriptor, int64_t timeout_us,
                     rpc_client_done *done, void *context)
{
    CHECK(!client->closing);
    if (client->call_count >= client->options.calls_max) {
        refuse_later(client, ERROR_OVERLOADED, done, context);
        return;
    }
    struct rpc_client_call *call = make_call(client, path, request);
    if (call == NULL) {
        refuse_later(client, ERROR_OUT_OF_MEMORY, done, context);
        return;
    }
    call->response_descriptor = response_descriptor;
    call->done = done;
    call->context = context;
    if (timeout_us > 0)
        call->deadline_ms = uv_now(client->loop) + (uint64_t)(timeout_us + 999) / 1000;
    call->next = client->calls;
    if (client->calls != NULL)
        client->calls->previous = call;
    client->calls = call;
    client->call_count++;
    if (client->state == CONNECTION_NONE)
        connect_now(client);
    else if (client->state == CONNECTION_OPEN && !client->lost && !client_call_submit(call))
        lose(client, "not enough memory");
}

uint32_t rpc_client_calls_in_flight(const struct rpc_client *client)
{
    return client->call_count;
}
