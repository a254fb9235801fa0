/*
 * Goal: a consumer that stores its place in its own step sees each event's effect exactly once,
 * whatever fails between read, handle and store, and is told when its place is of no use. Method:
 * an event log on the crash disk, a consumer that fails as the test says, a subscription stepped by
 * hand or on its thread.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "platform/base/log.h"
#include "platform/events/event_log.h"
#include "platform/events/event_subscription.h"
#include "tests/support/event_kit.h"
#include "tests/support/storage/crash_file_system.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { arena_bytes = 4 * 1024 * 1024, wait_rounds = 3000 };

/* The consumer's own store: its place and what the events did, changed in one step. */
struct consumer {
    pthread_mutex_t mutex;
    struct event_place place;
    uint64_t effects[1000];
    uint64_t calls;
    uint64_t fail_every; /* 0 = never; fails before, or after (odd calls) it stored */
    enum event_place_lost on_lost;
    unsigned lost;
};

struct world {
    struct crash_file_system *disk;
    struct event_log *log;
    struct arena arena;
    struct consumer consumer;
    struct event_subscription *subscription;
    uint64_t appended;
};

static void assert_good(struct error error)
{
    if (error_is(error))
        fail_msg("%s: %s", error_text(error.code), error.detail);
}

static struct error load(void *context, struct event_place *place)
{
    struct consumer *consumer = context;
    pthread_mutex_lock(&consumer->mutex);
    *place = consumer->place;
    pthread_mutex_unlock(&consumer->mutex);
    return error_none();
}

static struct error handle(void *context, const struct event_batch *batch,
                           const struct event_place *place)
{
    struct consumer *consumer = context;
    pthread_mutex_lock(&consumer->mutex);
    bool fails = consumer->fail_every > 0 && ++consumer->calls % consumer->fail_every == 0;
    bool fails_late = fails && consumer->calls % 2 == 1;
    if (!fails || fails_late) {
        for (size_t i = 0; i < batch->event_count; i++) {
            const struct event *event = &batch->events[i];
            bool is_new = strcmp(consumer->place.identity, place->identity) != 0 ||
                          event->sequence > consumer->place.position;
            consumer->effects[kit_event_number(event)] += is_new;
        }
        consumer->place = *place;
    }
    pthread_mutex_unlock(&consumer->mutex);
    return fails ? error_make(ERROR_STORE_UNAVAILABLE, "planted") : error_none();
}

static enum event_place_lost lost(void *context, const struct error *error)
{
    struct consumer *consumer = context;
    assert_int_equal(error->code, ERROR_CURSOR_EXPIRED);
    consumer->lost++;
    return consumer->on_lost;
}

static void open_log(struct world *world)
{
    struct event_log_options options = event_log_options_default();
    options.directory = "events";
    options.source = "test";
    options.file_system = crash_file_system_port(world->disk);
    options.segment_bytes = 4 * 1024 * 1024;
    options.background_prepare = false;
    assert_good(event_log_open(&world->log, &options));
}

static void begin(struct world *world)
{
    *world = (struct world){.disk = crash_file_system_create(1)};
    arena_init(&world->arena, arena_bytes);
    pthread_mutex_init(&world->consumer.mutex, NULL);
    open_log(world);
}

static void end(struct world *world)
{
    event_subscription_stop(world->subscription);
    event_log_close(world->log);
    arena_deinit(&world->arena);
    pthread_mutex_destroy(&world->consumer.mutex);
    crash_file_system_destroy(world->disk);
}

static void append(struct world *world, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        size_t appended;
        arena_reset(&world->arena);
        struct event event = kit_event(&world->arena, world->appended);
        assert_good(event_sink_append(event_log_sink(world->log), &event, 1, &appended));
        world->appended++;
    }
}

static void subscribe(struct world *world, bool threaded, bool from_present)
{
    struct event_subscription_options options = event_subscription_options_default();
    options.name = "test";
    options.feed = event_log_feed(world->log);
    options.consumer = (struct event_consumer){load, handle, lost, &world->consumer};
    options.batch_events_max = 7;
    options.retry_us_min = 1000;
    options.retry_us_max = 4000;
    options.threaded = threaded;
    options.from_present = from_present;
    assert_good(event_subscription_start(&world->subscription, &options));
}

static void step_until_idle(struct world *world)
{
    bool idle = false;
    while (!idle) {
        struct error error = event_subscription_step(world->subscription, &idle);
        if (error_is(error))
            idle = false;
    }
}

static void assert_effects_once(struct world *world, uint64_t from)
{
    for (uint64_t i = 0; i < world->appended; i++)
        assert_int_equal(world->consumer.effects[i], i >= from ? 1 : 0);
}

static void every_event_has_its_effect_once(void **state)
{
    (void)state;
    struct world world;
    begin(&world);
    append(&world, 50);
    world.consumer.fail_every = 3;
    subscribe(&world, false, false);
    step_until_idle(&world);
    /* The process starts anew, with the place as the consumer stored it. */
    event_subscription_stop(world.subscription);
    append(&world, 50);
    subscribe(&world, false, false);
    step_until_idle(&world);
    assert_effects_once(&world, 0);
    struct event_subscription_status status = event_subscription_status(world.subscription);
    assert_int_equal(status.place.position, 100);
    assert_int_equal(status.newest, 100);
    assert_true(status.failures > 0);
    end(&world);
}

static void a_new_consumer_may_begin_with_the_present(void **state)
{
    (void)state;
    struct world world;
    begin(&world);
    append(&world, 10);
    subscribe(&world, false, true);
    step_until_idle(&world);
    append(&world, 10);
    step_until_idle(&world);
    assert_effects_once(&world, 10);
    end(&world);
}

static void another_log_stops_or_starts_over_as_the_consumer_says(void **state)
{
    (void)state;
    struct world world;
    bool idle;
    begin(&world);
    append(&world, 10);
    snprintf(world.consumer.place.identity, sizeof world.consumer.place.identity, "elsewhere");
    world.consumer.place.position = 5;
    world.consumer.on_lost = EVENT_PLACE_STOP;
    subscribe(&world, false, false);
    assert_int_equal(event_subscription_step(world.subscription, &idle).code, ERROR_CURSOR_EXPIRED);
    assert_true(event_subscription_status(world.subscription).stopped);
    assert_int_equal(world.consumer.lost, 1);
    event_subscription_stop(world.subscription);
    world.consumer.on_lost = EVENT_PLACE_OLDEST;
    subscribe(&world, false, false);
    step_until_idle(&world);
    assert_int_equal(world.consumer.lost, 2);
    assert_effects_once(&world, 0);
    end(&world);
}

static void on_its_thread_it_follows_the_log(void **state)
{
    (void)state;
    struct world world;
    begin(&world);
    world.consumer.fail_every = 4;
    subscribe(&world, true, false);
    for (int i = 0; i < 30; i++)
        append(&world, 10);
    bool done = false;
    for (int i = 0; i < wait_rounds && !done; i++) {
        done = event_subscription_status(world.subscription).place.position == world.appended;
        usleep(10000);
    }
    assert_true(done);
    event_subscription_stop(world.subscription);
    world.subscription = NULL;
    assert_effects_once(&world, 0);
    end(&world);
}

int main(void)
{
    log_configure(LOG_LEVEL_OFF, false);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_event_has_its_effect_once),
        cmocka_unit_test(a_new_consumer_may_begin_with_the_present),
        cmocka_unit_test(another_log_stops_or_starts_over_as_the_consumer_says),
        cmocka_unit_test(on_its_thread_it_follows_the_log),
    };
    return cmocka_run_group_tests_name("event_subscription", tests, NULL, NULL);
}
