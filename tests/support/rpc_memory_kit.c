/*
 * Server and client share the loop of the server's only I/O thread, which is not started. A trial
 * is made of three calls: the one whose n-th allocation fails, the same once more, and, if its
 * connection was lost by the first, again. Where every later allocation fails, too, there may be
 * none to say so: then the deadline ends the call.
 */
#include "tests/support/rpc_memory_kit.h"

#include "platform/base/log.h"
#include "platform/base/memory.h"
#include "platform/http/http_loop.h"

#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    arena_bytes_max = 16 * 1024 * 1024,
    failures_max = 5000, /* of one kind of call; more means that the end is never reached */
    turns_to_rest = 4,
    path_bytes_max = 128,
    trials_max = 100,
    repeats_max = 4, /* of a call that follows a failed one */
};

static const uint64_t patience_ns = UINT64_C(60) * 1000000000;
static const int64_t dead_end_us = 30000; /* without any memory only the deadline ends a call */

void rpc_memory_kit_open(struct rpc_memory_kit *kit)
{
    const struct rpc_service *services[] = {&kit->service};
    struct rpc_server_options options = rpc_server_options_default();
    struct rpc_client_options client = rpc_client_options_default();
    options.http.listen = "127.0.0.1:0";
    options.http.threaded = false;
    options.http.drain_us_max = 2000000;
    options.http.idle_us_max = 0; /* however much time the test lets pass */
    options.http.age_us_max = 0;
    if (kit->clock != NULL)
        options.http.clock = kit->clock;
    options.http.peer_abuse_points_per_second = 0; /* connections are lost by the hundred */
    struct error error = rpc_server_open(&kit->server, &options, services, 1);
    assert_string_equal(error.detail, "");
    kit->loop = &http_server_loop(rpc_server_http(kit->server), 0)->io.loop;
    client.server = rpc_server_address(kit->server);
    client.attempts_max = 1;
    error = rpc_client_create(&kit->client, kit->loop, &client);
    assert_string_equal(error.detail, "");
}

static void on_client_closed(void *context)
{
    ((struct rpc_memory_kit *)context)->client_closed = true;
}

/* Where nothing is done on this thread, others want the processor meanwhile. */
static void turn(struct rpc_memory_kit *kit)
{
    uv_run(kit->loop, UV_RUN_NOWAIT);
    if (kit->work != NULL)
        kit->work(kit->context);
    else
        (void)sched_yield();
}

void rpc_memory_kit_run(struct rpc_memory_kit *kit)
{
    for (int i = 0; i < turns_to_rest; i++)
        turn(kit);
}

static void forget_answer(struct rpc_memory_kit *kit)
{
    if (kit->response != NULL)
        protobuf_c_message_free_unpacked(kit->response, NULL);
    kit->response = NULL;
}

void rpc_memory_kit_close(struct rpc_memory_kit *kit)
{
    forget_answer(kit);
    rpc_client_close(kit->client, on_client_closed, kit);
    while (!kit->client_closed)
        turn(kit);
    rpc_server_drain(kit->server);
    rpc_server_destroy(kit->server);
}

/* --- one call --- */

/* By the C library's heap: what fails is not to hit the test. */
static void keep_answer(struct rpc_memory_kit *kit, const ProtobufCMessage *message)
{
    size_t size = protobuf_c_message_get_packed_size(message);
    uint8_t *packed = malloc(size + 1);
    assert_non_null(packed);
    protobuf_c_message_pack(message, packed);
    forget_answer(kit);
    kit->response = protobuf_c_message_unpack(message->descriptor, NULL, size, packed);
    assert_non_null(kit->response);
    free(packed);
    kit->told++;
}

static void keep_status(struct rpc_memory_kit *kit, const struct rpc_status *status)
{
    kit->done = true;
    kit->status = status->code;
    snprintf(kit->message, sizeof kit->message, "%.*s", (int)status->message.size,
             status->message.size == 0 ? "" : status->message.data);
}

static void on_done(void *context, const struct rpc_client_result *result)
{
    if (result->response != NULL)
        keep_answer(context, result->response);
    keep_status(context, &result->status);
}

static void on_message(void *context, struct rpc_client_call *call, const ProtobufCMessage *message)
{
    (void)call;
    keep_answer(context, message);
}

static void on_closed(void *context, const struct rpc_status *status)
{
    struct rpc_memory_kit *kit = context;
    kit->stream = NULL;
    keep_status(kit, status);
}

static const ProtobufCMethodDescriptor *find_method(const struct rpc_service *service,
                                                    const char *name, enum rpc_kind *kind)
{
    for (size_t i = 0; i < service->method_count; i++) {
        if (strcmp(service->methods[i].name, name) == 0)
            *kind = service->methods[i].kind;
    }
    return protobuf_c_service_descriptor_get_method_by_name(service->descriptor, name);
}

static void begin_stream(struct rpc_memory_kit *kit, const char *path,
                         const ProtobufCMethodDescriptor *method, const ProtobufCMessage *request,
                         int64_t timeout_us)
{
    static const struct rpc_client_stream_handler handler = {.message = on_message,
                                                             .closed = on_closed};
    const struct rpc_client_call_options options = {.timeout_us = timeout_us};
    kit->stream =
        rpc_client_stream_open(kit->client, path, method->output, &options, &handler, kit);
    if (kit->stream == NULL) { /* it hears nothing more */
        kit->done = true;
        kit->status = GRPC_STATUS_RESOURCE_EXHAUSTED;
        return;
    }
    (void)rpc_client_stream_send(kit->stream, request);
    if (kit->stream != NULL)
        rpc_client_stream_finish(kit->stream);
}

static void begin(struct rpc_memory_kit *kit, const struct rpc_memory_trial *trial,
                  const ProtobufCMessage *request, int64_t timeout_us)
{
    char path[path_bytes_max];
    enum rpc_kind kind = RPC_UNARY;
    if (trial->begin != NULL) {
        trial->begin(kit, request);
        return;
    }
    const ProtobufCMethodDescriptor *method = find_method(&kit->service, trial->method, &kind);
    assert_non_null(method);
    snprintf(path, sizeof path, "/%s/%s", kit->service.descriptor->name, trial->method);
    if (kind == RPC_UNARY)
        rpc_client_call(kit->client, path, request, method->output, timeout_us, on_done, kit);
    else
        begin_stream(kit, path, method, request, timeout_us);
}

void rpc_memory_kit_done(struct rpc_memory_kit *kit, enum grpc_status status)
{
    kit->done = true;
    kit->status = status;
}

void rpc_memory_kit_call(struct rpc_memory_kit *kit, const struct rpc_memory_trial *trial,
                         const ProtobufCMessage *request, int64_t timeout_us)
{
    uint64_t until_ns = uv_hrtime() + patience_ns;
    forget_answer(kit);
    kit->done = false;
    kit->told = 0;
    kit->message[0] = '\0';
    begin(kit, trial, request, timeout_us);
    while (!kit->done) {
        if (uv_hrtime() > until_ns)
            fail_msg("%s: no answer", trial->name);
        turn(kit);
        if (trial->messages_until_cancelled > 0 && kit->stream != NULL &&
            kit->told >= trial->messages_until_cancelled)
            rpc_client_stream_cancel(kit->stream);
    }
}

/* --- every allocation --- */

static bool is_right(const struct rpc_memory_kit *kit, const struct rpc_memory_trial *trial)
{
    if (trial->done_before != GRPC_STATUS_OK && kit->status == trial->done_before)
        return true;
    if (kit->response != NULL && trial->says_not_done != NULL &&
        trial->says_not_done(kit->response))
        return false;
    if (trial->messages_until_cancelled > 0)
        return kit->told >= trial->messages_until_cancelled;
    return kit->status == trial->status &&
           (trial->status != GRPC_STATUS_OK || kit->told > 0 || trial->begin != NULL);
}

/* Refused for want of memory, or cut. */
static bool is_excused(const struct rpc_memory_kit *kit, const struct rpc_memory_trial *trial,
                       int repeat)
{
    if (kit->status == GRPC_STATUS_OK && kit->response != NULL && trial->says_not_done != NULL)
        return trial->says_not_done(kit->response);
    return kit->status == GRPC_STATUS_RESOURCE_EXHAUSTED ||
           kit->status == GRPC_STATUS_UNAVAILABLE || kit->status == GRPC_STATUS_INTERNAL ||
           (repeat != 0 && kit->status == GRPC_STATUS_DEADLINE_EXCEEDED);
}

static void fail_with(const struct rpc_memory_kit *kit, const struct rpc_memory_trial *trial,
                      uint64_t successes, int repeat, const char *when)
{
    fail_msg("%s, %s allocation %llu%s: %s: %s", trial->name, when, (unsigned long long)successes,
             repeat != 0 ? " and all later ones" : "", grpc_status_name(kit->status), kit->message);
}

/* The allocation after `successes` fails; whether there was one. */
static bool fail_one(struct rpc_memory_kit *kit, const struct rpc_memory_trial *trial,
                     unsigned number, uint64_t successes, int repeat)
{
    struct arena arena;
    arena_init(&arena, arena_bytes_max);
    const ProtobufCMessage *request = trial->make(kit->context, &arena, number);
    rpc_memory_kit_run(kit);
    uint64_t before = memory_allocation_count();
    memory_fail_after(successes, repeat);
    rpc_memory_kit_call(kit, trial, request, repeat != 0 ? dead_end_us : 0);
    rpc_memory_kit_run(kit);
    memory_fail_after(UINT64_MAX, 0);
    bool is_late = repeat != 0 && kit->status == GRPC_STATUS_DEADLINE_EXCEEDED;
    bool failed = memory_allocation_count() - before > successes || is_late;
    bool is_over = is_right(kit, trial);
    if (!is_over && !(failed && is_excused(kit, trial, repeat)))
        fail_with(kit, trial, successes, repeat, "at");
    for (int i = 0; i < repeats_max && (!is_over || i == 0); i++) {
        rpc_memory_kit_run(kit);
        if (trial->settle != NULL)
            trial->settle(kit->context, number);
        rpc_memory_kit_call(kit, trial, request, 0);
        is_over = is_right(kit, trial);
    }
    if (!is_over)
        fail_with(kit, trial, successes, repeat, "after");
    if (trial->check != NULL)
        trial->check(kit->context, number, kit->response);
    arena_deinit(&arena);
    return failed;
}

/* --- requests --- */

void *request_take(struct arena *arena, size_t size)
{
    void *memory = arena_allocate_zero(arena, 1, size);
    assert_non_null(memory);
    return memory;
}

char *request_string(struct arena *arena, const char *words)
{
    char *copy = arena_copy_string(arena, text_of(words));
    assert_non_null(copy);
    return copy;
}

void *request_message(struct arena *arena, const ProtobufCMessageDescriptor *descriptor)
{
    void *message = request_take(arena, descriptor->sizeof_message);
    protobuf_c_message_init(descriptor, message);
    return message;
}

/* --- the program --- */

/* Of the one program. */
static const struct rpc_memory_trial *all_trials;
static size_t trial_count;
static unsigned expected_failures;

static void fail_each_allocation(void **state)
{
    struct rpc_memory_kit *kit = *state;
    unsigned failures = 0;
    unsigned number = 0;
    for (int repeat = 0; repeat < 2; repeat++) {
        bool failed = true;
        for (uint64_t successes = 0; failed; successes++) {
            assert_true(successes < failures_max);
            failed = fail_one(kit, kit->trial, number++, successes, repeat);
            failures += failed;
        }
    }
    print_message("# %s: %u allocations failed\n", kit->trial->name, failures);
    assert_in_range(failures, expected_failures, UINT32_MAX);
}

static void every_method_has_its_trial(void **state)
{
    const struct rpc_service *service = &((struct rpc_memory_kit *)*state)->service;
    for (size_t i = 0; i < service->method_count; i++) {
        bool is_tried = false;
        for (size_t k = 0; k < trial_count; k++)
            is_tried = is_tried || (all_trials[k].method != NULL &&
                                    strcmp(service->methods[i].name, all_trials[k].method) == 0);
        if (!is_tried)
            fail_msg("nothing fails in %s", service->methods[i].name);
    }
}

int rpc_memory_kit_main(const char *name, const struct rpc_memory_trial *trials, size_t count,
                        unsigned failures_min, CMFixtureFunction set_up,
                        CMFixtureFunction tear_down)
{
    struct CMUnitTest tests[trials_max];
    assert_in_range(count, 1, trials_max - 1);
    (void)signal(SIGPIPE, SIG_IGN);
    log_configure(LOG_LEVEL_OFF, false);
    all_trials = trials;
    trial_count = count;
    expected_failures = failures_min;
    for (size_t i = 0; i <= count; i++)
        tests[i] = (struct CMUnitTest){
            .name = i == count ? "every_method_has_its_trial" : trials[i].name,
            .test_func = i == count ? every_method_has_its_trial : fail_each_allocation,
            .setup_func = set_up,
            .teardown_func = tear_down,
            .initial_state = (void *)(uintptr_t)&trials[i == count ? 0 : i]};
    return _cmocka_run_group_tests(name, tests, count + 1, NULL, NULL);
}
