#ifndef WAYBILL_PLATFORM_SQL_SQL_MIGRATIONS_H
#define WAYBILL_PLATFORM_SQL_SQL_MIGRATIONS_H

#include "platform/base/arena.h"
#include "platform/base/error.h"
#include "platform/sql/sql.h"

#include <stddef.h>
#include <stdint.h>

/*
 * How a database gets its tables: numbered migrations of each context, forward only, each applied
 * once in a transaction of its own together with its row in
 *   schema_migrations(context, number, name, checksum, applied_time)
 * Two starters take turns (SQLite: one process owns the file; PostgreSQL: an advisory lock). A
 * migration whose text is no longer the one applied, and a schema that knows more than this
 * program, are refused: neither may be guessed about.
 */
enum sql_migration_state {
    SQL_MIGRATION_APPLIED,
    SQL_MIGRATION_PENDING,
    SQL_MIGRATION_CHANGED, /* applied with another text */
    SQL_MIGRATION_UNKNOWN, /* applied by a newer program */
};

struct sql_migration_status {
    const char *context;
    uint32_t number;
    const char *name;
    enum sql_migration_state state;
    int64_t applied_time_us; /* 0 = not applied */
};

struct sql_migration_list {
    const struct sql_migration_status *items; /* by context in the order given, then by number */
    size_t count;
};

/*
 * What is applied and what is not, of options->migrations, without changing anything. A SQLite file
 * may be in use meanwhile; one that does not exist has everything pending.
 * Errors: as sql_store_open, without those of migrations.
 */
__attribute__((warn_unused_result)) struct error sql_migrations_status(
    const struct sql_store_options *options, struct arena *arena, struct sql_migration_list *list);

/* Applies what is pending. Errors: as sql_store_open. */
__attribute__((warn_unused_result)) struct error sql_migrations_up(
    const struct sql_store_options *options);

/* The driver's side: runs one script as a write transaction on a connection, and waits. */
typedef struct error sql_script_runner(void *context, sql_script *script, void *script_context);

/* Within sql_store_open: applies, or with SQL_MIGRATE_REFUSE refuses what is pending. */
__attribute__((warn_unused_result)) struct error sql_migrations_apply(
    const struct sql_store_options *options, sql_script_runner *run, void *context);

#endif
