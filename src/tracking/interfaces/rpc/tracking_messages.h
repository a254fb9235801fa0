#ifndef WAYBILL_TRACKING_INTERFACES_RPC_TRACKING_MESSAGES_H
#define WAYBILL_TRACKING_INTERFACES_RPC_TRACKING_MESSAGES_H

#include "platform/base/arena.h"
#include "platform/rpc/message_fields.h"
#include "tracking/application/tracking_service.h"

#include "waybill/tracking/v1/tracking.pb-c.h"

/*
 * Records as messages, on the call's arena, and messages as records, which view them. NULL without
 * memory.
 */
Waybill__Tracking__V1__TrackingEvent *tracking_event_message(struct arena *arena,
                                                             const struct tracking_service *service,
                                                             const struct tracking_event *event);
Waybill__Tracking__V1__Tracking *tracking_message(struct arena *arena,
                                                  const struct tracking_service *service,
                                                  const struct tracking *tracking);
Waybill__Tracking__V1__TrackingStatus tracking_status_value(enum tracking_status status);

/* What the caller says of an event; what only answers have is left out. */
struct tracking_event tracking_event_of(const Waybill__Tracking__V1__TrackingEvent *message);

#endif
