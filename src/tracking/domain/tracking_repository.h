#ifndef WAYBILL_TRACKING_DOMAIN_TRACKING_REPOSITORY_H
#define WAYBILL_TRACKING_DOMAIN_TRACKING_REPOSITORY_H

#include "platform/base/arena.h"
#include "platform/base/error.h"
#include "platform/base/executor.h"
#include "platform/base/text.h"
#include "tracking/domain/code_map.h"
#include "tracking/domain/tracking_event.h"
#include "tracking/domain/tracking_state.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Where trackings are kept. A repository takes whole decisions, each one atomic, durable step:
 * events, state and what is told of it together, synced before the answer (DESIGN section 3, rules
 * 2 and 3). What it answers is a pure function of the set of events and of the trackings created
 * (tracking_state.h): in whatever order and how often they came.
 *
 * Every write is idempotent: the same event again, by its id, answers with the record as it is now;
 * with other content TRACKING_ID_REUSED. A refusal leaves no trace.
 *
 * A command belongs to the store from the call until `done`; texts in it must live as long. Results
 * are written into the command, memory for them comes from its arena. `done` is called exactly
 * once, never before the call returned, on the command's executor. Thread: any that may post to
 * that executor's owner, normally the executor's own.
 *
 * Inputs are valid (application/ has checked them): fields within limits.h, every event with its
 * event_id, its type decided as far as a code map can.
 */
struct tracking_repository;

/* What the store decided. Every refusal is a result, not an error. */
enum tracking_outcome {
    TRACKING_DONE,
    TRACKING_NOT_FOUND,        /* the number, or this generation of it */
    TRACKING_ID_REUSED,        /* CreateTracking: the number is another shipment's; RecordEvent: the
                                  id is another event's */
    TRACKING_EVENT_LIMIT,      /* the number has tracking_events_max */
    TRACKING_GENERATION_LIMIT, /* the number has tracking_generations_max */
    TRACKING_NOTE_LIMIT,       /* there are as many notes as the command allows */
};

/*
 * Completion of every call. `error` is NULL when the store decided: read the command's outcome.
 * Errors: STORE_UNAVAILABLE (outcome unknown: send it again); OVERLOADED, DISK_FULL, OUT_OF_MEMORY
 * (nothing was done); DAMAGED. It lives until this returns.
 */
typedef void tracking_done(void *context, const struct error *error);

/* First member of every command. The caller sets executor and arena; the rest is the store's. */
struct tracking_command {
    struct executor *executor;
    struct arena *arena;
    enum tracking_outcome outcome;
    struct task task;
    int kind;
    tracking_done *done;
    void *context;
    struct error *error; /* NULL or on the arena */
};

/* A parcel as it is. */
struct tracking {
    struct text carrier;
    struct text tracking_number;
    int32_t generation; /* 1, 2, … */
    enum tracking_status status;
    enum tracking_sub_status sub_status;
    bool has_last_event;
    struct tracking_event last_event;  /* the latest that occurred */
    struct tracking_location location; /* the latest known; nothing set = none is */
    int64_t expected_delivery_time_us; /* 0 = nobody said */
    int64_t original_expected_delivery_time_us;
    int64_t delivered_time_us; /* 0 = not delivered */
    int64_t event_count;
    int64_t revision; /* + 1 with every change of the number */
    struct text shipment_id;
    struct text order_id;
    int64_t start_time_us; /* 0 = nobody said */
};

/* A generation of a number: what lists are sorted by. An empty carrier comes before all. */
struct tracking_key {
    struct text carrier;
    struct text tracking_number;
    int32_t generation;
};

struct create_tracking_command {
    struct tracking_command base;
    struct text carrier;
    struct text tracking_number;
    struct text shipment_id;
    struct text order_id;
    int64_t expected_delivery_time_us; /* 0 = not said */
    int64_t start_time_us;             /* 0 = the store's now */
    struct tracking tracking;          /* result */
};

struct get_tracking_command {
    struct tracking_command base;
    struct text carrier;
    struct text tracking_number;
    int32_t generation;       /* 0 = the latest */
    struct tracking tracking; /* result */
};

struct list_trackings_command {
    struct tracking_command base;
    struct text order_id;        /* empty = by status */
    enum tracking_status status; /* without order_id */
    size_t page_size;
    struct tracking_key after;  /* go on behind this one */
    struct tracking *trackings; /* result, by carrier, number, generation */
    size_t tracking_count;
    bool more; /* result: behind the last one there are others */
};

/* A tracking on its way and since when nothing was heard of it. */
struct idle_tracking {
    struct tracking_key key;
    enum tracking_status status;
    int64_t activity_us; /* when the last event occurred, or it was created */
    int64_t expected_delivery_time_us;
};

struct list_idle_trackings_command {
    struct tracking_command base;
    int64_t from_us; /* active last from this time on … */
    int64_t to_us;   /* … and before this one */
    bool told;       /* those of which silence was told; else the others */
    size_t page_size;
    struct tracking_key after;       /* go on behind this one … */
    int64_t after_us;                /* … of that activity */
    struct idle_tracking *trackings; /* result, by activity, then key */
    size_t tracking_count;
    bool more;
};

struct record_event_command {
    struct tracking_command base;
    struct tracking_event event;                /* result too: as it is kept */
    char content_id[tracking_content_id_bytes]; /* room for an id made of the content */
    bool wants_tracking;                        /* false: `tracking` is not filled in */
    bool is_new;                                /* result: false = it was there */
    struct tracking tracking;                   /* result */
};

struct record_ping_command {
    struct tracking_command base;
    struct text carrier;
    struct text tracking_number;
    int32_t latitude_e7;
    int32_t longitude_e7;
    int64_t time_us;
};

struct list_events_command {
    struct tracking_command base;
    struct text carrier;
    struct text tracking_number;
    int32_t generation; /* 0 = all */
    int64_t from_us;    /* from this time on … */
    int64_t to_us;      /* … and before this one */
    bool newest_first;
    size_t page_size;
    bool has_after; /* go on behind this event */
    int64_t after_time_us;
    struct text after_event_id;
    struct tracking_event *events; /* result, by occurred_time, then event_id */
    size_t event_count;
    bool more;
};

struct remap_trackings_command {
    struct tracking_command base;
    struct text carrier;
    const struct code_maps *maps; /* live as long as the store */
    int32_t map_version;
    int64_t trackings; /* results: how many had an event mapped anew */
    int64_t events;
    int64_t status_changes;
};

struct erase_tracking_command {
    struct tracking_command base;
    struct text carrier;
    struct text tracking_number;
    int64_t generations; /* results */
    int64_t events;
    int64_t pings;
};

/*
 * Notes: small named values that whoever uses the repository keeps in it (subscriptions, places in
 * others' feeds). An empty value is none.
 */
enum { tracking_note_name_bytes_max = 128, tracking_note_bytes_max = 4096 };

struct tracking_note {
    struct text name;
    struct text value;
};

struct put_note_command {
    struct tracking_command base;
    struct text name;
    struct text value;   /* empty = remove; result: as it is now */
    bool only_if_absent; /* what is there stays, and is the result */
    /* One that is not there yet is refused where so many names begin like that; 0 = never. */
    struct text limited_prefix;
    size_t count_max;
};

struct list_notes_command {
    struct tracking_command base;
    struct text prefix;
    struct text after; /* go on behind this name; empty = from the first */
    size_t page_size;
    struct tracking_note *notes; /* result, by name */
    size_t note_count;
    bool more;
};

struct tracking_repository_table {
    void (*create_tracking)(struct tracking_repository *, struct create_tracking_command *);
    void (*get_tracking)(struct tracking_repository *, struct get_tracking_command *);
    void (*list_trackings)(struct tracking_repository *, struct list_trackings_command *);
    void (*list_idle_trackings)(struct tracking_repository *, struct list_idle_trackings_command *);
    void (*record_event)(struct tracking_repository *, struct record_event_command *);
    void (*record_ping)(struct tracking_repository *, struct record_ping_command *);
    void (*list_events)(struct tracking_repository *, struct list_events_command *);
    void (*remap_trackings)(struct tracking_repository *, struct remap_trackings_command *);
    void (*erase_tracking)(struct tracking_repository *, struct erase_tracking_command *);
    void (*put_note)(struct tracking_repository *, struct put_note_command *);
    void (*list_notes)(struct tracking_repository *, struct list_notes_command *);
};

struct tracking_repository {
    const struct tracking_repository_table *table;
};

/*
 * Opens a tracking, or completes or answers with the one there is (tracking_decide_creation). Deals
 * the number's events out again. Outcomes: DONE, ID_REUSED, GENERATION_LIMIT.
 */
static inline void tracking_repository_create_tracking(struct tracking_repository *repository,
                                                       struct create_tracking_command *command,
                                                       tracking_done *done, void *context)
{
    command->base.done = done;
    command->base.context = context;
    repository->table->create_tracking(repository, command);
}

/* Outcomes: DONE, NOT_FOUND. */
static inline void tracking_repository_get_tracking(struct tracking_repository *repository,
                                                    struct get_tracking_command *command,
                                                    tracking_done *done, void *context)
{
    command->base.done = done;
    command->base.context = context;
    repository->table->get_tracking(repository, command);
}

/* Outcome: DONE. */
static inline void tracking_repository_list_trackings(struct tracking_repository *repository,
                                                      struct list_trackings_command *command,
                                                      tracking_done *done, void *context)
{
    command->base.done = done;
    command->base.context = context;
    repository->table->list_trackings(repository, command);
}

/*
 * Those on their way (DELIVERED, RETURNED and CANCELLED are not) by when they were heard of last.
 * It is read from an index that may be some minutes behind. Outcome: DONE.
 */
static inline void tracking_repository_list_idle_trackings(
    struct tracking_repository *repository, struct list_idle_trackings_command *command,
    tracking_done *done, void *context)
{
    command->base.done = done;
    command->base.context = context;
    repository->table->list_idle_trackings(repository, command);
}

/*
 * Keeps an event; a number that nobody created is created by it. Outcomes: DONE, ID_REUSED,
 * EVENT_LIMIT.
 */
static inline void tracking_repository_record_event(struct tracking_repository *repository,
                                                    struct record_event_command *command,
                                                    tracking_done *done, void *context)
{
    command->base.done = done;
    command->base.context = context;
    repository->table->record_event(repository, command);
}

/*
 * Keeps where a known parcel was; another ping of that instant replaces it, and one older than the
 * retention is not kept. Outcomes: DONE, NOT_FOUND.
 */
static inline void tracking_repository_record_ping(struct tracking_repository *repository,
                                                   struct record_ping_command *command,
                                                   tracking_done *done, void *context)
{
    command->base.done = done;
    command->base.context = context;
    repository->table->record_ping(repository, command);
}

/*
 * A page has page_size events, or fewer where their payloads reach tracking_page_payload_bytes_max.
 * Outcomes: DONE, NOT_FOUND.
 */
static inline void tracking_repository_list_events(struct tracking_repository *repository,
                                                   struct list_events_command *command,
                                                   tracking_done *done, void *context)
{
    command->base.done = done;
    command->base.context = context;
    repository->table->list_events(repository, command);
}

/*
 * Decides again, by a version of the maps, the type of each of the carrier's events that came
 * without one. One step a tracking; writes may go on meanwhile, and a repeat after a failure does
 * what is left. Outcome: DONE.
 */
static inline void tracking_repository_remap_trackings(struct tracking_repository *repository,
                                                       struct remap_trackings_command *command,
                                                       tracking_done *done, void *context)
{
    command->base.done = done;
    command->base.context = context;
    repository->table->remap_trackings(repository, command);
}

/* Forgets a number with all it has. Outcomes: DONE, NOT_FOUND. */
static inline void tracking_repository_erase_tracking(struct tracking_repository *repository,
                                                      struct erase_tracking_command *command,
                                                      tracking_done *done, void *context)
{
    command->base.done = done;
    command->base.context = context;
    repository->table->erase_tracking(repository, command);
}

/*
 * Outcomes: DONE; NOT_FOUND (removing what is not there); NOTE_LIMIT (count_max). Whether it is
 * there, how many there are and the writing are one step.
 */
static inline void tracking_repository_put_note(struct tracking_repository *repository,
                                                struct put_note_command *command,
                                                tracking_done *done, void *context)
{
    command->base.done = done;
    command->base.context = context;
    repository->table->put_note(repository, command);
}

/* Outcome: DONE. */
static inline void tracking_repository_list_notes(struct tracking_repository *repository,
                                                  struct list_notes_command *command,
                                                  tracking_done *done, void *context)
{
    command->base.done = done;
    command->base.context = context;
    repository->table->list_notes(repository, command);
}

#endif
