/*
 * Puts the pieces together: services into one table, loops onto one address, and takes them apart
 * again.
 *
 * Shutdown has two steps because stores are closed in between: drain ends all connections while the
 * loops still run (a store may have answers on their way), destroy stops the loops when nobody can
 * post to them any more.
 */
#include "platform/rpc/server.h"

#include "platform/base/memory.h"
#include "platform/io/listen_address.h"
#include "platform/rpc/health_service.h"
#include "platform/rpc/reflection_service.h"
#include "platform/rpc/rpc_call.h"
#include "platform/rpc/server_loop.h"

#include <string.h>

enum { services_max = 32, io_threads_max = 64 };

struct rpc_server {
    struct rpc_server_options options;
    struct health_service *health;
    struct reflection_service *reflection;
    struct method_table methods;
    _Atomic uint32_t connection_count;
    char address[listen_address_bytes_max];
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    uint32_t drained_count; /* loops without connections */
    uint32_t loop_count;
    struct server_loop *loops;
};

struct rpc_server_options rpc_server_options_default(void)
{
    return (struct rpc_server_options){
        .listen = "127.0.0.1:7400",
        .io_threads = 1,
        .connections_max = 16384,
        .streams_per_connection = 1024,
        .message_bytes_max = 1024 * 1024,
        .call_memory_bytes_max = (size_t)16 * 1024 * 1024,
        .drain_us_max = 10000000,
        .clock = clock_system(),
    };
}

/* --- opening --- */

static void on_drained(void *context)
{
    struct rpc_server *server = context;
    pthread_mutex_lock(&server->mutex);
    server->drained_count++;
    pthread_cond_signal(&server->changed);
    pthread_mutex_unlock(&server->mutex);
}

static struct error make_services(struct rpc_server *server,
                                  const struct rpc_service *const *services, size_t count)
{
    const struct rpc_service *all[services_max];
    if (count + 2 > services_max)
        return error_make(ERROR_INVALID_SETTING, "more than %d services", services_max - 2);
    memcpy(all, services, count * sizeof all[0]);
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

/* Opens one loop; with port 0 the first one picks the port for all. */
static struct error open_loop(struct rpc_server *server, struct sockaddr_storage *address)
{
    struct server_loop *loop = &server->loops[server->loop_count];
    int size = sizeof *address;
    loop->options = &server->options;
    loop->methods = &server->methods;
    loop->connection_count = &server->connection_count;
    loop->drained = on_drained;
    loop->drained_context = server;
    struct error error = io_loop_init(&loop->io);
    if (error_is(error))
        return error;
    server->loop_count++;
    error = server_loop_open(loop, (const struct sockaddr *)address);
    if (error_is(error))
        return error_prefix(error, "cannot listen on %s", server->options.listen);
    int result = uv_tcp_getsockname(&loop->listener, (struct sockaddr *)address, &size);
    if (result != 0)
        return error_make(ERROR_NETWORK, "%s: %s", server->options.listen, uv_strerror(result));
    return error_none();
}

static struct error open_loops(struct rpc_server *server)
{
    struct sockaddr_storage address;
    uint32_t wanted = server->options.io_threads;
    if (wanted == 0 || wanted > io_threads_max)
        return error_make(ERROR_INVALID_SETTING, "I/O threads: 1 to %d", io_threads_max);
    struct error error = listen_address_resolve(server->options.listen, &address);
    if (error_is(error))
        return error;
    server->loops = memory_allocate_zero(wanted, sizeof *server->loops);
    if (server->loops == NULL)
        return error_make(ERROR_OUT_OF_MEMORY, "I/O threads");
    while (!error_is(error) && server->loop_count < wanted)
        error = open_loop(server, &address);
    if (error_is(error))
        return error;
    listen_address_format(&address, server->address);
    for (uint32_t i = 0; !error_is(error) && i < wanted; i++)
        error = io_loop_start(&server->loops[i].io);
    return error;
}

struct error rpc_server_open(struct rpc_server **server, const struct rpc_server_options *options,
                             const struct rpc_service *const *services, size_t service_count)
{
    struct rpc_server *made = memory_allocate_zero(1, sizeof *made);
    if (made == NULL)
        return error_make(ERROR_OUT_OF_MEMORY, "server");
    made->options = *options;
    pthread_mutex_init(&made->mutex, NULL);
    pthread_cond_init(&made->changed, NULL);
    struct error error = make_services(made, services, service_count);
    if (!error_is(error))
        error = open_loops(made);
    if (error_is(error)) {
        rpc_server_drain(made);
        rpc_server_destroy(made);
        return error;
    }
    *server = made;
    return error_none();
}

const char *rpc_server_address(const struct rpc_server *server)
{
    return server->address;
}

/* --- while it runs --- */

struct loop_task {
    struct task task;
    struct rpc_server *server;
    struct server_loop *loop;
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
        executor_post(&server->loops[i].io.base, &told->task);
    }
}

static void notify_watchers(struct task *task)
{
    struct loop_task *told = (struct loop_task *)task;
    health_service_notify(told->server->health, &told->loop->io.base);
    memory_release(told);
}

void rpc_server_set_serving(struct rpc_server *server, const char *service_name, bool serving)
{
    health_service_set(server->health, service_name, serving);
    tell_loops(server, notify_watchers);
}

/* --- closing --- */

struct drain_task {
    struct task task;
    struct server_loop *loop;
};

static void drain_loop(struct task *task)
{
    server_loop_drain(((struct drain_task *)task)->loop);
}

/* Runs the loop on this thread until its handles are closed, if its own thread never started. */
static void drain_unstarted(struct server_loop *loop)
{
    server_loop_drain(loop);
    uv_unref((uv_handle_t *)&loop->io.wake);
    uv_run(&loop->io.loop, UV_RUN_DEFAULT);
    uv_ref((uv_handle_t *)&loop->io.wake);
}

void rpc_server_drain(struct rpc_server *server)
{
    struct drain_task tasks[io_threads_max];
    for (uint32_t i = 0; i < server->loop_count; i++) {
        struct server_loop *loop = &server->loops[i];
        tasks[i] = (struct drain_task){.task = {.run = drain_loop}, .loop = loop};
        if (loop->io.running)
            executor_post(&loop->io.base, &tasks[i].task);
        else
            drain_unstarted(loop);
    }
    pthread_mutex_lock(&server->mutex);
    while (server->drained_count < server->loop_count)
        pthread_cond_wait(&server->changed, &server->mutex);
    pthread_mutex_unlock(&server->mutex);
}

void rpc_server_destroy(struct rpc_server *server)
{
    if (server == NULL)
        return;
    for (uint32_t i = 0; i < server->loop_count; i++) {
        io_loop_stop(&server->loops[i].io);
        rpc_call_release_idle(&server->loops[i]);
        memory_release(server->loops[i].deadlines);
        io_loop_deinit(&server->loops[i].io);
    }
    memory_release(server->loops);
    method_table_deinit(&server->methods);
    reflection_service_destroy(server->reflection);
    health_service_destroy(server->health);
    pthread_cond_destroy(&server->changed);
    pthread_mutex_destroy(&server->mutex);
    memory_release(server);
}
