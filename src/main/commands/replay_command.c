/*
 * Arguments, signals and what a person is told; the replay itself is in main/replay. The data set
 * is read and checked whole before the first connection, so nothing is sent of a file that is bad.
 */
#include "main/commands/replay_command.h"

#include "main/commands/server_address.h"
#include "main/commands/tls_flags.h"
#include "main/replay/data/data_set.h"
#include "main/replay/data/replay_places.h"
#include "main/replay/plan/replay_plan.h"
#include "main/replay/replay.h"
#include "main/replay/replay_display.h"
#include "main/replay/report/replay_report.h"

#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

static const char usage[] =
    "usage: waybill replay CSV [OPTION…]\n"
    "\n"
    "Plays the orders of a data set (data/scms_deliveries.csv) through a running server: receives\n"
    "the stock that they need, holds and pays every order, buys its labels, ships it, follows\n"
    "every line until it is delivered, and checks the ledger. One order in twenty is held and\n"
    "abandoned first, one in twenty held and cancelled. Started again it goes on where it was\n"
    "cut, doubles nothing, and reports the same (data/README.md: what can change a report).\n"
    "\n"
    "  --server HOST:PORT      $WAYBILL_SERVER or 127.0.0.1:7400\n"
    "  --inventory HOST:PORT, --warehouse HOST:PORT, --shipping HOST:PORT,\n"
    "  --tracking HOST:PORT, --fulfillment HOST:PORT\n"
    "                          where they are served apart, if they are\n"
    "%s"
    "  --progress FILE         how far it has come (waybill-data/replay.json)\n"
    "  --seed N                which orders are first cancelled or abandoned (1)\n"
    "  --late N                how many of the latest lines to name (10)\n"
    "  --json                  the report as one JSON object, and no progress\n"
    "  --help                  this text\n"
    "\n"
    "Exit code: 0 if everything adds up; 1 if not, or if it could not be finished; 2 for wrong\n"
    "arguments; 130 or 143 after Ctrl-C or SIGTERM.\n"
    "\n"
    "  waybill replay data/scms_deliveries.csv\n"
    "  waybill replay data/scms_deliveries.csv --late 2000 | less   (once more: only the report)\n"
    "  waybill replay data/scms_deliveries.csv --json > report.json\n";

enum {
    status_failed = 1,
    status_wrong_arguments = 2,
    status_signal = 128, /* plus its number, as shells do */
};

static const size_t report_bytes_max = 64 * 1024 * 1024; /* with every late line named */

struct replay_arguments {
    const char *path;
    const char *server;
    struct call_pump_server others[call_pump_servers_max];
    size_t other_count;
    const char *progress_path;
    struct tls_flags tls;
    uint64_t seed;
    uint32_t late_shown;
    bool json;
    bool help;
};

/* --- arguments --- */

static bool wrong(const char *what, const char *value)
{
    fprintf(stderr, "waybill replay: %s%s\nTry waybill replay --help.\n", what, value);
    return false;
}

static bool read_number(int option, const char *value, struct replay_arguments *arguments)
{
    int64_t number;
    bool is_seed = option == 'n';
    if (!text_to_int64(text_of(value), &number) || number < 0 || (!is_seed && number > 1000000))
        return wrong(is_seed ? "--seed wants a whole number from 0, not "
                             : "--late wants a whole number from 0 to 1000000, not ",
                     value);
    if (is_seed)
        arguments->seed = (uint64_t)number;
    else
        arguments->late_shown = (uint32_t)number;
    return true;
}

/* The option's name is as in tls_flags.h; its value, if it takes one, is `value`. */
static void take_tls(struct replay_arguments *arguments, const char *name, char *value)
{
    char flag[32];
    snprintf(flag, sizeof flag, "--%s", name);
    char *words[] = {flag, value};
    int at = 0;
    (void)tls_flags_read(&arguments->tls, "replay", 2, words, &at);
}

/* The last word on where a service is counts. */
static void place_apart(struct replay_arguments *arguments, const char *context, const char *server)
{
    size_t at = 0;
    while (at < arguments->other_count && strcmp(arguments->others[at].context, context) != 0)
        at++;
    if (at == arguments->other_count)
        arguments->other_count++;
    arguments->others[at] = (struct call_pump_server){context, server};
}

static bool read_arguments(int argc, char **argv, struct replay_arguments *arguments)
{
    static const struct option options[] = {
        {"server", required_argument, NULL, 's'},
        {"progress", required_argument, NULL, 'p'},
        {"seed", required_argument, NULL, 'n'},
        {"json", no_argument, NULL, 'j'},
        {"help", no_argument, NULL, 'h'},
        {"inventory", required_argument, NULL, 'a'}, /* a service apart, by the option's name */
        {"warehouse", required_argument, NULL, 'a'},
        {"shipping", required_argument, NULL, 'a'},
        {"fulfillment", required_argument, NULL, 'a'},
        {"tracking", required_argument, NULL, 'a'},
        {"late", required_argument, NULL, 'l'},
        {"tls", no_argument, NULL, 't'},
        {"tls-ca", required_argument, NULL, 't'},
        {"tls-certificate", required_argument, NULL, 't'},
        {"tls-key", required_argument, NULL, 't'},
        {0},
    };
    *arguments = (struct replay_arguments){
        .server = server_address_default(),
        .progress_path = "waybill-data/replay.json",
        .seed = 1,
        .late_shown = 10,
    };
    int index = 0;
    optind = 0; /* glibc: begin anew, whoever parsed before */
    opterr = 0;
    for (int option = getopt_long(argc, argv, "h", options, &index); option != -1;
         option = getopt_long(argc, argv, "h", options, &index)) {
        if (option == 's')
            arguments->server = optarg;
        else if (option == 'p')
            arguments->progress_path = optarg;
        else if (option == 'j')
            arguments->json = true;
        else if (option == 'h')
            arguments->help = true;
        else if (option == 'a')
            place_apart(arguments, options[index].name, optarg);
        else if (option == 't')
            take_tls(arguments, options[index].name, optarg);
        else if (option != 'n' && option != 'l')
            return wrong("unknown option, or one without its value: ", argv[optind - 1]);
        else if (!read_number(option, optarg, arguments))
            return false;
    }
    if (arguments->help)
        return true;
    if (optind + 1 != argc)
        return wrong("one CSV file is wanted", optind < argc ? ", not several" : "");
    arguments->path = argv[optind];
    bool good = tls_flags_fit(&arguments->tls, "replay") &&
                server_address_check("replay", "--server", arguments->server);
    for (size_t i = 0; i < arguments->other_count && good; i++) {
        char option[32];
        snprintf(option, sizeof option, "--%s", arguments->others[i].context);
        good = server_address_check("replay", option, arguments->others[i].server);
    }
    return good;
}

/* --- signals --- */

/* The first signal ends the replay cleanly, the second at once. */
struct signal_watch {
    uv_signal_t handles[2];
    unsigned handles_open;
    struct replay *replay;
    int caught;
};

static void signal_caught(uv_signal_t *handle, int number)
{
    struct signal_watch *watch = handle->data;
    if (watch->caught != 0)
        _exit(status_signal + number);
    watch->caught = number;
    replay_stop(watch->replay);
}

static void signal_watch_start(struct signal_watch *watch, uv_loop_t *loop, struct replay *replay)
{
    static const int numbers[] = {SIGINT, SIGTERM};
    *watch = (struct signal_watch){.replay = replay};
    for (unsigned i = 0; i < 2 && uv_signal_init(loop, &watch->handles[i]) == 0; i++) {
        watch->handles_open++;
        watch->handles[i].data = watch;
        /* Without it the signal ends the process, and the next run goes on as well. */
        (void)uv_signal_start(&watch->handles[i], signal_caught, numbers[i]);
    }
}

static void signal_closed(uv_handle_t *handle)
{
    struct signal_watch *watch = handle->data;
    watch->handles_open--;
}

static void signal_watch_stop(struct signal_watch *watch, uv_loop_t *loop)
{
    unsigned count = watch->handles_open;
    for (unsigned i = 0; i < count; i++)
        uv_close((uv_handle_t *)&watch->handles[i], signal_closed);
    while (watch->handles_open > 0)
        uv_run(loop, UV_RUN_ONCE);
}

/* --- telling --- */

static int tell_error(const struct error *error)
{
    fprintf(stderr, "waybill replay: %s\n", error->detail);
    server_address_advise(text_of(error->detail));
    return status_failed;
}

/* Why a run ended early, and what to do. */
static int tell_end(const struct replay_arguments *arguments, const struct replay *replay,
                    const struct error *error, int caught)
{
    struct replay_view view = replay_view(replay);
    if (error->code == ERROR_CANCELLED && caught != 0) {
        fprintf(stderr, "waybill replay: stopped at %llu %%. The same command goes on from here.\n",
                (unsigned long long)(view.steps_done * 100 / view.steps_total));
        return status_signal + caught;
    }
    if (error->code == ERROR_NETWORK && !replay_has_met_server(replay)) {
        fprintf(stderr, "waybill replay: no server answers at %s (%s).\n", arguments->server,
                error->detail);
        if (strstr(error->detail, uv_strerror(UV_ECONNREFUSED)) == NULL)
            server_address_advise(text_of(error->detail));
        else
            fprintf(stderr,
                    "Start one in another terminal and run this again:\n\n"
                    "    waybill serve --listen %s\n\n",
                    arguments->server);
        return status_failed;
    }
    if (error->code == ERROR_NETWORK) {
        fprintf(
            stderr,
            "waybill replay: the server at %s does not answer any more (%s). When it is back, the "
            "same command goes on from here.\n",
            arguments->server, error->detail);
        return status_failed;
    }
    return tell_error(error);
}

static int tell_result(const struct replay_arguments *arguments, const struct replay_plan *plan,
                       const struct replay_result *result)
{
    struct replay_report report = {arguments->path, arguments->server, plan, result,
                                   arguments->late_shown};
    struct buffer out;
    buffer_init(&out, report_bytes_max);
    struct error error = arguments->json ? replay_report_write_json(&report, &out)
                                         : replay_report_write_text(&report, &out);
    bool written = !error_is(error) && fwrite(out.data, 1, out.size, stdout) == out.size &&
                   fflush(stdout) == 0;
    buffer_deinit(&out);
    if (error_is(error))
        return tell_error(&error);
    return written && result->differences.count == 0 ? 0 : status_failed;
}

/* --- the command --- */

static int run_replay(const struct replay_arguments *arguments, const struct replay_plan *plan,
                      struct replay *replay, uv_loop_t *loop)
{
    struct signal_watch watch;
    struct replay_display display;
    struct replay_result result;
    signal_watch_start(&watch, loop, replay);
    if (!arguments->json)
        replay_display_start(&display, loop, clock_system(), replay, stderr);
    struct error error = replay_run(replay, &result);
    if (!arguments->json)
        replay_display_stop(&display);
    signal_watch_stop(&watch, loop);
    if (error_is(error))
        return tell_end(arguments, replay, &error, watch.caught);
    return tell_result(arguments, plan, &result);
}

static int replay_plan_on_loop(const struct replay_arguments *arguments,
                               const struct replay_plan *plan, const struct replay_places *places,
                               uv_loop_t *loop)
{
    struct replay *replay;
    struct replay_options options = {
        .loop = loop,
        .clock = clock_system(),
        .file_system = file_system_posix(),
        .plan = plan,
        .places = places,
        .server = arguments->server,
        .others = arguments->others,
        .other_count = arguments->other_count,
        .tls = tls_flags_settings(&arguments->tls),
        .progress_path = arguments->progress_path,
    };
    struct error error = replay_create(&replay, &options);
    if (error_is(error))
        return tell_error(&error);
    int status = run_replay(arguments, plan, replay, loop);
    replay_destroy(replay);
    return status;
}

static int replay_with_places(const struct replay_arguments *arguments,
                              const struct data_set *data_set, const struct replay_places *places)
{
    struct replay_plan plan;
    uv_loop_t loop;
    struct error error = replay_plan_init(&plan, data_set, arguments->seed);
    if (error_is(error))
        return tell_error(&error);
    int status = uv_loop_init(&loop);
    if (status != 0) {
        fprintf(stderr, "waybill replay: %s\n", uv_strerror(status));
        status = status_failed;
    } else {
        status = replay_plan_on_loop(arguments, &plan, places, &loop);
        (void)uv_loop_close(&loop); /* all handles are closed by now */
    }
    replay_plan_deinit(&plan);
    return status;
}

/* A data set that tells where goods come from and go to has its tables beside it. */
static int replay_data_set(const struct replay_arguments *arguments,
                           const struct data_set *data_set)
{
    struct replay_places places;
    char folder[4096];
    const char *slash = strrchr(arguments->path, '/');
    if (!data_set->has_logistics)
        return replay_with_places(arguments, data_set, NULL);
    snprintf(folder, sizeof folder, "%.*s", slash == NULL ? 1 : (int)(slash - arguments->path),
             slash == NULL ? "." : arguments->path);
    struct error error = replay_places_read(&places, file_system_posix(), folder, data_set);
    if (error_is(error))
        return tell_error(&error);
    int status = replay_with_places(arguments, data_set, &places);
    replay_places_deinit(&places);
    return status;
}

int replay_command(int argc, char **argv)
{
    struct replay_arguments arguments;
    struct data_set data_set;
    if (!read_arguments(argc, argv, &arguments))
        return status_wrong_arguments;
    if (arguments.help) {
        printf(usage, tls_flags_help);
        return 0;
    }
    struct error error = data_set_read(&data_set, file_system_posix(), arguments.path);
    if (error_is(error))
        return tell_error(&error);
    int status = replay_data_set(&arguments, &data_set);
    data_set_deinit(&data_set);
    return status;
}
