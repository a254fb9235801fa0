/* One command at a time, asked and waited for. */
#include "tests/support/fulfillment_kit.h"

#include "fulfillment/interfaces/events/fulfillment_events.h"
#include "main/migrations.h"
#include "platform/base/check.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const int64_t start_us = INT64_C(1800000000) * 1000000;

enum { arena_bytes_max = 64 * 1024 * 1024, answer_us_max = 60000000 };

static void open_store(struct fulfillment_kit *kit)
{
    struct sql_store_options options = sql_store_options_default();
    const struct sql_migration_set *migrations[] = {migrations_of("fulfillment")};
    options.url = kit->sql.url;
    options.name = "fulfillment";
    options.migrations = migrations;
    options.migration_count = 1;
    options.threaded = !kit->is_stepped;
    if (!kit->sql.is_postgresql)
        options.clock = &kit->clock.base;
    struct error error = sql_store_open(&kit->store, &options);
    if (error_is(error))
        fail_msg("%s: %s", error_text(error.code), error.detail);
    sql_outbox_init(&kit->outbox, "fulfillment", UINT64_C(1) << 40, random_system());
    const struct sql_fulfillment_options fulfillment = {
        .store = kit->store, .outbox = &kit->outbox, .encode = fulfillment_events_encode};
    error = sql_fulfillment_repository_open(&kit->repository, &fulfillment);
    if (error_is(error))
        fail_msg("%s: %s", error_text(error.code), error.detail);
}

static void init(struct fulfillment_kit *kit, bool is_stepped)
{
    memset(kit, 0, sizeof *kit);
    kit->is_stepped = is_stepped;
    sql_kit_init(&kit->sql);
    fake_clock_init(&kit->clock, start_us);
    test_executor_init(&kit->executor);
    arena_init(&kit->arena, arena_bytes_max);
    open_store(kit);
}

void fulfillment_kit_init(struct fulfillment_kit *kit)
{
    init(kit, false);
}

void fulfillment_kit_init_stepped(struct fulfillment_kit *kit)
{
    init(kit, true);
}

void fulfillment_kit_step(struct fulfillment_kit *kit)
{
    struct error error = sql_store_step(kit->store);
    if (error_is(error))
        fail_msg("%s: %s", error_text(error.code), error.detail);
}

static void close_store(struct fulfillment_kit *kit)
{
    sql_fulfillment_repository_close(kit->repository);
    sql_store_close(kit->store);
}

void fulfillment_kit_deinit(struct fulfillment_kit *kit)
{
    close_store(kit);
    test_executor_deinit(&kit->executor);
    arena_deinit(&kit->arena);
    sql_kit_deinit(&kit->sql);
}

void fulfillment_kit_reopen(struct fulfillment_kit *kit)
{
    close_store(kit);
    open_store(kit);
}

void fulfillment_kit_pass(struct fulfillment_kit *kit, int64_t duration_us)
{
    if (kit->sql.is_postgresql)
        usleep((useconds_t)duration_us);
    else
        fake_clock_advance(&kit->clock, duration_us);
}

int64_t fulfillment_kit_now_us(struct fulfillment_kit *kit)
{
    return clock_now_us(kit->sql.is_postgresql ? clock_system() : &kit->clock.base);
}

void *fulfillment_kit_command(struct fulfillment_kit *kit, enum fulfillment_command_kind kind,
                              size_t size)
{
    struct fulfillment_command *command = arena_allocate_zero(&kit->arena, 1, size);
    CHECK(command != NULL);
    command->kind = kind;
    command->executor = &kit->executor.base;
    command->arena = &kit->arena;
    return command;
}

static bool is_answered;

static void answered(struct fulfillment_command *command, const struct error *error)
{
    (void)command;
    is_answered = true;
    if (error != NULL)
        fail_msg("%s: %s", error_text(error->code), error->detail);
}

enum fulfillment_outcome fulfillment_kit_ask(struct fulfillment_kit *kit,
                                             struct fulfillment_command *command)
{
    is_answered = false;
    fulfillment_repository_execute(kit->repository, command, answered);
    while (!is_answered) {
        if (kit->is_stepped)
            fulfillment_kit_step(kit);
        if (!test_executor_wait(&kit->executor, answer_us_max))
            fail_msg("the store does not answer");
        test_executor_run_all(&kit->executor);
    }
    return command->outcome;
}

/* --- events --- */

struct told {
    char words[4096];
};

static enum sql_verdict read_events(struct sql_session *session, void *context, struct error *error)
{
    static const struct sql_statement find = {
        .text = "SELECT event_type FROM fulfillment_outbox ORDER BY outbox_id"};
    struct told *told = context;
    struct sql_rows rows;
    (void)error;
    told->words[0] = '\0';
    if (!sql_query(session, &find, NULL, 0, &rows))
        return SQL_FAIL;
    for (size_t i = 0; i < rows.count; i++) {
        struct text type = sql_rows_text(&rows, i, 0);
        size_t used = strlen(told->words);
        snprintf(told->words + used, sizeof told->words - used, "%s%s", i == 0 ? "" : " ",
                 strrchr(type.data, '.') + 1);
    }
    return SQL_COMMIT;
}

const char *fulfillment_kit_events(struct fulfillment_kit *kit)
{
    struct told *told = arena_allocate_zero(&kit->arena, 1, sizeof *told);
    enum sql_verdict verdict;
    CHECK(told != NULL);
    struct error error =
        sql_kit_run(kit->store, &kit->arena, SQL_READ, read_events, told, &verdict);
    if (error_is(error))
        fail_msg("%s: %s", error_text(error.code), error.detail);
    return told->words;
}
