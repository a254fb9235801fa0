/* Reads of orders, what is due, what others tell, and the expiry of promises. */
#include "fulfillment/infrastructure/sql/order_record.h"
#include "fulfillment/infrastructure/sql/order_step.h"

#include <stdlib.h>

/* A call has 16 MiB for what is read here, for the message and for its bytes. */
static const size_t page_memory_bytes = (size_t)1024 * 1024;
static const int64_t refused_retention_us = INT64_C(86400) * 1000000;

enum { page_part_rows = 8 };

/* --- get --- */

enum sql_verdict get_order_script(struct order_script *script)
{
    struct get_order_command *command = (struct get_order_command *)script->command;
    struct order_row row;
    int64_t now_us;
    bool is_there;
    if (!order_row_find(script, command->order_id, false, &row, &is_there)) {
        command->base.outcome = FULFILLMENT_ORDER_NOT_FOUND;
        return is_there ? SQL_FAIL : SQL_ROLL_BACK;
    }
    if (order_state_is_hidden(row.order.state)) {
        command->base.outcome = FULFILLMENT_ORDER_NOT_FOUND;
        return SQL_ROLL_BACK;
    }
    if (!order_now_us(script, row.update_time_us, &now_us))
        return SQL_FAIL;
    script->is_due = order_row_is_due(&row, now_us);
    command->order = row.order;
    return script->is_due ? SQL_ROLL_BACK : SQL_COMMIT;
}

/* --- expiry --- */

/* Whether any promise is due. */
static bool any_is_due(struct order_script *script, bool *is_due)
{
    static const struct sql_statement find = {
        .text = "SELECT position FROM fulfillment_orders WHERE state = 1 AND is_resting = 1"
                " AND expire_time_us <= $1 LIMIT 1"};
    struct sql_rows rows;
    int64_t now_us;
    if (!order_now_us(script, 0, &now_us) ||
        !sql_query(script->session, &find, BOUND(sql_integer(now_us)), &rows))
        return false;
    *is_due = rows.count > 0;
    return true;
}

static bool expire_one(struct order_script *script, struct text order_id, int64_t due_at_us,
                       size_t *count)
{
    struct order_row row;
    int64_t now_us;
    bool is_there;
    if (!order_row_find(script, order_id, true, &row, &is_there))
        return !is_there; /* gone meanwhile */
    if (!order_now_us(script, row.update_time_us > due_at_us ? row.update_time_us : due_at_us,
                      &now_us))
        return false;
    if (!order_row_is_due(&row, now_us))
        return true;
    bool has_signals;
    if (!order_has_signals(script, order_id, &has_signals))
        return false;
    const struct order_change change = {.before = row.order.state,
                                        .now_us = now_us,
                                        .time_us = row.order.expire_time_us,
                                        .next_time_us = has_signals ? now_us : 0};
    row.order.state = ORDER_EXPIRED;
    (*count)++;
    return order_row_write(script, &row, &change);
}

static bool forget_refused(struct order_script *script, int64_t now_us)
{
    static const struct sql_statement forget = {
        .text = "DELETE FROM fulfillment_orders WHERE state = 11 AND update_time_us < $1"};
    _Static_assert(ORDER_REFUSED == 11 && ORDER_PROMISED == 1, "as the statements say");
    return sql_execute(script->session, &forget, BOUND(sql_integer(now_us - refused_retention_us)),
                       NULL);
}

enum sql_verdict expire_orders_script(struct order_script *script, size_t count_max, size_t *count)
{
    static const struct sql_statement find = {
        .text = "SELECT order_id FROM fulfillment_orders WHERE state = 1 AND is_resting = 1"
                " AND expire_time_us <= $1 ORDER BY order_id LIMIT $2"};
    struct sql_rows rows;
    int64_t now_us;
    *count = 0;
    if (!order_now_us(script, 0, &now_us) ||
        !sql_query(script->session, &find,
                   BOUND(sql_integer(now_us), sql_integer((int64_t)count_max)), &rows))
        return SQL_FAIL;
    for (size_t i = 0; i < rows.count; i++) {
        if (!expire_one(script, sql_rows_text(&rows, i, 0), now_us, count))
            return SQL_FAIL;
    }
    return forget_refused(script, now_us) ? SQL_COMMIT : SQL_FAIL;
}

/* --- lists --- */

static bool query_part(struct order_script *script, const struct list_orders_command *command,
                       uint64_t after, struct sql_rows *rows)
{
    static const struct sql_statement all = {
        .text = "SELECT " ORDER_COLUMNS " FROM fulfillment_orders WHERE position > $1"
                " AND ($2 = 0 OR state = $2) AND state < 10 ORDER BY position LIMIT $3",
        .postgresql = "SELECT " ORDER_COLUMNS " FROM fulfillment_orders WHERE position > $1"
                      " AND ($2::bigint = 0 OR state = $2) AND state < 10 ORDER BY position"
                      " LIMIT $3"};
    static const struct sql_statement by_customer = {
        .text = "SELECT " ORDER_COLUMNS " FROM fulfillment_orders WHERE customer_id = $4"
                " AND customer_id <> '' AND position > $1 AND ($2 = 0 OR state = $2)"
                " AND state < 10 ORDER BY position LIMIT $3",
        .postgresql = "SELECT " ORDER_COLUMNS " FROM fulfillment_orders WHERE customer_id = $4"
                      " AND customer_id <> '' AND position > $1 AND ($2::bigint = 0 OR state = $2)"
                      " AND state < 10 ORDER BY position LIMIT $3"};
    _Static_assert(ORDER_PROMISING == 10, "states from here on are hidden");
    const struct sql_value values[] = {sql_integer((int64_t)after),
                                       sql_integer((int64_t)command->state),
                                       sql_integer(page_part_rows), sql_text(command->customer_id)};
    bool is_by_customer = command->customer_id.size > 0;
    return sql_query(script->session, is_by_customer ? &by_customer : &all, values,
                     is_by_customer ? 4 : 3, rows);
}

enum sql_verdict list_orders_script(struct order_script *script)
{
    struct list_orders_command *command = (struct list_orders_command *)script->command;
    size_t used_before = arena_used(script->arena);
    uint64_t after = command->after;
    struct sql_rows rows;
    command->next = 0;
    command->order_count = 0;
    if (!any_is_due(script, &script->is_due))
        return SQL_FAIL;
    if (script->is_due)
        return SQL_ROLL_BACK;
    command->orders =
        arena_allocate_zero(script->arena, command->page_size, sizeof *command->orders);
    if (command->orders == NULL)
        return order_fail_memory(script);
    do {
        if (!query_part(script, command, after, &rows))
            return SQL_FAIL;
        for (size_t i = 0; i < rows.count; i++) {
            struct order_row row;
            bool is_full = command->order_count == command->page_size ||
                           (command->order_count > 0 &&
                            arena_used(script->arena) - used_before > page_memory_bytes);
            if (is_full) {
                command->next = after;
                return SQL_COMMIT;
            }
            if (!order_row_read(script, &rows, i, &row))
                return SQL_FAIL;
            command->orders[command->order_count++] = row.order;
            after = row.position;
        }
    } while (rows.count == page_part_rows);
    return SQL_COMMIT;
}

/* None above the bound: a count goes through all rows that it counts. */
static bool count_open(struct order_script *script, struct order_open_counts *counts)
{
    static const struct sql_statement statements[] = {
        {.text = "SELECT count(*) FROM (SELECT 1 FROM fulfillment_orders WHERE state = $1"
                 " LIMIT $2) AS open_rows"},
        {.text = "SELECT count(*) FROM (SELECT 1 FROM fulfillment_orders WHERE next_time_us > 0"
                 " LIMIT $1) AS open_rows"},
    };
    const struct sql_value values[] = {sql_integer(ORDER_NEEDS_ATTENTION),
                                       sql_integer(order_open_count_max)};
    struct sql_rows rows;
    if (!sql_query(script->session, &statements[0], values, 2, &rows))
        return false;
    counts->need_attention = (uint64_t)sql_rows_integer(&rows, 0, 0);
    if (!sql_query(script->session, &statements[1], &values[1], 1, &rows))
        return false;
    counts->unfinished = (uint64_t)sql_rows_integer(&rows, 0, 0);
    return true;
}

enum sql_verdict list_due_script(struct order_script *script)
{
    static const struct sql_statement find = {
        .text = "SELECT order_id FROM fulfillment_orders WHERE next_time_us > 0"
                " AND next_time_us <= $1 ORDER BY next_time_us LIMIT $2"};
    struct list_due_command *command = (struct list_due_command *)script->command;
    struct sql_rows rows;
    int64_t now_us;
    command->order_count = 0;
    if (!any_is_due(script, &script->is_due))
        return SQL_FAIL;
    if (script->is_due)
        return SQL_ROLL_BACK;
    if ((command->must_count && !count_open(script, &command->open)) ||
        !order_now_us(script, 0, &now_us) ||
        !sql_query(script->session, &find,
                   BOUND(sql_integer(now_us), sql_integer((int64_t)command->count_max)), &rows))
        return SQL_FAIL;
    command->order_ids =
        arena_allocate_zero(script->arena, rows.count + 1, sizeof *command->order_ids);
    if (command->order_ids == NULL)
        return order_fail_memory(script);
    for (size_t i = 0; i < rows.count; i++)
        command->order_ids[i] = sql_rows_text(&rows, i, 0);
    command->order_count = rows.count;
    return SQL_COMMIT;
}

/* --- following others --- */

struct numbered_signal {
    const struct order_signal *signal;
    size_t index;
};

static int compare_signals(const void *a, const void *b)
{
    const struct numbered_signal *one = a;
    const struct numbered_signal *other = b;
    int by_order = text_compare(one->signal->order_id, other->signal->order_id);
    return by_order != 0 ? by_order : one->index < other->index ? -1 : 1;
}

/* The order is locked first: its driver, saving, sees the signal or is before it. */
static bool keep_signal(struct order_script *script, const struct order_signal *signal,
                        size_t *kept)
{
    static const struct sql_statement find = {
        .text = "SELECT update_time_us FROM fulfillment_orders WHERE order_id = $1 AND state < 10",
        .for_update = true};
    static const struct sql_statement insert = {
        .text = "INSERT INTO fulfillment_signals (order_id, signal) VALUES ($1, $2)"};
    static const struct sql_statement wake = {
        .text = "UPDATE fulfillment_orders SET next_time_us = $2 WHERE order_id = $1"
                " AND lease_until_us <= $2 AND (next_time_us = 0 OR next_time_us > $2)"};
    struct sql_rows rows;
    int64_t now_us;
    if (!sql_query(script->session, &find, BOUND(sql_text(signal->order_id)), &rows))
        return false;
    if (rows.count == 0)
        return true;
    struct text bytes = order_signal_pack(script->arena, signal);
    if (bytes.data == NULL) {
        (void)order_fail_memory(script);
        return false;
    }
    (*kept)++;
    return order_now_us(script, sql_rows_integer(&rows, 0, 0), &now_us) &&
           sql_enqueue(script->session, &insert, BOUND(sql_text(signal->order_id), sql_blob(bytes)),
                       sql_any_number) &&
           sql_enqueue(script->session, &wake,
                       BOUND(sql_text(signal->order_id), sql_integer(now_us)), sql_any_number);
}

enum sql_verdict follow_events_script(struct order_script *script)
{
    static const struct sql_statement place = {
        .text = "INSERT INTO fulfillment_places (source, log, position) VALUES ($1, $2, $3)"
                " ON CONFLICT (source) DO UPDATE SET log = $2, position = $3"};
    struct follow_events_command *command = (struct follow_events_command *)script->command;
    struct numbered_signal *sorted =
        arena_allocate_zero(script->arena, command->signal_count + 1, sizeof *sorted);
    if (sorted == NULL)
        return order_fail_memory(script);
    command->kept_count = 0;
    for (size_t i = 0; i < command->signal_count; i++)
        sorted[i] = (struct numbered_signal){&command->signals[i], i};
    qsort(sorted, command->signal_count, sizeof *sorted, compare_signals);
    for (size_t i = 0; i < command->signal_count; i++) {
        if (!keep_signal(script, sorted[i].signal, &command->kept_count))
            return SQL_FAIL;
    }
    bool good = sql_execute(script->session, &place,
                            BOUND(sql_text(command->source), sql_text(command->place.log),
                                  sql_integer((int64_t)command->place.position)),
                            NULL);
    return good ? SQL_COMMIT : SQL_FAIL;
}

enum sql_verdict get_place_script(struct order_script *script)
{
    static const struct sql_statement find = {
        .text = "SELECT log, position FROM fulfillment_places WHERE source = $1"};
    struct get_place_command *command = (struct get_place_command *)script->command;
    struct sql_rows rows;
    command->place = (struct order_place){0};
    if (!sql_query(script->session, &find, BOUND(sql_text(command->source)), &rows))
        return SQL_FAIL;
    if (rows.count > 0) {
        command->place.log = sql_rows_text(&rows, 0, 0);
        command->place.position = (uint64_t)sql_rows_integer(&rows, 0, 1);
    }
    return SQL_COMMIT;
}
