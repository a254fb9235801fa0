/*
 * Fulfillment: the order's process, on SQLite or PostgreSQL. Its four services are called in this
 * process where they run here, else at their settings' addresses (grpc://HOST:PORT); their events
 * are followed the same way.
 */
#include "main/modules/fulfillment_module.h"

#include "fulfillment/application/fulfillment_service.h"
#include "fulfillment/infrastructure/sql/sql_fulfillment_repository.h"
#include "fulfillment/interfaces/client/order_drive.h"
#include "fulfillment/interfaces/events/fulfillment_events.h"
#include "fulfillment/interfaces/events/order_follower.h"
#include "fulfillment/interfaces/rpc/fulfillment_rpc.h"
#include "main/modules/context_events.h"
#include "main/modules/other_events.h"
#include "main/sql_settings.h"
#include "platform/base/memory.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

enum { calls_max = 1024 }; /* on their way to one service */

/* One of the contexts whose events are followed. */
struct followed {
    struct other_events events;
    struct order_follower *follower; /* NULL until it starts, and after it stopped */
};

struct fulfillment_process {
    struct module base;
    char url[sql_url_bytes_max];
    struct sql_store *store;
    struct context_events *events;
    struct fulfillment_repository *repository;
    struct order_drive *drive;
    struct order_watch *watch;
    struct fulfillment_service service;
    struct fulfillment_door door;
    struct rpc_service table; /* the server points into it */
    pthread_mutex_t mutex;    /* guards the followers against those who ask how they do */
    struct followed followed[order_follower_source_count];
};

static struct module *create(void)
{
    struct fulfillment_process *fulfillment = memory_allocate_zero(1, sizeof *fulfillment);
    if (fulfillment == NULL)
        return NULL;
    pthread_mutex_init(&fulfillment->mutex, NULL);
    return &fulfillment->base;
}

static const char *setting_of(const struct configuration *configuration, enum order_service service)
{
    switch (service) {
    case ORDER_SERVICE_INVENTORY:
        return configuration->inventory;
    case ORDER_SERVICE_WAREHOUSE:
        return configuration->warehouse;
    case ORDER_SERVICE_SHIPPING:
        return configuration->shipping;
    case ORDER_SERVICE_TRACKING:
        return configuration->tracking;
    }
    return "";
}

/* NULL: in this process. */
static struct error find_service(const struct module_environment *environment,
                                 enum order_service service, const char **server)
{
    const char *name = order_service_name(service);
    *server = other_context_address(setting_of(environment->configuration, service));
    if (module_is_wanted(environment, name))
        *server = NULL;
    else if (*server == NULL)
        return error_make(ERROR_INVALID_SETTING,
                          "fulfillment: this process serves no %s; serve it too, or say where it "
                          "is: --%s grpc://HOST:PORT",
                          name, name);
    return error_none();
}

/* The server of this process, as soon as it listens. */
static int connect_here(void *context)
{
    struct rpc_server *const *server = context;
    return *server == NULL ? -ENOTCONN : rpc_server_connect_local(*server);
}

static struct error open_drive(struct fulfillment_process *fulfillment,
                               const struct module_environment *environment)
{
    struct order_drive_options options = {
        .repository = fulfillment->repository,
        .clients = {.connect = connect_here,
                    .connect_context = (void *)(uintptr_t)environment->server,
                    .dependencies = environment->dependencies,
                    .parcel_grams_max = environment->configuration->parcel_grams_max,
                    .calls_max = calls_max},
        .clock = clock_system(),
        .random = random_system(),
    };
    struct error error = error_none();
    for (int i = 0; i < order_service_count && !error_is(error); i++)
        error = find_service(environment, (enum order_service)i, &options.clients.servers[i]);
    return error_is(error) ? error : order_drive_open(&fulfillment->drive, &options);
}

static struct error check(const struct configuration *configuration)
{
    return sql_settings_check(configuration, "fulfillment");
}

static struct error open_store(struct fulfillment_process *fulfillment,
                               const struct module_environment *environment)
{
    struct sql_store_options options;
    struct error error = context_events_open(&fulfillment->events, environment, "fulfillment");
    if (error_is(error))
        return error;
    (void)sql_settings_options(environment->configuration, "fulfillment", fulfillment->url,
                               &options);
    options.failed = environment->store_failed;
    options.dependencies = environment->dependencies;
    error = sql_store_open(&fulfillment->store, &options);
    if (error_is(error))
        return error;
    context_events_attach(fulfillment->events, fulfillment->store);
    const struct sql_fulfillment_options repository = {
        .store = fulfillment->store,
        .encode = fulfillment_events_encode,
        .outbox = context_events_outbox(fulfillment->events),
    };
    error = sql_fulfillment_repository_open(&fulfillment->repository, &repository);
    if (error_is(error) || sql_store_dialect(fulfillment->store) != SQL_DIALECT_SQLITE)
        return error;
    return sql_fulfillment_release_claims(fulfillment->repository); /* the file is ours alone */
}

static struct error open(struct module *module, const struct module_environment *environment)
{
    struct fulfillment_process *fulfillment = (struct fulfillment_process *)module;
    struct error error = open_store(fulfillment, environment);
    if (!error_is(error))
        error = open_drive(fulfillment, environment);
    if (error_is(error))
        return error;
    fulfillment->service = (struct fulfillment_service){
        .repository = fulfillment->repository,
        .driver = order_drive_driver(fulfillment->drive),
    };
    const struct order_watch_options watch = {
        .service = &fulfillment->service,
        .feed = context_events_feed(fulfillment->events),
        .clock = clock_system(),
        .watchers_max = (size_t)environment->configuration->order_watchers_max,
    };
    error = order_watch_open(&fulfillment->watch, &watch);
    fulfillment->door = (struct fulfillment_door){
        .service = &fulfillment->service,
        .watch = fulfillment->watch,
    };
    fulfillment->table = fulfillment_rpc_service(&fulfillment->door);
    return error;
}

static const struct rpc_service *services(struct module *module, size_t *count)
{
    *count = 1;
    return &((struct fulfillment_process *)module)->table;
}

static struct event_feed *feed(struct module *module)
{
    return context_events_feed(((struct fulfillment_process *)module)->events);
}

static const char *url_of(const struct configuration *configuration, const char *source)
{
    for (int i = 0; i < order_service_count; i++) {
        if (strcmp(order_service_name((enum order_service)i), source) == 0)
            return setting_of(configuration, (enum order_service)i);
    }
    return "";
}

static struct error follow(struct fulfillment_process *fulfillment,
                           const struct module_environment *environment, size_t index)
{
    const struct order_follower_types *types = &order_follower_types[index];
    struct followed *followed = &fulfillment->followed[index];
    struct order_follower *follower = NULL;
    struct error error = other_events_find(&followed->events, environment, types->source,
                                           url_of(environment->configuration, types->source),
                                           types->types, types->type_count);
    if (error_is(error) || followed->events.feed == NULL)
        return error;
    const struct order_follower_options options = {
        .source = types->source,
        .repository = fulfillment->repository,
        .driver = order_drive_driver(fulfillment->drive),
        .feed = followed->events.feed,
        .clock = clock_system(),
    };
    error = order_follower_start(&follower, &options);
    pthread_mutex_lock(&fulfillment->mutex);
    followed->follower = follower;
    pthread_mutex_unlock(&fulfillment->mutex);
    return error;
}

static struct error start(struct module *module, const struct module_environment *environment)
{
    struct fulfillment_process *fulfillment = (struct fulfillment_process *)module;
    struct error error = context_events_start(fulfillment->events);
    if (!error_is(error))
        error = order_drive_start(fulfillment->drive);
    for (size_t i = 0; i < order_follower_source_count && !error_is(error); i++)
        error = follow(fulfillment, environment, i);
    return error;
}

static void stop_following(struct fulfillment_process *fulfillment, struct followed *followed)
{
    pthread_mutex_lock(&fulfillment->mutex);
    struct order_follower *follower = followed->follower;
    followed->follower = NULL;
    pthread_mutex_unlock(&fulfillment->mutex);
    order_follower_stop(follower);
    other_events_close(&followed->events);
}

static void stop(struct module *module)
{
    struct fulfillment_process *fulfillment = (struct fulfillment_process *)module;
    for (size_t i = 0; i < order_follower_source_count; i++)
        stop_following(fulfillment, &fulfillment->followed[i]);
    if (fulfillment->drive != NULL)
        order_drive_stop(fulfillment->drive);
    if (fulfillment->watch != NULL)
        order_watch_stop(fulfillment->watch);
    context_events_stop(fulfillment->events);
}

/* --- how it goes --- */

static bool write_following(struct fulfillment_process *fulfillment, size_t index,
                            struct buffer *out)
{
    const char *source = order_follower_types[index].source;
    struct event_subscription_status status;
    char name[96];
    pthread_mutex_lock(&fulfillment->mutex);
    struct order_follower *follower = fulfillment->followed[index].follower;
    if (follower != NULL)
        status = order_follower_status(follower);
    pthread_mutex_unlock(&fulfillment->mutex);
    if (follower == NULL)
        return true;
    const struct {
        const char *what;
        const char *help;
        uint64_t value;
    } gauges[] = {
        {"position", "How far that context's events were followed.", status.place.position},
        {"newest", "Where that context's events ended when last looked at.", status.newest},
        {"failures", "Attempts to follow that context that failed.", status.failures},
        {"set_aside", "Events of that context that are no messages of their type.",
         status.set_aside},
    };
    for (size_t i = 0; i < sizeof gauges / sizeof gauges[0]; i++) {
        snprintf(name, sizeof name, "waybill_fulfillment_%s_%s", source, gauges[i].what);
        if (!module_add_gauge(out, name, gauges[i].help, gauges[i].value))
            return false;
    }
    return true;
}

static bool add_counter(struct buffer *out, const char *name, const char *help, uint64_t value)
{
    return buffer_append_format(out, "# HELP %s %s\n# TYPE %s counter\n%s %llu\n", name, help, name,
                                name, (unsigned long long)value);
}

static bool write_metrics(struct module *module, struct buffer *out)
{
    struct fulfillment_process *fulfillment = (struct fulfillment_process *)module;
    struct order_driver_usage usage = order_driver_usage(fulfillment->service.driver);
    bool fits =
        add_counter(out, "waybill_fulfillment_jobs_total",
                    "Promises, confirmations and cancellations asked for.", usage.jobs) &&
        add_counter(out, "waybill_fulfillment_resumed_total",
                    "Orders driven on without being asked.", usage.resumed) &&
        add_counter(out, "waybill_fulfillment_calls_total", "Calls of services.", usage.calls) &&
        add_counter(out, "waybill_fulfillment_retries_total",
                    "Steps that came to nothing and are made again.", usage.retries) &&
        add_counter(out, "waybill_fulfillment_attention_total",
                    "Times that an order came to need a person.", usage.attention) &&
        module_add_gauge(out, "waybill_fulfillment_orders_need_attention",
                         "Orders that wait for a person now: ListOrders (10,000 = or more).",
                         usage.need_attention) &&
        module_add_gauge(out, "waybill_fulfillment_orders_unfinished",
                         "Orders being promised, confirmed or cancelled now (10,000 = or more).",
                         usage.unfinished) &&
        module_add_gauge(out, "waybill_fulfillment_running", "Orders being driven now.",
                         usage.running) &&
        module_add_gauge(out, "waybill_fulfillment_watchers", "Calls of WatchOrder now.",
                         order_watch_count(fulfillment->watch));
    for (size_t i = 0; i < order_follower_source_count && fits; i++)
        fits = write_following(fulfillment, i, out);
    return fits && sql_store_write_metrics(fulfillment->store, out) &&
           context_events_write_metrics(fulfillment->events, out);
}

static bool is_ready(struct module *module, struct buffer *why)
{
    return context_events_is_ready(((struct fulfillment_process *)module)->events, why);
}

static void close(struct module *module)
{
    struct fulfillment_process *fulfillment = (struct fulfillment_process *)module;
    order_drive_close(fulfillment->drive);
    order_watch_close(fulfillment->watch);
    sql_fulfillment_repository_close(fulfillment->repository);
    sql_store_close(fulfillment->store);
    context_events_close(fulfillment->events);
    pthread_mutex_destroy(&fulfillment->mutex);
    memory_release(fulfillment);
}

const struct module_table fulfillment_module = {
    .name = "fulfillment",
    .create = create,
    .check = check,
    .open = open,
    .services = services,
    .feed = feed,
    .start = start,
    .stop = stop,
    .is_ready = is_ready,
    .write_metrics = write_metrics,
    .close = close,
};
