#ifndef WAYBILL_SHIPPING_INFRASTRUCTURE_SQL_UNWANTED_LABELS_H
#define WAYBILL_SHIPPING_INFRASTRUCTURE_SQL_UNWANTED_LABELS_H

#include "shipping/infrastructure/sql/shipment_rows.h"

/*
 * A label was bought for an attempt of that (locked) shipment that is over: to be voided, unless it
 * is among those already. False: failed.
 */
bool unwanted_label_insert(struct step *step, const struct shipment_row *row, uint32_t attempt,
                           struct text tracking_number);

#endif
