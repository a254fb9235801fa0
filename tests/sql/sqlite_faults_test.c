/*
 * RELIABILITY rows 7, 8 and 9 for SQLite, on the caller's thread: the k-th sync or write fails, for
 * every k, and nothing is answered after it; there is no space from the k-th write on, and then
 * there is again; the n-th allocation fails, for every n. Whatever was answered is there
 * afterwards, whatever was refused is not.
 */
#include "platform/base/memory.h"
#include "tests/support/sql/fault_vfs.h"
#include "tests/support/sql/sql_kit.h"
#include "tests/support/test_executor.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { arena_bytes_max = 16 * 1024 * 1024, batch_count = 6, batch_size = 5, row_bytes = 3000 };

static const struct sql_migration migrations[] = {
    {1, "rows", "CREATE TABLE rows (number INTEGER PRIMARY KEY, content TEXT NOT NULL) STRICT"},
};
static const struct sql_migration_set set = {
    .context = "faults",
    .sqlite = migrations,
    .sqlite_count = 1,
};
static const struct sql_migration_set *const sets[] = {&set};

struct row_job {
    struct sql_job job;
    int64_t number;
    bool refuse;
    bool answered;
    struct error error;
};

struct fixture {
    struct sql_kit kit;
    struct sql_store *store;
    struct test_executor executor;
    struct arena arena;
    struct row_job jobs[batch_count * batch_size];
    char content[row_bytes];
};

static struct fixture fixture;

static struct error open_store(void)
{
    struct sql_store_options options = sql_store_options_default();
    options.url = fixture.kit.url;
    options.name = "faults";
    options.migrations = sets;
    options.migration_count = 1;
    options.threaded = false;
    return sql_store_open(&fixture.store, &options);
}

static void begin(void)
{
    memset(&fixture, 0, sizeof fixture);
    memset(fixture.content, 'x', sizeof fixture.content);
    sql_kit_init(&fixture.kit);
    test_executor_init(&fixture.executor);
    arena_init(&fixture.arena, arena_bytes_max);
}

static void end(void)
{
    sql_store_close(fixture.store);
    fixture.store = NULL;
    test_executor_deinit(&fixture.executor);
    arena_deinit(&fixture.arena);
    sql_kit_deinit(&fixture.kit);
}

static const struct sql_statement insert_row = {
    .text = "INSERT INTO rows (number, content) VALUES ($1, $2)",
};
static const struct sql_statement select_numbers = {
    .text = "SELECT number FROM rows ORDER BY number",
};

static enum sql_verdict write_row(struct sql_session *session, void *context, struct error *error)
{
    const struct row_job *job = context;
    const struct sql_value values[] = {
        sql_integer(job->number),
        sql_text(text_make(fixture.content, sizeof fixture.content)),
    };
    int64_t now_us;
    (void)error;
    if (!sql_session_now_us(session, 0, &now_us) ||
        !sql_execute(session, &insert_row, values, 2, NULL))
        return SQL_FAIL;
    return job->refuse ? SQL_ROLL_BACK : SQL_COMMIT;
}

static void row_done(struct sql_job *job, const struct error *error)
{
    struct row_job *row = job->context;
    assert_false(row->answered);
    row->answered = true;
    row->error = error == NULL ? error_none() : *error;
}

static void submit(struct row_job *row, int64_t number)
{
    *row = (struct row_job){
        .job =
            {
                .executor = &fixture.executor.base,
                .arena = &fixture.arena,
                .access = SQL_WRITE,
                .script = write_row,
                .context = row,
            },
        .number = number,
        .refuse = number % 5 == 3,
    };
    sql_store_submit(fixture.store, &row->job, row_done);
}

static void submit_batch(int batch)
{
    for (int i = 0; i < batch_size; i++)
        submit(&fixture.jobs[batch * batch_size + i], batch * batch_size + i);
}

static struct error step(void)
{
    struct error error = sql_store_step(fixture.store);
    test_executor_run_all(&fixture.executor);
    return error;
}

static enum sql_verdict read_numbers(struct sql_session *session, void *context,
                                     struct error *error)
{
    struct sql_rows *rows = context;
    (void)error;
    return sql_query(session, &select_numbers, NULL, 0, rows) ? SQL_COMMIT : SQL_FAIL;
}

/* By number: whether its row is there. */
static void read_present(bool *present, size_t count)
{
    struct sql_rows rows;
    memset(present, 0, count * sizeof *present);
    struct error error =
        sql_kit_run(fixture.store, &fixture.arena, SQL_READ, read_numbers, &rows, NULL);
    if (error_is(error))
        fail_msg("%s: %s", error_text(error.code), error.detail);
    for (size_t i = 0; i < rows.count; i++)
        present[sql_rows_integer(&rows, i, 0)] = true;
}

/* What was answered as committed is there; what was refused or failed is not, unless unanswered. */
static void assert_consistent(int count)
{
    bool present[batch_count * batch_size];
    read_present(present, sizeof present / sizeof present[0]);
    for (int i = 0; i < count; i++) {
        const struct row_job *row = &fixture.jobs[i];
        bool committed = row->answered && !error_is(row->error) && row->job.verdict == SQL_COMMIT;
        if (committed != present[i] && (row->answered || row->refuse))
            fail_msg("row %d: %s, but %s", i, committed ? "committed" : "not committed",
                     present[i] ? "there" : "not there");
    }
}

/* --- failed syncs and writes --- */

/* False: the fault was never reached. *count: how many there are in a run, as far as is known. */
static bool one_fault_is_fatal(_Atomic int64_t *fault, int64_t number,
                               const _Atomic int64_t *counter, int64_t *count)
{
    struct error error = error_none();
    int batch = 0;
    begin();
    fault_vfs_reset();
    atomic_store(fault, number);
    error = open_store();
    bool opened = !error_is(error);
    for (; opened && batch < batch_count && !error_is(error); batch++) {
        submit_batch(batch);
        error = step();
    }
    bool reached = error_is(error);
    if (!reached)
        *count = atomic_load(counter);
    else if (*count <= number + 1)
        *count = number + 2;
    if (reached && opened) {
        assert_int_equal(error.code, ERROR_INPUT_OUTPUT);
        assert_true(error_is(step())); /* it stays failed, and answers nothing */
        for (int i = 0; i < batch_size; i++)
            assert_false(fixture.jobs[(batch - 1) * batch_size + i].answered);
    }
    sql_store_close(fixture.store);
    fixture.store = NULL;
    fault_vfs_reset();
    error = open_store();
    if (error_is(error))
        fail_msg("fault %lld: not opened again: %s", (long long)number, error.detail);
    assert_consistent(batch * batch_size);
    submit(&fixture.jobs[0], 1000);
    assert_false(error_is(step()));
    assert_false(error_is(fixture.jobs[0].error));
    end();
    return reached;
}

/* Every k, until k is beyond what a whole run takes. */
static void every_fault_is_fatal(_Atomic int64_t *fault, const _Atomic int64_t *counter,
                                 const char *name)
{
    int64_t fatal = 0;
    int64_t total = 1;
    for (int64_t number = 0; number < total; number++)
        fatal += one_fault_is_fatal(fault, number, counter, &total);
    printf("# %lld %s, %lld fatal\n", (long long)total, name, (long long)fatal);
    assert_true(total > batch_count);
    assert_int_equal(fatal, total);
}

static void a_failed_sync_is_fatal_whichever_it_is(void **state)
{
    (void)state;
    every_fault_is_fatal(&fault_vfs.fail_sync, &fault_vfs.syncs, "syncs");
}

static void a_failed_write_is_fatal_whichever_it_is(void **state)
{
    (void)state;
    every_fault_is_fatal(&fault_vfs.fail_write, &fault_vfs.writes, "writes");
}

/* --- no space --- */

static void without_space_from(int64_t number)
{
    bool present[batch_count * batch_size];
    begin();
    fault_vfs_reset();
    assert_false(error_is(open_store()));
    int64_t before = atomic_load(&fault_vfs.writes);
    atomic_store(&fault_vfs.full_from, before + number);
    for (int batch = 0; batch < batch_count - 1; batch++) {
        submit_batch(batch);
        assert_false(error_is(step()));
        for (int i = 0; i < batch_size; i++) {
            const struct row_job *row = &fixture.jobs[batch * batch_size + i];
            assert_true(row->answered);
            if (error_is(row->error))
                assert_int_equal(row->error.code, ERROR_DISK_FULL);
        }
        read_present(present, sizeof present / sizeof present[0]); /* reads go on */
    }
    atomic_store(&fault_vfs.full_from, -1); /* space again: no restart */
    submit_batch(batch_count - 1);
    assert_false(error_is(step()));
    for (int i = 0; i < batch_size; i++)
        assert_false(error_is(fixture.jobs[(batch_count - 1) * batch_size + i].error));
    assert_consistent(batch_count * batch_size);
    sql_store_close(fixture.store);
    assert_false(error_is(open_store()));
    assert_consistent(batch_count * batch_size);
    end();
}

static void without_space_writes_are_refused_reads_go_on_and_space_mends_it(void **state)
{
    (void)state;
    for (int64_t number = 0; number < 60; number++)
        without_space_from(number);
}

/* --- allocations --- */

/* False: no allocation was left to fail. */
static bool open_with_failing_allocation(uint64_t number)
{
    begin();
    uint64_t before = memory_allocation_count();
    memory_fail_after(number, 0);
    struct error error = open_store();
    bool reached = memory_allocation_count() - before > number;
    memory_fail_after(UINT64_MAX, 0);
    if (error_is(error) && error.code != ERROR_OUT_OF_MEMORY)
        fail_msg("allocation %llu: %s: %s", (unsigned long long)number, error_text(error.code),
                 error.detail);
    sql_store_close(fixture.store);
    fixture.store = NULL;
    error = open_store();
    if (error_is(error))
        fail_msg("allocation %llu: afterwards: %s", (unsigned long long)number, error.detail);
    end();
    return reached;
}

static void an_allocation_that_fails_while_opening_is_an_error_and_leaves_no_harm(void **state)
{
    uint64_t number = 0;
    (void)state;
    fault_vfs_reset();
    while (open_with_failing_allocation(number))
        number++;
    printf("# %llu allocations\n", (unsigned long long)number);
    assert_true(number > 50);
}

static bool run_with_failing_allocation(uint64_t number, int repeat)
{
    bool present[batch_count * batch_size];
    struct sql_rows rows;
    begin();
    assert_false(error_is(open_store()));
    uint64_t before = memory_allocation_count();
    submit_batch(0);
    memory_fail_after(number, repeat);
    struct error error = sql_store_step(fixture.store);
    struct error read_error =
        sql_kit_run(fixture.store, &fixture.arena, SQL_READ, read_numbers, &rows, NULL);
    bool reached = memory_allocation_count() - before > number;
    memory_fail_after(UINT64_MAX, 0);
    test_executor_run_all(&fixture.executor);
    assert_false(error_is(error));
    if (error_is(read_error))
        assert_int_equal(read_error.code, ERROR_OUT_OF_MEMORY);
    for (int i = 0; i < batch_size; i++) {
        assert_true(fixture.jobs[i].answered);
        if (error_is(fixture.jobs[i].error))
            assert_int_equal(fixture.jobs[i].error.code, ERROR_OUT_OF_MEMORY);
    }
    submit_batch(1);
    assert_false(error_is(step()));
    for (int i = 0; i < batch_size; i++)
        assert_false(error_is(fixture.jobs[batch_size + i].error));
    assert_consistent(2 * batch_size);
    read_present(present, sizeof present / sizeof present[0]);
    end();
    return reached;
}

static void an_allocation_that_fails_in_a_batch_does_no_half_thing(void **state)
{
    uint64_t number = 0;
    (void)state;
    fault_vfs_reset();
    while (run_with_failing_allocation(number, 0) || run_with_failing_allocation(number, 1))
        number++;
    printf("# %llu allocations\n", (unsigned long long)number);
    assert_true(number > 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_failed_sync_is_fatal_whichever_it_is),
        cmocka_unit_test(a_failed_write_is_fatal_whichever_it_is),
        cmocka_unit_test(without_space_writes_are_refused_reads_go_on_and_space_mends_it),
        cmocka_unit_test(an_allocation_that_fails_while_opening_is_an_error_and_leaves_no_harm),
        cmocka_unit_test(an_allocation_that_fails_in_a_batch_does_no_half_thing),
    };
    return cmocka_run_group_tests_name("sqlite_faults", tests, NULL, NULL);
}
