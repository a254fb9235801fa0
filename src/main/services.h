#ifndef WAYBILL_MAIN_SERVICES_H
#define WAYBILL_MAIN_SERVICES_H

#include "platform/base/text.h"

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* The services whose methods `waybill call` knows, from their descriptors. Any thread. */
extern const ProtobufCServiceDescriptor *const known_services[];
extern const size_t known_service_count;

struct known_method {
    const ProtobufCServiceDescriptor *service;
    const ProtobufCMethodDescriptor *method;
};

/*
 * Finds a method by "package.Service/Method" with or without '/' before it, "Service/Method" or
 * "Method". Gives how many fit: *found is set if it is exactly one.
 */
size_t known_method_find(struct text name, struct known_method *found);

/* Whether request or answer of the method is a stream. False also without memory. */
bool known_method_is_stream(const struct known_method *method);

/*
 * Writes those that fit the name, or, where none does, those whose name is nearest, as
 * "InventoryService/ReceiveStock, WarehouseService/ReceiveStock"; of one that is the only one of
 * its name just "Method". Gives how many; 0: none is near. `name` as above; what stands before its
 * slash need not be a service; `out` may be NULL.
 */
size_t known_method_suggest(const char *name, FILE *out);

/* Makes our own types known to JSON. At start. */
void known_types_register(void);

#endif
