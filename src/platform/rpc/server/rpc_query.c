/* Pairs are taken one by one; percent-decoding happens in the place of the result. */
#include "platform/rpc/server/rpc_query.h"

#include "platform/base/base64.h"
#include "platform/base/hexadecimal.h"

#include <string.h>

struct query {
    struct text encoding;
    struct text message;
    struct text compression;
    bool has_message;
    bool is_base64;
    bool version_is_bad;
};

/* "%20" and "+" (RFC 3986, and forms as browsers send them). */
static bool percent_decode(struct text text, struct buffer *out)
{
    if (!buffer_reserve(out, text.size))
        return false;
    for (size_t i = 0; i < text.size; i++) {
        char c = text.data[i] == '+' ? ' ' : text.data[i];
        if (c == '%') {
            int high = i + 2 < text.size ? hexadecimal_value(text.data[i + 1]) : -1;
            int low = i + 2 < text.size ? hexadecimal_value(text.data[i + 2]) : -1;
            if (high < 0 || low < 0)
                return false;
            c = (char)(high * 16 + low);
            i += 2;
        }
        out->data[out->size++] = c;
    }
    return true;
}

static void take_pair(struct query *query, struct text name, struct text value)
{
    if (text_equals_string(name, "encoding")) {
        query->encoding = value;
    } else if (text_equals_string(name, "message")) {
        query->message = value;
        query->has_message = true;
    } else if (text_equals_string(name, "compression")) {
        query->compression = value;
    } else if (text_equals_string(name, "base64")) {
        query->is_base64 = text_equals_string(value, "1");
    } else if (text_equals_string(name, "connect")) {
        query->version_is_bad = !text_equals_string(value, "v1");
    }
}

static struct query split(struct text rest)
{
    struct query query = {0};
    while (rest.size > 0) {
        const char *end = memchr(rest.data, '&', rest.size);
        size_t size = end == NULL ? rest.size : (size_t)(end - rest.data);
        const char *equals = memchr(rest.data, '=', size);
        if (equals != NULL)
            take_pair(&query, text_make(rest.data, (size_t)(equals - rest.data)),
                      text_make(equals + 1, size - (size_t)(equals + 1 - rest.data)));
        size += end != NULL;
        rest = text_make(rest.data + size, rest.size - size);
    }
    return query;
}

const char *rpc_query_read(struct rpc_call *call, struct buffer *message)
{
    struct query query = split(call->query);
    size_t size;
    if (query.version_is_bad)
        return "connect must be v1";
    if (text_equals_string(query.encoding, "json"))
        call->codec = RPC_CODEC_JSON;
    else if (text_equals_string(query.encoding, "proto"))
        call->codec = RPC_CODEC_PROTO;
    else
        return "encoding must be json or proto";
    call->body_coding = message_coding_of(query.compression);
    if (call->body_coding == MESSAGE_CODING_UNKNOWN)
        return "compression must be gzip or identity";
    if (!query.has_message)
        return "message is missing";
    buffer_clear(message);
    if (!percent_decode(query.message, message))
        return "message is not percent-encoded";
    if (!query.is_base64)
        return NULL;
    if (!buffer_reserve(message, 4) || !base64_decode(buffer_text(message), message->data, &size))
        return "message is no Base64";
    message->size = size;
    return NULL;
}
