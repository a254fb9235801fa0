/*
 * Calls through the carrier port from outside, for the Python suites: a line a call on standard
 * output, "ID VERDICT HTTP_STATUS NUMBER MESSAGE", then "audit COUNT SECRETS".
 *
 *   carrier_calls BASE_URL CARRIER OPERATION COUNT TIMEOUT_MS PREFIX [per-second] [at-once]
 * [memory]
 *
 * All COUNT calls start at once; ids are PREFIX-0 and so on. Of several OPERATIONs with commas
 * between them each call takes the next. `cancel` and `track` take PREFIX as
 * the tracking number. With "memory" they start one after the other, each on a client and a carrier
 * of its own, the first allocation of the first one failing, the second of the second one, until
 * nothing failed: the last line is then "tries COUNT SECRETS". A call that could not even start is
 * UNAVAILABLE.
 */
#include "platform/base/memory.h"
#include "platform/http_client/http_client.h"
#include "shipping/infrastructure/carriers/http_carrier.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char secret[] = "very-secret-secret";

struct run {
    size_t left;
    size_t audits;
    size_t secrets; /* audits that hold the secret */
    struct http_carrier *carrier;
    struct http_client *client;
};

struct one {
    struct run *run;
    char id[80];
    struct carrier_rate_request rate;
    struct carrier_shipment_request create;
    struct carrier_cancel_request cancel;
    struct carrier_tracking_request track;
    struct carrier_find_request find;
};

static bool holds(struct text text, const char *part)
{
    return text.size > 0 && memmem(text.data, text.size, part, strlen(part)) != NULL;
}

static void note_audit(void *context, const struct carrier_audit *audit)
{
    struct run *run = context;
    run->audits++;
    run->secrets += holds(audit->request, secret) || holds(audit->answer, secret) ||
                    holds(audit->url, secret) || holds(audit->answer, "simulated\",\"expires");
}

static void close_all(struct run *run)
{
    http_client_close(run->client, NULL, NULL);
    http_carrier_close(run->carrier);
}

static void say(struct one *one, const struct carrier_outcome *outcome, struct text number)
{
    static const char *const verdicts[] = {"ANSWERED",    "REFUSED", "NOT_FOUND",  "THROTTLED",
                                           "UNAVAILABLE", "UNKNOWN", "UNSUPPORTED"};
    printf("%s %s %u %.*s %.*s\n", one->id, verdicts[outcome->verdict], outcome->http_status,
           number.size > 0 ? (int)number.size : 1, number.size > 0 ? number.data : "-",
           (int)outcome->message.size, outcome->message.size > 0 ? outcome->message.data : "");
}

static void end_one(struct one *one)
{
    one->run->left--;
}

static void rate_done(void *context, const struct carrier_outcome *outcome,
                      const struct carrier_rates *rates)
{
    struct one *one = context;
    say(one, outcome, rates == NULL ? (struct text){0} : rates->rates[0].service_code);
    end_one(one);
}

static void create_done(void *context, const struct carrier_outcome *outcome,
                        const struct carrier_shipment *shipment)
{
    struct one *one = context;
    say(one, outcome, shipment == NULL ? (struct text){0} : shipment->tracking_number);
    end_one(one);
}

static void cancel_done(void *context, const struct carrier_outcome *outcome)
{
    struct one *one = context;
    say(one, outcome, (struct text){0});
    end_one(one);
}

static void track_done(void *context, const struct carrier_outcome *outcome,
                       const struct carrier_tracking *tracking)
{
    struct one *one = context;
    bool scans = tracking != NULL && tracking->scan_count > 0;
    say(one, outcome, scans ? tracking->scans[0].carrier_code : (struct text){0});
    end_one(one);
}

static void find_done(void *context, const struct carrier_outcome *outcome,
                      const struct carrier_matches *matches)
{
    struct one *one = context;
    say(one, outcome, matches == NULL ? (struct text){0} : matches->shipments[0].tracking_number);
    end_one(one);
}

static const struct shipping_parcel parcels[] = {{2000, 300, 200, 100, {"USD", 5000}, {0}},
                                                 {700, 0, 0, 0, {"USD", 500}, {0}}};

static struct consignment consignment;

static void fill_consignment(void)
{
    consignment =
        (struct consignment){.parcels = parcels, .parcel_count = 2, .ship_date = "2026-06-01"};
    consignment.origin = (struct shipping_address){.name = text_of("A"),
                                                   .phone = text_of("4105551234"),
                                                   .lines = {text_of("1 Main Street")},
                                                   .line_count = 1,
                                                   .city = text_of("Timonium"),
                                                   .region = text_of("MD"),
                                                   .postal_code = text_of("21093"),
                                                   .country_code = text_of("US")};
    consignment.destination = consignment.origin;
    consignment.destination.city = text_of("Alpharetta");
}

static struct error start(struct one *one, const char *operation, int64_t timeout_us)
{
    struct carrier *port = http_carrier_port(one->run->carrier);
    bool ups = strcmp(port->name, "ups") == 0, fedex = strcmp(port->name, "fedex") == 0;
    one->rate = (struct carrier_rate_request){&consignment, timeout_us};
    one->create = (struct carrier_shipment_request){.shipment_id = text_of(one->id),
                                                    .service_code = text_of(ups     ? "03"
                                                                            : fedex ? "FEDEX_GROUND"
                                                                                    : "N"),
                                                    .consignment = &consignment,
                                                    .timeout_us = timeout_us};
    one->cancel = (struct carrier_cancel_request){.shipment_id = text_of(one->id),
                                                  .tracking_number = text_of(one->id),
                                                  .country_code = text_of("US"),
                                                  .timeout_us = timeout_us};
    one->track = (struct carrier_tracking_request){text_of(one->id), timeout_us};
    one->find =
        (struct carrier_find_request){text_of(one->id), clock_now_us(clock_system()), timeout_us};
    if (strcmp(operation, "rate") == 0)
        return carrier_calculate_rate(port, &one->rate, rate_done, one);
    if (strcmp(operation, "create") == 0)
        return carrier_create_shipment(port, &one->create, create_done, one);
    if (strcmp(operation, "cancel") == 0)
        return carrier_cancel_shipment(port, &one->cancel, cancel_done, one);
    if (strcmp(operation, "track") == 0)
        return carrier_get_tracking_info(port, &one->track, track_done, one);
    return carrier_find_by_reference(port, &one->find, find_done, one);
}

/* The operation of that call, of "rate,create". */
static const char *operation_of(const char *list, size_t number, char *out, size_t size)
{
    size_t count = 1;
    for (const char *at = list; *at != '\0'; at++)
        count += *at == ',';
    for (size_t i = number % count; i > 0; i--)
        list = strchr(list, ',') + 1;
    snprintf(out, size, "%.*s", (int)strcspn(list, ","), list);
    return out;
}

static struct error open_carrier(struct run *run, uv_loop_t *loop, char **argv, int argc)
{
    struct http_client_options options = http_client_options_default();
    struct carrier_settings settings = carrier_settings_default();
    struct http_carrier_environment environment = {.loop = loop,
                                                   .clock = clock_system(),
                                                   .random = random_system(),
                                                   .audit = note_audit,
                                                   .audit_context = run};
    settings.base_url = argv[1];
    settings.client_id = "client";
    settings.client_secret = secret;
    settings.account_number = "W4YB1L";
    settings.calls_per_second_max = argc > 7 ? (uint32_t)atoi(argv[7]) : 0;
    settings.calls_at_once_max = argc > 8 ? (uint32_t)atoi(argv[8]) : 16;
    struct error error = http_client_create(&run->client, loop, &options);
    environment.client = run->client;
    if (!error_is(error))
        error = http_carrier_create(&run->carrier,
                                    strcmp(argv[2], "ups") == 0     ? &ups_protocol
                                    : strcmp(argv[2], "fedex") == 0 ? &fedex_protocol
                                                                    : &dhl_protocol,
                                    &settings, &environment);
    return error;
}

static void name_call(struct one *one, struct run *run, char **argv, size_t number)
{
    bool by_number = strcmp(argv[3], "cancel") == 0 || strcmp(argv[3], "track") == 0;
    one->run = run;
    if (by_number)
        snprintf(one->id, sizeof one->id, "%s", argv[6]);
    else
        snprintf(one->id, sizeof one->id, "%s-%zu", argv[6], number);
}

static int fail_with(const struct error *error)
{
    fprintf(stderr, "%s\n", error->detail);
    return 1;
}

static int run_at_once(uv_loop_t *loop, int argc, char **argv)
{
    struct run run = {0};
    size_t count = (size_t)atoi(argv[4]);
    char operation[16];
    struct one *all = calloc(count, sizeof *all);
    struct error error = open_carrier(&run, loop, argv, argc);
    for (size_t i = 0; i < count && !error_is(error); i++) {
        name_call(&all[i], &run, argv, i);
        error = start(&all[i], operation_of(argv[3], i, operation, sizeof operation),
                      (int64_t)atoi(argv[5]) * 1000);
        run.left++;
    }
    if (error_is(error))
        return fail_with(&error);
    while (run.left > 0)
        uv_run(loop, UV_RUN_ONCE);
    close_all(&run);
    uv_run(loop, UV_RUN_DEFAULT);
    printf("audit %zu %zu\n", run.audits, run.secrets);
    free(all);
    return 0;
}

/* One call whose allocation after `successes` fails; whether there was one. */
static bool run_one_without_memory(uv_loop_t *loop, int argc, char **argv, size_t successes,
                                   size_t *secrets)
{
    static const struct carrier_outcome unable = {.verdict = CARRIER_UNAVAILABLE};
    struct run run = {.left = 1};
    struct one one = {0};
    struct error error = open_carrier(&run, loop, argv, argc);
    if (error_is(error))
        exit(fail_with(&error));
    name_call(&one, &run, argv, successes);
    uint64_t before = memory_allocation_count();
    memory_fail_after(successes, 0);
    error = start(&one, argv[3], (int64_t)atoi(argv[5]) * 1000);
    while (!error_is(error) && run.left > 0)
        uv_run(loop, UV_RUN_ONCE);
    memory_fail_after(UINT64_MAX, 0);
    if (error_is(error))
        say(&one, &unable, (struct text){0});
    bool failed = memory_allocation_count() - before > successes;
    close_all(&run);
    uv_run(loop, UV_RUN_DEFAULT);
    *secrets += run.secrets;
    return failed;
}

static int run_without_memory(uv_loop_t *loop, int argc, char **argv)
{
    size_t tries = 0, secrets = 0;
    while (run_one_without_memory(loop, argc, argv, tries, &secrets))
        tries++;
    printf("tries %zu %zu\n", tries + 1, secrets);
    return 0;
}

int main(int argc, char **argv)
{
    uv_loop_t loop;
    if (argc < 7)
        return 2;
    fill_consignment();
    uv_loop_init(&loop);
    int code = argc > 9 ? run_without_memory(&loop, argc, argv) : run_at_once(&loop, argc, argv);
    return uv_loop_close(&loop) == 0 || code != 0 ? code : 3;
}
