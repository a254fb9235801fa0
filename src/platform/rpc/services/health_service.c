/*
 * A small table of states under a mutex, and a list of watchers. A change does not send by itself:
 * it is told to every loop, and each loop sends to its own watchers, because a call belongs to one
 * thread.
 */
#include "platform/rpc/services/health_service.h"

#include "grpc/health/v1/health.pb-c.h"
#include "platform/base/memory.h"

#include <pthread.h>
#include <string.h>

typedef Grpc__Health__V1__HealthCheckResponse__ServingStatus serving_status;

struct watcher {
    struct watcher *previous;
    struct watcher *next;
    struct rpc_call *call;
    struct health_service *health;
    size_t service; /* index; health->count = a name we do not know */
    bool asked;     /* its one request has come */
    bool ended;     /* by a drain */
    int told;       /* the status sent last, −1 = none */
};

struct health_state {
    const char *name;
    bool serving;
};

struct health_service {
    struct rpc_service rpc;
    pthread_mutex_t mutex;
    struct watcher *watchers;
    size_t count;
    struct health_state states[];
};

/* Index of the name, or count. The mutex is held. */
static size_t find(const struct health_service *health, const char *name)
{
    size_t at = 0;
    while (at < health->count && strcmp(health->states[at].name, name) != 0)
        at++;
    return at;
}

static int status_at(const struct health_service *health, size_t at)
{
    if (at == health->count)
        return GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__SERVICE_UNKNOWN;
    return health->states[at].serving
               ? GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__SERVING
               : GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__NOT_SERVING;
}

static void handle_check(void *context, struct rpc_call *call, const ProtobufCMessage *message)
{
    struct health_service *health = context;
    const Grpc__Health__V1__HealthCheckRequest *request = (const void *)message;
    Grpc__Health__V1__HealthCheckResponse response;
    pthread_mutex_lock(&health->mutex);
    size_t at = find(health, request->service);
    int status = status_at(health, at);
    pthread_mutex_unlock(&health->mutex);
    if (at == health->count) {
        struct rpc_status unknown = rpc_status_make(rpc_call_arena(call), GRPC_STATUS_NOT_FOUND, "",
                                                    "there is no such service here");
        rpc_call_fail(call, &unknown);
        return;
    }
    grpc__health__v1__health_check_response__init(&response);
    response.status = (serving_status)status;
    rpc_call_answer(call, &response.base);
}

/* --- watching --- */

/* Sends the present status if it is news. The mutex is held. */
static void tell(struct watcher *watcher)
{
    int status = status_at(watcher->health, watcher->service);
    Grpc__Health__V1__HealthCheckResponse response;
    if (!watcher->asked || watcher->ended || watcher->told == status)
        return;
    watcher->told = status;
    grpc__health__v1__health_check_response__init(&response);
    response.status = (serving_status)status;
    (void)rpc_call_send(watcher->call, &response.base);
}

static void watch_opened(void *context, struct rpc_call *call, void **stream_context)
{
    struct health_service *health = context;
    struct watcher *watcher = memory_allocate_zero(1, sizeof *watcher);
    *stream_context = watcher;
    if (watcher == NULL) {
        struct rpc_status status =
            rpc_status_make(rpc_call_arena(call), GRPC_STATUS_RESOURCE_EXHAUSTED, "OVERLOADED",
                            "not enough memory for this call");
        rpc_call_fail(call, &status);
        return;
    }
    watcher->call = call;
    watcher->health = health;
    watcher->told = -1;
    pthread_mutex_lock(&health->mutex);
    watcher->next = health->watchers;
    if (health->watchers != NULL)
        health->watchers->previous = watcher;
    health->watchers = watcher;
    pthread_mutex_unlock(&health->mutex);
}

static void watch_message(void *stream_context, struct rpc_call *call,
                          const ProtobufCMessage *message)
{
    struct watcher *watcher = stream_context;
    const Grpc__Health__V1__HealthCheckRequest *request = (const void *)message;
    (void)call;
    if (watcher == NULL)
        return;
    pthread_mutex_lock(&watcher->health->mutex);
    watcher->service = find(watcher->health, request->service);
    watcher->asked = true;
    tell(watcher);
    pthread_mutex_unlock(&watcher->health->mutex);
}

static void watch_closed(void *stream_context, struct rpc_call *call)
{
    struct watcher *watcher = stream_context;
    (void)call;
    if (watcher == NULL)
        return;
    pthread_mutex_lock(&watcher->health->mutex);
    if (watcher->previous == NULL)
        watcher->health->watchers = watcher->next;
    else
        watcher->previous->next = watcher->next;
    if (watcher->next != NULL)
        watcher->next->previous = watcher->previous;
    pthread_mutex_unlock(&watcher->health->mutex);
    memory_release(watcher);
}

void health_service_notify(struct health_service *health, struct executor *executor)
{
    pthread_mutex_lock(&health->mutex);
    for (struct watcher *watcher = health->watchers; watcher != NULL; watcher = watcher->next) {
        if (rpc_call_executor(watcher->call) == executor)
            tell(watcher);
    }
    pthread_mutex_unlock(&health->mutex);
}

void health_service_end(struct health_service *health, struct executor *executor)
{
    struct rpc_status stopping = {.code = GRPC_STATUS_UNAVAILABLE,
                                  .message = text_of("the server stops: watch another one")};
    pthread_mutex_lock(&health->mutex);
    for (struct watcher *watcher = health->watchers; watcher != NULL; watcher = watcher->next) {
        if (rpc_call_executor(watcher->call) != executor || watcher->ended)
            continue;
        watcher->ended = true;
        rpc_call_fail(watcher->call, &stopping);
    }
    pthread_mutex_unlock(&health->mutex);
}

void health_service_set(struct health_service *health, const char *name, bool serving)
{
    pthread_mutex_lock(&health->mutex);
    size_t at = find(health, name);
    if (at < health->count)
        health->states[at].serving = serving;
    pthread_mutex_unlock(&health->mutex);
}

const struct rpc_service *health_service_rpc(struct health_service *health)
{
    return &health->rpc;
}

struct error health_service_create(struct health_service **health,
                                   const struct rpc_service *const *services, size_t count)
{
    static const struct rpc_stream_handler watch = {
        .opened = watch_opened,
        .message = watch_message,
        .closed = watch_closed,
    };
    static const struct rpc_method methods[] = {
        {.name = "Check", .unary = handle_check, .idempotent = true},
        {.name = "Watch", .kind = RPC_SERVER_STREAM, .stream = &watch, .idempotent = true},
    };
    struct health_service *made =
        memory_allocate_zero(1, sizeof *made + (count + 1) * sizeof made->states[0]);
    if (made == NULL)
        return error_make(ERROR_OUT_OF_MEMORY, "health service");
    pthread_mutex_init(&made->mutex, NULL);
    made->count = count + 1;
    made->states[0] = (struct health_state){.name = "", .serving = true};
    for (size_t i = 0; i < count; i++)
        made->states[i + 1] =
            (struct health_state){.name = services[i]->descriptor->name, .serving = true};
    made->rpc = (struct rpc_service){
        .descriptor = &grpc__health__v1__health__descriptor,
        .methods = methods,
        .method_count = sizeof methods / sizeof methods[0],
        .context = made,
    };
    *health = made;
    return error_none();
}

void health_service_destroy(struct health_service *health)
{
    if (health == NULL)
        return;
    pthread_mutex_destroy(&health->mutex);
    memory_release(health);
}
