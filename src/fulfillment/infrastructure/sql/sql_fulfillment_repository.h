#ifndef WAYBILL_FULFILLMENT_INFRASTRUCTURE_SQL_SQL_FULFILLMENT_REPOSITORY_H
#define WAYBILL_FULFILLMENT_INFRASTRUCTURE_SQL_SQL_FULFILLMENT_REPOSITORY_H

#include "fulfillment/domain/fulfillment_event.h"
#include "fulfillment/domain/fulfillment_repository.h"
#include "platform/base/error.h"
#include "platform/events/sql_outbox.h"
#include "platform/sql/sql.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * Fulfillment on SQLite or PostgreSQL: one set of transaction scripts.
 *
 * Every script that writes locks the rows of its orders first, by order_id, before it reads or
 * writes their signals; so what is told of an order while its driver saves it is never overlooked.
 */
struct sql_fulfillment_options {
    struct sql_store *store; /* with fulfillment's migrations; outlives the repository */
    fulfillment_event_encode *encode;
    struct sql_outbox *outbox; /* outlives the repository */
};

/* Errors: OUT_OF_MEMORY. */
__attribute__((warn_unused_result)) struct error sql_fulfillment_repository_open(
    struct fulfillment_repository **repository, const struct sql_fulfillment_options *options);

/*
 * Nobody drives anything now: what is claimed is due. For a database that one process owns, at its
 * start; waits. Not on a store that is not threaded. Errors: as sql_store_run.
 */
__attribute__((warn_unused_result)) struct error sql_fulfillment_release_claims(
    struct fulfillment_repository *repository);

/* When no command is under way any more, before the store is closed. NULL is allowed. */
void sql_fulfillment_repository_close(struct fulfillment_repository *repository);

#endif
