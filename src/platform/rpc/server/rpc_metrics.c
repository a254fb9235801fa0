/* Plain counters: the only writer is the loop's thread, so relaxed loads and stores are enough. */
#include "platform/rpc/server/rpc_metrics.h"

#include "platform/base/memory.h"

const int64_t rpc_duration_bounds_us[rpc_duration_buckets] = {
    100,   250,   500,    1000,   2500,    5000,    10000,
    25000, 50000, 100000, 250000, 1000000, 5000000, 30000000,
};

struct error rpc_metrics_init(struct rpc_metrics *metrics, size_t method_count)
{
    metrics->count = method_count + 1;
    metrics->methods = memory_allocate_zero(metrics->count, sizeof *metrics->methods);
    if (metrics->methods == NULL)
        return error_make(ERROR_OUT_OF_MEMORY, "metrics");
    return error_none();
}

void rpc_metrics_deinit(struct rpc_metrics *metrics)
{
    memory_release(metrics->methods);
    *metrics = (struct rpc_metrics){0};
}

static void add(_Atomic uint64_t *counter, uint64_t more)
{
    uint64_t now = atomic_load_explicit(counter, memory_order_relaxed);
    atomic_store_explicit(counter, now + more, memory_order_relaxed);
}

void rpc_metrics_started(struct rpc_metrics *metrics, size_t method)
{
    add(&metrics->methods[method].started, 1);
}

void rpc_metrics_ended(struct rpc_metrics *metrics, size_t method, enum grpc_status status,
                       int64_t took_us)
{
    struct rpc_method_metrics *of = &metrics->methods[method];
    size_t bucket = 0;
    while (bucket < rpc_duration_buckets && took_us > rpc_duration_bounds_us[bucket])
        bucket++;
    add(&of->ended[(int)status < rpc_status_count ? status : GRPC_STATUS_UNKNOWN], 1);
    add(&of->took[bucket], 1);
    add(&of->took_us, (uint64_t)took_us);
}

static uint64_t value_of(const _Atomic uint64_t *counter)
{
    return atomic_load_explicit(counter, memory_order_relaxed);
}

void rpc_metrics_add(struct rpc_method_metrics *sum, const struct rpc_method_metrics *one)
{
    add(&sum->started, value_of(&one->started));
    for (size_t i = 0; i < rpc_status_count; i++)
        add(&sum->ended[i], value_of(&one->ended[i]));
    for (size_t i = 0; i <= rpc_duration_buckets; i++)
        add(&sum->took[i], value_of(&one->took[i]));
    add(&sum->took_us, value_of(&one->took_us));
}
