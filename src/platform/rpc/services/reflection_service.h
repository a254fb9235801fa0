#ifndef WAYBILL_PLATFORM_RPC_SERVICES_REFLECTION_SERVICE_H
#define WAYBILL_PLATFORM_RPC_SERVICES_REFLECTION_SERVICE_H

#include "platform/base/error.h"
#include "platform/rpc/server.h"

#include <stddef.h>

/*
 * grpc.reflection.v1.ServerReflection (grpc/doc/server-reflection.md): lets grpcurl and the like
 * find out what is served, from a FileDescriptorSet. Read only after it was made; any thread.
 */
struct reflection_service;

/*
 * `descriptor_set` must outlive it; the services are those listed, itself included.
 * Errors: INVALID_SETTING (the bytes are no FileDescriptorSet), OUT_OF_MEMORY.
 */
struct error reflection_service_create(struct reflection_service **reflection,
                                       struct text descriptor_set,
                                       const struct rpc_service *const *services, size_t count);
void reflection_service_destroy(struct reflection_service *reflection);

/* The table to serve it with; lives with it. */
const struct rpc_service *reflection_service_rpc(struct reflection_service *reflection);

#endif
