/*
 * Migrations on either database: applied in order and once, also by two who start together; what
 * was changed afterwards, and what is newer than this program, is refused; one that fails leaves no
 * trace.
 */
#include "platform/sql/sql_migrations.h"
#include "tests/support/sql/sql_kit.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { arena_bytes_max = 16 * 1024 * 1024 };

/* Both dialects understand these. */
static const struct sql_migration three[] = {
    {1, "goods", "CREATE TABLE goods (id INTEGER PRIMARY KEY, name TEXT NOT NULL)"},
    {2, "two_at_once",
     "ALTER TABLE goods ADD COLUMN weight INTEGER NOT NULL DEFAULT 0;\n"
     "-- a comment; with a semicolon\n"
     "INSERT INTO goods (id, name, weight) VALUES (1, 'a;b', 5);\n"},
    {3, "more", "UPDATE goods SET weight = weight + 1; CREATE TABLE more (id INTEGER PRIMARY KEY)"},
};

static struct sql_migration_set set_of(const struct sql_migration *items, size_t count)
{
    return (struct sql_migration_set){
        .context = "goods",
        .sqlite = items,
        .sqlite_count = count,
        .postgresql = items,
        .postgresql_count = count,
    };
}

static struct error open_with(struct sql_kit *kit, const struct sql_migration *items, size_t count,
                              enum sql_migrate migrate, struct sql_store **store)
{
    struct sql_migration_set set = set_of(items, count);
    const struct sql_migration_set *sets[] = {&set};
    struct sql_store_options options = sql_store_options_default();
    options.url = kit->url;
    options.name = "goods";
    options.migrations = sets;
    options.migration_count = 1;
    options.migrate = migrate;
    options.thread_count = 2;
    *store = NULL;
    return sql_store_open(store, &options);
}

/* Opens and closes; the error. */
static struct error try_open(struct sql_kit *kit, const struct sql_migration *items, size_t count,
                             enum sql_migrate migrate)
{
    struct sql_store *store;
    struct error error = open_with(kit, items, count, migrate, &store);
    sql_store_close(store);
    return error;
}

static void assert_opens(struct sql_kit *kit, const struct sql_migration *items, size_t count)
{
    struct error error = try_open(kit, items, count, SQL_MIGRATE_AUTO);
    if (error_is(error))
        fail_msg("%s: %s", error_text(error.code), error.detail);
}

static const struct sql_statement select_weight = {.text = "SELECT weight FROM goods"};

static enum sql_verdict read_weight(struct sql_session *session, void *context, struct error *error)
{
    int64_t *weight = context;
    struct sql_rows rows;
    (void)error;
    if (!sql_query(session, &select_weight, NULL, 0, &rows))
        return SQL_FAIL;
    *weight = rows.count == 1 ? sql_rows_integer(&rows, 0, 0) : -1;
    return SQL_COMMIT;
}

static int64_t weight_after(struct sql_kit *kit, const struct sql_migration *items, size_t count)
{
    struct sql_store *store;
    struct arena arena;
    int64_t weight = 0;
    arena_init(&arena, arena_bytes_max);
    struct error error = open_with(kit, items, count, SQL_MIGRATE_AUTO, &store);
    if (!error_is(error))
        error = sql_kit_run(store, &arena, SQL_READ, read_weight, &weight, NULL);
    if (error_is(error))
        fail_msg("%s: %s", error_text(error.code), error.detail);
    sql_store_close(store);
    arena_deinit(&arena);
    return weight;
}

static void states_of(struct sql_kit *kit, const struct sql_migration *items, size_t count,
                      char *out, size_t size)
{
    static const char letters[] = "APCU";
    struct sql_migration_set set = set_of(items, count);
    const struct sql_migration_set *sets[] = {&set};
    struct sql_store_options options = sql_store_options_default();
    struct sql_migration_list list;
    struct arena arena;
    options.url = kit->url;
    options.name = "goods";
    options.migrations = sets;
    options.migration_count = 1;
    arena_init(&arena, arena_bytes_max);
    struct error error = sql_migrations_status(&options, &arena, &list);
    if (error_is(error))
        fail_msg("%s: %s", error_text(error.code), error.detail);
    assert_true(list.count < size);
    for (size_t i = 0; i < list.count; i++) {
        assert_int_equal(list.items[i].number, i + 1);
        assert_true((list.items[i].applied_time_us > 0) ==
                    (list.items[i].state != SQL_MIGRATION_PENDING));
        out[i] = letters[list.items[i].state];
    }
    out[list.count] = '\0';
    arena_deinit(&arena);
}

/* --- cases --- */

static void applied_in_order_and_once(void **state)
{
    struct sql_kit kit;
    (void)state;
    sql_kit_init(&kit);
    assert_int_equal(weight_after(&kit, three, 3), 6);
    assert_int_equal(weight_after(&kit, three, 3), 6);
    sql_kit_deinit(&kit);
}

static void from_every_earlier_version_with_data(void **state)
{
    (void)state;
    for (size_t earlier = 0; earlier <= 3; earlier++) {
        struct sql_kit kit;
        sql_kit_init(&kit);
        assert_opens(&kit, three, earlier);
        if (earlier == 1)
            sql_kit_execute(&kit, "INSERT INTO goods (id, name) VALUES (7, 'old')");
        assert_opens(&kit, three, 3);
        if (earlier == 1)
            sql_kit_execute(&kit, "DELETE FROM goods WHERE id = 7 AND weight = 1");
        assert_int_equal(weight_after(&kit, three, 3), 6);
        sql_kit_deinit(&kit);
    }
}

static void status_tells_and_changes_nothing(void **state)
{
    struct sql_kit kit;
    char states[16];
    (void)state;
    sql_kit_init(&kit);
    states_of(&kit, three, 3, states, sizeof states);
    assert_string_equal(states, "PPP");
    states_of(&kit, three, 3, states, sizeof states);
    assert_string_equal(states, "PPP");
    assert_opens(&kit, three, 2);
    states_of(&kit, three, 3, states, sizeof states);
    assert_string_equal(states, "AAP");
    states_of(&kit, three, 1, states, sizeof states);
    assert_string_equal(states, "AU");
    sql_kit_deinit(&kit);
}

static void a_file_in_use_can_be_looked_at(void **state)
{
    struct sql_kit kit;
    struct sql_store *store;
    char states[16];
    (void)state;
    sql_kit_init(&kit);
    assert_int_equal(open_with(&kit, three, 3, SQL_MIGRATE_AUTO, &store).code, ERROR_NONE);
    states_of(&kit, three, 3, states, sizeof states);
    assert_string_equal(states, "AAA");
    sql_store_close(store);
    sql_kit_deinit(&kit);
}

static void a_migration_changed_afterwards_is_refused_by_name(void **state)
{
    struct sql_migration changed[3];
    struct sql_kit kit;
    char states[16];
    (void)state;
    sql_kit_init(&kit);
    assert_opens(&kit, three, 3);
    memcpy(changed, three, sizeof changed);
    changed[1].text = "ALTER TABLE goods ADD COLUMN weight INTEGER NOT NULL DEFAULT 1";
    struct error error = try_open(&kit, changed, 3, SQL_MIGRATE_AUTO);
    assert_int_equal(error.code, ERROR_DAMAGED);
    assert_non_null(strstr(error.detail, "goods/0002_two_at_once was changed"));
    states_of(&kit, changed, 3, states, sizeof states);
    assert_string_equal(states, "ACA");
    assert_int_equal(weight_after(&kit, three, 3), 6);
    sql_kit_deinit(&kit);
}

static void an_older_program_refuses_a_newer_schema(void **state)
{
    struct sql_kit kit;
    (void)state;
    sql_kit_init(&kit);
    assert_opens(&kit, three, 3);
    struct error error = try_open(&kit, three, 2, SQL_MIGRATE_AUTO);
    assert_int_equal(error.code, ERROR_DAMAGED);
    assert_non_null(strstr(error.detail, "newer than this program"));
    assert_non_null(strstr(error.detail, "goods/0003_more"));
    sql_kit_deinit(&kit);
}

static void pending_migrations_can_be_refused(void **state)
{
    struct sql_kit kit;
    char states[16];
    (void)state;
    sql_kit_init(&kit);
    assert_opens(&kit, three, 2);
    struct error error = try_open(&kit, three, 3, SQL_MIGRATE_REFUSE);
    assert_int_equal(error.code, ERROR_INVALID_SETTING);
    assert_non_null(strstr(error.detail, "waybill migrate up"));
    states_of(&kit, three, 3, states, sizeof states);
    assert_string_equal(states, "AAP");
    assert_opens(&kit, three, 3);
    assert_int_equal(try_open(&kit, three, 3, SQL_MIGRATE_REFUSE).code, ERROR_NONE);
    sql_kit_deinit(&kit);
}

static void one_that_fails_leaves_no_trace_and_can_be_mended(void **state)
{
    struct sql_migration broken[3];
    struct sql_kit kit;
    char states[16];
    (void)state;
    sql_kit_init(&kit);
    memcpy(broken, three, sizeof broken);
    broken[2].text = "UPDATE goods SET weight = 1000; CREATE TABLE more (id INTEGER PRIMARY KEY);"
                     "INSERT INTO nowhere VALUES (1)";
    struct error error = try_open(&kit, broken, 3, SQL_MIGRATE_AUTO);
    assert_true(error_is(error));
    assert_non_null(strstr(error.detail, "nowhere"));
    states_of(&kit, three, 3, states, sizeof states);
    assert_string_equal(states, "AAP");
    assert_int_equal(weight_after(&kit, three, 3), 6);
    sql_kit_deinit(&kit);
}

/* --- two starters --- */

enum { starters = 6 };

struct starter {
    struct sql_kit *kit;
    pthread_barrier_t *barrier;
    pthread_t thread;
    struct error error;
};

static void *start(void *context)
{
    struct starter *starter = context;
    pthread_barrier_wait(starter->barrier);
    do /* SQLite: one process owns the file; who comes second tries again */
        starter->error = try_open(starter->kit, three, 3, SQL_MIGRATE_AUTO);
    while (starter->error.code == ERROR_LOCKED);
    return NULL;
}

static void who_start_together_take_turns(void **state)
{
    (void)state;
    for (int round = 0; round < 5; round++) {
        struct sql_kit kit;
        struct starter all[starters];
        pthread_barrier_t barrier;
        sql_kit_init(&kit);
        pthread_barrier_init(&barrier, NULL, starters);
        for (int i = 0; i < starters; i++) {
            all[i] = (struct starter){.kit = &kit, .barrier = &barrier};
            assert_int_equal(pthread_create(&all[i].thread, NULL, start, &all[i]), 0);
        }
        for (int i = 0; i < starters; i++) {
            pthread_join(all[i].thread, NULL);
            if (error_is(all[i].error))
                fail_msg("%s: %s", error_text(all[i].error.code), all[i].error.detail);
        }
        pthread_barrier_destroy(&barrier);
        assert_int_equal(weight_after(&kit, three, 3), 6);
        sql_kit_deinit(&kit);
    }
}

static void a_second_owner_of_a_file_is_refused(void **state)
{
    struct sql_kit kit;
    struct sql_store *store;
    (void)state;
    sql_kit_init(&kit);
    assert_int_equal(open_with(&kit, three, 3, SQL_MIGRATE_AUTO, &store).code, ERROR_NONE);
    assert_int_equal(try_open(&kit, three, 3, SQL_MIGRATE_AUTO).code, ERROR_LOCKED);
    sql_store_close(store);
    assert_opens(&kit, three, 3);
    sql_kit_deinit(&kit);
}

static void what_is_no_database_is_refused(void **state)
{
    struct sql_kit kit;
    (void)state;
    sql_kit_init(&kit);
    snprintf(kit.url, sizeof kit.url, "mysql://localhost");
    assert_int_equal(try_open(&kit, three, 3, SQL_MIGRATE_AUTO).code, ERROR_INVALID_SETTING);
    snprintf(kit.url, sizeof kit.url, "sqlite:%s/text", kit.directory.path);
    FILE *file = fopen(kit.url + strlen("sqlite:"), "w");
    assert_non_null(file);
    for (int i = 0; i < 1000; i++)
        fprintf(file, "this is a text and no database\n");
    fclose(file);
    assert_int_equal(try_open(&kit, three, 3, SQL_MIGRATE_AUTO).code, ERROR_DAMAGED);
    snprintf(kit.url, sizeof kit.url, "postgresql://nobody@127.0.0.1:1/none");
    struct error error = try_open(&kit, three, 3, SQL_MIGRATE_AUTO);
    assert_int_equal(error.code, ERROR_STORE_UNAVAILABLE);
    sql_kit_deinit(&kit);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(applied_in_order_and_once),
        cmocka_unit_test(from_every_earlier_version_with_data),
        cmocka_unit_test(status_tells_and_changes_nothing),
        cmocka_unit_test(a_file_in_use_can_be_looked_at),
        cmocka_unit_test(a_migration_changed_afterwards_is_refused_by_name),
        cmocka_unit_test(an_older_program_refuses_a_newer_schema),
        cmocka_unit_test(pending_migrations_can_be_refused),
        cmocka_unit_test(one_that_fails_leaves_no_trace_and_can_be_mended),
        cmocka_unit_test(who_start_together_take_turns),
        cmocka_unit_test(what_is_no_database_is_refused),
        /* of a file only */
        cmocka_unit_test(a_second_owner_of_a_file_is_refused),
    };
    enum { count = sizeof tests / sizeof tests[0], count_on_a_file = 1 };
    size_t wanted = sql_kit_runs_on_postgresql() ? count - count_on_a_file : count;
    return _cmocka_run_group_tests("sql_migrations", tests, wanted, NULL, NULL);
}
