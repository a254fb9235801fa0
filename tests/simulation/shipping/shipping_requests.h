#ifndef WAYBILL_TESTS_SIMULATION_SHIPPING_SHIPPING_REQUESTS_H
#define WAYBILL_TESTS_SIMULATION_SHIPPING_SHIPPING_REQUESTS_H

#include "platform/base/arena.h"

#include "waybill/shipping/v1/shipping.pb-c.h"

/*
 * Good requests as a caller would make them: two parcels from New York to Toronto, with customs. On
 * the arena; without memory they end the test.
 */

/* Of an order; what is to be bought is left to be said. */
Waybill__Shipping__V1__CreateShipmentRequest *shipping_request_purchase(struct arena *arena,
                                                                        char *shipment_id);

/* All carriers, today. */
Waybill__Shipping__V1__GetRatesRequest *shipping_request_rates(struct arena *arena);

#endif
