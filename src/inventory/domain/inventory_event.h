#ifndef WAYBILL_INVENTORY_DOMAIN_INVENTORY_EVENT_H
#define WAYBILL_INVENTORY_DOMAIN_INVENTORY_EVENT_H

#include "inventory/domain/inventory_repository.h"
#include "inventory/domain/reservation.h"
#include "inventory/domain/stock.h"
#include "platform/base/arena.h"
#include "platform/base/error.h"
#include "platform/base/text.h"

#include <stddef.h>
#include <stdint.h>

/*
 * What has happened in inventory (DESIGN section 4, events.v1), as the domain tells it, and the
 * port through which it is read. One change may make several events: the change itself, then what
 * it crossed.
 */
enum inventory_event_type {
    INVENTORY_EVENT_STOCK_RECEIVED,
    INVENTORY_EVENT_STOCK_ADJUSTED,
    INVENTORY_EVENT_STOCK_ALERT,
    INVENTORY_EVENT_STOCK_SHORTAGE,
    INVENTORY_EVENT_STOCK_RESERVED,
    INVENTORY_EVENT_STOCK_COMMITTED,
    INVENTORY_EVENT_RESERVATION_ROLLED_BACK,
    INVENTORY_EVENT_RESERVATION_EXPIRED,
    INVENTORY_EVENT_RESERVATION_EXTENDED,
    INVENTORY_EVENT_STOCK_RETURNED,
};

/* Which members are set depends on the type; texts live as the reservation, on the read's arena. */
struct inventory_event {
    enum inventory_event_type type;
    uint64_t sequence; /* its place in the log: grows from event to event; never 0 */
    int64_t time_us;
    struct text id;  /* RECEIVED, ADJUSTED, RETURNED: of the receipt, adjustment or return */
    struct text sku; /* RECEIVED, ADJUSTED, ALERT, SHORTAGE */
    int64_t quantity;
    int64_t stock_revision;
    enum adjustment_reason reason; /* ADJUSTED */
    struct text note;
    enum stock_state state_before; /* ALERT */
    enum stock_state state_after;
    int64_t available; /* ALERT, SHORTAGE */
    int64_t low_stock_threshold;
    const struct reservation *reservation; /* the others: as it was after the change */
    enum return_reason return_reason;      /* RETURNED */
    const int64_t *returned;               /* RETURNED: quantity of each line of the reservation */
};

/* What one read gave. */
struct inventory_event_batch {
    const struct inventory_event *events;
    size_t event_count;
    uint64_t next; /* read on after this */
};

/* Something new is durable; on a thread of the store's, must not block. */
typedef void inventory_event_wake(void *context);

struct inventory_event_source;

struct inventory_event_source_table {
    struct error (*read)(struct inventory_event_source *source, uint64_t after,
                         size_t event_count_max, struct arena *arena,
                         struct inventory_event_batch *batch);
    uint64_t (*oldest)(struct inventory_event_source *source);
    uint64_t (*newest)(struct inventory_event_source *source);
    const char *(*identity)(struct inventory_event_source *source);
    void (*set_wake)(struct inventory_event_source *source, inventory_event_wake *wake,
                     void *context);
};

struct inventory_event_source {
    const struct inventory_event_source_table *table;
};

/*
 * Durable events with sequence > `after`, in order, the same on every read. It blocks: threads of
 * its caller's only, any number of them. Errors: CURSOR_EXPIRED (`after` is not in what is kept),
 * DAMAGED, INPUT_OUTPUT, OUT_OF_MEMORY (also: the arena is too small for one event).
 */
static inline struct error inventory_event_source_read(struct inventory_event_source *source,
                                                       uint64_t after, size_t event_count_max,
                                                       struct arena *arena,
                                                       struct inventory_event_batch *batch)
{
    return source->table->read(source, after, event_count_max, arena, batch);
}

/* `after` for the oldest event kept, and for what comes from now on. Any thread. */
static inline uint64_t inventory_event_source_oldest(struct inventory_event_source *source)
{
    return source->table->oldest(source);
}

static inline uint64_t inventory_event_source_newest(struct inventory_event_source *source)
{
    return source->table->newest(source);
}

/* Which log it is, for ever; at most 31 characters. */
static inline const char *inventory_event_source_identity(struct inventory_event_source *source)
{
    return source->table->identity(source);
}

/* From now on, until it is set to NULL, which waits for a call under way. One at a time. */
static inline void inventory_event_source_set_wake(struct inventory_event_source *source,
                                                   inventory_event_wake *wake, void *context)
{
    source->table->set_wake(source, wake, context);
}

#endif
