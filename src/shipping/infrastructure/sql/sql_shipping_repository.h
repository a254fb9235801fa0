#ifndef WAYBILL_SHIPPING_INFRASTRUCTURE_SQL_SQL_SHIPPING_REPOSITORY_H
#define WAYBILL_SHIPPING_INFRASTRUCTURE_SQL_SQL_SHIPPING_REPOSITORY_H

#include "platform/base/error.h"
#include "platform/events/sql_outbox.h"
#include "platform/sql/sql.h"
#include "shipping/domain/shipping_event.h"
#include "shipping/domain/shipping_repository.h"

/*
 * Shipping on SQLite or PostgreSQL (docs/internals/shipping.md): one set of transaction scripts.
 *
 * A script locks one shipment; those that lock several (recording scans, the sweep of
 * LIST_UNFINISHED) take the turn first. So scripts cannot deadlock. Many processes may work on one
 * PostgreSQL database.
 */
struct sql_shipping_options {
    struct sql_store *store; /* with shipping's migrations; outlives the repository */
    shipping_event_encode *encode;
    struct sql_outbox *outbox; /* outlives the repository */
};

/* Errors: OUT_OF_MEMORY. */
__attribute__((warn_unused_result)) struct error sql_shipping_repository_open(
    struct shipping_repository **repository, const struct sql_shipping_options *options);

/* When no command is under way any more, before the store is closed. NULL is allowed. */
void sql_shipping_repository_close(struct shipping_repository *repository);

#endif
