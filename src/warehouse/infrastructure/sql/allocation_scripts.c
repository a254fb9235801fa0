/*
 * What becomes of allocations: firm, released, expired, shipped. Stock is held by the parts that
 * are open; each way out of that gives it back in the same step.
 */
#include "warehouse/infrastructure/sql/allocation_rows.h"

#include <string.h>

static enum sql_verdict refuse_by_state(struct step *step, enum allocation_state state)
{
    enum warehouse_outcome outcome = WAREHOUSE_ALLOCATION_TENTATIVE;
    switch (state) {
    case ALLOCATION_TENTATIVE:
    case ALLOCATION_FIRM:
        break;
    case ALLOCATION_SHIPPED:
        outcome = WAREHOUSE_ALLOCATION_SHIPPED;
        break;
    case ALLOCATION_RELEASED:
        outcome = WAREHOUSE_ALLOCATION_RELEASED;
        break;
    case ALLOCATION_EXPIRED:
        outcome = WAREHOUSE_ALLOCATION_EXPIRED;
        break;
    }
    return step_refuse(step, outcome, (struct text){0});
}

/* Whether it is due by now: then the script ends and is run again after the expiry. */
static bool is_due(struct step *step, const struct allocation *allocation)
{
    int64_t now_us;
    if (allocation->state != ALLOCATION_TENTATIVE ||
        !sql_session_now_us(step->session, allocation->create_time_us, &now_us))
        return false;
    step->is_due = allocation_is_due(allocation->state, allocation->expire_time_us, now_us);
    step->due_at_us = now_us;
    return step->is_due;
}

/* Ends what the open parts hold. */
static void give_back(struct ledger *ledger, struct allocation *allocation,
                      enum allocation_state after)
{
    for (size_t i = 0; i < allocation->part_count; i++) {
        struct allocation_part *part = &allocation->parts[i];
        if (!allocation_part_is_open(part))
            continue;
        part->state = after;
        for (size_t k = 0; k < part->line_count; k++) {
            struct ledger_stock *stock =
                ledger_find(ledger, part->lines[k].sku, part->warehouse_id);
            stock->stock.allocated -= part->lines[k].quantity;
            stock->changed = true;
        }
    }
}

/* --- confirm, release --- */

enum sql_verdict confirm_allocation_script(struct step *step)
{
    struct allocation_command *command = (struct allocation_command *)step->command;
    struct allocation *allocation = &command->allocation;
    const struct warehouse_event event = {.type = EVENT_STOCK_ALLOCATED, .allocation = allocation};
    enum sql_verdict verdict;
    struct text content;
    int64_t now_us;
    if (!allocation_find(step, command->allocation_id, true, allocation, &content, &verdict))
        return verdict;
    if (is_due(step, allocation))
        return SQL_ROLL_BACK;
    switch (allocation_transition(allocation, ALLOCATION_CONFIRM)) {
    case ALLOCATION_REFUSES:
        return refuse_by_state(step, allocation->state);
    case ALLOCATION_STAYS:
        return allocation_propose(step, allocation) ? SQL_COMMIT : SQL_FAIL;
    case ALLOCATION_MOVES:
        break;
    }
    allocation->state = ALLOCATION_FIRM;
    allocation->expire_time_us = 0;
    allocation->revision++;
    for (size_t i = 0; i < allocation->part_count; i++)
        allocation->parts[i].state = ALLOCATION_FIRM;
    if (!sql_session_now_us(step->session, allocation->create_time_us, &now_us) ||
        !allocation_update(step, allocation) || !allocation_propose(step, allocation) ||
        !allocation_emit(step, &event, now_us))
        return SQL_FAIL;
    return SQL_COMMIT;
}

enum sql_verdict release_allocation_script(struct step *step)
{
    struct allocation_command *command = (struct allocation_command *)step->command;
    struct allocation *allocation = &command->allocation;
    const struct warehouse_event event = {.type = EVENT_ALLOCATION_RELEASED,
                                          .allocation = allocation};
    struct ledger ledger = {.step = step};
    enum sql_verdict verdict;
    struct text content;
    if (!allocation_find(step, command->allocation_id, false, allocation, &content, &verdict))
        return verdict;
    if (!allocation_lock(&ledger, step, allocation, false))
        return ledger.verdict;
    switch (allocation_transition(allocation, ALLOCATION_RELEASE)) {
    case ALLOCATION_REFUSES:
        return refuse_by_state(step, allocation->state);
    case ALLOCATION_STAYS:
        return SQL_COMMIT;
    case ALLOCATION_MOVES:
        break;
    }
    give_back(&ledger, allocation, ALLOCATION_RELEASED);
    allocation->state = allocation_state_of_parts(allocation);
    allocation->revision++;
    if (!ledger_write(&ledger) || !allocation_update(step, allocation) ||
        !allocation_emit(step, &event, ledger.now_us))
        return SQL_FAIL;
    return SQL_COMMIT;
}

/* --- expiry --- */

/* All of what is due that holds anything, as texts for the locks. */
static bool places_of(struct step *step, const struct sql_rows *ids, struct text **skus,
                      size_t *sku_count, struct text **sites, size_t *site_count)
{
    static const struct sql_statement find = {
        .text = "SELECT sku, warehouse_id FROM warehouse_allocation_lines WHERE allocation_id IN"
                " (SELECT value FROM json_each($1))",
        .postgresql = "SELECT sku, warehouse_id FROM warehouse_allocation_lines"
                      " WHERE allocation_id = ANY ($1::text::text[])"};
    struct sql_rows rows;
    struct text *texts = step_allocate(step, ids->count + 1, sizeof *texts);
    if (texts == NULL)
        return false;
    for (size_t i = 0; i < ids->count; i++)
        texts[i] = sql_rows_text(ids, i, 0);
    struct text list = step_list(step, texts, ids->count);
    if (list.data == NULL || !sql_query(step->session, &find, BOUND(sql_text(list)), &rows))
        return false;
    *skus = step_allocate(step, rows.count + 1, sizeof **skus);
    *sites = step_allocate(step, rows.count + 1, sizeof **sites);
    if (*skus == NULL || *sites == NULL)
        return false;
    for (size_t i = 0; i < rows.count; i++) {
        (*skus)[i] = sql_rows_text(&rows, i, 0);
        (*sites)[i] = sql_rows_text(&rows, i, 1);
    }
    *sku_count = rows.count;
    *site_count = rows.count;
    return true;
}

static bool expire(struct ledger *ledger, struct text allocation_id, bool *expired)
{
    struct step *step = ledger->step;
    struct allocation allocation;
    const struct warehouse_event event = {.type = EVENT_ALLOCATION_RELEASED,
                                          .allocation = &allocation};
    struct text content;
    *expired = false;
    if (!allocation_find(step, allocation_id, true, &allocation, &content, &ledger->verdict))
        return false;
    if (!allocation_is_due(allocation.state, allocation.expire_time_us, ledger->now_us))
        return true; /* somebody was faster */
    give_back(ledger, &allocation, ALLOCATION_EXPIRED);
    allocation.state = ALLOCATION_EXPIRED;
    allocation.revision++;
    *expired = true;
    ledger->verdict = SQL_FAIL;
    return allocation_update(step, &allocation) &&
           allocation_emit(step, &event, allocation.expire_time_us);
}

enum sql_verdict expire_script(struct step *step, int64_t due_at_us, size_t count_max,
                               size_t *expired)
{
    static const struct sql_statement find = {
        .text = "SELECT allocation_id FROM (SELECT allocation_id FROM warehouse_allocations"
                " WHERE state = 1 AND expire_time_us <= $1 ORDER BY expire_time_us LIMIT $2) d"
                " ORDER BY allocation_id"};
    struct ledger ledger;
    struct text *skus;
    struct text *sites;
    size_t sku_count;
    size_t site_count;
    struct sql_rows ids;
    int64_t now_us;
    *expired = 0;
    if (!sql_session_now_us(step->session, due_at_us, &now_us) ||
        !sql_query(step->session, &find,
                   BOUND(sql_integer(now_us), sql_integer((int64_t)count_max)), &ids))
        return SQL_FAIL;
    if (ids.count == 0)
        return SQL_COMMIT;
    if (!places_of(step, &ids, &skus, &sku_count, &sites, &site_count))
        return SQL_FAIL;
    if (!ledger_lock(&ledger, step, skus, sku_count, sites, site_count, LEDGER_EXPIRING, false))
        return ledger.verdict;
    for (size_t i = 0; i < ids.count; i++) {
        bool one;
        if (!expire(&ledger, sql_rows_text(&ids, i, 0), &one))
            return SQL_FAIL;
        *expired += one;
    }
    return ledger_write(&ledger) ? SQL_COMMIT : SQL_FAIL;
}

/* --- reading --- */

enum sql_verdict get_allocation_script(struct step *step)
{
    struct allocation_command *command = (struct allocation_command *)step->command;
    enum sql_verdict verdict;
    struct text content;
    if (!allocation_find(step, command->allocation_id, false, &command->allocation, &content,
                         &verdict))
        return verdict;
    if (is_due(step, &command->allocation))
        return SQL_ROLL_BACK;
    return allocation_propose(step, &command->allocation) ? SQL_COMMIT : SQL_FAIL;
}

/* A list may be filtered by state, so whatever is due anywhere would be wrong in it. */
static bool any_is_due(struct step *step)
{
    static const struct sql_statement find = {
        .text = "SELECT position FROM warehouse_allocations WHERE state = 1"
                " AND expire_time_us <= $1 LIMIT 1"};
    struct sql_rows rows;
    int64_t now_us;
    if (!sql_session_now_us(step->session, 0, &now_us) ||
        !sql_query(step->session, &find, BOUND(sql_integer(now_us)), &rows))
        return false;
    step->is_due = rows.count > 0;
    step->due_at_us = now_us;
    return step->is_due;
}

static const struct sql_statement *list_statement(const struct list_allocations_command *command)
{
    static const struct sql_statement all = {
        .text = "SELECT " ALLOCATION_COLUMNS " FROM warehouse_allocations a WHERE position > $1"
                " AND ($2 = '' OR order_id = $2) AND ($3 = 0 OR state = $3) AND ($4 = '' OR EXISTS"
                " (SELECT 1 FROM warehouse_allocation_parts p WHERE p.allocation_id ="
                " a.allocation_id AND p.warehouse_id = $4)) ORDER BY position LIMIT $5"};
    static const struct sql_statement by_order = {
        .text = "SELECT " ALLOCATION_COLUMNS " FROM warehouse_allocations a WHERE order_id = $2"
                " AND order_id <> '' AND position > $1 AND ($3 = 0 OR state = $3)"
                " AND ($4 = '' OR EXISTS (SELECT 1 FROM warehouse_allocation_parts p"
                " WHERE p.allocation_id = a.allocation_id AND p.warehouse_id = $4))"
                " ORDER BY position LIMIT $5"};
    return command->order_id.size > 0 ? &by_order : &all;
}

static bool query_listed(struct step *step, const struct list_page *part, struct sql_rows *rows)
{
    const struct list_allocations_command *command =
        (const struct list_allocations_command *)step->command;
    return sql_query(step->session, list_statement(command),
                     BOUND(sql_integer((int64_t)part->after), sql_text(command->order_id),
                           sql_integer(command->state), sql_text(command->warehouse_id),
                           page_limit(part)),
                     rows);
}

static bool read_listed(struct step *step, const struct sql_rows *rows, size_t row, void *record)
{
    struct allocation *allocation = record;
    return allocation_read_row(step, rows, row, allocation) && allocation_propose(step, allocation);
}

enum sql_verdict list_allocations_script(struct step *step)
{
    static const struct page_source source = {query_listed, read_listed, sizeof(struct allocation)};
    struct list_allocations_command *command = (struct list_allocations_command *)step->command;
    if (any_is_due(step))
        return SQL_ROLL_BACK;
    command->allocations = page_read(step, &command->page, &source, &command->allocation_count);
    return command->allocations == NULL ? SQL_FAIL : SQL_COMMIT;
}
