#ifndef WAYBILL_CARRIER_SIMULATOR_SIMULATOR_SAMPLES_H
#define WAYBILL_CARRIER_SIMULATOR_SIMULATOR_SAMPLES_H

#include "carrier_simulator/simulator_exchange.h"
#include "carrier_simulator/simulator_state.h"

#include <stdbool.h>

/* Answers with a file of the samples' folder. False: it has none for this request. */
bool simulator_sample(struct simulator *simulator, const struct simulator_request *request,
                      struct simulator_answer *answer);

#endif
