/*
 * Goal: a feed in another process is read like one here: everything behind a place once, in order,
 * also when the server goes away and comes back; a place that is of no use is told. Method: a real
 * server on loopback over an event log on the crash disk, stopped and started again on its port.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "events/interfaces/client/remote_event_feed.h"
#include "events/interfaces/rpc/events_rpc.h"
#include "platform/base/log.h"
#include "platform/events/event_log.h"
#include "tests/support/event_kit.h"
#include "tests/support/storage/crash_file_system.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { arena_bytes = 8 * 1024 * 1024, wait_rounds = 6000 };

static const char *const type_names[] = {"waybill.test.v1.SomethingHappened"};

struct world {
    struct crash_file_system *disk;
    struct event_log *log;
    struct events_service *service;
    struct rpc_server *server;
    char address[64];
    struct arena arena;
    struct arena reading;
    uint64_t appended;
    struct remote_event_feed *remote;
    struct event_feed *feed;
};

static void assert_good(struct error error)
{
    if (error_is(error))
        fail_msg("%s: %s", error_text(error.code), error.detail);
}

static void start_server(struct world *world)
{
    struct event_log_options log_options = event_log_options_default();
    log_options.directory = "events";
    log_options.source = "test";
    log_options.file_system = crash_file_system_port(world->disk);
    log_options.segment_bytes = 4 * 1024 * 1024;
    log_options.background_prepare = false;
    assert_good(event_log_open(&world->log, &log_options));
    struct event_feed *feed = event_log_feed(world->log);
    struct events_service_options options = {
        .feeds = &feed,
        .feed_count = 1,
        .types = {type_names, 1},
        .clock = clock_system(),
        .subscribers_max = 10,
        .slow_us = 60000000,
    };
    assert_good(events_service_open(&world->service, &options));
    struct rpc_server_options server_options = rpc_server_options_default();
    const struct rpc_service *services[] = {events_service_rpc(world->service)};
    server_options.http.listen = world->address[0] == '\0' ? "127.0.0.1:0" : world->address;
    server_options.http.io_threads = 1;
    server_options.http.drain_us_max = 1000000;
    struct error error = error_none();
    for (int i = 0; i < 100; i++) { /* the port may still be let go of */
        error = rpc_server_open(&world->server, &server_options, services, 1);
        if (!error_is(error))
            break;
        usleep(50000);
    }
    assert_good(error);
    snprintf(world->address, sizeof world->address, "%s", rpc_server_address(world->server));
}

static void stop_server(struct world *world)
{
    events_service_stop(world->service);
    rpc_server_drain(world->server);
    events_service_close(world->service);
    rpc_server_destroy(world->server);
    event_log_close(world->log);
}

static int set_up(void **state)
{
    struct world *world = calloc(1, sizeof *world);
    struct remote_event_feed_options options = remote_event_feed_options_default();
    world->disk = crash_file_system_create(1);
    arena_init(&world->arena, arena_bytes);
    arena_init(&world->reading, arena_bytes);
    start_server(world);
    options.source = "test";
    options.server = world->address;
    options.types = type_names;
    options.type_count = 1;
    options.events_max = 20;
    assert_good(remote_event_feed_open(&world->remote, &options));
    world->feed = remote_event_feed_port(world->remote);
    *state = world;
    return 0;
}

static int tear_down(void **state)
{
    struct world *world = *state;
    remote_event_feed_close(world->remote);
    stop_server(world);
    crash_file_system_destroy(world->disk);
    arena_deinit(&world->arena);
    arena_deinit(&world->reading);
    free(world);
    return 0;
}

static void append(struct world *world, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++) {
        size_t appended;
        arena_reset(&world->arena);
        struct event event = kit_event(&world->arena, world->appended);
        assert_good(event_sink_append(event_log_sink(world->log), &event, 1, &appended));
        world->appended++;
    }
}

/* Reads until `count` events have come behind `after`; gives the place behind them. */
static uint64_t read_events(struct world *world, uint64_t after, uint64_t count)
{
    uint64_t until = after + count;
    for (int i = 0; i < wait_rounds && after < until; i++) {
        struct event_batch batch;
        arena_reset(&world->reading);
        struct error error = event_feed_read(world->feed, after, 7, &world->reading, &batch);
        if (error.code == ERROR_NETWORK) {
            usleep(10000);
            continue;
        }
        assert_good(error);
        for (size_t j = 0; j < batch.event_count; j++) {
            after++;
            assert_int_equal(batch.events[j].sequence, after);
            assert_int_equal(kit_event_number(&batch.events[j]), after - 1);
        }
        if (batch.event_count == 0)
            usleep(10000);
    }
    assert_int_equal(after, until);
    return after;
}

static void everything_comes_once_from_any_place(void **state)
{
    struct world *world = *state;
    append(world, 100);
    uint64_t place = read_events(world, 0, 100);
    append(world, 50);
    read_events(world, place, 50);
    read_events(world, 33, 117); /* back to an earlier place */
    assert_int_equal(strlen(event_feed_identity(world->feed)), 16);
    assert_int_equal(event_feed_newest(world->feed), 150);
}

static void it_goes_on_when_the_server_comes_back(void **state)
{
    struct world *world = *state;
    append(world, 30);
    uint64_t place = read_events(world, 0, 30);
    append(world, 10);
    stop_server(world);
    start_server(world);
    append(world, 10);
    read_events(world, place, 20);
}

static void a_place_beyond_the_end_has_expired(void **state)
{
    struct world *world = *state;
    struct event_batch batch;
    append(world, 5);
    read_events(world, 0, 5);
    struct error error = error_none();
    for (int i = 0; i < wait_rounds && !error_is(error); i++) {
        arena_reset(&world->reading);
        error = event_feed_read(world->feed, 77, 7, &world->reading, &batch);
        usleep(1000);
    }
    assert_int_equal(error.code, ERROR_CURSOR_EXPIRED);
    read_events(world, 2, 3);
}

static void another_log_is_noticed(void **state)
{
    struct world *world = *state;
    struct event_batch batch;
    append(world, 5);
    uint64_t place = read_events(world, 0, 5);
    stop_server(world);
    crash_file_system_destroy(world->disk);
    world->disk = crash_file_system_create(2);
    world->appended = 0;
    start_server(world);
    append(world, 9);
    struct error error = error_none();
    for (int i = 0; i < wait_rounds && !error_is(error); i++) {
        arena_reset(&world->reading);
        error = event_feed_read(world->feed, place, 7, &world->reading, &batch);
        assert_true(error_is(error) || batch.event_count == 0);
        usleep(10000);
    }
    assert_int_equal(error.code, ERROR_CURSOR_EXPIRED);
}

int main(void)
{
    log_configure(LOG_LEVEL_OFF, false);
#define BEHAVIOUR(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        BEHAVIOUR(everything_comes_once_from_any_place),
        BEHAVIOUR(it_goes_on_when_the_server_comes_back),
        BEHAVIOUR(a_place_beyond_the_end_has_expired),
        BEHAVIOUR(another_log_is_noticed),
    };
    return cmocka_run_group_tests_name("remote_event_feed", tests, NULL, NULL);
}
