/* EventService: it has no store, only the feeds that the others give. */
#include "main/modules/events_module.h"

#include "events/interfaces/rpc/events_rpc.h"
#include "main/event_types.h"
#include "platform/base/memory.h"

struct events_process {
    struct module base;
    struct events_service *service;
};

static struct module *create(void)
{
    struct events_process *events = memory_allocate_zero(1, sizeof *events);
    return events == NULL ? NULL : &events->base;
}

static struct error open(struct module *module, const struct module_environment *environment)
{
    struct events_process *events = (struct events_process *)module;
    struct event_feed *feeds[event_hub_feeds_max];
    size_t feed_count = 0;
    for (size_t i = 0; i < *environment->module_count; i++) {
        struct module *other = environment->modules[i];
        struct event_feed *feed = other->table->feed == NULL ? NULL : other->table->feed(other);
        if (feed != NULL && feed_count < event_hub_feeds_max)
            feeds[feed_count++] = feed;
    }
    struct events_service_options options = {
        .feeds = feeds,
        .feed_count = feed_count,
        .types = event_types_known(),
        .clock = clock_system(),
        .subscribers_max = (size_t)environment->configuration->event_subscribers_max,
        .slow_us = environment->configuration->event_slow_seconds * 1000000,
    };
    return events_service_open(&events->service, &options);
}

static const struct rpc_service *services(struct module *module, size_t *count)
{
    *count = 1;
    return events_service_rpc(((struct events_process *)module)->service);
}

static void stop(struct module *module)
{
    events_service_stop(((struct events_process *)module)->service);
}

static bool write_metrics(struct module *module, struct buffer *out)
{
    struct event_hub_usage usage = events_service_usage(((struct events_process *)module)->service);
    return module_add_gauge(out, "waybill_event_subscribers", "Streams of events open now.",
                            usage.subscribers) &&
           module_add_gauge(out, "waybill_events_delivered",
                            "Events handed to subscribers since the start.", usage.delivered) &&
           module_add_gauge(out, "waybill_event_feed_reads",
                            "Reads of logs for subscribers since the start.", usage.reads);
}

static void close(struct module *module)
{
    struct events_process *events = (struct events_process *)module;
    events_service_close(events->service);
    memory_release(events);
}

const struct module_table events_module = {
    .name = "events",
    .always = true,
    .create = create,
    .open = open,
    .services = services,
    .stop = stop,
    .write_metrics = write_metrics,
    .close = close,
};
