#ifndef WAYBILL_SHIPPING_APPLICATION_PURCHASE_H
#define WAYBILL_SHIPPING_APPLICATION_PURCHASE_H

#include "shipping/application/service_state.h"

/*
 * ResolveShipment's BUY_AGAIN: the record is an INTENT again, and is bought now as CreateShipment
 * does; the call is answered at the end of that. `result` is the call's shipment.
 */
void purchase_again(struct shipping_call *call, const struct shipment *shipment,
                    struct shipment *result);

#endif
