#ifndef WAYBILL_TRACKING_DOMAIN_TRACKING_ANNOUNCEMENT_H
#define WAYBILL_TRACKING_DOMAIN_TRACKING_ANNOUNCEMENT_H

#include "platform/base/arena.h"
#include "platform/base/error.h"
#include "tracking/domain/tracking_repository.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * What tracking tells the world (DESIGN section 4, events.v1), and the port through which it is
 * read: every change of a tracking; after it, if it made that of it, that the parcel has arrived;
 * and that one has been silent for too long. Announcements of one number come in the order of its
 * changes.
 */
enum tracking_announcement_type {
    TRACKING_ANNOUNCES_UPDATE,
    TRACKING_ANNOUNCES_DELIVERY,
    TRACKING_ANNOUNCES_SILENCE,
};

/* The tracking after a change, and what it was before. */
struct tracking_change {
    struct tracking after; /* last_event and location only where the event told is theirs */
    enum tracking_status previous_status;
    int64_t previous_expected_delivery_time_us;
    bool last_is_event;     /* the event told is the last one now … */
    bool location_is_event; /* … and says where the parcel is */
    bool is_delivered_now;  /* it was not before */
};

/* Texts live on the read's arena. */
struct tracking_announcement {
    enum tracking_announcement_type type;
    uint64_t sequence; /* its place in the log: grows; never 0 */
    int64_t time_us;
    struct text carrier;
    struct text tracking_number;
    struct tracking_change change; /* SILENCE: of `after` the ids, generation, status */
    bool has_event;                /* UPDATE: it was an event that changed it */
    struct tracking_event event;
    int64_t silent_since_us; /* SILENCE */
};

/* What one read gave. */
struct tracking_announcement_batch {
    const struct tracking_announcement *announcements;
    size_t count;
    uint64_t next; /* read on after this */
};

/* Something new is durable; on a thread of the store's, must not block. */
typedef void tracking_announcement_wake(void *context);

struct tracking_announcement_source;

struct tracking_announcement_source_table {
    struct error (*read)(struct tracking_announcement_source *source, uint64_t after,
                         size_t count_max, struct arena *arena,
                         struct tracking_announcement_batch *batch);
    uint64_t (*oldest)(struct tracking_announcement_source *source);
    uint64_t (*newest)(struct tracking_announcement_source *source);
    const char *(*identity)(struct tracking_announcement_source *source);
    void (*set_wake)(struct tracking_announcement_source *source, tracking_announcement_wake *wake,
                     void *context);
    void (*set_held)(struct tracking_announcement_source *source, uint64_t (*held)(void *context),
                     void *context);
};

struct tracking_announcement_source {
    const struct tracking_announcement_source_table *table;
};

/*
 * Durable announcements with sequence > `after`, in order, the same on every read. It blocks:
 * threads of its caller's only, any number of them. Errors: CURSOR_EXPIRED (`after` is not in what
 * is kept), DAMAGED, INPUT_OUTPUT, OUT_OF_MEMORY (also: the arena is too small for one).
 */
static inline struct error tracking_announcement_source_read(
    struct tracking_announcement_source *source, uint64_t after, size_t count_max,
    struct arena *arena, struct tracking_announcement_batch *batch)
{
    return source->table->read(source, after, count_max, arena, batch);
}

/* `after` for the oldest kept, and for what comes from now on. Any thread. */
static inline uint64_t tracking_announcement_source_oldest(
    struct tracking_announcement_source *source)
{
    return source->table->oldest(source);
}

static inline uint64_t tracking_announcement_source_newest(
    struct tracking_announcement_source *source)
{
    return source->table->newest(source);
}

/* Which log it is, for ever; at most 31 characters. */
static inline const char *tracking_announcement_source_identity(
    struct tracking_announcement_source *source)
{
    return source->table->identity(source);
}

/* From now on, until it is set to NULL, which waits for a call under way. One at a time. */
static inline void tracking_announcement_source_set_wake(
    struct tracking_announcement_source *source, tracking_announcement_wake *wake, void *context)
{
    source->table->set_wake(source, wake, context);
}

/* What comes behind the position that `held` gives is not removed, however old it is; UINT64_MAX
 * holds nothing. As set_wake. */
static inline void tracking_announcement_source_set_held(
    struct tracking_announcement_source *source, uint64_t (*held)(void *context), void *context)
{
    source->table->set_held(source, held, context);
}

#endif
