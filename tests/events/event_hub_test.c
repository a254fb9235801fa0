/*
 * Goal: each of many subscribers, wherever it begins and however slowly it takes, gets every event
 * behind its place once, in order; joining and leaving at any moment harms nobody. Method: real
 * threads on an event log on the crash disk; subscribers whose owner threads resume, leave and come
 * again by chance.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "platform/base/log.h"
#include "platform/base/random.h"
#include "platform/events/event_hub.h"
#include "platform/events/event_log.h"
#include "tests/support/event_kit.h"
#include "tests/support/storage/crash_file_system.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { subscriber_count = 40, event_count = 1500, hand_max = 5, wait_rounds = 6000 };

struct follower {
    struct event_hub_subscriber subscriber;
    struct event_hub *hub;
    struct random_seeded random;
    uint64_t after; /* began here */
    uint64_t taken;
    size_t hand;
    bool is_wrong;
    pthread_mutex_t mutex; /* guards all below */
    pthread_cond_t changed;
    bool is_back;
    enum event_hub_return reason;
    bool is_done;
};

struct world {
    struct crash_file_system *disk;
    struct event_log *log;
    struct arena arena;
    struct event_hub *hub;
    uint64_t appended;
    unsigned ticks;
};

static uint64_t seed;

static void assert_good(struct error error)
{
    if (error_is(error))
        fail_msg("%s: %s (seed %llu)", error_text(error.code), error.detail,
                 (unsigned long long)seed);
}

static enum event_hub_take take(struct event_hub_subscriber *subscriber, size_t feed,
                                const struct event *event)
{
    struct follower *follower = (struct follower *)subscriber;
    if (follower->hand == hand_max)
        return EVENT_HUB_FULL;
    follower->is_wrong |= feed != 0 || event->sequence != follower->after + follower->taken + 1 ||
                          kit_event_number(event) + 1 != event->sequence ||
                          subscriber->positions[0] != event->sequence;
    follower->taken++;
    follower->hand++;
    return EVENT_HUB_TAKEN;
}

static void returned(struct event_hub_subscriber *subscriber, enum event_hub_return reason,
                     const struct error *error)
{
    struct follower *follower = (struct follower *)subscriber;
    (void)error;
    pthread_mutex_lock(&follower->mutex);
    follower->is_back = true;
    follower->reason = reason;
    pthread_cond_signal(&follower->changed);
    pthread_mutex_unlock(&follower->mutex);
}

static const struct event_hub_subscriber_table table = {.take = take, .returned = returned};

static void wait_until_back(struct follower *follower)
{
    pthread_mutex_lock(&follower->mutex);
    while (!follower->is_back)
        pthread_cond_wait(&follower->changed, &follower->mutex);
    follower->is_back = false;
    pthread_mutex_unlock(&follower->mutex);
}

/* An owner: deals with what came, sometimes slowly, sometimes leaves and comes again. */
static void *follow(void *context)
{
    struct follower *follower = context;
    if (!event_hub_add(follower->hub, &follower->subscriber)) {
        follower->is_wrong = true;
        return NULL;
    }
    for (;;) { /* it is the hub's */
        uint64_t chance = random_below(&follower->random.base, 20);
        if (chance == 0 && event_hub_remove(follower->hub, &follower->subscriber)) {
            event_hub_leave(follower->hub);
            if (event_hub_add(follower->hub, &follower->subscriber))
                continue;
            follower->is_wrong = true;
            return NULL;
        }
        wait_until_back(follower);
        if (chance == 1)
            usleep(2000);
        follower->hand = 0;
        if (follower->is_wrong || follower->after + follower->taken == event_count)
            break;
        event_hub_resume(follower->hub, &follower->subscriber);
    }
    event_hub_leave(follower->hub);
    return NULL;
}

static void tick(void *context)
{
    __atomic_fetch_add((unsigned *)context, 1, __ATOMIC_RELAXED);
}

static void begin(struct world *world)
{
    struct event_log_options options = event_log_options_default();
    *world = (struct world){.disk = crash_file_system_create(seed)};
    arena_init(&world->arena, 4 * 1024 * 1024);
    options.directory = "events";
    options.source = "test";
    options.file_system = crash_file_system_port(world->disk);
    options.segment_bytes = 4 * 1024 * 1024;
    options.background_prepare = false;
    assert_good(event_log_open(&world->log, &options));
    struct event_feed *feed = event_log_feed(world->log);
    struct event_hub_options hub_options = event_hub_options_default();
    hub_options.feeds = &feed;
    hub_options.feed_count = 1;
    hub_options.thread_count = 3;
    hub_options.kept_batches_max = 4;
    hub_options.turn_events_max = 64;
    hub_options.gather_us = 200;
    hub_options.tick = tick;
    hub_options.tick_context = &world->ticks;
    hub_options.subscribers_max = subscriber_count;
    assert_good(event_hub_open(&world->hub, &hub_options));
}

static void end(struct world *world)
{
    event_hub_stop(world->hub);
    event_hub_close(world->hub);
    event_log_close(world->log);
    arena_deinit(&world->arena);
    crash_file_system_destroy(world->disk);
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

static void follower_init(struct follower *follower, struct event_hub *hub, uint64_t after,
                          uint64_t number)
{
    *follower = (struct follower){.hub = hub, .after = after};
    follower->subscriber.table = &table;
    follower->subscriber.positions[0] = after;
    follower->subscriber.wants[0] = true;
    random_seeded_init(&follower->random, seed + number);
    pthread_mutex_init(&follower->mutex, NULL);
    pthread_cond_init(&follower->changed, NULL);
}

static void follower_deinit(struct follower *follower)
{
    pthread_mutex_destroy(&follower->mutex);
    pthread_cond_destroy(&follower->changed);
}

static void many_subscribers_each_get_everything_behind_their_place(void **state)
{
    (void)state;
    struct world world;
    struct follower *followers = calloc(subscriber_count, sizeof *followers);
    pthread_t threads[subscriber_count];
    begin(&world);
    append(&world, 300);
    for (size_t i = 0; i < subscriber_count; i++) {
        follower_init(&followers[i], world.hub, i * 7, i);
        assert_int_equal(pthread_create(&threads[i], NULL, follow, &followers[i]), 0);
    }
    while (world.appended < event_count)
        append(&world, 1 + world.appended % 9 < event_count - world.appended
                           ? 1 + world.appended % 9
                           : event_count - world.appended);
    for (size_t i = 0; i < subscriber_count; i++)
        pthread_join(threads[i], NULL);
    for (size_t i = 0; i < subscriber_count; i++) {
        assert_false(followers[i].is_wrong);
        assert_int_equal(followers[i].after + followers[i].taken, event_count);
        follower_deinit(&followers[i]);
    }
    struct event_hub_usage usage = event_hub_usage(world.hub);
    assert_int_equal(usage.subscribers, 0);
    assert_true(usage.delivered >= subscriber_count * (uint64_t)(event_count - 300));
    end(&world);
    free(followers);
}

static void the_end_sends_everybody_back(void **state)
{
    (void)state;
    struct world world;
    struct follower followers[3];
    begin(&world);
    for (size_t i = 0; i < 3; i++) {
        follower_init(&followers[i], world.hub, 0, i);
        assert_true(event_hub_add(world.hub, &followers[i].subscriber));
    }
    event_hub_stop(world.hub);
    for (size_t i = 0; i < 3; i++) {
        wait_until_back(&followers[i]);
        assert_int_equal(followers[i].reason, EVENT_HUB_STOPPING);
        event_hub_leave(world.hub);
        follower_deinit(&followers[i]);
    }
    struct follower late;
    follower_init(&late, world.hub, 0, 9);
    assert_false(event_hub_add(world.hub, &late.subscriber));
    follower_deinit(&late);
    end(&world);
}

static void one_too_many_is_refused_and_one_too_far_back_is_told(void **state)
{
    (void)state;
    struct world world;
    struct follower followers[subscriber_count + 1];
    begin(&world);
    for (size_t i = 0; i < subscriber_count; i++) {
        follower_init(&followers[i], world.hub, i == 0 ? 77 : 0, i); /* 77 is beyond the end */
        assert_true(event_hub_add(world.hub, &followers[i].subscriber));
    }
    follower_init(&followers[subscriber_count], world.hub, 0, 99);
    assert_false(event_hub_add(world.hub, &followers[subscriber_count].subscriber));
    wait_until_back(&followers[0]);
    assert_int_equal(followers[0].reason, EVENT_HUB_FAILED);
    event_hub_leave(world.hub);
    for (size_t i = 1; i < subscriber_count; i++) {
        if (!event_hub_remove(world.hub, &followers[i].subscriber))
            wait_until_back(&followers[i]);
        event_hub_leave(world.hub);
    }
    for (size_t i = 0; i <= subscriber_count; i++)
        follower_deinit(&followers[i]);
    end(&world);
}

int main(void)
{
    const char *text = getenv("WAYBILL_SEED");
    seed = text == NULL ? 20261125 : strtoull(text, NULL, 10);
    print_message("# seed %llu; WAYBILL_SEED replays another\n", (unsigned long long)seed);
    log_configure(LOG_LEVEL_OFF, false);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(many_subscribers_each_get_everything_behind_their_place),
        cmocka_unit_test(the_end_sends_everybody_back),
        cmocka_unit_test(one_too_many_is_refused_and_one_too_far_back_is_told),
    };
    return cmocka_run_group_tests_name("event_hub", tests, NULL, NULL);
}
