/*
 * An allocation is a row, its parts, their lines, and the picks that were made. The reasons and the
 * runner-up, which nothing asks the database about, are bytes in the row.
 */
#include "warehouse/infrastructure/sql/allocation_rows.h"

#include "platform/base/codec.h"

#include <string.h>

/* --- the plan's reasons as bytes --- */

static struct text pack_plan(struct step *step, const struct allocation *allocation)
{
    size_t room = 4 * varint_bytes_max;
    for (size_t i = 0; i < allocation->reason_count; i++)
        room += allocation->reasons[i].warehouse_id.size + 2 * varint_bytes_max;
    for (size_t i = 0; i < allocation->runner_up_count; i++)
        room += allocation->runner_up_warehouse_ids[i].size + varint_bytes_max;
    char *bytes = step_allocate(step, 1, room);
    struct byte_writer writer = {.at = bytes};
    if (bytes == NULL)
        return (struct text){0};
    write_varint(&writer, allocation->reason_count);
    for (size_t i = 0; i < allocation->reason_count; i++) {
        write_text(&writer, allocation->reasons[i].warehouse_id);
        write_varint(&writer, (uint64_t)allocation->reasons[i].code);
    }
    write_varint(&writer, allocation->runner_up_count);
    for (size_t i = 0; i < allocation->runner_up_count; i++)
        write_text(&writer, allocation->runner_up_warehouse_ids[i]);
    write_varint(&writer, money_is(allocation->runner_up_cost));
    write_varint(&writer, (uint64_t)allocation->runner_up_cost.amount_minor);
    return text_make(bytes, (size_t)(writer.at - bytes));
}

static bool unpack_plan(struct step *step, struct text bytes, struct text currency,
                        struct allocation *allocation)
{
    struct byte_reader reader = byte_reader_of(bytes);
    uint64_t count = read_varint(&reader);
    if (count > bytes.size)
        reader.failed = true;
    allocation->reasons =
        step_allocate(step, reader.failed ? 1 : count + 1, sizeof *allocation->reasons);
    if (allocation->reasons == NULL)
        return false;
    for (uint64_t i = 0; i < count && !reader.failed; i++) {
        struct allocation_reason *reason = &allocation->reasons[allocation->reason_count++];
        reason->warehouse_id = read_text(&reader);
        reason->code = (enum allocation_reason_code)read_varint(&reader);
    }
    count = read_varint(&reader);
    if (count > bytes.size)
        reader.failed = true;
    allocation->runner_up_warehouse_ids = step_allocate(
        step, reader.failed ? 1 : count + 1, sizeof *allocation->runner_up_warehouse_ids);
    if (allocation->runner_up_warehouse_ids == NULL)
        return false;
    for (uint64_t i = 0; i < count && !reader.failed; i++)
        allocation->runner_up_warehouse_ids[allocation->runner_up_count++] = read_text(&reader);
    if (read_varint(&reader) == 1)
        memcpy(allocation->runner_up_cost.currency, currency.data,
               currency.size < 3 ? currency.size : 3);
    allocation->runner_up_cost.amount_minor = read_quantity(&reader);
    if (reader.failed)
        *step->error =
            error_make(ERROR_DAMAGED, "the plan of allocation %.*s",
                       (int)allocation->allocation_id.size, allocation->allocation_id.data);
    return !reader.failed;
}

/* --- reading --- */

static struct money money_of(struct text currency, int64_t amount_minor)
{
    struct money money = {.amount_minor = amount_minor};
    memcpy(money.currency, currency.data, currency.size < 3 ? currency.size : 3);
    return money;
}

static bool read_parts(struct step *step, struct text currency, struct allocation *allocation)
{
    static const struct sql_statement find = {
        .text = "SELECT warehouse_id, state, distance_metres, cost_minor, ship_day, shipped"
                " FROM warehouse_allocation_parts WHERE allocation_id = $1 ORDER BY part"};
    struct sql_rows rows;
    if (!sql_query(step->session, &find, BOUND(sql_text(allocation->allocation_id)), &rows))
        return false;
    allocation->parts = step_allocate(step, rows.count + 1, sizeof *allocation->parts);
    if (allocation->parts == NULL)
        return false;
    allocation->part_count = rows.count;
    for (size_t i = 0; i < rows.count; i++) {
        struct allocation_part *part = &allocation->parts[i];
        part->warehouse_id = sql_rows_text(&rows, i, 0);
        part->state = (enum allocation_state)sql_rows_integer(&rows, i, 1);
        part->has_distance = !sql_rows_is_null(&rows, i, 2);
        part->distance_metres = sql_rows_integer(&rows, i, 2);
        if (!sql_rows_is_null(&rows, i, 3))
            part->cost = money_of(currency, sql_rows_integer(&rows, i, 3));
        part->ship_day = sql_rows_integer(&rows, i, 4);
        part->shipped = sql_rows_blob(&rows, i, 5);
    }
    return true;
}

static bool read_picks(struct step *step, struct allocation *allocation)
{
    static const struct sql_statement find = {
        .text = "SELECT part, sku, zone, bin, lot, expiry_day, quantity FROM warehouse_picks"
                " WHERE allocation_id = $1 ORDER BY part, sku, zone, bin, lot, expiry_day"};
    struct sql_rows rows;
    bool any_shipped = false;
    for (size_t i = 0; i < allocation->part_count; i++)
        any_shipped = any_shipped || allocation->parts[i].state == ALLOCATION_SHIPPED;
    if (!any_shipped)
        return true;
    if (!sql_query(step->session, &find, BOUND(sql_text(allocation->allocation_id)), &rows))
        return false;
    struct pick *picks = step_allocate(step, rows.count + 1, sizeof *picks);
    if (picks == NULL)
        return false;
    size_t at = 0;
    for (size_t i = 0; i < allocation->part_count; i++) {
        struct allocation_part *part = &allocation->parts[i];
        for (size_t k = 0; k < part->line_count; k++) {
            struct allocation_line *line = &part->lines[k];
            line->picks = &picks[at];
            while (at < rows.count && sql_rows_integer(&rows, at, 0) == (int64_t)i &&
                   text_equal(sql_rows_text(&rows, at, 1), line->sku)) {
                picks[at] = (struct pick){
                    .zone = sql_rows_text(&rows, at, 2),
                    .bin = sql_rows_text(&rows, at, 3),
                    .lot = sql_rows_text(&rows, at, 4),
                    .expiry_day = sql_rows_integer(&rows, at, 5),
                    .quantity = sql_rows_integer(&rows, at, 6),
                };
                at++;
                line->pick_count++;
            }
        }
    }
    return true;
}

static bool read_lines(struct step *step, struct allocation *allocation)
{
    static const struct sql_statement find = {
        .text = "SELECT part, sku, quantity, shipped_quantity FROM warehouse_allocation_lines"
                " WHERE allocation_id = $1 ORDER BY part, sku"};
    struct sql_rows rows;
    if (!sql_query(step->session, &find, BOUND(sql_text(allocation->allocation_id)), &rows))
        return false;
    struct allocation_line *lines = step_allocate(step, rows.count + 1, sizeof *lines);
    if (lines == NULL)
        return false;
    for (size_t i = 0; i < rows.count; i++) {
        size_t part = (size_t)sql_rows_integer(&rows, i, 0);
        lines[i] = (struct allocation_line){
            .sku = sql_rows_text(&rows, i, 1),
            .quantity = sql_rows_integer(&rows, i, 2),
            .shipped_quantity = sql_rows_integer(&rows, i, 3),
        };
        if (part >= allocation->part_count)
            continue; /* cannot be: written together */
        if (allocation->parts[part].line_count++ == 0)
            allocation->parts[part].lines = &lines[i];
    }
    return true;
}

bool allocation_read_row(struct step *step, const struct sql_rows *rows, size_t row,
                         struct allocation *allocation)
{
    struct text currency = sql_rows_text(rows, row, 7);
    *allocation = (struct allocation){
        .allocation_id = sql_rows_text(rows, row, 1),
        .order_id = sql_rows_text(rows, row, 3),
        .reservation_id = sql_rows_text(rows, row, 4),
        .state = (enum allocation_state)sql_rows_integer(rows, row, 5),
        .strategy = (enum allocation_strategy)sql_rows_integer(rows, row, 6),
        .optimal = sql_rows_integer(rows, row, 9) != 0,
        .create_time_us = sql_rows_integer(rows, row, 12),
        .expire_time_us = sql_rows_integer(rows, row, 13),
        .revision = sql_rows_integer(rows, row, 14),
    };
    if (!sql_rows_is_null(rows, row, 8))
        allocation->total_cost = money_of(currency, sql_rows_integer(rows, row, 8));
    if (!allocation->optimal)
        allocation->gap = money_of(currency, sql_rows_integer(rows, row, 10));
    return unpack_plan(step, sql_rows_blob(rows, row, 11), currency, allocation) &&
           read_parts(step, currency, allocation) && read_lines(step, allocation) &&
           read_picks(step, allocation);
}

bool allocation_find(struct step *step, struct text allocation_id, bool locked,
                     struct allocation *allocation, struct text *content, enum sql_verdict *verdict)
{
    static const struct sql_statement find_plainly = {
        .text =
            "SELECT " ALLOCATION_COLUMNS " FROM warehouse_allocations WHERE allocation_id = $1"};
    static const struct sql_statement find_locked = {
        .text = "SELECT " ALLOCATION_COLUMNS " FROM warehouse_allocations WHERE allocation_id = $1",
        .for_update = true};
    struct sql_rows rows;
    *verdict = SQL_FAIL;
    if (!sql_query(step->session, locked ? &find_locked : &find_plainly,
                   BOUND(sql_text(allocation_id)), &rows))
        return false;
    if (rows.count == 0) {
        *verdict = step_refuse(step, WAREHOUSE_ALLOCATION_NOT_FOUND, allocation_id);
        return false;
    }
    *content = sql_rows_blob(&rows, 0, 2);
    return allocation_read_row(step, &rows, 0, allocation);
}

/* --- writing --- */

static struct sql_value distance_of(const struct allocation_part *part)
{
    return part->has_distance ? sql_integer(part->distance_metres) : sql_null();
}

static struct sql_value minor_or_null(struct money money)
{
    return money_is(money) ? sql_integer(money.amount_minor) : sql_null();
}

#define ALLOCATION_INSERT                                                                          \
    "INSERT INTO warehouse_allocations (allocation_id, content, order_id,"                         \
    " reservation_id, state, strategy, currency, total_minor, optimal, gap_minor, plan,"           \
    " create_time_us, expire_time_us, revision)"                                                   \
    " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)"
#define PART_INSERT                                                                                \
    "INSERT INTO warehouse_allocation_parts (allocation_id, part, warehouse_id, state,"            \
    " distance_metres, cost_minor, ship_day) VALUES "
#define LINE_INSERT                                                                                \
    "INSERT INTO warehouse_allocation_lines (allocation_id, part, sku, warehouse_id,"              \
    " quantity, shipped_quantity) VALUES "

static void insert_part(struct step *step, const struct allocation *allocation, size_t number)
{
    static const struct sql_statement insert = {.text = PART_INSERT "($1, $2, $3, $4, $5, $6, $7)"};
    const struct allocation_part *part = &allocation->parts[number];
    sql_enqueue(step->session, &insert,
                BOUND(sql_text(allocation->allocation_id), sql_integer((int64_t)number),
                      sql_text(part->warehouse_id), sql_integer(part->state), distance_of(part),
                      minor_or_null(part->cost), sql_integer(part->ship_day)),
                sql_one_known);
}

static void insert_line(struct step *step, const struct allocation *allocation, size_t number,
                        const struct allocation_line *line)
{
    static const struct sql_statement insert = {.text = LINE_INSERT "($1, $2, $3, $4, $5, 0)"};
    sql_enqueue(step->session, &insert,
                BOUND(sql_text(allocation->allocation_id), sql_integer((int64_t)number),
                      sql_text(line->sku), sql_text(allocation->parts[number].warehouse_id),
                      sql_integer(line->quantity)),
                sql_one_known);
}

static const char *currency_of(const struct allocation *allocation)
{
    if (money_is(allocation->total_cost))
        return allocation->total_cost.currency;
    for (size_t i = 0; i < allocation->part_count; i++) {
        if (money_is(allocation->parts[i].cost))
            return allocation->parts[i].cost.currency;
    }
    return "";
}

enum { head_values = 14, first_values = 7 };

/* What the allocation's row takes, and behind it what its first part and line take. */
static void fill_values(const struct allocation *allocation, struct text content, struct text plan,
                        struct sql_value values[head_values + first_values])
{
    const struct sql_value head[head_values] = {
        sql_text(allocation->allocation_id),
        sql_blob(content),
        sql_text(allocation->order_id),
        sql_text(allocation->reservation_id),
        sql_integer(allocation->state),
        sql_integer(allocation->strategy),
        sql_text(text_of(currency_of(allocation))),
        minor_or_null(allocation->total_cost),
        sql_integer(allocation->optimal),
        sql_integer(allocation->gap.amount_minor),
        sql_blob(plan),
        sql_integer(allocation->create_time_us),
        sql_integer(allocation->expire_time_us),
        sql_integer(allocation->revision),
    };
    memcpy(values, head, sizeof head);
    if (allocation->part_count == 0 || allocation->parts[0].line_count == 0)
        return;
    const struct allocation_part *part = &allocation->parts[0];
    const struct sql_value first[first_values] = {
        sql_text(part->warehouse_id),
        sql_integer(part->state),
        distance_of(part),
        minor_or_null(part->cost),
        sql_integer(part->ship_day),
        sql_text(part->lines[0].sku),
        sql_integer(part->lines[0].quantity),
    };
    memcpy(values + head_values, first, sizeof first);
}

/*
 * The allocation's row. On PostgreSQL its first part and line travel in the same statement: mostly
 * there are no others, and each statement costs as much again as its row. True: they did.
 */
static bool insert_head(struct step *step, const struct allocation *allocation, struct text content,
                        struct text plan)
{
    static const struct sql_statement insert = {.text = ALLOCATION_INSERT};
    static const struct sql_statement insert_with_first = {
        .text = "SELECT 0", /* SQLite inserts into one table at a time */
        .postgresql = "WITH allocation AS (" ALLOCATION_INSERT "), part AS (" PART_INSERT
                      "($1, 0, $15, $16, $17, $18, $19)) " LINE_INSERT "($1, 0, $20, $15, $21, 0)"};
    struct sql_value values[head_values + first_values];
    bool with_first = sql_session_dialect(step->session) == SQL_DIALECT_POSTGRESQL &&
                      allocation->part_count > 0 && allocation->parts[0].line_count > 0;
    fill_values(allocation, content, plan, values);
    sql_enqueue(step->session, with_first ? &insert_with_first : &insert, values,
                with_first ? head_values + first_values : head_values, sql_one_known);
    return with_first;
}

bool allocation_insert(struct step *step, const struct allocation *allocation, struct text content)
{
    struct text plan = pack_plan(step, allocation);
    if (plan.data == NULL)
        return false;
    bool first_is_there = insert_head(step, allocation, content, plan);
    for (size_t i = 0; i < allocation->part_count; i++) {
        bool is_there = first_is_there && i == 0;
        if (!is_there)
            insert_part(step, allocation, i);
        for (size_t k = is_there ? 1 : 0; k < allocation->parts[i].line_count; k++)
            insert_line(step, allocation, i, &allocation->parts[i].lines[k]);
    }
    return !sql_session_has_failed(step->session);
}

bool allocation_update(struct step *step, const struct allocation *allocation)
{
    static const struct sql_statement update = {
        .text = "UPDATE warehouse_allocations SET state = $2, expire_time_us = $3, revision = $4"
                " WHERE allocation_id = $1"};
    static const struct sql_statement update_part = {
        .text = "UPDATE warehouse_allocation_parts SET state = $3"
                " WHERE allocation_id = $1 AND part = $2"};
    struct sql_value id = sql_text(allocation->allocation_id);
    sql_enqueue(step->session, &update,
                BOUND(id, sql_integer(allocation->state), sql_integer(allocation->expire_time_us),
                      sql_integer(allocation->revision)),
                1);
    for (size_t i = 0; i < allocation->part_count; i++)
        sql_enqueue(step->session, &update_part,
                    BOUND(id, sql_integer((int64_t)i), sql_integer(allocation->parts[i].state)), 1);
    return !sql_session_has_failed(step->session);
}

bool allocation_update_shipped(struct step *step, const struct allocation *allocation, size_t part)
{
    static const struct sql_statement update = {
        .text = "UPDATE warehouse_allocation_parts SET shipped = $3"
                " WHERE allocation_id = $1 AND part = $2"};
    static const struct sql_statement update_line = {
        .text = "UPDATE warehouse_allocation_lines SET shipped_quantity = $4"
                " WHERE allocation_id = $1 AND part = $2 AND sku = $3"};
    static const struct sql_statement insert_pick = {
        .text = "INSERT INTO warehouse_picks (allocation_id, part, sku, zone, bin, lot, expiry_day,"
                " quantity) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"};
    const struct allocation_part *shipped = &allocation->parts[part];
    struct sql_value id = sql_text(allocation->allocation_id);
    struct sql_value index = sql_integer((int64_t)part);
    sql_enqueue(step->session, &update, BOUND(id, index, sql_blob(shipped->shipped)), 1);
    for (size_t i = 0; i < shipped->line_count; i++) {
        const struct allocation_line *line = &shipped->lines[i];
        sql_enqueue(step->session, &update_line,
                    BOUND(id, index, sql_text(line->sku), sql_integer(line->shipped_quantity)), 1);
        for (size_t k = 0; k < line->pick_count; k++) {
            const struct pick *pick = &line->picks[k];
            sql_enqueue(step->session, &insert_pick,
                        BOUND(id, index, sql_text(line->sku), sql_text(pick->zone),
                              sql_text(pick->bin), sql_text(pick->lot),
                              sql_integer(pick->expiry_day), sql_integer(pick->quantity)),
                        1);
        }
    }
    return !sql_session_has_failed(step->session);
}

/* --- proposals, places, events --- */

bool allocation_propose_from(struct ledger *ledger, struct allocation *allocation)
{
    for (size_t i = 0; i < allocation->part_count; i++) {
        struct allocation_part *part = &allocation->parts[i];
        for (size_t k = 0; k < part->line_count && allocation_part_is_open(part); k++) {
            struct allocation_line *line = &part->lines[k];
            struct ledger_stock *stock = ledger_find(ledger, line->sku, part->warehouse_id);
            if (stock != NULL && !ledger_propose(ledger->step, &stock->stock, line->quantity,
                                                 &line->picks, &line->pick_count))
                return false;
        }
    }
    return true;
}

bool allocation_places(struct step *step, const struct allocation *allocation, struct text **skus,
                       size_t *sku_count, struct text **warehouse_ids, size_t *warehouse_count)
{
    size_t lines = 0;
    *sku_count = 0;
    *warehouse_count = 0;
    for (size_t i = 0; i < allocation->part_count; i++)
        lines += allocation->parts[i].line_count;
    *skus = step_allocate(step, lines + 1, sizeof **skus);
    *warehouse_ids = step_allocate(step, allocation->part_count + 1, sizeof **warehouse_ids);
    if (*skus == NULL || *warehouse_ids == NULL)
        return false;
    for (size_t i = 0; i < allocation->part_count; i++) {
        const struct allocation_part *part = &allocation->parts[i];
        if (!allocation_part_is_open(part))
            continue;
        (*warehouse_ids)[(*warehouse_count)++] = part->warehouse_id;
        for (size_t k = 0; k < part->line_count; k++)
            (*skus)[(*sku_count)++] = part->lines[k].sku;
    }
    return true;
}

bool allocation_propose(struct step *step, struct allocation *allocation)
{
    for (size_t i = 0; i < allocation->part_count; i++) {
        struct allocation_part *part = &allocation->parts[i];
        for (size_t k = 0; k < part->line_count && allocation_part_is_open(part); k++) {
            struct allocation_line *line = &part->lines[k];
            struct warehouse_stock stock = {.sku = line->sku, .warehouse_id = part->warehouse_id};
            if (!stock_read_shelves(step, &stock) ||
                !ledger_propose(step, &stock, line->quantity, &line->picks, &line->pick_count))
                return false;
        }
    }
    return true;
}

bool allocation_lock(struct ledger *ledger, struct step *step, struct allocation *allocation,
                     bool with_shelves)
{
    struct text *skus;
    struct text *sites;
    size_t sku_count;
    size_t site_count;
    struct text content;
    ledger->verdict = SQL_FAIL;
    if (!allocation_places(step, allocation, &skus, &sku_count, &sites, &site_count))
        return false;
    if (site_count == 0) /* nothing is held any more, and never will be again */
        return sql_session_now_us(step->session, allocation->create_time_us, &ledger->now_us);
    if (!ledger_lock(ledger, step, skus, sku_count, sites, site_count, LEDGER_EXISTING,
                     with_shelves) ||
        !allocation_find(step, allocation->allocation_id, true, allocation, &content,
                         &ledger->verdict))
        return false;
    ledger->verdict = SQL_FAIL;
    return sql_session_now_us(step->session, allocation->create_time_us, &ledger->now_us);
}

bool allocation_emit(struct step *step, const struct warehouse_event *event, int64_t time_us)
{
    const struct allocation *allocation = event->allocation;
    char *event_id = arena_format(step->arena, "%.*s/%lld/%s", (int)allocation->allocation_id.size,
                                  allocation->allocation_id.data, (long long)allocation->revision,
                                  warehouse_event_name(event->type));
    return step_emit(step, event, allocation->allocation_id, text_of(event_id), time_us);
}
