#ifndef WAYBILL_WAREHOUSE_INTERFACES_EVENTS_WAREHOUSE_EVENTS_H
#define WAYBILL_WAREHOUSE_INTERFACES_EVENTS_WAREHOUSE_EVENTS_H

#include "warehouse/domain/warehouse_event.h"

/* Warehouse's events as the messages of warehouse_events.proto. */
warehouse_event_encode warehouse_events_encode;

#endif
