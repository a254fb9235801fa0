/*
 * One request from its parts to the client, and one answer to the audit trail. What cannot be sent
 * was not: the error says why, and nothing will come.
 */
#include "shipping/infrastructure/carriers/http_carrier_send.h"

#include "platform/base/base64.h"

#include <stdio.h>

enum { url_size = 6000 };

static const char *base_of(const struct carrier_call *call)
{
    const struct carrier_settings *settings = http_carrier_settings(call->carrier);
    return call->wire.to_tracking ? settings->tracking_base_url : settings->base_url;
}

/* "Authorization: Basic …" for the token and for DHL, "Bearer …" else; none to Unified Tracking. */
static bool write_authorization(const struct carrier_call *call, const char *token, char *out,
                                size_t size)
{
    const struct carrier_settings *settings = http_carrier_settings(call->carrier);
    bool basic = http_carrier_protocol(call->carrier)->basic_credentials ||
                 call->operation == CARRIER_OPERATION_TOKEN;
    out[0] = '\0';
    if (call->wire.to_tracking)
        return true;
    if (!basic)
        return (size_t)snprintf(out, size, "Bearer %s", token) < size;
    char pair[512], encoded[sizeof pair * 4 / 3 + 8];
    int length = snprintf(pair, sizeof pair, "%s:%s", settings->client_id, settings->client_secret);
    if (length < 0 || (size_t)length >= sizeof pair)
        return false;
    base64_encode(text_make(pair, (size_t)length), true, encoded);
    return (size_t)snprintf(out, size, "Basic %s", encoded) < size;
}

struct error carrier_call_send(struct carrier_call *call,
                               const struct http_carrier_environment *environment,
                               const char *token, http_client_done *done)
{
    const struct carrier_wire *wire = &call->wire;
    const struct carrier_settings *settings = http_carrier_settings(call->carrier);
    int64_t now = clock_monotonic_us(environment->clock);
    struct http_client_header headers[wire_headers_max + 3];
    char authorization[access_token_size + 16], url[url_size];
    size_t count = 0;
    int64_t left = call->deadline_us - now;
    snprintf(url, sizeof url, "%s%.*s", base_of(call), (int)wire->path.size, wire->path.data);
    if (!write_authorization(call, token, authorization, sizeof authorization))
        return error_make(ERROR_INVALID_SETTING, "the credentials are too long");
    if (authorization[0] != '\0')
        headers[count++] =
            (struct http_client_header){text_of("Authorization"), text_of(authorization)};
    headers[count++] = (struct http_client_header){text_of("Accept"), text_of("application/json")};
    if (wire->content_type != NULL)
        headers[count++] =
            (struct http_client_header){text_of("Content-Type"), text_of(wire->content_type)};
    for (size_t i = 0; i < wire->header_count; i++)
        headers[count++] = (struct http_client_header){text_of(wire->headers[i].name),
                                                       text_of(wire->headers[i].value)};
    struct http_client_request request = {
        .method = text_of(wire->method),
        .url = text_of(url),
        .headers = headers,
        .header_count = count,
        .body = buffer_text(&wire->body),
        .connect_us_max = left < settings->connect_us_max ? left : settings->connect_us_max,
        .total_us_max = left,
        .answer_bytes_max = settings->answer_bytes_max,
        .at_most_once = call->operation == CARRIER_OPERATION_CREATE,
    };
    call->sent_time_us = clock_now_us(environment->clock);
    call->sent_us = now;
    return http_client_send(environment->client, &request, done, call);
}

void carrier_call_audit(const struct carrier_call *call,
                        const struct http_carrier_environment *environment,
                        const struct http_client_answer *answer)
{
    char url[url_size];
    bool secret = call->operation == CARRIER_OPERATION_TOKEN;
    bool answered = answer->verdict == HTTP_CLIENT_ANSWERED;
    if (environment->audit == NULL)
        return;
    int size = snprintf(url, sizeof url, "%s%.*s", base_of(call), (int)call->wire.path.size,
                        call->wire.path.data);
    struct carrier_audit record = {
        .carrier = http_carrier_protocol(call->carrier)->name,
        .operation = carrier_operation_name(call->operation),
        .shipment_id = call->shipment_id,
        .method = call->wire.method,
        .url = text_make(url, (size_t)size < sizeof url ? (size_t)size : sizeof url - 1),
        .request = secret ? text_of("[credentials]") : buffer_text(&call->wire.body),
        .status = answer->status,
        .answer = secret && answered ? text_of("[token]") : answer->body,
        .failure = answered ? NULL : answer->error.detail,
        .sent_time_us = call->sent_time_us,
        .duration_us = clock_monotonic_us(environment->clock) - call->sent_us,
    };
    environment->audit(environment->audit_context, &record);
}
