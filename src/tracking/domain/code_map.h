#ifndef WAYBILL_TRACKING_DOMAIN_CODE_MAP_H
#define WAYBILL_TRACKING_DOMAIN_CODE_MAP_H

#include "platform/base/arena.h"
#include "platform/base/error.h"
#include "platform/base/text.h"
#include "tracking/domain/tracking_event.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * What a carrier's codes mean to us: versioned data (data/carrier_codes), one line
 *
 *     version,code,type,sub_status,reason,provenance
 *
 * a code, from that version on; "#" begins a comment; the first other line names the columns. type
 * is a TrackingEventType or NO_CHANGE. No field holds a comma. A map of a version has of each code
 * the line with the highest version that is not above it, so one file holds all of history.
 * Thread: any, once it is made.
 */
struct code_map_line {
    struct text code; /* in capitals */
    int32_t version;
    enum tracking_event_type type; /* UNSPECIFIED = NO_CHANGE */
    enum tracking_sub_status sub_status;
    struct text reason; /* for people */
    struct text provenance;
};

struct code_map {
    struct text carrier;
    struct code_map_line *lines; /* by code, then version */
    size_t count;
    int32_t newest_version; /* 0 = there is no line */
};

enum { code_map_lines_max = 10000, code_map_bytes_max = 1024 * 1024 };

/*
 * Reads a map from the text of its file; texts view it, lines are on the arena. Errors:
 * INVALID_SETTING with line and reason, OUT_OF_MEMORY.
 */
struct error code_map_parse(struct text carrier, struct text file, struct arena *arena,
                            struct code_map *map);

/*
 * What a code means by that version of the map; NULL if it says nothing. A code is looked for as it
 * came, without regard of case; one in parts, TYPE/CODE/STATUS, by TYPE/CODE, then STATUS, then
 * TYPE followed by a star, then TYPE. (UPS' 3-digit status goes second: its Track Alert sends
 * numbers that contradict the scan.) One of two parts likewise: by the last, then TYPE; one
 * of a single part may be a TYPE.
 */
const struct code_map_line *code_map_find(const struct code_map *map, struct text code,
                                          int32_t version);

/* All maps there are. */
struct code_maps {
    const struct code_map *maps;
    size_t count;
};

/* NULL if the carrier has none. */
const struct code_map *code_maps_find(const struct code_maps *maps, struct text carrier);

/*
 * Decides an event's type by the map, if it came without one and its carrier has a map: sets type,
 * sub_status, map_version. With a type of its own it gets the map's sub_status where the types
 * agree. Version 0 = the newest.
 */
void code_maps_apply(const struct code_maps *maps, int32_t version, struct tracking_event *event);

#endif
