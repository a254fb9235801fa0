/*
 * A ring under a mutex. The taker is signalled only when it really sleeps, so a busy queue costs an
 * uncontended lock and no system call. Nothing fails once it is made; a full queue is an answer.
 */
#include "platform/base/queue.h"

#include "platform/base/condition.h"
#include "platform/base/memory.h"

#include <errno.h>

bool queue_init(struct queue *queue, size_t capacity)
{
    *queue = (struct queue){.capacity = capacity};
    queue->items = memory_allocate_zero(capacity, sizeof *queue->items);
    if (queue->items == NULL)
        return false;
    pthread_mutex_init(&queue->mutex, NULL);
    condition_init(&queue->filled);
    return true;
}

void queue_deinit(struct queue *queue)
{
    if (queue->items == NULL)
        return;
    pthread_cond_destroy(&queue->filled);
    pthread_mutex_destroy(&queue->mutex);
    memory_release(queue->items);
    queue->items = NULL;
}

bool queue_put(struct queue *queue, void *item)
{
    pthread_mutex_lock(&queue->mutex);
    bool taken = !queue->closed && queue->count < queue->capacity;
    bool signal = false;
    if (taken) {
        size_t at = queue->first + queue->count;
        queue->items[at < queue->capacity ? at : at - queue->capacity] = item;
        queue->count++;
        signal = queue->waiting;
        queue->waiting = false;
    }
    pthread_mutex_unlock(&queue->mutex);
    if (signal)
        pthread_cond_signal(&queue->filled);
    return taken;
}

void queue_close(struct queue *queue)
{
    pthread_mutex_lock(&queue->mutex);
    queue->closed = true;
    pthread_mutex_unlock(&queue->mutex);
    pthread_cond_signal(&queue->filled);
}

void queue_wake(struct queue *queue)
{
    pthread_mutex_lock(&queue->mutex);
    queue->woken = true;
    pthread_mutex_unlock(&queue->mutex);
    pthread_cond_signal(&queue->filled);
}

size_t queue_take(struct queue *queue, void **items, size_t items_max, int64_t timeout_us)
{
    struct timespec until = {0};
    int outcome = 0;
    size_t taken = 0;
    if (timeout_us > 0)
        until = condition_deadline(timeout_us);
    pthread_mutex_lock(&queue->mutex);
    while (queue->count == 0 && !queue->woken && !queue->closed && timeout_us != 0 &&
           outcome != ETIMEDOUT) {
        queue->waiting = true;
        if (timeout_us < 0)
            outcome = pthread_cond_wait(&queue->filled, &queue->mutex);
        else
            outcome = pthread_cond_timedwait(&queue->filled, &queue->mutex, &until);
    }
    queue->waiting = false;
    queue->woken = false;
    while (taken < items_max && queue->count > 0) {
        items[taken++] = queue->items[queue->first];
        queue->first = queue->first + 1 < queue->capacity ? queue->first + 1 : 0;
        queue->count--;
    }
    pthread_mutex_unlock(&queue->mutex);
    return taken;
}

bool queue_is_finished(struct queue *queue)
{
    pthread_mutex_lock(&queue->mutex);
    bool finished = queue->closed && queue->count == 0;
    pthread_mutex_unlock(&queue->mutex);
    return finished;
}
