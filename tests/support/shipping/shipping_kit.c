/* The store behind the words: opened, asked, waited for. The words are in shipping_words.c. */
#include "tests/support/shipping/shipping_kit.h"

#include "main/migrations.h"
#include "platform/base/check.h"
#include "shipping/interfaces/events/shipping_events.h"

#include <string.h>

static const int64_t start_us = INT64_C(1800000000) * 1000000; /* Friday, 2027-01-15 08:00 UTC */
static const int64_t answer_us_max = INT64_C(60) * 1000000;

enum { arena_bytes_max = 256 * 1024 * 1024 };

static void open_store(struct shipping_kit *kit, struct sql_store **store,
                       struct shipping_repository **repository)
{
    struct sql_store_options options = sql_store_options_default();
    const struct sql_migration_set *migrations[] = {migrations_of("shipping")};
    struct sql_shipping_options shipping = {.encode = shipping_events_encode,
                                            .outbox = &kit->outbox};
    options.url = kit->sql.url;
    options.name = "shipping";
    options.migrations = migrations;
    options.migration_count = 1;
    options.threaded = kit->kind == SHIPPING_KIT_SQL;
    options.thread_count = 4; /* enough to race, and quick to open */
    if (!kit->sql.is_postgresql)
        options.clock = &kit->clock.base;
    struct error error = sql_store_open(store, &options);
    if (error_is(error))
        fail_msg("%s: %s", error_text(error.code), error.detail);
    shipping.store = *store;
    error = sql_shipping_repository_open(repository, &shipping);
    if (error_is(error))
        fail_msg("%s: %s", error_text(error.code), error.detail);
}

void shipping_kit_init(struct shipping_kit *kit, enum shipping_kit_store kind)
{
    memset(kit, 0, sizeof *kit);
    kit->kind = kind;
    fake_clock_init(&kit->clock, start_us);
    test_executor_init(&kit->executor);
    arena_init(&kit->arena, arena_bytes_max);
    if (kind == SHIPPING_KIT_MODEL) {
        kit->model = shipping_model_create(&kit->clock.base, shipping_events_encode);
        kit->repository = shipping_model_port(kit->model);
        return;
    }
    sql_kit_init(&kit->sql);
    sql_outbox_init(&kit->outbox, "shipping", UINT64_C(1) << 40, random_system());
    open_store(kit, &kit->store, &kit->sql_repository);
    kit->repository = kit->sql_repository;
}

static void close_stores(struct shipping_kit *kit)
{
    sql_shipping_repository_close(kit->second_sql_repository);
    sql_store_close(kit->second_store);
    sql_shipping_repository_close(kit->sql_repository);
    sql_store_close(kit->store);
    kit->second_sql_repository = kit->sql_repository = NULL;
    kit->second_store = kit->store = NULL;
}

void shipping_kit_deinit(struct shipping_kit *kit)
{
    if (kit->kind == SHIPPING_KIT_MODEL) {
        shipping_model_destroy(kit->model);
    } else {
        close_stores(kit);
        sql_kit_deinit(&kit->sql);
    }
    test_executor_deinit(&kit->executor);
    shipping_kit_reset(kit);
    arena_deinit(&kit->arena);
}

void shipping_kit_reopen(struct shipping_kit *kit)
{
    if (kit->kind == SHIPPING_KIT_MODEL)
        return;
    close_stores(kit);
    open_store(kit, &kit->store, &kit->sql_repository);
    kit->repository = kit->sql_repository;
}

struct shipping_repository *shipping_kit_second(struct shipping_kit *kit)
{
    if (kit->kind == SHIPPING_KIT_MODEL || !kit->sql.is_postgresql)
        return kit->repository;
    if (kit->second_store == NULL)
        open_store(kit, &kit->second_store, &kit->second_sql_repository);
    return kit->second_sql_repository;
}

/* A command's arena is its own: a store may run several commands at once. */
struct kit_running {
    struct arena arena; /* first */
    struct shipping_kit *kit;
    struct kit_running *next;
};

void shipping_kit_reset(struct shipping_kit *kit)
{
    CHECK(kit->waiting == 0);
    for (struct kit_running *running = kit->running; running != NULL; running = running->next)
        arena_deinit(&running->arena);
    kit->running = NULL;
    arena_reset(&kit->arena);
}

void *shipping_kit_command(struct shipping_kit *kit, enum shipping_command_kind kind, size_t size)
{
    struct kit_running *running = arena_allocate_zero(&kit->arena, 1, sizeof *running);
    struct shipping_command *command = arena_allocate_zero(&kit->arena, 1, size);
    CHECK(running != NULL && command != NULL);
    arena_init(&running->arena, arena_bytes_max);
    running->kit = kit;
    running->next = kit->running;
    kit->running = running;
    command->kind = kind;
    command->executor = &kit->executor.base;
    command->arena = &running->arena;
    return command;
}

static void answered(struct shipping_command *command, const struct error *error)
{
    struct shipping_kit *kit = ((struct kit_running *)(void *)command->arena)->kit;
    kit->waiting--;
    kit->error = error == NULL ? ERROR_NONE : error->code;
    if (error != NULL)
        memcpy(kit->error_detail, error->detail, sizeof kit->error_detail);
}

void shipping_kit_submit(struct shipping_kit *kit, struct shipping_repository *repository,
                         struct shipping_command *command)
{
    unsigned waiting = ++kit->waiting;
    shipping_repository_execute(repository, command, answered);
    assert_int_equal(kit->waiting, waiting); /* never before the call returned */
}

void shipping_kit_wait(struct shipping_kit *kit)
{
    while (kit->waiting > 0) {
        bool stepped = kit->kind == SHIPPING_KIT_UNTHREADED;
        if (stepped) {
            struct error error = sql_store_step(kit->store);
            if (error_is(error))
                fail_msg("%s: %s", error_text(error.code), error.detail);
        }
        if (!test_executor_wait(&kit->executor, stepped ? 0 : answer_us_max))
            fail_msg("the store does not answer");
        test_executor_run_all(&kit->executor);
    }
}

enum shipping_outcome shipping_kit_try(struct shipping_kit *kit, struct shipping_command *command)
{
    shipping_kit_submit(kit, kit->repository, command);
    shipping_kit_wait(kit);
    return command->outcome;
}

enum shipping_outcome shipping_kit_ask(struct shipping_kit *kit, struct shipping_command *command)
{
    enum shipping_outcome outcome = shipping_kit_try(kit, command);
    if (kit->error != ERROR_NONE)
        fail_msg("%s: %s", error_text(kit->error), kit->error_detail);
    return outcome;
}

/* --- the outbox --- */

struct outbox_reading {
    struct sql_job job; /* first */
    struct shipping_kit *kit;
    struct kit_event *events;
    size_t count;
};

static enum sql_verdict read_outbox(struct sql_session *session, void *context, struct error *error)
{
    static const struct sql_statement list = {
        .text = "SELECT event_type, event_key, event_id, data FROM shipping_outbox"
                " ORDER BY outbox_id"};
    struct outbox_reading *reading = context;
    size_t package = strlen("waybill.shipping.v1.");
    struct sql_rows rows;
    (void)error;
    if (!sql_query(session, &list, NULL, 0, &rows))
        return SQL_FAIL;
    reading->events =
        arena_allocate_zero(&reading->kit->arena, rows.count + 1, sizeof *reading->events);
    CHECK(reading->events != NULL);
    reading->count = rows.count;
    for (size_t i = 0; i < rows.count; i++) {
        struct text type = sql_rows_text(&rows, i, 0);
        CHECK(type.size > package);
        reading->events[i] = (struct kit_event){
            .type = text_make(type.data + package, type.size - package),
            .key = sql_rows_text(&rows, i, 1),
            .event_id = sql_rows_text(&rows, i, 2),
            .data = sql_rows_blob(&rows, i, 3),
        };
    }
    return SQL_COMMIT;
}

static void outbox_read(struct sql_job *job, const struct error *error)
{
    struct shipping_kit *kit = ((struct outbox_reading *)job)->kit;
    kit->waiting--;
    if (error != NULL)
        fail_msg("%s: %s", error_text(error->code), error->detail);
}

static const struct kit_event *model_events(struct shipping_kit *kit, size_t *count)
{
    *count = shipping_model_event_count(kit->model);
    struct kit_event *events = arena_allocate_zero(&kit->arena, *count + 1, sizeof *events);
    CHECK(events != NULL);
    for (size_t i = 0; i < *count; i++) {
        const struct shipping_model_event *event = shipping_model_event(kit->model, i);
        events[i] = (struct kit_event){
            .type = text_of(shipping_event_name(event->type)),
            .key = event->key,
            .event_id = event->event_id,
            .data = event->data,
        };
    }
    return events;
}

const struct kit_event *kit_events(struct shipping_kit *kit, size_t *count)
{
    struct outbox_reading reading = {.kit = kit};
    if (kit->kind == SHIPPING_KIT_MODEL)
        return model_events(kit, count);
    reading.job = (struct sql_job){.executor = &kit->executor.base,
                                   .arena = &kit->arena,
                                   .access = SQL_READ,
                                   .script = read_outbox,
                                   .context = &reading};
    kit->waiting++;
    sql_store_submit(kit->store, &reading.job, outbox_read);
    shipping_kit_wait(kit);
    *count = reading.count;
    return reading.events;
}
