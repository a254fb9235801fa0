#ifndef WAYBILL_SHIPPING_INFRASTRUCTURE_SQL_PURCHASES_H
#define WAYBILL_SHIPPING_INFRASTRUCTURE_SQL_PURCHASES_H

#include "shipping/infrastructure/sql/shipment_rows.h"

/*
 * What several scripts do with a locked row. Each changes the copy in memory; numbers and labels
 * are written at once, the row itself by shipment_row_change. False: failed.
 */

/* INTENT of the next attempt. */
void purchase_begin_again(struct shipment_row *row, struct text failure);

/* UNKNOWN, to be looked up. */
void purchase_lose(struct shipment_row *row, struct text failure);

/*
 * CREATED under that number; `bought` may be NULL. Texts are copied to the step's arena.
 */
bool purchase_take(struct step *step, struct shipment_row *row, struct text tracking_number,
                   const struct carrier_shipment *bought);

/*
 * Adds to a purchase that was known by its number alone. *is_new tells whether there was anything
 * to add: then the row is to be written.
 */
bool purchase_complete(struct step *step, struct shipment_row *row,
                       const struct carrier_shipment *bought, bool *is_new);

/* CANCELLED, written, with its audit entry `what` and its event. `reason` is on the arena. */
bool purchase_cancel(struct step *step, struct shipment_row *row, struct text reason,
                     const char *what);

#endif
