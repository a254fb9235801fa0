#ifndef WAYBILL_PLATFORM_SQL_SQL_SESSION_H
#define WAYBILL_PLATFORM_SQL_SQL_SESSION_H

#include "platform/base/arena.h"
#include "platform/base/error.h"
#include "platform/base/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * What a script sees of the database: one transaction, statements with bound parameters, rows.
 *
 * A script is a whole transaction: read with locks in one order, decide, write, say how it ends.
 * It runs on a store thread; everything it needs is in its context, which belongs to the store
 * until `done`. It may be run again from the beginning (after a deadlock, a serialization failure,
 * a unique violation, a busy database, or because another job of its batch failed), so it sets all
 * its results anew at its start and changes nothing but them.
 *
 * Failures are sticky: after the first statement that fails every later one fails without being
 * sent, all accessors give zeros, and whatever the script then returns, nothing is committed. So a
 * script cannot forget an error; it returns SQL_FAIL early where going on makes no sense. Never
 * report a domain refusal from rows that a failed statement gave: the store overrules it anyway.
 *
 * Thread: the script's only.
 */
struct sql_session;

enum sql_dialect { SQL_DIALECT_SQLITE, SQL_DIALECT_POSTGRESQL };

/* How a script ends. */
enum sql_verdict {
    SQL_COMMIT,    /* all it wrote becomes durable, then `done` */
    SQL_ROLL_BACK, /* a domain refusal: nothing it wrote remains */
    SQL_FAIL,      /* a statement failed, or the script set *error */
};

/*
 * The whole transaction. With SQL_FAIL and no failed statement `*error` must be set (for example
 * OUT_OF_MEMORY when the arena is full); after a failed statement the store knows better.
 */
typedef enum sql_verdict sql_script(struct sql_session *session, void *context,
                                    struct error *error);

/*
 * One statement, `static const`: its address is the key under which each connection keeps it
 * prepared. `text` is for both databases, with parameters $1 … $n, n at most sql_parameters_max,
 * each of which may occur often. `postgresql` replaces it there where the dialects differ (NULL =
 * the same text). SQLite needs no row locks, its writer is alone; for_update adds " FOR UPDATE" at
 * the end of the text on PostgreSQL.
 *
 * PostgreSQL infers the parameters' types from the text; where it cannot, write $1::bigint or the
 * like (then in a text of its own: SQLite does not know ::). Integers fit every numeric type.
 */
struct sql_statement {
    const char *text;
    const char *postgresql;
    bool for_update;
};

enum { sql_parameters_max = 64, sql_columns_max = 64 };

/*
 * A parameter, or one column of one row. SQLite: INTEGER, TEXT, BLOB, NULL. PostgreSQL: bigint,
 * integer, smallint, boolean (0, 1), xid8 and whole numeric (as sum() gives) are integers; text,
 * varchar, json and name are texts; bytea is a blob. Other types are refused with the statement's
 * text. Texts must be UTF-8 without NUL (PostgreSQL refuses others; what comes from clients has
 * been checked).
 */
enum sql_kind { SQL_NULL, SQL_INTEGER, SQL_TEXT, SQL_BLOB };

struct sql_value {
    enum sql_kind kind;
    int64_t integer;
    struct text text; /* SQL_TEXT: NUL-terminated behind its size where it comes from a row */
};

static inline struct sql_value sql_null(void)
{
    return (struct sql_value){.kind = SQL_NULL};
}

static inline struct sql_value sql_integer(int64_t value)
{
    return (struct sql_value){.kind = SQL_INTEGER, .integer = value};
}

/* A text without address is the empty text, not NULL. */
static inline struct sql_value sql_text(struct text value)
{
    return (struct sql_value){.kind = SQL_TEXT, .text = value};
}

static inline struct sql_value sql_blob(struct text bytes)
{
    return (struct sql_value){.kind = SQL_BLOB, .text = bytes};
}

/* An empty text as NULL: for columns where absent and empty are the same. */
static inline struct sql_value sql_text_or_null(struct text value)
{
    return value.size == 0 ? sql_null() : sql_text(value);
}

/*
 * A statement's parameters, counted by the compiler: a number written by hand that is one
 * too small would bind too few.
 */
#define BOUND(...)                                                                                 \
    ((const struct sql_value[]){__VA_ARGS__}),                                                     \
        (sizeof((const struct sql_value[]){__VA_ARGS__}) / sizeof(struct sql_value))

/* The rows of one query, on the session's arena. */
struct sql_rows {
    struct sql_session *session;
    size_t count;
    size_t column_count;
    const struct sql_value *values; /* row by row */
};

enum sql_dialect sql_session_dialect(const struct sql_session *session);

/* The job's arena: rows and results live there until the caller gives it back. */
struct arena *sql_session_arena(struct sql_session *session);

/*
 * The time of this step in microseconds UTC (DESIGN section 3 rule 6): call it after the rows have
 * been locked. Never less than `locked_time_max_us`, the highest time stored in the rows locked (0
 * = none). SQLite: the higher of the process's clock and the highest time this file has ever given,
 * which is stored with each commit. PostgreSQL: clock_timestamp(), asked once a run of the script
 * (a round trip). Later calls of the same run give the same time, or the higher
 * locked_time_max_us. False: failed.
 */
__attribute__((warn_unused_result)) bool sql_session_now_us(struct sql_session *session,
                                                            int64_t locked_time_max_us,
                                                            int64_t *now_us);

/* All rows at once. False: failed, and *rows is empty. */
__attribute__((warn_unused_result)) bool sql_query(struct sql_session *session,
                                                   const struct sql_statement *statement,
                                                   const struct sql_value *parameters,
                                                   size_t parameter_count, struct sql_rows *rows);

/*
 * The same for rows that are needed later: on PostgreSQL the statement travels with the next one
 * that is waited for (sql_query, sql_execute, sql_session_now_us), which saves a round trip, and
 * *rows is filled by then, not before; it lives as long as the script runs. Statements still run in
 * the order in which they were given, each seeing what was committed before it began. Parameters
 * are copied. False: it has failed already.
 */
__attribute__((warn_unused_result)) bool sql_query_later(struct sql_session *session,
                                                         const struct sql_statement *statement,
                                                         const struct sql_value *parameters,
                                                         size_t parameter_count,
                                                         struct sql_rows *rows);

/* INSERT, UPDATE, DELETE; `affected` may be NULL. False: failed. */
__attribute__((warn_unused_result)) bool sql_execute(struct sql_session *session,
                                                     const struct sql_statement *statement,
                                                     const struct sql_value *parameters,
                                                     size_t parameter_count, int64_t *affected);

/*
 * Of rows affected. sql_one_known: one, which the script knows beforehand, because it inserts it or
 * has it locked; looked at where that costs nothing, on SQLite.
 */
enum { sql_any_number = -1, sql_one_known = -2 };

/*
 * As sql_execute, but the answer is not waited for: on PostgreSQL the statement travels with the
 * next one that is waited for, or with the commit, which saves a round trip each. Parameters are
 * copied. A failure shows at that later statement; if the rows affected are not
 * `expected_affected` (sql_any_number = not looked at) the whole script fails with INTERNAL: a
 * guard that cannot miss while the rows are locked. Such an expectation is checked before the
 * commit is sent, which costs one round trip a script; sql_one_known, or a CHECK constraint in the
 * table, costs none.
 * False: it has failed already.
 */
bool sql_enqueue(struct sql_session *session, const struct sql_statement *statement,
                 const struct sql_value *parameters, size_t parameter_count,
                 int64_t expected_affected);

/*
 * One row of sql_each; values live until it returns. It must not use the session. False stops the
 * walk, which is then no failure.
 */
typedef bool sql_row_function(void *context, const struct sql_value *values, size_t column_count);

/* For large results: row by row, nothing is kept. False: failed, after rows were given perhaps. */
__attribute__((warn_unused_result)) bool sql_each(struct sql_session *session,
                                                  const struct sql_statement *statement,
                                                  const struct sql_value *parameters,
                                                  size_t parameter_count, sql_row_function *row,
                                                  void *context);

/* Whether a statement has failed already in this run. */
bool sql_session_has_failed(const struct sql_session *session);

/*
 * One value. Row and column must exist (CHECK). NULL gives 0 or the empty text. A column of another
 * kind is a failure of the session (DAMAGED: the schema is not the one the script was written for).
 */
bool sql_rows_is_null(const struct sql_rows *rows, size_t row, size_t column);
int64_t sql_rows_integer(const struct sql_rows *rows, size_t row, size_t column);
struct text sql_rows_text(const struct sql_rows *rows, size_t row, size_t column);
struct text sql_rows_blob(const struct sql_rows *rows, size_t row, size_t column);

#endif
