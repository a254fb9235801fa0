/* Reads the options of the carriers' simulator and runs it until a signal. */
#include "main/commands/simulate_command.h"

#include "carrier_simulator/simulator_server.h"
#include "shipping/infrastructure/carriers/carrier_values.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static void print_help(void)
{
    printf(
        "usage: waybill simulate carriers [OPTION…]\n\n"
        "UPS, FedEx and DHL Express over HTTP, each also below /ups, /fedex, /dhl: prices, "
        "labels,\n"
        "tracking, search by reference, pushes, and what goes wrong with them. Any credentials "
        "do.\n"
        "It keeps everything in memory: when it ends it has forgotten what was bought, and a "
        "parcel\n"
        "on its way is not found any more. With a seed used before it gives the same numbers out "
        "again.\n\n"
        "  --listen HOST:PORT   default 127.0.0.1:7490; port 0 picks one\n"
        "  --seed N             of everything random, the numbers given out included; default: "
        "another\n"
        "                       at each start, told on standard error\n"
        "  --fault-rate P       of requests that go wrong, 0 to 1, default 0: no answer after the\n"
        "                       charge, cut connections, 429, 5xx, null and malformed fields, "
        "slow\n"
        "                       bodies; pushes that come twice or late\n"
        "  --search-lag SECONDS a purchase is found by its reference after 0 to so long, default "
        "5\n"
        "  --speed N            a parcel's life (55 hours) goes N times faster, default 1\n"
        "  --answer-ms MS       an answer takes half to all of it, drawn by the seed, default 0\n"
        "  --push-url URL       pushes go to URL/ups, URL/fedex, URL/dhl\n"
        "  --push-secret TEXT   their credential; FedEx's signing key\n"
        "  --samples DIR        the files of a folder answer, see below\n\n"
        "GET /simulator/shipments[?reference=R] lists what was charged, GET /simulator/counts "
        "what\n"
        "was asked, what went wrong, and how long the last answer about rates took; both in JSON.\n"
        "Prints one line when ready; Ctrl-C or SIGTERM ends it.\n");
    printf(
        "\nSamples: each file of DIR and its folders is told apart by the names of its folders "
        "and its\n"
        "own, and by its content: the carrier (ups, fedex, dhl) and what it answers (oauth, "
        "rate,\n"
        "ship, label recovery, void or cancel, track, find, unified-track). Plainest is\n"
        "DIR/CARRIER/OPERATION/NAME.json; dhl-rates-3.json, or 3.json with a carrier's own "
        "members,\n"
        "do as well. At the start it is said how many answer what, and what is not read;\n"
        "GET /simulator/samples lists each, or why not. Of a NAME\n"
        "  response-404-it.json   404 is the status (or any known one between signs: it-404.json);"
        "\n"
        "                         without one what the body of an error claims, with \"error\" "
        "400,\n"
        "                         else 200 (DHL's ship 201)\n"
        "  …recovery….json        in ups/ship answers label recovery\n"
        "  find….json             in track answers searches by reference\n"
        "  request…               is no answer, nor is what has a request's members\n"
        "  ….html, .xml, .txt     answer as such\n"
        "  ….http                 a whole answer: status line, headers (not sent), empty line, "
        "body\n"
        "A file that holds the number asked for answers; else the JSON with 2xx and without "
        "\"error\",\n"
        "\"warning\" and \"not-found\" in turn; else what there is. A request may choose by a "
        "header,\n"
        "x-sample: 404, or x-sample: a part of the path. The answer's x-sample names the "
        "file.\n"
        "For a program that sets no such header, POST the same to /simulator/sample: it holds "
        "for\n"
        "all requests whose operation has such a file; an empty POST ends it.\n"
        "For what no file answers, the simulator does.\n\n"
        "Exit code: 0; 1 if it cannot listen or no file answers; 2 for wrong arguments.\n\n"
        "  waybill simulate carriers --seed 7 --fault-rate 0.3\n"
        "  WAYBILL_UPS_BASE_URL=http://127.0.0.1:7490/ups WAYBILL_UPS_CLIENT_ID=x \\\n"
        "  WAYBILL_UPS_CLIENT_SECRET=x WAYBILL_UPS_ACCOUNT_NUMBER=1 waybill serve\n");
}

static void ready(const char *address)
{
    printf("waybill ready listen=%s\n", address);
    fflush(stdout);
}

/* A decimal, in millionths; what is beyond is rounded. */
static bool to_millionths(const char *text, int64_t value_max, int64_t *millionths)
{
    return decimal_to_integer(text_of(text), 6, millionths) && *millionths >= 0 &&
           *millionths <= value_max * 1000000;
}

static bool to_number(const char *text, int64_t least, int64_t *number)
{
    return text_to_int64(text_of(text), number) && *number >= least;
}

/* False: there is no such option, or its value is wrong. */
static bool take_option(const char *name, const char *value, struct simulator_options *options,
                        const char **listen, const char **samples)
{
    int64_t number = 0;
    bool fine = true;
    if (strcmp(name, "--listen") == 0)
        *listen = value;
    else if (strcmp(name, "--samples") == 0)
        *samples = value;
    else if (strcmp(name, "--push-url") == 0)
        options->push_url = value;
    else if (strcmp(name, "--push-secret") == 0)
        options->push_secret = value;
    else if (strcmp(name, "--seed") == 0 && (fine = to_number(value, 0, &number)))
        options->seed = (uint64_t)number;
    else if (strcmp(name, "--fault-rate") == 0 && (fine = to_millionths(value, 1, &number)))
        options->fault_millionths = (uint32_t)number;
    else if (strcmp(name, "--search-lag") == 0 && (fine = to_millionths(value, 86400, &number)))
        options->search_lag_us_max = number;
    else if (strcmp(name, "--speed") == 0 && (fine = to_number(value, 1, &number)))
        options->speed = number;
    else if (strcmp(name, "--answer-ms") == 0 && (fine = to_number(value, 0, &number)) &&
             number <= 600000)
        options->answer_ms_max = number;
    else
        return false;
    return fine;
}

static struct error serve(struct simulator_options *options, const char *listen,
                          const char *samples)
{
    struct sample_files files = {0};
    struct error error = error_none();
    if (samples != NULL) {
        error = sample_files_open(&files, samples);
        sample_files_report(&files, stderr);
        options->samples = &files;
    }
    if (!error_is(error)) {
        fprintf(stderr, "waybill simulate: --seed %" PRIu64 " plays the same again\n",
                options->seed);
        error = simulator_serve(options, listen, ready);
    }
    if (samples != NULL)
        sample_files_close(&files);
    return error;
}

int simulate_command(int argc, char **argv)
{
    struct simulator_options options = {.seed = (uint64_t)clock_now_us(clock_system()),
                                        .search_lag_us_max = 5 * 1000000,
                                        .speed = 1,
                                        .clock = clock_system()};
    const char *listen = "127.0.0.1:7490", *samples = NULL;
    if (argc < 2 || strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        print_help();
        return argc < 2 ? 2 : 0;
    }
    if (strcmp(argv[1], "carriers") != 0) {
        fprintf(stderr,
                "waybill simulate: carriers are all there is, not %s\n"
                "  → waybill simulate carriers\n",
                argv[1]);
        return 2;
    }
    for (int i = 2; i < argc; i += 2) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            print_help();
            return 0;
        }
        if (i + 1 == argc || !take_option(argv[i], argv[i + 1], &options, &listen, &samples)) {
            fprintf(stderr,
                    "waybill simulate: %s %s: no such option or value; `waybill simulate "
                    "--help` explains\n",
                    argv[i], i + 1 < argc ? argv[i + 1] : "");
            return 2;
        }
    }
    struct error error = serve(&options, listen, samples);
    if (!error_is(error))
        return 0;
    fprintf(stderr, "waybill simulate: %s: %s\n", error_text(error.code), error.detail);
    return 1;
}
