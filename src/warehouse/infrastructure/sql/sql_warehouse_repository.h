#ifndef WAYBILL_WAREHOUSE_INFRASTRUCTURE_SQL_SQL_WAREHOUSE_REPOSITORY_H
#define WAYBILL_WAREHOUSE_INFRASTRUCTURE_SQL_SQL_WAREHOUSE_REPOSITORY_H

#include "platform/base/error.h"
#include "platform/events/sql_outbox.h"
#include "platform/sql/sql.h"
#include "warehouse/domain/warehouse_event.h"
#include "warehouse/domain/warehouse_repository.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Warehouse on SQLite or PostgreSQL (docs/internals/warehouse.md): one set of transaction scripts.
 *
 * Locks are taken in one order: stock rows by SKU, then warehouse; then warehouses whose capacity
 * is limited, by id; then the allocation, transfer or count. So scripts cannot deadlock.
 */
struct sql_warehouse_options {
    struct sql_store *store; /* with warehouse's migrations; outlives the repository */
    warehouse_event_encode *encode;
    struct sql_outbox *outbox; /* outlives the repository */
    struct money split_cost;   /* absent = splitting is free */
    int64_t ship_within_days;
    uint64_t allocation_work_max; /* bound on the solver's work */
    bool sweep; /* expires what is due on a thread of its own; else sql_warehouse_sweep does */
};

/* What users get if they set nothing; store, encode and outbox are left NULL. */
struct sql_warehouse_options sql_warehouse_options_default(void);

/* Errors: OUT_OF_MEMORY. */
__attribute__((warn_unused_result)) struct error sql_warehouse_repository_open(
    struct warehouse_repository **repository, const struct sql_warehouse_options *options);

/* When no command is under way any more, before the store is closed. NULL is allowed. */
void sql_warehouse_repository_close(struct warehouse_repository *repository);

/*
 * Expires what is due now, all of it, and waits: what the sweeping thread does twice a second. Not
 * on a store that is not threaded. Errors: as sql_store_run.
 */
__attribute__((warn_unused_result)) struct error sql_warehouse_sweep(
    struct warehouse_repository *repository);

#endif
