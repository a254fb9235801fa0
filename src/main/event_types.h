#ifndef WAYBILL_MAIN_EVENT_TYPES_H
#define WAYBILL_MAIN_EVENT_TYPES_H

#include "events/application/subscribe.h"

#include <protobuf-c/protobuf-c.h>
#include <stddef.h>

/* The messages that events carry, of every context, one behind the other; a new one is added in
 * event_types.c. */
extern const ProtobufCMessageDescriptor *const event_messages[];
extern const size_t event_message_count;

/* Their names. */
struct event_types event_types_known(void);

/* Those of one context ("warehouse"), in the form that remote_event_feed takes. Live for ever. */
struct event_types event_types_of(const char *source);

#endif
