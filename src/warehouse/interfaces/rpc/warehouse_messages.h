#ifndef WAYBILL_WAREHOUSE_INTERFACES_RPC_WAREHOUSE_MESSAGES_H
#define WAYBILL_WAREHOUSE_INTERFACES_RPC_WAREHOUSE_MESSAGES_H

#include "platform/base/arena.h"
#include "warehouse/domain/warehouse_repository.h"

#include "waybill/warehouse/v1/warehouse.pb-c.h"

#include <stddef.h>

/*
 * The domain's records as the interface's messages. Each gives a message on the arena that keeps
 * nothing of the record, or NULL without memory. Thread: the arena's owner.
 */
Waybill__Warehouse__V1__Item *item_message(struct arena *arena, const struct item *item);
Waybill__Warehouse__V1__Warehouse *warehouse_message(struct arena *arena,
                                                     const struct warehouse *warehouse);
Waybill__Warehouse__V1__CostCard *cost_card_message(struct arena *arena,
                                                    const struct cost_card *card);
Waybill__Warehouse__V1__Bin *bin_message(struct arena *arena, const struct bin *bin);
Waybill__Warehouse__V1__WarehouseStock *warehouse_stock_message(
    struct arena *arena, const struct warehouse_stock *stock);
Waybill__Warehouse__V1__Movement *movement_message(struct arena *arena,
                                                   const struct movement *movement);
Waybill__Warehouse__V1__Transfer *transfer_message(struct arena *arena,
                                                   const struct transfer *transfer);
Waybill__Warehouse__V1__Count *count_message(struct arena *arena, const struct count *count);
Waybill__Warehouse__V1__Allocation *allocation_message(struct arena *arena,
                                                       const struct allocation *allocation);
Waybill__Warehouse__V1__MovementMismatch *mismatch_message(
    struct arena *arena, const struct movement_mismatch *mismatch);
Waybill__Warehouse__V1__InsufficientStock *warehouse_shortages_message(
    struct arena *arena, const struct shortage *shortages, size_t count);

/* A text with a NUL behind it; NULL without memory. */
char *arena_copy_string(struct arena *arena, struct text text);

#endif
