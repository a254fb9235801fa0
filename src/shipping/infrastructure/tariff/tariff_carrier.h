#ifndef WAYBILL_SHIPPING_INFRASTRUCTURE_TARIFF_TARIFF_CARRIER_H
#define WAYBILL_SHIPPING_INFRASTRUCTURE_TARIFF_TARIFF_CARRIER_H

#include "platform/base/executor.h"
#include "shipping/domain/carrier.h"
#include "shipping/infrastructure/tariff/tariff_card.h"

/*
 * The carrier `tariff`: the port of shipping/domain/carrier.h without a network. Whatever it says
 * is a function of the cards and the request, decided within the call; `done` comes from the
 * executor. So it keeps nothing, and no outcome is ever UNKNOWN:
 *
 * calculate_rate: REFUSED with code NO_SERVICE when no service takes the consignment, and why each
 * does not; SHIP_DATE when that is no date.
 *
 * create_shipment: numbers from the shipment_id alone (tariff_number.h): however often it is asked,
 * the same shipment has the same numbers, so there is never a second label. One number a parcel; of
 * a service by consignment that of the whole alone, no parcel has its own. No labels: they are
 * drawn when wanted (shipping/domain/label.h).
 *
 * find_by_reference: what create_shipment answers to the same service_code and consignment; without
 * them the number of the whole alone. NOT_FOUND only for what would be refused: a purchase that was
 * lost and one that was never sent are the same here.
 *
 * cancel_shipment: ANSWERED, if the number is the shipment's; NOT_FOUND else.
 *
 * get_tracking_info: no scans, ever; NOT_FOUND for a number that is none of ours.
 *
 * read_webhook: REFUSED: nobody pushes.
 *
 * The consignment has been checked (positive weights, lengths of 0 or more, limits.h).
 */

/*
 * The tariff must outlive it. Thread: the executor's. Errors: OUT_OF_MEMORY.
 */
__attribute__((warn_unused_result)) struct error tariff_carrier_create(struct carrier **carrier,
                                                                       const struct tariff *tariff,
                                                                       struct executor *executor);

/* Calls whose `done` has not come. */
size_t tariff_carrier_pending(const struct carrier *carrier);

/* Released now, or with the last `done`. NULL is allowed. */
void tariff_carrier_close(struct carrier *carrier);

#endif
