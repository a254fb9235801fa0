/*
 * Records to messages. protobuf-c wants NUL-terminated strings: ids and SKUs hold no NUL (the
 * message check refused it at the door), and every text is copied with a NUL behind it where it
 * needs one.
 */
#include "inventory/interfaces/rpc/inventory_messages.h"

#include "platform/rpc/message_fields.h"

Waybill__Inventory__V1__StockState stock_state_value(enum stock_state state)
{
    switch (state) {
    case STOCK_STATE_IN_STOCK:
        return WAYBILL__INVENTORY__V1__STOCK_STATE__STOCK_STATE_IN_STOCK;
    case STOCK_STATE_LOW_STOCK:
        return WAYBILL__INVENTORY__V1__STOCK_STATE__STOCK_STATE_LOW_STOCK;
    case STOCK_STATE_OUT_OF_STOCK:
        return WAYBILL__INVENTORY__V1__STOCK_STATE__STOCK_STATE_OUT_OF_STOCK;
    }
    return WAYBILL__INVENTORY__V1__STOCK_STATE__STOCK_STATE_UNSPECIFIED;
}

static Waybill__Inventory__V1__ReservationState reservation_state_value(
    enum reservation_state state)
{
    switch (state) {
    case RESERVATION_PENDING:
        return WAYBILL__INVENTORY__V1__RESERVATION_STATE__RESERVATION_STATE_PENDING;
    case RESERVATION_COMMITTED:
        return WAYBILL__INVENTORY__V1__RESERVATION_STATE__RESERVATION_STATE_COMMITTED;
    case RESERVATION_ROLLED_BACK:
        return WAYBILL__INVENTORY__V1__RESERVATION_STATE__RESERVATION_STATE_ROLLED_BACK;
    case RESERVATION_EXPIRED:
        return WAYBILL__INVENTORY__V1__RESERVATION_STATE__RESERVATION_STATE_EXPIRED;
    }
    return WAYBILL__INVENTORY__V1__RESERVATION_STATE__RESERVATION_STATE_UNSPECIFIED;
}

static Waybill__Inventory__V1__StockAccount stock_account_value(enum stock_account account)
{
    switch (account) {
    case STOCK_ACCOUNT_SUPPLY:
        return WAYBILL__INVENTORY__V1__STOCK_ACCOUNT__STOCK_ACCOUNT_SUPPLY;
    case STOCK_ACCOUNT_AVAILABLE:
        return WAYBILL__INVENTORY__V1__STOCK_ACCOUNT__STOCK_ACCOUNT_AVAILABLE;
    case STOCK_ACCOUNT_RESERVED:
        return WAYBILL__INVENTORY__V1__STOCK_ACCOUNT__STOCK_ACCOUNT_RESERVED;
    case STOCK_ACCOUNT_COMMITTED:
        return WAYBILL__INVENTORY__V1__STOCK_ACCOUNT__STOCK_ACCOUNT_COMMITTED;
    case STOCK_ACCOUNT_RETURNED:
        return WAYBILL__INVENTORY__V1__STOCK_ACCOUNT__STOCK_ACCOUNT_RETURNED;
    case STOCK_ACCOUNT_ADJUSTMENT:
        return WAYBILL__INVENTORY__V1__STOCK_ACCOUNT__STOCK_ACCOUNT_ADJUSTMENT;
    }
    return WAYBILL__INVENTORY__V1__STOCK_ACCOUNT__STOCK_ACCOUNT_UNSPECIFIED;
}

static Waybill__Inventory__V1__StockPolicy *stock_policy_message(struct arena *arena,
                                                                 const struct stock_policy *policy)
{
    Waybill__Inventory__V1__StockPolicy *message = arena_allocate(arena, sizeof *message);
    if (message == NULL)
        return NULL;
    waybill__inventory__v1__stock_policy__init(message);
    message->low_stock_threshold = policy->low_stock_threshold;
    message->safety_stock = policy->safety_stock;
    message->backorder_limit = policy->backorder_limit;
    message->reservation_quantity_max = policy->reservation_quantity_max;
    return message;
}

Waybill__Inventory__V1__Stock *stock_message(struct arena *arena, struct text sku,
                                             const struct stock *stock)
{
    Waybill__Inventory__V1__Stock *message = arena_allocate(arena, sizeof *message);
    if (message == NULL)
        return NULL;
    waybill__inventory__v1__stock__init(message);
    message->sku = arena_copy_string(arena, sku);
    message->update_time = message_create_time(arena, stock->update_time_us);
    message->policy = stock_policy_message(arena, &stock->policy);
    if (message->sku == NULL || message->update_time == NULL || message->policy == NULL)
        return NULL;
    message->on_hand = stock_on_hand(stock);
    message->reserved = stock->reserved;
    message->available = stock_available(stock);
    message->received = stock->received;
    message->returned = stock->returned;
    message->adjusted = stock->adjusted;
    message->committed = stock->committed;
    message->state = stock_state_value(stock_state(stock));
    message->revision = stock->revision;
    return message;
}

Waybill__Inventory__V1__Stock **stock_messages(struct arena *arena, const struct sku_stock *stocks,
                                               size_t count)
{
    Waybill__Inventory__V1__Stock **messages = arena_allocate(arena, count * sizeof *messages);
    for (size_t i = 0; messages != NULL && i < count; i++) {
        messages[i] = stock_message(arena, stocks[i].sku, &stocks[i].stock);
        if (messages[i] == NULL)
            return NULL;
    }
    return messages;
}

static Waybill__Inventory__V1__ReservationLine *reservation_line_message(
    struct arena *arena, const struct reservation_line *line)
{
    Waybill__Inventory__V1__ReservationLine *message = arena_allocate(arena, sizeof *message);
    if (message == NULL)
        return NULL;
    waybill__inventory__v1__reservation_line__init(message);
    message->sku = arena_copy_string(arena, line->sku);
    message->quantity = line->quantity;
    message->committed_quantity = line->committed_quantity;
    message->backordered_quantity = line->backordered_quantity;
    message->stock_revision = line->stock_revision;
    return message->sku == NULL ? NULL : message;
}

Waybill__Inventory__V1__Reservation *reservation_message(struct arena *arena,
                                                         const struct reservation *reservation)
{
    Waybill__Inventory__V1__Reservation *message = arena_allocate(arena, sizeof *message);
    if (message == NULL)
        return NULL;
    waybill__inventory__v1__reservation__init(message);
    message->reservation_id = arena_copy_string(arena, reservation->reservation_id);
    message->order_id = arena_copy_string(arena, reservation->order_id);
    message->customer_id = arena_copy_string(arena, reservation->customer_id);
    message->state = reservation_state_value(reservation->state);
    message->create_time = message_create_time(arena, reservation->create_time_us);
    message->expire_time = message_create_time(arena, reservation->expire_time_us);
    if (reservation->state != RESERVATION_PENDING) {
        message->resolve_time = message_create_time(arena, reservation->resolve_time_us);
        if (message->resolve_time == NULL)
            return NULL;
    }
    message->lines = arena_allocate(arena, reservation->line_count * sizeof *message->lines);
    if (message->reservation_id == NULL || message->order_id == NULL ||
        message->customer_id == NULL || message->create_time == NULL ||
        message->expire_time == NULL || message->lines == NULL)
        return NULL;
    for (size_t i = 0; i < reservation->line_count; i++) {
        message->lines[i] = reservation_line_message(arena, &reservation->lines[i]);
        if (message->lines[i] == NULL)
            return NULL;
    }
    message->n_lines = reservation->line_count;
    return message;
}

Waybill__Inventory__V1__Reservation **reservation_messages(struct arena *arena,
                                                           const struct reservation *reservations,
                                                           size_t count)
{
    Waybill__Inventory__V1__Reservation **messages =
        arena_allocate(arena, count * sizeof *messages);
    for (size_t i = 0; messages != NULL && i < count; i++) {
        messages[i] = reservation_message(arena, &reservations[i]);
        if (messages[i] == NULL)
            return NULL;
    }
    return messages;
}

Waybill__Inventory__V1__StockEntry *stock_entry_message(struct arena *arena,
                                                        const struct stock_entry *entry)
{
    Waybill__Inventory__V1__StockEntry *message = arena_allocate(arena, sizeof *message);
    if (message == NULL)
        return NULL;
    waybill__inventory__v1__stock_entry__init(message);
    message->entry_id = arena_copy_string(arena, entry->entry_id);
    message->cause_id = arena_copy_string(arena, entry->cause_id);
    message->time = message_create_time(arena, entry->time_us);
    message->cause = (char *)(uintptr_t)entry->cause;
    message->from_account = stock_account_value(entry->from_account);
    message->to_account = stock_account_value(entry->to_account);
    message->quantity = entry->quantity;
    if (message->entry_id == NULL || message->cause_id == NULL || message->time == NULL)
        return NULL;
    return message;
}

Waybill__Inventory__V1__LedgerMismatch *ledger_mismatch_message(
    struct arena *arena, const struct ledger_mismatch *mismatch)
{
    Waybill__Inventory__V1__LedgerMismatch *message = arena_allocate(arena, sizeof *message);
    if (message == NULL)
        return NULL;
    waybill__inventory__v1__ledger_mismatch__init(message);
    message->sku = arena_copy_string(arena, mismatch->sku);
    message->account = stock_account_value(mismatch->account);
    message->ledger_quantity = mismatch->ledger_quantity;
    message->balance_quantity = mismatch->balance_quantity;
    return message->sku == NULL ? NULL : message;
}

static Waybill__Inventory__V1__InsufficientStock__Line *shortage_message(
    struct arena *arena, const struct shortage *shortage)
{
    Waybill__Inventory__V1__InsufficientStock__Line *message =
        arena_allocate(arena, sizeof *message);
    if (message == NULL)
        return NULL;
    waybill__inventory__v1__insufficient_stock__line__init(message);
    message->sku = arena_copy_string(arena, shortage->sku);
    message->requested_quantity = shortage->requested_quantity;
    message->available_quantity = shortage->available_quantity;
    return message->sku == NULL ? NULL : message;
}

Waybill__Inventory__V1__InsufficientStock *insufficient_stock_message(
    struct arena *arena, const struct shortage *shortages, size_t count)
{
    Waybill__Inventory__V1__InsufficientStock *message = arena_allocate(arena, sizeof *message);
    if (message == NULL)
        return NULL;
    waybill__inventory__v1__insufficient_stock__init(message);
    message->lines = arena_allocate(arena, count * sizeof *message->lines);
    if (message->lines == NULL)
        return NULL;
    for (size_t i = 0; i < count; i++) {
        message->lines[i] = shortage_message(arena, &shortages[i]);
        if (message->lines[i] == NULL)
            return NULL;
    }
    message->n_lines = count;
    return message;
}
