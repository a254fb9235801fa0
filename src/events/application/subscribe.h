#ifndef WAYBILL_EVENTS_APPLICATION_SUBSCRIBE_H
#define WAYBILL_EVENTS_APPLICATION_SUBSCRIBE_H

#include "events/domain/subscription.h"
#include "platform/base/violations.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * The use case Subscribe: what a caller wants is checked, every field. Pure. Thread: any.
 */

/* The types of events that exist, in any order; of contexts that are not here, too. */
struct event_types {
    const char *const *names;
    size_t count;
};

/*
 * Checks the filter: at most 64 types, each known and of a log that is here; the key at most 160
 * bytes of UTF-8 without control characters. False: `violations` tells what is wrong.
 */
__attribute__((warn_unused_result)) bool subscribe_check(const struct event_filter *filter,
                                                         const struct event_types *known,
                                                         const struct event_log_state *logs,
                                                         size_t log_count,
                                                         struct violations *violations);

#endif
