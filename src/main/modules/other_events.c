/* A module of this process goes before the setting, which then names its store. */
#include "main/modules/other_events.h"

#include "events/interfaces/client/remote_event_feed.h"

#include <stdint.h>
#include <string.h>

static const char grpc_scheme[] = "grpc://";

const char *other_context_address(const char *url)
{
    return text_starts_with(text_of(url), text_of(grpc_scheme)) ? url + strlen(grpc_scheme) : NULL;
}

struct error other_context_check(const char *asker, const char *name, const char *url)
{
    const char *address = other_context_address(url);
    const char *colon = address == NULL ? NULL : strrchr(address, ':');
    int64_t port;
    if (url[0] == '\0' || (colon != NULL && colon > address && strchr(address, '/') == NULL &&
                           text_to_int64(text_of(colon + 1), &port) && port >= 1 && port <= 65535))
        return error_none();
    return error_make(ERROR_INVALID_SETTING,
                      "%s: --%s %.100s: is no grpc://HOST:PORT; this process serves no %s, so that "
                      "is where another one does",
                      asker, name, url, name);
}

struct error other_events_find(struct other_events *events,
                               const struct module_environment *environment, const char *source,
                               const char *url, const char *const *types, size_t type_count)
{
    struct module *module = module_find(environment, source);
    const char *address = other_context_address(url);
    *events = (struct other_events){0};
    if (module != NULL && module->table->feed != NULL) {
        events->feed = module->table->feed(module);
        return error_none();
    }
    if (address == NULL)
        return error_none();
    struct remote_event_feed_options options = remote_event_feed_options_default();
    options.source = source;
    options.server = address;
    options.types = types;
    options.type_count = type_count;
    struct error error = remote_event_feed_open(&events->remote, &options);
    if (!error_is(error))
        events->feed = remote_event_feed_port(events->remote);
    return error;
}

void other_events_close(struct other_events *events)
{
    remote_event_feed_close(events->remote);
    *events = (struct other_events){0};
}
