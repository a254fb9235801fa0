#ifndef WAYBILL_MAIN_REPLAY_MESSAGES_PARCEL_MESSAGES_H
#define WAYBILL_MAIN_REPLAY_MESSAGES_PARCEL_MESSAGES_H

#include "main/replay/state/replay_state.h"
#include "platform/base/arena.h"
#include "waybill/tracking/v1/tracking.pb-c.h"

#include <stdint.h>

/*
 * A line of the data set as messages to the tracking service, on the arena; NULL without memory.
 * Texts view the data set and the places. Thread: the loop's.
 */

Waybill__Tracking__V1__CreateTrackingRequest *parcel_message_creation(const struct replay *replay,
                                                                      uint32_t line,
                                                                      struct arena *arena);

/* The step of its life at `index`. It has no event_id: its content names it. */
Waybill__Tracking__V1__RecordEventRequest *parcel_message_event(const struct replay *replay,
                                                                uint32_t line, uint32_t index,
                                                                struct arena *arena);

/* That a parcel of the order has arrived, on the day of the order's last line. */
Waybill__Tracking__V1__RecordEventRequest *parcel_message_delivery(const struct replay *replay,
                                                                   uint32_t order,
                                                                   const char *carrier,
                                                                   const char *number,
                                                                   struct arena *arena);

#endif
