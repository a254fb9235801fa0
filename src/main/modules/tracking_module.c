/* Tracking: what happened to the parcels, on the embedded store. */
#include "main/modules/tracking_module.h"

#include "main/carrier_names.h"
#include "main/modules/other_events.h"
#include "platform/base/memory.h"
#include "tracking/application/tracking_service.h"
#include "tracking/infrastructure/code_maps/built_in_code_maps.h"
#include "tracking/infrastructure/embedded/embedded_tracking.h"
#include "tracking/interfaces/events/carrier_event_consumer.h"
#include "tracking/interfaces/events/tracking_events.h"
#include "tracking/interfaces/polling/tracking_polls.h"
#include "tracking/interfaces/rpc/tracking_rpc.h"
#include "tracking/interfaces/webhooks/tracking_webhooks.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

static const int64_t day_us = INT64_C(86400) * 1000000;
static const int64_t poll_us_min = INT64_C(8) * 1000000;

struct tracking_gauge {
    const char *name;
    const char *help;
    uint64_t value;
};

struct tracking_process {
    struct module base;
    struct built_in_code_maps code_maps;
    struct tracking_repository *repository;
    struct tracking_service service;
    struct tracking_events *events;
    struct tracking_watch *watch;
    struct tracking_webhooks *webhooks;
    struct other_events shipping;
    pthread_mutex_t mutex;                   /* guards `carriers` against those who look at it */
    struct carrier_event_consumer *carriers; /* NULL without shipping, and once stopped */
    struct tracking_polls *polls;            /* as carriers; NULL also where nobody is asked */
    struct tracking_door door;
    struct rpc_service table; /* the server points into it */
};

static struct module *create(void)
{
    struct tracking_process *tracking = memory_allocate_zero(1, sizeof *tracking);
    if (tracking == NULL)
        return NULL;
    pthread_mutex_init(&tracking->mutex, NULL);
    return &tracking->base;
}

static struct error directory_of(const struct configuration *configuration, char *directory,
                                 size_t size)
{
    return module_embedded_directory("tracking", configuration->tracking, configuration->data,
                                     directory, size);
}

static struct error open_store(struct tracking_process *tracking,
                               const struct module_environment *environment)
{
    const struct configuration *configuration = environment->configuration;
    struct embedded_tracking_options options = embedded_tracking_options_default();
    char directory[2 * setting_text_bytes_max];
    struct error error = directory_of(configuration, directory, sizeof directory);
    if (error_is(error))
        return error;
    options.directory = directory;
    options.queue_length_max = (size_t)configuration->queue_length_max;
    options.memory_bytes_max = (size_t)configuration->tracking_memory_bytes_max;
    options.checkpoint_bytes = (uint64_t)configuration->tracking_checkpoint_bytes;
    options.checkpoint_interval_us = configuration->tracking_checkpoint_seconds * 1000000;
    options.free_bytes_min = (uint64_t)configuration->tracking_free_bytes_min;
    options.log_retention_us = configuration->tracking_log_retention_days * day_us;
    options.ping_retention_us = configuration->tracking_ping_retention_days * day_us;
    options.generation_gap_us = configuration->tracking_generation_gap_days * day_us;
    options.silence_us = configuration->tracking_silence_days * day_us;
    options.failed = environment->store_failed;
    return error_prefix(embedded_tracking_open(&tracking->repository, &options), "tracking");
}

static struct error check_quotas(const struct configuration *configuration)
{
    struct polling_quotas quotas;
    struct error error = error_none();
    if (!polling_quotas_read(text_of(configuration->tracking_poll_quota), &quotas))
        return error_make(
            ERROR_INVALID_SETTING,
            "tracking_poll_quota must be numbers as in \"1000, dhl=250\", not \"%.100s\"",
            configuration->tracking_poll_quota);
    for (size_t i = 0; i < quotas.count && !error_is(error); i++)
        error = carrier_name_check("tracking_poll_quota", text_of(quotas.items[i].carrier));
    return error;
}

static struct error check(const struct configuration *configuration)
{
    char directory[2 * setting_text_bytes_max];
    struct error error = check_quotas(configuration);
    int64_t poll_us = configuration->tracking_poll_seconds * 1000000;
    if (error_is(error))
        return error;
    if (poll_us > 0 && poll_us < poll_us_min)
        return error_make(ERROR_INVALID_SETTING, "tracking_poll_seconds must be 0 or at least 8");
    return directory_of(configuration, directory, sizeof directory);
}

/* An address that cannot be meant must not pass for nowhere: nobody would be followed or asked. */
static struct error check_shipping(const struct module_environment *environment)
{
    if (module_is_wanted(environment, "shipping"))
        return error_none();
    return other_context_check("tracking", "shipping", environment->configuration->shipping);
}

static struct error open_module(struct module *module, const struct module_environment *environment)
{
    struct tracking_process *tracking = (struct tracking_process *)module;
    struct error error = check_shipping(environment);
    if (!error_is(error))
        error = built_in_code_maps_init(&tracking->code_maps);
    if (!error_is(error))
        error = open_store(tracking, environment);
    if (error_is(error))
        return error;
    struct tracking_announcement_source *announcements =
        embedded_tracking_announcements(tracking->repository);
    tracking->service = (struct tracking_service){
        .repository = tracking->repository,
        .code_maps = &tracking->code_maps.all,
        .clock = clock_system(),
    };
    error = tracking_events_open(&tracking->events, &tracking->service, announcements);
    if (!error_is(error))
        error = tracking_watch_open(&tracking->watch, &tracking->service, announcements,
                                    tracking_events_feed(tracking->events));
    struct tracking_webhooks_options webhooks = {
        .repository = tracking->repository,
        .feed = error_is(error) ? NULL : tracking_events_feed(tracking->events),
        .random = random_system(),
        .attempts_max = (unsigned)environment->configuration->tracking_webhook_attempts_max,
        .subscriptions_max = (size_t)environment->configuration->tracking_subscriptions_max,
    };
    if (!error_is(error))
        error = tracking_webhooks_open(&tracking->webhooks, &webhooks);
    tracking->door = (struct tracking_door){
        .service = &tracking->service,
        .watch = tracking->watch,
        .announcements = announcements,
        .webhooks = tracking->webhooks,
        .subscriptions_max = (size_t)environment->configuration->tracking_subscriptions_max,
    };
    tracking->table = tracking_rpc_service(&tracking->door);
    return error;
}

static const struct rpc_service *services(struct module *module, size_t *count)
{
    *count = 1;
    return &((struct tracking_process *)module)->table;
}

static struct event_feed *feed(struct module *module)
{
    return tracking_events_feed(((struct tracking_process *)module)->events);
}

/* Carriers are asked through shipping, wherever that is. */
static struct error start_polls(struct tracking_process *tracking,
                                const struct module_environment *environment)
{
    const struct configuration *configuration = environment->configuration;
    const char *address = other_context_address(configuration->shipping);
    struct tracking_polls *polls = NULL;
    struct tracking_polls_options options = {
        .service = &tracking->service,
        .random = random_system(),
        .shipping = rpc_client_options_default(),
        .interval_us = configuration->tracking_poll_seconds * 1000000,
    };
    (void)polling_quotas_read(text_of(configuration->tracking_poll_quota),
                              &options.quotas); /* it was checked */
    if (options.interval_us == 0)
        return error_none();
    options.shipping.server = address;
    if (module_find(environment, "shipping") != NULL) {
        options.shipping.server = "shipping";
        options.shipping.connect = rpc_server_connect_local;
        options.shipping.connect_context = *environment->server;
    }
    struct error error = tracking_polls_open(&polls, &options);
    pthread_mutex_lock(&tracking->mutex);
    tracking->polls = polls;
    pthread_mutex_unlock(&tracking->mutex);
    return error;
}

/* Shipments and carriers' events come from shipping, of this process or of another one. */
static struct error start(struct module *module, const struct module_environment *environment)
{
    struct tracking_process *tracking = (struct tracking_process *)module;
    struct carrier_event_consumer *carriers = NULL;
    struct error error = other_events_find(&tracking->shipping, environment, "shipping",
                                           environment->configuration->shipping,
                                           carrier_event_types, carrier_event_type_count);
    if (error_is(error) || tracking->shipping.feed == NULL)
        return error;
    error = carrier_event_consumer_open(&carriers, &tracking->service, tracking->shipping.feed);
    pthread_mutex_lock(&tracking->mutex);
    tracking->carriers = carriers;
    pthread_mutex_unlock(&tracking->mutex);
    return error_is(error) ? error : start_polls(tracking, environment);
}

static void stop(struct module *module)
{
    struct tracking_process *tracking = (struct tracking_process *)module;
    pthread_mutex_lock(&tracking->mutex);
    struct carrier_event_consumer *carriers = tracking->carriers;
    struct tracking_polls *polls = tracking->polls;
    tracking->carriers = NULL;
    tracking->polls = NULL;
    pthread_mutex_unlock(&tracking->mutex);
    tracking_polls_close(polls);
    carrier_event_consumer_close(carriers);
    other_events_close(&tracking->shipping);
    tracking_watch_stop(tracking->watch);
    tracking_webhooks_stop(tracking->webhooks);
}

static bool add_gauges(struct buffer *out, const struct tracking_gauge *gauges, size_t count)
{
    bool fits = true;
    for (size_t i = 0; i < count && fits; i++)
        fits = module_add_gauge(out, gauges[i].name, gauges[i].help, gauges[i].value);
    return fits;
}

/* How following shipping and asking carriers goes; nothing where there is nothing of it. */
static bool write_shipping_metrics(struct tracking_process *tracking, struct buffer *out)
{
    struct carrier_event_consumer_status status = {0};
    struct tracking_polls_usage polls = {0};
    pthread_mutex_lock(&tracking->mutex);
    bool follows = tracking->carriers != NULL;
    bool asks = tracking->polls != NULL;
    if (follows)
        status = carrier_event_consumer_status(tracking->carriers);
    if (asks)
        polls = tracking_polls_usage(tracking->polls);
    pthread_mutex_unlock(&tracking->mutex);
    const struct tracking_gauge following[] = {
        {"waybill_tracking_shipping_position", "How far shipping's events were followed.",
         status.subscription.place.position},
        {"waybill_tracking_shipping_newest", "Where shipping's events ended when last looked at.",
         status.subscription.newest},
        {"waybill_tracking_shipping_failures", "Attempts to follow shipping that failed.",
         status.subscription.failures},
        {"waybill_tracking_shipping_set_aside",
         "Events of shipping that are no messages of their type, since the start.",
         status.subscription.set_aside},
        {"waybill_tracking_shipping_events", "Events of shipping recorded since the start.",
         status.events},
    };
    const struct tracking_gauge asking[] = {
        {"waybill_tracking_polls_rounds", "Rounds of questions to carriers since the start.",
         polls.rounds},
        {"waybill_tracking_polls_asked", "Questions to carriers since the start.", polls.asked},
        {"waybill_tracking_polls_failed", "Questions that failed since the start.", polls.failed},
        {"waybill_tracking_polls_skipped",
         "Questions not asked, for lack of quota or for a carrier's sake, since the start.",
         polls.skipped},
        {"waybill_tracking_polls_events", "Events learnt by questions since the start.",
         polls.events},
    };
    return (!follows || add_gauges(out, following, sizeof following / sizeof following[0])) &&
           (!asks || add_gauges(out, asking, sizeof asking / sizeof asking[0]));
}

static bool write_metrics(struct module *module, struct buffer *out)
{
    struct tracking_process *tracking = (struct tracking_process *)module;
    struct embedded_tracking_usage usage = embedded_tracking_usage(tracking->repository);
    struct tracking_webhooks_usage webhooks = tracking_webhooks_usage(tracking->webhooks);
    const struct tracking_gauge gauges[] = {
        {"waybill_tracking_hot_trackings", "Trackings in memory.", usage.hot_trackings},
        {"waybill_tracking_changed_trackings", "Of those, not yet written behind the log.",
         usage.changed_trackings},
        {"waybill_tracking_memory_bytes", "Memory of those.", usage.memory_bytes},
        {"waybill_tracking_log_bytes", "End of the record log.", usage.log_bytes},
        {"waybill_tracking_replay_bytes", "Log that a restart would replay.", usage.replay_bytes},
        {"waybill_tracking_store_bytes", "Files behind the log.", usage.store_bytes},
        {"waybill_tracking_pending_compaction_bytes", "What compaction has yet to do.",
         usage.pending_compaction_bytes},
        {"waybill_tracking_disk_full", "Whether writes wait for space.", usage.disk_full},
        {"waybill_tracking_watchers", "Calls of WatchTracking now.",
         tracking_watch_count(tracking->watch)},
        {"waybill_tracking_subscriptions", "Subscriptions served.", webhooks.subscriptions},
        {"waybill_tracking_webhooks_delivered", "Webhooks taken since the start.",
         webhooks.delivered},
        {"waybill_tracking_webhooks_failed", "Attempts that failed since the start.",
         webhooks.failed},
        {"waybill_tracking_webhooks_given_up", "Webhooks given up since the start.",
         webhooks.given_up},
        {"waybill_tracking_dead_letters", "Webhooks given up that wait now: ListDeadLetters.",
         webhooks.dead_letters},
    };
    bool fits = buffer_append_format(
        out,
        "# HELP waybill_tracking_events_recorded_total Events recorded since the start.\n"
        "# TYPE waybill_tracking_events_recorded_total counter\n"
        "waybill_tracking_events_recorded_total %llu\n",
        (unsigned long long)usage.events_recorded);
    return fits && add_gauges(out, gauges, sizeof gauges / sizeof gauges[0]) &&
           write_shipping_metrics(tracking, out);
}

static bool is_ready(struct module *module, struct buffer *why)
{
    struct tracking_process *tracking = (struct tracking_process *)module;
    if (!embedded_tracking_usage(tracking->repository).disk_full)
        return true;
    return !buffer_append_string(why, "tracking: the disk is full, nothing is recorded\n");
}

static void close_module(struct module *module)
{
    struct tracking_process *tracking = (struct tracking_process *)module;
    tracking_watch_close(tracking->watch);
    tracking_webhooks_stop(tracking->webhooks);
    tracking_events_close(tracking->events);
    embedded_tracking_close(tracking->repository);
    tracking_webhooks_close(tracking->webhooks);
    built_in_code_maps_deinit(&tracking->code_maps);
    pthread_mutex_destroy(&tracking->mutex);
    memory_release(tracking);
}

const struct module_table tracking_module = {
    .name = "tracking",
    .create = create,
    .check = check,
    .open = open_module,
    .services = services,
    .feed = feed,
    .start = start,
    .stop = stop,
    .write_metrics = write_metrics,
    .is_ready = is_ready,
    .close = close_module,
};
