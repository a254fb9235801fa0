/* A name that is known but told by no log here would never come: that is refused, too. */
#include "events/application/subscribe.h"

static bool is_known(const struct event_types *known, struct text type)
{
    for (size_t i = 0; i < known->count; i++) {
        if (text_equals_string(type, known->names[i]))
            return true;
    }
    return false;
}

static bool is_here(const struct event_log_state *logs, size_t log_count, struct text type)
{
    for (size_t i = 0; i < log_count; i++) {
        if (text_equal(logs[i].source, event_type_source(type)))
            return true;
    }
    return false;
}

bool subscribe_check(const struct event_filter *filter, const struct event_types *known,
                     const struct event_log_state *logs, size_t log_count,
                     struct violations *violations)
{
    if (filter->type_count > subscription_types_max)
        violations_add(violations, "must have at most 64 elements", "types");
    for (size_t i = 0; i < filter->type_count && i < subscription_types_max; i++) {
        if (!is_known(known, filter->types[i]))
            violations_add(violations,
                           "is no event's type; write waybill.CONTEXT.v1.NAME, for example "
                           "waybill.inventory.v1.StockReserved",
                           "types[%zu]", i);
        else if (!is_here(logs, log_count, filter->types[i]))
            violations_add(violations, "is told by a service that does not run in this process",
                           "types[%zu]", i);
    }
    if (filter->key.size > subscription_key_bytes_max || !text_is_utf8(filter->key) ||
        text_has_control(filter->key))
        violations_add(violations, "must be at most 160 bytes of UTF-8 without control characters",
                       "key");
    return violations->count == 0;
}
