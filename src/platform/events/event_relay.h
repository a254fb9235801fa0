#ifndef WAYBILL_PLATFORM_EVENTS_EVENT_RELAY_H
#define WAYBILL_PLATFORM_EVENTS_EVENT_RELAY_H

#include "platform/base/clock.h"
#include "platform/base/error.h"
#include "platform/base/random.h"
#include "platform/events/event_sink.h"
#include "platform/events/sql_outbox.h"
#include "platform/sql/sql.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Moves the rows of one context's outbox into its sink: reads some, appends them durably, deletes
 * them. Whatever stops between two of these steps, nothing is lost and nothing is there twice: rows
 * that were appended and not deleted are known by their event_id to the sink.
 *
 * PostgreSQL. Rows become visible in another order than their numbers tell, since transactions end
 * when they like. So only rows are taken whose transaction is older than every one still running
 * (transaction_id < pg_snapshot_xmin), in the order of outbox_id, and none behind a row that is
 * visible but not yet old enough: that keeps the order per key (the lock order of sql_outbox.h).
 * One long transaction anywhere in the server therefore delays all events; the lag shows it.
 *
 * One leader: a lease in the store, renewed by half of its time. What the events of a store go into
 * is written beside the lease for ever; a relay with another sink does not lead.
 */
struct event_relay;

struct event_relay_options {
    struct sql_store *store;
    struct sql_outbox *outbox;
    struct event_sink *sink;
    struct clock *clock;
    struct random *random;   /* names the holder of the lease */
    size_t batch_events_max; /* ≤ event_sink_batch_max */
    int64_t lease_us;        /* PostgreSQL; SQLite's file has one owner anyway */
    int64_t poll_us;         /* PostgreSQL: other processes' rows are found within this */
    int64_t gather_us;       /* after a wake-up, so that one sync carries many events */
    int64_t retry_us_max;    /* between failures: 100 ms, doubled up to this */
    int64_t tidy_us;         /* how often the sink is tidied */
    /*
     * Holding the sink proves that no other process holds it (the built-in log's directory is
     * locked): a lease of the same sink need not be waited for.
     */
    bool sink_is_exclusive;
    bool adopt_sink; /* lead although the store's events went into another sink before */
    bool threaded;   /* false, for tests: everything happens within event_relay_step */
    /* The sink cannot go on (its disk is in a state nobody knows): the process must stop. Called
     * once, on the relay's thread. NULL = log and abort. */
    void (*failed)(void *context, const struct error *error);
    void *failed_context;
};

/* 512 events, lease 10 s, poll 100 ms, gather 2 ms, retry 5 s, tidy 60 s, threaded. */
struct event_relay_options event_relay_options_default(void);

/* OUT_OF_MEMORY. Store, outbox and sink must outlive it. */
__attribute__((warn_unused_result)) struct error event_relay_start(
    struct event_relay **relay, const struct event_relay_options *options);

/* Something was committed: for sql_store_set_committed. Any thread, does not block. */
void event_relay_wake(void *relay);

/*
 * Not threaded: one round of lease, read, append, delete. *idle: there was nothing to do, or
 * another one leads.
 */
__attribute__((warn_unused_result)) struct error event_relay_step(struct event_relay *relay,
                                                                  bool *idle);

/* Ends after the round in hand and gives up the lease. The store still runs. NULL is allowed. */
void event_relay_stop(struct event_relay *relay);

enum event_relay_state {
    EVENT_RELAY_STARTING,
    EVENT_RELAY_LEADING,
    EVENT_RELAY_FOLLOWING,  /* another process holds the lease */
    EVENT_RELAY_OTHER_SINK, /* this store's events go into another sink: see adopt_sink */
    EVENT_RELAY_FAILING,    /* last_error; it tries on */
};

/* "leading" and so on. */
const char *event_relay_state_name(enum event_relay_state state);

/* How it goes. Any thread. */
struct event_relay_status {
    enum event_relay_state state;
    uint64_t relayed;       /* since the start */
    uint64_t waiting;       /* rows, when last measured */
    uint64_t waiting_bytes; /* now, roughly */
    int64_t lag_us;         /* age of the oldest row waiting, when last measured */
    struct error last_error;
};
struct event_relay_status event_relay_status(struct event_relay *relay);

#endif
