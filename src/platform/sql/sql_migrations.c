/*
 * Migrations as scripts over the session: one transaction looks which is the next one pending,
 * applies it and writes its row; that is repeated until none is. Whoever starts at the same time
 * waits for the lock of that transaction and then finds the row.
 *
 * It fails before it changes anything when a row does not fit what this program knows; a migration
 * that fails is undone with its row, and those before it stay.
 */
#include "platform/sql/sql_migrations.h"

#include "platform/base/hash_map.h"
#include "platform/sql/sql_driver.h"

#include <stdio.h>
#include <string.h>

enum { checksum_bytes = 16, status_count_max = 4096 };

/* Any number, as long as nothing else in the database takes it as an advisory lock. */
static const int64_t advisory_lock_key = INT64_C(0x7761796269) /* "waybi" */;

/* PostgreSQL only: who writes to SQLite is alone. */
static const struct sql_statement take_lock = {
    .text = "SELECT 1 FROM pg_advisory_xact_lock($1)",
};

static const struct sql_statement select_applied = {
    .text = "SELECT number, name, checksum, applied_time FROM schema_migrations"
            " WHERE context = $1 ORDER BY number",
};

static const struct sql_statement insert_applied = {
    .text = "INSERT INTO schema_migrations (context, number, name, checksum, applied_time)"
            " VALUES ($1, $2, $3, $4, $5)",
};

static const struct sql_statement find_table = {
    .text = "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = $1",
    .postgresql = "SELECT count(*) FROM pg_catalog.pg_class"
                  " WHERE oid = pg_catalog.to_regclass($1) AND relkind = 'r'",
};

static const char table_text_sqlite[] =
    "CREATE TABLE IF NOT EXISTS schema_migrations (context TEXT NOT NULL, number INTEGER NOT NULL,"
    " name TEXT NOT NULL, checksum TEXT NOT NULL, applied_time INTEGER NOT NULL,"
    " PRIMARY KEY (context, number)) STRICT, WITHOUT ROWID";

static const char table_text_postgresql[] =
    "CREATE TABLE IF NOT EXISTS schema_migrations (context text NOT NULL, number bigint NOT NULL,"
    " name text NOT NULL, checksum text NOT NULL, applied_time bigint NOT NULL,"
    " PRIMARY KEY (context, number))";

/* One context's migrations for one dialect. */
struct known_migrations {
    const char *context;
    const struct sql_migration *items;
    size_t count;
};

static struct known_migrations known_for(const struct sql_migration_set *set,
                                         enum sql_dialect dialect)
{
    if (dialect == SQL_DIALECT_SQLITE)
        return (struct known_migrations){set->context, set->sqlite, set->sqlite_count};
    return (struct known_migrations){set->context, set->postgresql, set->postgresql_count};
}

static void checksum_of(const char *text, char out[checksum_bytes + 1])
{
    snprintf(out, checksum_bytes + 1, "%016llx", (unsigned long long)hash_text(0, text_of(text)));
}

static enum sql_migration_state state_of(const struct known_migrations *known,
                                         const struct sql_rows *rows, size_t row)
{
    char checksum[checksum_bytes + 1];
    if (row >= known->count)
        return SQL_MIGRATION_UNKNOWN;
    if (row >= rows->count)
        return SQL_MIGRATION_PENDING;
    checksum_of(known->items[row].text, checksum);
    bool same = sql_rows_integer(rows, row, 0) == known->items[row].number &&
                text_equals_string(sql_rows_text(rows, row, 2), checksum);
    return same ? SQL_MIGRATION_APPLIED : SQL_MIGRATION_CHANGED;
}

/* Whether each row applied is one this program knows, unchanged. */
static struct error check_applied(const struct known_migrations *known, const struct sql_rows *rows)
{
    for (size_t row = 0; row < rows->count; row++) {
        struct text name = sql_rows_text(rows, row, 1);
        enum sql_migration_state state = state_of(known, rows, row);
        if (state == SQL_MIGRATION_UNKNOWN)
            return error_make(ERROR_DAMAGED,
                              "the schema is newer than this program: it does not know migration "
                              "%s/%04lld_%.*s; run the newer waybill",
                              known->context, (long long)sql_rows_integer(rows, row, 0),
                              (int)name.size, name.data);
        if (state == SQL_MIGRATION_CHANGED)
            return error_make(ERROR_DAMAGED,
                              "migration %s/%04lld_%.*s was changed after it was applied here",
                              known->context, (long long)sql_rows_integer(rows, row, 0),
                              (int)name.size, name.data);
    }
    return error_none();
}

/* --- one step --- */

struct migration_step {
    const struct known_migrations *known;
    bool refuse; /* pending ones are an error */
    bool done;   /* result: nothing is pending */
};

static bool lock_table(struct sql_session *session)
{
    const struct sql_value key = sql_integer(advisory_lock_key);
    if (sql_session_dialect(session) == SQL_DIALECT_SQLITE)
        return sql_session_run_text(session, table_text_sqlite);
    return sql_execute(session, &take_lock, &key, 1, NULL) &&
           sql_session_run_text(session, table_text_postgresql);
}

static bool apply_one(struct sql_session *session, const char *context,
                      const struct sql_migration *migration)
{
    char checksum[checksum_bytes + 1];
    int64_t now_us;
    checksum_of(migration->text, checksum);
    if (!sql_session_run_text(session, migration->text) || !sql_session_now_us(session, 0, &now_us))
        return false;
    const struct sql_value parameters[] = {
        sql_text(text_of(context)),
        sql_integer(migration->number),
        sql_text(text_of(migration->name)),
        sql_text(text_of(checksum)),
        sql_integer(now_us),
    };
    return sql_execute(session, &insert_applied, parameters, 5, NULL);
}

static enum sql_verdict run_step(struct sql_session *session, void *context, struct error *error)
{
    struct migration_step *step = context;
    const struct known_migrations *known = step->known;
    const struct sql_value name = sql_text(text_of(known->context));
    struct sql_rows rows;
    step->done = false;
    if (!lock_table(session) || !sql_query(session, &select_applied, &name, 1, &rows))
        return SQL_FAIL;
    *error = check_applied(known, &rows);
    if (error_is(*error))
        return SQL_FAIL;
    step->done = rows.count == known->count;
    if (step->done)
        return SQL_ROLL_BACK;
    if (step->refuse) {
        *error = error_make(ERROR_INVALID_SETTING,
                            "%zu migrations of %s are pending; `waybill migrate up` applies them",
                            known->count - rows.count, known->context);
        return SQL_FAIL;
    }
    return apply_one(session, known->context, &known->items[rows.count]) ? SQL_COMMIT : SQL_FAIL;
}

static struct error apply_set(const struct known_migrations *known, bool refuse,
                              sql_script_runner *run, void *context)
{
    struct migration_step step = {.known = known, .refuse = refuse};
    struct error error = error_none();
    while (!step.done && !error_is(error))
        error = run(context, run_step, &step);
    return error;
}

struct error sql_migrations_apply(const struct sql_store_options *options, sql_script_runner *run,
                                  void *context)
{
    enum sql_dialect dialect =
        strncmp(options->url, "sqlite:", 7) == 0 ? SQL_DIALECT_SQLITE : SQL_DIALECT_POSTGRESQL;
    struct error error = error_none();
    for (size_t i = 0; i < options->migration_count && !error_is(error); i++) {
        struct known_migrations known = known_for(options->migrations[i], dialect);
        error = apply_set(&known, options->migrate == SQL_MIGRATE_REFUSE, run, context);
    }
    return error;
}

struct error sql_migrations_up(const struct sql_store_options *options)
{
    struct sql_store_options opening = *options;
    struct sql_store *store;
    opening.migrate = SQL_MIGRATE_AUTO;
    struct error error = sql_store_open(&store, &opening);
    if (!error_is(error))
        sql_store_close(store);
    return error;
}

/* --- status --- */

struct status_reading {
    const struct sql_store_options *options;
    struct sql_migration_status *items;
    size_t count;
};

static void add_status(struct status_reading *reading, struct sql_migration_status status)
{
    if (reading->count < status_count_max)
        reading->items[reading->count++] = status;
}

static void read_set(struct status_reading *reading, const struct known_migrations *known,
                     const struct sql_rows *rows)
{
    size_t count = rows->count > known->count ? rows->count : known->count;
    for (size_t i = 0; i < count; i++) {
        struct sql_migration_status status = {
            .context = known->context,
            .state = state_of(known, rows, i),
        };
        if (i < rows->count) {
            status.number = (uint32_t)sql_rows_integer(rows, i, 0);
            status.name = sql_rows_text(rows, i, 1).data;
            status.applied_time_us = sql_rows_integer(rows, i, 3);
        } else {
            status.number = known->items[i].number;
            status.name = known->items[i].name;
        }
        add_status(reading, status);
    }
}

static enum sql_verdict read_status(struct sql_session *session, void *context, struct error *error)
{
    struct status_reading *reading = context;
    const struct sql_value table = sql_text(text_of("schema_migrations"));
    struct sql_rows tables;
    (void)error;
    reading->count = 0;
    if (!sql_query(session, &find_table, &table, 1, &tables))
        return SQL_FAIL;
    for (size_t i = 0; i < reading->options->migration_count; i++) {
        struct known_migrations known =
            known_for(reading->options->migrations[i], sql_session_dialect(session));
        const struct sql_value name = sql_text(text_of(known.context));
        struct sql_rows rows = {.session = session};
        if (sql_rows_integer(&tables, 0, 0) > 0 &&
            !sql_query(session, &select_applied, &name, 1, &rows))
            return SQL_FAIL;
        read_set(reading, &known, &rows);
    }
    return SQL_COMMIT;
}

struct error sql_migrations_status(const struct sql_store_options *options, struct arena *arena,
                                   struct sql_migration_list *list)
{
    struct status_reading reading = {
        .options = options,
        .items = arena_allocate(arena, status_count_max * sizeof *reading.items),
    };
    *list = (struct sql_migration_list){0};
    if (reading.items == NULL)
        return error_make(ERROR_OUT_OF_MEMORY, "the list of migrations");
    struct error error = sql_look(options, arena, read_status, &reading);
    if (!error_is(error))
        *list = (struct sql_migration_list){.items = reading.items, .count = reading.count};
    return error;
}
