/*
 * A PostgreSQL connection in pipeline mode: statements are sent without waiting, and waited for
 * only where their answer is needed.
 *
 * Happy path: BEGIN and the first statement travel together; enqueued statements travel with the
 * next that is waited for; COMMIT travels with the last ones. `pending` lists what the server still
 * owes an answer for; answers are read in that order up to the sync that was waited for. A
 * ROLLBACK, and the end of a read, are sent and not waited for: their answers are read, and
 * ignored, at the start of the next transaction.
 *
 * Failures: a statement refused makes the server skip to the next sync, then the transaction is
 * rolled back. No answer by the deadline, or long after the server itself should have given up,
 * closes the connection: the server ends the transaction when it notices. A connection lost after
 * COMMIT was sent leaves the outcome unknown (commit_sent).
 */
#include "platform/sql/postgresql_connection.h"

#include "platform/base/check.h"
#include "platform/base/clock.h"
#include "platform/base/memory.h"
#include "platform/sql/sql_statement_map.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    pending_count_max = 512, /* enqueued without waiting; then their answers are read */
    server_version_min = 130000,
};

/* After the time the server itself has, this much for the answer to arrive. */
static const int64_t answer_grace_us = 1000000;
static const int64_t deadline_grace_us = 250000;

/* For a migration, or another starter's. */
static const int64_t patience_us = INT64_C(24) * 3600 * 1000000;

static const struct sql_statement begin_write = {.text = "BEGIN"};
static const struct sql_statement begin_read = {
    .text = "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY",
};
/*
 * Writes are planned once and for all (set_up): they find rows by their keys, and the planner would
 * think longer each time than they take. Lists with filters are planned for what was asked.
 */
static const struct sql_statement plan_each = {.text = "SET LOCAL plan_cache_mode = auto"};
static const struct sql_statement commit = {.text = "COMMIT"};
static const struct sql_statement rollback = {.text = "ROLLBACK"};
static const struct sql_statement set_timeout = {
    .text = "SELECT set_config('statement_timeout', $1, true)",
};
static const struct sql_statement select_now = {
    .text = "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint",
};
static const struct sql_statement ping = {.text = "SELECT 1"};

static struct postgresql_connection *connection_of(struct sql_session *session)
{
    return (struct postgresql_connection *)session;
}

/* --- failures --- */

static struct error words(const char *message, const char *what)
{
    size_t size = strcspn(message, "\n"); /* its first line says it */
    return error_make(ERROR_STORE_UNAVAILABLE, "%.*s%s%.100s", size < 140 ? (int)size : 140,
                      message, what == NULL ? "" : ": ", what == NULL ? "" : what);
}

static bool fail_gone(struct postgresql_connection *connection, const char *what)
{
    connection->unusable = true;
    return sql_session_fail(&connection->base, SQL_FAILURE_GONE,
                            words(PQerrorMessage(connection->connection), what));
}

static bool fail_memory(struct postgresql_connection *connection)
{
    connection->unusable = true;
    return sql_session_fail(&connection->base, SQL_FAILURE_MEMORY,
                            error_make(ERROR_OUT_OF_MEMORY, "a PostgreSQL connection"));
}

static bool fail_late(struct postgresql_connection *connection, bool silent)
{
    connection->unusable = connection->unusable || silent;
    connection->silent = connection->silent || silent;
    if (clock_monotonic_us(connection->options->clock) >= connection->deadline_us)
        return sql_session_fail(&connection->base, SQL_FAILURE_DEADLINE,
                                error_make(ERROR_DEADLINE, "cut off at its deadline"));
    return sql_session_fail(&connection->base, SQL_FAILURE_GONE,
                            error_make(ERROR_STORE_UNAVAILABLE, "the server does not answer"));
}

/* --- waiting --- */

/* Until the socket is ready or `until_us`; false: it is not. */
static bool wait_socket(struct postgresql_connection *connection, short events, int64_t until_us)
{
    struct pollfd descriptor = {.fd = PQsocket(connection->connection), .events = events};
    int64_t left_us = until_us - clock_monotonic_us(connection->options->clock);
    int timeout_ms = left_us <= 0 ? 0 : left_us > 60000000 ? 60000 : (int)(left_us / 1000) + 1;
    int ready = poll(&descriptor, 1, timeout_ms);
    return ready > 0 || (ready < 0 && errno == EINTR) || (ready == 0 && left_us > 60000000);
}

/* When the answer must be there. */
static int64_t answer_until_us(const struct postgresql_connection *connection)
{
    int64_t now_us = clock_monotonic_us(connection->options->clock);
    int64_t until_us = now_us + connection->options->statement_timeout_us + answer_grace_us;
    if (connection->patient)
        return now_us + patience_us;
    if (connection->deadline_us < until_us - deadline_grace_us)
        until_us = connection->deadline_us + deadline_grace_us;
    return until_us;
}

/* Sends what is buffered and reads until a result is complete. */
static bool wait_result(struct postgresql_connection *connection)
{
    int64_t until_us = answer_until_us(connection);
    while (true) {
        int unsent = PQflush(connection->connection);
        if (unsent < 0)
            return fail_gone(connection, NULL);
        if (unsent == 0 && PQisBusy(connection->connection) == 0)
            return true;
        if (!wait_socket(connection, (short)(unsent > 0 ? POLLIN | POLLOUT : POLLIN), until_us))
            return fail_late(connection, true);
        if (PQconsumeInput(connection->connection) == 0)
            return fail_gone(connection, NULL);
    }
}

/* --- what is owed --- */

static bool add_pending(struct postgresql_connection *connection, struct postgresql_pending pending)
{
    return postgresql_pending_add(connection, pending) || fail_memory(connection);
}

/* Its preparation did not happen: the next run prepares it again. */
static void forget_statement(struct postgresql_connection *connection,
                             const struct sql_statement *statement)
{
    uint64_t number;
    if (sql_statement_find(&connection->statements, statement, &number))
        hash_map_remove(&connection->statements, sql_statement_hash(statement), number);
}

/* --- answers --- */

static void fail_statement(struct postgresql_connection *connection, const PGresult *result,
                           const struct postgresql_pending *pending)
{
    const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    const char *message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    enum sql_failure failure = postgresql_failure_of(sqlstate, connection->writes);
    if (failure == SQL_FAILURE_GONE ||
        (sqlstate != NULL && (strcmp(sqlstate, "0A000") == 0 || strcmp(sqlstate, "26000") == 0)))
        connection->unusable = true;
    if (pending->ignored)
        return;
    (void)sql_session_fail(&connection->base, failure,
                           words(message == NULL ? PQerrorMessage(connection->connection) : message,
                                 pending->statement == NULL ? NULL : pending->statement->text));
}

static void take_command_answer(struct postgresql_connection *connection, const PGresult *result,
                                const struct postgresql_pending *pending)
{
    const char *affected_text = PQcmdTuples((PGresult *)result);
    int64_t affected = strtoll(affected_text, NULL, 10);
    if (pending->run != NULL)
        pending->run->affected = affected;
    if (pending->kind == PENDING_COMMIT && strcmp(PQcmdStatus((PGresult *)result), "COMMIT") != 0)
        (void)sql_session_fail(&connection->base, SQL_FAILURE_REFUSED,
                               error_make(ERROR_INTERNAL, "the transaction was rolled back"));
    if (pending->expected_affected != sql_any_number && affected != pending->expected_affected)
        (void)sql_session_fail(
            &connection->base, SQL_FAILURE_REFUSED,
            error_make(ERROR_INTERNAL, "%lld rows changed, not %lld: %.150s", (long long)affected,
                       (long long)pending->expected_affected, pending->statement->text));
}

/* One result of the pending's; after a failure, and after the walk's end, rows are thrown away. */
static void take_result(struct postgresql_connection *connection, const PGresult *result,
                        const struct postgresql_pending *pending, bool *walking)
{
    ExecStatusType status = PQresultStatus(result);
    if (status == PGRES_TUPLES_OK || status == PGRES_SINGLE_TUPLE) {
        if (pending->run != NULL && pending->run->row != NULL && *walking &&
            !sql_session_has_failed(&connection->base))
            *walking = postgresql_give_rows(&connection->base, result, pending->run);
        if (status == PGRES_TUPLES_OK && !pending->ignored)
            take_command_answer(connection, result, pending);
        return;
    }
    if (status == PGRES_COMMAND_OK) {
        if (!pending->ignored && pending->kind != PENDING_PREPARE)
            take_command_answer(connection, result, pending);
        return;
    }
    if (pending->kind == PENDING_PREPARE)
        forget_statement(connection, pending->statement);
    if (status != PGRES_PIPELINE_ABORTED)
        fail_statement(connection, result, pending);
}

/* All results of one pending. False: the connection failed. */
static bool take_answer(struct postgresql_connection *connection)
{
    struct postgresql_pending pending = postgresql_pending_take(connection);
    bool walking = true;
    if (pending.run != NULL && pending.run->streamed)
        (void)PQsetSingleRowMode(connection->connection);
    while (true) {
        if (!wait_result(connection))
            return false;
        PGresult *result = PQgetResult(connection->connection);
        if (result == NULL)
            return PQstatus(connection->connection) == CONNECTION_OK || fail_gone(connection, NULL);
        bool sync = PQresultStatus(result) == PGRES_PIPELINE_SYNC;
        if (!sync)
            take_result(connection, result, &pending, &walking);
        PQclear(result);
        if (sync)
            return true;
    }
}

/* Reads all that is owed; false: the session has failed, by the connection or a statement. */
static bool settle(struct postgresql_connection *connection)
{
    while (connection->pending_count > 0) {
        if (!take_answer(connection))
            return false;
    }
    connection->guarded = false;
    return !sql_session_has_failed(&connection->base);
}

static bool send_sync(struct postgresql_connection *connection, bool ignored)
{
    if (!add_pending(connection,
                     (struct postgresql_pending){.kind = PENDING_SYNC, .ignored = ignored}))
        return false;
    return PQpipelineSync(connection->connection) == 1 || fail_gone(connection, NULL);
}

/* --- statements --- */

/* The statement's text for this database, on the heap; NULL without memory. */
static char *text_for(const struct sql_statement *statement)
{
    const char *text = statement->postgresql == NULL ? statement->text : statement->postgresql;
    const char *tail = statement->for_update ? " FOR UPDATE" : "";
    size_t size = strlen(text) + strlen(tail) + 1;
    char *whole = memory_allocate(size);
    if (whole != NULL)
        snprintf(whole, size, "%s%s", text, tail);
    return whole;
}

static void name_of(uint64_t number, char out[32])
{
    snprintf(out, 32, "w%llu", (unsigned long long)number);
}

/* The statement's number; its preparation is sent if it is new. 0: failed. */
static uint64_t prepare(struct postgresql_connection *connection,
                        const struct sql_statement *statement)
{
    uint64_t number;
    char name[32];
    if (sql_statement_find(&connection->statements, statement, &number))
        return number;
    char *text = text_for(statement);
    if (text == NULL || !hash_map_reserve(&connection->statements, 1)) {
        memory_release(text);
        return (uint64_t)fail_memory(connection);
    }
    number = ++connection->statement_number;
    name_of(number, name);
    bool sent = add_pending(connection, (struct postgresql_pending){.kind = PENDING_PREPARE,
                                                                    .statement = statement}) &&
                (PQsendPrepare(connection->connection, name, text, 0, NULL) == 1 ||
                 fail_gone(connection, NULL));
    memory_release(text);
    if (!sent)
        return 0;
    hash_map_add(&connection->statements, sql_statement_hash(statement), number);
    return number;
}

static bool send_statement(struct postgresql_connection *connection,
                           enum postgresql_pending_kind kind, const struct sql_statement_run *run,
                           int64_t expected_affected, struct sql_statement_run *waited)
{
    struct postgresql_parameters parameters;
    char name[32];
    uint64_t number = prepare(connection, run->statement);
    if (number == 0)
        return false;
    name_of(number, name);
    postgresql_bind(&parameters, run->parameters, run->parameter_count);
    const struct postgresql_pending pending = {
        .kind = kind,
        .statement = run->statement,
        .expected_affected = expected_affected,
        .run = waited,
    };
    return add_pending(connection, pending) &&
           (PQsendQueryPrepared(connection->connection, name, (int)run->parameter_count,
                                parameters.values, parameters.lengths, parameters.formats,
                                1) == 1 ||
            fail_gone(connection, run->statement->text));
}

static bool send_control(struct postgresql_connection *connection,
                         enum postgresql_pending_kind kind, const struct sql_statement *statement)
{
    const struct sql_statement_run run = {.statement = statement};
    return send_statement(connection, kind, &run, sql_any_number, NULL);
}

/* Whether there is time left to begin anything. */
static bool in_time(struct postgresql_connection *connection)
{
    return clock_monotonic_us(connection->options->clock) < connection->deadline_us ||
           fail_late(connection, false);
}

static bool run_statement(struct sql_session *session, struct sql_statement_run *run)
{
    struct postgresql_connection *connection = connection_of(session);
    return in_time(connection) &&
           send_statement(connection, PENDING_STATEMENT, run, sql_any_number, run) &&
           send_sync(connection, false) && settle(connection);
}

/* Too many unanswered ones would fill both sides' buffers. */
static bool bound_pending(struct postgresql_connection *connection)
{
    return connection->pending_count < pending_count_max ||
           (send_sync(connection, false) && settle(connection));
}

static bool run_later(struct sql_session *session, struct sql_statement_run *run)
{
    struct postgresql_connection *connection = connection_of(session);
    return in_time(connection) &&
           send_statement(connection, PENDING_STATEMENT, run, sql_any_number, run) &&
           bound_pending(connection);
}

static bool run_enqueued(struct sql_session *session, const struct sql_statement_run *run,
                         int64_t expected_affected)
{
    struct postgresql_connection *connection = connection_of(session);
    if (expected_affected == sql_one_known)
        expected_affected = sql_any_number;
    if (!in_time(connection) ||
        !send_statement(connection, PENDING_STATEMENT, run, expected_affected, NULL))
        return false;
    if (expected_affected != sql_any_number)
        connection->guarded = true;
    return bound_pending(connection);
}

static bool keep_number(void *context, const struct sql_value *values, size_t column_count)
{
    (void)column_count;
    *(int64_t *)context = values[0].integer;
    return true;
}

static bool read_now(struct sql_session *session, int64_t locked_time_max_us, int64_t *now_us)
{
    struct sql_statement_run run = {
        .statement = &select_now,
        .row = keep_number,
        .row_context = now_us,
    };
    (void)locked_time_max_us; /* the session raises it */
    return run_statement(session, &run);
}

/* Several statements in one text need the simple protocol, which the pipeline does not have. */
static bool run_text(struct sql_session *session, const char *text)
{
    struct postgresql_connection *connection = connection_of(session);
    const struct postgresql_pending pending = {.kind = PENDING_STATEMENT,
                                               .expected_affected = sql_any_number};
    bool walking = false;
    if (!in_time(connection) || !send_sync(connection, false) || !settle(connection))
        return false;
    if (PQexitPipelineMode(connection->connection) != 1 ||
        PQsendQuery(connection->connection, text) != 1)
        return fail_gone(connection, NULL);
    while (wait_result(connection)) {
        PGresult *result = PQgetResult(connection->connection);
        if (result == NULL)
            break;
        take_result(connection, result, &pending, &walking);
        PQclear(result);
    }
    if (connection->unusable || PQenterPipelineMode(connection->connection) != 1)
        return fail_gone(connection, NULL);
    return !sql_session_has_failed(session);
}

static const struct sql_session_table postgresql_session_table = {
    .run = run_statement,
    .later = run_later,
    .enqueue = run_enqueued,
    .now_us = read_now,
    .run_text = run_text,
};

/* --- transactions --- */

static bool send_timeout(struct postgresql_connection *connection)
{
    int64_t left_us = connection->deadline_us - clock_monotonic_us(connection->options->clock);
    const struct sql_value left_ms = sql_integer(left_us < 1000 ? 1 : left_us / 1000);
    const struct sql_statement_run run = {
        .statement = &set_timeout,
        .parameters = &left_ms,
        .parameter_count = 1,
    };
    if (left_us >= connection->options->statement_timeout_us)
        return true; /* the session's own is shorter */
    return send_statement(connection, PENDING_STATEMENT, &run, sql_any_number, NULL);
}

void postgresql_begin(struct postgresql_connection *connection, struct arena *arena,
                      enum sql_access access, int64_t deadline_us)
{
    sql_session_begin(&connection->base, arena);
    connection->deadline_us = deadline_us == 0 ? INT64_MAX : deadline_us;
    connection->guarded = false;
    connection->commit_sent = false;
    connection->silent = false;
    connection->patient = false;
    connection->writes = access == SQL_WRITE;
    bool sent = send_control(connection, PENDING_STATEMENT,
                             access == SQL_WRITE ? &begin_write : &begin_read) &&
                (access == SQL_WRITE || send_control(connection, PENDING_STATEMENT, &plan_each));
    if (sent)
        (void)send_timeout(connection);
}

bool postgresql_be_patient(struct postgresql_connection *connection)
{
    connection->patient = true;
    return sql_session_run_text(&connection->base,
                                "SET LOCAL statement_timeout = 0;"
                                "SET LOCAL idle_in_transaction_session_timeout = 0");
}

bool postgresql_commit(struct postgresql_connection *connection)
{
    postgresql_pending_forget_rows(connection);
    /* What a guard expects must be known before the commit is on its way. */
    if (connection->guarded && !(send_sync(connection, false) && settle(connection)))
        return false;
    if (sql_session_has_failed(&connection->base) || !in_time(connection) ||
        !send_control(connection, PENDING_COMMIT, &commit) || !send_sync(connection, false))
        return false;
    connection->commit_sent = true;
    if (!settle(connection)) {
        /* Refused by the server in so many words: it is known not to have happened. */
        if (connection->base.failure != SQL_FAILURE_GONE &&
            connection->base.failure != SQL_FAILURE_DEADLINE)
            connection->commit_sent = false;
        return false;
    }
    return true;
}

void postgresql_roll_back(struct postgresql_connection *connection)
{
    if (connection->connection == NULL)
        return;
    postgresql_pending_ignore(connection);
    /* An error makes the server skip to the sync: only then can ROLLBACK be heard. */
    bool sent = !connection->unusable && send_sync(connection, true) &&
                send_control(connection, PENDING_STATEMENT, &rollback) &&
                send_sync(connection, true) && PQflush(connection->connection) >= 0;
    postgresql_pending_ignore(connection);
    if (!sent || connection->unusable)
        postgresql_connection_close(connection);
}

bool postgresql_ping(struct postgresql_connection *connection, int64_t timeout_us)
{
    struct sql_statement_run run = {.statement = &ping};
    sql_session_begin(&connection->base, NULL);
    connection->silent = false;
    connection->patient = false;
    connection->writes = false;
    connection->deadline_us = clock_monotonic_us(connection->options->clock) + timeout_us;
    return run_statement(&connection->base, &run);
}

/* --- its life --- */

void postgresql_connection_init(struct postgresql_connection *connection,
                                const struct sql_store_options *options)
{
    *connection = (struct postgresql_connection){
        .base = {.table = &postgresql_session_table, .dialect = SQL_DIALECT_POSTGRESQL},
        .options = options,
    };
    hash_map_init(&connection->statements);
}

void postgresql_connection_close(struct postgresql_connection *connection)
{
    PQfinish(connection->connection);
    connection->connection = NULL;
    hash_map_deinit(&connection->statements);
    hash_map_init(&connection->statements);
    connection->pending_count = 0;
    connection->unusable = false;
}

void postgresql_connection_deinit(struct postgresql_connection *connection)
{
    postgresql_connection_close(connection);
    memory_release(connection->pending);
    connection->pending = NULL;
    connection->pending_room = 0;
}

bool postgresql_connection_is_open(const struct postgresql_connection *connection)
{
    return connection->connection != NULL;
}

static void drop_notice(void *context, const PGresult *result)
{
    (void)context;
    (void)result;
}

static bool connect_now(struct postgresql_connection *connection, int64_t until_us)
{
    /* What the URL says later goes before these. */
    static const char *const names[] = {
        "application_name",
        "target_session_attrs",
        "keepalives_idle",
        "keepalives_interval",
        "keepalives_count",
        "tcp_user_timeout",
        "dbname",
        "client_encoding",
        NULL,
    };
    const char *const values[] = {
        "waybill", "read-write", "5", "2", "3", "10000", connection->options->url, "UTF8", NULL,
    };
    connection->connection = PQconnectStartParams(names, values, 1);
    if (connection->connection == NULL)
        return false;
    PostgresPollingStatusType status = PGRES_POLLING_WRITING;
    while (status != PGRES_POLLING_OK) {
        if (status == PGRES_POLLING_FAILED || PQstatus(connection->connection) == CONNECTION_BAD)
            return false;
        if (!wait_socket(connection, status == PGRES_POLLING_READING ? POLLIN : POLLOUT, until_us))
            return false;
        status = PQconnectPoll(connection->connection);
    }
    return PQsetnonblocking(connection->connection, 1) == 0;
}

/* One text by the simple protocol, before the pipeline; the last result, or NULL. */
static PGresult *ask(struct postgresql_connection *connection, const char *text)
{
    PGresult *last = NULL;
    if (PQsendQuery(connection->connection, text) != 1)
        return NULL;
    while (wait_result(connection)) {
        PGresult *result = PQgetResult(connection->connection);
        if (result == NULL)
            break;
        PQclear(last);
        last = result;
    }
    ExecStatusType status = PQresultStatus(last);
    if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK)
        return last;
    PQclear(last);
    return NULL;
}

/*
 * A session that its client has left must not hold locks: the server looks whether we are there,
 * and ends transactions that nobody goes on with.
 */
static bool set_up(struct postgresql_connection *connection)
{
    char text[320];
    snprintf(
        text, sizeof text,
        "SET statement_timeout = %lld; SET client_min_messages = error;"
        "SET idle_in_transaction_session_timeout = %lld;"
        "SET default_transaction_isolation = 'read committed';"
        "SET plan_cache_mode = force_generic_plan",
        (long long)(connection->options->statement_timeout_us / 1000),
        (long long)((connection->options->statement_timeout_us + 10 * answer_grace_us) / 1000));
    PGresult *result = ask(connection, text);
    bool good = result != NULL;
    PQclear(result);
    if (good && PQserverVersion(connection->connection) >= 140000) {
        PQclear(ask(connection, "SET client_connection_check_interval = 1000"));
        good = PQstatus(connection->connection) == CONNECTION_OK;
    }
    return good;
}

static struct error check_server(struct postgresql_connection *connection)
{
    if (PQserverVersion(connection->connection) < server_version_min)
        return error_make(ERROR_INVALID_SETTING, "PostgreSQL 13 or later is needed, this is %d",
                          PQserverVersion(connection->connection) / 10000);
    PGresult *result =
        ask(connection, "SELECT name, setting FROM pg_catalog.pg_settings WHERE name IN"
                        " ('fsync', 'full_page_writes', 'synchronous_commit') ORDER BY name");
    if (result == NULL)
        return words(PQerrorMessage(connection->connection), NULL);
    postgresql_judge_durability(result, connection->degraded, sizeof connection->degraded);
    PQclear(result);
    if (connection->degraded[0] != '\0' && !connection->options->allow_degraded)
        return error_make(ERROR_INVALID_SETTING,
                          "%.160s; turn it on in the server, or start with --allow-degraded yes",
                          connection->degraded);
    return error_none();
}

struct error postgresql_connection_open(struct postgresql_connection *connection)
{
    int64_t until_us =
        clock_monotonic_us(connection->options->clock) + connection->options->connect_timeout_us;
    sql_session_begin(&connection->base, NULL);
    connection->patient = false;
    connection->deadline_us = INT64_MAX;
    struct error error = error_none();
    if (!connect_now(connection, until_us) ||
        (PQsetNoticeReceiver(connection->connection, drop_notice, NULL), !set_up(connection))) {
        const char *message = PQerrorMessage(connection->connection);
        error = words(message[0] == '\0' ? "the server does not answer" : message, NULL);
    } else {
        error = check_server(connection);
    }
    if (!error_is(error) && PQenterPipelineMode(connection->connection) != 1)
        error = words(PQerrorMessage(connection->connection), NULL);
    if (error_is(error))
        postgresql_connection_close(connection);
    return error;
}
