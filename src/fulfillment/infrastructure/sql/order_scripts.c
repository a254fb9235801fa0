/*
 * The decisions about one order: begin, claim, save. A row under a lease is due when the lease is
 * over, so that whoever died is followed by another.
 */
#include "fulfillment/infrastructure/sql/order_record.h"
#include "fulfillment/infrastructure/sql/order_step.h"

static enum sql_verdict refuse(struct order_script *script, enum fulfillment_outcome outcome)
{
    script->command->outcome = outcome;
    return SQL_ROLL_BACK;
}

/* Not there, or a failure. */
static enum sql_verdict not_found(struct order_script *script, bool failed)
{
    return failed ? SQL_FAIL : refuse(script, FULFILLMENT_ORDER_NOT_FOUND);
}

static enum sql_verdict ask_for_expiry(struct order_script *script)
{
    script->is_due = true;
    return SQL_ROLL_BACK;
}

/* --- begin --- */

static bool insert_order(struct order_script *script, struct begin_order_command *command,
                         struct text content, int64_t now_us)
{
    static const struct sql_statement insert = {
        .text = "INSERT INTO fulfillment_orders (order_id, content, customer_id, state,"
                " expire_time_us, create_time_us, update_time_us, revision, claim, lease_until_us,"
                " next_time_us, is_resting, record)"
                " VALUES ($1, $2, $3, $4, 0, $5, $5, 0, $6, $7, $7, 0, $8)"};
    struct order *order = &command->order;
    struct text record = order_record_pack(script->arena, order);
    if (record.data == NULL) {
        (void)order_fail_memory(script);
        return false;
    }
    return sql_execute(script->session, &insert,
                       BOUND(sql_text(order->order_id), sql_blob(content),
                             sql_text(order->customer_id), sql_integer((int64_t)order->state),
                             sql_integer(now_us), sql_integer((int64_t)command->claim),
                             sql_integer(now_us + command->lease_us), sql_blob(record)),
                       NULL);
}

/* A new row, or one in the place of what could not be promised: with the attempts behind it. */
static enum sql_verdict begin_anew(struct order_script *script, struct begin_order_command *command,
                                   const struct order_row *refused, struct text content,
                                   int64_t now_us)
{
    static const struct sql_statement forget = {
        .text = "DELETE FROM fulfillment_orders WHERE order_id = $1"};
    struct order *order = &command->order;
    *order = *command->request;
    command->claim = order_next_claim(0, &command->claimant);
    if (refused != NULL) {
        order->reservation_attempt = refused->order.reservation_attempt;
        order->allocation_attempt = refused->order.allocation_attempt;
        order->shipment_attempts = refused->order.shipment_attempts;
        command->claim = order_next_claim(refused->claim, &command->claimant);
        if (!sql_execute(script->session, &forget, BOUND(sql_text(order->order_id)), NULL))
            return SQL_FAIL;
    }
    order_begin_promise(order);
    order->create_time_us = now_us;
    command->is_claimed = true;
    return insert_order(script, command, content, now_us) ? SQL_COMMIT : SQL_FAIL;
}

/* The same promise, left half way by one that died: it is made on. */
static enum sql_verdict take_over_promise(struct order_script *script,
                                          struct begin_order_command *command,
                                          struct order_row *row, int64_t now_us)
{
    const struct order_change change = {
        .before = row->order.state,
        .now_us = now_us,
        .time_us = now_us,
        .lease_until_us = now_us + command->lease_us,
        .next_time_us = now_us + command->lease_us,
    };
    if (order_is_claimed(row->claim, row->lease_until_us, now_us, &command->claimant) ||
        row->order.goal != GOAL_PROMISE)
        return refuse(script, FULFILLMENT_BUSY);
    command->claim = row->claim = order_next_claim(row->claim, &command->claimant);
    command->is_claimed = true;
    if (!order_row_write(script, row, &change))
        return SQL_FAIL;
    command->order = row->order;
    return SQL_COMMIT;
}

enum sql_verdict begin_order_script(struct order_script *script)
{
    struct begin_order_command *command = (struct begin_order_command *)script->command;
    struct text content = order_request_digest(script->arena, command->request);
    struct order_row row;
    int64_t now_us;
    bool is_there;
    command->is_claimed = false;
    if (content.data == NULL)
        return order_fail_memory(script);
    bool found = order_row_find(script, command->request->order_id, true, &row, &is_there);
    if (!found && is_there)
        return SQL_FAIL;
    if (!order_now_us(script, found ? row.update_time_us : 0, &now_us))
        return SQL_FAIL;
    if (!found)
        return begin_anew(script, command, NULL, content, now_us);
    if (order_row_is_due(&row, now_us))
        return ask_for_expiry(script);
    if (row.order.state == ORDER_REFUSED)
        return begin_anew(script, command, &row, content, now_us);
    if (row.order.state == ORDER_PROMISING && !text_equal(row.content, content))
        return refuse(script, FULFILLMENT_BUSY);
    if (!text_equal(row.content, content))
        return refuse(script, FULFILLMENT_ID_REUSED);
    if (row.order.state == ORDER_PROMISING)
        return take_over_promise(script, command, &row, now_us);
    command->order = row.order;
    return SQL_COMMIT;
}

/* --- claim --- */

/* Puts in what others have told of it, and forgets that. False: failed. */
static bool take_signals(struct order_script *script, struct order *order, size_t *count)
{
    static const struct sql_statement find = {
        .text = "SELECT signal_id, signal FROM fulfillment_signals WHERE order_id = $1"
                " ORDER BY signal_id LIMIT $2"};
    static const struct sql_statement forget = {
        .text = "DELETE FROM fulfillment_signals WHERE order_id = $1 AND signal_id <= $2"};
    struct sql_rows rows;
    *count = 0;
    if (!sql_query(script->session, &find,
                   BOUND(sql_text(order->order_id), sql_integer(fulfillment_signals_max)), &rows))
        return false;
    for (size_t i = 0; i < rows.count; i++) {
        struct order_signal signal;
        if (!order_signal_unpack(script->arena, sql_rows_blob(&rows, i, 1), &signal)) {
            *script->error =
                error_make(ERROR_DAMAGED, "signal %lld", (long long)sql_rows_integer(&rows, i, 0));
            return false;
        }
        order_take_signal(order, &signal, script->arena);
    }
    if (script->arena->refused) { /* one may have been taken for another order's */
        (void)order_fail_memory(script);
        return false;
    }
    *count = rows.count;
    return rows.count == 0 ||
           sql_execute(script->session, &forget,
                       BOUND(sql_text(order->order_id),
                             sql_integer(sql_rows_integer(&rows, rows.count - 1, 0))),
                       NULL);
}

/* Whether there is something to do, by what is asked. */
static enum order_request_outcome apply_request(const struct claim_order_command *command,
                                                struct order *order, int64_t now_us)
{
    if (command->request == ORDER_CONFIRM)
        return order_confirm(order, now_us);
    if (command->request == ORDER_CANCEL)
        return order_cancel(order, command->reason);
    if (order->state == ORDER_PROMISING)
        order_abandon_promise(order);
    bool rests = order->goal == GOAL_NONE || order->state == ORDER_NEEDS_ATTENTION;
    return rests ? REQUEST_ANSWERED : REQUEST_STARTED;
}

static enum sql_verdict claim_row(struct order_script *script, struct claim_order_command *command,
                                  struct order_row *row, int64_t now_us)
{
    struct order *order = &row->order;
    struct order_change change = {.before = order->state, .now_us = now_us, .time_us = now_us};
    size_t signal_count;
    if (!take_signals(script, order, &signal_count))
        return SQL_FAIL;
    enum order_request_outcome outcome = apply_request(command, order, now_us);
    command->order = *order;
    if (outcome == REQUEST_REFUSED)
        return refuse(script, FULFILLMENT_REFUSED);
    bool rests = order->goal == GOAL_NONE || order->state == ORDER_NEEDS_ATTENTION;
    bool is_started = outcome == REQUEST_STARTED || !rests;
    if (!is_started && signal_count == 0 && command->request != ORDER_RESUME)
        return SQL_COMMIT; /* a repeat: nothing to write */
    if (is_started)
        row->claim = order_next_claim(row->claim, &command->claimant);
    change.lease_until_us = is_started ? now_us + command->lease_us : 0;
    change.next_time_us = change.lease_until_us;
    order->must_save = false; /* it is being kept */
    order->refusal = (struct order_refusal){0};
    if (!order_row_write(script, row, &change))
        return SQL_FAIL;
    command->order = *order;
    command->claim = row->claim;
    command->is_claimed = is_started;
    return SQL_COMMIT;
}

enum sql_verdict claim_order_script(struct order_script *script)
{
    struct claim_order_command *command = (struct claim_order_command *)script->command;
    struct order_row row;
    int64_t now_us;
    bool is_there;
    command->is_claimed = false;
    if (!order_row_find(script, command->order_id, true, &row, &is_there))
        return not_found(script, is_there);
    if (command->request != ORDER_RESUME && order_state_is_hidden(row.order.state))
        return refuse(script, FULFILLMENT_ORDER_NOT_FOUND);
    if (!order_now_us(script, row.update_time_us, &now_us))
        return SQL_FAIL;
    if (order_is_claimed(row.claim, row.lease_until_us, now_us, &command->claimant))
        return refuse(script, FULFILLMENT_BUSY);
    if (order_row_is_due(&row, now_us))
        return ask_for_expiry(script);
    return claim_row(script, command, &row, now_us);
}

/* --- save --- */

bool order_has_signals(struct order_script *script, struct text order_id, bool *has)
{
    static const struct sql_statement find = {
        .text = "SELECT signal_id FROM fulfillment_signals WHERE order_id = $1 LIMIT 1"};
    struct sql_rows rows;
    if (!sql_query(script->session, &find, BOUND(sql_text(order_id)), &rows))
        return false;
    *has = rows.count > 0;
    return true;
}

enum sql_verdict save_order_script(struct order_script *script)
{
    struct save_order_command *command = (struct save_order_command *)script->command;
    struct order_row row;
    struct order_change change = {0};
    bool is_there;
    bool has_more = false;
    if (!order_row_find(script, command->order->order_id, true, &row, &is_there))
        return not_found(script, is_there);
    if (row.claim != command->claim)
        return refuse(script, FULFILLMENT_CLAIM_LOST);
    change.before = row.order.state;
    struct order_row kept = row;
    kept.order = *command->order;
    kept.order.revision = row.order.revision;
    kept.order.create_time_us = row.order.create_time_us;
    kept.order.milestones = row.order.milestones;
    if (!order_now_us(script, row.update_time_us, &change.now_us) ||
        !order_has_signals(script, command->order->order_id, &has_more))
        return SQL_FAIL;
    change.time_us = change.now_us;
    if (command->mode == SAVE_AND_KEEP)
        change.next_time_us = change.lease_until_us = change.now_us + command->lease_us;
    else if (has_more)
        change.next_time_us = change.now_us;
    else if (command->mode == SAVE_AND_WAIT)
        change.next_time_us = change.now_us + command->delay_us;
    if (!order_row_write(script, &kept, &change))
        return SQL_FAIL;
    command->order->revision = kept.order.revision;
    command->order->create_time_us = kept.order.create_time_us;
    command->order->milestones = kept.order.milestones;
    return SQL_COMMIT;
}
