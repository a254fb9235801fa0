/* Warehouse: the shelf, on SQLite or PostgreSQL. */
#include "main/modules/warehouse_module.h"

#include "main/modules/context_events.h"
#include "main/sql_settings.h"
#include "platform/base/memory.h"
#include "warehouse/application/warehouse_service.h"
#include "warehouse/infrastructure/sql/sql_warehouse_repository.h"
#include "warehouse/interfaces/events/warehouse_events.h"
#include "warehouse/interfaces/rpc/warehouse_rpc.h"

#include <string.h>

struct warehouse_process {
    struct module base;
    char url[sql_url_bytes_max];
    struct sql_store *store;
    struct context_events *events;
    struct warehouse_repository *repository;
    struct warehouse_service service;
    struct rpc_service door; /* the server points into it */
};

static struct module *create(void)
{
    struct warehouse_process *warehouse = memory_allocate_zero(1, sizeof *warehouse);
    return warehouse == NULL ? NULL : &warehouse->base;
}

/* "" or "USD 250". */
static struct error read_split_cost(const char *setting, struct money *money)
{
    struct text text = text_of(setting);
    *money = (struct money){0};
    if (text.size == 0)
        return error_none();
    bool good = text.size > 4 && text.data[3] == ' ' &&
                text_to_int64(text_make(text.data + 4, text.size - 4), &money->amount_minor) &&
                money->amount_minor >= 0 && money->amount_minor <= INT64_C(1000000000000);
    for (size_t i = 0; i < 3 && good; i++)
        good = text.data[i] >= 'A' && text.data[i] <= 'Z';
    if (!good)
        return error_make(ERROR_INVALID_SETTING,
                          "split_cost: %.60s is no amount; write it as USD 250", setting);
    memcpy(money->currency, text.data, 3);
    return error_none();
}

static struct error open_store(struct warehouse_process *warehouse,
                               const struct module_environment *environment)
{
    struct sql_store_options options;
    (void)sql_settings_options(environment->configuration, "warehouse", warehouse->url, &options);
    options.failed = environment->store_failed;
    options.dependencies = environment->dependencies;
    return sql_store_open(&warehouse->store, &options);
}

static struct error check(const struct configuration *configuration)
{
    return sql_settings_check(configuration, "warehouse");
}

static struct error open(struct module *module, const struct module_environment *environment)
{
    struct warehouse_process *warehouse = (struct warehouse_process *)module;
    const struct configuration *configuration = environment->configuration;
    struct sql_warehouse_options options = sql_warehouse_options_default();
    options.encode = warehouse_events_encode;
    options.ship_within_days = configuration->ship_within_days;
    options.allocation_work_max = (uint64_t)configuration->allocation_work_max;
    struct error error = read_split_cost(configuration->split_cost, &options.split_cost);
    if (!error_is(error))
        error = context_events_open(&warehouse->events, environment, "warehouse");
    if (!error_is(error))
        error = open_store(warehouse, environment);
    if (error_is(error))
        return error;
    context_events_attach(warehouse->events, warehouse->store);
    options.store = warehouse->store;
    options.outbox = context_events_outbox(warehouse->events);
    error = sql_warehouse_repository_open(&warehouse->repository, &options);
    if (error_is(error))
        return error;
    warehouse->service.repository = warehouse->repository;
    warehouse->door = warehouse_rpc_service(&warehouse->service);
    return error;
}

static const struct rpc_service *services(struct module *module, size_t *count)
{
    *count = 1;
    return &((struct warehouse_process *)module)->door;
}

static struct event_feed *feed(struct module *module)
{
    return context_events_feed(((struct warehouse_process *)module)->events);
}

static struct error start(struct module *module, const struct module_environment *environment)
{
    (void)environment;
    return context_events_start(((struct warehouse_process *)module)->events);
}

static void stop(struct module *module)
{
    context_events_stop(((struct warehouse_process *)module)->events);
}

static bool is_ready(struct module *module, struct buffer *why)
{
    return context_events_is_ready(((struct warehouse_process *)module)->events, why);
}

static bool write_metrics(struct module *module, struct buffer *out)
{
    struct warehouse_process *warehouse = (struct warehouse_process *)module;
    return sql_store_write_metrics(warehouse->store, out) &&
           context_events_write_metrics(warehouse->events, out);
}

static void close(struct module *module)
{
    struct warehouse_process *warehouse = (struct warehouse_process *)module;
    sql_warehouse_repository_close(warehouse->repository);
    sql_store_close(warehouse->store);
    context_events_close(warehouse->events);
    memory_release(warehouse);
}

const struct module_table warehouse_module = {
    .name = "warehouse",
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
