#ifndef WAYBILL_SHIPPING_INFRASTRUCTURE_CARRIERS_UPS_ANSWER_H
#define WAYBILL_SHIPPING_INFRASTRUCTURE_CARRIERS_UPS_ANSWER_H

#include "shipping/infrastructure/carriers/ups.h"

/* The reading half of ups_protocol; contracts in carrier_protocol.h. */
void ups_read_rates(const struct carrier_answer *answer, struct carrier_outcome *outcome,
                    struct carrier_rates *rates);
void ups_read_shipment(const struct carrier_answer *answer, struct carrier_outcome *outcome,
                       struct carrier_shipment *shipment);
void ups_read_cancel(const struct carrier_answer *answer, struct carrier_outcome *outcome);
void ups_read_tracking(const struct carrier_answer *answer, struct carrier_outcome *outcome,
                       struct carrier_tracking *tracking);
void ups_read_find(const struct carrier_answer *answer, struct carrier_outcome *outcome,
                   struct carrier_matches *matches);
void ups_read_labels(const struct carrier_answer *answer, struct carrier_outcome *outcome,
                     struct carrier_shipment *shipment);

#endif
