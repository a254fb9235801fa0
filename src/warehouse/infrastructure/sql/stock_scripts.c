/* What lies where, and whether the movements say the same. */
#include "warehouse/domain/limits.h"
#include "warehouse/infrastructure/sql/shelf_ledger.h"

enum sql_verdict get_stock_script(struct step *step)
{
    struct stock_command *command = (struct stock_command *)step->command;
    struct ledger ledger;
    enum sql_verdict verdict;
    bool active;
    if (!step_find_site(step, command->warehouse_id, &active, &verdict))
        return verdict;
    if (!ledger_read(&ledger, step, &command->sku, 1, &command->warehouse_id, 1))
        return ledger.verdict;
    struct ledger_stock *stock = ledger_find(&ledger, command->sku, command->warehouse_id);
    if (stock != NULL) {
        command->stock = stock->stock;
        return SQL_COMMIT;
    }
    if (!step_find_sku(step, command->sku, &verdict))
        return verdict;
    command->stock =
        (struct warehouse_stock){.warehouse_id = command->warehouse_id, .sku = command->sku};
    return SQL_COMMIT;
}

/* --- the list --- */

#define STOCK_COLUMNS                                                                              \
    "position, sku, warehouse_id, on_hand, allocated, shipped_for_reservations, update_time_us"

static const struct sql_statement *list_statement(const struct list_stock_command *command)
{
    static const struct sql_statement all = {
        .text = "SELECT " STOCK_COLUMNS " FROM warehouse_stock WHERE position > $1"
                " AND ($2 = '' OR sku = $2) AND ($3 = '' OR warehouse_id = $3)"
                " ORDER BY position LIMIT $4"};
    static const struct sql_statement by_sku = {
        .text = "SELECT " STOCK_COLUMNS " FROM warehouse_stock WHERE sku = $2 AND position > $1"
                " AND ($3 = '' OR warehouse_id = $3) ORDER BY position LIMIT $4"};
    static const struct sql_statement by_warehouse = {
        .text = "SELECT " STOCK_COLUMNS " FROM warehouse_stock WHERE warehouse_id = $3"
                " AND position > $1 AND ($2 = '' OR sku = $2) ORDER BY position LIMIT $4"};
    if (command->sku.size > 0)
        return &by_sku;
    return command->warehouse_id.size > 0 ? &by_warehouse : &all;
}

static bool page_is_due(struct step *step, const struct list_stock_command *command)
{
    int64_t now_us;
    int64_t latest = 0;
    struct text *skus = step_allocate(step, command->stock_count + 1, sizeof *skus);
    if (skus == NULL)
        return false;
    for (size_t i = 0; i < command->stock_count; i++) {
        skus[i] = command->stocks[i].sku;
        if (command->stocks[i].update_time_us > latest)
            latest = command->stocks[i].update_time_us;
    }
    struct text list = step_list(step, skus, command->stock_count);
    return list.data != NULL && sql_session_now_us(step->session, latest, &now_us) &&
           step_holds_are_due(step, list, now_us);
}

static bool query_listed(struct step *step, const struct list_page *part, struct sql_rows *rows)
{
    const struct list_stock_command *command = (const struct list_stock_command *)step->command;
    return sql_query(step->session, list_statement(command),
                     BOUND(sql_integer((int64_t)part->after), sql_text(command->sku),
                           sql_text(command->warehouse_id), page_limit(part)),
                     rows);
}

static bool read_listed(struct step *step, const struct sql_rows *rows, size_t row, void *record)
{
    struct warehouse_stock *stock = record;
    *stock = (struct warehouse_stock){
        .sku = sql_rows_text(rows, row, 1),
        .warehouse_id = sql_rows_text(rows, row, 2),
        .on_hand = sql_rows_integer(rows, row, 3),
        .allocated = sql_rows_integer(rows, row, 4),
        .shipped_for_reservations = sql_rows_integer(rows, row, 5),
        .update_time_us = sql_rows_integer(rows, row, 6),
    };
    return stock_read_shelves(step, stock);
}

enum sql_verdict list_stock_script(struct step *step)
{
    static const struct page_source source = {query_listed, read_listed,
                                              sizeof(struct warehouse_stock)};
    struct list_stock_command *command = (struct list_stock_command *)step->command;
    command->stocks = page_read(step, &command->page, &source, &command->stock_count);
    if (command->stocks == NULL)
        return SQL_FAIL;
    return page_is_due(step, command) ? SQL_ROLL_BACK : SQL_COMMIT;
}

/* --- verification --- */

/*
 * Every balance beside what the movements or holds make of it; rows that differ come out. Columns:
 * warehouse_id, sku, zone, bin, lot, expiry_day, from the movements, from the books.
 */
struct verification {
    const char *balance;
    struct sql_statement differences;
    struct sql_statement count;
};

static const struct verification verifications[] = {
    {"shelf",
     {.text =
          "SELECT COALESCE(m.warehouse_id, s.warehouse_id), COALESCE(m.sku, s.sku),"
          " COALESCE(m.zone, s.zone), COALESCE(m.bin, s.bin), COALESCE(m.lot, s.lot),"
          " COALESCE(m.expiry_day, s.expiry_day), COALESCE(m.quantity, 0), COALESCE(s.quantity, 0)"
          " FROM (SELECT warehouse_id, sku, zone, bin, lot, expiry_day, SUM(quantity) AS quantity"
          " FROM warehouse_movements GROUP BY warehouse_id, sku, zone, bin, lot, expiry_day) m"
          " FULL JOIN warehouse_shelves s ON s.warehouse_id = m.warehouse_id AND s.sku = m.sku"
          " AND s.zone = m.zone AND s.bin = m.bin AND s.lot = m.lot"
          " AND s.expiry_day = m.expiry_day"
          " WHERE COALESCE(m.quantity, 0) <> COALESCE(s.quantity, 0)"},
     {.text = "SELECT COUNT(*) FROM warehouse_shelves"}},
    {"on_hand",
     {.text = "SELECT COALESCE(m.warehouse_id, s.warehouse_id), COALESCE(m.sku, s.sku), '', '', '',"
              " 0, COALESCE(m.quantity, 0), COALESCE(s.on_hand, 0)"
              " FROM (SELECT warehouse_id, sku, SUM(quantity) AS quantity FROM warehouse_movements"
              " GROUP BY warehouse_id, sku) m FULL JOIN warehouse_stock s"
              " ON s.warehouse_id = m.warehouse_id AND s.sku = m.sku"
              " WHERE COALESCE(m.quantity, 0) <> COALESCE(s.on_hand, 0)"},
     {.text = "SELECT COUNT(*) FROM warehouse_stock"}},
    {"shipped_for_reservations",
     {.text = "SELECT COALESCE(m.warehouse_id, s.warehouse_id), COALESCE(m.sku, s.sku), '', '', '',"
              " 0, COALESCE(m.quantity, 0), COALESCE(s.shipped_for_reservations, 0)"
              " FROM (SELECT warehouse_id, sku, -SUM(quantity) AS quantity"
              " FROM warehouse_movements WHERE type = 2 AND reservation_id <> ''"
              " GROUP BY warehouse_id, sku) m FULL JOIN warehouse_stock s"
              " ON s.warehouse_id = m.warehouse_id AND s.sku = m.sku"
              " WHERE COALESCE(m.quantity, 0) <> COALESCE(s.shipped_for_reservations, 0)"},
     {.text = "SELECT COUNT(*) FROM warehouse_stock"}},
    {"allocated",
     {.text = "SELECT COALESCE(m.warehouse_id, s.warehouse_id), COALESCE(m.sku, s.sku), '', '', '',"
              " 0, COALESCE(m.quantity, 0), COALESCE(s.allocated, 0)"
              " FROM (SELECT l.warehouse_id AS warehouse_id, l.sku AS sku,"
              " SUM(l.quantity) AS quantity FROM warehouse_allocation_lines l"
              " JOIN warehouse_allocation_parts p ON p.allocation_id = l.allocation_id"
              " AND p.part = l.part WHERE p.state <= 2 GROUP BY l.warehouse_id, l.sku) m"
              " FULL JOIN warehouse_stock s ON s.warehouse_id = m.warehouse_id AND s.sku = m.sku"
              " WHERE COALESCE(m.quantity, 0) <> COALESCE(s.allocated, 0)"},
     {.text = "SELECT COUNT(*) FROM warehouse_stock"}},
    {"in_transit",
     {.text = "SELECT '', COALESCE(m.sku, s.sku), '', '', '', 0, COALESCE(m.quantity, 0),"
              " COALESCE(s.quantity, 0) FROM (SELECT sku, -SUM(quantity) AS quantity"
              " FROM warehouse_movements WHERE type = 3 GROUP BY sku) m FULL JOIN"
              " (SELECT l.sku AS sku, SUM(l.quantity) AS quantity FROM warehouse_transfer_lines l"
              " JOIN warehouse_transfers t ON t.transfer_id = l.transfer_id WHERE t.state = 1"
              " GROUP BY l.sku) s ON s.sku = m.sku"
              " WHERE COALESCE(m.quantity, 0) <> COALESCE(s.quantity, 0)"},
     {.text = "SELECT COUNT(*) FROM warehouse_transfers WHERE state = 1"}},
};

struct difference_reading {
    struct step *step;
    struct verify_movements_command *command;
    const char *balance;
    bool failed;
};

static struct text kept(struct difference_reading *reading, struct text text)
{
    struct text copy = arena_copy_text(reading->step->arena, text);
    reading->failed = reading->failed || copy.data == NULL;
    return copy;
}

static bool read_difference(void *context, const struct sql_value *values, size_t column_count)
{
    struct difference_reading *reading = context;
    struct verify_movements_command *command = reading->command;
    (void)column_count;
    if (command->mismatch_count == warehouse_mismatches_max)
        return false;
    command->mismatches[command->mismatch_count++] = (struct movement_mismatch){
        .warehouse_id = kept(reading, values[0].text),
        .sku = kept(reading, values[1].text),
        .zone = kept(reading, values[2].text),
        .bin = kept(reading, values[3].text),
        .lot = kept(reading, values[4].text),
        .expiry_day = values[5].integer,
        .balance = reading->balance,
        .movement_quantity = values[6].integer,
        .balance_quantity = values[7].integer,
    };
    return !reading->failed;
}

enum sql_verdict verify_movements_script(struct step *step)
{
    static const struct sql_statement count = {.text = "SELECT COUNT(*) FROM warehouse_movements"};
    struct verify_movements_command *command = (struct verify_movements_command *)step->command;
    struct sql_rows rows;
    command->balances = 0;
    command->mismatch_count = 0;
    command->mismatches =
        step_allocate(step, warehouse_mismatches_max, sizeof *command->mismatches);
    if (command->mismatches == NULL || !sql_query(step->session, &count, NULL, 0, &rows))
        return SQL_FAIL;
    command->movements = sql_rows_integer(&rows, 0, 0);
    for (size_t i = 0; i < sizeof verifications / sizeof verifications[0]; i++) {
        const struct verification *one = &verifications[i];
        struct difference_reading reading = {
            .step = step, .command = command, .balance = one->balance};
        if (!sql_query(step->session, &one->count, NULL, 0, &rows))
            return SQL_FAIL;
        command->balances += sql_rows_integer(&rows, 0, 0);
        if (!sql_each(step->session, &one->differences, NULL, 0, read_difference, &reading))
            return SQL_FAIL;
        if (reading.failed)
            return step_fail_memory(step);
    }
    return SQL_COMMIT;
}
