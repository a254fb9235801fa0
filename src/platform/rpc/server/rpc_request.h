#ifndef WAYBILL_PLATFORM_RPC_SERVER_RPC_REQUEST_H
#define WAYBILL_PLATFORM_RPC_SERVER_RPC_REQUEST_H

#include "platform/rpc/server/rpc_call.h"

/* The receiving half of a call, as the HTTP exchange drives it (http_exchange.h). */
void rpc_request_header(struct rpc_call *call, struct text name, struct text value);
void rpc_request_headers_complete(struct rpc_call *call);
void rpc_request_body(struct rpc_call *call, struct text bytes);
void rpc_request_complete(struct rpc_call *call);

/* It has not come whole in time: answers instead of the handler. */
void rpc_request_late(struct rpc_call *call);

#endif
