#ifndef WAYBILL_FULFILLMENT_INTERFACES_EVENTS_FULFILLMENT_EVENTS_H
#define WAYBILL_FULFILLMENT_INTERFACES_EVENTS_FULFILLMENT_EVENTS_H

#include "fulfillment/domain/fulfillment_event.h"

/* Events as messages of waybill.fulfillment.v1, for the repository. Keeps no state. */
fulfillment_event_encode fulfillment_events_encode;

#endif
