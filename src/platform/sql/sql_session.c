/*
 * Sessions as scripts see them, whatever the driver: failures stick, rows are copied to the arena.
 *
 * A driver hands rows to a row function one at a time; sql_query collects them in an array that
 * doubles on the arena, so nothing has to be known beforehand. An arena that is full is a failure
 * of the session like any other.
 */
#include "platform/sql/sql_session.h"

#include "platform/base/check.h"
#include "platform/sql/sql_driver.h"

#include <stdio.h>
#include <string.h>

enum { rows_room_first = 8 };

void sql_session_begin(struct sql_session *session, struct arena *arena)
{
    session->arena = arena;
    session->failure = SQL_FAILURE_NONE;
    session->error = error_none();
    session->has_now = false;
    session->now_us = 0;
    session->walking = false;
}

bool sql_session_fail(struct sql_session *session, enum sql_failure failure, struct error error)
{
    if (session->failure == SQL_FAILURE_NONE) {
        session->failure = failure;
        session->error = error;
    }
    return false;
}

bool sql_session_run_text(struct sql_session *session, const char *text)
{
    if (session->failure != SQL_FAILURE_NONE)
        return false;
    return session->table->run_text(session, text);
}

struct error sql_failure_error(enum sql_failure failure, struct error error)
{
    switch (failure) {
    case SQL_FAILURE_NONE:
        return error;
    case SQL_FAILURE_CONFLICT:
    case SQL_FAILURE_REFUSED:
        error.code = ERROR_INTERNAL;
        return error;
    case SQL_FAILURE_RETRY:
        error.code = ERROR_OVERLOADED;
        return error;
    case SQL_FAILURE_GONE:
        error.code = ERROR_STORE_UNAVAILABLE;
        return error;
    case SQL_FAILURE_DEADLINE:
        error.code = ERROR_DEADLINE;
        return error;
    case SQL_FAILURE_DISK_FULL:
        error.code = ERROR_DISK_FULL;
        return error;
    case SQL_FAILURE_MEMORY:
        error.code = ERROR_OUT_OF_MEMORY;
        return error;
    case SQL_FAILURE_DAMAGED:
        error.code = ERROR_DAMAGED;
        return error;
    case SQL_FAILURE_FATAL:
        error.code = ERROR_INPUT_OUTPUT;
        return error;
    }
    CHECK(failure == SQL_FAILURE_NONE); /* the switch has every failure */
    return error;
}

enum sql_verdict sql_session_run_script(struct sql_session *session, sql_script *script,
                                        void *context, struct error *own)
{
    *own = error_none();
    enum sql_verdict verdict = script(session, context, own);
    if (session->failure != SQL_FAILURE_NONE)
        return SQL_FAIL;
    if (verdict == SQL_FAIL && !error_is(*own))
        *own = error_make(ERROR_INTERNAL, "a script failed without saying why");
    return verdict;
}

enum sql_dialect sql_session_dialect(const struct sql_session *session)
{
    return session->dialect;
}

struct arena *sql_session_arena(struct sql_session *session)
{
    return session->arena;
}

bool sql_session_has_failed(const struct sql_session *session)
{
    return session->failure != SQL_FAILURE_NONE;
}

bool sql_session_now_us(struct sql_session *session, int64_t locked_time_max_us, int64_t *now_us)
{
    *now_us = 0;
    if (session->failure != SQL_FAILURE_NONE)
        return false;
    CHECK(!session->walking);
    if (session->has_now && session->now_us >= locked_time_max_us) {
        *now_us = session->now_us;
        return true;
    }
    if (session->has_now) {
        session->now_us = locked_time_max_us;
    } else if (!session->table->now_us(session, locked_time_max_us, &session->now_us)) {
        return false;
    }
    if (session->now_us < locked_time_max_us)
        session->now_us = locked_time_max_us;
    session->has_now = true;
    *now_us = session->now_us;
    return true;
}

/* --- statements --- */

static bool may_run(struct sql_session *session, const struct sql_statement_run *run)
{
    if (session->failure != SQL_FAILURE_NONE)
        return false;
    CHECK(!session->walking);
    CHECK(run->parameter_count <= sql_parameters_max);
    return true;
}

struct rows_collection {
    struct sql_rows *rows;
    struct sql_value *values;
    size_t room; /* in rows */
};

static bool rows_full(struct sql_session *session)
{
    return sql_session_fail(session, SQL_FAILURE_MEMORY,
                            error_make(ERROR_OUT_OF_MEMORY, "no room for the rows of a query"));
}

static bool make_room(struct rows_collection *collection, size_t column_count)
{
    struct sql_rows *rows = collection->rows;
    size_t room = collection->room == 0 ? rows_room_first : 2 * collection->room;
    struct sql_value *values =
        arena_allocate(rows->session->arena, room * (column_count + 1) * sizeof *values);
    if (values == NULL)
        return rows_full(rows->session);
    if (rows->count > 0)
        memcpy(values, collection->values, rows->count * column_count * sizeof *values);
    collection->values = values;
    collection->room = room;
    rows->values = values;
    rows->column_count = column_count;
    return true;
}

static bool collect_row(void *context, const struct sql_value *values, size_t column_count)
{
    struct rows_collection *collection = context;
    struct sql_rows *rows = collection->rows;
    if (rows->count == collection->room && !make_room(collection, column_count))
        return false;
    struct sql_value *copy = collection->values + rows->count * column_count;
    for (size_t i = 0; i < column_count; i++) {
        copy[i] = values[i];
        if (values[i].kind != SQL_TEXT && values[i].kind != SQL_BLOB)
            continue;
        copy[i].text = arena_copy_text(rows->session->arena, values[i].text);
        if (copy[i].text.data == NULL)
            return rows_full(rows->session);
    }
    rows->count++;
    return true;
}

bool sql_query(struct sql_session *session, const struct sql_statement *statement,
               const struct sql_value *parameters, size_t parameter_count, struct sql_rows *rows)
{
    struct rows_collection collection = {.rows = rows};
    struct sql_statement_run run = {
        .statement = statement,
        .parameters = parameters,
        .parameter_count = parameter_count,
        .row = collect_row,
        .row_context = &collection,
    };
    *rows = (struct sql_rows){.session = session};
    bool good = may_run(session, &run) && session->table->run(session, &run) &&
                session->failure == SQL_FAILURE_NONE;
    if (!good)
        *rows = (struct sql_rows){.session = session};
    return good;
}

/* A query whose answer is not there yet. */
struct later_query {
    struct rows_collection collection;
    struct sql_statement_run run;
};

bool sql_query_later(struct sql_session *session, const struct sql_statement *statement,
                     const struct sql_value *parameters, size_t parameter_count,
                     struct sql_rows *rows)
{
    *rows = (struct sql_rows){.session = session};
    if (session->failure != SQL_FAILURE_NONE)
        return false;
    struct later_query *later = arena_allocate_zero(session->arena, 1, sizeof *later);
    if (later == NULL)
        return rows_full(session);
    later->collection.rows = rows;
    later->run = (struct sql_statement_run){
        .statement = statement,
        .parameters = parameters,
        .parameter_count = parameter_count,
        .row = collect_row,
        .row_context = &later->collection,
    };
    return may_run(session, &later->run) && session->table->later(session, &later->run);
}

bool sql_execute(struct sql_session *session, const struct sql_statement *statement,
                 const struct sql_value *parameters, size_t parameter_count, int64_t *affected)
{
    struct sql_statement_run run = {
        .statement = statement,
        .parameters = parameters,
        .parameter_count = parameter_count,
    };
    bool good = may_run(session, &run) && session->table->run(session, &run);
    if (affected != NULL)
        *affected = good ? run.affected : 0;
    return good;
}

bool sql_enqueue(struct sql_session *session, const struct sql_statement *statement,
                 const struct sql_value *parameters, size_t parameter_count,
                 int64_t expected_affected)
{
    const struct sql_statement_run run = {
        .statement = statement,
        .parameters = parameters,
        .parameter_count = parameter_count,
    };
    return may_run(session, &run) && session->table->enqueue(session, &run, expected_affected);
}

bool sql_each(struct sql_session *session, const struct sql_statement *statement,
              const struct sql_value *parameters, size_t parameter_count, sql_row_function *row,
              void *context)
{
    struct sql_statement_run run = {
        .statement = statement,
        .parameters = parameters,
        .parameter_count = parameter_count,
        .row = row,
        .row_context = context,
        .streamed = true,
    };
    if (!may_run(session, &run))
        return false;
    session->walking = true;
    bool good = session->table->run(session, &run);
    session->walking = false;
    return good;
}

/* --- values --- */

static const struct sql_value *value_at(const struct sql_rows *rows, size_t row, size_t column)
{
    CHECK(row < rows->count && column < rows->column_count);
    return &rows->values[row * rows->column_count + column];
}

static const char *const kind_names[] = {
    [SQL_NULL] = "NULL",
    [SQL_INTEGER] = "an integer",
    [SQL_TEXT] = "a text",
    [SQL_BLOB] = "a blob",
};

static const struct sql_value *value_of_kind(const struct sql_rows *rows, size_t row, size_t column,
                                             enum sql_kind kind)
{
    static const struct sql_value nothing = {.kind = SQL_NULL};
    if (sql_session_has_failed(rows->session))
        return &nothing;
    const struct sql_value *value = value_at(rows, row, column);
    if (value->kind == kind || value->kind == SQL_NULL)
        return value;
    (void)sql_session_fail(rows->session, SQL_FAILURE_DAMAGED,
                           error_make(ERROR_DAMAGED, "column %zu of a query is %s, not %s",
                                      column + 1, kind_names[value->kind], kind_names[kind]));
    return &nothing;
}

bool sql_rows_is_null(const struct sql_rows *rows, size_t row, size_t column)
{
    return sql_session_has_failed(rows->session) || value_at(rows, row, column)->kind == SQL_NULL;
}

int64_t sql_rows_integer(const struct sql_rows *rows, size_t row, size_t column)
{
    return value_of_kind(rows, row, column, SQL_INTEGER)->integer;
}

struct text sql_rows_text(const struct sql_rows *rows, size_t row, size_t column)
{
    return value_of_kind(rows, row, column, SQL_TEXT)->text;
}

struct text sql_rows_blob(const struct sql_rows *rows, size_t row, size_t column)
{
    return value_of_kind(rows, row, column, SQL_BLOB)->text;
}
