#ifndef WAYBILL_MAIN_MODULES_MODULE_H
#define WAYBILL_MAIN_MODULES_MODULE_H

#include "main/configuration.h"
#include "platform/base/buffer.h"
#include "platform/base/error.h"
#include "platform/events/event_feed.h"
#include "platform/resilience/dependency.h"
#include "platform/rpc/server.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * A module is one context as `waybill serve` runs it: its store, its doors, its events. One file
 * each, and the only one that knows which store stands behind that context. process.c runs their
 * lives, all on the main thread:
 *
 *   check     the settings of all, before the first is opened.
 *   open      the store; nothing is served yet. The services and the feed are there afterwards.
 *   start     the server listens: whoever asks other services or reads feeds begins now.
 *   stop      end what `start` began, while the server still answers others.
 *   close     calls have been drained, nobody asks any more; loops still run, for completions.
 *
 * `open` is called in the order of the table in process.c, the others in the order that follows
 * from it: start the same, stop and close backwards. close follows every open, also a failed one.
 */
struct module;

/* What the process offers to its modules; lives as long as they. */
struct module_environment {
    const struct configuration *configuration;
    /* Called by a store that cannot go on, on its own thread: ends the process. */
    void (*store_failed)(void *context, const struct error *error);
    const char *const *names; /* of the services to run; none = all */
    size_t name_count;
    struct module *const *modules; /* those open so far, this one not yet among them */
    const size_t *module_count;
    struct rpc_server *const *server; /* NULL until it listens */
    struct dependency_list
        *dependencies; /* what /metrics and /readyz tell of: databases, carriers */
};

/* Any member but name, create, services and close may be NULL. */
struct module_table {
    const char *name; /* "inventory": the SERVICE of the command line */
    bool always;      /* runs beside whatever services are named */
    /* Memory for the module only; NULL without memory. */
    struct module *(*create)(void);
    /* Before anything is opened or made: whether its own settings can be meant. */
    struct error (*check)(const struct configuration *configuration);
    struct error (*open)(struct module *module, const struct module_environment *environment);
    /* Its services, `*count` of them; they live as long as the module. After open. */
    const struct rpc_service *(*services)(struct module *module, size_t *count);
    /* Paths beside them on the same port, as long as the module. After open. */
    const struct http_route *(*routes)(struct module *module, size_t *count);
    /* Its events, or NULL if it has none. After open. */
    struct event_feed *(*feed)(struct module *module);
    struct error (*start)(struct module *module, const struct module_environment *environment);
    void (*stop)(struct module *module);
    /* Appends Prometheus text. False: the buffer's limit or memory. Any thread, between open and
     * close. */
    bool (*write_metrics)(struct module *module, struct buffer *out);
    /* Whether it can do its work now; if not, appends a line that says why. Any thread. */
    bool (*is_ready)(struct module *module, struct buffer *why);
    void (*close)(struct module *module);
};

/* A module has this as its first member. */
struct module {
    const struct module_table *table;
};

/* Whether this process runs that service, open yet or not. */
bool module_is_wanted(const struct module_environment *environment, const char *name);

/* The module of that name among those open, or NULL. */
struct module *module_find(const struct module_environment *environment, const char *name);

/*
 * Where the embedded store of that context lives: by its URL (embedded:DIR), or DATA/NAME if that
 * is empty. Error: INVALID_SETTING, another URL.
 */
__attribute__((warn_unused_result)) struct error module_embedded_directory(
    const char *name, const char *url, const char *data, char *directory, size_t size);

/* One gauge with help and type. False: the buffer's limit or memory. */
__attribute__((warn_unused_result)) bool module_add_gauge(struct buffer *out, const char *name,
                                                          const char *help, uint64_t value);

#endif
