#ifndef WAYBILL_EVENTS_DOMAIN_SUBSCRIPTION_H
#define WAYBILL_EVENTS_DOMAIN_SUBSCRIPTION_H

#include "events/domain/event_cursor.h"
#include "platform/base/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * What a subscriber asks for, and where that makes it begin in each log. Pure. Thread: any.
 */
enum {
    subscription_types_max = 64,
    subscription_type_bytes_max = 96,
    subscription_key_bytes_max = 160,
};

/* The logs of this process as they are at this moment. */
struct event_log_state {
    struct text source;
    struct text identity;
    uint64_t oldest; /* events kept have higher sequences */
    uint64_t newest; /* none has a higher one */
};

struct event_filter {
    const struct text *types; /* none = all */
    size_t type_count;
    struct text key; /* empty = all */
};

/* Whether the subscriber wants an event. */
bool event_filter_matches(const struct event_filter *filter, struct text type, struct text key);

/* Whether it may want events of this context at all: "waybill.SOURCE.…" is among its types. */
bool event_filter_concerns(const struct event_filter *filter, struct text source);

/* "waybill.inventory.v1.StockReserved" → "inventory"; empty if the type has not this form. */
struct text event_type_source(struct text type);

/* Where a subscriber begins. */
enum subscription_start {
    SUBSCRIPTION_STARTS,
    SUBSCRIPTION_CURSOR_UNREADABLE, /* nobody's making */
    SUBSCRIPTION_CURSOR_OTHER_LOG,  /* of a log that was made anew, or is not here */
    SUBSCRIPTION_CURSOR_NOT_KEPT,   /* before what is kept, or beyond the end */
};

/*
 * The position in each log, by the cursor's text: empty = the present, "oldest" = the oldest event
 * kept. A log that the cursor does not know came later: it begins with its oldest. If it does not
 * start, `source` says whose log is the reason (not for UNREADABLE).
 */
enum subscription_start subscription_start(struct text cursor, const struct event_log_state *logs,
                                           size_t log_count, struct arena *arena,
                                           uint64_t *positions, struct text *source);

#endif
