#ifndef WAYBILL_PLATFORM_SQL_POSTGRESQL_CONNECTION_H
#define WAYBILL_PLATFORM_SQL_POSTGRESQL_CONNECTION_H

#include "platform/base/hash_map.h"
#include "platform/sql/sql_driver.h"

#include <libpq-fe.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * One connection to a PostgreSQL server, in libpq's pipeline mode. Private to platform/sql. Thread:
 * one at a time.
 */
enum postgresql_pending_kind {
    PENDING_PREPARE,
    PENDING_STATEMENT,
    PENDING_COMMIT,
    PENDING_SYNC,
};

/* One answer that the server still owes us, in order. */
struct postgresql_pending {
    enum postgresql_pending_kind kind;
    bool ignored; /* of a transaction that is over: its outcome matters to nobody */
    const struct sql_statement *statement;
    int64_t expected_affected;
    struct sql_statement_run *run; /* waited for, or NULL */
};

struct postgresql_connection {
    struct sql_session base;
    const struct sql_store_options *options;
    PGconn *connection;         /* NULL: not connected */
    struct hash_map statements; /* by the address of struct sql_statement; their number */
    uint64_t statement_number;
    struct postgresql_pending *pending; /* a ring */
    size_t pending_first;
    size_t pending_count;
    size_t pending_room;
    bool guarded;        /* an expectation is among them */
    bool commit_sent;    /* the outcome may be unknown */
    bool patient;        /* no timeouts: for migrations */
    bool writes;         /* the transaction is not READ ONLY */
    bool unusable;       /* to be closed after this transaction */
    bool silent;         /* the server did not answer in time */
    int64_t deadline_us; /* of the job, monotonic; INT64_MAX = none */
    char degraded[252];  /* durability settings that are too weak, or empty */
};

/* Takes no memory yet and does not connect. */
void postgresql_connection_init(struct postgresql_connection *connection,
                                const struct sql_store_options *options);
void postgresql_connection_deinit(struct postgresql_connection *connection);

/*
 * Connects, sets the session up, checks version and durability settings. Errors: STORE_UNAVAILABLE,
 * INVALID_SETTING (refused by its settings), OUT_OF_MEMORY.
 */
struct error postgresql_connection_open(struct postgresql_connection *connection);
void postgresql_connection_close(struct postgresql_connection *connection);
bool postgresql_connection_is_open(const struct postgresql_connection *connection);

/*
 * One transaction: BEGIN travels with the first statement. `deadline_us` 0 = none. The session is
 * begun with the arena; a failure is in it.
 */
void postgresql_begin(struct postgresql_connection *connection, struct arena *arena,
                      enum sql_access access, int64_t deadline_us);

/* For this transaction no statement is too slow: a migration may rewrite a table. */
bool postgresql_be_patient(struct postgresql_connection *connection);

/* Waits for the commit. False: the session failed; commit_sent tells whether it may have happened.
 */
bool postgresql_commit(struct postgresql_connection *connection);

/* Ends the transaction without waiting: nothing it did remains. */
void postgresql_roll_back(struct postgresql_connection *connection);

/* Whether the server answers within `timeout_us`. */
bool postgresql_ping(struct postgresql_connection *connection, int64_t timeout_us);

/* --- postgresql_pending.c --- */

/* False without memory. */
bool postgresql_pending_add(struct postgresql_connection *connection,
                            struct postgresql_pending pending);

/* The oldest; there must be one. */
struct postgresql_pending postgresql_pending_take(struct postgresql_connection *connection);

/* The script is over: nobody reads rows any more, and where they were to go may be gone. */
void postgresql_pending_forget_rows(struct postgresql_connection *connection);

/* Nor is anybody interested in what the transaction's statements answer. */
void postgresql_pending_ignore(struct postgresql_connection *connection);

/* --- postgresql_values.c --- */

/* Parameters as libpq takes them: integers as text (they fit every numeric type), the rest binary.
 */
struct postgresql_parameters {
    const char *values[sql_parameters_max];
    int lengths[sql_parameters_max];
    int formats[sql_parameters_max];
    char digits[sql_parameters_max][24];
};

void postgresql_bind(struct postgresql_parameters *parameters, const struct sql_value *values,
                     size_t count);

/* All rows of a binary result to the run's row function. False: failed, or the walk ended. */
bool postgresql_give_rows(struct sql_session *session, const PGresult *result,
                          const struct sql_statement_run *run);

/* The class of an SQLSTATE; `writes`: the transaction was not READ ONLY. */
enum sql_failure postgresql_failure_of(const char *sqlstate, bool writes);

/* "fsync is off: …" with the cure, or empty; rows: name, setting. */
void postgresql_judge_durability(const PGresult *result, char *out, size_t size);

#endif
