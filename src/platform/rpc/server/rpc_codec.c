/* See the header. What fails here is the caller's, or a limit; nothing is kept of it. */
#include "platform/rpc/server/rpc_codec.h"

#include "platform/json/json_message.h"
#include "platform/rpc/enum_values.h"

#include <string.h>

static void *arena_for_protobuf(void *arena, size_t size)
{
    return arena_allocate(arena, size);
}

static void keep_for_protobuf(void *arena, void *block)
{
    (void)arena;
    (void)block;
}

static struct rpc_status too_much_memory(struct rpc_call *call)
{
    return rpc_status_make(&call->arena, GRPC_STATUS_RESOURCE_EXHAUSTED, "OVERLOADED",
                           "the message takes too much memory");
}

static ProtobufCMessage *unpack(struct rpc_call *call, struct text bytes, struct rpc_status *status)
{
    ProtobufCAllocator allocator = {
        .alloc = arena_for_protobuf,
        .free = keep_for_protobuf,
        .allocator_data = &call->arena,
    };
    if (!message_check_run(call->method->check, bytes, &call->arena, status))
        return NULL;
    ProtobufCMessage *message = protobuf_c_message_unpack(
        call->method->descriptor->input, &allocator, bytes.size, (const uint8_t *)bytes.data);
    if (message == NULL)
        *status = too_much_memory(call);
    return message;
}

/* "line 1 column 7: …" is no JSON; "lines[2].quantity: …" is a field that does not fit. */
static struct rpc_status json_refusal(struct rpc_call *call, const struct error *error)
{
    const char *colon = strstr(error->detail, ": ");
    if (error->code != ERROR_INVALID_INPUT)
        return too_much_memory(call);
    if (colon == NULL || strncmp(error->detail, "line ", 5) == 0)
        return rpc_status_make(&call->arena, GRPC_STATUS_INVALID_ARGUMENT, "MALFORMED_MESSAGE",
                               "%s", error->detail);
    struct violation violation = {
        .field = text_make(error->detail, (size_t)(colon - error->detail)),
        .description = text_of(colon + 2),
    };
    violation = enum_values_named(&call->arena, call->method->descriptor->input, violation);
    return rpc_status_invalid(&call->arena, &violation, 1);
}

static ProtobufCMessage *read_json(struct rpc_call *call, struct text bytes,
                                   struct rpc_status *status)
{
    ProtobufCMessage *message;
    struct error error =
        json_message_read(bytes, call->method->descriptor->input, false, &call->arena, &message);
    if (error_is(error)) {
        *status = json_refusal(call, &error);
        return NULL;
    }
    size_t size = protobuf_c_message_get_packed_size(message);
    uint8_t *packed = arena_allocate(&call->arena, size);
    if (packed == NULL) {
        *status = too_much_memory(call);
        return NULL;
    }
    protobuf_c_message_pack(message, packed);
    if (!message_check_run(call->method->check, text_make(packed, size), &call->arena, status))
        return NULL;
    return message;
}

ProtobufCMessage *rpc_codec_decode(struct rpc_call *call, struct text bytes,
                                   struct rpc_status *status)
{
    switch (call->codec) {
    case RPC_CODEC_PROTO:
        return unpack(call, bytes, status);
    case RPC_CODEC_JSON:
        return read_json(call, bytes, status);
    }
    return NULL;
}

bool rpc_codec_encode(const struct rpc_call *call, const ProtobufCMessage *message,
                      struct buffer *out)
{
    if (call->codec == RPC_CODEC_JSON)
        return !error_is(json_message_write(message, 0, out));
    size_t size = protobuf_c_message_get_packed_size(message);
    if (!buffer_reserve(out, size))
        return false;
    protobuf_c_message_pack(message, (uint8_t *)out->data + out->size);
    out->size += size;
    return true;
}
