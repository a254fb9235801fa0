/*
 * HTTP/2 from the client's side: headers and data of each stream go to its call; messages of a call
 * go out as data; a stream that was refused or reset ends its call's attempt.
 *
 * Flow control: the connection's window is given back as bytes come, a stream's window only as its
 * messages are wanted, so a stream whose owner does not read stalls only itself.
 */
#include "platform/rpc/client/client_state.h"

#include "platform/base/memory.h"
#include "platform/http/http2_memory.h"

#include <stdio.h>
#include <string.h>

enum { headers_max = 64 };

static struct rpc_client_call *call_of(nghttp2_session *session, int32_t stream_id)
{
    return nghttp2_session_get_stream_user_data(session, stream_id);
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
                     size_t name_size, const uint8_t *value, size_t value_size, uint8_t flags,
                     void *context)
{
    struct rpc_client_call *call = call_of(session, frame->hd.stream_id);
    (void)flags;
    (void)context;
    if (call != NULL)
        client_call_header(call, text_make(name, name_size), text_make(value, value_size));
    return 0;
}

static int on_data_chunk(nghttp2_session *session, uint8_t flags, int32_t stream_id,
                         const uint8_t *data, size_t size, void *context)
{
    struct rpc_client_call *call = call_of(session, stream_id);
    (void)flags;
    (void)context;
    if (nghttp2_session_consume_connection(session, size) != 0)
        return NGHTTP2_ERR_CALLBACK_FAILURE;
    if (call == NULL)
        return 0;
    call->unconsumed_bytes += size;
    client_call_data(call, text_make(data, size));
    return 0;
}

static int on_frame_sent(nghttp2_session *session, const nghttp2_frame *frame, void *context)
{
    (void)context;
    if (frame->hd.type != NGHTTP2_HEADERS)
        return 0;
    struct rpc_client_call *call = call_of(session, frame->hd.stream_id);
    if (call != NULL)
        call->has_left = true;
    return 0;
}

static int on_stream_close(nghttp2_session *session, int32_t stream_id, uint32_t error_code,
                           void *context)
{
    struct rpc_client_call *call = call_of(session, stream_id);
    (void)context;
    if (call == NULL)
        return 0;
    bool is_good = error_code == NGHTTP2_NO_ERROR || call->has_status;
    bool is_refused = error_code == NGHTTP2_REFUSED_STREAM;
    client_call_stream_ended(call, is_good, is_refused,
                             is_refused ? "the server refused the call untouched"
                                        : nghttp2_http2_strerror(error_code));
    return 0;
}

static int make_session(struct client_connection *connection, nghttp2_option *option)
{
    nghttp2_session_callbacks *callbacks;
    int result = nghttp2_session_callbacks_new(&callbacks);
    if (result != 0)
        return result;
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data_chunk);
    nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, on_frame_sent);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_stream_close);
    result = nghttp2_session_client_new3(&connection->session, callbacks, connection, option,
                                         http2_memory());
    nghttp2_session_callbacks_del(callbacks);
    return result;
}

int client_session_make(struct client_connection *connection)
{
    const nghttp2_settings_entry settings[] = {
        {NGHTTP2_SETTINGS_ENABLE_PUSH, 0},
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, client_stream_window_bytes},
    };
    nghttp2_option *option;
    int result = nghttp2_option_new(&option);
    if (result != 0)
        return result;
    nghttp2_option_set_no_auto_window_update(option, 1);
    result = make_session(connection, option);
    nghttp2_option_del(option);
    if (result == 0)
        result = nghttp2_submit_settings(connection->session, NGHTTP2_FLAG_NONE, settings, 2);
    if (result == 0)
        result = nghttp2_session_set_local_window_size(connection->session, NGHTTP2_FLAG_NONE, 0,
                                                       client_connection_window_bytes);
    return result;
}

/* --- out --- */

/* Of a stream a message that has left goes; of a unary call it stays, for another attempt. */
static void message_has_left(struct rpc_client_call *call)
{
    struct client_message *message = call->output_next;
    call->output_next = message->next;
    if (call->handler == NULL)
        return;
    call->output = message->next;
    if (call->output == NULL)
        call->output_last = NULL;
    memory_release(message);
}

static ssize_t read_request(nghttp2_session *session, int32_t stream_id, uint8_t *out, size_t room,
                            uint32_t *flags, nghttp2_data_source *source, void *context)
{
    struct rpc_client_call *call = call_of(session, stream_id);
    size_t size = 0;
    (void)source;
    (void)context;
    if (call == NULL)
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    while (size < room && call->output_next != NULL) {
        struct client_message *message = call->output_next;
        size_t left = message->size - message->sent;
        size_t part = left < room - size ? left : room - size;
        memcpy(out + size, message->bytes + message->sent, part);
        message->sent += part;
        size += part;
        call->output_bytes -= part;
        if (part == left)
            message_has_left(call);
    }
    if (call->output_next == NULL && call->half_closed)
        *flags |= NGHTTP2_DATA_FLAG_EOF;
    else if (size == 0)
        call->deferred = true;
    if (call->was_full && call->output_bytes < client_queue_bytes_max / 2) {
        call->was_full = false;
        call->is_writable = true;
        call->client->has_writable = true;
    }
    return call->deferred ? NGHTTP2_ERR_DEFERRED : (ssize_t)size;
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

static size_t write_timeout(const struct rpc_client_call *call, char timeout[24])
{
    uint64_t now_ms = uv_now(call->client->loop);
    uint64_t left_ms = call->deadline_ms > now_ms ? call->deadline_ms - now_ms : 1;
    return (size_t)snprintf(timeout, 24, "%llum",
                            (unsigned long long)(left_ms > 99999999 ? 99999999 : left_ms));
}

/* Everything is sent from its beginning. */
static void rewind_call(struct rpc_client_call *call)
{
    call->output_next = call->output;
    call->output_bytes = 0;
    for (struct client_message *at = call->output; at != NULL; at = at->next) {
        at->sent = 0;
        call->output_bytes += at->size;
    }
    call->deferred = false;
    call->has_left = false;
    call->unconsumed_bytes = 0;
    buffer_clear(&call->input);
    call->has_status = false;
    call->http_status = 0;
    call->is_other_type = false;
    call->compressed = false;
}

bool client_call_submit(struct rpc_client_call *call, struct client_connection *connection)
{
    struct rpc_client *client = call->client;
    char timeout[24];
    nghttp2_data_provider body = {.read_callback = read_request};
    nghttp2_nv headers[headers_max] = {
        header(":method", "POST"),
        header(":scheme", client->identity == NULL ? "http" : "https"),
        header(":path", call->path),
        header(":authority", client->options.connect == NULL ? client->address : "localhost"),
        header("content-type", "application/grpc"),
        header("te", "trailers"),
        header("user-agent", "waybill"),
        header("grpc-accept-encoding", "gzip"),
    };
    size_t count = 8;
    if (call->compress)
        headers[count++] = header("grpc-encoding", "gzip");
    if (call->deadline_ms != 0 && write_timeout(call, timeout) > 0)
        headers[count++] = header("grpc-timeout", timeout);
    for (size_t i = 0; i < call->metadata_count && count < headers_max; i++)
        headers[count++] = header(call->metadata[2 * i], call->metadata[2 * i + 1]);
    rewind_call(call);
    int32_t stream_id =
        nghttp2_submit_request(connection->session, NULL, headers, count, &body, call);
    if (stream_id <= 0)
        return false;
    call->stream_id = stream_id;
    call->connection = connection;
    call->attempts++;
    connection->call_count++;
    client->waiting_count--;
    connection->dirty = true;
    return true;
}

void client_call_resume(struct rpc_client_call *call)
{
    if (call->ended || call->connection == NULL || call->connection->session == NULL)
        return;
    if (call->deferred) {
        call->deferred = false;
        (void)nghttp2_session_resume_data(call->connection->session, call->stream_id);
    }
    call->connection->dirty = true;
}
