/* Comparisons of texts and numbers. */
#include "events/domain/subscription.h"

#include <string.h>

static const char type_prefix[] = "waybill.";

struct text event_type_source(struct text type)
{
    struct text prefix = text_of(type_prefix);
    if (!text_starts_with(type, prefix))
        return (struct text){0};
    const char *start = type.data + prefix.size;
    const char *dot = memchr(start, '.', type.size - prefix.size);
    return dot == NULL ? (struct text){0} : text_make(start, (size_t)(dot - start));
}

bool event_filter_matches(const struct event_filter *filter, struct text type, struct text key)
{
    if (filter->key.size > 0 && !text_equal(filter->key, key))
        return false;
    for (size_t i = 0; i < filter->type_count; i++) {
        if (text_equal(filter->types[i], type))
            return true;
    }
    return filter->type_count == 0;
}

bool event_filter_concerns(const struct event_filter *filter, struct text source)
{
    for (size_t i = 0; i < filter->type_count; i++) {
        if (text_equal(event_type_source(filter->types[i]), source))
            return true;
    }
    return filter->type_count == 0;
}

static const struct event_cursor_place *place_of(const struct event_cursor *cursor,
                                                 struct text source)
{
    for (size_t i = 0; i < cursor->count; i++) {
        if (text_equal(cursor->places[i].source, source))
            return &cursor->places[i];
    }
    return NULL;
}

static bool has_log(const struct event_log_state *logs, size_t log_count, struct text source)
{
    for (size_t i = 0; i < log_count; i++) {
        if (text_equal(logs[i].source, source))
            return true;
    }
    return false;
}

enum subscription_start subscription_start(struct text cursor, const struct event_log_state *logs,
                                           size_t log_count, struct arena *arena,
                                           uint64_t *positions, struct text *source)
{
    struct event_cursor decoded;
    bool from_oldest = text_equals_string(cursor, "oldest");
    *source = (struct text){0};
    if (cursor.size == 0 || from_oldest) {
        for (size_t i = 0; i < log_count; i++)
            positions[i] = from_oldest ? logs[i].oldest : logs[i].newest;
        return SUBSCRIPTION_STARTS;
    }
    if (!event_cursor_decode(cursor, arena, &decoded))
        return SUBSCRIPTION_CURSOR_UNREADABLE;
    for (size_t i = 0; i < decoded.count; i++) {
        *source = decoded.places[i].source;
        if (!has_log(logs, log_count, *source))
            return SUBSCRIPTION_CURSOR_OTHER_LOG;
    }
    for (size_t i = 0; i < log_count; i++) {
        const struct event_cursor_place *place = place_of(&decoded, logs[i].source);
        *source = logs[i].source;
        positions[i] = place == NULL ? logs[i].oldest : place->position;
        if (place != NULL && !text_equal(place->identity, logs[i].identity))
            return SUBSCRIPTION_CURSOR_OTHER_LOG;
        if (positions[i] < logs[i].oldest || positions[i] > logs[i].newest)
            return SUBSCRIPTION_CURSOR_NOT_KEPT;
    }
    return SUBSCRIPTION_STARTS;
}
