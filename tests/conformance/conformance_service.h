#ifndef WAYBILL_TESTS_CONFORMANCE_CONFORMANCE_SERVICE_H
#define WAYBILL_TESTS_CONFORMANCE_CONFORMANCE_SERVICE_H

#include "platform/json/json_message.h"
#include "platform/rpc/server.h"

/* The service that the Connect project's conformance suite calls. */
struct rpc_service conformance_service(void);

/* Makes its messages known to JSON, for Any. */
void conformance_register_types(void);

#endif
