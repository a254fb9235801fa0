#ifndef WAYBILL_PLATFORM_EVENTS_SQL_OUTBOX_H
#define WAYBILL_PLATFORM_EVENTS_SQL_OUTBOX_H

#include "platform/base/error.h"
#include "platform/base/random.h"
#include "platform/events/event.h"
#include "platform/sql/sql_session.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * The outbox of a SQL context (DESIGN section 5): an event is a row, inserted by the same
 * transaction that makes the change, so that both are there or neither. The relay (event_relay.h)
 * moves rows into the event log and deletes them here.
 *
 * Each context's migrations own its two tables, in the standard form below; CONTEXT is the
 * context's name ("warehouse"), so that several contexts may share one database:
 *
 *   -- migrations/sqlite/CONTEXT
 *   CREATE TABLE CONTEXT_outbox (
 *     outbox_id  INTEGER PRIMARY KEY AUTOINCREMENT,
 *     event_id   TEXT NOT NULL,
 *     event_type TEXT NOT NULL,
 *     event_key  TEXT NOT NULL,
 *     time_us    INTEGER NOT NULL,
 *     data       BLOB NOT NULL
 *   ) STRICT;
 *   CREATE TABLE CONTEXT_relay (
 *     relay_id       INTEGER PRIMARY KEY CHECK (relay_id = 1),
 *     holder         TEXT NOT NULL,
 *     lease_until_us INTEGER NOT NULL,
 *     sink           TEXT NOT NULL
 *   ) STRICT;
 *   INSERT INTO CONTEXT_relay (relay_id, holder, lease_until_us, sink) VALUES (1, '', 0, '');
 *
 *   -- migrations/postgresql/CONTEXT
 *   CREATE TABLE CONTEXT_outbox (
 *     outbox_id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
 *     transaction_id xid8 NOT NULL DEFAULT pg_current_xact_id(),
 *     event_id       text NOT NULL,
 *     event_type     text NOT NULL,
 *     event_key      text NOT NULL,
 *     time_us        bigint NOT NULL,
 *     data           bytea NOT NULL
 *   );
 *   CREATE TABLE CONTEXT_relay (
 *     relay_id       bigint PRIMARY KEY CHECK (relay_id = 1),
 *     holder         text NOT NULL,
 *     lease_until_us bigint NOT NULL,
 *     sink           text NOT NULL
 *   );
 *   INSERT INTO CONTEXT_relay (relay_id, holder, lease_until_us, sink) VALUES (1, '', 0, '');
 *
 * Order per key: a transaction that appends events of a key holds the lock of that key's row (or
 * what stands for it) from before sql_outbox_append until its end. On SQLite the writer is alone.
 *
 * The backlog is bounded: a relay that cannot get rid of rows must not fill the database. At half
 * of bytes_max the relay warns; at the bound appending is refused, and with it every write of the
 * context. The bound is kept to within what is written between two measurements of the relay (a
 * second).
 */
enum { sql_outbox_context_bytes_max = 32, sql_outbox_statement_bytes_max = 192 };

struct sql_outbox {
    char context[sql_outbox_context_bytes_max];
    struct random *random;
    uint64_t bytes_max;
    _Atomic uint64_t bytes; /* measured by the relay, plus what was appended since */
    char insert_text[sql_outbox_statement_bytes_max];
    struct sql_statement insert; /* its address is the key of the prepared statement */
};

/*
 * One a context and process, in memory that neither moves nor goes before the store is closed;
 * `context` is a literal of [a-z_], `bytes_max` > 0. It has no _deinit: it owns nothing.
 */
void sql_outbox_init(struct sql_outbox *outbox, const char *context, uint64_t bytes_max,
                     struct random *random);

/*
 * Within a script of the context's store: adds the event to the transaction. event->sequence and
 * event->source are not looked at. An empty event_id gets a random one, unique for ever; a caller's
 * own must be that, too ("MOVEMENT_ID/MovementRecorded"), and at most event_id_bytes_max.
 *
 * False: *error is set or the session has failed; the script returns SQL_FAIL. OUTBOX_FULL: the
 * backlog is at its bound, nothing may be written until the relay gets on. Fields beyond their
 * limits (event.h) are a programmer's mistake; LIMIT if `data` is.
 */
__attribute__((warn_unused_result)) bool sql_outbox_append(struct sql_session *session,
                                                           struct sql_outbox *outbox,
                                                           const struct event *event,
                                                           struct error *error);

/* What the backlog takes, roughly; and what the relay has just measured. Any thread. */
uint64_t sql_outbox_bytes(const struct sql_outbox *outbox);
void sql_outbox_measured(struct sql_outbox *outbox, uint64_t rows, uint64_t data_bytes);

#endif
