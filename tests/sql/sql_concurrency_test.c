/*
 * Transactions that get into each other's way, on either database: deadlocks end and nobody
 * notices, who inserts one id at the same time finds it, increments are never lost. And what only a
 * server can do to us: statements cut off, connections cut, a commit without an answer.
 */
#include "tests/support/sql/sql_kit.h"
#include "tests/support/test_executor.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

enum { arena_bytes_max = 16 * 1024 * 1024, wait_us_max = 60000000, crowd = 200, quarrelling = 24 };

static const struct sql_migration migrations[] = {
    {1, "rows",
     "CREATE TABLE places (name TEXT PRIMARY KEY, value INTEGER NOT NULL);"
     "INSERT INTO places (name, value) VALUES ('a', 0), ('b', 0), ('c', 0);"
     "CREATE TABLE ids (id INTEGER PRIMARY KEY)"},
};
static const struct sql_migration_set set = {
    .context = "concurrency",
    .sqlite = migrations,
    .sqlite_count = 1,
    .postgresql = migrations,
    .postgresql_count = 1,
};
static const struct sql_migration_set *const sets[] = {&set};

struct fixture {
    struct sql_kit kit;
    struct sql_store *store;
    struct test_executor executor;
    struct arena arena;
};

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    struct sql_store_options options = sql_store_options_default();
    sql_kit_init(&fixture->kit);
    test_executor_init(&fixture->executor);
    arena_init(&fixture->arena, arena_bytes_max);
    options.url = fixture->kit.url;
    options.name = "concurrency";
    options.migrations = sets;
    options.migration_count = 1;
    options.statement_timeout_us = 2000000;
    struct error error = sql_store_open(&fixture->store, &options);
    if (error_is(error))
        fail_msg("%s: %s", error_text(error.code), error.detail);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    sql_store_close(fixture->store);
    sql_kit_deinit(&fixture->kit);
    test_executor_deinit(&fixture->executor);
    arena_deinit(&fixture->arena);
    free(fixture);
    return 0;
}

/* --- many jobs at once --- */

struct visitor {
    struct sql_job job;
    struct arena arena;
    int number;
    bool done;
    bool inserted;
    struct error error;
    _Atomic int *meeting; /* who holds its first lock */
};

static void visit_done(struct sql_job *job, const struct error *error)
{
    struct visitor *visitor = job->context;
    visitor->done = true;
    if (error != NULL)
        visitor->error = *error;
}

static void run_crowd(struct fixture *fixture, struct visitor *visitors, int count,
                      sql_script *script)
{
    int done = 0;
    for (int i = 0; i < count; i++) {
        struct visitor *visitor = &visitors[i];
        visitor->number = i;
        arena_init(&visitor->arena, arena_bytes_max);
        visitor->job = (struct sql_job){
            .executor = &fixture->executor.base,
            .arena = &visitor->arena,
            .access = SQL_WRITE,
            .script = script,
            .context = visitor,
        };
        sql_store_submit(fixture->store, &visitor->job, visit_done);
    }
    while (done < count) {
        assert_true(test_executor_wait(&fixture->executor, wait_us_max));
        done += (int)test_executor_run_all(&fixture->executor);
    }
    for (int i = 0; i < count; i++) {
        struct visitor *visitor = &visitors[i];
        assert_true(visitor->done);
        if (error_is(visitor->error))
            fail_msg("visitor %d: %s: %s", i, error_text(visitor->error.code),
                     visitor->error.detail);
        arena_deinit(&visitor->arena);
    }
}

static const struct sql_statement lock_place = {
    .text = "SELECT value FROM places WHERE name = $1",
    .for_update = true,
};
static const struct sql_statement set_place = {
    .text = "UPDATE places SET value = $2 WHERE name = $1",
};
static const struct sql_statement sum_places = {.text = "SELECT sum(value) FROM places"};

/* Read with a lock, write what was read plus one: lost if anybody came between. */
static bool increment(struct sql_session *session, const char *name)
{
    struct sql_value values[] = {sql_text(text_of(name)), sql_integer(0)};
    struct sql_rows rows;
    if (!sql_query(session, &lock_place, values, 1, &rows))
        return false;
    values[1] = sql_integer(sql_rows_integer(&rows, 0, 0) + 1);
    return sql_enqueue(session, &set_place, values, 2, 1);
}

static enum sql_verdict sum(struct sql_session *session, void *context, struct error *error)
{
    struct sql_rows rows;
    (void)error;
    if (!sql_query(session, &sum_places, NULL, 0, &rows))
        return SQL_FAIL;
    *(int64_t *)context = sql_rows_integer(&rows, 0, 0);
    return SQL_COMMIT;
}

static int64_t sum_of_places(struct fixture *fixture)
{
    int64_t value = -1;
    struct error error = sql_kit_run(fixture->store, &fixture->arena, SQL_READ, sum, &value, NULL);
    if (error_is(error))
        fail_msg("%s: %s", error_text(error.code), error.detail);
    return value;
}

/* Every other one in the opposite order. */
static enum sql_verdict visit_in_both_orders(struct sql_session *session, void *context,
                                             struct error *error)
{
    const struct visitor *visitor = context;
    bool forward = visitor->number % 2 == 0;
    (void)error;
    return increment(session, forward ? "a" : "b") && increment(session, forward ? "b" : "a")
               ? SQL_COMMIT
               : SQL_FAIL;
}

static void opposite_lock_orders_end_well_and_nothing_is_lost(void **state)
{
    struct fixture *fixture = *state;
    struct visitor *visitors = calloc(quarrelling, sizeof *visitors);
    run_crowd(fixture, visitors, quarrelling, visit_in_both_orders);
    assert_int_equal(sum_of_places(fixture), 2 * quarrelling);
    free(visitors);
}

/* On the first run both hold one lock before they want the other: that is a deadlock. */
static enum sql_verdict meet(struct sql_session *session, void *context, struct error *error)
{
    const struct visitor *visitor = context;
    bool forward = visitor->number % 2 == 0;
    const struct timespec moment = {.tv_nsec = 1000000};
    (void)error;
    if (!increment(session, forward ? "a" : "b"))
        return SQL_FAIL;
    atomic_fetch_add(visitor->meeting, 1);
    while (atomic_load(visitor->meeting) < 2)
        nanosleep(&moment, NULL);
    return increment(session, forward ? "b" : "a") ? SQL_COMMIT : SQL_FAIL;
}

static void a_real_deadlock_is_run_again(void **state)
{
    struct fixture *fixture = *state;
    struct visitor visitors[2] = {0};
    _Atomic int meeting = 0;
    visitors[0].meeting = &meeting;
    visitors[1].meeting = &meeting;
    run_crowd(fixture, visitors, 2, meet);
    assert_int_equal(sum_of_places(fixture), 4);
    assert_true(visitors[0].job.run_count + visitors[1].job.run_count >= 3);
    assert_true(sql_store_usage(fixture->store).repeated_runs >= 1);
}

static const struct sql_statement find_id = {.text = "SELECT id FROM ids WHERE id = $1"};
static const struct sql_statement insert_id = {.text = "INSERT INTO ids (id) VALUES ($1)"};

static enum sql_verdict insert_if_absent(struct sql_session *session, void *context,
                                         struct error *error)
{
    struct visitor *visitor = context;
    const struct sql_value id = sql_integer(visitor->number % 5);
    struct sql_rows rows;
    (void)error;
    visitor->inserted = false;
    if (!sql_query(session, &find_id, &id, 1, &rows))
        return SQL_FAIL;
    if (rows.count == 1)
        return SQL_ROLL_BACK;
    visitor->inserted = true;
    return sql_enqueue(session, &insert_id, &id, 1, 1) ? SQL_COMMIT : SQL_FAIL;
}

static void who_inserts_one_id_at_the_same_time_finds_it(void **state)
{
    struct fixture *fixture = *state;
    struct visitor *visitors = calloc(crowd, sizeof *visitors);
    int inserted = 0;
    run_crowd(fixture, visitors, crowd, insert_if_absent);
    for (int i = 0; i < crowd; i++) {
        inserted += visitors[i].inserted;
        assert_int_equal(visitors[i].job.verdict,
                         visitors[i].inserted ? SQL_COMMIT : SQL_ROLL_BACK);
    }
    assert_int_equal(inserted, 5);
    free(visitors);
}

/* --- one snapshot a read --- */

static enum sql_verdict read_twice(struct sql_session *session, void *context, struct error *error)
{
    struct fixture *fixture = context;
    struct visitor visitor = {0};
    struct sql_rows first;
    struct sql_rows second;
    (void)error;
    if (!sql_query(session, &sum_places, NULL, 0, &first))
        return SQL_FAIL;
    run_crowd(fixture, &visitor, 1, visit_in_both_orders); /* somebody commits in between */
    if (!sql_query(session, &sum_places, NULL, 0, &second))
        return SQL_FAIL;
    assert_int_equal(sql_rows_integer(&first, 0, 0), sql_rows_integer(&second, 0, 0));
    return SQL_COMMIT;
}

static void a_read_sees_one_snapshot(void **state)
{
    struct fixture *fixture = *state;
    struct error error =
        sql_kit_run(fixture->store, &fixture->arena, SQL_READ, read_twice, fixture, NULL);
    assert_int_equal(error.code, ERROR_NONE);
    assert_int_equal(sum_of_places(fixture), 2);
}

/* --- what only a server does --- */

static const struct sql_statement sleep_long = {.text = "SELECT 1 FROM pg_sleep(30)"};

static enum sql_verdict sleep_too_long(struct sql_session *session, void *context,
                                       struct error *error)
{
    struct sql_rows rows;
    (void)context;
    (void)error;
    return increment(session, "a") && sql_query(session, &sleep_long, NULL, 0, &rows) ? SQL_COMMIT
                                                                                      : SQL_FAIL;
}

static void a_statement_beyond_its_time_is_cut_off_and_undone(void **state)
{
    struct fixture *fixture = *state;
    struct sql_job job = {
        .arena = &fixture->arena,
        .access = SQL_WRITE,
        .script = sleep_too_long,
    };
    assert_int_equal(sql_store_run(fixture->store, &job).code, ERROR_DEADLINE);
    job.deadline_us = clock_monotonic_us(clock_system()) + 300000;
    assert_int_equal(sql_store_run(fixture->store, &job).code, ERROR_DEADLINE);
    assert_int_equal(sum_of_places(fixture), 0);
    assert_int_equal(sql_store_usage(fixture->store).deadlines_passed, 2);
    assert_true(sql_store_usage(fixture->store).available);
}

static const struct sql_statement cut_connection = {
    .text = "SELECT 1 WHERE pg_terminate_backend(pg_backend_pid())",
};

static enum sql_verdict cut_at_first(struct sql_session *session, void *context,
                                     struct error *error)
{
    int *runs = context;
    struct sql_rows rows;
    (void)error;
    if (!increment(session, "a"))
        return SQL_FAIL;
    if ((*runs)++ == 0 && !sql_query(session, &cut_connection, NULL, 0, &rows))
        return SQL_FAIL;
    return SQL_COMMIT;
}

static void a_connection_lost_before_the_commit_is_made_anew(void **state)
{
    struct fixture *fixture = *state;
    int runs = 0;
    enum sql_verdict verdict;
    struct error error =
        sql_kit_run(fixture->store, &fixture->arena, SQL_WRITE, cut_at_first, &runs, &verdict);
    if (error_is(error))
        fail_msg("%s: %s", error_text(error.code), error.detail);
    assert_int_equal(verdict, SQL_COMMIT);
    assert_int_equal(runs, 2);
    assert_int_equal(sum_of_places(fixture), 1);
    assert_true(sql_store_usage(fixture->store).available);
}

static enum sql_verdict increment_counting(struct sql_session *session, void *context,
                                           struct error *error)
{
    (void)error;
    (*(int *)context)++;
    return increment(session, "c") ? SQL_COMMIT : SQL_FAIL;
}

static void a_commit_without_an_answer_is_unknown_and_not_repeated(void **state)
{
    struct fixture *fixture = *state;
    int runs = 0;
    sql_kit_execute(&fixture->kit,
                    "CREATE FUNCTION cut() RETURNS trigger LANGUAGE plpgsql AS"
                    " 'BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END'");
    sql_kit_execute(&fixture->kit,
                    "CREATE CONSTRAINT TRIGGER cut_at_commit AFTER UPDATE ON places"
                    " DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION cut()");
    struct error error =
        sql_kit_run(fixture->store, &fixture->arena, SQL_WRITE, increment_counting, &runs, NULL);
    assert_int_equal(error.code, ERROR_STORE_UNAVAILABLE);
    assert_non_null(strstr(error.detail, "outcome unknown"));
    assert_int_equal(runs, 1);
}

/* --- its types --- */

static const struct sql_statement whole_numbers = {
    .text = "SELECT 9223372036854775807::numeric, (-9223372036854775808)::numeric, 0::numeric,"
            " 10000::numeric, 1e12::numeric, 123456789012345678::numeric, (-70000)::numeric,"
            " 100.00::numeric, 12::smallint, (-12)::integer, 7::oid, '9'::xid8, true, false,"
            " (SELECT sum(n)::numeric FROM generate_series(1, 100000) AS numbers (n)),"
            " extract(epoch FROM '1970-01-02'::timestamp)::bigint",
};
static const int64_t expected_numbers[] = {
    INT64_MAX, INT64_MIN, 0, 10000,      1000000000000, 123456789012345678, -70000, 100, 12, -12, 7,
    9,         1,         0, 5000050000, 86400,
};
static const struct sql_statement names = {
    .text = "SELECT 'a'::name, 'b'::varchar, 'c  '::char(3), '{\"d\": 1}'::json, ''::text",
};
static const char *const expected_names[] = {"a", "b", "c  ", "{\"d\": 1}", ""};

static enum sql_verdict read_types(struct sql_session *session, void *context, struct error *error)
{
    struct sql_rows rows;
    (void)context;
    (void)error;
    if (!sql_query(session, &whole_numbers, NULL, 0, &rows))
        return SQL_FAIL;
    for (size_t i = 0; i < sizeof expected_numbers / sizeof expected_numbers[0]; i++)
        assert_true(sql_rows_integer(&rows, 0, i) == expected_numbers[i]);
    if (!sql_query(session, &names, NULL, 0, &rows))
        return SQL_FAIL;
    for (size_t i = 0; i < sizeof expected_names / sizeof expected_names[0]; i++)
        assert_true(text_equals_string(sql_rows_text(&rows, 0, i), expected_names[i]));
    return SQL_COMMIT;
}

static void all_whole_numbers_and_texts_arrive(void **state)
{
    struct fixture *fixture = *state;
    struct error error =
        sql_kit_run(fixture->store, &fixture->arena, SQL_READ, read_types, NULL, NULL);
    if (error_is(error))
        fail_msg("%s", error.detail);
}

static enum sql_verdict ask(struct sql_session *session, void *context, struct error *error)
{
    struct sql_rows rows;
    (void)error;
    return sql_query(session, context, NULL, 0, &rows) ? SQL_COMMIT : SQL_FAIL;
}

static void numbers_that_do_not_fit_are_refused(void **state)
{
    struct fixture *fixture = *state;
    static const struct sql_statement refused[] = {
        {.text = "SELECT 9223372036854775808::numeric"},
        {.text = "SELECT (-9223372036854775809)::numeric"},
        {.text = "SELECT 1e30::numeric"},
        {.text = "SELECT 0.5::numeric"},
        {.text = "SELECT 10000.0001::numeric"},
        {.text = "SELECT 'NaN'::numeric"},
        {.text = "SELECT 'Infinity'::numeric"},
        {.text = "SELECT 1.0::float8"},
        {.text = "SELECT now()"},
    };
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        struct error error = sql_kit_run(fixture->store, &fixture->arena, SQL_READ, ask,
                                         (void *)(uintptr_t)&refused[i], NULL);
        if (error.code != ERROR_INTERNAL)
            fail_msg("%s: %s: %s", refused[i].text, error_text(error.code), error.detail);
    }
}

#define CONCURRENCY(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CONCURRENCY(opposite_lock_orders_end_well_and_nothing_is_lost),
        CONCURRENCY(who_inserts_one_id_at_the_same_time_finds_it),
        CONCURRENCY(a_read_sees_one_snapshot),
        /* from here on a server is needed */
        CONCURRENCY(a_real_deadlock_is_run_again), /* SQLite's writer is alone */
        CONCURRENCY(a_statement_beyond_its_time_is_cut_off_and_undone),
        CONCURRENCY(a_connection_lost_before_the_commit_is_made_anew),
        CONCURRENCY(a_commit_without_an_answer_is_unknown_and_not_repeated),
        CONCURRENCY(all_whole_numbers_and_texts_arrive),
        CONCURRENCY(numbers_that_do_not_fit_are_refused),
    };
    enum { count = sizeof tests / sizeof tests[0], count_on_a_server = 6 };
    size_t wanted = sql_kit_runs_on_postgresql() ? count : count - count_on_a_server;
    return _cmocka_run_group_tests("sql_concurrency", tests, wanted, NULL, NULL);
}
