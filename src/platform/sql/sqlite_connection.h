#ifndef WAYBILL_PLATFORM_SQL_SQLITE_CONNECTION_H
#define WAYBILL_PLATFORM_SQL_SQLITE_CONNECTION_H

#include "platform/base/clock.h"
#include "platform/base/hash_map.h"
#include "platform/sql/sql_driver.h"

#include <sqlite3.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * One connection to a SQLite file and its prepared statements. Private to platform/sql. Thread: one
 * at a time.
 */
struct sqlite_connection {
    struct sql_session base;
    sqlite3 *database;
    sqlite3_stmt *rollback;
    struct hash_map statements; /* by the address of struct sql_statement */
    struct clock *clock;
    _Atomic int64_t *time_max_us; /* the highest time this file has given; the store's */
};

/* In place of a path: an empty database in memory, for looking at a file that does not exist. */
static const char sqlite_no_file[] = ":memory:";

/*
 * Opens the file (made if missing) in WAL mode with synchronous FULL. A reader can only read.
 * Errors: DAMAGED (no database), INPUT_OUTPUT, DISK_FULL, OUT_OF_MEMORY.
 */
struct error sqlite_connection_open(struct sqlite_connection *connection, const char *path,
                                    bool reader, struct clock *clock, _Atomic int64_t *time_max_us);
void sqlite_connection_close(struct sqlite_connection *connection);

/* A statement without parameters and rows: BEGIN, COMMIT, SAVEPOINT … False: the session failed. */
bool sqlite_connection_control(struct sqlite_connection *connection,
                               const struct sql_statement *statement);

/* Begins the session and the transaction, by BEGIN or BEGIN IMMEDIATE. */
bool sqlite_connection_begin(struct sqlite_connection *connection, struct arena *arena,
                             const struct sql_statement *statement);

/* ROLLBACK, if there is a transaction; what it says does not matter, the transaction is over. */
void sqlite_connection_roll_back(struct sqlite_connection *connection);

/* The class of a result code and the error it is, with the database's words. */
enum sql_failure sqlite_failure_of(int code);
struct error sqlite_error(sqlite3 *database, int code, const char *what);

/* Once a process: SQLite's memory comes from platform/base/memory.h. */
void sqlite_memory_use(void);

#endif
