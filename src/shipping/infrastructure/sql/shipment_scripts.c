/*
 * Reading shipments. A list reads its rows in parts: those of a whole page could take more memory
 * than a call has.
 */
#include "shipping/infrastructure/sql/purchases.h"

enum { part_rows = 8, swept_rows_max = 1000 };

static const char swept_failure[] = "no answer was recorded";

enum sql_verdict get_shipment_script(struct step *step)
{
    struct get_shipment_command *command = (struct get_shipment_command *)step->command;
    struct shipment_row row;
    enum sql_verdict verdict;
    if (!shipment_row_find(step, command->shipment_id, &row, &verdict))
        return verdict;
    command->shipment = row.shipment;
    return SQL_COMMIT;
}

enum sql_verdict find_shipment_script(struct step *step)
{
    static const struct sql_statement find = {
        .text = "SELECT " SHIPMENT_COLUMNS
                " FROM shipping_numbers n JOIN shipping_shipments s ON s.shipment_id = "
                "n.shipment_id"
                " WHERE n.carrier = $1 AND n.tracking_number = $2"
                " ORDER BY s.position DESC LIMIT 1"};
    struct find_shipment_command *command = (struct find_shipment_command *)step->command;
    struct shipment_row row;
    struct sql_rows rows;
    if (!sql_query(step->session, &find,
                   BOUND(sql_text(command->carrier), sql_text(command->tracking_number)), &rows))
        return SQL_FAIL;
    if (rows.count == 0)
        return shipping_step_refuse(step, SHIPPING_SHIPMENT_NOT_FOUND);
    if (!shipment_row_read(step, &rows, 0, &row))
        return SQL_FAIL;
    command->shipment = row.shipment;
    return SQL_COMMIT;
}

/* A page of shipments under way. */
struct page {
    struct step *step;
    struct shipment *shipments;
    size_t count;
    size_t size;
    size_t used_before; /* of the arena */
    bool has_more;
};

static bool page_begin(struct page *page, struct step *step, size_t size)
{
    *page = (struct page){.step = step, .size = size, .used_before = arena_used(step->arena)};
    page->shipments = shipping_step_allocate(step, size + 1, sizeof *page->shipments);
    return page->shipments != NULL;
}

static bool page_is_full(const struct page *page)
{
    return page->count == page->size ||
           (page->count > 0 &&
            arena_used(page->step->arena) - page->used_before > page_memory_bytes);
}

/* How many rows to ask for next: one more than is taken, to see whether there are more. */
static int64_t page_part(const struct page *page)
{
    size_t left = page->size - page->count;
    return (int64_t)(left < part_rows ? left : part_rows) + 1;
}

/* Takes what the page has room for of a part of `asked` rows; *after is the last one's position. */
static bool page_take(struct page *page, const struct sql_rows *rows, int64_t asked,
                      uint64_t *after)
{
    size_t taken = 0;
    size_t count = rows->count < (size_t)asked ? rows->count : (size_t)asked - 1;
    while (taken < count && !page_is_full(page)) {
        struct shipment_row row;
        if (!shipment_row_read(page->step, rows, taken, &row))
            return false;
        page->shipments[page->count++] = row.shipment;
        *after = (uint64_t)sql_rows_integer(rows, taken, 0);
        taken++;
    }
    page->has_more = taken < rows->count;
    return true;
}

enum sql_verdict list_shipments_script(struct step *step)
{
#define LIST_FROM "SELECT " SHIPMENT_COLUMNS " FROM shipping_shipments s WHERE s.position > $1"
    static const struct sql_statement all = {.text = LIST_FROM " ORDER BY s.position LIMIT $2"};
    static const struct sql_statement of_state = {.text = LIST_FROM
                                                  " AND s.state = $3 ORDER BY s.position LIMIT $2"};
    static const struct sql_statement of_order = {.text = LIST_FROM
                                                  " AND s.order_id = $3 AND s.order_id <> ''"
                                                  " ORDER BY s.position LIMIT $2"};
    static const struct sql_statement of_both = {
        .text = LIST_FROM " AND s.order_id = $3 AND s.order_id <> '' AND s.state = $4"
                          " ORDER BY s.position LIMIT $2"};
#undef LIST_FROM
    struct list_shipments_command *command = (struct list_shipments_command *)step->command;
    bool by_order = command->order_id.size > 0;
    bool by_state = command->state != 0;
    const struct sql_statement *statement = by_order && by_state ? &of_both
                                            : by_order           ? &of_order
                                            : by_state           ? &of_state
                                                                 : &all;
    uint64_t after = command->after;
    struct page page;
    if (!page_begin(&page, step, command->page_size))
        return SQL_FAIL;
    do {
        int64_t asked = page_part(&page);
        struct sql_value filter =
            by_order ? sql_text(command->order_id) : sql_integer(command->state);
        struct sql_value values[] = {sql_integer((int64_t)after), sql_integer(asked), filter,
                                     sql_integer(command->state)};
        size_t value_count = 2 + (size_t)by_order + (size_t)by_state;
        struct sql_rows rows;
        if (!sql_query(step->session, statement, values, value_count, &rows) ||
            !page_take(&page, &rows, asked, &after))
            return SQL_FAIL;
    } while (page.has_more && !page_is_full(&page));
    command->shipments = page.shipments;
    command->shipment_count = page.count;
    command->next = page.has_more ? after : 0;
    return SQL_COMMIT;
}

/* --- what the resolver has to do --- */

/* SENT of before then is UNKNOWN. */
static bool sweep_sent(struct step *step, int64_t before_us)
{
    static const struct sql_statement find = {
        .text = "SELECT " SHIPMENT_COLUMNS " FROM shipping_shipments s"
                " WHERE s.state = 2 AND s.sent_time_us < $1 ORDER BY s.sent_time_us LIMIT $2",
        .for_update = true};
    struct sql_rows rows;
    if (!step_take_turn(step) ||
        !sql_query(step->session, &find, BOUND(sql_integer(before_us), sql_integer(swept_rows_max)),
                   &rows))
        return false;
    for (size_t i = 0; i < rows.count; i++) {
        struct shipment_row row;
        if (!shipment_row_read(step, &rows, i, &row) ||
            !sql_session_now_us(step->session, row.update_time_us, &row.now_us))
            return false;
        purchase_lose(&row, text_of(swept_failure));
        if (!shipment_row_change(step, &row, row.shipment.attempt, "UNKNOWN",
                                 text_of(swept_failure)))
            return false;
    }
    return true;
}

/* None above the bound: a count goes through all rows that it counts. */
static bool count_open(struct step *step, struct shipping_open_counts *counts)
{
#define BOUNDED_COUNT(rows) "SELECT count(*) FROM (SELECT 1 FROM " rows " LIMIT $1) AS open_rows"
    static const struct sql_statement statements[] = {
        {.text = BOUNDED_COUNT("shipping_shipments WHERE state = 6")},
        {.text = BOUNDED_COUNT("shipping_shipments WHERE lookup_time_us > 0 AND state = 3"
                               " AND cancel_wanted = 1")},
        {.text = BOUNDED_COUNT("shipping_unwanted_labels WHERE state = 1")},
        {.text = BOUNDED_COUNT("shipping_unwanted_labels WHERE state = 3")},
        {.text = BOUNDED_COUNT("shipping_webhooks WHERE state = 2")},
    };
#undef BOUNDED_COUNT
    uint64_t *const results[] = {&counts->shipments_need_attention, &counts->shipments_cancelling,
                                 &counts->labels_to_void, &counts->labels_need_attention,
                                 &counts->unread_pushes};
    for (size_t i = 0; i < sizeof statements / sizeof statements[0]; i++) {
        struct sql_rows rows;
        if (!sql_query(step->session, &statements[i], BOUND(sql_integer(shipping_open_count_max)),
                       &rows))
            return false;
        *results[i] = (uint64_t)sql_rows_integer(&rows, 0, 0);
    }
    return true;
}

enum sql_verdict list_unfinished_script(struct step *step)
{
    static const struct sql_statement find = {
        .text = "SELECT " SHIPMENT_COLUMNS " FROM shipping_shipments s"
                " WHERE s.lookup_time_us > 0 AND s.lookup_time_us <= $1"
                " AND (s.lookup_time_us, s.shipment_id) > ($2, $3)"
                " ORDER BY s.lookup_time_us, s.shipment_id LIMIT $4"};
    struct list_unfinished_command *command = (struct list_unfinished_command *)step->command;
    struct shipment last = {0};
    uint64_t position;
    struct page page;
    if (command->sent_before_us > 0 && !sweep_sent(step, command->sent_before_us))
        return SQL_FAIL;
    if (!count_open(step, &command->open) || !page_begin(&page, step, command->page_size))
        return SQL_FAIL;
    do {
        int64_t asked = page_part(&page);
        struct sql_rows rows;
        if (!sql_query(step->session, &find,
                       BOUND(sql_integer(command->now_us), sql_integer(last.lookup_time_us),
                             sql_text(last.shipment_id), sql_integer(asked)),
                       &rows) ||
            !page_take(&page, &rows, asked, &position))
            return SQL_FAIL;
        if (page.count > 0)
            last = page.shipments[page.count - 1];
    } while (page.has_more && !page_is_full(&page));
    command->shipments = page.shipments;
    command->shipment_count = page.count;
    return SQL_COMMIT;
}

/* --- labels --- */

enum sql_verdict get_label_script(struct step *step)
{
    static const struct sql_statement find = {
        .text = "SELECT content FROM shipping_labels"
                " WHERE shipment_id = $1 AND parcel IN ($2, -1) AND format = $3"
                " ORDER BY parcel DESC, label LIMIT 1"};
    struct get_label_command *command = (struct get_label_command *)step->command;
    struct shipment_row row;
    struct sql_rows rows;
    enum sql_verdict verdict;
    command->content = (struct text){0};
    if (!shipment_row_find(step, command->shipment_id, &row, &verdict))
        return verdict;
    command->shipment = row.shipment;
    if (command->parcel >= row.shipment.consignment.parcel_count)
        return shipping_step_refuse(step, SHIPPING_LABEL_NOT_FOUND);
    if (!sql_query(step->session, &find,
                   BOUND(sql_text(command->shipment_id), sql_integer((int64_t)command->parcel),
                         sql_integer(command->format)),
                   &rows))
        return SQL_FAIL;
    if (rows.count == 0)
        return shipping_step_refuse(step, SHIPPING_LABEL_NOT_FOUND);
    command->content = sql_rows_blob(&rows, 0, 0);
    return SQL_COMMIT;
}
