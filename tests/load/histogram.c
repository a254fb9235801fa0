/* Log-linear buckets: the top six bits behind the leading one choose the bucket. */
#include "tests/load/histogram.h"

static unsigned bucket_of(uint64_t value)
{
    if (value < 64)
        return (unsigned)value;
    unsigned power = 63 - (unsigned)__builtin_clzll(value);
    return (power - 5) * 64 + (unsigned)(value >> (power - 6) & 63);
}

static uint64_t value_of(unsigned bucket)
{
    if (bucket < 64)
        return bucket;
    unsigned power = bucket / 64 + 5;
    return (UINT64_C(1) << power) + ((uint64_t)(bucket % 64) << (power - 6));
}

void histogram_add(struct histogram *histogram, uint64_t value)
{
    histogram->counts[bucket_of(value)]++;
    histogram->total++;
    if (value > histogram->largest)
        histogram->largest = value;
}

uint64_t histogram_at(const struct histogram *histogram, double share)
{
    uint64_t wanted = (uint64_t)((double)histogram->total * share);
    uint64_t passed = 0;
    for (unsigned bucket = 0; bucket < histogram_buckets; bucket++) {
        passed += histogram->counts[bucket];
        if (passed > wanted)
            return value_of(bucket);
    }
    return histogram->largest;
}
