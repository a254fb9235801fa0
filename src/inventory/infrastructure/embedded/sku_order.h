#ifndef WAYBILL_INVENTORY_INFRASTRUCTURE_EMBEDDED_SKU_ORDER_H
#define WAYBILL_INVENTORY_INFRASTRUCTURE_EMBEDDED_SKU_ORDER_H

#include "inventory/infrastructure/embedded/engine_state.h"

/*
 * The SKUs in the order of their names, as a treap: a search tree by name that is a heap by
 * priority, so that random priorities keep it about twice as deep as it must be. SKUs are never
 * removed. It takes no memory but the two links in each SKU, so nothing here can fail.
 */

/* Adds a SKU that is not there; its name and priority are set. */
void sku_order_add(struct sku **root, struct sku *sku);

/* The one with the smallest name greater than `name` (any text); NULL if there is none. */
struct sku *sku_order_after(struct sku *root, struct text name);

#endif
