/*
 * Scripts of a few statements. On SQLite the rows relayed are a range of ids, since its one writer
 * commits them in their order; on PostgreSQL they are named one by one, since rows with lower ids
 * may still come.
 */
#include "platform/events/event_relay_rows.h"

#include "platform/base/buffer.h"
#include "platform/base/check.h"
#include "platform/events/event_record.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum {
    batch_data_bytes = 4 * 1024 * 1024,
    arena_bytes_max = 16 * 1024 * 1024, /* a batch, the largest event, and the driver's copies */
};

__attribute__((format(printf, 2, 3))) static const char *text_for(
    char text[relay_statement_bytes_max], const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(text, relay_statement_bytes_max, format, arguments);
    va_end(arguments);
    CHECK(size > 0 && size < relay_statement_bytes_max);
    return text;
}

void relay_rows_init(struct relay_rows *rows, struct sql_store *store, const char *context,
                     struct clock *clock)
{
    *rows = (struct relay_rows){.store = store, .clock = clock};
    arena_init(&rows->arena, arena_bytes_max);
    rows->lease_read.text =
        text_for(rows->texts[0],
                 "SELECT holder, lease_until_us, sink FROM %s_relay WHERE relay_id = 1", context);
    rows->lease_read.for_update = true;
    rows->lease_write.text = text_for(rows->texts[1],
                                      "UPDATE %s_relay SET holder = $1, lease_until_us = $2, "
                                      "sink = $3 WHERE relay_id = 1",
                                      context);
    rows->lease_release.text = text_for(rows->texts[2],
                                        "UPDATE %s_relay SET holder = '', lease_until_us = 0 "
                                        "WHERE relay_id = 1 AND holder = $1",
                                        context);
    rows->read.text = text_for(rows->texts[3],
                               "SELECT outbox_id, event_id, event_type, event_key, time_us, data, "
                               "1 FROM %s_outbox ORDER BY outbox_id LIMIT $1",
                               context);
    rows->read.postgresql =
        text_for(rows->texts[4],
                 "SELECT outbox_id, event_id, event_type, event_key, time_us, data, "
                 "transaction_id < pg_snapshot_xmin(pg_current_snapshot()) "
                 "FROM %s_outbox ORDER BY outbox_id LIMIT $1",
                 context);
    rows->measure.text = text_for(
        rows->texts[5],
        "SELECT count(*), coalesce(sum(length(data)), 0), coalesce(min(time_us), 0) FROM %s_outbox",
        context);
    rows->remove.text = text_for(
        rows->texts[6], "DELETE FROM %s_outbox WHERE outbox_id BETWEEN $1 AND $2", context);
    rows->remove.postgresql = text_for(
        rows->texts[7],
        "DELETE FROM %s_outbox WHERE outbox_id = ANY(string_to_array($1::text, ',')::bigint[])",
        context);
}

void relay_rows_deinit(struct relay_rows *rows)
{
    arena_deinit(&rows->arena);
}

static struct error run(struct relay_rows *rows, enum sql_access access, sql_script *script,
                        void *context)
{
    struct sql_job job = {
        .arena = &rows->arena,
        .access = access,
        .deadline_us =
            clock_monotonic_us(rows->clock) + (int64_t)relay_scripts_deadline_s * 1000000,
        .script = script,
        .context = context,
    };
    return sql_store_run(rows->store, &job);
}

/* --- the lease --- */

struct lease_call {
    struct relay_rows *rows;
    struct relay_lease_request *request;
};

static enum relay_lease decide_lease(struct sql_session *session, const struct sql_rows *row,
                                     struct relay_lease_request *request, int64_t now_us)
{
    struct text sink = sql_rows_text(row, 0, 2);
    bool is_mine = text_equals_string(sql_rows_text(row, 0, 0), request->holder);
    if (sink.size > 0 && !text_equals_string(sink, request->sink) && !request->adopt_sink) {
        snprintf(request->other_sink, sizeof request->other_sink, "%.*s", (int)sink.size,
                 sink.data);
        return RELAY_LEASE_OTHER_SINK;
    }
    /* SQLite's file has one process, and it is us; so has an exclusive sink: whoever held the lease
     * before is gone. */
    bool is_alone =
        sql_session_dialect(session) == SQL_DIALECT_SQLITE ||
        (request->sink_is_exclusive && sink.size > 0 && text_equals_string(sink, request->sink));
    return is_alone || is_mine || sql_rows_integer(row, 0, 1) <= now_us ? RELAY_LEASE_HELD
                                                                        : RELAY_LEASE_ELSEWHERE;
}

static enum sql_verdict lease_script(struct sql_session *session, void *context,
                                     struct error *error)
{
    struct lease_call *call = context;
    struct relay_lease_request *request = call->request;
    struct sql_rows row;
    int64_t now_us;
    if (!sql_query(session, &call->rows->lease_read, NULL, 0, &row) ||
        !sql_session_now_us(session, 0, &now_us))
        return SQL_FAIL;
    if (row.count != 1) {
        *error = error_make(ERROR_DAMAGED, "the relay's table has not exactly one row");
        return SQL_FAIL;
    }
    request->result = decide_lease(session, &row, request, now_us);
    if (request->result != RELAY_LEASE_HELD)
        return SQL_ROLL_BACK;
    struct sql_value parameters[] = {
        sql_text(text_of(request->holder)),
        sql_integer(now_us + request->lease_us),
        sql_text(text_of(request->sink)),
    };
    return sql_enqueue(session, &call->rows->lease_write, parameters, 3, 1) ? SQL_COMMIT : SQL_FAIL;
}

struct error relay_rows_lease(struct relay_rows *rows, struct relay_lease_request *request)
{
    struct lease_call call = {.rows = rows, .request = request};
    arena_reset(&rows->arena);
    return run(rows, SQL_WRITE, lease_script, &call);
}

struct release_call {
    struct relay_rows *rows;
    const char *holder;
};

static enum sql_verdict release_script(struct sql_session *session, void *context,
                                       struct error *error)
{
    struct release_call *call = context;
    struct sql_value parameter = sql_text(text_of(call->holder));
    (void)error;
    return sql_enqueue(session, &call->rows->lease_release, &parameter, 1, sql_any_number)
               ? SQL_COMMIT
               : SQL_FAIL;
}

struct error relay_rows_release(struct relay_rows *rows, const char *holder)
{
    struct release_call call = {.rows = rows, .holder = holder};
    arena_reset(&rows->arena);
    return run(rows, SQL_WRITE, release_script, &call);
}

/* --- reading --- */

struct read_call {
    struct relay_rows *rows;
    struct relay_batch *batch;
    struct arena *arena;
    size_t data_bytes;
    bool out_of_memory;
    int64_t wrong_row; /* 0 = none */
};

static bool copy_text(struct read_call *call, const struct sql_value *value, struct text *copy)
{
    *copy = arena_copy_text(call->arena, value->text);
    call->out_of_memory = call->out_of_memory || copy->data == NULL;
    return copy->data != NULL;
}

static bool take_row(void *context, const struct sql_value *values, size_t column_count)
{
    struct read_call *call = context;
    struct relay_batch *batch = call->batch;
    CHECK(column_count == 7);
    if (values[6].integer == 0) /* its transaction is not old enough: nothing passes it */
        return false;
    struct event event = {.time_us = values[4].integer};
    if (!copy_text(call, &values[1], &event.event_id) ||
        !copy_text(call, &values[2], &event.type) || !copy_text(call, &values[3], &event.key) ||
        !copy_text(call, &values[5], &event.data))
        return false;
    if (!event_is_within_limits(&event)) {
        call->wrong_row = values[0].integer;
        return false;
    }
    batch->events[batch->count] = event;
    batch->outbox_ids[batch->count++] = values[0].integer;
    call->data_bytes += event.data.size;
    return batch->count < batch->count_max && call->data_bytes < batch_data_bytes;
}

static enum sql_verdict read_script(struct sql_session *session, void *context, struct error *error)
{
    struct read_call *call = context;
    struct relay_batch *batch = call->batch;
    struct sql_value limit = sql_integer((int64_t)batch->count_max);
    call->arena = sql_session_arena(session);
    call->data_bytes = 0;
    call->out_of_memory = false;
    call->wrong_row = 0;
    batch->count = 0;
    batch->events = arena_allocate(call->arena, batch->count_max * sizeof *batch->events);
    batch->outbox_ids = arena_allocate(call->arena, batch->count_max * sizeof *batch->outbox_ids);
    if (batch->events == NULL || batch->outbox_ids == NULL) {
        *error = error_make(ERROR_OUT_OF_MEMORY, "reading the outbox");
        return SQL_FAIL;
    }
    if (!sql_each(session, &call->rows->read, &limit, 1, take_row, call))
        return SQL_FAIL;
    if (batch->count > 0)
        return SQL_COMMIT; /* what stopped the walk stops the next one */
    if (call->out_of_memory)
        *error = error_make(ERROR_OUT_OF_MEMORY, "reading the outbox");
    else if (call->wrong_row != 0)
        *error = error_make(ERROR_DAMAGED, "the outbox's row %lld is no event",
                            (long long)call->wrong_row);
    return call->out_of_memory || call->wrong_row != 0 ? SQL_FAIL : SQL_COMMIT;
}

struct error relay_rows_read(struct relay_rows *rows, struct relay_batch *batch)
{
    struct read_call call = {.rows = rows, .batch = batch};
    arena_reset(&rows->arena);
    return run(rows, SQL_READ, read_script, &call);
}

/* --- removing --- */

struct remove_call {
    struct relay_rows *rows;
    const struct relay_batch *batch;
    size_t count;
};

/* "17,18,21" on the arena; NULL data without memory. */
static struct text id_list(struct arena *arena, const int64_t *ids, size_t count)
{
    enum { id_bytes = 21 };
    char *list = arena_allocate(arena, count * id_bytes);
    size_t size = 0;
    if (list == NULL)
        return (struct text){0};
    for (size_t i = 0; i < count; i++)
        size +=
            (size_t)snprintf(list + size, id_bytes, i == 0 ? "%lld" : ",%lld", (long long)ids[i]);
    return text_make(list, size);
}

static enum sql_verdict remove_script(struct sql_session *session, void *context,
                                      struct error *error)
{
    struct remove_call *call = context;
    const int64_t *ids = call->batch->outbox_ids;
    struct sql_value parameters[2] = {sql_integer(ids[0]), sql_integer(ids[call->count - 1])};
    size_t parameter_count = 2;
    if (sql_session_dialect(session) == SQL_DIALECT_POSTGRESQL) {
        struct text list = id_list(sql_session_arena(session), ids, call->count);
        if (list.data == NULL) {
            *error = error_make(ERROR_OUT_OF_MEMORY, "deleting from the outbox");
            return SQL_FAIL;
        }
        parameters[0] = sql_text(list);
        parameter_count = 1;
    }
    return sql_enqueue(session, &call->rows->remove, parameters, parameter_count, sql_any_number)
               ? SQL_COMMIT
               : SQL_FAIL;
}

struct error relay_rows_remove(struct relay_rows *rows, const struct relay_batch *batch,
                               size_t count)
{
    struct remove_call call = {.rows = rows, .batch = batch, .count = count};
    return run(rows, SQL_WRITE, remove_script, &call);
}

/* --- measuring --- */

struct measure_call {
    struct relay_rows *rows;
    struct relay_backlog *backlog;
};

static enum sql_verdict measure_script(struct sql_session *session, void *context,
                                       struct error *error)
{
    struct measure_call *call = context;
    struct sql_rows row;
    (void)error;
    if (!sql_query(session, &call->rows->measure, NULL, 0, &row) || row.count != 1)
        return SQL_FAIL;
    call->backlog->rows = (uint64_t)sql_rows_integer(&row, 0, 0);
    call->backlog->data_bytes = (uint64_t)sql_rows_integer(&row, 0, 1);
    call->backlog->oldest_time_us = sql_rows_integer(&row, 0, 2);
    return SQL_COMMIT;
}

struct error relay_rows_measure(struct relay_rows *rows, struct relay_backlog *backlog)
{
    struct measure_call call = {.rows = rows, .backlog = backlog};
    arena_reset(&rows->arena);
    return run(rows, SQL_READ, measure_script, &call);
}
