/*
 * Each row becomes the JSON of a RecordEvent and, by the JSON mapping, the message: so a column
 * takes what the interface takes, and what is wrong is told in its words, with the line. Rows are
 * sent as long as fewer than a bound are unanswered.
 */
#include "main/commands/import_command.h"

#include "main/commands/server_address.h"
#include "main/commands/tls_flags.h"
#include "main/replay/data/csv_reader.h"
#include "platform/base/arena.h"
#include "platform/base/clock.h"
#include "platform/base/memory.h"
#include "platform/json/json_message.h"
#include "platform/rpc/client.h"
#include "waybill/tracking/v1/tracking.pb-c.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum {
    in_flight_max = 512,
    refusals_shown_max = 20,
    piece_bytes = 64 * 1024,
    type_bytes_max = 128,
    row_bytes_max = 64 * 1024,                 /* of the fields of one row: no event has so many */
    json_bytes_max = 6 * row_bytes_max + 4096, /* each byte may become \u00XX */
};

static const char path[] = "/waybill.tracking.v1.TrackingService/RecordEvent";

/* The columns, the last ones optional; JSON names beside them. */
static const char *const columns[] = {
    "carrier",
    "tracking_number",
    "occurred_time",
    "type",
    "carrier_code",
    "event_id",
    "utc_offset_minutes",
    "facility",
    "city",
    "country_code",
    "description",
    "source",
    "expected_delivery_time",
    "corrects_event_id",
};
static const char *const names[] = {
    "carrier",
    "trackingNumber",
    "occurredTime",
    "type",
    "carrierCode",
    "eventId",
    "utcOffsetMinutes",
    "facility",
    "city",
    "countryCode",
    "description",
    "source",
    "expectedDeliveryTime",
    "correctsEventId",
};
enum {
    column_count = sizeof columns / sizeof columns[0],
    required = 3,
    time_column = 2,
    type_column = 3,
    offset_column = 6,
    source_column = 11
};

struct import {
    const char *file;
    const char *server;
    struct tls_flags tls;
    bool json;              /* no progress, one object at the end */
    struct error unreached; /* no server answered: the rest would fare no better */
    uv_loop_t loop;
    struct rpc_client *client;
    struct buffer json_row;
    uint64_t in_flight;
    uint64_t rows;
    uint64_t recorded;
    uint64_t refused;
    uint64_t bytes_read;
    uint64_t bytes_all;
    int64_t begin_us;
    int64_t shown_us;
};

struct row {
    struct import *import;
    uint64_t line;
};

static void show_progress(struct import *import, bool last)
{
    int64_t now_us = clock_monotonic_us(clock_system());
    if (import->json || (!last && now_us - import->shown_us < 500000))
        return;
    import->shown_us = now_us;
    double seconds = (double)(now_us - import->begin_us) / 1e6;
    double share = import->bytes_all == 0
                       ? 100.0
                       : 100.0 * (double)import->bytes_read / (double)import->bytes_all;
    fprintf(stderr, "\r%5.1f %%  %llu recorded, %llu refused, %.0f a second%s", share,
            (unsigned long long)import->recorded, (unsigned long long)import->refused,
            seconds > 0 ? (double)import->recorded / seconds : 0.0, last ? "\n" : "");
}

static void refuse(struct import *import, uint64_t line, struct text why)
{
    import->refused++;
    if (import->refused <= refusals_shown_max)
        fprintf(stderr, "\rline %llu: %.*s\n", (unsigned long long)line, (int)why.size, why.data);
    else if (import->refused == refusals_shown_max + 1)
        fprintf(stderr, "\r… and further lines\n");
}

static void row_done(void *context, const struct rpc_client_result *result)
{
    struct row *row = context;
    struct import *import = row->import;
    import->in_flight--;
    bool is_unreached = result->status.code == GRPC_STATUS_UNAVAILABLE ||
                        result->status.code == GRPC_STATUS_UNIMPLEMENTED;
    if (result->status.code == GRPC_STATUS_OK)
        import->recorded++;
    else if (is_unreached && !error_is(import->unreached))
        import->unreached = error_make(ERROR_NETWORK, "%.*s", (int)result->status.message.size,
                                       result->status.message.data);
    else if (!is_unreached)
        refuse(import, row->line, result->status.message);
    memory_release(row);
}

static void tell_unused(void *context, struct text column)
{
    (void)context;
    fprintf(stderr, "waybill import: column '%.*s' is not known and left out; --help names all\n",
            (int)column.size, column.data);
}

/* What keeps a row from being written as JSON at all; NULL = nothing. */
static const char *problem_of(const struct text *fields, char problem[64])
{
    size_t bytes = 0;
    for (size_t i = 0; i < column_count; i++) {
        const char *wrong = !text_is_utf8(fields[i])      ? "must be UTF-8"
                            : text_has_control(fields[i]) ? "must not hold control characters"
                                                          : NULL;
        bytes += fields[i].size;
        if (wrong == NULL)
            continue;
        snprintf(problem, 64, "%s: %s", columns[i], wrong);
        return problem;
    }
    return bytes > row_bytes_max ? "its fields are more than 64 KiB" : NULL;
}

/* The offset at the end of "2026-11-25T10:00:00+02:00". False: none is written there. */
static bool offset_of(struct text time, int *minutes)
{
    int64_t hours, rest;
    if (time.size < sizeof "T10:00:00+02:00" - 1)
        return false;
    struct text offset = text_make(time.data + time.size - 6, 6);
    if ((offset.data[0] != '+' && offset.data[0] != '-') || offset.data[3] != ':' ||
        !text_digits(offset, 1, 2, &hours) || !text_digits(offset, 4, 2, &rest))
        return false;
    *minutes = (offset.data[0] == '-' ? -1 : 1) * (int)(60 * hours + rest);
    return true;
}

static bool write_row(struct buffer *json, const struct text *fields)
{
    int minutes;
    bool good = buffer_append_string(json, "{\"event\":{\"source\":");
    struct text source = fields[source_column];
    good = good && json_string_write(source.size == 0 ? text_of("import") : source, json);
    /* A Timestamp knows no offset: what the clocks there showed is kept beside it. */
    if (good && fields[offset_column].size == 0 && offset_of(fields[time_column], &minutes))
        good = buffer_append_format(json,
                                    ",\"utcOffsetMinutes\":%d,\"utcOffsetSource\":"
                                    "\"UTC_OFFSET_SOURCE_CARRIER\"",
                                    minutes);
    for (size_t i = 0; i < column_count && good; i++) {
        if (fields[i].size == 0 || i == source_column)
            continue;
        good = buffer_append_format(json, ",\"%s\":", names[i]);
        if (i == type_column && fields[i].data[0] != 'T') {
            char type[type_bytes_max]; /* one that is cut is no type either */
            snprintf(type, sizeof type, "TRACKING_EVENT_TYPE_%.*s", (int)fields[i].size,
                     fields[i].data);
            good = good && json_string_write(text_of(type), json);
        } else {
            good = good && json_string_write(fields[i], json);
        }
    }
    return good && buffer_append_string(json, "}}");
}

/* One row of the file: sent when there is room. */
static struct error import_row(void *context, uint64_t line, const struct text *fields)
{
    struct import *import = context;
    struct arena arena;
    ProtobufCMessage *message = NULL;
    char words[64];
    const char *problem = problem_of(fields, words);
    if (problem != NULL) {
        import->rows++;
        refuse(import, line, text_of(problem));
        return import->unreached;
    }
    struct row *row = memory_allocate(sizeof *row);
    buffer_clear(&import->json_row);
    if (row == NULL || !write_row(&import->json_row, fields)) {
        memory_release(row);
        return error_make(ERROR_OUT_OF_MEMORY, "importing");
    }
    *row = (struct row){.import = import, .line = line};
    import->rows++;
    arena_init(&arena, (size_t)1024 * 1024);
    struct error error = json_message_read(buffer_text(&import->json_row),
                                           &waybill__tracking__v1__record_event_request__descriptor,
                                           false, &arena, &message);
    if (error_is(error)) {
        refuse(import, line, text_of(error.detail));
        memory_release(row);
    } else {
        const struct rpc_client_call_options options = {.timeout_us = INT64_C(60) * 1000000,
                                                        .may_repeat = true};
        import->in_flight++;
        rpc_client_call_with(import->client, path, message,
                             &waybill__tracking__v1__record_event_response__descriptor, &options,
                             row_done, row);
    }
    arena_deinit(&arena);
    while (import->in_flight >= in_flight_max)
        uv_run(&import->loop, UV_RUN_ONCE);
    show_progress(import, false);
    return import->unreached;
}

static struct error read_file(struct import *import, FILE *file, struct csv_reader *reader)
{
    static char piece[piece_bytes];
    struct error error = error_none();
    size_t size = fread(piece, 1, sizeof piece, file);
    while (size > 0 && !error_is(error)) {
        error = csv_reader_feed(reader, text_make(piece, size));
        import->bytes_read += size;
        size = fread(piece, 1, sizeof piece, file);
    }
    if (!error_is(error) && ferror(file))
        error = error_make(ERROR_INPUT_OUTPUT, "the file cannot be read");
    return error_is(error) ? error : csv_reader_finish(reader);
}

static struct error run(struct import *import)
{
    struct csv_reader *reader = NULL;
    struct rpc_client_options options = rpc_client_options_default();
    struct csv_reader_options csv = {
        .name = import->file,
        .columns = columns,
        .column_count = column_count,
        .optional_count = column_count - required,
        .record = import_row,
        .unused = tell_unused,
        .context = import,
    };
    FILE *file = fopen(import->file, "rb");
    if (file == NULL)
        return error_from_errno(errno, "%.200s", import->file);
    if (fseek(file, 0, SEEK_END) == 0)
        import->bytes_all = (uint64_t)ftell(file);
    rewind(file);
    options.server = import->server;
    options.tls = tls_flags_settings(&import->tls);
    uv_loop_init(&import->loop);
    struct error error = rpc_client_create(&import->client, &import->loop, &options);
    if (!error_is(error))
        error = csv_reader_create(&reader, &csv);
    if (!error_is(error))
        error = read_file(import, file, reader);
    while (import->in_flight > 0)
        uv_run(&import->loop, UV_RUN_ONCE);
    csv_reader_destroy(reader);
    if (import->client != NULL)
        rpc_client_close(import->client, NULL, NULL);
    uv_run(&import->loop, UV_RUN_DEFAULT);
    uv_loop_close(&import->loop);
    fclose(file);
    return error_is(error) ? error : import->unreached;
}

static void print_help(void)
{
    printf(
        "usage: waybill import tracking FILE [OPTION…]\n\n"
        "Records the events of a CSV file whose first line names the columns:\n"
        "  carrier, tracking_number, occurred_time (2026-11-25T10:00:00Z or +02:00), and where\n"
        "  there is one: type (DELIVERED, …), carrier_code, event_id, utc_offset_minutes,\n"
        "  facility, city, country_code, description, source, expected_delivery_time,\n"
        "  corrects_event_id. An offset written in occurred_time is kept as utc_offset_minutes.\n"
        "An import that was cut off is begun again: what is there is not recorded twice.\n\n"
        "  --server HOST:PORT      $WAYBILL_SERVER or 127.0.0.1:7400\n"
        "%s"
        "  --json                  one object at the end, and no progress\n\n"
        "Exit code: 0 all is recorded; 1 some lines were refused, with the reason, or the server\n"
        "could not be reached; 2 for wrong arguments.\n\n"
        "  printf 'carrier,tracking_number,occurred_time,type\\n' > events.csv\n"
        "  printf 'ups,1Z1,2026-11-25T10:00:00Z,DELIVERED\\n' >> events.csv\n"
        "  waybill import tracking events.csv\n",
        tls_flags_help);
}

/* False: told what is wrong. */
static bool read_argument(struct import *import, int argc, char **argv, int *at)
{
    const char *argument = argv[*at];
    enum tls_flag tls = tls_flags_read(&import->tls, "import", argc, argv, at);
    if (tls != TLS_FLAG_OTHER)
        return tls == TLS_FLAG_TAKEN;
    if (strcmp(argument, "--json") == 0) {
        import->json = true;
    } else if (strcmp(argument, "--server") == 0 && *at + 1 < argc) {
        import->server = argv[++*at];
    } else if (argument[0] != '-' && import->file == NULL) {
        import->file = argument;
    } else {
        fprintf(stderr, "waybill import: %s %s; `waybill import --help` explains\n", argument,
                strcmp(argument, "--server") == 0 ? "needs a value"
                : argument[0] == '-'              ? "is no option"
                                                  : "is a file too many");
        return false;
    }
    return true;
}

static bool read_arguments(struct import *import, int argc, char **argv)
{
    if (argc < 2 || strcmp(argv[1], "tracking") != 0) {
        fprintf(stderr,
                "waybill import: events of tracking are all that it takes%s%s\n"
                "  → waybill import tracking FILE\n",
                argc < 2 ? "" : ", not ", argc < 2 ? "" : argv[1]);
        return false;
    }
    for (int i = 2; i < argc; i++) {
        if (!read_argument(import, argc, argv, &i))
            return false;
    }
    if (import->file == NULL)
        fprintf(stderr, "waybill import: which file? waybill import tracking FILE\n");
    return import->file != NULL && tls_flags_fit(&import->tls, "import") &&
           server_address_check("import", "--server", import->server);
}

static void tell_result(struct import *import, const struct error *error)
{
    if (!error_is(*error) || import->bytes_read > 0)
        show_progress(import, true);
    if (import->json)
        printf("{\"rows\":%llu,\"recorded\":%llu,\"refused\":%llu,\"complete\":%s}\n",
               (unsigned long long)import->rows, (unsigned long long)import->recorded,
               (unsigned long long)import->refused, error_is(*error) ? "false" : "true");
    if (!error_is(*error))
        return;
    fprintf(stderr, "waybill import: %s: %s\n", error_text(error->code), error->detail);
    server_address_advise(text_of(error->detail));
    if (import->rows > 0)
        fprintf(stderr, "  → then the same command again; nothing is recorded twice\n");
}

int import_command(int argc, char **argv)
{
    static struct import import;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            print_help();
            return 0;
        }
    }
    import.server = server_address_default();
    import.unreached = error_none();
    if (!read_arguments(&import, argc, argv))
        return 2;
    buffer_init(&import.json_row, json_bytes_max);
    import.begin_us = clock_monotonic_us(clock_system());
    struct error error = run(&import);
    tell_result(&import, &error);
    buffer_deinit(&import.json_row);
    return error_is(error) || import.refused > 0 ? 1 : 0;
}
