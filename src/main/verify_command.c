/* Opens the stores read only, replays them, compares, and says what was found. */
#include "main/verify_command.h"

#include "inventory/infrastructure/embedded/store_verification.h"
#include "main/verify_lock.h"
#include "main/verify_tracking.h"
#include "platform/base/log.h"
#include "platform/events/event_log_verification.h"
#include "platform/sql/sqlite_verification.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { result_bytes_max = 64 * 1024 * 1024, path_bytes_max = 4096 };

static const char *const account_names[] = {
    [STOCK_ACCOUNT_SUPPLY] = "SUPPLY",     [STOCK_ACCOUNT_AVAILABLE] = "AVAILABLE",
    [STOCK_ACCOUNT_RESERVED] = "RESERVED", [STOCK_ACCOUNT_COMMITTED] = "COMMITTED",
    [STOCK_ACCOUNT_RETURNED] = "RETURNED", [STOCK_ACCOUNT_ADJUSTMENT] = "ADJUSTMENT",
};

static void print_help(void)
{
    printf(
        "usage: waybill verify DIR [--json]\n\n"
        "Checks the stores under DIR (what `waybill serve --data DIR` uses) while no server has\n"
        "them open: every checksum, the hash chain, every revision, every balance, every event;\n"
        "of SQLite databases every page, index and reference (their balances: ask the server,\n"
        "`waybill call VerifyMovements`).\n"
        "Nothing is changed. With --json one object a line. Exit code 0: all is well; 1: damaged,\n"
        "with file and offset.\n");
}

static bool is_directory(const char *path)
{
    struct stat found;
    return stat(path, &found) == 0 && S_ISDIR(found.st_mode);
}

/* DIR/inventory, or DIR itself if it is the store. False: DIR has other stores only. */
static bool find_store(const char *directory, char *path)
{
    char events[path_bytes_max];
    snprintf(path, path_bytes_max, "%s/inventory", directory);
    if (is_directory(path))
        return true;
    snprintf(path, path_bytes_max, "%s", directory);
    snprintf(events, sizeof events, "%s/events", directory);
    return !is_directory(events) && !verify_tracking_is_there(directory);
}

static void hexadecimal(const uint8_t bytes[32], char out[65])
{
    for (size_t i = 0; i < 32; i++)
        snprintf(out + 2 * i, 3, "%02x", bytes[i]);
}

/* A JSON string: what may stand in a path or an error's detail. */
static void print_json_string(const char *string)
{
    putchar('"');
    for (const char *c = string; *c != '\0'; c++) {
        if (*c == '"' || *c == '\\')
            printf("\\%c", *c);
        else if ((unsigned char)*c < 0x20)
            printf("\\u%04x", (unsigned)*c);
        else
            putchar(*c);
    }
    putchar('"');
}

static void print_error(const char *what, const char *path, const struct error *error, bool json)
{
    if (!json) {
        fprintf(stderr, "waybill verify: %s: %s: %s\n", what, error_text(error->code),
                error->detail);
        return;
    }
    printf("{\"store\":");
    print_json_string(path);
    printf(",\"error\":");
    print_json_string(error_text(error->code));
    printf(",\"detail\":");
    print_json_string(error->detail);
    printf("}\n");
}

static void print_mismatches(const struct verify_ledger_command *command)
{
    for (size_t i = 0; i < command->mismatch_count; i++) {
        const struct ledger_mismatch *mismatch = &command->mismatches[i];
        printf("  %.*s %s: ledger %lld, balance %lld\n", (int)mismatch->sku.size,
               mismatch->sku.data, account_names[mismatch->account],
               (long long)mismatch->ledger_quantity, (long long)mismatch->balance_quantity);
    }
}

static void print_result(const char *path, const struct verify_ledger_command *command, bool json)
{
    char head[65];
    hexadecimal(command->chain_head, head);
    if (json) {
        printf("{\"store\":");
        print_json_string(path);
        printf(",\"entries\":%llu,\"skus\":%llu,\"reservations\":%llu,\"mismatches\":%zu,"
               "\"chainHead\":\"%s\"}\n",
               (unsigned long long)command->entries, (unsigned long long)command->skus,
               (unsigned long long)command->reservations, command->mismatch_count, head);
        return;
    }
    printf("inventory (%s)\n  entries       %llu\n  SKUs          %llu\n  reservations  %llu\n"
           "  mismatches    %zu\n  chain head    %s\n",
           path, (unsigned long long)command->entries, (unsigned long long)command->skus,
           (unsigned long long)command->reservations, command->mismatch_count, head);
    print_mismatches(command);
}

static bool verify_inventory(const char *path, bool json)
{
    int lock;
    struct arena arena;
    struct embedded_repository_options options = embedded_repository_options_default();
    struct verify_ledger_command command = {.base = {.arena = &arena}};
    options.directory = path;
    arena_init(&arena, result_bytes_max);
    struct error error = verify_lock(path, "/lock", &lock);
    if (!error_is(error))
        error = embedded_store_verify(&options, &command);
    bool good = !error_is(error) && command.mismatch_count == 0;
    if (error_is(error))
        print_error("inventory", path, &error, json);
    else
        print_result(path, &command, json);
    arena_deinit(&arena);
    verify_unlock(lock);
    return good;
}

/* --- event logs: DIR/events/CONTEXT --- */

struct event_logs {
    const char *directory; /* DIR/events */
    bool json;
    bool good;
};

static void print_event_log(const char *source, const char *path,
                            const struct event_log_verification *found, bool json)
{
    char head[65];
    hexadecimal(found->chain_head, head);
    unsigned long long events = (unsigned long long)(found->newest - found->oldest);
    if (json) {
        printf("{\"eventLog\":");
        print_json_string(path);
        printf(",\"events\":%llu,\"newestSequence\":%llu,\"chainHead\":\"%s\"}\n", events,
               (unsigned long long)found->newest, head);
        return;
    }
    printf("events of %s (%s)\n  events        %llu\n  newest        %llu\n  chain head    %s\n",
           source, path, events, (unsigned long long)found->newest, head);
}

static void verify_event_log(void *context, const char *source)
{
    struct event_logs *logs = context;
    char path[path_bytes_max];
    char what[64];
    int lock;
    struct event_log_verification found;
    int size = snprintf(path, sizeof path, "%s/%s", logs->directory, source);
    if (size < 0 || size >= path_bytes_max || !is_directory(path))
        return;
    struct error error = verify_lock(path, "/lock", &lock);
    if (!error_is(error))
        error = event_log_verify(file_system_posix(), path, source, &found);
    if (error_is(error)) {
        snprintf(what, sizeof what, "events of %.40s", source);
        print_error(what, path, &error, logs->json);
        logs->good = false;
    } else if (found.newest > 0) { /* one that never held anything is no news */
        print_event_log(source, path, &found, logs->json);
    }
    verify_unlock(lock);
}

static bool verify_event_logs(const char *directory, bool json)
{
    char path[path_bytes_max];
    struct event_logs logs = {.directory = path, .json = json, .good = true};
    snprintf(path, sizeof path, "%s/events", directory);
    if (!is_directory(path))
        return true;
    struct error error = file_system_list(file_system_posix(), path, verify_event_log, &logs);
    if (error_is(error))
        print_error("events", path, &error, json);
    return !error_is(error) && logs.good;
}

/* --- SQLite databases: DIR/CONTEXT.sqlite --- */

static void print_database(const char *source, const char *path,
                           const struct sqlite_verification *found, bool json)
{
    if (!json) {
        printf("%s (%s)\n  tables        %lld\n  rows          %lld\n", source, path,
               (long long)found->tables, (long long)found->rows);
        return;
    }
    printf("{\"database\":");
    print_json_string(path);
    printf(",\"tables\":%lld,\"rows\":%lld}\n", (long long)found->tables, (long long)found->rows);
}

static bool verify_database(const char *directory, const char *source, bool json)
{
    char path[path_bytes_max];
    struct sqlite_verification found;
    int lock;
    int size = snprintf(path, sizeof path, "%s/%s.sqlite", directory, source);
    if (size < 0 || size >= path_bytes_max || access(path, F_OK) != 0)
        return true;
    struct error error = verify_lock(path, "-lock", &lock);
    if (!error_is(error))
        error = sqlite_verify(path, &found);
    if (error_is(error))
        print_error(source, path, &error, json);
    else
        print_database(source, path, &found, json);
    verify_unlock(lock);
    return !error_is(error);
}

static bool verify_databases(const char *directory, bool json)
{
    static const char *const sources[] = {"warehouse", "shipping", "fulfillment"};
    bool good = true;
    for (size_t i = 0; i < sizeof sources / sizeof sources[0]; i++)
        good = verify_database(directory, sources[i], json) && good;
    return good;
}

static int verify(const char *directory, bool json)
{
    char path[path_bytes_max];
    bool good = !find_store(directory, path) || verify_inventory(path, json);
    good = (!verify_tracking_is_there(directory) || verify_tracking(directory, json)) && good;
    good = verify_databases(directory, json) && good;
    good = verify_event_logs(directory, json) && good;
    return good ? 0 : 1;
}

int verify_command(int argc, char **argv)
{
    const char *directory = NULL;
    bool json = false;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            print_help();
            return 0;
        }
        if (strcmp(argv[i], "--json") == 0) {
            json = true;
        } else if (argv[i][0] != '-' && directory == NULL &&
                   strlen(argv[i]) < path_bytes_max - 16) {
            directory = argv[i];
        } else {
            fprintf(stderr, "waybill verify: what is %s? `waybill verify --help` explains\n",
                    argv[i]);
            return 2;
        }
    }
    if (directory == NULL) {
        fprintf(stderr, "usage: waybill verify DIR [--json]\n");
        return 2;
    }
    return verify(directory, json);
}
