/*
 * The command line: finds the command and hands over. Each command has a file of its own.
 */
#include "main/commands/call_command.h"
#include "main/commands/import_command.h"
#include "main/commands/migrate_command.h"
#include "main/commands/reconcile_command.h"
#include "main/commands/replay_command.h"
#include "main/commands/serve_command.h"
#include "main/commands/simulate_command.h"
#include "main/commands/verify_command.h"
#include "main/commands/watch_command.h"
#include "main/services.h"
#include "main/suggestion.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

struct command {
    const char *name;
    int (*run)(int argc, char **argv); /* argv[0] is the command's name */
    const char *summary;
};

static const struct command commands[] = {
    {"serve", serve_command, "run the services"},
    {"call", call_command, "call a method: JSON in, JSON out"},
    {"watch", watch_command, "show events as they happen"},
    {"replay", replay_command, "play a data set of real orders against a server"},
    {"migrate", migrate_command, "show and apply changes of the SQL databases' tables"},
    {"reconcile", reconcile_command, "compare inventory's books with the warehouse's shelves"},
    {"simulate", simulate_command, "play the carriers: UPS, FedEx and DHL over HTTP"},
    {"import", import_command, "record the events of a CSV file"},
    {"verify", verify_command, "check every log and ledger of a data directory"},
};

static void print_help(FILE *out)
{
    fprintf(out, "Waybill keeps the promises of a shop: we have it, and it is yours.\n\n"
                 "usage: waybill COMMAND [OPTION…]\n\n");
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
        fprintf(out, "  %-9s %s\n", commands[i].name, commands[i].summary);
    fprintf(out, "\n  waybill COMMAND --help   what a command takes, its exit codes, examples\n"
                 "  waybill --version        the version\n\n"
                 "  WAYBILL_SERVER           where commands that call find the server "
                 "(127.0.0.1:7400)\n"
                 "  WAYBILL_DATA             where `waybill serve` keeps everything "
                 "(waybill-data)\n\n"
                 "Exit code: 0 it went well; 1 it did not; 2 wrong arguments; 64 + the gRPC status "
                 "code\na call was refused.\n\n"
                 "  waybill serve &\n"
                 "  waybill call ListWarehouses\n"
                 "  waybill watch --from oldest\n");
}

int main(int argc, char **argv)
{
    known_types_register();
    signal(SIGPIPE, SIG_IGN); /* a peer that is gone is an error of its own call */
    const char *name = argc > 1 ? argv[1] : "--help";
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0 || strcmp(name, "help") == 0) {
        print_help(argc > 1 ? stdout : stderr);
        return argc > 1 ? 0 : 2;
    }
    if (strcmp(name, "--version") == 0) {
        printf("waybill %s\n", WAYBILL_VERSION);
        return 0;
    }
    struct suggestion suggestion = suggestion_begin(name);
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        suggestion_consider(&suggestion, commands[i].name);
        if (strcmp(name, commands[i].name) == 0)
            return commands[i].run(argc - 1, argv + 1);
    }
    fprintf(stderr, "waybill: there is no command %s; ", name);
    if (suggestion.best != NULL)
        fprintf(stderr, "did you mean %s?\n", suggestion.best);
    else
        fprintf(stderr, "`waybill --help` lists them\n");
    return 2;
}
