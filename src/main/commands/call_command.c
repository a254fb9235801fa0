/*
 * One call by the client on a loop of its own. The method and both messages come from the
 * descriptors, so a new service needs nothing here.
 */
#include "main/commands/call_command.h"

#include "google/rpc/error_details.pb-c.h"
#include "main/commands/request_hint.h"
#include "main/commands/server_address.h"
#include "main/commands/tls_flags.h"
#include "main/services.h"
#include "platform/base/buffer.h"
#include "platform/json/json_message.h"
#include "platform/rpc/client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    exit_usage = 2,
    exit_status_base = 64,
    json_bytes_max = 64 * 1024 * 1024,
    request_memory_bytes_max = 64 * 1024 * 1024,
};

struct call {
    const char *method_name;
    const char *request_json;
    const char *server;
    double timeout_seconds;
    struct tls_flags tls;
    bool json;
    struct known_method method;
    struct rpc_client *client;
    int exit_code;
};

/* --- help --- */

/* A method and its fields, wrapped. */
static void print_method(FILE *out, const ProtobufCServiceDescriptor *service,
                         const ProtobufCMethodDescriptor *method)
{
    enum { columns_max = 96 };
    const struct known_method known = {service, method};
    int column =
        fprintf(out, "  %s%s {", method->name, known_method_is_stream(&known) ? " (stream)" : "");
    for (unsigned i = 0; i < method->input->n_fields; i++) {
        const char *name = method->input->fields[i].name;
        if (i > 0)
            column += fprintf(out, ",");
        if (i > 0 && column + (int)strlen(name) + 3 > columns_max)
            column = fprintf(out, "\n     ") - 1;
        column += fprintf(out, "%s%s", i == 0 ? "" : " ", name);
    }
    fprintf(out, "}\n");
}

static void print_methods(FILE *out)
{
    for (size_t i = 0; i < known_service_count; i++) {
        fprintf(out, "%s\n", known_services[i]->name);
        for (unsigned j = 0; j < known_services[i]->n_methods; j++)
            print_method(out, known_services[i], &known_services[i]->methods[j]);
    }
}

static void print_help(FILE *out)
{
    fprintf(out,
            "usage: waybill call METHOD [JSON] [OPTION…]\n\n"
            "Sends one call and prints the answer. METHOD is package.Service/Method, "
            "Service/Method, or\n"
            "Method where that is one of a kind. JSON is the request (proto3 JSON: fields in\n"
            "lowerCamelCase or as below; - reads standard input; without it {}).\n\n"
            "  --server HOST:PORT      $WAYBILL_SERVER or 127.0.0.1:7400\n"
            "  --timeout SECONDS       10\n"
            "%s"
            "  --json                  one line, errors too on standard output\n\n"
            "Exit code: 0; 64 + the gRPC status code if the call failed (69 there is no such "
            "thing, 78\n"
            "no server answers); 2 for wrong arguments; 1 without memory.\n\n"
            "  waybill call GetStock '{\"sku\": \"MUG\"}'\n"
            "  waybill call ListOrders --json --server shop.example:7400 --tls\n"
            "  waybill call Reserve - < request.json\n\nMethods, with the fields of their "
            "requests ((stream): not by this command):\n",
            tls_flags_help);
    print_methods(out);
}

/* --- answers --- */

static void print_response(const struct call *call, const ProtobufCMessage *response,
                           struct buffer *out)
{
    struct error error = json_message_write(response, call->json ? 0 : 2, out);
    if (error_is(error))
        fprintf(stderr, "waybill call: the answer cannot be shown: %s\n", error.detail);
    else
        printf("%.*s\n", (int)out->size, out->data);
}

/* What a person can do about what has no answer of the service itself. */
static void advise(const struct call *call, const struct rpc_status *status)
{
    if (status->code == GRPC_STATUS_DEADLINE_EXCEEDED)
        fprintf(stderr, "  → ask again with the same id: nothing is done twice; --timeout SECONDS "
                        "waits longer\n");
    else if (status->code == GRPC_STATUS_UNIMPLEMENTED &&
             text_equals_string(status->message, "there is no such method here"))
        fprintf(stderr,
                "  → this process does not serve %s; --server HOST:PORT says where the one is "
                "that does\n",
                call->method.service->short_name);
    else if (status->details == NULL) /* of our own making */
        server_address_advise(status->message);
}

/* The ErrorInfo reason, or "". */
static const char *reason_of(const struct rpc_status *status, char *out, size_t size)
{
    out[0] = '\0';
    for (const struct rpc_detail *detail = status->details; detail != NULL; detail = detail->next) {
        if (strcmp(detail->type_name, "google.rpc.ErrorInfo") != 0)
            continue;
        Google__Rpc__ErrorInfo *info = google__rpc__error_info__unpack(
            NULL, detail->value.size, (const uint8_t *)detail->value.data);
        if (info == NULL)
            continue;
        snprintf(out, size, "%s", info->reason);
        google__rpc__error_info__free_unpacked(info, NULL);
    }
    return out;
}

/* Each detail as a JSON object on a line of its own, or as elements of an array. */
static void write_details(const struct rpc_status *status, const char *separator,
                          struct buffer *out)
{
    bool first = true;
    for (const struct rpc_detail *detail = status->details; detail != NULL; detail = detail->next) {
        const ProtobufCMessageDescriptor *type = json_message_type(text_of(detail->type_name));
        ProtobufCMessage *message =
            type == NULL ? NULL
                         : protobuf_c_message_unpack(type, NULL, detail->value.size,
                                                     (const uint8_t *)detail->value.data);
        size_t before = out->size;
        bool good = message != NULL && (first || buffer_append_string(out, separator)) &&
                    buffer_append_format(out, "{\"@type\":\"%s\",", detail->type_name);
        if (good) {
            size_t at = out->size;
            good = !error_is(json_message_write(message, 0, out));
            if (good && out->size == at + 2) { /* an empty message */
                out->size = at - 1;
                good = buffer_append_string(out, "}");
            } else if (good) { /* the message's own '{' goes, its fields stand behind "@type" */
                memmove(out->data + at, out->data + at + 1, out->size - at - 1);
                out->size--;
            }
        }
        if (good)
            first = false;
        else
            out->size = before;
        if (message != NULL)
            protobuf_c_message_free_unpacked(message, NULL);
    }
}

static void print_status(const struct call *call, const struct rpc_status *status,
                         struct buffer *out)
{
    char reason[128];
    reason_of(status, reason, sizeof reason);
    if (call->json) {
        struct buffer details;
        buffer_init(&details, json_bytes_max);
        write_details(status, ",", &details);
        printf("{\"code\":\"%s\",\"reason\":\"%s\",\"message\":", grpc_status_name(status->code),
               reason);
        putchar('"');
        for (size_t i = 0; i < status->message.size; i++) {
            char c = status->message.data[i];
            if (c == '"' || c == '\\')
                printf("\\%c", c);
            else if ((unsigned char)c < 0x20)
                printf("\\u%04x", (unsigned)c);
            else
                putchar(c);
        }
        printf("\",\"details\":[%.*s]}\n", (int)details.size, details.data);
        buffer_deinit(&details);
        return;
    }
    fprintf(stderr, "%s%s%s: %.*s\n", grpc_status_name(status->code), reason[0] == '\0' ? "" : " ",
            reason, (int)status->message.size, status->message.data);
    write_details(status, "\n  ", out);
    if (out->size > 0)
        fprintf(stderr, "  %.*s\n", (int)out->size, out->data);
    advise(call, status);
}

static void on_done(void *context, const struct rpc_client_result *result)
{
    struct call *call = context;
    struct buffer out;
    buffer_init(&out, json_bytes_max);
    if (result->response != NULL) {
        print_response(call, result->response, &out);
        call->exit_code = 0;
    } else {
        print_status(call, &result->status, &out);
        call->exit_code = exit_status_base + (int)result->status.code;
    }
    buffer_deinit(&out);
    rpc_client_close(call->client, NULL, NULL);
}

/* --- the call --- */

static int send_call(struct call *call, const ProtobufCMessage *request)
{
    uv_loop_t loop;
    char path[256];
    struct rpc_client_options options = rpc_client_options_default();
    options.server = call->server;
    options.tls = tls_flags_settings(&call->tls);
    snprintf(path, sizeof path, "/%s/%s", call->method.service->name, call->method.method->name);
    if (uv_loop_init(&loop) != 0) {
        fprintf(stderr, "waybill call: cannot make an event loop\n");
        return 1;
    }
    struct error error = rpc_client_create(&call->client, &loop, &options);
    if (error_is(error)) {
        fprintf(stderr, "waybill call: %s\n", error.detail);
        uv_loop_close(&loop);
        return exit_usage;
    }
    rpc_client_call(call->client, path, request, call->method.method->output,
                    (int64_t)(call->timeout_seconds * 1e6), on_done, call);
    uv_run(&loop, UV_RUN_DEFAULT);
    uv_loop_close(&loop);
    return call->exit_code;
}

static bool read_standard_input(struct buffer *json)
{
    char chunk[4096];
    size_t got;
    while ((got = fread(chunk, 1, sizeof chunk, stdin)) > 0) {
        if (!buffer_append(json, chunk, got))
            return false;
    }
    return !ferror(stdin);
}

static int read_and_send(struct call *call)
{
    struct buffer input;
    struct arena arena;
    ProtobufCMessage *request = NULL;
    int exit_code = exit_usage;
    buffer_init(&input, json_bytes_max);
    arena_init(&arena, request_memory_bytes_max);
    bool from_input = strcmp(call->request_json, "-") == 0;
    if (from_input && !read_standard_input(&input)) {
        fprintf(stderr, "waybill call: standard input cannot be read, or is too large\n");
        goto cleanup;
    }
    struct text json = from_input ? buffer_text(&input) : text_of(call->request_json);
    struct json_unknown unknown;
    struct error error =
        json_message_read_telling(json, call->method.method->input, &arena, &request, &unknown);
    if (error_is(error)) {
        fprintf(stderr, "waybill call: the request is no %s: %s",
                call->method.method->input->short_name, error.detail);
        request_hint_print(&unknown, stderr);
        goto cleanup;
    }
    exit_code = send_call(call, request);
cleanup:
    arena_deinit(&arena);
    buffer_deinit(&input);
    return exit_code;
}

/* --- arguments --- */

/* False: told what is wrong. */
static bool read_option(struct call *call, int argc, char **argv, int *at)
{
    const char *name = argv[*at];
    char *end;
    if (strcmp(name, "--json") == 0) {
        call->json = true;
        return true;
    }
    enum tls_flag tls = tls_flags_read(&call->tls, "call", argc, argv, at);
    if (tls != TLS_FLAG_OTHER)
        return tls == TLS_FLAG_TAKEN;
    bool known = strcmp(name, "--server") == 0 || strcmp(name, "--timeout") == 0;
    if (!known || *at + 1 >= argc) {
        fprintf(stderr, "waybill call: %s %s; `waybill call --help` explains\n", name,
                known ? "needs a value" : "is no option");
        return false;
    }
    const char *value = argv[++*at];
    if (strcmp(name, "--server") == 0) {
        call->server = value;
        return true;
    }
    call->timeout_seconds = strtod(value, &end);
    if (*end == '\0' && call->timeout_seconds > 0 && call->timeout_seconds <= 86400)
        return true;
    fprintf(stderr, "waybill call: --timeout takes seconds, more than 0 and at most 86400\n");
    return false;
}

static bool read_operand(struct call *call, const char *operand)
{
    if (call->method_name == NULL)
        call->method_name = operand;
    else if (call->request_json == NULL)
        call->request_json = operand;
    else
        fprintf(stderr, "waybill call: what is %s? The request is one argument: quote it\n",
                operand);
    return call->method_name == operand || call->request_json == operand;
}

static void tell_stream(const struct call *call)
{
    static const struct {
        const char *method;
        const char *advice;
    } others[] = {
        {"WatchOrder", "waybill watch --key ORDER_ID"},
        {"WatchStock", "waybill watch --key SKU"},
        {"WatchTracking", "waybill watch --key CARRIER/TRACKING_NUMBER"},
        {"Subscribe", "waybill watch"},
        {"RecordEvents", "waybill import tracking FILE, or RecordEvent for one"},
        {"ReserveStream", "waybill call Reserve for one"},
    };
    fprintf(stderr, "waybill call: %s is a stream; this command sends single calls\n",
            call->method_name);
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        if (strcmp(call->method.method->name, others[i].method) == 0)
            fprintf(stderr, "  → %s\n", others[i].advice);
    }
}

static bool choose_method(struct call *call)
{
    size_t fitting = known_method_find(text_of(call->method_name), &call->method);
    if (fitting == 1 && !known_method_is_stream(&call->method))
        return true;
    if (fitting == 1) {
        tell_stream(call);
        return false;
    }
    if (known_method_suggest(call->method_name, NULL) == 0) {
        fprintf(stderr, "waybill call: there is no method %s; `waybill call --help` lists them\n",
                call->method_name);
        return false;
    }
    fprintf(stderr,
            fitting > 1 ? "waybill call: several services have %s; name one: "
                        : "waybill call: there is no method %s; did you mean ",
            call->method_name);
    (void)known_method_suggest(call->method_name, stderr);
    fprintf(stderr, fitting > 1 ? "\n" : "?\n");
    return false;
}

int call_command(int argc, char **argv)
{
    struct call call = {.server = server_address_default(), .timeout_seconds = 10, .exit_code = 1};
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            print_help(stdout);
            return 0;
        }
        bool is_option = argv[i][0] == '-' && argv[i][1] != '\0';
        if (is_option ? !read_option(&call, argc, argv, &i) : !read_operand(&call, argv[i]))
            return exit_usage;
    }
    if (call.method_name == NULL) {
        print_help(stderr);
        return exit_usage;
    }
    if (call.request_json == NULL)
        call.request_json = "{}";
    if (!tls_flags_fit(&call.tls, "call") ||
        !server_address_check("call", "--server", call.server) || !choose_method(&call))
        return exit_usage;
    return read_and_send(&call);
}
