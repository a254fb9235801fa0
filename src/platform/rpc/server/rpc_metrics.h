#ifndef WAYBILL_PLATFORM_RPC_SERVER_RPC_METRICS_H
#define WAYBILL_PLATFORM_RPC_SERVER_RPC_METRICS_H

#include "platform/base/error.h"
#include "platform/rpc/services/method_table.h"

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

/*
 * How the calls of one I/O thread went: by method, how many began and ended with which status, and
 * how long they took. Written by that thread, read by any.
 */
enum { rpc_status_count = GRPC_STATUS_UNAUTHENTICATED + 1, rpc_duration_buckets = 14 };

/* Upper bounds of the buckets, inclusive; what is longer is in the last, unbounded one. */
extern const int64_t rpc_duration_bounds_us[rpc_duration_buckets];

struct rpc_method_metrics {
    _Atomic uint64_t started;
    _Atomic uint64_t ended[rpc_status_count];
    _Atomic uint64_t took[rpc_duration_buckets + 1];
    _Atomic uint64_t took_us; /* sum */
};

struct rpc_metrics {
    struct rpc_method_metrics *methods; /* by entry of the table; one more for unknown paths */
    size_t count;
};

/* OUT_OF_MEMORY. */
struct error rpc_metrics_init(struct rpc_metrics *metrics, size_t method_count);
void rpc_metrics_deinit(struct rpc_metrics *metrics);

void rpc_metrics_started(struct rpc_metrics *metrics, size_t method);
void rpc_metrics_ended(struct rpc_metrics *metrics, size_t method, enum grpc_status status,
                       int64_t took_us);

/* Adds `one` to `sum`. */
void rpc_metrics_add(struct rpc_method_metrics *sum, const struct rpc_method_metrics *one);

#endif
