#ifndef WAYBILL_PLATFORM_BASE_MEMORY_H
#define WAYBILL_PLATFORM_BASE_MEMORY_H

#include <stddef.h>
#include <stdint.h>

/*
 * The only door to the heap for our own code and for the libraries that let us choose
 * (nghttp2, protobuf-c, jansson), so that a test can make the n-th allocation fail (RELIABILITY row
 * 9). Each thread keeps a few small blocks that it releases, for its next ones (2 MiB at the most).
 * Thread: any; a block may be released on another one.
 */

/* `size` bytes, not cleared; NULL when there are none. A size of 0 gives a pointer to release. */
void *memory_allocate(size_t size);

/* count * size bytes, all zero; NULL when there are none or the product overflows. */
void *memory_allocate_zero(size_t count, size_t size);

/* As realloc: on NULL the old block is untouched and still the caller's. */
void *memory_reallocate(void *block, size_t size);

/* NULL is allowed. */
void memory_release(void *block);

/*
 * For tests: the allocation after `successes` more ones fails, and if `repeat` every later one too.
 * UINT64_MAX turns it off. Affects the calling thread only.
 */
void memory_fail_after(uint64_t successes, int repeat);

/* For tests: how many allocations (not releases) the calling thread has asked for. */
uint64_t memory_allocation_count(void);

#endif
