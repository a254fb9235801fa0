/*
 * The life of a call, and what its handler may ask of it. After a deadline or a lost exchange the
 * call stays until its handler answers, and that answer goes nowhere. Calls are used again, with
 * the memory they have grown.
 */
#include "platform/rpc/server/rpc_call.h"

#include "platform/base/check.h"
#include "platform/base/memory.h"
#include "platform/rpc/server/rpc_request.h"
#include "platform/rpc/server/rpc_response.h"

#include <string.h>

enum {
    input_slack_bytes = 128 * 1024,
    idle_calls_max = 8192,
    idle_input_bytes_max = 4096,
    idle_arena_bytes_max = 16 * 1024
};

/* --- its life --- */

static struct rpc_call *take_call(struct rpc_loop *loop, struct http_exchange *exchange)
{
    struct rpc_call *call = loop->idle_calls;
    if (call != NULL) {
        loop->idle_calls = call->next;
        loop->idle_call_count--;
    } else {
        call = memory_allocate_zero(1, sizeof *call);
        if (call == NULL)
            return NULL;
        arena_init(&call->arena, loop->options->call_memory_bytes_max);
        arena_init(&call->head_arena, rpc_head_bytes_max);
        /* All that a window lets in while the handler does not read, and a read beyond it. */
        buffer_init(&call->input, loop->http->options->window_bytes + input_slack_bytes);
    }
    call->loop = loop;
    call->exchange = exchange;
    call->open_time_us = rpc_loop_now_us(loop);
    call->deadline_us = INT64_MAX;
    call->deadline_index = SIZE_MAX;
    call->timeout_us = INT64_MAX;
    return call;
}

static void destroy(struct rpc_call *call)
{
    arena_deinit(&call->arena);
    arena_deinit(&call->head_arena);
    buffer_deinit(&call->input);
    memory_release(call);
}

/* Keeps for the next call what most calls need, and no more. */
static void forget_arena(struct arena *arena)
{
    if (arena->taken > idle_arena_bytes_max)
        arena_deinit(arena);
    else
        arena_reset(arena);
}

void rpc_call_recycle(struct rpc_call *call)
{
    struct rpc_loop *loop = call->loop;
    rpc_loop_remove_deadline(loop, call);
    rpc_response_release(call);
    forget_arena(&call->arena);
    forget_arena(&call->head_arena);
    if (call->input.capacity > idle_input_bytes_max)
        buffer_deinit(&call->input);
    if (loop->idle_call_count == idle_calls_max) {
        destroy(call);
        return;
    }
    struct arena arena = call->arena;
    struct arena head_arena = call->head_arena;
    struct buffer input = call->input;
    memset(call, 0, sizeof *call);
    call->arena = arena;
    call->head_arena = head_arena;
    call->input = input;
    call->next = loop->idle_calls;
    buffer_clear(&call->input);
    loop->idle_calls = call;
    loop->idle_call_count++;
}

void rpc_call_release_idle(struct rpc_loop *loop)
{
    while (loop->idle_calls != NULL) {
        struct rpc_call *next = loop->idle_calls->next;
        destroy(loop->idle_calls);
        loop->idle_calls = next;
    }
}

static void count_end(struct rpc_call *call)
{
    struct rpc_metrics *metrics = &call->loop->metrics;
    size_t method = call->method == NULL ? metrics->count - 1
                                         : (size_t)(call->method - call->loop->methods->entries);
    enum grpc_status status = call->finishing ? call->status : GRPC_STATUS_CANCELLED;
    rpc_metrics_started(metrics, method);
    rpc_metrics_ended(metrics, method, status, rpc_loop_now_us(call->loop) - call->open_time_us);
}

static void on_exchange_closed(void *consumer)
{
    struct rpc_call *call = consumer;
    count_end(call);
    call->exchange = NULL;
    rpc_loop_remove_deadline(call->loop, call);
    if (call->dispatched && rpc_call_is_stream(call)) {
        const struct rpc_stream_handler *handler = call->method->method->stream;
        call->answered = true;
        if (handler->closed != NULL)
            handler->closed(call->stream_context, call);
    }
    if (!call->dispatched || call->answered)
        rpc_call_recycle(call);
}

void rpc_call_deadline_passed(struct rpc_call *call)
{
    rpc_response_end(
        call, GRPC_STATUS_DEADLINE_EXCEEDED,
        "the deadline passed before the outcome was known: ask again with the same id");
}

/* --- metadata --- */

/* With a NUL behind it. */
static struct text copy_text(char *at, struct text text)
{
    if (text.size > 0)
        memcpy(at, text.data, text.size);
    at[text.size] = '\0';
    return text_make(at, text.size);
}

void rpc_call_add_metadata(struct rpc_call *call, struct metadata_list *list, struct text key,
                           struct text value)
{
    struct rpc_metadata *pair =
        arena_allocate(&call->head_arena, sizeof *pair + key.size + value.size + 2);
    if (pair == NULL)
        return;
    char *bytes = (char *)(pair + 1);
    *pair = (struct rpc_metadata){
        .key = copy_text(bytes, key),
        .value = copy_text(bytes + key.size + 1, value),
    };
    if (list->last == NULL)
        list->first = pair;
    else
        list->last->next = pair;
    list->last = pair;
    list->count++;
}

const struct rpc_metadata *rpc_call_metadata(const struct rpc_call *call)
{
    return call->metadata.first;
}

void rpc_call_add_header(struct rpc_call *call, struct text key, struct text value)
{
    if (!call->headers_sent)
        rpc_call_add_metadata(call, &call->headers, key, value);
}

void rpc_call_add_trailer(struct rpc_call *call, struct text key, struct text value)
{
    if (!call->finishing)
        rpc_call_add_metadata(call, &call->trailers, key, value);
}

/* --- what the handler may ask --- */

struct arena *rpc_call_arena(struct rpc_call *call)
{
    return &call->arena;
}

const ProtobufCMessageDescriptor *rpc_call_request_type(const struct rpc_call *call)
{
    return call->method->descriptor->input;
}

struct executor *rpc_call_executor(struct rpc_call *call)
{
    return &call->loop->http->io.base;
}

int64_t rpc_call_deadline_us(const struct rpc_call *call)
{
    return call->deadline_us;
}

int64_t rpc_call_command_deadline_us(const struct rpc_call *call)
{
    return call->deadline_us == INT64_MAX ? 0 : call->deadline_us;
}

int64_t rpc_call_timeout_us(const struct rpc_call *call)
{
    return call->timeout_us;
}

struct text rpc_call_query(const struct rpc_call *call)
{
    return call->query;
}

const ProtobufCMethodDescriptor *rpc_call_method(const struct rpc_call *call)
{
    return call->method->descriptor;
}

/* --- the handler of HTTP exchanges --- */

/* What is simply read at that path, or NULL. */
static const struct http_routes *routes_with(const struct rpc_loop *loop, struct text path)
{
    if (http_routes_has(loop->own_routes, path))
        return loop->own_routes;
    return http_routes_has(loop->routes, path) ? loop->routes : NULL;
}

/* A call, or one of the routes that are simply read. */
static void *open_exchange(void *context, struct http_exchange *exchange, struct text path)
{
    struct rpc_loop *loop = context;
    struct text query = {0};
    const char *question = path.size == 0 ? NULL : memchr(path.data, '?', path.size);
    if (question != NULL) {
        size_t before = (size_t)(question - path.data);
        query = text_make(question + 1, path.size - before - 1);
        path.size = before;
    }
    const struct method_entry *method = method_table_find(loop->methods, path);
    const struct http_routes *routes = method == NULL ? routes_with(loop, path) : NULL;
    if (routes != NULL) {
        exchange->handler = &http_routes_handler;
        return http_routes_handler.open((void *)(uintptr_t)routes, exchange, path);
    }
    struct rpc_call *call = take_call(loop, exchange);
    if (call == NULL)
        return NULL;
    call->method = method;
    if (query.size > 0)
        call->query = arena_copy_text(&call->head_arena, query);
    return call;
}

static void on_header(void *consumer, struct text name, struct text value)
{
    rpc_request_header(consumer, name, value);
}

static void on_headers_complete(void *consumer)
{
    rpc_request_headers_complete(consumer);
}

static void on_body(void *consumer, struct text bytes)
{
    rpc_request_body(consumer, bytes);
}

static void on_body_complete(void *consumer)
{
    rpc_request_complete(consumer);
}

static void on_late(void *consumer)
{
    rpc_request_late(consumer);
}

static size_t on_read(void *consumer, char *out, size_t room, enum http_body_state *state)
{
    return rpc_response_read(consumer, out, room, state);
}

static void on_drained(void *context)
{
    rpc_loop_drained(context);
}

const struct http_handler rpc_call_handler = {
    .open = open_exchange,
    .header = on_header,
    .headers_complete = on_headers_complete,
    .body = on_body,
    .body_complete = on_body_complete,
    .late = on_late,
    .read = on_read,
    .closed = on_exchange_closed,
    .drained = on_drained,
};
