#ifndef WAYBILL_MAIN_REPLAY_MESSAGES_SHELF_MESSAGES_H
#define WAYBILL_MAIN_REPLAY_MESSAGES_SHELF_MESSAGES_H

#include "main/replay/state/replay_state.h"
#include "platform/base/arena.h"
#include "waybill/inventory/v1/inventory.pb-c.h"
#include "waybill/warehouse/v1/warehouse.pb-c.h"

#include <stddef.h>
#include <stdint.h>

/*
 * Places, cost cards and orders of the data set as messages to the warehouse service, on the arena;
 * NULL without memory. Texts view the data set and the places. Thread: the loop's.
 */
Waybill__Warehouse__V1__Warehouse *shelf_message_warehouse(const struct replay_places *places,
                                                           size_t warehouse, struct arena *arena);
Waybill__Warehouse__V1__CostCard *shelf_message_cost_card(const struct replay_places *places,
                                                          size_t warehouse, struct arena *arena);

/* A place as an address: city, country, point. */
Waybill__Common__V1__Address *shelf_message_place(const struct replay_place *place,
                                                  struct arena *arena);

/* Where the order goes. */
Waybill__Common__V1__Address *shelf_message_destination(const struct replay *replay, uint32_t order,
                                                        struct arena *arena);

/* The order's lines as they stand in the file. */
Waybill__Warehouse__V1__ItemLine **shelf_message_lines(const struct replay *replay, uint32_t order,
                                                       struct arena *arena, size_t *count);

/* FIRM or SHIPPED; NONE for what no replay leaves. */
enum allocation_progress shelf_message_progress(
    const Waybill__Warehouse__V1__Allocation *allocation);

#endif
