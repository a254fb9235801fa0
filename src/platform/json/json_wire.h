#ifndef WAYBILL_PLATFORM_JSON_JSON_WIRE_H
#define WAYBILL_PLATFORM_JSON_JSON_WIRE_H

#include "platform/base/text.h"

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>

/*
 * Whether the wire bytes may be given to protobuf-c, which unpacks messages within messages as deep
 * as they come: true if they are well formed and nest at most `levels` deep, the outermost counted
 * as 1. Pure; any thread.
 */
bool json_wire_nests_within(const ProtobufCMessageDescriptor *type, struct text bytes,
                            unsigned levels);

#endif
