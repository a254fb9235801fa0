#ifndef WAYBILL_PLATFORM_RESILIENCE_BULKHEAD_H
#define WAYBILL_PLATFORM_RESILIENCE_BULKHEAD_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * At most so many calls to one dependency at once, so that a slow one cannot take all that the
 * process has (Nygard, Release It!, "Bulkheads"). Who is refused is refused at once; waiting, if
 * wanted, is a bounded queue's business. Thread: any.
 */
struct bulkhead {
    _Atomic uint32_t inside;
    uint32_t inside_max;
};

void bulkhead_init(struct bulkhead *bulkhead, uint32_t inside_max);

/* False: it is full. Each true is followed by one bulkhead_leave. */
__attribute__((warn_unused_result)) bool bulkhead_enter(struct bulkhead *bulkhead);
void bulkhead_leave(struct bulkhead *bulkhead);

uint32_t bulkhead_inside(const struct bulkhead *bulkhead);

#endif
