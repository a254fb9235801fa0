#ifndef WAYBILL_SHIPPING_INTERFACES_EVENTS_SHIPPING_EVENTS_H
#define WAYBILL_SHIPPING_INTERFACES_EVENTS_SHIPPING_EVENTS_H

#include "shipping/domain/shipping_event.h"

/* Shipping's events as the messages of shipping_events.proto. */
shipping_event_encode shipping_events_encode;

#endif
