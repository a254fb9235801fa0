#ifndef WAYBILL_PLATFORM_EVENTS_EVENT_RECORD_H
#define WAYBILL_PLATFORM_EVENTS_EVENT_RECORD_H

#include "platform/base/codec.h"
#include "platform/events/event.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * What the event log holds: one record an event (docs/internals/events.md lists the bytes). Pure;
 * decoding trusts nothing. Thread: any.
 */
enum { event_record_version = 1 };

/* No record is longer than this and its data. */
enum {
    event_record_overhead_bytes = 1 + 3 * varint_bytes_max + 4 * varint_bytes_max +
                                  event_id_bytes_max + event_type_bytes_max + event_key_bytes_max,
};

/* The limits of event.h, which encoding takes for granted. */
bool event_is_within_limits(const struct event *event);

/* Writes event (all but its source) and gives the size; `bytes` has room for it. */
size_t event_record_encode(const struct event *event, int64_t logged_us, char *bytes);

/* Reads a whole record; texts view the bytes, source stays empty. False: the bytes are no record.
 */
__attribute__((warn_unused_result)) bool event_record_decode(struct text bytes, struct event *event,
                                                             int64_t *logged_us);

#endif
