#ifndef WAYBILL_TRACKING_INFRASTRUCTURE_EMBEDDED_TRACKING_RECORD_H
#define WAYBILL_TRACKING_INFRASTRUCTURE_EMBEDDED_TRACKING_RECORD_H

#include "platform/base/codec.h"
#include "tracking/domain/limits.h"
#include "tracking/domain/tracking_announcement.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * What the record log of tracking holds: one record a change, with what was decided, so that replay
 * decides nothing and the outbox needs nothing else. docs/internals/tracking_records.md lists the
 * bytes. Texts of a decoded record view its bytes.
 */
enum { tracking_record_version = 1 };

enum tracking_record_type {
    TRACKING_RECORD_EVENT = 1,      /* an event was recorded */
    TRACKING_RECORD_GENERATION = 2, /* a generation was opened or completed */
    TRACKING_RECORD_REMAP = 3,      /* events got another type */
    TRACKING_RECORD_ERASE = 4,      /* a number is forgotten */
    TRACKING_RECORD_PING = 5,
    TRACKING_RECORD_SILENCE = 6, /* nothing was heard for too long */
    TRACKING_RECORD_NOTE = 7,    /* no number's: carrier and number are empty */
};

/* An event whose type the map decided anew. */
struct tracking_remapped_event {
    int64_t occurred_time_us;
    struct text event_id;
    enum tracking_event_type type;
    enum tracking_sub_status sub_status;
};
enum { tracking_remapped_events_max = 100 }; /* of one record */

struct tracking_record {
    enum tracking_record_type type;
    int64_t time_us;
    struct text carrier;
    struct text tracking_number;
    struct tracking_change change;         /* EVENT, GENERATION, REMAP */
    struct tracking_event event;           /* EVENT */
    size_t generation_index;               /* GENERATION */
    struct tracking_generation generation; /* GENERATION */
    int32_t map_version;                   /* REMAP */
    size_t remapped_count;                 /* REMAP */
    const struct tracking_remapped_event *remapped;
    int32_t latitude_e7; /* PING */
    int32_t longitude_e7;
    int64_t ping_time_us;
    int32_t silent_generation; /* SILENCE: 1, 2, … */
    int64_t silent_since_us;
    enum tracking_status silent_status;
    struct text silent_shipment_id;
    struct text silent_order_id;
    struct tracking_note note; /* NOTE */
};

/* Room for what a decoded record lists. */
struct tracking_record_lists {
    struct tracking_remapped_event remapped[tracking_remapped_events_max];
};

/* No record is longer, and no event's value. */
enum { tracking_record_bytes_max = 16 * 1024 };

/* Writes the record at `bytes`, which has room for it, and gives its size. */
size_t tracking_record_encode(const struct tracking_record *record, char *bytes);

/* Reads a whole record; `lists` must live as long as it. False if the bytes are no record. */
__attribute__((warn_unused_result)) bool tracking_record_decode(struct text bytes,
                                                                struct tracking_record_lists *lists,
                                                                struct tracking_record *record);

/* An event without carrier and number. */
void tracking_event_encode(const struct tracking_event *event, struct byte_writer *writer);
void tracking_event_decode(struct byte_reader *reader, struct tracking_event *event);

/* A generation. */
void tracking_generation_encode(const struct tracking_generation *generation,
                                struct byte_writer *writer);
void tracking_generation_decode(struct byte_reader *reader, struct tracking_generation *generation);

#endif
