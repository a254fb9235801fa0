#ifndef WAYBILL_PLATFORM_RPC_SERVER_SERVER_STATE_H
#define WAYBILL_PLATFORM_RPC_SERVER_SERVER_STATE_H

#include "platform/rpc/server.h"
#include "platform/rpc/server/rpc_loop.h"
#include "platform/rpc/services/method_table.h"

/* What a server is made of: for server.c and server_metrics.c alone. */
struct rpc_server {
    struct rpc_server_options options;
    struct health_service *health;
    struct reflection_service *reflection;
    struct method_table methods;
    struct buffer openapi; /* /openapi.json */
    struct http_route openapi_route;
    struct http_routes own_routes;
    struct http_server *http;
    struct rpc_loop *loops;
    uint32_t loop_count;
    bool is_open;
};

#endif
