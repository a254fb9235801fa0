/*
 * A call is a packed request with its completion. The loop's idle handle takes one at random and
 * decides what becomes of it. Executing it means what the server does: unpack on the call's arena,
 * hand to the handler, run the completions, pack the answer.
 */
#include "tests/integration/simulated_server.h"

#include "inventory/application/inventory_service.h"
#include "inventory/interfaces/rpc/inventory_rpc.h"
#include "platform/base/check.h"
#include "platform/rpc/client.h"
#include "tests/support/test_executor.h"

#include "google/rpc/error_details.pb-c.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

static const int64_t month_us = INT64_C(31) * 86400 * 1000000;
static const size_t arena_bytes_max = (size_t)16 << 20;
enum { calls_waiting_max = 4096 };

/* The server's side of one call. */
struct rpc_call {
    struct arena arena;
    struct test_executor *executor;
    bool is_answered;
    struct rpc_status status;
    ProtobufCMessage *response; /* if the status is OK */
};

/* A call on its way. */
struct travelling_call {
    const struct rpc_method *method;
    const ProtobufCMessageDescriptor *request_descriptor;
    const ProtobufCMessageDescriptor *response_descriptor;
    void *request;
    size_t request_size;
    struct rpc_client *client; /* NULL = nobody waits for the answer any more */
    rpc_client_done *done;
    void *context;
};

struct simulated_server {
    struct simulated_server_options options;
    struct random_seeded random;
    struct fake_clock clock;
    struct inventory_model *model;
    struct inventory_door inventory;
    struct rpc_service service;
    struct test_executor executor;
    struct travelling_call calls[calls_waiting_max];
    size_t call_count;
    uint64_t calls_taken;
    uint64_t client_dies_at; /* of calls_taken */
};

struct rpc_client {
    struct simulated_server *server;
    uv_idle_t idle;
    uint32_t in_flight;
    void (*closed)(void *context);
    void *closed_context;
};

static struct simulated_server *present_server;

static uint64_t draw(struct simulated_server *server, uint64_t bound)
{
    return random_below(&server->random.base, bound);
}

/* --- the server's door --- */

struct arena *rpc_call_arena(struct rpc_call *call)
{
    return &call->arena;
}

/* Its refusals name no values: the replay makes none of them. */
const ProtobufCMessageDescriptor *rpc_call_request_type(const struct rpc_call *call)
{
    (void)call;
    return NULL;
}

struct executor *rpc_call_executor(struct rpc_call *call)
{
    return &call->executor->base;
}

void rpc_call_answer(struct rpc_call *call, const ProtobufCMessage *response)
{
    CHECK(!call->is_answered);
    call->is_answered = true;
    size_t size = protobuf_c_message_get_packed_size(response);
    uint8_t *packed = arena_allocate(&call->arena, size);
    CHECK(packed != NULL);
    protobuf_c_message_pack(response, packed);
    call->response = protobuf_c_message_unpack(response->descriptor, NULL, size, packed);
    CHECK(call->response != NULL);
}

/* Methods that stream are in the table, but the replay calls none of them. */
bool rpc_call_send(struct rpc_call *call, const ProtobufCMessage *message)
{
    (void)call;
    (void)message;
    CHECK(false);
    return false;
}

void rpc_call_send_headers(struct rpc_call *call)
{
    (void)call;
    CHECK(false);
}

void rpc_call_limit_queue(struct rpc_call *call, size_t bytes)
{
    (void)call;
    (void)bytes;
    CHECK(false);
}

void rpc_call_read_next(struct rpc_call *call)
{
    (void)call;
    CHECK(false);
}

void rpc_call_finish(struct rpc_call *call)
{
    (void)call;
    CHECK(false);
}

void rpc_call_fail(struct rpc_call *call, const struct rpc_status *status)
{
    CHECK(!call->is_answered);
    call->is_answered = true;
    call->status = *status;
}

static void execute(struct simulated_server *server, const struct travelling_call *travelling,
                    struct rpc_call *call)
{
    *call = (struct rpc_call){.executor = &server->executor};
    arena_init(&call->arena, arena_bytes_max);
    ProtobufCMessage *request = protobuf_c_message_unpack(
        travelling->request_descriptor, NULL, travelling->request_size, travelling->request);
    CHECK(request != NULL);
    travelling->method->unary(server->service.context, call, request);
    (void)test_executor_run_all(&server->executor);
    CHECK(call->is_answered);
    protobuf_c_message_free_unpacked(request, NULL);
}

static void call_deinit(struct rpc_call *call)
{
    if (call->response != NULL)
        protobuf_c_message_free_unpacked(call->response, NULL);
    arena_deinit(&call->arena);
}

static void execute_unheard(struct simulated_server *server,
                            const struct travelling_call *travelling)
{
    struct rpc_call call;
    execute(server, travelling, &call);
    call_deinit(&call);
}

/* --- the way --- */

static void answer(const struct travelling_call *travelling, const struct rpc_client_result *result)
{
    if (travelling->client == NULL)
        return;
    travelling->client->in_flight--;
    travelling->done(travelling->context, result);
}

/* Answers with a status of the network's or the server's door, which never executed the call. */
static void answer_status(const struct travelling_call *travelling, enum grpc_status code,
                          const char *reason)
{
    struct arena arena;
    arena_init(&arena, arena_bytes_max);
    struct rpc_client_result result = {
        .status = rpc_status_make(&arena, code, reason, "simulated %s", grpc_status_name(code)),
    };
    if (code == GRPC_STATUS_RESOURCE_EXHAUSTED) {
        Google__Rpc__RetryInfo retry = GOOGLE__RPC__RETRY_INFO__INIT;
        Google__Protobuf__Duration delay = GOOGLE__PROTOBUF__DURATION__INIT;
        delay.nanos = 1000000;
        retry.retry_delay = &delay;
        rpc_status_add_detail(&result.status, &retry.base);
    }
    answer(travelling, &result);
    arena_deinit(&arena);
}

static void execute_and_answer(struct simulated_server *server,
                               const struct travelling_call *travelling)
{
    struct rpc_call call;
    execute(server, travelling, &call);
    struct rpc_client_result result = {.status = call.status, .response = call.response};
    answer(travelling, &result);
    call_deinit(&call);
}

/* Puts it back on its way: nobody waits for it, but it will arrive. */
static void keep_travelling(struct simulated_server *server, struct travelling_call *travelling)
{
    CHECK(server->call_count < calls_waiting_max);
    server->calls[server->call_count] = *travelling;
    server->calls[server->call_count].client = NULL;
    server->call_count++;
}

enum fate { FATE_REQUEST_LOST, FATE_ANSWER_LOST, FATE_LATE, FATE_OVERLOADED, FATE_DEADLINE };
enum { fate_count = FATE_DEADLINE + 1 };

/* True if the call travels on and still needs its request. */
static bool meet_fault(struct simulated_server *server, struct travelling_call *travelling)
{
    enum fate fate = (enum fate)draw(server, fate_count);
    if (fate == FATE_ANSWER_LOST || fate == FATE_DEADLINE)
        execute_unheard(server, travelling);
    if (fate == FATE_LATE)
        keep_travelling(server, travelling);
    if (fate == FATE_OVERLOADED)
        answer_status(travelling, GRPC_STATUS_RESOURCE_EXHAUSTED, "OVERLOADED");
    else if (fate == FATE_DEADLINE)
        answer_status(travelling, GRPC_STATUS_DEADLINE_EXCEEDED, "");
    else
        answer_status(travelling, GRPC_STATUS_UNAVAILABLE, "");
    return fate == FATE_LATE;
}

/* A client that is dead: its request may have left before. */
static bool meet_death(struct simulated_server *server, struct travelling_call *travelling)
{
    bool travels_on = draw(server, 2) == 0;
    if (travels_on)
        keep_travelling(server, travelling);
    answer_status(travelling, GRPC_STATUS_CANCELLED, "");
    return travels_on;
}

/*
 * Twenty minutes, in which holds run out; or more than a day, in which ids are forgotten and every
 * connection breaks: nothing that was sent before arrives after, and true is given.
 */
static bool meet_gap(struct simulated_server *server)
{
    if (draw(server, 2) == 0) {
        fake_clock_advance(&server->clock, INT64_C(20) * 60 * 1000000);
        return false;
    }
    fake_clock_advance(&server->clock, INT64_C(25) * 3600 * 1000000);
    while (server->call_count > 0) {
        struct travelling_call travelling = server->calls[--server->call_count];
        answer_status(&travelling, GRPC_STATUS_UNAVAILABLE, "");
        free(travelling.request);
    }
    return true;
}

/* What becomes of one call that was on its way. */
static void arrive(struct simulated_server *server, size_t index)
{
    bool travels_on = false;
    fake_clock_advance(&server->clock, (int64_t)draw(server, 100000));
    if (draw(server, 1000) < server->options.gap_per_mille && meet_gap(server))
        return;
    struct travelling_call travelling = server->calls[index];
    server->calls[index] = server->calls[--server->call_count];
    server->calls_taken++;
    if (travelling.client == NULL)
        execute_unheard(server, &travelling);
    else if (server->calls_taken >= server->client_dies_at)
        travels_on = meet_death(server, &travelling);
    else if (draw(server, 100) < server->options.fault_percent)
        travels_on = meet_fault(server, &travelling);
    else
        execute_and_answer(server, &travelling);
    if (!travels_on)
        free(travelling.request);
}

static void move_on(uv_idle_t *idle)
{
    struct rpc_client *client = idle->data;
    struct simulated_server *server = client->server;
    if (server->call_count > 0)
        arrive(server, draw(server, server->call_count));
    if (client->in_flight == 0)
        (void)uv_idle_stop(idle);
}

/* --- platform/rpc/client.h --- */

struct rpc_client_options rpc_client_options_default(void)
{
    return (struct rpc_client_options){0};
}

struct error rpc_client_create(struct rpc_client **result, uv_loop_t *loop,
                               const struct rpc_client_options *options)
{
    struct rpc_client *client = calloc(1, sizeof *client);
    CHECK(client != NULL && present_server != NULL && options->calls_max > 0);
    client->server = present_server;
    (void)uv_idle_init(loop, &client->idle);
    client->idle.data = client;
    *result = client;
    return error_none();
}

static void idle_closed(uv_handle_t *idle)
{
    struct rpc_client *client = idle->data;
    client->closed(client->closed_context);
    free(client);
}

void rpc_client_close(struct rpc_client *client, void (*closed)(void *context), void *context)
{
    struct simulated_server *server = client->server;
    for (size_t i = 0; i < server->call_count; i++) {
        if (server->calls[i].client == client)
            answer_status(&server->calls[i], GRPC_STATUS_CANCELLED, "");
        if (server->calls[i].client == client)
            server->calls[i].client = NULL;
    }
    client->closed = closed;
    client->closed_context = context;
    uv_close((uv_handle_t *)&client->idle, idle_closed);
}

/* The method of that path, "/package.Service/Method". */
static const struct rpc_method *find_method(const struct rpc_service *service, const char *path,
                                            const ProtobufCMethodDescriptor **descriptor)
{
    const char *name = strrchr(path, '/') + 1;
    *descriptor = protobuf_c_service_descriptor_get_method_by_name(service->descriptor, name);
    for (size_t i = 0; i < service->method_count; i++) {
        if (strcmp(service->methods[i].name, name) == 0)
            return &service->methods[i];
    }
    return NULL;
}

void rpc_client_call(struct rpc_client *client, const char *path, const ProtobufCMessage *request,
                     const ProtobufCMessageDescriptor *response_descriptor, int64_t timeout_us,
                     rpc_client_done *done, void *context)
{
    struct simulated_server *server = client->server;
    const ProtobufCMethodDescriptor *descriptor;
    const struct rpc_method *method = find_method(&server->service, path, &descriptor);
    CHECK(timeout_us > 0 && method != NULL && server->call_count < calls_waiting_max);
    CHECK(descriptor->input == request->descriptor && descriptor->output == response_descriptor);
    struct travelling_call *travelling = &server->calls[server->call_count++];
    *travelling = (struct travelling_call){
        .method = method,
        .request_descriptor = descriptor->input,
        .response_descriptor = descriptor->output,
        .request_size = protobuf_c_message_get_packed_size(request),
        .client = client,
        .done = done,
        .context = context,
    };
    travelling->request = malloc(travelling->request_size + 1);
    CHECK(travelling->request != NULL);
    protobuf_c_message_pack(request, travelling->request);
    client->in_flight++;
    (void)uv_idle_start(&client->idle, move_on);
}

uint32_t rpc_client_calls_in_flight(const struct rpc_client *client)
{
    return client->in_flight;
}

/* --- libuv --- */

int uv_timer_start(uv_timer_t *timer, uv_timer_cb callback, uint64_t timeout_ms, uint64_t repeat_ms)
{
    typedef int start_function(uv_timer_t *, uv_timer_cb, uint64_t, uint64_t);
    static start_function *start;
    if (start == NULL)
        start = (start_function *)dlsym(RTLD_NEXT, "uv_timer_start");
    CHECK(start != NULL);
    if (present_server != NULL && repeat_ms == 0) {
        fake_clock_advance(&present_server->clock, (int64_t)timeout_ms * 1000);
        timeout_ms = 0;
    }
    return start(timer, callback, timeout_ms, repeat_ms);
}

/* --- the whole --- */

struct simulated_server *simulated_server_create(const struct simulated_server_options *options)
{
    struct simulated_server *server = calloc(1, sizeof *server);
    CHECK(server != NULL);
    server->options = *options;
    server->client_dies_at = UINT64_MAX;
    random_seeded_init(&server->random, options->seed);
    fake_clock_init(&server->clock, INT64_C(1700000000) * 1000000);
    test_executor_init(&server->executor);
    struct inventory_model_options model_options = {
        .clock = &server->clock.base,
        .retention_us = INT64_C(24) * 3600 * 1000000,
        .committed_retention_us = INT64_C(90) * 86400 * 1000000,
        .ids_max = 1000000,
    };
    server->model = inventory_model_create(&model_options);
    server->inventory.service.repository = inventory_model_repository(server->model);
    server->service = inventory_rpc_service(&server->inventory);
    present_server = server;
    return server;
}

void simulated_server_destroy(struct simulated_server *server)
{
    for (size_t i = 0; i < server->call_count; i++)
        free(server->calls[i].request);
    inventory_model_destroy(server->model);
    test_executor_deinit(&server->executor);
    free(server);
    present_server = NULL;
}

struct clock *simulated_server_clock(struct simulated_server *server)
{
    return &server->clock.base;
}

struct inventory_model *simulated_server_model(struct simulated_server *server)
{
    return server->model;
}

void simulated_server_kill_client_after(struct simulated_server *server, uint64_t calls)
{
    server->client_dies_at = calls == UINT64_MAX ? UINT64_MAX : server->calls_taken + calls;
}

void simulated_server_pass_time(struct simulated_server *server, int64_t duration_us)
{
    CHECK(duration_us <= 12 * month_us);
    while (server->call_count > 0) {
        struct travelling_call travelling = server->calls[--server->call_count];
        if (draw(server, 2) == 0)
            execute_unheard(server, &travelling);
        free(travelling.request);
    }
    fake_clock_advance(&server->clock, duration_us);
}

uint64_t simulated_server_calls(const struct simulated_server *server)
{
    return server->calls_taken;
}
