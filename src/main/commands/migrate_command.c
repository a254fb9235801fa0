/*
 * Shows and applies migrations, one database after the other. `status` and `plan` change nothing;
 * `up` opens each store as `serve` does. A database that fails does not keep the others from being
 * looked at; `up` stops at the first that fails.
 */
#include "main/commands/migrate_command.h"

#include "main/commands/print_json_string.h"
#include "main/configuration.h"
#include "main/sql_settings.h"
#include "platform/base/arena.h"
#include "platform/sql/sql_migrations.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

enum { operands_max = 64, arena_bytes_max = 16 * 1024 * 1024 };

enum action { ACTION_STATUS, ACTION_PLAN, ACTION_UP };

static const char *const state_names[] = {
    [SQL_MIGRATION_APPLIED] = "applied",
    [SQL_MIGRATION_PENDING] = "pending",
    [SQL_MIGRATION_CHANGED] = "changed",
    [SQL_MIGRATION_UNKNOWN] = "unknown",
};

static const char *const state_explanations[] = {
    [SQL_MIGRATION_APPLIED] = "",
    [SQL_MIGRATION_PENDING] = "",
    [SQL_MIGRATION_CHANGED] = "  its text is not the one that was applied here",
    [SQL_MIGRATION_UNKNOWN] = "  applied by a newer waybill: run that one",
};

static void print_help(void)
{
    printf("usage: waybill migrate status|plan|up [SERVICE…] [--json] [OPTION…]\n\n"
           "The tables of the services that live in SQL: ");
    for (size_t i = 0; sql_contexts[i] != NULL; i++)
        printf("%s%s", i == 0 ? "" : ", ", sql_contexts[i]);
    printf(
        ".\n\n"
        "  status   every migration, and whether it is applied\n"
        "  plan     what `up` would apply\n"
        "  up       apply it; each migration is one transaction\n\n"
        "Databases are found by the same settings as those of `waybill serve` (--data,\n"
        "--warehouse, …, --config, WAYBILL_… variables). Forward only: an older waybill refuses\n"
        "a newer schema, so go back by restoring a backup.\n"
        "`waybill serve` applies what is pending by itself unless --migrate refuse.\n\n"
        "  --json   one object: services, their databases and migrations\n\n"
        "Exit code: 0 all is applied or may be; 1 a database is away, changed, or of a newer\n"
        "waybill; 2 for wrong arguments.\n\n"
        "  waybill migrate status\n"
        "  waybill migrate plan warehouse --warehouse postgresql://shop@db.example/warehouse\n"
        "  waybill migrate up --data waybill-data\n");
}

static void format_time(int64_t time_us, char out[32])
{
    time_t seconds = (time_t)(time_us / 1000000);
    struct tm parts;
    gmtime_r(&seconds, &parts);
    strftime(out, 32, "%Y-%m-%dT%H:%M:%SZ", &parts);
}

static void print_json_item(const struct sql_migration_status *item, bool first)
{
    char time[32];
    printf("%s{\"number\":%u,\"name\":", first ? "" : ",", item->number);
    print_json_string(item->name);
    printf(",\"state\":\"%s\"", state_names[item->state]);
    if (item->applied_time_us > 0) {
        format_time(item->applied_time_us, time);
        printf(",\"appliedTime\":\"%s\"", time);
    }
    printf("}");
}

static void print_item(const struct sql_migration_status *item)
{
    char time[32] = "";
    if (item->applied_time_us > 0)
        format_time(item->applied_time_us, time);
    printf("  %04u %-24s %s%s%s%s\n", item->number, item->name, state_names[item->state],
           time[0] == '\0' ? "" : " ", time, state_explanations[item->state]);
}

static void print_error(const char *context, const struct error *error, bool json)
{
    if (json) {
        printf("\"error\":");
        print_json_string(error->detail);
        return;
    }
    fprintf(stderr, "waybill migrate: %s: %s: %s\n", context, error_text(error->code),
            error->detail);
}

static bool is_shown(enum action action, const struct sql_migration_status *item)
{
    return action != ACTION_PLAN || item->state == SQL_MIGRATION_PENDING;
}

static void print_list(enum action action, const struct sql_migration_list *list, bool json)
{
    size_t shown = 0;
    if (json)
        printf("\"migrations\":[");
    for (size_t i = 0; i < list->count; i++) {
        if (!is_shown(action, &list->items[i]))
            continue;
        if (json)
            print_json_item(&list->items[i], shown == 0);
        else
            print_item(&list->items[i]);
        shown++;
    }
    if (json)
        printf("]");
    else if (shown == 0)
        printf("  nothing to apply\n");
}

static bool is_sound(const struct sql_migration_list *list)
{
    bool sound = true;
    for (size_t i = 0; i < list->count; i++)
        sound = sound && (list->items[i].state == SQL_MIGRATION_APPLIED ||
                          list->items[i].state == SQL_MIGRATION_PENDING);
    return sound;
}

/* One database; false: something is wrong with it. */
static bool run_one(enum action action, const struct configuration *configuration,
                    const char *context, bool json, bool first)
{
    char url[sql_url_bytes_max];
    char shown_url[sql_url_bytes_max];
    struct sql_store_options options;
    struct sql_migration_list list = {0};
    struct arena arena;
    struct error error = error_none();
    arena_init(&arena, arena_bytes_max);
    (void)sql_settings_options(configuration, context, url, &options);
    sql_settings_print_url(url, shown_url, sizeof shown_url);
    if (action == ACTION_UP)
        error = sql_migrations_up(&options);
    if (!error_is(error))
        error = sql_migrations_status(&options, &arena, &list);
    if (json) {
        printf("%s{\"service\":\"%s\",\"database\":", first ? "" : ",", context);
        print_json_string(shown_url);
        printf(",");
    } else {
        printf("%s  %s\n", context, shown_url);
        fflush(stdout);
    }
    if (error_is(error))
        print_error(context, &error, json);
    else
        print_list(action, &list, json);
    if (json)
        printf("}");
    bool sound = !error_is(error) && is_sound(&list);
    arena_deinit(&arena);
    return sound;
}

static bool is_wanted(const char *const *names, size_t name_count, const char *context)
{
    for (size_t i = 0; i < name_count; i++) {
        if (strcmp(names[i], context) == 0)
            return true;
    }
    return name_count == 0;
}

static int run(enum action action, const struct configuration *configuration,
               const char *const *names, size_t name_count, bool json)
{
    bool sound = true;
    bool first = true;
    if (json)
        printf("{\"services\":[");
    for (size_t i = 0; sql_contexts[i] != NULL && (sound || action != ACTION_UP); i++) {
        char url[sql_url_bytes_max];
        struct sql_store_options options;
        if (!is_wanted(names, name_count, sql_contexts[i]) ||
            !sql_settings_options(configuration, sql_contexts[i], url, &options) ||
            options.migration_count == 0)
            continue;
        sound = run_one(action, configuration, sql_contexts[i], json, first) && sound;
        first = false;
    }
    if (json)
        printf("]}\n");
    return sound ? 0 : 1;
}

/* The first operand; false: there is none, or it is no action. */
static bool read_action(const char *const *operands, size_t count, enum action *action)
{
    static const char *const names[] = {"status", "plan", "up"};
    for (size_t i = 0; count > 0 && i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(operands[0], names[i]) == 0) {
            *action = (enum action)i;
            return true;
        }
    }
    return false;
}

static void check_services(const char *const *names, size_t count,
                           struct configuration_problems *problems)
{
    struct configuration none = {0};
    struct sql_store_options options;
    char url[sql_url_bytes_max];
    for (size_t i = 0; i < count; i++) {
        if (!sql_settings_options(&none, names[i], url, &options))
            configuration_problems_add(problems, names[i],
                                       "has no SQL database; `waybill migrate --help` lists those");
    }
}

int migrate_command(int argc, char **argv)
{
    static struct configuration configuration;
    const char *operands[operands_max];
    char *arguments[operands_max];
    struct configuration_problems problems;
    enum action action = ACTION_STATUS;
    size_t operand_count = 0;
    int argument_count = 0;
    bool json = false;
    for (int i = 1; i < argc && argument_count < operands_max; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            print_help();
            return 0;
        }
        if (strcmp(argv[i], "--json") == 0)
            json = true;
        else
            arguments[argument_count++] = argv[i];
    }
    configuration_problems_init(&problems);
    bool good = configuration_read(&configuration, argument_count, arguments, operands,
                                   &operand_count, &problems);
    bool has_action = read_action(operands, operand_count, &action);
    if (has_action)
        check_services(operands + 1, operand_count - 1, &problems);
    good = good && problems.count == 0;
    if (!has_action)
        fprintf(stderr,
                "waybill migrate: status, plan or up is wanted%s%s\n"
                "  → `waybill migrate status` changes nothing; `waybill migrate --help` explains\n",
                operand_count == 0 ? "" : ", not ", operand_count == 0 ? "" : operands[0]);
    configuration_problems_print(&problems, stderr);
    configuration_problems_deinit(&problems);
    if (!good || !has_action)
        return 2;
    return run(action, &configuration, operands + 1, operand_count - 1, json);
}
