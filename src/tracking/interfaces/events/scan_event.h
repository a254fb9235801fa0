#ifndef WAYBILL_TRACKING_INTERFACES_EVENTS_SCAN_EVENT_H
#define WAYBILL_TRACKING_INTERFACES_EVENTS_SCAN_EVENT_H

#include "platform/base/arena.h"
#include "tracking/domain/tracking_event.h"
#include "waybill/shipping/v1/shipping.pb-c.h"

/*
 * A carrier's scan, as shipping gives it, as an event: its id is left to its content, its type to
 * the carrier's code map, so that a scan that came by push and again by a question is one event.
 * Carriers write what they like: words are cut to their limits, control characters become spaces, a
 * country that is no code is left out. What is still wrong (a number, a time) the service refuses.
 *
 * Texts are on the arena; `source` is a literal. Without memory texts are empty.
 */
struct tracking_event scan_event_of(struct arena *arena, struct text carrier,
                                    const Waybill__Shipping__V1__Scan *scan, const char *source);

#endif
