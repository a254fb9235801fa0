/*
 * Deadlines are a heap with one libuv timer for the earliest, rounded up to its milliseconds.
 */
#include "platform/rpc/server/rpc_loop.h"

#include "platform/base/memory.h"
#include "platform/rpc/server/rpc_call.h"

int64_t rpc_loop_now_us(struct rpc_loop *loop)
{
    return http_loop_now_us(loop->http);
}

/* --- deadlines --- */

static void heap_place(struct rpc_loop *loop, size_t at, struct rpc_call *call)
{
    loop->deadlines[at] = call;
    call->deadline_index = at;
}

static void heap_rise(struct rpc_loop *loop, size_t at, struct rpc_call *call)
{
    while (at > 0 && call->deadline_us < loop->deadlines[(at - 1) / 2]->deadline_us) {
        heap_place(loop, at, loop->deadlines[(at - 1) / 2]);
        at = (at - 1) / 2;
    }
    heap_place(loop, at, call);
}

static void heap_sink(struct rpc_loop *loop, size_t at, struct rpc_call *call)
{
    for (size_t child = 2 * at + 1; child < loop->deadline_count; child = 2 * at + 1) {
        if (child + 1 < loop->deadline_count &&
            loop->deadlines[child + 1]->deadline_us < loop->deadlines[child]->deadline_us)
            child++;
        if (call->deadline_us <= loop->deadlines[child]->deadline_us)
            break;
        heap_place(loop, at, loop->deadlines[child]);
        at = child;
    }
    heap_place(loop, at, call);
}

static void on_deadline(uv_timer_t *timer);

/* Sets the timer to the earliest deadline, rounded up to its milliseconds. */
static void arm_deadline(struct rpc_loop *loop)
{
    if (loop->deadline_count == 0) {
        uv_timer_stop(&loop->deadline);
        return;
    }
    int64_t left_us = loop->deadlines[0]->deadline_us - rpc_loop_now_us(loop);
    uv_update_time(&loop->http->io.loop);
    uv_timer_start(&loop->deadline, on_deadline, left_us <= 0 ? 0 : (uint64_t)left_us / 1000 + 1,
                   0);
}

static void on_deadline(uv_timer_t *timer)
{
    struct rpc_loop *loop = timer->data;
    int64_t now_us = rpc_loop_now_us(loop);
    while (loop->deadline_count > 0 && loop->deadlines[0]->deadline_us <= now_us) {
        struct rpc_call *call = loop->deadlines[0];
        rpc_loop_remove_deadline(loop, call);
        rpc_call_deadline_passed(call);
    }
    arm_deadline(loop);
}

bool rpc_loop_add_deadline(struct rpc_loop *loop, struct rpc_call *call)
{
    if (loop->deadline_count == loop->deadline_capacity) {
        size_t capacity = loop->deadline_capacity == 0 ? 256 : 2 * loop->deadline_capacity;
        struct rpc_call **larger =
            memory_reallocate(loop->deadlines, capacity * sizeof(struct rpc_call *));
        if (larger == NULL)
            return false;
        loop->deadlines = larger;
        loop->deadline_capacity = capacity;
    }
    loop->deadline_count++;
    heap_rise(loop, loop->deadline_count - 1, call);
    if (loop->deadlines[0] == call)
        arm_deadline(loop);
    return true;
}

void rpc_loop_remove_deadline(struct rpc_loop *loop, struct rpc_call *call)
{
    size_t at = call->deadline_index;
    if (at == SIZE_MAX)
        return;
    call->deadline_index = SIZE_MAX;
    struct rpc_call *moved = loop->deadlines[--loop->deadline_count];
    if (moved == call)
        return; /* the timer may fire early once; it then finds nothing */
    if (at > 0 && moved->deadline_us < loop->deadlines[(at - 1) / 2]->deadline_us)
        heap_rise(loop, at, moved);
    else
        heap_sink(loop, at, moved);
}

/* --- its life --- */

struct error rpc_loop_init(struct rpc_loop *loop, struct http_loop *http,
                           const struct rpc_server_options *options,
                           const struct method_table *methods, const struct http_routes *own_routes)
{
    size_t bytes_max = options->message_bytes_max;
    *loop = (struct rpc_loop){
        .http = http,
        .options = options,
        .methods = methods,
        .own_routes = own_routes,
        .routes = &options->routes,
    };
    buffer_init(&loop->inflated, bytes_max + 8192);
    buffer_init(&loop->encoded, rpc_response_bytes_max);
    buffer_init(&loop->deflated, rpc_response_bytes_max);
    uv_timer_init(&http->io.loop, &loop->deadline);
    loop->deadline.data = loop;
    return rpc_metrics_init(&loop->metrics, methods->count);
}

void rpc_loop_drained(struct rpc_loop *loop)
{
    uv_close((uv_handle_t *)&loop->deadline, NULL);
}

void rpc_loop_release(struct rpc_loop *loop)
{
    rpc_call_release_idle(loop);
    memory_release(loop->deadlines);
    buffer_deinit(&loop->inflated);
    buffer_deinit(&loop->encoded);
    buffer_deinit(&loop->deflated);
    rpc_metrics_deinit(&loop->metrics);
}
