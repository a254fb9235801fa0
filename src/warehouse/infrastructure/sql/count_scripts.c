/*
 * Counts. Recording notes what the books say at that instant, so it locks the stock it is about;
 * approval posts the differences. A count's row is locked after the stock rows.
 */
#include "warehouse/domain/limits.h"
#include "warehouse/infrastructure/sql/shelf_ledger.h"

#include <string.h>

#define COUNT_COLUMNS                                                                              \
    "position, count_id, content, warehouse_id, zone, skus, state, create_time_us, "               \
    "resolve_time_us"

static bool count_of(struct step *step, const struct sql_rows *rows, size_t row,
                     struct count *count)
{
    *count = (struct count){
        .count_id = sql_rows_text(rows, row, 1),
        .warehouse_id = sql_rows_text(rows, row, 3),
        .zone = sql_rows_text(rows, row, 4),
        .state = (enum count_state)sql_rows_integer(rows, row, 6),
        .create_time_us = sql_rows_integer(rows, row, 7),
        .resolve_time_us = sql_rows_integer(rows, row, 8),
    };
    return step_split(step, sql_rows_text(rows, row, 5), &count->skus, &count->sku_count);
}

static bool read_lines(struct step *step, struct count *count)
{
    static const struct sql_statement find = {
        .text = "SELECT sku, zone, bin, lot, expiry_day, expected, counted"
                " FROM warehouse_count_lines WHERE count_id = $1"
                " ORDER BY sku, zone, bin, lot, expiry_day"};
    struct sql_rows rows;
    if (!sql_query(step->session, &find, BOUND(sql_text(count->count_id)), &rows))
        return false;
    count->lines = step_allocate(step, rows.count + 1, sizeof *count->lines);
    if (count->lines == NULL)
        return false;
    count->line_count = rows.count;
    for (size_t i = 0; i < rows.count; i++)
        count->lines[i] = (struct count_line){
            .sku = sql_rows_text(&rows, i, 0),
            .zone = sql_rows_text(&rows, i, 1),
            .bin = sql_rows_text(&rows, i, 2),
            .lot = sql_rows_text(&rows, i, 3),
            .expiry_day = sql_rows_integer(&rows, i, 4),
            .expected = sql_rows_integer(&rows, i, 5),
            .is_counted = !sql_rows_is_null(&rows, i, 6),
            .counted = sql_rows_integer(&rows, i, 6),
        };
    return true;
}

static const struct sql_statement find_plainly = {
    .text = "SELECT " COUNT_COLUMNS " FROM warehouse_counts WHERE count_id = $1"};
static const struct sql_statement find_locked = {
    .text = "SELECT " COUNT_COLUMNS " FROM warehouse_counts WHERE count_id = $1",
    .for_update = true};

static bool find_count(struct step *step, const struct sql_statement *statement,
                       struct text count_id, struct count *count, struct text *content,
                       enum sql_verdict *verdict)
{
    struct sql_rows rows;
    *verdict = SQL_FAIL;
    if (!sql_query(step->session, statement, BOUND(sql_text(count_id)), &rows))
        return false;
    if (rows.count == 0) {
        *verdict = step_refuse(step, WAREHOUSE_COUNT_NOT_FOUND, count_id);
        return false;
    }
    *content = sql_rows_blob(&rows, 0, 2);
    return count_of(step, &rows, 0, count) && read_lines(step, count);
}

static enum sql_verdict refuse_by_state(struct step *step, const struct count *count)
{
    switch (count->state) {
    case COUNT_OPEN:
    case COUNT_RECORDED:
        return step_refuse(step, WAREHOUSE_COUNT_OPEN, count->count_id);
    case COUNT_APPROVED:
        return step_refuse(step, WAREHOUSE_COUNT_APPROVED, count->count_id);
    case COUNT_CANCELLED:
        break;
    }
    return step_refuse(step, WAREHOUSE_COUNT_CANCELLED, count->count_id);
}

/* --- starting --- */

static struct text content_of(struct step *step, const struct start_count_command *command)
{
    struct content content;
    content_begin(&content, "count");
    content_text(&content, command->warehouse_id);
    content_text(&content, command->zone);
    for (size_t i = 0; i < command->sku_count; i++)
        content_text(&content, command->skus[i]);
    return content_take(&content, step);
}

/* What the books have of it now, at most one line more than may be. */
static bool expected_lines(struct step *step, const struct start_count_command *command,
                           struct text sku_list, struct count *count)
{
    static const struct sql_statement find = {
        .text = "SELECT sku, zone, bin, lot, expiry_day, quantity FROM warehouse_shelves"
                " WHERE warehouse_id = $1 AND ($2 = '' OR zone = $2)"
                " AND ($3 = '[]' OR sku IN (SELECT value FROM json_each($3)))"
                " ORDER BY sku, zone, bin, lot, expiry_day LIMIT $4",
        .postgresql = "SELECT sku, zone, bin, lot, expiry_day, quantity FROM warehouse_shelves"
                      " WHERE warehouse_id = $1 AND ($2 = '' OR zone = $2)"
                      " AND ($3::text = '{}' OR sku = ANY ($3::text::text[]))"
                      " ORDER BY sku, zone, bin, lot, expiry_day LIMIT $4"};
    struct sql_rows rows;
    if (!sql_query(step->session, &find,
                   BOUND(sql_text(command->warehouse_id), sql_text(command->zone),
                         sql_text(sku_list), sql_integer(warehouse_count_lines_max + 1)),
                   &rows))
        return false;
    count->lines = step_allocate(step, rows.count + 1, sizeof *count->lines);
    if (count->lines == NULL)
        return false;
    count->line_count = rows.count;
    for (size_t i = 0; i < rows.count; i++)
        count->lines[i] = (struct count_line){
            .sku = sql_rows_text(&rows, i, 0),
            .zone = sql_rows_text(&rows, i, 1),
            .bin = sql_rows_text(&rows, i, 2),
            .lot = sql_rows_text(&rows, i, 3),
            .expiry_day = sql_rows_integer(&rows, i, 4),
            .expected = sql_rows_integer(&rows, i, 5),
        };
    return true;
}

static void put_line(struct step *step, struct text count_id, const struct count_line *line)
{
    static const struct sql_statement put = {
        .text = "INSERT INTO warehouse_count_lines (count_id, sku, zone, bin, lot, expiry_day,"
                " expected, counted) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"
                " ON CONFLICT (count_id, sku, zone, bin, lot, expiry_day) DO UPDATE"
                " SET expected = excluded.expected, counted = excluded.counted"};
    sql_enqueue(step->session, &put,
                BOUND(sql_text(count_id), sql_text(line->sku), sql_text(line->zone),
                      sql_text(line->bin), sql_text(line->lot), sql_integer(line->expiry_day),
                      sql_integer(line->expected),
                      line->is_counted ? sql_integer(line->counted) : sql_null()),
                1);
}

static enum sql_verdict start(struct step *step, struct start_count_command *command,
                              struct text content)
{
    static const struct sql_statement insert = {
        .text = "INSERT INTO warehouse_counts (count_id, content, warehouse_id, zone, skus, state,"
                " create_time_us, resolve_time_us) VALUES ($1, $2, $3, $4, $5, $6, $7, 0)"};
    struct count *count = &command->count;
    struct text sku_list = step_list(step, command->skus, command->sku_count);
    struct text skus = step_join(step, command->skus, command->sku_count);
    *count = (struct count){
        .count_id = command->count_id,
        .warehouse_id = command->warehouse_id,
        .state = COUNT_OPEN,
        .zone = command->zone,
        .skus = command->skus,
        .sku_count = command->sku_count,
    };
    if (sku_list.data == NULL || skus.data == NULL ||
        !expected_lines(step, command, sku_list, count) ||
        !sql_session_now_us(step->session, 0, &count->create_time_us))
        return SQL_FAIL;
    if (count->line_count > warehouse_count_lines_max)
        return step_refuse(step, WAREHOUSE_COUNT_TOO_LARGE, command->count_id);
    sql_enqueue(step->session, &insert,
                BOUND(sql_text(count->count_id), sql_blob(content), sql_text(count->warehouse_id),
                      sql_text(count->zone), sql_text(skus), sql_integer(count->state),
                      sql_integer(count->create_time_us)),
                1);
    for (size_t i = 0; i < count->line_count; i++)
        put_line(step, count->count_id, &count->lines[i]);
    return SQL_COMMIT;
}

enum sql_verdict start_count_script(struct step *step)
{
    struct start_count_command *command = (struct start_count_command *)step->command;
    enum sql_verdict verdict;
    struct text before;
    bool active;
    struct text content = content_of(step, command);
    if (content.data == NULL)
        return SQL_FAIL;
    if (find_count(step, &find_plainly, command->count_id, &command->count, &before, &verdict))
        return text_equal(before, content)
                   ? SQL_COMMIT
                   : step_refuse(step, WAREHOUSE_ID_REUSED, command->count_id);
    if (verdict == SQL_FAIL)
        return verdict;
    step_begin(step); /* that it was not found is no refusal here */
    if (!step_find_site(step, command->warehouse_id, &active, &verdict))
        return verdict;
    return start(step, command, content);
}

/* --- recording --- */

static void set_state(struct step *step, const struct count *count)
{
    static const struct sql_statement update = {
        .text = "UPDATE warehouse_counts SET state = $2, resolve_time_us = $3 WHERE count_id = $1"};
    sql_enqueue(step->session, &update,
                BOUND(sql_text(count->count_id), sql_integer(count->state),
                      sql_integer(count->resolve_time_us)),
                1);
}

/* Locks the stock of the lines, then the count, which is read again. */
static bool lock_count(struct ledger *ledger, struct step *step, struct count *count,
                       const struct count_line *lines, size_t line_count)
{
    struct text content;
    struct text *skus = step_allocate(step, line_count + 1, sizeof *skus);
    ledger->verdict = SQL_FAIL;
    if (skus == NULL)
        return false;
    for (size_t i = 0; i < line_count; i++)
        skus[i] = lines[i].sku;
    return ledger_lock(ledger, step, skus, line_count, &count->warehouse_id, 1, LEDGER_CREATE,
                       true) &&
           find_count(step, &find_locked, count->count_id, count, &content, &ledger->verdict) &&
           sql_session_now_us(step->session, count->create_time_us, &ledger->now_us);
}

static int64_t booked_quantity(struct ledger *ledger, struct text warehouse_id,
                               const struct count_line *line)
{
    const struct ledger_stock *stock = ledger_find(ledger, line->sku, warehouse_id);
    for (size_t i = 0; stock != NULL && i < stock->stock.shelf_count; i++) {
        const struct shelf *shelf = &stock->stock.shelves[i];
        if (place_equal(shelf->zone, shelf->bin, line->zone, line->bin) &&
            text_equal(shelf->lot, line->lot) && shelf->expiry_day == line->expiry_day)
            return shelf->quantity;
    }
    return 0;
}

static struct count_line *find_line(struct count *count, const struct count_line *wanted)
{
    for (size_t i = 0; i < count->line_count; i++) {
        if (count_line_compare(&count->lines[i], wanted) == 0)
            return &count->lines[i];
    }
    return NULL;
}

/* Copies of the lines asked, in which lots have their expiry dates; what is wrong ends the script.
 */
static bool prepare_lines(struct ledger *ledger, const struct count_command *command,
                          struct count_line *lines)
{
    struct step *step = ledger->step;
    const struct count *count = &command->count;
    for (size_t i = 0; i < command->line_count; i++) {
        struct count_line *line = &lines[i];
        *line = command->lines[i];
        line->is_counted = true;
        if (!count_covers(count, line->sku, line->zone))
            violations_add(&step->command->violations, "the count is not about this place",
                           "lines[%zu]", line->index);
        if (!step_find_bin(step, count->warehouse_id, line->zone, line->bin, &ledger->verdict) ||
            !ledger_lot_expiry(ledger, line->sku, line->lot, &line->expiry_day))
            return false;
    }
    if (step->command->violations.count > 0) {
        ledger->verdict = step_invalid(step);
        return false;
    }
    return true;
}

static enum sql_verdict record(struct ledger *ledger, struct count_command *command,
                               struct count_line *lines)
{
    struct step *step = ledger->step;
    struct count *count = &command->count;
    size_t total = count->line_count;
    struct count_line *all =
        step_allocate(step, count->line_count + command->line_count + 1, sizeof *all);
    if (all == NULL)
        return SQL_FAIL;
    memcpy(all, count->lines, count->line_count * sizeof *all);
    count->lines = all;
    for (size_t i = 0; i < command->line_count; i++) {
        struct count_line *line = &lines[i];
        struct count_line *there = find_line(count, line);
        if (there != NULL && there->is_counted && there->counted == line->counted)
            continue; /* the same again: what was expected then stays */
        line->expected = booked_quantity(ledger, count->warehouse_id, line);
        put_line(step, count->count_id, line);
        if (there != NULL)
            *there = *line;
        else
            all[total++] = *line;
    }
    if (total > warehouse_count_lines_max)
        return step_refuse(step, WAREHOUSE_COUNT_TOO_LARGE, count->count_id);
    count->line_count = total;
    count_lines_sort(all, total);
    count->state = COUNT_RECORDED;
    set_state(step, count);
    return SQL_COMMIT;
}

enum sql_verdict record_count_script(struct step *step)
{
    struct count_command *command = (struct count_command *)step->command;
    struct count *count = &command->count;
    struct ledger ledger;
    enum sql_verdict verdict;
    enum count_state after;
    struct text content;
    struct count_line *lines = step_allocate(step, command->line_count + 1, sizeof *lines);
    if (lines == NULL)
        return SQL_FAIL;
    if (!find_count(step, &find_plainly, command->count_id, count, &content, &verdict))
        return verdict;
    if (!lock_count(&ledger, step, count, command->lines, command->line_count))
        return ledger.verdict;
    if (count_transition(count->state, COUNT_RECORD, &after) == COUNT_REFUSES)
        return refuse_by_state(step, count);
    if (!prepare_lines(&ledger, command, lines))
        return ledger.verdict;
    return record(&ledger, command, lines);
}

/* --- the end --- */

static bool approve_line(struct ledger *ledger, const struct count *count, size_t number)
{
    struct step *step = ledger->step;
    const struct count_line *line = &count->lines[number];
    int64_t difference = line->counted - line->expected;
    if (!line->is_counted || difference == 0)
        return true;
    int64_t booked = booked_quantity(ledger, count->warehouse_id, line);
    if (booked + difference < 0) {
        ledger->verdict = step_insufficient(step, line->sku, -difference, booked);
        return false;
    }
    struct movement movement = {
        .movement_id = step_made_id(step, "count", count->count_id, text_of(""), (int64_t)number),
        .type = MOVEMENT_ADJUSTMENT,
        .warehouse_id = count->warehouse_id,
        .zone = line->zone,
        .bin = line->bin,
        .sku = line->sku,
        .lot = line->lot,
        .expiry_day = line->expiry_day,
        .quantity = difference,
        .reason = adjustment_reason_text(ADJUSTMENT_COUNT),
        .reference = count->count_id,
        .time_us = ledger->now_us,
    };
    return ledger_post(ledger, &movement, (struct text){0}, 0);
}

enum sql_verdict approve_count_script(struct step *step)
{
    struct count_command *command = (struct count_command *)step->command;
    struct count *count = &command->count;
    struct ledger ledger;
    enum sql_verdict verdict;
    enum count_state after;
    struct text content;
    if (!find_count(step, &find_plainly, command->count_id, count, &content, &verdict))
        return verdict;
    if (!lock_count(&ledger, step, count, count->lines, count->line_count))
        return ledger.verdict;
    switch (count_transition(count->state, COUNT_APPROVE, &after)) {
    case COUNT_REFUSES:
        return refuse_by_state(step, count);
    case COUNT_STAYS:
        return SQL_COMMIT;
    case COUNT_MOVES:
        break;
    }
    for (size_t i = 0; i < count->line_count; i++) {
        if (!approve_line(&ledger, count, i))
            return ledger.verdict;
    }
    if (!ledger_write(&ledger))
        return ledger.verdict;
    count->state = after;
    count->resolve_time_us = ledger.now_us;
    set_state(step, count);
    return SQL_COMMIT;
}

enum sql_verdict cancel_count_script(struct step *step)
{
    struct count_command *command = (struct count_command *)step->command;
    struct count *count = &command->count;
    enum sql_verdict verdict;
    enum count_state after;
    struct text content;
    if (!find_count(step, &find_locked, command->count_id, count, &content, &verdict))
        return verdict;
    switch (count_transition(count->state, COUNT_CANCEL, &after)) {
    case COUNT_REFUSES:
        return refuse_by_state(step, count);
    case COUNT_STAYS:
        return SQL_COMMIT;
    case COUNT_MOVES:
        break;
    }
    count->state = after;
    if (!sql_session_now_us(step->session, count->create_time_us, &count->resolve_time_us))
        return SQL_FAIL;
    set_state(step, count);
    return SQL_COMMIT;
}

/* --- reading --- */

enum sql_verdict get_count_script(struct step *step)
{
    struct count_command *command = (struct count_command *)step->command;
    enum sql_verdict verdict;
    struct text content;
    if (!find_count(step, &find_plainly, command->count_id, &command->count, &content, &verdict))
        return verdict;
    return SQL_COMMIT;
}

static bool query_listed(struct step *step, const struct list_page *part, struct sql_rows *rows)
{
    static const struct sql_statement list = {
        .text = "SELECT " COUNT_COLUMNS " FROM warehouse_counts WHERE position > $1"
                " AND ($2 = '' OR warehouse_id = $2) AND ($3 = 0 OR state = $3)"
                " ORDER BY position LIMIT $4"};
    const struct list_counts_command *command = (const struct list_counts_command *)step->command;
    return sql_query(step->session, &list,
                     BOUND(sql_integer((int64_t)part->after), sql_text(command->warehouse_id),
                           sql_integer(command->state), page_limit(part)),
                     rows);
}

static bool read_listed(struct step *step, const struct sql_rows *rows, size_t row, void *record)
{
    struct count *count = record;
    return count_of(step, rows, row, count) && read_lines(step, count);
}

enum sql_verdict list_counts_script(struct step *step)
{
    static const struct page_source source = {query_listed, read_listed, sizeof(struct count)};
    struct list_counts_command *command = (struct list_counts_command *)step->command;
    command->counts = page_read(step, &command->page, &source, &command->count_count);
    return command->counts == NULL ? SQL_FAIL : SQL_COMMIT;
}
