/*
 * Goal: the contract of server.h and client.h where two of our own ends meet; what other clients
 * see is in tests/conformance. Method: server and client on one loop that the test itself runs, so
 * that every allocation of a call can be made to fail; the inventory's descriptor with handlers
 * that do as the SKU asked for says. With threads at last, for ThreadSanitizer.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "platform/base/log.h"
#include "platform/base/memory.h"
#include "platform/http/http_loop.h"
#include "platform/rpc/client.h"
#include "platform/rpc/server.h"
#include "waybill/inventory/v1/inventory.pb-c.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static const char get_stock_path[] = "/waybill.inventory.v1.InventoryService/GetStock";

/* --- a service that does as it is asked --- */

static struct rpc_call *kept; /* by "keep", to be answered later */

static void answer_stock(struct rpc_call *call, char *sku)
{
    Waybill__Inventory__V1__Stock stock = WAYBILL__INVENTORY__V1__STOCK__INIT;
    Waybill__Inventory__V1__GetStockResponse response =
        WAYBILL__INVENTORY__V1__GET_STOCK_RESPONSE__INIT;
    stock.sku = sku;
    response.stock = &stock;
    rpc_call_answer(call, &response.base);
}

static void get_stock(void *context, struct rpc_call *call, const ProtobufCMessage *message)
{
    const Waybill__Inventory__V1__GetStockRequest *request = (const void *)message;
    (void)context;
    if (strcmp(request->sku, "keep") == 0) {
        kept = call;
    } else if (strcmp(request->sku, "fail") == 0) {
        struct rpc_status status = rpc_status_make(rpc_call_arena(call), GRPC_STATUS_NOT_FOUND,
                                                   "SKU_NOT_FOUND", "nobody knows “%s”", "x");
        rpc_status_add_metadata(&status, "sku", text_of("fail"));
        rpc_call_fail(call, &status);
    } else {
        answer_stock(call, request->sku);
    }
}

static void refuse(void *context, struct rpc_call *call, const ProtobufCMessage *message)
{
    struct rpc_status status =
        rpc_status_make(rpc_call_arena(call), GRPC_STATUS_UNIMPLEMENTED, "", "not in this test");
    (void)context;
    (void)message;
    rpc_call_fail(call, &status);
}

static void refuse_stream(void *context, struct rpc_call *call, void **stream_context)
{
    *stream_context = NULL;
    refuse(context, call, NULL);
}

/* Every method the descriptor has: GetStock answers, the others refuse. */
enum { methods_max = 64, limits_max = 64 };
static struct rpc_method methods[methods_max];
static struct rpc_field_limit limits[limits_max];

static size_t limit_repeated_fields(const ProtobufCMessageDescriptor *message, size_t count)
{
    for (unsigned i = 0; i < message->n_fields; i++) {
        if (message->fields[i].label != PROTOBUF_C_LABEL_REPEATED)
            continue;
        assert_true(count < limits_max);
        limits[count++] = (struct rpc_field_limit){message, message->fields[i].name, 100};
    }
    return count;
}

static struct rpc_service service_of_this_test(void)
{
    static const struct rpc_stream_handler stream = {.opened = refuse_stream};
    const ProtobufCServiceDescriptor *descriptor =
        &waybill__inventory__v1__inventory_service__descriptor;
    size_t limit_count = 0;
    assert_true(descriptor->n_methods <= methods_max);
    for (unsigned i = 0; i < descriptor->n_methods; i++) {
        const char *name = descriptor->methods[i].name;
        bool unary = strcmp(name, "ReserveStream") != 0 && strcmp(name, "WatchStock") != 0;
        methods[i] = (struct rpc_method){.name = name};
        if (unary)
            methods[i].unary = strcmp(name, "GetStock") == 0 ? get_stock : refuse;
        else
            methods[i].stream = &stream;
        if (strcmp(name, "ReserveStream") == 0)
            methods[i].kind = RPC_BIDI_STREAM;
        else if (!unary)
            methods[i].kind = RPC_SERVER_STREAM;
        limit_count = limit_repeated_fields(descriptor->methods[i].input, limit_count);
    }
    return (struct rpc_service){
        .descriptor = descriptor,
        .methods = methods,
        .method_count = descriptor->n_methods,
        .field_limits = limits,
        .field_limit_count = limit_count,
    };
}

/* --- both ends on one loop --- */

struct fixture {
    struct rpc_server *server;
    struct rpc_client *client;
    uv_loop_t *loop;
    unsigned done;
    enum grpc_status status;
    char message[256];
    char detail[64]; /* the first detail's type */
    char sku[64];    /* of the answer */
    bool client_closed;
};

static struct rpc_server_options options_of_this_test(void)
{
    struct rpc_server_options options = rpc_server_options_default();
    options.http.listen = "127.0.0.1:0";
    options.http.threaded = false;
    options.http.drain_us_max = 2000000;
    options.message_bytes_max = 1000;
    return options;
}

static void open_client(struct fixture *fixture)
{
    struct rpc_client_options options = rpc_client_options_default();
    options.server = rpc_server_address(fixture->server);
    fixture->client_closed = false;
    struct error error = rpc_client_create(&fixture->client, fixture->loop, &options);
    assert_false(error_is(error));
}

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    struct rpc_server_options options = options_of_this_test();
    static struct rpc_service service;
    const struct rpc_service *services[] = {&service};
    service = service_of_this_test();
    kept = NULL;
    struct error error = rpc_server_open(&fixture->server, &options, services, 1);
    if (error_is(error))
        return -1;
    fixture->loop = &http_server_loop(rpc_server_http(fixture->server), 0)->io.loop;
    open_client(fixture);
    *state = fixture;
    return 0;
}

static void on_client_closed(void *context)
{
    ((struct fixture *)context)->client_closed = true;
}

static void close_client(struct fixture *fixture)
{
    if (fixture->client == NULL)
        return;
    rpc_client_close(fixture->client, on_client_closed, fixture);
    fixture->client = NULL;
    while (!fixture->client_closed)
        uv_run(fixture->loop, UV_RUN_ONCE);
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    close_client(fixture);
    if (kept != NULL)
        answer_stock(kept, "late");
    rpc_server_drain(fixture->server);
    rpc_server_destroy(fixture->server);
    free(fixture);
    return 0;
}

static void on_done(void *context, const struct rpc_client_result *result)
{
    struct fixture *fixture = context;
    const Waybill__Inventory__V1__GetStockResponse *response = (const void *)result->response;
    fixture->done++;
    fixture->status = result->status.code;
    snprintf(fixture->message, sizeof fixture->message, "%.*s", (int)result->status.message.size,
             result->status.message.size == 0 ? "" : result->status.message.data);
    snprintf(fixture->detail, sizeof fixture->detail, "%s",
             result->status.details == NULL ? "" : result->status.details->type_name);
    snprintf(fixture->sku, sizeof fixture->sku, "%s",
             response == NULL || response->stock == NULL ? "" : response->stock->sku);
}

static void begin(struct fixture *fixture, const char *path, char *sku, int64_t timeout_us)
{
    Waybill__Inventory__V1__GetStockRequest request =
        WAYBILL__INVENTORY__V1__GET_STOCK_REQUEST__INIT;
    request.sku = sku;
    rpc_client_call(fixture->client, path, &request.base,
                    &waybill__inventory__v1__get_stock_response__descriptor, timeout_us, on_done,
                    fixture);
}

static void run_until_done(struct fixture *fixture, unsigned done)
{
    while (fixture->done < done)
        uv_run(fixture->loop, UV_RUN_ONCE);
}

static void call(struct fixture *fixture, const char *path, char *sku, int64_t timeout_us)
{
    unsigned before = fixture->done;
    begin(fixture, path, sku, timeout_us);
    run_until_done(fixture, before + 1);
}

static void run_until_kept(struct fixture *fixture)
{
    while (kept == NULL)
        uv_run(fixture->loop, UV_RUN_ONCE);
}

/* --- calls --- */

static void answer_arrives(void **state)
{
    struct fixture *fixture = *state;
    call(fixture, get_stock_path, "A", 0);
    assert_int_equal(fixture->status, GRPC_STATUS_OK);
    assert_string_equal(fixture->sku, "A");
}

static void many_calls_at_once_each_get_their_answer(void **state)
{
    struct fixture *fixture = *state;
    for (int i = 0; i < 500; i++)
        begin(fixture, get_stock_path, i % 2 == 0 ? "A" : "fail", 0);
    run_until_done(fixture, 500);
    assert_int_equal(fixture->done, 500);
}

static void status_arrives_with_message_and_details(void **state)
{
    struct fixture *fixture = *state;
    call(fixture, get_stock_path, "fail", 0);
    assert_int_equal(fixture->status, GRPC_STATUS_NOT_FOUND);
    assert_string_equal(fixture->message, "nobody knows “x”");
    assert_string_equal(fixture->detail, "google.rpc.ErrorInfo");
}

static void unknown_method_is_unimplemented(void **state)
{
    struct fixture *fixture = *state;
    call(fixture, "/waybill.inventory.v1.InventoryService/Nothing", "A", 0);
    assert_int_equal(fixture->status, GRPC_STATUS_UNIMPLEMENTED);
    call(fixture, "/nobody.Service/GetStock", "A", 0);
    assert_int_equal(fixture->status, GRPC_STATUS_UNIMPLEMENTED);
}

static void message_beyond_the_limit_is_refused_and_the_next_one_is_taken(void **state)
{
    struct fixture *fixture = *state;
    char large[2000];
    memset(large, 'x', sizeof large - 1);
    large[sizeof large - 1] = '\0';
    call(fixture, get_stock_path, large, 0);
    assert_int_equal(fixture->status, GRPC_STATUS_RESOURCE_EXHAUSTED);
    call(fixture, get_stock_path, "A", 0);
    assert_int_equal(fixture->status, GRPC_STATUS_OK);
}

static void text_that_is_no_utf8_is_an_invalid_field(void **state)
{
    struct fixture *fixture = *state;
    call(fixture, get_stock_path, "\xC3(", 0);
    assert_int_equal(fixture->status, GRPC_STATUS_INVALID_ARGUMENT);
    assert_non_null(strstr(fixture->message, "sku"));
}

static void deadline_ends_a_call_whose_handler_is_silent_and_its_answer_is_harmless(void **state)
{
    struct fixture *fixture = *state;
    call(fixture, get_stock_path, "keep", 20000);
    assert_int_equal(fixture->status, GRPC_STATUS_DEADLINE_EXCEEDED);
    run_until_kept(fixture);
    answer_stock(kept, "late");
    kept = NULL;
    call(fixture, get_stock_path, "A", 0);
    assert_string_equal(fixture->sku, "A");
}

static void client_that_goes_leaves_a_handler_that_may_still_answer(void **state)
{
    struct fixture *fixture = *state;
    begin(fixture, get_stock_path, "keep", 0);
    run_until_kept(fixture);
    close_client(fixture);
    assert_int_equal(fixture->status, GRPC_STATUS_CANCELLED);
    for (int i = 0; i < 5; i++)
        uv_run(fixture->loop, UV_RUN_NOWAIT);
    answer_stock(kept, "late");
    kept = NULL;
    open_client(fixture);
    call(fixture, get_stock_path, "A", 0);
    assert_string_equal(fixture->sku, "A");
}

/* --- memory --- */

static void failed_allocation_costs_at_most_its_own_call(void **state)
{
    struct fixture *fixture = *state;
    uint64_t n = 0;
    bool failed = true;
    while (failed && n < 5000) {
        uint64_t before = memory_allocation_count();
        unsigned done = fixture->done;
        memory_fail_after(n, 0);
        begin(fixture, get_stock_path, n % 2 == 0 ? "A" : "fail", 5000000);
        run_until_done(fixture, done + 1);
        for (int i = 0; i < 3; i++)
            uv_run(fixture->loop, UV_RUN_NOWAIT);
        failed = memory_allocation_count() - before > n;
        memory_fail_after(UINT64_MAX, 0);
        call(fixture, get_stock_path, "A", 0);
        if (fixture->status != GRPC_STATUS_OK) /* a connection may have been lost: then a new one */
            call(fixture, get_stock_path, "A", 0);
        assert_int_equal(fixture->status, GRPC_STATUS_OK);
        n++;
    }
    assert_false(failed);
    assert_true(n > 3);
}

static void failed_allocation_at_connecting_is_told(void **state)
{
    struct fixture *fixture = *state;
    for (uint64_t n = 0; n < 120; n++) {
        unsigned done = fixture->done;
        close_client(fixture);
        open_client(fixture);
        memory_fail_after(n, 0);
        begin(fixture, get_stock_path, "A", 1000000);
        run_until_done(fixture, done + 1);
        memory_fail_after(UINT64_MAX, 0);
        assert_true(fixture->status == GRPC_STATUS_OK ||
                    fixture->status == GRPC_STATUS_UNAVAILABLE ||
                    fixture->status == GRPC_STATUS_RESOURCE_EXHAUSTED ||
                    fixture->status == GRPC_STATUS_INTERNAL);
    }
    close_client(fixture);
    open_client(fixture);
    call(fixture, get_stock_path, "A", 0);
    assert_int_equal(fixture->status, GRPC_STATUS_OK);
}

/* --- opening --- */

static struct error try_to_open(const struct rpc_service *service, const char *listen)
{
    struct rpc_server *server = NULL;
    struct rpc_server_options options = options_of_this_test();
    options.http.listen = listen;
    struct error error = rpc_server_open(&server, &options, &service, 1);
    if (!error_is(error)) {
        rpc_server_drain(server);
        rpc_server_destroy(server);
    }
    return error;
}

static void tables_with_a_gap_are_refused(void **state)
{
    (void)state;
    struct rpc_service service = service_of_this_test();
    service.method_count--;
    struct error error = try_to_open(&service, "127.0.0.1:0");
    assert_int_equal(error.code, ERROR_INVALID_SETTING);
    assert_non_null(strstr(error.detail, "VerifyLedger"));
    service = service_of_this_test();
    service.field_limit_count = 0;
    error = try_to_open(&service, "127.0.0.1:0");
    assert_int_equal(error.code, ERROR_INVALID_SETTING);
    assert_non_null(strstr(error.detail, "lines"));
}

static void addresses_that_cannot_be_listened_on_are_refused(void **state)
{
    struct fixture *fixture = *state;
    struct rpc_service service = service_of_this_test();
    struct error error = try_to_open(&service, "nowhere");
    assert_int_equal(error.code, ERROR_INVALID_SETTING);
    error = try_to_open(&service, "192.0.2.1:7400"); /* RFC 5737: nobody's */
    assert_int_equal(error.code, ERROR_NETWORK);
    assert_non_null(strstr(error.detail, "192.0.2.1:7400"));
    (void)fixture;
}

static void opening_survives_every_failed_allocation(void **state)
{
    (void)state;
    struct rpc_service service = service_of_this_test();
    bool failed = true;
    uint64_t n = 0;
    for (; failed && n < 10000; n++) {
        uint64_t before = memory_allocation_count();
        memory_fail_after(n, 0);
        struct error error = try_to_open(&service, "127.0.0.1:0");
        memory_fail_after(UINT64_MAX, 0);
        failed = memory_allocation_count() - before > n;
        assert_true(error.code == ERROR_NONE || error.code == ERROR_OUT_OF_MEMORY);
    }
    assert_false(failed);
    assert_true(n > 20);
}

/* --- threads --- */

enum { client_threads = 4, calls_each = 300 };

static void *call_from_a_thread(void *context)
{
    const char *address = context;
    struct fixture mine = {0};
    struct rpc_client_options options = rpc_client_options_default();
    uv_loop_t loop;
    options.server = address;
    uv_loop_init(&loop);
    mine.loop = &loop;
    struct error error = rpc_client_create(&mine.client, &loop, &options);
    for (int i = 0; !error_is(error) && i < calls_each; i++)
        begin(&mine, get_stock_path, "A", 0);
    while (!error_is(error) && mine.done < calls_each)
        uv_run(&loop, UV_RUN_ONCE);
    close_client(&mine);
    uv_run(&loop, UV_RUN_DEFAULT);
    uv_loop_close(&loop);
    return (void *)(uintptr_t)(mine.done == calls_each && mine.status == GRPC_STATUS_OK);
}

static void several_threads_serve_several_clients(void **state)
{
    struct rpc_server *server;
    struct rpc_server_options options = options_of_this_test();
    struct rpc_service service = service_of_this_test();
    const struct rpc_service *services[] = {&service};
    pthread_t threads[client_threads];
    char address[64];
    (void)state;
    options.http.threaded = true;
    options.http.io_threads = 3;
    assert_false(error_is(rpc_server_open(&server, &options, services, 1)));
    snprintf(address, sizeof address, "%s", rpc_server_address(server));
    for (int i = 0; i < client_threads; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, call_from_a_thread, address), 0);
    for (int i = 0; i < 20; i++)
        rpc_server_set_serving(server, "", i % 2 == 0);
    struct buffer metrics;
    buffer_init(&metrics, 1024 * 1024);
    assert_true(rpc_server_write_metrics(server, &metrics));
    buffer_deinit(&metrics);
    for (int i = 0; i < client_threads; i++) {
        void *good;
        pthread_join(threads[i], &good);
        assert_non_null(good);
    }
    rpc_server_drain(server);
    rpc_server_destroy(server);
}

int main(void)
{
    log_configure(LOG_LEVEL_OFF, false);
#define WITH_BOTH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        WITH_BOTH(answer_arrives),
        WITH_BOTH(many_calls_at_once_each_get_their_answer),
        WITH_BOTH(status_arrives_with_message_and_details),
        WITH_BOTH(unknown_method_is_unimplemented),
        WITH_BOTH(message_beyond_the_limit_is_refused_and_the_next_one_is_taken),
        WITH_BOTH(text_that_is_no_utf8_is_an_invalid_field),
        WITH_BOTH(deadline_ends_a_call_whose_handler_is_silent_and_its_answer_is_harmless),
        WITH_BOTH(client_that_goes_leaves_a_handler_that_may_still_answer),
        WITH_BOTH(failed_allocation_costs_at_most_its_own_call),
        WITH_BOTH(failed_allocation_at_connecting_is_told),
        cmocka_unit_test(tables_with_a_gap_are_refused),
        WITH_BOTH(addresses_that_cannot_be_listened_on_are_refused),
        cmocka_unit_test(opening_survives_every_failed_allocation),
        cmocka_unit_test(several_threads_serve_several_clients),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
