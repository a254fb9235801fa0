#ifndef WAYBILL_CARRIER_SIMULATOR_SIMULATOR_H
#define WAYBILL_CARRIER_SIMULATOR_SIMULATOR_H

#include "carrier_simulator/simulator_exchange.h"
#include "carrier_simulator/simulator_state.h"

/*
 * UPS, FedEx and DHL Express as a test meets them: what they would have sold, what they know of it,
 * and what goes wrong, decided by a seed. Thread: one, the loop's.
 */

/* What is answered to a request; `answer->body` is empty at the start. */
void simulator_answer(struct simulator *simulator, const struct simulator_request *request,
                      struct simulator_answer *answer);

/* An answer to that path (with the carrier's prefix) has left; its head came at `begin_us`. */
void simulator_note_time(struct simulator *simulator, struct text path, int64_t begin_us);

#endif
