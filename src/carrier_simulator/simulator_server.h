#ifndef WAYBILL_CARRIER_SIMULATOR_SIMULATOR_SERVER_H
#define WAYBILL_CARRIER_SIMULATOR_SIMULATOR_SERVER_H

#include "carrier_simulator/simulator_state.h"

/*
 * The simulator over HTTP, on the calling thread, until SIGTERM or SIGINT. All carriers are served
 * on one port, each also below /ups, /fedex, /dhl. `ready` is called once with the address really
 * listened on. Errors: INVALID_SETTING, NETWORK, OUT_OF_MEMORY.
 */
struct error simulator_serve(const struct simulator_options *options, const char *listen,
                             void (*ready)(const char *address));

#endif
