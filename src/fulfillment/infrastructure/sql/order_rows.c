/* The row of an order, read and written whole, with the events of its change. */
#include "fulfillment/infrastructure/sql/order_record.h"
#include "fulfillment/infrastructure/sql/order_step.h"

#include <stdio.h>

enum sql_verdict order_fail_memory(struct order_script *script)
{
    *script->error = error_make(ERROR_OUT_OF_MEMORY, "no room for an order");
    return SQL_FAIL;
}

bool order_row_read(struct order_script *script, const struct sql_rows *rows, size_t row,
                    struct order_row *found)
{
    struct order *order = &found->order;
    if (!order_record_unpack(script->arena, sql_rows_blob(rows, row, 9), order)) {
        *script->error = script->arena->refused
                             ? error_make(ERROR_OUT_OF_MEMORY, "no room for an order")
                             : error_make(ERROR_DAMAGED, "the record of the order at position %lld",
                                          (long long)sql_rows_integer(rows, row, 0));
        return false;
    }
    found->position = (uint64_t)sql_rows_integer(rows, row, 0);
    found->content = sql_rows_blob(rows, row, 1);
    order->state = (enum order_state)sql_rows_integer(rows, row, 2);
    order->expire_time_us = sql_rows_integer(rows, row, 3);
    order->create_time_us = sql_rows_integer(rows, row, 4);
    found->update_time_us = sql_rows_integer(rows, row, 5);
    order->revision = sql_rows_integer(rows, row, 6);
    found->claim = (uint64_t)sql_rows_integer(rows, row, 7);
    found->lease_until_us = sql_rows_integer(rows, row, 8);
    return !sql_session_has_failed(script->session);
}

bool order_row_find(struct order_script *script, struct text order_id, bool lock,
                    struct order_row *found, bool *is_there)
{
    static const struct sql_statement find = {
        .text = "SELECT " ORDER_COLUMNS " FROM fulfillment_orders WHERE order_id = $1"};
    static const struct sql_statement find_and_lock = {
        .text = "SELECT " ORDER_COLUMNS " FROM fulfillment_orders WHERE order_id = $1",
        .for_update = true};
    struct sql_rows rows;
    *is_there = true; /* a failure, unless we know better */
    if (!sql_query(script->session, lock ? &find_and_lock : &find, BOUND(sql_text(order_id)),
                   &rows))
        return false;
    *is_there = rows.count > 0;
    return rows.count > 0 && order_row_read(script, &rows, 0, found);
}

bool order_now_us(struct order_script *script, int64_t latest_us, int64_t *now_us)
{
    return sql_session_now_us(script->session, latest_us, now_us);
}

bool order_row_is_due(const struct order_row *row, int64_t now_us)
{
    return row->order.state == ORDER_PROMISED && row->order.goal == GOAL_NONE &&
           row->order.expire_time_us <= now_us;
}

static bool emit(struct order_script *script, const struct order *order,
                 enum order_event_type event_type, int64_t time_us)
{
    const struct fulfillment_event event = {.type = event_type, .order = order};
    char type[event_type_bytes_max + 1];
    struct event envelope = {.key = order->order_id, .time_us = time_us};
    char *id =
        arena_format(script->arena, "%.*s/%lld/%s", (int)order->order_id.size, order->order_id.data,
                     (long long)order->revision, order_event_name(event_type));
    if (id == NULL || !script->repository->options.encode(&event, script->arena, &envelope.data)) {
        (void)order_fail_memory(script);
        return false;
    }
    snprintf(type, sizeof type, "waybill.fulfillment.v1.%s", order_event_name(event_type));
    envelope.event_id = text_of(id);
    envelope.type = text_of(type);
    return sql_outbox_append(script->session, script->repository->options.outbox, &envelope,
                             script->error);
}

bool order_row_write(struct order_script *script, struct order_row *row,
                     const struct order_change *change)
{
    static const struct sql_statement update = {
        .text = "UPDATE fulfillment_orders SET state = $2, expire_time_us = $3,"
                " update_time_us = $4, revision = $5, claim = $6, lease_until_us = $7,"
                " next_time_us = $8, is_resting = $9, record = $10 WHERE order_id = $1"};
    struct order *order = &row->order;
    enum order_event_type events[order_events_max];
    order->revision++;
    size_t event_count = order_events(change->before, order, events);
    struct text record = order_record_pack(script->arena, order);
    if (record.data == NULL) {
        (void)order_fail_memory(script);
        return false;
    }
    if (!sql_enqueue(script->session, &update,
                     BOUND(sql_text(order->order_id), sql_integer((int64_t)order->state),
                           sql_integer(order->expire_time_us), sql_integer(change->now_us),
                           sql_integer(order->revision), sql_integer((int64_t)row->claim),
                           sql_integer(change->lease_until_us), sql_integer(change->next_time_us),
                           sql_integer(order->goal == GOAL_NONE), sql_blob(record)),
                     sql_any_number))
        return false;
    for (size_t i = 0; i < event_count; i++) {
        if (!emit(script, order, events[i], change->time_us))
            return false;
    }
    return true;
}
