/*
 * One table of modules, opened in its order, closed backwards.
 *
 * Taking over: a store that another process holds is tried again and again. Modules are closed in
 * the opposite order of their opening, so the first one that opens tells that all are free.
 *
 * When a store fails (a write or sync that went wrong), it calls store_failed on its own thread:
 * the process ends at once, because nothing may be answered any more; the next start finds out what
 * survived.
 */
#include "main/process.h"

#include "main/descriptor_set.h"
#include "main/modules/events_module.h"
#include "main/modules/fulfillment_module.h"
#include "main/modules/inventory_module.h"
#include "main/modules/module.h"
#include "main/modules/shipping_module.h"
#include "main/modules/tracking_module.h"
#include "main/modules/warehouse_module.h"
#include "platform/base/check.h"
#include "platform/base/log.h"
#include "platform/base/memory.h"
#include "platform/http/http_routes.h"
#include "platform/http/http_server.h"
#include "platform/io/listen_address.h"
#include "platform/rpc/server.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Whoever reads others' feeds stands behind them. */
static const struct module_table *const all_modules[] = {
    &warehouse_module, &inventory_module,   &shipping_module,
    &tracking_module,  &fulfillment_module, &events_module, /* serves the feeds of all before it */
};

enum {
    modules_max = sizeof all_modules / sizeof all_modules[0],
    services_max = 4 * modules_max,
    routes_max = 16,
    operations_connections_max = 64,
    takeover_pause_ms = 10, /* between two looks whether a store is free */
    readiness_bytes_max = 64 * 1024,
};

struct process {
    struct configuration configuration;
    struct process_start start;
    int64_t takeover_until_us; /* stores of the process before are waited for until then */
    struct module_environment environment;
    struct module *modules[modules_max];
    size_t module_count; /* of those open */
    struct dependency_list dependencies;
    int64_t start_time_us;
    struct rpc_server *server;
    struct http_server *operations;
    struct http_route operations_routes[3];
    struct http_routes routes;
    struct http_route server_routes[routes_max]; /* of all modules */
    bool was_serving[modules_max]; /* as told to grpc.health.v1, beginning with true */
    bool was_all_serving;
    _Atomic bool ready;
};

bool process_has_service(const char *name)
{
    for (size_t i = 0; i < modules_max; i++) {
        if (strcmp(all_modules[i]->name, name) == 0)
            return true;
    }
    return false;
}

const char *process_service_names(void)
{
    static char names[256];
    size_t size = 0;
    for (size_t i = 0; i < modules_max && size < sizeof names; i++) {
        int added = snprintf(names + size, sizeof names - size, "%s%s", i == 0 ? "" : ", ",
                             all_modules[i]->name);
        size += (size_t)added;
    }
    return names;
}

/* --- the operations port --- */

static unsigned serve_healthz(void *context, struct buffer *body)
{
    (void)context;
    return buffer_append_string(body, "ok\n") ? 200 : 500;
}

static unsigned serve_readyz(void *context, struct buffer *body)
{
    struct process *process = context;
    bool ready;
    if (!process->ready)
        return buffer_append_string(body, "draining\n") ? 503 : 500;
    unsigned status = 200;
    for (size_t i = 0; i < process->module_count; i++) {
        struct module *module = process->modules[i];
        if (module->table->is_ready != NULL && !module->table->is_ready(module, body))
            status = 503;
    }
    if (!dependency_list_write_readiness(&process->dependencies, body, &ready))
        return 500;
    if (!ready)
        status = 503;
    if (status == 200 && !buffer_append_string(body, "ready\n"))
        return 500;
    return status;
}

static unsigned serve_metrics(void *context, struct buffer *body)
{
    struct process *process = context;
    bool fits = module_add_gauge(body, "process_start_time_seconds",
                                 "Start time of the process since unix epoch in seconds.",
                                 (uint64_t)(process->start_time_us / 1000000));
    for (size_t i = 0; fits && i < process->module_count; i++) {
        struct module *module = process->modules[i];
        fits = module->table->write_metrics == NULL || module->table->write_metrics(module, body);
    }
    fits = fits && dependency_list_write_metrics(&process->dependencies, body) &&
           rpc_server_write_metrics(process->server, body);
    return fits ? 200 : 500;
}

/* --- grpc.health.v1 --- */

static bool is_serving(struct process *process, struct module *module)
{
    struct buffer why;
    buffer_init(&why, readiness_bytes_max);
    bool serving = dependency_list_serves(&process->dependencies, module->table->name) &&
                   (module->table->is_ready == NULL || module->table->is_ready(module, &why));
    buffer_deinit(&why);
    return serving;
}

static void tell_services(struct process *process, struct module *module, bool serving)
{
    size_t count = 0;
    const struct rpc_service *services = module->table->services(module, &count);
    for (size_t i = 0; i < count; i++)
        rpc_server_set_serving(process->server, services[i].descriptor->name, serving);
}

void process_tell_health(struct process *process)
{
    bool all = process->ready;
    for (size_t i = 0; i < process->module_count; i++) {
        bool serving = process->ready && is_serving(process, process->modules[i]);
        if (serving != process->was_serving[i])
            tell_services(process, process->modules[i], serving);
        process->was_serving[i] = serving;
        all = all && serving;
    }
    if (all != process->was_all_serving)
        rpc_server_set_serving(process->server, "", all);
    process->was_all_serving = all;
}

/* --- modules --- */

static _Noreturn void store_failed(void *context, const struct error *error)
{
    (void)context;
    struct log_field fields[] = {
        log_string("error", error_text(error->code)),
        log_string("detail", error->detail),
        log_string("advice", error->code == ERROR_DAMAGED
                                 ? "`waybill verify DIR` says what is damaged; restore the "
                                   "directory from a backup"
                                 : "look after the disk, then start again: what was answered is "
                                   "kept"),
    };
    log_event(LOG_LEVEL_ERROR, "a store failed; the process stops, nothing more is answered",
              fields, sizeof fields / sizeof fields[0]);
    _exit(1);
}

static struct error check_modules(const struct process *process)
{
    struct error error = error_none();
    for (size_t i = 0; i < modules_max && !error_is(error); i++) {
        const struct module_table *table = all_modules[i];
        if (table->check != NULL && module_is_wanted(&process->environment, table->name))
            error = table->check(&process->configuration);
    }
    return error;
}

static struct error open_module(struct process *process, const struct module_table *table)
{
    struct module *module = table->create();
    if (module == NULL)
        return error_make(ERROR_OUT_OF_MEMORY, "%s", table->name);
    module->table = table;
    struct error error = table->open(module, &process->environment);
    if (error_is(error))
        table->close(module);
    else
        process->modules[process->module_count++] = module;
    return error;
}

/* Opens it when the process that holds its store has let go of it. */
static struct error take_over_module(struct process *process, const struct module_table *table)
{
    static const struct timespec pause = {.tv_nsec = takeover_pause_ms * INT64_C(1000000)};
    int64_t from_us = clock_monotonic_us(clock_system());
    int64_t now_us = from_us;
    struct error error = open_module(process, table);
    if (error.code != ERROR_LOCKED || now_us >= process->takeover_until_us)
        return error;
    struct log_field name = log_string("service", table->name);
    log_event(LOG_LEVEL_INFO, "another process has the store; waiting until it lets go", &name, 1);
    while (error.code == ERROR_LOCKED && now_us < process->takeover_until_us) {
        if (process->start.stop_is_asked())
            return error_make(ERROR_CANCELLED, "stopped while it waited for the store of %s",
                              table->name);
        (void)nanosleep(&pause, NULL);
        error = open_module(process, table);
        now_us = clock_monotonic_us(clock_system());
    }
    if (!error_is(error)) {
        struct log_field fields[] = {name, log_number("waited_ms", (now_us - from_us) / 1000)};
        log_event(LOG_LEVEL_INFO, "the store is free, taken over", fields, 2);
    }
    return error;
}

static struct error open_modules(struct process *process)
{
    struct error error = error_none();
    for (size_t i = 0; i < modules_max && !error_is(error); i++) {
        const struct module_table *table = all_modules[i];
        if (table->always || module_is_wanted(&process->environment, table->name))
            error = take_over_module(process, table);
    }
    return error;
}

static struct error start_modules(struct process *process)
{
    struct error error = error_none();
    for (size_t i = 0; i < process->module_count && !error_is(error); i++) {
        struct module *module = process->modules[i];
        if (module->table->start != NULL)
            error = module->table->start(module, &process->environment);
    }
    return error;
}

static void stop_modules(struct process *process)
{
    for (size_t i = process->module_count; i-- > 0;) {
        if (process->modules[i]->table->stop != NULL)
            process->modules[i]->table->stop(process->modules[i]);
    }
}

static void close_modules(struct process *process)
{
    while (process->module_count > 0) {
        struct module *module = process->modules[--process->module_count];
        module->table->close(module);
    }
}

/* --- ports --- */

static uint32_t io_threads_of(const struct configuration *configuration)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    if (configuration->io_threads > 0)
        return (uint32_t)configuration->io_threads;
    return cores <= 2 ? 1 : cores >= 16 ? 8 : (uint32_t)cores / 2;
}

/* NULL for an empty setting. */
static const char *file_of(const char *setting)
{
    return setting[0] == '\0' ? NULL : setting;
}

/*
 * Before anything is touched: both addresses, and plain connections from elsewhere only where
 * somebody has said so.
 */
static struct error check_addresses(const struct configuration *configuration,
                                    const struct passed_ports *ports)
{
    struct sockaddr_storage address;
    struct error error = listen_address_resolve(configuration->operations, &address);
    if (error_is(error))
        return error_prefix(error, "operations");
    error = listen_address_resolve(configuration->listen, &address);
    if (error_is(error))
        return error_prefix(error, "listen");
    bool is_passed = ports->listen_count > 0;
    if (configuration->tls_certificate[0] != '\0' ||
        strcmp(configuration->plaintext, "everywhere") == 0 ||
        (is_passed ? ports->all_loopback : listen_address_is_loopback(&address)))
        return error;
    return error_make(ERROR_INVALID_SETTING,
                      "listen: %.100s is no loopback address, and there is no TLS; give "
                      "--tls-certificate and --tls-key, or say --plaintext everywhere",
                      is_passed ? "what was passed by LISTEN_FDS" : configuration->listen);
}

/* What modules serve beside their calls: the webhooks of carriers. */
static struct http_routes server_routes(struct process *process)
{
    struct http_routes routes = {.all = process->server_routes};
    for (size_t i = 0; i < process->module_count; i++) {
        size_t count = 0;
        struct module *module = process->modules[i];
        const struct http_route *first =
            module->table->routes == NULL ? NULL : module->table->routes(module, &count);
        CHECK(count <= routes_max - routes.count);
        for (size_t j = 0; j < count; j++)
            process->server_routes[routes.count++] = first[j];
    }
    return routes;
}

static struct error open_server(struct process *process)
{
    const struct configuration *configuration = &process->configuration;
    struct rpc_server_options options = rpc_server_options_default();
    const struct rpc_service *services[services_max];
    size_t service_count = 0;
    for (size_t i = 0; i < process->module_count; i++) {
        size_t count = 0;
        const struct rpc_service *first =
            process->modules[i]->table->services(process->modules[i], &count);
        CHECK(count <= services_max - service_count);
        for (size_t j = 0; j < count; j++)
            services[service_count++] = &first[j];
    }
    options.http.listen = configuration->listen;
    options.http.sockets = process->start.ports->listen;
    options.http.socket_count = process->start.ports->listen_count;
    options.http.io_threads = io_threads_of(configuration);
    options.http.connections_max = (uint32_t)configuration->connections_max;
    options.http.connections_per_peer_max = (uint32_t)configuration->connections_per_peer_max;
    options.http.peer_abuse_points_per_second =
        (uint32_t)configuration->peer_abuse_points_per_second;
    options.http.request_us_max = configuration->request_seconds * 1000000;
    options.http.idle_us_max = configuration->idle_seconds * 1000000;
    options.http.age_us_max = configuration->age_seconds * 1000000;
    options.http.drain_us_max = configuration->drain_seconds * 1000000;
    options.http.tls = (struct tls_settings){
        .certificate = file_of(configuration->tls_certificate),
        .key = file_of(configuration->tls_key),
        .authorities = file_of(configuration->tls_client_ca),
    };
    options.cors_origins = text_of(configuration->cors_origins);
    options.message_bytes_max = (size_t)configuration->message_bytes_max;
    options.descriptor_set = descriptor_set();
    options.routes = server_routes(process);
    options.title = "Waybill";
    options.version = WAYBILL_VERSION;
    return rpc_server_open(&process->server, &options, services, service_count);
}

static struct error open_operations(struct process *process)
{
    struct http_server_options options = http_server_options_default();
    const struct http_route routes[] = {
        {"/healthz", "text/plain; charset=utf-8", serve_healthz, process},
        {"/readyz", "text/plain; charset=utf-8", serve_readyz, process},
        {"/metrics", "text/plain; version=0.0.4; charset=utf-8", serve_metrics, process},
    };
    memcpy(process->operations_routes, routes, sizeof routes);
    process->routes.all = process->operations_routes;
    process->routes.count = sizeof routes / sizeof routes[0];
    options.listen = process->configuration.operations;
    options.sockets = process->start.ports->operations;
    options.socket_count = process->start.ports->operations_count;
    options.connections_max = operations_connections_max;
    options.idle_us_max = 60000000;
    options.drain_us_max = 1000000;
    struct error error = http_server_create(&process->operations, &options, &http_routes_handler);
    if (error_is(error))
        return error_prefix(error, "operations");
    http_server_set_context(process->operations, 0, &process->routes);
    return error_prefix(http_server_start(process->operations), "operations");
}

struct error process_open(struct process **process, const struct process_start *start)
{
    struct process *opened = memory_allocate_zero(1, sizeof *opened);
    *process = NULL;
    if (opened == NULL)
        return error_make(ERROR_OUT_OF_MEMORY, "process");
    opened->configuration = *start->configuration;
    opened->start = *start;
    opened->start_time_us = clock_now_us(clock_system());
    opened->takeover_until_us = INT64_MIN;
    if (passed_ports_any(start->ports))
        opened->takeover_until_us =
            clock_monotonic_us(clock_system()) + start->configuration->takeover_seconds * 1000000;
    opened->environment = (struct module_environment){
        .configuration = &opened->configuration,
        .store_failed = store_failed,
        .names = start->names,
        .name_count = start->name_count,
        .modules = opened->modules,
        .module_count = &opened->module_count,
        .server = &opened->server,
        .dependencies = &opened->dependencies,
    };
    dependency_list_init(&opened->dependencies);
    struct error error = check_addresses(start->configuration, start->ports);
    if (!error_is(error))
        error = check_modules(opened);
    if (!error_is(error))
        error = open_modules(opened);
    if (!error_is(error))
        error = open_server(opened);
    if (!error_is(error))
        error = open_operations(opened);
    if (!error_is(error))
        error = start_modules(opened);
    if (error_is(error)) {
        process_close(opened);
        return error;
    }
    opened->ready = true;
    memset(opened->was_serving, true, sizeof opened->was_serving);
    opened->was_all_serving = true;
    process_tell_health(opened);
    *process = opened;
    return error;
}

const char *process_address(const struct process *process)
{
    return rpc_server_address(process->server);
}

const char *process_operations_address(const struct process *process)
{
    return http_server_address(process->operations);
}

void process_close(struct process *process)
{
    if (process == NULL)
        return;
    if (process->ready) {
        process->ready = false;
        process_tell_health(process); /* whoever watches goes elsewhere before the drain */
    }
    if (process->server != NULL)
        http_server_stop_listening(rpc_server_http(process->server));
    stop_modules(process);
    if (process->server != NULL)
        rpc_server_drain(process->server);
    if (process->operations != NULL)
        http_server_drain(process->operations); /* its metrics look at stores and server */
    close_modules(process);
    rpc_server_destroy(process->server);
    http_server_destroy(process->operations);
    dependency_list_deinit(&process->dependencies);
    memory_release(process);
}
