/* Opens the stores read only, replays them, compares, and says what was found. */
#include "main/commands/verify_command.h"

#include "inventory/infrastructure/embedded/store_verification.h"
#include "main/commands/print_json_string.h"
#include "main/commands/verify_lock.h"
#include "main/commands/verify_tracking.h"
#include "platform/base/hexadecimal.h"
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
        "Nothing is changed.\n\n"
        "  --json   one object a store, each on a line\n\n"
        "Exit code: 0 all is well; 1 damaged, with file and offset, or in use by a server; 2 for\n"
        "wrong arguments.\n\n"
        "  waybill verify waybill-data\n"
        "  waybill verify backup-of-tuesday --json\n");
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

/* What is being verified, and what was found so far. */
struct verification {
    const char *directory;
    bool json;
    bool good;
    char in_use[256]; /* names of stores that a server has open: told of once, at the end */
};

static void note_in_use(struct verification *verification, const char *what)
{
    size_t used = strlen(verification->in_use);
    snprintf(verification->in_use + used, sizeof verification->in_use - used, "%s%s",
             used == 0 ? "" : ", ", what);
}

static void tell_error(struct verification *verification, const char *what, const char *path,
                       const struct error *error)
{
    verification->good = false;
    if (!verification->json && error->code == ERROR_LOCKED) {
        note_in_use(verification, what);
        return;
    }
    if (!verification->json) {
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
    hexadecimal_write(command->chain_head, 32, head);
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

static void verify_inventory(struct verification *verification, const char *path)
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
    verification->good = verification->good && command.mismatch_count == 0;
    if (error_is(error))
        tell_error(verification, "inventory", path, &error);
    else
        print_result(path, &command, verification->json);
    arena_deinit(&arena);
    verify_unlock(lock);
}

static void verify_tracking_in(struct verification *verification)
{
    char path[path_bytes_max];
    bool good = true;
    if (!verify_tracking_is_there(verification->directory))
        return;
    snprintf(path, sizeof path, "%s/tracking", verification->directory);
    struct error error = verify_tracking(verification->directory, verification->json, &good);
    verification->good = verification->good && good;
    if (error_is(error))
        tell_error(verification, "tracking", path, &error);
}

/* --- event logs: DIR/events/CONTEXT --- */

struct event_logs {
    struct verification *verification;
    const char *directory; /* DIR/events */
};

static void print_event_log(const char *source, const char *path,
                            const struct event_log_verification *found, bool json)
{
    char head[65];
    hexadecimal_write(found->chain_head, 32, head);
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
        tell_error(logs->verification, what, path, &error);
    } else if (found.newest > 0) { /* one that never held anything is no news */
        print_event_log(source, path, &found, logs->verification->json);
    }
    verify_unlock(lock);
}

static void verify_event_logs(struct verification *verification)
{
    char path[path_bytes_max];
    struct event_logs logs = {.verification = verification, .directory = path};
    snprintf(path, sizeof path, "%s/events", verification->directory);
    if (!is_directory(path))
        return;
    struct error error = file_system_list(file_system_posix(), path, verify_event_log, &logs);
    if (error_is(error))
        tell_error(verification, "events", path, &error);
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

static void verify_database(struct verification *verification, const char *source)
{
    char path[path_bytes_max];
    struct sqlite_verification found;
    int lock;
    int size = snprintf(path, sizeof path, "%s/%s.sqlite", verification->directory, source);
    if (size < 0 || size >= path_bytes_max || access(path, F_OK) != 0)
        return;
    struct error error = verify_lock(path, "-lock", &lock);
    if (!error_is(error))
        error = sqlite_verify(path, &found);
    if (error_is(error))
        tell_error(verification, source, path, &error);
    else
        print_database(source, path, &found, verification->json);
    verify_unlock(lock);
}

static int verify(const char *directory, bool json)
{
    static const char *const databases[] = {"warehouse", "shipping", "fulfillment"};
    struct verification verification = {.directory = directory, .json = json, .good = true};
    char path[path_bytes_max];
    if (!is_directory(directory)) {
        struct error error = error_make(
            ERROR_NOT_FOUND, "%s is no folder; give the one of `waybill serve --data`", directory);
        tell_error(&verification, "stores", directory, &error);
        return 1;
    }
    if (find_store(directory, path))
        verify_inventory(&verification, path);
    verify_tracking_in(&verification);
    for (size_t i = 0; i < sizeof databases / sizeof databases[0]; i++)
        verify_database(&verification, databases[i]);
    verify_event_logs(&verification);
    if (verification.in_use[0] != '\0')
        fprintf(stderr,
                "waybill verify: %s: in use by another process: %s\n"
                "  → stop the server that has %s open, verify a copy, or ask the server itself:\n"
                "    `waybill call VerifyLedger`, `waybill call VerifyMovements`\n",
                directory, verification.in_use, directory);
    return verification.good ? 0 : 1;
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
        fprintf(stderr, "waybill verify: which folder? usage: waybill verify DIR [--json], DIR as "
                        "`waybill serve --data DIR` has it\n");
        return 2;
    }
    return verify(directory, json);
}
