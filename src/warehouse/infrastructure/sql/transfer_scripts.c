/*
 * Transfers. Goods leave the shelves of one warehouse when the transfer is made, and come to those
 * of the other when it is received; in between its lines count them. A transfer's row is locked
 * after the stock rows.
 */
#include "warehouse/infrastructure/sql/shelf_ledger.h"

#include <string.h>

#define TRANSFER_COLUMNS                                                                           \
    "position, transfer_id, content, from_warehouse_id, to_warehouse_id, state, received,"         \
    " create_time_us, resolve_time_us"

static struct transfer transfer_of(const struct sql_rows *rows, size_t row)
{
    return (struct transfer){
        .transfer_id = sql_rows_text(rows, row, 1),
        .from_warehouse_id = sql_rows_text(rows, row, 3),
        .to_warehouse_id = sql_rows_text(rows, row, 4),
        .state = (enum transfer_state)sql_rows_integer(rows, row, 5),
        .create_time_us = sql_rows_integer(rows, row, 7),
        .resolve_time_us = sql_rows_integer(rows, row, 8),
    };
}

static bool read_lines(struct step *step, struct transfer *transfer)
{
    static const struct sql_statement find = {
        .text = "SELECT sku, lot, expiry_day, first_in_us, quantity, received_quantity"
                " FROM warehouse_transfer_lines WHERE transfer_id = $1"
                " ORDER BY sku, lot, expiry_day"};
    struct sql_rows rows;
    if (!sql_query(step->session, &find, BOUND(sql_text(transfer->transfer_id)), &rows))
        return false;
    transfer->lines = step_allocate(step, rows.count + 1, sizeof *transfer->lines);
    if (transfer->lines == NULL)
        return false;
    transfer->line_count = rows.count;
    for (size_t i = 0; i < rows.count; i++)
        transfer->lines[i] = (struct transfer_line){
            .sku = sql_rows_text(&rows, i, 0),
            .lot = sql_rows_text(&rows, i, 1),
            .expiry_day = sql_rows_integer(&rows, i, 2),
            .first_in_us = sql_rows_integer(&rows, i, 3),
            .quantity = sql_rows_integer(&rows, i, 4),
            .received_quantity = sql_rows_integer(&rows, i, 5),
        };
    return true;
}

static const struct sql_statement find_plainly = {
    .text = "SELECT " TRANSFER_COLUMNS " FROM warehouse_transfers WHERE transfer_id = $1"};
static const struct sql_statement find_locked = {
    .text = "SELECT " TRANSFER_COLUMNS " FROM warehouse_transfers WHERE transfer_id = $1",
    .for_update = true};

/* With its lines. False: failed, or (with a verdict) not found. `bytes` are its two blobs. */
static bool find_transfer(struct step *step, const struct sql_statement *statement,
                          struct text transfer_id, struct transfer *transfer, struct text bytes[2],
                          enum sql_verdict *verdict)
{
    struct sql_rows rows;
    *verdict = SQL_FAIL;
    if (!sql_query(step->session, statement, BOUND(sql_text(transfer_id)), &rows))
        return false;
    if (rows.count == 0) {
        *verdict = step_refuse(step, WAREHOUSE_TRANSFER_NOT_FOUND, transfer_id);
        return false;
    }
    *transfer = transfer_of(&rows, 0);
    bytes[0] = sql_rows_blob(&rows, 0, 2);
    bytes[1] = sql_rows_blob(&rows, 0, 6);
    return read_lines(step, transfer);
}

static bool emit(struct step *step, enum warehouse_event_type type, const struct transfer *transfer,
                 int64_t time_us)
{
    struct warehouse_event event = {.type = type, .transfer = transfer};
    char *event_id = arena_format(step->arena, "%.*s/%s", (int)transfer->transfer_id.size,
                                  transfer->transfer_id.data, warehouse_event_name(type));
    return step_emit(step, &event, transfer->transfer_id, text_of(event_id), time_us);
}

/* --- making one --- */

static struct text content_of(struct step *step, const struct create_transfer_command *command)
{
    struct content content;
    content_begin(&content, "transfer");
    content_text(&content, command->from_warehouse_id);
    content_text(&content, command->to_warehouse_id);
    for (size_t i = 0; i < command->line_count; i++) {
        content_text(&content, command->lines[i].sku);
        content_text(&content, command->lines[i].lot);
        content_number(&content, command->lines[i].quantity);
    }
    return content_take(&content, step);
}

/* Adds what was picked to the transfer's line of that SKU, lot and expiry date, or a new line. */
static bool add_pick(struct step *step, struct transfer *transfer, size_t *room, struct text sku,
                     const struct pick *pick)
{
    for (size_t i = 0; i < transfer->line_count; i++) {
        struct transfer_line *line = &transfer->lines[i];
        if (!text_equal(line->sku, sku) || !text_equal(line->lot, pick->lot) ||
            line->expiry_day != pick->expiry_day)
            continue;
        line->quantity += pick->quantity;
        if (pick->first_in_us < line->first_in_us)
            line->first_in_us = pick->first_in_us;
        return true;
    }
    if (transfer->line_count == *room) {
        size_t size = *room == 0 ? 16 : 2 * *room;
        struct transfer_line *lines = step_allocate(step, size, sizeof *lines);
        if (lines == NULL)
            return false;
        if (*room > 0)
            memcpy(lines, transfer->lines, *room * sizeof *lines);
        transfer->lines = lines;
        *room = size;
    }
    transfer->lines[transfer->line_count++] = (struct transfer_line){
        .sku = sku,
        .lot = pick->lot,
        .expiry_day = pick->expiry_day,
        .first_in_us = pick->first_in_us,
        .quantity = pick->quantity,
    };
    return true;
}

static struct movement leg_of(const struct transfer *transfer, struct text warehouse_id,
                              const struct ledger *ledger)
{
    return (struct movement){
        .type = MOVEMENT_TRANSFER,
        .warehouse_id = warehouse_id,
        .reference = transfer->transfer_id,
        .time_us = ledger->now_us,
    };
}

static bool send_line(struct ledger *ledger, struct transfer *transfer, size_t *room,
                      const struct transfer_request_line *line, int64_t *number)
{
    struct step *step = ledger->step;
    struct ledger_stock *stock = ledger_find(ledger, line->sku, transfer->from_warehouse_id);
    const struct pick_filter filter = {.any_place = true, .lot = line->lot};
    struct pick *picks;
    size_t count;
    if (stock == NULL) {
        if (step_find_sku(step, line->sku, &ledger->verdict))
            ledger->verdict = step_insufficient(step, line->sku, line->quantity, 0);
        return false;
    }
    if (!ledger_pick(ledger, stock, &filter, line->quantity,
                     warehouse_stock_available(&stock->stock), &picks, &count))
        return false;
    for (size_t i = 0; i < count; i++) {
        struct movement leg = leg_of(transfer, transfer->from_warehouse_id, ledger);
        leg.movement_id =
            step_made_id(step, "transfer", transfer->transfer_id, text_of("send"), (*number)++);
        leg.sku = line->sku;
        leg.zone = picks[i].zone;
        leg.bin = picks[i].bin;
        leg.lot = picks[i].lot;
        leg.expiry_day = picks[i].expiry_day;
        leg.quantity = -picks[i].quantity;
        if (!ledger_post(ledger, &leg, (struct text){0}, 0) ||
            !add_pick(step, transfer, room, line->sku, &picks[i])) {
            return false;
        }
    }
    return true;
}

static void insert_transfer(struct step *step, const struct transfer *transfer, struct text content)
{
    static const struct sql_statement insert = {
        .text = "INSERT INTO warehouse_transfers (transfer_id, content, from_warehouse_id,"
                " to_warehouse_id, state, create_time_us, resolve_time_us)"
                " VALUES ($1, $2, $3, $4, $5, $6, 0)"};
    static const struct sql_statement insert_line = {
        .text = "INSERT INTO warehouse_transfer_lines (transfer_id, sku, lot, expiry_day,"
                " first_in_us, quantity, received_quantity) VALUES ($1, $2, $3, $4, $5, $6, 0)"};
    sql_enqueue(step->session, &insert,
                BOUND(sql_text(transfer->transfer_id), sql_blob(content),
                      sql_text(transfer->from_warehouse_id), sql_text(transfer->to_warehouse_id),
                      sql_integer(transfer->state), sql_integer(transfer->create_time_us)),
                1);
    for (size_t i = 0; i < transfer->line_count; i++)
        sql_enqueue(step->session, &insert_line,
                    BOUND(sql_text(transfer->transfer_id), sql_text(transfer->lines[i].sku),
                          sql_text(transfer->lines[i].lot),
                          sql_integer(transfer->lines[i].expiry_day),
                          sql_integer(transfer->lines[i].first_in_us),
                          sql_integer(transfer->lines[i].quantity)),
                    1);
}

/* Both warehouses are there and the second takes goods. */
static bool sites_exist(struct step *step, const struct create_transfer_command *command,
                        enum sql_verdict *verdict)
{
    bool active;
    if (!step_find_site(step, command->from_warehouse_id, &active, verdict) ||
        !step_find_site(step, command->to_warehouse_id, &active, verdict))
        return false;
    if (!active)
        *verdict = step_refuse(step, WAREHOUSE_INACTIVE, command->to_warehouse_id);
    return active;
}

static bool send(struct ledger *ledger, struct create_transfer_command *command,
                 struct text content)
{
    struct step *step = ledger->step;
    struct transfer *transfer = &command->transfer;
    size_t room = 0;
    int64_t number = 0;
    *transfer = (struct transfer){
        .transfer_id = command->transfer_id,
        .from_warehouse_id = command->from_warehouse_id,
        .to_warehouse_id = command->to_warehouse_id,
        .state = TRANSFER_IN_TRANSIT,
        .create_time_us = ledger->now_us,
    };
    for (size_t i = 0; i < command->line_count; i++) {
        if (!send_line(ledger, transfer, &room, &command->lines[i], &number))
            return false;
    }
    if (!ledger_write(ledger))
        return false;
    insert_transfer(step, transfer, content);
    ledger->verdict = SQL_FAIL;
    return emit(step, EVENT_STOCK_TRANSFERRED, transfer, ledger->now_us);
}

enum sql_verdict create_transfer_script(struct step *step)
{
    struct create_transfer_command *command = (struct create_transfer_command *)step->command;
    struct ledger ledger;
    enum sql_verdict verdict;
    struct text bytes[2];
    struct text *skus = step_allocate(step, command->line_count + 1, sizeof *skus);
    struct text content = content_of(step, command);
    if (skus == NULL || content.data == NULL)
        return SQL_FAIL;
    if (find_transfer(step, &find_plainly, command->transfer_id, &command->transfer, bytes,
                      &verdict))
        return text_equal(bytes[0], content)
                   ? SQL_COMMIT
                   : step_refuse(step, WAREHOUSE_ID_REUSED, command->transfer_id);
    if (verdict == SQL_FAIL)
        return verdict;
    step_begin(step); /* that it was not found is no refusal here */
    if (!sites_exist(step, command, &verdict))
        return verdict;
    for (size_t i = 0; i < command->line_count; i++)
        skus[i] = command->lines[i].sku;
    if (!ledger_lock(&ledger, step, skus, command->line_count, &command->from_warehouse_id, 1,
                     LEDGER_EXISTING, true) ||
        !send(&ledger, command, content))
        return ledger.verdict;
    return SQL_COMMIT;
}

/* --- taking one in, or back --- */

static void resolve(struct step *step, const struct transfer *transfer, struct text received)
{
    static const struct sql_statement update = {
        .text = "UPDATE warehouse_transfers SET state = $2, received = $3, resolve_time_us = $4"
                " WHERE transfer_id = $1"};
    static const struct sql_statement update_line = {
        .text = "UPDATE warehouse_transfer_lines SET received_quantity = $5"
                " WHERE transfer_id = $1 AND sku = $2 AND lot = $3 AND expiry_day = $4"};
    sql_enqueue(step->session, &update,
                BOUND(sql_text(transfer->transfer_id), sql_integer(transfer->state),
                      received.size == 0 ? sql_null() : sql_blob(received),
                      sql_integer(transfer->resolve_time_us)),
                1);
    for (size_t i = 0; i < transfer->line_count; i++) {
        const struct transfer_line *line = &transfer->lines[i];
        if (line->received_quantity != 0)
            sql_enqueue(step->session, &update_line,
                        BOUND(sql_text(transfer->transfer_id), sql_text(line->sku),
                              sql_text(line->lot), sql_integer(line->expiry_day),
                              sql_integer(line->received_quantity)),
                        1);
    }
}

/* Locks the stock of all lines in one warehouse, then the transfer, and reads it again. */
static bool lock_transfer(struct ledger *ledger, struct step *step, struct transfer *transfer,
                          struct text warehouse_id, struct text bytes[2])
{
    struct text *skus = step_allocate(step, transfer->line_count + 1, sizeof *skus);
    if (skus == NULL) {
        ledger->verdict = SQL_FAIL;
        return false;
    }
    for (size_t i = 0; i < transfer->line_count; i++)
        skus[i] = transfer->lines[i].sku;
    if (!ledger_lock(ledger, step, skus, transfer->line_count, &warehouse_id, 1, LEDGER_CREATE,
                     true) ||
        !find_transfer(step, &find_locked, transfer->transfer_id, transfer, bytes,
                       &ledger->verdict))
        return false;
    if (!sql_session_now_us(step->session, transfer->create_time_us, &ledger->now_us)) {
        ledger->verdict = SQL_FAIL;
        return false;
    }
    return true;
}

struct reception {
    struct ledger *ledger;
    struct transfer *transfer;
    int64_t number; /* of the next movement */
};

static bool post(struct reception *reception, enum movement_type type, size_t line,
                 struct text zone, struct text bin, int64_t quantity, const char *reason)
{
    struct step *step = reception->ledger->step;
    const struct transfer_line *sent = &reception->transfer->lines[line];
    struct movement leg =
        leg_of(reception->transfer, reception->transfer->to_warehouse_id, reception->ledger);
    if (quantity == 0)
        return true;
    leg.movement_id = step_made_id(step, "transfer", reception->transfer->transfer_id,
                                   text_of("receive"), reception->number++);
    leg.type = type;
    leg.sku = sent->sku;
    leg.lot = sent->lot;
    leg.expiry_day = sent->expiry_day;
    leg.zone = zone;
    leg.bin = bin;
    leg.quantity = quantity;
    leg.reason = text_of(reason);
    return ledger_post(reception->ledger, &leg, (struct text){0}, 0);
}

/*
 * All that was sent comes by TRANSFER; what is more comes by ADJUSTMENT where it was put, what is
 * less came to no bin and is at once taken off there.
 */
static bool receive_line(struct reception *reception, size_t line,
                         const struct placement *placements, size_t count)
{
    const struct text nowhere = {0};
    const struct transfer_line *sent = &reception->transfer->lines[line];
    int64_t rest = sent->quantity;
    for (size_t i = 0; i < count; i++) {
        const struct placement *placement = &placements[i];
        if (placement->line != line)
            continue;
        int64_t moved = placement->quantity < rest ? placement->quantity : rest;
        rest -= moved;
        if (!post(reception, MOVEMENT_TRANSFER, line, placement->zone, placement->bin, moved, "") ||
            !post(reception, MOVEMENT_ADJUSTMENT, line, placement->zone, placement->bin,
                  placement->quantity - moved, "TRANSFER_SURPLUS"))
            return false;
    }
    return post(reception, MOVEMENT_TRANSFER, line, nowhere, nowhere, rest, "") &&
           post(reception, MOVEMENT_ADJUSTMENT, line, nowhere, nowhere, -rest, "TRANSFER_SHORT");
}

static struct text reception_content(struct step *step, const struct placement *placements,
                                     size_t count)
{
    struct content content;
    content_begin(&content, "reception");
    for (size_t i = 0; i < count; i++) {
        content_number(&content, (int64_t)placements[i].line);
        content_text(&content, placements[i].zone);
        content_text(&content, placements[i].bin);
        content_number(&content, placements[i].quantity);
    }
    return content_take(&content, step);
}

static bool bins_exist(struct step *step, struct text warehouse_id,
                       const struct reception_line *lines, size_t count, enum sql_verdict *verdict)
{
    for (size_t i = 0; i < count; i++) {
        if (!step_find_bin(step, warehouse_id, lines[i].zone, lines[i].bin, verdict))
            return false;
    }
    return true;
}

/* Posts what came and ends the transfer. */
static bool receive(struct ledger *ledger, struct transfer *transfer,
                    const struct placement *placements, size_t count, struct text received)
{
    struct step *step = ledger->step;
    struct reception reception = {.ledger = ledger, .transfer = transfer};
    for (size_t i = 0; i < transfer->line_count; i++) {
        if (!receive_line(&reception, i, placements, count))
            return false;
    }
    if (!ledger_write(ledger))
        return false;
    transfer->state = TRANSFER_RECEIVED;
    transfer->resolve_time_us = ledger->now_us;
    resolve(step, transfer, received);
    ledger->verdict = SQL_FAIL;
    return emit(step, EVENT_TRANSFER_RECEIVED, transfer, ledger->now_us);
}

enum sql_verdict receive_transfer_script(struct step *step)
{
    struct transfer_command *command = (struct transfer_command *)step->command;
    struct transfer *transfer = &command->transfer;
    struct ledger ledger;
    enum sql_verdict verdict;
    enum transfer_state after;
    struct text bytes[2];
    size_t count;
    size_t failed;
    if (!find_transfer(step, &find_plainly, command->transfer_id, transfer, bytes, &verdict))
        return verdict;
    if (!lock_transfer(&ledger, step, transfer, transfer->to_warehouse_id, bytes))
        return ledger.verdict;
    enum transfer_transition transition =
        transfer_transition(transfer->state, TRANSFER_RECEIVE, &after);
    if (transition == TRANSFER_REFUSES)
        return step_refuse(step, WAREHOUSE_TRANSFER_CANCELLED, command->transfer_id);
    struct placement *placements = step_allocate(
        step, command->line_count + transfer->line_count * (command->line_count + 1) + 1,
        sizeof *placements);
    struct transfer_line *lines = step_allocate(step, transfer->line_count + 1, sizeof *lines);
    if (placements == NULL || lines == NULL)
        return SQL_FAIL;
    memcpy(lines, transfer->lines, transfer->line_count * sizeof *lines);
    if (!transfer_reception(lines, transfer->line_count, command->lines, command->line_count,
                            placements, &count, &failed)) {
        if (transition == TRANSFER_STAYS)
            return step_refuse(step, WAREHOUSE_TRANSFER_RECEIVED, command->transfer_id);
        violations_add(&command->base.violations, "the transfer has no line of this SKU and lot",
                       "lines[%zu]", failed);
        return step_invalid(step);
    }
    struct text received = reception_content(step, placements, count);
    if (received.data == NULL)
        return SQL_FAIL;
    if (transition == TRANSFER_STAYS)
        return text_equal(received, bytes[1])
                   ? SQL_COMMIT
                   : step_refuse(step, WAREHOUSE_TRANSFER_RECEIVED, command->transfer_id);
    if (!bins_exist(step, transfer->to_warehouse_id, command->lines, command->line_count, &verdict))
        return verdict;
    transfer->lines = lines;
    return receive(&ledger, transfer, placements, count, received) ? SQL_COMMIT : ledger.verdict;
}

/* Everything that left goes back to the place it left. */
static bool put_back(struct ledger *ledger, const struct transfer *transfer)
{
    static const struct sql_statement sent = {
        .text = "SELECT zone, bin, sku, lot, expiry_day, quantity FROM warehouse_movements"
                " WHERE reference = $1 AND reference <> '' AND warehouse_id = $2 AND type = 3"
                " AND quantity < 0 ORDER BY position"};
    struct step *step = ledger->step;
    struct sql_rows rows;
    if (!sql_query(step->session, &sent,
                   BOUND(sql_text(transfer->transfer_id), sql_text(transfer->from_warehouse_id)),
                   &rows))
        return false;
    for (size_t i = 0; i < rows.count; i++) {
        struct movement leg = leg_of(transfer, transfer->from_warehouse_id, ledger);
        int64_t first_in_us = 0;
        leg.movement_id =
            step_made_id(step, "transfer", transfer->transfer_id, text_of("cancel"), (int64_t)i);
        leg.zone = sql_rows_text(&rows, i, 0);
        leg.bin = sql_rows_text(&rows, i, 1);
        leg.sku = sql_rows_text(&rows, i, 2);
        leg.lot = sql_rows_text(&rows, i, 3);
        leg.expiry_day = sql_rows_integer(&rows, i, 4);
        leg.quantity = -sql_rows_integer(&rows, i, 5);
        for (size_t k = 0; k < transfer->line_count; k++) {
            const struct transfer_line *line = &transfer->lines[k];
            if (text_equal(line->sku, leg.sku) && text_equal(line->lot, leg.lot) &&
                line->expiry_day == leg.expiry_day)
                first_in_us = line->first_in_us;
        }
        if (!ledger_post(ledger, &leg, (struct text){0}, first_in_us))
            return false;
    }
    return ledger_write(ledger);
}

enum sql_verdict cancel_transfer_script(struct step *step)
{
    struct transfer_command *command = (struct transfer_command *)step->command;
    struct transfer *transfer = &command->transfer;
    struct ledger ledger;
    enum sql_verdict verdict;
    enum transfer_state after;
    struct text bytes[2];
    if (!find_transfer(step, &find_plainly, command->transfer_id, transfer, bytes, &verdict))
        return verdict;
    if (!lock_transfer(&ledger, step, transfer, transfer->from_warehouse_id, bytes))
        return ledger.verdict;
    switch (transfer_transition(transfer->state, TRANSFER_CANCEL, &after)) {
    case TRANSFER_REFUSES:
        return step_refuse(step, WAREHOUSE_TRANSFER_RECEIVED, command->transfer_id);
    case TRANSFER_STAYS:
        return SQL_COMMIT;
    case TRANSFER_MOVES:
        break;
    }
    if (!put_back(&ledger, transfer))
        return ledger.verdict;
    transfer->state = after;
    transfer->resolve_time_us = ledger.now_us;
    resolve(step, transfer, (struct text){0});
    return emit(step, EVENT_TRANSFER_CANCELLED, transfer, ledger.now_us) ? SQL_COMMIT : SQL_FAIL;
}

/* --- reading --- */

enum sql_verdict get_transfer_script(struct step *step)
{
    struct transfer_command *command = (struct transfer_command *)step->command;
    enum sql_verdict verdict;
    struct text bytes[2];
    if (!find_transfer(step, &find_plainly, command->transfer_id, &command->transfer, bytes,
                       &verdict))
        return verdict;
    return SQL_COMMIT;
}

static bool query_listed(struct step *step, const struct list_page *part, struct sql_rows *rows)
{
    static const struct sql_statement list = {
        .text = "SELECT " TRANSFER_COLUMNS " FROM warehouse_transfers WHERE position > $1"
                " AND ($2 = '' OR from_warehouse_id = $2 OR to_warehouse_id = $2)"
                " AND ($3 = 0 OR state = $3) ORDER BY position LIMIT $4"};
    const struct list_transfers_command *command =
        (const struct list_transfers_command *)step->command;
    return sql_query(step->session, &list,
                     BOUND(sql_integer((int64_t)part->after), sql_text(command->warehouse_id),
                           sql_integer(command->state), page_limit(part)),
                     rows);
}

static bool read_listed(struct step *step, const struct sql_rows *rows, size_t row, void *record)
{
    struct transfer *transfer = record;
    *transfer = transfer_of(rows, row);
    return read_lines(step, transfer);
}

enum sql_verdict list_transfers_script(struct step *step)
{
    static const struct page_source source = {query_listed, read_listed, sizeof(struct transfer)};
    struct list_transfers_command *command = (struct list_transfers_command *)step->command;
    command->transfers = page_read(step, &command->page, &source, &command->transfer_count);
    return command->transfers == NULL ? SQL_FAIL : SQL_COMMIT;
}
