#ifndef WAYBILL_WAREHOUSE_INFRASTRUCTURE_SQL_ALLOCATION_ROWS_H
#define WAYBILL_WAREHOUSE_INFRASTRUCTURE_SQL_ALLOCATION_ROWS_H

#include "warehouse/infrastructure/sql/shelf_ledger.h"

#include <stdbool.h>
#include <stddef.h>

/* Allocations to rows and back. False: the script has ended, by a failure or *verdict. */

/* With parts, lines and the picks made; no picks are proposed. Refuses with ALLOCATION_NOT_FOUND.
 */
bool allocation_find(struct step *step, struct text allocation_id, bool locked,
                     struct allocation *allocation, struct text *content,
                     enum sql_verdict *verdict);

/* The allocation of one row of ALLOCATION_COLUMNS, with all that belongs to it. */
#define ALLOCATION_COLUMNS                                                                         \
    "position, allocation_id, content, order_id, reservation_id, state, strategy, currency,"       \
    " total_minor, optimal, gap_minor, plan, create_time_us, expire_time_us, revision"
bool allocation_read_row(struct step *step, const struct sql_rows *rows, size_t row,
                         struct allocation *allocation);

/* Enqueues a new one. */
bool allocation_insert(struct step *step, const struct allocation *allocation, struct text content);

/* Enqueues state, expire time and revision, and the states of its parts. */
bool allocation_update(struct step *step, const struct allocation *allocation);

/* Enqueues what was shipped of a part, with its picks. */
bool allocation_update_shipped(struct step *step, const struct allocation *allocation, size_t part);

/* Proposes picks for the lines of open parts, from shelves that are read here. */
bool allocation_propose(struct step *step, struct allocation *allocation);

/* The same from stocks with shelves that a ledger holds. */
bool allocation_propose_from(struct ledger *ledger, struct allocation *allocation);

/* The SKUs and warehouses of its open parts; arrays on the arena. */
bool allocation_places(struct step *step, const struct allocation *allocation, struct text **skus,
                       size_t *sku_count, struct text **warehouse_ids, size_t *warehouse_count);

/*
 * Locks the stock of its open parts, then the allocation, which is read again; what it holds cannot
 * change any more in this step. ledger->verdict says why not. With no part open nothing is locked,
 * for nothing can change any more at all.
 */
bool allocation_lock(struct ledger *ledger, struct step *step, struct allocation *allocation,
                     bool with_shelves);

/* Event of an allocation at its present revision. */
bool allocation_emit(struct step *step, const struct warehouse_event *event, int64_t time_us);

#endif
