/* Inventory: the promise, on the embedded store. */
#include "main/modules/inventory_module.h"

#include "inventory/application/inventory_service.h"
#include "inventory/infrastructure/embedded/embedded_repository.h"
#include "inventory/interfaces/events/inventory_events.h"
#include "inventory/interfaces/events/shelf_feed.h"
#include "inventory/interfaces/rpc/inventory_rpc.h"
#include "inventory/interfaces/rpc/stock_watch.h"
#include "main/modules/other_events.h"
#include "platform/base/log.h"
#include "platform/base/memory.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

struct inventory_process {
    struct module base;
    struct inventory_repository *repository;
    struct inventory_events *events;
    bool is_fed;                 /* on hand follows the warehouse */
    pthread_mutex_t mutex;       /* guards `shelf` against those who ask how it goes */
    struct shelf_feed *shelf;    /* NULL until it starts, and after it stopped */
    struct other_events shelves; /* the warehouse's events */
    struct inventory_door door;
    struct rpc_service rpc; /* the server points into it */
};

static struct module *create(void)
{
    struct inventory_process *inventory = memory_allocate_zero(1, sizeof *inventory);
    if (inventory == NULL)
        return NULL;
    pthread_mutex_init(&inventory->mutex, NULL);
    return &inventory->base;
}

static struct error directory_of(const struct configuration *configuration, char *directory,
                                 size_t size)
{
    return module_embedded_directory("inventory", configuration->inventory, configuration->data,
                                     directory, size);
}

static struct error check(const struct configuration *configuration)
{
    char directory[2 * setting_text_bytes_max];
    return directory_of(configuration, directory, sizeof directory);
}

/* Where the setting leaves it open: by the shelves, if anybody knows where they are. */
static bool is_fed_by_shelves(const struct module_environment *environment)
{
    const char *source = environment->configuration->on_hand_source;
    if (strcmp(source, "auto") != 0)
        return strcmp(source, "warehouse") == 0;
    return module_is_wanted(environment, "warehouse") ||
           other_context_address(environment->configuration->warehouse) != NULL;
}

/*
 * An address that cannot be meant must not pass for none: the store keeps its first source for
 * good. Where on hand is to come from own receipts it is nobody's address.
 */
static struct error check_shelves(const struct module_environment *environment)
{
    const struct configuration *configuration = environment->configuration;
    if (module_is_wanted(environment, "warehouse") ||
        strcmp(configuration->on_hand_source, "own") == 0)
        return error_none();
    return other_context_check("inventory", "warehouse", configuration->warehouse);
}

/* Nobody chose that on hand comes from own receipts; whoever meant otherwise should hear of it. */
static void tell_own_source(const struct inventory_process *inventory,
                            const struct configuration *configuration)
{
    if (!inventory->is_fed && strcmp(configuration->on_hand_source, "auto") == 0)
        log_event(LOG_LEVEL_INFO,
                  "no warehouse is named: on hand comes from inventory's own receipts; this choice "
                  "is kept",
                  NULL, 0);
}

/* The warehouse's events: of this process, or of the one at the setting's address. */
static struct error find_shelves(struct inventory_process *inventory,
                                 const struct module_environment *environment)
{
    static const char *const types[] = {"waybill.warehouse.v1.MovementRecorded"};
    struct error error = other_events_find(&inventory->shelves, environment, "warehouse",
                                           environment->configuration->warehouse, types,
                                           sizeof types / sizeof types[0]);
    if (error_is(error) || inventory->shelves.feed != NULL)
        return error;
    return error_make(ERROR_INVALID_SETTING,
                      "inventory: on_hand_source is warehouse, but this process serves no "
                      "warehouse; serve both, or say where it is: --warehouse grpc://HOST:PORT");
}

static struct error open(struct module *module, const struct module_environment *environment)
{
    struct inventory_process *inventory = (struct inventory_process *)module;
    const struct configuration *configuration = environment->configuration;
    struct embedded_repository_options options = embedded_repository_options_default();
    char directory[2 * setting_text_bytes_max];
    struct error error = check_shelves(environment);
    if (!error_is(error))
        error = directory_of(configuration, directory, sizeof directory);
    if (error_is(error))
        return error;
    options.directory = directory;
    options.retention_us = configuration->retention_seconds * 1000000;
    options.committed_retention_us = configuration->committed_retention_seconds * 1000000;
    options.ids_max = (uint64_t)configuration->ids_max;
    options.queue_length_max = (size_t)configuration->queue_length_max;
    options.segment_bytes = (uint64_t)configuration->segment_bytes;
    options.batch_bytes_max = (size_t)configuration->batch_bytes_max;
    inventory->is_fed = is_fed_by_shelves(environment);
    options.on_hand_source = inventory->is_fed ? ON_HAND_WAREHOUSE : ON_HAND_OWN;
    options.failed = environment->store_failed;
    error = embedded_repository_open(&inventory->repository, &options);
    if (error_is(error))
        return error_prefix(error, "inventory");
    tell_own_source(inventory, configuration);
    error = inventory_events_open(&inventory->events,
                                  embedded_repository_events(inventory->repository));
    if (error_is(error))
        return error;
    inventory->door.service.repository = inventory->repository;
    error = stock_watch_open(&inventory->door.watch, &inventory->door.service,
                             inventory_events_feed(inventory->events), clock_system());
    inventory->rpc = inventory_rpc_service(&inventory->door);
    return error;
}

static const struct rpc_service *services(struct module *module, size_t *count)
{
    *count = 1;
    return &((struct inventory_process *)module)->rpc;
}

static struct event_feed *feed(struct module *module)
{
    return inventory_events_feed(((struct inventory_process *)module)->events);
}

static struct error start(struct module *module, const struct module_environment *environment)
{
    struct inventory_process *inventory = (struct inventory_process *)module;
    if (!inventory->is_fed)
        return error_none();
    struct error error = find_shelves(inventory, environment);
    if (error_is(error))
        return error;
    const struct shelf_feed_options options = {
        .repository = inventory->repository,
        .feed = inventory->shelves.feed,
        .clock = clock_system(),
        .threaded = true,
    };
    pthread_mutex_lock(&inventory->mutex);
    error = shelf_feed_start(&inventory->shelf, &options);
    pthread_mutex_unlock(&inventory->mutex);
    return error;
}

static void stop(struct module *module)
{
    struct inventory_process *inventory = (struct inventory_process *)module;
    stock_watch_stop(inventory->door.watch);
    pthread_mutex_lock(&inventory->mutex);
    struct shelf_feed *shelf = inventory->shelf;
    inventory->shelf = NULL;
    pthread_mutex_unlock(&inventory->mutex);
    shelf_feed_stop(shelf);
    other_events_close(&inventory->shelves);
}

/* How following the warehouse goes; false where there is nothing to follow, or not now. */
static bool shelf_status(struct inventory_process *inventory,
                         struct event_subscription_status *status)
{
    pthread_mutex_lock(&inventory->mutex);
    bool follows = inventory->shelf != NULL;
    if (follows)
        *status = shelf_feed_status(inventory->shelf);
    pthread_mutex_unlock(&inventory->mutex);
    return follows;
}

static bool write_shelf_metrics(struct inventory_process *inventory, struct buffer *out)
{
    struct event_subscription_status status;
    if (!shelf_status(inventory, &status))
        return true;
    return module_add_gauge(out, "waybill_inventory_shelf_position",
                            "How far the warehouse's events were followed.",
                            status.place.position) &&
           module_add_gauge(out, "waybill_inventory_shelf_newest",
                            "Where the warehouse's events ended when last looked at.",
                            status.newest) &&
           module_add_gauge(out, "waybill_inventory_shelf_failures",
                            "Attempts to follow the warehouse that failed.", status.failures);
}

static bool is_ready(struct module *module, struct buffer *why)
{
    struct event_subscription_status status;
    if (!shelf_status((struct inventory_process *)module, &status) ||
        (!status.stopped && status.last_error.code != ERROR_DAMAGED))
        return true;
    bool told = buffer_append_format(why, "inventory no longer follows the warehouse: %s\n",
                                     status.last_error.detail);
    return told && false; /* without memory the reason is left out */
}

static bool write_metrics(struct module *module, struct buffer *out)
{
    struct inventory_process *inventory = (struct inventory_process *)module;
    struct embedded_repository_usage usage = embedded_repository_usage(inventory->repository);
    if (!write_shelf_metrics(inventory, out))
        return false;
    return module_add_gauge(out, "waybill_inventory_skus", "SKUs with stock.", usage.skus) &&
           module_add_gauge(out, "waybill_inventory_pending_reservations", "Reservations held now.",
                            usage.pending_reservations) &&
           module_add_gauge(out, "waybill_inventory_retained_ids",
                            "Ids remembered, pending reservations included.", usage.ids) &&
           module_add_gauge(out, "waybill_inventory_log_bytes", "End of the record log.",
                            usage.log_bytes) &&
           module_add_gauge(out, "waybill_inventory_stock_watchers", "Streams of WatchStock.",
                            stock_watch_usage(inventory->door.watch).subscribers);
}

static void close(struct module *module)
{
    struct inventory_process *inventory = (struct inventory_process *)module;
    stock_watch_close(inventory->door.watch);
    inventory_events_close(inventory->events);
    embedded_repository_close(inventory->repository);
    pthread_mutex_destroy(&inventory->mutex);
    memory_release(inventory);
}

const struct module_table inventory_module = {
    .name = "inventory",
    .create = create,
    .check = check,
    .open = open,
    .services = services,
    .feed = feed,
    .start = start,
    .stop = stop,
    .write_metrics = write_metrics,
    .is_ready = is_ready,
    .close = close,
};
