/*
 * The client. The happy path: a call is packed and given to a connection as a stream; the
 * response's messages are gathered, the trailers give the status, the stream's end completes the
 * call.
 *
 * Failures: without a connection the calls wait while one is made; if it cannot be made, or is
 * lost, its calls complete with UNAVAILABLE: whether the server acted is unknown. A call that may
 * be repeated waits for its pause and goes to the next connection instead. A deadline completes its
 * call and resets the stream.
 *
 * Completions never run inside rpc_client_call: a call that fails at once is completed by the loop.
 * The timer runs only while there are calls, so an idle client costs nothing.
 */
#include "platform/rpc/client/client_state.h"

#include "platform/base/check.h"
#include "platform/base/memory.h"

#include <stdio.h>
#include <string.h>

enum { output_bytes_max = 64 * 1024 * 1024, timer_interval_ms = 5, repeat_tokens_max = 100 };

const char rpc_client_no_grpc[] = "no gRPC is spoken there";
const char rpc_client_ended_at_once[] = "the server ended the connection before it said anything";
const char rpc_client_no_tls[] = "the server does not speak TLS";
const char rpc_client_untrusted[] = "the server's certificate is not believed";
const char rpc_client_not_in_time[] = "cannot connect in time";

struct rpc_client_options rpc_client_options_default(void)
{
    return (struct rpc_client_options){
        .server = "127.0.0.1:7400",
        .connect_timeout_us = 5000000,
        .keepalive_us = 30000000,
        .keepalive_timeout_us = 10000000,
        .connections_max = 1,
        .calls_per_connection = 100,
        .response_bytes_max = (size_t)16 * 1024 * 1024,
        .calls_max = 1024,
        .attempts_max = 5,
    };
}

/* --- its life --- */

void client_handle_closed(struct rpc_client *client)
{
    if (--client->handles > 0)
        return;
    void (*closed)(void *context) = client->closed;
    void *context = client->closed_context;
    buffer_deinit(&client->output);
    tls_identity_destroy(client->identity);
    memory_release(client->refusals);
    memory_release(client);
    if (closed != NULL)
        closed(context);
}

static void on_handle_closed(uv_handle_t *handle)
{
    client_handle_closed(handle->data);
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

/* Those that wait to be delivered are taken out of that list first. */
static void release_ended(struct rpc_client *client)
{
    struct rpc_client_call **link = &client->to_deliver;
    while (*link != NULL && client->ended_calls != NULL) {
        if ((*link)->ended)
            *link = (*link)->next_to_deliver;
        else
            link = &(*link)->next_to_deliver;
    }
    while (client->ended_calls != NULL) {
        struct rpc_client_call *call = client->ended_calls;
        client->ended_calls = call->next;
        client_call_release(call);
    }
}

static void close_now(struct rpc_client *client)
{
    client->close_pending = false;
    client->busy++;
    tell_refusals(client);
    while (client->calls != NULL)
        client_call_complete_with(client->calls, GRPC_STATUS_CANCELLED, "the client was closed");
    struct client_connection *connection = client->connections;
    while (connection != NULL) {
        struct client_connection *next = connection->next;
        client_connection_close(connection);
        connection = next;
    }
    client->busy--;
    release_ended(client);
    uv_close((uv_handle_t *)&client->timer, on_handle_closed);
    uv_close((uv_handle_t *)&client->before_poll, on_handle_closed);
    uv_close((uv_handle_t *)&client->after_poll, on_handle_closed);
}

void client_begin_busy(struct rpc_client *client)
{
    client->busy++;
}

void client_end_busy(struct rpc_client *client)
{
    if (--client->busy > 0)
        return;
    release_ended(client);
    if (client->close_pending)
        close_now(client);
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

/* --- connections --- */

static struct client_connection *least_loaded(const struct rpc_client *client)
{
    struct client_connection *best = NULL;
    for (struct client_connection *at = client->connections; at != NULL; at = at->next) {
        if (client_connection_takes_calls(at) &&
            (best == NULL || at->call_count < best->call_count))
            best = at;
    }
    return best;
}

uint32_t client_usable_connections(const struct rpc_client *client, bool *is_connecting)
{
    uint32_t count = 0;
    *is_connecting = false;
    for (const struct client_connection *at = client->connections; at != NULL; at = at->next) {
        bool connects = !at->gone && !at->lost && at->state != CONNECTION_OPEN;
        *is_connecting = *is_connecting || connects;
        count += connects || client_connection_takes_calls(at);
    }
    return count;
}

/* One at a time; those that only finish what they have do not count. */
static void connect_one_more(struct rpc_client *client)
{
    bool is_connecting;
    uint32_t count = client_usable_connections(client, &is_connecting);
    if (count < client->options.connections_max && !is_connecting)
        client_connection_open(client);
}

void client_place_calls(struct rpc_client *client)
{
    uint64_t now_ms = uv_now(client->loop);
    struct rpc_client_call *call = client->calls;
    while (call != NULL && client->waiting_count > 0 && !client->closing) {
        struct rpc_client_call *next = call->next;
        if (call->connection == NULL && call->repeat_ms <= now_ms) {
            struct client_connection *connection = least_loaded(client);
            bool is_full = connection == NULL ||
                           connection->call_count >= client->options.calls_per_connection;
            if (is_full)
                connect_one_more(client);
            if (connection == NULL)
                break; /* it may have been placed meanwhile, with the others */
            if (call->connection == NULL && !client_call_submit(call, connection))
                client_connection_lose(connection, "not enough memory");
        }
        call = next;
    }
}

/* --- the loop's turn --- */

/* Streams that are wanted again. */
static void deliver_waiting(struct rpc_client *client)
{
    while (client->to_deliver != NULL) {
        struct rpc_client_call *call = client->to_deliver;
        client->to_deliver = call->next_to_deliver;
        call->to_deliver = false;
        if (!call->ended)
            client_call_deliver(call);
    }
}

static void tell_writable(struct rpc_client *client)
{
    client->has_writable = false;
    struct rpc_client_call *call = client->calls;
    while (call != NULL) {
        struct rpc_client_call *next = call->next;
        if (call->is_writable && !call->ended && call->handler->writable != NULL)
            call->handler->writable(call->context, call);
        call->is_writable = false;
        call = next;
    }
}

static void flush_connections(struct rpc_client *client)
{
    struct client_connection *connection = client->connections;
    while (connection != NULL) {
        struct client_connection *next = connection->next;
        client_connection_flush(connection);
        connection = next;
    }
}

static void flush(struct rpc_client *client)
{
    client_begin_busy(client);
    deliver_waiting(client);
    flush_connections(client); /* what is lost tells its calls before they find another one */
    if (client->waiting_count > 0) {
        client_place_calls(client);
        flush_connections(client);
    }
    if (client->waiting_count > 0)
        client_place_calls(client);
    if (client->has_writable)
        tell_writable(client);
    if (client->refusal_count > 0)
        tell_refusals(client);
    client_end_busy(client);
}

static void on_before_poll(uv_prepare_t *handle)
{
    flush(handle->data);
}

static void on_after_poll(uv_check_t *handle)
{
    flush(handle->data);
}

static void on_timer(uv_timer_t *timer)
{
    struct rpc_client *client = timer->data;
    uint64_t now_ms = uv_now(client->loop);
    client_begin_busy(client);
    struct rpc_client_call *call = client->calls;
    while (call != NULL) {
        struct rpc_client_call *next = call->next; /* an ended call keeps its neighbour */
        if (!call->ended && call->failure != GRPC_STATUS_OK)
            client_call_complete_with(call, call->failure, call->failure_message);
        else if (!call->ended && call->deadline_ms != 0 && call->deadline_ms <= now_ms)
            client_call_complete_with(call, GRPC_STATUS_DEADLINE_EXCEEDED,
                                      "the deadline passed before the answer came");
        call = next;
    }
    for (struct client_connection *at = client->connections; at != NULL; at = at->next)
        client_connection_look_after(at, now_ms);
    if (client->call_count == 0)
        uv_timer_stop(&client->timer);
    client_end_busy(client);
}

/* --- making --- */

static struct error split_address(struct rpc_client *client, const char *server)
{
    int size = snprintf(client->address, sizeof client->address, "%s", server);
    if (size <= 0 || (size_t)size >= sizeof client->address)
        return error_make(ERROR_INVALID_SETTING, "the server's address is empty or too long");
    memcpy(client->name, client->address, sizeof client->name);
    char *colon = strrchr(client->name, ':');
    if (client->options.connect != NULL)
        return error_none();
    int64_t port;
    if (colon == NULL || colon == client->name || !text_to_int64(text_of(colon + 1), &port) ||
        port < 1 || port > 65535) /* getaddrinfo takes more and cuts it */
        return error_make(ERROR_INVALID_SETTING, "%s: an address is HOST:PORT, ports end at 65535",
                          server);
    *colon = '\0';
    client->host = client->name;
    client->port = colon + 1;
    if (client->host[0] == '[' && colon[-1] == ']') {
        colon[-1] = '\0';
        client->host++;
    }
    return error_none();
}

static struct error make_identity(struct rpc_client *client)
{
    const char *name = client->options.tls_server_name;
    if (client->options.tls == NULL)
        return error_none();
    if (name == NULL)
        name = client->host == NULL ? "" : client->host;
    snprintf(client->server_name, sizeof client->server_name, "%s", name);
    return tls_client_identity_create(&client->identity, client->options.tls);
}

static void start_handles(struct rpc_client *client)
{
    uv_timer_init(client->loop, &client->timer);
    uv_prepare_init(client->loop, &client->before_poll);
    uv_check_init(client->loop, &client->after_poll);
    client->handles = 3;
    client->timer.data = client;
    client->before_poll.data = client;
    client->after_poll.data = client;
    uv_prepare_start(&client->before_poll, on_before_poll);
    uv_check_start(&client->after_poll, on_after_poll);
}

struct error rpc_client_create(struct rpc_client **client, uv_loop_t *loop,
                               const struct rpc_client_options *options)
{
    struct rpc_client *made = memory_allocate_zero(1, sizeof *made);
    if (made == NULL)
        return error_make(ERROR_OUT_OF_MEMORY, "client");
    made->options = *options;
    made->loop = loop;
    made->repeat_tokens = repeat_tokens_max;
    random_seeded_init(&made->random, uv_hrtime());
    struct error error = split_address(made, options->server);
    if (!error_is(error))
        error = make_identity(made);
    made->options.server = made->address;
    made->options.tls = NULL; /* the caller's; not looked at again */
    if (!error_is(error)) {
        made->refusals = memory_allocate_zero(options->calls_max, sizeof made->refusals[0]);
        if (made->refusals == NULL)
            error = error_make(ERROR_OUT_OF_MEMORY, "client");
    }
    if (error_is(error)) {
        tls_identity_destroy(made->identity);
        memory_release(made);
        return error;
    }
    buffer_init(&made->output, output_bytes_max);
    start_handles(made);
    *client = made;
    return error;
}

/* --- calls --- */

void client_unlink_call(struct rpc_client_call *call)
{
    struct rpc_client *client = call->client;
    if (call->previous == NULL)
        client->calls = call->next;
    else
        call->previous->next = call->next;
    if (call->next == NULL)
        client->calls_last = call->previous;
    else
        call->next->previous = call->previous;
    client->call_count--;
}

static void link_call(struct rpc_client *client, struct rpc_client_call *call)
{
    call->previous = client->calls_last;
    if (client->calls_last == NULL)
        client->calls = call;
    else
        client->calls_last->next = call;
    client->calls_last = call;
    client->call_count++;
    client->waiting_count++;
    if (!uv_is_active((uv_handle_t *)&client->timer))
        uv_timer_start(&client->timer, on_timer, timer_interval_ms, timer_interval_ms);
}

/* Keeps the metadata on the call's arena. False without memory. */
static bool keep_metadata(struct rpc_client_call *call,
                          const struct rpc_client_call_options *options)
{
    size_t count = 2 * options->metadata_count;
    const char **kept = arena_allocate(&call->arena, (count + 1) * sizeof *kept);
    if (kept == NULL)
        return false;
    for (size_t i = 0; i < count; i++) {
        kept[i] = arena_copy_text(&call->arena, text_of(options->metadata[i])).data;
        if (kept[i] == NULL)
            return false;
    }
    call->metadata = kept;
    call->metadata_count = options->metadata_count;
    return true;
}

/* NULL without memory. */
static struct rpc_client_call *make_call(struct rpc_client *client, const char *path,
                                         const ProtobufCMessageDescriptor *response_descriptor,
                                         const struct rpc_client_call_options *options,
                                         void *context)
{
    struct rpc_client_call *call = memory_allocate_zero(1, sizeof *call);
    if (call == NULL)
        return NULL;
    arena_init(&call->arena, client_call_memory_bytes_max);
    buffer_init(&call->input, client->options.response_bytes_max + client_prefix_bytes);
    call->client = client;
    call->response_descriptor = response_descriptor;
    call->context = context;
    call->may_repeat = options->may_repeat;
    call->compress = options->compress;
    call->path = arena_copy_string(&call->arena, text_of(path));
    if (call->path == NULL || !keep_metadata(call, options)) {
        client_call_release(call);
        return NULL;
    }
    if (options->timeout_us > 0)
        call->deadline_ms = uv_now(client->loop) + (uint64_t)(options->timeout_us + 999) / 1000;
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

struct rpc_client_call *rpc_client_call_with(struct rpc_client *client, const char *path,
                                             const ProtobufCMessage *request,
                                             const ProtobufCMessageDescriptor *response_descriptor,
                                             const struct rpc_client_call_options *options,
                                             rpc_client_done *done, void *context)
{
    CHECK(!client->closing);
    if (client->call_count >= client->options.calls_max) {
        refuse_later(client, ERROR_OVERLOADED, done, context);
        return NULL;
    }
    struct rpc_client_call *call = make_call(client, path, response_descriptor, options, context);
    if (call != NULL && !client_call_queue(call, request)) {
        client_call_release(call);
        call = NULL;
    }
    if (call == NULL) {
        refuse_later(client, ERROR_OUT_OF_MEMORY, done, context);
        return NULL;
    }
    call->done = done;
    call->half_closed = true;
    link_call(client, call);
    struct client_connection *connection = least_loaded(client);
    if (connection != NULL && connection->call_count < client->options.calls_per_connection &&
        !client_call_submit(call, connection))
        client_connection_lose(connection, "not enough memory");
    return call;
}

void rpc_client_call(struct rpc_client *client, const char *path, const ProtobufCMessage *request,
                     const ProtobufCMessageDescriptor *response_descriptor, int64_t timeout_us,
                     rpc_client_done *done, void *context)
{
    struct rpc_client_call_options options = {.timeout_us = timeout_us};
    (void)rpc_client_call_with(client, path, request, response_descriptor, &options, done, context);
}

/* Ended by the next turn of the timer, not from within the caller. */
void rpc_client_stream_cancel(struct rpc_client_call *call)
{
    if (call->failure != GRPC_STATUS_OK)
        return;
    call->failure = GRPC_STATUS_CANCELLED;
    call->failure_message = "cancelled by the caller";
}

uint32_t rpc_client_calls_in_flight(const struct rpc_client *client)
{
    return client->call_count;
}

/* --- streams --- */

struct rpc_client_call *rpc_client_stream_open(
    struct rpc_client *client, const char *path,
    const ProtobufCMessageDescriptor *response_descriptor,
    const struct rpc_client_call_options *options, const struct rpc_client_stream_handler *handler,
    void *context)
{
    CHECK(!client->closing);
    if (client->call_count >= client->options.calls_max)
        return NULL;
    struct rpc_client_call *call = make_call(client, path, response_descriptor, options, context);
    if (call == NULL)
        return NULL;
    call->handler = handler;
    call->may_repeat = false;
    link_call(client, call);
    return call;
}

bool rpc_client_stream_send(struct rpc_client_call *call, const ProtobufCMessage *message)
{
    if (call->ended || call->half_closed || call->failure != GRPC_STATUS_OK)
        return false;
    if (!client_call_queue(call, message)) {
        call->failure = GRPC_STATUS_RESOURCE_EXHAUSTED;
        call->failure_message = "not enough memory for a message";
    }
    client_call_resume(call);
    call->was_full = call->output_bytes >= client_queue_bytes_max;
    return !call->was_full && call->failure == GRPC_STATUS_OK;
}

void rpc_client_stream_finish(struct rpc_client_call *call)
{
    call->half_closed = true;
    client_call_resume(call);
}

void rpc_client_stream_read(struct rpc_client_call *call, bool wanted)
{
    if (call->ended || call->paused == !wanted)
        return;
    call->paused = !wanted;
    if (!wanted || call->to_deliver)
        return;
    call->to_deliver = true;
    call->next_to_deliver = call->client->to_deliver;
    call->client->to_deliver = call;
}
