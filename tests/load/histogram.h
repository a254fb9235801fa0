#ifndef WAYBILL_TESTS_LOAD_HISTOGRAM_H
#define WAYBILL_TESTS_LOAD_HISTOGRAM_H

#include <stdint.h>

/*
 * Latencies in nanoseconds, in buckets that grow with the value: 64 for each power of two, so a
 * percentile is right to 1.6 %. Thread: one.
 */
enum { histogram_buckets = 64 * 64 };

struct histogram {
    uint64_t counts[histogram_buckets];
    uint64_t total;
    uint64_t largest;
};

void histogram_add(struct histogram *histogram, uint64_t value);

/* The value below which `share` (0 … 1) of all lie. */
uint64_t histogram_at(const struct histogram *histogram, double share);

#endif
