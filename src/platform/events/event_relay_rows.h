#ifndef WAYBILL_PLATFORM_EVENTS_EVENT_RELAY_ROWS_H
#define WAYBILL_PLATFORM_EVENTS_EVENT_RELAY_ROWS_H

#include "platform/base/arena.h"
#include "platform/base/clock.h"
#include "platform/base/error.h"
#include "platform/events/event.h"
#include "platform/sql/sql.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The relay's side of a context's two tables (sql_outbox.h): its statements and the scripts that
 * run them. Each call is one transaction and waits for it. Thread: the relay's.
 */
enum { relay_statement_bytes_max = 512, relay_holder_bytes = 33, relay_scripts_deadline_s = 30 };

struct relay_rows {
    struct sql_store *store;
    struct clock *clock;
    struct arena arena; /* of the call in hand; what a call gave lives until the next one */
    char texts[8][relay_statement_bytes_max];
    struct sql_statement lease_read;
    struct sql_statement lease_write;
    struct sql_statement lease_release;
    struct sql_statement read;
    struct sql_statement measure;
    struct sql_statement remove;
};

/* It must not move afterwards: its statements' addresses are keys. */
void relay_rows_init(struct relay_rows *rows, struct sql_store *store, const char *context,
                     struct clock *clock);
void relay_rows_deinit(struct relay_rows *rows);

enum relay_lease {
    RELAY_LEASE_HELD,
    RELAY_LEASE_ELSEWHERE,
    RELAY_LEASE_OTHER_SINK, /* `sink` tells which */
};

/* Takes or renews the lease for `holder`, for a time of `lease_us` from now. */
struct relay_lease_request {
    const char *holder;
    const char *sink;
    int64_t lease_us;
    bool adopt_sink;
    bool sink_is_exclusive; /* whoever held the lease with this sink is gone */
    enum relay_lease result;
    char other_sink[32];
};
__attribute__((warn_unused_result)) struct error relay_rows_lease(
    struct relay_rows *rows, struct relay_lease_request *request);

/* Gives the lease up, if it is still `holder`'s. */
__attribute__((warn_unused_result)) struct error relay_rows_release(struct relay_rows *rows,
                                                                    const char *holder);

/* Rows in the order of relaying; events without source and sequence. */
struct relay_batch {
    size_t count_max;
    struct event *events;
    int64_t *outbox_ids;
    size_t count;
};

/* The first rows that may be relayed, at most count_max, and not much more than some MiB. */
__attribute__((warn_unused_result)) struct error relay_rows_read(struct relay_rows *rows,
                                                                 struct relay_batch *batch);

/* Deletes the first `count` rows of what was read; *batch is still the last read's. */
__attribute__((warn_unused_result)) struct error relay_rows_remove(struct relay_rows *rows,
                                                                   const struct relay_batch *batch,
                                                                   size_t count);

/* How much waits. */
struct relay_backlog {
    uint64_t rows;
    uint64_t data_bytes;
    int64_t oldest_time_us; /* of the row with the earliest time; 0 = none */
};
__attribute__((warn_unused_result)) struct error relay_rows_measure(struct relay_rows *rows,
                                                                    struct relay_backlog *backlog);

#endif
