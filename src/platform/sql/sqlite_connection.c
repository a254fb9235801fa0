/*
 * A SQLite connection: settings, statements prepared once and kept, values bound, rows stepped.
 *
 * Happy path: find the prepared statement by its address, bind, step, reset. Failures: each result
 * code has a class (sqlite_failure_of); the session remembers the first with SQLite's own words.
 * A statement that cannot be prepared is not kept, so that the next run tries again.
 *
 * SQLite takes `$1` as a parameter's name, numbered by first appearance; the map in front of each
 * prepared statement says which of our parameters a place wants.
 */
#include "platform/sql/sqlite_connection.h"

#include "platform/base/check.h"
#include "platform/base/memory.h"
#include "platform/sql/sql_statement_map.h"

#include <stdlib.h>
#include <string.h>

enum { busy_timeout_ms = 5000 };

/* A statement as this connection keeps it. */
struct prepared {
    sqlite3_stmt *statement;
    int place_count;
    uint8_t parameter_at[sql_parameters_max]; /* by place: index of our parameter */
    size_t parameter_count;
};

/* --- errors --- */

enum sql_failure sqlite_failure_of(int code)
{
    if (code == SQLITE_CONSTRAINT_UNIQUE || code == SQLITE_CONSTRAINT_PRIMARYKEY ||
        code == SQLITE_CONSTRAINT_ROWID)
        return SQL_FAILURE_CONFLICT;
    if (code == SQLITE_IOERR_NOMEM)
        return SQL_FAILURE_MEMORY;
    if (code == SQLITE_IOERR_SHMSIZE) /* the index of the WAL could not grow: no space */
        return SQL_FAILURE_DISK_FULL;
    switch (code & 0xFF) {
    case SQLITE_OK:
    case SQLITE_ROW:
    case SQLITE_DONE:
        return SQL_FAILURE_NONE;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return SQL_FAILURE_RETRY;
    case SQLITE_FULL:
        return SQL_FAILURE_DISK_FULL;
    case SQLITE_NOMEM:
        return SQL_FAILURE_MEMORY;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_FORMAT:
        return SQL_FAILURE_DAMAGED;
    case SQLITE_IOERR:
    case SQLITE_PERM:
    case SQLITE_CANTOPEN:
        return SQL_FAILURE_FATAL;
    }
    return SQL_FAILURE_REFUSED;
}

struct error sqlite_error(sqlite3 *database, int code, const char *what)
{
    struct error error =
        error_make(ERROR_INTERNAL, "%.100s: %.120s", what,
                   database == NULL ? sqlite3_errstr(code) : sqlite3_errmsg(database));
    return sql_failure_error(sqlite_failure_of(code), error);
}

static bool fail(struct sqlite_connection *connection, int code, const char *what)
{
    return sql_session_fail(&connection->base, sqlite_failure_of(code),
                            sqlite_error(connection->database, code, what));
}

static bool fail_for_memory(struct sqlite_connection *connection)
{
    return sql_session_fail(&connection->base, SQL_FAILURE_MEMORY,
                            error_make(ERROR_OUT_OF_MEMORY, "SQLite"));
}

/* --- prepared statements --- */

/* "$7" → 6; a mistake of ours otherwise. */
static bool read_parameters(struct sqlite_connection *connection, struct prepared *prepared,
                            const char *text)
{
    prepared->place_count = sqlite3_bind_parameter_count(prepared->statement);
    for (int place = 1; place <= prepared->place_count; place++) {
        const char *name = sqlite3_bind_parameter_name(prepared->statement, place);
        long number = name == NULL || name[0] != '$' ? 0 : strtol(name + 1, NULL, 10);
        if (number < 1 || number > sql_parameters_max || place > sql_parameters_max)
            return sql_session_fail(&connection->base, SQL_FAILURE_REFUSED,
                                    error_make(ERROR_INTERNAL, "parameters are $1 to $%d: %.150s",
                                               sql_parameters_max, text));
        prepared->parameter_at[place - 1] = (uint8_t)(number - 1);
        if ((size_t)number > prepared->parameter_count)
            prepared->parameter_count = (size_t)number;
    }
    return true;
}

static void release_prepared(struct prepared *prepared)
{
    if (prepared == NULL)
        return;
    sqlite3_finalize(prepared->statement);
    memory_release(prepared);
}

static struct prepared *prepare(struct sqlite_connection *connection,
                                const struct sql_statement *statement)
{
    struct prepared *prepared = memory_allocate_zero(1, sizeof *prepared);
    if (prepared == NULL || !hash_map_reserve(&connection->statements, 1)) {
        memory_release(prepared);
        (void)fail_for_memory(connection);
        return NULL;
    }
    int code = sqlite3_prepare_v3(connection->database, statement->text, -1,
                                  SQLITE_PREPARE_PERSISTENT, &prepared->statement, NULL);
    bool good = code == SQLITE_OK || fail(connection, code, statement->text);
    if (!good || !read_parameters(connection, prepared, statement->text)) {
        release_prepared(prepared);
        return NULL;
    }
    hash_map_add(&connection->statements, sql_statement_hash(statement),
                 (uint64_t)(uintptr_t)prepared);
    return prepared;
}

static struct prepared *find_prepared(struct sqlite_connection *connection,
                                      const struct sql_statement *statement)
{
    uint64_t value;
    if (sql_statement_find(&connection->statements, statement, &value))
        return (struct prepared *)(uintptr_t)value;
    return prepare(connection, statement);
}

/* --- one run --- */

static int bind_one(sqlite3_stmt *statement, int place, const struct sql_value *value)
{
    const char *data = value->text.data == NULL ? "" : value->text.data;
    switch (value->kind) {
    case SQL_NULL:
        return sqlite3_bind_null(statement, place);
    case SQL_INTEGER:
        return sqlite3_bind_int64(statement, place, value->integer);
    case SQL_TEXT:
        return sqlite3_bind_text64(statement, place, data, value->text.size, SQLITE_STATIC,
                                   SQLITE_UTF8);
    case SQL_BLOB:
        return sqlite3_bind_blob64(statement, place, data, value->text.size, SQLITE_STATIC);
    }
    return SQLITE_MISUSE;
}

static bool bind_all(struct sqlite_connection *connection, const struct prepared *prepared,
                     const struct sql_statement_run *run)
{
    if (prepared->parameter_count != run->parameter_count)
        return sql_session_fail(&connection->base, SQL_FAILURE_REFUSED,
                                error_make(ERROR_INTERNAL, "%zu parameters, not %zu: %.150s",
                                           prepared->parameter_count, run->parameter_count,
                                           run->statement->text));
    for (int place = 1; place <= prepared->place_count; place++) {
        const struct sql_value *value = &run->parameters[prepared->parameter_at[place - 1]];
        int code = bind_one(prepared->statement, place, value);
        if (code != SQLITE_OK)
            return fail(connection, code, run->statement->text);
    }
    return true;
}

/* False: no memory for the column's text. */
static bool read_column(sqlite3_stmt *statement, int column, struct sql_value *value)
{
    const void *data;
    switch (sqlite3_column_type(statement, column)) {
    case SQLITE_INTEGER:
        *value = sql_integer(sqlite3_column_int64(statement, column));
        return true;
    case SQLITE_BLOB:
        data = sqlite3_column_blob(statement, column); /* NULL when it is empty */
        *value = sql_blob(
            text_make(data == NULL ? "" : data, (size_t)sqlite3_column_bytes(statement, column)));
        return true;
    case SQLITE_NULL:
        *value = sql_null();
        return true;
    }
    data = sqlite3_column_text(statement, column); /* a REAL arrives as its text, too */
    *value = sql_text(text_make(data, (size_t)sqlite3_column_bytes(statement, column)));
    return data != NULL;
}

/* Gives the row; false when it failed or the walk ends. */
static bool give_row(struct sqlite_connection *connection, sqlite3_stmt *statement,
                     const struct sql_statement_run *run)
{
    struct sql_value values[sql_columns_max];
    int count = sqlite3_column_count(statement);
    if (count > sql_columns_max)
        return sql_session_fail(&connection->base, SQL_FAILURE_REFUSED,
                                error_make(ERROR_INTERNAL, "more than %d columns: %.150s",
                                           sql_columns_max, run->statement->text));
    for (int i = 0; i < count; i++) {
        if (!read_column(statement, i, &values[i]))
            return fail(connection, SQLITE_NOMEM, run->statement->text);
    }
    return run->row(run->row_context, values, (size_t)count);
}

static bool step_all(struct sqlite_connection *connection, sqlite3_stmt *statement,
                     struct sql_statement_run *run)
{
    int code = sqlite3_step(statement);
    while (code == SQLITE_ROW) {
        if (run->row != NULL && !give_row(connection, statement, run))
            return !sql_session_has_failed(&connection->base);
        code = sqlite3_step(statement);
    }
    if (code != SQLITE_DONE)
        return fail(connection, code, run->statement->text);
    run->affected = sqlite3_changes64(connection->database);
    return true;
}

static bool run_statement(struct sql_session *session, struct sql_statement_run *run)
{
    struct sqlite_connection *connection = (struct sqlite_connection *)session;
    struct prepared *prepared = find_prepared(connection, run->statement);
    if (prepared == NULL)
        return false;
    bool good =
        bind_all(connection, prepared, run) && step_all(connection, prepared->statement, run);
    sqlite3_reset(prepared->statement); /* repeats the step's error, which is told already */
    return good;
}

static bool run_enqueued(struct sql_session *session, const struct sql_statement_run *run,
                         int64_t expected_affected)
{
    struct sql_statement_run now = *run;
    if (!run_statement(session, &now))
        return false;
    if (expected_affected == sql_one_known)
        expected_affected = 1;
    if (expected_affected == sql_any_number || now.affected == expected_affected)
        return true;
    return sql_session_fail(session, SQL_FAILURE_REFUSED,
                            error_make(ERROR_INTERNAL, "%lld rows changed, not %lld: %.150s",
                                       (long long)now.affected, (long long)expected_affected,
                                       run->statement->text));
}

static bool run_text(struct sql_session *session, const char *text)
{
    struct sqlite_connection *connection = (struct sqlite_connection *)session;
    int code = sqlite3_exec(connection->database, text, NULL, NULL, NULL);
    return code == SQLITE_OK || fail(connection, code, text);
}

/* The process's clock, never below what was given before. */
static bool read_now(struct sql_session *session, int64_t locked_time_max_us, int64_t *now_us)
{
    struct sqlite_connection *connection = (struct sqlite_connection *)session;
    int64_t now = clock_now_us(connection->clock);
    int64_t highest = atomic_load(connection->time_max_us);
    if (now < locked_time_max_us)
        now = locked_time_max_us;
    while (now > highest && !atomic_compare_exchange_weak(connection->time_max_us, &highest, now))
        continue;
    *now_us = now > highest ? now : highest;
    return true;
}

bool sqlite_connection_control(struct sqlite_connection *connection,
                               const struct sql_statement *statement)
{
    struct sql_statement_run run = {.statement = statement};
    return run_statement(&connection->base, &run);
}

/* Without memory even ROLLBACK may fail: then the old transaction is still there, and ends here. */
bool sqlite_connection_begin(struct sqlite_connection *connection, struct arena *arena,
                             const struct sql_statement *statement)
{
    sql_session_begin(&connection->base, arena);
    sqlite_connection_roll_back(connection);
    if (sqlite3_get_autocommit(connection->database) == 0)
        return fail_for_memory(connection);
    return sqlite_connection_control(connection, statement);
}

void sqlite_connection_roll_back(struct sqlite_connection *connection)
{
    if (sqlite3_get_autocommit(connection->database) != 0)
        return;
    (void)sqlite3_step(connection->rollback); /* prepared beforehand: without memory, too */
    (void)sqlite3_reset(connection->rollback);
}

/* --- its life --- */

static const struct sql_session_table sqlite_session_table = {
    .run = run_statement,
    .later = run_statement,
    .enqueue = run_enqueued,
    .now_us = read_now,
    .run_text = run_text,
};

static struct error apply(sqlite3 *database, const char *settings, const char *path)
{
    int code = sqlite3_exec(database, settings, NULL, NULL, NULL);
    return code == SQLITE_OK ? error_none() : sqlite_error(database, code, path);
}

/*
 * Whether the file really is in WAL mode: some file systems cannot. Stepped to its end, because the
 * change is committed, and may fail, after its row.
 */
static struct error check_journal(sqlite3 *database, const char *path)
{
    sqlite3_stmt *statement = NULL;
    bool is_wal = strcmp(path, sqlite_no_file) == 0;
    int code = sqlite3_prepare_v2(database, "PRAGMA journal_mode = WAL", -1, &statement, NULL);
    while (code == SQLITE_OK || code == SQLITE_ROW) {
        code = sqlite3_step(statement);
        is_wal = is_wal ||
                 (code == SQLITE_ROW &&
                  sqlite3_stricmp((const char *)sqlite3_column_text(statement, 0), "wal") == 0);
    }
    struct error error = code == SQLITE_DONE ? error_none() : sqlite_error(database, code, path);
    if (!error_is(error) && !is_wal)
        error = error_make(ERROR_INPUT_OUTPUT,
                           "%.150s: this file system cannot keep a write-ahead log", path);
    sqlite3_finalize(statement);
    return error;
}

/*
 * synchronous FULL syncs the log at each commit. Checkpoints are the writer's own business, so that
 * their errors are seen. temp_store: savepoints and sorts must not need another file.
 */
static const char settings[] = "PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;"
                               "PRAGMA wal_autocheckpoint = 0; PRAGMA temp_store = MEMORY;"
                               "PRAGMA cache_size = -16384; PRAGMA trusted_schema = OFF;";

struct error sqlite_connection_open(struct sqlite_connection *connection, const char *path,
                                    bool reader, struct clock *clock, _Atomic int64_t *time_max_us)
{
    const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE |
                      (reader ? 0 : SQLITE_OPEN_CREATE);
    *connection = (struct sqlite_connection){
        .base = {.table = &sqlite_session_table, .dialect = SQL_DIALECT_SQLITE},
        .clock = clock,
        .time_max_us = time_max_us,
    };
    hash_map_init(&connection->statements);
    int code = sqlite3_open_v2(path, &connection->database, flags, NULL);
    struct error error =
        code == SQLITE_OK ? error_none() : sqlite_error(connection->database, code, path);
    if (!error_is(error)) {
        sqlite3_busy_timeout(connection->database, busy_timeout_ms);
        error = check_journal(connection->database, path);
    }
    if (!error_is(error))
        error = apply(connection->database, settings, path);
    if (!error_is(error)) {
        code = sqlite3_prepare_v3(connection->database, "ROLLBACK", -1, SQLITE_PREPARE_PERSISTENT,
                                  &connection->rollback, NULL);
        error = code == SQLITE_OK ? error : sqlite_error(connection->database, code, path);
    }
    if (!error_is(error) && reader)
        error = apply(connection->database, "PRAGMA query_only = ON", path);
    if (error_is(error))
        sqlite_connection_close(connection);
    return error;
}

void sqlite_connection_close(struct sqlite_connection *connection)
{
    size_t cursor = 0;
    uint64_t value;
    while (hash_map_next(&connection->statements, &cursor, &value))
        release_prepared((struct prepared *)(uintptr_t)value);
    hash_map_deinit(&connection->statements);
    sqlite3_finalize(connection->rollback);
    int code = sqlite3_close(connection->database);
    CHECK(code == SQLITE_OK); /* nothing is open on it any more */
    connection->database = NULL;
}
