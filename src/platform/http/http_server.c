/*
 * Puts the loops onto one address and takes them apart again.
 *
 * Shutdown has two steps because stores are closed in between: drain ends all connections while the
 * loops still run (a store may have answers on their way), destroy stops the loops when nobody can
 * post to them any more.
 */
#include "platform/http/http_server.h"

#include "platform/base/memory.h"
#include "platform/http/http_connection.h"
#include "platform/http/http_loop.h"
#include "platform/io/listen_address.h"

#include <errno.h>
#include <stdatomic.h>
#include <sys/socket.h>

enum { io_threads_max = 64 };

struct http_server {
    struct http_server_options options;
    const struct http_handler *handler;
    struct tls_identity *identity;
    struct http_peers *peers;
    _Atomic uint32_t connection_count;
    _Atomic uint32_t local_count; /* connections made within this process */
    char address[listen_address_bytes_max];
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    uint32_t others_gone_count; /* loops without connections from elsewhere */
    uint32_t drained_count;     /* loops without connections */
    uint32_t loop_count;
    struct http_loop *loops;
};

struct http_server_options http_server_options_default(void)
{
    return (struct http_server_options){
        .listen = "127.0.0.1:7400",
        .io_threads = 1,
        .connections_max = 16384,
        .peer_abuse_points_per_second = 500,
        .streams_per_connection = 1024,
        .window_bytes = (size_t)1024 * 1024,
        .header_bytes_max = (size_t)16 * 1024,
        .greeting_us_max = 10000000,
        .request_us_max = 60000000,
        .body_pause_us_max = 60000000,
        .idle_us_max = INT64_C(3600) * 1000000,
        .drain_us_max = 10000000,
        .clock = clock_system(),
        .threaded = true,
    };
}

/* --- opening --- */

static void on_others_gone(void *context)
{
    struct http_server *server = context;
    pthread_mutex_lock(&server->mutex);
    server->others_gone_count++;
    pthread_cond_signal(&server->changed);
    pthread_mutex_unlock(&server->mutex);
}

static void on_drained(void *context)
{
    struct http_server *server = context;
    pthread_mutex_lock(&server->mutex);
    server->drained_count++;
    pthread_cond_signal(&server->changed);
    pthread_mutex_unlock(&server->mutex);
}

/* With port 0 the first loop picks the port for all, and `*address` becomes it. */
static struct error listen_with(struct http_server *server, struct http_loop *loop,
                                struct sockaddr_storage *address)
{
    const struct http_server_options *options = &server->options;
    struct error error = error_none();
    if (options->socket_count == 0)
        error = http_loop_listen(loop, address, server->loop_count == 1);
    for (size_t i = 0; i < options->socket_count && !error_is(error); i++)
        error = http_loop_listen_on(loop, options->sockets[i]);
    if (error_is(error) && options->socket_count > 0)
        return error_prefix(error, "cannot listen on the sockets passed");
    if (error_is(error))
        return error_prefix(error, "cannot listen on %s", options->listen);
    if (!listening_socket_address(&loop->listeners[0], address))
        return error_make(ERROR_NETWORK, "the listening socket has no address");
    return error;
}

static struct error open_loop(struct http_server *server, struct sockaddr_storage *address)
{
    struct http_loop *loop = &server->loops[server->loop_count];
    loop->options = &server->options;
    loop->handler = server->handler;
    loop->identity = server->identity;
    loop->peers = server->peers;
    loop->connection_count = &server->connection_count;
    loop->others_gone = on_others_gone;
    loop->drained = on_drained;
    loop->drained_context = server;
    struct error error = io_loop_init(&loop->io);
    if (error_is(error))
        return error;
    server->loop_count++;
    http_loop_open(loop);
    return listen_with(server, loop, address);
}

static struct error open_loops(struct http_server *server)
{
    struct sockaddr_storage address = {0};
    uint32_t wanted = server->options.io_threads;
    if (wanted == 0 || wanted > io_threads_max)
        return error_make(ERROR_INVALID_SETTING, "I/O threads: 1 to %d", io_threads_max);
    struct error error = server->options.socket_count > 0
                             ? error_none()
                             : listen_address_resolve(server->options.listen, &address);
    if (error_is(error))
        return error;
    server->loops = memory_allocate_zero(wanted, sizeof *server->loops);
    if (server->loops == NULL)
        return error_make(ERROR_OUT_OF_MEMORY, "I/O threads");
    while (!error_is(error) && server->loop_count < wanted)
        error = open_loop(server, &address);
    if (!error_is(error))
        listen_address_format(&address, server->address);
    return error;
}

static bool has_peers(const struct http_server_options *options)
{
    return options->connections_per_peer_max > 0 || options->peer_abuse_points_per_second > 0;
}

struct error http_server_create(struct http_server **server,
                                const struct http_server_options *options,
                                const struct http_handler *handler)
{
    struct error error = error_none();
    struct http_server *made = memory_allocate_zero(1, sizeof *made);
    if (made == NULL)
        return error_make(ERROR_OUT_OF_MEMORY, "server");
    made->options = *options;
    made->handler = handler;
    pthread_mutex_init(&made->mutex, NULL);
    pthread_cond_init(&made->changed, NULL);
    if (options->tls.certificate != NULL || options->tls.key != NULL)
        error = tls_server_identity_create(&made->identity, &options->tls);
    if (!error_is(error) && has_peers(options)) {
        made->peers = http_peers_create(&(struct http_peers_options){
            .connections_max = options->connections_per_peer_max,
            .points_per_second = options->peer_abuse_points_per_second,
        });
        if (made->peers == NULL)
            error = error_make(ERROR_OUT_OF_MEMORY, "server");
    }
    if (!error_is(error))
        error = open_loops(made);
    if (error_is(error)) {
        http_server_drain(made);
        http_server_destroy(made);
        return error;
    }
    *server = made;
    return error;
}

uint32_t http_server_loop_count(const struct http_server *server)
{
    return server->loop_count;
}

struct http_loop *http_server_loop(struct http_server *server, uint32_t index)
{
    return &server->loops[index];
}

void http_server_set_context(struct http_server *server, uint32_t index, void *context)
{
    server->loops[index].handler_context = context;
}

struct error http_server_start(struct http_server *server)
{
    struct error error = error_none();
    for (uint32_t i = 0; server->options.threaded && !error_is(error) && i < server->loop_count;
         i++)
        error = io_loop_start(&server->loops[i].io);
    return error;
}

const char *http_server_address(const struct http_server *server)
{
    return server->address;
}

struct adopt_task {
    struct task task;
    struct http_loop *loop;
    int descriptor;
};

static void adopt(struct task *task)
{
    struct adopt_task *of = (struct adopt_task *)task;
    http_connection_adopt(of->loop, of->descriptor);
    memory_release(of);
}

int http_server_connect_local(struct http_server *server)
{
    int pair[2];
    uint32_t next = atomic_fetch_add(&server->local_count, 1);
    struct adopt_task *task = memory_allocate_zero(1, sizeof *task);
    if (task == NULL)
        return -ENOMEM;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) != 0) {
        memory_release(task);
        return -errno;
    }
    *task = (struct adopt_task){.task = {.run = adopt},
                                .loop = &server->loops[next % server->loop_count],
                                .descriptor = pair[1]};
    executor_post(&task->loop->io.base, &task->task);
    return pair[0];
}

void http_server_count(const struct http_server *server, struct http_counters *sum)
{
    *sum = (struct http_counters){0};
    for (uint32_t i = 0; i < server->loop_count; i++) {
        const struct http_counters *one = &server->loops[i].counters;
        sum->connections_accepted += one->connections_accepted;
        sum->connections_refused += one->connections_refused;
        sum->connections_barred += one->connections_barred;
        sum->connections_punished += one->connections_punished;
        sum->requests_late += one->requests_late;
        sum->connections_slow += one->connections_slow;
        sum->connections_open += one->connections_open;
        sum->exchanges_open += one->exchanges_open;
        sum->exchanges_opened += one->exchanges_opened;
        sum->heads_refused += one->heads_refused;
        sum->bytes_received += one->bytes_received;
        sum->bytes_sent += one->bytes_sent;
    }
}

/* --- closing --- */

struct listen_task {
    struct task task;
    struct http_loop *loop;
};

static void stop_listening(struct task *task)
{
    http_loop_stop_listening(((struct listen_task *)task)->loop);
    memory_release(task);
}

void http_server_stop_listening(struct http_server *server)
{
    for (uint32_t i = 0; i < server->loop_count; i++) {
        struct listen_task *task = memory_allocate_zero(1, sizeof *task);
        if (task == NULL)
            return; /* the drain does it */
        *task = (struct listen_task){.task = {.run = stop_listening}, .loop = &server->loops[i]};
        executor_post(&server->loops[i].io.base, &task->task);
    }
}

struct drain_task {
    struct task task;
    struct http_loop *loop;
};

static void drain_loop(struct task *task)
{
    http_loop_drain(((struct drain_task *)task)->loop);
}

static void drain_loop_local(struct task *task)
{
    http_loop_drain_local(((struct drain_task *)task)->loop);
}

/* Runs the loop on this thread until its handles are closed, if its own thread never started. */
static void drain_unstarted(struct http_loop *loop)
{
    http_loop_drain(loop);
    http_loop_drain_local(loop);
    uv_unref((uv_handle_t *)&loop->io.wake);
    uv_run(&loop->io.loop, UV_RUN_DEFAULT);
    uv_ref((uv_handle_t *)&loop->io.wake);
}

static void wait_for_all(struct http_server *server, const uint32_t *count)
{
    pthread_mutex_lock(&server->mutex);
    while (*count < server->loop_count)
        pthread_cond_wait(&server->changed, &server->mutex);
    pthread_mutex_unlock(&server->mutex);
}

void http_server_drain(struct http_server *server)
{
    struct drain_task tasks[io_threads_max];
    for (uint32_t i = 0; i < server->loop_count; i++) {
        struct http_loop *loop = &server->loops[i];
        tasks[i] = (struct drain_task){.task = {.run = drain_loop}, .loop = loop};
        if (loop->io.running)
            executor_post(&loop->io.base, &tasks[i].task);
        else
            drain_unstarted(loop);
    }
    wait_for_all(server, &server->others_gone_count);
    for (uint32_t i = 0; i < server->loop_count; i++) {
        struct http_loop *loop = &server->loops[i];
        tasks[i] = (struct drain_task){.task = {.run = drain_loop_local}, .loop = loop};
        if (loop->io.running)
            executor_post(&loop->io.base, &tasks[i].task);
    }
    wait_for_all(server, &server->drained_count);
}

void http_server_stop(struct http_server *server)
{
    for (uint32_t i = 0; server != NULL && i < server->loop_count; i++)
        io_loop_stop(&server->loops[i].io);
}

void http_server_destroy(struct http_server *server)
{
    if (server == NULL)
        return;
    http_server_stop(server);
    for (uint32_t i = 0; i < server->loop_count; i++) {
        http_loop_release(&server->loops[i]);
        io_loop_deinit(&server->loops[i].io);
    }
    memory_release(server->loops);
    tls_identity_destroy(server->identity);
    http_peers_destroy(server->peers);
    pthread_cond_destroy(&server->changed);
    pthread_mutex_destroy(&server->mutex);
    memory_release(server);
}
