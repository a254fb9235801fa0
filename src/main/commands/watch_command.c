/*
 * A client on a loop of its own: first the present cursor is asked for (so that nothing is missed
 * when the server goes away before the first event), then the stream is opened, and again after
 * each end, with the cursor of the last event shown or the one that the server gave.
 */
#include "main/commands/watch_command.h"

#include "google/protobuf/any.pb-c.h"
#include "google/protobuf/timestamp.pb-c.h"
#include "google/rpc/error_details.pb-c.h"
#include "main/commands/server_address.h"
#include "main/commands/tls_flags.h"
#include "main/commands/watch_display.h"
#include "main/event_types.h"
#include "main/suggestion.h"
#include "platform/base/memory.h"
#include "platform/rpc/client.h"
#include "waybill/events/v1/events.pb-c.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

enum {
    exit_usage = 2,
    exit_status_base = 64,
    cursor_bytes_max = 4096,
    types_max = 64,
    pause_ms_min = 100,
    pause_ms_max = 5000,
};

static const char subscribe_path[] = "/waybill.events.v1.EventService/Subscribe";
static const char list_path[] = "/waybill.events.v1.EventService/ListEventLogs";

struct watch {
    int argc; /* as it was called, for the command to go on with */
    char **argv;
    const char *server;
    struct tls_flags tls;
    const char *key;
    char *type_list;        /* a copy of --types, split; NULL = all */
    char *types[types_max]; /* full names */
    size_t type_count;
    uint64_t count_max; /* 0 = no end */
    struct watch_display display;

    uv_loop_t loop;
    uv_signal_t interrupt;
    uv_signal_t terminate;
    uv_timer_t pause;
    uint64_t pause_ms;
    struct rpc_client *client;
    struct rpc_client_call *stream; /* NULL between two */
    char cursor[cursor_bytes_max];  /* to go on behind */
    uint64_t shown;
    bool was_connected;
    bool is_waiting_told;
    bool is_ending;
    int exit_code;
};

/* --- the end --- */

static void end(struct watch *watch, int exit_code)
{
    if (watch->is_ending)
        return;
    watch->is_ending = true;
    watch->exit_code = exit_code;
    uv_close((uv_handle_t *)&watch->interrupt, NULL);
    uv_close((uv_handle_t *)&watch->terminate, NULL);
    uv_close((uv_handle_t *)&watch->pause, NULL);
    rpc_client_close(watch->client, NULL, NULL);
}

/* A word as a shell takes it: as it stands if it may, else in quotes. */
static void print_word(const char *word)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "-_./:,@%+=";
    if (word[0] != '\0' && strspn(word, plain) == strlen(word)) {
        fprintf(stderr, " %s", word);
        return;
    }
    fputs(" '", stderr);
    for (; *word != '\0'; word++)
        fprintf(stderr, *word == '\'' ? "'\\''" : "%c", *word);
    fputc('\'', stderr);
}

/* The command that was given, from the cursor on and without an end. */
static void tell_how_to_go_on(const struct watch *watch)
{
    fprintf(stderr, "\nwaybill watch: %llu event%s; to go on:\n  waybill watch",
            (unsigned long long)watch->shown, watch->shown == 1 ? "" : "s");
    for (int i = 1; i < watch->argc; i++) {
        if (strcmp(watch->argv[i], "--from") == 0 || strcmp(watch->argv[i], "--count") == 0)
            i++; /* its value, too */
        else
            print_word(watch->argv[i]);
    }
    fprintf(stderr, " --from %s\n", watch->cursor);
}

static void on_signal(uv_signal_t *handle, int number)
{
    struct watch *watch = handle->data;
    (void)number;
    if (watch->cursor[0] != '\0')
        tell_how_to_go_on(watch);
    end(watch, 0);
}

/* --- the stream --- */

static void open_stream(struct watch *watch);

static void on_pause(uv_timer_t *timer)
{
    open_stream(timer->data);
}

static void set_cursor(struct watch *watch, const char *cursor)
{
    if (strlen(cursor) < sizeof watch->cursor)
        strcpy(watch->cursor, cursor);
}

static void on_message(void *context, struct rpc_client_call *call, const ProtobufCMessage *message)
{
    struct watch *watch = context;
    const Waybill__Events__V1__SubscribeResponse *response = (const void *)message;
    (void)call;
    watch->was_connected = true;
    watch->is_waiting_told = false;
    watch->pause_ms = pause_ms_min;
    if (response->event == NULL || watch->is_ending)
        return;
    bool written = watch_display_event(&watch->display, response->event);
    set_cursor(watch, response->event->cursor);
    watch->shown++;
    if (!written || watch->shown == watch->count_max)
        end(watch, 0);
}

/* The cursor that a server puts beside its reason for ending a stream. */
static void take_cursor_of(struct watch *watch, const struct rpc_status *status)
{
    for (const struct rpc_detail *detail = status->details; detail != NULL; detail = detail->next) {
        if (strcmp(detail->type_name, "google.rpc.ErrorInfo") != 0)
            continue;
        Google__Rpc__ErrorInfo *info = google__rpc__error_info__unpack(
            NULL, detail->value.size, (const uint8_t *)detail->value.data);
        for (size_t i = 0; info != NULL && i < info->n_metadata; i++) {
            if (strcmp(info->metadata[i]->key, "cursor") == 0)
                set_cursor(watch, info->metadata[i]->value);
        }
        google__rpc__error_info__free_unpacked(info, NULL);
    }
}

/* Whether the stream may be opened again, by how it ended. */
static bool may_go_on(const struct watch *watch, enum grpc_status code)
{
    return watch->was_connected &&
           (code == GRPC_STATUS_OK || code == GRPC_STATUS_UNAVAILABLE ||
            code == GRPC_STATUS_RESOURCE_EXHAUSTED || code == GRPC_STATUS_CANCELLED);
}

static void ended(struct watch *watch, const struct rpc_status *status)
{
    watch->stream = NULL;
    if (watch->is_ending)
        return;
    take_cursor_of(watch, status);
    if (!may_go_on(watch, status->code)) {
        fprintf(stderr, "waybill watch: %s: %.*s\n", grpc_status_name(status->code),
                (int)status->message.size, status->message.data);
        if (status->details == NULL)
            server_address_advise(status->message);
        end(watch, exit_status_base + (int)status->code);
        return;
    }
    if (!watch->is_waiting_told)
        fprintf(stderr, "waybill watch: %.*s; it goes on when the server answers\n",
                (int)status->message.size, status->message.data);
    watch->is_waiting_told = true;
    uv_timer_start(&watch->pause, on_pause, watch->pause_ms, 0);
    watch->pause_ms = 2 * watch->pause_ms > pause_ms_max ? pause_ms_max : 2 * watch->pause_ms;
}

static void on_closed(void *context, const struct rpc_status *status)
{
    ended(context, status);
}

static void open_stream(struct watch *watch)
{
    static const struct rpc_client_stream_handler handler = {
        .message = on_message,
        .closed = on_closed,
    };
    Waybill__Events__V1__SubscribeRequest request = WAYBILL__EVENTS__V1__SUBSCRIBE_REQUEST__INIT;
    struct rpc_client_call_options options = {0};
    request.n_types = watch->type_count;
    request.types = watch->types;
    request.key = (char *)watch->key;
    request.cursor = watch->cursor;
    watch->stream = rpc_client_stream_open(watch->client, subscribe_path,
                                           &waybill__events__v1__subscribe_response__descriptor,
                                           &options, &handler, watch);
    if (watch->stream == NULL) {
        fprintf(stderr, "waybill watch: no memory\n");
        end(watch, 1);
        return;
    }
    (void)rpc_client_stream_send(watch->stream, &request.base);
    rpc_client_stream_finish(watch->stream);
}

/* The present, as a cursor. */
static void on_logs(void *context, const struct rpc_client_result *result)
{
    struct watch *watch = context;
    if (watch->is_ending)
        return;
    if (result->response == NULL) {
        ended(watch, &result->status);
        return;
    }
    const Waybill__Events__V1__ListEventLogsResponse *logs = (const void *)result->response;
    watch->was_connected = true;
    set_cursor(watch, logs->present_cursor);
    open_stream(watch);
}

static int run(struct watch *watch)
{
    struct rpc_client_options options = rpc_client_options_default();
    Waybill__Events__V1__ListEventLogsRequest request =
        WAYBILL__EVENTS__V1__LIST_EVENT_LOGS_REQUEST__INIT;
    options.server = watch->server;
    options.tls = tls_flags_settings(&watch->tls);
    if (uv_loop_init(&watch->loop) != 0) {
        fprintf(stderr, "waybill watch: cannot make an event loop\n");
        return 1;
    }
    struct error error = rpc_client_create(&watch->client, &watch->loop, &options);
    if (error_is(error)) {
        fprintf(stderr, "waybill watch: %s\n", error.detail);
        uv_loop_close(&watch->loop);
        return exit_usage;
    }
    uv_signal_init(&watch->loop, &watch->interrupt);
    uv_signal_init(&watch->loop, &watch->terminate);
    uv_timer_init(&watch->loop, &watch->pause);
    watch->interrupt.data = watch;
    watch->terminate.data = watch;
    watch->pause.data = watch;
    watch->pause_ms = pause_ms_min;
    uv_signal_start(&watch->interrupt, on_signal, SIGINT);
    uv_signal_start(&watch->terminate, on_signal, SIGTERM);
    if (watch->cursor[0] == '\0')
        rpc_client_call(watch->client, list_path, &request.base,
                        &waybill__events__v1__list_event_logs_response__descriptor, 10000000,
                        on_logs, watch);
    else
        open_stream(watch);
    uv_run(&watch->loop, UV_RUN_DEFAULT);
    uv_loop_close(&watch->loop);
    return watch->exit_code;
}

/* --- arguments --- */

static void print_help(FILE *out)
{
    fprintf(
        out,
        "usage: waybill watch [OPTION…]\n\n"
        "Shows events as they happen, a line each, until Ctrl-C, which prints how to go on.\n"
        "When the server goes away it waits, and goes on where it was.\n\n"
        "  --server HOST:PORT      $WAYBILL_SERVER or 127.0.0.1:7400\n"
        "  --types A,B             only these: StockReserved, or "
        "waybill.inventory.v1.StockReserved\n"
        "  --key KEY               only events with this key: a SKU, a reservation_id, …\n"
        "  --from PLACE            oldest, or a cursor; without it from now on\n"
        "%s"
        "  --json                  each event as a JSON object, with its cursor\n"
        "  --count N               end after so many\n\n"
        "Exit code: 0; 64 + the gRPC status code if the server refuses or was never there (78);\n"
        "2 for wrong arguments; 1 without memory.\n\n"
        "  waybill watch --types StockAlert,StockShortage\n"
        "  waybill watch --from oldest --key MUG --count 1 --json\n\n"
        "Types:\n",
        tls_flags_help);
    for (size_t i = 0; i < event_message_count; i++)
        fprintf(out, "  %s\n", event_messages[i]->name);
}

/* The full name of a type given as such or by its last part. NULL: told what is wrong. */
static char *full_type(const char *name)
{
    struct suggestion suggestion = suggestion_begin(name);
    for (size_t i = 0; i < event_message_count; i++) {
        suggestion_consider(&suggestion, event_messages[i]->short_name);
        if (strcmp(event_messages[i]->name, name) == 0 ||
            strcmp(event_messages[i]->short_name, name) == 0)
            return (char *)event_messages[i]->name;
    }
    if (strncmp(name, "waybill.", strlen("waybill.")) == 0)
        return (char *)name; /* a newer server may know it */
    fprintf(stderr, "waybill watch: --types: there is no event %s", name);
    if (suggestion.best != NULL)
        fprintf(stderr, "; did you mean %s?\n", suggestion.best);
    else
        fprintf(stderr, "; `waybill watch --help` lists them\n");
    return NULL;
}

static bool read_types(struct watch *watch, const char *list)
{
    char *rest = NULL;
    size_t size = strlen(list) + 1;
    memory_release(watch->type_list); /* the last --types counts */
    watch->type_count = 0;
    watch->type_list = memory_allocate(size);
    if (watch->type_list == NULL) {
        fprintf(stderr, "waybill watch: no memory\n");
        return false;
    }
    memcpy(watch->type_list, list, size);
    for (char *name = strtok_r(watch->type_list, ", ", &rest); name != NULL;
         name = strtok_r(NULL, ", ", &rest)) {
        if (watch->type_count == types_max) {
            fprintf(stderr, "waybill watch: at most %d types\n", types_max);
            return false;
        }
        watch->types[watch->type_count] = full_type(name);
        if (watch->types[watch->type_count++] == NULL)
            return false;
    }
    return true;
}

static bool read_value(struct watch *watch, const char *name, const char *value)
{
    if (strcmp(name, "--server") == 0) {
        watch->server = value;
        return true;
    }
    if (strcmp(name, "--key") == 0) {
        watch->key = value;
        return true;
    }
    if (strcmp(name, "--types") == 0)
        return read_types(watch, value);
    if (strcmp(name, "--from") == 0) {
        set_cursor(watch, value);
        if (strcmp(watch->cursor, value) == 0)
            return true;
        fprintf(stderr, "waybill watch: --from: this is no cursor\n");
        return false;
    }
    int64_t count;
    if (text_to_int64(text_of(value), &count) && count > 0) {
        watch->count_max = (uint64_t)count;
        return true;
    }
    fprintf(stderr, "waybill watch: --count takes a whole number from 1 on\n");
    return false;
}

static bool read_option(struct watch *watch, int argc, char **argv, int *at)
{
    static const char *const with_value[] = {"--server", "--key", "--types", "--from", "--count"};
    const char *name = argv[*at];
    if (strcmp(name, "--json") == 0) {
        watch->display.json = true;
        return true;
    }
    enum tls_flag tls = tls_flags_read(&watch->tls, "watch", argc, argv, at);
    if (tls != TLS_FLAG_OTHER)
        return tls == TLS_FLAG_TAKEN;
    for (size_t i = 0; i < sizeof with_value / sizeof with_value[0]; i++) {
        if (strcmp(name, with_value[i]) == 0 && *at + 1 < argc)
            return read_value(watch, name, argv[++*at]);
        if (strcmp(name, with_value[i]) == 0) {
            fprintf(stderr, "waybill watch: %s needs a value\n", name);
            return false;
        }
    }
    fprintf(stderr, "waybill watch: what is %s? `waybill watch --help` explains\n", name);
    return false;
}

int watch_command(int argc, char **argv)
{
    struct watch watch = {
        .argc = argc, .argv = argv, .server = server_address_default(), .key = ""};
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            print_help(stdout);
            return 0;
        }
        if (!read_option(&watch, argc, argv, &i))
            return exit_usage;
    }
    if (!tls_flags_fit(&watch.tls, "watch") ||
        !server_address_check("watch", "--server", watch.server)) {
        memory_release(watch.type_list);
        return exit_usage;
    }
    watch_display_begin(&watch.display);
    int code = run(&watch);
    watch_display_end(&watch.display);
    memory_release(watch.type_list);
    return code;
}
