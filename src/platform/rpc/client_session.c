/*
 * HTTP/2 from the client's side: headers and data of each stream go to its call; a stream that was
 * refused or reset completes its call with UNAVAILABLE.
 */
#include "platform/rpc/client_state.h"

#include "platform/base/memory.h"

#include <stdio.h>
#include <string.h>

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
        client_call_complete_by_trailers(call);
    else if (error_code == NGHTTP2_REFUSED_STREAM)
        client_call_complete_with(call, GRPC_STATUS_UNAVAILABLE,
                                  "the server refused the call untouched");
    else
        client_call_complete_with(call, GRPC_STATUS_UNAVAILABLE,
                                  nghttp2_http2_strerror(error_code));
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

int client_session_make(struct rpc_client *client)
{
    static nghttp2_mem memory = {
        .malloc = allocate, .free = release, .calloc = allocate_zero, .realloc = reallocate};
    const nghttp2_settings_entry settings[] = {
        {NGHTTP2_SETTINGS_ENABLE_PUSH, 0},
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, client_window_bytes},
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
                                                       client_window_bytes);
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
bool client_call_submit(struct rpc_client_call *call)
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
    int32_t stream_id = nghttp2_submit_request(client->session, NULL, headers, count, &body, call);
    call->stream_id = stream_id < 0 ? 0 : stream_id;
    client->dirty = true;
    return stream_id > 0;
}
