#ifndef WAYBILL_SHIPPING_INFRASTRUCTURE_SQL_SHIPMENT_ROWS_H
#define WAYBILL_SHIPPING_INFRASTRUCTURE_SQL_SHIPMENT_ROWS_H

#include "shipping/infrastructure/sql/step.h"

/*
 * A shipment's row, read and written as a whole. Who changes one has locked it, works on the copy
 * in memory, and writes it with shipment_row_change.
 */
struct shipment_row {
    struct shipment shipment;
    enum shipment_resolution resolution; /* the latest; 0 = none */
    int64_t update_time_us;
    int64_t now_us;             /* of this step; locked rows only */
    struct text parcel_numbers; /* as stored; NULL data: of shipment.parcels */
};

/* The columns that shipment_row_read wants, in its order, of a table called s. */
#define SHIPMENT_COLUMNS                                                                           \
    "s.position, s.shipment_id, s.content_hash, s.order_id, s.reference, s.carrier,"               \
    " s.service_code, s.consignment, s.label_format, s.amount_currency, s.amount_minor,"           \
    " s.create_time_us, s.state, s.attempt, s.sent_time_us, s.lookup_time_us, s.lookups,"          \
    " s.failure, s.cancel_wanted, s.cancel_reason, s.resolution, s.tracking_number,"               \
    " s.parcel_numbers, s.charged_currency, s.charged_minor, s.estimated_delivery_time_us,"        \
    " s.update_time_us, s.revision"

/* False: failed (DAMAGED if the row is not one of ours). */
bool shipment_row_read(struct step *step, const struct sql_rows *rows, size_t index,
                       struct shipment_row *row);

/* By id, without a lock. False: failed, or (with a verdict) not found. */
bool shipment_row_find(struct step *step, struct text shipment_id, struct shipment_row *row,
                       enum sql_verdict *verdict);

/* The same, locked, with the step's time. */
bool shipment_row_lock(struct step *step, struct text shipment_id, struct shipment_row *row,
                       enum sql_verdict *verdict);

/*
 * Writes what may change of a locked row, raises the revision, and keeps the change in the audit
 * trail as `what` (NULL = not). `attempt` is the one it is about.
 */
bool shipment_row_change(struct step *step, struct shipment_row *row, uint32_t attempt,
                         const char *what, struct text note);

/* Adds a new one, with its first entry in the audit trail. */
bool shipment_row_insert(struct step *step, const struct shipment_row *row,
                         struct text consignment);

/* An event about the shipment as it is now, once for ever. */
bool shipment_row_emit(struct step *step, const struct shipment_row *row,
                       enum shipping_event_type type, struct text reason);

#endif
