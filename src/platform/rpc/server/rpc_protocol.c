/* A table of content types; parameters behind ';' do not matter, but a charset other than UTF-8 is
 * none of ours. */
#include "platform/rpc/server/rpc_protocol.h"

#include <string.h>
#include <strings.h>

struct content_type {
    const char *name;
    const struct rpc_protocol *protocol;
    enum rpc_codec codec;
};

static const struct content_type content_types[] = {
    {"application/grpc", &grpc_protocol, RPC_CODEC_PROTO},
    {"application/grpc+proto", &grpc_protocol, RPC_CODEC_PROTO},
    {"application/grpc+json", &grpc_protocol, RPC_CODEC_JSON},
    {"application/grpc-web", &grpc_web_protocol, RPC_CODEC_PROTO},
    {"application/grpc-web+proto", &grpc_web_protocol, RPC_CODEC_PROTO},
    {"application/grpc-web+json", &grpc_web_protocol, RPC_CODEC_JSON},
    {"application/grpc-web-text", &grpc_web_text_protocol, RPC_CODEC_PROTO},
    {"application/grpc-web-text+proto", &grpc_web_text_protocol, RPC_CODEC_PROTO},
    {"application/proto", &connect_unary_protocol, RPC_CODEC_PROTO},
    {"application/json", &connect_unary_protocol, RPC_CODEC_JSON},
    {"application/connect+proto", &connect_stream_protocol, RPC_CODEC_PROTO},
    {"application/connect+json", &connect_stream_protocol, RPC_CODEC_JSON},
};

/* Whether what stands behind ';' allows for UTF-8. */
static bool parameters_fit(struct text parameters)
{
    const char *charset =
        parameters.size == 0 ? NULL : memmem(parameters.data, parameters.size, "charset=", 8);
    if (charset == NULL)
        return true;
    struct text value =
        text_make(charset + 8, parameters.size - (size_t)(charset + 8 - parameters.data));
    if (value.size > 0 && value.data[0] == '"')
        value = text_make(value.data + 1, value.size - 1);
    return value.size >= 5 && strncasecmp(value.data, "utf-8", 5) == 0;
}

const struct rpc_protocol *rpc_protocol_of(struct text content_type, enum rpc_codec *codec)
{
    struct text parameters = {0};
    const char *semicolon =
        content_type.size == 0 ? NULL : memchr(content_type.data, ';', content_type.size);
    if (semicolon != NULL) {
        size_t before = (size_t)(semicolon - content_type.data);
        parameters = text_make(semicolon + 1, content_type.size - before - 1);
        content_type = text_trim(text_make(content_type.data, before));
    }
    for (size_t i = 0; i < sizeof content_types / sizeof content_types[0]; i++) {
        const struct content_type *known = &content_types[i];
        if (content_type.size == strlen(known->name) &&
            strncasecmp(content_type.data, known->name, content_type.size) == 0 &&
            parameters_fit(parameters)) {
            *codec = known->codec;
            return known->protocol;
        }
    }
    return NULL;
}

const char *rpc_content_type(const struct rpc_call *call)
{
    const char *found = content_types[0].name;
    bool is_plain_grpc = call->protocol == &grpc_protocol && call->codec == RPC_CODEC_PROTO;
    for (size_t i = 0; !is_plain_grpc && i < sizeof content_types / sizeof content_types[0]; i++) {
        if (content_types[i].protocol == call->protocol && content_types[i].codec == call->codec)
            found = content_types[i].name; /* the last, longest one */
    }
    return found;
}
