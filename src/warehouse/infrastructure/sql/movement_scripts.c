/*
 * Goods in, out, back, corrected, moved: each place is a movement of its own. What comes needs a
 * place that exists; what leaves is picked.
 */
#include "warehouse/infrastructure/sql/shelf_ledger.h"

static const char *const content_kinds[warehouse_command_count] = {
    [COMMAND_RECEIVE_STOCK] = "receive", [COMMAND_SHIP_STOCK] = "ship",
    [COMMAND_RETURN_STOCK] = "return",   [COMMAND_ADJUST_STOCK] = "adjust",
    [COMMAND_MOVE_STOCK] = "move",
};

static const enum movement_type movement_types[warehouse_command_count] = {
    [COMMAND_RECEIVE_STOCK] = MOVEMENT_INBOUND, [COMMAND_SHIP_STOCK] = MOVEMENT_OUTBOUND,
    [COMMAND_RETURN_STOCK] = MOVEMENT_RETURN,   [COMMAND_ADJUST_STOCK] = MOVEMENT_ADJUSTMENT,
    [COMMAND_MOVE_STOCK] = MOVEMENT_TRANSFER,
};

#define MOVEMENT_COLUMNS                                                                           \
    "position, movement_id, content, type, warehouse_id, zone, bin, sku, lot, expiry_day,"         \
    " quantity, reason, reference, reservation_id, note, time_us"

static struct movement movement_of(const struct sql_rows *rows, size_t row)
{
    return (struct movement){
        .movement_id = sql_rows_text(rows, row, 1),
        .type = (enum movement_type)sql_rows_integer(rows, row, 3),
        .warehouse_id = sql_rows_text(rows, row, 4),
        .zone = sql_rows_text(rows, row, 5),
        .bin = sql_rows_text(rows, row, 6),
        .sku = sql_rows_text(rows, row, 7),
        .lot = sql_rows_text(rows, row, 8),
        .expiry_day = sql_rows_integer(rows, row, 9),
        .quantity = sql_rows_integer(rows, row, 10),
        .reason = sql_rows_text(rows, row, 11),
        .reference = sql_rows_text(rows, row, 12),
        .reservation_id = sql_rows_text(rows, row, 13),
        .note = sql_rows_text(rows, row, 14),
        .time_us = sql_rows_integer(rows, row, 15),
    };
}

static struct text content_of(struct step *step, const struct movement_command *command)
{
    struct content content;
    content_begin(&content, content_kinds[command->base.kind]);
    content_text(&content, command->warehouse_id);
    content_text(&content, command->zone);
    content_text(&content, command->bin);
    content_text(&content, command->to_zone);
    content_text(&content, command->to_bin);
    content_text(&content, command->sku);
    content_text(&content, command->lot);
    content_number(&content, command->expiry_day);
    content_number(&content, command->quantity);
    content_text(&content, command->reason);
    content_text(&content, command->reference);
    content_text(&content, command->note);
    return content_take(&content, step);
}

/* A repeat is answered here: true, and *verdict. */
static bool is_repeat(struct step *step, struct movement_command *command, struct text content,
                      enum sql_verdict *verdict)
{
    static const struct sql_statement find = {
        .text = "SELECT " MOVEMENT_COLUMNS " FROM warehouse_movements WHERE movement_id = $1"};
    struct ledger ledger;
    struct sql_rows rows;
    *verdict = SQL_FAIL;
    if (!sql_query(step->session, &find, BOUND(sql_text(command->movement_id)), &rows))
        return true;
    if (rows.count == 0)
        return false;
    if (!text_equal(sql_rows_blob(&rows, 0, 2), content)) {
        *verdict = step_refuse(step, WAREHOUSE_ID_REUSED, command->movement_id);
        return true;
    }
    command->movement = movement_of(&rows, 0);
    if (!ledger_read(&ledger, step, &command->sku, 1, &command->warehouse_id, 1)) {
        *verdict = ledger.verdict;
        return true;
    }
    struct ledger_stock *stock = ledger_find(&ledger, command->sku, command->warehouse_id);
    if (stock != NULL)
        command->stock = stock->stock;
    *verdict = SQL_COMMIT;
    return true;
}

static bool brings(const struct movement_command *command)
{
    switch (movement_types[command->base.kind]) {
    case MOVEMENT_INBOUND:
    case MOVEMENT_RETURN:
        return true;
    case MOVEMENT_ADJUSTMENT:
        return command->quantity > 0;
    case MOVEMENT_OUTBOUND:
    case MOVEMENT_TRANSFER:
        break;
    }
    return false;
}

/* Warehouse and bins are there, and it takes goods. */
static bool places_exist(struct step *step, const struct movement_command *command,
                         enum sql_verdict *verdict)
{
    bool active;
    bool takes_goods =
        command->base.kind == COMMAND_RECEIVE_STOCK || command->base.kind == COMMAND_RETURN_STOCK;
    if (!step_find_site(step, command->warehouse_id, &active, verdict))
        return false;
    if (takes_goods && !active) {
        *verdict = step_refuse(step, WAREHOUSE_INACTIVE, command->warehouse_id);
        return false;
    }
    return step_find_bin(step, command->warehouse_id, command->zone, command->bin, verdict) &&
           step_find_bin(step, command->warehouse_id, command->to_zone, command->to_bin, verdict);
}

static struct movement leg_of(const struct movement_command *command, const struct ledger *ledger)
{
    return (struct movement){
        .movement_id = command->movement_id,
        .type = movement_types[command->base.kind],
        .warehouse_id = command->warehouse_id,
        .zone = command->zone,
        .bin = command->bin,
        .sku = command->sku,
        .lot = command->lot,
        .expiry_day = command->expiry_day,
        .quantity = command->quantity,
        .reason = command->reason,
        .reference = command->reference,
        .note = command->note,
        .time_us = ledger->now_us,
    };
}

static bool bring(struct ledger *ledger, struct movement_command *command, struct text content)
{
    struct movement leg = leg_of(command, ledger);
    if (!ledger_lot_expiry(ledger, leg.sku, leg.lot, &leg.expiry_day) ||
        !ledger_post(ledger, &leg, content, 0))
        return false;
    command->movement = leg;
    return true;
}

/* What leaves one place; for a move also what comes to the other. */
static bool post_pick(struct ledger *ledger, struct movement_command *command,
                      const struct pick *pick, size_t number, struct text content)
{
    const struct text none = {0};
    struct step *step = ledger->step;
    bool is_move = command->base.kind == COMMAND_MOVE_STOCK;
    struct movement leg = leg_of(command, ledger);
    leg.zone = pick->zone;
    leg.bin = pick->bin;
    leg.lot = pick->lot;
    leg.expiry_day = pick->expiry_day;
    leg.quantity = -pick->quantity;
    if (is_move || number > 0) {
        leg.movement_id = step_made_id(step, "movement", command->movement_id,
                                       text_of(is_move ? "from" : ""), (int64_t)number);
        if (leg.reference.size == 0)
            leg.reference = command->movement_id;
    }
    if (!ledger_post(ledger, &leg,
                     leg.movement_id.data == command->movement_id.data ? content : none, 0))
        return false;
    if (is_move) {
        leg.zone = command->to_zone;
        leg.bin = command->to_bin;
        leg.quantity = pick->quantity;
        leg.movement_id = command->movement_id;
        leg.reference = number == 0 ? none : command->movement_id;
        if (number > 0)
            leg.movement_id = step_made_id(step, "movement", command->movement_id, text_of("to"),
                                           (int64_t)number);
        if (!ledger_post(ledger, &leg, number == 0 ? content : none, pick->first_in_us))
            return false;
    }
    if (number == 0)
        command->movement = leg;
    return true;
}

static bool take(struct ledger *ledger, struct movement_command *command, struct text content)
{
    struct step *step = ledger->step;
    struct ledger_stock *stock = ledger_find(ledger, command->sku, command->warehouse_id);
    bool is_move = command->base.kind == COMMAND_MOVE_STOCK;
    bool is_shipping = command->base.kind == COMMAND_SHIP_STOCK;
    int64_t quantity = command->quantity < 0 ? -command->quantity : command->quantity;
    struct pick *picks;
    size_t count;
    const struct pick_filter filter = {
        .any_place = !is_move && command->zone.size == 0,
        .zone = command->zone,
        .bin = command->bin,
        .lot = command->lot,
        .expiry_day = command->expiry_day,
    };
    if (stock == NULL) {
        if (step_find_sku(step, command->sku, &ledger->verdict))
            ledger->verdict = step_insufficient(step, command->sku, quantity, 0);
        return false;
    }
    int64_t available_max = is_shipping ? warehouse_stock_available(&stock->stock) : INT64_MAX;
    if (!ledger_pick(ledger, stock, &filter, quantity, available_max, &picks, &count))
        return false;
    for (size_t i = 0; i < count; i++) {
        if (!post_pick(ledger, command, &picks[i], i, content))
            return false;
    }
    return true;
}

enum sql_verdict post_movement_script(struct step *step)
{
    struct movement_command *command = (struct movement_command *)step->command;
    struct ledger ledger;
    enum sql_verdict verdict;
    struct text content = content_of(step, command);
    if (content.data == NULL)
        return SQL_FAIL;
    if (is_repeat(step, command, content, &verdict) || !places_exist(step, command, &verdict))
        return verdict;
    if (!ledger_lock(&ledger, step, &command->sku, 1, &command->warehouse_id, 1,
                     brings(command) ? LEDGER_CREATE : LEDGER_EXISTING, true))
        return ledger.verdict;
    bool posted =
        brings(command) ? bring(&ledger, command, content) : take(&ledger, command, content);
    if (!posted || !ledger_write(&ledger))
        return ledger.verdict;
    command->stock = ledger_find(&ledger, command->sku, command->warehouse_id)->stock;
    return SQL_COMMIT;
}

/* --- lists --- */

#define LIST_REST                                                                                  \
    " AND position > $7 AND ($1 = '' OR warehouse_id = $1) AND ($2 = '' OR sku = $2)"              \
    " AND ($3 = 0 OR type = $3) AND ($4 = '' OR reference = $4) AND ($5 = 0 OR time_us >= $5)"     \
    " AND ($6 = 0 OR time_us < $6) ORDER BY position LIMIT $8"

/* The statement that looks where there is least to look through. */
static const struct sql_statement *list_statement(const struct list_movements_command *command)
{
    static const struct sql_statement by_reference = {
        .text = "SELECT " MOVEMENT_COLUMNS
                " FROM warehouse_movements WHERE reference = $4 AND reference <> ''" LIST_REST};
    static const struct sql_statement by_sku = {
        .text = "SELECT " MOVEMENT_COLUMNS " FROM warehouse_movements WHERE sku = $2" LIST_REST};
    static const struct sql_statement by_warehouse = {
        .text = "SELECT " MOVEMENT_COLUMNS
                " FROM warehouse_movements WHERE warehouse_id = $1" LIST_REST};
    static const struct sql_statement all = {
        .text =
            "SELECT " MOVEMENT_COLUMNS " FROM warehouse_movements WHERE position > 0" LIST_REST};
    if (command->reference.size > 0)
        return &by_reference;
    if (command->sku.size > 0)
        return &by_sku;
    return command->warehouse_id.size > 0 ? &by_warehouse : &all;
}

enum sql_verdict list_movements_script(struct step *step)
{
    struct list_movements_command *command = (struct list_movements_command *)step->command;
    struct sql_rows rows;
    if (!sql_query(step->session, list_statement(command),
                   BOUND(sql_text(command->warehouse_id), sql_text(command->sku),
                         sql_integer(command->type), sql_text(command->reference),
                         sql_integer(command->start_time_us), sql_integer(command->end_time_us),
                         sql_integer((int64_t)command->page.after), page_limit(&command->page)),
                   &rows))
        return SQL_FAIL;
    command->movement_count = page_rows(&command->page, &rows);
    command->movements =
        step_allocate(step, command->movement_count + 1, sizeof *command->movements);
    if (command->movements == NULL)
        return SQL_FAIL;
    for (size_t i = 0; i < command->movement_count; i++)
        command->movements[i] = movement_of(&rows, i);
    return SQL_COMMIT;
}
