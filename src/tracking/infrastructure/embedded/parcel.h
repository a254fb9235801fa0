#ifndef WAYBILL_TRACKING_INFRASTRUCTURE_EMBEDDED_PARCEL_H
#define WAYBILL_TRACKING_INFRASTRUCTURE_EMBEDDED_PARCEL_H

#include "platform/base/buffer.h"
#include "platform/base/text.h"
#include "tracking/domain/limits.h"
#include "tracking/domain/tracking_repository.h"
#include "tracking/domain/tracking_state.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * What the engine knows of one number: its generations, and of each event what the state needs. It
 * is the summary that lies in RocksDB under the parcel's key and, while it is hot, in memory.
 *
 * A parcel remembers the position of the last record that changed it: replay passes over records
 * that it has seen. It also remembers which index entries were written for it, so that the next
 * writing knows what to take back.
 */

/* The index entries of a generation as they lie in RocksDB. */
struct parcel_index {
    uint8_t status;      /* 0 = none was written */
    bool order;          /* there is one by order */
    bool told;           /* silence was told of that activity */
    int64_t activity_us; /* of the index of those on their way; 0 = there is none */
};

struct parcel_generation {
    struct parcel_index index;
    char *texts; /* shipment_id and order_id */
};

struct parcel {
    uint64_t hash;        /* of the key, in the cache */
    struct parcel *newer; /* in the order of use, in the cache */
    struct parcel *older;
    struct parcel *dirty_next; /* in the order of the first change since it was written */
    struct parcel *dirty_previous;
    bool is_dirty;
    uint64_t dirty_position; /* of that change */
    uint64_t last_position;  /* of the last record that changed it */
    int64_t revision;
    struct text key; /* carrier, NUL, number, NUL; owned */
    struct text carrier;
    struct text tracking_number;
    bool has_ping;
    int64_t ping_time_us; /* the latest */
    int32_t ping_latitude_e7;
    int32_t ping_longitude_e7;
    int64_t silence_told_us; /* activity time for which silence was told; 0 = never */
    struct tracking_generation *generations; /* one or more, except for one just made */
    struct parcel_generation *extras;        /* one each */
    size_t generation_count;
    size_t generation_capacity;
    struct tracking_fact *facts;
    size_t fact_count;
    size_t fact_capacity;
    size_t bytes;      /* of memory, about */
    size_t bytes_told; /* to the cache */
};

enum { parcel_key_bytes_max = tracking_carrier_bytes_max + tracking_id_bytes_max + 2 };

/* Writes carrier, NUL, number, NUL and gives the size. */
size_t parcel_key_write(char key[parcel_key_bytes_max], struct text carrier,
                        struct text tracking_number);

/* One without generations and events; NULL without memory. */
struct parcel *parcel_create(struct text carrier, struct text tracking_number);
void parcel_destroy(struct parcel *parcel);

/* Makes room for one more fact or generation; false without memory, then nothing changed. */
__attribute__((warn_unused_result)) bool parcel_reserve_fact(struct parcel *parcel);

/*
 * Room and texts for a generation at `index`, new or in place of the one there; the texts are
 * copied and handed over by parcel_set_generation. NULL without memory.
 */
char *parcel_reserve_generation(struct parcel *parcel, const struct tracking_generation *wanted,
                                size_t index);
void parcel_set_generation(struct parcel *parcel, size_t index,
                           const struct tracking_generation *generation, char *texts);

/* Adds a fact and withdraws whom it corrects. There must be room. */
void parcel_add_fact(struct parcel *parcel, struct tracking_fact fact);

/* Index of the fact with that hash, or tracking_no_fact. */
size_t parcel_find_fact(const struct parcel *parcel, uint64_t id_hash);

struct tracking_verdict parcel_decide(const struct parcel *parcel, size_t generation_index);

/* Fills in all but last_event and location. Texts view the parcel. */
void parcel_describe(const struct parcel *parcel, size_t generation_index,
                     const struct tracking_verdict *verdict, struct tracking *tracking);

/* The summary's bytes, appended to `out`. False at its limit or without memory. */
__attribute__((warn_unused_result)) bool parcel_encode(const struct parcel *parcel,
                                                       struct buffer *out);

/* Error DAMAGED or OUT_OF_MEMORY. */
struct error parcel_decode(struct text key, struct text bytes, struct parcel **parcel);

#endif
