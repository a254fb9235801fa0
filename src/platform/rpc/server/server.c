/*
 * Puts the pieces together: services into one table, that table behind the HTTP server's loops, and
 * takes them apart again.
 */
#include "platform/rpc/server.h"

#include "platform/base/memory.h"
#include "platform/rpc/server/rpc_call.h"
#include "platform/rpc/server/server_state.h"
#include "platform/rpc/services/health_service.h"
#include "platform/rpc/services/openapi.h"
#include "platform/rpc/services/reflection_service.h"

enum {
    services_max = 32,
    window_slack_bytes = 64 * 1024,
    openapi_bytes_max = 960 * 1024, /* what a route may hold */
};

struct rpc_server_options rpc_server_options_default(void)
{
    return (struct rpc_server_options){
        .http = http_server_options_default(),
        .message_bytes_max = 1024 * 1024,
        .call_memory_bytes_max = (size_t)16 * 1024 * 1024,
        .own_reasons = true,
        .title = "RPC server",
        .version = "0",
    };
}

/* --- opening --- */

static struct error make_services(struct rpc_server *server,
                                  const struct rpc_service *const *services, size_t count)
{
    const struct rpc_service *all[services_max];
    if (count + 2 > services_max)
        return error_make(ERROR_INVALID_SETTING, "more than %d services", services_max - 2);
    for (size_t i = 0; i < count; i++)
        all[i] = services[i];
    struct error error = health_service_create(&server->health, services, count);
    if (error_is(error))
        return error;
    all[count] = health_service_rpc(server->health);
    error = reflection_service_create(&server->reflection, server->options.descriptor_set, all,
                                      count + 1);
    if (error_is(error))
        return error;
    all[count + 1] = reflection_service_rpc(server->reflection);
    return method_table_init(&server->methods, all, count + 2);
}

static struct error make_loops(struct rpc_server *server)
{
    struct error error = error_none();
    uint32_t count = http_server_loop_count(server->http);
    server->loops = memory_allocate_zero(count, sizeof *server->loops);
    if (server->loops == NULL)
        return error_make(ERROR_OUT_OF_MEMORY, "I/O threads");
    while (!error_is(error) && server->loop_count < count) {
        uint32_t index = server->loop_count++;
        struct http_loop *http = http_server_loop(server->http, index);
        struct rpc_loop *loop = &server->loops[index];
        http_server_set_context(server->http, index, loop);
        error = rpc_loop_init(loop, http, &server->options, &server->methods, &server->own_routes);
    }
    return error;
}

static unsigned serve_openapi(void *context, struct buffer *body)
{
    const struct rpc_server *server = context;
    return buffer_append_text(body, buffer_text(&server->openapi)) ? 200 : 500;
}

/* The document is made once: the table does not change. */
static struct error make_openapi(struct rpc_server *server)
{
    server->openapi_route =
        (struct http_route){"/openapi.json", "application/json", serve_openapi, server};
    server->own_routes = (struct http_routes){&server->openapi_route, 1};
    return openapi_write(&server->methods, server->options.title, server->options.version,
                         &server->openapi);
}

static struct error start(struct rpc_server *server)
{
    struct http_server_options http = server->options.http;
    /*
     * A whole message must fit in what is open, or the client would wait for us and we for the
     * client; and nghttp2 opens the window again only when half of it has been consumed.
     */
    http.window_bytes = 2 * (server->options.message_bytes_max + window_slack_bytes);
    struct error error = http_server_create(&server->http, &http, &rpc_call_handler);
    if (!error_is(error))
        error = make_loops(server);
    if (!error_is(error))
        error = http_server_start(server->http);
    return error;
}

struct error rpc_server_open(struct rpc_server **server, const struct rpc_server_options *options,
                             const struct rpc_service *const *services, size_t service_count)
{
    struct rpc_server *made = memory_allocate_zero(1, sizeof *made);
    if (made == NULL)
        return error_make(ERROR_OUT_OF_MEMORY, "server");
    made->options = *options;
    buffer_init(&made->openapi, openapi_bytes_max);
    struct error error = make_services(made, services, service_count);
    if (!error_is(error))
        error = make_openapi(made);
    if (!error_is(error))
        error = start(made);
    if (error_is(error)) {
        rpc_server_drain(made);
        rpc_server_destroy(made);
        return error;
    }
    made->is_open = true;
    *server = made;
    return error_none();
}

const char *rpc_server_address(const struct rpc_server *server)
{
    return http_server_address(server->http);
}

struct http_server *rpc_server_http(struct rpc_server *server)
{
    return server->http;
}

int rpc_server_connect_local(void *server)
{
    return http_server_connect_local(((struct rpc_server *)server)->http);
}

/* --- while it runs --- */

struct loop_task {
    struct task task;
    struct rpc_server *server;
    struct rpc_loop *loop;
};

/* Has every loop run `run` once with a task of its own, which it releases. */
static void tell_loops(struct rpc_server *server, void (*run)(struct task *task))
{
    for (uint32_t i = 0; i < server->loop_count; i++) {
        struct loop_task *told = memory_allocate_zero(1, sizeof *told);
        if (told == NULL)
            continue;
        *told =
            (struct loop_task){.task = {.run = run}, .server = server, .loop = &server->loops[i]};
        executor_post(&server->loops[i].http->io.base, &told->task);
    }
}

static void notify_watchers(struct task *task)
{
    struct loop_task *told = (struct loop_task *)task;
    health_service_notify(told->server->health, &told->loop->http->io.base);
    memory_release(told);
}

void rpc_server_set_serving(struct rpc_server *server, const char *service_name, bool serving)
{
    health_service_set(server->health, service_name, serving);
    tell_loops(server, notify_watchers);
}

/* --- closing --- */

static void end_watchers(struct task *task)
{
    struct loop_task *told = (struct loop_task *)task;
    health_service_end(told->server->health, &told->loop->http->io.base);
    memory_release(told);
}

void rpc_server_drain(struct rpc_server *server)
{
    if (server->http != NULL && server->is_open)
        tell_loops(server, end_watchers);
    server->is_open = false;
    if (server->http != NULL)
        http_server_drain(server->http);
}

void rpc_server_destroy(struct rpc_server *server)
{
    if (server == NULL)
        return;
    http_server_stop(server->http);
    for (uint32_t i = 0; i < server->loop_count; i++)
        rpc_loop_release(&server->loops[i]);
    memory_release(server->loops);
    http_server_destroy(server->http);
    buffer_deinit(&server->openapi);
    method_table_deinit(&server->methods);
    reflection_service_destroy(server->reflection);
    health_service_destroy(server->health);
    memory_release(server);
}
