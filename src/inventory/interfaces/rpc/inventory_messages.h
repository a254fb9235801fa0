#ifndef WAYBILL_INVENTORY_INTERFACES_RPC_INVENTORY_MESSAGES_H
#define WAYBILL_INVENTORY_INTERFACES_RPC_INVENTORY_MESSAGES_H

#include "inventory/domain/inventory_repository.h"
#include "platform/base/arena.h"

#include "google/protobuf/timestamp.pb-c.h"
#include "waybill/inventory/v1/inventory.pb-c.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The domain's records as the interface's messages. Each gives a message on the arena that keeps
 * nothing of the record, or NULL without memory. Thread: the arena's owner.
 */
Waybill__Inventory__V1__StockState stock_state_value(enum stock_state state);

Waybill__Inventory__V1__Stock *stock_message(struct arena *arena, struct text sku,
                                             const struct stock *stock);

Waybill__Inventory__V1__Stock **stock_messages(struct arena *arena, const struct sku_stock *stocks,
                                               size_t count);

Waybill__Inventory__V1__Reservation *reservation_message(struct arena *arena,
                                                         const struct reservation *reservation);

Waybill__Inventory__V1__Reservation **reservation_messages(struct arena *arena,
                                                           const struct reservation *reservations,
                                                           size_t count);

Waybill__Inventory__V1__StockEntry *stock_entry_message(struct arena *arena,
                                                        const struct stock_entry *entry);

Waybill__Inventory__V1__LedgerMismatch *ledger_mismatch_message(
    struct arena *arena, const struct ledger_mismatch *mismatch);

Waybill__Inventory__V1__InsufficientStock *insufficient_stock_message(
    struct arena *arena, const struct shortage *shortages, size_t count);

#endif
