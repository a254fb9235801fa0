/* Reads the settings, runs the process until a signal, says what a person can do about an error. */
#include "main/commands/serve_command.h"

#include "main/configuration.h"
#include "main/process.h"
#include "platform/base/log.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

/* What a person can do about it. */
static const char *advice_for(const struct error *error)
{
    switch (error->code) {
    case ERROR_LOCKED:
        return "another waybill uses this data directory: stop it, or give --data DIR";
    case ERROR_DAMAGED:
        return "nothing was changed; restore the directory from a backup, or run the newer waybill "
               "that wrote it; `waybill verify DIR` checks it";
    case ERROR_DISK_FULL:
        return "make room on the disk and start again";
    case ERROR_NETWORK:
        return strncmp(error->detail, "operations:", strlen("operations:")) == 0
                   ? "is another program using the port? --operations HOST:0 picks a free one"
                   : "is another program using the port? --listen HOST:0 picks a free one";
    case ERROR_STORE_UNAVAILABLE:
        return "is PostgreSQL running there, and do role and database exist? "
               "createuser ROLE; createdb -O ROLE DATABASE";
    case ERROR_INVALID_SETTING:
        return "`waybill serve --help` lists all settings";
    case ERROR_NONE:
    case ERROR_INVALID_INPUT:
    case ERROR_NOT_FOUND:
    case ERROR_OUT_OF_MEMORY:
    case ERROR_OVERLOADED:
    case ERROR_LIMIT:
    case ERROR_RETENTION_FULL:
    case ERROR_OUTBOX_FULL:
    case ERROR_CURSOR_EXPIRED:
    case ERROR_INPUT_OUTPUT:
    case ERROR_PROTOCOL:
    case ERROR_DEADLINE:
    case ERROR_CANCELLED:
    case ERROR_INTERNAL:
        break;
    }
    return "is the data directory there, and may this user write to it?";
}

static sigset_t stop_signals(void)
{
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    return signals;
}

/* Blocks the signals in every thread started from here on; the main thread waits for them. */
static void wait_for_stop(const sigset_t *signals, struct process *process)
{
    static const struct timespec second = {.tv_sec = 1};
    while (sigtimedwait(signals, NULL, &second) < 0)
        process_tell_health(process);
    log_event(LOG_LEVEL_INFO, "stopping: calls in flight finish; once more stops at once", NULL, 0);
    signal(SIGTERM, SIG_DFL);
    signal(SIGINT, SIG_DFL);
    pthread_sigmask(SIG_UNBLOCK, signals, NULL);
}

/* Every connection is an open file. Systems let a process have more of them than they start it
 * with.
 */
static void allow_open_files(const struct configuration *configuration)
{
    enum { other_files = 512 };
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_cur >= (rlim_t)configuration->connections_max + other_files)
        return;
    struct log_field fields[] = {
        log_number("files_max", (int64_t)limit.rlim_cur),
        log_number("connections_max", configuration->connections_max),
    };
    log_event(LOG_LEVEL_WARNING, "fewer files may be open than connections; raise ulimit -n",
              fields, 2);
}

/* One of them has come; it stays for wait_for_stop. */
static bool stop_is_asked(void)
{
    sigset_t pending;
    return sigpending(&pending) == 0 &&
           (sigismember(&pending, SIGTERM) == 1 || sigismember(&pending, SIGINT) == 1);
}

static int run(const struct configuration *configuration, const char *const *names,
               size_t name_count)
{
    sigset_t signals = stop_signals();
    struct process *process;
    struct passed_ports ports;
    const struct process_start start = {
        .configuration = configuration,
        .names = names,
        .name_count = name_count,
        .ports = &ports,
        .stop_is_asked = stop_is_asked,
    };
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    allow_open_files(configuration);
    struct error error = passed_ports_take(&ports);
    if (!error_is(error))
        error = process_open(&process, &start);
    if (error.code == ERROR_CANCELLED && stop_is_asked())
        return 0;
    if (error_is(error)) {
        fprintf(stderr, "waybill serve: %s: %s\n  → %s\n", error_text(error.code), error.detail,
                advice_for(&error));
        return error.code == ERROR_INVALID_SETTING ? 2 : 1;
    }
    printf("waybill ready listen=%s operations=%s\n", process_address(process),
           process_operations_address(process));
    fflush(stdout);
    wait_for_stop(&signals, process);
    process_close(process);
    return 0;
}

static void check_services(const char **names, size_t count,
                           struct configuration_problems *problems)
{
    for (size_t i = 0; i < count; i++) {
        char what[320];
        snprintf(what, sizeof what, "is no service; there is: %s", process_service_names());
        if (!process_has_service(names[i]))
            configuration_problems_add(problems, names[i], what);
    }
}

static void print_help(void)
{
    printf(
        "usage: waybill serve [SERVICE…] [OPTION…]\n\n"
        "Runs the services named, or all: %s.\n"
        "Each option is also a WAYBILL_… variable (--drain-seconds: WAYBILL_DRAIN_SECONDS) and a\n"
        "line of the configuration file. Prints one line when ready; Ctrl-C or SIGTERM ends "
        "it.\n\n",
        process_service_names());
    configuration_print_help(stdout);
    printf("\n  --print-config\n      print a configuration file with all defaults, and end\n\n"
           "Exit code: 0 after a signal; 1 if a store or a port cannot be opened; 2 for wrong\n"
           "settings or arguments.\n\n"
           "  waybill serve\n"
           "  waybill serve inventory warehouse --data shop --listen 127.0.0.1:0\n"
           "  waybill serve --warehouse postgresql://shop@db.example/warehouse\n"
           "  waybill serve --print-config > waybill.ini && waybill serve --config waybill.ini\n");
}

int serve_command(int argc, char **argv)
{
    static struct configuration configuration;
    const char *operands[64];
    size_t operand_count = 0;
    struct configuration_problems problems;
    enum log_level level = LOG_LEVEL_INFO;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            print_help();
            return 0;
        }
        if (strcmp(argv[i], "--print-config") == 0) {
            configuration_print_file(stdout);
            return 0;
        }
    }
    if (argc > 64) {
        fprintf(stderr, "waybill serve: too many arguments\n");
        return 2;
    }
    configuration_problems_init(&problems);
    bool good =
        configuration_read(&configuration, argc - 1, argv + 1, operands, &operand_count, &problems);
    check_services(operands, operand_count, &problems);
    good = good && problems.count == 0;
    if (!good) {
        fprintf(stderr, "waybill serve: wrong settings\n");
        configuration_problems_print(&problems, stderr);
    }
    configuration_problems_deinit(&problems);
    if (!good)
        return 2;
    (void)log_level_from_text(text_of(configuration.log_level), &level);
    log_configure(level, strcmp(configuration.log_format, "json") == 0);
    return run(&configuration, operands, operand_count);
}
