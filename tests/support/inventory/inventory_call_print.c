/* Calls as lines: for people who look for the cause of a failure, and for digests of a history. */
#include "tests/support/inventory/inventory_call.h"

#include "platform/base/check.h"

#include <inttypes.h>

static void add_text(struct buffer *line, const char *name, struct text text)
{
    if (text.size > 0)
        CHECK(buffer_append_format(line, " %s=%.*s", name, (int)text.size, text.data));
}

static void add_number(struct buffer *line, const char *name, int64_t number)
{
    CHECK(buffer_append_format(line, " %s=%" PRId64, name, number));
}

static const char *kind_name(enum inventory_call_kind kind)
{
    static const char *const names[] = {
        [CALL_RECEIVE_STOCK] = "ReceiveStock",
        [CALL_ADJUST_STOCK] = "AdjustStock",
        [CALL_SET_STOCK_POLICY] = "SetStockPolicy",
        [CALL_GET_STOCK] = "GetStock",
        [CALL_BATCH_GET_STOCK] = "BatchGetStock",
        [CALL_LIST_STOCK] = "ListStock",
        [CALL_RESERVE] = "Reserve",
        [CALL_COMMIT] = "Commit",
        [CALL_ROLLBACK] = "Rollback",
        [CALL_EXTEND_RESERVATION] = "ExtendReservation",
        [CALL_RETURN_STOCK] = "ReturnStock",
        [CALL_LIST_RESERVATIONS] = "ListReservations",
        [CALL_GET_RESERVATION] = "GetReservation",
        [CALL_LIST_STOCK_ENTRIES] = "ListStockEntries",
        [CALL_VERIFY_LEDGER] = "VerifyLedger",
        [CALL_FOLLOW_SHELF] = "FollowShelf",
        [CALL_GET_SHELF_PLACE] = "GetShelfPlace",
    };
    return names[kind];
}

const char *inventory_outcome_name(enum inventory_outcome outcome)
{
    static const char *const names[] = {
        [INVENTORY_DONE] = "DONE",
        [INVENTORY_SKU_NOT_FOUND] = "SKU_NOT_FOUND",
        [INVENTORY_RESERVATION_NOT_FOUND] = "RESERVATION_NOT_FOUND",
        [INVENTORY_INSUFFICIENT_STOCK] = "INSUFFICIENT_STOCK",
        [INVENTORY_ID_REUSED] = "ID_REUSED",
        [INVENTORY_REVISION_MISMATCH] = "REVISION_MISMATCH",
        [INVENTORY_ON_HAND_LIMIT] = "ON_HAND_LIMIT",
        [INVENTORY_LINES_NOT_HELD] = "LINES_NOT_HELD",
        [INVENTORY_RESERVATION_COMMITTED] = "RESERVATION_COMMITTED",
        [INVENTORY_RESERVATION_ROLLED_BACK] = "RESERVATION_ROLLED_BACK",
        [INVENTORY_RESERVATION_EXPIRED] = "RESERVATION_EXPIRED",
        [INVENTORY_RESERVATION_PENDING] = "RESERVATION_PENDING",
        [INVENTORY_FED_BY_WAREHOUSE] = "FED_BY_WAREHOUSE",
        [INVENTORY_QUANTITY_LIMIT] = "QUANTITY_LIMIT",
        [INVENTORY_PAGE_TOKEN_INVALID] = "PAGE_TOKEN_INVALID",
    };
    return names[outcome];
}

static void print_policy(const struct stock_policy *policy, struct buffer *line)
{
    CHECK(buffer_append_format(line, " policy=%" PRId64 "/%" PRId64 "/%" PRId64 "/%" PRId64,
                               policy->low_stock_threshold, policy->safety_stock,
                               policy->backorder_limit, policy->reservation_quantity_max));
}

void inventory_question_print(const struct inventory_question *question, struct buffer *line)
{
    CHECK(buffer_append_string(line, kind_name(question->kind)));
    add_text(line, "id", question->id);
    add_text(line, "reservation", question->reservation_id);
    add_text(line, "sku", question->sku);
    add_text(line, "order", question->order_id);
    add_text(line, "customer", question->customer_id);
    add_text(line, "note", question->note);
    switch (question->kind) {
    case CALL_ADJUST_STOCK:
        add_number(line, "reason", question->reason);
        add_number(line, "expected_revision", question->expected_revision);
        add_number(line, "quantity", question->quantity);
        break;
    case CALL_RECEIVE_STOCK:
        add_number(line, "quantity", question->quantity);
        break;
    case CALL_SET_STOCK_POLICY:
        print_policy(&question->policy, line);
        add_number(line, "expected_revision", question->expected_revision);
        break;
    case CALL_RESERVE:
        add_number(line, "ttl_us", question->ttl_us);
        add_number(line, "allow_partial", question->allow_partial);
        break;
    case CALL_LIST_STOCK:
        add_text(line, "after", question->after_sku);
        add_number(line, "state", question->has_state ? (int64_t)question->state : -1);
        add_number(line, "page_size", (int64_t)question->page_size);
        break;
    case CALL_COMMIT:
        add_number(line, "retake_if_expired", question->retake_if_expired);
        break;
    case CALL_EXTEND_RESERVATION:
        add_number(line, "ttl_us", question->ttl_us);
        break;
    case CALL_RETURN_STOCK:
        add_number(line, "reason", question->return_reason);
        break;
    case CALL_LIST_RESERVATIONS:
        add_number(line, "state", question->has_state ? (int64_t)question->reservation_state : -1);
        add_number(line, "after", (int64_t)question->after);
        add_number(line, "page_size", (int64_t)question->page_size);
        break;
    case CALL_LIST_STOCK_ENTRIES:
        add_number(line, "after", (int64_t)question->after);
        add_number(line, "page_size", (int64_t)question->page_size);
        break;
    case CALL_GET_STOCK:
    case CALL_BATCH_GET_STOCK:
    case CALL_ROLLBACK:
    case CALL_GET_RESERVATION:
    case CALL_VERIFY_LEDGER:
    case CALL_GET_SHELF_PLACE:
        break;
    case CALL_FOLLOW_SHELF:
        add_number(line, "is_receipt", question->is_receipt);
        add_number(line, "quantity", question->quantity);
        add_text(line, "log", question->shelf_log);
        add_number(line, "position", (int64_t)question->shelf_position);
        break;
    }
    for (size_t i = 0; i < question->line_count; i++)
        CHECK(buffer_append_format(line, " %.*s:%" PRId64, (int)question->lines[i].sku.size,
                                   question->lines[i].sku.data, question->lines[i].quantity));
}

static void print_stock(const struct stock *stock, struct buffer *line)
{
    CHECK(buffer_append_format(line,
                               " received=%" PRId64 " returned=%" PRId64 " adjusted=%" PRId64
                               " committed=%" PRId64 " reserved=%" PRId64 " revision=%" PRId64
                               " update_time_us=%" PRId64,
                               stock->received, stock->returned, stock->adjusted, stock->committed,
                               stock->reserved, stock->revision, stock->update_time_us));
    print_policy(&stock->policy, line);
}

static void print_sku_stocks(const struct sku_stock *stocks, size_t count, struct buffer *line)
{
    for (size_t i = 0; i < count; i++) {
        add_text(line, "sku", stocks[i].sku);
        print_stock(&stocks[i].stock, line);
    }
}

static void print_shortages(const struct shortage *shortages, size_t count, struct buffer *line)
{
    for (size_t i = 0; i < count; i++)
        CHECK(buffer_append_format(line, " %.*s:%" PRId64 " of %" PRId64,
                                   (int)shortages[i].sku.size, shortages[i].sku.data,
                                   shortages[i].requested_quantity,
                                   shortages[i].available_quantity));
}

static void print_reservation(const struct reservation *reservation, struct buffer *line)
{
    static const char *const states[] = {"PENDING", "COMMITTED", "ROLLED_BACK", "EXPIRED"};
    CHECK(buffer_append_format(
        line, " %s create_time_us=%" PRId64 " expire_time_us=%" PRId64 " resolve_time_us=%" PRId64,
        states[reservation->state], reservation->create_time_us, reservation->expire_time_us,
        reservation->resolve_time_us));
    for (size_t i = 0; i < reservation->line_count; i++) {
        const struct reservation_line *held = &reservation->lines[i];
        CHECK(buffer_append_format(
            line, " %.*s:%" PRId64 "-%" PRId64 "/%" PRId64 "(%" PRId64 ")@%" PRId64,
            (int)held->sku.size, held->sku.data, held->committed_quantity, held->returned_quantity,
            held->quantity, held->backordered_quantity, held->stock_revision));
    }
}

static void print_reservations(const struct list_reservations_command *list, struct buffer *line)
{
    for (size_t i = 0; i < list->reservation_count; i++) {
        add_text(line, "id", list->reservations[i].reservation_id);
        print_reservation(&list->reservations[i], line);
    }
}

static void print_page(const struct list_stock_entries_command *page, struct buffer *line)
{
    add_number(line, "next", (int64_t)page->next);
    for (size_t i = 0; i < page->entry_count; i++) {
        const struct stock_entry *entry = &page->entries[i];
        CHECK(buffer_append_format(
            line, " [%.*s %" PRId64 " %d>%d %" PRId64 " %s %.*s]", (int)entry->entry_id.size,
            entry->entry_id.data, entry->time_us, (int)entry->from_account, (int)entry->to_account,
            entry->quantity, entry->cause, (int)entry->cause_id.size, entry->cause_id.data));
    }
}

static void print_result(const struct inventory_call *call, struct buffer *line)
{
    switch (call->question.kind) {
    case CALL_RECEIVE_STOCK:
        print_stock(&call->command.receive_stock.stock, line);
        return;
    case CALL_ADJUST_STOCK:
        print_stock(&call->command.adjust_stock.stock, line);
        return;
    case CALL_SET_STOCK_POLICY:
        print_stock(&call->command.set_stock_policy.stock, line);
        return;
    case CALL_GET_STOCK:
        print_stock(&call->command.get_stock.stock, line);
        return;
    case CALL_BATCH_GET_STOCK:
        print_sku_stocks(call->command.batch_get_stock.stocks,
                         call->command.batch_get_stock.stock_count, line);
        return;
    case CALL_LIST_STOCK:
        print_sku_stocks(call->command.list_stock.stocks, call->command.list_stock.stock_count,
                         line);
        add_text(line, "next", call->command.list_stock.next);
        return;
    case CALL_RESERVE:
        print_reservation(&call->command.reserve.reservation, line);
        return;
    case CALL_COMMIT:
        print_reservation(&call->command.commit.reservation, line);
        return;
    case CALL_ROLLBACK:
        print_reservation(&call->command.rollback.reservation, line);
        return;
    case CALL_EXTEND_RESERVATION:
        print_reservation(&call->command.extend_reservation.reservation, line);
        return;
    case CALL_RETURN_STOCK:
        print_sku_stocks(call->command.return_stock.stocks, call->command.return_stock.line_count,
                         line);
        return;
    case CALL_LIST_RESERVATIONS:
        print_reservations(&call->command.list_reservations, line);
        return;
    case CALL_GET_RESERVATION:
        print_reservation(&call->command.get_reservation.reservation, line);
        return;
    case CALL_LIST_STOCK_ENTRIES:
        print_page(&call->command.list_stock_entries, line);
        return;
    case CALL_VERIFY_LEDGER:
        add_number(line, "entries", (int64_t)call->command.verify_ledger.entries);
        add_number(line, "skus", (int64_t)call->command.verify_ledger.skus);
        add_number(line, "reservations", (int64_t)call->command.verify_ledger.reservations);
        add_number(line, "mismatches", (int64_t)call->command.verify_ledger.mismatch_count);
        return;
    case CALL_FOLLOW_SHELF:
        return;
    case CALL_GET_SHELF_PLACE:
        add_text(line, "log", call->command.get_shelf_place.place.log);
        add_number(line, "position", (int64_t)call->command.get_shelf_place.place.position);
        return;
    }
}

void inventory_answer_print(const struct inventory_call *call, struct buffer *line)
{
    if (!call->is_answered) {
        CHECK(buffer_append_string(line, "no answer"));
        return;
    }
    if (error_is(call->error)) {
        CHECK(buffer_append_format(line, "%s", error_text(call->error.code)));
        return;
    }
    CHECK(buffer_append_string(line, inventory_outcome_name(call->command.base.outcome)));
    if (call->command.base.outcome == INVENTORY_DONE)
        print_result(call, line);
    else if (call->command.base.outcome == INVENTORY_INSUFFICIENT_STOCK &&
             call->question.kind == CALL_ADJUST_STOCK)
        print_shortages(&call->command.adjust_stock.shortage, 1, line);
    else if (call->command.base.outcome == INVENTORY_INSUFFICIENT_STOCK) {
        size_t count;
        const struct shortage *shortages = inventory_call_shortages(call, &count);
        print_shortages(shortages, count, line);
    }
}
