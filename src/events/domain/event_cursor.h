#ifndef WAYBILL_EVENTS_DOMAIN_EVENT_CURSOR_H
#define WAYBILL_EVENTS_DOMAIN_EVENT_CURSOR_H

#include "platform/base/arena.h"
#include "platform/base/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Where a subscriber stands: one place in the log of each context. As text it is opaque, of
 * [A-Za-z0-9_-], and carries a checksum, so that one of nobody's making is found out; it is no
 * secret. Pure. Thread: any.
 */
enum {
    event_cursor_places_max = 16,
    event_cursor_source_bytes_max = 16,
    event_cursor_identity_bytes_max = 31,
    event_cursor_text_bytes_max = 2048,
};

struct event_cursor_place {
    struct text source;   /* "inventory" */
    struct text identity; /* of its log */
    uint64_t position;    /* behind what was seen */
};

struct event_cursor {
    struct event_cursor_place places[event_cursor_places_max];
    size_t count;
};

/* The cursor as text, NUL-terminated; data is NULL without memory. */
struct text event_cursor_encode(const struct event_cursor *cursor, struct arena *arena);

/* False: it is nobody's, or without memory. Texts live on the arena. */
__attribute__((warn_unused_result)) bool event_cursor_decode(struct text text, struct arena *arena,
                                                             struct event_cursor *cursor);

#endif
