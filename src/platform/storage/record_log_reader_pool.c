/* A few slots under a mutex that is never held while anything is read. */
#include "platform/storage/record_log_reader_pool.h"

#include <stddef.h>

void record_log_reader_pool_init(struct record_log_reader_pool *pool, struct record_log *log)
{
    *pool = (struct record_log_reader_pool){.log = log};
    pthread_mutex_init(&pool->mutex, NULL);
}

void record_log_reader_pool_deinit(struct record_log_reader_pool *pool)
{
    for (size_t i = 0; i < pooled_readers_max; i++)
        record_log_reader_destroy(pool->readers[i].reader);
    pthread_mutex_destroy(&pool->mutex);
}

struct error record_log_reader_pool_take(struct record_log_reader_pool *pool, uint64_t key,
                                         uint64_t position, struct pooled_reader *taken)
{
    *taken = (struct pooled_reader){.key = key, .position = position};
    pthread_mutex_lock(&pool->mutex);
    for (size_t i = 0; i < pooled_readers_max && taken->reader == NULL; i++) {
        if (pool->readers[i].reader != NULL && pool->readers[i].key == key) {
            *taken = pool->readers[i];
            pool->readers[i] = (struct pooled_reader){0};
        }
    }
    pthread_mutex_unlock(&pool->mutex);
    return taken->reader != NULL ? error_none()
                                 : record_log_reader_create(&taken->reader, pool->log);
}

void record_log_reader_pool_give(struct record_log_reader_pool *pool,
                                 const struct pooled_reader *given)
{
    pthread_mutex_lock(&pool->mutex);
    size_t last = 0;
    for (size_t i = 1; i < pooled_readers_max; i++) {
        const struct pooled_reader *found = &pool->readers[last];
        const struct pooled_reader *other = &pool->readers[i];
        if (found->reader != NULL && (other->reader == NULL || other->key < found->key))
            last = i;
    }
    struct record_log_reader *replaced = pool->readers[last].reader;
    pool->readers[last] = *given;
    pthread_mutex_unlock(&pool->mutex);
    record_log_reader_destroy(replaced);
}
