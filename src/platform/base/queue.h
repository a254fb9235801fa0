#ifndef WAYBILL_PLATFORM_BASE_QUEUE_H
#define WAYBILL_PLATFORM_BASE_QUEUE_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A bounded queue of pointers: many threads put, one takes in batches. First in, first out per
 * putting thread. The queue owns none of its items.
 */
struct queue {
    pthread_mutex_t mutex;
    pthread_cond_t filled;
    void **items; /* a ring of `capacity` */
    size_t capacity;
    size_t first;
    size_t count;
    bool waiting; /* the taker sleeps */
    bool woken;   /* queue_wake was called since the last take */
    bool closed;
};

/* False without memory. */
__attribute__((warn_unused_result)) bool queue_init(struct queue *queue, size_t capacity);
void queue_deinit(struct queue *queue);

/* False when it is full or closed. Any thread. */
__attribute__((warn_unused_result)) bool queue_put(struct queue *queue, void *item);

/* After it, queue_put is refused; what is inside can still be taken. Any thread. */
void queue_close(struct queue *queue);

/* Lets a sleeping queue_take return though nothing came. Any thread. */
void queue_wake(struct queue *queue);

/*
 * Moves up to `items_max` items to `items` and tells how many. Sleeps while there is none, at most
 * `timeout_us` (negative = without end), until something comes, queue_wake or queue_close.
 * One thread only.
 */
size_t queue_take(struct queue *queue, void **items, size_t items_max, int64_t timeout_us);

/* Whether it is closed and empty. */
bool queue_is_finished(struct queue *queue);

#endif
