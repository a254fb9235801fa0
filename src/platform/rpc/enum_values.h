#ifndef WAYBILL_PLATFORM_RPC_ENUM_VALUES_H
#define WAYBILL_PLATFORM_RPC_ENUM_VALUES_H

#include "platform/base/violations.h"

#include <protobuf-c/protobuf-c.h>

/*
 * The names of an enum's values for whoever gave none of them, from the descriptor, so that they
 * are written down nowhere else. Pure.
 */

/*
 * The violation with the values that are allowed behind its description, where its path leads to a
 * field of an enum in `request` and the description names that type ("must be one of the OrderRule
 * values"), or says "this enum": "…: ORDER_RULE_CHEAPEST, ORDER_RULE_FASTEST". Else, or without
 * memory, as it is. Paths may be spelt as in JSON. `request` may be NULL.
 */
struct violation enum_values_named(struct arena *arena, const ProtobufCMessageDescriptor *request,
                                   struct violation violation);

#endif
