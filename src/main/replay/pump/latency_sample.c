/*
 * An array that doubles; percentiles by sorting it once. No buckets, so nothing is rounded.
 */
#include "main/replay/pump/latency_sample.h"

#include "platform/base/memory.h"

#include <stdlib.h>

void latency_sample_init(struct latency_sample *sample)
{
    *sample = (struct latency_sample){0};
}

void latency_sample_deinit(struct latency_sample *sample)
{
    memory_release(sample->latencies_us);
    *sample = (struct latency_sample){0};
}

bool latency_sample_add(struct latency_sample *sample, int64_t latency_us)
{
    if (sample->count == sample->capacity) {
        size_t capacity = sample->capacity == 0 ? 1024 : 2 * sample->capacity;
        void *grown = memory_reallocate(sample->latencies_us, capacity * sizeof(uint32_t));
        if (grown == NULL)
            return false;
        sample->latencies_us = grown;
        sample->capacity = capacity;
    }
    if (latency_us < 0)
        latency_us = 0;
    if (latency_us > (int64_t)UINT32_MAX)
        latency_us = (int64_t)UINT32_MAX;
    sample->latencies_us[sample->count++] = (uint32_t)latency_us;
    return true;
}

static int compare_latencies(const void *a, const void *b)
{
    uint32_t left = *(const uint32_t *)a;
    uint32_t right = *(const uint32_t *)b;
    return (left > right) - (left < right);
}

/* `percent` of 100, of a sorted sample that is not empty. */
static int64_t nearest_rank(const struct latency_sample *sample, size_t percent)
{
    size_t rank = (sample->count * percent + 99) / 100;
    return sample->latencies_us[rank - 1];
}

struct latency_percentiles latency_sample_percentiles(struct latency_sample *sample)
{
    if (sample->count == 0)
        return (struct latency_percentiles){0};
    qsort(sample->latencies_us, sample->count, sizeof(uint32_t), compare_latencies);
    return (struct latency_percentiles){
        .p50_us = nearest_rank(sample, 50),
        .p95_us = nearest_rank(sample, 95),
        .p99_us = nearest_rank(sample, 99),
        .max_us = nearest_rank(sample, 100),
    };
}
