#ifndef WAYBILL_PLATFORM_RPC_SERVICES_HEALTH_SERVICE_H
#define WAYBILL_PLATFORM_RPC_SERVICES_HEALTH_SERVICE_H

#include "platform/base/error.h"
#include "platform/rpc/server.h"

#include <stddef.h>

/*
 * grpc.health.v1.Health (grpc/doc/health-checking.md): the state of each service and of "" (all of
 * them), asked once or watched. Thread: the state may be set by any; calls on their loops.
 */
struct health_service;

/* All services start as SERVING. OUT_OF_MEMORY. */
struct error health_service_create(struct health_service **health,
                                   const struct rpc_service *const *services, size_t count);
void health_service_destroy(struct health_service *health);

/* The table to serve it with; lives with it. */
const struct rpc_service *health_service_rpc(struct health_service *health);

/* Sets the state; an unknown name is nothing. */
void health_service_set(struct health_service *health, const char *name, bool serving);

/* Tells the watchers whose calls belong to `executor`, on its thread, what has changed. */
void health_service_notify(struct health_service *health, struct executor *executor);

/* The same for a server that drains: their calls end with UNAVAILABLE. */
void health_service_end(struct health_service *health, struct executor *executor);

#endif
