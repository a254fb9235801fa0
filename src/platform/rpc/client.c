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
#include "platform/rpc/client.h"

#include "platform/base/buffer.h"
#include "platform/base/check.h"
#include "platform/base/memory.h"

#include <nghttp2/nghttp2.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    prefix_bytes = 5,
    output_bytes_target = 128 * 1024,
    output_bytes_max = 64 * 1024 * 1024,
    window_bytes = 16 * 1024 * 1024,
    call_memory_bytes_max = 64 * 1024 * 1024,
    address_bytes_max = 280,
};

struct rpc_client_call {
    struct rpc_client_call *previous;
    struct rpc_client_call *next;
    struct rpc_client *client;
    int32_t stream_id; /* 0 = not submitted yet */
    struct arena arena;
    char *path;
    const ProtobufCMessageDescriptor *response_descriptor;
    rpc_client_done *done;
    void *context;
    uint64_t deadline_ms; /* by uv_now; 0 = none */
    struct text request;  /* framed */
    size_t request_sent;
    struct buffer response;
    bool too_large;
    /* what the trailers said */
    bool has_status;
    int64_t status;
    int64_t http_status;
    struct text message;
    struct text details;
};

/* A call that could not even be made. */
struct refusal {
    enum error_code code;
    rpc_client_done *done;
    void *context;
};

enum connection_state {
    CONNECTION_NONE,
    CONNECTION_RESOLVING,
    CONNECTION_OPENING,
    CONNECTION_OPEN
};

struct rpc_client {
    struct rpc_client_options options;
    uv_loop_t *loop;
    char address[address_bytes_max];
    char *host; /* within `name` */
    char *port;
    char name[address_bytes_max];
    enum connection_state state;
    uv_getaddrinfo_t resolve;
    uv_connect_t connect;
    uv_tcp_t socket;
    uv_write_t write;
    uv_timer_t timer; /* deadlines, the connect time-out, failures to be told */
    uv_prepare_t before_poll;
    uv_check_t after_poll;
    nghttp2_session *session;
    struct rpc_client_call *calls;
    uint32_t call_count;
    struct refusal *refusals; /* room for calls_max */
    uint32_t refusal_count;
    uint64_t connect_until_ms;
    struct buffer output;
    struct buffer writing;
    bool in_write;
    bool socket_open;
    bool resolving;
    bool dirty;
    bool lost; /* the connection is to be given up at the next turn */
    char lost_reason[512];
    bool closing;
    bool close_pending; /* rpc_client_close was called from within a completion */
    int busy;           /* how deep in code that still needs the session */
    int handles; /* to be closed before the client is gone */
    void (*closed)(void *context);
    void *closed_context;
    char input[64 * 1024];
};

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

/* --- calls --- */

static void unlink_call(struct rpc_client_call *call)
{
    struct rpc_client *client = call->client;
    if (call->previous == NULL)
        client->calls = call->next;
    else
        call->previous->next = call->next;
    if (call->next != NULL)
        call->next->previous = call->previous;
    client->call_count--;
    if (call->stream_id > 0 && client->session != NULL)
        nghttp2_session_set_stream_user_data(client->session, call->stream_id, NULL);
}

static void release_call(struct rpc_client_call *call)
{
    arena_deinit(&call->arena);
    buffer_deinit(&call->response);
    memory_release(call);
}

/* Takes the call out, tells its owner, releases it. */
static void complete(struct rpc_client_call *call, const struct rpc_client_result *result)
{
    unlink_call(call);
    call->done(call->context, result);
    release_call(call);
}

static void complete_with(struct rpc_client_call *call, enum grpc_status code, const char *message)
{
    struct rpc_client_result result = {
        .status = rpc_status_make(&call->arena, code, "", "%s", message),
    };
    complete(call, &result);
}

static void *arena_for_protobuf(void *arena, size_t size)
{
    return arena_allocate(arena, size);
}

static void keep_for_protobuf(void *arena, void *block)
{
    (void)arena;
    (void)block;
}

/* The one message of the response; NULL if there is none that can be read. */
static ProtobufCMessage *unpack_response(struct rpc_client_call *call)
{
    ProtobufCAllocator allocator = {
        .alloc = arena_for_protobuf,
        .free = keep_for_protobuf,
        .allocator_data = &call->arena,
    };
    const uint8_t *bytes = (const uint8_t *)call->response.data;
    if (call->response.size < prefix_bytes || bytes[0] != 0)
        return NULL;
    size_t size =
        (size_t)bytes[1] << 24 | (size_t)bytes[2] << 16 | (size_t)bytes[3] << 8 | bytes[4];
    if (size != call->response.size - prefix_bytes)
        return NULL;
    return protobuf_c_message_unpack(call->response_descriptor, &allocator, size,
                                     bytes + prefix_bytes);
}

/* Base64, with or without padding. Empty if it is none, or without memory. */
static struct text decode_details(struct arena *arena, struct text encoded)
{
    size_t padding = (4 - encoded.size % 4) % 4;
    char *padded = arena_allocate(arena, encoded.size + padding + 1);
    unsigned char *bytes = arena_allocate(arena, encoded.size + padding);
    if (padded == NULL || bytes == NULL || encoded.size == 0)
        return (struct text){0};
    memcpy(padded, encoded.data, encoded.size);
    memset(padded + encoded.size, '=', padding);
    int size = EVP_DecodeBlock(bytes, (unsigned char *)padded, (int)(encoded.size + padding));
    while (encoded.size > 0 && encoded.data[encoded.size - 1] == '=') {
        encoded.size--;
        padding++;
    }
    return size < (int)padding ? (struct text){0} : text_make(bytes, (size_t)size - padding);
}

static int hexadecimal(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* grpc-message is percent-encoded; what is no escape stays as it is. */
static struct text decode_message(struct arena *arena, struct text encoded)
{
    char *decoded = arena_allocate(arena, encoded.size + 1);
    size_t size = 0;
    if (decoded == NULL)
        return (struct text){0};
    for (size_t i = 0; i < encoded.size; i++) {
        bool escaped = encoded.data[i] == '%' && i + 2 < encoded.size &&
                       hexadecimal(encoded.data[i + 1]) >= 0 &&
                       hexadecimal(encoded.data[i + 2]) >= 0;
        if (escaped) {
            decoded[size++] =
                (char)(hexadecimal(encoded.data[i + 1]) << 4 | hexadecimal(encoded.data[i + 2]));
            i += 2;
        } else {
            decoded[size++] = encoded.data[i];
        }
    }
    decoded[size] = '\0';
    return text_make(decoded, size);
}

/* What an HTTP status without grpc-status means (grpc/doc/http-grpc-status-mapping.md). */
static enum grpc_status status_of_http(int64_t http_status)
{
    switch (http_status) {
    case 400:
        return GRPC_STATUS_INTERNAL;
    case 401:
        return GRPC_STATUS_UNAUTHENTICATED;
    case 403:
        return GRPC_STATUS_PERMISSION_DENIED;
    case 404:
        return GRPC_STATUS_UNIMPLEMENTED;
    case 429:
    case 502:
    case 503:
    case 504:
        return GRPC_STATUS_UNAVAILABLE;
    default:
        return GRPC_STATUS_UNKNOWN;
    }
}

/* The stream has ended in good order: what came of the call. */
static void complete_by_trailers(struct rpc_client_call *call)
{
    struct rpc_client_result result = {0};
    if (call->too_large) {
        complete_with(call, GRPC_STATUS_RESOURCE_EXHAUSTED, "the response is too large");
        return;
    }
    if (!call->has_status) {
        complete_with(call, status_of_http(call->http_status), "the answer has no grpc-status");
        return;
    }
    if (call->status != GRPC_STATUS_OK) {
        result.status = (struct rpc_status){.arena = &call->arena};
        if (call->details.size > 0 &&
            !rpc_status_unpack(&call->arena, call->details, &result.status))
            result.status = (struct rpc_status){.arena = &call->arena};
        result.status.code = call->status < 0 || call->status > 16 ? GRPC_STATUS_UNKNOWN
                                                                   : (enum grpc_status)call->status;
        result.status.message = call->message;
        complete(call, &result);
        return;
    }
    result.response = unpack_response(call);
    if (result.response == NULL)
        complete_with(call, GRPC_STATUS_INTERNAL, "the response is not one whole message");
    else
        complete(call, &result);
}

/* --- the session --- */

static struct rpc_client_call *call_of(nghttp2_session *session, int32_t stream_id)
{
    return nghttp2_session_get_stream_user_data(session, stream_id);
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
                     size_t name_size, const uint8_t *value, size_t value_size, uint8_t flags,
                     void *context)
{
    struct rpc_client_call *call = call_of(session, frame->hd.stream_id);
    struct text key = text_make(name, name_size);
    struct text data = text_make(value, value_size);
    (void)flags;
    (void)context;
    if (call == NULL)
        return 0;
    if (text_equals_string(key, ":status"))
        (void)text_to_int64(data, &call->http_status);
    else if (text_equals_string(key, "grpc-status"))
        call->has_status = text_to_int64(data, &call->status);
    else if (text_equals_string(key, "grpc-message"))
        call->message = decode_message(&call->arena, data);
    else if (text_equals_string(key, "grpc-status-details-bin"))
        call->details = decode_details(&call->arena, data);
    return 0;
}

static int on_data_chunk(nghttp2_session *session, uint8_t flags, int32_t stream_id,
                         const uint8_t *data, size_t size, void *context)
{
    struct rpc_client_call *call = call_of(session, stream_id);
    (void)flags;
    (void)context;
    if (call != NULL && !buffer_append(&call->response, data, size))
        call->too_large = true;
    return 0;
}

static int on_stream_close(nghttp2_session *session, int32_t stream_id, uint32_t error_code,
                           void *context)
{
    struct rpc_client_call *call = call_of(session, stream_id);
    (void)context;
    if (call == NULL)
        return 0;
    if (error_code == NGHTTP2_NO_ERROR || call->has_status)
        complete_by_trailers(call);
    else if (error_code == NGHTTP2_REFUSED_STREAM)
        complete_with(call, GRPC_STATUS_UNAVAILABLE, "the server refused the call untouched");
    else
        complete_with(call, GRPC_STATUS_UNAVAILABLE, nghttp2_http2_strerror(error_code));
    return 0;
}

static void *allocate(size_t size, void *context)
{
    (void)context;
    return memory_allocate(size);
}

static void release(void *block, void *context)
{
    (void)context;
    memory_release(block);
}

static void *allocate_zero(size_t count, size_t size, void *context)
{
    (void)context;
    return memory_allocate_zero(count, size);
}

static void *reallocate(void *block, size_t size, void *context)
{
    (void)context;
    return memory_reallocate(block, size);
}

static int make_session(struct rpc_client *client)
{
    static nghttp2_mem memory = {
        .malloc = allocate, .free = release, .calloc = allocate_zero, .realloc = reallocate};
    const nghttp2_settings_entry settings[] = {
        {NGHTTP2_SETTINGS_ENABLE_PUSH, 0},
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, window_bytes},
    };
    nghttp2_session_callbacks *callbacks;
    int result = nghttp2_session_callbacks_new(&callbacks);
    if (result != 0)
        return result;
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data_chunk);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_stream_close);
    result = nghttp2_session_client_new3(&client->session, callbacks, client, NULL, &memory);
    nghttp2_session_callbacks_del(callbacks);
    if (result == 0)
        result = nghttp2_submit_settings(client->session, NGHTTP2_FLAG_NONE, settings, 2);
    if (result == 0)
        result = nghttp2_session_set_local_window_size(client->session, NGHTTP2_FLAG_NONE, 0,
                                                       window_bytes);
    return result;
}

static ssize_t read_request(nghttp2_session *session, int32_t stream_id, uint8_t *out, size_t room,
                            uint32_t *flags, nghttp2_data_source *source, void *context)
{
    struct rpc_client_call *call = call_of(session, stream_id);
    (void)source;
    (void)context;
    if (call == NULL)
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    size_t left = call->request.size - call->request_sent;
    size_t part = left < room ? left : room;
    memcpy(out, call->request.data + call->request_sent, part);
    call->request_sent += part;
    if (part == left)
        *flags |= NGHTTP2_DATA_FLAG_EOF;
    return (ssize_t)part;
}

static nghttp2_nv header(const char *name, const char *value)
{
    return (nghttp2_nv){
        .name = (uint8_t *)(uintptr_t)name,
        .value = (uint8_t *)(uintptr_t)value,
        .namelen = strlen(name),
        .valuelen = strlen(value),
        .flags = NGHTTP2_NV_FLAG_NONE,
    };
}

/* Puts the call on the open connection. */
static void submit(struct rpc_client_call *call)
{
    struct rpc_client *client = call->client;
    char timeout[24];
    nghttp2_data_provider body = {.read_callback = read_request};
    nghttp2_nv headers[8] = {
        header(":method", "POST"),
        header(":scheme", "http"),
        header(":path", call->path),
        header(":authority", client->address),
        header("content-type", "application/grpc"),
        header("te", "trailers"),
        header("user-agent", "waybill"),
    };
    size_t count = 7;
    if (call->deadline_ms != 0) {
        uint64_t now_ms = uv_now(client->loop);
        uint64_t left_ms = call->deadline_ms > now_ms ? call->deadline_ms - now_ms : 1;
        snprintf(timeout, sizeof timeout, "%llum",
                 (unsigned long long)(left_ms > 99999999 ? 99999999 : left_ms));
        headers[count++] = header("grpc-timeout", timeout);
    }
    call->stream_id = nghttp2_submit_request(client->session, NULL, headers, count, &body, call);
    client->dirty = true;
}

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
        complete_with(last, GRPC_STATUS_UNAVAILABLE, client->lost_reason);
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
        arena_init(&arena, call_memory_bytes_max);
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
    if (make_session(client) != 0) {
        lose(client, "not enough memory");
        return;
    }
    client->state = CONNECTION_OPEN;
    struct rpc_client_call *call = client->calls;
    while (call != NULL && call->next != NULL)
        call = call->next;
    for (; call != NULL; call = call->previous) /* in the order they were made */
        submit(call);
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
            complete_with(call, GRPC_STATUS_DEADLINE_EXCEEDED,
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
        complete_with(client->calls, GRPC_STATUS_CANCELLED, "the client was closed");
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
    arena_init(&call->arena, call_memory_bytes_max);
    buffer_init(&call->response, client->options.response_bytes_max + prefix_bytes);
    char *framed = arena_allocate(&call->arena, prefix_bytes + size);
    call->path = (char *)arena_copy_text(&call->arena, text_of(path)).data;
    if (framed == NULL || call->path == NULL) {
        release_call(call);
        return NULL;
    }
    framed[0] = 0;
    framed[1] = (char)(size >> 24);
    framed[2] = (char)(size >> 16);
    framed[3] = (char)(size >> 8);
    framed[4] = (char)size;
    protobuf_c_message_pack(request, (uint8_t *)framed + prefix_bytes);
    call->request = text_make(framed, prefix_bytes + size);
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
    if (client->state == CONNECTION_OPEN && !client->lost)
        submit(call);
    else if (client->state == CONNECTION_NONE)
        connect_now(client);
}

uint32_t rpc_client_calls_in_flight(const struct rpc_client *client)
{
    return client->call_count;
}
