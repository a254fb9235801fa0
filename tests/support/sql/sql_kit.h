#ifndef WAYBILL_TESTS_SUPPORT_SQL_SQL_KIT_H
#define WAYBILL_TESTS_SUPPORT_SQL_SQL_KIT_H

#include "platform/sql/sql.h"
#include "tests/support/temporary_directory.h"

#include <stdbool.h>

/*
 * A fresh database for a test, on whichever server the suite runs: WAYBILL_SQL_URL names a
 * PostgreSQL database (tests/support/postgresql_suites.py starts one), in which each kit makes a
 * schema of its own; without it, a SQLite file in a temporary directory.
 */
struct sql_kit {
    struct temporary_directory directory;
    char url[1024]; /* for sql_store_options */
    char schema[64];
    bool is_postgresql;
};

void sql_kit_init(struct sql_kit *kit);

/* Drops everything. Close the stores first. */
void sql_kit_deinit(struct sql_kit *kit);

/* Whether the suite runs on PostgreSQL. */
bool sql_kit_runs_on_postgresql(void);

/* One statement behind the stores' back; it must succeed. Not while a SQLite store is open. */
void sql_kit_execute(struct sql_kit *kit, const char *text);

/* Runs the script as one write (or read) transaction and waits; the job's error, none if it ran. */
struct error sql_kit_run(struct sql_store *store, struct arena *arena, enum sql_access access,
                         sql_script *script, void *context, enum sql_verdict *verdict);

#endif
