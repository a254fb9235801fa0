/*
 * Goal: what a transaction commits reaches the event log exactly once, in the order of its key, and
 * what it does not commit never does, whatever stops between two steps of the relay. Method: real
 * stores (SQLite; PostgreSQL when WAYBILL_SQL_URL names one), a sink that fails after or before the
 * real one did its work, transactions held open, many writers at once.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "platform/base/log.h"
#include "platform/events/event_log.h"
#include "platform/events/event_relay.h"
#include "tests/support/event_kit.h"
#include "tests/support/sql/sql_kit.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { arena_bytes = 16 * 1024 * 1024, wait_rounds = 3000, lock_keys = 4 };

static const char sqlite_tables[] =
    "CREATE TABLE test_outbox (outbox_id INTEGER PRIMARY KEY AUTOINCREMENT, event_id TEXT NOT NULL,"
    " event_type TEXT NOT NULL, event_key TEXT NOT NULL, time_us INTEGER NOT NULL,"
    " data BLOB NOT NULL) STRICT;"
    "CREATE TABLE test_relay (relay_id INTEGER PRIMARY KEY CHECK (relay_id = 1),"
    " holder TEXT NOT NULL, lease_until_us INTEGER NOT NULL, sink TEXT NOT NULL) STRICT;"
    "INSERT INTO test_relay (relay_id, holder, lease_until_us, sink) VALUES (1, '', 0, '');"
    "CREATE TABLE keys (key_id INTEGER PRIMARY KEY, value INTEGER NOT NULL) STRICT;"
    "CREATE TABLE early (writer INTEGER NOT NULL) STRICT;"
    "INSERT INTO keys (key_id, value) VALUES (0, 0), (1, 0), (2, 0), (3, 0)";
static const char postgresql_tables[] =
    "CREATE TABLE test_outbox (outbox_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,"
    " transaction_id xid8 NOT NULL DEFAULT pg_current_xact_id(), event_id text NOT NULL,"
    " event_type text NOT NULL, event_key text NOT NULL, time_us bigint NOT NULL,"
    " data bytea NOT NULL);"
    "CREATE TABLE test_relay (relay_id bigint PRIMARY KEY CHECK (relay_id = 1),"
    " holder text NOT NULL, lease_until_us bigint NOT NULL, sink text NOT NULL);"
    "INSERT INTO test_relay (relay_id, holder, lease_until_us, sink) VALUES (1, '', 0, '');"
    "CREATE TABLE keys (key_id bigint PRIMARY KEY, value bigint NOT NULL);"
    "CREATE TABLE early (writer bigint NOT NULL);"
    "INSERT INTO keys (key_id, value) VALUES (0, 0), (1, 0), (2, 0), (3, 0)";
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

/* What a failing sink does. */
enum sink_fault { SINK_WELL, SINK_FAILS_BEFORE, SINK_FAILS_AFTER };

struct fixture {
    struct sql_kit kit;
    struct sql_store *store;
    struct arena arena;
    struct arena reading;
    struct sql_outbox outbox;
    struct event_log *log;
    struct event_sink sink; /* in front of the log's */
    enum sink_fault fault;
    struct event_relay *relay;
    struct temporary_directory directory; /* of the log */
    uint64_t appended;
};

static void assert_good(struct error error)
{
    if (error_is(error))
        fail_msg("%s: %s", error_text(error.code), error.detail);
}

/* --- the sink that fails --- */

static struct fixture *fixture_of(struct event_sink *sink)
{
    return (struct fixture *)((char *)sink - offsetof(struct fixture, sink));
}

static struct error faulty_append(struct event_sink *sink, const struct event *events, size_t count,
                                  size_t *appended)
{
    struct fixture *fixture = fixture_of(sink);
    if (fixture->fault == SINK_FAILS_BEFORE)
        return error_make(ERROR_DISK_FULL, "planted");
    struct error error = event_sink_append(event_log_sink(fixture->log), events, count, appended);
    if (fixture->fault == SINK_FAILS_AFTER && !error_is(error))
        return error_make(ERROR_NETWORK, "planted");
    return error;
}

static bool faulty_has_recent(struct event_sink *sink, struct text event_id)
{
    return event_sink_has_recent(event_log_sink(fixture_of(sink)->log), event_id);
}

static const char *faulty_identity(struct event_sink *sink)
{
    return event_sink_identity(event_log_sink(fixture_of(sink)->log));
}

static struct error faulty_tidy(struct event_sink *sink)
{
    return event_sink_tidy(event_log_sink(fixture_of(sink)->log));
}

static const struct event_sink_table faulty_table = {
    .append = faulty_append,
    .has_recent = faulty_has_recent,
    .identity = faulty_identity,
    .tidy = faulty_tidy,
};

/* --- the fixture --- */

static void open_log(struct fixture *fixture, const char *directory)
{
    struct event_log_options options = event_log_options_default();
    options.directory = directory;
    options.source = "test";
    options.segment_bytes = 4 * 1024 * 1024;
    options.background_prepare = false;
    assert_good(event_log_open(&fixture->log, &options));
}

static void start_relay(struct fixture *fixture, bool threaded)
{
    struct event_relay_options options = event_relay_options_default();
    options.store = fixture->store;
    options.outbox = &fixture->outbox;
    options.sink = &fixture->sink;
    options.threaded = threaded;
    options.poll_us = 5000;
    options.retry_us_max = 100000;
    assert_good(event_relay_start(&fixture->relay, &options));
}

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    struct sql_store_options options = sql_store_options_default();
    sql_kit_init(&fixture->kit);
    temporary_directory_create(&fixture->directory);
    arena_init(&fixture->arena, arena_bytes);
    arena_init(&fixture->reading, arena_bytes);
    options.url = fixture->kit.url;
    options.name = "test";
    options.migrations = all_migrations;
    options.migration_count = 1;
    assert_good(sql_store_open(&fixture->store, &options));
    sql_outbox_init(&fixture->outbox, "test", 64 * 1024 * 1024, random_system());
    fixture->sink.table = &faulty_table;
    open_log(fixture, fixture->directory.path);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    event_relay_stop(fixture->relay);
    sql_store_close(fixture->store);
    event_log_close(fixture->log);
    temporary_directory_remove(&fixture->directory);
    sql_kit_deinit(&fixture->kit);
    arena_deinit(&fixture->arena);
    arena_deinit(&fixture->reading);
    free(fixture);
    return 0;
}

/* One transaction with `count` events from `first` on. */
struct append_script {
    struct fixture *fixture;
    uint64_t first;
    uint64_t count;
    enum sql_verdict verdict;
    int64_t hold_us;         /* how long it stays open with its rows inserted */
    atomic_bool *is_holding; /* set while it does */
};

static const struct sql_statement nothing = {.text = "SELECT 1 FROM keys WHERE key_id = $1"};

static enum sql_verdict append_events(struct sql_session *session, void *context,
                                      struct error *error)
{
    struct append_script *script = context;
    struct sql_value key = sql_integer(0);
    struct sql_rows rows;
    for (uint64_t i = 0; i < script->count; i++) {
        struct event event = kit_event(sql_session_arena(session), script->first + i);
        if (!sql_outbox_append(session, &script->fixture->outbox, &event, error))
            return SQL_FAIL;
    }
    if (script->hold_us > 0) {
        if (!sql_query(session, &nothing, &key, 1, &rows)) /* the rows are sent before it */
            return SQL_FAIL;
        atomic_store(script->is_holding, true);
        usleep((useconds_t)script->hold_us);
    }
    return script->verdict;
}

static struct error try_append(struct fixture *fixture, uint64_t first, uint64_t count,
                               enum sql_verdict verdict)
{
    struct append_script script = {
        .fixture = fixture,
        .first = first,
        .count = count,
        .verdict = verdict,
    };
    arena_reset(&fixture->arena);
    return sql_kit_run(fixture->store, &fixture->arena, SQL_WRITE, append_events, &script, NULL);
}

static void append(struct fixture *fixture, uint64_t count)
{
    assert_good(try_append(fixture, fixture->appended, count, SQL_COMMIT));
    fixture->appended += count;
}

/*
 * Steps until the log has come to `newest` and there is nothing to do. On PostgreSQL that may take
 * a moment: rows wait for every transaction that was running when they were written, also the
 * server's own.
 */
static void relay_until(struct fixture *fixture, uint64_t newest)
{
    bool idle = false;
    for (int i = 0; i < wait_rounds; i++) {
        assert_good(event_relay_step(fixture->relay, &idle));
        bool is_there = event_feed_newest(event_log_feed(fixture->log)) >= newest;
        if (idle && (is_there || !fixture->kit.is_postgresql))
            return;
        if (idle)
            usleep(10000);
    }
    fail_msg("the log did not come to event %llu in time", (unsigned long long)newest);
}

static void relay_all(struct fixture *fixture)
{
    relay_until(fixture, fixture->appended);
}

/* Everything in the log, in order, by its number; gives how many. */
static uint64_t log_numbers(struct fixture *fixture, uint64_t *numbers, size_t numbers_max)
{
    struct event_feed *feed = event_log_feed(fixture->log);
    uint64_t after = 0;
    for (;;) {
        struct event_batch batch;
        arena_reset(&fixture->reading);
        assert_good(event_feed_read(feed, after, 100, &fixture->reading, &batch));
        if (batch.event_count == 0)
            return after;
        for (size_t i = 0; i < batch.event_count; i++) {
            assert_true(after < numbers_max);
            numbers[after++] = kit_event_number(&batch.events[i]);
            assert_int_equal(batch.events[i].sequence, after);
        }
    }
}

static void assert_log_is_complete(struct fixture *fixture)
{
    static uint64_t numbers[65536];
    uint64_t count = log_numbers(fixture, numbers, 65536);
    assert_int_equal(count, fixture->appended);
    for (uint64_t i = 0; i < count; i++)
        assert_int_equal(numbers[i], i);
}

/* --- behaviours --- */

static void committed_events_reach_the_log_once_and_leave_the_outbox(void **state)
{
    struct fixture *fixture = *state;
    start_relay(fixture, false);
    for (int i = 0; i < 40; i++) {
        append(fixture, 1 + (uint64_t)i % 7);
        if (i % 5 == 0)
            relay_all(fixture);
    }
    append(fixture, 1200); /* more than one batch */
    relay_all(fixture);
    assert_log_is_complete(fixture);
    struct event_relay_status status = event_relay_status(fixture->relay);
    assert_int_equal(status.state, EVENT_RELAY_LEADING);
    assert_int_equal(status.relayed, fixture->appended);
}

static void a_refused_transaction_leaves_no_event(void **state)
{
    struct fixture *fixture = *state;
    start_relay(fixture, false);
    append(fixture, 2);
    assert_good(try_append(fixture, 1000, 3, SQL_ROLL_BACK));
    append(fixture, 2);
    relay_all(fixture);
    assert_log_is_complete(fixture);
}

static void a_crash_after_the_append_doubles_nothing(void **state)
{
    struct fixture *fixture = *state;
    bool idle;
    start_relay(fixture, false);
    for (int i = 0; i < 6; i++) {
        append(fixture, 300);
        fixture->fault = SINK_FAILS_AFTER;
        struct error error = error_none();
        while (!error_is(error)) /* until it has read the rows */
            error = event_relay_step(fixture->relay, &idle);
        assert_int_equal(error.code, ERROR_NETWORK);
        append(fixture, 5);
        if (i % 2 == 0) { /* the whole process starts anew */
            event_relay_stop(fixture->relay);
            event_log_close(fixture->log);
            open_log(fixture, fixture->directory.path);
            start_relay(fixture, false);
        }
        fixture->fault = SINK_WELL;
        relay_all(fixture);
        assert_log_is_complete(fixture);
    }
}

static void a_crash_before_the_append_loses_nothing(void **state)
{
    struct fixture *fixture = *state;
    bool idle;
    start_relay(fixture, false);
    append(fixture, 10);
    relay_all(fixture);
    append(fixture, 10);
    fixture->fault = SINK_FAILS_BEFORE;
    struct error error = error_none();
    while (!error_is(error))
        error = event_relay_step(fixture->relay, &idle);
    assert_int_equal(error.code, ERROR_DISK_FULL);
    assert_int_equal(event_relay_status(fixture->relay).state, EVENT_RELAY_FAILING);
    fixture->fault = SINK_WELL;
    relay_all(fixture);
    assert_log_is_complete(fixture);
    assert_int_equal(event_relay_status(fixture->relay).state, EVENT_RELAY_LEADING);
}

static void a_full_outbox_refuses_until_the_relay_gets_on(void **state)
{
    struct fixture *fixture = *state;
    sql_outbox_init(&fixture->outbox, "test", 20000, random_system());
    struct error error = error_none();
    while (!error_is(error)) {
        error = try_append(fixture, fixture->appended, 3, SQL_COMMIT);
        fixture->appended += error_is(error) ? 0 : 3;
        assert_true(fixture->appended < 1000);
    }
    assert_int_equal(error.code, ERROR_OUTBOX_FULL);
    assert_true(fixture->appended > 10);
    start_relay(fixture, false);
    relay_all(fixture); /* it measures, too */
    append(fixture, 3);
    relay_all(fixture);
    assert_log_is_complete(fixture);
}

static void events_of_a_store_go_into_one_log_only(void **state)
{
    struct fixture *fixture = *state;
    struct temporary_directory other;
    bool idle;
    start_relay(fixture, false);
    append(fixture, 3);
    relay_all(fixture);
    event_relay_stop(fixture->relay);
    event_log_close(fixture->log);
    temporary_directory_create(&other);
    open_log(fixture, other.path);
    start_relay(fixture, false);
    append(fixture, 3);
    assert_good(event_relay_step(fixture->relay, &idle));
    assert_true(idle);
    struct event_relay_status status = event_relay_status(fixture->relay);
    assert_int_equal(status.state, EVENT_RELAY_OTHER_SINK);
    assert_int_equal(event_feed_newest(event_log_feed(fixture->log)), 0);
    event_relay_stop(fixture->relay);
    /* Adopted: what waits goes into the new one. */
    struct event_relay_options options = event_relay_options_default();
    options.store = fixture->store;
    options.outbox = &fixture->outbox;
    options.sink = &fixture->sink;
    options.threaded = false;
    options.adopt_sink = true;
    assert_good(event_relay_start(&fixture->relay, &options));
    relay_until(fixture, 3);
    assert_int_equal(event_feed_newest(event_log_feed(fixture->log)), 3);
    temporary_directory_remove(&other);
}

static void one_relay_leads_and_the_next_takes_over(void **state)
{
    struct fixture *fixture = *state;
    struct event_relay *second;
    bool idle;
    struct event_relay_options options = event_relay_options_default();
    options.store = fixture->store;
    options.outbox = &fixture->outbox;
    options.sink = &fixture->sink;
    options.threaded = false;
    options.lease_us = 500000; /* long enough for the steps before it is let run out */
    assert_good(event_relay_start(&fixture->relay, &options));
    assert_good(event_relay_start(&second, &options));
    append(fixture, 3);
    relay_all(fixture);
    append(fixture, 3);
    assert_good(event_relay_step(second, &idle));
    assert_true(idle);
    assert_int_equal(event_relay_status(second).state, EVENT_RELAY_FOLLOWING);
    assert_int_equal(event_feed_newest(event_log_feed(fixture->log)), 3);
    usleep(600000); /* the first does not come back */
    for (int i = 0; i < wait_rounds && event_feed_newest(event_log_feed(fixture->log)) < 6; i++) {
        assert_good(event_relay_step(second, &idle));
        usleep(1000);
    }
    assert_int_equal(event_relay_status(second).state, EVENT_RELAY_LEADING);
    assert_log_is_complete(fixture);
    assert_good(event_relay_step(fixture->relay, &idle));
    assert_int_equal(event_relay_status(fixture->relay).state, EVENT_RELAY_FOLLOWING);
    event_relay_stop(second);
}

/* --- many at once --- */

static void wait_for_log(struct fixture *fixture, uint64_t newest)
{
    for (int i = 0; i < wait_rounds; i++) {
        if (event_feed_newest(event_log_feed(fixture->log)) >= newest)
            return;
        usleep(10000);
    }
    fail_msg("the log did not come to event %llu in time", (unsigned long long)newest);
}

struct holder {
    struct fixture *fixture;
    int64_t hold_us;
    atomic_bool is_holding;
    struct error error;
};

static void *hold_open(void *context)
{
    struct holder *holder = context;
    struct arena arena;
    arena_init(&arena, arena_bytes);
    struct append_script script = {
        .fixture = holder->fixture,
        .first = 1,
        .count = 1,
        .verdict = SQL_COMMIT,
        .hold_us = holder->hold_us,
        .is_holding = &holder->is_holding,
    };
    holder->error =
        sql_kit_run(holder->fixture->store, &arena, SQL_WRITE, append_events, &script, NULL);
    arena_deinit(&arena);
    return NULL;
}

static void a_transaction_held_open_between_two_others_loses_nothing(void **state)
{
    struct fixture *fixture = *state;
    const char *seconds = getenv("WAYBILL_HOLD_SECONDS");
    struct holder holder = {
        .fixture = fixture,
        .hold_us = INT64_C(1000000) * (seconds == NULL ? 10 : atoi(seconds)),
    };
    pthread_t thread;
    uint64_t numbers[3];
    if (!fixture->kit.is_postgresql)
        holder.hold_us = 100000; /* its one writer lets nobody in between */
    start_relay(fixture, true);
    assert_good(try_append(fixture, 0, 1, SQL_COMMIT));
    assert_int_equal(pthread_create(&thread, NULL, hold_open, &holder), 0);
    while (!atomic_load(&holder.is_holding))
        usleep(1000);
    assert_good(try_append(fixture, 2, 1, SQL_COMMIT));
    pthread_join(thread, NULL);
    assert_good(holder.error);
    wait_for_log(fixture, 3);
    event_relay_stop(fixture->relay);
    fixture->relay = NULL;
    assert_int_equal(log_numbers(fixture, numbers, 3), 3);
    assert_int_equal(numbers[0] + numbers[1] + numbers[2], 3);
    assert_int_equal(numbers[0], 0);
    print_message("# order in the log: %llu %llu %llu\n", (unsigned long long)numbers[0],
                  (unsigned long long)numbers[1], (unsigned long long)numbers[2]);
}

/* A writer's transaction: something early, so that its number is old; then one key's lock. */
struct keyed {
    struct fixture *fixture;
    int64_t key;
};

static const struct sql_statement write_early = {.text = "INSERT INTO early (writer) VALUES ($1)"};
static const struct sql_statement lock_key = {
    .text = "SELECT value FROM keys WHERE key_id = $1",
    .for_update = true,
};
static const struct sql_statement change_key = {
    .text = "UPDATE keys SET value = value + 1 WHERE key_id = $1",
};

static enum sql_verdict change_one_key(struct sql_session *session, void *context,
                                       struct error *error)
{
    struct keyed *keyed = context;
    struct sql_value key = sql_integer(keyed->key);
    struct sql_rows rows;
    if (!sql_execute(session, &write_early, &key, 1, NULL) ||
        !sql_query(session, &lock_key, &key, 1, &rows))
        return SQL_FAIL;
    char id[64];
    char name[16];
    int id_size = snprintf(id, sizeof id, "%lld/%lld", (long long)keyed->key,
                           (long long)sql_rows_integer(&rows, 0, 0));
    int name_size = snprintf(name, sizeof name, "%lld", (long long)keyed->key);
    struct event event = {
        .event_id = text_make(id, (size_t)id_size),
        .type = text_of("waybill.test.v1.KeyChanged"),
        .key = text_make(name, (size_t)name_size),
        .time_us = 1,
    };
    if (!sql_execute(session, &change_key, &key, 1, NULL) ||
        !sql_outbox_append(session, &keyed->fixture->outbox, &event, error))
        return SQL_FAIL;
    return SQL_COMMIT;
}

enum { writers = 6, changes_a_writer = 150 };

struct writer {
    struct fixture *fixture;
    unsigned number;
    struct error error;
};

static void *write_keys(void *context)
{
    struct writer *writer = context;
    struct arena arena;
    arena_init(&arena, arena_bytes);
    for (int i = 0; i < changes_a_writer && !error_is(writer->error); i++) {
        struct keyed keyed = {
            .fixture = writer->fixture,
            .key = (int64_t)((writer->number + (unsigned)i * 7) % lock_keys),
        };
        do {
            arena_reset(&arena);
            writer->error = sql_kit_run(writer->fixture->store, &arena, SQL_WRITE, change_one_key,
                                        &keyed, NULL);
        } while (writer->error.code == ERROR_OVERLOADED);
    }
    arena_deinit(&arena);
    return NULL;
}

static void order_holds_per_key_under_many_writers(void **state)
{
    struct fixture *fixture = *state;
    struct writer all[writers];
    pthread_t threads[writers];
    long long next[lock_keys] = {0};
    start_relay(fixture, true);
    for (unsigned i = 0; i < writers; i++) {
        all[i] = (struct writer){.fixture = fixture, .number = i, .error = error_none()};
        assert_int_equal(pthread_create(&threads[i], NULL, write_keys, &all[i]), 0);
    }
    for (unsigned i = 0; i < writers; i++)
        pthread_join(threads[i], NULL);
    for (unsigned i = 0; i < writers; i++)
        assert_good(all[i].error);
    wait_for_log(fixture, writers * changes_a_writer);
    event_relay_stop(fixture->relay);
    fixture->relay = NULL;
    uint64_t after = 0;
    for (;;) {
        struct event_batch batch;
        arena_reset(&fixture->reading);
        assert_good(
            event_feed_read(event_log_feed(fixture->log), after, 256, &fixture->reading, &batch));
        if (batch.event_count == 0)
            break;
        for (size_t i = 0; i < batch.event_count; i++) {
            long long key;
            long long value;
            char id[64] = {0};
            memcpy(id, batch.events[i].event_id.data, batch.events[i].event_id.size);
            assert_int_equal(sscanf(id, "%lld/%lld", &key, &value), 2);
            assert_int_equal(value, next[key]);
            next[key]++;
        }
        after = batch.next;
    }
    assert_int_equal(after, writers * changes_a_writer);
}

int main(void)
{
    log_configure(LOG_LEVEL_OFF, false);
#define BEHAVIOUR(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        BEHAVIOUR(committed_events_reach_the_log_once_and_leave_the_outbox),
        BEHAVIOUR(a_refused_transaction_leaves_no_event),
        BEHAVIOUR(a_crash_after_the_append_doubles_nothing),
        BEHAVIOUR(a_crash_before_the_append_loses_nothing),
        BEHAVIOUR(a_full_outbox_refuses_until_the_relay_gets_on),
        BEHAVIOUR(events_of_a_store_go_into_one_log_only),
        BEHAVIOUR(a_transaction_held_open_between_two_others_loses_nothing),
        BEHAVIOUR(order_holds_per_key_under_many_writers),
        BEHAVIOUR(one_relay_leads_and_the_next_takes_over), /* the last: not for SQLite, whose file
                                                               has one process */
    };
    size_t count = sizeof tests / sizeof tests[0] - !sql_kit_runs_on_postgresql();
    return _cmocka_run_group_tests("event_relay", tests, count, NULL, NULL);
}
