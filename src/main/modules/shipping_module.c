/*
 * Shipping: the contract with the carriers, on SQLite or PostgreSQL. Its use cases live on the
 * carriers' thread; at the end they go first, with the carriers' last answers, then the store.
 */
#include "main/modules/shipping_module.h"

#include "main/modules/context_events.h"
#include "main/modules/shipping_carriers.h"
#include "main/rate_key.h"
#include "main/sql_settings.h"
#include "platform/base/check.h"
#include "platform/base/memory.h"
#include "shipping/application/shipping_service.h"
#include "shipping/infrastructure/labels/label_drawer.h"
#include "shipping/infrastructure/sql/sql_shipping_repository.h"
#include "shipping/interfaces/events/shipping_events.h"
#include "shipping/interfaces/rpc/shipping_rpc.h"
#include "shipping/interfaces/webhooks/carrier_webhooks.h"

#include <string.h>

struct shipping_process {
    struct module base;
    char url[sql_url_bytes_max];
    struct sql_store *store;
    struct context_events *events;
    struct shipping_repository *repository;
    struct shipping_carriers *carriers;
    struct shipping_service *service;
    struct carrier_webhooks webhooks;
    struct rpc_service door; /* the server points into it */
};

static struct module *create(void)
{
    struct shipping_process *shipping = memory_allocate_zero(1, sizeof *shipping);
    return shipping == NULL ? NULL : &shipping->base;
}

static struct error open_store(struct shipping_process *shipping,
                               const struct module_environment *environment)
{
    struct sql_shipping_options options = {.encode = shipping_events_encode};
    struct sql_store_options store;
    (void)sql_settings_options(environment->configuration, "shipping", shipping->url, &store);
    store.failed = environment->store_failed;
    store.dependencies = environment->dependencies;
    struct error error = context_events_open(&shipping->events, environment, "shipping");
    if (!error_is(error))
        error = sql_store_open(&shipping->store, &store);
    if (error_is(error))
        return error;
    context_events_attach(shipping->events, shipping->store);
    options.store = shipping->store;
    options.outbox = context_events_outbox(shipping->events);
    return sql_shipping_repository_open(&shipping->repository, &options);
}

/* --- what the carriers' thread tells --- */

static void alarm_rings(void *context)
{
    shipping_service_alarm(((struct shipping_process *)context)->service);
}

static void set_alarm(void *context, int64_t monotonic_us)
{
    shipping_carriers_set_alarm(((struct shipping_process *)context)->carriers, monotonic_us);
}

static void stop_service(void *context)
{
    shipping_service_close(((struct shipping_process *)context)->service);
}

static void service_closed(void *context)
{
    shipping_carriers_ended(((struct shipping_process *)context)->carriers);
}

/* Calls about a shipment go into its audit trail; tokens and rates are of none. */
static void keep_audit(void *context, const struct carrier_audit *audit)
{
    if (audit->shipment_id.size == 0)
        return;
    struct shipping_audit entry = {
        .time_us = audit->sent_time_us,
        .shipment_id = audit->shipment_id,
        .what = text_of(audit->operation),
        .note = text_of(audit->failure),
        .url = audit->url,
        .request = audit->request,
        .status = (int64_t)audit->status,
        .answer = audit->answer,
        .duration_us = audit->duration_us,
    };
    shipping_service_keep_audit(((struct shipping_process *)context)->service, &entry);
}

/* --- the module --- */

static struct error open_service(struct shipping_process *shipping,
                                 const struct configuration *configuration)
{
    struct shipping_service_options options = shipping_service_options_default();
    options.repository = shipping->repository;
    options.carriers = shipping_carriers_all(shipping->carriers, &options.carrier_count);
    options.clock = clock_system();
    options.random = random_system();
    options.executor = shipping_carriers_executor(shipping->carriers);
    options.drawing = shipping_carriers_drawing(shipping->carriers);
    options.drawer = label_drawer_local();
    options.set_alarm = set_alarm;
    options.closed = service_closed;
    options.context = shipping;
    options.rates_us_max = configuration->rates_ms_max * 1000;
    options.rate_lifetime_us = configuration->rate_seconds * 1000000;
    options.purchase_us_max = configuration->purchase_seconds_max * 1000000;
    options.first_lookup_us = configuration->first_lookup_seconds * 1000000;
    options.lookup_us_max = configuration->lookup_seconds_max * 1000000;
    CHECK(sizeof options.rate_key == rate_key_size);
    struct error error =
        rate_key_read(configuration->rate_key_file, configuration->data, options.rate_key);
    if (!error_is(error))
        error = shipping_service_create(&shipping->service, &options);
    if (error_is(error))
        return error;
    shipping->door = shipping_rpc_service(shipping->service);
    carrier_webhooks_init(&shipping->webhooks, shipping->service, options.carriers,
                          options.carrier_count);
    shipping_service_start(shipping->service);
    return shipping_carriers_run(shipping->carriers);
}

static struct error check(const struct configuration *configuration)
{
    struct error error = sql_settings_check(configuration, "shipping");
    return error_is(error) ? error : shipping_carriers_check(configuration);
}

static struct error open_module(struct module *module, const struct module_environment *environment)
{
    struct shipping_process *shipping = (struct shipping_process *)module;
    const struct shipping_carriers_listener listener = {
        .alarm = alarm_rings,
        .audit = keep_audit,
        .stop = stop_service,
        .context = shipping,
    };
    struct error error = open_store(shipping, environment);
    if (!error_is(error))
        error = shipping_carriers_open(&shipping->carriers, environment->configuration,
                                       environment->dependencies, &listener);
    if (!error_is(error))
        error = open_service(shipping, environment->configuration);
    return error_prefix(error, "shipping");
}

static const struct rpc_service *services(struct module *module, size_t *count)
{
    *count = 1;
    return &((struct shipping_process *)module)->door;
}

static const struct http_route *routes(struct module *module, size_t *count)
{
    struct shipping_process *shipping = (struct shipping_process *)module;
    *count = shipping->webhooks.count;
    return shipping->webhooks.routes;
}

static struct event_feed *feed(struct module *module)
{
    return context_events_feed(((struct shipping_process *)module)->events);
}

static struct error start(struct module *module, const struct module_environment *environment)
{
    (void)environment;
    return context_events_start(((struct shipping_process *)module)->events);
}

static void stop(struct module *module)
{
    context_events_stop(((struct shipping_process *)module)->events);
}

static bool is_ready(struct module *module, struct buffer *why)
{
    return context_events_is_ready(((struct shipping_process *)module)->events, why);
}

static bool write_metrics(struct module *module, struct buffer *out)
{
    struct shipping_process *shipping = (struct shipping_process *)module;
    return sql_store_write_metrics(shipping->store, out) &&
           context_events_write_metrics(shipping->events, out) &&
           shipping_service_write_metrics(shipping->service, out);
}

static void close_module(struct module *module)
{
    struct shipping_process *shipping = (struct shipping_process *)module;
    if (shipping->carriers != NULL)
        shipping_carriers_stop(shipping->carriers);
    sql_shipping_repository_close(shipping->repository);
    sql_store_close(shipping->store);
    shipping_carriers_close(shipping->carriers);
    shipping_service_destroy(shipping->service);
    context_events_close(shipping->events);
    memory_release(shipping);
}

const struct module_table shipping_module = {
    .name = "shipping",
    .create = create,
    .check = check,
    .open = open_module,
    .services = services,
    .routes = routes,
    .feed = feed,
    .start = start,
    .stop = stop,
    .is_ready = is_ready,
    .write_metrics = write_metrics,
    .close = close_module,
};
