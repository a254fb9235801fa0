#ifndef WAYBILL_WAREHOUSE_INTERFACES_RPC_COMMON_READINGS_H
#define WAYBILL_WAREHOUSE_INTERFACES_RPC_COMMON_READINGS_H

#include "warehouse/interfaces/rpc/warehouse_calls.h"

#include "google/protobuf/timestamp.pb-c.h"
#include "waybill/common/v1/common.pb-c.h"

#include <stdint.h>

/* The common messages as the domain's values; what does not fit is a violation below `path`. */

/* NULL is absent. */
struct money reading_money(struct rpc_reading *reading, const Waybill__Common__V1__Money *message,
                           const char *path);

/* NULL is the empty address. */
struct address reading_address(struct rpc_reading *reading,
                               const Waybill__Common__V1__Address *message);

/* NULL is 0. */
int64_t reading_time(struct rpc_reading *reading, const Google__Protobuf__Timestamp *message,
                     const char *path);

#endif
