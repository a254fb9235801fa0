#ifndef WAYBILL_PLATFORM_BASE_TIME_ZONE_H
#define WAYBILL_PLATFORM_BASE_TIME_ZONE_H

#include "platform/base/error.h"
#include "platform/base/text.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * Local time by the machine's time zone database (TZif files, RFC 8536, in /usr/share/zoneinfo or
 * where TZDIR says). libc knows one zone a process; this knows any number. A zone is read once and
 * never changes. Thread: any, but for the end of a zone's life.
 */
struct time_zone;

/* Whether there is a zone of that name ("Europe/Berlin"), and it can be read. Reads a file. */
bool time_zone_is_known(struct text name);

/*
 * Reads the zone; the empty name is UTC. Errors: NOT_FOUND (no such name), DAMAGED (no TZif file),
 * INPUT_OUTPUT, OUT_OF_MEMORY.
 */
__attribute__((warn_unused_result)) struct error time_zone_create(struct time_zone **zone,
                                                                  struct text name);

/* NULL is allowed. */
void time_zone_destroy(struct time_zone *zone);

/* How far local time is ahead of UTC at this instant, in seconds. */
int64_t time_zone_offset_seconds(const struct time_zone *zone, int64_t utc_seconds);

#endif
