#ifndef WAYBILL_MAIN_MODULES_OTHER_EVENTS_H
#define WAYBILL_MAIN_MODULES_OTHER_EVENTS_H

#include "main/modules/module.h"
#include "platform/events/event_feed.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * The events of another context, for the module that follows it: of this process if it runs here,
 * else of the process at its setting's address, grpc://HOST:PORT. Thread: the main thread.
 */
struct remote_event_feed;

struct other_events {
    struct event_feed *feed;          /* NULL: nobody knows where that context is */
    struct remote_event_feed *remote; /* NULL: in this process, or nowhere */
};

/* HOST:PORT of a URL grpc://HOST:PORT, within it; NULL for any other. */
const char *other_context_address(const char *url);

/*
 * Whether the setting --NAME of a context that this process does not run says where it runs, or
 * nothing at all. INVALID_SETTING: it is no grpc://HOST:PORT; `asker` is the module that wants it.
 */
__attribute__((warn_unused_result)) struct error other_context_check(const char *asker,
                                                                     const char *name,
                                                                     const char *url);

/*
 * Looks it up; feed is NULL if it is nowhere. `source` and `types`, which a remote feed is asked
 * for, are literals. Errors: as remote_event_feed_open.
 */
__attribute__((warn_unused_result)) struct error other_events_find(
    struct other_events *events, const struct module_environment *environment, const char *source,
    const char *url, const char *const *types, size_t type_count);

/* Nobody reads any more. Twice is allowed. */
void other_events_close(struct other_events *events);

#endif
