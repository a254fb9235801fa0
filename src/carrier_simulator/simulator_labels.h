#ifndef WAYBILL_CARRIER_SIMULATOR_SIMULATOR_LABELS_H
#define WAYBILL_CARRIER_SIMULATOR_SIMULATOR_LABELS_H

#include "carrier_simulator/simulator_state.h"
#include "platform/base/arena.h"

/* A label's bytes in Base64; empty without memory. */
struct text simulator_label(struct arena *arena, const struct simulator_shipment *shipment,
                            size_t parcel);

#endif
