/*
 * SQLite's own checks over a read-only connection: integrity_check (pages, indexes, constraints),
 * foreign_key_check, and a count of all rows, which reads each table once more.
 */
#include "platform/sql/sqlite_verification.h"

#include "platform/base/buffer.h"
#include "platform/sql/sqlite_connection.h"

#include <string.h>
#include <sys/stat.h>

enum { statement_bytes_max = 512, path_bytes_max = 16384 };

struct check {
    sqlite3 *database;
    const char *path;
};

/* Steps through the statement, each row to `row`, until that gives an error. */
static struct error each_row(const struct check *check, const char *text,
                             struct error (*row)(const struct check *check, sqlite3_stmt *statement,
                                                 void *context),
                             void *context)
{
    sqlite3_stmt *statement = NULL;
    struct error error = error_none();
    int code = sqlite3_prepare_v2(check->database, text, -1, &statement, NULL);
    if (code != SQLITE_OK)
        return sqlite_error(check->database, code, check->path);
    while (!error_is(error) && (code = sqlite3_step(statement)) == SQLITE_ROW)
        error = row(check, statement, context);
    if (!error_is(error) && code != SQLITE_DONE)
        error = sqlite_error(check->database, code, check->path);
    sqlite3_finalize(statement);
    return error;
}

static const char *text_at(sqlite3_stmt *statement, int column)
{
    const unsigned char *text = sqlite3_column_text(statement, column);
    return text == NULL ? "" : (const char *)text;
}

static struct error integrity_row(const struct check *check, sqlite3_stmt *statement, void *context)
{
    const char *told = text_at(statement, 0);
    (void)context;
    return strcmp(told, "ok") == 0 ? error_none()
                                   : error_make(ERROR_DAMAGED, "%.200s: %.200s", check->path, told);
}

static struct error reference_row(const struct check *check, sqlite3_stmt *statement, void *context)
{
    (void)context;
    return error_make(ERROR_DAMAGED, "%.200s: row %lld of %.60s refers to none of %.60s",
                      check->path, (long long)sqlite3_column_int64(statement, 1),
                      text_at(statement, 0), text_at(statement, 2));
}

static struct error count_row(const struct check *check, sqlite3_stmt *statement, void *context)
{
    struct sqlite_verification *found = context;
    (void)check;
    found->rows += sqlite3_column_int64(statement, 0);
    return error_none();
}

static struct error table_row(const struct check *check, sqlite3_stmt *statement, void *context)
{
    struct sqlite_verification *found = context;
    char text[statement_bytes_max];
    found->tables++;
    sqlite3_snprintf(sizeof text, text, "SELECT count(*) FROM \"%w\"", text_at(statement, 0));
    return each_row(check, text, count_row, found);
}

/*
 * A server that stopped in good order has left no log beside the file: then SQLite is told that
 * nothing changes, and makes no files of its own there. Otherwise it must read the log, too.
 */
static struct error open_file(const char *path, sqlite3 **database)
{
    const int flags = SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_URI;
    struct buffer name;
    struct stat log;
    buffer_init(&name, path_bytes_max);
    bool named = buffer_append_format(&name, "%s-wal", path) && buffer_append(&name, "", 1);
    bool has_log = named && stat(name.data, &log) == 0 && log.st_size > 0;
    buffer_clear(&name);
    named = named && buffer_append_string(&name, "file:");
    for (const char *c = path; named && *c != '\0'; c++)
        named = strchr("?#%", *c) == NULL ? buffer_append(&name, c, 1)
                                          : buffer_append_format(&name, "%%%02x", (unsigned)*c);
    named = named && buffer_append_string(&name, has_log ? "" : "?immutable=1") &&
            buffer_append(&name, "", 1);
    int code = named ? sqlite3_open_v2(name.data, database, flags, NULL) : SQLITE_NOMEM;
    buffer_deinit(&name);
    return code == SQLITE_OK ? error_none() : sqlite_error(*database, code, path);
}

struct error sqlite_verify(const char *path, struct sqlite_verification *found)
{
    struct check check = {.path = path};
    *found = (struct sqlite_verification){0};
    sqlite_memory_use();
    struct error error = open_file(path, &check.database);
    if (!error_is(error))
        error = each_row(&check, "PRAGMA integrity_check(1)", integrity_row, NULL);
    if (!error_is(error))
        error = each_row(&check, "PRAGMA foreign_key_check", reference_row, NULL);
    if (!error_is(error))
        error = each_row(&check, "SELECT name FROM sqlite_schema WHERE type = 'table'", table_row,
                         found);
    sqlite3_close(check.database);
    return error;
}
