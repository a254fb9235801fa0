/*
 * What every SQL store does, on either database: values come back as they went, refusals leave no
 * trace, failures stick, jobs that meet are answered rightly. Runs on SQLite, and on PostgreSQL
 * when WAYBILL_SQL_URL names one.
 */
#include "tests/support/sql/sql_kit.h"
#include "tests/support/test_executor.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { arena_bytes_max = 64 * 1024 * 1024, wait_us_max = 60000000 };

static const struct sql_migration sqlite_migrations[] = {
    {1, "kinds",
     "CREATE TABLE kinds (id INTEGER PRIMARY KEY, whole INTEGER, words TEXT, bytes BLOB) STRICT;"
     "CREATE TABLE counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL CHECK (value >= 0),"
     " time_us INTEGER NOT NULL DEFAULT 0) STRICT, WITHOUT ROWID;"
     "INSERT INTO counters (name, value) VALUES ('a', 0), ('b', 0)"},
};
static const struct sql_migration postgresql_migrations[] = {
    {1, "kinds",
     "CREATE TABLE kinds (id bigint PRIMARY KEY, whole bigint, words text, bytes bytea);"
     "CREATE TABLE counters (name text PRIMARY KEY, value bigint NOT NULL CHECK (value >= 0),"
     " time_us bigint NOT NULL DEFAULT 0);"
     "INSERT INTO counters (name, value) VALUES ('a', 0), ('b', 0)"},
};
static const struct sql_migration_set migrations = {
    .context = "behaviour",
    .sqlite = sqlite_migrations,
    .sqlite_count = 1,
    .postgresql = postgresql_migrations,
    .postgresql_count = 1,
};
static const struct sql_migration_set *const all_migrations[] = {&migrations};

struct fixture {
    struct sql_kit kit;
    struct sql_store *store;
    struct arena arena;
    struct test_executor executor;
};

static void open_store(struct fixture *fixture)
{
    struct sql_store_options options = sql_store_options_default();
    options.url = fixture->kit.url;
    options.name = "behaviour";
    options.migrations = all_migrations;
    options.migration_count = 1;
    struct error error = sql_store_open(&fixture->store, &options);
    if (error_is(error))
        fail_msg("%s: %s", error_text(error.code), error.detail);
}

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    sql_kit_init(&fixture->kit);
    arena_init(&fixture->arena, arena_bytes_max);
    test_executor_init(&fixture->executor);
    open_store(fixture);
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

static struct error run(struct fixture *fixture, enum sql_access access, sql_script *script,
                        void *context, enum sql_verdict *verdict)
{
    return sql_kit_run(fixture->store, &fixture->arena, access, script, context, verdict);
}

static void assert_runs(struct fixture *fixture, enum sql_access access, sql_script *script,
                        void *context, enum sql_verdict expected)
{
    enum sql_verdict verdict;
    struct error error = run(fixture, access, script, context, &verdict);
    if (error_is(error))
        fail_msg("%s: %s", error_text(error.code), error.detail);
    assert_int_equal(verdict, expected);
}

/* --- values --- */

static const struct sql_statement insert_kind = {
    .text = "INSERT INTO kinds (id, whole, words, bytes) VALUES ($1, $2, $3, $4)",
};
static const struct sql_statement select_kinds = {
    .text = "SELECT id, whole, words, bytes FROM kinds ORDER BY id",
};

static const int64_t wholes[] = {0, 1, -1, INT64_MAX, INT64_MIN, 42};
static const char *const words[] = {"",     "a", "Ünïcödé ✓ 🚚", "it's; DROP TABLE kinds; --",
                                    "$1 ?", "x"};
static const char bytes[] = "\x00\x01\xff\x80nul\x00inside";

enum { kind_count = 6 };

static enum sql_verdict write_kinds(struct sql_session *session, void *context, struct error *error)
{
    (void)context;
    (void)error;
    for (int i = 0; i < kind_count; i++) {
        const struct sql_value values[] = {
            sql_integer(i),
            sql_integer(wholes[i]),
            sql_text(text_of(words[i])),
            sql_blob(text_make(bytes, i == 0 ? 0 : sizeof bytes)),
        };
        if (!sql_execute(session, &insert_kind, values, 4, NULL))
            return SQL_FAIL;
    }
    const struct sql_value nothing[] = {sql_integer(kind_count), sql_null(), sql_null(),
                                        sql_null()};
    return sql_execute(session, &insert_kind, nothing, 4, NULL) ? SQL_COMMIT : SQL_FAIL;
}

static enum sql_verdict read_kinds(struct sql_session *session, void *context, struct error *error)
{
    struct sql_rows *rows = context;
    (void)error;
    return sql_query(session, &select_kinds, NULL, 0, rows) ? SQL_COMMIT : SQL_FAIL;
}

static void values_of_every_kind_come_back_as_they_went(void **state)
{
    struct fixture *fixture = *state;
    struct sql_rows rows;
    assert_runs(fixture, SQL_WRITE, write_kinds, NULL, SQL_COMMIT);
    assert_runs(fixture, SQL_READ, read_kinds, &rows, SQL_COMMIT);
    assert_int_equal(rows.count, kind_count + 1);
    assert_int_equal(rows.column_count, 4);
    for (size_t i = 0; i < kind_count; i++) {
        const struct sql_value *row = rows.values + 4 * i;
        assert_int_equal(row[0].integer, i);
        assert_true(row[1].integer == wholes[i]);
        assert_int_equal(row[2].kind, SQL_TEXT);
        assert_true(text_equals_string(row[2].text, words[i]));
        assert_int_equal(row[2].text.data[row[2].text.size], 0);
        assert_int_equal(row[3].kind, SQL_BLOB);
        assert_true(text_equal(row[3].text, text_make(bytes, i == 0 ? 0 : sizeof bytes)));
    }
    for (size_t column = 1; column < 4; column++)
        assert_int_equal(rows.values[4 * kind_count + column].kind, SQL_NULL);
}

static const struct sql_statement select_sum = {
    .text = "SELECT sum(whole), count(*), max(id), 1 = 1 FROM kinds WHERE whole BETWEEN -1 AND 42",
};

static enum sql_verdict check_numbers(struct sql_session *session, void *context,
                                      struct error *error)
{
    struct sql_rows rows;
    (void)context;
    (void)error;
    if (!sql_query(session, &select_sum, NULL, 0, &rows))
        return SQL_FAIL;
    assert_int_equal(rows.count, 1);
    assert_int_equal(sql_rows_integer(&rows, 0, 0), 42);
    assert_int_equal(sql_rows_integer(&rows, 0, 1), 4);
    assert_int_equal(sql_rows_integer(&rows, 0, 2), 5);
    assert_int_equal(sql_rows_integer(&rows, 0, 3), 1);
    return SQL_COMMIT;
}

static void sums_counts_and_truths_are_integers(void **state)
{
    struct fixture *fixture = *state;
    assert_runs(fixture, SQL_WRITE, write_kinds, NULL, SQL_COMMIT);
    assert_runs(fixture, SQL_READ, check_numbers, NULL, SQL_COMMIT);
}

static enum sql_verdict ask_wrong_kind(struct sql_session *session, void *context,
                                       struct error *error)
{
    struct sql_rows rows;
    (void)context;
    (void)error;
    if (!sql_query(session, &select_kinds, NULL, 0, &rows))
        return SQL_FAIL;
    assert_int_equal(sql_rows_integer(&rows, 1, 2), 0);
    assert_true(sql_session_has_failed(session));
    return SQL_COMMIT; /* the store knows better */
}

static void a_column_of_another_kind_is_a_failure(void **state)
{
    struct fixture *fixture = *state;
    enum sql_verdict verdict;
    assert_runs(fixture, SQL_WRITE, write_kinds, NULL, SQL_COMMIT);
    struct error error = run(fixture, SQL_READ, ask_wrong_kind, NULL, &verdict);
    assert_int_equal(error.code, ERROR_DAMAGED);
    assert_int_equal(verdict, SQL_FAIL);
}

struct walk {
    int64_t sum;
    int rows;
    int stop_after;
};

static bool walk_row(void *context, const struct sql_value *values, size_t column_count)
{
    struct walk *walk = context;
    assert_int_equal(column_count, 1);
    walk->sum += values[0].integer;
    walk->rows++;
    return walk->rows != walk->stop_after;
}

static const struct sql_statement many_numbers = {
    .text = "WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers"
            " WHERE n < $1) SELECT n FROM numbers",
    .postgresql = "SELECT n FROM generate_series(1, $1::bigint) AS numbers (n)",
};

static enum sql_verdict walk_numbers(struct sql_session *session, void *context,
                                     struct error *error)
{
    struct walk *walk = context;
    const struct sql_value count = sql_integer(100000);
    struct sql_rows rows;
    (void)error;
    walk->sum = 0;
    walk->rows = 0;
    if (!sql_each(session, &many_numbers, &count, 1, walk_row, walk))
        return SQL_FAIL;
    /* The session is as good as before. */
    return sql_query(session, &select_kinds, NULL, 0, &rows) ? SQL_COMMIT : SQL_FAIL;
}

static void large_results_are_walked_row_by_row_and_may_be_left(void **state)
{
    struct fixture *fixture = *state;
    struct walk walk = {.stop_after = -1};
    assert_runs(fixture, SQL_READ, walk_numbers, &walk, SQL_COMMIT);
    assert_true(walk.sum == INT64_C(5000050000));
    walk.stop_after = 3;
    assert_runs(fixture, SQL_READ, walk_numbers, &walk, SQL_COMMIT);
    assert_int_equal(walk.rows, 3);
    assert_int_equal(walk.sum, 6);
}

/* --- verdicts --- */

static const struct sql_statement add_to_counter = {
    .text = "UPDATE counters SET value = value + $2 WHERE name = $1",
};
static const struct sql_statement select_counter = {
    .text = "SELECT value FROM counters WHERE name = $1",
};

static bool add(struct sql_session *session, const char *name, int64_t amount)
{
    const struct sql_value values[] = {sql_text(text_of(name)), sql_integer(amount)};
    return sql_enqueue(session, &add_to_counter, values, 2, 1);
}

static enum sql_verdict read_counter(struct sql_session *session, void *context,
                                     struct error *error)
{
    int64_t *value = context;
    const struct sql_value name = sql_text(text_of("a"));
    struct sql_rows rows;
    (void)error;
    if (!sql_query(session, &select_counter, &name, 1, &rows))
        return SQL_FAIL;
    *value = sql_rows_integer(&rows, 0, 0);
    return SQL_COMMIT;
}

static int64_t counter_a(struct fixture *fixture)
{
    int64_t value = -1;
    assert_runs(fixture, SQL_READ, read_counter, &value, SQL_COMMIT);
    return value;
}

static enum sql_verdict add_and_say(struct sql_session *session, void *context, struct error *error)
{
    enum sql_verdict verdict = *(enum sql_verdict *)context;
    if (!add(session, "a", 1))
        return SQL_FAIL;
    if (verdict == SQL_FAIL)
        *error = error_make(ERROR_LIMIT, "the script's own reason");
    return verdict;
}

static void a_refusal_and_a_failure_leave_no_trace(void **state)
{
    struct fixture *fixture = *state;
    enum sql_verdict verdict = SQL_COMMIT;
    assert_runs(fixture, SQL_WRITE, add_and_say, &verdict, SQL_COMMIT);
    verdict = SQL_ROLL_BACK;
    assert_runs(fixture, SQL_WRITE, add_and_say, &verdict, SQL_ROLL_BACK);
    verdict = SQL_FAIL;
    struct error error = run(fixture, SQL_WRITE, add_and_say, &verdict, NULL);
    assert_int_equal(error.code, ERROR_LIMIT);
    assert_string_equal(error.detail, "the script's own reason");
    assert_int_equal(counter_a(fixture), 1);
}

static const struct sql_statement wrong_words = {.text = "SELECT nothing FROM nowhere"};

static enum sql_verdict forget_the_error(struct sql_session *session, void *context,
                                         struct error *error)
{
    struct sql_rows rows;
    (void)context;
    (void)error;
    (void)add(session, "a", 1);
    assert_false(sql_query(session, &wrong_words, NULL, 0, &rows));
    assert_int_equal(rows.count, 0);
    assert_false(add(session, "a", 1));
    assert_false(sql_query(session, &select_kinds, NULL, 0, &rows));
    return SQL_COMMIT;
}

static void after_a_failed_statement_nothing_is_committed_whatever_the_script_says(void **state)
{
    struct fixture *fixture = *state;
    enum sql_verdict verdict;
    struct error error = run(fixture, SQL_WRITE, forget_the_error, NULL, &verdict);
    assert_int_equal(error.code, ERROR_INTERNAL);
    assert_non_null(strstr(error.detail, "nowhere"));
    assert_int_equal(verdict, SQL_FAIL);
    assert_int_equal(counter_a(fixture), 0);
}

static enum sql_verdict break_constraint(struct sql_session *session, void *context,
                                         struct error *error)
{
    (void)context;
    (void)error;
    return add(session, "a", -1) ? SQL_COMMIT : SQL_FAIL;
}

static enum sql_verdict miss_guard(struct sql_session *session, void *context, struct error *error)
{
    (void)context;
    (void)error;
    return add(session, "a", 1) && add(session, "nobody", 1) ? SQL_COMMIT : SQL_FAIL;
}

static void enqueued_statements_fail_the_script_at_the_latest_with_the_commit(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(run(fixture, SQL_WRITE, break_constraint, NULL, NULL).code, ERROR_INTERNAL);
    assert_int_equal(run(fixture, SQL_WRITE, miss_guard, NULL, NULL).code, ERROR_INTERNAL);
    assert_int_equal(counter_a(fixture), 0);
    enum sql_verdict verdict = SQL_COMMIT;
    assert_runs(fixture, SQL_WRITE, add_and_say, &verdict, SQL_COMMIT);
    assert_int_equal(counter_a(fixture), 1);
}

/* Counts to two in between: each query sees what was done before it, and only that. */
static enum sql_verdict ask_for_later(struct sql_session *session, void *context,
                                      struct error *error)
{
    int64_t *seen = context;
    const struct sql_value name = sql_text(text_of("a"));
    struct sql_rows rows[3];
    (void)error;
    if (!sql_query_later(session, &select_counter, &name, 1, &rows[0]) || !add(session, "a", 1) ||
        !sql_query_later(session, &select_counter, &name, 1, &rows[1]) || !add(session, "a", 1) ||
        !sql_query(session, &select_counter, &name, 1, &rows[2]))
        return SQL_FAIL;
    for (size_t i = 0; i < 3; i++)
        seen[i] = rows[i].count == 1 ? sql_rows_integer(&rows[i], 0, 0) : -1;
    return SQL_ROLL_BACK;
}

/* Its rows would come when their place is gone. */
static enum sql_verdict ask_in_vain(struct sql_session *session, void *context, struct error *error)
{
    const enum sql_verdict *verdict = context;
    const struct sql_value name = sql_text(text_of("a"));
    struct sql_rows rows;
    (void)error;
    bool asked = sql_query_later(session, &select_counter, &name, 1, &rows) &&
                 add(session, "a", 5) && sql_query_later(session, &select_counter, &name, 1, &rows);
    return asked ? *verdict : SQL_FAIL;
}

static const struct sql_statement select_nothing = {.text = "SELECT value FROM nowhere"};

static enum sql_verdict ask_for_nothing(struct sql_session *session, void *context,
                                        struct error *error)
{
    const struct sql_value name = sql_text(text_of("a"));
    struct sql_rows rows;
    (void)context;
    (void)error;
    (void)(sql_query_later(session, &select_nothing, NULL, 0, &rows) &&
           sql_query(session, &select_counter, &name, 1, &rows));
    assert_true(sql_session_has_failed(session));
    assert_int_equal(rows.count, 0);
    return SQL_COMMIT;
}

static void queries_for_later_see_what_was_done_before_them(void **state)
{
    struct fixture *fixture = *state;
    int64_t seen[3] = {-1, -1, -1};
    enum sql_verdict verdict = SQL_ROLL_BACK;
    assert_runs(fixture, SQL_WRITE, ask_for_later, seen, SQL_ROLL_BACK);
    for (int64_t i = 0; i < 3; i++)
        assert_int_equal(seen[i], i);
    assert_runs(fixture, SQL_WRITE, ask_in_vain, &verdict, SQL_ROLL_BACK);
    assert_int_equal(counter_a(fixture), 0);
    verdict = SQL_COMMIT;
    assert_runs(fixture, SQL_WRITE, ask_in_vain, &verdict, SQL_COMMIT);
    assert_int_equal(counter_a(fixture), 5);
    assert_int_equal(run(fixture, SQL_WRITE, ask_for_nothing, NULL, NULL).code, ERROR_INTERNAL);
}

static enum sql_verdict write_while_reading(struct sql_session *session, void *context,
                                            struct error *error)
{
    const struct sql_value values[] = {sql_text(text_of("a")), sql_integer(1)};
    (void)context;
    (void)error;
    return sql_execute(session, &add_to_counter, values, 2, NULL) ? SQL_COMMIT : SQL_FAIL;
}

static void a_read_job_cannot_write(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(run(fixture, SQL_READ, write_while_reading, NULL, NULL).code, ERROR_INTERNAL);
    assert_int_equal(counter_a(fixture), 0);
}

static enum sql_verdict insert_same_id(struct sql_session *session, void *context,
                                       struct error *error)
{
    const struct sql_value values[] = {sql_integer(7), sql_null(), sql_null(), sql_null()};
    int *runs = context;
    (void)error;
    (*runs)++;
    return sql_execute(session, &insert_kind, values, 4, NULL) ? SQL_COMMIT : SQL_FAIL;
}

static void a_unique_violation_that_stays_is_a_mistake_of_the_script(void **state)
{
    struct fixture *fixture = *state;
    int runs = 0;
    assert_runs(fixture, SQL_WRITE, insert_same_id, &runs, SQL_COMMIT);
    struct error error = run(fixture, SQL_WRITE, insert_same_id, &runs, NULL);
    assert_int_equal(error.code, ERROR_INTERNAL);
    assert_true(runs >= 2);
}

/* --- time --- */

struct times {
    int64_t locked_max_us;
    int64_t first_us;
    int64_t second_us;
};

static const struct sql_statement set_time = {
    .text = "UPDATE counters SET time_us = $2 WHERE name = $1",
};

static enum sql_verdict read_times(struct sql_session *session, void *context, struct error *error)
{
    struct times *times = context;
    (void)error;
    if (!sql_session_now_us(session, 0, &times->first_us) ||
        !sql_session_now_us(session, times->locked_max_us, &times->second_us))
        return SQL_FAIL;
    const struct sql_value values[] = {sql_text(text_of("a")), sql_integer(times->second_us)};
    return sql_enqueue(session, &set_time, values, 2, 1) ? SQL_COMMIT : SQL_FAIL;
}

static void now_is_the_same_within_a_step_and_never_below_what_is_stored(void **state)
{
    struct fixture *fixture = *state;
    struct times times = {0};
    assert_runs(fixture, SQL_WRITE, read_times, &times, SQL_COMMIT);
    assert_true(times.first_us == times.second_us);
    int64_t real_us = clock_now_us(clock_system());
    assert_true(times.first_us > real_us - 60000000 && times.first_us < real_us + 60000000);
    struct times later = {.locked_max_us = times.first_us + INT64_C(3600000000)};
    assert_runs(fixture, SQL_WRITE, read_times, &later, SQL_COMMIT);
    assert_true(later.first_us >= times.first_us);
    assert_true(later.second_us == later.locked_max_us);
}

/* --- many at once --- */

enum { crowd = 400 };

struct visitor {
    struct sql_job job;
    struct arena arena;
    int number;
    int done_count;
    struct error error;
};

/* Two counters in one order; every third visitor is refused, every seventh hurts a constraint. */
static enum sql_verdict visit(struct sql_session *session, void *context, struct error *error)
{
    const struct visitor *visitor = context;
    (void)error;
    if (!add(session, "a", 1) || !add(session, "b", 1))
        return SQL_FAIL;
    if (visitor->number % 7 == 0)
        return add(session, "a", -1000000) ? SQL_COMMIT : SQL_FAIL;
    return visitor->number % 3 == 0 ? SQL_ROLL_BACK : SQL_COMMIT;
}

static void visit_done(struct sql_job *job, const struct error *error)
{
    struct visitor *visitor = job->context;
    visitor->done_count++;
    visitor->error = error == NULL ? error_none() : *error;
}

static void wait_for(struct fixture *fixture, const struct visitor *visitors, int count)
{
    int done = 0;
    while (done < count) {
        assert_true(test_executor_wait(&fixture->executor, wait_us_max));
        test_executor_run_all(&fixture->executor);
        done = 0;
        for (int i = 0; i < count; i++)
            done += visitors[i].done_count;
    }
    assert_int_equal(done, count);
}

static void assert_metrics(struct fixture *fixture, int committed)
{
    struct buffer text;
    char line[80];
    buffer_init(&text, 65536);
    assert_true(sql_store_write_metrics(fixture->store, &text));
    assert_true(buffer_append(&text, "", 1));
    assert_non_null(strstr(text.data, "# TYPE waybill_behaviour_sql_jobs_total counter\n"));
    assert_non_null(strstr(text.data, "\nwaybill_behaviour_sql_available 1\n"));
    snprintf(line, sizeof line, "\nwaybill_behaviour_sql_commits_total ");
    const char *commits = strstr(text.data, line);
    assert_non_null(commits);
    assert_in_range(strtoll(commits + strlen(line), NULL, 10), 1, (unsigned)committed + 1);
    buffer_deinit(&text);
}

static void jobs_that_meet_get_each_their_own_answer(void **state)
{
    struct fixture *fixture = *state;
    struct visitor *visitors = calloc(crowd, sizeof *visitors);
    int expected = 0;
    for (int i = 0; i < crowd; i++) {
        struct visitor *visitor = &visitors[i];
        visitor->number = i;
        arena_init(&visitor->arena, arena_bytes_max);
        visitor->job = (struct sql_job){
            .executor = &fixture->executor.base,
            .arena = &visitor->arena,
            .access = SQL_WRITE,
            .script = visit,
            .context = visitor,
        };
        sql_store_submit(fixture->store, &visitor->job, visit_done);
        assert_int_equal(visitor->done_count, 0); /* never before submit returns */
    }
    wait_for(fixture, visitors, crowd);
    for (int i = 0; i < crowd; i++) {
        struct visitor *visitor = &visitors[i];
        assert_int_equal(visitor->done_count, 1);
        if (i % 7 == 0) {
            assert_int_equal(visitor->error.code, ERROR_INTERNAL);
        } else {
            assert_int_equal(visitor->error.code, ERROR_NONE);
            assert_int_equal(visitor->job.verdict, i % 3 == 0 ? SQL_ROLL_BACK : SQL_COMMIT);
            expected += i % 3 != 0;
        }
        arena_deinit(&visitor->arena);
    }
    assert_int_equal(counter_a(fixture), expected);
    assert_true(sql_store_usage(fixture->store).jobs >= crowd);
    assert_int_equal(sql_store_usage(fixture->store).queued_jobs, 0);
    assert_metrics(fixture, expected);
    free(visitors);
}

static void a_job_whose_time_is_over_is_not_begun(void **state)
{
    struct fixture *fixture = *state;
    enum sql_verdict verdict = SQL_COMMIT;
    struct sql_job job = {
        .arena = &fixture->arena,
        .access = SQL_WRITE,
        .deadline_us = 1,
        .script = add_and_say,
        .context = &verdict,
    };
    assert_int_equal(sql_store_run(fixture->store, &job).code, ERROR_DEADLINE);
    assert_int_equal(counter_a(fixture), 0);
    assert_int_equal(sql_store_usage(fixture->store).deadlines_passed, 1);
}

static void what_was_committed_is_there_after_a_restart(void **state)
{
    struct fixture *fixture = *state;
    struct times times = {.locked_max_us = clock_now_us(clock_system()) + INT64_C(3600000000)};
    struct times again = {0};
    enum sql_verdict verdict = SQL_COMMIT;
    assert_runs(fixture, SQL_WRITE, add_and_say, &verdict, SQL_COMMIT);
    assert_runs(fixture, SQL_WRITE, read_times, &times, SQL_COMMIT);
    sql_store_close(fixture->store);
    open_store(fixture);
    assert_int_equal(counter_a(fixture), 1);
    assert_runs(fixture, SQL_WRITE, read_times, &again, SQL_COMMIT);
    if (!fixture->kit.is_postgresql) /* one clock a file: it does not run back over a restart */
        assert_true(again.first_us >= times.second_us);
}

#define BEHAVIOUR(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        BEHAVIOUR(values_of_every_kind_come_back_as_they_went),
        BEHAVIOUR(sums_counts_and_truths_are_integers),
        BEHAVIOUR(a_column_of_another_kind_is_a_failure),
        BEHAVIOUR(large_results_are_walked_row_by_row_and_may_be_left),
        BEHAVIOUR(a_refusal_and_a_failure_leave_no_trace),
        BEHAVIOUR(after_a_failed_statement_nothing_is_committed_whatever_the_script_says),
        BEHAVIOUR(enqueued_statements_fail_the_script_at_the_latest_with_the_commit),
        BEHAVIOUR(queries_for_later_see_what_was_done_before_them),
        BEHAVIOUR(a_read_job_cannot_write),
        BEHAVIOUR(a_unique_violation_that_stays_is_a_mistake_of_the_script),
        BEHAVIOUR(now_is_the_same_within_a_step_and_never_below_what_is_stored),
        BEHAVIOUR(jobs_that_meet_get_each_their_own_answer),
        BEHAVIOUR(a_job_whose_time_is_over_is_not_begun),
        BEHAVIOUR(what_was_committed_is_there_after_a_restart),
    };
    return cmocka_run_group_tests_name("sql_behaviour", tests, NULL, NULL);
}
