/*
 * A call is a row of the table, a message on the call's arena, and its answer. Of a service's
 * answers only those that say nothing about the request count as its failures.
 */
#include "fulfillment/interfaces/client/order_clients.h"

#include "fulfillment/interfaces/client/order_client_call.h"
#include "platform/base/check.h"
#include "platform/base/memory.h"
#include "platform/resilience/bulkhead.h"
#include "platform/rpc/client.h"

#include <uv.h>

static const char *const service_names[order_service_count] = {
    [ORDER_SERVICE_INVENTORY] = "inventory",
    [ORDER_SERVICE_WAREHOUSE] = "warehouse",
    [ORDER_SERVICE_SHIPPING] = "shipping",
    [ORDER_SERVICE_TRACKING] = "tracking",
};
static const char *const dependency_names[order_service_count] = {
    [ORDER_SERVICE_INVENTORY] = "fulfillment.inventory",
    [ORDER_SERVICE_WAREHOUSE] = "fulfillment.warehouse",
    [ORDER_SERVICE_SHIPPING] = "fulfillment.shipping",
    [ORDER_SERVICE_TRACKING] = "fulfillment.tracking",
};

const char *order_service_name(enum order_service service)
{
    return service_names[service];
}

struct service_client {
    struct order_clients *clients;
    struct rpc_client *rpc;
    struct dependency dependency;
    struct bulkhead bulkhead;
};

struct order_clients {
    struct order_services base;
    struct order_clients_options options;
    struct service_client services[order_service_count];
    struct order_call *without_memory; /* to be answered so, from the timer */
    uv_timer_t answering;
    size_t open_count; /* clients, and the timer */
    bool is_closing;
    void (*closed)(void *context);
    void *closed_context;
};

/* A call on its way, on its arena. */
struct order_client_call {
    struct order_call *call;
    struct service_client *service;
    const struct order_client_row *row;
    uv_timer_t later; /* for answers that need no service */
    bool is_admitted;
};

/* --- answers --- */

static void fail_without_memory(struct order_call *call)
{
    call->outcome = CALL_UNAVAILABLE;
    call->refusal = (struct order_refusal){
        .kind = REFUSAL_UNAVAILABLE,
        .reason = text_of("OVERLOADED"),
        .message = text_of("not enough memory for this call"),
    };
}

/* Which of the services it was, before its words. */
static void name_service(struct order_client_call *state)
{
    struct order_refusal *refusal = &state->call->refusal;
    const char *named = arena_format(state->call->arena, "%s: %.*s",
                                     service_names[state->row->service], (int)refusal->message.size,
                                     refusal->message.size == 0 ? "" : refusal->message.data);
    if (named != NULL)
        refusal->message = text_of(named);
}

static bool says_nothing_of_the_request(enum grpc_status code)
{
    return code == GRPC_STATUS_UNAVAILABLE || code == GRPC_STATUS_DEADLINE_EXCEEDED ||
           code == GRPC_STATUS_INTERNAL || code == GRPC_STATUS_UNKNOWN;
}

/* Tells the breaker. A carrier that is away is not shipping's failure. */
static void judge_service(struct service_client *service, const struct order_call *call,
                          const struct rpc_status *status)
{
    if (status->code == GRPC_STATUS_CANCELLED) {
        dependency_abandoned(&service->dependency);
    } else if (says_nothing_of_the_request(status->code) && call->outcome == CALL_UNAVAILABLE) {
        struct error error = error_make(ERROR_NETWORK, "%s: %.*s", grpc_status_name(status->code),
                                        (int)status->message.size, status->message.data);
        dependency_failed(&service->dependency, &error);
    } else {
        dependency_succeeded(&service->dependency);
    }
}

static void answered(void *context, const struct rpc_client_result *result)
{
    struct order_client_call *state = context;
    struct order_call *call = state->call;
    if (result->response == NULL)
        order_call_take_status(call, &result->status);
    else if (!state->row->read(call, result->response))
        fail_without_memory(call);
    if (call->outcome == CALL_UNAVAILABLE)
        name_service(state);
    judge_service(state->service, call, &result->status);
    bulkhead_leave(&state->service->bulkhead);
    call->done(call);
}

/* --- answers that come from here; never before the call returned --- */

static void timer_closed(uv_handle_t *handle)
{
    struct order_client_call *state = handle->data;
    state->call->done(state->call);
}

static void answer_now(uv_timer_t *timer)
{
    uv_close((uv_handle_t *)timer, timer_closed);
}

static void answer_later(struct order_client_call *state)
{
    uv_timer_init(state->service->clients->options.loop, &state->later);
    state->later.data = state;
    uv_timer_start(&state->later, answer_now, 0, 0);
}

static void answer_away(struct order_client_call *state, const char *why)
{
    order_call_refuse(state->call, CALL_UNAVAILABLE, REFUSAL_UNAVAILABLE,
                      error_reason(ERROR_STORE_UNAVAILABLE), why);
    name_service(state);
    answer_later(state);
}

/* There is no room for a state of its own, so the call itself is kept. */
static void answer_without_memory(struct order_clients *clients)
{
    struct order_call *waiting = clients->without_memory;
    clients->without_memory = NULL;
    while (waiting != NULL) {
        struct order_call *call = waiting;
        waiting = call->next;
        fail_without_memory(call);
        call->done(call);
    }
}

static void on_answering(uv_timer_t *timer)
{
    answer_without_memory(timer->data);
}

static void keep_without_memory(struct order_clients *clients, struct order_call *call)
{
    call->next = clients->without_memory;
    clients->without_memory = call;
    if (!uv_is_closing((uv_handle_t *)&clients->answering)) /* else its end answers */
        uv_timer_start(&clients->answering, on_answering, 0, 0);
}

/* --- a call --- */

static void send_request(struct order_client_call *state)
{
    struct order_call *call = state->call;
    const struct order_client_row *row = state->row;
    struct service_client *service = state->service;
    const struct rpc_client_call_options options = {.timeout_us = row->timeout_us,
                                                    .may_repeat = true};
    ProtobufCMessage *request = arena_allocate(call->arena, row->request->sizeof_message);
    if (request != NULL)
        protobuf_c_message_init(row->request, request);
    if (request == NULL || !row->write(call, service->clients->options.parcel_grams_max, request)) {
        dependency_abandoned(&service->dependency);
        bulkhead_leave(&service->bulkhead);
        fail_without_memory(call);
        answer_later(state);
        return;
    }
    (void)rpc_client_call_with(service->rpc, row->path, request, row->response, &options, answered,
                               state);
}

static void make_call(struct order_services *services, struct order_call *call)
{
    struct order_clients *clients = (struct order_clients *)services;
    const struct order_client_row *row = &order_client_rows[call->kind];
    struct order_client_call *state = arena_allocate_zero(call->arena, 1, sizeof *state);
    CHECK(call->kind != CALL_NONE);
    if (state == NULL) {
        keep_without_memory(clients, call);
        return;
    }
    state->call = call;
    state->row = row;
    state->service = &clients->services[row->service];
    call->outcome = CALL_UNAVAILABLE;
    if (clients->is_closing) {
        answer_away(state, "the server stops");
    } else if (!bulkhead_enter(&state->service->bulkhead)) {
        answer_away(state, "too many calls are on their way to that service");
    } else if (!dependency_admit(&state->service->dependency)) {
        bulkhead_leave(&state->service->bulkhead);
        answer_away(state, "the service does not answer; it is asked again soon");
    } else {
        send_request(state);
    }
}

/* --- its life --- */

static struct error open_service(struct order_clients *clients, enum order_service which)
{
    const struct order_clients_options *options = &clients->options;
    struct service_client *service = &clients->services[which];
    struct circuit_breaker_settings breaker = circuit_breaker_settings_default();
    struct rpc_client_options rpc = rpc_client_options_default();
    service->clients = clients;
    rpc.server = options->servers[which];
    if (rpc.server == NULL) {
        rpc.server = service_names[which];
        rpc.connect = options->connect;
        rpc.connect_context = options->connect_context;
    }
    struct error error = rpc_client_create(&service->rpc, options->loop, &rpc);
    if (error_is(error))
        return error_prefix(error, "fulfillment: %s", service_names[which]);
    clients->open_count++;
    bulkhead_init(&service->bulkhead, options->calls_max);
    dependency_init(&service->dependency, dependency_names[which], false, &breaker, options->clock,
                    options->random);
    if (options->dependencies != NULL)
        dependency_list_add(options->dependencies, &service->dependency);
    return error;
}

struct error order_clients_open(struct order_clients **clients,
                                const struct order_clients_options *options)
{
    static const struct order_services_table table = {.call = make_call};
    struct order_clients *made = memory_allocate_zero(1, sizeof *made);
    struct error error = error_none();
    *clients = made;
    if (made == NULL)
        return error_make(ERROR_OUT_OF_MEMORY, "clients of an order's services");
    made->base.table = &table;
    made->options = *options;
    uv_timer_init(options->loop, &made->answering);
    made->answering.data = made;
    made->open_count = 1;
    for (int i = 0; i < order_service_count && !error_is(error); i++)
        error = open_service(made, (enum order_service)i);
    return error;
}

struct order_services *order_clients_port(struct order_clients *clients)
{
    return &clients->base;
}

static void client_closed(void *context)
{
    struct order_clients *clients = context;
    if (--clients->open_count == 0)
        clients->closed(clients->closed_context);
}

static void answering_closed(uv_handle_t *handle)
{
    answer_without_memory(handle->data);
    client_closed(handle->data);
}

void order_clients_close(struct order_clients *clients, void (*closed)(void *context),
                         void *context)
{
    clients->is_closing = true;
    clients->closed = closed;
    clients->closed_context = context;
    for (size_t i = 0; i < order_service_count; i++) {
        if (clients->services[i].rpc != NULL)
            rpc_client_close(clients->services[i].rpc, client_closed, clients);
    }
    uv_close((uv_handle_t *)&clients->answering, answering_closed);
}

void order_clients_destroy(struct order_clients *clients)
{
    if (clients == NULL)
        return;
    for (size_t i = 0; i < order_service_count; i++) {
        struct service_client *service = &clients->services[i];
        if (service->clients == NULL || service->dependency.name == NULL)
            continue;
        if (clients->options.dependencies != NULL)
            dependency_list_remove(clients->options.dependencies, &service->dependency);
        dependency_deinit(&service->dependency);
    }
    memory_release(clients);
}
