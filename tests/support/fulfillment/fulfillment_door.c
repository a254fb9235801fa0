/* Driver and store share one executor, which the test runs. */
#include "tests/support/fulfillment/fulfillment_door.h"

#include "platform/base/check.h"
#include "platform/base/memory.h"
#include "platform/events/event_sink.h"

#include <string.h>

enum { world_bytes = 48 * 1024, jumps_max = 40, events_at_once = 64 };

static const int64_t jump_us = 35000000; /* longer than any lease, and any pause */

static void assert_good(struct error error)
{
    if (error_is(error))
        fail_msg("%s: %s", error_text(error.code), error.detail);
}

/* --- the services --- */

static struct fulfillment_door_kit *kit_of(struct order_services *services)
{
    return (struct fulfillment_door_kit *)(void *)((char *)services -
                                                   offsetof(struct fulfillment_door_kit, services));
}

static void call_service(struct order_services *services, struct order_call *call)
{
    struct fulfillment_door_kit *kit = kit_of(services);
    call->next = kit->waiting;
    kit->waiting = call;
}

static void answer(struct fulfillment_door_kit *kit, struct order_call *call)
{
    struct arena *arena = call->arena;
    void *probe = memory_allocate(64);
    call->arena = &kit->world_arena;
    if (probe != NULL) {
        order_world_answer(&kit->world, call);
    } else {
        call->outcome = CALL_UNAVAILABLE;
        call->refusal = (struct order_refusal){
            .kind = REFUSAL_UNAVAILABLE,
            .reason = text_of("OVERLOADED"),
            .message = text_of("no memory for this call"),
        };
    }
    memory_release(probe);
    call->arena = arena;
    call->done(call);
}

static bool answer_all(struct fulfillment_door_kit *kit)
{
    struct order_call *waiting = kit->waiting;
    kit->waiting = NULL;
    for (struct order_call *call = waiting; call != NULL;) {
        struct order_call *next = call->next;
        answer(kit, call);
        call = next;
    }
    return waiting != NULL;
}

void fulfillment_door_restock(struct fulfillment_door_kit *kit)
{
    arena_reset(&kit->world_arena);
    order_world_init(&kit->world, &kit->random.base, fulfillment_kit_now_us(&kit->books));
}

/* --- work and time --- */

void fulfillment_door_work(struct fulfillment_door_kit *kit)
{
    bool is_busy = true;
    while (is_busy) {
        order_driver_tick(kit->driver);
        fulfillment_kit_step(&kit->books);
        is_busy = test_executor_run_all(&kit->books.executor) > 0;
        is_busy = answer_all(kit) || is_busy;
    }
}

static bool is_at_rest(struct fulfillment_door_kit *kit)
{
    struct list_due_command *due =
        fulfillment_kit_command(&kit->books, COMMAND_LIST_DUE, sizeof *due);
    due->count_max = 1;
    bool rests = order_driver_is_idle(kit->driver) &&
                 fulfillment_kit_ask(&kit->books, &due->base) == FULFILLMENT_DONE &&
                 due->order_count == 0;
    fulfillment_kit_reset(&kit->books);
    return rests;
}

void fulfillment_door_settle(struct fulfillment_door_kit *kit)
{
    unsigned resting = 0; /* what was only waiting shows after a jump */
    for (int i = 0; resting < 2; i++) {
        if (i > jumps_max)
            fail_msg("the orders do not come to rest");
        fulfillment_kit_pass(&kit->books, jump_us);
        order_world_pass(&kit->world, jump_us);
        fulfillment_door_work(kit);
        resting = is_at_rest(kit) ? resting + 1 : 0;
    }
}

/* --- events --- */

struct moving {
    struct fulfillment_door_kit *kit;
    struct event events[events_at_once];
    size_t count;
    bool is_done;
};

static enum sql_verdict take_rows(struct sql_session *session, void *context, struct error *error)
{
    static const struct sql_statement find = {
        .text = "SELECT outbox_id, event_id, event_type, event_key, time_us, data"
                " FROM fulfillment_outbox ORDER BY outbox_id LIMIT $1"};
    static const struct sql_statement forget = {
        .text = "DELETE FROM fulfillment_outbox WHERE outbox_id <= $1"};
    struct moving *moving = context;
    const struct sql_value limit[] = {sql_integer(events_at_once)};
    struct sql_rows rows;
    (void)error;
    moving->count = 0;
    if (!sql_query(session, &find, limit, 1, &rows))
        return SQL_FAIL;
    for (size_t i = 0; i < rows.count; i++)
        moving->events[moving->count++] = (struct event){
            .event_id = sql_rows_text(&rows, i, 1),
            .type = sql_rows_text(&rows, i, 2),
            .key = sql_rows_text(&rows, i, 3),
            .time_us = sql_rows_integer(&rows, i, 4),
            .data = sql_rows_blob(&rows, i, 5),
        };
    if (rows.count == 0)
        return SQL_COMMIT;
    const struct sql_value last[] = {sql_integer(sql_rows_integer(&rows, rows.count - 1, 0))};
    return sql_execute(session, &forget, last, 1, NULL) ? SQL_COMMIT : SQL_FAIL;
}

static void rows_taken(struct sql_job *job, const struct error *error)
{
    struct moving *moving = job->context;
    if (error != NULL)
        assert_good(*error);
    moving->is_done = true;
}

void fulfillment_door_relay(struct fulfillment_door_kit *kit)
{
    struct moving moving = {.kit = kit};
    do {
        struct sql_job job = {.executor = &kit->books.executor.base,
                              .arena = &kit->books.arena,
                              .access = SQL_WRITE,
                              .script = take_rows,
                              .context = &moving};
        size_t appended = 0;
        moving.is_done = false;
        sql_store_submit(kit->books.store, &job, rows_taken);
        while (!moving.is_done)
            fulfillment_door_work(kit);
        if (moving.count > 0)
            assert_good(event_sink_append(event_log_sink(kit->log), moving.events, moving.count,
                                          &appended));
        assert_int_equal(appended, moving.count);
        fulfillment_kit_reset(&kit->books);
    } while (moving.count > 0);
}

/* --- its life --- */

static void open_log(struct fulfillment_door_kit *kit)
{
    struct event_log_options options = event_log_options_default();
    temporary_directory_create(&kit->directory);
    options.directory = kit->directory.path;
    options.source = "fulfillment";
    options.segment_bytes = 4 << 20;
    options.background_prepare = false;
    assert_good(event_log_open(&kit->log, &options));
}

void fulfillment_door_open(struct fulfillment_door_kit *kit)
{
    static const struct order_services_table services = {.call = call_service};
    memset(kit, 0, sizeof *kit);
    fulfillment_kit_init_stepped(&kit->books);
    open_log(kit);
    random_seeded_init(&kit->random, 1);
    arena_init(&kit->world_arena, 2 * world_bytes);
    CHECK(arena_allocate(&kit->world_arena, world_bytes) != NULL); /* put by: a reset keeps it */
    fulfillment_door_restock(kit);
    kit->services.table = &services;
    struct order_driver_options options = order_driver_options_default();
    options.repository = kit->books.repository;
    options.services = &kit->services;
    options.executor = &kit->books.executor.base;
    options.clock = &kit->books.clock.base;
    options.random = &kit->random.base;
    kit->driver = order_driver_create(&options);
    CHECK(kit->driver != NULL);
    kit->service = (struct fulfillment_service){kit->books.repository, kit->driver};
    const struct order_watch_options watch = {.service = &kit->service,
                                              .feed = event_log_feed(kit->log),
                                              .clock = clock_system(),
                                              .watchers_max = 100};
    assert_good(order_watch_open(&kit->watch, &watch));
    kit->door = (struct fulfillment_door){.service = &kit->service, .watch = kit->watch};
}

void fulfillment_door_close(struct fulfillment_door_kit *kit)
{
    fulfillment_door_work(kit);
    order_watch_close(kit->watch);
    order_driver_stop(kit->driver);
    order_driver_destroy(kit->driver);
    fulfillment_kit_deinit(&kit->books);
    event_log_close(kit->log);
    temporary_directory_remove(&kit->directory);
    arena_deinit(&kit->world_arena);
}
