#ifndef WAYBILL_CARRIER_SIMULATOR_SIMULATOR_CARRIERS_H
#define WAYBILL_CARRIER_SIMULATOR_SIMULATOR_CARRIERS_H

#include "carrier_simulator/simulator_exchange.h"
#include "carrier_simulator/simulator_state.h"

/* The wire contracts, one file a carrier. */

/* Each fills status and body; false: the path is not the carrier's. */
bool simulator_ups(struct simulator *simulator, const struct simulator_request *request,
                   struct simulator_answer *answer);
bool simulator_fedex(struct simulator *simulator, const struct simulator_request *request,
                     struct simulator_answer *answer);
bool simulator_dhl(struct simulator *simulator, const struct simulator_request *request,
                   struct simulator_answer *answer);

#endif
