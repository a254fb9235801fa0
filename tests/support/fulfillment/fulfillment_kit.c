/* One command at a time, asked and waited for. */
#include "tests/support/fulfillment/fulfillment_kit.h"

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

static void init_plain(struct fulfillment_kit *kit)
{
    memset(kit, 0, sizeof *kit);
    fake_clock_init(&kit->clock, start_us);
    test_executor_init(&kit->executor);
    arena_init(&kit->arena, arena_bytes_max);
}

static void init(struct fulfillment_kit *kit, bool is_stepped)
{
    init_plain(kit);
    kit->is_stepped = is_stepped;
    sql_kit_init(&kit->sql);
    open_store(kit);
}

void fulfillment_kit_init_model(struct fulfillment_kit *kit)
{
    init_plain(kit);
    kit->model = fulfillment_model_create(&kit->clock.base, fulfillment_events_encode);
    kit->repository = fulfillment_model_port(kit->model);
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
    if (kit->model != NULL)
        fulfillment_model_destroy(kit->model);
    else
        close_store(kit);
    test_executor_deinit(&kit->executor);
    arena_deinit(&kit->arena);
    if (kit->model == NULL)
        sql_kit_deinit(&kit->sql);
}

void fulfillment_kit_reset(struct fulfillment_kit *kit)
{
    arena_reset(&kit->arena);
}

void fulfillment_kit_reopen(struct fulfillment_kit *kit)
{
    if (kit->model != NULL)
        return;
    close_store(kit);
    open_store(kit);
}

void fulfillment_kit_release_claims(struct fulfillment_kit *kit)
{
    if (kit->model != NULL) {
        fulfillment_model_release_claims(kit->model);
        return;
    }
    struct error error = sql_fulfillment_release_claims(kit->repository);
    if (error_is(error))
        fail_msg("%s: %s", error_text(error.code), error.detail);
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
static struct fulfillment_kit *asking;

static void answered(struct fulfillment_command *command, const struct error *error)
{
    (void)command;
    is_answered = true;
    asking->error = error == NULL ? ERROR_NONE : error->code;
    snprintf(asking->error_detail, sizeof asking->error_detail, "%s",
             error == NULL ? "" : error->detail);
}

enum fulfillment_outcome fulfillment_kit_try(struct fulfillment_kit *kit,
                                             struct fulfillment_command *command)
{
    is_answered = false;
    asking = kit;
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

enum fulfillment_outcome fulfillment_kit_ask(struct fulfillment_kit *kit,
                                             struct fulfillment_command *command)
{
    enum fulfillment_outcome outcome = fulfillment_kit_try(kit, command);
    if (kit->error != ERROR_NONE)
        fail_msg("%s: %s", error_text(kit->error), kit->error_detail);
    return outcome;
}

/* --- events --- */

struct reading {
    struct fulfillment_kit *kit;
    struct fulfillment_kit_event *events;
    size_t count;
};

static struct text kept(struct reading *reading, struct text text)
{
    struct text copy = arena_copy_text(&reading->kit->arena, text);
    CHECK(copy.data != NULL);
    return copy;
}

static enum sql_verdict read_events(struct sql_session *session, void *context, struct error *error)
{
    static const struct sql_statement find = {
        .text = "SELECT event_id, event_type, event_key, time_us, data FROM fulfillment_outbox"
                " ORDER BY outbox_id"};
    struct reading *reading = context;
    struct sql_rows rows;
    (void)error;
    if (!sql_query(session, &find, NULL, 0, &rows))
        return SQL_FAIL;
    reading->events =
        arena_allocate_zero(&reading->kit->arena, rows.count + 1, sizeof *reading->events);
    CHECK(reading->events != NULL);
    for (size_t i = 0; i < rows.count; i++) {
        struct text type = kept(reading, sql_rows_text(&rows, i, 1));
        reading->events[i] = (struct fulfillment_kit_event){
            .event_id = kept(reading, sql_rows_text(&rows, i, 0)),
            .type = text_of(strrchr(type.data, '.') + 1),
            .key = kept(reading, sql_rows_text(&rows, i, 2)),
            .time_us = sql_rows_integer(&rows, i, 3),
            .data = kept(reading, sql_rows_blob(&rows, i, 4)),
        };
    }
    reading->count = rows.count;
    return SQL_COMMIT;
}

static void read_model(struct reading *reading)
{
    const struct fulfillment_model *model = reading->kit->model;
    reading->count = fulfillment_model_event_count(model);
    reading->events =
        arena_allocate_zero(&reading->kit->arena, reading->count + 1, sizeof *reading->events);
    CHECK(reading->events != NULL);
    for (size_t i = 0; i < reading->count; i++) {
        const struct fulfillment_model_event *event = fulfillment_model_event(model, i);
        reading->events[i] = (struct fulfillment_kit_event){
            .event_id =
                text_of(arena_format(&reading->kit->arena, "%.*s/%lld/%s", (int)event->key.size,
                                     event->key.data, (long long)event->revision, event->type)),
            .type = text_of(event->type),
            .key = event->key,
            .time_us = event->time_us,
            .data = event->data,
        };
    }
}

const struct fulfillment_kit_event *fulfillment_kit_told(struct fulfillment_kit *kit, size_t *count)
{
    struct reading reading = {.kit = kit};
    enum sql_verdict verdict;
    if (kit->model != NULL) {
        read_model(&reading);
    } else {
        struct error error =
            sql_kit_run(kit->store, &kit->arena, SQL_READ, read_events, &reading, &verdict);
        if (error_is(error))
            fail_msg("%s: %s", error_text(error.code), error.detail);
    }
    *count = reading.count;
    return reading.events;
}

const char *fulfillment_kit_events(struct fulfillment_kit *kit)
{
    size_t count;
    const struct fulfillment_kit_event *events = fulfillment_kit_told(kit, &count);
    char *words = arena_allocate_zero(&kit->arena, 1, 4096);
    CHECK(words != NULL);
    for (size_t i = 0; i < count; i++) {
        size_t used = strlen(words);
        snprintf(words + used, 4096 - used, "%s%s", i == 0 ? "" : " ", events[i].type.data);
    }
    return words;
}
