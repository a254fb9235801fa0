/*
 * Locked rows are read after they are locked, so what is read stays true until the end of the
 * transaction. Shelves have no locks of their own: nobody touches them without their stock row.
 */
#include "warehouse/infrastructure/sql/shelf_ledger.h"

#include "platform/base/check.h"
#include "warehouse/domain/limits.h"

#include <stdlib.h>
#include <string.h>

static bool end_with(struct ledger *ledger, enum sql_verdict verdict)
{
    ledger->verdict = verdict;
    return false;
}

/* --- locking and reading --- */

#define SKUS_SQLITE      "IN (SELECT value FROM json_each($1))"
#define SKUS_POSTGRESQL  "= ANY ($1::text::text[])"
#define SITES_SQLITE     "IN (SELECT value FROM json_each($2))"
#define SITES_POSTGRESQL "= ANY ($2::text::text[])"
#define STOCK_COLUMNS                                                                              \
    "sku, warehouse_id, on_hand, allocated, shipped_for_reservations, update_time_us"

static bool create_rows(struct ledger *ledger, const struct text *skus, size_t sku_count,
                        const struct text *warehouse_ids, size_t warehouse_count)
{
    static const struct sql_statement create = {
        .text = "INSERT INTO warehouse_stock (sku, warehouse_id, on_hand, allocated,"
                " shipped_for_reservations, update_time_us) VALUES ($1, $2, 0, 0, 0, 0)"
                " ON CONFLICT (sku, warehouse_id) DO NOTHING"};
    for (size_t i = 0; i < sku_count; i++) {
        for (size_t k = 0; k < warehouse_count; k++) {
            if (!sql_enqueue(ledger->step->session, &create,
                             BOUND(sql_text(skus[i]), sql_text(warehouse_ids[k])), sql_any_number))
                return end_with(ledger, SQL_FAIL);
        }
    }
    return true;
}

static struct warehouse_stock stock_of(const struct sql_rows *rows, size_t row)
{
    return (struct warehouse_stock){
        .sku = sql_rows_text(rows, row, 0),
        .warehouse_id = sql_rows_text(rows, row, 1),
        .on_hand = sql_rows_integer(rows, row, 2),
        .allocated = sql_rows_integer(rows, row, 3),
        .shipped_for_reservations = sql_rows_integer(rows, row, 4),
        .update_time_us = sql_rows_integer(rows, row, 5),
    };
}

static bool take_stocks(struct ledger *ledger, const struct sql_rows *rows)
{
    ledger->count = rows->count;
    ledger->stocks = step_allocate(ledger->step, rows->count + 1, sizeof *ledger->stocks);
    if (ledger->stocks == NULL)
        return end_with(ledger, SQL_FAIL);
    for (size_t i = 0; i < rows->count; i++)
        ledger->stocks[i].stock = stock_of(rows, i);
    return true;
}

struct ledger_stock *ledger_find(struct ledger *ledger, struct text sku, struct text warehouse_id)
{
    size_t low = 0;
    size_t high = ledger->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct warehouse_stock *stock = &ledger->stocks[middle].stock;
        int order = text_compare(stock->sku, sku);
        if (order == 0)
            order = text_compare(stock->warehouse_id, warehouse_id);
        if (order == 0)
            return &ledger->stocks[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

/* Its columns begin at `first`. */
static struct shelf shelf_of(const struct sql_rows *rows, size_t row, size_t first)
{
    return (struct shelf){
        .zone = sql_rows_text(rows, row, first),
        .bin = sql_rows_text(rows, row, first + 1),
        .lot = sql_rows_text(rows, row, first + 2),
        .expiry_day = sql_rows_integer(rows, row, first + 3),
        .quantity = sql_rows_integer(rows, row, first + 4),
        .first_in_us = sql_rows_integer(rows, row, first + 5),
    };
}

/* Room for those read and those that may come: it grows when needed. */
static bool make_shelf_room(struct ledger *ledger, struct ledger_stock *stock, size_t room)
{
    if (room <= stock->shelf_room)
        return true;
    size_t size = room < 4 ? 4 : 2 * room;
    struct shelf *shelves = step_allocate(ledger->step, size, sizeof *shelves);
    bool *changed = step_allocate(ledger->step, size, sizeof *changed);
    if (shelves == NULL || changed == NULL)
        return end_with(ledger, SQL_FAIL);
    if (stock->stock.shelf_count > 0) {
        memcpy(shelves, stock->stock.shelves, stock->stock.shelf_count * sizeof *shelves);
        memcpy(changed, stock->shelf_changed, stock->stock.shelf_count * sizeof *changed);
    }
    stock->stock.shelves = shelves;
    stock->shelf_changed = changed;
    stock->shelf_room = size;
    return true;
}

static bool read_shelves(struct ledger *ledger, struct text sku_list, struct text site_list)
{
    static const struct sql_statement shelves = {
        .text = "SELECT sku, warehouse_id, zone, bin, lot, expiry_day, quantity, first_in_us"
                " FROM warehouse_shelves WHERE sku " SKUS_SQLITE " AND warehouse_id " SITES_SQLITE
                " ORDER BY sku, warehouse_id",
        .postgresql = "SELECT h.* FROM unnest($1::text::text[]) s (sku),"
                      " unnest($2::text::text[]) w (warehouse_id), LATERAL (SELECT sku,"
                      " warehouse_id, zone, bin, lot, expiry_day, quantity, first_in_us"
                      " FROM warehouse_shelves WHERE sku = s.sku"
                      " AND warehouse_id = w.warehouse_id OFFSET 0) h"
                      " ORDER BY h.sku, h.warehouse_id"}; /* OFFSET 0: looked up one by one */
    struct sql_rows rows;
    if (!sql_query(ledger->step->session, &shelves, BOUND(sql_text(sku_list), sql_text(site_list)),
                   &rows))
        return end_with(ledger, SQL_FAIL);
    for (size_t i = 0; i < rows.count; i++) {
        struct ledger_stock *stock =
            ledger_find(ledger, sql_rows_text(&rows, i, 0), sql_rows_text(&rows, i, 1));
        if (stock == NULL)
            continue; /* came after the stock rows were read without locks */
        if (!make_shelf_room(ledger, stock, stock->stock.shelf_count + 1))
            return false;
        stock->stock.shelves[stock->stock.shelf_count++] = shelf_of(&rows, i, 2);
    }
    for (size_t i = 0; i < ledger->count; i++)
        shelves_sort(ledger->stocks[i].stock.shelves, ledger->stocks[i].stock.shelf_count);
    return true;
}

static int compare_texts(const void *a, const void *b)
{
    return text_compare(*(const struct text *)a, *(const struct text *)b);
}

/* Sorted and each once, as one parameter. */
static struct text list_of(struct step *step, const struct text *texts, size_t count,
                           const struct text **out, size_t *out_count)
{
    struct text *sorted = step_allocate(step, count + 1, sizeof *sorted);
    size_t kept = 0;
    if (sorted == NULL)
        return (struct text){0};
    if (count > 0)
        memcpy(sorted, texts, count * sizeof *sorted);
    if (count > 1)
        qsort(sorted, count, sizeof *sorted, compare_texts);
    for (size_t i = 0; i < count; i++) {
        if (kept == 0 || !text_equal(sorted[kept - 1], sorted[i]))
            sorted[kept++] = sorted[i];
    }
    *out = sorted;
    *out_count = kept;
    return step_list(step, sorted, kept);
}

static int64_t latest_time(const struct ledger *ledger)
{
    int64_t latest = 0;
    for (size_t i = 0; i < ledger->count; i++) {
        if (ledger->stocks[i].stock.update_time_us > latest)
            latest = ledger->stocks[i].stock.update_time_us;
    }
    return latest;
}

static const struct sql_statement lock_some = {
    .text = "SELECT " STOCK_COLUMNS " FROM warehouse_stock WHERE sku " SKUS_SQLITE
            " AND warehouse_id " SITES_SQLITE " ORDER BY sku, warehouse_id",
    .postgresql = "SELECT " STOCK_COLUMNS " FROM warehouse_stock WHERE sku " SKUS_POSTGRESQL
                  " AND warehouse_id " SITES_POSTGRESQL " ORDER BY sku, warehouse_id",
    .for_update = true};
static const struct sql_statement read_some = {
    .text = "SELECT " STOCK_COLUMNS " FROM warehouse_stock WHERE sku " SKUS_SQLITE
            " AND warehouse_id " SITES_SQLITE " ORDER BY sku, warehouse_id",
    .postgresql = "SELECT " STOCK_COLUMNS " FROM warehouse_stock WHERE sku " SKUS_POSTGRESQL
                  " AND warehouse_id " SITES_POSTGRESQL " ORDER BY sku, warehouse_id"};

/* The step's time, not before that of the rows; holds that are due by then end the script. */
static bool read_time(struct ledger *ledger, struct text sku_list, enum ledger_lock_mode mode)
{
    struct step *step = ledger->step;
    int64_t latest_us = latest_time(ledger);
    bool is_due = mode == LEDGER_EXPIRING
                      ? !sql_session_now_us(step->session, latest_us, &ledger->now_us)
                      : step_time_and_due(step, sku_list, latest_us, &ledger->now_us);
    if (sql_session_has_failed(step->session))
        return end_with(ledger, SQL_FAIL);
    return !is_due || end_with(ledger, SQL_ROLL_BACK);
}

static bool look(struct ledger *ledger, const struct sql_statement *statement, struct text sku_list,
                 struct text site_list, enum ledger_lock_mode mode)
{
    struct sql_rows rows;
    if (!sql_query(ledger->step->session, statement, BOUND(sql_text(sku_list), sql_text(site_list)),
                   &rows))
        return end_with(ledger, SQL_FAIL);
    return take_stocks(ledger, &rows) && read_time(ledger, sku_list, mode);
}

bool ledger_lock(struct ledger *ledger, struct step *step, const struct text *skus,
                 size_t sku_count, const struct text *warehouse_ids, size_t warehouse_count,
                 enum ledger_lock_mode mode, bool with_shelves)
{
    const struct text *sorted_skus = NULL;
    const struct text *sorted_sites = NULL;
    size_t skus_kept = 0;
    size_t sites_kept = 0;
    *ledger = (struct ledger){.step = step, .verdict = SQL_FAIL};
    struct text sku_list = list_of(step, skus, sku_count, &sorted_skus, &skus_kept);
    struct text site_list =
        list_of(step, warehouse_ids, warehouse_count, &sorted_sites, &sites_kept);
    if (sku_list.data == NULL || site_list.data == NULL)
        return false;
    if (mode == LEDGER_CREATE &&
        !create_rows(ledger, sorted_skus, skus_kept, sorted_sites, sites_kept))
        return false;
    return look(ledger, &lock_some, sku_list, site_list, mode) &&
           (!with_shelves || read_shelves(ledger, sku_list, site_list));
}

bool ledger_read(struct ledger *ledger, struct step *step, const struct text *skus,
                 size_t sku_count, const struct text *warehouse_ids, size_t warehouse_count)
{
    const struct text *sorted;
    size_t kept;
    *ledger = (struct ledger){.step = step, .verdict = SQL_FAIL};
    struct text sku_list = list_of(step, skus, sku_count, &sorted, &kept);
    struct text site_list = list_of(step, warehouse_ids, warehouse_count, &sorted, &kept);
    if (sku_list.data == NULL || site_list.data == NULL)
        return false;
    return look(ledger, &read_some, sku_list, site_list, LEDGER_EXISTING) &&
           read_shelves(ledger, sku_list, site_list);
}

/* --- everywhere --- */

/* What is known comes with each row: it is looked up once, and saves a statement. */
#define KNOWN                                                                                      \
    "(SELECT d.revision FROM warehouse_directory d WHERE d.directory_id = 1),"                     \
    " (SELECT a.content FROM warehouse_allocations a WHERE a.allocation_id = $2)"
#define EVERYWHERE_SQLITE                                                                          \
    "SELECT s.sku, s.warehouse_id, s.on_hand, s.allocated, s.shipped_for_reservations,"            \
    " s.update_time_us, (SELECT i.weight_grams FROM warehouse_items i WHERE i.sku = "              \
    "s.sku), " KNOWN " FROM warehouse_stock s WHERE s.sku " SKUS_SQLITE                            \
    " ORDER BY s.sku, s.warehouse_id"
/* OFFSET 0: items are looked up SKU by SKU, whatever the planner believes of their number. */
#define EVERYWHERE_POSTGRESQL                                                                      \
    "SELECT s.sku, s.warehouse_id, s.on_hand, s.allocated, s.shipped_for_reservations,"            \
    " s.update_time_us, i.weight_grams, " KNOWN " FROM (SELECT u.sku, (SELECT w.weight_grams"      \
    " FROM warehouse_items w WHERE w.sku = u.sku) AS weight_grams"                                 \
    " FROM unnest($1::text::text[]) u (sku) OFFSET 0) i"                                           \
    " JOIN warehouse_stock s ON s.sku = i.sku ORDER BY s.sku, s.warehouse_id"

static bool take_known(struct ledger *ledger, struct sql_rows *rows, struct text allocation_id,
                       struct allocation_known *known)
{
    static const struct sql_statement find = {
        .text = "SELECT 0, 0, 0, 0, 0, 0, 0, " KNOWN " WHERE $1 = 0",
        .postgresql = "SELECT 0, 0, 0, 0, 0, 0, 0, " KNOWN " WHERE $1::bigint = 0"};
    if (rows->count == 0 && !sql_query(ledger->step->session, &find,
                                       BOUND(sql_integer(0), sql_text(allocation_id)), rows))
        return end_with(ledger, SQL_FAIL);
    known->directory_revision = sql_rows_integer(rows, 0, 7);
    known->content = sql_rows_blob(rows, 0, 8);
    return true;
}

bool ledger_lock_everywhere(struct ledger *ledger, struct step *step, const struct text *skus,
                            size_t sku_count, bool locked, struct text allocation_id,
                            struct allocation_known *known)
{
    static const struct sql_statement lock = {
        .text = EVERYWHERE_SQLITE, .postgresql = EVERYWHERE_POSTGRESQL " FOR UPDATE OF s"};
    static const struct sql_statement read = {.text = EVERYWHERE_SQLITE,
                                              .postgresql = EVERYWHERE_POSTGRESQL};
    struct sql_rows rows;
    *ledger = (struct ledger){.step = step, .verdict = SQL_FAIL};
    struct text sku_list = step_list(step, skus, sku_count);
    if (sku_list.data == NULL ||
        !sql_query_later(step->session, locked ? &lock : &read,
                         BOUND(sql_text(sku_list), sql_text(allocation_id)), &rows))
        return false;
    if (!read_time(ledger, sku_list, LEDGER_EXISTING) || !take_stocks(ledger, &rows))
        return false;
    for (size_t i = 0; i < rows.count; i++)
        ledger->stocks[i].weight_grams = sql_rows_integer(&rows, i, 6);
    /* The clock was set back behind what is stored: what is due by then has to be asked again. */
    if (latest_time(ledger) > ledger->now_us && !read_time(ledger, sku_list, LEDGER_EXISTING))
        return false;
    return take_known(ledger, &rows, allocation_id, known);
}

bool ledger_read_shelves(struct ledger *ledger, const struct text *skus, size_t sku_count,
                         const struct text *warehouse_ids, size_t warehouse_count)
{
    const struct text *sorted;
    size_t kept;
    struct text sku_list = list_of(ledger->step, skus, sku_count, &sorted, &kept);
    struct text site_list = list_of(ledger->step, warehouse_ids, warehouse_count, &sorted, &kept);
    if (sku_list.data == NULL || site_list.data == NULL)
        return end_with(ledger, SQL_FAIL);
    return read_shelves(ledger, sku_list, site_list);
}

/* --- posting --- */

static size_t find_shelf(const struct warehouse_stock *stock, const struct movement *movement)
{
    for (size_t i = 0; i < stock->shelf_count; i++) {
        const struct shelf *shelf = &stock->shelves[i];
        if (place_equal(shelf->zone, shelf->bin, movement->zone, movement->bin) &&
            text_equal(shelf->lot, movement->lot) && shelf->expiry_day == movement->expiry_day)
            return i;
    }
    return stock->shelf_count;
}

static bool change_shelf(struct ledger *ledger, struct ledger_stock *locked,
                         const struct movement *movement, int64_t first_in_us)
{
    struct warehouse_stock *stock = &locked->stock;
    size_t at = find_shelf(stock, movement);
    if (at == stock->shelf_count) {
        CHECK(movement->quantity > 0);
        if (stock->shelf_count >= warehouse_places_max)
            return end_with(ledger, step_refuse(ledger->step, WAREHOUSE_PLACES_LIMIT, stock->sku));
        if (!make_shelf_room(ledger, locked, at + 1))
            return false;
        stock->shelves[stock->shelf_count++] = (struct shelf){
            .zone = movement->zone,
            .bin = movement->bin,
            .lot = movement->lot,
            .expiry_day = movement->expiry_day,
            .first_in_us = first_in_us,
        };
    }
    struct shelf *shelf = &stock->shelves[at];
    if (movement->quantity > 0 && (shelf->quantity == 0 || first_in_us < shelf->first_in_us))
        shelf->first_in_us = first_in_us;
    shelf->quantity += movement->quantity;
    CHECK(shelf->quantity >= 0);
    locked->shelf_changed[at] = true;
    return true;
}

static bool write_movement(struct ledger *ledger, const struct movement *movement,
                           struct text content)
{
    static const struct sql_statement insert = {
        .text = "INSERT INTO warehouse_movements (movement_id, content, type, warehouse_id, zone,"
                " bin, sku, lot, expiry_day, quantity, reason, reference, reservation_id, note,"
                " time_us) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14,"
                " $15)"};
    struct step *step = ledger->step;
    struct warehouse_event event = {.type = EVENT_MOVEMENT_RECORDED, .movement = movement};
    char *event_id = arena_format(step->arena, "%.*s/MovementRecorded",
                                  (int)movement->movement_id.size, movement->movement_id.data);
    sql_enqueue(step->session, &insert,
                BOUND(sql_text(movement->movement_id),
                      content.size == 0 ? sql_null() : sql_blob(content),
                      sql_integer(movement->type), sql_text(movement->warehouse_id),
                      sql_text(movement->zone), sql_text(movement->bin), sql_text(movement->sku),
                      sql_text(movement->lot), sql_integer(movement->expiry_day),
                      sql_integer(movement->quantity), sql_text(movement->reason),
                      sql_text(movement->reference), sql_text(movement->reservation_id),
                      sql_text(movement->note), sql_integer(movement->time_us)),
                sql_one_known);
    if (!step_emit(step, &event, movement->sku, text_of(event_id), movement->time_us))
        return end_with(ledger, SQL_FAIL);
    return true;
}

bool ledger_post(struct ledger *ledger, const struct movement *movement, struct text content,
                 int64_t first_in_us)
{
    struct ledger_stock *locked = ledger_find(ledger, movement->sku, movement->warehouse_id);
    CHECK(locked != NULL);
    if (movement->movement_id.data == NULL)
        return end_with(ledger, SQL_FAIL); /* step_made_id had no memory */
    if (locked->stock.on_hand > warehouse_on_hand_max - movement->quantity)
        return end_with(ledger, step_refuse(ledger->step, WAREHOUSE_ON_HAND_LIMIT, movement->sku));
    if (!change_shelf(ledger, locked, movement, first_in_us == 0 ? ledger->now_us : first_in_us))
        return false;
    locked->stock.on_hand += movement->quantity;
    locked->changed = true;
    return write_movement(ledger, movement, content);
}

bool ledger_pick(struct ledger *ledger, struct ledger_stock *stock,
                 const struct pick_filter *filter, int64_t quantity, int64_t available_max,
                 struct pick **picks, size_t *pick_count)
{
    struct step *step = ledger->step;
    size_t count = stock->stock.shelf_count;
    int64_t picked = 0;
    struct shelf *copies = step_allocate(step, count + 1, sizeof *copies);
    *picks = step_allocate(step, count + 1, sizeof **picks);
    if (copies == NULL || *picks == NULL)
        return end_with(ledger, SQL_FAIL);
    if (count > 0)
        memcpy(copies, stock->stock.shelves, count * sizeof *copies);
    *pick_count = shelves_pick(copies, count, filter, quantity, *picks, &picked);
    if (picked > available_max)
        picked = available_max;
    if (picked < quantity)
        return end_with(
            ledger, step_insufficient(step, stock->stock.sku, quantity, picked < 0 ? 0 : picked));
    return true;
}

bool stock_read_shelves(struct step *step, struct warehouse_stock *stock)
{
    static const struct sql_statement find = {
        .text = "SELECT sku, warehouse_id, zone, bin, lot, expiry_day, quantity, first_in_us"
                " FROM warehouse_shelves WHERE sku = $1 AND warehouse_id = $2"};
    struct sql_rows rows;
    if (!sql_query(step->session, &find, BOUND(sql_text(stock->sku), sql_text(stock->warehouse_id)),
                   &rows))
        return false;
    stock->shelves = step_allocate(step, rows.count + 1, sizeof *stock->shelves);
    if (stock->shelves == NULL)
        return false;
    stock->shelf_count = rows.count;
    for (size_t i = 0; i < rows.count; i++)
        stock->shelves[i] = shelf_of(&rows, i, 2);
    shelves_sort(stock->shelves, stock->shelf_count);
    return true;
}

bool ledger_propose(struct step *step, const struct warehouse_stock *stock, int64_t quantity,
                    struct pick **picks, size_t *pick_count)
{
    const struct pick_filter anything = {.any_place = true};
    int64_t picked;
    struct shelf *copies = step_allocate(step, stock->shelf_count + 1, sizeof *copies);
    *picks = step_allocate(step, stock->shelf_count + 1, sizeof **picks);
    if (copies == NULL || *picks == NULL)
        return false;
    if (stock->shelf_count > 0)
        memcpy(copies, stock->shelves, stock->shelf_count * sizeof *copies);
    *pick_count = shelves_pick(copies, stock->shelf_count, &anything, quantity, *picks, &picked);
    return true;
}

/* --- writing --- */

static void write_shelf(struct ledger *ledger, const struct warehouse_stock *stock,
                        const struct shelf *shelf)
{
    static const struct sql_statement put = {
        .text = "INSERT INTO warehouse_shelves (sku, warehouse_id, zone, bin, lot, expiry_day,"
                " quantity, first_in_us) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"
                " ON CONFLICT (sku, warehouse_id, zone, bin, lot, expiry_day) DO UPDATE"
                " SET quantity = excluded.quantity, first_in_us = excluded.first_in_us"};
    static const struct sql_statement drop = {
        .text = "DELETE FROM warehouse_shelves WHERE sku = $1 AND warehouse_id = $2"
                " AND zone = $3 AND bin = $4 AND lot = $5 AND expiry_day = $6"};
    if (shelf->quantity == 0)
        sql_enqueue(ledger->step->session, &drop,
                    BOUND(sql_text(stock->sku), sql_text(stock->warehouse_id),
                          sql_text(shelf->zone), sql_text(shelf->bin), sql_text(shelf->lot),
                          sql_integer(shelf->expiry_day)),
                    sql_any_number); /* one that came and went in this step has no row */
    else
        sql_enqueue(ledger->step->session, &put,
                    BOUND(sql_text(stock->sku), sql_text(stock->warehouse_id),
                          sql_text(shelf->zone), sql_text(shelf->bin), sql_text(shelf->lot),
                          sql_integer(shelf->expiry_day), sql_integer(shelf->quantity),
                          sql_integer(shelf->first_in_us)),
                    sql_one_known);
}

bool ledger_write(struct ledger *ledger)
{
    static const struct sql_statement update = {
        .text = "UPDATE warehouse_stock SET on_hand = $3, allocated = $4,"
                " shipped_for_reservations = $5, update_time_us = $6"
                " WHERE sku = $1 AND warehouse_id = $2"};
    for (size_t i = 0; i < ledger->count; i++) {
        struct ledger_stock *locked = &ledger->stocks[i];
        struct warehouse_stock *stock = &locked->stock;
        size_t kept = 0;
        if (!locked->changed)
            continue;
        stock->update_time_us = ledger->now_us;
        sql_enqueue(ledger->step->session, &update,
                    BOUND(sql_text(stock->sku), sql_text(stock->warehouse_id),
                          sql_integer(stock->on_hand), sql_integer(stock->allocated),
                          sql_integer(stock->shipped_for_reservations),
                          sql_integer(stock->update_time_us)),
                    sql_one_known);
        for (size_t k = 0; k < stock->shelf_count; k++) {
            if (locked->shelf_changed[k])
                write_shelf(ledger, stock, &stock->shelves[k]);
            locked->shelf_changed[k] = false;
            if (stock->shelves[k].quantity > 0)
                stock->shelves[kept++] = stock->shelves[k];
        }
        stock->shelf_count = kept;
        shelves_sort(stock->shelves, kept);
    }
    return !sql_session_has_failed(ledger->step->session) || end_with(ledger, SQL_FAIL);
}

/* --- lots --- */

bool ledger_lot_expiry(struct ledger *ledger, struct text sku, struct text lot, int64_t *expiry_day)
{
    static const struct sql_statement find = {
        .text = "SELECT expiry_day FROM warehouse_lots WHERE sku = $1 AND lot = $2"};
    static const struct sql_statement insert = {
        .text = "INSERT INTO warehouse_lots (sku, lot, expiry_day) VALUES ($1, $2, $3)"};
    struct sql_session *session = ledger->step->session;
    struct sql_rows rows;
    if (lot.size == 0)
        return true;
    if (!sql_query(session, &find, BOUND(sql_text(sku), sql_text(lot)), &rows))
        return end_with(ledger, SQL_FAIL);
    if (rows.count == 0) {
        sql_enqueue(session, &insert, BOUND(sql_text(sku), sql_text(lot), sql_integer(*expiry_day)),
                    1);
        return true;
    }
    int64_t known = sql_rows_integer(&rows, 0, 0);
    if (*expiry_day != 0 && *expiry_day != known)
        return end_with(ledger, step_refuse(ledger->step, WAREHOUSE_LOT_MISMATCH, lot));
    *expiry_day = known;
    return true;
}
