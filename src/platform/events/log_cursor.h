#ifndef WAYBILL_PLATFORM_EVENTS_LOG_CURSOR_H
#define WAYBILL_PLATFORM_EVENTS_LOG_CURSOR_H

#include "platform/base/text.h"
#include "platform/events/event_feed.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * The cursor of a stream that follows one log (WatchStock, WatchTracking, WatchOrder): the log's
 * identity, a dash, the position in hexadecimal. Opaque to callers, no secret. Pure; any thread.
 */
enum { log_cursor_bytes_max = event_log_identity_bytes_max + 1 + 16 }; /* with the NUL */

void log_cursor_write(const char *identity, uint64_t position, char cursor[log_cursor_bytes_max]);

/* False: it is of another log, or of nobody's making. */
__attribute__((warn_unused_result)) bool log_cursor_read(struct text cursor, const char *identity,
                                                         uint64_t *position);

#endif
