/* A temporary directory, or a schema of its own made and dropped through libpq. */
#include "tests/support/sql/sql_kit.h"

#include "platform/base/check.h"
#include "platform/sql/sqlite_connection.h"

#include <libpq-fe.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *server_url(void)
{
    const char *url = getenv("WAYBILL_SQL_URL");
    return url == NULL || url[0] == '\0' ? NULL : url;
}

bool sql_kit_runs_on_postgresql(void)
{
    return server_url() != NULL;
}

static void run_on_server(const char *url, const char *text)
{
    PGconn *connection = PQconnectdb(url);
    if (PQstatus(connection) != CONNECTION_OK)
        fprintf(stderr, "%s\n", PQerrorMessage(connection));
    CHECK(PQstatus(connection) == CONNECTION_OK);
    PGresult *result = PQexec(connection, text);
    ExecStatusType status = PQresultStatus(result);
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
        fprintf(stderr, "%s\n", PQerrorMessage(connection));
    CHECK(status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK);
    PQclear(result);
    PQfinish(connection);
}

void sql_kit_init(struct sql_kit *kit)
{
    static _Atomic unsigned number;
    char text[128];
    const char *url = server_url();
    *kit = (struct sql_kit){.is_postgresql = url != NULL};
    sqlite_memory_use(); /* before SQLite is used at all */
    temporary_directory_create(&kit->directory);
    if (!kit->is_postgresql) {
        snprintf(kit->url, sizeof kit->url, "sqlite:%s/store.sqlite", kit->directory.path);
        return;
    }
    snprintf(kit->schema, sizeof kit->schema, "test_%d_%u", (int)getpid(),
             atomic_fetch_add(&number, 1));
    snprintf(text, sizeof text, "CREATE SCHEMA %s", kit->schema);
    run_on_server(url, text);
    int size = snprintf(kit->url, sizeof kit->url, "%s%coptions=-csearch_path%%3D%s", url,
                        strchr(url, '?') == NULL ? '?' : '&', kit->schema);
    CHECK(size > 0 && (size_t)size < sizeof kit->url);
}

void sql_kit_deinit(struct sql_kit *kit)
{
    char text[128];
    if (kit->is_postgresql) {
        snprintf(text, sizeof text, "SET client_min_messages = error; DROP SCHEMA %s CASCADE",
                 kit->schema);
        run_on_server(server_url(), text);
    }
    temporary_directory_remove(&kit->directory);
}

void sql_kit_execute(struct sql_kit *kit, const char *text)
{
    sqlite3 *database;
    if (kit->is_postgresql) {
        run_on_server(kit->url, text);
        return;
    }
    CHECK(sqlite3_open(kit->url + strlen("sqlite:"), &database) == SQLITE_OK);
    int code = sqlite3_exec(database, text, NULL, NULL, NULL);
    if (code != SQLITE_OK)
        fprintf(stderr, "%s\n", sqlite3_errmsg(database));
    CHECK(code == SQLITE_OK);
    CHECK(sqlite3_close(database) == SQLITE_OK);
}

struct error sql_kit_run(struct sql_store *store, struct arena *arena, enum sql_access access,
                         sql_script *script, void *context, enum sql_verdict *verdict)
{
    struct sql_job job = {.arena = arena, .access = access, .script = script, .context = context};
    struct error error = sql_store_run(store, &job);
    if (verdict != NULL)
        *verdict = job.verdict;
    return error;
}
