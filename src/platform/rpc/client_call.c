/*
 * From a stream's end to a result: the status from the trailers, the message unpacked on the call's
 * arena, the details decoded. What is no proper answer becomes a status of our own making.
 */
#include "platform/rpc/client_state.h"

#include "platform/base/memory.h"

#include <openssl/evp.h>
#include <string.h>

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

void client_call_release(struct rpc_client_call *call)
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
    client_call_release(call);
}

void client_call_complete_with(struct rpc_client_call *call, enum grpc_status code,
                               const char *message)
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
    if (call->response.size < client_prefix_bytes || bytes[0] != 0)
        return NULL;
    size_t size =
        (size_t)bytes[1] << 24 | (size_t)bytes[2] << 16 | (size_t)bytes[3] << 8 | bytes[4];
    if (size != call->response.size - client_prefix_bytes)
        return NULL;
    return protobuf_c_message_unpack(call->response_descriptor, &allocator, size,
                                     bytes + client_prefix_bytes);
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

void client_call_header(struct rpc_client_call *call, struct text name, struct text value)
{
    if (text_equals_string(name, ":status"))
        (void)text_to_int64(value, &call->http_status);
    else if (text_equals_string(name, "grpc-status"))
        call->has_status = text_to_int64(value, &call->status);
    else if (text_equals_string(name, "grpc-message"))
        call->message = decode_message(&call->arena, value);
    else if (text_equals_string(name, "grpc-status-details-bin"))
        call->details = decode_details(&call->arena, value);
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
void client_call_complete_by_trailers(struct rpc_client_call *call)
{
    struct rpc_client_result result = {0};
    if (call->too_large) {
        client_call_complete_with(call, GRPC_STATUS_RESOURCE_EXHAUSTED,
                                  "the response is too large");
        return;
    }
    if (!call->has_status) {
        client_call_complete_with(call, status_of_http(call->http_status),
                                  "the answer has no grpc-status");
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
        client_call_complete_with(call, GRPC_STATUS_INTERNAL,
                                  "the response is not one whole message");
    else
        complete(call, &result);
}
