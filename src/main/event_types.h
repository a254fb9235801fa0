#ifndef WAYBILL_MAIN_EVENT_TYPES_H
#define WAYBILL_MAIN_EVENT_TYPES_H

#include "events/application/subscribe.h"

#include <protobuf-c/protobuf-c.h>
#include <stddef.h>

/* The messages that events carry, of every context; a new one is added in event_types.c. */
extern const ProtobufCMessageDescriptor *const event_messages[];
extern const size_t event_message_count;

/* Their names. */
struct event_types event_types_known(void);

#endif
