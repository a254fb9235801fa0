/*
 * The composition root: the only place that knows which store stands behind which service.
 *
 * When a store fails (a write or sync that went wrong), it calls store_failed on its own thread:
 * the process ends at once, because nothing may be answered any more; the next start finds out what
 * survived.
 */
#include "main/serve_command.h"

#include "inventory/infrastructure/embedded/embedded_repository.h"
#include "inventory/interfaces/rpc/inventory_rpc.h"
#include "main/configuration.h"
#include "main/descriptor_set.h"
#include "platform/base/log.h"
#include "platform/http/http_routes.h"
#include "platform/http/http_server.h"
#include "platform/io/listen_address.h"
#include "platform/rpc/server.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const char embedded_scheme[] = "embedded:";

enum { operations_connections_max = 64 };

struct process {
    struct configuration configuration;
    int64_t start_time_us;
    struct inventory_repository *inventory_repository;
    struct inventory_service inventory;
    struct rpc_service inventory_door; /* the server points into it */
    struct rpc_server *server;
    struct http_server *operations;
    _Atomic bool ready;
};

/* --- the operations port --- */

static unsigned serve_healthz(void *context, struct buffer *body)
{
    (void)context;
    return buffer_append_string(body, "ok\n") ? 200 : 500;
}

static unsigned serve_readyz(void *context, struct buffer *body)
{
    const struct process *process = context;
    bool ready = process->ready;
    if (!buffer_append_string(body, ready ? "ready\n" : "draining\n"))
        return 500;
    return ready ? 200 : 503;
}

static bool add_gauge(struct buffer *body, const char *name, const char *help, uint64_t value)
{
    return buffer_append_format(body, "# HELP %s %s\n# TYPE %s gauge\n%s %llu\n", name, help, name,
                                name, (unsigned long long)value);
}

static unsigned serve_metrics(void *context, struct buffer *body)
{
    const struct process *process = context;
    struct embedded_repository_usage usage =
        embedded_repository_usage(process->inventory_repository);
    bool fits =
        add_gauge(body, "process_start_time_seconds",
                  "Start time of the process since unix epoch in seconds.",
                  (uint64_t)(process->start_time_us / 1000000)) &&
        add_gauge(body, "waybill_inventory_skus", "SKUs with stock.", usage.skus) &&
        add_gauge(body, "waybill_inventory_pending_reservations", "Reservations held now.",
                  usage.pending_reservations) &&
        add_gauge(body, "waybill_inventory_retained_ids",
                  "Ids remembered, pending reservations included.", usage.ids) &&
        add_gauge(body, "waybill_inventory_log_bytes", "End of the record log.", usage.log_bytes) &&
        rpc_server_write_metrics(process->server, body);
    return fits ? 200 : 500;
}

/* --- the stores --- */

static _Noreturn void store_failed(void *context, const struct error *error)
{
    (void)context;
    log_error("a store failed; the process stops, nothing more is answered", error);
    _exit(1);
}

static struct error open_inventory(struct process *process)
{
    char directory[2 * setting_text_bytes_max];
    const struct configuration *configuration = &process->configuration;
    struct embedded_repository_options options = embedded_repository_options_default();
    if (configuration->inventory[0] == '\0') {
        snprintf(directory, sizeof directory, "%s/inventory", configuration->data);
    } else if (text_starts_with(text_of(configuration->inventory), text_of(embedded_scheme)) &&
               strlen(configuration->inventory) > strlen(embedded_scheme)) {
        snprintf(directory, sizeof directory, "%s",
                 configuration->inventory + strlen(embedded_scheme));
    } else {
        return error_make(ERROR_INVALID_SETTING, "inventory: %.200s is no store; use embedded:DIR",
                          configuration->inventory);
    }
    options.directory = directory;
    options.retention_us = configuration->retention_seconds * 1000000;
    options.committed_retention_us = configuration->committed_retention_seconds * 1000000;
    options.ids_max = (uint64_t)configuration->ids_max;
    options.queue_length_max = (size_t)configuration->queue_length_max;
    options.segment_bytes = (uint64_t)configuration->segment_bytes;
    options.batch_bytes_max = (size_t)configuration->batch_bytes_max;
    options.failed = store_failed;
    return error_prefix(embedded_repository_open(&process->inventory_repository, &options),
                        "inventory");
}

/* --- start and stop --- */

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
static struct error check_addresses(const struct configuration *configuration)
{
    struct sockaddr_storage address;
    struct error error = listen_address_resolve(configuration->operations, &address);
    if (error_is(error))
        return error_prefix(error, "operations");
    error = listen_address_resolve(configuration->listen, &address);
    if (error_is(error))
        return error_prefix(error, "listen");
    if (configuration->tls_certificate[0] != '\0' ||
        strcmp(configuration->plaintext, "everywhere") == 0 || listen_address_is_loopback(&address))
        return error;
    return error_make(ERROR_INVALID_SETTING,
                      "listen: %.100s is no loopback address, and there is no TLS; give "
                      "--tls-certificate and --tls-key, or say --plaintext everywhere",
                      configuration->listen);
}

static struct error open_server(struct process *process)
{
    const struct configuration *configuration = &process->configuration;
    struct rpc_server_options options = rpc_server_options_default();
    process->inventory.repository = process->inventory_repository;
    process->inventory_door = inventory_rpc_service(&process->inventory);
    const struct rpc_service *services[] = {&process->inventory_door};
    options.http.listen = configuration->listen;
    options.http.io_threads = io_threads_of(configuration);
    options.http.connections_max = (uint32_t)configuration->connections_max;
    options.http.connections_per_peer_max = (uint32_t)configuration->connections_per_peer_max;
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
    options.title = "Waybill";
    options.version = WAYBILL_VERSION;
    return rpc_server_open(&process->server, &options, services, 1);
}

static struct error open_operations(struct process *process, struct http_routes *routes)
{
    struct http_server_options options = http_server_options_default();
    options.listen = process->configuration.operations;
    options.connections_max = operations_connections_max;
    options.idle_us_max = 60000000;
    options.drain_us_max = 1000000;
    struct error error = http_server_create(&process->operations, &options, &http_routes_handler);
    if (error_is(error))
        return error_prefix(error, "operations");
    http_server_set_context(process->operations, 0, routes);
    return http_server_start(process->operations);
}

static struct error open_all(struct process *process, struct http_routes *routes)
{
    struct error error = check_addresses(&process->configuration);
    if (!error_is(error))
        error = open_inventory(process);
    if (!error_is(error))
        error = open_server(process);
    if (!error_is(error))
        error = open_operations(process, routes);
    return error;
}

static void close_all(struct process *process)
{
    process->ready = false;
    if (process->server != NULL)
        rpc_server_drain(process->server);
    if (process->operations != NULL)
        http_server_drain(process->operations); /* its metrics look at stores and server */
    embedded_repository_close(process->inventory_repository);
    rpc_server_destroy(process->server);
    http_server_destroy(process->operations);
}

/* What a person can do about it. */
static const char *advice_for(enum error_code code)
{
    switch (code) {
    case ERROR_LOCKED:
        return "another waybill uses this data directory: stop it, or give --data DIR";
    case ERROR_DAMAGED:
        return "nothing was changed; restore the directory from a backup, or run the newer waybill "
               "that wrote it; `waybill verify DIR` checks it";
    case ERROR_DISK_FULL:
        return "make room on the disk and start again";
    case ERROR_NETWORK:
        return "is another program using the port? --listen HOST:0 picks a free one";
    case ERROR_INVALID_SETTING:
        return "`waybill serve --help` lists all settings";
    case ERROR_NONE:
    case ERROR_INVALID_INPUT:
    case ERROR_NOT_FOUND:
    case ERROR_OUT_OF_MEMORY:
    case ERROR_OVERLOADED:
    case ERROR_LIMIT:
    case ERROR_RETENTION_FULL:
    case ERROR_INPUT_OUTPUT:
    case ERROR_STORE_UNAVAILABLE:
    case ERROR_PROTOCOL:
    case ERROR_DEADLINE:
    case ERROR_CANCELLED:
    case ERROR_INTERNAL:
        break;
    }
    return "is the data directory there, and may this user write to it?";
}

static sigset_t stop_signals(void)
{
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    return signals;
}

/* Blocks the signals in every thread started from here on; the main thread waits for them. */
static void wait_for_stop(const sigset_t *signals)
{
    int number;
    while (sigwait(signals, &number) != 0)
        continue;
    log_event(LOG_LEVEL_INFO, "stopping: calls in flight finish; once more stops at once", NULL, 0);
    signal(SIGTERM, SIG_DFL);
    signal(SIGINT, SIG_DFL);
    pthread_sigmask(SIG_UNBLOCK, signals, NULL);
}

static int run(struct process *process)
{
    const struct http_route all[] = {
        {"/healthz", "text/plain; charset=utf-8", serve_healthz, process},
        {"/readyz", "text/plain; charset=utf-8", serve_readyz, process},
        {"/metrics", "text/plain; version=0.0.4; charset=utf-8", serve_metrics, process},
    };
    struct http_routes routes = {.all = all, .count = sizeof all / sizeof all[0]};
    sigset_t signals = stop_signals();
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    process->start_time_us = clock_now_us(clock_system());
    struct error error = open_all(process, &routes);
    if (error_is(error)) {
        fprintf(stderr, "waybill serve: %s: %s\n  → %s\n", error_text(error.code), error.detail,
                advice_for(error.code));
        close_all(process);
        return error.code == ERROR_INVALID_SETTING ? 2 : 1;
    }
    process->ready = true;
    printf("waybill ready listen=%s operations=%s\n", rpc_server_address(process->server),
           http_server_address(process->operations));
    fflush(stdout);
    wait_for_stop(&signals);
    close_all(process);
    return 0;
}

static void check_services(const char **names, size_t count,
                           struct configuration_problems *problems)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(names[i], "inventory") != 0)
            configuration_problems_add(problems, names[i], "is no service; there is: inventory");
    }
}

static void print_help(void)
{
    printf(
        "usage: waybill serve [SERVICE…] [OPTION…]\n\n"
        "Runs the services named, or all: inventory.\n"
        "Each option is also a WAYBILL_… variable (--drain-seconds: WAYBILL_DRAIN_SECONDS) and a\n"
        "line of the configuration file. Prints one line when ready; Ctrl-C or SIGTERM ends "
        "it.\n\n");
    configuration_print_help(stdout);
    printf("\n  --print-config\n      print a configuration file with all defaults, and end\n");
}

int serve_command(int argc, char **argv)
{
    static struct process process;
    const char *operands[64];
    size_t operand_count = 0;
    struct configuration_problems problems;
    enum log_level level = LOG_LEVEL_INFO;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            print_help();
            return 0;
        }
        if (strcmp(argv[i], "--print-config") == 0) {
            configuration_print_file(stdout);
            return 0;
        }
    }
    if (argc > 64) {
        fprintf(stderr, "waybill serve: too many arguments\n");
        return 2;
    }
    configuration_problems_init(&problems);
    bool good = configuration_read(&process.configuration, argc - 1, argv + 1, operands,
                                   &operand_count, &problems);
    check_services(operands, operand_count, &problems);
    good = good && problems.count == 0;
    if (!good) {
        fprintf(stderr, "waybill serve: wrong settings\n");
        configuration_problems_print(&problems, stderr);
    }
    configuration_problems_deinit(&problems);
    if (!good)
        return 2;
    (void)log_level_from_text(text_of(process.configuration.log_level), &level);
    log_configure(level, strcmp(process.configuration.log_format, "json") == 0);
    return run(&process);
}
