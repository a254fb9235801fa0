#ifndef WAYBILL_MAIN_REPLAY_PUMP_LATENCY_SAMPLE_H
#define WAYBILL_MAIN_REPLAY_PUMP_LATENCY_SAMPLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Every latency of a run, kept exactly: four bytes each. Thread: one at a time.
 */
struct latency_sample {
    uint32_t *latencies_us;
    size_t count;
    size_t capacity;
};

struct latency_percentiles {
    int64_t p50_us;
    int64_t p95_us;
    int64_t p99_us;
    int64_t max_us;
};

/* Takes no memory yet. */
void latency_sample_init(struct latency_sample *sample);
void latency_sample_deinit(struct latency_sample *sample);

/* Below 0 counts as 0, above 71 minutes as that. False without memory, then nothing changed. */
__attribute__((warn_unused_result)) bool latency_sample_add(struct latency_sample *sample,
                                                            int64_t latency_us);

/*
 * By nearest rank: p95 is the smallest latency that at least 95 of 100 calls did not exceed. All 0
 * of an empty sample. Sorts the sample.
 */
struct latency_percentiles latency_sample_percentiles(struct latency_sample *sample);

#endif
