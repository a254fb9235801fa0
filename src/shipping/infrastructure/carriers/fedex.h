#ifndef WAYBILL_SHIPPING_INFRASTRUCTURE_CARRIERS_FEDEX_H
#define WAYBILL_SHIPPING_INFRASTRUCTURE_CARRIERS_FEDEX_H

#include "shipping/infrastructure/carriers/carrier_protocol.h"

/* The writing half of fedex_protocol; contracts in carrier_protocol.h. */
void fedex_write_token(const struct carrier_settings *settings, struct carrier_wire *wire);
void fedex_write_rates(const struct carrier_settings *settings,
                       const struct carrier_rate_request *request, struct carrier_wire *wire);
void fedex_write_shipment(const struct carrier_settings *settings,
                          const struct carrier_shipment_request *request,
                          struct carrier_wire *wire);
void fedex_write_cancel(const struct carrier_settings *settings,
                        const struct carrier_cancel_request *request, struct carrier_wire *wire);
void fedex_write_tracking(const struct carrier_settings *settings,
                          const struct carrier_tracking_request *request,
                          struct carrier_wire *wire);
void fedex_write_find(const struct carrier_settings *settings,
                      const struct carrier_find_request *request, struct carrier_wire *wire);

#endif
