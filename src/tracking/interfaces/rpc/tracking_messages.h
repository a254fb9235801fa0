#ifndef WAYBILL_TRACKING_INTERFACES_RPC_TRACKING_MESSAGES_H
#define WAYBILL_TRACKING_INTERFACES_RPC_TRACKING_MESSAGES_H

#include "platform/base/arena.h"
#include "tracking/application/tracking_service.h"

#include "waybill/tracking/v1/tracking.pb-c.h"

/*
 * Records as messages, on the call's arena, and messages as records, which view them. NULL without
 * memory.
 */
Google__Protobuf__Timestamp *tracking_time_message(struct arena *arena, int64_t time_us);

/* Leaves the field of a fresh message absent for a time of 0. False without memory. */
bool tracking_set_time(struct arena *arena, int64_t time_us, Google__Protobuf__Timestamp **field);

Waybill__Tracking__V1__TrackingEvent *tracking_event_message(struct arena *arena,
                                                             const struct tracking_service *service,
                                                             const struct tracking_event *event);
Waybill__Tracking__V1__Tracking *tracking_message(struct arena *arena,
                                                  const struct tracking_service *service,
                                                  const struct tracking *tracking);
Waybill__Tracking__V1__TrackingStatus tracking_status_value(enum tracking_status status);

/* In microseconds; −1 for one that is none, which every check refuses; 0 where it is absent. */
int64_t tracking_time_of(const Google__Protobuf__Timestamp *message);

/* What the caller says of an event; what only answers have is left out. */
struct tracking_event tracking_event_of(const Waybill__Tracking__V1__TrackingEvent *message);

#endif
