/*
 * How fast events get through: into the outbox (500 a transaction), by the relay into the log, out
 * of it by one reader, and to many subscribers at once.
 *
 *     event_load sqlite:FILE|postgresql://… LOG_DIR [EVENTS] [SUBSCRIBERS]
 *
 * The database's context is "test"; its tables are made here. One line a stage; every stage checks
 * that it saw all.
 */
#include "platform/base/log.h"
#include "platform/events/event_hub.h"
#include "platform/events/event_log.h"
#include "platform/events/event_relay.h"
#include "tests/support/event_kit.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { events_a_transaction = 500, arena_bytes = 64 * 1024 * 1024, hand_max = 32 };

static const char sqlite_tables[] =
    "CREATE TABLE test_outbox (outbox_id INTEGER PRIMARY KEY AUTOINCREMENT, event_id TEXT NOT NULL,"
    " event_type TEXT NOT NULL, event_key TEXT NOT NULL, time_us INTEGER NOT NULL,"
    " data BLOB NOT NULL) STRICT;"
    "CREATE TABLE test_relay (relay_id INTEGER PRIMARY KEY CHECK (relay_id = 1),"
    " holder TEXT NOT NULL, lease_until_us INTEGER NOT NULL, sink TEXT NOT NULL) STRICT;"
    "INSERT INTO test_relay (relay_id, holder, lease_until_us, sink) VALUES (1, '', 0, '')";
static const char postgresql_tables[] =
    "CREATE TABLE test_outbox (outbox_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,"
    " transaction_id xid8 NOT NULL DEFAULT pg_current_xact_id(), event_id text NOT NULL,"
    " event_type text NOT NULL, event_key text NOT NULL, time_us bigint NOT NULL,"
    " data bytea NOT NULL);"
    "CREATE TABLE test_relay (relay_id bigint PRIMARY KEY CHECK (relay_id = 1),"
    " holder text NOT NULL, lease_until_us bigint NOT NULL, sink text NOT NULL);"
    "INSERT INTO test_relay (relay_id, holder, lease_until_us, sink) VALUES (1, '', 0, '')";
static const struct sql_migration sqlite_migrations[] = {{1, "tables", sqlite_tables}};
static const struct sql_migration postgresql_migrations[] = {{1, "tables", postgresql_tables}};
static const struct sql_migration_set migrations = {
    .context = "test",
    .sqlite = sqlite_migrations,
    .sqlite_count = 1,
    .postgresql = postgresql_migrations,
    .postgresql_count = 1,
};
static const struct sql_migration_set *const all_migrations[] = {&migrations};

struct load {
    uint64_t event_count;
    uint64_t subscriber_count;
    struct sql_store *store;
    struct sql_outbox outbox;
    struct event_log *log;
    struct arena arena;
    uint64_t appended;
};

static void must(struct error error, const char *what)
{
    if (!error_is(error))
        return;
    fprintf(stderr, "%s: %s: %s\n", what, error_text(error.code), error.detail);
    exit(1);
}

static void tell(const char *what, uint64_t events, int64_t begin_us)
{
    double seconds = (double)(clock_monotonic_us(clock_system()) - begin_us) / 1e6;
    printf("%-44s %9.0f thousand/s  %6.2f s\n", what, (double)events / seconds / 1000, seconds);
}

static enum sql_verdict append_events(struct sql_session *session, void *context,
                                      struct error *error)
{
    struct load *load = context;
    for (uint64_t i = 0; i < events_a_transaction; i++) {
        struct event event = kit_event(sql_session_arena(session), load->appended + i);
        if (!sql_outbox_append(session, &load->outbox, &event, error))
            return SQL_FAIL;
    }
    return SQL_COMMIT;
}

static void fill_outbox(struct load *load)
{
    int64_t begin_us = clock_monotonic_us(clock_system());
    while (load->appended < load->event_count) {
        struct sql_job job = {
            .arena = &load->arena,
            .access = SQL_WRITE,
            .script = append_events,
            .context = load,
        };
        arena_reset(&load->arena);
        must(sql_store_run(load->store, &job), "append");
        load->appended += events_a_transaction;
    }
    tell("outbox, 500 events a transaction", load->appended, begin_us);
}

static void relay(struct load *load)
{
    struct event_relay_options options = event_relay_options_default();
    struct event_relay *relay;
    int64_t begin_us = clock_monotonic_us(clock_system());
    options.store = load->store;
    options.outbox = &load->outbox;
    options.sink = event_log_sink(load->log);
    must(event_relay_start(&relay, &options), "relay");
    while (event_feed_newest(event_log_feed(load->log)) < load->appended)
        usleep(1000);
    tell("relay: read, append and sync, delete", load->appended, begin_us);
    event_relay_stop(relay);
}

static void read_all(struct load *load)
{
    int64_t begin_us = clock_monotonic_us(clock_system());
    uint64_t after = 0;
    while (after < load->appended) {
        struct event_batch batch;
        arena_reset(&load->arena);
        must(event_feed_read(event_log_feed(load->log), after, 256, &load->arena, &batch), "read");
        after = batch.next;
    }
    tell("one reader of the log", load->appended, begin_us);
}

/* --- subscribers --- */

struct follower {
    struct event_hub_subscriber subscriber;
    struct event_hub *hub;
    uint64_t taken;
    uint64_t wanted;
    unsigned hand;
    atomic_bool is_done;
};

static enum event_hub_take take(struct event_hub_subscriber *subscriber, size_t feed,
                                const struct event *event)
{
    struct follower *follower = (struct follower *)subscriber;
    (void)feed;
    (void)event;
    if (follower->hand == hand_max)
        return EVENT_HUB_FULL;
    follower->hand++;
    follower->taken++;
    return EVENT_HUB_TAKEN;
}

static void returned(struct event_hub_subscriber *subscriber, enum event_hub_return reason,
                     const struct error *error)
{
    struct follower *follower = (struct follower *)subscriber;
    (void)reason;
    (void)error;
    follower->hand = 0;
    if (follower->taken == follower->wanted)
        atomic_store(&follower->is_done, true);
    else
        event_hub_resume(follower->hub, subscriber);
}

static void subscribe_many(struct load *load)
{
    static const struct event_hub_subscriber_table table = {.take = take, .returned = returned};
    struct event_hub_options options = event_hub_options_default();
    struct event_feed *feed = event_log_feed(load->log);
    struct event_hub *hub;
    struct follower *followers = calloc(load->subscriber_count, sizeof *followers);
    options.feeds = &feed;
    options.feed_count = 1;
    must(event_hub_open(&hub, &options), "hub");
    int64_t begin_us = clock_monotonic_us(clock_system());
    for (uint64_t i = 0; i < load->subscriber_count; i++) {
        followers[i].subscriber.table = &table;
        followers[i].subscriber.wants[0] = true;
        followers[i].hub = hub;
        followers[i].wanted = load->appended;
        if (!event_hub_add(hub, &followers[i].subscriber))
            exit(1);
    }
    for (uint64_t i = 0; i < load->subscriber_count; i++) {
        while (!atomic_load(&followers[i].is_done))
            usleep(1000);
        event_hub_leave(hub);
    }
    char what[64];
    snprintf(what, sizeof what, "hub, %llu subscribers, events handed over",
             (unsigned long long)load->subscriber_count);
    tell(what, load->appended * load->subscriber_count, begin_us);
    printf("%-44s %9llu\n", "  reads of the log", (unsigned long long)event_hub_usage(hub).reads);
    event_hub_stop(hub);
    event_hub_close(hub);
    free(followers);
}

int main(int argc, char **argv)
{
    struct load load = {.event_count = 200000, .subscriber_count = 100};
    struct sql_store_options options = sql_store_options_default();
    struct event_log_options log_options = event_log_options_default();
    if (argc < 3) {
        fprintf(stderr,
                "usage: event_load sqlite:FILE|postgresql://… LOG_DIR [EVENTS] [SUBSCRIBERS]\n");
        return 2;
    }
    if (argc > 3)
        load.event_count = strtoull(argv[3], NULL, 10);
    if (argc > 4)
        load.subscriber_count = strtoull(argv[4], NULL, 10);
    arena_init(&load.arena, arena_bytes);
    options.url = argv[1];
    options.name = "test";
    options.migrations = all_migrations;
    options.migration_count = 1;
    must(sql_store_open(&load.store, &options), "store");
    sql_outbox_init(&load.outbox, "test", UINT64_C(1) << 40, random_system());
    log_options.directory = argv[2];
    log_options.source = "test";
    must(event_log_open(&load.log, &log_options), "log");
    fill_outbox(&load);
    relay(&load);
    read_all(&load);
    subscribe_many(&load);
    sql_store_close(load.store);
    event_log_close(load.log);
    arena_deinit(&load.arena);
    return 0;
}
