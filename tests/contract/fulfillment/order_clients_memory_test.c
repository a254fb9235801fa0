/*
 * Goal: whatever allocation of a call of another service fails, from the order to the answer, the
 * call is answered once, as one that may or may not have been done (RELIABILITY row 9): it is made
 * again, never guessed, and never the end of the process.
 *
 * Method: the real clients on the test's loop, against a server on a thread of its own that has
 * none of the services; all kinds of calls, every n-th allocation failing. (Where all later ones
 * fail, too, only the deadline ends a call.)
 */
#include "fulfillment/interfaces/client/order_clients.h"
#include "platform/base/check.h"
#include "platform/base/memory.h"
#include "platform/rpc/server.h"
#include "tests/support/fulfillment/order_world.h"

#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <uv.h>

enum { arena_bytes_max = 16 * 1024 * 1024, failures_max = 2000 };

struct fixture {
    struct rpc_server *server;
    uv_loop_t loop;
    struct order_clients *clients;
    struct arena order_arena;
    struct order *order;
    bool is_answered;
    bool is_closed;
};

static void closed(void *context)
{
    ((struct fixture *)context)->is_closed = true;
}

/* An order as it is when all kinds of calls are made for it. */
static struct order *make_order(struct arena *arena)
{
    struct order *order = order_world_order(arena, "o1");
    order->parts = arena_allocate_zero(arena, 1, sizeof *order->parts);
    order->part_count = 1;
    struct order_part *part = &order->parts[0];
    part->warehouse_id = text_of("W1");
    part->lines = arena_allocate_zero(arena, 1, sizeof *part->lines);
    part->lines[0] = (struct order_part_line){.sku = text_of("A"), .quantity = 2};
    part->line_count = 1;
    part->origin = (struct order_address){.city = text_of("Bonn"), .country_code = text_of("DE")};
    part->carrier = text_of("c1");
    part->service_code = text_of("S");
    part->parcels = arena_allocate_zero(arena, 1, sizeof *part->parcels);
    part->parcels[0].tracking_number = text_of("N1");
    part->parcel_count = 1;
    order->hold_until_us = INT64_C(1900000000000000);
    return order;
}

static int set_up(void **state)
{
    static struct fixture fixture;
    fixture = (struct fixture){0};
    struct rpc_server_options server = rpc_server_options_default();
    server.http.listen = "127.0.0.1:0";
    server.http.io_threads = 1;
    server.http.drain_us_max = 1000000;
    server.own_reasons = true;
    CHECK(!error_is(rpc_server_open(&fixture.server, &server, NULL, 0)));
    CHECK(uv_loop_init(&fixture.loop) == 0);
    const struct order_clients_options options = {.loop = &fixture.loop,
                                                  .connect = rpc_server_connect_local,
                                                  .connect_context = fixture.server,
                                                  .parcel_grams_max = 70000,
                                                  .calls_max = 16,
                                                  .clock = clock_system(),
                                                  .random = random_system()};
    CHECK(!error_is(order_clients_open(&fixture.clients, &options)));
    arena_init(&fixture.order_arena, arena_bytes_max);
    fixture.order = make_order(&fixture.order_arena);
    *state = &fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    order_clients_close(fixture->clients, closed, fixture);
    while (!fixture->is_closed)
        uv_run(&fixture->loop, UV_RUN_ONCE);
    order_clients_destroy(fixture->clients);
    uv_run(&fixture->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&fixture->loop), 0);
    rpc_server_drain(fixture->server);
    rpc_server_destroy(fixture->server);
    arena_deinit(&fixture->order_arena);
    return 0;
}

static void answered(struct order_call *call)
{
    struct fixture *fixture = call->context;
    assert_false(fixture->is_answered); /* once */
    fixture->is_answered = true;
}

/* One call with the allocation after `successes` failing; whether one did. */
static bool call_once(struct fixture *fixture, enum order_call_kind kind, uint64_t successes)
{
    struct arena arena;
    struct order_call call = {.kind = kind, .order = fixture->order, .arena = &arena};
    arena_init(&arena, arena_bytes_max);
    fixture->is_answered = false;
    uint64_t before = memory_allocation_count();
    memory_fail_after(successes, 0);
    order_services_call(order_clients_port(fixture->clients), &call, answered, fixture);
    assert_false(fixture->is_answered); /* never before it returned */
    while (!fixture->is_answered) {     /* never blocks: the answer may come from a timer */
        uv_run(&fixture->loop, UV_RUN_NOWAIT);
        (void)sched_yield();
    }
    memory_fail_after(UINT64_MAX, 0);
    bool failed = memory_allocation_count() - before > successes;
    assert_int_equal(call.outcome, CALL_UNAVAILABLE);
    assert_int_equal(call.refusal.kind, REFUSAL_UNAVAILABLE);
    arena_deinit(&arena);
    return failed;
}

static void a_call_without_memory_is_answered_as_not_known(void **state)
{
    struct fixture *fixture = *state;
    unsigned failures = 0;
    for (int kind = CALL_GET_ITEM; kind < order_call_kind_count; kind++) {
        bool failed = true;
        for (uint64_t successes = 0; failed; successes++) {
            assert_true(successes < failures_max);
            failed = call_once(fixture, (enum order_call_kind)kind, successes);
            failures += failed;
            (void)call_once(fixture, (enum order_call_kind)kind, UINT64_MAX);
        }
    }
    print_message("# %u allocations failed\n", failures);
    assert_true(failures > 5 * (order_call_kind_count - 1));
}

int main(void)
{
    (void)signal(SIGPIPE, SIG_IGN); /* as every program of ours does */
    const struct CMUnitTest tests[] = {cmocka_unit_test_setup_teardown(
        a_call_without_memory_is_answered_as_not_known, set_up, tear_down)};
    return cmocka_run_group_tests_name("order_clients_memory", tests, NULL, NULL);
}
