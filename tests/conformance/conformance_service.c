/*
 * connectrpc.conformance.v1.ConformanceService, as its proto says: the first request of a call says
 * how the call is to be answered, and the answers tell what was seen. A call's script is kept in
 * packed form, because a message lives only as long as its callback; delays are timers on the
 * call's loop, which is an io_loop.
 */
#include "tests/conformance/conformance_service.h"

#include "connectrpc/conformance/v1/service.pb-c.h"
#include "platform/base/base64.h"
#include "platform/io/io_loop.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SHORT(name) Connectrpc__Conformance__V1__##name

typedef SHORT(Header) header_message; /* protoc-c's names are long */
typedef SHORT(Error) error_message;
typedef SHORT(ConformancePayload) payload_message;
typedef SHORT(ConformancePayload__RequestInfo) info_message;
typedef SHORT(UnaryResponseDefinition) unary_definition;
typedef SHORT(StreamResponseDefinition) stream_definition;

enum { requests_max = 512, headers_max = 128 };

static const char type_prefix[] = "type.googleapis.com/";

/* One call under way. */
struct session {
    struct rpc_call *call;
    uv_timer_t timer;
    bool has_timer;
    bool call_gone;
    bool half_closed;
    bool full_duplex;
    bool first_seen;
    bool busy; /* waits for its timer */
    unary_definition *unary;
    stream_definition *stream;
    Google__Protobuf__Any requests[requests_max];
    size_t request_count;
    size_t sent; /* responses */
    void (*delayed)(struct session *session);
};

/* --- requests --- */

static void keep_request(struct session *session, const ProtobufCMessage *message)
{
    if (session->request_count == requests_max)
        return;
    Google__Protobuf__Any *any = &session->requests[session->request_count++];
    size_t size = protobuf_c_message_get_packed_size(message);
    google__protobuf__any__init(any);
    any->type_url = malloc(sizeof type_prefix + strlen(message->descriptor->name));
    any->value.data = malloc(size + 1);
    any->value.len = protobuf_c_message_pack(message, any->value.data);
    sprintf(any->type_url, "%s%s", type_prefix, message->descriptor->name);
}

static void forget_requests(struct session *session)
{
    for (size_t i = 0; i < session->request_count; i++) {
        free(session->requests[i].type_url);
        free(session->requests[i].value.data);
    }
    session->request_count = 0;
}

static void *copy_message(const ProtobufCMessage *message)
{
    if (message == NULL)
        return NULL;
    size_t size = protobuf_c_message_get_packed_size(message);
    uint8_t *packed = malloc(size + 1);
    protobuf_c_message_pack(message, packed);
    void *copy = protobuf_c_message_unpack(message->descriptor, NULL, size, packed);
    free(packed);
    return copy;
}

/* --- headers --- */

static void add_all(struct rpc_call *call, header_message **headers, size_t count,
                    void (*add)(struct rpc_call *, struct text, struct text))
{
    for (size_t i = 0; i < count; i++) {
        struct text key = text_of(headers[i]->name);
        bool is_binary = key.size > 4 && strcmp(key.data + key.size - 4, "-bin") == 0;
        for (size_t j = 0; j < headers[i]->n_value; j++) {
            struct text value = text_of(headers[i]->value[j]);
            char *decoded = malloc(value.size + 4);
            size_t size;
            if (is_binary && base64_decode(value, decoded, &size))
                value = text_make(decoded, size);
            add(call, key, value);
            free(decoded);
        }
    }
}

/* The header of that name, made if there is none; room for all values there may be. */
static header_message *header_of_name(struct arena *arena, info_message *info, const char *name)
{
    for (size_t i = 0; i < info->n_request_headers; i++) {
        if (strcmp(info->request_headers[i]->name, name) == 0)
            return info->request_headers[i];
    }
    header_message *header = arena_allocate_zero(arena, 1, sizeof *header);
    connectrpc__conformance__v1__header__init(header);
    header->name = (char *)(uintptr_t)name;
    header->value = arena_allocate(arena, headers_max * sizeof(char *));
    info->request_headers[info->n_request_headers++] = header;
    return header;
}

/* What was seen of the request, on the call's arena. */
static info_message *make_info(struct session *session)
{
    struct rpc_call *call = session->call;
    struct arena *arena = rpc_call_arena(call);
    info_message *info = arena_allocate_zero(arena, 1, sizeof *info);
    connectrpc__conformance__v1__conformance_payload__request_info__init(info);
    info->request_headers = arena_allocate(arena, headers_max * sizeof(header_message *));
    for (const struct rpc_metadata *at = rpc_call_metadata(call);
         at != NULL && info->n_request_headers < headers_max; at = at->next) {
        header_message *header = header_of_name(arena, info, at->key.data);
        char **value = &header->value[header->n_value++];
        *value = (char *)(uintptr_t)at->value.data;
        if (at->key.size > 4 && strcmp(at->key.data + at->key.size - 4, "-bin") == 0) {
            *value = arena_allocate(arena, base64_room(at->value.size));
            base64_encode(at->value, false, *value);
        }
    }
    if (rpc_call_timeout_us(call) != INT64_MAX)
        info->timeout_ms = rpc_call_timeout_us(call) / 1000;
    return info;
}

static void add_query(struct session *session, info_message *info)
{
    struct arena *arena = rpc_call_arena(session->call);
    struct text rest = rpc_call_query(session->call);
    if (rest.size == 0)
        return;
    info->connect_get_info = arena_allocate_zero(arena, 1, sizeof *info->connect_get_info);
    connectrpc__conformance__v1__conformance_payload__connect_get_info__init(
        info->connect_get_info);
    info->connect_get_info->query_params = arena_allocate(arena, 16 * sizeof(header_message *));
    while (rest.size > 0 && info->connect_get_info->n_query_params < 16) {
        const char *end = memchr(rest.data, '&', rest.size);
        size_t size = end == NULL ? rest.size : (size_t)(end - rest.data);
        const char *equals = memchr(rest.data, '=', size);
        header_message *pair = arena_allocate_zero(arena, 1, sizeof *pair);
        connectrpc__conformance__v1__header__init(pair);
        if (equals != NULL) {
            size_t name_size = (size_t)(equals - rest.data);
            struct text name = arena_copy_text(arena, text_make(rest.data, name_size));
            struct text value = arena_copy_text(arena, text_make(equals + 1, size - name_size - 1));
            pair->name = (char *)(uintptr_t)name.data;
            pair->n_value = 1;
            pair->value = arena_allocate(arena, sizeof(char *));
            pair->value[0] = (char *)(uintptr_t)value.data;
            info->connect_get_info->query_params[info->connect_get_info->n_query_params++] = pair;
        }
        size += end != NULL;
        rest = text_make(rest.data + size, rest.size - size);
    }
}

/* The requests kept, as the info's; they live on until forgotten. */
static void add_requests(struct session *session, info_message *info)
{
    struct arena *arena = rpc_call_arena(session->call);
    info->requests =
        arena_allocate(arena, (session->request_count + 1) * sizeof(Google__Protobuf__Any *));
    for (size_t i = 0; i < session->request_count; i++)
        info->requests[info->n_requests++] = &session->requests[i];
}

/* --- errors --- */

static void fail_call(struct session *session, const error_message *error, info_message *info)
{
    struct arena *arena = rpc_call_arena(session->call);
    struct rpc_status status = rpc_status_make(arena, (enum grpc_status)error->code, "", "%s",
                                               error->message == NULL ? "" : error->message);
    for (size_t i = 0; i < error->n_details; i++) {
        const char *slash = strrchr(error->details[i]->type_url, '/');
        rpc_status_add_packed(
            &status, slash == NULL ? error->details[i]->type_url : slash + 1,
            text_make(error->details[i]->value.data, error->details[i]->value.len));
    }
    if (info != NULL)
        rpc_status_add_detail(&status, &info->base);
    rpc_call_fail(session->call, &status);
}

/* --- the session's life --- */

static void on_timer_closed(uv_handle_t *handle)
{
    struct session *session = handle->data;
    forget_requests(session);
    if (session->unary != NULL)
        protobuf_c_message_free_unpacked(&session->unary->base, NULL);
    if (session->stream != NULL)
        protobuf_c_message_free_unpacked(&session->stream->base, NULL);
    free(session);
}

static void session_end(struct session *session)
{
    uv_close((uv_handle_t *)&session->timer, on_timer_closed);
}

static struct session *session_begin(struct rpc_call *call)
{
    struct session *session = calloc(1, sizeof *session);
    struct io_loop *io = (struct io_loop *)rpc_call_executor(call);
    session->call = call;
    uv_timer_init(&io->loop, &session->timer);
    session->timer.data = session;
    return session;
}

static void on_timer(uv_timer_t *timer)
{
    struct session *session = timer->data;
    session->busy = false;
    session->delayed(session);
}

static void after(struct session *session, unsigned delay_ms, void (*run)(struct session *))
{
    session->busy = true;
    session->delayed = run;
    if (delay_ms == 0) {
        session->busy = false;
        run(session);
        return;
    }
    uv_timer_start(&session->timer, on_timer, delay_ms, 0);
}

/* --- Unary, IdempotentUnary --- */

/* The call's answer: payload, or the error with the payload's info as a detail. */
static void answer_unary(struct session *session)
{
    payload_message payload;
    info_message *info = make_info(session);
    const unary_definition *definition = session->unary;
    connectrpc__conformance__v1__conformance_payload__init(&payload);
    payload.request_info = info;
    add_query(session, info);
    add_requests(session, info);
    if (definition != NULL) {
        add_all(session->call, definition->response_headers, definition->n_response_headers,
                rpc_call_add_header);
        add_all(session->call, definition->response_trailers, definition->n_response_trailers,
                rpc_call_add_trailer);
    }
    if (definition != NULL &&
        definition->response_case ==
            CONNECTRPC__CONFORMANCE__V1__UNARY_RESPONSE_DEFINITION__RESPONSE_ERROR) {
        fail_call(session, definition->error, info);
        return;
    }
    if (definition != NULL &&
        definition->response_case ==
            CONNECTRPC__CONFORMANCE__V1__UNARY_RESPONSE_DEFINITION__RESPONSE_RESPONSE_DATA)
        payload.data = definition->response_data;
    SHORT(UnaryResponse) response; /* all three answers have the same one field */
    connectrpc__conformance__v1__unary_response__init(&response);
    response.base.descriptor = rpc_call_method(session->call)->output;
    response.payload = &payload;
    rpc_call_answer(session->call, &response.base);
}

static void answer_and_end(struct session *session)
{
    answer_unary(session);
    session_end(session);
}

/* The two requests have the same fields. */
static void handle_unary(void *context, struct rpc_call *call, const ProtobufCMessage *message)
{
    const SHORT(UnaryRequest) *request = (const void *)message;
    struct session *session = session_begin(call);
    (void)context;
    keep_request(session, message);
    if (request->response_definition != NULL)
        session->unary = copy_message(&request->response_definition->base);
    after(session, session->unary == NULL ? 0 : session->unary->response_delay_ms, answer_and_end);
}

static void handle_unimplemented(void *context, struct rpc_call *call,
                                 const ProtobufCMessage *message)
{
    (void)context;
    (void)message;
    struct rpc_status status = rpc_status_make(rpc_call_arena(call), GRPC_STATUS_UNIMPLEMENTED, "",
                                               "this method does nothing");
    rpc_call_fail(call, &status);
}

/* --- streams --- */

static void stream_opened(void *context, struct rpc_call *call, void **stream_context)
{
    (void)context;
    *stream_context = session_begin(call);
}

static void stream_closed(void *stream_context, struct rpc_call *call)
{
    struct session *session = stream_context;
    (void)call;
    session_end(session);
}

static void begin_script(struct session *session, const stream_definition *definition)
{
    session->first_seen = true;
    if (definition == NULL)
        return;
    session->stream = copy_message(&definition->base);
    add_all(session->call, definition->response_headers, definition->n_response_headers,
            rpc_call_add_header);
    add_all(session->call, definition->response_trailers, definition->n_response_trailers,
            rpc_call_add_trailer);
    rpc_call_send_headers(session->call);
}

/* The end of the script: the error, or nothing. */
static void end_script(struct session *session)
{
    if (session->stream == NULL || session->stream->error == NULL) {
        rpc_call_finish(session->call);
        return;
    }
    info_message *info = NULL;
    if (session->sent == 0) {
        info = make_info(session);
        add_requests(session, info);
    }
    fail_call(session, session->stream->error, info);
}

/* The next response: the first one tells all, later ones of full duplex their requests. */
static void send_one(struct session *session)
{
    payload_message payload;
    connectrpc__conformance__v1__conformance_payload__init(&payload);
    payload.data = session->stream->response_data[session->sent];
    if (session->sent == 0)
        payload.request_info = make_info(session);
    else if (session->full_duplex) {
        payload.request_info =
            arena_allocate_zero(rpc_call_arena(session->call), 1, sizeof(info_message));
        connectrpc__conformance__v1__conformance_payload__request_info__init(payload.request_info);
    }
    if (payload.request_info != NULL)
        add_requests(session, payload.request_info);
    SHORT(ServerStreamResponse) response; /* both answers have the same one field */
    connectrpc__conformance__v1__server_stream_response__init(&response);
    response.base.descriptor = rpc_call_method(session->call)->output;
    response.payload = &payload;
    session->sent++;
    rpc_call_send(session->call, &response.base);
    if (session->full_duplex)
        forget_requests(session);
}

static size_t responses_of(const struct session *session)
{
    return session->stream == NULL ? 0 : session->stream->n_response_data;
}

static void play_on(struct session *session);

static void send_and_play_on(struct session *session)
{
    send_one(session);
    play_on(session);
}

/* What is left of the script, when no more requests are waited for. */
static void play_on(struct session *session)
{
    if (session->sent < responses_of(session))
        after(session, session->stream->response_delay_ms, send_and_play_on);
    else
        end_script(session);
}

static void server_stream_message(void *stream_context, struct rpc_call *call,
                                  const ProtobufCMessage *message)
{
    struct session *session = stream_context;
    const SHORT(ServerStreamRequest) *request = (const void *)message;
    (void)call;
    keep_request(session, message);
    begin_script(session, request->response_definition);
}

static void server_stream_half_closed(void *stream_context, struct rpc_call *call)
{
    (void)call;
    play_on(stream_context);
}

static void client_stream_message(void *stream_context, struct rpc_call *call,
                                  const ProtobufCMessage *message)
{
    struct session *session = stream_context;
    const SHORT(ClientStreamRequest) *request = (const void *)message;
    if (!session->first_seen && request->response_definition != NULL)
        session->unary = copy_message(&request->response_definition->base);
    session->first_seen = true;
    keep_request(session, message);
    rpc_call_read_next(call);
}

/* A client stream is answered with one message and the end. */
static void answer_client_stream(struct session *session)
{
    payload_message payload;
    info_message *info = make_info(session);
    const unary_definition *definition = session->unary;
    connectrpc__conformance__v1__conformance_payload__init(&payload);
    payload.request_info = info;
    add_requests(session, info);
    if (definition != NULL) {
        add_all(session->call, definition->response_headers, definition->n_response_headers,
                rpc_call_add_header);
        add_all(session->call, definition->response_trailers, definition->n_response_trailers,
                rpc_call_add_trailer);
        if (definition->response_case ==
            CONNECTRPC__CONFORMANCE__V1__UNARY_RESPONSE_DEFINITION__RESPONSE_ERROR) {
            fail_call(session, definition->error, info);
            return;
        }
        if (definition->response_case ==
            CONNECTRPC__CONFORMANCE__V1__UNARY_RESPONSE_DEFINITION__RESPONSE_RESPONSE_DATA)
            payload.data = definition->response_data;
    }
    SHORT(ClientStreamResponse) response;
    connectrpc__conformance__v1__client_stream_response__init(&response);
    response.payload = &payload;
    rpc_call_send(session->call, &response.base);
    rpc_call_finish(session->call);
}

static void client_stream_half_closed(void *stream_context, struct rpc_call *call)
{
    struct session *session = stream_context;
    (void)call;
    after(session, session->unary == NULL ? 0 : session->unary->response_delay_ms,
          answer_client_stream);
}

/* Full duplex: one response for the request just taken, then the next request. */
static void respond_and_read(struct session *session)
{
    if (session->sent >= responses_of(session)) {
        end_script(session);
        return;
    }
    send_one(session);
    rpc_call_read_next(session->call);
}

static void bidi_message(void *stream_context, struct rpc_call *call,
                         const ProtobufCMessage *message)
{
    struct session *session = stream_context;
    const SHORT(BidiStreamRequest) *request = (const void *)message;
    if (!session->first_seen) {
        session->full_duplex = request->full_duplex;
        begin_script(session, request->response_definition);
    }
    keep_request(session, message);
    if (session->full_duplex)
        after(session, session->stream == NULL ? 0 : session->stream->response_delay_ms,
              respond_and_read);
    else
        rpc_call_read_next(call);
}

static void bidi_half_closed(void *stream_context, struct rpc_call *call)
{
    (void)call;
    play_on(stream_context);
}

struct rpc_service conformance_service(void)
{
    static const struct rpc_stream_handler server_stream = {
        .opened = stream_opened,
        .message = server_stream_message,
        .half_closed = server_stream_half_closed,
        .closed = stream_closed,
    };
    static const struct rpc_stream_handler client_stream = {
        .opened = stream_opened,
        .message = client_stream_message,
        .half_closed = client_stream_half_closed,
        .closed = stream_closed,
    };
    static const struct rpc_stream_handler bidi_stream = {
        .opened = stream_opened,
        .message = bidi_message,
        .half_closed = bidi_half_closed,
        .closed = stream_closed,
    };
    static const struct rpc_method methods[] = {
        {.name = "Unary", .unary = handle_unary},
        {.name = "IdempotentUnary", .unary = handle_unary, .idempotent = true},
        {.name = "Unimplemented", .unary = handle_unimplemented},
        {.name = "ServerStream", .kind = RPC_SERVER_STREAM, .stream = &server_stream},
        {.name = "ClientStream", .kind = RPC_CLIENT_STREAM, .stream = &client_stream},
        {.name = "BidiStream", .kind = RPC_BIDI_STREAM, .stream = &bidi_stream},
    };
#define LIMIT(message, field)                                                                      \
    {                                                                                              \
        &connectrpc__conformance__v1__##message##__descriptor, field, 1000                         \
    }
    static const struct rpc_field_limit limits[] = {
        LIMIT(unary_response_definition, "response_headers"),
        LIMIT(unary_response_definition, "response_trailers"),
        LIMIT(stream_response_definition, "response_headers"),
        LIMIT(stream_response_definition, "response_trailers"),
        LIMIT(stream_response_definition, "response_data"),
        LIMIT(error, "details"),
        LIMIT(header, "value"),
        LIMIT(raw_httpresponse, "headers"),
        LIMIT(raw_httpresponse, "trailers"),
        LIMIT(stream_contents, "items"),
    };
#undef LIMIT
    return (struct rpc_service){
        .descriptor = &connectrpc__conformance__v1__conformance_service__descriptor,
        .methods = methods,
        .method_count = sizeof methods / sizeof methods[0],
        .field_limits = limits,
        .field_limit_count = sizeof limits / sizeof limits[0],
    };
}

void conformance_register_types(void)
{
    static const ProtobufCMessageDescriptor *const types[] = {
        &connectrpc__conformance__v1__unary_request__descriptor,
        &connectrpc__conformance__v1__idempotent_unary_request__descriptor,
        &connectrpc__conformance__v1__server_stream_request__descriptor,
        &connectrpc__conformance__v1__client_stream_request__descriptor,
        &connectrpc__conformance__v1__bidi_stream_request__descriptor,
        &connectrpc__conformance__v1__conformance_payload__request_info__descriptor,
        &connectrpc__conformance__v1__header__descriptor,
    };
    json_message_register(types, sizeof types / sizeof types[0]);
}
