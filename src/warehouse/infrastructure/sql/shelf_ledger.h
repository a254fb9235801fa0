#ifndef WAYBILL_WAREHOUSE_INFRASTRUCTURE_SQL_SHELF_LEDGER_H
#define WAYBILL_WAREHOUSE_INFRASTRUCTURE_SQL_SHELF_LEDGER_H

#include "warehouse/infrastructure/sql/step.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The books of some SKUs in some warehouses, within one step: lock, look, post, write. What is
 * posted changes the shelves in memory; ledger_write sends all of it. Every function that gives
 * false has ended the script: return ledger->verdict.
 *
 * The row of warehouse_stock is the lock of a SKU in a warehouse: who changes its shelves,
 * its on hand or what is allocated holds it. Rows are locked by SKU, then warehouse.
 */
struct ledger_stock {
    struct warehouse_stock stock; /* shelves in picking order, also those at 0 */
    size_t shelf_room;
    bool *shelf_changed;
    bool changed;
    int64_t weight_grams; /* ledger_lock_everywhere: its item's; 0 = none */
};

struct ledger {
    struct step *step;
    enum sql_verdict verdict;
    struct ledger_stock *stocks; /* by SKU, then warehouse */
    size_t count;
    int64_t now_us; /* set by ledger_lock */
};

enum ledger_lock_mode {
    LEDGER_EXISTING, /* locks what there is */
    LEDGER_CREATE,   /* makes what there is not, each SKU in each warehouse */
    LEDGER_EXPIRING, /* locks what there is, and what is due is no reason to stop */
};

/*
 * Locks the SKUs in the warehouses and reads the step's time. With shelves, unless
 * none are needed. Holds that are due end the script (step->is_due).
 */
bool ledger_lock(struct ledger *ledger, struct step *step, const struct text *skus,
                 size_t sku_count, const struct text *warehouse_ids, size_t warehouse_count,
                 enum ledger_lock_mode mode, bool with_shelves);

/* The same without locks, with shelves, for reads. */
bool ledger_read(struct ledger *ledger, struct step *step, const struct text *skus,
                 size_t sku_count, const struct text *warehouse_ids, size_t warehouse_count);

/* What an allocation begins with; of the instant before its locks, whose holders may change it. */
struct allocation_known {
    int64_t directory_revision;
    struct text content; /* of the one with that id; empty = there is none */
};

/*
 * For allocations, in one round trip: the SKUs (each once) in all warehouses with their items'
 * weights, locked if a plan is to be held, without shelves; and what is known beforehand. An id
 * that somebody else inserts meanwhile ends in a conflict, and the script runs again.
 */
bool ledger_lock_everywhere(struct ledger *ledger, struct step *step, const struct text *skus,
                            size_t sku_count, bool locked, struct text allocation_id,
                            struct allocation_known *known);

/* Reads the shelves of those of the ledger's stocks that are of these SKUs and warehouses. Once. */
bool ledger_read_shelves(struct ledger *ledger, const struct text *skus, size_t sku_count,
                         const struct text *warehouse_ids, size_t warehouse_count);

/* NULL if it was not locked, or is not there. */
struct ledger_stock *ledger_find(struct ledger *ledger, struct text sku, struct text warehouse_id);

/*
 * Posts one movement at a place: changes its shelf and on hand, and enqueues the movement's row and
 * event. `content` is empty for legs of our making. The movement's warehouse and SKU must be
 * locked; for less than 0 the shelf must have it (ledger_pick gave it). `first_in_us` is for
 * quantities that come (0 = now). Refuses with ON_HAND_LIMIT or PLACES_LIMIT.
 */
bool ledger_post(struct ledger *ledger, const struct movement *movement, struct text content,
                 int64_t first_in_us);

/*
 * Picks exactly `quantity` of what the filter allows, without taking it off yet: the picks are for
 * ledger_post. Refuses with INSUFFICIENT_STOCK, counting at most `available_max` as there.
 */
bool ledger_pick(struct ledger *ledger, struct ledger_stock *stock,
                 const struct pick_filter *filter, int64_t quantity, int64_t available_max,
                 struct pick **picks, size_t *pick_count);

/* Enqueues all changed shelves and stock rows. Last of all. */
bool ledger_write(struct ledger *ledger);

/* Reads the shelves of one stock, named by its SKU and warehouse, in picking order. */
bool stock_read_shelves(struct step *step, struct warehouse_stock *stock);

/* Proposes picks for a quantity, as far as the shelves go; for reads. */
bool ledger_propose(struct step *step, const struct warehouse_stock *stock, int64_t quantity,
                    struct pick **picks, size_t *pick_count);

/*
 * The expiry date of goods that come in: of a lot that is known its own, else the one given, which
 * is then the lot's. Refuses with LOT_MISMATCH.
 */
bool ledger_lot_expiry(struct ledger *ledger, struct text sku, struct text lot,
                       int64_t *expiry_day);

#endif
